package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/sync/hub"
)

// Apply makes changes, in order.
func (t *memoryTx) Apply(writes []hub.Write) error {
	for _, w := range writes {
		if err := t.apply(w); err != nil {
			return err
		}
	}
	return nil
}

func (t *memoryTx) apply(w hub.Write) error {
	m := t.m
	switch w := w.(type) {
	case hub.PutPerson:
		t.leave(w.ID)
		put(t, m.persons, w.ID, w.Person)
		index(t, m.idsOf, w.Person, w.ID, true)
	case hub.DropPerson:
		t.leave(w.ID)
		drop(t, m.persons, w.ID)
	case hub.PutMerge:
		put(t, m.merges, [2]string{w.Into, w.From}, w.Merge)
	case hub.DropMerge:
		drop(t, m.merges, [2]string{w.Into, w.From})
	case hub.PutTaken:
		put(t, m.taken, w.Key, true)
	case hub.AddEntry:
		t.addEntry(w.Entry)
	case hub.DropEntries:
		for _, row := range w.Rows {
			t.dropEntry(row)
		}
	case hub.DropID:
		for _, row := range slices.Clone(m.byID[w.ID]) {
			t.dropEntry(row)
		}
	case hub.SetRetention:
		for row, e := range m.entries {
			if e.What == w.What && e.Name == w.Name {
				e.Expires = e.Happened.Add(w.Keep)
				put(t, m.entries, row, e)
			}
		}
	case hub.PutErased:
		put(t, m.erased, w.ID, w.At)
	case hub.DropErased:
		drop(t, m.erased, w.ID)
	case hub.PutHolding:
		key := holdingKey{w.Device, w.Handle}
		if old, had := m.holdings[key]; !had || old.ID != w.Holding.ID {
			index(t, m.heldAs, old.ID, key, false)
			index(t, m.heldAs, w.Holding.ID, key, true)
		}
		put(t, m.holdings, key, w.Holding)
	case hub.DropHolding:
		key := holdingKey{w.Device, w.Handle}
		index(t, m.heldAs, m.holdings[key].ID, key, false)
		drop(t, m.holdings, key)
		for _, grant := range m.lent[key] {
			drop(t, m.grants, grant)
		}
		drop(t, m.lent, key)
		t.dropDigests(w)
	case hub.PutForget:
		put(t, m.forgets, holdingKey{w.Device, w.Handle}, w.Forget)
	case hub.DropForget:
		drop(t, m.forgets, holdingKey{w.Device, w.Handle})
	case hub.PutGrant:
		key := grantKey{holdingKey{w.Device, w.Handle}, w.Limit, w.About}
		put(t, m.grants, key, w.Grant)
		index(t, m.lent, key.holdingKey, key, true)
	case hub.DropGrant:
		key := grantKey{holdingKey{w.Device, w.Handle}, w.Limit, w.About}
		drop(t, m.grants, key)
		index(t, m.lent, key.holdingKey, key, false)
	case hub.PutErasure:
		put(t, m.erasures, w.ID, w.Erasure)
	case hub.PutDevice:
		put(t, m.devices, w.ID, w.Device)
	case hub.PutMark:
		put(t, m.marks, epochKey{w.Device, w.Epoch}, w.Mark)
	case hub.AddRecords:
		for _, r := range w.Records {
			t.addRecord(r)
		}
	case hub.AddDecision:
		once := decisionRow{decisionKey{w.Device, w.Epoch, w.N}, w.Seq}
		if m.indexed[once] {
			return nil
		}
		put(t, m.indexed, once, true)
		set(t, &m.decided, append(m.decided, w.Decision))
		if w.Action != "" && !w.Handle.IsNone() {
			key := holdingKey{w.Device, w.Handle}
			put(t, m.contacts, key, append(m.contacts[key], w.Decision))
		}
	case hub.AddOutcome:
		key := decisionKey{w.Device, w.Epoch, w.N}
		for _, o := range m.decision[key] {
			if o.By == w.By {
				return nil
			}
		}
		put(t, m.decision, key, append(m.decision[key], w.Outcome))
	case hub.PutBundle:
		put(t, m.bundles, w.SHA256, w.Bundle)
	case hub.PutSymbols:
		key := symbolKey{w.Bundle, w.Device}
		parts := slices.DeleteFunc(slices.Clone(m.symbols[key]), func(p hub.SymbolPart) bool { return p.From == w.From })
		parts = append(parts, w.SymbolPart)
		slices.SortFunc(parts, func(a, b hub.SymbolPart) int { return cmp.Compare(a.From, b.From) })
		put(t, m.symbols, key, parts)
	case hub.PutWant:
		put(t, m.wants, w.Scope, w.Want)
	case hub.PutRevision:
		set(t, &m.revision, w.Revision)
	default:
		return fmt.Errorf("apply %T: not known", w)
	}
	return nil
}

// leave takes an id from the customer that it belongs to.
func (t *memoryTx) leave(id string) {
	if old, had := t.m.persons[id]; had {
		index(t, t.m.idsOf, old, id, false)
	}
}

func (t *memoryTx) addEntry(e hub.Entry) {
	m := t.m
	set(t, &m.row, m.row+1)
	e.Row = m.row
	put(t, m.entries, e.Row, e)
	if e.Owner != "" {
		put(t, m.byOwner, e.Owner, append(m.byOwner[e.Owner], e.Row))
	} else {
		put(t, m.byID, e.ID, append(m.byID[e.ID], e.Row))
	}
}

func (t *memoryTx) dropEntry(row int64) {
	e, ok := t.m.entries[row]
	if !ok {
		return
	}
	drop(t, t.m.entries, row)
	index, key := t.m.byID, e.ID
	if e.Owner != "" {
		index, key = t.m.byOwner, e.Owner
	}
	rows := slices.DeleteFunc(slices.Clone(index[key]), func(x int64) bool { return x == row })
	if len(rows) == 0 {
		drop(t, index, key)
		return
	}
	put(t, index, key, rows)
}

// addRecord keeps a record; one that is there stays as it is.
func (t *memoryTx) addRecord(r hub.Record) {
	m := t.m
	key := epochKey{r.Device, r.Epoch}
	if m.records[key] == nil {
		put(t, m.records, key, map[uint64]int64{})
	}
	if _, had := m.records[key][r.Seq]; had {
		return
	}
	set(t, &m.log, append(m.log, r))
	put(t, m.records[key], r.Seq, int64(len(m.log)))
}

// dropDigests leaves nothing of the personal records of a handle but that they were.
func (t *memoryTx) dropDigests(w hub.DropHolding) {
	for k := range t.m.log {
		r := &t.m.log[k]
		if r.Device == w.Device && r.Handle == w.Handle && r.Body == nil {
			set(t, &r.Digest, hub.Digest{})
		}
	}
}
