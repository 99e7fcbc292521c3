package sim_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// oracle follows an event log beside the mind, with as little cleverness as possible: who
// stands where, who agreed to what, what the sensors last said, what stands on which
// screen, and who was shown what. It shares no code with the mind but the parsing of lines.
type oracle struct {
	b        *catalog.Bundle
	now      sense.Instant
	people   map[string]*person // by id
	erased   map[string]bool    // ids
	taken    map[string]bool    // (source, id) of events
	sessions map[string]*stand
	device   map[string][]reading // signals of the device, oldest first
	absent   []string
	clock    sense.ClockState
	contacts map[string]*contact // by decision
	standing map[string]*contact // by session and slot
}

// person is what the log says of one customer.
type person struct {
	ids        []string
	consents   map[string]*choice
	objections map[string]*choice
	restricted choice
	zones      []told // declared facts `zone`
	contacts   []*contact
}

// choice is a yes or no, from when.
type choice struct {
	yes      bool
	text     string
	expires  sense.Instant
	happened sense.Instant
}

type told struct {
	value    string
	happened sense.Instant
}

// stand is who stands in a session.
type stand struct {
	who    *person
	by     event.By
	shared bool
	since  sense.Instant        // last identified
	own    map[string][]reading // signals of the person
}

// reading is a value and its own time.
type reading struct {
	value sense.Value
	at    sense.Instant
	came  sense.Instant
}

// contact is a decision that was shown.
type contact struct {
	d        *engine.Decision
	a        *catalog.Action
	ambient  bool
	channel  string
	slot     *catalog.Slot
	who      *person // nil for nobody
	outcomes []answer
}

type answer struct {
	outcome string
	at      sense.Instant
}

// watch follows a play, and calls look after each step with what was shown in it.
func watch(b *catalog.Bundle, r *play, look func(o *oracle, s *step, shown []*contact) error) error {
	o := &oracle{b: b, people: map[string]*person{}, erased: map[string]bool{}, taken: map[string]bool{}, sessions: map[string]*stand{}, device: map[string][]reading{},
		contacts: map[string]*contact{}, standing: map[string]*contact{}, clock: sense.ClockSynced}
	for k := range r.steps {
		s := &r.steps[k]
		o.now = s.out.At
		for i := range s.events {
			if e := &s.events[i]; s.refusedEvent(i) {
				if err := o.mayRefuse(e); err != nil {
					return err
				}
			} else {
				o.take(e)
			}
		}
		if err := o.answers(s); err != nil {
			return err
		}
		for k := range s.out.Clear {
			c := &s.out.Clear[k]
			delete(o.standing, c.Session+" "+c.Slot)
			if c.Cause == "session" {
				o.ended(c.Session)
			}
		}
		var shown []*contact
		for _, d := range s.out.Show {
			if c := o.show(d); c != nil {
				shown = append(shown, c)
			}
		}
		if err := look(o, s, shown); err != nil {
			return fmt.Errorf("at %s: %w", o.now, err)
		}
		for _, c := range shown { // counted from the next step on
			if c.who != nil {
				c.who.contacts = append(c.who.contacts, c)
			}
		}
	}
	return nil
}

func (o *oracle) person(id string) *person {
	if o.people[id] == nil {
		o.people[id] = &person{ids: []string{id}, consents: map[string]*choice{}, objections: map[string]*choice{}}
	}
	return o.people[id]
}

func (o *oracle) stand(session string) *stand {
	if o.sessions[session] == nil {
		o.sessions[session] = &stand{own: map[string][]reading{}}
	}
	return o.sessions[session]
}

// mayRefuse: a no is refused only of one who was erased, or for what is not declared.
func (o *oracle) mayRefuse(e *event.Event) error {
	var id, purpose string
	switch b := e.Body.(type) {
	case *event.Consent:
		id, purpose = b.Customer, b.Purpose
	case *event.Objection:
		id, purpose = b.Customer, b.Purpose
	case *event.Restrict:
		id = b.Customer
	default:
		return nil
	}
	if o.erased[id] || purpose != "" && !slices.ContainsFunc(o.b.Purposes, func(p catalog.Purpose) bool { return p.Name == purpose }) {
		return nil
	}
	return fmt.Errorf("at %s the choice of %s was refused", o.now, id)
}

// take takes a line that the mind took.
func (o *oracle) take(e *event.Event) {
	if e.ID != "" {
		if o.taken[e.Source+" "+e.ID] {
			return
		}
		o.taken[e.Source+" "+e.ID] = true
	}
	switch b := e.Body.(type) {
	case *event.Signal:
		o.sense(e, b)
	case *event.Identify:
		o.identify(e, b)
	case *event.Consent:
		newer(o.person(b.Customer).consents, b.Purpose, choice{b.Granted, b.Text, b.Expires, e.Happened}, false)
	case *event.Objection:
		newer(o.person(b.Customer).objections, b.Purpose, choice{b.Raised, "", sense.Never, e.Happened}, true)
	case *event.Restrict:
		if p := o.person(b.Customer); e.Happened > p.restricted.happened || e.Happened == p.restricted.happened && b.On {
			p.restricted = choice{yes: b.On, happened: e.Happened}
		}
	case *event.Fact:
		if b.Name == "zone" && b.Customer != "" {
			p := o.person(b.Customer)
			p.zones = append(p.zones, told{b.Value.Str(), e.Happened})
			if b.Provenance != event.Declared {
				p.zones = append(p.zones, told{}) // what holds then is for the mind to say
			}
		}
	case *event.Forget:
		o.forget(b.Customer)
	case *event.Merge:
		o.merge(b.Into, b.From)
	case *event.Boot:
		o.absent, o.clock = b.Absent, b.Clock
		o.sessions, o.device = map[string]*stand{}, map[string][]reading{}
	case *event.Clock:
		o.clock = b.State
	}
}

// newer keeps the choice that happened last; of two at once the careful one.
func newer(all map[string]*choice, purpose string, c choice, careful bool) {
	if old := all[purpose]; old == nil || c.happened > old.happened || c.happened == old.happened && c.yes == careful {
		all[purpose] = &c
	}
}

func (o *oracle) sense(e *event.Event, b *event.Signal) {
	s := o.stand(e.Session)
	into := s.own
	for k := range o.b.Signals {
		if d := &o.b.Signals[k]; d.Name == b.Name && d.Scope == 0 {
			into = o.device
		}
	}
	r := reading{b.Value, e.Happened.Add(-b.Age), o.now}
	if all := into[b.Name]; len(all) > 0 && r.at < all[len(all)-1].at {
		return // an older one replaces nothing
	}
	into[b.Name] = append(into[b.Name], r)
}

func (o *oracle) identify(e *event.Event, b *event.Identify) {
	s := o.stand(e.Session)
	was := *s
	s.who, s.by, s.shared, s.since = nil, event.ByNobody, false, o.now
	if b.Customer == "" {
		return
	}
	if b.By == event.ByCard || b.By == event.ByLogin {
		delete(o.erased, b.Customer)
	}
	s.who, s.by, s.shared = o.person(b.Customer), b.By, b.Shared
	if s.who == was.who { // who showed a card is not less known for being seen as well
		s.by = max(s.by, was.by)
	}
}

// ended: the policy's session ended, and whoever was there has gone.
func (o *oracle) ended(session string) {
	if s := o.sessions[session]; s != nil && s.since != o.now {
		s.who, s.by, s.shared = nil, event.ByNobody, false
	}
}

func (o *oracle) forget(id string) {
	p := o.person(id)
	for _, id := range p.ids {
		o.erased[id] = true
		delete(o.people, id)
	}
	for _, s := range o.sessions {
		if s.who == p {
			s.who, s.by, s.shared = nil, event.ByNobody, false
		}
	}
}

// merge: the stricter choice of the two stays.
func (o *oracle) merge(into, from string) {
	a, b := o.person(into), o.person(from)
	if a == b {
		return
	}
	for purpose, c := range b.consents {
		switch old := a.consents[purpose]; {
		case old == nil:
			a.consents[purpose] = c
		case old.yes && !c.yes, old.yes && c.yes && c.expires < old.expires:
			a.consents[purpose] = c
		}
	}
	for purpose, c := range b.objections {
		if old := a.objections[purpose]; old == nil || c.yes {
			kept := *c
			if old != nil {
				kept.happened = max(kept.happened, old.happened)
			}
			a.objections[purpose] = &kept
		}
	}
	if b.restricted.yes {
		a.restricted = choice{yes: true, happened: max(a.restricted.happened, b.restricted.happened)}
	}
	a.zones = append(a.zones, b.zones...)
	a.contacts = append(a.contacts, b.contacts...)
	for _, c := range b.contacts {
		c.who = a
	}
	for _, c := range o.standing {
		if c.who == b {
			c.who = a
		}
	}
	a.ids = append(a.ids, b.ids...)
	for _, id := range b.ids {
		o.people[id] = a
	}
	for _, s := range o.sessions {
		if s.who == b {
			s.who = a
		}
	}
}

// answers books outcomes as the records tell them, `last` resolved.
func (o *oracle) answers(s *step) error {
	for k := range s.out.Persist {
		r := &s.out.Persist[k]
		if r.Event == nil {
			continue
		}
		b, ok := r.Event.Body.(*event.Outcome)
		if !ok {
			continue
		}
		c := o.contacts[b.Decision]
		if c == nil {
			continue // of a silence, or of one who was erased
		}
		if len(s.events) == 1 {
			if said, ok := s.events[0].Body.(*event.Outcome); ok && b.Outcome == said.Outcome {
				if said.Decision != "last" && said.Decision != b.Decision {
					return fmt.Errorf("an answer to %s was booked for %s", said.Decision, b.Decision)
				}
				if said.Decision == "last" && s.events[0].Session != c.d.Session {
					return fmt.Errorf("an answer in session %s was booked for %s of session %s", s.events[0].Session, c.d.ID, c.d.Session)
				}
			}
		}
		c.outcomes = append(c.outcomes, answer{b.Outcome, r.Event.Happened})
		if at := c.d.Session + " " + c.d.Slot; b.Outcome != "shown" && o.standing[at] == c && len(s.events) > 0 {
			delete(o.standing, at)
		}
	}
	return nil
}

// show puts a decision on its screen; nil for silence.
func (o *oracle) show(d *engine.Decision) *contact {
	if d.Action == "silence" {
		return nil
	}
	c := &contact{d: d}
	for k := range o.b.Actions {
		if o.b.Actions[k].Name == d.Action {
			c.a = &o.b.Actions[k]
		}
	}
	for k := range o.b.Slots {
		if o.b.Slots[k].Name == d.Slot {
			c.slot = &o.b.Slots[k]
			c.channel = c.slot.Channel
		}
	}
	t := c.a.Say
	if d.Treatment == "say_personal" {
		t = c.a.SayPersonal
	}
	c.ambient = t.Ambient
	if d.Customer != "" {
		c.who = o.person(d.Customer)
	}
	o.contacts[d.ID], o.standing[d.Session+" "+d.Slot] = c, c
	return c
}

// granted says whether a person agreed to a purpose, and it holds now.
func (o *oracle) granted(p *person, purpose string) bool {
	c := p.consents[purpose]
	return c != nil && c.yes && o.now < c.expires
}

// at returns the last reading of a signal in a session that is not stale; false where there is none.
func (o *oracle) at(session, name string) (sense.Value, bool) {
	for k := range o.b.Signals {
		d := &o.b.Signals[k]
		if d.Name != name {
			continue
		}
		all := o.device[name]
		if d.Scope != 0 && o.sessions[session] != nil {
			all = o.sessions[session].own[name]
		}
		if len(all) == 0 {
			return sense.Value{}, false
		}
		r := all[len(all)-1]
		return r.value, !r.value.IsNull() && o.now.Sub(r.at) <= d.MaxAge
	}
	return sense.Value{}, false
}

func (c *contact) String() string {
	return strings.Join([]string{c.d.ID, c.d.Action, c.d.Treatment, "in", c.d.Session, c.d.Slot, "to", c.d.Customer}, " ")
}
