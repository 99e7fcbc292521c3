package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// lender is a world with one policy, in which devices ask for what may be said to customers.
type lender struct {
	*world
	handles map[string]wire.Handle
	decided map[string]uint64
	heard   wire.DownMessage
}

func newLender(t *testing.T, limits ...catalog.Limit) *lender {
	b := limited()
	b.Contact.Limits = limits
	w := newWorld(t)
	w.clock = sense.ClockSynced
	w.must(hub.Publish{File: catalog.Encode(b)})
	return &lender{world: w, handles: map[string]wire.Handle{}, decided: map[string]uint64{}}
}

func sales(atMost int64, window sense.Duration) catalog.Limit {
	return catalog.Limit{Name: "sales", Intent: catalog.Sales, Action: -1, Group: -1, AtMost: atMost, Counting: "shown", Window: window}
}

// at names a device and a customer, as in k1/a; the first time the device says hello and tells whose handle it is.
func (l *lender) at(who string) (device string, h wire.Handle) {
	l.t.Helper()
	device, id, _ := strings.Cut(who, "/")
	h, ok := l.handles[who]
	if !ok {
		h = wire.Handle{byte(len(l.handles) + 1)}
		l.handles[who] = h
		if l.seq[device] == 0 {
			if err := l.request(device, &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1}); err != nil {
				l.t.Fatal(err)
			}
		}
		if err := l.log(device, &wire.Identified{At: int64(l.now), Handle: h, Sealed: l.sealed(h, id), By: uint8(event.ByCard)}); err != nil {
			l.t.Fatal(err)
		}
	}
	return device, h
}

// ask has a device ask for budgets, with a slice or without, and says what it is lent, as in "sales 2, same hotel:rome 1".
func (l *lender) ask(who string) string {
	l.t.Helper()
	device, h := l.at(who)
	held := l.holds(device, h)
	l.sent = nil
	var r wire.Request = &wire.SliceRequest{ID: "s", Handle: h, Customer: l.sealed(h, who[strings.IndexByte(who, '/')+1:])}
	if held != nil {
		r = &wire.BudgetRequest{ID: "s", Handle: h, Revision: held.Revision, Epoch: l.epoch, Through: l.seq[device], At: int64(l.now)}
	}
	if err := l.request(device, r); err != nil {
		l.t.Fatal(err)
	}
	l.heard = l.last(device, wire.ClassSlice)
	return l.lent()
}

// lent prints the budgets of the last answer.
func (l *lender) lent() string {
	var list []wire.Budget
	var until int64
	switch m := l.heard.(type) {
	case *wire.Slice:
		list, until = m.Budgets, m.BudgetUntil
	case *wire.Unchanged:
		list, until = m.Budgets, m.BudgetUntil
	}
	if until == 0 {
		return "nothing"
	}
	var parts []string
	for _, b := range list {
		if b.Units == 0 {
			continue // others have what there would be
		}
		parts = append(parts, strings.Join(strings.Fields(fmt.Sprint(b.Limit, " ", b.About, " ", b.Units)), " "))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// giveBack returns what was lent; ahead records of the device's log are not here yet.
func (l *lender) giveBack(who string, ahead uint64) {
	l.t.Helper()
	device, h := l.at(who)
	if err := l.request(device, &wire.BudgetRequest{ID: "r", Handle: h, Revision: l.holds(device, h).Revision, Epoch: l.epoch,
		Through: l.seq[device] + ahead, Return: true, At: int64(l.now)}); err != nil {
		l.t.Fatal(err)
	}
}

// says has a device say something, now.
func (l *lender) says(who, action string) (n uint64) {
	l.t.Helper()
	device, h := l.at(who)
	l.decided[device]++
	if err := l.log(device, contactAt(l.decided[device], h, action, l.now)); err != nil {
		l.t.Fatal(err)
	}
	return l.decided[device]
}

func (l *lender) want(step, got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("%s: lent %s, want %s", step, got, want)
	}
}

func TestSharesOfALimit(t *testing.T) {
	l := newLender(t, sales(4, sense.Hour))
	l.want("half of what there is", l.ask("k1/a"), "sales 2")
	l.want("half of the rest", l.ask("k2/a"), "sales 1")
	l.want("the last", l.ask("k3/a"), "sales 1")
	l.want("there is no more", l.ask("k4/a"), "none")
	l.want("renewed", l.ask("k1/a"), "sales 2")
	l.want("another customer", l.ask("k1/b"), "sales 2")
	// What was said stays said; the share that is left is lent on.
	l.says("k1/a", "stay")
	l.want("one said", l.ask("k1/a"), "sales 1")
	l.want("the others have what they had", l.ask("k2/a"), "sales 1")
	l.giveBack("k1/a", 0)
	l.want("what came back", l.ask("k4/a"), "sales 1")
	l.want("but no more", l.ask("k5/a"), "none")
	l.now = l.now.Add(sense.Hour) // the contact is out of its window; what was lent and not heard of is not free yet
	l.want("room of the window", l.ask("k5/a"), "sales 1")
	l.now = l.now.Add(20 * sense.Minute)
	l.want("and of what nothing can come any more", l.ask("k6/a"), "sales 2")
}

// A share comes back when all that was made under it is here, not before.
func TestShareSettlesWithTheLog(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.want("all", l.ask("k1/a"), "sales 1")
	l.giveBack("k1/a", 1) // with a record that is on its way
	l.want("its log may have it", l.ask("k2/a"), "none")
	l.says("k1/a", "news") // it was something else
	l.want("its log is here", l.ask("k2/a"), "sales 1")
	// Said without the hub: the share is used up, and stays so.
	l.giveBack("k2/a", 1)
	l.says("k2/a", "stay")
	l.want("it was said", l.ask("k1/a"), "none")
	l.now = l.now.Add(sense.Hour)
	l.want("an hour later", l.ask("k1/a"), "sales 1")
}

// A device that stays away has its share until nothing of it could count any more; by its next request, once
// its lease was over, it gives up what it did not make.
func TestShareOfADeviceThatIsAway(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.want("all", l.ask("k1/a"), "sales 1")
	l.now = l.now.Add(16 * sense.Minute)
	l.want("its lease is over, and it may have said it", l.ask("k2/a"), "none")
	device, h := l.at("k1/a")
	request := &wire.BudgetRequest{ID: "s", Handle: h, Revision: l.holds(device, h).Revision, Epoch: 7, Through: l.seq[device], At: int64(l.now.Add(-5 * sense.Minute))}
	if err := l.request(device, request); err != nil {
		t.Fatal(err)
	}
	l.giveBack("k1/a", 0)
	l.want("asked before the lease was over, then given back", l.ask("k2/a"), "sales 1")
	l.now = l.now.Add(16 * sense.Minute)
	l.want("k2 asks after its lease", l.ask("k2/a"), "sales 1")
	l.now = l.now.Add(76*sense.Minute + 29*sense.Second) // lease, window, a minute and the time that it is shown
	l.want("not yet", l.ask("k3/a"), "none")
	l.now = l.now.Add(2 * sense.Second)
	l.want("k2 never came back", l.ask("k3/a"), "sales 1")
	if m := l.heard.(*wire.Unchanged); m.BudgetUntil != int64(l.now.Add(15*sense.Minute)) {
		t.Errorf("lent until %d", m.BudgetUntil)
	}
}

// A request that is sent again later than it was made gives nothing up that came after it.
func TestRequestSentAgainLater(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.ask("k1/a")
	device, h := l.at("k1/a")
	early := &wire.BudgetRequest{ID: "s", Handle: h, Revision: l.holds(device, h).Revision, Epoch: 7, Through: l.seq[device], At: int64(l.now.Add(10 * sense.Minute))}
	// It asks, goes on with what it has, and says something; the request comes when the lease is over.
	l.now = l.now.Add(16 * sense.Minute)
	if err := l.request(device, early); err != nil {
		t.Fatal(err)
	}
	l.want("what it said after it had asked is not here", l.ask("k2/a"), "none")
	early.At = 0 // nor by a device that does not know the time
	if err := l.request(device, early); err != nil {
		t.Fatal(err)
	}
	l.want("the same", l.ask("k2/a"), "none")
}

func TestUnitsOfEachForm(t *testing.T) {
	limit := func(f func(*catalog.Limit)) catalog.Limit {
		l := sales(2, sense.Hour)
		l.Intent = 0
		f(&l)
		return l
	}
	for _, c := range []struct {
		name  string
		limit catalog.Limit
		said  []string
		want  string
	}{
		{"all", limit(func(*catalog.Limit) {}), []string{"news"}, "sales 1"},
		{"none at all", limit(func(l *catalog.Limit) { l.AtMost = 0 }), nil, "none"},
		{"intent, another", sales(2, sense.Hour), []string{"news", "news"}, "sales 1"},
		{"intent", sales(2, sense.Hour), []string{"stay", "cruise"}, "none"},
		{"action", limit(func(l *catalog.Limit) { l.Action = 2 }), []string{"stay", "cruise"}, "sales 1"},
		{"group", limit(func(l *catalog.Limit) { l.Group = 0 }), []string{"stay", "suite", "cruise"}, "none"},
		{"group, another", limit(func(l *catalog.Limit) { l.Group = 0 }), []string{"suite", "news"}, "sales 1"},
		{"channel", limit(func(l *catalog.Limit) { l.Channel = "kiosk" }), []string{"stay", "news"}, "none"},
		{"channel, another", limit(func(l *catalog.Limit) { l.Channel = "wearable" }), []string{"stay", "news"}, "sales 1"},
		{"subject", limit(func(l *catalog.Limit) { l.About = true }), nil, "sales cruise:nile 1, sales news 1, sales hotel:rome 1, sales hotel:rome/suite 1"},
		{"subject, and what lies below", limit(func(l *catalog.Limit) { l.About, l.AtMost = true, 1 }), []string{"suite", "news"}, "sales cruise:nile 1"},
		{"calendar day", limit(func(l *catalog.Limit) { l.Per, l.Window = catalog.CalendarDay, 0 }), []string{"stay", "news"}, "none"},
		{"accepted, and it may yet be", limit(func(l *catalog.Limit) { l.Counting = "accepted" }), []string{"stay", "stay"}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLender(t, c.limit)
			for _, action := range c.said {
				l.says("other/a", action)
			}
			l.want("lent", l.ask("k1/a"), c.want)
		})
	}
}

func TestUnitsThatComeBack(t *testing.T) {
	accepted := sales(1, sense.Hour)
	accepted.Counting = "accepted"
	for _, c := range []struct {
		name, answer string
		limit        catalog.Limit
		want         string
	}{
		{"failed", "failed", sales(1, sense.Hour), "sales 1"},
		{"dismissed was shown", "dismissed", sales(1, sense.Hour), "none"},
		{"not accepted", "dismissed", accepted, "sales 1"},
		{"accepted", "accepted", accepted, "none"},
	} {
		l := newLender(t, c.limit)
		l.ask("k1/a")
		n := l.says("k1/a", "stay")
		l.want(c.name+": said", l.ask("k2/a"), "none")
		_, h := l.at("k1/a")
		if err := l.log("k1", answerTo(0, n, h, c.answer, l.now)); err != nil {
			t.Fatal(err)
		}
		l.giveBack("k1/a", 0)
		l.want(c.name, l.ask("k2/a"), c.want)
	}
}

// The device that asks counts what it made above the number that the answer names: that is lent with the rest.
func TestWhatIsHereAheadOfTheLog(t *testing.T) {
	l := newLender(t, sales(4, sense.Hour))
	l.ask("k1/a") // 2
	device, h := l.at("k1/a")
	l.seq[device]++ // a record is on its way, and the one after it is here
	l.says("k1/a", "stay")
	if got, want := l.ask("k1/a"), "sales 3"; got != want {
		t.Errorf("lent %s, want %s: two more, and the one that it has made above", got, want)
	}
	if m := l.heard.(*wire.Unchanged); m.Through != 1 {
		t.Errorf("counted above %d", m.Through)
	}
	_ = h
}

func TestBudgetsOfWhoIsOne(t *testing.T) {
	l := newLender(t, sales(2, sense.Hour))
	l.want("a", l.ask("k1/a"), "sales 1")
	l.want("b", l.ask("k2/b"), "sales 1")
	l.says("k2/b", "stay")
	l.given(`{"merge":["a","b"]}`)
	l.want("both are one: one said, one lent", l.ask("k3/b"), "none")
	l.want("who had it keeps it", l.ask("k1/a"), "sales 1")
	l.says("k1/a", "stay")
	l.giveBack("k1/a", 0)
	l.want("two said", l.ask("k3/a"), "none")
	l.given(`{"split":["a","b"]}`)
	l.want("each has its own again", l.ask("k3/a"), "sales 1")
	l.want("and b", l.ask("k4/b"), "sales 1")
	// Together they had been lent more than the limit allows: nobody goes on with it.
	l.given(`{"merge":["a","b"]}`)
	l.now = l.now.Add(sense.Minute)
	l.want("two said, two lent", l.ask("k3/a"), "none")
}

// A device that left its epoch is lent nothing before it is known what came of what it had.
func TestBudgetsOfAnotherLife(t *testing.T) {
	l := newLender(t, sales(4, sense.Hour))
	l.want("first", l.ask("k1/a"), "sales 2")
	device, h := l.at("k1/a")
	if err := l.request(device, &wire.Hello{ID: "h", Epoch: 8, First: 1, Next: 1}); err != nil {
		t.Fatal(err)
	}
	l.epoch, l.seq[device] = 8, 0
	l.want("it may have said something in the old one", l.ask("k1/a"), "none")
	l.want("which others are not lent", l.ask("k2/a"), "sales 1")
	// It gives back what it had, with what it takes along.
	body, err := wire.AppendRecord(nil, contactAt(1, h, "stay", l.now))
	if err != nil {
		t.Fatal(err)
	}
	l.giveBack("k1/a", 1)
	l.want("not before it is here", l.ask("k1/a"), "none")
	if err := l.log(device, &wire.Moved{Epoch: 7, Seq: 2, Body: body}); err != nil {
		t.Fatal(err)
	}
	l.want("one said, one lent, one of the two that are left", l.ask("k1/a"), "sales 1")
	// A request of the old epoch that comes late is lent nothing.
	if err := l.request(device, &wire.BudgetRequest{ID: "s", Handle: h, Revision: l.holds(device, h).Revision, Epoch: 7, Through: 1, At: int64(l.now)}); err != nil {
		t.Fatal(err)
	}
	l.heard = l.last(device, wire.ClassSlice)
	l.want("late", l.lent(), "nothing")
}

func TestNothingIsLentInDoubt(t *testing.T) {
	l := newLender(t, sales(4, sense.Hour))
	h := wire.Handle{77}
	if err := l.request("new", &wire.SliceRequest{ID: "s", Handle: h, Customer: l.sealed(h, "a")}); err != nil {
		t.Fatal(err)
	}
	l.heard = l.last("new", wire.ClassSlice)
	l.want("a device of which no log is known", l.lent(), "nothing")
	l.sent = nil
	if err := l.request("new", &wire.BudgetRequest{ID: "s", Handle: wire.Handle{78}, Epoch: 7}); err != nil {
		t.Fatal(err)
	}
	if u, ok := l.last("new", wire.ClassSlice).(*wire.Unchanged); !ok || u.Revision != 0 || u.Re != "s" || u.BudgetUntil != 0 {
		t.Errorf("a handle that is not known was answered %+v", u)
	}
	// A hub without any bundle.
	w := newWorld(t)
	none, err := hub.New(hub.Config{Tenant: "shop", Open: w.key, Secret: [32]byte{2}})
	if err != nil {
		t.Fatal(err)
	}
	bare := &lender{world: newWorld(t), handles: map[string]wire.Handle{}, decided: map[string]uint64{}}
	bare.mind, bare.l = none, empty()
	bare.want("no bundle", bare.ask("k1/a"), "nothing")
	l.ask("k1/a")
	l.want("a push says nothing of budgets", func() string {
		l.sent = nil
		l.given(`{"interaction":"complaint","customer":"a","ref":"c"}`)
		l.heard = l.last("k1", wire.ClassSlice)
		return l.lent()
	}(), "nothing")
}

// Shares are lent for a quarter of the shortest window, and fifteen minutes at most.
func TestLeaseOfBudgets(t *testing.T) {
	day := sales(4, 0)
	day.Name, day.Per = "day", catalog.CalendarDay
	for _, c := range []struct {
		limits []catalog.Limit
		want   sense.Duration
	}{
		{[]catalog.Limit{sales(4, sense.Hour)}, 15 * sense.Minute}, {[]catalog.Limit{sales(4, 2*sense.Hour), day}, 15 * sense.Minute},
		{[]catalog.Limit{day, sales(4, 10*sense.Minute)}, 150 * sense.Second}, {[]catalog.Limit{sales(0, 10*sense.Minute)}, 15 * sense.Minute},
	} {
		l := newLender(t, c.limits...)
		l.ask("k1/a")
		if m := l.heard.(*wire.Slice); m.BudgetUntil != int64(l.now.Add(c.want)) {
			t.Errorf("%v: lent for %d ms, want %s", c.limits, m.BudgetUntil-int64(l.now), c.want)
		}
	}
}

// Of more shares than a message carries those of the first limits are lent, and it stays a message, however much is
// known of the customer.
func TestMoreSharesThanAMessageCarries(t *testing.T) {
	for _, c := range []struct {
		name string
		want int
	}{{"same", 512}, {strings.Repeat("a long limit ", 10), 210}} {
		l := newLender(t)
		b := limited()
		b.Version = 3
		base := b.Actions[0]
		b.Actions = nil
		for n := range 700 {
			a := base
			a.Name, a.About = fmt.Sprintf("a%03d", n), event.Subject(fmt.Sprintf("product:a%03d", n))
			b.Actions = append(b.Actions, a)
		}
		b.Contact.Limits = []catalog.Limit{sales(4, sense.Hour), {Name: c.name, Action: -1, Group: -1, About: true, AtMost: 1, Counting: "shown", Window: sense.Hour}}
		l.must(hub.Publish{File: catalog.Encode(b)})
		for n := range 400 {
			l.given(fmt.Sprintf(`{"interaction":"purchase","customer":"a","about":"product:a%d","ref":"%s%d"}`, n, strings.Repeat("r", 150), n))
		}
		l.ask("k1/a")
		m := l.heard.(*wire.Slice)
		if n := len(m.Budgets); n < c.want-5 || n > c.want || m.Budgets[0].Limit != "sales" || len(m.Interactions) < 100 {
			t.Errorf("%d budgets, %d interactions", n, len(m.Interactions))
		}
		if payload := l.sent[len(l.sent)-1].Payload; len(payload) > wire.MaxMessage-512 {
			t.Errorf("the message has %d bytes", len(payload))
		}
		l.now += sense.Instant(sense.Minute)
		if l.ask("k1/a"); len(l.heard.(*wire.Unchanged).Budgets) != len(m.Budgets) {
			t.Errorf("renewed are %d", len(l.heard.(*wire.Unchanged).Budgets))
		}
	}
}

// Of a calendar that may be cut in one zone here and in another there, the most of both counts.
func TestBudgetsOfACustomersOwnDay(t *testing.T) {
	limit := sales(1, 0)
	limit.Per, limit.Customer = catalog.CalendarDay, true
	tokyo := func(string) (sense.Zone, error) {
		return sense.Zone{Name: "Asia/Tokyo", Turns: []sense.Turn{{Offset: 9 * sense.Hour}}}, nil
	}
	for _, c := range []struct {
		name  string
		zone  func(string) (sense.Zone, error)
		lives string // the zone that she declared
		hour  int64  // UTC, from which 9:00 on t0's day; the contact is at 9:00
		want  string
	}{
		{"her day is the policy's", nil, "", 23, "none"}, {"the next day", nil, "", 24, "sales 1"},
		{"still her day, though not the policy's", tokyo, "Asia/Tokyo", 16, "none"},
		{"no longer her day, but the policy's", tokyo, "Asia/Tokyo", 23, "none"},
		{"neither", tokyo, "Asia/Tokyo", 39, "sales 1"},
		{"a zone whose rules are not here", nil, "Asia/Tokyo", 39, "none"}, {"anywhere in the world", nil, "Asia/Tokyo", 9 + 52, "sales 1"},
	} {
		b := limited()
		b.Contact.Limits = []catalog.Limit{limit}
		b.Facts = append(b.Facts, catalog.Fact{Name: "zone", Kind: sense.String, Purposes: 2, Keep: sense.Year, Fresh: sense.Forever})
		l := newLender(t, limit)
		if c.zone != nil {
			mind, err := hub.New(hub.Config{Tenant: "shop", Open: l.key, Secret: [32]byte{1}, Zone: c.zone})
			if err != nil {
				t.Fatal(err)
			}
			l.mind = mind
		}
		b.Version = 3
		l.must(hub.Publish{File: catalog.Encode(b)})
		if c.lives != "" {
			l.given(`{"fact":"zone","customer":"a","value":"` + c.lives + `","provenance":"declared"}`)
		}
		l.says("other/a", "stay") // at 9:00 UTC, 18:00 in Tokyo
		l.now = sense.UTC.StartOfDay(sense.UTC.Day(t0)).Add(sense.Duration(c.hour) * sense.Hour)
		l.want(c.name, l.ask("k1/a"), c.want)
	}
}

// A request that is delivered once more, after the device has asked for something else, says nothing any more: what
// was given back before is not given back again, and what was asked for before is not lent to somebody who has left.
func TestCopiesThatComeLate(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.want("all", l.ask("k1/a"), "sales 1")
	device, h := l.at("k1/a")
	request := func(back bool) *wire.BudgetRequest {
		l.now++
		return &wire.BudgetRequest{ID: "s", Handle: h, Revision: l.holds(device, h).Revision, Epoch: l.epoch, Through: l.seq[device], Return: back, At: int64(l.now)}
	}
	sent := func(r wire.Request) {
		t.Helper()
		l.sent = nil
		if err := l.request(device, r); err != nil {
			t.Fatal(err)
		}
		l.heard = l.last(device, wire.ClassSlice)
	}
	back := request(true)
	sent(back)
	again := request(false)
	sent(again)
	l.want("lent anew", l.lent(), "sales 1")
	sent(back)
	l.want("a copy is answered, without budgets", l.lent(), "nothing")
	l.want("it has what it was lent since", l.ask("k2/a"), "none")
	sent(request(true))
	for _, r := range []wire.Request{again, &wire.SliceRequest{ID: "s", Handle: h, Customer: l.sealed(h, "a"), At: again.At}} {
		sent(r)
		l.want("what was asked for before it was given back", l.lent(), "nothing")
	}
	l.want("nobody has it", l.ask("k2/a"), "sales 1")
	// A clock that was ahead when it asked, and was put right since, is heard soon.
	l.giveBack("k2/a", 0)
	ahead := request(false)
	ahead.At = int64(l.now.Add(sense.Day))
	sent(ahead)
	l.want("ahead", l.lent(), "sales 1")
	l.now = l.now.Add(sense.Minute)
	sent(request(true))
	l.want("put right", l.ask("k2/a"), "sales 1")
}

// What others have of a limit is told as nothing now, so that it is asked for again soon; what is used up is not told.
func TestWhatOthersHave(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.ask("k1/a")
	l.want("k1 has it", l.ask("k2/a"), "none")
	if list := l.heard.(*wire.Slice).Budgets; len(list) != 1 || list[0].Limit != "sales" || list[0].Units != 0 {
		t.Errorf("told %+v", list)
	}
	l.says("k1/a", "stay")
	l.want("it was said", l.ask("k2/a"), "none")
	if list := l.heard.(*wire.Unchanged).Budgets; len(list) != 0 {
		t.Errorf("told %+v", list)
	}
}

// What a device made so long ago that it remembers it no more is on its way when it asks: it takes nothing of the
// share there, and so nothing here either.
func TestContactsThatTheDeviceHasForgotten(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.want("all", l.ask("k1/a"), "sales 1")
	_, h := l.at("k1/a")
	if err := l.log("k1", contactAt(1, h, "stay", l.now.Add(-33*sense.Day))); err != nil {
		t.Fatal(err)
	}
	l.want("k1 may still make one", l.ask("k2/a"), "none")
}

// A device that was killed after it was lent something, and before it wrote that down, says in its next life for whom
// it holds nothing: others are lent it at once, and not only when nothing made under it could count any more.
func TestWhatAKilledDeviceWasLent(t *testing.T) {
	begins := func(l *lender, at sense.Instant, ahead uint64, but ...wire.Handle) *wire.BudgetRequest {
		return &wire.BudgetRequest{ID: "b", Handle: wire.AllHandles(), Epoch: l.epoch, Through: l.seq["k1"] + ahead, Return: true, At: int64(at), But: but}
	}
	sent := func(l *lender, r *wire.BudgetRequest) {
		t.Helper()
		l.sent = nil
		if err := l.request("k1", r); err != nil {
			t.Fatal(err)
		}
		if u, ok := l.last("k1", wire.ClassSlice).(*wire.Unchanged); !ok || u.Re != "b" || u.Revision != 0 || u.BudgetUntil != 0 || u.Handle != r.Handle {
			t.Errorf("answered %+v", u)
		}
	}
	lent := func() *lender {
		l := newLender(t, sales(1, sense.Hour))
		l.want("k1 has it", l.ask("k1/a"), "sales 1")
		l.want("and says when it asks", l.ask("k1/a"), "sales 1")
		l.now = l.now.Add(sense.Minute)
		return l
	}
	for _, c := range []struct {
		name string
		say  func(l *lender) *wire.BudgetRequest
		want string
	}{
		{"said", func(l *lender) *wire.BudgetRequest { return begins(l, l.now, 0) }, "sales 1"},
		{"but for her", func(l *lender) *wire.BudgetRequest { _, h := l.at("k1/a"); return begins(l, l.now, 0, h) }, "none"},
		{"but for another", func(l *lender) *wire.BudgetRequest { return begins(l, l.now, 0, wire.Handle{99}) }, "sales 1"},
		{"its log is not here yet", func(l *lender) *wire.BudgetRequest { return begins(l, l.now, 1) }, "none"},
		{"it does not know the time", func(l *lender) *wire.BudgetRequest { return begins(l, 0, 0) }, "none"},
		{"it is ahead in time", func(l *lender) *wire.BudgetRequest { return begins(l, l.now.Add(sense.Hour), 0) }, "none"},
		{"said before it was lent that", func(l *lender) *wire.BudgetRequest { return begins(l, t0.Add(-sense.Hour), 0) }, "none"},
		{"in another epoch", func(l *lender) *wire.BudgetRequest { r := begins(l, l.now, 0); r.Epoch++; return r }, "none"},
		{"behind its own past", func(l *lender) *wire.BudgetRequest { r := begins(l, l.now, 0); r.Through = 0; return r }, "none"},
		{"it does not give back", func(l *lender) *wire.BudgetRequest { r := begins(l, l.now, 0); r.Return = false; return r }, "none"},
		{"of too many", func(l *lender) *wire.BudgetRequest {
			return begins(l, l.now, 0, make([]wire.Handle, wire.MostBut+1)...)
		}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := lent()
			if r := c.say(l); len(r.But) <= wire.MostBut {
				sent(l, r)
			} else {
				_ = l.request("k1", r)
			}
			l.want(c.name, l.ask("k2/a"), c.want)
		})
	}
	// A contact that was made and not sent counts.
	l := lent()
	sent(l, begins(l, l.now, 1))
	l.says("k1/a", "stay")
	l.want("it was said", l.ask("k2/a"), "none")
	// A copy that comes late ends nothing that was lent since.
	l = lent()
	word := begins(l, l.now, 0)
	sent(l, word)
	l.now = l.now.Add(sense.Minute)
	device, h := l.at("k1/a")
	if err := l.request(device, &wire.BudgetRequest{ID: "s", Handle: h, Revision: l.holds(device, h).Revision, Epoch: l.epoch, Through: l.seq[device], At: int64(l.now)}); err != nil {
		t.Fatal(err)
	}
	sent(l, word)
	l.want("k1 has it again", l.ask("k2/a"), "none")
}

// An answer that was dated before its decision counts from the decision on: what was said stays said.
func TestAnAnswerDatedBeforeItsDecision(t *testing.T) {
	l := newLender(t, sales(1, sense.Hour))
	l.ask("k1/a")
	n := l.says("k1/a", "stay")
	_, h := l.at("k1/a")
	if err := l.log("k1", answerTo(0, n, h, "shown", l.now.Add(-2*sense.Hour))); err != nil {
		t.Fatal(err)
	}
	l.giveBack("k1/a", 0)
	l.want("it was said just now", l.ask("k2/a"), "none")
	if x := l.heard.(*wire.Slice).Exposures; len(x) != 1 || x[0].Shown != int64(l.now) || x[0].Outcomes[0].At != int64(l.now) {
		t.Errorf("told %+v", x)
	}
	l.now = l.now.Add(sense.Hour)
	l.want("an hour later", l.ask("k2/a"), "sales 1")
}
