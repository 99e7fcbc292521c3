package moment_test

import (
	"errors"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// A bundle that no plan can be made of is refused by Check, before it is in charge: here a speed with 40,000 limits.
func TestCheckRefusesWhatDoesNotCompile(t *testing.T) {
	b := &catalog.Bundle{Signals: []catalog.Signal{{Name: "speed", Kind: sense.Int}}}
	b.Program.Inputs = []rule.Input{{From: rule.FromSignal, Name: "speed", Kind: sense.Int}}
	b.Program.Nodes = []rule.Op{{Code: rule.Load, Kind: sense.Int}}
	for k := range 40_000 {
		limit := rule.Node(len(b.Program.Nodes))
		b.Program.Nodes = append(b.Program.Nodes, rule.Op{Code: rule.Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(int64(k))},
			rule.Op{Code: rule.Lt, Kind: sense.Bool, Input: -1, Args: []rule.Node{0, limit}})
		if k == 1000 {
			if err := moment.Check(b); err != nil {
				t.Fatalf("1001 limits: %v", err)
			}
		}
	}
	if err := moment.Check(b); !errors.Is(err, rule.ErrProgram) {
		t.Fatalf("it is accepted: %v", err)
	}
}
