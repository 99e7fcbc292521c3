package policy

import (
	"fmt"
	"time"
	_ "time/tzdata" // the rules of all zones, on machines that have none

	"github.com/tact-edge/tact/context/sense"
)

// Zone returns the rules of a named time zone from 1970 to 2100 as data.
func Zone(name string) (sense.Zone, error) {
	if name == "" || name == "Local" {
		return sense.UTC, fmt.Errorf("time zone %q: not a name", name)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return sense.UTC, fmt.Errorf("time zone %q: %w", name, err)
	}
	z := sense.Zone{Name: name}
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	for t := time.Unix(0, 0).In(l); t.Before(end); {
		_, offset := t.Zone()
		turn := sense.Turn{From: sense.InstantOf(t), Offset: sense.Duration(offset) * sense.Second}
		if n := len(z.Turns); n == 0 || z.Turns[n-1].Offset != turn.Offset {
			z.Turns = append(z.Turns, turn)
		}
		_, next := t.ZoneBounds()
		switch {
		case next.IsZero():
			return z, nil
		case next.After(t):
			t = next
		default: // the rule for years beyond the zone's table gives the end as the start
			t = t.Add(time.Hour)
		}
	}
	return z, nil
}
