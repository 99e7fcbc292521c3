package moment

import (
	"math"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Atom is one smallest condition that would have to be another way.
type Atom struct {
	catalog.Because           // what it reads, what that was, and the canonical text of what is needed
	Node            rule.Node // the condition
	Want            bool      // what it would have to be
	Known           bool      // its truth was known, if not as wanted
	input           int32     // whose other value would make it so; -1 where it is taken as it is wanted
	value           sense.Value
}

// impossible is the number of changes of what nothing can change.
const impossible = math.MaxInt32 / 2

// need is a condition that should be true, or should be false.
type need struct {
	node rule.Node
	want bool
}

// Missing returns the fewest atoms that would make a condition certainly true (or false, where not want),
// of several ways the leftmost; ok is false where nothing would. A condition that is so already misses none.
func (p *Past) Missing(n rule.Node, want bool) (atoms []Atom, ok bool) {
	m := missing{p: p, cost: map[need]int32{}}
	if m.least(n, want) >= impossible {
		return nil, false
	}
	m.collect(n, want)
	return m.atoms, true
}

// Counter counts what conditions miss, and remembers what they share.
type Counter struct{ missing }

// Counter returns one for the moment as it is.
func (p *Past) Counter() *Counter { return &Counter{missing{p: p, cost: map[need]int32{}}} }

// Count returns how many atoms Missing would name at the least, and false where nothing would help.
func (c *Counter) Count(n rule.Node) (int, bool) {
	k := c.least(n, true)
	return int(k), k < impossible
}

// missing looks for the least number of changes.
type missing struct {
	p     *Past
	cost  map[need]int32
	atoms []Atom
}

// least is the number of atoms that keep a node from its truth.
func (m *missing) least(n rule.Node, want bool) int32 {
	t := m.p.Truth(m.p.session, n)
	if t == truthOf(want) {
		return 0
	}
	key := need{n, want}
	if k, known := m.cost[key]; known {
		return k
	}
	op := &m.p.model.bundle.Program.Nodes[n]
	k := int32(1)
	switch {
	case op.Code == rule.Const:
		k = impossible
	case !m.p.logic(n):
	case op.Code == rule.Not:
		k = m.least(op.Args[0], !want)
	case op.Code == rule.Cond:
		k, _ = m.branch(op, want)
	case (op.Code == rule.And) == want: // all of them
		k = 0
		for _, a := range op.Args {
			k = min(k+m.least(a, want), impossible)
		}
	default: // one of them
		k = impossible
		for _, a := range op.Args {
			k = min(k, m.least(a, want))
		}
	}
	m.cost[key] = k
	return k
}

// branch is the cheaper of the two ways through a choice: by its condition being true, or false.
func (m *missing) branch(op *rule.Op, want bool) (k int32, byTrue bool) {
	yes := m.least(op.Args[0], true) + m.least(op.Args[1], want)
	no := m.least(op.Args[0], false) + m.least(op.Args[2], want)
	return min(yes, no, impossible), yes <= no
}

func truthOf(want bool) rule.Truth {
	if want {
		return rule.True
	}
	return rule.False
}

// collect names the atoms of the cheapest way.
func (m *missing) collect(n rule.Node, want bool) {
	if m.p.Truth(m.p.session, n) == truthOf(want) {
		return
	}
	op := &m.p.model.bundle.Program.Nodes[n]
	switch {
	case !m.p.logic(n):
		m.add(n, want)
	case op.Code == rule.Not:
		m.collect(op.Args[0], !want)
	case op.Code == rule.Cond:
		_, yes := m.branch(op, want)
		m.collect(op.Args[0], yes)
		if yes {
			m.collect(op.Args[1], want)
		} else {
			m.collect(op.Args[2], want)
		}
	case (op.Code == rule.And) == want:
		for _, a := range op.Args {
			m.collect(a, want)
		}
	default:
		for _, a := range op.Args {
			if m.least(a, want) == m.cost[need{n, want}] {
				m.collect(a, want)
				return
			}
		}
	}
}

func (m *missing) add(n rule.Node, want bool) {
	for k := range m.atoms {
		if m.atoms[k].Node == n {
			return
		}
	}
	a := Atom{Node: n, Want: want, Known: m.p.Truth(m.p.session, n) != rule.Unknown, input: -1}
	one := m.p.atom(n)
	a.Because = m.p.Reasons(m.p.session).add(nil, &one, truthOf(want))[0]
	m.p.solve(&a)
	m.atoms = append(m.atoms, a)
}

// flipped is a comparison seen from its other side; opposite is the one that holds where it does not.
var (
	flipped  = [...]rule.Code{rule.Eq: rule.Eq, rule.Ne: rule.Ne, rule.Lt: rule.Gt, rule.Le: rule.Ge, rule.Gt: rule.Lt, rule.Ge: rule.Le}
	opposite = [...]rule.Code{rule.Eq: rule.Ne, rule.Ne: rule.Eq, rule.Lt: rule.Ge, rule.Le: rule.Gt, rule.Gt: rule.Le, rule.Ge: rule.Lt}
	signs    = [...]string{rule.Eq: "==", rule.Ne: "!=", rule.Lt: "<", rule.Le: "<=", rule.Gt: ">", rule.Ge: ">="}
)

// solve finds the value of the one input that makes an atom what it should be, where it compares an input
// with a constant. Such a change holds for every other condition that reads the input as well.
func (p *Past) solve(a *Atom) {
	nodes := p.model.bundle.Program.Nodes
	op := &nodes[a.Node]
	if op.Code == rule.Load && op.Kind == sense.Bool {
		a.input, a.value = op.Input, sense.BoolValue(a.Want)
		return
	}
	if op.Code < rule.Eq || op.Code > rule.Ge || len(op.Args) != 2 {
		return
	}
	code, load, limit := op.Code, &nodes[op.Args[0]], &nodes[op.Args[1]]
	if load.Code == rule.Const {
		code, load, limit = flipped[code], limit, load
	}
	if load.Code != rule.Load || limit.Code != rule.Const {
		return
	}
	if !a.Want {
		code = opposite[code]
	}
	in := &p.model.bundle.Program.Inputs[load.Input]
	a.Needed = in.Name + " " + signs[code] + " " + strings.ReplaceAll(limit.Value.String(), `"`, "'")
	if in.From == rule.FromUntil || limit.Value.Kind() != in.Kind {
		return
	}
	if v, ok := beside(code, limit.Value); ok {
		a.input, a.value = load.Input, v
	}
}

// beside returns the value nearest to a limit for which the comparison holds.
func beside(code rule.Code, limit sense.Value) (sense.Value, bool) {
	step := int64(0)
	switch code {
	case rule.Eq, rule.Le, rule.Ge:
		return limit, true
	case rule.Gt:
		step = 1
	case rule.Lt:
		step = -1
	case rule.Ne:
		if limit.Kind() != sense.Bool {
			return limit, false
		}
		return sense.BoolValue(!limit.Bool()), true
	}
	switch n := limit.Int(); limit.Kind() {
	case sense.Int:
		return sense.IntValue(n + step), n != math.MaxInt64 && n != math.MinInt64
	case sense.Money:
		return sense.MoneyValue(n + step), true
	case sense.Date:
		return sense.DateValue(n + step), true
	case sense.Double:
		f := limit.Double()
		return sense.DoubleValue(f + float64(float64(step)*max(1e-6, float64(math.Abs(f)*1e-9)))), true
	}
	return limit, false
}

// Make lets an atom be as wanted: by the other value of its input, or, where that cannot be told, by
// its truth. Work works out what follows.
func (p *Past) Make(a Atom) {
	if a.input >= 0 {
		p.Assume(a.input, a.value)
		p.Work()
		if p.Truth(p.session, a.Node) == truthOf(a.Want) {
			return
		}
	}
	p.AssumeTrue(a.Node, a.Want)
	p.Work()
}
