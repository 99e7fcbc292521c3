package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Legal says whether the candidate has a legal basis now (GDPR art. 6, 7, 18, 21):
// consent is denied until known, and withdrawal and objection work at once. What
// is ambient uses nothing about anybody and needs none.
func Legal(v *View, c Candidate) Verdict {
	if c.Ambient {
		return Verdict{}
	}
	a := c.Action
	if a.Purpose < 0 {
		return refuse(catalog.NoBasis)
	}
	p := &v.Bundle.Purposes[a.Purpose]
	if p.Basis.NeedsGrant() {
		if d := granted(v, p); !d.OK() {
			return d
		}
	}
	for _, need := range a.NeedGrants {
		if d := granted(v, &v.Bundle.Purposes[need]); !d.OK() {
			return d
		}
	}
	if v.Slice != nil && p.Basis.YieldsToObjection() && v.Slice.Objects(p.Name) {
		return refuse(catalog.Objected, named(p.Name))
	}
	if v.Slice != nil && v.Slice.Restricted && !p.Basis.HoldsUnderRestriction() {
		return refuse(catalog.Restricted)
	}
	if v.Erased {
		return refuse(catalog.Erased)
	}
	return Verdict{}
}

var consentReasons = [...]catalog.Reason{
	profile.ConsentUnknown:   catalog.ConsentUnknown,
	profile.ConsentGranted:   catalog.NoReason,
	profile.ConsentDenied:    catalog.ConsentDenied,
	profile.ConsentWithdrawn: catalog.ConsentWithdrawn,
	profile.ConsentExpired:   catalog.ConsentExpired,
}

func granted(v *View, p *catalog.Purpose) Verdict {
	state := profile.ConsentUnknown
	if v.Slice != nil {
		state, _ = v.Slice.Consent(p.Name, v.Now)
	}
	if state == profile.ConsentGranted {
		return Verdict{}
	}
	return refuse(consentReasons[state], named(p.Name))
}

// Granted returns the purposes that hold in this view by consent, or need none, and
// when time alone changes that.
func Granted(v *View) (set catalog.PurposeSet, next sense.Instant) {
	next = sense.Never
	for k := range v.Bundle.Purposes {
		p := &v.Bundle.Purposes[k]
		holds := !p.Basis.NeedsGrant()
		if !holds && v.Slice != nil {
			state, turn := v.Slice.Consent(p.Name, v.Now)
			holds = state == profile.ConsentGranted
			next = min(next, turn)
		}
		if holds {
			set |= 1 << uint(k)
		}
	}
	return set, next
}
