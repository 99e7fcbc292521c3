package catalog

import (
	"strings"
)

// A bundle's lists are in order of name (Check), so that a name is found by halving.
// An index is -1, and a declaration nil, where the bundle has none of that name.

// PurposeIndex returns the index of a purpose.
func (b *Bundle) PurposeIndex(name string) int32 {
	return indexOf(b.Purposes, name, func(p *Purpose) string { return p.Name })
}

// SignalIndex returns the index of a signal.
func (b *Bundle) SignalIndex(name string) int32 {
	return indexOf(b.Signals, name, func(s *Signal) string { return s.Name })
}

// DerivedIndex returns the index of a derived value.
func (b *Bundle) DerivedIndex(name string) int32 {
	return indexOf(b.Derived, name, func(d *Derived) string { return d.Name })
}

// StateIndex returns the index of a state.
func (b *Bundle) StateIndex(name string) int32 {
	return indexOf(b.States, name, func(s *State) string { return s.Name })
}

// PlaceIndex returns the index of a place.
func (b *Bundle) PlaceIndex(name string) int32 {
	return indexOf(b.Places, name, func(p *Place) string { return p.Name })
}

// FactIndex returns the index of a fact.
func (b *Bundle) FactIndex(name string) int32 {
	return indexOf(b.Facts, name, func(f *Fact) string { return f.Name })
}

// Fact returns the declaration of a fact.
func (b *Bundle) Fact(name string) *Fact { return at(b.Facts, b.FactIndex(name)) }

// KindIndex returns the index of a kind of interactions.
func (b *Bundle) KindIndex(name string) int32 {
	return indexOf(b.Kinds, name, func(k *Kind) string { return k.Name })
}

// Kind returns the declaration of a kind of interactions.
func (b *Bundle) Kind(name string) *Kind { return at(b.Kinds, b.KindIndex(name)) }

// SlotIndex returns the index of a slot.
func (b *Bundle) SlotIndex(name string) int32 {
	return indexOf(b.Slots, name, func(s *Slot) string { return s.Name })
}

// Slot returns a slot.
func (b *Bundle) Slot(name string) *Slot { return at(b.Slots, b.SlotIndex(name)) }

// ActionIndex returns the index of an action.
func (b *Bundle) ActionIndex(name string) int32 {
	return indexOf(b.Actions, name, func(a *Action) string { return a.Name })
}

// Action returns an action.
func (b *Bundle) Action(name string) *Action { return at(b.Actions, b.ActionIndex(name)) }

func indexOf[T any](list []T, name string, of func(*T) string) int32 {
	from, to := 0, len(list) // by pointer: declarations are too large to copy for each comparison
	for from < to {
		k := int(uint(from+to) / 2)
		switch c := strings.Compare(of(&list[k]), name); {
		case c == 0:
			return int32(k)
		case c < 0:
			from = k + 1
		default:
			to = k
		}
	}
	return -1
}

func at[T any](list []T, k int32) *T {
	if k < 0 {
		return nil
	}
	return &list[k]
}
