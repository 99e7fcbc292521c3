package engine

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// fit fills the candidate's text in the language; where it cannot, it leaves the reason of the
// stage treatment, which is told only if the candidate would have won.
func (m *Mind) fit(at *setting, c *candidate) bool {
	if c.treatment == nil {
		c.reason = catalog.NoTreatmentForSlot
		return false
	}
	t, a, k, v := c.treatment, &m.bundle.Actions[c.action], at.spoken, at.v
	words, more := wording(a, t, c.again)
	out := at.of.text()
	out.Structured, out.Image, out.Link = t.Structured, t.Image, t.Link
	for _, part := range [...]struct {
		of   []catalog.Rendered
		into *string
		must bool
	}{{words, &out.Text, !t.Structured || c.again}, {t.Title, &out.Title, false}, {t.Button, &out.Button, false}} {
		if len(part.of) == 0 && !part.must {
			continue
		}
		if !has(part.of, k) {
			c.reason = catalog.NoTreatmentForLanguage
			c.because = v.Room.Because(catalog.Because{Name: "language", Value: sense.StringValue(at.language), Age: catalog.NoAge})
			return false
		}
		if !m.fillIn(at, c, part.of[k], part.into) {
			return false
		}
	}
	for _, also := range more {
		if has(also, k) && !m.join(at, c, &out.Text, also[k], false) {
			return false
		}
	}
	if p := a.Price; p != nil && c.price != p.Normal && has(p.Disclose, k) && !m.join(at, c, &out.Text, p.Disclose[k], true) {
		return false
	}
	if most, n := v.Slot.MaxText, int64(utf8.RuneCountInString(out.Text)); most > 0 && n > most {
		c.reason = catalog.TextTooLong
		c.because = v.Room.Because(catalog.Because{Name: "max_text", Value: sense.IntValue(n), Age: catalog.NoAge, Needed: v.Room.Text("<= ", strconv.FormatInt(most, 10))})
		return false
	}
	c.text = out
	return true
}

// has says whether there is a text in language k.
func has(texts []catalog.Rendered, k int) bool { return k >= 0 && k < len(texts) && len(texts[k]) > 0 }

// fillIn renders one part of the candidate's text; where a placeholder is not known it leaves the reason.
func (m *Mind) fillIn(at *setting, c *candidate, parts catalog.Rendered, into *string) bool {
	line, missing := m.render(at, c, m.line[:0], parts)
	if missing != "" {
		c.reason = catalog.PlaceholderUnknown
		c.because = at.v.Room.Because(catalog.Because{Name: missing, Age: catalog.NoAge})
		return false
	}
	*into = m.cut(line)
	return true
}

// join puts a sentence before or behind a text.
func (m *Mind) join(at *setting, c *candidate, text *string, parts catalog.Rendered, before bool) bool {
	one := ""
	if !m.fillIn(at, c, parts, &one) {
		return false
	}
	switch {
	case *text == "":
		*text = one
	case before:
		*text = m.cut(append(append(append(m.line[:0], one...), ' '), *text...))
	default:
		*text = m.cut(append(append(append(m.line[:0], *text...), ' '), one...))
	}
	return true
}

// render appends a text with its placeholders filled; missing names the first that is not known.
func (m *Mind) render(at *setting, c *candidate, line []byte, parts catalog.Rendered) (text []byte, missing string) {
	for _, p := range parts {
		if p.Name == "" {
			line = append(line, p.Literal...)
			continue
		}
		if p.Of != catalog.PartOfNothing {
			said, ok := m.appendPriced(line, c, p.Of)
			if !ok {
				return line, p.Name
			}
			line = said
			continue
		}
		value, ok := m.placeholder(at, c, p)
		if !ok {
			return line, p.Name
		}
		if value.Kind() == sense.String {
			line = append(line, value.Str()...)
			continue
		}
		n := len(line)
		line = value.AppendJSON(line)
		line = append(line[:n], bytes.Trim(line[n:], `"`)...)
	}
	return line, ""
}

func (m *Mind) placeholder(at *setting, c *candidate, p catalog.Part) (sense.Value, bool) {
	switch {
	case p.Fact >= 0:
		if at.v.Slice == nil {
			return sense.Value{}, false
		}
		h := at.v.Slice.Held(m.bundle, p.Fact, at.s.owners, m.now)
		spoken := h.Fresh && (h.Provenance == event.Declared || h.Provenance == event.Observed)
		// Whether it is still so, or was guessed right, is asked in its own words; what others told is never spoken.
		asked := m.bundle.Actions[c.action].Confirms == p.Fact && h.Provenance != event.ThirdParty
		return h.Value, h.Present && (spoken || asked)
	case p.Input >= 0:
		r := m.moment.Input(at.s.name, p.Input)
		return r.Value, r.Cause == rule.Known
	case p.Derived >= 0:
		r := m.moment.Derived(at.s.name, int(p.Derived))
		return r.Value, r.Cause == rule.Known
	}
	return sense.Value{}, false
}

// appendPriced appends what a text says of the candidate's price; false where there is nothing to say.
func (m *Mind) appendPriced(line []byte, c *candidate, of catalog.PartOf) ([]byte, bool) {
	price := m.bundle.Actions[c.action].Price
	if price == nil {
		return line, false
	}
	switch of {
	case catalog.PartPrice:
		return appendAmount(line, c.price), true
	case catalog.PartPriceNormal:
		return appendAmount(line, price.Normal), true
	case catalog.PartPricePercent:
		return appendPercent(line, c.price, price.Normal)
	}
	return line, false
}
