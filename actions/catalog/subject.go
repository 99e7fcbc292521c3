package catalog

import (
	"strings"

	"github.com/tact-edge/tact/context/event"
)

// Subject returns what is declared of a subject's id or of a kind, nil where nothing is.
func (b *Bundle) Subject(id string) *SubjectInfo {
	return at(b.Subjects, indexOf(b.Subjects, id, func(s *SubjectInfo) string { return s.Name }))
}

// KindOf returns the kind that a subject's id, or a kind, belongs to, empty where none is declared.
func (b *Bundle) KindOf(id string) string {
	if s := b.Subject(id); s != nil {
		return s.Kind
	}
	return ""
}

// Lineage calls f for the id of a subject, for each of the ids that it lies below, and for the kinds of
// each, until f says no.
func (b *Bundle) Lineage(s event.Subject, f func(name string) bool) {
	for id := s.ID(); id != ""; id = id[:max(0, strings.LastIndexByte(id, '/'))] {
		name := id
		for range len(b.Subjects) + 1 { // kinds of kinds; a ring of them ends
			if !f(name) {
				return
			}
			if name = b.KindOf(name); name == "" {
				break
			}
		}
	}
}

// Sensitivity returns what a subject betrays of who is interested in it, empty where nothing: what is
// declared of it, of what it lies below, or of a kind of either.
func (b *Bundle) Sensitivity(s event.Subject) (why string) {
	b.Lineage(s, func(name string) bool {
		if d := b.Subject(name); d != nil {
			why = d.Sensitive
		}
		return why == ""
	})
	return why
}
