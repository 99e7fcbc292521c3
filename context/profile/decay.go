package profile

import (
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// halvings[k] is 2^(-1/2^(k+1)), ln2 the natural logarithm of 2, as fractions of 2^64, rounded to nearest.
var halvings = [...]uint64{
	13043817825332782212, 15511800964685064948, 16915738899553466671, 17664662643191237676,
	18051468387014017850, 18248035989933441397, 18347121020861646924, 18396865112328554661,
	18421787711448657618, 18434261669329232140, 18440501815349552982, 18443622680442407998,
	18445183311048607332, 18445963675871538004, 18446353870663572145, 18446548971154807802,
}

const ln2 = 12786308645202655660

// Decay returns amount x 2^(-age/half), rounded toward zero; exact at whole half-lives, else to 15
// places. What has no half-life has gone as soon as it has an age.
func Decay(amount catalog.Micro, age, half sense.Duration) catalog.Micro {
	if age <= 0 {
		return amount
	}
	if half <= 0 || age/half >= 63 {
		return 0
	}
	whole := uint(age / half)
	factor := uint64(1) << 63 // of 2^63
	rest, step := uint64(age%half), uint64(half)
	for _, h := range halvings {
		rest *= 2
		if rest >= step {
			rest -= step
			factor, _ = bits.Mul64(factor, h)
		}
	}
	// What is left, less than a 2^-16 of a half-life, by the first terms of the series: 1 - y + y^2/2.
	if rest > 0 {
		left, _ := bits.Div64(rest>>16, rest<<48, step) // in half-lives, as a fraction of 2^64
		y, _ := bits.Mul64(left, ln2)
		square, _ := bits.Mul64(y, y)
		less, _ := bits.Mul64(factor, y-square/2)
		factor -= less
	}
	magnitude := uint64(amount)
	if amount < 0 {
		magnitude = -magnitude
	}
	hi, lo := bits.Mul64(magnitude, factor)
	m := int64((hi<<1 | lo>>63) >> whole)
	if amount < 0 {
		return -m
	}
	return m
}
