package engine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

var (
	// ErrNoPolicy refuses what only a policy can make sense of.
	ErrNoPolicy = errors.New("no policy is in charge yet")
	// ErrUndeclared refuses a name that the policy does not declare.
	ErrUndeclared = errors.New("not declared in the policy")
	// ErrOfHub refuses what only the hub can say of customers.
	ErrOfHub = errors.New("who is whom is the hub's to say, which knows every channel and what was told under which id: send this line to the hub; devices hear of it with the next slice")
)

type pendingAsk struct {
	session *session
	slot    int32
	ask     *event.Ask
}

// apply folds one event into the mind's state. What is refused changes nothing.
func (m *Mind) apply(e *event.Event) error {
	switch b := e.Body.(type) {
	case *event.Tick:
		return nil
	case *event.Boot:
		m.boot(b)
		return nil
	case *event.Clock:
		m.clock = b.State
		m.again = true
		m.allStale() // an age may be certain now, or no longer
		return nil
	case *event.Link:
		m.setLink(b.Up)
		return nil
	case *event.Policy:
		if m.policy != b.Version {
			return fmt.Errorf("policy %q is not in charge here: %q is", b.Version, m.policy)
		}
		return nil
	}
	if m.seen.has(e.Source, e.ID) {
		return nil
	}
	if err := m.take(e); err != nil {
		return err // and may be sent again, put right, under the same id
	}
	m.seen.first(e.Source, e.ID)
	return nil
}

// take folds an event that can come twice, and came for the first time.
func (m *Mind) take(e *event.Event) error {
	switch b := e.Body.(type) {
	case *event.Ask:
		return m.ask(e, b)
	case *event.Identify:
		return m.identify(e, b)
	case *event.Forget:
		m.erase(b.Customer, false)
		return nil
	case *event.Lease:
		return m.lease(b)
	case *event.Outcome:
		return m.outcome(e, b)
	case *event.Merge:
		if !m.cfg.Leased {
			return fmt.Errorf("merge %q and %q: %w", b.Into, b.From, ErrOfHub)
		}
	case *event.Split:
		return fmt.Errorf("split %q and %q: %w", b.Into, b.From, ErrOfHub)
	}
	if m.bundle == nil {
		return ErrNoPolicy
	}
	switch b := e.Body.(type) {
	case *event.Signal:
		return m.signal(e, b)
	case *event.Fact:
		return m.fact(e, b)
	case *event.Consent:
		if m.bundle.PurposeIndex(b.Purpose) < 0 {
			return fmt.Errorf("purpose %q: %w", b.Purpose, ErrUndeclared)
		}
		return m.fold(e, b.Customer)
	case *event.Objection:
		if m.bundle.PurposeIndex(b.Purpose) < 0 {
			return fmt.Errorf("purpose %q: %w", b.Purpose, ErrUndeclared)
		}
		return m.fold(e, b.Customer)
	case *event.Restrict:
		return m.fold(e, b.Customer)
	case *event.Interaction:
		return m.interaction(e, b)
	case *event.Merge:
		return m.merge(b)
	}
	return fmt.Errorf("a line of type %T is not taken here", e.Body)
}

// boot begins a life of the device: screens are dark, windows and holds begin anew.
func (m *Mind) boot(b *event.Boot) {
	m.clock, m.booted = b.Clock, m.now
	m.cfg.Absent = b.Absent
	for _, s := range m.sessions {
		m.leave(s, "session")
		if m.moment != nil {
			m.moment.Close(s.name)
		}
		m.dismiss(s)
	}
	clear(m.sessions)
	m.sessions = m.sessions[:0]
	clear(m.consenting)
	m.wantStale = true
	for _, c := range m.customers { // her visit is what her contacts tell of it, as after a restart
		c.visit, c.met = visit{}, false
	}
	if m.moment != nil {
		m.moment.SetAbsent(b.Absent)
		m.moment.Boot(m.now)
	}
	m.again = true
}

func (m *Mind) signal(e *event.Event, b *event.Signal) error {
	if m.open(e.Session) == nil { // what is refused opens no session
		if err := m.moment.Accepts([]event.Signal{*b}); err != nil {
			return err
		}
	}
	s, err := m.session(e.Session)
	if err != nil {
		return err
	}
	outdated := m.moment.Outdated()
	if err := m.moment.Signal(s.name, b, e.Happened, m.now); err != nil {
		return err
	}
	if m.cfg.Readings && m.moment.Outdated() == outdated {
		m.noteReading(s.name, b.Name)
	}
	return nil
}

func (m *Mind) lease(b *event.Lease) error {
	c, err := m.customer(b.Customer, event.ByNobody)
	if err != nil {
		return err
	}
	c.Until = b.Until
	if b.Until == 0 {
		c.Until = m.now // ended now: that there was one is still known
	}
	c.Here = c.Until > m.now
	if c.Here {
		c.confirmed = m.now
	}
	m.changed(c)
	return nil
}

func (m *Mind) fact(e *event.Event, b *event.Fact) error {
	d := m.bundle.Fact(b.Name)
	if d == nil {
		return fmt.Errorf("fact %q: %w", b.Name, ErrUndeclared)
	}
	if !m.hasBasis(d.Purposes) {
		return fmt.Errorf("fact %q: %w", b.Name, ErrNoBasis)
	}
	v, err := d.Accept(b.Value, b.Provenance, m.wallNow())
	if err != nil {
		m.noteUnusable(b.Name, b.Customer, err)
		return err
	}
	typed := *b
	typed.Value = v
	taken := *e
	taken.Body = &typed
	if b.Owner == "" {
		return m.fold(&taken, b.Customer)
	}
	m.persist(Record{Event: &taken})
	_ = m.owned.Fold(&taken) // a fact folds
	m.ownedChanged()
	return nil
}

// wallNow is the wall time, Never while nobody knows it.
func (m *Mind) wallNow() sense.Instant {
	if m.clock == sense.ClockUnknown {
		return sense.Never
	}
	return m.now
}

func (m *Mind) ownedChanged() {
	m.again = true
	m.allStale()
}

// allStale lets the moment be given every profile again.
func (m *Mind) allStale() {
	for _, s := range m.sessions {
		s.stale = true
		m.attend(s)
	}
}

func (m *Mind) interaction(e *event.Event, b *event.Interaction) error {
	answers := b.Kind == "answered"
	k := m.bundle.Kind(b.Kind)
	if k == nil {
		return fmt.Errorf("interaction %q: %w", b.Kind, ErrUndeclared)
	}
	if !m.hasBasis(k.Purposes) {
		return fmt.Errorf("interaction %q: %w", b.Kind, ErrNoBasis)
	}
	if err := m.fold(e, b.Customer); err != nil {
		return err
	}
	if answers || k.Means == catalog.MeansAnswered {
		for _, s := range m.byID[b.Customer].in {
			s.hisGoal = false
		}
	}
	return nil
}

// fold takes a profile event into the customer's slice, durably.
func (m *Mind) fold(e *event.Event, id string) error {
	if m.erased[m.tombstone(id)] {
		return ErrErased
	}
	c, err := m.customer(id, event.ByNobody)
	if err != nil {
		return err
	}
	if m.full(c, e) {
		return fmt.Errorf("customer %q: %w", id, ErrPending)
	}
	if err := c.Slice.Fold(m.sourced(e)); err != nil {
		return err
	}
	r := m.persist(Record{Handle: c.Handle, Event: e})
	if !m.cfg.Leased {
		c.await(*r)
		m.withhold(c)
	}
	m.changed(c)
	return nil
}

// merge makes two ids one person: the first stays, exposures add up, the stricter consent wins.
func (m *Mind) merge(b *event.Merge) error {
	if m.erased[m.tombstone(b.Into)] || m.erased[m.tombstone(b.From)] {
		return ErrErased
	}
	into, err := m.customer(b.Into, event.ByNobody)
	if err != nil {
		return err
	}
	from, err := m.customer(b.From, event.ByNobody)
	if err != nil || into == from {
		return err
	}
	for _, c := range [...]*customer{into, from} {
		if c.keeps > 0 {
			m.seenUntilNow(&c.visit)
		}
	}
	into.Slice.Merge(&from.Slice)
	into.join(from)
	for _, s := range m.sessions {
		if s.customer == from {
			m.serve(s, into)
		}
	}
	m.drop(from)
	into.Aliases = append(into.Aliases, from.Customer)
	into.Aliases = append(into.Aliases, from.Aliases...)
	for _, a := range into.Aliases {
		m.byID[a] = into
	}
	m.changed(into)
	return nil
}

// ask takes a request for a decision; it is answered at the end of the step.
func (m *Mind) ask(e *event.Event, b *event.Ask) error {
	if m.bundle == nil {
		s, err := m.session(e.Session)
		if err == nil {
			m.asks = append(m.asks, pendingAsk{session: s, slot: -1, ask: b})
		}
		return err
	}
	slot, err := m.slotNamed(b.Slot)
	if err != nil {
		return err
	}
	intent, known := catalog.ParseIntent(b.Intent)
	if b.Intent != "" && !known {
		return fmt.Errorf("intent %q is none of sales, service, information, question, safety, recovery, handoff, entertainment", b.Intent)
	}
	if err := m.moment.Accepts(b.With); err != nil {
		return err
	}
	s, err := m.session(e.Session)
	if err != nil {
		return err
	}
	m.attend(s)
	m.visited(s)
	if intent == catalog.Service || intent == catalog.Information {
		s.hisGoal = true
	}
	m.asks = append(m.asks, pendingAsk{session: s, slot: slot, ask: b})
	return nil
}

func (m *Mind) slotNamed(name string) (int32, error) {
	k := m.bundle.SlotIndex(name)
	if k < 0 {
		return 0, fmt.Errorf("slot %q: %w", name, ErrUndeclared)
	}
	if !m.plan.has[k] {
		return 0, fmt.Errorf("slot %q is not on this device", name)
	}
	return k, nil
}

// outcome takes the answer to a decision: it settles the contact and frees the slot.
func (m *Mind) outcome(e *event.Event, b *event.Outcome) error {
	id := b.Decision
	if id == "last" {
		id = ""
	}
	var c *customer
	if s := m.open(e.Session); s != nil {
		c = s.customer
		if id == "" {
			id = s.lastShown(m.bundle, b.Slot)
		}
	}
	if id == "" {
		return fmt.Errorf("outcome %q: nothing was decided in session %q that it could answer", b.Outcome, e.Session)
	}
	at, slot, x := m.standing(id)
	if c == nil || c.Slice.Exposure(id) == nil {
		c = m.ownerOf(id)
	}
	if x == nil && c == nil && !m.remembers(id) {
		return fmt.Errorf("outcome %q: decision %q is not known here", b.Outcome, id)
	}
	if _, err := m.session(e.Session); err != nil {
		return err
	}
	body := *b
	body.Decision = id
	a, here := m.acceptedNow(c, id, b.Outcome, at, x, e.Session)
	m.answer(c, id, b.Outcome, e.Happened, &body, e)
	if a != nil {
		if c != nil {
			m.confirm(here, c, a, e.Happened)
		}
		m.handOver(here, c, id, a)
	}
	if x == nil {
		return nil
	}
	if b.Outcome == "shown" {
		x.until = max(e.Happened, x.at).Add(m.bundle.Slots[slot].ShowFor)
		m.judgeAgain(at)
		return nil
	}
	at.shown[slot] = nil
	m.judgeAgain(at)
	return nil
}

// acceptedNow returns the action that was accepted, and in which session, where this outcome is the
// first to say so.
func (m *Mind) acceptedNow(c *customer, id, outcome string, at *session, x *shown, in string) (*catalog.Action, *session) {
	if outcome != "accepted" || m.bundle == nil {
		return nil, nil
	}
	if at == nil {
		at = m.open(in)
	}
	if c != nil {
		if one := c.Slice.Exposure(id); one != nil {
			again := slices.ContainsFunc(one.Outcomes, func(o profile.Outcome) bool { return o.Outcome == "accepted" })
			if a := m.bundle.Action(one.Action); a != nil && !again && at != nil {
				return a, at
			}
			return nil, nil
		}
	}
	if x == nil {
		return nil, nil
	}
	return &m.bundle.Actions[x.action], at
}

// answer books an outcome of a contact.
func (m *Mind) answer(c *customer, id, outcome string, at sense.Instant, b *event.Outcome, e *event.Event) {
	r := Record{Event: &event.Event{At: m.now, HasAt: true, Happened: at, Session: e.Session, Source: e.Source, ID: e.ID, Body: b}}
	if c != nil {
		r.Handle = c.Handle
		if x := c.Slice.Exposure(id); x != nil {
			x.Answer(outcome, at)
			m.answeredBy(c)
		}
	}
	if n, ours := m.numberOf(id); ours {
		m.settleVolume(n, outcome, at)
	}
	m.persist(r)
}

// standing finds a decision among what is shown.
func (m *Mind) standing(decision string) (at *session, slot int, found *shown) {
	for _, s := range m.sessions {
		for k, x := range s.shown {
			if x != nil && x.decision == decision {
				return s, k, x
			}
		}
	}
	return nil, 0, nil
}

// lastShown returns the decision that was shown last in the session, or in one of its slots, to
// whom it serves now: an answer may come when it has left the screen. Empty where there is none.
func (s *session) lastShown(b *catalog.Bundle, slot string) (decision string) {
	n := uint64(0)
	for k, l := range s.latest {
		if l.n > n && (slot == "" || b.Slots[k].Name == slot) {
			decision, n = l.decision, l.n
		}
	}
	return decision
}

// remembers says whether a decision was made in this epoch, or in one that was left: an answer to what
// nobody in particular was shown is taken, though nothing is held of it any more.
func (m *Mind) remembers(decision string) bool {
	if _, ours := m.numberOf(decision); ours {
		return true
	}
	return slices.ContainsFunc(m.cfg.Former, func(f Former) bool {
		_, ours := numberIn(decision, m.cfg.Device, f.Epoch, f.Decisions)
		return ours
	})
}

// numberOf returns the number of a decision of this epoch.
func (m *Mind) numberOf(decision string) (n uint64, ours bool) {
	return numberIn(decision, m.cfg.Device, m.cfg.Epoch, m.decided)
}

// numberIn returns the number of a decision of an epoch that has had so many.
func numberIn(decision, device string, epoch, decided uint64) (n uint64, ours bool) {
	n, err := strconv.ParseUint(decision[strings.LastIndexByte(decision, '-')+1:], 10, 64)
	return n, err == nil && n > 0 && n <= decided && decision == decisionID(device, epoch, n)
}

// ownerOf returns the customer to whom a decision spoke: of two who are one person the one under whose
// handle it was made.
func (m *Mind) ownerOf(decision string) (owner *customer) {
	for _, c := range m.customers {
		if x := c.Slice.Exposure(decision); x != nil && (owner == nil || x.Seq != 0) {
			owner = c
		}
	}
	return owner
}
