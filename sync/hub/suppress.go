package hub

import (
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// Suppressions asks who may not be approached now, and why: a Question put of every
// customer, for tools that work through a list. Customer is ignored.
type Suppressions struct {
	Question
	// Since leaves out those of whom nothing happened at or after it. Of the others the
	// answer is given whatever it is, so that a tool can take back what it held.
	// 0: everybody who may not be approached.
	Since sense.Instant
	After string // name of the last customer of the page before
	Limit int    // customers that are looked at, 1 to MaxSuppressions
}

func (Suppressions) input() {}

// MaxSuppressions is how many customers one page looks at.
const MaxSuppressions = 250

// SuppressedPage is a part of the answer.
type SuppressedPage struct {
	Customers []Suppressed // in order of name
	Next      string       // After of the next page; empty where this is the last
}

// Suppressed is one customer's verdict.
type Suppressed struct {
	Customer string // the hub's name
	IDs      []string
	Verdict
}

// suppressed answers a page. Whoever was forgotten is not in it: nothing names her any more.
func (s *step) suppressed(in Suppressions) (*SuppressedPage, error) {
	limit := min(max(in.Limit, 1), MaxSuppressions)
	people, err := s.view.People(in.After, limit)
	if err != nil {
		return nil, err
	}
	page := &SuppressedPage{}
	if len(people) == limit {
		page.Next = people[limit-1]
	}
	for _, name := range people {
		ids, err := s.view.IDsOf(name)
		if err != nil {
			return nil, err
		}
		if in.Since != 0 {
			if changed, err := s.happenedSince(ids, in.Since); err != nil {
				return nil, err
			} else if !changed {
				continue
			}
		}
		q := in.Question
		q.Customer = name
		v, err := s.may(q)
		if err != nil {
			return nil, err
		}
		if v.May && in.Since == 0 {
			continue
		}
		page.Customers = append(page.Customers, Suppressed{Customer: name, IDs: ids, Verdict: *v})
	}
	return page, nil
}

// happenedSince says whether anything happened with a customer at or after t.
func (s *step) happenedSince(ids []string, t sense.Instant) (bool, error) {
	entries, err := s.view.Entries(ids)
	if err != nil {
		return false, err
	}
	merges, err := s.view.MergesOf(ids)
	return slices.ContainsFunc(entries, func(e Entry) bool { return e.Happened >= t }) ||
		slices.ContainsFunc(merges, func(m Merge) bool { return m.Happened >= t }), err
}
