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
	r := s.Reasons(session)
	return r.Append(nil, n)
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
	if s.said.inputs == nil {
		s.said.inputs = make([]saidOfInput, len(s.model.bundle.Program.Inputs))
		s.said.place = make([]int32, len(s.model.bundle.Program.Nodes))
	}
	s.said.round++
	return r
}

// Conditions returns the evaluation that answers for a session, for who asks much of one: it holds until a session is
// opened or closed.
func (s *State) Conditions(session string) *rule.Eval { return s.eval(session) }

// said is what was said of inputs and atoms, for Reasons; it is made when it is first asked for.
type said struct {
	reasons Reasons
	round   uint64
	inputs  []saidOfInput
	place   []int32 // node -> 1 + its place in atoms, or less than 0 in steps; 0 where it was not asked for yet
	atoms   []atom
	steps   []logicStep
	args    []rule.Node // of steps
}

// logicStep is a node of logic to walk through, with where its arguments begin and end.
type logicStep struct {
	code       rule.Code
	first, end int32
}

// saidOfInput is what was said of an input in one round.
type saidOfInput struct {
	round   uint64
	because catalog.Because
}

// atom is what is always the same of a node that is true or false.
type atom struct {
	derived, input  int32 // what it names: a derived value or else an input; -1 where none
	needed, negated string
}

// Append appends to a list what Why says of a condition; its own entries are at most catalog.MostBecause.
func (r *Reasons) Append(list []catalog.Because, n rule.Node) (catalog.Reason, []catalog.Because) {
	switch r.e.Truth(n) {
	case rule.True:
		return catalog.NoReason, list
	case rule.Unknown:
		return r.unknown(list, n)
	}
	w := why{r: r, list: list, most: len(list) + catalog.MostBecause, first: rule.None}
	w.failing(n, true)
	if w.first != rule.None && r.s.leftPlace(r.e, w.first) {
		return catalog.LeftPlace, w.list
	}
	return catalog.NoReason, w.list
}

// leftPlace says whether an atom is an entered(place, d) that ended since the place was left.
func (s *State) leftPlace(e *rule.Eval, n rule.Node) bool {
	return s.model.bundle.Program.Nodes[n].Code == rule.Armed && e.Left(n)
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

func (r *Reasons) unknown(list []catalog.Because, n rule.Node) (catalog.Reason, []catalog.Because) {
	result := r.e.Result(n)
	if result.Input >= 0 {
		list = append(list, *r.input(result.Input))
	} else {
		list = append(list, catalog.Because{Age: catalog.NoAge})
	}
	because := &list[len(list)-1]
	if n >= 0 && int(n) < len(r.s.model.bundle.Program.Nodes) {
		because.Needed = r.s.needed(r.e, n, result)
	}
	return reasonOf[result.Cause], list
}

// needed returns the text of the smallest condition under n that is unknown for the same reason.
func (s *State) needed(e *rule.Eval, n rule.Node, r rule.Result) string {
	for {
		op, next := &s.model.bundle.Program.Nodes[n], rule.None
		if s.logic(n) || op.Code == rule.Latch {
			for _, a := range op.Args {
				if b := e.Result(a); b.Cause == r.Cause && b.Input == r.Input {
					next = a
					break
				}
			}
		}
		if next == rule.None || s.model.bundle.Program.Nodes[next].Text == "" {
			return op.Text
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

// why collects the atoms that keep a condition from its truth.
type why struct {
	r     *Reasons
	first rule.Node
	list  []catalog.Because
	most  int
}

// failing walks down from a node that should have been `want` and is not.
func (w *why) failing(n rule.Node, want bool) {
	if len(w.list) >= w.most {
		return
	}
	s := w.r.s
	k := s.said.place[n]
	if k == 0 {
		k = s.learn(n)
	}
	if k > 0 {
		w.add(n, &s.said.atoms[k-1], want)
		return
	}
	step := s.said.steps[-k-1]
	args := s.said.args[step.first:step.end]
	switch step.code {
	case rule.Not:
		w.failing(args[0], !want)
	case rule.And, rule.Or:
		for _, a := range args {
			if t := w.r.e.Truth(a); t == rule.True && !want || t == rule.False && want {
				w.failing(a, want)
			}
		}
	case rule.Cond:
		taken := args[2]
		if w.r.e.Truth(args[0]) == rule.True {
			taken = args[1]
		}
		w.failing(taken, want)
	}
}

// atom adds a node that should have been `want`, whatever it is, as one atom.
func (w *why) atom(n rule.Node, want bool) {
	a := w.r.s.atom(n)
	w.add(n, &a, want)
}

func (w *why) add(n rule.Node, a *atom, want bool) {
	if w.first == rule.None {
		w.first = n
	}
	switch {
	case a.derived >= 0:
		d := &w.r.s.model.bundle.Derived[a.derived]
		b := catalog.Because{Name: d.Name, Age: catalog.NoAge}
		if r := w.r.e.Result(d.Node); r.Cause == rule.Known {
			b.Value = r.Value
		}
		w.list = append(w.list, b)
	case a.input >= 0:
		w.list = append(w.list, *w.r.input(a.input))
	default:
		w.list = append(w.list, catalog.Because{Age: catalog.NoAge})
	}
	b := &w.list[len(w.list)-1]
	if b.Needed = a.needed; !want {
		b.Needed = a.negated
	}
}

// learn notes what is always the same of a node, and returns its place.
func (s *State) learn(n rule.Node) int32 {
	if !s.logic(n) {
		s.said.atoms = append(s.said.atoms, s.atom(n))
		s.said.place[n] = int32(len(s.said.atoms))
		return s.said.place[n]
	}
	op := &s.model.bundle.Program.Nodes[n]
	step := logicStep{code: op.Code, first: int32(len(s.said.args))}
	s.said.args = append(s.said.args, op.Args...)
	step.end = int32(len(s.said.args))
	s.said.steps = append(s.said.steps, step)
	s.said.place[n] = -int32(len(s.said.steps))
	return s.said.place[n]
}

func (s *State) atom(n rule.Node) atom {
	nodes := s.model.bundle.Program.Nodes
	op := &nodes[n]
	return atom{derived: int32(s.derivedUnder(n, op.Text)), input: s.model.plan.First(n), needed: op.Text, negated: negated(nodes, op)}
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
