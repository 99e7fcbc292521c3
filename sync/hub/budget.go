package hub

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
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
	// mostBudgets is how many shares one message carries, and in how many bytes: of more, those of the first limits of
	// the bundle.
	mostBudgets, mostBudgetBytes = 512, 32 << 10
	// remembered is for how long devices certainly count what they have made against a share: profile.Prune keeps contacts
	// for a day more. One that is older may be here and take nothing of the share there.
	remembered = 31 * sense.Day
	// slack is added to the time after which contacts of a grant count no more: clocks differ.
	slack = sense.Minute
)

// unit is what shares are of: a limit, and about what where it counts per subject.
type unit struct {
	limit *catalog.Limit
	about string
}

// units lists what a bundle's limits are lent by, in order of the limits and of the actions.
func units(b *catalog.Bundle) (list []unit) {
	for k := range b.Contact.Limits {
		l := &b.Contact.Limits[k]
		if l.AtMost <= 0 {
			continue // nothing may be said, and nothing can be lent
		}
		if !l.About {
			list = append(list, unit{l, ""})
			continue
		}
		seen := map[string]bool{}
		for n := range b.Actions {
			a := &b.Actions[n]
			if about := contact.Unit(l, a); !a.ExemptCaps && !seen[about] && contact.Concerns(b, l, a, l.Channel) {
				seen[about] = true
				list = append(list, unit{l, about})
			}
		}
	}
	return list
}

// leaseOf is how long shares of a bundle's limits are lent.
func leaseOf(b *catalog.Bundle) sense.Duration {
	d := longestLease
	for k := range b.Contact.Limits {
		if l := &b.Contact.Limits[k]; l.AtMost > 0 && l.Per == catalog.Rolling {
			d = min(d, l.Window/4)
		}
	}
	return d
}

// account is what was said to a customer, and what others may still say.
type account struct {
	bundle   *catalog.Bundle
	now      sense.Instant
	zone     *sense.Zone // the customer's own; nil for the policy's
	anywhere bool        // she lives in a zone whose rules are not known here
	met      []encounter // in order of time
	grants   []Grant     // not settled
	showFor  sense.Duration
}

func newAccount(b *catalog.Bundle, now sense.Instant, met []encounter, grants []Grant) *account {
	a := &account{bundle: b, now: now, met: met, grants: grants}
	for k := range b.Slots {
		a.showFor = max(a.showFor, b.Slots[k].ShowFor)
	}
	return a
}

// lasting is for how long after its decision a contact counts at most.
func (a *account) lasting(l *catalog.Limit) sense.Duration {
	if d := contact.Lasts(l); d < sense.Forever-slack-a.showFor {
		return d + slack + a.showFor // it counts from when it was shown, or answered
	}
	return sense.Forever
}

// counted returns how many known contacts a unit's limit counts now. Where devices may cut the calendar by
// different zones it is the most of any.
func (a *account) counted(u unit) int64 {
	s := profile.Slice{Exposures: make([]profile.Exposure, len(a.met))}
	for k := range a.met {
		s.Exposures[k] = a.met[k].x
	}
	v := &guard.View{Bundle: a.bundle, Now: a.now, Slice: &s}
	n := contact.Counted(v, u.limit, u.about, a.lasting(u.limit))
	if !u.limit.Customer || u.limit.Per == catalog.Rolling {
		return n
	}
	if a.zone != nil {
		v.Zone = a.zone
		n = max(n, contact.Counted(v, u.limit, u.about, a.lasting(u.limit)))
	}
	if a.anywhere {
		wide := *u.limit
		wide.Per, wide.Window = catalog.Rolling, contact.Lasts(u.limit)
		n = max(n, contact.Counted(v, &wide, u.about, a.lasting(u.limit)))
	}
	return n
}

// taken returns how many contacts that a holder made above a number of its log, within so long, take a unit.
func (a *account) taken(u unit, of holder, epoch, above uint64, within sense.Duration) (n int64) {
	for k := range a.met {
		c, x := a.met[k].of, &a.met[k].x
		if c.Device == of.device && c.Handle == of.handle && c.Epoch == epoch && c.Seq > above && a.now < x.At.Add(within) &&
			contact.Takes(a.bundle, u.limit, u.about, x) {
			n++
		}
	}
	return n
}

// rest returns how many contacts may still be made under a grant, or were made and are not known here.
func (a *account) rest(l *catalog.Limit, g *Grant) int64 {
	return max(g.Units-a.taken(unit{l, g.About}, holder{g.Device, g.Handle}, g.Epoch, g.Through, remembered), 0)
}

// remaining returns how many contacts a limit still allows beside what is known, and what all holders but
// one may make. It may be less than none: two customers who each had some turned out to be one.
func (a *account) remaining(u unit, but holder) int64 {
	n := u.limit.AtMost - a.counted(u)
	for k := range a.grants {
		g := &a.grants[k]
		if g.Limit == u.limit.Name && (holder{g.Device, g.Handle}) != but && touches(g.About, u.about) {
			n -= a.rest(u.limit, g)
		}
	}
	return n
}

// touches says whether a contact about the one may count for the other.
func touches(a, b string) bool {
	if a == b {
		return true
	}
	return strings.IndexByte(a, ':') >= 0 && strings.IndexByte(b, ':') >= 0 && event.Subject(a).Touches(event.Subject(b))
}

// share is what a holder is lent of a unit: told goes to the device, kept into the ledger (none where Units is 0).
type share struct {
	told wire.Budget
	kept Grant
}

// share works out what a holder is lent: half of what remains, so that others find something, but no less than
// what it has, as far as that remains. The ledger never has less than what it had: the answer may be lost, and then
// it goes on with that. through is how far its log is here in the epoch. Nothing is lent where it may have made
// something in another epoch that is not known yet.
func (a *account) share(u unit, to holder, epoch, through uint64, until sense.Instant) (x share) {
	within := a.lasting(u.limit)
	k := slices.IndexFunc(a.grants, func(g Grant) bool {
		return g.Device == to.device && g.Handle == to.handle && g.Limit == u.limit.Name && g.About == u.about
	})
	remains := max(a.remaining(u, to), 0)
	fresh, rest := (remains+1)/2, int64(0)
	x.told = wire.Budget{Limit: u.limit.Name, About: u.about}
	x.kept = Grant{Device: to.device, Handle: to.handle, Limit: u.limit.Name, About: u.about, Epoch: epoch, Through: through,
		Until: until, Free: until.Add(within)}
	if k >= 0 {
		old := &a.grants[k]
		if old.Epoch != epoch {
			return x
		}
		rest = a.rest(u.limit, old)
		x.kept.Free, x.kept.Asked = max(x.kept.Free, old.Free), old.Asked
		if a.now < old.Until {
			fresh = min(max(fresh, rest), remains) // less only where two customers became one, or somebody is exempt
			x.kept.Through = old.Through           // the device may go on with the old share, counted from there
		}
	}
	// What it made above the number that the message names, and is here nevertheless, it counts itself.
	told := fresh + a.taken(u, to, epoch, through, min(within, contact.Lasts(u.limit)))
	x.told.Units = uint32(min(told, 1<<31))
	x.kept.Units = max(fresh, rest) + a.taken(u, to, epoch, x.kept.Through, remembered)
	return x
}

// lend works out the budgets for a message to a holding, and notes them in the ledger: none where it is not
// known which limits the device keeps, or how its log counts. asked is the device's clock when it asked.
func (s *step) lend(f *folded, h Holding, asked sense.Instant, ended []Grant) (r reply, err error) {
	d, err := s.device(h.Device)
	if err != nil || d.Epoch == 0 {
		return r, err
	}
	b, err := s.bundleOf(d)
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
	to := holder{h.Device, h.Handle}
	r.until = s.now.Add(leaseOf(b))
	for _, g := range a.grants {
		if g.Device == h.Device && g.Handle == h.Handle {
			r.until = max(r.until, g.Until)
		}
	}
	size := 0
	for _, u := range units(b) {
		x := a.share(u, to, d.Epoch, mark.Through, r.until)
		if x.told.Units == 0 && a.counted(u) >= u.limit.AtMost {
			continue
		}
		if size += x.told.Msgsize(); len(r.budgets) == mostBudgets || size > mostBudgetBytes {
			break
		}
		r.budgets = append(r.budgets, x.told)
		if x.told.Units > 0 { // else others have what is left, and may give it back any time: it is worth asking again soon
			x.kept.Asked = max(x.kept.Asked, asked)
			s.write(PutGrant{x.kept})
		}
	}
	return r, nil
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
	a := newAccount(b, s.now, encounters(f.contacts, b), kept)
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

// answer answers a request for budgets: with the slice, where the device has another than this.
func (s *step) answer(f *folded, h Holding, r *wire.BudgetRequest, answer reply) error {
	if r.Revision == h.Revision && h.Revision > 0 && !s.whole {
		return s.unchanged(h, answer)
	}
	return s.tell(f, h, answer)
}
