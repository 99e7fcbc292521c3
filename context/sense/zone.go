package sense

import (
	"fmt"
	"time"
)

// Zone is the calendar as data: the offsets of one time zone. It is made outside
// the mind (from embedded zone data) and travels in the bundle, so that every
// machine agrees and an image without zone data will do.
type Zone struct {
	Name  string
	Turns []Turn // in order of From; the first holds since ever
}

// Turn is an instant from which a zone's offset from UTC holds.
type Turn struct {
	From   Instant
	Offset Duration
}

// UTC is the zone without offset.
var UTC = Zone{Name: "UTC"}

// ZoneOf returns the calendar of a location from the beginning of a year to 2100, as data.
func ZoneOf(l *time.Location, name string, year int) Zone {
	z := Zone{Name: name}
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	for t := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).In(l); t.Before(end); {
		_, offset := t.Zone()
		turn := Turn{From: InstantOf(t), Offset: Duration(offset) * Second}
		if n := len(z.Turns); n == 0 || z.Turns[n-1].Offset != turn.Offset {
			z.Turns = append(z.Turns, turn)
		}
		_, next := t.ZoneBounds()
		switch {
		case next.IsZero():
			return z
		case next.After(t):
			t = next
		default: // the rule for years beyond the zone's table gives the end as the start
			t = t.Add(time.Hour)
		}
	}
	return z
}

// turn returns the index of the turn that holds at t, -1 before any.
func (z Zone) turn(t Instant) int {
	lo, hi := 0, len(z.Turns)
	for lo < hi {
		if mid := (lo + hi) / 2; z.Turns[mid].From <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// Offset returns local time minus UTC at t.
func (z Zone) Offset(t Instant) Duration {
	if len(z.Turns) == 0 {
		return 0
	}
	return z.Turns[max(z.turn(t), 0)].Offset
}

// Day returns the local calendar day at t, in days since 1970-01-01.
func (z Zone) Day(t Instant) int64 { return floorDiv(int64(t)+int64(z.Offset(t)), int64(Day)) }

// DayMinute returns the local minute of the day at t, 0..1439.
func (z Zone) DayMinute(t Instant) int {
	local := int64(t) + int64(z.Offset(t))
	return int((local - floorDiv(local, int64(Day))*int64(Day)) / int64(Minute))
}

// Weekday returns the local day of the week at t, 1 for Monday to 7 for Sunday.
func (z Zone) Weekday(t Instant) int {
	day := z.Day(t) + 3 // 1970-01-01 was a Thursday
	return int(day-floorDiv(day, 7)*7) + 1
}

// At returns the first instant at which the zone's clocks show the minute of
// the day, or a later one where summer time skips it.
func (z Zone) At(day int64, minute int) Instant {
	local := Instant(day*int64(Day) + int64(minute)*int64(Minute))
	best := Never
	for k := -1; k < len(z.Turns); k++ {
		from, offset, until := Instant(-1<<62), Duration(0), Never
		if k >= 0 {
			from, offset = z.Turns[k].From, z.Turns[k].Offset
		} else if len(z.Turns) > 0 {
			offset = z.Turns[0].Offset
		}
		if k+1 < len(z.Turns) {
			until = z.Turns[k+1].From
		}
		t := max(local-Instant(offset), from)
		if t < until && t < best {
			best = t
		}
	}
	return best
}

// StartOfDay returns the first instant of a local calendar day.
func (z Zone) StartOfDay(day int64) Instant { return z.At(day, 0) }

// Week returns the number of the local calendar week at t, weeks from Monday.
func (z Zone) Week(t Instant) int64 { return floorDiv(z.Day(t)+3, 7) }

// Month returns the local calendar month at t as year*12 + month-1.
func (z Zone) Month(t Instant) int64 {
	d := Instant(z.Day(t) * int64(Day)).Time()
	return int64(d.Year())*12 + int64(d.Month()) - 1
}

// FormatDate prints the local date at t.
func (z Zone) FormatDate(t Instant) string { return FormatDate(z.Day(t)) }

func (z Zone) String() string { return fmt.Sprintf("%s (%d turns)", z.Name, len(z.Turns)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
