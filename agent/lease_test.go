package agent

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// lender notes what leases ask for.
type lender struct {
	Leases
	t     testing.TB
	now   sense.Instant
	asked []wire.Request
	ids   map[string]bool // that wait
	last  uint64          // of the log
	deaf  bool
}

func newLender(t testing.TB) *lender {
	l := &lender{t: t, now: 1_772_442_000_000, ids: map[string]bool{}, last: 7}
	l.Leases = Leases{
		Tell: func(in uplink.Input) bool {
			switch in := in.(type) {
			case uplink.Ask:
				if l.deaf {
					return false
				}
				l.ids[in.ID] = true
				l.asked = append(l.asked, in.Request)
			case uplink.Cancel:
				delete(l.ids, in.ID)
			}
			return true
		},
		Seal:    func(engine.Handle, string) ([]byte, error) { return []byte{1}, nil },
		Limited: func() bool { return true },
		Log:     func() (epoch, last uint64) { return 5, l.last },
		Timely:  func() bool { return true },
		Warn:    func(what string, err error) { t.Error(what, err) },
	}
	l.begun = 1 // what earlier lives left behind is said: TestWhatALifeBeforeLeftBehind
	return l
}

var anna = engine.Handle{1}

// wants tells what a mind wants of anna.
func (l *lender) wants(revision uint64, served bool, budgets sense.Instant) {
	l.Want(&engine.Want{Slices: []engine.WantSlice{{Handle: anna, Customer: "anna", Revision: revision, Served: served, Budgets: budgets}}}, l.now)
}

// answers lets the hub answer what was asked last, as a mind takes it in.
func (l *lender) answers(revision uint64, budgets sense.Instant) {
	id := l.id()
	delete(l.ids, id)
	u := engine.SliceUpdate{Handle: anna, Revision: revision, Until: l.now.Add(7 * sense.Day), Budgets: []profile.Budget{{Limit: "x", Units: 1}}, BudgetUntil: budgets}
	answer := l.Answered(&u, id, l.now)
	if h := l.held[anna]; h != nil && !h.gone {
		l.wants(revision, h.want.Served, u.BudgetUntil)
	}
	l.Heard(&u, l.now, answer)
}

func (l *lender) id() string {
	l.t.Helper()
	switch r := l.asked[len(l.asked)-1].(type) {
	case *wire.SliceRequest:
		return r.ID
	case *wire.BudgetRequest:
		return r.ID
	}
	l.t.Fatal("nothing was asked")
	return ""
}

// pass lets time go by.
func (l *lender) pass(d sense.Duration) {
	end := l.now.Add(d)
	for range 1000 {
		if l.Due() > end {
			l.now = end
			return
		}
		l.now = max(l.now, l.Due())
		l.Look(l.now)
	}
	l.t.Fatal("it asks all the time")
}

// said lists what was asked for, and forgets it.
func (l *lender) said() string {
	var all []string
	for _, r := range l.asked {
		switch r := r.(type) {
		case *wire.SliceRequest:
			all = append(all, "slice")
		case *wire.BudgetRequest:
			word := "budgets"
			if r.Return {
				word = "back"
			}
			if r.At > int64(l.now)+10 { // of one customer each says a later one
				l.t.Errorf("asked at %d, now is %d", r.At, l.now)
			}
			all = append(all, fmt.Sprintf("%s@%d/%d", word, r.Epoch, r.Through))
		}
	}
	l.asked = nil
	return strings.Join(all, " ")
}

func (l *lender) saidIs(want string) {
	l.t.Helper()
	if got := l.said(); got != want {
		l.t.Errorf("asked for %q, want %q", got, want)
	}
}

// TestLeasesFollowAVisit: slice and budgets are asked for together, budgets renewed while she is there, and given
// back when she has left; a lease is not renewed for who is not there.
func TestLeasesFollowAVisit(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.wants(0, true, 0)
	asked := l.id()
	l.saidIs("slice")
	l.asked = []wire.Request{&wire.SliceRequest{ID: asked}}
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.pass(10*sense.Minute - 1)
	l.saidIs("")
	l.last = 9
	l.pass(1)
	if got := l.said(); got != "budgets@5/9" {
		t.Fatalf("asked for %q when two thirds had passed", got)
	}
	l.wants(1, false, 0) // she leaves while the answer is on its way
	if got := l.said(); got != "back@5/9" {
		t.Errorf("asked for %q when she had left", got)
	}
	if len(l.ids) != 1 {
		t.Errorf("%d requests wait", len(l.ids))
	}
	l.pass(sense.Minute)
	l.saidIs("")
}

// TestBudgetsAreGivenBackOnce: with the end of the log, and not while a restart would find them.
func TestBudgetsAreGivenBackOnce(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.Saved(l.now) // the state file has them now
	l.last = 12
	l.wants(1, false, 0)
	l.saidIs("")
	l.Saved(l.now)
	id := l.id()
	l.saidIs("back@5/12")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.answers(1, 0)
	l.said()
	l.pass(sense.Day)
	l.saidIs("")
	// She comes again: the slice is here, and budgets are asked for at once.
	l.wants(1, true, 0)
	l.saidIs("budgets@5/12")
}

// TestNobodyIsAskedAllTheTime: a hub that lends nothing is asked again after a while, a link that takes nothing too.
func TestNobodyIsAskedAllTheTime(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, 0)
	l.said()
	l.pass(sense.Minute - 1)
	l.saidIs("")
	l.pass(1)
	id := l.id()
	l.saidIs("budgets@5/7")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.deaf = true
	l.answers(1, 0)
	l.said()
	l.pass(10 * sense.Minute)
	l.deaf = false
	l.pass(sense.Minute)
	l.saidIs("budgets@5/7")
	// An answer that never comes is not waited for for ever.
	l.pass(11 * sense.Minute)
	l.saidIs("budgets@5/7")
}

// TestAReconnectAsksForBudgets of who is served, and repeats what is wanted and not here.
func TestAReconnectAsksForBudgets(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.LinkUp(l.now)
	l.saidIs("budgets@5/7")
	l.LinkUp(l.now) // the link repeats what waits
	l.saidIs("")
}

// TestALateAnswerBringsNoBudgets: it may speak of what was given back.
func TestALateAnswerBringsNoBudgets(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	late := l.id()
	l.answers(1, l.now.Add(15*sense.Minute))
	u := engine.SliceUpdate{Handle: anna, Revision: 1, BudgetUntil: l.now.Add(sense.Hour), Budgets: []profile.Budget{{Limit: "x", Units: 1}}}
	if l.Answered(&u, late, l.now) || u.BudgetUntil != 0 || u.Budgets != nil {
		t.Errorf("the same answer again brought %+v", u)
	}
	push := engine.SliceUpdate{Handle: anna, Revision: 2, BudgetUntil: l.now.Add(sense.Hour)}
	if l.Answered(&push, "", l.now) || push.BudgetUntil != 0 {
		t.Errorf("a push brought %+v", push)
	}
}

// TestWhoIsLetGo: her budgets go back before nothing is known of her any more; of who is forgotten nothing is.
func TestWhoIsLetGo(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.Want(&engine.Want{Gone: []engine.Handle{anna}}, l.now)
	id := l.id()
	l.saidIs("back@5/7")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.answers(1, 0)
	if len(l.held) != 0 {
		t.Errorf("%d leases are left", len(l.held))
	}
	l = newLender(t)
	l.wants(0, true, 0)
	u := engine.SliceUpdate{Handle: anna, Forget: true}
	l.Heard(&u, l.now, l.Answered(&u, "", l.now))
	l.Want(&engine.Want{Gone: []engine.Handle{anna}}, l.now)
	if len(l.held) != 0 || len(l.ids) != 0 {
		t.Errorf("%d leases and %d requests are left of somebody forgotten", len(l.held), len(l.ids))
	}
}

// TestWhatIsOutOfStepIsAskedForWhole, once, also of somebody who has left while her lease runs.
func TestWhatIsOutOfStepIsAskedForWhole(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(3, 0)
	l.wants(3, false, 0)
	l.said()
	for id := range l.ids {
		delete(l.ids, id)
	}
	l.held[anna].ask, l.held[anna].owes, l.held[anna].again = "", false, 0
	l.wants(0, false, 0)
	l.saidIs("slice")
	l.wants(0, false, 0)
	l.saidIs("")
}

// TestWhatAHelloLeavesOutIsConfirmed: of a slice that the hub said nothing of since it is reached, it is asked
// when its customer is served, with limits or without.
func TestWhatAHelloLeavesOutIsConfirmed(t *testing.T) {
	l := newLender(t)
	l.Limited = func() bool { return false }
	l.wants(4, false, 0)
	l.LinkUp(l.now)
	l.pass(sense.Hour)
	l.saidIs("")
	l.wants(4, true, 0)
	id := l.id()
	l.saidIs("budgets@5/7")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.answers(4, 0)
	l.said()
	l.pass(sense.Hour)
	l.saidIs("")
	// Served while the link comes back: the hello has a moment to bring it.
	l.LinkUp(l.now)
	l.pass(confirmAfter - 1)
	l.saidIs("")
	u := engine.SliceUpdate{Handle: anna, Revision: 4, Until: l.now.Add(sense.Day)}
	l.Heard(&u, l.now, l.Answered(&u, "hello", l.now))
	l.pass(sense.Hour)
	l.saidIs("")
}

// TestAHubThatKnowsNothingOfHer is told at once whose the handle is: its ledger may be older than that.
func TestAHubThatKnowsNothingOfHer(t *testing.T) {
	l := newLender(t)
	l.wants(4, true, 0)
	id := l.id()
	l.saidIs("budgets@5/7")
	delete(l.ids, id)
	u := engine.SliceUpdate{Handle: anna, Until: l.now.Add(7 * sense.Day)}
	answer := l.Answered(&u, id, l.now)
	l.wants(0, true, 0) // as the mind takes it in
	l.Heard(&u, l.now, answer)
	l.saidIs("slice")
}

// TestBudgetsOfALifeBefore go back before anything else is asked for, of who is served again and of who is not; who
// owes nothing is left alone.
func TestBudgetsOfALifeBefore(t *testing.T) {
	for _, again := range []bool{false, true} {
		l := newLender(t)
		l.wants(0, true, 0)
		l.answers(1, l.now.Add(15*sense.Minute))
		l.said()
		bob := engine.Handle{2}
		l.Want(&engine.Want{Slices: []engine.WantSlice{{Handle: bob, Customer: "bob", Revision: 3}}}, l.now)
		l.Clear()
		l.Log = func() (epoch, last uint64) { return 6, 2 }
		if again {
			l.wants(1, true, 0)
		} else if l.Look(l.now); len(l.held) != 1 {
			t.Errorf("%d leases are left", len(l.held))
		}
		id := l.id()
		l.saidIs("back@6/2")
		l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
		l.answers(1, 0)
		if again {
			l.asked = l.asked[1:]
			l.saidIs("budgets@6/2")
		} else if len(l.held) != 0 {
			t.Errorf("%d leases are left", len(l.held))
		}
	}
}

// TestAnotherPolicyAsksForBudgets: they are of the limits of the one before, also those that are on their way.
func TestAnotherPolicyAsksForBudgets(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.Policy(l.now)
	id := l.id()
	l.saidIs("budgets@5/7")
	l.Policy(l.now)
	l.saidIs("")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.answers(1, l.now.Add(15*sense.Minute))
	l.asked = l.asked[1:]
	l.saidIs("budgets@5/7")
}

// TestWhoComesBackAtOnceIsAwaited: what she left behind goes back first, and an ask of hers waits for what follows.
func TestWhoComesBackAtOnceIsAwaited(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	l.answers(1, l.now.Add(15*sense.Minute))
	l.wants(1, false, 0)
	if l.Awaits(anna) != 0 {
		t.Error("nobody is there, and she is awaited")
	}
	l.wants(1, true, 0)
	if l.Awaits(anna) != l.now {
		t.Error("she is back, and nothing is awaited")
	}
}

// TestWhatOthersHaveIsAskedForSoon: she may come from the screen beside this one, which gives back what it has.
func TestWhatOthersHaveIsAskedForSoon(t *testing.T) {
	l := newLender(t)
	l.wants(0, true, 0)
	id := l.id()
	l.said()
	delete(l.ids, id)
	u := engine.SliceUpdate{Handle: anna, Revision: 1, Until: l.now.Add(sense.Day), Budgets: []profile.Budget{{Limit: "x"}, {Limit: "y", Units: 2}}, BudgetUntil: l.now.Add(15 * sense.Minute)}
	answer := l.Answered(&u, id, l.now)
	l.wants(1, true, u.BudgetUntil)
	l.Heard(&u, l.now, answer)
	l.pass(30*sense.Second - 1)
	l.saidIs("")
	l.pass(1)
	id = l.id()
	l.saidIs("budgets@5/7")
	l.asked = []wire.Request{&wire.BudgetRequest{ID: id}}
	l.answers(1, l.now.Add(15*sense.Minute))
	l.said()
	l.pass(10*sense.Minute - 1)
	l.saidIs("")
}

// TestKeysGoWhileMuchIsDone: a device that writes all the time destroys the keys of leases that ended as well.
func TestKeysGoWhileMuchIsDone(t *testing.T) {
	d := newCounter(t, at(t, truth), true)
	d.say(tap)
	d.slice(at(t, truth).Add(sense.Hour))
	h := d.customer().Handle
	d.say(`{"identify":null}`)
	for n := range 12 * 75 {
		d.clock.pass(5 * sense.Second)
		d.say(`{"ask":"home"}`)
		if n%12 == 0 {
			do(t, d.Agent, func() {
				if err := d.queue.Acknowledge(d.epoch, d.queue.Status().Next-1, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if d.store.Keys.Has(h) {
		t.Error("15 minutes after the lease its key is still here")
	}
	stop(t, d.Agent)
}

// TestWhatALifeBeforeLeftBehind is given back once, as soon as the hub is reached and the time is known, but for what the
// state file tells of or was asked for since; each request after it says a later time.
func TestWhatALifeBeforeLeftBehind(t *testing.T) {
	l := newLender(t)
	timely, limited := false, true
	l.begun, l.Timely, l.Limited = 0, func() bool { return timely }, func() bool { return limited }
	bob, eve := engine.Handle{2}, engine.Handle{3}
	l.Want(&engine.Want{Slices: []engine.WantSlice{
		{Handle: bob, Customer: "bob", Revision: 3, Budgets: l.now.Add(sense.Minute)}, {Handle: eve, Customer: "eve", Revision: 2}}}, l.now)
	l.wants(0, true, 0)
	l.saidIs("slice")
	l.LinkUp(l.now)
	l.saidIs("")
	timely, limited = true, false
	l.Look(l.now)
	l.saidIs("")
	limited = true
	l.deaf = true
	l.Keyed(l.now)
	l.saidIs("")
	l.deaf = false
	l.Policy(l.now)
	if len(l.asked) != 1 {
		t.Fatalf("asked for %q", l.said())
	}
	r := l.asked[0].(*wire.BudgetRequest)
	if r.Handle != wire.AllHandles() || !r.Return || r.Epoch != 5 || r.Through != 7 || r.At != int64(l.now) || len(r.But) != 2 ||
		r.But[0] != wire.Handle(anna) || r.But[1] != wire.Handle(bob) {
		t.Errorf("said %+v", r)
	}
	u := engine.SliceUpdate{Handle: engine.Handle(wire.AllHandles()), Until: sense.Never}
	l.Heard(&u, l.now, l.Answered(&u, r.ID, l.now))
	l.asked = nil
	l.Want(&engine.Want{Slices: []engine.WantSlice{{Handle: eve, Customer: "eve", Revision: 2, Served: true}}}, l.now)
	if at := l.asked[len(l.asked)-1].(*wire.BudgetRequest).At; at <= r.At {
		t.Errorf("asked at %d, after %d", at, r.At)
	}
	l.said()
	l.LinkUp(l.now)
	l.Look(l.now)
	if got := l.said(); strings.Contains(got, "back") {
		t.Errorf("asked for %q: it is said once", got)
	}
}
