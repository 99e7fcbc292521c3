package rule_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// thousand is a program like that of a bundle of n actions: each with three conditions of one
// to three comparisons over 40 signals, some of them over time.
func thousand(n int, seed uint64) *Program {
	r := rand.New(rand.NewPCG(seed, 5))
	p := &Program{}
	add := func(op Op) Node { p.Nodes = append(p.Nodes, op); return Node(len(p.Nodes) - 1) }
	for k := range 40 {
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Name: fmt.Sprintf("s%d", k), Kind: sense.Double, Scope: Scope(k / 30)})
	}
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		var loads []Node
		for k := range p.Inputs {
			if p.Inputs[k].Scope == scope {
				loads = append(loads, add(Op{Code: Load, Kind: sense.Double, Scope: scope, Input: int32(k)}))
			}
		}
		length := add(Op{Code: Const, Kind: sense.Length, Scope: scope, Value: sense.LengthValue(3000)})
		for range 3 * n / 2 {
			var terms []Node
			for range 1 + r.IntN(3) {
				limit := add(Op{Code: Const, Kind: sense.Double, Scope: scope, Value: sense.DoubleValue(float64(r.IntN(1000)))})
				term := add(Op{Code: Gt, Kind: sense.Bool, Scope: scope, Args: []Node{loads[r.IntN(len(loads))], limit}})
				if r.IntN(10) == 0 {
					held := add(Op{Code: Held, Kind: sense.Length, Scope: scope, Args: []Node{term}})
					term = add(Op{Code: Ge, Kind: sense.Bool, Scope: scope, Args: []Node{held, length}})
				}
				terms = append(terms, term)
			}
			add(Op{Code: And, Kind: sense.Bool, Scope: scope, Args: terms})
		}
	}
	return p
}

// settled returns evaluations of such a program in which every signal has spoken.
func settled(tb testing.TB, n int) (device, session *Eval, set func(k int32, v float64, now sense.Instant)) {
	p := thousand(n, 1)
	var keep Interest
	for k := range p.Nodes {
		if p.Nodes[k].Code == And {
			keep.Watched = append(keep.Watched, Node(k))
		}
	}
	plan, err := NewPlan(p, keep)
	if err != nil {
		tb.Fatal(err)
	}
	device = NewEval(plan)
	session = device.NewSession()
	set = func(k int32, v float64, now sense.Instant) {
		device.Begin(now)
		session.Begin(now)
		device.Set(k, Result{Value: sense.DoubleValue(v)}, now)
		session.Set(k, Result{Value: sense.DoubleValue(v)}, now)
		device.Settle(now)
		session.Settle(now)
	}
	for k := range int32(40) {
		set(k, 500, t0)
	}
	return device, session, set
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	_, session, set := settled(t, 1000)
	now := t0
	if n := testing.AllocsPerRun(100, func() {
		now++
		set(0, 500.0, now)
	}); n != 0 {
		t.Errorf("a signal that flips nothing allocates %v times", n)
	}
	flips := 0
	for k := range 200 { // every window of values was seen once
		now++
		set(int32(k%40), float64(k*37%1000), now)
	}
	if n := testing.AllocsPerRun(1000, func() {
		now++
		set(int32(now%40), float64(now*37%1000), now)
		flips += len(session.Flipped())
	}); n != 0 {
		t.Errorf("a signal in steady state allocates %v times", n)
	}
	if flips == 0 {
		t.Error("nothing flipped, so that nothing was shown")
	}
}

// lists is a program with bodies over a list of a customer: one that time changes, and one within another.
func lists() *Program {
	elem, outer := Op{Code: Elem, Kind: sense.Timestamp, Input: -1}, func(k int32, kind sense.Kind) Op { return Op{Code: Outer, Kind: kind, Input: k} }
	inner := Op{Code: All, Kind: sense.Bool, Args: []Node{1, 0}, Input: -1, Body: []Op{elem, outer(0, sense.Timestamp), {Code: Ge, Kind: sense.Bool, Args: []Node{0, 1}, Input: -1}}}
	return &Program{
		Inputs: []Input{{From: FromNow, Kind: sense.Timestamp}, {From: FromSignal, Kind: sense.List}, {From: FromSignal, Kind: sense.Length}},
		Nodes: []Op{
			{Code: Load, Kind: sense.Timestamp, Input: 0}, {Code: Load, Kind: sense.List, Input: 1}, {Code: Load, Kind: sense.Length, Input: 2},
			{Code: Exists, Kind: sense.Bool, Input: -1, Args: []Node{1, 0, 2}, Body: []Op{elem, outer(0, sense.Timestamp), outer(1, sense.Length),
				{Code: Sub, Kind: sense.Length, Args: []Node{1, 0}, Input: -1}, {Code: Gt, Kind: sense.Bool, Args: []Node{3, 2}, Input: -1}}},
			{Code: Exists, Kind: sense.Bool, Input: -1, Args: []Node{1, 1}, Body: []Op{elem, outer(0, sense.List), inner}},
		}}
}

// judged returns a step of that program: the length changes, and the list of eight is judged anew.
func judged(tb testing.TB) func(k int64) {
	plan, err := NewPlan(lists(), Interest{})
	if err != nil {
		tb.Fatal(err)
	}
	eval := NewEval(plan)
	var times []sense.Value
	for k := range 8 {
		times = append(times, sense.TimestampValue(t0.Add(sense.Duration(k)*sense.Second)))
	}
	a, b := sense.ListValue(times), sense.ListValue(times[:7])
	return func(k int64) {
		now := t0.Add(sense.Duration(k))
		eval.Begin(now)
		eval.Set(0, Result{Value: sense.TimestampValue(now)}, now)
		eval.Set(1, Result{Value: []sense.Value{a, b}[k&1]}, now)
		eval.Set(2, Result{Value: sense.LengthValue(sense.Duration(k*37%9000 - 4000))}, now)
		eval.Settle(now)
	}
}

func TestListsDoNotAllocate(t *testing.T) {
	step, k := judged(t), int64(0)
	if n := testing.AllocsPerRun(1000, func() { k++; step(k) }); n != 0 {
		t.Errorf("judging a list allocates %v times", n)
	}
}

func BenchmarkLists(b *testing.B) {
	step, k := judged(b), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		k++
		step(k)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprintf("flips/%d", n), func(b *testing.B) {
			_, _, set := settled(b, n)
			b.ReportAllocs()
			now := t0
			for b.Loop() {
				now++
				set(int32(now%40), float64(now*37%1000), now)
			}
		})
		b.Run(fmt.Sprintf("nothing/%d", n), func(b *testing.B) {
			_, _, set := settled(b, n)
			b.ReportAllocs()
			now := t0
			for b.Loop() {
				now++
				set(3, 500, now)
			}
		})
	}
}
