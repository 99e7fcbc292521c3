package hub

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
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
	grants   []Grant     // not settled, in order of device, handle, limit and about
	showFor  sense.Duration

	exposures []profile.Exposure // of met
	about     subjects           // places in met
	named     map[string]*subjects
	each      map[string][]int         // per limit: the grants of each subject
	others    map[subjectsOf]*subjects // of bundles of which something of each subject was granted
	find      func(sha string) (*catalog.Bundle, error)
	found     []int // scratch
}

// subjectsOf names the subjects that a limit of a bundle counts by.
type subjectsOf struct{ sha, limit string }

func newAccount(b *catalog.Bundle, now sense.Instant, met []encounter, grants []Grant, find func(sha string) (*catalog.Bundle, error)) *account {
	a := &account{bundle: b, now: now, met: met, grants: grants, find: find, exposures: make([]profile.Exposure, len(met)),
		named: map[string]*subjects{}, each: map[string][]int{}, others: map[subjectsOf]*subjects{}}
	for k := range b.Slots {
		a.showFor = max(a.showFor, b.Slots[k].ShowFor)
	}
	for k := range met {
		x := &met[k].x
		a.exposures[k] = *x
		if x.About != "" {
			a.about.add(string(x.About), k)
		}
		a.about.add(x.Action, k)
	}
	for k := range grants {
		g := &grants[k]
		if _, each := g.each(); each {
			a.each[g.Limit] = append(a.each[g.Limit], k)
			continue
		}
		if a.named[g.Limit] == nil {
			a.named[g.Limit] = &subjects{}
		}
		a.named[g.Limit].add(g.About, k)
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
	s := profile.Slice{Exposures: a.exposures}
	if u.limit.About {
		s.Exposures = nil
		for _, k := range a.touched(u) {
			s.Exposures = append(s.Exposures, a.exposures[k])
		}
	}
	if len(s.Exposures) == 0 {
		return 0
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

// touched returns the contacts that may fall under a unit of a limit that counts per subject, until it is called again.
func (a *account) touched(u unit) []int {
	a.found = a.about.touching(a.found[:0], u.about)
	slices.Sort(a.found)
	return a.found
}

// taken returns how many contacts that a holder made above a number of its log, within so long, take a unit.
func (a *account) taken(u unit, of holder, epoch, above uint64, within sense.Duration) (n int64) {
	takes := func(k int) {
		c, x := a.met[k].of, &a.met[k].x
		if c.Device == of.device && c.Handle == of.handle && c.Epoch == epoch && c.Seq > above && a.now < x.At.Add(within) &&
			contact.Takes(a.bundle, u.limit, u.about, x) {
			n++
		}
	}
	if !u.limit.About {
		for k := range a.met {
			takes(k)
		}
		return n
	}
	for _, k := range a.touched(u) {
		takes(k)
	}
	return n
}

// rest returns how many contacts about something may still be made under a grant, or were made and are not known here.
func (a *account) rest(l *catalog.Limit, about string, g *Grant) int64 {
	return max(g.Units-a.taken(unit{l, about}, holder{g.Device, g.Handle}, g.Epoch, g.Through, remembered), 0)
}

// remaining returns how many contacts a limit still allows beside what is counted, and what all holders but
// one may make. It may be less than none: two customers who each had some turned out to be one.
func (a *account) remaining(u unit, counted int64, but holder) (int64, error) {
	n := u.limit.AtMost - counted
	var touching []int
	if named := a.named[u.limit.Name]; named != nil {
		touching = named.touching(nil, u.about)
	}
	touching = append(touching, a.each[u.limit.Name]...)
	slices.Sort(touching)
	rests := map[string]int64{} // of one holder, about each thing: it goes by one message, and may have any of them
	for k, place := range touching {
		g := &a.grants[place]
		of := holder{g.Device, g.Handle}
		if of != but {
			if err := a.rests(rests, u, g); err != nil {
				return 0, err
			}
		}
		if k+1 == len(touching) || of != (holder{a.grants[touching[k+1]].Device, a.grants[touching[k+1]].Handle}) {
			for _, rest := range rests { // order: a sum
				n -= rest
			}
			clear(rests)
		}
	}
	return n, nil
}

// rests notes what may be made under a grant that counts for a unit, about each thing.
func (a *account) rests(rests map[string]int64, u unit, g *Grant) error {
	sha, each := g.each()
	if !each {
		rests[g.About] = max(rests[g.About], a.rest(u.limit, g.About, g))
		return nil
	}
	those, err := a.subjectsOf(sha, u.limit.Name)
	if err != nil {
		return err
	}
	if those == nil { // nobody knows any more what it was about
		rests[g.About] = u.limit.AtMost
		return nil
	}
	for _, k := range those.touching(nil, u.about) {
		about := those.names[k]
		rests[about] = max(rests[about], a.rest(u.limit, about, g))
	}
	return nil
}

// subjectsOf returns what the limit of that name counts by in a bundle; nil where the bundle is not here.
func (a *account) subjectsOf(sha, limit string) (*subjects, error) {
	key := subjectsOf{sha, limit}
	if x, ok := a.others[key]; ok {
		return x, nil
	}
	b, err := a.find(sha)
	if err != nil || b == nil {
		return nil, err
	}
	x := &subjects{}
	for _, u := range units(b) {
		if u.limit.Name == limit {
			x.add(u.about, len(x.names))
			x.names = append(x.names, u.about)
		}
	}
	a.others[key] = x
	return x, nil
}

// share is what a holder is lent of a unit: told goes to the device, kept into the ledger (none where Units is 0).
type share struct {
	told  wire.Budget
	kept  Grant
	spent bool // nothing is left, whatever others give back
}

// share works out what a holder is lent: half of what remains, so that others find something, but no less than
// what it has, as far as that remains. The ledger never has less than what it had: the answer may be lost, and then
// it goes on with that. through is how far its log is here in the epoch. Nothing is lent where it may have made
// something in another epoch that is not known yet.
func (a *account) share(u unit, to holder, epoch, through uint64, until sense.Instant) (x share, err error) {
	within := a.lasting(u.limit)
	counted := a.counted(u)
	remains, err := a.remaining(u, counted, to)
	if err != nil {
		return x, err
	}
	remains = max(remains, 0)
	fresh, rest := (remains+1)/2, int64(0)
	x.told = wire.Budget{Limit: u.limit.Name, About: u.about}
	x.spent = counted >= u.limit.AtMost
	x.kept = Grant{Device: to.device, Handle: to.handle, Limit: u.limit.Name, About: u.about, Epoch: epoch, Through: through,
		Until: until, Free: until.Add(within)}
	had, err := a.had(u, to)
	if err != nil {
		return x, err
	}
	for _, old := range had {
		if old.Epoch != epoch {
			return x, nil
		}
		left := a.rest(u.limit, u.about, old)
		if a.now < old.Until {
			fresh = min(max(fresh, left), remains) // less only where two customers became one, or somebody is exempt
		}
		if old.About != u.about {
			continue // it is kept beside this one
		}
		rest = left
		x.kept.Free, x.kept.Asked = max(x.kept.Free, old.Free), old.Asked
		if a.now < old.Until {
			x.kept.Through = old.Through // the device may go on with the old share, counted from there
		}
	}
	// What it made above the number that the message names, and is here nevertheless, it counts itself.
	told := fresh + a.taken(u, to, epoch, through, min(within, contact.Lasts(u.limit)))
	x.told.Units = uint32(min(told, 1<<31))
	x.kept.Units = max(fresh, rest) + a.taken(u, to, epoch, x.kept.Through, remembered)
	return x, nil
}

// had returns the grants of a unit that a holder has: under its name, and of each subject.
func (a *account) had(u unit, to holder) (list []*Grant, err error) {
	if named := a.named[u.limit.Name]; named != nil {
		for _, k := range named.at[u.about] {
			if g := &a.grants[k]; g.Device == to.device && g.Handle == to.handle {
				list = append(list, g)
			}
		}
	}
	for _, k := range a.each[u.limit.Name] {
		g := &a.grants[k]
		if g.Device != to.device || g.Handle != to.handle {
			continue
		}
		sha, _ := g.each()
		those, err := a.subjectsOf(sha, u.limit.Name)
		if err != nil {
			return nil, err
		}
		if those == nil || len(those.at[u.about]) > 0 {
			list = append(list, g)
		}
	}
	return list, nil
}

// ofEach is what the About of a grant begins with that is of each subject of a bundle which the message did not name;
// the bundle's hash follows. No subject and no action is named so.
const ofEach = "*"

// each returns the bundle of whose subjects a grant is of each.
func (g *Grant) each() (sha string, ok bool) { return strings.CutPrefix(g.About, ofEach) }

// shareOfEach is what a holder is lent of every subject of a limit that is not named.
func (a *account) shareOfEach(l *catalog.Limit, sha string, told int64, to holder, epoch, through uint64, until sense.Instant) Grant {
	g := Grant{Device: to.device, Handle: to.handle, Limit: l.Name, About: ofEach + sha, Units: told, Epoch: epoch, Through: through,
		Until: until, Free: until.Add(a.lasting(l))}
	for _, k := range a.each[l.Name] {
		if old := &a.grants[k]; old.Device == g.Device && old.Handle == g.Handle && old.About == g.About {
			g.Units, g.Free, g.Asked = max(g.Units, old.Units), max(g.Free, old.Free), old.Asked
		}
	}
	return g
}
