package store

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// benchRecord is the size of the records of all figures here.
const benchRecord = 256

func benchBatch(n int) [][]byte {
	batch := make([][]byte, n)
	for k := range batch {
		batch[k] = make([]byte, benchRecord)
		batch[k][0] = byte(wire.KindDecision)
	}
	return batch
}

// rawLog is the peer: a plain segmented log, length and checksum before each
// record, one fsync a batch, whole segments deleted. It knows no numbers beside
// their count, replaces nothing and checks nothing when it is opened: about the
// least that can be called durable.
type rawLog struct {
	dir      string
	f        *os.File
	size     int64
	next     int
	segments []rawSegment
	buf      []byte
}

type rawSegment struct {
	path string
	last int // number of its last record
}

const rawSegmentSize = 1 << 20

func (l *rawLog) append(b testing.TB, records [][]byte) {
	if l.f == nil || l.size >= rawSegmentSize {
		if l.f != nil {
			if err := l.f.Close(); err != nil {
				b.Fatal(err)
			}
		}
		path := filepath.Join(l.dir, strconv.Itoa(l.next))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		if err := syncDir(l.dir); err != nil {
			b.Fatal(err)
		}
		l.f, l.size = f, 0
		l.segments = append(l.segments, rawSegment{path: path})
	}
	l.buf = l.buf[:0]
	for _, r := range records {
		l.buf = binary.LittleEndian.AppendUint32(l.buf, uint32(len(r)))
		l.buf = binary.LittleEndian.AppendUint32(l.buf, crc32.ChecksumIEEE(r))
		l.buf = append(l.buf, r...)
	}
	if _, err := l.f.Write(l.buf); err != nil {
		b.Fatal(err)
	}
	if err := l.f.Sync(); err != nil {
		b.Fatal(err)
	}
	l.size += int64(len(l.buf))
	l.next += len(records)
	l.segments[len(l.segments)-1].last = l.next - 1
}

// drop deletes the segments that hold only numbers below first.
func (l *rawLog) drop(b testing.TB, first int) {
	for len(l.segments) > 1 && l.segments[0].last < first {
		if err := os.Remove(l.segments[0].path); err != nil {
			b.Fatal(err)
		}
		l.segments = l.segments[1:]
	}
}

func p50(l []time.Duration) float64 {
	slices.Sort(l)
	return float64(l[len(l)/2].Nanoseconds()) / 1e3
}

func benchQueue(b testing.TB) (*Store, *outbox.Outbox) {
	o := options(b)
	o.MaxOutbox = 1 << 30
	s := mustOpen(b, o)
	q, err := outbox.Open(s.Outbox, outbox.Options{Epoch: 5, MaxBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	return s, q
}

func appendBench(b testing.TB, q *outbox.Outbox, batch [][]byte) uint64 {
	a, err := q.Append(wire.BundleID{}, batch)
	if err != nil {
		b.Fatal(err)
	}
	return a.Next - 1
}

// letGo acknowledges and applies all but the last so many.
func letGo(b testing.TB, q *outbox.Outbox, last, keep uint64) {
	if last > keep {
		q.Applied(last - keep)
		if err := q.Acknowledge(5, last-keep, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOutboxAppend1 appends one record at a time to a queue of 10,000, and in
// turn the same bytes to a plain file: the median of each.
func BenchmarkOutboxAppend1(b *testing.B) {
	s, q := benchQueue(b)
	defer mustClose(b, s)
	batch := benchBatch(1)
	for last := uint64(0); last < 10_000; {
		last = appendBench(b, q, benchBatch(250))
	}
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var ours, plain []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		last := appendBench(b, q, batch)
		ours = append(ours, time.Since(start))
		letGo(b, q, last, 10_000)
		start = time.Now()
		if _, err := f.Write(batch[0]); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		plain = append(plain, time.Since(start))
	}
	b.ReportMetric(p50(ours), "outbox.append.1:us")
	b.ReportMetric(p50(plain), "outbox.append.1:us:peer:append+fdatasync")
	b.ReportMetric(2.2, "outbox.append.1:ratio-at-most")

}

// BenchmarkOutboxAppend256 appends batches of 256 records and never drops; the
// plain log the same, in turn.
func BenchmarkOutboxAppend256(b *testing.B) { benchAppend(b, "outbox.append.256", 0, 0.30) }

// BenchmarkOutboxQueue256 keeps the last 10,000 records, so that each append lets
// go of as many.
func BenchmarkOutboxQueue256(b *testing.B) { benchAppend(b, "outbox.queue.256", 10_000, 0.55) }

func benchAppend(b *testing.B, figure string, keep uint64, mark float64) {
	s, q := benchQueue(b)
	defer func() { mustClose(b, s) }()
	raw := &rawLog{dir: b.TempDir()}
	batch := benchBatch(256)
	var ours, plain time.Duration
	n, since := 0, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		last := appendBench(b, q, batch)
		if keep > 0 {
			letGo(b, q, last, keep)
		}
		ours += time.Since(start)
		start = time.Now()
		raw.append(b, batch)
		if keep > 0 {
			raw.drop(b, raw.next-int(keep))
		}
		plain += time.Since(start)
		n += len(batch)
		if since += uint64(len(batch)); keep == 0 && since >= 250_000 { // as full as a file gets
			since = 0
			mustClose(b, s)
			s, q = benchQueue(b)
		}
	}
	b.ReportMetric(float64(n)/ours.Seconds(), figure+":records/s")
	b.ReportMetric(float64(n)/plain.Seconds(), figure+":records/s:peer:segmented-log")
	b.ReportMetric(mark, figure+":ratio-at-least")
	if keep > 0 {
		reportFile(b, "outbox.file.steady", s, q)
	}
}

// reportFile compares the size of the file with the bytes of the records in it.
func reportFile(b *testing.B, figure string, s *Store, q *outbox.Outbox) {
	b.ReportMetric(float64(s.Outbox.Size()), figure+":bytes")
	b.ReportMetric(float64(q.Status().Records*benchRecord), figure+":bytes:peer:live")
	b.ReportMetric(2.0, figure+":ratio-at-most")
}

// BenchmarkOutboxBacklog lets 500,000 records wait, drains them to 10,000 and is idle.
func BenchmarkOutboxBacklog(b *testing.B) {
	for b.Loop() {
		s, q := benchQueue(b)
		last := uint64(0)
		for last < 500_000 {
			last = appendBench(b, q, benchBatch(250))
		}
		for keep := uint64(490_000); keep >= 10_000; keep -= 10_000 {
			letGo(b, q, last, keep)
			last = appendBench(b, q, benchBatch(1))
		}
		if _, err := q.Drop(); err != nil {
			b.Fatal(err)
		}
		reportFile(b, "outbox.file.backlog", s, q)
		mustClose(b, s)
	}
}

func BenchmarkSave(b *testing.B) {
	s := mustOpen(b, options(b))
	defer mustClose(b, s)
	snap := engine.Snapshot{}
	for k := range 100 {
		c := customer(byte(k), 1)
		snap.Customers = append(snap.Customers, c)
	}
	b.ReportAllocs()
	for b.Loop() {
		snap.Customers[7].Changed++ // one of a hundred
		if err := s.State.Save(1, 0, snap); err != nil {
			b.Fatal(err)
		}
	}
}

// thousands makes a snapshot of n customers.
func thousands(n int) engine.Snapshot {
	snap, whole := snapshot(), customer(1, 1)
	for k := range n {
		c := whole
		c.Handle = engine.Handle{byte(k >> 8), byte(k), 7}
		snap.Customers = append(snap.Customers, c)
	}
	return snap
}

// churn replaces some customers by others and changes some.
func churn(snap *engine.Snapshot, round, some int) {
	for k := range some {
		at := (round*some + k) * 7 % len(snap.Customers)
		snap.Customers[at].Changed++
		at = (round*some + k) * 11 % len(snap.Customers)
		snap.Customers[at].Handle[5]++ // keeps the order
		snap.Customers[at].Changed = 1
	}
	snap.Applied++
}

// TestThousandsOfCustomers: under churn the file stays near what is in it, and a
// snapshot writes what changed.
func TestThousandsOfCustomers(t *testing.T) {
	n, rounds := 10_000, 12
	if testing.Short() {
		n, rounds = 1_000, 10
	}
	o := options(t)
	s := mustOpen(t, o)
	snap := thousands(n)
	if err := s.State.Save(5, 1, snap); err != nil {
		t.Fatal(err)
	}
	first, _, err := s.State.db.size()
	if err != nil {
		t.Fatal(err)
	}
	whole := s.Written(o.Now).Files[StateFile]
	for round := range rounds {
		churn(&snap, round, 50)
		var gone []engine.Handle
		for _, h := range s.Keys.Handles() { // as the device does: of who is no longer held
			if _, ok := slices.BinarySearchFunc(snap.Customers, h, func(c engine.CustomerState, h engine.Handle) int {
				return slices.Compare(c.Handle[:], h[:])
			}); !ok {
				gone = append(gone, h)
			}
		}
		if err := s.State.Save(5, 1, snap); err != nil {
			t.Fatal(err)
		}
		if err := s.Keys.Destroy(gone...); err != nil {
			t.Fatal(err)
		}
	}
	file, used, err := s.State.db.size()
	if err != nil {
		t.Fatal(err)
	}
	wrote := (s.Written(o.Now).Files[StateFile] - whole) / int64(rounds)
	t.Logf("%d bytes at first, %d then, %d of them in use; %d a snapshot of 100 changes", first, file, used, wrote)
	if file > 2*used || file > first+first/2 || wrote > 100*6*pageSize {
		t.Errorf("%d bytes of which %d are in use, %d at first; %d a snapshot", file, used, first, wrote)
	}
	if keys := len(s.Keys.Handles()); keys > n+100 {
		t.Errorf("%d keys of %d customers", keys, n)
	}
	mustClose(t, s)
	s = mustOpen(t, o)
	defer mustClose(t, s)
	if got, _, unread := s.State.Load(); len(got.Customers) != n || unread > 0 {
		t.Errorf("%d customers, %d unread", len(got.Customers), unread)
	}
}

// BenchmarkSaveThousands saves a snapshot of 10,000 customers of which one, or
// none, has changed.
func BenchmarkSaveThousands(b *testing.B) {
	s := mustOpen(b, options(b))
	defer mustClose(b, s)
	snap := thousands(10_000)
	if err := s.State.Save(5, 1, snap); err != nil {
		b.Fatal(err)
	}
	before, n := s.Written(0).Files[StateFile], 0
	b.ReportAllocs()
	for b.Loop() {
		snap.Customers[n%10_000].Changed++
		snap.Applied++
		if err := s.State.Save(5, 1, snap); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(s.Written(0).Files[StateFile]-before)/float64(n)/1024, "store.save.10000:KiB")
}
