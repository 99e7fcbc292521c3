package arbiter

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
)

// Candidate is an action that may be said, with what it would be worth.
type Candidate struct {
	Index     int32 // of the action in the bundle, which is in order of name
	Mandatory bool
	Value     catalog.Micro // expected, less bother
	Showings  int           // past showings to this customer
}

// Expected returns propensity x value x levers - bother in micro-units, for a value
// of at most 1e12 micro-units, a propensity of 0..1e6 and factors of 0..1e9 millionths.
func Expected(value, propensity, lever, groupLever, bother catalog.Micro) catalog.Micro {
	negative := value < 0
	magnitude := uint64(value)
	if negative {
		magnitude = -magnitude
	}
	// value x propensity <= 1e18 and lever x lever <= 1e18 fit in 64 bits each; their product
	// over 1e18 fits as well.
	hi, lo := bits.Mul64(magnitude*uint64(propensity), uint64(lever)*uint64(groupLever))
	q, _ := bits.Div64(hi, lo, uint64(catalog.One*catalog.One*catalog.One))
	if negative {
		return -int64(q) - bother
	}
	return int64(q) - bother
}

// Better orders candidates, the best first: mandatory, then higher expected value, then
// fewer past showings to this customer, then the smaller name.
func Better(a, b Candidate) int {
	switch {
	case a.Mandatory && !b.Mandatory:
		return -1
	case b.Mandatory && !a.Mandatory:
		return 1
	}
	return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Showings, b.Showings), cmp.Compare(a.Index, b.Index))
}

// Rank puts the best first.
func Rank(c []Candidate) { slices.SortFunc(c, Better) }

// WhyLost says why loser came behind winner.
func WhyLost(winner, loser Candidate) catalog.Reason {
	switch {
	case winner.Mandatory && !loser.Mandatory:
		return catalog.LostToMandatory
	case winner.Value == loser.Value:
		return catalog.LostTieBreak
	}
	return catalog.LostByValue
}
