package outbox

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

func TestMoveAccountsForEachNumber(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	large := append([]byte{byte(wire.KindFact)}, make([]byte, wire.MaxRecord-1)...)
	appendAll(t, q, bundleA, decision(t, 1), decision(t, 2), decision(t, 3))
	appendAll(t, q, bundleB, large, decision(t, 5))
	d.entries[3] = []byte{stampVersion} // cut short
	to := &Memory{}
	m := Move{Epoch: 99, Above: 1, At: 50, Write: func(seq uint64, _ wire.BundleID, record []byte) ([]byte, error) {
		if seq == 5 {
			return nil, nil
		}
		return wire.AppendRecord(nil, &wire.Moved{Epoch: 77, Seq: seq, Body: record})
	}}
	must(t, m.Copy(d, to))
	moved := func(seq uint64, body []byte) []byte { return encode(t, &wire.Moved{Epoch: 77, Seq: seq, Body: body}) }
	want := [][]byte{moved(2, decision(t, 2)), moved(3, encode(t, &wire.Tombstone{At: 50, Reason: wire.TombCorrupt})),
		moved(4, encode(t, &wire.Tombstone{At: 50, Was: wire.KindFact, Reason: wire.TombRefused}))}
	bundles := []wire.BundleID{bundleA, {}, bundleB}
	n := open(t, to, Options{Epoch: 5})
	if s := n.Status(); s.Epoch != 99 || s.First != 1 || s.Next != 4 {
		t.Fatalf("%+v", s)
	}
	must(t, n.Read(0, func(seq uint64, b wire.BundleID, r []byte) bool {
		if !bytes.Equal(r, want[seq-1]) || b != bundles[seq-1] {
			t.Errorf("number %d: %x of %v, want %x", seq, r, b, want[seq-1])
		}
		return true
	}))
	bad := Move{Epoch: 1 << 63, Write: m.Write}
	if bad.Copy(d, &Memory{}) == nil {
		t.Error("an epoch of 64 bits was taken")
	}
	m.Write = func(uint64, wire.BundleID, []byte) ([]byte, error) { return []byte{}, nil }
	if err := m.Copy(d, &Memory{}); err == nil {
		t.Error("a record of no bytes was taken")
	}
}

func TestMoveOfMany(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	pad := string(bytes.Repeat([]byte("x"), 900))
	var batch [][]byte
	for range 200 {
		batch = append(batch, report(t, pad))
	}
	for range 10 {
		appendAll(t, q, bundleA, batch...)
	}
	to := &Memory{}
	must(t, Move{Epoch: 9, Write: func(_ uint64, _ wire.BundleID, r []byte) ([]byte, error) { return r, nil }}.Copy(d, to))
	if n := open(t, to, Options{}); n.Status().Next != 2001 || n.Status().Bytes != q.Status().Bytes {
		t.Errorf("%+v", n.Status())
	}
	if to.Commits() < 4 {
		t.Errorf("2 MB in %d commits: they are all in memory at once", to.Commits())
	}
}

// swap is a Disk that can be exchanged.
type swap struct{ Disk }

func TestRenew(t *testing.T) {
	s := &swap{&Memory{}}
	q := open(t, s, Options{})
	for n := range uint64(6) {
		appendAll(t, q, bundleA, decision(t, n))
	}
	must(t, q.Acknowledge(77, 2, []wire.Range{{First: 4, Last: 4}}))
	q.Applied(6)
	to := &Memory{}
	must(t, q.Renew(func(has func(uint64) bool) error {
		m := Move{Epoch: 88, Write: func(seq uint64, _ wire.BundleID, r []byte) ([]byte, error) {
			if has(seq) {
				return nil, nil
			}
			return r, nil
		}}
		err := m.Copy(s.Disk, to)
		s.Disk = to
		return err
	}))
	if st := q.Status(); st.Epoch != 88 || st.First != 1 || st.Next != 4 || st.Head != 1 {
		t.Fatalf("%+v, want the three that were not acknowledged", st)
	}
	if n, err := q.Drop(); n != 0 || err != nil {
		t.Fatalf("dropped %d, %v: the mark of the old epoch says nothing of this one", n, err)
	}
	failed := errors.New("failed")
	if err := q.Renew(func(func(uint64) bool) error { return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if a := appendAll(t, q, bundleA, decision(t, 9)); a.First != 4 {
		t.Errorf("after a failure it goes on with %+v", a)
	}
}

// TestRenewedMayBeEvicted: what was given out of the line before says nothing of the numbers of this one.
func TestRenewedMayBeEvicted(t *testing.T) {
	s := &swap{&Memory{}}
	q := open(t, s, Options{MaxBytes: 4000})
	for n := range uint64(20) {
		appendAll(t, q, bundleA, decision(t, n))
	}
	if run, err := q.Peek(1, 1, 20, 1<<20); err != nil || len(run.Records) != 20 {
		t.Fatal(err, len(run.Records))
	}
	to := &Memory{}
	must(t, q.Renew(func(func(uint64) bool) error {
		s.Disk = to
		return Move{Epoch: 88, Write: func(uint64, wire.BundleID, []byte) ([]byte, error) { return nil, nil }}.Copy(&Memory{}, to)
	}))
	pad := string(make([]byte, 300))
	for range 3 {
		appendAll(t, q, bundleA, report(t, pad))
	}
	var err error
	for n := uint64(0); err == nil; n++ {
		_, err = q.Append(bundleA, [][]byte{decision(t, n)})
	}
	if got := q.Status().Evicted; got != 3 {
		t.Errorf("%d reports made room (%v), want all 3", got, err)
	}
}
