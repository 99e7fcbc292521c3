package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Recognise is the purpose under which a customer chose to be recognised in the shop.
const Recognise = "recognise"

// passiveSighting (passive_sighting): somebody who was only seen, by a beacon or a camera, did nothing to be
// spoken to by name; only her own choice to be recognised makes that welcome.
func passiveSighting(v *View, c Candidate) Verdict {
	if c.Ambient || v.By != event.ByPassive {
		return Verdict{}
	}
	if v.Slice != nil {
		if state, _ := v.Slice.Consent(Recognise, v.Now); state == profile.ConsentGranted {
			return Verdict{}
		}
	}
	return v.refuse(catalog.PassiveSighting, catalog.Because{Name: "identify", Value: sense.StringValue("passive"), Age: catalog.NoAge})
}

// unaskedWithoutOptIn (unasked_without_opt_in): where a purpose wants it (`unasked: separate_consent`), being
// approached unasked needs a yes of its own.
func unaskedWithoutOptIn(v *View, c Candidate) Verdict {
	if c.Ambient || v.Asked || c.Action.Purpose < 0 {
		return Verdict{}
	}
	unasked := v.Bundle.Purposes[c.Action.Purpose].Unasked
	if unasked < 0 {
		return Verdict{}
	}
	if p := &v.Bundle.Purposes[unasked]; !granted(v, p).OK() {
		return v.refuse(catalog.UnaskedWithoutOptIn, v.said(p.Name))
	}
	return Verdict{}
}

// weakIdentity (weak_identity): what is personal waits for an identification as strong as the slot or the action
// asks; words for one person want somebody, but a warning is for whoever is there.
func weakIdentity(v *View, c Candidate) Verdict {
	if c.Ambient {
		return Verdict{}
	}
	if c.Personal && v.Presence == Nobody && c.Action.Intent != catalog.Safety {
		return v.refuse(catalog.WeakIdentity, catalog.Because{Name: "identify", Age: catalog.NoAge, Needed: "somebody"})
	}
	least := c.Action.LeastID
	if v.Slot != nil && v.Slot.LeastIdentity > least {
		least = v.Slot.LeastIdentity
	}
	if v.By >= least {
		return Verdict{}
	}
	because := named("identify")
	if v.By != event.ByNobody {
		because.Value = sense.StringValue(v.By.String())
	}
	because.Needed = v.Room.Text("at least ", least.String())
	return v.refuse(catalog.WeakIdentity, because)
}

// sharedIdentity (shared_identity): a card that a household shares says nothing about who stands
// here, so nothing personal is said on it, but what its author made for all of them: that may be neither
// special nor sensitive.
func sharedIdentity(v *View, c Candidate) Verdict {
	a := c.Action
	if c.Ambient || !v.Shared || a.Household && a.Special == "" && v.Bundle.Sensitivity(a.About) == "" {
		return Verdict{}
	}
	return v.refuse(catalog.SharedIdentity, catalog.Because{Name: "identify", Value: sense.StringValue("shared"), Age: catalog.NoAge})
}
