package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// alreadyBooked (already_booked) holds back an offer of what is booked already; actions that name a goal have goalReached.
func alreadyBooked(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales || c.Action.Goal != "" || c.Action.About == "" {
		return Verdict{}
	}
	return reached(v, c.Action.About, catalog.AlreadyBooked)
}

// goalReached (goal_reached) ends everything that aims at a goal once it is reached, on every device.
func goalReached(v *View, c Candidate) Verdict {
	if c.Action.Goal == "" {
		return Verdict{}
	}
	return reached(v, c.Action.Goal, catalog.GoalReached)
}

func reached(v *View, goal event.Subject, r catalog.Reason) Verdict {
	var d Verdict
	latest := sense.Instant(0)
	v.each(func(k *catalog.Kind) bool { return k.ReachesGoal }, func(k *catalog.Kind, i *profile.Interaction) {
		if !i.About.Touches(goal) || !d.OK() && i.Happened < latest {
			return
		}
		undone, next := v.Slice.Undone(v.Bundle, k, i, v.Now)
		if undone {
			return
		}
		d, latest = v.refuse(r, v.dated(i)), i.Happened
		if d.Until = min(next, i.Happened.Add(k.Keep)); d.Until == sense.Never {
			d.Until = 0
		}
	})
	return d
}
