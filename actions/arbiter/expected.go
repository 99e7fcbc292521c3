package arbiter

import (
	"math"
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
)

// mostWords holds the value and twenty-two factors without allocating: propensity, the action's and
// the group's lever, and eight weights of each are nineteen.
const mostWords = 23

// Expected returns value x factors - bother in micro-units. A factor is a propensity, a lever or a
// weight, in millionths: 1,100,000 for 10 % more. The product is exact, whatever its size, and
// rounded toward zero once; what no int64 holds is the nearest that one does. The order of the
// factors changes nothing.
func Expected(value, bother catalog.Micro, factors ...catalog.Micro) catalog.Micro {
	if len(factors) == 0 {
		return less(value, bother)
	}
	var room [mostWords]uint64
	words := room[:0] // the magnitude of the product, lowest word first, without leading zeros
	if len(factors) >= mostWords {
		words = make([]uint64, 0, len(factors)+1)
	}
	negative := value < 0
	words = append(words, magnitude(value))
	millionths := 0       // how many factors the product has yet to be divided for
	together := uint64(1) // factors that go into the product as one word
	for _, f := range factors {
		if f == catalog.One {
			continue
		}
		negative = negative != (f < 0)
		millionths++
		by := magnitude(f)
		if hi, lo := bits.Mul64(together, by); hi == 0 {
			together = lo
			continue
		}
		words = times(words, together)
		together = by
	}
	words = times(words, together)
	// To round the quotient of each division down is to round that of all of them once.
	for ; millionths >= 3; millionths -= 3 {
		words = over(words, uint64(catalog.One*catalog.One*catalog.One))
	}
	for ; millionths > 0; millionths-- {
		words = over(words, uint64(catalog.One))
	}
	return less(signed(words, negative), bother)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// times multiplies by one word.
func times(words []uint64, by uint64) []uint64 {
	carry := uint64(0)
	for k, w := range words {
		hi, lo := bits.Mul64(w, by)
		sum, c := bits.Add64(lo, carry, 0)
		words[k], carry = sum, hi+c
	}
	if carry > 0 {
		words = append(words, carry)
	}
	return words
}

// over divides by one word, rounding down.
func over(words []uint64, by uint64) []uint64 {
	rest := uint64(0)
	for k := len(words) - 1; k >= 0; k-- {
		words[k], rest = bits.Div64(rest, words[k], by)
	}
	for len(words) > 1 && words[len(words)-1] == 0 {
		words = words[:len(words)-1]
	}
	return words
}

// signed returns the number as an int64, or the nearest.
func signed(words []uint64, negative bool) int64 {
	fits := len(words) == 1
	switch {
	case negative && (!fits || words[0] > 1<<63):
		return math.MinInt64
	case negative:
		return -int64(words[0]) // of 1<<63 as well
	case !fits || words[0] > math.MaxInt64:
		return math.MaxInt64
	}
	return int64(words[0])
}

// less returns a-b, or the nearest that an int64 holds.
func less(a, b int64) int64 {
	d := a - b
	switch {
	case a >= 0 && b < 0 && d < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && d >= 0:
		return math.MinInt64
	}
	return d
}
