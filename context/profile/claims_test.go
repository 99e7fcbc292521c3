package profile

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

func claim(at sense.Instant, source string, p event.Provenance, value string) *event.Event {
	v := sense.StringValue(value)
	if value == "" {
		v = sense.NullValue()
	}
	e := happened(at, &event.Fact{Name: "size", Customer: "anna", Value: v, Provenance: p})
	e.Source = source
	return e
}

// TestWhichClaimHolds: "size" is fresh for 4 days and kept for 10; it is day 5.
func TestWhichClaimHolds(t *testing.T) {
	const declared, observed, inferred, third = event.Declared, event.Observed, event.Inferred, event.ThirdParty
	for _, c := range []struct {
		name   string
		claims []*event.Event
		want   string // empty for nothing held
		fresh  bool
	}{
		{"the newer of two", []*event.Event{claim(days(2), "crm", declared, "M"), claim(days(3), "app", observed, "L")}, "L", true},
		{"of one instant the stronger", []*event.Event{claim(days(2), "crm", observed, "M"), claim(days(2), "app", declared, "L")}, "L", true},
		{"inferred later, and what was declared is fresh", []*event.Event{claim(days(2), "app", declared, "M"), claim(days(3), "brain", inferred, "L")}, "M", true},
		{"told by others later, and what was observed is fresh", []*event.Event{claim(days(2), "till", observed, "M"), claim(days(3), "broker", third, "L")}, "M", true},
		{"inferred later by the same source", []*event.Event{claim(days(2), "app", declared, "M"), claim(days(3), "app", inferred, "L")}, "M", true},
		{"inferred later, and what was declared is stale", []*event.Event{claim(days(1), "app", declared, "M"), claim(days(3), "brain", inferred, "L")}, "L", true},
		{"inferred before what was declared, both stale", []*event.Event{claim(days(1), "app", declared, "M"), claim(days(0), "brain", inferred, "L")}, "M", false},
		{"inferred alone", []*event.Event{claim(days(3), "brain", inferred, "L")}, "L", true},
		{"retracted", []*event.Event{claim(days(2), "app", declared, "M"), claim(days(3), "app", declared, "")}, "", false},
		{"retracted by the customer, whoever said it", []*event.Event{claim(days(2), "crm", observed, "M"), claim(days(3), "app", declared, "")}, "", false},
		{"retracted, told again", []*event.Event{claim(days(2), "crm", observed, "M"), claim(days(3), "app", declared, ""), claim(days(4), "app", declared, "S")}, "S", true},
		{"an inference is taken back, what was declared stays", []*event.Event{claim(days(2), "app", declared, "M"), claim(days(4), "brain", inferred, "")}, "M", true},
		{"an inference is taken back, that of another stays", []*event.Event{claim(days(2), "brain", inferred, "M"), claim(days(3), "heart", inferred, "L"), claim(days(4), "heart", inferred, "")}, "M", true},
	} {
		for _, order := range [][]*event.Event{c.claims, reversed(c.claims)} {
			h := sliceOf(t, order...).Held(bundle, 0, nil, days(5))
			got := ""
			if h.Present {
				got = h.Value.Str()
			}
			if got != c.want || h.Fresh != c.fresh {
				t.Errorf("%s: %q fresh %v, want %q %v", c.name, got, h.Fresh, c.want, c.fresh)
			}
		}
	}
}

func reversed(e []*event.Event) []*event.Event {
	r := slices.Clone(e)
	slices.Reverse(r)
	return r
}

// TestClaimsAreASet: whatever is told in whatever order, more sources than are kept among them, leaves
// the same; and as long as all are kept, what holds is what the rule says of the whole set.
func TestClaimsAreASet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3_000 {
		sources, events := 1+r.IntN(14), make([]*event.Event, 1+r.IntN(25))
		for k := range events {
			value := []string{"", "S", "M", "L"}[r.IntN(4)]
			events[k] = claim(days(int64(r.IntN(6))), string(rune('a'+r.IntN(sources))), event.Provenance(1+r.IntN(4)), value)
		}
		want := sliceOf(t, events...)
		f, _ := want.Find("size", "")
		if len(f.Claims) > MostClaims {
			t.Fatalf("%d claims are kept", len(f.Claims))
		}
		for range 5 {
			r.Shuffle(len(events), func(a, b int) { events[a], events[b] = events[b], events[a] })
			if got := sliceOf(t, events...); !reflect.DeepEqual(got, want) {
				t.Fatalf("another order leaves another fact:\n%+v\n%+v", got.Facts, want.Facts)
			}
		}
		// Two devices that heard different parts come to the same when they meet.
		cut := r.IntN(len(events) + 1)
		a, b := sliceOf(t, events[:cut]...), sliceOf(t, events[cut:]...)
		a.Merge(b)
		if !reflect.DeepEqual(a.Facts, want.Facts) {
			t.Fatalf("two parts merge to\n%+v\nnot\n%+v", a.Facts, want.Facts)
		}
		if got, rule := f.claim(), byRule(events); got.Happened != rule.Happened || !got.Value.Equal(rule.Value) || got.Provenance != rule.Provenance {
			t.Fatalf("%+v holds, by the rule %+v", got, rule)
		}
	}
}

// byRule is what holds of a set of claims, told from it directly: the newest strong one, else the newest
// that says something where each source's last word counts.
func byRule(events []*event.Event) Claim {
	var strong, weak []Claim
	last := map[string]Claim{}
	for _, e := range events {
		b := e.Body.(*event.Fact)
		c := Claim{Value: b.Value, Provenance: b.Provenance, Source: e.Source, Happened: e.Happened}
		if c.strong() {
			strong = append(strong, c)
		} else if old, ok := last[c.Source]; !ok || newerFirst(c, old) < 0 {
			last[c.Source] = c
		}
	}
	if len(strong) > 0 {
		return slices.MinFunc(strong, newerFirst)
	}
	for _, c := range last {
		if !c.Value.IsNull() {
			weak = append(weak, c)
		}
	}
	if len(weak) > 0 {
		return slices.MinFunc(weak, newerFirst)
	}
	for _, c := range last {
		weak = append(weak, c)
	}
	return slices.MinFunc(weak, newerFirst)
}

func TestPruneClaims(t *testing.T) {
	s := sliceOf(t, claim(days(0), "app", event.Declared, "M"), claim(days(5), "brain", event.Inferred, "L"))
	if gone, next := s.Prune(bundle, days(10)-1); gone || next != days(10) {
		t.Errorf("a millisecond before: gone %v, next %s", gone, next)
	}
	if gone, next := s.Prune(bundle, days(10)); !gone || next != days(15) || s.Facts[0].Value.Str() != "L" || s.Facts[0].Claims != nil {
		t.Errorf("the declared one has gone: %v, next %s, %+v", gone, next, s.Facts)
	}
	if gone, _ := s.Prune(bundle, days(15)); !gone || len(s.Facts) != 0 {
		t.Errorf("the inferred one has gone: %+v", s.Facts)
	}
}

// TestQuality follows journey 22: age over a freshness of 4 days, sources that agree and contradict.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name   string
		claims []*event.Event
		at     sense.Instant
		want   catalog.Micro
	}{
		{"nothing held", nil, days(0), 0},
		{"one source, now", []*event.Event{claim(days(0), "crm", event.Declared, "M")}, days(0), 900_000},
		{"one source, as old as it is trusted", []*event.Event{claim(days(0), "crm", event.Declared, "M")}, days(4), 450_000},
		{"one source, twice as old", []*event.Event{claim(days(0), "crm", event.Declared, "M")}, days(8), 225_000},
		{"past its retention", []*event.Event{claim(days(0), "crm", event.Declared, "M")}, days(10), 0},
		{"retracted", []*event.Event{claim(days(0), "crm", event.Declared, "")}, days(0), 0},
		{"contradiction", []*event.Event{claim(days(-3), "crm", event.Declared, "S"), claim(days(0), "shop", event.Declared, "M")}, days(0), 500_000},
		{"two sources agree", []*event.Event{claim(days(-3), "crm", event.Declared, "M"), claim(days(0), "shop", event.Declared, "M")}, days(0), 987_805},
		{"two agree, one does not", []*event.Event{claim(days(-3), "crm", event.Declared, "M"), claim(days(-1), "app", event.Observed, "S"), claim(days(0), "shop", event.Declared, "M")}, days(0), 900_000},
		{"two say otherwise", []*event.Event{claim(days(-3), "crm", event.Declared, "S"), claim(days(-1), "app", event.Observed, "L"), claim(days(0), "shop", event.Declared, "M")}, days(0), 100_000},
		{"a source that changed its mind has one voice", []*event.Event{claim(days(-3), "crm", event.Declared, "S"), claim(days(-2), "crm", event.Inferred, "M"), claim(days(0), "shop", event.Declared, "M")}, days(0), 987_805},
		{"the own source has one voice", []*event.Event{claim(days(-2), "shop", event.Inferred, "L"), claim(days(0), "shop", event.Declared, "M")}, days(0), 900_000},
		{"a source that is past its retention has none", []*event.Event{claim(days(-10), "crm", event.Declared, "S"), claim(days(0), "shop", event.Declared, "M")}, days(0), 900_000},
	} {
		if got := sliceOf(t, c.claims...).Quality(bundle, 0, nil, c.at); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	// Without a freshness it halves over its retention, and without either it stays.
	b := &catalog.Bundle{Facts: []catalog.Fact{{Name: "size", Keep: 10 * sense.Day, Fresh: sense.Forever}}}
	s := sliceOf(t, claim(days(0), "crm", event.Declared, "M"))
	if got := s.Quality(b, 0, nil, days(5)); got != 636_395 { // 0.9 x 2^-0.5 = 0.9 x 0.707106
		t.Errorf("half of its retention: %d", got)
	}
	b.Facts[0].Keep = sense.Forever
	if got := s.Quality(b, 0, nil, days(5000)); got != 900_000 {
		t.Errorf("kept for ever: %d", got)
	}
}

func TestAccuracy(t *testing.T) {
	for n, want := range map[int]catalog.Micro{-2: 12_195, -1: 100_000, 0: 500_000, 1: 900_000, 2: 987_805, 3: 998_630, 20: 1_000_000, -20: 0} {
		if got := accuracy(n); got != want {
			t.Errorf("accuracy(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestDecay(t *testing.T) {
	for _, c := range []struct {
		amount    catalog.Micro
		age, half sense.Duration
		want      catalog.Micro
	}{
		{100_000, 0, sense.Week, 100_000}, {100_000, sense.Week, sense.Week, 50_000}, {-100_000, 2 * sense.Week, sense.Week, -25_000},
		{100_000, sense.Week / 2, sense.Week, 70_710}, {100_000, -sense.Day, sense.Week, 100_000}, {100_000, 100 * sense.Year, sense.Week, 0},
		{100_000, 1, 0, 0}, {100_000, 0, 0, 100_000}, {1, sense.Week, sense.Week, 0}, {-1, sense.Week, sense.Week, 0},
		{1 << 62, sense.Forever, 1, 0}, {catalog.One, sense.Day, sense.Forever, 999_999},
		// 10^12 x 2^(-98/604800) = 999887690791.783, x 2^(-1/7) = 905723664263.907, x 2^(-9/7) = 410167678003.819.
		{1_000_000 * catalog.One, 98 * sense.Second, sense.Week, 999_887_690_791}, {1_000_000 * catalog.One, sense.Day, sense.Week, 905_723_664_263},
		{-1_000_000 * catalog.One, 9 * sense.Day, sense.Week, -410_167_678_003},
	} {
		if got := Decay(c.amount, c.age, c.half); got != c.want {
			t.Errorf("Decay(%d, %s, %s) = %d, want %d", c.amount, c.age, c.half, got, c.want)
		}
	}
	// It never grows with age.
	last := catalog.One
	for age := sense.Duration(0); age < 3*sense.Week; age += 97 * sense.Second {
		now := Decay(catalog.One, age, sense.Week)
		if now > last {
			t.Fatalf("at %s it grew from %d to %d", age, last, now)
		}
		last = now
	}
}
