package moment_test

import (
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// shop is a bundle that reads facts, history and the calendar.
type shop struct {
	b                                                                                 *catalog.Bundle
	adult, winter, hasTyres, overdue, bought, evening, monday, cond, or, turned, held rule.Node
}

func newShop(t *testing.T) shop {
	t.Helper()
	var m builder
	m.b.Zone = sense.Zone{Name: "test", Turns: []sense.Turn{{From: -1 << 62, Offset: sense.Hour}, {From: 1774746000000, Offset: 2 * sense.Hour}}} // 2026-03-29T01:00:00Z
	m.b.Facts = []catalog.Fact{
		{Name: "birth_date", Kind: sense.Date, Keep: 10 * sense.Year, Fresh: sense.Forever},
		{Name: "vehicle.tyres", Kind: sense.String, Owner: "vehicle", Keep: 3 * sense.Year, Fresh: sense.Year},
	}
	m.b.Kinds = []catalog.Kind{
		{Name: "invoice", Keep: 7 * sense.Year, OpenUntil: -1, ClosedBy: 1, Overdue: 14 * sense.Day},
		{Name: "payment", Keep: 7 * sense.Year, OpenUntil: -1, ClosedBy: -1},
		{Name: "purchase", Keep: 7 * sense.Year, Means: catalog.MeansBought, OpenUntil: -1, ClosedBy: -1},
	}
	input := func(from rule.From, name string, kind sense.Kind, scope rule.Scope, index int32) rule.Node {
		return m.load(m.input(rule.Input{From: from, Name: name, Kind: kind, Scope: scope, Index: index, Subject: subjectOf(from), Window: sense.Forever}))
	}
	var c shop
	node := func(code rule.Code, scope rule.Scope, text string, args ...rule.Node) rule.Node {
		return m.node(rule.Op{Code: code, Kind: sense.Bool, Scope: scope, Args: args, Input: -1, Text: text})
	}
	eighteen, twenty, one := m.value(sense.IntValue(18)), m.value(sense.IntValue(20)), m.value(sense.IntValue(1))
	winter := m.value(sense.StringValue("winter"))
	c.evening = node(rule.Ge, rule.ScopeDevice, "local.hour >= 20", input(rule.FromHour, "local.hour", sense.Int, rule.ScopeDevice, -1), twenty)
	c.monday = node(rule.Eq, rule.ScopeDevice, "local.weekday == 1", input(rule.FromWeekday, "local.weekday", sense.Int, rule.ScopeDevice, -1), one)
	c.adult = node(rule.Ge, rule.ScopeSession, "age(birth_date) >= 18", input(rule.FromAge, "birth_date", sense.Int, rule.ScopeSession, 0), eighteen)
	c.winter = node(rule.Eq, rule.ScopeSession, "vehicle.tyres == 'winter'", input(rule.FromFact, "vehicle.tyres", sense.String, rule.ScopeSession, 1), winter)
	c.hasTyres = input(rule.FromHas, "vehicle.tyres", sense.Bool, rule.ScopeSession, 1)
	c.overdue = input(rule.FromOverdue, "invoice", sense.Bool, rule.ScopeSession, 0)
	notOverdue := node(rule.Not, rule.ScopeSession, "!overdue(invoice)", c.overdue)
	c.bought = input(rule.FromBought, "product:x", sense.Bool, rule.ScopeSession, -1)
	c.cond = node(rule.And, rule.ScopeSession, "all", c.adult, c.winter, notOverdue, c.evening, c.monday, c.bought)
	inner := node(rule.Or, rule.ScopeSession, "", c.monday, c.evening)
	c.or = node(rule.Not, rule.ScopeSession, "none", inner)
	held := m.node(rule.Op{Code: rule.Held, Kind: sense.Length, Scope: rule.ScopeSession, Args: []rule.Node{c.winter}, Input: -1})
	c.held = held
	c.turned = node(rule.Became, rule.ScopeSession, "became(vehicle.tyres == 'winter')", c.winter)
	c.b = &m.b
	if err := moment.Check(c.b); err != nil {
		t.Fatal(err)
	}
	return c
}

func subjectOf(from rule.From) event.Subject {
	if from == rule.FromBought {
		return "product:x"
	}
	return ""
}

func sliceOf(born string, tyres string, happened sense.Instant) *profile.Slice {
	days, err := sense.ParseDate(born)
	if err != nil {
		panic(err)
	}
	return &profile.Slice{Customer: "anna", Facts: []profile.Fact{
		{Name: "birth_date", Value: sense.DateValue(days), Provenance: event.Declared, Happened: happened},
		{Name: "vehicle.tyres", Owner: "v1", Value: sense.StringValue(tyres), Provenance: event.Declared, Happened: happened},
	}}
}

func settle(s *moment.State, now sense.Instant) {
	run(s, now)
	s.Settle(now)
}

// Nobody, awaited, here; has() is certain but before the slice is there.
func TestPresence(t *testing.T) {
	c := newShop(t)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	expect := func(when string, n rule.Node, want rule.Truth) {
		t.Helper()
		if got := s.Truth("main", n); got != want {
			t.Errorf("%s: node %d is %s, want %s", when, n, got, want)
		}
	}
	s.Settle(t0)
	expect("nobody", c.hasTyres, rule.False)
	expect("nobody", c.winter, rule.Unknown)
	expect("nobody", c.overdue, rule.Unknown)
	s.Profile("main", nil, nil, moment.Awaited, t0)
	s.Settle(t0)
	expect("awaited", c.hasTyres, rule.Unknown)
	expect("awaited", c.bought, rule.Unknown)
	p := sliceOf("1990-05-01", "winter", t0-1000)
	s.Profile("main", p, []event.Owner{{Kind: "vehicle", ID: "v2"}}, moment.Here, t0)
	s.Settle(t0)
	expect("here with another vehicle", c.hasTyres, rule.False)
	expect("here", c.bought, rule.False)
	expect("here", c.adult, rule.True)
	if reason, because := s.Why("main", c.winter); reason != catalog.FactMissing || because[0].Name != "vehicle.tyres" || because[0].Needed != "vehicle.tyres == 'winter'" {
		t.Errorf("missing: %s %+v", reason, because)
	}
	s.Profile("main", p, []event.Owner{{Kind: "vehicle", ID: "v1"}}, moment.Here, t0)
	s.Settle(t0)
	expect("with the vehicle", c.winter, rule.True)
	expect("with the vehicle", c.hasTyres, rule.True)
	// The fact goes stale a year after it was seen, by itself; has() says that it may not be used.
	stale := (t0 - 1000).Add(sense.Year)
	settle(s, stale-1)
	expect("a year less 1 ms", c.winter, rule.True)
	settle(s, stale)
	expect("after a year", c.winter, rule.Unknown)
	expect("after a year", c.hasTyres, rule.False)
	reason, because := s.Why("main", c.winter)
	if reason != catalog.FactStale || because[0].Value.Str() != "winter" || because[0].Age != sense.Year {
		t.Errorf("stale: %s %+v", reason, because)
	}
	s.Close("main")
	s.Open("main", stale)
	s.Settle(stale)
	expect("after the session", c.adult, rule.Unknown)
}

// A false condition names each atom that fails, left to right, with the value of its input.
func TestWhyNamesTheFailingAtoms(t *testing.T) {
	c := newShop(t)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	p := sliceOf("2010-03-03", "summer", t0-5000)
	p.Interactions = []profile.Interaction{{Kind: "invoice", Happened: t0.Add(-15 * sense.Day), Due: sense.Never}}
	s.Profile("main", p, []event.Owner{{Kind: "vehicle", ID: "v1"}}, moment.Here, t0)
	s.Settle(t0)
	reason, because := s.Why("main", c.cond)
	want := []struct{ name, value, needed string }{
		{"birth_date", `"2010-03-03"`, "age(birth_date) >= 18"},
		{"vehicle.tyres", `"summer"`, "vehicle.tyres == 'winter'"},
		{"invoice", "true", "!overdue(invoice)"},
		{"local.hour", "10", "local.hour >= 20"},
	}
	if reason != catalog.NoReason || len(because) != len(want) {
		t.Fatalf("%s %+v", reason, because)
	}
	for k, w := range want {
		if b := because[k]; b.Name != w.name || b.Value.String() != w.value || b.Needed != w.needed {
			t.Errorf("%d: %+v, want %+v", k, b, w)
		}
	}
	if because[1].Age != 5*sense.Second || because[3].Age != catalog.NoAge {
		t.Errorf("ages: %+v", because)
	}
	// Of a negated group, those that are true stand in the way.
	if _, because := s.Why("main", c.or); len(because) != 1 || because[0].Name != "local.weekday" || because[0].Needed != "!(local.weekday == 1)" {
		t.Errorf("negated: %+v", because)
	}
}

// The calendar turns at its own instants, in the policy's zone, over the change to summer time too.
func TestCalendar(t *testing.T) {
	c := newShop(t)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	s.Settle(t0)
	at := func(text string) sense.Instant {
		i, err := sense.ParseInstant(text)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	for _, x := range []struct {
		at      string
		evening rule.Truth
		monday  rule.Truth
	}{
		{"2026-03-02T18:59:59.999Z", rule.False, rule.True},
		{"2026-03-02T19:00:00.000Z", rule.True, rule.True},
		{"2026-03-02T22:59:59.999Z", rule.True, rule.True},
		{"2026-03-02T23:00:00.000Z", rule.False, rule.False},
		{"2026-03-29T17:59:59.999Z", rule.False, rule.False},
		{"2026-03-29T18:00:00.000Z", rule.True, rule.False},
		{"2026-03-29T22:00:00.000Z", rule.False, rule.True},
	} {
		settle(s, at(x.at))
		if got := s.Truth("main", c.evening); got != x.evening {
			t.Errorf("%s: evening is %s", x.at, got)
		}
		if got := s.Truth("main", c.monday); got != x.monday {
			t.Errorf("%s: Monday is %s", x.at, got)
		}
	}
}

// Eighteen on the birthday, at midnight in the policy's zone; of 29 February on 1 March.
func TestAge(t *testing.T) {
	for _, x := range []struct{ born, grown string }{
		{"2008-03-10", "2026-03-09T23:00:00.000Z"},
		{"2008-02-29", "2026-02-28T23:00:00.000Z"},
	} {
		c := newShop(t)
		grown, err := sense.ParseInstant(x.grown)
		if err != nil {
			t.Fatal(err)
		}
		start := grown.Add(-3 * sense.Day)
		s := moment.New(c.b, nil)
		s.Begin(start)
		s.Profile("main", sliceOf(x.born, "winter", start), nil, moment.Here, start)
		settle(s, start)
		settle(s, grown-1)
		if got := s.Truth("main", c.adult); got != rule.False {
			t.Errorf("born %s, 1 ms before: %s", x.born, got)
		}
		settle(s, grown)
		if got := s.Truth("main", c.adult); got != rule.True {
			t.Errorf("born %s: %s", x.born, got)
		}
	}
}

// A bundle with an unsound program makes every condition unknown, and Check says why.
func TestUnsoundBundle(t *testing.T) {
	c := newShop(t)
	b := *c.b
	b.Program.Nodes = []rule.Op{{Code: rule.Not, Kind: sense.Bool, Args: []rule.Node{3}}}
	b.States = []catalog.State{{Name: "driving", Inputs: []int32{9}, AbsentAllow: true}}
	if moment.Check(&b) == nil {
		t.Fatal("it is accepted")
	}
	s := moment.New(&b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	s.Settle(t0)
	if s.Truth("main", 0) != rule.Unknown || s.StateTruth("main", 0) != rule.Unknown || s.Next() != sense.Never {
		t.Fatal("something is known")
	}
}

// What one customer's facts were is not the past of the next in the same session.
func TestNextCustomerHasNoPast(t *testing.T) {
	c := newShop(t)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	vehicle := []event.Owner{{Kind: "vehicle", ID: "v1"}}
	now := t0
	become := func(customer, tyres string) rule.Truth {
		now += 1000
		p := sliceOf("1990-05-01", tyres, t0-5000)
		p.Customer = customer
		run(s, now)
		s.Profile("main", p, vehicle, moment.Here, now)
		s.Settle(now)
		return s.Truth("main", c.turned)
	}
	become("anna", "summer")
	if got := become("anna", "winter"); got != rule.True {
		t.Fatalf("her tyres turned, and it is %s", got)
	}
	become("anna", "summer")
	if got := become("bert", "winter"); got != rule.False {
		t.Fatalf("his tyres never turned, and it is %s", got)
	}
	become("carl", "winter")
	if got := s.Result("main", c.held).Value; got.Length() != 0 {
		t.Fatalf("he is known for no time, and it is held for %s", got)
	}
}
