package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

// SQLite is a ledger in one file, for one hub.
type SQLite struct {
	db       *sql.DB // of the one writing connection; nil where only read
	read     *sql.DB
	writer   chan *sql.Conn       // holds the connection while no transaction is open
	prepared map[string]*sql.Stmt // on it
}

// OpenSQLite opens or makes the file and brings it up to date.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
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
	l := &SQLite{db: db, writer: make(chan *sql.Conn, 1), prepared: map[string]*sql.Stmt{}}
	if err := l.open(ctx, path); err != nil {
		db.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return l, nil
}

func (l *SQLite) open(ctx context.Context, path string) error {
	if err := migrate(ctx, l.db); err != nil {
		return err
	}
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	if l.read, err = openDB(path, 4, "mode=ro"); err != nil {
		return err
	}
	l.writer <- conn
	return nil
}

// ReadSQLite opens an existing file for reading only, also while a hub writes it.
func ReadSQLite(ctx context.Context, path string) (*SQLite, error) {
	read, err := openDB(path, 4, "mode=ro")
	if err != nil {
		return nil, err
	}
	var version int
	if err := read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		read.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	if version != len(migrations) {
		read.Close()
		return nil, fmt.Errorf("open ledger %s: version %d, this program reads %d: start the hub once: %w", path, version, len(migrations), ErrNewer)
	}
	return &SQLite{read: read}, nil
}

func openDB(path string, connections int, mode string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	u := url.URL{Scheme: "file", Path: full, RawQuery: mode +
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=secure_delete(on)&_pragma=foreign_keys(on)&_pragma=cache_size(-8000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrate brings the file to the newest version in one transaction.
func migrate(ctx context.Context, db *sql.DB) error {
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
		return fmt.Errorf("version %d, this program knows %d: %w", version, len(migrations), ErrNewer)
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

// Close waits for the transaction that is open, and closes the file.
func (l *SQLite) Close() error {
	err := l.read.Close()
	if l.db != nil {
		conn := <-l.writer
		for _, s := range l.prepared {
			err = errors.Join(err, s.Close())
		}
		err = errors.Join(err, conn.Close(), l.db.Close())
	}
	if err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// Scrub moves the write-ahead log into the file and cuts it, so that nothing
// that was deleted is left in it. done is false where a reader is in the way:
// call it again then.
func (l *SQLite) Scrub(ctx context.Context) (done bool, err error) {
	select {
	case conn := <-l.writer:
		defer func() { l.writer <- conn }()
		var busy, pages, moved int
		if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
			return false, fmt.Errorf("scrub ledger: %w", err)
		}
		return busy == 0, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Begin opens the writing transaction.
func (l *SQLite) Begin(ctx context.Context) (Tx, error) {
	if l.db == nil {
		return nil, errors.New("begin transaction: the ledger is open for reading only")
	}
	select {
	case conn := <-l.writer:
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			l.writer <- conn
			return nil, fmt.Errorf("begin transaction: %w", err)
		}
		return &sqliteTx{l: l, conn: conn}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
