package uplink

import (
	"fmt"
	"math/rand/v2"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
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

// Takeovers: somebody else with the same client id throws this device out. MQTT 3.1.1 tells no reason,
// but there is the retained presence: after a connection of this life nobody but another process of the
// same identity can have written it. Where the broker does not let a device read its own presence,
// a connection that breaks although the broker is there at once again is taken for a takeover.
const takeoverSpan = sense.Minute

// ownPresence looks who was connected before. A life that connects for the first time has nobody to miss.
func (s *Session) ownPresence(c wire.Conn) {
	s.readable = true
	if s.phase < joining || s.phase > delivering || s.other || s.openings < 2 || c.Life == "" || c.Life == s.life() {
		return
	}
	s.other, s.vain = true, 0 // now it is known why the connection before broke
	if s.noteTakeover(s.now) {
		s.keepAway("%d times within a minute another process was connected as %s: two devices have one identity, or one store runs twice")
	}
}

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

// keepAway tells and stays off the broker, longer each time: coming back at once would throw the
// other device out, which would do the same. After two pauses at their longest without a reason the next is short again.
func (s *Session) keepAway(why string) {
	s.problem(ProblemDuplicate, fmt.Sprintf(why, len(s.takeovers), s.cfg.Device))
	if s.now.Sub(s.awayAt) > 2*s.cfg.MaxTakeoverPause {
		s.twins = 0
	}
	s.down()
	s.out.Disconnect = true
	s.takeovers, s.wasOpen, s.tries, s.vain, s.awayAt = nil, false, 0, 0, s.now
	pause := grown(s.cfg.TakeoverPause, s.cfg.MaxTakeoverPause, s.twins)
	s.twins++
	s.phase, s.due = waiting, s.now.Add(s.jitter(pause))
}
