package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

func errKind(k uint8, n uint32) error {
	return fmt.Errorf("value of kind %d in %d parts: %w", k, n, ErrMalformed)
}

// fits says whether the text, bytes or extension at the start of b, which is not
// empty, can be there in full. msgp 1.6.5 keeps a declared length in an int, which
// overflows where that has 32 bits, and then slices out of range.
func fits(b []byte) bool {
	switch b[0] {
	case 0xc6, 0xc9, 0xdb: // bin 32, ext 32, str 32
		return len(b) < 5 || uint64(binary.BigEndian.Uint32(b[1:])) <= uint64(len(b))
	}
	return true
}

// skip returns what follows the first msgp value of b, which may hold arrays
// and maps within each other to the given depth. It makes nothing, and a count
// that the bytes cannot hold is an error at once.
func skip(b []byte, depth int) ([]byte, error) {
	if len(b) == 0 {
		return b, fmt.Errorf("value is cut short: %w", ErrMalformed)
	}
	elements, rest, err := uint64(0), b, error(nil)
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		var n uint32
		n, rest, err = msgp.ReadArrayHeaderBytes(b)
		elements = uint64(n)
	case msgp.MapType:
		var n uint32
		n, rest, err = msgp.ReadMapHeaderBytes(b)
		elements = 2 * uint64(n)
	default:
		if !fits(b) {
			return b, fmt.Errorf("value is cut short: %w", ErrMalformed)
		}
		rest, err = msgp.Skip(b)
	}
	if err != nil {
		return b, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if elements > uint64(len(rest)) { // each takes at least a byte
		return b, fmt.Errorf("value is cut short: %w", ErrMalformed)
	}
	if elements > 0 && depth == 0 {
		return b, tooLarge("depth", MaxDepth+1, MaxDepth)
	}
	for range elements {
		if rest, err = skip(rest, depth-1); err != nil {
			return b, err
		}
	}
	return rest, nil
}
