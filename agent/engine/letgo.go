package engine

import (
	"errors"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// ErrNoBasis refuses what the policy declares only for purposes from which the law took the basis.
var ErrNoBasis = errors.New("no_basis: every purpose for which the policy declares it has `basis: none`, and nothing is held for such a purpose")

// holds says whether the policy in charge has a reason to hold what an event says: it declares the
// fact or interaction, for a purpose that has a basis. What says nothing of that kind is held.
func (m *Mind) holdsFor(b event.Body) bool {
	switch b := b.(type) {
	case *event.Fact:
		d := m.bundle.Fact(b.Name)
		return d != nil && m.hasBasis(d.Purposes)
	case *event.Interaction:
		k := m.bundle.Kind(b.Kind)
		return k != nil && m.hasBasis(k.Purposes)
	}
	return true
}

// hasBasis says whether one of the purposes has a basis; a set of none asks for none.
func (m *Mind) hasBasis(p catalog.PurposeSet) bool { return p == 0 || p&^m.plan.baseless != 0 }

// letGo drops what is held of a customer and has no reason under the policy in charge. What waits
// to be sent stays in its place of the log without its value here, so that it can be withheld.
func (m *Mind) letGo(c *customer) {
	if m.bundle == nil {
		return
	}
	gone := false
	c.Slice.Facts = slices.DeleteFunc(c.Slice.Facts, func(f profile.Fact) bool {
		if m.holdsFor(&event.Fact{Name: f.Name}) {
			return false
		}
		if m.leavingNamed(f.Name) != nil { // not hers, but what was told of her: a record that was folded in again
			c.told(f.Name, f.Value, f.Happened)
		}
		gone = true
		return true
	})
	c.Slice.Interactions = slices.DeleteFunc(c.Slice.Interactions, func(i profile.Interaction) bool {
		drop := !m.holdsFor(&event.Interaction{Kind: i.Kind})
		gone = gone || drop
		return drop
	})
	for k := range c.Pending {
		gone = m.blank(&c.Pending[k]) || gone
	}
	if gone {
		m.changed(c)
		m.out.LetGo = true
	}
}

// blank takes what is said out of a record that may not be held, and says whether it did.
func (m *Mind) blank(r *Record) bool {
	switch b := r.Event.Body.(type) {
	case *event.Fact:
		if m.holdsFor(b) || m.leavingNamed(b.Name) != nil || b.Value.IsNull() {
			return false
		}
		e := *r.Event
		e.Body = &event.Fact{Name: b.Name, Customer: b.Customer, Provenance: b.Provenance}
		r.Event = &e
	case *event.Interaction:
		if m.holdsFor(b) || b.About == "" && b.Ref == "" && b.Channel == "" && b.Value.IsNull() {
			return false
		}
		e := *r.Event
		e.Body = &event.Interaction{Kind: b.Kind, Customer: b.Customer, Due: b.Due}
		r.Event = &e
	default:
		return false
	}
	return true
}

// letGoOwned drops facts of vehicles, households and sites that have no reason any more.
func (m *Mind) letGoOwned() {
	before := len(m.owned.Facts)
	m.owned.Facts = slices.DeleteFunc(m.owned.Facts, func(f profile.Fact) bool { return !m.holdsFor(&event.Fact{Name: f.Name}) })
	if len(m.owned.Facts) < before {
		m.ownedChanged()
		m.out.LetGo = true
	}
}

// sensitive says whether a subject is one that may not be remembered: it, what it lies below, or a
// kind that it belongs to is declared sensitive.
func (m *Mind) sensitive(about event.Subject) bool {
	return m.bundle != nil && m.bundle.Sensitivity(about) != ""
}
