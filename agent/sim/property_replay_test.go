package sim_test

import (
	"bytes"
	"crypto/sha256"
	"runtime"
	"testing"

	"github.com/tact-edge/tact/context/event"
)

// Decisions that a device recorded come out of their recording again, without a difference. The
// hash of all of them is the same on every machine: make cross compares it over chips and their
// levels. TACT_DECISIONS is how many decisions (600).
func TestRecordedDecisionsReplay(t *testing.T) {
	t.Parallel()
	want := number(t, "TACT_DECISIONS", 600)
	hash := sha256.New()
	decisions, differences, dir := 0, 0, t.TempDir()
	for seed := uint64(1); decisions < want; seed++ {
		p, err := draw(dir, seed, 200)
		if err != nil {
			continue
		}
		again := played(p.bundle, p.base.recorded())
		if err := differ(p.base.text, again.text); err != nil {
			differences++
			t.Errorf("seed %d: %v", seed, err)
		}
		decisions += bytes.Count(again.text, []byte(`"decision":`))
		hash.Write(again.text)
	}
	t.Logf("%d recorded decisions, %d differences, hash %x (%s)", decisions, differences, hash.Sum(nil), runtime.GOARCH)
}

// recorded are the lines that a device keeps of what it took, as its own log writes them.
func (r *play) recorded() []string {
	var lines []string
	for k := range r.steps {
		s := &r.steps[k]
		for i := range s.events {
			lines = append(lines, string(event.AppendLine(nil, s.events[i])))
		}
	}
	return lines
}
