package moment

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// Interest is what is kept of a bundle's program: the conditions on which something rests, which are those of actions,
// groups and states, of weights, and of the end of a session.
func Interest(b *catalog.Bundle) rule.Interest {
	if len(b.Program.Nodes) == 0 {
		return rule.Interest{}
	}
	var nodes []rule.Node
	weights := func(all []catalog.Weight) {
		for _, w := range all {
			nodes = append(nodes, w.When)
		}
	}
	for k := range b.Actions {
		a := &b.Actions[k]
		nodes = append(nodes, a.Eligible, a.Applicable, a.Suitable)
		weights(a.Weights)
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
	return rule.Interest{Watched: nodes}
}
