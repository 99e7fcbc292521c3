package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// pauses are the codes of what an answer leads to, in their order.
var pauses = [...]catalog.Reason{catalog.CoolingOff, catalog.AskedLater, catalog.AskedNever}

// paused: an answer holds back for a while; never holds for ever, whatever the policy says, and so does
// a no to the question whether something still is right. While the slice is awaited, what was answered
// here holds.
func paused(v *guard.View, a *catalog.Action) guard.Verdict {
	heard := v.Words()
	if heard == nil {
		return guard.Verdict{}
	}
	var held [len(pauses)]struct {
		by     profile.Outcome
		length sense.Duration
	}
	hold := func(o profile.Outcome, length sense.Duration) {
		h := &held[0]
		switch o.Outcome {
		case "later":
			h = &held[1]
		case "never":
			h = &held[2]
		}
		if end := o.At.Add(length); v.Now < end && (h.by.At == 0 || end > h.by.At.Add(h.length)) { // the one that ends last
			h.by, h.length = o, length
		}
	}
	for k := range heard.Exposures {
		x := &heard.Exposures[k]
		for _, o := range x.Outcomes {
			switch {
			case o.Outcome == "never" && same("about", v, a, x):
				hold(o, sense.Forever)
			case o.Outcome == "dismissed" && confirms(v.Bundle, a) && confirmsSame(v.Bundle, a, x.Action):
				hold(profile.Outcome{Outcome: "never", At: o.At}, sense.Forever)
			}
			for n := range v.Bundle.Contact.Pauses {
				p := &v.Bundle.Contact.Pauses[n]
				if p.After == o.Outcome && (p.Intent == 0 || p.Intent == a.Intent) && same(p.Same, v, a, x) {
					hold(o, p.For)
				}
			}
		}
	}
	for k, reason := range pauses {
		if held[k].by.At == 0 {
			continue
		}
		o, length := held[k].by, held[k].length
		d := guard.Verdict{
			Reason:  reason,
			Because: v.Room.Because(catalog.Because{Name: o.Outcome, Value: sense.TimestampValue(o.At), Age: v.Now.Sub(o.At), Needed: v.Room.Age("age >= ", length)}),
			Until:   o.At.Add(length),
		}
		if v.Holds(d) {
			return d
		}
	}
	return guard.Verdict{}
}
