package profile

import (
	"slices"
	"strings"
)

// Update takes in what is new in the hub's copy of the slice: contacts are folded, a fact's claims take the place of those of the
// same source (that it was taken back stands beside what was said; when two who were one are parted again, the word that
// holds is an older one), words on a purpose and the restriction take the place of those before, and an interaction that is told again as it
// was is one: here it was told by this device, and comes back.
func (s *Slice) Update(d *Slice) {
	for _, f := range d.Facts {
		told := append(slices.Clone(f.Claims), f.claim())
		s.dropClaims(f.Name, f.Owner, told)
		s.foldFact(f.Name, f.Owner, told...)
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

// dropClaims drops the claims in whose place others come.
func (s *Slice) dropClaims(name, owner string, told []Claim) {
	k := slices.IndexFunc(s.Facts, func(f Fact) bool { return f.Name == name && f.Owner == owner })
	if k < 0 {
		return
	}
	f := &s.Facts[k]
	kept := slices.DeleteFunc(append(slices.Clone(f.Claims), f.claim()), func(c Claim) bool {
		return slices.ContainsFunc(told, func(t Claim) bool {
			return t.Source == c.Source && t.strong() == c.strong() && t.Value.IsNull() == c.Value.IsNull()
		})
	})
	if len(kept) == 0 {
		s.Facts = slices.Delete(s.Facts, k, k+1)
		return
	}
	f.Claims = nil
	f.tell(kept...)
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
