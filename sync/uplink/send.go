package uplink

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// flight is a batch that was published and not yet acknowledged.
type flight struct {
	first, last uint64
	payload     []byte
	tries       int
	due         sense.Instant
}

// logged takes in the state of the outbox.
func (s *Session) logged(in Log) {
	if in.Epoch != s.log.Epoch { // another line of numbers: the hub must hear of it first
		known := s.log.Epoch != 0
		s.log, s.acked, s.cursor, s.sent, s.fresh, s.lingerTo = in, nil, in.Head, 0, in.Head, sense.Never
		if known && s.phase >= proving && s.phase <= delivering {
			s.birth()
			s.restart(s.now)
		}
	}
	s.log = in
	s.cursor = max(s.cursor, in.Head)
	for len(s.acked) > 0 && s.acked[0].Last < in.Head {
		s.acked = s.acked[1:]
	}
	if in.Next > s.fresh && s.lingerTo == sense.Never {
		s.lingerTo = s.now.Add(max(0, s.cfg.Linger))
	}
}

// fill asks for the next records where a batch is due: enough of them, or they
// have waited long enough.
func (s *Session) fill() {
	if s.reading || len(s.flights) >= s.cfg.Window || s.now < s.stuckTo {
		return
	}
	s.cursor = s.pastAcked(s.cursor)
	if s.cursor >= s.log.Next {
		return
	}
	pending := s.log.Next - s.cursor
	if s.now < s.lingerTo && pending < uint64(s.cfg.BatchRecords) && s.pendingBytes(pending) < int64(s.cfg.BatchBytes) {
		return
	}
	n := s.cfg.BatchRecords
	for _, r := range s.acked { // stop before what the hub has
		if r.First > s.cursor {
			n = int(min(uint64(n), r.First-s.cursor))
			break
		}
	}
	s.reading = true
	// Records shrink to about a third; what is still too much is cut by pack.
	s.out.Read = &Read{From: s.cursor, Records: n, Bytes: 4 * s.cfg.BatchBytes}
}

// pendingBytes estimates the bytes of the records that wait.
func (s *Session) pendingBytes(pending uint64) int64 {
	if s.log.Records == 0 {
		return 0
	}
	return s.log.Bytes / int64(s.log.Records) * int64(pending)
}

func (s *Session) pastAcked(seq uint64) uint64 {
	for _, r := range s.acked {
		if r.First <= seq && seq <= r.Last {
			seq = r.Last + 1
		}
	}
	return seq
}

// pack makes one batch of what was read, as many records as fit, and sends it.
func (s *Session) pack(in Records) {
	if !s.reading || !s.flowing() {
		s.reading = false // of an epoch that was refused meanwhile, perhaps
		return
	}
	s.reading = false
	if len(in.Records) == 0 || in.First < s.cursor {
		s.stuckTo = s.now.Add(s.cfg.RTO)
		return
	}
	b := wire.Batch{Device: s.cfg.Device, Boot: s.cfg.Boot, Epoch: s.log.Epoch, First: in.First, Bundle: in.Bundle, Clock: in.Clock}
	var payload []byte
	for n := min(len(in.Records), wire.MaxRecords); ; n /= 2 {
		b.Records = in.Records[:n]
		var err error
		payload, err = s.packer.Encode(&b)
		if n > 1 && (errors.Is(err, wire.ErrTooLarge) || err == nil && len(payload) > s.cfg.BatchBytes) {
			continue
		}
		if err != nil {
			s.problem(ProblemUnencodable, fmt.Sprintf("from %d: %v", in.First, err))
			s.stuckTo = s.now.Add(s.cfg.MaxRTO)
			return
		}
		break
	}
	f := flight{first: in.First, last: in.First + uint64(len(b.Records)) - 1, payload: payload}
	s.fly(&f)
	s.flights = append(s.flights, f)
	s.cursor = f.last + 1
	if s.cursor > s.fresh { // those that lingered are on their way
		s.fresh, s.lingerTo = s.cursor, sense.Never
		if s.log.Next > s.cursor {
			s.lingerTo = s.now.Add(max(0, s.cfg.Linger))
		}
	} else if s.cursor == s.fresh && s.log.Next == s.fresh {
		s.lingerTo = sense.Never
	}
}

// fly publishes a batch, and sets when it is published again.
func (s *Session) fly(f *flight) {
	s.publish(Publish{Topic: s.path.Of(wire.Up, wire.ClassLog), Payload: f.payload, QoS: 1})
	s.sent = max(s.sent, f.last+1)
	f.due = s.now.Add(s.jitter(2 * grown(s.cfg.RTO, s.cfg.MaxRTO, f.tries)))
	f.tries++
}

func (s *Session) resend() {
	for k := range s.flights {
		if s.now >= s.flights[k].due {
			s.fly(&s.flights[k])
		}
	}
}

// acknowledged takes in what the hub has committed.
func (s *Session) acknowledged(a *wire.Ack) {
	if a.Epoch != s.log.Epoch || a.Epoch == s.left {
		return // of the line of numbers before this one, or of one where the hub has other records
	}
	if s.phase == greeting && !strings.HasPrefix(a.Re, s.idsOf(hello)) {
		return // what came before the answer to the hello may be of a twin, whom this connection threw out
	}
	if s.phase == delivering && strings.HasPrefix(a.Re, hello+"-") {
		return // another hello's: one record may have been sent by now to be compared, and those below it not
	}
	ahead := a.Through >= s.log.Next
	for _, r := range a.Ranges {
		ahead = ahead || r.First == 0 || r.Last < r.First || r.Last >= s.log.Next
	}
	if ahead {
		s.problem(ProblemAck, fmt.Sprintf("through %d with %d ranges, next is %d: was the store restored from a copy?", a.Through, len(a.Ranges), s.log.Next))
		return
	}
	// What this connection has not sent may be another's under the same number: a store that was put back from
	// a copy gives numbers once more, and so does a twin. Only what was sent counts, and of a run that the hub has
	// beyond it the last record is sent once more: the hub asks for another epoch where the two differ.
	s.sent = max(s.sent, s.log.Head)
	beyond := a.Through >= s.sent
	through := a.Through
	a.Through = min(a.Through, s.sent-1)
	a.Ranges = slices.DeleteFunc(a.Ranges, func(r wire.Range) bool { return r.Last >= s.sent })
	s.out.Acknowledge = a
	s.acked = a.Ranges
	kept := s.flights[:0]
	for _, f := range s.flights {
		done := f.last <= a.Through
		for _, r := range a.Ranges {
			done = done || r.First <= f.first && f.last <= r.Last
		}
		if !done {
			kept = append(kept, f)
		}
	}
	s.flights = kept
	if a.Through >= s.log.Head {
		s.vain = 0
	}
	s.log.Head = max(s.log.Head, a.Through+1)
	s.cursor = max(s.cursor, s.log.Head)
	if s.phase == greeting {
		s.deliver()
	}
	if beyond {
		s.cursor = through
	}
}
