package scenario

import (
	"slices"
	"strings"
)

// told reads `a person is told NAME` and `a person is not told NAME`.
func (r *reader) told(e *expectation) {
	e.kind = expectTold
	if !r.is("person") || !r.is("is") {
		r.fail("a person is told NAME, or a person is not told NAME")
	}
	e.yes = !r.is("not")
	if !r.is("told") {
		r.fail("a person is told NAME, or a person is not told NAME")
	}
	e.name = r.next("what the person is told")
}

// tells looks whether a person who takes over was told something, on any device that the
// line speaks of, within the episode.
func (r *runner) tells(s *step) outcome {
	e := s.expect
	var told []string
	for _, v := range r.stage.views {
		if s.on == "" || s.on == v.name {
			told = append(told, v.told...)
		}
	}
	happened := "nothing is handed over to a person"
	if len(told) > 0 {
		happened = "the person is told " + strings.Join(told, ", ")
	}
	return outcome{ok: slices.Contains(told, e.name) == e.yes, happened: happened}
}
