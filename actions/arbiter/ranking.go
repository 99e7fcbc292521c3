package arbiter

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
)

// Contender is an action that may take part in a ranking, as its bundle states it.
type Contender struct {
	Action  int32 // its index in the bundle, which is in order of name
	Value   catalog.Micro
	Factors []catalog.Micro // that count always: levers, and the propensity where it is not learned
	Weights []Weight        // factors that count while something holds; two may rest on the same

	// Of a learned propensity: what it starts from, and what adds to that while something holds.
	Prior int32
	Terms []Term

	Bother         catalog.Micro // its own
	Elsewhere      catalog.Micro // what it costs beside, whatever the pressure
	ExemptPressure bool          // pressure does not raise its bother
}

// Weight is a factor, in millionths, that counts while a feature holds.
type Weight struct {
	Feature int32
	Factor  catalog.Micro
}

// Term is what a feature that holds adds to the sum that a learned propensity comes from.
type Term struct {
	Feature int32
	Add     int32
}

// Curve turns a sum into a propensity, in millionths: of a sum z it is P[(z-From)>>Shift], and the first
// or last of P where z lies before or behind. P never falls: the logistic is such a curve.
type Curve struct {
	From  int32
	Shift uint8
	P     []catalog.Micro
}

// At returns the propensity of a sum.
func (c *Curve) At(sum int32) catalog.Micro { return c.P[c.step(sum)] }

func (c *Curve) step(sum int32) int {
	k := (int64(sum) - int64(c.From)) >> c.Shift
	return int(min(max(k, 0), int64(len(c.P)-1)))
}

// Common is what all candidates of a ranking have in common.
type Common struct {
	Features int           // how many there are; they are numbered from 0
	Floor    catalog.Micro // the least that an own bother with its pressure counts for; NoFloor where there is none
	Curve    *Curve        // of the learned propensities; nil where they are among the factors
}

const (
	// NoFloor is the floor of a policy without pressure.
	NoFloor catalog.Micro = -mostBother
	// mostBother bounds each part of a bother, so that no sum of them overflows.
	mostBother = 1 << 60
	// widest bounds what the levels and the terms of a candidate add up to, so that no sum overflows.
	widest = 1 << 30
)

// ErrRanking says that a ranking cannot be made of these candidates.
var ErrRanking = errors.New("make ranking")

// Ranking is what does not change while a bundle lasts: its candidates in order of the most that each
// can ever be worth, and what bears on them. It is only read once made; sessions share it.
type Ranking struct {
	all      []Contender // by position
	floor    catalog.Micro
	lift     catalog.Micro // the most that the floor raises an own bother by: so much pressure may lower no score
	features int
	curve    *Curve
	steps    []level // of the curve
	steepest level   // the highest of its steps

	base    []level // per position of all words: of what counts always
	words   []word  // 64 positions each
	links   []link  // of one word after the other
	member  []uint8 // per entry: its place in the word
	add     []int32 // per entry: what it adds to the level, or to the sum
	begin   []int32 // per feature, and one more: where its touches begin
	touches []touch // of one feature after the other
	pending int     // how many words a session needs for a bit per link

	weighted bool // a weight bears on some position
}

// word is what is known of 64 positions.
type word struct {
	most    catalog.Micro // no candidate of this word or a later one scores more without pressure
	least   catalog.Micro // no bother is less, beside the pressure
	floor   catalog.Micro // nor less than this, whatever the pressure
	exempt  uint64        // from pressure
	all     uint64        // positions that there are
	link    int32         // where its links begin
	pending int32         // where their bits begin, in words of 64
}

// link is a feature that bears on some positions of a word.
type link struct {
	feature  int32
	from, to int32 // its entries
	sum      bool  // they add to the sums, not to the levels
}

// touch is a word that a feature bears on.
type touch struct {
	word    int32
	pending int32 // the bit of the link
	on, off level // the most that a level rises by when the feature comes to hold, and when it ceases to
}

// NewRanking makes a ranking. It keeps the slices of the candidates and of the curve, which nobody may
// change from then on. The error wraps ErrRanking.
func NewRanking(candidates []Contender, common Common) (*Ranking, error) {
	r := &Ranking{floor: common.Floor, features: common.Features, curve: common.Curve}
	if err := r.check(candidates); err != nil {
		return nil, err
	}
	if r.curve != nil {
		r.steps = make([]level, len(r.curve.P))
		for k, p := range r.curve.P {
			r.steps[k] = factorLevel(p)
			if k > 0 {
				// That of one is exact, and may be less than that of a little less.
				r.steps[k] = max(r.steps[k], r.steps[k-1])
				r.steepest = max(r.steepest, r.steps[k]-r.steps[k-1])
			}
		}
	}
	entries := 0
	for k := range candidates {
		entries += len(candidates[k].Weights) + len(candidates[k].Terms)
	}
	r.member, r.add = make([]uint8, 0, entries), make([]int32, 0, entries)
	r.order(candidates)
	b := builder{r: r, open: make([]int32, 2*r.features), last: make([]int32, 2*r.features)}
	for w := 0; w*64 < len(r.all); w++ {
		b.word(w)
	}
	b.turn()
	r.base = append(r.base, make([]level, len(r.words)*64-len(r.all))...)
	return r, nil
}

func (r *Ranking) check(candidates []Contender) error {
	if c := r.curve; c != nil && (len(c.P) == 0 || c.Shift > 31 || c.P[0] < 0 || !slices.IsSorted(c.P)) {
		return fmt.Errorf("%w: a curve needs propensities that never fall, and steps of at most 2^31", ErrRanking)
	}
	if r.features < 0 || r.floor < -mostBother || r.floor > mostBother || int64(len(candidates)) >= widest {
		return fmt.Errorf("%w: the floor or a number is out of range", ErrRanking)
	}
	for k := range candidates {
		c := &candidates[k]
		if max(c.Bother, c.Elsewhere) > mostBother || min(c.Bother, c.Elsewhere) < -mostBother {
			return fmt.Errorf("%w: the bother of action %d is out of range", ErrRanking, c.Action)
		}
		for _, w := range c.Weights {
			if w.Feature < 0 || int(w.Feature) >= r.features {
				return fmt.Errorf("%w: a weight of action %d rests on feature %d of %d", ErrRanking, c.Action, w.Feature, r.features)
			}
		}
		if r.curve == nil && len(c.Terms) > 0 {
			return fmt.Errorf("%w: action %d has terms and no curve", ErrRanking, c.Action)
		}
		wide := int64(magnitude(int64(c.Prior)))
		for _, x := range c.Terms {
			if x.Feature < 0 || int(x.Feature) >= r.features {
				return fmt.Errorf("%w: a term of action %d rests on feature %d of %d", ErrRanking, c.Action, x.Feature, r.features)
			}
			wide += int64(magnitude(int64(x.Add)))
		}
		if wide >= widest {
			return fmt.Errorf("%w: the terms of action %d add up to more than 2^30", ErrRanking, c.Action)
		}
	}
	return nil
}

// order puts the candidates in order of the most that they can score without pressure.
func (r *Ranking) order(candidates []Contender) {
	most := make([]catalog.Micro, len(candidates))
	position := make([]int32, len(candidates))
	for k := range candidates {
		most[k] = less(r.mostWorth(&candidates[k]), r.bother(&candidates[k], 0))
		position[k] = int32(k)
	}
	slices.SortFunc(position, func(a, b int32) int {
		return cmp.Or(cmp.Compare(most[b], most[a]), cmp.Compare(candidates[a].Action, candidates[b].Action))
	})
	r.all = make([]Contender, len(candidates))
	r.words = make([]word, (len(candidates)+63)/64)
	for k, p := range position {
		c := &candidates[p]
		r.all[k] = *c
		w := &r.words[k/64]
		if k%64 == 0 {
			*w = word{most: most[p], least: math.MaxInt64, floor: math.MaxInt64}
		}
		w.all |= 1 << (k % 64)
		w.least = min(w.least, c.Bother+c.Elsewhere)
		w.floor = min(w.floor, r.floor+c.Elsewhere)
		if c.ExemptPressure {
			w.exempt |= 1 << (k % 64)
		} else {
			r.lift = max(r.lift, r.floor-c.Bother)
		}
	}
}

// mostWorth returns the most that an action can be worth, whatever holds: value x factors, without
// bother. A factor below zero, which no policy has, may turn a loss into any gain.
func (r *Ranking) mostWorth(c *Contender) catalog.Micro {
	var room [32]catalog.Micro
	factors := append(room[:0], c.Factors...)
	for _, w := range c.Weights {
		if w.Factor < 0 {
			return math.MaxInt64
		}
		if (w.Factor > catalog.One) == (c.Value > 0) {
			factors = append(factors, w.Factor)
		}
	}
	for _, f := range c.Factors {
		if f < 0 {
			return math.MaxInt64
		}
	}
	if r.curve != nil {
		if c.Value > 0 {
			factors = append(factors, r.curve.P[len(r.curve.P)-1])
		} else {
			factors = append(factors, r.curve.P[0])
		}
	}
	return Expected(c.Value, 0, factors...)
}

// bother returns what saying an action costs under a pressure.
func (r *Ranking) bother(c *Contender, pressure catalog.Micro) catalog.Micro {
	if c.ExemptPressure {
		pressure = 0
	}
	return max(c.Bother+pressure, r.floor) + c.Elsewhere
}

// Len returns the number of candidates.
func (r *Ranking) Len() int { return len(r.all) }

// Words returns how many words a set of candidates has.
func (r *Ranking) Words() int { return len(r.words) }

// Action returns the index in the bundle of the candidate at a position.
func (r *Ranking) Action(position int) int32 { return r.all[position].Action }
