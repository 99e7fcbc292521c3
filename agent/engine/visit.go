package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// visit is what is counted of one visit: from identification or first presence until a while
// without either. It is the customer's, in whatever session she is served, else the session's.
type visit struct {
	since    sense.Instant // 0 where there is none
	seen     sense.Instant // last sign of it
	came     request       // what was asked for last
	requests []event.Subject
	question question
}

// request is what somebody asked for.
type request struct {
	at     sense.Instant // 0 where nothing was
	slot   string
	intent catalog.Intent
	about  event.Subject
}

// question is the one that was shown last in a visit.
type question struct {
	action   string
	decision string
	at       sense.Instant // 0 where none was shown
	before   sense.Instant // when another was shown before it; 0 where none was
	unusable bool          // the answer could not be used, and it was not asked again yet
	retried  bool          // it was asked again
}

// mostRequests bounds what is remembered of what was asked about in one visit.
const mostRequests = 16

// visit returns the visit of who is served.
func (s *session) visit() *visit {
	if s.customer != nil {
		return &s.customer.visit
	}
	return &s.own
}

// visitEnds returns when the visit of a session is over if nothing more is seen of it.
func (m *Mind) visitEnds(s *session) sense.Instant {
	if m.bundle == nil {
		return sense.Never
	}
	seen := s.visit().seen
	if s.kept() {
		seen = max(seen, m.before)
	}
	return seen.Add(m.bundle.VisitEnds)
}

// kept says whether a visit goes on with every step: the policy's end of session is certainly false where she is.
func (s *session) kept() bool {
	if s.customer != nil {
		return s.customer.keeps > 0
	}
	return s.present
}

// stay notes whether the visit of a session goes on with every step.
func (m *Mind) stay(s *session, present bool) {
	if s.present == present {
		return
	}
	s.present = present
	switch {
	case present && s.customer != nil:
		s.customer.keeps++
	case !present:
		m.seenUntilNow(s.visit())
		if s.customer != nil {
			s.customer.keeps--
		}
	}
}

// seenUntilNow writes down that a visit which went on with every step was seen in the last one.
func (m *Mind) seenUntilNow(v *visit) {
	if v.since != 0 {
		v.seen = max(v.seen, m.before)
	}
}

// visited takes a sign of the visit in a session; the first one begins it.
func (m *Mind) visited(s *session) {
	v := s.visit()
	if v.since == 0 || m.now >= m.visitEnds(s) {
		*v = m.beginVisit(s.customer)
	}
	v.seen = m.now
	if s.customer != nil {
		s.customer.met = true
	}
}

// beginVisit returns a new visit. After a restart it is pieced together from the contacts that lie
// closer together than a visit's end: what was asked in it stays asked.
func (m *Mind) beginVisit(c *customer) visit {
	v := visit{since: m.now}
	if c == nil || c.met || m.bundle == nil {
		return v
	}
	for k := len(c.Slice.Exposures) - 1; k >= 0; k-- {
		x := &c.Slice.Exposures[k]
		if x.At.Add(m.bundle.VisitEnds) <= v.since {
			break
		}
		v.since = x.At
		if x.Intent != catalog.Question.String() || x.Failed {
			continue
		}
		if v.question.at == 0 {
			v.question = question{action: x.Action, decision: x.Decision, at: x.At}
		} else if v.question.before == 0 {
			v.question.before = x.At
			v.question.retried = x.Action == v.question.action // it is not asked a third time
		}
	}
	return v
}

// meetVisit lets what was asked of whoever stands here count for who has just said who she is.
func (m *Mind) meetVisit(s *session) {
	own := s.own
	s.own = visit{}
	m.visited(s)
	if own.since == 0 || m.now >= own.seen.Add(m.bundle.VisitEnds) {
		return
	}
	v := &s.customer.visit
	v.since = min(v.since, own.since)
	if own.question.at > v.question.at {
		v.question = own.question
	}
}

// endVisits lets what was asked for be over with the visit.
func (m *Mind) endVisits() {
	e := m.bundle.SessionEnd
	for _, s := range m.attended {
		m.stay(s, e != nil && e.Ends != rule.None && m.moment.Truth(s.name, e.Ends) == rule.False)
		if s.present {
			m.visited(s)
		}
		v := s.visit()
		if v.since == 0 || m.now < m.visitEnds(s) {
			continue
		}
		s.again = s.again || s.hisGoal || v.holds()
		s.hisGoal = false
		if s.customer != nil && v.holds() {
			m.recall(s.customer)
		}
		*v = visit{}
	}
	m.before = m.now
}

// holds says whether something hangs on the visit that is over with it.
func (v *visit) holds() bool { return v.question.at != 0 || len(v.requests) > 0 }

// asked notes what somebody asked for, once it is answered, but for what is nobody's business.
func (m *Mind) asked(s *session, a request) {
	if m.sensitive(a.about) {
		return
	}
	v := s.visit()
	v.came = a
	if a.about == "" || slices.Contains(v.requests, a.about) {
		return
	}
	if len(v.requests) == mostRequests {
		v.requests = slices.Delete(v.requests, 0, 1)
	}
	v.requests = append(v.requests, a.about)
}

// questioned notes that a question was shown.
func (v *visit) questioned(action, decision string, at sense.Instant) {
	q := question{action: action, decision: decision, at: at, before: v.question.at}
	q.retried = v.question.unusable && v.question.action == action
	v.question = q
}

// renumber gives the question the name that its decision has now.
func (q *question) renumber(now map[string]*Decision) {
	if d := now[q.decision]; d != nil {
		q.decision = d.ID
	}
}
