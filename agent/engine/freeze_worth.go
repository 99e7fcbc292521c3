package engine

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Worth is what an action's expected value is made of:
// value x propensity x lever x group lever x weights - bother - elsewhere = expected, rounded toward zero once.
type Worth struct {
	Value, Propensity, Lever, GroupLever catalog.Micro
	Weights                              []Factor // that held, the action's own first
	Bother                               catalog.Micro
	Own                                  catalog.Micro // of the bother, what is not pressure
	Elsewhere                            catalog.Micro
	Expected                             catalog.Micro
	Mandatory                            bool
}

// Factor is a weight whose condition held.
type Factor struct {
	When   string // canonical text
	Factor catalog.Micro
}

// Worth returns what an action was worth at the decision; false for one that is not in the bundle.
func (p *Past) Worth(action string) (w Worth, ok bool) {
	k := p.mind.bundle.ActionIndex(action)
	if k < 0 {
		return w, false
	}
	m, v := p.mind, p.view()
	a := &m.bundle.Actions[k]
	w = Worth{Value: a.Value, Propensity: a.Propensity, Lever: a.Lever, GroupLever: catalog.One, Elsewhere: a.Elsewhere, Own: a.Bother}
	pressing := v.Slice
	if a.ExemptPressure {
		pressing = nil
	}
	w.Bother = contact.Bother(m.bundle, pressing, a.Bother, m.now)
	p.held(&w, a.Weights)
	if a.Group >= 0 {
		w.GroupLever = m.bundle.Groups[a.Group].Lever
		p.held(&w, m.bundle.Groups[a.Group].Weights)
	}
	c := p.judgeNow(k)
	w.Expected, w.Mandatory = c.value, c.mandatory
	return w, true
}

func (p *Past) held(w *Worth, weights []catalog.Weight) {
	for _, x := range weights {
		if x.When == rule.None || p.mind.moment.Truth(p.session.name, x.When) != rule.True {
			continue
		}
		f := Factor{Factor: x.Factor}
		if x.When >= 0 && int(x.When) < len(p.mind.bundle.Program.Nodes) {
			f.When = p.mind.bundle.Program.Nodes[x.When].Text
		}
		w.Weights = append(w.Weights, f)
	}
}

// Origin is where a fact came from.
type Origin struct {
	Provenance event.Provenance
	Source     string // empty where it was not said
	Owner      string // id of the vehicle, household or site; empty for the customer's own
	Happened   sense.Instant
}

// Origin returns where the fact of a name came from that the decision looked at; false where it is none, or not held.
func (p *Past) Origin(name string) (o Origin, ok bool) {
	v := p.view()
	if v.Slice == nil {
		return o, false
	}
	for _, list := range [...][]event.Owner{v.Owners, {{}}} {
		for _, owner := range list {
			for _, from := range [...]*profile.Slice{v.Slice, &p.mind.owned} {
				if f, found := from.Find(name, owner.ID); found && !f.Value.IsNull() {
					return Origin{f.Provenance, f.Source, f.Owner, f.Happened}, true
				}
			}
		}
	}
	return o, false
}

// Happened returns when the latest interaction of a kind took place that makes a condition of an action's hold;
// false where none does: where it is no kind, or the conditions ask that there be none.
func (p *Past) Happened(action, kind string) (at sense.Instant, ok bool) {
	b, v := p.mind.bundle, p.view()
	k := b.KindIndex(kind)
	if k < 0 || v.Slice == nil {
		return 0, false
	}
	d := &b.Kinds[k]
	p.eachInput(p.mind.bundle.ActionIndex(action), func(input int32) bool {
		in := &b.Program.Inputs[input]
		for n := range v.Slice.Interactions {
			if i := &v.Slice.Interactions[n]; i.Kind == kind && i.Happened <= v.Now && v.Now < i.Happened.Add(d.Keep) && i.Happened >= at && p.makes(in, k, i, v.Slice) {
				at, ok = i.Happened, true
			}
		}
		return true
	})
	return at, ok
}

// makes says whether an interaction of kind number k makes an input of the history true.
func (p *Past) makes(in *rule.Input, k int32, i *profile.Interaction, s *profile.Slice) bool {
	b, now := p.mind.bundle, p.frozen.now
	d := &b.Kinds[k]
	about := in.Subject == "" || in.Subject.Touches(i.About)
	undone, _ := s.Undone(b, d, i, now)
	switch {
	case in.From == rule.FromOpen && in.Index == k:
		_, closed := s.Closed(b, d, i)
		return !closed
	case in.From == rule.FromOverdue && in.Index == k:
		overdue, _ := s.Overdue(b, k, now)
		return overdue
	case in.From == rule.FromUntil && in.Index == k:
		return about && !undone && i.Due != sense.Never
	case in.From >= rule.FromBought && in.From <= rule.FromViewed && d.Means == meansOf(in):
		return about && !undone && now < i.Happened.Add(in.Window)
	}
	return false
}

// Alone says whether nobody else could see the slot: it is no shared screen, or the policy's state alone was certain.
func (p *Past) Alone() bool {
	if !p.mind.bundle.Slots[p.frozen.slot].SharedScreen {
		return true
	}
	k := p.mind.bundle.StateIndex(catalog.StateAlone)
	return k >= 0 && p.mind.moment.StateTruth(p.session.name, int(k)) == rule.True
}

// Bundle is the policy with which the decision was made.
func (p *Past) Bundle() *catalog.Bundle { return p.mind.bundle }
