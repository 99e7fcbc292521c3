package engine

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Snapshot returns the durable part of the mind. It shares memory with the mind: write it
// before the next step.
func (m *Mind) Snapshot() Snapshot {
	s := Snapshot{Applied: m.seq - 1, Decisions: m.decided, Handles: m.drawn, At: m.now, Seen: m.seen.order, Owned: m.owned.Facts, Volume: m.volume}
	for _, c := range m.customers {
		s.Customers = append(s.Customers, c.CustomerState)
	}
	sort.Slice(s.Customers, func(a, b int) bool { return bytes.Compare(s.Customers[a].Handle[:], s.Customers[b].Handle[:]) < 0 })
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
		m.erased[t] = true
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
			m.erased[t] = true
		}
		if c != nil {
			for _, t := range m.tombstones(c) { // a record of an older version carries none
				m.erased[t] = true
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
