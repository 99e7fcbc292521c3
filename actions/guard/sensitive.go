package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// sensitiveSubject: what an action is about can betray somebody as well as the facts it
// reads. It needs explicit consent, or that she asked for it herself.
func sensitiveSubject(v *View, c Candidate) Verdict {
	a := c.Action
	if a.About == "" {
		return Verdict{}
	}
	for k := range v.Bundle.Subjects {
		s := &v.Bundle.Subjects[k]
		if s.Sensitive == "" || s.Name != subjectID(a.About) {
			continue
		}
		if v.Asked && v.AskAbout.Touches(a.About) || explicitly(v, a) {
			return Verdict{}
		}
		return refuse(catalog.SensitiveSubject, catalog.Because{Name: string(a.About), Value: sense.StringValue(s.Sensitive), Age: catalog.NoAge})
	}
	return Verdict{}
}

// explicitly says whether the action's purpose rests on explicit consent that is granted; never
// on a shared identity or screen.
func explicitly(v *View, a *catalog.Action) bool {
	if a.Purpose < 0 || v.Slice == nil || v.Shared || v.Slot != nil && v.Slot.SharedScreen {
		return false
	}
	p := &v.Bundle.Purposes[a.Purpose]
	state, _ := v.Slice.Consent(p.Name, v.Now)
	return p.Explicit && state == profile.ConsentGranted
}
