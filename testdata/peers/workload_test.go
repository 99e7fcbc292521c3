package peers

import (
	"os"
	"reflect"
	"strconv"
	"testing"
)

// seed is the published one, or that of TACT_SEED.
func seed(tb testing.TB) uint64 {
	text := os.Getenv("TACT_SEED")
	if text == "" {
		return Seed
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		tb.Fatalf("TACT_SEED %q is no number: %v", text, err)
	}
	return n
}

// The published workload has the shape that doc.go says.
func TestWorkloadShape(t *testing.T) {
	for _, c := range []struct{ n, predicates, off int }{{100, 300, 15}, {1000, 1450, 30}, {10000, 4750, 100}} {
		w := Generate(c.n, Seed)
		reference, stream := NewReference(w), w.Stream(Variant{}, 0)
		steps, judged, eligible, unknown := 100_000, 0, 0, 0
		var list []int32
		for k := range attributes + steps {
			u := stream.Next()
			reference.Update(u.Attribute, u.Value, u.Now)
			for _, v := range reference.values {
				if k >= attributes && !v.Known {
					unknown++
				}
			}
			if k >= attributes && k%(c.n/4) == 0 {
				list = reference.Eligible(list[:0])
				eligible += len(list)
				judged++
			}
		}
		relations, times := 0, 0
		for k := range w.Actions {
			w.Actions[k].Condition.leaves(func(p int32) {
				switch f := w.Predicates[p].Form; {
				case f >= Recent:
					times++
				case f >= Below:
					relations++
				}
			})
		}
		share := float64(eligible) / float64(judged*c.n)
		t.Logf("%d actions: %d atoms (%.1f%% over two, %.1f%% over time), %d predicates, %.1f%% eligible, %.1f%% unknown", c.n, w.Atoms,
			100*float64(relations)/float64(w.Atoms), 100*float64(times)/float64(w.Atoms), len(w.Predicates), 100*share, 100*float64(unknown)/float64(steps*attributes))
		if d := len(w.Predicates) - c.predicates; d < -c.off || d > c.off {
			t.Errorf("%d actions have %d distinct predicates, not about %d", c.n, len(w.Predicates), c.predicates)
		}
		if share < 0.11 || share > 0.13 {
			t.Errorf("of %d actions %.1f%% are eligible", c.n, 100*share)
		}
	}
}

// Equal arguments make equal workloads and streams, and others make others.
func TestWorkloadIsRepeatable(t *testing.T) {
	a, b, c := Generate(100, 1), Generate(100, 1), Generate(100, 2)
	if !reflect.DeepEqual(a, b) {
		t.Error("one seed made two workloads")
	}
	if reflect.DeepEqual(a.Actions, c.Actions) {
		t.Error("two seeds made one workload")
	}
	s, u := a.Stream(Variant{}, 0), b.Stream(Variant{}, 0)
	for range 1000 {
		if x, y := s.Next(), u.Next(); x != y {
			t.Fatalf("%+v and %+v", x, y)
		}
	}
}
