package rule

// Elements is how many elements a list is taken to have whose length nobody knows before it is there.
const Elements = 10

// Cost is what a plan costs, worked out from the plan alone: the same on every machine, without running anything.
type Cost struct {
	Inputs  []InputCost // by input
	Device  Memory      // of the device's evaluation
	Session Memory      // of each session's
	Plan    Extent      // of what all evaluations share
}

// Work is counted in steps, which do not depend on the machine.
//
// What is said to be usual is a mean, hence fractions; what is said to be the most is whole.
type Work struct {
	Sources float64 // values that are looked for among the constants that they are compared with
	Keys    float64 // of these constants that are crossed: comparisons that turn
	Edges   float64 // walked from what turned to the counters of logic
	Terms   float64 // of formulas that are worked out
	Nodes   float64 // nodes that are evaluated for themselves, each by what it looks through
}

// Steps is all work in one number.
func (w Work) Steps() float64 { return w.Sources + w.Keys + w.Edges + w.Terms + w.Nodes }

// InputCost is what hangs on an input, and what it costs that its state becomes another one.
type InputCost struct {
	Keys       int // constants with which its order is compared, equal ones of all conditions as one
	Equalities int // what is asked by hash: whether it equals a constant, or is among some
	Formulas   int // values of several inputs that are worked out at each change: sums, a < b
	Stored     int // nodes that are evaluated at each change
	Windows    int // nodes over its readings of some time, evaluated at each reading
	Timers     int // nodes and formulas, directly on it or above, that time alone may turn

	// Usual is the work of the evaluation to which the input belongs for a change that turns something: from one
	// interval between neighbouring keys into another, or from one bucket of equalities into another, all pairs of
	// different ones being equally likely. Of n keys such a change crosses (n+2)/3. It is what hangs on the input
	// itself: what turns above depends on everything else, and is in Most alone.
	Usual Work
	// Most bounds the work of that evaluation for one change: every key is crossed, from unknown to a value, and all
	// that rests on it turns.
	Most Work
	// Across is what every session pays in addition for a change of an input of the device; AcrossMost bounds it.
	Across, AcrossMost Work
}

// Extent is what a plan holds. Its bytes are about those of a 64-bit machine, with the program.
type Extent struct {
	Inputs, Nodes int // of the program
	Stored        int // nodes that are evaluated for themselves
	Comparisons   int // keys and equalities
	Formulas      int
	Counters      int
	Edges         int
	Bytes         int
}

// Cost works out what the plan costs.
func (plan *Plan) Cost() Cost {
	c := Cost{Inputs: make([]InputCost, len(plan.Program.Inputs)), Device: plan.memory(ScopeDevice), Session: plan.memory(ScopeSession), Plan: plan.extent()}
	t := newTrace(plan)
	for k := range c.Inputs {
		t.input(int32(k), &c.Inputs[k])
	}
	return c
}

// extent counts what the plan holds.
func (plan *Plan) extent() Extent {
	s := Extent{Inputs: len(plan.Program.Inputs), Nodes: len(plan.Program.Nodes), Bytes: plan.bytes()}
	for scope := range plan.layers {
		l := &plan.layers[scope]
		s.Stored += len(l.steps)
		s.Comparisons += int(l.atoms)
		s.Counters += len(l.unknown)
		s.Edges += len(l.own) + len(l.parts) + len(l.across.to)
		for k := range l.sources {
			if l.sources[k].direct == ofWork {
				s.Formulas++
			}
		}
	}
	return s
}

// stepsOf is what the evaluation of a node for itself looks through: its arguments where it is logic or a list, the
// elements of a list by the nodes of a body. args are the nodes among which its arguments are.
func stepsOf(op *Op, args []Op) float64 {
	length := func(of Node) float64 {
		if x := &args[of]; x.Code == Const {
			return float64(len(x.Value.List()))
		}
		return Elements
	}
	switch {
	case op.Code == And || op.Code == Or || op.Code == ListOf:
		return max(1, float64(len(op.Args)))
	case op.Code == In:
		return 1 + length(op.Args[1])
	case op.Code.overList():
		body := 0.0
		for k := range op.Body {
			body += stepsOf(&op.Body[k], op.Body)
		}
		return 1 + float64(length(op.Args[0])*body)
	}
	return 1
}
