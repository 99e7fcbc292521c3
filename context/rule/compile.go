package rule

import "github.com/tact-edge/tact/context/sense"

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

// count turns logic over comparisons into counters.
func (b *builder) count(keep Interest) error {
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
	if err := b.nameAtoms(); err != nil {
		return err
	}
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
	return nil
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
				m.source.told = fanNodes(e)
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
