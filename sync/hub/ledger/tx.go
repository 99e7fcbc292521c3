package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tact-edge/tact/sync/wire"
)

// tx is the writing transaction of a database. It has the connection until it
// ends; what it began it finishes, whatever becomes of its beginner's context.
type tx struct {
	l       *Database
	w       *writer // nil once it has ended
	ctx     context.Context
	cancel  context.CancelFunc
	pending pending
	// tablesChanged: a symbol table that is read may not be committed yet.
	tablesChanged bool
	failed        error // of a statement: the transaction can only be rolled back
}

// Commit writes what is pending and commits. After an error nothing of it may be
// relied on; after one that wraps ErrUnavailable it is not known whether it is there.
func (t *tx) Commit() error {
	if t.w == nil {
		return sql.ErrTxDone
	}
	if err := t.flush(everything); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), t.Rollback())
	}
	if t.failed != nil {
		return errors.Join(fmt.Errorf("commit: the transaction has failed: %w", t.failed), t.Rollback())
	}
	if _, err := t.w.conn.ExecContext(t.ctx, "COMMIT"); err != nil {
		return errors.Join(fmt.Errorf("commit: %w: %w", ErrUnavailable, err), t.Rollback())
	}
	t.end()
	return nil
}

// rollbackTime is how long a roll-back may take before the connection is given up,
// which rolls back as well.
const rollbackTime = 5 * time.Second

// Rollback takes everything back; after Commit it does nothing.
func (t *tx) Rollback() error {
	if t.w == nil {
		return nil
	}
	defer t.end()
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
	defer cancel()
	if _, err := t.w.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.w.giveUp()
		if !t.l.dialect.unavailable(err) {
			return fmt.Errorf("roll back: %w", err)
		}
	} else if errors.Is(t.failed, ErrUnavailable) {
		t.w.giveUp() // whatever it was, the next transaction begins with nothing of it
	}
	return nil
}

func (t *tx) end() {
	t.cancel()
	w := t.w
	t.w = nil
	t.l.writer <- w
}

// maxPrepared bounds the statements that are kept.
const maxPrepared = 256

// statement returns a query, prepared once for the life of the connection.
func (t *tx) statement(query string) (*sql.Stmt, error) {
	if t.w == nil {
		return nil, sql.ErrTxDone
	}
	prepared := t.w.prepared
	if s := prepared[query]; s != nil {
		return s, nil
	}
	if len(prepared) >= maxPrepared {
		for q, s := range prepared {
			delete(prepared, q)
			if err := s.Close(); err != nil {
				return nil, fmt.Errorf("close statement: %w", err)
			}
		}
	}
	s, err := t.w.conn.PrepareContext(t.ctx, t.l.dialect.bind(query))
	if err != nil {
		return nil, t.fail(fmt.Sprintf("prepare %.60q", query), err)
	}
	prepared[query] = s
	return s, nil
}

// fail notes that a statement went wrong; ErrUnavailable says that it was not its fault.
func (t *tx) fail(what string, err error) error {
	if t.l.dialect.unavailable(err) {
		err = fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
	} else {
		err = fmt.Errorf("%s: %w", what, err)
	}
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// args makes the texts among the arguments such that a column can hold them.
func (t *tx) args(args []any) []any {
	for k, a := range args {
		if s, ok := a.(string); ok {
			if clean := t.l.dialect.text(s); clean != s {
				args[k] = clean
			}
		}
	}
	return args
}

func (t *tx) exec(query string, args ...any) error {
	s, err := t.statement(query)
	if err != nil {
		return err
	}
	if _, err := s.ExecContext(t.ctx, t.args(args)...); err != nil {
		return t.fail("write ledger", err)
	}
	return nil
}

// one reads one row; ok is false where there is none.
func (t *tx) one(query string, args []any, into ...any) (ok bool, err error) {
	s, err := t.statement(query)
	if err != nil {
		return false, err
	}
	switch err := s.QueryRowContext(t.ctx, t.args(args)...).Scan(into...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, t.fail("read ledger", err)
	}
	return true, nil
}

// scanner is a row that is being read.
type scanner interface{ Scan(into ...any) error }

// list reads every row with f.
func list[T any](t *tx, f func(scanner) (T, error), query string, args ...any) ([]T, error) {
	s, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, t.args(args)...)
	if err != nil {
		return nil, t.fail("read ledger", err)
	}
	out, err := all(rows, f)
	if err != nil {
		return nil, t.fail("read ledger", err)
	}
	return out, nil
}

func all[T any](rows *sql.Rows, f func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		x, err := f(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

func first[T any](rows []T, err error) (x T, ok bool, _ error) {
	if err != nil || len(rows) == 0 {
		return x, false, err
	}
	return rows[0], true, nil
}

// in writes a list of placeholders and its arguments. Its length is a power of two,
// so that there are few statements; the last key is repeated, which changes nothing.
func in[K string | wire.Handle](keys []K) (string, []any) {
	if len(keys) == 0 {
		return "(NULL)", nil // is in no row
	}
	n := 1
	for n < len(keys) {
		n *= 2
	}
	args := make([]any, n, 2*n)
	for k := range args {
		switch key := any(keys[min(k, len(keys)-1)]).(type) {
		case wire.Handle:
			args[k] = key[:]
		default:
			args[k] = key
		}
	}
	return "(?" + strings.Repeat(",?", n-1) + ")", args
}
