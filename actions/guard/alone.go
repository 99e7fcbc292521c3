package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// notAlone (not_alone, bystander_unknown): on a screen that others can see, what is personal is for one pair of eyes.
// Nobody knows who else stands there until the sensors say so.
func notAlone(v *View, c Candidate) Verdict {
	if c.Ambient || v.Slot == nil || !v.Slot.SharedScreen {
		return Verdict{}
	}
	if k := v.Bundle.StateIndex(catalog.StateAlone); k >= 0 && v.State != nil {
		switch truth, because := v.State(int(k)); truth {
		case rule.True:
			return Verdict{}
		case rule.False:
			return v.refuse(catalog.NotAlone, because...)
		default:
			return v.refuse(catalog.BystanderUnknown, because...)
		}
	}
	return v.refuse(catalog.BystanderUnknown, named(catalog.StateAlone))
}
