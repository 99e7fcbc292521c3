package moment

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Why says why a condition is not true in a session: for an unknown one the reason and the
// input that decides; for a false one NoReason (or LeftPlace) and the atoms that fail, left to
// right, at most catalog.MostBecause. A true condition has no reason.
func (s *State) Why(session string, n rule.Node) (catalog.Reason, []catalog.Because) {
	reason, because, _ := s.Reasons(session).Why(nil, n)
	return reason, because
}

// Reasons says why conditions of one session are not true, as many as are asked for, as long as nothing of the moment
// changes: what is said of an input is worked out once.
type Reasons struct {
	s *State
	c *scene // nil where the session is not open
	e *rule.Eval
}

// Reasons begins to say why; it ends what it began before.
func (s *State) Reasons(session string) *Reasons {
	r := &s.said.reasons
	*r = Reasons{s: s, c: s.scene(session), e: s.eval(session)}
	s.said.begin(&s.model.bundle.Program)
	return r
}

// Conditions returns the evaluation that answers for a session, for who asks much of one: it holds until a session is
// opened or closed.
func (s *State) Conditions(session string) *rule.Eval { return s.eval(session) }

// said is what was said of inputs and atoms, for Reasons; it is made when it is first asked for.
type said struct {
	reasons Reasons
	round   uint32
	inputs  []saidOfInput
	nodes   []saidOfNode
	atoms   []atom
	steps   []logicStep
	args    []rule.Node // of steps
}

// lastRound is the last one that fits beside a truth.
const lastRound = 1<<30 - 1

// begin forgets what was said of values: the program stays what it is.
func (d *said) begin(p *rule.Program) {
	if d.round == lastRound {
		*d = said{reasons: d.reasons}
	}
	if d.nodes == nil {
		d.inputs, d.nodes = make([]saidOfInput, len(p.Inputs)), make([]saidOfNode, len(p.Nodes))
	}
	d.round++
}

// logicStep is a node of logic to walk through, with where its arguments begin and end.
type logicStep struct {
	code       rule.Code
	first, end int32
}

// saidOfInput is what was said of an input in one round.
type saidOfInput struct {
	round   uint32
	because catalog.Because
}

// saidOfNode is where what is always the same of a node is found, and its truth in one round.
type saidOfNode struct {
	place int32  // 1 + its place in atoms, or less than 0 in steps; 0 where it was not asked for yet
	truth uint32 // round<<2 and the truth
}

// atom is what is always the same of a node that is true or false, and what was said of it alone.
type atom struct {
	derived, input  int32 // what it names: a derived value or else an input; -1 where none
	needed, negated string
	armed           bool // it is an entered(place, d), which is left where that ended since the place was left
	alone           alone
}

// alone is the list of an atom alone, in one round, as what it should be: most conditions fall by one atom, and many
// by the same.
type alone struct {
	round uint32
	want  rule.Truth // Unknown where it should be known
	list  []catalog.Because
}

// Why says of a condition what State.Why does. Where it needs memory it appends to a list, which it returns as memory
// for the next one: until then all that it says, of several conditions the same perhaps, may lie there.
func (r *Reasons) Why(list []catalog.Because, n rule.Node) (reason catalog.Reason, because, memory []catalog.Because) {
	switch r.Truth(n) {
	case rule.True:
		return catalog.NoReason, nil, list
	case rule.Unknown:
		return r.unknown(list, n)
	}
	w := why{r: r}
	w.failing(n, true)
	if w.n > 0 && r.s.said.atoms[w.found[0].place].armed && r.e.Left(w.found[0].node) {
		reason = catalog.LeftPlace
	}
	first := len(list)
	if w.n != 1 {
		for _, f := range w.found[:w.n] {
			list = r.add(list, &r.s.said.atoms[f.place], f.want)
		}
		return reason, slices.Clip(list[first:]), list
	}
	f := w.found[0]
	a := &r.s.said.atoms[f.place]
	if a.alone.round != r.s.said.round || a.alone.want != f.want {
		list = r.add(list, a, f.want)
		a.alone = alone{r.s.said.round, f.want, slices.Clip(list[first:])}
	}
	return reason, a.alone.list, list
}

// Truth returns the truth of a condition, which is looked up once.
func (r *Reasons) Truth(n rule.Node) rule.Truth {
	d := &r.s.said
	if n < 0 || int(n) >= len(d.nodes) {
		return r.e.Truth(n)
	}
	k := &d.nodes[n]
	if k.truth>>2 != d.round {
		k.truth = d.round<<2 | uint32(r.e.Truth(n))
	}
	return rule.Truth(k.truth & 3)
}

var reasonOf = [...]catalog.Reason{
	rule.Known:        catalog.NoReason,
	rule.InputUnknown: catalog.InputIsUnknown,
	rule.SignalStale:  catalog.SignalStale,
	rule.FactStale:    catalog.FactStale,
	rule.FactMissing:  catalog.FactMissing,
	rule.Failed:       catalog.ConditionError,
	rule.Settling:     catalog.InputIsUnknown,
	rule.NotRead:      catalog.InputIsUnknown,
}

func (r *Reasons) unknown(list []catalog.Because, n rule.Node) (reason catalog.Reason, because, memory []catalog.Because) {
	result := r.e.Result(n)
	reason = reasonOf[result.Cause]
	b := catalog.Because{Age: catalog.NoAge}
	if result.Input >= 0 {
		b = *r.input(result.Input)
	}
	first := len(list)
	if n < 0 || int(n) >= len(r.s.said.nodes) {
		list = append(list, b)
		return reason, slices.Clip(list[first:]), list
	}
	n = r.smallest(n, result)
	b.Needed = r.s.model.bundle.Program.Nodes[n].Text
	place := r.s.place(n)
	if place < 0 {
		list = append(list, b)
		return reason, slices.Clip(list[first:]), list
	}
	a := &r.s.said.atoms[place-1]
	if a.alone.round != r.s.said.round || a.alone.want != rule.Unknown {
		list = append(list, b)
		a.alone = alone{r.s.said.round, rule.Unknown, slices.Clip(list[first:])}
	}
	return reason, a.alone.list, list
}

// smallest returns the smallest condition under n that is unknown for the same reason.
func (r *Reasons) smallest(n rule.Node, result rule.Result) rule.Node {
	nodes := r.s.model.bundle.Program.Nodes
	for {
		next := rule.None
		if r.s.place(n) < 0 || nodes[n].Code == rule.Latch {
			for _, a := range nodes[n].Args {
				if r.Truth(a) != rule.Unknown {
					continue
				}
				if b := r.e.Result(a); b.Cause == result.Cause && b.Input == result.Input {
					next = a
					break
				}
			}
		}
		if next == rule.None || nodes[next].Text == "" {
			return n
		}
		n = next
	}
}

// logic says whether a node is logic to walk through; what else is true or false, and the
// negation of such, is an atom.
func (s *State) logic(n rule.Node) bool {
	nodes := s.model.bundle.Program.Nodes
	switch op := &nodes[n]; op.Code {
	case rule.And, rule.Or:
		return true
	case rule.Cond:
		return op.Kind == sense.Bool
	case rule.Not:
		inner := nodes[op.Args[0]].Code
		return inner == rule.Not || inner == rule.And || inner == rule.Or || inner == rule.Cond
	}
	return false
}

// input names one input with its last value and age.
func (r *Reasons) input(input int32) *catalog.Because {
	one := &r.s.said.inputs[input]
	if one.round != r.s.said.round {
		one.round, one.because = r.s.said.round, r.because(input)
	}
	return &one.because
}

func (r *Reasons) because(input int32) catalog.Because {
	s, in := r.s, &r.s.model.bundle.Program.Inputs[input]
	b := catalog.Because{Name: in.Name, Age: catalog.NoAge}
	state := r.e.Input(input)
	switch in.From {
	case rule.FromSignal:
		b.Value, b.Age, _ = r.reading(in.Index)
	case rule.FromHas:
		if signal := s.model.bundle.SignalIndex(in.Name); signal >= 0 {
			b.Value, b.Age, _ = r.reading(signal)
		} else if r.c != nil {
			b.Value, b.Age = r.c.last(s, s.model.facts[input])
		}
	case rule.FromFact, rule.FromAge:
		if r.c != nil {
			b.Value, b.Age = r.c.last(s, in.Index)
		}
	case rule.FromInside, rule.FromDistance:
		v, age, cause := r.reading(s.model.position)
		b.Value, b.Age = state.Value, age
		if cause != rule.Known { // the place is not at fault, its source is
			b.Name, b.Value = s.model.bundle.Signals[s.model.position].Name, v
		}
	default:
		if state.Cause == rule.Known {
			b.Value = state.Value
		}
	}
	return b
}

func (r *Reasons) reading(signal int32) (sense.Value, sense.Duration, rule.Cause) {
	c := r.c
	if r.s.model.bundle.Signals[signal].Scope == rule.ScopeDevice {
		c = r.s.device
	}
	return r.s.readingOf(c, signal)
}

// last returns what is held of fact k, fresh or not.
func (c *scene) last(s *State, k int32) (sense.Value, sense.Duration) {
	h := c.held(s, k)
	if !h.Present {
		return sense.Value{}, catalog.NoAge
	}
	return h.Value, h.Age
}

// why finds the atoms that keep a condition from its truth.
type why struct {
	r     *Reasons
	found [catalog.MostBecause]found
	n     int
}

// found is an atom that should be otherwise.
type found struct {
	node  rule.Node
	place int32 // in atoms
	want  rule.Truth
}

// failing walks down from a node that should have been `want` and is not.
func (w *why) failing(n rule.Node, want bool) {
	s := w.r.s
	k := s.place(n)
	switch {
	case w.n == len(w.found):
		return
	case k > 0:
		w.found[w.n] = found{node: n, place: k - 1, want: truthOf(want)}
		w.n++
		return
	}
	step := &s.said.steps[-k-1]
	args := s.said.args[step.first:step.end]
	switch step.code {
	case rule.Not:
		w.failing(args[0], !want)
	case rule.And, rule.Or:
		for _, a := range args {
			if t := w.r.Truth(a); t == rule.True && !want || t == rule.False && want {
				w.failing(a, want)
			}
		}
	case rule.Cond:
		taken := args[2]
		if w.r.Truth(args[0]) == rule.True {
			taken = args[1]
		}
		w.failing(taken, want)
	}
}

// add appends what there is to say of an atom that should have been `want`.
func (r *Reasons) add(list []catalog.Because, a *atom, want rule.Truth) []catalog.Because {
	switch {
	case a.derived >= 0:
		d := &r.s.model.bundle.Derived[a.derived]
		list = append(list, catalog.Because{Name: d.Name, Age: catalog.NoAge})
		if result := r.e.Result(d.Node); result.Cause == rule.Known {
			list[len(list)-1].Value = result.Value
		}
	case a.input >= 0:
		list = append(list, *r.input(a.input))
	default:
		list = append(list, catalog.Because{Age: catalog.NoAge})
	}
	b := &list[len(list)-1]
	if b.Needed = a.needed; want == rule.False {
		b.Needed = a.negated
	}
	return list
}

// place returns where what is always the same of a node is found, see saidOfNode. It is worked out once.
func (s *State) place(n rule.Node) int32 {
	k := &s.said.nodes[n]
	if k.place != 0 {
		return k.place
	}
	if !s.logic(n) {
		s.said.atoms = append(s.said.atoms, s.atom(n))
		k.place = int32(len(s.said.atoms))
		return k.place
	}
	op := &s.model.bundle.Program.Nodes[n]
	step := logicStep{code: op.Code, first: int32(len(s.said.args))}
	s.said.args = append(s.said.args, op.Args...)
	step.end = int32(len(s.said.args))
	s.said.steps = append(s.said.steps, step)
	k.place = -int32(len(s.said.steps))
	return k.place
}

func (s *State) atom(n rule.Node) atom {
	nodes := s.model.bundle.Program.Nodes
	op := &nodes[n]
	return atom{derived: int32(s.derivedUnder(n, op.Text)), input: s.model.plan.First(n), needed: op.Text, negated: negated(nodes, op), armed: op.Code == rule.Armed}
}

// negated returns the canonical text of the opposite of an atom.
func negated(nodes []rule.Op, op *rule.Op) string {
	switch {
	case op.Text == "":
		return ""
	case op.Code == rule.Not && nodes[op.Args[0]].Text != "":
		return nodes[op.Args[0]].Text
	case op.Code >= rule.Eq && op.Code <= rule.In:
		return "!(" + op.Text + ")"
	}
	return "!" + op.Text
}

// derivedUnder returns the leftmost derived value that an atom reads by its name, -1 where none.
func (s *State) derivedUnder(n rule.Node, text string) int {
	nodes := s.model.bundle.Program.Nodes
	for k := range s.model.bundle.Derived {
		d := &s.model.bundle.Derived[k]
		if strings.Contains(text, d.Name) && (d.Node == n || slices.Contains(nodes[n].Args, d.Node)) {
			return k
		}
	}
	return -1
}
