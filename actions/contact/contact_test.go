package contact

import (
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

const t0 = sense.Instant(1_772_442_000_000) // 2026-03-02T09:00:00Z, a Monday

func ago(d sense.Duration) sense.Instant { return t0 - sense.Instant(d) }

// amsterdam has the turns of 2026.
var amsterdam = sense.Zone{Name: "Europe/Amsterdam", Turns: []sense.Turn{
	{From: -1 << 62, Offset: sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)), Offset: 2 * sense.Hour},
	{From: sense.InstantOf(time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)), Offset: sense.Hour},
}}

func limit(per catalog.Calendar, window sense.Duration, atMost int64, counting string) catalog.Limit {
	return catalog.Limit{Name: "limit", Intent: catalog.Sales, Action: -1, Group: -1, AtMost: atMost, Counting: counting, Per: per, Window: window}
}

func offer(name, about string) *catalog.Action {
	return &catalog.Action{Name: name, Intent: catalog.Sales, Purpose: -1, Group: -1, Partner: -1, Asks: -1, Confirms: -1, Serves: -1, About: event.Subject(about), Repeat: sense.Forever}
}

// shown is an earlier contact about a car with outcomes at its own instant.
func shown(at sense.Instant, outcomes ...string) profile.Exposure {
	x := profile.Exposure{Decision: at.String(), Action: "car", Intent: "sales", About: "product:car", Channel: "kiosk", At: at, Shown: at}
	for _, o := range outcomes {
		x.Outcomes = append(x.Outcomes, profile.Outcome{Outcome: o, At: at})
	}
	return x
}

func view(c catalog.Contact, exposures ...profile.Exposure) *guard.View {
	s := &profile.Slice{}
	for _, x := range exposures {
		s.AddExposure(x)
	}
	return &guard.View{Bundle: &catalog.Bundle{Zone: amsterdam, Contact: c,
		Groups:  []catalog.Group{{Name: "vehicles"}},
		Slots:   []catalog.Slot{{Name: "dash", Channel: "car", Unasked: true}, {Name: "home", Channel: "kiosk"}},
		Actions: []catalog.Action{*offer("car", "product:car")}},
		Now: t0, Presence: guard.Here, Slice: s, Channel: "kiosk", Asked: true, Clock: sense.ClockSynced}
}

func nobody(v *guard.View) *guard.View {
	v.Presence, v.Slice = guard.Nobody, nil
	return v
}

func awaited(v *guard.View) *guard.View {
	v.Presence, v.Slice = guard.Awaited, nil
	return v
}

func clockUnknown(v *guard.View) *guard.View {
	v.Clock = sense.ClockUnknown
	return v
}

func only(l catalog.Limit, f func(*catalog.Limit)) catalog.Limit {
	f(&l)
	return l
}

func grouped(x profile.Exposure) profile.Exposure {
	x.Group = "vehicles"
	return x
}

func elsewhere(x profile.Exposure) profile.Exposure {
	x.Channel = "phone"
	return x
}

func inGroup(a *catalog.Action) *catalog.Action {
	a.Group = 0
	return a
}

func at(v *guard.View, text string) *guard.View {
	v.Now, _ = sense.ParseInstant(text)
	return v
}

func instant(text string) sense.Instant { i, _ := sense.ParseInstant(text); return i }

func TestLimits(t *testing.T) {
	rolling := func(n int64) catalog.Contact {
		return catalog.Contact{Limits: []catalog.Limit{limit(catalog.Rolling, sense.Day, n, "shown")}}
	}
	daily := catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarDay, 0, 1, "shown")}}
	failed := shown(ago(sense.Hour))
	failed.Shown, failed.Failed = 0, true
	reserved := shown(ago(sense.Hour))
	reserved.Shown = 0
	service := shown(ago(sense.Hour))
	service.Intent = "service"
	clockless := view(daily)
	clockless.Clock = sense.ClockUnknown
	for _, c := range []struct {
		name   string
		view   *guard.View
		action *catalog.Action
		want   catalog.Reason
		until  string
	}{
		{"at most one, none yet", view(rolling(1)), offer("car", "product:car"), catalog.NoReason, ""},
		{"at most none", view(rolling(0)), offer("car", "product:car"), catalog.CapReached, ""},
		{"at most none, of nobody in particular", nobody(view(rolling(0))), offer("car", "product:car"), catalog.CapReached, ""},
		{"at most one, of nobody in particular", nobody(view(rolling(1))), offer("car", "product:car"), catalog.NoReason, ""},
		{"at most one, and her history is awaited", awaited(view(rolling(1))), offer("car", "product:car"), catalog.CapUnknown, ""},
		{"at most none, and her history is awaited", awaited(view(rolling(0))), offer("car", "product:car"), catalog.CapReached, ""},
		{"at most none, and nobody knows the day", clockUnknown(view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarDay, 0, 0, "shown")}})), offer("car", "product:car"), catalog.CapReached, ""},
		{"a rolling one, and nobody knows the day", clockUnknown(view(rolling(1))), offer("car", "product:car"), catalog.NoReason, ""},
		{"three where two are allowed: two must go", view(rolling(2), shown(ago(3*sense.Hour)), shown(ago(2*sense.Hour)), shown(ago(sense.Hour))), offer("b", "b:b"), catalog.CapReached, "2026-03-03T07:00:00.000Z"},
		{"a window without end", view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.Rolling, sense.Forever, 1, "shown")}}, shown(ago(9*sense.Year))), offer("b", "b:b"), catalog.CapReached, "1970-01-01T00:00:00.000Z"},
		{"dated by a faster clock", view(daily, shown(t0.Add(26*sense.Hour))), offer("b", "b:b"), catalog.CapReached, "2026-03-03T23:00:00.000Z"},
		{"of another action", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Action = 0 })}}, shown(ago(sense.Hour))), offer("boat", "b:b"), catalog.NoReason, ""},
		{"of this action", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Action = 0 })}}, shown(ago(sense.Hour))), offer("car", "b:b"), catalog.CapReached, ""},
		{"of its group", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Group = 0 })}}, grouped(shown(ago(sense.Hour)))), inGroup(offer("boat", "b:b")), catalog.CapReached, ""},
		{"of another group", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Group = 0 })}}, shown(ago(sense.Hour))), inGroup(offer("boat", "b:b")), catalog.NoReason, ""},
		{"of this channel", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Channel = "kiosk" })}}, shown(ago(sense.Hour))), offer("boat", "b:b"), catalog.CapReached, ""},
		{"shown in another channel", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.Channel = "kiosk" })}}, elsewhere(shown(ago(sense.Hour)))), offer("boat", "b:b"), catalog.NoReason, ""},
		{"a limit of another channel", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(0).Limits[0], func(l *catalog.Limit) { l.Channel = "car" })}}), offer("boat", "b:b"), catalog.NoReason, ""},
		{"of this subject", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.About = true })}}, shown(ago(sense.Hour))), offer("boat", "product:car/red"), catalog.CapReached, ""},
		{"of another subject", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.About = true })}}, shown(ago(sense.Hour))), offer("boat", "product:boat"), catalog.NoReason, ""},
		{"without a subject it is the action that counts", view(catalog.Contact{Limits: []catalog.Limit{only(rolling(1).Limits[0], func(l *catalog.Limit) { l.About = true })}}, shown(ago(sense.Hour))), offer("car", ""), catalog.CapReached, ""},
		{"the reached one is told before the doubtful one", clockUnknown(view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarDay, 0, 1, "shown"), limit(catalog.Rolling, sense.Day, 0, "shown")}})), offer("b", "b:b"), catalog.CapReached, ""},
		{"one within the window", view(rolling(1), shown(ago(sense.Day)+1)), offer("boat", "product:boat"), catalog.CapReached, "2026-03-02T09:00:00.001Z"},
		{"one at the window's open end", view(rolling(1), shown(ago(sense.Day))), offer("boat", "product:boat"), catalog.NoReason, ""},
		{"reserved, not shown yet", view(rolling(1), reserved), offer("boat", "product:boat"), catalog.CapReached, ""},
		{"failed to be shown", view(rolling(1), failed), offer("boat", "product:boat"), catalog.NoReason, ""},
		{"of another intent", view(rolling(1), service), offer("boat", "product:boat"), catalog.NoReason, ""},
		{"counting what was dismissed", view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.Rolling, sense.Day, 1, "dismissed")}}, shown(ago(sense.Hour), "dismissed")), offer("boat", "product:boat"), catalog.CapReached, ""},
		{"two limits, the second is reached", view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.Rolling, sense.Day, 9, "shown"), limit(catalog.Rolling, sense.Week, 1, "shown")}}, shown(ago(2*sense.Day))), offer("boat", "product:boat"), catalog.CapReached, ""},
		// Half past midnight in Amsterdam is still yesterday in Greenwich.
		{"yesterday evening, a local day ends at midnight", at(view(daily, shown(instant("2026-03-02T23:59:59+01:00"))), "2026-03-03T00:00:00+01:00"), offer("boat", "b:b"), catalog.NoReason, ""},
		{"the same local day", at(view(daily, shown(instant("2026-03-03T00:00:00+01:00"))), "2026-03-03T23:59:59+01:00"), offer("boat", "b:b"), catalog.CapReached, "2026-03-03T23:00:00.000Z"},
		{"the day of the turn to summer time is 23 hours long", at(view(daily, shown(instant("2026-03-29T00:30:00+01:00"))), "2026-03-29T23:30:00+02:00"), offer("boat", "b:b"), catalog.CapReached, "2026-03-29T22:00:00.000Z"},
		{"a clock that nobody trusts", clockless, offer("boat", "b:b"), catalog.CapUnknown, ""},
		{"calendar week, Sunday and Monday", at(view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarWeek, 0, 1, "shown")}}, shown(instant("2026-03-01T23:00:00+01:00"))), "2026-03-02T00:00:00+01:00"), offer("boat", "b:b"), catalog.NoReason, ""},
		{"calendar week, Monday and Sunday", at(view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarWeek, 0, 1, "shown")}}, shown(instant("2026-03-02T00:00:00+01:00"))), "2026-03-08T23:59:59+01:00"), offer("boat", "b:b"), catalog.CapReached, "2026-03-08T23:00:00.000Z"},
		{"calendar month", at(view(catalog.Contact{Limits: []catalog.Limit{limit(catalog.CalendarMonth, 0, 1, "shown")}}, shown(instant("2026-03-01T00:00:00+01:00"))), "2026-03-31T23:59:59+02:00"), offer("boat", "b:b"), catalog.CapReached, "2026-03-31T22:00:00.000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Judge(c.view, c.action, Unasked{})
			if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
				t.Errorf("%s until %s, want %s until %s", got.Reason, got.Until, c.want, c.until)
			}
		})
	}
	exempt := offer("car", "product:car")
	exempt.ExemptCaps = true
	if got := Judge(view(rolling(0)), exempt, Unasked{}); !got.OK() {
		t.Errorf("an exempt action fell: %s", got.Reason)
	}
}

func TestPauses(t *testing.T) {
	c := catalog.Contact{Pauses: []catalog.Pause{
		{Same: "about", After: "dismissed", For: 90 * sense.Day},
		{Same: "about", After: "later", For: sense.Hour},
		{Same: "action", After: "ignored", For: sense.Minute},
		{Same: "channel", After: "abandoned", For: sense.Hour},
		{Same: "customer", Intent: catalog.Sales, After: "negative", For: sense.Day},
		{Same: "group", After: "failed", For: sense.Hour},
		{Same: "intent", After: "accepted", For: sense.Hour},
	}}
	served := offer("help", "")
	served.Intent = catalog.Service
	saved := elsewhere(shown(ago(sense.Second), "abandoned"))
	for _, x := range []struct {
		name    string
		earlier profile.Exposure
		action  *catalog.Action
		want    catalog.Reason
		until   sense.Instant
	}{
		{"dismissed", shown(ago(90*sense.Day)+1, "dismissed"), offer("another", "product:car"), catalog.CoolingOff, t0 + 1},
		{"dismissed, at the end instant", shown(ago(90*sense.Day), "dismissed"), offer("another", "product:car"), catalog.NoReason, 0},
		{"dismissed, what lies below it", shown(ago(sense.Day), "dismissed"), offer("another", "product:car/red"), catalog.CoolingOff, ago(sense.Day).Add(90 * sense.Day)},
		{"dismissed, something else", shown(ago(sense.Day), "dismissed"), offer("boat", "product:boat"), catalog.NoReason, 0},
		{"later", shown(ago(sense.Hour)+1, "later"), offer("car", "product:car"), catalog.AskedLater, t0 + 1},
		{"once after", shown(ago(sense.Hour), "later"), offer("car", "product:car"), catalog.NoReason, 0},
		{"never, though no policy says so", shown(ago(20*sense.Year), "never"), offer("another", "product:car"), catalog.AskedNever, sense.Never},
		{"ignored, the same action", shown(ago(sense.Second), "ignored"), offer("car", ""), catalog.CoolingOff, ago(sense.Second).Add(sense.Minute)},
		{"ignored, another action", shown(ago(sense.Second), "ignored"), offer("another", "product:car"), catalog.NoReason, 0},
		{"left in the middle, the same channel", shown(ago(sense.Second), "abandoned"), offer("boat", "b:b"), catalog.CoolingOff, ago(sense.Second).Add(sense.Hour)},
		{"left in the middle, another channel", saved, offer("boat", "b:b"), catalog.NoReason, 0},
		{"found bad, any sale to her", shown(ago(sense.Second), "negative"), offer("boat", "b:b"), catalog.CoolingOff, ago(sense.Second).Add(sense.Day)},
		{"found bad, a service", shown(ago(sense.Second), "negative"), served, catalog.NoReason, 0},
		{"failed, the same group", grouped(shown(ago(sense.Second), "failed")), inGroup(offer("boat", "b:b")), catalog.CoolingOff, ago(sense.Second).Add(sense.Hour)},
		{"failed, no group", shown(ago(sense.Second), "failed"), offer("boat", "b:b"), catalog.NoReason, 0},
		{"accepted, the same intent", shown(ago(sense.Second), "accepted"), offer("boat", "b:b"), catalog.CoolingOff, ago(sense.Second).Add(sense.Hour)},
		{"accepted, another intent", shown(ago(sense.Second), "accepted"), served, catalog.NoReason, 0},
		{"the one that lasts longest is told", shown(ago(sense.Second), "accepted", "dismissed"), offer("boat", "product:car"), catalog.CoolingOff, ago(sense.Second).Add(90 * sense.Day)},
		{"of a yes and a later, the first code", shown(ago(sense.Second), "later", "accepted", "never"), offer("boat", "product:car"), catalog.CoolingOff, ago(sense.Second).Add(sense.Hour)},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := Judge(view(c, x.earlier), x.action, Unasked{})
			if got.Reason != x.want || x.until != 0 && got.Until != x.until {
				t.Errorf("%s until %s, want %s until %s", got.Reason, got.Until, x.want, x.until)
			}
		})
	}
}

func TestMinimumWait(t *testing.T) {
	repeating := offer("slow-down", "")
	repeating.Intent, repeating.Repeat = catalog.Safety, 30*sense.Minute
	for _, c := range []struct {
		name   string
		wait   sense.Duration
		asked  bool
		action *catalog.Action
		memory Unasked
		want   catalog.Reason
	}{
		{"first time", 0, false, offer("car", ""), Unasked{}, catalog.NoReason},
		{"shown since it became right", 0, false, offer("car", ""), Unasked{LastShown: ago(sense.Day), Served: true}, catalog.MinimumWait},
		{"the same, but asked", 0, true, offer("car", ""), Unasked{LastShown: ago(sense.Day), Served: true}, catalog.NoReason},
		{"became right anew", 0, false, offer("car", ""), Unasked{LastShown: ago(sense.Day)}, catalog.NoReason},
		{"repeat_after is not over, though it became right anew", 0, false, repeating, Unasked{LastShown: ago(30*sense.Minute) + 1}, catalog.MinimumWait},
		{"repeat_after is over, though it stayed right", 0, false, repeating, Unasked{LastShown: ago(30 * sense.Minute), Served: true}, catalog.NoReason},
		{"another was shown", 2 * sense.Hour, false, offer("car", ""), Unasked{LastOfAny: ago(2*sense.Hour) + 1}, catalog.MinimumWait},
		{"another was shown long ago", 2 * sense.Hour, false, offer("car", ""), Unasked{LastOfAny: ago(2 * sense.Hour)}, catalog.NoReason},
	} {
		v := view(catalog.Contact{Waits: []catalog.Wait{{Action: -1, Group: -1, For: c.wait}}})
		v.Asked = c.asked
		if got := Judge(v, c.action, c.memory); got.Reason != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Reason, c.want)
		}
	}
}

// TestPressure follows journey 29: bother 0.05, each ignored adds 0.10, half-life 7 days.
func TestPressure(t *testing.T) {
	b := &catalog.Bundle{Contact: catalog.Contact{Pressure: &catalog.Pressure{HalfLife: sense.Week, Floor: 50_000,
		Amounts: []catalog.OutcomeCost{{Outcome: "accepted", Amount: -200_000}, {Outcome: "ignored", Amount: 100_000}}}}}
	s := &profile.Slice{}
	for k := range 3 {
		x := shown(t0, "ignored")
		x.Decision += string(rune('a' + k))
		s.AddExposure(x)
	}
	for _, c := range []struct {
		after sense.Duration
		want  catalog.Micro
	}{{0, 350_000}, {sense.Week, 200_000}, {2 * sense.Week, 125_000}, {100 * sense.Year, 50_000}} {
		if got := Bother(b, s, 50_000, t0.Add(c.after)); got != c.want {
			t.Errorf("bother after %s = %d, want %d", c.after, got, c.want)
		}
	}
	s.AddExposure(shown(t0+1, "accepted", "accepted"))
	if got := Bother(b, s, 50_000, t0+1); got != 50_000 {
		t.Errorf("bother after a yes = %d, want the floor", got)
	}
	// Half a half-life: 3 x 0.1 x 2^-0.5 = 0.2121320343..., rounded once. 98 s: 0.3 x 2^(-98/604800) = 0.2999663072...
	s.Exposures = s.Exposures[:3]
	for age, p := range map[sense.Duration]catalog.Micro{sense.Week / 2: 212_133, 98 * sense.Second: 299_967} {
		if got, want := Bother(b, s, 50_000, t0.Add(age)), 50_000+p; got != want {
			t.Errorf("bother after %s = %d, want %d", age, got, want)
		}
	}
	// More than can be counted is the most, never less than nothing.
	b.Contact.Pressure.Amounts[1].Amount = 1_000_000_000 * catalog.One
	for k := range 20 {
		x := shown(t0, "ignored")
		x.Decision += "more" + string(rune('a'+k))
		s.AddExposure(x)
	}
	if got := Bother(b, s, 50_000, t0); got < 1_000_000_000*catalog.One {
		t.Errorf("bother of the most = %d", got)
	}
}
