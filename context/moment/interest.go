package moment

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// Interest is what is kept of a bundle's program: the conditions on which something rests, which are those of actions,
// groups and states, of weights, and of the end of a session; and as candidate k, action k, which is eligible while all
// conditions of its own and of its group certainly hold. All are alike in score: the set is in order of action.
//
// Of a bundle without a program every action is eligible, whatever it asks for.
func Interest(b *catalog.Bundle) rule.Interest {
	candidates := make([]rule.Candidate, len(b.Actions))
	if len(b.Program.Nodes) == 0 {
		return rule.Interest{Candidates: candidates}
	}
	var nodes []rule.Node
	weights := func(all []catalog.Weight) {
		for _, w := range all {
			nodes = append(nodes, w.When)
		}
	}
	needs := make([]rule.Node, 0, 6*len(b.Actions))
	for k := range b.Actions {
		a, first := &b.Actions[k], len(needs)
		nodes = append(nodes, a.Eligible, a.Applicable, a.Suitable)
		weights(a.Weights)
		needs = append(needs, a.Eligible, a.Applicable, a.Suitable)
		if a.Group >= 0 && int(a.Group) < len(b.Groups) {
			g := &b.Groups[a.Group]
			needs = append(needs, g.Eligible, g.Applicable, g.Suitable)
		}
		candidates[k].Needs = needs[first:]
	}
	for k := range b.Groups {
		g := &b.Groups[k]
		nodes = append(nodes, g.Eligible, g.Applicable, g.Suitable)
		weights(g.Weights)
	}
	for k := range b.States {
		nodes = append(nodes, b.States[k].Node)
	}
	if b.SessionEnd != nil {
		nodes = append(nodes, b.SessionEnd.Ends)
	}
	return rule.Interest{Watched: nodes, Candidates: candidates}
}
