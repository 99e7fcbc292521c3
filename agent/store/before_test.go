package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// beforeStore unpacks a store that the version before this one wrote: a record to a value, free pages listed in the
// file, keys in one list. begun holds nothing; waiting holds 71..202 of 202 records, 95 in quarantine, 100 taken
// back, three customers, of whom one was forgotten; drained let go of all.
func beforeStore(t testing.TB, name string) Options {
	t.Helper()
	o := options(t)
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{OutboxFile, StateFile, KeysFile} {
		f, err := os.Open(filepath.Join("testdata", "before", name+"."+file+".gz"))
		if errors.Is(err, os.ErrNotExist) && name == "begun" && file == KeysFile {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err = errors.Join(err, z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		writeTo(t, filepath.Join(o.Dir, file), raw)
	}
	return o
}

// beforeRecord is the record under a number in those stores.
func beforeRecord(t testing.TB, seq uint64) []byte {
	t.Helper()
	b, err := wire.AppendRecord(nil, &wire.Report{At: int64(seq), Code: "old", Detail: strings.Repeat("x", int(seq)*37%400), Count: seq})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkBefore says that a queue holds the records first to last.
func checkBefore(t testing.TB, q *outbox.Outbox, first, last uint64) {
	t.Helper()
	seq := first
	err := q.Read(0, func(at uint64, bundle wire.BundleID, record []byte) bool {
		want := beforeRecord(t, at)
		if first == 71 && (at == 95 || at == 100) {
			want = record
			if wire.Kind(record[0]) != wire.KindTombstone {
				t.Errorf("record %d is a %s", at, wire.Kind(record[0]))
			}
		}
		if at != seq || bundle != (wire.BundleID{9}) || !bytes.Equal(record, want) {
			t.Errorf("record %d of bundle %v, want %d unchanged", at, bundle, seq)
		}
		seq++
		return true
	})
	if s := q.Status(); err != nil || seq != last+1 || s.Epoch != 77 || s.First != first || s.Next != last+1 {
		t.Errorf("%v: it ends before %d, %+v, want %d..%d", err, seq, s, first, last)
	}
}

// TestStoresOfTheVersionBefore: nothing in them is lost or set aside, and they are used from there on.
func TestStoresOfTheVersionBefore(t *testing.T) {
	for name, c := range map[string]struct {
		first, last uint64
		customers   int
		unread      int
		aside       int
	}{"begun": {1, 0, 0, 0, 0}, "waiting": {71, 202, 2, 1, 1}, "drained": {203, 202, 2, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			o := beforeStore(t, name)
			refuse := uint64(0)
			reopen := func(s *Store) (*Store, *outbox.Outbox) {
				t.Helper()
				if s != nil {
					mustClose(t, s)
				}
				s = mustOpen(t, o)
				if len(s.Recovered) > 0 || s.Cloned {
					t.Fatalf("set aside: %+v, cloned %v", s.Recovered, s.Cloned)
				}
				q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: 77, Open: func(seq uint64, r []byte) ([]byte, outbox.Verdict, string) {
					if seq == refuse {
						return nil, outbox.Remove, wire.TombErased
					}
					return r, outbox.Send, ""
				}})
				if err != nil {
					t.Fatal(err)
				}
				return s, q
			}
			s, q := reopen(nil)
			checkBefore(t, q, c.first, c.last)
			snap, epoch, unread := s.State.Load()
			if len(snap.Customers) != c.customers || unread != c.unread || c.customers > 0 && epoch != 77 {
				t.Fatalf("%d customers and %d that cannot be read, of epoch %d", len(snap.Customers), unread, epoch)
			}
			for _, got := range snap.Customers {
				want := customer(got.Handle[0], got.Changed)
				if !reflect.DeepEqual(got.Slice.Facts, want.Slice.Facts) || !reflect.DeepEqual(got.Pending, want.Pending) || got.Revision != want.Revision {
					t.Errorf("customer came back as %+v\nwant %+v", got, want)
				}
			}
			if n, _ := asideOf(t, s); n != c.aside {
				t.Errorf("%d in quarantine, want %d", n, c.aside)
			}

			last := c.last
			grow := func(n int) {
				t.Helper()
				var batch [][]byte
				for range n {
					last++
					batch = append(batch, beforeRecord(t, last))
				}
				if _, err := q.Append(wire.BundleID{9}, batch); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range []int{1, 1, 20, 300, 1} {
				grow(n)
				s, q = reopen(s)
				checkBefore(t, q, c.first, last)
			}
			// One of them gives way to a tombstone, in a value of its own as well as in a block.
			for _, refuse = range []uint64{100, last - 40} {
				if refuse < c.first {
					continue
				}
				if run, err := q.Peek(1, refuse, 3, 1<<20); err != nil || len(run.Records) != 3 || wire.Kind(run.Records[0][0]) != wire.KindTombstone {
					t.Fatal(err, run)
				}
			}
			s, q = reopen(s)
			if err := s.State.Save(77, 5, snap); err != nil {
				t.Fatal(err)
			}
			q.Applied(last)
			if err := q.Acknowledge(77, last-30, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := q.Drop(); err != nil {
				t.Fatal(err)
			}
			s, q = reopen(s)
			checkBefore(t, q, last-29, last)
			if again, _, n := s.State.Load(); !reflect.DeepEqual(again, snap) || n != 0 {
				t.Errorf("the snapshot is another one, %d cannot be read", n)
			}
			mustClose(t, s)
		})
	}
}
