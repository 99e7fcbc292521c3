package guard

import (
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// row is one line of a guard's table: certain, unknown or false.
type row struct {
	name   string
	intent catalog.Intent
	given  func(*stage)
	want   catalog.Reason
	first  string        // name of the first reason, where it matters
	until  sense.Instant // where it matters
}

// subjects declares more subjects, in order of name as in every bundle.
func subjects(s *stage, more ...catalog.SubjectInfo) {
	b := s.v.Bundle
	b.Subjects = append(b.Subjects, more...)
	slices.SortFunc(b.Subjects, func(a, b catalog.SubjectInfo) int { return strings.Compare(a.Name, b.Name) })
}

func judge(t *testing.T, rows []row) {
	t.Helper()
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(c.intent)
			c.given(s)
			d := Judge(s.v, s.c)
			first := ""
			if len(d.Because) > 0 {
				first = d.Because[0].Name
			}
			if d.Reason != c.want || c.first != "" && first != c.first || c.until != 0 && d.Until != c.until {
				t.Errorf("%q because %q until %s; want %q because %q until %s", d.Reason, first, d.Until, c.want, c.first, c.until)
			}
		})
	}
}

func (s *stage) nobody() {
	s.v.Presence, s.v.Slice, s.v.Customer, s.v.By = Nobody, nil, "", event.ByNobody
	s.c.Ambient, s.c.Personal = true, false
}

func (s *stage) await() { s.v.Presence, s.v.Slice = Awaited, nil }

func (s *stage) shown(id, action, intent string, at sense.Instant, outcomes ...string) {
	x := profile.Exposure{Decision: id, Action: action, Intent: intent, About: "product:model-x", At: at, Shown: at}
	for _, o := range outcomes {
		x.Outcomes = append(x.Outcomes, profile.Outcome{Outcome: o, At: at})
	}
	s.v.Slice.AddExposure(x)
}

func TestQuestions(t *testing.T) {
	const declared = event.Declared
	confirm := func(s *stage) { s.a.Asks, s.a.Confirms = -1, routine }
	serve := func(s *stage, needs ...catalog.Need) {
		s.v.Bundle.Actions[brochure].Needs, s.v.Bundle.Actions[brochure].About = needs, "brochure:model-x"
		s.a.Serves = brochure
	}
	mail, email := catalog.Need{Delivery: "mail", Facts: []int32{address}}, catalog.Need{Delivery: "email", Facts: []int32{colour}}
	judge(t, []row{
		{"not known", catalog.Question, func(s *stage) {}, catalog.NoReason, "", 0},
		{"nobody there", catalog.Question, (*stage).nobody, catalog.NoReason, "", 0},
		{"her answers are awaited", catalog.Question, (*stage).await, catalog.StaleProfile, "profile", 0},
		{"known", catalog.Question, func(s *stage) { s.tell("address", "Dam 1", declared, days(-364)) }, catalog.AlreadyKnown, "address", days(1)},
		{"known and ambient", catalog.Question, func(s *stage) { s.c.Ambient = true; s.tell("address", "Dam 1", declared, days(-1)) }, catalog.AlreadyKnown, "address", 0},
		{"inferred is not known", catalog.Question, func(s *stage) { s.tell("address", "Dam 1", event.Inferred, days(-1)) }, catalog.NoReason, "", 0},
		{"stale, not asked yet", catalog.Question, func(s *stage) { s.tell("address", "Dam 1", declared, days(-365)) }, catalog.NoReason, "", 0},
		{"stale, asked before it was", catalog.Question, func(s *stage) {
			s.tell("address", "Dam 1", declared, days(-370))
			s.v.Bundle.Actions[brochure] = *s.a
			s.shown("1", s.a.Name, "question", days(-6))
		}, catalog.NoReason, "", 0},
		{"stale, asked since", catalog.Question, func(s *stage) {
			s.tell("address", "Dam 1", declared, days(-370))
			s.v.Bundle.Actions[brochure] = *s.a
			s.shown("1", s.a.Name, "question", days(-5))
		}, catalog.AlreadyKnown, "stale_answer", 0},
		{"stale, and asked right now", catalog.Question, func(s *stage) {
			s.tell("address", "Dam 1", declared, days(-370))
			s.v.Bundle.Actions[brochure] = *s.a
			s.shown("1", s.a.Name, "question", t0)
			s.v.Standing, s.v.Questioned = "1", t0
		}, catalog.NoReason, "", 0},
		{"stale, asked since, and the answer could not be used", catalog.Question, func(s *stage) {
			s.tell("address", "Dam 1", declared, days(-370))
			s.v.Bundle.Actions[brochure] = *s.a
			s.shown("1", s.a.Name, "question", t0-1)
			s.v.Questioned, s.v.Retry = t0-1, true
		}, catalog.NoReason, "", 0},
		{"stale, asking failed", catalog.Question, func(s *stage) {
			s.tell("address", "Dam 1", declared, days(-370))
			s.v.Bundle.Actions[brochure] = *s.a
			s.shown("1", s.a.Name, "question", days(-1))
			s.v.Slice.Exposures[0].Failed = true
		}, catalog.NoReason, "", 0},
		{"confirm what is not held", catalog.Question, confirm, catalog.NotNeeded, "routine", 0},
		{"confirm what is fresh", catalog.Question, func(s *stage) { confirm(s); s.tell("routine", "taxi", declared, days(-1)) }, catalog.AlreadyKnown, "routine", days(364)},
		{"confirm what is stale", catalog.Question, func(s *stage) { confirm(s); s.tell("routine", "taxi", declared, days(-365)) }, catalog.NoReason, "", 0},
		{"confirm what was inferred, out of the blue", catalog.Question, func(s *stage) { confirm(s); s.tell("routine", "taxi", event.Inferred, days(-1)) }, catalog.InferredNotTold, "routine", 0},
		{"after she asked for it", catalog.Question, func(s *stage) {
			confirm(s)
			s.a.Reads = []int32{routine}
			s.v.Requests = []event.Subject{"product:model-x/gti"}
			s.tell("routine", "taxi", event.Inferred, days(-1))
		}, catalog.NoReason, "", 0},
		{"after she asked for something else", catalog.Question, func(s *stage) {
			confirm(s)
			s.v.Requests = []event.Subject{"product:model-y"}
			s.tell("routine", "taxi", event.Inferred, days(-1))
		}, catalog.InferredNotTold, "routine", 0},
		{"confirm what others say", catalog.Question, func(s *stage) {
			confirm(s)
			s.v.Requests = []event.Subject{"product:model-x"}
			s.tell("routine", "taxi", event.ThirdParty, days(-1))
		}, catalog.ThirdPartyNotTold, "routine", 0},
		{"confirm though she sleeps", catalog.Question, func(s *stage) {
			confirm(s)
			s.v.Asked = false
			s.tell("routine", "taxi", declared, days(-800))
			interact(s.v, days(-731), "talk", "", "")
		}, catalog.NoReason, "", 0},

		{"a second question", catalog.Question, func(s *stage) { s.v.Questioned = t0 - 1 }, catalog.OneQuestionAVisit, "questioned", 0},
		{"again, since the answer could not be used", catalog.Question, func(s *stage) { s.v.Questioned, s.v.Retry = t0-1, true; s.shown("1", "candidate", "question", t0-1) }, catalog.NoReason, "", 0},
		{"another, since the answer could not be used", catalog.Question, func(s *stage) { s.v.Questioned, s.v.Retry = t0-1, true; s.shown("1", "other", "question", t0-1) }, catalog.OneQuestionAVisit, "questioned", 0},
		{"no question", catalog.Service, func(s *stage) { s.v.Questioned = t0 - 1 }, catalog.NoReason, "", 0},

		{"needed by mail", catalog.Question, func(s *stage) { serve(s, mail, email); s.v.Delivery = "mail" }, catalog.NoReason, "", 0},
		{"not needed by e-mail", catalog.Question, func(s *stage) { serve(s, mail, email); s.v.Delivery = "email" }, catalog.NotNeeded, "address", 0},
		{"a delivery that nobody offers", catalog.Question, func(s *stage) { serve(s, mail, email); s.v.Delivery = "pigeon" }, catalog.NotNeeded, "address", 0},
		{"needed one way or another", catalog.Question, func(s *stage) { serve(s, mail, email) }, catalog.NoReason, "", 0},
		{"needed whatever the delivery", catalog.Question, func(s *stage) { serve(s, catalog.Need{Facts: []int32{address}}); s.v.Delivery = "email" }, catalog.NoReason, "", 0},
		{"its condition reads it", catalog.Question, func(s *stage) {
			serve(s, email)
			s.v.Bundle.Actions[brochure].Reads = []int32{address}
		}, catalog.NoReason, "", 0},
		{"asked about the brochure", catalog.Question, func(s *stage) {
			serve(s, mail)
			s.v.AskIntent, s.v.AskAbout, s.v.HisGoal = catalog.Information, "brochure:model-x", true
		}, catalog.NoReason, "", 0},
		{"asked about another brochure", catalog.Question, func(s *stage) {
			serve(s, mail)
			s.v.AskIntent, s.v.AskAbout = catalog.Information, "brochure:model-y"
		}, catalog.NotNeeded, "about", 0},
		{"asked for information, serving nothing", catalog.Question, func(s *stage) { s.v.AskIntent = catalog.Information }, catalog.NotNeeded, "intent", 0},
		{"asked for service, serving information", catalog.Question, func(s *stage) { serve(s, mail); s.v.AskIntent = catalog.Service }, catalog.NotNeeded, "intent", 0},
		{"asked without intent, serving nothing", catalog.Question, func(s *stage) {}, catalog.NoReason, "", 0},
	})
}

func TestHisGoal(t *testing.T) {
	ask := func(i catalog.Intent) func(*stage) { return func(s *stage) { s.v.AskIntent = i } }
	const passes, held = catalog.NoReason, catalog.HisGoalFirst
	for _, c := range []struct {
		ask, intent catalog.Intent
		want        catalog.Reason
	}{
		{catalog.Service, catalog.Service, passes}, {catalog.Service, catalog.Recovery, passes}, {catalog.Service, catalog.Handoff, passes},
		{catalog.Service, catalog.Safety, passes}, {catalog.Service, catalog.Sales, held}, {catalog.Service, catalog.Information, held},
		{catalog.Service, catalog.Entertainment, held}, {catalog.Information, catalog.Information, passes}, {catalog.Information, catalog.Service, passes},
		{catalog.Information, catalog.Sales, held}, {catalog.Entertainment, catalog.Sales, held}, {catalog.Entertainment, catalog.Information, passes},
		{catalog.Entertainment, catalog.Entertainment, passes}, {0, catalog.Sales, passes}, {catalog.Sales, catalog.Sales, passes},
		{catalog.Handoff, catalog.Sales, held}, {catalog.Handoff, catalog.Handoff, passes},
	} {
		s := newStage(c.intent)
		ask(c.ask)(s)
		if got := Judge(s.v, s.c); got.Reason != c.want {
			t.Errorf("asked for %q, %s: %q", c.ask, c.intent, got.Reason)
		}
	}
	judge(t, []row{
		{"not answered yet, unasked", catalog.Sales, func(s *stage) { s.v.HisGoal, s.v.Asked = true, false }, catalog.HisGoalFirst, "", 0},
		{"not answered yet, service unasked", catalog.Service, func(s *stage) { s.v.HisGoal, s.v.Asked = true, false }, catalog.NoReason, "", 0},
		{"not answered yet, and comes to buy", catalog.Sales, func(s *stage) { s.v.HisGoal, s.v.AskIntent = true, catalog.Sales }, catalog.NoReason, "", 0},
		{"a question that serves a sale", catalog.Question, func(s *stage) { s.v.HisGoal, s.a.Serves = true, offer }, catalog.HisGoalFirst, "", 0},
	})
}

func TestStrikes(t *testing.T) {
	bad := func(s *stage, at sense.Instant, ref string) { interact(s.v, at, "bad_rating", "", ref) }
	for _, c := range []struct {
		name   string
		given  func(*stage)
		count  int64
		effect catalog.StrikeEffect
		until  sense.Instant
	}{
		{"none", func(s *stage) {}, 0, 0, sense.Never},
		{"one", func(s *stage) { bad(s, days(-1), "") }, 1, catalog.StrikeRecovery, days(89)},
		{"two", func(s *stage) { bad(s, days(-2), "a"); bad(s, days(-1), "b") }, 2, catalog.StrikeNoSales, days(88)},
		{"three", func(s *stage) { bad(s, days(-2), ""); bad(s, days(-2), ""); bad(s, days(-1), "") }, 3, catalog.StrikeHandOver, days(88)},
		{"one told twice", func(s *stage) { bad(s, days(-2), "a"); bad(s, days(-1), "a") }, 1, catalog.StrikeRecovery, days(88)},
		{"one told by two kinds", func(s *stage) { bad(s, days(-2), "a"); interact(s.v, days(-3), "complaint", "", "a") }, 1, catalog.StrikeRecovery, days(87)},
		{"the last millisecond", func(s *stage) { bad(s, days(-90)+1, "") }, 1, catalog.StrikeRecovery, t0 + 1},
		{"day 91", func(s *stage) { bad(s, days(-91), "a"); bad(s, days(-1), "b") }, 1, catalog.StrikeRecovery, days(89)},
		{"the end instant", func(s *stage) { bad(s, days(-90), "") }, 0, 0, sense.Never},
		{"yet to come", func(s *stage) { bad(s, days(1), "") }, 0, 0, sense.Never},
		{"an outcome", func(s *stage) { s.shown("d1", "offer", "sales", days(-1), "negative") }, 1, catalog.StrikeRecovery, days(89)},
		{"an outcome and the complaint about it", func(s *stage) { s.shown("d1", "offer", "sales", days(-2), "negative"); bad(s, days(-1), "d1") }, 1, catalog.StrikeRecovery, days(88)},
		{"an outcome and another complaint", func(s *stage) { s.shown("d1", "offer", "sales", days(-2), "negative"); bad(s, days(-1), "x") }, 2, catalog.StrikeNoSales, days(88)},
		{"an outcome told twice", func(s *stage) { s.shown("d1", "offer", "sales", days(-2), "negative", "negative") }, 1, catalog.StrikeRecovery, days(88)},
		{"other outcomes", func(s *stage) { s.shown("d1", "offer", "sales", days(-2), "dismissed", "never") }, 0, 0, sense.Never},
		{"undone", func(s *stage) {
			s.v.Bundle.Kinds[len(s.v.Bundle.Kinds)-1].Undo = []catalog.UndoneBy{{Kind: 4}} // resolved
			bad(s, days(-2), "a")
			interact(s.v, days(-1), "resolved", "", "a")
		}, 0, 0, sense.Never},
		{"no policy of strikes", func(s *stage) { s.v.Bundle.Strikes = nil; bad(s, days(-1), "") }, 0, 0, sense.Never},
		{"nobody", func(s *stage) { s.nobody() }, 0, 0, sense.Never},
	} {
		s := newStage(catalog.Sales)
		c.given(s)
		if count, effect, until := Strikes(s.v); count != c.count || effect != c.effect || until != c.until {
			t.Errorf("%s: %d, %s until %s; want %d, %s until %s", c.name, count, effect, until, c.count, c.effect, c.until)
		}
	}
	two := func(s *stage) { bad(s, days(-2), "a"); bad(s, days(-1), "b") }
	judge(t, []row{
		{"sales after two", catalog.Sales, two, catalog.ThreeStrikes, "negative", days(88)},
		{"sales after one", catalog.Sales, func(s *stage) { bad(s, days(-2), "a") }, catalog.NoReason, "", 0},
		{"sales, not known how many", catalog.Sales, (*stage).await, catalog.StaleProfile, "", 0},
		{"entertainment unasked", catalog.Entertainment, func(s *stage) { two(s); s.v.Asked = false }, catalog.ThreeStrikes, "negative", 0},
		{"entertainment asked for", catalog.Entertainment, two, catalog.NoReason, "", 0},
		{"service", catalog.Service, two, catalog.NoReason, "", 0},
	})
	for _, c := range []struct {
		strikes int
		intent  catalog.Intent
		own     bool
		want    bool
	}{
		{0, catalog.Recovery, false, false}, {1, catalog.Recovery, false, true}, {3, catalog.Recovery, false, true},
		{1, catalog.Handoff, false, false}, {2, catalog.Handoff, false, false}, {3, catalog.Handoff, false, true},
		{3, catalog.Service, false, false}, {0, catalog.Service, true, true}, {3, catalog.Sales, false, false},
	} {
		s := newStage(c.intent)
		s.a.Mandatory = c.own
		for range c.strikes {
			bad(s, days(-1), "")
		}
		if got := Mandatory(s.v, s.a); got != c.want {
			t.Errorf("after %d strikes %s mandatory %v, want %v", c.strikes, c.intent, got, c.want)
		}
	}
	// An author who hands over before he recovers is taken at his word.
	s := newStage(catalog.Handoff)
	s.v.Bundle.Strikes.At = []catalog.Strike{{Count: 1, Then: catalog.StrikeHandOver}, {Count: 2, Then: catalog.StrikeRecovery}}
	two(s)
	if !Mandatory(s.v, s.a) {
		t.Error("a later, weaker strike takes back what an earlier one led to")
	}
}

func TestSharedIdentityAndSubjects(t *testing.T) {
	sensitive := func(s *stage, about event.Subject) { s.a.About = about }
	wants := func(s *stage, what string) { s.tell("interests", what, event.Declared, days(-1)) }
	judge(t, []row{
		{"a household's card", catalog.Service, func(s *stage) { s.v.Shared = true }, catalog.SharedIdentity, "identify", 0},
		{"made for a household", catalog.Service, func(s *stage) { s.v.Shared, s.a.Household = true, true }, catalog.NoReason, "", 0},
		{"made for a household, but special", catalog.Service, func(s *stage) { s.v.Shared, s.a.Household, s.a.Special = true, true, "health" }, catalog.SharedIdentity, "", 0},
		{"made for a household, but sensitive", catalog.Service, func(s *stage) { s.v.Shared, s.a.Household = true, true; sensitive(s, "product:nappies") }, catalog.SharedIdentity, "", 0},
		{"ambient", catalog.Service, func(s *stage) { s.v.Shared, s.c.Ambient = true, true }, catalog.NoReason, "", 0},

		{"below a sensitive subject", catalog.Sales, func(s *stage) { sensitive(s, "product:nappies/size-3") }, catalog.SensitiveSubject, "product:nappies/size-3", 0},
		{"of a sensitive kind", catalog.Sales, func(s *stage) {
			subjects(s, catalog.SubjectInfo{Name: "cream", Kind: "care"}, catalog.SubjectInfo{Name: "care", Kind: "nappies"})
			sensitive(s, "product:cream")
		}, catalog.SensitiveSubject, "", 0},
		{"kinds in a ring", catalog.Sales, func(s *stage) {
			subjects(s, catalog.SubjectInfo{Name: "a", Kind: "b"}, catalog.SubjectInfo{Name: "b", Kind: "a"})
			sensitive(s, "product:a")
		}, catalog.NoReason, "", 0},
		{"ambient and sensitive", catalog.Sales, func(s *stage) { s.c.Ambient = true; sensitive(s, "product:nappies") }, catalog.SensitiveSubject, "", 0},
		{"a name that only begins like it", catalog.Sales, func(s *stage) { sensitive(s, "product:nappies-bin") }, catalog.NoReason, "", 0},
		{"declared interest", catalog.Service, func(s *stage) { sensitive(s, "product:nappies"); wants(s, "nappies") }, catalog.NoReason, "", 0},
		{"observed interest", catalog.Service, func(s *stage) {
			sensitive(s, "product:nappies")
			s.tell("interests", "nappies", event.Observed, days(-1))
		}, catalog.SensitiveSubject, "", 0},
		{"an interest of old", catalog.Service, func(s *stage) {
			sensitive(s, "product:nappies")
			s.tell("interests", "nappies", event.Declared, days(-365))
		}, catalog.SensitiveSubject, "", 0},
		{"interest in something else", catalog.Service, func(s *stage) { sensitive(s, "product:nappies"); wants(s, "garden") }, catalog.SensitiveSubject, "", 0},
		{"declared interest on a shared screen", catalog.Service, func(s *stage) {
			sensitive(s, "product:nappies")
			wants(s, "nappies")
			alone(rule.True)(s.v)
			s.c.Ambient = true
		}, catalog.SensitiveSubject, "", 0},
		{"not known while awaited", catalog.Service, func(s *stage) { sensitive(s, "product:nappies"); s.await() }, catalog.SensitiveSubject, "", 0},
		{"she asks herself", catalog.Service, func(s *stage) { sensitive(s, "product:nappies"); s.v.AskAbout = "product:nappies" }, catalog.NoReason, "", 0},
	})
}

func TestToldAndSeen(t *testing.T) {
	look := func(s *stage, at sense.Instant, channel string) {
		s.a.Seen = []catalog.Seen{{Subject: "product:bench", Window: 30 * sense.Day}}
		fold(s.v, at, &event.Interaction{Kind: "view", About: "product:bench/oak", Channel: channel, Due: sense.Never})
	}
	judge(t, []row{
		{"spoken of, though it was inferred", catalog.Service, func(s *stage) {
			s.tell("routine", "taxi", event.Inferred, days(-1))
			s.a.SayPersonal = &catalog.Treatment{Text: []catalog.Rendered{{{Literal: "Taxi? ", Fact: -1}, {Name: "routine", Fact: routine, Input: -1, Derived: -1}}}}
		}, catalog.InferredNotTold, "routine", 0},
		{"spoken of in the other treatment only", catalog.Service, func(s *stage) {
			s.tell("routine", "taxi", event.Inferred, days(-1))
			s.a.SayPersonal = &catalog.Treatment{Text: []catalog.Rendered{{{Name: "routine", Fact: routine, Input: -1, Derived: -1}}}}
			s.c.Personal = false
		}, catalog.NoReason, "", 0},
		{"read, not known", catalog.Service, func(s *stage) { s.a.Reads = []int32{routine} }, catalog.NoReason, "", 0},
		{"read, and observed", catalog.Service, func(s *stage) { s.a.Reads = []int32{routine}; s.tell("routine", "x", event.Observed, days(-1)) }, catalog.NoReason, "", 0},
		{"inferred after it was declared", catalog.Service, func(s *stage) {
			s.a.Reads = []int32{routine}
			s.tell("routine", "x", event.Declared, days(-2))
			s.tell("routine", "y", event.Inferred, days(-1))
		}, catalog.NoReason, "", 0},

		{"looked at on the website", catalog.Service, func(s *stage) { look(s, days(-1), "website") }, catalog.BehaviourElsewhere, "view", 0},
		{"looked at somewhere", catalog.Service, func(s *stage) { look(s, days(-1), "") }, catalog.BehaviourElsewhere, "view", 0},
		{"looked at here as well", catalog.Service, func(s *stage) { look(s, days(-2), "kiosk"); look(s, days(-1), "website") }, catalog.NoReason, "", 0},
		{"looked at here", catalog.Service, func(s *stage) { look(s, days(-2), "kiosk") }, catalog.NoReason, "", 0},
		{"looked at too long ago to matter", catalog.Service, func(s *stage) { look(s, days(-30), "website") }, catalog.NoReason, "", 0},
		{"chose to be recognised", catalog.Service, func(s *stage) { look(s, days(-1), "website"); grant(s.v, days(-9), Recognise, true) }, catalog.NoReason, "", 0},
		{"took that back", catalog.Service, func(s *stage) {
			look(s, days(-1), "website")
			grant(s.v, days(-9), Recognise, true)
			grant(s.v, days(-8), Recognise, false)
		}, catalog.BehaviourElsewhere, "", 0},
		{"ambient", catalog.Service, func(s *stage) { look(s, days(-1), "website"); s.c.Ambient = true }, catalog.NoReason, "", 0},
		{"nobody", catalog.Service, func(s *stage) { look(s, days(-1), "website"); s.nobody() }, catalog.NoReason, "", 0},
	})
}

func TestPreference(t *testing.T) {
	wants := func(s *stage, words ...string) {
		list := make([]sense.Value, len(words))
		for k, w := range words {
			list[k] = sense.StringValue(w)
		}
		fold(s.v, days(-1), &event.Fact{Name: "interests", Customer: "anna", Value: sense.ListValue(list), Provenance: event.Declared})
	}
	vocabulary := func(s *stage) { s.v.Bundle.Facts[interests].OneOf = []string{"garden", "kitchen", "cars"} }
	judge(t, []row{
		{"nothing declared", catalog.Sales, vocabulary, catalog.NoReason, "", 0},
		{"something else", catalog.Sales, func(s *stage) { wants(s, "garden") }, catalog.OutsidePreference, "interests", 0},
		{"its type", catalog.Sales, func(s *stage) { wants(s, "garden", "product") }, catalog.NoReason, "", 0},
		{"its id", catalog.Sales, func(s *stage) { wants(s, "model-x") }, catalog.NoReason, "", 0},
		{"part of its id", catalog.Sales, func(s *stage) { s.a.About = "product:model-x/red"; wants(s, "red") }, catalog.NoReason, "", 0},
		{"its kind's kind", catalog.Sales, func(s *stage) {
			subjects(s, catalog.SubjectInfo{Name: "model-x", Kind: "suv"}, catalog.SubjectInfo{Name: "suv", Kind: "cars"})
			vocabulary(s)
			wants(s, "cars")
		}, catalog.NoReason, "", 0},
		{"its group", catalog.Sales, func(s *stage) {
			s.v.Bundle.Groups, s.a.Group = []catalog.Group{{Name: "kitchen"}}, 0
			vocabulary(s)
			wants(s, "kitchen")
		}, catalog.NoReason, "", 0},
		{"another group", catalog.Sales, func(s *stage) {
			s.v.Bundle.Groups, s.a.Group = []catalog.Group{{Name: "kitchen"}}, 0
			vocabulary(s)
			wants(s, "garden")
		}, catalog.OutsidePreference, "interests", 0},
		{"no word of the vocabulary", catalog.Sales, func(s *stage) { vocabulary(s); wants(s, "garden") }, catalog.NoReason, "", 0},
		{"nothing at all is wanted", catalog.Sales, func(s *stage) { wants(s) }, catalog.OutsidePreference, "interests", 0},
		{"a text instead of a list", catalog.Sales, func(s *stage) { s.tell("interests", "garden", event.Declared, days(-1)) }, catalog.OutsidePreference, "", 0},
		{"not fresh", catalog.Sales, func(s *stage) { s.tell("interests", "garden", event.Declared, days(-365)) }, catalog.NoReason, "", 0},
		{"not declared", catalog.Sales, func(s *stage) { s.tell("interests", "garden", event.Observed, days(-1)) }, catalog.NoReason, "", 0},
		{"entertainment", catalog.Entertainment, func(s *stage) { wants(s, "garden") }, catalog.OutsidePreference, "", 0},
		{"service", catalog.Service, func(s *stage) { wants(s, "garden") }, catalog.NoReason, "", 0},
		{"she asks for it herself", catalog.Sales, func(s *stage) { wants(s, "garden"); s.v.AskAbout = "product:model-x" }, catalog.NoReason, "", 0},
		{"not known while awaited", catalog.Entertainment, (*stage).await, catalog.StaleProfile, "", 0},
	})
}

func TestStaleAndSleeping(t *testing.T) {
	sleeps := func(s *stage) { interact(s.v, days(-730), "talk", "", "") }
	unasked := func(f func(*stage)) func(*stage) { return func(s *stage) { f(s); s.v.Asked = false } }
	judge(t, []row{
		{"awaited, service asked for", catalog.Service, (*stage).await, catalog.NoReason, "", 0},
		{"awaited, a warning unasked", catalog.Safety, func(s *stage) { s.await(); s.a.Purpose = service; s.v.Asked = false }, catalog.NoReason, "", 0},
		{"awaited, service unasked, and she may sleep", catalog.Service, func(s *stage) { s.await(); s.a.Purpose = service; s.v.Asked = false }, catalog.StaleProfile, "profile", 0},
		{"awaited, service unasked, where nobody sleeps", catalog.Service, func(s *stage) {
			s.await()
			s.a.Purpose, s.v.Asked, s.v.Bundle.Sleeping = service, false, sense.Forever
		}, catalog.NoReason, "", 0},
		{"awaited, ambient", catalog.Entertainment, func(s *stage) { s.await(); s.c.Ambient = true }, catalog.NoReason, "", 0},

		{"awake", catalog.Sales, func(s *stage) { interact(s.v, days(-730)+1, "talk", "", "") }, catalog.NoReason, "", 0},
		{"nothing is known", catalog.Sales, func(s *stage) {}, catalog.NoReason, "", 0},
		{"sleeps", catalog.Sales, sleeps, catalog.SleepingCustomer, "last_contact", 0},
		{"sleeps, ambient sales", catalog.Sales, func(s *stage) { sleeps(s); s.c.Ambient = true }, catalog.SleepingCustomer, "", 0},
		{"sleeps, and answered since", catalog.Sales, func(s *stage) { sleeps(s); s.shown("1", "offer", "sales", days(-9), "dismissed") }, catalog.NoReason, "", 0},
		{"sleeps, and ignored since", catalog.Sales, func(s *stage) { sleeps(s); s.shown("1", "offer", "sales", days(-9), "ignored") }, catalog.SleepingCustomer, "", 0},
		{"service asked for", catalog.Service, sleeps, catalog.NoReason, "", 0},
		{"service unasked", catalog.Service, unasked(sleeps), catalog.SleepingCustomer, "", 0},
		{"ambient service unasked", catalog.Service, func(s *stage) { sleeps(s); s.v.Asked, s.c.Ambient = false, true }, catalog.NoReason, "", 0},
		{"safety unasked", catalog.Safety, unasked(sleeps), catalog.NoReason, "", 0},
		{"recovery unasked", catalog.Recovery, unasked(sleeps), catalog.NoReason, "", 0},
		{"an ordinary question unasked", catalog.Question, unasked(sleeps), catalog.SleepingCustomer, "", 0},
	})
}

func TestQualityWaitingAndConversations(t *testing.T) {
	wants := func(q catalog.Micro) func(*stage) {
		return func(s *stage) { s.a.Quality, s.a.Reads = q, []int32{colour, size} }
	}
	know := func(s *stage, at sense.Instant) {
		s.tell("colour", "red", event.Declared, t0)
		s.tell("size", "M", event.Declared, at)
	}
	follows := func(s *stage) { s.a.Follows = &catalog.Follow{Action: brochure, ElseAfter: 12 * sense.Hour} }
	talk := func(s *stage, at sense.Instant, about event.Subject, channel, ref string) {
		s.v.Asked = false
		fold(s.v, at, &event.Interaction{Kind: "talk", About: about, Channel: channel, Ref: ref, Due: sense.Never})
	}
	judge(t, []row{
		{"good enough", catalog.Service, func(s *stage) { wants(900_000)(s); know(s, t0) }, catalog.NoReason, "", 0},
		{"one of two is old", catalog.Service, func(s *stage) { wants(450_001)(s); know(s, days(-365)) }, catalog.QualityTooLow, "size", 0},
		{"as old as allowed", catalog.Service, func(s *stage) { wants(450_000)(s); know(s, days(-365)) }, catalog.NoReason, "", 0},
		{"missing", catalog.Service, wants(1), catalog.QualityTooLow, "colour", 0},
		{"not known while awaited", catalog.Service, func(s *stage) { wants(1)(s); s.await() }, catalog.QualityTooLow, "colour", 0},
		{"nobody", catalog.Service, func(s *stage) { wants(1)(s); s.nobody() }, catalog.NoReason, "", 0},
		{"reads nothing", catalog.Service, func(s *stage) { s.a.Quality = catalog.One }, catalog.NoReason, "", 0},

		{"never shown", catalog.Service, follows, catalog.WaitingForResponse, "brochure", 0},
		{"shown, no word", catalog.Service, func(s *stage) { follows(s); s.shown("1", "brochure", "information", t0-3) }, catalog.WaitingForResponse, "brochure", t0 - 3 + sense.Instant(12*sense.Hour)},
		{"ignored", catalog.Service, func(s *stage) { follows(s); s.shown("1", "brochure", "information", t0-3, "ignored") }, catalog.WaitingForResponse, "brochure", 0},
		{"accepted", catalog.Service, func(s *stage) { follows(s); s.shown("1", "brochure", "information", t0-3, "accepted") }, catalog.NoReason, "", 0},
		{"said no to", catalog.Service, func(s *stage) { follows(s); s.shown("1", "brochure", "information", t0-3, "dismissed") }, catalog.NoReason, "", 0},
		{"long enough ago", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", t0-sense.Instant(12*sense.Hour))
		}, catalog.NoReason, "", 0},
		{"shown again since", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", days(-1))
			s.shown("2", "brochure", "information", t0-1)
		}, catalog.WaitingForResponse, "", t0 - 1 + sense.Instant(12*sense.Hour)},
		{"failed to be shown", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", days(-1))
			s.v.Slice.Exposures[0].Failed = true
		}, catalog.WaitingForResponse, "", 0},
		{"answered by ref elsewhere", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", t0-3)
			interact(s.v, t0-2, "talk", "", "1")
		}, catalog.NoReason, "", 0},
		{"looked at what it was about", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", t0-3)
			interact(s.v, t0-2, "talk", "product:model-x/red", "")
		}, catalog.NoReason, "", 0},
		{"spoke of it before", catalog.Service, func(s *stage) {
			follows(s)
			s.shown("1", "brochure", "information", t0-3)
			interact(s.v, t0-4, "talk", "product:model-x", "1")
		}, catalog.WaitingForResponse, "", 0},
		{"not known while awaited", catalog.Service, func(s *stage) { follows(s); s.await() }, catalog.WaitingForResponse, "brochure", 0},
		{"nobody follows nothing", catalog.Service, func(s *stage) { follows(s); s.nobody() }, catalog.NoReason, "", 0},

		{"talks about it on the phone", catalog.Service, func(s *stage) { talk(s, t0-1, "product:model-x/red", "phone", "r") }, catalog.ConversationOpenElsewhere, "talk", t0 - 1 + sense.Instant(10*sense.Minute)},
		{"and asks here", catalog.Service, func(s *stage) { talk(s, t0-1, "product:model-x", "phone", "r"); s.v.Asked = true }, catalog.NoReason, "", 0},
		{"talks about it here", catalog.Service, func(s *stage) {
			talk(s, t0-2, "product:model-x", "phone", "r")
			talk(s, t0-1, "product:model-x", "kiosk", "r")
		}, catalog.NoReason, "", 0},
		{"talked, long enough ago", catalog.Service, func(s *stage) {
			talk(s, t0-sense.Instant(10*sense.Minute), "product:model-x", "phone", "r")
		}, catalog.NoReason, "", 0},
		{"talks about something else", catalog.Service, func(s *stage) { talk(s, t0-1, "product:model-y", "phone", "r") }, catalog.NoReason, "", 0},
		{"no conversation", catalog.Service, func(s *stage) { talk(s, t0-1, "product:model-x", "phone", "") }, catalog.NoReason, "", 0},
		{"a channel that nobody named", catalog.Service, func(s *stage) { talk(s, t0-1, "product:model-x", "", "r") }, catalog.ConversationOpenElsewhere, "", 0},
		{"a warning does not wait", catalog.Safety, func(s *stage) { talk(s, t0-1, "product:model-x", "phone", "r") }, catalog.NoReason, "", 0},
	})
}
