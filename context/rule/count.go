package rule

import (
	"math/bits"
	"slices"
)

// counters is the counting part of an Eval.
//
// A count holds how many arguments are false in its low four bits, and how many are unknown in its high ones: none of
// either is true, any false one false, else unknown. That an argument turns adds one number to it, whatever the rest
// is, so that a range of edges is one loop without a branch.
type counters struct {
	layer   *layer
	device  *counters // nil for the device's own
	count   []uint8
	parts   []uint8 // by rank: the same of the part of this scope of a candidate
	made    []Truth // by counter: what was made of its count last
	places  []placing
	set     []uint64      // by rank: the part of this scope of a candidate holds
	flipped []Node        // watched nodes that turned in this step
	moved   bool          // of a session: the eligible set changed in this step by what is its own
	turned  []turnedJoint // of the device: in this step, the first time first
	shifted []int32       // of the device: words of the set that changed in this step
	was     []uint64      // of the device: what they were
	either  []uint64      // of the device: the set, with all that was in it in this step
}

// turn is what an argument's turn adds to the counts above it: as it is, and where it is negated.
type turn [2]uint8

var share = [...]uint8{Unknown: 0x10, False: 0x01, True: 0x00}

var opposite = [...]Truth{Unknown: Unknown, False: True, True: False}

func turnOf(was, now Truth) turn { return turns[was&3][now&3] }

var turns = func() (of [4][4]turn) {
	for was := range share {
		for now := range share {
			of[was][now] = turn{share[now] - share[was], share[opposite[now]] - share[opposite[was]]}
		}
	}
	return of
}()

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
	some           bool
	turned, ranks  turned
}

// turned is what a walk over edges turned, some more than once.
type turned struct {
	n    int
	list [1024]uint32
}

// mostAtOnce is how many edges are walked between two looks at whether there is room for what turns.
const mostAtOnce = 256

func newQueue(n int) queue {
	words := (n + 63) / 64
	return queue{words: make([]uint64, words), summary: make([]uint64, (words+63)/64)}
}

func (q *queue) add(n uint32) {
	q.some = true
	q.words[n>>6] |= 1 << (n & 63)
	q.summary[n>>12] |= 1 << (n >> 6 & 63)
}

func newCounters(l *layer, device *counters) counters {
	n := len(l.unknown)
	c := counters{layer: l, device: device, count: make([]uint8, n), made: make([]Truth, n),
		places: make([]placing, len(l.sources)), parts: make([]uint8, len(l.vague)), set: make([]uint64, (len(l.vague)+63)/64)}
	if device == nil {
		c.either = make([]uint64, len(c.set))
	}
	c.clear()
	return c
}

// clear puts all at where nothing is known.
func (c *counters) clear() {
	c.forget()
	clear(c.made)
	clear(c.set)
	for r, n := range c.parts {
		if n == 0 {
			c.set[r>>6] |= 1 << (r & 63)
		}
	}
	copy(c.either, c.set)
}

// forget counts as while nothing is known; what was made of that is left.
func (c *counters) forget() {
	copy(c.count, c.layer.unknown)
	copy(c.parts, c.layer.vague)
	for k := range c.places {
		c.places[k] = placing{hi: uint16(c.layer.spots[k].n), bucket: -1}
	}
}

// recount counts everything anew; sources are to be placed after it.
func (c *counters) recount(device *counters, q *queue) {
	c.forget()
	c.catchUp(device, q)
	for k, now := range c.made {
		if id := c.layer.atoms + int32(k); now != Unknown { // what is above it counts on what was made of it
			c.apply(c.layer.ownOf(id, id+1), turnOf(Unknown, now), q)
			c.applyParts(c.layer.partsOf(id, id+1), turnOf(Unknown, now), q)
		}
		q.add(uint32(k))
	}
	for r := range c.parts {
		w, one := int32(r>>6), uint64(1)<<(r&63)
		if (c.parts[r] == 0) != (c.set[w]&one != 0) {
			c.toggle(w, one)
		}
	}
}

func (c *counters) beginStep() {
	for _, w := range c.shifted {
		c.either[w] = c.set[w]
	}
	c.flipped, c.turned, c.shifted, c.was, c.moved = c.flipped[:0], c.turned[:0], c.shifted[:0], c.was[:0], false
}

// catchUp takes over all that the device knows, from nothing.
func (c *counters) catchUp(device *counters, q *queue) {
	l := device.layer
	if len(l.across.to) == 0 {
		return
	}
	for k := range l.sources {
		s, sp, p := &l.sources[k], &l.spots[k], &device.places[k]
		c.apply(l.across.of(sp.base, sp.base+p.first()), turnOf(Unknown, False), q)
		c.apply(l.across.of(sp.base+p.last(), sp.base+sp.n), turnOf(Unknown, True), q)
		if s.equals != nil && p.bucket >= 0 {
			c.apply(l.across.of(s.equals.base, s.equals.base+s.equals.atoms), turnOf(Unknown, False), q)
			for _, a := range s.equals.buckets.of(int32(p.bucket)) {
				if a >= 0 {
					c.apply(l.across.of(a, a+1), turnOf(False, True), q)
				}
			}
		}
	}
	for k := range device.count {
		if now := device.made[k]; now != Unknown {
			id := l.atoms + int32(k)
			c.apply(l.across.of(id, id+1), turnOf(Unknown, now), q)
		}
	}
}

// apply turns what stands at the far end of edges. What it makes of the counters above follows with flush.
func (c *counters) apply(edges []uint32, step turn, q *queue) {
	count, t := c.count, &q.turned
	for len(edges) > 0 {
		if t.n > len(t.list)-mostAtOnce {
			c.flush(q)
		}
		part := edges[:min(len(edges), mostAtOnce)]
		edges = edges[len(part):]
		n := t.n
		for _, x := range part {
			at := x >> 1
			old := count[at]
			now := old + step[x&1]
			count[at] = now
			t.list[n&(len(t.list)-1)] = at
			differ := truthOf[old] ^ truthOf[now]
			n += int((differ | differ>>1) & 1)
		}
		t.n = n
	}
}

// applyParts turns parts of candidates. Of them it counts only whether nothing is missing.
func (c *counters) applyParts(edges []uint32, step turn, q *queue) {
	parts, t := c.parts, &q.ranks
	for len(edges) > 0 {
		if t.n > len(t.list)-mostAtOnce {
			c.flushRanks(q)
		}
		part := edges[:min(len(edges), mostAtOnce)]
		edges = edges[len(part):]
		n := t.n
		for _, x := range part {
			at := x >> 1
			old := parts[at]
			now := old + step[x&1]
			parts[at] = now
			t.list[n&(len(t.list)-1)] = at
			n += bit(old == 0) | bit(now == 0)
		}
		t.n = n
	}
}

// flush queues the counters that turned.
func (c *counters) flush(q *queue) {
	for _, at := range q.turned.list[:q.turned.n] {
		q.add(at)
	}
	q.turned.n = 0
}

// flushRanks lets the set follow the parts of candidates.
func (c *counters) flushRanks(q *queue) {
	ranks := q.ranks.list[:q.ranks.n]
	q.ranks.n = 0
	if c.device == nil {
		for _, r := range ranks {
			if w, one := r>>6, uint64(1)<<(r&63); (c.parts[r] == 0) != (c.set[w]&one != 0) {
				c.toggle(int32(w), one)
			}
		}
		return
	}
	set, either, moved := c.set, c.device.either, uint64(0)
	for _, r := range ranks {
		w := r >> 6
		differs := (uint64(bit(c.parts[r] == 0)) ^ set[w]>>(r&63)) & 1 << (r & 63)
		set[w] ^= differs
		moved |= differs & either[w]
	}
	c.moved = c.moved || moved != 0
}

// toggle turns one bit of the set.
func (c *counters) toggle(w int32, bit uint64) {
	if c.device != nil {
		c.moved = c.moved || c.device.either[w]&bit != 0
	} else {
		if n := len(c.shifted); n == 0 || c.shifted[n-1] != w {
			c.shifted, c.was = append(c.shifted, w), append(c.was, c.set[w])
		}
		c.either[w] |= bit
	}
	c.set[w] ^= bit
}

// joinTurned says whether the device's part of a joint turned in this step.
func (c *counters) joinTurned(j int32) bool {
	return slices.ContainsFunc(c.turned, func(t turnedJoint) bool { return t.joint == j })
}

// publish works out what became of the counters that may have turned, from below: first of those that nobody watches and
// that stand on no others, in any order.
func (c *counters) publish(e *Eval) {
	q := e.queue
	if !q.some && q.turned.n == 0 && q.ranks.n == 0 {
		return
	}
	for t := &q.turned; t.n > 0; {
		t.n--
		at := t.list[t.n]
		if c.layer.about[at] != 0 {
			q.add(at)
		} else if was, now := c.made[at], truthOf[c.count[at]]; was != now {
			c.put(e, int32(at), was, now)
		}
	}
	if q.some {
		c.publishInOrder(e, q)
	}
	c.flushRanks(q)
}

// publishInOrder works out what became of the counters that are queued.
func (c *counters) publishInOrder(e *Eval, q *queue) {
	for s := range q.summary {
		for q.summary[s] != 0 {
			w := s<<6 + bits.TrailingZeros64(q.summary[s])
			for q.words[w] != 0 {
				k := int32(w<<6 + bits.TrailingZeros64(q.words[w]))
				q.words[w] &= q.words[w] - 1
				was, now := c.made[k], truthOf[c.count[k]]
				if was != now {
					c.put(e, k, was, now)
					c.flush(q)
				}
			}
			q.summary[s] &= q.summary[s] - 1
		}
	}
	q.some = false
}

// put gives a counter another truth, and tells who rests on it.
func (c *counters) put(e *Eval, k int32, was, now Truth) {
	l := c.layer
	c.made[k] = now
	id := l.atoms + k
	e.span(id, id+1, turnOf(was, now))
	if l.about[k]&(aboutWatch|aboutJoint) != 0 {
		c.report(k, was, now)
	}
}

// report tells those who watch a counter that it turned.
func (c *counters) report(k int32, was, now Truth) {
	for _, n := range c.layer.watch.of(k) {
		c.flipped = append(c.flipped, Node(n))
	}
	if c.layer.about[k]&aboutJoint != 0 {
		c.join(k, was, now)
	}
}

// markInner notes which counters stand on others.
func (l *layer) markInner() {
	if len(l.from) == 0 {
		return // of a reference, nothing is counted
	}
	for _, x := range l.own[l.from[l.atoms].own:] {
		l.about[x>>1] |= aboutInner
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
func (c *counters) join(k int32, was, now Truth) {
	for _, j := range c.layer.joints.of(k) {
		of := &c.layer.both[j]
		if c.device == nil {
			c.turned = append(c.turned, turnedJoint{j, was})
		} else if other := c.device.made[of.device]; both(other, was) == both(other, now) && !c.device.joinTurned(j) {
			continue
		}
		c.flipped = append(c.flipped, of.node)
	}
}

// turnedJoint is a joint of which the device's part turned, and what that was.
type turnedJoint struct {
	joint int32
	was   Truth
}
