package rule

import (
	"math"
	"math/bits"

	"github.com/tact-edge/tact/context/sense"
)

// counters is the counting part of an Eval.
//
// A count holds how many arguments are false in its low four bits, and how many are unknown in its high ones: none of
// either is true, any false one false, else unknown. That an argument turns adds one number to it, whatever the rest
// is, so that a range of edges is one loop without a branch.
type counters struct {
	layer    *layer
	device   *counters // nil for the device's own
	count    []uint8
	yes, no  []uint64 // by counter: what was made of its count last
	places   []placing
	set      []uint64 // by rank: the part of this scope of a candidate holds
	possible []uint64 // by joint: the part of this scope is not false
	flipped  []Node   // watched nodes that turned in this step
	moved    bool     // of a session: the eligible set changed in this step by what is its own
	turned   []int32  // of the device: joints whose part turned in this step
	shifted  []int32  // of the device: words of the set that changed in this step
	was      []uint64 // of the device: what they were
}

// placing is where a source stands among its keys: values below keys from hi on, not below those before lo; between
// them nobody knows. Unknown is 0 to all, and a bucket of -1.
type placing struct{ lo, hi, bucket int32 }

// turn is what an argument's turn adds to the counts above it: as it is, and where it is negated.
type turn [2]uint8

var share = [...]uint8{Unknown: 0x10, False: 0x01, True: 0x00}

var opposite = [...]Truth{Unknown: Unknown, False: True, True: False}

func turnOf(was, now Truth) turn {
	return turn{share[now] - share[was], share[opposite[now]] - share[opposite[was]]}
}

// truthOf is what a count makes of its node.
var truthOf = func() (of [256]Truth) {
	for c := range of {
		switch {
		case c == 0:
			of[c] = True
		case c&0x0f != 0:
			of[c] = False
		}
	}
	return of
}()

// segment is a range of edges across that turned.
type segment struct {
	from, to uint32
	step     turn
}

// queue is the counters that may have turned, as bits, and which words of them are not empty.
type queue struct {
	words, summary []uint64
	turned         [256]uint32 // while a range is walked
}

func newQueue(n int) queue {
	words := (n + 63) / 64
	return queue{words: make([]uint64, words), summary: make([]uint64, (words+63)/64)}
}

func (q *queue) add(n uint32) {
	q.words[n>>6] |= 1 << (n & 63)
	q.summary[n>>12] |= 1 << (n >> 6 & 63)
}

func newCounters(l *layer, device *counters) counters {
	n := len(l.unknown)
	c := counters{layer: l, device: device, count: make([]uint8, n), yes: make([]uint64, (n+63)/64), no: make([]uint64, (n+63)/64),
		places: make([]placing, len(l.sources)), set: make([]uint64, len(l.always)), possible: make([]uint64, (len(l.both)+63)/64)}
	c.clear()
	return c
}

// clear puts all at where nothing is known.
func (c *counters) clear() {
	c.forget()
	clear(c.yes)
	clear(c.no)
	copy(c.set, c.layer.always)
	for k := range c.possible {
		c.possible[k] = math.MaxUint64
	}
}

// forget counts as while nothing is known; what was made of that is left.
func (c *counters) forget() {
	copy(c.count, c.layer.unknown)
	for k := range c.places {
		c.places[k] = placing{hi: int32(len(c.layer.sources[k].keys)), bucket: -1}
	}
}

// recount counts everything anew; sources are to be placed after it.
func (c *counters) recount(device *counters, q *queue) {
	c.forget()
	c.catchUp(device, q)
	for k := range c.layer.finals {
		q.add(uint32(k))
	}
	for k := c.layer.finals; int(k) < len(c.count); k++ {
		c.final(k)
	}
}

func (c *counters) beginStep() {
	c.flipped, c.turned, c.shifted, c.was, c.moved = c.flipped[:0], c.turned[:0], c.shifted[:0], c.was[:0], false
}

// catchUp takes over all that the device knows, from nothing.
func (c *counters) catchUp(device *counters, q *queue) {
	l := device.layer
	for k := range l.sources {
		s, p := &l.sources[k], &device.places[k]
		n := int32(len(s.keys))
		c.apply(l.across.of(s.base, s.base+p.lo), turnOf(Unknown, False), q)
		c.apply(l.across.of(s.base+p.hi, s.base+n), turnOf(Unknown, True), q)
		if s.equals != nil && p.bucket >= 0 {
			c.apply(l.across.of(s.equals.base, s.equals.base+s.equals.atoms), turnOf(Unknown, False), q)
			for _, a := range s.equals.buckets.of(p.bucket) {
				if a >= 0 {
					c.apply(l.across.of(a, a+1), turnOf(False, True), q)
				}
			}
		}
	}
	for k := range device.count[:l.finals] {
		if now := device.truth(int32(k)); now != Unknown {
			id := l.atoms + int32(k)
			c.apply(l.across.of(id, id+1), turnOf(Unknown, now), q)
		}
	}
}

// apply turns what stands at the far end of edges.
func (c *counters) apply(edges []uint32, step turn, q *queue) {
	count, turned := c.count, &q.turned
	for len(edges) > 0 {
		part := edges[:min(len(edges), len(turned))]
		edges = edges[len(part):]
		n := 0
		for _, x := range part {
			at := x >> 1
			old := count[at]
			now := old + step[x&1]
			count[at] = now
			turned[n&(len(turned)-1)] = at
			differ := truthOf[old] ^ truthOf[now]
			n += int((differ | differ>>1) & 1)
		}
		for _, at := range turned[:n] {
			if int32(at) >= c.layer.finals {
				c.final(int32(at))
			} else {
				q.add(at)
			}
		}
	}
}

// final lets the set follow the count of a final.
func (c *counters) final(k int32) {
	r := c.layer.rankOf[k-c.layer.finals]
	w, bit := r>>6, uint64(1)<<(r&63)
	if (c.count[k] == 0) != (c.set[w]&bit != 0) {
		c.toggle(w, bit)
	}
}

// toggle turns one bit of the set.
func (c *counters) toggle(w int32, bit uint64) {
	if c.device != nil {
		c.moved = c.moved || c.device.set[w]&bit != 0
	} else if n := len(c.shifted); n == 0 || c.shifted[n-1] != w {
		c.shifted, c.was = append(c.shifted, w), append(c.was, c.set[w])
	}
	c.set[w] ^= bit
}

// truth is what was made of a counter last.
func (c *counters) truth(k int32) Truth {
	if k >= c.layer.finals {
		return truthOf[c.count[k]]
	}
	bit := uint64(1) << (k & 63)
	switch {
	case c.yes[k>>6]&bit != 0:
		return True
	case c.no[k>>6]&bit != 0:
		return False
	}
	return Unknown
}

// publish works out what became of the counters that may have turned, from below.
func (c *counters) publish(e *Eval) {
	q := &e.shared.queues[e.scope]
	for s := range q.summary {
		for q.summary[s] != 0 {
			w := s<<6 + bits.TrailingZeros64(q.summary[s])
			for q.words[w] != 0 {
				k := int32(w<<6 + bits.TrailingZeros64(q.words[w]))
				q.words[w] &= q.words[w] - 1
				was, now := c.truth(k), truthOf[c.count[k]]
				if was != now {
					c.put(e, k, was, now)
				}
			}
			q.summary[s] &= q.summary[s] - 1
		}
	}
}

// put gives a counter another truth, and tells who rests on it.
func (c *counters) put(e *Eval, k int32, was, now Truth) {
	l := c.layer
	w, bit := k>>6, uint64(1)<<(k&63)
	c.yes[w] &^= bit
	c.no[w] &^= bit
	switch now {
	case True:
		c.yes[w] |= bit
	case False:
		c.no[w] |= bit
	}
	id := l.atoms + k
	step := turnOf(was, now)
	if above := l.own.of(id, id+1); len(above) > 0 {
		c.apply(above, step, &e.shared.queues[e.scope])
	}
	e.pass(id, id+1, step)
	about := l.about[k]
	if about&aboutRank != 0 && (was == True || now == True) {
		for _, r := range l.ranks.of(k) {
			c.toggle(r>>6, 1<<(r&63))
		}
	}
	if about&aboutWatch != 0 {
		for _, n := range l.watch.of(k) {
			c.flipped = append(c.flipped, Node(n))
		}
	}
	if about&aboutJoint != 0 {
		c.join(e, k, now)
	}
}

// pass notes which edges to sessions turned.
func (e *Eval) pass(first, last int32, step turn) {
	f := &e.layer.across
	if len(f.to) == 0 {
		return
	}
	if from, to := f.from[first], f.from[last]; from < to {
		e.tell()
		e.passed = append(e.passed, segment{from: from, to: to, step: step})
	}
}

// join notes that a part of watched conjunctions over both scopes turned.
func (c *counters) join(e *Eval, k int32, now Truth) {
	for _, j := range c.layer.joints.of(k) {
		w, bit := j>>6, uint64(1)<<(j&63)
		if c.possible[w] |= bit; now == False {
			c.possible[w] &^= bit
		}
		if e.device == nil {
			c.turned = append(c.turned, j)
		} else if e.device.counters.possible[w]&bit == 0 {
			continue
		}
		c.flipped = append(c.flipped, c.layer.both[j].node)
	}
}

// place finds where a source stands among its keys now, and turns what it crossed.
func (e *Eval) place(k int32) {
	s := &e.layer.sources[k]
	x, cause, due := e.value(s)
	p := &e.counters.places[k]
	n := int32(len(s.keys))
	lo, hi, bucket := int32(0), n, int32(-1)
	switch {
	case cause == Known && x.slope != 0:
		lo = s.walk(p, moved(x.num, x.slope, e.now))
		hi, bucket = lo, 0
		due = min(due, s.next(lo, x.num, x.slope))
	case cause == Known:
		v := x.num
		if s.kind == sense.Double {
			v = s.keyOfDouble(v)
		}
		lo = s.walk(p, v)
		hi, bucket = lo, 0
		if s.equals != nil {
			bucket = e.bucketOf(s, v)
		}
	case cause == Settling && s.counts:
		lo = s.walk(p, x.num)
	}
	if s.timer >= 0 {
		e.timers.Set(s.timer, due)
	}
	if p.lo != lo || p.hi != hi {
		e.cross(s, p, lo, hi)
	}
	if len(s.told.to) > 0 && (cause != Known || e.retell) {
		e.tellAll(s, p)
	}
	if s.equals != nil && p.bucket != bucket {
		e.move(s, p, bucket)
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
	if s.floats {
		if x.num, ok = e.runFloats(s.terms); !ok {
			cause = InputUnknown
		}
		return x, cause, sense.Never
	}
	x, ok, due = e.run(s.terms)
	if !ok {
		cause = InputUnknown
	}
	return x, cause, due
}

// keyOfDouble is the key of a double; no number lies above all keys.
func (s *source) keyOfDouble(bits int64) int64 {
	if s.mirrored {
		bits ^= math.MinInt64
	}
	if isNaN(sense.NumValue(sense.Double, bits)) {
		return math.MaxInt64
	}
	return doubleKey(bits)
}

// tellAll tells the stored comparisons of a source what they are, and if they are unknown why.
func (e *Eval) tellAll(s *source, p *placing) {
	for k := range s.keys {
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

// walk counts the keys that a value is not below, from where the source stood last.
func (s *source) walk(p *placing, v int64) int32 {
	keys := s.keys
	k := p.lo
	if p.lo != p.hi { // it was nowhere
		below, above := int32(0), int32(len(keys))
		for above-below > 8 {
			if mid := (below + above) / 2; keys[mid] <= v {
				below = mid
			} else {
				above = mid
			}
		}
		k = below
	}
	for int(k) < len(keys) && keys[k] <= v {
		k++
	}
	for k > 0 && keys[k-1] > v {
		k--
	}
	return k
}

// next is when a value that moves by itself crosses its next key.
func (s *source) next(at int32, num, slope int64) sense.Instant {
	switch {
	case slope > 0 && int(at) < len(s.keys):
		reached, _ := crossing(saturatingSub(s.keys[at], num), slope)
		return reached
	case slope < 0 && at > 0:
		_, passed := crossing(saturatingSub(num, s.keys[at-1]), -slope)
		return passed
	}
	return sense.Never
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
func (e *Eval) cross(s *source, p *placing, lo, hi int32) {
	was := *p
	p.lo, p.hi = lo, hi
	if was.lo == was.hi && lo == hi {
		if lo > was.lo {
			e.span(s, was.lo, lo, True, False)
		} else {
			e.span(s, lo, was.lo, False, True)
		}
		return
	}
	cuts := [...]int32{was.lo, was.hi, lo, hi}
	for i := range cuts {
		for k := i; k > 0 && cuts[k] < cuts[k-1]; k-- {
			cuts[k], cuts[k-1] = cuts[k-1], cuts[k]
		}
	}
	now := placing{lo: lo, hi: hi}
	for i := range cuts[:3] {
		if first, last := cuts[i], cuts[i+1]; first < last {
			if a, b := was.at(first), now.at(first); a != b {
				e.span(s, first, last, a, b)
			}
		}
	}
}

// at is the truth of "below key k".
func (p *placing) at(k int32) Truth {
	switch {
	case k < p.lo:
		return False
	case k >= p.hi:
		return True
	}
	return Unknown
}

// span turns a range of atoms.
func (e *Eval) span(s *source, first, last int32, was, now Truth) {
	step := turnOf(was, now)
	e.counters.apply(e.layer.own.of(s.base+first, s.base+last), step, &e.shared.queues[e.scope])
	e.pass(s.base+first, s.base+last, step)
	if len(s.told.to) > 0 {
		for _, x := range s.told.to[s.told.from[first]:s.told.from[last]] {
			e.tellStored(s, x, now)
		}
	}
}

// move turns the equalities of a source that took another value.
func (e *Eval) move(s *source, p *placing, bucket int32) {
	was := p.bucket
	p.bucket = bucket
	all := func(was, now Truth) {
		e.atoms(s.equals.base, s.equals.base+s.equals.atoms, turnOf(was, now))
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
			e.atoms(a, a+1, step)
		}
	}
}

func (e *Eval) atoms(first, last int32, step turn) {
	e.counters.apply(e.layer.own.of(first, last), step, &e.shared.queues[e.scope])
	e.pass(first, last, step)
}

// Truth returns the truth of a condition; None is Unknown.
func (e *Eval) Truth(n Node) Truth {
	if n < 0 || int(n) >= len(e.plan.Program.Nodes) || e.plan.Program.Nodes[n].Scope > e.scope {
		return Unknown
	}
	op := &e.plan.Program.Nodes[n]
	if e.plan.slot[n] >= 0 || op.Code == Load || op.Code == Const {
		return e.mark(n).truth()
	}
	t := e.plan.truths[n]
	switch {
	case t.own == noLiteral:
		return e.ofArguments(op)
	case t.device == noLiteral:
		return e.ofLiteral(t.own)
	}
	return both(e.ofLiteral(t.device), e.ofLiteral(t.own))
}

// both is And of two.
func both(a, b Truth) Truth {
	switch {
	case a == False || b == False:
		return False
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return True
}

// ofArguments is the truth of And or Or that has no counter of its own.
func (e *Eval) ofArguments(op *Op) Truth {
	absorbs, out := False, True
	if op.Code == Or {
		absorbs, out = True, False
	}
	for _, a := range op.Args {
		switch e.Truth(a) {
		case absorbs:
			return absorbs
		case Unknown:
			out = Unknown
		}
	}
	return out
}

// ofLiteral is the truth of a literal as of the last Settle.
func (e *Eval) ofLiteral(l literal) Truth {
	switch l {
	case alwaysTrue:
		return True
	case alwaysFalse:
		return False
	}
	if l.scope() != e.scope {
		e = e.device
	}
	t := Unknown
	if id := l.id(); id >= e.layer.atoms {
		t = e.counters.truth(id - e.layer.atoms)
	} else {
		t = e.ofAtom(id)
	}
	if l.negated() {
		return opposite[t]
	}
	return t
}

func (e *Eval) ofAtom(id int32) Truth {
	k := e.layer.home[id]
	s, p := &e.layer.sources[k], &e.counters.places[k]
	if at := id - s.base; at < int32(len(s.keys)) && at >= 0 {
		return p.at(at)
	}
	if p.bucket < 0 {
		return Unknown
	}
	for _, a := range s.equals.buckets.of(p.bucket) {
		if a == id {
			return True
		}
	}
	return False
}

// Flipped returns the watched conditions whose truth changed in this step. Of a conjunction over both scopes the
// device's evaluation tells that its part turned, and a session's only what turned of its own.
func (e *Eval) Flipped() []Node { return e.counters.flipped }

// Concerned says whether a watched condition may have another truth in this session since this step began.
func (e *Eval) Concerned() bool {
	if len(e.counters.flipped) > 0 {
		return true
	}
	if e.device == nil {
		return false
	}
	d := &e.device.counters
	for _, j := range d.turned {
		if e.counters.possible[j>>6]&(1<<(j&63)) != 0 {
			return true
		}
	}
	return false
}
