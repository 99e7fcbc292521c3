package rule_test

import (
	"errors"
	"strings"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// What a decoded program may not be, each with the words that say so.
func TestCheckRefusesBodies(t *testing.T) {
	if err := Check(lists()); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		spoil func(p *Program)
		words string
	}{
		"element outside":   {func(p *Program) { p.Nodes[2] = Op{Code: Elem, Kind: sense.Length, Input: -1} }, "outside of a body"},
		"no body":           {func(p *Program) { p.Nodes[3].Body = nil }, "wants a list and a body"},
		"body of no list":   {func(p *Program) { p.Nodes[3].Args[0] = 0 }, "wants a list and a body"},
		"body elsewhere":    {func(p *Program) { p.Nodes[2].Body = p.Nodes[3].Body }, "where there is no list"},
		"outer beyond":      {func(p *Program) { p.Nodes[3].Body[1].Input = 2 }, "outer argument 2"},
		"outer of a kind":   {func(p *Program) { p.Nodes[3].Body[1].Kind = sense.Int }, "of another kind"},
		"own argument":      {func(p *Program) { p.Nodes[3].Body[3].Args = []Node{3, 0} }, "does not stand before it"},
		"body loads":        {func(p *Program) { p.Nodes[3].Body[0] = Op{Code: Load, Kind: sense.Timestamp, Input: 0} }, "more than an element"},
		"body holds":        {func(p *Program) { p.Nodes[3].Body[4] = Op{Code: Held, Kind: sense.Length, Args: []Node{0}} }, "body"},
		"body of a kind":    {func(p *Program) { p.Nodes[3].Body = p.Nodes[3].Body[:4] }, "the body of operation"},
		"element of a list": {func(p *Program) { p.Nodes[3].Body[0].Kind = sense.List }, "no element is like that"},
		"too deep": {func(p *Program) {
			in := &p.Nodes[4].Body[2]
			in.Body = append([]Op{{Code: Const, Kind: sense.List, Value: sense.ListValue(nil), Input: -1}}, Op{Code: All, Kind: sense.Bool, Args: []Node{0}, Input: -1, Body: []Op{{Code: Const, Kind: sense.Bool, Value: sense.BoolValue(true), Input: -1}}})
		}, "more than 2 deep"},
		"zone beyond":   {func(p *Program) { p.Nodes = append(p.Nodes, part(1)) }, "zone 1"},
		"zone of a sum": {func(p *Program) { p.Nodes[2].Zone = 1 }, "a zone where"},
		"zone disorder": {func(p *Program) { p.Zones = []sense.Zone{{Turns: []sense.Turn{{From: 5}, {From: 5}}}} }, "not in order"},
		"zone far off":  {func(p *Program) { p.Zones = []sense.Zone{{Turns: []sense.Turn{{Offset: 2 * sense.Day}}}} }, "more than a day"},
		"many zones":    {func(p *Program) { p.Zones = make([]sense.Zone, MaxZones+1) }, "zones are more"},
		"seconds of now": {func(p *Program) {
			p.Nodes = append(p.Nodes, Op{Code: PartSeconds, Kind: sense.Int, Args: []Node{0}, Input: -1})
		}, "moves by itself"},
		"days of a duration": {func(p *Program) {
			p.Nodes = append(p.Nodes, Op{Code: PartYear, Kind: sense.Int, Args: []Node{2}, Input: -1})
		}, "no part"},
		"a list that moves": {func(p *Program) {
			p.Nodes = append(p.Nodes, Op{Code: Map, Kind: sense.List, Args: []Node{1, 0}, Input: -1, Body: []Op{{Code: Outer, Kind: sense.Timestamp}}})
		}, "cannot stand in a list"},
		"a list of kinds": {func(p *Program) {
			p.Nodes = append(p.Nodes, Op{Code: ListOf, Kind: sense.List, Args: []Node{3, 2}, Input: -1})
		}, "does not take"},
		"a list of lists": {func(p *Program) {
			p.Nodes = append(p.Nodes, Op{Code: ListOf, Kind: sense.List, Args: []Node{1}, Input: -1})
		}, "does not take"},
		"unknown code": {func(p *Program) { p.Nodes[4].Code = ListOf + 1 }, "is not known"},
	}
	for name, c := range cases {
		p := lists()
		c.spoil(p)
		if err := Check(p); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q", name, err, c.words)
		}
	}
}

func part(zone int32) Op {
	return Op{Code: PartHours, Kind: sense.Int, Args: []Node{0}, Input: -1, Zone: zone}
}

// Lists that would take long are an error, soon.
func TestWorkIsBounded(t *testing.T) {
	long := make([]sense.Value, 4000)
	for k := range long {
		long[k] = sense.TimestampValue(t0 - 1 - sense.Instant(k))
	}
	p := lists()
	plan, err := NewPlan(p, Interest{})
	if err != nil {
		t.Fatal(err)
	}
	eval := NewEval(plan)
	eval.Set(1, Result{Value: sense.ListValue(long)}, t0)
	eval.Settle(t0)
	if r := eval.Result(4); r.Cause != Failed {
		t.Errorf("16 million comparisons give %+v", r)
	}
}
