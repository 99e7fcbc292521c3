package uplink

import (
	"strings"
	"testing"
)

// TestGreet: what is held is told once more where the hub is reached, and nowhere else.
func TestGreet(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.step(Greet{})
	w.until(delivering)
	before := strings.Count(w.classes(), "hello")
	w.step(Greet{})
	w.run(w.now.Add(1000))
	if got := strings.Count(w.classes(), "hello"); before != 1 || got != 2 || w.s.phase != delivering {
		t.Errorf("%d hellos, then %d, phase %d: want 1, 2, and delivering", before, got, w.s.phase)
	}
}
