package outbox

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/wire"
)

// What goes first when there is no room: reports, then the other context kinds.
// Nothing else ever goes: decisions, outcomes, what customers told, erasures, and
// what was moved from another epoch.
const (
	reports = iota
	otherContext
	ranks

	stays = ranks
)

// makeRoomCount is how many records are evicted at a time where the disk itself
// is full: it must have room for that commit.
const makeRoomCount = 64

// rank says when a stored record goes.
func rank(record []byte) int {
	switch k := was(record); {
	case k == wire.KindReport:
		return reports
	case k.Context():
		return otherContext
	}
	return stays
}

// note keeps the number of an entry that may go.
func (q *Outbox) note(seq uint64, value []byte) {
	if _, record, err := unstamp(value); err == nil {
		if r := rank(record); r != stays {
			q.context[r] = append(q.context[r], seq)
		}
	}
}

// forgetBelow passes over what was dropped.
func (q *Outbox) forgetBelow(first uint64) {
	for r := range q.context {
		for len(q.context[r]) > 0 && q.context[r][0] < first {
			q.context[r] = q.context[r][1:]
		}
	}
}

// evict puts tombstones in the place of the oldest records that may go, until
// the write has room for so many bytes, or so many have gone (below 0: any number).
// What was given out for sending stays: the hub may have it.
func (q *Outbox) evict(p *placing, want int64, count int) error {
	for r, list := range q.context {
		from := max(q.seen, p.last[r], p.meta.First-1) + 1
		k, _ := slices.BinarySearch(list, from)
		for ; p.room < want && count != 0 && k < len(list); k++ {
			value, err := q.stored(list[k])
			if err != nil {
				return err
			}
			p.last[r] = list[k]
			if _, record, err := unstamp(value); err != nil || rank(record) != r {
				continue // it is a tombstone by now, or will be one
			}
			t := tombstone(q.at, value, wire.TombEvicted)
			if gain := int64(len(value) - len(t)); gain > 0 {
				p.room += gain
				p.evicted++
				count--
				q.put = append(q.put, Entry{Seq: list[k], Value: t})
			}
		}
	}
	return nil
}

// gone takes over what a write has evicted: the numbers that evict has looked at.
func (q *Outbox) gone(p *placing) {
	q.evicted += p.evicted
	for r, list := range q.context {
		from, _ := slices.BinarySearch(list, q.seen+1)
		to, _ := slices.BinarySearch(list, p.last[r]+1)
		if to > from {
			copy(list[to-from:], list[:from]) // what was given out is a window at most
			q.context[r] = list[to-from:]
		}
	}
}

// makeRoom drops and evicts in a commit of its own, for a disk that is full: what
// it frees can be used by the next one. It says whether there was anything.
func (q *Outbox) makeRoom() bool {
	if q.broken != nil {
		return false
	}
	q.put = q.put[:0]
	p := placing{meta: q.meta}
	p.meta.First = q.droppable()
	if err := q.evict(&p, 1<<62, makeRoomCount); err != nil || len(q.put) == 0 && p.meta.First == q.meta.First {
		return false
	}
	if q.commit(Write{Meta: p.meta, Put: q.put}) != nil {
		return false
	}
	q.gone(&p)
	return true
}

// stored copies one entry out.
func (q *Outbox) stored(seq uint64) (value []byte, err error) {
	err = q.disk.Read(seq, func(at uint64, v []byte) bool {
		if at == seq {
			value = bytes.Clone(v)
		}
		return false
	})
	if err == nil && value == nil {
		err = fmt.Errorf("entry %d is not there: %w", seq, ErrDamaged)
	}
	return value, err
}
