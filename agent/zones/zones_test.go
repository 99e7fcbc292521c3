package zones

import (
	"archive/zip"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/sense"
)

var update = flag.Bool("update", false, "make zones.txt from the database that the compiler holds")

const database = "../../actions/policy/zoneinfo.zip"

// names returns the zones of the database, with the rule at the end of each file.
func names(t *testing.T) (all []string, rules map[string]string) {
	t.Helper()
	archive, err := zip.OpenReader(database)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	rules = map[string]string{}
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		rules[f.Name] = lines[len(lines)-1]
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return all, rules
}

// since cuts a calendar at the beginning of Since.
func since(z sense.Zone) []sense.Turn {
	start, _ := sense.ParseInstant(fmt.Sprintf("%d-01-01T00:00:00Z", Since))
	turns := []sense.Turn{{From: start, Offset: z.Offset(start)}}
	for _, turn := range z.Turns {
		if turn.From > start {
			turns = append(turns, turn)
		}
	}
	return turns
}

func TestCalendarsAreThoseOfTheDatabase(t *testing.T) {
	all, rules := names(t)
	var made strings.Builder
	for _, name := range all {
		whole, err := policy.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		want := since(whole)
		if *update {
			rule := rules[name]
			if z, err := calendar(name, rule); err != nil || !slices.Equal(z.Turns, want) {
				rule = "="
				for _, turn := range want {
					rule += fmt.Sprintf(" %d %d", turn.From/1000, turn.Offset/sense.Second)
				}
			}
			fmt.Fprintf(&made, "%s %s\n", name, rule)
			continue
		}
		got, err := Zone(name)
		if err != nil {
			t.Errorf("%v", err)
		} else if !slices.Equal(got.Turns, want) {
			t.Errorf("%s: %d turns that differ from the database's %d", name, len(got.Turns), len(want))
		}
	}
	if len(all) < 500 {
		t.Errorf("the database has %d zones only", len(all))
	}
	if *update {
		if err := os.WriteFile("zones.txt", []byte(made.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoSuchZone(t *testing.T) {
	for _, name := range []string{"", "Local", "Europe", "Europe/Nowhere", "Europe/Amsterdam CET", "=", "Amsterdam", "Europe/Amsterdam\nx"} {
		if z, err := Zone(name); err == nil {
			t.Errorf("Zone(%q) = %s", name, z)
		}
	}
}

// Noon of a summer day in Amsterdam is ten o'clock in Greenwich, of a winter day eleven.
func TestSummerTime(t *testing.T) {
	z, err := Zone("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{"2026-07-01T10:00:00Z": 12 * 60, "2026-12-01T11:00:00Z": 12 * 60, "2026-10-25T00:59:00Z": 2*60 + 59, "2026-10-25T01:00:00Z": 2 * 60} {
		i, err := sense.ParseInstant(at)
		if err != nil {
			t.Fatal(err)
		}
		if got := z.DayMinute(i); got != want {
			t.Errorf("%s: minute %d, want %d", at, got, want)
		}
	}
}
