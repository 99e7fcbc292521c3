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
	nodes := 1
	for _, a := range op.Args {
		if c := b.opened(a); c != nil && c.negated == or && b.readers[a] == 1 && !b.watched[a] && b.plan.slot[a] < 0 {
			list = append(list, c.literals...)
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
		b.conjunctions = append(b.conjunctions, conjunction{literals: b.held.keep(list), negated: or, nodes: nodes})
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
	c := *b.opened(n)
	b.open[n] = 0
	b.literals[n] = b.counter(c.literals, false)
	if c.negated {
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

// countKey makes two counters one: the scope and the number of literals, and these.
type countKey [1 + most]literal

// counterOf returns the counter of a scope over few literals.
func (b *builder) counterOf(scope Scope, list []literal) literal {
	var key countKey
	key[0] = literal(len(list)<<1 | int(scope))
	copy(key[1:], list)
	if one, ok := b.counterOn[key]; ok {
		return one
	}
	l := literalOf(scope, b.plan.layers[scope].atoms+int32(len(b.counters[scope].ends)))
	b.counters[scope].add(list)
	b.counterOn[key] = l
	return l
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
