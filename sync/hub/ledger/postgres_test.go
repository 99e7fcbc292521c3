package ledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

func openPostgres(t testing.TB, address string) *Database {
	t.Helper()
	l, err := OpenPostgres(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestPostgres(t *testing.T) {
	for _, c := range Conform() {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, openPostgres(t, postgrestest.Database(t))) })
	}
}

func TestPostgresRefusesNewerDatabase(t *testing.T) {
	address := postgrestest.Database(t)
	l := openPostgres(t, address)
	if _, err := l.read.Exec("UPDATE version SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPostgres(context.Background(), address); !errors.Is(err, ErrNewer) {
		t.Errorf("open: %v", err)
	}
	if _, err := ReadPostgres(context.Background(), address); !errors.Is(err, ErrNewer) {
		t.Errorf("read: %v", err)
	}
}

func TestPostgresKeepsOverReopening(t *testing.T) {
	address := postgrestest.Database(t)
	change(t, openPostgres(t, address), hub.PutPerson{ID: "crm:1", Person: "anna"})
	r, err := ReadPostgres(context.Background(), address)
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
	look(t, openPostgres(t, address), func(v hub.View) error {
		p, _, err := v.PersonOf("crm:1")
		same(t, "person", p, "anna")
		return err
	})
}

// What the server says of the values that it was given is the input's fault, all else its own.
func TestPostgresUnavailable(t *testing.T) {
	d := &postgresDialect{}
	for code, want := range map[string]bool{"22P02": false, "23505": false, "54000": false, "57P01": true, "53100": true, "53300": true, "40001": true, "25006": true, "55P03": true, "XX000": true} {
		if got := d.unavailable(fmt.Errorf("write: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s is unavailable: %v", code, got)
		}
	}
	for _, err := range []error{io.ErrUnexpectedEOF, driver.ErrBadConn, context.DeadlineExceeded, &net.OpError{Op: "dial", Err: io.EOF}} {
		if !d.unavailable(err) {
			t.Errorf("%v is the input's fault", err)
		}
	}
	if d.unavailable(errors.New("failed to encode")) {
		t.Error("what cannot be encoded is the database's fault")
	}
}

func TestPostgresBindsAndCleans(t *testing.T) {
	d := &postgresDialect{}
	if got := d.bind("a = ? AND b IN (?,?)"); got != "a = $1 AND b IN ($2,$3)" {
		t.Error(got)
	}
	for in, want := range map[string]string{"": "", "é": "é", "a\x00b": "a\uFFFDb", "\xff\xfex": "\uFFFDx"} {
		if got := d.text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// A connection that was lost between transactions is replaced without anybody noticing;
// one lost within a transaction says that the database is not available.
func TestPostgresReconnects(t *testing.T) {
	address := postgrestest.Database(t)
	l, other := openPostgres(t, address), openPostgres(t, address)
	change(t, l, hub.PutPerson{ID: "1", Person: "anna"})
	cut := func() {
		t.Helper()
		var n int
		if err := other.read.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n); err != nil || n == 0 {
			t.Fatalf("%d connections cut, %v", n, err)
		}
	}
	cut()
	change(t, l, hub.PutPerson{ID: "2", Person: "anna"})
	tx := begin(t, l)
	if err := tx.Apply([]hub.Write{hub.PutPerson{ID: "3", Person: "anna"}}); err != nil {
		t.Fatal(err)
	}
	cut()
	if err := tx.Apply([]hub.Write{hub.PutPerson{ID: "4", Person: "anna"}}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("within a transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("rolling back what the server has rolled back: %v", err)
	}
	tx = begin(t, l)
	cut()
	if err := tx.Commit(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("at the commit: %v", err)
	}
	look(t, l, func(v hub.View) error {
		ids, err := v.IDsOf("anna")
		same(t, "ids", ids, []string{"1", "2"})
		return err
	})
}
