package arbiter

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

const one = catalog.One

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		name          string
		value, bother catalog.Micro
		factors       []catalog.Micro
		want          catalog.Micro
	}{
		{"EUR 4.00 at 10 %, bother 0.05", 4 * one, 50_000, []catalog.Micro{one / 10}, 350_000},
		{"EUR 1.00 at 4 %, bother 0.05", one, 50_000, []catalog.Micro{40_000}, -10_000},
		{"lever of 10 %", 400 * one, 50_000, []catalog.Micro{40_000, one, 1_100_000}, 17_550_000},
		{"no factor", 7, 3, nil, 4},
		{"a factor of nothing", 400 * one, 50_000, []catalog.Micro{0, 1_100_000}, -50_000},
		{"rounded toward zero", 1, 0, []catalog.Micro{999_999}, 0},
		{"rounded toward zero below it", -1, 0, []catalog.Micro{999_999}, 0},
		// 3 x 0.5 x 0.5 x 4 = 3: rounding after each factor would give 2 (1, 0, ...).
		{"rounded once, at the end", 3, 0, []catalog.Micro{one / 2, one / 2, 4 * one}, 3},
		{"both levers", 10 * one, 0, []catalog.Micro{one, 1_500_000, 500_000}, 7_500_000},
		{"a loss", -10 * one, 50_000, []catalog.Micro{one / 2}, -5_050_000},
		{"more than there is", math.MaxInt64, 0, []catalog.Micro{2 * one}, math.MaxInt64},
		{"less than there is", math.MinInt64, 1, nil, math.MinInt64},
		{"the least of all", math.MinInt64, 0, []catalog.Micro{one, one}, math.MinInt64},
		{"a bother below zero adds up to the most", math.MaxInt64, -1, nil, math.MaxInt64},
	} {
		if got := Expected(c.value, c.bother, c.factors...); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// exact is what Expected must return, by another arithmetic.
func exact(value, bother catalog.Micro, factors []catalog.Micro) catalog.Micro {
	product, divisor := big.NewInt(value), big.NewInt(1)
	for _, f := range factors {
		product.Mul(product, big.NewInt(f))
		divisor.Mul(divisor, big.NewInt(one))
	}
	clamp := func(n *big.Int) *big.Int {
		switch {
		case n.IsInt64():
			return n
		case n.Sign() < 0:
			return big.NewInt(math.MinInt64)
		}
		return big.NewInt(math.MaxInt64)
	}
	product = clamp(product.Quo(product, divisor)) // Quo rounds toward zero
	return clamp(product.Sub(product, big.NewInt(bother))).Int64()
}

func TestExpectedAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50_000 {
		value, bother := r.Int64N(2e12)-1e12, r.Int64N(1e9)
		factors := make([]catalog.Micro, r.IntN(30))
		for k := range factors {
			switch r.IntN(4) {
			case 0:
				factors[k] = r.Int64N(1e6 + 1)
			case 1:
				factors[k] = one + r.Int64N(1e5)
			case 2:
				factors[k] = r.Int64N(1e9 + 1)
			default:
				factors[k] = r.Int64()
			}
		}
		if r.IntN(10) == 0 {
			value, bother = int64(r.Uint64()), int64(r.Uint64())
		}
		got, want := Expected(value, bother, factors...), exact(value, bother, factors)
		if got != want {
			t.Fatalf("Expected(%d, %d, %v) = %d, want %d", value, bother, factors, got, want)
		}
		r.Shuffle(len(factors), func(a, b int) { factors[a], factors[b] = factors[b], factors[a] })
		if again := Expected(value, bother, factors...); again != got {
			t.Fatalf("another order of %v gives %d, not %d", factors, again, got)
		}
	}
}

func FuzzExpected(f *testing.F) {
	f.Add(int64(400*one), int64(50_000), int64(40_000), int64(1_100_000), int64(one), uint8(16))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), int64(math.MaxInt64), int64(math.MinInt64), int64(-1), uint8(25))
	f.Fuzz(func(t *testing.T, value, bother, a, b, c int64, n uint8) {
		factors := make([]catalog.Micro, n%32)
		for k := range factors {
			factors[k] = [...]int64{a, b, c}[k%3]
		}
		if got, want := Expected(value, bother, factors...), exact(value, bother, factors); got != want {
			t.Fatalf("Expected(%d, %d, %v) = %d, want %d", value, bother, factors, got, want)
		}
	})
}

// all is propensity, two levers and sixteen weights.
func all() []catalog.Micro {
	factors := []catalog.Micro{40_000, 1_100_000, 900_000}
	for range 16 {
		factors = append(factors, 1_200_000)
	}
	return factors
}

func TestExpectedAllocatesNothing(t *testing.T) {
	factors := all()
	if n := testing.AllocsPerRun(100, func() { Expected(400*one, 50_000, factors...) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkExpected(b *testing.B) {
	for _, c := range []struct {
		name    string
		factors []catalog.Micro
	}{{"propensity and a lever", []catalog.Micro{40_000, one, 1_100_000}}, {"nineteen factors", all()}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Expected(400*one, 50_000, c.factors...)
			}
		})
	}
}
