package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrSetting says that a setting names no ledger.
var ErrSetting = errors.New("expected sqlite:PATH or postgres://USER@HOST/DATABASE")

// Open opens the ledger that a setting names, and makes what is not there yet:
// sqlite:PATH is a file, postgres://USER@HOST/DATABASE a database. A password comes
// from PGPASSWORD or the password file (PGPASSFILE, ~/.pgpass): a setting is in a
// command line, which others can read, and so one with a password is refused.
func Open(ctx context.Context, setting string) (*Database, error) {
	return open(ctx, setting, OpenSQLite, OpenPostgres)
}

// Read opens the ledger that a setting names for reading only.
func Read(ctx context.Context, setting string) (*Database, error) {
	return open(ctx, setting, ReadSQLite, ReadPostgres)
}

func open(ctx context.Context, setting string, sqlite, postgres func(context.Context, string) (*Database, error)) (*Database, error) {
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok && path != "" {
		return sqlite(ctx, path)
	}
	if !strings.HasPrefix(setting, "postgres://") && !strings.HasPrefix(setting, "postgresql://") {
		return nil, fmt.Errorf("open ledger: %w", ErrSetting) // not repeated: who knows what is in it
	}
	u, err := url.Parse(setting)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", ErrSetting)
	}
	_, given := u.User.Password()
	if q := u.Query(); given || q.Has("password") || q.Has("sslpassword") {
		return nil, fmt.Errorf("open ledger: %w, without a password: give it in PGPASSWORD or ~/.pgpass", ErrSetting)
	}
	return postgres(ctx, setting)
}
