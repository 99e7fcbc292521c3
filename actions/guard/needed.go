package guard

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// notNeeded (not_needed): only what is needed for what she asked for is asked (GDPR art. 5: data
// minimisation). Who wants a brochure by mail is asked for an address, not for a telephone.
func notNeeded(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Intent != catalog.Question {
		return Verdict{}
	}
	if k := confirmsFact(v.Bundle, a); k >= 0 && v.Slice != nil && !v.Slice.Held(v.Bundle, k, v.Owners, v.Now).Present {
		return v.refuse(catalog.NotNeeded, named(v.Bundle.Facts[k].Name)) // there is nothing to confirm
	}
	var served *catalog.Action
	if a.Serves >= 0 && int(a.Serves) < len(v.Bundle.Actions) {
		served = &v.Bundle.Actions[a.Serves]
	}
	if k := asksFact(a); served != nil && k >= 0 && !needs(served, k, v.Delivery) {
		because := named(v.Bundle.Facts[k].Name)
		because.Needed = v.Room.Text("needed for ", served.Name)
		if v.Delivery != "" {
			because.Needed = v.Room.Text(because.Needed, " by ", v.Delivery)
		}
		return v.refuse(catalog.NotNeeded, because)
	}
	if v.Asked && (v.AskIntent == catalog.Information || v.AskIntent == catalog.Service) && (served == nil || !v.wants(served)) {
		because := catalog.Because{Name: "intent", Value: sense.StringValue(v.AskIntent.String()), Age: catalog.NoAge}
		if v.AskAbout != "" {
			because = catalog.Because{Name: "about", Value: sense.StringValue(string(v.AskAbout)), Age: catalog.NoAge}
		}
		return v.refuse(catalog.NotNeeded, because)
	}
	return Verdict{}
}

// needs says whether an action wants a fact in order to be delivered in a way (in any, where none is
// named), or to be judged at all. Where it says nothing of what it needs, its author wants the answer.
func needs(a *catalog.Action, fact int32, delivery string) bool {
	if len(a.Needs) == 0 || slices.Contains(a.Reads, fact) {
		return true
	}
	for _, n := range a.Needs {
		if (delivery == "" || n.Delivery == "" || n.Delivery == delivery) && slices.Contains(n.Facts, fact) {
			return true
		}
	}
	return false
}

// wants says whether an action has to do with what the customer asks for: by its subject where both
// have one, else by its intent.
func (v *View) wants(a *catalog.Action) bool {
	if v.AskAbout != "" && a.About != "" {
		return v.AskAbout.Touches(a.About)
	}
	return servesGoal(v.AskIntent, a.Intent)
}
