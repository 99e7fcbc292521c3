package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// A file of the first version is brought up to date, with all that is in it.
func TestSQLiteBringsAnOlderFileUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	db, err := openDB(path, 1, "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	if err := migrateSQLite(context.Background(), db, sqliteMigrations[:1]); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"INSERT INTO person VALUES ('crm:1', 'anna')",
		"INSERT INTO holding VALUES ('k1', x'01000000000000000000000000000000', 'anna', '', 3, x'09000000000000000000000000000000', 100)",
		"INSERT INTO forget VALUES ('k1', x'02000000000000000000000000000000', 'f', 5, 6)",
		"INSERT INTO decision VALUES ('k1', 1, 1, 1, 10, x'01000000000000000000000000000000')",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	db.Close()
	if _, err := ReadSQLite(context.Background(), path); err == nil || errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "start the hub once") {
		t.Errorf("reading the old file: %v", err)
	}
	l := openFile(t, path)
	look(t, l, func(v hub.View) error {
		p, _, err := v.PersonOf("crm:1")
		same(t, "person", p, "anna")
		h, ok, err2 := v.Holding("k1", wire.Handle{1})
		same(t, "holding", []any{h, ok}, []any{hub.Holding{Device: "k1", Handle: wire.Handle{1}, ID: "anna", Revision: 3, Digest: hub.Digest{9}, Until: 100}, true})
		f, err3 := v.Forgets("k1")
		same(t, "forgets", f, []hub.Forget{{ID: "f", Device: "k1", Handle: wire.Handle{2}, At: 5, Sent: 6}})
		contacts, err4 := v.Contacts([]string{"anna"})
		same(t, "decisions of which the action was not kept", len(contacts), 0)
		return errors.Join(err, err2, err3, err4)
	})
}

// writerPragma sets something on the connection that writes.
func writerPragma(t *testing.T, l *Database, pragma string) {
	t.Helper()
	w := <-l.writer
	defer func() { l.writer <- w }()
	if err := w.open(context.Background(), l.db); err != nil {
		t.Fatal(err)
	}
	var ignored any
	if err := w.conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&ignored); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
}

func TestSQLiteThatIsLockedIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	l := openFile(t, path)
	writerPragma(t, l, "busy_timeout = 10")
	other, err := openDB(path, 1, "_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(context.Background()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("begin: %v", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	change(t, l, hub.PutPerson{ID: "crm:1", Person: "anna"})
}

func TestSQLiteOnAFullDiskIsUnavailable(t *testing.T) {
	l := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	change(t, l, hub.PutPerson{ID: "crm:1", Person: "anna"})
	writerPragma(t, l, "max_page_count = 100")
	large := func() error {
		tx := begin(t, l)
		for k := range 50 {
			if err := tx.Apply([]hub.Write{hub.AddEntry{Entry: hub.Entry{ID: "anna", What: "fact", Name: fmt.Sprint(k), Expires: sense.Never, Line: make([]byte, 60_000)}}}); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		return tx.Commit()
	}
	if err := large(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("on a full disk: %v", err)
	}
	look(t, l, func(v hub.View) error {
		p, _, err := v.PersonOf("crm:1")
		same(t, "person", p, "anna")
		e, err2 := v.Entries([]string{"anna"})
		same(t, "entries", len(e), 0)
		return errors.Join(err, err2)
	})
	writerPragma(t, l, "max_page_count = 100000")
	if err := large(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// A transaction in which a statement has failed is not committed by mistake.
func TestFailedTransactionIsNotCommitted(t *testing.T) {
	l := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	tx := begin(t, l)
	if err := tx.Apply([]hub.Write{hub.PutPerson{ID: "crm:1", Person: "anna"}}); err != nil {
		t.Fatal(err)
	}
	broken := tx.Apply([]hub.Write{hub.PutBundle{Bundle: hub.Bundle{SHA256: "ff"}}}) // no file: NOT NULL
	if broken == nil || errors.Is(broken, ErrUnavailable) {
		t.Errorf("a row that is not whole: %v", broken)
	}
	if err := tx.Commit(); err == nil {
		t.Error("the commit is said to have worked")
	}
	look(t, l, func(v hub.View) error {
		_, ok, err := v.PersonOf("crm:1")
		same(t, "person", ok, false)
		return err
	})
}

func TestOpenBySetting(t *testing.T) {
	l, err := Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	for _, setting := range []string{"", "hub.db", "sqlite:", "mysql://x", "postgres://u:hunter22@h/d", "postgres://h/d?password=hunter22", "postgresql://u:hunter22@h/%zz"} {
		if _, err := Open(context.Background(), setting); !errors.Is(err, ErrSetting) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: %v", setting, err)
		}
	}
	// Nobody listens there; whatever is said of it says no password.
	t.Setenv("PGPASSWORD", "hunter22")
	if _, err := Open(context.Background(), "postgres://tact@127.0.0.1:1/tact"); !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("a server that is not there: %v", err)
	}
	if _, err := Read(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Error("a file that is not there was read")
	}
}
