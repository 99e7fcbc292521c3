package engine

import (
	"bytes"
	"fmt"
	"slices"
	"sort"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Snapshot returns the durable part of the mind. It shares memory with the mind: write it
// before the next step.
func (m *Mind) Snapshot() Snapshot {
	s := Snapshot{Applied: m.seq - 1, Decisions: m.decided, Handles: m.drawn, At: m.now, Seen: m.seen.order, Owned: m.owned.Facts, Volume: m.volume}
	s.Customers = make([]CustomerState, 0, len(m.customers))
	for _, c := range m.byOrder() {
		s.Customers = append(s.Customers, c.CustomerState)
	}
	for t := range m.erased { // order: sorted below
		s.Erased = append(s.Erased, t)
	}
	sort.Slice(s.Erased, func(a, b int) bool { return bytes.Compare(s.Erased[a][:], s.Erased[b][:]) < 0 })
	s.Fences = m.fences
	if m.moment != nil {
		s.Fences = m.moment.Snapshot()
	}
	return s
}

// byOrder returns the customers in order of handle: those of the last time, and those who came since in their places.
func (m *Mind) byOrder() []*customer {
	order := slices.DeleteFunc(m.order, func(c *customer) bool { return m.byHandle[c.Handle] != c })
	old := len(order)
	for _, c := range m.customers {
		if c.first > m.ordered {
			order = append(order, c)
		}
	}
	byHandle := func(a, b *customer) int { return bytes.Compare(a.Handle[:], b.Handle[:]) }
	slices.SortFunc(order[old:], byHandle)
	if fresh := order[old:]; len(fresh) > 0 && old > 0 {
		merged := make([]*customer, 0, len(order))
		before := order[:old]
		for len(before) > 0 && len(fresh) > 0 {
			if byHandle(before[0], fresh[0]) < 0 {
				merged, before = append(merged, before[0]), before[1:]
			} else {
				merged, fresh = append(merged, fresh[0]), fresh[1:]
			}
		}
		order = append(append(merged, before...), fresh...)
	}
	m.order, m.ordered = order, m.sights
	return order
}

// Restore makes a mind from a snapshot and the records above it, through the same fold.
func Restore(cfg Config, s Snapshot, above []Record) (*Mind, error) {
	m := New(cfg)
	m.seq, m.now, m.drawn = s.Applied+1, s.At, s.Handles
	m.decided = max(m.decided, s.Decisions)
	m.owned.Facts, m.volume = s.Owned, s.Volume
	m.fences, m.restored = s.Fences, true
	for _, id := range s.Seen {
		m.seen.first(id.Source, id.ID)
	}
	for _, t := range s.Erased {
		m.bury(t)
	}
	for _, state := range s.Customers {
		c := &customer{CustomerState: state, prune: 0, consentTurn: sense.Never}
		c.used = c.lastContact()
		c.Slice.Owned = &m.owned
		m.add(c)
	}
	for k := range above {
		r := &above[k]
		if r.Seq < m.seq {
			continue
		}
		if r.Seq != m.seq {
			return nil, fmt.Errorf("restore: record %d follows record %d", r.Seq, m.seq-1)
		}
		m.restore(r)
		m.seq, m.now = r.Seq+1, max(m.now, r.At)
	}
	m.file()
	for m.cfg.Customers > 0 && len(m.customers) > m.cfg.Customers && m.evict() {
		// the log may name more than were ever held at a time
	}
	return m, nil
}

// restore folds one record in again.
func (m *Mind) restore(r *Record) {
	c := m.byHandle[r.Handle]
	if c != nil {
		c.used = max(c.used, r.At)
	}
	switch {
	case r.Identified != nil && r.Handle != r.Identified.Handle: // of a receipt
		m.drawn++
	case r.Identified != nil:
		m.lift(r.Identified.Customer, r.Identified.By)
		if c != nil {
			return
		}
		m.drawn++
		c = &customer{consentTurn: sense.Never, used: r.At}
		c.Handle, c.Customer = r.Handle, r.Identified.Customer
		c.Slice.Customer, c.Slice.Owned = c.Customer, &m.owned
		m.add(c)
	case r.Decision != nil:
		m.decided = max(m.decided, r.Decision.N)
		if c != nil {
			c.decided(r.Decision)
			if r.Exposure != nil {
				x := *r.Exposure
				x.Seq = r.Seq
				m.reserve(c, x)
			}
		}
		if r.Decision.Action != silence {
			m.spend(r.Decision.Action, Showing{N: r.Decision.N, At: r.Decision.At, Settled: m.cfg.Leased})
		}
	case r.Event != nil:
		m.restoreEvent(r, c)
	default:
		m.drawn++ // it may have told whose a handle is, under a key that is gone: none is given twice
	}
}

func (m *Mind) restoreEvent(r *Record, c *customer) {
	m.seen.first(r.Event.Source, r.Event.ID)
	switch b := r.Event.Body.(type) {
	case *event.Outcome:
		if c != nil {
			if x := c.Slice.Exposure(b.Decision); x != nil {
				x.Answer(b.Outcome, r.Event.Happened)
				c.Changed++
				m.note(c)
			}
		}
		if n, ours := m.numberOf(b.Decision); ours {
			m.settleVolume(n, b.Outcome, r.Event.Happened)
		}
	case *event.Forget:
		for _, t := range r.Erased {
			m.bury(t)
		}
		if c != nil {
			for _, t := range m.tombstones(c) { // a record of an older version carries none
				m.bury(t)
			}
			m.drop(c)
		}
	case *event.Fact:
		if b.Owner != "" {
			_ = m.owned.Fold(r.Event)
			return
		}
		m.restoreFold(r, c)
	default:
		m.restoreFold(r, c)
	}
}

func (m *Mind) restoreFold(r *Record, c *customer) {
	if c == nil || c.Slice.Fold(m.sourced(r.Event)) != nil {
		return
	}
	if !m.cfg.Leased {
		c.await(*r)
	}
	c.Changed++
	m.note(c)
}

// Shown returns what stands in the slots now, in order of session and slot, as decisions'
// names; what a screen needs is in the stream.
func (m *Mind) Shown() []Standing {
	var all []Standing
	for _, s := range m.sessions {
		for k, x := range s.shown {
			if x != nil {
				all = append(all, Standing{Session: s.name, Slot: m.bundle.Slots[k].Name, Decision: x.decision, Until: x.until})
			}
		}
	}
	return all
}

// Standing is one thing that is shown.
type Standing struct {
	Session, Slot, Decision string
	Until                   sense.Instant
}
