package chance

import (
	"maps"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
)

// compiled returns the bundle of a seed's policy, nil with the errors where there are any.
func compiled(t testing.TB, seed uint64) (*catalog.Bundle, []policy.Finding) {
	t.Helper()
	dir := t.TempDir()
	if err := Policy(seed).Write(dir); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b, slices.DeleteFunc(findings, func(f policy.Finding) bool { return f.Severity != policy.Error })
}

// Nearly all policies are right; what is wrong with the rest is a condition that contradicts itself.
func TestPoliciesCompile(t *testing.T) {
	const n = 80
	good := 0
	codes := map[string]int{}
	example := map[string]string{}
	for seed := range uint64(n) {
		b, errors := compiled(t, seed)
		if b != nil {
			good++
		}
		for _, f := range errors {
			codes[f.Code]++
			example[f.Code] = f.String()
		}
	}
	t.Logf("%d of %d compile", good, n)
	if good < n*95/100 {
		for _, c := range slices.Sorted(maps.Keys(codes)) {
			t.Errorf("%d x %s: %s", codes[c], c, example[c])
		}
	}
}

// The same seed gives the same files.
func TestSamePolicyEachTime(t *testing.T) {
	for seed := range uint64(20) {
		if !maps.Equal(Policy(seed), Policy(seed)) {
			t.Errorf("seed %d gives another policy each time", seed)
		}
	}
	if maps.Equal(Policy(1), Policy(2)) {
		t.Error("two seeds give one policy")
	}
}

// Events are lines that can be read, but for those that are wrong on purpose.
func TestEventsAreRead(t *testing.T) {
	for seed := range uint64(30) {
		b, _ := compiled(t, seed)
		if b == nil {
			continue
		}
		lines := Events(seed, b, 200)
		bad := 0
		for _, l := range lines {
			if _, err := event.ParseLine([]byte(l)); err != nil {
				bad++
			}
		}
		if len(lines) < 200 || bad > len(lines)/20 {
			t.Errorf("seed %d: %d of %d lines cannot be read", seed, bad, len(lines))
		}
		if !slices.Equal(lines, Events(seed, b, 200)) {
			t.Errorf("seed %d gives other events each time", seed)
		}
	}
}
