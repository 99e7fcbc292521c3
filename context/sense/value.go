package sense

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind is the type of a value, as declared in a policy.
type Kind uint8

const (
	Null      Kind = iota
	Bool           // bool
	Int            // int: 64 bits, signed
	Double         // double: IEEE 754
	String         // string: UTF-8
	Position       // position: degrees x 1e7, accuracy in millimetres
	Length         // duration: whole milliseconds
	Timestamp      // timestamp: an Instant
	Date           // date: days since 1970-01-01
	Money          // money: micro-units of the policy's currency
	List           // list<T>
)

var kindNames = [...]string{"null", "bool", "int", "double", "string", "position", "duration", "timestamp", "date", "money", "list"}

func (k Kind) String() string { return kindNames[k] }

// ParseKind reads the name of a scalar kind; list<T> is the policy's business.
func ParseKind(s string) (Kind, bool) {
	for k := Bool; k < List; k++ {
		if kindNames[k] == s {
			return k, true
		}
	}
	return Null, false
}

// Value is one typed value. Values compare by Equal; the zero Value is null.
type Value struct {
	kind Kind
	num  int64 // bool, int, double bits, milliseconds, days, micro-units; position: latitude<<32 | longitude
	aux  int64 // position: accuracy in millimetres, -1 where the source gave none
	str  string
	list []Value
}

func NullValue() Value               { return Value{} }
func IntValue(n int64) Value         { return Value{kind: Int, num: n} }
func StringValue(s string) Value     { return Value{kind: String, str: s} }
func LengthValue(d Duration) Value   { return Value{kind: Length, num: int64(d)} }
func TimestampValue(i Instant) Value { return Value{kind: Timestamp, num: int64(i)} }
func DateValue(days int64) Value     { return Value{kind: Date, num: days} }
func MoneyValue(micro int64) Value   { return Value{kind: Money, num: micro} }
func ListValue(l []Value) Value      { return Value{kind: List, list: l} }

func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// DoubleValue keeps f; minus zero becomes zero, so that equal numbers have equal bits.
func DoubleValue(f float64) Value {
	if f == 0 {
		f = 0
	}
	return Value{kind: Double, num: int64(math.Float64bits(f))}
}

// RawDouble keeps f as it is, minus zero too: what divides by it has another sign.
func RawDouble(f float64) Value { return Value{kind: Double, num: int64(math.Float64bits(f))} }

// NoAccuracy marks a position whose source said nothing of its accuracy.
const NoAccuracy = -1

// Point is a place on the earth in WGS 84.
type Point struct {
	Lat, Lon int32 // degrees x 1e7
}

// PositionValue makes a position; accuracy in millimetres or NoAccuracy.
func PositionValue(p Point, accuracy int64) Value {
	return Value{kind: Position, num: int64(p.Lat)<<32 | int64(uint32(p.Lon)), aux: accuracy}
}

func (v Value) Kind() Kind         { return v.kind }
func (v Value) IsNull() bool       { return v.kind == Null }
func (v Value) Bool() bool         { return v.num != 0 }
func (v Value) Int() int64         { return v.num }
func (v Value) Double() float64    { return math.Float64frombits(uint64(v.num)) }
func (v Value) Str() string        { return v.str }
func (v Value) Length() Duration   { return Duration(v.num) }
func (v Value) Timestamp() Instant { return Instant(v.num) }
func (v Value) List() []Value      { return v.list }

// Point returns the place of a position.
func (v Value) Point() Point { return Point{Lat: int32(v.num >> 32), Lon: int32(uint32(v.num))} }

// Accuracy returns the accuracy of a position in millimetres, or NoAccuracy.
func (v Value) Accuracy() int64 { return v.aux }

// Equal says whether two values are the same value of the same kind. A double
// that is not a number equals nothing.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case Double:
		return v.Double() == w.Double()
	case List:
		if len(v.list) != len(w.list) {
			return false
		}
		for k := range v.list {
			if !v.list[k].Equal(w.list[k]) {
				return false
			}
		}
		return true
	}
	return v.num == w.num && v.aux == w.aux && v.str == w.str
}

// Compare orders two values of one ordered kind: -1, 0 or 1; ok is false for
// different or unordered kinds, and for a double that is not a number.
func (v Value) Compare(w Value) (order int, ok bool) {
	if v.kind != w.kind {
		return 0, false
	}
	switch v.kind {
	case Bool, Int, Length, Timestamp, Date, Money:
		switch {
		case v.num < w.num:
			return -1, true
		case v.num > w.num:
			return 1, true
		}
		return 0, true
	case Double:
		a, b := v.Double(), w.Double()
		switch {
		case a < b:
			return -1, true
		case a > b:
			return 1, true
		case a == b:
			return 0, true
		}
		return 0, false
	case String:
		return strings.Compare(v.str, w.str), true
	}
	return 0, false
}

// As converts v to the declared kind where nothing is lost or guessed: int to
// double, a whole double to int, text to date, timestamp and duration, a number to money.
// A value that does not fit is an error that says what was expected.
func (v Value) As(k Kind) (Value, error) {
	if v.kind == k || v.kind == Null {
		return v, nil
	}
	switch {
	case k == Double && v.kind == Int:
		return DoubleValue(float64(v.num)), nil
	case k == Int && v.kind == Double:
		if f := v.Double(); f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return IntValue(int64(f)), nil
		}
	case k == Money && v.kind == Int:
		if m := v.num * 1_000_000; m/1_000_000 == v.num {
			return MoneyValue(m), nil
		}
	case k == Money && v.kind == Double:
		m, err := ParseMicro(strconv.FormatFloat(v.Double(), 'f', -1, 64))
		if err == nil {
			return MoneyValue(m), nil
		}
	case k == Date && v.kind == String:
		d, err := ParseDate(v.str)
		if err != nil {
			return Value{}, err
		}
		return DateValue(d), nil
	case k == Timestamp && v.kind == String:
		i, err := ParseInstant(v.str)
		if err != nil {
			return Value{}, err
		}
		return TimestampValue(i), nil
	case k == Length && v.kind == String:
		d, err := ParseDuration(v.str)
		if err != nil {
			return Value{}, err
		}
		return LengthValue(d), nil
	}
	return Value{}, fmt.Errorf("%s is of type %s, not %s", v, v.kind, k)
}

// String prints v as JSON.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

// AppendJSON appends v as one JSON value: timestamps, dates and durations as
// text, money and doubles as plain numbers without exponent.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case Bool:
		return strconv.AppendBool(b, v.num != 0)
	case Int:
		return strconv.AppendInt(b, v.num, 10)
	case Double:
		f := v.Double()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(b, "null"...)
		}
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	case String:
		return AppendText(b, v.str)
	case Position:
		p := v.Point()
		b = append(b, `{"lat":`...)
		b = AppendMicro(b, int64(p.Lat), 7)
		b = append(b, `,"lon":`...)
		b = AppendMicro(b, int64(p.Lon), 7)
		if v.aux != NoAccuracy {
			b = append(b, `,"accuracy":`...)
			b = AppendMicro(b, v.aux, 3)
		}
		return append(b, '}')
	case Length:
		return AppendText(b, v.Length().String())
	case Timestamp:
		return AppendText(b, v.Timestamp().String())
	case Date:
		return AppendText(b, FormatDate(v.num))
	case Money:
		return AppendMicro(b, v.num, 6)
	case List:
		b = append(b, '[')
		for k, x := range v.list {
			if k > 0 {
				b = append(b, ',')
			}
			b = x.AppendJSON(b)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// AppendText appends s as a JSON string without HTML escaping.
func AppendText(b []byte, s string) []byte {
	if plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plain says whether a text stands in JSON as it is.
func plain(s string) bool {
	for k := range len(s) {
		if c := s[k]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// AppendMicro appends n/10^places without exponent or trailing zeros.
func AppendMicro(b []byte, n int64, places int) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	var room [20]byte
	digits := strconv.AppendUint(room[:0], u, 10)
	whole := max(len(digits)-places, 0)
	if whole == 0 {
		b = append(b, '0')
	}
	b = append(b, digits[:whole]...)
	frac := digits[whole:]
	for len(frac) > 0 && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if len(frac) == 0 {
		return b
	}
	b = append(b, '.')
	for range places - (len(digits) - whole) {
		b = append(b, '0')
	}
	return append(b, frac...)
}

// ParseMicro reads a plain decimal number exactly, as millionths. More than six
// places, an exponent or an overflow is an error.
func ParseMicro(s string) (int64, error) {
	bad := fmt.Errorf("number %q is not a plain decimal of at most 6 places", s)
	text := strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(text, ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" || len(frac) > 6 {
		return 0, bad
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 63)
	if err != nil {
		return 0, bad
	}
	if s[0] == '-' {
		return -int64(n), nil
	}
	return int64(n), nil
}

// ParseJSON reads one JSON value: a whole number becomes an int, any other a
// double, an object with lat and lon a position. Objects of another shape,
// and numbers that no double or int holds, are errors.
func ParseJSON(raw []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		return Value{}, fmt.Errorf("value is not JSON: %w", err)
	}
	return fromAny(x)
}

func fromAny(x any) (Value, error) {
	switch x := x.(type) {
	case nil:
		return Value{}, nil
	case bool:
		return BoolValue(x), nil
	case string:
		return StringValue(x), nil
	case json.Number:
		if n, err := strconv.ParseInt(string(x), 10, 64); err == nil {
			return IntValue(n), nil
		}
		f, err := x.Float64()
		if err != nil {
			return Value{}, fmt.Errorf("number %s does not fit", x)
		}
		return DoubleValue(f), nil
	case []any:
		l := make([]Value, len(x))
		for k := range x {
			v, err := fromAny(x[k])
			if err != nil {
				return Value{}, err
			}
			l[k] = v
		}
		return ListValue(l), nil
	case map[string]any:
		return positionOf(x)
	}
	return Value{}, fmt.Errorf("value of type %T is not understood", x)
}

func positionOf(m map[string]any) (Value, error) {
	bad := fmt.Errorf(`an object value must be a position: {"lat":52.09,"lon":5.12,"accuracy":15}`)
	read := func(key string) (float64, bool) {
		n, ok := m[key].(json.Number)
		if !ok {
			return 0, false
		}
		f, err := n.Float64()
		return f, err == nil
	}
	lat, ok1 := read("lat")
	lon, ok2 := read("lon")
	accuracy, hasAccuracy := m["accuracy"]
	want := 2
	if hasAccuracy {
		want = 3
	}
	if !ok1 || !ok2 || len(m) != want {
		return Value{}, bad
	}
	if lat < -90 || lat > 90 || lon < -180 || lon > 180 {
		return Value{}, fmt.Errorf("position %v, %v is not on the earth", lat, lon)
	}
	mm := int64(NoAccuracy)
	if hasAccuracy && accuracy != nil {
		a, ok := read("accuracy")
		if !ok || a < 0 || a > 1e9 {
			return Value{}, bad
		}
		mm = int64(Round(float64(a * 1000)))
	}
	return PositionValue(PointOf(lat, lon), mm), nil
}

// PointOf rounds degrees to 1e-7.
func PointOf(lat, lon float64) Point {
	return Point{Lat: int32(Round(float64(lat * 1e7))), Lon: int32(Round(float64(lon * 1e7)))}
}

// Round rounds half away from zero, with operations that are exact on every chip.
func Round(f float64) float64 {
	if f < 0 {
		return -math.Floor(-f + 0.5)
	}
	return math.Floor(f + 0.5)
}
