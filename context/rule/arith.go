package rule

import (
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/sense"
)

// arithmeticKind returns the kind of a op b; ok is false where there is no such operation.
func arithmeticKind(c Code, a, b sense.Kind) (sense.Kind, bool) {
	switch c {
	case Neg:
		return a, a == sense.Int || a == sense.Double || a == sense.Length || a == sense.Money
	case Size:
		return sense.Int, a == sense.String || a == sense.List
	case ToDouble:
		return sense.Double, a == sense.Int || a == sense.String
	case ToInt:
		return sense.Int, a == sense.Double || a == sense.String || a == sense.Timestamp
	case ToText:
		return sense.String, a == sense.Bool || a == sense.Int || a == sense.Double || a == sense.Length || a == sense.Timestamp
	case ToBool:
		return sense.Bool, a == sense.String
	case ToTimestamp:
		return sense.Timestamp, a == sense.Int
	case ToMoney:
		return sense.Money, a == sense.Int || a == sense.Double
	}
	switch {
	case a == b && (a == sense.Int || a == sense.Double && c != Mod):
		return a, true
	case a == b && c == Add && (a == sense.String || a == sense.List):
		return a, true
	case a == b && (c == Add || c == Sub) && (a == sense.Length || a == sense.Money):
		return a, true
	case a == sense.Timestamp && b == sense.Length && (c == Add || c == Sub):
		return sense.Timestamp, true
	case a == sense.Length && b == sense.Timestamp && c == Add:
		return sense.Timestamp, true
	case a == b && a == sense.Timestamp && c == Sub:
		return sense.Length, true
	case a == sense.Money && (b == sense.Int || b == sense.Double) && (c == Mul || c == Div):
		return sense.Money, true
	case b == sense.Money && (a == sense.Int || a == sense.Double) && c == Mul:
		return sense.Money, true
	}
	return 0, false
}

// maxText and maxList bound what conditions put together, in bytes and in elements.
const (
	maxText = 64 << 10
	maxList = 1024
)

// What CEL holds: durations of 292 years, timestamps of the years 1 to 9999.
const (
	mostLength     = math.MaxInt64 / 1_000_000
	leastTimestamp = -62135596800_000
	mostTimestamp  = 253402300799_999
)

// bounds returns the least and the most that a value of a kind may be.
func bounds(k sense.Kind) (least, most int64) {
	switch k {
	case sense.Length:
		return -mostLength, mostLength
	case sense.Timestamp:
		return leastTimestamp, mostTimestamp
	}
	return math.MinInt64, math.MaxInt64
}

// arithmetic computes a op b; ok is false on overflow, on division by zero of whole
// numbers and of money, and on a number that no int holds. Doubles follow IEEE 754, as in CEL.
func arithmetic(c Code, kind sense.Kind, a, b sense.Value) (v sense.Value, ok bool) {
	switch c {
	case Size:
		if a.Kind() == sense.List {
			return sense.IntValue(int64(len(a.List()))), true
		}
		return sense.IntValue(int64(utf8.RuneCountInString(a.Str()))), true
	case ToDouble, ToInt, ToText, ToBool, ToTimestamp, ToMoney:
		return convert(c, a)
	case Neg:
		if a.Kind() == sense.Double {
			return sense.RawDouble(-a.Double()), true
		}
		return whole(kind, -a.Int(), a.Int() != math.MinInt64)
	}
	switch {
	case a.Kind() == sense.Double && b.Kind() == sense.Double:
		return sense.RawDouble(ofDoubles(c, a.Double(), b.Double())), true
	case a.Kind() == sense.String:
		if len(a.Str())+len(b.Str()) > maxText {
			return sense.Value{}, false
		}
		return sense.StringValue(a.Str() + b.Str()), true
	case a.Kind() == sense.List:
		if len(a.List())+len(b.List()) > maxList {
			return sense.Value{}, false
		}
		return sense.ListValue(append(append(make([]sense.Value, 0, len(a.List())+len(b.List())), a.List()...), b.List()...)), true
	case a.Kind() == sense.Double: // times money
		n, ok := cut(float64(a.Double() * float64(b.Int())))
		return whole(kind, n, ok)
	case b.Kind() == sense.Double: // money times or by a double
		f := float64(a.Int())
		if c == Mul {
			f = float64(f * b.Double())
		} else if b.Double() == 0 {
			return sense.Value{}, false
		} else {
			f /= b.Double()
		}
		n, ok := cut(f)
		return whole(kind, n, ok)
	}
	n, ok := ofInts(c, a.Int(), b.Int())
	return whole(kind, n, ok)
}

// cut drops the fraction of a number of micro-units. What lies within a double's own rounding of a
// whole number is that number: 100 times 2.3 is 230.
func cut(f float64) (int64, bool) {
	if near := sense.Round(f); math.Abs(f-near) <= float64(math.Abs(f)*(1.0/(1<<50))) {
		f = near
	}
	return toInt(f)
}

func whole(k sense.Kind, n int64, ok bool) (sense.Value, bool) {
	least, most := bounds(k)
	ok = ok && n >= least && n <= most
	switch k {
	case sense.Length:
		return sense.LengthValue(sense.Duration(n)), ok
	case sense.Timestamp:
		return sense.TimestampValue(sense.Instant(n)), ok
	case sense.Money:
		return sense.MoneyValue(n), ok
	}
	return sense.IntValue(n), ok
}

func ofDoubles(c Code, a, b float64) float64 {
	switch c {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return float64(a * b)
	}
	return a / b
}

func ofInts(c Code, a, b int64) (int64, bool) {
	switch c {
	case Add:
		return addInts(a, b)
	case Sub:
		n := a - b
		return n, (n < a) == (b > 0)
	case Mul:
		return mulInts(a, b)
	case Div:
		if b == 0 || a == math.MinInt64 && b == -1 {
			return 0, false
		}
		return a / b, true
	}
	if b == 0 || a == math.MinInt64 && b == -1 {
		return 0, false
	}
	return a % b, true
}

func addInts(a, b int64) (int64, bool) {
	n := a + b
	return n, (n > a) == (b > 0)
}

func mulInts(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return int64(-lo), lo <= 1<<63
	}
	return int64(lo), lo < 1<<63
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// toInt truncates a double; ok is false where no int holds it, at the bounds that CEL has.
func toInt(f float64) (int64, bool) {
	if !(f > -(1<<63) && f < 1<<63) {
		return 0, false
	}
	return int64(f), true
}
