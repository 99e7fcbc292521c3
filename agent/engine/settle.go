package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// settle ends a step: conditions are evaluated once, and what follows from them is done.
func (m *Mind) settle() {
	if m.bundle == nil {
		for _, a := range m.asks {
			m.silentWithoutPolicy(a)
		}
		m.finish()
		return
	}
	m.prune()
	m.attendDue()
	m.tellMoment()
	m.moment.Settle(m.now)
	m.attendTurned()
	if m.endSessions() {
		m.tellMoment()
		m.moment.Settle(m.now)
		m.attendTurned()
	}
	m.endVisits()
	m.countStrikes()
	if len(m.plan.leaving) > 0 {
		for _, s := range m.sessions {
			m.tellLeaving(s, false)
		}
	}
	if m.cfg.Readings {
		m.tellReadings()
	}
	m.findMoved()
	for k := 0; k < len(m.attended); {
		s := m.attended[k]
		if m.moved(s) {
			m.renewSchedules(s)
			m.armAll(s)
			m.judgeShown(s)
			m.releaseServed(s)
		}
		k = m.after(k, s)
	}
	for _, a := range m.asks {
		m.answerAsk(a)
	}
	for k := 0; k < len(m.attended); {
		s := m.attended[k]
		if m.moved(s) {
			m.offerUnasked(s)
			s.again = false
		}
		k = m.after(k, s)
	}
	for _, a := range m.asks {
		// What stands by the word of one request is judged without it from the next step on.
		a.session.again = len(a.ask.With) > 0
	}
	m.finish()
}

// moved says whether anything happened for which a session must be judged again: a step of one
// wearer costs the two hundred others nothing.
func (m *Mind) moved(s *session) bool { return m.again || s.again }

// findMoved finds the sessions in which a condition that something rests on changed its truth, or
// for which time alone has come to something.
func (m *Mind) findMoved() {
	if m.now >= m.quietTurn {
		m.again, m.quietTurn = true, guard.NextQuietTurn(m.bundle, m.now)
	}
	if m.now >= m.activeTurn {
		m.again, m.activeTurn = true, guard.NextActiveTurn(m.bundle, m.now)
	}
	device, _ := m.moment.Flipped("")
	m.concern(device)
	if m.again {
		m.attendAll()
	}
	for _, s := range m.attended {
		if s.customer != nil && m.now >= s.quietTurn {
			v := guard.View{Bundle: m.bundle, Now: m.now, Slice: m.slice(s), Owners: s.owners}
			v.Zone = m.zoneOf(v.Slice)
			s.again, s.quietTurn = true, guard.NextQuietTurnOf(&v)
		}
		s.again = s.again || s.restless || m.now >= s.lapse || m.lapsed(s)
	}
}

// concern lets the sessions be judged again for which it matters that conditions of the device alone turned.
func (m *Mind) concern(turned []rule.Node) {
	for _, n := range turned {
		m.again = m.again || m.plan.roots[n] && m.bundle.Program.Nodes[n].Scope == rule.ScopeDevice
	}
}

// lapsed says whether something that is shown or armed in a session has had its time.
func (m *Mind) lapsed(s *session) bool {
	for _, x := range s.shown {
		if x != nil && m.now >= x.until {
			return true
		}
	}
	for _, a := range s.served {
		if u := s.memory[a]; u.armed != 0 && m.now >= u.armed {
			return true
		}
	}
	return false
}

// judgeShown takes down what may not stand any more, and what has stood its time.
func (m *Mind) judgeShown(s *session) {
	for k, x := range s.shown {
		if x == nil {
			continue
		}
		if m.now >= x.until {
			m.expire(s, k, x)
			continue
		}
		a := &m.bundle.Actions[x.action]
		v := m.view(s, int32(k), x.asked)
		v.AskIntent, v.AskAbout, v.Delivery = x.intent, x.about, x.delivery
		v.Standing, v.Retry = x.decision, false // it is not held against itself
		if q := &s.visit().question; q.decision == x.decision {
			v.Questioned = q.before
		}
		if d := m.judgeStanding(v, guard.Candidate{Action: a, Ambient: x.ambient, Personal: x.personal}, x.language); !d.OK() {
			m.clear(s, k, d.Reason.String(), true)
		}
	}
}

// judgeStanding passes what is shown through the stages quiet, legal, active and guard.
func (m *Mind) judgeStanding(v *guard.View, c guard.Candidate, language string) guard.Verdict {
	if quiet := guard.Quiet(v); !quiet.OK() && !guard.Passes(m.bundle, c.Action.Intent) {
		return quiet
	}
	if d := guard.Legal(v, c); !d.OK() {
		return d
	}
	if d := guard.Active(v, c.Action, language); !d.OK() {
		return d
	}
	return guard.Judge(v, c)
}

// expire books that nobody answered within show_for.
func (m *Mind) expire(s *session, slot int, x *shown) {
	c := x.owner
	if c != nil && m.byHandle[c.Handle] != c {
		c = nil // she went in the meantime
	}
	body := &event.Outcome{Outcome: "ignored", Decision: x.decision, Slot: m.bundle.Slots[slot].Name}
	m.answer(c, x.decision, "ignored", m.now, body, &event.Event{Session: s.name})
	m.clear(s, slot, "expired", false)
}

// releaseServed lets an action be shown again whose conditions were certainly false.
func (m *Mind) releaseServed(s *session) {
	s.served = slices.DeleteFunc(s.served, func(a int32) bool {
		if !m.certainlyFalse(s, &m.bundle.Actions[a]) {
			return false
		}
		u := s.memory[a]
		u.serve = false
		s.memory[a] = u
		return m.now >= u.armed
	})
}

// renewSchedules lets an action be shown again that comes back at its times.
func (m *Mind) renewSchedules(s *session) {
	for _, a := range m.plan.scheduled {
		if u := s.memory[a]; u.serve && u.last < guard.ActiveSince(m.bundle, &m.bundle.Actions[a], m.now) {
			u.serve = false
			s.memory[a] = u
		}
	}
}

func (m *Mind) certainlyFalse(s *session, a *catalog.Action) bool {
	for _, stage := range [...]catalog.Stage{catalog.StageEligible, catalog.StageApplicable, catalog.StageSuitable} {
		group, own, _, _ := conditions(m.bundle, a, stage)
		for _, node := range [...]rule.Node{group, own} {
			if node != rule.None && m.moment.Truth(s.name, node) == rule.False {
				return true
			}
		}
	}
	return false
}

// answerAsk makes the one decision that an ask gets.
func (m *Mind) answerAsk(a pendingAsk) {
	s := a.session
	if x := s.shown[a.slot]; x != nil {
		m.clear(s, int(a.slot), "replaced", false)
		s.spare = x
	}
	s.latest[a.slot] = lately{}
	// What is said with one request holds for that request only.
	if len(a.ask.With) > 0 {
		m.explain() // those before it were made without
	}
	with := len(a.ask.With) > 0 && m.moment.With(s.name, a.ask.With, m.now) == nil
	if with {
		m.moment.Settle(m.now)
	}
	d, choice := m.decide(s, a.slot, a.ask)
	m.freeze(s, a.slot, a.ask, d)
	if with {
		d.Explain()
		m.moment.Without(m.now)
		m.moment.Settle(m.now)
	}
	m.number(d)
	m.show(s, a.slot, d, choice, a.ask)
	intent, _ := catalog.ParseIntent(a.ask.Intent)
	m.asked(s, request{at: m.now, slot: a.ask.Slot, intent: intent, about: a.ask.About})
	s.again = true
}

// silentWithoutPolicy answers an ask while no policy is in charge.
func (m *Mind) silentWithoutPolicy(a pendingAsk) {
	d := &Decision{At: m.now, Session: a.session.name, Slot: a.ask.Slot, Asked: true, Action: silence,
		Cause: catalog.NoPolicy.String(), Propensity: -1, Probability: catalog.One}
	m.number(d)
	m.keep(d, a.session.customer, nil)
}

// offerUnasked fills the free unasked slots of a session, and notes when time alone may let
// something through that fell now.
func (m *Mind) offerUnasked(s *session) {
	s.lapse, s.restless = sense.Never, false
	for _, slot := range m.plan.unasked {
		if s.shown[slot] != nil {
			continue
		}
		d, choice := m.decide(s, slot, nil)
		if choice.lapse > m.now {
			s.lapse = min(s.lapse, choice.lapse)
		}
		s.restless = s.restless || choice.restless
		if d.Action == silence {
			if s.silence[slot] != d.Cause {
				s.silence[slot] = d.Cause
				m.out.Silent = append(m.out.Silent, Silence{*d})
			} else {
				m.unmake(choice.of)
			}
			continue
		}
		s.silence[slot] = ""
		m.freeze(s, slot, nil, d)
		m.number(d)
		m.show(s, slot, d, choice, nil)
	}
}

// number gives a decision its place in the epoch.
func (m *Mind) number(d *Decision) {
	m.decided++
	d.N = m.decided
	d.ID = m.nameOf(d.N)
	d.Policy = m.policy
}

// witness notes on what a decision rests, as far as a record may tell: the ages of what it uses, and
// a hash that a recomputation can be held against. The hash is keyed, since a few values can be guessed;
// and it is another one in each life of the device, so that no two that have one store and one identity
// ever write the same record.
func (m *Mind) witness(s *session, d *Decision) {
	for _, name := range d.Uses {
		age := catalog.NoAge
		if l, ok := m.Look(s.name, name); ok {
			age = l.Age
		}
		d.Ages = append(d.Ages, age)
	}
	b := append(append(m.line[:0], "moment"...), m.cfg.Secret[:]...)
	b = binary.BigEndian.AppendUint64(append(b, m.hash[:]...), m.cfg.Life)
	for k := range m.bundle.Signals {
		v, _, cause := m.moment.Reading(s.name, int32(k))
		b = v.AppendJSON(append(b, byte(cause)))
	}
	if c := s.customer; c != nil {
		b = append(b, c.Handle[:]...)
		b = strconv.AppendUint(b, c.Changed, 10)
	}
	m.line = b
	sum := sha256.Sum256(b)
	copy(d.Moment[:], sum[:])
}

// keep makes a decision durable before it is shown.
func (m *Mind) keep(d *Decision, c *customer, reserved *profile.Exposure) {
	r := Record{Decision: d, Exposure: reserved}
	if c != nil {
		r.Handle = c.Handle
		c.decided(d)
	}
	m.persist(r)
	m.out.Show = append(m.out.Show, d)
}

// show puts a decision on its slot and reserves the contact. What somebody asked herself about
// something sensitive is answered, and leads to nobody afterwards.
func (m *Mind) show(s *session, slot int32, d *Decision, choice choice, ask *event.Ask) {
	m.witness(s, d)
	c := s.customer
	if ask != nil && m.sensitive(ask.About) && (choice.action < 0 || m.sensitive(m.bundle.Actions[choice.action].About)) {
		c = nil // what else she is shown counts as always
	}
	if choice.action < 0 {
		m.keep(d, c, nil)
		return
	}
	a := &m.bundle.Actions[choice.action]
	var reserved *profile.Exposure
	if c != nil {
		reserved = &choice.of.exposure
		*reserved = exposureOf(m.bundle, a, d, m.bundle.Slots[slot].Channel, m.cfg.Leased)
		reserved.Seq = m.seq // keep persists the decision next
		m.reserve(c, *reserved)
	}
	m.keep(d, c, reserved)
	m.spend(a.Name, Showing{N: d.N, At: d.At, Settled: m.cfg.Leased})
	if a.Intent == catalog.Question {
		s.visit().questioned(a.Name, d.ID, m.now)
	}
	x := s.spare
	if s.spare = nil; x == nil {
		x = &shown{}
	}
	*x = shown{decision: d.ID, action: choice.action, personal: d.Treatment == sayPersonal, ambient: choice.ambient,
		asked: d.Asked, language: d.Language, owner: c, at: m.now, until: m.now.Add(m.bundle.Slots[slot].ShowFor)}
	if ask != nil {
		x.intent, _ = catalog.ParseIntent(ask.Intent)
		x.about, x.delivery = ask.About, deliveryOf(ask)
	}
	s.shown[slot], s.latest[slot] = x, lately{decision: d.ID, n: d.N}
	u := s.memory[choice.action]
	u.last, u.serve, u.right, u.armed = m.now, true, false, 0
	s.memory[choice.action] = u
	if !slices.Contains(s.served, choice.action) {
		s.served = append(s.served, choice.action)
	}
	if !d.Asked {
		s.last = m.now
		s.recall(m.bundle, contact.Showing{Action: choice.action, Channel: m.bundle.Slots[slot].Channel, At: m.now})
	}
}

// mostRecent bounds the unasked showings that a session remembers for the waits between them.
const mostRecent = 32

// recall remembers an unasked showing as long as a wait of the policy may count it.
func (s *session) recall(b *catalog.Bundle, one contact.Showing) {
	longest := sense.Duration(0)
	for _, w := range b.Contact.Waits {
		if w.Same != "" {
			longest = max(longest, w.For)
		}
	}
	if longest == 0 {
		return
	}
	s.recent = append(slices.DeleteFunc(s.recent, func(old contact.Showing) bool { return one.At >= old.At.Add(longest) }), one)
	if len(s.recent) > mostRecent {
		s.recent = slices.Delete(s.recent, 0, 1)
	}
}

// finish works out what is wanted and when to wake.
func (m *Mind) finish() {
	if c := m.out.Clear; len(c) > 1 {
		sort.SliceStable(c, func(a, b int) bool {
			return cmp.Or(strings.Compare(c[a].Session, c[b].Session), strings.Compare(c[a].Slot, c[b].Slot)) < 0
		})
	}
	slices.SortStableFunc(m.out.Show, func(a, b *Decision) int {
		return cmp.Or(strings.Compare(a.Session, b.Session), strings.Compare(a.Slot, b.Slot))
	})
	m.renumber()
	m.file()
	m.out.Want = m.want()
	m.wake = m.nextOwn()
	m.out.Wake = m.wake
	m.carry()
}

// renumber lets the numbers of a step's decisions follow the order of their lines. They are made in
// another where an ask is answered and unasked slots are filled in the same step.
func (m *Mind) renumber() {
	if slices.IsSortedFunc(m.out.Show, func(a, b *Decision) int { return cmp.Compare(a.N, b.N) }) {
		return
	}
	first := m.decided - uint64(len(m.out.Show))
	now, number := map[string]*Decision{}, map[uint64]uint64{}
	for k, d := range m.out.Show {
		now[d.ID] = d
		number[d.N] = first + uint64(k) + 1
		d.N = number[d.N]
		d.ID = decisionID(m.cfg.Device, m.cfg.Epoch, d.N)
	}
	m.renumberVolume(number)
	for k := range m.out.Persist {
		if x := m.out.Persist[k].Exposure; x != nil && now[x.Decision] != nil {
			x.Decision = now[x.Decision].ID
		}
	}
	for _, c := range m.shownTo() {
		c.Slice.RenameExposures(func(x *profile.Exposure) {
			if d := now[x.Decision]; d != nil && x.Seq != 0 {
				x.Decision = d.ID
			}
		})
		c.renumber(now)
	}
	for _, s := range m.attended {
		s.own.question.renumber(now)
		for k, x := range s.shown {
			if x != nil && now[x.decision] != nil && x.at == m.now {
				x.decision = now[x.decision].ID
			}
			if d := now[s.latest[k].decision]; d != nil {
				s.latest[k] = lately{decision: d.ID, n: d.N}
			}
		}
	}
}

// shownTo returns the customers to whom this step says something, each once.
func (m *Mind) shownTo() (list []*customer) {
	for k := range m.out.Persist {
		if r := &m.out.Persist[k]; r.Decision != nil {
			if c := m.byHandle[r.Handle]; c != nil && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return list
}

// nextOwn returns the next instant at which the mind has something to do by itself.
func (m *Mind) nextOwn() sense.Instant {
	next := sense.Never
	ahead := func(t sense.Instant) {
		if t > m.now && t < next {
			next = t
		}
	}
	if m.moment != nil {
		ahead(m.moment.Next())
	}
	ahead(m.nextDue())
	if m.bundle == nil {
		return next
	}
	for _, s := range m.attended {
		m.schedule(s)
	}
	ahead(m.wakes.next())
	if m.staying > 0 {
		ahead(m.now.Add(m.bundle.VisitEnds))
	}
	ahead(m.quietTurn)
	ahead(m.activeTurn)
	return next
}
