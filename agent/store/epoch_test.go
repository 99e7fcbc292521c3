package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

var errRestored = errors.New("restored from a copy")

func openQueue(t testing.TB, s *Store, epoch uint64) *outbox.Outbox {
	t.Helper()
	q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// queueOf fills a queue with records 1..n of epoch 5, of which the first are acknowledged.
func queueOf(t testing.TB, s *Store, n, acknowledged uint64) *outbox.Outbox {
	t.Helper()
	q := openQueue(t, s, 5)
	for k := uint64(1); k <= n; k++ {
		if _, err := q.Append(wire.BundleID{byte(k % 3)}, [][]byte{crashRecord(k)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Acknowledge(5, acknowledged, []wire.Range{{First: n, Last: n}}); err != nil {
		t.Fatal(err)
	}
	return q
}

// moving carries a record over as its old number and itself.
func moving(epoch, above uint64, left func(uint64) bool) outbox.Move {
	return outbox.Move{Epoch: epoch, Above: above, Write: func(seq uint64, _ wire.BundleID, record []byte) ([]byte, error) {
		if left(seq) {
			return nil, nil
		}
		return append(binary.BigEndian.AppendUint64([]byte{byte(wire.KindMoved)}, seq), record...), nil
	}}
}

func leave(s *Store, o Options, q *outbox.Outbox) error {
	return q.Renew(func(has func(uint64) bool) error { return s.NewEpoch(o, errRestored, moving(6, 0, has)) })
}

// checkQueue says whether the queue is the old one with records 1..n, or the new
// one with what of them the hub had not acknowledged.
func checkQueue(q *outbox.Outbox, n, acknowledged uint64) (renewed bool, err error) {
	st := q.Status()
	at, want := uint64(1), n+1
	renewed = st.Epoch == 6
	if renewed {
		want = n - acknowledged // the last was acknowledged too
	}
	err = q.Read(0, func(seq uint64, b wire.BundleID, r []byte) bool {
		was := at
		if renewed {
			was += acknowledged
			if len(r) < 9 || r[0] != byte(wire.KindMoved) || binary.BigEndian.Uint64(r[1:]) != was {
				return false
			}
			r = r[9:]
		}
		if seq != at || b != (wire.BundleID{byte(was % 3)}) || !bytes.Equal(r, crashRecord(was)) {
			return false
		}
		at++
		return true
	})
	if err == nil && (at != want || st.Next != want || st.First != 1) {
		err = fmt.Errorf("epoch %d: %d..%d, reading stopped at %d, want %d", st.Epoch, st.First, st.Next, at, want)
	}
	return renewed, err
}

func TestNewEpochCarriesOver(t *testing.T) {
	o := options(t)
	o.Machine = "a"
	s := mustOpen(t, o)
	q := queueOf(t, s, 50, 20)
	disk := s.Outbox
	if err := leave(s, o, q); err != nil {
		t.Fatal(err)
	}
	if s.Outbox != disk {
		t.Error("who held the disk of the outbox holds a closed one")
	}
	if renewed, err := checkQueue(q, 50, 20); !renewed || err != nil {
		t.Fatalf("renewed %v: %v", renewed, err)
	}
	a, err := q.Append(wire.BundleID{}, [][]byte{crashRecord(7)})
	if err != nil || a.First != 30 {
		t.Fatalf("the next number is %d, %v", a.First, err)
	}
	if len(s.Recovered) != 1 || s.Recovered[0].Err != errRestored {
		t.Fatalf("recovered %v", s.Recovered)
	}
	aside := s.Recovered[0].Aside
	mustClose(t, s)
	s = mustOpen(t, o)
	defer mustClose(t, s)
	if st := openQueue(t, s, 9).Status(); st.Epoch != 6 || st.Next != 31 || s.Cloned {
		t.Errorf("after reopening: %+v, cloned %v", st, s.Cloned)
	}
	// What was set aside is the old queue, whole.
	old, err := openOutbox(aside, DefaultMaxOutbox, &flash{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer old.close()
	oldQ, err := outbox.Open(old, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if renewed, err := checkQueue(oldQ, 50, 20); renewed || err != nil {
		t.Errorf("set aside: renewed %v, %v", renewed, err)
	}
}

// TestNewEpochIsOneStep ends it at each labelled point, and copies the folder as a
// crash would leave it.
func TestNewEpochIsOneStep(t *testing.T) {
	for point, renewedWant := range map[string]bool{CrashEpochWritten: false, CrashEpochBegun: true} {
		o := options(t)
		o.Crash = func(at string) {
			if at == point {
				panic(at)
			}
		}
		s := mustOpen(t, o)
		q := queueOf(t, s, 30, 10)
		func() {
			defer func() {
				if r := recover(); r != point {
					t.Fatalf("%s: ended by %v", point, r)
				}
			}()
			_ = leave(s, o, q)
		}()
		o.Dir, o.Crash = copyDir(t, o.Dir), nil
		again := mustOpen(t, o)
		if renewed, err := checkQueue(openQueue(t, again, 9), 30, 10); renewed != renewedWant || err != nil {
			t.Errorf("%s: renewed %v, %v", point, renewed, err)
		}
		left, _ := filepath.Glob(filepath.Join(o.Dir, "*"+nextSuffix))
		if len(left) > 0 {
			t.Errorf("%s: left behind: %v", point, left)
		}
		mustClose(t, again)
	}
}

func TestNewEpochThatFailsChangesNothing(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	defer mustClose(t, s)
	q := queueOf(t, s, 30, 10)
	failed := errors.New("no")
	m := moving(6, 0, func(uint64) bool { return false })
	write := m.Write
	m.Write = func(seq uint64, b wire.BundleID, r []byte) ([]byte, error) {
		if seq == 17 {
			return nil, failed
		}
		return write(seq, b, r)
	}
	if err := q.Renew(func(func(uint64) bool) error { return s.NewEpoch(o, errRestored, m) }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if renewed, err := checkQueue(q, 30, 10); renewed || err != nil {
		t.Fatalf("renewed %v, %v", renewed, err)
	}
	if a, err := q.Append(wire.BundleID{}, [][]byte{crashRecord(31)}); err != nil || a.First != 31 {
		t.Errorf("going on: %+v, %v", a, err)
	}
}

func TestCloneIsNoticed(t *testing.T) {
	o := options(t)
	mustClose(t, mustOpen(t, o)) // made before machines were named
	for _, step := range []struct {
		machine string
		cloned  bool
	}{{"a", false}, {"a", false}, {"", false}, {"b", true}, {"b", true}, {"a", false}} {
		o.Machine = step.machine
		s := mustOpen(t, o)
		if s.Cloned != step.cloned {
			t.Errorf("on %q: cloned %v", step.machine, s.Cloned)
		}
		mustClose(t, s)
	}
	o.Machine = "b"
	s := mustOpen(t, o)
	if err := leave(s, o, queueOf(t, s, 3, 1)); err != nil || s.Cloned {
		t.Fatalf("cloned %v, %v", s.Cloned, err)
	}
	mustClose(t, s)
	if s = mustOpen(t, o); s.Cloned {
		t.Error("with an epoch of its own it is no clone")
	}
	mustClose(t, s)
}

func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestMachine(t *testing.T) {
	dir := t.TempDir()
	id, serial := filepath.Join(dir, "id"), filepath.Join(dir, "serial")
	if m := machineOf(id, serial); m != "" {
		t.Errorf("without an id it is %q", m)
	}
	writeTo(t, id, []byte("0123456789abcdef\n"))
	one := machineOf(id, serial)
	writeTo(t, serial, []byte("1000000012345678\x00"))
	two := machineOf(id, serial)
	writeTo(t, serial, []byte("1000000087654321\x00"))
	if three := machineOf(id, serial); len(one) != 32 || one == two || two == three || one == three || one != machineOf(id, id+"none") {
		t.Errorf("%s, %s and %s name three machines", one, two, three)
	}
}

func TestCredentialIsNeverMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := Credential(path).Key(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
	writeTo(t, path, bytes.Repeat([]byte{4}, 32))
	a, err := Credential(path).Key()
	b, err2 := KeyFile(path).Key()
	if err != nil || err2 != nil || a != b || a[31] != 4 {
		t.Errorf("%v, %v, the same %v", err, err2, a == b)
	}
}
