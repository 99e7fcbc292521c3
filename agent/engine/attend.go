package engine

import (
	"container/heap"
	"slices"
	"strings"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// A step looks at the sessions in which something happened, in it or in the step before, and at those for which
// time has come to something: what it costs does not grow with the sessions in which nothing did. Looking at one
// more changes nothing.

// attend lets this step look at a session, and at those that share a visit with it.
func (m *Mind) attend(s *session) {
	if s.fresh || s.gone {
		return
	}
	s.fresh = true
	if !s.attended {
		s.attended = true
		k, _ := slices.BinarySearchFunc(m.attended, s.name, func(o *session, name string) int { return strings.Compare(o.name, name) })
		m.attended = slices.Insert(m.attended, k, s)
	}
	if s.customer != nil {
		m.attendTo(s.customer)
	}
}

// attendTo lets this step look at the sessions in which a customer is served.
func (m *Mind) attendTo(c *customer) {
	for _, s := range c.in {
		m.attend(s)
	}
}

// attendAll lets this step look at every session.
func (m *Mind) attendAll() {
	for _, s := range m.sessions {
		m.attend(s)
	}
}

// judgeAgain lets a session be judged again at the end of this step.
func (m *Mind) judgeAgain(s *session) {
	s.again = true
	m.attend(s)
}

// after returns the place behind a session that stood at place k of those that are looked at, which may have
// become more since.
func (m *Mind) after(k int, s *session) int {
	for m.attended[k] != s {
		k++
	}
	return k + 1
}

// attendDue lets this step look at the sessions for which time has come to something.
func (m *Mind) attendDue() {
	for m.looks.next() <= m.now {
		s := m.looks.list[0]
		m.looks.put(s, sense.Never)
		m.attend(s)
	}
	if e := m.bundle.SessionEnd; e != nil && e.Ends != rule.None && m.now >= m.before.Add(m.bundle.VisitEnds) {
		m.attendAll() // nobody's visit has been seen for so long
	}
}

// attendTurned lets this step look at the sessions in which a condition turned, and judge them again: something
// rests on each that is told of.
func (m *Mind) attendTurned() {
	m.moment.Concerned(func(name string) {
		if s := m.open(name); s != nil {
			m.judgeAgain(s)
		}
	})
	if e := m.bundle.SessionEnd; e != nil && e.Ends != rule.None {
		if device, _ := m.moment.Flipped(""); slices.Contains(device, e.Ends) {
			m.attendAll()
		}
	}
}

// dismiss forgets a session that is open no more.
func (m *Mind) dismiss(s *session) {
	m.looks.put(s, sense.Never)
	m.wakes.put(s, sense.Never)
	m.awaitEnd(s, false)
	if s.attended {
		m.attended = slices.DeleteFunc(m.attended, func(o *session) bool { return o == s })
	}
	s.attended, s.gone = false, true
}

// carry keeps those for the next step in which something happened in this one, or which any step may concern.
func (m *Mind) carry() {
	next := m.attended[:0]
	for _, s := range m.attended {
		s.attended = s.fresh || s.again || s.stale || s.restless || s.overdue
		s.fresh = false
		if s.attended {
			next = append(next, s)
		}
	}
	clear(m.attended[len(next):])
	m.attended = next
}

// schedule works out when something in a session happens by itself, for which somebody must wake the mind, and
// when a step must look at it if there is one by then.
func (m *Mind) schedule(s *session) {
	wake, look := sense.Never, sense.Never
	s.overdue = false
	soon := func(t sense.Instant) {
		if t > m.now {
			wake = min(wake, t)
		} else {
			s.overdue = true
		}
	}
	later := func(t sense.Instant) {
		if t > m.now {
			look = min(look, t)
		}
	}
	soon(s.lapse)
	for _, x := range s.shown {
		if x != nil {
			soon(x.until)
		}
	}
	for _, a := range s.served {
		if u := s.memory[a]; u.armed != 0 {
			soon(u.armed)
		}
	}
	v := s.visit()
	waits := s.hisGoal || v.holds()
	switch {
	case s.kept():
	case waits:
		soon(m.visitEnds(s))
	case v.since != 0:
		later(m.visitEnds(s))
	}
	m.awaitEnd(s, s.kept() && waits)
	if e := m.bundle.SessionEnd; e != nil {
		somebody := s.customer != nil || s.showsSomething()
		switch {
		case s.ended:
		case somebody:
			soon(s.endsSince.Add(e.After))
		default:
			later(s.endsSince.Add(e.After))
		}
		if s.customer != nil {
			soon(s.since.Add(e.AtMost))
		}
	}
	if s.customer != nil {
		soon(s.quietTurn)
		if m.bundle.Strikes != nil {
			later(s.customer.strikeTurn)
		}
	}
	m.wakes.put(s, wake)
	m.looks.put(s, min(wake, look))
}

// awaitEnd counts the sessions that wait for the end of a visit which goes on as long as steps are made.
func (m *Mind) awaitEnd(s *session, yes bool) {
	switch {
	case yes && !s.staying:
		m.staying++
	case !yes && s.staying:
		m.staying--
	}
	s.staying = yes
}

// agenda are the sessions in order of an instant of theirs: a heap.
type agenda struct {
	of   int // which of the session's instants
	list []*session
}

// What a session has two instants for.
const (
	wakes = iota
	looks
)

// entry is a session's place in an agenda; a session is in it while at is not Never.
type entry struct {
	at    sense.Instant
	place int
}

func (a *agenda) Len() int           { return len(a.list) }
func (a *agenda) Less(x, y int) bool { return a.list[x].due[a.of].at < a.list[y].due[a.of].at }
func (a *agenda) Swap(x, y int) {
	a.list[x], a.list[y] = a.list[y], a.list[x]
	a.list[x].due[a.of].place, a.list[y].due[a.of].place = x, y
}
func (a *agenda) Push(x any) {
	s := x.(*session)
	s.due[a.of].place = len(a.list)
	a.list = append(a.list, s)
}
func (a *agenda) Pop() any {
	last := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = nil
	a.list = a.list[:len(a.list)-1]
	return last
}

// next returns the earliest instant, Never where there is none.
func (a *agenda) next() sense.Instant {
	if len(a.list) == 0 {
		return sense.Never
	}
	return a.list[0].due[a.of].at
}

// put enters a session for an instant; Never takes it out.
func (a *agenda) put(s *session, at sense.Instant) {
	e := &s.due[a.of]
	before := e.at
	switch e.at = at; {
	case at == before:
	case before == sense.Never:
		heap.Push(a, s)
	case at == sense.Never:
		e.at = before
		heap.Remove(a, e.place)
		e.at = at
	default:
		heap.Fix(a, e.place)
	}
}
