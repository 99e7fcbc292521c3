package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// herOwn are the names by which guards tell of the history of whom is served.
var herOwn = [...]string{"stale_answer", "last_contact", "negative", "restrict", "questioned"}

// personalOf returns the names that stand for something of a person, in order: facts, kinds, purposes
// (what she said to them), and all that conditions read of one session alone.
func personalOf(b *catalog.Bundle) []string {
	names := slices.Clone(herOwn[:])
	for k := range b.Facts {
		names = append(names, b.Facts[k].Name)
	}
	for k := range b.Kinds {
		names = append(names, b.Kinds[k].Name)
	}
	for k := range b.Purposes {
		names = append(names, b.Purposes[k].Name)
	}
	for k := range b.Signals {
		if b.Signals[k].Scope == rule.ScopeSession {
			names = append(names, b.Signals[k].Name)
		}
	}
	for k := range b.Derived {
		if b.Derived[k].Personal {
			names = append(names, b.Derived[k].Name)
		}
	}
	for k := range b.Program.Inputs {
		if in := &b.Program.Inputs[k]; in.Scope == rule.ScopeSession {
			names = append(names, in.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unsay leaves out the values of what is personal in the reasons of a decision, with their ages, where the
// session may not show it; that an action fell, why, and by which name stays.
func (m *Mind) unsay(r *Rejected) {
	for n := range r.Because {
		b := &r.Because[n]
		if _, personal := slices.BinarySearch(m.plan.personal, b.Name); personal || r.Stage == catalog.StageContact && r.Reason != catalog.VolumeSpent {
			b.Value, b.Age = sense.Value{}, catalog.NoAge
		}
	}
}
