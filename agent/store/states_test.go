package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// What a disk that keeps its word may hold when the power goes during a commit
// of bbolt, made from the file before and after: bbolt lets the file grow, writes
// the pages, waits for them, writes one meta page, and waits for it. So before
// the first wait any of the pages may be there, and the meta is the old one;
// after it all pages are there, and the meta is there by sectors of 512 bytes.

const sectorSize = 512

// crashState is one of these. fresh says that the meta's content is the new one.
type crashState struct {
	name  string
	file  []byte
	fresh bool
}

// crashStates makes the states: all subsets of the pages where these are few,
// else none, all, each one missing, each one alone, prefixes and some at random.
func crashStates(before, after []byte, r *rand.Rand) []crashState {
	meta, changed := -1, []int(nil)
	for at := 0; at < len(after); at += pageSize {
		old := make([]byte, pageSize)
		if at < len(before) {
			copy(old, before[at:])
		}
		if bytes.Equal(old, after[at:min(at+pageSize, len(after))]) {
			continue
		}
		if at < 2*pageSize {
			meta = at
		} else {
			changed = append(changed, at)
		}
	}
	if meta < 0 {
		return nil // nothing was written
	}
	grown := make([]byte, len(after))
	copy(grown, before)
	with := func(pages []int) []byte {
		file := bytes.Clone(grown)
		for _, at := range pages {
			copy(file[at:at+pageSize], after[at:])
		}
		return file
	}
	states := []crashState{{name: "nothing yet", file: before}, {name: "grown", file: grown}}
	for _, pages := range subsets(changed, r) {
		states = append(states, crashState{name: fmt.Sprintf("%d of %d pages", len(pages), len(changed)), file: with(pages)})
	}
	for k := range 1 << 4 { // sectors 0, 1, 2, and all others
		file := with(changed)
		for sector := range pageSize / sectorSize {
			if k&(1<<min(sector, 3)) != 0 {
				at := meta + sector*sectorSize
				copy(file[at:at+sectorSize], after[at:])
			}
		}
		states = append(states, crashState{name: fmt.Sprintf("meta sectors %04b", k), file: file, fresh: k&1 != 0})
	}
	return states
}

func subsets(pages []int, r *rand.Rand) (list [][]int) {
	if len(pages) <= 4 {
		for mask := range 1 << len(pages) {
			var set []int
			for k, p := range pages {
				if mask&(1<<k) != 0 {
					set = append(set, p)
				}
			}
			list = append(list, set)
		}
		return list
	}
	list = append(list, pages)
	for k := range pages {
		without := append(append([]int(nil), pages[:k]...), pages[k+1:]...)
		list = append(list, without, pages[k:k+1], pages[:k])
	}
	for range 8 {
		var set []int
		for _, p := range pages {
			if r.IntN(2) == 0 {
				set = append(set, p)
			}
		}
		list = append(list, set)
	}
	for len(list) > 24 {
		k := r.IntN(len(list))
		list = append(list[:k], list[k+1:]...)
	}
	return list
}

// held is all that an outbox.db holds.
type held struct {
	Meta    outbox.Meta
	Entries []outbox.Entry
}

func heldBy(path string) (h held, err error) {
	o, err := openOutbox(path, 1<<30, &flash{}, nil)
	if err != nil {
		return h, err
	}
	h.Meta, err = o.Load(func(seq uint64, value []byte) {
		h.Entries = append(h.Entries, outbox.Entry{Seq: seq, Value: bytes.Clone(value)})
	})
	if err == nil { // what the queue makes of it
		_, err = outbox.Open(o, outbox.Options{Epoch: 5})
	}
	return h, errors.Join(err, o.close())
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func writeTo(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEveryCrashStateOfTheOutbox: what was acknowledged by a return is there whole,
// what was not is there whole or not at all, numbers have no gaps.
func TestEveryCrashStateOfTheOutbox(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	o := options(t)
	s := mustOpen(t, o)
	defer mustClose(t, s)
	bad := false // what the opener makes of the next record
	q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: 5, MaxBytes: 60_000, Open: func(_ uint64, record []byte) ([]byte, outbox.Verdict, string) {
		if bad = !bad; bad {
			return nil, outbox.Quarantine, wire.TombCorrupt
		}
		return record, outbox.Send, ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	path, copied := filepath.Join(o.Dir, OutboxFile), filepath.Join(t.TempDir(), OutboxFile)
	commits, states := 0, 0
	commit := func(what string, do func() error) {
		t.Helper()
		before := readFile(t, path)
		writeTo(t, copied, before)
		old, err := heldBy(copied)
		if err != nil {
			t.Fatal(err)
		}
		if err := do(); err != nil {
			t.Fatal(what, err)
		}
		after := readFile(t, path)
		writeTo(t, copied, after)
		now, err := heldBy(copied)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range crashStates(before, after, r) {
			writeTo(t, copied, c.file)
			got, err := heldBy(copied)
			want := old
			if c.fresh {
				want = now
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, %s: %v; %+v with %d entries, want %+v with %d", what, c.name, err, got.Meta, len(got.Entries), want.Meta, len(want.Entries))
			}
			states++
		}
		commits++
	}
	steps := 25
	if testing.Short() {
		steps = 10
	}
	for n := range steps {
		last := q.Status().Next - 1
		switch n % 5 {
		case 0, 1, 2:
			count := []int{1, 1 + r.IntN(20), 60}[n%3]
			commit("append", func() error {
				var batch [][]byte
				for k := range count {
					batch = append(batch, crashRecord(last+1+uint64(k)))
					if r.IntN(4) == 0 {
						batch[k] = report(uint64(k), 1+r.IntN(300))
					}
				}
				_, err := q.Append(wire.BundleID{1}, batch)
				return err
			})
		case 3:
			commit("quarantine", func() error {
				_, err := q.Peek(9, q.Status().First+uint64(r.IntN(10)), 4, 1<<20)
				return err
			})
		case 4:
			q.Applied(last)
			if err := q.Acknowledge(5, last-min(last, uint64(r.IntN(60))), nil); err != nil {
				t.Fatal(err)
			}
			if n%2 == 0 {
				commit("drop", func() error { _, err := q.Drop(); return err })
			}
		}
	}
	t.Logf("%d states of %d commits", states, commits)
	if states < commits*15 || commits < steps/2 {
		t.Error("too few of them")
	}
}

func report(n uint64, size int) []byte {
	b, err := wire.AppendRecord(nil, &wire.Report{At: 1, Code: wire.ReportDropped, Detail: string(bytes.Repeat([]byte("x"), size)), Count: n})
	if err != nil {
		panic(err)
	}
	return b
}

// TestEveryCrashStateOfTheState does the same for snapshots.
func TestEveryCrashStateOfTheState(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	o := options(t)
	s := mustOpen(t, o)
	defer mustClose(t, s)
	dir := t.TempDir()
	path, copied := filepath.Join(o.Dir, StateFile), filepath.Join(dir, StateFile)
	load := func() (engine.Snapshot, uint64, sense.Instant, error) {
		st, err := openState(copied, o.withDefaults(), &flash{}, s.Keys)
		if err != nil {
			return engine.Snapshot{}, 0, 0, err
		}
		snap, epoch, unread := st.Load()
		if unread > 0 {
			err = fmt.Errorf("%d customers unread", unread)
		}
		return snap, epoch, st.Floor(), errors.Join(err, st.close())
	}
	var customers []engine.CustomerState
	states := 0
	for n := range uint64(12) {
		before := readFile(t, path)
		switch {
		case n%4 == 3:
			customers = customers[1:]
		case n%2 == 0 && len(customers) > 0:
			customers[r.IntN(len(customers))].Changed++
		}
		if n%3 != 1 {
			c := customer(byte(n+1), 1)
			for range r.IntN(9) {
				c.Slice.Interactions = append(c.Slice.Interactions, c.Slice.Interactions[0])
			}
			customers = append(customers, c)
		}
		writeTo(t, copied, before)
		old, oldEpoch, oldFloor, err := load()
		if err != nil {
			t.Fatal(err)
		}
		snap := snapshot(append([]engine.CustomerState(nil), customers...)...)
		snap.Applied = n + 1
		for range n {
			snap.Erased = append(snap.Erased, [32]byte{byte(n)})
		}
		if err := s.State.Save(n+1, sense.Instant(n), snap); err != nil {
			t.Fatal(err)
		}
		for _, c := range crashStates(before, readFile(t, path), r) {
			writeTo(t, copied, c.file)
			got, epoch, floor, err := load()
			want, wantEpoch, wantFloor := old, oldEpoch, oldFloor
			if c.fresh {
				want, wantEpoch, wantFloor = snap, n+1, sense.Instant(n)
			}
			if err != nil || epoch != wantEpoch || floor != wantFloor || !reflect.DeepEqual(got, want) {
				t.Fatalf("save %d, %s: %v; epoch %d with %d customers, want %d with %d", n, c.name, err, epoch, len(got.Customers), wantEpoch, len(want.Customers))
			}
			states++
		}
	}
	if states < 200 {
		t.Errorf("%d states are too few", states)
	}
}

// TestEveryCrashStateOfTheKeys: an appended list may be cut anywhere, and what
// was not yet written of it may be zeros.
func TestEveryCrashStateOfTheKeys(t *testing.T) {
	o := options(t)
	s := mustOpen(t, o)
	defer mustClose(t, s)
	path, copied := filepath.Join(o.Dir, KeysFile), filepath.Join(t.TempDir(), KeysFile)
	handle := func(n int) engine.Handle { return engine.Handle{7, byte(n), byte(n >> 8)} }
	if err := s.Keys.Make(handle(0), handle(1)); err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 8; n++ {
		before := readFile(t, path)
		have := s.Keys.Handles()
		if err := s.Keys.Make(handle(n), handle(100+n)); err != nil {
			t.Fatal(err)
		}
		after := readFile(t, path)
		if !bytes.Equal(after[:len(before)], before) {
			t.Fatal("a new key is not appended")
		}
		for at := len(before); at < len(after); at++ {
			for _, file := range [][]byte{after[:at], append(bytes.Clone(after[:at]), make([]byte, len(after)-at)...)} {
				writeTo(t, copied, file)
				k, err := openKeys(copied, o.DeviceKey, func(int64) {})
				if err != nil {
					t.Fatalf("list %d cut at %d of %d: %v", n, at-len(before), len(after)-len(before), err)
				}
				if got := k.Handles(); !reflect.DeepEqual(got, have) {
					t.Fatalf("list %d cut at %d: %d keys, want %d", n, at-len(before), len(got), len(have))
				}
				if at%16 > 0 {
					continue
				}
				// It goes on from there, and what it says then is there.
				if err := k.Make(handle(50)); err != nil {
					t.Fatal(err)
				}
				again, err := openKeys(copied, o.DeviceKey, func(int64) {})
				if err != nil || !again.Has(handle(50)) || len(again.Handles()) != len(have)+1 {
					t.Fatalf("after going on: %v", err)
				}
			}
		}
		writeTo(t, copied, after)
		if k, err := openKeys(copied, o.DeviceKey, func(int64) {}); err != nil || !reflect.DeepEqual(k.Handles(), s.Keys.Handles()) {
			t.Fatalf("list %d whole: %v", n, err)
		}
	}
	// A byte that is wrong in the middle is damage, not a crash.
	raw := readFile(t, path)
	for _, at := range []int{3, len(keyMagic) + 5, keyHeader + 2, keyHeader + 40, keyHeader + 190} {
		bad := bytes.Clone(raw)
		bad[at] ^= 1
		writeTo(t, copied, bad)
		if _, err := openKeys(copied, o.DeviceKey, func(int64) {}); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of %d changed: %v", at, len(raw), err)
		}
	}
}

func TestKeysOfVersion1(t *testing.T) {
	path := filepath.Join(t.TempDir(), KeysFile)
	device, epoch := [32]byte{1}, [32]byte{2}
	list := append(append(make([]byte, 0, leaseSize), make([]byte, 16)...), bytes.Repeat([]byte{3}, 32)...)
	list[0] = 9
	raw := append([]byte(keyMagic1), seal(device, []byte(keyMagic1), epoch[:])...)
	writeTo(t, path, append(raw, seal(epoch, []byte(keyMagic1), list)...))
	for range 2 {
		k, err := openKeys(path, device, func(int64) {})
		if err != nil || !k.Has(engine.Handle{9}) || k.lease[engine.Handle{9}] != [32]byte(list[16:]) {
			t.Fatal(err)
		}
		if err := k.Make(engine.Handle{10}); err != nil { // writes the present version
			t.Fatal(err)
		}
	}
}

// TestExchangeIsOneStep copies the folder at the labelled points of a compaction,
// and with a new file that was not finished.
func TestExchangeIsOneStep(t *testing.T) {
	o := options(t)
	var at func(point string)
	o.Crash = func(point string) { at(point) }
	at = func(string) {}
	s := mustOpen(t, o)
	q := openQueue(t, s, 5)
	last := uint64(0)
	for last < 12_000 {
		last = appendBench(t, q, benchBatch(250))
	}
	letGo(t, q, last, 100)
	var points []string
	at = func(point string) {
		points = append(points, point)
		next := readFile(t, filepath.Join(o.Dir, OutboxFile)+map[string]string{CrashCompacted: nextSuffix}[point])
		for _, cut := range []int{len(next), len(next) / 2, pageSize, 1, 0} {
			c := o
			c.Dir, c.Crash = copyDir(t, o.Dir), nil
			if point == CrashCompacted {
				writeTo(t, filepath.Join(c.Dir, OutboxFile)+nextSuffix, next[:cut])
			}
			again := mustOpen(t, c)
			if st := openQueue(t, again, 9).Status(); st.Epoch != 5 || st.Next != last+1 || st.Records != 100 || len(again.Recovered) > 0 {
				t.Errorf("%s: %+v", point, st)
			}
			if _, err := os.Stat(filepath.Join(c.Dir, OutboxFile) + nextSuffix); err == nil {
				t.Errorf("%s: what was not finished is still there", point)
			}
			mustClose(t, again)
		}
	}
	for range 2 {
		if _, err := q.Drop(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{CrashCompacted, CrashExchanged}; !reflect.DeepEqual(points, want) {
		t.Errorf("points %v, want %v", points, want)
	}
	mustClose(t, s)
}

// queueImage is a file with every kind of page that ours have.
func queueImage(t testing.TB) []byte {
	o := options(t)
	s := mustOpen(t, o)
	q := openQueue(t, s, 5)
	for n := uint64(1); n < 60; n++ {
		if _, err := q.Append(wire.BundleID{}, [][]byte{crashRecord(n), report(n, 200)}); err != nil {
			t.Fatal(err)
		}
	}
	letGo(t, q, q.Status().Next-1, 70)
	appendBench(t, q, benchBatch(1))
	mustClose(t, s)
	return readFile(t, filepath.Join(o.Dir, OutboxFile))
}

// usable opens a file that may be damaged, and uses it. Whatever is in it, the
// process goes on.
func usable(t testing.TB, raw []byte) {
	path := filepath.Join(t.TempDir(), OutboxFile)
	writeTo(t, path, raw)
	o, err := openOutbox(path, 1<<20, &flash{}, nil)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%v is no damage", err)
		}
		return
	}
	defer o.close()
	q, err := outbox.Open(o, outbox.Options{Epoch: 5})
	if err != nil {
		return
	}
	for range 3 {
		st := q.Status()
		_, err := q.Peek(1, st.First, 50, 1<<20)
		if err == nil {
			_, err = q.Append(wire.BundleID{}, benchBatch(20))
		}
		if err == nil && st.Next > 20 {
			q.Applied(st.Next - 1)
			if err = q.Acknowledge(st.Epoch, st.Next-10, nil); err == nil {
				_, err = q.Drop()
			}
		}
		if err != nil {
			return
		}
	}
}

// TestDamageNeverEndsTheProcess changes single bytes and words where they matter
// most: in the heads of pages and elements.
func TestDamageNeverEndsTheProcess(t *testing.T) {
	image := queueImage(t)
	r := rand.New(rand.NewPCG(5, 5))
	rounds := 120
	if testing.Short() {
		rounds = 50
	}
	for range rounds {
		raw := bytes.Clone(image)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(raw)/pageSize)*pageSize + r.IntN(120)
			switch r.IntN(3) {
			case 0:
				raw[at] ^= 1 << r.IntN(8)
			case 1:
				binary.NativeEndian.PutUint32(raw[at&^3:], r.Uint32())
			default:
				copy(raw[at&^0xfff:][:pageSize], image[r.IntN(len(raw)/pageSize)*pageSize:])
			}
		}
		usable(t, raw)
	}
}

func FuzzOpenOutbox(f *testing.F) {
	image := queueImage(f)
	f.Add([]byte{0, 0, 8, 1})
	f.Add([]byte{2, 0, 8, 2, 3, 0, 10, 255})
	f.Fuzz(func(t *testing.T, edits []byte) {
		raw := bytes.Clone(image)
		for ; len(edits) >= 4; edits = edits[4:] { // page, offset, value
			at := int(edits[0])%(len(raw)/pageSize)*pageSize + (int(edits[1])<<8+int(edits[2]))%pageSize
			raw[at] = edits[3]
		}
		usable(t, raw)
	})
}

func FuzzKeys(f *testing.F) {
	device := [32]byte{1}
	path := filepath.Join(f.TempDir(), KeysFile)
	k, err := openKeys(path, device, func(int64) {})
	if err != nil {
		f.Fatal(err)
	}
	for n := range byte(3) {
		if err := k.Make(engine.Handle{n}); err != nil {
			f.Fatal(err)
		}
		f.Add(readFile(f, path))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		k := &Keys{device: device, lease: map[engine.Handle][keySize]byte{}}
		if k.decode(raw) == nil && k.size > int64(len(raw)) {
			t.Fatalf("%d bytes of %d", k.size, len(raw))
		}
	})
}

func FuzzBlock(f *testing.F) {
	b, _ := appendBlock(nil, []outbox.Entry{{Seq: 1, Value: []byte{1, 2}}, {Seq: 2, Value: []byte{1}}})
	f.Add(b)
	f.Add([]byte{blockVersion, 255, 255})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var entries []outbox.Entry
		more, err := readBlock(7, raw, 0, func(seq uint64, value []byte) bool {
			entries = append(entries, outbox.Entry{Seq: seq, Value: value})
			return true
		})
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		n, err := blockLen(raw)
		if !more || err != nil || int(n) != len(entries) {
			t.Fatalf("%d entries of %d, %v", len(entries), n, err)
		}
		var back []byte
		if len(raw) <= blockMax && len(entries) > 0 {
			if back, _ = appendBlock(nil, entries); !bytes.Equal(back, raw) {
				t.Fatalf("%x came back as %x", raw, back)
			}
		}
		if _, _, _, err := decodeMeta(raw); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
	})
}
