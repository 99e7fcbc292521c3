package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// Format is the version of the bundle's form; a bundle of another is refused.
const Format = 2

// MaxBundle is the largest bundle in bytes.
const MaxBundle = 4 << 20

// ErrBundle is wrapped by every error of Decode: these bytes are no good bundle.
var ErrBundle = errors.New("bundle refused")

// Limits on collections: what decoding allocates stays a small multiple of the
// bytes it was given, since every element takes at least one.
const (
	mostActions = 1 << 16
	mostNames   = 1 << 14
	mostNodes   = 1 << 18
	mostPoints  = 1 << 18
	mostFew     = 1 << 10
	maxText     = 64 << 10
)

// coder walks a bundle once for writing and once for reading, in the same order:
// what is written is what is read. After an error it does nothing more.
type coder struct {
	writing bool
	b       []byte
	at      int // read so far
	depth   int // of bodies within each other
	err     error
	room    room
}

// Encode writes a bundle in msgp. Equal bundles give equal bytes on every machine.
func Encode(b *Bundle) []byte {
	c := &coder{writing: true}
	format := int64(Format)
	c.integer(&format)
	c.bundle(b)
	return c.b
}

// Decode reads a bundle, and checks it whole: every index, every node.
func Decode(raw []byte) (*Bundle, error) {
	if len(raw) > MaxBundle {
		return nil, fmt.Errorf("decode bundle: %d bytes are more than %d: %w", len(raw), MaxBundle, ErrBundle)
	}
	c := &coder{b: raw}
	var format int64
	c.integer(&format)
	if c.err == nil && format != Format {
		return nil, fmt.Errorf("decode bundle: format %d, this build reads %d: %w", format, Format, ErrBundle)
	}
	b := &Bundle{}
	c.bundle(b)
	if c.err == nil && c.at < len(c.b) {
		c.err = fmt.Errorf("%d bytes too many", len(c.b)-c.at)
	}
	if c.err == nil {
		c.err = Check(b)
	}
	if c.err != nil {
		return nil, fmt.Errorf("decode bundle: %w: %w", c.err, ErrBundle)
	}
	return b, nil
}

// Hash names an encoded bundle.
func Hash(encoded []byte) [32]byte { return sha256.Sum256(encoded) }

// fail keeps the first error; nothing is left to read after it.
func (c *coder) fail(err error) {
	if c.err == nil {
		c.err, c.at = err, len(c.b)
	}
}

// took goes on to what is left after a token, or fails.
func (c *coder) took(rest []byte, err error) {
	if err != nil {
		c.fail(err)
		return
	}
	c.at = len(c.b) - len(rest)
}

// small says whether the next token is a small number, which most are: its byte is its value.
func (c *coder) small() bool { return c.at < len(c.b) && c.b[c.at] < 0x80 && !c.writing }

func (c *coder) integer(n *int64) {
	switch {
	case c.writing:
		c.b = msgp.AppendInt64(c.b, *n)
	case c.small():
		*n = int64(c.b[c.at])
		c.at++
	case c.err == nil:
		v, rest, err := msgp.ReadInt64Bytes(c.b[c.at:])
		*n = v
		c.took(rest, err)
	}
}

func (c *coder) boolean(v *bool) {
	switch {
	case c.writing:
		c.b = msgp.AppendBool(c.b, *v)
	case c.err == nil:
		b, rest, err := msgp.ReadBoolBytes(c.b[c.at:])
		*v = b
		c.took(rest, err)
	}
}

// text codes a text that hardly stands twice in a bundle.
func (c *coder) text(s *string) {
	if c.writing {
		c.b = msgp.AppendString(c.b, *s)
	} else if raw := c.bytes(); len(raw) > 0 {
		*s = c.room.texts.copy(raw)
	}
}

// symbol codes a name that stands once in a bundle, and may be kept for longer.
func (c *coder) symbol(s *string) {
	if c.writing {
		c.b = msgp.AppendString(c.b, *s)
	} else if raw := c.bytes(); len(raw) > 0 {
		*s = c.room.names.copy(raw)
	}
}

// name codes a name that stands in many places of a bundle, and is kept once.
func (c *coder) name(s *string) {
	if c.writing {
		c.b = msgp.AppendString(c.b, *s)
	} else if raw := c.bytes(); len(raw) > 0 {
		*s = c.room.name(raw)
	}
}

// bytes reads a text; it belongs to the bytes that are decoded.
func (c *coder) bytes() []byte {
	if c.err != nil {
		return nil
	}
	// msgp keeps a length in an int, which overflows where that has 32 bits.
	if b := c.b[c.at:]; len(b) >= 5 && b[0] == 0xdb && binary.BigEndian.Uint32(b[1:]) > maxText {
		c.fail(fmt.Errorf("a text of %d bytes is more than %d", binary.BigEndian.Uint32(b[1:]), maxText))
		return nil
	}
	raw, rest, err := msgp.ReadStringZC(c.b[c.at:])
	if err == nil && len(raw) > maxText {
		err = fmt.Errorf("a text of %d bytes is more than %d", len(raw), maxText)
	}
	c.took(rest, err)
	if err != nil {
		return nil
	}
	return raw
}

// length codes the length of a list; reading, it is refused above most or when
// it cannot fit into the bytes that are left.
func (c *coder) length(n, most int) int {
	if c.writing {
		c.b = msgp.AppendArrayHeader(c.b, uint32(n))
		return n
	}
	if c.err != nil {
		return 0
	}
	size, rest, err := msgp.ReadArrayHeaderBytes(c.b[c.at:])
	if err == nil && (int64(size) > int64(most) || int(size) > len(rest)) {
		err = fmt.Errorf("a list of %d is too long", size)
	}
	c.took(rest, err)
	if err != nil {
		return 0
	}
	return int(size)
}

// whole codes any kind of integer; one that does not fit is an error.
func whole[T ~int | ~int32 | ~int64 | ~uint8 | ~uint64](c *coder, v *T) {
	if c.small() {
		*v = T(c.b[c.at])
		c.at++
		return
	}
	n := int64(*v)
	c.integer(&n)
	if !c.writing {
		if *v = T(n); int64(*v) != n {
			c.fail(fmt.Errorf("number %d does not fit", n))
		}
	}
}

// list codes a list of things, each in its place.
func list[T any](c *coder, s *[]T, most int, each func(*coder, *T)) {
	listIn(c, nil, s, most, each)
}

// listIn is list, which reading is cut from a block.
func listIn[T any](c *coder, block *block[T], s *[]T, most int, each func(*coder, *T)) {
	n := c.length(len(*s), most)
	if c.writing {
		for k := range *s {
			each(c, &(*s)[k])
		}
		return
	}
	if n == 0 {
		return
	}
	var none T
	all := block.cut(sure(n, len(c.b)-c.at))
	for k := range n {
		if k < cap(all) {
			all = all[:k+1]
		} else {
			all = append(all, none)
		}
		if each(c, &all[k]); c.err != nil {
			return
		}
	}
	*s = all
}

// names codes a list of names.
func (c *coder) names(s *[]string) {
	listIn(c, &c.room.strings, s, mostNames, (*coder).name)
}

// words codes texts, one per language.
func (c *coder) words(s *[]string) {
	listIn(c, &c.room.strings, s, mostNames, (*coder).text)
}

func indexes[T ~int32](c *coder, block *block[T], s *[]T, most int) {
	listIn(c, block, s, most, whole[T])
}

// optional codes something that may not be there.
func optional[T any](c *coder, p **T, each func(*coder, *T)) {
	there := *p != nil
	c.boolean(&there)
	if !there || c.err != nil {
		return
	}
	if !c.writing {
		*p = new(T)
	}
	each(c, *p)
}
