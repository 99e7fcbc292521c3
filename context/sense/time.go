package sense

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Instant is a point on the mind's time line: whole milliseconds since
// 1970-01-01T00:00:00Z. On a device it never decreases within a boot, whatever
// the wall clock does.
type Instant int64

// Never is an instant that does not come: the wake time of a mind that waits
// for nothing, the end of a lease for ever.
const Never Instant = 1<<63 - 1

// Duration is a length of time in whole milliseconds.
type Duration int64

const (
	Millisecond Duration = 1
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
	Day                  = 24 * Hour
	Week                 = 7 * Day
	Year                 = 365 * Day
)

// Forever is the duration written `ever` in policies.
const Forever Duration = 1<<63 - 1

// Add returns i+d, saturating at Never.
func (i Instant) Add(d Duration) Instant {
	if i == Never || d == Forever {
		return Never
	}
	s := i + Instant(d)
	if d > 0 && s < i {
		return Never
	}
	return s
}

// Sub returns i-j.
func (i Instant) Sub(j Instant) Duration { return Duration(i - j) }

// Time returns i as a UTC time; for printing, never for deciding.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// String prints i as in decision lines: 2026-03-02T09:00:00.000Z.
func (i Instant) String() string { return i.Time().Format("2006-01-02T15:04:05.000Z") }

// InstantOf returns t cut to whole milliseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// ParseInstant reads an RFC 3339 time and keeps its milliseconds.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("time %q is not RFC 3339, as in 2026-03-02T10:00:00+01:00", s)
	}
	return InstantOf(t), nil
}

var units = []struct {
	name string
	d    Duration
}{{"ms", Millisecond}, {"s", Second}, {"m", Minute}, {"h", Hour}, {"d", Day}, {"w", Week}, {"y", Year}}

// ParseDuration reads a duration as authors write it: 8s, 5m, 2h, 90d, 2w, 1y,
// 250ms, parts joined as in 1h30m, or `ever`.
func ParseDuration(s string) (Duration, error) {
	if s == "ever" {
		return Forever, nil
	}
	bad := fmt.Errorf("duration %q is not a number with a unit (ms s m h d w y), as in 90d", s)
	rest, sum := s, Duration(0)
	if rest == "" {
		return 0, bad
	}
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if n <= 0 {
			return 0, bad
		}
		v, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil {
			return 0, bad
		}
		rest = rest[n:]
		u := strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' })
		if u < 0 {
			u = len(rest)
		}
		unit := Duration(0)
		for _, x := range units {
			if x.name == rest[:u] {
				unit = x.d
			}
		}
		if unit == 0 || v > int64(Forever/unit) || sum > Forever-Duration(v)*unit {
			return 0, bad
		}
		sum += Duration(v) * unit
		rest = rest[u:]
	}
	return sum, nil
}

// String prints d in the largest unit that divides it: 90d, 1500ms, ever.
func (d Duration) String() string {
	var room [24]byte
	return string(d.Append(room[:0]))
}

// Append appends the duration as String has it.
func (d Duration) Append(b []byte) []byte {
	if d == Forever {
		return append(b, "ever"...)
	}
	if d == 0 {
		return append(b, "0s"...)
	}
	for k := len(units) - 1; k >= 0; k-- {
		u := units[k]
		// Weeks and years print as days: authors compare 90d with 365d.
		if u.name == "w" || u.name == "y" {
			continue
		}
		if d%u.d == 0 {
			return append(strconv.AppendInt(b, int64(d/u.d), 10), u.name...)
		}
	}
	return append(strconv.AppendInt(b, int64(d), 10), "ms"...)
}

// ClockState says how far wall time may be trusted.
type ClockState uint8

const (
	// ClockUnknown: the wall clock may be wrong by years.
	ClockUnknown ClockState = iota
	// ClockFloor: the time is not before the last signed time seen.
	ClockFloor
	// ClockSynced: the wall clock is right.
	ClockSynced
)

var clockNames = [...]string{"unknown", "floor", "synced"}

func (c ClockState) String() string { return clockNames[c] }

// ParseClockState reads unknown, floor or synced.
func ParseClockState(s string) (ClockState, error) {
	for k, n := range clockNames {
		if n == s {
			return ClockState(k), nil
		}
	}
	return 0, fmt.Errorf("clock state %q is none of synced, floor, unknown", s)
}
