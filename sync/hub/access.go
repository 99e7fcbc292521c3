package hub

import (
	"github.com/tact-edge/tact/actions/catalog"
)

// Access asks for everything that is held of a customer: why, for what, since when and
// for how long, and where (GDPR art. 15).
type Access struct{ Customer string }

func (Access) input() {}

// Account answers an Access.
type Account struct {
	*Customer
	Key    Hash               // stands for the customer where she must not be named
	Bundle *catalog.Bundle    // of the tenant, which says what things are for; nil where none is in charge
	May    catalog.PurposeSet // of Bundle, for which her data may be used now
	Made   []Contacted        // contacts that devices made, in order of device and number
	Online map[string]bool    // the devices of Holdings
}

// access answers what is held of a customer, and where.
func (s *step) access(id string) (*Account, error) {
	c, err := s.look(id)
	if err != nil {
		return nil, err
	}
	a := &Account{Customer: c, Key: s.hash("customer", c.Customer), Online: map[string]bool{}}
	if a.Bundle, err = s.tenantBundle(); err != nil {
		return nil, err
	}
	if a.Bundle != nil {
		a.May = permitted(a.Bundle, &c.Slice, s.now)
	}
	if a.Made, err = s.view.Contacts(c.IDs); err != nil {
		return nil, err
	}
	for _, h := range c.Holdings {
		d, err := s.device(h.Device)
		if err != nil {
			return nil, err
		}
		a.Online[h.Device] = d.Online
	}
	return a, nil
}
