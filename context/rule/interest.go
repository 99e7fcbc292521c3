package rule

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

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

// watchNodes gives watched nodes counters that tell of their turns: a conjunction over both scopes one in each.
func (b *builder) watchNodes(watched []Node) {
	seen := make([]bool, len(b.p.Nodes))
	for _, n := range watched {
		if n < 0 || seen[n] {
			continue
		}
		seen[n] = true
		if c := b.opened(n); c != nil && !c.negated && b.watchBoth(n, b.within(n)) {
			continue
		}
		l := b.of(n)
		if l < 0 {
			continue
		}
		if b.p.Nodes[n].Scope > l.scope() { // what is of a session is told there, also where it rests on the device alone
			l = b.counterOf(ScopeSession, []literal{l})
		} else {
			l = b.told(l)
		}
		b.watch[l.scope()].add(b.at(l), int32(n))
	}
}

// watchBoth gives a conjunction over both scopes a counter in each; it returns false for others.
func (b *builder) watchBoth(n Node, list []literal) bool {
	device, own := b.split(list)
	both := len(device) > 0 && len(own) > 0
	if both {
		t := truthy{device: b.counter(device, true), own: b.counter(own, true)}
		k := int32(len(b.joints))
		j := joint{device: b.at(t.device), own: b.at(t.own), node: n}
		b.joints = append(b.joints, j)
		b.plan.truths[n] = t
		b.open[n] = 0
		b.jointPairs[ScopeDevice].add(j.device, k)
		b.jointPairs[ScopeSession].add(j.own, k)
	}
	b.room = b.room[:0]
	return both
}

// told returns a counter for a literal.
func (b *builder) told(l literal) literal {
	if l.id() < b.plan.layers[l.scope()].atoms {
		return b.counterOf(l.scope(), []literal{l})
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
	slices.SortFunc(order, func(x, y int32) int {
		return cmp.Or(cmp.Compare(candidates[y].Score, candidates[x].Score), cmp.Compare(x, y))
	})
	b.plan.order = order
	for scope := range b.parts {
		b.plan.layers[scope].vague = make([]uint8, len(order))
	}
	for rank, c := range order {
		list := b.list[:0]
		for _, n := range candidates[c].Needs {
			if n < 0 {
				continue
			}
			t, open := b.plan.truths[n], b.opened(n)
			switch {
			case t.device != noLiteral: // a conjunction over both scopes
				list = append(list, t.device, t.own)
			case open != nil && !open.negated && b.readers[n] == 1:
				list = append(list, b.within(n)...)
			default:
				list = append(list, b.of(n))
			}
		}
		b.list = list
		list, never := tidy(list)
		if never {
			b.plan.layers[ScopeDevice].vague[rank] = share[False]
			list = nil
		}
		device, own := b.split(list)
		b.parts[ScopeDevice].add(b.few(device))
		b.parts[ScopeSession].add(b.few(own))
		b.room = b.room[:0]
	}
}
