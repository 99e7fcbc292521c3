package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// making is what one decision is made of. The mind lends it until the next step, and uses its memory again.
type making struct {
	mind       *Mind
	slot       int32
	decision   Decision
	view       guard.View
	at         setting
	candidates []candidate       // that were looked at, in order of action
	whole      bool              // they are all that there are
	spare      []candidate       // memory for more of them
	fallback   candidate         // where it is what is shown
	won        int32             // action; -1 for silence
	winner     arbiter.Candidate // how it was ranked
	mayShow    bool              // what is personal of whom is served
	exposure   profile.Exposure
	texts      []*Text
	dressed    int // texts in use
	rejected   []Rejected
	told       []catalog.Because
}

const (
	// mostMakings is how many decisions' memory is used again: most steps make one or none.
	mostMakings = 4
	// mostLent is how many entries of an output's lists are.
	mostLent = 256
)

// begin returns what the next decision of the step is made of.
func (m *Mind) begin(slot int32) *making {
	var of *making
	switch {
	case m.past != nil: // what a moment says holds
		of = &making{}
	case m.lends < len(m.makings):
		of = m.makings[m.lends]
		m.lends++
	default:
		of = &making{}
		m.makings = append(m.makings, of)
		m.lends++
	}
	d := &of.decision
	*d = Decision{Uses: d.Uses[:0], Ages: d.Ages[:0], List: d.List[:0], making: of}
	of.mind, of.slot = m, slot
	of.candidates, of.whole, of.dressed, of.won, of.mayShow = of.candidates[:0], false, 0, -1, false
	return of
}

// set takes over what is the same for all candidates of the decision.
func (of *making) set(at *setting) *setting {
	legal := of.at.legal
	of.view, of.at = *at.v, *at
	of.at.v, of.at.of, of.at.legal = &of.view, of, append(legal[:0], at.legal...)
	return &of.at
}

// release lets go of the session, the customer and the conditions of the last decision: they may end, or give way to
// those of another policy, long before the memory is used again.
func (of *making) release() {
	if of.at.s != nil {
		of.decision.making, of.view, of.at = nil, guard.View{}, setting{legal: of.at.legal}
	}
}

// unmake takes back what the last decision was made of: nobody is told of it.
func (m *Mind) unmake(of *making) {
	if m.lends > 0 && m.makings[m.lends-1] == of {
		m.lends--
	}
}

// lend takes back all that the step before lent.
func (m *Mind) lend() {
	if len(m.makings) > mostMakings {
		clear(m.makings[mostMakings:])
		m.makings = m.makings[:mostMakings]
	}
	for _, of := range m.makings {
		of.release()
	}
	m.lends = 0
	m.room.Clear()
	o := &m.out
	m.out = Output{Persist: lent(o.Persist), Clear: lent(o.Clear), Show: lent(o.Show), Silent: lent(o.Silent)}
}

func lent[T any](list []T) []T {
	if cap(list) > mostLent {
		return nil
	}
	return list[:0]
}

// text returns memory for the text of a candidate.
func (of *making) text() *Text {
	if of == nil {
		return &Text{}
	}
	if of.dressed == len(of.texts) {
		of.texts = append(of.texts, &Text{})
	}
	t := of.texts[of.dressed]
	of.dressed++
	*t = Text{}
	return t
}

// Explain fills Rejected, with what decided that each fell. It is asked for before the next step of the mind that
// made the decision; of a decision that is kept it was, and does nothing.
func (d *Decision) Explain() {
	if of := d.making; of != nil {
		d.making = nil
		d.Rejected = of.reasons()
	}
}

// explain explains the decisions of the step so far, while the moment is theirs.
func (m *Mind) explain() {
	for _, of := range m.makings[:m.lends] {
		of.decision.Explain()
	}
}

// reasons says of each candidate that was not chosen where it fell, and why.
func (of *making) reasons() []Rejected {
	m, at := of.mind, &of.at
	at.on = m.moment.Conditions(at.s.name)
	t := teller{of: of, why: m.moment.Reasons(at.s.name)}
	all := m.plan.candidates[of.slot]
	if n := len(all); cap(of.rejected) < n {
		of.rejected, of.told = make([]Rejected, 0, n), slices.Grow(of.told[:0], n)
	}
	list, looked := of.rejected[:0], of.candidates
	t.told = of.told[:0]
	for _, a := range all {
		list = list[:len(list)+1]
		r := &list[len(list)-1]
		*r = Rejected{Action: m.plan.worths[a].name}
		if len(looked) > 0 && looked[0].action == a {
			c := &looked[0]
			looked = looked[1:]
			if c.stage == 0 || a == of.won {
				list = list[:len(list)-1]
				continue
			}
			t.tell(r, c)
		} else {
			t.tellOther(r, a)
		}
		if len(r.Because) > 0 && !of.mayShow {
			m.unsay(r)
		}
	}
	of.rejected, of.told = list, t.told
	return list
}

// teller says why candidates fell.
type teller struct {
	of   *making
	why  *moment.Reasons
	told []catalog.Because // memory for what is said
	more string            // than what the winner is worth, once it is told
}

// tell says why a candidate fell that was looked at.
func (t *teller) tell(r *Rejected, c *candidate) {
	t.of.mind.appraise(&t.of.at, c)
	r.Stage, r.Reason, r.Value = c.stage, c.reason, c.value
	if c.unmet != rule.None {
		_, r.Because, t.told = t.why.Why(t.told, c.unmet)
		return
	}
	first := len(t.told)
	switch {
	case c.stage == catalog.StageValue, c.stage == catalog.StageRanked && c.reason != catalog.ListFull:
		t.told = append(t.told, t.worth(c))
	case c.stage != catalog.StageRanked:
		t.told = append(t.told, c.because...)
	}
	r.Because = slices.Clip(t.told[first:])
}

// tellOther says why a candidate fell that was not looked at: most often by the first of its conditions that does not
// hold, which says all.
func (t *teller) tellOther(r *Rejected, action int32) {
	m, at := t.of.mind, &t.of.at
	if q := &m.plan.quick[action]; m.quickly(at, q, q.ambient) {
		for k, node := range q.conditions {
			if node == rule.None || t.why.Truth(node) == rule.True {
				continue
			}
			r.Stage = stagesOf[k]
			if r.Reason, r.Because, t.told = t.why.Why(t.told, node); r.Reason == catalog.NoReason {
				r.Reason = notMet[k]
			}
			c := candidate{action: action}
			m.appraise(at, &c)
			r.Value = c.value
			return
		}
	}
	var c candidate
	m.stand(at, &c, action)
	t.tell(r, &c)
}

// worth says what a candidate is worth that fell for that, and what it should be.
func (t *teller) worth(c *candidate) catalog.Because {
	m := t.of.mind
	b := catalog.Because{Name: m.bundle.Actions[c.action].Name, Value: sense.MoneyValue(c.value), Age: catalog.NoAge}
	switch {
	case c.stage == catalog.StageValue && c.reason == catalog.NotWorthBother:
		b.Needed = "> 0"
	case c.stage == catalog.StageValue:
		b.Needed = m.room.Amount(">= ", t.of.at.v.Slot.Minimum)
	case c.reason == catalog.LostByValue:
		if t.more == "" {
			t.more = m.room.Amount("> ", t.of.winner.Value)
		}
		b.Needed = t.more
	}
	return b
}

// Keep returns the output of a step as one that holds for ever, with its decisions explained. Like them it is asked
// for before the next step of its mind.
func (o *Output) Keep() Output {
	kept := *o
	kept.Clear, kept.Show, kept.Persist, kept.Silent = slices.Clone(o.Clear), nil, nil, nil
	if len(o.Clear) == 0 {
		kept.Clear = nil
	}
	for _, d := range o.Show {
		kept.Show = append(kept.Show, d.Keep())
	}
	keptAs := func(d *Decision) *Decision {
		if k := slices.Index(o.Show, d); k >= 0 {
			return kept.Show[k]
		}
		return d.Keep()
	}
	for _, r := range o.Persist {
		if r.Decision != nil {
			r.Decision = keptAs(r.Decision)
		}
		if r.Exposure != nil {
			x := *r.Exposure
			r.Exposure = &x
		}
		kept.Persist = append(kept.Persist, r)
	}
	for k := range o.Silent {
		kept.Silent = append(kept.Silent, Silence{*o.Silent[k].Keep()})
	}
	kept.Moments = slices.Clone(o.Moments)
	for k := range kept.Moments {
		kept.Moments[k].Decision = keptAs(o.Moments[k].Decision)
	}
	return kept
}

// Keep returns the decision as one that holds for ever, explained. It is asked for before the next step.
func (d *Decision) Keep() *Decision {
	if d == nil {
		return nil
	}
	d.Explain()
	kept := *d
	kept.Text, kept.Uses, kept.Ages = d.Text.keep(), slices.Clone(d.Uses), slices.Clone(d.Ages)
	if kept.List = slices.Clone(d.List); len(d.List) == 0 {
		kept.List = nil
	}
	for k := range kept.List {
		kept.List[k].Text = d.List[k].Text.keep()
	}
	n := 0
	for k := range d.Rejected {
		n += len(d.Rejected[k].Because)
	}
	told := make([]catalog.Because, 0, n)
	if kept.Rejected = slices.Clone(d.Rejected); len(d.Rejected) == 0 {
		kept.Rejected = nil
	}
	for k := range kept.Rejected {
		if r := &kept.Rejected[k]; len(r.Because) > 0 {
			first := len(told)
			told = append(told, r.Because...)
			r.Because = slices.Clip(told[first:])
		}
	}
	return &kept
}

func (t *Text) keep() *Text {
	if t == nil {
		return nil
	}
	kept := *t
	return &kept
}

// cut returns what was written into the line as a text that holds for ever.
func (m *Mind) cut(line []byte) string {
	m.line = line
	return guard.Cut(&m.words, line)
}

// nameOf returns the name of a decision of this epoch.
func (m *Mind) nameOf(n uint64) string {
	m.line = appendDecisionID(m.line[:0], m.cfg.Device, m.cfg.Epoch, n)
	return guard.Cut(&m.names, m.line)
}
