package agent

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
)

// rejectedOf are n that fell, in order of name, of few stages, reasons and values.
func rejectedOf(r *rand.Rand, n int) []engine.Rejected {
	all := make([]engine.Rejected, n)
	for k := range all {
		all[k] = engine.Rejected{Action: fmt.Sprintf("a%04d", k), Stage: catalog.StageEligible + catalog.Stage(r.IntN(4)),
			Reason: catalog.NotEligible + catalog.Reason(r.IntN(3)), Value: catalog.Micro(r.IntN(5))}
	}
	return all
}

// TestLosersOfMany: the ten that a sort by stage, value and name puts first are named, and all others counted.
func TestLosersOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		all := rejectedOf(r, r.IntN(40))
		best, rest := losers(all)
		sorted := slices.Clone(all)
		slices.SortStableFunc(sorted, func(a, b engine.Rejected) int {
			return cmp.Or(cmp.Compare(b.Stage, a.Stage), cmp.Compare(b.Value, a.Value))
		})
		named := min(10, len(sorted))
		if !slices.EqualFunc(best, sorted[:named], func(a, b engine.Rejected) bool { return a.Action == b.Action }) {
			t.Fatalf("named %v of %v", best, sorted)
		}
		counted := map[[2]int]int{}
		for _, x := range sorted[named:] {
			counted[[2]int{int(x.Stage), int(x.Reason)}]++
		}
		for k, l := range rest {
			if of := [2]int{int(l.stage), int(l.reason)}; int(l.count) != counted[of] {
				t.Fatalf("%v of %v, want %v", rest, sorted, counted)
			} else {
				delete(counted, of)
			}
			if k > 0 && (rest[k-1].stage < l.stage || rest[k-1].stage == l.stage && rest[k-1].reason >= l.reason) {
				t.Fatalf("not in order: %v", rest)
			}
		}
		if len(counted) > 0 {
			t.Fatalf("not counted: %v", counted)
		}
	}
}

// BenchmarkLosers is what a record of 1,000 that fell takes.
func BenchmarkLosers(b *testing.B) {
	all := rejectedOf(rand.New(rand.NewPCG(1, 2)), 1000)
	b.ReportAllocs()
	for b.Loop() {
		losers(all)
	}
}
