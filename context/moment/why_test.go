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

// TestWhySeveralShouldBeFalse: of several atoms that should be false and are true, each says so of itself.
func TestWhySeveralShouldBeFalse(t *testing.T) {
	var m builder
	var loads [2]rule.Node
	for k, name := range [...]string{"loud", "warm"} {
		signal := m.signal(name, sense.Bool, rule.ScopeSession, sense.Minute)
		loads[k] = m.load(m.input(rule.Input{From: rule.FromSignal, Name: name, Kind: sense.Bool, Scope: rule.ScopeSession, Index: signal}))
	}
	logic := func(code rule.Code, args ...rule.Node) rule.Node {
		return m.node(rule.Op{Code: code, Kind: sense.Bool, Scope: rule.ScopeSession, Args: args, Input: -1})
	}
	calm := logic(rule.Not, logic(rule.Or, loads[0], loads[1]))
	s := moment.New(&m.b, nil)
	run(s, t0)
	for _, name := range [...]string{"loud", "warm"} {
		if err := s.Signal("main", &event.Signal{Name: name, Value: sense.BoolValue(true)}, t0, t0); err != nil {
			t.Fatal(err)
		}
	}
	s.Settle(t0)
	reason, because := s.Why("main", calm)
	if reason != catalog.NoReason || len(because) != 2 || because[0].Name != "loud" || because[0].Needed != "!loud" || because[1].Name != "warm" || because[1].Needed != "!warm" {
		t.Errorf("%s %+v", reason, because)
	}
}

// TestEligibleWhileAllHolds: an action is kept as eligible while all conditions of its own and of its group hold, and not
// while any of them does not.
func TestEligibleWhileAllHolds(t *testing.T) {
	var m builder
	var loads [6]rule.Node
	names := [...]string{"a", "b", "c", "d", "e", "f"}
	for k, name := range names { // nodes of the device come first
		scope := rule.ScopeDevice
		if k > 2 {
			scope = rule.ScopeSession
		}
		signal := m.signal(name, sense.Bool, scope, sense.Minute)
		at := [...]int{0, 3, 1, 4, 2, 5}[k] // conditions of the group and the action are of both scopes
		loads[at] = m.load(m.input(rule.Input{From: rule.FromSignal, Name: name, Kind: sense.Bool, Scope: scope, Index: signal}))
	}
	none := rule.None
	m.b.Groups = []catalog.Group{{Eligible: loads[0], Applicable: loads[1], Suitable: loads[2]}}
	m.b.Actions = []catalog.Action{
		{Name: "all", Group: 0, Eligible: loads[3], Applicable: loads[4], Suitable: loads[5]},
		{Name: "own", Group: -1, Eligible: loads[3], Applicable: loads[4], Suitable: loads[5]},
		{Name: "always", Group: -1, Eligible: none, Applicable: none, Suitable: none},
	}
	s := moment.New(&m.b, nil)
	for without := -1; without < len(names); without++ {
		now := t0.Add(sense.Duration(without + 1))
		run(s, now)
		for k, name := range names {
			if err := s.Signal("main", &event.Signal{Name: name, Value: sense.BoolValue(k != without)}, now, now); err != nil {
				t.Fatal(err)
			}
		}
		s.Settle(now)
		want := uint64(1 << 2)
		if without < 0 || without%2 == 0 {
			want |= 1 << 1
		}
		if without < 0 {
			want |= 1
		}
		if got := s.Conditions("main").EligibleWord(0); got != want {
			t.Errorf("without %d: %03b, want %03b", without, got, want)
		}
	}
}
