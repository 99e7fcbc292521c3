package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// query reads outside of the writing transaction.
func (l *Database) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return l.read.QueryContext(ctx, l.dialect.bind(query), args...)
}

// Decisions returns decisions in order of arrival, with their outcomes.
func (l *Database) Decisions(ctx context.Context, f Filter) ([]Decided, error) {
	query := "SELECT arrival, device, epoch, seq, at, handle, bundle, body FROM record WHERE kind = ? AND at >= ? AND arrival > ?"
	args := []any{int64(wire.KindDecision), int64(f.Since), f.After}
	if f.Device != "" {
		query += " AND device = ?"
		args = append(args, f.Device)
	}
	rows, err := l.query(ctx, query+" ORDER BY arrival LIMIT ?", append(args, f.limit())...)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	list, err := all(rows, scanDecided)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	tables := map[symbolKey][]string{}
	for k := range list {
		d := &list[k]
		if d.Symbols, err = l.symbols(ctx, tables, d.Record.Bundle, d.Record.Device); err != nil {
			return nil, err
		}
		x, epoch, err := d.Decision()
		if err != nil {
			continue
		}
		r := &d.Record
		rows, err := l.query(ctx, "SELECT said_by, outcome, happened FROM outcome WHERE device = ? AND epoch = ? AND n = ? ORDER BY happened, said_by",
			r.Device, int64(epoch), int64(x.N))
		if err != nil {
			return nil, fmt.Errorf("read outcomes: %w", err)
		}
		d.Outcomes, err = all(rows, func(s scanner) (hub.Outcome, error) {
			o := hub.Outcome{Device: r.Device, Epoch: epoch, N: x.N}
			return o, s.Scan(&o.By, &o.Outcome, &o.Happened)
		})
		if err != nil {
			return nil, fmt.Errorf("read outcomes: %w", err)
		}
	}
	return list, nil
}

func scanDecided(s scanner) (d Decided, err error) {
	var epoch, seq int64
	var handle, bundle []byte
	err = s.Scan(&d.Arrival, &d.Record.Device, &epoch, &seq, &d.Record.At, &handle, &bundle, &d.Record.Body)
	d.Record.Epoch, d.Record.Seq, d.Record.Kind = uint64(epoch), uint64(seq), wire.KindDecision
	copy(d.Record.Handle[:], handle)
	copy(d.Record.Bundle[:], bundle)
	return d, err
}

// symbols reads a bundle's names once per call of Decisions.
func (l *Database) symbols(ctx context.Context, tables map[symbolKey][]string, b wire.BundleID, device string) ([]string, error) {
	for _, who := range []string{"", device} {
		key := symbolKey{b, who}
		names, have := tables[key]
		if !have {
			rows, err := l.query(ctx, symbolColumns, b[:], who)
			if err != nil {
				return nil, fmt.Errorf("read symbols: %w", err)
			}
			parts, err := all(rows, scanPart)
			if err != nil {
				return nil, fmt.Errorf("read symbols: %w", err)
			}
			names, _ = wholeTable(parts)
			tables[key] = names
		}
		if names != nil {
			return names, nil
		}
	}
	return nil, nil
}

// Count counts decisions and what came of them.
func (l *Database) Count(ctx context.Context) (c Counts, err error) {
	err = l.read.QueryRowContext(ctx, l.dialect.bind(`SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM decision),
		(SELECT count(*) FROM (SELECT DISTINCT device, epoch, n FROM outcome WHERE outcome = ?) AS answered), (SELECT count(*) FROM device),
		(SELECT count(DISTINCT person) FROM person), (SELECT count(*) FROM entry)`), hub.Answered).
		Scan(&c.Records, &c.Decisions, &c.Answered, &c.Devices, &c.Customers, &c.Entries)
	if err != nil {
		return c, fmt.Errorf("count ledger: %w", err)
	}
	return c, nil
}

// Verify reads the whole log, as it is at one moment.
func (l *Database) Verify(ctx context.Context) (Report, error) {
	fail := func(err error) (Report, error) { return Report{}, fmt.Errorf("verify ledger: %w", err) }
	tx, err := l.read.BeginTx(ctx, l.dialect.snapshot())
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, "SELECT doc FROM mark")
	if err != nil {
		return fail(err)
	}
	marks, err := all(rows, scanMark)
	if err != nil {
		return fail(err)
	}
	slices.SortFunc(marks, orderMarks) // here, since epochs of 64 bits are kept signed
	v := verifier{report: Report{Epochs: []EpochCount{}, Findings: []Finding{}}}
	for _, m := range marks {
		v.mark(m)
		rows, err := tx.QueryContext(ctx, l.dialect.bind("SELECT seq, kind, CASE WHEN kind IN (?, ?) THEN body END FROM record WHERE device = ? AND epoch = ? ORDER BY seq"),
			int64(wire.KindTombstone), int64(wire.KindReport), m.Device, int64(m.Epoch))
		if err != nil {
			return fail(err)
		}
		if _, err := all(rows, func(s scanner) (struct{}, error) {
			var seq int64
			var kind uint8
			var body []byte
			if err := s.Scan(&seq, &kind, &body); err != nil {
				return struct{}{}, err
			}
			v.record(uint64(seq), wire.Kind(kind), body)
			return struct{}{}, nil
		}); err != nil {
			return fail(err)
		}
		rows, err = tx.QueryContext(ctx, l.dialect.bind("SELECT n, seq FROM decision WHERE device = ? AND epoch = ? ORDER BY n, seq"), m.Device, int64(m.Epoch))
		if err != nil {
			return fail(err)
		}
		if _, err := all(rows, func(s scanner) (struct{}, error) {
			var n, seq int64
			if err := s.Scan(&n, &seq); err != nil {
				return struct{}{}, err
			}
			v.decision(uint64(n), uint64(seq))
			return struct{}{}, nil
		}); err != nil {
			return fail(err)
		}
		v.end()
	}
	return v.report, nil
}
