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

// looksBack says whether the outcome of node n rests on more than the inputs of its instant.
func (plan *Plan) looksBack(n int) bool {
	return plan.hold[n] >= 0 || plan.window[n] >= 0 || plan.Program.Nodes[n].Code == Held
}

// Freeze returns the outcomes of all nodes of the scope that look back, in order of node. With
// the inputs of the same instant they give every other outcome.
func (e *Eval) Freeze() []FrozenNode {
	var all []FrozenNode
	for k := range e.marks {
		n := e.base + k
		if !e.plan.looksBack(n) {
			continue
		}
		c := e.cell(Node(n))
		all = append(all, FrozenNode{Node: Node(n), Slope: c.slope, Left: e.Left(Node(n)), Result: Result{Cause: c.cause, Input: c.input, Value: c.value}})
	}
	return all
}

// Thawed is an evaluation that stands at a frozen instant. Its inputs may be given other states, and
// its conditions other truths, to see what would have followed. Time does not go on in it.
type Thawed struct {
	eval   *Eval
	pinned []bool // by node - base: its outcome is given
	saved  []saved
}

// saved is what an assumption replaced.
type saved struct {
	input  int32 // -1 where a node was pinned
	node   Node
	cell   cell
	pinned bool
}

// Thaw puts an evaluation that was just made, and whose inputs were set, at a frozen instant. Nodes
// that look back and are not named are unknown. The error is ErrProgram: the outcomes are not of this program.
func (e *Eval) Thaw(nodes []FrozenNode, now sense.Instant) (*Thawed, error) {
	t := &Thawed{eval: e, pinned: make([]bool, len(e.marks))}
	e.now = max(e.now, now)
	e.begin()
	for k := range e.marks {
		t.pinned[k] = e.plan.looksBack(e.base + k)
	}
	last := Node(-1)
	for _, f := range nodes {
		if f.Node <= last || int(f.Node) < e.base || int(f.Node)-e.base >= len(e.marks) || !t.pinned[int(f.Node)-e.base] {
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

// put gives a node its frozen outcome.
func (t *Thawed) put(f FrozenNode) error {
	e := t.eval
	op := &e.plan.Program.Nodes[f.Node]
	inputs := int32(len(e.plan.Program.Inputs))
	kindFits := f.Result.Value.Kind() == op.Kind || f.Result.Cause != Known && f.Result.Value.IsNull()
	if !kindFits || f.Result.Cause > NotRead || f.Result.Input < -1 || f.Result.Input >= inputs ||
		f.Slope < -maxSlope || f.Slope > maxSlope || f.Slope != 0 && f.Result.Value.Kind() != sense.Length {
		return fmt.Errorf("thaw node %d: an outcome that it cannot have: %w", f.Node, ErrProgram)
	}
	m := &e.marks[int(f.Node)-e.base]
	*m = mark{at: e.now, input: f.Result.Input, cause: f.Result.Cause, slope: f.Slope, yes: f.Result.Value.Kind() == sense.Bool && f.Result.Value.Bool()}
	if slot := e.plan.value[f.Node]; slot >= 0 {
		e.values[slot] = f.Result.Value
	}
	if s := e.plan.hold[f.Node]; s >= 0 && f.Left {
		e.holds[s].left, e.holds[s].until = true, sense.Never
	}
	return nil
}

// Assume gives an input another state until Undo.
func (t *Thawed) Assume(input int32, r Result) {
	e := t.eval
	in := &e.plan.Program.Inputs[input]
	if in.Scope != e.scope() {
		return
	}
	t.saved = append(t.saved, saved{input: input, cell: e.in[input]})
	c := cell{mark: mark{at: e.now, input: input, cause: r.Cause}, value: r.Value}
	if r.Cause != Known {
		c.value = sense.Value{}
	}
	c.yes = c.value.Kind() == sense.Bool && c.value.Bool()
	e.in[input] = c
	for _, n := range e.plan.loads.of(input) {
		e.touch(n)
	}
}

// AssumeTrue gives a condition another truth until Undo, whatever its inputs say.
func (t *Thawed) AssumeTrue(n Node, yes bool) {
	e := t.eval
	k := int(n) - e.base
	if k < 0 || k >= len(e.marks) || e.plan.value[n] >= 0 {
		return
	}
	t.saved = append(t.saved, saved{input: -1, node: n, cell: cell{mark: e.marks[k]}, pinned: t.pinned[k]})
	t.pinned[k] = true
	e.marks[k] = mark{at: e.now, input: -1, yes: yes}
	e.changed = append(e.changed, n)
	e.touchAbove(n)
}

// Undo takes back all assumptions; Settle works out what follows.
func (t *Thawed) Undo() {
	e := t.eval
	for k := len(t.saved) - 1; k >= 0; k-- {
		s := &t.saved[k]
		if s.input >= 0 {
			e.in[s.input] = s.cell
			for _, n := range e.plan.loads.of(s.input) {
				e.touch(n)
			}
			continue
		}
		i := int(s.node) - e.base
		e.marks[i], t.pinned[i] = s.cell.mark, s.pinned
		e.changed = append(e.changed, s.node)
		e.touchAbove(s.node)
		e.touch(int32(s.node))
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
				e.update(Node(e.base + k))
			}
		}
	}
}

// Done forgets what the last Settle changed, once every evaluation that reads this one has settled.
func (t *Thawed) Done() { t.eval.changed, t.eval.flipped = t.eval.changed[:0], t.eval.flipped[:0] }
