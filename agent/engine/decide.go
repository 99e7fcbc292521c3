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

// choice is what a decision came to, beside what it says.
type choice struct {
	action   int32 // -1 for silence
	ambient  bool
	lapse    sense.Instant // when time alone may let one through that fell; Never where none
	restless bool          // one fell that any step may let through: by pressure that eases, or a price or text that lacked a value
	repeated bool          // an unasked silence for the cause of the one before: why the others fell was not worked out
}

// view is what guards see of a session and slot now.
func (m *Mind) view(s *session, slot int32, asked bool) guard.View {
	if m.past != nil {
		return m.past.view()
	}
	v := guard.View{
		Bundle: m.bundle, Now: m.now, Presence: m.presence(s), Slice: m.slice(s), Owners: s.owners,
		By: s.by, Shared: s.shared, Slot: &m.bundle.Slots[slot], Channel: m.bundle.Slots[slot].Channel,
		Asked: asked, HisGoal: s.hisGoal, Clock: m.clock, Spent: m.spentNow(),
		State: func(k int) (rule.Truth, []catalog.Because) {
			return m.moment.StateTruth(s.name, k), m.stateBecause(s, k)
		},
	}
	if one := s.visit(); one.since != 0 {
		v.VisitSince, v.Requests, v.Questioned, v.Retry = one.since, one.requests, one.question.at, one.question.unusable
	}
	if c := s.customer; c != nil {
		v.Zone = m.zoneOf(v.Slice)
		v.Customer, v.Person = c.Customer, c.person()
		v.Erased = m.erased[m.tombstone(c.Customer)]
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
func (m *Mind) stateBecause(s *session, k int) []catalog.Because {
	var all []catalog.Because
	for _, signal := range m.bundle.States[k].Inputs {
		v, age, _ := m.moment.Reading(s.name, signal)
		all = append(all, catalog.Because{Name: m.bundle.Signals[signal].Name, Value: v, Age: age})
	}
	return all[:min(len(all), catalog.MostBecause)]
}

// decide chooses what to say in a slot; ask is nil where nobody asked.
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
	quiet := guard.Quiet(&v)
	language = m.language(language, &v)
	candidates := m.candidates[:0]
	for _, a := range m.plan.candidates[slot] {
		candidates = append(candidates, m.judge(s, &v, a, quiet, language))
	}
	m.candidates = candidates
	d := &Decision{At: m.now, Session: s.name, Slot: m.bundle.Slots[slot].Name, Customer: v.Customer, Asked: ask != nil,
		Language: language, Probability: catalog.One, Policy: m.policy}
	count := 1
	if ask != nil && ask.Count > 1 {
		count = ask.Count
	}
	won := m.choose(&v, d, candidates, count)
	if won == nil && ask != nil && quiet.OK() {
		won = m.fallBack(s, &v, d, slot, candidates, language)
	}
	c := choice{action: -1, lapse: sense.Never}
	if won == nil {
		d.Action, d.Propensity = silence, -1
		d.Cause = m.silenceCause(candidates, quiet, ask != nil).String()
		c.repeated = ask == nil && s.silence[slot] == d.Cause
	} else {
		c.action, c.ambient = won.action, won.ambient
	}
	for k := range candidates {
		x := &candidates[k]
		if x == won || x.stage == 0 {
			continue
		}
		if x.until > m.now {
			c.lapse = min(c.lapse, x.until)
		}
		c.restless = c.restless || x.pressed && x.stage == catalog.StageValue || x.stage == catalog.StageTreatment || x.unpriced
		if !c.repeated {
			d.Rejected = append(d.Rejected, Rejected{Action: m.bundle.Actions[x.action].Name, Stage: x.stage, Reason: x.reason, Because: m.because(s, x), Value: x.value})
		}
	}
	m.unsay(&v, d)
	return d, c
}

// because names what decided that a candidate fell. What keeps a condition from being true is looked
// up only here: most steps only ask whether it is.
func (m *Mind) because(s *session, c *candidate) []catalog.Because {
	if c.because == nil && c.unmet != rule.None {
		_, c.because = m.moment.Why(s.name, c.unmet)
	}
	return c.because
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
