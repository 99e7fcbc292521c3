package profile

import (
	"slices"
	"strings"
)

// Update takes in what is new in the hub's copy of the slice: facts and contacts are folded, words on a
// purpose and the restriction take the place of those before, and an interaction that is told again as it
// was is one: here it was told by this device, and comes back.
func (s *Slice) Update(d *Slice) {
	for _, f := range d.Facts {
		s.foldFact(f.Name, f.Owner, append(slices.Clone(f.Claims), f.claim())...)
	}
	for _, c := range d.Consents {
		k, found := slices.BinarySearchFunc(s.Consents, c.Purpose, func(a Consent, p string) int { return strings.Compare(a.Purpose, p) })
		if !found {
			s.Consents = slices.Insert(s.Consents, k, c)
			continue
		}
		s.Consents[k] = c
	}
	for _, o := range d.Objections {
		k, found := slices.BinarySearchFunc(s.Objections, o.Purpose, func(a Objection, p string) int { return strings.Compare(a.Purpose, p) })
		if !found {
			s.Objections = slices.Insert(s.Objections, k, o)
			continue
		}
		s.Objections[k] = o
	}
	s.Restricted, s.RestrictedAt = d.Restricted, d.RestrictedAt
	for _, i := range d.Interactions {
		if !s.Has(i) {
			s.foldInteraction(i)
		}
	}
	s.MergeExposures(d.Exposures)
}

// Has says whether an interaction is here, the same in all that is told of it.
func (s *Slice) Has(i Interaction) bool {
	k, _ := slices.BinarySearchFunc(s.Interactions, i, orderInteractions)
	for ; k < len(s.Interactions) && orderInteractions(s.Interactions[k], i) == 0; k++ {
		o := &s.Interactions[k]
		if o.Channel == i.Channel && o.Due == i.Due && o.Source == i.Source && o.Value.Equal(i.Value) {
			return true
		}
	}
	return false
}
