package agent

import (
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// TestContactsAreNamedByTheBundle: what the hub could not name is looked up here, what it named is left.
func TestContactsAreNamedByTheBundle(t *testing.T) {
	b, findings, err := policy.Compile("../testdata/policies/loyalty")
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	m := &wire.Slice{Handle: wire.Handle{1}, Revision: 3, Until: 99, Exposures: []wire.SliceExposure{
		{Decision: "k2-9-2", Action: "seat-covers", Slot: "app.list", At: 20, Outcomes: []wire.SliceOutcome{{Outcome: "never", At: 21}}},
		{Decision: "k2-9-1", Action: "rose-offer", Intent: "service", About: "product:tulip", Channel: "mail", Slot: "app.ideas", At: 10, Shown: 11},
		{Decision: "k2-9-3", Action: "of another policy", Slot: "nowhere", At: 30},
	}}
	u, re, ok := sliceUpdate(m, 5, b)
	if !ok || re != "" || len(u.Slice.Exposures) != 3 {
		t.Fatalf("%+v", u)
	}
	first, second, third := u.Slice.Exposures[0], u.Slice.Exposures[1], u.Slice.Exposures[2]
	if first.Decision != "k2-9-1" || first.Intent != "service" || first.About != "product:tulip" || first.Channel != "mail" || first.Group != "" || first.Shown != 11 {
		t.Errorf("named by the hub: %+v", first)
	}
	if second.Intent != "sales" || second.About != "product:seat-covers" || second.Group != "covers" || second.Channel != "app" || len(second.Outcomes) != 1 || second.Seq != 0 {
		t.Errorf("named here: %+v", second)
	}
	if third.Intent != "" || third.Action != "of another policy" {
		t.Errorf("unknown: %+v", third)
	}
}

// TestDeltaIsOfTheWire: base, budgets and what they are counted from; numbers of another epoch say nothing.
func TestDeltaIsOfTheWire(t *testing.T) {
	d := &wire.Delta{Handle: wire.Handle{1}, Base: 7, Revision: 8, Until: 99, ThroughEpoch: 5, Through: 41, Customer: "p1", Restricted: true,
		Consents: []wire.SliceConsent{{Purpose: "offers", Granted: true, Happened: 3}}, Budgets: []wire.Budget{{Limit: "x", About: "product:y", Units: 2}}, BudgetUntil: 50, Re: "budget-1",
		Each: []wire.BudgetEach{{Limit: "x", Units: 3, But: []string{"product:z"}, Bundle: [8]byte{7}}}}
	u, re, ok := sliceUpdate(d, 5, nil)
	if !ok || re != "budget-1" || !u.Delta || u.Base != 7 || u.Revision != 8 || u.Through != 41 || u.Customer != "p1" || !u.Slice.Restricted || len(u.Slice.Consents) != 1 ||
		u.BudgetUntil != 50 || len(u.Budgets) != 1 || u.Budgets[0].Units != 2 || u.Budgets[0].About != "product:y" ||
		len(u.Each) != 1 || u.Each[0].Limit != "x" || u.Each[0].Units != 3 || len(u.Each[0].But) != 1 || u.EachOf != [8]byte{7} {
		t.Errorf("%+v, %q", u, re)
	}
	if u, _, _ := sliceUpdate(d, 6, nil); u.Through != 0 {
		t.Errorf("through %d of another epoch", u.Through)
	}
	u, re, ok = sliceUpdate(&wire.Unchanged{Handle: wire.Handle{1}, Revision: 8, Re: "a", BudgetUntil: 50}, 5, nil)
	if !ok || re != "a" || u.Slice != nil || u.BudgetUntil != 50 {
		t.Errorf("%+v, %q", u, re)
	}
}

// TestAnswerToAnothersDecision comes to the hub under that device's name, and back from the log.
func TestAnswerToAnothersDecision(t *testing.T) {
	c := &codec{device: "kiosk-1", epoch: 5}
	names := symbolsOf(wire.BundleID{}, nil)
	for id, want := range map[string]wire.Outcome{
		"kiosk-1-5-3":   {N: 3},
		"kiosk-1-4-3":   {N: 3, Epoch: 4},
		"kiosk-2-9-3":   {N: 3, Epoch: 9, Device: "kiosk-2"},
		"kiosk-1-1-9-3": {N: 3, Epoch: 9, Device: "kiosk-1-1"},
		"kiosk-2-5-3":   {N: 3, Epoch: 5, Device: "kiosk-2"},
	} {
		e := &event.Event{Happened: 10, Session: event.MainSession, Body: &event.Outcome{Outcome: "never", Decision: id}}
		w, private := c.toWire(&engine.Record{At: 10, Handle: engine.Handle{1}, Event: e}, names)
		o, ok := w.(*wire.Outcome)
		if !ok || private || o.N != want.N || o.Epoch != want.Epoch || o.Device != want.Device {
			t.Errorf("%s: %+v", id, w)
			continue
		}
		raw, err := wire.AppendRecord(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.decode(1, raw, names, func(engine.Handle) string { return "" })
		if err != nil || r.Event.Body.(*event.Outcome).Decision != id || r.Event.Happened != sense.Instant(10) {
			t.Errorf("%s came back as %+v, %v", id, r.Event, err)
		}
	}
}
