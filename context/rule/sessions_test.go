package rule_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// crowd is one device with sessions that come and go, each beside one of the reference plan that is looked at in every
// step, wholly.
type crowd struct {
	r       *rand.Rand
	p       *Program
	keep    Interest
	value   func(*rand.Rand, sense.Kind) sense.Value
	plan    *Plan
	device  *Eval
	full    *Eval // the device's, of the reference plan
	wearers []*wearer
	before  []Truth       // of every node, of the device, when the step began
	settles int           // in this step
	settled bool          // ever
	booted  sense.Instant // the last restart, 0 before any
	// ref is the slow evaluation of each wearer, where nobody comes, starves or forgets.
	slow bool
	told tally
}

// wearer is one session.
type wearer struct {
	own, full *Eval
	ref       *reference
	begun     bool // in this step
	settled   bool // ever
	fresh     bool // made in this step
	starves   int  // steps for which it is left out, whatever happens
	missed    bool // starved in the last step
	before    []Truth
	set       []bool // by candidate, when the step began
}

// tally is how often something was told, and how often for nothing.
type tally struct{ steps, sessions, left, moved, movedVain, concerned, concernedVain, resumed, bothSettles, identified, slow int }

func newCrowd(r *rand.Rand, p *Program, keep Interest, value func(*rand.Rand, sense.Kind) sense.Value) (*crowd, error) {
	c := &crowd{r: r, value: value}
	return c, c.load(p, keep)
}

// load takes another program; the inputs keep their states.
func (c *crowd) load(p *Program, keep Interest) error {
	plan, err := NewPlan(p, keep)
	if err != nil {
		return err
	}
	old, wearers := c.device, c.wearers
	c.p, c.keep, c.plan = p, keep, plan
	c.device, c.full, c.wearers, c.settled, c.booted = NewEval(plan), NewEval(plan.Reference()), nil, false, 0
	if old == nil {
		return nil
	}
	for k := range p.Inputs {
		if p.Inputs[k].Scope == ScopeDevice {
			r := old.Input(int32(k))
			c.device.Set(int32(k), r, t0)
			c.full.Set(int32(k), r, t0)
		}
	}
	for _, w := range wearers {
		c.open()
		for k := range p.Inputs {
			if p.Inputs[k].Scope == ScopeSession && p.Inputs[k].From != FromUntil {
				r := w.own.Input(int32(k))
				c.last().own.Set(int32(k), r, t0)
				c.last().full.Set(int32(k), r, t0)
			}
		}
	}
	return nil
}

func (c *crowd) last() *wearer { return c.wearers[len(c.wearers)-1] }

// open makes a session now.
func (c *crowd) open() *wearer {
	w := &wearer{own: c.device.NewSession(), full: c.full.NewSession(), fresh: true}
	if c.slow {
		w.ref = newReference(c.p)
	}
	if c.booted != 0 { // what was seen before the restart is missing here as well
		w.own.Restart(c.booted)
		w.full.Restart(c.booted)
	}
	c.wearers = append(c.wearers, w)
	c.told.sessions++
	return w
}

func (c *crowd) drop() {
	k := c.r.IntN(len(c.wearers))
	c.wearers[k].own.Close()
	c.wearers = slices.Delete(c.wearers, k, k+1)
}

// begin begins a step in the device and in all sessions in which time does something.
func (c *crowd) begin(now sense.Instant) {
	c.told.steps++
	c.settles = 0
	c.before = nil
	if c.settled {
		c.before = truths(c.device, c.p)
	}
	for _, w := range c.wearers {
		if w.begun, w.fresh = false, false; w.settled {
			w.before, w.set = truths(w.own, c.p), c.eligible(w.own)
		}
	}
	c.device.Begin(now)
	c.full.Begin(now)
	for _, w := range c.wearers {
		if w.starves > 0 {
			continue
		}
		w.full.Begin(now)
		if w.own.Next() <= now || w.own.Fleeting() || w.missed || c.r.IntN(5) == 0 {
			c.wake(w, now)
		}
	}
}

func (c *crowd) wake(w *wearer, now sense.Instant) {
	if !w.begun {
		w.begun = true
		w.own.Begin(now)
	}
}

// eligible returns which candidates a session says are.
func (c *crowd) eligible(e *Eval) []bool {
	set := make([]bool, len(c.keep.Candidates))
	for _, k := range e.Eligible(nil) {
		set[k] = true
	}
	return set
}

func truths(e *Eval, p *Program) []Truth {
	all := make([]Truth, len(p.Nodes))
	for n := range all {
		all[n] = e.Truth(Node(n))
	}
	return all
}

// identify gives all inputs of a session a state at once.
func (c *crowd) identify(now sense.Instant) {
	w := c.wearers[c.r.IntN(len(c.wearers))]
	if w.starves > 0 {
		return
	}
	c.wake(w, now)
	for k := range c.p.Inputs {
		if c.p.Inputs[k].Scope == ScopeSession && c.r.IntN(6) > 0 {
			c.set(int32(k), []*Eval{w.own, w.full}, w, now)
		}
	}
	c.told.identified++
}

// stir changes some inputs of somebody.
func (c *crowd) stir(now sense.Instant) {
	if len(c.wearers) > 0 && c.r.IntN(5) == 0 {
		c.identify(now)
	}
	for range c.r.IntN(4) {
		k := int32(c.r.IntN(len(c.p.Inputs)))
		if c.p.Inputs[k].Scope == ScopeDevice {
			c.set(k, []*Eval{c.device, c.full}, nil, now)
			continue
		}
		if len(c.wearers) == 0 {
			continue
		}
		if w := c.wearers[c.r.IntN(len(c.wearers))]; w.starves == 0 {
			c.wake(w, now)
			c.set(k, []*Eval{w.own, w.full}, w, now)
		}
	}
}

func (c *crowd) set(k int32, to []*Eval, w *wearer, now sense.Instant) {
	in := &c.p.Inputs[k]
	r := Result{Value: c.value(c.r, in.Kind)}
	switch {
	case c.r.IntN(4) == 0:
		r = Result{Cause: []Cause{InputUnknown, SignalStale, FactStale, FactMissing, Failed, NotRead}[c.r.IntN(6)]}
	case in.From == FromNow:
		r.Value = sense.TimestampValue(now)
	case in.From == FromUntil && c.r.IntN(4) > 0:
		r.Value = sense.TimestampValue(now.Add(sense.Duration(c.r.IntN(20000) - 8000)))
	case in.From == FromUntil:
		r.Value = c.value(c.r, sense.Timestamp)
	}
	at := now
	if c.r.IntN(4) == 0 && !c.slow {
		at = now.Add(-sense.Duration(c.r.IntN(3000)))
	}
	reads := in.From == FromSignal && r.Cause == Known && (in.Kind == sense.Int || in.Kind == sense.Double)
	for _, e := range to {
		e.Set(k, r, at)
		if reads {
			e.Read(k, r.Value, at)
		}
	}
	refs := c.wearers
	if w != nil {
		refs = []*wearer{w}
	}
	for _, w := range refs {
		if w.ref == nil {
			continue
		}
		r.Input = k
		w.ref.in[k] = r
		if reads {
			f := float64(r.Value.Int())
			if in.Kind == sense.Double {
				f = r.Value.Double()
			}
			w.ref.reads[k] = append(w.ref.reads[k], timed{now, f})
		}
	}
}

// upset forgets something of somebody, or lets sessions come, go and starve.
func (c *crowd) upset(now sense.Instant) {
	if c.slow {
		return
	}
	switch x := c.r.IntN(60); {
	case x < 4 && len(c.wearers) < 8:
		c.wake(c.open(), now)
		c.last().full.Begin(now)
	case x < 6 && len(c.wearers) < 8:
		c.open()
	case x < 8 && len(c.wearers) > 0:
		c.drop()
	case x < 12 && len(c.wearers) > 0:
		w := c.wearers[c.r.IntN(len(c.wearers))]
		if w.starves == 0 && !w.begun && w.settled {
			w.starves = 1 + c.r.IntN(5)
		}
	case x < 14 && len(c.wearers) > 0:
		w := c.wearers[c.r.IntN(len(c.wearers))]
		if w.starves > 0 {
			return
		}
		c.wake(w, now)
		for _, e := range []*Eval{w.own, w.full} {
			e.ForgetPerson(now)
		}
	case x < 16:
		k := int32(c.r.IntN(len(c.p.Inputs)))
		for _, e := range []*Eval{c.device, c.full} {
			e.Forget(k, now)
		}
		for _, w := range c.wearers {
			if w.starves == 0 {
				c.wake(w, now)
				w.own.Forget(k, now)
				w.full.Forget(k, now)
			}
		}
	case x == 16:
		for _, e := range []*Eval{c.device, c.full} {
			e.Restart(now)
		}
		c.booted = now
		for _, w := range c.wearers {
			if w.starves > 0 {
				w.starves = 0
				w.full.Begin(now)
			}
			c.wake(w, now)
			w.own.Restart(now)
			w.full.Restart(now)
		}
	}
}

// settle evaluates the device, and those sessions that it reaches or that have begun.
func (c *crowd) settle(now sense.Instant) error {
	c.settles++
	c.settled = true
	c.device.Settle(now)
	c.full.SettleFully(now)
	for _, w := range c.wearers {
		if w.starves > 0 {
			continue
		}
		w.full.SettleFully(now)
		if w.missed || w.own.Awaits() {
			c.wake(w, now)
		}
		if w.begun {
			w.own.Settle(now)
			w.settled = true
		} else {
			c.told.left++
		}
		if w.ref != nil {
			w.ref.step(now)
		}
	}
	return c.check(now)
}

// end lets starving sessions starve on.
func (c *crowd) end() {
	for _, w := range c.wearers {
		if w.missed = w.starves > 0; w.missed {
			if w.starves--; w.starves == 0 {
				c.told.resumed++
			}
		}
	}
}

// check says where anything differs from the full evaluation, or was not told.
func (c *crowd) check(now sense.Instant) error {
	if err := c.sameResults(c.device, c.full, nil, true); err != nil {
		return fmt.Errorf("device at %d: %w", now-t0, err)
	}
	if err := c.checkTurns(c.device, nil); err != nil {
		return fmt.Errorf("device at %d: %w", now-t0, err)
	}
	for k, w := range c.wearers {
		if w.starves > 0 {
			continue
		}
		err := c.sameResults(w.own, w.full, w.ref, w.begun)
		if err == nil {
			err = c.checkSet(w)
		}
		if err == nil && !w.fresh {
			err = c.checkTurns(w.own, w)
		}
		if err != nil {
			return fmt.Errorf("session %d (begun %t, fresh %t, missed %t, settle %d) at %d: %w", k, w.begun, w.fresh, w.missed, c.settles, now-t0, err)
		}
	}
	return nil
}

// sameResults compares every node. What moves is as of the last step of each.
func (c *crowd) sameResults(own, full *Eval, ref *reference, begun bool) error {
	for n := range c.p.Nodes {
		op := &c.p.Nodes[n]
		if !begun && (op.Kind == sense.Length || op.Kind == sense.Timestamp) {
			continue
		}
		got, want := own.Result(Node(n)), full.Result(Node(n))
		if !equal(got, want) {
			return fmt.Errorf("node %s: %+v, by full evaluation %+v", c.explain(Node(n), 0), got, want)
		}
		if t := own.Truth(Node(n)); op.Kind == sense.Bool && t != want.Truth() {
			return fmt.Errorf("node %d %+v: %s, by full evaluation %+v", n, *op, t, want)
		}
		if ref != nil && !equal(got, ref.out[n]) {
			return fmt.Errorf("node %d %+v: %+v, by the slow evaluation %+v", n, *op, got, ref.out[n])
		}
		if own.Left(Node(n)) != full.Left(Node(n)) {
			return fmt.Errorf("node %d %+v: left %t", n, *op, own.Left(Node(n)))
		}
	}
	return nil
}

// checkSet holds the eligible set against the truths of what candidates need.
func (c *crowd) checkSet(w *wearer) error {
	order := c.plan.Order()
	if len(order) != len(c.keep.Candidates) || c.plan.Words() != (len(order)+63)/64 {
		return fmt.Errorf("%d ranks in %d words for %d candidates", len(order), c.plan.Words(), len(c.keep.Candidates))
	}
	var want []int32
	words := make([]uint64, c.plan.Words())
	for rank, k := range order {
		if rank > 0 {
			x, y := c.keep.Candidates[order[rank-1]].Score, c.keep.Candidates[k].Score
			if x < y || x == y && order[rank-1] > k {
				return fmt.Errorf("candidate %d stands after %d", k, order[rank-1])
			}
		}
		eligible := true
		for _, n := range c.keep.Candidates[k].Needs {
			eligible = eligible && (n == None || w.full.Truth(n) == True)
		}
		if eligible {
			want = append(want, k)
			words[rank>>6] |= 1 << (rank & 63)
		}
	}
	if got := w.own.Eligible(nil); !slices.Equal(got, want) {
		why := ""
		for k := range c.keep.Candidates {
			if slices.Contains(got, int32(k)) != slices.Contains(want, int32(k)) {
				for _, n := range c.keep.Candidates[k].Needs {
					if n != None {
						why += fmt.Sprintf("%d needs %s %s", k, w.own.Truth(n), c.explain(n, 0))
					}
				}
			}
		}
		return fmt.Errorf("candidates %v are eligible, by full evaluation %v: %s", got, want, why)
	}
	for k, word := range words {
		if got := w.own.EligibleWord(k); got != word {
			return fmt.Errorf("word %d of the eligible is %x, by full evaluation %x", k, got, word)
		}
	}
	best, ok := w.own.Best()
	if ok != (len(want) > 0) || ok && best != want[0] {
		return fmt.Errorf("the best is %d, by full evaluation %v", best, want)
	}
	return nil
}

// checkTurns holds what is told of turns against what was when the step began. It is told in vain at times: of
// a conjunction over both scopes by the device, and after a second Settle.
func (c *crowd) checkTurns(e *Eval, w *wearer) error {
	device := c.device.Flipped()
	if w == nil {
		for _, n := range c.keep.Watched {
			if n == None || c.p.Nodes[n].Scope == ScopeSession || c.before == nil {
				continue
			}
			turned := c.before[n] != e.Truth(n)
			if told := slices.Contains(device, n); turned && !told || told && !turned && c.settles == 1 {
				return fmt.Errorf("watched node %s: turned %t, told %t, was %s is %s", c.explain(n, 0), turned, told, c.before[n], e.Truth(n))
			}
		}
		return nil
	}
	if w.before == nil {
		return nil
	}
	turns, which := false, None
	for _, n := range c.keep.Watched {
		if n == None || c.p.Nodes[n].Scope == ScopeDevice {
			continue
		}
		turned := w.before[n] != e.Truth(n)
		own := w.begun && slices.Contains(e.Flipped(), n)
		if turned && !own && !slices.Contains(device, n) && !w.missed {
			return fmt.Errorf("watched node %d %+v: turned from %s to %s and nobody tells", n, c.p.Nodes[n], w.before[n], e.Truth(n))
		}
		if own && !turned && c.settles == 1 && !w.missed && c.p.Nodes[n].Code != And {
			return fmt.Errorf("watched node %d %+v: told, and still %s", n, c.p.Nodes[n], e.Truth(n))
		}
		if turned && !w.missed { // else it turned while nobody looked
			turns, which = true, n
		}
	}
	if e.Concerned() {
		c.told.concerned++
		if !turns {
			c.told.concernedVain++
		}
	} else if turns {
		return fmt.Errorf("node %d %s turned and the session is not concerned; %v, of the device %v", which, c.explain(which, 0), e.Flipped(), device)
	}
	moved := !slices.Equal(w.set, c.eligible(e))
	switch {
	case w.begun && e.Moved():
		c.told.moved++
		if !moved {
			c.told.movedVain++
		}
	case moved && !e.Moved():
		return fmt.Errorf("the eligible set moved from %v to %v and is not told so", w.set, c.eligible(e))
	}
	return nil
}

// next is when time alone changes something, of those that do not starve.
func (c *crowd) next() sense.Instant {
	next := c.device.Next()
	for _, w := range c.wearers {
		if w.starves == 0 && !w.missed {
			next = min(next, w.own.Next())
		}
	}
	return next
}

// live runs random steps, and one at each instant that Next names.
func (c *crowd) live(steps int, other func() (*Program, Interest)) error {
	now := t0
	step := func(stirs bool) error {
		c.begin(now)
		if stirs {
			c.upset(now)
			c.stir(now)
		}
		if err := c.settle(now); err != nil {
			return err
		}
		if stirs && !c.slow && c.r.IntN(6) == 0 {
			c.told.bothSettles++
			c.stir(now)
			c.upset(now)
			if err := c.settle(now); err != nil {
				return fmt.Errorf("settled again: %w", err)
			}
		}
		c.end()
		return nil
	}
	for range steps {
		to := now.Add(sense.Duration(1 + c.r.IntN(4000)))
		for range 40 {
			next := c.next()
			if next <= now {
				return fmt.Errorf("next is %d at %d", next-t0, now-t0)
			}
			if next > to {
				break
			}
			now = next
			if err := step(false); err != nil {
				return fmt.Errorf("by time: %w", err)
			}
		}
		now = max(now+1, to)
		if other != nil && c.r.IntN(30) == 0 {
			if p, keep := other(); p != nil {
				if err := c.load(p, keep); err != nil {
					return err
				}
			}
		}
		if err := step(true); err != nil {
			return err
		}
	}
	return nil
}

// lives says how many random lives to try, and from which seed on: TACT_RUNS and TACT_SEED.
func lives(usual, short int) (first, runs uint64) {
	runs = uint64(usual)
	if testing.Short() {
		runs = uint64(short)
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_RUNS"), 10, 64); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_SEED"), 10, 64); err == nil {
		first, runs = n, 1
	}
	return first, runs
}

// Sessions that come and go, are left out where nothing awaits them, starve and resume, over programs that are exchanged:
// all of them know what full evaluation knows, and tell of each turn.
func TestSessionsAgainstFullEvaluation(t *testing.T) {
	first, runs := lives(50, 30)
	var all tally
	for seed := first; seed < first+runs; seed++ {
		r := rand.New(rand.NewPCG(seed, 31))
		var other func() (*Program, Interest)
		var value func(*rand.Rand, sense.Kind) sense.Value
		if seed%2 == 0 {
			other = func() (*Program, Interest) {
				p := newMaker(r.Uint64()).program(5 + r.IntN(40))
				if Check(p) != nil {
					return nil, Interest{}
				}
				return p, sharpInterest(r, p)
			}
			value = constant
		} else {
			s := newSharp(seed)
			value = s.value
			other = func() (*Program, Interest) {
				p := newSharp(r.Uint64()).program(10 + r.IntN(60))
				if Check(p) != nil {
					return nil, Interest{}
				}
				return p, sharpInterest(r, p)
			}
		}
		p, keep := other()
		if p == nil {
			continue
		}
		c, err := newCrowd(r, p, keep, value)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		c.slow = seed%4 == 0 && len(p.Nodes) < 120
		for range r.IntN(4) {
			c.open()
		}
		if c.slow {
			c.told.slow++
			other = nil
		}
		if err := c.live(60, other); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		all.add(&c.told)
	}
	t.Logf("%d lives: %+v", runs, all)
	if first == 0 && runs > 20 && (all.left == 0 || all.resumed == 0 || all.moved == 0 || all.concerned == 0 || all.identified == 0) {
		t.Errorf("something never happened: %+v", all)
	}
}

func (t *tally) add(o *tally) {
	t.steps += o.steps
	t.sessions += o.sessions
	t.left += o.left
	t.moved += o.moved
	t.movedVain += o.movedVain
	t.concerned += o.concerned
	t.concernedVain += o.concernedVain
	t.resumed += o.resumed
	t.bothSettles += o.bothSettles
	t.identified += o.identified
	t.slow += o.slow
}

func (c *crowd) explain(n Node, depth int) string {
	op := &c.p.Nodes[n]
	s := fmt.Sprintf("%*s%d: code %d scope %d input %d kind %v value %v args %v\n", depth*2, "", n, op.Code, op.Scope, op.Input, op.Kind, op.Value, op.Args)
	if depth < 5 {
		for _, a := range op.Args {
			s += c.explain(a, depth+1)
		}
	}
	return s
}
