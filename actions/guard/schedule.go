package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// inWeek says whether an instant lies in hours of the week. Hours that end on the next day belong to
// the day on which they begin.
func inWeek(z *sense.Zone, h catalog.WeekHours, now sense.Instant) bool {
	minute, day := z.DayMinute(now), z.Weekday(now)-1
	if h.From < h.To {
		return on(h.Days, day) && h.From <= minute && minute < h.To
	}
	return on(h.Days, day) && minute >= h.From || on(h.Days, (day+6)%7) && minute < h.To
}

// on says whether a day, 0 for Monday, is among the days; no days are all.
func on(days uint8, day int) bool { return days&127 == 0 || days>>uint(day)&1 == 1 }

// nextOfWeek returns when hours of the week next begin or end, Never where they do not.
func nextOfWeek(z *sense.Zone, h catalog.WeekHours, now sense.Instant) sense.Instant {
	around := near(z, now)
	z = &around
	in := inWeek(z, h, now)
	// A week has at most fourteen ends, midnights seven more, and a zone may turn within it.
	for range 24 {
		next := min(nextMinute(z, now, h.From), nextMinute(z, now, h.To), nextMinute(z, now, 0), nextTurn(z, now))
		if next == sense.Never || inWeek(z, h, next) != in {
			return next
		}
		now = next
	}
	return sense.Never
}

// defaultArmed is how long an action with a schedule stays right where it does not say.
const defaultArmed = sense.Hour

func armed(a *catalog.Action) sense.Duration {
	if a.KeepArmed > 0 {
		return a.KeepArmed
	}
	return defaultArmed
}

// ActiveSince returns the start of the present occurrence of an action's schedule; 0 where it has
// none, or none is present. A new occurrence lets the action be shown again.
func ActiveSince(b *catalog.Bundle, a *catalog.Action, now sense.Instant) sense.Instant {
	return occurrence(&b.Zone, a, now)
}

func occurrence(z *sense.Zone, a *catalog.Action, now sense.Instant) (since sense.Instant) {
	for _, s := range a.At {
		if t, ok := last(z, s, now); ok && now < t.Add(armed(a)) {
			since = max(since, t)
		}
	}
	return since
}

func nextOccurrence(z *sense.Zone, a *catalog.Action, now sense.Instant) sense.Instant {
	next := sense.Never
	for _, s := range a.At {
		next = min(next, following(z, s, now))
	}
	return next
}

// longestGap is the number of days between two 31sts with a month of thirty between them, and one:
// no schedule that comes back has a longer one, but that of a 29th, 30th and 31st over February, which fits as well.
const longestGap = 63

// last returns the latest occurrence that has come by now. A minute that summer time skips comes
// when it ends, and one that comes twice counts the first time. The 31st of a month that has none does not come.
func last(z *sense.Zone, s catalog.Schedule, now sense.Instant) (sense.Instant, bool) {
	if s.Date >= 0 {
		t := z.At(s.Date, int(s.Minute))
		return t, t <= now
	}
	around := near(z, now)
	z = &around
	for day := z.Day(now); day >= z.Day(now)-longestGap; day-- {
		if falls(s, day) {
			if t := z.At(day, int(s.Minute)); t <= now {
				return t, true
			}
		}
	}
	return 0, false
}

// following returns the first occurrence after now, Never where there is none.
func following(z *sense.Zone, s catalog.Schedule, now sense.Instant) sense.Instant {
	if s.Date >= 0 {
		if t := z.At(s.Date, int(s.Minute)); t > now {
			return t
		}
		return sense.Never
	}
	around := near(z, now)
	z = &around
	for day := z.Day(now); day <= z.Day(now)+longestGap; day++ {
		if falls(s, day) {
			if t := z.At(day, int(s.Minute)); t > now {
				return t
			}
		}
	}
	return sense.Never
}

// falls says whether a schedule that comes back falls on a day.
func falls(s catalog.Schedule, day int64) bool {
	weekday := int((day%7 + 7 + 3) % 7) // 1970-01-01 was a Thursday
	return on(s.Days, weekday) && (s.MonthDay == 0 || int64(sense.Instant(day*int64(sense.Day)).Time().Day()) == s.MonthDay)
}
