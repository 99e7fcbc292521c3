package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// counts says whether something that happened at an instant lies in the window that ends now. What a
// clock ahead of this one dated lies in it too.
func counts(z *sense.Zone, per catalog.Calendar, window sense.Duration, at, now sense.Instant) bool {
	if per == catalog.Rolling {
		return now < at.Add(window)
	}
	return period(z, per, at) >= period(z, per, now)
}

// period numbers the calendar days, weeks or months of a zone.
func period(z *sense.Zone, per catalog.Calendar, at sense.Instant) int64 {
	switch per {
	case catalog.CalendarWeek:
		return z.Week(at)
	case catalog.CalendarMonth:
		return z.Month(at)
	}
	return z.Day(at)
}

// endOf returns when something that happened at an instant ceases to count: at the end of its window,
// or of its local day, week (Monday to Sunday) or month.
func endOf(z *sense.Zone, per catalog.Calendar, window sense.Duration, at sense.Instant) sense.Instant {
	switch per {
	case catalog.CalendarDay:
		return z.StartOfDay(z.Day(at) + 1)
	case catalog.CalendarWeek:
		return z.StartOfDay((z.Week(at)+1)*7 - 3) // day 0 was a Thursday
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
