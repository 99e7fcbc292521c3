package ledger

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

func fact(id, value string) hub.AddEntry {
	return hub.AddEntry{Entry: hub.Entry{ID: id, What: "fact", Name: "name", Expires: sense.Never, Source: "crm", Line: []byte(strings.Repeat(value, 40))}}
}

// Somebody who began to read before the erasure is in the way until the end of that read; the
// hub is not held up by it.
func TestScrubWaitsForAReaderWithoutWaiting(t *testing.T) {
	dir := t.TempDir()
	l := openFile(t, filepath.Join(dir, "hub.db"))
	const secret = "Rumpelstiltskin"
	change(t, l, fact("a", secret))
	other, err := ReadSQLite(context.Background(), filepath.Join(dir, "hub.db")) // as tact hub verify does
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.read.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM entry").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	change(t, l, hub.DropID{ID: "a"})
	began := time.Now()
	if done, err := l.Scrub(context.Background()); err != nil || done {
		t.Errorf("while somebody reads: %v, %v", done, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the writer was held up for %v", took)
	}
	change(t, l, fact("b", "something else")) // the hub goes on
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if done, err := l.Scrub(context.Background()); err != nil || !done {
		t.Errorf("after the read: %v, %v", done, err)
	}
	if strings.Contains(readAll(t, dir), secret) {
		t.Error("the secret is still in the files")
	}
	// The writer waits for locks as before.
	tx2 := begin(t, l)
	defer tx2.Rollback()
	if ok, err := tx2.(interface {
		one(string, []any, ...any) (bool, error)
	}).one("PRAGMA busy_timeout", nil, &n); !ok || err != nil || n != int(busyTimeout.Milliseconds()) {
		t.Errorf("busy timeout is %d, %v", n, err)
	}
}

// Readers who follow one upon the other without a pause, while the hub writes, do not
// keep what was deleted alive.
func TestScrubEndsUnderReadersWithoutPause(t *testing.T) {
	dir := t.TempDir()
	l := openFile(t, filepath.Join(dir, "hub.db"))
	const secret = "Rumpelstiltskin"
	for range 50 {
		change(t, l, fact("a", secret))
	}
	ctx, stop := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	var reads atomic.Int64
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := l.Verify(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				if _, err := l.Count(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				reads.Add(1)
			}
		})
	}
	change(t, l, hub.DropID{ID: "a"})
	tries, done := 0, false
	for began := time.Now(); !done && time.Since(began) < 20*time.Second; {
		change(t, l, fact("b", "something else"))
		var err error
		if done, err = l.Scrub(ctx); err != nil {
			t.Fatal(err)
		}
		tries++
	}
	left := strings.Contains(readAll(t, dir), secret)
	stop()
	readers.Wait()
	if !done || left {
		t.Errorf("after %d tries and %d reads: done %v, secret left %v", tries, reads.Load(), done, left)
	}
	t.Logf("%d tries under %d reads", tries, reads.Load())
}
