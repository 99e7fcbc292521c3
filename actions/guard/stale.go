package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// staleProfile (stale_profile): the device may not know yet what happened elsewhere, a complaint or a
// purchase; past the age that the policy allows it does not act as if it did. An ambient
// action of that intent is held as well: the complaint that it might not know of holds it too.
//
// While the slice of an identified customer is awaited nothing is known of her history, so what the
// history of a customer can hold back is held back: sales, entertainment and questions, and where
// the policy lets customers sleep, whatever is unasked. A slice whose lease ran out has a code of its own.
func staleProfile(v *View, c Candidate) Verdict {
	if v.Presence == Nobody || v.Presence == Awaited && v.LeaseEnded {
		return Verdict{}
	}
	if m, ok := mostStale(v, c.Action); ok && (v.Presence == Awaited || v.ProfileAge > m) {
		because := catalog.Because{Name: "profile", Age: v.ProfileAge, Needed: v.Room.Age("age <= ", m)}
		if v.Presence == Awaited {
			because.Age = catalog.NoAge // there is none yet
		}
		return v.refuse(catalog.StaleProfile, because)
	}
	if v.Presence == Awaited && !c.Ambient && restsOnHistory(v, c.Action) {
		return v.refuse(catalog.StaleProfile, catalog.Because{Name: "profile", Age: catalog.NoAge})
	}
	return Verdict{}
}

// mostStale returns how old the profile may be for such an action, where the policy says so.
func mostStale(v *View, a *catalog.Action) (sense.Duration, bool) {
	for _, m := range v.Bundle.Contact.MaxStale {
		if m.Intent == a.Intent {
			return m.After, true
		}
	}
	return 0, false
}

// restsOnHistory says whether what is not known of a customer could hold an action back.
func restsOnHistory(v *View, a *catalog.Action) bool {
	switch a.Intent {
	case catalog.Sales, catalog.Entertainment, catalog.Question:
		return true
	}
	return !v.Asked && v.Bundle.Sleeping > 0 && v.Bundle.Sleeping != sense.Forever && !awake(a)
}

// leaseEnded (lease_ended): the slice was lent for a time, and that time is over. What is ambient goes
// on, but for an intent of which the policy bounds how old the profile may be: now there is none at all.
func leaseEnded(v *View, c Candidate) Verdict {
	if v.Presence != Awaited || !v.LeaseEnded {
		return Verdict{}
	}
	_, bounded := mostStale(v, c.Action)
	if bounded || !c.Ambient && c.Action.Intent != catalog.Safety {
		return v.refuse(catalog.LeaseEnded, named("lease"))
	}
	return Verdict{}
}
