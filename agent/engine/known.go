package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Known is what is known of the one before a session, for her own eyes. It shares nothing with the mind.
type Known struct {
	Customer string
	Aliases  []string // other ids under which she was identified
	By       event.By
	Language string // in which what follows is told
	Here     bool
	Until    sense.Instant
	Slice    profile.Slice
	Facts    []Holding // what is held of Slice.Facts, in the same order
	Said     []Holding // the same of Slice.Interactions
	Purposes []Purpose // for which the policy holds something at all, in its order
	Derived  []Holding // what is derived of her now, in order of name
	Signals  []string  // sensors that are read now
	Read     []Holding // the same with why and since when
}

// Holding says of one thing that is known or read what it is for.
type Holding struct {
	Name    string
	Value   sense.Value   // of a derived value
	Why     string        // in the language of the session, as the policy's author wrote it
	For     []string      // names of the purposes
	Formula string        // of a derived value
	Leaves  bool          // it may leave the device
	Until   sense.Instant // a fact or interaction: when it is let go at the latest; Never where the policy says ever, 0 where it declares no such thing
	Since   sense.Instant // a fact: when it happened; a sensor: since when it is read; a derived value: when it left last. 0 where never
}

// Purpose is one for which something is held, told to a customer.
type Purpose struct {
	Name  string
	For   string // in words
	Basis string // in law
	May   bool   // what is held for it may be used now
}

// Known returns what is known in a session; false where there is no such session.
func (m *Mind) Known(name string) (Known, bool) {
	s := m.open(name)
	if s == nil {
		return Known{}, false
	}
	k := Known{By: s.by, Signals: slices.Clone(m.signals)}
	c := s.customer
	if c != nil {
		k.Customer, k.Here, k.Until, k.Slice = c.Customer, c.here(m.now), c.Until, copyOf(&c.Slice)
		k.Aliases = slices.Clone(c.Aliases)
	}
	if m.bundle == nil {
		return k, true
	}
	k.Language = m.language(s.language, &guard.View{Slice: &k.Slice})
	language := max(0, slices.Index(m.bundle.Languages, k.Language))
	may := catalog.PurposeSet(0)
	if c != nil {
		may = m.permitted(c)
	}
	for n := range m.bundle.Purposes {
		p := &m.bundle.Purposes[n]
		k.Purposes = append(k.Purposes, Purpose{Name: p.Name, For: wordIn(p.For, language), Basis: p.Basis.String(), May: may.Has(int32(n))})
	}
	for _, f := range k.Slice.Facts {
		h := Holding{Name: f.Name, Since: f.Happened}
		if d := m.bundle.Fact(f.Name); d != nil {
			h.Why, h.For, h.Leaves, h.Until = wordIn(d.Why, language), m.purposeNames(d.Purposes), d.Leaves, f.Happened.Add(d.Keep)
		}
		k.Facts = append(k.Facts, h)
	}
	for _, i := range k.Slice.Interactions {
		h := Holding{Name: i.Kind, Since: i.Happened}
		if d := m.bundle.Kind(i.Kind); d != nil {
			h.For, h.Until = m.purposeNames(d.Purposes), i.Happened.Add(d.Keep)
		}
		k.Said = append(k.Said, h)
	}
	for n := range m.bundle.Signals {
		if d := &m.bundle.Signals[n]; slices.Contains(k.Signals, d.Name) {
			k.Read = append(k.Read, Holding{Name: d.Name, Why: wordIn(d.Why, language), For: m.purposeNames(d.Purposes), Leaves: d.Leaves, Since: m.readSince[d.Name]})
		}
	}
	for n := range m.bundle.Derived {
		d := &m.bundle.Derived[n]
		if r := m.moment.Derived(s.name, n); d.Personal && r.Cause == rule.Known {
			h := Holding{Name: d.Name, Value: r.Value, Why: wordIn(d.Why, language), For: m.purposeNames(d.Purposes), Formula: d.Formula, Leaves: d.Leaves}
			if c != nil {
				for _, t := range c.Told {
					if t.Name == d.Name {
						h.Since = t.At
					}
				}
			}
			k.Derived = append(k.Derived, h)
		}
	}
	return k, true
}

// copyOf returns a slice that shares nothing that the mind changes.
func copyOf(s *profile.Slice) profile.Slice {
	c := *s
	c.Facts, c.Consents, c.Objections = slices.Clone(s.Facts), slices.Clone(s.Consents), slices.Clone(s.Objections)
	c.Interactions, c.Exposures, c.Owned = slices.Clone(s.Interactions), slices.Clone(s.Exposures), nil
	for k := range c.Facts {
		c.Facts[k].Claims = slices.Clone(c.Facts[k].Claims)
	}
	c.Folded = slices.Clone(s.Folded)
	for k := range c.Exposures {
		c.Exposures[k].Outcomes = slices.Clone(c.Exposures[k].Outcomes)
	}
	return c
}

// wordIn returns a text in a language, in the policy's first where it has none in that one.
func wordIn(t catalog.Text, language int) string {
	if language < len(t) && t[language] != "" {
		return t[language]
	}
	if len(t) > 0 {
		return t[0]
	}
	return ""
}

func (m *Mind) purposeNames(set catalog.PurposeSet) (names []string) {
	for k := range m.bundle.Purposes {
		if set.Has(int32(k)) {
			names = append(names, m.bundle.Purposes[k].Name)
		}
	}
	return names
}
