package reach

import (
	"fmt"
	"math"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// What is found, by the codes of the journeys.
const (
	Contradiction  = "contradiction"
	Unreachable    = "unreachable"
	AlwaysTrue     = "always_true"
	Uncovered      = "uncovered"
	CapNeverFires  = "cap_never_fires"
	CapAlwaysFires = "cap_always_fires"
)

// Sections of a policy in which something can be found.
const (
	Actions  = "actions"
	Groups   = "groups"
	States   = "states"
	Derived  = "derived"
	Session  = "session"
	Limits   = "limits"
	Pauses   = "pauses"
	Waits    = "minimum_wait"
	Volume   = "volume"
	Weights  = "weights" // a key of actions and groups
	Slots    = "slots"   // a key of actions
	Validity = "valid"   // a key of actions
)

// Found is one thing that is certain of a policy and that its author can't have meant.
type Found struct {
	Section string
	Index   int    // of the thing in its section of the bundle; 0 where the section is one thing
	Key     string // the key of the thing that it is about; empty for the thing itself
	Error   bool   // else it is a warning
	Code    string
	Message string
	Hint    string
}

// Find returns what is certain, in order of the bundle: states, derived values, session,
// groups, actions, contact policy.
func Find(b *catalog.Bundle) []Found {
	f := &finder{b: b, s: newSolver(&b.Program, inputsOf(b)), dead: map[rule.Node]bool{}, defined: map[rule.Node]bool{}}
	for k := range b.States {
		f.defined[b.States[k].Node] = true
	}
	for k := range b.Derived {
		f.defined[b.Derived[k].Node] = true
	}
	for k := range b.States {
		f.state(k)
	}
	for k := range b.Derived {
		f.derived(k)
	}
	if b.SessionEnd != nil {
		f.condition(Found{Section: Session, Key: "ends"}, b.SessionEnd.Ends)
	}
	for k := range b.Groups {
		g := &b.Groups[k]
		f.stages(Groups, k, g.Eligible, g.Applicable, g.Suitable)
		f.weights(Groups, k, g.Weights)
	}
	for k := range b.Actions {
		a := &b.Actions[k]
		f.stages(Actions, k, a.Eligible, a.Applicable, a.Suitable)
		f.weights(Actions, k, a.Weights)
	}
	hidden := make([]bool, len(b.Actions))
	for k := range b.Actions {
		hidden[k] = f.neverShown(k)
	}
	f.outranked(hidden)
	f.contact()
	return f.found
}

// finder collects what is found.
type finder struct {
	b       *catalog.Bundle
	s       *solver
	found   []Found
	dead    map[rule.Node]bool // whole conditions that can never be true, which are reported
	defined map[rule.Node]bool // what states and derived values are: judged where they are defined
}

func (f *finder) add(at Found, code, hint, format string, args ...any) {
	at.Code, at.Hint, at.Message = code, hint, fmt.Sprintf(format, args...)
	f.found = append(f.found, at)
}

// inputsOf is what each input can be while it is known.
func inputsOf(b *catalog.Bundle) []set {
	all := make([]set, len(b.Program.Inputs))
	for k := range all {
		in := &b.Program.Inputs[k]
		all[k] = anything(in.Kind)
		switch in.From {
		case rule.FromSignal:
			if in.Kind == sense.Double {
				all[k] = finite() // other readings are refused
			}
		case rule.FromFact:
			if in.Index >= 0 && int(in.Index) < len(b.Facts) {
				all[k] = ofFact(&b.Facts[in.Index])
			}
		case rule.FromAge:
			all[k] = between(sense.Int, 0, math.MaxInt64) // who is not born yet has none
		case rule.FromDistance:
			all[k] = finite()
			all[k].within(0, math.MaxInt64)
		case rule.FromHour:
			all[k] = between(sense.Int, 0, 23)
		case rule.FromWeekday:
			all[k] = between(sense.Int, 1, 7)
		}
	}
	return all
}

// ofFact is what a fact can be: what else comes is refused.
func ofFact(d *catalog.Fact) set {
	s := anything(d.Kind)
	switch d.Kind {
	case sense.String:
		if len(d.OneOf) > 0 {
			s.only, s.words = true, slices.Sorted(slices.Values(d.OneOf))
		}
	case sense.Int:
		if d.Least != math.MinInt64 {
			s.lo = up(d.Least)
		}
		if d.Most != math.MaxInt64 {
			s.hi = down(d.Most)
		}
	case sense.Money:
		s.within(d.Least, d.Most)
	case sense.Double:
		s = finite()
		if d.Least != math.MinInt64 { // a little more, for what rounding lets in
			s.within(place(float64(d.Least-2)/1e6), math.MaxInt64)
		}
		if d.Most != math.MaxInt64 {
			s.within(math.MinInt64, place(float64(d.Most+2)/1e6))
		}
	}
	return s
}

// up and down round millionths to whole numbers.
func up(m catalog.Micro) int64 { return -down(-m) }

func down(m catalog.Micro) int64 {
	q := m / catalog.One
	if m%catalog.One < 0 {
		q--
	}
	return q
}
