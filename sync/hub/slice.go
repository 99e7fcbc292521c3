package hub

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// holder is a handle of a device: whoever holds a customer under it.
type holder struct {
	device string
	handle wire.Handle
}

// pushSlices tells every device that holds a customer, or somebody with an owner, what the round has
// changed of them. One customer after the other, so that it takes no more memory than one needs.
func (s *step) pushSlices(t touched) error {
	done := map[holder]bool{} // a step reads the ledger as it was before it: what is pushed twice would be told twice
	push := func(f *folded, holdings []Holding) error {
		for _, h := range holdings {
			key := holder{h.Device, h.Handle}
			if done[key] || s.now >= h.Until {
				continue // the lease has ended: the device has dropped it, and asks when it needs it again
			}
			done[key] = true
			if err := s.push(f, h); err != nil {
				return err
			}
		}
		return nil
	}
	people := map[string]bool{}
	for _, id := range sortedKeys(t.ids, strings.Compare) {
		name, err := s.person(id)
		if err != nil {
			return err
		}
		if people[name] {
			continue
		}
		people[name] = true
		ids, err := s.ids(id)
		if err != nil {
			return err
		}
		holdings, err := s.view.HoldingsOf(ids)
		if err != nil {
			return err
		}
		by := t.alone(ids)
		holdings = slices.DeleteFunc(holdings, func(h Holding) bool { return by == holder{h.Device, h.Handle} })
		if err := push(&folded{id: id, name: name, ids: ids}, holdings); err != nil {
			return err
		}
	}
	for _, owner := range sortedKeys(t.owners, strings.Compare) {
		holdings, err := s.view.HoldingsWith([]string{owner})
		if err != nil {
			return err
		}
		slices.SortStableFunc(holdings, func(a, b Holding) int { return strings.Compare(a.ID, b.ID) })
		for len(holdings) > 0 {
			n := 1
			for n < len(holdings) && holdings[n].ID == holdings[0].ID {
				n++
			}
			if err := push(&folded{id: holdings[0].ID}, holdings[:n]); err != nil {
				return err
			}
			holdings = holdings[n:]
		}
	}
	return nil
}

// alone returns the holder that alone met the customer with these ids; none where anything else changed.
func (t *touched) alone(ids []string) (by holder) {
	for _, id := range ids {
		switch one, ok := t.ids[id]; {
		case !ok:
		case one == holder{} || by != holder{} && one != by:
			return holder{}
		default:
			by = one
		}
	}
	return by
}

// push tells a device what is new in a slice that it holds: as a delta where it can, nothing where it knows
// all there is. That something has only grown too old is no news: the device drops it by the same rule.
func (s *step) push(f *folded, h Holding) error {
	v, err := s.viewFor(f, h)
	if err != nil {
		return err
	}
	fresh, own := v.newTo(&h)
	gone, err := s.lost(f, v, &h)
	if err != nil {
		return err
	}
	known := h.Revision > 0 && v.digest == h.Digest
	if s.limits[limitWord{holder{h.Device, h.Handle}, !v.slice.Restricted}] {
		known = false // it goes by its own word, against which another one holds
		h.Revision++  // also where this message is lost
	}
	if known && len(fresh) == 0 && !gone {
		if own { // it is among what the device has, from now on
			h.Items = v.items
			s.write(PutHolding{h})
		}
		return nil
	}
	if !known || gone || len(h.Items) == 0 {
		return s.sendSlice(v, h, reply{})
	}
	d := v.delta(fresh)
	t, err := s.lease(h.Device)
	if err != nil {
		return err
	}
	d.Handle, d.Base, d.Revision = h.Handle, h.Revision, h.Revision+1
	d.Until, d.ThroughEpoch, d.Through = t.until, t.epoch, t.through
	b, err := wire.EncodeDown(d)
	if err != nil || len(b) >= v.size {
		return s.sendSlice(v, h, reply{})
	}
	h.Revision, h.Items = d.Revision, v.items
	s.hold(h)
	s.send(h.Device, wire.ClassSlice, h.Handle.String(), b, false)
	return nil
}

// reply says what a message about a slice answers, and which budgets go with it.
type reply struct {
	re      string // id of the request; empty for a push
	budgets []wire.Budget
	each    []wire.BudgetEach
	until   sense.Instant // of the budgets; 0 says nothing of them
}

// size is an upper bound of the bytes that the budgets take.
func (r *reply) size() (n int) {
	for k := range r.budgets {
		n += r.budgets[k].Msgsize()
	}
	for k := range r.each {
		n += r.each[k].Msgsize()
	}
	return n
}

// tell sends the whole slice of a holding.
func (s *step) tell(f *folded, h Holding, r reply) error {
	f.spare = r.size()
	v, err := s.viewFor(f, h)
	if err != nil {
		return err
	}
	return s.sendSlice(v, h, r)
}

// sendSlice sends a slice whole. It has another number than before where its content is another.
func (s *step) sendSlice(v *view, h Holding, r reply) error {
	if h.Revision == 0 || v.digest != h.Digest || !slices.Equal(v.items, h.Items) {
		h.Revision++
	}
	h.Digest, h.Items = v.digest, v.items
	t, err := s.lease(h.Device)
	if err != nil {
		return err
	}
	s.hold(h)
	w := *v.slice
	w.Handle, w.Revision, w.Re = h.Handle, h.Revision, r.re
	w.Until, w.ThroughEpoch, w.Through = t.until, t.epoch, t.through
	w.Budgets, w.Each, w.BudgetUntil = r.budgets, r.each, int64(r.until)
	return s.sendDown(h.Device, wire.ClassSlice, h.Handle.String(), &w)
}

// unchanged renews the lease of a slice that the device has as it is here.
func (s *step) unchanged(h Holding, r reply) error {
	t, err := s.lease(h.Device)
	if err != nil {
		return err
	}
	s.hold(h)
	return s.sendDown(h.Device, wire.ClassSlice, h.Handle.String(), &wire.Unchanged{Handle: h.Handle, Revision: h.Revision, Until: t.until,
		ThroughEpoch: t.epoch, Through: t.through, Re: r.re, Budgets: r.budgets, Each: r.each, BudgetUntil: int64(r.until)})
}

// terms are what every message about a slice says beside it.
type terms struct {
	until          int64  // end of the lease that begins now
	epoch, through uint64 // the device's records up to this one are in what the hub knows
}

func (s *step) lease(device string) (t terms, err error) {
	d, err := s.device(device)
	if err != nil {
		return t, err
	}
	mark, err := s.view.Mark(device, d.Epoch)
	return terms{until: int64(s.now.Add(s.cfg.Lease)), epoch: d.Epoch, through: mark.Through}, err
}

// hold keeps a holding whose lease begins now.
func (s *step) hold(h Holding) {
	h.Until = s.now.Add(s.cfg.Lease)
	s.write(PutHolding{h})
}

// newLife lets a device that goes on with another log hear everything anew: its store was restored or cloned,
// and what it told itself may be in its slices no more.
func (s *step) newLife(d *Device, epoch uint64) error {
	if d.Epoch == epoch || d.Epoch == 0 && d.Leave == 0 {
		return nil
	}
	s.whole = true
	holdings, err := s.view.HoldingsAt(d.ID, s.now)
	if err != nil {
		return err
	}
	for _, h := range holdings {
		h.Revision, h.Items = h.Revision+1, nil
		s.write(PutHolding{h})
	}
	return nil
}

// bundleOf returns the bundle that a device runs, else the one that it shall run; nil where neither is known.
func (s *step) bundleOf(d Device) (*catalog.Bundle, error) {
	_, b, err := s.bundleNamed(d)
	return b, err
}

// bundleNamed returns its hash with it.
func (s *step) bundleNamed(d Device) (sha string, b *catalog.Bundle, err error) {
	b, err = s.bundle(d.Birth.Bundle.SHA256)
	if err != nil || b != nil {
		return d.Birth.Bundle.SHA256, b, err
	}
	wants, err := s.view.Wants()
	if err != nil {
		return "", nil, err
	}
	var best Want
	level := -1 // its own stands above those of its groups, of which the newest holds, and these above the tenant's
	for _, w := range wants {
		l := -1
		group, ofGroup := strings.CutPrefix(w.Scope, "g/")
		switch {
		case w.Scope == "":
			l = 0
		case ofGroup && slices.Contains(d.Birth.Groups, group):
			l = 1
		case w.Scope == "d/"+d.ID:
			l = 2
		}
		if l > level || l == level && l >= 0 && w.At > best.At {
			best, level = w, l
		}
	}
	b, err = s.bundle(best.SHA256)
	return best.SHA256, b, err
}

// folded is what is known of a customer, worked out once for all the devices that hold her.
type folded struct {
	id    string // one of hers
	spare int    // bytes that something else needs in the message

	name     string
	ids      []string
	here     bool // what follows was worked out
	known    profile.Slice
	contacts []Contacted
	told     map[word]holder // by which device
	views    []*view
}

// who finds the customer's name and ids, once.
func (s *step) who(f *folded) (err error) {
	if f.ids != nil {
		return nil
	}
	if f.name, err = s.person(f.id); err != nil {
		return err
	}
	f.ids, err = s.ids(f.id)
	return err
}

// fold reads the customer, once.
func (s *step) fold(f *folded) (err error) {
	if f.here {
		return nil
	}
	f.here = true
	if err := s.who(f); err != nil {
		return err
	}
	if f.known, f.told, err = s.knownAndTold(f.ids); err != nil {
		return err
	}
	f.contacts, err = s.view.Contacts(f.ids)
	return err
}

// view is what devices with one bundle and the same owners may know of a customer.
type view struct {
	bundle *catalog.Bundle
	owners []event.Owner
	slice  *wire.Slice // without what differs between two sendings
	size   int         // of it, encoded
	digest Digest      // of what is in no item
	parts  []part
	items  []uint64 // of parts, as Holding.Items
}

// viewFor returns what a holding may show, made once for holdings that are alike.
func (s *step) viewFor(f *folded, h Holding) (*view, error) {
	if err := s.fold(f); err != nil {
		return nil, err
	}
	d, err := s.device(h.Device)
	if err != nil {
		return nil, err
	}
	b, err := s.bundleOf(d)
	if err != nil {
		return nil, err
	}
	for _, v := range f.views {
		if v.bundle == b && slices.Equal(v.owners, h.Owners) {
			return v, nil
		}
	}
	v := &view{bundle: b, owners: h.Owners}
	met := s.encounters(f, b, false)
	if v.slice, err = s.content(f, b, h.Owners, met, s.now); err != nil {
		return nil, err
	}
	if v.size, err = fit(v.slice, f.spare); err != nil {
		return nil, err
	}
	s.itemize(f, v, met)
	f.views = append(f.views, v)
	return v, nil
}

// encounters returns the contacts that may still matter to a bundle, in order of time; all of them
// where asked for: those too that nothing counts any more.
func (s *step) encounters(f *folded, b *catalog.Bundle, all bool) []encounter {
	if b == nil || len(f.contacts) == 0 {
		return nil
	}
	met := encounters(f.contacts, b)
	if all {
		return met
	}
	p := profile.Slice{Interactions: slices.Clone(f.known.Interactions), Exposures: make([]profile.Exposure, len(met))}
	for k := range met {
		p.Exposures[k] = met[k].x
	}
	p.Prune(b, s.now) // as the devices do
	kept, n := met[:0], 0
	for _, m := range met {
		if n < len(p.Exposures) && p.Exposures[n].Decision == m.x.Decision {
			kept = append(kept, m)
			n++
		}
	}
	return kept
}

// content is the part of what is known that a bundle can use, on a device with
// these owners; facts and interactions that are kept at that instant. Without a bundle it is empty.
func (s *step) content(f *folded, b *catalog.Bundle, owners []event.Owner, met []encounter, at sense.Instant) (*wire.Slice, error) {
	c := &wire.Slice{Customer: f.name}
	if b == nil {
		return c, nil
	}
	all := &f.known
	c.Restricted = all.Restricted
	for k := range b.Purposes {
		name := b.Purposes[k].Name
		for _, x := range all.Consents {
			if x.Purpose == name {
				c.Consents = append(c.Consents, wire.SliceConsent{Purpose: name, Granted: x.Granted, Ever: x.Ever, Text: x.Text,
					Happened: int64(x.Happened), Expires: orNone(x.Expires)})
			}
		}
		for _, x := range all.Objections {
			if x.Purpose == name {
				c.Objections = append(c.Objections, wire.SliceObjection{Purpose: name, Raised: x.Raised, Happened: int64(x.Happened)})
			}
		}
	}
	allowed := permitted(b, all, s.now)
	for k := range b.Facts {
		if d := &b.Facts[k]; d.Owner == "" && (d.Purposes == 0 || d.Purposes&allowed != 0) {
			if fact, ok := all.Find(d.Name, ""); ok {
				c.Facts = s.appendFact(c.Facts, d, fact, at)
			}
		}
	}
	for _, o := range owners {
		c.Owners = append(c.Owners, wire.Owner{Kind: o.Kind, ID: o.ID})
		facts, err := s.ownerFacts(b, o, allowed, at)
		if err != nil {
			return nil, err
		}
		c.Facts = append(c.Facts, facts...)
	}
	slices.SortStableFunc(c.Facts, func(x, y wire.SliceFact) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Owner, y.Owner))
	})
	for _, i := range all.Interactions {
		k := kindOf(b, i.Kind)
		if k == nil || !hasBasis(b, k.Purposes) || at >= i.Happened.Add(k.Keep) {
			continue
		}
		c.Interactions = append(c.Interactions, wire.SliceInteraction{Kind: i.Kind, About: string(i.About), Channel: i.Channel, Ref: i.Ref,
			Happened: int64(i.Happened), Due: orNone(i.Due), Value: wire.ValueOf(i.Value), ID: i.ID, Source: i.Source})
	}
	for k := range met {
		c.Exposures = append(c.Exposures, wireExposure(&met[k].x))
	}
	return c, nil
}

// owned returns what is known of a vehicle, household or site.
func (s *step) owned(o event.Owner) (*profile.Slice, error) {
	if own := s.owners[o.ID]; own != nil {
		return own, nil
	}
	entries, err := s.view.OwnerEntries([]string{o.ID})
	if err != nil {
		return nil, err
	}
	own := &profile.Slice{}
	for k := range entries {
		e, err := entries[k].event()
		if err != nil {
			return nil, err
		}
		if err := own.Fold(&e); err != nil {
			return nil, err
		}
	}
	if s.owners == nil || len(s.owners) >= maxOwned {
		s.owners = map[string]*profile.Slice{}
	}
	s.owners[o.ID] = own
	return own, nil
}

// maxOwned is how many owners a step remembers: many customers of one site are pushed in one step.
const maxOwned = 256

// ownerFacts returns the facts of a vehicle, household or site that the bundle declares for its kind.
func (s *step) ownerFacts(b *catalog.Bundle, o event.Owner, allowed catalog.PurposeSet, at sense.Instant) ([]wire.SliceFact, error) {
	own, err := s.owned(o)
	if err != nil {
		return nil, err
	}
	var facts []wire.SliceFact
	for k := range b.Facts {
		if d := &b.Facts[k]; d.Owner == o.Kind && (d.Purposes == 0 || d.Purposes&allowed != 0) {
			if f, ok := own.Find(d.Name, o.ID); ok {
				facts = s.appendFact(facts, d, f, at)
			}
		}
	}
	return facts, nil
}

// appendFact adds a fact within its retention, in its declared type, with what other sources said of it:
// every device then weighs the same claims.
func (s *step) appendFact(list []wire.SliceFact, d *catalog.Fact, f *profile.Fact, at sense.Instant) []wire.SliceFact {
	held := profile.Claim{Value: f.Value, Provenance: f.Provenance, Source: f.Source, Happened: f.Happened}
	for _, c := range append([]profile.Claim{held}, f.Claims...) {
		if at >= c.Happened.Add(d.Keep) {
			continue
		}
		v, err := d.Accept(c.Value, c.Provenance, s.now)
		if err != nil {
			continue // told before this bundle declared it so: missing is the careful reading
		}
		list = append(list, wire.SliceFact{Name: f.Name, Owner: f.Owner, Value: wire.ValueOf(v), Provenance: uint8(c.Provenance),
			Source: c.Source, Happened: int64(c.Happened)})
	}
	return list
}

// permitted returns the purposes for which facts may be used now.
func permitted(b *catalog.Bundle, all *profile.Slice, now sense.Instant) catalog.PurposeSet {
	var set catalog.PurposeSet
	for k := range b.Purposes {
		p := &b.Purposes[k]
		if p.Basis == catalog.BasisNone {
			continue
		}
		if p.Basis.NeedsGrant() {
			if state, _ := all.Consent(p.Name, now); state != profile.ConsentGranted {
				continue
			}
		}
		if p.Basis.YieldsToObjection() && all.Objects(p.Name) || all.Restricted && !p.Basis.HoldsUnderRestriction() {
			continue
		}
		set |= 1 << uint(k)
	}
	return set
}

// hasBasis says whether one of the purposes has a legal basis; none asks for none.
func hasBasis(b *catalog.Bundle, set catalog.PurposeSet) bool {
	for k := range b.Purposes {
		if set.Has(int32(k)) && b.Purposes[k].Basis != catalog.BasisNone {
			return true
		}
	}
	return set == 0
}

// room is left for what differs between two sendings of the same content, and for the signature.
const room = 1 << 10

// fit makes a slice small enough for one message in which spare bytes are taken, and returns its size.
// What has to go are the oldest interactions and contacts, of which there are more, but none that was
// answered with never: a device then knows less of long ago.
func fit(c *wire.Slice, spare int) (size int, err error) {
	for {
		if n := len(c.Interactions); n > mostListed {
			c.Interactions = c.Interactions[n-mostListed:]
		}
		if n := len(c.Exposures); n > mostListed {
			c.Exposures = forgetOldest(c.Exposures, n-mostListed)
		}
		b, err := wire.EncodeDown(c)
		if err == nil && len(b)+spare <= wire.MaxMessage-room {
			return len(b), nil
		}
		if err != nil && !errors.Is(err, wire.ErrTooLarge) {
			return 0, err
		}
		switch i, x := len(c.Interactions), len(c.Exposures); {
		case i == 0 && x == 0 && len(c.Facts) == 0:
			return 0, fmt.Errorf("make slice: consents alone are over the limit: %w", wire.ErrTooLarge)
		case i == 0 && x == 0:
			c.Facts = c.Facts[:len(c.Facts)/2]
		case x > i:
			c.Exposures = forgetOldest(c.Exposures, (x+7)/8)
		default:
			c.Interactions = c.Interactions[(i+7)/8:]
		}
	}
}

// mostListed is how many interactions, and how many contacts, a slice holds.
const mostListed = 4000

// forgetOldest drops the n oldest contacts, those answered with never last.
func forgetOldest(list []wire.SliceExposure, n int) []wire.SliceExposure {
	for _, lasting := range []bool{false, true} {
		list = slices.DeleteFunc(list, func(x wire.SliceExposure) bool {
			never := slices.ContainsFunc(x.Outcomes, func(o wire.SliceOutcome) bool { return o.Outcome == "never" })
			if n == 0 || never != lasting {
				return false
			}
			n--
			return true
		})
	}
	return list
}

// orNone is an instant on the wire: 0 where there is none.
func orNone(i sense.Instant) int64 {
	if i == sense.Never {
		return 0
	}
	return int64(i)
}
