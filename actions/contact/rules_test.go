package contact

import (
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// inSlot is a contact on the dashboard, which nobody asks, or at home, where somebody does.
func inSlot(x profile.Exposure, slot string) profile.Exposure {
	x.Slot = slot
	if slot == "dash" {
		x.Channel = "car"
	}
	return x
}

func TestWaits(t *testing.T) {
	wait := func(same string, f func(*catalog.Wait)) catalog.Contact {
		w := catalog.Wait{Action: -1, Group: -1, Same: same, For: 2 * sense.Hour}
		if f != nil {
			f(&w)
		}
		return catalog.Contact{Waits: []catalog.Wait{w}}
	}
	in := inSlot(shown(ago(2*sense.Hour)+1), "dash") // of the action car, about product:car, in the channel car
	early := inSlot(shown(ago(2*sense.Hour)), "dash")
	failed := in
	failed.Failed = true
	asked := inSlot(shown(ago(sense.Hour)), "home")
	sales := func(w *catalog.Wait) { w.Intent = catalog.Sales }
	help := offer("help", "")
	help.Intent = catalog.Service
	warning := offer("warning", "")
	warning.Intent = catalog.Safety
	for _, c := range []struct {
		name    string
		contact catalog.Contact
		earlier []profile.Exposure
		action  *catalog.Action
		channel string
		want    catalog.Reason
		until   sense.Instant
	}{
		{"any two", wait("", nil), []profile.Exposure{in}, offer("boat", "b:b"), "kiosk", catalog.MinimumWait, t0 + 1},
		{"any two, at the end instant", wait("", nil), []profile.Exposure{early}, offer("boat", "b:b"), "kiosk", catalog.NoReason, 0},
		{"one that failed", wait("", nil), []profile.Exposure{failed}, offer("boat", "b:b"), "kiosk", catalog.NoReason, 0},
		{"one that was asked for", wait("", nil), []profile.Exposure{asked}, offer("boat", "b:b"), "kiosk", catalog.NoReason, 0},
		{"a warning does not wait", wait("", nil), []profile.Exposure{in}, warning, "kiosk", catalog.NoReason, 0},
		{"but where the policy names it", wait("", func(w *catalog.Wait) { w.Intent = catalog.Safety }), []profile.Exposure{in}, warning, "kiosk", catalog.MinimumWait, 0},
		{"the same subject", wait("about", nil), []profile.Exposure{in}, offer("boat", "product:car/red"), "kiosk", catalog.MinimumWait, t0 + 1},
		{"another subject", wait("about", nil), []profile.Exposure{in}, offer("boat", "product:boat"), "kiosk", catalog.NoReason, 0},
		{"the same action", wait("action", nil), []profile.Exposure{in}, offer("car", "product:boat"), "kiosk", catalog.MinimumWait, 0},
		{"another action", wait("action", nil), []profile.Exposure{in}, offer("boat", "product:car"), "kiosk", catalog.NoReason, 0},
		{"the same group", wait("group", nil), []profile.Exposure{grouped(in)}, inGroup(offer("boat", "b:b")), "kiosk", catalog.MinimumWait, 0},
		{"no group", wait("group", nil), []profile.Exposure{grouped(in)}, offer("boat", "b:b"), "kiosk", catalog.NoReason, 0},
		{"the same intent", wait("intent", nil), []profile.Exposure{in}, offer("boat", "b:b"), "kiosk", catalog.MinimumWait, 0},
		{"another intent", wait("intent", nil), []profile.Exposure{in}, help, "kiosk", catalog.NoReason, 0},
		{"the same channel", wait("channel", nil), []profile.Exposure{in}, help, "car", catalog.MinimumWait, 0},
		{"another channel", wait("channel", nil), []profile.Exposure{in}, help, "kiosk", catalog.NoReason, 0},
		{"only sales wait", wait("", sales), []profile.Exposure{in}, help, "kiosk", catalog.NoReason, 0},
		{"and sales do", wait("", sales), []profile.Exposure{in}, offer("boat", "b:b"), "kiosk", catalog.MinimumWait, 0},
		{"only that action waits", wait("", func(w *catalog.Wait) { w.Action = 0 }), []profile.Exposure{in}, offer("boat", "b:b"), "kiosk", catalog.NoReason, 0},
		{"only that group waits", wait("", func(w *catalog.Wait) { w.Group = 0 }), []profile.Exposure{in}, inGroup(offer("boat", "b:b")), "kiosk", catalog.MinimumWait, 0},
		{"the second of two waits", catalog.Contact{Waits: []catalog.Wait{{Action: -1, Group: -1, For: sense.Minute}, {Action: -1, Group: -1, For: 2 * sense.Hour}}}, []profile.Exposure{in}, help, "kiosk", catalog.MinimumWait, t0 + 1},
		{"a wait of nothing", catalog.Contact{Waits: []catalog.Wait{{Action: -1, Group: -1}}}, []profile.Exposure{inSlot(shown(t0), "dash")}, help, "kiosk", catalog.NoReason, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.contact, c.earlier...)
			v.Asked, v.Channel = false, c.channel
			got := Judge(v, c.action, Unasked{})
			if got.Reason != c.want || c.until != 0 && got.Until != c.until {
				t.Errorf("%q until %s, want %q until %s", got.Reason, got.Until, c.want, c.until)
			}
			v.Asked = true
			if got := Judge(v, c.action, Unasked{}); !got.OK() {
				t.Errorf("asked: %s", got.Reason)
			}
		})
	}
	// Where nobody is identified, the session remembers.
	v := nobody(view(wait("about", nil)))
	v.Asked = false
	before := Unasked{LastOfAny: ago(sense.Hour), Recent: []Showing{{Action: 0, Channel: "car", At: ago(sense.Hour)}}}
	if got := Judge(v, offer("boat", "product:car"), before); got.Reason != catalog.MinimumWait || got.Until != t0.Add(sense.Hour) {
		t.Errorf("nobody, the same subject: %q until %s", got.Reason, got.Until)
	}
	if got := Judge(v, offer("boat", "product:boat"), before); !got.OK() {
		t.Errorf("nobody, another subject: %q", got.Reason)
	}
}

func TestVolume(t *testing.T) {
	volume := func(n int64, per catalog.Calendar, f func(*catalog.Volume)) catalog.Contact {
		x := catalog.Volume{Name: "volume", Action: -1, Group: -1, AtMost: n, Per: per, Window: sense.Hour}
		if f != nil {
			f(&x)
		}
		return catalog.Contact{Volume: []catalog.Volume{x}}
	}
	car := func(x *catalog.Volume) { x.Action = 0 }
	exempt := offer("car", "")
	exempt.ExemptCaps = true
	for _, c := range []struct {
		name    string
		contact catalog.Contact
		spent   []sense.Instant
		action  *catalog.Action
		clock   sense.ClockState
		want    catalog.Reason
		until   string
	}{
		{"none yet", volume(1, catalog.CalendarDay, nil), nil, offer("car", ""), sense.ClockSynced, catalog.NoReason, ""},
		{"at most none", volume(0, catalog.CalendarDay, nil), nil, offer("car", ""), sense.ClockSynced, catalog.VolumeSpent, "1970-01-01T00:00:00.000Z"},
		{"spent today", volume(2, catalog.CalendarDay, nil), []sense.Instant{instant("2026-03-02T00:00:00+01:00"), ago(1)}, offer("car", ""), sense.ClockSynced, catalog.VolumeSpent, "2026-03-02T23:00:00.000Z"},
		{"spent yesterday", volume(1, catalog.CalendarDay, nil), []sense.Instant{instant("2026-03-01T23:59:59+01:00")}, offer("car", ""), sense.ClockSynced, catalog.NoReason, ""},
		{"one of three has left the hour", volume(2, catalog.Rolling, nil), []sense.Instant{ago(sense.Hour), ago(sense.Minute), ago(1)}, offer("car", ""), sense.ClockSynced, catalog.VolumeSpent, "2026-03-02T09:59:00.000Z"},
		{"two of three have", volume(2, catalog.Rolling, nil), []sense.Instant{ago(2 * sense.Hour), ago(sense.Hour), ago(1)}, offer("car", ""), sense.ClockSynced, catalog.NoReason, ""},
		{"of another action", volume(0, catalog.Rolling, car), nil, offer("boat", ""), sense.ClockSynced, catalog.NoReason, ""},
		{"of another intent", volume(0, catalog.Rolling, func(x *catalog.Volume) { x.Intent = catalog.Service }), nil, offer("boat", ""), sense.ClockSynced, catalog.NoReason, ""},
		{"of its group", volume(0, catalog.Rolling, func(x *catalog.Volume) { x.Group = 0 }), nil, inGroup(offer("boat", "")), sense.ClockSynced, catalog.VolumeSpent, ""},
		{"nobody knows the day", volume(1, catalog.CalendarDay, nil), nil, offer("car", ""), sense.ClockUnknown, catalog.CapUnknown, ""},
		{"nobody knows the day, by the hour", volume(1, catalog.Rolling, nil), nil, offer("car", ""), sense.ClockUnknown, catalog.NoReason, ""},
		{"exempt", volume(0, catalog.Rolling, nil), nil, exempt, sense.ClockSynced, catalog.NoReason, ""},
	} {
		for _, asked := range []bool{true, false} {
			for _, v := range []*guard.View{view(c.contact), nobody(view(c.contact))} {
				v.Spent, v.Asked, v.Clock = [][]sense.Instant{c.spent}, asked, c.clock
				got := Judge(v, c.action, Unasked{})
				if got.Reason != c.want || c.until != "" && got.Until.String() != c.until {
					t.Errorf("%s: %q until %s, want %q until %s", c.name, got.Reason, got.Until, c.want, c.until)
				}
			}
		}
	}
	v := view(catalog.Contact{Volume: []catalog.Volume{{Action: -1, Group: -1, Per: catalog.CalendarDay}, {Action: 0, Group: -1, Per: catalog.Rolling, Window: sense.Hour}}})
	all, cars := &v.Bundle.Contact.Volume[0], &v.Bundle.Contact.Volume[1]
	for name, ofCars := range map[string]bool{"car": true, "boat": false} {
		if a := offer(name, ""); !Counts(v.Bundle, all, a) || Counts(v.Bundle, cars, a) != ofCars {
			t.Errorf("the %s counts for all: %t, for cars: %t", name, Counts(v.Bundle, all, a), Counts(v.Bundle, cars, a))
		}
	}
	spent := []sense.Instant{instant("2026-03-01T23:59:59.999+01:00"), instant("2026-03-02T00:00:00+01:00"), t0}
	if got := TrimSpent(v.Bundle, 0, spent, t0); !slices.Equal(got, spent[1:]) {
		t.Errorf("of today are left %v", got)
	}
	if got := TrimSpent(v.Bundle, 1, []sense.Instant{ago(sense.Hour), ago(sense.Hour) + 1}, t0); len(got) != 1 {
		t.Errorf("of the last hour are left %v", got)
	}
}

func TestConfirmsOnce(t *testing.T) {
	question := func(name string, fact int32) catalog.Action {
		a := *offer(name, "")
		a.Intent, a.Confirms = catalog.Question, fact
		return a
	}
	for _, c := range []struct {
		name    string
		earlier string
		fails   bool
		outcome []string
		ask     string
		want    catalog.Reason
	}{
		{"never asked", "", false, nil, "right", catalog.NoReason},
		{"asked ten years ago", "right", false, nil, "right", catalog.CapReached},
		{"in other words", "right", false, nil, "right-again", catalog.CapReached},
		{"about something else", "right", false, nil, "right-other", catalog.NoReason},
		{"failed to be asked", "right", true, nil, "right", catalog.NoReason},
		{"said no to", "right", false, []string{"dismissed"}, "right-again", catalog.CapReached},
	} {
		v := view(catalog.Contact{})
		v.Bundle.Facts = []catalog.Fact{{Name: "routine"}, {Name: "size"}}
		v.Bundle.Actions = []catalog.Action{question("right", 0), question("right-again", 0), question("right-other", 1)}
		if c.earlier != "" {
			x := shown(ago(10*sense.Year), c.outcome...)
			x.Action, x.Intent, x.About, x.Failed = c.earlier, "question", "", c.fails
			v.Slice.AddExposure(x)
		}
		a := v.Bundle.Action(c.ask)
		got := Judge(v, a, Unasked{})
		if got.Reason != c.want || c.want != catalog.NoReason && got.Because[0].Needed != "once" {
			t.Errorf("%s: %q because %v", c.name, got.Reason, got.Because)
		}
		if c.outcome != nil { // her no is a never, whatever else would let it through
			v.Waived = func(r catalog.Reason) bool { return r == catalog.CapReached }
			if got := Judge(v, a, Unasked{}); got.Reason != catalog.AskedNever {
				t.Errorf("%s: %q", c.name, got.Reason)
			}
		}
		if c.earlier != "" {
			v.Waived, v.Standing = nil, v.Slice.Exposures[0].Decision
			if got := Judge(v, a, Unasked{}); got.Reason == catalog.CapReached {
				t.Errorf("%s: its own contact takes it down", c.name)
			}
		}
	}
}

func TestPressureOfVisits(t *testing.T) {
	b := &catalog.Bundle{Contact: catalog.Contact{Pressure: &catalog.Pressure{HalfLife: sense.Week, Floor: 50_000,
		Amounts: []catalog.OutcomeCost{{Outcome: "ignored", Amount: 400_000}, {Outcome: "visit", Amount: -100_000}}}}}
	s := &profile.Slice{}
	s.AddExposure(shown(t0, "ignored"))
	visit := func(at sense.Instant, kind string) {
		if err := s.Fold(&event.Event{Happened: at, Body: &event.Interaction{Kind: kind, Due: sense.Never}}); err != nil {
			t.Fatal(err)
		}
	}
	visit(ago(sense.Week), "visit")  // -50,000 now
	visit(t0, "visit")               // -100,000
	visit(t0, "purchase")            // nothing
	visit(ago(sense.Week), "viewed") // nothing
	if got := Bother(b, s, 20_000, t0); got != 20_000+400_000-150_000 {
		t.Errorf("bother %d", got)
	}
	if got := Bother(b, nil, 20_000, t0); got != 50_000 {
		t.Errorf("of what is exempt: %d", got)
	}
	b.Contact.Pressure = nil
	if got := Bother(b, s, 20_000, t0); got != 20_000 {
		t.Errorf("without a pressure: %d", got)
	}
}

// TestCodesInOrder: of any two that refuse, the one that comes first in the list is told.
func TestCodesInOrder(t *testing.T) {
	breaches := []struct {
		reason catalog.Reason
		make   func(*guard.View, *catalog.Action, *Unasked)
	}{
		{catalog.CapReached, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Bundle.Contact.Limits = append(v.Bundle.Contact.Limits, limit(catalog.Rolling, sense.Day, 0, "shown"))
		}},
		{catalog.CapUnknown, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Clock = sense.ClockUnknown
			v.Bundle.Contact.Limits = append(v.Bundle.Contact.Limits, limit(catalog.CalendarDay, 0, 9, "shown"))
		}},
		{catalog.CoolingOff, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Bundle.Contact.Pauses = append(v.Bundle.Contact.Pauses, catalog.Pause{Same: "customer", After: "dismissed", For: sense.Day})
			v.Slice.AddExposure(shown(ago(sense.Hour), "dismissed"))
		}},
		{catalog.AskedLater, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Bundle.Contact.Pauses = append(v.Bundle.Contact.Pauses, catalog.Pause{Same: "customer", After: "later", For: sense.Day})
			v.Slice.AddExposure(shown(ago(2*sense.Hour), "later"))
		}},
		{catalog.AskedNever, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Slice.AddExposure(shown(ago(3*sense.Hour), "never"))
		}},
		{catalog.VolumeSpent, func(v *guard.View, _ *catalog.Action, _ *Unasked) {
			v.Bundle.Contact.Volume = append(v.Bundle.Contact.Volume, catalog.Volume{Action: -1, Group: -1, Per: catalog.Rolling})
		}},
		{catalog.MinimumWait, func(_ *guard.View, _ *catalog.Action, u *Unasked) { u.LastShown, u.Served = t0, true }},
	}
	for x := range breaches {
		for y := x; y < len(breaches); y++ {
			v, a, u := view(catalog.Contact{}), offer("boat", "product:car"), Unasked{}
			v.Asked = false
			breaches[y].make(v, a, &u)
			if x != y {
				breaches[x].make(v, a, &u)
			}
			if got := Judge(v, a, u); got.Reason != breaches[x].reason {
				t.Errorf("%s and %s: %q", breaches[x].reason, breaches[y].reason, got.Reason)
			}
			v.Waived = func(r catalog.Reason) bool { return r == breaches[x].reason }
			want := breaches[y].reason
			if x == y {
				want = catalog.NoReason
			}
			if got := Judge(v, a, u); got.Reason != want {
				t.Errorf("%s waived beside %s: %q", breaches[x].reason, breaches[y].reason, got.Reason)
			}
		}
	}
}

// crowd has two hundred contacts, and a policy of every kind that holds nothing of this action back.
func crowd() (*guard.View, *catalog.Action) {
	limits := []catalog.Limit{limit(catalog.Rolling, sense.Day, 500, "shown"), limit(catalog.CalendarDay, 0, 500, "shown"), limit(catalog.CalendarMonth, 0, 500, "dismissed")}
	limits[1].Customer = true
	v := view(catalog.Contact{
		Limits:   limits,
		Pauses:   []catalog.Pause{{Same: "about", After: "dismissed", For: 90 * sense.Day}, {Same: "about", After: "later", For: sense.Hour}, {Same: "channel", After: "abandoned", For: sense.Hour}},
		Waits:    []catalog.Wait{{Action: -1, Group: -1, Same: "about", For: sense.Hour}},
		Volume:   []catalog.Volume{{Action: -1, Group: -1, AtMost: 500, Per: catalog.CalendarDay}},
		Pressure: &catalog.Pressure{HalfLife: sense.Week, Amounts: []catalog.OutcomeCost{{Outcome: "dismissed", Amount: 400_000}, {Outcome: "ignored", Amount: 100_000}}},
	})
	for k := range 200 {
		x := shown(ago(sense.Duration(k)*sense.Hour), []string{"ignored", "dismissed", "accepted"}[k%3])
		x.Slot = "dash"
		v.Slice.AddExposure(x)
		v.Spent = [][]sense.Instant{append(append([]sense.Instant{}, nil...), t0)}
	}
	v.Asked, v.Zone = false, &newYork
	return v, offer("boat", "product:boat")
}

func TestPassingAllocatesNothing(t *testing.T) {
	v, a := crowd()
	if d := Judge(v, a, Unasked{}); !d.OK() {
		t.Fatalf("refused by %s", d.Reason)
	}
	if n := testing.AllocsPerRun(10, func() { Judge(v, a, Unasked{}); Bother(v.Bundle, v.Slice, a.Bother, v.Now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	v, a := crowd()
	b.Run("one of 1,000 actions, 200 contacts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Judge(v, a, Unasked{})
		}
	})
	b.Run("bother of 200 contacts", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Bother(v.Bundle, v.Slice, a.Bother, v.Now)
		}
	})
}
