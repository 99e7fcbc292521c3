package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// asksFact returns the fact that a question asks for, confirms the one that it asks to confirm; -1
// where the action does not.
func asksFact(a *catalog.Action) int32 {
	if a.Intent != catalog.Question {
		return -1
	}
	return a.Asks
}

func confirmsFact(b *catalog.Bundle, a *catalog.Action) int32 {
	if a.Intent != catalog.Question || len(b.Facts) == 0 {
		return -1
	}
	return a.Confirms
}

// alreadyKnown (already_known): nobody is asked twice for what she told, in whatever channel. What
// has gone stale may be asked for once more, and whether it still is right only while it is in doubt.
// What was inferred or comes from others is not known.
func alreadyKnown(v *View, c Candidate) Verdict {
	if v.Slice == nil {
		return Verdict{}
	}
	a := c.Action
	if k := confirmsFact(v.Bundle, a); k >= 0 {
		h := v.Slice.Held(v.Bundle, k, v.Owners, v.Now)
		if !h.Present || !h.Fresh || !told(h.Provenance) {
			return Verdict{}
		}
		d := v.refuse(catalog.AlreadyKnown, catalog.Because{Name: v.Bundle.Facts[k].Name, Value: h.Value, Age: h.Age})
		d.Until = h.Next
		return d
	}
	k := asksFact(a)
	if k < 0 || len(v.Bundle.Facts) == 0 {
		return Verdict{}
	}
	h := v.Slice.Held(v.Bundle, k, v.Owners, v.Now)
	switch {
	case !h.Present || !told(h.Provenance):
		return Verdict{}
	case h.Fresh:
		d := v.refuse(catalog.AlreadyKnown, catalog.Because{Name: v.Bundle.Facts[k].Name, Value: h.Value, Age: h.Age})
		d.Until = h.Next
		return d
	}
	if v.Retry && v.lastQuestion(a) {
		return Verdict{} // the same question once more: the answer to it could not be used
	}
	stale := (v.Now - sense.Instant(h.Age)).Add(v.Bundle.Facts[k].Fresh)
	for n := range v.Slice.Exposures {
		x := &v.Slice.Exposures[n]
		if v.counts(x) && max(x.At, x.Shown) >= stale && x.Intent == catalog.Question.String() && asksSame(v.Bundle, x.Action, k) {
			d := v.refuse(catalog.AlreadyKnown, catalog.Because{Name: "stale_answer", Value: h.Value, Age: h.Age}, named(v.Bundle.Facts[k].Name))
			d.Until = h.Next
			return d
		}
	}
	return Verdict{}
}

// asksSame says whether the action of that name is a question for a fact.
func asksSame(b *catalog.Bundle, action string, fact int32) bool {
	a := b.Action(action)
	return a != nil && asksFact(a) == fact
}
