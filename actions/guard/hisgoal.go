package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// hisGoalFirst (his_goal_first): a customer who came for help or an answer gets that first, and one
// who came to be entertained is not sold to. Until it is answered, nothing is sold unasked either.
func hisGoalFirst(v *View, c Candidate) Verdict {
	a := c.Action
	intent := a.Intent
	if intent == catalog.Question {
		if intent = 0; a.Serves >= 0 && int(a.Serves) < len(v.Bundle.Actions) {
			intent = v.Bundle.Actions[a.Serves].Intent
		}
	}
	switch v.AskIntent {
	case catalog.Service, catalog.Information, catalog.Recovery, catalog.Handoff, catalog.Safety:
		if !servesGoal(v.AskIntent, intent) {
			return v.refuse(catalog.HisGoalFirst, cameFor(v.AskIntent))
		}
	case catalog.Entertainment:
		if intent == catalog.Sales {
			return v.refuse(catalog.HisGoalFirst, cameFor(v.AskIntent))
		}
	}
	if v.HisGoal && v.AskIntent != catalog.Sales && intent == catalog.Sales {
		return v.refuse(catalog.HisGoalFirst, catalog.Because{Name: "answered", Value: sense.BoolValue(false), Age: catalog.NoAge})
	}
	return Verdict{}
}

// cameFor names what the customer asks for.
func cameFor(intent catalog.Intent) catalog.Because {
	return catalog.Because{Name: "intent", Value: sense.StringValue(intent.String()), Age: catalog.NoAge}
}

// servesGoal says whether an action of an intent serves who came for help, or for an answer.
func servesGoal(goal, intent catalog.Intent) bool {
	switch intent {
	case catalog.Service, catalog.Recovery, catalog.Handoff, catalog.Safety:
		return true
	case catalog.Information:
		return goal == catalog.Information
	}
	return false
}
