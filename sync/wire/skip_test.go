package wire

import (
	"errors"
	"testing"
)

// TestLengthsThatNoMemoryHolds: a declared length of four gigabytes is refused by every reader, also
// where an int has 32 bits.
func TestLengthsThatNoMemoryHolds(t *testing.T) {
	for name, head := range map[string][]byte{
		"text": {0xdb, 0xff, 0xff, 0xff, 0xff}, "bytes": {0xc6, 0xff, 0xff, 0xff, 0xff}, "extension": {0xc9, 0xff, 0xff, 0xff, 0xff, 1},
		"text of 2 GiB": {0xdb, 0x80, 0, 0, 0}, "text of a byte too many": {0xdb, 0, 0, 0, 1},
	} {
		three := append([]byte{0x93}, append(append(append([]byte{}, head...), head...), head...)...)
		if _, err := skip(head, MaxDepth); err == nil {
			t.Errorf("%s: skipped", name)
		}
		if _, err := Open("t", three, Keys{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: Open: %v", name, err)
		}
		if _, err := DecodeDown("ack", append([]byte{1}, three...)); err == nil {
			t.Errorf("%s: DecodeDown took it", name)
		}
		for k := KindDecision; k <= KindTombstone; k++ {
			if _, err := DecodeRecord(append([]byte{byte(k)}, three...)); err == nil {
				t.Errorf("%s: DecodeRecord of %s took it", name, k)
			}
		}
		if _, err := unpacker(t).Decode(three); err == nil {
			t.Errorf("%s: Decode took it", name)
		}
	}
}
