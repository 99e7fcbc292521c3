package rule

import "testing"

// Equal lists are found; in a table that somebody has filled the search ends, and the list counts as new.
func TestMergedGivesUp(t *testing.T) {
	of := &lists{}
	m := make(merged, 4)
	for k := range 1000 {
		list := []literal{literal(k), literal(k + 1)}
		if got := m.find(of, list); got != -1 {
			t.Fatalf("list %d is new and found as %d", k, got)
		}
		of.add(list)
	}
	for k := range 1000 {
		if got := m.find(of, []literal{literal(k), literal(k + 1)}); got != int32(k) {
			t.Fatalf("list %d is found as %d", k, got)
		}
	}
	full := make(merged, 4096)
	for k := range full {
		full[k] = 1
	}
	if got := full.find(of, []literal{5, 6}); got != -1 {
		t.Fatalf("a list is found as %d among 4096 places of another", got)
	}
	if got := full.find(of, []literal{0, 1}); got != 0 {
		t.Fatalf("the list of all places is found as %d", got)
	}
}
