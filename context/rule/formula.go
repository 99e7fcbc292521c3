package rule

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// mostTerms bounds a formula.
const mostTerms = 16

// term is one step of a formula: it lays a number down, or works on the last one or two.
type term struct {
	from  origin
	scope Scope
	by    Scope      // of the node that asks for how long: what was always so is since its evaluation began
	code  Code       // of a work
	kind  sense.Kind // of the result
	left  sense.Kind // of a work's arguments
	right sense.Kind
	index int32 // place of an input or of a stored node
	num   int64 // of a constant
}

type origin uint8

const (
	ofInput  origin = iota
	ofStored        // the value of a stored node
	ofHeld          // the time for which a stored node is true
	ofConst
	ofWork
)

// number is a value that one number stands for, and which may move by itself: num is that of instant 0 then.
type number struct {
	num   int64
	slope int64
}

// measure works out how many terms a number takes: 1 for what is looked up, and for what is stored since no formula can
// hold it; what is no number takes more than any may.
func (b *builder) measure(n Node) int32 {
	op := &b.p.Nodes[n]
	if !op.Kind.IsNum() {
		return mostTerms + 1
	}
	switch op.Code {
	case Add, Sub, Mul, Div, Mod:
		if size := b.sizes[op.Args[0]] + b.sizes[op.Args[1]] + 1; size <= mostTerms {
			return size
		}
	case Neg:
		if size := b.sizes[op.Args[0]] + 1; size <= mostTerms {
			return size
		}
	}
	return 1
}

// formulable says whether a formula holds what a node computes, so that it need not be stored.
func (b *builder) formulable(n Node) bool {
	op := &b.p.Nodes[n]
	switch op.Code {
	case Held:
		return b.p.Nodes[op.Args[0]].Code != Const
	case Add, Sub, Mul, Div, Mod, Neg:
		return b.sizes[n] > 1 && b.sizes[n] <= mostTerms
	}
	return false
}

// plain says whether a formula reads inputs alone: all it reads is as it will be before any stored node is evaluated.
func (b *builder) plain(n Node) bool {
	op := &b.p.Nodes[n]
	if op.Code == Load || op.Code == Const {
		return true
	}
	if op.Code == Held || !b.formulable(n) {
		return false
	}
	for _, a := range op.Args {
		if !b.plain(a) {
			return false
		}
	}
	return true
}

// formula appends the terms of a number.
func (b *builder) formula(terms []term, n Node) []term {
	op := &b.p.Nodes[n]
	t := term{scope: op.Scope, by: op.Scope, kind: op.Kind}
	switch {
	case op.Code == Load:
		t.from, t.index = ofInput, b.plan.known[op.Input].place
	case op.Code == Const:
		t.from, t.num = ofConst, op.Value.Int()
	case !b.formulable(n):
		t.from, t.index = ofStored, b.plan.slot[n]
	case op.Code == Held:
		a := op.Args[0]
		t.from, t.scope, t.index = ofHeld, b.p.Nodes[a].Scope, b.plan.slot[a]
	default:
		t.from, t.code = ofWork, op.Code
		terms = b.formula(terms, op.Args[0])
		t.left = b.p.Nodes[op.Args[0]].Kind
		if len(op.Args) > 1 {
			terms = b.formula(terms, op.Args[1])
			t.right = b.p.Nodes[op.Args[1]].Kind
		}
	}
	return append(terms, t)
}

func boolNum(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// ordered compares two numbers; of what is no number nothing holds.
func ordered[T int64 | float64](c Code, x, y T) bool {
	switch c {
	case Eq:
		return x == y
	case Lt:
		return x < y
	case Le:
		return x <= y
	case Gt:
		return x > y
	}
	return x >= y
}

// run works a formula out. ok is false where it has no value now; due is when time alone ends or begins that.
func (e *Eval) run(terms []term) (x number, ok bool, due sense.Instant) {
	due = sense.Never
	if len(terms) == 3 && terms[1].from != ofWork { // two numbers
		var y number
		if x, ok = e.lookUp(&terms[0]); !ok {
			return x, false, due
		}
		if y, ok = e.lookUp(&terms[1]); !ok {
			return x, false, due
		}
		ok, due = e.work(&terms[2], &x, y, due)
		return x, ok, due
	}
	var stack [mostTerms]number
	n := 0
	for k := range terms {
		t := &terms[k]
		if t.from == ofWork {
			if t.code == Neg {
				ok, due = e.work(t, &stack[n-1], number{}, due)
			} else {
				n--
				ok, due = e.work(t, &stack[n-1], stack[n], due)
			}
			if !ok {
				return x, false, due
			}
			continue
		}
		if stack[n], ok = e.lookUp(t); !ok {
			return x, false, sense.Never
		}
		n++
	}
	return stack[0], true, due
}

// lookUp returns what a term lays down.
func (e *Eval) lookUp(t *term) (x number, ok bool) {
	of := e
	if t.scope != e.scope {
		of = e.device
	}
	switch t.from {
	case ofInput:
		in := &of.in[t.index]
		return number{in.num, int64(in.slope)}, in.cause == Known
	case ofStored:
		m := &of.marks[t.index]
		return number{of.nums[t.index], int64(m.slope)}, m.cause == Known
	case ofHeld:
		m := &of.marks[t.index]
		if m.cause == Known && m.yes {
			if t.by != e.scope {
				e = e.device
			}
			return number{-int64(e.sinceWhen(m)), 1}, true
		}
		return number{}, m.cause == Known
	}
	return number{num: t.num}, true
}

// work replaces x by what an operation makes of x and y.
func (e *Eval) work(t *term, x *number, y number, due sense.Instant) (bool, sense.Instant) {
	if t.kind == sense.Bool {
		*x = number{num: boolNum(inOrder(t.code, t.left, x.num, y.num))}
		return true, due
	}
	if x.slope|y.slope == 0 {
		if t.left != sense.Double && t.right != sense.Double && t.code != Neg {
			n, ok := ofInts(t.code, x.num, y.num)
			least, most := bounds(t.kind)
			x.num = n
			return ok && n >= least && n <= most, due
		}
		v, ok := arithmetic(t.code, t.kind, sense.NumValue(t.left, x.num), sense.NumValue(t.right, y.num))
		x.num = v.Int()
		return ok, due
	}
	ok := true
	switch t.code {
	case Neg:
		ok = x.num != math.MinInt64
		x.num, x.slope = -x.num, -x.slope
	case Add:
		x.num, ok = addInts(x.num, y.num)
		x.slope += y.slope
	case Sub:
		x.num, ok = ofInts(Sub, x.num, y.num)
		x.slope -= y.slope
	}
	if !ok || x.slope > maxSlope || x.slope < -maxSlope {
		return false, sense.Never
	}
	least, most := bounds(t.kind)
	enters, leaves := within(x.num, x.slope, least, most)
	switch {
	case e.now < enters:
		return false, enters
	case e.now >= leaves:
		return false, sense.Never
	}
	return true, min(due, leaves)
}

// since returns since when all that a formula reads is as it is.
func (e *Eval) latest(terms []term) (at sense.Instant) {
	at = longAgo
	for k := range terms {
		t, of := &terms[k], e
		if t.scope != e.scope {
			of = e.device
		}
		switch t.from {
		case ofInput:
			at = max(at, of.in[t.index].at)
		case ofStored, ofHeld:
			at = max(at, of.marks[t.index].at)
		}
	}
	return at
}

// inOrder compares two numbers of a kind that do not move.
func inOrder(c Code, k sense.Kind, x, y int64) bool {
	if k == sense.Double {
		return ordered(c, math.Float64frombits(uint64(x)), math.Float64frombits(uint64(y)))
	}
	return ordered(c, x, y)
}
