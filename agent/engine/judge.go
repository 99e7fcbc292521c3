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
	stage     catalog.Stage // where it fell; 0 while it stands
	reason    catalog.Reason
	because   []catalog.Because
	unmet     rule.Node // the condition at which it fell, whose because is not looked up yet; None where another reason
	until     sense.Instant
	value     catalog.Micro
	price     catalog.Micro // where the action has one that depends on the moment
	treatment *catalog.Treatment
	personal  bool
	ambient   bool
	mandatory bool
	foremost  bool
	pressed   bool // its bother is more than its own
	unpriced  bool // it fell since its price is not known
	again     bool // a question whose first answer could not be used
	text      *Text
	entry     arbiter.Candidate // how it is ranked, once it stands
}

// fall marks where and why the candidate fell.
func (c *candidate) fall(stage catalog.Stage, d guard.Verdict) {
	c.stage, c.reason, c.because, c.until = stage, d.Reason, d.Because, d.Until
}

// judge passes an action through the stages before ranking, in the first of its
// treatments that comes through.
func (m *Mind) judge(s *session, v *guard.View, index int32, quiet guard.Verdict, language string) candidate {
	a := &m.bundle.Actions[index]
	best := candidate{action: -1, unmet: rule.None}
	value, pressed := m.expected(s, v, a)
	for k, t := range [...]*catalog.Treatment{a.SayPersonal, a.Say} {
		if t == nil && (k == 0 || a.SayPersonal != nil) {
			continue // an action without any treatment is judged all the same, and falls at the last stage
		}
		c := candidate{action: index, unmet: rule.None, value: value, treatment: t, personal: k == 0, ambient: t != nil && t.Ambient, pressed: pressed}
		m.pass(s, v, &c, quiet, language)
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

// expected returns what an action is worth here and now, and whether earlier contacts take from it.
func (m *Mind) expected(s *session, v *guard.View, a *catalog.Action) (value catalog.Micro, pressed bool) {
	pressing := v.Slice
	if a.ExemptPressure {
		pressing = nil // its own bother and the floor count
	}
	bother := contact.Bother(m.bundle, pressing, a.Bother, m.now)
	pressed = pressing != nil && bother > contact.Bother(m.bundle, nil, a.Bother, m.now)
	factors := append(m.factors[:0], a.Propensity, a.Lever)
	factors = m.weigh(s, factors, a.Weights)
	if a.Group >= 0 {
		g := &m.bundle.Groups[a.Group]
		factors = m.weigh(s, append(factors, g.Lever), g.Weights)
	}
	m.factors = factors
	return arbiter.Expected(a.Value, bother+a.Elsewhere, factors...), pressed
}

// weigh adds the factors of the weights whose condition is certain to hold.
func (m *Mind) weigh(s *session, factors []catalog.Micro, weights []catalog.Weight) []catalog.Micro {
	for _, w := range weights {
		if m.true(s, w.When) {
			factors = append(factors, w.Factor)
		}
	}
	return factors
}

// pass sends a candidate through the stages quiet to value.
func (m *Mind) pass(s *session, v *guard.View, c *candidate, quiet guard.Verdict, language string) {
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
	if d := guard.Active(v, a, language); !d.OK() {
		c.fall(catalog.StageActive, d)
		return
	}
	for _, stage := range [...]catalog.Stage{catalog.StageEligible, catalog.StageApplicable, catalog.StageSuitable} {
		if m.condition(s, v, stage, c); c.stage != 0 {
			return
		}
	}
	retry := v.Retry
	c.again = retry && asksAgain(v, a)
	v.Retry = c.again
	d := guard.Judge(v, gc)
	if v.Retry = retry; !d.OK() {
		c.fall(catalog.StageGuard, d)
		return
	}
	if d := contact.Judge(v, a, m.unaskedOf(s, c)); !d.OK() {
		c.fall(catalog.StageContact, d)
		return
	}
	c.mandatory, c.foremost = guard.Mandatory(v, a), guard.Foremost(v, a)
	if d := m.worth(v, a, c); !d.OK() {
		c.fall(catalog.StageValue, d)
	}
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

// unaskedOf is what the session remembers of showing the candidate. What is asked again was not
// answered: it is not served yet.
func (m *Mind) unaskedOf(s *session, c *candidate) contact.Unasked {
	if c.again {
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
func (m *Mind) condition(s *session, v *guard.View, stage catalog.Stage, c *candidate) {
	a := &m.bundle.Actions[c.action]
	group, own, groupNot, ownNot := conditions(m.bundle, a, stage)
	if reason := m.unmet(s, group, groupNot); reason != catalog.NoReason {
		c.stage, c.reason, c.unmet = stage, reason, group
		return
	}
	if reason := m.unmet(s, own, ownNot); reason != catalog.NoReason && !(stage == catalog.StageApplicable && m.stillArmed(s, c.action, reason)) {
		c.stage, c.reason, c.unmet = stage, reason, own
		return
	}
	if stage == catalog.StageApplicable {
		m.deliverable(s, v, a, c)
	}
}

// deliverable asks of an applicable action for its price, for what must be known to deliver it, and
// whether it comes in time.
func (m *Mind) deliverable(s *session, v *guard.View, a *catalog.Action, c *candidate) {
	price, d := m.priceOf(s, a)
	c.price, c.unpriced = price, !d.OK()
	if d.OK() {
		d = m.delivered(s, v, a)
	}
	if d.OK() && a.Before >= 0 && v.Slice != nil {
		due, ok, _ := v.Slice.DueOf(m.bundle, a.Before, a.About, m.now)
		if !ok { // none is about what the action is about: it is one of those that go with it, as weather with a flight
			due, ok, _ = v.Slice.DueOf(m.bundle, a.Before, "", m.now)
		}
		if ok && m.now >= due {
			k := m.bundle.Kinds[a.Before].Name
			d = guard.Verdict{Reason: catalog.TooLate, Because: []catalog.Because{{Name: k, Value: sense.TimestampValue(due), Age: m.now.Sub(due)}}}
		}
	}
	if !d.OK() {
		c.fall(catalog.StageApplicable, d)
	}
}

// unmet says why a condition does not hold, NoReason where it does; none holds always. not is the
// reason of being certainly false.
func (m *Mind) unmet(s *session, node rule.Node, not catalog.Reason) catalog.Reason {
	if node == rule.None {
		return catalog.NoReason
	}
	switch m.moment.Truth(s.name, node) {
	case rule.True:
		return catalog.NoReason
	case rule.Unknown:
		if r := m.moment.Result(s.name, node); r.Cause != rule.Known {
			return lookReasons[r.Cause]
		}
		return not
	}
	if m.plan.entering[node] {
		if reason, _ := m.moment.Why(s.name, node); reason != catalog.NoReason {
			return reason // the place was left
		}
	}
	return not
}

// worth asks whether the action is worth its bother here.
func (m *Mind) worth(v *guard.View, a *catalog.Action, c *candidate) guard.Verdict {
	needed := ""
	reason := catalog.NoReason
	switch {
	case c.mandatory:
		return guard.Verdict{}
	case c.value <= 0:
		reason, needed = catalog.NotWorthBother, "> 0"
	case c.value < v.Slot.Minimum:
		reason, needed = catalog.BelowMinimum, ">= "+string(sense.AppendMicro(nil, v.Slot.Minimum, 6))
	default:
		return guard.Verdict{}
	}
	return guard.Verdict{Reason: reason, Because: []catalog.Because{{Name: a.Name, Value: sense.MoneyValue(c.value), Age: catalog.NoAge, Needed: needed}}}
}
