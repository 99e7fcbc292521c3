package hub

import (
	"crypto/sha256"
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

// pushSlices makes the slices of every handle whose customer or owner was
// touched, and sends those whose content is another than before.
func (s *step) pushSlices(t touched) error {
	var ids []string
	for _, id := range sortedKeys(t.ids, strings.Compare) {
		all, err := s.ids(id)
		if err != nil {
			return err
		}
		for _, x := range all {
			if !slices.Contains(ids, x) {
				ids = append(ids, x)
			}
		}
	}
	var holdings []Holding
	if len(ids) > 0 {
		h, err := s.view.HoldingsOf(ids)
		if err != nil {
			return err
		}
		holdings = h
	}
	if owners := sortedKeys(t.owners, strings.Compare); len(owners) > 0 {
		h, err := s.view.HoldingsWith(owners)
		if err != nil {
			return err
		}
		for _, x := range h {
			if !slices.ContainsFunc(holdings, func(y Holding) bool { return x.Device == y.Device && x.Handle == y.Handle }) {
				holdings = append(holdings, x)
			}
		}
	}
	known := map[string]profile.Slice{} // by customer: several devices hold the same
	for _, h := range holdings {
		if s.now >= h.Until {
			continue // the lease has ended: the device has dropped it, and asks when it needs it again
		}
		if err := s.refresh(h, known, "", false); err != nil {
			return err
		}
	}
	return nil
}

// refresh makes the slice of a holding anew. A change, or always, sends it and
// begins a lease. known may be nil.
func (s *step) refresh(h Holding, known map[string]profile.Slice, re string, always bool) error {
	d, err := s.device(h.Device)
	if err != nil {
		return err
	}
	person, err := s.person(h.ID)
	if err != nil {
		return err
	}
	all, have := known[person]
	if !have {
		ids, err := s.ids(h.ID)
		if err != nil {
			return err
		}
		if all, err = s.known(ids); err != nil {
			return err
		}
		if known != nil {
			known[person] = all
		}
	}
	b, err := s.bundleOf(d)
	if err != nil {
		return err
	}
	content, err := s.content(b, &all, h.Owners)
	if err != nil {
		return err
	}
	content.Customer = person
	digest, err := fit(content)
	if err != nil {
		return err
	}
	if digest == h.Digest && h.Revision > 0 && !always {
		return nil
	}
	if digest != h.Digest || h.Revision == 0 {
		h.Revision++
	}
	h.Digest, h.Until = digest, s.now.Add(s.cfg.Lease)
	s.write(PutHolding{h})
	mark, err := s.view.Mark(h.Device, d.Epoch)
	if err != nil {
		return err
	}
	content.Handle, content.Revision, content.Until, content.Re = h.Handle, h.Revision, int64(h.Until), re
	content.ThroughEpoch, content.Through = d.Epoch, mark.Through
	return s.sendDown(h.Device, wire.ClassSlice, h.Handle.String(), content)
}

// bundleOf returns the bundle that a device runs, else the one that it shall run; nil where neither is known.
func (s *step) bundleOf(d Device) (*catalog.Bundle, error) {
	b, err := s.bundle(d.Birth.Bundle.SHA256)
	if err != nil || b != nil {
		return b, err
	}
	w, _, err := s.wantOf(d.ID)
	if err != nil {
		return nil, err
	}
	return s.bundle(w.SHA256)
}

// content is the part of what is known that a bundle can use, on a device with
// these owners. Without a bundle it is empty.
func (s *step) content(b *catalog.Bundle, all *profile.Slice, owners []event.Owner) (*wire.Slice, error) {
	c := &wire.Slice{}
	if b == nil {
		return c, nil
	}
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
			if f, ok := all.Find(d.Name, ""); ok {
				c.Facts = appendFact(c.Facts, d, f, s.now)
			}
		}
	}
	for _, o := range owners {
		c.Owners = append(c.Owners, wire.Owner{Kind: o.Kind, ID: o.ID})
		facts, err := s.ownerFacts(b, o, allowed)
		if err != nil {
			return nil, err
		}
		c.Facts = append(c.Facts, facts...)
	}
	slices.SortStableFunc(c.Facts, func(x, y wire.SliceFact) int {
		if n := strings.Compare(x.Name, y.Name); n != 0 {
			return n
		}
		return strings.Compare(x.Owner, y.Owner)
	})
	for _, i := range all.Interactions {
		k := kindOf(b, i.Kind)
		if k == nil || !hasBasis(b, k.Purposes) || s.now >= i.Happened.Add(k.Keep) {
			continue
		}
		c.Interactions = append(c.Interactions, wire.SliceInteraction{Kind: i.Kind, About: string(i.About), Channel: i.Channel, Ref: i.Ref,
			Happened: int64(i.Happened), Due: orNone(i.Due), Value: wire.ValueOf(i.Value), ID: i.ID, Source: i.Source})
	}
	return c, nil
}

// ownerFacts returns the facts of a vehicle, household or site that the bundle declares for its kind.
func (s *step) ownerFacts(b *catalog.Bundle, o event.Owner, allowed catalog.PurposeSet) ([]wire.SliceFact, error) {
	entries, err := s.view.OwnerEntries([]string{o.ID})
	if err != nil {
		return nil, err
	}
	var own profile.Slice
	for k := range entries {
		e, err := entries[k].event()
		if err != nil {
			return nil, err
		}
		if err := own.Fold(&e); err != nil {
			return nil, err
		}
	}
	var facts []wire.SliceFact
	for k := range b.Facts {
		if d := &b.Facts[k]; d.Owner == o.Kind && (d.Purposes == 0 || d.Purposes&allowed != 0) {
			if f, ok := own.Find(d.Name, o.ID); ok {
				facts = appendFact(facts, d, f, s.now)
			}
		}
	}
	return facts, nil
}

// appendFact adds a fact within its retention, in its declared type, with what other sources said of it:
// every device then weighs the same claims.
func appendFact(list []wire.SliceFact, d *catalog.Fact, f *profile.Fact, now sense.Instant) []wire.SliceFact {
	held := profile.Claim{Value: f.Value, Provenance: f.Provenance, Source: f.Source, Happened: f.Happened}
	for _, c := range append([]profile.Claim{held}, f.Claims...) {
		if now >= c.Happened.Add(d.Keep) {
			continue
		}
		v, err := d.Accept(c.Value, c.Provenance, now)
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

// fit makes a slice small enough for one message, and returns the digest of its
// content. What has to go are the oldest interactions: a device then knows less
// of long ago.
func fit(c *wire.Slice) (Digest, error) {
	for {
		if n := len(c.Interactions); n > 4000 {
			c.Interactions = c.Interactions[n-4000:]
		}
		b, err := wire.EncodeDown(c)
		if err == nil && len(b) <= wire.MaxMessage-room {
			sum := sha256.Sum256(b)
			return Digest(sum[:16]), nil
		}
		if err != nil && !errors.Is(err, wire.ErrTooLarge) {
			return Digest{}, err
		}
		if len(c.Interactions) == 0 {
			if len(c.Facts) == 0 {
				return Digest{}, fmt.Errorf("make slice: consents alone are over the limit: %w", wire.ErrTooLarge)
			}
			c.Facts = c.Facts[:len(c.Facts)/2]
			continue
		}
		c.Interactions = c.Interactions[(len(c.Interactions)+7)/8:]
	}
}

// orNone is an instant on the wire: 0 where there is none.
func orNone(i sense.Instant) int64 {
	if i == sense.Never {
		return 0
	}
	return int64(i)
}
