package agent

import (
	"cmp"
	"sort"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// sliceUpdate turns what the hub says of a slice into what the mind takes, with the id of the request that
// it answers. ok is false for a message that is about no slice.
func sliceUpdate(m wire.DownMessage, epoch uint64, b *catalog.Bundle) (u engine.SliceUpdate, re string, ok bool) {
	through := func(of, seq uint64) uint64 {
		if of != epoch {
			return 0 // numbers of another line say nothing of this one
		}
		return seq
	}
	lent := func(u engine.SliceUpdate, list []wire.Budget, each []wire.BudgetEach, until int64) engine.SliceUpdate {
		u.Budgets, u.BudgetUntil = budgetsOf(list), sense.Instant(until)
		for _, e := range each {
			u.Each, u.EachOf = append(u.Each, profile.Each{Limit: e.Limit, Units: int64(e.Units), But: e.But}), e.Bundle
		}
		return u
	}
	switch m := m.(type) {
	case *wire.Slice:
		return lent(engine.SliceUpdate{Handle: engine.Handle(m.Handle), Revision: m.Revision, Until: sense.Instant(m.Until),
			Through: through(m.ThroughEpoch, m.Through), Customer: m.Customer, Slice: sliceOf(m, b)},
			m.Budgets, m.Each, m.BudgetUntil), m.Re, true
	case *wire.Delta:
		part := &wire.Slice{Customer: m.Customer, Restricted: m.Restricted, Facts: m.Facts, Consents: m.Consents,
			Objections: m.Objections, Interactions: m.Interactions, Exposures: m.Exposures}
		return lent(engine.SliceUpdate{Handle: engine.Handle(m.Handle), Delta: true, Base: m.Base, Revision: m.Revision, Until: sense.Instant(m.Until),
			Through: through(m.ThroughEpoch, m.Through), Customer: m.Customer, Slice: sliceOf(part, b)},
			m.Budgets, m.Each, m.BudgetUntil), m.Re, true
	case *wire.Unchanged:
		return lent(engine.SliceUpdate{Handle: engine.Handle(m.Handle), Revision: m.Revision, Until: sense.Instant(m.Until),
			Through: through(m.ThroughEpoch, m.Through)}, m.Budgets, m.Each, m.BudgetUntil), m.Re, true
	case *wire.Forget:
		return engine.SliceUpdate{Handle: engine.Handle(m.Handle), Forget: true}, m.Re, true
	}
	return engine.SliceUpdate{}, "", false
}

func budgetsOf(list []wire.Budget) (all []profile.Budget) {
	for _, b := range list {
		all = append(all, profile.Budget{Limit: b.Limit, About: b.About, Units: int64(b.Units)})
	}
	return all
}

// exposureOfWire is a contact as the mind knows it. What the hub could not name the bundle names.
func exposureOfWire(w *wire.SliceExposure, b *catalog.Bundle) profile.Exposure {
	x := profile.Exposure{Decision: w.Decision, Action: w.Action, Intent: w.Intent, Group: w.Group, About: event.Subject(w.About), Channel: w.Channel,
		Slot: w.Slot, At: sense.Instant(w.At), Shown: sense.Instant(w.Shown), Failed: w.Failed}
	for _, o := range w.Outcomes {
		x.Outcomes = append(x.Outcomes, profile.Outcome{Outcome: o.Outcome, At: sense.Instant(o.At)})
	}
	if b == nil {
		return x
	}
	if act := b.Action(x.Action); act != nil && x.Intent == "" { // then nothing of the bundle was known there
		x.Intent, x.About = act.Intent.String(), cmp.Or(x.About, act.About)
		if act.Group >= 0 {
			x.Group = cmp.Or(x.Group, b.Groups[act.Group].Name)
		}
	}
	if slot := b.Slot(x.Slot); slot != nil {
		x.Channel = cmp.Or(x.Channel, slot.Channel)
	}
	return x
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
	contacts := make([]profile.Exposure, len(w.Exposures))
	for k := range w.Exposures {
		contacts[k] = exposureOfWire(&w.Exposures[k], b)
	}
	s.MergeExposures(contacts)
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

// limited says whether a policy has limits of which units are leased.
func limited(b *catalog.Bundle) bool {
	if b == nil {
		return false
	}
	for k := range b.Contact.Limits {
		if b.Contact.Limits[k].AtMost > 0 {
			return true
		}
	}
	return false
}
