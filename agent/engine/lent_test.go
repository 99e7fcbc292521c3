package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// fleetDesk is one device of a fleet, of which a hub leases budgets where it says so.
func fleetDesk(t testing.TB, policy string, budgets bool) *desk {
	d := &desk{t: t, mind: New(Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}, Budgets: budgets, Moments: true})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, policy)}})))
	d.tell(`{"clock":{"now":"2026-03-02T10:00:00+01:00","state":"synced","zone":"Europe/Amsterdam"}}`, `{"link":"up"}`)
	return d
}

// sends lets the hub say something of anna's slice.
func (d *desk) sends(u SliceUpdate) Output {
	d.t.Helper()
	c := d.mind.byID["anna"]
	if c == nil {
		d.t.Fatal("anna is not known")
	}
	u.Handle = c.Handle
	if u.Until == 0 {
		u.Until = d.now.Add(7 * sense.Day)
	}
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{u}})))
	return d.outs[len(d.outs)-1]
}

// agreed is a slice of anna's, who lets herself be offered something.
func agreed(contacts ...profile.Exposure) *profile.Slice {
	s := &profile.Slice{Consents: []profile.Consent{{Purpose: "offers", Granted: true, Ever: true, Happened: 1, Expires: sense.Never}}}
	s.MergeExposures(contacts)
	return s
}

// elsewhere is a contact about mats that another device made.
func elsewhere(id string, at sense.Instant, outcomes ...string) profile.Exposure {
	x := profile.Exposure{Decision: id, Action: "mats", Intent: "sales", About: "product:mats", Channel: "kiosk", Slot: "screen", At: at}
	for _, o := range outcomes {
		x.Answer(o, at)
	}
	return x
}

func (d *desk) contacts() string {
	var ids []string
	for _, x := range d.mind.byID["anna"].Slice.Exposures {
		ids = append(ids, x.Decision)
	}
	return strings.Join(ids, " ")
}

// TestContactsOfOtherDevicesCount: what another device said holds here, and what the hub takes back of it does
// not; what was said here stays, whatever the hub has heard of it.
func TestContactsOfOtherDevicesCount(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Slice: agreed(elsewhere("k2-9-1", d.now-60_000))})
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "cap_reached")
	d.sends(SliceUpdate{Revision: 2, Slice: agreed()}) // it was another's: a split
	d.tell(`{"ask":"screen"}`)
	d.wants("mats", "")
	own := d.last().ID
	d.sends(SliceUpdate{Revision: 3, Slice: agreed()})
	if got := d.contacts(); got != own {
		t.Errorf("contacts are %q: what was said here is not in the hub's slice yet, and stays", got)
	}
	// It comes back from the hub: one contact.
	back := elsewhere(own, d.now)
	back.Shown = d.now
	d.sends(SliceUpdate{Revision: 4, Slice: agreed(back)})
	if x := d.mind.byID["anna"].Slice.Exposures; len(x) != 1 || x[0].Seq == 0 || x[0].Shown != d.now {
		t.Errorf("contacts are %+v", x)
	}
	// An answer that was given here to what another device said stays as well.
	d.sends(SliceUpdate{Revision: 5, Slice: agreed(elsewhere("k2-9-2", d.now))})
	d.tell(`{"outcome":"never","decision":"k2-9-2"}`)
	d.sends(SliceUpdate{Revision: 6, Slice: agreed(elsewhere("k2-9-2", d.now))})
	d.at(2 * sense.Hour)
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "asked_never")
}

// TestAContactOfAnotherPersonHereGoesWithASplit: two handles of one device, whose customers were one for a while.
func TestAContactOfAnotherPersonHereGoesWithASplit(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps, `{"identify":"bea","by":"card","session":"b"}`)
	bea := d.mind.byID["bea"]
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: bea.Handle, Revision: 1, Until: d.now.Add(sense.Day), Customer: "p2", Slice: agreed()}}})))
	d.tell(`{"ask":"screen","session":"b"}`)
	d.wants("mats", "")
	hers := d.last().ID
	d.sends(SliceUpdate{Revision: 1, Customer: "p1", Slice: agreed()})
	d.sends(SliceUpdate{Revision: 2, Customer: "p2", Slice: agreed(elsewhere(hers, d.now))}) // they are one
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "cap_reached")
	if d.mind.byID["anna"].Person != bea.Person {
		t.Error("two handles of one person have two names")
	}
	d.sends(SliceUpdate{Revision: 3, Customer: "p1", Slice: agreed()}) // and are two again
	d.tell(`{"ask":"screen"}`)
	d.wants("mats", "")
	if c := d.mind.byID["p1"]; c != d.mind.byID["anna"] || d.mind.byID["p2"] != bea {
		t.Error("a name leads to somebody else")
	}
	if got := len(bea.Slice.Exposures); got != 1 {
		t.Errorf("bea has %d contacts, want her own", got)
	}
}

// TestDelta: what is new is folded in as if the whole had come, once.
func TestDelta(t *testing.T) {
	d := fleetDesk(t, `
interactions: {purchase: {keep: 2y, purposes: [service]}}
`+oneSale, false)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 7, Slice: agreed()})
	// Told here, and coming back from the hub under this device's name.
	d.tell(`{"interaction":"purchase","customer":"anna","about":"product:hat"}`, `{"fact":"name.first","customer":"anna","value":"Ann","provenance":"declared","source":"till"}`,
		`{"consent":"offers","customer":"anna","granted":false}`)
	news := &profile.Slice{
		Facts:        []profile.Fact{{Name: "name.first", Value: sense.StringValue("Ann"), Provenance: event.Declared, Source: "k1/till", Happened: d.now}},
		Interactions: []profile.Interaction{{Kind: "purchase", About: "product:hat", Due: sense.Never, Happened: d.now, Source: "k1"}},
	}
	news.MergeExposures([]profile.Exposure{elsewhere("k2-9-1", d.now)})
	o := d.sends(SliceUpdate{Delta: true, Base: 7, Revision: 8, Slice: news}) // of the first two records, and not of the third
	c := d.mind.byID["anna"]
	if len(c.Slice.Interactions) != 1 || len(c.Slice.Facts) != 1 || len(c.Slice.Facts[0].Claims) != 0 || c.Revision != 8 || len(c.Slice.Exposures) != 1 {
		t.Errorf("slice is %+v in revision %d", c.Slice, c.Revision)
	}
	if state, _ := c.Slice.Consent("offers", d.now); state == profile.ConsentGranted {
		t.Error("a withdrawal that the hub does not know is lost")
	}
	if o.Want == nil || o.Want.Slices[0].Revision != 8 {
		t.Errorf("want is %+v", o.Want)
	}
	// A second time: nothing comes of it.
	if d.sends(SliceUpdate{Delta: true, Base: 7, Revision: 8, Slice: news}); c.Revision != 8 || len(c.Slice.Interactions) != 1 {
		t.Errorf("a message that came twice made %+v", c.Slice)
	}
	// Of another base: the slice is wanted whole, and what is here goes on.
	o = d.sends(SliceUpdate{Delta: true, Base: 9, Revision: 10, Slice: &profile.Slice{Restricted: true}})
	if c.Revision != 0 || c.Slice.Restricted || !c.here(d.now) || o.Want == nil || o.Want.Slices[0].Revision != 0 {
		t.Errorf("revision %d, want %+v", c.Revision, o.Want)
	}
	if d.sends(SliceUpdate{Revision: 10}); c.Revision != 0 {
		t.Error("unchanged since what is not here was taken")
	}
	// What takes the place of a word on a purpose need not be newer: two customers became one.
	d.sends(SliceUpdate{Revision: 11, Through: d.mind.seq, Slice: &profile.Slice{Consents: []profile.Consent{{Purpose: "offers", Granted: true, Ever: true, Happened: 1000, Expires: sense.Never}}}})
	d.sends(SliceUpdate{Delta: true, Base: 11, Revision: 12, Through: d.mind.seq, Slice: &profile.Slice{Consents: []profile.Consent{{Purpose: "offers", Ever: true, Happened: 500, Expires: sense.Never}}}})
	if state, _ := c.Slice.Consent("offers", d.now); state != profile.ConsentWithdrawn {
		t.Error("the stricter word of the hub lost against an older one")
	}
}

// TestAnOldSliceComesAgain: a message from before what is held, however well signed, undoes nothing. A hub that
// was set back counts from a lower number, and is heard: its leases end later.
func TestAnOldSliceComesAgain(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps)
	granted := agreed()
	withdrawn := agreed()
	withdrawn.Consents[0].Granted = false
	first, second := d.now.Add(sense.Hour), d.now.Add(2*sense.Hour)
	d.sends(SliceUpdate{Revision: 4, Until: first, Slice: granted})
	c := d.mind.byID["anna"]
	for _, again := range []SliceUpdate{{Revision: 4, Until: first, Slice: agreed()}, {Revision: 4, Until: first}, {Delta: true, Base: 3, Revision: 4, Until: first, Slice: agreed()}} {
		d.sends(SliceUpdate{Revision: 5, Until: second, Slice: withdrawn})
		d.sends(again)
		if state, _ := c.Slice.Consent("offers", d.now); state == profile.ConsentGranted || c.Revision != 5 || c.Until != second {
			t.Errorf("after %+v: consent %v, revision %d until %s", again, state, c.Revision, c.Until)
		}
	}
	if d.sends(SliceUpdate{Revision: 1, Until: second + 1, Slice: agreed()}); c.Revision != 1 {
		t.Errorf("revision %d of a hub that was set back, want 1", c.Revision)
	}
}

// TestAnOldContactComesBack: what was folded away here and the hub sends again counts once.
func TestAnOldContactComesBack(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Until: sense.Never, Slice: agreed()})
	d.tell(`{"ask":"screen"}`, `{"outcome":"ignored","decision":"last"}`)
	own := elsewhere(d.last().ID, d.now, "ignored")
	d.at(60 * sense.Day)
	c := d.mind.byID["anna"]
	if n := c.Slice.Showings("mats"); n != 1 || len(c.Slice.Exposures) != 0 {
		t.Fatalf("%d showings, contacts %+v: it was to be folded away", n, c.Slice.Exposures)
	}
	for k := range 3 {
		d.sends(SliceUpdate{Revision: uint64(2 + k), Until: sense.Never, Slice: agreed(own, elsewhere("k2-9-1", own.At, "ignored"))})
		if n := c.Slice.Showings("mats"); n != 1 || len(c.Slice.Exposures) != 0 {
			t.Fatalf("%d showings, contacts %+v", n, c.Slice.Exposures)
		}
	}
}

const twoSales = `
slots: {screen: {channel: kiosk}, side: {channel: kiosk}}
actions:
	mats: {intent: sales, purpose: offers, about: product:mats, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Mats?", nl: "Matten?"}}
	warn: {intent: service, purpose: service, about: product:warn, slots: [side], exempt: {caps: {since: 2026-01-05, by: "Ada"}}, value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Look!", nl: "Kijk!"}}
contact:
	limits: [{at_most: 5, counting: accepted, per: rolling 1h}]
`

// TestBudgets: a contact takes a unit, and gives it back where it turns out not to count.
func TestBudgets(t *testing.T) {
	d := fleetDesk(t, strings.Replace(twoSales, "exempt: {caps: {since: 2026-01-05, by: \"Ada\"}}, ", "", 1), true)
	limit := d.mind.bundle.Contact.Limits[0].Name
	d.tell(annaTaps)
	if o := d.outs[len(d.outs)-1]; o.Want == nil || !o.Want.Slices[0].Served {
		t.Fatalf("want is %+v", o.Want)
	}
	d.sends(SliceUpdate{Revision: 1, Slice: agreed()})
	ask := func(action, cause string) {
		t.Helper()
		d.at(sense.Second)
		d.tell(`{"ask":"screen"}`)
		d.wants(action, cause)
	}
	ask("silence", "budget_not_leased")
	if b := d.last().Rejected[0].Because; b[0].Name != limit || b[0].Value.String() != "0" || b[0].Needed != "> 0" {
		t.Errorf("because %+v", b)
	}
	lend := func(units int64, until sense.Duration) {
		d.sends(SliceUpdate{Revision: 1, Through: d.mind.seq - 1, Budgets: []profile.Budget{{Limit: limit, Units: units}}, BudgetUntil: d.now.Add(until)})
	}
	lend(1, 10*sense.Minute)
	ask("mats", "")
	ask("silence", "budget_not_leased") // it is reserved
	d.tell(`{"outcome":"dismissed","decision":"k1-5-2"}`)
	ask("mats", "") // what was dismissed is not accepted
	d.tell(`{"outcome":"failed","decision":"last"}`)
	ask("mats", "")
	d.tell(`{"outcome":"accepted","decision":"last"}`)
	ask("silence", "budget_not_leased")
	lend(1, 10*sense.Minute)
	d.at(10*sense.Minute - sense.Second)
	ask("silence", "budget_not_leased") // at the end instant it is over
	lend(3, 10*sense.Minute)
	d.tell(`{"clock":{"now":"2026-03-02T10:30:00+01:00","state":"floor","zone":"Europe/Amsterdam"}}`)
	ask("silence", "budget_not_leased") // nobody knows whether the lease runs
	d.tell(`{"clock":{"now":"2026-03-02T10:30:00+01:00","state":"synced","zone":"Europe/Amsterdam"}}`)
	ask("mats", "")

	// Restored, the units and what was made of them are as they were.
	snap := d.mind.Snapshot()
	again, err := Restore(d.mind.cfg, snap, nil)
	if err != nil || again.byID["anna"].Budgets.Until != d.mind.byID["anna"].Budgets.Until {
		t.Fatalf("restored %+v, %v", again.byID["anna"], err)
	}
	// Who leaves gives them back; what comes too late is not taken.
	d.tell(`{"identify":null}`)
	if o := d.outs[len(d.outs)-1]; o.Want == nil || o.Want.Slices[0].Served || o.Want.Slices[0].Budgets != 0 {
		t.Errorf("want is %+v", o.Want)
	}
	if lend(3, sense.Hour); d.mind.byID["anna"].Budgets.Until != 0 {
		t.Error("budgets were taken for somebody who has left")
	}
	// Each decision can be made again from its moment.
	if n := d.madeAgain(); n < 9 {
		t.Errorf("%d moments", n)
	}
}

// TestWhoNeedsNoUnit: an exempt action, somebody unknown, and a device that stands alone.
func TestWhoNeedsNoUnit(t *testing.T) {
	d := fleetDesk(t, twoSales, true)
	d.tell(`{"ask":"side"}`)
	d.wants("warn", "")
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Slice: agreed()})
	d.tell(`{"ask":"side"}`)
	d.wants("warn", "")
	alone := fleetDesk(t, twoSales, false)
	alone.tell(annaTaps)
	alone.sends(SliceUpdate{Revision: 1, Slice: agreed()})
	alone.tell(`{"ask":"screen"}`)
	alone.wants("mats", "")
}

// TestUnitsWakeASlot: an unasked slot is filled when units come, without anything else happening.
func TestUnitsWakeASlot(t *testing.T) {
	d := fleetDesk(t, strings.Replace(oneSale, "screen: {channel: kiosk}", "screen: {channel: kiosk, unasked: true}", 1), true)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Slice: agreed()})
	d.wantsShows("")
	d.sends(SliceUpdate{Revision: 1, Budgets: []profile.Budget{{Limit: d.mind.bundle.Contact.Limits[0].Name, Units: 1}}, BudgetUntil: d.now.Add(sense.Minute)})
	d.wants("mats", "")
}

// TestAnEndedLeaseLeavesNothing: not on a device that hears nothing either; what the hub does not know of what
// was done here waits for it.
func TestAnEndedLeaseLeavesNothing(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Until: d.now.Add(sense.Day), Slice: agreed(elsewhere("k2-9-1", d.now-7_200_000))})
	d.tell(`{"ask":"screen"}`, `{"identify":null}`, `{"link":"down"}`)
	d.at(sense.Day)
	c := d.mind.byID["anna"]
	if c == nil || len(c.Slice.Consents) != 0 || len(c.Slice.Exposures) != 1 || c.Slice.Exposures[0].Seq == 0 {
		t.Fatalf("held is %+v: of this device's contact the hub knows nothing", c)
	}
	gone := d.mind.seq - 1
	d.tell(`{"link":"up"}`, `{"identify":"bob","by":"card"}`)
	bob := d.mind.byID["bob"]
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: bob.Handle, Revision: 1, Until: d.now.Add(7 * sense.Day), Through: gone, Slice: agreed()}}})))
	d.at(sense.Day)
	if d.mind.byID["anna"] != nil || len(d.mind.Snapshot().Customers) != 1 {
		t.Errorf("anna is held: %+v", d.mind.byID["anna"])
	}
	// A restart long after finds nobody under a lease that has ended.
	again, err := Restore(d.mind.cfg, d.mind.Snapshot(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Step(Input{At: d.now.Add(30 * sense.Day), Bundle: &BundleUpdate{Bundle: d.mind.bundle}})
	if n := again.Customers(); n != 0 {
		t.Errorf("%d customers outlive their leases", n)
	}
}

// TestWhatWaitsIsBounded: facts beyond the bound are refused, words on consent never.
func TestWhatWaitsIsBounded(t *testing.T) {
	d := fleetDesk(t, oneSale, false)
	d.tell(annaTaps)
	for k := range MostPending {
		d.tell(fmt.Sprintf(`{"fact":"name.first","customer":"anna","value":"A%d","provenance":"declared"}`, k))
	}
	o := kept(d.mind.Step(Input{At: d.now, Events: parsed(t, `{"fact":"name.first","customer":"anna","value":"B","provenance":"declared"}`, d.now)}))
	if len(o.Refused) != 1 || !errors.Is(o.Refused[0].Err, ErrPending) {
		t.Errorf("refused %v", o.Refused)
	}
	for k := range 100 {
		d.at(1)
		d.tell(fmt.Sprintf(`{"consent":"offers","customer":"anna","granted":%v}`, k%2 == 0))
	}
	c := d.mind.byID["anna"]
	if state, _ := c.Slice.Consent("offers", d.now); state != profile.ConsentWithdrawn || len(c.Pending) != MostPending+2 {
		t.Errorf("consent is %v, %d wait", state, len(c.Pending))
	}
	d.sends(SliceUpdate{Revision: 1, Slice: agreed()}) // which knows nothing of it
	if state, _ := c.Slice.Consent("offers", d.now); state != profile.ConsentWithdrawn {
		t.Errorf("under the hub's slice consent is %v", state)
	}
}

// TestSlicesAreBoundedByBytes: the least valuable goes first, whoever is served or has something waiting stays.
func TestSlicesAreBoundedByBytes(t *testing.T) {
	d := &desk{t: t, mind: New(Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}, MaxSlices: 64 << 10})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, oneSale)}})))
	big := func(id string) {
		c := d.mind.byID[id]
		s := agreed()
		for k := range 20 {
			s.MergeExposures([]profile.Exposure{elsewhere(fmt.Sprintf("k2-9-%d", k), d.now)})
		}
		d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: c.Handle, Revision: 1, Until: d.now.Add(sense.Day), Slice: s}}})))
	}
	d.takes(`{"consent":"offers","customer":"waits","granted":false}`)
	for k := range 100 {
		id := fmt.Sprintf("c%02d", k)
		d.takes(fmt.Sprintf(`{"identify":%q,"by":"card"}`, id))
		big(id)
		if d.mind.bytes > d.mind.cfg.MaxSlices {
			t.Fatalf("%d bytes are held", d.mind.bytes)
		}
	}
	sum := int64(0)
	for _, c := range d.mind.customers {
		sum += sizeOf(&c.CustomerState)
	}
	if sum != d.mind.bytes || len(d.mind.customers) < 10 || len(d.mind.dues) != len(d.mind.customers) {
		t.Errorf("%d bytes of %d customers, estimated %d, %d dues", sum, len(d.mind.customers), d.mind.bytes, len(d.mind.dues))
	}
	for _, id := range []string{"waits", "c99", "c98"} {
		if d.mind.byID[id] == nil {
			t.Errorf("%s went", id)
		}
	}
	if d.mind.byID["c00"] != nil {
		t.Error("c00 was used longest ago, and stays")
	}
}

// holding is a device that holds so many customers with slices under lease, one of whom is served.
func holding(b testing.TB, n int) *desk {
	d := &desk{t: b, mind: New(Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}, Customers: 20_000})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(b, oneSale)}})
	for k := range n {
		e := event.Event{At: d.now, HasAt: true, Happened: d.now, Session: event.MainSession, Body: &event.Identify{Customer: fmt.Sprintf("c%05d", k), By: event.ByCard}}
		o := kept(d.mind.Step(Input{At: d.now, Events: []event.Event{e}}))
		u := SliceUpdate{Handle: o.Persist[0].Handle, Revision: 1, Until: d.now.Add(7 * sense.Day), Slice: agreed(elsewhere("k2-9-1", d.now-sense.Instant(k)))}
		d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{u}})
	}
	return d
}

// BenchmarkHeld is what a step costs while so many customers are held: an ask and its outcome, a delta, and
// one who leaves while another comes.
func BenchmarkHeld(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprint("ask/", n), func(b *testing.B) {
			d := holding(b, n)
			ask := parsed(b, `{"ask":"screen"}`, d.now)
			later := parsed(b, `{"outcome":"failed","decision":"last"}`, d.now)
			b.ReportAllocs()
			for b.Loop() {
				d.now++
				ask[0].Happened, later[0].Happened = d.now, d.now
				d.mind.Step(Input{At: d.now, Events: ask})
				d.mind.Step(Input{At: d.now, Events: later})
				d.mind.sessions[0].customer.Slice.Exposures = nil
			}
			b.ReportMetric(perOp(b), "step:ns")
		})
		b.Run(fmt.Sprint("delta/", n), func(b *testing.B) {
			d := holding(b, n)
			h, r := d.mind.customers[n/2].Handle, uint64(1)
			b.ReportAllocs()
			for b.Loop() {
				d.now++
				d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: h, Delta: true, Base: r, Revision: r + 1, Until: d.now.Add(7 * sense.Day), Slice: &profile.Slice{}}}})
				r++
			}
			b.ReportMetric(perOp(b), "step:ns")
		})
		b.Run(fmt.Sprint("identify/", n), func(b *testing.B) {
			d := holding(b, n)
			two := [][]event.Event{parsed(b, `{"identify":"c00001","by":"card"}`, d.now), parsed(b, `{"identify":"c00002","by":"card"}`, d.now)}
			b.ReportAllocs()
			k := 0
			for b.Loop() {
				d.now++
				k++
				two[k%2][0].Happened = d.now
				d.mind.Step(Input{At: d.now, Events: two[k%2]})
			}
			b.ReportMetric(perOp(b), "step:ns")
		})
	}
}

// BenchmarkSnapshot is what a snapshot costs of so many customers of whom one has changed.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := holding(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if s := d.mind.Snapshot(); len(s.Customers) != n {
					b.Fatal("somebody is missing")
				}
			}
		})
	}
}

// TestTombstonesAreBounded: the oldest goes, and those that are left are refused.
func TestTombstonesAreBounded(t *testing.T) {
	m := New(Config{Device: "k1", Secret: [16]byte{1}})
	for k := range MostTombstones + 10 {
		m.bury(m.tombstone(fmt.Sprint("c", k)))
	}
	m.bury(m.tombstone("c20")) // a second time
	if len(m.erased) != MostTombstones || len(m.graves) != MostTombstones {
		t.Errorf("%d are remembered, %d in order", len(m.erased), len(m.graves))
	}
	if m.erased[m.tombstone("c9")] || !m.erased[m.tombstone("c10")] || !m.erased[m.tombstone(fmt.Sprint("c", MostTombstones+9))] {
		t.Error("it is not the oldest that went")
	}
}

// TestUnitsOfEach: what is lent of each subject that is not named is taken by its own subject alone, of none that is
// excepted, under its own bundle, and by nobody whose lease of it has ended.
func TestUnitsOfEach(t *testing.T) {
	const policy = `
slots: {screen: {channel: kiosk}, side: {channel: kiosk}, door: {channel: kiosk}, wall: {channel: kiosk}}
actions:
	mats: {intent: sales, purpose: offers, about: product:mats, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Mats?", nl: "Matten?"}}
	hats: {intent: sales, purpose: offers, about: product:hats, slots: [side], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Hats?", nl: "Hoeden?"}}
	cats: {intent: sales, purpose: offers, about: product:cats, slots: [door], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Cats?", nl: "Katten?"}}
	rats: {intent: sales, purpose: offers, about: product:rats, slots: [wall], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Rats?", nl: "Ratten?"}}
contact:
	limits: [{about: same, at_most: 5, counting: shown, per: rolling 1h}]
`
	d := fleetDesk(t, policy, true)
	limit := d.mind.bundle.Contact.Limits[0]
	if !limit.About {
		t.Fatal("the limit does not count per subject")
	}
	d.tell(annaTaps)
	ask := func(slot, action string) {
		t.Helper()
		d.at(sense.Second)
		d.tell(`{"ask":"` + slot + `"}`)
		cause := ""
		if action == "silence" {
			cause = "budget_not_leased"
		}
		d.wants(action, cause)
	}
	lend := func(of [8]byte) {
		d.sends(SliceUpdate{Revision: 1, Slice: agreed(), Through: d.mind.seq - 1, BudgetUntil: d.now.Add(10 * sense.Minute), EachOf: of,
			Budgets: []profile.Budget{{Limit: limit.Name, About: "product:hats", Units: 2}},
			Each:    []profile.Each{{Limit: limit.Name, Units: 1, But: []string{"product:rats", "product:bats"}}, {Limit: "another", Units: 9}}})
	}
	lend([8]byte{1})
	ask("side", "hats")
	ask("screen", "silence") // it is of the subjects of another bundle
	lend([8]byte{})
	ask("screen", "mats")
	ask("screen", "silence")
	ask("door", "cats") // of each one
	ask("door", "silence")
	ask("side", "hats") // two are named
	ask("side", "hats")
	ask("side", "silence")
	ask("wall", "silence")
	for n, o := range d.outs {
		for _, m := range o.Moments {
			past, err := Thaw(&BundleUpdate{Bundle: d.mind.bundle}, m.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if made := past.Decision(); made.Action != m.Decision.Action || made.Cause != m.Decision.Cause {
				t.Errorf("step %d: made again it is %s %s, was %s %s", n, made.Action, made.Cause, m.Decision.Action, m.Decision.Cause)
			}
		}
	}
	// After a restart it goes on, under the same bundle.
	lend([8]byte{})
	for hash, want := range map[[32]byte]int{{}: 2, {1}: 0} { // order: each apart
		again, err := Restore(d.mind.cfg, d.mind.Snapshot(), nil)
		if err != nil {
			t.Fatal(err)
		}
		again.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: d.mind.bundle, Hash: hash}})
		if b := again.byID["anna"].Budgets; len(b.List) != 1 || len(b.Each) != want {
			t.Errorf("restored under %x: %+v", hash[:1], b)
		}
	}
	// Another policy means other subjects.
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, policy), Hash: [32]byte{1}}})))
	ask("screen", "silence")
	ask("side", "hats")
	lend([8]byte{1})
	ask("screen", "mats")
	d.at(10 * sense.Minute)
	ask("door", "silence")
}
