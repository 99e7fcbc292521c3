package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// since returns the first instant that lies in the window that ends now: what happened from then on
// counts, and what a clock ahead of this one dated with it.
func since(z *sense.Zone, per catalog.Calendar, window sense.Duration, now sense.Instant) sense.Instant {
	day := z.Day(now)
	switch per {
	case catalog.CalendarDay:
		return z.StartOfDay(day)
	case catalog.CalendarWeek:
		return z.StartOfDay(z.Week(now)*7 - 3) // Mondays: day 0 was a Thursday
	case catalog.CalendarMonth:
		return z.StartOfDay(day + 1 - int64(sense.Instant(day*int64(sense.Day)).Time().Day()))
	}
	if first := now - sense.Instant(window) + 1; window != sense.Forever && first <= now+1 {
		return first
	}
	return -sense.Never
}

// endOf returns when something that happened at an instant ceases to count: at the end of its window,
// or of its local day, week (Monday to Sunday) or month.
func endOf(z *sense.Zone, per catalog.Calendar, window sense.Duration, at sense.Instant) sense.Instant {
	switch per {
	case catalog.CalendarDay:
		return z.StartOfDay(z.Day(at) + 1)
	case catalog.CalendarWeek:
		return z.StartOfDay((z.Week(at)+1)*7 - 3)
	case catalog.CalendarMonth:
		day := z.Day(at)
		for month := monthOf(day); monthOf(day) == month; {
			day++
		}
		return z.StartOfDay(day)
	}
	return at.Add(window)
}

// monthOf returns the calendar month of a day, as year*12 + month-1.
func monthOf(day int64) int64 { return sense.UTC.Month(sense.Instant(day * int64(sense.Day))) }
