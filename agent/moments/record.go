package moments

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// ErrRecord marks bytes that are no moment record.
var ErrRecord = errors.New("moment record is damaged")

// maxRecord is the largest record in bytes; a moment beyond it is not kept.
const maxRecord = 1 << 20

// Record is one decision's moment with what was decided then.
type Record struct {
	At       sense.Instant
	Handle   engine.Handle // whose; zero for nobody
	Decision string
	Said     Said
	Moment   []byte // see engine.Thaw
}

// Said is what was decided, as far as it takes to tell another outcome from it.
type Said struct {
	Action   string
	Cause    string
	Value    catalog.Micro
	Line     [16]byte // first half of the SHA-256 of the decision line
	Rejected []Fell   // in order of action
}

// Fell is how many candidates, one after the other in order of name, fell for one reason.
type Fell struct {
	Stage  catalog.Stage
	Reason catalog.Reason
	Count  int
}

// SaidOf returns what a decision came to.
func SaidOf(d *engine.Decision) Said {
	d.Explain()
	s := Said{Action: d.Action, Cause: d.Cause, Value: d.Value}
	sum := sha256.Sum256(d.AppendJSON(nil, -1))
	copy(s.Line[:], sum[:])
	for k := range d.Rejected {
		r := &d.Rejected[k]
		if n := len(s.Rejected); n > 0 && s.Rejected[n-1].Stage == r.Stage && s.Rejected[n-1].Reason == r.Reason {
			s.Rejected[n-1].Count++
			continue
		}
		s.Rejected = append(s.Rejected, Fell{r.Stage, r.Reason, 1})
	}
	return s
}

// Differs names what is another way in a decision that was made again; nothing where it is the same to the byte.
func (s *Said) Differs(d *engine.Decision) (differences []string) {
	differ := func(what, is, was string) {
		if is != was {
			differences = append(differences, fmt.Sprintf("%s is %s, was %s", what, orNone(is), orNone(was)))
		}
	}
	now := SaidOf(d)
	differ("action", now.Action, s.Action)
	differ("cause", now.Cause, s.Cause)
	differ("value", micro(now.Value), micro(s.Value))
	was := s.reasons()
	if len(was) != len(d.Rejected) {
		differences = append(differences, fmt.Sprintf("%d candidates were rejected, %d are", len(was), len(d.Rejected)))
	} else {
		for k := range d.Rejected {
			r := &d.Rejected[k]
			differ(r.Action, r.Stage.String()+" "+r.Reason.String(), was[k].Stage.String()+" "+was[k].Reason.String())
		}
	}
	if len(differences) == 0 && now.Line != s.Line {
		differences = append(differences, "the line differs, though action, cause, value and reasons are the same: a text, an age or a reason's ground")
	}
	return differences
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func micro(n catalog.Micro) string { return string(sense.AppendMicro(nil, n, 6)) }

// reasons spreads the counts out again.
func (s *Said) reasons() (all []Fell) {
	for _, f := range s.Rejected {
		for range f.Count {
			all = append(all, Fell{f.Stage, f.Reason, 1})
		}
	}
	return all
}

const recordVersion = 1

// appendPlain appends the content of a record that is sealed: all but instant and handle.
func (r *Record) appendPlain(b []byte) []byte {
	b = append(b, recordVersion)
	for _, s := range [...]string{r.Decision, r.Said.Action, r.Said.Cause} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendVarint(b, r.Said.Value)
	b = append(b, r.Said.Line[:]...)
	b = binary.AppendUvarint(b, uint64(len(r.Said.Rejected)))
	for _, f := range r.Said.Rejected {
		b = append(b, byte(f.Stage), byte(f.Reason))
		b = binary.AppendUvarint(b, uint64(f.Count))
	}
	return append(b, r.Moment...)
}

// reader reads the content of a record; the first error stays.
type reader struct {
	b  []byte
	ok bool
}

func (c *reader) take(n uint64) []byte {
	if !c.ok || n > uint64(len(c.b)) {
		c.ok = false
		return nil
	}
	part := c.b[:n]
	c.b = c.b[n:]
	return part
}

func (c *reader) uint() uint64 {
	n, size := binary.Uvarint(c.b)
	if size <= 0 {
		c.ok = false
		return 0
	}
	c.take(uint64(size))
	return n
}

func (c *reader) int() int64 {
	n, size := binary.Varint(c.b)
	if size <= 0 {
		c.ok = false
		return 0
	}
	c.take(uint64(size))
	return n
}

// readPlain reads what appendPlain wrote. The error is ErrRecord.
func (r *Record) readPlain(b []byte) error {
	c := reader{b: b, ok: true}
	if v := c.take(1); len(v) == 1 && v[0] != recordVersion {
		return fmt.Errorf("read moment record: form %d, this build reads %d: %w", v[0], recordVersion, ErrRecord)
	}
	for _, s := range [...]*string{&r.Decision, &r.Said.Action, &r.Said.Cause} {
		*s = string(c.take(c.uint()))
	}
	r.Said.Value = c.int()
	copy(r.Said.Line[:], c.take(16))
	n, total := c.uint(), uint64(0)
	for range n {
		code := c.take(2)
		count := c.uint()
		total += count
		if !c.ok || count == 0 || count > 1<<16 || total > 1<<16 || code[0] > byte(catalog.StageTreatment) || int(code[1]) > len(catalog.Reasons()) {
			c.ok = false
			break
		}
		r.Said.Rejected = append(r.Said.Rejected, Fell{catalog.Stage(code[0]), catalog.Reason(code[1]), int(count)})
	}
	if !c.ok {
		return fmt.Errorf("read moment record: it is cut off or counts too much: %w", ErrRecord)
	}
	r.Moment = append([]byte(nil), c.b...)
	return nil
}
