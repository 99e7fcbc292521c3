package arbiter

import (
	"math"
	"math/bits"

	"github.com/tact-edge/tact/actions/catalog"
)

// Best returns the position of the best of a set of candidates, the one that Better puts first when
// all of them are scored, and what it is expected to bring, less the bother; ok is false where the set
// is empty. The set is what both eligible and mask hold, words of 64 positions each, the first in the
// lowest bit; a nil mask holds all, and bits behind the last candidate mean nothing. Showings says how
// often an action was shown to the customer, and is asked of those alone that are worth the same; nil
// means never.
//
// Neither foremost nor mandatory counts here: those are sets of their own, to be asked for first.
func (s *Standing) Best(eligible, mask []uint64, showings func(action int32) int) (position int, value catalog.Micro, ok bool) {
	f := find{s: s, showings: showings, position: -1, value: math.MinInt64}
	r := s.r
	// The last winner is often the next, or close to it: what it is worth rules out most of the others.
	first := -1
	if s.leader >= 0 {
		first = s.leader >> 6
		if set := r.in(eligible, mask, first); set>>(s.leader&63)&1 != 0 {
			s.tell(first, set)
			f.try(s.leader)
			f.word(first, set)
		} else {
			first = -1
		}
	}
	pressed := s.lowered()
	for w := range r.words {
		set := r.in(eligible, mask, w)
		if f.position >= 0 {
			most := r.words[w].most
			if less(most, min(s.pressure, 0)) < f.value && most != math.MaxInt64 {
				break
			}
			if less(most, pressed) < f.value && most != math.MaxInt64 {
				set &= r.words[w].exempt
			}
		}
		if set != 0 && w != first {
			f.word(w, set)
		}
	}
	if f.position < 0 {
		s.leader = -1
		return 0, 0, false
	}
	if s.leader != f.position || !s.sure {
		s.leader, s.worth, s.sure = f.position, f.worth, true
	}
	return f.position, f.value, true
}

// in returns what a set holds of a word.
func (r *Ranking) in(eligible, mask []uint64, w int) uint64 {
	set := eligible[w] & r.words[w].all
	if mask != nil {
		set &= mask[w]
	}
	return set
}

// lowered returns how much the pressure lowers the score of every candidate at least that is not exempt
// from it; below zero where it raises some.
func (s *Standing) lowered() catalog.Micro {
	if s.pressure <= 0 {
		return s.pressure
	}
	return max(s.pressure-s.r.lift, 0)
}

// find is the search for the best of a set.
type find struct {
	s        *Standing
	showings func(int32) int
	position int // of the best so far; -1 where there is none
	value    catalog.Micro
	worth    catalog.Micro     // without bother
	bother   catalog.Micro     // no candidate of the word at hand has less
	room     [32]catalog.Micro // for the factors of a candidate; the catalog allows for twenty
}

// word looks for a better one in some positions of a word.
func (f *find) word(w int, set uint64) {
	s := f.s
	b := &s.bounds[w]
	need := f.need(w)
	if set&^b.of == 0 && int64(b.top)+b.raised < int64(need) {
		return
	}
	s.tell(w, set)
	if b.top < need {
		return
	}
	// Looking at all of them shows how good they are together, and which to try first.
	top, best := s.top(w, set)
	b.of, b.top = set, top
	if top < need {
		return
	}
	f.try(best)
	need = f.need(w)
	for rest := set; rest != 0; rest &= rest - 1 {
		k := w*64 + bits.TrailingZeros64(rest)
		if s.level(k) < need || k == best {
			continue
		}
		before := f.value
		f.try(k)
		if f.value != before {
			need = f.need(w)
		}
	}
}

// need returns the least level that a candidate of a word must have to be as good as the best so far.
func (f *find) need(w int) level {
	if f.position < 0 {
		return math.MinInt32
	}
	x := &f.s.r.words[w]
	f.bother = x.least
	if x.exempt == 0 || f.s.pressure < 0 {
		f.bother += f.s.pressure
	}
	f.bother = max(f.bother, x.floor)
	return needed(f.value, f.bother)
}

// needed returns a level below which no worth makes up for a value and a bother.
func needed(value, bother catalog.Micro) level {
	worth := less(value, -bother)
	if worth < 1 {
		return math.MinInt32
	}
	return below(uint64(worth))
}

// try scores one candidate of a word whose need is known, unless its own bother makes it too bad for that.
func (f *find) try(k int) {
	s := f.s
	c := &s.r.all[k]
	bother := s.r.bother(c, s.pressure)
	if f.position >= 0 && (k == f.position || bother > f.bother && s.level(k) < needed(f.value, bother)) {
		return
	}
	worth := s.worth
	if k != s.leader || !s.sure {
		worth = f.worthOf(k)
	}
	value := less(worth, bother)
	if f.position >= 0 && (value < f.value || value == f.value && !f.before(c.Action, s.r.all[f.position].Action)) {
		return
	}
	f.position, f.value, f.worth = k, value, worth
}

// before breaks a tie as Better does.
func (f *find) before(action, other int32) bool {
	if f.showings == nil {
		return action < other
	}
	return Better(Candidate{Index: action, Showings: f.showings(action)}, Candidate{Index: other, Showings: f.showings(other)}) < 0
}

// worthOf works out what a candidate is worth, exactly.
func (f *find) worthOf(k int) catalog.Micro {
	s := f.s
	c := &s.r.all[k]
	factors := append(f.room[:0], c.Factors...)
	holds := s.holds
	for n := range c.Weights {
		if w := &c.Weights[n]; holds[w.Feature>>6]>>(w.Feature&63)&1 != 0 {
			factors = append(factors, w.Factor)
		}
	}
	if s.sums != nil {
		factors = append(factors, s.r.curve.At(s.sums[k]))
	}
	return Expected(c.Value, 0, factors...)
}
