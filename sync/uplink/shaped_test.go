package uplink

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// drained is how long after the link is good again all that waits is at the hub, and dropped: a
// connect that is put off (2 min), then a hello, or an answer that was lost (2 min), and the batches.
const drained = 5 * sense.Minute

// number reads a setting of a run.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		t.Fatalf("%s=%s is not a number", name, v)
	}
	return n
}

// TestShapedLinks runs sessions over links that delay, lose, double, reorder, break and die without a word,
// to a hub that restarts and forgets what it had not committed, on a device whose power is
// cut. Nothing is lost or twice, the window holds, what waits is bounded, and all is
// delivered within a bound once the link is good. TACT_RUNS is how many seeds (200), TACT_SEED the
// first; a failure names its own.
func TestShapedLinks(t *testing.T) {
	runs, first := number(t, "TACT_RUNS", 200), number(t, "TACT_SEED", 0)
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			slowest := sense.Duration(0)
			for seed := first + shard; seed < first+runs; seed += shards {
				took, err := shaped(t, uint64(seed))
				if err != nil {
					t.Fatalf("TACT_SEED=%d TACT_RUNS=1: %v", seed, err)
				}
				slowest = max(slowest, took)
			}
			t.Logf("the slowest link drained in %s", slowest)
		})
	}
}

func shaped(t *testing.T, seed uint64) (sense.Duration, error) {
	config := Config{Takeovers: 1 << 20}
	w := newWorld(t, seed, config)
	asked := 0
	for range 30 {
		w.disturb(config, seed, &asked)
		w.run(w.now.Add(sense.Duration(w.r.IntN(20_000))))
	}
	// The link is good again. Half of those that died without a word are noticed, the others come back by themselves.
	if w.half && w.r.IntN(2) == 0 {
		w.cut()
	}
	w.half, w.brokerUp, w.loss, w.delay, w.answer = false, true, 0, 80, true
	if !w.hubUp {
		w.setHub(true)
	}
	start, end := w.now, w.now.Add(drained)
	for w.balance() != nil && w.now < end {
		w.run(w.now.Add(100))
	}
	took := w.now.Sub(start)
	if err := w.balance(); err != nil {
		return took, fmt.Errorf("after %s of a good link: %w (phase %d)", took, err, w.s.phase)
	}
	w.run(end) // requests too
	if len(w.s.asks) > 0 || len(w.s.sends) > 0 || len(w.s.flights) > 0 {
		return took, fmt.Errorf("%d requests, %d documents and %d batches are left", len(w.s.asks), len(w.s.sends), len(w.s.flights))
	}
	if p := w.problems(); strings.Contains(p, ProblemMessage) || strings.Contains(p, ProblemAck) || strings.Contains(p, ProblemDuplicate) {
		return took, fmt.Errorf("told %s", p)
	}
	return took, nil
}

// disturb does one thing to the world.
func (w *world) disturb(c Config, seed uint64, asked *int) {
	switch w.r.IntN(14) {
	case 0:
		w.cut()
	case 1:
		w.brokerUp = !w.brokerUp
		w.cut()
	case 2:
		w.setHub(!w.hubUp)
	case 3: // the hub restarts and has lost what it had not committed
		w.crash++
		w.setHub(false)
		w.setHub(true)
	case 4:
		w.boot(c, seed)
	case 5:
		w.half = w.open
	case 6: // the other end notices at last
		if w.half {
			w.cut()
		}
	case 7:
		w.half = false
	case 8:
		w.loss = float64(w.r.IntN(5)) / 10
		w.delay = 1 + w.r.IntN(4)*w.r.IntN(4)*1000
		w.commit = w.r.IntN(2) * (1 + w.r.IntN(2000))
	case 9:
		w.answer = !w.answer
		for range 1 + w.r.IntN(100) {
			*asked++
			id := fmt.Sprintf("u-%d", *asked)
			w.step(Ask{ID: id, Request: &wire.BudgetRequest{ID: id, Handle: wire.Handle{byte(*asked) | 1}, Epoch: w.epoch, Revision: 1}})
		}
	case 10:
		w.step(Send{Plane: wire.Up, Class: wire.ClassDiag, Name: "x", Payload: []byte("{}")})
		w.step(Send{Plane: wire.State, Class: wire.ClassReport, Payload: []byte("{}")})
	default:
		w.append(1 + w.r.IntN(400))
	}
}
