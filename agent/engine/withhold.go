package engine

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// withhold names the records of a customer that wait to be sent and may not be any more: what is
// held only for purposes that she has refused since. What was never said about consent holds
// nothing back: the hub may know of it.
func (m *Mind) withhold(c *customer) {
	if m.bundle == nil {
		return
	}
	refused := m.refused(c)
	if refused == 0 {
		return
	}
	for k := range c.Pending {
		r := &c.Pending[k]
		if p := m.purposesOf(r.Event.Body); p != 0 && p&^refused == 0 {
			m.out.Withhold = append(m.out.Withhold, r.Seq)
		}
	}
}

// refused returns the purposes to which the customer has said no.
func (m *Mind) refused(c *customer) (set catalog.PurposeSet) {
	for k := range m.bundle.Purposes {
		p := &m.bundle.Purposes[k]
		no := p.Basis.YieldsToObjection() && c.Slice.Objects(p.Name) || c.Slice.Restricted && !p.Basis.HoldsUnderRestriction()
		if p.Basis.NeedsGrant() {
			switch state, _ := c.Slice.Consent(p.Name, m.now); state {
			case profile.ConsentDenied, profile.ConsentWithdrawn, profile.ConsentExpired:
				no = true
			}
		}
		if no {
			set |= 1 << uint(k)
		}
	}
	return set
}

// purposesOf returns for what a fact or interaction is held; none for what is always told.
func (m *Mind) purposesOf(b event.Body) catalog.PurposeSet {
	switch b := b.(type) {
	case *event.Fact:
		if d := m.factNamed(b.Name); d != nil {
			return d.Purposes
		}
	case *event.Interaction:
		for k := range m.bundle.Kinds {
			if m.bundle.Kinds[k].Name == b.Kind {
				return m.bundle.Kinds[k].Purposes
			}
		}
	}
	return 0
}
