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
	err     error
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
	if c.err == nil && len(c.b) > 0 {
		c.err = fmt.Errorf("%d bytes too many", len(c.b))
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

func (c *coder) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *coder) integer(n *int64) {
	switch {
	case c.writing:
		c.b = msgp.AppendInt64(c.b, *n)
	case c.err == nil:
		var err error
		if *n, c.b, err = msgp.ReadInt64Bytes(c.b); err != nil {
			c.fail(err)
		}
	}
}

func (c *coder) boolean(v *bool) {
	switch {
	case c.writing:
		c.b = msgp.AppendBool(c.b, *v)
	case c.err == nil:
		var err error
		if *v, c.b, err = msgp.ReadBoolBytes(c.b); err != nil {
			c.fail(err)
		}
	}
}

func (c *coder) text(s *string) {
	switch {
	case c.writing:
		c.b = msgp.AppendString(c.b, *s)
	case c.err == nil:
		// msgp keeps a length in an int, which overflows where that has 32 bits.
		if len(c.b) >= 5 && c.b[0] == 0xdb && binary.BigEndian.Uint32(c.b[1:]) > maxText {
			c.fail(fmt.Errorf("a text of %d bytes is more than %d", binary.BigEndian.Uint32(c.b[1:]), maxText))
			return
		}
		raw, rest, err := msgp.ReadStringZC(c.b)
		switch {
		case err != nil:
			c.fail(err)
		case len(raw) > maxText:
			c.fail(fmt.Errorf("a text of %d bytes is more than %d", len(raw), maxText))
		default:
			*s, c.b = string(raw), rest
		}
	}
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
	size, rest, err := msgp.ReadArrayHeaderBytes(c.b)
	switch {
	case err != nil:
		c.fail(err)
	case int64(size) > int64(most) || int(size) > len(rest):
		c.fail(fmt.Errorf("a list of %d is too long", size))
	default:
		c.b = rest
		return int(size)
	}
	return 0
}

// whole codes any kind of integer; one that does not fit is an error.
func whole[T ~int | ~int32 | ~int64 | ~uint8 | ~uint64](c *coder, v *T) {
	n := int64(*v)
	c.integer(&n)
	if !c.writing {
		if *v = T(n); int64(*v) != n {
			c.fail(fmt.Errorf("number %d does not fit", n))
		}
	}
}

// list codes a list of things. Reading, it grows as elements are read, so that a
// length alone allocates nothing.
func list[T any](c *coder, s *[]T, most int, each func(*T)) {
	n := c.length(len(*s), most)
	if c.writing {
		for k := range *s {
			each(&(*s)[k])
		}
		return
	}
	for range n {
		var x T
		each(&x)
		if c.err != nil {
			return
		}
		*s = append(*s, x)
	}
}

func (c *coder) texts(s *[]string) { list(c, s, mostNames, c.text) }

func indexes[T ~int32](c *coder, s *[]T, most int) {
	list(c, s, most, func(v *T) { whole(c, v) })
}

// optional codes something that may not be there.
func optional[T any](c *coder, p **T, each func(*T)) {
	there := *p != nil
	c.boolean(&there)
	if !there || c.err != nil {
		return
	}
	if !c.writing {
		*p = new(T)
	}
	each(*p)
}
