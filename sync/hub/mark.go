package hub

import (
	"slices"

	"github.com/tact-edge/tact/sync/wire"
)

// maxGaps bounds what a mark remembers beyond the contiguous part.
const maxGaps = 1024

// add notes that first..last are here. It is false where that would make too
// many gaps; nothing is noted then.
func (m *Mark) add(first, last uint64) bool {
	list := slices.Clone(m.Ranges)
	if last > m.Through {
		list = append(list, wire.Range{First: max(first, m.Through+1), Last: last})
	}
	slices.SortFunc(list, func(a, b wire.Range) int { return compare(a.First, b.First) })
	through := m.Through
	joined := list[:0]
	for _, r := range list {
		switch n := len(joined); {
		case r.First <= through+1:
			through = max(through, r.Last)
		case n > 0 && r.First <= joined[n-1].Last+1:
			joined[n-1].Last = max(joined[n-1].Last, r.Last)
		default:
			joined = append(joined, r)
		}
	}
	if len(joined) > maxGaps {
		return false
	}
	m.Through, m.Ranges = through, joined
	return true
}

// passOver notes that the device has nothing below first any more: what is not
// here of it never comes. That is loss, and stays on record as such.
func (s *step) passOver(device string, number, first uint64) error {
	m, err := s.view.Mark(device, number)
	if err != nil || first <= m.Through+1 {
		return err
	}
	m.Device, m.Epoch = device, number
	m.Missing = slices.Clip(m.Missing)
	from := m.Through + 1
	for _, r := range m.Ranges {
		if r.First > first-1 {
			break
		}
		m.Missing = append(m.Missing, wire.Range{First: from, Last: r.First - 1})
		from = r.Last + 1
	}
	if from <= first-1 {
		m.Missing = append(m.Missing, wire.Range{First: from, Last: first - 1})
	}
	if len(m.Missing) > maxGaps {
		return refuse("device %s, epoch %d: too many gaps: %w", device, number, ErrNotTaken)
	}
	m.add(1, first-1)
	s.write(PutMark{m})
	return nil
}

// acknowledge tells a device what is here of an epoch. The answer to a hello names no ranges: a store that
// was put back from a copy may have given their numbers to other records, which it must send to find out.
func (s *step) acknowledge(e epoch, re string) error {
	m, err := s.view.Mark(e.device, e.epoch)
	if err != nil {
		return err
	}
	if re != "" {
		m.Ranges = nil
	}
	ack := &wire.Ack{Epoch: e.epoch, Through: m.Through, Ranges: m.Ranges, Time: int64(s.now), Re: re}
	if len(ack.Ranges) > wire.MaxRanges {
		ack.Ranges = ack.Ranges[:wire.MaxRanges]
	}
	return s.sendDown(e.device, wire.ClassAck, "", ack)
}
