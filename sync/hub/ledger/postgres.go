package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/tact-edge/tact/context/sense"
)

// OpenPostgres opens the ledger in a PostgreSQL database and brings it up to date.
// The address is a URL as in postgres://user@host:5432/database, or key=value pairs;
// what it leaves out comes from the environment (PGHOST, PGPASSWORD and the like)
// and from the password file, as everywhere with PostgreSQL.
func OpenPostgres(ctx context.Context, address string) (*Database, error) {
	c, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	l := &Database{dialect: &postgresDialect{}, where: postgresName(c), db: stdlib.OpenDB(*c), read: stdlib.OpenDB(*c), writer: make(chan *writer, 1),
		tables: map[symbolKey][]string{}}
	l.db.SetMaxOpenConns(1)
	l.read.SetMaxOpenConns(4)
	l.read.SetMaxIdleConns(4)
	l.writer <- &writer{}
	if err := migratePostgres(ctx, l.db, postgresMigrations); err != nil {
		return nil, errors.Join(l.cannotOpen(err), l.Close())
	}
	return l, nil
}

// ReadPostgres opens an existing ledger for reading only, also while hubs write it.
func ReadPostgres(ctx context.Context, address string) (*Database, error) {
	c, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	l := &Database{dialect: &postgresDialect{}, where: postgresName(c), read: stdlib.OpenDB(*c)}
	l.read.SetMaxOpenConns(4)
	var version int
	err = l.read.QueryRowContext(ctx, "SELECT version FROM version").Scan(&version)
	if err == nil {
		err = readable(version, len(postgresMigrations))
	}
	if err != nil {
		return nil, errors.Join(l.cannotOpen(err), l.Close())
	}
	return l, nil
}

func (l *Database) cannotOpen(err error) error {
	var said *pgconn.PgError
	switch {
	case errors.As(err, &said) && said.Code == undefinedTable:
		return fmt.Errorf("open ledger in %s: there is none: start a hub on it first", l.where)
	case l.dialect.unavailable(err) && !errors.Is(err, ErrNewer):
		return fmt.Errorf("open ledger in %s: %w: %w", l.where, ErrUnavailable, err)
	}
	return fmt.Errorf("open ledger in %s: %w", l.where, err)
}

// connectTime is how long a server may take to let a hub in.
const connectTime = 5 * time.Second

func postgresConfig(address string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err) // says no password
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTime
	}
	for name, value := range map[string]string{ // order: none counts before another
		"application_name": "tact-hub",
		// Nobody waits for ever for a table that somebody locked by hand. The ledger's own lock is one too.
		"lock_timeout": "20s",
		// A hub whose machine dies in the middle of a transaction holds up the others no longer than this.
		"idle_in_transaction_session_timeout": "60s",
		"tcp_keepalives_idle":                 "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	return c, nil
}

// postgresName names a database for people; there is no password in it.
func postgresName(c *pgx.ConnConfig) string {
	host := c.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
	}
	return fmt.Sprintf("PostgreSQL %s, database %s", host, c.Database)
}

// lockStatement waits for the one right to write a ledger: of the tables of the
// present schema, until the transaction ends.
const lockStatement = "SELECT pg_advisory_xact_lock(1952539508, hashtext(coalesce(current_schema(), '')))"

// migratePostgres brings the database to the newest version in one transaction. Two
// hubs that start at once do it one after the other.
func migratePostgres(ctx context.Context, db *sql.DB, migrations []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var encoding string
	if err := tx.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database keeps texts as %s: make one with ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	if _, err := tx.ExecContext(ctx, lockStatement); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS version (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL)"); err != nil {
		return err
	}
	version := 0
	if err := tx.QueryRowContext(ctx, "SELECT version FROM version").Scan(&version); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if version >= len(migrations) {
		return readable(version, len(migrations))
	}
	for k := version; k < len(migrations); k++ {
		if _, err := tx.ExecContext(ctx, migrations[k], pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("migrate to version %d: %w", k+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO version VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET version = excluded.version", len(migrations)); err != nil {
		return err
	}
	return tx.Commit()
}

// postgresDialect is PostgreSQL's. Writers take turns by a lock of the ledger's own
// (pg_advisory_xact_lock), rather than run side by side and be told at the end that
// they were in each other's way (SERIALIZABLE): a round reads and writes marks,
// customers and budgets all over, so that two at once would nearly always collide,
// and arrival numbers rise in order of commit only where one commits after the other.
// Under READ COMMITTED each statement sees what was committed before it began, which
// behind the lock is all that there is.
type postgresDialect struct {
	scrubNext time.Time // not before; used by who has the writer
}

// transactionTime is how long a transaction may take; a server that has gone silent is left after it.
const transactionTime = 30 * time.Second

func (*postgresDialect) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, transactionTime)
}

func (*postgresDialect) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (*postgresDialect) begin(ctx context.Context, conn *sql.Conn) error {
	// One message, one answer: the simple protocol takes several statements at once. A
	// server may be set to commit before the disk has it; this ledger does not.
	_, err := conn.ExecContext(ctx, "BEGIN; SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'; "+
		lockStatement, pgx.QueryExecModeSimpleProtocol)
	return err
}

// bind numbers the placeholders.
func (*postgresDialect) bind(query string) string {
	var b strings.Builder
	n := 0
	for {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// text replaces what a text column cannot hold: bytes that are no UTF-8, and the
// character 0. Only names that a device made up have such, and its record is kept as it came.
func (*postgresDialect) text(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// unavailable is what the server says of anything but the values that it was given,
// and all that says that there is no server.
func (*postgresDialect) unavailable(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code[:min(2, len(said.Code))] {
		case "21", "22", "23", "54": // cardinality, data, integrity, limits
			return false
		}
		return true
	}
	for _, gone := range []error{pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, driver.ErrBadConn, sql.ErrConnDone, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// insert writes rows by one statement that takes an array for each column. COPY into
// a table beside it and an INSERT from there took 1.2 times as long for 256 rows, as
// long for 1,024 and 0.8 times for 4,096: not worth a second way.
func (d *postgresDialect) insert(t *tx, b *bulk) error {
	args := make([]any, len(b.columns))
	for k := range b.columns {
		c := &b.columns[k]
		switch b.table.columns[k].kind {
		case text:
			args[k] = c.texts
		case blob:
			args[k] = c.blobs
		default:
			args[k] = c.ints
		}
	}
	return t.exec(b.table.unnest(), args...)
}

// unnest writes the statement that inserts rows given as arrays.
func (b *bulkTable) unnest() string {
	var arrays, values []string
	for _, c := range b.columns {
		value := "r." + c.name
		switch c.kind {
		case text:
			arrays = append(arrays, "?::text[]")
			if c.orNull {
				value = "nullif(" + value + ", '')"
			}
		case blob:
			arrays = append(arrays, "?::bytea[]")
		default:
			arrays = append(arrays, "?::bigint[]")
			if c.orNull {
				value = fmt.Sprintf("nullif(%s, %d)", value, int64(sense.Never))
			}
		}
		values = append(values, value)
	}
	return "INSERT INTO " + b.name + " (" + b.names() + ") SELECT " + strings.Join(values, ", ") +
		" FROM unnest(" + strings.Join(arrays, ", ") + ") AS r (" + b.names() + ") ON CONFLICT DO NOTHING"
}

// What is written anew at once, and how often what is larger.
const (
	scrubBytes = 64 << 20
	scrubEvery = time.Hour
)

// scrub has the tables of customers written anew, without what was deleted: a plain
// VACUUM leaves the bytes of deleted rows in the free space of their pages. Writers
// wait meanwhile, so large tables are written anew at most once an hour.
func (d *postgresDialect) scrub(ctx context.Context, conn *sql.Conn) (done bool, err error) {
	if time.Now().Before(d.scrubNext) {
		return false, nil
	}
	var bytes int64
	var readers int
	// Who began to read before the deletion still sees the rows, so they are kept for that reader.
	err = conn.QueryRowContext(ctx, "SELECT (SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest($1::text[]) t), "+
		"(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL)",
		personalTables).Scan(&bytes, &readers)
	if err != nil || readers > 0 {
		return false, err
	}
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = '1s'"); err != nil { // nobody is held up by who waits for a reader
		return false, err
	}
	defer func() {
		_, reset := conn.ExecContext(ctx, "RESET lock_timeout")
		err = errors.Join(err, reset)
	}()
	var refused *pgconn.PgError
	for _, table := range personalTables {
		_, err := conn.ExecContext(ctx, "VACUUM (FULL) "+table, pgx.QueryExecModeSimpleProtocol)
		if errors.As(err, &refused) && refused.Code == lockNotAvailable {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	if bytes > scrubBytes {
		d.scrubNext = time.Now().Add(scrubEvery)
	}
	return true, nil
}

// Of PostgreSQL's codes.
const (
	lockNotAvailable = "55P03"
	undefinedTable   = "42P01"
)
