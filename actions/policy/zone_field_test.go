package policy

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

// fieldLines returns the fields of the lines of a file of the tz database, without comments.
func fieldLines(t *testing.T, name string) (lines [][]string) {
	t.Helper()
	f, err := os.Open(filepath.Join(fieldData(t), "time", "tz", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		text, _, _ := strings.Cut(in.Text(), "#")
		if fields := strings.Fields(text); len(fields) > 0 {
			lines = append(lines, fields)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// Every zone of the tz database is there, and its clocks turn when those of its own rules do.
func TestFieldZonesTurn(t *testing.T) {
	last := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
	zones, turns := 0, 0
	for _, table := range []string{"zone1970.tab", "zone.tab"} {
		for _, line := range fieldLines(t, table) {
			name := line[2]
			z, err := Zone(name)
			if err != nil {
				t.Errorf("%s of %s: %v", name, table, err)
				continue
			}
			l, err := location(name)
			if err != nil {
				t.Fatal(err)
			}
			zones++
			for _, turn := range z.Turns[1:] {
				at := time.UnixMilli(int64(turn.From))
				if at.After(last) {
					break
				}
				turns++
				for _, near := range []time.Time{at.Add(-time.Millisecond), at, at.Add(12 * time.Hour)} {
					if _, want := near.In(l).Zone(); z.Offset(sense.InstantOf(near)) != sense.Duration(want)*sense.Second {
						t.Errorf("%s at %s is off by %s, want %d s", name, near.UTC(), z.Offset(sense.InstantOf(near)), want)
					}
				}
				if turns%8 == 0 {
					daysAround(t, z, l, at)
				}
			}
		}
	}
	t.Logf("%d zones, %d turns", zones, turns)
	if zones < 700 || turns < 20_000 {
		t.Errorf("only %d zones with %d turns", zones, turns)
	}
}

// daysAround looks at the days about a turn, by the quarter of an hour: day, minute and day of the week are those
// that the clock shows, and neither a day nor a minute begins after it is shown.
func daysAround(t *testing.T, z sense.Zone, l *time.Location, turn time.Time) {
	t.Helper()
	type shown struct {
		at     sense.Instant
		day    int64
		minute int
	}
	var clock []shown
	for at := turn.Add(-30 * time.Hour); at.Before(turn.Add(30 * time.Hour)); at = at.Add(15 * time.Minute) {
		local := at.In(l)
		day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400
		clock = append(clock, shown{sense.InstantOf(at), day, local.Hour()*60 + local.Minute()})
		if got := z.Day(sense.InstantOf(at)); got != day {
			t.Errorf("%s at %s: day %d, want %d", l, at.UTC(), got, day)
		}
		if got := z.DayMinute(sense.InstantOf(at)); got != local.Hour()*60+local.Minute() {
			t.Errorf("%s at %s: minute %d, want %s", l, at.UTC(), got, local.Format("15:04"))
		}
		if got := z.Weekday(sense.InstantOf(at)); got%7 != int(local.Weekday()) {
			t.Errorf("%s at %s: day of the week %d, want %s", l, at.UTC(), got, local.Weekday())
		}
	}
	for _, c := range clock {
		start := z.StartOfDay(c.day)
		if start > c.at {
			t.Errorf("%s: day %d starts at %s, and at %s it is there", l, c.day, start, c.at)
		}
		if before := start - 1; z.Day(before) == c.day {
			t.Errorf("%s: day %d starts at %s, and is there before", l, c.day, start)
		}
		if at := z.At(c.day, c.minute); at > c.at {
			t.Errorf("%s: minute %d of day %d is at %s, and at %s it is there", l, c.minute, c.day, at, c.at)
		}
	}
}

// Names that link to a zone have its rules.
func TestFieldZoneLinks(t *testing.T) {
	links := 0
	for _, line := range fieldLines(t, "backward") {
		if line[0] != "Link" {
			continue
		}
		links++
		target, err := Zone(line[1])
		if err != nil {
			t.Errorf("%s: %v", line[1], err)
			continue
		}
		if z, err := Zone(line[2]); err != nil || !slices.Equal(z.Turns, target.Turns) {
			t.Errorf("%s is not %s: %s, %s, %v", line[2], line[1], z, target, err)
		}
	}
	if links < 200 {
		t.Errorf("only %d links", links)
	}
}
