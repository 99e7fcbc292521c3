package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// From schema 2 on the first field of a decision and of an outcome is a block: one
// msgp binary that holds all that schema 1 wrote as fields of their own. Most of a
// log is these two, and a block takes less than half the bytes and a fifth of the
// time. A block is closed for good: what comes later is a field of the record
// behind it. Both forms are read for ever; a record that was read is written back
// in the form that it had.
//
// Within a block:
//
//	instant  6 bytes, most significant first, milliseconds
//	number   LEB128, 7 bits a byte, least significant first
//	signed   number, zigzag
//	name     number: 0 none, 1 written out (number of bytes, bytes), else the symbol + 1
//	word     number: 0 none, 1 written out, 2 to 127 of words, else the symbol + 127
//	list     number: twice the entries, and one more where they are narrow, of a fixed size
//
// It begins with two bytes, least significant first, whose bits say what is there.
type blocked interface {
	Record
	readBlock(b []byte) error
	// plain is where it stands whether the record is of schema 1.
	plain() *bool
}

// Most entries of the lists in a block.
const (
	maxBlockList = 256
	maxLosers    = 10
	maxPrices    = 2
)

const (
	firstCode = 2   // of words
	firstSym  = 2   // the code of symbol 1 in a place for names
	firstWord = 128 // ... and in one for words
)

func appendNumber(b []byte, v uint64) []byte {
	if v < 1<<7 {
		return append(b, byte(v))
	}
	return appendLong(b, v)
}

func appendLong(b []byte, v uint64) []byte {
	switch {
	case v < 1<<14:
		return append(b, byte(v)|0x80, byte(v>>7))
	case v < 1<<21:
		return append(b, byte(v)|0x80, byte(v>>7)|0x80, byte(v>>14))
	case v < 1<<28:
		return append(b, byte(v)|0x80, byte(v>>7)|0x80, byte(v>>14)|0x80, byte(v>>21))
	}
	return binary.AppendUvarint(b, v)
}

func appendSigned(b []byte, v int64) []byte {
	return appendNumber(b, uint64(v)<<1^uint64(v>>63))
}

// wideInstant says whether an instant needs more than 6 bytes.
func wideInstant(ms int64) bool { return uint64(ms)>>48 != 0 }

func appendInstant(b []byte, ms int64, wide bool) []byte {
	if wide {
		return binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	return append(b, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

// nameCode is the code of s in a place for names, wordCode in one for words. With 1
// the name follows.
func nameCode(s *Sym) uint64 {
	switch {
	case s.ID > 0:
		return uint64(s.ID) - 1 + firstSym
	case s.Name == "":
		return 0
	}
	return 1
}

func wordCode(s *Sym) uint64 {
	switch {
	case s.ID > 0:
		return uint64(s.ID) - 1 + firstWord
	case s.Name == "":
		return 0
	}
	return codeOfWord(s.Name)
}

func appendName(b []byte, s *Sym) []byte { return appendText(appendNumber(b, nameCode(s)), s) }

func appendWord(b []byte, s *Sym) []byte {
	code := wordCode(s)
	b = appendNumber(b, code)
	if code == 1 {
		return appendText(b, s)
	}
	return b
}

// appendText appends the name of s where it is written out.
func appendText(b []byte, s *Sym) []byte {
	if s.ID > 0 || s.Name == "" {
		return b
	}
	return append(appendNumber(b, uint64(len(s.Name))), s.Name...)
}

// What reads a block takes what is left of it and gives what is left then: nil after a
// fault, from which on all that is read is zero. At the end an empty rest is left.

// number is small enough to be inlined; most are of one byte.
func number(b []byte) (v uint64, rest []byte) {
	if len(b) > 0 && b[0] < 1<<7 {
		return uint64(b[0]), b[1:]
	}
	return long(b)
}

func long(b []byte) (v uint64, rest []byte) {
	if len(b) >= 4 {
		v = uint64(b[0]&0x7f) | uint64(b[1]&0x7f)<<7
		if b[1] < 1<<7 {
			return v, b[2:]
		}
		v |= uint64(b[2]&0x7f) << 14
		if b[2] < 1<<7 {
			return v, b[3:]
		}
		if b[3] < 1<<7 {
			return v | uint64(b[3])<<21, b[4:]
		}
	}
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil
	}
	return v, b[n:]
}

// number32 is a number of at most 32 bits.
func number32(b []byte) (uint32, []byte) {
	v, b := number(b)
	if v != uint64(uint32(v)) {
		return 0, nil
	}
	return uint32(v), b
}

func signed(b []byte) (int64, []byte) {
	v, b := number(b)
	return int64(v>>1) ^ -int64(v&1), b
}

func instant(b []byte, wide bool) (int64, []byte) {
	switch {
	case wide && len(b) >= 8:
		return int64(binary.BigEndian.Uint64(b)), b[8:]
	case !wide && len(b) >= 6:
		return int64(binary.BigEndian.Uint16(b))<<32 | int64(binary.BigEndian.Uint32(b[2:])), b[6:]
	}
	return 0, nil
}

func oneByte(b []byte) (byte, []byte) {
	if len(b) > 0 {
		return b[0], b[1:]
	}
	return 0, nil
}

// cut cuts n bytes off.
func cut(b []byte, n int) (head, rest []byte) {
	if n <= len(b) {
		return b[:n], b[n:]
	}
	return nil, nil
}

// sized reads a number of bytes, at most most, and the bytes.
func sized(b []byte, most uint64) (head, rest []byte) {
	n, b := number(b)
	if n > most {
		return nil, nil
	}
	return cut(b, int(n))
}

func (s *Sym) readName(b []byte) []byte {
	code, b := number(b)
	return s.readCode(b, code)
}

// readCode reads what follows the code of a name.
func (s *Sym) readCode(b []byte, code uint64) []byte {
	if code < firstSym {
		return s.readText(b, code)
	}
	id := code - firstSym + 1
	s.ID, s.Name = uint32(id), ""
	if id > 1<<32-1 {
		return nil
	}
	return b
}

func (s *Sym) readWord(b []byte) []byte {
	code, b := number(b)
	switch {
	case code < firstCode:
		return s.readText(b, code)
	case code < firstWord:
		s.ID, s.Name = 0, wordOf[code]
		return b
	}
	return s.readCode(b, code-firstWord+firstSym)
}

// readText reads a symbol that is no number: none (0), or written out (1).
func (s *Sym) readText(b []byte, code uint64) []byte {
	s.ID = 0
	if code == 0 {
		s.Name = ""
		return b
	}
	text, b := sized(b, MaxName)
	if len(text) == 0 { // none has one way of being written
		return nil
	}
	if s.Name != string(text) { // a reused record often holds the same name: nothing is allocated
		s.Name = string(text)
	}
	return b
}

// count reads how many entries follow, each of at least a byte, and whether they are narrow.
func count(b []byte, most int) (n int, narrow bool, rest []byte) {
	v, b := number(b)
	if v>>1 > uint64(most) || v>>1 > uint64(len(b)) {
		return 0, false, nil
	}
	return int(v >> 1), v&1 != 0, b
}

// wideCount is count of a list that is never narrow.
func wideCount(b []byte, most int) (int, []byte) {
	n, narrow, b := count(b, most)
	if narrow {
		return 0, nil
	}
	return n, b
}

func appendCount(b []byte, n int, narrow bool) []byte {
	v := uint64(n) << 1
	if narrow {
		v++
	}
	return appendNumber(b, v)
}

// wholeBlock says whether a block was read to its end without a fault.
func wholeBlock(kind Kind, rest []byte) error {
	if rest == nil || len(rest) > 0 {
		return fmt.Errorf("decode %s: block is not whole: %w", kind, ErrMalformed)
	}
	return nil
}

// sizedList gives a list n entries, in the memory that it has where that is enough.
func sizedList[T any](list []T, n int) []T {
	if cap(list) >= n {
		return list[:n]
	}
	return make([]T, n)
}

// openBlock appends the heads of the array and of a short block, and says where the block starts.
func openBlock(b []byte, t *Tail) (out []byte, start int) {
	if t.N == 0 {
		b = append(b, 0x91, 0xc4, 0)
	} else {
		b = append(msgp.AppendArrayHeader(b, 1+t.N), 0xc4, 0)
	}
	return b, len(b)
}

// closeBlock writes the length, and appends the tail.
func closeBlock(b []byte, start int, t *Tail) ([]byte, error) {
	switch n := len(b) - start; {
	case n < 1<<8:
		b[start-1] = byte(n)
	case n <= MaxRecord:
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start-2] = 0xc5
		binary.BigEndian.PutUint16(b[start-1:], uint16(n))
	default:
		return b, tooLarge("block", n, MaxRecord)
	}
	return append(b, t.Raw...), nil
}

// isBlocked says whether the first of the fields, which are one whole array, is a block.
func isBlocked(fields []byte) bool {
	n, rest, err := msgp.ReadArrayHeaderBytes(fields)
	return err == nil && n > 0 && len(rest) > 0 && rest[0] >= 0xc4 && rest[0] <= 0xc6
}

// blockOnly returns the block of fields that hold nothing else, in the shortest form.
func blockOnly(fields []byte) ([]byte, bool) {
	if len(fields) >= 3 && fields[0] == 0x91 && fields[1] == 0xc4 && int(fields[2]) == len(fields)-3 {
		return fields[3:], true
	}
	return nil, false
}

// readBlocked reads fields, one whole array that begins with a block.
func readBlocked(fields []byte, r blocked, t *Tail) error {
	n, rest, err := msgp.ReadArrayHeaderBytes(fields)
	if err != nil {
		return fmt.Errorf("decode %s: %w: %w", r.Kind(), ErrMalformed, err)
	}
	body, rest, err := msgp.ReadBytesZC(rest)
	if err != nil {
		return fmt.Errorf("decode %s: %w: %w", r.Kind(), ErrMalformed, err)
	}
	if err := r.readBlock(body); err != nil {
		return err
	}
	if n > 1 {
		t.N, t.Raw = n-1, append(t.Raw, rest...)
	}
	return nil
}
