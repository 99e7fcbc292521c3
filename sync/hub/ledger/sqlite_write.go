package ledger

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Apply makes changes, in order.
func (t *sqliteTx) Apply(writes []hub.Write) error {
	for _, w := range writes {
		if err := t.apply(w); err != nil {
			return fmt.Errorf("apply %T: %w", w, err)
		}
	}
	return nil
}

func (t *sqliteTx) apply(w hub.Write) error {
	switch w := w.(type) {
	case hub.PutPerson:
		return t.exec("INSERT INTO person (id, person) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET person = excluded.person", w.ID, w.Person)
	case hub.DropPerson:
		return t.exec("DELETE FROM person WHERE id = ?", w.ID)
	case hub.PutMerge:
		return t.exec("INSERT OR REPLACE INTO merge (into_id, from_id, happened) VALUES (?, ?, ?)", w.Into, w.From, int64(w.Happened))
	case hub.DropMerge:
		return t.exec("DELETE FROM merge WHERE into_id = ? AND from_id = ?", w.Into, w.From)
	case hub.PutTaken:
		return t.exec("INSERT OR IGNORE INTO taken (key) VALUES (?)", w.Key[:])
	case hub.AddEntry:
		return t.addEntry(&w.Entry)
	case hub.DropEntries:
		for _, row := range w.Rows {
			if err := t.exec("DELETE FROM entry WHERE row = ?", row); err != nil {
				return err
			}
		}
		return nil
	case hub.DropID:
		return t.exec("DELETE FROM entry WHERE id = ?", w.ID)
	case hub.SetRetention:
		if w.Keep == sense.Forever {
			return t.exec("UPDATE entry SET expires = NULL WHERE what = ? AND name = ?", w.What, w.Name)
		}
		return t.exec("UPDATE entry SET expires = happened + ? WHERE what = ? AND name = ?", int64(w.Keep), w.What, w.Name)
	case hub.PutErased:
		return t.exec("INSERT OR REPLACE INTO erased (id, at) VALUES (?, ?)", w.ID[:], int64(w.At))
	case hub.DropErased:
		return t.exec("DELETE FROM erased WHERE id = ?", w.ID[:])
	case hub.PutHolding:
		return t.putHolding(&w.Holding)
	case hub.DropHolding:
		if err := t.exec("DELETE FROM holding WHERE device = ? AND handle = ?", w.Device, w.Handle[:]); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM holding_owner WHERE device = ? AND handle = ?", w.Device, w.Handle[:]); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM budget WHERE device = ? AND handle = ?", w.Device, w.Handle[:]); err != nil {
			return err
		}
		return t.exec("UPDATE record SET digest = NULL WHERE device = ? AND handle = ? AND body IS NULL", w.Device, w.Handle[:])
	case hub.PutForget:
		return t.exec("INSERT OR REPLACE INTO forget (device, handle, id, at, sent, erasure, lease) VALUES (?, ?, ?, ?, ?, ?, ?)",
			w.Device, w.Handle[:], w.Forget.ID, int64(w.At), int64(w.Sent), w.Erasure, int64(w.Lease))
	case hub.DropForget:
		return t.exec("DELETE FROM forget WHERE device = ? AND handle = ?", w.Device, w.Handle[:])
	}
	return t.applyLog(w)
}

// applyLog makes the changes that are about devices and policies.
func (t *sqliteTx) applyLog(w hub.Write) error {
	switch w := w.(type) {
	case hub.PutGrant:
		return t.exec("INSERT OR REPLACE INTO budget (device, handle, cap, about, units, epoch, through, until, free, ended, end_epoch, end_through) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", w.Device, w.Handle[:], w.Limit, w.About, w.Units, int64(w.Epoch), int64(w.Through),
			int64(w.Until), int64(w.Free), w.Ended, int64(w.EndEpoch), int64(w.EndThrough))
	case hub.DropGrant:
		return t.exec("DELETE FROM budget WHERE device = ? AND handle = ? AND cap = ? AND about = ?", w.Device, w.Handle[:], w.Limit, w.About)
	case hub.PutErasure:
		return t.putDoc("INSERT OR REPLACE INTO erasure (id, done, doc) VALUES (?, ?, ?)", w.Erasure, w.Erasure.ID, int64(w.Done))
	case hub.PutDevice:
		return t.putDoc("INSERT OR REPLACE INTO device (id, doc) VALUES (?, ?)", w.Device, w.ID)
	case hub.PutMark:
		return t.putDoc("INSERT OR REPLACE INTO mark (device, epoch, doc) VALUES (?, ?, ?)", w.Mark, w.Device, int64(w.Epoch))
	case hub.AddRecords:
		return t.addRecords(w.Records)
	case hub.AddDecision:
		return t.exec("INSERT OR IGNORE INTO decision (device, epoch, n, seq, at, handle, action, slot, intent, team, about, channel) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", w.Device, int64(w.Epoch), int64(w.N), int64(w.Seq), int64(w.At), handleOrNull(w.Handle),
			w.Action, w.Slot, w.Intent, w.Group, w.About, w.Channel)
	case hub.AddOutcome:
		return t.exec("INSERT OR IGNORE INTO outcome (device, epoch, n, said_by, outcome, happened) VALUES (?, ?, ?, ?, ?, ?)",
			w.Device, int64(w.Epoch), int64(w.N), w.By, w.Outcome.Outcome, int64(w.Happened))
	case hub.PutBundle:
		return t.exec("INSERT OR REPLACE INTO bundle (sha256, name, version, at, file, signature) VALUES (?, ?, ?, ?, ?, ?)",
			w.SHA256, w.Name, w.Version, int64(w.At), w.File, w.Signature)
	case hub.PutSymbols:
		names, err := json.Marshal(w.Names)
		if err != nil {
			return err
		}
		return t.exec("INSERT OR REPLACE INTO symbol (bundle, device, first, total, names) VALUES (?, ?, ?, ?, ?)",
			w.Bundle[:], w.Device, int64(w.From), int64(w.Of), string(names))
	case hub.PutWant:
		return t.exec("INSERT OR REPLACE INTO want (scope, sha256, at) VALUES (?, ?, ?)", w.Scope, w.SHA256, int64(w.At))
	case hub.PutRevision:
		return t.exec("INSERT OR REPLACE INTO revision (one, revision) VALUES (1, ?)", int64(w.Revision))
	}
	return fmt.Errorf("this change is not known")
}

// putDoc writes a row whose last column is a JSON document.
func (t *sqliteTx) putDoc(query string, doc any, key ...any) error {
	b, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return t.exec(query, append(key, string(b))...)
}

func handleOrNull(h wire.Handle) any {
	if h.IsNone() {
		return nil
	}
	return h[:]
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (t *sqliteTx) addEntry(e *hub.Entry) error {
	var expires any
	if e.Expires != sense.Never {
		expires = int64(e.Expires)
	}
	return t.exec("INSERT INTO entry (id, owner, what, name, happened, expires, device, handle, source, line, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		textOrNull(e.ID), textOrNull(e.Owner), e.What, e.Name, int64(e.Happened), expires, e.Device, handleOrNull(e.Handle), e.Source, e.Line, e.Record)
}

func (t *sqliteTx) putHolding(h *hub.Holding) error {
	owners, err := ownersDoc(h.Owners)
	if err != nil {
		return err
	}
	items := make([]byte, 0, 8*len(h.Items))
	for _, x := range h.Items {
		items = binary.BigEndian.AppendUint64(items, x)
	}
	if err := t.exec("INSERT OR REPLACE INTO holding (device, handle, id, owners, revision, digest, until, items) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		h.Device, h.Handle[:], h.ID, owners, int64(h.Revision), h.Digest[:], int64(h.Until), items); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM holding_owner WHERE device = ? AND handle = ?", h.Device, h.Handle[:]); err != nil {
		return err
	}
	for _, o := range h.Owners {
		if err := t.exec("INSERT OR IGNORE INTO holding_owner (owner, device, handle) VALUES (?, ?, ?)", o.ID, h.Device, h.Handle[:]); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce is how many records one statement inserts.
const rowsAtOnce = 32

const recordValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"

func (t *sqliteTx) addRecords(records []hub.Record) error {
	for len(records) > 0 {
		n := rowsAtOnce
		if len(records) < n {
			n = 1 // two statements only, both prepared once
		}
		args := make([]any, 0, n*9)
		for k := range records[:n] {
			r := &records[k]
			var digest any = r.Digest[:]
			if r.Digest == (hub.Digest{}) {
				digest = nil
			}
			var body any
			if r.Body != nil {
				body = r.Body
			}
			args = append(args, r.Device, int64(r.Epoch), int64(r.Seq), int64(r.Kind), int64(r.At), handleOrNull(r.Handle), r.Bundle[:], digest, body)
		}
		query := "INSERT INTO record (device, epoch, seq, kind, at, handle, bundle, digest, body) VALUES " +
			recordValues + strings.Repeat(","+recordValues, n-1) + " ON CONFLICT (device, epoch, seq) DO NOTHING"
		if err := t.exec(query, args...); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}
