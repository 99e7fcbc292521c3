package engine

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// assumption is one thing that the conditions were told: an atom, or another state of an input.
type assumption struct {
	atom  moment.Atom
	input int32 // -1 for the atom
	value sense.Value
}

func (p *Past) assume(a assumption) {
	if p.what.told = append(p.what.told, a); a.input < 0 {
		p.state.Make(a.atom)
		return
	}
	p.state.Assume(a.input, a.value)
	p.state.Work()
}

// become lets an atom be as wanted. Where it asks for what is known of her, that is changed in what the
// guards see as well, and every condition that asks for the same hears of it: who has not complained is held
// back by no complaint, and who has told her model need not be asked for it.
func (p *Past) become(a moment.Atom) {
	in, want := p.inputOf(&a)
	if in >= 0 {
		p.change(&a, in, want)
	}
	if p.mind.moment.Truth(p.session.name, a.Node) != truthIs(a.Want) {
		p.assume(assumption{atom: a, input: -1})
	}
}

// change gives the one input that an atom reads another state.
func (p *Past) change(a *moment.Atom, in int32, want bool) {
	d, slice := &p.mind.bundle.Program.Inputs[in], p.sliceCopy()
	switch {
	case slice != nil && (d.From == rule.FromFact || d.From == rule.FromAge):
		if d.Kind == sense.Bool {
			p.assume(assumption{input: in, value: sense.BoolValue(want)})
		} else {
			p.assume(assumption{atom: *a, input: -1})
		}
		if slice.tell(p, d, p.state.Input(p.session.name, in)) {
			p.reread((*profile.Slice)(slice))
		}
	case slice != nil && slice.live(p, d, want):
		p.reread((*profile.Slice)(slice))
	case d.Kind == sense.Bool && d.From != rule.FromHas:
		p.assume(assumption{input: in, value: sense.BoolValue(want)})
	}
}

// inputOf returns the one input that an atom reads, -1 where it reads several or none; want is what it should
// be, where it is a truth.
func (p *Past) inputOf(a *moment.Atom) (in int32, want bool) {
	nodes := p.mind.bundle.Program.Nodes
	op := &nodes[a.Node]
	if want = a.Want; op.Code == rule.Not {
		op, want = &nodes[op.Args[0]], !want
	}
	if op.Code >= rule.Eq && op.Code <= rule.Ge && len(op.Args) == 2 {
		one, other := &nodes[op.Args[0]], &nodes[op.Args[1]]
		if one.Code == rule.Const {
			one, other = other, one
		}
		if op = one; other.Code != rule.Const {
			return -1, want
		}
	}
	if op.Code != rule.Load {
		return -1, want
	}
	return op.Input, want
}

// reread lets the conditions read what is known of her as it is in slice: what differs from before.
func (p *Past) reread(slice *profile.Slice) {
	v := p.view()
	for k := range p.mind.bundle.Program.Inputs {
		in := &p.mind.bundle.Program.Inputs[k]
		was, had := p.read(v.Slice, in)
		if is, ok := p.read(slice, in); ok && !(had && is.Equal(was)) {
			p.assume(assumption{input: int32(k), value: is})
		}
	}
	p.what.slice = slice
}

// read answers an input from what is known of her; false for what no slice tells, or it does not know.
func (p *Past) read(s *profile.Slice, in *rule.Input) (v sense.Value, ok bool) {
	b, now := p.mind.bundle, p.frozen.now
	yes := false
	switch in.From {
	case rule.FromFact:
		h := s.Held(b, in.Index, p.frozen.owners, now)
		return h.Value, h.Present && h.Fresh
	case rule.FromAge:
		h := s.Held(b, in.Index, p.frozen.owners, now)
		if ok = h.Present && h.Fresh && h.Value.Kind() == sense.Date; ok {
			v = sense.IntValue(p.yearsSince(h.Value.Int()))
		}
		return v, ok
	case rule.FromHas:
		k := b.FactIndex(in.Name)
		if k < 0 {
			return v, false
		}
		h := s.Held(b, k, p.frozen.owners, now)
		yes = h.Present && h.Fresh
	case rule.FromOpen:
		yes, _ = s.Open(b, in.Index, now)
	case rule.FromOverdue:
		yes, _ = s.Overdue(b, in.Index, now)
	case rule.FromUntil:
		due, ok, _ := s.DueOf(b, in.Index, in.Subject, now)
		return sense.TimestampValue(due), ok
	case rule.FromBought, rule.FromBooked, rule.FromAsked, rule.FromAnswered, rule.FromComplained, rule.FromContacted, rule.FromViewed:
		yes, _ = s.Did(b, meansOf(in), in.Subject, in.Window, now)
	default:
		return v, false
	}
	return sense.BoolValue(yes), true
}

func meansOf(in *rule.Input) catalog.Means {
	return catalog.MeansBought + catalog.Means(in.From-rule.FromBought)
}

// tell lets her have told the fact that an input reads, so that it stands as assumed; false where that is of
// no fact of her own.
func (s *assumed) tell(p *Past, in *rule.Input, is rule.Result) bool {
	d := &p.mind.bundle.Facts[in.Index]
	if d.Owner != "" || is.Cause != rule.Known {
		return false
	}
	v := is.Value
	if in.From == rule.FromAge {
		v = p.bornYearsAgo(v.Int())
	}
	s.state(d, v, p.frozen.now)
	return true
}

// bornYearsAgo is a date of birth of who is that many years old.
func (p *Past) bornYearsAgo(years int64) sense.Value {
	today := sense.Instant(p.mind.bundle.Zone.Day(p.frozen.now) * int64(sense.Day)).Time()
	return sense.DateValue(sense.UTC.Day(sense.InstantOf(today.AddDate(-int(min(years, 1000)), 0, -1))))
}

// yearsSince returns the whole years since a day.
func (p *Past) yearsSince(day int64) int64 {
	today := sense.Instant(p.mind.bundle.Zone.Day(p.frozen.now) * int64(sense.Day)).Time()
	born := sense.Instant(day * int64(sense.Day)).Time()
	years := today.Year() - born.Year()
	if born.AddDate(years, 0, 0).After(today) {
		years--
	}
	return int64(years)
}

// live lets the history be as an input asks: what was is not there, what is open is put right just now, and
// what was not has happened just now. False where no history does it.
func (s *assumed) live(p *Past, in *rule.Input, want bool) bool {
	b, now := p.mind.bundle, p.frozen.now
	switch {
	case in.From == rule.FromOpen && !want:
		k := &b.Kinds[in.Index]
		return s.answer(k.Name, k.OpenUntil, b, now)
	case in.From == rule.FromOverdue && !want:
		k := &b.Kinds[in.Index]
		return s.answer(k.Name, k.ClosedBy, b, now)
	case in.From == rule.FromOpen:
		s.happen(profile.Interaction{Kind: b.Kinds[in.Index].Name, Due: sense.Never, Happened: now})
		return true
	case in.From < rule.FromBought || in.From > rule.FromViewed:
		return false
	}
	means := meansOf(in)
	if !want {
		return s.drop(func(i *profile.Interaction) bool {
			k := b.Kind(i.Kind)
			return k != nil && k.Means == means && (in.Subject == "" || in.Subject.Touches(i.About))
		})
	}
	for k := range b.Kinds {
		if b.Kinds[k].Means == means {
			s.happen(profile.Interaction{Kind: b.Kinds[k].Name, About: in.Subject, Due: sense.Never, Happened: now})
			return true
		}
	}
	return false
}

// answer lets everything of a kind be closed now by one of the kind by.
func (s *assumed) answer(kind string, by int32, b *catalog.Bundle, now sense.Instant) bool {
	if by < 0 {
		return false
	}
	for _, i := range slices.Clone(s.Interactions) {
		if i.Kind == kind {
			s.happen(profile.Interaction{Kind: b.Kinds[by].Name, About: i.About, Ref: i.Ref, Due: sense.Never, Happened: now})
		}
	}
	return true
}

// happen adds what happens now; of the same instant it comes last.
func (s *assumed) happen(i profile.Interaction) { s.Interactions = append(s.Interactions, i) }

// drop lets interactions not have been; false where none was.
func (s *assumed) drop(which func(*profile.Interaction) bool) bool {
	had := len(s.Interactions)
	s.Interactions = slices.DeleteFunc(s.Interactions, func(i profile.Interaction) bool { return which(&i) })
	return len(s.Interactions) < had
}

// state lets her have told a fact just now.
func (s *assumed) state(d *catalog.Fact, v sense.Value, now sense.Instant) {
	f := profile.Fact{Name: d.Name, Value: v, Provenance: event.Declared, Happened: now}
	k, there := slices.BinarySearchFunc(s.Facts, f, inOrderOfFacts)
	if there {
		s.Facts[k] = f
		return
	}
	s.Facts = slices.Insert(s.Facts, k, f)
}

// unwait takes back that it was waited: what is known of her is another now, and may need no waiting.
func (t *trial) unwait() {
	t.p.what.until = 0
	t.answer.Changes = slices.DeleteFunc(t.answer.Changes, func(c Change) bool { return c.waits() })
}

// uncomplained is what would be known of her without the complaints that are open; nil where none is.
func (p *Past) uncomplained() *profile.Slice {
	slice, b := p.sliceCopy(), p.mind.bundle
	if slice == nil {
		return nil
	}
	whole := profile.Slice(*slice)
	whole.Interactions = slices.Clone(whole.Interactions)
	dropped := slice.drop(func(i *profile.Interaction) bool {
		k := b.Kind(i.Kind)
		if k == nil || !k.Negative || k.OpenUntil < 0 {
			return false
		}
		_, closed := whole.Closed(b, k, i)
		return !closed
	})
	if !dropped {
		return nil
	}
	return (*profile.Slice)(slice)
}

// inTime lets what the action has to come before be still ahead.
func (t *trial) inTime(c *candidate) {
	slice := t.p.sliceCopy()
	change := Change{Stage: catalog.StageApplicable, Reason: c.reason, Because: first(c.because)}
	if slice == nil || change.Value.Kind() != sense.Timestamp {
		t.fail(c.reason)
		return
	}
	due := change.Value.Timestamp()
	change.Value = sense.Value{} // it is the instant that is told
	for k := range slice.Interactions {
		if i := &slice.Interactions[k]; i.Kind == change.Name && i.Due == due {
			i.Due = t.p.frozen.now + 1 // as late as it could have been
		}
	}
	change.Needed = "before " + t.p.clockTextOf(due)
	if t.add(change) {
		t.p.reread((*profile.Slice)(slice))
	}
}

// ofAge lets her have been born long enough ago for the purposes of the action.
func (t *trial) ofAge(c *candidate) {
	b, by := t.p.mind.bundle, first(c.because)
	fact := b.FactIndex(by.Name)
	slice := t.p.sliceCopy()
	a := &b.Actions[t.action]
	purposes := append([]int32{a.Purpose}, a.NeedGrants...)
	if a.Partner >= 0 && len(b.Partners) > 0 {
		purposes = append(purposes, b.Partners[a.Partner].Consent)
	}
	least := int64(0)
	for _, k := range purposes {
		if k >= 0 && b.Purposes[k].Born == fact {
			least = max(least, b.Purposes[k].LeastAge)
		}
	}
	if fact < 0 || slice == nil || least == 0 {
		t.fail(c.reason) // no date of birth would tell
		return
	}
	needed := by.Name + " such that she is at least " + sense.IntValue(least).String()
	if t.add(Change{Stage: catalog.StageLegal, Reason: c.reason, Needed: needed, Because: by}) {
		slice.state(&b.Facts[fact], t.p.bornYearsAgo(least), t.p.frozen.now)
		t.p.reread((*profile.Slice)(slice))
	}
}
