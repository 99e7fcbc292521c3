package engine

import (
	"container/heap"

	"github.com/tact-edge/tact/context/sense"
)

// dues are the customers in order of when something of theirs ends by itself: a heap, so that a
// step costs what is due, however many are held.
type dues []*customer

func (d dues) Len() int { return len(d) }
func (d dues) Less(a, b int) bool {
	if d[a].due != d[b].due {
		return d[a].due < d[b].due
	}
	return d[a].first < d[b].first
}
func (d dues) Swap(a, b int) {
	d[a], d[b] = d[b], d[a]
	d[a].duePlace, d[b].duePlace = a, b
}
func (d *dues) Push(x any) {
	c := x.(*customer)
	c.duePlace = len(*d)
	*d = append(*d, c)
}
func (d *dues) Pop() any {
	last := (*d)[len(*d)-1]
	(*d)[len(*d)-1] = nil
	*d = (*d)[:len(*d)-1]
	return last
}

// husk is how often it is looked whether a customer without a lease can go.
const husk = sense.Day

// reckon works out when something of a customer ends next.
func (m *Mind) reckon(c *customer) {
	c.staleTurn = m.nextStale(c)
	due := min(c.consentTurn, c.staleTurn)
	if !c.unpruned {
		due = min(due, c.prune)
	}
	switch {
	case c.Here:
		due = min(due, c.Until)
	case c.Until != 0 && len(c.in) == 0:
		due = min(due, max(c.Until, c.looked).Add(husk))
	}
	if c.Budgets.Until != 0 && len(c.in) == 0 {
		due = min(due, c.Budgets.Until)
	}
	if due != c.due {
		c.due = due
		heap.Fix(&m.dues, c.duePlace)
	}
}

// unprune lets a customer's slice be looked through at the end of the step, or of the next.
func (m *Mind) unprune(c *customer) {
	if !c.unpruned {
		c.unpruned = true
		m.unpruned = append(m.unpruned, c)
	}
}

// prune drops what is past its retention, and tells who must hear of ended leases and consents.
func (m *Mind) prune() {
	for {
		switch {
		case len(m.unpruned) > 0:
			c := m.unpruned[len(m.unpruned)-1]
			m.unpruned[len(m.unpruned)-1] = nil
			m.unpruned = m.unpruned[:len(m.unpruned)-1]
			c.unpruned = false
			if m.byHandle[c.Handle] == c {
				m.pruneSlice(c)
			}
		case len(m.dues) > 0 && m.dues[0].due <= m.now:
			m.turn(m.dues[0])
		default:
			return
		}
	}
}

// pruneSlice drops what is past its retention.
func (m *Mind) pruneSlice(c *customer) {
	gone, next := c.Slice.Prune(m.bundle, m.now)
	if gone {
		m.touch(c)
	}
	c.prune = next
	m.reckon(c)
}

// turn does what is due of a customer.
func (m *Mind) turn(c *customer) {
	if m.now >= c.prune {
		m.unprune(c)
	}
	if c.Here && m.now >= c.Until {
		m.endLease(c)
	}
	if len(c.in) == 0 && c.Budgets.Until != 0 && m.now >= c.Budgets.Until {
		m.dropBudgets(c)
	}
	if m.now >= c.staleTurn {
		m.recall(c)
	}
	if m.now >= c.consentTurn {
		c.consentTurn = sense.Never
		m.changed(c)
	}
	if c.looked = m.now; m.done(c) {
		m.drop(c)
		return
	}
	m.reckon(c)
}

// nextDue returns when something of a customer ends next.
func (m *Mind) nextDue() sense.Instant {
	if len(m.dues) == 0 {
		return sense.Never
	}
	return m.dues[0].due
}

// nextStale returns when the profile becomes too old for an intent.
func (m *Mind) nextStale(c *customer) (next sense.Instant) {
	next = sense.Never
	age := m.age(c)
	if m.bundle == nil || m.link.up && age == 0 {
		return next
	}
	for _, s := range m.bundle.Contact.MaxStale {
		if s.After >= age {
			next = min(next, m.now.Add(s.After-age+1))
		}
	}
	return next
}
