package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/wire"
)

// BenchmarkRecovery starts a device whose log holds as many records above the snapshot as there may be:
// as after a power cut.
func BenchmarkRecovery(b *testing.B) {
	dir := b.TempDir()
	a := start(b, dir, nil)
	for a.queue.Status().Next < snapshotRecords {
		var said []string
		for k := range 32 {
			said = append(said, fmt.Sprintf(`{"identify":"card:%d","by":"card"}`, k), `{"ask":"home"}`)
		}
		submit(b, a, said...)
		do(b, a, func() { a.dirty = min(a.dirty, 1) })
	}
	killed := copyStore(b, dir)
	stop(b, a)
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		again := copyStore(b, killed)
		b.StartTimer()
		from := time.Now()
		a := start(b, again, nil)
		took += time.Since(from)
		b.StopTimer()
		folded := 0
		if err := a.queue.Read(1, func(uint64, wire.BundleID, []byte) bool { folded++; return true }); err != nil || folded < snapshotRecords-1 {
			b.Fatalf("%d records, %v", folded, err)
		}
		stop(b, a)
		b.StartTimer()
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "agent.recovery.4096:ms")
}
