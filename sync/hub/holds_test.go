package hub_test

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// deliver brings a message to the slice that its device holds, as a device takes it.
func (w *world) deliver(m hub.Message) {
	w.t.Helper()
	topic, err := wire.ParseTopic(m.Topic)
	if err != nil {
		w.t.Fatal(err)
	}
	if topic.Class != wire.ClassSlice || w.away[topic.Device] {
		return
	}
	down, err := wire.DecodeDown(wire.ClassSlice, m.Payload)
	if err != nil {
		w.t.Fatal(err)
	}
	key := topic.Device + "/" + topic.Name
	held := w.held[key]
	switch m := down.(type) {
	case *wire.Slice:
		w.held[key] = m
	case *wire.Forget:
		delete(w.held, key)
	case *wire.Unchanged:
		if m.Revision == 0 { // the hub knows nothing of it
			return
		}
		if held == nil || held.Revision != m.Revision {
			w.t.Fatalf("%s holds %v, and hears that revision %d is unchanged", key, held, m.Revision)
		}
		held.Until, held.Through = m.Until, m.Through
	case *wire.Delta:
		if held == nil || held.Revision != m.Base {
			w.t.Fatalf("%s holds %v, and hears what is new since revision %d", key, held, m.Base)
		}
		apply(held, m)
	}
}

// apply brings a slice up to date.
func apply(s *wire.Slice, d *wire.Delta) {
	s.Revision, s.Until, s.Through, s.Customer, s.Restricted = d.Revision, d.Until, d.Through, d.Customer, d.Restricted
	s.Facts = replaced(s.Facts, d.Facts, func(a, b wire.SliceFact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Provenance/3, b.Provenance/3),
			cmp.Compare(fmt.Sprint(a.Value.IsNull()), fmt.Sprint(b.Value.IsNull())))
	})
	s.Consents = replaced(s.Consents, d.Consents, func(a, b wire.SliceConsent) int { return cmp.Compare(a.Purpose, b.Purpose) })
	s.Objections = replaced(s.Objections, d.Objections, func(a, b wire.SliceObjection) int { return cmp.Compare(a.Purpose, b.Purpose) })
	s.Exposures = replaced(s.Exposures, d.Exposures, func(a, b wire.SliceExposure) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Decision, b.Decision))
	})
	s.Interactions = append(s.Interactions, d.Interactions...)
	slices.SortStableFunc(s.Interactions, func(a, b wire.SliceInteraction) int { return cmp.Compare(a.Happened, b.Happened) })
}

func replaced[T any](old, new []T, order func(a, b T) int) []T {
	old = slices.DeleteFunc(old, func(x T) bool {
		return slices.ContainsFunc(new, func(y T) bool { return order(x, y) == 0 })
	})
	old = append(old, new...)
	slices.SortStableFunc(old, order)
	return old
}

// holds is the slice that a device has; nil where it has none.
func (w *world) holds(device string, h wire.Handle) *wire.Slice {
	return w.held[device+"/"+h.String()]
}

// empty is a ledger that knows of nothing.
func empty() ledger.Ledger { return ledger.NewMemory() }
