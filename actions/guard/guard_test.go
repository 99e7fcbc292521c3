package guard

import (
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

const t0 = sense.Instant(1_772_442_000_000) // 2026-03-02T09:00:00Z, a Monday

func days(n int64) sense.Instant { return t0 + sense.Instant(n*int64(sense.Day)) }

// Purposes of the test bundle.
const (
	service = int32(iota)
	offers
	offersUnasked
	care
	location
	vital
	health
)

func bundle() *catalog.Bundle {
	return &catalog.Bundle{
		Name: "shop", Version: 1, Zone: sense.UTC,
		Purposes: []catalog.Purpose{
			{Name: "service", Basis: catalog.BasisContract, Unasked: -1},
			{Name: "offers", Basis: catalog.BasisConsent, Unasked: offersUnasked},
			{Name: "offers.unasked", Basis: catalog.BasisConsent, Unasked: -1},
			{Name: "care", Basis: catalog.BasisLegitimateInterest, Unasked: -1},
			{Name: "location", Basis: catalog.BasisConsent, Unasked: -1},
			{Name: "vital", Basis: catalog.BasisVitalInterest, Unasked: -1},
			{Name: "health", Basis: catalog.BasisConsent, Explicit: true, Unasked: -1},
		},
		Facts: []catalog.Fact{{Name: "routine", Kind: sense.String, Keep: sense.Year, Fresh: sense.Forever}},
		Kinds: []catalog.Kind{
			{Name: "booking", Keep: sense.Year, ReachesGoal: true, Undo: []catalog.UndoneBy{{Kind: 1, After: sense.Day}}, OpenUntil: -1, ClosedBy: -1},
			{Name: "cancelled", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
			{Name: "complaint", Keep: sense.Year, Negative: true, OpenUntil: 4, CoolOff: 14 * sense.Day, ClosedBy: -1},
			{Name: "purchase", Keep: sense.Year, BlocksOffers: true, SameKind: true, Again: []catalog.AgainAfter{{Type: "grocery", After: sense.Week}}, Undo: []catalog.UndoneBy{{Kind: 5}}, OpenUntil: -1, ClosedBy: -1},
			{Name: "resolved", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
			{Name: "returned", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
		},
		Subjects: []catalog.SubjectInfo{{Name: "model-x-gti", Kind: "model-x"}, {Name: "nappies", Sensitive: "pregnancy"}},
		States: []catalog.State{
			{Name: catalog.StateAlone, Node: 0},
			{Name: catalog.StateDriving, Node: 1, Channels: []string{"car"}},
		},
		Measures: []catalog.Measure{{Name: "all", Control: catalog.One}, {Name: "none", Control: 0}},
		Contact:  catalog.Contact{MaxStale: []catalog.StaleAfter{{Intent: catalog.Sales, After: 15 * sense.Minute}}},
	}
}

// sale is an offer of a product, for the purpose offers.
func sale(about string) *catalog.Action {
	return &catalog.Action{Name: "offer", Intent: catalog.Sales, Purpose: offers, Group: -1, Before: -1, Measure: -1, About: event.Subject(about)}
}

func fold(v *View, at sense.Instant, body event.Body) {
	if err := v.Slice.Fold(&event.Event{At: at, Happened: at, Body: body}); err != nil {
		panic(err)
	}
}

func interact(v *View, at sense.Instant, kind, about, ref string) {
	fold(v, at, &event.Interaction{Kind: kind, About: event.Subject(about), Ref: ref, Due: sense.Never})
}

func grant(v *View, at sense.Instant, purpose string, granted bool) {
	fold(v, at, &event.Consent{Purpose: purpose, Granted: granted, Expires: sense.Never})
}

// anna is a known customer who tapped her card before a private screen, now is t0, and agreed to nothing.
func anna() *View {
	return &View{Bundle: bundle(), Now: t0, Presence: Here, Slice: &profile.Slice{Customer: "anna"}, Customer: "anna", Person: "anna",
		By: event.ByCard, Slot: &catalog.Slot{Name: "kiosk.home", Channel: "kiosk"}, Channel: "kiosk", Asked: true, Clock: sense.ClockSynced}
}

func TestGuards(t *testing.T) {
	for _, c := range []struct {
		name    string
		action  *catalog.Action
		ambient bool
		given   func(*View)
		want    catalog.Reason
		because string
		until   sense.Instant
	}{
		{name: "nothing happened", action: sale("product:model-x")},

		{name: "bought", action: sale("product:model-x"), given: func(v *View) { interact(v, days(-21), "purchase", "product:model-x", "") },
			want: catalog.AlreadyBought, because: "purchase 2026-02-09", until: days(-21 + 365)},
		{name: "bought, and the offer is ambient", action: sale("product:model-x"), ambient: true,
			given: func(v *View) { interact(v, days(-21), "purchase", "product:model-x", "") }, want: catalog.AlreadyBought, because: "purchase 2026-02-09", until: days(-21 + 365)},
		{name: "one of its kind bought", action: sale("product:model-x"), given: func(v *View) { interact(v, days(-1), "purchase", "product:model-x-gti", "") },
			want: catalog.AlreadyBought, because: "purchase 2026-03-01", until: days(-1 + 365)},
		{name: "something else bought", action: sale("product:model-x"), given: func(v *View) { interact(v, days(-1), "purchase", "product:model-y", "") }},
		{name: "bought and returned", action: sale("product:model-x"), given: func(v *View) {
			interact(v, days(-21), "purchase", "product:model-x", "")
			interact(v, days(-1), "returned", "product:model-x", "")
		}},
		{name: "milk a day before its week is over", action: sale("grocery:milk"), given: func(v *View) { interact(v, days(-6), "purchase", "grocery:milk", "") },
			want: catalog.AlreadyBought, because: "purchase 2026-02-24", until: days(1)},
		{name: "milk a week ago", action: sale("grocery:milk"), given: func(v *View) { interact(v, days(-7), "purchase", "grocery:milk", "") }},
		{name: "service for what was bought", action: &catalog.Action{Name: "first-service", Intent: catalog.Service, Purpose: service, Group: -1, Measure: -1, About: "product:model-x"},
			given: func(v *View) { interact(v, days(-21), "purchase", "product:model-x", "") }},
		{name: "a purchase that is yet to come", action: sale("product:model-x"), given: func(v *View) { interact(v, days(1), "purchase", "product:model-x", "") }},

		{name: "booked", action: sale("hotel:rome"), given: func(v *View) { interact(v, days(-1), "booking", "hotel:rome", "") }, want: catalog.AlreadyBooked, because: "booking 2026-03-01", until: days(364)},
		{name: "goal reached", action: aims("hotel:rome"), given: func(v *View) { interact(v, days(-1), "booking", "hotel:rome", "") }, want: catalog.GoalReached, because: "booking 2026-03-01", until: days(364)},
		{name: "another goal", action: aims("hotel:milan"), given: func(v *View) { interact(v, days(-1), "booking", "hotel:rome", "") }},
		{name: "cancelled less than a day ago", action: aims("hotel:rome"), given: func(v *View) {
			interact(v, days(-2), "booking", "hotel:rome", "")
			interact(v, days(-1)+1, "cancelled", "hotel:rome", "")
		}, want: catalog.GoalReached, because: "booking 2026-02-28", until: t0 + 1},
		{name: "cancelled a day ago", action: aims("hotel:rome"), given: func(v *View) {
			interact(v, days(-2), "booking", "hotel:rome", "")
			interact(v, days(-1), "cancelled", "hotel:rome", "")
		}},

		{name: "open complaint", action: sale("product:model-x"), given: func(v *View) { interact(v, t0, "complaint", "product:y", "c1") }, want: catalog.OpenComplaint, because: "complaint 2026-03-02"},
		{name: "another complaint was resolved", action: sale("product:model-x"), given: func(v *View) {
			interact(v, days(-2), "complaint", "product:y", "c1")
			interact(v, days(-1), "resolved", "product:y", "c2")
		}, want: catalog.OpenComplaint, because: "complaint 2026-02-28"},
		{name: "resolved, cooling off", action: sale("product:model-x"), given: func(v *View) {
			interact(v, days(-20), "complaint", "product:y", "c1")
			interact(v, days(-14)+1, "resolved", "", "c1")
		}, want: catalog.ComplaintCoolOff, because: "complaint 2026-02-10", until: t0 + 1},
		{name: "cooled off at the end instant", action: sale("product:model-x"), given: func(v *View) {
			interact(v, days(-20), "complaint", "product:y", "c1")
			interact(v, days(-14), "resolved", "", "c1")
		}},

		{name: "came for service", action: sale("product:model-x"), given: func(v *View) { v.AskIntent = catalog.Service }, want: catalog.HisGoalFirst, because: "intent"},
		{name: "came for service before, not answered yet", action: sale("product:model-x"), given: func(v *View) { v.HisGoal = true }, want: catalog.HisGoalFirst, because: "answered"},
		{name: "comes to buy", action: sale("product:model-x"), given: func(v *View) { v.HisGoal, v.AskIntent = true, catalog.Sales }},

		{name: "seen in passing", action: sale("product:model-x"), given: func(v *View) { v.By = event.ByPassive }, want: catalog.PassiveSighting, because: "identify"},
		{name: "seen in passing, ambient", action: sale("product:model-x"), ambient: true, given: func(v *View) { v.By = event.ByPassive }},
		{name: "chose to be recognised", action: sale("product:model-x"), given: func(v *View) { v.By = event.ByPassive; grant(v, days(-1), Recognise, true) }},
		{name: "chose, and took it back", action: sale("product:model-x"), given: func(v *View) {
			v.By = event.ByPassive
			grant(v, days(-2), Recognise, true)
			grant(v, days(-1), Recognise, false)
		}, want: catalog.PassiveSighting, because: "identify"},

		{name: "unasked", action: sale("product:model-x"), given: func(v *View) { v.Asked = false }, want: catalog.UnaskedWithoutOptIn, because: "offers.unasked"},
		{name: "unasked with a yes of its own", action: sale("product:model-x"), given: func(v *View) { v.Asked = false; grant(v, days(-1), "offers.unasked", true) }},

		{name: "a code where a card is asked", action: sale("product:model-x"), given: func(v *View) { v.By, v.Slot.LeastIdentity = event.ByCode, event.ByCard }, want: catalog.WeakIdentity, because: "identify"},
		{name: "a login where a card is asked", action: sale("product:model-x"), given: func(v *View) { v.By, v.Slot.LeastIdentity = event.ByLogin, event.ByCard }},
		{name: "words for one person, and nobody there", action: &catalog.Action{Name: "s", Intent: catalog.Service, Purpose: service, Group: -1, Measure: -1},
			given: func(v *View) { v.Presence, v.Slice, v.By, v.Customer = Nobody, nil, event.ByNobody, "" }, want: catalog.WeakIdentity, because: "identify"},
		{name: "a warning for whoever is there", action: &catalog.Action{Name: "s", Intent: catalog.Safety, Purpose: care, Group: -1, Measure: -1},
			given: func(v *View) { v.Presence, v.Slice, v.By, v.Customer = Nobody, nil, event.ByNobody, "" }},
		{name: "shared card", action: sale("product:model-x"), given: func(v *View) { v.Shared = true }, want: catalog.SharedIdentity, because: "identify"},
		{name: "shared card, ambient", action: sale("product:model-x"), ambient: true, given: func(v *View) { v.Shared = true }},

		{name: "alone before a shared screen", action: sale("product:model-x"), given: alone(rule.True)},
		{name: "two before it", action: sale("product:model-x"), given: alone(rule.False), want: catalog.NotAlone, because: "people"},
		{name: "nobody knows how many", action: sale("product:model-x"), given: alone(rule.Unknown), want: catalog.BystanderUnknown, because: "people"},
		{name: "two, ambient", action: sale("product:model-x"), ambient: true, given: alone(rule.False)},
		{name: "two before a private screen", action: sale("product:model-x"), given: func(v *View) { alone(rule.False)(v); v.Slot.SharedScreen = false }},

		{name: "sensitive subject", action: sale("product:nappies"), given: nil, want: catalog.SensitiveSubject, because: "product:nappies"},
		{name: "she asked for it herself", action: sale("product:nappies"), given: func(v *View) { v.AskAbout = "product:nappies" }},
		{name: "explicit consent", action: healthy("product:nappies"), given: explicitly},
		{name: "consent without the text that was agreed to", action: healthy("product:nappies"), given: func(v *View) { grant(v, days(-1), "health", true) }, want: catalog.SensitiveSubject, because: "product:nappies"},
		{name: "explicit consent, shared screen", action: healthy("product:nappies"), given: func(v *View) { explicitly(v); alone(rule.True)(v) }, want: catalog.SensitiveSubject, because: "product:nappies"},

		{name: "inferred", action: uses("routine"), given: known(event.Inferred), want: catalog.InferredNotTold, because: "routine"},
		{name: "from a third party", action: uses("routine"), given: known(event.ThirdParty), want: catalog.ThirdPartyNotTold, because: "routine"},
		{name: "declared", action: uses("routine"), given: known(event.Declared)},

		{name: "profile as old as allowed", action: sale("product:model-x"), given: func(v *View) { v.ProfileAge = 15 * sense.Minute }},
		{name: "profile too old", action: sale("product:model-x"), given: func(v *View) { v.ProfileAge = 15*sense.Minute + 1 }, want: catalog.StaleProfile, because: "profile"},
		{name: "profile too old, service", action: &catalog.Action{Name: "s", Intent: catalog.Service, Purpose: service, Group: -1, Measure: -1}, given: func(v *View) { v.ProfileAge = sense.Hour }},
		{name: "slice awaited", action: sale("product:model-x"), given: func(v *View) { v.Presence, v.Slice = Awaited, nil }, want: catalog.StaleProfile, because: "profile"},
		{name: "lease ended", action: &catalog.Action{Name: "s", Intent: catalog.Service, Purpose: service, Group: -1, Measure: -1},
			given: func(v *View) { v.Presence, v.Slice, v.LeaseEnded = Awaited, nil, true }, want: catalog.LeaseEnded, because: "lease"},
		{name: "lease ended, and the policy bounds the profile's age", action: sale("product:model-x"),
			given: func(v *View) { v.Presence, v.Slice, v.LeaseEnded = Awaited, nil, true }, want: catalog.LeaseEnded, because: "lease"},

		{name: "held out", action: measured(0), want: catalog.ControlGroup, because: "all"},
		{name: "not held out", action: measured(1)},
		{name: "asked for it", action: measured(0), given: func(v *View) { v.AskAbout = "product:model-x" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := anna()
			if c.given != nil {
				c.given(v)
			}
			got := Judge(v, Candidate{Action: c.action, Ambient: c.ambient, Personal: !c.ambient})
			because := ""
			if len(got.Because) > 0 {
				because = got.Because[0].Name
				if got.Because[0].Value.Kind() == sense.Date {
					because += " " + sense.FormatDate(got.Because[0].Value.Int())
				}
			}
			if got.Reason != c.want || because != c.because || c.until != 0 && got.Until != c.until {
				t.Errorf("%s because %q until %s; want %s because %q until %s", got.Reason, because, got.Until, c.want, c.because, c.until)
			}
		})
	}
}

func aims(goal string) *catalog.Action {
	a := sale(goal)
	a.Goal = event.Subject(goal)
	return a
}

func healthy(about string) *catalog.Action {
	a := sale(about)
	a.Purpose = health
	return a
}

func uses(fact string) *catalog.Action {
	a := sale("product:model-x")
	a.Uses, a.Reads = []string{fact}, []int32{0}
	return a
}

// explicitly is a yes to the purpose health, with the text that was agreed to.
func explicitly(v *View) {
	fold(v, days(-1), &event.Consent{Purpose: "health", Granted: true, Text: "health-2", Expires: sense.Never})
}

func measured(m int32) *catalog.Action {
	a := sale("product:model-x")
	a.Measure = m
	return a
}

func known(p event.Provenance) func(*View) {
	return func(v *View) {
		fold(v, days(-1), &event.Fact{Name: "routine", Customer: "anna", Value: sense.StringValue("taxi"), Provenance: p})
	}
}

func alone(truth rule.Truth) func(*View) {
	return func(v *View) {
		v.Slot.SharedScreen = true
		v.State = func(int) (rule.Truth, []catalog.Because) { return truth, []catalog.Because{{Name: "people"}} }
	}
}

func TestLegal(t *testing.T) {
	withPurpose := func(p int32) *catalog.Action {
		a := sale("product:model-x")
		a.Purpose = p
		return a
	}
	located := withPurpose(offers)
	located.NeedGrants = []int32{location}
	for _, c := range []struct {
		name    string
		action  *catalog.Action
		ambient bool
		given   func(*View)
		want    catalog.Reason
		because string
	}{
		{name: "no line ever", action: withPurpose(offers), want: catalog.ConsentUnknown, because: "offers"},
		{name: "nobody there", action: withPurpose(offers), given: func(v *View) { v.Presence, v.Slice = Nobody, nil }, want: catalog.ConsentUnknown, because: "offers"},
		{name: "ambient needs none", action: withPurpose(offers), ambient: true},
		{name: "granted", action: withPurpose(offers), given: func(v *View) { grant(v, days(-1), "offers", true) }},
		{name: "denied", action: withPurpose(offers), given: func(v *View) { grant(v, days(-1), "offers", false) }, want: catalog.ConsentDenied, because: "offers"},
		{name: "withdrawn", action: withPurpose(offers), given: func(v *View) { grant(v, days(-2), "offers", true); grant(v, days(-1), "offers", false) }, want: catalog.ConsentWithdrawn, because: "offers"},
		{name: "expired", action: withPurpose(offers), given: func(v *View) {
			fold(v, days(-9), &event.Consent{Purpose: "offers", Granted: true, Expires: t0})
		}, want: catalog.ConsentExpired, because: "offers"},
		{name: "position without consent for it", action: located, given: func(v *View) { grant(v, days(-1), "offers", true) }, want: catalog.ConsentUnknown, because: "location"},
		{name: "both granted", action: located, given: func(v *View) { grant(v, days(-1), "offers", true); grant(v, days(-1), "location", true) }},
		{name: "interest needs no grant", action: withPurpose(care)},
		{name: "interest yields to an objection", action: withPurpose(care), given: func(v *View) { fold(v, t0, &event.Objection{Purpose: "care", Raised: true}) }, want: catalog.Objected, because: "care"},
		{name: "an objection taken back", action: withPurpose(care), given: func(v *View) {
			fold(v, days(-2), &event.Objection{Purpose: "care", Raised: true})
			fold(v, days(-1), &event.Objection{Purpose: "care"})
		}},
		{name: "contract does not yield to an objection", action: withPurpose(service), given: func(v *View) { fold(v, t0, &event.Objection{Purpose: "service", Raised: true}) }},
		{name: "restricted", action: withPurpose(service), given: func(v *View) { fold(v, t0, &event.Restrict{On: true}) }, want: catalog.Restricted, because: "restrict"},
		{name: "restricted, vital interest", action: withPurpose(vital), given: func(v *View) { fold(v, t0, &event.Restrict{On: true}) }},
		{name: "no purpose", action: withPurpose(-1), want: catalog.NoBasis},
		{name: "erased", action: withPurpose(service), given: func(v *View) { v.Erased = true }, want: catalog.Erased, because: "forget"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := anna()
			if c.given != nil {
				c.given(v)
			}
			got := Legal(v, Candidate{Action: c.action, Ambient: c.ambient})
			because := ""
			if len(got.Because) > 0 {
				because = got.Because[0].Name
			}
			if got.Reason != c.want || because != c.because {
				t.Errorf("%s because %q; want %s because %q", got.Reason, because, c.want, c.because)
			}
		})
	}
}

// TestSaid: a consent and an objection are told with the last word, and with its age.
func TestSaid(t *testing.T) {
	none := sense.Value{}
	for _, c := range []struct {
		name    string
		purpose int32
		given   func(*View)
		want    sense.Value
		age     sense.Duration
	}{
		{"no line ever", offers, func(*View) {}, none, catalog.NoAge},
		{"nobody there", offers, func(v *View) { v.Presence, v.Slice = Nobody, nil }, none, catalog.NoAge},
		{"denied", offers, func(v *View) { grant(v, days(-1), "offers", false) }, sense.BoolValue(false), sense.Day},
		{"withdrawn", offers, func(v *View) { grant(v, days(-9), "offers", true); grant(v, days(-2), "offers", false) }, sense.BoolValue(false), 2 * sense.Day},
		{"expired", offers, func(v *View) {
			fold(v, days(-9), &event.Consent{Purpose: "offers", Granted: true, Expires: t0})
		}, sense.BoolValue(true), 9 * sense.Day},
		{"objected", care, func(v *View) { fold(v, days(-3), &event.Objection{Purpose: "care", Raised: true}) }, sense.BoolValue(true), 3 * sense.Day},
		{"restricted", service, func(v *View) { fold(v, days(-4), &event.Restrict{On: true}) }, sense.BoolValue(true), 4 * sense.Day},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, a := anna(), sale("product:model-x")
			a.Purpose = c.purpose
			c.given(v)
			got := Legal(v, Candidate{Action: a})
			if len(got.Because) != 1 || got.Because[0].Value.String() != c.want.String() || got.Because[0].Age != c.age {
				t.Errorf("%s because of %+v; want value %s, age %d", got.Reason, got.Because, c.want, c.age)
			}
		})
	}
}

// TestLeaseEndedAmbient: with the lease went all that is known, so an ambient action goes on unless the
// policy bounds how old the profile may be for it; of a slice that is awaited no age is told.
func TestLeaseEndedAmbient(t *testing.T) {
	v := anna()
	v.Presence, v.Slice, v.LeaseEnded = Awaited, nil, true
	inform := sale("product:model-x")
	inform.Intent = catalog.Information
	if got := Judge(v, Candidate{Action: inform, Ambient: true}); !got.OK() {
		t.Errorf("ambient information: %s", got.Reason)
	}
	if got := Judge(v, Candidate{Action: sale("product:model-x"), Ambient: true}); got.Reason != catalog.LeaseEnded {
		t.Errorf("ambient sale: %s, want lease_ended", got.Reason)
	}
	v.LeaseEnded = false
	got := Judge(v, Candidate{Action: sale("product:model-x"), Ambient: true})
	if got.Reason != catalog.StaleProfile || got.Because[0].Age != catalog.NoAge {
		t.Errorf("awaited: %s because of %+v, want stale_profile without an age", got.Reason, got.Because)
	}
}

func TestQuiet(t *testing.T) {
	driving := func(truth rule.Truth) func(*View) {
		return func(v *View) {
			v.Channel = "car"
			v.State = func(int) (rule.Truth, []catalog.Because) { return truth, []catalog.Because{{Name: "speed"}} }
		}
	}
	night := func(at string, clock sense.ClockState) func(*View) {
		return func(v *View) {
			v.Bundle.Quiet.Hours = []catalog.HourRange{{From: 22 * 60, To: 7 * 60}}
			v.Now, _ = sense.ParseInstant(at)
			v.Clock = clock
		}
	}
	for _, c := range []struct {
		name  string
		given func(*View)
		want  catalog.Reason
		until string
	}{
		{"driving", driving(rule.True), catalog.AtTheWheel, ""},
		{"perhaps driving", driving(rule.Unknown), catalog.AtTheWheel, ""},
		{"parked", driving(rule.False), catalog.NoReason, ""},
		{"driving is no matter of a kiosk", func(v *View) { driving(rule.True)(v); v.Channel = "kiosk" }, catalog.NoReason, ""},
		{"before the night", night("2026-03-02T21:59:00Z", sense.ClockSynced), catalog.NoReason, ""},
		{"at night", night("2026-03-02T22:00:00Z", sense.ClockSynced), catalog.DeviceQuietHours, "2026-03-03T07:00:00.000Z"},
		{"after midnight", night("2026-03-03T06:59:00Z", sense.ClockSynced), catalog.DeviceQuietHours, "2026-03-03T07:00:00.000Z"},
		{"in the morning", night("2026-03-03T07:00:00Z", sense.ClockSynced), catalog.NoReason, ""},
		{"by day, with a clock that nobody trusts", night("2026-03-03T12:00:00Z", sense.ClockUnknown), catalog.DeviceQuietHours, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := anna()
			c.given(v)
			got := Quiet(v)
			if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
				t.Errorf("%s until %s; want %s until %s", got.Reason, got.Until, c.want, c.until)
			}
		})
	}
	if b := bundle(); !Passes(b, catalog.Safety) || Passes(b, catalog.Recovery) {
		t.Error("safety alone passes a quiet state where the policy says nothing")
	}
}

func TestHeldOutIsAShare(t *testing.T) {
	m := &catalog.Measure{Name: "satisfaction", Control: catalog.One / 10}
	n := 0
	for k := range 20_000 {
		if HeldOut("shop", m, "customer-"+string(rune('a'+k%26))+sense.IntValue(int64(k)).String()) {
			n++
		}
	}
	// 2,000 expected with a standard deviation of 42; five of them either way.
	if n < 1790 || n > 2210 {
		t.Errorf("10 %% of 20,000 customers held out = %d", n)
	}
}
