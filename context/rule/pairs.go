package rule

import "math"

// pair is a source over two inputs a < b, a - b, a + b*2, as one of the two sees it: what is read to see whether a
// change of it crossed a key. Such are many, and most changes cross nothing; so all pairs of an input are looked at in
// one loop without a branch, and only those that crossed are placed.
type pair struct {
	other int32 // the other input: place<<1, and 1 where it is of sessions
	fenced
	x, y float64 // the value is x times the input + y times the other
}

// fenced is which source a pair is, and where its keys are.
type fenced struct {
	source int32
	fence  int32 // where its keys begin in the fences
	atom   int32 // of its only key; -1 where it has more
}

// gap is the same of two whole numbers: the value lies between least and most.
type gap struct {
	other int32
	fenced
	least, most int64
	x, y        int64
}

// doubles are the pairs by place of an input, gaps those of whole numbers.
type pairsOf struct {
	doubles pairLists[pair]
	gaps    pairLists[gap]
	fences  []int64 // the keys of each, with the least and the greatest around them
}

type pairLists[T any] struct {
	from []int32
	list []T
}

func (p *pairLists[T]) of(input int32) []T { return p.list[p.from[input]:p.from[input+1]] }

// makePairs takes the sources that are pairs out of those that n inputs of a scope feed.
func (of *pairsOf) makePairs(l *layer, feeds *pairs, n int, scope Scope) (rest pairs) {
	fences := make([]int32, len(l.spots)) // of a pair, 1 more; 0 of other sources
	for k := range l.spots {
		sp := &l.spots[k]
		if !sp.isPair() && !sp.isGap() {
			continue
		}
		fences[k] = int32(len(of.fences)) + 1
		of.fences = append(append(append(of.fences, math.MinInt64), l.keysAmong(sp)...), math.MaxInt64)
	}
	of.doubles.from, of.gaps.from = make([]int32, n+1), make([]int32, n+1)
	byInput := feeds.edges(n)
	for k := range n {
		sources := byInput.of(int32(k))
		for i, source := range sources {
			if i > 0 && sources[i-1] == source {
				continue // x - x is one pair
			}
			switch sp := &l.spots[source]; {
			case fences[source] == 0:
				rest.add(int32(k), source)
			case sp.isPair():
				of.doubles.list = append(of.doubles.list, sp.pair(source, fences[source]-1, int32(k)<<1|int32(scope)))
			default:
				of.gaps.list = append(of.gaps.list, sp.gap(source, fences[source]-1, int32(k)<<1|int32(scope)))
			}
		}
		of.doubles.from[k+1], of.gaps.from[k+1] = int32(len(of.doubles.list)), int32(len(of.gaps.list))
	}
	return rest
}

// keysAmong returns the keys of a pair.
func (l *layer) keysAmong(sp *spot) []int64 {
	if sp.form == byFloatRank || sp.form == byIntRank { // a < b where b - a lies above zero
		return []int64{1}
	}
	return l.keys[sp.base : sp.base+sp.n]
}

// isPair says whether the value of a source is a sum or difference of two doubles, or whether one is below the other.
func (sp *spot) isPair() bool {
	return sp.traits&^mirrored == 0 && (sp.form == byFloats && (sp.code == Add || sp.code == Sub) || sp.form == byFloatRank && sp.code == Lt)
}

// mostScale is by how much the second of two whole numbers may be multiplied, and plain says that no overflow is at
// stake then; what is beyond is placed term by term.
const mostScale = 1 << 16

func plain(n int64) bool { return uint64(n+1<<44) < 1<<45 }

// isGap says whether it is that of two whole numbers.
func (sp *spot) isGap() bool {
	return sp.traits == 0 && sp.scale > -mostScale && sp.scale < mostScale &&
		(sp.form == byInts && (sp.code == Sub || sp.code == Add) || sp.form == byIntRank && sp.code == Lt)
}

// only returns the atom of a source that has one key, -1 for others.
func (sp *spot) only() int32 {
	if sp.n != 1 {
		return -1
	}
	return sp.base
}

// pair is a source that is one as an input sees it.
func (sp *spot) pair(source, fence, input int32) pair {
	a, b := 1.0, math.Float64frombits(uint64(sp.scale))
	if sp.code != Add { // a - b is a + (-1)*b
		b = -b
	}
	if sp.traits&mirrored != 0 || sp.form == byFloatRank {
		a, b = -a, -b
	}
	if sp.a == input {
		return pair{other: sp.b, fenced: fenced{source, fence, sp.only()}, x: a, y: b}
	}
	return pair{other: sp.a, fenced: fenced{source, fence, sp.only()}, x: b, y: a}
}

// gap is the same of two whole numbers.
func (sp *spot) gap(source, fence, input int32) gap {
	a, b := int64(1), sp.scale
	if sp.code != Add {
		b = -b
	}
	least, most := bounds(sp.kind)
	if sp.form == byIntRank {
		a, b, least, most = -a, -b, math.MinInt64, math.MaxInt64
	}
	g := gap{other: sp.b, fenced: fenced{source, fence, sp.only()}, least: least, most: most, x: a, y: b}
	if sp.a != input {
		g.other, g.x, g.y = sp.a, b, a
	}
	return g
}

// mostPairs is how many pairs are looked at between two looks at whether there is room for what is found.
const mostPairs = 64

// found is the pairs that crossed.
type found struct {
	n    int
	list [4 * mostPairs]foundPair
}

// foundPair is a pair that crossed, with its key.
type foundPair struct {
	fenced
	lost int32 // 1 where the value is unknown, or no number
	key  int64
}

// crossed places the pairs of an input of which its change crossed a key.
func (e *Eval) crossed(of *pairsOf, input int32, in *inputState) {
	x := &e.shared.found
	for list := of.doubles.of(input); len(list) > 0; {
		part := list[:min(len(list), mostPairs)]
		list = list[len(part):]
		e.lookAtDoubles(of, part, in)
		if x.n > len(x.list)-mostPairs {
			e.placeFound(of)
		}
	}
	for list := of.gaps.of(input); len(list) > 0; {
		part := list[:min(len(list), mostPairs)]
		list = list[len(part):]
		e.lookAtGaps(of, part, in)
		if x.n > len(x.list)-mostPairs {
			e.placeFound(of)
		}
	}
	if x.n > 0 {
		e.placeFound(of)
	}
}

func (e *Eval) lookAtDoubles(of *pairsOf, part []pair, changed *inputState) {
	x, in, places, fences := &e.shared.found, e.inputs, e.counters.places, of.fences
	value, cause := math.Float64frombits(uint64(changed.num)), changed.cause
	n := x.n
	for k := range part {
		f := &part[k]
		other, p := &in[f.other&1][f.other>>1], &places[f.source]
		v := float64(f.x*value) + float64(f.y*math.Float64frombits(uint64(other.num))) + 0 // no minus zero
		bits := int64(math.Float64bits(v))
		key := bits ^ bits>>63&math.MaxInt64 // as doubleKey
		fence := f.fence + p.first()
		unknown, was, odd := bit(cause|other.cause != Known), bit(p.lo != p.hi), bit(v != v)
		beyond := bit(key < fences[fence]) | bit(key >= fences[fence+1]) | odd
		at := &x.list[n&(len(x.list)-1)]
		at.fenced, at.key, at.lost = f.fenced, key, int32(unknown|odd)
		n += (unknown ^ was) | beyond&^unknown
	}
	x.n = n
}

func (e *Eval) lookAtGaps(of *pairsOf, part []gap, changed *inputState) {
	x, in, places, fences := &e.shared.found, e.inputs, e.counters.places, of.fences
	value, cause, beyondPlain := changed.num, changed.cause, bit(!plain(changed.num))
	n := x.n
	for k := range part {
		f := &part[k]
		other, p := &in[f.other&1][f.other>>1], &places[f.source]
		v := f.x*value + f.y*other.num
		odd := beyondPlain | bit(!plain(other.num)) | bit(v < f.least) | bit(v > f.most)
		fence := f.fence + p.first()
		unknown, was := bit(cause|other.cause != Known), bit(p.lo != p.hi)
		beyond := odd | bit(v < fences[fence]) | bit(v >= fences[fence+1])
		at := &x.list[n&(len(x.list)-1)]
		at.fenced, at.key, at.lost = f.fenced, v, int32(unknown|odd)
		n += (unknown ^ was) | beyond&^unknown
	}
	x.n = n
}

// placeFound places the pairs that were found.
func (e *Eval) placeFound(of *pairsOf) {
	x := &e.shared.found
	for k := range x.list[:x.n] {
		f := &x.list[k]
		e.placePair(f.source, f.atom, of.fences[f.fence:], f.key, f.lost != 0)
		if e.lane >= 0 {
			e.lanes.note(e, f.source)
		}
	}
	x.n = 0
}

// placePair places a pair that crossed a key; one that is lost has no value that the loop knows.
func (e *Eval) placePair(source, atom int32, fences []int64, key int64, lost bool) {
	switch {
	case lost:
		e.place(source)
	case atom >= 0:
		e.placeOnly(source, atom, key >= fences[1])
	default:
		e.placeAmong(source, fences, key)
	}
}

// turnsOnly is what the turn of one key is, by where it was unknown, and whether the value reaches it now.
var turnsOnly = [...]turn{rises, falls, truened, falsened}

// placeOnly turns the one key of a source that is known.
func (e *Eval) placeOnly(source, atom int32, reached bool) {
	p, at := &e.counters.places[source], bit(reached)
	step := turnsOnly[at|bit(p.lo != p.hi)<<1]
	p.put(int32(at), int32(at))
	e.span(atom, atom+1, step)
}

// placeAmong gives a pair that is known its place among several keys, which stand between their fences.
func (e *Eval) placeAmong(source int32, fences []int64, key int64) {
	p := &e.counters.places[source]
	if p.lo != p.hi {
		e.appear(source, key, true)
		return
	}
	at := p.first()
	for fences[at+1] <= key {
		at++
	}
	for fences[at] > key {
		at--
	}
	e.placeAt(source, at)
}

// placeAt gives a source that is only keys its place among them.
func (e *Eval) placeAt(source, at int32) {
	p := &e.counters.places[source]
	if p.lo != p.hi {
		e.appearAt(source, at)
		return
	}
	was, base := p.first(), e.layer.spots[source].base
	p.put(at, at)
	if at > was {
		e.span(base+was, base+at, falls)
	} else {
		e.span(base+at, base+was, rises)
	}
}

func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
