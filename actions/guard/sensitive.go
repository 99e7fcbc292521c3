package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// sensitiveSubject (sensitive_subject): what an action is about can betray somebody as well as the facts
// it reads. It needs an interest that she declared, or explicit consent, and neither on a shared identity
// or screen; or that she asked for it herself.
func sensitiveSubject(v *View, c Candidate) Verdict {
	a := c.Action
	what := v.Bundle.Sensitivity(a.About)
	if what == "" || v.askedFor(a) {
		return Verdict{}
	}
	private := !v.Shared && (v.Slot == nil || !v.Slot.SharedScreen)
	if private && (a.Purpose >= 0 && explicit(v, &v.Bundle.Purposes[a.Purpose]) || interested(v, a)) {
		return Verdict{}
	}
	return v.refuse(catalog.SensitiveSubject, catalog.Because{Name: string(a.About), Value: sense.StringValue(what), Age: catalog.NoAge})
}

// interested says whether the customer declared the subject of an action, or a kind of it, among what she wants.
func interested(v *View, a *catalog.Action) (yes bool) {
	for k := range v.Bundle.Facts {
		h, ok := preference(v, int32(k))
		if !ok {
			continue
		}
		v.Bundle.Lineage(a.About, func(name string) bool {
			yes = yes || holds(h.Value, name)
			return !yes
		})
	}
	return yes
}
