package board

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// fieldLogs returns the recorded NMEA logs, or skips where there are none here.
func fieldLogs(t *testing.T, pattern string) []string {
	root := os.Getenv("TACT_FIELD_DATA")
	if root == "" {
		t.Skip("TACT_FIELD_DATA names no folder of field data: run `make field`")
	}
	logs, err := filepath.Glob(filepath.Join(root, "nmea", pattern))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs in %s/nmea/%s: %v", root, pattern, err)
	}
	return logs
}

// told is one reading of a replay.
type told struct {
	at     sense.Instant
	signal string
	value  sense.Value
	age    sense.Duration
}

func replay(t testing.TB, input []byte, chunk int) ([]told, NMEACounters) {
	t.Helper()
	var out []told
	count, err := ReplayNMEA(bytes.NewReader(input), chunk, func(e event.Event) error {
		s := e.Body.(*event.Signal)
		if !e.HasAt || e.Session != event.MainSession {
			t.Errorf("event without time or session: %+v", e)
		}
		out = append(out, told{e.At, s.Name, s.Value, s.Age})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; k < len(out); k++ {
		if out[k].at < out[k-1].at {
			t.Errorf("at goes back from %s to %s", out[k-1].at, out[k].at)
		}
	}
	return out, count
}

// validRMC is an RMC sentence as a reader that knows nothing of this package sees it.
type validRMC struct {
	at       time.Time
	lat, lon float64
}

func validRMCs(input []byte) (out []validRMC) {
	lines := strings.FieldsFunc(string(input), func(r rune) bool { return r == '\r' || r == '\n' })
	for _, l := range lines {
		if strings.HasPrefix(l, "#") {
			continue
		}
		l = l[strings.LastIndex(l, "$")+1:]
		body, sum, ok := strings.Cut(l, "*")
		if !ok || len(body) < 5 || body[2:5] != "RMC" || len(sum) < 2 {
			continue
		}
		var x byte
		for k := range len(body) {
			x ^= body[k]
		}
		if want, err := strconv.ParseUint(sum[:2], 16, 8); err != nil || byte(want) != x {
			continue
		}
		f := strings.Split(body, ",")
		if f[2] != "A" {
			continue
		}
		at, err := time.Parse("020106150405", f[9]+f[1][:6])
		if err != nil {
			continue
		}
		frac, _ := strconv.ParseFloat("0"+f[1][6:], 64)
		side := map[string]float64{"N": 1, "S": -1, "E": 1, "W": -1}
		lat, _ := strconv.ParseFloat(f[3][2:], 64)
		lon, _ := strconv.ParseFloat(f[5][3:], 64)
		latDeg, _ := strconv.Atoi(f[3][:2])
		lonDeg, _ := strconv.Atoi(f[5][:3])
		out = append(out, validRMC{
			at:  at.Add(time.Duration(frac * float64(time.Second)).Round(time.Millisecond)),
			lat: side[f[4]] * (float64(latDeg) + lat/60),
			lon: side[f[6]] * (float64(lonDeg) + lon/60),
		})
	}
	return out
}

// gpsdFixes returns what gpsd made of a log: the places of its TPV reports by time.
func gpsdFixes(t *testing.T, log string) map[string][][2]float64 {
	f, err := os.Open(log + ".chk")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][][2]float64{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var tpv struct {
			Class, Time string
			Mode        int
			Lat, Lon    *float64
		}
		if json.Unmarshal(lines.Bytes(), &tpv) == nil && tpv.Class == "TPV" && tpv.Lat != nil && tpv.Time != "" {
			out[tpv.Time] = append(out[tpv.Time], [2]float64{*tpv.Lat, *tpv.Lon})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// rolledOver are the logs whose dates gpsd moves by 1,024 GPS weeks.
var rolledOver = map[string]bool{"rst39.log": true}

// TestFieldNMEAMatchesGpsd: the n-th valid RMC gives the position of gpsd's TPV
// of the same time within 2e-5 degrees for 97 % of them; every miss has its reason.
func TestFieldNMEAMatchesGpsd(t *testing.T) {
	var hits, byNumber, compared, alone, unexplained int
	for _, log := range fieldLogs(t, "gpsd/*.log") {
		name := filepath.Base(log)
		input, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		fixes := gpsdFixes(t, log)
		at := map[string]sense.Value{}
		var positions []sense.Value
		out, count := replay(t, input, 0)
		for _, r := range out {
			if r.signal == SignalPosition && !r.value.IsNull() {
				at[r.at.String()] = r.value
				positions = append(positions, r.value)
			}
		}
		rmcs := validRMCs(input)
		t.Logf("%s: %d valid RMC, %d positions, %+v", name, len(rmcs), len(positions), count)
		newest := time.Time{}
		for n, r := range rmcs {
			key := r.at.Format("2006-01-02T15:04:05.000Z")
			gpsdKey := key
			if rolledOver[name] {
				gpsdKey = r.at.AddDate(0, 0, 7*1024).Format("2006-01-02T15:04:05.000Z")
			}
			want, ok := fixes[gpsdKey]
			older := r.at.Before(newest)
			if !older {
				newest = r.at
			}
			if !ok {
				alone++
				t.Logf("  RMC %d at %s: gpsd reports no TPV of that time", n+1, key)
				continue
			}
			compared++
			near := func(v sense.Value) bool {
				return slices.ContainsFunc(want, func(w [2]float64) bool {
					p := v.Point()
					return abs(float64(p.Lat)/1e7-w[0]) <= 2e-5 && abs(float64(p.Lon)/1e7-w[1]) <= 2e-5
				})
			}
			if n < len(positions) && near(positions[n]) {
				byNumber++
			}
			if v, ok := at[key]; ok && near(v) {
				hits++
				continue
			}
			w := want[len(want)-1]
			switch rmcNear := slices.ContainsFunc(want, func(w [2]float64) bool { return abs(r.lat-w[0]) <= 2e-5 && abs(r.lon-w[1]) <= 2e-5 }); {
			case older:
				t.Logf("  RMC %d at %s: miss: older than the reading before it, which it may not replace", n+1, key)
			case !rmcNear:
				t.Logf("  RMC %d at %s: miss: the sentence itself says %.7f %.7f, gpsd took %.7f %.7f from another sentence of that time", n+1, key, r.lat, r.lon, w[0], w[1])
			default:
				unexplained++
				t.Errorf("  RMC %d at %s: miss without a reason: gpsd has %v, decoder %s", n+1, key, want, at[key])
			}
		}
	}
	t.Logf("valid RMC with a TPV of the same time: %d; right %d (%.2f %%), by number %d (%.2f %%); without such a TPV: %d",
		compared, hits, percent(hits, compared), byNumber, percent(byNumber, compared), alone)
	if percent(hits, compared) < 97 || percent(byNumber, compared) < 97 {
		t.Errorf("right for %.2f %% by time, %.2f %% by number, want 97 %%", percent(hits, compared), percent(byNumber, compared))
	}
}

func percent(a, b int) float64 { return 100 * float64(a) / float64(b) }

func abs(f float64) float64 { return max(f, -f) }

// TestFieldNMEAInPieces: how the input is cut changes nothing.
func TestFieldNMEAInPieces(t *testing.T) {
	for _, log := range append(fieldLogs(t, "gpsd/*.log"), fieldLogs(t, "pynmeagps/*.log")...) {
		input, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		want, wantCount := replay(t, input, 0)
		for _, chunk := range []int{1, 7, 64, 4096} {
			got, count := replay(t, input, chunk)
			if !slices.EqualFunc(got, want, sameTold) || count != wantCount {
				t.Errorf("%s in pieces of %d bytes gives other readings", filepath.Base(log), chunk)
			}
		}
	}
}

func sameTold(a, b told) bool {
	return a.at == b.at && a.signal == b.signal && a.age == b.age && a.value.Equal(b.value)
}

// TestFieldNMEAWrongChecksums: a sentence with a wrong checksum is as one that
// says nothing: every third is spoiled, once in its place and once in its sum.
func TestFieldNMEAWrongChecksums(t *testing.T) {
	for _, log := range fieldLogs(t, "gpsd/*.log") {
		input, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var spoiled, blank [][]byte
		bad := uint64(0)
		for n, line := range bytes.SplitAfter(input, []byte("\n")) {
			star := bytes.LastIndexByte(line, '*')
			if n%3 != 0 || len(line) == 0 || line[0] != '$' || star < 8 || bytes.Count(line, []byte("$")) != 1 ||
				star+3 > len(line) || hex(line[star+1]) < 0 || hex(line[star+2]) < 0 {
				spoiled, blank = append(spoiled, line), append(blank, line)
				continue
			}
			broken := bytes.Clone(line)
			if n%2 == 0 {
				broken[7] ^= 1
			} else {
				broken[star+2] = "123456789ABCDEF0"[hex(broken[star+2])]
			}
			if broken[7] < ' ' || broken[7] > '~' {
				broken[7] = '0'
			}
			spoiled, blank = append(spoiled, broken), append(blank, []byte("\n"))
			bad++
		}
		got, gotCount := replay(t, bytes.Join(spoiled, nil), 0)
		want, wantCount := replay(t, bytes.Join(blank, nil), 0)
		if !slices.EqualFunc(got, want, sameTold) {
			t.Errorf("%s: sentences with a wrong checksum changed the readings", filepath.Base(log))
		}
		if gotCount.Sentences != wantCount.Sentences || gotCount.BadChecksums+gotCount.Resyncs < wantCount.BadChecksums+wantCount.Resyncs+bad*9/10 {
			t.Errorf("%s: %d spoiled, counted %+v, without them %+v", filepath.Base(log), bad, gotCount, wantCount)
		}
	}
}

// TestFieldNMEAWithoutFix: where gpsd reports no timed fix and no RMC is valid,
// the position is unknown, said once.
func TestFieldNMEAWithoutFix(t *testing.T) {
	found := 0
	for _, log := range fieldLogs(t, "gpsd/*.log") {
		input, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if len(gpsdFixes(t, log)) > 0 || len(validRMCs(input)) > 0 {
			continue
		}
		found++
		out, count := replay(t, input, 0)
		nulls := 0
		for _, r := range out {
			if r.signal != SignalPosition {
				continue
			}
			if !r.value.IsNull() {
				t.Errorf("%s: position %s at %s, though there is no fix", filepath.Base(log), r.value, r.at)
			}
			nulls++
		}
		if nulls != 1 {
			t.Errorf("%s: unknown said %d times, want once (%+v)", filepath.Base(log), nulls, count)
		}
	}
	if found == 0 {
		t.Error("no log without a fix among the field data")
	}
}

// midLine are the sentences that begin within a line, after a spliced one or a
// stray byte: the manifest counts whole lines only, gpsd takes them as well.
var midLine = map[string]uint64{"isync": 1, "tomtom-mkII": 1}

// TestFieldNMEAManifest: the sentences with a right checksum are as many as an
// independent count says.
func TestFieldNMEAManifest(t *testing.T) {
	logs := fieldLogs(t, "gpsd/*.log")
	f, err := os.Open(filepath.Join(filepath.Dir(filepath.Dir(logs[0])), "MANIFEST.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan()
	for lines.Scan() {
		cell := strings.Split(lines.Text(), ",")
		input, err := os.ReadFile(filepath.Join(filepath.Dir(logs[0]), cell[0]+".log"))
		if err != nil {
			t.Fatal(err)
		}
		_, count := replay(t, input, 0)
		if got := fmt.Sprint(count.Sentences - midLine[cell[0]]); got != cell[3] {
			t.Errorf("%s: %s sentences with a right checksum, manifest says %s (%+v)", cell[0], got, cell[3], count)
		}
	}
}
