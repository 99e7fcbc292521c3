package engine

import (
	"errors"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
)

// Bounds of a mind whose Config names none.
const (
	DefaultSessions  = 1_000
	DefaultCustomers = 5_000
)

var (
	// ErrSessions refuses a session beyond the bound while all that are open are in use.
	ErrSessions = errors.New("too many sessions are open: end one with an identify of null, or wait until one is idle")
	// ErrCustomers refuses a customer beyond the bound while all that are held are served now, or
	// have something that the hub's slice of them does not show yet.
	ErrCustomers = errors.New("too many customers are held here: end sessions that are over, and connect the device to its hub")
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
	if m.cfg.Customers == 0 || len(m.customers) < m.cfg.Customers || m.evict() {
		return nil
	}
	return fmt.Errorf("%d, at most %d: %w", len(m.customers), m.cfg.Customers, ErrCustomers)
}

// evict lets the customer go who was used longest ago: first those without a slice under lease, then
// the others; never one who is served now or was named at this instant, or of whom something is not in the hub's slice yet. Her
// exposures go with her. What is in the log stays there, and when she comes again she gets another
// handle. It says whether there was one.
func (m *Mind) evict() bool {
	served := map[*customer]bool{}
	for _, s := range m.sessions {
		served[s.customer] = true
	}
	var out *customer
	for _, c := range m.customers {
		if served[c] || len(c.Pending) > 0 || c.used >= m.now {
			continue
		}
		if out == nil || out.here(m.now) && !c.here(m.now) || out.here(m.now) == c.here(m.now) && c.used < out.used {
			out = c
		}
	}
	if out == nil {
		return false
	}
	m.drop(out)
	return true
}

// lastContact returns when a customer was last shown something, 0 where never: after a restart
// that is all that is known of when she was last used.
func (c *customer) lastContact() (at sense.Instant) {
	for k := range c.Slice.Exposures {
		at = max(at, c.Slice.Exposures[k].At)
	}
	return at
}
