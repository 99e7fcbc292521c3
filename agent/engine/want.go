package engine

import (
	"bytes"
	"slices"
	"sort"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// want returns the full set of what the mind needs from outside, or nil where it is as before.
func (m *Mind) want() *Want {
	if !m.wantStale {
		return nil
	}
	m.wantStale = false
	w := Want{}
	served := map[*customer]bool{}
	for _, s := range m.sessions {
		served[s.customer] = true
	}
	for _, c := range m.customers {
		if m.cfg.Leased || c.passive || !served[c] && !c.here(m.now) {
			continue // neither a passive sighting nor one who has left is a reason to ask for anything
		}
		w.Slices = append(w.Slices, WantSlice{Handle: c.Handle, Customer: c.Customer, Revision: c.Revision, Owners: c.owners})
	}
	sort.Slice(w.Slices, func(a, b int) bool { return bytes.Compare(w.Slices[a].Handle[:], w.Slices[b].Handle[:]) < 0 })
	w.Signals = m.wantedSignals()
	if slices.EqualFunc(w.Slices, m.wanted.Slices, sameWant) && slices.Equal(w.Signals, m.wanted.Signals) {
		return nil
	}
	since := map[string]sense.Instant{}
	for _, name := range w.Signals {
		since[name] = m.now
		if old, read := m.readSince[name]; read {
			since[name] = old
		}
	}
	m.wanted, m.readSince = w, since
	return &w
}

func sameWant(a, b WantSlice) bool {
	return a.Handle == b.Handle && a.Customer == b.Customer && a.Revision == b.Revision && slices.Equal(a.Owners, b.Owners)
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
		if used && !d.FromHub && (d.Consent < 0 || m.someoneGranted(d.Consent)) {
			names = append(names, d.Name)
		}
	}
	return names
}

func (m *Mind) someoneGranted(purpose int32) bool {
	name := m.bundle.Purposes[purpose].Name
	for _, s := range m.sessions {
		slice := m.slice(s)
		if slice == nil || s.by == event.ByNobody {
			continue
		}
		if state, _ := slice.Consent(name, m.now); state == profile.ConsentGranted {
			return true
		}
	}
	return false
}
