package hub

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// withdrawn lets go of the derived values that devices told of a customer under a consent that is taken
// back, unless another purpose still permits them: she never said them herself, and should she grant it
// again, they are worked out again.
func (s *step) withdrawn(id, purpose string, happened sense.Instant) error {
	person, ok, err := s.view.PersonOf(id)
	if err != nil || !ok {
		return err
	}
	ids, err := s.view.IDsOf(person)
	if err != nil {
		return err
	}
	all, err := s.known(ids)
	if err != nil {
		return err
	}
	for _, c := range all.Consents {
		if c.Purpose == purpose && c.Happened > happened {
			return nil // a later word stands
		}
	}
	bundles, err := s.inCharge()
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, b := range bundles {
		left := permitted(b, &all, s.now)
		for k := range b.Purposes {
			if b.Purposes[k].Name == purpose {
				left &^= 1 << uint(k)
			}
		}
		for _, d := range leaving(b) {
			_, named := gone[d.Name]
			gone[d.Name] = (gone[d.Name] || !named) && d.Purposes&left == 0
		}
	}
	entries, err := s.view.Entries(ids)
	if err != nil {
		return err
	}
	var rows []int64
	for _, e := range entries {
		if e.What == "fact" && gone[e.Name] && e.Happened <= happened {
			rows = append(rows, e.Row)
		}
	}
	if rows != nil {
		s.write(DropEntries{Rows: rows})
	}
	return nil
}

// leaving are the derived values of a bundle that devices tell.
func leaving(b *catalog.Bundle) (list []*catalog.Derived) {
	for k := range b.Derived {
		if b.Derived[k].Leaves {
			list = append(list, &b.Derived[k])
		}
	}
	return list
}
