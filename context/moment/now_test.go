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

// What is compared with now turns at its exact instant, without a line; the time to a due instant does too, and a
// condition over a list is one atom, named by the list.
func TestNowUntilAndLists(t *testing.T) {
	var m builder
	visit := m.signal("visit", sense.Timestamp, rule.ScopeDevice, sense.Year)
	m.b.Facts = []catalog.Fact{{Name: "interests", Kind: sense.List, Elem: sense.String, Keep: 10 * sense.Year, Fresh: sense.Forever}}
	m.b.Kinds = []catalog.Kind{{Name: "flight", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1}}
	node := func(op rule.Op) rule.Node { op.Input = -1; return m.node(op) }
	now := m.load(m.input(rule.Input{From: rule.FromNow, Name: "now", Kind: sense.Timestamp, Index: -1}))
	last := m.load(m.input(rule.Input{From: rule.FromSignal, Name: "visit", Kind: sense.Timestamp, Index: visit}))
	twoHours := m.value(sense.LengthValue(2 * sense.Hour))
	ago := node(rule.Op{Code: rule.Sub, Kind: sense.Length, Args: []rule.Node{now, last}})
	recent := node(rule.Op{Code: rule.Lt, Kind: sense.Bool, Args: []rule.Node{ago, twoHours}, Text: "now - visit < 2h"})
	garden := m.value(sense.StringValue("garden"))
	interests := m.load(m.input(rule.Input{From: rule.FromFact, Name: "interests", Kind: sense.List, Scope: rule.ScopeSession}))
	until := m.load(m.input(rule.Input{From: rule.FromUntil, Name: "flight", Kind: sense.Length, Scope: rule.ScopeSession}))
	m.b.Program.Nodes[interests].Text, m.b.Program.Nodes[until].Text = "", ""
	soon := node(rule.Op{Code: rule.Le, Kind: sense.Bool, Scope: rule.ScopeSession, Args: []rule.Node{until, twoHours}, Text: "until(flight) <= 2h"})
	likes := node(rule.Op{Code: rule.Exists, Kind: sense.Bool, Scope: rule.ScopeSession, Args: []rule.Node{interests, garden}, Text: "interests.exists(i, i == 'garden')", Body: []rule.Op{
		{Code: rule.Elem, Kind: sense.String, Input: -1}, {Code: rule.Outer, Kind: sense.String}, {Code: rule.Eq, Kind: sense.Bool, Args: []rule.Node{0, 1}, Input: -1}}})
	all := node(rule.Op{Code: rule.And, Kind: sense.Bool, Scope: rule.ScopeSession, Args: []rule.Node{recent, soon, likes}, Text: "all"})
	if err := moment.Check(&m.b); err != nil {
		t.Fatal(err)
	}
	s := moment.New(&m.b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	if err := s.Signal("main", &event.Signal{Name: "visit", Value: sense.StringValue((t0 - 1000).String())}, t0, t0); err != nil {
		t.Fatal(err)
	}
	p := &profile.Slice{Customer: "anna",
		Facts:        []profile.Fact{{Name: "interests", Value: sense.ListValue([]sense.Value{sense.StringValue("food")}), Provenance: event.Declared, Happened: t0}},
		Interactions: []profile.Interaction{{ID: "i1", Kind: "flight", Happened: t0, Due: t0.Add(3 * sense.Hour)}}}
	s.Profile("main", p, nil, moment.Here, t0)
	s.Settle(t0)
	for _, step := range []struct {
		at           sense.Instant
		recent, soon rule.Truth
	}{
		{t0, rule.True, rule.False},
		{t0.Add(sense.Hour), rule.True, rule.True},
		{t0.Add(2*sense.Hour - sense.Second), rule.False, rule.True},
	} {
		if step.at > t0 {
			if next := s.Next(); next != step.at {
				t.Fatalf("next is %s, want %s", next, step.at)
			}
			s.Begin(step.at)
			s.Settle(step.at)
		}
		if s.Truth("main", recent) != step.recent || s.Truth("main", soon) != step.soon {
			t.Errorf("at %s: recent %s, soon %s", step.at, s.Truth("main", recent), s.Truth("main", soon))
		}
	}
	reason, because := s.Why("main", all)
	if reason != catalog.NoReason || len(because) != 2 || because[0].Needed != "now - visit < 2h" || because[0].Name != "visit" ||
		because[1].Needed != "interests.exists(i, i == 'garden')" || because[1].Name != "interests" {
		t.Errorf("why: %s %+v", reason, because)
	}
}
