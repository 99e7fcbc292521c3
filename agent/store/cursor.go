package store

import (
	"encoding/binary"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// cursor reads msgp values one after the other; the first error stays, and all
// that is read after it is zero.
type cursor struct {
	b     []byte
	err   error
	first bool // of the first form, in which facts had one source and decisions no price
}

func (c *cursor) fail(err error) {
	if c.err == nil && err != nil {
		c.err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if c.err != nil {
		c.b = nil
	}
}

func (c *cursor) uint() (n uint64) {
	if c.err == nil {
		var err error
		n, c.b, err = msgp.ReadUint64Bytes(c.b)
		c.fail(err)
	}
	return n
}

func (c *cursor) int() (n int64) {
	if c.err == nil {
		var err error
		n, c.b, err = msgp.ReadInt64Bytes(c.b)
		c.fail(err)
	}
	return n
}

func (c *cursor) instant() sense.Instant { return sense.Instant(c.int()) }

func (c *cursor) truth() (t bool) {
	if c.err == nil {
		var err error
		t, c.b, err = msgp.ReadBoolBytes(c.b)
		c.fail(err)
	}
	return t
}

func (c *cursor) text() (s string) {
	if c.err == nil {
		// msgp keeps a length in an int, which overflows where that has 32 bits.
		if len(c.b) >= 5 && c.b[0] == 0xdb && uint64(binary.BigEndian.Uint32(c.b[1:])) > uint64(len(c.b)) {
			c.fail(msgp.ErrShortBytes)
			return ""
		}
		var err error
		s, c.b, err = msgp.ReadStringBytes(c.b)
		c.fail(err)
	}
	return s
}

func (c *cursor) value() sense.Value {
	var v wire.Value
	if c.err == nil {
		var err error
		c.b, err = v.UnmarshalMsg(c.b)
		c.fail(err)
	}
	return v.Value
}

// side reads the side of a fence.
func (c *cursor) side() place.Side {
	n := c.uint()
	if n > uint64(place.Inside) {
		c.fail(fmt.Errorf("side %d of a place", n))
		return place.Unknown
	}
	return place.Side(n)
}

// exact fills dst.
func (c *cursor) exact(dst []byte) {
	if c.err == nil {
		var err error
		c.b, err = msgp.ReadExactBytes(c.b, dst)
		c.fail(err)
	}
}

// list reads a list: the count, which the bytes must be able to hold, and that
// many elements.
func list[T any](c *cursor, read func(*cursor) T) []T {
	if c.err != nil {
		return nil
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(c.b)
	if err == nil && uint64(n) > uint64(len(rest)) { // each takes a byte at least
		err = fmt.Errorf("list of %d in %d bytes", n, len(rest))
	}
	c.b = rest
	c.fail(err)
	if c.err != nil || n == 0 {
		return nil
	}
	var l []T // grows as elements are read: a count alone makes nothing
	for range n {
		x := read(c)
		if c.err != nil {
			return nil
		}
		l = append(l, x)
	}
	return l
}

func appendList[T any](b []byte, l []T, add func([]byte, *T) []byte) []byte {
	b = msgp.AppendArrayHeader(b, uint32(len(l)))
	for k := range l {
		b = add(b, &l[k])
	}
	return b
}

// appendValue appends v; a list longer than any that may travel is kept as null.
func appendValue(b []byte, v sense.Value) []byte {
	out, err := wire.ValueOf(v).MarshalMsg(b)
	if err != nil {
		return msgp.AppendNil(b)
	}
	return out
}

func appendInstant(b []byte, i sense.Instant) []byte { return msgp.AppendInt64(b, int64(i)) }

func appendTombstone(b []byte, t *[32]byte) []byte { return msgp.AppendBytes(b, t[:]) }

func readTombstone(c *cursor) (t [32]byte) {
	c.exact(t[:])
	return t
}

func appendText(b []byte, s *string) []byte { return msgp.AppendString(b, *s) }
