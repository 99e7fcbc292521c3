package ledger

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Memory is a ledger that lives as long as the process: for the simulator and tests.
type Memory struct {
	writer chan struct{} // holds a token while no transaction is open
	mu     sync.Mutex    // guards the tables
	tables
}

// tables is everything that a ledger keeps.
type tables struct {
	persons  map[string]string
	idsOf    map[string][]string       // of a customer
	heldAs   map[string][]holdingKey   // of an id
	lent     map[holdingKey][]grantKey // to a handle
	merges   map[[2]string]hub.Merge
	taken    map[hub.Hash]bool
	entries  map[int64]hub.Entry
	byID     map[string][]int64 // rows of entries, rising
	byOwner  map[string][]int64
	row      int64
	erased   map[hub.Hash]sense.Instant
	holdings map[holdingKey]hub.Holding
	forgets  map[holdingKey]hub.Forget
	devices  map[string]hub.Device
	marks    map[epochKey]hub.Mark
	records  map[epochKey]map[uint64]int64 // arrival numbers
	log      []hub.Record                  // by arrival number, from 1
	decided  []hub.Decision
	indexed  map[decisionRow]bool // those of decided
	decision map[decisionKey][]hub.Outcome
	contacts map[holdingKey][]hub.Decision // those with an action and a handle
	grants   map[grantKey]hub.Grant
	erasures map[string]hub.Erasure
	bundles  map[string]hub.Bundle
	symbols  map[symbolKey][]hub.SymbolPart
	wants    map[string]hub.Want
	revision uint64
}

type (
	holdingKey struct {
		device string
		handle wire.Handle
	}
	epochKey struct {
		device string
		epoch  uint64
	}
	decisionKey struct {
		device   string
		epoch, n uint64
	}
	decisionRow struct {
		decisionKey
		seq uint64
	}
	grantKey struct {
		holdingKey
		limit, about string
	}
	symbolKey struct {
		bundle wire.BundleID
		device string
	}
)

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	m := &Memory{writer: make(chan struct{}, 1), tables: tables{
		persons: map[string]string{}, idsOf: map[string][]string{}, heldAs: map[string][]holdingKey{}, lent: map[holdingKey][]grantKey{}, merges: map[[2]string]hub.Merge{}, taken: map[hub.Hash]bool{}, entries: map[int64]hub.Entry{},
		byID: map[string][]int64{}, byOwner: map[string][]int64{}, erased: map[hub.Hash]sense.Instant{},
		holdings: map[holdingKey]hub.Holding{}, forgets: map[holdingKey]hub.Forget{}, devices: map[string]hub.Device{},
		marks: map[epochKey]hub.Mark{}, records: map[epochKey]map[uint64]int64{}, decision: map[decisionKey][]hub.Outcome{}, indexed: map[decisionRow]bool{},
		contacts: map[holdingKey][]hub.Decision{}, grants: map[grantKey]hub.Grant{}, erasures: map[string]hub.Erasure{},
		bundles: map[string]hub.Bundle{}, symbols: map[symbolKey][]hub.SymbolPart{}, wants: map[string]hub.Want{},
	}}
	m.writer <- struct{}{}
	return m
}

// Close does nothing: there is nothing to keep.
func (m *Memory) Close() error { return nil }

// Begin opens the writing transaction.
func (m *Memory) Begin(ctx context.Context) (Tx, error) {
	select {
	case <-m.writer:
		m.mu.Lock()
		return &memoryTx{m: m}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memoryTx changes the tables in place and knows how to take each change back.
type memoryTx struct {
	m    *Memory
	undo []func()
	done bool
}

func (t *memoryTx) Commit() error {
	t.end()
	return nil
}

func (t *memoryTx) Rollback() error {
	if !t.done {
		for k := len(t.undo) - 1; k >= 0; k-- {
			t.undo[k]()
		}
	}
	t.end()
	return nil
}

func (t *memoryTx) end() {
	if !t.done {
		t.done = true
		t.m.mu.Unlock()
		t.m.writer <- struct{}{}
	}
}

// put sets a key of a table, drop takes it away; both can be taken back.
func put[K comparable, V any](t *memoryTx, table map[K]V, key K, v V) {
	old, had := table[key]
	table[key] = v
	t.undo = append(t.undo, func() {
		if had {
			table[key] = old
		} else {
			delete(table, key)
		}
	})
}

func drop[K comparable, V any](t *memoryTx, table map[K]V, key K) {
	if old, had := table[key]; had {
		delete(table, key)
		t.undo = append(t.undo, func() { table[key] = old })
	}
}

func set[V any](t *memoryTx, at *V, v V) {
	old := *at
	*at = v
	t.undo = append(t.undo, func() { *at = old })
}

func sortedValues[K comparable, V any](table map[K]V, keep func(V) bool, order func(a, b V) int) []V {
	var list []V
	for _, v := range table {
		if keep(v) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, order)
	return list
}

func (t *memoryTx) PersonOf(id string) (string, bool, error) {
	p, ok := t.m.persons[id]
	return p, ok, nil
}

func (t *memoryTx) IDsOf(person string) ([]string, error) {
	return slices.Sorted(slices.Values(t.m.idsOf[person])), nil
}

// index adds a value to those of a key, or takes it away; both can be taken back.
func index[K, V comparable](t *memoryTx, table map[K][]V, key K, v V, there bool) {
	list := table[key]
	at := slices.Index(list, v)
	switch {
	case there && at < 0:
		put(t, table, key, append(list, v)) // where it is taken back the list before is as long as it was
	case there || at < 0: // it is as it shall be
	case len(list) == 1:
		drop(t, table, key)
	default:
		put(t, table, key, slices.Delete(slices.Clone(list), at, at+1))
	}
}

// handlesOf returns the handles of these ids, each once.
func (t *memoryTx) handlesOf(ids []string) (list []holdingKey) {
	for k, id := range ids {
		if !slices.Contains(ids[:k], id) {
			list = append(list, t.m.heldAs[id]...)
		}
	}
	return list
}

func (t *memoryTx) People(after string, limit int) ([]string, error) {
	names := map[string]bool{}
	for _, p := range t.m.persons {
		names[p] = p > after
	}
	list := slices.Sorted(maps.Keys(names))
	list = slices.DeleteFunc(list, func(p string) bool { return !names[p] })
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) MergesOf(ids []string) ([]hub.Merge, error) {
	return sortedValues(t.m.merges, func(m hub.Merge) bool { return slices.Contains(ids, m.Into) || slices.Contains(ids, m.From) },
		func(a, b hub.Merge) int {
			return cmp.Or(cmp.Compare(a.Happened, b.Happened), strings.Compare(a.Into, b.Into), strings.Compare(a.From, b.From))
		}), nil
}

func (t *memoryTx) rows(index map[string][]int64, keys []string) []hub.Entry {
	var list []hub.Entry
	for _, key := range keys {
		for _, row := range index[key] {
			list = append(list, t.m.entries[row])
		}
	}
	slices.SortFunc(list, func(a, b hub.Entry) int { return cmp.Compare(a.Row, b.Row) })
	return list
}

func (t *memoryTx) Entries(ids []string) ([]hub.Entry, error) { return t.rows(t.m.byID, ids), nil }

func (t *memoryTx) OwnerEntries(owners []string) ([]hub.Entry, error) {
	return t.rows(t.m.byOwner, owners), nil
}

func (t *memoryTx) Expired(now sense.Instant, limit int) ([]hub.Entry, error) {
	list := sortedValues(t.m.entries, func(e hub.Entry) bool { return e.Expires <= now },
		func(a, b hub.Entry) int { return cmp.Compare(a.Row, b.Row) })
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Taken(key hub.Hash) (bool, error) { return t.m.taken[key], nil }

func (t *memoryTx) ErasedAt(id hub.Hash) (sense.Instant, bool, error) {
	at, ok := t.m.erased[id]
	return at, ok, nil
}

func (t *memoryTx) Holding(device string, h wire.Handle) (hub.Holding, bool, error) {
	x, ok := t.m.holdings[holdingKey{device, h}]
	return x, ok, nil
}

func orderHoldings(a, b hub.Holding) int {
	return cmp.Or(strings.Compare(a.Device, b.Device), slices.Compare(a.Handle[:], b.Handle[:]))
}

func (t *memoryTx) HoldingsOf(ids []string) ([]hub.Holding, error) {
	var list []hub.Holding
	for _, key := range t.handlesOf(ids) {
		list = append(list, t.m.holdings[key])
	}
	slices.SortFunc(list, orderHoldings)
	return list, nil
}

func (t *memoryTx) HoldingsWith(owners []string) ([]hub.Holding, error) {
	return sortedValues(t.m.holdings, func(h hub.Holding) bool {
		for _, o := range h.Owners {
			if slices.Contains(owners, o.ID) {
				return true
			}
		}
		return false
	}, orderHoldings), nil
}

func (t *memoryTx) HoldingsAt(device string, now sense.Instant) ([]hub.Holding, error) {
	return sortedValues(t.m.holdings, func(h hub.Holding) bool { return h.Device == device && h.Until > now }, orderHoldings), nil
}

func (t *memoryTx) HoldingsAfter(device string, h wire.Handle, limit int) ([]hub.Holding, error) {
	after := hub.Holding{Device: device, Handle: h}
	list := sortedValues(t.m.holdings, func(h hub.Holding) bool { return orderHoldings(h, after) > 0 }, orderHoldings)
	return list[:min(limit, len(list))], nil
}

func orderForgets(a, b hub.Forget) int {
	return cmp.Or(strings.Compare(a.Device, b.Device), slices.Compare(a.Handle[:], b.Handle[:]))
}

func (t *memoryTx) Forgets(device string) ([]hub.Forget, error) {
	return sortedValues(t.m.forgets, func(f hub.Forget) bool { return f.Device == device }, orderForgets), nil
}

func (t *memoryTx) ForgetsDue(at sense.Instant, limit int) ([]hub.Forget, error) {
	list := sortedValues(t.m.forgets, func(f hub.Forget) bool { return f.Sent < at }, orderForgets)
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Contacts(ids []string) ([]hub.Contacted, error) {
	var list []hub.Contacted
	for _, key := range t.handlesOf(ids) {
		for _, d := range t.m.contacts[key] {
			c := hub.Contacted{Decision: d, Outcomes: slices.Clone(t.m.decision[decisionKey{d.Device, d.Epoch, d.N}])}
			slices.SortFunc(c.Outcomes, orderOutcomes)
			list = append(list, c)
		}
	}
	slices.SortFunc(list, orderContacts)
	return list, nil
}

func orderContacts(a, b hub.Contacted) int {
	return cmp.Or(strings.Compare(a.Device, b.Device), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.N, b.N), cmp.Compare(a.Seq, b.Seq))
}

// orderOutcomes orders those of one decision.
func orderOutcomes(a, b hub.Outcome) int {
	return cmp.Or(cmp.Compare(a.Happened, b.Happened), strings.Compare(a.By, b.By))
}

func orderGrants(a, b hub.Grant) int {
	return cmp.Or(strings.Compare(a.Device, b.Device), slices.Compare(a.Handle[:], b.Handle[:]), strings.Compare(a.Limit, b.Limit), strings.Compare(a.About, b.About))
}

func (t *memoryTx) Grants(ids []string) ([]hub.Grant, error) {
	var list []hub.Grant
	for _, handle := range t.handlesOf(ids) {
		for _, key := range t.m.lent[handle] {
			list = append(list, t.m.grants[key])
		}
	}
	slices.SortFunc(list, orderGrants)
	return list, nil
}

func (t *memoryTx) Customers(device string, handles []wire.Handle) (map[wire.Handle]string, error) {
	ids := map[wire.Handle]string{}
	for _, h := range handles {
		if held, ok := t.m.holdings[holdingKey{device, h}]; ok {
			ids[h] = held.ID
		}
	}
	return ids, nil
}

func (t *memoryTx) GrantsOf(device string, h wire.Handle) ([]hub.Grant, error) {
	var list []hub.Grant
	for _, key := range t.m.lent[holdingKey{device, h}] {
		list = append(list, t.m.grants[key])
	}
	slices.SortFunc(list, orderGrants)
	return list, nil
}

func (t *memoryTx) GrantsAfter(g hub.Grant, limit int) ([]hub.Grant, error) {
	list := sortedValues(t.m.grants, func(x hub.Grant) bool { return orderGrants(x, g) > 0 }, orderGrants)
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Lent(device string, after wire.Handle, limit int) ([]wire.Handle, error) {
	var list []wire.Handle
	for _, g := range t.m.grants { // order: sorted below
		if g.Device == device && !g.Ended && bytes.Compare(g.Handle[:], after[:]) > 0 {
			list = append(list, g.Handle)
		}
	}
	slices.SortFunc(list, func(a, b wire.Handle) int { return bytes.Compare(a[:], b[:]) })
	list = slices.Compact(list)
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Erasure(id string) (hub.Erasure, bool, error) {
	e, ok := t.m.erasures[id]
	return e, ok, nil
}

func (t *memoryTx) Erasures(after string, open bool, limit int) ([]hub.Erasure, error) {
	list := sortedValues(t.m.erasures, func(e hub.Erasure) bool { return e.ID > after && (!open || e.Done == 0) },
		func(a, b hub.Erasure) int { return strings.Compare(a.ID, b.ID) })
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Device(id string) (hub.Device, bool, error) {
	d, ok := t.m.devices[id]
	return d, ok, nil
}

func (t *memoryTx) Devices(after string, limit int) ([]hub.Device, error) {
	list := sortedValues(t.m.devices, func(d hub.Device) bool { return d.ID > after },
		func(a, b hub.Device) int { return strings.Compare(a.ID, b.ID) })
	return list[:min(limit, len(list))], nil
}

func (t *memoryTx) Mark(device string, epoch uint64) (hub.Mark, error) {
	return t.m.marks[epochKey{device, epoch}], nil
}

func (t *memoryTx) Digests(device string, epoch, first, last uint64) (map[uint64]hub.Digest, error) {
	found := map[uint64]hub.Digest{}
	log := t.m.records[epochKey{device, epoch}]
	for seq := first; seq <= last && seq >= first; seq++ {
		if n, ok := log[seq]; ok {
			found[seq] = t.m.log[n-1].Digest
		}
	}
	return found, nil
}

func (t *memoryTx) Symbols(b wire.BundleID, device string) ([]string, bool, error) {
	names, ok := wholeTable(t.m.symbols[symbolKey{b, device}])
	return names, ok, nil
}

func (t *memoryTx) Bundle(sha256 string) (hub.Bundle, bool, error) {
	b, ok := t.m.bundles[sha256]
	return b, ok, nil
}

func (t *memoryTx) Wants() ([]hub.Want, error) {
	return sortedValues(t.m.wants, func(hub.Want) bool { return true }, func(a, b hub.Want) int { return strings.Compare(a.Scope, b.Scope) }), nil
}

func (t *memoryTx) Revision() (uint64, error) { return t.m.revision, nil }

// wholeTable joins the parts of a symbol table, in order of From, where none is missing.
func wholeTable(parts []hub.SymbolPart) ([]string, bool) {
	var names []string
	for _, p := range parts {
		if p.Of != parts[0].Of || int(p.From) > len(names) {
			return nil, false
		}
		if end := int(p.From) + len(p.Names); end > len(names) {
			names = append(names[:p.From], p.Names...)
		}
	}
	return names, len(parts) > 0 && uint32(len(names)) == parts[0].Of
}
