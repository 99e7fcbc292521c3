package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
)

// takeSlice takes what the hub says of a slice: the whole of it, what is new since the revision that is
// held, or that it is unchanged. What does not fit what is held is not taken: the slice is then wanted anew,
// and what is here goes on for the time of its lease.
func (m *Mind) takeSlice(u *SliceUpdate) {
	m.through = max(m.through, u.Through)
	c := m.byHandle[u.Handle]
	if c == nil {
		if u.Forget { // there is nothing, and the hub repeats it until it hears so
			m.receipt(u.Handle, nil)
		}
		return
	}
	if u.Forget {
		m.erase(c.Customer, true)
		return
	}
	if u.Revision < c.Revision && u.Until <= c.Until {
		return // it was sent before what is held: it came late, or somebody says it again
	}
	m.note(c)
	if whole := u.Slice != nil && !u.Delta; !whole {
		base := u.Revision
		if u.Delta {
			base = u.Base
		}
		switch {
		case u.Delta && c.Revision != 0 && u.Revision <= c.Revision:
			return // it comes a second time
		case c.Revision == 0 || base != c.Revision || u.Delta && u.Slice == nil:
			c.Revision = 0
			return
		}
	}
	c.Revision, c.Until, c.confirmed, c.Here = u.Revision, u.Until, m.now, true
	m.tellPerson(c, u.Customer)
	if u.Slice != nil {
		notAhead(u.Slice, m.now)
	}
	switch {
	case u.Slice == nil:
	case u.Delta:
		c.Slice.Update(u.Slice)
	default:
		m.replace(c, u.Slice)
	}
	c.Pending = above(c.Pending, u.Through)
	if u.Slice != nil {
		m.refold(c)
	}
	if u.BudgetUntil != 0 && len(c.in) > 0 { // who has left since gives them back
		m.takeBudgets(c, u)
	}
	m.letGo(c)
	m.withhold(c)
	m.changed(c)
}

// takeBudgets puts the shares of limits that the hub leases in the place of those before.
func (m *Mind) takeBudgets(c *customer, u *SliceUpdate) {
	c.Budgets = profile.Budgets{List: u.Budgets, Above: u.Through, Until: u.BudgetUntil}
	slices.SortFunc(c.Budgets.List, func(a, b profile.Budget) int {
		return cmp.Or(strings.Compare(a.Limit, b.Limit), strings.Compare(a.About, b.About))
	})
	c.Budgets.Each, c.Budgets.Of = u.Each, u.EachOf
	m.keepEach(c)
	slices.SortFunc(c.Budgets.Each, func(a, b profile.Each) int { return strings.Compare(a.Limit, b.Limit) })
	for k := range c.Budgets.Each {
		slices.Sort(c.Budgets.Each[k].But)
	}
}

// keepEach drops what was lent of each subject of another bundle than the one in charge.
func (m *Mind) keepEach(c *customer) {
	if b := &c.Budgets; len(b.Each) == 0 || m.bundle == nil || b.Of != [8]byte(m.hash[:8]) {
		b.Each, b.Of = nil, [8]byte{}
	}
}

// tellPerson takes the name under which the fleet knows the customer: another than before after a merge or split.
func (m *Mind) tellPerson(c *customer, person string) {
	if person == "" || person == c.Person {
		return
	}
	if old := c.Person; old != c.Customer && m.byID[old] == c && slices.Contains(c.Aliases, old) {
		c.Aliases = slices.DeleteFunc(c.Aliases, func(a string) bool { return a == old })
		delete(m.byID, old)
	}
	c.Person = person
	if person != c.Customer && m.byID[person] == nil {
		c.Aliases = append(c.Aliases, person)
		m.byID[person] = c
	}
}

// replace puts the hub's slice in the place of the one that is held. Contacts that this device made stay, and so
// do answers that were given here: the hub may not have heard of them. Contacts of others are what the hub says.
func (m *Mind) replace(c *customer, s *profile.Slice) {
	own, folded := c.Slice.Exposures, c.Slice.Folded
	c.Slice = *s
	c.Slice.Folded = folded
	c.Slice.Customer, c.Slice.Owned = c.Customer, &m.owned
	told := make(map[string]bool, len(c.Slice.Exposures))
	for k := range c.Slice.Exposures {
		told[c.Slice.Exposures[k].Decision] = true
	}
	c.Slice.MergeExposures(slices.DeleteFunc(own, func(x profile.Exposure) bool { return !m.made(&x) && !told[x.Decision] }))
}

// made says whether this device made a contact under the handle that holds it: its record is in the log, or it is
// of an epoch before this one.
func (m *Mind) made(x *profile.Exposure) bool {
	if x.Seq != 0 {
		return true
	}
	rest, ours := strings.CutPrefix(x.Decision, m.cfg.Device+"-")
	epoch, n, two := strings.Cut(rest, "-")
	if _, err := strconv.ParseUint(n, 10, 64); !ours || !two || err != nil {
		return false
	}
	e, err := strconv.ParseUint(epoch, 10, 64)
	return err == nil && e != m.cfg.Epoch
}

// refold folds in again what was told here and is not in the hub's slice yet.
func (m *Mind) refold(c *customer) {
	for k := range c.Pending {
		e := c.Pending[k].Event
		if m.bundle != nil && !m.holdsFor(e.Body) {
			continue
		}
		e = m.sourced(e)
		if b, ok := e.Body.(*event.Interaction); ok && c.Slice.Has(profile.InteractionOf(e, b)) {
			continue // records above a gap may be with the hub
		}
		_ = c.Slice.Fold(e) // only profile events are ever pending
	}
}

// sourced gives an event the source under which it comes back from the hub: the device and who told it.
func (m *Mind) sourced(e *event.Event) *event.Event {
	if m.cfg.Leased {
		return e
	}
	told := *e
	told.Source = m.cfg.Device
	if e.Source != "" {
		told.Source += "/" + e.Source
	}
	return &told
}

// above returns the records that are not in the hub's slice yet.
func above(pending []Record, through uint64) []Record {
	kept := pending[:0]
	for _, r := range pending {
		if r.Seq > through {
			kept = append(kept, r)
		}
	}
	clear(pending[len(kept):])
	return kept
}

// endLease takes back what was lent: of the customer nothing is left but what this device said to her, and what
// she refused, that the hub may not know yet. Once it does, she goes whole, and her key with her.
func (m *Mind) endLease(c *customer) {
	c.Here = false
	if !m.cfg.Leased {
		no := c.refusals()
		c.Slice.Facts, c.Slice.Interactions = nil, nil
		c.Slice.Consents, c.Slice.Objections = no.Consents, no.Objections
		c.Slice.KeepExposures(m.made)
		c.Revision = 0 // none is held: the hub must send it whole when it is wanted again
	}
	m.changed(c)
}

// refusals are what she said no to here, last, and the hub's slice does not show yet: a refusal holds from when she
// speaks, whether a slice is here or not. A yes means something only beside what it was said to.
func (c *customer) refusals() (no profile.Slice) {
	for k := range c.Pending {
		switch e := c.Pending[k].Event; e.Body.(type) {
		case *event.Consent, *event.Objection:
			_ = no.Fold(e) // only profile events are ever pending
		}
	}
	no.Consents = slices.DeleteFunc(no.Consents, func(x profile.Consent) bool { return x.Granted })
	no.Objections = slices.DeleteFunc(no.Objections, func(x profile.Objection) bool { return !x.Raised })
	return no
}

// done says whether nothing is held of a customer whose lease has ended that the hub does not know.
func (m *Mind) done(c *customer) bool {
	if m.cfg.Leased || c.Here || c.Until == 0 || len(c.in) > 0 || m.unsettled(c) {
		return false
	}
	for k := range c.Pending {
		if c.Pending[k].Seq > m.through {
			return false
		}
	}
	for k := range c.Slice.Exposures {
		if c.Slice.Exposures[k].Seq > m.through {
			return false
		}
	}
	return true
}

// unsettled says whether a contact was reserved that may still turn out never to have been seen.
func (m *Mind) unsettled(c *customer) bool {
	for k := len(c.Slice.Exposures) - 1; k >= 0; k-- {
		x := &c.Slice.Exposures[k]
		if x.Seq == 0 || x.Shown != 0 || x.Failed || len(x.Outcomes) > 0 {
			continue
		}
		if m.bundle == nil {
			return true
		}
		if s := m.bundle.Slot(x.Slot); s != nil && m.now < x.At.Add(s.ShowFor) {
			return true
		}
	}
	return false
}
