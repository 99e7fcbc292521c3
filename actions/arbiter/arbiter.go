package arbiter

import (
	"cmp"

	"github.com/tact-edge/tact/actions/catalog"
)

// Candidate is an action that may be said, with what it would be worth.
type Candidate struct {
	Index     int32 // of the action in the bundle, which is in order of name
	Foremost  bool  // goes before even what is mandatory
	Mandatory bool
	Value     catalog.Micro // expected, less bother
	Showings  int           // past showings to this customer
}

// Better orders candidates, the best first: foremost, then mandatory, then higher expected value, then
// fewer past showings to this customer, then the smaller name.
func Better(a, b Candidate) int {
	switch {
	case a.Foremost && !b.Foremost:
		return -1
	case b.Foremost && !a.Foremost:
		return 1
	case a.Mandatory && !b.Mandatory:
		return -1
	case b.Mandatory && !a.Mandatory:
		return 1
	}
	return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Showings, b.Showings), cmp.Compare(a.Index, b.Index))
}

// WhyLost says why loser came behind winner.
func WhyLost(winner, loser Candidate) catalog.Reason {
	switch {
	case winner.Foremost && !loser.Foremost, winner.Mandatory && !loser.Mandatory:
		return catalog.LostToMandatory
	case winner.Value == loser.Value:
		return catalog.LostTieBreak
	}
	return catalog.LostByValue
}
