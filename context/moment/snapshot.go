package moment

import (
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Snapshot is what outlives a restart: the side of each place on which somebody was last
// seen with certainty. All else is unknown until it is filled again.
type Snapshot struct {
	Fences []FenceSide // in order of session, then of place; those that are unknown left out
}

// FenceSide is the last certain side of one place.
type FenceSide struct {
	Session string // empty for the device
	Place   string
	Side    place.Side
}

// Snapshot returns what outlives a restart.
func (s *State) Snapshot() Snapshot {
	var snap Snapshot
	add := func(c *scene) {
		for k, f := range c.fences {
			if f.Last != place.Unknown {
				snap.Fences = append(snap.Fences, FenceSide{Session: c.name, Place: s.model.bundle.Places[k].Name, Side: f.Last})
			}
		}
	}
	add(s.device)
	for _, c := range s.sessions {
		add(c)
	}
	return snap
}

// Restore takes up a snapshot in a state that was just made; sessions that it names are opened.
// What it does not hold is unknown from now on, as after Boot. Sides of places that the bundle
// does not declare are left.
func (s *State) Restore(snap Snapshot, now sense.Instant) {
	s.Begin(now)
	for _, f := range snap.Fences {
		k := s.model.bundle.PlaceIndex(f.Place)
		if k < 0 || f.Side > place.Inside {
			continue
		}
		c := s.device
		if f.Session != "" {
			s.Open(f.Session, now)
			c = s.scene(f.Session)
		}
		s.rouse(c)
		c.fence(s.model, k).Last = f.Side
		// The conditions see the old side once, so that entered and left know what was before.
		for _, input := range s.model.located {
			if in := &s.model.bundle.Program.Inputs[input]; in.From == rule.FromInside && in.Index == k {
				c.eval.Set(input, sideOf(f.Side), now)
			}
		}
	}
	s.Settle(now)
	s.Boot(now)
	s.Begin(now)
}
