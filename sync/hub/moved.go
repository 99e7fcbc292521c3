package hub

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/sync/wire"
)

// A device whose store was restored from a copy, or cloned, leaves its epoch and
// takes along what was not acknowledged: each record as a wire.Moved. It counts once,
// whichever way and however often it comes: in its own epoch, in the one into which
// it was moved, or in one into which that was moved again.

// moves is what a batch brings of epochs that were left.
type moves struct {
	came map[Hash]bool           // records that the batch itself has brought
	left map[uint64][]wire.Range // their numbers, by epoch
}

// maxMoves is how often a record may have been moved: a store that is restored once
// more than that keeps its numbers, and what it says is not looked at.
const maxMoves = 8

// moved takes a record out of an epoch that its device left. row becomes what it was
// there; a record that had come before is kept as a number.
func (r *run) moved(row *Record, x *wire.Moved, deep int) error {
	if deep == maxMoves || x.Epoch == r.batch.Epoch || x.Seq == 0 || x.Seq >= Elsewhere || len(x.Body) == 0 {
		return nil // no device writes such: it is kept as it is
	}
	rec, err := wire.DecodeRecord(x.Body)
	if err != nil {
		return nil // the same
	}
	digest := r.digest(x.Body)
	known, err := r.known(x, rec, digest)
	if err != nil {
		return err
	}
	if known {
		row.Kind, row.Handle, row.Body = wire.KindMoved, handleOf(rec), nil
		return nil
	}
	was := Record{Device: row.Device, Epoch: x.Epoch, Seq: row.Seq, Kind: rec.Kind(), At: row.At, Bundle: row.Bundle, Body: x.Body}
	if was.Seq < Elsewhere {
		was.Seq = elsewhere(row.Epoch, row.Seq)
	}
	if again, ok := rec.(*wire.Moved); ok {
		err = r.moved(&was, again, deep+1)
	} else {
		err = r.take(&was, rec)
	}
	if err != nil {
		return err
	}
	r.note(x, movedKey(r.Mind, r.device, x.Epoch, x.Seq, digest))
	row.Kind, row.Handle, row.At = was.Kind, was.Handle, was.At
	if was.Body == nil {
		row.Body = nil
	}
	return nil
}

// known says whether a record of an epoch that was left had come before.
func (r *run) known(x *wire.Moved, rec wire.Record, digest Digest) (bool, error) {
	here, err := r.view.Digests(r.device, x.Epoch, x.Seq, x.Seq)
	if err != nil {
		return false, err
	}
	switch old, ok := here[x.Seq]; {
	case ok && old == digest:
		return true, nil
	case ok && old == (Digest{}):
		// A personal record of somebody who was forgotten since. Of the same it is the same.
		if h := handleOf(rec); !h.IsNone() {
			if _, told := r.bound[h]; !told {
				_, held, err := r.view.Holding(r.device, h)
				if err != nil || !held {
					return true, err
				}
			}
		}
	}
	if r.moves.came[movedKey(r.Mind, r.device, x.Epoch, x.Seq, digest)] {
		return true, nil
	}
	return r.cameMoved(r.device, x.Epoch, x.Seq, digest)
}

// cameMoved says whether a record came within another epoch.
func (s *step) cameMoved(device string, epoch, seq uint64, digest Digest) (bool, error) {
	return s.view.Taken(movedKey(s.Mind, device, epoch, seq, digest))
}

func movedKey(m *Mind, device string, epoch, seq uint64, digest Digest) Hash {
	return m.hash("moved", device, strconv.FormatUint(epoch, 10), strconv.FormatUint(seq, 10), string(digest[:]))
}

func (r *run) note(x *wire.Moved, key Hash) {
	if r.moves.came == nil {
		r.moves = moves{map[Hash]bool{}, map[uint64][]wire.Range{}}
	}
	r.moves.came[key] = true
	r.write(PutTaken{Key: key})
	r.moves.left[x.Epoch] = append(r.moves.left[x.Epoch], wire.Range{First: x.Seq, Last: x.Seq})
}

// noteMoved tells the marks of the epochs that were left which of their records came here.
func (r *run) noteMoved() error {
	for _, left := range sortedKeys(r.moves.left, compare[uint64]) {
		m, err := r.view.Mark(r.device, left)
		if err != nil {
			return err
		}
		m.Device, m.Epoch = r.device, left
		m.Moved = united(append(slices.Clone(m.Moved), r.moves.left[left]...))
		r.write(PutMark{m})
	}
	return nil
}

// united puts ranges in order and joins those that touch; of more than a mark can
// remember the last are joined whatever is between them.
func united(list []wire.Range) []wire.Range {
	slices.SortFunc(list, func(a, b wire.Range) int { return compare(a.First, b.First) })
	var joined []wire.Range
	for _, x := range list {
		n := len(joined)
		if n > 0 && (x.First <= joined[n-1].Last+1 || n == maxGaps) {
			joined[n-1].Last = max(joined[n-1].Last, x.Last)
			continue
		}
		joined = append(joined, x)
	}
	return joined
}

// covers says whether a number is in one of the ranges, which are in order and apart.
func covers(list []wire.Range, n uint64) bool {
	k, found := slices.BinarySearchFunc(list, n, func(x wire.Range, n uint64) int { return compare(x.First, n) })
	return found || k > 0 && n <= list[k-1].Last
}

// elsewhere is the number under which a decision is indexed in the epoch in which it
// was made, when its record is another epoch's: two lives of a device may have given one
// number to two decisions, and both count.
func elsewhere(epoch, seq uint64) uint64 {
	return Elsewhere | (epoch*0x9E3779B97F4A7C15 + seq)
}

// handleOf is whom a personal record is of; none for the others.
func handleOf(rec wire.Record) wire.Handle {
	switch x := rec.(type) {
	case *wire.Identified:
		return x.Handle
	case *wire.Fact:
		return x.Handle
	case *wire.Consent:
		return x.Handle
	case *wire.Objection:
		return x.Handle
	case *wire.Restrict:
		return x.Handle
	case *wire.Interaction:
		return x.Handle
	case *wire.Moved:
		if inner, err := wire.DecodeRecord(x.Body); err == nil && inner.Kind() != wire.KindMoved {
			return handleOf(inner)
		}
	}
	return wire.Handle{}
}
