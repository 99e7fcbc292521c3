package hub

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Customer is what the hub knows of a customer, for people.
type Customer struct {
	Customer string // the hub's name
	IDs      []string
	Slice    profile.Slice
	Contacts []Contact
	Holdings []Holding // devices that hold a slice, or did
}

// Contact is one time that the company approached the customer in a channel of its own.
type Contact struct {
	Ref, Channel string
	About        event.Subject
	Happened     sense.Instant
	Answered     sense.Instant // 0 while it is not
	By           string        // the kind and channel that answered it
}

// look answers what is known of a customer.
func (s *step) look(id string) (*Customer, error) {
	if err := validID("customer", id); err != nil {
		return nil, err
	}
	if err := s.notErased(id); err != nil {
		return nil, err
	}
	name, ok, err := s.view.PersonOf(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse("customer %q is not known", id)
	}
	ids, err := s.view.IDsOf(name)
	if err != nil {
		return nil, err
	}
	known, err := s.known(ids)
	if err != nil {
		return nil, err
	}
	known.Customer = name
	b, err := s.tenantBundle()
	if err != nil {
		return nil, err
	}
	holdings, err := s.view.HoldingsOf(ids)
	if err != nil {
		return nil, err
	}
	return &Customer{Customer: name, IDs: ids, Slice: known, Contacts: contacts(b, &known), Holdings: holdings}, nil
}

// contacts lists the company's own contacts and what answered them: an
// interaction of another kind, in any channel, with the same ref.
func contacts(b *catalog.Bundle, s *profile.Slice) []Contact {
	if b == nil {
		return nil
	}
	isContact := func(kind string) bool {
		k := kindOf(b, kind)
		return k != nil && k.Means == catalog.MeansContacted
	}
	var list []Contact
	for n := range s.Interactions {
		i := &s.Interactions[n]
		if !isContact(i.Kind) {
			continue
		}
		c := Contact{Ref: i.Ref, Channel: i.Channel, About: i.About, Happened: i.Happened}
		for m := n + 1; m < len(s.Interactions) && i.Ref != ""; m++ {
			if j := &s.Interactions[m]; j.Ref == i.Ref && !isContact(j.Kind) {
				c.Answered, c.By = j.Happened, j.Kind
				if j.Channel != "" {
					c.By += " (" + j.Channel + ")"
				}
				break
			}
		}
		list = append(list, c)
	}
	return list
}

// known folds everything that is known under ids into one slice. What does not
// depend on who is who is folded as it comes; of consents, objections and
// restrictions the stricter holds at the moment of a merge, and the newer after it.
func (s *step) known(ids []string) (profile.Slice, error) {
	all, _, err := s.knownAndTold(ids)
	return all, err
}

// knownAndTold says of each word as well which handle of which device it came from; the zero holder where
// a source told it, or several did.
func (s *step) knownAndTold(ids []string) (all profile.Slice, told map[word]holder, err error) {
	entries, err := s.view.Entries(ids)
	if err != nil {
		return all, nil, err
	}
	told = make(map[word]holder, len(entries))
	words := map[string][]event.Event{} // consents and the like, by id, in order of Happened
	for k := range entries {
		e, err := entries[k].event()
		if err != nil {
			return all, nil, err
		}
		w, from := wordOf(&e), holder{entries[k].Device, entries[k].Handle}
		if old, had := told[w]; had && old != from {
			from = holder{}
		}
		if w != (word{}) {
			told[w] = from
		}
		switch e.Body.(type) {
		case *event.Consent, *event.Objection, *event.Restrict:
			words[entries[k].ID] = append(words[entries[k].ID], e)
		default:
			if err := all.Fold(&e); err != nil {
				return all, nil, err
			}
		}
	}
	var merges []Merge
	if len(ids) > 1 {
		if merges, err = s.view.MergesOf(ids); err != nil {
			return all, nil, err
		}
	}
	spoken, err := lastWords(ids, words, merges)
	if err != nil {
		return all, nil, err
	}
	all.Consents, all.Objections = spoken.Consents, spoken.Objections
	all.Restricted, all.RestrictedAt = spoken.Restricted, spoken.RestrictedAt
	return all, told, nil
}

// event reads an entry's line.
func (e *Entry) event() (event.Event, error) {
	x, err := event.ParseLine(e.Line)
	if err != nil {
		return x, fmt.Errorf("read entry %d: %w", e.Row, err)
	}
	x.Happened = e.Happened // a line without a time of its own is of instant 0
	return x, nil
}

// lastWords goes through the merges in order of time: up to each the two sides
// have their own words, at it the stricter of each purpose is the word of both.
func lastWords(ids []string, words map[string][]event.Event, merges []Merge) (profile.Slice, error) {
	side := map[string]*profile.Slice{} // several ids may share one
	for _, id := range ids {
		side[id] = &profile.Slice{}
	}
	told := map[string][]event.Event{}
	for id, list := range words { // order: each key apart
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b event.Event) int { return compare(a.Happened, b.Happened) })
		told[id] = list
	}
	upTo := func(t sense.Instant) error {
		for _, id := range ids {
			list := told[id]
			for len(list) > 0 && (list[0].Happened <= t || t == sense.Never) {
				if err := side[id].Fold(&list[0]); err != nil {
					return err
				}
				list = list[1:]
			}
			told[id] = list
		}
		return nil
	}
	for _, m := range merges {
		a, b := side[m.Into], side[m.From]
		if a == nil || b == nil || a == b {
			continue
		}
		if err := upTo(m.Happened); err != nil {
			return profile.Slice{}, err
		}
		one := stricter(a, b)
		for _, id := range ids {
			if side[id] == a || side[id] == b {
				side[id] = one
			}
		}
	}
	if err := upTo(sense.Never); err != nil {
		return profile.Slice{}, err
	}
	// A merge between ids that share no merge here cannot be: but a name that has
	// words and no merge must not be forgotten either.
	result := &profile.Slice{}
	for _, id := range ids {
		result = stricter(result, side[id])
	}
	return *result, nil
}

// stricter joins two customers' words: withdrawn over denied over granted over
// none, an objection and a restriction over none.
func stricter(a, b *profile.Slice) *profile.Slice {
	if a == b {
		return a
	}
	one := &profile.Slice{Restricted: a.Restricted || b.Restricted, RestrictedAt: max(a.RestrictedAt, b.RestrictedAt)}
	one.Consents = join(a.Consents, b.Consents, func(c profile.Consent) string { return c.Purpose }, func(x, y profile.Consent) profile.Consent {
		w := x
		if x.Granted && !y.Granted || x.Granted == y.Granted && y.Granted && y.Expires < x.Expires {
			w = y
		}
		if x.Granted == y.Granted {
			w.Ever = x.Ever || y.Ever
		}
		w.Happened = max(x.Happened, y.Happened)
		return w
	})
	one.Objections = join(a.Objections, b.Objections, func(o profile.Objection) string { return o.Purpose }, func(x, y profile.Objection) profile.Objection {
		w := x
		if y.Raised && !x.Raised {
			w = y
		}
		w.Happened = max(x.Happened, y.Happened)
		return w
	})
	return one
}

// join unites two lists in order of key, two of one key by f.
func join[T any](a, b []T, key func(T) string, f func(x, y T) T) []T {
	var out []T
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && key(a[0]) < key(b[0]):
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || key(b[0]) < key(a[0]):
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, f(a[0], b[0])), a[1:], b[1:]
		}
	}
	return out
}
