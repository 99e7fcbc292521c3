package reach

import (
	"slices"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// truths is which truths a condition can have, as bits.
type truths uint8

const (
	canTrue truths = 1 << iota
	canFalse
	canUnknown
	anyTruth = canTrue | canFalse | canUnknown
)

// assumption is a condition with the truths that are assumed of it.
type assumption struct {
	node rule.Node
	be   truths
}

// Bounds of one question: nodes below its conditions, rounds of narrowing, and cases.
const (
	mostNodes  = 4096
	mostRounds = 24
	mostCases  = 256
)

// solver answers questions about one program.
type solver struct {
	p      *rule.Program
	inputs []set    // what each input can be while it is known
	ever   []truths // by node: what a condition can be at one time or another; 0 where nobody asked yet
	local  []int32  // by node: its place in the present question, -1 where it is not in it
}

func newSolver(p *rule.Program, inputs []set) *solver {
	s := &solver{p: p, inputs: inputs, ever: make([]truths, len(p.Nodes)), local: make([]int32, len(p.Nodes))}
	for k := range s.local {
		s.local[k] = -1
	}
	return s
}

// problem is one question: the nodes below its conditions, in their order.
type problem struct {
	*solver
	nodes []rule.Node
	pairs []pair
	loads map[string][]int32 // signals and facts that are read themselves, by name
	cases int
}

// pair is two values that several comparisons may compare.
type pair struct{ a, b rule.Node }

// state is what is left possible of each node of a problem.
type state struct {
	can    []truths // of conditions
	values []set    // of other nodes
	known  []bool   // of other nodes: certainly known
	pairs  []orders
}

func (s *state) clone() *state {
	return &state{can: slices.Clone(s.can), values: slices.Clone(s.values), known: slices.Clone(s.known), pairs: slices.Clone(s.pairs)}
}

// possible says whether the assumptions may hold together at one instant. False is certain.
func (s *solver) possible(all ...assumption) bool {
	p, ok := s.problem(all)
	defer p.release()
	if !ok {
		return true
	}
	st := p.start()
	for _, a := range all {
		st.can[s.local[a.node]] &= a.be
	}
	return p.search(st)
}

// problem gathers the nodes below the assumptions; ok is false where there are too many.
func (s *solver) problem(all []assumption) (p *problem, ok bool) {
	p = &problem{solver: s, cases: mostCases, loads: map[string][]int32{}}
	var stack []rule.Node
	for _, a := range all {
		stack = append(stack, a.node)
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.local[n] >= 0 {
			continue
		}
		if len(p.nodes) == mostNodes {
			return p, false
		}
		s.local[n] = 0
		p.nodes = append(p.nodes, n)
		stack = append(stack, s.p.Nodes[n].Args...)
	}
	slices.Sort(p.nodes)
	seen := map[pair]bool{}
	for k, n := range p.nodes {
		s.local[n] = int32(k)
		op := &s.p.Nodes[n]
		if compares(op.Code) {
			if one := pairOf(op); !seen[one] {
				seen[one] = true
				p.pairs = append(p.pairs, one)
			}
		}
		if op.Code == rule.Load {
			switch in := &s.p.Inputs[op.Input]; in.From {
			case rule.FromSignal, rule.FromFact, rule.FromAge:
				p.loads[in.Name] = append(p.loads[in.Name], int32(k))
			}
		}
	}
	return p, true
}

// release makes the solver ready for the next question.
func (p *problem) release() {
	for _, n := range p.nodes {
		p.local[n] = -1
	}
}

func compares(c rule.Code) bool {
	switch c {
	case rule.Eq, rule.Ne, rule.Lt, rule.Le, rule.Gt, rule.Ge:
		return true
	}
	return false
}

func pairOf(op *rule.Op) pair {
	return pair{min(op.Args[0], op.Args[1]), max(op.Args[0], op.Args[1])}
}

// start is what nothing is known of.
func (p *problem) start() *state {
	n := len(p.nodes)
	st := &state{can: make([]truths, n), values: make([]set, n), known: make([]bool, n), pairs: make([]orders, len(p.pairs))}
	for k, node := range p.nodes {
		if op := &p.p.Nodes[node]; op.Kind == sense.Bool {
			st.can[k] = p.everOf(node)
		} else {
			st.values[k] = p.first(op)
		}
	}
	for k, one := range p.pairs {
		st.pairs[k] = anyOrder
		if one.a == one.b {
			st.pairs[k] = same | unordered
		}
	}
	return st
}

// first is what a node that is no condition can be, whatever its arguments are.
func (p *problem) first(op *rule.Op) set {
	switch op.Code {
	case rule.Const:
		return exactly(op.Value)
	case rule.Load:
		if int(op.Input) < len(p.inputs) {
			return p.inputs[op.Input]
		}
	case rule.Held, rule.Since:
		return between(sense.Length, 0, mostNumber)
	case rule.CountTrue, rule.CountReadings:
		return between(sense.Int, 0, rule.MaxEntries) // a window holds no more
	case rule.Mean, rule.Min, rule.Max, rule.Rate:
		return finite()
	case rule.Size:
		return between(sense.Int, 0, mostNumber)
	}
	if last, of := parts[op.Code]; of && p.p.Nodes[op.Args[0]].Kind == sense.Timestamp {
		return between(sense.Int, last.from, last.to)
	}
	return anything(op.Kind)
}

// parts is what the parts of a timestamp can be.
var parts = map[rule.Code]struct{ from, to int64 }{
	rule.PartMonth: {0, 11}, rule.PartDate: {1, 31}, rule.PartDayOfMonth: {0, 30}, rule.PartWeekday: {0, 6}, rule.PartYearDay: {0, 365},
	rule.PartHours: {0, 23}, rule.PartMinutes: {0, 59}, rule.PartSeconds: {0, 59}, rule.PartMilliseconds: {0, 999},
}

const mostNumber = 1<<63 - 1

// search narrows, and tries cases where narrowing leaves a choice.
func (p *problem) search(st *state) bool {
	if !p.narrow(st) {
		return false
	}
	if p.cases--; p.cases < 0 {
		return true
	}
	k, be, open := p.choice(st)
	if !open {
		return true
	}
	yes := st.clone()
	yes.can[k] &= be
	if p.search(yes) {
		return true
	}
	st.can[k] &^= be
	return p.search(st)
}

// choice finds an argument that decides a node whose truth is assumed and not yet shown.
func (p *problem) choice(st *state) (k int32, be truths, open bool) {
	for n, node := range p.nodes {
		op := &p.p.Nodes[node]
		can := st.can[n]
		if op.Code == rule.Cond {
			if l := p.local[op.Args[0]]; st.can[l] == canTrue|canFalse {
				return l, canTrue, true
			}
			continue
		}
		if can != canTrue && can != canFalse {
			continue
		}
		switch {
		case op.Code == rule.Or && can == canTrue, op.Code == rule.And && can == canFalse:
			if slices.ContainsFunc(op.Args, func(a rule.Node) bool { return st.can[p.local[a]] == can }) {
				continue
			}
			for _, a := range op.Args {
				if l := p.local[a]; st.can[l]&can != 0 {
					return l, can, true
				}
			}
		}
	}
	return 0, 0, false
}

// narrow applies the rules of all nodes until nothing changes; false where nothing is left
// of a node. To stop early is sound: what is left is only wider.
func (p *problem) narrow(st *state) bool {
	for range mostRounds {
		changed := false
		for k := range p.nodes {
			c, ok := p.up(st, k)
			if !ok {
				return false
			}
			changed = changed || c
		}
		for k := len(p.nodes) - 1; k >= 0; k-- {
			c, ok := p.down(st, k)
			if !ok {
				return false
			}
			changed = changed || c
		}
		if !changed {
			return true
		}
	}
	return true
}

// everOf returns what a condition can be at any time, from what its arguments can be.
func (s *solver) everOf(n rule.Node) truths {
	if s.ever[n] != 0 {
		return s.ever[n]
	}
	return anyTruth
}

// learn finds what the nodes that look back can ever be, from below: what they remember
// can only be what their arguments once were. All nodes below n are then known.
func (s *solver) learn(n rule.Node) {
	p, ok := s.problem([]assumption{{node: n}})
	nodes := slices.Clone(p.nodes)
	p.release()
	if !ok {
		return
	}
	slices.Sort(nodes)
	for _, n := range nodes {
		if s.ever[n] == 0 && s.p.Nodes[n].Kind == sense.Bool {
			s.ever[n] = s.remembered(n)
		}
	}
}

func (s *solver) remembered(n rule.Node) truths {
	op := &s.p.Nodes[n]
	can := anyTruth
	switch op.Code {
	case rule.Became, rule.Armed: // wants a certain false, and a truth after it
		if a := op.Args[0]; !s.possible(assumption{a, canTrue}) || !s.possible(assumption{a, canFalse}) {
			can &^= canTrue
		}
	case rule.Latch:
		when, until := op.Args[0], op.Args[1]
		if !s.possible(assumption{when, canTrue}) {
			can &^= canTrue
		}
		if !s.possible(assumption{until, canTrue}, assumption{when, canFalse}) {
			can &^= canFalse
		}
	}
	return can
}
