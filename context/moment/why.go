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
	e := s.eval(session)
	switch e.Truth(n) {
	case rule.True:
		return catalog.NoReason, nil
	case rule.Unknown:
		return s.whyUnknown(session, e, n)
	}
	w := why{s: s, session: session, e: e}
	w.failing(n, true)
	if len(w.atoms) > 0 && s.leftPlace(e, w.atoms[0]) {
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

func (s *State) whyUnknown(session string, e *rule.Eval, n rule.Node) (catalog.Reason, []catalog.Because) {
	r := e.Result(n)
	because := catalog.Because{Age: catalog.NoAge}
	if r.Input >= 0 {
		because = s.because(session, r.Input)
	}
	if n >= 0 && int(n) < len(s.model.bundle.Program.Nodes) {
		because.Needed = s.needed(e, n, r)
	}
	return reasonOf[r.Cause], []catalog.Because{because}
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

// because names one input with its last value and age.
func (s *State) because(session string, input int32) catalog.Because {
	in := &s.model.bundle.Program.Inputs[input]
	b := catalog.Because{Name: in.Name, Age: catalog.NoAge}
	state := s.Input(session, input)
	switch in.From {
	case rule.FromSignal:
		b.Value, b.Age, _ = s.Reading(session, in.Index)
	case rule.FromHas:
		if signal := s.model.bundle.SignalIndex(in.Name); signal >= 0 {
			b.Value, b.Age, _ = s.Reading(session, signal)
		} else if c := s.scene(session); c != nil {
			b.Value, b.Age = c.last(s, s.model.facts[input])
		}
	case rule.FromFact, rule.FromAge:
		if c := s.scene(session); c != nil {
			b.Value, b.Age = c.last(s, in.Index)
		}
	case rule.FromInside, rule.FromDistance:
		v, age, cause := s.Reading(session, s.model.position)
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
	s       *State
	session string
	e       *rule.Eval
	atoms   []rule.Node
	list    []catalog.Because
}

// failing walks down from a node that should have been `want` and is not.
func (w *why) failing(n rule.Node, want bool) {
	if len(w.list) == catalog.MostBecause {
		return
	}
	op := &w.s.model.bundle.Program.Nodes[n]
	if !w.s.logic(n) {
		w.atom(n, op, want)
		return
	}
	switch op.Code {
	case rule.Not:
		w.failing(op.Args[0], !want)
	case rule.And, rule.Or:
		for _, a := range op.Args {
			if t := w.e.Truth(a); t == rule.True && !want || t == rule.False && want {
				w.failing(a, want)
			}
		}
	case rule.Cond:
		taken := op.Args[2]
		if w.e.Truth(op.Args[0]) == rule.True {
			taken = op.Args[1]
		}
		w.failing(taken, want)
	}
}

func (w *why) atom(n rule.Node, op *rule.Op, want bool) {
	b := catalog.Because{Age: catalog.NoAge}
	if derived := w.s.derivedUnder(n, op.Text); derived >= 0 {
		d := &w.s.model.bundle.Derived[derived]
		r := w.e.Result(d.Node)
		b.Name = d.Name
		if r.Cause == rule.Known {
			b.Value = r.Value
		}
	} else if input := w.s.model.plan.First(n); input >= 0 {
		b = w.s.because(w.session, input)
	}
	b.Needed = op.Text
	if !want {
		b.Needed = negated(w.s.model.bundle.Program.Nodes, op)
	}
	w.atoms = append(w.atoms, n)
	w.list = append(w.list, b)
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
