package agent

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

func reading(session, name string, v int64) event.Event {
	return event.Event{Session: session, Body: &event.Signal{Name: name, Value: sense.IntValue(v)}}
}

func TestInboxKeepsWhatPeopleDo(t *testing.T) {
	b := newInbox()
	for k := range mostReadings / 2 {
		if err := b.source(reading("main", "speed", int64(k))); err != nil {
			t.Fatal(err)
		}
	}
	tap := event.Event{Session: "main", Body: &event.Identify{Customer: "card:1"}}
	for range 3 {
		if err := b.source(reading("main", "speed", 7)); err != nil { // in the place of the last
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.source(tap), b.source(reading("main", "speed", 8)), b.source(reading("other", "speed", 9))); err != nil {
		t.Fatal(err)
	}
	got := b.take().readings
	if len(got) != mostReadings/2+3 {
		t.Fatalf("%d wait, want %d: half of them, a tap and a reading each of two sessions after it", len(got), mostReadings/2+3)
	}
	if v := got[mostReadings/2-1].Body.(*event.Signal).Value.Int(); v != 7 {
		t.Errorf("the last before the tap is %d, want the newest, 7", v)
	}
	if _, ok := got[mostReadings/2].Body.(*event.Identify); !ok {
		t.Errorf("the tap is not in its place: %T", got[mostReadings/2].Body)
	}
}

func TestInboxMakesSourcesWait(t *testing.T) {
	b := newInbox()
	for range mostReadings {
		if err := b.source(event.Event{Session: "main", Body: &event.Tick{}}); err != nil {
			t.Fatal(err)
		}
	}
	waits := make(chan error)
	go func() { waits <- b.source(event.Event{Session: "main", Body: &event.Tick{}}) }()
	select {
	case <-waits:
		t.Fatal("one too many was taken")
	case <-time.After(20 * time.Millisecond):
	}
	if n := len(b.take().readings); n != mostReadings {
		t.Errorf("%d waited", n)
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
	b.close()
	if err := b.source(reading("main", "x", 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestInboxRefusesAppsWhenFull(t *testing.T) {
	b := newInbox()
	for range mostRequests {
		if err := b.request(request{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.request(request{}); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v, want ErrBusy", err)
	}
}

func start(t testing.TB, dir string, change func(*Config)) *Agent {
	t.Helper()
	cfg := Config{Tenant: "main", Device: "kiosk-1", Dir: dir, DeviceKey: [32]byte{7}}
	if change != nil {
		change(&cfg)
	}
	a, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func stop(t testing.TB, a *Agent) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// lines parses event lines; without a test, bad ones end the process.
func lines(t testing.TB, text ...string) []event.Event {
	var list []event.Event
	for _, l := range text {
		e, err := event.ParseLine([]byte(l))
		if err != nil && t == nil {
			panic(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func submit(t testing.TB, a *Agent, text ...string) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := a.Submit(ctx, lines(t, text...))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestWithoutPolicyEveryAskIsAnsweredWithSilence(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	got := submit(t, a, `{"ask":"home"}`, `{"signal":"rain","value":true}`, `{"lease":"card:1","until":null}`, `{"ask":"home"}`)
	if len(got.Decisions) != 2 || got.Decisions[0].Action != silence || got.Decisions[0].Cause != "no_policy" {
		t.Errorf("decisions %+v, want two silences for want of a policy", got.Decisions)
	}
	if got.Accepted != 2 || len(got.Rejected) != 2 {
		t.Fatalf("accepted %d, rejected %v", got.Accepted, got.Rejected)
	}
	for _, r := range got.Rejected {
		if r.Index != 1 && r.Index != 2 {
			t.Errorf("rejected %d: %v", r.Index, r.Err)
		}
	}
	first := got.Decisions[1].ID
	stop(t, a)
	if _, err := a.Submit(context.Background(), lines(t, `{"tick":true}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v, want ErrClosed", err)
	}
	a = start(t, dir, nil)
	defer stop(t, a)
	next := submit(t, a, `{"ask":"home"}`).Decisions[0].ID
	if !strings.HasSuffix(first, "-2") || !strings.HasSuffix(next, "-3") || strings.TrimSuffix(first, "2") != strings.TrimSuffix(next, "3") {
		t.Errorf("decision %s, after the restart %s: want the next of the same epoch", first, next)
	}
	if s := a.Status(); s.Boot != 2 || len(s.Recovered) != 0 {
		t.Errorf("boot %d, recovered %v", s.Boot, s.Recovered)
	}
}

func TestSecondAgentIsTurnedAway(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	defer stop(t, a)
	if _, err := Start(context.Background(), Config{Device: "kiosk-1", Dir: dir, DeviceKey: [32]byte{7}}); !errors.Is(err, store.ErrBusy) {
		t.Errorf("second agent: %v, want ErrBusy", err)
	}
}

func TestRestoresWithoutASnapshot(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`)
	stop(t, a)
	if err := os.Remove(filepath.Join(dir, store.StateFile)); err != nil {
		t.Fatal(err)
	}
	a = start(t, dir, nil)
	defer stop(t, a)
	got := submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`)
	// The customer is known from the log: no second handle, and no number twice.
	if s := a.queue.Status(); s.Next != 4 {
		t.Errorf("next record %d, want 4: who it is, and two decisions", s.Next)
	}
	if n := got.Decisions[0].N; n < 2 {
		t.Errorf("decision number %d was given before", n)
	}
}

func TestDamageIsReportedAndLifeGoesOn(t *testing.T) {
	for _, file := range []string{store.OutboxFile, store.StateFile, store.KeysFile} {
		t.Run(file, func(t *testing.T) {
			dir := t.TempDir()
			a := start(t, dir, nil)
			before := submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`).Decisions[0].ID
			stop(t, a)
			if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.Repeat("no more", 4000)), 0o600); err != nil {
				t.Fatal(err)
			}
			a = start(t, dir, nil)
			after := submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`).Decisions[0].ID
			if before == after {
				t.Errorf("decision id %s was given twice", after)
			}
			if s := a.Status(); len(s.Recovered) != 1 || s.Recovered[0].File != file {
				t.Errorf("recovered %v", s.Recovered)
			}
			reports := 0
			err := a.queue.Read(1, func(_ uint64, _ wire.BundleID, raw []byte) bool {
				if wire.Kind(raw[0]) == wire.KindReport {
					reports++
				}
				return true
			})
			if err != nil || reports != 1 {
				t.Errorf("%d reports for the hub, %v", reports, err)
			}
			stop(t, a)
			a = start(t, dir, nil) // the report among the records holds nothing up
			defer stop(t, a)
			if again := submit(t, a, `{"ask":"home"}`).Decisions[0].ID; again == after {
				t.Errorf("decision id %s was given twice", again)
			}
		})
	}
}

func TestForgetDestroysTheKeyBeforeTheReceiptLeaves(t *testing.T) {
	dir := t.TempDir()
	a := start(t, dir, nil)
	submit(t, a, `{"identify":"card:1","by":"card"}`)
	if n := len(a.store.Keys.Handles()); n != 1 {
		t.Fatalf("%d keys, want one of who is identified", n)
	}
	submit(t, a, `{"forget":"card:1"}`)
	if n := len(a.store.Keys.Handles()); n != 0 {
		t.Errorf("%d keys after the forget", n)
	}
	run, err := a.queue.Peek(1, 1, 10, 1<<20)
	if err != nil || len(run.Records) != 2 {
		t.Fatalf("%d records, %v, want tombstone and receipt", len(run.Records), err)
	}
	if wire.Kind(run.Records[0][0]) != wire.KindTombstone || wire.Kind(run.Records[1][0]) != wire.KindForgotten {
		t.Errorf("kinds %d and %d", run.Records[0][0], run.Records[1][0])
	}
	stop(t, a)
}

func TestFeed(t *testing.T) {
	a := start(t, t.TempDir(), nil)
	defer stop(t, a)
	all := func(*Message) bool { return true }
	r, fresh := a.Feed().Read(0, all)
	if !fresh {
		t.Error("a first reader begins with what is shown")
	}
	defer r.Close()
	submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`, `{"identify":null}`)
	var kinds []string
	var last uint64
	for range 3 {
		select {
		case m := <-r.C:
			kinds, last = append(kinds, m.Kind), m.ID
		case <-time.After(5 * time.Second):
			t.Fatalf("nothing came after %v", kinds)
		}
	}
	if got := strings.Join(kinds, " "); got != "session decision session" {
		t.Errorf("told %q", got)
	}
	again, fresh := a.Feed().Read(last-1, all)
	defer again.Close()
	if m := <-again.C; fresh || m.ID != last {
		t.Errorf("resumed with %d, want %d (fresh %v)", m.ID, last, fresh)
	}
	for range slowAfter + keptMessages + 1 { // nobody reads
		a.Feed().Session(1, "main", true)
	}
	n := 0
	for range again.C { // ends, since the reader was dropped
		n++
	}
	if n == 0 {
		t.Error("a slow reader gets what had its place")
	}
}

// TestAHelloFitsAMessage: however many slices are held.
func TestAHelloFitsAMessage(t *testing.T) {
	all := make([]engine.WantSlice, engine.DefaultCustomers)
	for k := range all {
		all[k] = engine.WantSlice{Handle: engine.Handle{byte(k), byte(k >> 8), 15: 0xff}, Revision: uint64(k % 2 * math.MaxInt64)}
	}
	held := heldOf(all)
	if len(held) != mostHeld || held[0].Revision == 0 {
		t.Fatalf("%d are named, the first %+v", len(held), held[0])
	}
	if _, err := wire.EncodeRequest(&wire.Hello{ID: strings.Repeat("h", 64), Epoch: math.MaxInt64, First: math.MaxInt64, Next: math.MaxInt64, Want: math.MaxInt64, Handles: held}); err != nil {
		t.Error(err)
	}
}

// TestBoundsAreTold: an app hears why it is refused, and what was there goes on.
func TestBoundsAreTold(t *testing.T) {
	a := start(t, t.TempDir(), func(c *Config) { c.Sessions, c.Customers = 1, 1 })
	defer stop(t, a)
	submit(t, a, `{"identify":"card:1","by":"card"}`)
	answer, err := a.Submit(context.Background(), lines(t, `{"identify":"card:2","by":"card","session":"b"}`))
	if err != nil || answer.Accepted != 0 || len(answer.Rejected) != 1 || !errors.Is(answer.Rejected[0].Err, engine.ErrSessions) {
		t.Errorf("%+v, %v", answer, err)
	}
	if k, ok, err := a.Known(context.Background(), "main"); err != nil || !ok || k.Customer != "card:1" {
		t.Errorf("%+v, %v, %v", k, ok, err)
	}
}
