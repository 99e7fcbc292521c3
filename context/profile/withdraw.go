package profile

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
)

// Withdraw drops the facts and interactions that a policy gives no reason to hold: it does not
// declare them, or the law took the basis of every purpose away that they were held for. What a
// policy declares without any purpose is held for what it is, as the history that guards read. It returns
// whether anything went. The facts of owners are another slice.
func (s *Slice) Withdraw(b *catalog.Bundle) (changed bool) {
	none := catalog.PurposeSet(0)
	for k := range b.Purposes {
		if b.Purposes[k].Basis == catalog.BasisNone {
			none |= 1 << uint(k)
		}
	}
	baseless := func(purposes catalog.PurposeSet) bool { return purposes != 0 && purposes&^none == 0 }
	facts, interactions := len(s.Facts), len(s.Interactions)
	s.Facts = slices.DeleteFunc(s.Facts, func(f Fact) bool {
		d := b.Fact(f.Name)
		return d == nil || baseless(d.Purposes)
	})
	s.Interactions = slices.DeleteFunc(s.Interactions, func(i Interaction) bool {
		k := b.Kind(i.Kind)
		return k == nil || baseless(k.Purposes)
	})
	return len(s.Facts) != facts || len(s.Interactions) != interactions
}
