package outbox

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// moveBytes is about how much of a queue is held in memory while it is moved.
const moveBytes = 512 << 10

// Move takes the records of an epoch that must be left over into a new one.
type Move struct {
	Epoch uint64        // the new one: 63 random bits, not 0
	Above uint64        // records up to and with this number stay behind: the hub has them
	At    sense.Instant // date of the tombstones that stand for records which cannot be moved
	// Write returns what stands in the new queue for a stored record, a wire.Moved;
	// nil leaves it behind. A record that is unreadable, or with which Write fails as
	// wire.ErrTooLarge, is given as a tombstone, so that each number is accounted for.
	// record is valid during the call only.
	Write func(seq uint64, bundle wire.BundleID, record []byte) ([]byte, error)
}

// Copy begins the new queue on the disk to, which must be empty, with what Write
// made of the records on the disk from, in their order. It changes nothing of
// from. After an error to is of no use.
func (m Move) Copy(from, to Disk) error {
	if m.Epoch == 0 || m.Epoch>>63 != 0 {
		return fmt.Errorf("move records: epoch %d is not 63 random bits", m.Epoch)
	}
	meta := Meta{Epoch: m.Epoch, First: 1, Next: 1}
	if err := to.Commit(Write{Meta: meta}); err != nil {
		return fmt.Errorf("move records: %w", err)
	}
	for at := m.Above + 1; at != 0; {
		page, size := []Entry(nil), 0
		err := from.Read(at, func(seq uint64, value []byte) bool {
			page = append(page, Entry{Seq: seq, Value: bytes.Clone(value)})
			size += len(value)
			return size < moveBytes
		})
		if err != nil {
			return fmt.Errorf("move records from %d: %w", at, err)
		}
		if len(page) == 0 {
			return nil
		}
		at = page[len(page)-1].Seq + 1
		w := Write{Meta: meta}
		for _, e := range page {
			value, err := m.moved(e)
			if err != nil {
				return fmt.Errorf("move record %d: %w", e.Seq, err)
			}
			if value != nil {
				w.Put = append(w.Put, Entry{Seq: w.Meta.Next, Value: value})
				w.Meta.Next++
			}
		}
		if len(w.Put) == 0 {
			continue
		}
		if err := to.Commit(w); err != nil {
			return fmt.Errorf("move records to %d: %w", w.Meta.Next, err)
		}
		meta = w.Meta
	}
	return nil
}

// moved is the value that stands for an entry in the new queue, nil for none.
func (m Move) moved(e Entry) ([]byte, error) {
	bundle, record, err := unstamp(e.Value)
	if err != nil {
		bundle, record, _ = unstamp(tombstone(m.At, e.Value, wire.TombCorrupt))
	}
	out, err := m.Write(e.Seq, bundle, record)
	if errors.Is(err, wire.ErrTooLarge) || err == nil && len(out) > wire.MaxRecord {
		bundle, record, _ = unstamp(tombstone(m.At, e.Value, wire.TombRefused))
		out, err = m.Write(e.Seq, bundle, record)
	}
	if err != nil || out == nil {
		return nil, err
	}
	if len(out) == 0 || len(out) > wire.MaxRecord {
		return nil, fmt.Errorf("%d bytes, wants 1 to %d: %w", len(out), wire.MaxRecord, wire.ErrTooLarge)
	}
	return clocked(stamp(bundle, out), clockOf(e.Value)), nil
}

// Renew exchanges the disk below the queue, and takes over what is there then:
// nothing else happens to the queue meanwhile. renew is told which numbers the
// hub has acknowledged; it must not call the queue. It is for leaving an epoch,
// see Move; what was acknowledged and applied of the old one is forgotten. After
// an error of renew the queue goes on with what the disk holds.
func (q *Outbox) Renew(renew func(acknowledged func(seq uint64) bool) error) error {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	head, acked := q.head, q.acked
	epoch := q.meta.Epoch
	err := renew(func(seq uint64) bool {
		if seq < head {
			return true
		}
		for _, r := range acked {
			if r.First <= seq && seq <= r.Last {
				return true
			}
		}
		return false
	})
	if err := errors.Join(err, q.reload()); err != nil {
		return fmt.Errorf("renew outbox: %w", err)
	}
	if q.meta.Epoch != epoch {
		q.applied, q.seen = 0, 0
	}
	return nil
}
