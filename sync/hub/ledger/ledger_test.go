package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

func TestMemory(t *testing.T) {
	for _, c := range Conform() {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, NewMemory()) })
	}
}

func openFile(t *testing.T, path string) *Database {
	t.Helper()
	l, err := OpenSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestSQLite(t *testing.T) {
	for _, c := range Conform() {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, openFile(t, filepath.Join(t.TempDir(), "hub.db"))) })
	}
}

func TestSQLiteKeepsOverReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	l, err := OpenSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	change(t, l, hub.PutPerson{ID: "crm:1", Person: "anna"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openFile(t, path)
	look(t, l, func(v hub.View) error {
		p, _, err := v.PersonOf("crm:1")
		same(t, "person", p, "anna")
		return err
	})
	r, err := ReadSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Begin(context.Background()); err == nil {
		t.Error("a ledger that is only read began a transaction")
	}
	if c, err := r.Count(context.Background()); err != nil || c.Customers != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSQLiteRefusesNewerFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	db, err := openDB(path, 1, "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(sqliteMigrations)+1)); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := OpenSQLite(context.Background(), path); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v", err)
	}
}

func TestSQLiteSaysWhichFileIsBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(context.Background(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// What was erased is in no file any more, not even in a free page or the log.
func TestSQLiteErasedMeansErased(t *testing.T) {
	dir := t.TempDir()
	l := openFile(t, filepath.Join(dir, "hub.db"))
	const secret = "Rumpelstiltskin"
	change(t, l, personal(secret)...)
	if !strings.Contains(readAll(t, dir), secret) {
		t.Fatal("the test looks in the wrong place")
	}
	change(t, l, erased(secret)...)
	if done, err := l.Scrub(context.Background()); err != nil || !done {
		t.Fatalf("scrub: %v, %v", done, err)
	}
	if strings.Contains(readAll(t, dir), secret) {
		t.Error("the secret is still in the files")
	}
}

// personal is what a ledger may know of a customer, in every table that may know it,
// some of it written more than once and some large enough to lie on pages of its own.
func personal(secret string) (writes []hub.Write) {
	id := "crm:" + secret
	for k := range 50 {
		writes = append(writes, hub.AddEntry{Entry: hub.Entry{ID: id, What: "fact", Name: fmt.Sprint("f", k), Expires: 1 << 60,
			Source: "crm", Line: []byte(strings.Repeat(secret, 1+40*k)), Record: []byte(secret)}})
	}
	holding := hub.Holding{Device: "k1", Handle: wire.Handle{1}, ID: id, Owners: []event.Owner{{Kind: "vehicle", ID: secret}}}
	return append(writes, hub.PutPerson{ID: id, Person: "other " + secret}, hub.PutPerson{ID: id, Person: secret},
		hub.PutMerge{Merge: hub.Merge{Into: secret, From: id}}, hub.PutMerge{Merge: hub.Merge{Into: secret, From: id, Happened: 5}},
		hub.PutHolding{Holding: holding}, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: wire.Handle{1}, ID: id}}, hub.PutHolding{Holding: holding},
		hub.SetRetention{What: "fact", Name: "f1", Keep: 500},
		hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: wire.Handle{1}, Limit: "weekly", Units: 1}})
}

// erased is what a forget writes.
func erased(secret string) []hub.Write {
	id := "crm:" + secret
	return []hub.Write{hub.DropID{ID: id}, hub.DropPerson{ID: id}, hub.DropMerge{Into: secret, From: id}, hub.DropHolding{Device: "k1", Handle: wire.Handle{1}},
		hub.PutErased{ID: hub.Hash{1}, At: 9}, hub.PutErasure{Erasure: hub.Erasure{ID: "aa", IDs: []hub.Hash{{1}}, By: "crm"}}}
}

func readAll(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

func BenchmarkSQLiteRecords(b *testing.B) {
	l, err := OpenSQLite(context.Background(), filepath.Join(b.TempDir(), "hub.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	body := make([]byte, 120)
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		tx, err := l.Begin(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		records := make([]hub.Record, 256)
		for k := range records {
			seq++
			records[k] = hub.Record{Device: "k1", Epoch: 1, Seq: seq, Kind: wire.KindDecision, Digest: hub.Digest{1}, Body: body}
		}
		if err := errors.Join(tx.Apply([]hub.Write{hub.AddRecords{Records: records}}), tx.Commit()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "records/s")
}
