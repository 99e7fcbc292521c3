package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// plan is what is worked out once for a bundle.
type plan struct {
	slots      []int32            // that this device has, in order
	has        []bool             // per slot of the bundle
	candidates [][]int32          // per slot: the actions that name it, in order
	eligible   []eligibility      // per slot: which of them are looked at
	unasked    []int32            // slots that are filled unasked
	armed      []armed            // actions that stay right for keep_armed
	scheduled  []int32            // actions that come back at their times
	leaving    []int32            // derived values that the hub is told
	budgets    []budget           // per action, of the volumes; nil where the policy has none
	baseless   catalog.PurposeSet // purposes from which the law took the basis
	entering   []bool             // per node: it rests on entered(place, d), which is false for a reason of its own
	personal   []string           // names that stand for something of a person, in order
	roots      []bool             // per node: an action, a group, a state or the end of a session rests on it
	quick      []quick            // per action: by what most of them fall
	worths     []worth            // per action: what it is worth, as far as that is always the same
}

func planOf(b *catalog.Bundle, slots []string) plan {
	p := plan{has: make([]bool, len(b.Slots)), candidates: candidatesOf(b)}
	for k := range b.Slots {
		if slots != nil && !slices.Contains(slots, b.Slots[k].Name) {
			continue
		}
		p.has[k] = true
		p.slots = append(p.slots, int32(k))
		if b.Slots[k].Unasked {
			p.unasked = append(p.unasked, int32(k))
		}
	}
	for a := range b.Actions {
		if len(b.Actions[a].At) > 0 {
			p.scheduled = append(p.scheduled, int32(a))
		}
	}
	for k := range b.Derived {
		if b.Derived[k].Leaves {
			p.leaving = append(p.leaving, int32(k))
		}
	}
	for k := range b.Purposes {
		if b.Purposes[k].Basis == catalog.BasisNone {
			p.baseless |= 1 << uint(k)
		}
	}
	p.budgets = budgetsOf(b)
	p.armed = armedOf(b)
	p.entering = restingOn(b, rule.Armed)
	p.personal = personalOf(b)
	p.roots = rootsOf(b)
	p.quick, p.worths = quickOf(b), worthsOf(b)
	p.eligible = eligibilityOf(p.candidates, p.quick)
	return p
}

// candidatesOf lists the actions of each slot, one list behind the other in one array.
func candidatesOf(b *catalog.Bundle) [][]int32 {
	count, total := make([]int, len(b.Slots)), 0
	for a := range b.Actions {
		for _, s := range b.Actions[a].Slots {
			count[s]++
			total++
		}
	}
	lists, all := make([][]int32, len(b.Slots)), make([]int32, total)
	for s, n := range count {
		lists[s], all = all[:0:n], all[n:]
	}
	for a := range b.Actions {
		for _, s := range b.Actions[a].Slots {
			lists[s] = append(lists[s], int32(a))
		}
	}
	return lists
}

// rootsOf marks the nodes whose truth decides something.
func rootsOf(b *catalog.Bundle) []bool {
	roots := make([]bool, len(b.Program.Nodes))
	mark := func(nodes ...rule.Node) {
		for _, n := range nodes {
			if n >= 0 && int(n) < len(roots) {
				roots[n] = true
			}
		}
	}
	weights := func(all []catalog.Weight) {
		for _, w := range all {
			mark(w.When)
		}
	}
	for k := range b.Actions {
		mark(b.Actions[k].Eligible, b.Actions[k].Applicable, b.Actions[k].Suitable)
		weights(b.Actions[k].Weights)
	}
	for k := range b.Groups {
		mark(b.Groups[k].Eligible, b.Groups[k].Applicable, b.Groups[k].Suitable)
		weights(b.Groups[k].Weights)
	}
	for k := range b.States {
		mark(b.States[k].Node)
	}
	if b.SessionEnd != nil {
		mark(b.SessionEnd.Ends)
	}
	return roots
}

// restingOn marks the nodes that are, or rest on, an operation of one of the codes.
func restingOn(b *catalog.Bundle, codes ...rule.Code) []bool {
	var asked [256]bool
	for _, c := range codes {
		asked[c] = true
	}
	all := make([]bool, len(b.Program.Nodes)) // arguments stand before the nodes that read them
	for n := range b.Program.Nodes {
		op := &b.Program.Nodes[n]
		rests := asked[op.Code]
		for _, a := range op.Args {
			rests = rests || a >= 0 && int(a) < n && all[a]
		}
		all[n] = rests
	}
	return all
}
