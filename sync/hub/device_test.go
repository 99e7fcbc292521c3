package hub_test

import (
	"bytes"
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

func (w *world) ack(device string) *wire.Ack {
	w.t.Helper()
	a, ok := w.last(device, wire.ClassAck).(*wire.Ack)
	if !ok {
		w.t.Fatalf("device %s heard no acknowledgement: %v", device, w.topics())
	}
	return a
}

func (w *world) verify() []string {
	w.t.Helper()
	r, err := w.l.Verify(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Code)
	}
	return list
}

func TestRecordsCountOnceInAnyOrder(t *testing.T) {
	w := newWorld(t)
	send := func(first uint64, n int) {
		t.Helper()
		var rs []wire.Record
		for k := range n {
			rs = append(rs, decision(first+uint64(k)))
		}
		if err := w.logAt("k1", first, rs...); err != nil {
			t.Fatal(err)
		}
	}
	send(5, 3)
	if a := w.ack("k1"); a.Epoch != 7 || a.Through != 0 || !slices.Equal(a.Ranges, []wire.Range{{First: 5, Last: 7}}) {
		t.Errorf("ack is %+v", a)
	}
	if got := w.verify(); !slices.Equal(got, []string{"gap", "decision_gap"}) {
		t.Errorf("findings are %v", got)
	}
	send(10, 1)
	send(1, 6) // two of them again
	if a := w.ack("k1"); a.Through != 7 || !slices.Equal(a.Ranges, []wire.Range{{First: 10, Last: 10}}) {
		t.Errorf("ack is %+v", a)
	}
	send(8, 2)
	if a := w.ack("k1"); a.Through != 10 || len(a.Ranges) != 0 {
		t.Errorf("ack is %+v", a)
	}
	if n, err := w.l.Count(context.Background()); err != nil || n.Records != 10 || n.Decisions != 10 {
		t.Errorf("%+v, %v", n, err)
	}
	if got := w.verify(); got != nil {
		t.Errorf("findings are %v", got)
	}
}

func TestAckHasAtMostSixteenRanges(t *testing.T) {
	w := newWorld(t)
	for k := range uint64(20) {
		if err := w.logAt("k1", 3*k+3, decision(3*k+3)); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.ack("k1"); len(a.Ranges) != wire.MaxRanges || a.Ranges[0].First != 3 {
		t.Errorf("ack is %+v", a)
	}
}

func TestOneAckForARoundOfBatches(t *testing.T) {
	w := newWorld(t)
	topic := wire.Path{Tenant: "shop", Device: "k1"}.Of(wire.Up, wire.ClassLog)
	w.do(hub.FromDevice{Topic: topic, Payload: w.batch("k1", 1, decision(1))}, hub.FromDevice{Topic: topic, Payload: w.batch("k1", 2, decision(2))})
	acks := slices.DeleteFunc(w.topics(), func(s string) bool { return !strings.HasSuffix(s, "/ack") })
	if len(acks) != 1 || w.ack("k1").Through != 2 {
		t.Errorf("%d acks, %+v", len(acks), w.ack("k1"))
	}
}

func TestConflictBeginsANewEpoch(t *testing.T) {
	w := newWorld(t)
	if err := w.logAt("k1", 1, decision(1), decision(2)); err != nil {
		t.Fatal(err)
	}
	w.sent = nil
	if err := w.logAt("k1", 2, decision(9), decision(3)); !errors.Is(err, hub.ErrConflict) {
		t.Fatalf("got %v", err)
	}
	if !slices.Equal(w.topics(), []string{"tact/v1/shop/k1/dn/cmd/epoch"}) {
		t.Errorf("sent %v", w.topics())
	}
	if n, _ := w.l.Count(context.Background()); n.Records != 2 {
		t.Errorf("%d records: something of the batch was kept", n.Records)
	}
}

func TestHelloAfterLossIsOnRecord(t *testing.T) {
	w := newWorld(t)
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 4, Next: 6}); err != nil {
		t.Fatal(err)
	}
	if a := w.ack("k1"); a.Through != 3 || a.Re != "h" {
		t.Errorf("ack is %+v", a)
	}
	if err := w.logAt("k1", 4, decision(4)); err != nil {
		t.Fatal(err)
	}
	if got := w.verify(); !slices.Equal(got, []string{"lost"}) {
		t.Errorf("findings are %v", got)
	}
}

// Journey 40: consent withdrawn on one device is known on the others; the record itself says nothing.
func TestWhatADeviceLearnsReachesTheOthers(t *testing.T) {
	w := newWorld(t)
	w.given(`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T10:00:00Z"}`)
	w.hold("k1", wire.Handle{1}, "a")
	w.hold("k2", wire.Handle{2}, "a")
	w.sent = nil
	now := int64(w.now)
	if err := w.log("k1", &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a"), By: uint8(event.ByCard)},
		&wire.Consent{At: now, Happened: now, Handle: wire.Handle{1}, Purpose: wire.Named("offers"), Source: "app", ID: "1"},
		&wire.Fact{At: now, Happened: now, Handle: wire.Handle{1}, Name: wire.Named("name"), Value: wire.ValueOf(sense.StringValue("Anna")), Provenance: uint8(event.Declared)},
		&wire.Fact{At: now, Happened: now, Owner: "v1", Name: wire.Named("tyres"), Value: wire.ValueOf(sense.StringValue("winter")), Provenance: uint8(event.Observed)},
		&wire.Interaction{At: now, Happened: now, Handle: wire.Handle{1}, What: wire.Named("complaint"), Ref: "c1", Channel: wire.Named("kiosk")},
		&wire.Interaction{At: now, Happened: now, Handle: wire.Handle{1}, What: wire.Named("dance")}, // no policy declares it
	); err != nil {
		t.Fatal(err)
	}
	s := w.holds("k2", wire.Handle{2})
	if len(s.Consents) != 1 || s.Consents[0].Granted || !s.Consents[0].Ever || len(s.Interactions) != 1 || s.Interactions[0].Ref != "c1" || len(s.Facts) != 1 {
		t.Errorf("k2 holds %+v", s)
	}
	if m := w.last("k1", wire.ClassSlice); m != nil {
		t.Errorf("k1 heard what it had told itself: %+v", m)
	}
	if a := w.ack("k1"); a.Through != 6 {
		t.Errorf("ack is %+v", a)
	}
	w.view(func(v hub.View) error {
		e, err := v.Entries([]string{"a"})
		if len(e) != 4 || e[1].Source != "k1/app" || e[2].Source != "k1" || e[2].Device != "k1" {
			t.Errorf("entries are %+v", e)
		}
		return err
	})
	// Sent again they change nothing; the slice says that they are in it.
	s = w.hold("k1", wire.Handle{1}, "a")
	if s.Through != 0 || s.ThroughEpoch != 0 {
		t.Errorf("before a hello the epoch is not known, through is %d of %d", s.Through, s.ThroughEpoch)
	}
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 7, Handles: []wire.Held{{Handle: wire.Handle{1}, Revision: s.Revision}}}); err != nil {
		t.Fatal(err)
	}
	u, ok := w.last("k1", wire.ClassSlice).(*wire.Unchanged)
	if !ok || u.Through != 6 || u.ThroughEpoch != 7 || u.Revision != s.Revision || u.Until != int64(w.now.Add(7*sense.Day)) {
		t.Errorf("answer to hello is %+v", u)
	}
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 7, Handles: []wire.Held{{Handle: wire.Handle{77}, Revision: 4}}}); err != nil {
		t.Fatal(err)
	}
	// The hub's ledger is older than the handle: the device hears that it must say whose it is.
	if u, ok := w.last("k1", wire.ClassSlice).(*wire.Unchanged); !ok || u.Handle != (wire.Handle{77}) || u.Revision != 0 || u.Re != "h" {
		t.Errorf("answer of a handle that is not known is %+v", u)
	}
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 7, Handles: []wire.Held{{Handle: wire.Handle{1}, Revision: s.Revision + 1}}}); err != nil {
		t.Fatal(err)
	}
	if again, ok := w.last("k1", wire.ClassSlice).(*wire.Slice); !ok || again.Revision != s.Revision || again.Re != "h" {
		t.Errorf("answer to another revision is %+v", again)
	}
}

func TestPersonalRecordWaitsForItsHandle(t *testing.T) {
	w := newWorld(t)
	now := int64(w.now)
	consent := &wire.Consent{At: now, Happened: now, Handle: wire.Handle{1}, Purpose: wire.Named("offers"), Granted: true}
	if err := w.logAt("k1", 2, consent); !errors.Is(err, hub.ErrLater) {
		t.Fatalf("a record before the one that says whose it is: %v", err)
	}
	if n, _ := w.l.Count(context.Background()); n.Records != 0 {
		t.Errorf("%d records are kept", n.Records)
	}
	if err := w.logAt("k1", 1, &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a")}); err != nil {
		t.Fatal(err)
	}
	if err := w.logAt("k1", 2, consent); err != nil {
		t.Fatal(err)
	}
	if c := w.must(hub.Look{Customer: "a"}).View; len(c.Slice.Consents) != 1 {
		t.Errorf("consents are %+v", c.Slice.Consents)
	}
}

func TestSymbolsAreAskedForAndUsed(t *testing.T) {
	w := newWorld(t)
	d := decision(1)
	d.Action = wire.Sym{ID: 2}
	if err := w.log("k1", d); !errors.Is(err, hub.ErrLater) {
		t.Fatalf("got %v", err)
	}
	if !slices.Contains(w.topics(), "tact/v1/shop/k1/dn/cmd/symbols") {
		t.Errorf("sent %v", w.topics())
	}
	for _, r := range []*wire.SymbolTable{{Of: 2, From: 1, Names: []string{"stay"}}, {Of: 2, Names: []string{"first"}}} {
		if err := w.request("k1", r); err != nil {
			t.Fatal(err)
		}
	}
	w.seq["k1"] = 0
	if err := w.log("k1", d); err != nil {
		t.Fatal(err)
	}
	list, err := w.l.Decisions(context.Background(), ledger.Filter{Limit: 1})
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Symbols, []string{"first", "stay"}) {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	w.given(`{"merge":["crm:1","card:1"]}`, `{"fact":"name","customer":"card:1","value":"Anna","provenance":"declared"}`)
	w.hold("k1", wire.Handle{1}, "card:1")
	w.hold("k2", wire.Handle{2}, "crm:1")
	if err := w.log("k1", decision(1)); err != nil {
		t.Fatal(err)
	}
	w.sent = nil
	w.given(`{"forget":"crm:1"}`)
	f1, ok1 := w.last("k1", wire.ClassSlice).(*wire.Forget)
	f2, ok2 := w.last("k2", wire.ClassSlice).(*wire.Forget)
	if !ok1 || !ok2 || f1.Handle != (wire.Handle{1}) || f2.ID == "" {
		t.Fatalf("forgets are %+v, %+v", f1, f2)
	}
	for _, id := range []string{"crm:1", "card:1"} {
		if err := w.line(`{"fact":"name","customer":"` + id + `","value":"Anna","provenance":"declared"}`); !errors.Is(err, hub.ErrErased) {
			t.Errorf("a fact for %s: %v", id, err)
		}
		if err := w.do(hub.Look{Customer: id})[0].Err; !errors.Is(err, hub.ErrErased) {
			t.Errorf("a look at %s: %v", id, err)
		}
	}
	w.view(func(v hub.View) error {
		e, err := v.Entries([]string{"crm:1", "card:1"})
		h, err2 := v.HoldingsOf([]string{"crm:1", "card:1"})
		if len(e) != 0 || len(h) != 0 {
			t.Errorf("left are %v, %v", e, h)
		}
		return errors.Join(err, err2)
	})
	w.sent = nil
	w.do(hub.Tick{})
	if len(w.sent) != 0 {
		t.Error("said again at once")
	}
	w.now = w.now.Add(11 * sense.Second)
	w.do(hub.Tick{})
	if w.last("k1", wire.ClassSlice) == nil {
		t.Error("not said again without a receipt")
	}
	// What was on its way from the device leads to nobody, but counts.
	now := int64(w.now)
	if err := w.log("k1", &wire.Consent{At: now, Happened: now, Handle: wire.Handle{1}, Purpose: wire.Named("offers"), Granted: true},
		&wire.Tombstone{At: now, Was: wire.KindFact, Reason: wire.TombErased}, &wire.Forgotten{At: now, ID: f1.ID, Handle: wire.Handle{1}}); err != nil {
		t.Fatal(err)
	}
	w.sent = nil
	w.now = w.now.Add(11 * sense.Second)
	w.do(hub.Tick{})
	if w.last("k1", wire.ClassSlice) != nil || w.last("k2", wire.ClassSlice) == nil {
		t.Errorf("after the receipt of k1: %v", w.topics())
	}
	if n, err := w.l.Count(context.Background()); err != nil || n.Decisions != 1 || n.Records != 4 || n.Entries != 0 || n.Customers != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	// She comes back with her card, and starts with nothing.
	s := w.hold("k1", wire.Handle{3}, "card:1")
	if len(s.Facts)+len(s.Consents)+len(s.Interactions) != 0 {
		t.Errorf("slice is %+v", s)
	}
	if err := w.log("k1", &wire.Identified{At: int64(w.now), Handle: wire.Handle{3}, Sealed: w.sealed(wire.Handle{3}, "card:1"), By: uint8(event.ByCard)}); err != nil {
		t.Fatal(err)
	}
	w.given(`{"fact":"name","customer":"card:1","value":"Anna","provenance":"declared"}`)
	if c := w.must(hub.Look{Customer: "card:1"}).View; c.Customer != "card:1" || len(c.IDs) != 1 || len(c.Slice.Facts) != 1 {
		t.Errorf("afterwards: %+v", c)
	}
}

// A device that was away while somebody was forgotten tells of her too late.
func TestForgottenWhileADeviceWasAway(t *testing.T) {
	w := newWorld(t)
	w.given(`{"fact":"name","customer":"card:1","value":"Anna","provenance":"declared"}`)
	before := int64(w.now)
	w.now = w.now.Add(sense.Hour)
	w.given(`{"forget":"card:1"}`)
	w.sent = nil
	if err := w.log("k1", &wire.Identified{At: before, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "card:1"), By: uint8(event.ByCard)},
		&wire.Consent{At: before, Happened: before, Handle: wire.Handle{1}, Purpose: wire.Named("offers"), Granted: true}, decision(1)); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.last("k1", wire.ClassSlice).(*wire.Forget); !ok {
		t.Errorf("the device did not hear the forget: %v", w.topics())
	}
	if n, _ := w.l.Count(context.Background()); n.Entries != 0 || n.Records != 3 || n.Customers != 0 {
		t.Errorf("%+v", n)
	}
}

func TestForgetToldToADevice(t *testing.T) {
	w := newWorld(t)
	w.given(`{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`)
	w.hold("k1", wire.Handle{1}, "a")
	w.hold("k2", wire.Handle{2}, "a")
	w.sent = nil
	if err := w.log("k1", &wire.Forgotten{At: int64(w.now), Handle: wire.Handle{1}}); err != nil {
		t.Fatal(err)
	}
	if w.last("k1", wire.ClassSlice) != nil {
		t.Error("the device that did it is told to do it")
	}
	if _, ok := w.last("k2", wire.ClassSlice).(*wire.Forget); !ok {
		t.Errorf("sent %v", w.topics())
	}
	if err := w.line(`{"interaction":"visit","customer":"a"}`); !errors.Is(err, hub.ErrErased) {
		t.Errorf("got %v", err)
	}
}

// A device that was away tells in one batch that somebody asked to be forgotten, and came back
// with her card: she begins anew, and what she said since holds.
func TestForgottenAndBackOnADevice(t *testing.T) {
	w := newWorld(t)
	w.clock = sense.ClockSynced
	w.given(`{"fact":"name","customer":"card:1","value":"Anna","provenance":"declared"}`)
	before := int64(w.now)
	w.now = w.now.Add(sense.Hour)
	identified := func(h byte, at int64, by event.By) *wire.Identified {
		return &wire.Identified{At: at, Handle: wire.Handle{h}, Sealed: w.sealed(wire.Handle{h}, "card:1"), By: uint8(by)}
	}
	consent := func(h byte, at int64) *wire.Consent {
		return &wire.Consent{At: at, Happened: at, Handle: wire.Handle{h}, Purpose: wire.Named("offers"), Granted: true}
	}
	if err := w.log("k1", identified(1, before, event.ByCard), consent(1, before), &wire.Forgotten{At: before + 1, Handle: wire.Handle{1}},
		identified(2, before+2, event.ByPassive), consent(2, before+2), identified(2, before+3, event.ByCard), consent(2, before+4),
		&wire.Forgotten{At: before + 5}); err != nil { // of somebody whom the device did not know: nobody here
		t.Fatal(err)
	}
	c := w.must(hub.Look{Customer: "card:1"}).View
	if len(c.Slice.Facts) != 0 || len(c.Slice.Consents) != 1 || int64(c.Slice.Consents[0].Happened) != before+4 {
		t.Errorf("she is known as %+v", c.Slice)
	}
	if err := w.line(`{"interaction":"visit","customer":"card:1"}`); err != nil {
		t.Errorf("what is said of her now: %v", err)
	}
	if n, _ := w.l.Count(context.Background()); n.Records != 8 {
		t.Errorf("%+v", n)
	}
	// By the word of a device that does not know the time nothing ends before it came here.
	w.clock = sense.ClockFloor
	if err := w.log("k1", &wire.Forgotten{At: before + 6, Handle: wire.Handle{2}}, identified(3, before+7, event.ByCard)); err != nil {
		t.Fatal(err)
	}
	if err := w.line(`{"interaction":"visit","customer":"card:1"}`); !errors.Is(err, hub.ErrErased) {
		t.Errorf("got %v", err)
	}
}

func TestWants(t *testing.T) {
	w := newWorld(t)
	want := func() *wire.Want {
		t.Helper()
		for k := len(w.sent) - 1; k >= 0; k-- {
			if strings.HasSuffix(w.sent[k].Topic, "/k1/dn/want") {
				var x wire.Want
				if err := wire.DecodeJSON(w.sent[k].Payload, &x); err != nil || !w.sent[k].Retain {
					t.Fatal(err)
				}
				return &x
			}
		}
		return nil
	}
	hello := func(revision uint64) {
		t.Helper()
		w.sent = nil
		if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1, Want: revision}); err != nil {
			t.Fatal(err)
		}
	}
	hello(0)
	first := want()
	if first == nil || first.Bundle == nil || first.Bundle.Name != "dealer" || first.Bundle.Version != "1" || !bytes.Equal(first.HubKey, w.key.PublicKey().Bytes()) {
		t.Fatalf("want is %+v", first)
	}
	if hello(first.Revision); want() != nil {
		t.Errorf("a device that has it heard it again")
	}
	if hello(first.Revision + 40); want() == nil || want().Revision <= first.Revision+40 {
		t.Errorf("a device that is ahead, of a hub restored from a backup: %+v", want())
	}
	// The file comes in chunks.
	w.sent = nil
	if err := w.request("k1", &wire.BundleRequest{ID: "b", SHA256: first.Bundle.SHA256}); err != nil {
		t.Fatal(err)
	}
	if b := w.last("k1", wire.ClassBlob).(*wire.Blob); int64(len(b.Bytes)) != first.Bundle.Size || b.Of != 1 || b.Re != "b" {
		t.Errorf("chunk is %d of %d, %d bytes", b.Index, b.Of, len(b.Bytes))
	}
	if err := w.request("k1", &wire.BundleRequest{ID: "b", SHA256: "../hub.db"}); !errors.Is(err, hub.ErrNotTaken) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestHostileMessages(t *testing.T) {
	w := newWorld(t)
	good := w.batch("k1", 1, decision(1))
	up := func(device, class string) string { return wire.Path{Tenant: "shop", Device: device}.Of(wire.Up, class) }
	for _, c := range []struct {
		name, topic string
		payload     []byte
		err         error
	}{
		{"another tenant", strings.Replace(up("k1", "log"), "shop", "bank", 1), good, hub.ErrNotTaken},
		{"another device's batch", up("k2", "log"), good, hub.ErrNotTaken},
		{"garbage batch", up("k1", "log"), []byte("\xff\xff\xff\xff"), wire.ErrMalformed},
		{"empty batch", up("k1", "log"), nil, wire.ErrMalformed},
		{"cut batch", up("k1", "log"), good[:len(good)-3], wire.ErrMalformed},
		{"oversized", up("k1", "log"), make([]byte, wire.MaxMessage+1), wire.ErrTooLarge},
		{"garbage request", up("k1", "req"), []byte("{"), wire.ErrMalformed},
		{"unknown request", up("k1", "req"), []byte(`{"request":"root"}`), wire.ErrMalformed},
		{"a slice sealed to somebody else", up("k1", "req"), []byte(`{"request":"slice","handle":"01000000000000000000000000000000","customer":"AAAA"}`), wire.ErrSeal},
		{"a symbol table out of bounds", up("k1", "req"), []byte(`{"request":"symbols","from":4294967295,"of":1,"names":["a"]}`), hub.ErrNotTaken},
		{"presence of no state", "tact/v1/shop/k1/st/conn", []byte(`{"state":"dancing"}`), wire.ErrMalformed},
		{"a hub's topic", "tact/v1/shop/_hub/st/conn", []byte(`{}`), hub.ErrNotTaken},
		{"the way down", "tact/v1/shop/k1/dn/ack", []byte(`{}`), hub.ErrNotTaken},
		{"no topic", "a/b", nil, wire.ErrMalformed},
	} {
		if err := w.do(hub.FromDevice{Topic: c.topic, Payload: c.payload})[0].Err; !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.err)
		}
	}
	if n, _ := w.l.Count(context.Background()); n.Records != 0 {
		t.Errorf("%d records are kept", n.Records)
	}
	// A record that cannot be read is kept as it is, and spoils no other.
	odd := &wire.Batch{Device: "k1", Epoch: 7, First: 1, Records: [][]byte{{byte(wire.KindConsent), 0x91, 0xc3}}}
	raw, err := wire.AppendRecord(nil, decision(1))
	if err != nil {
		t.Fatal(err)
	}
	odd.Records = append(odd.Records, raw)
	msg, err := w.pack.Encode(odd)
	if err != nil {
		t.Fatal(err)
	}
	w.must(hub.FromDevice{Topic: up("k1", "log"), Payload: msg})
	if w.ack("k1").Through != 2 {
		t.Errorf("ack is %+v", w.ack("k1"))
	}
}

func TestLateDeathCountsForNothing(t *testing.T) {
	on := func(counter uint64) wire.Conn { return wire.Conn{State: wire.Online, Counter: counter} }
	off := func(counter uint64) wire.Conn { return wire.Conn{State: wire.Offline, Counter: counter} }
	for name, c := range map[string]struct {
		said []wire.Conn
		here bool
	}{
		"of an older connection":                      {[]wire.Conn{on(2), off(1)}, true},
		"of this one":                                 {[]wire.Conn{on(2), off(2)}, false},
		"of one whose birth was lost":                 {[]wire.Conn{on(2), off(3)}, false},
		"of the life before its store was put back":   {[]wire.Conn{on(9), on(4), off(9)}, true},
		"of one in that life whose birth was lost":    {[]wire.Conn{on(7), on(9), on(4), off(8)}, true},
		"of this one, after a store was put back":     {[]wire.Conn{on(9), on(4), off(9), off(4)}, false},
		"of one beyond the life before":               {[]wire.Conn{on(9), on(4), off(10)}, false},
		"of one whose number the life before had":     {[]wire.Conn{on(9), on(4), on(9), off(9)}, false},
		"of the life before, which is long passed":    {[]wire.Conn{on(9), on(4), on(10), off(9)}, true},
		"of one after that, whose birth was not lost": {[]wire.Conn{on(9), on(4), on(10), on(12), off(12)}, false},
	} {
		w := newWorld(t)
		for _, said := range c.said {
			b, err := wire.EncodeJSON(said)
			if err != nil {
				t.Fatal(err)
			}
			w.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/conn", Payload: b})
		}
		w.sent = nil
		w.must(hub.Connected{})
		if here := slices.Equal(w.topics(), []string{"tact/v1/shop/k1/dn/cmd/rebirth"}); here != c.here {
			t.Errorf("a death %s: the device is here: %v, sent %v", name, here, w.topics())
		}
	}
}

func FuzzFromDevice(f *testing.F) {
	w := newWorld(&testing.T{})
	f.Add("tact/v1/shop/k1/up/log", w.batch("k1", 1, decision(1)))
	f.Add("tact/v1/shop/k1/up/req", []byte(`{"request":"hello","epoch":"7","first":1,"next":2,"handles":[],"want":0}`))
	f.Add("tact/v1/shop/k1/st/birth", []byte(`{"version":"1"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		w := newWorld(t)
		w.do(hub.FromDevice{Topic: topic, Payload: payload}, hub.FromDevice{Topic: topic, Payload: payload}, hub.Tick{})
	})
}

// What a device derived and may tell is a fact of its customer, observed; what it may not tell is none, and
// nobody else tells it. No device is lent it: it is for the company to look at.
func TestDerivedValuesAreTaken(t *testing.T) {
	w := newWorld(t)
	w.hold("k1", wire.Handle{1}, "a")
	now := int64(w.now)
	fact := func(name string, v sense.Value, p event.Provenance) *wire.Fact {
		return &wire.Fact{At: now, Happened: now, Handle: wire.Handle{1}, Name: wire.Named(name), Value: wire.ValueOf(v), Provenance: uint8(p)}
	}
	if err := w.log("k1", &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a"), By: uint8(event.ByCard)},
		fact("score", sense.IntValue(80), event.Observed), fact("inner", sense.IntValue(1), event.Observed),
		fact("score", sense.StringValue("high"), event.Observed), fact("score", sense.IntValue(100), event.Declared)); err != nil {
		t.Fatal(err)
	}
	w.view(func(v hub.View) error {
		e, err := v.Entries([]string{"a"})
		if len(e) != 1 || e[0].Name != "score" || e[0].Expires != w.now.Add(sense.Year) {
			t.Errorf("entries are %+v", e)
		}
		return err
	})
	if s := w.hold("k1", wire.Handle{1}, "a"); len(s.Facts) != 0 {
		t.Errorf("lent to a device: %+v", s.Facts)
	}
}

// What several sources said of a fact is lent with its sources, so that every device weighs the same.
func TestSliceHoldsEverySource(t *testing.T) {
	w := newWorld(t)
	w.given(`{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`)
	w.now++
	w.hold("k1", wire.Handle{1}, "a")
	now := int64(w.now)
	if err := w.log("k1", &wire.Identified{At: now, Handle: wire.Handle{1}, Sealed: w.sealed(wire.Handle{1}, "a"), By: uint8(event.ByCard)},
		&wire.Fact{At: now, Happened: now, Handle: wire.Handle{1}, Name: wire.Named("name"), Value: wire.ValueOf(sense.StringValue("Ann")), Provenance: uint8(event.Declared)}); err != nil {
		t.Fatal(err)
	}
	s := w.hold("k2", wire.Handle{2}, "a")
	if len(s.Facts) != 2 || s.Facts[0].Value.Str() != "Ann" || s.Facts[1].Value.Str() != "Anna" || s.Facts[0].Source == s.Facts[1].Source {
		t.Errorf("facts are %+v", s.Facts)
	}
}
