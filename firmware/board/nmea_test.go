package board

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/adrianmo/go-nmea"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// sum makes a sentence of a body: $body*checksum.
func sum(body string) string {
	var x byte
	for k := range len(body) {
		x ^= body[k]
	}
	return fmt.Sprintf("$%s*%02X", body, x)
}

func log(bodies ...string) (out string) {
	for _, b := range bodies {
		out += sum(b) + "\r\n"
	}
	return out
}

// print writes readings as lines: at signal value.
func printed(readings []told) string {
	var b strings.Builder
	for _, r := range readings {
		fmt.Fprintf(&b, "%s %s %s\n", r.at, r.signal, r.value)
	}
	return b.String()
}

const (
	rmc1 = "GPRMC,120000.00,A,5205.5000,N,00507.2500,E,10.0,90.0,020326,,,A"
	rmc2 = "GPRMC,120001.00,A,5205.5010,N,00507.2500,E,10.0,90.0,020326,,,A"
	gga2 = "GPGGA,120001.00,5205.5010,N,00507.2500,E,1,08,1.5,12.3,M,47.0,M,,"
)

// one RMC: 5205.5000 N is 52 + 5.5/60 degrees, 10 knots are 18.52 km/h.
const rmc1Readings = `2026-03-02T12:00:00.000Z position {"lat":52.0916667,"lon":5.1208333}
2026-03-02T12:00:00.000Z speed 18.52
2026-03-02T12:00:00.000Z course 90
`

func TestNMEAFraming(t *testing.T) {
	s := sum(rmc1)
	lower := s[:len(s)-2] + strings.ToLower(s[len(s)-2:])
	star := strings.LastIndex(s, "*")
	for name, c := range map[string]struct {
		input string
		want  string
		count NMEACounters
	}{
		"plain":                 {s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1}},
		"no line end":           {s, rmc1Readings, NMEACounters{Sentences: 1}},
		"LF":                    {s + "\n", rmc1Readings, NMEACounters{Sentences: 1}},
		"CR CR LF":              {s + "\r\r\n", rmc1Readings, NMEACounters{Sentences: 1}},
		"lone CR":               {s + "\r", rmc1Readings, NMEACounters{Sentences: 1}},
		"lower-case checksum":   {lower + "\r\n", rmc1Readings, NMEACounters{Sentences: 1}},
		"spliced":               {"$GPGGA,12" + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Resyncs: 1, Skipped: 9}},
		"missing line end":      {sum("GPTXT,hello") + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 2}},
		"AIS without line end":  {s + "!AIVDM,1,1,,B,13,0*1F\r\n", rmc1Readings, NMEACounters{Sentences: 1, BadChecksums: 1, Skipped: 21}},
		"bang in a text":        {strings.Replace(log("GPTXT,01,01,02,hi! there"), "\r\n", "", 1) + s, rmc1Readings, NMEACounters{Sentences: 2}},
		"binary before":         {"\xb5\x62\x01\x00$\x02" + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Resyncs: 1, Skipped: 6}},
		"binary after":          {s + "\xb5\x62\x01\r\n", rmc1Readings, NMEACounters{Sentences: 1, Skipped: 3}},
		"leading blanks":        {"  " + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Skipped: 2}},
		"trailing text":         {s + " 1234\r\n", rmc1Readings, NMEACounters{Sentences: 1}},
		"tag block":             {`\s:r1,c:1577836800*5A\` + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Skipped: 22}},
		"commented out":         {"# " + s + "\r\n", "", NMEACounters{}},
		"comment, then binary":  {"#\x01" + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Skipped: 1}},
		"hash within a line":    {"x#" + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Skipped: 2}},
		"no checksum":           {s[:star] + "\r\n", "", NMEACounters{NoChecksum: 1, Skipped: uint64(star)}},
		"half a checksum":       {s[:star+2] + "\r\n", "", NMEACounters{BadChecksums: 1, Skipped: uint64(star + 2)}},
		"no hexadecimal digits": {s[:star+1] + "3)\r\n", "", NMEACounters{BadChecksums: 1, Skipped: uint64(star + 3)}},
		"wrong checksum":        {strings.Replace(s, "10.0", "11.0", 1) + "\r\n", "", NMEACounters{BadChecksums: 1, Skipped: uint64(len(s))}},
		"endless sentence":      {"$" + strings.Repeat("A", 5000) + s + "\r\n", rmc1Readings, NMEACounters{Sentences: 1, Resyncs: 1, Skipped: 5001}},
		"only dollars":          {"$$$" + s, rmc1Readings, NMEACounters{Sentences: 1, Resyncs: 3, Skipped: 3}},
		"nothing":               {"", "", NMEACounters{}},
	} {
		for _, chunk := range []int{1, 7, 64, 4096} {
			got, count := replay(t, []byte(c.input), chunk)
			if printed(got) != c.want || count != c.count {
				t.Errorf("%s in pieces of %d:\n%s%+v\nwant\n%s%+v", name, chunk, printed(got), count, c.want, c.count)
			}
		}
	}
}

// TestNMEALines: before the first date the time is the line number, and a line
// ends with LF, CR LF, CR CR LF or CR.
func TestNMEALines(t *testing.T) {
	void := sum("GPRMC,,V,,,,,,,,,,N")
	for input, want := range map[string]string{
		void:                               "1970-01-01T00:00:00.001Z",
		"\n\n" + void:                      "1970-01-01T00:00:00.003Z",
		"# a\r\n# b\r\n" + void:            "1970-01-01T00:00:00.003Z",
		"# a\r\r\n# b\r\r\n" + void:        "1970-01-01T00:00:00.003Z",
		"# a\r# b\r" + void:                "1970-01-01T00:00:00.003Z",
		"# a\r\r# b\n\xff\n" + void + "\n": "1970-01-01T00:00:00.004Z",
	} {
		got, _ := replay(t, []byte(input), 1)
		if len(got) != 4 || got[0].at.String() != want {
			t.Errorf("%q: %s, want four readings at %s", input, printed(got), want)
		}
	}
}

func TestNMEAReadings(t *testing.T) {
	const unknown = `1970-01-01T00:00:00.001Z position null
1970-01-01T00:00:00.001Z speed null
1970-01-01T00:00:00.001Z course null
1970-01-01T00:00:00.001Z altitude null
`
	for name, c := range map[string]struct {
		input string
		want  string
	}{
		"no fix is said once":                           {log("GPRMC,,V,,,,,,,,,,N", "GPGGA,,,,,,0,00,99.99,,,,,,", "GPGLL,,,,,,V,N", "GPRMC,,V,,,,,,,,,,N"), unknown},
		"a fix without a date is unknown":               {log("GPGGA,120000,5205.5,N,00507.25,E,1,08,1,12,M,47,M,,", "GPGLL,5205.5,N,00507.25,E,120001,A,A"), unknown},
		"a valid place with quality 0":                  {log("GPZDA,120000.00,02,03,2026,00,00", "GPGGA,120000.00,5205.5,N,00507.25,E,0,00,,,M,,M,,", "GPGGA,120001.00,5205.5,N,00507.25,E,,,,,,,,,"), "2026-03-02T12:00:00.000Z position null\n2026-03-02T12:00:00.000Z speed null\n2026-03-02T12:00:00.000Z course null\n2026-03-02T12:00:00.000Z altitude null\n"},
		"any talker, proprietary ones and unknown ones": {log("PGRME,15.0,M,45.0,M,25.0,M", "PMTK001,604,3", strings.Replace(rmc1, "GP", "GB", 1), "XXFOO,1", "P", ""), rmc1Readings},
		"letters for a speed": {log(strings.Replace(rmc1, "10.0", "XXXXX", 1)), `2026-03-02T12:00:00.000Z position {"lat":52.0916667,"lon":5.1208333}
2026-03-02T12:00:00.000Z speed null
2026-03-02T12:00:00.000Z course 90
`},
		"south and west, no course": {log("GNRMC,235959.999,A,3352.12345678,S,15112.98765432,W,0.004,,311299,,,D,V"), `1999-12-31T23:59:59.999Z position {"lat":-33.8687243,"lon":-151.2164609}
1999-12-31T23:59:59.999Z speed 0.007
1999-12-31T23:59:59.999Z course null
`},
		"fix lost and found": {log(rmc1, "GPRMC,120001.00,V,,,,,,,020326,,,N", "GPRMC,120002.00,V,,,,,,,020326,,,N", "GPRMC,120003.00,A,5205.5000,N,00507.2500,E,0.0,,020326,,,A"), rmc1Readings + `2026-03-02T12:00:00.000Z position null
2026-03-02T12:00:00.000Z speed null
2026-03-02T12:00:00.000Z course null
2026-03-02T12:00:00.000Z altitude null
2026-03-02T12:00:03.000Z position {"lat":52.0916667,"lon":5.1208333}
2026-03-02T12:00:03.000Z speed 0
`},
		"GGA beside RMC gives altitude and accuracy, not a second position": {log(rmc1, gga2, rmc2), rmc1Readings + `2026-03-02T12:00:00.000Z altitude 12.3
2026-03-02T12:00:01.000Z position {"lat":52.0916833,"lon":5.1208333,"accuracy":9}
2026-03-02T12:00:01.000Z speed 18.52
2026-03-02T12:00:01.000Z course 90
`},
		"accuracy from GST goes before HDOP: twice the root of 3 squared and 4 squared": {log(rmc1, gga2, "GPGST,120001.00,1.0,,,,3.0,4.0,5.0", rmc2), rmc1Readings + `2026-03-02T12:00:00.000Z altitude 12.3
2026-03-02T12:00:01.000Z position {"lat":52.0916833,"lon":5.1208333,"accuracy":10}
2026-03-02T12:00:01.000Z speed 18.52
2026-03-02T12:00:01.000Z course 90
`},
		"accuracy from GSA; 99.99 is none": {log(rmc1, "GPGSA,A,3,01,02,03,04,,,,,,,,,2.0,1.0,1.7", "GPGSA,A,3,01,02,03,04,,,,,,,,,99.99,99.99,99.99", rmc2), rmc1Readings + `2026-03-02T12:00:01.000Z position {"lat":52.0916833,"lon":5.1208333,"accuracy":6}
2026-03-02T12:00:01.000Z speed 18.52
2026-03-02T12:00:01.000Z course 90
`},
		"older is dropped": {log(rmc2, rmc1, "GPGGA,115959.00,5300.0,N,00600.0,E,1,08,1.5,12.3,M,47.0,M,,", "GPVTG,45.0,T,,M,5.0,N,9.3,K,A"), `2026-03-02T12:00:01.000Z position {"lat":52.0916833,"lon":5.1208333}
2026-03-02T12:00:01.000Z speed 18.52
2026-03-02T12:00:01.000Z course 90
2026-03-02T12:00:01.000Z altitude 12.3
`},
		"GGA, ZDA and VTG without RMC; midnight": {log("GPZDA,235959.00,28,02,2028,00,00", "GPGGA,235959.00,5205.5,N,00507.25,E,1,08,,,M,,M,,", "GPVTG,90.0,T,,M,10.0,N,18.5,K,A", "GPGGA,000000.00,5205.6,N,00507.25,E,1,08,,,M,,M,,"), `2028-02-28T23:59:59.000Z altitude null
2028-02-28T23:59:59.000Z speed 18.52
2028-02-28T23:59:59.000Z course 90
2028-02-28T23:59:59.000Z position {"lat":52.0916667,"lon":5.1208333}
2028-02-29T00:00:00.000Z position {"lat":52.0933333,"lon":5.1208333}
`},
		"GNS alone with Galileo; unsafe is void": {log("GPZDA,120000.00,02,03,2026,00,00", "GNGNS,120000.00,5205.5,N,00507.25,E,NNA,06,1.0,33.0,47,,,V", "GNGNS,120001.00,5205.5,N,00507.25,E,NNA,06,1.0,33.0,47,,,V", "GNGNS,120002.00,5205.5,N,00507.25,E,NNA,06,1.0,33.0,47,,,U"), `2026-03-02T12:00:00.000Z altitude 33
2026-03-02T12:00:00.000Z position {"lat":52.0916667,"lon":5.1208333,"accuracy":6}
2026-03-02T12:00:01.000Z position {"lat":52.0916667,"lon":5.1208333,"accuracy":6}
2026-03-02T12:00:01.000Z altitude 33
2026-03-02T12:00:01.000Z position null
2026-03-02T12:00:01.000Z speed null
2026-03-02T12:00:01.000Z course null
2026-03-02T12:00:01.000Z altitude null
`},
		"GLL alone, its last fix without a line after it": {log("GPZDA,120000.00,02,03,2026,00,00", "GPGLL,5205.5,N,00507.25,E,120000.00,A"), `2026-03-02T12:00:00.000Z position {"lat":52.0916667,"lon":5.1208333}
`},
		"ZDA two seconds ahead of RMC has no say": {log(rmc1, "GPZDA,120002.00,02,03,2026,00,00", rmc2), rmc1Readings + `2026-03-02T12:00:01.000Z position {"lat":52.0916833,"lon":5.1208333}
2026-03-02T12:00:01.000Z speed 18.52
2026-03-02T12:00:01.000Z course 90
`},
		"a day that does not exist, minutes over 59, latitude over 90": {log(
			"GPRMC,120000,A,5205.5,N,00507.25,E,1,1,310226,,,A", "GPRMC,120000,A,5265.5,N,00507.25,E,1,1,020326,,,A",
			"GPRMC,120000,A,9105.5,N,00507.25,E,1,1,020326,,,A", "GPRMC,126000,A,5205.5,N,00507.25,E,1,1,020326,,,A",
			"GPRMC,120000,A,5205.5,X,00507.25,E,1,1,020326,,,A", "GPRMC,120000,A,-5205.5,N,00507.25,E,1,1,020326,,,A", "GPRMC,120000,A,5205.5,N,00507.25,E,1,1,060170,,,A"), ""},
	} {
		got, count := replay(t, []byte(c.input), 0)
		if printed(got) != c.want {
			t.Errorf("%s:\n%swant\n%s%+v", name, printed(got), c.want, count)
		}
	}
}

func TestNMEACounts(t *testing.T) {
	_, got := replay(t, []byte(log(rmc2, rmc1, "GPGGA,,,,,,0,00,99.99,,,,,,", "GPRMC,126000,A,5205.5,N,00507.25,E,1,1,020326,,,A")), 0)
	if want := (NMEACounters{Sentences: 4, Older: 1, Void: 1, Malformed: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// plotter makes an RMC of instant s whose place is that of GGA and GLL a second earlier.
func plotter(s, rmcPlace, otherPlace int) string {
	return log(fmt.Sprintf("GPRMC,1200%02d,A,5205.%04d,N,00507.2500,E,10.0,90.0,020326,,,A", s, rmcPlace),
		fmt.Sprintf("GPGGA,1200%02d,5205.%04d,N,00507.2500,E,1,08,,,M,,M,,", s, otherPlace),
		fmt.Sprintf("GPGLL,5205.%04d,N,00507.2500,E,1200%02d,A,A", otherPlace, s))
}

// TestNMEAPlotter: a receiver that stamps RMC ahead is found out in its first
// instant; from then on there is still one position for each RMC, from GGA.
func TestNMEAPlotter(t *testing.T) {
	lat := func(input string) (out []int32) {
		got, _ := replay(t, []byte(input), 0)
		for _, r := range got {
			if r.signal == SignalPosition {
				out = append(out, r.value.Point().Lat)
			}
		}
		return out
	}
	// 0.0010' are 167e-7 degrees.
	if got, want := lat(plotter(0, 0, 10)+plotter(1, 10, 20)+plotter(2, 20, 30)), []int32{520833333, 520833667, 520833833}; !slices.Equal(got, want) {
		t.Errorf("ahead: latitudes %v, want %v", got, want)
	}
	if got, want := lat(plotter(0, 0, 0)+plotter(1, 10, 10)), []int32{520833333, 520833500}; !slices.Equal(got, want) {
		t.Errorf("agreeing: latitudes %v, want %v", got, want)
	}
	// Without the other sentences RMC's own place counts again, when its instant is over.
	alone := strings.Split(plotter(1, 10, 20), "\n")[0] + "\n" + strings.Split(plotter(2, 20, 30), "\n")[0] + "\n" + strings.Split(plotter(3, 30, 40), "\n")[0] + "\n"
	if got, want := lat(plotter(0, 0, 10)+alone), []int32{520833333, 520833500, 520833667, 520833833}; !slices.Equal(got, want) {
		t.Errorf("then alone: latitudes %v, want %v", got, want)
	}
}

// TestNMEARollover: dates that jump by more than 1,000 weeks make everything
// unknown, and are believed when five in a row insist.
func TestNMEARollover(t *testing.T) {
	at := func(second int, date string) string {
		return log(fmt.Sprintf("GPRMC,1200%02d,A,5205.5,N,00507.25,E,1.0,1.0,%s,,,A", second, date))
	}
	// 2026-03-02 less 1,024 weeks is 2006-07-17.
	input := at(0, "020326") + at(1, "170706") + at(2, "170706") + at(3, "020326")
	got, count := replay(t, []byte(input), 0)
	want := []string{"known", "null", "known"}
	if states := positionStates(got); !slices.Equal(states, want) || count.OffDates != 2 {
		t.Errorf("position %v, want %v; counted %+v", states, want, count)
	}
	input = at(0, "170706")
	for s := 1; s <= 6; s++ {
		input += at(s, "020326")
	}
	got, count = replay(t, []byte(input), 0)
	if states := positionStates(got); !slices.Equal(states, []string{"known", "null", "known", "known"}) || count.OffDates != 4 {
		t.Errorf("position %v, counted %+v", states, count)
	}
	if last := got[len(got)-1].at.String(); last != "2026-03-02T12:00:06.000Z" {
		t.Errorf("last reading at %s", last)
	}
}

func positionStates(readings []told) (out []string) {
	for _, r := range readings {
		if r.signal == SignalPosition {
			out = append(out, map[bool]string{true: "null", false: "known"}[r.value.IsNull()])
		}
	}
	return out
}

// TestNMEAReference: dates are held against the device's clock where it is known.
func TestNMEAReference(t *testing.T) {
	reference, err := sense.ParseInstant("2026-03-02T00:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	d := NewNMEA(false, reference)
	var got []told
	emit := func(r Reading) error {
		got = append(got, told{r.At, r.Signal, r.Value, r.Age})
		return nil
	}
	for range 8 {
		if err := d.Push([]byte("\n"+log("GPRMC,120000,A,5205.5,N,00507.25,E,1.0,1.0,170706,,,A")), emit); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 4 || got[0].at != 2 || !got[0].value.IsNull() || d.Counters().OffDates != 8 {
		t.Errorf("%s%+v, want unknown at line 2", printed(got), d.Counters())
	}
	if err := d.Push([]byte(log(rmc1)), emit); err != nil {
		t.Fatal(err)
	}
	if states := positionStates(got); !slices.Equal(states, []string{"null", "known"}) {
		t.Errorf("position %v", states)
	}
}

// TestNMEALive: a live receiver without a date gives positions, over midnight
// too, and a reading that waited says how old it is.
func TestNMEALive(t *testing.T) {
	d := NewNMEA(true, 0)
	var got []told
	emit := func(r Reading) error {
		got = append(got, told{0, r.Signal, r.Value, r.Age})
		return nil
	}
	input := log("GPGLL,5205.5,N,00507.25,E,235959.00,A", "GPGLL,5205.6,N,00507.25,E,000000.00,A", "GPGLL,5205.5,N,00507.25,E,235959.00,A") + log(rmc1, rmc2)
	if err := d.Push([]byte(input), emit); err != nil {
		t.Fatal(err)
	}
	if states := positionStates(got); len(states) != 4 || slices.Contains(states, "null") {
		t.Errorf("positions %v of\n%s", states, printed(got))
	}
	if c := d.Counters(); c.Older != 1 {
		t.Errorf("counted %+v, want one older", c)
	}
	if got[0].age != 0 {
		t.Errorf("first reading is %s old", got[0].age)
	}
}

// TestNMEALiveClockSetBack: a receiver that once was ahead of time is believed
// again, live; in a log its later readings stay older.
func TestNMEALiveClockSetBack(t *testing.T) {
	input := log("GPRMC,120000.00,A,5205.5000,N,00507.2500,E,10.0,90.0,020327,,,A")
	for s := range 40 {
		input += log(fmt.Sprintf("GPRMC,1200%02d.00,A,5206.0000,N,00507.2500,E,10.0,90.0,020326,,,A", s))
	}
	for live, want := range map[bool]int{true: 1 + 40 - (olderInsists - 1), false: 1} {
		d := NewNMEA(live, 0)
		var got []told
		if err := d.Push([]byte(input), func(r Reading) error {
			got = append(got, told{0, r.Signal, r.Value, r.Age})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n := len(positionStates(got)); n != want {
			t.Errorf("live %v: %d positions, want %d", live, n, want)
		}
	}
}

func TestNMEAEmitFails(t *testing.T) {
	full := errors.New("full")
	calls := 0
	_, err := ReplayNMEA(strings.NewReader(log(rmc1, rmc2)), 0, func(event.Event) error { calls++; return full })
	if err != full || calls != 1 {
		t.Errorf("error %v after %d calls, want %v after 1", err, calls, full)
	}
	_, err = ReplayNMEA(io.MultiReader(strings.NewReader(log(rmc1)), failing{}), 0, func(event.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "read NMEA log: torn cable") {
		t.Errorf("error %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("torn cable") }

// TestNMEAAgreesWithLibrary holds places, times and speeds against a well-known
// library that reads the same sentences.
func TestNMEAAgreesWithLibrary(t *testing.T) {
	for _, body := range []string{rmc1, rmc2,
		"GNRMC,235959.999,A,3352.12345678,S,15112.98765432,W,0.004,12.5,311219,,,D,V",
		"GPRMC,000000,A,0000.0000,N,00000.0001,W,123.45,359.99,010100,,",
		"GPRMC,120000,A,9000.0000,S,18000.0000,E,0,0,010126,,,A",
	} {
		s, err := nmea.Parse(sum(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want := s.(nmea.RMC)
		got, _ := replay(t, []byte(sum(body)), 0)
		p := got[0].value.Point()
		if math.Abs(float64(p.Lat)/1e7-want.Latitude) > 1e-7 || math.Abs(float64(p.Lon)/1e7-want.Longitude) > 1e-7 {
			t.Errorf("%s: at %v, library %v %v", body, got[0].value, want.Latitude, want.Longitude)
		}
		if at := fmt.Sprintf("%02d:%02d:%02d.%03d", want.Time.Hour, want.Time.Minute, want.Time.Second, want.Time.Millisecond); !strings.Contains(got[0].at.String(), at) {
			t.Errorf("%s: at %s, library %s", body, got[0].at, at)
		}
		if speed := got[1].value.Double(); math.Abs(speed-want.Speed*1.852) > 6e-4 {
			t.Errorf("%s: %v km/h, library %v knots", body, speed, want.Speed)
		}
	}
}

func TestDateOf(t *testing.T) {
	for text, want := range map[string]string{
		"060180": "1980-01-06", "010100": "2000-01-01", "290200": "2000-02-29", "290224": "2024-02-29",
		"311268": "2068-12-31", "010399": "1999-03-01",
	} {
		day, ok := shortDate([]byte(text))
		if got := day.String()[:10]; !ok || got != want {
			t.Errorf("%s is %s %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"050180", "290225", "000126", "011326", "310426", "01012", "0101266", "aa0126", ""} {
		if day, ok := shortDate([]byte(text)); ok {
			t.Errorf("%q is taken for %s", text, day)
		}
	}
}

func TestMicro(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1e6, "-12.5": -125e5, ".5": 5e5, "5.": 5e6, "1.2345678": 1234567, "000.1": 1e5} {
		if got, ok := micro([]byte(text)); !ok || got != want {
			t.Errorf("%q is %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-", ".", "--1", "1e5", "1.2.3", "+1", "12345678901234", "9999999999", "1.x", "NaN"} {
		if got, ok := micro([]byte(text)); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// TestNMEAAllocatesNothing: a device decodes for years.
func TestNMEAAllocatesNothing(t *testing.T) {
	d := NewNMEA(true, 0)
	input := []byte(busy())
	emit := func(Reading) error { return nil }
	if n := testing.AllocsPerRun(20, func() {
		if err := d.Push(input, emit); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a push, want none", n)
	}
}

// busy is what a receiver says in one second.
func busy() string {
	return log(rmc1, "GPVTG,90.0,T,,M,10.0,N,18.5,K,A", strings.Replace(gga2, "120001", "120000", 1),
		"GPGSA,A,3,01,02,03,04,,,,,,,,,2.0,1.0,1.7", "GPGSV,3,1,12,28,14,150,41,09,15,254,41,10,43,192,47,13,06,081,36",
		"GPGSV,3,2,12,02,56,323,,04,41,024,,12,31,317,,17,31,085,", "GPGLL,5205.5000,N,00507.2500,E,120000.00,A,A", "GPZDA,120000.00,02,03,2026,00,00")
}

func BenchmarkNMEA(b *testing.B) {
	input := []byte(busy())
	sentences := bytes.Count(input, []byte("\n"))
	d := NewNMEA(true, 0)
	emit := func(Reading) error { return nil }
	b.ReportAllocs()
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		if err := d.Push(input, emit); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sentences), "ns/sentence")
}

// FuzzNMEA: no input makes the decoder fail, lets time go back, gives a place off
// the earth, or depends on how it is cut.
func FuzzNMEA(f *testing.F) {
	f.Add([]byte(busy()), uint8(1))
	f.Add([]byte(plotter(0, 0, 10)+plotter(1, 10, 20)), uint8(7))
	f.Add([]byte(log("GPZDA,235959.00,28,02,2028,00,00", "GPGGA,000000.00,5205.6,N,00507.25,E,1,08,,,M,,M,,", "GNGNS,000001,5205.5,N,00507.25,E,NNA,06,1.0,33.0,47,,,V")), uint8(64))
	f.Add([]byte("$GPGGA,12"+sum(rmc1)+"\r\r\n# x\r\n\xb5\x62$"), uint8(3))
	f.Add([]byte(log("GPRMC,120000,A,5205.5,N,00507.25,E,1.0,1.0,170706,,,A", rmc1)), uint8(200))
	f.Fuzz(func(t *testing.T, input []byte, chunk uint8) {
		// Most mutations break the checksum: mend it, so that the fields are reached.
		input = mend(input)
		want, wantCount := replay(t, input, 0)
		got, count := replay(t, input, int(chunk)+1)
		if !slices.EqualFunc(got, want, sameTold) || count != wantCount {
			t.Errorf("in pieces of %d:\n%s\nwhole:\n%s", int(chunk)+1, printed(got), printed(want))
		}
		if count.Skipped > uint64(len(input)) {
			t.Errorf("%d bytes skipped of %d", count.Skipped, len(input))
		}
		for _, r := range want {
			if r.age < 0 || r.age > 2*sense.Day {
				t.Errorf("age %s", r.age)
			}
			switch p := r.value.Point(); r.signal {
			case SignalPosition:
				if p.Lat > 90e7 || p.Lat < -90e7 || p.Lon > 180e7 || p.Lon < -180e7 || r.value.Accuracy() < sense.NoAccuracy {
					t.Errorf("place %s", r.value)
				}
			case SignalCourse:
				if !r.value.IsNull() && !(r.value.Double() >= 0 && r.value.Double() < 360) {
					t.Errorf("course %s", r.value)
				}
			case SignalSpeed:
				if !r.value.IsNull() && !(r.value.Double() >= 0) {
					t.Errorf("speed %s", r.value)
				}
			}
		}
	})
}

// mend gives each line that has a star the right checksum.
func mend(input []byte) []byte {
	lines := bytes.Split(input, []byte("\n"))
	for k, l := range lines {
		start, star := bytes.LastIndexByte(l, '$'), bytes.LastIndexByte(l, '*')
		if start < 0 || star < start || len(l) < star+3 {
			continue
		}
		var x byte
		for _, c := range l[start+1 : star] {
			x ^= c
		}
		mended := bytes.Clone(l)
		copy(mended[star+1:], fmt.Sprintf("%02X", x))
		lines[k] = mended
	}
	return bytes.Join(lines, []byte("\n"))
}
