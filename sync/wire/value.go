package wire

import (
	"github.com/tact-edge/tact/context/sense"
	"github.com/tinylib/msgp/msgp"
)

// maxList is the longest list value.
const maxList = 1024

// Value is a sense.Value on the wire: an array of its kind and its content.
type Value struct{ sense.Value }

// ValueOf wraps v.
func ValueOf(v sense.Value) Value { return Value{v} }

// MarshalMsg appends v. Kinds are numbered as in package sense.
func (v Value) MarshalMsg(b []byte) ([]byte, error) {
	k := v.Kind()
	switch k {
	case sense.Null:
		return msgp.AppendNil(b), nil
	case sense.Position:
		p := v.Point()
		b = msgp.AppendArrayHeader(b, 4)
		b = msgp.AppendUint8(b, uint8(k))
		b = msgp.AppendInt32(b, p.Lat)
		b = msgp.AppendInt32(b, p.Lon)
		return msgp.AppendInt64(b, v.Accuracy()), nil
	case sense.List:
		l := v.List()
		if len(l) > maxList {
			return b, tooLarge("list", len(l), maxList)
		}
		b = msgp.AppendArrayHeader(b, uint32(1+len(l)))
		b = msgp.AppendUint8(b, uint8(k))
		for _, x := range l {
			var err error
			if b, err = (Value{x}).MarshalMsg(b); err != nil {
				return b, err
			}
		}
		return b, nil
	}
	b = msgp.AppendArrayHeader(b, 2)
	b = msgp.AppendUint8(b, uint8(k))
	switch k {
	case sense.Bool:
		return msgp.AppendBool(b, v.Bool()), nil
	case sense.Double:
		return msgp.AppendFloat64(b, v.Double()), nil
	case sense.String:
		return msgp.AppendString(b, v.Str()), nil
	}
	return msgp.AppendInt64(b, v.Int()), nil
}

// UnmarshalMsg reads what MarshalMsg wrote.
func (v *Value) UnmarshalMsg(b []byte) ([]byte, error) { return v.read(b, MaxDepth) }

func (v *Value) read(b []byte, depth int) ([]byte, error) {
	*v = Value{}
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	if depth == 0 {
		return b, tooLarge("depth", MaxDepth+1, MaxDepth)
	}
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if n == 0 || n > maxList+1 {
		return b, tooLarge("value", int(n), maxList+1)
	}
	k, b, err := msgp.ReadUint8Bytes(b)
	if err != nil {
		return b, err
	}
	kind, want := sense.Kind(k), uint32(2)
	switch kind {
	case sense.Position:
		want = 4
	case sense.List:
		want = n
	}
	if kind == sense.Null || kind > sense.List || n != want {
		return b, errKind(k, n)
	}
	switch kind {
	case sense.Bool:
		var x bool
		x, b, err = msgp.ReadBoolBytes(b)
		v.Value = sense.BoolValue(x)
	case sense.Double:
		var x float64
		x, b, err = msgp.ReadFloat64Bytes(b)
		v.Value = sense.DoubleValue(x)
	case sense.String:
		var x string
		x, b, err = msgp.ReadStringBytes(b)
		v.Value = sense.StringValue(x)
	case sense.Position:
		return v.readPosition(b)
	case sense.List:
		return v.readList(b, int(n)-1, depth)
	default:
		var x int64
		x, b, err = msgp.ReadInt64Bytes(b)
		v.Value = whole(kind, x)
	}
	return b, err
}

func (v *Value) readPosition(b []byte) ([]byte, error) {
	lat, b, err := msgp.ReadInt32Bytes(b)
	if err != nil {
		return b, err
	}
	lon, b, err := msgp.ReadInt32Bytes(b)
	if err != nil {
		return b, err
	}
	acc, b, err := msgp.ReadInt64Bytes(b)
	v.Value = sense.PositionValue(sense.Point{Lat: lat, Lon: lon}, acc)
	return b, err
}

func (v *Value) readList(b []byte, n, depth int) ([]byte, error) {
	if n > len(b) { // each element takes at least a byte
		return b, msgp.ErrShortBytes
	}
	l := make([]sense.Value, n)
	var x Value // one for all: it escapes
	for k := range l {
		var err error
		if b, err = x.read(b, depth-1); err != nil {
			return b, err
		}
		l[k] = x.Value
	}
	v.Value = sense.ListValue(l)
	return b, nil
}

// whole makes the kinds that are one integer.
func whole(k sense.Kind, x int64) sense.Value {
	switch k {
	case sense.Length:
		return sense.LengthValue(sense.Duration(x))
	case sense.Timestamp:
		return sense.TimestampValue(sense.Instant(x))
	case sense.Date:
		return sense.DateValue(x)
	case sense.Money:
		return sense.MoneyValue(x)
	}
	return sense.IntValue(x)
}

// Msgsize is an upper bound of the encoded size.
func (v Value) Msgsize() int {
	n := 2 + msgp.Int64Size + 2*msgp.Int32Size + msgp.StringPrefixSize + len(v.Str())
	for _, x := range v.List() {
		n += Value{x}.Msgsize()
	}
	return n
}
