package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// TestGroupInOrder: two steps are one transaction, and then the effects of the first come before those of the second.
func TestGroupInOrder(t *testing.T) {
	first := everything()
	second := &engine.Output{At: 6,
		Persist: []engine.Record{{Seq: 3, At: 6, Decision: &engine.Decision{ID: "d-1-2", N: 2, Session: "main", Slot: "wrist", Action: "offer"}}},
		Clear:   []engine.Clear{{Slot: "c", Protects: true}, {Slot: "d"}}, Show: []*engine.Decision{{ID: "d-1-2", Slot: "wrist"}}}
	full := fmt.Errorf("no: %w", outbox.ErrFull)
	broken := fmt.Errorf("no: %w", outbox.ErrBroken)
	effects := []string{"destroy", "stored", "clear a", "clear b", "show home", "(after show)", "want", "0 done", "stored", "clear c", "clear d", "show wrist", "(after show)", "1 done"}
	protected := []string{"destroy", "stored", "clear b", "show home", "(after show)", "want", "0 done", "stored", "clear d", "show wrist", "(after show)", "1 done"}
	for name, c := range map[string]struct {
		fail map[string][]error
		want []string
		err  error
	}{
		"well":                           {want: append([]string{"(before append)", "append", "(after append)"}, effects...)},
		"full, and then room":            {fail: map[string][]error{"append": {full}}, want: append([]string{"(before append)", "append", "clear a", "clear c", "full true", "pause 1s", "(before append)", "append", "(after append)", "full false"}, protected...)},
		"broken":                         {fail: map[string][]error{"append": {broken}}, want: []string{"(before append)", "append", "clear a", "clear c"}, err: outbox.ErrBroken},
		"the key of the first cannot go": {fail: map[string][]error{"destroy": {broken}}, want: []string{"(before append)", "append", "(after append)", "destroy", "clear a", "clear c"}, err: outbox.ErrBroken},
	} {
		s := &script{fail: c.fail}
		err := scripted(s).handle(context.Background(), []*engine.Output{first, second}, func(k int) { _ = s.did(fmt.Sprint(k, " done")) })
		if !errors.Is(err, c.err) || !reflect.DeepEqual(s.done, c.want) {
			t.Errorf("%s: %v\ndid  %q\nwant %q", name, err, s.done, c.want)
		}
	}
}

// watched is the log of an agent, with how often it was written to; and a screen that sees whether what it
// is to show is in it.
type watched struct {
	Log
	commits atomic.Int64
	full    atomic.Int64 // appends that find no room yet
	mu      sync.Mutex
	durable map[uint64]bool // decision -> in the log
	early   []string        // shown before they were
	shown   []uint64
}

func (w *watched) Append(b wire.BundleID, records [][]byte) (outbox.Appended, error) {
	if w.full.Add(-1) >= 0 {
		return outbox.Appended{}, outbox.ErrFull
	}
	a, err := w.Log.Append(b, records)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, raw := range records {
		if r, bad := wire.DecodeRecord(raw); err == nil && bad == nil {
			if d, ok := r.(*wire.Decision); ok {
				w.durable[d.N] = true
			}
		}
	}
	w.commits.Add(1)
	return a, err
}

func (w *watched) Clear(engine.Clear) {}
func (w *watched) Show(d *engine.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.durable[d.N] {
		w.early = append(w.early, d.ID)
	}
	w.shown = append(w.shown, d.N)
}

func watch(t testing.TB, a *Agent) *watched {
	w := &watched{Log: a.body.Log, durable: map[uint64]bool{}}
	do(t, a, func() {
		a.body.Log = w
		a.body.Screens = append(a.body.Screens, w)
		a.body.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	return w
}

// TestWaitingStepsShareACommit: what came while the mind was busy.
func TestWaitingStepsShareACommit(t *testing.T) {
	a := start(t, t.TempDir(), nil)
	defer stop(t, a)
	w := watch(t, a)
	busy := make(chan struct{})
	if err := a.inbox.request(request{ask: func(Mind) { <-busy }}); err != nil {
		t.Fatal(err)
	}
	const apps = 40
	answers := make(chan Answer, apps)
	for k := range apps {
		if err := a.inbox.request(request{events: lines(t, fmt.Sprintf(`{"ask":"home","session":"s%d"}`, k)), answer: answers}); err != nil {
			t.Fatal(err)
		}
	}
	close(busy)
	seen := map[uint64]bool{}
	for range apps {
		for _, d := range (<-answers).Decisions {
			seen[d.N] = true
			w.mu.Lock()
			if !w.durable[d.N] {
				t.Errorf("%s was answered before it is durable", d.ID)
			}
			w.mu.Unlock()
		}
	}
	if n := w.commits.Load(); len(seen) != apps || n > 2 { // one where all were taken at once
		t.Errorf("%d decisions in %d commits", len(seen), n)
	}
	if len(w.early) > 0 || !slices.IsSorted(w.shown) {
		t.Errorf("shown before they were durable: %v; in the order %v", w.early, w.shown)
	}
}

// TestFullAtEachStep: nothing is shown that is not durable, and everything that waited comes when there is room.
func TestFullAtEachStep(t *testing.T) {
	for name, fill := range map[string]func(a *Agent, w *watched, full *atomic.Bool){
		"log": func(_ *Agent, w *watched, _ *atomic.Bool) { w.full.Store(3) },
		"new key": func(a *Agent, _ *watched, full *atomic.Bool) {
			a.body.Keys = fullKeys{a.body.Keys, full}
			full.Store(true)
		},
		"old key": func(a *Agent, _ *watched, full *atomic.Bool) {
			a.body.Keys = fullKeys{a.body.Keys, full}
			full.Store(true)
		},
		"snapshot": func(a *Agent, _ *watched, full *atomic.Bool) { a.saver = fullSaver{a.saver, full}; full.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := start(t, dir, nil)
			w := watch(t, a)
			submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`)
			var full atomic.Bool
			told := make(chan bool, 8)
			do(t, a, func() {
				fill(a, w, &full)
				a.body.Full = func(is bool) {
					a.full.Store(is)
					told <- is
				}
				a.body.Pause = func(ctx context.Context, _ time.Duration) error {
					full.Store(false) // somebody makes room
					return ctx.Err()
				}
			})
			said := []string{`{"identify":"card:2","by":"card"}`, `{"ask":"home"}`}
			if name == "old key" {
				said = []string{`{"forget":"card:1"}`, `{"ask":"home"}`}
			}
			got := submit(t, a, said...)
			if len(got.Decisions) != 1 {
				t.Fatalf("%d decisions", len(got.Decisions))
			}
			if name == "snapshot" {
				do(t, a, a.save)
				do(t, a, func() {
					if a.dirty == 0 {
						t.Error("it counts as saved")
					}
					full.Store(false)
					a.save()
					if a.dirty != 0 || a.failed != nil {
						t.Errorf("%d changes are not saved, %v", a.dirty, a.failed)
					}
				})
			} else if one, two := <-told, <-told; !one || two {
				t.Errorf("told that the disk is full %v, then %v", one, two)
			}
			if len(w.early) > 0 {
				t.Errorf("shown before they were durable: %v", w.early)
			}
			stop(t, a)
			a = start(t, dir, nil)
			if n := submit(t, a, `{"ask":"home"}`).Decisions[0].N; n != got.Decisions[0].N+1 {
				t.Errorf("decision %d follows %d", n, got.Decisions[0].N)
			}
			stop(t, a)
		})
	}
}

type fullKeys struct {
	Keys
	full *atomic.Bool
}

func (k fullKeys) Make(h ...engine.Handle) error {
	if k.full.Load() {
		return store.ErrFull
	}
	return k.Keys.Make(h...)
}

func (k fullKeys) Destroy(h ...engine.Handle) error {
	if k.full.Load() {
		return store.ErrFull
	}
	return k.Keys.Destroy(h...)
}

type fullSaver struct {
	Saver
	full *atomic.Bool
}

func (s fullSaver) Save(epoch uint64, floor sense.Instant, snap engine.Snapshot) error {
	if s.full.Load() {
		return store.ErrFull
	}
	return s.Saver.Save(epoch, floor, snap)
}

// TestStoppedWhileTheDiskIsFull: a stop does not wait for room that does not come, and what was not durable
// was shown to nobody.
func TestStoppedWhileTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	w := watch(t, a)
	last := submit(t, a, `{"ask":"home"}`).Decisions[0].N
	waits := make(chan struct{})
	var once sync.Once
	do(t, a, func() {
		w.full.Store(1 << 40)
		a.body.Pause = func(ctx context.Context, d time.Duration) error {
			once.Do(func() { close(waits) })
			<-ctx.Done()
			return ctx.Err()
		}
	})
	answered := make(chan error, 1)
	go func() {
		_, err := a.Submit(context.Background(), lines(t, `{"ask":"home"}`))
		answered <- err
	}()
	<-waits
	if err := a.Close(); err != nil && !isFull(err) {
		t.Errorf("stopped: %v", err)
	}
	if err := <-answered; !errors.Is(err, ErrClosed) {
		t.Errorf("the app was told %v", err)
	}
	if len(w.early) > 0 || len(w.shown) != 1 {
		t.Errorf("shown %v, of those not durable %v", w.shown, w.early)
	}
	a = start(t, dir, nil)
	if n := submit(t, a, `{"ask":"home"}`).Decisions[0].N; n != last+1 {
		t.Errorf("decision %d follows %d", n, last)
	}
	stop(t, a)
}

// TestIgnoredWaitsForCompany: what the mind books by itself is taken down at once, and written with what
// is written anyway, or a while later.
func TestIgnoredWaitsForCompany(t *testing.T) {
	for _, alone := range []bool{true, false} {
		d := newCounter(t, at(t, truth), true)
		w := watch(t, d.Agent)
		screen, _ := d.Feed().Read(0, func(m *Message) bool { return m.Kind == KindClear })
		first := d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"home"}`).Decisions[0]
		before, next := w.commits.Load(), d.queue.Status().Next
		for range 31 {
			d.clock.pass(sense.Second)
			d.say(`{"signal":"presence","value":true}`)
		}
		if m := <-screen.C; !strings.Contains(string(m.Line), "expired") || !strings.Contains(string(m.Line), first.ID) {
			t.Errorf("taken down: %s", m.Line)
		}
		if w.commits.Load() != before || d.queue.Status().Next != next {
			t.Errorf("it was written at once")
		}
		if alone {
			for range 31 {
				d.clock.pass(sense.Second)
				d.say(`{"signal":"presence","value":true}`)
			}
		} else {
			d.say(`{"ask":"home"}`)
		}
		if w.commits.Load() != before+1 || len(w.early) > 0 {
			t.Errorf("alone %v: %d commits more, want one", alone, w.commits.Load()-before)
		}
		ignored := 0
		err := d.queue.Read(next, func(_ uint64, _ wire.BundleID, raw []byte) bool {
			if o, err := wire.DecodeRecord(raw); err == nil {
				if _, ok := o.(*wire.Outcome); ok {
					ignored++
				}
			}
			return true
		})
		if err != nil || ignored != 1 {
			t.Errorf("alone %v: %d outcomes are in the log, %v", alone, ignored, err)
		}
		d.say(`{"ask":"home"}`)
		for range 31 {
			d.clock.pass(sense.Second)
			d.say(`{"signal":"presence","value":true}`)
		}
		end := d.queue.Status().Next
		stop(t, d.Agent) // it is written at a clean stop as well
		d.start()
		if got := d.queue.Status().Next; got != end+1 {
			t.Errorf("%d records after the stop, want %d", got-1, end)
		}
		screen.Close()
		stop(t, d.Agent)
	}
}

// TestWhatMayWait: only what the mind itself says was ignored.
func TestWhatMayWait(t *testing.T) {
	outcome := func(change func(*engine.Output, *event.Event)) *engine.Output {
		e := &event.Event{Session: "main", Body: &event.Outcome{Outcome: "ignored", Decision: "d-1-1"}}
		o := &engine.Output{Persist: []engine.Record{{Seq: 1, Event: e}}, Clear: []engine.Clear{{Decision: "d-1-1", Cause: "expired"}}}
		if change != nil {
			change(o, e)
		}
		return o
	}
	if !booked(outcome(nil)) {
		t.Error("what the mind booked may wait")
	}
	for name, change := range map[string]func(*engine.Output, *event.Event){
		"another outcome": func(_ *engine.Output, e *event.Event) { e.Body = &event.Outcome{Outcome: "shown", Decision: "d-1-1"} },
		"an app's word":   func(_ *engine.Output, e *event.Event) { e.ID = "x" },
		"nothing expired": func(o *engine.Output, _ *event.Event) { o.Clear = nil },
		"a protection":    func(o *engine.Output, _ *event.Event) { o.Clear[0].Protects = true },
		"a decision":      func(o *engine.Output, _ *event.Event) { o.Show = []*engine.Decision{{}} },
		"a forget":        func(o *engine.Output, _ *event.Event) { o.Destroy = []engine.Handle{{1}} },
		"a consent":       func(_ *engine.Output, e *event.Event) { e.Body = &event.Consent{} },
	} {
		if booked(outcome(change)) {
			t.Errorf("%s may wait", name)
		}
	}
}

// TestFlashBudget: beyond it the hub is told once a day, moments are not kept, and decisions go on.
func TestFlashBudget(t *testing.T) {
	d := newCounter(t, at(t, truth), true)
	stop(t, d.Agent)
	change := d.change
	d.change = func(c *Config) { change(c); c.FlashBudget = 1 }
	d.start()
	for range 5 {
		d.clock.pass(sense.Hour)
		d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"home"}`)
	}
	s := d.Status()
	if s.Written.Today <= s.FlashBudget || s.Written.Total < s.Written.Files[store.OutboxFile] || s.FlashBudget != 1 {
		t.Errorf("%+v, budget %d", s.Written, s.FlashBudget)
	}
	d.moments.Flush()
	if n := d.Status().Moments.Records; n > 1 { // the first came before the house was looked at
		t.Errorf("%d moments were kept", n)
	}
	reports := 0
	err := d.queue.Read(1, func(_ uint64, _ wire.BundleID, raw []byte) bool {
		if r, err := wire.DecodeRecord(raw); err == nil {
			if r, ok := r.(*wire.Report); ok && r.Code == wire.ReportFlashBudget {
				reports++
			}
		}
		return true
	})
	if err != nil || reports != 1 {
		t.Errorf("%d reports, %v", reports, err)
	}
	d.clock.pass(sense.Day)
	d.say(`{"ask":"home"}`)
	d.clock.pass(2 * sense.Minute)
	if n := d.say(`{"ask":"home"}`).Decisions[0].N; n != 7 {
		t.Errorf("decision %d", n)
	}
	end := d.queue.Status().Next
	d.off(d.clock.Wall(), true) // the reports among the records hold nothing up
	if n := d.say(`{"ask":"home"}`).Decisions[0].N; n != 8 || d.queue.Status().Next <= end {
		t.Errorf("decision %d", n)
	}
	stop(t, d.Agent)
}

// TestKilledWhileItLeavesAnEpoch: at each labelled point of the way.
func TestKilledWhileItLeavesAnEpoch(t *testing.T) {
	for _, point := range []string{store.CrashEpochWritten, store.CrashEpochBegun, CrashAfterSnapshot} {
		t.Run(point, func(t *testing.T) {
			o, dir, made := newOffice(t), t.TempDir(), map[string]bool{}
			a := start(t, dir, talking(t))
			decide(t, a, 3, made)
			o.visit(a)
			decide(t, a, 3, made)
			submit(t, a, `{"fact":"size","customer":"card:1","value":"M","provenance":"declared"}`)
			stop(t, a)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), crashDir+"="+dir, "TACT_AGENT_CRASH_MACHINE=b", "TACT_AGENT_CRASH_POINT=0 "+point)
			if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != -1 {
				t.Fatalf("it ended by itself: %v %s", err, out)
			}
			a = start(t, dir, func(c *Config) { talking(t)(c); c.Machine = "b" })
			if len(a.former) != 1 {
				t.Errorf("left %v", a.former)
			}
			decide(t, a, 2, made)
			o.visit(a)
			stop(t, a)
			o.holds(made, "duplicate_identity")
			r, err := o.l.Verify(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			reports := map[string]int64{}
			for _, e := range r.Epochs {
				maps.Copy(reports, e.Reports)
			}
			if point == store.CrashEpochWritten && reports[wire.ReportDuplicateIdentity] == 0 {
				t.Errorf("reports %v", reports)
			}
		})
	}
}

// TestIgnoredAsAnEpochIsLeft: what falls due in the very turn in which an epoch is left, or the clock put right, is
// written under its number before.
func TestIgnoredAsAnEpochIsLeft(t *testing.T) {
	for name, tell := range map[string]func(d *counter){
		"epoch": func(d *counter) {
			d.inbox.fromHub(uplink.Command{Command: &wire.NewEpoch{Epoch: d.queue.Status().Epoch}})
		},
		"clock": func(d *counter) {
			d.clock.set(d.clock.Wall().Add(-sense.Hour), true)
			d.inbox.stir()
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newCounter(t, at(t, truth), true)
			first := d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"home"}`).Decisions[0]
			for range 29 {
				d.clock.pass(sense.Second)
				d.say(`{"signal":"presence","value":true}`)
			}
			d.clock.pass(2 * sense.Second)
			tell(d)
			d.say(`{"signal":"presence","value":true}`)
			do(t, d.Agent, d.save)
			ignored := ""
			err := d.queue.Read(0, func(seq uint64, _ wire.BundleID, raw []byte) bool {
				r, err := d.codec.decode(seq, raw, d.body.names, func(engine.Handle) string { return "" })
				if err == nil && r.Event != nil {
					if o, ok := r.Event.Body.(*event.Outcome); ok {
						ignored += o.Outcome + " " + o.Decision
					}
				}
				return true
			})
			if err != nil || ignored != "ignored "+first.ID {
				t.Errorf("in the log: %q, %v, want that %s was ignored", ignored, err, first.ID)
			}
			if n := d.say(`{"ask":"home"}`).Decisions; len(n) != 1 {
				t.Errorf("decisions %v", n)
			}
			stop(t, d.Agent)
		})
	}
}

// TestBrokenLogEndsTheLife: where only the link has met it, too; the next life reads what the disk holds.
func TestBrokenLogEndsTheLife(t *testing.T) {
	d := newCounter(t, at(t, truth), true)
	d.say(tap, `{"ask":"home"}`)
	do(t, d.Agent, func() { // what a failing disk leaves: a file that is closed under the queue
		if err := d.store.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := d.queue.Append(wire.BundleID{}, [][]byte{{1}}); !errors.Is(err, outbox.ErrBroken) {
		t.Fatal(err)
	}
	d.clock.pass(2 * healthEvery)
	d.inbox.stir()
	select {
	case <-d.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on with a log that is broken")
	}
	if !errors.Is(d.Err(), outbox.ErrBroken) {
		t.Error(d.Err())
	}
	d.start()
	if n := len(d.say(`{"ask":"home"}`).Decisions); n != 1 {
		t.Errorf("%d decisions", n)
	}
	stop(t, d.Agent)
}
