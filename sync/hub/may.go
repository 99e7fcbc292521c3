package hub

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// Question asks whether a channel of its own may approach a customer: a mailing
// tool that cannot decide can at least ask. Purpose is optional.
type Question struct {
	Customer string
	About    event.Subject
	Intent   catalog.Intent
	Channel  string
	Purpose  string
}

// Verdict is the answer. Until is given where time alone lifts the reason, else 0.
type Verdict struct {
	May    bool
	Reason catalog.Reason
	Until  sense.Instant
}

// may answers a question from what is known now.
func (s *step) may(q Question) (*Verdict, error) {
	if err := validID("customer", q.Customer); err != nil {
		return nil, err
	}
	if q.Intent == 0 {
		return nil, refuse("intent is missing: sales, service, information, question, safety, recovery, handoff or entertainment: %w", ErrInvalid)
	}
	if q.About != "" && !q.About.Valid() {
		return nil, refuse("about %q is not type:id, as in product:model-x: %w", q.About, ErrInvalid)
	}
	b, err := s.tenantBundle()
	if err != nil {
		return nil, err
	}
	if b == nil {
		return &Verdict{Reason: catalog.NoPolicy}, nil
	}
	ids, err := s.ids(q.Customer)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, erased, err := s.view.ErasedAt(s.hash("customer", id)); err != nil {
			return nil, err
		} else if erased {
			return &Verdict{Reason: catalog.Erased}, nil
		}
	}
	known, err := s.known(ids)
	if err != nil {
		return nil, err
	}
	name, err := s.person(q.Customer)
	if err != nil {
		return nil, err
	}
	view := &guard.View{Bundle: b, Now: s.now, Presence: guard.Here, Slice: &known, Customer: name,
		By: event.ByStaff, Channel: q.Channel, Asked: true, AskIntent: q.Intent, Clock: sense.ClockSynced}
	action := synthetic(b, q)
	c := guard.Candidate{Action: action}
	v := guard.Verdict{}
	if q.Purpose != "" {
		if action.Purpose < 0 {
			return nil, refuse("purpose %q is not declared in policy %s@%d: %w", q.Purpose, b.Name, b.Version, ErrInvalid)
		}
		v = guard.Legal(view, c)
	} else {
		v = refusedBy(view, c)
	}
	if v.OK() {
		// As in mailings nobody asks for, the subject counts as not asked for.
		view.AskIntent = 0
		if action.Intent == catalog.Sales {
			view.AskIntent = catalog.Sales
		}
		v = guard.Judge(view, c)
	}
	answer := &Verdict{May: v.OK(), Reason: v.Reason}
	if !v.OK() && v.Until != sense.Never && v.Until > s.now {
		answer.Until = v.Until
	}
	return answer, nil
}

// synthetic is the action that a question asks about. It aims at a goal where
// an action of the policy about the same does.
func synthetic(b *catalog.Bundle, q Question) *catalog.Action {
	a := &catalog.Action{Name: "may", Intent: q.Intent, About: q.About, Purpose: -1, Group: -1, Before: -1, Measure: -1,
		Until: sense.Never, Partner: -1, Asks: -1, Confirms: -1, Serves: -1}
	for k := range b.Purposes {
		if b.Purposes[k].Name == q.Purpose {
			a.Purpose = int32(k)
		}
	}
	for k := range b.Actions {
		if g := b.Actions[k].Goal; g != "" && q.About != "" && (g.Covers(q.About) || q.About.Covers(g)) {
			a.Goal = q.About
		}
	}
	return a
}

// refusedBy judges without a purpose in the question: the customer's own no to
// every purpose that the policy's actions of that intent rest on, and a
// restriction. That nothing was said is left to the tool that asks.
func refusedBy(view *guard.View, c guard.Candidate) guard.Verdict {
	no := guard.Verdict{}
	for k := range view.Bundle.Actions {
		a := &view.Bundle.Actions[k]
		if a.Intent != c.Action.Intent || a.Purpose < 0 {
			continue
		}
		on := *c.Action
		on.Purpose = a.Purpose
		v := guard.Legal(view, guard.Candidate{Action: &on})
		if v.OK() || v.Reason == catalog.ConsentUnknown {
			return restricted(view.Slice, c)
		}
		if no.OK() {
			no = v
		}
	}
	if no.OK() {
		return restricted(view.Slice, c)
	}
	return no
}

// restricted holds everything but safety back where all use of the data is stopped.
func restricted(s *profile.Slice, c guard.Candidate) guard.Verdict {
	if s.Restricted && c.Action.Intent != catalog.Safety {
		return guard.Verdict{Reason: catalog.Restricted}
	}
	return guard.Verdict{}
}
