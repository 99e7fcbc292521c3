package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// visit is the kind of interaction, and the word of a policy's pressure, for a customer who comes by herself.
const visit = "visit"

// Bother returns what an action costs the customer now, in micro-units: the action's own
// bother and the pressure of all that was said before, never below the floor. Of an action
// that is exempt from pressure, and of nobody, a nil slice gives the own bother and the floor.
//
// Pressure is the sum of each outcome's amount x 2^(-age / half_life), and of each visit's, never
// clamped, so that the contacts of several devices add up in any order. It is added up in parts of a
// micro-unit and rounded once, up: so the expected value, which it is taken from, is rounded toward zero.
func Bother(b *catalog.Bundle, s *profile.Slice, own catalog.Micro, now sense.Instant) catalog.Micro {
	return Bothers(b, Pressure(b, s, now), own)
}

// Bothers returns what an action of its own bother costs a customer under a pressure: the sum of both, never below
// the floor.
func Bothers(b *catalog.Bundle, pressure, own catalog.Micro) catalog.Micro {
	if p := b.Contact.Pressure; p != nil {
		return max(own+pressure, p.Floor)
	}
	return own
}

// Pressure returns the pressure of all that was said to a customer before, in micro-units; 0 of nobody. It is the
// same for every action.
func Pressure(b *catalog.Bundle, s *profile.Slice, now sense.Instant) catalog.Micro {
	p := b.Contact.Pressure
	if p == nil || s == nil {
		return 0
	}
	sum := int64(0)
	for n := range p.Amounts {
		amount := &p.Amounts[n]
		if amount.Outcome == visit {
			for k := range s.Interactions {
				if i := &s.Interactions[k]; i.Kind == visit {
					sum = plus(sum, profile.Decay(amount.Amount*parts, now.Sub(i.Happened), p.HalfLife))
				}
			}
		}
		for k := range s.Exposures {
			for _, o := range s.Exposures[k].Outcomes {
				if o.Outcome == amount.Outcome {
					sum = plus(sum, profile.Decay(amount.Amount*parts, now.Sub(o.At), p.HalfLife))
				}
			}
		}
	}
	return up(sum)
}

// parts is how many parts of a micro-unit pressure is added up in.
const parts = 1024

const most = 1<<63 - 1

// plus adds up; what no int64 holds is the nearest that one does.
func plus(a, b int64) int64 {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return most
	case a < 0 && b < 0 && sum >= 0:
		return -most
	default:
		return sum
	}
}

// up returns a sum of parts in whole micro-units, rounded up.
func up(sum int64) catalog.Micro {
	whole := sum / parts
	if sum%parts > 0 {
		whole++
	}
	return whole
}
