package hub_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// manySubjects is a policy with so many subjects, each of which may be said so often in an hour.
func manySubjects(subjects int, atMost int64) *catalog.Bundle {
	b := limited()
	b.Version = 3
	base := b.Actions[0]
	b.Actions = nil
	for n := range subjects {
		a := base
		a.Name, a.About = fmt.Sprintf("a%04d", n), event.Subject(fmt.Sprintf("product:a%04d", n))
		b.Actions = append(b.Actions, a)
	}
	b.Contact.Limits = []catalog.Limit{{Name: "same", Action: -1, Group: -1, About: true, AtMost: atMost, Counting: "shown", Window: sense.Hour}}
	return b
}

// many is a fleet of devices that each keep what they were lent of one customer, and say all that they may.
type many struct {
	*lender
	bundle *catalog.Bundle
	held   map[string]*profile.Budgets
	own    map[string][]profile.Exposure // by device, all that it said
	behind map[string][]wire.Record      // what a device that is cut off has not sent
}

func newMany(t *testing.T, subjects int, atMost int64) *many {
	m := &many{lender: newLender(t), bundle: manySubjects(subjects, atMost), held: map[string]*profile.Budgets{}, own: map[string][]profile.Exposure{}, behind: map[string][]wire.Record{}}
	m.must(hub.Publish{File: catalog.Encode(m.bundle)})
	return m
}

// lends asks for budgets and takes them.
func (m *many) lends(who string) *profile.Budgets {
	m.t.Helper()
	m.ask(who)
	b := &profile.Budgets{}
	take := func(list []wire.Budget, each []wire.BudgetEach, until int64, through uint64) {
		b.Until, b.Above = sense.Instant(until), through
		for _, x := range list {
			b.List = append(b.List, profile.Budget{Limit: x.Limit, About: x.About, Units: int64(x.Units)})
		}
		for _, x := range each {
			b.Each = append(b.Each, profile.Each{Limit: x.Limit, Units: int64(x.Units), But: slices.Sorted(slices.Values(x.But))})
		}
	}
	switch x := m.heard.(type) {
	case *wire.Slice:
		take(x.Budgets, x.Each, x.BudgetUntil, x.Through)
	case *wire.Unchanged:
		take(x.Budgets, x.Each, x.BudgetUntil, x.Through)
	}
	if payload := m.sent[len(m.sent)-1].Payload; len(payload) > wire.MaxMessage-512 {
		m.t.Errorf("the message has %d bytes", len(payload))
	}
	m.held[who] = b
	return b
}

// left is what a device may still say about a subject.
func (m *many) left(who string, n int) int64 {
	b := m.held[who]
	if b == nil || m.now >= b.Until {
		return 0
	}
	l, a := &m.bundle.Contact.Limits[0], &m.bundle.Actions[n]
	left := contact.UnitsLeased(b, l, contact.Unit(l, a))
	for k := range m.own[who] {
		if x := &m.own[who][k]; x.Seq > b.Above && contact.Takes(m.bundle, l, string(a.About), x) {
			left--
		}
	}
	return left
}

// tells says something about a subject if that is allowed; cut off, the hub does not hear of it yet.
func (m *many) tells(who string, n int, cutOff bool) bool {
	m.t.Helper()
	if m.left(who, n) <= 0 {
		return false
	}
	device, h := m.at(who)
	m.decided[device]++
	r := contactAt(m.decided[device], h, m.bundle.Actions[n].Name, m.now)
	if m.behind[device] = append(m.behind[device], r); !cutOff {
		m.comesBack(device)
	}
	m.own[who] = append(m.own[who], profile.Exposure{Decision: fmt.Sprint(who, m.decided[device]), Action: m.bundle.Actions[n].Name, About: m.bundle.Actions[n].About,
		Intent: "sales", Channel: "kiosk", At: m.now, Seq: m.seq[device] + uint64(len(m.behind[device]))})
	return true
}

// comesBack sends what the hub has not heard.
func (m *many) comesBack(device string) {
	m.t.Helper()
	for _, r := range m.behind[device] {
		if err := m.log(device, r); err != nil {
			m.t.Fatal(err)
		}
	}
	m.behind[device] = nil
}

// most is the largest number of contacts about one subject within the last hour.
func (m *many) most() (most int, about event.Subject) {
	count := map[event.Subject]int{}
	for _, list := range m.own { // order: counted
		for _, x := range list {
			if m.now < x.At.Add(sense.Hour) {
				count[x.About]++
			}
		}
	}
	for s, n := range count { // order: the largest
		if n > most || n == most && s < about {
			most, about = n, s
		}
	}
	return most, about
}

// Three devices, of which two are cut off, and more subjects than a message names: each may be said, and none too often.
func TestEachOfManySubjectsCanBeSaid(t *testing.T) {
	const subjects, atMost = 2000, 4
	m := newMany(t, subjects, atMost)
	for _, who := range []string{"k1/a", "k2/a", "k3/a"} {
		b := m.lends(who)
		if len(b.Each) != 1 || len(b.Each[0].But) != 0 {
			t.Fatalf("%s is lent %d by name, of each %+v", who, len(b.List), b.Each)
		}
	}
	for n, want := range map[string]int64{"k1/a": 2, "k2/a": 1, "k3/a": 1} { // order: each apart
		for _, k := range []int{0, 700, 1900} {
			if got := m.left(n, k); got != want {
				t.Errorf("%s may say subject %d %d times, want %d", n, k, got, want)
			}
		}
	}
	// k1 and k2 are cut off and say all that they may; k3 is not, and asks again and again.
	for n := range subjects {
		if n >= 20 && n < 1890 {
			continue
		}
		for m.tells("k1/a", n, true) || n%2 == 0 && m.tells("k2/a", n, true) {
		}
	}
	for range 4 {
		m.now = m.now.Add(4 * sense.Minute)
		m.lends("k3/a")
		for _, n := range []int{3, 600, 1900, 1999} {
			for m.tells("k3/a", n, false) {
			}
		}
	}
	if n, about := m.most(); n != atMost {
		t.Errorf("%d contacts about %s, want %d at most and there", n, about, atMost)
	}
	said := 0
	for _, x := range m.own["k3/a"] {
		if x.About == "product:a1900" {
			said++
		}
	}
	if said != 1 {
		t.Errorf("k3 said subject 1900 %d times: one is what k1 and k2 leave", said)
	}
	// They come back, give up what they did not use, and what is left of a subject can be had; of a subject that was said
	// as often as may be there is none.
	for _, who := range []string{"k1/a", "k2/a"} {
		m.comesBack(who[:2])
		m.held[who] = nil
		m.giveBack(who, 0)
	}
	m.lends("k3/a")
	for n, want := range map[int]int64{3: 1, 1901: 1, 1900: 0, 2: 1, 1000: 2} { // order: each apart; k2 has said the even ones
		if got := m.left("k3/a", n); got != want {
			t.Errorf("of subject %d %d are left to k3, want %d", n, got, want)
		}
	}
	if n, about := m.most(); n > atMost {
		t.Errorf("%d contacts about %s", n, about)
	}
}

// The cap of no subject is exceeded whoever asks, says, comes and goes, in whatever order; in the end each can be had.
func TestManySubjectsHoldOverTheFleet(t *testing.T) {
	const subjects, atMost = 600, 3
	m := newMany(t, subjects, atMost)
	seed := uint64(1)
	random := func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}
	devices := []string{"k1/a", "k2/a", "k3/a"}
	cut := map[string]bool{}
	for range 400 {
		m.now = m.now.Add(sense.Duration(random(90)) * sense.Second)
		who := devices[random(3)]
		switch random(8) {
		case 0:
			cut[who] = who != "k3/a" && random(3) > 0
		case 1:
			if !cut[who] {
				m.comesBack(who[:2])
			}
		case 2, 3:
			if !cut[who] {
				m.lends(who)
			}
		default:
			for range 6 {
				m.tells(who, []int{1, 2, 3, 520, 521, 522, 599}[random(7)], cut[who] || random(3) == 0)
			}
		}
		if n, about := m.most(); n > atMost {
			t.Fatalf("%d contacts about %s within an hour", n, about)
		}
	}
	if n := len(m.own["k1/a"]) + len(m.own["k2/a"]) + len(m.own["k3/a"]); n < 60 {
		t.Errorf("%d contacts: nothing was put to the test", n)
	}
	m.now = m.now.Add(16 * sense.Minute)
	for _, who := range devices {
		m.comesBack(who[:2])
		m.giveBack(who, 0)
	}
	m.now = m.now.Add(sense.Hour)
	m.lends("k1/a")
	for _, n := range []int{0, 1, 520, 599} {
		if got := m.left("k1/a", n); got != 2 {
			t.Errorf("of subject %d %d are left, want half of 3", n, got)
		}
	}
}

// A share of each counts by the subjects of the bundle under which it was lent.
func TestEachIsOfItsBundle(t *testing.T) {
	m := newMany(t, 600, 1)
	m.lends("k1/a")
	if m.left("k1/a", 599) != 1 {
		t.Fatal("k1 has not been lent the last subject")
	}
	next := manySubjects(600, 1)
	next.Version = 4
	for k, about := range map[int]event.Subject{598: "product:a0599/red", 599: "product:new"} { // order: each apart
		next.Actions[k].About = about
	}
	m.bundle = next
	m.must(hub.Publish{File: catalog.Encode(next)})
	m.lends("k2/a")
	for n, want := range map[int]int64{0: 0, 597: 0, 598: 0, 599: 1} { // order: each apart
		if got := m.left("k2/a", n); got != want {
			t.Errorf("of %s %d are lent, want %d", next.Actions[n].About, got, want)
		}
	}
}

// BenchmarkManySubjects is what an answer costs where a limit counts by 2,000 subjects and two other devices have shares.
func BenchmarkManySubjects(b *testing.B) {
	m := newMany(&testing.T{}, 2000, 4)
	for _, who := range []string{"k1/a", "k2/a", "k3/a"} {
		m.lends(who)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.now++
		m.lends("k3/a")
	}
}
