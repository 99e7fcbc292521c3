package contact

import (
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// TestBudgetOfALimit: what takes a unit, and what does not.
func TestBudgetOfALimit(t *testing.T) {
	const now sense.Instant = 1_772_442_000_000
	b := &catalog.Bundle{
		Groups:  []catalog.Group{{Name: "covers"}},
		Actions: []catalog.Action{{Name: "mats", Intent: catalog.Sales, Group: 0, About: "product:mats"}, {Name: "tips", Intent: catalog.Sales, Group: -1}, {Name: "help", Intent: catalog.Service, Group: -1, ExemptCaps: true}},
	}
	shown := catalog.Limit{Name: "shown", Intent: catalog.Sales, Action: -1, Group: -1, AtMost: 3, Counting: "shown", Window: sense.Day}
	accepted := shown
	accepted.Name, accepted.Counting = "accepted", "accepted"
	about := shown
	about.Name, about.About = "about", true
	none := shown
	none.AtMost = 0
	x := func(seq uint64, action string, outcomes ...string) profile.Exposure {
		e := profile.Exposure{Decision: "k1-5-" + action + string(rune('0'+seq)), Action: action, Intent: "sales", Channel: "kiosk", At: now - 1000, Seq: seq}
		if action == "mats" {
			e.About, e.Group = "product:mats", "covers"
		}
		if action == "help" {
			e.Intent = "service"
		}
		for _, o := range outcomes {
			e.Answer(o, now-500)
		}
		return e
	}
	cases := []struct {
		name     string
		limit    catalog.Limit
		action   int
		budgets  []profile.Budget
		contacts []profile.Exposure
		passes   bool
	}{
		{"no unit", shown, 0, nil, nil, false},
		{"a unit", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, nil, true},
		{"of another limit", shown, 0, []profile.Budget{{Limit: "accepted", Units: 1}}, nil, false},
		{"taken", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(8, "tips")}, false},
		{"one of two taken", shown, 0, []profile.Budget{{Limit: "shown", Units: 2}}, []profile.Exposure{x(8, "tips")}, true},
		{"taken before it was counted", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(7, "tips")}, true},
		{"by another device", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(0, "tips")}, true},
		{"by what does not fall under it", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(8, "help")}, true},
		{"given back by failing", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(8, "tips", "failed")}, true},
		{"not given back by being dismissed", shown, 0, []profile.Budget{{Limit: "shown", Units: 1}}, []profile.Exposure{x(8, "tips", "dismissed")}, false},
		{"reserved for an answer", accepted, 0, []profile.Budget{{Limit: "accepted", Units: 1}}, []profile.Exposure{x(8, "tips", "shown")}, false},
		{"answered otherwise", accepted, 0, []profile.Budget{{Limit: "accepted", Units: 1}}, []profile.Exposure{x(8, "tips", "shown", "dismissed")}, true},
		{"answered so", accepted, 0, []profile.Budget{{Limit: "accepted", Units: 1}}, []profile.Exposure{x(8, "tips", "shown", "accepted")}, false},
		{"about its subject", about, 0, []profile.Budget{{Limit: "about", About: "product:mats", Units: 1}}, []profile.Exposure{x(8, "tips")}, true},
		{"about its subject, taken", about, 0, []profile.Budget{{Limit: "about", About: "product:mats", Units: 1}}, []profile.Exposure{x(8, "mats")}, false},
		{"without a subject its name", about, 1, []profile.Budget{{Limit: "about", About: "tips", Units: 1}}, []profile.Exposure{x(8, "mats")}, true},
		{"its name, taken", about, 1, []profile.Budget{{Limit: "about", About: "tips", Units: 1}}, []profile.Exposure{x(8, "tips")}, false},
		{"exempt", shown, 2, nil, nil, true},
		{"nothing may be: another code says so", none, 0, nil, nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b.Contact = catalog.Contact{Limits: []catalog.Limit{c.limit}}
			v := &guard.View{Bundle: b, Now: now, Slice: &profile.Slice{}, Channel: "kiosk", Clock: sense.ClockSynced,
				Budgets: &profile.Budgets{List: c.budgets, Above: 7, Until: now + 1}}
			v.Slice.MergeExposures(c.contacts)
			a := &b.Actions[c.action]
			if d := budgetNotLeased(v, a); d.OK() != c.passes {
				t.Errorf("passes %v, because %+v", d.OK(), d.Because)
			}
			// The same without a rule, without a customer, with a lease that is over, and with a clock that is not right.
			without := *v
			without.Budgets = nil
			nobody := *v
			nobody.Slice = nil
			if !budgetNotLeased(&without, a).OK() || !budgetNotLeased(&nobody, a).OK() {
				t.Error("held back where nobody leases, or nobody is there")
			}
			over, unsure := *v, *v
			over.Now, unsure.Clock = v.Budgets.Until, sense.ClockFloor
			free := a.ExemptCaps || c.limit.AtMost == 0
			if budgetNotLeased(&over, a).OK() != free || budgetNotLeased(&unsure, a).OK() != free {
				t.Error("passes under a lease that is over, or that nobody can tell")
			}
		})
	}
}
