package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/hub/ledger/postgrestest"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// From a device's append to the moment at which it lets go: bbolt, uplink, Mosquitto,
// hub, commit, acknowledgement, drop. Beside it, in the same run, what the outbox and
// the ledger do alone with as many records a transaction as a batch has; the tighter of
// the two is the limit. The hub commits several batches at once, and may so be faster
// than that: what the ledger does alone with as many a transaction as the hub had is the
// figure "grouped". Here both are on one disk, as device and hub never are: what they do at
// the same time, with nothing between them, says how much of the distance is the disk's.
func BenchmarkEndToEnd(b *testing.B) {
	for _, c := range []struct {
		batch, records int
		must           float64 // part of the limit
		postgres       bool
	}{{256, 120_000, 0.55, false}, {32, 40_000, 0.70, false}, {1, 3_000, 0.60, false}, {256, 120_000, 0, true}} {
		figure := "e2e." + strconv.Itoa(c.batch)
		openLedger := func(b *testing.B) *ledger.Database {
			return must(ledger.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), LedgerFile)))(b)
		}
		if c.postgres {
			figure += ".postgres"
			server := sync.OnceValue(func() *postgrestest.Server { return postgrestest.New(b) })
			made := 0
			openLedger = func(b *testing.B) *ledger.Database {
				made++
				return must(ledger.OpenPostgres(b.Context(), server().Create(b, "bench"+strconv.Itoa(made))))(b)
			}
		}
		b.Run(figure, func(b *testing.B) {
			records := lifelike(c.records)
			var whole, box, ledgers, grouped, both []float64
			for b.Loop() {
				for range 3 { // in turn, so that what else the machine does is shared
					rate, perCommit := endToEnd(b, openLedger(b), records, c.batch)
					whole = append(whole, rate)
					box = append(box, outboxAlone(b, records, c.batch))
					ledgers = append(ledgers, ledgerAlone(b, openLedger(b), records, c.batch))
					grouped = append(grouped, ledgerAlone(b, openLedger(b), records, perCommit))
					both = append(both, sideBySide(b, openLedger(b), records, c.batch, perCommit))
				}
			}
			limit := min(median(box), median(ledgers))
			b.ReportMetric(median(whole), figure+":decisions/s")
			b.ReportMetric(limit, figure+":decisions/s:peer:tightest")
			if c.must > 0 {
				b.ReportMetric(c.must, figure+":ratio-at-least")
			}
			b.ReportMetric(median(box), "outbox/s")
			b.ReportMetric(median(ledgers), "ledger/s")
			b.ReportMetric(median(grouped), "grouped/s")
			b.ReportMetric(median(both), "side-by-side/s")
		})
	}
}

func must[T any](x T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func median(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }

var benchBundle = wire.BundleID{1, 2, 3}

// lifelike makes decision records as a shop's devices write them among 1,000 actions.
func lifelike(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 1))
	records := make([][]byte, n)
	at, h := int64(1_790_000_000_000), wire.Handle{}
	sym := func(from, n int) wire.Sym { return wire.Sym{ID: uint32(from + r.IntN(n))} }
	for k := range records {
		if k%5 == 0 {
			for i := range h {
				h[i] = byte(r.Uint32())
			}
		}
		at += 200 + r.Int64N(60_000)
		d := &wire.Decision{N: uint64(k + 1), At: at, Session: wire.Named("main"), Slot: sym(1, 4), Action: sym(100, 1000), Treatment: wire.TreatmentSay,
			Value: r.Int64N(90_000_000), Propensity: int32(r.IntN(200_000)), Probability: uint32(900_000 + r.IntN(100_001)), Asked: r.IntN(2) == 0, Handle: h}
		if r.IntN(4) == 0 {
			d.Action, d.Treatment, d.Value, d.Propensity, d.Cause = wire.Sym{}, wire.TreatmentNone, 0, wire.NoPropensity, sym(20, 60)
		}
		for k := range 6 {
			d.Inputs = append(d.Inputs, wire.Input{Name: sym(1200+40*k, 40), Age: wire.AgeClass(1 + r.IntN(5))})
		}
		for range 10 {
			d.Losers = append(d.Losers, wire.Loser{Action: sym(100, 1000), Stage: wire.Stage(7 + r.IntN(4)), Reason: sym(20, 60)})
		}
		for k := range 8 {
			d.Rest = append(d.Rest, wire.Count{Stage: wire.Stage(3 + k/2), Reason: wire.Sym{ID: uint32(20 + 5*k)}, N: uint32(r.IntN(200))})
		}
		for k := range d.Moment {
			d.Moment[k] = byte(r.Uint32())
		}
		raw, err := wire.AppendRecord(nil, d)
		if err != nil {
			panic(err)
		}
		records[k] = raw
	}
	return records
}

// symbols are the names that lifelike records use.
func symbols() hub.Write {
	names := make([]string, 1500)
	for k := range names {
		names[k] = fmt.Sprintf("name-%d", k)
	}
	return hub.PutSymbols{SymbolPart: hub.SymbolPart{Bundle: benchBundle, Of: uint32(len(names)), Names: names}}
}

func apply(t testing.TB, l ledger.Ledger, writes ...hub.Write) {
	t.Helper()
	tx, err := l.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Apply(writes); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// commits counts those of a ledger.
type commits struct {
	*ledger.Database
	n atomic.Int64
}

func (c *commits) Begin(ctx context.Context) (ledger.Tx, error) {
	c.n.Add(1)
	return c.Database.Begin(ctx)
}

// inFlight is how many batches a device of the benchmark keeps unacknowledged.
const inFlight = 32

// endToEnd sends records in batches of n, each appended in a transaction of its own,
// and returns how many a second got through, and how many the hub committed at once.
func endToEnd(b *testing.B, l *ledger.Database, records [][]byte, n int) (rate float64, perCommit int) {
	b.Helper()
	broker := mosquitto(b)
	dir := b.TempDir()
	apply(b, l, symbols())
	counted := &commits{Database: l}
	h := must(Start(context.Background(), Config{Dir: dir, Tenant: "shop", HTTP: "127.0.0.1:0", Broker: mqtt.Broker{Address: broker}, Ledger: counted}))(b)
	defer h.Close()
	q, disk := openOutbox(b)
	defer disk.Close()
	acknowledged := &watched{Outbox: q, more: make(chan struct{}, 1)}
	link := must(mqtt.NewDevice(mqtt.DeviceConfig{Broker: mqtt.Broker{Address: broker}, Queue: acknowledged,
		Session: uplink.Config{Tenant: "shop", Device: "kiosk-1", Keys: wire.Keys{wire.KeyID(h.SignKey()): h.SignKey()}, Boot: 1, Seed: 1, BatchRecords: n, Window: inFlight, Linger: -1},
		Counter: func() (uint64, error) { return 1, nil }, Up: func(uplink.Event) {}}))(b)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- link.Run(ctx) }()
	defer func() { stop(); <-ran }()
	sent := uint64(0)
	send := func(records [][]byte) {
		sent = appendTo(b, q, records)
		link.Appended()
	}
	wait := func(unacknowledged int) {
		for sent-acknowledged.through.Load() > uint64(unacknowledged) {
			select {
			case <-acknowledged.more:
			case <-time.After(30 * time.Second):
				b.Fatalf("nothing is acknowledged: %+v", q.Status())
			}
		}
	}
	// The first record says that the link is there.
	send(records[:1])
	wait(0)
	before, began := counted.n.Load(), time.Now()
	for k := 1; k < len(records); k += n {
		send(records[k:min(k+n, len(records))])
		wait(2 * inFlight * n)
	}
	wait(0)
	q.Applied(sent)
	if _, err := q.Drop(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	if c, err := l.Count(context.Background()); err != nil || c.Decisions != int64(len(records)) {
		b.Fatalf("%d decisions of %d are here, %v", c.Decisions, len(records), err)
	}
	return float64(len(records)-1) / took.Seconds(), max(1, (len(records)-1)/int(counted.n.Load()-before))
}

// watched tells how far acknowledgements have come.
type watched struct {
	*outbox.Outbox
	through atomic.Uint64
	more    chan struct{}
}

func (w *watched) Acknowledge(epoch, through uint64, ranges []wire.Range) error {
	err := w.Outbox.Acknowledge(epoch, through, ranges)
	w.through.Store(max(through, w.through.Load()))
	signal(w.more)
	return err
}

// applied is after how many records a device saves its state, behind which the outbox lets go.
const applied = 4096

// appendTo appends records in one transaction and returns the number of the last.
func appendTo(b *testing.B, q *outbox.Outbox, records [][]byte) uint64 {
	b.Helper()
	a, err := q.Append(benchBundle, records)
	if err != nil {
		b.Fatal(err)
	}
	if a.First/applied != a.Next/applied {
		q.Applied(a.Next - 1)
	}
	return a.Next - 1
}

func openOutbox(b *testing.B) (*outbox.Outbox, io.Closer) {
	b.Helper()
	s := must(store.Open(store.Options{Dir: b.TempDir(), DeviceKey: [32]byte{1}}))(b)
	return must(outbox.Open(s.Outbox, outbox.Options{Epoch: 7, MaxBytes: 1 << 30}))(b), s
}

// outboxAlone appends records, n a transaction, and lets go of each batch while the next but 8 is appended.
func outboxAlone(b *testing.B, records [][]byte, n int) float64 {
	b.Helper()
	q, disk := openOutbox(b)
	defer disk.Close()
	began := time.Now()
	for k := 0; k < len(records); k += n {
		if last := appendTo(b, q, records[k:min(k+n, len(records))]); last > uint64(8*n) {
			if err := q.Acknowledge(7, last-uint64(8*n), nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	return float64(len(records)) / time.Since(began).Seconds()
}

// ledgerAlone commits what the hub keeps of records, so many at once.
func ledgerAlone(b *testing.B, l *ledger.Database, records [][]byte, perCommit int) float64 {
	b.Helper()
	defer l.Close()
	var rounds [][]hub.Write
	for first := 0; first < len(records); first += perCommit {
		var writes []hub.Write
		var rows []hub.Record
		for k := first; k < min(first+perCommit, len(records)); k++ {
			rec, err := wire.DecodeRecord(records[k])
			if err != nil {
				b.Fatal(err)
			}
			d, seq := rec.(*wire.Decision), uint64(k+1)
			row := hub.Record{Device: "kiosk-1", Epoch: 7, Seq: seq, Kind: wire.KindDecision, At: sense.Instant(d.At), Handle: d.Handle,
				Bundle: benchBundle, Digest: digestOf(records[k]), Body: records[k]}
			index := hub.Decision{Device: "kiosk-1", Epoch: 7, N: d.N, Seq: seq, At: row.At, Handle: d.Handle}
			if d.Action.ID != 0 {
				index.Action, index.Slot = "name-"+strconv.Itoa(int(d.Action.ID)), "name-1"
			}
			rows = append(rows, row)
			writes = append(writes, hub.AddDecision{Decision: index})
		}
		rounds = append(rounds, append(writes, hub.AddRecords{Records: rows}, hub.PutMark{Mark: hub.Mark{Device: "kiosk-1", Epoch: 7, Through: rows[len(rows)-1].Seq}}))
	}
	began := time.Now()
	for _, writes := range rounds {
		apply(b, l, writes...)
	}
	return float64(len(records)) / time.Since(began).Seconds()
}

// sideBySide is outboxAlone and ledgerAlone at the same time: how many records a second are through both.
func sideBySide(b *testing.B, l *ledger.Database, records [][]byte, n, perCommit int) float64 {
	b.Helper()
	var box, kept float64
	var done sync.WaitGroup
	done.Go(func() { box = outboxAlone(b, records, n) })
	done.Go(func() { kept = ledgerAlone(b, l, records, perCommit) })
	done.Wait()
	if b.Failed() { // on a goroutine of its own, which ended only itself
		b.FailNow()
	}
	return min(box, kept)
}

// mosquitto starts a real broker with the shipped settings that matter here.
func mosquitto(b *testing.B) (address string) {
	b.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		b.Fatal("mosquitto is not installed: run make tools")
	}
	free := must(net.Listen("tcp", "127.0.0.1:0"))(b)
	at := free.Addr().String()
	free.Close()
	conf := filepath.Join(b.TempDir(), "mosquitto.conf")
	_, port, _ := net.SplitHostPort(at)
	// user root: started by root it would give up the right to read the test's folder.
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 100\nmessage_size_limit 131072\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("mosquitto", "-c", conf)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 500 {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			return "tcp://" + at
		}
		<-time.After(10 * time.Millisecond)
	}
	b.Fatal("mosquitto does not listen")
	return ""
}

func digestOf(raw []byte) hub.Digest {
	sum := sha256.Sum256(raw)
	return hub.Digest(sum[:16])
}
