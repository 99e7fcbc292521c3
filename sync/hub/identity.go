package hub

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// maxCustomerID is the longest customer or owner id in bytes.
const maxCustomerID = 256

// validID refuses ids that no source means: empty, over-long, or with characters that do not print.
func validID(what, id string) error {
	if id == "" || len(id) > maxCustomerID || !utf8.ValidString(id) {
		return refuse("%s id of %d bytes: 1 to %d bytes of UTF-8 are allowed: %w", what, len(id), maxCustomerID, ErrInvalid)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return refuse("%s id %q has a character that does not print: %w", what, id, ErrInvalid)
		}
	}
	return nil
}

// person returns the name of the customer that an id belongs to: the id itself
// where it was never seen.
func (s *step) person(id string) (string, error) {
	p, ok, err := s.view.PersonOf(id)
	if err != nil || ok {
		return p, err
	}
	return id, nil
}

// ids returns all ids of the customer that an id belongs to.
func (s *step) ids(id string) ([]string, error) {
	p, ok, err := s.view.PersonOf(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []string{id}, nil
	}
	return s.view.IDsOf(p)
}

// meet makes sure that an id has a customer: an unknown one creates one.
func (s *step) meet(id string) error {
	_, ok, err := s.view.PersonOf(id)
	if err == nil && (!ok || s.back[id]) { // one who is back was a person before this step erased her
		s.write(PutPerson{ID: id, Person: id})
	}
	return err
}

// erasedAt returns since when a customer is erased, by what this step did as well; ok is false where not.
func (s *step) erasedAt(id string) (since sense.Instant, ok bool, err error) {
	if s.back[id] {
		return 0, false, nil
	}
	if since, ok := s.gone[id]; ok {
		return since, true, nil
	}
	return s.view.ErasedAt(s.hash("customer", id))
}

// notErased refuses what is said of an erased customer.
func (s *step) notErased(id string) error {
	_, erased, err := s.erasedAt(id)
	if err != nil {
		return err
	}
	if erased {
		return refuse("customer %q was forgotten, and nothing is taken until the customer acts again by card or login: %w", id, ErrErased)
	}
	return nil
}

// returned lifts an erasure: the customer acted again, by card or login, after it.
func (s *step) returned(id string, by event.By, at sense.Instant) (lifted bool, err error) {
	since, erased, err := s.erasedAt(id)
	if err != nil || !erased {
		return !erased, err
	}
	if by != event.ByCard && by != event.ByLogin || at <= since {
		return false, nil
	}
	s.write(DropErased{ID: s.hash("customer", id)})
	delete(s.gone, id)
	if s.back == nil {
		s.back = map[string]bool{}
	}
	s.back[id] = true
	return true, nil
}

// merge makes two ids one customer; the first one's name stays.
func (s *step) merge(into, from string, at sense.Instant) error {
	for _, id := range []string{into, from} {
		if err := s.notErased(id); err != nil {
			return err
		}
	}
	if into == from {
		return refuse("merge of %q with itself: %w", into, ErrInvalid)
	}
	name, err := s.person(into)
	if err != nil {
		return err
	}
	if err := s.meet(into); err != nil {
		return err
	}
	moved, err := s.ids(from)
	if err != nil {
		return err
	}
	for _, id := range moved {
		s.write(PutPerson{ID: id, Person: name})
	}
	s.write(PutMerge{Merge{Into: into, From: from, Happened: at}})
	s.out.touched.id(into)
	return nil
}

// split takes a merge back: what is known is kept under the ids it was told for,
// so that each customer gets back its own.
func (s *step) split(into, from string) error {
	ids, err := s.ids(into)
	if err != nil {
		return err
	}
	merges, err := s.view.MergesOf(ids)
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(merges), func(m Merge) bool {
		return m.Into == into && m.From == from || m.Into == from && m.From == into
	})
	if len(rest) == len(merges) {
		return refuse("split of %q and %q: they were not merged: %w", into, from, ErrInvalid)
	}
	away := reach(from, rest)
	if slices.Contains(away, into) {
		return refuse("split of %q and %q: other merges still make them one: %w", into, from, ErrInvalid)
	}
	name, err := s.person(into)
	if err != nil {
		return err
	}
	stay := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(away, id) })
	// The name stays with the side whose id it is.
	for _, side := range [][]string{stay, away} {
		called := side[0]
		switch {
		case slices.Contains(side, name):
			called = name
		case slices.Contains(side, from):
			called = from
		case slices.Contains(side, into):
			called = into
		}
		for _, id := range side {
			s.write(PutPerson{ID: id, Person: called})
		}
	}
	s.write(DropMerge{Into: into, From: from}, DropMerge{Into: from, From: into})
	s.out.touched.id(into)
	s.out.touched.id(from)
	return nil
}

// reach returns the ids that merges tie to id, in order.
func reach(id string, merges []Merge) []string {
	found := []string{id}
	for k := 0; k < len(found); k++ {
		for _, m := range merges {
			for _, pair := range [][2]string{{m.Into, m.From}, {m.From, m.Into}} {
				if pair[0] == found[k] && !slices.Contains(found, pair[1]) {
					found = append(found, pair[1])
				}
			}
		}
	}
	slices.Sort(found)
	return found
}
