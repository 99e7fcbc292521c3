package hub_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// contact is a decision that says something to whoever a handle is, at an instant.
func contactAt(n uint64, h wire.Handle, action string, at sense.Instant) *wire.Decision {
	return &wire.Decision{N: n, At: int64(at), Session: wire.Named("main"), Slot: wire.Named("home"), Action: wire.Named(action), Handle: h}
}

func answerTo(epoch, n uint64, h wire.Handle, what string, at sense.Instant) *wire.Outcome {
	return &wire.Outcome{At: int64(at), Happened: int64(at), Epoch: epoch, N: n, Outcome: wire.Named(what), Handle: h}
}

// What one device says to a customer, and what she answers there, every other that holds her knows within the
// round; the device itself hears nothing of it.
func TestContactsReachTheOthers(t *testing.T) {
	w := newWorld(t)
	w.clock = sense.ClockSynced
	one, two := wire.Handle{1}, wire.Handle{2}
	w.given(`{"consent":"offers","customer":"a","granted":true}`, `{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`,
		`{"merge":["a","card:1"]}`)
	w.hold("k1", one, "a")
	w.hold("k2", two, "card:1")
	w.sent = nil
	if err := w.log("k1", contactAt(1, one, "stay", t0), &wire.Decision{N: 2, At: int64(t0), Slot: wire.Named("home"), Handle: one}); err != nil {
		t.Fatal(err)
	}
	want := wire.SliceExposure{Decision: "k1-7-1", Action: "stay", Intent: "sales", About: "hotel:rome", Channel: "kiosk", Slot: "home", At: int64(t0)}
	if got := w.holds("k2", two).Exposures; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("k2 knows %+v, want %+v", got, want)
	}
	if _, ok := w.last("k2", wire.ClassSlice).(*wire.Delta); !ok {
		t.Errorf("k2 heard %T", w.last("k2", wire.ClassSlice))
	}
	if m := w.last("k1", wire.ClassSlice); m != nil {
		t.Errorf("k1 heard of its own contact: %+v", m)
	}
	// An answer at the second device to what the first one said.
	w.sent, w.now = nil, t0.Add(sense.Hour)
	if err := w.log("k2", answerTo(7, 1, two, "nothing", w.now)); err != nil { // of k2's own decision 1, which is none
		t.Fatal(err)
	}
	if len(w.sent) != 1 { // the acknowledgement
		t.Errorf("an answer to nothing was told: %v", w.topics())
	}
	w.given(`{"interaction":"visit","customer":"a","ref":"k1-7-1"}`)
	w.sent = nil
	if err := w.log("k1", answerTo(7, 1, one, "shown", t0.Add(sense.Second)), answerTo(7, 1, one, "never", t0.Add(sense.Minute))); err != nil {
		t.Fatal(err)
	}
	got := w.holds("k2", two).Exposures
	if len(got) != 1 || got[0].Shown != int64(t0.Add(sense.Second)) || !slices.Equal(got[0].Outcomes, []wire.SliceOutcome{{Outcome: "shown", At: int64(t0.Add(sense.Second))}, {Outcome: "never", At: int64(t0.Add(sense.Minute))}}) {
		t.Errorf("k2 knows %+v", got)
	}
	// Whoever holds her anew is told all of it, its own contacts too; after 32 days only what was answered for ever.
	if err := w.log("k1", contactAt(3, one, "stay", w.now)); err != nil {
		t.Fatal(err)
	}
	if got := w.hold("k1", wire.Handle{3}, "a").Exposures; len(got) != 2 {
		t.Errorf("k1 is told %+v", got)
	}
	w.now = t0.Add(34 * sense.Day)
	if got := w.hold("k1", wire.Handle{4}, "a").Exposures; len(got) != 1 || got[0].Decision != "k1-7-1" {
		t.Errorf("after a month k1 is told %+v", got)
	}
}

// Whoever is held under two handles of one device (two cards of hers, which turned out to be one customer's) is met
// under both.
func TestContactUnderAnotherHandle(t *testing.T) {
	w := newWorld(t)
	w.clock = sense.ClockSynced
	w.hold("k1", wire.Handle{1}, "a")
	w.hold("k1", wire.Handle{2}, "b")
	w.given(`{"merge":["a","b"]}`)
	if err := w.log("k1", contactAt(1, wire.Handle{1}, "stay", t0)); err != nil {
		t.Fatal(err)
	}
	if len(w.holds("k1", wire.Handle{2}).Exposures) != 1 || len(w.holds("k1", wire.Handle{1}).Exposures) != 0 {
		t.Errorf("k1 knows %+v and %+v", w.holds("k1", wire.Handle{1}), w.holds("k1", wire.Handle{2}))
	}
}

// A contact is named by the bundle that it was made under, where that is here; else by that of whoever is told.
func TestContactsAreNamed(t *testing.T) {
	old := dealer()
	sum := sha256.Sum256(catalog.Encode(old))
	next := dealer()
	next.Version = 2
	next.Actions[0].About, next.Actions[0].Goal, next.Actions[0].Intent = "hotel:milan", "", catalog.Service
	for _, c := range []struct {
		name   string
		bundle wire.BundleID
		about  string
	}{{"the bundle that it was made under", wire.BundleID(sum[:8]), "hotel:rome"}, {"one that is not here", wire.BundleID{1}, "hotel:milan"}} {
		w := newWorld(t)
		w.must(hub.Publish{File: catalog.Encode(next)})
		w.hold("k1", wire.Handle{1}, "a")
		w.hold("k2", wire.Handle{2}, "a")
		w.bundle = c.bundle
		if err := w.log("k1", contactAt(1, wire.Handle{1}, "stay", t0)); err != nil {
			t.Fatal(err)
		}
		if got := w.holds("k2", wire.Handle{2}).Exposures; len(got) != 1 || got[0].About != c.about {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// A clock without time dates nothing, and none dates the future.
func TestContactsOfWrongClocks(t *testing.T) {
	for _, c := range []struct {
		clock    sense.ClockState
		at, want sense.Instant
	}{
		{sense.ClockUnknown, 1000, t0}, {sense.ClockUnknown, t0.Add(9 * sense.Year), t0},
		{sense.ClockFloor, t0.Add(-sense.Hour), t0.Add(-sense.Hour)}, {sense.ClockSynced, t0.Add(sense.Hour), t0},
	} {
		w := newWorld(t)
		w.clock = c.clock
		w.hold("k1", wire.Handle{1}, "a")
		w.hold("k2", wire.Handle{2}, "a")
		if err := w.log("k1", contactAt(1, wire.Handle{1}, "stay", c.at), answerTo(0, 1, wire.Handle{1}, "failed", c.at), answerTo(0, 1, wire.Handle{1}, "dismissed", c.at)); err != nil {
			t.Fatal(err)
		}
		x := w.holds("k2", wire.Handle{2}).Exposures[0]
		if x.At != int64(c.want) || !x.Failed || x.Outcomes[0].Outcome != "failed" || x.Outcomes[0].At != int64(c.want) {
			t.Errorf("clock %s at %d: %+v", c.clock, c.at, x)
		}
	}
}

// A contact is folded from its answers as a device folds them.
func TestAnswersFoldAsOnADevice(t *testing.T) {
	for _, answers := range [][]string{
		{}, {"shown"}, {"failed"}, {"shown", "failed"}, {"failed", "shown"}, {"accepted"}, {"ignored", "accepted"}, {"shown", "shown", "dismissed", "dismissed"},
		{"failed", "failed", "later"}, {"ignored", "shown"}, {"later", "later"},
	} {
		w := newWorld(t)
		w.clock, w.now = sense.ClockSynced, t0.Add(sense.Hour)
		w.hold("k1", wire.Handle{1}, "a")
		w.hold("k2", wire.Handle{2}, "a")
		own := profile.Exposure{Decision: "k1-7-1", Action: "stay", At: t0}
		records := []wire.Record{contactAt(1, wire.Handle{1}, "stay", t0)}
		for k, what := range answers {
			at := t0.Add(sense.Duration(k+1) * sense.Second)
			own.Answer(what, at)
			records = append(records, answerTo(7, 1, wire.Handle{1}, what, at))
		}
		if err := w.log("k1", records...); err != nil {
			t.Fatal(err)
		}
		got := w.holds("k2", wire.Handle{2}).Exposures[0]
		// A device merges what it is told: so do we, into what it knows without having seen the answers.
		told := profile.Exposure{Decision: got.Decision, Action: "stay", At: t0, Shown: sense.Instant(got.Shown), Failed: got.Failed}
		for _, o := range got.Outcomes {
			told.Outcomes = append(told.Outcomes, profile.Outcome{Outcome: o.Outcome, At: sense.Instant(o.At)})
		}
		var here, there profile.Slice
		here.AddExposure(own)
		there.AddExposure(profile.Exposure{Decision: "k1-7-1", Action: "stay", At: t0})
		there.MergeExposures([]profile.Exposure{told})
		here.MergeExposures([]profile.Exposure{told})
		if a, b := here.Exposures[0], there.Exposures[0]; fmt.Sprint(a) != fmt.Sprint(b) || a.Failed != own.Failed {
			t.Errorf("%v: here %+v, there %+v, of itself %+v", answers, a, b, own)
		}
	}
}
