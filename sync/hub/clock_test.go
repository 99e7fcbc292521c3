package hub_test

import (
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// TestRecordsOfADeviceWithoutATime: what it was told in "1970" is neither past its retention nor older than
// everything; only a grant wins against no word that has a date.
func TestRecordsOfADeviceWithoutATime(t *testing.T) {
	for _, clock := range []sense.ClockState{sense.ClockUnknown, sense.ClockFloor} {
		w := newWorld(t)
		w.clock = clock
		w.given(`{"objection":"service","customer":"a","raised":false,"at":"2026-03-01T10:00:00Z"}`)
		w.given(`{"consent":"offers","customer":"a","granted":false,"at":"2026-03-01T10:00:00Z"}`)
		h := wire.Handle{1}
		if err := w.log("k1", &wire.Identified{At: 1000, Handle: h, Sealed: w.sealed(h, "a"), By: uint8(event.ByCard)},
			&wire.Fact{At: 1000, Happened: 1000, Handle: h, Name: wire.Named("name"), Value: wire.ValueOf(sense.StringValue("Anna")), Provenance: uint8(event.Declared)},
			&wire.Objection{At: 1000, Happened: 1000, Handle: h, Purpose: wire.Named("service"), Raised: true},
			&wire.Consent{At: 1000, Happened: 1000, Handle: h, Purpose: wire.Named("offers"), Granted: true}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(sense.Minute)
		w.do(hub.Tick{})
		s := w.must(hub.Look{Customer: "a"}).View.Slice
		facts, raised := 0, false // a floor in 1970 is a year that somebody vouched for
		if clock == sense.ClockUnknown {
			facts, raised = 1, true
		}
		if len(s.Facts) != facts || len(s.Objections) != 1 || s.Objections[0].Raised != raised {
			t.Errorf("%s: facts %+v, objections %+v", clock, s.Facts, s.Objections)
		}
		if len(s.Consents) != 1 || s.Consents[0].Granted {
			t.Errorf("%s: consents %+v", clock, s.Consents)
		}
	}
}
