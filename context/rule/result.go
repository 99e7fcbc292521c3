package rule

import (
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// sameValue says whether nothing that reads a value could tell the two apart; not a number is the same as itself.
func sameValue(a, b sense.Value) bool {
	switch {
	case a.Kind() != b.Kind():
		return false
	case a.Kind() == sense.Double:
		return a.Int() == b.Int()
	case a.Kind() == sense.List:
		return slices.EqualFunc(a.List(), b.List(), sameValue)
	}
	return a.Equal(b)
}

// mark returns the outcome of a stored node, a load or a constant, of this scope or of the device's.
func (e *Eval) mark(n Node) *mark {
	op := &e.plan.Program.Nodes[n]
	if op.Scope != e.scope {
		e = e.device
	}
	slot := e.plan.slot[n]
	switch {
	case slot >= 0:
		return &e.marks[slot]
	case op.Code == Load:
		return &e.in[e.plan.known[op.Input].place].mark
	}
	return &constantMarks[op.Value.Int()&1]
}

// cell returns the outcome of a node of this scope or of the device's, with its value; of one that is counted, nothing.
// A condition that is loaded and stored too is what its input is.
func (e *Eval) cell(n Node) cell {
	op := &e.plan.Program.Nodes[n]
	if op.Scope != e.scope {
		e = e.device
	}
	slot := e.plan.slot[n]
	switch {
	case op.Code == Load && !e.plan.whole:
		return e.loadedCell(e.plan.known[op.Input].place)
	case slot >= 0:
		return e.stored(slot)
	case op.Code == Const:
		return known(op.Value)
	}
	return e.computed(n, op)
}

// computed works out a node that a formula holds.
func (e *Eval) computed(n Node, op *Op) (c cell) {
	if op.Code == Held {
		return e.held(e.mark(op.Args[0]))
	}
	var v [2]cell
	for k, a := range op.Args {
		v[k] = e.cell(a)
	}
	return e.applied(n, op, &v)
}

func (e *Eval) applied(n Node, op *Op, v *[2]cell) (c cell) {
	if m := missing(op.Code, &v[0].mark, &v[1].mark); m != nil {
		return because(m)
	}
	e.shared.machine.now = e.now
	if c, _ = e.shared.machine.apply(op, &v[0], &v[1]); c.cause == Failed && c.input < 0 {
		c.input = e.plan.first[n]
	}
	return c
}

// plainly works out a node that rests on inputs alone from what these are now, also where it is stored.
func (e *Eval) plainly(n Node) cell {
	op := &e.plan.Program.Nodes[n]
	if op.Code == Load || op.Code == Const {
		return e.cell(n)
	}
	var v [2]cell
	for k, a := range op.Args {
		v[k] = e.plainly(a)
	}
	return e.applied(n, op, &v)
}

// stored returns the outcome of a stored node of this scope.
func (e *Eval) stored(slot int32) cell {
	s := &e.layer.steps[slot]
	c := cell{mark: e.marks[slot]}
	switch {
	case s.op.Kind == sense.Bool:
		if c.cause == Known {
			c.value = sense.BoolValue(c.yes)
		}
	case s.rich >= 0:
		c.value = e.rich[s.rich]
	case c.cause == Known || c.cause == Settling && isCount(s.code):
		c.value = sense.NumValue(s.op.Kind, e.nums[slot])
	}
	return c
}

// loadedCell returns the state of the input at a place of this scope, as a node that loads it has it.
func (e *Eval) loadedCell(k int32) cell {
	in := &e.in[k]
	c := cell{mark: in.mark}
	if c.cause != Known {
		return c
	}
	c.input = -1
	if rich := e.layer.rich[k]; rich >= 0 {
		c.value = e.rich[rich]
	} else {
		c.value = sense.NumValue(e.plan.Program.Inputs[in.input].Kind, in.num)
	}
	return c
}

// Result returns the outcome of a node; a length or timestamp that moves is that of the last step.
func (e *Eval) Result(n Node) Result {
	if n < 0 || int(n) >= len(e.plan.Program.Nodes) || e.plan.Program.Nodes[n].Scope > e.scope {
		return Result{Cause: InputUnknown, Input: -1}
	}
	op := &e.plan.Program.Nodes[n]
	if e.plan.slot[n] >= 0 || op.Kind != sense.Bool || op.Code == Load || op.Code == Const {
		c := e.cell(n)
		return e.result(&c)
	}
	if t := e.Truth(n); t != Unknown {
		return Result{Input: -1, Value: sense.BoolValue(t == True)}
	}
	m := e.why(n)
	return Result{Cause: m.cause, Input: m.input}
}

// Input returns the state of an input.
func (e *Eval) Input(k int32) Result {
	if e.device != nil && e.plan.Program.Inputs[k].Scope == ScopeDevice {
		e = e.device
	}
	c := e.loadedCell(e.plan.known[k].place)
	return e.result(&c)
}

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
	if e.plan.Program.Nodes[n].Scope != e.scope {
		return e.device != nil && e.device.Left(n)
	}
	slot := e.plan.slot[n]
	if slot < 0 || e.layer.steps[slot].hold < 0 {
		return false
	}
	h, now := &e.holds[e.layer.steps[slot].hold], e.now
	if e.device != nil {
		now = max(now, e.device.now) // nothing wakes a session for its end
	}
	return h.left && now < h.until
}
