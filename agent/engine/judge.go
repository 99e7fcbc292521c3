package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// candidate is an action on its way through the stages.
type candidate struct {
	action    int32
	unmet     rule.Node     // the condition at which it fell, whose because is looked up on demand; None where another reason
	stage     catalog.Stage // where it fell; 0 while it stands
	reason    catalog.Reason
	personal  bool
	ambient   bool
	mandatory bool
	foremost  bool
	appraised bool // value is known
	pressed   bool // its bother is more than its own
	unpriced  bool // it fell since its price is not known
	again     bool // a question whose first answer could not be used
	because   []catalog.Because
	until     sense.Instant
	value     catalog.Micro // what it is worth, once it is appraised
	price     catalog.Micro // where the action has one that depends on the moment
	treatment *catalog.Treatment
	text      *Text
	entry     arbiter.Candidate // how it is ranked, once it stands
}

// fall marks where and why the candidate fell.
func (c *candidate) fall(stage catalog.Stage, d guard.Verdict) {
	c.stage, c.reason, c.because, c.until = stage, d.Reason, d.Because, d.Until
}

// setting is what is the same for all candidates of one decision.
type setting struct {
	s        *session
	v        *guard.View
	on       *rule.Eval // the conditions of the session
	quiet    guard.Verdict
	language string
	spoken   int           // the language's place in the policy, -1 where it has none
	pressure catalog.Micro // of what was said to the customer before
	of       *making       // the decision that is being made; nil where candidates are judged for their own sake
	legal    []lawful      // by purpose: what is the same for all actions for it
}

// lawful is what the stage legal says of what is for one purpose and asks for nothing else.
type lawful struct {
	judged  bool
	verdict guard.Verdict
}

// settingOf returns the setting of a view. It holds until the next one is made.
func (m *Mind) settingOf(s *session, v *guard.View, quiet guard.Verdict, language string) *setting {
	legal := m.setting.legal
	if len(legal) != len(m.bundle.Purposes) {
		legal = make([]lawful, len(m.bundle.Purposes))
	}
	clear(legal)
	m.setting = setting{s: s, v: v, on: m.moment.Conditions(s.name), quiet: quiet, language: language, spoken: slices.Index(m.bundle.Languages, language),
		pressure: contact.Pressure(m.bundle, v.Slice, m.now), legal: legal}
	return &m.setting
}

// judge passes an action through the stages before ranking, in the first of its treatments that comes through.
func (m *Mind) judge(s *session, v *guard.View, index int32, quiet guard.Verdict, language string) (c candidate) {
	at := m.settingOf(s, v, quiet, language)
	m.stand(at, &c, index)
	m.appraise(at, &c)
	if c.stage == 0 {
		m.dress(at, &c)
	}
	return c
}

// stand passes an action through the stages quiet to value in its first treatment; where the manners or the law
// hold that one back, in the other, if it comes further.
func (m *Mind) stand(at *setting, c *candidate, index int32) {
	q := &m.plan.quick[index]
	if m.plainly { // actions may be others
		now := quickOfAction(m.bundle, &m.bundle.Actions[index])
		q = &now
	}
	c.action, c.unmet, c.treatment, c.personal, c.ambient = index, rule.None, q.first, q.personal, q.ambient
	m.pass(at, c)
	if c.stage == catalog.StageLegal || c.stage == catalog.StageGuard { // no other stage looks at the treatment
		if o, ok := m.inOther(at, c); ok && (o.stage == 0 || o.stage > c.stage) {
			*c = o
		}
	}
}

// inOther passes the action of a candidate in its first treatment through the stages in its other one; false where
// there is none.
func (m *Mind) inOther(at *setting, c *candidate) (o candidate, ok bool) {
	a := &m.bundle.Actions[c.action]
	if !c.personal || a.Say == nil {
		return o, false
	}
	o = candidate{action: c.action, unmet: rule.None, treatment: a.Say, ambient: a.Say.Ambient}
	m.pass(at, &o)
	return o, true
}

// dress fills the text of a candidate that stands, in the first of its treatments that fits and comes through. Where
// none does it leaves the reason of the stage treatment, which is told only if the candidate would have won.
func (m *Mind) dress(at *setting, c *candidate) {
	if m.fit(at, c) {
		return
	}
	if o, ok := m.inOther(at, c); ok && o.stage == 0 && m.fit(at, &o) {
		o.entry = c.entry
		*c = o
	}
}

// expected returns what an action is worth here and now, and whether earlier contacts take from it.
func (m *Mind) expected(s *session, v *guard.View, a *catalog.Action) (value catalog.Micro, pressed bool) {
	return m.worthOf(m.moment.Conditions(s.name), contact.Pressure(m.bundle, v.Slice, m.now), a)
}

// appraise works out what a candidate is worth.
func (m *Mind) appraise(at *setting, c *candidate) {
	if c.appraised {
		return
	}
	c.appraised = true
	if w := &m.plan.worths[c.action]; w.fixed && !m.plainly {
		pressure := at.pressure
		if w.exempt {
			pressure = 0
		}
		c.value, c.pressed = w.under(m.bundle, pressure)
		return
	}
	c.value, c.pressed = m.worthOf(at.on, at.pressure, &m.bundle.Actions[c.action])
}

// worthOf returns what an action is worth under a pressure, and whether that takes from it.
func (m *Mind) worthOf(on *rule.Eval, pressure catalog.Micro, a *catalog.Action) (value catalog.Micro, pressed bool) {
	if a.ExemptPressure {
		pressure = 0 // its own bother and the floor count
	}
	bother := contact.Bothers(m.bundle, pressure, a.Bother)
	pressed = pressure > 0 && bother > contact.Bothers(m.bundle, 0, a.Bother)
	factors := append(m.factors[:0], a.Propensity, a.Lever)
	factors = weigh(on, factors, a.Weights)
	if a.Group >= 0 {
		g := &m.bundle.Groups[a.Group]
		factors = weigh(on, append(factors, g.Lever), g.Weights)
	}
	m.factors = factors
	return arbiter.Expected(a.Value, bother+a.Elsewhere, factors...), pressed
}

// weigh adds the factors of the weights whose condition is certain to hold.
func weigh(on *rule.Eval, factors []catalog.Micro, weights []catalog.Weight) []catalog.Micro {
	for _, w := range weights {
		if w.When == rule.None || on.Truth(w.When) == rule.True {
			factors = append(factors, w.Factor)
		}
	}
	return factors
}

// pass sends a candidate through the stages quiet to value.
func (m *Mind) pass(at *setting, c *candidate) {
	if !m.passQuickly(at, c) {
		m.passSlowly(at, c)
	}
	if c.stage == 0 {
		m.passManners(at, c)
	}
}

// passSlowly sends a candidate through the stages quiet to suitable.
func (m *Mind) passSlowly(at *setting, c *candidate) {
	a, v := &m.bundle.Actions[c.action], at.v
	if !at.quiet.OK() && !guard.Passes(m.bundle, a.Intent) {
		c.fall(catalog.StageQuiet, at.quiet)
		return
	}
	gc := guard.Candidate{Action: a, Ambient: c.ambient, Personal: c.personal}
	if d := m.lawful(at, gc); !d.OK() {
		c.fall(catalog.StageLegal, d)
		return
	}
	if d := guard.Active(v, a, at.language); !d.OK() {
		c.fall(catalog.StageActive, d)
		return
	}
	for _, stage := range [...]catalog.Stage{catalog.StageEligible, catalog.StageApplicable, catalog.StageSuitable} {
		if m.condition(at, stage, c); c.stage != 0 {
			return
		}
	}
}

// passManners sends a candidate through the stages guard to value.
func (m *Mind) passManners(at *setting, c *candidate) {
	a, v := &m.bundle.Actions[c.action], at.v
	gc := guard.Candidate{Action: a, Ambient: c.ambient, Personal: c.personal}
	retry := v.Retry
	c.again = retry && asksAgain(v, a)
	v.Retry = c.again
	d := guard.Judge(v, gc)
	if v.Retry = retry; !d.OK() {
		c.fall(catalog.StageGuard, d)
		return
	}
	if d := contact.Judge(v, a, m.unaskedOf(at, c)); !d.OK() {
		c.fall(catalog.StageContact, d)
		return
	}
	c.mandatory, c.foremost = guard.Mandatory(v, a), guard.Foremost(v, a)
	m.appraise(at, c)
	if reason := c.worth(v.Slot); reason != catalog.NoReason {
		c.stage, c.reason = catalog.StageValue, reason
	}
}

// lawful passes a candidate through the stage legal. Of most actions it looks at nothing but the purpose.
func (m *Mind) lawful(at *setting, c guard.Candidate) guard.Verdict {
	if c.Ambient || !guard.ByPurpose(m.bundle, c.Action) {
		return guard.Legal(at.v, c)
	}
	one := &at.legal[c.Action.Purpose]
	if !one.judged {
		one.judged, one.verdict = true, guard.Legal(at.v, c)
	}
	return one.verdict
}

// asksAgain says whether an action is the question that was shown last in the visit.
func asksAgain(v *guard.View, a *catalog.Action) bool {
	if v.Slice == nil {
		return false
	}
	for k := len(v.Slice.Exposures) - 1; k >= 0; k-- {
		if x := &v.Slice.Exposures[k]; x.Intent == catalog.Question.String() && !x.Failed {
			return x.Action == a.Name
		}
	}
	return false
}

// unaskedOf is what the session remembers of showing the candidate; nothing where somebody asks. What is asked
// again was not answered: it is not served yet.
func (m *Mind) unaskedOf(at *setting, c *candidate) contact.Unasked {
	s := at.s
	switch {
	case at.v.Asked:
		return contact.Unasked{}
	case c.again:
		return contact.Unasked{LastOfAny: s.last, Recent: s.recent}
	}
	u := s.memory[c.action]
	return contact.Unasked{LastShown: u.last, LastOfAny: s.last, Served: u.serve && !m.putOff(s, c.action), Recent: s.recent}
}

// putOff says whether the customer's last word on an action was later, where the policy gives later a
// time: once that is over, she wants to hear of it again.
func (m *Mind) putOff(s *session, action int32) bool {
	slice := m.slice(s)
	if slice == nil || !slices.ContainsFunc(m.bundle.Contact.Pauses, func(p catalog.Pause) bool { return p.After == "later" }) {
		return false
	}
	var last *profile.Exposure
	for k := range slice.Exposures {
		if x := &slice.Exposures[k]; x.Action == m.bundle.Actions[action].Name && (last == nil || x.At >= last.At) {
			last = x
		}
	}
	return last != nil && slices.ContainsFunc(last.Outcomes, func(o profile.Outcome) bool { return o.Outcome == "later" })
}

// conditions are the group's and the action's own, per stage, with the reasons of being false.
func conditions(b *catalog.Bundle, a *catalog.Action, stage catalog.Stage) (group, own rule.Node, groupNot, ownNot catalog.Reason) {
	g := catalog.Group{Eligible: rule.None, Applicable: rule.None, Suitable: rule.None}
	if a.Group >= 0 {
		one := &b.Groups[a.Group]
		g.Eligible, g.Applicable, g.Suitable = one.Eligible, one.Applicable, one.Suitable
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
func (m *Mind) condition(at *setting, stage catalog.Stage, c *candidate) {
	a := &m.bundle.Actions[c.action]
	group, own, groupNot, ownNot := conditions(m.bundle, a, stage)
	if reason := m.unmet(at, group, groupNot); reason != catalog.NoReason {
		c.stage, c.reason, c.unmet = stage, reason, group
		return
	}
	if reason := m.unmet(at, own, ownNot); reason != catalog.NoReason && !(stage == catalog.StageApplicable && m.stillArmed(at.s, c.action, reason)) {
		c.stage, c.reason, c.unmet = stage, reason, own
		return
	}
	if stage == catalog.StageApplicable {
		m.deliverable(at, a, c)
	}
}

// deliverable asks of an applicable action for its price, for what must be known to deliver it, and
// whether it comes in time.
func (m *Mind) deliverable(at *setting, a *catalog.Action, c *candidate) {
	v := at.v
	price, d := m.priceOf(at, a)
	c.price, c.unpriced = price, !d.OK()
	if d.OK() {
		d = m.delivered(at.s, v, a)
	}
	if d.OK() && a.Before >= 0 && v.Slice != nil {
		due, ok, _ := v.Slice.DueOf(m.bundle, a.Before, a.About, m.now)
		if !ok { // none is about what the action is about: it is one of those that go with it, as weather with a flight
			due, ok, _ = v.Slice.DueOf(m.bundle, a.Before, "", m.now)
		}
		if ok && m.now >= due {
			k := m.bundle.Kinds[a.Before].Name
			d = guard.Verdict{Reason: catalog.TooLate, Because: v.Room.Because(catalog.Because{Name: k, Value: sense.TimestampValue(due), Age: m.now.Sub(due)})}
		}
	}
	if !d.OK() {
		c.fall(catalog.StageApplicable, d)
	}
}

// unmet says why a condition does not hold, NoReason where it does; none holds always. not is the
// reason of being certainly false.
func (m *Mind) unmet(at *setting, node rule.Node, not catalog.Reason) catalog.Reason {
	if node == rule.None {
		return catalog.NoReason
	}
	switch at.on.Truth(node) {
	case rule.True:
		return catalog.NoReason
	case rule.Unknown:
		if r := at.on.Result(node); r.Cause != rule.Known {
			return lookReasons[r.Cause]
		}
		return not
	}
	if m.plan.entering[node] {
		if reason, _ := m.moment.Why(at.s.name, node); reason != catalog.NoReason {
			return reason // the place was left
		}
	}
	return not
}

// worth asks whether an appraised candidate is worth its bother in a slot.
func (c *candidate) worth(slot *catalog.Slot) catalog.Reason {
	switch {
	case c.mandatory:
	case c.value <= 0:
		return catalog.NotWorthBother
	case c.value < slot.Minimum:
		return catalog.BelowMinimum
	}
	return catalog.NoReason
}
