package engine

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// withhold names the records of a customer that wait to be sent and may not be any more: what is
// held only for purposes that she has refused since, or that have no basis any more, and what the
// policy does not declare. What was never said about consent holds nothing back: the hub may know of it.
func (m *Mind) withhold(c *customer) {
	if m.bundle == nil {
		return
	}
	refused := m.refused(c)
	for k := range c.Pending {
		r := &c.Pending[k]
		p, declared := m.purposesOf(r.Event.Body)
		if !declared || p != 0 && p&^refused == 0 {
			m.out.Withhold = append(m.out.Withhold, r.Seq)
		}
	}
}

// refused returns the purposes to which the customer has said no, and those without a basis.
func (m *Mind) refused(c *customer) (set catalog.PurposeSet) {
	for k := range m.bundle.Purposes {
		p := &m.bundle.Purposes[k]
		no := p.Basis == catalog.BasisNone || p.Basis.YieldsToObjection() && c.Slice.Objects(p.Name) || c.Slice.Restricted && !p.Basis.HoldsUnderRestriction()
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

// purposesOf returns for what a fact or interaction is held, and whether the policy declares it; none
// for what is always told.
func (m *Mind) purposesOf(b event.Body) (p catalog.PurposeSet, declared bool) {
	switch b := b.(type) {
	case *event.Fact:
		if d := m.bundle.Fact(b.Name); d != nil {
			return d.Purposes, true
		}
		if d := m.leavingNamed(b.Name); d != nil {
			return d.Purposes, true
		}
		return 0, false
	case *event.Interaction:
		if k := m.bundle.Kind(b.Kind); k != nil {
			return k.Purposes, true
		}
		return 0, false
	}
	return 0, true
}
