package reach

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// maker makes random programs that often contradict themselves: few inputs, small constants,
// many comparisons of one input.
type maker struct {
	r  *rand.Rand
	p  rule.Program
	by map[sense.Kind][]rule.Node
	in []set
}

var words = []string{"", "a", "ab", "b", "summer"}

func makeProgram(r *rand.Rand, n int) *maker {
	m := &maker{r: r, by: map[sense.Kind][]rule.Node{}}
	for k, kind := range []sense.Kind{sense.Bool, sense.Bool, sense.Int, sense.Int, sense.Double, sense.Double, sense.String, sense.String, sense.Money, sense.Date, sense.Timestamp, sense.Length} {
		m.p.Inputs = append(m.p.Inputs, rule.Input{From: rule.FromSignal, Name: fmt.Sprintf("s%d", k), Kind: kind})
		m.in = append(m.in, anything(kind))
	}
	m.in[3] = between(sense.Int, 1, 7)
	m.in[4], m.in[5] = finite(), finite()
	m.in[7] = set{kind: sense.String, only: true, words: []string{"a", "b", "summer"}}
	m.p.Inputs = append(m.p.Inputs, rule.Input{From: rule.FromUntil, Name: "flight", Kind: sense.Length})
	m.in = append(m.in, anything(sense.Length))
	m.p.Inputs = append(m.p.Inputs, rule.Input{From: rule.FromNow, Name: "now", Kind: sense.Timestamp})
	m.in = append(m.in, anything(sense.Timestamp))
	for k := range m.p.Inputs {
		m.add(rule.Op{Code: rule.Load, Kind: m.p.Inputs[k].Kind, Input: int32(k)})
	}
	for range n {
		m.node()
	}
	return m
}

func (m *maker) add(op rule.Op) rule.Node {
	m.p.Nodes = append(m.p.Nodes, op)
	if rule.Check(&m.p) != nil { // as of a length that moves, in arithmetic
		m.p.Nodes = m.p.Nodes[:len(m.p.Nodes)-1]
		return 0
	}
	n := rule.Node(len(m.p.Nodes) - 1)
	m.by[op.Kind] = append(m.by[op.Kind], n)
	return n
}

func (m *maker) pick(k sense.Kind) rule.Node {
	if len(m.by[k]) == 0 || m.r.IntN(3) == 0 {
		return m.add(rule.Op{Code: rule.Const, Kind: k, Input: -1, Value: m.constant(k)})
	}
	if m.r.IntN(2) == 0 { // of the last ones, so that conditions become deep
		return m.by[k][len(m.by[k])-1-m.r.IntN(min(4, len(m.by[k])))]
	}
	return m.by[k][m.r.IntN(len(m.by[k]))]
}

func (m *maker) constant(k sense.Kind) sense.Value {
	switch k {
	case sense.Bool:
		return sense.BoolValue(m.r.IntN(2) == 0)
	case sense.Int:
		return sense.IntValue(int64(m.r.IntN(10) - 1))
	case sense.Double:
		return sense.DoubleValue(float64(m.r.IntN(9)-2) / 2)
	case sense.Length:
		return sense.LengthValue(sense.Duration(m.r.IntN(7)-1) * 500)
	case sense.Money:
		return sense.MoneyValue(int64(m.r.IntN(5)-1) * 500_000)
	case sense.Date:
		return sense.DateValue(int64(m.r.IntN(5)))
	case sense.Timestamp:
		return sense.TimestampValue(start.Add(sense.Duration(m.r.IntN(5)) * 1000))
	}
	return sense.StringValue(words[m.r.IntN(len(words))])
}

const start sense.Instant = 1_772_442_000_000

var kinds = []sense.Kind{sense.Int, sense.Int, sense.Double, sense.Double, sense.String, sense.String, sense.Length, sense.Money, sense.Date, sense.Timestamp, sense.Bool}

func (m *maker) node() {
	op := rule.Op{Kind: sense.Bool, Input: -1, For: sense.Duration(1+m.r.IntN(6)) * 500}
	args := func(kinds ...sense.Kind) {
		for _, k := range kinds {
			op.Args = append(op.Args, m.pick(k))
		}
	}
	kind := kinds[m.r.IntN(len(kinds))]
	switch c := m.r.IntN(42); {
	case c < 14:
		op.Code = rule.Eq + rule.Code(m.r.IntN(6))
		if kind == sense.Bool {
			op.Code = rule.Eq + rule.Code(m.r.IntN(2))
		}
		args(kind, kind)
		if m.r.IntN(2) == 0 { // one input against a constant
			op.Args = []rule.Node{m.by[kind][0], m.add(rule.Op{Code: rule.Const, Kind: kind, Input: -1, Value: m.constant(kind)})}
		}
	case c < 22:
		op.Code = []rule.Code{rule.And, rule.And, rule.And, rule.Or}[m.r.IntN(4)]
		for range 1 + m.r.IntN(4) {
			args(sense.Bool)
		}
	case c < 24:
		op.Code = rule.Not
		args(sense.Bool)
	case c < 26:
		op.Code, op.Kind = rule.Cond, kind
		args(sense.Bool, kind, kind)
	case c < 28:
		op.Code = rule.In
		var list []sense.Value
		for range m.r.IntN(4) {
			list = append(list, m.constant(kind))
		}
		op.Args = []rule.Node{m.pick(kind), m.add(rule.Op{Code: rule.Const, Kind: sense.List, Input: -1, Value: sense.ListValue(list)})}
	case c < 32:
		op.Kind = []sense.Kind{sense.Int, sense.Double, sense.Length, sense.Money}[m.r.IntN(4)]
		op.Code = rule.Add + rule.Code(m.r.IntN(6))
		args(op.Kind)
		if op.Code != rule.Neg {
			args(op.Kind)
		}
	case c < 33:
		op.Code = []rule.Code{rule.StartsWith, rule.EndsWith, rule.Contains}[m.r.IntN(3)]
		args(sense.String, sense.String)
	case c < 34:
		op.Code, op.Kind = rule.Size, sense.Int
		args(sense.String)
	case c < 35:
		op.Code, op.Kind = rule.ToDouble, sense.Double
		args(sense.Int)
		if m.r.IntN(2) == 0 {
			op.Code, op.Kind, op.Args = rule.ToInt, sense.Int, nil
			args(sense.Double)
		}
	case c < 36:
		op.Kind = sense.Int
		switch op.Code = rule.PartYear + rule.Code(m.r.IntN(12)); {
		case op.Code <= rule.PartMilliseconds:
			args([]sense.Kind{sense.Timestamp, sense.Length}[m.r.IntN(2)])
		case op.Code == rule.PartMilliseconds+1:
			op.Code, op.Kind = rule.ToDouble, sense.Double
			args(sense.String)
		default:
			op.Code, op.Kind = rule.ToText, sense.String
			args(kind)
		}
	case c < 38:
		op.Code, op.Kind = rule.Held+rule.Code(m.r.IntN(2)), sense.Length
		args(sense.Bool)
	default:
		m.lookBack(&op, args)
	}
	m.add(op)
}

func (m *maker) lookBack(op *rule.Op, args func(...sense.Kind)) {
	switch op.Code = rule.CountTrue + rule.Code(m.r.IntN(int(rule.Latch-rule.CountTrue)+1)); op.Code {
	case rule.CountTrue:
		op.Kind = sense.Int
		args(sense.Bool)
	case rule.CountReadings, rule.Mean, rule.Min, rule.Max, rule.Rate:
		op.Kind, op.Input = sense.Double, int32(2+m.r.IntN(4))
		if op.Code == rule.CountReadings {
			op.Kind = sense.Int
		}
	case rule.Changed:
		op.Input = int32(m.r.IntN(len(m.p.Inputs)))
	case rule.Became, rule.Armed:
		args(sense.Bool)
	case rule.Latch:
		args(sense.Bool, sense.Bool)
	}
}

// reading gives an input one of its values, or none.
func (m *maker) reading(k int) rule.Result {
	in := &m.p.Inputs[k]
	if m.r.IntN(8) == 0 {
		return rule.Result{Cause: []rule.Cause{rule.InputUnknown, rule.SignalStale, rule.Failed}[m.r.IntN(3)], Input: int32(k)}
	}
	if in.From == rule.FromUntil {
		return rule.Result{Value: sense.TimestampValue(start.Add(sense.Duration(m.r.IntN(20)-5) * 700)), Input: -1}
	}
	for {
		v := m.constant(in.Kind)
		if m.r.IntN(20) == 0 {
			switch in.Kind {
			case sense.Int:
				v = sense.IntValue([]int64{-1 << 63, 1<<63 - 1, 1 << 40}[m.r.IntN(3)])
			case sense.Double:
				v = sense.DoubleValue([]float64{-1.7976931348623157e308, 1.7976931348623157e308, 5e-324, 1e-3}[m.r.IntN(4)])
			case sense.Money, sense.Length:
				v = m.constant(in.Kind)
			}
		}
		one := exactly(v)
		if in.Kind == sense.Bool || order(&m.in[k], &one)&same != 0 {
			return rule.Result{Value: v, Input: -1}
		}
	}
}

// claim is something that the reasoner says cannot be.
type claim struct{ a, b assumption }

func (m *maker) claims() (all []claim) {
	s := newSolver(&m.p, m.in)
	bools := m.by[sense.Bool]
	ask := func(c claim) {
		s.learn(c.a.node)
		s.learn(c.b.node)
		if !s.possible(c.a, c.b) {
			all = append(all, c)
		}
	}
	for _, n := range bools {
		for _, t := range []truths{canTrue, canFalse, canUnknown} {
			ask(claim{assumption{n, t}, assumption{n, anyTruth}})
		}
	}
	for range 2 * len(bools) {
		a, b := bools[m.r.IntN(len(bools))], bools[m.r.IntN(len(bools))]
		ask(claim{assumption{a, truths(1 + m.r.IntN(6))}, assumption{b, truths(1 + m.r.IntN(6))}})
	}
	return all
}

func bit(t rule.Truth) truths {
	return [...]truths{rule.Unknown: canUnknown, rule.False: canFalse, rule.True: canTrue}[t]
}

// refute runs the program through random steps and returns a claim that did not hold.
func (m *maker) refute(t testing.TB, all []claim, steps int) {
	plan, err := rule.NewPlan(&m.p, rule.Interest{})
	if err != nil {
		t.Fatal(err)
	}
	e := rule.NewEval(plan)
	now := start
	for range steps {
		now = now.Add(sense.Duration(1 + m.r.IntN(900)))
		if next := e.Next(); m.r.IntN(2) == 0 && next > now-900 && next < now {
			now = max(next, now-1)
		}
		if m.r.IntN(25) == 0 {
			e.Restart(now)
		}
		e.Begin(now)
		for k := range m.p.Inputs {
			if m.r.IntN(3) > 0 {
				continue
			}
			x := m.reading(k)
			e.Set(int32(k), x, now.Add(-sense.Duration(m.r.IntN(300))))
			if x.Cause == rule.Known && k >= 2 && k < 6 {
				e.Read(int32(k), x.Value, now)
			}
		}
		e.Settle(now)
		for _, c := range all {
			if a, b := bit(e.Truth(c.a.node)), bit(e.Truth(c.b.node)); a&c.a.be != 0 && b&c.b.be != 0 {
				t.Fatalf("said to be impossible: node %d is %d and node %d is %d (masks %d, %d)\n%s", c.a.node, a, c.b.node, b, c.a.be, c.b.be, m.dump(max(c.a.node, c.b.node)))
			}
		}
	}
}

func (m *maker) dump(last rule.Node) (text string) {
	for k := range m.p.Nodes[:last+1] {
		op := &m.p.Nodes[k]
		text += fmt.Sprintf("%d: code %d kind %s args %v input %d value %s for %s\n", k, op.Code, op.Kind, op.Args, op.Input, op.Value, op.For)
	}
	return text
}

var programs = flag.Int("programs", 1800, "random programs that try to refute the reasoner")

// What the reasoner says cannot be is never seen, whatever the inputs do: over random programs,
// each played through random steps by the real evaluation.
func TestNeverAFalseAlarm(t *testing.T) {
	programs := *programs
	if testing.Short() {
		programs = min(programs, 500)
	}
	total := 0
	for seed := range programs {
		m := makeProgram(rand.New(rand.NewPCG(uint64(seed), 9)), 10+seed%40)
		all := m.claims()
		total += len(all)
		m.refute(t, all, 40)
	}
	if total < programs {
		t.Errorf("only %d claims in %d programs: the test proves nothing", total, programs)
	}
	t.Logf("%d programs, %d claims, none refuted", programs, total)
}

func FuzzReach(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(20))
	f.Add(uint64(77), uint64(3), uint8(60))
	f.Fuzz(func(t *testing.T, seed, other uint64, n uint8) {
		m := makeProgram(rand.New(rand.NewPCG(seed, other)), int(n))
		m.refute(t, m.claims(), 60)
	})
}
