package rule

import (
	"math/bits"

	"github.com/tact-edge/tact/context/sense"
)

// Settle evaluates what is marked, in order, and only as far upward as results really change.
func (e *Eval) Settle(now sense.Instant) {
	e.now = max(e.now, now)
	e.begin()
	if e.device != nil {
		e.follow()
	} else {
		e.fresh = false
		if len(e.loading) > 0 {
			e.tell()
			e.loaded, e.loading = e.loading, e.loaded
		}
	}
	if !e.touched {
		e.counters.publish(e)
		return
	}
	e.touched = false
	if e.noting = e.gathers(); e.noting {
		e.placePairs()
	}
	looks := e.device == nil && len(e.lanes.sessions) > 0
	for _, k := range e.given {
		if !e.noting {
			e.crossed(&e.layer.pairs, k, &e.in[k])
		}
		if looks {
			e.lanes.look(e, k)
		}
		for _, source := range e.layer.feeds.of(k) {
			e.place(source)
		}
	}
	e.given = e.given[:0]
	for w := range e.pending {
		for e.pending[w] != 0 {
			k := w<<6 + bits.TrailingZeros64(e.pending[w])
			e.pending[w] &= e.pending[w] - 1
			e.place(int32(k))
			if e.lane >= 0 {
				e.lanes.note(e, int32(k))
			}
		}
	}
	for w := range e.dirty {
		for e.dirty[w] != 0 {
			k := w<<6 + bits.TrailingZeros64(e.dirty[w])
			e.dirty[w] &^= 1 << (k & 63)
			e.update(int32(k))
		}
	}
	if e.noting {
		e.gather()
	} else {
		e.counters.publish(e)
	}
	e.touched, e.retell, e.young = false, false, false
}

// follow takes over what the device's last Settle changed; all that the device knows, where it missed one before.
func (e *Eval) follow() {
	d, followed := e.device, e.settles
	if followed == d.settles {
		return
	}
	e.settles = d.settles
	mine := newsAt{}
	if e.lane >= 0 {
		mine = e.lanes.told[e.lane]
	}
	if d.anew > followed || d.common.missed(followed, d.settles) || mine.missed(followed, d.settles) {
		e.resume()
		return
	}
	if mine.last == d.settles {
		e.lanes.follow(e)
	}
	if d.common.last != d.settles {
		return
	}
	for _, n := range d.changed {
		e.touchAbove(n)
		e.awaitSessions(e.plan.rises.of(e.plan.slot[n]))
	}
	for _, input := range d.loaded {
		for _, n := range e.plan.loads.of(input) {
			e.touchNode(Node(n))
		}
		for _, source := range e.plan.feeds.of(e.plan.known[input].place) {
			e.await(source)
		}
	}
	for _, p := range d.passed {
		e.counters.apply(d.layer.across.to[p.from:p.to], p.step, e.queue)
	}
}

func (e *Eval) awaitSessions(sources []int32) {
	for _, x := range sources {
		if Scope(x&1) == ScopeSession {
			e.await(x >> 1)
		}
	}
}

// resume counts everything anew.
func (e *Eval) resume() {
	e.counters.recount(&e.device.counters, e.queue)
	e.awaitAll()
	e.touchAll()
}

// SettleFully evaluates every stored node anew from the same inputs and memory. The outcome is that of
// Settle; it exists to show that.
func (e *Eval) SettleFully(now sense.Instant) {
	e.touchAll()
	e.awaitAll()
	e.Settle(now)
}

// touchAbove marks the stored nodes of this scope that read a stored node.
func (e *Eval) touchAbove(n Node) {
	k := e.plan.slot[n]
	if e.plan.Program.Nodes[n].Scope == ScopeSession {
		k += int32(len(e.plan.layers[ScopeDevice].steps))
	}
	for _, above := range e.plan.above.of(k) {
		e.touchNode(Node(above))
	}
}

// update evaluates a stored node, keeps its result and marks its readers if it changed.
func (e *Eval) update(slot int32) {
	s := &e.layer.steps[slot]
	c, due := e.compute(s)
	if s.timer >= 0 {
		e.timers.Set(s.timer, due)
	}
	old := &e.marks[slot]
	isBool := s.op.Kind == sense.Bool
	if old.cause == c.cause && old.input == c.input && old.yes == c.yes && old.slope == c.slope &&
		(isBool || e.keeps(slot, s, &c)) {
		return
	}
	at := max(old.at, c.at)
	for _, a := range s.op.Args {
		at = max(at, e.mark(a).at)
	}
	*old = c.mark
	old.at = min(at, e.now)
	if !isBool {
		e.nums[slot] = c.value.Int()
		if s.rich >= 0 {
			e.rich[s.rich] = c.value
		}
	}
	e.spread(slot)
}

// spread tells who reads a stored node that its outcome is another.
func (e *Eval) spread(slot int32) {
	s := &e.layer.steps[slot]
	if e.noting && s.quiet {
		return
	}
	at := slot
	if e.device == nil {
		if s.across {
			e.tell()
			e.changed = append(e.changed, s.node)
		}
	} else {
		at += int32(len(e.device.layer.steps))
	}
	for _, x := range e.plan.rises.of(at) {
		if Scope(x&1) == e.scope {
			e.place(x >> 1)
		}
	}
	e.touchAbove(s.node)
}

// keeps says whether a stored value is that of c.
func (e *Eval) keeps(slot int32, s *step, c *cell) bool {
	if s.rich >= 0 {
		return sameValue(e.rich[s.rich], c.value)
	}
	return e.nums[slot] == c.value.Int()
}
