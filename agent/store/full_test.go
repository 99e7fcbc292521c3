package store

import (
	"bytes"
	"errors"
	"os"
	"os/exec"

	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// withRoom runs f while no file of this process may be longer than limit: to the
// program that is a disk that is full (EFBIG for ENOSPC), at any write.
func withRoom(t testing.TB, limit int64, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(limit), Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// alone runs the test in a process of its own, since the limit is one for all
// files of a process, those of the test's own log too. It is true in this one.
func alone(t *testing.T) bool {
	t.Helper()
	const mark = "TACT_STORE_ALONE"
	if os.Getenv(mark) != "" {
		return false
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}

// TestFullDiskAtEveryStep lets the room end after each page in turn, and at odd
// places: an append, a snapshot and new keys are done or ErrFull, and what was
// there before is there.
func TestFullDiskAtEveryStep(t *testing.T) {
	if alone(t) {
		return
	}
	base := options(t)
	s := mustOpen(t, base)
	q := openQueue(t, s, 5)
	for n := range uint64(20) {
		if _, err := q.Append(wire.BundleID{}, [][]byte{crashRecord(n + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	snap := snapshot(customer(1, 1))
	if err := s.State.Save(5, 1, snap); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	done, refused := map[string]int{}, map[string]int{}
	var limits []int64
	for at := int64(0); at < 600<<10; at += 11 * pageSize / 2 {
		limits = append(limits, at)
	}
	for _, limit := range append(limits, 20, 200, 300, 4097) {
		o := base
		o.Dir = copyDir(t, base.Dir)
		s := mustOpen(t, o)
		q := openQueue(t, s, 9)
		outcome := func(what string, err error) bool {
			switch {
			case err == nil:
				done[what]++
			case errors.Is(err, ErrFull) || errors.Is(err, outbox.ErrFull):
				refused[what]++
			default:
				t.Fatalf("%s with room for %d: %v", what, limit, err)
			}
			return err == nil
		}
		var appended, saved, made, destroyed bool
		grown := snapshot(customer(1, 2), customer(2, 1))
		grown.Customers[1].Person = string(bytes.Repeat([]byte("x"), 200<<10))
		withRoom(t, limit, func() {
			var batch [][]byte
			for k := range uint64(900) {
				batch = append(batch, crashRecord(21+k))
			}
			_, err := q.Append(wire.BundleID{}, batch)
			appended = outcome("append", err)
			saved = outcome("save", s.State.Save(5, 2, grown))
			made = outcome("keys", s.Keys.Make(engine.Handle{9}))
			destroyed = outcome("forget", s.Keys.Destroy(engine.Handle{1, 0xff}))
			_, err = s.Count("boot")
			outcome("count", err)
		})
		// It goes on in this process once there is room,
		want := uint64(21)
		if appended {
			want = 921
		}
		a, err := q.Append(wire.BundleID{}, [][]byte{crashRecord(want)})
		if err != nil || a.First != want {
			t.Fatalf("room for %d, appended %v: then %+v, %v", limit, appended, a, err)
		}
		if made != s.Keys.Has(engine.Handle{9}) {
			t.Fatalf("room for %d: made %v", limit, made)
		}
		mustClose(t, s)
		// and in the next.
		s = mustOpen(t, o)
		seq := uint64(1)
		if err := openQueue(t, s, 9).Read(0, func(at uint64, _ wire.BundleID, r []byte) bool {
			if at != seq || !bytes.Equal(r, crashRecord(seq)) {
				t.Fatalf("room for %d: record %d at %d", limit, at, seq)
			}
			seq++
			return true
		}); err != nil || seq != want+1 || len(s.Recovered) > 0 {
			t.Fatalf("room for %d: %d records, %v, recovered %v", limit, seq-1, err, s.Recovered)
		}
		got, _, _ := s.State.Load()
		people := map[string]uint64{}
		for _, c := range got.Customers {
			people[string(c.Handle[:1])] = c.Changed
		}
		wantPeople := map[string]uint64{"\x01": 1}
		if saved {
			wantPeople = map[string]uint64{"\x01": 2, "\x02": 1}
		}
		if destroyed {
			delete(wantPeople, "\x01")
		}
		if !reflect.DeepEqual(people, wantPeople) {
			t.Fatalf("room for %d, saved %v, forgotten %v: %v, want %v", limit, saved, destroyed, people, wantPeople)
		}
		if made && !s.Keys.Has(engine.Handle{9}) {
			t.Fatalf("room for %d: a key that was made is not there", limit)
		}
		mustClose(t, s)
	}
	for _, what := range []string{"append", "save", "keys", "forget"} {
		if done[what] == 0 || refused[what] == 0 {
			t.Errorf("%s was done %d times and refused %d times: it proves nothing", what, done[what], refused[what])
		}
	}
}

func TestFullDiskWhileGivingRoomBackOrLeaving(t *testing.T) {
	if alone(t) {
		return
	}
	base := options(t)
	s := mustOpen(t, base)
	q := openQueue(t, s, 5)
	last := uint64(0)
	for last < 9_000 {
		last = appendBench(t, q, benchBatch(250))
	}
	letGo(t, q, last, 1200)
	appendBench(t, q, benchBatch(1)) // drops the others
	mustClose(t, s)
	for limit := int64(0); limit < 700<<10; limit += 20 * pageSize {
		for _, what := range []string{"compact", "leave"} {
			o := base
			o.Dir = copyDir(t, base.Dir)
			s := mustOpen(t, o)
			q := openQueue(t, s, 9)
			before := q.Status()
			var err error
			withRoom(t, limit, func() {
				if what == "compact" {
					_, err = q.Drop()
				} else {
					err = q.Renew(func(func(uint64) bool) error {
						m := moving(6, 0, func(uint64) bool { return false })
						return s.NewEpoch(o, errRestored, m)
					})
				}
			})
			if err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, outbox.ErrFull) {
				t.Fatalf("%s with room for %d: %v", what, limit, err)
			}
			after := q.Status()
			if after.Records != before.Records || (after.Epoch == 6) != (what == "leave" && err == nil) {
				t.Fatalf("%s with room for %d: %v; %+v became %+v", what, limit, err, before, after)
			}
			if a := appendBench(t, q, benchBatch(3)); a != after.Next+2 {
				t.Fatalf("%s with room for %d: then %d", what, limit, a)
			}
			if err != nil {
				if left, _ := filepath.Glob(filepath.Join(o.Dir, "*"+nextSuffix)); len(left) > 0 {
					t.Errorf("%s with room for %d: left behind %v", what, limit, left)
				}
			}
			mustClose(t, s)
		}
	}
}

// TestFullDiskWhileSettingAside: what people may want to look at makes room.
func TestFullDiskWhileSettingAside(t *testing.T) {
	if alone(t) {
		return
	}
	o := options(t)
	mustClose(t, mustOpen(t, o))
	path := filepath.Join(o.Dir, OutboxFile)
	writeTo(t, path, bytes.Repeat([]byte("damaged "), 1000))
	var s *Store
	var err error
	withRoom(t, pageSize, func() { s, err = Open(o) })
	if !errors.Is(err, ErrFull) {
		t.Fatalf("without room for anything: %v", err)
	}
	if s, err = Open(o); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	mustClose(t, s)
	if left, _ := filepath.Glob(filepath.Join(o.Dir, "*.damaged")); len(left) > 0 {
		t.Errorf("what was set aside stayed on a full disk: %v", left)
	}
}

// TestDyingWhileOpening: after three starts that died at a file it is set aside.
func TestDyingWhileOpening(t *testing.T) {
	for _, name := range []string{OutboxFile, KeysFile, StateFile} {
		o := options(t)
		s := mustOpen(t, o)
		if err := s.State.Save(5, 1, snapshot(customer(1, 1))); err != nil {
			t.Fatal(err)
		}
		fillOutbox(t, s, 3)
		mustClose(t, s)
		died := func() { // as a process that ends within the opening of name
			left := beginOpening(o.Dir)
			for _, next := range []string{OutboxFile, KeysFile, StateFile} {
				if left.at(next); next == name {
					return
				}
			}
		}
		for _, starts := range []int{2, 3} {
			for range starts {
				died()
			}
			s = mustOpen(t, o)
			if starts == 2 && len(s.Recovered) > 0 {
				t.Errorf("%s: set aside after two", name)
			}
			if starts == 3 && (len(s.Recovered) != 1 || s.Recovered[0].File != name || !errors.Is(s.Recovered[0].Err, errDied)) {
				t.Errorf("%s: recovered %v", name, s.Recovered)
			}
			mustClose(t, s)
		}
	}
}

// fullFor makes the next file that is written beside path find no room.
func fullFor(t testing.TB, path string) {
	t.Helper()
	if err := os.Symlink("/dev/full", path+newSuffix); err != nil {
		t.Fatal(err)
	}
}

// TestCountOnAFullDisk: lives and connections are counted on, since only a connection brings room.
func TestCountOnAFullDisk(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	for want := range uint64(12) {
		if want > 0 {
			fullFor(t, filepath.Join(o.Dir, "connection.count"))
		}
		if n, err := s.Count("connection"); err != nil || n != want+1 {
			t.Fatalf("%d, %v, want %d", n, err, want+1)
		}
	}
	mustClose(t, s)
}

// TestDestroyThatFoundNoRoom: what is written of the keys next, whatever it is for, is under another epoch key,
// so that no copy of the old file opens.
func TestDestroyThatFoundNoRoom(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	a, b := engine.Handle{1}, engine.Handle{2}
	if err := s.Keys.Make(a); err != nil {
		t.Fatal(err)
	}
	before := s.Keys.epoch
	path := filepath.Join(o.Dir, KeysFile)
	fullFor(t, path)
	if err := s.Keys.Destroy(a); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if err := removeFile(path + newSuffix); err != nil {
		t.Fatal(err)
	}
	if err := s.Keys.Make(b); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, o)
	if s.Keys.epoch == before || s.Keys.Has(a) || !s.Keys.Has(b) {
		t.Errorf("same epoch key %v, key destroyed %v, new key there %v", s.Keys.epoch == before, !s.Keys.Has(a), s.Keys.Has(b))
	}
	mustClose(t, s)
}

// TestKeysSetAsideGoWithTheNext: a key file that was set aside may hold what is destroyed.
func TestKeysSetAsideGoWithTheNext(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	if err := s.Keys.Make(engine.Handle{1}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	path := filepath.Join(o.Dir, KeysFile)
	raw := readFile(t, path)
	writeTo(t, path, raw[:len(raw)-1]) // the one list is cut: its keys are in it still
	s = mustOpen(t, o)
	if len(s.Recovered) != 1 || s.Recovered[0].Aside == "" {
		t.Fatalf("recovered %+v", s.Recovered)
	}
	open, err := os.Open(s.Recovered[0].Aside)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := s.Keys.Destroy(engine.Handle{1}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + "*.damaged"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	first := make([]byte, keyHeader)
	if _, err := open.ReadAt(first, 0); err != nil || len(bytes.Trim(first, "\x00")) > 0 {
		t.Errorf("its epoch key was not overwritten: %x, %v", first, err)
	}
	mustClose(t, s)
}
