package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// choose ranks what is left and says why the others lost; nil where nothing is left.
func (m *Mind) choose(v *guard.View, d *Decision, all []candidate, count int) *candidate {
	var ranked []*candidate
	for k := range all {
		if c := &all[k]; c.stage == 0 {
			c.entry = arbiter.Candidate{Index: c.action, Foremost: c.foremost, Mandatory: c.mandatory, Value: c.value, Showings: showings(v.Slice, m.bundle.Actions[c.action].Name)}
			ranked = append(ranked, c)
		}
	}
	if len(ranked) == 0 {
		return nil
	}
	slices.SortFunc(ranked, func(a, b *candidate) int { return arbiter.Better(a.entry, b.entry) })
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
			lost := guard.Verdict{Reason: arbiter.WhyLost(won.entry, c.entry)}
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
	if a.Price != nil {
		d.Priced, d.Price, d.Normal = true, c.price, a.Price.Normal
	}
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
		c := &candidate{action: index, unmet: rule.None, treatment: t, personal: k == 0, ambient: t.Ambient}
		if m.pass(s, v, c, guard.Verdict{}, language); c.stage != 0 && c.stage != catalog.StageValue || !m.fit(s, v, c, language) {
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
	if m.clock == sense.ClockUnknown && slices.ContainsFunc(all, forTheClock) {
		return catalog.ClockUntrusted
	}
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

// forTheClock says whether a candidate fell since nobody knows what time it is.
func forTheClock(c candidate) bool { return guard.Verdict{Because: c.because}.ByClock() }

// showings counts how often an action was shown to the customer.
func showings(s *profile.Slice, action string) int {
	if s == nil {
		return 0
	}
	return int(s.Showings(action))
}
