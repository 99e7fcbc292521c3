package reach

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// ofAction is the part of an action's conditions that are judged at one instant, the instant
// at which it is shown: what keep_armed keeps may have been true before.
func (f *finder) ofAction(a *catalog.Action) (all []rule.Node) {
	g := catalog.Group{Eligible: rule.None, Applicable: rule.None, Suitable: rule.None}
	if a.Group >= 0 {
		g = f.b.Groups[a.Group]
	}
	nodes := []rule.Node{g.Eligible, a.Eligible, g.Suitable, a.Suitable}
	if a.KeepArmed == 0 {
		nodes = append(nodes, g.Applicable, a.Applicable)
	}
	for _, n := range nodes {
		if n != rule.None {
			all = append(all, n)
		}
	}
	return all
}

func trueTogether(nodes []rule.Node) (all []assumption) {
	for _, n := range nodes {
		all = append(all, assumption{n, canTrue})
	}
	return all
}

// neverShown reports an action that can appear nowhere and to nobody.
func (f *finder) neverShown(k int) bool {
	a := &f.b.Actions[k]
	at := Found{Section: Actions, Index: k}
	hint := "change one of the two, or remove the action"
	switch {
	case len(a.Slots) == 0:
		at.Key = Slots
		f.add(at, Unreachable, "declare a slot that it can appear in", "action %s can never be shown: there is no slot for it", a.Name)
		return true
	case a.From >= a.Until:
		at.Key = Validity
		f.add(at, Unreachable, "until must lie after from", "action %s can never be shown: it ends before it begins", a.Name)
		return true
	case !a.Mandatory && !f.spared(k) && a.Value <= 0:
		f.add(at, Unreachable, "say what it is worth, as in value: 2.00; mandatory: true skips value", "action %s can never be shown: its value is %s, and nothing is shown that is not worth more than its bother", a.Name, micro(a.Value))
		return true
	case !a.Mandatory && !f.spared(k) && f.neverWorth(a):
		f.add(at, Unreachable, "say what it is worth, or lower its bother or the minimum of its slots", "action %s can never be shown: even if everybody accepted it, %s would not be worth its bother, or less than its slots ask for", a.Name, micro(a.Value))
		return true
	}
	nodes := f.ofAction(a)
	if slices.ContainsFunc(nodes, func(n rule.Node) bool { return f.dead[n] }) || f.dead[a.Applicable] {
		return true // which is reported
	}
	if a.Group >= 0 && f.dead[f.b.Groups[a.Group].Applicable] {
		return true
	}
	for _, n := range nodes {
		f.s.learn(n)
	}
	if !f.s.possible(trueTogether(nodes)...) {
		var parts []rule.Node
		for _, n := range nodes {
			parts = append(parts, f.conjuncts(n)...)
		}
		at.Error = true
		if x, y, ok := f.clash(parts); ok {
			f.add(at, Contradiction, hint, "action %s can never be shown: `%s` and `%s` contradict each other", a.Name, f.text(x), f.text(y))
		} else {
			f.add(at, Contradiction, hint, "action %s can never be shown: its conditions, with those of its group, contradict each other", a.Name)
		}
		return true
	}
	if f.outsideHours(a, nodes) {
		f.add(at, Unreachable, hint, "action %s can never be shown: no hour is left to it in which its conditions hold (hours, quiet: hours)", a.Name)
		return true
	}
	return f.heldBack(at, a, nodes)
}

// neverWorth says whether an action is not worth its bother, or less than the minimum of each of
// its slots, even at a propensity of 1: whatever is learned, it is not shown.
func (f *finder) neverWorth(a *catalog.Action) bool {
	if len(a.Weights) > 0 || a.Group >= 0 && len(f.b.Groups[a.Group].Weights) > 0 {
		return false
	}
	sure := *a
	sure.Propensity = catalog.One
	best, ok := worth(f.b, &sure)
	if !ok {
		return false
	}
	bother := a.Bother
	if p := f.b.Contact.Pressure; p != nil {
		bother = min(bother, p.Floor) // what was accepted takes from it, down to the floor
	}
	best -= bother + a.Elsewhere
	return best <= 0 || !slices.ContainsFunc(a.Slots, func(s int32) bool { return best >= f.b.Slots[s].Minimum })
}

// spared says whether an action has other ways to be shown than by its worth.
func (f *finder) spared(k int) bool {
	a := &f.b.Actions[k]
	byStrikes := f.b.Strikes != nil && (a.Intent == catalog.Recovery || a.Intent == catalog.Handoff)
	fallback := slices.ContainsFunc(f.b.Slots, func(s catalog.Slot) bool { return s.Fallback == int32(k) })
	return byStrikes || fallback
}

// heldBack reports an action that is right only in a state that holds it back, in every slot.
func (f *finder) heldBack(at Found, a *catalog.Action, nodes []rule.Node) bool {
	if passes(f.b, a.Intent) {
		return false
	}
	culprit := ""
	for _, slot := range a.Slots {
		name, held := f.silenced(f.b.Slots[slot].Channel, nodes)
		if !held {
			return false
		}
		culprit = name
	}
	f.add(at, Unreachable, "only what quiet: pass names speaks in such a state; give it a slot of another channel, or another condition",
		"action %s can never be shown: where its conditions hold, the state %s holds it back", a.Name, culprit)
	return true
}

// passes says whether an intent may speak in a quiet state, as the guard does.
func passes(b *catalog.Bundle, i catalog.Intent) bool {
	if len(b.Quiet.Pass) == 0 {
		return i == catalog.Safety
	}
	return slices.Contains(b.Quiet.Pass, i)
}

func quiet(state string) bool {
	for _, q := range catalog.QuietStates() {
		if q.State == state {
			return true
		}
	}
	return false
}

// silenced says whether the states of a channel are never certainly false while the conditions hold.
func (f *finder) silenced(channel string, nodes []rule.Node) (name string, held bool) {
	all := trueTogether(nodes)
	for k := range f.b.States {
		s := &f.b.States[k]
		if !quiet(s.Name) || s.Node == rule.None || len(s.Channels) > 0 && !slices.Contains(s.Channels, channel) {
			continue
		}
		f.s.learn(s.Node)
		free := canFalse
		if s.AbsentAllow { // without the source it is false, and unknown to the program
			free |= canUnknown
		}
		if !f.s.possible(assumption{s.Node, free}) {
			continue // it never ends for anybody, which is reported of the state
		}
		all = append(all, assumption{s.Node, free})
		if !f.s.possible(all...) {
			return s.Name, true
		}
	}
	return "", false
}

// outsideHours says whether the conditions never hold in the hours in which the action may be shown.
func (f *finder) outsideHours(a *catalog.Action, nodes []rule.Node) bool {
	if len(a.Hours) == 0 && (len(f.b.Quiet.Hours) == 0 || passes(f.b, a.Intent)) {
		return false
	}
	any := false
	var hours, days [24]bool
	for day := range 7 {
		for minute := range 24 * 60 {
			if f.open(a, day, minute) {
				days[day], hours[minute/60], any = true, true, true
			}
		}
	}
	if !any {
		return true
	}
	kept := f.s.inputs
	defer func() { f.s.inputs = kept }()
	f.s.inputs = slices.Clone(kept)
	for k := range f.s.inputs {
		switch f.b.Program.Inputs[k].From {
		case rule.FromHour:
			limit(&f.s.inputs[k], hours[:], 0)
		case rule.FromWeekday:
			limit(&f.s.inputs[k], days[:7], 1)
		}
	}
	return !f.s.possible(trueTogether(nodes)...)
}

func limit(s *set, allowed []bool, first int64) {
	for n, ok := range allowed {
		if !ok {
			s.without(int64(n) + first)
		}
	}
}

// open says whether an action may be shown at a minute of a day of the week, Monday being 0.
func (f *finder) open(a *catalog.Action, day, minute int) bool {
	if !passes(f.b, a.Intent) {
		for _, h := range f.b.Quiet.Hours {
			if h.From <= h.To && minute >= h.From && minute < h.To || h.From > h.To && (minute >= h.From || minute < h.To) {
				return false
			}
		}
	}
	in := len(a.Hours) == 0
	for _, h := range a.Hours {
		switch before := (day + 6) % 7; {
		case h.From < h.To:
			in = in || h.Days>>day&1 == 1 && minute >= h.From && minute < h.To
		default: // it ends on the next day
			in = in || h.Days>>day&1 == 1 && minute >= h.From || h.Days>>before&1 == 1 && minute < h.To
		}
	}
	return in
}
