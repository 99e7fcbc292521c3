package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// conformFleet are the cases of what is counted over the fleet: contacts, budgets,
// erasures; and of what a transaction may not write before it is asked.
func conformFleet() []Case {
	return []Case{
		{"contacts are those of the ids' handles, with outcomes", conformContacts},
		{"contacts follow whoever the handle leads to", conformContactsMove},
		{"budgets go by handle, limit and subject", conformGrants},
		{"a holding keeps its items, and its budgets go with it", conformItems},
		{"erasures are open until they are done", conformErasures},
		{"forgets are part of an erasure", conformForgetOfErasure},
		{"people come in order of their names", conformPeople},
		{"what was just applied is read", conformPending},
		{"what is in a transaction that is rolled back is not kept elsewhere", conformRollbackOfAll},
		{"texts that are no text do no harm", conformOddText},
		{"many of everything", conformMany},
	}
}

// contact is a decision with an action.
func contact(device string, epoch, n uint64, h wire.Handle, action string) hub.Decision {
	return hub.Decision{Device: device, Epoch: epoch, N: n, Seq: n + 10, At: sense.Instant(n * 100), Handle: h, Action: action, Slot: "home",
		Intent: "sale", Group: "tyres", About: "vehicle:v-1", Channel: "kiosk"}
}

func conformContacts(t T, l Ledger) {
	h, other := wire.Handle{1}, wire.Handle{2}
	first, second, late := contact("k1", high, 1, h, "offer"), contact("k1", 7, 2, h, "help"), contact("k2", 1, 1, other, "offer")
	silent, nobody := contact("k1", 7, 3, h, ""), contact("k1", 7, 4, wire.Handle{}, "offer")
	shown := hub.Outcome{Device: "k1", Epoch: 7, N: 2, Outcome: "shown", Happened: 5, By: "k1-7-13"}
	never := hub.Outcome{Device: "k1", Epoch: 7, N: 2, Outcome: "never", Happened: 4, By: "k2-1-9"} // said elsewhere, and earlier
	change(t, l, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}, hub.PutHolding{Holding: hub.Holding{Device: "k2", Handle: other, ID: "card:1"}},
		hub.AddDecision{Decision: first}, hub.AddDecision{Decision: second}, hub.AddDecision{Decision: late}, hub.AddDecision{Decision: silent}, hub.AddDecision{Decision: nobody},
		hub.AddDecision{Decision: second}, hub.AddOutcome{Outcome: shown}, hub.AddOutcome{Outcome: never}, hub.AddOutcome{Outcome: shown},
		hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: 7, N: 3, Outcome: "shown", By: "x"}})
	look(t, l, func(v hub.View) error {
		// In order of device, epoch (without a sign), n and seq.
		of, err := v.Contacts([]string{"anna"})
		same(t, "contacts of anna", of, []hub.Contacted{{Decision: second, Outcomes: []hub.Outcome{never, shown}}, {Decision: first}})
		both, err2 := v.Contacts([]string{"card:1", "anna"})
		same(t, "of both ids", len(both), 3)
		same(t, "the last", both[len(both)-1], hub.Contacted{Decision: late})
		none, err3 := v.Contacts([]string{"bob"})
		nobody, err4 := v.Contacts(nil)
		same(t, "of others", []int{len(none), len(nobody)}, []int{0, 0})
		return errors.Join(err, err2, err3, err4)
	})
	change(t, l, hub.DropHolding{Device: "k1", Handle: h})
	look(t, l, func(v hub.View) error {
		left, err := v.Contacts([]string{"anna"})
		same(t, "contacts after the handle leads nowhere", len(left), 0)
		return err
	})
	if c, err := l.Count(context.Background()); err != nil || c.Decisions != 5 {
		t.Errorf("%d decisions are counted, %v", c.Decisions, err)
	}
}

func conformContactsMove(t T, l Ledger) {
	h := wire.Handle{1}
	change(t, l, hub.AddDecision{Decision: contact("k1", 1, 1, h, "offer")}) // before it is known whose the handle is
	tx := begin(t, l)
	none, err := tx.Contacts([]string{"anna"})
	same(t, "before", len(none), 0)
	err = errors.Join(err, tx.Apply([]hub.Write{hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}}))
	here, err2 := tx.Contacts([]string{"anna"})
	same(t, "with the holding", len(here), 1)
	if err := errors.Join(err, err2, tx.Commit()); err != nil {
		t.Fatal(err)
	}
	change(t, l, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "card:9"}})
	look(t, l, func(v hub.View) error {
		a, err := v.Contacts([]string{"anna"})
		b, err2 := v.Contacts([]string{"card:9"})
		same(t, "after the handle went to another id", []int{len(a), len(b)}, []int{0, 1})
		return errors.Join(err, err2)
	})
}

func conformGrants(t T, l Ledger) {
	h := wire.Handle{1}
	weekly := hub.Grant{Device: "k1", Handle: h, Limit: "weekly", Units: 3, Epoch: high, Through: 12, Until: 900, Free: 5000, Asked: 850}
	subject := hub.Grant{Device: "k1", Handle: h, Limit: "weekly", About: "vehicle:v-1", Units: 1, Epoch: high, Through: 12, Until: 900, Free: 5000,
		Ended: true, EndEpoch: high + 1, EndThrough: high + 2}
	daily := hub.Grant{Device: "k1", Handle: h, Limit: "daily", Units: 1}
	elsewhere := hub.Grant{Device: "k0", Handle: wire.Handle{9}, Limit: "weekly", Units: 2}
	stray := hub.Grant{Device: "k3", Handle: wire.Handle{3}, Limit: "weekly", Units: 2} // of a handle that leads nowhere
	change(t, l, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}, hub.PutHolding{Holding: hub.Holding{Device: "k0", Handle: wire.Handle{9}, ID: "card:1"}},
		hub.PutGrant{Grant: weekly}, hub.PutGrant{Grant: subject}, hub.PutGrant{Grant: daily}, hub.PutGrant{Grant: elsewhere}, hub.PutGrant{Grant: stray})
	look(t, l, func(v hub.View) error {
		of, err := v.GrantsOf("k1", h)
		same(t, "of the handle", of, []hub.Grant{daily, weekly, subject})
		all, err2 := v.Grants([]string{"anna", "card:1"})
		same(t, "of both ids", all, []hub.Grant{elsewhere, daily, weekly, subject})
		one, err3 := v.Grants([]string{"card:1"})
		same(t, "of one id", one, []hub.Grant{elsewhere})
		none, err4 := v.Grants(nil)
		same(t, "of nobody", len(none), 0)
		lost, err5 := v.GrantsOf("k3", wire.Handle{3})
		same(t, "of a stray handle", lost, []hub.Grant{stray})
		lent, err6 := v.Lent("k1", wire.Handle{}, 10)
		same(t, "handles with grants", lent, []wire.Handle{h})
		further, err7 := v.Lent("k1", h, 10)
		same(t, "beyond them", len(further), 0)
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
	weekly.Units, weekly.Ended, weekly.EndEpoch, weekly.EndThrough = 1, true, 3, 4
	change(t, l, hub.PutGrant{Grant: weekly}, hub.DropGrant{Device: "k1", Handle: h, Limit: "daily"}, hub.DropGrant{Device: "k1", Handle: h, Limit: "weekly", About: "vehicle:v-1"},
		hub.DropGrant{Device: "k1", Handle: h, Limit: "weekly", About: "never there"})
	look(t, l, func(v hub.View) error {
		of, err := v.GrantsOf("k1", h)
		same(t, "after", of, []hub.Grant{weekly})
		lent, err2 := v.Lent("k1", wire.Handle{}, 10)
		same(t, "what has ended is lent no more", len(lent), 0)
		return errors.Join(err, err2)
	})
	for k := range 5 {
		for _, limit := range []string{"daily", "weekly"} {
			change(t, l, hub.PutGrant{Grant: hub.Grant{Device: "k4", Handle: wire.Handle{byte(250 + k), 1}, Limit: limit, Units: 1}})
		}
	}
	look(t, l, func(v hub.View) error {
		lent, err := v.Lent("k4", wire.Handle{250, 1}, 3)
		same(t, "a page", lent, []wire.Handle{{251, 1}, {252, 1}, {253, 1}})
		var grants []string
		after := hub.Grant{Device: "k3", Handle: wire.Handle{3}, Limit: "weekly"}
		for range 2 {
			page, err := v.GrantsAfter(after, 3)
			if err != nil {
				return err
			}
			for _, g := range page {
				grants = append(grants, fmt.Sprint(g.Device, g.Handle[0], g.Limit))
				after = g
			}
		}
		same(t, "grants by pages", grants, []string{"k4250daily", "k4250weekly", "k4251daily", "k4251weekly", "k4252daily", "k4252weekly"})
		last, err2 := v.GrantsAfter(hub.Grant{Device: "k4", Handle: wire.Handle{254, 1}, Limit: "weekly"}, 3)
		same(t, "beyond the last", len(last), 0)
		holdings, err3 := v.HoldingsAfter("k0", wire.Handle{8}, 10)
		same(t, "all holdings", len(holdings), 2)
		holdings, err4 := v.HoldingsAfter("k0", wire.Handle{9}, 10)
		same(t, "holdings after one", []any{len(holdings), holdings[0].Device, holdings[0].Handle}, []any{1, "k1", h})
		return errors.Join(err, err2, err3, err4)
	})
}

func conformItems(t T, l Ledger) {
	h := hub.Holding{Device: "k1", Handle: wire.Handle{1}, ID: "anna", Revision: 3, Until: 100, Items: []uint64{0, 1, high, 1<<64 - 1}}
	change(t, l, hub.PutHolding{Holding: h}, hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: h.Handle, Limit: "weekly", Units: 1}},
		hub.PutHolding{Holding: hub.Holding{Device: "k2", Handle: h.Handle, ID: "bob"}}, hub.PutGrant{Grant: hub.Grant{Device: "k2", Handle: h.Handle, Limit: "weekly", Units: 1}})
	look(t, l, func(v hub.View) error {
		got, _, err := v.Holding("k1", h.Handle)
		same(t, "holding", got, h)
		return err
	})
	h.Items = []uint64{5}
	change(t, l, hub.PutHolding{Holding: h})
	look(t, l, func(v hub.View) error {
		got, err := v.HoldingsOf([]string{"anna"})
		same(t, "after", got, []hub.Holding{h})
		ids, err2 := v.Customers("k1", []wire.Handle{{7}, h.Handle, {8}})
		same(t, "customers of handles", ids, map[wire.Handle]string{h.Handle: "anna"})
		none, err3 := v.Customers("k1", nil)
		same(t, "of no handle", len(none), 0)
		return errors.Join(err, err2, err3)
	})
	change(t, l, hub.DropHolding{Device: "k1", Handle: h.Handle})
	look(t, l, func(v hub.View) error {
		gone, err := v.GrantsOf("k1", h.Handle)
		left, err2 := v.GrantsOf("k2", h.Handle)
		same(t, "budgets", []int{len(gone), len(left)}, []int{0, 1})
		return errors.Join(err, err2)
	})
}

func conformErasures(t T, l Ledger) {
	a := hub.Erasure{ID: "aa", IDs: []hub.Hash{{1}, {2}}, At: 5, By: "crm", Devices: []hub.Erased{{Device: "k1", Handle: wire.Handle{1}, Lease: 900}}}
	b := hub.Erasure{ID: "bb", IDs: []hub.Hash{{3}}, At: 6, By: "operator", Done: 6}
	c := hub.Erasure{ID: "cc", IDs: []hub.Hash{{4}}, At: 7, By: "k1"}
	change(t, l, hub.PutErasure{Erasure: c}, hub.PutErasure{Erasure: a}, hub.PutErasure{Erasure: b})
	ids := func(list []hub.Erasure) (ids []string) {
		for _, e := range list {
			ids = append(ids, e.ID)
		}
		return ids
	}
	look(t, l, func(v hub.View) error {
		got, ok, err := v.Erasure("aa")
		same(t, "erasure", []any{got, ok}, []any{a, true})
		_, ok, err2 := v.Erasure("zz")
		same(t, "another", ok, false)
		all, err3 := v.Erasures("", false, 10)
		same(t, "all", ids(all), []string{"aa", "bb", "cc"})
		open, err4 := v.Erasures("", true, 10)
		same(t, "open", ids(open), []string{"aa", "cc"})
		page, err5 := v.Erasures("aa", false, 1)
		same(t, "a page", ids(page), []string{"bb"})
		rest, err6 := v.Erasures("aa", true, 10)
		same(t, "the open ones behind it", ids(rest), []string{"cc"})
		return errors.Join(err, err2, err3, err4, err5, err6)
	})
	a.Devices[0].At, a.Devices[0].How, a.Done = 20, "confirmed", 20
	change(t, l, hub.PutErasure{Erasure: a})
	look(t, l, func(v hub.View) error {
		got, _, err := v.Erasure("aa")
		same(t, "done", got, a)
		open, err2 := v.Erasures("", true, 10)
		same(t, "open", ids(open), []string{"cc"})
		return errors.Join(err, err2)
	})
}

func conformForgetOfErasure(t T, l Ledger) {
	f := hub.Forget{ID: "f", Device: "k1", Handle: wire.Handle{8}, At: 5, Sent: 5, Erasure: "aa", Lease: 900}
	g := hub.Forget{ID: "g", Device: "k2", Handle: wire.Handle{7}, At: 5, Sent: 3, Erasure: "bb", Lease: sense.Never}
	change(t, l, hub.PutForget{Forget: g}, hub.PutForget{Forget: f})
	f.Sent = 9
	change(t, l, hub.PutForget{Forget: f})
	look(t, l, func(v hub.View) error {
		got, err := v.Forgets("k1")
		same(t, "forgets", got, []hub.Forget{f})
		due, err2 := v.ForgetsDue(9, 10)
		same(t, "due", due, []hub.Forget{g})
		one, err3 := v.ForgetsDue(10, 1)
		same(t, "the first that is due", one, []hub.Forget{f})
		return errors.Join(err, err2, err3)
	})
}

func conformPeople(t T, l Ledger) {
	change(t, l, hub.PutPerson{ID: "1", Person: "bob"}, hub.PutPerson{ID: "2", Person: "Zoë"}, hub.PutPerson{ID: "3", Person: "anna"},
		hub.PutPerson{ID: "4", Person: "anna"}, hub.PutPerson{ID: "5", Person: "élan"})
	look(t, l, func(v hub.View) error {
		all, err := v.People("", 10)
		same(t, "people", all, []string{"Zoë", "anna", "bob", "élan"}) // by their bytes
		page, err2 := v.People("Zoë", 2)
		same(t, "a page", page, []string{"anna", "bob"})
		return errors.Join(err, err2)
	})
}

// What is only written at the end of a transaction is read as if it were there.
func conformPending(t T, l Ledger) {
	h := wire.Handle{1}
	tx := begin(t, l)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r := decisionRecord(t, "k1", 5, 1, 100)
	personal := hub.Record{Device: "k1", Epoch: high, Seq: 6, Kind: wire.KindFact, Handle: h, Digest: hub.Digest{6}}
	must(tx.Apply([]hub.Write{hub.AddRecords{Records: []hub.Record{r, personal}}, hub.PutTaken{Key: hub.Hash{1}},
		hub.AddEntry{Entry: hub.Entry{ID: "anna", What: "fact", Name: "size", Happened: 1, Expires: 50, Line: []byte("{}")}},
		hub.PutMark{Mark: hub.Mark{Device: "k1", Epoch: high, Through: 6}}, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}}))
	again := r
	again.Digest = hub.Digest{99}
	must(tx.Apply([]hub.Write{hub.AddRecords{Records: []hub.Record{again}}, hub.PutTaken{Key: hub.Hash{1}}}))
	digests, err := tx.Digests("k1", high, 1, 10)
	must(err)
	same(t, "digests", digests, map[uint64]hub.Digest{5: {5}, 6: {6}})
	others, err := tx.Digests("k1", 1, 1, 10)
	must(err)
	same(t, "digests of another epoch", len(others), 0)
	taken, err := tx.Taken(hub.Hash{1})
	must(err)
	same(t, "taken", taken, true)
	m, err := tx.Mark("k1", high)
	must(err)
	same(t, "mark", m.Through, uint64(6))
	must(tx.Apply([]hub.Write{hub.PutMark{Mark: hub.Mark{Device: "k1", Epoch: high, Through: 9}}}))
	m, err = tx.Mark("k1", high)
	must(err)
	same(t, "the newer mark", m.Through, uint64(9))
	entries, err := tx.Entries([]string{"anna"})
	must(err)
	same(t, "entries", len(entries), 1)
	must(tx.Apply([]hub.Write{hub.AddEntry{Entry: hub.Entry{ID: "anna", What: "fact", Name: "hat", Happened: 1, Expires: sense.Never, Line: []byte("{}")}},
		hub.DropEntries{Rows: []int64{entries[0].Row}}}))
	entries, err = tx.Entries([]string{"anna"})
	must(err)
	if len(entries) != 1 || entries[0].Name != "hat" {
		t.Errorf("entries after one was dropped: %+v", entries)
	}
	must(tx.Apply([]hub.Write{hub.AddEntry{Entry: hub.Entry{ID: "anna", What: "fact", Name: "shoe", Happened: 1, Line: []byte("{}")}}, hub.DropID{ID: "anna"}}))
	entries, err = tx.Entries([]string{"anna"})
	must(err)
	same(t, "entries after all were dropped", len(entries), 0)
	must(tx.Apply([]hub.Write{hub.AddDecision{Decision: contact("k1", high, 1, h, "offer")},
		hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: high, N: 1, Outcome: "shown", By: "x"}}}))
	contacts, err := tx.Contacts([]string{"anna"})
	must(err)
	same(t, "contacts", []int{len(contacts), len(contacts[0].Outcomes)}, []int{1, 1})
	// Its digest goes, though the record was not written when the handle was dropped.
	must(tx.Apply([]hub.Write{hub.AddRecords{Records: []hub.Record{{Device: "k1", Epoch: high, Seq: 7, Kind: wire.KindFact, Handle: h, Digest: hub.Digest{7}}}},
		hub.DropHolding{Device: "k1", Handle: h}}))
	must(tx.Commit())
	look(t, l, func(v hub.View) error {
		d, err := v.Digests("k1", high, 1, 10)
		same(t, "digests at the end", d, map[uint64]hub.Digest{5: {5}, 6: {}, 7: {}})
		m, err2 := v.Mark("k1", high)
		same(t, "mark at the end", m.Through, uint64(9))
		return errors.Join(err, err2)
	})
}

func conformRollbackOfAll(t T, l Ledger) {
	h, b := wire.Handle{1}, wire.BundleID{1}
	change(t, l, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna", Items: []uint64{1}}}, hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: h, Limit: "weekly", Units: 1}},
		hub.PutErasure{Erasure: hub.Erasure{ID: "aa", By: "crm"}})
	tx := begin(t, l)
	if err := tx.Apply([]hub.Write{hub.AddDecision{Decision: contact("k1", 1, 1, h, "offer")}, hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: 1, N: 1, Outcome: "shown", By: "x"}},
		hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: h, Limit: "weekly", Units: 9}}, hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: h, Limit: "daily", Units: 9}},
		hub.PutErasure{Erasure: hub.Erasure{ID: "aa", By: "crm", Done: 4}}, hub.PutTaken{Key: hub.Hash{1}}, hub.PutMark{Mark: hub.Mark{Device: "k1", Epoch: 1, Through: 4}},
		hub.PutSymbols{SymbolPart: hub.SymbolPart{Bundle: b, Of: 1, Names: []string{"a"}}}}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := tx.Symbols(b, ""); !ok || err != nil {
		t.Errorf("symbols inside: %v, %v", ok, err)
	}
	if err := errors.Join(tx.Apply([]hub.Write{hub.DropHolding{Device: "k1", Handle: h}}), tx.Rollback()); err != nil {
		t.Fatal(err)
	}
	look(t, l, func(v hub.View) error {
		contacts, err := v.Contacts([]string{"anna"})
		grants, err2 := v.GrantsOf("k1", h)
		e, _, err3 := v.Erasure("aa")
		taken, err4 := v.Taken(hub.Hash{1})
		m, err5 := v.Mark("k1", 1)
		_, symbols, err6 := v.Symbols(b, "")
		holding, ok, err7 := v.Holding("k1", h)
		same(t, "after a roll-back", []any{len(contacts), grants, e.Done, taken, m.Through, symbols, holding.Items, ok},
			[]any{0, []hub.Grant{{Device: "k1", Handle: h, Limit: "weekly", Units: 1}}, sense.Instant(0), false, uint64(0), false, []uint64{1}, true})
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
}

// Names come from devices, which may say anything.
func conformOddText(t T, l Ledger) {
	h := wire.Handle{1}
	odd := contact("k1", 1, 1, h, "a\x00b\xff")
	odd.About = "\xc3\x28"
	change(t, l, hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}, hub.AddDecision{Decision: odd},
		hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: 1, N: 1, Outcome: "sho\x00wn", By: "x\xff"}},
		hub.PutGrant{Grant: hub.Grant{Device: "k1", Handle: h, Limit: "week\x00ly", About: "\xff", Units: 2}},
		hub.PutSymbols{SymbolPart: hub.SymbolPart{Bundle: wire.BundleID{1}, Device: "k1", Of: 2, Names: []string{"a\x00", "b"}}},
		hub.PutDevice{Device: hub.Device{ID: "k1", Wanted: "\x00"}})
	look(t, l, func(v hub.View) error {
		contacts, err := v.Contacts([]string{"anna"})
		same(t, "contacts", []int{len(contacts), len(contacts[0].Outcomes)}, []int{1, 1})
		grants, err2 := v.GrantsOf("k1", h)
		same(t, "budgets", []any{len(grants), grants[0].Units}, []any{1, int64(2)})
		names, ok, err3 := v.Symbols(wire.BundleID{1}, "k1")
		same(t, "symbols", []any{names, ok}, []any{[]string{"a\x00", "b"}, true})
		return errors.Join(err, err2, err3)
	})
	change(t, l, hub.DropGrant{Device: "k1", Handle: h, Limit: "week\x00ly", About: "\xff"})
	look(t, l, func(v hub.View) error {
		grants, err := v.GrantsOf("k1", h)
		same(t, "budgets after", len(grants), 0)
		return err
	})
}

// More than any statement takes at once, in one transaction.
func conformMany(t T, l Ledger) {
	const n = 5000
	h := wire.Handle{1}
	writes := []hub.Write{hub.PutHolding{Holding: hub.Holding{Device: "k1", Handle: h, ID: "anna"}}}
	var records []hub.Record
	for k := uint64(1); k <= n; k++ {
		d := contact("k1", 1, k, h, "offer")
		writes = append(writes, hub.AddDecision{Decision: d}, hub.AddOutcome{Outcome: hub.Outcome{Device: "k1", Epoch: 1, N: k, Outcome: "shown", Happened: sense.Instant(k), By: "x"}},
			hub.AddEntry{Entry: hub.Entry{ID: "anna", What: "fact", Name: "size", Happened: sense.Instant(k), Expires: sense.Never, Line: []byte("{}")}},
			hub.PutTaken{Key: hub.Hash{byte(k), byte(k >> 8)}})
		records = append(records, hub.Record{Device: "k1", Epoch: 1, Seq: k, Kind: wire.KindReport, Digest: hub.Digest{byte(k), 1}, Body: []byte{byte(k)}})
	}
	change(t, l, append(writes, hub.AddRecords{Records: records[:n/2]}, hub.AddRecords{Records: records})...)
	look(t, l, func(v hub.View) error {
		contacts, err := v.Contacts([]string{"anna"})
		if len(contacts) != n || contacts[n-1].N != n || len(contacts[n-1].Outcomes) != 1 {
			t.Errorf("%d contacts", len(contacts))
		}
		entries, err2 := v.Entries([]string{"anna"})
		if len(entries) != n || !slices.IsSortedFunc(entries, func(a, b hub.Entry) int { return int(a.Row - b.Row) }) || entries[n-1].Happened != n {
			t.Errorf("%d entries", len(entries))
		}
		d, err3 := v.Digests("k1", 1, 1, n)
		same(t, "digests", len(d), n)
		taken, err4 := v.Taken(hub.Hash{n & 255, n >> 8})
		same(t, "the last event id", taken, true)
		some, err5 := v.Entries(append(make([]string, 300), "anna"))
		same(t, "entries of many ids", len(some), n)
		return errors.Join(err, err2, err3, err4, err5)
	})
}
