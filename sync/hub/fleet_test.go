package hub_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// limited is a policy with every form of limit.
func limited() *catalog.Bundle {
	b := dealer()
	b.Version = 2
	b.Groups = []catalog.Group{{Name: "travel", Eligible: rule.None, Applicable: rule.None, Suitable: rule.None, Lever: catalog.One}}
	b.Slots = append(b.Slots, catalog.Slot{Name: "wrist", Channel: "wearable", Fallback: -1, ShowFor: 30 * sense.Second})
	base := b.Actions[0]
	b.Actions = nil
	for _, x := range []struct {
		name, about string
		intent      catalog.Intent
		group       int32
	}{{"cruise", "cruise:nile", catalog.Sales, 0}, {"news", "", catalog.Information, -1}, {"stay", "hotel:rome", catalog.Sales, 0}, {"suite", "hotel:rome/suite", catalog.Sales, -1}} {
		a := base
		a.Name, a.About, a.Goal, a.Intent, a.Group, a.Slots = x.name, event.Subject(x.about), "", x.intent, x.group, []int32{0, 1}
		b.Actions = append(b.Actions, a)
	}
	limit := func(name string, atMost int64, counting string, window sense.Duration, f func(*catalog.Limit)) {
		l := catalog.Limit{Name: name, Action: -1, Group: -1, AtMost: atMost, Counting: counting, Window: window}
		if f != nil {
			f(&l)
		}
		b.Contact.Limits = append(b.Contact.Limits, l)
	}
	limit("sales: 7 an hour", 7, "shown", sense.Hour, func(l *catalog.Limit) { l.Intent = catalog.Sales })
	limit("20 a day", 20, "shown", 0, func(l *catalog.Limit) { l.Per = catalog.CalendarDay })
	limit("same: 3 in two hours", 3, "shown", 2*sense.Hour, func(l *catalog.Limit) { l.About = true })
	limit("travel: 5 in three hours", 5, "shown", 3*sense.Hour, func(l *catalog.Limit) { l.Group = 0 })
	limit("wearable: 2 an hour", 2, "shown", sense.Hour, func(l *catalog.Limit) { l.Channel = "wearable" })
	limit("stay: 1 accepted an hour", 1, "accepted", sense.Hour, func(l *catalog.Limit) { l.Action = 2 })
	return b
}

// The property: whatever becomes of links, messages, logs, stores and identities, no window of a limit holds
// more contacts over the whole fleet than the limit allows; and when everything is quiet again, what remains can be
// had by anybody.
func TestBudgetsHoldOverTheFleet(t *testing.T) { holdOverTheFleet(t, 0) }

// The same where a message names fewer shares than there are: the subjects that are not named are lent each.
func TestBudgetsOfEachHoldOverTheFleet(t *testing.T) { holdOverTheFleet(t, 8) }

func holdOverTheFleet(t *testing.T, shares int) {
	runs, first := 25, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("TACT_RUNS")); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_SEED"), 10, 64); err == nil {
		runs, first = 1, n
	}
	made, each := 0, 0
	for seed := first; seed < first+uint64(runs); seed++ {
		f := newFleet(t, seed, shares)
		for range 800 {
			f.step()
		}
		f.check()
		if shares == 0 || seed%2 == 0 { // else there is not even room to name the subjects of which less is left
			f.quiet()
		}
		made, each = made+len(f.made), each+f.each
		if t.Failed() {
			t.Fatalf("seed %d: TACT_SEED=%d go test ./sync/hub -run %s", seed, seed, t.Name())
		}
	}
	if made < 15*runs && runs > 1 {
		t.Errorf("%d contacts in %d runs: nothing was put to the test", made, runs)
	}
	if shares > 0 && each < 2*runs && runs > 1 {
		t.Errorf("%d contacts were made about what was not named", each)
	}
}

type fleet struct {
	*world
	r       *rand.Rand
	bundle  *catalog.Bundle
	devices []*till
	toHub   []hub.FromDevice
	toThem  []hub.Message
	made    []said
	each    int // of them, by a share of each
	merged  bool
	joined  sense.Instant // when a and b became one customer
}

// said is a contact as it truly was.
type said struct {
	id     string
	device string
	x      *profile.Exposure
	true   sense.Instant
}

// till is a device that keeps the agreement on budgets and nothing else: it knows no cap of its own.
type till struct {
	f      *fleet
	id     string
	drift  sense.Duration
	epoch  uint64
	log    []wire.Record // number k+1
	ack    uint64
	up     bool
	draws  byte
	number int
	people map[string]*guest
}

type guest struct {
	handle   wire.Handle
	known    bool // the log says whose handle it is
	served   bool
	revision uint64
	ask      string
	request  wire.Request
	gives    bool
	owes     bool
	at       sense.Instant // of the last request
	budgets  profile.Budgets
	saved    profile.Budgets // in the state file
	contacts profile.Slice   // made under the handle
}

func newFleet(t *testing.T, seed uint64, shares int) *fleet {
	f := &fleet{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 7)), bundle: limited()}
	f.clock = sense.ClockSynced
	if shares > 0 {
		mind, err := hub.New(hub.Config{Tenant: "shop", Open: f.key, Secret: [32]byte{1}, Shares: shares - 2*int(seed%2)})
		if err != nil {
			t.Fatal(err)
		}
		f.mind = mind
	}
	f.now = t0.Add(sense.Duration(f.r.Int64N(int64(sense.Day))))
	f.must(hub.Publish{File: catalog.Encode(f.bundle)})
	f.given(`{"interaction":"visit","customer":"a"}`, `{"interaction":"visit","customer":"b"}`)
	for k := range 4 {
		f.devices = append(f.devices, &till{f: f, id: fmt.Sprintf("k%d", k+1), epoch: uint64(100*k + 7), up: true, people: map[string]*guest{},
			drift: sense.Duration(f.r.Int64N(int64(5*sense.Second))) - 2500})
		f.devices[k].hello()
	}
	return f
}

func (f *fleet) step() {
	f.now = f.now.Add(sense.Duration(f.r.ExpFloat64() * float64(8*sense.Second)))
	if f.r.IntN(60) == 0 {
		f.now = f.now.Add(sense.Duration(f.r.Int64N(int64(30 * sense.Minute))))
	}
	d := f.devices[f.r.IntN(len(f.devices))]
	g := d.guest([]string{"a", "b"}[f.r.IntN(2)])
	switch n := f.r.IntN(100); {
	case n < 30:
		d.serve(g)
		d.contact(g)
		d.contact(g)
	case n < 36:
		d.answer(g)
	case n < 42:
		g.served = false
		d.giveBack(g)
	case n < 47:
		if d.up = !d.up || f.r.IntN(3) > 0; d.up {
			d.hello()
		}
	case n < 60:
		d.sendLog()
	case n < 66:
		d.again()
	case n < 68:
		d.restart()
	case n < 69:
		d.leaveEpoch()
	case n < 70 && f.r.IntN(4) == 0 && !f.merged:
		f.merged, f.joined = true, f.now
		f.given(`{"merge":["a","b"]}`)
	case n < 72:
		g.saved = copied(g.budgets)
	default:
		if len(f.toHub) < 8 {
			d.again()
		}
		f.pass()
		f.pass()
	}
}

// pass lets a few messages arrive: in another order than they were sent, twice, or never.
func (f *fleet) pass() {
	for range 1 + f.r.IntN(4) {
		if n := len(f.toHub); n > 0 {
			k := f.r.IntN(min(n, 3))
			m := f.toHub[k]
			if f.r.IntN(10) > 0 {
				f.toHub = slices.Delete(f.toHub, k, k+1)
			}
			if f.r.IntN(12) > 0 {
				f.arrive(m)
			}
		}
		if n := len(f.toThem); n > 0 {
			k := f.r.IntN(min(n, 3))
			m := f.toThem[k]
			if f.r.IntN(10) > 0 {
				f.toThem = slices.Delete(f.toThem, k, k+1)
			}
			if f.r.IntN(12) > 0 {
				f.take(m)
			}
		}
	}
}

// arrive brings a message to the hub. A refusal is a refusal: the device sends again.
func (f *fleet) arrive(m hub.FromDevice) {
	f.sent, f.held = nil, map[string]*wire.Slice{} // what devices make of slices is another test's
	f.away = map[string]bool{"k1": true, "k2": true, "k3": true, "k4": true}
	f.do(m)
	f.toThem = append(f.toThem, f.sent...)
}

// take brings a message to its device.
func (f *fleet) take(m hub.Message) {
	topic, err := wire.ParseTopic(m.Topic)
	if err != nil {
		f.t.Fatal(err)
	}
	k := slices.IndexFunc(f.devices, func(d *till) bool { return d.id == topic.Device })
	if k < 0 || !f.devices[k].up {
		return
	}
	d := f.devices[k]
	if topic.Class != wire.ClassSlice && topic.Class != wire.ClassAck {
		return
	}
	down, err := wire.DecodeDown(topic.Class, m.Payload)
	if err != nil {
		f.t.Fatal(err)
	}
	switch x := down.(type) {
	case *wire.Ack:
		if x.Epoch == d.epoch {
			d.ack = max(d.ack, x.Through)
		}
	case *wire.Slice:
		d.hear(x.Handle, x.Revision, x.Re, x.ThroughEpoch, x.Through, x.Budgets, x.Each, x.BudgetUntil)
	case *wire.Unchanged:
		d.hear(x.Handle, x.Revision, x.Re, x.ThroughEpoch, x.Through, x.Budgets, x.Each, x.BudgetUntil)
	}
}

func (d *till) now() sense.Instant { return d.f.now.Add(d.drift) }

func (d *till) guest(id string) *guest {
	if d.people[id] == nil {
		d.draws++
		d.people[id] = &guest{handle: wire.Handle{d.id[1], d.draws, id[0]}}
	}
	return d.people[id]
}

func (d *till) idOf(g *guest) string {
	for id, x := range d.people {
		if x == g {
			return id
		}
	}
	return ""
}

// up sends a message where there is a link; else it is lost.
func (d *till) send(class string, payload []byte) {
	if d.up {
		d.f.toHub = append(d.f.toHub, hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: d.id}.Of(wire.Up, class), Payload: payload})
	}
}

func (d *till) hello() {
	b, err := wire.EncodeRequest(&wire.Hello{ID: "h", Epoch: d.epoch, First: d.ack + 1, Next: uint64(len(d.log)) + 1})
	if err != nil {
		d.f.t.Fatal(err)
	}
	if d.up { // nothing else is sent before it is answered
		d.f.arrive(hub.FromDevice{Topic: wire.Path{Tenant: "shop", Device: d.id}.Of(wire.Up, wire.ClassReq), Payload: b})
	}
}

// sendLog sends what is not acknowledged, or a part of it.
func (d *till) sendLog() {
	from, to := d.ack, uint64(len(d.log))
	if from == to {
		return
	}
	if d.f.r.IntN(3) == 0 {
		from += d.f.r.Uint64N(to - from)
	}
	d.f.epoch = d.epoch
	d.send(wire.ClassLog, d.f.batch(d.id, from+1, d.log[from:to]...))
}

// make appends a record and returns its number.
func (d *till) make(r wire.Record) uint64 {
	d.log = append(d.log, r)
	return uint64(len(d.log))
}

// serve has the customer identified, and asks for budgets where they run out.
func (d *till) serve(g *guest) {
	g.served = true
	if !g.known {
		g.known = true
		d.make(&wire.Identified{At: int64(d.now()), Handle: g.handle, Sealed: d.f.sealed(g.handle, d.idOf(g)), By: uint8(event.ByCard)})
	}
	if g.ask != "" || d.now() < g.budgets.Until.Add(-5*sense.Minute) {
		return
	}
	d.askFor(g, false)
}

func (d *till) askFor(g *guest, give bool) {
	d.number++
	g.ask, g.gives = fmt.Sprintf("%s-%d", d.id, d.number), give
	g.at = max(g.at+1, d.now())
	switch {
	case g.revision == 0 && !give:
		g.request = &wire.SliceRequest{ID: g.ask, Handle: g.handle, Customer: d.f.sealed(g.handle, d.idOf(g)), At: int64(g.at)}
	default:
		g.request = &wire.BudgetRequest{ID: g.ask, Handle: g.handle, Revision: g.revision, Epoch: d.epoch, Through: uint64(len(d.log)), Return: give, At: int64(g.at)}
	}
	g.owes = g.owes || !give
	d.again()
}

// again sends the requests that wait for an answer, as they were.
func (d *till) again() {
	for _, id := range []string{"a", "b"} {
		if g := d.people[id]; g != nil && g.ask != "" {
			b, err := wire.EncodeRequest(g.request)
			if err != nil {
				d.f.t.Fatal(err)
			}
			d.send(wire.ClassReq, b)
		}
	}
}

// giveBack lets go of the budgets of somebody who is not served any more, first here, then at the hub.
func (d *till) giveBack(g *guest) {
	if g.served || !g.owes || g.ask != "" {
		return
	}
	g.budgets, g.saved = profile.Budgets{}, profile.Budgets{}
	d.askFor(g, true)
}

func (d *till) hear(h wire.Handle, revision uint64, re string, epoch, through uint64, list []wire.Budget, each []wire.BudgetEach, until int64) {
	for _, id := range []string{"a", "b"} {
		g := d.people[id]
		if g == nil || g.handle != h {
			continue
		}
		g.revision = revision
		if re == "" || re != g.ask {
			return
		}
		g.ask = ""
		if g.gives {
			g.gives, g.owes = false, false
			return
		}
		if until == 0 || !g.served {
			return
		}
		g.budgets = profile.Budgets{Until: sense.Instant(until)}
		if epoch == d.epoch {
			g.budgets.Above = through
		}
		for _, b := range list {
			g.budgets.List = append(g.budgets.List, profile.Budget{Limit: b.Limit, About: b.About, Units: int64(b.Units)})
		}
		for _, e := range each {
			g.budgets.Each = append(g.budgets.Each, profile.Each{Limit: e.Limit, Units: int64(e.Units), But: slices.Sorted(slices.Values(e.But))})
		}
	}
}

// contact says something to the customer where every limit that concerns it has a unit left.
func (d *till) contact(g *guest) {
	b := d.f.bundle
	n := d.f.r.IntN(len(b.Actions))
	a, slot := &b.Actions[n], &b.Slots[d.f.r.IntN(2)]
	if d.now() >= g.budgets.Until {
		return
	}
	for k := range b.Contact.Limits {
		l := &b.Contact.Limits[k]
		if l.AtMost > 0 && contact.Concerns(b, l, a, slot.Channel) && d.left(g, l, contact.Unit(l, a)) <= 0 {
			return
		}
	}
	for _, e := range g.budgets.Each {
		if !slices.ContainsFunc(g.budgets.List, func(u profile.Budget) bool {
			return u.Limit == e.Limit && u.About == contact.Unit(&catalog.Limit{About: true}, a)
		}) {
			d.f.each++
			break
		}
	}
	x := profile.Exposure{Action: a.Name, Intent: a.Intent.String(), About: a.About, Channel: slot.Channel, Slot: slot.Name, At: d.now()}
	if a.Group >= 0 {
		x.Group = b.Groups[a.Group].Name
	}
	number := uint64(len(d.log)) + 1
	x.Seq = d.make(&wire.Decision{N: number, At: int64(x.At), Session: wire.Named("main"), Slot: wire.Named(slot.Name), Action: wire.Named(a.Name), Handle: g.handle})
	x.Decision = hub.DecisionID(d.id, d.epoch, number)
	g.contacts.AddExposure(x)
	truth := x
	d.f.made = append(d.f.made, said{d.idOf(g), d.id, &truth, d.f.now})
}

func (d *till) left(g *guest, l *catalog.Limit, about string) (n int64) {
	n = contact.UnitsLeased(&g.budgets, l, about)
	for k := range g.contacts.Exposures {
		if x := &g.contacts.Exposures[k]; x.Seq > g.budgets.Above && contact.Takes(d.f.bundle, l, about, x) {
			n--
		}
	}
	return n
}

// answer settles the last contact: within the time for which it is shown.
func (d *till) answer(g *guest) {
	for k := range g.contacts.Exposures {
		x := &g.contacts.Exposures[k]
		if len(x.Outcomes) > 0 || x.Seq == 0 {
			continue
		}
		outcome := []string{"shown", "accepted", "ignored", "failed"}[d.f.r.IntN(4)]
		at := min(d.now(), x.At.Add(30*sense.Second))
		x.Answer(outcome, at)
		_, epoch, n, _ := hub.ParseDecisionID(x.Decision)
		d.make(&wire.Outcome{At: int64(d.now()), Happened: int64(at), Epoch: epoch, N: n, Outcome: wire.Named(outcome), Handle: g.handle})
		for _, s := range d.f.made {
			if s.x.Decision == x.Decision {
				s.x.Answer(outcome, at)
			}
		}
	}
}

// restart forgets what is in no file: the log is, and the budgets as they were saved.
func (d *till) restart() {
	for _, id := range []string{"a", "b"} {
		if g := d.people[id]; g != nil {
			g.served, g.ask, g.gives, g.budgets = false, "", false, copied(g.saved)
			g.owes = g.budgets.Until != 0
		}
	}
	if d.up {
		d.hello()
	}
}

// leaveEpoch begins the log anew, and takes along what is not acknowledged.
func (d *till) leaveEpoch() {
	left, from := d.epoch, d.ack
	old := d.log
	d.epoch, d.log, d.ack = d.epoch+1, nil, 0
	for k := from; k < uint64(len(old)); k++ {
		body, err := wire.AppendRecord(nil, old[k])
		if err != nil {
			d.f.t.Fatal(err)
		}
		d.make(&wire.Moved{Epoch: left, Seq: k + 1, Body: body})
	}
	for _, id := range []string{"a", "b"} {
		if g := d.people[id]; g != nil {
			g.owes = g.owes || g.budgets.Until != 0
			g.budgets, g.saved, g.revision, g.ask, g.gives = profile.Budgets{}, profile.Budgets{}, 0, "", false
			for k := range g.contacts.Exposures {
				g.contacts.Exposures[k].Seq = 0
			}
		}
	}
	if d.up {
		d.hello()
	}
}

func copied(b profile.Budgets) profile.Budgets {
	b.List, b.Each = slices.Clone(b.List), slices.Clone(b.Each)
	return b
}

// most is the largest number of contacts that a window of the limit has seen, about each thing that it counts by.
func (f *fleet) most(l *catalog.Limit, about string, of func(said) bool) (most int64, at sense.Instant) {
	const doubt = 12 * sense.Second // clocks differ by five seconds at the most, and a contact may be counted from when it was shown
	counts := func(s said) (sense.Instant, bool) {
		if !of(s) || !contact.Takes(f.bundle, l, about, s.x) {
			return 0, false
		}
		if l.Counting == "shown" {
			return s.x.At, true
		}
		for _, o := range s.x.Outcomes {
			if o.Outcome == l.Counting {
				return o.At, true
			}
		}
		return 0, false
	}
	for _, end := range f.made {
		t, ok := counts(end)
		if !ok {
			continue
		}
		n := int64(0)
		for _, s := range f.made {
			u, ok := counts(s)
			switch {
			case !ok || u > t:
			case l.Per == catalog.CalendarDay:
				day := sense.UTC.Day(t)
				if sense.UTC.Day(u) == day && u > sense.UTC.StartOfDay(day).Add(doubt) && u < sense.UTC.StartOfDay(day+1).Add(-doubt) {
					n++
				}
			case u > t.Add(-l.Window).Add(doubt+30*sense.Second):
				n++
			}
		}
		if n > most {
			most, at = n, t
		}
	}
	return most, at
}

func (f *fleet) units() (list []struct {
	l     *catalog.Limit
	about string
}) {
	for k := range f.bundle.Contact.Limits {
		l := &f.bundle.Contact.Limits[k]
		for n := range f.bundle.Actions {
			u := struct {
				l     *catalog.Limit
				about string
			}{l, contact.Unit(l, &f.bundle.Actions[n])}
			if !slices.Contains(list, u) {
				list = append(list, u)
			}
		}
	}
	return list
}

func (f *fleet) check() {
	f.t.Helper()
	after := f.joined.Add(20 * sense.Minute) // what either had been lent before they became one may still be made
	for _, u := range f.units() {
		whose := map[string]func(said) bool{
			"a": func(s said) bool { return s.id == "a" },
			"b": func(s said) bool { return s.id == "b" },
		}
		if f.merged {
			whose["a and b"] = func(s said) bool { return s.true > after }
		}
		for _, who := range []string{"a", "b", "a and b"} {
			if whose[who] == nil {
				continue
			}
			if n, at := f.most(u.l, u.about, whose[who]); n > u.l.AtMost {
				f.t.Errorf("%s: %d contacts under %q about %q by %s", who, n, u.l.Name, u.about, at)
			}
		}
	}
}

// quiet lets everything arrive and every budget come back; then any device gets what remains.
func (f *fleet) quiet() {
	f.t.Helper()
	settle := func() {
		for range 6 {
			for _, d := range f.devices {
				d.again()
				d.f.epoch = d.epoch
				if from := d.ack; from < uint64(len(d.log)) {
					d.send(wire.ClassLog, f.batch(d.id, from+1, d.log[from:]...))
				}
			}
			for len(f.toHub) > 0 {
				m := f.toHub[0]
				f.toHub = f.toHub[1:]
				f.arrive(m)
			}
			for len(f.toThem) > 0 {
				m := f.toThem[0]
				f.toThem = f.toThem[1:]
				f.take(m)
			}
		}
	}
	f.toHub, f.toThem = nil, nil
	f.now = f.now.Add(16 * sense.Minute)
	for _, d := range f.devices {
		d.up = true
		d.hello()
	}
	settle()
	for range 2 {
		for _, d := range f.devices {
			for _, id := range []string{"a", "b"} {
				d.guest(id)
				d.serve(d.people[id])
			}
		}
		settle()
		for _, d := range f.devices {
			for _, id := range []string{"a", "b"} {
				d.people[id].served = false
				d.giveBack(d.people[id])
			}
		}
		settle()
		f.now = f.now.Add(16 * sense.Minute)
	}
	for _, d := range f.devices {
		g := d.people["a"]
		d.serve(g)
		settle()
		for _, u := range f.units() {
			here := false
			for n := range f.bundle.Actions {
				here = here || contact.Unit(u.l, &f.bundle.Actions[n]) == u.about && contact.Concerns(f.bundle, u.l, &f.bundle.Actions[n], u.l.Channel)
			}
			if !here {
				continue
			}
			counted := int64(0)
			for _, s := range f.made {
				if (s.id == "a" || f.merged) && contact.Takes(f.bundle, u.l, u.about, s.x) && f.counts(u.l, s.x) {
					counted++
				}
			}
			if left := d.left(g, u.l, u.about); counted < u.l.AtMost && left < 1 || left > u.l.AtMost {
				f.t.Errorf("%s: %d contacts of %q about %q count, and it is lent %d", d.id, counted, u.l.Name, u.about, left)
			}
		}
		g.served = false
		d.giveBack(g)
		settle()
	}
}

// counts says whether a contact is counted now, in doubt that it is.
func (f *fleet) counts(l *catalog.Limit, x *profile.Exposure) bool {
	if l.Per == catalog.CalendarDay {
		return sense.UTC.Day(x.At.Add(sense.Minute)) >= sense.UTC.Day(f.now)
	}
	return f.now < x.At.Add(l.Window+3*sense.Minute)
}
