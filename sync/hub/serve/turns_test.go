package serve

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/wire"
)

// gated is a ledger that a test can hold.
type gated struct {
	ledger.Ledger
	gate sync.RWMutex
}

func (g *gated) Begin(ctx context.Context) (ledger.Tx, error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Ledger.Begin(ctx)
}

// A device sends hundreds of batches without waiting for any acknowledgement, and then
// another says one word: it is answered within a few rounds, not after all of them.
func TestABacklogDelaysNobodyElse(t *testing.T) {
	b, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	l := &gated{Ledger: must(ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), LedgerFile)))(t)}
	apply(t, l, symbols())
	h := must(Start(context.Background(), Config{Dir: t.TempDir(), Tenant: "shop", HTTP: "127.0.0.1:0", Broker: mqtt.Broker{Address: b.Address()}, Ledger: l}))(t)
	defer h.Close()
	until := func(what string, ok func() bool) {
		t.Helper()
		late, tick := time.After(30*time.Second), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for !ok() {
			select {
			case <-late:
				t.Fatalf("waited in vain for %s", what)
			case <-tick.C:
			}
		}
	}
	until("the hub to be connected", h.counts.heard.Load)
	client := func(id string) paho.Client {
		c := paho.NewClient(paho.NewClientOptions().AddBroker(b.Address()).SetClientID(id))
		if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
		t.Cleanup(func() { c.Disconnect(0) })
		return c
	}
	many, few := client("many"), client("few")
	answered := make(chan int64, 10)
	below := wire.Path{Tenant: "shop", Device: "few"}
	if token := few.Subscribe(below.Below(), 1, func(_ paho.Client, m paho.Message) {
		if strings.HasSuffix(m.Topic(), "/cmd/echo") {
			answered <- taken(h)
		}
	}); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}

	records, packer := lifelike(wire.MaxRecords), must(wire.NewPacker())(t)
	held := func() int { n, _ := h.queue.waiting(); return n }
	l.gate.Lock()
	release := sync.OnceFunc(l.gate.Unlock)
	defer release()
	const batches = 400
	payload := must(packer.Encode(&wire.Batch{Device: "many", Boot: 1, Epoch: 7, First: 1, Bundle: benchBundle, Records: records}))(t)
	before := taken(h)
	for range batches {
		if token := many.Publish(wire.Path{Tenant: "shop", Device: "many"}.Of(wire.Up, wire.ClassLog), 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	until("the backlog to wait", func() bool { return held() >= laneJobs-1 })
	until("what has no room to be dropped", func() bool { return h.counts.dropped.Load() > batches/3 && held() == laneJobs })
	waiting := held()
	few.Publish(below.Of(wire.Up, wire.ClassReq), 1, false, must(wire.EncodeRequest(&wire.Echo{ID: "e1"}))(t))
	until("the word of the other to wait", func() bool { return held() > waiting })
	release()
	select {
	case seen := <-answered:
		// Two rounds were on their way, and the third has the word; each has some twenty batches.
		if done := seen - before; done > laneJobs*2/3 {
			t.Errorf("%d of %d batches were taken before the word of another", done, waiting)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the other is not answered")
	}
}

// taken counts the messages that have passed through the mind.
func taken(h *Hub) int64 { return h.counts.messages.Load() - h.counts.dropped.Load() }
