package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Unasked is what the session remembers of showing without being asked.
type Unasked struct {
	LastShown sense.Instant // of this action in this session; 0 where never
	LastOfAny sense.Instant // of any action in this session; 0 where never
	Served    bool          // shown since its conditions last became true together
	// Recent are the unasked showings of this session: by them a wait between showings of one intent, group,
	// subject or channel is kept where nobody is identified. May be nil: then such a wait is kept for customers only.
	Recent []Showing
}

// Showing is one unasked showing in a session.
type Showing struct {
	Action  int32 // index into Bundle.Actions
	Channel string
	At      sense.Instant
}

// Judge passes an action through the stage contact, except for what is exempt. Its codes, in
// order: cap_reached, cap_unknown, cooling_off, asked_later, asked_never, volume_spent, minimum_wait and
// budget_not_leased.
func Judge(v *guard.View, a *catalog.Action, u Unasked) guard.Verdict {
	for _, rule := range [...]func(*guard.View, *catalog.Action) guard.Verdict{confirmedOnce, capReached, capUnknown, paused, volumeSpent} {
		if d := rule(v, a); v.Holds(d) {
			return d
		}
	}
	if !v.Asked {
		if d := minimumWait(v, a, u); v.Holds(d) {
			return d
		}
	}
	if d := budgetNotLeased(v, a); v.Holds(d) {
		return d
	}
	return guard.Verdict{}
}

// same says whether an earlier contact is the same as showing the action here would be, in one respect.
func same(what string, v *guard.View, a *catalog.Action, x *profile.Exposure) bool {
	switch what {
	case "about":
		if a.About == "" || x.About == "" {
			return a.Name == x.Action
		}
		return a.About.Touches(x.About)
	case "group":
		return a.Group >= 0 && v.Bundle.Groups[a.Group].Name == x.Group
	case "intent":
		return a.Intent.String() == x.Intent
	case "channel":
		return v.Channel == x.Channel
	case "customer":
		return true
	}
	return a.Name == x.Action
}

// shownAt returns when a contact was shown, as far as it is known, else when it was decided.
func shownAt(x *profile.Exposure) sense.Instant {
	if x.Shown != 0 {
		return x.Shown
	}
	return x.At
}
