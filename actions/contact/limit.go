package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// capReached: all limits that concern the action must permit one more. Of nobody in particular nothing
// is counted, so that only "at most none" holds.
func capReached(v *guard.View, a *catalog.Action) guard.Verdict {
	if a.ExemptCaps {
		return guard.Verdict{}
	}
	for k := range v.Bundle.Contact.Limits {
		l := &v.Bundle.Contact.Limits[k]
		if !concerns(v.Bundle, l, a, v.Channel) || l.AtMost > 0 && (v.Slice == nil || untimely(v, l.Per)) {
			continue
		}
		count := int64(0)
		if v.Slice != nil {
			count = counted(v, l, a)
		}
		if count < l.AtMost {
			continue
		}
		d := guard.Verdict{
			Reason:  catalog.CapReached,
			Because: v.Room.Because(catalog.Because{Name: l.Counting, Value: sense.IntValue(count), Age: catalog.NoAge, Needed: l.Name}),
		}
		if l.AtMost > 0 {
			d.Until = lifted(v, l, a, count-l.AtMost+1)
		}
		return d
	}
	return guard.Verdict{}
}

// capUnknown: where a limit or a volume cannot be counted, because nobody knows the day or what was
// shown elsewhere, it holds.
func capUnknown(v *guard.View, a *catalog.Action) guard.Verdict {
	if a.ExemptCaps {
		return guard.Verdict{}
	}
	doubt := func(why, limit string) guard.Verdict {
		return guard.Verdict{Reason: catalog.CapUnknown, Because: v.Room.Because(catalog.Because{Name: why, Age: catalog.NoAge, Needed: limit})}
	}
	for k := range v.Bundle.Contact.Limits {
		l := &v.Bundle.Contact.Limits[k]
		switch {
		case !concerns(v.Bundle, l, a, v.Channel):
		case v.Presence == guard.Awaited:
			return doubt("lease", l.Name)
		case v.Slice != nil && untimely(v, l.Per):
			return doubt(guard.Clock, l.Name)
		}
	}
	for k := range v.Bundle.Contact.Volume {
		if x := &v.Bundle.Contact.Volume[k]; Counts(v.Bundle, x, a) && untimely(v, x.Per) {
			return doubt(guard.Clock, x.Name)
		}
	}
	return guard.Verdict{}
}

// untimely says whether a calendar window is asked of a clock that nobody trusts.
func untimely(v *guard.View, per catalog.Calendar) bool {
	return per != catalog.Rolling && v.Clock == sense.ClockUnknown
}

func concerns(b *catalog.Bundle, l *catalog.Limit, a *catalog.Action, channel string) bool {
	return (l.Intent == 0 || l.Intent == a.Intent) &&
		(l.Action < 0 || b.Actions[l.Action].Name == a.Name) &&
		(l.Group < 0 || l.Group == a.Group) &&
		(l.Channel == "" || l.Channel == channel)
}

// counted returns how many contacts fall under the limit now.
func counted(v *guard.View, l *catalog.Limit, a *catalog.Action) (n int64) {
	first := v.Room.Since(zoneOf(v, l), l.Per, l.Window, v.Now, since)
	each(v, l, a, func(at sense.Instant) {
		if at >= first {
			n++
		}
	})
	return n
}

// lifted returns when the n-th of the contacts that count ceases to; 0 where it never does.
func lifted(v *guard.View, l *catalog.Limit, a *catalog.Action, n int64) sense.Instant {
	z := zoneOf(v, l)
	first := v.Room.Since(z, l.Per, l.Window, v.Now, since)
	passed := sense.Instant(0) // those that end by then are counted off
	for n > 0 {
		next, many := sense.Never, int64(0)
		each(v, l, a, func(at sense.Instant) {
			if at < first {
				return
			}
			switch end := endOf(z, l.Per, l.Window, at); {
			case end <= passed || end > next:
			case end == next:
				many++
			default:
				next, many = end, 1
			}
		})
		if next == sense.Never {
			return 0
		}
		passed, n = next, n-many
	}
	return passed
}

// each calls f with the instant of every outcome that the limit counts. A contact counts as shown
// from its reservation at the decision on, unless it failed.
func each(v *guard.View, l *catalog.Limit, a *catalog.Action, f func(at sense.Instant)) {
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		if !falls(v, l, a, x) {
			continue
		}
		if l.Counting == "shown" {
			if !x.Failed {
				f(shownAt(x))
			}
			continue
		}
		for _, o := range x.Outcomes {
			if o.Outcome == l.Counting {
				f(o.At)
			}
		}
	}
}

func falls(v *guard.View, l *catalog.Limit, a *catalog.Action, x *profile.Exposure) bool {
	return fallsUnder(v.Bundle, l, x) && (!l.About || same("about", v, a, x))
}

// fallsUnder says whether a contact falls under a limit, whatever it is about.
func fallsUnder(b *catalog.Bundle, l *catalog.Limit, x *profile.Exposure) bool {
	return (l.Intent == 0 || l.Intent.String() == x.Intent) &&
		(l.Action < 0 || b.Actions[l.Action].Name == x.Action) &&
		(l.Group < 0 || b.Groups[l.Group].Name == x.Group) &&
		(l.Channel == "" || l.Channel == x.Channel)
}

func zoneOf(v *guard.View, l *catalog.Limit) *sense.Zone {
	if l.Customer && v.Zone != nil {
		return v.Zone
	}
	return &v.Bundle.Zone
}

// confirmedOnce: whether something still is right is asked once ever, in whatever words.
func confirmedOnce(v *guard.View, a *catalog.Action) guard.Verdict {
	if v.Slice == nil || !confirms(v.Bundle, a) {
		return guard.Verdict{}
	}
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		if x.Failed || v.Standing != "" && x.Decision == v.Standing || !confirmsSame(v.Bundle, a, x.Action) {
			continue
		}
		return guard.Verdict{
			Reason:  catalog.CapReached,
			Because: v.Room.Because(catalog.Because{Name: "shown", Value: sense.TimestampValue(shownAt(x)), Age: v.Now.Sub(shownAt(x)), Needed: "once"}),
		}
	}
	return guard.Verdict{}
}

// confirms says whether an action asks if a fact is right.
func confirms(b *catalog.Bundle, a *catalog.Action) bool {
	return a.Intent == catalog.Question && a.Confirms >= 0 && len(b.Facts) > 0
}

// confirmsSame says whether the action of that name asks if the same fact is right.
func confirmsSame(b *catalog.Bundle, a *catalog.Action, name string) bool {
	if name == a.Name {
		return true
	}
	other := b.Action(name)
	return other != nil && confirms(b, other) && other.Confirms == a.Confirms
}
