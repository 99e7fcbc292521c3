package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// usable leaves in a view's slice what may be used, and returns the purposes that hold, and when time
// alone changes them. An age that a purpose asks for must itself be among what may be used.
func (m *Mind) usable(v *guard.View) (on catalog.PurposeSet, next sense.Instant) {
	whole := v.Slice
	on, next = guard.Granted(v)
	if v.Slice = m.held(whole, on); v.Slice != whole {
		on, _ = guard.Granted(v)
		v.Slice = m.held(whole, on)
	}
	return on, next
}

// held returns what may be used of a slice while only so many purposes hold: without the facts and
// interactions that are held for none of them. A purpose that is switched off leaves the decision
// of a profile without what it is held for, byte for byte; guards see no more than conditions do.
// Where nothing is off it is the slice itself.
func (m *Mind) held(s *profile.Slice, on catalog.PurposeSet) *profile.Slice {
	if s == nil {
		return nil
	}
	off := func(purposes catalog.PurposeSet) bool { return purposes != 0 && purposes&on == 0 }
	fact := func(f profile.Fact) bool {
		d := m.bundle.Fact(f.Name)
		return d != nil && off(d.Purposes)
	}
	interaction := func(i profile.Interaction) bool {
		k := m.bundle.Kind(i.Kind)
		return k != nil && off(k.Purposes)
	}
	owned := s.Owned != nil && slices.ContainsFunc(s.Owned.Facts, fact)
	if !owned && !slices.ContainsFunc(s.Facts, fact) && !slices.ContainsFunc(s.Interactions, interaction) {
		return s
	}
	v := *s
	v.Facts = slices.DeleteFunc(slices.Clone(s.Facts), fact)
	v.Interactions = slices.DeleteFunc(slices.Clone(s.Interactions), interaction)
	if owned {
		o := *s.Owned
		o.Facts = slices.DeleteFunc(slices.Clone(s.Owned.Facts), fact)
		v.Owned = &o
	}
	return &v
}
