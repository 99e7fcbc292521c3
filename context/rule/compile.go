package rule

import (
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// builder makes a plan, in time and memory of the size of the program.
type builder struct {
	p           *Program
	plan        *Plan
	moves       []bool
	person      []bool
	places      []bool
	readers     []int32
	sizes       []int32 // terms of a number
	firstLoad   []Node  // input -> its first Load
	feeds       [2]pairs
	feedsAcross pairs
	feedsStored [2]pairs

	all        []*making
	made       [2][]*making // by scope, in the order in which they are laid
	sourceOf   [2][]int32   // value, and value with its sign turned -> 1 more than its source of all
	ordersOf   map[sourceKey]int32
	asks       []ask
	equalities []equality
	lists      map[string]literal // equalities with what is not one value
	singles    []literal          // bucket of the source at hand -> what holds at that value alone
	hits       pairs              // of the source at hand: bucket -> atoms
	tells      []tell
	makings    arena[making]
	terms      arena[term]
	numbers    arena[int32]

	watched      []bool
	literals     []literal
	open         []int32 // node -> 1 more than its conjunction, 0 where it has none or its counter is made
	conjunctions []conjunction
	held         lists // what conjunctions are over
	counters     [2]lists
	merged       [2]merged
	parts        [2]lists // by rank: the literals of a candidate
	watch        [2]pairs
	jointPairs   [2]pairs
	joints       []joint
	list         []literal // of the node at hand
	room         []literal // of the lists that are being parted, one behind the other
	words        []byte
	formulas     []term
}

// arena cuts many short lists from a few long ones.
type arena[T any] struct{ rest []T }

func (a *arena[T]) take(n int) []T {
	if n > len(a.rest) {
		a.rest = make([]T, max(n, 128))
	}
	list := a.rest[:n:n]
	a.rest = a.rest[n:]
	return list
}

func (a *arena[T]) keep(list []T) []T {
	kept := a.take(len(list))
	copy(kept, list)
	return kept
}

// lists are lists of literals by number, flat.
type lists struct {
	ends []int32
	to   []literal
}

func (l *lists) add(list []literal) {
	l.to = append(l.to, list...)
	l.ends = append(l.ends, int32(len(l.to)))
}

func (l *lists) reserve(n, literals int) {
	l.ends, l.to = make([]int32, 0, n), make([]literal, 0, literals)
}

func (l *lists) of(k int) []literal {
	if k == 0 {
		return l.to[:l.ends[0]]
	}
	return l.to[l.ends[k-1]:l.ends[k]]
}

// count turns logic over comparisons into counters.
func (b *builder) count(keep Interest) error {
	p, n := b.p, len(b.p.Nodes)
	b.watched = make([]bool, n)
	for _, x := range keep.Watched {
		if x >= 0 {
			b.watched[x] = true
		}
	}
	for k := range keep.Candidates {
		for _, x := range keep.Candidates[k].Needs {
			if x >= 0 {
				b.readers[x]++
			}
		}
	}
	b.literals, b.open, b.plan.truths = make([]literal, n), make([]int32, n), make([]truthy, n)
	for k := range p.Nodes {
		b.literals[k] = noLiteral
		b.plan.truths[k].device = noLiteral
	}
	if err := b.findSources(); err != nil {
		return err
	}
	b.reserve(&keep)
	for k := range p.Nodes {
		if p.Nodes[k].Kind == sense.Bool && b.literals[k] == noLiteral {
			b.literal(Node(k))
		}
	}
	b.watchNodes(keep.Watched)
	b.rank(keep.Candidates)
	for k := range p.Nodes { // what nobody took into its own counter
		if b.open[k] > 0 && b.readers[k] > 1 && b.plan.slot[k] < 0 {
			b.close(Node(k))
		}
	}
	b.lay()
	for k := range p.Nodes {
		if t := &b.plan.truths[k]; t.device == noLiteral { // not one of both scopes
			t.own = b.literals[k]
		}
	}
	return nil
}

// reserve makes room for about as many counters as there is logic, so that lists need not grow often.
func (b *builder) reserve(keep *Interest) {
	logic, arguments := 0, 0
	for k := range b.p.Nodes {
		if op := &b.p.Nodes[k]; op.Code == And || op.Code == Or {
			logic++
			arguments += len(op.Args)
		}
	}
	b.conjunctions = make([]conjunction, 0, logic)
	b.held.reserve(logic, arguments)
	for scope := range b.counters {
		b.counters[scope].reserve(logic, arguments)
		b.parts[scope].reserve(len(keep.Candidates), 2*len(keep.Candidates))
		b.watch[scope].reserve(len(keep.Watched) / 2)
		b.jointPairs[scope].reserve(len(keep.Watched) / 2)
		slots := 256
		for slots < 2*logic {
			slots *= 2
		}
		b.merged[scope] = make(merged, slots)
	}
}

// lay puts sources, counters and edges into the layers.
func (b *builder) lay() {
	b.layTold()
	for scope := range b.counters {
		l, of := &b.plan.layers[scope], &b.counters[scope]
		l.sources, l.spots = make([]source, len(b.made[scope])), make([]spot, len(b.made[scope]))
		for k, m := range b.made[scope] {
			l.sources[k], l.spots[k] = m.source, m.spot()
		}
		n := len(of.ends)
		l.unknown = make([]uint8, n)
		for c := range n {
			l.unknown[c] = uint8(len(of.of(c))) * share[Unknown]
		}
		for rank := range l.vague {
			l.vague[rank] += uint8(len(b.parts[scope].of(rank))) * share[Unknown]
		}
		ids := int(l.atoms) + n
		counters, parts, across := fanOf(of, Scope(scope), ids), fanOf(&b.parts[scope], Scope(scope), ids), &lists{}
		if Scope(scope) == ScopeDevice {
			across = &b.counters[ScopeSession]
		}
		l.across = fanOf(across, Scope(scope), ids)
		l.own, l.parts, l.from = counters.to, parts.to, make([]starts, ids+1)
		for k := range l.from {
			l.from[k] = starts{counters.from[k], parts.from[k]}
		}
		l.about = make([]about, n)
		l.watch, l.joints = b.watch[scope].edges(n), b.jointPairs[scope].edges(n)
		for k := range n {
			for bit, e := range [...]*edges{&l.watch, &l.joints} {
				if e.from[k] < e.from[k+1] {
					l.about[k] |= 1 << bit
				}
			}
		}
		l.both = b.joints
		if Scope(scope) == ScopeSession {
			l.gather(of, &b.parts[scope], len(b.p.Inputs))
		}
	}
}

// layTold lays down which stored comparisons each source tells, in order of its keys.
func (b *builder) layTold() {
	for k := range b.tells {
		x := &b.tells[k]
		x.of.tells++
		if x.of.source.told.from == nil {
			x.of.source.told.from = b.numbers.take(len(x.of.keys) + 2)
		}
		x.of.source.told.from[x.key+2]++
	}
	for _, m := range b.all {
		if m.tells > 0 {
			from := m.source.told.from
			for k := range m.keys {
				from[k+2] += from[k+1]
			}
			m.source.told.to = b.numbers.take(int(m.tells))
		}
	}
	for k := range b.tells {
		x := &b.tells[k]
		at := &x.of.source.told.from[x.key+1]
		x.of.source.told.to[*at] = x.to
		*at++
	}
	for _, m := range b.all {
		if m.tells > 0 {
			m.source.told.from = slices.Clip(m.source.told.from[:len(m.keys)+1])
		}
	}
}
