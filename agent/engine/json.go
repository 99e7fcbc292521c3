package engine

import (
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// AppendJSON appends the decision as one line without its newline, keys in the
// order of the contract; at most so many rejected candidates, all where negative.
func (d *Decision) AppendJSON(b []byte, mostRejected int) []byte {
	b = appendKey(append(b, '{'), "at", d.At.String())
	b = appendKey(append(b, ','), "decision", d.ID)
	b = appendKey(append(b, ','), "session", d.Session)
	b = appendKey(append(b, ','), "slot", d.Slot)
	b = appendKey(append(b, ','), "customer", d.Customer)
	b = strconv.AppendBool(append(b, `,"asked":`...), d.Asked)
	b = appendKey(append(b, ','), "action", d.Action)
	b = appendKey(append(b, ','), "treatment", d.Treatment)
	b = d.Text.appendJSON(append(b, `,"text":`...))
	b = appendKey(append(b, ','), "language", d.Language)
	b = d.appendList(append(b, `,"list":`...))
	b = appendKey(append(b, ','), "cause", d.Cause)
	b = append(b, `,"value":`...)
	if d.Cause == fallback {
		b = append(b, "null"...)
	} else {
		b = sense.AppendMicro(b, d.Value, 6)
	}
	b = append(b, `,"propensity":`...)
	if d.Propensity < 0 {
		b = append(b, "null"...)
	} else {
		b = sense.AppendMicro(b, d.Propensity, 6)
	}
	b = sense.AppendMicro(append(b, `,"probability":`...), d.Probability, 6)
	b = append(b, `,"uses":[`...)
	for k, name := range d.Uses {
		if k > 0 {
			b = append(b, ',')
		}
		b = sense.AppendText(b, name)
	}
	b = append(b, `],"rejected":[`...)
	if mostRejected != 0 {
		d.Explain()
	}
	for k := range d.Rejected {
		if mostRejected >= 0 && k == mostRejected {
			break
		}
		if k > 0 {
			b = append(b, ',')
		}
		b = d.Rejected[k].AppendJSON(b)
	}
	b = appendKey(append(b, `],`...), "policy", d.Policy)
	return append(b, '}')
}

// appendKey appends "key":"text", or null where the text is empty.
func appendKey(b []byte, key, text string) []byte {
	b = append(b, '"')
	b = append(b, key...)
	b = append(b, `":`...)
	if text == "" {
		return append(b, "null"...)
	}
	return sense.AppendText(b, text)
}

// appendJSON appends the text, or the object of a structured treatment with what it has.
func (t *Text) appendJSON(b []byte) []byte {
	switch {
	case t == nil:
		return append(b, "null"...)
	case !t.Structured:
		return sense.AppendText(b, t.Text)
	}
	b = append(b, '{')
	for _, part := range [...]struct{ key, text string }{{"title", t.Title}, {"text", t.Text}, {"image", t.Image}, {"button", t.Button}, {"link", t.Link}} {
		if part.text == "" {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendKey(b, part.key, part.text)
	}
	return append(b, '}')
}

func (d *Decision) appendList(b []byte) []byte {
	if len(d.List) == 0 {
		return append(b, "null"...)
	}
	for k, r := range d.List {
		b = append(b, "[,"[min(k, 1)])
		b = appendKey(append(b, '{'), "action", r.Action)
		b = appendKey(append(b, ','), "treatment", r.Treatment)
		b = r.Text.appendJSON(append(b, `,"text":`...))
		b = sense.AppendMicro(append(b, `,"value":`...), r.Value, 6)
		b = sense.AppendMicro(append(b, `,"propensity":`...), r.Propensity, 6)
		b = sense.AppendMicro(append(b, `,"probability":`...), r.Probability, 6)
		b = append(b, '}')
	}
	return append(b, ']')
}

// AppendJSON appends the candidate with its stage, reason and what decided.
func (r *Rejected) AppendJSON(b []byte) []byte {
	b = appendKey(append(b, '{'), "action", r.Action)
	b = appendKey(append(b, ','), "stage", r.Stage.String())
	b = appendKey(append(b, ','), "reason", r.Reason.String())
	b = append(b, `,"because":[`...)
	for k, x := range r.Because {
		if k == catalog.MostBecause {
			break
		}
		if k > 0 {
			b = append(b, ',')
		}
		b = appendKey(append(b, '{'), "name", x.Name)
		b = x.Value.AppendJSON(append(b, `,"value":`...))
		b = append(b, `,"age":`...)
		if x.Age == catalog.NoAge {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendInt(b, int64(x.Age), 10)
		}
		b = appendKey(append(b, ','), "needed", x.Needed)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// AppendJSON appends the line that takes something down, without its newline.
func (c *Clear) AppendJSON(b []byte) []byte {
	b = appendKey(append(b, '{'), "at", c.At.String())
	b = appendKey(append(b, ','), "clear", c.Decision)
	b = appendKey(append(b, ','), "session", c.Session)
	b = appendKey(append(b, ','), "slot", c.Slot)
	b = appendKey(append(b, ','), "cause", c.Cause)
	return append(b, '}')
}

// AppendJSON appends the reading as a line without its newline.
func (r *Reading) AppendJSON(b []byte) []byte {
	b = appendKey(append(b, '{'), "at", r.At.String())
	b = appendKey(append(b, ','), "signal", r.Signal)
	b = r.Value.AppendJSON(append(b, `,"value":`...))
	return append(b, '}')
}
