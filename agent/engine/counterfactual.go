package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/arbiter"
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// ErrNotRejected refuses to say why not of what was no candidate, or what has won.
var ErrNotRejected = errors.New("it was not rejected in this decision")

// mostChanges is how many things an answer may want different: who needs more is not near to winning.
const mostChanges = 16

// mostSteps bounds how often a change may lead to the next: waiting moves on from hour to hour.
const mostSteps = 4 * mostChanges

// Change is one thing that would have had to be different.
type Change struct {
	Stage  catalog.Stage  // at which the action fell without it
	Reason catalog.Reason // that it lifts
	Needed string         // what it would have to be: speed <= 5; offers granted; after 2026-03-17 10:00; value at least 12.4
	catalog.Because
	Money  catalog.Micro // by how much the action's value would have to be higher; 0 for what is no money
	Bother catalog.Micro // how low its bother would have to be instead; -1 where that would not do
}

// Answer says what would have had to be different for an action to win. It is true: with the changes laid
// over the moment, the whole decision was made again, and the action won.
type Answer struct {
	Action  string // empty where no other action could win
	Changes []Change
	Value   catalog.Micro // expected, with the changes
	// Never is why nothing makes it win, NoReason where Changes do.
	Never catalog.Reason
}

// Money is by how much values would have to be higher.
func (a *Answer) Money() (sum catalog.Micro) {
	for k := range a.Changes {
		sum += a.Changes[k].Money
	}
	return sum
}

// less orders answers: fewest changes, then least money, then name.
func (a *Answer) less(b *Answer) bool {
	switch {
	case len(a.Changes) != len(b.Changes):
		return len(a.Changes) < len(b.Changes)
	case a.Money() != b.Money():
		return a.Money() < b.Money()
	}
	return a.Action < b.Action
}

// whatIf is what is laid over a moment beside what its conditions read.
type whatIf struct {
	waived []catalog.Reason
	until  sense.Instant // the manners are asked at this later instant; 0 for the moment's own
	slice  *profile.Slice
	erased bool         // that she was erased is taken back
	told   []assumption // what the conditions were told
}

// over lays it over what the guards see.
func (w *whatIf) over(v *guard.View) {
	v.Waived = func(r catalog.Reason) bool { return slices.Contains(w.waived, r) }
	v.Now = max(v.Now, w.until)
	if w.slice != nil {
		v.Slice = w.slice
	}
	v.Erased = v.Erased && !w.erased
}

// trial lays changes over a moment until an action wins.
type trial struct {
	p      *Past
	action int32
	name   string
	answer Answer
	steps  int
}

// BestLoser returns the rejected action that came furthest, of those the one worth most; empty where none was.
func BestLoser(d *Decision) string {
	best := -1
	for k := range d.Rejected {
		r := &d.Rejected[k]
		if best < 0 || r.Stage > d.Rejected[best].Stage || r.Stage == d.Rejected[best].Stage && r.Value > d.Rejected[best].Value {
			best = k
		}
	}
	if best < 0 {
		return ""
	}
	return d.Rejected[best].Action
}

// WhyNot says what would have had to be different for an action to win the decision. The error is
// ErrNotRejected, for what was no candidate or has won.
func (p *Past) WhyNot(action string) (Answer, error) {
	d := p.decision()
	k, ok := slices.BinarySearchFunc(d.Rejected, action, func(r Rejected, name string) int { return strings.Compare(r.Action, name) })
	if !ok {
		return Answer{}, fmt.Errorf("ask why not %q: %w", action, ErrNotRejected)
	}
	return p.try(p.mind.bundle.ActionIndex(d.Rejected[k].Action)), nil
}

// decision is the decision as it was, made once.
func (p *Past) decision() *Decision {
	if p.made == nil {
		p.made = p.Decision()
	}
	return p.made
}

// try lays changes over the moment, one at a time, until the action wins or nothing more helps; the
// moment is as it was afterwards.
func (p *Past) try(action int32) Answer {
	t := trial{p: p, action: action, name: p.mind.bundle.Actions[action].Name}
	t.answer.Action = t.name
	p.decision()
	kept := p.own(action)
	p.what = &whatIf{}
	t.run()
	if t.answer.Never != catalog.NoReason {
		t.answer.Changes = nil
	}
	p.what = nil
	p.state.Undo()
	p.mind.bundle.Actions[action] = kept
	return t.answer
}

// run makes one change after the other until the action wins, or nothing more helps.
func (t *trial) run() {
	for t.answer.Never == catalog.NoReason {
		c := t.p.judgeNow(t.action)
		if t.steps++; t.steps > mostSteps {
			t.fail(c.reason) // hours and pauses that leave no time between them, as a rule
		} else if c.stage != 0 || c.text == nil {
			t.step(&c)
		} else if t.won(&c) {
			return
		}
	}
}

// own lets the actions be changed for this moment alone, and returns one as it is.
func (p *Past) own(action int32) catalog.Action {
	if !p.owned {
		b := *p.mind.bundle
		b.Actions = slices.Clone(b.Actions)
		p.mind.bundle, p.owned = &b, true
	}
	return p.mind.bundle.Actions[action]
}

// judgeNow passes an action through the stages, under the changes.
func (p *Past) judgeNow(action int32) candidate {
	v := p.view()
	return p.mind.judge(p.session, &v, action, guard.Quiet(&v), p.decision().Language)
}

// won says whether the action wins the whole decision now, or all is said; where another leads, the changes go on.
func (t *trial) won(c *candidate) bool {
	lead := t.p.leader()
	if lead.action == t.action {
		d := t.p.Decision()
		t.answer.Value = d.Value
		if d.Action != t.name || d.Cause != "" {
			t.fail(catalog.LostByValue) // cannot be: the leader is who is chosen
		}
		return d.Action == t.name && d.Cause == ""
	}
	a, other := &t.p.mind.bundle.Actions[t.action], t.p.mind.bundle.Actions[lead.action].Name
	if lead.foremost && !c.foremost || lead.mandatory && !c.mandatory {
		return t.topple(&lead)
	}
	t.raise(catalog.StageRanked, catalog.LostByValue, c.value, lead.value+1, "worth more than "+micro(lead.value)+" ("+other+")", a)
	return false
}

// leader is the candidate that goes first now, among those that pass every stage; one at least does.
func (p *Past) leader() (best candidate) {
	v := p.view()
	quiet := guard.Quiet(&v)
	best.action = -1
	for _, a := range p.mind.plan.candidates[p.frozen.slot] {
		its := v
		c := p.mind.judge(p.session, &its, a, quiet, p.decision().Language)
		if c.stage != 0 || c.text == nil {
			continue
		}
		if best.action < 0 || arbiter.Better(p.entry(&v, &c), p.entry(&v, &best)) < 0 {
			best = c
		}
	}
	return best
}

func (p *Past) entry(v *guard.View, c *candidate) arbiter.Candidate {
	return arbiter.Candidate{Index: c.action, Foremost: c.foremost, Mandatory: c.mandatory, Value: c.value, Showings: showings(v.Slice, p.mind.bundle.Actions[c.action].Name)}
}

func micro(n catalog.Micro) string { return string(sense.AppendMicro(nil, n, 6)) }

// fail ends the trial: nothing makes the action win.
func (t *trial) fail(r catalog.Reason) {
	if t.answer.Never = r; r == catalog.NoReason {
		t.answer.Never = catalog.LostByValue // it passes, and does not come to win
	}
}

// add notes a change; one that was made already does not help, and too many are no answer.
func (t *trial) add(c Change) bool {
	if c.Money == 0 {
		c.Bother = -1
	}
	for k := range t.answer.Changes {
		if o := &t.answer.Changes[k]; o.Stage == c.Stage && o.Reason == c.Reason && o.Needed == c.Needed && o.Name == c.Name {
			t.fail(c.Reason)
			return false
		}
	}
	if len(t.answer.Changes) == mostChanges {
		t.fail(c.Reason)
		return false
	}
	t.answer.Changes = append(t.answer.Changes, c)
	return true
}

// step makes the change that lets the candidate pass where it fell.
func (t *trial) step(c *candidate) {
	switch stage := t.stageOf(c); stage {
	case catalog.StageQuiet:
		t.manner(stage, c, t.quietState(c.reason), false)
	case catalog.StageLegal:
		t.lawful(c)
	case catalog.StageEligible, catalog.StageApplicable, catalog.StageSuitable:
		t.condition(stage, c)
	case catalog.StageActive, catalog.StageContact:
		t.manner(stage, c, -1, false)
	case catalog.StageGuard:
		state := -1
		if c.reason == catalog.NotAlone || c.reason == catalog.BystanderUnknown {
			state = t.stateNamed(catalog.StateAlone)
		}
		t.manner(stage, c, state, true)
	case catalog.StageValue:
		least := max(1, t.p.view().Slot.Minimum)
		t.raise(stage, c.reason, c.value, least, "worth "+micro(least)+" at least", &t.p.mind.bundle.Actions[t.action])
	default:
		t.sayable(c)
	}
}

func (t *trial) stageOf(c *candidate) catalog.Stage {
	if c.stage == 0 {
		return catalog.StageTreatment
	}
	return c.stage
}

// quietState is the state of attention behind a reason of the stage quiet; -1 where there is none.
func (t *trial) quietState(r catalog.Reason) int {
	for _, q := range catalog.QuietStates() {
		if q.Reason == r {
			return t.stateNamed(q.State)
		}
	}
	return -1
}

func (t *trial) stateNamed(name string) int {
	return int(t.p.mind.bundle.StateIndex(name))
}

// lasting are reasons that nothing about this moment and this customer would lift.
var lasting = []catalog.Reason{
	catalog.NoBasis, catalog.NotInBundle, catalog.Expired, catalog.PausedByOperator, catalog.LanguageMissing,
	catalog.ControlGroup, catalog.SignificantNeedsPerson, catalog.BudgetNotLeased, catalog.NoTreatmentForSlot, catalog.NoTreatmentForLanguage, catalog.TextTooLong,
	catalog.ConditionError,
}

// manner lifts what quiet states, hours, guards and the contact policy hold against it: by the state that
// they read, by time where time does it, and else by taking the reason out.
func (t *trial) manner(stage catalog.Stage, c *candidate, state int, want bool) {
	change := Change{Stage: stage, Reason: c.reason, Because: first(c.because)}
	now := max(t.p.frozen.now, t.p.what.until)
	switch {
	case slices.Contains(lasting, c.reason):
		t.fail(c.reason)
	case state >= 0 && t.p.mind.bundle.States[state].Node >= 0 && t.p.mind.moment.Truth(t.p.session.name, t.p.mind.bundle.States[state].Node) != truthIs(want):
		t.attend(change, state, want)
	case c.until > now && c.until < sense.Never:
		t.wait(change, c.until)
	default:
		change.Needed = wantedInWords(c.reason)
		if change.Needed == "" {
			t.fail(c.reason)
			return
		}
		if !t.add(change) {
			return
		}
		if slice := t.p.uncomplained(); c.reason == catalog.OpenComplaint && slice != nil {
			t.p.reread(slice)
			return
		}
		t.p.what.waived = append(t.p.what.waived, c.reason)
	}
}

func truthIs(want bool) rule.Truth {
	if want {
		return rule.True
	}
	return rule.False
}

func first(list []catalog.Because) catalog.Because {
	if len(list) == 0 {
		return catalog.Because{Age: catalog.NoAge}
	}
	b := list[0]
	b.Needed = ""
	return b
}

// attend lets a state of attention be certain, by the fewest atoms.
func (t *trial) attend(change Change, state int, want bool) {
	atoms, ok := t.p.state.Missing(t.p.mind.bundle.States[state].Node, want)
	if !ok || len(atoms) == 0 {
		t.fail(change.Reason)
		return
	}
	t.make(change.Stage, change.Reason, atoms)
}

// wait moves the manners on to a later instant; of several the latest is told.
func (t *trial) wait(change Change, until sense.Instant) {
	change.Needed = "after " + t.p.clockText(until)
	t.p.what.until = until
	for k := range t.answer.Changes {
		if t.answer.Changes[k].waits() {
			t.answer.Changes = slices.Delete(t.answer.Changes, k, k+1)
			break
		}
	}
	t.add(change)
}

// waits says whether a change is one of time.
func (c *Change) waits() bool { return strings.HasPrefix(c.Needed, "after ") && c.Money == 0 }

// clockText prints an instant in the policy's zone: 2026-03-17 10:00.
func (p *Past) clockText(i sense.Instant) string {
	return p.clockTextOf(i.Add(sense.Minute - 1)) // what is told shall be true
}

func (p *Past) clockTextOf(i sense.Instant) string {
	z := p.mind.bundle.Zone
	minute := z.DayMinute(i)
	return fmt.Sprintf("%s %02d:%02d", sense.FormatDate(z.Day(i)), minute/60, minute%60)
}

// make lets atoms be as they should be.
func (t *trial) make(stage catalog.Stage, reason catalog.Reason, atoms []moment.Atom) {
	for _, a := range atoms {
		if !t.add(t.p.changeOf(stage, reason, a)) {
			return
		}
		was := t.p.what.slice
		if t.p.become(a); t.p.what.slice != was {
			t.unwait()
		}
	}
}

// changeOf says an atom as a change: what is open is closed by the kind that closes it.
func (p *Past) changeOf(stage catalog.Stage, reason catalog.Reason, a moment.Atom) Change {
	c := Change{Stage: stage, Reason: reason, Needed: a.Needed, Because: a.Because}
	c.Because.Needed = ""
	b := p.mind.bundle
	switch in, want := p.inputOf(&a); {
	case in >= 0 && b.Program.Inputs[in].From == rule.FromOpen && !want && a.Known:
		if k := &b.Kinds[b.Program.Inputs[in].Index]; k.OpenUntil >= 0 {
			c.Needed = k.Name + " " + b.Kinds[k.OpenUntil].Name // complaint resolved
		}
	case !a.Known && a.Name != "":
		c.Needed = a.Name + " known, and " + a.Needed
	}
	return c
}

// condition lets the conditions of one stage hold; what else a stage asks for are facts and signals.
func (t *trial) condition(stage catalog.Stage, c *candidate) {
	if c.reason == catalog.TooLate {
		t.inTime(c)
		return
	}
	a := &t.p.mind.bundle.Actions[t.action]
	group, own, _, _ := conditions(t.p.mind.bundle, a, stage)
	for _, n := range [...]rule.Node{group, own} {
		if n == rule.None || t.p.mind.moment.Truth(t.p.session.name, n) == rule.True {
			continue
		}
		atoms, ok := t.p.state.Missing(n, true)
		if !ok || len(atoms) == 0 {
			t.fail(c.reason)
			return
		}
		t.make(stage, c.reason, atoms)
		return
	}
	t.know(stage, c)
}

// know lets a fact or a signal be known that a stage asks for by name.
func (t *trial) know(stage catalog.Stage, c *candidate) {
	b := first(c.because)
	change := Change{Stage: stage, Reason: c.reason, Needed: b.Name + " known", Because: b}
	bundle := t.p.mind.bundle
	fact, signal := bundle.FactIndex(b.Name), bundle.SignalIndex(b.Name)
	slice := t.p.sliceCopy()
	switch {
	case b.Name == "" || slices.Contains(lasting, c.reason):
		t.fail(c.reason)
	case fact >= 0 && slice != nil:
		if t.add(change) {
			d := &bundle.Facts[fact]
			slice.state(d, some(d.Kind, d.OneOf), t.p.frozen.now)
			t.p.reread((*profile.Slice)(slice))
		}
	case signal >= 0 && bundle.Signals[signal].Input >= 0:
		if t.add(change) {
			t.p.assume(assumption{input: bundle.Signals[signal].Input, value: some(bundle.Signals[signal].Kind, nil)})
		}
	default:
		t.fail(c.reason)
	}
}

// sayable lets a placeholder be known. Texts that were never written are the policy's business.
func (t *trial) sayable(c *candidate) {
	if c.reason != catalog.PlaceholderUnknown {
		t.fail(c.reason)
		return
	}
	t.know(catalog.StageTreatment, c)
}

// assumed is a copy of what is known of her that changes are laid over.
type assumed profile.Slice

// sliceCopy returns a copy of the slice that the guards see; nil where there is none.
func (p *Past) sliceCopy() *assumed {
	v := p.view()
	if v.Slice == nil {
		return nil
	}
	s := *v.Slice
	s.Facts, s.Consents, s.Objections, s.Interactions = slices.Clone(s.Facts), slices.Clone(s.Consents), slices.Clone(s.Objections), slices.Clone(s.Interactions)
	return (*assumed)(&s)
}

func inOrderOfFacts(a, b profile.Fact) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Owner, b.Owner))
}

// some is any value of a kind.
func some(k sense.Kind, oneOf []string) sense.Value {
	switch k {
	case sense.Bool:
		return sense.BoolValue(true)
	case sense.Int:
		return sense.IntValue(1)
	case sense.Double:
		return sense.DoubleValue(1)
	case sense.Length:
		return sense.LengthValue(sense.Minute)
	case sense.Date:
		return sense.DateValue(0)
	case sense.Timestamp:
		return sense.TimestampValue(0)
	case sense.Money:
		return sense.MoneyValue(catalog.One)
	case sense.Position:
		return sense.PositionValue(sense.Point{}, sense.NoAccuracy)
	case sense.List:
		return sense.ListValue(nil)
	}
	if len(oneOf) > 0 {
		return sense.StringValue(oneOf[0])
	}
	return sense.StringValue("...")
}

// lawful lets what the law asks for be there: consent, no objection, no restriction.
func (t *trial) lawful(c *candidate) {
	b := first(c.because)
	change := Change{Stage: catalog.StageLegal, Reason: c.reason, Because: b}
	slice := t.p.sliceCopy()
	if slices.Contains(lasting, c.reason) || slice == nil && c.reason != catalog.Erased {
		t.fail(c.reason)
		return
	}
	switch c.reason {
	case catalog.AgeTooLow:
		t.ofAge(c)
		return
	case catalog.Objected:
		change.Needed = "no objection to " + b.Name
		slice.Objections = slices.DeleteFunc(slice.Objections, func(o profile.Objection) bool { return o.Purpose == b.Name })
	case catalog.Restricted:
		change.Needed = "use of the data not restricted"
		slice.Restricted = false
	case catalog.Erased:
		change.Needed = "not forgotten"
		t.p.what.erased = true
	default:
		if !t.consentTo(slice, b.Name) {
			t.fail(c.reason)
			return
		}
		change.Needed = b.Name + " granted"
	}
	if t.add(change) && slice != nil {
		t.p.what.slice = (*profile.Slice)(slice)
	}
}

// consentTo grants a purpose; false where that is none that can be granted.
func (t *trial) consentTo(s *assumed, purpose string) bool {
	asked := t.p.mind.bundle.PurposeIndex(purpose)
	if asked < 0 || !t.p.mind.bundle.Purposes[asked].Basis.NeedsGrant() {
		return false
	}
	given := profile.Consent{Purpose: purpose, Granted: true, Ever: true, Text: "as asked", Expires: sense.Never, Happened: t.p.frozen.now}
	k, there := slices.BinarySearchFunc(s.Consents, purpose, func(c profile.Consent, name string) int { return strings.Compare(c.Purpose, name) })
	if there {
		s.Consents[k] = given
	} else {
		s.Consents = slices.Insert(s.Consents, k, given)
	}
	return true
}

// mostValue bounds the value that an answer may ask for: a policy writes none above it.
const mostValue catalog.Micro = 1_000_000 * catalog.One

// cent is what values are rounded up to, as people write them.
const cent = catalog.One / 100

// raise lets the action be worth what it must be, by the least value that does it.
func (t *trial) raise(stage catalog.Stage, reason catalog.Reason, is, least catalog.Micro, words string, a *catalog.Action) {
	had, bother := a.Value, a.Bother
	v := t.p.view()
	worth := func(value, bother catalog.Micro) catalog.Micro {
		a.Value, a.Bother = value, bother
		is, _ := t.p.mind.expected(t.p.session, &v, a)
		return is
	}
	low, high := had, max(had, mostValue)
	if worth(high, bother) < least {
		a.Value = had
		t.fail(reason)
		return
	}
	for low+1 < high {
		if mid := low + (high-low)/2; worth(mid, bother) >= least {
			high = mid
		} else {
			low = mid
		}
	}
	high = min((high+cent-1)/cent*cent, max(had, mostValue))
	change := Change{Stage: stage, Reason: reason, Money: high - had, Bother: -1, Because: catalog.Because{Name: t.name, Value: sense.MoneyValue(is), Age: catalog.NoAge}}
	change.Needed = words + ": value at least " + micro(high)
	if lower := bother - (least - is); lower >= 0 && worth(had, lower) >= least {
		change.Bother = lower
		change.Needed += ", or bother at most " + micro(lower)
	}
	a.Value, a.Bother = high, bother
	t.add(change)
}
