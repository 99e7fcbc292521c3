package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// ErrMoment marks bytes that are no moment of this build, or not of the bundle at hand.
var ErrMoment = errors.New("moment record is not sound")

const (
	momentVersion = 3 // with the numbers of contacts, and leased budgets
	// maxMomentText is the longest text in a moment in bytes, mostMoment the longest list.
	maxMomentText = 64 << 10
	mostMoment    = 1 << 16
)

// coder walks a moment once for writing and once for reading, in the same order: what is written is
// what is read. After an error it does nothing more. Numbers are varints, instants are told as the
// distance from base, lists and texts carry their length, which the bytes that are left must bear out.
type coder struct {
	writing bool
	b       []byte
	base    sense.Instant
	err     error
}

func (c *coder) fail(format string, of ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %w", fmt.Sprintf(format, of...), ErrMoment)
	}
	c.b = nil
}

func (c *coder) unsigned(n *uint64) {
	if c.writing {
		c.b = binary.AppendUvarint(c.b, *n)
		return
	}
	v, size := binary.Uvarint(c.b)
	if c.err != nil || size <= 0 {
		c.fail("a number is cut off")
		return
	}
	*n, c.b = v, c.b[size:]
}

func (c *coder) integer(n *int64) {
	u := uint64(*n)<<1 ^ uint64(*n>>63)
	c.unsigned(&u)
	*n = int64(u>>1) ^ -int64(u&1)
}

func (c *coder) yes(v *bool) {
	n := uint64(0)
	if *v {
		n = 1
	}
	c.unsigned(&n)
	if n > 1 {
		c.fail("a truth of %d", n)
	}
	*v = n == 1
}

// instant tells 0 and Never by themselves, others by their distance from base or, far off, whole.
func (c *coder) instant(t *sense.Instant) {
	const none, never, near, far = 0, 1, 2, 1 << 63
	n := int64(*t) - int64(c.base)
	distance := uint64(n)<<1 ^ uint64(n>>63)
	kind := distance + near
	switch {
	case *t == 0:
		kind = none
	case *t == sense.Never:
		kind = never
	case distance >= 1<<62:
		kind = far
	}
	c.unsigned(&kind)
	switch kind {
	case none:
		*t = 0
	case never:
		*t = sense.Never
	case far:
		num(c, t)
	default:
		u := kind - near
		*t = sense.Instant(int64(c.base) + (int64(u>>1) ^ -int64(u&1)))
	}
}

func (c *coder) text(s *string) {
	n := c.length(len(*s), maxMomentText)
	if c.writing {
		c.b = append(c.b, *s...)
		return
	}
	if c.err == nil {
		*s, c.b = string(c.b[:n]), c.b[n:]
	}
}

// length codes a length; reading, it is refused above most, or where the bytes that are left cannot hold it.
func (c *coder) length(n, most int) int {
	u := uint64(n)
	c.unsigned(&u)
	if c.writing || c.err != nil {
		return n
	}
	if u > uint64(most) || u > uint64(len(c.b)) {
		c.fail("a length of %d", u)
		return 0
	}
	return int(u)
}

// listOf codes a list of things. Reading, it grows as elements are read, so that a length alone allocates nothing.
func listOf[T any](c *coder, s *[]T, each func(*T)) {
	n := c.length(len(*s), mostMoment)
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

// num codes any kind of integer; one that does not fit is an error.
func num[T ~int | ~int8 | ~int32 | ~int64 | ~uint8 | ~uint64](c *coder, v *T) {
	n := int64(*v)
	c.integer(&n)
	if !c.writing {
		if *v = T(n); int64(*v) != n {
			c.fail("number %d does not fit", n)
		}
	}
}

// word codes a text of a named type.
func word[T ~string](c *coder, v *T) {
	s := string(*v)
	c.text(&s)
	*v = T(s)
}

// value codes a value: its kind, then its content.
func (c *coder) value(v *sense.Value, depth int) {
	kind := v.Kind()
	num(c, &kind)
	if c.err != nil {
		return
	}
	switch kind {
	case sense.Null:
		*v = sense.NullValue()
	case sense.String:
		s := v.Str()
		c.text(&s)
		*v = sense.StringValue(s)
	case sense.Timestamp:
		t := v.Timestamp()
		c.instant(&t)
		*v = sense.TimestampValue(t)
	case sense.Position:
		p, accuracy := v.Point(), v.Accuracy()
		num(c, &p.Lat)
		num(c, &p.Lon)
		c.integer(&accuracy)
		*v = sense.PositionValue(p, accuracy)
	case sense.List:
		if depth > 0 {
			c.fail("a list of lists")
			return
		}
		list := v.List()
		listOf(c, &list, func(x *sense.Value) { c.value(x, depth+1) })
		*v = sense.ListValue(list)
	default:
		c.scalar(kind, v)
	}
}

// scalar codes what is one whole number inside.
func (c *coder) scalar(kind sense.Kind, v *sense.Value) {
	n := v.Int()
	c.integer(&n)
	switch kind {
	case sense.Bool:
		*v = sense.BoolValue(n != 0)
	case sense.Int:
		*v = sense.IntValue(n)
	case sense.Double:
		*v = sense.DoubleValue(math.Float64frombits(uint64(n)))
	case sense.Length:
		*v = sense.LengthValue(sense.Duration(n))
	case sense.Date:
		*v = sense.DateValue(n)
	case sense.Money:
		*v = sense.MoneyValue(n)
	default:
		c.fail("a value of kind %d", kind)
	}
}

func (c *coder) owner(o *event.Owner) {
	c.text(&o.Kind)
	c.text(&o.ID)
}
