package guard

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// outsidePreference (outside_preference): who said what interests her is not shown the rest, on any
// device; what she asks for herself is answered.
//
// An action's words are the type of its subject, each part of the id, the kinds of these, and its group.
// A preference with one_of governs the actions that have one of those words; one without governs all.
func outsidePreference(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Intent != catalog.Sales && a.Intent != catalog.Entertainment || v.askedFor(a) {
		return Verdict{}
	}
	for k := range v.Bundle.Facts {
		h, ok := preference(v, int32(k))
		if !ok {
			continue
		}
		d := &v.Bundle.Facts[k]
		governed, within := len(d.OneOf) == 0, false
		words(v.Bundle, a, func(word string) {
			governed = governed || slices.Contains(d.OneOf, word)
			within = within || holds(h.Value, word)
		})
		if governed && !within {
			return v.refuse(catalog.OutsidePreference, catalog.Because{Name: d.Name, Value: h.Value, Age: h.Age})
		}
	}
	return Verdict{}
}

// preference returns what is held of fact number k, what the customer wants; ok is false where that is none of
// her preferences, or not declared, or not fresh any more.
func preference(v *View, k int32) (h profile.Held, ok bool) {
	if !v.Bundle.Facts[k].Preference || v.Slice == nil {
		return h, false
	}
	h = v.Slice.Held(v.Bundle, k, v.Owners, v.Now)
	return h, h.Present && h.Fresh && h.Provenance == event.Declared
}

// holds says whether a word is a text, or one of a list of texts.
func holds(wanted sense.Value, word string) bool {
	if wanted.Kind() == sense.String {
		return wanted.Str() == word
	}
	for _, x := range wanted.List() {
		if x.Kind() == sense.String && x.Str() == word {
			return true
		}
	}
	return false
}

// words calls f for the words of an action.
func words(b *catalog.Bundle, a *catalog.Action, f func(word string)) {
	if a.Group >= 0 && int(a.Group) < len(b.Groups) {
		f(b.Groups[a.Group].Name)
	}
	if a.About == "" {
		return
	}
	f(a.About.Type())
	b.Lineage(a.About, func(name string) bool {
		f(name)
		return true
	})
	for part := range strings.SplitSeq(a.About.ID(), "/") {
		for range len(b.Subjects) + 1 {
			f(part)
			if part = b.KindOf(part); part == "" {
				break
			}
		}
	}
}
