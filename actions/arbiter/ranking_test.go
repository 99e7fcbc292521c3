package arbiter

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

// world is a ranking beside what it must agree with: all candidates scored one by one, by the words of
// the rules alone.
type world struct {
	candidates []Contender
	common     Common
	ranking    *Ranking
	standing   *Standing
	holds      []bool
	pressure   catalog.Micro
	showings   []int // per action
}

func newWorld(t testing.TB, candidates []Contender, common Common) *world {
	t.Helper()
	r, err := NewRanking(candidates, common)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{candidates: candidates, common: common, ranking: r, standing: r.NewStanding(), holds: make([]bool, common.Features)}
	most := int32(-1)
	for _, c := range candidates {
		most = max(most, c.Action)
	}
	w.showings = make([]int, most+1)
	return w
}

func (w *world) change(feature int, holds bool) {
	w.holds[feature] = holds
	w.standing.Change(int32(feature), holds)
}

func (w *world) press(pressure catalog.Micro) {
	w.pressure = min(max(pressure, -mostBother), mostBother)
	w.standing.Press(pressure)
}

// value is what a candidate is expected to bring now.
func (w *world) value(c *Contender) catalog.Micro {
	factors := append([]catalog.Micro{}, c.Factors...)
	for _, x := range c.Weights {
		if w.holds[x.Feature] {
			factors = append(factors, x.Factor)
		}
	}
	if w.common.Curve != nil {
		sum := c.Prior
		for _, x := range c.Terms {
			if w.holds[x.Feature] {
				sum += x.Add
			}
		}
		factors = append(factors, w.common.Curve.At(sum))
	}
	bother := c.Bother
	if !c.ExemptPressure {
		bother += w.pressure
	}
	return Expected(c.Value, max(bother, w.common.Floor)+c.Elsewhere, factors...)
}

// check compares the choice among some positions with that of scoring all.
func (w *world) check(t testing.TB, eligible, mask []uint64) {
	t.Helper()
	byAction := map[int32]*Contender{}
	for k := range w.candidates {
		byAction[w.candidates[k].Action] = &w.candidates[k]
	}
	var best Candidate
	found := false
	for k := range w.ranking.Len() {
		if eligible[k/64]>>(k%64)&1 == 0 || mask != nil && mask[k/64]>>(k%64)&1 == 0 {
			continue
		}
		a := w.ranking.Action(k)
		c := Candidate{Index: a, Value: w.value(byAction[a]), Showings: w.showings[a]}
		if !found || Better(c, best) < 0 {
			best, found = c, true
		}
	}
	position, value, ok := w.standing.Best(eligible, mask, func(a int32) int { return w.showings[a] })
	if ok != found {
		t.Fatalf("found one: %v, want %v", ok, found)
	}
	if !ok {
		return
	}
	if a := w.ranking.Action(position); a != best.Index || value != best.Value {
		t.Fatalf("best is action %d with %d, want %d with %d", a, value, best.Index, best.Value)
	}
}

// kind says what random candidates are like.
type kind struct {
	name                string
	value, factor, both func(r *rand.Rand) catalog.Micro
	curve               func(r *rand.Rand) *Curve
	terms               bool
	exempt              bool
	weights             int // the most of a candidate; 16 where not said
}

// stretched is from 1 to about most, as often small as large.
func stretched(r *rand.Rand, most float64) catalog.Micro {
	x := most
	for range r.IntN(40) {
		x *= 0.5
	}
	return 1 + catalog.Micro(x*r.Float64())
}

func logistic(r *rand.Rand) *Curve {
	c := &Curve{From: -4096 - int32(r.IntN(100)), Shift: uint8(2 + r.IntN(4))}
	p := catalog.Micro(r.IntN(2) * r.IntN(1000))
	for range 200 + r.IntN(500) {
		c.P = append(c.P, p)
		p += catalog.Micro(r.IntN(3000) * r.IntN(2))
	}
	return c
}

var kinds = []kind{
	{name: "plain", value: func(r *rand.Rand) catalog.Micro { return stretched(r, 4e8) },
		factor: func(r *rand.Rand) catalog.Micro { return 500_000 + r.Int64N(1_500_000) },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(100_000) }, exempt: true},
	{name: "alike", value: func(r *rand.Rand) catalog.Micro { return 100_000_000 + r.Int64N(2) },
		factor: func(r *rand.Rand) catalog.Micro { return []int64{1_100_000, 900_000, 1_000_000}[r.IntN(3)] },
		both:   func(r *rand.Rand) catalog.Micro { return 50_000 }},
	{name: "tiny", value: func(r *rand.Rand) catalog.Micro { return r.Int64N(7) },
		factor: func(r *rand.Rand) catalog.Micro { return r.Int64N(4_000_000) },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(3) }, exempt: true},
	{name: "with nothing and losses", value: func(r *rand.Rand) catalog.Micro { return r.Int64N(2e6) - 1e6 },
		factor: func(r *rand.Rand) catalog.Micro { return []int64{0, 1, 500_000, one, 1_000_001, 11 * one}[r.IntN(6)] },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(200_000) - 100_000 }, exempt: true},
	{name: "huge", value: func(r *rand.Rand) catalog.Micro { return math.MaxInt64 - stretched(r, 1e18) },
		factor: func(r *rand.Rand) catalog.Micro { return stretched(r, 9e18) },
		both:   func(r *rand.Rand) catalog.Micro { return stretched(r, 1e18) * (1 - 2*r.Int64N(2)) }, exempt: true},
	{name: "any", value: func(r *rand.Rand) catalog.Micro { return int64(r.Uint64()) >> r.IntN(64) },
		factor: func(r *rand.Rand) catalog.Micro { return int64(r.Uint64()) >> r.IntN(64) },
		both:   func(r *rand.Rand) catalog.Micro { return int64(r.Uint64()) >> (4 + r.IntN(60)) }, exempt: true},
	{name: "learned", value: func(r *rand.Rand) catalog.Micro { return stretched(r, 4e8) },
		factor: func(r *rand.Rand) catalog.Micro { return 500_000 + r.Int64N(1_500_000) },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(100_000) }, curve: logistic, terms: true, exempt: true},
	{name: "learned, any", value: func(r *rand.Rand) catalog.Micro { return int64(r.Uint64()) >> r.IntN(64) },
		factor: func(r *rand.Rand) catalog.Micro { return (r.Int64N(11*one) - one/2) >> r.IntN(24) },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(100_000) - 50_000 }, curve: logistic, terms: true},
	{name: "learned, of one steepness", value: func(r *rand.Rand) catalog.Micro { return 1_000_000_000_000 + r.Int64N(10_000_000_000) },
		factor: func(*rand.Rand) catalog.Micro { return one },
		both:   func(*rand.Rand) catalog.Micro { return 0 }, curve: steep, terms: true},
	{name: "learned, nearly certain", value: func(r *rand.Rand) catalog.Micro { return 1_000_000_000_000 + r.Int64N(4_000_000) },
		factor: func(r *rand.Rand) catalog.Micro { return -one * r.Int64N(2) * r.Int64N(2) * r.Int64N(2) },
		both:   func(*rand.Rand) catalog.Micro { return 0 }, curve: certain, terms: true},
	{name: "too many factors for levels", value: func(r *rand.Rand) catalog.Micro { return r.Int64N(1e9) },
		factor: func(r *rand.Rand) catalog.Micro { return []int64{0, 1, one / 2, 2 * one, math.MaxInt64}[r.IntN(5)] },
		both:   func(r *rand.Rand) catalog.Micro { return r.Int64N(1e9) }, weights: 80},
}

// certain is a curve whose propensities are about one.
func certain(*rand.Rand) *Curve {
	c := &Curve{From: -3000, Shift: 8}
	for k := range catalog.Micro(20) {
		c.P = append(c.P, one-10+k)
	}
	return c
}

// steep is a curve whose every step rises by 3 %, and is wider than most of what is added to a sum.
func steep(*rand.Rand) *Curve {
	c := &Curve{From: -4096, Shift: 11}
	for p := catalog.Micro(1e9); len(c.P) < 40; p = p / 100 * 103 {
		c.P = append(c.P, p)
	}
	return c
}

// random makes a world of a kind.
func (x *kind) random(t testing.TB, r *rand.Rand, most int) *world {
	common := Common{Features: 1 + r.IntN(150), Floor: NoFloor}
	if r.IntN(2) == 0 {
		common.Floor = max(x.both(r), NoFloor)
	}
	if x.curve != nil {
		common.Curve = x.curve(r)
	}
	candidates := make([]Contender, r.IntN(most))
	weights, features := 1+r.IntN(max(x.weights, 16)), 1+r.IntN(common.Features)
	for k, a := range r.Perm(len(candidates)) {
		c := Contender{Action: int32(a), Value: x.value(r), Bother: x.both(r), Elsewhere: x.both(r) * r.Int64N(2), ExemptPressure: x.exempt && r.IntN(3) == 0}
		for range r.IntN(3) {
			c.Factors = append(c.Factors, x.factor(r))
		}
		for range r.IntN(weights) {
			c.Weights = append(c.Weights, Weight{int32(r.IntN(features)), x.factor(r)})
		}
		if x.terms {
			c.Prior = int32(r.IntN(2000)) - 3000
			for range r.IntN(weights) {
				c.Terms = append(c.Terms, Term{int32(r.IntN(features)), int32(r.IntN(1200)) - 600})
			}
		}
		candidates[k] = c
	}
	w := newWorld(t, candidates, common)
	for a := range w.showings {
		w.showings[a] = r.IntN(3)
	}
	return w
}

// live lets random things happen, and compares after each.
func (w *world) live(t testing.TB, r *rand.Rand, x *kind, steps int) {
	eligible, mask := make([]uint64, w.ranking.Words()), make([]uint64, w.ranking.Words())
	random := func(set []uint64) { // bits behind the last candidate as well, which mean nothing
		for k := range set {
			switch set[k] = r.Uint64(); r.IntN(4) {
			case 0:
				set[k] &= r.Uint64() & r.Uint64() & r.Uint64()
			case 1:
				set[k] = math.MaxUint64
			}
		}
	}
	random(eligible)
	random(mask)
	for range steps {
		switch n := r.IntN(20); {
		case n == 0:
			random(eligible)
		case n == 1:
			random(mask)
		case n == 2:
			w.press(x.both(r) * r.Int64N(3))
		case n == 3:
			a, b := make([]uint64, (w.common.Features+63)/64), make([]uint64, (w.common.Features+63)/64)
			for f := range w.holds {
				w.holds[f] = r.IntN(3) == 0
				if w.holds[f] {
					n := r.Uint64()
					a[f/64] |= n & 1 << (f % 64)
					b[f/64] |= (n>>1 | ^n) & 1 << (f % 64)
				}
			}
			w.standing.Follow(a, b)
		case n < 7 && len(w.candidates) > 0:
			k := r.IntN(len(w.candidates))
			eligible[k/64] ^= 1 << (k % 64)
		case n < 9 && len(w.showings) > 0:
			w.showings[r.IntN(len(w.showings))] = r.IntN(3)
		default:
			for range 1 + r.IntN(3)*r.IntN(3) {
				w.change(r.IntN(w.common.Features), r.IntN(2) == 0)
			}
		}
		if r.IntN(8) == 0 {
			continue // nobody asks after every change
		}
		if r.IntN(3) == 0 {
			w.check(t, eligible, mask)
		} else {
			w.check(t, eligible, nil)
		}
	}
}

func TestBestIsThatOfScoringAll(t *testing.T) {
	for n := range kinds {
		x := &kinds[n]
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(150) {
				r := rand.New(rand.NewPCG(seed, uint64(n)))
				w := x.random(t, r, 1+r.IntN(300))
				w.live(t, r, x, 150)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func FuzzBest(f *testing.F) {
	for n := range kinds {
		f.Add(uint64(n), uint8(n), uint8(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n, steps uint8) {
		x := &kinds[int(n)%len(kinds)]
		r := rand.New(rand.NewPCG(seed, 1))
		x.random(t, r, 200).live(t, r, x, int(steps))
	})
}

// Of what is worth the same, the one that was shown less often goes first, then the first in the bundle.
func TestBestBreaksTies(t *testing.T) {
	candidates := []Contender{
		{Action: 4, Value: 2 * one, Weights: []Weight{{0, 500_000}}},
		{Action: 1, Value: one},
		{Action: 3, Value: 4 * one, Weights: []Weight{{0, 250_000}}},
	}
	w := newWorld(t, candidates, Common{Features: 1, Floor: NoFloor})
	all := []uint64{7}
	for _, c := range []struct {
		holds    bool
		showings []int // per action
		want     int32
	}{
		{false, []int{0, 0, 0, 0, 0}, 3},
		{true, []int{0, 0, 0, 0, 0}, 1},
		{true, []int{0, 1, 0, 0, 0}, 3},
		{true, []int{0, 1, 0, 1, 0}, 4},
		{true, []int{0, 1, 0, 1, 1}, 1},
		{false, []int{0, 0, 0, 9, 0}, 3},
	} {
		w.change(0, c.holds)
		p, value, ok := w.standing.Best(all, nil, func(a int32) int { return c.showings[a] })
		if a := w.ranking.Action(p); !ok || a != c.want {
			t.Errorf("%v %v: action %d, want %d", c.holds, c.showings, a, c.want)
		}
		if want := map[bool]catalog.Micro{true: one, false: 4 * one}[c.holds]; value != want {
			t.Errorf("%v: value %d, want %d", c.holds, value, want)
		}
	}
	if p, _, _ := w.standing.Best(all, nil, nil); w.ranking.Action(p) != 3 {
		t.Error("without showings the best is not the best")
	}
	if _, _, ok := w.standing.Best(all, []uint64{0}, nil); ok {
		t.Error("there is a best of none")
	}
}

// What has too many factors for its level is scored all the same.
func TestBestOfWhatNoLevelHolds(t *testing.T) {
	much, nothing := Contender{Action: 0, Value: 1}, Contender{Action: 0, Value: 1000 * one, Weights: []Weight{{0, 2 * one}}}
	for range 60 {
		much.Weights = append(much.Weights, Weight{0, math.MaxInt64})
		nothing.Weights = append(nothing.Weights, Weight{1, 0})
	}
	rest := []Contender{{Action: 1, Value: 900 * one}, {Action: 2, Value: 800 * one}}
	curve := &Curve{P: []catalog.Micro{1, one / 10}}
	for _, c := range []struct {
		name   string
		first  Contender
		common Common
	}{
		{"much", much, Common{Features: 2}},
		{"nothing", nothing, Common{Features: 2}},
		{"nothing, learned", func() Contender { c := nothing; c.Prior = 1; return c }(), Common{Features: 2, Curve: curve}},
	} {
		if c.common.Curve != nil {
			for k := range rest {
				rest[k].Prior = 1
			}
		}
		w := newWorld(t, append([]Contender{c.first}, rest...), c.common)
		for n := range 8 {
			w.change(0, n&1 != 0)
			w.change(1, n&2 != 0)
			w.check(t, []uint64{7}, nil)
			w.check(t, []uint64{6}, nil)
		}
	}
}

func TestStandingAllocatesNothing(t *testing.T) {
	for _, x := range fields[:8] {
		w := x.make(t)
		eligible := everything(w.ranking)
		device, own := make([]uint64, 1), make([]uint64, 1)
		r := rand.New(rand.NewPCG(8, 9))
		shown := w.showings
		showings := func(a int32) int { return shown[a] }
		if n := testing.AllocsPerRun(500, func() {
			w.standing.Press(r.Int64N(100_000))
			w.standing.Change(r.Int32N(16), r.IntN(2) == 0)
			w.standing.Best(eligible, eligible, showings)
			device[0], own[0] = r.Uint64()>>48, r.Uint64()>>48
			w.standing.Follow(device, own)
			w.standing.Best(eligible, nil, func(a int32) int { return shown[a] + len(own) })
		}); n != 0 {
			t.Errorf("%s: %v allocations", x.name, n)
		}
	}
}

// A session takes no more than is said, and little.
func TestBytesOfStanding(t *testing.T) {
	if n := reflect.TypeFor[bound]().Size(); n > 24 {
		t.Errorf("a bound takes %d bytes", n)
	}
	for _, x := range fields {
		w := x.make(t)
		kept := make([]*Standing, 64)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for k := range kept {
			kept[k] = w.ranking.NewStanding()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		took, said := int(after.HeapAlloc-before.HeapAlloc)/len(kept), w.standing.Bytes()
		if took > said*5/4+256 || said > took+256 { // size classes, and chips of 32 bits
			t.Errorf("%s: a session takes %d bytes, and says %d", x.name, took, said)
		}
		if most := 5 * len(w.candidates); said > most {
			t.Errorf("%s: %d bytes, want at most %d", x.name, said, most)
		}
		runtime.KeepAlive(kept)
	}
}

func TestLevels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	check := func(x uint64) {
		// 2^level is compared by floats of 53 bits, whose error of 1e-15 is far below one part of 1e-6.
		exactly := math.Log2(float64(x)) * float64(octave)
		if l := float64(below(x)); l > exactly+1e-4 || l < exactly-5 {
			t.Fatalf("below(%d) = %v, want %v", x, l, exactly)
		}
		if x > math.MaxInt64 {
			return
		}
		if l := float64(above(int64(x))); l < exactly-1e-4 || l > exactly+5 {
			t.Fatalf("above(%d) = %v, want %v", x, l, exactly)
		}
		share := exactly - math.Log2(1e6)*float64(octave)
		if l := float64(factorLevel(int64(x))); l < share-1e-4 || x != uint64(one) && l > share+6 {
			t.Fatalf("factorLevel(%d) = %v, want %v", x, l, share)
		}
	}
	for n := range 64 {
		for d := range uint64(3) {
			if x := uint64(1)<<n + d - 1; x > 0 {
				check(x)
			}
		}
	}
	check(math.MaxUint64)
	for range 200_000 {
		if x := r.Uint64() >> r.IntN(64); x > 0 {
			check(x)
		}
	}
	if factorLevel(one) != 0 || factorLevel(0) != nothing || below(1<<62) != 62*octave {
		t.Error("whole octaves are not exact")
	}
}

func TestRankingRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		candidate Contender
		common    Common
	}{
		"a feature that is not there":   {Contender{Weights: []Weight{{3, one}}}, Common{Features: 3}},
		"a feature below zero":          {Contender{Weights: []Weight{{-1, one}}}, Common{Features: 3}},
		"a term that is not there":      {Contender{Terms: []Term{{3, 1}}}, Common{Features: 3, Curve: &Curve{P: []catalog.Micro{1}}}},
		"terms without a curve":         {Contender{Terms: []Term{{0, 1}}}, Common{Features: 3}},
		"terms that add up to too much": {Contender{Terms: []Term{{0, 1 << 30}}}, Common{Features: 3, Curve: &Curve{P: []catalog.Micro{1}}}},
		"a curve without propensities":  {Contender{}, Common{Curve: &Curve{}}},
		"a curve that falls":            {Contender{}, Common{Curve: &Curve{P: []catalog.Micro{2, 1}}}},
		"a curve below zero":            {Contender{}, Common{Curve: &Curve{P: []catalog.Micro{-1, 1}}}},
		"a curve of one huge step":      {Contender{}, Common{Curve: &Curve{Shift: 32, P: []catalog.Micro{1}}}},
		"a bother out of range":         {Contender{Bother: math.MaxInt64}, Common{}},
		"a cost out of range":           {Contender{Elsewhere: math.MinInt64}, Common{}},
		"a floor out of range":          {Contender{}, Common{Floor: math.MinInt64}},
		"fewer than no features":        {Contender{}, Common{Features: -1}},
	} {
		if _, err := NewRanking([]Contender{c.candidate}, c.common); !errors.Is(err, ErrRanking) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
