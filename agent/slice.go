package agent

import (
	"sort"

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
	fold := func(happened int64, source string, body event.Body) {
		_ = s.Fold(&event.Event{Happened: sense.Instant(happened), Source: source, Body: body}) // what a slice consists of folds
	}
	for _, f := range w.Facts {
		p := event.Provenance(f.Provenance)
		v, fits := typed(b, f.Name, f.Value.Value, p)
		if !fits || p < event.Declared || p > event.ThirdParty {
			continue
		}
		fold(f.Happened, f.Source, &event.Fact{Name: f.Name, Owner: f.Owner, Value: v, Provenance: p})
	}
	for _, c := range w.Consents {
		if c.Ever && !c.Granted {
			fold(c.Happened-1, "", &event.Consent{Purpose: c.Purpose, Granted: true, Expires: toNever(c.Expires)})
		}
		fold(c.Happened, "", &event.Consent{Purpose: c.Purpose, Granted: c.Granted, Text: c.Text, Expires: toNever(c.Expires)})
	}
	for _, o := range w.Objections {
		fold(o.Happened, "", &event.Objection{Purpose: o.Purpose, Raised: o.Raised})
	}
	for _, i := range w.Interactions {
		s.Interactions = append(s.Interactions, profile.Interaction{Kind: i.Kind, About: event.Subject(i.About), Channel: i.Channel, Ref: i.Ref,
			Value: i.Value.Value, Due: toNever(i.Due), Happened: sense.Instant(i.Happened), Source: i.Source, ID: i.ID})
	}
	sort.SliceStable(s.Interactions, func(a, b int) bool { return s.Interactions[a].Happened < s.Interactions[b].Happened })
	return s
}

// typed gives a fact's value the declared type. A fact that no rule of the
// policy declares is kept as it came: nothing reads it.
func typed(b *catalog.Bundle, name string, v sense.Value, p event.Provenance) (sense.Value, bool) {
	if b == nil || v.IsNull() {
		return v, true
	}
	d := b.Fact(name)
	if d == nil {
		return v, true
	}
	w, err := d.Accept(v, p, sense.Never) // the hub has judged what lies ahead
	return w, err == nil
}
