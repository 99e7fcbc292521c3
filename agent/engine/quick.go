package engine

import (
	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/rule"
)

// quick is what the stages legal to suitable ask of an action, close together: most candidates fall by a condition, and
// an action is spread over many lines of memory. It says the same as the stages themselves.
type quick struct {
	first      *catalog.Treatment // say_personal, else say; nil where there is neither
	conditions [6]rule.Node       // of the group and its own: eligible, applicable, suitable; None where there is none
	spoken     uint32             // languages, by their place in the policy, in which the action has words
	purpose    int32              // on which alone it rests whether it is legal; -1 where it rests on more
	personal   bool               // first is say_personal
	ambient    bool               // first is
	plain      bool               // the stages active to suitable ask for words and conditions alone
}

// notMet are the reasons of certainly false conditions, in the order of quick.conditions.
var notMet = [...]catalog.Reason{catalog.GroupNotEligible, catalog.NotEligible, catalog.GroupNotApplicable, catalog.NotApplicable, catalog.GroupNotSuitable, catalog.NotSuitable}

// stagesOf are their stages.
var stagesOf = [...]catalog.Stage{catalog.StageEligible, catalog.StageEligible, catalog.StageApplicable, catalog.StageApplicable, catalog.StageSuitable, catalog.StageSuitable}

func quickOf(b *catalog.Bundle) []quick {
	all := make([]quick, len(b.Actions))
	for k := range b.Actions {
		all[k] = quickOfAction(b, &b.Actions[k])
	}
	return all
}

func quickOfAction(b *catalog.Bundle, a *catalog.Action) (q quick) {
	for n := 0; n < len(q.conditions); n += 2 {
		q.conditions[n], q.conditions[n+1], _, _ = conditions(b, a, stagesOf[n])
	}
	if q.first = a.SayPersonal; q.first == nil {
		q.first = a.Say // an action without any treatment is judged all the same, and falls at the last stage
	}
	q.personal, q.ambient = a.SayPersonal != nil, q.first != nil && q.first.Ambient
	if q.purpose = -1; guard.ByPurpose(b, a) {
		q.purpose = a.Purpose
	}
	q.plain = guard.Timeless(a) && a.Price == nil && len(a.Needs) == 0 && a.Before < 0 && a.KeepArmed <= 0
	for n := range b.Languages {
		if n < 32 && guard.Speaks(a, n) {
			q.spoken |= 1 << n
		}
	}
	return q
}

// worth is what an action is worth before anybody's bother, close together with its name: each candidate that
// fell is listed with it.
type worth struct {
	name      string
	product   catalog.Micro // its value times all factors
	bother    catalog.Micro // its own
	elsewhere catalog.Micro
	exempt    bool // from pressure
	fixed     bool // no factor depends on a condition
}

func worthsOf(b *catalog.Bundle) []worth {
	all := make([]worth, len(b.Actions))
	for k := range b.Actions {
		a, lever, weights := &b.Actions[k], catalog.One, 0
		if a.Group >= 0 {
			lever, weights = b.Groups[a.Group].Lever, len(b.Groups[a.Group].Weights)
		}
		all[k] = worth{name: a.Name, product: arbiter.Expected(a.Value, 0, a.Propensity, a.Lever, lever), bother: a.Bother, elsewhere: a.Elsewhere,
			exempt: a.ExemptPressure, fixed: len(a.Weights)+weights == 0}
	}
	return all
}

// under returns what an action is worth under a pressure, and whether that takes from it.
func (w *worth) under(b *catalog.Bundle, pressure catalog.Micro) (value catalog.Micro, pressed bool) {
	bother := contact.Bothers(b, pressure, w.bother)
	return arbiter.Expected(w.product, bother+w.elsewhere), pressure > 0 && bother > contact.Bothers(b, 0, w.bother)
}

// quickly says whether the stages legal to suitable ask for nothing of an action now but its conditions, in a treatment
// that is ambient or not.
func (m *Mind) quickly(at *setting, q *quick, ambient bool) bool {
	if m.plainly || !at.quiet.OK() || at.spoken < 0 || !q.plain || q.spoken>>at.spoken&1 == 0 {
		return false
	}
	if ambient {
		return true
	}
	if q.purpose < 0 {
		return false
	}
	one := &at.legal[q.purpose]
	return one.judged && one.verdict.OK()
}

// passQuickly sends a candidate through the stages legal to suitable. It is false where they must be passed one by one.
func (m *Mind) passQuickly(at *setting, c *candidate) bool {
	q := &m.plan.quick[c.action]
	if !m.quickly(at, q, c.ambient) {
		return false
	}
	for k, node := range q.conditions {
		if reason := m.unmet(at, node, notMet[k]); reason != catalog.NoReason {
			c.stage, c.reason, c.unmet = stagesOf[k], reason, node
			return true
		}
	}
	return true
}
