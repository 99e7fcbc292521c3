package guard

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// random makes a whole view and candidate by chance, within what a bundle may say.
func random(r *rand.Rand) *stage {
	s := newStage(catalog.Intent(1 + r.IntN(8)))
	b, v, a := s.v.Bundle, s.v, s.a
	b.Zone = []sense.Zone{sense.UTC, amsterdam, newYork}[r.IntN(3)]
	b.Languages = []string{"en", "nl"}[:1+r.IntN(2)]
	b.Facts = append(b.Facts, catalog.Fact{Name: catalog.FactQuietHours, Kind: sense.String, Keep: sense.Year, Fresh: sense.Forever})
	b.Sleeping = []sense.Duration{0, sense.Day, sense.Year, sense.Forever}[r.IntN(4)]
	if r.IntN(4) == 0 {
		b.Strikes = nil
	}
	yes := func() bool { return r.IntN(2) == 0 }
	rare := func() bool { return r.IntN(6) == 0 }
	abouts := []event.Subject{"", "product:model-x", "product:model-x/red", "product:nappies", "hotel:rome", "grocery:milk"}
	about := func() event.Subject { return abouts[r.IntN(len(abouts))] }
	long := func() sense.Duration {
		return []sense.Duration{0, sense.Second, sense.Hour, 40 * sense.Day, sense.Forever}[r.IntN(5)]
	}
	fact := func() int32 { return int32(r.IntN(len(b.Facts))) }
	past := func() sense.Instant {
		return t0 - sense.Instant(r.Int64N(int64(3*sense.Year))) + sense.Instant(sense.Day)
	}

	a.About, a.Goal = about(), ""
	if rare() {
		a.Goal = about()
	}
	a.Purpose = int32(r.IntN(len(b.Purposes)+1)) - 1
	a.Asks, a.Confirms, a.Serves = -1, -1, int32(r.IntN(3))-1
	if a.Intent == catalog.Question {
		if a.Asks = fact(); yes() {
			a.Asks, a.Confirms = -1, fact()
		}
	}
	for range r.IntN(3) {
		a.Reads = append(a.Reads, fact())
		a.NeedGrants = append(a.NeedGrants, int32(r.IntN(len(b.Purposes))))
	}
	a.Quality, a.Significant, a.Household, a.Mandatory = r.Int64N(2*catalog.One)-catalog.One/2, rare(), yes(), yes()
	a.LeastID = event.By(r.IntN(6))
	if rare() {
		a.Special, a.Measure = "health", int32(r.IntN(2))
	}
	if rare() {
		a.Follows = &catalog.Follow{Action: int32(r.IntN(2)), ElseAfter: long()}
	}
	if yes() {
		a.Hours = []catalog.WeekHours{week(uint8(r.IntN(256)), r.IntN(1440), r.IntN(1440))}
	}
	if yes() {
		a.At = []catalog.Schedule{{Days: uint8(r.IntN(128)), MonthDay: r.Int64N(32), Date: r.Int64N(30_000) - 1, Minute: r.Int64N(1440)}}
		a.KeepArmed = []sense.Duration{0, sense.Hour, sense.Year, sense.Forever}[r.IntN(4)]
	}
	if rare() {
		a.From, a.Until = past(), past()
	}
	if rare() {
		a.Seen = []catalog.Seen{{Subject: about(), Window: long()}}
	}
	b.Partners = []catalog.Partner{{Name: "telco", Purpose: offers, Consent: location}}
	a.Partner = int32(r.IntN(2)) - 1
	b.Purposes[r.IntN(len(b.Purposes))].LeastAge = r.Int64N(30)
	for k := range b.Purposes {
		b.Purposes[k].Born = int32(r.IntN(len(b.Facts)+1)) - 1
	}
	for _, name := range []string{"address", "colour", "interests", "origin", "routine", "size", catalog.FactQuietHours} {
		for range r.IntN(3) {
			value := []sense.Value{sense.NullValue(), sense.StringValue("22-8"), sense.StringValue("garden"), sense.DateValue(r.Int64N(40_000) - 20_000),
				sense.ListValue([]sense.Value{sense.StringValue("nappies"), sense.IntValue(3)})}[r.IntN(5)]
			v.Slice.Restricted = rare()
			fold(v, past(), &event.Fact{Name: name, Customer: "anna", Value: value, Provenance: event.Provenance(1 + r.IntN(4))})
		}
	}
	for range r.IntN(12) {
		k := &b.Kinds[r.IntN(len(b.Kinds))]
		fold(v, past(), &event.Interaction{Kind: k.Name, About: about(), Channel: []string{"", "kiosk", "phone"}[r.IntN(3)], Ref: []string{"", "r1", "d1"}[r.IntN(3)], Due: sense.Never})
	}
	for n := range r.IntN(8) {
		s.shown(fmt.Sprintf("d%d", n), []string{"brochure", "offer", "candidate"}[r.IntN(3)], catalog.Intent(1+r.IntN(8)).String(), past(), []string{"negative", "dismissed", "accepted"}[:r.IntN(4)]...)
	}
	for k := range b.Purposes {
		if rare() {
			continue
		}
		fold(v, past(), &event.Consent{Purpose: b.Purposes[k].Name, Granted: !rare(), Text: []string{"", "v1"}[r.IntN(2)], Expires: []sense.Instant{past(), sense.Never, sense.Never}[r.IntN(3)]})
	}
	truths := [...]rule.Truth{rule.False, rule.True, rule.Unknown}
	v.State = func(k int) (rule.Truth, []catalog.Because) { return truths[(r.IntN(20)+k)%len(truths)], nil }
	if yes() {
		fixed := truths[r.IntN(3)]
		v.State = func(int) (rule.Truth, []catalog.Because) { return fixed, nil }
	} else {
		v.State = nil
	}
	v.Now = past()
	v.Asked, v.Shared, v.HisGoal, v.Retry, v.Erased = yes(), rare(), rare(), yes(), rare()
	v.AskIntent, v.AskAbout, v.Delivery = catalog.Intent(r.IntN(9)), about(), []string{"", "mail", "email"}[r.IntN(3)]
	v.By, v.Clock, v.ProfileAge = event.By(r.IntN(6)), sense.ClockState(r.IntN(3)), long()
	v.Slot.SharedScreen = rare()
	if rare() {
		v.Slot, v.Channel = nil, "phone"
	}
	if rare() {
		v.Questioned = past()
	}
	if yes() {
		v.Zone = &newYork
	}
	if rare() {
		v.Presence, v.Slice, v.LeaseEnded = Presence(r.IntN(2)), nil, yes()
	}
	if rare() {
		v.Standing = "d1"
	}
	s.c.Ambient = yes()
	s.c.Personal = !s.c.Ambient
	return s
}

// verdicts are all that the room says of a stage.
func verdicts(s *stage) []any {
	count, effect, until := Strikes(s.v)
	set, next := Granted(s.v)
	return []any{Quiet(s.v), Legal(s.v, s.c), Active(s.v, s.a, "en"), Judge(s.v, s.c), count, effect, until, set, next, Mandatory(s.v, s.a),
		NextQuietTurn(s.v.Bundle, s.v.Now), NextQuietTurnOf(s.v), NextActiveTurn(s.v.Bundle, s.v.Now), ActiveSince(s.v.Bundle, s.a, s.v.Now)}
}

// properties holds for whatever there is.
func properties(t *testing.T, s *stage) {
	t.Helper()
	got := verdicts(s)
	for _, x := range got {
		if d, ok := x.(Verdict); ok && !d.OK() && d.Until != 0 && d.Until != sense.Never && d.Until <= s.v.Now {
			t.Fatalf("%s ends at %s, which is not ahead of %s", d.Reason, d.Until, s.v.Now)
		}
		if d, ok := x.(Verdict); ok && d.OK() && (len(d.Because) > 0 || d.Until != 0) {
			t.Fatalf("what passes has reasons: %+v", d)
		}
	}
	for _, k := range []int{10, 11, 12} {
		if got[k].(sense.Instant) <= s.v.Now {
			t.Fatalf("turn %d at %s is not ahead of %s", k, got[k], s.v.Now)
		}
	}
	// Nothing that has a price moves a guard.
	s.a.Value, s.a.Propensity, s.a.Lever, s.a.Bother = 1e12, catalog.One, 1e9, 0
	if again := verdicts(s); !reflect.DeepEqual(got, again) {
		t.Fatalf("a value of 1,000,000 changes\n%+v to\n%+v", got, again)
	}
	// No guard admits the words for one person where it holds the ambient ones back.
	ambient := s.c
	ambient.Ambient, ambient.Personal = true, false
	if a := Judge(s.v, ambient); !a.OK() {
		personal := s.c
		personal.Ambient, personal.Personal = false, true
		if Judge(s.v, personal).OK() {
			t.Fatalf("%s holds back what is ambient, and nothing what is personal", a.Reason)
		}
	}
}

func TestRandomViews(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	reached := map[catalog.Reason]int{}
	for range 15_000 {
		s := random(r)
		// The state is fixed, so that the same question has the same answer.
		if s.v.State != nil {
			truth, _ := s.v.State(0)
			s.v.State = func(int) (rule.Truth, []catalog.Because) { return truth, nil }
		}
		properties(t, s)
		for _, d := range []Verdict{Quiet(s.v), Legal(s.v, s.c), Active(s.v, s.a, "en"), Judge(s.v, s.c)} {
			reached[d.Reason]++
		}
	}
	if len(reached) < 35 {
		t.Errorf("chance reached only %d codes: %v", len(reached), reached)
	}
}

// TestUnknownNeverAdmits: whoever's slice is awaited is not shown what she would not be shown if
// everything about her were known, but for what only her own history could say.
func TestUnknownNeverAdmits(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 10_000 {
		s := random(r)
		if s.v.Slice == nil || s.c.Ambient {
			continue
		}
		s.v.State = func(int) (rule.Truth, []catalog.Because) { return rule.False, nil }
		known := Judge(s.v, s.c)
		await := *s.v
		await.Presence, await.Slice = Awaited, nil
		if unknown := Judge(&await, s.c); unknown.OK() && !known.OK() {
			switch s.a.Intent {
			case catalog.Sales, catalog.Question, catalog.Entertainment:
				t.Fatalf("%s for %s: known to be refused, and passes while she is awaited", known.Reason, s.a.Intent)
			}
		}
	}
}

func FuzzJudge(f *testing.F) {
	for k := range uint64(8) {
		f.Add(k, k*k, int64(t0), "22:00-08:00", "product:model-x/red")
	}
	f.Fuzz(func(t *testing.T, a, b uint64, now int64, hours, about string) {
		s := random(rand.New(rand.NewPCG(a, b)))
		s.v.State = nil
		if limit := int64(sense.Year) * 5000; now > limit || now < -limit {
			now %= limit
		}
		s.v.Now, s.a.About, s.v.AskAbout = sense.Instant(now), event.Subject(about), event.Subject(about)
		if s.v.Slice != nil {
			fold(s.v, t0, &event.Fact{Name: catalog.FactQuietHours, Customer: "anna", Value: sense.StringValue(hours), Provenance: event.Declared})
		}
		properties(t, s)
	})
}

// crowd is a customer with a long history and many contacts, of which nothing holds a service back,
// and an action that everything is asked of.
func crowd() (*stage, []catalog.Action) {
	s := newStage(catalog.Sales)
	b := s.v.Bundle
	b.Languages = []string{"en"}
	for k := range 200 {
		kind := []string{"purchase", "talk", "view", "resolved", "booking"}[k%5]
		fold(s.v, days(int64(-k-1)), &event.Interaction{Kind: kind, About: event.Subject(fmt.Sprintf("thing:%d", k)), Channel: "website", Due: sense.Never, Ref: fmt.Sprintf("r%d", k)})
		s.shown(fmt.Sprintf("d%03d", k), "offer", "sales", days(int64(-k-1)), []string{"ignored", "dismissed", "accepted"}[k%3])
		s.v.Slice.Exposures[0].About = event.Subject(fmt.Sprintf("thing:%d", k))
	}
	for n, name := range []string{"address", "colour", "origin", "routine", "size"} {
		fold(s.v, days(-int64(n)-1), &event.Fact{Name: name, Customer: "anna", Value: sense.StringValue("x"), Provenance: event.Declared})
	}
	grant(s.v, days(-500), "offers", true)
	actions := make([]catalog.Action, 1000)
	for k := range actions {
		a := *s.a
		a.Name, a.About = fmt.Sprintf("offer-%04d", k), event.Subject(fmt.Sprintf("product:%d", k))
		a.Reads = []int32{int32(k % 6), int32((k + 1) % 6)}
		a.Seen = []catalog.Seen{{Subject: a.About, Window: sense.Year}}
		a.Quality = catalog.One / 2
		a.Hours = []catalog.WeekHours{week(127, 0, 1439)}
		a.Say = &catalog.Treatment{Text: []catalog.Rendered{{{Literal: "Now!", Fact: -1, Input: -1, Derived: -1}}}}
		if k%6 == int(interests) || (k+1)%6 == int(interests) {
			a.Reads = []int32{colour}
		}
		actions[k] = a
	}
	return s, actions
}

func judgeAll(s *stage, actions []catalog.Action) (passed int) {
	for k := range actions {
		c := Candidate{Action: &actions[k], Personal: true}
		if Legal(s.v, c).OK() && Active(s.v, c.Action, "en").OK() && Judge(s.v, c).OK() {
			passed++
		}
	}
	return passed
}

func TestPassingAllocatesNothing(t *testing.T) {
	s, actions := crowd()
	if n := judgeAll(s, actions); n != len(actions) {
		for k := range actions {
			if d := Judge(s.v, Candidate{Action: &actions[k], Personal: true}); !d.OK() {
				t.Fatalf("%d of %d pass; %s falls by %s because %+v", n, len(actions), actions[k].Name, d.Reason, d.Because)
			}
		}
		t.Fatalf("%d of %d pass", n, len(actions))
	}
	if n := testing.AllocsPerRun(3, func() { judgeAll(s, actions); Quiet(s.v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	s, actions := crowd()
	b.Run("1,000 actions that pass, 200 interactions, 200 contacts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			judgeAll(s, actions)
		}
	})
	b.Run("the next turn of 1,000 actions with hours and a schedule, of a zone with 140 turns", func(b *testing.B) {
		all := &catalog.Bundle{Zone: sense.Zone{Turns: []sense.Turn{{From: -1 << 62, Offset: sense.Hour}}}, Actions: slices.Clone(actions)}
		for k := range 140 {
			all.Zone.Turns = append(all.Zone.Turns, sense.Turn{From: sense.Instant(int64(k) * 182 * int64(sense.Day)), Offset: sense.Duration(1+k%2) * sense.Hour})
		}
		for k := range all.Actions {
			all.Actions[k].Hours = []catalog.WeekHours{week(uint8(1<<(k%7)), 540, 1080)}
			all.Actions[k].At = []catalog.Schedule{{MonthDay: int64(k%31) + 1, Date: -1, Minute: 600}}
		}
		b.ReportAllocs()
		for b.Loop() {
			NextActiveTurn(all, t0)
		}
	})
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			judgeAll(s, actions[:1])
		}
	})
}
