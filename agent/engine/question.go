package engine

import (
	"errors"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// deliverySignal is the declared signal in which an ask says how something is to be delivered.
const deliverySignal = "delivery"

// deliveryOf returns how what is asked for is to be delivered; empty where it is not said.
func deliveryOf(ask *event.Ask) string {
	if ask == nil {
		return ""
	}
	for k := range ask.With {
		if s := &ask.With[k]; s.Name == deliverySignal && s.Value.Kind() == sense.String {
			return s.Value.Str()
		}
	}
	return ""
}

// delivered says whether what must be known to deliver an action is known: in the way that was asked
// for, or in any one way where none was.
func (m *Mind) delivered(s *session, v *guard.View, a *catalog.Action) guard.Verdict {
	if len(a.Needs) == 0 {
		return guard.Verdict{}
	}
	first, ways := guard.Verdict{}, 0
	for k := range a.Needs {
		n := &a.Needs[k]
		if v.Delivery != "" && n.Delivery != "" && n.Delivery != v.Delivery {
			continue
		}
		d := m.known(s, v, n.Facts)
		if d.OK() {
			return d
		}
		if ways++; ways == 1 {
			first = d
		}
	}
	if ways == 0 {
		return guard.Verdict{Reason: catalog.NotApplicable, Because: v.Room.Because(catalog.Because{Name: deliverySignal, Value: sense.StringValue(v.Delivery), Age: catalog.NoAge})}
	}
	return first
}

// known says whether all of the facts are known and fresh; else why the first is not.
func (m *Mind) known(s *session, v *guard.View, facts []int32) guard.Verdict {
	for _, f := range facts {
		because := catalog.Because{Name: m.bundle.Facts[f].Name, Age: catalog.NoAge}
		if v.Slice == nil {
			return guard.Verdict{Reason: catalog.InputIsUnknown, Because: v.Room.Because(because)}
		}
		switch h := v.Slice.Held(m.bundle, f, s.owners, m.now); {
		case !h.Present:
			return guard.Verdict{Reason: catalog.FactMissing, Because: v.Room.Because(because)}
		case !h.Fresh:
			because.Value, because.Age = h.Value, h.Age
			return guard.Verdict{Reason: catalog.FactStale, Because: v.Room.Because(because), Until: sense.Never}
		}
	}
	return guard.Verdict{}
}

// noteUnusable notes that an answer could not be used while its question stands: it may be asked
// again, once.
func (m *Mind) noteUnusable(fact, customer string, why error) {
	if !errors.Is(why, catalog.ErrInvalidValue) {
		return
	}
	c := m.byID[customer]
	if c == nil {
		return
	}
	for _, s := range m.sessions {
		if q := &c.visit.question; s.customer == c && m.asksFor(q.action, fact) && !q.retried && s.showedLast(q.decision) {
			q.unusable = true
			m.recall(c)
		}
	}
}

// asksFor says whether an action is the question for a fact.
func (m *Mind) asksFor(action, fact string) bool {
	a := m.bundle.Action(action)
	if a == nil {
		return false
	}
	for _, f := range [...]int32{a.Asks, a.Confirms} {
		if f >= 0 && m.bundle.Facts[f].Name == fact {
			return true
		}
	}
	return false
}

// showedLast says whether a decision is the last one that was shown in one of the slots.
func (s *session) showedLast(decision string) bool {
	return slices.ContainsFunc(s.latest, func(l lately) bool { return l.decision == decision })
}

// confirm takes the yes to the question whether a fact is right: from now on the customer has
// declared it herself.
func (m *Mind) confirm(s *session, c *customer, a *catalog.Action, at sense.Instant) {
	if a.Confirms < 0 {
		return
	}
	d := &m.bundle.Facts[a.Confirms]
	held := c.Slice.Held(m.bundle, a.Confirms, s.owners, m.now)
	if !held.Present {
		return // it has gone since
	}
	_, owner := m.factOf(c, d, s)
	e := &event.Event{At: m.now, HasAt: true, Happened: at, Session: event.MainSession,
		Body: &event.Fact{Name: d.Name, Customer: c.Customer, Value: held.Value, Provenance: event.Declared}}
	if owner == "" {
		_ = m.fold(e, c.Customer) // a customer who answered is known, and a fact folds
		return
	}
	e.Body = &event.Fact{Name: d.Name, Owner: owner, Value: held.Value, Provenance: event.Declared}
	m.persist(Record{Event: e})
	_ = m.owned.Fold(e)
	m.ownedChanged()
}

// factOf returns what is held of a declared fact, and of which owner; empty for the customer's own.
func (m *Mind) factOf(c *customer, d *catalog.Fact, s *session) (f *profile.Fact, owner string) {
	if d.Owner != "" && s != nil {
		for _, o := range s.owners {
			if o.Kind != d.Owner {
				continue
			}
			for _, from := range [...]*profile.Slice{&c.Slice, &m.owned} {
				if f, held := from.Find(d.Name, o.ID); held {
					return f, o.ID
				}
			}
		}
	}
	if f, held := c.Slice.Find(d.Name, ""); held {
		return f, ""
	}
	return nil, ""
}

// wording says with which words a question is asked: why, and what the customer gets for it, stand
// behind it; and it is asked again with words of its own.
func wording(a *catalog.Action, t *catalog.Treatment, again bool) (text []catalog.Rendered, more [2][]catalog.Rendered) {
	if again && len(a.Retry) > 0 {
		return a.Retry, more
	}
	return t.Text, [2][]catalog.Rendered{a.Because, a.InReturn}
}
