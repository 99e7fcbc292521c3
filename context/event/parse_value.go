package event

import (
	"fmt"
	"strconv"

	"github.com/tact-edge/tact/context/sense"
)

// value reads a value that must be there, null included.
func (f *fields) value(key string) sense.Value {
	raw := f.raw(key)
	if raw == nil {
		f.missing(key)
		return sense.Value{}
	}
	v, err := valueOf(raw)
	if err != nil {
		f.fail("%s: %w", key, err)
	}
	return v
}

// valueOf reads one well-formed JSON value: a number without point and
// exponent that fits 64 bits is an int, any other a double, an object a position.
func valueOf(raw []byte) (sense.Value, error) {
	switch raw[0] {
	case 'n':
		return sense.NullValue(), nil
	case 't', 'f':
		return sense.BoolValue(raw[0] == 't'), nil
	case '"':
		s, err := unquote(raw)
		return sense.StringValue(string(s)), err
	case '{':
		return positionOf(raw)
	case '[':
		return listOf(raw)
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return sense.IntValue(n), nil
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return sense.Value{}, fmt.Errorf("number %s does not fit", quote(raw))
	}
	return sense.DoubleValue(x), nil
}

func listOf(raw []byte) (sense.Value, error) {
	list := []sense.Value{}
	s := scanner{b: raw}
	err := s.list(1, func(raw []byte) error {
		v, err := valueOf(raw)
		list = append(list, v)
		return err
	})
	if err != nil {
		return sense.Value{}, err
	}
	return sense.ListValue(list), nil
}

// maxAccuracy is the widest accuracy of a position in metres; more says nothing on this earth.
const maxAccuracy = 1e9

func positionOf(raw []byte) (sense.Value, error) {
	s := scanner{b: raw}
	list, err := s.whole()
	if err != nil {
		return sense.Value{}, err
	}
	f := fields{list: list}
	f.only("lat", "lon", "accuracy")
	lat := f.number("lat", -90, 90)
	lon := f.number("lon", -180, 180)
	accuracy := int64(sense.NoAccuracy)
	if f.given("accuracy") != nil {
		accuracy = int64(sense.Round(float64(f.number("accuracy", 0, maxAccuracy) * 1000)))
	}
	if f.err != nil {
		return sense.Value{}, fmt.Errorf(`%w (an object is a position: {"lat":52.09,"lon":5.12,"accuracy":15})`, f.err)
	}
	return sense.PositionValue(sense.PointOf(lat, lon), accuracy), nil
}

// number reads a number between two bounds.
func (f *fields) number(key string, from, to float64) float64 {
	raw := f.given(key)
	if raw == nil {
		f.missing(key)
		return 0
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || x < from || x > to {
		f.fail("%s is %s, expected a number from %.0f to %.0f", key, quote(raw), from, to)
		return 0
	}
	return x
}
