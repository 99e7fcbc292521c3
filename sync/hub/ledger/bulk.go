package ledger

import (
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// bulk is the rows that a table gets at once, column by column. A row whose key is
// there already, in the table or in the bulk, is left out.
type bulk struct {
	table   *bulkTable
	rows    int
	columns []bulkColumn
}

type bulkTable struct {
	name    string
	columns []columnType
}

// bulkColumn holds the values of a column in the one of its lists that is of its kind.
type bulkColumn struct {
	ints  []int64
	texts []string
	blobs [][]byte // nil is NULL
}

type columnType struct {
	name string
	kind columnKind
	// orNull has a value that stands for NULL: the empty text, sense.Never.
	orNull bool
}

type columnKind uint8

const (
	integer columnKind = iota
	text
	blob
)

// The tables that a round brings many rows for.
var (
	recordTable = &bulkTable{"record", []columnType{{name: "device", kind: text}, {name: "epoch"}, {name: "seq"}, {name: "kind"}, {name: "at"},
		{name: "handle", kind: blob}, {name: "bundle", kind: blob}, {name: "digest", kind: blob}, {name: "body", kind: blob}}}
	decisionTable = &bulkTable{"decision", []columnType{{name: "device", kind: text}, {name: "epoch"}, {name: "n"}, {name: "seq"}, {name: "at"},
		{name: "handle", kind: blob}, {name: "action", kind: text}, {name: "slot", kind: text}, {name: "intent", kind: text},
		{name: "team", kind: text}, {name: "about", kind: text}, {name: "channel", kind: text}}}
	outcomeTable = &bulkTable{"outcome", []columnType{{name: "device", kind: text}, {name: "epoch"}, {name: "n"}, {name: "said_by", kind: text},
		{name: "outcome", kind: text}, {name: "happened"}}}
	takenTable = &bulkTable{"taken", []columnType{{name: "key", kind: blob}}}
	entryTable = &bulkTable{"entry", []columnType{{name: "id", kind: text, orNull: true}, {name: "owner", kind: text, orNull: true},
		{name: "what", kind: text}, {name: "name", kind: text}, {name: "happened"}, {name: "expires", orNull: true}, {name: "device", kind: text},
		{name: "handle", kind: blob}, {name: "source", kind: text}, {name: "line", kind: blob}, {name: "record", kind: blob}}}
)

// row begins a row; its values follow in order of the columns.
func (b *bulk) row(table *bulkTable) *rowOf {
	if b.table == nil {
		b.table, b.columns = table, make([]bulkColumn, len(table.columns))
	}
	b.rows++
	return &rowOf{columns: b.columns}
}

type rowOf struct {
	columns []bulkColumn
	at      int
}

func (r *rowOf) int(v int64) *rowOf {
	c := &r.columns[r.at]
	c.ints = append(c.ints, v)
	r.at++
	return r
}

func (r *rowOf) text(v string) *rowOf {
	c := &r.columns[r.at]
	c.texts = append(c.texts, v)
	r.at++
	return r
}

func (r *rowOf) blob(v []byte) *rowOf {
	c := &r.columns[r.at]
	c.blobs = append(c.blobs, v)
	r.at++
	return r
}

// clear empties the bulk and keeps its memory.
func (b *bulk) clear() {
	b.rows = 0
	for k := range b.columns {
		c := &b.columns[k]
		clear(c.texts)
		clear(c.blobs)
		c.ints, c.texts, c.blobs = c.ints[:0], c.texts[:0], c.blobs[:0]
	}
}

// value is what a row has in a column, nil for NULL.
func (b *bulk) value(row, column int) any {
	c, t := &b.columns[column], &b.table.columns[column]
	switch t.kind {
	case text:
		if s := c.texts[row]; s != "" || !t.orNull {
			return s
		}
	case blob:
		if x := c.blobs[row]; x != nil {
			return x
		}
	default:
		if n := c.ints[row]; !t.orNull || n != int64(sense.Never) {
			return n
		}
	}
	return nil
}

// maxPending bounds the rows that wait in memory.
const maxPending = 4096

// pending is what a transaction has been told and has not written yet: most of what
// devices send is rows that nobody in the round asks for, and many at once cost far
// less than one by one. Whoever reads or changes such a table flushes it first.
type pending struct {
	records, decisions, outcomes, taken, entries bulk

	recordsOf map[epochKey][]int // rows of records
	takenKeys map[hub.Hash]bool
	marks     map[epochKey]hub.Mark
	markOrder []epochKey
}

// which names the tables that flush writes.
type which uint8

const (
	theRecords which = 1 << iota
	theContacts
	theEntries
	theRest
	everything = theRecords | theContacts | theEntries | theRest
)

func (t *tx) flush(w which) error {
	p := &t.pending
	if w&theRecords != 0 {
		clear(p.recordsOf)
		if err := t.insert(&p.records); err != nil {
			return err
		}
	}
	if w&theContacts != 0 {
		for _, b := range []*bulk{&p.decisions, &p.outcomes} {
			if err := t.insert(b); err != nil {
				return err
			}
		}
	}
	if w&theEntries != 0 {
		if err := t.insert(&p.entries); err != nil {
			return err
		}
	}
	if w&theRest == 0 {
		return nil
	}
	clear(p.takenKeys)
	if err := t.insert(&p.taken); err != nil {
		return err
	}
	for _, key := range p.markOrder {
		if err := t.putDoc(putMark, p.marks[key], key.device, int64(key.epoch)); err != nil {
			return err
		}
	}
	clear(p.marks)
	p.markOrder = p.markOrder[:0]
	return nil
}

func (t *tx) insert(b *bulk) error {
	if b.rows == 0 {
		return nil
	}
	for k := range b.columns {
		for n, s := range b.columns[k].texts {
			b.columns[k].texts[n] = t.l.dialect.text(s)
		}
	}
	err := t.l.dialect.insert(t, b)
	b.clear()
	return err
}

func (t *tx) addRecords(records []hub.Record) error {
	p := &t.pending
	if p.recordsOf == nil {
		p.recordsOf = map[epochKey][]int{}
	}
	for k := range records {
		r := &records[k]
		var digest []byte
		if r.Digest != (hub.Digest{}) {
			digest = r.Digest[:]
		}
		key := epochKey{r.Device, r.Epoch}
		p.recordsOf[key] = append(p.recordsOf[key], p.records.rows)
		p.records.row(recordTable).text(r.Device).int(int64(r.Epoch)).int(int64(r.Seq)).int(int64(r.Kind)).int(int64(r.At)).
			blob(handleOrNull(&r.Handle)).blob(r.Bundle[:]).blob(digest).blob(r.Body)
		if p.records.rows >= maxPending {
			if err := t.flush(theRecords); err != nil {
				return err
			}
		}
	}
	return nil
}

// pendingDigests adds those of records that are not written yet; of two the first counts.
func (t *tx) pendingDigests(found map[uint64]hub.Digest, device string, epoch, first, last uint64) {
	c := t.pending.records.columns
	for _, row := range t.pending.recordsOf[epochKey{device, epoch}] {
		seq := uint64(c[2].ints[row])
		if _, have := found[seq]; have || seq < first || seq > last {
			continue
		}
		var d hub.Digest
		copy(d[:], c[7].blobs[row])
		found[seq] = d
	}
}

func (t *tx) addDecision(d *hub.Decision) error {
	t.pending.decisions.row(decisionTable).text(d.Device).int(int64(d.Epoch)).int(int64(d.N)).int(int64(d.Seq)).int(int64(d.At)).
		blob(handleOrNull(&d.Handle)).text(d.Action).text(d.Slot).text(d.Intent).text(d.Group).text(d.About).text(d.Channel)
	return t.flushFull(&t.pending.decisions, theContacts)
}

func (t *tx) addOutcome(o *hub.Outcome) error {
	t.pending.outcomes.row(outcomeTable).text(o.Device).int(int64(o.Epoch)).int(int64(o.N)).text(o.By).text(o.Outcome).int(int64(o.Happened))
	return t.flushFull(&t.pending.outcomes, theContacts)
}

func (t *tx) addEntry(e *hub.Entry) error {
	t.pending.entries.row(entryTable).text(e.ID).text(e.Owner).text(e.What).text(e.Name).int(int64(e.Happened)).int(int64(e.Expires)).text(e.Device).
		blob(handleOrNull(&e.Handle)).text(e.Source).blob(e.Line).blob(e.Record)
	return t.flushFull(&t.pending.entries, theEntries)
}

func (t *tx) putTaken(key *hub.Hash) error {
	p := &t.pending
	if p.takenKeys == nil {
		p.takenKeys = map[hub.Hash]bool{}
	}
	p.takenKeys[*key] = true
	p.taken.row(takenTable).blob(key[:])
	return t.flushFull(&p.taken, theRest)
}

func (t *tx) flushFull(b *bulk, w which) error {
	if b.rows < maxPending {
		return nil
	}
	return t.flush(w)
}

// putMark keeps the newest mark of an epoch for the end: a round brings many.
func (t *tx) putMark(m hub.Mark) {
	p, key := &t.pending, epochKey{m.Device, m.Epoch}
	if p.marks == nil {
		p.marks = map[epochKey]hub.Mark{}
	}
	if _, have := p.marks[key]; !have {
		p.markOrder = append(p.markOrder, key)
	}
	p.marks[key] = m
}

// handleOrNull is nil for no handle.
func handleOrNull(h *wire.Handle) []byte {
	if h.IsNone() {
		return nil
	}
	return h[:]
}
