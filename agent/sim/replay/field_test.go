package replay

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

// fieldRows returns the rows of a table of the field data by column, or skips where there is none here.
func fieldRows(t *testing.T, name string) []map[string]string {
	t.Helper()
	root := os.Getenv("TACT_FIELD_DATA")
	if root == "" {
		t.Skip("TACT_FIELD_DATA names no folder of field data: run `make field`")
	}
	f, err := os.Open(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	all, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]map[string]string, 0, len(all))
	for _, cells := range all[1:] {
		row := map[string]string{}
		for k, cell := range cells {
			row[all[0][k]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func fieldTime(t *testing.T, layout, text, zone string) sense.Instant {
	t.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(layout, text, l)
	if err != nil {
		t.Fatal(err)
	}
	return sense.InstantOf(at)
}

func fieldNumber(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// recording is event lines to be put in order of time.
type recording struct {
	lines []struct {
		at   sense.Instant
		text string
	}
}

func (r *recording) add(at sense.Instant, format string, args ...any) {
	r.lines = append(r.lines, struct {
		at   sense.Instant
		text string
	}{at, fmt.Sprintf(`{"at":%q,`, at.String()) + fmt.Sprintf(format, args...) + "}\n"})
}

func (r *recording) String() string {
	slices.SortStableFunc(r.lines, func(a, b struct {
		at   sense.Instant
		text string
	}) int {
		return cmp.Compare(a.at, b.at)
	})
	var b strings.Builder
	for _, l := range r.lines {
		b.WriteString(l.text)
	}
	return b.String()
}

// decided is what a test looks at of a decision or clear line.
type decided struct {
	At       sense.Instant
	Decision string
	Session  string
	Slot     string
	Customer string
	Action   string
	Cause    string
	Clear    string
	Rejected []struct{ Action, Reason string }
}

func decisions(t *testing.T, policy string, r *recording) (all []decided) {
	t.Helper()
	out, refused := played(t, policy, r.String(), 0)
	if len(refused) > 0 {
		t.Fatalf("%d lines were refused: %s", len(refused), refused[0])
	}
	for line := range strings.Lines(out) {
		var d struct {
			decided
			At string
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		var err error
		if d.decided.At, err = sense.ParseInstant(d.At); err != nil {
			t.Fatal(err)
		}
		all = append(all, d.decided)
	}
	return all
}

// The people of the Fitbit study reach the week's goal, five of seven days of 8,000 steps, when a plain count
// says so, and no more often than once in seven days.
func TestFieldWeekGoal(t *testing.T) {
	const week = 7 * sense.Day
	start := fieldTime(t, "01/02/06", "04/03/16", "Europe/Amsterdam")
	var r recording
	r.add(start, `"boot":{"clock":"synced","absent":["call","dnd","ringing"]}`)
	var last sense.Instant
	reached := map[string][]sense.Instant{} // when the steps of a day came to 8,000
	for _, row := range fieldRows(t, "wearable/fitbit-dailyActivity.csv") {
		id, steps := row["Id"], int(fieldNumber(t, row["TotalSteps"]))
		if _, ok := reached[id]; !ok {
			reached[id] = nil
			r.add(start, `"consent":"health_discount","customer":%q,"granted":true,"text":"v3"`, id)
			r.add(start, `"identify":%q,"by":"login","session":%q`, id, id)
		}
		midnight := fieldTime(t, "01/02/06", row["ActivityDate"], "Europe/Amsterdam")
		done := false
		for k, minute := range []int{5, 8 * 60, 13 * 60, 18 * 60, 23*60 + 50} {
			at, sum := midnight.Add(sense.Duration(minute)*sense.Minute), steps*k/4
			r.add(at, `"signal":"steps","value":%d,"session":%q`, sum, id)
			last = max(last, at)
			if sum >= 8000 && !done {
				done = true
				reached[id] = append(reached[id], at)
			}
		}
	}
	want := map[string]bool{}
	for id, days := range reached {
		var shown sense.Instant
		look := slices.Clone(days) // when it can begin to be so, or be told again
		for len(look) > 0 {
			at := slices.Min(look)
			look = slices.DeleteFunc(look, func(x sense.Instant) bool { return x == at })
			n := 0
			for _, x := range days {
				if x > at.Add(-week) && x <= at {
					n++
				}
			}
			if n >= 5 && at >= start.Add(week) && at <= last && (shown == 0 || at >= shown.Add(week)) {
				shown = at
				want[id+" "+at.String()] = true
				look = append(look, at.Add(week))
			}
		}
	}
	got := map[string]bool{}
	for _, d := range decisions(t, "wearable", &r) {
		if d.Action == "discount" {
			got[d.Session+" "+d.At.String()] = true
		}
	}
	for x := range got {
		if !want[x] {
			t.Errorf("%s: the discount is shown", x)
		}
	}
	for x := range want {
		if !got[x] {
			t.Errorf("%s: the discount is not shown", x)
		}
	}
	if len(reached) != 33 || len(want) < 40 {
		t.Errorf("%d people, %d times at their goal", len(reached), len(want))
	}
}

const mile = 1.609344

// On real drives nothing is shown and nothing is answered but at_the_wheel from the third second above 5 km/h to
// the thirtieth below 7, and after a gap, second by second as a plain reading of the speeds says.
func TestFieldAtTheWheel(t *testing.T) {
	type reading struct {
		at    sense.Instant
		speed float64
	}
	var drive []reading
	for _, row := range fieldRows(t, "car/drives-nebraska-1-8.csv.gz") {
		drive = append(drive, reading{fieldTime(t, time.RFC3339, row["time_utc"], "UTC"), float64(fieldNumber(t, row["speed_mph"]) * mile)})
	}
	slices.SortFunc(drive, func(a, b reading) int { return cmp.Compare(a.at, b.at) })
	var r recording
	start := drive[0].at.Add(-sense.Second)
	r.add(start, `"identify":"anna","by":"card","owners":{"vehicle":"v1"}`)
	for _, purpose := range []string{"offers", "offers.unasked"} {
		r.add(start, `"consent":%q,"customer":"anna","granted":true`, purpose)
	}
	parked := map[sense.Instant]bool{} // at each ask
	type turn struct {
		at     sense.Instant
		parked bool
	}
	var turns []turn
	var fast, slow, before sense.Instant // since when above 5, below 7; 0 where it is not
	is := false
	to := func(at sense.Instant, p bool) {
		if is != p {
			is = p
			turns = append(turns, turn{at, p})
		}
	}
	for _, x := range drive {
		known := min(x.at, before.Add(3*sense.Second)) // until when the speed before this one was fresh
		if slow != 0 && fast == 0 && slow.Add(30*sense.Second) <= known {
			to(slow.Add(30*sense.Second), true)
		}
		if fast != 0 && fast.Add(3*sense.Second) <= known {
			to(fast.Add(3*sense.Second), false)
		}
		if before != 0 && known < x.at {
			to(known+1, false)
			fast, slow = 0, 0
		}
		if x.speed <= 5 {
			fast = 0
		} else if fast == 0 {
			fast = x.at
		}
		if x.speed >= 7 {
			slow = 0
		} else if slow == 0 {
			slow = x.at
		}
		before = x.at
		r.add(x.at, `"signal":"speed","value":%v`, x.speed)
		r.add(x.at, `"ask":"dash.insurance"`)
		parked[x.at] = is
	}
	asks, cards := 0, 0
	ends := map[string]sense.Instant{}
	all := decisions(t, "car", &r)
	for _, d := range all {
		if d.Clear != "" {
			ends[d.Clear] = d.At
		}
	}
	for _, d := range all {
		switch {
		case d.Clear != "":
		case d.Slot == "dash.insurance":
			asks++
			if (d.Cause != "at_the_wheel") != parked[d.At] {
				t.Errorf("%s: %s %s, and it is parked: %v", d.At, d.Action, d.Cause, parked[d.At])
			}
		default:
			cards++
			there := false
			for _, x := range turns {
				if x.at <= d.At {
					there = x.parked
				} else if x.at < ends[d.Decision] {
					t.Errorf("%s: %s is on the card until %s, and the car drives at %s", d.At, d.Action, ends[d.Decision], x.at)
				}
			}
			if !there {
				t.Errorf("%s: %s is shown at the wheel", d.At, d.Action)
			}
		}
	}
	if asks != 3933 || len(turns) < 20 || cards == 0 {
		t.Errorf("%d asks, %d turns, %d cards", asks, len(turns), cards)
	}
}

// What a shop sold is offered again to nobody but after `again`, nothing comes twice in 20 minutes, and no more
// than two a calendar day, as a plain count says for every customer of many.
func TestFieldPurchases(t *testing.T) {
	const copies = 20 // of the four hours, half an hour apart, each with customers of its own
	type purchase struct {
		about string
		at    sense.Instant
	}
	rows := fieldRows(t, "retail/online-retail-first-999.csv")
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	bought, returned := map[string][]purchase{}, map[string][]purchase{}
	asked := map[string][]sense.Instant{}
	for n := range copies {
		invoices := map[string]bool{}
		for _, row := range rows {
			id, about := fmt.Sprintf("%d-%s", n, row["CustomerID"]), "item:"+row["StockCode"]
			at := fieldTime(t, "1/2/06 15:04", row["InvoiceDate"], "Europe/London").Add(sense.Duration(n) * 37 * sense.Minute)
			if row["StockCode"] == "85123A" {
				about = "gift:85123A"
			}
			if asked[id] == nil {
				r.add(at-1, `"consent":"offers","customer":%q,"granted":true`, id)
			}
			kind, list := "purchase", bought
			if strings.HasPrefix(row["InvoiceNo"], "C") {
				kind, list = "returned", returned
			}
			list[id] = append(list[id], purchase{about, at})
			r.add(at, `"interaction":%q,"customer":%q,"about":%q`, kind, id, about)
			if invoices[row["InvoiceNo"]] {
				continue
			}
			invoices[row["InvoiceNo"]] = true
			for _, s := range []int{2, 421, 1500, 3601, 3900} {
				ask := at.Add(sense.Duration(s) * sense.Second)
				if slices.Contains(asked[id], ask) {
					continue
				}
				asked[id] = append(asked[id], ask)
				r.add(ask, `"identify":%q,"by":"card","session":%q`, id, id)
				r.add(ask, `"ask":"app","session":%q`, id)
			}
		}
	}
	want := map[string]string{}
	for id, asks := range asked {
		slices.Sort(asks)
		var shown []purchase // what and when
		for _, at := range asks {
			choice := "guide"
			for _, about := range []string{"gift:85123A", "item:22386", "item:22633"} {
				held := false
				for _, p := range bought[id] {
					undone := slices.ContainsFunc(returned[id], func(x purchase) bool { return x.about == p.about && x.at >= p.at && x.at <= at })
					held = held || p.about == about && p.at <= at && !undone && (!strings.HasPrefix(about, "gift:") || at < p.at.Add(sense.Hour))
				}
				today, lately := 0, 0
				for _, x := range shown {
					y, m, d := x.at.Time().In(london).Date()
					if Y, M, D := at.Time().In(london).Date(); y == Y && m == M && d == D {
						today++
					}
					if x.about == about && x.at > at.Add(-20*sense.Minute) {
						lately++
					}
				}
				if !held && today < 2 && lately == 0 {
					choice = about
					shown = append(shown, purchase{about, at})
					break
				}
			}
			want[id+" "+at.String()] = choice
		}
	}
	name := map[string]string{"lights": "gift:85123A", "bag": "item:22386", "warmer": "item:22633", "guide": "guide"}
	n, guides := 0, 0
	for _, d := range decisions(t, "../../agent/sim/replay/testdata/shop", &r) {
		if d.Clear != "" {
			continue
		}
		n++
		if d.Action == "guide" {
			guides++
		}
		if key := d.Customer + " " + d.At.String(); name[d.Action] != want[key] {
			t.Errorf("%s: %s, want %s", key, d.Action, want[key])
		}
	}
	if n != len(want) || n < 5000 || guides == n || guides == 0 {
		t.Errorf("%d decisions of %d asks, %d without an offer", n, len(want), guides)
	}
}
