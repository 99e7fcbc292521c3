package ledger

import (
	"context"
	"errors"
	"reflect"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// T is what the suite needs of a *testing.T; the programs that link this package
// do not link package testing.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Error(args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// Case is one test of the suite, over an empty ledger of its own.
type Case struct {
	Name string
	Test func(T, Ledger)
}

// Conform is the suite that every ledger passes.
func Conform() []Case {
	return append(conformFleet(), []Case{
		{"what is applied is seen at once and kept at commit", conformCommit},
		{"what is rolled back never was", conformRollback},
		{"customers, merges and tombstones", conformCustomers},
		{"entries come in order and go by row, by id and by time", conformEntries},
		{"handles and forgets", conformHoldings},
		{"a record is kept once and the first stays", conformRecords},
		{"erasing leaves records and drops digests", conformErase},
		{"symbol tables are whole or not there", conformSymbols},
		{"bundles, wants and devices", conformPolicies},
		{"verify finds gaps, doubles and losses", conformVerify},
		{"begin waits, and gives up with its context", conformBegin},
	}...)
}

func begin(t T, l Ledger) Tx {
	t.Helper()
	tx, err := l.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// change applies and commits.
func change(t T, l Ledger, writes ...hub.Write) {
	t.Helper()
	tx := begin(t, l)
	if err := errors.Join(tx.Apply(writes), tx.Commit()); err != nil {
		t.Fatal(err)
	}
}

// look reads within a transaction that changes nothing.
func look(t T, l Ledger, f func(hub.View) error) {
	t.Helper()
	tx := begin(t, l)
	if err := errors.Join(f(tx), tx.Rollback()); err != nil {
		t.Fatal(err)
	}
}

func same(t T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func conformCommit(t T, l Ledger) {
	tx := begin(t, l)
	if err := tx.Apply([]hub.Write{hub.PutPerson{ID: "crm:1", Person: "anna"}}); err != nil {
		t.Fatal(err)
	}
	p, ok, err := tx.PersonOf("crm:1")
	if p != "anna" || !ok || err != nil {
		t.Errorf("inside: %q %v %v", p, ok, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	look(t, l, func(v hub.View) error {
		p, ok, err := v.PersonOf("crm:1")
		if p != "anna" || !ok {
			t.Errorf("after: %q %v", p, ok)
		}
		return err
	})
}

func conformRollback(t T, l Ledger) {
	entry := hub.Entry{ID: "anna", What: "consent", Name: "offers", Line: []byte("{}"), Happened: 5, Expires: sense.Never}
	change(t, l, hub.PutPerson{ID: "a", Person: "a"}, hub.AddEntry{Entry: entry})
	tx := begin(t, l)
	if err := tx.Apply([]hub.Write{
		hub.PutPerson{ID: "a", Person: "b"}, hub.DropID{ID: "anna"}, hub.PutRevision{Revision: 9},
		hub.AddRecords{Records: []hub.Record{{Device: "d", Epoch: 1, Seq: 1, Kind: wire.KindReport, Digest: hub.Digest{1}, Body: []byte{1}}}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	look(t, l, func(v hub.View) error {
		p, _, err := v.PersonOf("a")
		same(t, "person", p, "a")
		entries, err2 := v.Entries([]string{"anna"})
		same(t, "entries", len(entries), 1)
		r, err3 := v.Revision()
		same(t, "revision", r, uint64(0))
		d, err4 := v.Digests("d", 1, 1, 1)
		same(t, "records", len(d), 0)
		return errors.Join(err, err2, err3, err4)
	})
}

func conformCustomers(t T, l Ledger) {
	change(t, l, hub.PutPerson{ID: "b", Person: "b"}, hub.PutPerson{ID: "a", Person: "a"}, hub.PutPerson{ID: "b", Person: "a"},
		hub.PutMerge{Merge: hub.Merge{Into: "a", From: "b", Happened: 7}}, hub.PutMerge{Merge: hub.Merge{Into: "x", From: "y", Happened: 3}},
		hub.PutMerge{Merge: hub.Merge{Into: "c", From: "a", Happened: 2}},
		hub.PutTaken{Key: hub.Hash{1}}, hub.PutErased{ID: hub.Hash{2}, At: 50})
	look(t, l, func(v hub.View) error {
		ids, err := v.IDsOf("a")
		same(t, "ids", ids, []string{"a", "b"})
		merges, err2 := v.MergesOf([]string{"a"})
		same(t, "merges", merges, []hub.Merge{{Into: "c", From: "a", Happened: 2}, {Into: "a", From: "b", Happened: 7}})
		taken, err3 := v.Taken(hub.Hash{1})
		other, err4 := v.Taken(hub.Hash{9})
		same(t, "taken", []bool{taken, other}, []bool{true, false})
		at, ok, err5 := v.ErasedAt(hub.Hash{2})
		same(t, "erased", []any{at, ok}, []any{sense.Instant(50), true})
		return errors.Join(err, err2, err3, err4, err5)
	})
	// Names come in the order of their bytes, whatever language the database speaks.
	change(t, l, hub.PutPerson{ID: "1", Person: "B"}, hub.PutPerson{ID: "2", Person: "_x"}, hub.PutPerson{ID: "3", Person: "é"}, hub.PutPerson{ID: "4", Person: "B"})
	look(t, l, func(v hub.View) error {
		all, err := v.People("", 10)
		same(t, "people", all, []string{"B", "_x", "a", "é"})
		some, err2 := v.People("B", 2)
		same(t, "people after B", some, []string{"_x", "a"})
		return errors.Join(err, err2)
	})
	change(t, l, hub.DropMerge{Into: "a", From: "b"}, hub.DropPerson{ID: "b"}, hub.DropErased{ID: hub.Hash{2}})
	look(t, l, func(v hub.View) error {
		_, ok, err := v.PersonOf("b")
		_, erased, err2 := v.ErasedAt(hub.Hash{2})
		merges, err3 := v.MergesOf([]string{"b"})
		same(t, "gone", []any{ok, erased, len(merges)}, []any{false, false, 0})
		return errors.Join(err, err2, err3)
	})
}

func conformEntries(t T, l Ledger) {
	e := hub.Entry{ID: "anna", What: "fact", Name: "size", Happened: 10, Expires: 110, Device: "k1", Handle: wire.Handle{7}, Source: "k1/app",
		Line: []byte(`{"fact":"size"}`), Record: []byte{3, 0x90}}
	o := hub.Entry{Owner: "car-1", What: "fact", Name: "tyres", Happened: 20, Expires: sense.Never, Source: "crm", Line: []byte(`{}`)}
	late := e
	late.ID, late.Name, late.Expires = "crm:1", "shoe", 500
	change(t, l, hub.AddEntry{Entry: e}, hub.AddEntry{Entry: o}, hub.AddEntry{Entry: late})
	var rows []hub.Entry
	look(t, l, func(v hub.View) (err error) {
		if rows, err = v.Entries([]string{"crm:1", "anna"}); err != nil || len(rows) != 2 {
			t.Fatalf("%d entries, %v", len(rows), err)
		}
		if rows[0].Row >= rows[1].Row {
			t.Errorf("rows %d, %d are not rising", rows[0].Row, rows[1].Row)
		}
		e.Row = rows[0].Row
		same(t, "entry", rows[0], e)
		owned, err2 := v.OwnerEntries([]string{"car-1", "car-2"})
		o.Row = owned[0].Row
		same(t, "owner's", owned, []hub.Entry{o})
		gone, err3 := v.Expired(110, 10)
		same(t, "expired", gone, []hub.Entry{e})
		none, err4 := v.Expired(109, 10)
		same(t, "not yet expired", len(none), 0)
		nobody, err5 := v.Entries(nil)
		same(t, "of nobody", len(nobody), 0)
		return errors.Join(err2, err3, err4, err5)
	})
	change(t, l, hub.SetRetention{What: "fact", Name: "size", Keep: 30}, hub.SetRetention{What: "fact", Name: "shoe", Keep: sense.Forever})
	look(t, l, func(v hub.View) error {
		gone, err := v.Expired(500, 10)
		same(t, "expired after a new retention", []any{len(gone), gone[0].Expires}, []any{1, sense.Instant(40)})
		return err
	})
	change(t, l, hub.DropEntries{Rows: []int64{e.Row, 999}}, hub.DropID{ID: "crm:1"})
	look(t, l, func(v hub.View) error {
		left, err := v.Entries([]string{"anna", "crm:1"})
		same(t, "left", len(left), 0)
		return err
	})
}

func conformHoldings(t T, l Ledger) {
	h1 := hub.Holding{Device: "k1", Handle: wire.Handle{1}, ID: "anna", Revision: 3, Digest: hub.Digest{9}, Until: 100,
		Owners: []event.Owner{{Kind: "vehicle", ID: "car-1"}}}
	h2 := hub.Holding{Device: "k2", Handle: wire.Handle{2}, ID: "anna", Until: 50}
	h0 := hub.Holding{Device: "k1", Handle: wire.Handle{0, 5}, ID: "bob", Until: 100}
	change(t, l, hub.PutHolding{Holding: h2}, hub.PutHolding{Holding: h1}, hub.PutHolding{Holding: h0}, hub.PutHolding{Holding: h1},
		hub.PutForget{Forget: hub.Forget{ID: "f", Device: "k1", Handle: wire.Handle{8}, At: 5, Sent: 5}})
	look(t, l, func(v hub.View) error {
		got, ok, err := v.Holding("k1", wire.Handle{1})
		same(t, "holding", []any{got, ok}, []any{h1, true})
		_, ok, err2 := v.Holding("k2", wire.Handle{1})
		same(t, "of another device", ok, false)
		of, err3 := v.HoldingsOf([]string{"anna"})
		same(t, "of anna", of, []hub.Holding{h1, h2})
		with, err4 := v.HoldingsWith([]string{"car-1"})
		same(t, "with the car", with, []hub.Holding{h1})
		at, err5 := v.HoldingsAt("k1", 99)
		same(t, "at k1", at, []hub.Holding{h0, h1})
		ended, err6 := v.HoldingsAt("k2", 50)
		same(t, "at k2 after the lease", len(ended), 0)
		f, err7 := v.Forgets("k1")
		same(t, "forgets", f, []hub.Forget{{ID: "f", Device: "k1", Handle: wire.Handle{8}, At: 5, Sent: 5}})
		due, err8 := v.ForgetsDue(5, 10)
		same(t, "not due", len(due), 0)
		due, err9 := v.ForgetsDue(6, 10)
		same(t, "due", len(due), 1)
		return errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9)
	})
	h1.Owners = nil
	change(t, l, hub.PutHolding{Holding: h1}, hub.DropHolding{Device: "k2", Handle: wire.Handle{2}}, hub.DropForget{Device: "k1", Handle: wire.Handle{8}})
	look(t, l, func(v hub.View) error {
		with, err := v.HoldingsWith([]string{"car-1"})
		of, err2 := v.HoldingsOf([]string{"anna"})
		f, err3 := v.Forgets("k1")
		same(t, "after", []any{len(with), of, len(f)}, []any{0, []hub.Holding{h1}, 0})
		return errors.Join(err, err2, err3)
	})
}

// high is a number of 64 bits that is negative when signed.
const high = 1<<63 + 5

func decisionRecord(t T, device string, seq, n uint64, at int64) hub.Record {
	t.Helper()
	body, err := wire.AppendRecord(nil, &wire.Decision{N: n, At: at, Slot: wire.Named("home"), Action: wire.Sym{ID: 1}, Handle: wire.Handle{4}})
	if err != nil {
		t.Fatal(err)
	}
	return hub.Record{Device: device, Epoch: high, Seq: seq, Kind: wire.KindDecision, At: sense.Instant(at), Handle: wire.Handle{4},
		Bundle: wire.BundleID{3}, Digest: hub.Digest{byte(seq)}, Body: body}
}

func conformRecords(t T, l Ledger) {
	var many []hub.Record
	for n := uint64(1); n <= 70; n++ { // more than one statement's worth
		many = append(many, decisionRecord(t, "k1", n, n, int64(100*n)))
	}
	change(t, l, hub.AddRecords{Records: many}, hub.AddDecision{Decision: hub.Decision{Device: "k1", Epoch: high, N: 1, Seq: 1}},
		hub.PutMark{Mark: hub.Mark{Device: "k1", Epoch: high, Through: 70, Ranges: []wire.Range{{First: 80, Last: 81}}}})
	other := many[4]
	other.Digest = hub.Digest{99}
	change(t, l, hub.AddRecords{Records: []hub.Record{other}})
	outcome := hub.Outcome{Device: "k1", Epoch: high, N: 2, Outcome: "shown", Happened: 5, By: "k1-1-3"}
	change(t, l, hub.AddOutcome{Outcome: outcome}, hub.AddOutcome{Outcome: outcome},
		hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: high, N: 2, Outcome: hub.Answered, Happened: 9, By: "x"}})
	look(t, l, func(v hub.View) error {
		d, err := v.Digests("k1", high, 5, 6)
		same(t, "digests", d, map[uint64]hub.Digest{5: {5}, 6: {6}})
		m, err2 := v.Mark("k1", high)
		same(t, "mark", m, hub.Mark{Device: "k1", Epoch: high, Through: 70, Ranges: []wire.Range{{First: 80, Last: 81}}})
		none, err3 := v.Mark("k1", 1)
		same(t, "no mark", none, hub.Mark{})
		return errors.Join(err, err2, err3)
	})
	list, err := l.Decisions(context.Background(), Filter{Limit: 2, Since: 200, Device: "k1"})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d decisions, %v", len(list), err)
	}
	if string(list[0].Record.Body) != string(many[1].Body) || list[0].Record.Epoch != high || list[0].Record.Seq != 2 {
		t.Errorf("first is %+v", list[0].Record)
	}
	same(t, "outcomes", []string{list[0].Outcomes[0].Outcome, list[0].Outcomes[1].Outcome}, []string{"shown", "answered"})
	rest, err := l.Decisions(context.Background(), Filter{Limit: MaxDecisions, After: list[1].Arrival})
	if err != nil || len(rest) != 67 {
		t.Errorf("%d after the third, %v", len(rest), err)
	}
	none, err := l.Decisions(context.Background(), Filter{Limit: 1, Device: "k2"})
	if err != nil || len(none) != 0 {
		t.Errorf("%d of another device, %v", len(none), err)
	}
	c, err := l.Count(context.Background())
	same(t, "count", []any{c, err}, []any{Counts{Records: 70, Decisions: 1, Answered: 1}, error(nil)})
}

func conformErase(t T, l Ledger) {
	personal := hub.Record{Device: "k1", Epoch: 1, Seq: 1, Kind: wire.KindFact, Handle: wire.Handle{4}, Digest: hub.Digest{1}}
	decision := decisionRecord(t, "k1", 2, 1, 5)
	decision.Epoch = 1
	change(t, l, hub.AddRecords{Records: []hub.Record{personal, decision}}, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: wire.Handle{4}, ID: "anna"}})
	change(t, l, hub.DropHolding{Device: "k1", Handle: wire.Handle{4}})
	look(t, l, func(v hub.View) error {
		d, err := v.Digests("k1", 1, 1, 2)
		same(t, "digests", d, map[uint64]hub.Digest{1: {}, 2: {2}})
		return err
	})
}

func conformSymbols(t T, l Ledger) {
	b := wire.BundleID{1}
	change(t, l, hub.PutSymbols{SymbolPart: hub.SymbolPart{Bundle: b, Device: "k1", From: 2, Of: 3, Names: []string{"c"}}})
	look(t, l, func(v hub.View) error {
		_, ok, err := v.Symbols(b, "k1")
		same(t, "in parts", ok, false)
		return err
	})
	change(t, l, hub.PutSymbols{SymbolPart: hub.SymbolPart{Bundle: b, Device: "k1", From: 0, Of: 3, Names: []string{"a", "b"}}})
	look(t, l, func(v hub.View) error {
		names, ok, err := v.Symbols(b, "k1")
		same(t, "whole", []any{names, ok}, []any{[]string{"a", "b", "c"}, true})
		_, ok, err2 := v.Symbols(b, "")
		same(t, "another's word", ok, false)
		return errors.Join(err, err2)
	})
}

func conformPolicies(t T, l Ledger) {
	b := hub.Bundle{SHA256: "ff", Name: "dealer", Version: 3, File: []byte{1, 2}, Signature: []byte("sig"), At: 4}
	d := hub.Device{ID: "k2", Online: true, Counter: high, Epoch: high, Birth: wire.Birth{Bundle: wire.BundleRef{SHA256: "ff"}}, Want: 3, Wanted: "ff"}
	change(t, l, hub.PutBundle{Bundle: b}, hub.PutWant{Want: hub.Want{Scope: "d/k1", SHA256: "aa"}}, hub.PutWant{Want: hub.Want{SHA256: "ff", At: 4}},
		hub.PutDevice{Device: d}, hub.PutDevice{Device: hub.Device{ID: "k1"}}, hub.PutRevision{Revision: 8}, hub.PutRevision{Revision: 9})
	look(t, l, func(v hub.View) error {
		got, ok, err := v.Bundle("ff")
		same(t, "bundle", []any{got, ok}, []any{b, true})
		wants, err2 := v.Wants()
		same(t, "wants", wants, []hub.Want{{SHA256: "ff", At: 4}, {Scope: "d/k1", SHA256: "aa"}})
		dev, ok, err3 := v.Device("k2")
		same(t, "device", []any{dev, ok}, []any{d, true})
		page, err4 := v.Devices("k1", 10)
		same(t, "page", []any{len(page), page[0].ID}, []any{1, "k2"})
		r, err5 := v.Revision()
		same(t, "revision", r, uint64(9))
		return errors.Join(err, err2, err3, err4, err5)
	})
}

func conformVerify(t T, l Ledger) {
	tomb, err := wire.AppendRecord(nil, &wire.Tombstone{At: 1, Was: wire.KindDecision, Reason: wire.TombCorrupt})
	if err != nil {
		t.Fatal(err)
	}
	lapse, err := wire.AppendRecord(nil, &wire.Report{At: 1, Code: wire.ReportStoreRecovered, Detail: "state.db", Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	add := func(device string, seq, n uint64) []hub.Write {
		r := decisionRecord(t, device, seq, n, 1)
		r.Epoch = 1
		return []hub.Write{hub.AddRecords{Records: []hub.Record{r}}, hub.AddDecision{Decision: hub.Decision{Device: device, Epoch: 1, N: n, Seq: seq}}}
	}
	mark := func(device string, through uint64, missing ...wire.Range) hub.Write {
		return hub.PutMark{Mark: hub.Mark{Device: device, Epoch: 1, Through: through, Missing: missing}}
	}
	change(t, l, append(append(add("good", 1, 1), add("good", 3, 3)...), mark("good", 3),
		hub.AddRecords{Records: []hub.Record{{Device: "good", Epoch: 1, Seq: 2, Kind: wire.KindTombstone, Digest: hub.Digest{1}, Body: tomb}}})...)
	// A device that lost its state passes numbers over; after that it counts on.
	change(t, l, append(append(add("lapsed", 1, 1), add("lapsed", 3, 5)...), mark("lapsed", 3),
		hub.AddRecords{Records: []hub.Record{{Device: "lapsed", Epoch: 1, Seq: 2, Kind: wire.KindReport, Digest: hub.Digest{2}, Body: lapse}}})...)
	change(t, l, append(append(add("later", 3, 5), add("later", 4, 7)...), mark("later", 4),
		hub.AddRecords{Records: []hub.Record{{Device: "later", Epoch: 1, Seq: 1, Kind: wire.KindReport, Digest: hub.Digest{2}, Body: lapse},
			{Device: "later", Epoch: 1, Seq: 2, Kind: wire.KindReport, Digest: hub.Digest{3}, Body: lapse}}})...)
	change(t, l, append(append(add("hole", 1, 1), add("hole", 4, 2)...), mark("hole", 1))...)
	change(t, l, append(append(add("lost", 1, 1), add("lost", 3, 3)...), mark("lost", 3, wire.Range{First: 2, Last: 2}))...)
	change(t, l, append(append(add("twice", 1, 1), add("twice", 2, 1)...), mark("twice", 2))...)
	change(t, l, append(append(add("wrong", 1, 1), add("wrong", 3, 3)...), mark("wrong", 3))...)
	r, err := l.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range r.Findings {
		found = append(found, f.Device+" "+f.Code)
	}
	same(t, "findings", found, []string{"hole gap", "later decision_gap", "lost lost", "twice double", "wrong mark", "wrong decision_gap"})
	same(t, "first epoch", r.Epochs[0], EpochCount{Device: "good", Epoch: 1, Records: 3, Decisions: 2, Last: 3, Tombstones: map[string]int64{wire.TombCorrupt: 1}})
}

func conformBegin(t T, l Ledger) {
	tx := begin(t, l)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("a second rollback: %v", err)
	}
	change(t, l, hub.PutRevision{Revision: 1})
}
