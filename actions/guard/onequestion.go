package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// oneQuestionAVisit (one_question_a_visit): a visit is no interrogation. An answer that could not be
// used is asked for once more, by the same question.
func oneQuestionAVisit(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Question || v.Questioned == 0 || v.Standing != "" || v.Retry && v.lastQuestion(c.Action) {
		return Verdict{}
	}
	return v.refuse(catalog.OneQuestionAVisit, catalog.Because{Name: "questioned", Value: sense.TimestampValue(v.Questioned), Age: v.Now.Sub(v.Questioned)})
}

// lastQuestion says whether no other question was shown to the customer since an action was, in this visit.
func (v *View) lastQuestion(a *catalog.Action) bool {
	if v.Slice == nil {
		return true // nobody knows of any other
	}
	for n := len(v.Slice.Exposures) - 1; n >= 0; n-- {
		x := &v.Slice.Exposures[n]
		if x.At < v.VisitSince {
			break
		}
		if v.counts(x) && x.Intent == catalog.Question.String() {
			return x.Action == a.Name
		}
	}
	return true
}
