package rule

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// making is a source that is being made.
type making struct {
	source
	scope Scope
	at    int32
	keys  []int64
	base  int32
	nums  []equalsNum
	told  pairs
}

type equalsNum struct {
	node  Node
	value []sense.Value
}

// findSource notes what a comparison, a bool input or a stored condition rests on.
func (b *builder) findSource(n Node) {
	op := &b.p.Nodes[n]
	c, ok := b.compared(n)
	switch {
	case ok && c.code == Lt:
		m := b.source(c.of)
		m.keys = append(m.keys, c.key)
	case ok && c.code == In:
		m := b.source(c.of)
		m.nums = append(m.nums, equalsNum{n, c.constant.List()})
	case ok:
		m := b.source(c.of)
		m.nums = append(m.nums, equalsNum{n, []sense.Value{*c.constant}})
	case op.Code == Load, !b.countable(n) && op.Code != Const:
		m := b.source(sourceKey{value: b.alias(n), other: None})
		m.keys = append(m.keys, 1)
	}
}

// source returns a source, and makes it where it is new.
func (b *builder) source(key sourceKey) *making {
	if m := b.sources[key]; m != nil {
		return m
	}
	op := &b.p.Nodes[key.value]
	m := &making{scope: op.Scope}
	m.source = source{direct: ofWork, kind: op.Kind, mirrored: key.mirrored, counts: isCount(op.Code), timer: -1}
	if key.other != None {
		of := &b.p.Nodes[key.other]
		m.scope, m.kind, m.counts = max(m.scope, of.Scope), sense.Bool, false
		m.terms = b.formula(b.formula(nil, key.value), key.other)
		m.terms = append(m.terms, term{from: ofWork, code: key.order, kind: sense.Bool, left: op.Kind, right: of.Kind})
	} else if m.terms = b.formula(nil, key.value); len(m.terms) == 1 && m.terms[0].from <= ofStored && m.terms[0].scope == m.scope {
		m.direct, m.index = m.terms[0].from, m.terms[0].index
	}
	b.sources[key] = m
	of := &b.made[m.scope]
	*of = append(*of, m)
	if b.moves[key.value] && key.other == None {
		l := &b.plan.layers[m.scope]
		m.timer = l.timers
		l.timers++
	}
	return m
}

// connect notes what feeds a source.
func (b *builder) connect(m *making) {
	if !slices.ContainsFunc(m.terms, func(t term) bool { return t.from < ofConst && t.scope == m.scope }) {
		l := &b.plan.layers[m.scope]
		l.eager = append(l.eager, m.at)
	}
	for k := range m.terms {
		switch t := &m.terms[k]; t.from {
		case ofInput:
			if t.scope == m.scope {
				b.feeds[m.scope].add(t.index, m.at)
			} else {
				b.feedsAcross.add(t.index, m.at)
			}
		case ofStored, ofHeld:
			b.feedsStored[t.scope].add(t.index, m.at<<1|int32(m.scope))
		}
	}
}

// nameAtoms puts keys in order and gives each an id, source by source; after them those of equalities. Sources that begin
// with the same input stand together, since they change together.
func (b *builder) nameAtoms() error {
	for scope := range b.made {
		l := &b.plan.layers[scope]
		slices.SortStableFunc(b.made[scope], func(x, y *making) int {
			return cmp.Or(cmp.Compare(x.terms[0].from, y.terms[0].from), cmp.Compare(x.terms[0].index, y.terms[0].index), cmp.Compare(len(x.terms), len(y.terms)))
		})
		for k, m := range b.made[scope] {
			m.at = int32(k)
			b.connect(m)
		}
		for _, m := range b.made[scope] {
			slices.Sort(m.keys)
			m.keys = slices.Compact(m.keys)
			if len(m.keys) > mostKeys {
				return fmt.Errorf("one value is compared with more than %d constants: %w", mostKeys, ErrProgram)
			}
			m.base = int32(len(l.keys))
			l.keys = append(l.keys, m.keys...)
		}
		l.keys = slices.Clip(l.keys)
		l.atoms = int32(len(l.keys))
		for _, m := range b.made[scope] {
			if err := b.hash(m, l); err != nil {
				return err
			}
		}
		l.home = make([]int32, l.atoms)
		for k, m := range b.made[scope] {
			for a := m.base; a < m.base+int32(len(m.keys)); a++ {
				l.home[a] = int32(k)
			}
			if m.equals != nil {
				for a := range m.equals.atoms {
					l.home[m.equals.base+a] = int32(k)
				}
			}
		}
	}
	return nil
}

// hash gives atoms to the equalities of a source, and says which are true at which value.
func (b *builder) hash(m *making, l *layer) error {
	if len(m.nums) == 0 {
		return nil
	}
	e := &equals{base: l.atoms, nums: map[int64]int32{}, strs: map[string]int32{}}
	m.equals = e
	var at pairs
	buckets := int32(1)
	for _, x := range m.nums {
		id := l.atoms
		key := b.key(ScopeSession+1+m.scope, m.at, x.value)
		if one, ok := b.keys[key]; ok {
			b.literals[x.node] = one
			continue
		}
		l.atoms++
		b.keys[key] = literalOf(m.scope, id)
		b.literals[x.node] = literalOf(m.scope, id)
		for _, v := range x.value {
			if v.Kind() != m.kind || isNaN(v) {
				continue
			}
			bucket, ok := int32(0), false
			if m.kind == sense.String {
				bucket, ok = e.strs[v.Str()]
			} else {
				bucket, ok = e.nums[keyOf(v)]
			}
			if !ok {
				bucket = buckets
				buckets++
				if m.kind == sense.String {
					e.strs[v.Str()] = bucket
				} else {
					e.nums[keyOf(v)] = bucket
				}
			}
			at.add(bucket, id)
		}
	}
	if buckets > mostKeys {
		return fmt.Errorf("one value is compared for equality with more than %d others: %w", mostKeys, ErrProgram)
	}
	e.atoms = l.atoms - e.base
	e.buckets = at.edges(int(buckets))
	for k := range e.buckets.from[1:] { // a list may name a value twice
		of := e.buckets.to[e.buckets.from[k]:e.buckets.from[k+1]]
		slices.Sort(of)
		for i := 1; i < len(of); i++ {
			if of[i] == of[i-1] {
				of[i-1] = -1
			}
		}
	}
	return nil
}

// key is what makes two equalities of one source one.
func (b *builder) key(scope Scope, index int32, values []sense.Value) string {
	k := binary.AppendVarint(append(b.scratch[:0], byte(scope)), int64(index))
	for _, v := range values {
		k = append(k, byte(v.Kind()))
		k = binary.AppendVarint(k, v.Int())
		k = binary.AppendVarint(k, int64(len(v.Str())))
		k = append(k, v.Str()...)
	}
	b.scratch = k
	return string(k)
}
