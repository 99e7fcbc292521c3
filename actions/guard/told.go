package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// notTold: what was inferred, or came from somebody else, gives no one the right to act on
// it until the customer has declared it.
func notTold(v *View, c Candidate) Verdict {
	if c.Ambient || v.Slice == nil {
		return Verdict{}
	}
	third := Verdict{}
	for _, name := range c.Action.Uses {
		for k := range v.Bundle.Facts {
			f := &v.Bundle.Facts[k]
			if f.Name != name {
				continue
			}
			h := v.Slice.Held(v.Bundle, int32(k), v.Owners, v.Now)
			because := catalog.Because{Name: name, Value: sense.StringValue(h.Provenance.String()), Age: h.Age}
			switch {
			case h.Present && h.Provenance == event.Inferred:
				return refuse(catalog.InferredNotTold, because)
			case h.Present && h.Provenance == event.ThirdParty && third.OK():
				third = refuse(catalog.ThirdPartyNotTold, because)
			}
		}
	}
	return third
}
