package rule

import "slices"

// Form says how a part of a condition is answered.
type Form uint8

const (
	// FormKey: by its place among the sorted constants of an input or a node.
	FormKey Form = iota
	// FormEquality: by hash.
	FormEquality
	// FormFormula: a value of several inputs, or two inputs in an order: worked out whenever one of them changes.
	FormFormula
	// FormList: the elements of a list are looked through.
	FormList
	// FormWindow: readings or turns of some time are kept.
	FormWindow
	// FormMemory: it remembers what was: since, became, changed, entered, latches.
	FormMemory
	// FormNode: whatever else is worked out for itself: texts, calendar parts, conversions, a choice.
	FormNode
)

var formNames = [...]string{"key", "equality", "formula", "list", "window", "memory", "node"}

func (f Form) String() string { return formNames[f] }

// Part is one thing that a condition makes an evaluation do.
type Part struct {
	Form   Form
	Code   Code    // of its node
	Scope  Scope   // whose evaluation does it
	Text   string  // of the smallest condition that holds it
	Inputs []int32 // whose change has it worked out, at most; without FromNow, which changes by itself
	Once   int     // steps each time
	Steps  int     // Once for each of its inputs
	Timed  bool    // time alone may turn it
	Bytes  int     // that an evaluation of its scope keeps for it, at most
}

// Condition is what one condition costs. What several conditions share is in each of theirs, and is there once.
type Condition struct {
	Steps  int     // where each input that it reads changes once, and turns all that rests on it
	Bytes  int     // that evaluations keep for it, at most: of the device, and of each session
	Inputs []int32 // that it reads, in order
	Timed  bool    // time alone may turn it
	Parts  []Part  // the most expensive first
}

// Condition works out what the condition of a node costs; nothing for None.
func (plan *Plan) Condition(n Node) (c Condition) {
	if n < 0 || int(n) >= len(plan.Program.Nodes) {
		return c
	}
	w := dissection{plan: plan, seen: map[Node]bool{}, inputs: map[Node][]int32{}}
	w.node(n, n)
	c.Parts, c.Inputs = w.parts, w.inputsOf(n)
	slices.SortStableFunc(c.Parts, func(a, b Part) int { return b.Steps - a.Steps })
	for k := range c.Parts {
		c.Steps += c.Parts[k].Steps
		c.Bytes += c.Parts[k].Bytes
		c.Timed = c.Timed || c.Parts[k].Timed
	}
	return c
}

// dissection takes a condition apart.
type dissection struct {
	plan    *Plan
	seen    map[Node]bool
	inputs  map[Node][]int32
	sources [2][]int32 // formulas that were met
	parts   []Part
}

// inputsOf returns the inputs that a node reads, in order.
func (w *dissection) inputsOf(n Node) []int32 {
	if inputs, known := w.inputs[n]; known {
		return inputs
	}
	op := &w.plan.Program.Nodes[n]
	var inputs []int32
	for _, a := range op.Args {
		inputs = append(inputs, w.inputsOf(a)...)
	}
	if readsInput(op.Code) {
		inputs = append(inputs, op.Input)
	}
	slices.Sort(inputs)
	inputs = slices.Compact(inputs)
	w.inputs[n] = inputs
	return inputs
}

// node takes a node apart; about is the smallest condition that holds it.
func (w *dissection) node(n, about Node) {
	if w.seen[n] {
		return
	}
	w.seen[n] = true
	plan := w.plan
	op := &plan.Program.Nodes[n]
	if op.Text != "" {
		about = n
	}
	switch slot := plan.slot[n]; {
	case slot >= 0 && (op.Code != Load && op.Code != Const || plan.whole):
		w.stored(n, about, &plan.layers[op.Scope].steps[slot])
	case !plan.whole:
		w.counted(n, about)
	}
	for _, a := range op.Args {
		w.node(a, about)
	}
}

// part adds what is done for a node.
func (w *dissection) part(n, about Node, p Part) {
	op := &w.plan.Program.Nodes[n]
	p.Code, p.Scope, p.Text = op.Code, op.Scope, w.plan.Program.Nodes[about].Text
	for _, k := range w.inputsOf(n) {
		if w.plan.Program.Inputs[k].From != FromNow {
			p.Inputs = append(p.Inputs, k)
		}
	}
	p.Steps = p.Once * len(p.Inputs)
	w.parts = append(w.parts, p)
}

func (w *dissection) stored(n, about Node, s *step) {
	op := s.op
	p := Part{Form: FormNode, Once: int(stepsOf(op, w.plan.Program.Nodes)), Timed: s.timer >= 0, Bytes: sizeMark + 8}
	if s.rich >= 0 {
		p.Bytes += sizeValue
	}
	if s.hold >= 0 {
		p.Form, p.Bytes = FormMemory, p.Bytes+sizeHold
	}
	if s.window >= 0 {
		p.Form, p.Bytes = FormWindow, p.Bytes+sizeWindow+MaxEntries*sizeEntry
	}
	switch {
	case op.Code.overList() || op.Code == In:
		p.Form = FormList
	case w.told(n):
		p.Form = FormKey
	}
	w.part(n, about, p)
}

// told says whether a stored comparison is told that its key was crossed, instead of looking itself.
func (w *dissection) told(n Node) bool {
	if w.plan.whole || w.plan.truths[n].own < 0 {
		return false
	}
	of := w.plan.truths[n].own
	l := &w.plan.layers[of.scope()]
	if of.id() >= l.atoms {
		return false
	}
	s := &l.sources[l.home[of.id()]]
	slot := w.plan.slot[n]
	return slices.ContainsFunc(s.told.to, func(x int32) bool { return x>>1 == slot })
}

// counted adds what a comparison makes the index do; logic is counted, and costs the edges of its arguments.
func (w *dissection) counted(n, about Node) {
	t := w.plan.truths[n]
	switch op := &w.plan.Program.Nodes[n]; {
	case op.Code == And || op.Code == Or || op.Code == Not, t.own < 0:
		return
	}
	l := &w.plan.layers[t.own.scope()]
	id := t.own.id()
	if id >= l.atoms {
		return
	}
	k := l.home[id]
	s := &l.sources[k]
	p := Part{Form: FormKey, Once: 1, Timed: s.timer >= 0}
	switch {
	case id >= int32(len(l.keys)):
		p.Form = FormEquality
	case s.direct == ofWork && (len(s.terms) > 1 || s.terms[0].from == ofHeld):
		p.Form = FormFormula
	}
	if s.direct == ofWork && !slices.Contains(w.sources[t.own.scope()], k) {
		w.sources[t.own.scope()] = append(w.sources[t.own.scope()], k)
		p.Once += int(l.working(k).Terms)
		p.Bytes = sizePlacing
	}
	w.part(n, about, p)
}
