package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// Database is a ledger in SQLite or PostgreSQL: one set of statements, and a
// dialect for what differs.
type Database struct {
	dialect dialect
	where   string  // for errors; no password in it
	db      *sql.DB // of the one writing connection; nil where only read
	read    *sql.DB
	writer  chan *writer           // holds it while no transaction is open
	tables  map[symbolKey][]string // symbol tables, of whoever has the writer
	once    sync.Once
	closed  error
}

// dialect is what differs between the databases.
type dialect interface {
	// bind writes a statement with its placeholders, which are ? here.
	bind(query string) string
	// text makes a string one that a text column can hold.
	text(string) string
	// begin opens a transaction on a connection, as the only one that writes.
	begin(ctx context.Context, conn *sql.Conn) error
	// bounded gives the statements of a transaction the time that they have.
	bounded(ctx context.Context) (context.Context, context.CancelFunc)
	// insert writes the rows of a bulk.
	insert(t *tx, b *bulk) error
	// scrub takes what was deleted out of the files; done is false where it has to be called again.
	scrub(ctx context.Context, conn *sql.Conn) (done bool, err error)
	// snapshot makes a reading transaction see one moment.
	snapshot() *sql.TxOptions
	// unavailable says that an error is the database's own, whatever it was asked.
	unavailable(error) bool
}

// writer is the connection that writes. It is opened when a transaction wants it,
// and given up when it has failed: the next transaction gets a new one.
type writer struct {
	conn     *sql.Conn // nil before it is needed
	prepared map[string]*sql.Stmt
}

func (w *writer) open(ctx context.Context, db *sql.DB) (err error) {
	if w.conn == nil {
		w.conn, err = db.Conn(ctx)
		w.prepared = map[string]*sql.Stmt{}
	}
	return err
}

// giveUp closes the connection; what a broken one says about that is of no use.
func (w *writer) giveUp() {
	for _, s := range w.prepared {
		s.Close()
	}
	if w.conn != nil {
		w.conn.Raw(func(any) error { return driver.ErrBadConn }) // not back into the pool
		w.conn.Close()
	}
	w.conn, w.prepared = nil, nil
}

func (w *writer) close() (err error) {
	for _, s := range w.prepared {
		err = errors.Join(err, s.Close())
	}
	if w.conn != nil {
		err = errors.Join(err, w.conn.Close())
	}
	w.conn, w.prepared = nil, nil
	return err
}

// Begin opens the writing transaction: within this process it waits while another
// is open, and on PostgreSQL while another process has one.
func (l *Database) Begin(ctx context.Context) (Tx, error) {
	if l.db == nil {
		return nil, errors.New("begin transaction: the ledger is open for reading only")
	}
	select {
	case w := <-l.writer:
		if err := l.begin(ctx, w); err != nil {
			w.giveUp()
			l.writer <- w
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("begin transaction in %s: %w: %w", l.where, ErrUnavailable, err)
		}
		bounded, cancel := l.dialect.bounded(context.WithoutCancel(ctx))
		return &tx{l: l, w: w, ctx: bounded, cancel: cancel}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin tries a second time where the connection was an old one and is dead: the
// server may have been started anew since.
func (l *Database) begin(ctx context.Context, w *writer) error {
	old := w.conn != nil
	for {
		err := w.open(ctx, l.db)
		if err == nil {
			err = l.dialect.begin(ctx, w.conn)
		}
		if err == nil || !old || ctx.Err() != nil || w.conn.PingContext(ctx) == nil {
			return err
		}
		w.giveUp()
		old = false
	}
}

// Close waits for the transaction that is open, and closes the database. It may be
// called more than once.
func (l *Database) Close() error {
	l.once.Do(func() {
		l.closed = l.read.Close()
		if l.db != nil {
			w := <-l.writer
			l.closed = errors.Join(l.closed, w.close(), l.db.Close())
		}
	})
	if l.closed != nil {
		return fmt.Errorf("close ledger: %w", l.closed)
	}
	return nil
}

// Scrub takes what was deleted out of the database's files; what that means is said
// in the package comment. done is false where something is in the way, or where it
// is too early: call it again then.
func (l *Database) Scrub(ctx context.Context) (done bool, err error) {
	if l.db == nil {
		return false, errors.New("scrub ledger: it is open for reading only")
	}
	select {
	case w := <-l.writer:
		defer func() { l.writer <- w }()
		if err = w.open(ctx, l.db); err == nil {
			done, err = l.dialect.scrub(ctx, w.conn)
		}
		if err != nil {
			w.giveUp()
			return false, fmt.Errorf("scrub ledger: %w", err)
		}
		return done, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
