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
	by map[sense.Kind][]Node
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
		Input{From: FromUntil, Name: "flight", Kind: sense.Length, Scope: ScopeSession})
	return m
}

func (m *maker) pick(k sense.Kind) Node { return m.by[k][m.r.IntN(len(m.by[k]))] }

func (m *maker) add(op Op) {
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
	}
	return sense.StringValue([]string{"", "a", "ab", "b"}[r.IntN(4)])
}

// program makes n nodes a scope beside the loads and constants.
func (m *maker) program(n int) *Program {
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for _, kind := range []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.Length, sense.String} {
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
	comparable := []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.Length, sense.Length, sense.String}[m.r.IntN(6)]
	switch op.Code = Code(m.r.IntN(int(Latch) + 1)); op.Code {
	case Const, Load, In: // there already
		return
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
		op.Kind = []sense.Kind{sense.Int, sense.Double, sense.Length}[m.r.IntN(3)]
		args(op.Kind, op.Kind)
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
