package engine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// bounded is a device's desk, not a replay's, with room for few.
func bounded(t testing.TB, sessions, customers int) *desk {
	d := &desk{t: t, mind: New(Config{Device: "k1", Secret: [16]byte{1}, Sessions: sessions, Customers: customers})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, oneSale)}})))
	return d
}

// refuses tells one line, an instant later, that must be refused for a reason.
func (d *desk) refuses(why error, line string) Output {
	d.t.Helper()
	d.at(1)
	o := kept(d.mind.Step(Input{At: d.now, Events: parsed(d.t, line, d.now)}))
	if len(o.Refused) != 1 || !errors.Is(o.Refused[0].Err, why) {
		d.t.Errorf("%s: refused %v, want %v", line, o.Refused, why)
	}
	return o
}

// takes tells lines, each an instant after the one before.
func (d *desk) takes(lines ...string) {
	d.t.Helper()
	for _, l := range lines {
		d.at(1)
		d.tell(l)
	}
}

func (d *desk) sessions() string {
	var names []string
	for _, s := range d.mind.sessions {
		names = append(names, s.name)
	}
	return strings.Join(names, " ")
}

func (d *desk) held() string {
	var ids []string
	for _, c := range d.mind.customers {
		ids = append(ids, c.Customer)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func in(session, line string) string {
	return strings.TrimSuffix(line, "}") + fmt.Sprintf(`,"session":%q}`, session)
}

// TestSessionsAreBounded: the one that was idle longest makes room, and never one in use.
func TestSessionsAreBounded(t *testing.T) {
	d := bounded(t, 3, 0)
	const nobody = `{"identify":null}`
	d.takes(in("a", annaTaps), in("b", nobody), in("c", nobody), in("b", nobody), in("d", nobody))
	if got := d.sessions(); got != "a b d" {
		t.Errorf("open are %s: c was idle longest", got)
	}
	d.refuses(ErrUndeclared, in("e", `{"ask":"nowhere"}`))
	d.refuses(ErrUndeclared, in("e", `{"consent":"world","customer":"anna","granted":true}`))
	if got := d.sessions(); got != "a b d" {
		t.Errorf("open are %s: what is refused opens none", got)
	}
	d.takes(in("b", `{"identify":"bob","by":"card"}`), in("d", `{"identify":"dora","by":"card"}`))
	o := d.refuses(ErrSessions, in("e", `{"ask":"screen"}`))
	if len(o.Show) != 0 || len(o.Persist) != 0 {
		t.Errorf("a refused ask did something: %+v", o)
	}
	d.takes(in("a", nobody), in("e", `{"ask":"screen"}`))
	if got := d.sessions(); got != "b d e" {
		t.Errorf("open are %s: a was free again", got)
	}
}

// TestWhatIsShownKeepsItsSession: an anonymous one that shows something is in use.
func TestWhatIsShownKeepsItsSession(t *testing.T) {
	d := &desk{t: t, mind: New(Config{Device: "k1", Sessions: 1})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, `
slots: {screen: {channel: kiosk}}
actions:
	way: {intent: information, purpose: service, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Way?", nl: "Weg?"}}
`)}})))
	d.takes(in("a", `{"ask":"screen"}`))
	d.wants("way", "")
	d.refuses(ErrSessions, in("b", `{"ask":"screen"}`))
	d.at(sense.Minute) // shown no more
	d.takes(in("b", `{"ask":"screen"}`))
	d.wants("way", "")
	if got := d.sessions(); got != "b" {
		t.Errorf("open are %s", got)
	}
}

// TestCustomersAreBounded: who has no lease goes before who has, the longest unused first, and
// never who is served or has something that the hub's slice does not show.
func TestCustomersAreBounded(t *testing.T) {
	d := bounded(t, 0, 3)
	slice := func(id string) {
		c := d.mind.byID[id]
		d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: c.Handle, Revision: 1, Until: d.now.Add(sense.Hour), Slice: &profile.Slice{}}}})))
	}
	d.takes(`{"identify":"ann","by":"card"}`)
	slice("ann")
	d.takes(`{"identify":"bea","by":"card"}`, `{"identify":"cas","by":"card"}`, `{"identify":"dan","by":"card"}`)
	if got := d.held(); got != "ann cas dan" {
		t.Errorf("held are %s: bea has no lease, and was here longest ago", got)
	}
	d.takes(`{"consent":"offers","customer":"cas","granted":false}`, `{"identify":"eve","by":"card"}`)
	if got := d.held(); got != "ann cas eve" {
		t.Errorf("held are %s: of cas the hub does not know all", got)
	}
	d.takes(in("b", `{"identify":"fay","by":"card"}`))
	if got := d.held(); got != "cas eve fay" {
		t.Errorf("held are %s: ann alone is neither served nor awaited by the hub", got)
	}
	// Nobody can go. Of who stood there nothing stays all the same.
	d.takes(`{"consent":"offers","customer":"eve","granted":false}`, `{"ask":"screen"}`)
	d.refuses(ErrCustomers, `{"identify":"gus","by":"card"}`)
	if k, _ := d.mind.Known("main"); k.Customer != "" {
		t.Errorf("%s is served still, though another came", k.Customer)
	}
	eve := d.mind.byID["eve"]
	through := d.mind.seq // the hub tells that it has all of hers
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: eve.Handle, Revision: 1, Until: d.now.Add(sense.Hour), Through: through, Slice: &profile.Slice{}}}})))
	d.takes(`{"identify":"gus","by":"card"}`)
	if got := d.held(); got != "cas fay gus" {
		t.Errorf("held are %s", got)
	}
}

// TestEvictionSurvivesARestart: a mind restored from the log holds no more than its bound, none of
// those that must stay is lost, and no handle is given twice.
func TestEvictionSurvivesARestart(t *testing.T) {
	d := bounded(t, 0, 3)
	d.takes(`{"identify":"ann","by":"card"}`, `{"consent":"offers","customer":"ann","granted":false}`)
	for k := range 20 {
		d.takes(fmt.Sprintf(`{"identify":"c%d","by":"card"}`, k))
	}
	again, err := Restore(d.mind.cfg, Snapshot{}, unread(d.outs))
	if err != nil {
		t.Fatal(err)
	}
	if len(again.customers) != 3 || again.byID["ann"] == nil || len(again.byID["ann"].Slice.Consents) != 1 {
		t.Errorf("%d are held, ann %+v", len(again.customers), again.byID["ann"])
	}
	c, err := again.customer("new", event.ByCard)
	if err != nil || d.gave(c.Handle) {
		t.Errorf("handle given before, or %v", err)
	}
}

// TestAReplayHasNoBound: its input is one.
func TestAReplayHasNoBound(t *testing.T) {
	d := deskOf(t, oneSale)
	for k := range DefaultSessions + 5 {
		d.tell(in(fmt.Sprint("s", k), fmt.Sprintf(`{"identify":"c%d","by":"card"}`, k)))
	}
	if n := len(d.mind.customers); n != DefaultSessions+5 {
		t.Errorf("%d are held", n)
	}
}

// TestWantIsWhoIsThere: who has left is wanted until the lease ends, and wanted whole when coming again.
func TestWantIsWhoIsThere(t *testing.T) {
	d := bounded(t, 0, 0)
	wanted := func() string {
		now := map[Handle]string{}
		for _, o := range d.outs {
			if o.Want == nil {
				continue
			}
			for _, w := range o.Want.Slices {
				now[w.Handle] = fmt.Sprintf("%s@%d", w.Customer, w.Revision)
			}
			for _, h := range o.Want.Gone {
				delete(now, h)
			}
		}
		return strings.Join(slices.Sorted(maps.Values(now)), " ")
	}
	wants := func(want string) {
		t.Helper()
		if got := wanted(); got != want {
			t.Errorf("wanted are %q, want %q", got, want)
		}
	}
	d.takes(annaTaps)
	wants("anna@0")
	d.takes(`{"identify":"bob","by":"card"}`)
	wants("bob@0")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: d.mind.byID["bob"].Handle, Revision: 4, Until: d.now.Add(sense.Hour), Slice: &profile.Slice{}}}})))
	d.takes(`{"identify":null}`)
	wants("bob@4")
	d.at(sense.Hour)
	wants("")
	d.takes(`{"identify":"bob","by":"card"}`)
	wants("bob@0")
}

// TestMergeIsTheHubs: a device takes neither a merge nor a split, and says who does.
func TestMergeIsTheHubs(t *testing.T) {
	d := bounded(t, 0, 0)
	for _, line := range []string{`{"merge":["anna","crm:7"]}`, `{"split":["anna","crm:7"]}`} {
		o := d.refuses(ErrOfHub, line)
		if text := o.Refused[0].Err.Error(); !strings.Contains(text, "send this line to the hub") || !strings.Contains(text, "crm:7") || len(o.Persist) != 0 {
			t.Errorf("%s: %s", line, text)
		}
	}
	deskOf(t, oneSale).refuses(ErrOfHub, `{"split":["anna","crm:7"]}`)
	deskOf(t, oneSale).tell(`{"merge":["anna","crm:7"]}`)
}

// TestInUseAtThisInstant: what came to a session just now is not pushed out by the next line.
func TestInUseAtThisInstant(t *testing.T) {
	d := bounded(t, 1, 0)
	d.tell(in("a", `{"identify":null}`))
	if o := kept(d.mind.Step(Input{At: d.now, Events: parsed(t, in("b", `{"identify":null}`), d.now)})); len(o.Refused) != 1 || d.sessions() != "a" {
		t.Errorf("refused %v, open are %s", o.Refused, d.sessions())
	}
	d.takes(in("b", `{"identify":null}`))
	if got := d.sessions(); got != "b" {
		t.Errorf("open are %s", got)
	}
}

// TestAnotherEpochGivesOtherHandles: of those that a lost log gave nobody knows any more.
func TestAnotherEpochGivesOtherHandles(t *testing.T) {
	given := map[Handle]bool{}
	for epoch := range uint64(3) {
		m, err := Restore(Config{Device: "k1", Secret: [16]byte{1}, Epoch: epoch}, Snapshot{Handles: 4}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"ann", "bea"} {
			c, err := m.customer(id, event.ByCard)
			if err != nil || given[c.Handle] {
				t.Errorf("epoch %d, %s: a handle given before, or %v", epoch, id, err)
			}
			given[c.Handle] = true
		}
	}
}
