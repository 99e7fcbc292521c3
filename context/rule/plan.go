package rule

import "github.com/tact-edge/tact/context/sense"

// Plan is a checked program with what evaluation needs to walk it upward: who
// reads whom, and where each node keeps its state. All evaluations share one.
type Plan struct {
	Program *Program
	steps   []step   // node -> what every evaluation of it reads
	device  int      // nodes of ScopeDevice
	above   edges    // node -> nodes that read it
	loads   edges    // input -> Load and Changed nodes
	windows edges    // input -> windows over its readings
	first   []int32  // node -> its leftmost input but FromNow, which tells nobody anything; -1 where none
	durable []bool   // Became and Armed that read places alone: their memory outlives a restart
	person  []bool   // node reads the slice: what it remembers is of one customer
	value   []int32  // node -> slot of its value, -1 for bool
	timer   []int32  // node -> slot of its timer, -1 where time alone never changes it
	hold    []int32  // node -> slot of its memory, -1
	window  []int32  // node -> slot of its window, -1
	slots   [2]slots // how many of each, by scope
}

// step is what every evaluation of a node reads, close together.
type step struct {
	code  Code
	input int32
	args  []Node
	op    *Op
}

type slots struct {
	values, timers, holds, windows int32
	stack                          int // the most that one node needs
}

// NewPlan checks a program and prepares it; the program must not change any more.
func NewPlan(p *Program) (*Plan, error) {
	if err := Check(p); err != nil {
		return nil, err
	}
	n := len(p.Nodes)
	plan := &Plan{Program: p, steps: make([]step, n), device: n, first: make([]int32, n), durable: make([]bool, n), person: make([]bool, n),
		value: make([]int32, n), timer: make([]int32, n), hold: make([]int32, n), window: make([]int32, n)}
	var above, loads, windows pairs
	moves := make([]bool, n)
	places := make([]bool, n) // reads nothing but places
	for k := range p.Nodes {
		op := &p.Nodes[k]
		plan.steps[k] = step{code: op.Code, input: op.Input, args: op.Args, op: op}
		if op.Scope == ScopeSession && plan.device == n {
			plan.device = k
		}
		plan.first[k] = -1
		if readsInput(op.Code) {
			plan.first[k] = op.Input
			plan.person[k] = ofSlice(p.Inputs[op.Input].From)
			places[k] = op.Code == Load && p.Inputs[op.Input].From == FromInside
			if op.Code == Load || op.Code == Changed {
				loads.add(op.Input, int32(k))
			} else {
				windows.add(op.Input, int32(k))
			}
		} else if op.Code <= Cond && op.Code != Load {
			places[k] = true
		}
		moving := false
		for _, a := range op.Args {
			above.add(int32(a), int32(k))
			if f := plan.first[k]; f < 0 || p.Inputs[f].From == FromNow && plan.first[a] >= 0 {
				plan.first[k] = plan.first[a]
			}
			moving = moving || moves[a]
			plan.person[k] = plan.person[k] || plan.person[a]
			places[k] = places[k] && places[a]
		}
		from := FromSignal
		if op.Code == Load {
			from = p.Inputs[op.Input].From
		}
		moves[k], _ = Moves(op, from, func(k int) bool { return moves[op.Args[k]] })
		plan.durable[k] = (op.Code == Became || op.Code == Armed) && places[op.Args[0]]
		plan.give(k, op, moving)
	}
	plan.above, plan.loads, plan.windows = above.edges(n), loads.edges(len(p.Inputs)), windows.edges(len(p.Inputs))
	return plan, nil
}

// ofSlice says whether an input comes from the slice of a customer (or may, as with has).
func ofSlice(from From) bool {
	return from == FromFact || from == FromHas || from == FromAge || from >= FromBought && from <= FromUntil
}

// give hands out the slots of a node.
func (plan *Plan) give(k int, op *Op, moving bool) {
	s := &plan.slots[op.Scope]
	take := func(yes bool, count *int32) int32 {
		if !yes {
			return -1
		}
		*count++
		return *count - 1
	}
	window := op.Code == CountTrue || op.Code == CountReadings || op.Code == Mean || op.Code == Min || op.Code == Max || op.Code == Rate
	compares := op.Code >= Eq && op.Code <= Ge
	plan.value[k] = take(op.Kind != sense.Bool, &s.values)
	plan.window[k] = take(window, &s.windows)
	sums := op.Code == Add || op.Code == Sub || op.Code == Neg
	timed := moving && (compares || sums || isPart(op.Code) || op.Code.overList())
	plan.timer[k] = take(window || op.Code == Armed || timed, &s.timers)
	s.stack = max(s.stack, stackOf(op))
	plan.hold[k] = take(op.Code == Since || op.Code == Became || op.Code == Changed || op.Code == Armed || op.Code == Latch, &s.holds)
}

// First returns the leftmost input that node n reads, now only where there is no other; -1 where it reads none.
func (plan *Plan) First(n Node) int32 { return plan.first[n] }

// edges holds lists of nodes by number, flat.
type edges struct{ from, to []int32 }

func (e *edges) of(k int32) []int32 { return e.to[e.from[k]:e.from[k+1]] }

type pairs struct{ from, to []int32 }

func (p *pairs) add(from, to int32) {
	p.from, p.to = append(p.from, from), append(p.to, to)
}

// edges sorts the pairs by their source and keeps the order of targets.
func (p *pairs) edges(n int) edges {
	e := edges{from: make([]int32, n+1), to: make([]int32, len(p.to))}
	for _, f := range p.from {
		e.from[f+1]++
	}
	for k := range n {
		e.from[k+1] += e.from[k]
	}
	next := append([]int32(nil), e.from[:n]...)
	for k, f := range p.from {
		e.to[next[f]] = p.to[k]
		next[f]++
	}
	return e
}
