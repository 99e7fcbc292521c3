package profile

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const t0 = sense.Instant(1_772_442_000_000)

func days(n int64) sense.Instant { return t0 + sense.Instant(n*int64(sense.Day)) }

// kinds: 0 booking, 1 cancelled, 2 complaint, 3 invoice, 4 payment, 5 purchase, 6 resolved, 7 returned.
var bundle = &catalog.Bundle{
	Facts: []catalog.Fact{
		{Name: "size", Kind: sense.String, Keep: 10 * sense.Day, Fresh: 4 * sense.Day},
		{Name: "vehicle.tyres", Kind: sense.String, Owner: "vehicle", Keep: sense.Year, Fresh: sense.Forever},
	},
	Kinds: []catalog.Kind{
		{Name: "booking", Keep: sense.Year, Means: catalog.MeansBooked, ReachesGoal: true, Undo: []catalog.UndoneBy{{Kind: 1, After: sense.Day}}, OpenUntil: -1, ClosedBy: -1},
		{Name: "cancelled", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
		{Name: "complaint", Keep: sense.Year, Negative: true, Means: catalog.MeansComplained, OpenUntil: 6, CoolOff: 14 * sense.Day, ClosedBy: -1},
		{Name: "invoice", Keep: sense.Year, OpenUntil: -1, ClosedBy: 4, Overdue: 14 * sense.Day},
		{Name: "payment", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
		{Name: "purchase", Keep: 30 * sense.Day, Means: catalog.MeansBought, Undo: []catalog.UndoneBy{{Kind: 7}}, OpenUntil: -1, ClosedBy: -1},
		{Name: "resolved", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
		{Name: "returned", Keep: sense.Year, OpenUntil: -1, ClosedBy: -1},
	},
}

func happened(at sense.Instant, body event.Body) *event.Event {
	return &event.Event{At: at, HasAt: true, Happened: at, Session: event.MainSession, Body: body}
}

func interaction(at sense.Instant, kind, about, ref string) *event.Event {
	return happened(at, &event.Interaction{Kind: kind, Customer: "anna", About: event.Subject(about), Ref: ref, Due: sense.Never})
}

func sliceOf(t *testing.T, events ...*event.Event) *Slice {
	t.Helper()
	s := &Slice{Customer: "anna"}
	for _, e := range events {
		if err := s.Fold(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestFoldIsOrderIndependent(t *testing.T) {
	var events []*event.Event
	for k := range int64(6) {
		at := days(k % 3) // instants collide on purpose
		events = append(events,
			happened(at, &event.Fact{Name: "size", Customer: "anna", Value: sense.StringValue(string(rune('a' + k))), Provenance: event.Provenance(k%2 + 1)}),
			happened(at, &event.Consent{Purpose: "offers", Customer: "anna", Granted: k%2 == 0, Expires: sense.Never}),
			happened(at, &event.Objection{Purpose: "care", Customer: "anna", Raised: k%2 == 0}),
			happened(at, &event.Restrict{Customer: "anna", On: k%2 == 1}),
			interaction(at, "purchase", "product:"+string(rune('a'+k)), ""))
	}
	want := sliceOf(t, events...)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
		if got := sliceOf(t, events...); !reflect.DeepEqual(got, want) {
			t.Fatalf("another order gives another slice:\n%+v\n%+v", got, want)
		}
	}
	// Of two facts of one instant the declared one holds; of a yes and a no, the no.
	if f, _ := want.Find("size", ""); f.Provenance != event.Declared {
		t.Errorf("the weaker provenance won: %+v", f)
	}
	if state, _ := want.Consent("offers", days(9)); state != ConsentWithdrawn {
		t.Errorf("consent after a yes and a no at one instant = %d, want withdrawn", state)
	}
}

func TestFoldTakesAnInteractionOnce(t *testing.T) {
	e := interaction(t0, "purchase", "product:x", "")
	e.ID, e.Source = "7", "shop"
	other := *e
	other.Source = "crm"
	if got := len(sliceOf(t, e, e, &other).Interactions); got != 2 {
		t.Errorf("the same id from one source twice and from another once gives %d interactions, want 2", got)
	}
}

func TestHeld(t *testing.T) {
	s := sliceOf(t, happened(t0, &event.Fact{Name: "size", Customer: "anna", Value: sense.StringValue("M"), Provenance: event.Declared}))
	for _, c := range []struct {
		at             sense.Instant
		present, fresh bool
		next           sense.Instant
	}{
		{t0, true, true, days(4)}, {days(4) - 1, true, true, days(4)}, {days(4), true, false, days(10)},
		{days(10) - 1, true, false, days(10)}, {days(10), false, false, sense.Never},
	} {
		if h := s.Held(bundle, 0, nil, c.at); h.Present != c.present || h.Fresh != c.fresh || h.Next != c.next {
			t.Errorf("after %s: %+v, want present %v, fresh %v, next %s", c.at.Sub(t0), h, c.present, c.fresh, c.next)
		}
	}
	if h := s.Held(bundle, 1, nil, t0); h.Present {
		t.Error("a fact that nobody told is present")
	}
}

func TestHeldOfOwner(t *testing.T) {
	tell := func(owner, customer, tyres string) *event.Event {
		return happened(t0, &event.Fact{Name: "vehicle.tyres", Owner: owner, Customer: customer, Value: sense.StringValue(tyres), Provenance: event.Observed})
	}
	anna := &Slice{Customer: "anna", Owned: sliceOf(t, tell("vin1", "", "winter"))}
	if h := anna.Held(bundle, 1, nil, t0); h.Value.Str() != "winter" {
		t.Errorf("the only vehicle's tyres are not found: %+v", h)
	}
	if err := anna.Owned.Fold(tell("vin2", "", "summer")); err != nil {
		t.Fatal(err)
	}
	if h := anna.Held(bundle, 1, nil, t0); h.Present {
		t.Errorf("of two vehicles one was guessed: %+v", h)
	}
	if h := anna.Held(bundle, 1, []event.Owner{{Kind: "vehicle", ID: "vin2"}}, t0); h.Value.Str() != "summer" {
		t.Errorf("tyres of vin2: %+v", h)
	}
}

func TestHistory(t *testing.T) {
	s := sliceOf(t,
		interaction(days(0), "purchase", "product:x", ""),
		interaction(days(1), "booking", "hotel:rome", ""),
		interaction(days(2), "cancelled", "hotel:rome", ""),
		interaction(days(3), "complaint", "product:x", "c1"),
		interaction(days(4), "resolved", "", "c2"),
		interaction(days(5), "resolved", "", "c1"),
		interaction(days(6), "invoice", "order:1", ""),
		interaction(days(9), "returned", "product:x", ""),
	)
	type answer struct {
		yes  bool
		next sense.Instant
	}
	did := func(m catalog.Means, about event.Subject, w sense.Duration, at sense.Instant) answer {
		yes, next := s.Did(bundle, m, about, w, at)
		return answer{yes, next}
	}
	for _, c := range []struct {
		name string
		got  answer
		want answer
	}{
		{"bought, before it was returned", did(catalog.MeansBought, "product:x", sense.Forever, days(8)), answer{true, days(9)}},
		{"what lies below it", did(catalog.MeansBought, "product:x/red", sense.Forever, days(8)), answer{true, days(9)}},
		{"something else", did(catalog.MeansBought, "product:y", sense.Forever, days(8)), answer{false, sense.Never}},
		{"the window is open at its end", did(catalog.MeansBought, "product:x", 8*sense.Day, days(8)), answer{false, days(9)}},
		{"a millisecond before", did(catalog.MeansBought, "product:x", 8*sense.Day, days(8)-1), answer{true, days(8)}},
		{"returned at once", did(catalog.MeansBought, "product:x", sense.Forever, days(9)), answer{false, days(30)}},
		{"a cancelled booking holds a day more", did(catalog.MeansBooked, "hotel:rome", sense.Forever, days(2)), answer{true, days(3)}},
		{"and no longer", did(catalog.MeansBooked, "hotel:rome", sense.Forever, days(3)), answer{false, days(366)}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if open, _ := s.Open(bundle, 2, days(9)); open {
		t.Error("the complaint is open though its ref was resolved")
	}
	s.Interactions = s.Interactions[:5] // only the other ref is resolved
	if open, _ := s.Open(bundle, 2, days(9)); !open {
		t.Error("the complaint is closed by another ref")
	}
}

func TestOverdue(t *testing.T) {
	due := interaction(t0, "invoice", "order:2", "i2")
	due.Body.(*event.Interaction).Due = days(3)
	s := sliceOf(t, interaction(t0, "invoice", "order:1", "i1"), interaction(days(1), "payment", "", "i1"), due)
	if yes, next := s.Overdue(bundle, 3, days(3)-1); yes || next != days(3) {
		t.Errorf("before the due instant: %v, next %s", yes, next)
	}
	if yes, _ := s.Overdue(bundle, 3, days(3)); !yes {
		t.Error("not overdue at the due instant")
	}
	if open, _ := s.Open(bundle, 3, days(2)); !open {
		t.Error("the invoice that nobody paid is not open")
	}
	paid := sliceOf(t, interaction(t0, "invoice", "order:1", "i1"), interaction(days(1), "payment", "", "i1"))
	if open, _ := paid.Open(bundle, 3, days(2)); open {
		t.Error("the invoice is open, though it was paid")
	}
}

func TestConsentStates(t *testing.T) {
	say := func(at sense.Instant, granted bool, expires sense.Instant) *event.Event {
		return happened(at, &event.Consent{Purpose: "offers", Customer: "anna", Granted: granted, Expires: expires})
	}
	for _, c := range []struct {
		name  string
		lines []*event.Event
		at    sense.Instant
		want  ConsentState
	}{
		{"no line ever", nil, t0, ConsentUnknown},
		{"granted", []*event.Event{say(t0, true, sense.Never)}, t0, ConsentGranted},
		{"denied", []*event.Event{say(t0, false, sense.Never)}, t0, ConsentDenied},
		{"withdrawn", []*event.Event{say(t0, true, sense.Never), say(t0+1, false, sense.Never)}, t0 + 1, ConsentWithdrawn},
		{"withdrawn, told in the wrong order", []*event.Event{say(t0+1, false, sense.Never), say(t0, true, sense.Never)}, t0 + 1, ConsentWithdrawn},
		{"expired at its instant", []*event.Event{say(t0, true, days(1))}, days(1), ConsentExpired},
		{"not before", []*event.Event{say(t0, true, days(1))}, days(1) - 1, ConsentGranted},
		{"granted again", []*event.Event{say(t0, false, sense.Never), say(t0+1, true, sense.Never)}, t0 + 1, ConsentGranted},
	} {
		if got, _ := sliceOf(t, c.lines...).Consent("offers", c.at); got != c.want {
			t.Errorf("%s: state %d, want %d", c.name, got, c.want)
		}
	}
}

func TestPrune(t *testing.T) {
	s := sliceOf(t,
		happened(t0, &event.Fact{Name: "size", Customer: "anna", Value: sense.StringValue("M"), Provenance: event.Declared}),
		interaction(t0, "purchase", "product:x", ""))
	if gone, next := s.Prune(bundle, days(10)-1); gone || next != days(10) {
		t.Errorf("nothing is past its retention, but: %v, next %s", gone, next)
	}
	if gone, next := s.Prune(bundle, days(10)); !gone || len(s.Facts) != 0 || next != days(30) {
		t.Errorf("the fact at its retention: gone %v, %d left, next %s", gone, len(s.Facts), next)
	}
	if gone, _ := s.Prune(bundle, days(30)); !gone || len(s.Interactions) != 0 {
		t.Error("the purchase outlives its retention")
	}
}

func TestPruneContacts(t *testing.T) {
	b := &catalog.Bundle{Contact: catalog.Contact{Pauses: []catalog.Pause{{After: "dismissed", For: 90 * sense.Day}}}}
	s := &Slice{}
	s.AddExposure(Exposure{Decision: "1", At: t0, Outcomes: []Outcome{{Outcome: "dismissed", At: days(1)}}})
	s.AddExposure(Exposure{Decision: "2", At: t0, Outcomes: []Outcome{{Outcome: "never", At: days(1)}}})
	if gone, next := s.Prune(b, days(91)-1); gone || next != days(91) {
		t.Errorf("within its pause: gone %v, next %s", gone, next)
	}
	if gone, next := s.Prune(b, days(91)); !gone || len(s.Exposures) != 1 || s.Exposures[0].Decision != "2" || next != sense.Never {
		t.Errorf("after its pause: gone %v, %+v left, next %s", gone, s.Exposures, next)
	}
}

func TestMergeKeepsTheStricter(t *testing.T) {
	grant := func(granted bool) *event.Event {
		return happened(t0, &event.Consent{Purpose: "offers", Granted: granted, Expires: sense.Never})
	}
	a, b := sliceOf(t, grant(false)), sliceOf(t, grant(true), happened(t0, &event.Objection{Purpose: "care", Raised: true}))
	a.Merge(b)
	if state, _ := a.Consent("offers", t0); state == ConsentGranted {
		t.Error("a merge turned a no into a yes")
	}
	if !a.Objects("care") {
		t.Error("a merge lost an objection")
	}
}

// TestAnswersCover: what is said of a thing covers what lies below it, and not what lies above.
func TestAnswersCover(t *testing.T) {
	for _, c := range []struct {
		bought, returned string
		still            bool
	}{
		{"product:x", "product:x", false},
		{"product:x/red", "product:x", false},
		{"product:x", "product:x/mats", true},
		{"product:x", "product:y", true},
	} {
		s := sliceOf(t, interaction(days(0), "purchase", c.bought, ""), interaction(days(1), "returned", c.returned, ""))
		if yes, _ := s.Did(bundle, catalog.MeansBought, event.Subject(c.bought), sense.Forever, days(2)); yes != c.still {
			t.Errorf("%s bought, %s returned: still bought %v, want %v", c.bought, c.returned, yes, c.still)
		}
	}
}

// TestMergeKeepsAnObjection: taking it back under one id does not speak for the other.
func TestMergeKeepsAnObjection(t *testing.T) {
	raised := func(day int64, raised bool) *Slice {
		return sliceOf(t, happened(days(day), &event.Objection{Purpose: "care", Raised: raised}))
	}
	for name, s := range map[string][2]*Slice{
		"taken back later by the second":  {raised(0, true), raised(1, false)},
		"taken back earlier by the first": {raised(0, false), raised(1, true)},
		"taken back later by the first":   {raised(1, false), raised(0, true)},
	} {
		if s[0].Merge(s[1]); !s[0].Objects("care") {
			t.Errorf("%s: the objection is lost", name)
		}
	}
}

// TestAnswer: the first word corrects what was assumed, and some are told once.
func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		assumed  sense.Instant // shown without a word, as in a replay
		outcomes []string
		shown    sense.Instant
		failed   bool
		told     int
	}{
		{t0, []string{"failed"}, t0, true, 1},
		{0, []string{"failed"}, 0, true, 1},
		{t0, []string{"shown", "failed"}, days(1), false, 2},
		{t0, []string{"shown", "shown"}, days(1), false, 1},
		{t0, []string{"accepted"}, t0, false, 1},
		{0, []string{"accepted", "shown"}, days(1), false, 2},
		{0, []string{"ignored", "ignored", "failed"}, days(1), false, 2},
		{0, []string{"dismissed", "dismissed"}, days(1), false, 2},
	} {
		x := Exposure{Decision: "d-0-1", At: t0, Shown: c.assumed}
		for k, o := range c.outcomes {
			x.Answer(o, days(int64(k)+1))
		}
		if x.Shown != c.shown || x.Failed != c.failed || len(x.Outcomes) != c.told {
			t.Errorf("%v: shown %v, failed %v, %d outcomes; want %v, %v, %d", c.outcomes, x.Shown, x.Failed, len(x.Outcomes), c.shown, c.failed, c.told)
		}
	}
}
