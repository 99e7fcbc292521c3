package engine

import "github.com/tact-edge/tact/context/profile"

// What a thing takes in memory beside its texts, in bytes, about: its own fields and its share of the
// lists and tables that lead to it.
const (
	sizeCustomer = 1024
	sizeThing    = 160 // a fact, consent, interaction, contact
	sizeSmall    = 48  // a claim, outcome, budget, text
)

// sizeOf estimates how many bytes are held of a customer.
func sizeOf(s *CustomerState) int64 {
	n := sizeCustomer + len(s.Customer) + len(s.Person)
	for _, a := range s.Aliases {
		n += sizeSmall + len(a)
	}
	x := &s.Slice
	for k := range x.Facts {
		n += sizeOfFact(&x.Facts[k])
	}
	for k := range x.Consents {
		n += sizeThing + len(x.Consents[k].Text)
	}
	n += sizeSmall * (len(x.Objections) + len(x.Folded) + len(s.Budgets.List) + len(s.Told))
	for k := range s.Budgets.Each {
		e := &s.Budgets.Each[k]
		n += sizeSmall + sizeSmall*len(e.But)
	}
	for k := range x.Interactions {
		i := &x.Interactions[k]
		n += sizeThing + len(i.About) + len(i.Ref) + len(i.ID) + len(i.Source) + len(i.Value.String())
	}
	for k := range x.Exposures {
		e := &x.Exposures[k]
		n += sizeThing + len(e.Decision) + len(e.About) + sizeSmall*len(e.Outcomes)
	}
	n += sizeThing * (2*len(s.Pending) + len(s.Decided))
	return int64(n)
}

func sizeOfFact(f *profile.Fact) int {
	n := sizeThing + len(f.Source) + len(f.Owner) + len(f.Value.String())
	for k := range f.Claims {
		n += sizeSmall + sizeSmall + len(f.Claims[k].Source) + len(f.Claims[k].Value.String())
	}
	return n
}
