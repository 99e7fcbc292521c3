package agent

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

var compileCounter = sync.OnceValues(func() (*catalog.Bundle, error) {
	dir, err := os.MkdirTemp("", "counter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(counterPolicy), 0o600); err != nil {
		return nil, err
	}
	b, _, err := policy.Compile(dir)
	return b, err
})

// counter is a device with the policy of a counter, and a clock that is set by hand.
type counter struct {
	t      testing.TB
	dir    string
	clock  *fakeClock
	change func(*Config)
	*Agent
}

func newCounter(t testing.TB, wall sense.Instant, synced bool) *counter {
	t.Helper()
	b, err := compileCounter()
	if err != nil || b == nil {
		t.Fatal(err)
	}
	_, change := provisioned(t, b)
	c := &counter{t: t, dir: filepath.Join(t.TempDir(), "store"), clock: &fakeClock{wall: wall, synced: synced}, change: change}
	c.start()
	return c
}

func (c *counter) start() {
	c.t.Helper()
	c.Agent = start(c.t, c.dir, func(cfg *Config) { c.change(cfg); talking(c.t)(cfg); cfg.Clock = c.clock })
}

// off switches it off and on again, when the wall clock says another time.
func (c *counter) off(wall sense.Instant, synced bool) {
	c.t.Helper()
	stop(c.t, c.Agent)
	c.clock = &fakeClock{wall: wall, synced: synced}
	c.start()
}

// see looks at the agent between two steps.
func (c *counter) see(look func()) {
	c.t.Helper()
	if err := c.look(context.Background(), look); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) now() (at sense.Instant) {
	c.t.Helper()
	c.see(func() { at = c.stamp.now() })
	return at
}

func (c *counter) say(lines ...string) Answer {
	c.t.Helper()
	a := submit(c.t, c.Agent, lines...)
	for _, r := range a.Rejected {
		c.t.Fatalf("line %d is refused: %v", r.Index, r.Err)
	}
	return a
}

const tap = `{"identify":"card:1","by":"card"}`

// slice brings a slice that is leased until then.
func (c *counter) slice(until sense.Instant) {
	c.t.Helper()
	h := wire.Handle(snapshotOf(c.t, c.Agent).Customers[0].Handle)
	do(c.t, c.Agent, func() {
		c.inbox.fromHub(uplink.Message{Message: &wire.Slice{Handle: h, Revision: 1, Until: int64(until), Customer: "p1",
			Consents: []wire.SliceConsent{{Purpose: "offers", Granted: true, Ever: true, Happened: int64(at(c.t, truth)) - 1000}},
			Facts:    []wire.SliceFact{{Name: "size", Value: wire.ValueOf(sense.StringValue("M")), Provenance: 1, Happened: int64(at(c.t, truth)) - 1000}}}})
	})
}

func (c *counter) known() engine.Known {
	c.t.Helper()
	k, ok, err := c.Known(c.t.Context(), "main")
	if err != nil || !ok {
		c.t.Fatalf("nobody is there: %v", err)
	}
	return k
}

// customer is what is held of the one customer.
func (c *counter) customer() engine.CustomerState {
	c.t.Helper()
	list := snapshotOf(c.t, c.Agent).Customers
	if len(list) != 1 {
		c.t.Fatalf("%d customers are held", len(list))
	}
	return list[0]
}

// TestLeaseEndsByTheTruth: a lease of 7 days, after the device was off, by what its clock says at the
// start and what is known of the time afterwards.
func TestLeaseEndsByTheTruth(t *testing.T) {
	now := at(t, truth)
	for name, c := range map[string]struct {
		wall  sense.Instant
		kept  bool
		here  bool // at the start
		hub   sense.Instant
		after bool // once the hub said the time
		facts int  // then
	}{
		"off for 8 days, kept":                         {now.Add(8 * sense.Day), true, false, now.Add(8 * sense.Day), false, 0},
		"off for 8 days, a clock of its own":           {now.Add(8 * sense.Day), false, false, now.Add(8 * sense.Day), false, 0},
		"off for 8 days, no clock: not before":         {1000, false, true, now.Add(8 * sense.Day), false, 0},
		"off for 3 days, no clock":                     {1000, false, true, now.Add(3 * sense.Day), true, 1},
		"2038, and it was one day: not used meanwhile": {at(t, "2038-01-19T03:14:08Z"), false, false, now.Add(sense.Day), true, 1},
		"2038, and it was 8 days":                      {at(t, "2038-01-19T03:14:08Z"), false, false, now.Add(8 * sense.Day), false, 0},
		"before the floor, kept: a day back":           {now.Add(-sense.Day), true, true, now.Add(-sense.Day), true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newCounter(t, now, true)
			d.say(tap)
			d.slice(now.Add(sense.Week))
			if !d.known().Here {
				t.Fatal("the slice did not come")
			}
			d.off(c.wall, c.kept)
			d.say(tap)
			if k := d.known(); k.Here != c.here {
				t.Errorf("at %s, %s: here %v, want %v", d.now(), d.Status().Clock, k.Here, c.here)
			}
			hubSays(t, d.Agent, c.hub)
			d.say(tap)
			if k := d.known(); k.Here != c.after || len(k.Slice.Facts) != c.facts || d.Status().Clock != "synced" {
				t.Errorf("the hub has said %s: here %v with %d facts, clock %s; want %v with %d", c.hub, k.Here, len(k.Slice.Facts), d.Status().Clock, c.after, c.facts)
			}
			stop(t, d.Agent)
		})
	}
}

// TestFirstLifeIn1970: what was told while nobody knew the time is neither past its retention at once, nor
// kept for ever, and the hub hears how it was made.
func TestFirstLifeIn1970(t *testing.T) {
	now := at(t, truth)
	for _, wall := range []sense.Instant{1000, at(t, "2038-01-19T03:14:08Z"), at(t, "2026-02-28T10:00:00Z")} {
		d := newCounter(t, wall, false)
		d.say(tap, `{"fact":"size","customer":"card:1","value":"M","provenance":"declared"}`)
		d.clock.pass(sense.Hour)
		d.off(wall.Add(2*sense.Hour), false) // twice
		d.say(tap)
		if s := d.Status(); s.Clock != "unknown" {
			t.Errorf("from %s: clock %s", wall, s.Clock)
		}
		hubSays(t, d.Agent, now)
		d.say(tap)
		k := d.known()
		if len(k.Slice.Facts) != 1 {
			t.Fatalf("from %s: %d facts are left", wall, len(k.Slice.Facts))
		}
		if age := now.Sub(k.Slice.Facts[0].Happened); age < 0 || age > 3*sense.Hour {
			t.Errorf("from %s: it was told %s ago", wall, age)
		}
		run, err := d.queue.Peek(now, 1, 100, 1<<20)
		if err != nil || run.Clock != unknown {
			t.Errorf("from %s: the first records were made under a clock that was %s, %v", wall, run.Clock, err)
		}
		d.say(`{"fact":"size","customer":"card:1","value":"L","provenance":"declared"}`)
		last, err := d.queue.Peek(now, d.queue.Status().Next-1, 100, 1<<20)
		if err != nil || last.Clock != synced {
			t.Errorf("from %s: the last one under one that was %s, %v", wall, last.Clock, err)
		}
		d.clock.pass(2*sense.Year + sense.Day)
		hubSays(t, d.Agent, now.Add(2*sense.Year+sense.Day))
		d.say(tap)
		if k := d.known(); len(k.Slice.Facts) != 0 {
			t.Errorf("from %s: it is kept for ever", wall)
		}
		stop(t, d.Agent)
	}
}

// TestClockADayForthAndBack: what was said under the wrong day neither wins against what is said after it,
// nor is it lost, and the device goes on at once.
func TestClockADayForthAndBack(t *testing.T) {
	now := at(t, truth)
	d := newCounter(t, now, true)
	d.say(tap)
	d.slice(now.Add(sense.Week))
	screen, _ := d.Feed().Read(0, func(m *Message) bool { return m.Kind == KindClear })
	defer screen.Close()
	shown := d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"home"}`).Decisions[0]
	d.clock.set(now.Add(sense.Day), true)
	do(t, d.Agent, func() {})
	if m := <-screen.C; string(m.Line) == "" {
		t.Error("nothing was taken down")
	}
	d.say(tap, `{"consent":"offers","customer":"card:1","granted":true}`, `{"fact":"size","customer":"card:1","value":"L","provenance":"declared"}`)
	d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`)
	tomorrow := d.say(`{"ask":"home"}`).Decisions[0]
	if got := tomorrow.At.Sub(now); got < sense.Day || got > sense.Day+sense.Minute {
		t.Errorf("decided %s ahead", got)
	}
	d.clock.set(now.Add(2*sense.Second), true)
	do(t, d.Agent, func() {})
	if got := d.now().Sub(now); got < 0 || got > sense.Minute || d.Status().Clock != "synced" {
		t.Errorf("at %s after the truth, %s", got, d.Status().Clock)
	}
	c := d.customer()
	if len(c.Slice.Exposures) != 2 {
		t.Fatalf("%d contacts are left of two", len(c.Slice.Exposures))
	}
	for _, x := range c.Slice.Exposures {
		if x.At > d.now() {
			t.Errorf("contact %s lies %s ahead", x.Decision, x.At.Sub(d.now()))
		}
	}
	for k := range c.Pending {
		if e := c.Pending[k].Event; e.Happened > d.now() {
			t.Errorf("what waits to be folded in again happened %s ahead", e.Happened.Sub(d.now()))
		}
	}
	d.clock.pass(sense.Second)
	d.say(tap, `{"consent":"offers","customer":"card:1","granted":false}`)
	for _, x := range d.known().Slice.Consents {
		if x.Granted {
			t.Error("the consent of tomorrow wins against its withdrawal")
		}
	}
	for _, id := range []string{shown.ID, tomorrow.ID} {
		d.say(`{"outcome":"accepted","decision":"` + id + `"}`)
	}
	var due sense.Instant
	d.see(func() { due = d.health })
	if due > d.now().Add(healthEvery) {
		t.Errorf("the next look at the house is %s ahead", due.Sub(d.now()))
	}
	// And over a restart: nothing is ahead, whatever the log says.
	d.off(now.Add(sense.Minute), true)
	d.say(tap)
	if got := d.now().Sub(now); got > 2*sense.Minute {
		t.Errorf("after a restart %s ahead", got)
	}
	stop(t, d.Agent)
}

// TestKilledUnderAWrongDay: the records above the snapshot lie ahead of the truth at the next start.
func TestKilledUnderAWrongDay(t *testing.T) {
	now := at(t, truth)
	d := newCounter(t, now, true)
	d.say(tap)
	d.slice(now.Add(sense.Week))
	d.clock.set(now.Add(3*sense.Day), true)
	d.say(tap, `{"fact":"size","customer":"card:1","value":"L","provenance":"declared"}`)
	killed := copyStore(t, d.dir)
	stop(t, d.Agent)
	d.dir, d.clock = killed, &fakeClock{wall: now.Add(sense.Hour), synced: true}
	d.start()
	d.say(tap)
	if got := d.now().Sub(now); got < 0 || got > 2*sense.Hour {
		t.Errorf("at %s after the truth", got)
	}
	if c := d.customer(); len(c.Slice.Facts) != 1 || c.Slice.Facts[0].Happened > d.now() {
		t.Errorf("%+v", c.Slice.Facts)
	}
	stop(t, d.Agent)
}

// TestSuspendOfThreeDays: what ends meanwhile has ended when the machine wakes, each at its own instant.
func TestSuspendOfThreeDays(t *testing.T) {
	now := at(t, truth)
	d := newCounter(t, now, true)
	d.say(tap)
	d.slice(now.Add(2 * sense.Day))
	d.say(`{"signal":"presence","value":true}`, `{"signal":"people","value":1}`, `{"ask":"home"}`)
	d.clock.pass(3 * sense.Day)
	do(t, d.Agent, func() {})
	if k, ok, _ := d.Known(t.Context(), "main"); ok && k.Customer != "" {
		t.Errorf("%s is still served", k.Customer)
	}
	if c := d.customer(); c.Here || len(c.Slice.Facts) > 0 {
		t.Errorf("the slice is here with %d facts", len(c.Slice.Facts))
	}
	if n := len(snapshotOf(t, d.Agent).Customers[0].Slice.Exposures); n != 1 {
		t.Errorf("%d contacts", n)
	}
	stop(t, d.Agent)
}
