package engine

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// fit fills the candidate's text in the language; where it cannot, it leaves the reason of the
// stage treatment, which is told only if the candidate would have won.
func (m *Mind) fit(s *session, v *guard.View, c *candidate, language string) bool {
	if c.treatment == nil {
		c.reason = catalog.NoTreatmentForSlot
		return false
	}
	k := slices.Index(m.bundle.Languages, language)
	t := c.treatment
	out := &Text{Structured: t.Structured, Image: t.Image, Link: t.Link}
	for _, part := range [...]struct {
		of   []catalog.Rendered
		into *string
		must bool
	}{{t.Text, &out.Text, !t.Structured}, {t.Title, &out.Title, false}, {t.Button, &out.Button, false}} {
		if len(part.of) == 0 && !part.must {
			continue
		}
		if k < 0 || k >= len(part.of) || len(part.of[k]) == 0 {
			c.reason = catalog.NoTreatmentForLanguage
			c.because = []catalog.Because{{Name: "language", Value: sense.StringValue(language), Age: catalog.NoAge}}
			return false
		}
		text, missing := m.render(s, v, part.of[k])
		if missing != "" {
			c.reason = catalog.PlaceholderUnknown
			c.because = []catalog.Because{{Name: missing, Age: catalog.NoAge}}
			return false
		}
		*part.into = text
	}
	c.text = out
	return true
}

// render fills the placeholders of a text; missing names the first that is not known.
func (m *Mind) render(s *session, v *guard.View, parts catalog.Rendered) (text, missing string) {
	var b strings.Builder
	for _, p := range parts {
		if p.Name == "" {
			b.WriteString(p.Literal)
			continue
		}
		value, ok := m.placeholder(s, v, p)
		if !ok {
			return "", p.Name
		}
		if value.Kind() == sense.String {
			b.WriteString(value.Str())
		} else {
			b.WriteString(strings.Trim(value.String(), `"`))
		}
	}
	return b.String(), ""
}

func (m *Mind) placeholder(s *session, v *guard.View, p catalog.Part) (sense.Value, bool) {
	switch {
	case p.Fact >= 0:
		if v.Slice == nil {
			return sense.Value{}, false
		}
		h := v.Slice.Held(m.bundle, p.Fact, s.owners, m.now)
		spoken := h.Provenance == event.Declared || h.Provenance == event.Observed
		return h.Value, h.Present && h.Fresh && spoken
	case p.Input >= 0:
		r := m.moment.Input(s.name, p.Input)
		return r.Value, r.Cause == rule.Known
	}
	return sense.Value{}, false
}
