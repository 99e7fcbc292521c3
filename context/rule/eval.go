package rule

import "github.com/tact-edge/tact/context/sense"

// Eval keeps what is known of one scope: one Eval for the device, and one a session that
// reads the device's.
//
// Without Restart its windows begin complete and empty (nothing happened before
// the first line of a recording), and latches in neither state.
//
// Callers do, per step: Begin on the device's and on every session's Eval, Set
// and Read, Settle on the device's, then Settle on each session's. A session may be left out
// of a step in which it does not await Settle, and is due nothing: see Awaits, Next and Fleeting.
type Eval struct {
	plan     *Plan
	layer    *layer
	device   *Eval // nil for the device's own
	shared   *shared
	queue    *queue // of the scope
	scope    Scope
	now      sense.Instant
	began    sense.Instant // the first step, or the restart: what is constant holds since then
	step     uint32
	touched  bool // something waits for Settle
	retell   bool // stored comparisons forgot what they were told
	young    bool // nothing was settled yet
	noting   bool // this Settle notes what turns: see gathers
	shifts   int  // how many inputs became known or unknown since the last Settle
	in       []inputState
	inputs   [2][]inputState // by scope: those of the device, and its own
	marks    []mark          // by place among the stored nodes
	nums     []int64         // their values, where they are numbers
	rich     []sense.Value
	holds    []hold
	windows  []window
	timers   Timers
	given    []int32  // places of inputs that were set
	pending  []uint64 // sources to be placed for another reason
	dirty    []uint64 // stored nodes that changed
	pulses   []int32  // stored nodes that are true for this step alone
	counters counters
	lane     int32 // of a session, -1 where the device keeps none for it
	lanes    *lanes
	news
}

// news is what sessions follow of the device's last Settle that bore on them.
type news struct {
	settles uint64    // such, so far; of a session, those it has followed
	fresh   bool      // the present one is such
	common  newsAt    // that bore on all of them; the rest is told by lane
	anew    uint64    // who has followed less counts anew
	changed []Node    // stored nodes that stored nodes of sessions read
	loading []int32   // inputs set since, that stored nodes of sessions read
	loaded  []int32   // inputs set before
	passed  []segment // edges across that turned
}

// newsAt says when there was news: the last time, and the time before.
type newsAt struct{ last, before uint64 }

func (n *newsAt) add(now uint64) {
	if n.last != now {
		n.before, n.last = n.last, now
	}
}

// missed says whether who has followed up to some news can not follow any more, since only what is present is kept.
func (n *newsAt) missed(followed, present uint64) bool {
	return n.before > followed || n.last > followed && n.last != present
}

// shared is what the evaluations of one device work with, one after another.
type shared struct {
	machine machine
	queues  [2]queue
	causes  causes
	found   found
	noted   noted // of sessions, while one gathers
}

// inputState is the state of an input.
type inputState struct {
	mark
	num int64
}

// mark is the outcome of a node but for its value.
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
	since  sense.Instant // Since: when the argument became true; Armed: the last turn
	until  sense.Instant // Armed: when it ends
	unsure sense.Instant // Armed: it may have been armed before a restart, until then
	step   uint32        // Became, Changed: the step in which it is true
	last   Truth         // the last certain truth of the argument; of a latch, its state
	armed  bool
	left   bool // Armed: ended since the argument became certainly false
}

// NewEval makes the evaluation of the device's scope.
func NewEval(plan *Plan) *Eval { return newEval(plan, nil) }

// NewSession makes the evaluation of a session's scope over the device's, until Close.
func (e *Eval) NewSession() *Eval { return newEval(e.plan, e) }

// Close ends a session: its device keeps nothing of it. It must not be used any more.
func (e *Eval) Close() {
	if e.device != nil {
		e.lanes.leave(e)
	}
}

func newEval(plan *Plan, device *Eval) *Eval {
	scope := ScopeDevice
	if device != nil {
		scope = ScopeSession
	}
	l := &plan.layers[scope]
	n := len(l.steps)
	e := &Eval{plan: plan, layer: l, device: device, scope: scope, lane: -1, now: longAgo, began: longAgo, step: 1, young: true,
		in: make([]inputState, len(l.inputs)), marks: make([]mark, n), nums: make([]int64, n), rich: make([]sense.Value, l.riches),
		holds: make([]hold, l.holds), windows: make([]window, l.windows), timers: NewTimers(l.timers),
		given: make([]int32, 0, len(l.inputs)), pending: make([]uint64, (len(l.sources)+63)/64), dirty: make([]uint64, (n+63)/64)}
	e.inputs[scope] = e.in
	if device == nil {
		e.shared, e.lanes = newShared(plan), &lanes{of: &plan.layers[ScopeSession].mixed}
	} else {
		e.shared, e.lanes, e.inputs[ScopeDevice] = device.shared, device.lanes, device.in
	}
	e.queue = &e.shared.queues[scope]
	for k := range e.in {
		e.in[k].mark = mark{at: longAgo, input: l.inputs[k], cause: InputUnknown}
	}
	for k := range e.marks {
		e.marks[k] = mark{at: longAgo, input: l.steps[k].begins, cause: InputUnknown}
	}
	for k := range e.windows {
		e.windows[k].from, e.windows[k].moved = longAgo, longAgo
	}
	for k := range e.holds {
		e.holds[k].unsure, e.holds[k].until = longAgo, longAgo
	}
	if device == nil {
		e.counters = newCounters(l, nil)
	} else {
		e.counters = newCounters(l, &device.counters)
		e.counters.catchUp(&device.counters, e.queue)
		e.counters.publish(e) // the queue is everybody's
		e.settles = device.settles
		e.lanes.join(e)
	}
	for _, source := range l.eager {
		e.await(source)
	}
	for k := range l.steps {
		if l.steps[k].begins < 0 {
			e.touch(int32(k))
		}
	}
	e.touched = true
	return e
}

func newShared(plan *Plan) *shared {
	s := &shared{machine: machine{zones: plan.Program.Zones, stack: make([]cell, plan.most)}}
	for scope := range s.queues {
		s.queues[scope] = newQueue(len(plan.layers[scope].unknown))
	}
	if l := &plan.layers[ScopeSession]; l.gathered != nil {
		s.noted = make(noted, sizeNoted(len(l.from)-1))
	}
	return s
}

// touchAll marks every stored node of the scope as to be evaluated.
func (e *Eval) touchAll() {
	for k := range e.marks {
		e.touch(int32(k))
	}
	e.touched = true
}

func (e *Eval) touch(slot int32) {
	e.dirty[slot>>6] |= 1 << (slot & 63)
	e.touched = true
}

// touchNode marks a stored node, where it is of this scope.
func (e *Eval) touchNode(n Node) {
	if e.plan.Program.Nodes[n].Scope == e.scope {
		e.touch(e.plan.slot[n])
	}
}

// Fleeting says whether something is true for this step alone, so that the next one must Begin.
func (e *Eval) Fleeting() bool { return len(e.pulses) > 0 }

// Begin starts a step: pulses of the step before end, and what time changed by now is marked.
func (e *Eval) Begin(now sense.Instant) {
	e.now = max(e.now, now)
	e.begin()
	e.step++
	e.counters.beginStep()
	for _, slot := range e.pulses {
		e.touch(slot)
	}
	e.pulses = e.pulses[:0]
	for {
		slot, ok := e.timers.Pop(e.now)
		if !ok {
			return
		}
		if t := e.layer.timed[slot]; t >= 0 {
			e.touch(t)
		} else {
			e.await(^t)
		}
	}
}

func (e *Eval) begin() {
	if e.began == longAgo {
		e.began = e.now
	}
}

// await marks a source as to be placed among its keys.
func (e *Eval) await(source int32) {
	e.pending[source>>6] |= 1 << (source & 63)
	e.touched = true
}

// Awaits says whether Settle has anything to do: something of its own changed, or something of the device that it reads.
func (e *Eval) Awaits() bool { return e.touched || e.device != nil && e.hasNews() }

// hasNews says whether the device has news for a session.
func (e *Eval) hasNews() bool {
	d := e.device
	return e.settles != d.settles && (d.common.last > e.settles || d.anew > e.settles || e.lane >= 0 && d.lanes.told[e.lane].last > e.settles)
}

// Reaches says whether the device's last Settle bears on sessions.
func (t *news) Reaches() bool { return t.fresh }

// tell begins to list what bears on all sessions.
func (e *Eval) tell() {
	e.begins()
	e.common.add(e.settles)
}

// begins begins to list what bears on sessions.
func (e *Eval) begins() {
	if e.fresh {
		return
	}
	e.fresh = true
	e.settles++
	e.changed, e.loaded, e.passed = e.changed[:0], e.loaded[:0], e.passed[:0]
	e.lanes.forget()
}

// Set gives an input its state: a value since at, or why it has none. A state of another kind than declared, or a
// double that is no number, makes the input Failed.
func (e *Eval) Set(input int32, r Result, at sense.Instant) {
	in := &e.plan.known[input]
	if in.scope != e.scope {
		return
	}
	k := in.place
	next := inputState{mark: mark{input: input, cause: r.Cause}}
	switch {
	case r.Cause != Known:
	case in.from == FromUntil && r.Value.Kind() == sense.Timestamp:
		next.num, next.slope = r.Value.Int(), -1
	case in.from == FromNow && r.Value.Kind() == sense.Timestamp:
		next.slope = 1
	case r.Value.Kind() != in.kind, isNaN(r.Value):
		next.cause = Failed
	default:
		next.num = r.Value.Int()
	}
	next.yes = in.kind == sense.Bool && next.num != 0
	old := &e.in[k]
	same := old.cause == next.cause && old.slope == next.slope && old.num == next.num
	if rich := in.rich; rich >= 0 {
		v := r.Value
		if next.cause != Known {
			v = sense.Value{}
		}
		if same && sameValue(e.rich[rich], v) {
			return
		}
		e.rich[rich] = v
	} else if same {
		return
	}
	e.shifts += bit((old.cause == Known) != (next.cause == Known))
	next.at = max(at, old.at)
	*old = next
	e.loadedInput(input)
}

// loadedInput tells who reads an input that it changed. While it is unknown it crosses no key, and may have another
// cause: all stored comparisons are told.
func (e *Eval) loadedInput(input int32) {
	across, k := false, e.plan.known[input].place
	for _, n := range e.plan.loads.of(input) {
		if s := e.plan.Program.Nodes[n].Scope; s == e.scope {
			e.touch(e.plan.slot[n])
		} else {
			across = true
		}
	}
	e.given = append(e.given, k)
	across = across || e.device == nil && e.plan.across[k]
	if across {
		e.loading = append(e.loading, input)
	}
	if e.lane >= 0 {
		e.lanes.give(e, k)
	}
	e.touched = true
}

// Read adds one reading to the windows over an input; Set gives the input its state.
func (e *Eval) Read(input int32, v sense.Value, at sense.Instant) {
	if e.plan.Program.Inputs[input].Scope != e.scope {
		return
	}
	for _, n := range e.plan.windows.of(input) {
		x := entry{at: at}
		if v.Kind() == sense.Double {
			x.v = v.Double()
		} else {
			x.v = float64(v.Int())
		}
		slot := e.plan.slot[n]
		s := &e.layer.steps[slot]
		e.windows[s.window].read(s.code, x)
		e.touch(slot)
	}
}

// Restart forgets what is not durable: every input is unknown until it is set again, windows
// and latches until they are filled again. Which side of a place somebody was last seen on
// is kept.
func (e *Eval) Restart(now sense.Instant) {
	e.now = max(e.now, now)
	e.began = e.now
	for k := range e.in {
		e.forgetInput(int32(k))
	}
	for k := range e.marks {
		e.marks[k] = mark{at: e.now, input: -1, cause: InputUnknown}
	}
	for k := range e.windows {
		e.windows[k].restart(now)
	}
	for k := range e.layer.steps {
		s := &e.layer.steps[k]
		if s.hold < 0 {
			continue
		}
		h := hold{unsure: longAgo, until: longAgo}
		if s.lasts {
			h.last = e.holds[s.hold].last
		}
		if s.code == Armed {
			h.unsure = now.Add(s.op.For)
		}
		e.holds[s.hold] = h
	}
	e.retell = true
	e.awaitAll()
	e.touchAll()
}

// forgetInput makes the input at a place unknown.
func (e *Eval) forgetInput(k int32) {
	e.shifts += bit(e.in[k].cause == Known)
	e.in[k] = inputState{mark: mark{at: e.now, input: e.layer.inputs[k], cause: InputUnknown}}
	if rich := e.layer.rich[k]; rich >= 0 {
		e.rich[rich] = sense.Value{}
	}
	e.loadedInput(e.layer.inputs[k])
}

func (e *Eval) awaitAll() {
	for k := range e.layer.sources {
		e.await(int32(k))
	}
}

// constantMarks are those of constants: of false, and of true.
var constantMarks = [2]mark{{at: longAgo, input: -1}, {at: longAgo, input: -1, yes: true}}

// Next returns the instant at which time alone changes a result, Never where none does.
// The end of a pulse does not count: it ends with the next step, whenever that comes.
func (e *Eval) Next() sense.Instant {
	return e.timers.Next()
}

// ForgetPerson drops what is known of one customer's slice, before another's is read: its inputs
// are unknown until they are set again, and windows and latches over them until they are filled.
func (e *Eval) ForgetPerson(now sense.Instant) {
	e.now = max(e.now, now)
	for k, input := range e.layer.inputs {
		if ofSlice(e.plan.Program.Inputs[input].From) {
			e.forgetInput(int32(k))
		}
	}
	e.retell = true
	for k := range e.layer.steps {
		s := &e.layer.steps[k]
		if !s.person {
			continue
		}
		e.marks[k] = mark{at: e.now, input: -1, cause: InputUnknown}
		if s.window >= 0 {
			e.windows[s.window].restart(e.now)
		}
		if s.hold >= 0 {
			e.holds[s.hold] = hold{unsure: longAgo, until: longAgo}
		}
		for _, x := range e.plan.rises.of(int32(k + len(e.device.layer.steps))) {
			e.await(x >> 1)
		}
		e.touch(int32(k))
	}
}

// Forget empties the windows over an input: what they held may not be used any more.
func (e *Eval) Forget(input int32, now sense.Instant) {
	if e.plan.Program.Inputs[input].Scope != e.scope {
		return
	}
	for _, n := range e.plan.windows.of(input) {
		slot := e.plan.slot[n]
		e.windows[e.layer.steps[slot].window].restart(now)
		e.touch(slot)
	}
}
