package agent

import (
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// FuzzLoad puts whatever passes for a bundle in charge of a mind that is at work, and asks it: no panic,
// whichever bundle comes after which, and what it says stands in its policy.
func FuzzLoad(f *testing.F) {
	folders, err := filepath.Glob("../testdata/policies/*")
	if err != nil || len(folders) == 0 {
		f.Fatalf("find example policies: %v, %d found", err, len(folders))
	}
	var good *catalog.Bundle
	for _, dir := range folders {
		b, findings, err := policy.Compile(dir)
		if err != nil || b == nil {
			f.Fatalf("compile %s: %v %v", dir, err, findings)
		}
		f.Add(catalog.Encode(b))
		if b.Name == "dealer" {
			good = b
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBundle(raw)
		if err != nil {
			return
		}
		m := engine.New(engine.Config{Device: "kiosk-1"})
		now := sense.Instant(1772442000000)
		step := func(u *engine.BundleUpdate, bodies ...event.Body) {
			now = now.Add(10 * sense.Second)
			in := engine.Input{At: now, Bundle: u}
			for _, body := range bodies {
				in.Events = append(in.Events, event.Event{Session: event.MainSession, At: now, HasAt: true, Happened: now, Body: body})
			}
			for _, x := range m.Step(in).Show {
				if x.Action != silence && m.Bundle().Action(x.Action) == nil {
					t.Errorf("it says %q, which is no action", x.Action)
				}
			}
		}
		work := func() {
			in := m.Bundle()
			for k := range in.Signals {
				s := &in.Signals[k]
				for _, v := range []sense.Value{sense.BoolValue(true), sense.IntValue(1), sense.DoubleValue(120), sense.StringValue("mail"), sense.PositionValue(sense.Point{Lat: 521234567, Lon: 51234567}, 0)} {
					if v.Kind() == s.Kind {
						step(nil, &event.Signal{Name: s.Name, Value: v})
					}
				}
			}
			for k := range in.Slots {
				step(nil, &event.Ask{Slot: in.Slots[k].Name})
			}
		}
		for _, next := range []*catalog.Bundle{good, b, good} {
			step(&engine.BundleUpdate{Bundle: next}, &event.Identify{Customer: "anna", By: event.ByLogin, Strength: 1_000_000})
			work()
		}
	})
}
