package agent

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/profile"
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
	at    sense.Instant // what the last one said of when it was made: each says a later instant
	again sense.Instant // not before then another, after an answer that did not bring what was asked for

	budgets sense.Instant // since when the budgets that are held run
	soon    sense.Instant // when they are asked for again already, since others have what there would be; 0 where not
	owes    bool          // budgets may have been granted that were not given back
	gives   bool          // the request that waits gives them back
	saved   bool          // the state file has them: they are given back once it has them no more
	before  bool          // what it owes is of a life before this one: that goes back before anything else is asked for
	anew    bool          // another policy is in charge since they were asked for
}

// Leases ask for the slices that a mind wants and for the budgets of who is served, renew them, and give budgets
// back. It is stepped: whoever owns it passes what happened, with the time, and calls Look when Due has come.
type Leases struct {
	Tell    func(uplink.Input) bool                                           // passes a request to the link; false where it takes none
	Seal    func(h engine.Handle, customer string) (sealed []byte, err error) // for the hub; both nil while its key is not known
	Limited func() bool                                                       // whether the policy in charge has limits of which units are leased
	Log     func() (epoch, last uint64)                                       // the log's epoch and the number of its last record
	Timely  func() bool                                                       // whether it is known what time it is
	Warn    func(what string, err error)

	held   map[engine.Handle]*leased
	due    sense.Instant // when one of them asks for something next
	number uint64        // of the requests so far
	up     sense.Instant // since when the hub is reached; 0 before it ever was
	begun  sense.Instant // when it was said in this life what earlier ones left behind; 0 before that
}

const (
	askedTooLong  = 10 * sense.Minute // an answer that has not come by then does not
	askAgainAfter = sense.Minute      // where an answer did not bring what was asked for
	othersAfter   = 30 * sense.Second // where others have what there would be of a limit: they may leave any time
	confirmAfter  = 5 * sense.Second  // a hello names so many slices and no more: what it did not bring word of by then is asked for
)

// Due is when something is to be asked for by itself.
func (b *Leases) Due() sense.Instant {
	if len(b.held) == 0 {
		return sense.Never
	}
	return b.due
}

// Clear forgets all, since numbers of another log say nothing of this one, but who owes budgets: whoever comes
// again would be lent nothing beside them, and neither would others.
func (b *Leases) Clear() {
	for h, l := range b.held {
		b.cancel(l)
		if l.owes {
			b.held[h] = &leased{want: engine.WantSlice{Handle: h}, gone: true, owes: true, before: true, at: l.at}
			b.due = 0
		} else {
			delete(b.held, h)
		}
	}
}

// Policy asks for the budgets of everybody who is served anew: another policy has other limits.
func (b *Leases) Policy(now sense.Instant) {
	for _, l := range b.those(func(l *leased) bool { return l.want.Served }) {
		l.anew, l.again = true, 0
		b.follow(l, now)
	}
	b.begin(now)
}

// Want takes what the mind wants now that it did not want before.
func (b *Leases) Want(w *engine.Want, now sense.Instant) {
	if b.held == nil {
		b.held = map[engine.Handle]*leased{}
	}
	for _, s := range w.Slices {
		l := b.held[s.Handle]
		if l == nil {
			l = &leased{}
			b.held[s.Handle] = l
		}
		if s.Budgets != 0 && s.Budgets != l.want.Budgets {
			l.budgets, l.owes = now, true
			l.saved = l.saved || l.want.Handle == engine.Handle{} // they are from the state file
		}
		l.want, l.gone = s, false
		b.follow(l, now)
	}
	for _, h := range w.Gone {
		if l := b.held[h]; l != nil {
			l.want.Served, l.want.Budgets, l.gone = false, 0, true
			b.follow(l, now)
		}
	}
	b.begin(now)
}

// begin says once in a life that nothing is held but what is known here. A life that was killed may have been lent budgets
// that no file tells of: nobody would be lent them until nothing made under them could count any more.
func (b *Leases) begin(now sense.Instant) {
	if b.begun != 0 || b.up == 0 || !b.Limited() || !b.Timely() {
		return
	}
	all := wire.AllHandles()
	r := &wire.BudgetRequest{ID: b.requestID("budget", all), Handle: all, Return: true, At: int64(now)}
	r.Epoch, r.Through = b.Log()
	for _, l := range b.those(func(l *leased) bool { return l.owes || l.ask != "" || l.want.Budgets != 0 }) {
		r.But = append(r.But, wire.Handle(l.want.Handle))
	}
	if len(r.But) > wire.MostBut || b.Tell(uplink.Ask{ID: r.ID, Request: r}) {
		b.begun = now
	}
}

// follow does for a lease what is to be done now: asks for the slice, asks for budgets, or gives them back.
func (b *Leases) follow(l *leased, now sense.Instant) {
	if l.ask != "" && (now >= l.asked.Add(askedTooLong) || !l.want.Served && !l.gives && !b.outOfStep(l, now)) {
		b.cancel(l)
	}
	if l.ask == "" && now >= l.again {
		switch {
		case l.before && l.owes && l.want.Budgets == 0 && b.Limited():
			b.askBudgets(l, now, true)
		case b.outOfStep(l, now) || l.want.Served && now >= l.slicesDue():
			b.askSlice(l, now)
		case l.want.Served && (now >= b.confirmDue(l) || b.Limited() && (l.anew || now >= l.budgetsDue())):
			b.askBudgets(l, now, false)
		case !l.want.Served && l.owes && l.want.Budgets == 0 && !l.saved:
			if l.owes = b.Limited(); l.owes {
				b.askBudgets(l, now, true)
			}
		}
	}
	if l.gone && l.ask == "" && !l.owes {
		delete(b.held, l.want.Handle)
		return
	}
	b.due = min(b.due, b.dueOf(l, now))
}

// outOfStep says whether a slice is wanted of which no revision is held: it was never here, or is not what the
// hub thinks it is.
func (b *Leases) outOfStep(l *leased, now sense.Instant) bool {
	return !l.gone && l.want.Revision == 0 && (l.want.Served || now < l.until)
}

// slicesDue is when a lease has run three quarters of its time.
func (l *leased) slicesDue() sense.Instant {
	if l.until == 0 || l.until == sense.Never {
		return sense.Never
	}
	return l.until.Add(-(l.until.Sub(l.since) / 4))
}

// confirmDue is when it is asked whether a slice is current, of which the hub has said nothing since it is reached.
func (b *Leases) confirmDue(l *leased) sense.Instant {
	if l.since >= b.up {
		return sense.Never
	}
	return b.up.Add(confirmAfter)
}

// budgetsDue is when less than a third of their lease is left, or sooner where others have what there would be.
func (l *leased) budgetsDue() sense.Instant {
	switch {
	case l.want.Budgets == 0:
		return 0
	case l.soon != 0:
		return min(l.soon, l.want.Budgets)
	}
	return l.want.Budgets.Add(-(l.want.Budgets.Sub(l.budgets) / 3))
}

// dueOf is when a lease asks for something next by itself: always after now, once follow has been.
func (b *Leases) dueOf(l *leased, now sense.Instant) sense.Instant {
	due := sense.Never
	switch {
	case l.ask != "":
		return l.asked.Add(askedTooLong)
	case b.outOfStep(l, now):
		due = l.again
	case l.want.Served:
		due = min(l.slicesDue(), b.confirmDue(l))
		if b.Limited() {
			due = min(due, l.budgetsDue())
		}
	case l.owes && l.want.Budgets == 0 && !l.saved:
		due = l.again
	}
	return max(due, l.again, l.asked+1)
}

// Look lets every lease ask for what is due.
func (b *Leases) Look(now sense.Instant) {
	b.due = sense.Never
	for _, l := range b.those(func(l *leased) bool {
		if due := b.dueOf(l, now); due > now {
			b.due = min(b.due, due)
			return false
		}
		return true
	}) {
		b.follow(l, now)
	}
	b.begin(now)
}

// those returns the leases of which is says so, in order of handle: each asks for something.
func (b *Leases) those(is func(l *leased) bool) (list []*leased) {
	for _, l := range b.held { // order: sorted below
		if is(l) {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(x, y *leased) int { return bytes.Compare(x.want.Handle[:], y.want.Handle[:]) })
	return list
}

// LinkUp asks for the budgets of everybody who is served anew: what others were told meanwhile may have
// left none. The link itself repeats what was asked before. The mind's first Want was passed by then.
func (b *Leases) LinkUp(now sense.Instant) {
	b.up = now
	for _, l := range b.held {
		l.again = 0
	}
	if b.Limited() {
		for _, l := range b.those(func(l *leased) bool { return l.want.Served && l.ask == "" && l.want.Revision != 0 }) {
			b.askBudgets(l, now, false)
		}
	}
	b.Look(now)
}

// Keyed asks for what waited for the hub's key.
func (b *Leases) Keyed(now sense.Instant) {
	for _, l := range b.held {
		l.again = 0
	}
	b.Look(now)
}

// Saved notes what the state file has. Budgets that it has no more can be given back: no restart finds them again.
func (b *Leases) Saved(now sense.Instant) {
	for _, l := range b.those(func(l *leased) bool {
		l.saved = l.want.Budgets != 0
		return !l.saved && l.owes
	}) {
		b.follow(l, now)
	}
}

// requestID names a request: no two are named alike, so that an answer that is late answers none.
func (b *Leases) requestID(what string, h wire.Handle) string {
	b.number++
	return what + "-" + h.String() + "-" + strconv.FormatUint(b.number, 36)
}

// askSlice asks for a slice, and the budgets with it.
func (b *Leases) askSlice(l *leased, now sense.Instant) {
	h := wire.Handle(l.want.Handle)
	sealed, err := b.Seal(l.want.Handle, l.want.Customer)
	switch {
	case err == nil && sealed == nil:
		l.again = now.Add(askAgainAfter) // or when Keyed says so
		return
	case err != nil:
		b.Warn("slice cannot be asked for", err)
		l.again = now.Add(askAgainAfter)
		return
	}
	var owners []wire.Owner
	for _, o := range l.want.Owners {
		owners = append(owners, wire.Owner{Kind: o.Kind, ID: o.ID})
	}
	id := b.requestID("slice", h)
	b.ask(l, now, id, &wire.SliceRequest{ID: id, Handle: h, Customer: sealed, Owners: owners, At: b.stamp(l, now)})
}

// askBudgets asks for budgets, or gives them back: what was made under them lies at or below the end of the log.
func (b *Leases) askBudgets(l *leased, now sense.Instant, give bool) {
	h := wire.Handle(l.want.Handle)
	id := b.requestID("budget", h)
	r := &wire.BudgetRequest{ID: id, Handle: h, Revision: l.want.Revision, Return: give, At: b.stamp(l, now)}
	r.Epoch, r.Through = b.Log()
	b.ask(l, now, id, r)
	l.gives = give && l.ask != ""
}

// stamp says when a request is made, 0 while that is not known.
func (b *Leases) stamp(l *leased, now sense.Instant) int64 {
	if !b.Timely() {
		return 0
	}
	l.at = max(now, l.at+1, b.begun+1)
	return int64(l.at)
}

func (b *Leases) ask(l *leased, now sense.Instant, id string, r wire.Request) {
	l.asked, l.gives, l.anew = now, false, false
	if !b.Tell(uplink.Ask{ID: id, Request: r}) {
		l.again = now.Add(askAgainAfter)
		return
	}
	l.ask = id
	l.owes = l.owes || l.want.Served
}

// Answered takes in that a message answers what was asked for a handle, and says whether something was asked for. What it
// brings of budgets counts only where it does: one that comes twice, or late, may speak of what was given back.
func (b *Leases) Answered(u *engine.SliceUpdate, re string, now sense.Instant) bool {
	l := b.held[u.Handle]
	if l == nil || l.ask == "" || re != l.ask || l.gives {
		u.Budgets, u.Each, u.BudgetUntil = nil, nil, 0
	}
	if l == nil || l.ask == "" || re != l.ask {
		return false
	}
	l.ask, l.soon = "", 0
	if slices.ContainsFunc(u.Budgets, func(x profile.Budget) bool { return x.Units == 0 }) {
		l.soon = now.Add(othersAfter)
	}
	if l.gives {
		l.gives, l.owes, l.before = false, false, false
		return false
	}
	if u.BudgetUntil == 0 && b.Limited() && !unknownThere(u) {
		l.again = now.Add(askAgainAfter)
	}
	return true
}

// unknownThere says whether a message tells that the hub knows nothing of a handle: it has no revision.
func unknownThere(u *engine.SliceUpdate) bool { return u.Revision == 0 && !u.Forget }

// Heard follows what a message has made of a lease.
func (b *Leases) Heard(u *engine.SliceUpdate, now sense.Instant, answer bool) {
	l := b.held[u.Handle]
	if l == nil {
		return
	}
	if u.Forget { // the hub has nothing any more to give back to
		b.cancel(l)
		delete(b.held, u.Handle)
		return
	}
	if !l.gone {
		l.since, l.until = now, u.Until
	}
	if answer && b.outOfStep(l, now) && !unknownThere(u) {
		l.again = now.Add(askAgainAfter)
	}
	b.follow(l, now)
}

// Again asks for every slice: messages of the hub were lost.
func (b *Leases) Again(now sense.Instant) {
	for _, l := range b.those(func(l *leased) bool { return l.ask == "" && !l.gone }) {
		b.askSlice(l, now)
	}
}

// cancel takes back what was asked for.
func (b *Leases) cancel(l *leased) {
	if l.ask != "" {
		b.Tell(uplink.Cancel{ID: l.ask})
		l.ask = ""
	}
}

// Ready says whether all that an answer can wait for is there: the slice, and budgets where limits ask for them.
func (b *Leases) Ready(h engine.Handle, here bool, now sense.Instant) bool {
	l := b.held[h]
	return here && l != nil && (now < l.want.Budgets || !b.Limited())
}

// Awaits returns since when the slice or budgets of a customer are asked for, or will be once those that she left
// behind when she went have gone back; 0 where nothing is on its way.
func (b *Leases) Awaits(h engine.Handle) (asked sense.Instant) {
	if l := b.held[h]; l != nil && l.ask != "" && (!l.gives || l.want.Served) {
		return l.asked
	}
	return 0
}

// Held lists the slices that are held or asked for, of those who are served first.
func (b *Leases) Held() (list []engine.WantSlice) {
	for _, served := range []bool{true, false} {
		for _, l := range b.those(func(l *leased) bool { return !l.gone && l.want.Served == served }) {
			list = append(list, l.want)
		}
	}
	return list
}
