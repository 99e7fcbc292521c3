package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// qualityTooLow (quality_too_low): an action that asks for good data is not done on bad: on facts
// that are missing, old, or that the sources do not agree on.
func qualityTooLow(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Quality <= 0 || len(a.Reads) == 0 || v.Presence == Nobody {
		return Verdict{}
	}
	least, worst := catalog.One+1, int32(-1)
	for _, k := range a.Reads {
		q := catalog.Micro(0)
		if v.Slice != nil {
			q = v.Slice.Quality(v.Bundle, k, v.Owners, v.Now)
		}
		if q < least {
			least, worst = q, k
		}
	}
	if least >= a.Quality {
		return Verdict{}
	}
	return v.refuse(catalog.QualityTooLow, catalog.Because{
		Name: v.Bundle.Facts[worst].Name, Value: sense.MoneyValue(least), Age: catalog.NoAge, Needed: v.Room.Amount(">= ", a.Quality)})
}
