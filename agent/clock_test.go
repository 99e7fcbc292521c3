package agent

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
)

// fakeClock is set by hand.
type fakeClock struct {
	mu      sync.Mutex
	wall    sense.Instant
	elapsed sense.Duration
	synced  bool
}

func (c *fakeClock) Wall() sense.Instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *fakeClock) Elapsed() sense.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

func (c *fakeClock) Synced() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.synced
}

// pass lets time go by, awake or suspended.
func (c *fakeClock) pass(d sense.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d
}

// set puts the wall clock, and says whether somebody keeps it right.
func (c *fakeClock) set(wall sense.Instant, synced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.synced = wall, synced
}

func at(t testing.TB, s string) sense.Instant {
	t.Helper()
	i, err := sense.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

const (
	truth   = "2026-03-02T10:00:00Z"
	unknown = sense.ClockUnknown
	floor   = sense.ClockFloor
	synced  = sense.ClockSynced
)

// TestClockAtTheStart: what a life begins with, by the floor, the wall clock, and who keeps it.
func TestClockAtTheStart(t *testing.T) {
	now, epoch := at(t, truth), at(t, "1970-01-01T00:00:10Z")
	for name, c := range map[string]struct {
		wall  sense.Instant
		kept  bool
		floor sense.Instant
		want  sense.Instant
		state sense.ClockState
	}{
		"first life, kept":                   {now, true, 0, now, synced},
		"first life, nobody keeps it":        {now, false, 0, now, unknown},
		"first life in 1970":                 {epoch, false, 0, epoch, unknown},
		"first life in 2038":                 {at(t, "2038-01-19T03:14:08Z"), false, 0, at(t, "2038-01-19T03:14:08Z"), unknown},
		"first life before 1970":             {-5_000, false, 0, 1, unknown},
		"first life beyond what is printed":  {1 << 60, false, 0, lastWall, unknown},
		"no clock: 1970, and a floor":        {epoch, false, now, now, floor},
		"a clock of its own, off for 3 days": {now.Add(3 * sense.Day), false, now, now.Add(3 * sense.Day), floor},
		"off for a year":                     {now.Add(365 * sense.Day), false, now, now.Add(365 * sense.Day), floor},
		"2038, out of all likelihood":        {at(t, "2038-01-19T03:14:08Z"), false, now, now, unknown},
		"2038, and kept":                     {at(t, "2038-01-19T03:14:08Z"), true, now, at(t, "2038-01-19T03:14:08Z"), synced},
		"kept, and before a floor in 2038":   {now, true, at(t, "2038-01-01T00:00:00Z"), now, synced},
		"not kept, and before one in 2038":   {now, false, at(t, "2038-01-01T00:00:00Z"), at(t, "2038-01-01T00:00:00Z"), floor},
	} {
		s := newStamper(&fakeClock{wall: c.wall, synced: c.kept}, c.floor)
		if s.now() != c.want || s.state != c.state {
			t.Errorf("%s: %s, %s; want %s, %s", name, s.now(), s.state, c.want, c.state)
		}
	}
}

// TestClockInALife: what the wall clock and the hub do to the time. off is a step that takes a new life.
func TestClockInALife(t *testing.T) {
	now := at(t, truth)
	type world struct {
		*stamper
		c *fakeClock
	}
	for name, c := range map[string]struct {
		floor sense.Instant
		kept  bool
		do    func(w world)
		want  sense.Duration // after now
		state sense.ClockState
		off   sense.Duration
	}{
		"nothing":                             {floor: now, do: func(world) {}, state: floor},
		"an hour":                             {floor: now, do: func(w world) { w.c.pass(sense.Hour) }, want: sense.Hour, state: floor},
		"suspended for 3 days":                {floor: now, kept: true, do: func(w world) { w.c.pass(3 * sense.Day) }, want: 3 * sense.Day, state: synced},
		"somebody sets the clock a day forth": {floor: now, do: func(w world) { w.c.set(now.Add(sense.Day), false) }, state: floor},
		"somebody sets the clock a day back":  {floor: now, do: func(w world) { w.c.set(now.Add(-sense.Day), false) }, state: floor},
		"NTP comes, and agrees":               {floor: now, do: func(w world) { w.c.set(now.Add(2*sense.Second), true) }, state: synced},
		"NTP comes, half a minute ahead":      {floor: now, do: func(w world) { w.c.set(now.Add(30*sense.Second), true) }, want: 30 * sense.Second, state: synced},
		"NTP comes, ten days ahead":           {floor: now, do: func(w world) { w.c.set(now.Add(10*sense.Day), true) }, state: floor, off: 10 * sense.Day},
		"NTP comes late, and steps back half a minute": {floor: now, do: func(w world) {
			w.c.set(now.Add(-30*sense.Second), true)
			w.look()
			w.c.pass(20 * sense.Second)
		}, want: 10 * sense.Second, state: floor},
		"and has caught up a minute later": {floor: now, do: func(w world) {
			w.c.set(now.Add(-30*sense.Second), true)
			w.look()
			w.c.pass(sense.Minute)
			w.look()
			w.c.pass(sense.Minute)
		}, want: 90 * sense.Second, state: synced},
		"NTP steps back a day":                                {floor: now, kept: true, do: func(w world) { w.c.set(now.Add(-sense.Day), true) }, state: synced, off: -sense.Day},
		"the hub agrees":                                      {floor: now, do: func(w world) { w.hubTime(now.Add(sense.Second), true) }, state: synced},
		"the hub is 12 years ahead, nobody else knows":        {floor: now, do: func(w world) { w.hubTime(now.Add(12*sense.Year), true) }, state: floor, off: 12 * sense.Year},
		"the hub is 12 years ahead, and the clock is kept":    {floor: now, kept: true, do: func(w world) { w.hubTime(now.Add(12*sense.Year), true) }, state: floor},
		"the hub is in 1970, and the clock is kept":           {floor: now, kept: true, do: func(w world) { w.hubTime(1000, true) }, state: floor},
		"the clock is kept and 12 years ahead, the hub knows": {floor: now, do: func(w world) { w.c.set(now.Add(12*sense.Year), true); w.hubTime(now, true) }, state: floor},
		"the hub says nothing that is a time":                 {floor: now, do: func(w world) { w.hubTime(-5, true); w.hubTime(1<<62, true) }, state: floor},
		"an old word of the hub, held back": {floor: now, do: func(w world) {
			w.hubTime(now, true)
			w.look()
			w.c.pass(sense.Hour)
			w.hubTime(now, false)
		}, want: sense.Hour, state: synced},
		"the first word is not fresh: it is no less": {floor: now, do: func(w world) { w.hubTime(now.Add(20*sense.Second), false) }, want: 20 * sense.Second, state: synced},
	} {
		clock := &fakeClock{wall: now, synced: c.kept}
		s := newStamper(clock, c.floor)
		c.do(world{s, clock})
		before := s.now()
		_, off := s.look()
		if off != c.off {
			t.Errorf("%s: off by %s, want %s", name, off, c.off)
		}
		if got := s.now().Sub(now); got != c.want || s.state != c.state {
			t.Errorf("%s: at %s, %s; want %s, %s", name, got, s.state, c.want, c.state)
		}
		if s.now() < before {
			t.Errorf("%s: the time went back by itself", name)
		}
	}
}

// TestQuartz: after a month on one connection the hub's word is as old, and nobody is accused.
func TestQuartz(t *testing.T) {
	now := at(t, truth)
	c := &fakeClock{wall: now, synced: true}
	s := newStamper(c, now)
	s.hubTime(now, true)
	for k := range sense.Duration(30 * 24) {
		c.pass(sense.Hour)
		c.set(now.Add((k+1)*(sense.Hour+167)), true) // 46 ppm
		if _, off := s.look(); off != 0 || s.state != synced {
			t.Fatalf("hour %d: %s, off by %s", k, s.state, off)
		}
	}
	if d := apart(s.now(), c.Wall()); d > drift {
		t.Errorf("%s off", d)
	}
}

// TestFloor: what is saved is never after the truth, and goes on with what has elapsed.
func TestFloor(t *testing.T) {
	now := at(t, truth)
	c := &fakeClock{wall: 5}
	s := newStamper(c, 0)
	c.pass(sense.Hour)
	if s.floor() != 0 {
		t.Errorf("nobody vouched for %s", s.floor())
	}
	c = &fakeClock{wall: now.Add(9 * sense.Day)} // the wall clock is believed, and not vouched for
	s = newStamper(c, now)
	c.pass(sense.Hour)
	if s.now() != now.Add(9*sense.Day+sense.Hour) || s.floor() != now.Add(sense.Hour) {
		t.Errorf("at %s, floor %s", s.now(), s.floor())
	}
	c.set(c.Wall(), true)
	s.look()
	if s.floor() != s.now() {
		t.Errorf("floor %s of a kept clock at %s", s.floor(), s.now())
	}
	// A life under an unknown clock goes on where the one before it ended, if that is likely.
	for wall, want := range map[sense.Instant]sense.Instant{5: 7_000, 9_000: 9_000, now: 7_000} {
		s = newStamper(&fakeClock{wall: wall}, 0)
		if s.reach(7_000); s.now() != want {
			t.Errorf("wall %s: at %s, want %s", wall, s.now(), want)
		}
	}
}

func TestSuspendCounts(t *testing.T) {
	// It cannot be suspended here; that the clock is the one which counts it can be seen.
	a, b := SystemClock(), SystemClock()
	first := a.Elapsed()
	if second := b.Elapsed(); first <= 0 || second < first || second-first > 10*sense.Second {
		t.Errorf("%s, then %s: it is one clock since the machine's start", first, second)
	}
}

// aged is what a clock test looks at.
func snapshotOf(t testing.TB, a *Agent) (s engine.Snapshot) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.look(ctx, func() { s = a.mind.Snapshot() }); err != nil {
		t.Fatal(err)
	}
	return s
}

// do runs something in the goroutine of the mind, and comes back when a turn is over.
func do(t testing.TB, a *Agent, what func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, f := range []func(){what, func() {}, func() {}} {
		if err := a.look(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
}

func hubSays(t testing.TB, a *Agent, now sense.Instant) {
	do(t, a, func() { a.inbox.fromHub(uplink.HubTime{Time: now, Fresh: true}) })
}
