package outbox

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// DefaultMaxBytes bounds an outbox where Options does not say.
const DefaultMaxBytes = 32 << 20

// overhead is what an entry costs beside its record: version, bundle, key, page share.
const overhead = 32

// Options of an outbox.
type Options struct {
	Epoch    uint64 // of a queue that is begun anew: 63 random bits, not 0
	MaxBytes int64  // of all entries; 0 means DefaultMaxBytes
	Open     Opener // nil where no record is sealed
}

// Outbox is the queue. See the package comment.
type Outbox struct {
	line    sync.Mutex // of those who append, see Append
	leading bool
	waiting []*request

	// writing is held by whoever changes the disk, and taken before mu, which commit lets go of while the disk
	// is busy: a look, an acknowledgement and a Peek need not wait for it.
	writing sync.Mutex
	leaving uint64 // what lies below it goes with the commit that is under way

	mu     sync.Mutex // of all below
	disk   Disk
	open   Opener
	max    int64
	broken error

	clock   sense.ClockState // under which records are made now
	meta    Meta
	sizes   []uint32 // of the entries meta.First .. meta.Next-1
	bytes   int64
	head    uint64       // everything below is acknowledged
	acked   []wire.Range // further acknowledged ranges above head, in order, apart
	applied uint64
	seen    uint64          // highest number that was given out for sending
	at      sense.Instant   // the latest that Peek was told
	context [ranks][]uint64 // numbers of the entries that may go for room, by rank, in order
	refused uint64
	tombs   uint64
	evicted uint64

	put    []Entry // buffers of the next commit
	values []byte
}

// Open reads what the disk holds, or begins a queue on an empty one.
func Open(d Disk, o Options) (*Outbox, error) {
	q := &Outbox{disk: d, open: o.Open, max: o.MaxBytes}
	if q.max <= 0 {
		q.max = DefaultMaxBytes
	}
	if err := q.load(o.Epoch); err != nil {
		return nil, err
	}
	return q, nil
}

// Reopen reads the disk again, after ErrBroken: what is there now is the truth.
// Acknowledgements that were not dropped are forgotten, the applied mark stays.
func (q *Outbox) Reopen() error {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.reload()
}

func (q *Outbox) reload() error {
	q.sizes, q.bytes, q.acked, q.meta, q.leaving, q.context = nil, 0, nil, Meta{}, 0, [ranks][]uint64{}
	q.broken = ErrBroken
	if err := q.load(0); err != nil {
		return err
	}
	q.applied = min(q.applied, q.meta.Next-1)
	q.broken = nil
	return nil
}

// load takes over what the disk holds; an empty one is begun with the epoch.
func (q *Outbox) load(epoch uint64) error {
	expect, gap := uint64(0), false
	meta, err := q.disk.Load(func(seq uint64, value []byte) {
		gap = gap || expect != 0 && seq != expect
		if expect == 0 {
			expect = seq
		}
		expect++
		q.sizes = append(q.sizes, uint32(len(value)))
		q.bytes += int64(len(value)) + overhead
		q.note(seq, value)
	})
	if err != nil {
		return fmt.Errorf("open outbox: %w", err)
	}
	if meta == (Meta{}) && len(q.sizes) == 0 {
		return q.begin(epoch)
	}
	first := expect - uint64(len(q.sizes))
	sound := meta.Epoch != 0 && meta.First >= 1 && meta.Next >= meta.First && !gap &&
		uint64(len(q.sizes)) == meta.Next-meta.First && (len(q.sizes) == 0 || first == meta.First)
	if !sound {
		return fmt.Errorf("open outbox: epoch %d, %d..%d, %d entries from %d: %w", meta.Epoch, meta.First, meta.Next, len(q.sizes), first, ErrDamaged)
	}
	q.meta, q.head = meta, meta.First
	return nil
}

func (q *Outbox) begin(epoch uint64) error {
	if epoch == 0 || epoch>>63 != 0 {
		return fmt.Errorf("begin outbox: epoch %d is not 63 random bits", epoch)
	}
	q.meta, q.head = Meta{Epoch: epoch, First: 1, Next: 1}, 1
	if err := q.disk.Commit(Write{Meta: q.meta}); err != nil {
		return fmt.Errorf("begin outbox: %w", err)
	}
	return nil
}

// Status is a look at the queue.
type Status struct {
	Epoch   uint64
	First   uint64 // lowest number held; Next where none is
	Next    uint64 // number of the next record
	Head    uint64 // lowest number that is not acknowledged
	Records int    // held
	Bytes   int64  // held, with overhead
	Max     int64
	Refused uint64 // context records refused since opening
	Tombs   uint64 // tombstones made since opening of what could not be sent
	Evicted uint64 // tombstones made since opening of what had to make room
	Broken  bool   // a write failed with unknown end: nothing goes in or out, see ErrBroken
}

// Status returns the present state.
func (q *Outbox) Status() Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Status{Epoch: q.meta.Epoch, First: q.meta.First, Next: q.meta.Next, Head: q.head, Records: len(q.sizes),
		Bytes: q.bytes, Max: q.max, Refused: q.refused, Tombs: q.tombs, Evicted: q.evicted, Broken: q.broken != nil}
}

// Clock says how far the clock may be trusted under which records are made from
// now on: unknown until it is told. A Run holds records of one state.
func (q *Outbox) Clock(c sense.ClockState) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clock = c
}

// Drop lets go of what may go, and lets a disk that can give room back do so: it
// is for an idle moment. It returns how many went and writes nothing where there
// is nothing to gain.
func (q *Outbox) Drop() (int, error) {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return 0, q.broken
	}
	meta := q.meta
	meta.First = q.droppable()
	n := int(meta.First - q.meta.First)
	if n > 0 {
		if err := q.commit(Write{Meta: meta}); err != nil {
			return 0, fmt.Errorf("drop %d records: %w", n, err)
		}
	}
	if d, ok := q.disk.(Compacter); ok {
		if err := d.Compact(); err != nil {
			return n, fmt.Errorf("compact outbox: %w", err)
		}
	}
	return n, nil
}

// commit performs w and takes it over into the bookkeeping. The caller holds writing
// and mu; mu is free while the disk is busy, for those who read or acknowledge.
func (q *Outbox) commit(w Write) error {
	q.leaving = w.Meta.First
	q.mu.Unlock()
	err := q.disk.Commit(w)
	q.mu.Lock()
	if err != nil {
		if errors.Is(err, ErrFull) {
			q.leaving = 0
			return err
		}
		q.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		return q.broken
	}
	q.bytes -= q.bytesBelow(w.Meta.First)
	q.sizes = q.sizes[w.Meta.First-q.meta.First:]
	q.forgetBelow(w.Meta.First)
	for _, e := range w.Put {
		size := uint32(len(e.Value))
		if e.Seq < q.meta.Next { // replaced
			at := e.Seq - w.Meta.First
			q.bytes += int64(size) - int64(q.sizes[at])
			q.sizes[at] = size
			continue
		}
		q.sizes = append(q.sizes, size)
		q.bytes += int64(size) + overhead
		q.note(e.Seq, e.Value)
	}
	q.meta = w.Meta
	return nil
}

// first is the lowest number that is there for sure.
func (q *Outbox) first() uint64 { return max(q.meta.First, q.leaving) }

// droppable is the lowest number that must stay.
func (q *Outbox) droppable() uint64 {
	return max(q.meta.First, min(q.head, q.applied+1))
}

// bytesBelow sums the entries below a number.
func (q *Outbox) bytesBelow(seq uint64) int64 {
	sum := int64(0)
	for _, s := range q.sizes[:seq-q.meta.First] {
		sum += int64(s) + overhead
	}
	return sum
}

// Applied tells the mark of a durable snapshot: every record up to and with seq
// is in it. A mark never goes back.
func (q *Outbox) Applied(seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.applied = max(q.applied, min(seq, q.meta.Next-1))
}
