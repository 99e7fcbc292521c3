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
	at    int32   // among those of its scope
	asked int32   // how often a key of it is asked for
	tells int32   // stored comparisons
	first int32   // of its equalities; -1 where it has none
	last  int32   // of them
	keys  []int64 // in order
	base  int32   // its first atom
}

// ask is a condition that is true below a key of a source, or the opposite of that.
type ask struct {
	of       *making
	key      int64
	node     Node
	opposite bool
}

// equality is a condition that is true at a constant, or at the elements of one, or the opposite of that.
type equality struct {
	constant *sense.Value
	node     Node
	next     int32 // of the same source, -1 where none follows
	among    bool
	opposite bool
}

func (x *equality) count() int {
	if x.among {
		return len(x.constant.List())
	}
	return 1
}

func (x *equality) value(k int) *sense.Value {
	if x.among {
		return &x.constant.List()[k]
	}
	return x.constant
}

// tell is a stored comparison that hears of a key of a source: its place<<1, and 1 where its truth is the opposite.
type tell struct {
	of  *making
	key int32
	to  int32
}

// findSources makes the sources with their keys, and the literals of all that rests on one directly.
func (b *builder) findSources() error {
	p, asks := b.p, 0
	for k := range p.Nodes {
		if op := &p.Nodes[k]; op.Kind == sense.Bool && (op.Code < Not || op.Code > Or) {
			asks++
		}
	}
	b.asks = make([]ask, 0, asks)
	b.sourceOf[0], b.ordersOf, b.lists = make([]int32, len(p.Nodes)), map[sourceKey]int32{}, map[string]literal{}
	for n := range p.Nodes {
		if p.Nodes[n].Kind == sense.Bool {
			b.findSource(Node(n))
		}
	}
	if err := b.nameAtoms(); err != nil {
		return err
	}
	for k := range b.asks {
		x := &b.asks[k]
		m, slot := x.of, b.plan.slot[x.node]
		at := int32(m.find(x.key))
		l := literalOf(m.scope, m.base+at)
		if x.opposite {
			l = l.not()
		}
		b.literals[x.node] = l
		if slot >= 0 && b.toldable(x.node) {
			b.tells = append(b.tells, tell{m, at, slot<<1 | int32(l&1)})
			if m.direct == ofInput {
				b.plan.layers[m.scope].steps[slot].begins = b.plan.layers[m.scope].inputs[m.index]
			}
		}
	}
	for k := range b.equalities {
		if x := &b.equalities[k]; x.opposite {
			b.literals[x.node] = b.literals[x.node].not()
		}
	}
	return nil
}

// find returns which of its keys one is.
func (m *making) find(key int64) int {
	if len(m.keys) == 1 {
		return 0
	}
	k, _ := slices.BinarySearch(m.keys, key)
	return k
}

// findSource notes what a comparison, a bool input or a stored condition rests on.
func (b *builder) findSource(n Node) {
	switch b.p.Nodes[n].Code {
	case And, Or, Not, Const:
		return
	}
	x := ask{key: 1, node: n, opposite: true}
	switch c, ok := b.compared(n); {
	case ok && c.code != Lt:
		m, at := b.source(c.of), int32(len(b.equalities))
		b.equalities = append(b.equalities, equality{constant: c.constant, node: n, next: -1, among: c.code == In, opposite: c.negated})
		if m.first < 0 {
			m.first = at
		} else {
			b.equalities[m.last].next = at
		}
		m.last = at
		return
	case ok:
		x.of, x.key, x.opposite = b.source(c.of), c.key, c.negated
	default:
		x.of = b.source(sourceKey{value: b.alias(n), other: None})
	}
	x.of.asked++
	b.asks = append(b.asks, x)
}

// source returns a source, and makes it where it is new.
func (b *builder) source(key sourceKey) *making {
	if key.other != None {
		k := b.ordersOf[key]
		if k == 0 {
			k = b.make(key)
			b.ordersOf[key] = k
		}
		return b.all[k-1]
	}
	side := boolNum(key.mirrored)
	if b.sourceOf[side] == nil {
		b.sourceOf[side] = make([]int32, len(b.p.Nodes))
	}
	k := &b.sourceOf[side][key.value]
	if *k == 0 {
		*k = b.make(key)
	}
	return b.all[*k-1]
}

// make makes a source, and returns 1 more than its place among all.
func (b *builder) make(key sourceKey) int32 {
	op := &b.p.Nodes[key.value]
	m := &b.makings.take(1)[0]
	*m = making{scope: op.Scope, first: -1}
	m.source = source{direct: ofWork, kind: op.Kind, mirrored: key.mirrored, counts: isCount(op.Code), timer: -1}
	terms := b.formula(b.formulas[:0], key.value)
	if key.other != None {
		of := &b.p.Nodes[key.other]
		m.scope, m.kind, m.counts = max(m.scope, of.Scope), sense.Bool, false
		terms = b.formula(terms, key.other)
		terms = append(terms, term{from: ofWork, code: key.order, kind: sense.Bool, left: op.Kind, right: of.Kind})
	} else if len(terms) == 1 && terms[0].from <= ofStored && terms[0].scope == m.scope {
		m.direct, m.index = terms[0].from, terms[0].index
	}
	m.terms, b.formulas = b.terms.keep(terms), terms
	m.at = int32(len(b.made[m.scope]))
	b.made[m.scope] = append(b.made[m.scope], m)
	b.all = append(b.all, m)
	if b.moves[key.value] && key.other == None {
		l := &b.plan.layers[m.scope]
		m.timer = l.timers
		l.timers++
	}
	return int32(len(b.all))
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
	if err := b.orderKeys(); err != nil {
		return err
	}
	for scope, made := range b.made {
		l := &b.plan.layers[scope]
		slices.SortFunc(made, func(x, y *making) int {
			s, t := &x.terms[0], &y.terms[0]
			return cmp.Or(cmp.Compare(s.from, t.from), cmp.Compare(s.index, t.index), cmp.Compare(len(x.terms), len(y.terms)), cmp.Compare(x.at, y.at))
		})
		keys := 0
		for k, m := range made {
			m.at = int32(k)
			b.connect(m)
			keys += len(m.keys)
		}
		l.keys = make([]int64, 0, keys)
		for _, m := range made {
			m.base = int32(len(l.keys))
			l.keys = append(l.keys, m.keys...)
		}
		l.atoms = int32(len(l.keys))
		for _, m := range made {
			if err := b.hash(m, l); err != nil {
				return err
			}
		}
		l.home = make([]int32, l.atoms)
		for k, m := range made {
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

// orderKeys gives each source the keys that are asked for, in order.
func (b *builder) orderKeys() error {
	rest := make([]int64, len(b.asks))
	for _, m := range b.all {
		m.keys, rest = rest[:0:m.asked], rest[m.asked:]
	}
	for k := range b.asks {
		m := b.asks[k].of
		m.keys = append(m.keys, b.asks[k].key)
	}
	for _, m := range b.all {
		slices.Sort(m.keys)
		m.keys = slices.Compact(m.keys)
		if len(m.keys) > mostKeys {
			return fmt.Errorf("one value is compared with more than %d constants: %w", mostKeys, ErrProgram)
		}
	}
	return nil
}

// hash gives atoms to the equalities of a source, and says which are true at which value.
func (b *builder) hash(m *making, l *layer) error {
	if m.first < 0 {
		return nil
	}
	e := &equals{base: l.atoms}
	if m.kind == sense.String {
		e.strs = map[string]int32{}
	} else {
		e.nums = map[int64]int32{}
	}
	m.equals = e
	b.hits.from, b.hits.to = b.hits.from[:0], b.hits.to[:0]
	b.singles = append(b.singles[:0], noLiteral)
	for k := m.first; k >= 0; k = b.equalities[k].next {
		x := &b.equalities[k]
		one := literalOf(m.scope, l.atoms)
		if v := x.only(); v != nil && v.Kind() == m.kind && !isNaN(*v) {
			if known := &b.singles[b.bucket(e, v)]; *known == noLiteral {
				*known = one
			} else {
				one = *known
			}
		} else {
			key := b.key(m, x)
			if known, ok := b.lists[string(key)]; ok {
				one = known
			} else {
				b.lists[string(key)] = one
			}
		}
		b.literals[x.node] = one
		if one.id() < l.atoms {
			continue
		}
		l.atoms++
		for i := range x.count() {
			if v := x.value(i); v.Kind() == m.kind && !isNaN(*v) {
				b.hits.add(b.bucket(e, v), one.id())
			}
		}
	}
	if len(b.singles) > mostKeys {
		return fmt.Errorf("one value is compared for equality with more than %d others: %w", mostKeys, ErrProgram)
	}
	e.atoms = l.atoms - e.base
	e.buckets = b.hits.edges(len(b.singles))
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

// only returns the value of an equality with just one, else nil.
func (x *equality) only() *sense.Value {
	if x.count() != 1 {
		return nil
	}
	return x.value(0)
}

// bucket returns the bucket of a value that a condition names.
func (b *builder) bucket(e *equals, v *sense.Value) int32 {
	next := int32(len(b.singles))
	if e.strs != nil {
		if bucket, ok := e.strs[v.Str()]; ok {
			return bucket
		}
		e.strs[v.Str()] = next
	} else {
		key := keyOf(*v)
		if bucket, ok := e.nums[key]; ok {
			return bucket
		}
		e.nums[key] = next
	}
	b.singles = append(b.singles, noLiteral)
	return next
}

// key is what makes two equalities of one source one.
func (b *builder) key(m *making, x *equality) []byte {
	k := binary.AppendVarint(append(b.words[:0], byte(m.scope)), int64(m.at))
	for i := range x.count() {
		v := x.value(i)
		k = append(k, byte(v.Kind()))
		k = binary.AppendVarint(k, v.Int())
		k = binary.AppendVarint(k, int64(len(v.Str())))
		k = append(k, v.Str()...)
	}
	b.words = k
	return k
}

// compares says whether one value of a sound program is compared so many times with constants, each element of a list
// for itself.
func compares(p *Program, times int) bool {
	values, inputs := make([]int, len(p.Nodes)), make([]int, len(p.Inputs))
	for k := range p.Nodes {
		op := &p.Nodes[k]
		if op.Code < Eq || op.Code > In {
			continue
		}
		for side, a := range op.Args {
			constant := &p.Nodes[op.Args[1-side]]
			if constant.Code != Const {
				continue
			}
			count := &values[a]
			if p.Nodes[a].Code == Load {
				count = &inputs[p.Nodes[a].Input]
			}
			if *count += max(1, len(constant.Value.List())); *count >= times {
				return true
			}
		}
	}
	return false
}
