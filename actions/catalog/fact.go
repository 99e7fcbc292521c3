package catalog

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Why a fact is refused on entry.
var (
	// ErrInvalidValue: not of the declared type, out of bounds, ahead of its time, not of its
	// format, or none of one_of.
	ErrInvalidValue = errors.New("invalid_value")
	// ErrSpecialInferred: what is special is declared by the customer, or not known.
	ErrSpecialInferred = errors.New("special_inferred")
	// ErrProvenance: the policy does not take the fact from there.
	ErrProvenance = errors.New("provenance not taken")
)

// FactQuietHours is the fact in which a customer declares her own quiet hours: "22:00-08:00", or
// a list of such.
const FactQuietHours = "quiet_hours"

// aheadOfUTC is how far the calendar of the easternmost zone is ahead.
const aheadOfUTC = 14 * sense.Hour

// Accept returns a value of the fact in its declared type, or why it is refused. A null value
// retracts the fact and is always taken. now is the instant against which in_past is judged: what
// is past somewhere on earth is taken; sense.Never, where nobody knows the time, takes any.
func (d *Fact) Accept(v sense.Value, p event.Provenance, now sense.Instant) (sense.Value, error) {
	switch {
	case v.IsNull():
		return v, nil
	case d.Special != "" && p == event.Inferred:
		return v, fmt.Errorf("fact %q: %w: what is special (%s) is declared or not known", d.Name, ErrSpecialInferred, d.Special)
	case len(d.From) > 0 && !slices.Contains(d.From, p):
		return v, fmt.Errorf("fact %q: %w: the policy takes %v, not %s", d.Name, ErrProvenance, d.From, p)
	case d.Kind != sense.List:
		return d.accept(d.Kind, v, now, "")
	case v.Kind() != sense.List:
		return v, fmt.Errorf("fact %q: %w: %s is a %s, not a list", d.Name, ErrInvalidValue, v, v.Kind())
	}
	typed := make([]sense.Value, len(v.List()))
	for k, x := range v.List() {
		one, err := d.accept(d.Elem, x, now, fmt.Sprintf(" element %d", k+1))
		if err != nil {
			return v, err
		}
		typed[k] = one
	}
	return sense.ListValue(typed), nil
}

func (d *Fact) accept(kind sense.Kind, v sense.Value, now sense.Instant, place string) (sense.Value, error) {
	typed, err := v.As(kind)
	if err != nil {
		return v, fmt.Errorf("fact %q%s: %w: %w", d.Name, place, ErrInvalidValue, err)
	}
	if len(d.OneOf) > 0 && !slices.Contains(d.OneOf, typed.Str()) {
		return v, fmt.Errorf("fact %q%s: %w: %s is none of %v", d.Name, place, ErrInvalidValue, v, d.OneOf)
	}
	if why := d.why(typed, now); why != "" {
		return v, fmt.Errorf("fact %q%s: %w: %s %s", d.Name, place, ErrInvalidValue, v, why)
	}
	return typed, nil
}

// why says what is wrong with a value of the declared type; empty where nothing is.
func (d *Fact) why(v sense.Value, now sense.Instant) string {
	switch k := v.Kind(); k {
	case sense.Int, sense.Double, sense.Money:
		if !d.between(v) {
			return "is not " + d.bounds()
		}
	case sense.Date, sense.Timestamp:
		if d.InPast && ahead(v, now) {
			return "lies ahead, and what the fact tells of is past"
		}
	case sense.String:
		if d.Format != "" && !hasFormat(v.Str(), d.Format) {
			return "is no " + formatWords(d.Format)
		}
		if _, ok := ParseHours(v.Str()); d.Name == FactQuietHours && !ok {
			return "is no range of hours, as in 22:00-08:00"
		}
	}
	return ""
}

// between says whether a number lies within the bounds of the fact; what is no number does not.
func (d *Fact) between(v sense.Value) bool {
	if d.Least == 0 && d.Most == 0 { // declared without bounds
		return v.Kind() != sense.Double || v.Double() == v.Double()
	}
	switch v.Kind() {
	case sense.Int:
		// In whole units: n >= Least/1e6 rounded up, n <= Most/1e6 rounded down, so that nothing overflows.
		least, most := d.Least/One, d.Most/One
		if d.Least > 0 && d.Least%One != 0 {
			least++
		}
		if d.Most < 0 && d.Most%One != 0 {
			most--
		}
		return (d.Least == math.MinInt64 || v.Int() >= least) && (d.Most == math.MaxInt64 || v.Int() <= most)
	case sense.Double:
		// The quotient of two whole numbers is the double nearest to it, as is the same number when it is parsed.
		f := v.Double()
		return f == f && (d.Least == math.MinInt64 || f >= float64(d.Least)/float64(One)) &&
			(d.Most == math.MaxInt64 || f <= float64(d.Most)/float64(One))
	}
	return d.Least <= v.Int() && v.Int() <= d.Most
}

func (d *Fact) bounds() string {
	least, most := string(sense.AppendMicro(nil, d.Least, 6)), string(sense.AppendMicro(nil, d.Most, 6))
	switch {
	case d.Least == math.MinInt64 && d.Most == math.MaxInt64:
		return "a number"
	case d.Least == math.MinInt64:
		return "at most " + most
	case d.Most == math.MaxInt64:
		return "at least " + least
	}
	return "between " + least + " and " + most
}

// ahead says whether a date or timestamp certainly lies in the future.
func ahead(v sense.Value, now sense.Instant) bool {
	if now == sense.Never {
		return false
	}
	if v.Kind() == sense.Date {
		return v.Int() > sense.UTC.Day(now.Add(aheadOfUTC))
	}
	return v.Timestamp() > now
}
