package arbiter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
)

// field is a world of many candidates and sixteen features each, for measuring.
type field struct {
	name       string
	candidates int
	features   int     // in all; the popular ones bear on most of the candidates
	learned    bool    // the features make the propensity, else they are weights
	alike      bool    // every candidate can become worth the same, so that only what rose since rules any out
	same       bool    // every candidate is worth the same always, so that nothing rules any out
	close      bool    // values of EUR 20 to 40
	most       float64 // the most that bounds may take of the time of scoring all
}

func (x field) make(t testing.TB) *world {
	r := rand.New(rand.NewPCG(7, uint64(x.features)))
	common := Common{Features: x.features, Floor: 50_000}
	if x.learned {
		common.Curve = sigmoid()
	}
	zipf := rand.NewZipf(r, 1.1, 4, uint64(x.features-1))
	candidates := make([]Contender, x.candidates)
	for k := range candidates {
		// EUR 1 to 400, as often below 20 as above; propensities of 1 to 10 %.
		value := catalog.Micro(math.Exp(r.Float64()*math.Log(400)) * 1e6)
		p := 10_000 + r.Int64N(90_000)
		c := Contender{Action: int32(k), Value: value, Bother: 50_000 + r.Int64N(50_000), Factors: []catalog.Micro{1_000_000 + r.Int64N(4)*50_000}}
		if x.close {
			c.Value = 20_000_000 + r.Int64N(20_000_000)
		}
		if x.alike || x.same {
			c.Value, c.Bother, c.Factors, p = 100_000_000, 50_000, []catalog.Micro{one}, 40_000
		}
		if x.learned {
			c.Factors = nil
			c.Prior = int32(math.Log(float64(p)/(1e6-float64(p))) * 65536)
		} else {
			c.Factors = append(c.Factors, p)
		}
		taken := map[int32]bool{}
		for len(taken) < 16 {
			f := int32(zipf.Uint64())
			if x.features == 16 || x.same {
				f = int32(len(taken))
			}
			if taken[f] {
				continue
			}
			taken[f] = true
			add, factor := int32(r.NormFloat64()*0.3*65536), 700_000+r.Int64N(800_000)
			if x.alike || x.same {
				add, factor = 6000*(1-2*(f%2)), []catalog.Micro{1_100_000, 909_091}[f%2]
			}
			if x.learned {
				c.Terms = append(c.Terms, Term{f, add})
			} else {
				c.Weights = append(c.Weights, Weight{f, factor})
			}
		}
		candidates[k] = c
	}
	return newWorld(t, candidates, common)
}

// sigmoid is the logistic of sums in parts of 2^-16, in 2,048 steps from -8 to 8.
func sigmoid() *Curve {
	c := &Curve{From: -8 << 16, Shift: 9}
	for k := range 2048 {
		c.P = append(c.P, catalog.Micro(1e6/(1+math.Exp(8-float64(k)/128))))
	}
	return c
}

// all scores every eligible candidate as one would who keeps nothing.
func (w *world) all(eligible []uint64) (best Candidate) {
	var room [24]catalog.Micro
	var masks [64]int32 // all ones for what holds: no branch to guess
	for f, holds := range w.holds {
		if holds {
			masks[f] = -1
		}
	}
	best.Index = -1
	for k := range w.candidates {
		if eligible[k>>6]>>(k&63)&1 == 0 {
			continue
		}
		c := &w.candidates[k]
		var value catalog.Micro
		bother := max(c.Bother+w.pressure, w.common.Floor) + c.Elsewhere
		if w.common.Curve != nil {
			sum := c.Prior
			for _, x := range c.Terms {
				sum += x.Add & masks[x.Feature&63]
			}
			// These values are small enough for 64 bits: nothing faster says the same.
			value = int64(uint64(c.Value)*uint64(w.common.Curve.At(sum))/1e6) - bother
		} else {
			factors := append(room[:0], c.Factors...)
			for n := range c.Weights {
				if x := &c.Weights[n]; masks[x.Feature&63] != 0 {
					factors = append(factors, x.Factor)
				}
			}
			value = Expected(c.Value, bother, factors...)
		}
		if x := (Candidate{Index: c.Action, Value: value}); best.Index < 0 || Better(x, best) < 0 {
			best = x
		}
	}
	return best
}

var fields = []field{
	{name: "score.bounds", candidates: 1000, features: 60, learned: true, most: 0.2},
	{name: "score.bounds.dense", candidates: 1000, features: 16, learned: true, most: 0.2},
	{name: "score.bounds.close", candidates: 1000, features: 60, learned: true, close: true, most: 0.2},
	{name: "score.bounds.alike", candidates: 1000, features: 60, learned: true, alike: true, most: 1.3},
	{name: "score.bounds.same", candidates: 1000, features: 16, learned: true, same: true, most: 1.3},
	{name: "score.bounds.weights", candidates: 1000, features: 60, most: 0.2},
	{name: "score.bounds.weights.alike", candidates: 1000, features: 60, alike: true, most: 1.3},
	{name: "score.bounds.weights.same", candidates: 1000, features: 16, same: true, most: 1.3},
	{name: "score.bounds.10000", candidates: 10000, features: 60, learned: true, most: 0.2},
	{name: "score.bounds.weights.10000", candidates: 10000, features: 60, most: 0.2},
}

func everything(r *Ranking) []uint64 {
	all := make([]uint64, r.Words())
	for k := range r.Len() {
		all[k/64] |= 1 << (k % 64)
	}
	return all
}

// BenchmarkBounds measures one changed feature and the best after it, by bounds and by scoring all.
// Both see the same changes in turns of 32, and must choose alike. The figures are of the middle turn, so that a
// busy machine changes them little.
func BenchmarkBounds(b *testing.B) {
	for _, x := range fields {
		b.Run(x.name, func(b *testing.B) {
			w := x.make(b)
			eligible := everything(w.ranking)
			r := rand.New(rand.NewPCG(1, 2))
			var bounded, scored [1024]float64 // ns per update of the last turns
			var choice, other [32]Candidate
			var changes [32]int32
			turns := 0
			b.ReportAllocs()
			for b.Loop() {
				for k := range changes {
					changes[k] = r.Int32N(int32(x.features))
				}
				start := time.Now()
				for k, f := range changes {
					w.standing.Change(f, !w.standing.Holds(f))
					p, value, _ := w.standing.Best(eligible, nil, nil)
					choice[k] = Candidate{Index: w.ranking.Action(p), Value: value}
				}
				middle := time.Now()
				for k, f := range changes {
					w.holds[f] = !w.holds[f]
					other[k] = w.all(eligible)
				}
				scored[turns%1024] = float64(time.Since(middle)) / 32
				bounded[turns%1024] = float64(middle.Sub(start)) / 32
				turns++
				if choice != other {
					b.Fatalf("bounds choose %v, and scoring all %v", choice, other)
				}
			}
			turns = min(turns, 1024)
			slices.Sort(bounded[:turns])
			slices.Sort(scored[:turns])
			b.ReportMetric(bounded[turns/2]/scored[turns/2], x.name+":x")
			b.ReportMetric(x.most, x.name+":x:at-most")
			b.ReportMetric(bounded[turns/2], "ns/bounded")
			b.ReportMetric(scored[turns/2], "ns/all")
			b.ReportMetric(float64(w.standing.Bytes()), "bytes/session")
		})
	}
}

// BenchmarkNewRanking measures what loading a bundle takes for it.
func BenchmarkNewRanking(b *testing.B) {
	for _, x := range []field{fields[0], fields[5]} {
		b.Run(x.name, func(b *testing.B) {
			w := x.make(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewRanking(w.candidates, w.common); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewStanding measures a session that begins: its memory, half of the features at once, and the first best.
func BenchmarkNewStanding(b *testing.B) {
	for _, x := range []field{fields[0], fields[5]} {
		b.Run(x.name, func(b *testing.B) {
			w := x.make(b)
			eligible := everything(w.ranking)
			r := rand.New(rand.NewPCG(3, 4))
			holds := make([]uint64, 1)
			b.ReportAllocs()
			for b.Loop() {
				s := w.ranking.NewStanding()
				holds[0] = r.Uint64() >> (64 - x.features)
				s.Follow(holds)
				s.Best(eligible, nil, nil)
			}
		})
	}
}
