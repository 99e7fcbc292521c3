package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// waitingForResponse (waiting_for_response): one thing after the other. What follows an action waits
// until she responded to it, in whatever channel, or for as long as its author says.
func waitingForResponse(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Follows == nil || v.Presence == Nobody {
		return Verdict{}
	}
	first := v.Bundle.Actions[a.Follows.Action].Name
	because := catalog.Because{Name: first, Age: catalog.NoAge, Needed: "responded"}
	if v.Slice == nil {
		return v.refuse(catalog.WaitingForResponse, because)
	}
	last := sense.Instant(0)
	for n := range v.Slice.Exposures {
		x := &v.Slice.Exposures[n]
		if x.Action != first || !v.counts(x) {
			continue
		}
		if v.responded(x, a) {
			return Verdict{}
		}
		last = max(last, shownAt(x))
	}
	if last == 0 {
		return v.refuse(catalog.WaitingForResponse, because)
	}
	end := last.Add(a.Follows.ElseAfter)
	if v.Now >= end {
		return Verdict{}
	}
	because.Age = v.Now.Sub(last)
	d := v.refuse(catalog.WaitingForResponse, because)
	if end != sense.Never {
		d.Until = end
	}
	return d
}

// shownAt returns when a contact was shown, as far as it is known, else when it was decided.
func shownAt(x *profile.Exposure) sense.Instant {
	if x.Shown != 0 {
		return x.Shown
	}
	return x.At
}

// responded says whether the customer answered a contact: with an outcome, or with what she did
// after it, in the same conversation or about the subject of the contact or of what follows it.
func (v *View) responded(x *profile.Exposure, next *catalog.Action) bool {
	for _, o := range x.Outcomes {
		switch o.Outcome {
		case "accepted", "dismissed", "later", "never", "negative":
			return true
		}
	}
	for n := range v.Slice.Interactions {
		i := &v.Slice.Interactions[n]
		if i.Happened < shownAt(x) || i.Happened > v.Now {
			continue
		}
		if i.Ref != "" && i.Ref == x.Decision || x.About.Touches(i.About) || next.About.Touches(i.About) {
			return true
		}
	}
	return false
}
