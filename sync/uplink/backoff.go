package uplink

import (
	"math/rand/v2"

	"github.com/tact-edge/tact/context/sense"
)

// jitter returns a duration from [d/2, d), a function of the seed and of how
// many were drawn before.
func (s *Session) jitter(d sense.Duration) sense.Duration {
	s.draws++
	half := int64(d / 2)
	if half <= 0 {
		return d
	}
	r := rand.New(rand.NewPCG(s.cfg.Seed, s.draws))
	return sense.Duration(half + r.Int64N(half))
}

// grown doubles base tries times, up to most.
func grown(base, most sense.Duration, tries int) sense.Duration {
	for ; tries > 0 && base < most; tries-- {
		base *= 2
	}
	return min(base, most)
}

// Takeovers: a connection that breaks although the broker is there at once
// again. MQTT 3.1.1 tells no reason; somebody else with the same client id looks
// like this, a broker that restarts does not.
const takeoverSpan = sense.Minute

// noteTakeover books one, and says whether there were too many within a minute.
func (s *Session) noteTakeover(at sense.Instant) bool {
	kept := s.takeovers[:0]
	for _, t := range s.takeovers {
		if at.Sub(t) < takeoverSpan {
			kept = append(kept, t)
		}
	}
	s.takeovers = append(kept, at)
	return len(s.takeovers) > s.cfg.Takeovers
}

// keepAway stays off the broker, longer each time: coming back at once would throw the other
// device out, which would do the same.
func (s *Session) keepAway() {
	s.takeovers, s.wasOpen, s.tries = nil, false, 0
	pause := grown(s.cfg.TakeoverPause, s.cfg.MaxTakeoverPause, s.twins)
	s.twins++
	s.phase, s.due = waiting, s.now.Add(s.jitter(pause))
}

// suspectsTwin says whether a break is taken for another takeover at once. The suspicion ends
// with a connection that lasts longer than the other device may keep away. Until then a broker
// that restarts is taken for a takeover too: the device is away for a pause, and loses nothing.
func (s *Session) suspectsTwin() bool {
	if s.now.Sub(s.openedAt) > 2*s.cfg.MaxTakeoverPause {
		s.twins = 0
	}
	return s.twins > 0
}
