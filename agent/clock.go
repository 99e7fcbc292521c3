package agent

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
)

// systemClock is the clock of the machine.
type systemClock struct{}

// SystemClock returns the clock of the machine. It is synced where the kernel
// says that its time is kept right (by NTP or PTP). What has elapsed counts the time
// in which the machine was suspended as well, which Go's own monotonic clock leaves out.
func SystemClock() Clock { return systemClock{} }

func (systemClock) Wall() sense.Instant { return sense.InstantOf(time.Now()) }

func (systemClock) Elapsed() sense.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return sense.Duration(time.Since(processStart).Milliseconds()) // a kernel before 2.6.39 has none
	}
	return sense.Duration(t.Nano() / int64(time.Millisecond))
}

var processStart = time.Now()

func (systemClock) Synced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

const (
	// drift is how far two clocks may be apart and still agree.
	drift = 5 * sense.Second
	// glide is by how much the time is put right on the way: forth at once, back by going at half the
	// pace. By more, the mind begins a new life, see relive.
	glide = sense.Minute
	// longestOff is how long a device may have been off for a clock that nobody keeps to be believed:
	// one that is further ahead of what was vouched for is more likely to be wrong.
	longestOff = 400 * sense.Day
	// lastWall is the last instant that a clock may show: 9999-12-31.
	lastWall sense.Instant = 253402214400000
)

// stamper gives the mind its time. It goes with Elapsed, whatever the wall clock does, and is put
// right by witnesses: the machine's clock where it is kept, and the hub's signed time.
//
// States: synced, a witness says so and none contradicts. Floor: somebody vouched for a time once,
// before which it cannot be; how long ago that was the wall clock says, if it says something likely.
// Unknown: nobody ever has, or the wall clock is out of all likelihood; the time then stands in for
// none, and what has an end counts as ended.
//
// Of two witnesses that contradict each other the one is believed that is nearer to what was
// vouched for before (the hub, where nothing was): clocks fail more often than devices lie off for
// years. The state is floor then.
type stamper struct {
	clock Clock
	base  sense.Instant  // the time at
	since sense.Duration // this Elapsed
	slow  bool           // it is ahead of the truth, and goes at half the pace
	state sense.ClockState

	first     sense.Instant // of this life
	vouched   sense.Instant // certain not to be before; 0 where nobody ever vouched
	vouchedAt sense.Duration

	hub   sense.Instant // the hub's time at hubAt; 0 while it has not said
	hubAt sense.Duration
}

// newStamper begins a life. floor is the last instant that somebody vouched for, 0 for none.
func newStamper(c Clock, floor sense.Instant) *stamper {
	wall := min(max(c.Wall(), 1), lastWall)
	s := &stamper{clock: c, base: wall, since: c.Elapsed(), state: sense.ClockFloor, vouched: floor, vouchedAt: c.Elapsed()}
	switch {
	case floor == 0:
		s.state = sense.ClockUnknown
	case wall < floor:
		s.base = floor
	case wall > floor.Add(longestOff):
		s.base, s.state = floor, sense.ClockUnknown
	}
	if t, state, ok := s.truth(); ok { // the life begins with it
		s.set(t, state)
	}
	s.first = s.base
	return s
}

func (s *stamper) now() sense.Instant {
	gone := s.clock.Elapsed() - s.since
	if s.slow {
		gone /= 2
	}
	return s.base.Add(gone)
}

// reach goes forward to an instant that the mind has seen already.
func (s *stamper) reach(t sense.Instant) {
	// Under an unknown clock the wall is believed as far ahead of what was seen as of what was vouched for.
	stray := s.state == sense.ClockUnknown && s.vouched == 0 && t > 0 && s.now() > t.Add(longestOff)
	if t > s.now() || stray {
		s.base, s.since = t, s.clock.Elapsed()
	}
	s.first = max(s.first, t)
}

// set puts the time, which nobody has been told yet or a new life begins with.
func (s *stamper) set(t sense.Instant, state sense.ClockState) {
	s.base, s.since, s.slow, s.state, s.first = t, s.clock.Elapsed(), false, state, t
	s.vouched, s.vouchedAt = t, s.since
}

// floor is the instant before which it certainly is not; 0 where nobody ever vouched for one.
func (s *stamper) floor() sense.Instant {
	if s.vouched == 0 {
		return 0
	}
	return s.vouched.Add(s.clock.Elapsed() - s.vouchedAt)
}

// hubTime takes the hub's signed time. One that is not fresh may have been held back on its way: it
// is only not before that.
func (s *stamper) hubTime(t sense.Instant, fresh bool) {
	if t <= 0 || t > lastWall {
		return
	}
	if fresh || s.hub == 0 || t > s.hubNow() {
		s.hub, s.hubAt = t, s.clock.Elapsed()
	}
}

func (s *stamper) hubNow() sense.Instant { return s.hub.Add(s.clock.Elapsed() - s.hubAt) }

// truth is the best that is known of the time; ok is false where there is no witness.
func (s *stamper) truth() (t sense.Instant, state sense.ClockState, ok bool) {
	wall, kept := min(max(s.clock.Wall(), 1), lastWall), s.clock.Synced()
	switch {
	case s.hub == 0:
		return wall, sense.ClockSynced, kept
	case !kept:
		return s.hubNow(), sense.ClockSynced, true
	}
	hub := s.hubNow()
	allowed := drift + (s.clock.Elapsed()-s.hubAt)/1000 // what was said long ago is only as good as our quartz
	switch was := s.floor(); {
	case apart(wall, hub) <= allowed:
		return wall, sense.ClockSynced, true
	case was == 0 || apart(hub, was) <= apart(wall, was):
		return hub, sense.ClockFloor, true
	}
	return wall, sense.ClockFloor, true
}

// unsureAfter is the instant after which what this device stamped may be as wrong as its clock is now.
func (s *stamper) unsureAfter() sense.Instant {
	if s.state == sense.ClockUnknown {
		return s.vouched // lives before this one as well
	}
	return s.first
}

// witness says who is believed, for people.
func (s *stamper) witness() string {
	switch kept := s.clock.Synced(); {
	case s.hub == 0:
		return "the machine's clock"
	case !kept:
		return "the hub"
	}
	return "hub and machine"
}

func apart(a, b sense.Instant) sense.Duration { return max(a.Sub(b), b.Sub(a)) }

// look holds the time against the witnesses, and puts it right by little. changed says that the state
// is another than before; off is by how much the time is wrong where that takes a new life, else 0.
func (s *stamper) look() (changed bool, off sense.Duration) {
	t, state, ok := s.truth()
	if !ok {
		return false, 0
	}
	now, before := s.now(), s.state
	off = t.Sub(now)
	if off > glide || off < -glide {
		return false, off
	}
	s.base, s.since, s.slow = now, s.clock.Elapsed(), off < -drift
	switch {
	case s.slow:
		s.state = sense.ClockFloor // until the truth has caught up
	case off > drift:
		s.base, s.state = t, state
	default:
		s.state = state
	}
	s.vouched, s.vouchedAt = t, s.since
	return s.state != before, 0
}

// signed is the newest time that the hub has signed and the device kept; 0 where it has none.
func (w *wants) signed() sense.Instant {
	t := w.Device.Time
	for _, g := range w.Groups { // order: the greatest
		t = max(t, g.Time)
	}
	return sense.Instant(t)
}

// hubTime takes the hub's time, and tells the mind what follows from it.
func (a *Agent) hubTime(ctx context.Context, h uplink.HubTime) error {
	a.stamp.hubTime(h.Time, h.Fresh)
	return a.tellTime(ctx)
}

// tellTime tells the mind, the log and the hub when the clock has come to another state. Where the
// time was wrong by more than goes by itself, the mind begins a new life.
func (a *Agent) tellTime(ctx context.Context) error {
	before := a.stamp.state
	changed, off := a.stamp.look()
	if off != 0 {
		return a.reset(ctx, off)
	}
	if !changed {
		return nil
	}
	if before == sense.ClockUnknown && a.unsure {
		return a.relive(ctx, nil) // what was held back while nobody knew the time may be looked at
	}
	return a.tellClock(ctx)
}

// tellClock tells everybody the state of the clock.
func (a *Agent) tellClock(ctx context.Context) error {
	a.queue.Clock(a.stamp.state)
	a.describeNow()
	return a.say(ctx, &event.Clock{Now: a.stamp.now(), State: a.stamp.state})
}
