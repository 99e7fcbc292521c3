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
// fact has an owner, for that one of the owners which the customer is with.
func (s *Slice) Held(b *catalog.Bundle, k int32, owners []event.Owner, now sense.Instant) Held {
	d := &b.Facts[k]
	f := s.find(d, owners)
	if f == nil {
		return Held{Next: sense.Never}
	}
	c := f.holding(d, now)
	gone, stale := c.Happened.Add(d.Keep), c.Happened.Add(d.Fresh)
	if c.Value.IsNull() || now >= gone {
		return Held{Next: sense.Never}
	}
	h := Held{Present: true, Fresh: now < stale, Value: c.Value, Provenance: c.Provenance, Age: now.Sub(c.Happened), Next: gone}
	if h.Fresh && stale < gone {
		h.Next = stale
	}
	return h
}

// find looks for a declared fact: a customer's own, or that of the owner, of the only owner
// that such a fact is known of where none is named, or told of the customer directly.
func (s *Slice) find(d *catalog.Fact, owners []event.Owner) *Fact {
	if d.Owner != "" {
		owner := ""
		for _, o := range owners {
			if o.Kind == d.Owner {
				owner = o.ID
			}
		}
		for _, from := range []*Slice{s, s.Owned} {
			if from == nil {
				continue
			}
			if f := from.ofOwner(d.Name, owner); f != nil {
				return f
			}
		}
	}
	f, _ := s.Find(d.Name, "")
	return f
}

func (s *Slice) ofOwner(name, owner string) *Fact {
	var only *Fact
	for k := range s.Facts {
		f := &s.Facts[k]
		switch {
		case f.Name != name || f.Owner == "":
		case f.Owner == owner:
			return f
		case owner == "" && only == nil:
			only = f
		case owner == "":
			return nil // several, and nothing says which
		}
	}
	return only
}
