package hub

import (
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// What is over goes a page at a time, in the order of its keys and round again: grants of which nothing can come any more,
// and handles of whose contacts nothing matters any more. Their decisions stay, and can be counted; whom they were made for is
// known to nobody then.

const (
	// sweepPage is how many rows are looked at in one step; sweepEvery how often, while little is found.
	sweepPage  = 512
	sweepEvery = sense.Minute
	// contactsKept is for how long it is known at the least for whom a contact was made, after the last lease of its handle
	// and after the last word on it: longer than any window, pause or wait of a policy in charge, and a year in any case, for
	// policies to come.
	contactsKept = 400 * sense.Day
	// answered is added to what a policy says: a contact may be told of, and answered, some time after it was made.
	answered = 32 * sense.Day
)

// sweep is where each round goes on, and when.
type sweep struct {
	grant    Grant
	grants   sense.Instant
	device   string
	handle   wire.Handle
	holdings sense.Instant
}

// next is when the next page is due: at once where much was found.
func (s *step) next(gone int) sense.Instant {
	if gone > sweepPage/4 {
		return s.now
	}
	return s.now.Add(sweepEvery)
}

// due says whether a round goes on now. A clock that was put back does not stop it.
func (s *step) due(at sense.Instant) bool { return s.now >= at || at > s.now.Add(sweepEvery) }

// sweepGrants drops grants of customers whom nobody asks about any more, as account does of the others.
func (s *step) sweepGrants() error {
	w := &s.sweep
	if !s.due(w.grants) {
		return nil
	}
	page, err := s.view.GrantsAfter(w.grant, sweepPage)
	if err != nil {
		return err
	}
	gone := 0
	for k := range page {
		g := &page[k]
		w.grant = *g
		if s.now < g.Until {
			continue // until then it is known by it that a word on it comes late
		}
		settled, err := s.settled(g)
		if err != nil {
			return err
		}
		if settled {
			gone++
			s.write(DropGrant{Device: g.Device, Handle: g.Handle, Limit: g.Limit, About: g.About})
		}
	}
	if len(page) < sweepPage {
		w.grant = Grant{}
	}
	w.grants = s.next(gone)
	return nil
}

// sweepHoldings drops handles whose lease has been over for so long that no contact of theirs matters.
func (s *step) sweepHoldings() error {
	w := &s.sweep
	if !s.due(w.holdings) {
		return nil
	}
	bundles, err := s.inCharge()
	if err != nil {
		return err
	}
	keep := keptFor(bundles)
	page, err := s.view.HoldingsAfter(w.device, w.handle, sweepPage)
	if err != nil {
		return err
	}
	gone := 0
	for k := range page {
		h := &page[k]
		w.device, w.handle = h.Device, h.Handle
		if h.Until == 0 || keep == sense.Forever || s.now < h.Until.Add(keep) {
			continue
		}
		owes, err := s.mayOwe(h)
		if err != nil {
			return err
		}
		over, err := s.isOver(h, bundles, s.now.Add(-keep))
		if err != nil {
			return err
		}
		if over && !owes {
			gone++
			s.write(DropHolding{Device: h.Device, Handle: h.Handle})
		}
	}
	if len(page) < sweepPage {
		w.device, w.handle = "", wire.Handle{}
	}
	w.holdings = s.next(gone)
	return nil
}

// comeBack is how long a device that was away has to hand over what it had to say.
const comeBack = sense.Hour

// mayOwe says whether a device may still bring a word of somebody's under this handle: it has been away since
// the lease ended, or has just come back.
func (s *step) mayOwe(h *Holding) (bool, error) {
	d, err := s.device(h.Device)
	if err != nil {
		return false, err
	}
	if d.Online {
		return s.now < d.Since.Add(comeBack), nil
	}
	return d.Counter != 0 && d.Since <= h.Until, nil
}

// keptFor is for how long contacts are kept: Forever where a policy counts them for ever.
func keptFor(bundles []*catalog.Bundle) sense.Duration {
	keep := contactsKept
	for _, b := range bundles {
		for k := range b.Contact.Limits {
			keep = max(keep, b.Contact.Limits[k].Window)
		}
		for _, w := range b.Contact.Waits {
			keep = max(keep, w.For)
		}
		for k := range b.Actions {
			if r := b.Actions[k].Repeat; r != sense.Forever { // once ever, in a session
				keep = max(keep, r)
			}
		}
		if p := b.Contact.Pressure; p != nil {
			for _, a := range p.Amounts { // until less is left than any part of a micro-unit, as profile has it
				n := sense.Duration(bits.Len64(uint64(max(a.Amount, -a.Amount))) + 16)
				if p.HalfLife > 0 && n > sense.Forever/p.HalfLife {
					return sense.Forever
				}
				keep = max(keep, n*p.HalfLife)
			}
		}
	}
	if keep >= sense.Forever-answered {
		return sense.Forever
	}
	return keep + answered
}

// isOver says whether nothing that was said under a handle matters since then: no contact is younger, and none was
// answered, is a question, or leads to another action. An answer may hold for ever, and a question is asked once.
func (s *step) isOver(h *Holding, bundles []*catalog.Bundle, since sense.Instant) (bool, error) {
	grants, err := s.view.GrantsOf(h.Device, h.Handle)
	if err != nil || len(grants) > 0 {
		return false, err
	}
	contacts, err := s.view.Contacts([]string{h.ID})
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(contacts, func(c Contacted) bool {
		return c.Device == h.Device && c.Handle == h.Handle && c.matters(bundles, since)
	}), nil
}

// matters says whether a contact may still hold something back.
func (c *Contacted) matters(bundles []*catalog.Bundle, since sense.Instant) bool {
	what := c.Decision
	for _, b := range bundles {
		if what.Intent == "" { // its own bundle was not here
			what.describe(b)
		}
	}
	if c.At >= since || what.Intent == "" || what.Intent == catalog.Question.String() {
		return true
	}
	for _, o := range c.Outcomes {
		switch o.Outcome {
		case "shown", "ignored", "failed", Answered:
		default:
			return true
		}
		if o.Happened >= since {
			return true
		}
	}
	return slices.ContainsFunc(bundles, func(b *catalog.Bundle) bool {
		return slices.ContainsFunc(b.Actions, func(a catalog.Action) bool { return a.Follows != nil && b.Actions[a.Follows.Action].Name == c.Action })
	})
}
