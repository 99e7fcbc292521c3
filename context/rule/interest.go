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
		if b.p.Nodes[n].Scope > l.scope() { // what is of a session is told there, also where it rests on the device alone
			l = b.counterOf(ScopeSession, []literal{l})
		} else {
			l = b.told(l)
		}
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
