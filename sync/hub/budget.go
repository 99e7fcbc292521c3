package hub

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// Budgets make limits hold over the fleet, also when devices are cut off: the hub lends each device a share of
// what a limit still allows, and counts for every share the most that may be made of it until it knows better.
//
// Safe is: known contacts in the window + what all unsettled grants leave, at most what the limit allows. It
// holds after each grant, since nothing beyond what remains is granted. A contact that becomes known moves from
// the second part to the first; the second is let go of when the device has said that it makes
// nothing more under the grant and all that it had made by then is here, or when nothing made under it counts any more.

const (
	// longestLease is how long budgets are lent at most; a quarter of the shortest rolling window where that is less.
	longestLease = 15 * sense.Minute
	// mostBudgets is how many shares one message names, and in how many bytes. Of more, those that differ and those of the
	// first limits are named, and the rest is lent as so many of each that is not.
	mostBudgets, mostBudgetBytes = 512, 32 << 10
	// remembered is for how long devices certainly count what they have made against a share: profile.Prune keeps contacts
	// for a day more. One that is older may be here and take nothing of the share there.
	remembered = 31 * sense.Day
	// slack is added to the time after which contacts of a grant count no more: clocks differ.
	slack = sense.Minute
)

// lend works out the budgets for a message to a holding, and notes them in the ledger: none where it is not
// known which limits the device keeps, or how its log counts. asked is the device's clock when it asked.
func (s *step) lend(f *folded, h Holding, asked sense.Instant, ended []Grant) (r reply, err error) {
	d, err := s.device(h.Device)
	if err != nil || d.Epoch == 0 {
		return r, err
	}
	sha, b, err := s.bundleNamed(d)
	if err != nil || b == nil {
		return r, err
	}
	a, err := s.account(f, b, ended)
	if err != nil {
		return r, err
	}
	mark, err := s.view.Mark(h.Device, d.Epoch)
	if err != nil {
		return r, err
	}
	r.until = s.now.Add(leaseOf(b))
	for _, g := range a.grants {
		if g.Device == h.Device && g.Handle == h.Handle {
			r.until = max(r.until, g.Until)
		}
	}
	l := &loan{account: a, step: s, to: holder{h.Device, h.Handle}, sha: sha, epoch: d.Epoch, through: mark.Through, until: r.until, asked: asked, most: s.cfg.Shares}
	r.budgets, r.each, err = l.make()
	return r, err
}

// account reads what was said to a customer and what others may still say. Grants in ended stand in the place
// of those that the ledger has; what is settled goes.
func (s *step) account(f *folded, b *catalog.Bundle, ended []Grant) (*account, error) {
	if err := s.fold(f); err != nil {
		return nil, err
	}
	grants, err := s.view.Grants(f.ids)
	if err != nil {
		return nil, err
	}
	kept := grants[:0]
	for _, g := range grants {
		for _, e := range ended {
			if e.Device == g.Device && e.Handle == g.Handle && e.Limit == g.Limit && e.About == g.About {
				g = e
			}
		}
		settled, err := s.settled(&g)
		if err != nil {
			return nil, err
		}
		if !settled {
			kept = append(kept, g)
		} else if s.now >= g.Until {
			s.write(DropGrant{Device: g.Device, Handle: g.Handle, Limit: g.Limit, About: g.About})
		}
	}
	a := newAccount(b, s.now, encounters(f.contacts, b), kept, s.bundle)
	if !slices.ContainsFunc(b.Contact.Limits, func(l catalog.Limit) bool { return l.Customer && l.Per != catalog.Rolling }) {
		return a, nil
	}
	if z, ok := f.known.Find("zone", ""); ok && z.Provenance == event.Declared && z.Value.Kind() == sense.String {
		a.anywhere = true
		if s.cfg.Zone != nil {
			if rules, err := s.cfg.Zone(z.Value.Str()); err == nil {
				a.zone, a.anywhere = &rules, false
			}
		}
	}
	return a, nil
}

// settled says whether nothing can come of a grant any more that is not known here.
func (s *step) settled(g *Grant) (bool, error) {
	if s.now >= g.Free {
		return true, nil
	}
	if !g.Ended {
		return false, nil
	}
	mark, err := s.view.Mark(g.Device, g.EndEpoch)
	return mark.Through >= g.EndThrough, err
}

// askedAt is the device's clock when it asked, 0 where it does not say. One that is ahead by more than clocks differ is
// not believed: what is said after it was put right must not be taken for a copy of something older.
func (s *step) askedAt(at int64) sense.Instant {
	return min(max(sense.Instant(at), 0), s.now.Add(slack))
}

// late says whether a device has asked for budgets, or given them back, after it said this: it is a copy that was
// delivered once more, or overtaken.
func late(grants []Grant, asked sense.Instant) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return asked < g.Asked })
}

// budgetRequest lends a device budgets anew, or takes them back. The grants whose lease was over when it
// asked have ended with what its log had by then; all have where it gives them back.
func (s *step) budgetRequest(device string, r *wire.BudgetRequest) error {
	if r.Handle == wire.AllHandles() {
		return s.heldNothing(device, r)
	}
	h, ok, err := s.view.Holding(device, r.Handle)
	if err != nil {
		return err
	}
	if !ok {
		return s.unknown(device, r.Handle, r.ID)
	}
	grants, err := s.view.GrantsOf(device, r.Handle)
	if err != nil {
		return err
	}
	asked := s.askedAt(r.At)
	if late(grants, asked) {
		return s.answer(&folded{id: h.ID}, h, r, reply{re: r.ID})
	}
	var ended []Grant
	for _, g := range grants {
		if g.Epoch == r.Epoch && r.Through < g.Through || !r.Return && int64(g.Until) > r.At {
			continue // it says nothing of this one, or was said before it
		}
		if over, err := s.settled(&g); err != nil || over {
			if err != nil {
				return err
			}
			continue // and stays so
		}
		g.Ended, g.EndEpoch, g.EndThrough, g.Asked = true, r.Epoch, r.Through, asked
		s.write(PutGrant{g})
		ended = append(ended, g)
	}
	d, err := s.device(device)
	if err != nil {
		return err
	}
	f := &folded{id: h.ID}
	answer := reply{re: r.ID}
	if !r.Return && r.Epoch == d.Epoch {
		if answer, err = s.lend(f, h, asked, ended); err != nil {
			return err
		}
		answer.re = r.ID
	}
	return s.answer(f, h, r, answer)
}

// mostReturned is how many grants one word of a device ends at most: of more the rest counts until it is free by itself.
const mostReturned = 10_000

// heldNothing takes that a device holds budgets under no handles but those that it names: what a life before this one was
// lent comes to nothing beyond the log. It says nothing of what was asked for after it was said, nor of what was lent in
// another epoch, which the log does not show; and nothing at all where the device is ahead in time, or behind its own past.
func (s *step) heldNothing(device string, r *wire.BudgetRequest) error {
	d, err := s.device(device)
	if err != nil {
		return err
	}
	asked := sense.Instant(r.At)
	if !r.Return || r.Epoch != d.Epoch || len(r.But) > wire.MostBut || asked <= 0 || asked > s.now.Add(slack) {
		return s.unknown(device, r.Handle, r.ID)
	}
	but := map[wire.Handle]bool{}
	for _, h := range r.But {
		but[h] = true
	}
	returned := 0
	const page = 64
	for after := (wire.Handle{}); returned < mostReturned; {
		handles, err := s.view.Lent(device, after, page)
		if err != nil {
			return err
		}
		for _, h := range handles {
			if after = h; but[h] {
				continue
			}
			grants, err := s.view.GrantsOf(device, h)
			if err != nil {
				return err
			}
			for _, g := range grants {
				if g.Ended || g.Epoch != r.Epoch || r.Through < g.Through || asked <= g.Asked {
					continue
				}
				g.Ended, g.EndEpoch, g.EndThrough, g.Asked = true, r.Epoch, r.Through, asked
				s.write(PutGrant{g})
				returned++
			}
		}
		if len(handles) < page {
			break
		}
	}
	return s.unknown(device, r.Handle, r.ID)
}

// answer answers a request for budgets: with the slice, where the device has another than this.
func (s *step) answer(f *folded, h Holding, r *wire.BudgetRequest, answer reply) error {
	if r.Revision == h.Revision && h.Revision > 0 && !s.whole {
		return s.unchanged(h, answer)
	}
	return s.tell(f, h, answer)
}
