package rule

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// Interest is what a caller wants kept beside the truth of every node.
type Interest struct {
	Watched    []Node      // Flipped tells when their truth changes
	Candidates []Candidate // kept as a set of those that are eligible, in order of score
}

// Candidate is eligible while all its conditions certainly hold. None stands for no condition.
type Candidate struct {
	Needs []Node
	Score int64 // the highest first in the set; of equal ones the first
}

// Plan is a checked program, compiled. All evaluations share one; it does not change.
//
// Nodes that compute or remember are stored: they have a mark, and are evaluated when an argument changes. What is
// logic over comparisons with constants is counted instead (see layer). Loads and constants are looked up.
type Plan struct {
	Program *Program
	whole   bool         // every node is stored: the reference
	slot    []int32      // node -> its place among the stored ones of its scope, -1 where it is not stored
	known   []knownInput // by input
	first   []int32      // node -> its leftmost input but FromNow, which tells nobody anything; -1 where none
	truths  []truthy     // node -> where its truth is found
	layers  [2]layer     // by scope
	above   edges        // stored node of the device, then of a session -> stored nodes that read it
	loads   edges        // input -> stored nodes that read it
	feeds   edges        // place of an input of the device -> sources of sessions that read it, but mixed pairs
	across  []bool       // place of an input of the device: sources of sessions read it, beside mixed pairs
	rises   edges        // stored node of the device, then of a session -> sources that read it: place<<1, and 1 where it is of sessions
	windows edges        // input -> windows over its readings
	order   []int32      // rank -> candidate
	alone   []uint64     // by rank: nothing of a session is needed
	most    int          // of the stack that one node needs
}

// knownInput is what is read of an input whenever it is set.
type knownInput struct {
	place int32 // among those of its scope
	rich  int32 // slot of a value that is no number, -1
	scope Scope
	from  From
	kind  sense.Kind
}

// truthy says how the truth of a bool node is found: of a stored one by its mark, else by one literal, or the
// conjunction of one of the device and one of the session; noLiteral where its arguments tell.
type truthy struct {
	device, own literal
}

// step is a stored node: what every evaluation of it reads, close together, and where it keeps what.
type step struct {
	op     *Op
	node   Node
	code   Code
	lasts  bool  // Became and Armed that read places alone: their memory outlives a restart
	across bool  // of the device: a stored node or a source of sessions reads it
	quiet  bool  // of sessions: nothing reads it but the times for which it is true
	person bool  // it reads the slice: what it remembers is of one customer
	rich   int32 // slot of a value that is no number, -1
	timer  int32 // slot of its timer, -1 where time alone never changes it
	hold   int32 // slot of its memory, -1
	window int32 // slot of its window, -1
	begins int32 // the input whose index tells it of its turns, for which it is unknown at first; -1 where it must be evaluated
}

// NewPlan checks a program and prepares it; the program must not change any more.
func NewPlan(p *Program, keep Interest) (*Plan, error) { return newPlan(p, keep, false) }

// Reference returns a plan of the same program by which every node is evaluated for itself, as its arguments
// change: what the counters are held against, and what assumptions can be made in.
func (plan *Plan) Reference() *Plan {
	if plan.whole {
		return plan
	}
	whole, err := newPlan(plan.Program, Interest{}, true)
	if err != nil {
		panic("rule: a checked program does not pass twice") // unreachable
	}
	return whole
}

// NewReference is NewPlan with every node stored.
func NewReference(p *Program) (*Plan, error) { return newPlan(p, Interest{}, true) }

// Compiles says whether NewPlan accepts a program and what is to be kept of it, without making the plan.
func Compiles(p *Program, keep Interest) error {
	if err := Check(p); err != nil {
		return err
	}
	if err := keep.check(p); err != nil {
		return err
	}
	if !compares(p, mostKeys) {
		return nil
	}
	_, err := newPlan(p, keep, false) // many constants may be the same
	return err
}

func newPlan(p *Program, keep Interest, whole bool) (*Plan, error) {
	if err := Check(p); err != nil {
		return nil, err
	}
	if err := keep.check(p); err != nil {
		return nil, err
	}
	b := &builder{p: p, plan: &Plan{Program: p, whole: whole, first: make([]int32, len(p.Nodes)), known: make([]knownInput, len(p.Inputs))}}
	b.look()
	b.store()
	if !whole {
		if err := b.count(keep); err != nil {
			return nil, fmt.Errorf("count program: %w", err)
		}
	}
	b.finish()
	for scope := range b.plan.layers {
		b.plan.layers[scope].markInner()
	}
	return b.plan, nil
}

// First returns the leftmost input that node n reads, now only where there is no other; -1 where it reads none.
func (plan *Plan) First(n Node) int32 { return plan.first[n] }

// ofSlice says whether an input comes from the slice of a customer (or may, as with has).
func ofSlice(from From) bool {
	return from == FromFact || from == FromHas || from == FromAge || from >= FromBought && from <= FromUntil
}

// edges holds lists of numbers by number, flat.
type edges struct{ from, to []int32 }

func (e *edges) of(k int32) []int32 { return e.to[e.from[k]:e.from[k+1]] }

type pairs struct{ from, to []int32 }

func (p *pairs) add(from, to int32) {
	p.from, p.to = append(p.from, from), append(p.to, to)
}

func (p *pairs) reserve(n int) { p.from, p.to = make([]int32, 0, n), make([]int32, 0, n) }

// edges sorts the pairs by their source and keeps the order of targets.
func (p *pairs) edges(n int) edges {
	from, to := make([]int32, n+2), make([]int32, len(p.to))
	for _, f := range p.from {
		from[f+2]++
	}
	for k := range n {
		from[k+2] += from[k+1]
	}
	for k, f := range p.from { // what begins at f+1 goes on to where that ends
		to[from[f+1]] = p.to[k]
		from[f+1]++
	}
	return edges{from: from[: n+1 : n+1], to: to}
}

// look works out what each node rests on.
func (b *builder) look() {
	p, plan := b.p, b.plan
	n := len(p.Nodes)
	b.moves, b.person, b.places = make([]bool, n), make([]bool, n), make([]bool, n)
	b.readers, b.sizes = make([]int32, n), make([]int32, n)
	b.firstLoad = make([]Node, len(p.Inputs))
	for k := range b.firstLoad {
		b.firstLoad[k] = None
	}
	var op *Op
	moves := func(k int) bool { return b.moves[op.Args[k]] }
	for k := range p.Nodes {
		op = &p.Nodes[k]
		plan.first[k] = -1
		from := FromSignal
		if readsInput(op.Code) {
			plan.first[k] = op.Input
			from = p.Inputs[op.Input].From
			b.person[k] = ofSlice(from)
			b.places[k] = op.Code == Load && from == FromInside
		} else if op.Code <= Cond && op.Code != Load {
			b.places[k] = true
		}
		for _, a := range op.Args {
			b.readers[a]++
			if f := plan.first[k]; f < 0 || p.Inputs[f].From == FromNow && plan.first[a] >= 0 {
				plan.first[k] = plan.first[a]
			}
			b.person[k] = b.person[k] || b.person[a]
			b.places[k] = b.places[k] && b.places[a]
		}
		if op.Code == Load && b.firstLoad[op.Input] == None {
			b.firstLoad[op.Input] = Node(k)
		}
		b.sizes[k] = b.measure(Node(k))
		if op.Code != Load {
			from = FromSignal
		}
		b.moves[k], _ = Moves(op, from, moves)
	}
	var counts [2]int32
	for k := range p.Inputs {
		in := &p.Inputs[k]
		plan.known[k] = knownInput{place: counts[in.Scope], rich: -1, scope: in.Scope, from: in.From, kind: in.Kind}
		counts[in.Scope]++
	}
	for scope := range plan.layers {
		plan.layers[scope].inputs = make([]int32, 0, counts[scope])
	}
	for k := range p.Inputs {
		l := &plan.layers[p.Inputs[k].Scope]
		l.inputs = append(l.inputs, int32(k))
		rich := int32(-1)
		if !p.Inputs[k].Kind.IsNum() {
			rich = l.riches
			l.riches++
			plan.known[k].rich = rich
		}
		l.rich = append(l.rich, rich)
	}
}

// store finds the nodes that are evaluated for themselves: those that compute or remember, and all that these read.
func (b *builder) store() {
	p, plan := b.p, b.plan
	stored := make([]bool, len(p.Nodes))
	var counts [2]int
	for k := len(p.Nodes) - 1; k >= 0; k-- {
		op := &p.Nodes[k]
		switch op.Code {
		case Const:
			stored[k] = plan.whole
		case Load: // since when a condition holds is asked of a bool alone
			stored[k] = plan.whole || stored[k] && op.Kind == sense.Bool
		default:
			stored[k] = plan.whole || stored[k] || !b.countable(Node(k)) && !b.formulable(Node(k))
		}
		switch {
		case !stored[k] && op.Code == Held:
			stored[op.Args[0]] = true
		case stored[k] && !b.toldable(Node(k)):
			for _, a := range op.Args {
				stored[a] = true
			}
		}
		if stored[k] {
			counts[op.Scope]++
		}
	}
	for scope := range counts {
		plan.layers[scope].steps = make([]step, 0, counts[scope])
	}
	plan.slot = make([]int32, len(p.Nodes))
	for k := range p.Nodes {
		plan.slot[k] = -1
		if stored[k] {
			b.give(k)
		}
		if l := &plan.layers[p.Nodes[k].Scope]; p.Nodes[k].Code == Held || stored[k] && l.steps[plan.slot[k]].looksBack() {
			l.back = append(l.back, Node(k))
		}
	}
}

// countable says whether a node is logic over comparisons with constants, for counters.
func (b *builder) countable(n Node) bool {
	op := &b.p.Nodes[n]
	switch op.Code {
	case Not, And, Or:
		return true
	}
	_, ok := b.compared(n)
	return ok
}

// give hands out the slots of a stored node.
func (b *builder) give(k int) {
	op := &b.p.Nodes[k]
	l := &b.plan.layers[op.Scope]
	take := func(yes bool, count *int32) int32 {
		if !yes {
			return -1
		}
		*count++
		return *count - 1
	}
	moving := false
	for _, a := range op.Args {
		moving = moving || b.moves[a]
	}
	window := op.Code.window()
	compares := op.Code >= Eq && op.Code <= Ge
	sums := op.Code == Add || op.Code == Sub || op.Code == Neg
	timed := moving && (compares || sums || isPart(op.Code) || op.Code.overList())
	s := step{op: op, node: Node(k), code: op.Code, person: b.person[k], begins: -1}
	s.lasts = (op.Code == Became || op.Code == Armed) && b.places[op.Args[0]]
	s.rich = take(!op.Kind.IsNum() || op.Code == Changed, &l.riches)
	s.window = take(window, &l.windows)
	s.timer = take(window || op.Code == Armed || timed, &l.timers)
	s.hold = take(op.Code == Since || op.Code == Became || op.Code == Changed || op.Code == Armed || op.Code == Latch, &l.holds)
	b.plan.most = max(b.plan.most, stackOf(op))
	b.plan.slot[k] = int32(len(l.steps))
	l.steps = append(l.steps, s)
}

// finish lays down who reads whom among the stored nodes, and who has which timer.
func (b *builder) finish() {
	p, plan := b.p, b.plan
	var above, loads, windows, rises pairs
	device := int32(len(plan.layers[ScopeDevice].steps))
	for scope := range plan.layers {
		l := &plan.layers[scope]
		for k := range l.steps {
			s := &l.steps[k]
			n := int32(s.node)
			if readsInput(s.code) {
				if s.code == Load || s.code == Changed {
					loads.add(s.op.Input, n)
				} else {
					windows.add(s.op.Input, n)
				}
			}
			if b.toldable(s.node) {
				continue
			}
			for _, a := range s.op.Args {
				switch from := &p.Nodes[a]; {
				case plan.slot[a] >= 0 && from.Scope == ScopeDevice:
					above.add(plan.slot[a], n)
					of := &plan.layers[ScopeDevice].steps[plan.slot[a]]
					of.across = of.across || scope == int(ScopeSession)
				case plan.slot[a] >= 0:
					above.add(device+plan.slot[a], n)
				case from.Code == Load:
					loads.add(from.Input, n)
				}
			}
		}
		rest := l.pairs.makePairs(l, &b.feeds[scope], len(l.inputs), Scope(scope))
		l.feeds = rest.edges(len(l.inputs))
		l.prepare()
	}
	plan.above = above.edges(int(device) + len(plan.layers[ScopeSession].steps))
	for scope := range plan.layers {
		l := &plan.layers[scope]
		for k, x := range b.feedsStored[scope].from {
			to := b.feedsStored[scope].to[k]
			rises.add(x+int32(scope)*device, to)
			if Scope(scope) == ScopeDevice && Scope(to&1) == ScopeSession {
				l.steps[x].across = true
			}
		}
	}
	plan.alone = make([]uint64, plan.Words())
	for r, n := range plan.layers[ScopeSession].vague {
		if n == 0 {
			plan.alone[r>>6] |= 1 << (r & 63)
		}
	}
	inputs := len(plan.layers[ScopeDevice].inputs)
	plan.across = make([]bool, inputs)
	rest := plan.layers[ScopeSession].mixed.makeMixed(&plan.layers[ScopeSession], &b.feedsAcross, inputs)
	for _, k := range rest.from {
		plan.across[k] = true
	}
	plan.feeds, plan.rises = rest.edges(inputs), rises.edges(int(device)+len(plan.layers[ScopeSession].steps))
	own := &plan.layers[ScopeSession]
	own.gatherPairs()
	for k := range own.steps {
		id := device + int32(k)
		own.steps[k].quiet = len(plan.above.of(id)) == 0 && !slices.ContainsFunc(plan.rises.of(id), func(x int32) bool { return own.spots[x>>1].form != byHeld })
	}
	plan.loads, plan.windows = loads.edges(len(p.Inputs)), windows.edges(len(p.Inputs))
}

// toldable says whether a comparison, where it is stored, is told of its turns by the index of what it compares.
func (b *builder) toldable(n Node) bool {
	if b.plan.whole {
		return false
	}
	c, ok := b.compared(n)
	if !ok || c.code != Lt || b.moves[c.of.value] || !b.plain(c.of.value) || c.of.other != None && !b.plain(c.of.other) {
		return false
	}
	scope := b.p.Nodes[c.of.value].Scope
	if c.of.other != None {
		scope = max(scope, b.p.Nodes[c.of.other].Scope)
	}
	return scope == b.p.Nodes[n].Scope
}
