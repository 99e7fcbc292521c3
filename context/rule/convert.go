package rule

import (
	"strconv"

	"github.com/tact-edge/tact/context/sense"
)

// convert turns a value into one of another kind, as CEL does; ok is false where it has none.
func convert(c Code, a sense.Value) (v sense.Value, ok bool) {
	switch c {
	case ToDouble:
		if a.Kind() == sense.Int {
			return sense.DoubleValue(float64(a.Int())), true
		}
		f, err := strconv.ParseFloat(a.Str(), 64)
		return sense.RawDouble(f), err == nil
	case ToInt:
		return intOf(a)
	case ToText:
		return sense.StringValue(textOf(a)), true
	case ToBool:
		yes, err := strconv.ParseBool(a.Str())
		return sense.BoolValue(yes), err == nil
	case ToTimestamp:
		n, ok := mulInts(a.Int(), 1000)
		return whole(sense.Timestamp, n, ok)
	}
	if a.Kind() == sense.Int {
		n, ok := mulInts(a.Int(), 1_000_000)
		return sense.MoneyValue(n), ok
	}
	n, ok := cut(float64(a.Double() * 1e6))
	return sense.MoneyValue(n), ok
}

func intOf(a sense.Value) (v sense.Value, ok bool) {
	switch a.Kind() {
	case sense.Double:
		n, ok := toInt(a.Double())
		return sense.IntValue(n), ok
	case sense.Timestamp:
		return sense.IntValue(floorDiv(a.Int(), 1000)), true
	}
	n, err := strconv.ParseInt(a.Str(), 10, 64)
	return sense.IntValue(n), err == nil
}

func textOf(a sense.Value) string {
	switch a.Kind() {
	case sense.Bool:
		return strconv.FormatBool(a.Bool())
	case sense.Double:
		return strconv.FormatFloat(a.Double(), 'g', -1, 64)
	case sense.Length:
		seconds := a.Int() / 1000
		rest := a.Int() % 1000
		return strconv.FormatFloat(float64(seconds)+float64(rest*1_000_000)/1e9, 'f', -1, 64) + "s"
	case sense.Timestamp:
		return a.Timestamp().Time().Format("2006-01-02T15:04:05.999Z07:00")
	}
	return strconv.FormatInt(a.Int(), 10)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
