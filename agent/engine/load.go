package engine

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
)

// load puts a bundle in charge: latest readings go over to the new moment, what is shown stays as
// far as the new policy knows it, and is judged again by it.
func (m *Mind) load(u *BundleUpdate) {
	old, oldBundle := m.moment, m.bundle
	next := planOf(u.Bundle, m.cfg.Slots)
	if oldBundle != nil {
		x := crossingOf(oldBundle, u.Bundle)
		for _, s := range m.sessions {
			m.carryOver(s, u.Bundle, &next, x)
		}
	}
	m.bundle, m.hash = u.Bundle, u.Hash
	m.policy = u.Bundle.Name + "@" + strconv.FormatInt(u.Bundle.Version, 10)
	m.plan = next
	m.moment = moment.New(u.Bundle, m.cfg.Absent)
	for _, s := range m.sessions {
		s.agreed = 0
		if oldBundle == nil {
			s.reset(len(u.Bundle.Slots))
		}
		m.moment.Open(s.name, m.now)
	}
	m.attendAll()
	clear(m.derived)
	switch {
	case old != nil:
		m.moment.Restore(old.Snapshot(), m.now)
		m.inherit(old, oldBundle)
	case m.restored:
		m.moment.Restore(m.fences, m.now)
	}
	m.letGoOwned()
	for _, c := range m.customers {
		m.keepEach(c)
		m.letGo(c)
		m.withhold(c)
		m.unprune(c)
		m.reckon(c)
	}
	m.trimVolume()
	m.again, m.wantStale, m.quietTurn, m.activeTurn = true, true, 0, 0
	m.consenting = make([]int, len(u.Bundle.Purposes))
}

// inherit reads the latest readings of the old policy's signals again, as far as the new one declares them.
func (m *Mind) inherit(old *moment.State, b *catalog.Bundle) {
	for _, s := range m.sessions {
		for k := range b.Signals {
			if v, age, cause := old.Reading(s.name, int32(k)); cause == rule.Known {
				// What the new policy does not declare, or types otherwise, it has no use for.
				_ = m.moment.Signal(s.name, &event.Signal{Name: b.Signals[k].Name, Value: v, Age: age}, m.now, m.now)
			}
		}
	}
}

// crossing says which slot and action of one policy is which of another, -1 where it is gone.
type crossing struct{ slots, actions []int32 }

func crossingOf(from, to *catalog.Bundle) crossing {
	x := crossing{slots: make([]int32, len(from.Slots)), actions: make([]int32, len(from.Actions))}
	for k := range from.Slots {
		x.slots[k] = to.SlotIndex(from.Slots[k].Name)
	}
	for k := range from.Actions {
		x.actions[k] = to.ActionIndex(from.Actions[k].Name)
	}
	return x
}

// carryOver takes a session from the policy in charge to the next: what that one does not know any
// more is taken down, and what was shown before is remembered under its new place.
func (m *Mind) carryOver(s *session, b *catalog.Bundle, p *plan, to crossing) {
	for k, x := range s.shown {
		if x != nil && !stays(b, p, to, k, x) {
			m.clear(s, k, catalog.NotInBundle.String(), true)
		}
	}
	shown, latest, memory, served := s.shown, s.latest, s.memory, s.served
	last, recent := s.last, s.recent
	s.reset(len(b.Slots))
	s.last = last
	for _, r := range recent {
		if r.Action = to.actions[r.Action]; r.Action >= 0 {
			s.recent = append(s.recent, r)
		}
	}
	for k := range shown {
		slot := to.slots[k]
		if slot < 0 {
			continue
		}
		s.latest[slot] = latest[k]
		if x := shown[k]; x != nil {
			x.action = to.actions[x.action]
			x.ambient = treatmentOf(&b.Actions[x.action], x.personal).Ambient
			s.shown[slot] = x
		}
	}
	for _, a := range served {
		if now := to.actions[a]; now >= 0 {
			s.served = append(s.served, now)
		}
	}
	for a, u := range memory { // order: each goes to a place of its own
		if now := to.actions[a]; now >= 0 {
			s.memory[now] = u
		}
	}
}

// stays says whether what is shown in a slot is still there to be shown in it.
func stays(b *catalog.Bundle, p *plan, to crossing, from int, x *shown) bool {
	slot, action := to.slots[from], to.actions[x.action]
	if slot < 0 || !p.has[slot] || action < 0 {
		return false
	}
	a := &b.Actions[action]
	return treatmentOf(a, x.personal) != nil && (slices.Contains(a.Slots, slot) || b.Slots[slot].Fallback == action)
}

// treatmentOf returns the words of an action for one person or for anybody, nil where it has none.
func treatmentOf(a *catalog.Action, personal bool) *catalog.Treatment {
	if personal {
		return a.SayPersonal
	}
	return a.Say
}
