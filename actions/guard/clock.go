package guard

import (
	"sort"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// Clock is the name of the clock among the reasons: what depends on dates or hours falls by it where
// nobody knows the time.
const Clock = "clock"

// byClock refuses because nobody knows the time.
func (v *View) byClock(r catalog.Reason, needed string) Verdict {
	return v.refuse(r, catalog.Because{Name: Clock, Value: sense.StringValue(sense.ClockUnknown.String()), Age: catalog.NoAge, Needed: needed})
}

// ByClock says whether a verdict rests on a clock that nobody trusts.
func (d Verdict) ByClock() bool { return len(d.Because) > 0 && d.Because[0].Name == Clock }

// nearby is farther than any search for the next or the last time of something goes.
const nearby = 100 * sense.Day

// near returns a zone with those of its turns alone that matter around an instant: a zone has some
// hundred of them, and each search would look at all.
func near(z *sense.Zone, now sense.Instant) sense.Zone {
	first := sort.Search(len(z.Turns), func(k int) bool { return z.Turns[k].From > now-sense.Instant(nearby) })
	end := sort.Search(len(z.Turns), func(k int) bool { return z.Turns[k].From > now+sense.Instant(nearby) })
	first = max(first-1, 0) // the one that held before
	return sense.Zone{Name: z.Name, Turns: z.Turns[first:max(end, min(first+1, len(z.Turns)))]}
}

// nextMinute returns the first instant after now at which the zone's clocks come to a minute of the
// day, or jump over it.
func nextMinute(z *sense.Zone, now sense.Instant, minute int) sense.Instant {
	next := sense.Never
	today, offset := z.Day(now), sense.Instant(z.Offset(now))
	for day := today; day <= today+1; day++ {
		if t := z.At(day, minute); t > now {
			next = min(next, t)
		}
		// The hour that is turned back comes twice, and At knows the first.
		again := sense.Instant(day*int64(sense.Day)+int64(minute)*int64(sense.Minute)) - offset
		if again > now && z.Day(again) == day && z.DayMinute(again) == minute {
			next = min(next, again)
		}
	}
	return next
}

// nextTurn returns when the zone's offset changes next, Never where it does not.
func nextTurn(z *sense.Zone, now sense.Instant) sense.Instant {
	for k := range z.Turns {
		if z.Turns[k].From > now {
			return z.Turns[k].From
		}
	}
	return sense.Never
}

// nextOfRange returns when a range of hours begins or ends next, or may: a turn of the zone can do either.
func nextOfRange(z *sense.Zone, h catalog.HourRange, now sense.Instant) sense.Instant {
	if h.From == h.To { // the whole day
		return sense.Never
	}
	around := near(z, now)
	return min(nextMinute(&around, now, h.From), nextMinute(&around, now, h.To), nextTurn(&around, now))
}

// endOfRange returns when a range that holds now ends, 0 where it does not.
func endOfRange(z *sense.Zone, h catalog.HourRange, now sense.Instant) sense.Instant {
	if h.From == h.To {
		return 0
	}
	around := near(z, now)
	z = &around
	end := nextMinute(z, now, h.To)
	if t := nextTurn(z, now); t < end && !h.Holds(z.DayMinute(t)) {
		return t
	}
	return end
}
