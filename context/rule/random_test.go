package rule_test

import (
	"fmt"
	"math/rand/v2"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// maker makes random sound programs: device nodes first, arguments before readers.
type maker struct {
	r *rand.Rand
	p Program
	// nodes by kind, of the scopes made so far
	by    map[sense.Kind][]Node
	moves []bool
}

func newMaker(seed uint64) *maker {
	m := &maker{r: rand.New(rand.NewPCG(seed, 1)), by: map[sense.Kind][]Node{}}
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for k, kind := range []sense.Kind{sense.Bool, sense.Bool, sense.Int, sense.Double, sense.String} {
			m.p.Inputs = append(m.p.Inputs, Input{From: FromSignal, Name: fmt.Sprintf("s%d_%d", scope, k), Kind: kind, Scope: scope})
		}
	}
	m.p.Inputs = append(m.p.Inputs,
		Input{From: FromInside, Name: "store", Kind: sense.Bool, Scope: ScopeSession},
		Input{From: FromUntil, Name: "flight", Kind: sense.Length, Scope: ScopeSession},
		Input{From: FromNow, Name: "now", Kind: sense.Timestamp},
		Input{From: FromSignal, Name: "time", Kind: sense.Timestamp},
		Input{From: FromSignal, Name: "list", Kind: sense.List},
		Input{From: FromFact, Name: "times", Kind: sense.List, Scope: ScopeSession})
	m.p.Zones = []sense.Zone{
		{Name: "+05:45", Turns: []sense.Turn{{Offset: 345 * sense.Minute}}},
		{Name: "summer", Turns: []sense.Turn{{From: 0, Offset: sense.Hour}, {From: t0 + 3000, Offset: 2 * sense.Hour}, {From: t0 + 20000, Offset: -sense.Hour}}},
	}
	return m
}

func (m *maker) pick(k sense.Kind) Node { return m.by[k][m.r.IntN(len(m.by[k]))] }

// add adds a node, unless what moves by itself may not stand in it.
func (m *maker) add(op Op) {
	from := FromSignal
	if op.Code == Load {
		from = m.p.Inputs[op.Input].From
	}
	moves, err := Moves(&op, from, func(k int) bool { return m.moves[op.Args[k]] })
	if err != nil {
		return
	}
	m.moves = append(m.moves, moves)
	op.Text = fmt.Sprintf("n%d", len(m.p.Nodes))
	m.p.Nodes = append(m.p.Nodes, op)
	m.by[op.Kind] = append(m.by[op.Kind], Node(len(m.p.Nodes)-1))
}

var lengths = []sense.Duration{0, 1, 500, 1000, 2000, 3000, 5000, 10000, 60000}

// constant returns a small value, so that comparisons often hold.
func constant(r *rand.Rand, k sense.Kind) sense.Value {
	switch k {
	case sense.Bool:
		return sense.BoolValue(r.IntN(2) == 0)
	case sense.Int:
		return sense.IntValue(int64(r.IntN(6) - 1))
	case sense.Double:
		return sense.DoubleValue(float64(r.IntN(9)-2) / 2)
	case sense.Length:
		return sense.LengthValue(lengths[r.IntN(len(lengths))])
	case sense.Timestamp:
		return sense.TimestampValue(t0.Add(lengths[r.IntN(len(lengths))] - 2000))
	case sense.List:
		list := make([]sense.Value, r.IntN(5))
		kind := []sense.Kind{sense.Int, sense.Timestamp, sense.Bool, sense.Double, sense.String}[r.IntN(5)]
		for k := range list {
			list[k] = constant(r, kind)
		}
		return sense.ListValue(list)
	}
	return sense.StringValue([]string{"", "a", "ab", "b", "true"}[r.IntN(5)])
}

// program makes n nodes a scope beside the loads and constants.
func (m *maker) program(n int) *Program {
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for _, kind := range []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.Length, sense.String, sense.Timestamp, sense.List, sense.List} {
			for range 2 {
				m.add(Op{Code: Const, Kind: kind, Scope: scope, Input: -1, Value: constant(m.r, kind)})
			}
		}
		for k := range m.p.Inputs {
			if m.p.Inputs[k].Scope == scope {
				m.add(Op{Code: Load, Kind: m.p.Inputs[k].Kind, Scope: scope, Input: int32(k)})
			}
		}
		for range n {
			m.node(scope)
		}
	}
	return &m.p
}

func (m *maker) node(scope Scope) {
	op := Op{Kind: sense.Bool, Scope: scope, Input: -1, For: lengths[1+m.r.IntN(len(lengths)-1)]}
	args := func(kinds ...sense.Kind) {
		for _, k := range kinds {
			op.Args = append(op.Args, m.pick(k))
		}
	}
	comparable := []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.Length, sense.Length, sense.String, sense.Timestamp}[m.r.IntN(7)]
	switch op.Code = Code(m.r.IntN(int(ListOf) + 1)); op.Code {
	case Const, Load, Elem, Outer: // there already, or of bodies alone
		return
	case Exists, All, ExistsOne, Filter, Map:
		if op.Code >= Filter {
			op.Kind = sense.List
		}
		m.overList(&op, 1)
	case ListOf:
		kind := []sense.Kind{sense.Int, sense.Timestamp, sense.Bool}[m.r.IntN(3)]
		op.Kind = sense.List
		args([]sense.Kind{kind, kind, kind}[m.r.IntN(3):]...)
	case Index, ToText, ToBool, ToTimestamp, ToMoney, PartYear, PartMonth, PartDate, PartDayOfMonth, PartWeekday, PartYearDay, PartHours, PartMinutes, PartSeconds, PartMilliseconds, In:
		m.pure(&op, args)
	case Not, Became:
		args(sense.Bool)
	case And, Or:
		for range 1 + m.r.IntN(4) {
			args(sense.Bool)
		}
	case Cond:
		op.Kind = comparable
		args(sense.Bool, comparable, comparable)
	case Eq, Ne, Lt, Le, Gt, Ge:
		args(comparable, comparable)
	case Add, Sub:
		m.sum(&op, args)
	case Mul, Div:
		op.Kind = []sense.Kind{sense.Int, sense.Double}[m.r.IntN(2)]
		args(op.Kind, op.Kind)
	case Mod:
		op.Kind = sense.Int
		args(sense.Int, sense.Int)
	case Neg:
		op.Kind = []sense.Kind{sense.Int, sense.Double, sense.Length}[m.r.IntN(3)]
		args(op.Kind)
	case StartsWith, EndsWith, Contains:
		args(sense.String, sense.String)
	case Size:
		op.Kind = sense.Int
		args(sense.String)
	case ToDouble:
		op.Kind = sense.Double
		args(sense.Int)
	case ToInt:
		op.Kind = sense.Int
		args(sense.Double)
	case Held, Since:
		op.Kind = sense.Length
		args(sense.Bool)
	case CountTrue:
		op.Kind = sense.Int
		args(sense.Bool)
	case Armed:
		args(sense.Bool)
	case Latch:
		args(sense.Bool, sense.Bool)
	case CountReadings, Mean, Min, Max, Rate:
		op.Kind = sense.Double
		if op.Code == CountReadings {
			op.Kind = sense.Int
		}
		op.Input = int32(2 + m.r.IntN(2))
		if scope == ScopeSession {
			op.Input += 5
		}
	case Changed:
		op.Input = int32(m.r.IntN(5))
		if scope == ScopeSession {
			op.Input += 5
		}
	}
	m.add(op)
}

func (m *maker) sum(op *Op, args func(...sense.Kind)) {
	switch op.Kind = []sense.Kind{sense.Int, sense.Double, sense.Length, sense.Length, sense.Timestamp, sense.String, sense.List}[m.r.IntN(7)]; {
	case op.Kind == sense.Timestamp:
		args(sense.Timestamp, sense.Length)
	case op.Kind == sense.Length && op.Code == Sub && m.r.IntN(2) == 0:
		args(sense.Timestamp, sense.Timestamp)
	case op.Kind == sense.String || op.Kind == sense.List:
		op.Code = Add
		args(op.Kind, op.Kind)
	default:
		args(op.Kind, op.Kind)
	}
}

// pure is what looks at its arguments alone, of the operations that only bodies and few others have.
func (m *maker) pure(op *Op, args func(...sense.Kind)) {
	op.Kind = sense.Int
	switch op.Code {
	case In:
		op.Kind = sense.Bool
		args([]sense.Kind{sense.Int, sense.String, sense.Timestamp, sense.Bool}[m.r.IntN(4)], sense.List)
	case Index:
		op.Kind = []sense.Kind{sense.Int, sense.String, sense.Timestamp, sense.Bool, sense.Double}[m.r.IntN(5)]
		if args(sense.List, sense.Int); m.r.IntN(2) == 0 {
			op.Args[0], op.Args[1] = op.Args[1], op.Args[0]
		}
	case ToText:
		op.Kind = sense.String
		args([]sense.Kind{sense.Int, sense.Bool, sense.Double, sense.Length, sense.Timestamp}[m.r.IntN(5)])
	case ToBool:
		op.Kind = sense.Bool
		args(sense.String)
	case ToTimestamp:
		op.Kind = sense.Timestamp
		args(sense.Int)
	case ToMoney:
		op.Kind = sense.Money
		args([]sense.Kind{sense.Int, sense.Double}[m.r.IntN(2)])
	default:
		if op.Code >= PartHours && op.Code <= PartSeconds && m.r.IntN(3) == 0 {
			args(sense.Length)
			return
		}
		args(sense.Timestamp)
		op.Zone = int32(m.r.IntN(len(m.p.Zones) + 1))
	}
}

// overList makes a body over the elements of a list: comparisons of the element and of captured nodes, logic, and
// at times a body within.
func (m *maker) overList(op *Op, depth int) {
	kind := []sense.Kind{sense.Int, sense.Timestamp, sense.Bool}[m.r.IntN(3)]
	op.Args = append(op.Args, m.pick(sense.List), m.pick(kind), m.pick(sense.Bool), m.pick(sense.List), m.pick(sense.Length))
	in := func(o Op) Node {
		if o.Code != Outer {
			o.Input = -1
		}
		op.Body = append(op.Body, o)
		return Node(len(op.Body) - 1)
	}
	x, y, b := in(Op{Code: Elem, Kind: kind}), in(Op{Code: Outer, Kind: kind, Input: 0}), in(Op{Code: Outer, Kind: sense.Bool, Input: 1})
	if kind == sense.Timestamp {
		length := in(Op{Code: Outer, Kind: sense.Length, Input: 3})
		y = in(Op{Code: Add, Kind: kind, Args: []Node{y, length}})
	}
	root := in(Op{Code: Eq + Code(m.r.IntN(6)), Kind: sense.Bool, Args: []Node{x, y}})
	if kind == sense.Int {
		zero := in(Op{Code: Const, Kind: sense.Int, Value: constant(m.r, sense.Int)})
		rest := in(Op{Code: Mod, Kind: sense.Int, Args: []Node{x, zero}})
		more := in(Op{Code: Ge, Kind: sense.Bool, Args: []Node{rest, y}})
		root = in(Op{Code: Or, Kind: sense.Bool, Args: []Node{root, more}})
	}
	if depth < MaxDepth && m.r.IntN(2) == 0 {
		list := in(Op{Code: Outer, Kind: sense.List, Input: 2})
		inner := Op{Code: Exists + Code(m.r.IntN(3)), Kind: sense.Bool, Args: []Node{list, x, b}, Body: []Op{
			{Code: Elem, Kind: kind, Input: -1}, {Code: Outer, Kind: kind, Input: 0}, {Code: Ge, Kind: sense.Bool, Args: []Node{0, 1}, Input: -1},
			{Code: Outer, Kind: sense.Bool, Input: 1}, {Code: Cond, Kind: sense.Bool, Args: []Node{2, 3, 2}, Input: -1}}}
		n := in(inner)
		root = in(Op{Code: And, Kind: sense.Bool, Args: []Node{n, root}})
	}
	root = in(Op{Code: And + Code(m.r.IntN(2)), Kind: sense.Bool, Args: []Node{root, b}})
	if op.Code == Map && kind == sense.Int {
		in(Op{Code: Cond, Kind: sense.Int, Args: []Node{root, x, y}})
	}
}
