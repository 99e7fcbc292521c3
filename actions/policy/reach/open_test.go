package reach

import (
	"testing"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// build makes a program of loads of one int and one bool, and what the caller adds.
type build struct{ p rule.Program }

func (b *build) add(c rule.Code, k sense.Kind, args ...rule.Node) rule.Node {
	op := rule.Op{Code: c, Kind: k, Args: args, Input: -1}
	switch c {
	case rule.CountTrue, rule.Armed:
		op.For = sense.Hour
	}
	b.p.Nodes = append(b.p.Nodes, op)
	return rule.Node(len(b.p.Nodes) - 1)
}

func (b *build) number(n int64) rule.Node {
	b.p.Nodes = append(b.p.Nodes, rule.Op{Code: rule.Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(n)})
	return rule.Node(len(b.p.Nodes) - 1)
}

func newBuild() (b *build, number, yes rule.Node) {
	b = &build{}
	b.p.Inputs = []rule.Input{{From: rule.FromSignal, Name: "n", Kind: sense.Int}, {From: rule.FromSignal, Name: "b", Kind: sense.Bool}}
	b.p.Nodes = []rule.Op{{Code: rule.Load, Kind: sense.Int, Input: 0}, {Code: rule.Load, Kind: sense.Bool, Input: 1}}
	return b, 0, 1
}

// ask says whether the conditions may have these truths together.
func (b *build) ask(t *testing.T, all ...assumption) bool {
	t.Helper()
	if err := rule.Check(&b.p); err != nil {
		t.Fatal(err)
	}
	s := newSolver(&b.p, []set{anything(sense.Int), {}})
	for _, a := range all {
		s.learn(a.node)
	}
	return s.possible(all...)
}

// Corners that chance seldom meets: what can be must stay open, what can't must not.
func TestCorners(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(*build, rule.Node, rule.Node) []assumption
		want bool
	}{
		"a count that is not complete decides a comparison, and is not known": {func(b *build, _, yes rule.Node) []assumption {
			n := b.add(rule.CountTrue, sense.Int, yes)
			enough := b.add(rule.Ge, sense.Bool, n, b.number(1))
			sum := b.add(rule.Gt, sense.Bool, b.add(rule.Add, sense.Int, n, b.number(1)), b.number(0))
			return []assumption{{enough, canTrue}, {sum, canUnknown}}
		}, true},
		"a remainder has the sign of what is divided": {func(b *build, n, _ rule.Node) []assumption {
			return []assumption{{b.add(rule.Eq, sense.Bool, b.add(rule.Mod, sense.Int, n, b.number(3)), b.number(-2)), canTrue}}
		}, true},
		"and is smaller than the divisor": {func(b *build, n, _ rule.Node) []assumption {
			return []assumption{{b.add(rule.Eq, sense.Bool, b.add(rule.Mod, sense.Int, n, b.number(3)), b.number(3)), canTrue}}
		}, false},
		"the remainder by the least number": {func(b *build, n, _ rule.Node) []assumption {
			return []assumption{{b.add(rule.Gt, sense.Bool, b.add(rule.Mod, sense.Int, n, b.number(-1<<63)), b.number(1<<62)), canTrue}}
		}, true},
		"a division that turns": {func(b *build, n, _ rule.Node) []assumption {
			return []assumption{{b.add(rule.Lt, sense.Bool, b.add(rule.Div, sense.Int, b.number(7), n), b.number(-6)), canTrue}}
		}, true},
		"a latch goes on where until is unknown": {func(b *build, n, yes rule.Node) []assumption {
			latch := b.add(rule.Latch, sense.Bool, b.add(rule.Gt, sense.Bool, n, b.number(5)), yes)
			return []assumption{{latch, canTrue}, {b.add(rule.Lt, sense.Bool, n, b.number(0)), canTrue}}
		}, true},
		"a latch is not off where when holds": {func(b *build, n, yes rule.Node) []assumption {
			when := b.add(rule.Gt, sense.Bool, n, b.number(5))
			latch := b.add(rule.Latch, sense.Bool, when, yes)
			return []assumption{{latch, canFalse}, {b.add(rule.Gt, sense.Bool, n, b.number(9)), canTrue}}
		}, false},
		"entered stays while it is unknown where she is": {func(b *build, _, yes rule.Node) []assumption {
			return []assumption{{b.add(rule.Armed, sense.Bool, yes), canTrue}, {yes, canUnknown}}
		}, true},
		"an unknown is not false": {func(b *build, n, yes rule.Node) []assumption {
			return []assumption{{b.add(rule.Or, sense.Bool, yes, b.add(rule.Not, sense.Bool, yes)), canUnknown}}
		}, true},
		"an and with a false part is false": {func(b *build, n, yes rule.Node) []assumption {
			return []assumption{{b.add(rule.And, sense.Bool, yes, b.add(rule.Not, sense.Bool, yes)), canTrue}}
		}, false},
	} {
		b, n, yes := newBuild()
		if got := b.ask(t, c.ask(b, n, yes)...); got != c.want {
			t.Errorf("%s: possible %v, want %v", name, got, c.want)
		}
	}
}

// A question too large to answer stays open; a small one beside it does not.
func TestBounded(t *testing.T) {
	b, n, _ := newBuild()
	var parts []rule.Node
	for k := range int64(mostNodes) {
		parts = append(parts, b.add(rule.Ne, sense.Bool, n, b.number(k)))
	}
	all := b.add(rule.And, sense.Bool, append(parts, b.add(rule.Lt, sense.Bool, n, n))...)
	if !b.ask(t, assumption{all, canTrue}) {
		t.Error("a condition of more nodes than are looked at was judged")
	}
	if b.ask(t, assumption{parts[0], canTrue}, assumption{parts[0], canFalse}) {
		t.Error("a part of it was not")
	}
}
