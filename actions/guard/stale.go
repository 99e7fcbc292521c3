package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
)

// staleProfile: the device may not know yet what happened elsewhere, a complaint or a
// purchase; past the age that the policy allows it does not act as if it did. An ambient
// action of that intent is held as well: the complaint that it might not know of holds it too.
func staleProfile(v *View, c Candidate) Verdict {
	if v.Presence == Nobody {
		return Verdict{}
	}
	for _, m := range v.Bundle.Contact.MaxStale {
		if m.Intent != c.Action.Intent || v.Presence == Here && v.ProfileAge <= m.After {
			continue
		}
		return refuse(catalog.StaleProfile, catalog.Because{Name: "profile", Age: v.ProfileAge, Needed: "age <= " + m.After.String()})
	}
	if v.Presence == Awaited && !v.LeaseEnded && !c.Ambient && c.Action.Intent == catalog.Sales {
		return refuse(catalog.StaleProfile, catalog.Because{Name: "profile", Age: catalog.NoAge})
	}
	return Verdict{}
}

// leaseEnded: the slice was lent for a time, and that time is over.
func leaseEnded(v *View, c Candidate) Verdict {
	if v.Presence == Awaited && v.LeaseEnded && !c.Ambient && c.Action.Intent != catalog.Safety {
		return refuse(catalog.LeaseEnded, named("lease"))
	}
	return Verdict{}
}
