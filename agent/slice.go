package agent

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// sliceUpdate turns what the hub says of a slice into what the mind takes. ok is
// false for a message that is about no slice.
func sliceUpdate(m wire.DownMessage, epoch uint64, b *catalog.Bundle) (u engine.SliceUpdate, ok bool) {
	through := func(of, seq uint64) uint64 {
		if of != epoch {
			return 0 // numbers of another line say nothing of this one
		}
		return seq
	}
	switch m := m.(type) {
	case *wire.Slice:
		return engine.SliceUpdate{Handle: engine.Handle(m.Handle), Revision: m.Revision, Until: sense.Instant(m.Until),
			Through: through(m.ThroughEpoch, m.Through), Customer: m.Customer, Slice: sliceOf(m, b)}, true
	case *wire.Unchanged:
		return engine.SliceUpdate{Handle: engine.Handle(m.Handle), Revision: m.Revision, Until: sense.Instant(m.Until),
			Through: through(m.ThroughEpoch, m.Through)}, true
	case *wire.Forget:
		return engine.SliceUpdate{Handle: engine.Handle(m.Handle), Forget: true}, true
	}
	return engine.SliceUpdate{}, false
}

// sliceOf brings a slice of the wire into order. Facts whose value is not of the
// type that the policy declares are left out: a rule must not act on them.
func sliceOf(w *wire.Slice, b *catalog.Bundle) *profile.Slice {
	s := &profile.Slice{Customer: w.Customer, Restricted: w.Restricted}
	for _, f := range w.Facts {
		v, fits := typed(b, f.Name, f.Value.Value)
		if !fits || f.Provenance < uint8(event.Declared) || f.Provenance > uint8(event.ThirdParty) {
			continue
		}
		s.Facts = append(s.Facts, profile.Fact{Name: f.Name, Owner: f.Owner, Value: v, Provenance: event.Provenance(f.Provenance), Source: f.Source, Happened: sense.Instant(f.Happened)})
	}
	for _, c := range w.Consents {
		s.Consents = append(s.Consents, profile.Consent{Purpose: c.Purpose, Granted: c.Granted, Ever: c.Ever || c.Granted, Text: c.Text, Expires: toNever(c.Expires), Happened: sense.Instant(c.Happened)})
	}
	for _, o := range w.Objections {
		s.Objections = append(s.Objections, profile.Objection{Purpose: o.Purpose, Raised: o.Raised, Happened: sense.Instant(o.Happened)})
	}
	for _, i := range w.Interactions {
		s.Interactions = append(s.Interactions, profile.Interaction{Kind: i.Kind, About: event.Subject(i.About), Channel: i.Channel, Ref: i.Ref,
			Value: i.Value.Value, Due: toNever(i.Due), Happened: sense.Instant(i.Happened), Source: i.Source, ID: i.ID})
	}
	s.Facts = newest(s.Facts, func(a, b profile.Fact) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Owner, b.Owner))
	}, func(f profile.Fact) sense.Instant { return f.Happened })
	s.Consents = newest(s.Consents, func(a, b profile.Consent) int { return strings.Compare(a.Purpose, b.Purpose) },
		func(c profile.Consent) sense.Instant { return c.Happened })
	s.Objections = newest(s.Objections, func(a, b profile.Objection) int { return strings.Compare(a.Purpose, b.Purpose) },
		func(o profile.Objection) sense.Instant { return o.Happened })
	slices.SortStableFunc(s.Interactions, func(a, b profile.Interaction) int { return cmp.Compare(a.Happened, b.Happened) })
	return s
}

// newest sorts a list and keeps the newest of those that are about the same.
func newest[T any](list []T, same func(a, b T) int, happened func(T) sense.Instant) []T {
	slices.SortStableFunc(list, func(a, b T) int {
		return cmp.Or(same(a, b), cmp.Compare(happened(b), happened(a)))
	})
	return slices.CompactFunc(list, func(a, b T) bool { return same(a, b) == 0 })
}

// typed gives a fact's value the declared type. A fact that no rule of the
// policy declares is kept as it came: nothing reads it.
func typed(b *catalog.Bundle, name string, v sense.Value) (sense.Value, bool) {
	if b == nil || v.IsNull() {
		return v, true
	}
	k, found := slices.BinarySearchFunc(b.Facts, name, func(f catalog.Fact, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return v, true
	}
	d := &b.Facts[k]
	if d.Kind != sense.List {
		w, err := v.As(d.Kind)
		return w, err == nil
	}
	if v.Kind() != sense.List {
		return v, false
	}
	l := make([]sense.Value, 0, len(v.List()))
	for _, x := range v.List() {
		w, err := x.As(d.Elem)
		if err != nil {
			return v, false
		}
		l = append(l, w)
	}
	return sense.ListValue(l), true
}
