package outbox

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

// gate is a Memory whose commits wait to be let through.
type gate struct {
	Memory
	entered, leave chan struct{}
	puts           []int
}

func (g *gate) Commit(w Write) error {
	if g.entered != nil {
		g.entered <- struct{}{}
		<-g.leave
	}
	g.puts = append(g.puts, len(w.Put))
	return g.Memory.Commit(w)
}

// waitingFor waits until so many callers wait.
func waitingFor(q *Outbox, n int) {
	for {
		q.line.Lock()
		have := len(q.waiting)
		q.line.Unlock()
		if have >= n {
			return
		}
		runtime.Gosched()
	}
}

// numbered makes a record that says who wrote it.
func numbered(t testing.TB, writer, n uint64) []byte {
	return encode(t, &wire.Decision{N: writer<<32 | n, At: 1, Slot: wire.Sym{ID: 3}})
}

// TestThoseWhoWaitAreCommittedTogether: while one commit runs others come; the
// next takes all of them, up to 256 records.
func TestThoseWhoWaitAreCommittedTogether(t *testing.T) {
	g := &gate{}
	q := open(t, g, Options{})
	g.entered, g.leave, g.puts = make(chan struct{}), make(chan struct{}), nil
	var all sync.WaitGroup
	results := make([]Appended, 8)
	errs := make([]error, 8)
	start := func(k, records int) {
		var batch [][]byte
		for n := range records {
			batch = append(batch, numbered(t, uint64(k), uint64(n)))
		}
		all.Go(func() { results[k], errs[k] = q.Append(wire.BundleID{byte(k)}, batch) })
	}
	start(0, 1)
	<-g.entered
	for k, records := range []int{3, 100, 153, 1, 5, 300} { // 3+100+153 = 256; 1+5; 300 alone
		start(k+1, records)
		waitingFor(q, k+2)
	}
	for n := range 4 {
		g.leave <- struct{}{}
		if n < 3 {
			<-g.entered
		}
	}
	all.Wait()
	if want := []int{1, 256, 6, 300}; len(g.puts) != 4 || g.puts[0] != want[0] || g.puts[1] != want[1] || g.puts[2] != want[2] || g.puts[3] != want[3] {
		t.Errorf("records of the commits: %v, want %v", g.puts, want)
	}
	next := uint64(1)
	for k := range 7 {
		if errs[k] != nil || results[k].First != next {
			t.Errorf("call %d: %+v, %v, want it to begin at %d", k, results[k], errs[k], next)
		}
		for seq := results[k].First; seq < results[k].Next; seq++ {
			checkNumbered(t, q, seq, uint64(k), seq-results[k].First)
		}
		next = results[k].Next
	}
}

func checkNumbered(t *testing.T, q *Outbox, seq, writer, n uint64) {
	t.Helper()
	must(t, q.Read(seq, func(at uint64, b wire.BundleID, r []byte) bool {
		var d wire.Decision
		must(t, wire.DecodeInto(r, &d))
		if at != seq || b != (wire.BundleID{byte(writer)}) || d.N != writer<<32|n {
			t.Fatalf("number %d holds %d of writer %d", at, d.N&0xffffffff, d.N>>32)
		}
		return false
	}))
}

// TestOneThatDoesNotFitHoldsUpNobody: in a group each is whole or not there.
func TestOneThatDoesNotFitHoldsUpNobody(t *testing.T) {
	g := &gate{}
	q := open(t, g, Options{MaxBytes: 4000})
	g.entered, g.leave = make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	errs := make([]error, 4)
	many := make([][]byte, 60)
	for k := range many {
		many[k] = numbered(t, 9, uint64(k))
	}
	start := func(k int, batch [][]byte) {
		all.Go(func() { _, errs[k] = q.Append(bundleA, batch) })
	}
	start(0, many[:1])
	<-g.entered
	start(1, many[:2])
	waitingFor(q, 2)
	start(2, many)
	waitingFor(q, 3)
	start(3, many[:3])
	waitingFor(q, 4)
	g.leave <- struct{}{}
	<-g.entered
	g.leave <- struct{}{}
	all.Wait()
	if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], ErrFull) || errs[3] != nil || q.Status().Next != 7 {
		t.Errorf("%v, next is %d, want 7", errs, q.Status().Next)
	}
}

// TestFullDiskTakesWhatFits: where the disk has no room for a group it may have
// for some of them.
func TestFullDiskTakesWhatFits(t *testing.T) {
	g := &gate{}
	q := open(t, g, Options{})
	g.Fault = func(w Write) Fault {
		if len(w.Put) > 2 {
			return FaultFull
		}
		return FaultNone
	}
	g.entered, g.leave = make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	errs := make([]error, 4)
	for k, records := range []int{1, 2, 3, 1} {
		batch := [][]byte{numbered(t, 0, 1), numbered(t, 0, 2), numbered(t, 0, 3)}[:records]
		all.Go(func() { _, errs[k] = q.Append(bundleA, batch) })
		if k == 0 {
			<-g.entered
		}
		waitingFor(q, k+1)
	}
	for n := range 5 { // the first, the group, and each of it alone
		g.leave <- struct{}{}
		if n < 4 {
			<-g.entered
		}
	}
	all.Wait()
	if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], ErrFull) || errs[3] != nil || q.Status().Next != 5 {
		t.Errorf("%v, next is %d, want 5", errs, q.Status().Next)
	}
}

// TestManyWriters: numbers without gaps, each call in one piece, under the race detector.
func TestManyWriters(t *testing.T) {
	q := open(t, &Memory{}, Options{})
	const writers, calls = 16, 40
	var all sync.WaitGroup
	for w := range uint64(writers) {
		all.Go(func() {
			for n := range uint64(calls) {
				a, err := q.Append(wire.BundleID{byte(w)}, [][]byte{numbered(t, w, 2*n), numbered(t, w, 2*n+1)})
				if err != nil || a.Next != a.First+2 {
					t.Error(a, err)
					return
				}
				if n%8 == 0 {
					if err := q.Acknowledge(77, a.First, nil); err != nil {
						t.Error(err)
					}
					q.Applied(a.First / 2)
					if _, err := q.Drop(); err != nil {
						t.Error(err)
					}
					if _, err := q.Peek(1, a.First, 10, 1000); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	s := q.Status()
	if s.Next != 2*writers*calls+1 {
		t.Fatalf("next is %d", s.Next)
	}
	at, second := s.First, map[uint64]uint64{}
	must(t, q.Read(0, func(seq uint64, b wire.BundleID, r []byte) bool {
		var d wire.Decision
		must(t, wire.DecodeInto(r, &d))
		w, n := d.N>>32, d.N&0xffffffff
		if seq != at || b[0] != byte(w) {
			t.Fatalf("number %d at %d", seq, at)
		}
		if last, ok := second[w]; ok && n != last+1 {
			t.Fatalf("writer %d: %d after %d", w, n, last)
		}
		second[w] = n
		at++
		return true
	}))
	if at != s.Next {
		t.Errorf("read to %d of %d", at, s.Next)
	}
}

// still is a Disk that takes everything and keeps nothing: what remains is the
// cost of the queue itself.
type still struct{}

func (still) Load(visit func(uint64, []byte)) (Meta, error) { return Meta{}, nil }
func (still) Commit(Write) error                            { return nil }
func (still) Read(uint64, func(uint64, []byte) bool) error  { return nil }

// deep makes a queue of n records on a still disk.
func deep(t testing.TB, n int) (*Outbox, [][]byte) {
	q := open(t, still{}, Options{MaxBytes: 1 << 40})
	batch := make([][]byte, 250)
	for k := range batch {
		batch[k] = binary.BigEndian.AppendUint64(report(t, "x"), uint64(k))[:len(report(t, "x"))]
	}
	for range n / len(batch) {
		appendAll(t, q, bundleA, batch...)
	}
	return q, batch
}

// BenchmarkDeep appends and drops one record at different depths: the cost must
// not grow with them.
func BenchmarkDeep(b *testing.B) {
	for _, n := range []int{1_000, 500_000} {
		b.Run(map[int]string{1_000: "1k", 500_000: "500k"}[n], func(b *testing.B) {
			q, batch := deep(b, n)
			acked := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				appendAll(b, q, bundleA, batch[0])
				acked++
				must(b, q.Acknowledge(77, acked, nil))
				q.Applied(acked)
				if _, err := q.Drop(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
