package arbiter

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

func TestExpected(t *testing.T) {
	const one = catalog.One
	for _, c := range []struct {
		name                                              string
		value, propensity, lever, group, bother, expected catalog.Micro
	}{
		{"EUR 4.00 at 10 %, bother 0.05", 4 * one, one / 10, one, one, 50_000, 350_000},
		{"EUR 1.00 at 4 %, bother 0.05", one, 40_000, one, one, 50_000, -10_000},
		{"lever of 10 %", 400 * one, 40_000, one, 1_100_000, 50_000, 17_550_000},
		{"rounded toward zero", 1, 999_999, one, one, 0, 0},
		{"rounded toward zero below it", -1, 999_999, one, one, 0, 0},
		{"both levers", 10 * one, one, 1_500_000, 500_000, 0, 7_500_000},
		{"a loss", -10 * one, one / 2, one, one, 50_000, -5_050_000},
	} {
		if got := Expected(c.value, c.propensity, c.lever, c.group, c.bother); got != c.expected {
			t.Errorf("%s: %d, want %d", c.name, got, c.expected)
		}
	}
}

func TestExpectedAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		value := r.Int64N(2e12) - 1e12
		propensity, lever, group := r.Int64N(1e6+1), r.Int64N(1e9+1), r.Int64N(1e9+1)
		product := new(big.Int).Mul(big.NewInt(value), big.NewInt(propensity))
		product.Mul(product, new(big.Int).Mul(big.NewInt(lever), big.NewInt(group)))
		product.Quo(product, big.NewInt(1e18)) // Quo rounds toward zero
		if got := Expected(value, propensity, lever, group, 0); got != product.Int64() {
			t.Fatalf("Expected(%d, %d, %d, %d) = %d, want %s", value, propensity, lever, group, got, product)
		}
	}
}

func TestRank(t *testing.T) {
	c := []Candidate{
		{Index: 4, Value: 5}, {Index: 3, Value: 5, Showings: 1}, {Index: 2, Value: 9},
		{Index: 1, Mandatory: true, Value: -7}, {Index: 5, Value: 5},
	}
	Rank(c)
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
		{Candidate{Mandatory: true, Value: 2}, Candidate{Mandatory: true, Value: 1}, catalog.LostByValue},
	} {
		if got := WhyLost(x.winner, x.loser); got != x.want {
			t.Errorf("%+v lost to %+v by %s, want %s", x.loser, x.winner, got, x.want)
		}
	}
}
