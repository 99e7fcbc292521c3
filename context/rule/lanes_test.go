package rule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// mixedPairs is comparisons over an input of the device's and one of a session's, of doubles and of whole numbers: with
// others, for which a change of the device's is told to all sessions, or such alone of which only those are told in
// which one crossed a key.
func mixedPairs(others bool) (*Program, []Node) {
	p := &Program{}
	for _, kind := range []sense.Kind{sense.Double, sense.Int, sense.Length} {
		for scope := ScopeDevice; scope <= ScopeSession; scope++ {
			p.Inputs = append(p.Inputs, Input{From: FromSignal, Name: fmt.Sprint(kind, scope), Kind: kind, Scope: scope, Index: -1})
		}
	}
	add := func(op Op, args ...Node) Node {
		if op.Args = args; op.Code != Load {
			op.Input = -1
		}
		for _, a := range args {
			op.Scope = max(op.Scope, p.Nodes[a].Scope)
		}
		p.Nodes = append(p.Nodes, op)
		return Node(len(p.Nodes) - 1)
	}
	var loads []Node
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for k, in := range p.Inputs {
			if in.Scope == scope {
				loads = append(loads, add(Op{Code: Load, Kind: in.Kind, Scope: scope, Input: int32(k)}))
			}
		}
	}
	var all []Node
	constant := func(v sense.Value) Node { return add(Op{Code: Const, Kind: v.Kind(), Value: v}) }
	compare := func(code Code, x, y Node) { all = append(all, add(Op{Code: code, Kind: sense.Bool}, x, y)) }
	for _, of := range [...]struct {
		x, y   Node
		scales []sense.Value
		limits []sense.Value
	}{
		{loads[0], loads[3],
			[]sense.Value{sense.DoubleValue(2), sense.DoubleValue(-1e300), sense.DoubleValue(0), sense.DoubleValue(math.Inf(1))},
			[]sense.Value{sense.DoubleValue(0), sense.DoubleValue(-math.SmallestNonzeroFloat64), sense.DoubleValue(1), sense.DoubleValue(math.Inf(1)), sense.DoubleValue(math.Inf(-1)), sense.DoubleValue(math.MaxFloat64)}},
		{loads[1], loads[4],
			[]sense.Value{sense.IntValue(2), sense.IntValue(-1 << 15), sense.IntValue(0)},
			[]sense.Value{sense.IntValue(0), sense.IntValue(-3), sense.IntValue(math.MaxInt64), sense.IntValue(math.MinInt64), sense.IntValue(1 << 50)}},
		{loads[2], loads[5], nil, []sense.Value{sense.LengthValue(0), sense.LengthValue(7)}},
	} {
		compare(Lt, of.x, of.y)
		compare(Ge, of.y, of.x)
		kind := p.Nodes[of.x].Kind
		sums := []Node{add(Op{Code: Sub, Kind: kind}, of.x, of.y), add(Op{Code: Sub, Kind: kind}, of.y, of.x), add(Op{Code: Add, Kind: kind}, of.x, of.y)}
		for _, scale := range of.scales {
			if f := scale.Double(); !others && kind == sense.Double && (f == 0 || math.IsInf(f, 0)) {
				continue
			}
			sums = append(sums, add(Op{Code: Add, Kind: kind}, of.x, add(Op{Code: Mul, Kind: kind}, of.y, constant(scale))),
				add(Op{Code: Sub, Kind: kind}, of.y, add(Op{Code: Mul, Kind: kind}, of.x, constant(scale))))
		}
		if others {
			sums = append(sums, add(Op{Code: Add, Kind: kind, Scope: ScopeSession}, of.x, of.x)) // of the device alone
			if kind == sense.Int {                                                               // more keys than are looked at in one loop
				for k := range int64(80) {
					compare(Lt, sums[2], constant(sense.IntValue(k/2-20)))
				}
			}
		}
		for k, sum := range sums {
			for i, limit := range of.limits {
				if k == 0 || i%2 == k%2 { // one key, and several
					compare([]Code{Lt, Le, Gt, Ge}[(k+i)%4], sum, constant(limit))
				}
			}
		}
	}
	return p, all
}

// What a change of the device's turns in each of its sessions is what full evaluation says, at the ends of all kinds,
// while sessions come, go, forget and are left out.
func TestMixedPairsInAllSessions(t *testing.T) {
	for _, others := range [...]bool{false, true} {
		t.Run(fmt.Sprint("others ", others), func(t *testing.T) { mixedPairsInAllSessions(t, others) })
	}
}

func mixedPairsInAllSessions(t *testing.T, others bool) {
	p, conditions := mixedPairs(others)
	p, keep := inOrder(p, conditions)
	plan, err := NewPlan(p, keep)
	if err != nil {
		t.Fatal(err)
	}
	first, runs := lives(4, 2)
	for seed := first; seed < first+runs; seed++ {
		r := rand.New(rand.NewPCG(seed, 3))
		device, full := NewEval(plan), NewEval(plan.Reference())
		type wearer struct{ own, full *Eval }
		var wearers []wearer
		now := t0
		for range 400 {
			now++
			switch n := len(wearers); {
			case n < 2 || n < 9 && r.IntN(10) == 0:
				wearers = append(wearers, wearer{device.NewSession(), full.NewSession()})
			case r.IntN(15) == 0:
				k := r.IntN(n)
				wearers[k].own.Close()
				wearers[k] = wearers[n-1]
				wearers = wearers[:n-1]
			}
			device.Begin(now)
			full.Begin(now)
			for range r.IntN(3) {
				k, v := mixedValue(r, p)
				device.Set(k, v, now)
				full.Set(k, v, now)
			}
			for _, w := range wearers {
				w.full.Begin(now)
				if r.IntN(4) == 0 {
					k, v := mixedValue(r, p)
					w.own.Begin(now)
					w.own.Set(k, v, now)
					w.full.Set(k, v, now)
				}
			}
			w := wearers[r.IntN(len(wearers))]
			switch k, v := mixedValue(r, p); r.IntN(40) {
			case 0:
				device.Restart(now)
				full.Restart(now)
			case 1:
				w.own.Begin(now)
				w.own.Restart(now)
				w.full.Restart(now)
			case 2: // settled twice in one step
				device.Settle(now)
				device.Set(k, v, now)
				full.Set(k, v, now)
			case 3: // opened and closed in one step, among others that follow
				brief := device.NewSession()
				brief.Set(k, v, now)
				device.Settle(now)
				brief.Settle(now)
				w.own.Settle(now)
				brief.Close()
				device.Set(k, v, now)
				full.Set(k, v, now)
			}
			device.Settle(now)
			full.SettleFully(now)
			for k, w := range wearers {
				w.full.SettleFully(now)
				if r.IntN(8) == 0 {
					continue // it is late
				}
				if w.own.Awaits() {
					w.own.Settle(now)
				}
				for _, n := range keep.Watched {
					if got, want := w.own.Truth(n), w.full.Truth(n); got != want {
						t.Fatalf("seed %d at %d: session %d says %v of node %d, and it is %v", seed, now-t0, k, got, n, want)
					}
				}
			}
		}
	}
}

// inOrder puts nodes of the device before those of sessions.
func inOrder(p *Program, conditions []Node) (*Program, Interest) {
	place, ordered := make([]Node, len(p.Nodes)), &Program{Inputs: p.Inputs}
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for k, op := range p.Nodes {
			if op.Scope == scope {
				place[k] = Node(len(ordered.Nodes))
				ordered.Nodes = append(ordered.Nodes, op)
			}
		}
	}
	for k := range ordered.Nodes {
		args := make([]Node, len(ordered.Nodes[k].Args))
		for i, a := range ordered.Nodes[k].Args {
			args[i] = place[a]
		}
		ordered.Nodes[k].Args = args
	}
	var keep Interest
	for k, c := range conditions {
		keep.Watched = append(keep.Watched, place[c])
		keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{place[c]}, Score: int64(k)})
	}
	return ordered, keep
}

func mixedValue(r *rand.Rand, p *Program) (int32, Result) {
	k := int32(r.IntN(len(p.Inputs)))
	if r.IntN(6) == 0 {
		return k, Result{Cause: InputUnknown}
	}
	whole := int64(r.IntN(9) - 4)
	if r.IntN(3) == 0 {
		whole = []int64{math.MinInt64, math.MaxInt64, 1 << 44, 1<<44 - 1, -1 << 44, -1<<44 - 1, 1 << 43}[r.IntN(7)]
	}
	switch p.Inputs[k].Kind {
	case sense.Double:
		x := float64(r.IntN(9)-4) / 2
		if r.IntN(3) == 0 {
			x = []float64{math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.Copysign(0, -1), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 1e300}[r.IntN(8)]
		}
		return k, Result{Value: sense.RawDouble(x)}
	case sense.Int:
		return k, Result{Value: sense.IntValue(whole)}
	}
	return k, Result{Value: sense.LengthValue(sense.Duration(whole))}
}
