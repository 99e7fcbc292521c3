package profile

import (
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// halvings[k] is 2^(-1/2^(k+1)) as a fraction of 2^32, rounded to nearest.
var halvings = [...]uint64{
	3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965, 4271771996, 4283353945,
	4289156690, 4292061010, 4293513907, 4294240540, 4294603903, 4294785595, 4294876445, 4294921870,
}

// Decay returns amount x 2^(-age/half), rounded toward zero; exact at whole half-lives, else within
// a 2^-16 of a half-life. What has no half-life has gone as soon as it has an age.
func Decay(amount catalog.Micro, age, half sense.Duration) catalog.Micro {
	if age <= 0 {
		return amount
	}
	if half <= 0 || age/half >= 63 {
		return 0
	}
	whole := uint(age / half)
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
	m := int64((hi<<32 | lo>>32) >> whole)
	if amount < 0 {
		return -m
	}
	return m
}
