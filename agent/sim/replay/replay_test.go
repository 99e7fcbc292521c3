package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

func bundle(t testing.TB, name string) *engine.BundleUpdate {
	t.Helper()
	b, findings, err := policy.Compile("../../../testdata/policies/" + name)
	if err != nil || b == nil {
		t.Fatalf("compile %s: %v %v", name, findings, err)
	}
	return &engine.BundleUpdate{Bundle: b}
}

// played returns what a log gives, and what was refused of it.
func played(t testing.TB, policy, log string, until sense.Instant) (out string, refused []string) {
	t.Helper()
	var b bytes.Buffer
	p := Printer{W: &b, Rejected: -1}
	player := Player{Mind: engine.New(engine.Config{Device: "replay", From: 1, Leased: true}), Bundle: bundle(t, policy), Out: p.Print,
		Refuse: func(r Refused) { refused = append(refused, r.String()) }}
	if err := player.Play(context.Background(), Merge(Events("log", strings.NewReader(log))), until, until != 0); err != nil {
		t.Fatal(err)
	}
	return b.String(), refused
}

const t0 sense.Instant = 1772442000000 // 2026-03-02T09:00:00Z

// drive is a car that freezes, drives and stands, with lines that are no good.
func drive(n int) string {
	var b strings.Builder
	at := func(k int) string { return t0.Add(sense.Duration(k) * sense.Second).String() }
	fmt.Fprintf(&b, `{"at":%q,"fact":"vehicle.tyres","owner":"v1","value":"winter","provenance":"declared"}`+"\n", at(0))
	fmt.Fprintf(&b, `{"at":%q,"identify":"anna","by":"card","owners":{"vehicle":"v1"}}`+"\n", at(0))
	for k := range n {
		if k%300 == 0 {
			fmt.Fprintf(&b, `{"at":%q,"signal":"temperature","value":-3}`+"\n", at(k))
		}
		speed := 118
		if k%97 > 60 {
			speed = 0
		}
		fmt.Fprintf(&b, `{"at":%q,"signal":"speed","value":%d}`+"\n", at(k), speed)
		if k%50 == 7 {
			fmt.Fprintf(&b, `{"at":%q,"ask":"dash.card"}`+"\n", at(k))
		}
	}
	return b.String()
}

func TestSameBytesOnEveryRun(t *testing.T) {
	log := drive(600)
	first, refused := played(t, "car", log, 0)
	if len(refused) > 0 || strings.Count(first, `"asked":true`) != 12 || !strings.Contains(first, `"action":"slow-down"`) {
		t.Fatalf("the drive is not what it should be: %v\n%s", refused, first)
	}
	for _, procs := range []int{1, 4} {
		old := runtime.GOMAXPROCS(procs)
		again, _ := played(t, "car", log, 0)
		runtime.GOMAXPROCS(old)
		if again != first {
			t.Errorf("with %d processors it is another output", procs)
		}
	}
}

// What is wrong with one line is told with its place; the others are taken.
func TestRefusedLines(t *testing.T) {
	log := strings.Join([]string{
		`{"at":"2026-03-02T09:00:00Z","signal":"speed","value":0}`,
		`{"at":"2026-03-02T08:59:59Z","ask":"dash.card"}`,
		`{"ask":"dash.card"}`,
		`{"at":"2026-03-02T09:00:00Z","ask":"nowhere"}`,
		`{"at":"2026-03-02T09:00:00Z","signal":"speed","value":"fast"}`,
		`{"at":"2026-03-02T09:00:00Z","signal":"rain","value":true}`,
		`garbage`,
		``,
		`{"at":"2026-03-02T09:00:00Z","ask":"dash.card","colour":1}`,
		`{"at":"2026-03-02T09:00:00Z","ask":"dash.card"}`,
	}, "\n")
	out, refused := played(t, "car", log, 0)
	if strings.Count(out, "\n") != 1 {
		t.Errorf("one ask is good, and gives one line:\n%s", out)
	}
	var places []string
	for _, r := range refused {
		places = append(places, r[:strings.Index(r, ": ")])
	}
	want := []string{"log:2", "log:3", "log:4", "log:5", "log:6", "log:7", "log:9"}
	slices.Sort(places)
	if !slices.Equal(places, want) {
		t.Errorf("refused %v, want %v\n%s", places, want, strings.Join(refused, "\n"))
	}
}

// After the last line no timer fires, unless a tick or an instant says so; then at its own instant.
func TestTimers(t *testing.T) {
	log := `{"at":"2026-03-02T09:00:00Z","identify":"anna","by":"card"}
{"at":"2026-03-02T09:00:00Z","consent":"offers","customer":"anna","granted":true}
{"at":"2026-03-02T09:00:00Z","fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}
{"at":"2026-03-02T09:00:00Z","signal":"people","value":1}
{"at":"2026-03-02T09:00:00Z","signal":"presence","value":true}
{"at":"2026-03-02T09:00:01Z","ask":"kiosk.home"}
`
	// The count of people is known for 5 s; a millisecond later nobody knows who looks on.
	clear := `{"at":"2026-03-02T09:00:05.001Z","clear":"replay-0-1","session":"main","slot":"kiosk.home","cause":"bystander_unknown"}`
	out, _ := played(t, "dealer", log, 0)
	if strings.Contains(out, "clear") {
		t.Errorf("a timer fired after the last line:\n%s", out)
	}
	if out, _ = played(t, "dealer", log, t0.Add(5*sense.Second)); strings.Contains(out, "clear") {
		t.Errorf("a timer fired before its instant:\n%s", out)
	}
	if out, _ = played(t, "dealer", log, t0.Add(6*sense.Second)); !strings.Contains(out, clear) {
		t.Errorf("no %s in\n%s", clear, out)
	}
	if out, _ = played(t, "dealer", log+`{"at":"2026-03-02T09:01:00Z","tick":true}`, 0); !strings.Contains(out, clear) {
		t.Errorf("no %s with a tick in\n%s", clear, out)
	}
}

// Where the input says who is leased, a customer is awaited until it names her.
func TestLeaseLines(t *testing.T) {
	log := `{"at":"2026-03-02T09:00:00Z","consent":"offers","customer":"anna","granted":true}
{"at":"2026-03-02T09:00:00Z","signal":"people","value":1}
{"at":"2026-03-02T09:00:00Z","identify":"anna","by":"card"}
{"at":"2026-03-02T09:00:01Z","ask":"kiosk.home"}
`
	lease := `{"at":"2026-03-02T09:00:02Z","lease":"anna","until":"2026-03-02T09:00:04Z"}
{"at":"2026-03-02T09:00:02Z","ask":"kiosk.home"}
{"at":"2026-03-02T09:00:04Z","ask":"kiosk.home"}
`
	play := func(log string) []string {
		has, err := HasLeases(strings.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		var reasons []string
		player := Player{Mind: engine.New(engine.Config{Device: "replay", From: 1, Leased: true}), Bundle: bundle(t, "dealer"), Leases: has,
			Refuse: func(r Refused) { t.Error(r) },
			Out: func(o engine.Output) {
				for _, d := range o.Show {
					reasons = append(reasons, d.Treatment+" "+d.Action)
				}
			}}
		if err := player.Play(context.Background(), Events("log", strings.NewReader(log)), 0, false); err != nil {
			t.Fatal(err)
		}
		return reasons
	}
	// Without a slice nothing is known of the consent, and only the ambient words are left;
	// with it the personal service is worth less than them.
	if got := play(log); !slices.Equal(got, []string{"say model-x-1000-off"}) {
		t.Errorf("leased for ever: %v", got)
	}
	withName := `{"at":"2026-03-02T09:00:00Z","fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}` + "\n"
	if got := play(withName + log); !slices.Equal(got, []string{"say_personal model-x-1000-off"}) {
		t.Errorf("leased for ever, with a name: %v", got)
	}
	if got := play(withName + log + lease); !slices.Equal(got, []string{"say model-x-1000-off", "say_personal model-x-1000-off", "say model-x-1000-off"}) {
		t.Errorf("awaited, leased, ended: %v", got)
	}
}

// fixed gives lines at seconds.
func fixed(file string, seconds ...int) Source {
	return func(yield func(Line, error) bool) {
		for k, s := range seconds {
			at := t0.Add(sense.Duration(s) * sense.Second)
			if !yield(Line{File: file, Number: k + 1, Event: event.Event{At: at, HasAt: true, Body: &event.Tick{}}}, nil) {
				return
			}
		}
	}
}

func merged(sources ...Source) string {
	var b strings.Builder
	for l, err := range Merge(sources...) {
		switch {
		case err != nil:
			b.WriteString("error ")
		case l.Err != nil:
			fmt.Fprintf(&b, "%s%d! ", l.File, l.Number)
		default:
			fmt.Fprintf(&b, "%s%d ", l.File, l.Number)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources []Source
		want    string
	}{
		{"none", nil, ""},
		{"empty", []Source{fixed("a"), fixed("b")}, ""},
		{"by time, the earlier source first", []Source{fixed("a", 1, 3, 3, 5), fixed("b", 0, 3, 4)}, "b1 a1 a2 a3 b2 b3 a4"},
		{"a line that goes back", []Source{fixed("a", 2, 1, 2, 3), fixed("b", 2)}, "a1 a2! a3 b1 a4"},
	} {
		if got := merged(c.sources...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMergeEndsAtAnError(t *testing.T) {
	broken := Events("x", io.MultiReader(strings.NewReader(`{"at":"2026-03-02T09:00:00Z","tick":true}`+"\n"), failing{}))
	if got := merged(broken, fixed("b", 0, 1)); !strings.HasSuffix(got, "error") {
		t.Errorf("%s", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk") }

// A consumer that stops early stops what pushes, too.
func TestPushedStops(t *testing.T) {
	given := 0
	s := Pushed("log", func(emit func(event.Event) error, refuse func(error)) error {
		refuse(errors.New("log:1:1: bad cell"))
		for {
			given++
			if err := emit(event.Event{At: t0, HasAt: true, Body: &event.Tick{}}); err != nil {
				return err
			}
		}
	})
	n := 0
	for l, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && (Refused{l.File, l.Number, l.Err}).String() != "log:1:1: bad cell" {
			t.Errorf("%+v", l)
		}
		if n++; n == 3 {
			break
		}
	}
	if given != 2 {
		t.Errorf("%d were given", given)
	}
}

func TestPlayStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := Player{Mind: engine.New(engine.Config{Leased: true}), Out: func(engine.Output) {}, Refuse: func(Refused) {}}
	if err := p.Play(ctx, fixed("a", 1), 0, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// BenchmarkReplay plays a drive; memory must not grow with its length.
func BenchmarkReplay(b *testing.B) {
	log := drive(10_000)
	u := bundle(b, "car")
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		p := Printer{W: io.Discard, Rejected: -1}
		player := Player{Mind: engine.New(engine.Config{Device: "replay", From: 1, Leased: true}), Bundle: u, Out: p.Print, Refuse: func(Refused) {}}
		if err := player.Play(context.Background(), Merge(Events("log", strings.NewReader(log))), 0, false); err != nil {
			b.Fatal(err)
		}
	}
}

// Of several readings of one instant each is told, and then what follows from the last.
func TestSignalsOfOneInstant(t *testing.T) {
	log := `{"at":"2026-03-02T09:00:00Z","signal":"speed","value":1}
{"at":"2026-03-02T09:00:00Z","signal":"speed","value":2}
{"at":"2026-03-02T09:00:00Z","signal":"speed","value":null}
`
	var b bytes.Buffer
	p := Printer{W: &b, Signals: true}
	player := Player{Mind: engine.New(engine.Config{Leased: true, Readings: true}), Bundle: bundle(t, "car"), Out: p.Print, Refuse: func(r Refused) { t.Error(r) }}
	if err := player.Play(context.Background(), Events("log", strings.NewReader(log)), 0, false); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(`Z",`, `.000Z",`).Replace(log)
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}
