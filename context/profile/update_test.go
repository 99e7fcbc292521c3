package profile

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// TestContactsMergeInAnyOrder: copies of several devices, each with some of the answers, come to the same in
// whatever order and however often they come; what is told once is told once, by the earliest word.
func TestContactsMergeInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"shown", "ignored", "failed", "dismissed", "later", "never"}
	for round := range 300 {
		var copies [][]Exposure
		for range 4 {
			var list []Exposure
			for k := range 3 + 12*(round%2) { // few, and many at once
				x := Exposure{Decision: string(rune('a' + k)), Action: "offer", At: t0 + sense.Instant(k)}
				if r.IntN(3) == 0 {
					continue
				}
				if r.IntN(4) == 0 {
					x.Seq = uint64(k + 1)
				}
				at := t0
				for range r.IntN(3) {
					at += sense.Instant(r.IntN(3))
					x.Outcomes = append(x.Outcomes, Outcome{Outcome: words[r.IntN(len(words))], At: at})
				}
				list = append(list, x)
			}
			copies = append(copies, list)
		}
		var want *Slice
		for range 6 {
			s := &Slice{}
			for _, k := range r.Perm(len(copies)) {
				s.MergeExposures(copies[k])
			}
			s.MergeExposures(copies[r.IntN(len(copies))]) // once more
			if want == nil {
				want = s
			}
			if !reflect.DeepEqual(s.Exposures, want.Exposures) {
				t.Fatalf("round %d:\n%+v\nin another order\n%+v", round, s.Exposures, want.Exposures)
			}
		}
		for _, x := range want.Exposures {
			told := map[string]int{}
			for _, o := range x.Outcomes {
				if told[o.Outcome]++; told[o.Outcome] > 1 && (o.Outcome == "shown" || o.Outcome == "ignored" || o.Outcome == "failed") {
					t.Fatalf("round %d: %s is told twice: %+v", round, o.Outcome, x.Outcomes)
				}
			}
		}
	}
}

// TestUpdateIsWhatTheWholeWouldBe: what is new, folded in, leaves what the whole slice would.
func TestUpdateIsWhatTheWholeWouldBe(t *testing.T) {
	fact := func(source, v string, at sense.Instant) *event.Event {
		return &event.Event{Happened: at, Source: source, Body: &event.Fact{Name: "size", Value: sense.StringValue(v), Provenance: event.Declared}}
	}
	purchase := func(id string, at sense.Instant) *event.Event {
		return &event.Event{Happened: at, Source: "till", ID: id, Body: &event.Interaction{Kind: "purchase", About: "product:x", Due: sense.Never}}
	}
	said := func(granted bool, at sense.Instant) *event.Event {
		return &event.Event{Happened: at, Body: &event.Consent{Purpose: "offers", Granted: granted, Expires: sense.Never}}
	}
	fold := func(s *Slice, events ...*event.Event) *Slice {
		for _, e := range events {
			if err := s.Fold(e); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	old := []*event.Event{fact("crm", "M", days(1)), purchase("", days(1)), said(true, days(1))}
	news := []*event.Event{fact("shop", "L", days(2)), purchase("", days(2)), said(false, days(2))}
	got := fold(&Slice{}, old...)
	d := fold(&Slice{Restricted: true}, news...)
	d.Consents[0].Ever = true // as the hub tells it
	d.Objections = []Objection{{Purpose: "care", Raised: true, Happened: days(2)}}
	got.Update(d)
	want := fold(fold(&Slice{}, old...), news...)
	want.Restricted, want.Objections = true, d.Objections
	if !reflect.DeepEqual(got, want) {
		t.Errorf("updated is\n%+v\nthe whole is\n%+v", got, want)
	}
	// What comes back as it was told here is not new.
	again := fold(&Slice{}, purchase("", days(2)))
	again.Consents, again.Objections, again.Restricted = d.Consents, d.Objections, true
	got.Update(again)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the same again made\n%+v", got)
	}
	// A word that takes the place of another need not be newer, an objection may be taken back.
	got.Update(&Slice{Consents: []Consent{{Purpose: "offers", Granted: true, Ever: true, Happened: days(1), Expires: sense.Never}}, Objections: []Objection{{Purpose: "care", Happened: days(1)}}})
	if c := got.Consents[0]; !c.Granted || got.Objects("care") || got.Restricted {
		t.Errorf("words are %+v, %+v, restricted %v", got.Consents, got.Objections, got.Restricted)
	}
}

// TestUpdateTakesTheWordThatHoldsNow: when two who were one are parted, the word of a source that holds is an older
// one, and the other's does not stay; that it was taken back, and what was inferred, stand beside it.
func TestUpdateTakesTheWordThatHoldsNow(t *testing.T) {
	tell := func(s *Slice, source, v string, p event.Provenance, at sense.Instant) {
		t.Helper()
		value := sense.StringValue(v)
		if v == "" {
			value = sense.Value{}
		}
		if err := s.Fold(&event.Event{Happened: at, Source: source, Body: &event.Fact{Name: "name", Value: value, Provenance: p}}); err != nil {
			t.Fatal(err)
		}
	}
	held, news := &Slice{}, &Slice{}
	tell(held, "till", "", event.Declared, t0)
	tell(held, "crm", "Bea", event.Declared, t0+9)
	tell(held, "crm", "B.", event.Inferred, t0+8)
	tell(held, "web", "An", event.Declared, t0+2)
	tell(news, "crm", "Anna", event.Declared, t0+5)
	held.Update(news)
	want := &Slice{}
	tell(want, "till", "", event.Declared, t0)
	tell(want, "crm", "Anna", event.Declared, t0+5)
	tell(want, "crm", "B.", event.Inferred, t0+8)
	tell(want, "web", "An", event.Declared, t0+2)
	if !reflect.DeepEqual(held.Facts, want.Facts) {
		t.Errorf("%+v, want %+v", held.Facts, want.Facts)
	}
}
