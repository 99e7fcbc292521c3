package rule

import "slices"

// literal works out the literal of logic; that over several stays open until somebody wants it.
func (b *builder) literal(n Node) {
	switch op := &b.p.Nodes[n]; op.Code {
	case Const:
		b.literals[n] = constant(op.Value.Bool())
	case Not:
		b.literals[n] = b.of(op.Args[0]).not()
	default:
		b.join(n, op)
	}
}

// join makes And or Or over literals. What only this node reads is taken in.
func (b *builder) join(n Node, op *Op) {
	or := op.Code == Or
	list := b.list[:0]
	nodes := int32(1)
	for _, a := range op.Args {
		if c := b.opened(a); c != nil && c.negated == or && b.readers[a] == 1 && !b.watched[a] && b.plan.slot[a] < 0 {
			list = append(list, b.within(a)...)
			nodes += c.nodes
			continue
		}
		l := b.of(a)
		if or {
			l = l.not()
		}
		list = append(list, l)
	}
	b.list = list
	list, never := tidy(list)
	switch {
	case never:
		b.literals[n] = constant(or)
	case len(list) == 0:
		b.literals[n] = constant(!or)
	case len(list) == 1:
		b.literals[n] = list[0]
		if or {
			b.literals[n] = list[0].not()
		}
	default:
		b.held.add(list)
		b.conjunctions = append(b.conjunctions, conjunction{negated: or, nodes: nodes})
		b.open[n] = int32(len(b.conjunctions))
		if len(list) > most || nodes > most {
			b.close(n)
		}
	}
}

// opened returns what a node that is open is made of, else nil.
func (b *builder) opened(n Node) *conjunction {
	if k := b.open[n]; k > 0 {
		return &b.conjunctions[k-1]
	}
	return nil
}

// within returns the literals of a node that is open.
func (b *builder) within(n Node) []literal { return b.held.of(int(b.open[n] - 1)) }

// tidy puts literals in order, each once, without what always holds; never says that one never does.
func tidy(list []literal) (tidied []literal, never bool) {
	slices.Sort(list)
	list = slices.Compact(list)
	for len(list) > 0 && list[0] < 0 {
		if list[0] == alwaysFalse {
			return nil, true
		}
		list = list[1:]
	}
	return list, false
}

// of returns the literal of a node, and makes its counter where it has none.
func (b *builder) of(n Node) literal {
	if b.open[n] > 0 {
		b.close(n)
	}
	return b.literals[n]
}

// close gives a node that is open its counter.
func (b *builder) close(n Node) {
	negated := b.opened(n).negated
	b.literals[n] = b.counter(b.within(n), false)
	b.open[n] = 0
	if negated {
		b.literals[n] = b.literals[n].not()
	}
}

// counter returns a literal that is true where all of a list are, of at least one; a single one gets a counter only
// where it is wanted.
func (b *builder) counter(list []literal, single bool) literal {
	begin := len(b.room)
	device, own := b.split(list)
	scope := ScopeDevice
	if len(own) > 0 {
		scope = ScopeSession
	}
	if len(own) > 0 && len(device) > 1 {
		at := len(b.room)
		b.room = append(b.room, b.counter(device, false))
		b.room = append(b.room, own...)
		list = b.room[at:]
	}
	l := list[0]
	if len(list) > 1 || single {
		l = b.counterOf(scope, b.few(list))
	}
	b.room = b.room[:begin]
	return l
}

// counterOf returns the counter of a scope over few literals.
func (b *builder) counterOf(scope Scope, list []literal) literal {
	of := &b.counters[scope]
	l := literalOf(scope, b.plan.layers[scope].atoms+int32(len(of.ends)))
	if one := b.merged[scope].find(of, list); one >= 0 {
		return literalOf(scope, b.plan.layers[scope].atoms+one)
	}
	of.add(list)
	return l
}

// merged finds lists that are there: 1 more than their numbers, by hash, with as much room again.
type merged []int32

// mostProbes bounds a search. Lists made to meet in one place stand there twice then, which costs them a counter.
const mostProbes = 256

// find returns which of the lists is as one, or -1 where none is and it is about to become the last of them.
func (m *merged) find(of *lists, list []literal) int32 {
	if 2*len(of.ends) >= len(*m) {
		*m = make(merged, 2*len(*m))
		for k := range of.ends {
			m.look(of, of.of(k), int32(k), false)
		}
	}
	return m.look(of, list, int32(len(of.ends)), true)
}

// look notes that list k has its place, unless an equal one is wanted and there.
func (m *merged) look(of *lists, list []literal, k int32, equal bool) int32 {
	hash := uint64(len(list))
	for _, l := range list {
		hash = (hash ^ uint64(uint32(l))) * 0x9e3779b97f4a7c15
		hash ^= hash >> 29
	}
	slots := *m
	for at := range uint64(mostProbes) {
		switch slot := &slots[(hash+at)&uint64(len(slots)-1)]; {
		case *slot == 0:
			*slot = k + 1
			return -1
		case equal && slices.Equal(of.of(int(*slot-1)), list):
			return *slot - 1
		}
	}
	return -1
}

// split parts a list into what is of the device and what is of a session, in the room; who calls it leaves the room as
// it was.
func (b *builder) split(list []literal) (device, own []literal) {
	begin := len(b.room)
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for _, l := range list {
			if l.scope() == scope {
				b.room = append(b.room, l)
			}
		}
		if scope == ScopeDevice {
			device = b.room[begin:]
		}
	}
	return b.room[begin : begin+len(device)], b.room[begin+len(device):]
}

// few makes a list short enough for one count, in the room.
func (b *builder) few(list []literal) []literal {
	for len(list) > most {
		begin := len(b.room)
		for part := range slices.Chunk(list, most) {
			b.room = append(b.room, b.counter(part, false))
		}
		list = b.room[begin:]
	}
	return list
}
