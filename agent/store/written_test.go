package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// procIO reads a counter of the kernel for this process.
func procIO(t *testing.T, name string) int64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("the kernel does not count: ", err)
	}
	for line := range strings.Lines(string(raw)) {
		var n int64
		if rest, ok := strings.CutPrefix(line, name+": "); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Skip("the kernel does not count ", name)
	return 0
}

// TestWrittenIsWhatTheKernelCounts: appends, drops, snapshots and keys, against
// the bytes that this process gave to write calls (wchar), and those that became
// dirty in the page cache (write_bytes), where the file system has a device.
func TestWrittenIsWhatTheKernelCounts(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	defer mustClose(t, s)
	q := openQueue(t, s, 5)
	before, calls, dirty := s.Written(o.Now).Total, procIO(t, "wchar"), procIO(t, "write_bytes")
	var snap engine.Snapshot
	for n := range uint64(200) {
		if _, err := q.Append(wire.BundleID{}, benchBatch(int(1+n%40))); err != nil {
			t.Fatal(err)
		}
		last := q.Status().Next - 1
		if n%4 == 0 {
			snap.Applied = last
			snap.Customers = append(snap.Customers, customer(byte(n), n))
			if err := s.State.Save(5, 1, snap); err != nil {
				t.Fatal(err)
			}
			letGo(t, q, last, 500)
		}
	}
	w := s.Written(o.Now)
	counted := w.Total - before
	calls, dirty = procIO(t, "wchar")-calls, procIO(t, "write_bytes")-dirty
	t.Logf("counted %d, write calls %d, dirtied %d", counted, calls, dirty)
	if off := float64(counted) / float64(calls); off < 0.97 || off > 1.10 { // key files are counted as whole pages
		t.Errorf("counted %d bytes, write calls had %d", counted, calls)
	}
	// The kernel counts whole folios of several pages, and what the file system changes for itself: never
	// less than what we wrote, and not three times as much.
	if off := float64(dirty) / float64(counted); dirty > 0 && (off < 0.9 || off > 3) {
		t.Errorf("counted %d bytes, %d became dirty", counted, dirty)
	}
	sum := int64(0)
	for _, n := range w.Files {
		sum += n
	}
	if sum != w.Total || w.Files[OutboxFile] == 0 || w.Files[StateFile] == 0 || w.Files[KeysFile] == 0 {
		t.Errorf("files %v are not the total %d", w.Files, w.Total)
	}
}

func TestTheDayIsKeptOverRestarts(t *testing.T) {
	const day = sense.Instant(20_000 * int64(sense.Day))
	o := options(t)
	o.Now = day + 1000
	s := mustOpen(t, o)
	q := openQueue(t, s, 5)
	commit := func() {
		t.Helper()
		if _, err := q.Append(wire.BundleID{}, benchBatch(3)); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		commit()
	}
	first := s.Written(o.Now)
	if first.Today < 10*3*pageSize || first.Today > first.Total {
		t.Fatalf("%+v", first)
	}
	reopen := func(now sense.Instant) Written {
		t.Helper()
		mustClose(t, s)
		o.Now = now
		s = mustOpen(t, o)
		q = openQueue(t, s, 5)
		return s.Written(now)
	}
	// All but the last commit, which cannot count itself, and what opening wrote.
	about := func(got, want int64) bool { return got >= want-8*pageSize && got <= want+8*pageSize }
	if w := reopen(day + 2000); !about(w.Today, first.Today) || w.Total > 8*pageSize {
		t.Errorf("the same day: %+v, want about %d", w, first.Today)
	}
	commit()
	if w := reopen(3000); !about(w.Today, first.Today) {
		t.Errorf("a clock that was not set: %+v, want about %d", w, first.Today)
	}
	if w := s.Written(3000 + sense.Instant(sense.Day)); w.Today != 0 {
		t.Errorf("a day after that: %+v", w)
	}
	commit()
	if w := s.Written(day + 1); w.Today == 0 || w.Today > 8*pageSize {
		t.Errorf("it was set to the day before: %+v", w)
	}
	if w := s.Written(day + sense.Instant(sense.Day)); w.Today != 0 || w.Total == 0 {
		t.Errorf("the next day: %+v", w)
	}
	s.Wrote("moments", 5000)
	if w := s.Written(day + sense.Instant(sense.Day)); w.Today != 2*pageSize || w.Files["moments"] != 2*pageSize {
		t.Errorf("others write too: %+v", w)
	}
	if w := reopen(day + 10*sense.Instant(sense.Day)); w.Today > 8*pageSize {
		t.Errorf("ten days later: %+v", w)
	}
	mustClose(t, s)
}

func TestCompactionGivesRoomBack(t *testing.T) {
	for _, file := range []string{OutboxFile, StateFile} {
		o := options(t)
		s := mustOpen(t, o)
		q := openQueue(t, s, 5)
		last := uint64(0)
		for file == OutboxFile && last < 10_000 {
			last = appendBench(t, q, benchBatch(250))
		}
		snap := thousands(50)
		if file == StateFile {
			snap = thousands(1500)
		}
		if err := s.State.Save(5, 1, snap); err != nil {
			t.Fatal(err)
		}
		wide := s.Outbox.Size()
		size := s.Outbox.Size
		if file == StateFile {
			size, wide = s.State.Size, s.State.Size()
			snap.Customers = snap.Customers[:50]
			for range 2 { // what the first frees is free for the second to see
				if err := s.State.Save(5, 1, snap); err != nil {
					t.Fatal(err)
				}
			}
		} else {
			letGo(t, q, last, 300)
			for range 2 {
				if _, err := q.Drop(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := size(); got > wide/4 {
			t.Errorf("%s has %d bytes, was %d", file, got, wide)
		}
		if file == OutboxFile {
			if a := appendBench(t, q, benchBatch(2)); a != last+2 {
				t.Errorf("went on at %d, want %d", a, last+2)
			}
		}
		mustClose(t, s)
		s = mustOpen(t, o)
		q = openQueue(t, s, 9)
		if st := q.Status(); file == OutboxFile && (st.Epoch != 5 || st.First > last-299 || st.Next != last+3) {
			t.Errorf("after reopening: %+v", st)
		}
		if snap, _, _ := s.State.Load(); file == StateFile && len(snap.Customers) != 50 {
			t.Errorf("%d customers", len(snap.Customers))
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*"+nextSuffix)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		mustClose(t, s)
	}
}
