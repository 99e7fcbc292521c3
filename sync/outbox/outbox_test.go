package outbox

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

var bundleA, bundleB = wire.BundleID{1}, wire.BundleID{2}

// report makes a context record, decision one that is never refused.
func report(t testing.TB, detail string) []byte {
	t.Helper()
	return encode(t, &wire.Report{At: 1, Code: wire.ReportDropped, Detail: detail})
}

func decision(t testing.TB, n uint64) []byte {
	t.Helper()
	return encode(t, &wire.Decision{N: n, At: 1_700_000_000_000, Slot: wire.Sym{ID: 3}})
}

func encode(t testing.TB, r wire.Record) []byte {
	t.Helper()
	b, err := wire.AppendRecord(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, d Disk, o Options) *Outbox {
	t.Helper()
	if o.Epoch == 0 {
		o.Epoch = 77
	}
	q, err := Open(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func appendAll(t testing.TB, q *Outbox, b wire.BundleID, records ...[]byte) Appended {
	t.Helper()
	a, err := q.Append(b, records)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2))
	if err := q.Acknowledge(77, 2, nil); err != nil {
		t.Fatal(err)
	}
	q.Applied(2)
	if n, err := q.Drop(); n != 2 || err != nil {
		t.Fatalf("dropped %d, %v", n, err)
	}
	q = open(t, d, Options{Epoch: 99})
	if s := q.Status(); s.Epoch != 77 || s.First != 3 || s.Next != 3 || s.Records != 0 || s.Bytes != 0 {
		t.Fatalf("after reopening an empty queue: %+v", s)
	}
	if a := appendAll(t, q, bundleA, decision(t, 3)); a.First != 3 || a.Next != 4 {
		t.Fatalf("the next record got %+v", a)
	}
}

func TestDropWantsAcknowledgedAndApplied(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2), decision(t, 3), decision(t, 4))
	steps := []struct {
		name  string
		do    func()
		first uint64
	}{
		{"nothing", func() {}, 1},
		{"applied only", func() { q.Applied(3) }, 1},
		{"a later range only", func() { must(t, q.Acknowledge(77, 0, []wire.Range{{First: 3, Last: 4}})) }, 1},
		{"the first: all four are acknowledged, three applied", func() { must(t, q.Acknowledge(77, 0, []wire.Range{{First: 1, Last: 2}})) }, 4},
		{"the mark never goes back", func() { q.Applied(1) }, 4},
		{"the mark stays below what was written", func() { q.Applied(900) }, 5},
	}
	for _, s := range steps {
		s.do()
		if _, err := q.Drop(); err != nil {
			t.Fatal(err)
		}
		if got := q.Status().First; got != s.first {
			t.Fatalf("%s: first is %d, want %d", s.name, got, s.first)
		}
	}
	commits := d.Commits()
	if n, _ := q.Drop(); n != 0 || d.Commits() != commits {
		t.Error("a drop of nothing wrote")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDropRidesInTheNextAppend(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	appendAll(t, q, bundleA, decision(t, 1))
	must(t, q.Acknowledge(77, 1, nil))
	q.Applied(1)
	commits := d.Commits()
	appendAll(t, q, bundleA, decision(t, 2))
	if s := q.Status(); s.First != 2 || d.Commits() != commits+1 {
		t.Fatalf("first %d after %d commits", s.First, d.Commits()-commits)
	}
}

func TestAcknowledgeRefusesWhatItCannotMean(t *testing.T) {
	q := open(t, &Memory{}, Options{})
	appendAll(t, q, bundleA, decision(t, 1))
	for _, c := range []struct {
		name    string
		epoch   uint64
		through uint64
		ranges  []wire.Range
		want    error
	}{
		{"other epoch", 5, 1, nil, ErrEpoch},
		{"through ahead", 77, 2, nil, ErrAhead},
		{"range ahead", 77, 0, []wire.Range{{First: 1, Last: 2}}, ErrAhead},
		{"range from 0", 77, 0, []wire.Range{{First: 0, Last: 1}}, ErrAhead},
		{"range backwards", 77, 0, []wire.Range{{First: 2, Last: 1}}, ErrAhead},
		{"range to the end of numbers", 77, 0, []wire.Range{{First: 1, Last: 1<<64 - 1}}, ErrAhead},
	} {
		if err := q.Acknowledge(c.epoch, c.through, c.ranges); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if q.Status().Head != 1 {
			t.Errorf("%s moved the head", c.name)
		}
	}
}

func TestPeekCutsAtBundleCountAndSize(t *testing.T) {
	q := open(t, &Memory{}, Options{})
	big := report(t, string(bytes.Repeat([]byte("x"), 1000)))
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2))
	appendAll(t, q, bundleB, decision(t, 3), big, big, big)
	for _, c := range []struct {
		name        string
		from        uint64
		n, size     int
		first, want uint64
		bundle      wire.BundleID
	}{
		{"to the end of the bundle", 1, 256, 1 << 20, 1, 2, bundleA},
		{"from within", 2, 256, 1 << 20, 2, 1, bundleA},
		{"count", 3, 2, 1 << 20, 3, 2, bundleB},
		{"size", 4, 256, 2200, 4, 2, bundleB},
		{"one always", 4, 256, 1, 4, 1, bundleB},
		{"from 0", 0, 1, 1 << 20, 1, 1, bundleA},
		{"behind the end", 7, 256, 1 << 20, 7, 0, wire.BundleID{}},
	} {
		run, err := q.Peek(5, c.from, c.n, c.size)
		if err != nil || run.First != c.first || uint64(len(run.Records)) != c.want || run.Bundle != c.bundle {
			t.Errorf("%s: %d records from %d of %v, %v", c.name, len(run.Records), run.First, run.Bundle, err)
		}
	}
}

func TestFullRefusesContextFirst(t *testing.T) {
	q := open(t, &Memory{}, Options{MaxBytes: 4000})
	last := 0
	for ; last < 1000; last++ {
		if a := appendAll(t, q, bundleA, report(t, "x")); a.Refused == 1 {
			if a.First != a.Next {
				t.Fatal("a refused record has a number")
			}
			break
		}
	}
	s := q.Status()
	if last == 0 || s.Bytes > 3500 || s.Bytes < 3300 || s.Refused != 1 {
		t.Fatalf("after %d reports: %+v", last, s)
	}
	a := appendAll(t, q, bundleA, report(t, "x"), decision(t, 1))
	if a.Refused != 1 || a.Next != a.First+1 {
		t.Fatalf("a decision must still fit, without its report: %+v", a)
	}
	var err error
	for err == nil {
		_, err = q.Append(bundleA, [][]byte{decision(t, 1)})
	}
	if !errors.Is(err, ErrFull) || q.Status().Bytes > 4000 {
		t.Fatalf("%v with %d bytes", err, q.Status().Bytes)
	}
	next := q.Status().Next
	must(t, q.Acknowledge(77, 10, nil))
	q.Applied(10)
	if a := appendAll(t, q, bundleA, decision(t, 2)); a.First != next {
		t.Fatalf("after an acknowledgement: %+v, want %d", a, next)
	}
}

func TestVerdicts(t *testing.T) {
	sealed := func(k wire.Kind, h byte) []byte {
		return encode(t, &wire.Sealed{Was: k, Handle: wire.Handle{h}, Body: []byte{h}})
	}
	d := &Memory{}
	gone := errors.New("gone")
	keys := map[byte]error{1: nil, 2: gone}
	opener := func(_ uint64, r []byte) ([]byte, Verdict, string) {
		if wire.Kind(r[0]) != wire.KindSealed {
			return r, Send, ""
		}
		var s wire.Sealed
		must(t, wire.DecodeInto(r, &s))
		err, known := keys[s.Handle[0]]
		switch {
		case !known:
			return nil, Leave, ""
		case err != nil:
			return nil, Remove, wire.TombErased
		case s.Was == wire.KindRestrict:
			return []byte{0xc1}, Send, "" // opened to nonsense
		}
		return encode(t, &wire.Consent{At: 9, Handle: s.Handle}), Send, ""
	}
	q := open(t, d, Options{Open: opener})
	appendAll(t, q, bundleA, sealed(wire.KindConsent, 1), sealed(wire.KindFact, 2), sealed(wire.KindRestrict, 1),
		decision(t, 1), sealed(wire.KindFact, 3), decision(t, 2))
	run, err := q.Peek(1234, 1, 256, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{
		encode(t, &wire.Consent{At: 9, Handle: wire.Handle{1}}),
		encode(t, &wire.Tombstone{At: 1234, Was: wire.KindFact, Reason: wire.TombErased}),
		encode(t, &wire.Tombstone{At: 1234, Was: wire.KindRestrict, Reason: wire.TombCorrupt}),
		decision(t, 1),
	}
	if len(run.Records) != len(want) {
		t.Fatalf("%d records, want %d: the fifth is left, and all behind it", len(run.Records), len(want))
	}
	for k := range want {
		if !bytes.Equal(run.Records[k], want[k]) {
			t.Errorf("record %d is %x, want %x", k, run.Records[k], want[k])
		}
	}
	if a := d.Aside(); len(a) != 1 || a[0].Seq != 3 {
		t.Errorf("in quarantine: %v, want the third alone", a)
	}
	if run, _ := q.Peek(1, 5, 256, 1<<20); len(run.Records) != 0 {
		t.Error("a record that is left was sent")
	}
	commits := d.Commits()
	q = open(t, d, Options{Open: opener})
	again, err := q.Peek(9999, 1, 256, 1<<20)
	if err != nil || !bytes.Equal(again.Records[1], want[1]) || d.Commits() != commits {
		t.Error("a tombstone must be durable and made once")
	}
}

func TestUnreadableRecordBlocksNothing(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2), decision(t, 3), decision(t, 4))
	d.entries[2] = []byte{stampVersion}                 // cut short
	d.entries[3] = append(stamp(bundleA, nil), 1, 0xdd) // not a record
	q = open(t, d, Options{})
	var sent [][]byte
	for from := uint64(1); from < 5; {
		run, err := q.Peek(6, from, 256, 1<<20)
		if err != nil || len(run.Records) == 0 {
			t.Fatalf("stuck at %d: %v", from, err)
		}
		sent = append(sent, run.Records...)
		from += uint64(len(run.Records))
	}
	want := [][]byte{decision(t, 1), encode(t, &wire.Tombstone{At: 6, Reason: wire.TombCorrupt}),
		encode(t, &wire.Tombstone{At: 6, Was: wire.KindDecision, Reason: wire.TombCorrupt}), decision(t, 4)}
	for k := range want {
		if !bytes.Equal(sent[k], want[k]) {
			t.Errorf("number %d is sent as %x, want %x", k+1, sent[k], want[k])
		}
	}
	if len(d.Aside()) != 2 {
		t.Errorf("%d in quarantine, want both", len(d.Aside()))
	}
	if s := open(t, d, Options{}).Status(); s != q.Status() {
		s.Tombs = 2 // counted since opening
		if s != q.Status() {
			t.Errorf("the count of bytes differs after reopening: %+v, %+v", s, q.Status())
		}
	}
}

func TestSealedWithoutAnOpenerNeverTravels(t *testing.T) {
	q := open(t, &Memory{}, Options{})
	appendAll(t, q, bundleA, encode(t, &wire.Sealed{Was: wire.KindFact, Body: []byte("secret")}))
	run, err := q.Peek(8, 1, 10, 1000)
	if err != nil || len(run.Records) != 1 || bytes.Contains(run.Records[0], []byte("secret")) {
		t.Fatalf("%q, %v", run.Records, err)
	}
	want := encode(t, &wire.Tombstone{At: 8, Was: wire.KindFact, Reason: wire.TombRefused})
	if !bytes.Equal(run.Records[0], want) {
		t.Errorf("got %x, want %x", run.Records[0], want)
	}
}

func TestFailedCommits(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault Fault
		want  error
		next  uint64 // after reopening
	}{
		{"full", FaultFull, ErrFull, 2},
		{"before", FaultBefore, ErrBroken, 2},
		{"after", FaultAfter, ErrBroken, 3},
	} {
		d := &Memory{}
		q := open(t, d, Options{})
		appendAll(t, q, bundleA, decision(t, 1))
		d.Fault = func(Write) Fault { return c.fault }
		if _, err := q.Append(bundleA, [][]byte{decision(t, 2)}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		d.Fault = nil
		_, err := q.Append(bundleA, [][]byte{decision(t, 3)})
		if c.fault == FaultFull {
			if err != nil {
				t.Errorf("full is no reason to stop: %v", err)
			}
			continue
		}
		if !errors.Is(err, ErrBroken) {
			t.Errorf("%s: it went on without knowing what is there: %v", c.name, err)
		}
		if got := open(t, d, Options{}).Status().Next; got != c.next {
			t.Errorf("%s: next is %d, want %d", c.name, got, c.next)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	for name, harm := range map[string]func(*Memory){
		"hole":     func(d *Memory) { delete(d.entries, 2) },
		"no end":   func(d *Memory) { delete(d.entries, 3) },
		"no epoch": func(d *Memory) { d.meta.Epoch = 0 },
		"backward": func(d *Memory) { d.meta.Next = 2; d.meta.First = 3 },
	} {
		d := &Memory{}
		appendAll(t, open(t, d, Options{}), bundleA, decision(t, 1), decision(t, 2), decision(t, 3))
		harm(d)
		if _, err := Open(d, Options{Epoch: 1}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(&Memory{}, Options{}); err == nil {
		t.Error("an epoch of 0 was taken")
	}
}

func BenchmarkAppend256(b *testing.B) {
	q := open(b, &Memory{}, Options{MaxBytes: 1 << 40})
	batch := make([][]byte, 256)
	for k := range batch {
		batch[k] = decision(b, uint64(k))
	}
	b.ReportAllocs()
	for b.Loop() {
		a := appendAll(b, q, bundleA, batch...)
		must(b, q.Acknowledge(77, a.Next-1, nil))
		q.Applied(a.Next - 1)
	}
}

// TestFullDiskHoldsUpNobody: a tombstone for which there is no room travels all the same; what is acknowledged makes room.
func TestFullDiskHoldsUpNobody(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{Open: func(seq uint64, r []byte) ([]byte, Verdict, string) {
		if seq == 1 {
			return nil, Remove, wire.TombErased
		}
		return r, Send, ""
	}})
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2))
	d.Fault = func(Write) Fault { return FaultFull }
	for range 2 {
		run, err := q.Peek(5, 1, 10, 1<<20)
		if err != nil || len(run.Records) != 2 || wire.Kind(run.Records[0][0]) != wire.KindTombstone || !bytes.Equal(run.Records[1], decision(t, 2)) {
			t.Fatal(err, run)
		}
	}
	if n := q.Status().Tombs; n != 0 {
		t.Errorf("%d tombstones are counted that are not stored", n)
	}
	d.Fault = nil
	if run, err := q.Peek(5, 1, 10, 1<<20); err != nil || len(run.Records) != 2 || q.Status().Tombs != 1 {
		t.Error(err, q.Status())
	}
}

// TestBrokenIsSeen: a write that failed while sending says so to who looks after the queue.
func TestBrokenIsSeen(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{Open: func(uint64, []byte) ([]byte, Verdict, string) { return nil, Remove, wire.TombErased }})
	appendAll(t, q, bundleA, decision(t, 1))
	if q.Status().Broken {
		t.Error("broken from the start")
	}
	d.Fault = func(Write) Fault { return FaultAfter }
	if _, err := q.Peek(5, 1, 10, 1<<20); !errors.Is(err, ErrBroken) || !q.Status().Broken {
		t.Errorf("%v, broken %v", err, q.Status().Broken)
	}
	d.Fault = nil
	if err := q.Reopen(); err != nil || q.Status().Broken {
		t.Errorf("%v, broken %v", err, q.Status().Broken)
	}
}
