package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// logIn sends records of an epoch, from number first on.
func (w *world) logIn(device string, epoch, first uint64, records ...wire.Record) error {
	w.t.Helper()
	b := &wire.Batch{Device: device, Epoch: epoch, First: first, Clock: w.clock}
	for _, r := range records {
		b.Records = append(b.Records, w.raw(r))
	}
	msg, err := w.pack.Encode(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: device}.Of(wire.Up, wire.ClassLog), Payload: msg})[0].Err
}

func (w *world) raw(r wire.Record) []byte {
	w.t.Helper()
	raw, err := wire.AppendRecord(nil, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

func (w *world) moved(epoch, seq uint64, r wire.Record) *wire.Moved {
	w.t.Helper()
	return &wire.Moved{Epoch: epoch, Seq: seq, Body: w.raw(r)}
}

func (w *world) sure(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count() ledger.Counts {
	w.t.Helper()
	n, err := w.l.Count(context.Background())
	w.sure(err)
	return n
}

func outcome(epoch, n uint64, what string) *wire.Outcome {
	return &wire.Outcome{At: int64(t0), Happened: int64(t0), Epoch: epoch, N: n, Outcome: wire.Named(what), Handle: wire.Handle{1}}
}

// other is a decision that another life of the device made under the same number.
func other(n uint64) *wire.Decision {
	d := decision(n)
	d.At++
	return d
}

// A store that was restored from a copy: part of what it has not heard of is here, part of it is
// another life's, the rest is new. Every decision that was made counts, and counts once.
func TestMovedRecordsCountOnce(t *testing.T) {
	w := newWorld(t)
	w.sure(w.logIn("k1", 7, 1, decision(1), decision(2), outcome(0, 2, "shown"), decision(3)))
	// The copy is from after record 2; another decision 3 was made since, and answered.
	before := w.count()
	w.sure(w.logIn("k1", 8, 1,
		w.moved(7, 2, decision(2)), // came already
		w.moved(7, 3, other(3)),    // its place is another's
		w.moved(7, 4, outcome(0, 3, "accepted")),
		w.moved(7, 5, decision(4)), // never came
		decision(1)))
	n := w.count()
	if n.Records != before.Records+5 || n.Decisions != before.Decisions+3 {
		t.Errorf("%+v after %+v: five records and three decisions are new", n, before)
	}
	if a := w.ack("k1"); a.Epoch != 8 || a.Through != 5 {
		t.Errorf("ack is %+v", a)
	}
	list, err := w.l.Decisions(context.Background(), ledger.Filter{Limit: 10})
	w.sure(err)
	var got []string
	for k := range list {
		x, epoch, err := list[k].Decision()
		w.sure(err)
		got = append(got, hub.DecisionID("k1", epoch, x.N))
		for _, o := range list[k].Outcomes {
			got = append(got, o.Outcome)
		}
	}
	// Both decisions 3 of epoch 7 bear that id: what is said of it is said of both.
	if want := []string{"k1-7-1", "k1-7-2", "shown", "k1-7-3", "accepted", "k1-7-3", "accepted", "k1-7-4", "k1-8-1"}; !slices.Equal(got, want) {
		t.Errorf("decisions are %v\nwant %v", got, want)
	}
	if got := w.verify(); got != nil {
		t.Errorf("findings are %v", got)
	}
	// The same copy is restored once more, and everything is moved again, into a third epoch.
	before = w.count()
	w.sure(w.logIn("k1", 9, 1, w.moved(7, 2, decision(2)), w.moved(7, 3, other(3)), w.moved(7, 5, decision(4)),
		w.moved(8, 1, w.moved(7, 2, decision(2))), w.moved(8, 5, decision(1))))
	// And a copy of epoch 8 that had one more: moved twice.
	w.sure(w.logIn("k1", 10, 1, w.moved(9, 6, w.moved(7, 6, decision(5))), w.moved(9, 6, w.moved(7, 6, decision(5)))))
	if n := w.count(); n.Decisions != before.Decisions+1 || n.Records != before.Records+7 {
		t.Errorf("%+v after %+v: one decision is new", n, before)
	}
	// What was on its way in the old epoch all the time comes last.
	w.sure(w.logIn("k1", 7, 5, decision(4), decision(5)))
	if n := w.count(); n.Decisions != before.Decisions+1 {
		t.Errorf("%+v: what had been moved counts again", n)
	}
	if got := w.verify(); got != nil {
		t.Errorf("findings are %v", got)
	}
	r, err := w.l.Verify(context.Background())
	w.sure(err)
	if e := r.Epochs[1]; e.Epoch != 8 || e.Repeated != 1 || e.Records != 5 {
		t.Errorf("epoch 8 is %+v", e)
	}
}

// What was personal is taken once as well, and so is what it says of handles.
func TestMovedPersonalRecords(t *testing.T) {
	w := newWorld(t)
	now := int64(w.now)
	identified := &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a"), By: uint8(event.ByCard)}
	visit := &wire.Interaction{At: now, Happened: now, Handle: wire.Handle{1}, What: wire.Named("complaint"), Ref: "c1"}
	w.sure(w.logIn("k1", 7, 1, identified))
	w.sure(w.logIn("k1", 8, 1, w.moved(7, 1, identified), w.moved(7, 2, visit), w.moved(7, 2, visit)))
	w.sure(w.logIn("k1", 7, 2, visit)) // the batch that was on its way
	if c := w.must(hub.Look{Customer: "a"}).View; len(c.Slice.Interactions) != 1 {
		t.Errorf("interactions are %+v", c.Slice.Interactions)
	}
	if n := w.count(); n.Entries != 1 || n.Records != 5 {
		t.Errorf("%+v", n)
	}
	// Of somebody who was forgotten since nothing comes back, whatever copy of the store is restored.
	w.now = w.now.Add(sense.Hour)
	w.given(`{"forget":"a"}`)
	w.sent = nil
	w.sure(w.logIn("k1", 9, 1, w.moved(7, 1, identified), w.moved(7, 2, visit), w.moved(7, 3, visit)))
	if n := w.count(); n.Entries != 0 || n.Customers != 0 || n.Records != 8 {
		t.Errorf("%+v", n)
	}
	// Nor by a device that still holds the slice: it is told once more.
	w.sure(w.logIn("k1", 9, 4, &wire.Forgotten{At: int64(w.now), ID: "x", Handle: wire.Handle{1}}))
	w.sent = nil
	w.sure(w.request("k1", &wire.Hello{ID: "h", Epoch: 9, First: 5, Next: 5, Handles: []wire.Held{{Handle: wire.Handle{1}, Revision: 1}}}))
	if f, ok := w.last("k1", wire.ClassSlice).(*wire.Forget); !ok || f.Handle != (wire.Handle{1}) {
		t.Errorf("sent %v", w.topics())
	}
	if got := w.verify(); got != nil {
		t.Errorf("findings are %v", got)
	}
}

// Whatever a device claims to have moved, it speaks for itself alone, and nothing breaks.
func TestHostileMoves(t *testing.T) {
	w := newWorld(t)
	w.sure(w.logIn("k2", 7, 1, decision(1)))
	deep := wire.Record(decision(1))
	for k := range uint64(40) {
		deep = w.moved(100+k, 1, deep)
	}
	for k, c := range []struct {
		name      string
		record    wire.Record
		decisions int64
	}{
		{"an epoch that was never seen", w.moved(1<<63+5, 1<<40, decision(1)), 1},
		{"its own epoch, its own number", w.moved(8, 2, decision(1)), 0},
		{"number 0", w.moved(7, 0, decision(1)), 0},
		{"a number that no record has", w.moved(7, hub.Elsewhere+3, decision(1)), 0},
		{"nothing", &wire.Moved{Epoch: 7, Seq: 1}, 0},
		{"garbage", &wire.Moved{Epoch: 7, Seq: 1, Body: []byte{1, 0xff, 0xff}}, 0},
		{"another device's record", w.moved(7, 1, decision(1)), 1},
		{"a forget of nobody", w.moved(7, 9, &wire.Forgotten{At: 1, Handle: wire.Handle{9}}), 0},
		{"too deep", deep, 0},
		{"a kind of a newer version", w.moved(7, 20, &wire.Unknown{Of: 90, Raw: []byte{0x90}}), 0},
	} {
		before := w.count()
		w.sure(w.logIn("k1", 8, uint64(k)+1, c.record))
		if n := w.count(); n.Decisions-before.Decisions != c.decisions || n.Records != before.Records+1 {
			t.Errorf("%s: %+v after %+v", c.name, n, before)
		}
	}
	if a := w.ack("k1"); a.Epoch != 8 || a.Through != 10 {
		t.Errorf("ack is %+v", a)
	}
	if _, err := w.l.Decisions(context.Background(), ledger.Filter{Limit: 100}); err != nil {
		t.Error(err)
	}
	if _, err := w.l.Verify(context.Background()); err != nil {
		t.Error(err)
	}
}

// A device that comes back behind its own past hears that it must leave its epoch, and
// nothing that is ahead of it: no acknowledgement, and no slice that says what is folded in.
func TestHelloThatIsBehind(t *testing.T) {
	w := newWorld(t)
	w.hold("k1", wire.Handle{1}, "a")
	w.sure(w.logIn("k1", 7, 1, decision(1), decision(2), decision(3)))
	w.sent = nil
	hello := func(epoch, next uint64) {
		t.Helper()
		w.sent = nil
		w.sure(w.request("k1", &wire.Hello{ID: "h", Epoch: epoch, First: 1, Next: next, Handles: []wire.Held{{Handle: wire.Handle{1}, Revision: 1}}}))
	}
	for _, next := range []uint64{1, 3} {
		hello(7, next)
		if !slices.Contains(w.topics(), "tact/v1/shop/k1/dn/cmd/epoch") || w.last("k1", wire.ClassAck) != nil {
			t.Fatalf("next %d: sent %v", next, w.topics())
		}
		// Whole: what it had told itself since the copy was made it does not know any more.
		if u, ok := w.last("k1", wire.ClassSlice).(*wire.Slice); !ok || u.Through != 0 || u.ThroughEpoch != 0 || len(u.Exposures) != 3 {
			t.Errorf("next %d: slice is %+v", next, w.last("k1", wire.ClassSlice))
		}
	}
	// What is pushed before it has left says nothing of it either, whatever it says of itself.
	birth, err := wire.EncodeJSON(wire.Birth{Epoch: 7, Boot: 2})
	w.sure(err)
	w.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/birth", Payload: birth})
	w.sent = nil
	w.given(`{"interaction":"complaint","customer":"a","ref":"c1"}`)
	if d, err := through(w.last("k1", wire.ClassSlice)); err != nil || d != 0 {
		t.Errorf("pushed through %d, %v", d, err)
	}
	hello(7, 4)
	if a := w.ack("k1"); a.Through != 3 || slices.Contains(w.topics(), "tact/v1/shop/k1/dn/cmd/epoch") {
		t.Errorf("not behind: ack %+v, sent %v", a, w.topics())
	}
	hello(8, 1)
	if a := w.ack("k1"); a.Epoch != 8 || a.Through != 0 {
		t.Errorf("in its new epoch: ack %+v", a)
	}
	// Records beyond a gap are its past as well.
	w.sure(w.logIn("k1", 8, 5, decision(5)))
	hello(8, 5)
	if !slices.Contains(w.topics(), "tact/v1/shop/k1/dn/cmd/epoch") {
		t.Errorf("sent %v", w.topics())
	}
	// Of numbers beyond a gap that the device has given since it must hear from the record itself: they may be
	// another life's.
	hello(8, 9)
	if a := w.ack("k1"); a.Through != 0 || len(a.Ranges) != 0 || a.Re != "h" {
		t.Errorf("ack is %+v", a)
	}
	if err := w.logIn("k1", 8, 5, other(5)); !errors.Is(err, hub.ErrConflict) {
		t.Errorf("another record of the same number: %v", err)
	}
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 8, First: 9, Next: 7}); !errors.Is(err, hub.ErrNotTaken) {
		t.Errorf("a hello that cannot be: %v", err)
	}
}

func through(m wire.DownMessage) (uint64, error) {
	switch m := m.(type) {
	case *wire.Slice:
		return m.ThroughEpoch + m.Through, nil
	case *wire.Delta:
		return m.ThroughEpoch + m.Through, nil
	}
	return 0, errors.New("neither slice nor delta")
}

// Two machines with one identity throw each other off the broker in turn.
func TestTwoMachinesWithOneIdentity(t *testing.T) {
	w := newWorld(t)
	born := func(epoch, boot uint64) {
		t.Helper()
		b, err := wire.EncodeJSON(wire.Birth{Epoch: epoch, Boot: boot})
		w.sure(err)
		w.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/birth", Payload: b})
	}
	w.sure(w.logIn("k1", 7, 1, decision(1)))
	for _, boot := range []uint64{5, 6, 6, 7, 6, 8} { // started again, and once restored
		born(7, boot)
	}
	if got := w.verify(); got != nil {
		t.Errorf("findings are %v", got)
	}
	born(9, 1)
	born(7, 8)
	born(9, 1)
	r, err := w.l.Verify(context.Background())
	w.sure(err)
	if len(r.Findings) != 1 || r.Findings[0].Code != "duplicate_identity" || !strings.Contains(r.Findings[0].Text, "boot 8 of epoch 7 and boot 1 of epoch 9") {
		t.Errorf("findings are %+v", r.Findings)
	}
	// The device that is thrown off says so too.
	w.sure(w.logIn("k3", 1, 1, &wire.Report{At: int64(w.now), Code: wire.ReportDuplicateIdentity, Count: 3}, &wire.Tombstone{At: 1, Was: wire.KindFact, Reason: wire.TombErased}))
	if r, err = w.l.Verify(context.Background()); err != nil || len(r.Findings) != 2 || r.Findings[1].Device != "k3" || r.Epochs[2].Tombstones["erased"] != 1 || r.Epochs[2].Reports["duplicate_identity"] != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
