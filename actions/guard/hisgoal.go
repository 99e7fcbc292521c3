package guard

import "github.com/tact-edge/tact/actions/catalog"

// hisGoalFirst: a customer who came for help or an answer gets that first, and one who
// came to be entertained is not sold to.
func hisGoalFirst(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales {
		return Verdict{}
	}
	switch v.AskIntent {
	case catalog.Service, catalog.Information, catalog.Entertainment:
		return refuse(catalog.HisGoalFirst, named(v.AskIntent.String()))
	}
	if v.HisGoal && v.AskIntent != catalog.Sales {
		return refuse(catalog.HisGoalFirst)
	}
	return Verdict{}
}
