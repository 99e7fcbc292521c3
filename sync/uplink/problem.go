package uplink

import "github.com/tact-edge/tact/context/sense"

// tally counts the problems of one code, so that whoever makes them by the thousand
// fills no log: one is told now and then, with how many there were.
type tally struct {
	code   string
	next   sense.Instant // before then nothing is told
	count  int           // not told yet
	detail string        // of the newest of them
}

// problemEvery is how often a problem of a code is told.
func problemEvery(code string) sense.Duration {
	switch code {
	case ProblemDuplicate:
		return sense.Hour
	case ProblemMessage: // the device's count of them is looked at while somebody sends them
		return 5 * sense.Second
	}
	return sense.Minute
}

// problem books one, and tells it where its code was not told of late. There are as many
// tallies as codes, all of this package's.
func (s *Session) problem(code, detail string) {
	var t *tally
	for k := range s.tallies {
		if s.tallies[k].code == code {
			t = &s.tallies[k]
		}
	}
	if t == nil {
		s.tallies = append(s.tallies, tally{code: code})
		t = &s.tallies[len(s.tallies)-1]
	}
	t.count++
	t.detail = detail
	s.tell(t)
}

func (s *Session) tell(t *tally) {
	if t.count == 0 || s.now < t.next {
		return
	}
	s.out.Up = append(s.out.Up, Problem{Code: t.code, Detail: t.detail, Count: t.count})
	t.count, t.detail, t.next = 0, "", s.now.Add(problemEvery(t.code))
}

// tellRest tells what was held back, once it may be.
func (s *Session) tellRest() {
	for k := range s.tallies {
		s.tell(&s.tallies[k])
	}
}
