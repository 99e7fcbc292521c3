package engine

import (
	"slices"
	"strconv"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
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
	restless bool          // one fell that any step may let through: by pressure that eases, or a text that lacked a value
}

// candidate is an action on its way through the stages.
type candidate struct {
	action    int32
	stage     catalog.Stage // where it fell; 0 while it stands
	reason    catalog.Reason
	because   []catalog.Because
	until     sense.Instant
	value     catalog.Micro
	showings  int
	treatment *catalog.Treatment
	personal  bool
	ambient   bool
	pressed   bool // its bother is more than its own
	text      *Text
}

// fall marks where and why the candidate fell.
func (c *candidate) fall(stage catalog.Stage, d guard.Verdict) {
	c.stage, c.reason, c.because, c.until = stage, d.Reason, d.Because, d.Until
}

// view is what guards see of a session and slot now.
func (m *Mind) view(s *session, slot int32, asked bool) guard.View {
	if m.past != nil {
		return m.past.view()
	}
	v := guard.View{
		Bundle: m.bundle, Now: m.now, Presence: m.presence(s), Slice: m.slice(s), Owners: s.owners,
		By: s.by, Shared: s.shared, Slot: &m.bundle.Slots[slot], Channel: m.bundle.Slots[slot].Channel,
		Asked: asked, HisGoal: s.hisGoal, Clock: m.clock,
		State: func(k int) (rule.Truth, []catalog.Because) {
			return m.moment.StateTruth(s.name, k), m.stateBecause(s, k)
		},
	}
	if c := s.customer; c != nil {
		v.Zone = m.zoneOf(v.Slice)
		v.Customer, v.Person = c.Customer, c.person()
		v.Erased = m.erased[m.tombstone(c.Customer)]
		v.ProfileAge, v.LeaseEnded = m.age(c), !c.Here && c.Until != 0
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
		v.AskAbout = ask.About
	}
	quiet := guard.Quiet(&v)
	language = m.language(language, &v)
	candidates := make([]candidate, 0, len(m.plan.candidates[slot]))
	for _, a := range m.plan.candidates[slot] {
		candidates = append(candidates, m.judge(s, &v, a, quiet, language))
	}
	d := &Decision{At: m.now, Session: s.name, Slot: m.bundle.Slots[slot].Name, Customer: v.Customer, Asked: ask != nil,
		Language: language, Probability: catalog.One, Policy: m.policy}
	count := 1
	if ask != nil && ask.Count > 1 {
		count = ask.Count
	}
	won := m.choose(d, candidates, count)
	if won == nil && ask != nil && quiet.OK() {
		won = m.fallBack(s, &v, d, slot, candidates, language)
	}
	c := choice{action: -1, lapse: sense.Never}
	if won == nil {
		d.Action, d.Propensity = silence, -1
		d.Cause = m.silenceCause(candidates, quiet, ask != nil).String()
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
		c.restless = c.restless || x.pressed && x.stage == catalog.StageValue || x.stage == catalog.StageTreatment
		d.Rejected = append(d.Rejected, Rejected{Action: m.bundle.Actions[x.action].Name, Stage: x.stage, Reason: x.reason, Because: x.because, Value: x.value})
	}
	return d, c
}

// judge passes an action through the stages before ranking, in the first of its
// treatments that comes through.
func (m *Mind) judge(s *session, v *guard.View, index int32, quiet guard.Verdict, language string) candidate {
	a := &m.bundle.Actions[index]
	best := candidate{action: -1}
	pressing := v.Slice
	if a.ExemptPressure {
		pressing = nil // its own bother and the floor count
	}
	bother := contact.Bother(m.bundle, pressing, a.Bother, m.now)
	pressed := bother > contact.Bother(m.bundle, nil, a.Bother, m.now)
	lever := catalog.One
	if a.Group >= 0 {
		lever = m.bundle.Groups[a.Group].Lever
	}
	value := arbiter.Expected(a.Value, bother, a.Propensity, a.Lever, lever)
	for k, t := range [...]*catalog.Treatment{a.SayPersonal, a.Say} {
		if t == nil && (k == 0 || a.SayPersonal != nil) {
			continue // an action without any treatment is judged all the same, and falls at the last stage
		}
		c := candidate{action: index, value: value, treatment: t, personal: k == 0, ambient: t != nil && t.Ambient, pressed: pressed, showings: showings(v.Slice, a.Name)}
		m.pass(s, v, &c, quiet)
		if c.stage == 0 && m.fit(s, v, &c, language) {
			return c
		}
		if first := best.action < 0; first || c.further(&best) {
			best = c
		}
	}
	return best
}

// further says whether c came further than o: through every stage but the last, or to a later one.
func (c *candidate) further(o *candidate) bool {
	return o.stage != 0 && (c.stage == 0 || c.stage > o.stage)
}

func showings(s *profile.Slice, action string) (n int) {
	if s == nil {
		return 0
	}
	for k := range s.Exposures {
		if x := &s.Exposures[k]; x.Action == action && !x.Failed {
			n++
		}
	}
	return n
}

// pass sends a candidate through the stages quiet to value.
func (m *Mind) pass(s *session, v *guard.View, c *candidate, quiet guard.Verdict) {
	a := &m.bundle.Actions[c.action]
	gc := guard.Candidate{Action: a, Ambient: c.ambient, Personal: c.personal}
	if !quiet.OK() && !guard.Passes(m.bundle, a.Intent) {
		c.fall(catalog.StageQuiet, quiet)
		return
	}
	if d := guard.Legal(v, gc); !d.OK() {
		c.fall(catalog.StageLegal, d)
		return
	}
	for _, stage := range [...]catalog.Stage{catalog.StageEligible, catalog.StageApplicable, catalog.StageSuitable} {
		if d := m.condition(s, v, stage, c.action); !d.OK() {
			c.fall(stage, d)
			return
		}
	}
	if d := guard.Judge(v, gc); !d.OK() {
		c.fall(catalog.StageGuard, d)
		return
	}
	u := s.memory[c.action]
	if d := contact.Judge(v, a, contact.Unasked{LastShown: u.last, LastOfAny: s.last, Served: u.serve}); !d.OK() {
		c.fall(catalog.StageContact, d)
		return
	}
	if d := m.worth(v, a, c.value); !d.OK() {
		c.fall(catalog.StageValue, d)
	}
}

// conditions are the group's and the action's own, per stage, with the reasons of being false.
func conditions(b *catalog.Bundle, a *catalog.Action, stage catalog.Stage) (group, own rule.Node, groupNot, ownNot catalog.Reason) {
	g := catalog.Group{Eligible: rule.None, Applicable: rule.None, Suitable: rule.None}
	if a.Group >= 0 {
		g = b.Groups[a.Group]
	}
	switch stage {
	case catalog.StageEligible:
		return g.Eligible, a.Eligible, catalog.GroupNotEligible, catalog.NotEligible
	case catalog.StageApplicable:
		return g.Applicable, a.Applicable, catalog.GroupNotApplicable, catalog.NotApplicable
	}
	return g.Suitable, a.Suitable, catalog.GroupNotSuitable, catalog.NotSuitable
}

// condition judges one of the three stages that authors write: a permission needs certain truth.
func (m *Mind) condition(s *session, v *guard.View, stage catalog.Stage, index int32) guard.Verdict {
	a := &m.bundle.Actions[index]
	group, own, groupNot, ownNot := conditions(m.bundle, a, stage)
	if d := m.holds(s, group, groupNot); !d.OK() {
		return d
	}
	d := m.holds(s, own, ownNot)
	if stage != catalog.StageApplicable {
		return d
	}
	if a.KeepArmed > 0 {
		d = m.stillArmed(s, index, d)
	}
	if d.OK() && a.Before >= 0 && v.Slice != nil {
		if due, ok, _ := v.Slice.DueOf(m.bundle, a.Before, a.About, m.now); ok && m.now >= due {
			k := m.bundle.Kinds[a.Before].Name
			return guard.Verdict{Reason: catalog.TooLate, Because: []catalog.Because{{Name: k, Value: sense.TimestampValue(due), Age: m.now.Sub(due)}}}
		}
	}
	return d
}

func (m *Mind) holds(s *session, node rule.Node, not catalog.Reason) guard.Verdict {
	if node == rule.None || m.moment.Truth(s.name, node) == rule.True {
		return guard.Verdict{}
	}
	reason, because := m.moment.Why(s.name, node)
	if reason == catalog.NoReason {
		reason = not
	}
	return guard.Verdict{Reason: reason, Because: because}
}

// worth asks whether the action is worth its bother here.
func (m *Mind) worth(v *guard.View, a *catalog.Action, value catalog.Micro) guard.Verdict {
	because := []catalog.Because{{Name: a.Name, Value: sense.MoneyValue(value), Age: catalog.NoAge}}
	switch {
	case a.Mandatory:
		return guard.Verdict{}
	case value <= 0:
		because[0].Needed = "> 0"
		return guard.Verdict{Reason: catalog.NotWorthBother, Because: because}
	case value < v.Slot.Minimum:
		because[0].Needed = ">= " + string(sense.AppendMicro(nil, v.Slot.Minimum, 6))
		return guard.Verdict{Reason: catalog.BelowMinimum, Because: because}
	}
	return guard.Verdict{}
}

// choose ranks what is left and says why the others lost; nil where nothing is left.
func (m *Mind) choose(d *Decision, all []candidate, count int) *candidate {
	var ranked []*candidate
	for k := range all {
		if all[k].stage == 0 {
			ranked = append(ranked, &all[k])
		}
	}
	entry := func(c *candidate) arbiter.Candidate {
		return arbiter.Candidate{Index: c.action, Mandatory: m.bundle.Actions[c.action].Mandatory, Value: c.value, Showings: c.showings}
	}
	slices.SortFunc(ranked, func(a, b *candidate) int { return arbiter.Better(entry(a), entry(b)) })
	var won *candidate
	listed := 0
	for _, c := range ranked {
		switch {
		case c.text == nil && (won == nil || listed < count-1):
			// No treatment fits: reason and because were left by fit.
			c.stage = catalog.StageTreatment
		case won == nil:
			won = c
			m.fill(d, c)
		case listed < count-1:
			listed++
			a := &m.bundle.Actions[c.action]
			d.List = append(d.List, Ranked{Action: a.Name, Treatment: c.treatmentName(), Text: c.text, Value: c.value, Propensity: a.Propensity, Probability: catalog.One})
		case count > 1:
			c.fall(catalog.StageRanked, guard.Verdict{Reason: catalog.ListFull})
		default:
			lost := guard.Verdict{Reason: arbiter.WhyLost(entry(won), entry(c))}
			lost.Because = []catalog.Because{{Name: m.bundle.Actions[c.action].Name, Value: sense.MoneyValue(c.value), Age: catalog.NoAge, Needed: needed(lost.Reason, won.value)}}
			c.fall(catalog.StageRanked, lost)
		}
	}
	return won
}

func needed(r catalog.Reason, winner catalog.Micro) string {
	if r == catalog.LostByValue {
		return "> " + string(sense.AppendMicro(nil, winner, 6))
	}
	return ""
}

func (c *candidate) treatmentName() string {
	if c.personal {
		return sayPersonal
	}
	return say
}

// fill writes the winner into the decision.
func (m *Mind) fill(d *Decision, c *candidate) {
	a := &m.bundle.Actions[c.action]
	d.Action, d.Treatment, d.Text = a.Name, c.treatmentName(), c.text
	d.Value, d.Propensity = c.value, a.Propensity
	d.Uses = merged(a.Uses, c.treatment.Uses)
}

// merged returns the names of two ordered lists, in order, once each.
func merged(a, b []string) []string {
	all := append(append([]string{}, a...), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// fallBack says what the slot says when nothing else is worth saying, as far as the manners allow.
func (m *Mind) fallBack(s *session, v *guard.View, d *Decision, slot int32, all []candidate, language string) *candidate {
	index := m.bundle.Slots[slot].Fallback
	if index < 0 {
		return nil
	}
	a := &m.bundle.Actions[index]
	for k, t := range [...]*catalog.Treatment{a.SayPersonal, a.Say} {
		if t == nil {
			continue
		}
		// It need not be worth its bother, and asks for everything else: a fallback with a condition waits for it.
		c := &candidate{action: index, treatment: t, personal: k == 0, ambient: t.Ambient}
		if m.pass(s, v, c, guard.Verdict{}); c.stage != 0 && c.stage != catalog.StageValue || !m.fit(s, v, c, language) {
			continue
		}
		c.stage = 0
		m.fill(d, c)
		d.Cause, d.Value = fallback, 0
		for n := range all {
			if all[n].action == index {
				all[n].stage = 0 // it is what is shown, so it was not rejected
			}
		}
		return c
	}
	return nil
}

// silenceCause gives the one cause of a silence.
func (m *Mind) silenceCause(all []candidate, quiet guard.Verdict, asked bool) catalog.Reason {
	if !quiet.OK() {
		for k := range all {
			c := &all[k]
			if c.stage == catalog.StageQuiet {
				continue
			}
			switch c.reason {
			case catalog.InputIsUnknown, catalog.SignalStale, catalog.FactStale, catalog.FactMissing:
				return c.reason // a warning that could not be judged must be seen
			}
		}
		return quiet.Reason
	}
	if len(all) == 0 {
		return catalog.NoCandidates
	}
	furthest := &all[0]
	inapplicable := true
	for k := range all {
		c := &all[k]
		if c.reason == catalog.ControlGroup {
			return catalog.ControlGroup
		}
		inapplicable = inapplicable && (c.reason == catalog.NotApplicable || c.reason == catalog.GroupNotApplicable)
		switch {
		case c.stage != furthest.stage:
			if c.stage > furthest.stage {
				furthest = c
			}
		case c.value > furthest.value, c.value == furthest.value && c.reason < furthest.reason:
			furthest = c
		}
	}
	if !asked && inapplicable {
		return catalog.NothingAsked
	}
	return furthest.reason
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
}
