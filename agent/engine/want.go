package engine

import (
	"bytes"
	"slices"
	"sort"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// note lets a customer's place among those that are held and wanted be looked at, at the end of the step.
func (m *Mind) note(c *customer) {
	if !c.noted {
		c.noted = true
		m.noted = append(m.noted, c)
	}
	m.attendTo(c)
}

// want returns what the mind needs from outside that is another than before, or nil where nothing is.
func (m *Mind) want() *Want {
	if len(m.noted) == 0 && len(m.gone) == 0 && !m.wantStale {
		return nil
	}
	var fresh []WantSlice
	gone := m.gone
	m.gone = nil
	for _, c := range m.noted {
		c.noted = false
		if m.byHandle[c.Handle] != c {
			continue
		}
		now := WantSlice{Handle: c.Handle, Customer: c.Customer, Revision: c.Revision, Owners: c.owners, Served: len(c.in) > 0, Budgets: c.Budgets.Until}
		// Neither a passive sighting nor one who has left is a reason to ask for anything.
		wants := !m.cfg.Leased && !c.passive && (now.Served || c.here(m.now) || now.Budgets != 0)
		switch {
		case wants && (!c.wants || !sameWant(c.wanted, now)):
			fresh = append(fresh, now)
		case !wants && c.wants:
			gone = append(gone, c.Handle)
		}
		c.wants, c.wanted = wants, now
	}
	clear(m.noted)
	m.noted = m.noted[:0]
	turned := m.wantStale && m.lookAtSignals()
	m.wantStale = false
	if len(fresh) == 0 && len(gone) == 0 && !turned {
		return nil
	}
	if len(fresh) > 1 {
		sort.Slice(fresh, func(a, b int) bool { return bytes.Compare(fresh[a].Handle[:], fresh[b].Handle[:]) < 0 })
	}
	if len(gone) > 1 {
		sort.Slice(gone, func(a, b int) bool { return bytes.Compare(gone[a][:], gone[b][:]) < 0 })
	}
	return &Want{Slices: fresh, Gone: gone, Signals: m.signals}
}

func sameWant(a, b WantSlice) bool {
	return a.Handle == b.Handle && a.Customer == b.Customer && a.Revision == b.Revision && a.Served == b.Served && a.Budgets == b.Budgets &&
		slices.Equal(a.Owners, b.Owners)
}

// Holds hands over the handles of all customers of whom anything is held, with the end of their leases (0
// where there was none yet), until yield wants no more. The order is none.
func (m *Mind) Holds(yield func(h Handle, until sense.Instant, here bool) bool) {
	for _, c := range m.customers {
		if !yield(c.Handle, c.Until, c.here(m.now)) {
			return
		}
	}
}

// Customers returns how many are held.
func (m *Mind) Customers() int { return len(m.customers) }

// lookAtSignals works out which signals are wanted, and says whether they are others than before.
func (m *Mind) lookAtSignals() (turned bool) {
	names := m.wantedSignals()
	if m.readSince != nil && slices.Equal(names, m.signals) {
		return false
	}
	since := map[string]sense.Instant{}
	for _, name := range names {
		since[name] = m.now
		if old, read := m.readSince[name]; read {
			since[name] = old
		}
	}
	turned = !slices.Equal(names, m.signals)
	m.signals, m.readSince = names, since
	return turned
}

// wantedSignals names what a rule uses and may read now: a signal that wants consent is read
// only while somebody who gave it is there.
func (m *Mind) wantedSignals() []string {
	if m.bundle == nil {
		return nil
	}
	located := false
	for k := range m.bundle.Program.Inputs {
		f := m.bundle.Program.Inputs[k].From
		located = located || f == rule.FromInside || f == rule.FromDistance
	}
	var names []string
	for k := range m.bundle.Signals {
		d := &m.bundle.Signals[k]
		used := d.Input >= 0 || located && d.Kind == sense.Position
		if used && !d.FromHub && (d.Consent < 0 || m.consenting[d.Consent] > 0) {
			names = append(names, d.Name)
		}
	}
	return names
}

// consents returns what who is served in a session has granted, of what signals ask for.
func (m *Mind) consents(s *session) (set catalog.PurposeSet) {
	if s.view == nil || s.by == event.ByNobody {
		return 0
	}
	for k := range m.bundle.Signals {
		p := m.bundle.Signals[k].Consent
		if p < 0 || set.Has(p) {
			continue
		}
		if state, _ := s.view.Consent(m.bundle.Purposes[p].Name, m.now); state == profile.ConsentGranted {
			set |= 1 << uint(p)
		}
	}
	return set
}

// tellConsents notes what is granted in a session now. Where nobody grants a purpose any more, or somebody
// for the first time, other signals may be read.
func (m *Mind) tellConsents(s *session, set catalog.PurposeSet) {
	for p := range m.consenting {
		was, is := s.agreed.Has(int32(p)), set.Has(int32(p))
		switch {
		case is && !was:
			m.consenting[p]++
			m.wantStale = m.wantStale || m.consenting[p] == 1
		case was && !is:
			m.consenting[p]--
			m.wantStale = m.wantStale || m.consenting[p] == 0
		}
	}
	s.agreed = set
}

// Serves returns whom a session serves and whether her slice is here; ok is false for nobody.
func (m *Mind) Serves(session string) (h Handle, here, ok bool) {
	s := m.open(session)
	if s == nil || s.customer == nil {
		return Handle{}, false, false
	}
	return s.customer.Handle, s.customer.here(m.now), true
}
