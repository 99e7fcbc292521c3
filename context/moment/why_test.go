package moment_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// TestReasonsOfMany: asked of all conditions at once, in any order, each has the reason that it has alone, in a state
// of which nothing was asked before; and once memory has grown nothing is allocated.
func TestReasonsOfMany(t *testing.T) {
	told := 0
	for seed := range uint64(20) {
		c := newCar(t, rule.ScopeSession)
		r := rand.New(rand.NewPCG(seed, 8))
		many, alone := moment.New(c.b, nil), moment.New(c.b, nil)
		nodes := make([]rule.Node, len(c.b.Program.Nodes))
		for k := range nodes {
			nodes[k] = rule.Node(k)
		}
		now := t0
		for range 60 {
			now = now.Add(sense.Duration(1 + r.IntN(8000)))
			name, v := "speed", sense.DoubleValue(float64(r.IntN(4)*3))
			switch r.IntN(4) {
			case 0:
				name, v = "position", north(edge+(r.Float64()*2-1)/100)
			case 1:
				name = "temperature"
			}
			for _, s := range []*moment.State{many, alone} {
				run(s, now)
				if err := s.Signal("main", &event.Signal{Name: name, Value: v}, now, now); err != nil {
					t.Fatal(err)
				}
				s.Settle(now)
			}
			r.Shuffle(len(nodes), func(a, b int) { nodes[a], nodes[b] = nodes[b], nodes[a] })
			var list []catalog.Because
			reasons := many.Reasons("main")
			for _, n := range nodes {
				reason, all, memory := reasons.Why(list, n)
				list, told = memory, told+len(all)
				want, because := alone.Why("main", n)
				if reason != want || !slices.EqualFunc(all, because, func(a, b catalog.Because) bool {
					return a.Name == b.Name && a.Value.Equal(b.Value) && a.Age == b.Age && a.Needed == b.Needed
				}) {
					t.Fatalf("seed %d, node %d %s: %s %+v, alone %s %+v", seed, n, c.b.Program.Nodes[n].Text, reason, all, want, because)
				}
			}
			if n := testing.AllocsPerRun(5, func() {
				reasons, list = many.Reasons("main"), list[:0]
				for _, n := range nodes {
					_, _, list = reasons.Why(list, n)
				}
			}); n != 0 {
				t.Fatalf("%v allocations", n)
			}
		}
	}
	if told < 1000 {
		t.Errorf("only %d reasons were told", told)
	}
}
