package ledger

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
)

// upsert writes the statement that puts a row in place of the one with the same key,
// which the first of its columns are.
func upsert(table string, key int, columns ...string) string {
	set := make([]string, 0, len(columns))
	for _, c := range columns[key:] {
		set = append(set, c+" = excluded."+c)
	}
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ") " +
		"ON CONFLICT (" + strings.Join(columns[:key], ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

var (
	putPerson   = upsert("person", 1, "id", "person")
	putMerge    = upsert("merge", 2, "into_id", "from_id", "happened")
	putErased   = upsert("erased", 1, "id", "at")
	putHolding  = upsert("holding", 2, "device", "handle", "id", "owners", "revision", "digest", "until", "items")
	putForget   = upsert("forget", 2, "device", "handle", "id", "at", "sent", "erasure", "lease")
	putGrant    = upsert("budget", 4, "device", "handle", "cap", "about", "units", "epoch", "through", "until", "free", "asked", "ended", "end_epoch", "end_through")
	putErasure  = upsert("erasure", 1, "id", "done", "doc")
	putDevice   = upsert("device", 1, "id", "doc")
	putMark     = upsert("mark", 2, "device", "epoch", "doc")
	putBundle   = upsert("bundle", 1, "sha256", "name", "version", "at", "file", "signature")
	putSymbols  = upsert("symbol", 3, "bundle", "device", "first", "total", "names")
	putWant     = upsert("want", 1, "scope", "sha256", "at")
	putRevision = upsert("revision", 1, "one", "revision")
)

func oneOrZero(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Apply makes changes, in order.
func (t *tx) Apply(writes []hub.Write) error {
	for _, w := range writes {
		if err := t.apply(w); err != nil {
			return fmt.Errorf("apply %T: %w", w, err)
		}
	}
	return nil
}

func (t *tx) apply(w hub.Write) error {
	switch w := w.(type) {
	case hub.PutPerson:
		return t.exec(putPerson, w.ID, w.Person)
	case hub.DropPerson:
		return t.exec("DELETE FROM person WHERE id = ?", w.ID)
	case hub.PutMerge:
		return t.exec(putMerge, w.Into, w.From, int64(w.Happened))
	case hub.DropMerge:
		return t.exec("DELETE FROM merge WHERE into_id = ? AND from_id = ?", w.Into, w.From)
	case hub.PutTaken:
		return t.putTaken(&w.Key)
	case hub.AddEntry:
		return t.addEntry(&w.Entry)
	case hub.DropEntries:
		if err := t.flush(theEntries); err != nil {
			return err
		}
		for _, row := range w.Rows {
			if err := t.exec("DELETE FROM entry WHERE row = ?", row); err != nil {
				return err
			}
		}
		return nil
	case hub.DropID:
		if err := t.flush(theEntries); err != nil {
			return err
		}
		return t.exec("DELETE FROM entry WHERE id = ?", w.ID)
	case hub.SetRetention:
		if err := t.flush(theEntries); err != nil {
			return err
		}
		if w.Keep == sense.Forever {
			return t.exec("UPDATE entry SET expires = NULL WHERE what = ? AND name = ?", w.What, w.Name)
		}
		return t.exec("UPDATE entry SET expires = CASE WHEN happened < ? THEN happened + ? END WHERE what = ? AND name = ?",
			int64(sense.Never)-int64(w.Keep), int64(w.Keep), w.What, w.Name)
	case hub.PutErased:
		return t.exec(putErased, w.ID[:], int64(w.At))
	case hub.DropErased:
		return t.exec("DELETE FROM erased WHERE id = ?", w.ID[:])
	case hub.PutHolding:
		return t.putHolding(&w.Holding)
	case hub.DropHolding:
		if err := t.flush(theRecords); err != nil {
			return err
		}
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
		return t.exec(putForget,
			w.Device, w.Handle[:], w.Forget.ID, int64(w.At), int64(w.Sent), w.Erasure, int64(w.Lease))
	case hub.DropForget:
		return t.exec("DELETE FROM forget WHERE device = ? AND handle = ?", w.Device, w.Handle[:])
	}
	return t.applyLog(w)
}

// applyLog makes the changes that are about devices and policies.
func (t *tx) applyLog(w hub.Write) error {
	switch w := w.(type) {
	case hub.PutGrant:
		return t.exec(putGrant, w.Device, w.Handle[:], w.Limit, w.About, w.Units, int64(w.Epoch), int64(w.Through),
			int64(w.Until), int64(w.Free), int64(w.Asked), oneOrZero(w.Ended), int64(w.EndEpoch), int64(w.EndThrough))
	case hub.DropGrant:
		return t.exec("DELETE FROM budget WHERE device = ? AND handle = ? AND cap = ? AND about = ?", w.Device, w.Handle[:], w.Limit, w.About)
	case hub.PutErasure:
		return t.putDoc(putErasure, w.Erasure, w.Erasure.ID, int64(w.Done))
	case hub.PutDevice:
		return t.putDoc(putDevice, w.Device, w.ID)
	case hub.PutMark:
		t.putMark(w.Mark)
		return nil
	case hub.AddRecords:
		return t.addRecords(w.Records)
	case hub.AddDecision:
		return t.addDecision(&w.Decision)
	case hub.AddOutcome:
		return t.addOutcome(&w.Outcome)
	case hub.PutBundle:
		return t.exec(putBundle,
			w.SHA256, w.Name, w.Version, int64(w.At), w.File, w.Signature)
	case hub.PutSymbols:
		names, err := json.Marshal(w.Names)
		if err != nil {
			return err
		}
		t.tablesChanged = true
		delete(t.l.tables, symbolKey{w.Bundle, w.Device})
		return t.exec(putSymbols,
			w.Bundle[:], w.Device, int64(w.From), int64(w.Of), string(names))
	case hub.PutWant:
		return t.exec(putWant, w.Scope, w.SHA256, int64(w.At))
	case hub.PutRevision:
		return t.exec(putRevision, 1, int64(w.Revision))
	}
	return fmt.Errorf("this change is not known")
}

// putDoc writes a row whose last column is a JSON document.
func (t *tx) putDoc(query string, doc any, key ...any) error {
	b, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return t.exec(query, append(key, string(b))...)
}

func (t *tx) putHolding(h *hub.Holding) error {
	owners, err := ownersDoc(h.Owners)
	if err != nil {
		return err
	}
	items := make([]byte, 0, 8*len(h.Items))
	for _, x := range h.Items {
		items = binary.BigEndian.AppendUint64(items, x)
	}
	if err := t.exec(putHolding,
		h.Device, h.Handle[:], h.ID, owners, int64(h.Revision), h.Digest[:], int64(h.Until), items); err != nil {
		return err
	}
	if err := t.exec("DELETE FROM holding_owner WHERE device = ? AND handle = ?", h.Device, h.Handle[:]); err != nil {
		return err
	}
	for _, o := range h.Owners {
		if err := t.exec("INSERT INTO holding_owner (owner, device, handle) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", o.ID, h.Device, h.Handle[:]); err != nil {
			return err
		}
	}
	return nil
}
