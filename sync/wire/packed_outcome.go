package wire

import "fmt"

// What an outcome's block has, beside At, Happened, N and Outcome.
const (
	outSession = 1 << iota // else main
	outSlot
	outAction
	outHandle
	outEpoch
	outID
	outSource
	outWide // the instant takes 8 bytes
)

// What it has beyond that, in its second byte.
const outDevice = 1

func (r *Outcome) plain() *bool { return &r.schema1 }

// appendFields appends the block and the tail, or what the record was read as.
func (r *Outcome) appendFields(b []byte) ([]byte, error) {
	if r.schema1 {
		return appendFields(b, r)
	}
	if err := checkName(max(len(r.Outcome.Name), len(r.Session.Name), len(r.Slot.Name), len(r.Action.Name))); err != nil {
		return b, err
	}
	b, start := openBlock(b, &r.Tail)
	has := byte(0)
	wide := wideInstant(r.At)
	if wide {
		has |= outWide
	}
	b = appendInstant(append(b, 0, 0), r.At, wide)
	b = appendSigned(b, r.At-r.Happened)
	b = appendWord(appendNumber(b, r.N), &r.Outcome)
	if r.Session.ID != 0 || r.Session.Name != mainSession {
		has |= outSession
		b = appendName(b, &r.Session)
	}
	if !r.Slot.IsNone() {
		has |= outSlot
		b = appendName(b, &r.Slot)
	}
	if !r.Action.IsNone() {
		has |= outAction
		b = appendName(b, &r.Action)
	}
	if !r.Handle.IsNone() {
		has |= outHandle
		b = append(b, r.Handle[:]...)
	}
	if r.Epoch != 0 {
		has |= outEpoch
		b = appendNumber(b, r.Epoch)
	}
	if r.ID != "" {
		has |= outID
		b = append(appendNumber(b, uint64(len(r.ID))), r.ID...)
	}
	if r.Source != "" {
		has |= outSource
		b = append(appendNumber(b, uint64(len(r.Source))), r.Source...)
	}
	if r.Device != "" {
		if !ValidID(r.Device) {
			return b, fmt.Errorf("encode outcome: device %.70q: %w", r.Device, ErrMalformed)
		}
		b[start+1] = outDevice
		b = append(appendNumber(b, uint64(len(r.Device))), r.Device...)
	}
	b[start] = has
	return closeBlock(b, start, &r.Tail)
}

func (r *Outcome) readBlock(raw []byte) error {
	if len(raw) < 2 || raw[1]&^outDevice != 0 {
		return wholeBlock(KindOutcome, nil)
	}
	has, b := raw[0], raw[2:]
	var before int64
	r.At, b = instant(b, has&outWide != 0)
	before, b = signed(b)
	r.Happened = r.At - before
	r.N, b = number(b)
	b = r.Outcome.readWord(b)
	r.Session.ID, r.Session.Name = 0, mainSession
	if has&outSession != 0 {
		b = r.Session.readName(b)
	}
	b = r.Slot.readThere(b, has&outSlot != 0)
	b = r.Action.readThere(b, has&outAction != 0)
	r.Handle = Handle{}
	if has&outHandle != 0 {
		var head []byte
		head, b = cut(b, len(r.Handle))
		copy(r.Handle[:], head)
	}
	r.Epoch = 0
	if has&outEpoch != 0 {
		r.Epoch, b = number(b)
	}
	b = readOptional(b, &r.ID, has&outID != 0)
	b = readOptional(b, &r.Source, has&outSource != 0)
	b = readOptional(b, &r.Device, raw[1]&outDevice != 0)
	if r.Device != "" && !ValidID(r.Device) {
		return fmt.Errorf("decode outcome: device %.70q: %w", r.Device, ErrMalformed)
	}
	return wholeBlock(KindOutcome, b)
}

// readThere reads a name where there is one.
func (s *Sym) readThere(b []byte, there bool) []byte {
	if there {
		return s.readName(b)
	}
	s.ID, s.Name = 0, ""
	return b
}

// readOptional reads a text where there is one.
func readOptional(b []byte, s *string, there bool) []byte {
	if !there {
		*s = ""
		return b
	}
	text, b := sized(b, MaxRecord)
	if *s != string(text) {
		*s = string(text)
	}
	return b
}
