package rule

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// spot is what is read of a source at each change of its inputs, close together: most changes cross none of its keys,
// and end here.
type spot struct {
	base, n int32 // its atoms: base+k is "below keys[base+k]" of the layer
	a, b    int32 // an input of its own scope; of two inputs their places<<1, and 1 where they are of sessions
	scale   int64 // what b is multiplied with first; of doubles, by its bits
	form    form
	code    Code // of a and b
	kind    sense.Kind
	traits  trait
}

// form is how the value of a source comes about.
type form uint8

const (
	byTerms     form = iota // term by term, or from a stored node
	byInput                 // input a, which does not move by itself
	byFloats                // a and b*scale, doubles
	byFloatRank             // whether a and b*scale, doubles, are in an order
	byInts                  // the sum or difference of a and b
	byIntRank               // whether a and b are in an order
	byAge                   // a - b, which may move by itself
	byHeld                  // for how long the stored node a is true
)

// trait is what makes a source more than keys.
type trait uint8

const (
	mirrored trait = 1 << iota // the keys are of the value with its sign turned
	told                       // stored comparisons rest on it
	hashed                     // it is compared for equality
	timed                      // it moves by itself
)

// spot makes that of a source.
func (m *making) spot() spot {
	t := m.terms
	sp := spot{base: m.base, n: int32(len(m.keys)), kind: m.kind}
	if m.mirrored {
		sp.traits |= mirrored
	}
	if m.told.from != nil {
		sp.traits |= told
	}
	if m.equals != nil {
		sp.traits |= hashed
	}
	if m.timer >= 0 {
		sp.traits |= timed
		switch {
		case len(t) == 1 && t[0].from == ofHeld && t[0].scope == m.scope:
			sp.form, sp.a = byHeld, t[0].index
		case len(t) == 3 && t[0].from == ofInput && t[1].from == ofInput && t[2].code == Sub:
			sp.form, sp.a, sp.b = byAge, t[0].scoped(), t[1].scoped()
		}
		return sp
	}
	if m.direct == ofInput {
		sp.form, sp.a = byInput, m.index
		return sp
	}
	if len(t) != 3 && len(t) != 5 || t[0].from != ofInput || t[1].from != ofInput {
		return sp
	}
	last := &t[len(t)-1]
	if last.from != ofWork || last.code == Neg || last.left != last.right {
		return sp
	}
	sp.a, sp.b, sp.code, sp.scale = t[0].scoped(), t[1].scoped(), last.code, int64(math.Float64bits(1))
	floats, ranks := last.left == sense.Double, last.code <= Ge
	if !floats {
		sp.scale = 1
	}
	if len(t) == 5 {
		if t[2].from != ofConst || t[3].from != ofWork || t[3].code != Mul || t[3].left != t[3].right {
			return sp
		}
		sp.scale = t[2].num
	}
	switch {
	case floats && ranks:
		sp.form = byFloatRank
	case floats:
		sp.form = byFloats
	case ranks:
		sp.form = byIntRank
	case last.code == Add || last.code == Sub:
		sp.form = byInts
	}
	return sp
}

// placing is where a source stands among its keys: values below keys from hi on, not below those before lo; between
// them nobody knows. Unknown is 0 to all, and a bucket of -1.
type placing struct {
	lo, hi uint16
	bucket int16
}

// mostKeys is how many keys and how many values for equality a source may have.
const mostKeys = 1<<15 - 1

// put gives a source its place.
func (p *placing) put(lo, hi int32) { p.lo, p.hi = uint16(lo), uint16(hi) }

// first and last are lo and hi, to count with.
func (p *placing) first() int32 { return int32(p.lo) }
func (p *placing) last() int32  { return int32(p.hi) }

// place finds where a source stands among its keys now, and turns what it crossed.
func (e *Eval) place(k int32) {
	sp := &e.layer.spots[k]
	v, known := int64(0), false
	switch sp.form {
	case byTerms:
		e.placeTerms(k)
		return
	case byAge, byHeld:
		e.placeMoving(k)
		return
	case byInput:
		in := &e.in[sp.a]
		if v, known = in.num, in.cause == Known; sp.kind == sense.Double {
			v = doubleKey(v) // inputs are numbers
		}
	default:
		a, b := e.input(sp.a), e.input(sp.b)
		if a.cause|b.cause == Known {
			v, known = sp.of(a.num, b.num)
		}
	}
	p := &e.counters.places[k]
	switch usual := known && p.lo == p.hi; {
	case sp.traits&hashed != 0, sp.traits&told != 0 && (!known || e.retell):
		e.stand(k, v, known)
		return
	case !usual:
		e.appear(k, v, known)
		return
	}
	keys := e.layer.keys[sp.base : sp.base+sp.n]
	was := p.first()
	at := was
	for int(at) < len(keys) && keys[at] <= v {
		at++
	}
	for at > 0 && keys[at-1] > v {
		at--
	}
	if at == was {
		return
	}
	p.put(at, at)
	switch {
	case sp.traits&told != 0:
		e.swept(&e.layer.sources[k], sp, was, at)
	case at > was:
		e.span(sp.base+was, sp.base+at, falls)
	default:
		e.span(sp.base+at, sp.base+was, rises)
	}
}

// swept turns the keys between two places of a source that is known.
func (e *Eval) swept(s *source, sp *spot, was, at int32) {
	if at > was {
		e.sweep(s, sp, was, at, falls, False)
	} else {
		e.sweep(s, sp, at, was, rises, True)
	}
}

// Turns of what was true and is false, and so on.
var (
	falls    = turnOf(True, False)
	rises    = turnOf(False, True)
	falsened = turnOf(Unknown, False)
	truened  = turnOf(Unknown, True)
	unfalse  = turnOf(False, Unknown)
	untrue   = turnOf(True, Unknown)
)

// appear lets a source that is only keys become known or unknown.
func (e *Eval) appear(k int32, v int64, known bool) {
	sp, p := &e.layer.spots[k], &e.counters.places[k]
	switch {
	case known:
		e.appearAt(k, e.layer.walk(sp, p, v))
	case p.lo == p.hi && sp.n > 0:
		at := p.first()
		p.put(0, sp.n)
		e.arise(&e.layer.sources[k], sp, at, unfalse, untrue, Unknown, Unknown)
	}
}

// appearAt lets a source that is only keys, and was not known, stand at a place.
func (e *Eval) appearAt(k, at int32) {
	e.counters.places[k].put(at, at)
	e.arise(&e.layer.sources[k], &e.layer.spots[k], at, falsened, truened, False, True)
}

// arise turns all keys of a source, those before one of them and those from there on.
func (e *Eval) arise(s *source, sp *spot, at int32, below, above turn, nowBelow, nowAbove Truth) {
	if e.noting {
		e.ariseNoted(s, sp, at, below, above, nowBelow, nowAbove)
		return
	}
	if at > 0 {
		e.sweep(s, sp, 0, at, below, nowBelow)
	}
	if at < sp.n {
		e.sweep(s, sp, at, sp.n, above, nowAbove)
	}
}

// scoped is the place of an input<<1, and 1 where it is of sessions.
func (t *term) scoped() int32 { return t.index<<1 | int32(t.scope) }

// input returns the state of an input by its place<<1 and scope.
func (e *Eval) input(scoped int32) *inputState { return &e.inputs[scoped&1][scoped>>1] }

// of returns the key of two inputs; ok is false where they have no value together.
func (sp *spot) of(a, b int64) (key int64, ok bool) {
	switch sp.form {
	case byIntRank:
		b, ok := mulInts(b, sp.scale)
		return boolNum(ordered(sp.code, a, b)), ok
	case byInts:
		b, fits := mulInts(b, sp.scale)
		n, ok := ofInts(sp.code, a, b)
		least, most := bounds(sp.kind)
		return n, fits && ok && n >= least && n <= most
	}
	x, y := math.Float64frombits(uint64(a)), math.Float64frombits(uint64(b))
	y = float64(y * math.Float64frombits(uint64(sp.scale)))
	if sp.form == byFloatRank {
		return boolNum(ordered(sp.code, x, y)), true
	}
	return keyOfDouble(ofDoubles(sp.code, x, y), sp.traits&mirrored != 0), true
}

// keyOfDouble is the key of a double, or of it with its sign turned; what is no number lies above all keys.
func keyOfDouble(f float64, turned bool) int64 {
	if turned {
		f = -f
	}
	if f != f {
		return math.MaxInt64
	}
	return doubleKey(int64(math.Float64bits(f)))
}

// stand gives a source its place among its keys, from whatever it was before.
func (e *Eval) stand(k int32, v int64, known bool) {
	s, sp, p := &e.layer.sources[k], &e.layer.spots[k], &e.counters.places[k]
	lo, hi, bucket := int32(0), sp.n, int32(-1)
	if known {
		lo = e.layer.walk(sp, p, v)
		hi, bucket = lo, 0
		if s.equals != nil {
			bucket = e.bucketOf(s, v)
		}
	}
	e.turn(s, sp, p, lo, hi, bucket, known)
}

// turn turns all that lies between where a source stood and where it stands.
func (e *Eval) turn(s *source, sp *spot, p *placing, lo, hi, bucket int32, known bool) {
	switch {
	case p.first() == lo && p.last() == hi:
	case p.lo == p.hi && lo == hi:
		was := p.first()
		p.put(lo, lo)
		e.swept(s, sp, was, lo)
	case p.lo == 0 && p.last() == sp.n && lo == hi: // nothing was known
		p.put(lo, lo)
		e.arise(s, sp, lo, falsened, truened, False, True)
	default:
		e.cross(s, sp, p, lo, hi)
	}
	if sp.traits&told != 0 && (!known || e.retell) {
		e.tellAll(s, p)
	}
	if s.equals != nil && int32(p.bucket) != bucket {
		e.move(s, p, bucket)
	}
}

// placeMoving places an age, or the time for which something is true: what time alone moves on, one millisecond by the other.
func (e *Eval) placeMoving(k int32) {
	sp, p := &e.layer.spots[k], &e.counters.places[k]
	num, slope, known := int64(0), int64(0), false
	if sp.form == byHeld {
		if m := &e.marks[sp.a]; m.cause == Known {
			if known = true; m.yes {
				num, slope = -int64(e.sinceWhen(m)), 1
			}
		}
	} else if a, b := e.input(sp.a), e.input(sp.b); a.cause|b.cause == Known {
		num, slope = a.num-b.num, int64(a.slope)-int64(b.slope)
		if known = near(a.num) && near(b.num) && near(int64(e.now)) && slope >= -1 && slope <= 1; !known {
			e.placeTerms(k)
			return
		}
	}
	due := sense.Never
	keys := e.layer.keys[sp.base : sp.base+sp.n]
	if !known {
		e.appear(k, 0, false)
	} else {
		v := num + slope*int64(e.now)
		if p.lo != p.hi || p.lo > 0 && keys[p.lo-1] > v || int(p.lo) < len(keys) && keys[p.lo] <= v {
			e.stand(k, v, true)
		}
		switch at := p.first(); {
		case slope > 0 && int(at) < len(keys):
			due = sense.Instant(saturatingSub(keys[at], num))
		case slope < 0 && at > 0:
			due = sense.Instant(saturatingSub(num, keys[at-1]-1))
		}
	}
	e.timers.Set(e.layer.sources[k].timer, due)
}

// near says whether a number of milliseconds lies within some 139 years of 1970, so that neither sums nor bounds of
// kinds are at stake.
func near(n int64) bool { return n > -1<<42 && n < 1<<42 }

// placeTerms places a source of a stored node or of terms, and notes when time alone moves it on.
func (e *Eval) placeTerms(k int32) {
	s, sp, p := &e.layer.sources[k], &e.layer.spots[k], &e.counters.places[k]
	x, cause, due := e.value(s)
	switch {
	case cause == Settling && s.counts:
		e.turn(s, sp, p, e.layer.walk(sp, p, x.num), sp.n, -1, true)
	case cause == Known && x.slope != 0:
		lo := e.layer.walk(sp, p, moved(x.num, x.slope, e.now))
		due = min(due, e.layer.next(sp, lo, x.num, x.slope))
		e.turn(s, sp, p, lo, lo, 0, true)
	default:
		v := x.num
		if s.kind == sense.Double {
			v = keyOfDouble(math.Float64frombits(uint64(v)), s.mirrored)
		}
		e.stand(k, v, cause == Known)
	}
	if s.timer >= 0 {
		e.timers.Set(s.timer, due)
	}
}

// value returns the value of a source, or that it has none; due is when time alone ends or begins that.
func (e *Eval) value(s *source) (x number, cause Cause, due sense.Instant) {
	ok := false
	switch s.direct {
	case ofInput:
		in := &e.in[s.index]
		return number{in.num, int64(in.slope)}, in.cause, sense.Never
	case ofStored:
		m := &e.marks[s.index]
		x = number{e.nums[s.index], int64(m.slope)}
		if s.kind == sense.Bool {
			x.num = 0
			if m.yes {
				x.num = 1
			}
		}
		return x, m.cause, sense.Never
	}
	if len(s.terms) == 1 {
		x, ok = e.lookUp(&s.terms[0])
		due = sense.Never
	} else {
		x, ok, due = e.run(s.terms)
	}
	if !ok {
		cause = InputUnknown
	}
	return x, cause, due
}

// walk counts the keys that a value is not below, from where the source stood last.
func (l *layer) walk(sp *spot, p *placing, v int64) int32 {
	keys := l.keys[sp.base : sp.base+sp.n]
	k := p.first()
	if p.lo != p.hi { // it was nowhere
		return find(keys, v)
	}
	for int(k) < len(keys) && keys[k] <= v {
		k++
	}
	for k > 0 && keys[k-1] > v {
		k--
	}
	return k
}

// find counts the keys that a value is not below, without a branch that the value decides.
func find(keys []int64, v int64) int32 {
	below, n := 0, len(keys)
	for n > 1 {
		half := n / 2
		below += half & -bit(keys[below+half-1] <= v)
		n -= half
	}
	if n > 0 {
		below += bit(keys[below] <= v)
	}
	return int32(below)
}

// next is when a value that moves by itself crosses its next key.
func (l *layer) next(sp *spot, at int32, num, slope int64) sense.Instant {
	keys := l.keys[sp.base : sp.base+sp.n]
	switch {
	case slope > 0 && int(at) < len(keys):
		reached, _ := crossing(saturatingSub(keys[at], num), slope)
		return reached
	case slope < 0 && at > 0:
		_, passed := crossing(saturatingSub(num, keys[at-1]), -slope)
		return passed
	}
	return sense.Never
}

// tellAll tells the stored comparisons of a source what they are, and if they are unknown why.
func (e *Eval) tellAll(s *source, p *placing) {
	for k := range s.told.from[1:] {
		for _, x := range s.told.to[s.told.from[k]:s.told.from[k+1]] {
			e.tellStored(s, x, p.at(int32(k)))
		}
	}
}

// tellStored gives a stored comparison the truth of its atom.
func (e *Eval) tellStored(s *source, x int32, t Truth) {
	if x&1 != 0 {
		t = opposite[t]
	}
	slot := x >> 1
	next := mark{input: -1, yes: t == True}
	if t == Unknown {
		op := e.layer.steps[slot].op
		a, b := e.plainly(op.Args[0]), e.plainly(op.Args[1])
		if why := missing(op.Code, &a.mark, &b.mark); why != nil {
			next.cause, next.input = why.cause, why.input
		}
	}
	old := &e.marks[slot]
	if old.cause == next.cause && old.input == next.input && old.yes == next.yes {
		if e.young && old.at == longAgo {
			old.at = min(e.latest(s.terms), e.now)
		}
		return
	}
	next.at = min(max(old.at, e.latest(s.terms)), e.now)
	*old = next
	e.spread(slot)
}

// moved is a value that is num at instant 0 and grows by slope, at an instant; the nearest that fits.
func moved(num, slope int64, now sense.Instant) int64 {
	grown, ok := mulInts(slope, int64(now))
	v, fits := addInts(num, grown)
	switch {
	case ok && fits:
		return v
	case ok && num < 0, !ok && (slope < 0) != (now < 0):
		return math.MinInt64
	}
	return math.MaxInt64
}

func (e *Eval) bucketOf(s *source, v int64) int32 {
	if s.kind != sense.String {
		return s.equals.nums[v]
	}
	return s.equals.strs[e.text(s)]
}

// text is the value of a source of text.
func (e *Eval) text(s *source) string {
	if s.direct == ofInput {
		return e.rich[e.layer.rich[s.index]].Str()
	}
	return e.rich[e.layer.steps[s.index].rich].Str()
}

// cross turns what lies between where a source stood and where it stands.
func (e *Eval) cross(s *source, sp *spot, p *placing, lo, hi int32) {
	was := *p
	p.put(lo, hi)
	cuts := [...]int32{was.first(), was.last(), lo, hi}
	for i := range cuts {
		for k := i; k > 0 && cuts[k] < cuts[k-1]; k-- {
			cuts[k], cuts[k-1] = cuts[k-1], cuts[k]
		}
	}
	now := *p
	for i := range cuts[:3] {
		if first, last := cuts[i], cuts[i+1]; first < last {
			if a, b := was.at(first), now.at(first); a != b {
				e.sweep(s, sp, first, last, turnOf(a, b), b)
			}
		}
	}
}

// sweep turns a range of keys, and tells the stored comparisons of it.
func (e *Eval) sweep(s *source, sp *spot, first, last int32, step turn, now Truth) {
	e.span(sp.base+first, sp.base+last, step)
	if sp.traits&told != 0 {
		for _, x := range s.told.to[s.told.from[first]:s.told.from[last]] {
			e.tellStored(s, x, now)
		}
	}
}

// at is the truth of "below key k".
func (p *placing) at(k int32) Truth {
	switch {
	case k < p.first():
		return False
	case k >= p.last():
		return True
	}
	return Unknown
}

// move turns the equalities of a source that took another value.
func (e *Eval) move(s *source, p *placing, bucket int32) {
	was := int32(p.bucket)
	p.bucket = int16(bucket)
	all := func(was, now Truth) {
		e.span(s.equals.base, s.equals.base+s.equals.atoms, turnOf(was, now))
	}
	if was < 0 {
		all(Unknown, False)
	} else {
		e.bucket(s, was, turnOf(True, False))
	}
	if bucket < 0 {
		all(False, Unknown)
	} else {
		e.bucket(s, bucket, turnOf(False, True))
	}
}

func (e *Eval) bucket(s *source, bucket int32, step turn) {
	for _, a := range s.equals.buckets.of(bucket) {
		if a >= 0 {
			e.span(a, a+1, step)
		}
	}
}

// span turns a range of ids: their edges to parts of candidates, and to counters.
func (e *Eval) span(first, last int32, step turn) {
	l, c, q := e.layer, &e.counters, e.queue
	from, to := l.from[first], l.from[last]
	parts, own := l.parts[from.parts:to.parts], l.own[from.own:to.own]
	if len(parts)+len(own) > mostInside || max(q.ranks.n, q.turned.n) > len(q.ranks.list)-mostInside {
		if e.noting { // of few edges to note the turn is no cheaper
			e.shared.noted.turn(first, last-first, last-first, step, step)
			return
		}
		c.applyParts(parts, step, q)
		c.apply(own, step, q)
	} else {
		n := q.ranks.n
		for _, x := range parts {
			at := x >> 1
			old := c.parts[at]
			now := old + step[x&1]
			c.parts[at] = now
			q.ranks.list[n&(len(q.ranks.list)-1)] = at
			n += bit(old == 0) | bit(now == 0)
		}
		q.ranks.n = n
		n = q.turned.n
		for _, x := range own {
			at := x >> 1
			old := c.count[at]
			now := old + step[x&1]
			c.count[at] = now
			q.turned.list[n&(len(q.turned.list)-1)] = at
			differ := truthOf[old] ^ truthOf[now]
			n += int((differ | differ>>1) & 1)
		}
		q.turned.n = n
	}
	if e.device == nil {
		e.pass(first, last, step)
	}
}

// mostInside is how many edges are walked without a call.
const mostInside = 16
