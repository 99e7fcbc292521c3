package arbiter

import (
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
)

// A level is a logarithm to base 2, in parts of 2^-20. As levels, factors add up: what one of them
// changes is added or taken off, exactly, in any order. Levels are rounded to the safe side and only
// rule candidates out; what may be the best is worked out by Expected.
type level = int32

const (
	places       = 20
	octave level = 1 << places

	nothing level = -64 * octave // of zero, and of all that is no more than 2^-64
)

// chords are the levels of 1 + k/256, rounded down.
var chords = func() (all [257]level) {
	for k := range all {
		all[k] = level((logarithm(256+uint64(k)) - 8<<(places+finer)) >> finer)
	}
	return all
}()

// million is the level of a million, rounded down.
var million = level(logarithm(uint64(catalog.One)) >> finer)

// finer is how many more places a logarithm has than a level.
const finer = 8

// logarithm returns log2(x) of an x of at least 1 in parts of 2^-28, rounded down: exact for powers of
// two, less than two parts too low for all others.
//
// Each squaring doubles the logarithm, and carries its next binary place over the point. Its result is
// rounded down by at most one part in 2^63, which all squarings together makes less than 2^-61 of the logarithm.
func logarithm(x uint64) int64 {
	whole := bits.Len64(x) - 1
	m := x << (63 - whole) // from 1 to less than 2, the point behind the first bit
	sum := int64(whole)
	for range places + finer {
		hi, lo := bits.Mul64(m, m) // the point behind the second bit
		sum *= 2
		if hi>>63 == 1 {
			sum++
			m = hi
		} else {
			m = hi<<1 | lo>>63
		}
	}
	return sum
}

// below returns the level of a number of at least 1 or a little less: by less than slack parts.
//
// The logarithm is concave, so that a chord lies below it: by 1/(8 ln 2 256^2) at most, or 2.9 parts. The ends
// of a chord are rounded down by less than 1.1 parts, and the place between them by less than one.
func below(x uint64) level {
	whole := bits.Len64(x) - 1
	m := x << (63 - whole) << 1 // what follows the first bit
	k, rest := m>>56, int64(m<<8>>44)
	low := chords[k]
	return level(whole)<<places + low + level(int64(chords[k+1]-low)*rest>>20)
}

const slack = 5

// above returns the level of an amount of at least 1 or a little more.
func above(amount catalog.Micro) level { return below(uint64(amount)) + slack }

// factorLevel returns the level of a factor in millionths, of zero or more, or a little more.
func factorLevel(f catalog.Micro) level {
	switch f {
	case 0:
		return nothing
	case catalog.One:
		return 0
	}
	return above(f) - million
}
