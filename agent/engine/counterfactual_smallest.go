package engine

import (
	"cmp"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// mostTrials bounds how many actions Smallest tries in full, the most promising first: it then tells the
// smallest change that it has found.
const mostTrials = 32

// bound is what an action needs at the least, as far as a look from afar can tell.
type bound struct {
	action  int32
	name    string
	changes int
	money   catalog.Micro
}

// less orders bounds as answers are ordered.
func (b bound) less(a *Answer) bool {
	return cmp.Or(cmp.Compare(b.changes, len(a.Changes)), cmp.Compare(b.money, a.Money()), cmp.Compare(b.name, a.Action)) < 0
}

// Smallest returns the smallest change that would have made another action win: the fewest things, then
// the least money, then the smaller name. Its Action is empty where no other action could win.
//
// What an action needs at the least is told without trying: where it fell, how many atoms its conditions
// miss, and whether it is worth more than the winner. Actions are tried in that order until none that is left can need less.
func (p *Past) Smallest() Answer {
	d := p.decision()
	best := Answer{}
	heirs := p.heirs(p.mind.bundle.ActionIndex(d.Action))
	for _, action := range heirs {
		if a := p.try(action); a.Never == catalog.NoReason && (best.Action == "" || a.less(&best)) {
			best = a
		}
	}
	bounds := p.bounds(d, heirs)
	for k, b := range bounds {
		if best.Action != "" && !b.less(&best) || k == mostTrials && best.Action != "" {
			break
		}
		if k >= 4*mostTrials {
			break // nothing near is of any help
		}
		if a := p.try(b.action); a.Never == catalog.NoReason && (best.Action == "" || a.less(&best)) {
			best = a
		}
	}
	return best
}

// bounds returns what each rejected action needs at the least, the most promising first. Heirs are who lead
// once what had to come first has fallen.
func (p *Past) bounds(d *Decision, heirs []int32) []bound {
	all := make([]bound, 0, len(d.Rejected))
	counter := p.state.Counter()
	v, least := p.view(), p.mustBeWorth(d)
	k, winner, looked := int32(0), p.mind.bundle.ActionIndex(d.Action), 0
	first := winner >= 0 && p.stands(winner) // it has to fall for others, whatever they are worth
	if first {
		least = max(1, v.Slot.Minimum)
	}
	reads := map[int32]bool{} // inputs that the winner's conditions read
	p.eachInput(winner, func(input int32) bool { reads[input] = true; return true })
	for n := range d.Rejected {
		r := &d.Rejected[n]
		for p.mind.bundle.Actions[k].Name != r.Action {
			k++ // both are in order of name
		}
		b := bound{action: k, name: r.Action, changes: 1}
		possible := !slices.Contains(lasting, r.Reason)
		if r.Stage >= catalog.StageEligible && r.Stage <= catalog.StageSuitable {
			b.changes, possible = p.misses(counter, k)
		}
		if !possible {
			continue
		}
		conditional := r.Stage >= catalog.StageEligible && r.Stage <= catalog.StageSuitable
		topples := false
		if conditional && b.changes == 1 && (first || r.Value < least) && looked < mostLooks && p.shares(k, reads) {
			looked++
			topples = p.topples(k, winner)
		}
		mandatory := guard.Mandatory(&v, &p.mind.bundle.Actions[k])
		if first && !mandatory && b.changes == 1 && !topples && !slices.Contains(heirs, k) && p.apart(k, r) {
			b.changes++ // what lifts it does not take the winner down, or another leads then
		}
		if !topples && r.Value < least && !mandatory {
			b.money = p.lacks(&v, k, r.Value, least)
			if b.money < 0 {
				continue
			}
			if r.Stage != catalog.StageValue && r.Stage != catalog.StageRanked {
				b.changes++
			}
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b bound) int {
		return cmp.Or(cmp.Compare(a.changes, b.changes), cmp.Compare(a.money, b.money), cmp.Compare(a.action, b.action))
	})
	return all
}

// apart says whether what lets a rejected action pass leaves standing what must come first: all but time, which
// passes for that as well, and a date of birth.
func (p *Past) apart(action int32, r *Rejected) bool {
	switch r.Stage {
	case catalog.StageQuiet, catalog.StageTreatment:
		return false
	case catalog.StageActive, catalog.StageGuard, catalog.StageContact:
		c := p.judgeNow(action)
		return c.until <= p.frozen.now || c.until == sense.Never
	}
	return r.Reason != catalog.AgeTooLow && r.Reason != catalog.TooLate
}

// mostLooks bounds for how many actions it is looked whether the winner falls by their one atom.
const mostLooks = 32

// shares says whether an action's conditions read one of those inputs.
func (p *Past) shares(action int32, reads map[int32]bool) (shared bool) {
	if len(reads) > 0 {
		p.eachInput(action, func(input int32) bool { shared = reads[input]; return !shared })
	}
	return shared
}

// eachInput calls f for every input that an action's conditions read, until it wants no more.
func (p *Past) eachInput(action int32, f func(input int32) bool) {
	if action < 0 {
		return
	}
	nodes := p.mind.bundle.Program.Nodes
	var below func(n rule.Node) bool
	left := mostNodes
	below = func(n rule.Node) bool {
		if left--; n < 0 || int(n) >= len(nodes) || left < 0 {
			return true
		}
		if in := nodes[n].Input; in >= 0 && len(nodes[n].Args) == 0 && nodes[n].Code != rule.Const && !f(in) {
			return false
		}
		return !slices.ContainsFunc(nodes[n].Args, func(a rule.Node) bool { return !below(a) })
	}
	for stage := catalog.StageEligible; stage <= catalog.StageSuitable; stage++ {
		group, own, _, _ := conditions(p.mind.bundle, &p.mind.bundle.Actions[action], stage)
		if !below(group) || !below(own) {
			return
		}
	}
}

// mostNodes bounds how much of one action's conditions is looked at.
const mostNodes = 256

// topples says whether the winner falls where the one atom is made that an action's conditions miss: then
// the action need not be worth more than it.
func (p *Past) topples(action, winner int32) bool {
	if winner < 0 {
		return false
	}
	for stage := catalog.StageEligible; stage <= catalog.StageSuitable; stage++ {
		group, own, _, _ := conditions(p.mind.bundle, &p.mind.bundle.Actions[action], stage)
		for _, n := range [...]rule.Node{group, own} {
			if n == rule.None || p.mind.moment.Truth(p.session.name, n) == rule.True {
				continue
			}
			atoms, ok := p.state.Missing(n, true)
			if !ok || len(atoms) == 0 {
				return false
			}
			p.what = &whatIf{}
			p.become(atoms[0])
			c := p.judgeNow(winner)
			p.state.Undo()
			p.what = nil
			return c.stage != 0
		}
	}
	return false
}

// misses counts the atoms that an action's conditions miss; false where nothing makes them hold. It is one
// at the least: what falls there though its conditions hold lacks a fact.
func (p *Past) misses(counter *moment.Counter, action int32) (int, bool) {
	total := 0
	for stage := catalog.StageEligible; stage <= catalog.StageSuitable; stage++ {
		group, own, _, _ := conditions(p.mind.bundle, &p.mind.bundle.Actions[action], stage)
		for _, n := range [...]rule.Node{group, own} {
			if n == rule.None {
				continue
			}
			k, ok := counter.Count(n)
			if !ok {
				return 0, false
			}
			total += k
		}
	}
	return max(total, 1), true
}

// mustBeWorth is what an action must be worth to win the decision as it was.
func (p *Past) mustBeWorth(d *Decision) catalog.Micro {
	least := max(1, p.mind.bundle.Slots[p.frozen.slot].Minimum)
	if d.Action != silence && d.Cause == "" {
		least = max(least, d.Value+1)
	}
	return least
}

// lacks returns about how much higher an action's value must be to be worth that; a negative one where no
// value does it. It is a little less than what a trial finds, never more.
func (p *Past) lacks(v *guard.View, action int32, is, least catalog.Micro) catalog.Micro {
	p.own(action)
	a := &p.mind.bundle.Actions[action]
	had := a.Value
	const probe = 1000 * catalog.One
	a.Value = had + probe
	more, _ := p.mind.expected(p.session, v, a)
	a.Value = had
	gain := more - is // by so much more for a probe
	if gain <= 0 {
		return -1
	}
	raised := float64(float64(float64(least-is-1)*float64(probe)) / float64(gain+1))
	if raised < 0 {
		return 0
	}
	if raised > float64(mostValue) {
		return -1
	}
	return catalog.Micro(raised)
}
