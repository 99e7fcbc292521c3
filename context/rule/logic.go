package rule

import (
	"encoding/binary"
	"slices"
)

// literal works out the literal of a bool node; logic over several stays open until somebody wants it.
func (b *builder) literal(n Node) {
	op := &b.p.Nodes[n]
	if b.literals[n] != noLiteral { // an equality
		if c, _ := b.compared(n); c.negated {
			b.literals[n] = b.literals[n].not()
		}
		return
	}
	c, ok := b.compared(n)
	switch {
	case ok:
		m := b.source(c.of)
		k, _ := slices.BinarySearch(m.keys, c.key)
		b.literals[n] = literalOf(m.scope, m.base+int32(k))
		if c.negated {
			b.literals[n] = b.literals[n].not()
		}
		if b.plan.slot[n] >= 0 && b.toldable(n) {
			m.told.add(int32(k), b.plan.slot[n]<<1|int32(b.literals[n]&1))
			if m.direct == ofInput {
				b.plan.layers[m.scope].steps[b.plan.slot[n]].begins = b.plan.layers[m.scope].inputs[m.index]
			}
		}
	case op.Code == Const:
		b.literals[n] = constant(op.Value.Bool())
	case op.Code == Load, !b.countable(n):
		m := b.source(sourceKey{value: b.alias(n), other: None})
		k, _ := slices.BinarySearch(m.keys, 1)
		b.literals[n] = literalOf(m.scope, m.base+int32(k)).not()
	case op.Code == Not:
		b.literals[n] = b.of(op.Args[0]).not()
	default:
		b.join(n, op)
	}
}

// join makes And or Or over literals. What only this node reads is taken in.
func (b *builder) join(n Node, op *Op) {
	or := op.Code == Or
	var list []literal
	nodes := 1
	for _, a := range op.Args {
		if c, ok := b.open[a]; ok && c.negated == or && b.readers[a] == 1 && !b.watched[a] && b.plan.slot[a] < 0 {
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
		b.open[n] = conjunction{literals: list, negated: or, nodes: nodes}
		if len(list) > most || nodes > most {
			b.close(n)
		}
	}
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
	if _, ok := b.open[n]; ok {
		b.close(n)
	}
	return b.literals[n]
}

// close gives a node that is open its counter.
func (b *builder) close(n Node) {
	c := b.open[n]
	delete(b.open, n)
	b.literals[n] = b.counter(c.literals, false)
	if c.negated {
		b.literals[n] = b.literals[n].not()
	}
}

// counter returns a literal that is true where all of a list are, of at least one; a single one gets a counter only
// where it is wanted.
func (b *builder) counter(list []literal, single bool) literal {
	device, own := split(list)
	if len(own) > 0 && len(device) > 1 {
		own = append([]literal{b.counter(device, false)}, own...)
		return b.counter(own, single)
	}
	if len(list) == 1 && !single {
		return list[0]
	}
	list = b.few(list)
	scope := ScopeDevice
	if len(own) > 0 {
		scope = ScopeSession
	}
	return b.counterOf(scope, list)
}

// counterOf returns the counter of a scope over few literals.
func (b *builder) counterOf(scope Scope, list []literal) literal {
	k := append(b.scratch[:0], byte(scope))
	for _, l := range list {
		k = binary.LittleEndian.AppendUint32(k, uint32(l))
	}
	b.scratch = k
	if one, ok := b.keys[string(k)]; ok {
		return one
	}
	id := b.plan.layers[scope].atoms + int32(len(b.counters[scope]))
	b.counters[scope] = append(b.counters[scope], slices.Clone(list))
	b.keys[string(k)] = literalOf(scope, id)
	return literalOf(scope, id)
}

// split parts a list into what is of the device and what is of a session.
func split(list []literal) (device, own []literal) {
	for _, l := range list {
		if l.scope() == ScopeDevice {
			device = append(device, l)
		} else {
			own = append(own, l)
		}
	}
	return device, own
}

// few makes a list short enough for one count.
func (b *builder) few(list []literal) []literal {
	for len(list) > most {
		var groups []literal
		for part := range slices.Chunk(list, most) {
			groups = append(groups, b.counter(part, false))
		}
		list = groups
	}
	return list
}
