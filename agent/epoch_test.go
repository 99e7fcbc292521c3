package agent

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// office is the hub's mind over a ledger in memory, to which devices speak with the words of the wire.
type office struct {
	t       testing.TB
	mind    *hub.Mind
	l       *ledger.Memory
	seal    *ecdh.PrivateKey
	sign    ed25519.PrivateKey
	now     sense.Instant
	counter uint64
	epochs  int // that devices were told to leave
}

func newOffice(t testing.TB) *office {
	t.Helper()
	seal, err := ecdh.X25519().NewPrivateKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := hub.New(hub.Config{Tenant: "main", Open: seal, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	return &office{t: t, mind: m, l: ledger.NewMemory(), seal: seal, sign: ed25519.NewKeyFromSeed([]byte("fedcba9876543210fedcba9876543210")), now: sense.InstantOf(time.Now())}
}

// take passes one message of the device to the hub, and returns what it says to the device.
func (o *office) take(topic string, payload []byte) (down []hub.Message) {
	o.t.Helper()
	ctx := context.Background()
	tx, err := o.l.Begin(ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	out, err := o.mind.Round(tx, o.now, []hub.Input{hub.FromDevice{Topic: topic, Payload: payload}})
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		o.t.Fatal(err)
	}
	for _, x := range out {
		for _, m := range x.Messages {
			if p, err := wire.ParseTopic(m.Topic); err == nil && p.Plane == wire.Down && p.Device == "kiosk-1" {
				down = append(down, m)
			}
		}
	}
	return down
}

// visit lets a device speak to the hub until it has sent everything that may be sent.
func (o *office) visit(a *Agent) {
	o.t.Helper()
	o.counter++
	key := o.seal.PublicKey().Bytes()
	a.seal.Store(&key)
	s, err := uplink.New(uplink.Config{Tenant: "main", Device: "kiosk-1", Keys: wire.KeysOf(o.sign.Public().(ed25519.PublicKey)), Boot: a.boot, Linger: -1})
	if err != nil {
		o.t.Fatal(err)
	}
	at := sense.Instant(1)
	logNow := func() uplink.Log {
		q := a.queue.Status()
		return uplink.Log{Epoch: q.Epoch, Head: q.Head, Next: q.Next, Records: q.Records, Bytes: q.Bytes}
	}
	inputs := []uplink.Input{logNow(), uplink.Tick{}}
	for rounds := 0; ; rounds++ {
		if rounds > 500 {
			o.t.Fatalf("the device and the hub do not come to an end: %+v", a.queue.Status())
		}
		var next []uplink.Input
		for _, in := range inputs {
			out := s.Step(at, in)
			if k := out.Acknowledge; k != nil {
				if err := a.queue.Acknowledge(k.Epoch, k.Through, k.Ranges); err != nil {
					o.t.Fatal(err)
				}
			}
			for _, e := range out.Up {
				if c, ok := e.(uplink.Command); ok {
					if _, leave := c.Command.(*wire.NewEpoch); leave {
						o.epochs++
					}
					do(o.t, a, func() { a.inbox.fromHub(e) })
				}
			}
			if out.Connect {
				next = append(next, uplink.Connected{Counter: o.counter})
			}
			if len(out.Subscribe) > 0 {
				next = append(next, uplink.Subscribed{})
			}
			for _, p := range out.Publish {
				for _, m := range o.take(p.Topic, p.Payload) {
					signed, err := wire.Sign(m.Topic, m.Payload, o.sign)
					if err != nil {
						o.t.Fatal(err)
					}
					next = append(next, uplink.Arrived{Topic: m.Topic, Payload: signed})
				}
			}
			if r := out.Read; r != nil {
				run, err := a.queue.Peek(o.now, r.From, r.Records, r.Bytes)
				if err != nil {
					o.t.Fatal(err)
				}
				next = append(next, uplink.Records{First: run.First, Bundle: run.Bundle, Clock: run.Clock, Records: run.Records})
			}
		}
		if len(next) == 0 {
			if q := a.queue.Status(); q.Head == q.Next && rounds > 5 {
				return
			}
			at = at.Add(sense.Second)
			next = []uplink.Input{uplink.Tick{}}
		}
		inputs = append(next, logNow())
	}
}

// decisions are those that the hub has, each with how often.
func (o *office) decisions() map[string]int {
	o.t.Helper()
	list, err := o.l.Decisions(context.Background(), ledger.Filter{Limit: 10_000})
	if err != nil {
		o.t.Fatal(err)
	}
	got := map[string]int{}
	for _, d := range list {
		w, epoch, err := d.Decision()
		if err != nil {
			o.t.Fatal(err)
		}
		got[fmt.Sprintf("kiosk-1-%d-%d at %d", epoch, w.N, w.At)]++
	}
	return got
}

// holds says that the hub has every decision that was made exactly once, and no finding but those named.
func (o *office) holds(made map[string]bool, findings ...string) {
	o.t.Helper()
	got := o.decisions()
	for d := range made {
		if got[d] != 1 {
			o.t.Errorf("decision %s is at the hub %d times", d, got[d])
		}
	}
	if len(got) != len(made) {
		o.t.Errorf("the hub has %d decisions, %d were made: %v", len(got), len(made), slices.Sorted(maps.Keys(got)))
	}
	r, err := o.l.Verify(context.Background())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, f := range r.Findings {
		if !slices.Contains(findings, f.Code) {
			o.t.Errorf("hub verify: %+v", f)
		}
	}
}

// decide asks so often, and notes what was decided.
func decide(t testing.TB, a *Agent, n int, made map[string]bool) (last string) {
	t.Helper()
	for range n {
		for _, d := range submit(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"home"}`).Decisions {
			epoch, n, ok := a.codec.splitID(d.ID)
			if !ok {
				t.Fatalf("decision %q", d.ID)
			}
			made[fmt.Sprintf("kiosk-1-%d-%d at %d", epoch, n, d.At)] = true
			last = d.ID
		}
	}
	return last
}

func copyStore(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func talking(t testing.TB) func(*Config) {
	return func(c *Config) {
		c.Machine = "a"
		c.Tell = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	}
}

// TestStorePutBackFromACopy: after is what the device did between its copy and the loss of the store, then
// what it did with the copy before it met the hub again: less than it had done, as much, or more.
func TestStorePutBackFromACopy(t *testing.T) {
	for _, c := range []struct{ before, after, then int }{{3, 5, 0}, {3, 5, 1}, {3, 5, 5}, {3, 5, 20}, {0, 5, 2}, {3, 0, 2}, {300, 300, 300}} {
		t.Run(fmt.Sprint(c.before, c.after, c.then), func(t *testing.T) {
			o, dir, made := newOffice(t), filepath.Join(t.TempDir(), "store"), map[string]bool{}
			a := start(t, dir, talking(t))
			decide(t, a, c.before, made)
			o.visit(a)
			decide(t, a, 1, made) // which waits in the copy
			stop(t, a)
			kept := copyStore(t, dir)
			a = start(t, dir, talking(t))
			decide(t, a, c.after, made)
			o.visit(a)
			stop(t, a)

			a = start(t, kept, talking(t))
			before := a.queue.Status().Epoch
			last := decide(t, a, c.then, made)
			o.visit(a)
			if c.after > 0 && (o.epochs != 1 || a.Status().Epoch == before) {
				t.Errorf("told to leave %d times, epoch %d before and %d now", o.epochs, before, a.Status().Epoch)
			}
			if last != "" { // it is answered under the id that it was given
				if r := submit(t, a, `{"outcome":"accepted","decision":"`+last+`"}`).Rejected; len(r) > 0 {
					t.Errorf("an answer to %s is refused: %v", last, r[0].Err)
				}
			}
			decide(t, a, 2, made)
			o.visit(a)
			stop(t, a)
			a = start(t, kept, talking(t))
			decide(t, a, 1, made)
			if last != "" {
				if r := submit(t, a, `{"outcome":"dismissed","decision":"`+last+`"}`).Rejected; len(r) > 0 {
					t.Errorf("after a restart an answer to %s is refused: %v", last, r[0].Err)
				}
			}
			o.visit(a)
			stop(t, a)
			o.holds(made)
			if o.epochs > 1 {
				t.Errorf("told to leave %d times", o.epochs)
			}
		})
	}
}

// TestCloneOnAnotherMachine: both go on at the same time, with one identity.
func TestCloneOnAnotherMachine(t *testing.T) {
	o, dir, made := newOffice(t), filepath.Join(t.TempDir(), "store"), map[string]bool{}
	a := start(t, dir, talking(t))
	decide(t, a, 4, made)
	o.visit(a)
	decide(t, a, 3, made)
	stop(t, a)
	second := copyStore(t, dir)
	a = start(t, dir, talking(t))
	b := start(t, second, func(c *Config) { talking(t)(c); c.Machine = "b" })
	if a.Status().Epoch == b.Status().Epoch {
		t.Fatal("the copy speaks under the numbers of the first")
	}
	for range 2 {
		decide(t, a, 3, made)
		decide(t, b, 3, made)
		o.visit(b)
		o.visit(a)
	}
	stop(t, a)
	stop(t, b)
	o.holds(made, "duplicate_identity") // which the copy reports
	if o.epochs != 0 {
		t.Errorf("told to leave %d times: the copy noticed by itself", o.epochs)
	}
	b = start(t, second, func(c *Config) { talking(t)(c); c.Machine = "b" })
	if epoch := b.Status().Epoch; len(b.former) != 1 || epoch == b.former[0].Epoch {
		t.Errorf("epoch %d, left %v: one copy leaves once", epoch, b.former)
	}
	stop(t, b)
}

// TestLeavesOftenBeforeItIsHeard: what was never acknowledged goes through many epochs, and counts once.
func TestLeavesOftenBeforeItIsHeard(t *testing.T) {
	for _, visits := range []int{0, 3} { // never before the end, or every third time
		o, dir, made := newOffice(t), filepath.Join(t.TempDir(), "store"), map[string]bool{}
		for round := range 10 {
			a := start(t, dir, func(c *Config) { talking(t)(c); c.Machine = fmt.Sprint("m", round) })
			if len(a.former) != round {
				t.Fatalf("round %d: left %v", round, a.former)
			}
			decide(t, a, 2, made)
			if visits > 0 && round%visits == 1 {
				o.visit(a)
				decide(t, a, 1, made)
			}
			if round == 9 {
				o.visit(a)
			}
			stop(t, a)
		}
		o.holds(made, "duplicate_identity")
	}
}

// TestLogBehindItsSnapshot: the log alone was put back from a copy, or the state alone.
func TestLogBehindItsSnapshot(t *testing.T) {
	for _, file := range []string{store.OutboxFile, store.StateFile} {
		t.Run(file, func(t *testing.T) {
			o, dir, made := newOffice(t), filepath.Join(t.TempDir(), "store"), map[string]bool{}
			a := start(t, dir, talking(t))
			decide(t, a, 3, made)
			stop(t, a)
			kept := copyStore(t, dir)
			a = start(t, dir, talking(t))
			decide(t, a, 4, made)
			o.visit(a)
			do(t, a, a.save)
			if _, err := a.queue.Drop(); err != nil {
				t.Fatal(err)
			}
			decide(t, a, 1, made)
			o.visit(a)
			stop(t, a)
			raw, err := os.ReadFile(filepath.Join(kept, file))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, file), raw, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			a = start(t, dir, talking(t))
			if len(a.former) != 1 {
				t.Errorf("left %v", a.former)
			}
			decide(t, a, 2, made)
			o.visit(a)
			stop(t, a)
			o.holds(made)
			report := ""
			r, _ := o.l.Verify(context.Background())
			for _, e := range r.Epochs {
				for code := range e.Reports {
					report += code
				}
			}
			if !strings.Contains(report, wire.ReportStoreRestored) {
				t.Errorf("reports %q", report)
			}
		})
	}
}

// TestLogOfAnEpochThatWasLeft: a log that never let go of anything is put back after its epoch was left. What
// was decided in it since must not be numbered a second time.
func TestLogOfAnEpochThatWasLeft(t *testing.T) {
	o, dir, made := newOffice(t), filepath.Join(t.TempDir(), "store"), map[string]bool{}
	a := start(t, dir, talking(t))
	decide(t, a, 2, made)
	stop(t, a)
	kept, err := os.ReadFile(filepath.Join(dir, store.OutboxFile))
	if err != nil {
		t.Fatal(err)
	}
	a = start(t, dir, talking(t))
	left := a.Status().Epoch
	decide(t, a, 3, made)
	o.visit(a)
	do(t, a, func() { a.inbox.fromHub(uplink.Command{Command: &wire.NewEpoch{Epoch: left}}) })
	if a.Status().Epoch == left {
		t.Fatal("it was not left")
	}
	decide(t, a, 2, made)
	o.visit(a)
	stop(t, a)
	if err := os.WriteFile(filepath.Join(dir, store.OutboxFile), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	a = start(t, dir, talking(t))
	if now := a.Status().Epoch; now == left {
		t.Error("it goes on under the numbers of an epoch that it had left")
	}
	decide(t, a, 5, made)
	o.visit(a)
	stop(t, a)
	o.holds(made)
	if o.epochs != 0 {
		t.Errorf("told to leave %d times", o.epochs)
	}
}
