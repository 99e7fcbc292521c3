package outbox

import (
	"errors"
	"fmt"

	"github.com/tact-edge/tact/sync/wire"
)

// maxGroup is how many records of several callers go into one commit.
const maxGroup = 256

// Appended says what Append did: the kept records have the numbers First to
// Next-1, in order; the last Refused context records of the batch were left out.
type Appended struct {
	First, Next uint64
	Refused     int
}

// request is one call of Append.
type request struct {
	bundle  wire.BundleID
	records [][]byte
	turn    chan struct{} // closed when it is done, or to lead; nil for who leads at once
	done    bool
	a       Appended
	err     error
}

// Append stores records (as wire.AppendRecord made them, or sealed) of one
// bundle in one durable transaction, together with those of others who call at
// the time. It waits for nobody: who comes while a commit runs waits for its end,
// and one of them commits what waits then.
func (q *Outbox) Append(bundle wire.BundleID, records [][]byte) (Appended, error) {
	for k, r := range records {
		if len(r) == 0 || len(r) > wire.MaxRecord {
			return Appended{}, fmt.Errorf("append record %d: %d bytes, wants 1 to %d: %w", k, len(r), wire.MaxRecord, wire.ErrTooLarge)
		}
	}
	r := &request{bundle: bundle, records: records}
	q.line.Lock()
	if q.leading {
		r.turn = make(chan struct{})
		q.waiting = append(q.waiting, r)
		q.line.Unlock()
		<-r.turn
	} else {
		q.leading = true
		q.waiting = append(q.waiting, r)
		q.line.Unlock()
	}
	if !r.done {
		q.lead()
	}
	if r.err != nil {
		return Appended{}, fmt.Errorf("append %d records: %w", len(records), r.err)
	}
	return r.a, nil
}

// lead commits what waits, the caller's own in front, and passes the lead on.
func (q *Outbox) lead() {
	q.line.Lock()
	n, count := 1, len(q.waiting[0].records)
	for n < len(q.waiting) && count+len(q.waiting[n].records) <= maxGroup {
		count += len(q.waiting[n].records)
		n++
	}
	group := q.waiting[:n:n]
	q.line.Unlock()

	q.writing.Lock()
	q.mu.Lock()
	q.appendAll(group)
	q.mu.Unlock()
	q.writing.Unlock()

	q.line.Lock()
	defer q.line.Unlock()
	for _, r := range group {
		r.done = true
		if r.turn != nil && r != group[0] { // the first is the caller
			close(r.turn)
		}
	}
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.leading = rest > 0
	if q.leading {
		close(q.waiting[0].turn)
	}
}

// appendAll performs the requests of a group in one commit, each whole or not.
func (q *Outbox) appendAll(group []*request) {
	err := q.tryAll(group)
	if errors.Is(err, ErrFull) && q.makeRoom() {
		err = q.tryAll(group)
	}
	if errors.Is(err, ErrFull) && len(group) > 1 {
		for k := range group { // some of them may fit
			q.appendAll(group[k : k+1])
		}
		return
	}
	for _, r := range group {
		if err != nil {
			r.a, r.err = Appended{}, err
		} else if r.err == nil {
			q.refused += uint64(r.a.Refused)
		}
	}
}

// tryAll places the requests in one write and commits it. The error is that of
// the commit; a request that has no place has an error of its own.
func (q *Outbox) tryAll(group []*request) error {
	if q.broken != nil {
		return q.broken
	}
	q.put, q.values = q.put[:0], q.values[:0]
	p := placing{meta: q.meta}
	p.meta.First = q.droppable()
	p.room = q.max - q.bytes + q.bytesBelow(p.meta.First)
	for _, r := range group {
		r.a, r.err = q.place(&p, r)
	}
	if len(q.put) == 0 {
		return nil
	}
	err := q.commit(Write{Meta: p.meta, Put: q.put})
	if err == nil {
		q.gone(&p)
	}
	if cap(q.values) > 1<<20 {
		q.values = nil // once is no reason to hold it
	}
	clear(q.put)
	return err
}

// placing is a write that is being put together.
type placing struct {
	meta    Meta
	room    int64
	last    [ranks]uint64 // highest number of each rank that evict has looked at
	evicted uint64
}

// place puts a request into the write, whole or not at all.
func (q *Outbox) place(p *placing, r *request) (Appended, error) {
	was, puts := *p, len(q.put)
	a := Appended{First: p.meta.Next}
	for _, record := range r.records {
		cost := int64(len(record)+stampSize) + overhead
		if rank(record) != stays && (a.Refused > 0 || p.room-cost < q.max/8) {
			a.Refused++
			continue
		}
		if p.room < cost {
			if err := q.evict(p, cost, -1); err != nil {
				*p, q.put = was, q.put[:puts]
				return Appended{}, err
			}
		}
		if p.room < cost {
			*p, q.put = was, q.put[:puts]
			return Appended{}, fmt.Errorf("%d of %d bytes used: %w", q.bytes, q.max, ErrFull)
		}
		p.room -= cost
		at := len(q.values)
		q.values = appendStamp(q.values, r.bundle, record)
		q.put = append(q.put, Entry{Seq: p.meta.Next, Value: clocked(q.values[at:len(q.values):len(q.values)], q.clock)})
		p.meta.Next++
	}
	a.Next = p.meta.Next
	return a, nil
}
