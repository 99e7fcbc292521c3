package rule_test

import (
	"errors"
	"fmt"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// compared is a program that compares one input n times, with as many constants as are different.
func compared(code Code, kind sense.Kind, n, different int) *Program {
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: kind}}}
	for k := range n {
		v := sense.IntValue(int64(k % different))
		if kind == sense.String {
			v = sense.StringValue(fmt.Sprint(k % different))
		}
		at := Node(len(p.Nodes))
		if code == In {
			v = sense.ListValue([]sense.Value{v})
		}
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: v.Kind(), Input: -1, Value: v}, Op{Code: Load, Kind: kind},
			Op{Code: code, Kind: sense.Bool, Input: -1, Args: []Node{at + 1, at}})
	}
	return p
}

// What NewPlan refuses is refused without a plan, and nothing else: an index holds 32,767 constants of one value,
// bucket 0 of the equalities included, however often each is named.
func TestCompiles(t *testing.T) {
	const most = 1<<15 - 1
	for _, x := range []struct {
		code         Code
		kind         sense.Kind
		n, different int
		good         bool
	}{
		{Lt, sense.Int, most, most, true},
		{Lt, sense.Int, most + 1, most + 1, false},
		{Ge, sense.Int, most + most/2, most, true},
		{Eq, sense.Int, most - 1, most - 1, true},
		{Eq, sense.Int, most, most, false},
		{Ne, sense.String, most, most, false},
		{Eq, sense.String, most + 1, 9, true},
		{In, sense.String, most - 1, most - 1, true},
		{In, sense.String, most, most, false},
		{In, sense.Int, most + most/2, most - 1, true},
	} {
		p := compared(x.code, x.kind, x.n, x.different)
		err := Compiles(p, Interest{})
		_, made := NewPlan(p, Interest{})
		if (err == nil) != x.good || (made == nil) != x.good || err != nil && !errors.Is(err, ErrProgram) {
			t.Errorf("code %d of %d %s values, %d different: %v, made: %v", x.code, x.n, x.kind, x.different, err, made)
		}
	}
	if Compiles(compared(Lt, sense.Int, 1, 1), Interest{Watched: []Node{0}}) == nil {
		t.Error("a constant that is no condition is watched")
	}
	if Compiles(&Program{Nodes: []Op{{Code: Not, Kind: sense.Bool, Args: []Node{3}}}}, Interest{}) == nil {
		t.Error("an unsound program compiles")
	}
}
