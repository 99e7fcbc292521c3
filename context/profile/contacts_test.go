package profile

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

func TestLastContact(t *testing.T) {
	b := &catalog.Bundle{Kinds: []catalog.Kind{{Name: "mailing", Means: catalog.MeansContacted}, {Name: "purchase"}}}
	answer := func(at sense.Instant, outcome string) func(*Slice) {
		return func(s *Slice) {
			s.AddExposure(Exposure{Decision: outcome, At: days(-9), Outcomes: []Outcome{{Outcome: outcome, At: at}}})
		}
	}
	tell := func(at sense.Instant, kind string) func(*Slice) {
		return func(s *Slice) { _ = s.Fold(interaction(at, kind, "", "")) }
	}
	for _, c := range []struct {
		name  string
		given []func(*Slice)
		want  sense.Instant
		ok    bool
	}{
		{"nothing ever", nil, 0, false},
		{"a purchase", []func(*Slice){tell(days(-3), "purchase")}, days(-3), true},
		{"the company's mail is no contact of hers", []func(*Slice){tell(days(-3), "purchase"), tell(days(-1), "mailing")}, days(-3), true},
		{"an answer", []func(*Slice){tell(days(-3), "purchase"), answer(days(-2), "dismissed")}, days(-2), true},
		{"what was ignored is no answer", []func(*Slice){tell(days(-3), "purchase"), answer(days(-2), "ignored"), answer(days(-2), "shown"), answer(days(-1), "failed")}, days(-3), true},
		{"what is yet to come", []func(*Slice){tell(days(1), "purchase")}, 0, false},
	} {
		s := &Slice{}
		for _, g := range c.given {
			g(s)
		}
		if got, ok := s.LastContact(b, t0); got != c.want || ok != c.ok {
			t.Errorf("%s: %s %v, want %s %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

// TestMergeExposures: copies of the contacts of two devices come to the same in any order.
func TestMergeExposures(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	words := []string{"shown", "accepted", "dismissed", "ignored", "failed", "later"}
	for range 2_000 {
		copies := make([]*Slice, 3)
		for k := range copies {
			copies[k] = &Slice{}
			for range r.IntN(5) {
				at := days(int64(r.IntN(3)))
				x := Exposure{Decision: string(rune('a' + r.IntN(4))), Action: "offer", At: t0}
				if r.IntN(2) == 0 {
					x.Shown = t0
				}
				for range r.IntN(3) {
					x.Answer(words[r.IntN(len(words))], at)
					at++
				}
				copies[k].AddExposure(x)
			}
		}
		merged := func(order ...int) []Exposure {
			s := &Slice{}
			for _, k := range order {
				s.Merge(copies[k])
			}
			return s.Exposures
		}
		want := merged(0, 1, 2)
		for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 0, 1, 2, 2}} {
			if got := merged(order...); !reflect.DeepEqual(got, want) {
				t.Fatalf("in the order %v:\n%+v\nnot\n%+v", order, got, want)
			}
		}
	}
}

func TestWithdraw(t *testing.T) {
	b := &catalog.Bundle{
		Purposes: []catalog.Purpose{{Name: "ads", Basis: catalog.BasisNone}, {Name: "service", Basis: catalog.BasisContract}},
		Facts:    []catalog.Fact{{Name: "ad_profile", Purposes: 1}, {Name: "size", Purposes: 3}, {Name: "zone"}},
		Kinds:    []catalog.Kind{{Name: "click", Purposes: 1}, {Name: "purchase", Purposes: 2}},
	}
	s := &Slice{}
	for _, name := range []string{"ad_profile", "gone", "size", "zone"} {
		_ = s.Fold(happened(t0, &event.Fact{Name: name, Customer: "anna", Value: sense.StringValue("x"), Provenance: event.Declared}))
	}
	for _, kind := range []string{"click", "purchase", "undeclared"} {
		_ = s.Fold(interaction(t0, kind, "", ""))
	}
	if !s.Withdraw(b) || len(s.Facts) != 2 || s.Facts[0].Name != "size" || s.Facts[1].Name != "zone" || len(s.Interactions) != 1 || s.Interactions[0].Kind != "purchase" {
		t.Errorf("left are %+v and %+v", s.Facts, s.Interactions)
	}
	if s.Withdraw(b) {
		t.Error("it went twice")
	}
}

// TestLastingContacts: what a question, a follow-up or the sleep of a customer still counts outlives the windows.
func TestLastingContacts(t *testing.T) {
	b := &catalog.Bundle{Sleeping: 2 * sense.Year, Actions: []catalog.Action{
		{Name: "ask", Intent: catalog.Question}, {Name: "first", Intent: catalog.Service},
		{Name: "offer", Intent: catalog.Sales}, {Name: "second", Intent: catalog.Sales, Follows: &catalog.Follow{Action: 1, ElseAfter: sense.Forever}}}}
	s := &Slice{}
	add := func(id, action string, at sense.Instant, failed bool, outcomes ...string) {
		x := Exposure{Decision: id, Action: action, At: at, Failed: failed, Seq: 1}
		for _, o := range outcomes {
			x.Outcomes = append(x.Outcomes, Outcome{Outcome: o, At: at})
		}
		s.AddExposure(x)
	}
	add("1", "ask", days(1), false)
	add("2", "ask", days(2), false) // the last
	add("3", "ask", days(3), true)
	add("4", "first", days(4), false) // the last
	add("5", "offer", days(5), false, "accepted")
	add("6", "offer", days(6), false, "dismissed") // the last answer
	add("7", "offer", days(7), false, "ignored")
	s.Prune(b, days(400))
	left := ""
	for _, x := range s.Exposures {
		left += x.Decision
	}
	if left != "246" {
		t.Errorf("left are %s, want 246", left)
	}
}

// TestAlikeContactsAreFew: a screen that says the same thing every ten seconds for weeks leaves no more than
// a day of it and an hour, how often it was shown stays known, and an answer to one of the latest is taken.
func TestAlikeContactsAreFew(t *testing.T) {
	b := &catalog.Bundle{Actions: []catalog.Action{{Name: "tip", Repeat: 10 * sense.Second}},
		Contact: catalog.Contact{Waits: []catalog.Wait{{Action: -1, Group: -1, For: 90 * sense.Day}}, Limits: []catalog.Limit{{Action: -1, Group: -1, Intent: catalog.Sales, Counting: "shown", AtMost: 1, Window: sense.Year}}}}
	s, now, n := &Slice{}, t0, int64(0)
	for next := t0; now < t0.Add(3*sense.Day); now = now.Add(10 * sense.Second) {
		n++
		x := Exposure{Decision: now.String(), Action: "tip", Intent: "information", At: now, Seq: 1}
		x.Answer("ignored", now.Add(5*sense.Second))
		s.AddExposure(x)
		if now >= next {
			if _, next = s.Prune(b, now); next <= now {
				t.Fatalf("at %s the next to go is at %s", now, next)
			}
		}
		next = min(next, now.Add(sense.Day)) // with an answer
	}
	if most := int(25 * sense.Hour / (10 * sense.Second)); len(s.Exposures) > most || s.Showings("tip") != n {
		t.Errorf("%d are left, want at most %d; %d showings, want %d", len(s.Exposures), most, s.Showings("tip"), n)
	}
	if s.Prune(b, now.Add(30*sense.Day)); len(s.Exposures) != mostAlike {
		t.Errorf("%d await an answer, want %d", len(s.Exposures), mostAlike)
	}
	if s.Prune(b, now.Add(91*sense.Day)); len(s.Exposures) != 0 || len(s.Folded) != 1 || s.Showings("tip") != n {
		t.Errorf("%d are left after every window, folded are %+v, want %d", len(s.Exposures), s.Folded, n)
	}
}

// TestNothingIsAnsweredBeforeItIsSaid: neither by an answer here nor by what another copy says.
func TestNothingIsAnsweredBeforeItIsSaid(t *testing.T) {
	x := Exposure{Decision: "k1-5-1", Action: "mats", At: 1000}
	x.Answer("shown", 10)
	if x.Shown != 1000 || x.Outcomes[0].At != 1000 {
		t.Errorf("answered here: %+v", x)
	}
	s := Slice{Exposures: []Exposure{{Decision: "k1-5-1", Action: "mats", At: 1000}}}
	s.MergeExposures([]Exposure{{Decision: "k1-5-1", Action: "mats", At: 1000, Shown: 10, Outcomes: []Outcome{{Outcome: "shown", At: 10}, {Outcome: "dismissed", At: 20}}}})
	if x := s.Exposures[0]; x.Shown != 1000 || len(x.Outcomes) != 2 || x.Outcomes[0].At != 1000 || x.Outcomes[1].At != 1000 {
		t.Errorf("told by another: %+v", x)
	}
}
