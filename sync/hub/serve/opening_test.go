package serve

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// noting is a ledger that notes in which order records are taken.
type noting struct {
	*ledger.Memory
	mu    sync.Mutex
	taken map[string][]uint64
}

func (n *noting) Begin(ctx context.Context) (ledger.Tx, error) {
	tx, err := n.Memory.Begin(ctx)
	return &notingTx{tx, n}, err
}

type notingTx struct {
	ledger.Tx
	n *noting
}

func (t *notingTx) Apply(writes []hub.Write) error {
	for _, w := range writes {
		if a, ok := w.(hub.AddRecords); ok {
			t.n.mu.Lock()
			for _, r := range a.Records {
				t.n.taken[r.Device] = append(t.n.taken[r.Device], r.Seq)
			}
			t.n.mu.Unlock()
		}
	}
	return t.Tx.Apply(writes)
}

// Batches are unpacked side by side, some of them in no time and some of them slowly,
// and pass through the mind in the order in which each device sent them. One that is
// garbage is refused at its turn and holds up none.
func TestBatchesKeepTheirOrder(t *testing.T) {
	n := &noting{Memory: ledger.NewMemory(), taken: map[string][]uint64{}}
	h := startOn(t, n)
	p, err := wire.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	const devices, batches = 7, 60
	next := [devices]uint64{}
	for k := range batches {
		for d := range devices {
			device := fmt.Sprintf("k%d", d)
			b := &wire.Batch{Device: device, Epoch: 1, First: next[d] + 1, Clock: sense.ClockSynced}
			for range 1 + (k*d)%97 { // short and long ones
				next[d]++
				raw, err := wire.AppendRecord(nil, &wire.Report{At: 1, Code: wire.ReportStoreRecovered, Detail: "x", Count: next[d]})
				if err != nil {
					t.Fatal(err)
				}
				b.Records = append(b.Records, raw)
			}
			msg, err := p.Encode(b)
			if err != nil {
				t.Fatal(err)
			}
			topic := "tact/v1/shop/" + device + "/up/log"
			if k%10 == 5 && !h.queue.put(device, job{input: hub.FromDevice{Topic: topic, Payload: []byte("\x93garbage")}}) ||
				!h.queue.put(device, job{input: hub.FromDevice{Topic: topic, Payload: msg}}) {
				t.Fatal("no room in the queue")
			}
		}
	}
	until(t, "all batches", func() bool { return h.counts.messages.Load() == devices*(batches+batches/10) })
	if refused := h.counts.garbage.Load(); refused != devices*batches/10 {
		t.Errorf("%d were refused as garbage", refused)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for d := range devices {
		if seqs := n.taken[fmt.Sprintf("k%d", d)]; uint64(len(seqs)) != next[d] || !slices.IsSorted(seqs) {
			t.Errorf("device %d: %d of %d records, in order: %v", d, len(seqs), next[d], slices.IsSorted(seqs))
		}
	}
}

// A little of devices' logs may wait for more, nothing else may.
func TestPatience(t *testing.T) {
	log := job{input: hub.FromDevice{}, opening: &opening{}}
	for name, c := range map[string]struct {
		jobs  []job
		bytes int
		want  bool
	}{
		"a few batches":                 {[]job{log, log}, 500, true},
		"many":                          {[]job{log}, roundBytes, false},
		"a line that somebody waits on": {[]job{log, {input: hub.FromSource{}}}, 500, false},
		"what a device asks":            {[]job{{input: hub.FromDevice{}}}, 500, false},
	} {
		if got := patient(c.jobs, c.bytes); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
