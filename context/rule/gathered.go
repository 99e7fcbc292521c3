package rule

import (
	"cmp"
	"slices"
)

// gathered is what the sessions of a plan need to settle much at once: see Eval.gathers. All numbers of it fit 16 bits;
// it is nil where they do not.
type gathered struct {
	counters sums                  // what those are over that stand on no other counter
	inner    []uint16              // the others, in order: each, how many literals it is over, and these
	parts    sums                  // what the parts of candidates are over
	doubles  [2][]onePair[float64] // by the scope of the other input: pairs with one key, each once
	gaps     [2][]onePair[int32]
	others   []int32  // the other pairs
	mixed    []uint16 // of all, those of both scopes, by their rows
	held     []heldSource
}

// sums are lists of literals of sessions, by how many there are, each behind what it is added to.
type sums [mostSummed + 1][]uint16

// mostSummed is how many literals are added up at once.
const mostSummed = 4

// onePair is a pair with one key: it is x times an input of the session + y times the other.
type onePair[T float64 | int32] struct {
	x, y                     T
	key                      int64
	own, other, source, atom uint16
}

// heldSource is a source of form byHeld: its place, that of what is held, its timer, and its keys.
type heldSource struct{ source, stored, timer, base, n int32 }

// gather lays down what the counters of sessions and the parts of candidates are over, where numbers of 16 bits hold that.
func (l *layer) gather(counters, parts *lists, inputs int) {
	const most = 1 << 16
	if 2*(int(l.atoms)+len(counters.ends)) > most || len(parts.ends) > most || len(l.sources) > most || inputs > most {
		return
	}
	g := &gathered{}
	var own []uint16
	for k := range counters.ends {
		inner := false
		own, inner = l.literals(own[:0], counters.of(k))
		if inner {
			g.inner = append(append(g.inner, uint16(k), uint16(len(own))), own...)
		} else {
			g.counters.add(uint16(k), own)
		}
	}
	for k := range parts.ends {
		own, _ = l.literals(own[:0], parts.of(k))
		g.parts.add(uint16(k), own)
	}
	l.gathered = g
}

// literals appends those of sessions, and says whether one is of a counter.
func (l *layer) literals(to []uint16, of []literal) (own []uint16, inner bool) {
	for _, x := range of {
		if x.scope() == ScopeSession {
			to = append(to, uint16(x.id()<<1)|uint16(x&1))
			inner = inner || x.id() >= l.atoms
		}
	}
	return to, inner
}

func (s *sums) add(to uint16, of []uint16) {
	for len(of) > 0 {
		n := min(len(of), mostSummed)
		s[n] = append(append(s[n], to), of[:n]...)
		of = of[n:]
	}
}

// gatherPairs lays down each pair of sessions once, and what is held.
func (l *layer) gatherPairs() {
	g := l.gathered
	if g == nil {
		return
	}
	seen := make([]bool, len(l.spots))
	first := func(source, atom int32) bool {
		fresh := !seen[source]
		if seen[source] = true; fresh && atom < 0 {
			g.others = append(g.others, source)
		}
		return fresh && atom >= 0
	}
	for k := range l.inputs {
		own := uint16(k)
		for _, p := range l.pairs.doubles.of(int32(k)) {
			if to := &g.doubles[p.other&1]; first(p.source, p.atom) {
				*to = append(*to, onePair[float64]{p.x, p.y, l.pairs.fences[p.fence+1], own, uint16(p.other >> 1), uint16(p.source), uint16(p.atom)})
			}
		}
		for _, p := range l.pairs.gaps.of(int32(k)) {
			if to := &g.gaps[p.other&1]; first(p.source, p.atom) {
				*to = append(*to, onePair[int32]{int32(p.x), int32(p.y), l.pairs.fences[p.fence+1], own, uint16(p.other >> 1), uint16(p.source), uint16(p.atom)})
			}
		}
	}
	for k := range l.mixed.pairs {
		g.mixed = append(g.mixed, uint16(l.mixed.pairs[k].source))
	}
	for k := range l.spots {
		if sp := &l.spots[k]; sp.form == byHeld {
			g.held = append(g.held, heldSource{int32(k), sp.a, l.sources[k].timer, sp.base, sp.n})
		}
	}
	// Of what begins to be held at once the first key is due first: entered in this order, it stands in the heap.
	slices.SortStableFunc(g.held, func(x, y heldSource) int { return cmp.Compare(l.keys[x.base], l.keys[y.base]) })
}
