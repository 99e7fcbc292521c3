package ledger

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"slices"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

func scanString(r scanner) (s string, err error) { return s, r.Scan(&s) }

func (t *tx) PersonOf(id string) (person string, ok bool, err error) {
	ok, err = t.one("SELECT person FROM person WHERE id = ?", []any{id}, &person)
	return person, ok, err
}

func (t *tx) IDsOf(person string) ([]string, error) {
	return list(t, scanString, "SELECT id FROM person WHERE person = ? ORDER BY id", person)
}

func (t *tx) People(after string, limit int) ([]string, error) {
	return list(t, scanString, "SELECT DISTINCT person FROM person WHERE person > ? ORDER BY person LIMIT ?", after, limit)
}

func (t *tx) MergesOf(ids []string) ([]hub.Merge, error) {
	marks, args := in(ids)
	args = append(args, args...)
	return list(t, func(r scanner) (m hub.Merge, err error) { return m, r.Scan(&m.Into, &m.From, &m.Happened) },
		"SELECT into_id, from_id, happened FROM merge WHERE into_id IN "+marks+" OR from_id IN "+marks+" ORDER BY happened, into_id, from_id", args...)
}

const entryColumns = "SELECT row, id, owner, what, name, happened, expires, device, handle, source, line, record FROM entry "

func scanEntry(r scanner) (e hub.Entry, err error) {
	var id, owner sql.NullString
	var expires sql.NullInt64
	var handle []byte
	err = r.Scan(&e.Row, &id, &owner, &e.What, &e.Name, &e.Happened, &expires, &e.Device, &handle, &e.Source, &e.Line, &e.Record)
	e.ID, e.Owner, e.Expires = id.String, owner.String, sense.Never
	if expires.Valid {
		e.Expires = sense.Instant(expires.Int64)
	}
	copy(e.Handle[:], handle)
	return e, err
}

func (t *tx) Entries(ids []string) ([]hub.Entry, error) {
	if err := t.flush(theEntries); err != nil {
		return nil, err
	}
	marks, args := in(ids)
	return list(t, scanEntry, entryColumns+"WHERE id IN "+marks+" ORDER BY row", args...)
}

func (t *tx) OwnerEntries(owners []string) ([]hub.Entry, error) {
	if err := t.flush(theEntries); err != nil {
		return nil, err
	}
	marks, args := in(owners)
	return list(t, scanEntry, entryColumns+"WHERE owner IN "+marks+" ORDER BY row", args...)
}

func (t *tx) Expired(now sense.Instant, limit int) ([]hub.Entry, error) {
	if err := t.flush(theEntries); err != nil {
		return nil, err
	}
	return list(t, scanEntry, entryColumns+"WHERE expires <= ? ORDER BY row LIMIT ?", int64(now), limit)
}

func (t *tx) Taken(key hub.Hash) (bool, error) {
	if t.pending.takenKeys[key] {
		return true, nil
	}
	var one int
	return t.one("SELECT 1 FROM taken WHERE key = ?", []any{key[:]}, &one)
}

func (t *tx) ErasedAt(id hub.Hash) (at sense.Instant, ok bool, err error) {
	ok, err = t.one("SELECT at FROM erased WHERE id = ?", []any{id[:]}, &at)
	return at, ok, err
}

const holdingColumns = "SELECT device, handle, id, owners, revision, digest, until, items FROM holding "

func scanHolding(r scanner) (h hub.Holding, err error) {
	var handle, digest, items []byte
	var owners string
	if err := r.Scan(&h.Device, &handle, &h.ID, &owners, &h.Revision, &digest, &h.Until, &items); err != nil {
		return h, err
	}
	copy(h.Handle[:], handle)
	copy(h.Digest[:], digest)
	for ; len(items) >= 8; items = items[8:] {
		h.Items = append(h.Items, binary.BigEndian.Uint64(items))
	}
	if owners != "" {
		err = json.Unmarshal([]byte(owners), &h.Owners)
	}
	return h, err
}

func (t *tx) Holding(device string, h wire.Handle) (hub.Holding, bool, error) {
	return first(list(t, scanHolding, holdingColumns+"WHERE device = ? AND handle = ?", device, h[:]))
}

func (t *tx) Customers(device string, handles []wire.Handle) (map[wire.Handle]string, error) {
	type one struct {
		handle wire.Handle
		id     string
	}
	marks, args := in(handles)
	rows, err := list(t, func(r scanner) (x one, err error) {
		var handle []byte
		err = r.Scan(&handle, &x.id)
		copy(x.handle[:], handle)
		return x, err
	}, "SELECT handle, id FROM holding WHERE device = ? AND handle IN "+marks, append([]any{device}, args...)...)
	ids := make(map[wire.Handle]string, len(rows))
	for _, x := range rows {
		ids[x.handle] = x.id
	}
	return ids, err
}

func (t *tx) HoldingsOf(ids []string) ([]hub.Holding, error) {
	marks, args := in(ids)
	return list(t, scanHolding, holdingColumns+"WHERE id IN "+marks+" ORDER BY device, handle", args...)
}

func (t *tx) HoldingsWith(owners []string) ([]hub.Holding, error) {
	marks, args := in(owners)
	return list(t, scanHolding, holdingColumns+"WHERE (device, handle) IN (SELECT device, handle FROM holding_owner WHERE owner IN "+marks+
		") ORDER BY device, handle", args...)
}

func (t *tx) HoldingsAt(device string, now sense.Instant) ([]hub.Holding, error) {
	return list(t, scanHolding, holdingColumns+"WHERE device = ? AND until > ? ORDER BY device, handle", device, int64(now))
}

func (t *tx) HoldingsAfter(device string, h wire.Handle, limit int) ([]hub.Holding, error) {
	return list(t, scanHolding, holdingColumns+"WHERE (device, handle) > (?, ?) ORDER BY device, handle LIMIT ?", device, h[:], limit)
}

func scanForget(r scanner) (f hub.Forget, err error) {
	var handle []byte
	err = r.Scan(&f.Device, &handle, &f.ID, &f.At, &f.Sent, &f.Erasure, &f.Lease)
	copy(f.Handle[:], handle)
	return f, err
}

func (t *tx) Forgets(device string) ([]hub.Forget, error) {
	return list(t, scanForget, "SELECT device, handle, id, at, sent, erasure, lease FROM forget WHERE device = ? ORDER BY handle", device)
}

func (t *tx) ForgetsDue(at sense.Instant, limit int) ([]hub.Forget, error) {
	return list(t, scanForget, "SELECT device, handle, id, at, sent, erasure, lease FROM forget WHERE sent < ? ORDER BY device, handle LIMIT ?", int64(at), limit)
}

const contactColumns = "SELECT d.device, d.epoch, d.n, d.seq, d.at, d.handle, d.action, d.slot, d.intent, d.team, d.about, d.channel"

const contactsOf = " FROM decision d JOIN holding h ON h.device = d.device AND h.handle = d.handle AND d.handle IS NOT NULL AND d.action <> '' "

func scanContact(r scanner) (c hub.Contacted, err error) {
	var epoch, n, seq int64
	var handle []byte
	err = r.Scan(&c.Device, &epoch, &n, &seq, &c.At, &handle, &c.Action, &c.Slot, &c.Intent, &c.Group, &c.About, &c.Channel)
	c.Epoch, c.N, c.Seq = uint64(epoch), uint64(n), uint64(seq)
	copy(c.Handle[:], handle)
	return c, err
}

func scanOutcome(r scanner) (o hub.Outcome, err error) {
	var epoch, n int64
	err = r.Scan(&o.Device, &epoch, &n, &o.By, &o.Outcome, &o.Happened)
	o.Epoch, o.N = uint64(epoch), uint64(n)
	return o, err
}

func (t *tx) Contacts(ids []string) ([]hub.Contacted, error) {
	if err := t.flush(theContacts); err != nil {
		return nil, err
	}
	marks, args := in(ids)
	contacts, err := list(t, scanContact, contactColumns+contactsOf+"WHERE h.id IN "+marks, args...)
	if err != nil {
		return nil, err
	}
	marks, args = in(ids) // a statement may have changed the others
	outcomes, err := list(t, scanOutcome, "SELECT DISTINCT o.device, o.epoch, o.n, o.said_by, o.outcome, o.happened"+contactsOf+
		"JOIN outcome o ON o.device = d.device AND o.epoch = d.epoch AND o.n = d.n WHERE h.id IN "+marks, args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(outcomes, orderOutcomes)
	of := map[decisionKey][]hub.Outcome{}
	for _, o := range outcomes {
		key := decisionKey{o.Device, o.Epoch, o.N}
		of[key] = append(of[key], o)
	}
	for k := range contacts {
		c := &contacts[k]
		c.Outcomes = of[decisionKey{c.Device, c.Epoch, c.N}]
	}
	slices.SortFunc(contacts, orderContacts) // here, since epochs of 64 bits are kept signed
	return contacts, nil
}

const grantColumns = "SELECT b.device, b.handle, b.cap, b.about, b.units, b.epoch, b.through, b.until, b.free, b.asked, b.ended, b.end_epoch, b.end_through FROM budget b "

func scanGrant(r scanner) (g hub.Grant, err error) {
	var handle []byte
	var epoch, through, endEpoch, endThrough int64
	err = r.Scan(&g.Device, &handle, &g.Limit, &g.About, &g.Units, &epoch, &through, &g.Until, &g.Free, &g.Asked, &g.Ended, &endEpoch, &endThrough)
	g.Epoch, g.Through, g.EndEpoch, g.EndThrough = uint64(epoch), uint64(through), uint64(endEpoch), uint64(endThrough)
	copy(g.Handle[:], handle)
	return g, err
}

func (t *tx) Grants(ids []string) ([]hub.Grant, error) {
	marks, args := in(ids)
	return list(t, scanGrant, grantColumns+"JOIN holding h ON h.device = b.device AND h.handle = b.handle WHERE h.id IN "+marks+
		" ORDER BY b.device, b.handle, b.cap, b.about", args...)
}

func (t *tx) GrantsOf(device string, h wire.Handle) ([]hub.Grant, error) {
	return list(t, scanGrant, grantColumns+"WHERE b.device = ? AND b.handle = ? ORDER BY b.cap, b.about", device, h[:])
}

func (t *tx) GrantsAfter(g hub.Grant, limit int) ([]hub.Grant, error) {
	return list(t, scanGrant, grantColumns+"WHERE (b.device, b.handle, b.cap, b.about) > (?, ?, ?, ?) ORDER BY b.device, b.handle, b.cap, b.about LIMIT ?",
		g.Device, g.Handle[:], g.Limit, g.About, limit)
}

func (t *tx) Lent(device string, after wire.Handle, limit int) ([]wire.Handle, error) {
	return list(t, scanHandle, "SELECT DISTINCT handle FROM budget WHERE device = ? AND handle > ? AND ended = 0 ORDER BY handle LIMIT ?", device, after[:], limit)
}

func scanHandle(r scanner) (h wire.Handle, err error) {
	var handle []byte
	err = r.Scan(&handle)
	copy(h[:], handle)
	return h, err
}

func scanErasure(r scanner) (e hub.Erasure, err error) {
	var doc string
	if err := r.Scan(&doc); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(doc), &e)
}

func (t *tx) Erasure(id string) (hub.Erasure, bool, error) {
	return first(list(t, scanErasure, "SELECT doc FROM erasure WHERE id = ?", id))
}

func (t *tx) Erasures(after string, open bool, limit int) ([]hub.Erasure, error) {
	query := "SELECT doc FROM erasure WHERE id > ? ORDER BY id LIMIT ?"
	if open {
		query = "SELECT doc FROM erasure WHERE done = 0 AND id > ? ORDER BY id LIMIT ?"
	}
	return list(t, scanErasure, query, after, limit)
}

func scanDevice(r scanner) (d hub.Device, err error) {
	var doc string
	if err := r.Scan(&doc); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(doc), &d)
}

func (t *tx) Device(id string) (hub.Device, bool, error) {
	return first(list(t, scanDevice, "SELECT doc FROM device WHERE id = ?", id))
}

func (t *tx) Devices(after string, limit int) ([]hub.Device, error) {
	return list(t, scanDevice, "SELECT doc FROM device WHERE id > ? ORDER BY id LIMIT ?", after, limit)
}

func scanMark(r scanner) (m hub.Mark, err error) {
	var doc string
	if err := r.Scan(&doc); err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(doc), &m)
}

func (t *tx) Mark(device string, epoch uint64) (hub.Mark, error) {
	if m, ok := t.pending.marks[epochKey{device, epoch}]; ok {
		return m, nil
	}
	m, _, err := first(list(t, scanMark, "SELECT doc FROM mark WHERE device = ? AND epoch = ?", device, int64(epoch)))
	return m, err
}

func (t *tx) Digests(device string, epoch, firstSeq, last uint64) (map[uint64]hub.Digest, error) {
	type one struct {
		seq    int64
		digest []byte
	}
	rows, err := list(t, func(r scanner) (x one, err error) { return x, r.Scan(&x.seq, &x.digest) },
		"SELECT seq, digest FROM record WHERE device = ? AND epoch = ? AND seq BETWEEN ? AND ?", device, int64(epoch), int64(firstSeq), int64(last))
	found := make(map[uint64]hub.Digest, len(rows))
	for _, x := range rows {
		var d hub.Digest
		copy(d[:], x.digest)
		found[uint64(x.seq)] = d
	}
	t.pendingDigests(found, device, epoch, firstSeq, last)
	return found, err
}

func scanPart(r scanner) (p hub.SymbolPart, err error) {
	var names string
	if err := r.Scan(&p.From, &p.Of, &names); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(names), &p.Names)
}

const symbolColumns = "SELECT first, total, names FROM symbol WHERE bundle = ? AND device = ? ORDER BY first"

// maxTables bounds the symbol tables that are kept decoded.
const maxTables = 64

// Symbols keeps tables that are whole and committed: every batch asks for one, and it never changes.
func (t *tx) Symbols(b wire.BundleID, device string) ([]string, bool, error) {
	key := symbolKey{b, device}
	if names, ok := t.l.tables[key]; ok {
		return names, true, nil
	}
	parts, err := list(t, scanPart, symbolColumns, b[:], device)
	names, ok := wholeTable(parts)
	if ok && !t.tablesChanged {
		if len(t.l.tables) >= maxTables {
			clear(t.l.tables)
		}
		t.l.tables[key] = names
	}
	return names, ok, err
}

func (t *tx) Bundle(sha256 string) (b hub.Bundle, ok bool, err error) {
	ok, err = t.one("SELECT sha256, name, version, at, file, signature FROM bundle WHERE sha256 = ?", []any{sha256},
		&b.SHA256, &b.Name, &b.Version, &b.At, &b.File, &b.Signature)
	return b, ok, err
}

func (t *tx) Wants() ([]hub.Want, error) {
	return list(t, func(r scanner) (w hub.Want, err error) { return w, r.Scan(&w.Scope, &w.SHA256, &w.At) },
		"SELECT scope, sha256, at FROM want ORDER BY scope")
}

func (t *tx) Revision() (uint64, error) {
	var r int64
	_, err := t.one("SELECT revision FROM revision WHERE one = 1", nil, &r)
	return uint64(r), err
}

// ownersDoc is a holding's owners as they are kept.
func ownersDoc(owners []event.Owner) (string, error) {
	if len(owners) == 0 {
		return "", nil
	}
	b, err := json.Marshal(owners)
	return string(b), err
}
