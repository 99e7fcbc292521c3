package rule

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// layer is what evaluations of one scope share: the stored nodes, and over them the counters.
//
// A source is an input or a stored node that conditions compare with constants. Its keys stand in order, so that a
// new value is found from where the last one was, and the comparisons that turned are a range of keys. The edges from
// them to the counters above stand in the same order: to turn a range is to walk one range of edges. A counter is And
// over literals (Or is an And of the opposites): how many of them are false, and how many unknown.
type layer struct {
	inputs []int32 // of the scope
	back   []Node  // those that look back over time
	steps  []step  // stored nodes, in order

	riches, timers, holds, windows int32 // how many slots of each

	rich    []int32 // place of an input -> slot of a value that is no number, -1
	sources []source
	spots   []spot   // by source
	keys    []int64  // by atom that is a key
	feeds   edges    // place of an input -> sources that read it, but pairs
	pairs   pairsOf  // place of an input -> pairs that read it
	eager   []int32  // sources that may be known from the first: of constants, or of the device
	atoms   int32    // below it ids are of atoms, above of counters
	home    []int32  // atom -> its source
	from    []starts // id -> where its edges begin in the two
	own     []uint32 // edges to counters of the same scope
	parts   []uint32 // edges to parts of candidates: rank<<1, and 1 where the literal is negated
	across  fan      // id of the device -> counters of sessions
	about   []about  // by counter
	watch   edges    // counter -> watched nodes
	joints  edges    // counter -> joints of which it is the part of its scope
	both    []joint
	timed   []int32 // timer slot -> place of a stored node, or the complement of a source
	unknown []uint8 // counters while nothing is known
	vague   []uint8 // by rank: the part of a candidate while nothing is known
}

// starts is where the edges of an id begin.
type starts struct{ own, parts uint32 }

// ownOf and partsOf return the edges of a range of ids.
func (l *layer) ownOf(first, last int32) []uint32 { return l.own[l.from[first].own:l.from[last].own] }
func (l *layer) partsOf(first, last int32) []uint32 {
	return l.parts[l.from[first].parts:l.from[last].parts]
}

// fan is edges by id: counter<<1, and 1 where the literal is negated.
type fan struct{ from, to []uint32 }

func (f *fan) of(first, last int32) []uint32 { return f.to[f.from[first]:f.from[last]] }

// source is a value with the constants that it is compared with: of an input, of a stored node, or of a formula.
type source struct {
	terms    []term
	direct   origin // of what alone it is the value: ofInput or ofStored, else ofWork
	index    int32  // its place
	kind     sense.Kind
	mirrored bool
	counts   bool // CountTrue, CountReadings: known from below before the window is complete
	equals   *equals
	told     fanNodes // key -> stored comparisons, told when the key is crossed
	timer    int32    // of one that moves by itself, else -1
}

// fanNodes is places of stored nodes by key, in order of key: place<<1, and 1 where its truth is the opposite.
type fanNodes struct {
	from []int32
	to   []int32
}

// equals finds the conditions that are true at a value: bucket 0 is of values that no condition names.
type equals struct {
	base    int32 // first atom
	atoms   int32
	nums    map[int64]int32
	strs    map[string]int32
	buckets edges // bucket -> atoms
}

// about says what hangs on a counter beside its edges.
type about uint8

const (
	aboutWatch about = 1 << iota
	aboutJoint
)

// joint is a watched conjunction over both scopes: its truth in a session is that of both parts, which are counters.
type joint struct {
	device, own int32
	node        Node
}

// builder makes a plan.
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
	toParts     [2]fan
	feedsStored [2]pairs
	watched     []bool
	sources     map[sourceKey]*making
	made        [2][]*making
	literals    []literal
	open        map[Node]conjunction
	counters    [2][][]literal
	keys        map[string]literal
	watch       [2]pairs
	parts       [2][][]literal // by rank: the literals of a candidate
	jointPairs  [2]pairs
	joints      []joint
	jointTruths map[Node]truthy
	scratch     []byte
}

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

func (keep *Interest) check(p *Program) error {
	ok := func(n Node) bool {
		return n == None || n >= 0 && int(n) < len(p.Nodes) && p.Nodes[n].Kind == sense.Bool
	}
	for _, n := range keep.Watched {
		if !ok(n) {
			return fmt.Errorf("watch node %d: it is no condition: %w", n, ErrProgram)
		}
	}
	for k := range keep.Candidates {
		for _, n := range keep.Candidates[k].Needs {
			if !ok(n) {
				return fmt.Errorf("candidate %d needs node %d, which is no condition: %w", k, n, ErrProgram)
			}
		}
	}
	return nil
}

// count turns logic over comparisons into counters.
func (b *builder) count(keep Interest) {
	p := b.p
	b.watched = make([]bool, len(p.Nodes))
	for _, n := range keep.Watched {
		if n >= 0 {
			b.watched[n] = true
		}
	}
	for k := range keep.Candidates {
		for _, n := range keep.Candidates[k].Needs {
			if n >= 0 {
				b.readers[n]++
			}
		}
	}
	b.sources, b.open, b.keys, b.jointTruths = map[sourceKey]*making{}, map[Node]conjunction{}, map[string]literal{}, map[Node]truthy{}
	b.literals = make([]literal, len(p.Nodes))
	for n := range p.Nodes {
		b.literals[n] = noLiteral
		if p.Nodes[n].Kind == sense.Bool {
			b.findSource(Node(n))
		}
	}
	b.nameAtoms()
	for n := range p.Nodes {
		if p.Nodes[n].Kind == sense.Bool {
			b.literal(Node(n))
		}
	}
	b.watchNodes(keep.Watched)
	b.rank(keep.Candidates)
	for n := range p.Nodes { // what nobody took into its own counter
		if _, ok := b.open[Node(n)]; ok && b.readers[n] > 1 && b.plan.slot[n] < 0 {
			b.close(Node(n))
		}
	}
	b.lay()
	b.plan.truths = make([]truthy, len(p.Nodes))
	for n := range p.Nodes {
		b.plan.truths[n] = truthy{device: noLiteral, own: b.literals[n]}
	}
	for n, t := range b.jointTruths { // order: each goes to a place of its own
		b.plan.truths[n] = t
	}
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
func (b *builder) nameAtoms() {
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
			m.base = int32(len(l.keys))
			l.keys = append(l.keys, m.keys...)
		}
		l.keys = slices.Clip(l.keys)
		l.atoms = int32(len(l.keys))
		for _, m := range b.made[scope] {
			b.hash(m, l)
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
}

// hash gives atoms to the equalities of a source, and says which are true at which value.
func (b *builder) hash(m *making, l *layer) {
	if len(m.nums) == 0 {
		return
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
	for _, a := range op.Args {
		if c, ok := b.open[a]; ok && c.negated == or && b.readers[a] == 1 && !b.watched[a] && b.plan.slot[a] < 0 {
			list = append(list, c.literals...)
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
		b.open[n] = conjunction{literals: list, negated: or}
		if len(list) > most {
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

// watchNodes gives watched nodes counters that tell of their turns: a conjunction over both scopes one in each.
func (b *builder) watchNodes(watched []Node) {
	seen := make([]bool, len(b.p.Nodes))
	for _, n := range watched {
		if n < 0 || seen[n] {
			continue
		}
		seen[n] = true
		if c, ok := b.open[n]; ok && !c.negated {
			if device, own := split(c.literals); len(device) > 0 && len(own) > 0 {
				t := truthy{device: b.counter(device, true), own: b.counter(own, true)}
				k := int32(len(b.joints))
				j := joint{device: b.at(t.device), own: b.at(t.own), node: n}
				b.joints = append(b.joints, j)
				b.jointTruths[n] = t
				delete(b.open, n)
				b.jointPairs[ScopeDevice].add(j.device, k)
				b.jointPairs[ScopeSession].add(j.own, k)
				continue
			}
		}
		l := b.of(n)
		if l < 0 {
			continue
		}
		l = b.told(l)
		b.watch[l.scope()].add(b.at(l), int32(n))
	}
}

// told returns a counter for a literal.
func (b *builder) told(l literal) literal {
	if l.id() < b.plan.layers[l.scope()].atoms {
		return b.counter([]literal{l}, true)
	}
	return l
}

// at returns which counter of its scope a literal is.
func (b *builder) at(l literal) int32 { return l.id() - b.plan.layers[l.scope()].atoms }

// rank puts candidates in order of score and gives each a counter in either scope.
func (b *builder) rank(candidates []Candidate) {
	order := make([]int32, len(candidates))
	for k := range order {
		order[k] = int32(k)
	}
	slices.SortStableFunc(order, func(x, y int32) int { return cmp.Compare(candidates[y].Score, candidates[x].Score) })
	b.plan.order = order
	for scope := range b.parts {
		b.parts[scope] = make([][]literal, len(order))
		b.plan.layers[scope].vague = make([]uint8, len(order))
	}
	for rank, c := range order {
		var list []literal
		for _, n := range candidates[c].Needs {
			if n < 0 {
				continue
			}
			j, both := b.jointTruths[n]
			open, isOpen := b.open[n]
			switch {
			case both:
				list = append(list, j.device, j.own)
			case isOpen && !open.negated && b.readers[n] == 1:
				list = append(list, open.literals...)
			default:
				list = append(list, b.of(n))
			}
		}
		list, never := tidy(list)
		if never {
			b.plan.layers[ScopeDevice].vague[rank] = share[False]
			continue
		}
		device, own := split(list)
		b.parts[ScopeDevice][rank], b.parts[ScopeSession][rank] = b.few(device), b.few(own)
	}
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

// lay puts sources, counters and edges into the layers.
func (b *builder) lay() {
	var own, across [2]struct{ from, to []uint32 }
	for scope := range b.counters {
		l := &b.plan.layers[scope]
		l.unknown = make([]uint8, len(b.counters[scope]))
		for c, list := range b.counters[scope] {
			for _, x := range list {
				at := &own[scope]
				if x.scope() != Scope(scope) {
					at = &across[x.scope()]
				}
				at.from = append(at.from, uint32(x.id()))
				at.to = append(at.to, uint32(c)<<1|uint32(x&1))
				l.unknown[c] += share[Unknown]
			}
		}
		var parts struct{ from, to []uint32 }
		for rank, list := range b.parts[scope] {
			for _, x := range list {
				parts.from = append(parts.from, uint32(x.id()))
				parts.to = append(parts.to, uint32(rank)<<1|uint32(x&1))
				l.vague[rank] += share[Unknown]
			}
		}
		b.toParts[scope] = fanOf(parts.from, parts.to, int(l.atoms)+len(b.counters[scope]))
		for _, m := range b.made[scope] {
			if len(m.told.from) > 0 {
				e := m.told.edges(len(m.keys))
				m.source.told = fanNodes{e.from, e.to}
			}
			l.sources = append(l.sources, m.source)
			l.spots = append(l.spots, m.spot())
		}
	}
	for scope := range b.counters {
		l := &b.plan.layers[scope]
		ids := int(l.atoms) + len(b.counters[scope])
		counters := fanOf(own[scope].from, own[scope].to, ids)
		l.across = fanOf(across[scope].from, across[scope].to, ids)
		l.own, l.parts, l.from = counters.to, b.toParts[scope].to, make([]starts, ids+1)
		for k := range l.from {
			l.from[k] = starts{counters.from[k], b.toParts[scope].from[k]}
		}
		n := len(b.counters[scope])
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
	}
}

// fanOf sorts edges by where they come from.
func fanOf(from, to []uint32, n int) fan {
	f := fan{from: make([]uint32, n+1), to: make([]uint32, len(to))}
	for _, x := range from {
		f.from[x+1]++
	}
	for k := range n {
		f.from[k+1] += f.from[k]
	}
	next := slices.Clone(f.from[:n])
	for k, x := range from {
		f.to[next[x]] = to[k]
		next[x]++
	}
	return f
}

// prepare says which timer wakes what.
func (l *layer) prepare() {
	l.timed = make([]int32, l.timers)
	for k := range l.steps {
		if t := l.steps[k].timer; t >= 0 {
			l.timed[t] = int32(k)
		}
	}
	for k := range l.sources {
		if s := &l.sources[k]; s.timer >= 0 {
			l.timed[s.timer] = ^int32(k)
		}
	}
}
