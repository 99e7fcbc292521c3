package rule

import (
	"strings"

	"github.com/tact-edge/tact/context/sense"
)

// maxWork bounds the nodes of bodies that one node may evaluate, over all elements of its
// lists: what is beyond is an error.
const maxWork = 1 << 15

// machine evaluates operations that depend on their arguments alone. It allocates nothing but the
// texts and lists that an operation makes.
type machine struct {
	zones []sense.Zone
	now   sense.Instant
	stack []cell // arguments and bodies, innermost last
	work  int
}

// stackOf is how much of the stack an operation over a list needs.
func stackOf(op *Op) int {
	if !op.Code.overList() {
		return 0
	}
	inner := 0
	for k := range op.Body {
		inner = max(inner, stackOf(&op.Body[k]))
	}
	return len(op.Args) + len(op.Body) + inner
}

// Fold evaluates an operation that is Pure over results that no input had a part in. Args of the
// operation are not looked at; zones are those of its program.
func Fold(op *Op, args []Result, zones []sense.Zone) Result {
	flat := *op
	flat.Args = make([]Node, len(args))
	frame := make([]cell, len(args))
	for k, a := range args {
		flat.Args[k] = Node(k)
		frame[k] = known(a.Value)
		frame[k].cause, frame[k].input = a.Cause, a.Input
	}
	m := machine{zones: zones, work: maxWork}
	c, _ := m.step(&flat, sense.Value{}, nil, frame, make([]cell, stackOf(&flat)))
	return Result{Cause: c.cause, Input: -1, Value: c.value}.ofBool(c.yes)
}

// ofBool gives a known result without a value that of its truth.
func (r Result) ofBool(yes bool) Result {
	if r.Cause == Known && r.Value.IsNull() {
		r.Value = sense.BoolValue(yes)
	}
	return r
}

// step evaluates one node of a body: x is the element, args those of the node whose body it is, frame the
// nodes before it, free the rest of the stack.
func (m *machine) step(op *Op, x sense.Value, args, frame, free []cell) (cell, sense.Instant) {
	switch op.Code {
	case Const:
		return known(op.Value), sense.Never
	case Elem:
		if x.Kind() != op.Kind {
			return unknown(Failed, -1), sense.Never
		}
		return known(x), sense.Never
	case Outer:
		return args[1+op.Input], sense.Never
	case Not, And, Or:
		return logic(op, frame), sense.Never
	case Cond:
		c := &frame[op.Args[0]]
		switch {
		case c.cause != Known:
			return because(&c.mark), sense.Never
		case c.yes:
			return frame[op.Args[1]], sense.Never
		}
		return frame[op.Args[2]], sense.Never
	case Eq, Ne, Lt, Le, Gt, Ge:
		return compare(op.Code, &frame[op.Args[0]], &frame[op.Args[1]], m.now)
	case Exists, All, ExistsOne, Filter, Map:
		inner := free[:len(op.Args)]
		for k, a := range op.Args {
			inner[k] = frame[a]
		}
		return m.overList(op, inner, free[len(inner):])
	case ListOf:
		var l listed
		for _, a := range op.Args {
			l.take(&frame[a], len(op.Args))
		}
		return l.outcome(), sense.Never
	}
	a := &frame[op.Args[0]]
	b := a
	if len(op.Args) > 1 {
		b = &frame[op.Args[1]]
	}
	if m := missing(op.Code, &a.mark, &b.mark); m != nil {
		return because(m), sense.Never
	}
	return m.apply(op, a, b)
}

// logic is Not, And and Or over a frame, as Eval.logic is over nodes.
func logic(op *Op, frame []cell) cell {
	if op.Code == Not {
		c := &frame[op.Args[0]]
		if c.cause != Known {
			return because(&c.mark)
		}
		return truth(!c.yes)
	}
	var j joined
	for _, a := range op.Args {
		if j.take(&frame[a].mark, op.Code == Or) {
			return truth(op.Code == Or)
		}
	}
	return j.outcome(op.Code == Or)
}

// joined is what a chain of And or Or has seen so far: one certain term absorbs unknowns and
// errors, and an unknown beats an error; of several the first stands.
type joined struct {
	unsure, failed mark
}

// take looks at one term and says whether it decides.
func (j *joined) take(m *mark, absorbs bool) bool {
	switch {
	case m.cause == Known:
		return m.yes == absorbs
	case m.cause == Failed:
		if j.failed.cause == Known {
			j.failed = *m
		}
	case j.unsure.cause == Known:
		j.unsure = *m
	}
	return false
}

func (j *joined) outcome(absorbs bool) cell {
	switch {
	case j.unsure.cause != Known:
		return because(&j.unsure)
	case j.failed.cause != Known:
		return because(&j.failed)
	}
	return truth(!absorbs)
}

// overList judges a body over each element of a list, and says when time alone changes that.
func (m *machine) overList(op *Op, args, free []cell) (cell, sense.Instant) {
	list := &args[0]
	if list.cause != Known {
		return because(&list.mark), sense.Never
	}
	frame, rest := free[:len(op.Body)], free[len(op.Body):]
	root := &frame[len(frame)-1]
	out := elements{code: op.Code}
	due, at := sense.Never, longAgo
	for _, x := range list.value.List() {
		if m.work -= len(frame); m.work < 0 {
			return unknown(Failed, -1), sense.Never
		}
		for k := range op.Body {
			c, turns := m.step(&op.Body[k], x, args, frame, rest)
			if c.cause == Known && c.value.IsNull() { // within a body truths carry their value
				c.value = sense.BoolValue(c.yes)
			}
			frame[k] = c
			due = min(due, turns)
			if c.at <= m.now && op.Body[k].Code != Outer {
				at = max(at, c.at)
			}
		}
		if out.take(x, root) {
			break
		}
	}
	c := out.outcome()
	c.at = at
	return c, due
}

// elements is what a body gave for the elements so far.
type elements struct {
	code    Code
	chain   joined
	decided bool
	count   int
	list    []sense.Value
	bad     mark // of ExistsOne and Filter the last that is not known, of Map the first
}

// take adds what the body gave for an element, and says whether that decides.
func (e *elements) take(x sense.Value, c *cell) bool {
	switch e.code {
	case Exists, All:
		e.decided = e.chain.take(&c.mark, e.code == Exists)
		return e.decided
	case Map:
		if c.cause != Known && e.bad.cause == Known {
			e.bad = c.mark
		}
		if e.bad.cause == Known {
			e.list = append(e.list, c.value)
		}
		return false
	}
	switch {
	case c.cause != Known:
		e.bad = c.mark
	case c.yes && e.code == Filter:
		e.list = append(e.list, x)
	case c.yes:
		e.count++
	}
	return false
}

func (e *elements) outcome() cell {
	switch {
	case (e.code == Exists || e.code == All) && e.decided:
		return truth(e.code == Exists)
	case e.code == Exists || e.code == All:
		return e.chain.outcome(e.code == Exists)
	case e.bad.cause != Known:
		return because(&e.bad)
	case e.code == ExistsOne:
		return truth(e.count == 1)
	}
	return known(sense.ListValue(e.list))
}

// apply is every operation that needs the values of its one or two arguments, which are known.
func (m *machine) apply(op *Op, a, b *cell) (cell, sense.Instant) {
	if a.slope != 0 || b.slope != 0 && len(op.Args) > 1 {
		if isPart(op.Code) {
			return m.movingPart(op, a)
		}
		return linear(op, a, b, m.now)
	}
	switch op.Code {
	case In:
		for _, x := range b.value.List() {
			if x.Equal(a.value) {
				return truth(true), sense.Never
			}
		}
		return truth(false), sense.Never
	case StartsWith:
		return truth(strings.HasPrefix(a.value.Str(), b.value.Str())), sense.Never
	case EndsWith:
		return truth(strings.HasSuffix(a.value.Str(), b.value.Str())), sense.Never
	case Contains:
		return truth(strings.Contains(a.value.Str(), b.value.Str())), sense.Never
	case Index:
		list, k := a.value.List(), b.value.Int()
		if a.value.Kind() == sense.Int {
			list, k = b.value.List(), a.value.Int()
		}
		if k < 0 || k >= int64(len(list)) || list[k].Kind() != op.Kind {
			return unknown(Failed, -1), sense.Never
		}
		return known(list[k]), sense.Never
	}
	if isPart(op.Code) {
		n, ok := partOf(op.Code, a.value, m.zone(op))
		if !ok {
			return unknown(Failed, -1), sense.Never
		}
		return known(sense.IntValue(n)), sense.Never
	}
	v, ok := arithmetic(op.Code, op.Kind, a.value, b.value)
	if !ok {
		return unknown(Failed, -1), sense.Never
	}
	return known(v), sense.Never
}

// zone returns the zone of a part, nil for UTC.
func (m *machine) zone(op *Op) *sense.Zone {
	if op.Zone == 0 {
		return nil
	}
	return &m.zones[op.Zone-1]
}

// movingPart is a part of a timestamp or duration that moves, until it leaves the span in which it is the same.
func (m *machine) movingPart(op *Op, a *cell) (cell, sense.Instant) {
	v, ok := valueAt(a, m.now)
	if !ok {
		return unknown(Failed, -1), sense.Never
	}
	zone := m.zone(op)
	n, ok := partOf(op.Code, v, zone)
	least, most := span(op.Code, v, zone)
	c := known(sense.IntValue(n))
	if !ok {
		c = unknown(Failed, -1)
	}
	enters, leaves := within(a.value.Int(), int64(a.slope), least, most)
	c.at = enters
	return c, leaves
}
