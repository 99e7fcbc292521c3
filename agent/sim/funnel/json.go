package funnel

import (
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// AppendJSON appends the funnel as one object without a line end: decision (the
// contract's line), stages, worth and inputs; nothing is left out, null where there is none.
func (f *Funnel) AppendJSON(b []byte) []byte {
	b = f.Decision.AppendJSON(append(b, `{"decision":`...), -1)
	b = append(b, `,"stages":[`...)
	for k := range f.Stages {
		s := &f.Stages[k]
		if k > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"stage":"`...), s.Stage.String()...), `","entered":`...)
		b = strconv.AppendInt(b, int64(s.Entered), 10)
		b = strconv.AppendInt(append(b, `,"fell":`...), int64(len(s.Fallen)), 10)
		b = append(b, `,"candidates":[`...)
		for n := range s.Fallen {
			if n > 0 {
				b = append(b, ',')
			}
			b = s.Fallen[n].AppendJSON(b)
		}
		b = append(b, "]}"...)
	}
	b = append(b, `],"worth":`...)
	b = appendWorth(b, f.Worth)
	b = append(b, `,"inputs":[`...)
	for k := range f.Inputs {
		if k > 0 {
			b = append(b, ',')
		}
		b = f.Inputs[k].appendJSON(b)
	}
	b = appendAnswer(append(b, `],"why_not":`...), f.WhyNot)
	b = appendAnswer(append(b, `,"smallest":`...), f.Smallest)
	return append(b, '}')
}

// appendAnswer appends what would have had to be different, null where nobody asked or nothing would do.
func appendAnswer(b []byte, a *engine.Answer) []byte {
	if a == nil {
		return append(b, "null"...)
	}
	b = sense.AppendText(append(b, `{"action":`...), a.Action)
	b = append(b, `,"never":`...)
	if a.Never != catalog.NoReason {
		return append(sense.AppendText(b, a.Never.String()), `,"value":null,"changes":[]}`...)
	}
	b = sense.AppendMicro(append(b, `null,"value":`...), a.Value, 6)
	b = append(b, `,"changes":[`...)
	for k := range a.Changes {
		c := &a.Changes[k]
		if k > 0 {
			b = append(b, ',')
		}
		b = sense.AppendText(append(b, `{"stage":`...), c.Stage.String())
		b = sense.AppendText(append(b, `,"reason":`...), c.Reason.String())
		b = sense.AppendText(append(b, `,"needed":`...), c.Needed)
		b = sense.AppendText(append(b, `,"name":`...), c.Name)
		b = c.Value.AppendJSON(append(b, `,"value":`...))
		b = sense.AppendMicro(append(b, `,"money":`...), c.Money, 6)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func appendWorth(b []byte, w *engine.Worth) []byte {
	if w == nil {
		return append(b, "null"...)
	}
	for k, p := range []struct {
		key string
		n   catalog.Micro
	}{{"value", w.Value}, {"propensity", w.Propensity}, {"lever", w.Lever}, {"group_lever", w.GroupLever}, {"bother", w.Bother}, {"elsewhere", w.Elsewhere}, {"expected", w.Expected}} {
		b = append(b, "{,"[min(k, 1)])
		b = append(append(append(b, '"'), p.key...), `":`...)
		b = sense.AppendMicro(b, p.n, 6)
	}
	b = append(b, `,"weights":[`...)
	for k, x := range w.Weights {
		if k > 0 {
			b = append(b, ',')
		}
		b = sense.AppendText(append(b, `{"when":`...), x.When)
		b = append(sense.AppendMicro(append(b, `,"factor":`...), x.Factor, 6), '}')
	}
	return append(strconv.AppendBool(append(b, `],"mandatory":`...), w.Mandatory), '}')
}

func (in *Input) appendJSON(b []byte) []byte {
	b = sense.AppendText(append(b, `{"name":`...), in.Name)
	if !in.Known {
		return append(b, `,"what":null,"value":null,"age":null,"why":null,"provenance":null,"source":null,"happened":null}`...)
	}
	b = sense.AppendText(append(b, `,"what":`...), in.What)
	b = in.Value.AppendJSON(append(b, `,"value":`...))
	b = append(b, `,"age":`...)
	if in.Age == catalog.NoAge {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(in.Age), 10)
	}
	b = append(b, `,"why":`...)
	if in.Why == catalog.NoReason {
		b = append(b, "null"...)
	} else {
		b = sense.AppendText(b, in.Why.String())
	}
	o := in.Origin
	if o == nil {
		return append(b, `,"provenance":null,"source":null,"happened":null}`...)
	}
	b = sense.AppendText(append(b, `,"provenance":`...), o.Provenance.String())
	b = append(b, `,"source":`...)
	if o.Source == "" {
		b = append(b, "null"...)
	} else {
		b = sense.AppendText(b, o.Source)
	}
	return append(sense.AppendText(append(b, `,"happened":`...), o.Happened.String()), '}')
}
