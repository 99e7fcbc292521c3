package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// OpenSQLite opens or makes a ledger in one file, for one hub, and brings it up to date.
func OpenSQLite(ctx context.Context, path string) (*Database, error) {
	// Made by us, so that nobody else can read it, nor the log beside it, which takes the same mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	db, err := openDB(path, 1, "_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if err := migrateSQLite(ctx, db, sqliteMigrations); err != nil {
		db.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	read, err := openDB(path, 4, "mode=ro")
	if err != nil {
		db.Close()
		return nil, err
	}
	l := &Database{dialect: sqliteDialect{}, where: path, db: db, read: read, writer: make(chan *writer, 1),
		tables: map[symbolKey][]string{}}
	l.writer <- &writer{}
	return l, nil
}

// ReadSQLite opens an existing file for reading only, also while a hub writes it.
func ReadSQLite(ctx context.Context, path string) (*Database, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	read, err := openDB(path, 4, "mode=ro")
	if err != nil {
		return nil, err
	}
	var version int
	if err := read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		read.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	if err := readable(version, len(sqliteMigrations)); err != nil {
		read.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return &Database{dialect: sqliteDialect{}, where: path, read: read}, nil
}

// busyTimeout is how long a statement waits for a lock of another connection.
const busyTimeout = 5 * time.Second

func openDB(path string, connections int, mode string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	u := url.URL{Scheme: "file", Path: full, RawQuery: mode + fmt.Sprintf("&_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()) +
		"&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=secure_delete(on)&_pragma=foreign_keys(on)&_pragma=cache_size(-8000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// readable says whether a ledger of a version can be read by a program that knows another.
func readable(version, known int) error {
	switch {
	case version > known:
		return fmt.Errorf("version %d, this program knows %d: %w", version, known, ErrNewer)
	case version < known:
		return fmt.Errorf("version %d, this program reads %d: start the hub once, which brings it up to date", version, known)
	}
	return nil
}

// migrateSQLite brings the file to the newest version in one transaction.
func migrateSQLite(ctx context.Context, db *sql.DB, migrations []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return readable(version, len(migrations))
	}
	for k := version; k < len(migrations); k++ {
		if _, err := tx.Exec(migrations[k]); err != nil {
			return fmt.Errorf("migrate to version %d: %w", k+1, err)
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return err
	}
	return tx.Commit()
}

// sqliteDialect is SQLite's: one process has the file, one connection writes it.
type sqliteDialect struct{}

func (sqliteDialect) bind(query string) string { return query }
func (sqliteDialect) text(s string) string     { return s }
func (sqliteDialect) snapshot() *sql.TxOptions { return nil } // what a transaction reads is one moment
func (sqliteDialect) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.Background(), func() {} // the disk answers; a context that can end costs each statement a goroutine
}

func (sqliteDialect) begin(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return err
}

// scrubPatience is how long scrub waits for readers that still use the log: nothing is
// written meanwhile. Who reads for longer is waited for by trying again, and holds it up
// no longer than that one read: once all of the log is in the file, readers begin there.
const scrubPatience = 50 * time.Millisecond

// scrub moves the write-ahead log into the file and cuts it: what is deleted in the
// file itself is overwritten at once (secure_delete).
func (sqliteDialect) scrub(ctx context.Context, conn *sql.Conn) (done bool, err error) {
	patience := func(d time.Duration) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds()))
		return err
	}
	if err := patience(scrubPatience); err != nil {
		return false, err
	}
	var busy, pages, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	return err == nil && busy == 0, errors.Join(err, patience(busyTimeout))
}

// unavailable knows SQLite's codes for a file that cannot be used now, whatever is asked.
func (sqliteDialect) unavailable(err error) bool {
	var coded *sqlite.Error
	if !errors.As(err, &coded) {
		return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
	}
	switch coded.Code() & 0xff { // the rest is detail
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}

// sqliteRows is how many rows one statement inserts at the most: the driver looks for each
// argument among all of them, so that long statements cost more than they save.
const sqliteRows = 16

// sqliteInserts are the statements that insert one row, and sqliteRows of them.
var sqliteInserts = func() map[*bulkTable]map[int]string {
	all := map[*bulkTable]map[int]string{}
	for _, b := range []*bulkTable{recordTable, decisionTable, outcomeTable, takenTable, entryTable} {
		all[b] = map[int]string{1: b.values(1), sqliteRows: b.values(sqliteRows)}
	}
	return all
}()

// insert writes rows by statements of two lengths only, both prepared once.
func (sqliteDialect) insert(t *tx, b *bulk) error {
	args, inserts := make([]any, 0, sqliteRows*len(b.columns)), sqliteInserts[b.table]
	for row := 0; row < b.rows; {
		n := sqliteRows
		if b.rows-row < n {
			n = 1
		}
		args = args[:0]
		for k := row; k < row+n; k++ {
			for c := range b.columns {
				args = append(args, b.value(k, c))
			}
		}
		if err := t.exec(inserts[n], args...); err != nil {
			return err
		}
		row += n
	}
	return nil
}

// values writes the statement that inserts n rows.
func (b *bulkTable) values(n int) string {
	marks := "(?" + strings.Repeat(",?", len(b.columns)-1) + ")"
	return "INSERT INTO " + b.name + " (" + b.names() + ") VALUES " + marks + strings.Repeat(","+marks, n-1) + " ON CONFLICT DO NOTHING"
}

func (b *bulkTable) names() string {
	names := make([]string, len(b.columns))
	for k, c := range b.columns {
		names[k] = c.name
	}
	return strings.Join(names, ", ")
}
