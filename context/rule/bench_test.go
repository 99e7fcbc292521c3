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
	plan, err := NewPlan(thousand(n, 1))
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
