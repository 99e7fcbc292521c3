package arbiter

import (
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

func TestRank(t *testing.T) {
	c := []Candidate{
		{Index: 4, Value: 5}, {Index: 3, Value: 5, Showings: 1}, {Index: 2, Value: 9},
		{Index: 1, Mandatory: true, Value: -7}, {Index: 5, Value: 5},
	}
	slices.SortFunc(c, Better)
	for k, want := range []int32{1, 2, 4, 5, 3} {
		if c[k].Index != want {
			t.Errorf("rank %d is %d, want %d", k, c[k].Index, want)
		}
	}
	for _, x := range []struct {
		winner, loser Candidate
		want          catalog.Reason
	}{
		{Candidate{Mandatory: true}, Candidate{Value: 9}, catalog.LostToMandatory},
		{Candidate{Value: 9}, Candidate{Value: 5}, catalog.LostByValue},
		{Candidate{Value: 5}, Candidate{Value: 5, Showings: 1}, catalog.LostTieBreak},
		{Candidate{Foremost: true, Mandatory: true, Value: 1}, Candidate{Mandatory: true, Value: 9}, catalog.LostToMandatory},
		{Candidate{Mandatory: true, Value: 2}, Candidate{Mandatory: true, Value: 1}, catalog.LostByValue},
	} {
		if got := WhyLost(x.winner, x.loser); got != x.want {
			t.Errorf("%+v lost to %+v by %s, want %s", x.loser, x.winner, got, x.want)
		}
	}
}
