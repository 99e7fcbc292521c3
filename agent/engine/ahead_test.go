package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

const aheadPolicy = `policy: offers
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
visit: {ends_after: 10m}
purposes:
  offers: {basis: consent, for: {en: "for personal offers"}}
interactions:
  complaint: {keep: 2y, purposes: [offers], negative: true, open_until: resolved}
  resolved: {keep: 2y, purposes: [offers]}
slots:
  app.card: {channel: app, show_for: 1d}
actions:
  sale:
    intent: sales
    purpose: offers
    about: product:x
    slots: [app.card]
    value: 400.00
    propensity: 0.10
    bother: 0.05
    say: {en: "EUR 1,000 off the X now."}
`

// A complaint that the hub dates later than it is here, because its clock is a little ahead, takes
// down what is shown when it arrives: nobody would look again at the instant that it names.
func TestComplaintFromAClockAhead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(aheadPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	const at = sense.Instant(1_800_000_000_000)
	for _, ahead := range []sense.Duration{-sense.Second, 0, 1, sense.Minute} {
		for _, delta := range []bool{true, false} {
			m := engine.New(engine.Config{Device: "kiosk-1", Epoch: 7})
			step := func(now sense.Instant, body event.Body) engine.Output {
				return m.Step(engine.Input{At: now, Events: []event.Event{{Session: event.MainSession, Happened: now, Body: body}}})
			}
			m.Step(engine.Input{At: at, Bundle: &engine.BundleUpdate{Bundle: b}})
			step(at, &event.Link{Up: true})
			out := step(at, &event.Identify{Customer: "crm:1", By: event.ByLogin})
			handle := out.Want.Slices[0].Handle
			slice := func(more ...profile.Interaction) *profile.Slice {
				return &profile.Slice{Customer: "p1", Interactions: more,
					Consents: []profile.Consent{{Purpose: "offers", Granted: true, Ever: true, Expires: sense.Never, Happened: at - 1000}}}
			}
			m.Step(engine.Input{At: at, Slices: []engine.SliceUpdate{{Handle: handle, Revision: 1, Until: at.Add(sense.Day), Slice: slice()}}})
			if out = step(at, &event.Ask{Slot: "app.card"}); len(out.Show) != 1 || out.Show[0].Action != "sale" {
				t.Fatalf("before the complaint: %+v", out.Show)
			}
			now := at.Add(sense.Second)
			complaint := profile.Interaction{Kind: "complaint", Ref: "c1", Happened: now.Add(ahead), Due: sense.Never, Source: "crm"}
			out = m.Step(engine.Input{At: now, Slices: []engine.SliceUpdate{{Handle: handle, Delta: delta, Base: 1, Revision: 2, Until: at.Add(sense.Day), Slice: slice(complaint)}}})
			if len(out.Clear) != 1 || out.Clear[0].Cause != "open_complaint" {
				t.Errorf("dated %v ahead, delta %v: took down %+v", ahead, delta, out.Clear)
			}
		}
	}
}
