package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

// model is the oracle: everything ever written, and what was acknowledged and applied.
type model struct {
	records  [][]byte // [k] has number k+1
	bundles  []wire.BundleID
	acked    map[uint64]bool
	applied  uint64
	wasFirst uint64
	peeked   uint64 // the highest number since the last opening
	evicted  uint64 // since the last opening
	unseen   bool   // the queue does not know what its last write has evicted
}

// gone says whether the record at has made room, which it may: then a tombstone is what was written.
func (m *model) gone(at uint64, r []byte) bool {
	was := wire.Kind(m.records[at-1][0])
	if !was.Context() || at <= m.peeked || len(r) >= len(m.records[at-1]) {
		return false
	}
	var t wire.Tombstone
	if wire.DecodeInto(r, &t) != nil || t.Was != was || t.Reason != wire.TombEvicted {
		return false
	}
	m.records[at-1] = bytes.Clone(r)
	m.evicted++
	return true
}

// head is the lowest number that is not acknowledged.
func (m *model) head() uint64 {
	h := uint64(1)
	for m.acked[h] {
		h++
	}
	return h
}

// check compares all that can be seen of q with the oracle.
func (m *model) check(q *Outbox) error {
	s := q.Status()
	if s.Next != uint64(len(m.records))+1 {
		return fmt.Errorf("next is %d, %d were written", s.Next, len(m.records))
	}
	if s.First > min(m.head(), m.applied+1) {
		return fmt.Errorf("%d is gone; acknowledged below %d, applied to %d", s.First-1, m.head(), m.applied)
	}
	if s.First < m.wasFirst {
		return fmt.Errorf("first went back from %d to %d", m.wasFirst, s.First)
	}
	m.wasFirst = s.First
	seq, sum := s.First, int64(0)
	err := q.Read(0, func(at uint64, b wire.BundleID, r []byte) bool {
		if at != seq || b != m.bundles[at-1] || !bytes.Equal(r, m.records[at-1]) && !m.gone(at, r) {
			seq = 0
			return false
		}
		sum += int64(len(r)+stampSize) + overhead
		seq++
		return true
	})
	if err != nil || seq != s.Next {
		return fmt.Errorf("read stops at %d before %d: %v", seq, s.Next, err)
	}
	if sum != s.Bytes || int(s.Next-s.First) != s.Records {
		return fmt.Errorf("%d bytes in %d records are counted as %d in %d", sum, s.Next-s.First, s.Bytes, s.Records)
	}
	if sum > s.Max || s.Evicted < m.evicted && !m.unseen { // what was evicted and then dropped was not seen
		return fmt.Errorf("%d bytes of %d, %d evicted, %d counted", sum, s.Max, m.evicted, s.Evicted)
	}
	return nil
}

func TestModel(t *testing.T) {
	for seed := range uint64(300) {
		if err := runModel(t, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func runModel(t *testing.T, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	d := &Memory{}
	o := Options{Epoch: seed + 1, MaxBytes: 3000 + int64(r.IntN(20000))}
	q := open(t, d, o)
	m := &model{acked: map[uint64]bool{}, wasFirst: 1}
	for step := range 120 {
		var err error
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			q, err = m.append(t, r, d, q, o)
		case 4, 5:
			err = m.acknowledge(r, q)
		case 6:
			m.applied = max(m.applied, uint64(r.IntN(len(m.records)+1)))
			q.Applied(m.applied)
		case 7:
			_, err = q.Drop()
		case 8:
			err = m.peek(r, q)
		case 9: // kill: what was acknowledged and not dropped is forgotten
			q = open(t, d, o)
			m.reopened(q)
		}
		if err == nil {
			err = m.check(q)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	return nil
}

// reopened forgets the acknowledgements that were not durable.
func (m *model) reopened(q *Outbox) {
	m.acked, m.peeked, m.evicted, m.unseen = map[uint64]bool{}, 0, 0, false
	for s := uint64(1); s < q.Status().First; s++ {
		m.acked[s] = true
	}
	q.Applied(m.applied)
}

func (m *model) append(t *testing.T, r *rand.Rand, d *Memory, q *Outbox, o Options) (*Outbox, error) {
	var batch [][]byte
	for range 1 + r.IntN(6) {
		if r.IntN(4) == 0 {
			batch = append(batch, report(t, string(bytes.Repeat([]byte("x"), r.IntN(300)))))
		} else {
			batch = append(batch, decision(t, r.Uint64N(1<<40)))
		}
	}
	bundle := wire.BundleID{byte(r.IntN(3))}
	fault := FaultNone
	if r.IntN(5) == 0 {
		fault = Fault(1 + r.IntN(3))
	}
	d.Fault = func(Write) Fault { return fault }
	a, err := q.Append(bundle, batch)
	d.Fault = nil
	before := uint64(len(m.records)) + 1
	if errors.Is(err, ErrBroken) {
		if r.IntN(2) == 0 {
			q = open(t, d, o)
		} else if err := q.Reopen(); err != nil {
			return q, err
		}
		a = Appended{First: before, Next: q.Status().Next}
		if wrote := a.Next > a.First; wrote != (fault == FaultAfter) {
			return q, fmt.Errorf("fault %d, yet wrote is %v", fault, wrote)
		}
		defer func() {
			m.reopened(q)
			m.unseen = fault == FaultAfter
		}()
	} else if errors.Is(err, ErrFull) {
		a = Appended{First: before, Next: before}
	} else if err != nil {
		return q, err
	}
	if a.First != before {
		return q, fmt.Errorf("appended at %d, want %d", a.First, before)
	}
	kept := make([][]byte, 0, len(batch))
	left := len(batch) - int(a.Next-a.First) // refused ones, context kinds all
	if a.Next == a.First {
		left = 0
		batch = nil
	}
	for k := len(batch) - 1; k >= 0; k-- { // room only shrinks: the refused are the last reports
		if left > 0 && wire.Kind(batch[k][0]).Context() {
			left--
			continue
		}
		kept = append([][]byte{batch[k]}, kept...)
	}
	if left > 0 {
		return q, errors.New("a record that is no context was refused")
	}
	for _, k := range kept {
		m.records, m.bundles = append(m.records, k), append(m.bundles, bundle)
	}
	return q, nil
}

func (m *model) acknowledge(r *rand.Rand, q *Outbox) error {
	n := len(m.records)
	if n == 0 {
		return nil
	}
	first := uint64(1 + r.IntN(n))
	last := min(uint64(n), first+uint64(r.IntN(8)))
	through := uint64(0)
	if r.IntN(4) == 0 {
		through = uint64(r.IntN(n + 1))
	}
	for s := uint64(1); s <= through; s++ {
		m.acked[s] = true
	}
	for s := first; s <= last; s++ {
		m.acked[s] = true
	}
	if err := q.Acknowledge(q.Status().Epoch, through, []wire.Range{{First: first, Last: last}}); err != nil {
		return err
	}
	if got := q.Status().Head; got != m.head() {
		return fmt.Errorf("head is %d, want %d", got, m.head())
	}
	return nil
}

func (m *model) peek(r *rand.Rand, q *Outbox) error {
	from := uint64(r.IntN(len(m.records) + 2))
	run, err := q.Peek(1, from, 1+r.IntN(20), 1+r.IntN(3000))
	if err != nil {
		return err
	}
	if len(run.Records) == 0 && max(from, q.Status().First) < q.Status().Next {
		return fmt.Errorf("nothing from %d", from)
	}
	for k, got := range run.Records {
		at := run.First + uint64(k) - 1
		m.peeked = max(m.peeked, at+1)
		if !bytes.Equal(got, m.records[at]) || m.bundles[at] != run.Bundle {
			return fmt.Errorf("peek of %d gave another record", at+1)
		}
	}
	return nil
}

// A disk that lied about its last commits takes numbers back; the queue must
// still open, and be whole below.
func TestLyingDisk(t *testing.T) {
	d := &Memory{}
	q := open(t, d, Options{})
	for n := range uint64(10) {
		appendAll(t, q, bundleA, decision(t, n))
	}
	d.Lose(4)
	q = open(t, d, Options{})
	if s := q.Status(); s.Next != 7 || s.Records != 6 {
		t.Fatalf("%+v", s)
	}
}
