package hub_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// forget has the CRM ask for an erasure.
func (w *world) forget(id string) *hub.Erasure {
	w.t.Helper()
	e, err := event.ParseLine([]byte(`{"forget":"` + id + `"}`))
	w.sure(err)
	a := w.must(hub.FromSource{Source: "crm", Event: e})
	if a.Erasure == nil {
		w.t.Fatal("no erasure is in the answer")
	}
	return a.Erasure
}

func (w *world) erasure(id string) hub.Erasure {
	w.t.Helper()
	return w.must(hub.LookErasures{ID: id}).Erasures[0]
}

// how lists what became of each handle.
func how(e hub.Erasure) (list []string) {
	for _, x := range e.Devices {
		list = append(list, x.Device+" "+x.How)
	}
	return list
}

func (w *world) receiptOf(device string) {
	w.t.Helper()
	f, ok := w.last(device, wire.ClassSlice).(*wire.Forget)
	if !ok {
		w.t.Fatalf("device %s heard no forget: %v", device, w.topics())
	}
	w.sure(w.log(device, &wire.Forgotten{At: int64(w.now), ID: f.ID, Handle: f.Handle}))
}

// Journey 30 from the hub's side: two devices confirm, the third stays away until its lease is over.
func TestErasureEndsByReceiptsAndByLease(t *testing.T) {
	w := newWorld(t)
	w.given(`{"merge":["crm:1","card:1"]}`, `{"fact":"name","customer":"card:1","value":"Anna","provenance":"declared"}`)
	w.hold("k1", wire.Handle{1}, "card:1")
	w.now = w.now.Add(sense.Hour)
	w.hold("k2", wire.Handle{2}, "crm:1")
	w.hold("k3", wire.Handle{3}, "card:1")
	w.hold("k4", wire.Handle{4}, "somebody else")
	w.sent = nil
	asked := w.now
	e := w.forget("crm:1")
	if e.Done != 0 || e.At != asked || e.By != "crm" || len(e.IDs) != 2 || !slices.Equal(how(*e), []string{"k1 ", "k2 ", "k3 "}) || len(e.ID) != 16 {
		t.Fatalf("erasure is %+v", e)
	}
	if w.last("k4", wire.ClassSlice) != nil {
		t.Error("somebody else is forgotten")
	}
	w.now = w.now.Add(sense.Second)
	w.receiptOf("k1")
	w.receiptOf("k2")
	if x := w.erasure(e.ID); x.Done != 0 || !slices.Equal(how(x), []string{"k1 confirmed", "k2 confirmed", "k3 "}) || x.Devices[0].At != w.now {
		t.Errorf("after two receipts: %+v", x)
	}
	w.now = asked.Add(7*sense.Day - 1)
	w.do(hub.Tick{})
	if x := w.erasure(e.ID); x.Done != 0 {
		t.Errorf("before the lease is over: %+v", x)
	}
	w.now++
	w.do(hub.Tick{})
	done := w.erasure(e.ID)
	if done.Done != w.now || !slices.Equal(how(done), []string{"k1 confirmed", "k2 confirmed", "k3 lease_ended"}) || done.Devices[2].At != w.now {
		t.Errorf("after the lease: %+v", done)
	}
	if open := w.must(hub.LookErasures{Open: true, Limit: 10}).Erasures; len(open) != 0 {
		t.Errorf("open are %+v", open)
	}
	// The device that comes back late is told all the same; what was done stays as it was signed.
	w.sent = nil
	w.sure(w.request("k3", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1, Handles: []wire.Held{{Handle: wire.Handle{3}, Revision: 1}}}))
	w.receiptOf("k3")
	if x := w.erasure(e.ID); !slices.Equal(how(x), how(done)) {
		t.Errorf("changed to %+v", x)
	}
	if err := w.do(hub.LookErasures{ID: "0123456789abcdef"})[0].Err; !errors.Is(err, hub.ErrNoErasure) {
		t.Errorf("an erasure that is not there: %v", err)
	}
}

func TestErasureOfNobodyIsDoneAtOnce(t *testing.T) {
	one, two := newWorld(t), newWorld(t)
	e, again := one.forget("crm:9"), two.forget("crm:9")
	if e.Done != t0 || len(e.Devices) != 0 || e.ID != again.ID {
		t.Errorf("%+v and %+v", e, again)
	}
	if other := one.forget("crm:8"); other.ID == e.ID {
		t.Error("two erasures have one id")
	}
	if err := one.line(`{"interaction":"visit","customer":"crm:9"}`); !errors.Is(err, hub.ErrErased) {
		t.Errorf("what comes for her later: %v", err)
	}
}

// Asked for twice it is one erasure, which waits for who was waited for.
func TestForgottenTwice(t *testing.T) {
	w := newWorld(t)
	w.given(`{"merge":["crm:1","card:1"]}`)
	w.hold("k1", wire.Handle{1}, "card:1")
	e := w.forget("crm:1")
	for _, id := range []string{"card:1", "crm:1", "card:1"} {
		w.now = w.now.Add(sense.Minute)
		if again := w.forget(id); again.ID != e.ID || again.Done != 0 || again.At != e.At {
			t.Errorf("again %+v, was %+v", again, e)
		}
	}
	w.receiptOf("k1")
	if x := w.erasure(e.ID); x.Done != w.now {
		t.Errorf("after the receipt: %+v", x)
	}
	// She comes back with her card: what she asks for then is another one.
	w.now = w.now.Add(sense.Minute)
	w.given(`{"identify":"card:1","by":"card"}`, `{"interaction":"visit","customer":"card:1"}`)
	if x := w.forget("card:1"); x.ID == e.ID || x.Done == 0 {
		t.Errorf("the second life: %+v", x)
	}
}

// A device that was away tells of her only after she was forgotten: it is waited for as well, whatever
// of it comes first.
func TestErasureWaitsForWhoTellsLate(t *testing.T) {
	for _, first := range []string{"log", "slice"} {
		t.Run(first, func(t *testing.T) {
			w := newWorld(t)
			w.given(`{"merge":["crm:1","card:1"]}`)
			before := int64(w.now)
			w.now = w.now.Add(sense.Hour)
			e := w.forget("crm:1")
			if e.Done == 0 {
				t.Fatalf("erasure is %+v", e)
			}
			w.now = w.now.Add(sense.Hour)
			if first == "slice" {
				if s := w.hold("k1", wire.Handle{1}, "card:1"); len(s.Facts) != 0 {
					t.Errorf("slice is %+v", s)
				}
			}
			w.sent = nil
			w.sure(w.log("k1", &wire.Identified{At: before, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "card:1"), By: uint8(event.ByCard)},
				&wire.Interaction{At: before, Happened: before, Handle: wire.Handle{1}, What: wire.Named("visit")}))
			if x := w.erasure(e.ID); x.Done != 0 || !slices.Equal(how(x), []string{"k1 "}) || x.Devices[0].Lease < w.now {
				t.Errorf("erasure is %+v", x)
			}
			w.receiptOf("k1")
			if x := w.erasure(e.ID); x.Done != w.now || !slices.Equal(how(x), []string{"k1 confirmed"}) {
				t.Errorf("after the receipt: %+v", x)
			}
			w.view(func(v hub.View) error {
				h, err := v.HoldingsOf([]string{"card:1"})
				if len(h) != 0 {
					t.Errorf("the mapping is here: %+v", h)
				}
				return err
			})
		})
	}
}

// A device asks for something under a handle whose forget has not reached it yet: it is told again, and
// its receipt still ends the wait of the erasure.
func TestReceiptOfWhoAskedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.hold("k1", wire.Handle{1}, "a")
	w.now++
	e := w.forget("a")
	w.now++
	w.sure(w.request("k1", &wire.BudgetRequest{ID: "budget-1", Handle: wire.Handle{1}, Revision: 1, Epoch: 7, Through: 0, At: int64(w.now)}))
	w.receiptOf("k1")
	if x := w.erasure(e.ID); x.Done != w.now || !slices.Equal(how(x), []string{"k1 confirmed"}) {
		t.Errorf("after the receipt: %+v", x)
	}
}

// A device is asked to forget somebody whom it does not know: it says who, sealed to the hub under a
// handle of that one use, and that she is forgotten. The others hear of it.
func TestForgetToldToADeviceThatDoesNotKnowHer(t *testing.T) {
	w := newWorld(t)
	w.given(`{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`)
	w.hold("k2", wire.Handle{2}, "a")
	w.sent = nil
	w.now++
	now, once := int64(w.now), wire.Handle{9}
	w.sure(w.log("k1", &wire.Identified{At: now, Handle: once, Sealed: w.sealed(once, "a")}, &wire.Forgotten{At: now, Handle: once}))
	if w.last("k1", wire.ClassSlice) != nil {
		t.Errorf("who told it is told: %v", w.topics())
	}
	open := w.must(hub.LookErasures{Open: true, Limit: 10}).Erasures
	if len(open) != 1 || open[0].By != "k1" || !slices.Equal(how(open[0]), []string{"k1 confirmed", "k2 "}) {
		t.Fatalf("erasures are %+v", open)
	}
	w.receiptOf("k2")
	if x := w.erasure(open[0].ID); x.Done == 0 {
		t.Errorf("after the receipt: %+v", x)
	}
	if n := w.count(); n.Entries != 0 || n.Customers != 0 {
		t.Errorf("%+v", n)
	}
	// The same once more, of one who is erased already, and of one whom nobody ever knew.
	w.now = w.now.Add(sense.Hour)
	now = int64(w.now)
	for k, id := range []string{"a", "nobody"} {
		once := wire.Handle{byte(20 + k)}
		w.sure(w.log("k1", &wire.Identified{At: now, Handle: once, Sealed: w.sealed(once, id)}, &wire.Forgotten{At: now, Handle: once}))
		if err := w.line(`{"interaction":"visit","customer":"` + id + `"}`); !errors.Is(err, hub.ErrErased) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if open := w.must(hub.LookErasures{Open: true, Limit: 10}).Erasures; len(open) != 0 {
		t.Errorf("open are %+v", open)
	}
	if all := w.must(hub.LookErasures{Limit: 10}).Erasures; len(all) != 2 {
		t.Errorf("all are %+v", all)
	}
}

// A device that is away is not spoken to every ten seconds; its hello is answered.
func TestForgetOfADeviceThatIsAway(t *testing.T) {
	w := newWorld(t)
	w.hold("k1", wire.Handle{1}, "a")
	presence := func(state string, counter uint64) {
		t.Helper()
		b, err := wire.EncodeJSON(wire.Conn{State: state, Counter: counter})
		w.sure(err)
		w.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/conn", Payload: b})
	}
	presence(wire.Offline, 1)
	w.forget("a")
	said := 0
	for range 60 { // ten minutes
		w.sent = nil
		w.now = w.now.Add(10*sense.Second + 1)
		w.do(hub.Tick{})
		if w.last("k1", wire.ClassSlice) != nil {
			said++
		}
	}
	if said > 0 {
		t.Errorf("said %d times to nobody", said)
	}
	presence(wire.Online, 2)
	w.sent = nil
	w.sure(w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1}))
	if f, ok := w.last("k1", wire.ClassSlice).(*wire.Forget); !ok || f.Re != "h" {
		t.Errorf("sent %v", w.topics())
	}
}

// Journey 40: consent withdrawn on a device stands in the same round at every other, and what was
// withdrawn at the back office at every device.
func TestConsentWithdrawnIsEverywhereInTheSameRound(t *testing.T) {
	w := newWorld(t)
	w.given(`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T10:00:00Z"}`)
	w.hold("k1", wire.Handle{1}, "a")
	w.hold("k2", wire.Handle{2}, "a")
	denied := func(device string) bool {
		switch m := w.last(device, wire.ClassSlice).(type) {
		case *wire.Slice:
			return len(m.Consents) == 1 && !m.Consents[0].Granted && m.Consents[0].Ever
		case *wire.Delta:
			return len(m.Consents) == 1 && !m.Consents[0].Granted && m.Consents[0].Ever
		}
		return false
	}
	w.sent = nil
	now := int64(w.now)
	w.sure(w.log("k1", &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a"), By: uint8(event.ByCard)},
		&wire.Consent{At: now, Happened: now, Handle: wire.Handle{1}, Purpose: wire.Named("offers")}))
	if !denied("k2") || w.ack("k1").Through != 2 {
		t.Errorf("from a device: sent %v", w.topics())
	}
	w.now = w.now.Add(sense.Hour)
	w.given(`{"consent":"offers","customer":"a","granted":true}`)
	w.sent = nil
	w.now++
	w.given(`{"consent":"offers","customer":"a","granted":false}`)
	if !denied("k1") || !denied("k2") {
		t.Errorf("from the back office: sent %v", w.topics())
	}
}
