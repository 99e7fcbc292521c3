package contact

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// newYork has the turns of 2026: 8 March and 1 November.
var newYork = sense.Zone{Name: "America/New_York", Turns: []sense.Turn{
	{From: -1 << 62, Offset: -5 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)), Offset: -4 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)), Offset: -5 * sense.Hour},
}}

// TestCalendarWindows: one contact, one allowed; what holds at an instant, and until when.
func TestCalendarWindows(t *testing.T) {
	const day, week, month = catalog.CalendarDay, catalog.CalendarWeek, catalog.CalendarMonth
	for _, c := range []struct {
		name       string
		per        catalog.Calendar
		customer   *sense.Zone // nil where the policy's zone counts
		shown, now string
		until      string // empty where it may be shown
	}{
		// 29 March has 23 hours, 25 October 25.
		{"the short day, its first minute and its last", day, nil, "2026-03-29T00:00:00+01:00", "2026-03-29T23:59:59+02:00", "2026-03-29T22:00:00.000Z"},
		{"the short day is over", day, nil, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", ""},
		{"the day before the short one", day, nil, "2026-03-28T23:59:59+01:00", "2026-03-29T00:00:00+01:00", ""},
		{"the long day, 24 hours later", day, nil, "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59+01:00", "2026-10-25T23:00:00.000Z"},
		{"the long day is over", day, nil, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", ""},
		{"the hour that comes twice", day, nil, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T23:00:00.000Z"},
		{"the week of the short day", week, nil, "2026-03-23T00:00:00+01:00", "2026-03-29T23:59:59+02:00", "2026-03-29T22:00:00.000Z"},
		{"the week after it", week, nil, "2026-03-29T23:59:59+02:00", "2026-03-30T00:00:00+02:00", ""},
		{"the week over a new year", week, nil, "2026-12-28T00:00:00+01:00", "2027-01-03T23:59:59+01:00", "2027-01-03T23:00:00.000Z"},
		{"a month of 28 days", month, nil, "2026-02-01T00:00:00+01:00", "2026-02-28T23:59:59+01:00", "2026-02-28T23:00:00.000Z"},
		{"a month that begins in winter and ends in summer", month, nil, "2026-03-01T00:00:00+01:00", "2026-03-31T23:59:59+02:00", "2026-03-31T22:00:00.000Z"},
		{"a new year", month, nil, "2026-12-31T23:59:59+01:00", "2027-01-01T00:00:00+01:00", ""},
		{"December of another year", month, nil, "2025-12-31T12:00:00+01:00", "2026-12-31T12:00:00+01:00", ""},
		// It is still 2 March in New York while the policy's zone has the 3rd.
		{"her day is not the policy's", day, &newYork, "2026-03-02T12:00:00-05:00", "2026-03-03T05:00:00+01:00", "2026-03-03T05:00:00.000Z"},
		{"by the policy's day it would be another", day, nil, "2026-03-02T12:00:00-05:00", "2026-03-03T05:00:00+01:00", ""},
		// She moved: shown at 23:30 on the 2nd in Amsterdam, which is the afternoon of the 2nd in New York.
		{"she moved west, and her day began anew", day, &newYork, "2026-03-02T23:30:00+01:00", "2026-03-03T01:00:00+01:00", "2026-03-03T05:00:00.000Z"},
		{"the long day over there", day, &newYork, "2026-11-01T00:30:00-04:00", "2026-11-01T23:59:59-05:00", "2026-11-02T05:00:00.000Z"},
	} {
		l := limit(c.per, 0, 1, "shown")
		l.Customer = true
		v := at(view(catalog.Contact{Limits: []catalog.Limit{l}}, shown(instant(c.shown))), c.now)
		v.Zone = c.customer
		got := Judge(v, offer("boat", "b:b"), Unasked{})
		until := ""
		if got.Reason == catalog.CapReached {
			until = got.Until.String()
		}
		if until != c.until {
			t.Errorf("%s: %s until %s, want until %q", c.name, got.Reason, until, c.until)
		}
	}
}

// localDate is what a calendar on the wall shows, by the standard library and the offsets that hold.
func localDate(z *sense.Zone, at sense.Instant) time.Time {
	offset := sense.Duration(0)
	for _, x := range z.Turns {
		if x.From <= at {
			offset = x.Offset
		}
	}
	return time.UnixMilli(int64(at) + int64(offset)).UTC()
}

// samePeriod is the plain meaning of a calendar window.
func samePeriod(z *sense.Zone, per catalog.Calendar, a, b sense.Instant) bool {
	x, y := localDate(z, a), localDate(z, b)
	switch per {
	case catalog.CalendarDay:
		return x.YearDay() == y.YearDay() && x.Year() == y.Year()
	case catalog.CalendarWeek:
		yx, wx := x.ISOWeek()
		yy, wy := y.ISOWeek()
		return yx == yy && wx == wy
	}
	return x.Month() == y.Month() && x.Year() == y.Year()
}

// TestWindowsAgainstAPlainCount: counts of random contacts in random windows are those that counting one
// by one gives, the refusal ends at the first instant at which one more fits, and no order of the
// contacts changes either.
func TestWindowsAgainstAPlainCount(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	zones := []sense.Zone{amsterdam, newYork, sense.UTC}
	starts := []string{"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-12-31T23:00:00Z"}
	for range 4_000 {
		z := zones[r.IntN(3)]
		per := catalog.Calendar(r.IntN(4))
		window := sense.Duration(1 + r.Int64N(int64(9*sense.Day)))
		l := limit(per, window, r.Int64N(4), "shown")
		l.Customer = true
		start := instant(starts[r.IntN(len(starts))])
		now := start + sense.Instant(r.Int64N(int64(4*sense.Day)))
		var exposures []profile.Exposure
		for k := range r.IntN(8) {
			x := shown(now - sense.Instant(r.Int64N(int64(12*sense.Day))))
			if r.IntN(3) == 0 { // on a boundary
				x.At = z.StartOfDay(z.Day(now)) - sense.Instant(r.Int64N(2))
				x.Shown = x.At
			}
			x.Decision = string(rune('a' + k))
			exposures = append(exposures, x)
		}
		plain := func(at sense.Instant) (n int64) {
			for _, x := range exposures {
				if per == catalog.Rolling && at.Sub(x.At) < window || per != catalog.Rolling && samePeriod(&z, per, x.At, at) {
					n++
				}
			}
			return n
		}
		judged := func(at sense.Instant) guard.Verdict {
			v := view(catalog.Contact{Limits: []catalog.Limit{l}}, exposures...)
			v.Zone, v.Now = &z, at
			return Judge(v, offer("boat", "b:b"), Unasked{})
		}
		got := judged(now)
		if reached := plain(now) >= l.AtMost; reached != (got.Reason == catalog.CapReached) {
			t.Fatalf("%d of %d in %v %s %s at %s: %s", plain(now), l.AtMost, per, window, z.Name, now, got.Reason)
		}
		r.Shuffle(len(exposures), func(a, b int) { exposures[a], exposures[b] = exposures[b], exposures[a] })
		if again := judged(now); again.Reason != got.Reason || again.Until != got.Until {
			t.Fatalf("another order: %s until %s, not %s until %s", again.Reason, again.Until, got.Reason, got.Until)
		}
		if got.OK() || l.AtMost == 0 {
			if got.Until != 0 {
				t.Fatalf("at most %d ends at %s", l.AtMost, got.Until)
			}
			continue
		}
		if before, after := judged(got.Until-1), judged(got.Until); before.OK() || !after.OK() || got.Until <= now {
			t.Fatalf("refused until %s: a millisecond before %s, then %s", got.Until, before.Reason, after.Reason)
		}
	}
}

// TestDevicesMerge: what two devices showed comes to the same counts and the same pressure, whichever
// tells the other first, and a customer who is counted twice is not.
func TestDevicesMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	p := &catalog.Pressure{HalfLife: 3 * sense.Day, Floor: 0, Amounts: []catalog.OutcomeCost{{Outcome: "accepted", Amount: -200_000}, {Outcome: "dismissed", Amount: 400_001}, {Outcome: "ignored", Amount: 99_999}}}
	c := catalog.Contact{Pressure: p, Limits: []catalog.Limit{limit(catalog.Rolling, 5*sense.Day, 3, "shown"), limit(catalog.CalendarDay, 0, 2, "dismissed")}}
	for range 1_000 {
		var devices [3]profile.Slice
		for k := range devices {
			for n := range r.IntN(6) {
				x := shown(ago(sense.Duration(r.Int64N(int64(9*sense.Day)))), []string{"accepted", "dismissed", "ignored"}[:r.IntN(4)]...)
				x.Decision = string(rune('a'+k)) + string(rune('a'+n))
				if r.IntN(4) == 0 {
					x.Decision = "both" + string(rune('a'+n))
					x.At, x.Shown, x.Outcomes = ago(sense.Day), ago(sense.Day), nil
				}
				devices[k].AddExposure(x)
			}
		}
		all := func(order ...int) (catalog.Micro, guard.Verdict) {
			v := view(c)
			for _, k := range order {
				v.Slice.Merge(&devices[k])
			}
			return Bother(v.Bundle, v.Slice, 50_000, t0), Judge(v, offer("boat", "b:b"), Unasked{})
		}
		bother, verdict := all(0, 1, 2)
		for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {2, 2, 1, 0, 1}} {
			b, v := all(order...)
			if b != bother || v.Reason != verdict.Reason || v.Until != verdict.Until {
				t.Fatalf("in the order %v: bother %d and %s until %s, not %d and %s until %s", order, b, v.Reason, v.Until, bother, verdict.Reason, verdict.Until)
			}
		}
	}
}
