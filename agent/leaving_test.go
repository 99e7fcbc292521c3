package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

const healthPolicy = `policy: health
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  discount: {basis: consent, explicit: true, for: {en: "for a discount"}}
  travel: {basis: consent, for: {en: "for travel"}}
signals:
  steps: {type: int, scope: person, purposes: [discount], special: health, max_age: 5m, why: {en: "steps"}, leaves_device: never}
  pulse: {type: double, scope: person, purposes: [discount], special: health, max_age: 5m, why: {en: "pulse"}, leaves_device: never}
  position: {type: position, scope: person, purposes: [travel], max_age: 5m, why: {en: "where"}, leaves_device: never}
derived:
  claim.active: {is: "mean(steps, 5m) > 5000 && pulse > 100", purposes: [discount], special: health, leaves_device: value, keep: 1y, why: {en: "proof"}}
places:
  home: {circle: {at: [52.0907, 5.1214], radius: 400 m}}
slots: {wrist: {channel: wearable}}
actions:
  discount: {intent: information, purpose: discount, slots: [wrist], applicable: "claim.active", value: 3.00, propensity: 0.5, bother: 0.05, say_personal: {en: "Discount at {pulse}."}}
  walk: {intent: information, purpose: travel, slots: [wrist], applicable: "inside(home)", value: 1.00, propensity: 0.5, bother: 0.05, say_personal: {en: "A walk?"}}
`

// TestNoReadingLeaves: of what a body is measured by, and of where somebody is, no byte is in any record
// that goes to the hub, but the one value that the policy lets go.
func TestNoReadingLeaves(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(healthPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %+v", err, findings)
	}
	c, s := testCodec(t)
	m := engine.New(engine.Config{Device: "kiosk-1", Epoch: 77, Secret: [16]byte{4}})
	now, _ := sense.ParseInstant("2026-03-02T10:00:00+01:00")
	var records []engine.Record
	step := func(in engine.Input, lines ...string) {
		t.Helper()
		in.At = now
		for _, l := range lines {
			e, err := event.ParseLine([]byte(l))
			if err != nil {
				t.Fatal(err)
			}
			e.At, e.HasAt, e.Happened = now, true, now
			in.Events = append(in.Events, e)
		}
		out := m.Step(in)
		out = out.Keep()
		for _, r := range out.Refused {
			t.Errorf("refused: %v", r.Err)
		}
		records = append(records, out.Persist...)
	}
	step(engine.Input{Bundle: &engine.BundleUpdate{Bundle: b}})
	step(engine.Input{}, `{"link":"up"}`)
	step(engine.Input{}, `{"identify":"anna","by":"card"}`)
	step(engine.Input{}, `{"consent":"discount","customer":"anna","granted":true,"text":"v1"}`, `{"consent":"travel","customer":"anna","granted":true,"text":"v1"}`)
	h := m.Snapshot().Customers[0].Handle
	step(engine.Input{Slices: []engine.SliceUpdate{{Handle: h, Revision: 1, Until: now.Add(sense.Day), Slice: &profile.Slice{}}}})
	for range 20 {
		now = now.Add(10 * sense.Second)
		step(engine.Input{}, `{"signal":"steps","value":81237}`, `{"signal":"pulse","value":137.625}`, `{"signal":"position","value":{"lat":52.0907123,"lon":5.1214567,"accuracy":7.25}}`)
		step(engine.Input{}, `{"ask":"wrist","count":2}`)
	}
	step(engine.Input{}, `{"identify":null}`)
	told := 0
	sent := outgoing(t, c, s.Keys, b, records, func(r wire.Record) {
		if f, ok := r.(*wire.Fact); ok {
			told++
			if f.Name.Name != "claim.active" && f.Name.ID == 0 || !f.Value.Bool() || f.Provenance != uint8(event.Observed) {
				t.Errorf("left: %+v", f)
			}
		}
	})
	if told != 1 {
		t.Errorf("the claim left %d times, want once", told)
	}
	for name, v := range map[string]sense.Value{
		"steps": sense.IntValue(81237), "mean of steps": sense.DoubleValue(81237), "pulse": sense.DoubleValue(137.625),
		"position": sense.PositionValue(sense.PointOf(52.0907123, 5.1214567), 7250), "latitude": sense.IntValue(520907123), "longitude": sense.IntValue(51214567),
	} {
		raw, err := wire.ValueOf(v).MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, bytesOf := range [][]byte{raw, []byte(v.String())} {
			for k, one := range sent {
				if bytes.Contains(one, bytesOf) {
					t.Errorf("record %d holds the %s: %x", k, name, one)
				}
			}
		}
	}
	if len(sent) < 20 {
		t.Errorf("only %d records", len(sent))
	}
}

// outgoing encodes records as the device does, and opens them as for sending.
func outgoing(t *testing.T, c *codec, keys interface{ Make(...engine.Handle) error }, b *catalog.Bundle, records []engine.Record, each func(wire.Record)) (sent [][]byte) {
	t.Helper()
	names := symbolsOf(wire.BundleID{1}, catalog.Symbols(b))
	open := c.opener(func() []byte { return nil })
	for k := range records {
		r := &records[k]
		if c.wantsKey(r) {
			if err := keys.Make(r.Handle); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := c.encode(r, names)
		if err != nil {
			t.Fatal(err)
		}
		plain, verdict, why := open(r.Seq, raw)
		if verdict != outbox.Send {
			if r.Identified == nil { // waits for the hub's key
				t.Errorf("record %d does not go: %s", r.Seq, why)
			}
			continue
		}
		w, err := wire.DecodeRecord(plain)
		if err != nil {
			t.Fatal(err)
		}
		each(w)
		sent = append(sent, plain)
	}
	return sent
}
