package ledger

import (
	"context"
	"errors"
	"os"
	"testing"

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
