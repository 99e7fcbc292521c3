package outbox

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/wire"
)

// maxRanges bounds the acknowledged ranges that are remembered above the head;
// what is forgotten is only sent once more.
const maxRanges = 1024

// Acknowledge takes in what the hub has committed: everything up to and with
// through, and the ranges above, in any order. It writes nothing.
func (q *Outbox) Acknowledge(epoch, through uint64, ranges []wire.Range) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if epoch != q.meta.Epoch {
		return fmt.Errorf("acknowledge epoch %d of an outbox of %d: %w", epoch, q.meta.Epoch, ErrEpoch)
	}
	if through >= q.meta.Next {
		return fmt.Errorf("acknowledge through %d, next is %d: %w", through, q.meta.Next, ErrAhead)
	}
	for _, r := range ranges {
		if r.First == 0 || r.Last < r.First || r.Last >= q.meta.Next {
			return fmt.Errorf("acknowledge %d..%d, next is %d: %w", r.First, r.Last, q.meta.Next, ErrAhead)
		}
	}
	q.head = max(q.head, through+1)
	for _, r := range ranges {
		q.acked = mergeRange(q.acked, r)
	}
	for len(q.acked) > 0 && q.acked[0].First <= q.head {
		q.head = max(q.head, q.acked[0].Last+1)
		q.acked = q.acked[1:]
	}
	if len(q.acked) > maxRanges {
		q.acked = q.acked[:maxRanges]
	}
	return nil
}

// mergeRange adds r to ranges that are in order and apart, and keeps them so.
func mergeRange(ranges []wire.Range, r wire.Range) []wire.Range {
	from := 0
	for from < len(ranges) && ranges[from].Last+1 < r.First {
		from++
	}
	to := from
	for to < len(ranges) && ranges[to].First <= r.Last+1 {
		r.First = min(r.First, ranges[to].First)
		r.Last = max(r.Last, ranges[to].Last)
		to++
	}
	return slices.Replace(ranges, from, to, r)
}
