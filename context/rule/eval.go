package rule

import (
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// Eval keeps the results of all nodes of one scope: one Eval for the device, and
// one a session that reads the device's results.
//
// Without Restart its windows begin complete and empty (nothing happened before
// the first line of a recording), and latches in neither state.
//
// Callers do, per step: Begin on the device's and on every session's Eval, Set
// and Read, Settle on the device's, then Settle on each session's.
type Eval struct {
	plan    *Plan
	device  *Eval // nil for the device's own
	base    int   // first node of the scope
	now     sense.Instant
	began   sense.Instant // the first step, or the restart: what is constant holds since then
	step    uint64
	in      []cell // by input; those of the other scope stay unused
	marks   []mark // by node - base
	values  []sense.Value
	holds   []hold
	windows []window
	timers  Timers
	timed   []int32  // timer slot -> node
	dirty   []uint64 // by node - base
	pulses  []Node   // true for this step alone
	changed []Node   // by the last Settle
	flipped []Node   // those whose truth did
	machine machine
}

// mark is the outcome of a node but for a value that is no bool.
type mark struct {
	at    sense.Instant // since when it is so
	input int32
	cause Cause
	yes   bool
	slope int8 // a length or timestamp that grows (1) or shrinks (-1) by itself: its value is that of instant 0
}

func (m *mark) truth() Truth {
	switch {
	case m.cause != Known:
		return Unknown
	case m.yes:
		return True
	}
	return False
}

// cell is a mark with its value.
type cell struct {
	mark
	value sense.Value
}

// hold is the memory of a node that looks back.
type hold struct {
	last   Truth         // the last certain truth of the argument; of a latch, its state
	since  sense.Instant // Since: when the argument became true; Armed, Latch: the last turn
	until  sense.Instant // Armed: when it ends
	unsure sense.Instant // Armed: it may have been armed before a restart, until then
	step   uint64        // Became, Changed: the step in which it is true
	armed  bool
	left   bool        // Armed: ended since the argument became certainly false
	value  sense.Value // Changed: the last known value
}

// NewEval makes the evaluation of the device's scope.
func NewEval(plan *Plan) *Eval { return newEval(plan, nil) }

// NewSession makes the evaluation of a session's scope over the device's.
func (e *Eval) NewSession() *Eval { return newEval(e.plan, e) }

func newEval(plan *Plan, device *Eval) *Eval {
	scope, base, n := ScopeDevice, 0, plan.device
	if device != nil {
		scope, base, n = ScopeSession, plan.device, len(plan.Program.Nodes)-plan.device
	}
	s := plan.slots[scope]
	e := &Eval{plan: plan, device: device, base: base, now: longAgo, began: longAgo, step: 1, in: make([]cell, len(plan.Program.Inputs)), marks: make([]mark, n),
		values: make([]sense.Value, s.values), holds: make([]hold, s.holds), windows: make([]window, s.windows),
		timers: NewTimers(s.timers), timed: make([]int32, s.timers), dirty: make([]uint64, (n+63)/64),
		changed: make([]Node, 0, n), flipped: make([]Node, 0, n), pulses: make([]Node, 0, s.holds),
		machine: machine{zones: plan.Program.Zones, stack: make([]cell, s.stack)}}
	for k := range e.in {
		e.in[k] = cell{mark: mark{at: longAgo, input: int32(k), cause: InputUnknown}}
	}
	for k := range e.marks {
		e.marks[k] = mark{at: longAgo, input: -1, cause: InputUnknown}
		if t := plan.timer[base+k]; t >= 0 {
			e.timed[t] = int32(base + k)
		}
	}
	for k := range e.windows {
		e.windows[k].from, e.windows[k].moved = longAgo, longAgo
	}
	for k := range e.holds {
		e.holds[k].unsure, e.holds[k].until = longAgo, longAgo
	}
	e.touchAll()
	return e
}

// touchAll marks every node of the scope as to be evaluated.
func (e *Eval) touchAll() {
	for k := range e.marks {
		e.touch(int32(e.base + k))
	}
}

func (e *Eval) scope() Scope {
	if e.device != nil {
		return ScopeSession
	}
	return ScopeDevice
}

func (e *Eval) touch(n int32) {
	k := int(n) - e.base
	e.dirty[k>>6] |= 1 << (k & 63)
}

// Begin starts a step: pulses of the step before end, and what time changed by now is marked.
func (e *Eval) Begin(now sense.Instant) {
	e.now = max(e.now, now)
	e.begin()
	e.step++
	e.changed, e.flipped = e.changed[:0], e.flipped[:0]
	for _, n := range e.pulses {
		e.touch(int32(n))
	}
	e.pulses = e.pulses[:0]
	for {
		slot, ok := e.timers.Pop(e.now)
		if !ok {
			return
		}
		e.touch(e.timed[slot])
	}
}

func (e *Eval) begin() {
	if e.began == longAgo {
		e.began = e.now
	}
}

// Set gives an input its state: a value since at, or why it has none. A state of
// another kind than declared makes the input Failed.
func (e *Eval) Set(input int32, r Result, at sense.Instant) {
	c := cell{mark: mark{input: input, cause: r.Cause}, value: r.Value}
	in := &e.plan.Program.Inputs[input]
	if in.Scope != e.scope() {
		return
	}
	switch {
	case r.Cause != Known:
		c.value = sense.Value{}
	case in.From == FromUntil && r.Value.Kind() == sense.Timestamp:
		c.value, c.slope = sense.LengthValue(sense.Duration(r.Value.Timestamp())), -1
	case in.From == FromNow && r.Value.Kind() == sense.Timestamp:
		c.value, c.slope = sense.TimestampValue(0), 1
	case r.Value.Kind() != in.Kind:
		c.cause, c.value = Failed, sense.Value{}
	}
	c.yes = c.value.Kind() == sense.Bool && c.value.Bool()
	old := &e.in[input]
	if old.same(&c) {
		return
	}
	c.at = max(at, old.at)
	*old = c
	for _, n := range e.plan.loads.of(input) {
		e.touch(n)
	}
}

// Read adds one reading to the windows over an input; Set gives the input its state.
func (e *Eval) Read(input int32, v sense.Value, at sense.Instant) {
	if e.plan.Program.Inputs[input].Scope != e.scope() {
		return
	}
	for _, n := range e.plan.windows.of(input) {
		x := entry{at: at}
		if v.Kind() == sense.Double {
			x.v = v.Double()
		} else {
			x.v = float64(v.Int())
		}
		e.windows[e.plan.window[n]].read(e.plan.Program.Nodes[n].Code, x)
		e.touch(n)
	}
}

// Restart forgets what is not durable: every input is unknown until it is set again, windows
// and latches until they are filled again. Which side of a place somebody was last seen on
// is kept.
func (e *Eval) Restart(now sense.Instant) {
	e.now = max(e.now, now)
	e.began = e.now
	for k := range e.in {
		e.in[k] = cell{mark: mark{at: e.now, input: int32(k), cause: InputUnknown}}
	}
	for k := range e.marks {
		e.marks[k] = mark{at: e.now, input: -1, cause: InputUnknown}
	}
	for k := range e.windows {
		e.windows[k].restart(now)
	}
	for k := range e.marks {
		n := e.base + k
		s := e.plan.hold[n]
		if s < 0 {
			continue
		}
		h := hold{unsure: longAgo, until: longAgo}
		if e.plan.durable[n] {
			h.last = e.holds[s].last
		}
		if op := &e.plan.Program.Nodes[n]; op.Code == Armed {
			h.unsure = now.Add(op.For)
		}
		e.holds[s] = h
	}
	e.touchAll()
}

// Settle evaluates what is marked, in order, and only as far upward as results really change.
func (e *Eval) Settle(now sense.Instant) {
	e.now = max(e.now, now)
	e.begin()
	e.changed = e.changed[:0]
	if e.device != nil {
		for _, n := range e.device.changed {
			e.touchAbove(n)
		}
	}
	for w := range e.dirty {
		for e.dirty[w] != 0 {
			k := w<<6 + bits.TrailingZeros64(e.dirty[w])
			e.dirty[w] &^= 1 << (k & 63)
			e.update(Node(e.base + k))
		}
	}
}

// SettleFully evaluates every node anew from the same inputs and memory. The outcome is that of
// Settle; it exists to show that.
func (e *Eval) SettleFully(now sense.Instant) {
	e.touchAll()
	e.Settle(now)
}

// touchAbove marks the nodes of this scope that read n.
func (e *Eval) touchAbove(n Node) {
	for _, above := range e.plan.above.of(int32(n)) {
		if k := int(above) - e.base; k >= 0 && k < len(e.marks) {
			e.touch(above)
		}
	}
}

// update evaluates node n, keeps its result and marks its readers if it changed.
func (e *Eval) update(n Node) {
	c, due := e.compute(n)
	if t := e.plan.timer[n]; t >= 0 {
		e.timers.Set(t, due)
	}
	old := &e.marks[int(n)-e.base]
	slot := e.plan.value[n]
	if old.cause == c.cause && old.input == c.input && old.yes == c.yes && old.slope == c.slope &&
		(slot < 0 || same(e.values[slot], c.value)) {
		return
	}
	at := max(old.at, c.at)
	for _, a := range e.plan.steps[n].args {
		at = max(at, e.mark(a).at)
	}
	before := old.truth()
	*old = c.mark
	old.at = min(at, e.now)
	if slot >= 0 {
		e.values[slot] = c.value
	} else if before != old.truth() {
		e.flipped = append(e.flipped, n)
	}
	e.changed = append(e.changed, n)
	e.touchAbove(n)
}

// same says whether nothing that reads a value could tell the two apart; not a number is the same as itself.
func same(a, b sense.Value) bool {
	switch {
	case a.Kind() != b.Kind():
		return false
	case a.Kind() == sense.Double:
		return a.Int() == b.Int()
	case a.Kind() == sense.List:
		return slices.EqualFunc(a.List(), b.List(), same)
	}
	return a.Equal(b)
}

func (c *cell) same(d *cell) bool {
	return c.cause == d.cause && c.yes == d.yes && c.slope == d.slope && same(c.value, d.value)
}

// mark returns the outcome of a node of this scope or of the device's.
func (e *Eval) mark(n Node) *mark {
	if int(n) < e.base {
		return &e.device.marks[n]
	}
	return &e.marks[int(n)-e.base]
}

// cell returns the outcome of a node with its value.
func (e *Eval) cell(n Node) cell {
	if int(n) < e.base {
		return e.device.cell(n)
	}
	c := cell{mark: e.marks[int(n)-e.base]}
	if slot := e.plan.value[n]; slot >= 0 {
		c.value = e.values[slot]
	} else if c.cause == Known {
		c.value = sense.BoolValue(c.yes)
	}
	return c
}

// input returns the state of an input of this scope or of the device's.
func (e *Eval) input(k int32) *cell {
	if e.device != nil && e.plan.Program.Inputs[k].Scope == ScopeDevice {
		return &e.device.in[k]
	}
	return &e.in[k]
}

// Truth returns the truth of a condition; None is Unknown.
func (e *Eval) Truth(n Node) Truth {
	if n < 0 || int(n) >= e.base+len(e.marks) {
		return Unknown
	}
	return e.mark(n).truth()
}

// Result returns the outcome of a node; a length or timestamp that moves is that of the last step.
func (e *Eval) Result(n Node) Result {
	if n < 0 || int(n) >= e.base+len(e.marks) {
		return Result{Cause: InputUnknown, Input: -1}
	}
	c := e.cell(n)
	return e.result(&c)
}

// Input returns the state of an input.
func (e *Eval) Input(k int32) Result { return e.result(e.input(k)) }

func (e *Eval) result(c *cell) Result {
	r := Result{Cause: c.cause, Input: c.input, Value: c.value}
	if c.cause == Known {
		r.Input = -1
	}
	if c.slope != 0 {
		v, ok := valueAt(c, e.now)
		if !ok {
			return Result{Cause: Failed, Input: c.input}
		}
		r.Value = v
	}
	return r
}

// Left says whether Armed node n is false because the argument became certainly
// false before its time had passed.
func (e *Eval) Left(n Node) bool {
	if int(n) < e.base {
		return e.device.Left(n)
	}
	s := e.plan.hold[n]
	return s >= 0 && e.holds[s].left && e.now < e.holds[s].until
}

// Next returns the instant at which time alone changes a result, Never where none does.
// The end of a pulse does not count: it ends with the next step, whenever that comes.
func (e *Eval) Next() sense.Instant {
	return e.timers.Next()
}

// Flipped returns the conditions whose truth changed in this step, in order of node.
func (e *Eval) Flipped() []Node { return e.flipped }

// ForgetPerson drops what is known of one customer's slice, before another's is read: its inputs
// are unknown until they are set again, and windows and latches over them until they are filled.
func (e *Eval) ForgetPerson(now sense.Instant) {
	e.now = max(e.now, now)
	for k := range e.in {
		if ofSlice(e.plan.Program.Inputs[k].From) {
			e.in[k] = cell{mark: mark{at: e.now, input: int32(k), cause: InputUnknown}}
		}
	}
	for k := range e.marks {
		n := e.base + k
		if !e.plan.person[n] {
			continue
		}
		e.marks[k] = mark{at: e.now, input: -1, cause: InputUnknown}
		if w := e.plan.window[n]; w >= 0 {
			e.windows[w].restart(e.now)
		}
		if s := e.plan.hold[n]; s >= 0 {
			e.holds[s] = hold{unsure: longAgo, until: longAgo}
		}
		e.touch(int32(n))
	}
}

// Forget empties the windows over an input: what they held may not be used any more.
func (e *Eval) Forget(input int32, now sense.Instant) {
	if e.plan.Program.Inputs[input].Scope != e.scope() {
		return
	}
	for _, n := range e.plan.windows.of(input) {
		e.windows[e.plan.window[n]].restart(now)
		e.touch(n)
	}
}
