package guard

import (
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Facts of the stage bundle.
const (
	address = int32(iota)
	colour
	interests
	origin
	routine
	size
)

// Actions of the stage bundle.
const (
	brochure = int32(iota)
	offer
)

// stage is a candidate that passes every guard, in a bundle that knows all of them: she is asked to
// look at the product, or asked a question, and did nothing that anything holds against it.
type stage struct {
	v *View
	a *catalog.Action
	c Candidate
}

func newStage(intent catalog.Intent) *stage {
	v := anna()
	b := v.Bundle
	fact := func(name string) catalog.Fact {
		return catalog.Fact{Name: name, Kind: sense.String, Keep: 5 * sense.Year, Fresh: sense.Year}
	}
	b.Facts = []catalog.Fact{fact("address"), fact("colour"), fact("interests"), fact("origin"), fact("routine"), fact("size")}
	b.Facts[interests].Preference = true
	b.Kinds = append(b.Kinds,
		catalog.Kind{Name: "talk", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
		catalog.Kind{Name: "view", Keep: sense.Year, Means: catalog.MeansViewed, OpenUntil: -1, ClosedBy: -1},
		catalog.Kind{Name: "bad_rating", Keep: sense.Year, Negative: true, OpenUntil: -1, ClosedBy: -1})
	none := catalog.Action{Purpose: service, Group: -1, Before: -1, Measure: -1, Until: sense.Never, Partner: -1, Asks: -1, Confirms: -1, Serves: -1}
	b.Actions = []catalog.Action{none, none}
	b.Actions[brochure].Name, b.Actions[brochure].Intent = "brochure", catalog.Information
	b.Actions[offer].Name, b.Actions[offer].Intent = "offer", catalog.Sales
	b.VisitEnds, b.Sleeping = 10*sense.Minute, 2*sense.Year
	b.Strikes = &catalog.Strikes{In: 90 * sense.Day, At: []catalog.Strike{{Count: 1, Then: catalog.StrikeRecovery}, {Count: 2, Then: catalog.StrikeNoSales}, {Count: 3, Then: catalog.StrikeHandOver}}}
	a := none
	a.Name, a.Intent, a.Purpose, a.About = "candidate", intent, offers, "product:model-x"
	if intent == catalog.Question {
		a.Asks = address
	}
	grant(v, days(-500), "offers.unasked", true)
	return &stage{v: v, a: &a, c: Candidate{Action: &a, Personal: true}}
}

func (s *stage) tell(name, value string, p event.Provenance, at sense.Instant) {
	fold(s.v, at, &event.Fact{Name: name, Customer: "anna", Value: sense.StringValue(value), Provenance: p})
}

func (s *stage) state(truth rule.Truth) {
	s.v.Slot.SharedScreen = true
	s.v.State = func(int) (rule.Truth, []catalog.Because) { return truth, nil }
}

var everyIntent = []catalog.Intent{catalog.Sales, catalog.Question, catalog.Service, catalog.Entertainment, catalog.Information}

// breach makes exactly one guard refuse. Two that share a group cannot be tried together; those that
// need the slice cannot with the one that takes it away.
type breach struct {
	reason  catalog.Reason
	intents []catalog.Intent
	group   string
	slice   bool
	make    func(*stage)
}

var breaches = []breach{
	{catalog.AlreadyBought, []catalog.Intent{catalog.Sales}, "awake", true, func(s *stage) { interact(s.v, days(-9), "purchase", "product:model-x", "") }},
	{catalog.AlreadyBooked, []catalog.Intent{catalog.Sales}, "goal", true, func(s *stage) { interact(s.v, days(-9), "booking", "product:model-x", "") }},
	{catalog.GoalReached, everyIntent, "goal", true, func(s *stage) {
		s.a.Goal = "hotel:rome"
		interact(s.v, days(-9), "booking", "hotel:rome", "")
	}},
	{catalog.OpenComplaint, []catalog.Intent{catalog.Sales}, "awake", true, func(s *stage) { interact(s.v, days(-9), "complaint", "product:y", "c1") }},
	{catalog.ComplaintCoolOff, []catalog.Intent{catalog.Sales}, "awake", true, func(s *stage) {
		interact(s.v, days(-9), "complaint", "product:y", "c2")
		interact(s.v, days(-1), "resolved", "", "c2")
	}},
	{catalog.AlreadyKnown, []catalog.Intent{catalog.Question}, "", true, func(s *stage) { s.tell("address", "Dam 1", event.Declared, days(-1)) }},
	{catalog.OneQuestionAVisit, []catalog.Intent{catalog.Question}, "", false, func(s *stage) { s.v.Questioned = t0 - 1 }},
	{catalog.NotNeeded, []catalog.Intent{catalog.Question}, "serves", false, func(s *stage) {
		s.v.Bundle.Actions[brochure].Needs = []catalog.Need{{Delivery: "mail", Facts: []int32{colour}}}
		s.a.Serves = brochure
	}},
	{catalog.HisGoalFirst, []catalog.Intent{catalog.Sales}, "", false, func(s *stage) { s.v.HisGoal = true }},
	{catalog.HisGoalFirst, []catalog.Intent{catalog.Question}, "serves", false, func(s *stage) { s.v.HisGoal, s.a.Serves = true, offer }},
	{catalog.ThreeStrikes, []catalog.Intent{catalog.Sales}, "awake", true, func(s *stage) {
		interact(s.v, days(-9), "bad_rating", "", "r1")
		interact(s.v, days(-8), "bad_rating", "", "r2")
	}},
	{catalog.PassiveSighting, everyIntent, "", false, func(s *stage) { s.v.By = event.ByPassive }},
	{catalog.UnaskedWithoutOptIn, everyIntent, "", true, func(s *stage) { s.v.Asked = false; grant(s.v, days(-1), "offers.unasked", false) }},
	{catalog.WeakIdentity, everyIntent, "", false, func(s *stage) { s.a.LeastID = event.ByStaff }},
	{catalog.SharedIdentity, everyIntent, "", false, func(s *stage) { s.v.Shared = true }},
	{catalog.NotAlone, everyIntent, "alone", false, func(s *stage) { s.state(rule.False) }},
	{catalog.BystanderUnknown, everyIntent, "alone", false, func(s *stage) { s.state(rule.Unknown) }},
	{catalog.SensitiveSubject, everyIntent, "", false, func(s *stage) {
		subjects(s, catalog.SubjectInfo{Name: "model-x", Sensitive: "income"})
	}},
	{catalog.InferredNotTold, everyIntent, "", true, func(s *stage) {
		s.a.Reads = append(s.a.Reads, routine)
		s.tell("routine", "taxi", event.Inferred, days(-1))
	}},
	{catalog.ThirdPartyNotTold, everyIntent, "", true, func(s *stage) {
		s.a.Reads = append(s.a.Reads, origin)
		s.tell("origin", "NL", event.ThirdParty, days(-1))
	}},
	{catalog.BehaviourElsewhere, everyIntent, "awake", true, func(s *stage) {
		s.a.Seen = []catalog.Seen{{Subject: "product:bench", Window: sense.Year}}
		fold(s.v, days(-1), &event.Interaction{Kind: "view", About: "product:bench", Channel: "website", Due: sense.Never})
	}},
	{catalog.OutsidePreference, []catalog.Intent{catalog.Sales, catalog.Entertainment}, "", true, func(s *stage) { s.tell("interests", "garden", event.Declared, days(-1)) }},
	{catalog.StaleProfile, []catalog.Intent{catalog.Sales}, "", false, func(s *stage) { s.v.ProfileAge = sense.Hour }},
	{catalog.LeaseEnded, everyIntent[1:], "lease", false, func(s *stage) { s.v.Presence, s.v.Slice, s.v.LeaseEnded = Awaited, nil, true }},
	{catalog.SleepingCustomer, []catalog.Intent{catalog.Sales, catalog.Entertainment}, "awake", true, func(s *stage) { interact(s.v, days(-731), "talk", "", "") }},
	{catalog.QualityTooLow, everyIntent, "", false, func(s *stage) { s.a.Quality = catalog.One; s.a.Reads = append(s.a.Reads, size) }},
	{catalog.ControlGroup, []catalog.Intent{catalog.Sales, catalog.Question, catalog.Entertainment}, "", false, func(s *stage) { s.a.Measure = 0 }},
	{catalog.WaitingForResponse, everyIntent, "", false, func(s *stage) { s.a.Follows = &catalog.Follow{Action: brochure, ElseAfter: sense.Day} }},
	{catalog.ConversationOpenElsewhere, everyIntent, "awake", true, func(s *stage) {
		s.v.Asked = false
		fold(s.v, t0-1, &event.Interaction{Kind: "talk", About: "product:model-x", Channel: "phone", Ref: "t1", Due: sense.Never})
	}},
	{catalog.SignificantNeedsPerson, everyIntent, "", false, func(s *stage) { s.a.Significant = true }},
}

// TestEveryGuardAlone: each breach is refused with its code, for every intent that it concerns, and
// without any the candidate passes.
func TestEveryGuardAlone(t *testing.T) {
	for _, intent := range everyIntent {
		if s := newStage(intent); !Judge(s.v, s.c).OK() {
			t.Errorf("%s: refused by %s though nothing is wrong", intent, Judge(s.v, s.c).Reason)
		}
	}
	seen := map[catalog.Reason]bool{}
	for _, x := range breaches {
		for _, intent := range x.intents {
			s := newStage(intent)
			x.make(s)
			if got := Judge(s.v, s.c); got.Reason != x.reason {
				t.Errorf("%s for %s: %q", x.reason, intent, got.Reason)
			}
		}
		seen[x.reason] = true
	}
	for r := catalog.AlreadyBought; r <= catalog.SignificantNeedsPerson; r++ {
		if !seen[r] {
			t.Errorf("%s is never reached", r)
		}
	}
}

// TestGuardsInOrder: of two that refuse, the one that comes first in the list is told; waived, the other.
func TestGuardsInOrder(t *testing.T) {
	pairs := 0
	for _, x := range breaches {
		for _, y := range breaches {
			if x.reason >= y.reason || x.group != "" && x.group == y.group && x.group != "awake" {
				continue
			}
			asleep := x.reason == catalog.SleepingCustomer || y.reason == catalog.SleepingCustomer // and nothing that wakes her
			if asleep && (x.group == "goal" || x.group == "awake" && y.group == "awake") || x.group == "lease" && y.slice || y.group == "lease" && x.slice {
				continue
			}
			for _, intent := range x.intents {
				for _, other := range y.intents {
					if other != intent {
						continue
					}
					s := newStage(intent)
					if y.group == "lease" { // what takes the slice away comes last
						x.make(s)
						y.make(s)
					} else {
						y.make(s)
						x.make(s)
					}
					if got := Judge(s.v, s.c); got.Reason != x.reason {
						t.Errorf("%s and %s for %s: %q", x.reason, y.reason, intent, got.Reason)
					}
					s.v.Waived = func(r catalog.Reason) bool { return r == x.reason }
					if got := Judge(s.v, s.c); got.Reason != y.reason && !(x.reason == catalog.InferredNotTold && y.reason == catalog.ThirdPartyNotTold) {
						t.Errorf("%s waived beside %s for %s: %q", x.reason, y.reason, intent, got.Reason)
					}
					pairs++
				}
			}
		}
	}
	if pairs < 600 {
		t.Errorf("only %d pairs were tried", pairs)
	}
}

// TestLegalInOrder: the same for the stage legal, each with a purpose of its own.
func TestLegalInOrder(t *testing.T) {
	type basis = catalog.Basis
	need := func(s *stage, b basis, lines ...func(name string)) {
		name := "p" + string(rune('a'+len(s.v.Bundle.Purposes)))
		s.v.Bundle.Purposes = append(s.v.Bundle.Purposes, catalog.Purpose{Name: name, Basis: b, Unasked: -1, Born: -1})
		s.a.NeedGrants = append(s.a.NeedGrants, int32(len(s.v.Bundle.Purposes)-1))
		for _, f := range lines {
			f(name)
		}
	}
	breaches := []struct {
		reason catalog.Reason
		make   func(*stage)
	}{
		{catalog.NoBasis, func(s *stage) { need(s, catalog.BasisNone) }},
		{catalog.ConsentUnknown, func(s *stage) { need(s, catalog.BasisConsent) }},
		{catalog.ConsentDenied, func(s *stage) {
			need(s, catalog.BasisConsent, func(name string) { grant(s.v, days(-1), name, false) })
		}},
		{catalog.ConsentWithdrawn, func(s *stage) {
			need(s, catalog.BasisConsent, func(name string) { grant(s.v, days(-2), name, true); grant(s.v, days(-1), name, false) })
		}},
		{catalog.ConsentExpired, func(s *stage) {
			need(s, catalog.BasisConsent, func(name string) { fold(s.v, days(-9), &event.Consent{Purpose: name, Granted: true, Expires: t0}) })
		}},
		{catalog.Objected, func(s *stage) { fold(s.v, t0, &event.Objection{Purpose: "care", Raised: true}) }},
		{catalog.Restricted, func(s *stage) { fold(s.v, t0, &event.Restrict{On: true}) }},
		{catalog.Erased, func(s *stage) { s.v.Erased = true }},
		{catalog.SpecialNeedsExplicitConsent, func(s *stage) { s.a.Special = "health" }},
		{catalog.AgeTooLow, func(s *stage) { s.v.Bundle.Purposes[care].LeastAge, s.v.Bundle.Purposes[care].Born = 16, -1 }},
		{catalog.PartnerNotAgreed, func(s *stage) {
			s.v.Bundle.Partners, s.a.Partner = []catalog.Partner{{Name: "telco", Purpose: care, Consent: location}}, 0
		}},
	}
	for x := range breaches {
		for y := x; y < len(breaches); y++ {
			s := newStage(catalog.Information)
			s.a.Purpose = care
			if d := Legal(s.v, s.c); !d.OK() {
				t.Fatalf("refused by %s though nothing is wrong", d.Reason)
			}
			breaches[y].make(s)
			if x != y {
				breaches[x].make(s)
			}
			if got := Legal(s.v, s.c); got.Reason != breaches[x].reason {
				t.Errorf("%s and %s: %q", breaches[x].reason, breaches[y].reason, got.Reason)
			}
			s.c.Ambient = true
			if got := Legal(s.v, s.c); !got.OK() {
				t.Errorf("ambient, and %s", got.Reason)
			}
		}
	}
}

// TestQuietInOrder: every pair of states and hours.
func TestQuietInOrder(t *testing.T) {
	names := []string{catalog.StateDriving, catalog.StateInCall, catalog.StateDoNotDisturb, catalog.StateAlarm, catalog.StateBusy}
	reasons := []catalog.Reason{catalog.AtTheWheel, catalog.InCall, catalog.DoNotDisturb, catalog.AlarmActive, catalog.BusyScreen, catalog.CustomerQuietHours, catalog.DeviceQuietHours}
	for x := range reasons {
		for y := x; y < len(reasons); y++ {
			s := newStage(catalog.Sales)
			b := s.v.Bundle
			b.States = nil
			for _, n := range slices.Sorted(slices.Values(names)) {
				b.States = append(b.States, catalog.State{Name: n})
			}
			s.v.State = func(k int) (rule.Truth, []catalog.Because) {
				if n := slices.Index(names, b.States[k].Name); n == x || n == y {
					return rule.True, nil
				}
				return rule.False, nil
			}
			b.Facts = append(b.Facts, catalog.Fact{Name: catalog.FactQuietHours, Kind: sense.String, Keep: sense.Year, Fresh: sense.Forever})
			if x == 5 || y == 5 {
				s.tell(catalog.FactQuietHours, "8-12", event.Declared, days(-1))
			}
			if x == 6 || y == 6 {
				b.Quiet.Hours = []catalog.HourRange{{From: 8 * 60, To: 12 * 60}}
			}
			if got := Quiet(s.v); got.Reason != reasons[x] {
				t.Errorf("%s and %s: %q", reasons[x], reasons[y], got.Reason)
			}
		}
	}
}

// TestActiveInOrder: every pair of the stage active that the mind judges.
func TestActiveInOrder(t *testing.T) {
	breaches := []struct {
		reason catalog.Reason
		make   func(*catalog.Action)
	}{
		{catalog.NotYetValid, func(a *catalog.Action) { a.From = t0 + 1 }},
		{catalog.Expired, func(a *catalog.Action) { a.Until = t0 }},
		{catalog.OutsideHours, func(a *catalog.Action) {
			a.Hours = []catalog.WeekHours{{Days: 127, HourRange: catalog.HourRange{From: 0, To: 60}}}
		}},
		{catalog.LanguageMissing, func(a *catalog.Action) {
			a.Say = &catalog.Treatment{Text: []catalog.Rendered{nil, {{Literal: "Hallo", Fact: -1}}}}
		}},
	}
	for x := range breaches {
		for y := x; y < len(breaches); y++ {
			s := newStage(catalog.Sales)
			s.v.Bundle.Languages = []string{"en", "nl"}
			breaches[x].make(s.a)
			breaches[y].make(s.a)
			if got := Active(s.v, s.a, "en"); got.Reason != breaches[x].reason {
				t.Errorf("%s and %s: %q", breaches[x].reason, breaches[y].reason, got.Reason)
			}
		}
	}
}
