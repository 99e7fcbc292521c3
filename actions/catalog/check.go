package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Check verifies that a bundle is whole: names in order, every index points at
// something, every number within its bounds, the program sound. What Check lets
// through can make no reader index out of range.
func Check(b *Bundle) error {
	if err := rule.Check(&b.Program); err != nil {
		return err
	}
	c := &checker{b: b}
	c.header()
	c.data()
	c.screens()
	c.actions()
	c.contact()
	c.program()
	return c.err
}

type checker struct {
	b   *Bundle
	err error
}

// must keeps the first thing that does not hold. It costs nothing where all does, since names are
// put into words only once something is wrong.
func (c *checker) must(holds bool, format string, names ...string) {
	if holds || c.err != nil {
		return
	}
	args := make([]any, len(names))
	for k, n := range names {
		args[k] = n
	}
	c.fail(format, args...)
}

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("check bundle: "+format, args...)
	}
}

// index checks an index into a list of n; none says whether -1 is allowed. What it stands in is
// said in words that are joined.
func (c *checker) index(k int32, n int, none bool, of ...string) {
	if (k < 0 || int(k) >= n) && (!none || k != -1) {
		c.fail("%s points at %d of %d", strings.Join(of, ""), k, n)
	}
}

func (c *checker) node(n rule.Node, of string) {
	if n != rule.None && (n < 0 || int(n) >= len(c.b.Program.Nodes)) {
		c.fail("%s points at node %d of %d", of, n, len(c.b.Program.Nodes))
	}
}

// condition checks a node that must be true or false.
func (c *checker) condition(n rule.Node, of string) {
	c.node(n, of)
	if c.err == nil && n != rule.None {
		c.must(c.b.Program.Nodes[n].Kind == sense.Bool, "%s is not true or false", of)
	}
}

func (c *checker) probability(m Micro, of string) {
	c.must(m >= 0 && m <= One, "%s is no probability", of)
}

// mostAmount bounds amounts, so that products of them never overflow.
const mostAmount = 1_000_000_000 * One

func (c *checker) amount(m Micro, of string) {
	c.must(m >= -mostAmount && m <= mostAmount, "%s is no amount", of)
}

func (c *checker) length(d sense.Duration, of string) { c.must(d >= 0, "%s is negative", of) }

// texts checks texts per language.
func (c *checker) texts(t Text, of string) {
	if len(t) > 0 && len(t) != len(c.b.Languages) {
		c.fail("%s has %d texts for %d languages", of, len(t), len(c.b.Languages))
	}
}

// ordered checks that named things stand in order, each once.
func ordered[T any](c *checker, list []T, name func(*T) string, of string) {
	for k := range list {
		c.must(name(&list[k]) != "", "one of the %s has no name", of)
		if k > 0 {
			c.must(name(&list[k-1]) < name(&list[k]), "%s are not in order at %s", of, name(&list[k]))
		}
	}
}

func (c *checker) header() {
	b := c.b
	c.must(b.Name != "" && b.Version > 0, "it has no name or version")
	if len(b.Languages) == 0 || len(b.Languages) > 64 {
		c.fail("it has %d languages", len(b.Languages))
	}
	c.must(b.VisitEnds > 0, "a visit does not end")
	for k := 1; k < len(b.Zone.Turns); k++ {
		c.must(b.Zone.Turns[k-1].From < b.Zone.Turns[k].From, "the zone's turns are not in order")
	}
	for _, t := range b.Zone.Turns {
		c.must(t.Offset > -sense.Day && t.Offset < sense.Day, "the zone's offset is more than a day")
	}
	if s := b.SessionEnd; s != nil {
		c.condition(s.Ends, "the session's end")
		c.length(s.After, "the session's after")
		c.length(s.AtMost, "the session's at_most")
	}
}

// data checks purposes, signals, facts, history and places.
func (c *checker) data() {
	b := c.b
	purposes := len(b.Purposes)
	if purposes > 64 {
		c.fail("it has %d purposes", purposes)
	}
	ordered(c, b.Purposes, func(p *Purpose) string { return p.Name }, "purposes")
	for k := range b.Purposes {
		p := &b.Purposes[k]
		c.must(p.Basis >= BasisConsent && p.Basis <= BasisNone, "purpose %s has no basis", p.Name)
		c.index(p.Unasked, purposes, true, "unasked of ", p.Name)
		c.texts(p.For, p.Name)
		c.must(p.LeastAge >= 0 && p.LeastAge <= 150 && (p.LeastAge == 0 || p.Born >= 0), "purpose %s asks for an age that nothing tells", p.Name)
		c.index(p.Born, len(b.Facts), true, "birth date of ", p.Name)
		if c.err == nil && p.Born >= 0 {
			c.must(b.Facts[p.Born].Kind == sense.Date, "birth date of %s is no date", p.Name)
		}
	}
	ordered(c, b.Partners, func(p *Partner) string { return p.Name }, "partners")
	for k := range b.Partners {
		c.index(b.Partners[k].Purpose, purposes, false, "partner ", b.Partners[k].Name)
		c.index(b.Partners[k].Consent, purposes, false, "consent of partner ", b.Partners[k].Name)
		c.texts(b.Partners[k].For, b.Partners[k].Name)
	}
	held := func(s PurposeSet, of string) {
		c.must(purposes == 64 || s>>uint(purposes) == 0, "%s is held for a purpose that is not there", of)
	}
	ordered(c, b.Signals, func(s *Signal) string { return s.Name }, "signals")
	for k := range b.Signals {
		s := &b.Signals[k]
		c.must(s.Kind > sense.Null && s.Kind < sense.List, "signal %s has no kind", s.Name)
		c.must(s.Scope <= rule.ScopeSession, "signal %s has no scope", s.Name)
		c.length(s.MaxAge, s.Name)
		held(s.Purposes, s.Name)
		c.index(s.Consent, purposes, true, "consent of ", s.Name)
		c.index(s.Input, len(b.Program.Inputs), true, "input of ", s.Name)
		c.texts(s.Why, s.Name)
	}
	ordered(c, b.Derived, func(d *Derived) string { return d.Name }, "derived values")
	for k := range b.Derived {
		c.node(b.Derived[k].Node, b.Derived[k].Name)
		c.length(b.Derived[k].Keep, b.Derived[k].Name)
		c.texts(b.Derived[k].Why, b.Derived[k].Name)
		held(b.Derived[k].Purposes, b.Derived[k].Name)
	}
	ordered(c, b.Facts, func(f *Fact) string { return f.Name }, "facts")
	for k := range b.Facts {
		f := &b.Facts[k]
		c.must(f.Kind > sense.Null && f.Kind <= sense.List && f.Elem < sense.List, "fact %s has no kind", f.Name)
		c.length(f.Keep, f.Name)
		c.length(f.Fresh, f.Name)
		c.must(f.Least <= f.Most, "no value of %s is valid", f.Name)
		c.must(slices.Contains([]string{"", "email", "phone", "url"}, f.Format), "fact %s has format %q", f.Name, f.Format)
		c.texts(f.Why, f.Name)
		held(f.Purposes, f.Name)
		for _, p := range f.From {
			c.must(p >= event.Declared && p <= event.ThirdParty, "fact %s comes from nowhere", f.Name)
		}
	}
	c.kinds(held)
	ordered(c, b.Subjects, func(s *SubjectInfo) string { return s.Name }, "subjects")
	c.places()
	ordered(c, b.Measures, func(m *Measure) string { return m.Name }, "measures")
	for k := range b.Measures {
		c.index(b.Measures[k].From, len(b.Kinds), false, b.Measures[k].Name)
		c.probability(b.Measures[k].Control, b.Measures[k].Name)
	}
}

func (c *checker) kinds(held func(PurposeSet, string)) {
	b := c.b
	n := len(b.Kinds)
	ordered(c, b.Kinds, func(k *Kind) string { return k.Name }, "kinds")
	for i := range b.Kinds {
		k := &b.Kinds[i]
		c.must(k.Means <= MeansViewed, "kind %s means something unknown", k.Name)
		c.length(k.Keep, k.Name)
		c.length(k.CoolOff, k.Name)
		c.length(k.Overdue, k.Name)
		held(k.Purposes, k.Name)
		c.index(k.OpenUntil, n, true, k.Name)
		c.index(k.ClosedBy, n, true, k.Name)
		for _, u := range k.Undo {
			c.index(u.Kind, n, false, k.Name)
			c.length(u.After, k.Name)
		}
		for _, a := range k.Again {
			c.length(a.After, k.Name)
		}
		c.amount(k.Worth, k.Name)
	}
}

func (c *checker) places() {
	ordered(c, c.b.Places, func(p *Place) string { return p.Name }, "places")
	ring := func(r place.Ring, of string) {
		if len(r) < 3 {
			c.fail("%s has a ring of %d points", of, len(r))
		}
		for _, p := range r {
			c.point(p, of)
		}
	}
	for k := range c.b.Places {
		p := &c.b.Places[k]
		c.length(sense.Duration(p.Area.Margin), p.Name)
		c.length(sense.Duration(p.Area.Radius), p.Name)
		c.must(p.Area.Radius <= 1e11 && p.Area.Margin <= 1e11, "%s is larger than the earth", p.Name)
		c.point(p.Area.Centre, p.Name)
		c.must(p.Area.Circle != (len(p.Area.Parts) > 0), "place %s is neither a circle nor an area", p.Name)
		for _, part := range p.Area.Parts {
			ring(part.Outer, p.Name)
			for _, h := range part.Holes {
				ring(h, p.Name)
			}
		}
	}
}

func (c *checker) point(p sense.Point, of string) {
	c.must(p.Lat >= -900_000_000 && p.Lat <= 900_000_000 && p.Lon >= -1_800_000_000 && p.Lon <= 1_800_000_000, "%s does not lie on the earth", of)
}

// screens checks states and slots.
func (c *checker) screens() {
	b := c.b
	ordered(c, b.States, func(s *State) string { return s.Name }, "states")
	for k := range b.States {
		s := &b.States[k]
		c.must(s.Node != rule.None, "state %s has no condition", s.Name)
		c.condition(s.Node, s.Name)
		for _, i := range s.Inputs {
			c.index(i, len(b.Signals), false, s.Name)
		}
	}
	ordered(c, b.Slots, func(s *Slot) string { return s.Name }, "slots")
	for k := range b.Slots {
		s := &b.Slots[k]
		c.must(s.Channel != "", "slot %s has no channel", s.Name)
		c.must(s.ShowFor > 0, "slot %s shows for nothing", s.Name)
		c.index(s.Fallback, len(b.Actions), true, s.Name)
		c.amount(s.Minimum, s.Name)
		c.must(s.MaxText >= 0, "slot %s has room for less than nothing", s.Name)
		c.must(s.LeastIdentity <= event.ByStaff, "slot %s has no identity", s.Name)
	}
	for _, h := range b.Quiet.Hours {
		c.must(h.From >= 0 && h.From < 1440 && h.To >= 0 && h.To < 1440, "quiet hours lie outside the day")
	}
	for _, i := range b.Quiet.Pass {
		c.must(i >= Sales && i <= Entertainment, "quiet hours let something unknown pass")
	}
}

func (c *checker) actions() {
	b := c.b
	ordered(c, b.Groups, func(g *Group) string { return g.Name }, "groups")
	for k := range b.Groups {
		g := &b.Groups[k]
		c.condition(g.Eligible, g.Name)
		c.condition(g.Applicable, g.Name)
		c.condition(g.Suitable, g.Name)
		c.must(g.Lever >= 0 && g.Lever <= 11*One, "lever of %s", g.Name)
		c.weights(g.Weights, g.Name)
	}
	ordered(c, b.Actions, func(a *Action) string { return a.Name }, "actions")
	for k := range b.Actions {
		a := &b.Actions[k]
		c.must(a.Intent >= Sales && a.Intent <= Entertainment, "action %s has no intent", a.Name)
		c.index(a.Purpose, len(b.Purposes), true, a.Name)
		c.index(a.Group, len(b.Groups), true, a.Name)
		c.index(a.Before, len(b.Kinds), true, a.Name)
		c.index(a.Measure, len(b.Measures), true, a.Name)
		for i, s := range a.Slots {
			c.index(s, len(b.Slots), false, a.Name)
			c.must(i == 0 || a.Slots[i-1] < s, "slots of %s are not in order", a.Name)
		}
		for _, p := range a.NeedGrants {
			c.index(p, len(b.Purposes), false, a.Name)
		}
		c.must(a.About == "" || a.About.Valid(), "action %s is about nothing", a.Name)
		c.must(a.Goal == "" || a.Goal.Valid(), "action %s aims at nothing", a.Name)
		c.condition(a.Eligible, a.Name)
		c.condition(a.Applicable, a.Name)
		c.condition(a.Suitable, a.Name)
		c.amount(a.Value, a.Name)
		c.amount(a.Bother, a.Name)
		c.probability(a.Propensity, a.Name)
		c.must(a.Lever >= 0 && a.Lever <= 11*One, "lever of %s", a.Name)
		c.length(a.Repeat, a.Name)
		c.length(a.KeepArmed, a.Name)
		c.must(a.LeastID <= event.ByStaff, "action %s has no identity", a.Name)
		c.must(slices.IsSorted(a.Uses), "names of %s are not in order", a.Name)
		c.actionTime(a)
		c.actionLinks(a)
		c.treatment(a.Say, a.Name)
		c.treatment(a.SayPersonal, a.Name)
	}
}

// mostWeights bounds the factors of one action, its own and its group's.
const mostWeights = 8

func (c *checker) weights(list []Weight, of string) {
	if len(list) > mostWeights {
		c.fail("%s has %d weights", of, len(list))
	}
	for _, w := range list {
		c.must(w.When != rule.None, "a weight of %s is always on", of)
		c.condition(w.When, of)
		c.must(w.Factor >= 0 && w.Factor <= 11*One, "weight of %s", of)
	}
}

// actionTime checks when an action may be shown.
func (c *checker) actionTime(a *Action) {
	c.must(a.From <= a.Until, "action %s ends before it begins", a.Name)
	for _, h := range a.Hours {
		c.must(h.Days > 0 && h.Days < 128 && h.From >= 0 && h.From < 1440 && h.To >= 0 && h.To < 1440, "hours of %s lie outside the week", a.Name)
	}
	for _, s := range a.At {
		c.must(s.Days < 128 && s.MonthDay >= 0 && s.MonthDay <= 31 && s.Date >= -1 && s.Date < 1<<20 && s.Minute >= 0 && s.Minute < 1440, "%s is shown at no time", a.Name)
	}
	c.must(len(a.At) == 0 || a.KeepArmed > 0, "%s is shown at an instant for no time", a.Name)
}

// actionLinks checks what else an action points at.
func (c *checker) actionLinks(a *Action) {
	b, of := c.b, a.Name
	for k, f := range a.Reads {
		c.index(f, len(b.Facts), false, of)
		c.must(k == 0 || a.Reads[k-1] < f, "facts of %s are not in order", of)
	}
	c.index(a.Partner, len(b.Partners), true, of)
	c.weights(a.Weights, of)
	c.amount(a.Elsewhere, of)
	c.probability(a.Quality, of)
	if p := a.Price; p != nil {
		c.must(p.Node != rule.None, "price of %s is empty", of)
		c.node(p.Node, of)
		if c.err == nil {
			c.must(b.Program.Nodes[p.Node].Kind == sense.Money, "price of %s is no money", of)
		}
		c.amount(p.Normal, of)
		c.rendered(p.Disclose, of)
	}
	if f := a.Follows; f != nil {
		c.index(f.Action, len(b.Actions), false, of)
		c.length(f.ElseAfter, of)
	}
	for _, x := range a.Exemptions {
		c.must(x.Of == "caps" || x.Of == "pressure", "%s is exempt from %q", of, x.Of)
	}
	c.index(a.Asks, len(b.Facts), true, of)
	c.index(a.Confirms, len(b.Facts), true, of)
	c.index(a.Serves, len(b.Actions), true, of)
	c.must(a.Intent != Question || (a.Asks >= 0) != (a.Confirms >= 0), "question %s asks for no one fact", of)
	for _, r := range [][]Rendered{a.Because, a.InReturn, a.Retry} {
		c.rendered(r, of)
	}
	for _, n := range a.Needs {
		for _, f := range n.Facts {
			c.index(f, len(b.Facts), false, of)
		}
	}
}

func (c *checker) treatment(t *Treatment, of string) {
	if t == nil {
		return
	}
	c.must(slices.IsSorted(t.Uses), "names of %s are not in order", of)
	for _, texts := range [][]Rendered{t.Title, t.Text, t.Button} {
		c.rendered(texts, of)
	}
}

// rendered checks texts per language, and what their placeholders point at.
func (c *checker) rendered(texts []Rendered, of string) {
	if len(texts) > 0 && len(texts) != len(c.b.Languages) {
		c.fail("%s has %d texts for %d languages", of, len(texts), len(c.b.Languages))
	}
	for _, r := range texts {
		for _, p := range r {
			c.index(p.Fact, len(c.b.Facts), true, of)
			c.index(p.Input, len(c.b.Program.Inputs), true, of)
			c.index(p.Derived, len(c.b.Derived), true, of)
			c.must(p.Of <= PartPriceNormal, "a placeholder of %s names nothing", of)
			c.must(p.Name == "" || p.Fact >= 0 || p.Input >= 0 || p.Derived >= 0 || p.Of != PartOfNothing, "a placeholder of %s names nothing", of)
		}
	}
}

func (c *checker) contact() {
	b, t := c.b, &c.b.Contact
	for k := range t.Limits {
		l := &t.Limits[k]
		c.must(l.Intent <= Entertainment, "limit %s has no intent", l.Name)
		c.index(l.Action, len(b.Actions), true, l.Name)
		c.index(l.Group, len(b.Groups), true, l.Name)
		c.must(l.AtMost >= 0 && l.Per <= CalendarMonth && (l.Per != Rolling || l.Window > 0), "limit %s has no window", l.Name)
		c.must(slices.Contains(event.Outcomes, l.Counting), "limit %s counts nothing", l.Name)
	}
	for _, p := range t.Pauses {
		c.must(slices.Contains([]string{"about", "action", "group", "intent", "channel", "customer"}, p.Same), "a pause covers %q", p.Same)
		c.must(p.Intent <= Entertainment, "a pause holds back an unknown intent")
		c.must(slices.Contains(event.Outcomes, p.After), "a pause follows %q", p.After)
		c.length(p.For, "a pause")
	}
	if p := t.Pressure; p != nil {
		c.must(p.HalfLife > 0, "pressure does not halve")
		c.amount(p.Floor, "floor")
		for _, a := range p.Amounts {
			c.amount(a.Amount, a.Outcome)
		}
	}
	for _, s := range t.MaxStale {
		c.must(s.Intent >= Sales && s.Intent <= Entertainment, "max_stale of an unknown intent")
		c.length(s.After, "max_stale")
	}
	for _, w := range t.Waits {
		c.must(slices.Contains([]string{"", "action", "group", "intent", "about", "channel"}, w.Same) && w.Intent <= Entertainment, "minimum_wait between what is the same %q", w.Same)
		c.index(w.Action, len(b.Actions), true, "minimum_wait")
		c.index(w.Group, len(b.Groups), true, "minimum_wait")
		c.length(w.For, "minimum_wait")
	}
	for k := range t.Volume {
		v := &t.Volume[k]
		c.index(v.Action, len(b.Actions), true, v.Name)
		c.index(v.Group, len(b.Groups), true, v.Name)
		c.must(v.Intent <= Entertainment && v.AtMost >= 0 && v.Per <= CalendarMonth && (v.Per != Rolling || v.Window > 0), "volume %s has no window", v.Name)
	}
	if s := b.Strikes; s != nil {
		c.must(s.In > 0, "strikes are counted over no time")
		for k, x := range s.At {
			c.must(x.Count > 0 && x.Then >= StrikeRecovery && x.Then <= StrikeHandOver && (k == 0 || s.At[k-1].Count < x.Count), "strikes are not in order")
		}
	}
	c.length(b.Sleeping, "sleeping_after")
}

// program checks that its inputs point at what the bundle declares.
func (c *checker) program() {
	b := c.b
	places := make([][2]bool, len(b.Places)) // asked whether inside, and for the distance
	for k := range b.Program.Inputs {
		in := &b.Program.Inputs[k]
		switch in.From {
		case rule.FromSignal:
			c.index(in.Index, len(b.Signals), false, "input ", in.Name)
			if c.err == nil {
				s := &b.Signals[in.Index]
				c.must(in.Kind == s.Kind && in.Scope == s.Scope && in.Name == s.Name, "input %s is not its signal", in.Name)
			}
		case rule.FromFact, rule.FromAge:
			c.index(in.Index, len(b.Facts), false, "input ", in.Name)
			if c.err == nil && in.From == rule.FromFact {
				c.must(in.Kind == b.Facts[in.Index].Kind, "input %s is not its fact", in.Name)
			}
		case rule.FromHas:
			c.must(c.has(in), "has(%s) asks for nothing", in.Name)
		case rule.FromInside, rule.FromDistance:
			c.index(in.Index, len(b.Places), false, "input ", in.Name)
			if c.err == nil { // a thousand inputs of one place would be a thousand times its outline
				way := &places[in.Index][in.From-rule.FromInside]
				c.must(!*way, "place %s is asked for twice in one way", b.Places[in.Index].Name)
				*way = true
			}
		case rule.FromOpen, rule.FromOverdue, rule.FromUntil:
			c.index(in.Index, len(b.Kinds), false, "input ", in.Name)
		}
	}
}

// has says whether an input has(name) names the signal or fact that its index points at.
func (c *checker) has(in *rule.Input) bool {
	k := int(in.Index)
	return k >= 0 && (k < len(c.b.Signals) && c.b.Signals[k].Name == in.Name || k < len(c.b.Facts) && c.b.Facts[k].Name == in.Name)
}
