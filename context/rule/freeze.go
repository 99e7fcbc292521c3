package rule

import (
	"fmt"
	"math/bits"

	"github.com/tact-edge/tact/context/sense"
)

// FrozenNode is the outcome of a node that looks back over time, as it was at an instant: what no
// input of that instant tells any more.
type FrozenNode struct {
	Node   Node
	Result Result // Value of a length that moves: what it would be at instant 0
	Slope  int8   // of a length that moves by itself, else 0
	Left   bool   // see Eval.Left
}

// looksBack says whether the outcome of a node rests on more than the inputs of its instant.
func (s *step) looksBack() bool { return s.hold >= 0 || s.window >= 0 || s.code == Held }

// Freeze returns the outcomes of all nodes of the scope that look back, in order of node. With
// the inputs of the same instant they give every other outcome.
func (e *Eval) Freeze() []FrozenNode {
	var all []FrozenNode
	for _, n := range e.layer.back {
		c := e.cell(n)
		all = append(all, FrozenNode{Node: n, Slope: c.slope, Left: e.Left(n), Result: Result{Cause: c.cause, Input: c.input, Value: c.value}})
	}
	return all
}

// Thawed is an evaluation that stands at a frozen instant. Its inputs may be given other states, and
// its conditions other truths, to see what would have followed. Time does not go on in it.
type Thawed struct {
	eval   *Eval
	pinned []bool // by place of a node: its outcome is given
	saved  []saved
}

// saved is what an assumption replaced.
type saved struct {
	input  int32 // place; -1 where a node was pinned
	slot   int32
	state  inputState
	value  sense.Value // of an input that is no number
	mark   mark
	pinned bool
}

// Thaw puts an evaluation of a reference plan that was just made, and whose inputs were set, at a frozen instant. Nodes
// that look back and are not named are unknown. The error is ErrProgram: the outcomes are not of this program.
func (e *Eval) Thaw(nodes []FrozenNode, now sense.Instant) (*Thawed, error) {
	if !e.plan.whole {
		return nil, fmt.Errorf("thaw: the plan is no reference: %w", ErrProgram)
	}
	t := &Thawed{eval: e, pinned: make([]bool, len(e.marks))}
	e.now = max(e.now, now)
	e.begin()
	for k := range e.layer.steps {
		t.pinned[k] = e.layer.steps[k].looksBack()
	}
	last := Node(-1)
	for _, f := range nodes {
		if f.Node <= last || int(f.Node) >= len(e.plan.Program.Nodes) || !e.owns(f.Node) || !t.pinned[e.plan.slot[f.Node]] {
			return nil, fmt.Errorf("thaw node %d: it does not look back, or not in this order: %w", f.Node, ErrProgram)
		}
		last = f.Node
		if err := t.put(f); err != nil {
			return nil, err
		}
	}
	e.touchAll()
	t.Settle()
	return t, nil
}

// owns says whether a node is of the evaluation's scope.
func (e *Eval) owns(n Node) bool { return e.plan.Program.Nodes[n].Scope == e.scope }

// put gives a node its frozen outcome.
func (t *Thawed) put(f FrozenNode) error {
	e := t.eval
	slot := e.plan.slot[f.Node]
	s := &e.layer.steps[slot]
	inputs := int32(len(e.plan.Program.Inputs))
	kindFits := f.Result.Value.Kind() == s.op.Kind || f.Result.Cause != Known && f.Result.Value.IsNull()
	if !kindFits || f.Result.Cause > NotRead || f.Result.Input < -1 || f.Result.Input >= inputs ||
		f.Slope < -maxSlope || f.Slope > maxSlope || f.Slope != 0 && f.Result.Value.Kind() != sense.Length {
		return fmt.Errorf("thaw node %d: an outcome that it cannot have: %w", f.Node, ErrProgram)
	}
	e.marks[slot] = mark{at: e.now, input: f.Result.Input, cause: f.Result.Cause, slope: f.Slope, yes: f.Result.Value.Kind() == sense.Bool && f.Result.Value.Bool()}
	e.nums[slot] = f.Result.Value.Int()
	if s.hold >= 0 && f.Left {
		e.holds[s.hold].left, e.holds[s.hold].until = true, sense.Never
	}
	return nil
}

// Assume gives an input another state until Undo.
func (t *Thawed) Assume(input int32, r Result) {
	e := t.eval
	if e.plan.Program.Inputs[input].Scope != e.scope {
		return
	}
	k := e.plan.known[input].place
	was := saved{input: k, state: e.in[k]}
	e.in[k] = inputState{mark: mark{at: e.now, input: input, cause: r.Cause}}
	if r.Cause != Known {
		r.Value = sense.Value{}
	}
	e.in[k].num = r.Value.Int()
	e.in[k].yes = r.Value.Kind() == sense.Bool && r.Value.Bool()
	if rich := e.layer.rich[k]; rich >= 0 {
		was.value, e.rich[rich] = e.rich[rich], r.Value
	}
	t.saved = append(t.saved, was)
	t.touchLoads(input)
}

func (t *Thawed) touchLoads(input int32) {
	for _, n := range t.eval.plan.loads.of(input) {
		t.eval.touchNode(Node(n))
	}
}

// AssumeTrue gives a condition another truth until Undo, whatever its inputs say.
func (t *Thawed) AssumeTrue(n Node, yes bool) {
	e := t.eval
	if n < 0 || int(n) >= len(e.plan.Program.Nodes) || !e.owns(n) || e.plan.Program.Nodes[n].Kind != sense.Bool {
		return
	}
	k := e.plan.slot[n]
	t.saved = append(t.saved, saved{input: -1, slot: k, mark: e.marks[k], pinned: t.pinned[k]})
	t.pinned[k] = true
	e.marks[k] = mark{at: e.now, input: -1, yes: yes}
	t.changes(k)
}

// changes tells who reads a node that its outcome was replaced.
func (t *Thawed) changes(slot int32) {
	n := t.eval.layer.steps[slot].node
	t.eval.changed = append(t.eval.changed, n)
	t.eval.touchAbove(n)
}

// Undo takes back all assumptions; Settle works out what follows.
func (t *Thawed) Undo() {
	e := t.eval
	for k := len(t.saved) - 1; k >= 0; k-- {
		s := &t.saved[k]
		if s.input < 0 {
			e.marks[s.slot], t.pinned[s.slot] = s.mark, s.pinned
			t.changes(s.slot)
			e.touch(s.slot)
			continue
		}
		e.in[s.input] = s.state
		if rich := e.layer.rich[s.input]; rich >= 0 {
			e.rich[rich] = s.value
		}
		t.touchLoads(e.layer.inputs[s.input])
	}
	t.saved = t.saved[:0]
}

// Settle evaluates what was touched since the last time; the device's evaluation first.
func (t *Thawed) Settle() {
	e := t.eval
	if e.device != nil {
		for _, n := range e.device.changed {
			e.touchAbove(n)
		}
	}
	for w := range e.dirty {
		for e.dirty[w] != 0 {
			k := w<<6 + bits.TrailingZeros64(e.dirty[w])
			e.dirty[w] &^= 1 << (k & 63)
			if !t.pinned[k] {
				e.update(int32(k))
			}
		}
	}
}

// Done forgets what the last Settle changed, once every evaluation that reads this one has settled.
func (t *Thawed) Done() { t.eval.changed = t.eval.changed[:0] }
