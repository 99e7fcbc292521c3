package engine

import (
	"container/heap"
	"errors"
	"fmt"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Bounds of a mind whose Config names none.
const (
	DefaultSessions  = 1_000
	DefaultCustomers = 5_000
	// MostPending is how many records may be held of one customer that the hub's slice does not show yet.
	MostPending = 4_096
	// MostTombstones is how many ids are remembered of those who asked to be forgotten. Beyond them the
	// oldest goes: the hub, which knows them all, refuses what is said of it still.
	MostTombstones = 65_536
)

var (
	// ErrSessions refuses a session beyond the bound while all that are open are in use.
	ErrSessions = errors.New("too many sessions are open: end one with an identify of null, or wait until one is idle")
	// ErrCustomers refuses a customer beyond the bound while all that are held are served now, or
	// have something that the hub's slice of them does not show yet.
	ErrCustomers = errors.New("too many customers are held here: end sessions that are over, and connect the device to its hub")
	// ErrPending refuses a fact or interaction of a customer of whom MostPending wait to be known at the hub. Words on
	// consent, objections and restrictions are always taken: of each kind the last word is what waits.
	ErrPending = errors.New("too much was said of this customer that the hub does not know yet: connect the device to its hub")
)

// roomForSession lets the session go that was idle longest where there is none: nobody is
// identified in it, it shows nothing, and nothing came to it at this instant.
func (m *Mind) roomForSession() error {
	if m.cfg.Sessions == 0 || len(m.sessions) < m.cfg.Sessions {
		return nil
	}
	idle := -1
	for k, s := range m.sessions {
		if s.customer == nil && !s.showsSomething() && s.used < m.now && (idle < 0 || s.used < m.sessions[idle].used) {
			idle = k
		}
	}
	if idle < 0 {
		return fmt.Errorf("%d, at most %d: %w", len(m.sessions), m.cfg.Sessions, ErrSessions)
	}
	s := m.sessions[idle]
	m.dismiss(s)
	m.tellConsents(s, 0)
	if m.moment != nil {
		m.moment.Close(s.name)
	}
	if m.bundle != nil {
		for k := range m.bundle.Derived {
			delete(m.derived, derivedKey{session: s.name, index: k})
		}
	}
	m.sessions = append(m.sessions[:idle:idle], m.sessions[idle+1:]...)
	return nil
}

// roomForCustomer lets a customer go where there is none.
func (m *Mind) roomForCustomer() error {
	m.file()
	switch {
	case m.cfg.Customers > 0 && len(m.customers) >= m.cfg.Customers && !m.evict():
		return fmt.Errorf("%d, at most %d: %w", len(m.customers), m.cfg.Customers, ErrCustomers)
	case m.cfg.MaxSlices > 0 && m.bytes > m.cfg.MaxSlices && !m.evict():
		return fmt.Errorf("%d bytes, at most %d: %w", m.bytes, m.cfg.MaxSlices, ErrCustomers)
	}
	return nil
}

// idle are the customers who can go, the first to go first: a heap.
type idle []*customer

// idleRank is the order in which customers go: without a running lease first, then by last use.
type idleRank struct {
	leased bool
	used   sense.Instant
}

func (h idle) Len() int { return len(h) }
func (h idle) Less(a, b int) bool {
	x, y := &h[a].rank, &h[b].rank
	switch {
	case x.leased != y.leased:
		return y.leased
	case x.used != y.used:
		return x.used < y.used
	}
	return h[a].first < h[b].first
}
func (h idle) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].idlePlace, h[b].idlePlace = a, b
}
func (h *idle) Push(x any) {
	c := x.(*customer)
	c.idlePlace = len(*h)
	*h = append(*h, c)
}
func (h *idle) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	last.idlePlace = -1
	return last
}

func (h *idle) remove(c *customer) {
	if c.idlePlace >= 0 {
		heap.Remove(h, c.idlePlace)
	}
}

// file brings the places and sizes of the customers up to date that this step has touched, and lets the
// least valuable go while more is held than may be.
func (m *Mind) file() {
	if len(m.noted) == 0 || m.cfg.Leased && m.cfg.Customers == 0 && m.cfg.MaxSlices == 0 {
		return
	}
	for _, c := range m.noted {
		if m.byHandle[c.Handle] == c {
			m.refile(c)
		}
	}
	for m.cfg.MaxSlices > 0 && m.bytes > m.cfg.MaxSlices && m.evict() {
	}
}

func (m *Mind) refile(c *customer) {
	if c.sized != c.Changed || c.size == 0 {
		m.bytes -= c.size
		c.size, c.sized = sizeOf(&c.CustomerState), c.Changed
		m.bytes += c.size
	}
	rank := idleRank{leased: c.here(m.now), used: c.used}
	switch can := len(c.in) == 0 && len(c.Pending) == 0; {
	case !can:
		m.idle.remove(c)
	case c.idlePlace < 0:
		c.rank = rank
		heap.Push(&m.idle, c)
	case c.rank != rank:
		c.rank = rank
		heap.Fix(&m.idle, c.idlePlace)
	}
}

// evict lets the customer go who was used longest ago: first those without a slice under lease, then
// the others; never one who is served now or was named at this instant, of whom something is not in the hub's
// slice yet, or to whom something was said that may turn out not to have been seen. Her
// exposures go with her. What is in the log stays there, and when she comes again she gets another
// handle. It says whether there was one.
func (m *Mind) evict() bool {
	var passed []*customer
	defer func() {
		for _, c := range passed {
			heap.Push(&m.idle, c)
		}
	}()
	for len(m.idle) > 0 {
		c := m.idle[0]
		if c.used < m.now && !m.unsettled(c) {
			m.drop(c)
			return true
		}
		heap.Pop(&m.idle)
		passed = append(passed, c)
	}
	return false
}

// lastContact returns when a customer was last shown something, 0 where never: after a restart
// that is all that is known of when she was last used.
func (c *customer) lastContact() (at sense.Instant) {
	for k := range c.Slice.Exposures {
		if x := &c.Slice.Exposures[k]; x.Seq != 0 {
			at = max(at, x.At)
		}
	}
	return at
}

// full says whether no more may wait of a customer to be known at the hub.
func (m *Mind) full(c *customer, e *event.Event) bool {
	if m.cfg.Leased || len(c.Pending) < MostPending {
		return false
	}
	switch e.Body.(type) {
	case *event.Fact, *event.Interaction:
		return true
	}
	return false
}

// await keeps a record until the hub's slice shows it. Of words on a purpose the last that says so stands for
// those before it: however often somebody changes her mind, what waits is bounded.
func (c *customer) await(r Record) {
	for k := range c.Pending {
		if old := &c.Pending[k]; sameWord(old.Event, r.Event) {
			if old.Event.Happened > r.Event.Happened {
				return
			}
			c.Pending = append(c.Pending[:k], c.Pending[k+1:]...)
			break
		}
	}
	c.Pending = append(c.Pending, r)
}

// sameWord says whether two events say the same on a purpose, or on the restriction.
func sameWord(a, b *event.Event) bool {
	switch x := b.Body.(type) {
	case *event.Consent:
		y, ok := a.Body.(*event.Consent)
		return ok && x.Purpose == y.Purpose && x.Granted == y.Granted
	case *event.Objection:
		y, ok := a.Body.(*event.Objection)
		return ok && x.Purpose == y.Purpose && x.Raised == y.Raised
	case *event.Restrict:
		y, ok := a.Body.(*event.Restrict)
		return ok && x.On == y.On
	}
	return false
}

// bury remembers that an id was erased.
func (m *Mind) bury(t [32]byte) {
	if m.erased[t] {
		return
	}
	m.erased[t] = true
	m.graves = append(m.graves, t)
	for len(m.erased) > MostTombstones {
		delete(m.erased, m.graves[0])
		m.graves = m.graves[1:]
	}
}
