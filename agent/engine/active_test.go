package engine

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// load puts a policy in charge whose version is one higher.
func (d *desk) load(own string, edit func(*catalog.Bundle)) {
	d.t.Helper()
	b := written(d.t, own)
	b.Version = d.mind.Bundle().Version + 1
	if edit != nil {
		edit(b)
	}
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: b}})))
}

// when moves the clock to an instant.
func (d *desk) when(at string) {
	d.t.Helper()
	to, err := sense.ParseInstant(at)
	if err != nil || to < d.now {
		d.t.Fatalf("%s: %v", at, err)
	}
	d.at(to.Sub(d.now))
}

const inForce = `
slots: {screen: {channel: kiosk}, board: {channel: board, unasked: true, show_for: 2m}}
actions:
	spring: {intent: information, slots: [screen], valid: {from: 2026-03-03, until: 2026-03-31}, value: 9.00, propensity: 0.1, bother: 0.05, say: {en: "Spring", nl: "Lente"}}
	lunch: {intent: information, slots: [screen], hours: ["mon-fri 11:30-14:00"], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Lunch", nl: "Lunch"}}
	news: {intent: information, slots: [board], at: ["daily 12:00", "daily 18:00"], keep_armed: 30m, value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "News", nl: "Nieuws"}}
`

// TestActive: dates, hours and times are a stage of their own; the mind wakes when they turn, and takes
// down what stands beyond them.
func TestActive(t *testing.T) {
	d := deskOf(t, inForce) // a Monday, 10:00
	ask := `{"ask":"screen"}`
	d.tell(ask)
	d.wants("silence", "not_yet_valid", "lunch active outside_hours", "spring active not_yet_valid")
	d.when("2026-03-02T11:30:00+01:00")
	d.tell(ask)
	d.wants("lunch", "", "spring active not_yet_valid")
	d.when("2026-03-02T13:59:50+01:00")
	d.tell(ask)
	d.wants("lunch", "")
	d.at(10 * sense.Second) // 30 s of show_for are not over, its hours are
	if got := d.shows(); !strings.HasSuffix(got, "screen:lunch -screen:outside_hours") {
		t.Errorf("it stands beyond its hours: %s", got)
	}
	d.when("2026-03-31T23:59:50+02:00") // a Tuesday: until a date is to the end of that day
	d.tell(ask)
	d.wants("spring", "")
	d.at(10 * sense.Second)
	d.tell(ask)
	d.wants("silence", "expired", "spring active expired", "lunch active outside_hours")
	if got := d.shows(); !strings.Contains(got, "screen:spring -screen:expired") {
		t.Errorf("it stands beyond its date: %s", got)
	}
}

// TestSchedule: what comes at its times is shown at each of them once, by itself.
func TestSchedule(t *testing.T) {
	d := deskOf(t, inForce)
	d.tell(annaTaps)
	d.when("2026-03-04T11:00:00+01:00")
	var at []string
	for _, o := range d.outs {
		for _, x := range o.Show {
			at = append(at, x.At.String()[5:16])
		}
	}
	if got := strings.Join(at, " "); got != "03-02T11:00 03-02T17:00 03-03T11:00 03-03T17:00" {
		t.Errorf("news at %s", got)
	}
}

// TestScheduleIsMissed: who comes later than keep_armed allows has missed it, and nobody is told twice
// of one time.
func TestScheduleIsMissed(t *testing.T) {
	d := deskOf(t, inForce)
	d.when("2026-03-02T12:20:00+01:00")
	d.tell(`{"session":"late","identify":"anna","by":"card"}`)
	d.wants("news", "")
	n := len(d.shows())
	d.when("2026-03-02T12:29:00+01:00")
	d.tell(`{"session":"late","tick":true}`)
	if strings.Contains(d.shows()[n:], "board:news") {
		t.Errorf("told twice of one time: %s", d.shows())
	}
	d.when("2026-03-02T12:30:00+01:00")
	d.tell(`{"session":"later","identify":"bert","by":"card"}`, `{"session":"later","ask":"board"}`)
	d.wants("silence", "outside_hours")
}

// TestClockUnknown: where nobody knows the time, what depends on it is not said, and the silence says so.
func TestClockUnknown(t *testing.T) {
	d := deskOf(t, inForce)
	d.when("2026-03-04T12:00:00+01:00")
	d.tell(`{"clock":{"now":"2026-03-04T11:00:00Z","state":"unknown","zone":"Europe/Amsterdam"}}`, `{"ask":"screen"}`)
	d.wants("silence", "clock_untrusted", "lunch active outside_hours", "spring active not_yet_valid")
	if b := d.last().Rejected[0].Because[0]; b.Name != "clock" {
		t.Errorf("because of %+v", b)
	}
	d.tell(`{"clock":{"now":"2026-03-04T11:00:00Z","state":"synced","zone":"Europe/Amsterdam"}}`, `{"ask":"screen"}`)
	d.wants("spring", "")
}

// TestHerOwnQuietHours: the customer's own hours silence the screen, and what stands comes down at
// their beginning without anything else happening.
func TestHerOwnQuietHours(t *testing.T) {
	d := deskOf(t, `
facts: {quiet_hours: {type: string, purposes: [service, care, offers], keep: 2y}}
slots: {screen: {channel: kiosk}}
actions:
	open: {intent: information, slots: [screen], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Open", nl: "Open"}}
`)
	d.tell(`{"fact":"quiet_hours","customer":"anna","value":"22:00-08:00","provenance":"declared"}`, annaTaps)
	d.when("2026-03-02T21:59:50+01:00")
	d.tell(`{"ask":"screen"}`)
	d.at(sense.Minute)
	d.tell(`{"ask":"screen"}`)
	d.when("2026-03-03T08:00:00+01:00")
	d.tell(`{"ask":"screen"}`)
	d.wantsShows("screen:open -screen:customer_quiet_hours screen:customer_quiet_hours screen:open")
}

const before = `
purposes: {news: {basis: consent, for: {en: "to tell news", nl: "om nieuws te melden"}}}
facts:
	size: {type: string, purposes: [news], keep: 2y}
	car.colour: {type: string, owner: vehicle, purposes: [news], keep: 2y}
interactions: {rating: {keep: 2y, purposes: [news]}}
slots: {board: {channel: board, unasked: true}, screen: {channel: kiosk}, side: {channel: kiosk}}
actions:
	gone: {intent: information, slots: [side], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Gone", nl: "Weg"}}
	late: {intent: information, slots: [board], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Late", nl: "Laat"}}
	stay: {intent: information, purpose: news, slots: [screen], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Stay", nl: "Blijf"}}
`

// after begins with another name, so that every index of the old policy means something else in it.
const after = `
purposes: {news: {basis: consent, for: {en: "to tell news", nl: "om nieuws te melden"}}}
facts:
	size: {type: string, purposes: [news], keep: 2y}
	car.colour: {type: string, owner: vehicle, purposes: [news], keep: 2y}
interactions: {rating: {keep: 2y, purposes: [news]}}
slots: {a: {channel: kiosk}, board: {channel: board, unasked: true}, screen: {channel: kiosk}}
actions:
	another: {intent: information, slots: [a, screen], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Another", nl: "Ander"}}
	late: {intent: information, slots: [board], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Late", nl: "Laat"}}
	stay: {intent: information, purpose: news, slots: [screen], value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Stay", nl: "Blijf"}}
`

// TestNewPolicyKeepsWhatItKnows: what is shown stays where slot and action are still there, and is judged by the
// new policy from then on; what was shown unasked is not shown again for that.
func TestNewPolicyKeepsWhatItKnows(t *testing.T) {
	d := deskOf(t, before)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"ask":"side"}`)
	shown := d.mind.Shown()
	d.load(after, nil)
	d.tell(`{"tick":true}`)
	d.wantsShows("board:late screen:stay side:gone -side:not_in_bundle")
	if now := d.mind.Shown(); len(now) != 2 || now[0].Decision != shown[0].Decision || now[1].Slot != "screen" || now[1].Decision != shown[1].Decision {
		t.Errorf("shown before %+v, now %+v", shown, now)
	}
	// An answer finds what it answers, under the new policy too.
	d.tell(`{"outcome":"accepted","decision":"last","slot":"screen"}`)
	if n := len(d.mind.Shown()); n != 1 {
		t.Errorf("%d stand after an answer", n)
	}
	// What the new policy does not allow any more comes down by its reason.
	d = deskOf(t, before)
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.load(after, func(b *catalog.Bundle) {
		for k := range b.Actions {
			if b.Actions[k].Name == "stay" {
				b.Actions[k].Until = d.now
			}
		}
	})
	if got := d.shows(); !strings.HasSuffix(got, "screen:stay -screen:expired") {
		t.Errorf("what the new policy does not allow stays: %s", got)
	}
}

// TestNoBasis: what is held only for a purpose whose basis the law took away goes with the bundle that
// says so, whatever waits to be sent of it is withheld, and nothing more of it is taken.
func TestNoBasis(t *testing.T) {
	d := deskOf(t, before)
	d.mind = New(Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}})
	d.outs = append(d.outs[:0], kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, before)}})))
	d.tell(annaTaps, `{"fact":"size","customer":"anna","value":"M","provenance":"declared"}`, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`,
		`{"fact":"car.colour","owner":"v1","value":"red","provenance":"observed"}`, `{"interaction":"rating","customer":"anna","ref":"r1"}`)
	c := d.mind.byID["anna"]
	changed := c.Changed
	d.load(before, func(b *catalog.Bundle) {
		for k := range b.Purposes {
			if b.Purposes[k].Name == "news" {
				b.Purposes[k].Basis = catalog.BasisNone
			}
		}
	})
	o := d.outs[len(d.outs)-1]
	if len(c.Slice.Facts) != 1 || c.Slice.Facts[0].Name != "name.first" || len(c.Slice.Interactions) != 0 || len(d.mind.owned.Facts) != 0 {
		t.Errorf("still held: %+v, %+v, %+v", c.Slice.Facts, c.Slice.Interactions, d.mind.owned.Facts)
	}
	if !o.LetGo || c.Changed == changed {
		t.Error("nobody is told to write the state anew")
	}
	if len(o.Withhold) != 2 {
		t.Errorf("withheld %v, want the fact and the interaction", o.Withhold)
	}
	for _, p := range d.mind.Snapshot().Customers[0].Pending {
		switch b := p.Event.Body.(type) {
		case *event.Fact:
			if b.Name == "size" && !b.Value.IsNull() {
				t.Error("the snapshot still has the value in what waits to be sent")
			}
		case *event.Interaction:
			if b.Ref != "" {
				t.Error("the snapshot still has what the interaction was about")
			}
		}
	}
	for _, line := range []string{`{"fact":"size","customer":"anna","value":"L","provenance":"declared"}`, `{"interaction":"rating","customer":"anna"}`} {
		if o := kept(d.mind.Step(Input{At: d.now, Events: parsed(t, line, d.now)})); len(o.Refused) != 1 || !strings.Contains(o.Refused[0].Err.Error(), "no_basis") {
			t.Errorf("%s is taken: %+v", line, o.Refused)
		}
	}
	// A slice that comes later brings nothing of it back.
	slice := c.Slice
	d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: c.Handle, Revision: 1, Until: d.now.Add(sense.Hour), Slice: &slice}}})
	if len(c.Slice.Facts) != 1 || len(c.Slice.Interactions) != 0 {
		t.Errorf("a slice brought back %+v, %+v", c.Slice.Facts, c.Slice.Interactions)
	}
}

// TestDeclaredNoMore: what no policy declares any more goes as well.
func TestDeclaredNoMore(t *testing.T) {
	d := deskOf(t, before)
	d.tell(annaTaps, `{"fact":"size","customer":"anna","value":"M","provenance":"declared"}`, `{"interaction":"rating","customer":"anna"}`)
	d.load("slots: {screen: {channel: kiosk}}\n", nil)
	if c := d.mind.byID["anna"]; len(c.Slice.Facts) != 0 || len(c.Slice.Interactions) != 0 {
		t.Errorf("still held: %+v, %+v", c.Slice.Facts, c.Slice.Interactions)
	}
}
