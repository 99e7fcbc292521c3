package agent

import (
	"strconv"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// leased is what is known of a slice that the mind wants, and of the budgets that come with it. One request
// at a time is made for it.
type leased struct {
	want  engine.WantSlice
	gone  bool          // the mind wants it no more: what is left is to give the budgets back
	since sense.Instant // of the lease, 0 before there is one
	until sense.Instant

	ask   string        // id of the request that waits for its answer; empty for none
	asked sense.Instant // when it was made
	again sense.Instant // not before then another, after an answer that did not bring what was asked for

	budgets sense.Instant // since when the budgets that are held run
	owes    bool          // budgets may have been granted that were not given back
	gives   bool          // the request that waits gives them back
	saved   bool          // the state file has them: they are given back once it has them no more
}

// lending is what the agent keeps of all leases together.
type lending struct {
	due       sense.Instant // when one of them asks for something next
	number    uint64        // of the requests so far
	described bool          // the link knows which slices are held, as of the last Want
	describe  sense.Instant // not before then it is told again
}

const (
	askedTooLong  = 10 * sense.Minute // an answer that has not come by then does not
	askAgainAfter = sense.Minute      // where an answer did not bring what was asked for
	describeEvery = 5 * sense.Second
)

// want takes what the mind wants now that it did not want before: sources are started and stopped, slices and
// budgets asked for and given back.
func (a *Agent) want(w *engine.Want) {
	if a.sources != nil {
		a.sources.Want(w.Signals)
	}
	a.reading.Store(&w.Signals)
	now := a.stamp.now()
	for _, s := range w.Slices {
		l := a.leases[s.Handle]
		if l == nil {
			l = &leased{}
			a.leases[s.Handle] = l
		}
		if s.Budgets != 0 && s.Budgets != l.want.Budgets {
			l.budgets, l.owes = now, true
			l.saved = l.saved || l.want.Handle == engine.Handle{} // they are from the state file
		}
		l.want, l.gone = s, false
		a.follow(l, now)
	}
	for _, h := range w.Gone {
		if l := a.leases[h]; l != nil {
			l.want.Served, l.want.Budgets, l.gone = false, 0, true
			a.follow(l, now)
		}
	}
	if len(w.Slices)+len(w.Gone) > 0 {
		a.lent.described = false
	}
}

// follow does for a lease what is to be done now: asks for the slice, asks for budgets, or gives them back.
func (a *Agent) follow(l *leased, now sense.Instant) {
	if l.ask != "" && (now >= l.asked.Add(askedTooLong) || !l.want.Served && !l.gives && !a.outOfStep(l, now)) {
		a.tellLink(uplink.Cancel{ID: l.ask})
		l.ask = ""
	}
	if l.ask == "" && a.hubKey() != nil && now >= l.again {
		switch {
		case a.outOfStep(l, now) || l.want.Served && now >= l.slicesDue():
			a.askSlice(l, now)
		case l.want.Served && a.limited() && now >= l.budgetsDue():
			a.askBudgets(l, now, false)
		case !l.want.Served && l.owes && l.want.Budgets == 0 && !l.saved:
			if l.owes = a.limited(); l.owes {
				a.askBudgets(l, now, true)
			}
		}
	}
	if l.gone && l.ask == "" && !l.owes {
		delete(a.leases, l.want.Handle)
		return
	}
	a.lent.due = min(a.lent.due, a.dueOf(l))
}

// outOfStep says whether a slice is wanted of which no revision is held: it was never here, or is not what the
// hub thinks it is.
func (a *Agent) outOfStep(l *leased, now sense.Instant) bool {
	return !l.gone && l.want.Revision == 0 && (l.want.Served || now < l.until)
}

// slicesDue is when a lease has run three quarters of its time.
func (l *leased) slicesDue() sense.Instant {
	if l.until == 0 || l.until == sense.Never {
		return sense.Never
	}
	return l.until.Add(-(l.until.Sub(l.since) / 4))
}

// budgetsDue is when less than a third of their lease is left.
func (l *leased) budgetsDue() sense.Instant {
	if l.want.Budgets == 0 {
		return 0
	}
	return l.want.Budgets.Add(-(l.want.Budgets.Sub(l.budgets) / 3))
}

// dueOf is when a lease asks for something next.
func (a *Agent) dueOf(l *leased) sense.Instant {
	switch {
	case l.ask != "":
		return l.asked.Add(askedTooLong)
	case l.want.Served:
		due := l.slicesDue()
		if a.limited() {
			due = min(due, l.budgetsDue())
		}
		return max(due, l.again, l.asked+1)
	case l.owes && l.want.Budgets == 0 && !l.saved || l.want.Revision == 0 && l.again != 0:
		return max(l.again, l.asked+1)
	}
	return sense.Never
}

// limited says whether the policy in charge has limits of which units are leased.
func (a *Agent) limited() bool {
	b := a.mind.Bundle()
	if b == nil {
		return false
	}
	for k := range b.Contact.Limits {
		if b.Contact.Limits[k].AtMost > 0 {
			return true
		}
	}
	return false
}

// lookAtLeases lets every lease ask for what is due.
func (a *Agent) lookAtLeases(now sense.Instant) {
	a.lent.due = sense.Never
	for _, l := range a.leases {
		a.follow(l, now)
	}
}

// linkUp asks for the budgets of everybody who is served anew: what others were told meanwhile may have
// left none. The link itself repeats what was asked before.
func (a *Agent) linkUp(now sense.Instant) {
	for _, l := range a.leases {
		l.again = 0
		if l.want.Served && l.ask == "" && l.want.Revision != 0 && a.limited() && a.hubKey() != nil {
			a.askBudgets(l, now, false)
		}
	}
	a.lookAtLeases(now)
}

// stateSaved notes what the state file has. Budgets that it has no more can be given back: no restart finds them again.
func (a *Agent) stateSaved(now sense.Instant) {
	for _, l := range a.leases {
		if l.saved = l.want.Budgets != 0; !l.saved && l.owes {
			a.follow(l, now)
		}
	}
}

// requestID names a request: no two are named alike, so that an answer that is late answers none.
func (a *Agent) requestID(what string, h wire.Handle) string {
	a.lent.number++
	return what + "-" + h.String() + "-" + strconv.FormatUint(a.lent.number, 36)
}

// askSlice asks for a slice, and the budgets with it.
func (a *Agent) askSlice(l *leased, now sense.Instant) {
	h := wire.Handle(l.want.Handle)
	sealed, err := a.codec.sealToHub(a.hubKey(), h, l.want.Customer, "slice")
	if err != nil {
		a.tell.Error("slice cannot be asked for", "error", err)
		l.again = now.Add(askAgainAfter)
		return
	}
	var owners []wire.Owner
	for _, o := range l.want.Owners {
		owners = append(owners, wire.Owner{Kind: o.Kind, ID: o.ID})
	}
	id := a.requestID("slice", h)
	a.ask(l, now, id, &wire.SliceRequest{ID: id, Handle: h, Customer: sealed, Owners: owners})
}

// askBudgets asks for budgets, or gives them back: what was made under them lies at or below the end of the log.
func (a *Agent) askBudgets(l *leased, now sense.Instant, give bool) {
	h := wire.Handle(l.want.Handle)
	id := a.requestID("budget", h)
	a.ask(l, now, id, &wire.BudgetRequest{ID: id, Handle: h, Revision: l.want.Revision, Epoch: a.epoch, Through: a.queue.Status().Next - 1, Return: give})
	l.gives = give && l.ask != ""
}

func (a *Agent) ask(l *leased, now sense.Instant, id string, r wire.Request) {
	l.asked, l.gives = now, false
	if !a.tellLink(uplink.Ask{ID: id, Request: r}) {
		l.again = now.Add(askAgainAfter)
		return
	}
	l.ask = id
	l.owes = l.owes || l.want.Served
}

// answered takes in that a message answers what was asked for a handle, and says whether it does. What it
// brings of budgets counts only where it does: one that comes twice, or late, may speak of what was given back.
func (a *Agent) answered(u *engine.SliceUpdate, re string) bool {
	l := a.leases[u.Handle]
	if l == nil || l.ask == "" || re != l.ask || l.gives {
		u.Budgets, u.BudgetUntil = nil, 0
	}
	if l == nil || l.ask == "" || re != l.ask {
		return false
	}
	if l.ask = ""; l.gives {
		l.gives, l.owes = false, false
	}
	return true
}

// heard follows what a message has made of a lease.
func (a *Agent) heard(u *engine.SliceUpdate, now sense.Instant, answer bool) {
	l := a.leases[u.Handle]
	if l == nil {
		return
	}
	if u.Forget { // the hub has nothing any more to give back to
		if l.ask != "" {
			a.tellLink(uplink.Cancel{ID: l.ask})
		}
		delete(a.leases, u.Handle)
		return
	}
	if !l.gone {
		l.since, l.until = now, u.Until
	}
	if answer && (l.want.Revision == 0 || l.want.Served && a.limited() && now >= l.budgetsDue()) {
		l.again = now.Add(askAgainAfter)
	}
	a.follow(l, now)
}

// askAgain asks for every slice: after messages of the hub found no room.
func (a *Agent) askAgain() {
	a.tell.Warn("messages of the hub found no room: asking again for what is wanted")
	now := a.stamp.now()
	for _, l := range a.leases {
		if l.ask == "" && !l.gone && a.hubKey() != nil {
			a.askSlice(l, now)
		}
	}
	a.fetch.restart(now)
}

// describeHeld tells the link what is held, not at each change.
func (a *Agent) describeHeld(now sense.Instant) {
	if a.lent.described || now < a.lent.describe {
		return
	}
	a.describeNow()
	a.lent.describe = now.Add(describeEvery)
}

// describeNow tells the link what the device is and which slices it holds, of those who are served first.
func (a *Agent) describeNow() {
	var served, others []engine.WantSlice
	for _, l := range a.leases {
		switch {
		case l.gone:
		case l.want.Served:
			served = append(served, l.want)
		default:
			others = append(others, l.want)
		}
	}
	a.lent.described = true
	a.describe(append(served, others...))
}
