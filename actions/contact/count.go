package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/sense"
)

// Concerns says whether a limit concerns showing an action on a channel: then that takes a unit of it.
func Concerns(b *catalog.Bundle, l *catalog.Limit, a *catalog.Action, channel string) bool {
	return concerns(b, l, a, channel)
}

// Counted returns how many contacts fall under a limit about something (see Unit) now, as the cap counts
// them at this instant. Of a limit that counts an answer, those that may still get one count with
// them, for as long as that answer would: decided until longest ago.
func Counted(v *guard.View, l *catalog.Limit, about string, longest sense.Duration) (n int64) {
	first := v.Room.Since(zoneOf(v, l), l.Per, l.Window, v.Now, since)
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		if !fallsUnder(v.Bundle, l, x) || l.About && !ofUnit(about, x) {
			continue
		}
		if l.Counting == "shown" {
			if !x.Failed && shownAt(x) >= first {
				n++
			}
			continue
		}
		answered := false
		for _, o := range x.Outcomes {
			if o.Outcome == l.Counting {
				answered = true
				if o.At >= first {
					n++
				}
			}
		}
		if !answered && Takes(v.Bundle, l, about, x) && v.Now < x.At.Add(longest) {
			n++
		}
	}
	return n
}

// Lasts returns for how long a contact counts under a limit at most: the window, or the longest calendar
// day, week or month; one of the customer's own zone a day longer, since she may move to another.
func Lasts(l *catalog.Limit) (d sense.Duration) {
	switch l.Per {
	case catalog.CalendarDay:
		d = sense.Day + sense.Hour
	case catalog.CalendarWeek:
		d = 7*sense.Day + sense.Hour
	case catalog.CalendarMonth:
		d = 31*sense.Day + sense.Hour
	default:
		return l.Window
	}
	if l.Customer {
		d += 26 * sense.Hour // from one end of the world's zones to the other
	}
	return d
}
