package contact

import (
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Bother returns what an action costs the customer now, in micro-units: the action's own
// bother and the pressure of all that was said before, never below the floor.
//
// Pressure is the sum of each outcome's amount x 2^(-age / half_life), never clamped, so
// that the contacts of several devices add up in any order.
func Bother(b *catalog.Bundle, s *profile.Slice, own catalog.Micro, now sense.Instant) catalog.Micro {
	p := b.Contact.Pressure
	if p == nil || s == nil {
		if p != nil {
			return max(own, p.Floor)
		}
		return own
	}
	sum := own
	for k := range s.Exposures {
		for _, o := range s.Exposures[k].Outcomes {
			for _, amount := range p.Amounts {
				if amount.Outcome == o.Outcome {
					sum += decayed(amount.Amount, now.Sub(o.At), p.HalfLife)
				}
			}
		}
	}
	return max(sum, p.Floor)
}

// halvings[k] is 2^(-1/2^(k+1)) as a fraction of 2^32, rounded to nearest.
var halvings = [...]uint64{
	3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965, 4271771996, 4283353945,
	4289156690, 4292061010, 4293513907, 4294240540, 4294603903, 4294785595, 4294876445, 4294921870,
}

// decayed returns amount x 2^(-age/half), rounded toward zero; exact at whole half-lives,
// else within a 2^-16 of a half-life.
func decayed(amount catalog.Micro, age, half sense.Duration) catalog.Micro {
	if age < 0 {
		age = 0
	}
	whole := int64(age / half)
	if whole >= 62 || half <= 0 {
		return 0
	}
	factor := uint64(1) << 32
	rest, step := uint64(age%half), uint64(half)
	for _, h := range halvings {
		rest *= 2
		if rest >= step {
			rest -= step
			factor = factor * h >> 32
		}
	}
	magnitude := uint64(amount)
	if amount < 0 {
		magnitude = -magnitude
	}
	hi, lo := bits.Mul64(magnitude, factor)
	m := int64((hi<<32 | lo>>32) >> uint(whole))
	if amount < 0 {
		return -m
	}
	return m
}
