package guard

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// amsterdam has the turns of 2026: to summer time on 29 March, back on 25 October.
var amsterdam = sense.Zone{Name: "Europe/Amsterdam", Turns: []sense.Turn{
	{From: -1 << 62, Offset: sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)), Offset: 2 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)), Offset: sense.Hour},
}}

// newYork has those of the same year: 8 March and 1 November.
var newYork = sense.Zone{Name: "America/New_York", Turns: []sense.Turn{
	{From: -1 << 62, Offset: -5 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)), Offset: -4 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)), Offset: -5 * sense.Hour},
}}

func instant(t *testing.T, s string) sense.Instant {
	t.Helper()
	i, err := sense.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestCustomerQuietHours(t *testing.T) {
	text := func(s string) sense.Value { return sense.StringValue(s) }
	for _, c := range []struct {
		name       string
		value      sense.Value
		provenance event.Provenance
		zone       *sense.Zone
		clock      sense.ClockState
		now        string
		want       catalog.Reason
		until      string
		next       string
	}{
		{"before", text("22:00-08:00"), event.Declared, nil, sense.ClockSynced, "2026-03-02T21:59:59+01:00", catalog.NoReason, "", "2026-03-02T21:00:00.000Z"},
		{"at their first minute", text("22:00-08:00"), event.Declared, nil, sense.ClockSynced, "2026-03-02T22:00:00+01:00", catalog.CustomerQuietHours, "2026-03-03T07:00:00.000Z", "2026-03-03T07:00:00.000Z"},
		{"at their end", text("22:00-08:00"), event.Declared, nil, sense.ClockSynced, "2026-03-03T08:00:00+01:00", catalog.NoReason, "", "2026-03-03T21:00:00.000Z"},
		{"in her zone, while travelling", text("22-8"), event.Declared, &newYork, sense.ClockSynced, "2026-03-03T12:00:00+01:00", catalog.CustomerQuietHours, "2026-03-03T13:00:00.000Z", "2026-03-03T13:00:00.000Z"},
		{"one of a list", sense.ListValue([]sense.Value{text("12:00-13:00"), text("22:00-08:00")}), event.Declared, nil, sense.ClockSynced, "2026-03-02T12:30:00+01:00", catalog.CustomerQuietHours, "2026-03-02T12:00:00.000Z", "2026-03-02T12:00:00.000Z"},
		{"an empty list", sense.ListValue(nil), event.Declared, nil, sense.ClockSynced, "2026-03-02T23:30:00+01:00", catalog.NoReason, "", ""},
		{"seen by the company", text("22:00-08:00"), event.Observed, nil, sense.ClockSynced, "2026-03-02T23:00:00+01:00", catalog.CustomerQuietHours, "", ""},
		{"only inferred", text("22:00-08:00"), event.Inferred, nil, sense.ClockSynced, "2026-03-02T23:00:00+01:00", catalog.NoReason, "", ""},
		{"words that nobody can read", text("at night"), event.Declared, nil, sense.ClockSynced, "2026-03-02T12:00:00+01:00", catalog.CustomerQuietHours, "", ""},
		{"nobody knows the time", text("22:00-08:00"), event.Declared, nil, sense.ClockUnknown, "2026-03-02T12:00:00+01:00", catalog.CustomerQuietHours, "", ""},
		// On 29 March the hour from 2 to 3 is skipped: what ends at half past two ends at three.
		{"an end that summer time skips", text("22:00-02:30"), event.Declared, nil, sense.ClockSynced, "2026-03-29T01:59:00+01:00", catalog.CustomerQuietHours, "2026-03-29T01:00:00.000Z", "2026-03-29T01:00:00.000Z"},
		{"just after", text("22:00-02:30"), event.Declared, nil, sense.ClockSynced, "2026-03-29T03:00:00+02:00", catalog.NoReason, "", "2026-03-29T20:00:00.000Z"},
		{"a night of nine hours", text("22:00-08:00"), event.Declared, nil, sense.ClockSynced, "2026-03-28T22:00:00+01:00", catalog.CustomerQuietHours, "2026-03-29T06:00:00.000Z", ""},
		// On 25 October it comes twice: half past two, then two again.
		{"an end that comes twice, the first time", text("22:00-02:30"), event.Declared, nil, sense.ClockSynced, "2026-10-25T02:29:00+02:00", catalog.CustomerQuietHours, "2026-10-25T00:30:00.000Z", "2026-10-25T00:30:00.000Z"},
		{"between the two", text("22:00-02:30"), event.Declared, nil, sense.ClockSynced, "2026-10-25T02:30:00+02:00", catalog.NoReason, "", "2026-10-25T01:00:00.000Z"},
		{"the second time", text("22:00-02:30"), event.Declared, nil, sense.ClockSynced, "2026-10-25T02:00:00+01:00", catalog.CustomerQuietHours, "2026-10-25T01:30:00.000Z", "2026-10-25T01:30:00.000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(catalog.Sales)
			b := s.v.Bundle
			b.Zone, b.States = amsterdam, nil
			b.Facts = append(b.Facts, catalog.Fact{Name: catalog.FactQuietHours, Kind: sense.String, Keep: sense.Year, Fresh: sense.Day})
			s.v.Now, s.v.Zone, s.v.Clock = instant(t, c.now), c.zone, c.clock
			fold(s.v, t0-sense.Instant(2*sense.Day), &event.Fact{Name: catalog.FactQuietHours, Customer: "anna", Value: c.value, Provenance: c.provenance})
			got := Quiet(s.v)
			if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
				t.Errorf("%q until %s, want %q until %s", got.Reason, got.Until, c.want, c.until)
			}
			if got.ByClock() != (c.clock == sense.ClockUnknown) {
				t.Errorf("by the clock: %v", got.Because)
			}
			if next := NextQuietTurnOf(s.v); c.next != "" && next.String() != c.next {
				t.Errorf("the next turn is %s, want %s", next, c.next)
			}
		})
	}
	s := newStage(catalog.Sales)
	s.v.Bundle.States = nil
	s.await()
	if got := Quiet(s.v); !got.OK() || NextQuietTurnOf(s.v) != sense.Never {
		t.Errorf("awaited, and no hours of the device: %s", got.Reason)
	}
}

func week(days uint8, from, to int) catalog.WeekHours {
	return catalog.WeekHours{Days: days, HourRange: catalog.HourRange{From: from, To: to}}
}

const (
	weekdays = 31
	saturday = 32
	sunday   = 64
)

func TestActive(t *testing.T) {
	words := func(texts ...string) *catalog.Treatment {
		x := &catalog.Treatment{}
		for _, s := range texts {
			var r catalog.Rendered
			if s != "" {
				r = catalog.Rendered{{Literal: s, Fact: -1, Input: -1, Derived: -1}}
			}
			x.Text = append(x.Text, r)
		}
		return x
	}
	hours := func(h ...catalog.WeekHours) func(*stage) { return func(s *stage) { s.a.Hours = h } }
	at := func(armed sense.Duration, x ...catalog.Schedule) func(*stage) {
		return func(s *stage) { s.a.At, s.a.KeepArmed = x, armed }
	}
	unknown := func(f func(*stage)) func(*stage) { return func(s *stage) { f(s); s.v.Clock = sense.ClockUnknown } }
	from, until := instant(t, "2026-03-01T00:00:00+01:00"), instant(t, "2026-04-01T00:00:00+02:00")
	valid := func(s *stage) { s.a.From, s.a.Until = from, until }
	for _, c := range []struct {
		name  string
		given func(*stage)
		now   string
		want  catalog.Reason
		until string
		next  string // the next turn of anything
	}{
		{"always", func(*stage) {}, "2026-03-02T10:00:00+01:00", catalog.NoReason, "", "never"},
		{"a millisecond early", valid, "2026-02-28T23:59:59.999+01:00", catalog.NotYetValid, "2026-02-28T23:00:00.000Z", "2026-02-28T23:00:00.000Z"},
		{"from its first instant", valid, "2026-03-01T00:00:00+01:00", catalog.NoReason, "", "2026-03-31T22:00:00.000Z"},
		{"to its last", valid, "2026-03-31T23:59:59.999+02:00", catalog.NoReason, "", "2026-03-31T22:00:00.000Z"},
		{"ended", valid, "2026-04-01T00:00:00+02:00", catalog.Expired, "", "never"},
		{"nobody knows the time, with a beginning", unknown(valid), "2026-03-02T10:00:00+01:00", catalog.NotYetValid, "", ""},
		{"nobody knows the time, with an end", unknown(func(s *stage) { s.a.Until = until }), "2026-03-02T10:00:00+01:00", catalog.Expired, "", ""},
		{"nobody knows the time, always", unknown(func(*stage) {}), "2026-03-02T10:00:00+01:00", catalog.NoReason, "", ""},

		{"a weekday, early", hours(week(weekdays, 540, 1080)), "2026-03-02T08:59:59+01:00", catalog.OutsideHours, "2026-03-02T08:00:00.000Z", "2026-03-02T08:00:00.000Z"},
		{"a weekday", hours(week(weekdays, 540, 1080)), "2026-03-02T09:00:00+01:00", catalog.NoReason, "", "2026-03-02T17:00:00.000Z"},
		{"Friday evening", hours(week(weekdays, 540, 1080)), "2026-03-06T18:00:00+01:00", catalog.OutsideHours, "2026-03-09T08:00:00.000Z", "2026-03-09T08:00:00.000Z"},
		{"Saturday, by the second of two", hours(week(weekdays, 540, 1080), week(saturday, 600, 1020)), "2026-03-07T10:00:00+01:00", catalog.NoReason, "", "2026-03-07T16:00:00.000Z"},
		{"after midnight it still is Saturday's night", hours(week(saturday, 1200, 120)), "2026-03-08T01:59:00+01:00", catalog.NoReason, "", "2026-03-08T01:00:00.000Z"},
		{"and not Sunday's", hours(week(saturday, 1200, 120)), "2026-03-08T20:00:00+01:00", catalog.OutsideHours, "2026-03-14T19:00:00.000Z", ""},
		{"nor Friday's", hours(week(saturday, 1200, 120)), "2026-03-07T01:00:00+01:00", catalog.OutsideHours, "2026-03-07T19:00:00.000Z", ""},
		{"the whole of Sunday", hours(week(sunday, 0, 0)), "2026-03-08T23:59:59+01:00", catalog.NoReason, "", "2026-03-08T23:00:00.000Z"},
		{"and nothing of Monday", hours(week(sunday, 0, 0)), "2026-03-09T00:00:00+01:00", catalog.OutsideHours, "2026-03-14T23:00:00.000Z", ""},
		{"all week", hours(week(127, 0, 0)), "2026-03-09T00:00:00+01:00", catalog.NoReason, "", "never"},
		{"a beginning that summer time skips", hours(week(127, 150, 300)), "2026-03-29T01:59:00+01:00", catalog.OutsideHours, "2026-03-29T01:00:00.000Z", "2026-03-29T01:00:00.000Z"},
		{"an hour that comes twice", hours(week(127, 120, 150)), "2026-10-25T02:30:00+02:00", catalog.OutsideHours, "2026-10-25T01:00:00.000Z", "2026-10-25T01:00:00.000Z"},
		{"nobody knows the time, with hours", unknown(hours(week(127, 0, 0))), "2026-03-09T00:00:00+01:00", catalog.OutsideHours, "", ""},

		{"before Sunday at six", at(0, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080}), "2026-03-08T17:59:59+01:00", catalog.OutsideHours, "2026-03-08T17:00:00.000Z", "2026-03-08T17:00:00.000Z"},
		{"Sunday at six", at(0, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080}), "2026-03-08T18:00:00+01:00", catalog.NoReason, "", "2026-03-08T18:00:00.000Z"},
		{"for an hour where it does not say", at(0, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080}), "2026-03-08T19:00:00+01:00", catalog.OutsideHours, "2026-03-15T17:00:00.000Z", "2026-03-15T17:00:00.000Z"},
		{"for as long as it says", at(3*sense.Hour, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080}), "2026-03-08T20:59:59+01:00", catalog.NoReason, "", "2026-03-08T20:00:00.000Z"},
		{"over midnight", at(12*sense.Hour, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080}), "2026-03-09T05:59:59+01:00", catalog.NoReason, "", "2026-03-09T05:00:00.000Z"},
		{"the first of the month", at(0, catalog.Schedule{MonthDay: 1, Date: -1, Minute: 540}), "2026-04-01T09:30:00+02:00", catalog.NoReason, "", "2026-04-01T08:00:00.000Z"},
		{"the 31st, after that of March", at(0, catalog.Schedule{MonthDay: 31, Date: -1, Minute: 540}), "2026-04-10T00:00:00+02:00", catalog.OutsideHours, "2026-05-31T07:00:00.000Z", "2026-05-31T07:00:00.000Z"},
		{"one date", at(0, catalog.Schedule{Date: 20_811, Minute: 600}), "2026-12-24T10:59:59+01:00", catalog.NoReason, "", "2026-12-24T10:00:00.000Z"},
		{"one date, gone", at(0, catalog.Schedule{Date: 20_811, Minute: 600}), "2026-12-24T11:00:00+01:00", catalog.OutsideHours, "", "never"},
		{"at a minute that is skipped", at(0, catalog.Schedule{Date: -1, Minute: 150}), "2026-03-29T03:00:00+02:00", catalog.NoReason, "", "2026-03-29T02:00:00.000Z"},
		{"at a minute that comes twice, the second time", at(0, catalog.Schedule{Date: -1, Minute: 150}), "2026-10-25T02:30:00+01:00", catalog.OutsideHours, "2026-10-26T01:30:00.000Z", ""},
		{"both, and the hours do not permit", func(s *stage) {
			hours(week(weekdays, 540, 1080))(s)
			at(0, catalog.Schedule{Days: sunday, Date: -1, Minute: 1080})(s)
		}, "2026-03-08T18:00:00+01:00", catalog.OutsideHours, "2026-03-09T08:00:00.000Z", ""},
		{"nobody knows the time, with a schedule", unknown(at(0, catalog.Schedule{Date: -1, Minute: 150})), "2026-03-09T02:30:00+01:00", catalog.OutsideHours, "", ""},

		{"words in the language", func(s *stage) { s.a.Say = words("Hello", "") }, "2026-03-02T10:00:00+01:00", catalog.NoReason, "", ""},
		{"words for one person only", func(s *stage) { s.a.Say, s.a.SayPersonal = words("", "Hallo"), words("Hello", "") }, "2026-03-02T10:00:00+01:00", catalog.NoReason, "", ""},
		{"words in another language", func(s *stage) { s.a.Say, s.a.SayPersonal = words("", "Hallo"), words("") }, "2026-03-02T10:00:00+01:00", catalog.LanguageMissing, "", ""},
		{"no words at all", func(s *stage) {}, "2026-03-02T10:00:00+01:00", catalog.NoReason, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(catalog.Sales)
			s.v.Bundle.Zone, s.v.Bundle.Languages = amsterdam, []string{"en", "nl"}
			s.v.Now = instant(t, c.now)
			c.given(s)
			got := Active(s.v, s.a, "en")
			if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
				t.Errorf("%q until %s, want %q until %s", got.Reason, got.Until, c.want, c.until)
			}
			if (s.v.Clock == sense.ClockUnknown && c.want != catalog.NoReason) != got.ByClock() {
				t.Errorf("by the clock: %+v", got.Because)
			}
			s.v.Bundle.Actions = []catalog.Action{*s.a}
			next := NextActiveTurn(s.v.Bundle, s.v.Now)
			if c.next == "never" && next != sense.Never || c.next != "" && c.next != "never" && next.String() != c.next {
				t.Errorf("the next turn is %s, want %s", next, c.next)
			}
		})
	}
	s := newStage(catalog.Sales)
	s.a.Say = words("Hello")
	s.v.Bundle.Languages = []string{"en"}
	if got := Active(s.v, s.a, "fy"); got.Reason != catalog.LanguageMissing {
		t.Errorf("a language that the policy does not speak: %q", got.Reason)
	}
}

func TestActiveSince(t *testing.T) {
	b := &catalog.Bundle{Zone: amsterdam}
	a := &catalog.Action{KeepArmed: 10 * sense.Day, At: []catalog.Schedule{{Days: sunday, Date: -1, Minute: 1080}, {Date: -1, MonthDay: 1, Minute: 0}}}
	for now, want := range map[string]string{
		"2026-03-08T18:00:00+01:00": "2026-03-08T17:00:00.000Z",
		"2026-03-08T17:59:59+01:00": "2026-03-01T17:00:00.000Z", // last Sunday's, later than the first of the month
		"2026-03-01T17:59:59+01:00": "2026-02-28T23:00:00.000Z", // the first of the month
	} {
		if got := ActiveSince(b, a, instant(t, now)); got.String() != want {
			t.Errorf("at %s since %s, want %s", now, got, want)
		}
	}
	a.KeepArmed = sense.Hour
	if got := ActiveSince(b, a, instant(t, "2026-03-08T19:00:00+01:00")); got != 0 {
		t.Errorf("at its end since %s", got)
	}
	if got := ActiveSince(b, &catalog.Action{}, t0); got != 0 {
		t.Errorf("without a schedule since %s", got)
	}
}

// TestTurnsAgainstMinutes: over the days on which the clocks change, every turn that is announced is
// one, none is passed over, and what refuses ends when it says, minute by minute.
func TestTurnsAgainstMinutes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	days := []string{"2026-03-28T00:00:00+01:00", "2026-10-24T00:00:00+02:00"}
	minute := func() int { return r.IntN(1440) }
	for range 120 {
		z := amsterdam
		if r.IntN(3) == 0 {
			z = newYork
		}
		start := instant(t, days[r.IntN(2)])
		if z.Name == newYork.Name {
			start = z.Turns[1+r.IntN(2)].From - sense.Instant(sense.Day)
		}
		h := catalog.HourRange{From: minute(), To: minute()}
		if r.IntN(3) == 0 { // near the turn
			h = catalog.HourRange{From: 60 + r.IntN(180), To: 60 + r.IntN(180)}
		}
		if h.From == h.To {
			continue
		}
		w := catalog.WeekHours{Days: uint8(1 + r.IntN(127)), HourRange: h}
		holds := func(at sense.Instant) bool { return h.Holds(z.DayMinute(at)) }
		inside := func(at sense.Instant) bool { return inWeek(&z, w, at) }
		for at := start; at < start.Add(3*sense.Day); at += sense.Instant(sense.Minute) {
			before := at - 1
			if turned := holds(at) != holds(before); turned && nextOfRange(&z, h, before) != at {
				t.Fatalf("%v in %s turns at %s, announced before was %s", h, z.Name, at, nextOfRange(&z, h, before))
			}
			if holds(before) && !holds(at) && endOfRange(&z, h, before) != at {
				t.Fatalf("%v in %s ends at %s, not %s", h, z.Name, at, endOfRange(&z, h, before))
			}
			if inside(at) != inside(before) && nextOfWeek(&z, w, before) != at {
				t.Fatalf("%v in %s turns at %s, announced before was %s", w, z.Name, at, nextOfWeek(&z, w, before))
			}
		}
	}
}

func TestAges(t *testing.T) {
	born := func(day string, p event.Provenance) func(*stage) {
		return func(s *stage) {
			d, err := sense.ParseDate(day)
			if err != nil {
				t.Fatal(err)
			}
			fold(s.v, days(-1), &event.Fact{Name: "size", Customer: "anna", Value: sense.DateValue(d), Provenance: p})
		}
	}
	for _, c := range []struct {
		name  string
		given func(*stage)
		now   string
		want  catalog.Reason
		until string
	}{
		{"nothing is known", func(*stage) {}, "2026-03-02T10:00:00+01:00", catalog.AgeTooLow, ""},
		{"old enough", born("2010-03-02", event.Declared), "2026-03-02T00:00:00+01:00", catalog.NoReason, ""},
		{"a millisecond too young", born("2010-03-02", event.Declared), "2026-03-01T23:59:59.999+01:00", catalog.AgeTooLow, "2026-03-01T23:00:00.000Z"},
		{"inferred", born("1980-03-02", event.Inferred), "2026-03-02T10:00:00+01:00", catalog.AgeTooLow, ""},
		{"no date", func(s *stage) { s.tell("size", "1980-03-02", event.Declared, days(-1)) }, "2026-03-02T10:00:00+01:00", catalog.AgeTooLow, ""},
		{"nobody knows the time", func(s *stage) { born("1980-03-02", event.Declared)(s); s.v.Clock = sense.ClockUnknown }, "2026-03-02T10:00:00+01:00", catalog.AgeTooLow, ""},
		{"born on 29 February, on the 28th", born("2012-02-29", event.Declared), "2029-02-28T23:59:59+01:00", catalog.AgeTooLow, "2029-02-28T23:00:00.000Z"},
		{"awaited", (*stage).await, "2026-03-02T10:00:00+01:00", catalog.AgeTooLow, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(catalog.Information)
			b := s.v.Bundle
			b.Zone = amsterdam
			b.Facts[size].Kind, b.Facts[size].Fresh, b.Facts[size].Keep = sense.Date, sense.Forever, sense.Forever
			s.a.Purpose = care
			b.Purposes[care].LeastAge, b.Purposes[care].Born = 16, size
			if c.name == "born on 29 February, on the 28th" {
				b.Purposes[care].LeastAge = 17
			}
			s.v.Now = instant(t, c.now)
			c.given(s)
			got := Legal(s.v, s.c)
			if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
				t.Errorf("%q until %s, want %q until %s", got.Reason, got.Until, c.want, c.until)
			}
			set, next := Granted(s.v)
			if set.Has(care) != (c.want == catalog.NoReason) || c.until != "" && next.String() != c.until {
				t.Errorf("granted: %v until %s", set.Has(care), next)
			}
			for _, x := range got.Because {
				if x.Value.Kind() == sense.Date {
					t.Error("the date of birth is among the reasons")
				}
			}
		})
	}
}

func TestSpecialAndPartners(t *testing.T) {
	consent := func(s *stage, name, text string, granted bool) {
		fold(s.v, days(-1), &event.Consent{Purpose: name, Granted: granted, Text: text, Expires: sense.Never})
	}
	special := func(s *stage) { s.a.Special, s.a.Purpose = "health", health }
	for _, c := range []struct {
		name  string
		given func(*stage)
		want  catalog.Reason
	}{
		{"never granted", special, catalog.SpecialNeedsExplicitConsent},
		{"granted without a text", func(s *stage) { special(s); consent(s, "health", "", true) }, catalog.SpecialNeedsExplicitConsent},
		{"granted with the text", func(s *stage) { special(s); consent(s, "health", "v2", true) }, catalog.NoReason},
		{"denied", func(s *stage) { special(s); consent(s, "health", "v2", false) }, catalog.ConsentDenied},
		{"another purpose is granted", func(s *stage) { s.a.Special = "health"; consent(s, "offers", "v2", true) }, catalog.SpecialNeedsExplicitConsent},
		{"awaited", func(s *stage) { special(s); s.await() }, catalog.SpecialNeedsExplicitConsent},
		{"explicit purpose, nothing special", func(s *stage) { s.a.Purpose = health }, catalog.ConsentUnknown},
		{"the basis went", func(s *stage) { s.v.Bundle.Purposes[care].Basis = catalog.BasisNone; s.a.Purpose = care }, catalog.NoBasis},
		{"a partner who gets nothing yet", func(s *stage) {
			s.a.Purpose, s.a.Partner = care, 0
			s.v.Bundle.Partners = []catalog.Partner{{Name: "telco", Purpose: care, Consent: location}}
		}, catalog.PartnerNotAgreed},
		{"a partner who was agreed to", func(s *stage) {
			s.a.Purpose, s.a.Partner = care, 0
			s.v.Bundle.Partners = []catalog.Partner{{Name: "telco", Purpose: care, Consent: location}}
			consent(s, "location", "", true)
		}, catalog.NoReason},
		{"a partner who was agreed to, and not any more", func(s *stage) {
			s.a.Purpose, s.a.Partner = care, 0
			s.v.Bundle.Partners = []catalog.Partner{{Name: "telco", Purpose: care, Consent: location}}
			consent(s, "location", "", true)
			grant(s.v, t0, "location", false)
		}, catalog.PartnerNotAgreed},
	} {
		s := newStage(catalog.Information)
		c.given(s)
		if got := Legal(s.v, s.c); got.Reason != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Reason, c.want)
		}
	}
	s := newStage(catalog.Information)
	consent(s, "health", "", true)
	s.v.Bundle.Purposes[care].Basis = catalog.BasisNone
	if set, _ := Granted(s.v); set.Has(health) || set.Has(care) || !set.Has(service) {
		t.Errorf("granted are %b", set)
	}
	fold(s.v, t0, &event.Consent{Purpose: "health", Granted: true, Text: "v3", Expires: sense.Never})
	if set, _ := Granted(s.v); !set.Has(health) {
		t.Error("an explicit yes with its text grants nothing")
	}
}

// TestNear: around an instant a zone that was cut says what the whole one says.
func TestNear(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for _, z := range []sense.Zone{sense.UTC, amsterdam, newYork, {Turns: []sense.Turn{{From: t0, Offset: sense.Hour}}}} {
		for range 2_000 {
			now := t0 + sense.Instant(r.Int64N(int64(3*sense.Year))-int64(sense.Year))
			cut := near(&z, now)
			at := now + sense.Instant(r.Int64N(int64(190*sense.Day))-int64(95*sense.Day))
			day, minute := z.Day(at), r.IntN(1440)
			if z.Offset(at) != cut.Offset(at) || z.At(day, minute) != cut.At(day, minute) {
				t.Fatalf("%s cut at %s: at %s %s and %s, not %s and %s", z.Name, now, at, cut.Offset(at), cut.At(day, minute), z.Offset(at), z.At(day, minute))
			}
		}
	}
}
