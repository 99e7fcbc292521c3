package peers

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpu is the processor time of this thread, to which pin binds the benchmark.
func cpu() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // Linux has this clock since 2.6
	}
	return time.Duration(t.Nano())
}

func pin(b *testing.B) {
	runtime.LockOSThread()
	b.Cleanup(runtime.UnlockOSThread)
}
