package ledger

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger/postgrestest"
	"github.com/tact-edge/tact/sync/wire"
)

// Hubs that start at once on an empty database all find it whole.
func TestPostgresOpenedByManyAtOnce(t *testing.T) {
	address := postgrestest.Database(t)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			l, err := OpenPostgres(context.Background(), address)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			change(t, l, hub.PutPerson{ID: fmt.Sprint(n), Person: "anna"})
		})
	}
	all.Wait()
	look(t, openPostgres(t, address), func(v hub.View) error {
		ids, err := v.IDsOf("anna")
		same(t, "ids", ids, []string{"0", "1", "2", "3"})
		return err
	})
}

// A second writer waits for the first, and sees what it committed.
func TestPostgresWritersTakeTurns(t *testing.T) {
	address := postgrestest.Database(t)
	a, b := openPostgres(t, address), openPostgres(t, address)
	first := begin(t, a)
	began := make(chan Tx)
	go func() {
		tx, err := b.Begin(context.Background())
		if err != nil {
			t.Error(err)
		}
		began <- tx
	}()
	if err := first.Apply([]hub.Write{hub.PutRevision{Revision: 5}}); err != nil {
		t.Fatal(err)
	}
	waiting := func() (n int) {
		if err := a.read.QueryRow("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(10 * time.Second); waiting() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the second writer does not wait")
		}
	}
	select {
	case <-began:
		t.Fatal("two writers at once")
	default:
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	second := <-began
	r, err := second.Revision()
	if err != nil || r != 5 {
		t.Errorf("the second sees revision %d, %v", r, err)
	}
	if err := second.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// Two hubs, each with a mind of its own, take the same batches of the same devices in
// rounds that interleave: every record counts once, whoever came first.
func TestPostgresTwoHubsShareALedger(t *testing.T) {
	address := postgrestest.Database(t)
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const devices, batches, size = 5, 12, 8
	var inputs []hub.Input
	for n := range batches {
		for d := range devices {
			inputs = append(inputs, hub.FromDevice{Topic: fmt.Sprintf("tact/v1/shop/k%d/up/log", d), Payload: batchOf(t, fmt.Sprintf("k%d", d), n*size+1, size)})
		}
		inputs = append(inputs, hub.FromSource{Source: "crm", Event: event.Event{ID: fmt.Sprint("e", n), Body: &event.Interaction{Kind: "visit", Customer: "crm:1"}}})
	}
	var all sync.WaitGroup
	rounds := make([]int, 2)
	for who := range rounds {
		l := openPostgres(t, address)
		mind, err := hub.New(hub.Config{Tenant: "shop", Open: key, Secret: [32]byte{7}})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for k := 0; k < len(inputs); rounds[who]++ {
				n := min(1+(k*7+who*3)%5, len(inputs)-k) // rounds of different lengths
				tx, err := l.Begin(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				outputs, err := mind.Round(tx, 1_000_000, inputs[k:k+n])
				if err = errors.Join(err, tx.Commit()); err != nil {
					t.Error(err)
					return
				}
				for _, out := range outputs {
					if out.Answer.Err != nil {
						t.Error(out.Answer.Err)
					}
				}
				k += n
			}
		})
	}
	all.Wait()
	l := openPostgres(t, address)
	c, err := l.Count(context.Background())
	if err != nil || c.Records != devices*batches*size || c.Decisions != devices*batches*size || c.Entries != batches {
		t.Errorf("%+v, %v", c, err)
	}
	r, err := l.Verify(context.Background())
	if err != nil || len(r.Findings) > 0 || len(r.Epochs) != devices {
		t.Errorf("%+v, %v", r, err)
	}
	look(t, l, func(v hub.View) error {
		m, err := v.Mark("k3", 1)
		same(t, "mark", []any{m.Through, len(m.Ranges)}, []any{uint64(batches * size), 0})
		return err
	})
}

// batchOf is the message of a run of decisions, which name nothing by symbols.
func batchOf(t testing.TB, device string, first, n int) []byte {
	t.Helper()
	p, err := wire.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	b := &wire.Batch{Device: device, Epoch: 1, First: uint64(first), Clock: sense.ClockSynced}
	for k := range n {
		raw, err := wire.AppendRecord(nil, &wire.Decision{N: uint64(first + k), At: int64(first + k), Slot: wire.Named("home"), Action: wire.Named("help")})
		if err != nil {
			t.Fatal(err)
		}
		b.Records = append(b.Records, raw)
	}
	msg, err := p.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// What was erased is in no table, and after Scrub and a checkpoint in no file of the
// tables. The write-ahead log keeps it until the server uses its segments again.
func TestPostgresErasedMeansErased(t *testing.T) {
	server := postgrestest.New(t)
	l := openPostgres(t, server.Address("tact"))
	const secret = "Rumpelstiltskin"
	change(t, l, hub.PutPerson{ID: "crm:bob", Person: "bob"}, hub.AddEntry{Entry: hub.Entry{ID: "crm:bob", What: "fact", Name: "size", Expires: sense.Never, Line: []byte("bob's line")}})
	change(t, l, personal(secret)...)
	// What a table holds is also held in what the server knows of it: statistics.
	if _, err := l.read.Exec("ANALYZE"); err != nil {
		t.Fatal(err)
	}
	if found := scanTables(t, l, secret); len(found) == 0 {
		t.Fatal("the test looks in the wrong tables")
	}
	checkpoint(t, l)
	if !scanFiles(t, filepath.Join(server.Data(), "base"), secret) {
		t.Fatal("the test looks in the wrong files")
	}
	change(t, l, erased(secret)...)
	if found := scanTables(t, l, secret); len(found) > 0 {
		t.Errorf("the secret is still in %v", found)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		done, err := l.Scrub(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("scrubbing is never done")
		}
	}
	checkpoint(t, l)
	if scanFiles(t, filepath.Join(server.Data(), "base"), secret) {
		t.Error("the secret is still in the tables' files")
	}
	if !scanFiles(t, filepath.Join(server.Data(), "base"), "bob's line") {
		t.Error("what was not erased is gone from the files, or the test looks in the wrong ones")
	}
	look(t, l, func(v hub.View) error {
		p, ok, err := v.PersonOf("crm:bob")
		same(t, "another customer", []any{p, ok}, []any{"bob", true})
		return err
	})
}

// A reader who began before the deletion still sees the rows: Scrub says that it is not done.
func TestPostgresScrubWaitsForReaders(t *testing.T) {
	l := openPostgres(t, postgrestest.Database(t))
	tx, err := l.read.BeginTx(context.Background(), l.dialect.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM entry").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if done, err := l.Scrub(context.Background()); done || err != nil {
		t.Errorf("with a reader: %v, %v", done, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if done, err := l.Scrub(context.Background()); !done || err != nil {
		t.Errorf("without: %v, %v", done, err)
	}
}

func checkpoint(t *testing.T, l *Database) {
	t.Helper()
	if _, err := l.read.Exec("CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
}

// scanTables names the columns that hold a text, in the ledger's tables and in the
// server's statistics.
func scanTables(t *testing.T, l *Database, secret string) (found []string) {
	t.Helper()
	rows, err := l.read.Query("SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c WHERE c.table_schema = current_schema()")
	if err != nil {
		t.Fatal(err)
	}
	type column struct{ table, name, kind string }
	columns, err := all(rows, func(s scanner) (c column, err error) { return c, s.Scan(&c.table, &c.name, &c.kind) })
	if err != nil || len(columns) < 50 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	for _, c := range columns {
		as := c.name + "::text"
		if c.kind == "bytea" {
			as = "encode(" + c.name + ", 'escape')"
		}
		var n int
		if err := l.read.QueryRow("SELECT count(*) FROM " + c.table + " WHERE " + as + " LIKE '%" + secret + "%'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			found = append(found, c.table+"."+c.name)
		}
	}
	var n int
	if err := l.read.QueryRow("SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%" + secret + "%' OR histogram_bounds::text LIKE '%" + secret + "%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		found = append(found, "statistics")
	}
	return found
}

func scanFiles(t *testing.T, dir, secret string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), secret) {
			found = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
