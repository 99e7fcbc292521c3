package guard

import (
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Legal says whether the candidate has a legal basis now (GDPR art. 6 to 9, 18, 21):
// consent is denied until known, and withdrawal and objection work at once. What
// is ambient uses nothing about anybody and needs none.
//
// Its codes are no_basis, consent_unknown, consent_denied, consent_withdrawn, consent_expired, objected,
// restricted, erased, special_needs_explicit_consent, age_too_low and partner_not_agreed.
func Legal(v *View, c Candidate) Verdict {
	if c.Ambient {
		return Verdict{}
	}
	a := c.Action
	for _, rule := range [...]func(*View, *catalog.Action) Verdict{
		noBasis, noConsent, objected, restricted, erased, notExplicit, tooYoung, partnerNotAgreed,
	} {
		if d := rule(v, a); !d.OK() {
			return d
		}
	}
	return Verdict{}
}

// ByPurpose says whether Legal looks at nothing of an action, where it is not ambient, but its purpose.
func ByPurpose(b *catalog.Bundle, a *catalog.Action) bool {
	return a.Purpose >= 0 && a.Special == "" && len(a.NeedGrants) == 0 && (a.Partner < 0 || len(b.Partners) == 0)
}

// noBasis: nothing personal is done without a purpose, nor for one whose basis the law took away.
func noBasis(v *View, a *catalog.Action) Verdict {
	if a.Purpose < 0 {
		return v.refuse(catalog.NoBasis)
	}
	if d := v.baseless(&v.Bundle.Purposes[a.Purpose]); !d.OK() {
		return d
	}
	for _, need := range a.NeedGrants {
		if d := v.baseless(&v.Bundle.Purposes[need]); !d.OK() {
			return d
		}
	}
	return Verdict{}
}

func (v *View) baseless(p *catalog.Purpose) Verdict {
	if p.Basis == catalog.BasisNone {
		return v.refuse(catalog.NoBasis, named(p.Name))
	}
	return Verdict{}
}

// noConsent: the consent to the action's purpose and to what its signals want; the first code in
// the order of the list is told. That nobody ever asked about what is special has a code of its own.
func noConsent(v *View, a *catalog.Action) Verdict {
	d := Verdict{}
	if p := &v.Bundle.Purposes[a.Purpose]; p.Basis.NeedsGrant() {
		if d = granted(v, p); a.Special != "" && d.Reason == catalog.ConsentUnknown {
			d = Verdict{}
		}
	}
	for _, need := range a.NeedGrants {
		if need == a.Purpose {
			continue
		}
		if one := granted(v, &v.Bundle.Purposes[need]); !one.OK() && (d.OK() || one.Reason < d.Reason) {
			d = one
		}
	}
	return d
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
	if s := v.Words(); s != nil {
		state, _ = s.Consent(p.Name, v.Now)
	}
	switch {
	case state == profile.ConsentGranted && v.Slice != nil:
		return Verdict{}
	case state == profile.ConsentGranted: // a yes without the rest is not known to be the last word
		return v.refuse(catalog.ConsentUnknown, named(p.Name))
	}
	return v.refuse(consentReasons[state], v.said(p.Name))
}

// said names a purpose with what the customer last said to it, and how long ago; no value where she
// was never asked.
func (v *View) said(purpose string) catalog.Because {
	because := named(purpose)
	s := v.Words()
	if s == nil {
		return because
	}
	for k := range s.Consents {
		if c := &s.Consents[k]; c.Purpose == purpose {
			because.Value, because.Age = sense.BoolValue(c.Granted), v.Now.Sub(c.Happened)
		}
	}
	return because
}

// objected: who objects is heard at once, where the purpose rests on somebody else's interest.
func objected(v *View, a *catalog.Action) Verdict {
	s := v.Words()
	if p := &v.Bundle.Purposes[a.Purpose]; s != nil && p.Basis.YieldsToObjection() && s.Objects(p.Name) {
		because := named(p.Name)
		for k := range s.Objections {
			if o := &s.Objections[k]; o.Purpose == p.Name {
				because.Value, because.Age = sense.BoolValue(o.Raised), v.Now.Sub(o.Happened)
			}
		}
		return v.refuse(catalog.Objected, because)
	}
	return Verdict{}
}

// restricted: while a customer's data is restricted, only what protects life or the law demands goes on.
func restricted(v *View, a *catalog.Action) Verdict {
	if s := v.Words(); s != nil && s.Restricted && !v.Bundle.Purposes[a.Purpose].Basis.HoldsUnderRestriction() {
		return v.refuse(catalog.Restricted, catalog.Because{Name: "restrict", Value: sense.BoolValue(true), Age: v.Now.Sub(s.RestrictedAt)})
	}
	return Verdict{}
}

// erased: who asked to be forgotten is nobody here.
func erased(v *View, _ *catalog.Action) Verdict {
	if v.Erased {
		return v.refuse(catalog.Erased, named("forget"))
	}
	return Verdict{}
}

// notExplicit (special_needs_explicit_consent): what is special (health, belief, origin) is used
// with a yes to just that, on record with the words that were agreed to (GDPR art. 9).
func notExplicit(v *View, a *catalog.Action) Verdict {
	if a.Special == "" || explicit(v, &v.Bundle.Purposes[a.Purpose]) {
		return Verdict{}
	}
	return v.refuse(catalog.SpecialNeedsExplicitConsent, catalog.Because{
		Name: v.Bundle.Purposes[a.Purpose].Name, Value: sense.StringValue(a.Special), Age: catalog.NoAge, Needed: "explicit consent"})
}

// explicit says whether a purpose rests on explicit consent that is granted, with a text.
func explicit(v *View, p *catalog.Purpose) bool {
	if p.Basis != catalog.BasisConsent || !p.Explicit || v.Slice == nil {
		return false
	}
	for k := range v.Slice.Consents {
		if c := &v.Slice.Consents[k]; c.Purpose == p.Name {
			state, _ := v.Slice.Consent(p.Name, v.Now)
			return state == profile.ConsentGranted && c.Text != ""
		}
	}
	return false
}

// tooYoung (age_too_low): who is younger than a purpose allows, or may be, cannot agree to it alone.
func tooYoung(v *View, a *catalog.Action) Verdict {
	if d := ageOf(v, a.Purpose); !d.OK() {
		return d
	}
	for _, need := range a.NeedGrants {
		if d := ageOf(v, need); !d.OK() {
			return d
		}
	}
	if a.Partner >= 0 && len(v.Bundle.Partners) > 0 {
		return ageOf(v, v.Bundle.Partners[a.Partner].Consent)
	}
	return Verdict{}
}

// ageOf judges the age that a purpose asks for, by the date of birth that was told. The birthday
// begins with the day in the policy's zone; who was born on 29 February has it on 1 March in other years.
func ageOf(v *View, purpose int32) Verdict {
	p := &v.Bundle.Purposes[purpose]
	if p.LeastAge <= 0 {
		return Verdict{}
	}
	if v.Clock == sense.ClockUnknown {
		return v.byClock(catalog.AgeTooLow, v.leastAge(p))
	}
	because := catalog.Because{Age: catalog.NoAge}
	if p.Born >= 0 && len(v.Bundle.Facts) > 0 {
		because.Name = v.Bundle.Facts[p.Born].Name
	}
	if p.Born < 0 || v.Slice == nil {
		because.Needed = v.leastAge(p)
		return v.refuse(catalog.AgeTooLow, because)
	}
	h := v.Slice.Held(v.Bundle, p.Born, v.Owners, v.Now)
	if !h.Present || !h.Fresh || h.Value.Kind() != sense.Date || h.Provenance != event.Declared && h.Provenance != event.Observed {
		because.Needed = v.leastAge(p)
		return v.refuse(catalog.AgeTooLow, because)
	}
	birthday := anniversary(v.Bundle.Zone, h.Value.Int(), p.LeastAge)
	if v.Now >= birthday {
		return Verdict{}
	}
	because.Needed = v.leastAge(p)
	d := v.refuse(catalog.AgeTooLow, because) // the date itself stays out of the reasons
	d.Until = birthday
	return d
}

// leastAge returns what a purpose needs of an age.
func (v *View) leastAge(p *catalog.Purpose) string {
	return v.Room.Text(">= ", strconv.FormatInt(p.LeastAge, 10))
}

// anniversary returns the start of the day on which somebody born on a day becomes so many years old.
func anniversary(z sense.Zone, born, years int64) sense.Instant {
	t := sense.Instant(born*int64(sense.Day)).Time().AddDate(int(min(years, 1000)), 0, 0) // a 29 February becomes 1 March
	return z.StartOfDay(sense.UTC.Day(sense.InstantOf(t)))
}

// partnerNotAgreed (partner_not_agreed): that somebody else gets something by an action is agreed to apart.
func partnerNotAgreed(v *View, a *catalog.Action) Verdict {
	if a.Partner < 0 || len(v.Bundle.Partners) == 0 {
		return Verdict{}
	}
	p := &v.Bundle.Partners[a.Partner]
	if granted(v, &v.Bundle.Purposes[p.Consent]).OK() {
		return Verdict{}
	}
	return v.refuse(catalog.PartnerNotAgreed, v.said(p.Name))
}

// Granted returns the purposes that hold in this view by consent, or need none, and
// when time alone changes that. Consent counts from the age that its purpose asks for, and what
// must be explicit with the text that was agreed to.
func Granted(v *View) (set catalog.PurposeSet, next sense.Instant) {
	next = sense.Never
	for k := range v.Bundle.Purposes {
		p := &v.Bundle.Purposes[k]
		holds := !p.Basis.NeedsGrant() && p.Basis != catalog.BasisNone
		if p.Basis.NeedsGrant() && v.Slice != nil {
			state, turn := v.Slice.Consent(p.Name, v.Now)
			holds = state == profile.ConsentGranted && (!p.Explicit || explicit(v, p))
			next = min(next, turn)
		}
		if s := v.Words(); holds && s != nil {
			holds = !(p.Basis.YieldsToObjection() && s.Objects(p.Name)) && (!s.Restricted || p.Basis.HoldsUnderRestriction())
		}
		if holds && p.LeastAge > 0 {
			d := ageOf(v, int32(k))
			holds = d.OK()
			if d.Until > v.Now {
				next = min(next, d.Until)
			}
		}
		if holds {
			set |= 1 << uint(k)
		}
	}
	return set, next
}
