package engine

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

const (
	silence     = "silence"
	fallback    = "fallback"
	say         = "say"
	sayPersonal = "say_personal"
)

// decisionID names a decision: device, epoch and number.
func decisionID(device string, epoch, n uint64) string {
	return device + "-" + strconv.FormatUint(epoch, 10) + "-" + strconv.FormatUint(n, 10)
}

// appendDecisionID is decisionID into memory of the caller's.
func appendDecisionID(b []byte, device string, epoch, n uint64) []byte {
	b = strconv.AppendUint(append(append(b, device...), '-'), epoch, 10)
	return strconv.AppendUint(append(b, '-'), n, 10)
}

// choice is what a decision came to, beside what it says.
type choice struct {
	action   int32 // -1 for silence
	ambient  bool
	lapse    sense.Instant // when time alone may let one through that fell; Never where none
	restless bool          // one fell that any step may let through: by pressure that eases, or a price or text that lacked a value
	of       *making
}

// view is what guards see of a session and slot now. It holds until the next view is made.
func (m *Mind) view(s *session, slot int32, asked bool) *guard.View {
	v := &m.looked
	if m.past != nil {
		*v = m.past.view()
		return v
	}
	if s.state == nil {
		s.state = func(k int) (rule.Truth, []catalog.Because) {
			return m.moment.StateTruth(s.name, k), m.stateBecause(s, k, &m.room)
		}
	}
	m.room.Begin(m.bundle)
	*v = guard.View{
		Bundle: m.bundle, Now: m.now, Presence: m.presence(s), Slice: m.slice(s), Owners: s.owners,
		By: s.by, Shared: s.shared, Slot: &m.bundle.Slots[slot], Channel: m.bundle.Slots[slot].Channel,
		Asked: asked, HisGoal: s.hisGoal, Clock: m.clock, Spent: m.spentNow(), State: s.state, Room: &m.room,
	}
	if one := s.visit(); one.since != 0 {
		v.VisitSince, v.Requests, v.Questioned, v.Retry = one.since, one.requests, one.question.at, one.question.unusable
	}
	if c := s.customer; c != nil {
		v.Zone = m.zoneOf(v.Slice)
		v.Customer, v.Person = c.Customer, c.person()
		v.Erased = len(m.erased) > 0 && m.erased[m.tombstone(c.Customer)]
		v.ProfileAge, v.LeaseEnded = m.age(c), !c.Here && c.Until != 0
		if v.Slice == nil {
			v.Heard = &c.Slice
		}
		if m.cfg.Budgets && !m.cfg.Leased {
			v.Budgets = &c.Budgets
		}
	}
	return v
}

// mostZones bounds how many zones are remembered; the world has some six hundred.
const mostZones = 1024

// zoneOf returns the zone that a customer declared, nil where there is none that is known.
func (m *Mind) zoneOf(s *profile.Slice) *sense.Zone {
	if s == nil || m.cfg.Zone == nil {
		return nil
	}
	f, ok := s.Find("zone", "")
	if !ok || f.Provenance != event.Declared || f.Value.Kind() != sense.String {
		return nil
	}
	name := f.Value.Str()
	z, known := m.zones[name]
	if !known {
		if rules, err := m.cfg.Zone(name); err == nil {
			z = &rules
		}
		if len(m.zones) < mostZones {
			m.zones[name] = z
		}
	}
	return z
}

// stateBecause names the readings that a state of attention rests on.
func (m *Mind) stateBecause(s *session, k int, room *guard.Room) []catalog.Because {
	var all [catalog.MostBecause]catalog.Because
	n := 0
	for _, signal := range m.bundle.States[k].Inputs {
		if n == len(all) {
			break
		}
		v, age, _ := m.moment.Reading(s.name, signal)
		all[n] = catalog.Because{Name: m.bundle.Signals[signal].Name, Value: v, Age: age}
		n++
	}
	return room.Because(all[:n]...)
}

// decide chooses what to say in a slot; ask is nil where nobody asked. What it returns is lent: see Output.
func (m *Mind) decide(s *session, slot int32, ask *event.Ask) (*Decision, choice) {
	v := m.view(s, slot, ask != nil)
	language := s.language
	if ask != nil {
		if slices.Contains(m.bundle.Languages, ask.Language) {
			language = ask.Language
		}
		v.AskIntent, _ = catalog.ParseIntent(ask.Intent)
		v.AskAbout, v.Delivery = ask.About, deliveryOf(ask)
	}
	at := m.begin(slot).set(m.settingOf(s, v, guard.Quiet(v), m.language(language, v)))
	v = at.v
	m.lookAt(at)
	d := &at.of.decision
	d.At, d.Session, d.Slot, d.Customer, d.Asked = m.now, s.name, m.bundle.Slots[slot].Name, v.Customer, ask != nil
	d.Language, d.Probability, d.Policy = at.language, catalog.One, m.policy
	count := 1
	if ask != nil && ask.Count > 1 {
		count = ask.Count
	}
	won := m.choose(at, d, at.of.candidates, count)
	if won == nil && (ask != nil || !m.tellsSilence(at)) {
		m.lookAtRest(at)
	}
	if won == nil && ask != nil && at.quiet.OK() {
		won = m.fallBack(at, d, slot, at.of.candidates)
	}
	all := at.of.candidates
	c := choice{action: -1, lapse: sense.Never, of: at.of}
	if won == nil {
		d.Action, d.Propensity = silence, -1
		d.Cause = m.silenceCause(at, all, ask != nil).String()
	} else {
		c.action, c.ambient = won.action, won.ambient
		at.of.won, at.of.winner = won.action, won.entry
	}
	for k := range all {
		x := &all[k]
		if x.action == c.action || x.stage == 0 {
			continue
		}
		if x.until > m.now {
			c.lapse = min(c.lapse, x.until)
		}
		c.restless = c.restless || x.pressed && x.stage == catalog.StageValue || x.stage == catalog.StageTreatment || x.unpriced
	}
	at.of.mayShow = guard.MayShow(v)
	return d, c
}

// language returns the first of the session's, the customer's declared and the policy's first language that the policy speaks.
func (m *Mind) language(wanted string, v *guard.View) string {
	if slices.Contains(m.bundle.Languages, wanted) {
		return wanted
	}
	if v.Slice != nil {
		if f, ok := v.Slice.Find("language", ""); ok && f.Provenance == event.Declared && slices.Contains(m.bundle.Languages, f.Value.Str()) {
			return f.Value.Str()
		}
	}
	if len(m.bundle.Languages) == 0 {
		return ""
	}
	return m.bundle.Languages[0]
}

// exposureOf is the contact that a decision reserves.
func exposureOf(b *catalog.Bundle, a *catalog.Action, d *Decision, channel string, acknowledged bool) profile.Exposure {
	x := profile.Exposure{Decision: d.ID, Action: a.Name, Intent: a.Intent.String(), About: a.About, Channel: channel, Slot: d.Slot, At: d.At}
	if a.Group >= 0 {
		x.Group = b.Groups[a.Group].Name
	}
	if acknowledged {
		x.Shown = d.At
	}
	return x
}

// reserve books the contact with the customer.
func (m *Mind) reserve(c *customer, x profile.Exposure) {
	c.Slice.AddExposure(x)
	c.Changed++
	m.note(c)
}
