package agent

import (
	"errors"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/rule"
)

// A bundle that is whole, but whose conditions read an input in a scope that its source has not, is
// refused: it would be a mind without conditions.
func TestBundleWithoutMeaning(t *testing.T) {
	b, findings, err := policy.Compile("../testdata/policies/dealer")
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	if _, err := decodeBundle(catalog.Encode(b)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	b.Program.Inputs = append(b.Program.Inputs, rule.Input{From: rule.FromFact, Name: b.Facts[0].Name, Kind: b.Facts[0].Kind, Scope: rule.ScopeDevice})
	if _, err := catalog.Decode(catalog.Encode(b)); err != nil {
		t.Fatalf("its form is good: %v", err)
	}
	if got, err := decodeBundle(catalog.Encode(b)); !errors.Is(err, catalog.ErrBundle) || got != nil {
		t.Errorf("decodeBundle = %v, %v; want an error that is ErrBundle", got, err)
	}
}
