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
// clamped, so that the contacts of several devices add up in any order.
func Bother(b *catalog.Bundle, s *profile.Slice, own catalog.Micro, now sense.Instant) catalog.Micro {
	p := b.Contact.Pressure
	if p == nil {
		return own
	}
	if s == nil {
		return max(own, p.Floor)
	}
	sum := own
	for n := range p.Amounts {
		amount := &p.Amounts[n]
		if amount.Outcome == visit {
			for k := range s.Interactions {
				if i := &s.Interactions[k]; i.Kind == visit {
					sum += profile.Decay(amount.Amount, now.Sub(i.Happened), p.HalfLife)
				}
			}
		}
		for k := range s.Exposures {
			for _, o := range s.Exposures[k].Outcomes {
				if o.Outcome == amount.Outcome {
					sum += profile.Decay(amount.Amount, now.Sub(o.At), p.HalfLife)
				}
			}
		}
	}
	return max(sum, p.Floor)
}
