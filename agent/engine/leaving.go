package engine

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Told is what the hub was told last of one derived value of a customer.
type Told struct {
	Name  string
	Value sense.Value
	At    sense.Instant
}

// leavingNamed returns the derived value of that name if it may leave the device.
func (m *Mind) leavingNamed(name string) *catalog.Derived {
	for _, k := range m.plan.leaving {
		if d := &m.bundle.Derived[k]; d.Name == name {
			return d
		}
	}
	return nil
}

// told notes the newest value that left.
func (c *customer) told(name string, v sense.Value, at sense.Instant) {
	k, found := slices.BinarySearchFunc(c.Told, name, func(t Told, name string) int { return strings.Compare(t.Name, name) })
	switch {
	case !found:
		c.Told = slices.Insert(c.Told, k, Told{Name: name, Value: v, At: at})
	case at >= c.Told[k].At:
		c.Told[k] = Told{Name: name, Value: v, At: at}
	}
}

// tellLeaving tells the hub the derived values of who is served that changed and may leave the
// device: the value and the time, and nothing that it was made of.
func (m *Mind) tellLeaving(s *session, ends bool) {
	if len(m.plan.leaving) == 0 || m.presence(s) != guard.Here {
		return
	}
	c := s.customer
	for _, k := range m.plan.leaving {
		d := &m.bundle.Derived[k]
		r := m.moment.Derived(s.name, int(k))
		if r.Cause != rule.Known || !m.worthTelling(c, d, r.Value, ends) || !m.mayLeave(c, d) || len(c.Pending) >= MostPending {
			continue
		}
		e := &event.Event{At: m.now, HasAt: true, Happened: m.now, Session: event.MainSession,
			Body: &event.Fact{Name: d.Name, Customer: c.Customer, Value: r.Value, Provenance: event.Observed}}
		one := m.persist(Record{Handle: c.Handle, Event: e})
		if !m.cfg.Leased {
			c.await(*one)
		}
		c.told(d.Name, r.Value, m.now)
		c.Changed++
		m.note(c)
	}
}

// worthTelling says whether a value is another than the one that left last: of true and false each
// turn, and nothing before the first true; of what moves all the time one a day, and the last of a session.
func (m *Mind) worthTelling(c *customer, d *catalog.Derived, v sense.Value, ends bool) bool {
	k, found := slices.BinarySearchFunc(c.Told, d.Name, func(t Told, name string) int { return strings.Compare(t.Name, name) })
	switch {
	case d.Kind == sense.Bool:
		return v.Bool() != (found && c.Told[k].Value.Bool())
	case !found:
		return true
	case c.Told[k].Value.Equal(v):
		return false
	}
	return ends || m.bundle.Zone.Day(c.Told[k].At) != m.bundle.Zone.Day(m.now)
}

// mayLeave says whether one of the purposes of a derived value is certain to permit it now; of what is
// special, one that was agreed to explicitly.
func (m *Mind) mayLeave(c *customer, d *catalog.Derived) bool {
	if d.Purposes == 0 {
		return true
	}
	may := m.permitted(c) & d.Purposes
	for k := range m.bundle.Purposes {
		p := &m.bundle.Purposes[k]
		if may.Has(int32(k)) && (d.Special == "" || p.Basis.NeedsGrant() && p.Explicit) {
			return true
		}
	}
	return false
}

// permitted returns the purposes for which what is held of a customer may be used now.
func (m *Mind) permitted(c *customer) catalog.PurposeSet {
	v := guard.View{Bundle: m.bundle, Now: m.now, Presence: guard.Here, Slice: &c.Slice, Owners: c.owners, Clock: m.clock}
	granted, _ := guard.Granted(&v)
	return granted &^ m.refused(c)
}
