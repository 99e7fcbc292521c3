package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Unasked is what the session remembers of showing an action without being asked.
type Unasked struct {
	LastShown sense.Instant // of this action in this session; 0 where never
	LastOfAny sense.Instant // of any action in this session; 0 where never
	Served    bool          // shown since its conditions last became true together
}

// Judge passes an action through the stage contact, except for what is exempt.
func Judge(v *guard.View, a *catalog.Action, u Unasked) guard.Verdict {
	for _, rule := range [...]func(*guard.View, *catalog.Action) guard.Verdict{capReached, paused} {
		if d := rule(v, a); v.Holds(d) {
			return d
		}
	}
	if v.Asked {
		return guard.Verdict{}
	}
	if d := minimumWait(v, a, u); v.Holds(d) {
		return d
	}
	return guard.Verdict{}
}

// capReached: all limits that concern the action must permit one more.
func capReached(v *guard.View, a *catalog.Action) guard.Verdict {
	if a.ExemptCaps || v.Slice == nil {
		return guard.Verdict{}
	}
	doubt := guard.Verdict{}
	for k := range v.Bundle.Contact.Limits {
		l := &v.Bundle.Contact.Limits[k]
		if !concerns(v.Bundle, l, a, v.Channel) {
			continue
		}
		if l.Per != catalog.Rolling && v.Clock == sense.ClockUnknown {
			if doubt.OK() {
				doubt = guard.Verdict{Reason: catalog.CapUnknown, Because: []catalog.Because{{Name: "clock", Age: catalog.NoAge, Needed: l.Name}}}
			}
			continue
		}
		count, until := counted(v, l, a)
		if count < l.AtMost {
			continue
		}
		return guard.Verdict{
			Reason:  catalog.CapReached,
			Because: []catalog.Because{{Name: l.Counting, Value: sense.IntValue(count), Age: catalog.NoAge, Needed: l.Name}},
			Until:   until,
		}
	}
	return doubt
}

func concerns(b *catalog.Bundle, l *catalog.Limit, a *catalog.Action, channel string) bool {
	return (l.Intent == 0 || l.Intent == a.Intent) &&
		(l.Action < 0 || b.Actions[l.Action].Name == a.Name) &&
		(l.Group < 0 || l.Group == a.Group) &&
		(l.Channel == "" || l.Channel == channel)
}

// counted returns how many contacts fall under the limit now, and when the oldest leaves the window.
func counted(v *guard.View, l *catalog.Limit, a *catalog.Action) (n int64, until sense.Instant) {
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		if !falls(v.Bundle, l, a, x) {
			continue
		}
		for _, at := range instants(x, l.Counting) {
			end, in := window(v, l, at)
			if !in {
				continue
			}
			n++
			if until == 0 || end < until {
				until = end
			}
		}
	}
	return n, until
}

func falls(b *catalog.Bundle, l *catalog.Limit, a *catalog.Action, x *profile.Exposure) bool {
	return (l.Intent == 0 || l.Intent.String() == x.Intent) &&
		(l.Action < 0 || b.Actions[l.Action].Name == x.Action) &&
		(l.Group < 0 || b.Groups[l.Group].Name == x.Group) &&
		(l.Channel == "" || l.Channel == x.Channel) &&
		(!l.About || a.About.Touches(x.About))
}

// instants returns when the counted outcome took place. A contact counts as shown from
// its reservation at the decision on, unless it failed.
func instants(x *profile.Exposure, outcome string) []sense.Instant {
	if outcome == "shown" {
		switch {
		case x.Failed:
			return nil
		case x.Shown != 0:
			return []sense.Instant{x.Shown}
		}
		return []sense.Instant{x.At}
	}
	var all []sense.Instant
	for _, o := range x.Outcomes {
		if o.Outcome == outcome {
			all = append(all, o.At)
		}
	}
	return all
}

// window says whether a contact at `at` counts now, and when it ceases to.
func window(v *guard.View, l *catalog.Limit, at sense.Instant) (end sense.Instant, in bool) {
	z := v.Bundle.Zone
	if l.Customer && v.Zone != nil {
		z = *v.Zone
	}
	switch l.Per {
	case catalog.CalendarDay:
		return z.StartOfDay(z.Day(at) + 1), z.Day(at) == z.Day(v.Now)
	case catalog.CalendarWeek:
		return z.StartOfDay((z.Week(at)+1)*7 - 3), z.Week(at) == z.Week(v.Now)
	case catalog.CalendarMonth:
		day := z.Day(v.Now)
		for z.Month(z.StartOfDay(day)) == z.Month(v.Now) {
			day++
		}
		return z.StartOfDay(day), z.Month(at) == z.Month(v.Now)
	}
	end = at.Add(l.Window)
	return end, v.Now < end
}

// paused: an answer holds back for a while; never holds for ever, whatever the policy says.
func paused(v *guard.View, a *catalog.Action) guard.Verdict {
	if v.Slice == nil {
		return guard.Verdict{}
	}
	var d guard.Verdict
	hold := func(o profile.Outcome, length sense.Duration) {
		// Reasons in their order; of one reason the pause that ends last.
		one := pauseOf(v, o, length)
		if d.OK() || one.Reason < d.Reason || one.Reason == d.Reason && one.Until > d.Until {
			d = one
		}
	}
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		for _, o := range x.Outcomes {
			if o.Outcome == "never" && same("about", v.Bundle, a, x) {
				hold(o, sense.Forever)
			}
			for _, p := range v.Bundle.Contact.Pauses {
				if p.After == o.Outcome && same(p.Same, v.Bundle, a, x) && v.Now < o.At.Add(p.For) {
					hold(o, p.For)
				}
			}
		}
	}
	return d
}

func pauseOf(v *guard.View, o profile.Outcome, length sense.Duration) guard.Verdict {
	reason := catalog.CoolingOff
	switch o.Outcome {
	case "later":
		reason = catalog.AskedLater
	case "never":
		reason = catalog.AskedNever
	}
	return guard.Verdict{
		Reason:  reason,
		Because: []catalog.Because{{Name: o.Outcome, Value: sense.TimestampValue(o.At), Age: v.Now.Sub(o.At), Needed: "age >= " + length.String()}},
		Until:   o.At.Add(length),
	}
}

// same says whether an earlier contact is the same thing as the action, in the pause's sense.
func same(what string, b *catalog.Bundle, a *catalog.Action, x *profile.Exposure) bool {
	switch what {
	case "about":
		if a.About == "" || x.About == "" {
			return a.Name == x.Action
		}
		return a.About.Touches(x.About)
	case "group":
		return a.Group >= 0 && b.Groups[a.Group].Name == x.Group
	case "intent":
		return a.Intent.String() == x.Intent
	}
	return a.Name == x.Action
}

// minimumWait: unasked, an action is shown once each time that it becomes right, and not
// again before its repeat_after; between any two unasked showings lies the policy's minimum_wait.
func minimumWait(v *guard.View, a *catalog.Action, u Unasked) guard.Verdict {
	wait := func(since sense.Instant, d sense.Duration) guard.Verdict {
		return guard.Verdict{
			Reason:  catalog.MinimumWait,
			Because: []catalog.Because{{Name: "shown", Value: sense.TimestampValue(since), Age: v.Now.Sub(since), Needed: "age >= " + d.String()}},
			Until:   since.Add(d),
		}
	}
	last := max(u.LastShown, lastShown(v, a.Name))
	switch {
	case last != 0 && a.Repeat != sense.Forever && v.Now < last.Add(a.Repeat):
		return wait(last, a.Repeat)
	case u.Served && a.Repeat == sense.Forever:
		return wait(last, sense.Forever)
	}
	any := max(u.LastOfAny, lastShown(v, ""))
	for _, w := range v.Bundle.Contact.Waits {
		if any != 0 && a.Intent != catalog.Safety && v.Now < any.Add(w.For) {
			return wait(any, w.For)
		}
	}
	return guard.Verdict{}
}

// lastShown returns when an action (any where empty) was last shown to the customer unasked or not; 0 where never.
func lastShown(v *guard.View, action string) sense.Instant {
	last := sense.Instant(0)
	if v.Slice == nil || action == "" {
		return 0
	}
	for k := range v.Slice.Exposures {
		if x := &v.Slice.Exposures[k]; x.Action == action && !x.Failed {
			last = max(last, x.Shown, x.At)
		}
	}
	return last
}
