package board

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
)

// readAll replays a log as event lines and refusals.
func readAll(input string, layout CSVLayout) (events, refused []string, err error) {
	err = ReplayCSV(strings.NewReader(input), "drive.csv", layout, Sink{
		Emit: func(e event.Event) error {
			s := e.Body.(*event.Signal)
			line := e.At.String() + " " + s.Name + " " + s.Value.String()
			if e.Session != event.MainSession {
				line += " " + e.Session
			}
			events = append(events, line)
			return nil
		},
		Refuse: func(err error) { refused = append(refused, err.Error()) },
	})
	return events, refused, err
}

func TestReplayCSV(t *testing.T) {
	const day = "2026-03-02T09:00:0"
	for name, c := range map[string]struct {
		input   string
		layout  CSVLayout
		events  []string
		refused []string
	}{
		"header names are signals, cells by their looks": {
			input:  "at,speed,moving,count,label\r\n" + day + "0Z,12.50,true,3,hello\r\n" + day + "1+01:00,,null,-4,\"a,\"\"b\"\"\"\n" + day + "2Z,1e3,false,007,\n",
			events: []string{day + "0.000Z speed 12.5", day + "0.000Z moving true", day + "0.000Z count 3", day + `0.000Z label "hello"`, day + "2.000Z speed 1000", day + "2.000Z moving false", day + "2.000Z count 7"},
			refused: []string{
				"drive.csv:3:1: time 2026-03-02T08:00:01.000Z is before that of the row before, 2026-03-02T09:00:00.000Z"},
		},
		"a bad cell leaves the rest of its row": {
			input:   "time;speed;presence\n" + day + "0Z;fast;true\n" + day + "1Z; 5 ;true\n",
			layout:  CSVLayout{Columns: map[string]CSVColumn{"speed": {Signal: "car.speed", Type: "double"}, "presence": {Type: "bool"}}},
			events:  []string{day + "0.000Z presence true", day + "1.000Z car.speed 5", day + "1.000Z presence true"},
			refused: []string{`drive.csv:2:22: "fast" is of type string, not double`},
		},
		"a bad row leaves the others": {
			input: "at,a\n" + day + "0Z,1\n" + day + "1Z\n" + day + "1Z,1,2\nnever,1\n" + day + "2Z,\"1\n" + day + "2Z,\"1\"x\n\n" + day + "3Z,2\n",
			events: []string{
				day + "0.000Z a 1", day + "3.000Z a 2"},
			refused: []string{"drive.csv:3:1: row has 1 cells, the header 2", "drive.csv:4:1: row has 3 cells, the header 2",
				`drive.csv:5:1: time "never" is not RFC 3339, as in 2026-03-02T10:00:00+01:00`,
				"drive.csv:6:22: a quoted cell does not end in its line", "drive.csv:7:25: a quoted cell goes on after its quotes"},
		},
		"columns count in code points": {
			input:   "at,label,n\n" + day + "0Z,äöü,x\n",
			layout:  CSVLayout{Columns: map[string]CSVColumn{"label": {}, "n": {Type: "int"}}},
			events:  []string{day + `0.000Z label "äöü"`},
			refused: []string{`drive.csv:2:26: "x" is of type string, not int`},
		},
		"place and session": {
			input:   "\ufefftime,lat,lon,accuracy,session\n1000,52.1,5.2,3.5,driver\n2000,91,5.2,,\n3000,52.1,,,\n4000,,,,\n5000,52,5,,two words\n6000,52,5,,\n",
			layout:  CSVLayout{TimeLayout: "unix_ms"},
			events:  []string{`1970-01-01T00:00:01.000Z position {"lat":52.1,"lon":5.2,"accuracy":3.5} driver`, `1970-01-01T00:00:06.000Z position {"lat":52,"lon":5}`},
			refused: []string{`drive.csv:3:6: lat "91" and lon "5.2" are no place`, `drive.csv:4:6: lat "52.1" and lon "" are no place`, `drive.csv:6:12: session "two words" has blanks or control characters, or more than 64 of them`},
		},
		"seconds and own layouts": {
			input: "t,a\n1.5,1\nNaN,1\n1e300,1\n", layout: CSVLayout{Time: "t", TimeLayout: "unix"},
			events:  []string{"1970-01-01T00:00:01.500Z a 1"},
			refused: []string{`drive.csv:3:1: time "NaN" is not a number of seconds or milliseconds since 1970`, `drive.csv:4:1: time "1e300" is not a number of seconds or milliseconds since 1970`},
		},
		"a date and time of the field": {
			input: "t\ta\n2015-02-04 17:51:00\t1\n2015\t1\n", layout: CSVLayout{Time: "t", TimeLayout: "2006-01-02 15:04:05"},
			events: []string{"2015-02-04T17:51:00.000Z a 1"}, refused: []string{`drive.csv:3:1: time "2015" is not of the form 2006-01-02 15:04:05`},
		},
		"a row too long": {
			input:   "at,a\n" + day + "0Z," + strings.Repeat("x", 200<<10) + "\n" + day + "1Z,1\n",
			events:  []string{day + "1.000Z a 1"},
			refused: []string{"drive.csv:2:1: row is longer than 65536 bytes"},
		},
	} {
		events, refused, err := readAll(c.input, c.layout)
		if err != nil || !slices.Equal(events, c.events) || !slices.Equal(refused, c.refused) {
			t.Errorf("%s: %v\n%s\n%s\nwant\n%s\n%s", name, err, strings.Join(events, "\n"), strings.Join(refused, "\n"), strings.Join(c.events, "\n"), strings.Join(c.refused, "\n"))
		}
	}
}

func TestReplayCSVHeader(t *testing.T) {
	for input, want := range map[string]string{
		"":                                 "there is no header row",
		"speed\n1\n":                       "drive.csv:1:1: no column gives the time",
		"at,a,a\n":                         `drive.csv:1:6: there are two columns "a"`,
		"at,Wheel Speed\n":                 `drive.csv:1:4: column "Wheel Speed" is not the name of a signal`,
		"at,\"a\n":                         "drive.csv:1:4: a quoted cell does not end",
		"at," + strings.Repeat("a", 1<<17): "the header is longer than 65536 bytes",
	} {
		if _, _, err := readAll(input, CSVLayout{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", input, err, want)
		}
	}
	if _, _, err := readAll("at,a\n", CSVLayout{Columns: map[string]CSVColumn{"b": {}}}); err == nil || !strings.Contains(err.Error(), `there is no column "b"`) {
		t.Errorf("error %v", err)
	}
	full := errors.New("full")
	err := ReplayCSV(strings.NewReader("at,a\n2026-03-02T09:00:00Z,1\n"), "x", CSVLayout{}, Sink{Emit: func(event.Event) error { return full }})
	if err != full {
		t.Errorf("error %v, want %v", err, full)
	}
	if err := ReplayCSV(io.MultiReader(strings.NewReader("at,a\n"), failing{}), "x", CSVLayout{}, Sink{}); err == nil || !strings.Contains(err.Error(), "read x: torn cable") {
		t.Errorf("error %v", err)
	}
}

// FuzzCSV: no log makes the reader fail or lets time go back.
func FuzzCSV(f *testing.F) {
	f.Add("at,a\n2026-03-02T09:00:00Z,1\n")
	f.Add("time;lat;lon;session\n2026-03-02T09:00:00Z;\"52.1\";5;x\n")
	f.Add("at\ta\n\"2026-03-02T09:00:00Z\"\t\"\"\"\"\n")
	f.Fuzz(func(t *testing.T, input string) {
		last := int64(-1 << 62)
		err := ReplayCSV(strings.NewReader(input), "x", CSVLayout{}, Sink{Refuse: func(error) {}, Emit: func(e event.Event) error {
			if int64(e.At) < last || !e.HasAt {
				t.Errorf("time goes back to %s", e.At)
			}
			last = int64(e.At)
			if back, err := event.ParseLine(event.AppendLine(nil, e)); err != nil || back.At != e.At {
				t.Errorf("event does not read back: %v", err)
			}
			return nil
		}})
		if err != nil && !strings.HasPrefix(err.Error(), "x:") && !strings.HasPrefix(err.Error(), "read x:") {
			t.Errorf("error %v names no place", err)
		}
	})
}
