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

// choose ranks what is left and says where the others fell; nil where nothing is left. Only who comes first is looked
// for, and dressed: of who comes behind, nobody asks in which order.
func (m *Mind) choose(at *setting, d *Decision, all []candidate, count int) *candidate {
	ranked := m.ranked[:0]
	for k := range all {
		if c := &all[k]; c.stage == 0 {
			c.entry = arbiter.Candidate{Index: c.action, Foremost: c.foremost, Mandatory: c.mandatory, Value: c.value, Showings: -1}
			ranked = append(ranked, c)
		}
	}
	m.ranked = ranked
	for k := len(ranked)/2 - 1; k >= 0; k-- {
		m.sink(at, ranked, k)
	}
	var won *candidate
	listed := 0
	for len(ranked) > 0 && (won == nil || listed < count-1) {
		c := ranked[0]
		last := len(ranked) - 1
		ranked[0], ranked = ranked[last], ranked[:last]
		m.sink(at, ranked, 0)
		m.dress(at, c)
		switch {
		case c.text == nil:
			c.stage = catalog.StageTreatment // reason and because were left by fit
		case won == nil:
			won = c
			m.fill(at, d, c)
		default:
			listed++
			a := &m.bundle.Actions[c.action]
			d.List = append(d.List, Ranked{Action: a.Name, Treatment: c.treatmentName(), Text: c.text, Value: c.value, Propensity: a.Propensity, Probability: catalog.One})
		}
	}
	for _, c := range ranked {
		if c.stage, c.reason = catalog.StageRanked, catalog.ListFull; count <= 1 {
			c.reason = arbiter.WhyLost(won.entry, c.entry)
		}
	}
	return won
}

// sink lets a candidate take its place in a heap whose best comes first.
func (m *Mind) sink(at *setting, heap []*candidate, k int) {
	for {
		best := k
		for _, child := range [...]int{2*k + 1, 2*k + 2} {
			if child < len(heap) && m.better(at, heap[child], heap[best]) {
				best = child
			}
		}
		if best == k {
			return
		}
		heap[k], heap[best] = heap[best], heap[k]
		k = best
	}
}

// better says whether a goes before b. How often each was shown is counted where nothing else tells them apart.
func (m *Mind) better(at *setting, a, b *candidate) bool {
	if a.value == b.value {
		for _, c := range [...]*candidate{a, b} {
			if c.entry.Showings < 0 {
				c.entry.Showings = showings(at.v.Slice, m.bundle.Actions[c.action].Name)
			}
		}
	}
	return arbiter.Better(a.entry, b.entry) < 0
}

func (c *candidate) treatmentName() string {
	if c.personal {
		return sayPersonal
	}
	return say
}

// fill writes the winner into the decision.
func (m *Mind) fill(at *setting, d *Decision, c *candidate) {
	a := &m.bundle.Actions[c.action]
	d.Action, d.Treatment, d.Text = a.Name, c.treatmentName(), c.text
	d.Value, d.Propensity = c.value, a.Propensity
	if a.Price != nil {
		d.Priced, d.Price, d.Normal = true, c.price, a.Price.Normal
	}
	d.Uses = append(append(d.Uses[:0], a.Uses...), c.treatment.Uses...) // two ordered lists, in order, once each
	slices.Sort(d.Uses)
	d.Uses = slices.Compact(d.Uses)
}

// fallBack says what the slot says when nothing else is worth saying, as far as the manners allow.
func (m *Mind) fallBack(at *setting, d *Decision, slot int32, all []candidate) *candidate {
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
		c := &at.of.fallback
		*c = candidate{action: index, unmet: rule.None, treatment: t, personal: k == 0, ambient: t.Ambient}
		if m.pass(at, c); c.stage != 0 && c.stage != catalog.StageValue || !m.fit(at, c) {
			continue
		}
		c.stage = 0
		m.fill(at, d, c)
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
func (m *Mind) silenceCause(at *setting, all []candidate, asked bool) catalog.Reason {
	if m.clock == sense.ClockUnknown && slices.ContainsFunc(all, forTheClock) {
		return catalog.ClockUntrusted
	}
	if !at.quiet.OK() {
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
		return at.quiet.Reason
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
		if c.stage != furthest.stage {
			if c.stage > furthest.stage {
				furthest = c
			}
			continue
		}
		m.appraise(at, c)
		m.appraise(at, furthest)
		if c.value > furthest.value || c.value == furthest.value && c.reason < furthest.reason {
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
