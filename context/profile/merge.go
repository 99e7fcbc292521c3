package profile

import (
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// Merge takes in the slice of an id that turned out to be the same person: the facts
// are those of both, the stricter consent (withdrawn and denied over granted, granted over
// unknown), objections and every answer of never stay, exposures add up.
func (s *Slice) Merge(from *Slice) {
	for _, f := range from.Facts {
		s.foldFact(f.Name, f.Owner, append(slices.Clone(f.Claims), f.claim())...)
	}
	for _, c := range from.Consents {
		s.mergeConsent(c)
	}
	for _, o := range from.Objections {
		if !o.Raised && s.Objects(o.Purpose) {
			continue // taken back under one id only
		}
		if o.Raised {
			o.Happened = max(o.Happened, s.objectedAt(o.Purpose))
		}
		s.foldObjection(o)
	}
	if from.Restricted {
		s.Restricted, s.RestrictedAt = true, max(s.RestrictedAt, from.RestrictedAt)
	}
	for _, i := range from.Interactions {
		s.foldInteraction(i)
	}
	for _, x := range from.Exposures {
		s.mergeExposure(x)
	}
	for _, f := range from.Folded {
		s.addFolded(f)
	}
}

func (s *Slice) objectedAt(purpose string) (at sense.Instant) {
	for _, o := range s.Objections {
		if o.Purpose == purpose {
			return o.Happened
		}
	}
	return 0
}

func (s *Slice) mergeConsent(c Consent) {
	for k := range s.Consents {
		old := &s.Consents[k]
		if old.Purpose != c.Purpose {
			continue
		}
		ever := old.Ever || c.Ever
		if old.Granted && (!c.Granted || c.Expires < old.Expires) {
			*old = c
		}
		old.Ever = ever
		return
	}
	s.foldConsent(c)
}
