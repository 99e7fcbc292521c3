package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// sleepingCustomer (sleeping_customer): who has not been here for years is not pursued. She may be
// asked once whether what is known of her still is right; safety and what is owed to her are said.
func sleepingCustomer(v *View, c Candidate) Verdict {
	a := c.Action
	if v.Slice == nil || v.Bundle.Sleeping <= 0 || v.Bundle.Sleeping == sense.Forever || awake(a) || confirmsFact(v.Bundle, a) >= 0 {
		return Verdict{}
	}
	if a.Intent != catalog.Sales && a.Intent != catalog.Entertainment && (v.Asked || c.Ambient) {
		return Verdict{}
	}
	last, ok := v.Slice.LastContact(v.Bundle, v.Now)
	if !ok || v.Now < last.Add(v.Bundle.Sleeping) {
		return Verdict{}
	}
	return v.refuse(catalog.SleepingCustomer, catalog.Because{
		Name: "last_contact", Value: sense.DateValue(v.Bundle.Zone.Day(last)), Age: v.Now.Sub(last), Needed: v.Room.Age("age < ", v.Bundle.Sleeping)})
}

// awake says whether an action is for sleeping customers as well.
func awake(a *catalog.Action) bool { return a.Intent == catalog.Safety || a.Intent == catalog.Recovery }
