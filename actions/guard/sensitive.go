package guard

import (
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// sensitiveSubject (sensitive_subject): what an action is about can betray somebody as well as the facts
// it reads. It needs an interest that she declared, or explicit consent, and neither on a shared identity
// or screen; or that she asked for it herself.
func sensitiveSubject(v *View, c Candidate) Verdict {
	a := c.Action
	what := sensitivity(v.Bundle, a.About)
	if what == "" || v.askedFor(a) {
		return Verdict{}
	}
	private := !v.Shared && (v.Slot == nil || !v.Slot.SharedScreen)
	if private && (a.Purpose >= 0 && explicit(v, &v.Bundle.Purposes[a.Purpose]) || interested(v, a)) {
		return Verdict{}
	}
	return refuse(catalog.SensitiveSubject, catalog.Because{Name: string(a.About), Value: sense.StringValue(what), Age: catalog.NoAge})
}

// sensitivity returns why a subject is sensitive, empty where it is not: it, what it lies below, or a kind of either.
func sensitivity(b *catalog.Bundle, s event.Subject) (why string) {
	if s == "" {
		return ""
	}
	lineage(b, s, func(name string) bool {
		if k := subjectNamed(b, name); k != nil && k.Sensitive != "" {
			why = k.Sensitive
		}
		return why == ""
	})
	return why
}

// interested says whether the customer declared the subject of an action, or a kind of it, among what she wants.
func interested(v *View, a *catalog.Action) (yes bool) {
	for k := range v.Bundle.Facts {
		wanted, ok := preference(v, int32(k))
		if !ok {
			continue
		}
		lineage(v.Bundle, a.About, func(name string) bool {
			yes = yes || holds(wanted, name)
			return !yes
		})
	}
	return yes
}

// lineage calls f for the id of a subject, for each of the ids that it lies below, and for the kinds of
// each, until f says no.
func lineage(b *catalog.Bundle, s event.Subject, f func(name string) bool) {
	for id := subjectID(s); id != ""; {
		name := id
		for range len(b.Subjects) + 1 { // kinds of kinds; a ring of them ends
			if !f(name) {
				return
			}
			if name = kindOfSubject(b, name); name == "" {
				break
			}
		}
		end := strings.LastIndexByte(id, '/')
		id = id[:max(end, 0)]
	}
}

func subjectNamed(b *catalog.Bundle, name string) *catalog.SubjectInfo {
	for k := range b.Subjects {
		if b.Subjects[k].Name == name {
			return &b.Subjects[k]
		}
	}
	return nil
}
