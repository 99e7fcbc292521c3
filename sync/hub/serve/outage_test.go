package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/hub/ledger/postgrestest"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// The database server is killed and started again while a device sends its log and a
// source its lines: nothing that was acknowledged or answered for is missing, nothing
// is there twice, and everything arrives in the end.
func TestDatabaseKilled(t *testing.T) {
	kills, seed := 3, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("TACT_KILLS")); err == nil {
		kills = n
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("TACT_SEED=%d TACT_KILLS=%d", seed, kills)
	random := rand.New(rand.NewPCG(seed, 1))

	server := postgrestest.New(t)
	broker, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	l, err := ledger.OpenPostgres(context.Background(), server.Address("tact"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := Start(context.Background(), Config{Dir: t.TempDir(), Tenant: "shop", HTTP: "127.0.0.1:0", Broker: mqtt.Broker{Address: broker.Address()},
		Sources: map[string]string{"crm": token}, Ledger: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })

	q, err := outbox.Open(&outbox.Memory{}, outbox.Options{Epoch: 7, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	link, err := mqtt.NewDevice(mqtt.DeviceConfig{Broker: mqtt.Broker{Address: broker.Address()}, Queue: q, Session: uplink.Config{Tenant: "shop", Device: "kiosk-1",
		Keys: wire.Keys{wire.KeyID(h.SignKey()): h.SignKey()}, Boot: 1, Seed: seed, BatchRecords: 20, Linger: -1, RTO: 300 * sense.Millisecond, MaxRTO: sense.Second},
		Counter: func() (uint64, error) { return 1, nil }, Up: func(uplink.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { link.Run(ctx) })

	var wrote, answered atomic.Int64
	done := make(chan struct{}) // the killing is over
	all.Go(func() {             // the device writes its log
		for n := uint64(1); ; n++ {
			raw, err := wire.AppendRecord(nil, &wire.Decision{N: n, At: int64(n), Slot: wire.Named("home"), Action: wire.Named("help")})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := q.Append(wire.BundleID{}, [][]byte{raw}); err != nil {
				t.Error(err)
				return
			}
			q.Applied(n)
			link.Appended()
			wrote.Store(int64(n))
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	all.Go(func() { // the source says each line until it is taken
		for n := 1; ; n++ {
			body := fmt.Sprintf("{\"interaction\":\"visit\",\"customer\":\"crm:%d\",\"id\":\"%d\"}\n", n%10, n)
			for {
				code, text := call(t, "POST", h.URL()+"/v1/events", token, "", body)
				if code == http.StatusOK {
					break
				}
				if code != http.StatusServiceUnavailable {
					t.Errorf("%d %s", code, text)
					return
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
			answered.Store(int64(n))
			select {
			case <-done:
				return
			default:
			}
		}
	})

	for k := range kills {
		<-time.After(time.Duration(random.IntN(400)) * time.Millisecond)
		server.Kill()
		until(t, "the hub to notice", func() bool { return h.away.status() != nil })
		if code, _ := call(t, "GET", h.URL()+"/healthz", "", "", ""); code != http.StatusServiceUnavailable {
			t.Errorf("kill %d: health says %d", k, code)
		}
		<-time.After(time.Duration(random.IntN(300)) * time.Millisecond)
		acknowledged, lines := q.Status().Head-1, answered.Load()
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "the hub to find it again", func() bool { return h.away.status() == nil })
		n, err := l.Count(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n.Decisions < int64(acknowledged) || n.Entries < lines {
			t.Fatalf("kill %d: %d decisions were acknowledged, %d are here; %d lines were answered for, %d are here", k, acknowledged, n.Decisions, lines, n.Entries)
		}
	}
	close(done)
	until(t, "everything to be acknowledged", func() bool { return q.Status().Head == q.Status().Next && int64(q.Status().Next-1) == wrote.Load() })
	stop()
	all.Wait()
	n, err := l.Count(context.Background())
	if err != nil || n.Decisions != wrote.Load() || n.Records != wrote.Load() || n.Entries != answered.Load() {
		t.Errorf("%d decisions and %d lines were sent, the ledger has %+v, %v", wrote.Load(), answered.Load(), n, err)
	}
	if r, err := l.Verify(context.Background()); err != nil || len(r.Findings) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	t.Logf("%d decisions and %d lines over %d kills", wrote.Load(), answered.Load(), kills)
}
