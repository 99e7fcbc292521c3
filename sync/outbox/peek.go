package outbox

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// Verdict is what becomes of a record that is about to be sent.
type Verdict uint8

const (
	// Send it as opened.
	Send Verdict = iota
	// Leave it, and all behind it, for a later look: a key that cannot be read now.
	Leave
	// Remove it: a tombstone takes its place, nothing of it stays.
	Remove
	// Quarantine it: a tombstone takes its place, and a copy is set aside for people.
	Quarantine
)

// Opener opens a stored record for sending: those of wire.KindSealed with the
// key of their lease. reason is for the tombstone of Remove and Quarantine. It
// is called with the outbox locked and must not call it.
type Opener func(seq uint64, record []byte) (open []byte, v Verdict, reason string)

// Run is a run of records of one bundle that were made under one state of the clock, copied out:
// Records[k] has number First+k.
type Run struct {
	First   uint64
	Bundle  wire.BundleID
	Clock   sense.ClockState // when the records were made
	Records [][]byte
}

// Peek copies out records from a number on, opened for sending: at most n
// records and about so many bytes, but at least one record where there is one.
// Records that cannot be sent have become tombstones, dated at; where the disk is
// full, only in what is returned. An empty Run means that nothing can be sent from there now.
func (q *Outbox) Peek(at sense.Instant, from uint64, n, size int) (Run, error) {
	q.mu.Lock()
	run, w, err := q.look(at, from, n, size)
	if err == nil && len(w.Put) == 0 {
		q.given(run)
	}
	q.mu.Unlock()
	if err != nil || len(w.Put) == 0 {
		return run, err
	}
	return q.replace(at, from, n, size)
}

// replace is Peek where records have to become tombstones: it looks again, with the disk its own.
func (q *Outbox) replace(at sense.Instant, from uint64, n, size int) (Run, error) {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	run, w, err := q.look(at, from, n, size)
	if err != nil {
		return Run{}, err
	}
	if len(w.Put) > 0 {
		err := q.commit(w)
		switch {
		case err == nil:
			q.tombs += uint64(len(w.Put))
		case !errors.Is(err, ErrFull):
			return Run{}, fmt.Errorf("replace %d records by tombstones: %w", len(w.Put), err)
		}
		// A full disk holds up nobody: the tombstones travel, and are made again if they must travel again. Room
		// comes with what is acknowledged.
	}
	q.given(run)
	return run, nil
}

// given notes that records are about to be sent.
func (q *Outbox) given(run Run) { q.seen = max(q.seen, run.First+uint64(len(run.Records))-1) }

// look copies out a run, and says what must be written before it may be sent.
func (q *Outbox) look(at sense.Instant, from uint64, n, size int) (run Run, w Write, err error) {
	if q.broken != nil {
		return run, w, q.broken
	}
	q.at = max(q.at, at)
	from = max(from, q.first())
	run = Run{First: from}
	if from >= q.meta.Next || n <= 0 {
		return run, w, nil
	}
	stored, err := q.copyOut(from, n, size)
	if err != nil {
		return Run{}, w, fmt.Errorf("peek from %d: %w", from, err)
	}
	w.Meta = q.meta
	for k, e := range stored {
		bundle, record, err := unstamp(e.Value)
		verdict, reason := Send, ""
		switch {
		case err != nil:
			verdict, reason = Quarantine, wire.TombCorrupt
		case q.open != nil:
			record, verdict, reason = q.open(e.Seq, record)
		}
		if verdict == Leave {
			break
		}
		if verdict == Send {
			if bad := sendable(record); bad != "" {
				verdict, reason = Quarantine, bad
			}
		}
		if verdict != Send {
			value := tombstone(at, e.Value, reason)
			w.Put = append(w.Put, Entry{Seq: e.Seq, Value: value})
			if verdict == Quarantine {
				w.Aside = append(w.Aside, e)
			}
			bundle, record, _ = unstamp(value)
		}
		clock := clockOf(e.Value)
		if k == 0 {
			run.Bundle, run.Clock = bundle, clock
		}
		if (bundle != run.Bundle || clock != run.Clock) && verdict == Send {
			break
		}
		run.Records = append(run.Records, record)
	}
	return run, w, nil
}

// sendable says why a record cannot travel; empty where it can.
func sendable(record []byte) string {
	if wire.CheckRecord(record) != nil {
		return wire.TombCorrupt
	}
	if wire.Kind(record[0]) == wire.KindSealed {
		return wire.TombRefused // nobody opened it
	}
	return ""
}

// copyOut copies entries and leaves nothing open.
func (q *Outbox) copyOut(from uint64, n, size int) ([]Entry, error) {
	var out []Entry
	total := 0
	err := q.disk.Read(from, func(seq uint64, value []byte) bool {
		if seq >= q.meta.Next || len(out) > 0 && total+len(value) > size {
			return false
		}
		total += len(value)
		out = append(out, Entry{Seq: seq, Value: bytes.Clone(value)})
		return len(out) < n
	})
	if err != nil {
		return nil, err
	}
	for k, e := range out {
		if e.Seq != from+uint64(k) {
			return nil, fmt.Errorf("entry %d is not there: %w", from+uint64(k), ErrDamaged)
		}
	}
	return out, nil
}

// Read copies out stored records from a number on, sealed ones as they are: for
// restoring, the records above the applied mark. visit returns false to stop.
func (q *Outbox) Read(from uint64, visit func(seq uint64, bundle wire.BundleID, record []byte) bool) error {
	for {
		q.mu.Lock()
		from = max(from, q.first())
		page, err := q.copyOut(from, 256, 256<<10)
		q.mu.Unlock()
		if err != nil {
			return fmt.Errorf("read from %d: %w", from, err)
		}
		if len(page) == 0 {
			return nil
		}
		for _, e := range page {
			bundle, record, err := unstamp(e.Value)
			if err != nil {
				continue // Peek makes a tombstone of it
			}
			if !visit(e.Seq, bundle, record) {
				return nil
			}
		}
		from = page[len(page)-1].Seq + 1
	}
}

// A stored value is a byte of which the lower half is the version and the upper
// half how far the clock was from being right, the bundle whose symbols the
// record uses, and the record.
const (
	stampVersion = 1
	stampSize    = 1 + len(wire.BundleID{})
)

// clocked notes in a stored value under which state of the clock its record was made.
func clocked(value []byte, c sense.ClockState) []byte {
	value[0] = value[0]&0x0f | byte(sense.ClockSynced-c)<<4
	return value
}

// clockOf is the state of the clock of a stored value; that of one that cannot be read is unknown.
func clockOf(value []byte) sense.ClockState {
	if len(value) == 0 || value[0]>>4 > byte(sense.ClockSynced) {
		return sense.ClockUnknown
	}
	return sense.ClockSynced - sense.ClockState(value[0]>>4)
}

func stamp(bundle wire.BundleID, record []byte) []byte {
	return appendStamp(make([]byte, 0, stampSize+len(record)), bundle, record)
}

func appendStamp(b []byte, bundle wire.BundleID, record []byte) []byte {
	b = append(b, stampVersion)
	b = append(b, bundle[:]...)
	return append(b, record...)
}

func unstamp(value []byte) (bundle wire.BundleID, record []byte, err error) {
	if len(value) <= stampSize || value[0]&0x0f != stampVersion {
		return bundle, nil, fmt.Errorf("stored record of %d bytes: %w", len(value), ErrDamaged)
	}
	copy(bundle[:], value[1:])
	return bundle, value[stampSize:], nil
}

// was is the kind of a stored record, of a sealed one that of what is in it.
func was(record []byte) wire.Kind {
	k := wire.Kind(record[0])
	if k != wire.KindSealed {
		return k
	}
	var s wire.Sealed
	if wire.DecodeInto(record, &s) != nil {
		return k
	}
	return s.Was
}

// tombstone makes the value that takes the place of another. It uses no
// symbols, but keeps the bundle of the record, so that a run is not cut.
func tombstone(at sense.Instant, value []byte, reason string) []byte {
	t := wire.Tombstone{At: int64(at), Reason: reason}
	bundle, record, err := unstamp(value)
	if err == nil {
		t.Was = was(record)
	}
	b, err := wire.AppendRecord(nil, &t)
	if err != nil {
		b, _ = wire.AppendRecord(nil, &wire.Tombstone{At: int64(at), Was: t.Was, Reason: wire.TombRefused}) // a reason too long to travel
	}
	return clocked(stamp(bundle, b), clockOf(value))
}
