package agent

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/tact-edge/tact/context/sense"
)

// systemClock is the clock of the machine.
type systemClock struct{ start time.Time }

// SystemClock returns the clock of the machine. It is synced where the kernel
// says that its time is kept right.
func SystemClock() Clock { return systemClock{time.Now()} }

func (c systemClock) Wall() sense.Instant { return sense.InstantOf(time.Now()) }
func (c systemClock) Elapsed() sense.Duration {
	return sense.Duration(time.Since(c.start).Milliseconds())
}

func (c systemClock) Synced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// drift is how far two clocks may be apart and still agree.
const drift = 5 * sense.Second

// stamper gives the mind its time: it goes with Elapsed, is never before the
// floor, and goes forward, never back, to a wall clock or hub that is trusted.
type stamper struct {
	clock Clock
	base  sense.Instant  // the time at
	since sense.Duration // this Elapsed
	state sense.ClockState
	hub   bool // the hub has said what time it is
}

func newStamper(c Clock, floor sense.Instant) *stamper {
	s := &stamper{clock: c, base: max(c.Wall(), floor), since: c.Elapsed(), state: sense.ClockUnknown}
	if floor > 0 {
		s.state = sense.ClockFloor
	}
	s.look()
	return s
}

func (s *stamper) now() sense.Instant { return s.base.Add(s.clock.Elapsed() - s.since) }

// reach goes forward to an instant that the mind has seen already.
func (s *stamper) reach(t sense.Instant) {
	if t > s.now() {
		s.base, s.since = t, s.clock.Elapsed()
	}
}

// look compares with the wall clock, and says whether the state is another than before.
func (s *stamper) look() (changed bool) {
	if !s.clock.Synced() {
		return false
	}
	return s.trust(s.clock.Wall())
}

// hubTime takes the hub's signed time.
func (s *stamper) hubTime(t sense.Instant) (changed bool) {
	s.hub = true
	return s.trust(t)
}

func (s *stamper) trust(t sense.Instant) (changed bool) {
	now, before := s.now(), s.state
	if t > now.Add(drift) {
		s.base, s.since = t, s.clock.Elapsed()
		now = t
	}
	if now <= t.Add(drift) {
		s.state = sense.ClockSynced
	} else {
		s.state = sense.ClockFloor // we are ahead of the truth, and wait for it
	}
	return s.state != before
}
