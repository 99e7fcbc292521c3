package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// DownMessage is a msgp message to a device: its kind byte and an array.
type DownMessage interface {
	MarshalMsg([]byte) ([]byte, error)
	UnmarshalMsg([]byte) ([]byte, error)
	downKind() byte
}

func (*Slice) downKind() byte      { return 1 }
func (*Unchanged) downKind() byte  { return 2 }
func (*Forget) downKind() byte     { return 3 }
func (*Ack) downKind() byte        { return 4 }
func (*Blob) downKind() byte       { return 5 }
func (*SiteSignal) downKind() byte { return 6 }
func (*Delta) downKind() byte      { return 7 }

// newDown returns an empty message where the class carries the kind, else nil.
func newDown(class string, kind byte) DownMessage {
	switch {
	case class == ClassSlice && kind == 1:
		return &Slice{}
	case class == ClassSlice && kind == 2:
		return &Unchanged{}
	case class == ClassSlice && kind == 3:
		return &Forget{}
	case class == ClassSlice && kind == 7:
		return &Delta{}
	case class == ClassAck && kind == 4:
		return &Ack{}
	case class == ClassBlob && kind == 5:
		return &Blob{}
	case class == ClassSig && kind == 6:
		return &SiteSignal{}
	}
	return nil
}

// EncodeDown encodes m, to be signed for its topic.
func EncodeDown(m DownMessage) ([]byte, error) {
	b, err := m.MarshalMsg([]byte{m.downKind()})
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", m, err)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("encode %T: %w", m, tooLarge("message", len(b), MaxMessage))
	}
	return b, nil
}

// DecodeDown reads the payload of a topic of the given class (slice, ack, blob,
// sig). Fields appended by a newer hub are left out.
func DecodeDown(class string, b []byte) (DownMessage, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("decode %s: %w", class, tooLarge("message", len(b), MaxMessage))
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("decode %s: no bytes: %w", class, ErrMalformed)
	}
	m := newDown(class, b[0])
	if m == nil {
		return nil, fmt.Errorf("decode %s: kind %d does not belong here: %w", class, b[0], ErrMalformed)
	}
	rest, err := skip(b[1:], MaxDepth)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", class, err)
	}
	if len(rest) > 0 || msgp.NextType(b[1:]) != msgp.ArrayType {
		return nil, fmt.Errorf("decode %s: not one array of fields: %w", class, ErrMalformed)
	}
	if _, err := m.UnmarshalMsg(b[1:]); err != nil {
		return nil, fmt.Errorf("decode %s: %w: %w", class, ErrMalformed, err)
	}
	return m, nil
}
