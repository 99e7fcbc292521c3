package store

import (
	"encoding/binary"
	"fmt"

	"github.com/tact-edge/tact/sync/outbox"
)

// What stands under a key of bucketOut is the value of one entry, or a block:
// the values of several with consecutive numbers, the first being the key. A
// block costs bbolt as much as one entry does. Larger ones would be faster still
// in large batches, but what stands beside a new block is written again with it.
//
// A block is blockVersion, how many values there are (2 bytes), the length of
// each (2 bytes), and the values. The lower half of the first byte of an entry's
// own value is never 15.
const (
	blockVersion = 0x0f
	blockHead    = 3
	blockMax     = 4064 // bytes: two of them with their heads and keys make two pages of 4 KiB
)

// appendBlock puts the first of the entries, which are consecutive, into one
// value, and says how many: one is its own value, more are a block.
func appendBlock(b []byte, entries []outbox.Entry) (value []byte, n int) {
	size := blockHead
	for n < len(entries) {
		more := 2 + len(entries[n].Value)
		if n > 0 && (size+more > blockMax || entries[n].Seq != entries[0].Seq+uint64(n)) {
			break
		}
		size += more
		n++
	}
	if n == 1 {
		return append(b, entries[0].Value...), 1
	}
	b = binary.BigEndian.AppendUint16(append(b, blockVersion), uint16(n))
	for _, e := range entries[:n] {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.Value)))
	}
	for _, e := range entries[:n] {
		b = append(b, e.Value...)
	}
	return b, n
}

// blockLen says how many entries a value holds.
func blockLen(v []byte) (uint64, error) {
	if len(v) == 0 || v[0] != blockVersion {
		return 1, nil
	}
	if len(v) < blockHead {
		return 0, fmt.Errorf("outbox block of %d bytes: %w", len(v), ErrDamaged)
	}
	n := int(binary.BigEndian.Uint16(v[1:]))
	if n < 2 || len(v) < blockHead+2*n {
		return 0, fmt.Errorf("outbox block of %d in %d bytes: %w", n, len(v), ErrDamaged)
	}
	return uint64(n), nil
}

// readBlock visits the entries of a value from a number on, until visit returns false.
func readBlock(first uint64, v []byte, from uint64, visit func(seq uint64, value []byte) bool) (more bool, err error) {
	n, err := blockLen(v)
	if err != nil {
		return false, err
	}
	if len(v) == 0 || v[0] != blockVersion {
		return first < from || visit(first, v), nil
	}
	at := blockHead + 2*int(n)
	for k := range n {
		end := at + int(binary.BigEndian.Uint16(v[blockHead+2*k:]))
		if end > len(v) {
			return false, fmt.Errorf("outbox block of %d in %d bytes: %w", n, len(v), ErrDamaged)
		}
		if first+k >= from && !visit(first+k, v[at:end:end]) {
			return false, nil
		}
		at = end
	}
	if at != len(v) {
		return false, fmt.Errorf("outbox block of %d has %d bytes too many: %w", n, len(v)-at, ErrDamaged)
	}
	return true, nil
}
