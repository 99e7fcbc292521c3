package outbox

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

// context makes a record of a context kind that this version does not know.
func otherContextRecord(n int) []byte {
	return append([]byte{byte(wire.KindReport) + 5, 0x91, 0xc5, byte(n >> 8), byte(n)}, make([]byte, n)...)
}

// kinds are the kinds of what is stored, and of what stood where a record was evicted.
func kinds(t *testing.T, q *Outbox) (list []wire.Kind, was []wire.Kind) {
	t.Helper()
	must(t, q.Read(0, func(_ uint64, _ wire.BundleID, r []byte) bool {
		k := wire.Kind(r[0])
		list = append(list, k)
		var tomb wire.Tombstone
		if k == wire.KindTombstone {
			must(t, wire.DecodeInto(r, &tomb))
			if tomb.Reason != wire.TombEvicted {
				tomb.Was = 0
			}
		}
		was = append(was, tomb.Was)
		return true
	}))
	return list, was
}

// TestFullEvictsContextFirst: one record of every kind, and then decisions until
// nothing more fits.
func TestFullEvictsContextFirst(t *testing.T) {
	pad := string(bytes.Repeat([]byte("x"), 300))
	sealed := func(k wire.Kind) []byte {
		return encode(t, &wire.Sealed{Was: k, Handle: wire.Handle{1}, Body: []byte(pad)})
	}
	stored := [][]byte{
		otherContextRecord(300), report(t, pad), sealed(wire.KindReport), otherContextRecord(300), sealed(wire.KindReport + 9), report(t, pad), report(t, ""),
		sealed(wire.KindFact), sealed(wire.KindConsent), sealed(wire.KindObjection), sealed(wire.KindRestrict), sealed(wire.KindInteraction), sealed(wire.KindIdentified),
		encode(t, &wire.Outcome{}), encode(t, &wire.Forgotten{}), encode(t, &wire.Moved{Epoch: 3, Seq: 1, Body: report(t, pad)}), encode(t, &wire.Tombstone{At: 1, Was: wire.KindReport, Reason: wire.TombErased}),
		append([]byte{30}, report(t, pad)[1:]...), // a kind of a later version
	}
	q := open(t, &Memory{}, Options{MaxBytes: 9000})
	if a := appendAll(t, q, bundleB, stored...); a.Refused != 0 {
		t.Fatalf("refused %d", a.Refused)
	}
	// What goes, in this order: reports by age, then the other context kinds.
	// The empty report stays: its tombstone would be no smaller.
	order := []uint64{2, 3, 6, 1, 4, 5}
	kindsOf := []wire.Kind{wire.KindReport + 5, wire.KindReport, wire.KindReport, wire.KindReport + 5, wire.KindReport + 9, wire.KindReport}
	evicted := 0
	for n := uint64(0); ; n++ {
		before := q.Status()
		a, err := q.Append(bundleA, [][]byte{decision(t, n)})
		s := q.Status()
		if err != nil {
			if !errors.Is(err, ErrFull) || s != before {
				t.Fatalf("%v, and %+v became %+v", err, before, s)
			}
			break
		}
		if a.Next != before.Next+1 || s.Bytes > s.Max {
			t.Fatalf("%+v, %d bytes of %d", a, s.Bytes, s.Max)
		}
		list, was := kinds(t, q)
		for k, seq := range order {
			gone := uint64(k) < s.Evicted
			if (list[seq-1] == wire.KindTombstone) != gone {
				t.Fatalf("%d evicted, and number %d is a %s", s.Evicted, seq, list[seq-1])
			}
			if wanted := kindsOf[seq-1]; gone && was[seq-1] != wanted {
				t.Fatalf("tombstone of number %d says %s, want %s", seq, was[seq-1], wanted)
			}
		}
		evicted = int(s.Evicted)
	}
	if evicted != len(order) {
		t.Errorf("%d were evicted before it was full, want %d", evicted, len(order))
	}
	k := 0
	must(t, q.Read(0, func(seq uint64, b wire.BundleID, r []byte) bool {
		if seq > uint64(len(stored)) {
			return false
		}
		if wire.Kind(r[0]) != wire.KindTombstone && !bytes.Equal(r, stored[seq-1]) || b != bundleB {
			t.Errorf("number %d changed", seq)
		}
		k++
		return true
	}))
	// After reopening nothing is left to evict, and the sum is the same.
	again := open(t, q.disk.(*Memory), Options{MaxBytes: 9000})
	if _, err := again.Append(bundleA, [][]byte{decision(t, 1)}); !errors.Is(err, ErrFull) || again.Status().Bytes != q.Status().Bytes {
		t.Errorf("after reopening: %v, %d bytes, want %d", err, again.Status().Bytes, q.Status().Bytes)
	}
}

func TestWhatWasGivenOutIsNotEvicted(t *testing.T) {
	q := open(t, &Memory{}, Options{MaxBytes: 4000})
	pad := string(bytes.Repeat([]byte("x"), 300))
	for range 6 {
		appendAll(t, q, bundleA, report(t, pad))
	}
	if run, err := q.Peek(1234, 1, 3, 1<<20); err != nil || len(run.Records) != 3 {
		t.Fatal(err, len(run.Records))
	}
	var err error
	for n := uint64(0); err == nil; n++ {
		_, err = q.Append(bundleA, [][]byte{decision(t, n)})
	}
	list, _ := kinds(t, q)
	for k, kind := range list[:6] {
		if want := []wire.Kind{wire.KindReport, wire.KindTombstone}[k/3]; kind != want {
			t.Errorf("number %d is a %s, want %s: 1 to 3 were given out", k+1, kind, want)
		}
	}
	var tomb wire.Tombstone
	must(t, q.Read(4, func(_ uint64, _ wire.BundleID, r []byte) bool {
		must(t, wire.DecodeInto(r, &tomb))
		return false
	}))
	if tomb.At != 1234 {
		t.Errorf("dated %d, want the last instant that was told", tomb.At)
	}
}

// TestFullDiskMakesRoom: a disk that is full takes a commit that only drops and
// evicts, and then there is room again.
func TestFullDiskMakesRoom(t *testing.T) {
	pad := string(bytes.Repeat([]byte("x"), 300))
	for name, c := range map[string]struct {
		prepare func(q *Outbox)
		want    error
	}{
		"nothing may go": {func(q *Outbox) { appendAll(t, q, bundleA, decision(t, 1)) }, ErrFull},
		"something to drop": {func(q *Outbox) {
			appendAll(t, q, bundleA, decision(t, 1))
			must(t, q.Acknowledge(77, 1, nil))
			q.Applied(1)
		}, nil},
		"something to evict": {func(q *Outbox) { appendAll(t, q, bundleA, report(t, pad)) }, nil},
	} {
		d := &Memory{}
		q := open(t, d, Options{})
		c.prepare(q)
		full := true
		d.Fault = func(w Write) Fault {
			if !full {
				return FaultNone
			}
			for _, e := range w.Put {
				if e.Seq >= 2 {
					return FaultFull
				}
			}
			full = false
			return FaultNone
		}
		before := q.Status()
		if _, err := q.Append(bundleA, [][]byte{decision(t, 2)}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != nil && q.Status() != before {
			t.Errorf("%s: it changed all the same", name)
		}
	}
}

// unreadable is a disk on which one entry cannot be read.
type unreadable struct {
	Memory
	seq uint64
}

func (u *unreadable) Read(from uint64, visit func(uint64, []byte) bool) error {
	if u.seq != 0 && from == u.seq {
		return errPower
	}
	return u.Memory.Read(from, visit)
}

// TestEvictionThatFailsTakesNothing: a request whose room cannot be made is not taken in part.
func TestEvictionThatFailsTakesNothing(t *testing.T) {
	d := &unreadable{}
	q := open(t, d, Options{MaxBytes: 4000})
	for range 4 {
		appendAll(t, q, bundleA, report(t, string(make([]byte, 300))))
	}
	d.seq = 1
	before := q.Status()
	var batch [][]byte
	for n := range uint64(60) {
		batch = append(batch, decision(t, n))
	}
	if _, err := q.Append(bundleA, batch); !errors.Is(err, errPower) {
		t.Fatal(err)
	}
	if got := q.Status(); got.Next != before.Next {
		t.Errorf("%d records of a request that failed were taken", got.Next-before.Next)
	}
}
