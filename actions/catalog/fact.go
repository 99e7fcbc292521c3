package catalog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Why a fact is refused on entry.
var (
	// ErrInvalidValue: not of the declared type, or none of one_of.
	ErrInvalidValue = errors.New("invalid_value")
	// ErrSpecialInferred: what is special is declared by the customer, or not known.
	ErrSpecialInferred = errors.New("special_inferred")
	// ErrProvenance: the policy does not take the fact from there.
	ErrProvenance = errors.New("provenance not taken")
)

// Accept returns a value of the fact in its declared type, or why it is refused. A null value
// retracts the fact and is always taken.
func (d *Fact) Accept(v sense.Value, p event.Provenance) (sense.Value, error) {
	switch {
	case v.IsNull():
		return v, nil
	case d.Special != "" && p == event.Inferred:
		return v, fmt.Errorf("fact %q: %w: what is special (%s) is declared or not known", d.Name, ErrSpecialInferred, d.Special)
	case len(d.From) > 0 && !slices.Contains(d.From, p):
		return v, fmt.Errorf("fact %q: %w: the policy takes %v, not %s", d.Name, ErrProvenance, d.From, p)
	case d.Kind != sense.List:
		return d.accept(d.Kind, v)
	case v.Kind() != sense.List:
		return v, fmt.Errorf("fact %q: %w: %s is a %s, not a list", d.Name, ErrInvalidValue, v, v.Kind())
	}
	typed := make([]sense.Value, len(v.List()))
	for k, x := range v.List() {
		one, err := d.accept(d.Elem, x)
		if err != nil {
			return v, err
		}
		typed[k] = one
	}
	return sense.ListValue(typed), nil
}

func (d *Fact) accept(kind sense.Kind, v sense.Value) (sense.Value, error) {
	typed, err := v.As(kind)
	if err != nil {
		return v, fmt.Errorf("fact %q: %w: %w", d.Name, ErrInvalidValue, err)
	}
	if len(d.OneOf) > 0 && !slices.Contains(d.OneOf, typed.Str()) {
		return v, fmt.Errorf("fact %q: %w: %s is none of %v", d.Name, ErrInvalidValue, v, d.OneOf)
	}
	return typed, nil
}
