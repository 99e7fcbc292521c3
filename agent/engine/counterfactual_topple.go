package engine

import (
	"cmp"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// downfall is one way in which an action that must come first would not: by atoms of its own conditions, by
// fewer bad experiences, or by the law.
type downfall struct {
	atoms  []moment.Atom
	change Change // where it is no atoms
	slice  *profile.Slice
}

func (f *downfall) size() int { return max(1, len(f.atoms)) }

// downfalls returns the ways for an action, the smallest first. That it then falls is for the caller to see.
func (p *Past) downfalls(action int32) (all []downfall) {
	b := p.mind.bundle
	a := &b.Actions[action]
	for stage := catalog.StageEligible; stage <= catalog.StageSuitable; stage++ {
		group, own, _, _ := conditions(b, a, stage)
		for _, n := range [...]rule.Node{group, own} {
			if n == rule.None {
				continue
			}
			if atoms, ok := p.state.Missing(n, false); ok && len(atoms) > 0 && len(atoms) <= mostChanges {
				all = append(all, downfall{atoms: atoms})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y downfall) int { return cmp.Compare(x.size(), y.size()) })
	if f, ok := p.fewerStrikes(a); ok {
		all = append(all, f)
	}
	if f, ok := p.notAgreed(a); ok {
		all = append(all, f)
	}
	return all
}

// fewerStrikes takes bad experiences away, the latest first, until the action need not come first.
func (p *Past) fewerStrikes(a *catalog.Action) (f downfall, ok bool) {
	v := p.view()
	slice := p.sliceCopy()
	if slice == nil || a.Mandatory && !guard.Foremost(&v, a) || !guard.Mandatory(&v, a) {
		return f, false
	}
	count, _, _ := guard.Strikes(&v)
	whole := profile.Slice(*slice)
	whole.Exposures = slices.Clone(whole.Exposures)
	v.Slice = &whole
	had := func() bool { return guard.Foremost(&v, a) || guard.Mandatory(&v, a) && !a.Mandatory }
	for had() {
		n := slices.IndexFunc(reversed(whole.Interactions), func(i profile.Interaction) bool {
			k := p.mind.bundle.Kind(i.Kind)
			return k != nil && k.Negative
		})
		x := slices.IndexFunc(reversed(whole.Exposures), func(x profile.Exposure) bool {
			return slices.ContainsFunc(x.Outcomes, func(o profile.Outcome) bool { return o.Outcome == "negative" })
		})
		switch {
		case n >= 0:
			n = len(whole.Interactions) - 1 - n
			whole.Interactions = slices.Delete(whole.Interactions, n, n+1)
		case x >= 0:
			one := &whole.Exposures[len(whole.Exposures)-1-x]
			one.Outcomes = slices.DeleteFunc(slices.Clone(one.Outcomes), func(o profile.Outcome) bool { return o.Outcome == "negative" })
		default:
			return f, false
		}
	}
	left, _, _ := guard.Strikes(&v)
	f.change = Change{Needed: "bad experiences <= " + sense.IntValue(left).String(),
		Because: catalog.Because{Name: "bad experiences", Value: sense.IntValue(count), Age: catalog.NoAge}}
	f.slice = &whole
	return f, true
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// notAgreed takes the consent back that an action needs, or lets her object to it.
func (p *Past) notAgreed(a *catalog.Action) (f downfall, ok bool) {
	slice := p.sliceCopy()
	if slice == nil || a.Purpose < 0 {
		return f, false
	}
	d := &p.mind.bundle.Purposes[a.Purpose]
	f.change.Because = catalog.Because{Name: d.Name, Age: catalog.NoAge}
	switch {
	case d.Basis.NeedsGrant():
		f.change.Needed = d.Name + " not granted"
		slice.Consents = slices.DeleteFunc(slice.Consents, func(c profile.Consent) bool { return c.Purpose == d.Name })
	case d.Basis.YieldsToObjection():
		f.change.Needed = "objection to " + d.Name
		slice.Objections = slices.DeleteFunc(slice.Objections, func(o profile.Objection) bool { return o.Purpose == d.Name })
		slice.Objections = append(slice.Objections, profile.Objection{Purpose: d.Name, Raised: true, Happened: p.frozen.now})
	default:
		return f, false
	}
	f.slice = (*profile.Slice)(slice)
	return f, true
}

// befall lets it happen.
func (p *Past) befall(f *downfall) {
	for _, a := range f.atoms {
		p.become(a)
	}
	if f.slice != nil {
		p.reread(f.slice)
	}
}

// stands says whether an action passes every stage now, and goes before others whatever they are worth.
func (p *Past) stands(action int32) bool {
	c := p.judgeNow(action)
	return c.stage == 0 && c.text != nil && (c.mandatory || c.foremost)
}

// topple takes down what must come first, in each way that it can fall, and goes on from there: the smallest
// answer of all ways counts. All is said then.
func (t *trial) topple(lead *candidate) bool {
	best := Answer{Action: t.name, Never: catalog.LostToMandatory}
	from := t.mark()
	for _, f := range t.p.downfalls(lead.action) {
		t.back(from)
		if f.size() > 1 && best.Never == catalog.NoReason && len(t.answer.Changes)+f.size() > len(best.Changes) {
			continue
		}
		if !t.note(&f) {
			continue
		}
		was := t.p.what.slice
		if t.p.befall(&f); t.p.what.slice != was {
			t.unwait()
		}
		if c := t.p.judgeNow(lead.action); c.stage == 0 && c.foremost == lead.foremost && c.mandatory == lead.mandatory {
			continue
		}
		if t.run(); t.answer.Never == catalog.NoReason && (best.Never != catalog.NoReason || t.answer.less(&best)) {
			best = t.answer
		}
	}
	t.answer = best
	return true
}

// note adds what a downfall changes to the answer; false where that was changed before.
func (t *trial) note(f *downfall) bool {
	if f.slice != nil {
		change := f.change
		change.Stage, change.Reason = catalog.StageRanked, catalog.LostToMandatory
		return t.add(change)
	}
	for _, a := range f.atoms {
		if !t.add(t.p.changeOf(catalog.StageRanked, catalog.LostToMandatory, a)) {
			return false
		}
	}
	return true
}

// mark is a trial as it stands, to come back to.
type mark struct {
	answer Answer
	what   whatIf
	action catalog.Action
}

func (t *trial) mark() mark {
	m := mark{answer: t.answer, what: *t.p.what, action: t.p.mind.bundle.Actions[t.action]}
	m.answer.Changes = slices.Clone(m.answer.Changes)
	m.what.waived, m.what.told = slices.Clone(m.what.waived), slices.Clone(m.what.told)
	return m
}

// back puts the trial where it was marked.
func (t *trial) back(m mark) {
	t.answer, t.p.mind.bundle.Actions[t.action] = m.answer, m.action
	t.answer.Changes = slices.Clone(m.answer.Changes)
	t.p.lay(m.what)
}

// lay lays a state of things over the moment, in place of what was.
func (p *Past) lay(w whatIf) {
	told := w.told
	w.waived, w.told = slices.Clone(w.waived), nil
	p.what = &w
	p.state.Undo()
	for _, a := range told {
		p.assume(a)
	}
}

// heirs returns who would lead once what must come first, and won, had fallen in one of the ways, or with no
// complaint; of each one time.
func (p *Past) heirs(winner int32) (all []int32) {
	if winner < 0 || !p.stands(winner) {
		return nil
	}
	ways := p.downfalls(winner)
	if slice := p.uncomplained(); slice != nil {
		ways = append(ways, downfall{slice: slice})
	}
	for _, f := range ways {
		p.what = &whatIf{}
		p.befall(&f)
		if lead := p.leader(); lead.action >= 0 && lead.action != winner && !slices.Contains(all, lead.action) {
			all = append(all, lead.action)
		}
		p.state.Undo()
		p.what = nil
	}
	return all
}
