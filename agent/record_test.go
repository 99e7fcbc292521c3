package agent

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

func testCodec(t testing.TB) (*codec, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Options{Dir: t.TempDir(), DeviceKey: [32]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &codec{device: "kiosk-1", epoch: 77, secret: [16]byte{4}, keys: s.Keys}, s
}

func records(h engine.Handle) []engine.Record {
	at := sense.Instant(1_750_000_000_000)
	of := func(seq uint64, b event.Body) engine.Record {
		return engine.Record{Seq: seq, At: at, Handle: h, Event: &event.Event{At: at, HasAt: true, Happened: at - 9, ID: "e1", Source: "pos", Session: "main", Body: b}}
	}
	list := []engine.Record{
		{Seq: 1, At: at, Handle: h, Identified: &engine.Identified{Handle: h, Customer: "card:123", By: event.ByCard}},
		{Seq: 2, At: at, Handle: h, Decision: &engine.Decision{
			At: at, ID: "kiosk-1-77-1", N: 1, Session: "main", Slot: "home", Asked: true, Action: "offer", Treatment: "say_personal", Value: 1_500_000, Propensity: 40_000, Probability: 1_000_000,
			Uses: []string{"name.first", "rain"}, Moment: [8]byte{7}, List: []engine.Ranked{{Action: "second"}},
			Rejected: []engine.Rejected{{Action: "a", Stage: catalog.StageGuard, Reason: catalog.AlreadyBought}, {Action: "b", Stage: catalog.StageLegal, Reason: catalog.ConsentUnknown}}}},
		of(3, &event.Outcome{Outcome: "accepted", Decision: "kiosk-1-77-1", Slot: "home"}),
		of(4, &event.Fact{Name: "size", Customer: "card:123", Value: sense.StringValue("Medium-size"), Provenance: event.Declared}),
		of(5, &event.Consent{Purpose: "offers", Customer: "card:123", Granted: true, Text: "v3", Expires: sense.Never}),
		of(6, &event.Objection{Purpose: "care", Customer: "card:123", Raised: true}),
		of(7, &event.Restrict{Customer: "card:123", On: true}),
		of(8, &event.Interaction{Kind: "visit", Customer: "card:123", About: "shop:1", Channel: "kiosk", Ref: "r", Value: sense.NullValue(), Due: at + 5}),
		of(9, &event.Forget{Customer: "card:123"}),
	}
	list[8].Event.Happened, list[8].Event.Source = at, "" // a receipt says when it was, and no more
	list[8].Erased = [][32]byte{{0xe1}, {0xe2}}
	owner := of(10, &event.Fact{Name: "vehicle.tyres", Owner: "v1", Value: sense.StringValue("winter"), Provenance: event.Observed})
	owner.Handle = engine.Handle{}
	return append(list, owner)
}

func TestRecordsComeBack(t *testing.T) {
	c, s := testCodec(t)
	h := engine.Handle{1, 2}
	if err := s.Keys.Make(h, ownerHandle); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{nil, {"accepted", "home", "offer", "rain", "size", "offers", "already_bought"}} {
		table := symbolsOf(wire.BundleID{1}, names)
		for _, want := range records(h) {
			raw, err := c.encode(&want, table)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"card:123", "Medium-size", "winter", "shop:1"} {
				if bytes.Contains(raw, []byte(secret)) {
					t.Errorf("record %d holds %q in the clear", want.Seq, secret)
				}
			}
			got, err := c.decode(want.Seq, raw, table, func(engine.Handle) string { return "card:123" })
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("record %d came back as\n%+v %+v\nwant\n%+v %+v", want.Seq, got, got.Decision, want, want.Decision)
			}
		}
	}
}

func TestOpenedAtSending(t *testing.T) {
	c, s := testCodec(t)
	h := engine.Handle{1, 2}
	if err := s.Keys.Make(h); err != nil {
		t.Fatal(err)
	}
	hub, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var key []byte
	open := c.opener(func() []byte { return key })
	table := symbolsOf(wire.BundleID{}, nil)
	raw := map[uint64][]byte{}
	for _, r := range records(h)[:9] {
		if raw[r.Seq], err = c.encode(&r, table); err != nil {
			t.Fatal(err)
		}
	}
	if _, v, _ := open(1, raw[1]); v != outbox.Leave {
		t.Errorf("who it is, without the hub's key: verdict %d, want Leave", v)
	}
	key = hub.PublicKey().Bytes()
	sent, v, _ := open(1, raw[1])
	again, _, _ := open(1, raw[1])
	if v != outbox.Send || !bytes.Equal(sent, again) || bytes.Contains(sent, []byte("card:123")) {
		t.Errorf("who it is: verdict %d, twice the same %v, %q", v, bytes.Equal(sent, again), sent)
	}
	var who wire.Identified
	if err := wire.DecodeInto(sent, &who); err != nil {
		t.Fatal(err)
	}
	if customer, err := wire.OpenAtHub(hub, who.Handle, who.Sealed); err != nil || customer != "card:123" {
		t.Errorf("the hub reads %q, %v", customer, err)
	}
	sent, v, _ = open(4, raw[4])
	var fact wire.Fact
	if err := wire.DecodeInto(sent, &fact); v != outbox.Send || err != nil || fact.Value.Str() != "Medium-size" {
		t.Errorf("fact: verdict %d, %v, %v", v, fact.Value, err)
	}
	// A forget has come of whose it is: it may not overtake its own execution, and ends with the key.
	c.withheld.doom(h, s.Keys)
	c.withheld.doom(engine.Handle{9}, s.Keys) // of nobody here
	for _, seq := range []uint64{1, 4} {
		if _, v, _ := open(seq, raw[seq]); v != outbox.Leave {
			t.Errorf("record %d of who is about to be forgotten: verdict %d, want Leave", seq, v)
		}
	}
	if len(c.withheld.doomed) != 1 {
		t.Errorf("held back are %v", c.withheld.doomed)
	}
	delete(c.withheld.doomed, h)
	// Sealed for its own place in the log: elsewhere it is damage.
	if _, v, why := open(5, raw[4]); v != outbox.Quarantine || why != wire.TombCorrupt {
		t.Errorf("moved record: verdict %d %s", v, why)
	}
	if _, v, _ := open(9, raw[9]); v != outbox.Leave {
		t.Errorf("receipt before the key is destroyed: verdict %d, want Leave", v)
	}
	if err := s.Keys.Destroy(h); err != nil {
		t.Fatal(err)
	}
	var receipt wire.Forgotten
	sent, v, _ = open(9, raw[9])
	if err := wire.DecodeInto(sent, &receipt); v != outbox.Send || err != nil {
		t.Errorf("receipt after the key is destroyed: verdict %d, want Send, %v", v, err)
	}
	if receipt.ID != "e1" || receipt.Handle != wire.Handle(h) || len(receipt.Erased) != 0 {
		t.Errorf("the hub is told %+v: tombstones are for the device alone", receipt)
	}
	// Of somebody whom nobody knew there is no key to wait for, though the keys of owners have the same name.
	if err := s.Keys.Make(ownerHandle); err != nil {
		t.Fatal(err)
	}
	nobody := engine.Record{Seq: 11, At: 5, Event: &event.Event{Body: &event.Forget{}}, Erased: [][32]byte{{1}}}
	none, err := c.encode(&nobody, table)
	if err != nil {
		t.Fatal(err)
	}
	if _, v, _ := open(11, none); v != outbox.Send {
		t.Errorf("receipt of somebody unknown: verdict %d, want Send", v)
	}
	for _, seq := range []uint64{1, 4, 5, 6, 7, 8} {
		if _, v, why := open(seq, raw[seq]); v != outbox.Remove || why != wire.TombErased {
			t.Errorf("record %d of an erased customer: verdict %d %q", seq, v, why)
		}
	}
	if _, v, _ := open(2, raw[2]); v != outbox.Send {
		t.Errorf("an erased customer's decision stays countable: verdict %d", v)
	}
}

func TestLosers(t *testing.T) {
	var all []engine.Rejected
	for k := range 30 {
		r := engine.Rejected{Action: string(rune('A' + k)), Stage: catalog.StageLegal, Reason: catalog.ConsentUnknown}
		if k >= 25 {
			r.Stage, r.Reason = catalog.StageValue, catalog.NotWorthBother
		}
		if k == 3 {
			r.Reason = catalog.Objected
		}
		all = append(all, r)
	}
	best, rest := losers(all)
	var names string
	for _, b := range best {
		names += b.Action
	}
	if want := "Z[\\]^ABCDE"; names != want { // the five that came to value, then by name
		t.Errorf("best %q, want %q", names, want)
	}
	if want := []lost{{catalog.StageLegal, catalog.ConsentUnknown, 20}}; !reflect.DeepEqual(rest, want) {
		t.Errorf("rest %v, want %v", rest, want)
	}
}

func TestWhatCannotTravelBecomesATombstone(t *testing.T) {
	c, s := testCodec(t)
	h := engine.Handle{1}
	if err := s.Keys.Make(h); err != nil {
		t.Fatal(err)
	}
	long := make([]sense.Value, 2000)
	for k := range long {
		long[k] = sense.IntValue(int64(k))
	}
	r := engine.Record{Seq: 1, At: 5, Handle: h, Event: &event.Event{Body: &event.Fact{Name: "x", Value: sense.ListValue(long), Provenance: event.Declared}}}
	raw, err := c.encode(&r, symbolsOf(wire.BundleID{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	var tomb wire.Tombstone
	if err := wire.DecodeInto(raw, &tomb); err != nil || tomb.Was != wire.KindFact || tomb.Reason != wire.TombRefused {
		t.Errorf("got %+v, %v", tomb, err)
	}
	if _, err := c.decode(1, raw, symbolsOf(wire.BundleID{}, nil), nil); !errors.Is(err, errNotMind) {
		t.Errorf("a tombstone was folded: %v", err)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	c := &codec{device: "d", epoch: 1, keys: &script{}}
	table := symbolsOf(wire.BundleID{}, []string{"a", "b"})
	for _, r := range records(engine.Handle{1}) {
		raw, err := c.encode(&r, table)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := c.decode(3, raw, table, func(engine.Handle) string { return "x" })
		if err == nil && r.Seq != 3 {
			t.Fatal("a record without its number")
		}
		_, _, _ = c.opener(func() []byte { return nil })(3, append([]byte{1}, raw...))
	})
}
