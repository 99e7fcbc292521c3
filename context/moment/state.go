package moment

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Presence says who is known to be there.
type Presence uint8

const (
	// Nobody is identified: facts and history are unknown, and has() of a fact is false.
	Nobody Presence = iota
	// Awaited: somebody is identified, whose slice is not there yet: all of it is unknown.
	Awaited
	// Here: the slice is there.
	Here
)

// State is the moment of one device: what is common to all, and each session.
type State struct {
	model    *model
	absent   []bool // by signal
	now      sense.Instant
	started  bool
	booted   bool
	bootedAt sense.Instant
	step     uint64 // steps so far
	device   *scene
	sessions []*scene // in order of name
	begun    []*scene // those that this step has begun: the others are as the last step left them that did
	queue    queue    // sessions by when time alone changes something in them
	last     *scene   // the session that was asked for last
	granting []int32  // by purpose: sessions in which it is granted
	asides   []aside  // readings that gave way to those of a request
	outdated int64
	said     said // by Reasons
}

// New begins the moment of a device that lacks the named sources. A bundle that
// Check refuses leaves every condition unknown.
func New(b *catalog.Bundle, absent []string) *State {
	m, err := newModel(b)
	if err != nil {
		m = without(b)
	}
	s := &State{model: m, now: -1 << 62, granting: make([]int32, len(b.Purposes))}
	s.device = newScene("", false, rule.NewEval(m.plan), 0)
	s.SetAbsent(absent)
	return s
}

// SetAbsent says which sources this device does not have.
func (s *State) SetAbsent(absent []string) {
	s.absent = make([]bool, len(s.model.bundle.Signals))
	for _, name := range absent {
		if k := s.model.bundle.SignalIndex(name); k >= 0 {
			s.absent[k] = true
		}
	}
}

// Begin starts a step: pulses of the step before end, and what time changed by now is taken in. Of the
// sessions only those begin in which time changed something, or something happened in the step before.
func (s *State) Begin(now sense.Instant) {
	s.now = max(s.now, now)
	s.step++
	if !s.started {
		s.started = true
		s.device.refreshAll(s)
	}
	s.device.eval.Begin(s.now)
	s.device.turn(s)
	before := s.begun
	s.begun = s.begun[:0]
	for _, c := range before {
		if c.lively {
			c.lively = false
			s.wake(c)
			c.turn(s)
		}
	}
	clear(before[len(s.begun):])
	for s.queue.next() <= s.now {
		c := s.queue[0]
		s.queue.put(c, sense.Never)
		s.rouse(c)
		c.turn(s)
	}
}

// wake begins a session in this step, unless it has begun.
func (s *State) wake(c *scene) {
	if c.session && c.began != s.step {
		c.began = s.step
		c.eval.Begin(s.now)
		s.begun = append(s.begun, c)
	}
}

// rouse begins a session in which something happens in this step.
func (s *State) rouse(c *scene) {
	s.wake(c)
	c.lively = true
}

// Settle evaluates what the step changed: in the sessions that it has begun, and in those that a change of
// the device concerns.
func (s *State) Settle(now sense.Instant) {
	s.now = max(s.now, now)
	s.device.eval.Settle(s.now)
	if s.device.eval.Reaches() {
		for _, c := range s.sessions {
			if c.eval.Awaits() {
				s.wake(c)
			}
		}
	}
	for _, c := range s.begun {
		c.eval.Settle(s.now)
		c.lively = c.lively || c.eval.Fleeting() || len(c.eval.Flipped()) > 0
		s.queue.put(c, c.next())
	}
}

// Next returns the instant at which something changes by itself, sense.Never where nothing does.
func (s *State) Next() sense.Instant {
	for _, c := range s.begun {
		s.queue.put(c, c.next())
	}
	return min(s.device.next(), s.queue.next())
}

// Open makes a session, with nobody identified; one that exists is left as it is.
func (s *State) Open(session string, now sense.Instant) {
	s.now = max(s.now, now)
	k, ok := s.find(session)
	if ok {
		return
	}
	c := newScene(session, true, s.device.eval.NewSession(), ofNobody(s.model.bundle))
	s.sessions = slices.Insert(s.sessions, k, c)
	if s.booted {
		// What was seen before the restart is missing here as well.
		c.eval.Restart(s.bootedAt)
	}
	s.grants(0, c.granted)
	c.began = s.step - 1
	s.rouse(c)
	c.refreshAll(s)
}

// ofNobody are the purposes that hold for somebody of whom nothing is known: all but those by consent.
func ofNobody(b *catalog.Bundle) (set catalog.PurposeSet) {
	for k := range b.Purposes {
		if basis := b.Purposes[k].Basis; !basis.NeedsGrant() && basis != catalog.BasisNone {
			set |= 1 << uint(k)
		}
	}
	return set
}

// Close ends a session and forgets all that was known in it.
func (s *State) Close(session string) {
	k, ok := s.find(session)
	if !ok {
		return
	}
	c := s.sessions[k]
	c.eval.Close()
	s.sessions = slices.Delete(s.sessions, k, k+1)
	s.queue.put(c, sense.Never)
	if c.began == s.step {
		s.begun = slices.DeleteFunc(s.begun, func(other *scene) bool { return other == c })
	}
	s.last = nil
	s.grants(c.granted, 0)
	s.refreshGranted()
}

// Sessions returns the names of the open sessions, in order.
func (s *State) Sessions() []string {
	names := make([]string, len(s.sessions))
	for k, c := range s.sessions {
		names[k] = c.name
	}
	return names
}

func (s *State) find(session string) (int, bool) {
	return slices.BinarySearchFunc(s.sessions, session, func(c *scene, name string) int { return strings.Compare(c.name, name) })
}

// scene returns an open session, nil where there is none. Most questions are about the session of the one before.
func (s *State) scene(session string) *scene {
	if s.last != nil && s.last.name == session {
		return s.last
	}
	if k, ok := s.find(session); ok {
		s.last = s.sessions[k]
		return s.last
	}
	return nil
}

// Grant says which purposes are granted in a session: a signal that asks for the consent of
// another is not read, and what was read of it is dropped.
func (s *State) Grant(session string, granted catalog.PurposeSet, now sense.Instant) {
	s.Open(session, now)
	c := s.scene(session)
	if c.granted == granted {
		return
	}
	s.rouse(c)
	s.grants(c.granted, granted)
	c.granted = granted
	c.refreshSignals(s)
	s.refreshGranted()
}

// grants counts the sessions in which a purpose is granted.
func (s *State) grants(before, now catalog.PurposeSet) {
	for p := range s.granting {
		switch was, is := before.Has(int32(p)), now.Has(int32(p)); {
		case is && !was:
			s.granting[p]++
		case was && !is:
			s.granting[p]--
		}
	}
}

// refreshGranted lets signals of the device be read while somebody on it agrees.
func (s *State) refreshGranted() {
	granted := catalog.PurposeSet(0)
	for p, sessions := range s.granting {
		if sessions > 0 {
			granted |= 1 << uint(p)
		}
	}
	if s.device.granted != granted {
		s.device.granted = granted
		s.device.refreshSignals(s)
	}
}

// Profile says who is there: the slice (nil unless Here) and the owners of what else is known.
// It is called again whenever the slice's content changed.
func (s *State) Profile(session string, p *profile.Slice, owners []event.Owner, presence Presence, now sense.Instant) {
	s.Open(session, now)
	c := s.scene(session)
	s.rouse(c)
	if p == nil && presence == Here {
		presence = Awaited
	}
	if customer := customerOf(p, presence); customer != c.customer && presence != Awaited {
		// Conditions that look back must not take one customer's past for another's.
		if c.customer != "" {
			c.eval.ForgetPerson(s.now)
			c.refreshSignals(s) // has() of a signal
		}
		c.customer = customer
	}
	c.slice, c.owners, c.presence = p, owners, presence
	for _, k := range s.model.profile {
		c.refreshInput(s, k)
	}
}

func customerOf(p *profile.Slice, presence Presence) string {
	if presence == Here {
		return p.Customer
	}
	return ""
}

// Boot restarts the device: no source has spoken, windows and latches are unknown until
// they are filled again. Which side of a place somebody was last seen on is kept.
func (s *State) Boot(now sense.Instant) {
	s.now = max(s.now, now)
	s.booted, s.bootedAt = true, s.now
	s.device.restart(s)
	for _, c := range s.sessions {
		s.rouse(c)
		c.restart(s)
	}
}

// Outdated counts the readings that came later than a newer one of the same source.
func (s *State) Outdated() int64 { return s.outdated }

// Truth returns the truth of a condition in a session; None is Unknown.
func (s *State) Truth(session string, n rule.Node) rule.Truth {
	if c := s.scene(session); c != nil {
		return c.eval.Truth(n)
	}
	return s.device.eval.Truth(n)
}

// Result returns the outcome of a node in a session: a value, or why there is none.
func (s *State) Result(session string, n rule.Node) rule.Result { return s.eval(session).Result(n) }

// Input returns the state of an input in a session.
func (s *State) Input(session string, input int32) rule.Result {
	if input < 0 || int(input) >= len(s.model.bundle.Program.Inputs) {
		return rule.Result{Cause: rule.InputUnknown, Input: -1}
	}
	return s.eval(session).Input(input)
}

// Derived returns derived value k of the bundle in a session.
func (s *State) Derived(session string, k int) rule.Result {
	return s.Result(session, s.model.bundle.Derived[k].Node)
}

// eval returns the evaluation that answers for a session: the device's where it is not open.
func (s *State) eval(session string) *rule.Eval {
	if c := s.scene(session); c != nil {
		s.wake(c) // what moves by itself is that of this step
		return c.eval
	}
	return s.device.eval
}

// StateTruth returns the truth of state k of the bundle in a session.
func (s *State) StateTruth(session string, k int) rule.Truth {
	d := &s.model.bundle.States[k]
	if d.AbsentAllow {
		for _, signal := range d.Inputs {
			if s.lacks(session, signal) {
				return rule.False
			}
		}
	}
	return s.Truth(session, d.Node)
}

// lacks says whether the device has no such source: one that speaks after all is there, unless it
// may not be used.
func (s *State) lacks(session string, signal int32) bool {
	if !s.absent[signal] {
		return false
	}
	c := s.sceneOf(session, signal)
	return c == nil || c.latest(s.model, signal) == nil || c.off(&s.model.bundle.Signals[signal])
}

// Flipped returns the conditions of Interest whose truth changed in this step: those of the device, and those of
// the session by what is its own (Concerned tells of both together). The lists hold until the next Begin.
func (s *State) Flipped(session string) (device, own []rule.Node) {
	if c := s.scene(session); c != nil && c.began == s.step {
		own = c.eval.Flipped()
	}
	return s.device.eval.Flipped(), own
}

// Concerned hands over the sessions in which a condition on which something rests may have another truth since this
// step began, for one of their own or of both. The order is none.
func (s *State) Concerned(yield func(session string)) {
	sessions := s.begun
	if len(s.device.eval.Flipped()) > 0 {
		sessions = s.sessions
	}
	for _, c := range sessions {
		if c.eval.Concerned() {
			yield(c.name)
		}
	}
}
