package hub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// declared checks what a line says against the bundles in charge, and returns
// how long it is kept: the longest that one of them allows.
func (s *step) declared(e *event.Event, what, name string) (keep sense.Duration, err error) {
	bundles, err := s.inCharge()
	if err != nil {
		return 0, err
	}
	if len(bundles) == 0 || what == "restrict" {
		return sense.Forever, nil
	}
	var why error
	found := false
	for _, b := range bundles {
		k, err := declaredIn(b, e.Body, name, s.now)
		switch {
		case err == nil && !found:
			keep, found = k, true
		case err == nil:
			keep = max(keep, k)
		case why == nil:
			why = err
		}
	}
	if !found {
		return 0, refusal{why}
	}
	return keep, nil
}

// declaredIn checks a line against one bundle.
func declaredIn(b *catalog.Bundle, body event.Body, name string, now sense.Instant) (sense.Duration, error) {
	switch body := body.(type) {
	case *event.Fact:
		for k := range b.Facts {
			if b.Facts[k].Name == name {
				return keepIn(b, "fact", name), fitsFact(&b.Facts[k], body, now)
			}
		}
		for k := range b.Derived {
			if d := &b.Derived[k]; d.Name == name && d.Leaves {
				return keepIn(b, "fact", name), fitsDerived(d, body)
			}
		}
		return 0, unknown(b, "fact", name, "facts")
	case *event.Interaction:
		if k := kindOf(b, name); k != nil {
			return keepIn(b, "interaction", k.Name), nil
		}
		return 0, unknown(b, "interaction", name, "interactions")
	}
	for k := range b.Purposes {
		if b.Purposes[k].Name == name {
			return sense.Forever, nil
		}
	}
	return 0, unknown(b, "purpose", name, "purposes")
}

// keepIn is how long a bundle lets a fact, a derived value that left its device, or a kind of interaction be kept: not at all where it does not
// declare it, or where the law took the basis of all its purposes away.
func keepIn(b *catalog.Bundle, what, name string) sense.Duration {
	if what == "interaction" {
		if k := kindOf(b, name); k != nil && hasBasis(b, k.Purposes) {
			return k.Keep
		}
		return 0
	}
	for k := range b.Facts {
		if f := &b.Facts[k]; f.Name == name && hasBasis(b, f.Purposes) {
			return f.Keep
		}
	}
	for k := range b.Derived {
		if d := &b.Derived[k]; d.Name == name && d.Leaves && hasBasis(b, d.Purposes) {
			return d.Keep
		}
	}
	return 0
}

func unknown(b *catalog.Bundle, what, name, section string) error {
	return fmt.Errorf("%s %q is not declared in policy %s@%d: nothing is kept without a purpose; declare it under `%s`, or do not send it: %w",
		what, name, b.Name, b.Version, section, ErrInvalid)
}

// fitsFact checks a fact line against its declaration.
func fitsFact(d *catalog.Fact, f *event.Fact, now sense.Instant) error {
	if d.Owner == "" && f.Owner != "" {
		return fmt.Errorf("fact %q is a customer's, not an owner's: %w", d.Name, ErrInvalid)
	}
	if d.Owner != "" && f.Owner == "" {
		return fmt.Errorf("fact %q belongs to a %s: give `owner` instead of `customer`: %w", d.Name, d.Owner, ErrInvalid)
	}
	switch _, err := d.Accept(f.Value, f.Provenance, now); {
	case errors.Is(err, catalog.ErrSpecialInferred):
		return fmt.Errorf("%w: %w", ErrInferred, err)
	case errors.Is(err, ErrInvalid):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// fitsDerived checks what a device tells of a value that it derived: observed, of a customer, and of
// the type that the policy gives it.
func fitsDerived(d *catalog.Derived, f *event.Fact) error {
	switch _, err := f.Value.As(d.Kind); {
	case f.Owner != "" || f.Provenance != event.Observed:
		return fmt.Errorf("%q is derived on a device, of a customer, and observed: nobody else tells it: %w", d.Name, ErrInvalid)
	case err != nil:
		return fmt.Errorf("derived value %q: %w: %w", d.Name, ErrInvalid, err)
	}
	return nil
}

func kindOf(b *catalog.Bundle, name string) *catalog.Kind {
	for k := range b.Kinds {
		if b.Kinds[k].Name == name {
			return &b.Kinds[k]
		}
	}
	return nil
}

// mostBundles is how many decoded bundles a mind remembers.
const mostBundles = 64

// bundle returns a published bundle, decoded; nil where there is none.
func (s *step) bundle(sha256 string) (*catalog.Bundle, error) {
	if b := s.bundles[sha256]; b != nil || sha256 == "" {
		return b, nil
	}
	row, ok, err := s.view.Bundle(sha256)
	if err != nil || !ok {
		return nil, err
	}
	b, err := catalog.Decode(row.File)
	if err != nil {
		return nil, fmt.Errorf("read bundle %s@%d again: %w", row.Name, row.Version, err)
	}
	if len(s.bundles) >= mostBundles {
		clear(s.bundles)
	}
	s.bundles[sha256] = b
	return b, nil
}

// inCharge returns the bundles that are wanted anywhere, the tenant's first.
func (s *step) inCharge() ([]*catalog.Bundle, error) {
	wants, err := s.view.Wants()
	if err != nil {
		return nil, err
	}
	var list []*catalog.Bundle
	for _, w := range wants {
		b, err := s.bundle(w.SHA256)
		if err != nil {
			return nil, err
		}
		if b != nil && !slices.Contains(list, b) {
			list = append(list, b)
		}
	}
	return list, nil
}

// tenantBundle returns the bundle of the whole tenant, else the first that is wanted anywhere; nil where there is none.
func (s *step) tenantBundle() (*catalog.Bundle, error) {
	list, err := s.inCharge()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}
