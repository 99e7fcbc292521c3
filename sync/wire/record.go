package wire

import (
	"bytes"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Kind says what a record is. Kinds are never given twice.
type Kind uint8

const (
	KindDecision    Kind = 1
	KindOutcome     Kind = 2
	KindFact        Kind = 3
	KindConsent     Kind = 4
	KindObjection   Kind = 5
	KindRestrict    Kind = 6
	KindInteraction Kind = 7
	KindIdentified  Kind = 8
	KindForgotten   Kind = 9
	KindTombstone   Kind = 10
	KindMoved       Kind = 11
	KindReport      Kind = 64  // from 64 to 125: context kinds, the first to go when the outbox is full
	KindSealed      Kind = 126 // at rest only
)

func (k Kind) String() string {
	switch k {
	case KindDecision:
		return "decision"
	case KindOutcome:
		return "outcome"
	case KindFact:
		return "fact"
	case KindConsent:
		return "consent"
	case KindObjection:
		return "objection"
	case KindRestrict:
		return "restrict"
	case KindInteraction:
		return "interaction"
	case KindIdentified:
		return "identified"
	case KindForgotten:
		return "forgotten"
	case KindTombstone:
		return "tombstone"
	case KindMoved:
		return "moved"
	case KindReport:
		return "report"
	case KindSealed:
		return "sealed"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Context says whether records of k may be refused to keep room for the others:
// decisions, outcomes, consents and erasures are never given up.
func (k Kind) Context() bool { return k >= 64 && k < KindSealed }

// Tail is what a newer version appended to a record: N fields, encoded. It is
// written back as it came.
type Tail struct {
	N   uint32
	Raw []byte
}

// Record is one durable record. Its fields are encoded as one array.
type Record interface {
	Kind() Kind
	MarshalMsg([]byte) ([]byte, error)
	UnmarshalMsg([]byte) ([]byte, error)
	Msgsize() int
	// tail gives room for appended fields and the number of fields known here.
	tail() (*Tail, int)
}

func (*Decision) Kind() Kind    { return KindDecision }
func (*Outcome) Kind() Kind     { return KindOutcome }
func (*Fact) Kind() Kind        { return KindFact }
func (*Consent) Kind() Kind     { return KindConsent }
func (*Objection) Kind() Kind   { return KindObjection }
func (*Restrict) Kind() Kind    { return KindRestrict }
func (*Interaction) Kind() Kind { return KindInteraction }
func (*Identified) Kind() Kind  { return KindIdentified }
func (*Forgotten) Kind() Kind   { return KindForgotten }
func (*Tombstone) Kind() Kind   { return KindTombstone }
func (*Moved) Kind() Kind       { return KindMoved }
func (*Report) Kind() Kind      { return KindReport }
func (*Sealed) Kind() Kind      { return KindSealed }

func (r *Decision) tail() (*Tail, int)    { return &r.Tail, 18 }
func (r *Outcome) tail() (*Tail, int)     { return &r.Tail, 11 }
func (r *Fact) tail() (*Tail, int)        { return &r.Tail, 9 }
func (r *Consent) tail() (*Tail, int)     { return &r.Tail, 9 }
func (r *Objection) tail() (*Tail, int)   { return &r.Tail, 7 }
func (r *Restrict) tail() (*Tail, int)    { return &r.Tail, 6 }
func (r *Interaction) tail() (*Tail, int) { return &r.Tail, 11 }
func (r *Identified) tail() (*Tail, int)  { return &r.Tail, 6 }
func (r *Forgotten) tail() (*Tail, int)   { return &r.Tail, 4 }
func (r *Tombstone) tail() (*Tail, int)   { return &r.Tail, 3 }
func (r *Moved) tail() (*Tail, int)       { return &r.Tail, 3 }
func (r *Report) tail() (*Tail, int)      { return &r.Tail, 4 }
func (r *Sealed) tail() (*Tail, int)      { return &r.Tail, 3 }

// Unknown is a record of a kind that is not known here, kept whole.
type Unknown struct {
	Of  Kind
	Raw []byte // the array
}

func (u *Unknown) Kind() Kind                          { return u.Of }
func (u *Unknown) MarshalMsg(b []byte) ([]byte, error) { return append(b, u.Raw...), nil }
func (u *Unknown) Msgsize() int                        { return len(u.Raw) }
func (u *Unknown) tail() (*Tail, int)                  { return &Tail{}, 0 }
func (u *Unknown) UnmarshalMsg(b []byte) ([]byte, error) {
	u.Raw = bytes.Clone(b)
	return nil, nil
}

// NewRecord returns an empty record of kind k, or an Unknown.
func NewRecord(k Kind) Record {
	switch k {
	case KindDecision:
		return &Decision{}
	case KindOutcome:
		return &Outcome{}
	case KindFact:
		return &Fact{}
	case KindConsent:
		return &Consent{}
	case KindObjection:
		return &Objection{}
	case KindRestrict:
		return &Restrict{}
	case KindInteraction:
		return &Interaction{}
	case KindIdentified:
		return &Identified{}
	case KindForgotten:
		return &Forgotten{}
	case KindTombstone:
		return &Tombstone{}
	case KindMoved:
		return &Moved{}
	case KindReport:
		return &Report{}
	case KindSealed:
		return &Sealed{}
	}
	return &Unknown{Of: k}
}

// AppendRecord appends the encoded record: its kind byte and its fields.
func AppendRecord(b []byte, r Record) ([]byte, error) {
	start := len(b)
	var err error
	switch r := r.(type) { // by their types: they are most of a log
	case *Decision:
		b, err = r.appendFields(append(b, byte(KindDecision)))
	case *Outcome:
		b, err = r.appendFields(append(b, byte(KindOutcome)))
	default:
		b, err = appendFields(append(b, byte(r.Kind())), r)
	}
	if err == nil && len(b)-start > MaxRecord {
		err = tooLarge("record", len(b)-start, MaxRecord)
	}
	if err != nil {
		return b[:start], fmt.Errorf("encode %s: %w", r.Kind(), err)
	}
	return b, nil
}

// appendFields appends the array of r's fields.
func appendFields(b []byte, r Record) ([]byte, error) {
	t, known := r.tail()
	start := len(b)
	b, err := r.MarshalMsg(b)
	if err == nil && t.N > 0 {
		b = growArray(b, start, uint32(known)+t.N)
		b = append(b, t.Raw...)
	}
	return b, err
}

// growArray rewrites the header of the array at b[at:] to say n fields.
func growArray(b []byte, at int, n uint32) []byte {
	_, rest, _ := msgp.ReadArrayHeaderBytes(b[at:])
	old := len(b) - at - len(rest)
	var head [5]byte
	h := msgp.AppendArrayHeader(head[:0], n)
	for len(h) > old { // the header only ever grows
		b = append(b, 0)
		old++
		copy(b[at+1:], b[at:len(b)-1])
	}
	copy(b[at:], h)
	return b
}

// DecodeRecord reads one encoded record, which must fill raw.
func DecodeRecord(raw []byte) (Record, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("decode record: no bytes: %w", ErrMalformed)
	}
	r := NewRecord(Kind(raw[0]))
	return r, DecodeInto(raw, r)
}

// DecodeInto reads one encoded record into r, which is of its kind and may have
// been used before: its slices are reused, so that nothing is allocated where
// they have room. Fields that an older version did not write become zero.
func DecodeInto(raw []byte, r Record) error {
	if len(raw) > 1 { // most of a log, by the shortest way
		if body, ok := blockOnly(raw[1:]); ok {
			switch r := r.(type) {
			case *Decision:
				if Kind(raw[0]) == KindDecision {
					r.Tail.N, r.Tail.Raw, r.schema1 = 0, r.Tail.Raw[:0], false
					return r.readBlock(body)
				}
			case *Outcome:
				if Kind(raw[0]) == KindOutcome {
					r.Tail.N, r.Tail.Raw, r.schema1 = 0, r.Tail.Raw[:0], false
					return r.readBlock(body)
				}
			}
		}
	}
	k := r.Kind()
	if len(raw) == 0 || Kind(raw[0]) != k {
		return fmt.Errorf("decode %s: other kind: %w", k, ErrMalformed)
	}
	if len(raw) > MaxRecord {
		return fmt.Errorf("decode %s: %w", k, tooLarge("record", len(raw), MaxRecord))
	}
	fields := raw[1:]
	rest, err := skip(fields, MaxDepth)
	if err != nil {
		return fmt.Errorf("decode %s: %w", k, err)
	}
	n, elements, err := msgp.ReadArrayHeaderBytes(fields)
	if err != nil || len(rest) > 0 {
		return fmt.Errorf("decode %s: not one array of fields: %w", k, ErrMalformed)
	}
	t, known := r.tail()
	t.N, t.Raw = 0, t.Raw[:0]
	if p, ok := r.(blocked); ok {
		*p.plain() = !isBlocked(fields)
		if !*p.plain() {
			return readBlocked(fields, p, t)
		}
	}
	if int(n) < known {
		clearRecord(r)
	}
	if _, err := r.UnmarshalMsg(fields); err != nil {
		return fmt.Errorf("decode %s: %w: %w", k, ErrMalformed, err)
	}
	if _, raw := r.(*Unknown); raw || int(n) <= known {
		return nil
	}
	for range known {
		if elements, err = skip(elements, MaxDepth); err != nil {
			return fmt.Errorf("decode %s: %w", k, err)
		}
	}
	t.N, t.Raw = n-uint32(known), append(t.Raw, elements...)
	return nil
}

// clearRecord empties r, so that fields which are not in the input are zero.
func clearRecord(r Record) {
	switch r := r.(type) {
	case *Decision:
		*r = Decision{schema1: r.schema1}
	case *Outcome:
		*r = Outcome{schema1: r.schema1}
	case *Fact:
		*r = Fact{}
	case *Consent:
		*r = Consent{}
	case *Objection:
		*r = Objection{}
	case *Restrict:
		*r = Restrict{}
	case *Interaction:
		*r = Interaction{}
	case *Identified:
		*r = Identified{}
	case *Forgotten:
		*r = Forgotten{}
	case *Tombstone:
		*r = Tombstone{}
	case *Moved:
		*r = Moved{}
	case *Report:
		*r = Report{}
	case *Sealed:
		*r = Sealed{}
	}
}
