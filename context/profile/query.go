package profile

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Held is what the slice knows of one declared fact at an instant.
type Held struct {
	Present    bool // not missing, not past its retention
	Fresh      bool // not older than the fact's `fresh`
	Value      sense.Value
	Provenance event.Provenance
	Age        sense.Duration
	Next       sense.Instant // when time alone changes Present or Fresh; Never if it does not
}

// Held returns what is known of fact number k of the bundle, for the customer or, where the
// fact has an owner, for the owner's id.
func (s *Slice) Held(b *catalog.Bundle, k int32, owner string, now sense.Instant) Held {
	d := &b.Facts[k]
	if d.Owner == "" {
		owner = ""
	} else if owner == "" {
		return Held{Next: sense.Never}
	}
	f, ok := s.Find(d.Name, owner)
	if !ok || f.Value.IsNull() {
		return Held{Next: sense.Never}
	}
	gone, stale := f.Happened.Add(d.Keep), f.Happened.Add(d.Fresh)
	if now >= gone {
		return Held{Next: sense.Never}
	}
	h := Held{Present: true, Fresh: now < stale, Value: f.Value, Provenance: f.Provenance, Age: now.Sub(f.Happened), Next: gone}
	if h.Fresh && stale < gone {
		h.Next = stale
	}
	return h
}
