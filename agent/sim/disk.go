package sim

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/profile"
)

// keys are the keys of the leases, durable at once. What is sealed is only marked as
// such: the world is about what can be read when, not about ciphers.
type keys map[engine.Handle]bool

func (k keys) Make(handles ...engine.Handle) error {
	for _, h := range handles {
		k[h] = true
	}
	return nil
}

func (k keys) Destroy(handles ...engine.Handle) error {
	for _, h := range handles {
		delete(k, h)
	}
	return nil
}

func (k keys) Has(h engine.Handle) bool { return k[h] }

func (k keys) Seal(h engine.Handle, about string, plain []byte) ([]byte, error) {
	if !k[h] && h != (engine.Handle{}) {
		return nil, fmt.Errorf("seal %s: %w", about, store.ErrNoKey)
	}
	return slices.Concat([]byte{'S'}, plain), nil
}

func (k keys) Open(h engine.Handle, about string, sealed []byte) ([]byte, error) {
	if !k[h] && h != (engine.Handle{}) {
		return nil, fmt.Errorf("open %s: %w", about, store.ErrNoKey)
	}
	return slices.Clone(sealed[1:]), nil
}

// clone copies a snapshot, which shares memory with the mind that gave it.
func clone(s engine.Snapshot) engine.Snapshot {
	s.Owned, s.Erased, s.Seen = slices.Clone(s.Owned), slices.Clone(s.Erased), slices.Clone(s.Seen)
	s.Fences.Fences = slices.Clone(s.Fences.Fences)
	s.Customers = slices.Clone(s.Customers)
	for k := range s.Customers {
		c := &s.Customers[k]
		c.Aliases, c.Pending, c.Slice = slices.Clone(c.Aliases), slices.Clone(c.Pending), cloneSlice(c.Slice)
	}
	return s
}

func cloneSlice(s profile.Slice) profile.Slice {
	s.Facts, s.Consents, s.Objections, s.Interactions = slices.Clone(s.Facts), slices.Clone(s.Consents), slices.Clone(s.Objections), slices.Clone(s.Interactions)
	s.Exposures, s.Folded = slices.Clone(s.Exposures), slices.Clone(s.Folded)
	for k := range s.Exposures {
		s.Exposures[k].Outcomes = slices.Clone(s.Exposures[k].Outcomes)
	}
	return s
}
