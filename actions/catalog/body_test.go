package catalog_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Bodies, zones and minus zero travel; a body too deep does not.
func TestDecodeGivesBackBodies(t *testing.T) {
	b := examples(t)["dealer"]
	p := &b.Program
	add := func(op rule.Op) rule.Node {
		op.Scope, op.Input = rule.ScopeSession, -1
		p.Nodes = append(p.Nodes, op)
		return rule.Node(len(p.Nodes) - 1)
	}
	zero := rule.Op{Code: rule.Const, Kind: sense.Double, Value: sense.RawDouble(math.Copysign(0, -1)), Input: -1}
	list := add(rule.Op{Code: rule.Const, Kind: sense.List, Value: sense.ListValue([]sense.Value{sense.DoubleValue(1), sense.DoubleValue(2)})})
	elem := rule.Op{Code: rule.Elem, Kind: sense.Double, Input: -1}
	inner := rule.Op{Code: rule.All, Kind: sense.Bool, Args: []rule.Node{1, 0}, Input: -1, Body: []rule.Op{elem, {Code: rule.Outer, Kind: sense.Double}, {Code: rule.Ge, Kind: sense.Bool, Args: []rule.Node{0, 1}, Input: -1}}}
	outer := rule.Op{Code: rule.Exists, Kind: sense.Bool, Args: []rule.Node{list, list}, Body: []rule.Op{elem, {Code: rule.Outer, Kind: sense.List}, inner}, Text: "text"}
	judged := add(outer)
	add(zero)
	at := add(rule.Op{Code: rule.Const, Kind: sense.Timestamp, Value: sense.TimestampValue(1772442000000)})
	p.Zones = []sense.Zone{{Name: "x", Turns: []sense.Turn{{From: 0, Offset: sense.Hour}}}}
	add(rule.Op{Code: rule.PartHours, Kind: sense.Int, Args: []rule.Node{at}, Zone: 1})
	raw := catalog.Encode(b)
	got, err := catalog.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(catalog.Encode(got), raw) {
		t.Error("encoding what was decoded gives other bytes")
	}
	op := &got.Program.Nodes[judged]
	if len(op.Body) != 3 || len(op.Body[2].Body) != 3 || op.Body[2].Body[1].Code != rule.Outer {
		t.Errorf("the body became %+v", op)
	}
	if v := got.Program.Nodes[judged+1].Value.Double(); v != 0 || !math.Signbit(v) {
		t.Errorf("minus zero became %v", v)
	}
	if len(got.Program.Zones) != 1 || got.Program.Zones[0].Turns[0].Offset != sense.Hour || got.Program.Nodes[at+1].Zone != 1 {
		t.Errorf("zones became %+v", got.Program.Zones)
	}
	deep := outer
	for range 4 {
		deep.Body = []rule.Op{elem, {Code: rule.Outer, Kind: sense.List}, deep}
	}
	p.Nodes[judged] = deep
	if _, err := catalog.Decode(catalog.Encode(b)); !errors.Is(err, catalog.ErrBundle) {
		t.Errorf("a deep body is decoded: %v", err)
	}
}
