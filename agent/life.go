package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// When a snapshot is written: after so many records, or so long after the first; at once where something
// must leave the state file, and when the agent stops. What lies above it is folded again at the next
// start, which takes some hundredths of a second for so many records.
const (
	snapshotRecords = 4096
	snapshotAfter   = 3 * sense.Minute
	healthEvery     = 60 * sense.Second
	// longestSleep is how long the loop sleeps at the most: Go's timers stand still while the machine is
	// suspended, and what has ended meanwhile must not stand on a screen after it wakes.
	longestSleep = 5 * sense.Second
)

// Answer is what became of what an app said.
type Answer struct {
	Accepted  int
	Rejected  []Rejection
	Decisions []*engine.Decision // made for it; read only
	Cleared   []engine.Clear
}

// Rejection is an event that was not taken.
type Rejection struct {
	Index int // into the events submitted
	Err   error
}

// loop owns the mind until ctx ends.
func (a *Agent) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.inbox.stirred:
		case <-timer.C:
		}
		if err := a.turn(ctx); err != nil {
			return err
		}
		timer.Reset(a.until())
	}
}

// until is how long nothing is due: by the mind, a snapshot, or the body.
func (a *Agent) until() time.Duration {
	due := min(a.mind.Wake(), a.health, a.fetch.due, a.lent.Due(), a.wait.waitsUntil(), a.commit.dueAt())
	if a.dirty > 0 {
		due = min(due, a.saveBy)
	}
	ms := max(0, min(int64(due.Sub(a.stamp.now())), int64(longestSleep)))
	return time.Duration(ms) * time.Millisecond
}

// turn takes in all that waits.
func (a *Agent) turn(ctx context.Context) error {
	t := a.inbox.take()
	if err := a.tellTime(ctx); err != nil {
		return err
	}
	if t.lost {
		a.askAgain()
	}
	for _, e := range t.uplink {
		if err := a.fromHub(ctx, e); err != nil {
			return err
		}
	}
	if err := a.together(ctx, func() error { return a.listen(ctx, t) }); err != nil {
		return err
	}
	return errors.Join(a.keepHouse(ctx), a.failed)
}

// listen takes in what was read and what apps said.
func (a *Agent) listen(ctx context.Context, t taken) error {
	if len(t.readings) > 0 {
		if _, err := a.take(ctx, t.readings, false); err != nil {
			return err
		}
	}
	if err := a.goOn(ctx, false); err != nil {
		return err
	}
	for _, r := range t.requests {
		if err := a.hear(ctx, r); err != nil {
			return err
		}
	}
	return a.advance(ctx, a.stamp.now(), nil)
}

// take stamps events and passes them to the mind, step by step. own says that
// they are the agent's.
func (a *Agent) take(ctx context.Context, events []event.Event, own bool) (Answer, error) {
	var answer Answer
	now := a.stamp.now()
	events, index := admit(events, now, own, &answer)
	done := 0
	for _, step := range event.Steps(events) {
		if err := a.takeStep(ctx, now, step, index[done:], &answer); err != nil {
			return answer, err
		}
		done += len(step)
	}
	return answer, nil
}

// admit stamps the events with the time of the device. What a line says of its
// own time is when it happened. Lines that only the agent itself may say are refused.
func admit(events []event.Event, now sense.Instant, own bool, answer *Answer) (good []event.Event, index []int) {
	for k, e := range events {
		switch e.Body.(type) {
		case *event.Boot, *event.Clock, *event.Lease, *event.Policy, *event.Link:
			if !own {
				answer.Rejected = append(answer.Rejected, Rejection{Index: k, Err: errOwn})
				continue
			}
		}
		if e.Happened == 0 || e.Happened > now {
			e.Happened = now
		}
		e.At, e.HasAt = now, true
		good, index = append(good, e), append(index, k)
	}
	return good, index
}

var errOwn = errors.New("boot, clock, lease, policy and link are for the agent itself to say")

// step fires what is due, and then takes one step.
func (a *Agent) step(ctx context.Context, in engine.Input, answer *Answer) (engine.Output, error) {
	if err := a.advance(ctx, in.At, answer); err != nil {
		return engine.Output{}, err
	}
	out := a.mind.Step(in)
	out = out.Keep() // it waits for others, to be made durable with them
	return out, a.handle(ctx, &out, answer)
}

// advance fires the timers that are due, each at its own instant.
func (a *Agent) advance(ctx context.Context, now sense.Instant, answer *Answer) (err error) {
	a.mind.Advance(now, func(out engine.Output) {
		if err == nil {
			out = out.Keep()
			err = a.handle(ctx, &out, answer)
		}
	})
	return err
}

func (a *Agent) handle(ctx context.Context, out *engine.Output, answer *Answer) error {
	if answer != nil {
		answer.Decisions = append(answer.Decisions, out.Show...)
		answer.Cleared = append(answer.Cleared, out.Clear...)
	}
	a.steps.Add(1)
	return a.commit.take(ctx, a.body, out)
}

// stored notes that the log has grown.
func (a *Agent) stored(out *engine.Output) {
	for k := range out.Persist {
		a.lastUse[out.Persist[k].Handle] = out.Persist[k].Seq
	}
	if a.dirty == 0 {
		a.saveBy = a.nextSave()
	}
	a.dirty += len(out.Persist)
	if len(out.Persist) > 0 {
		a.appended = a.stamp.now()
	}
	if out.LetGo {
		a.dropMoments() // they hold what has no reason any more
	} else if len(out.Destroy) > 0 {
		a.holdMoments()
	}
	if len(out.Destroy) > 0 || out.LetGo {
		a.sweep = true
		a.dirty, a.saveBy = a.dirty+1, 0 // what was forgotten, or has no reason any more, leaves the state file as well, now
	}
	a.handed.forget(out.Destroy)
	if a.link != nil && len(out.Persist) > 0 {
		a.link.Appended()
	}
}

// touched notes that the state has changed without a record.
func (a *Agent) touched() {
	if a.dirty == 0 {
		a.saveBy = a.nextSave()
	}
	a.dirty++
}

// tellSessions tells screens who is there now, and who no longer is.
func (a *Agent) tellSessions(now sense.Instant, step []event.Event) {
	for k := range step {
		if i, ok := step[k].Body.(*event.Identify); ok && i.Customer != "" {
			a.served[step[k].Session] = true
			a.commit.after(func() { a.feed.Session(now, step[k].Session, true) })
		}
	}
	for s := range a.served {
		if known, ok := a.mind.Known(s); !ok || known.Customer == "" {
			delete(a.served, s)
			a.commit.after(func() { a.feed.Session(now, s, false) })
		}
	}
}

// keepHouse saves, drops, and tells how the device is, when that is due.
func (a *Agent) keepHouse(ctx context.Context) error {
	now := a.stamp.now()
	if err := a.settle(ctx); err != nil {
		return err
	}
	a.seen.Store(int64(now))
	a.clockState.Store(uint32(a.stamp.state))
	if a.dirty >= snapshotRecords*a.sparing() || a.dirty > 0 && now >= a.saveBy {
		a.save()
	}
	if now >= a.lent.Due() {
		a.lent.Look(now)
	}
	a.describeHeld(now)
	if now >= a.fetch.due {
		a.fetchMore(now)
	}
	if now >= a.health {
		a.health = now.Add(healthEvery)
		a.tellSessions(now, nil)
		a.sendHealth(now)
		a.sweep = true
		a.sweepKeys()
		if err := a.countFlash(ctx, now); err != nil {
			return err
		}
		a.tidyMoments(now)
		a.drop(now)
	}
	return nil
}

// save writes a snapshot. Without room on the disk the log goes on growing, and
// the next try comes with the next turn after a while.
func (a *Agent) save() {
	now := a.stamp.now()
	if err := a.flush(a.ctx); err != nil { // the snapshot is never ahead of the log
		a.failed = err
		return
	}
	snap := a.mind.Snapshot()
	if err := a.saver.Save(a.epoch, a.stamp.floor(), snap); err != nil {
		a.tell.Error("snapshot could not be saved", "error", err)
		a.saveBy = now.Add(10 * sense.Second)
		a.dirty = min(max(a.dirty, 1), snapshotRecords*a.sparing()-1)
		return
	}
	a.dirty, a.saved = 0, snap.Applied
	a.body.crash(CrashAfterSnapshot)
	a.queue.Applied(snap.Applied)
	a.lent.Saved(now)
	a.sweepKeys()
}

// sweepKeys destroys keys that nothing needs any more: of customers who are no
// longer held, and of whom no sealed record waits to be sent.
func (a *Agent) sweepKeys() {
	if !a.sweep || a.dirty > 0 {
		return // the state file may still need them: once it is saved
	}
	needed := map[engine.Handle]bool{ownerHandle: true}
	a.mind.Holds(func(h engine.Handle, _ sense.Instant, _ bool) bool { needed[h] = true; return true })
	first := a.queue.Status().First
	var gone []engine.Handle
	for _, h := range a.store.Keys.Handles() {
		if !needed[h] && a.lastUse[h] < first {
			gone = append(gone, h)
			delete(a.lastUse, h)
		}
	}
	a.sweep = false
	if len(gone) == 0 && !a.unswept {
		return
	}
	err := a.store.Keys.Destroy(gone...)
	if a.unswept = err != nil; a.unswept {
		a.tell.Error("keys that are no longer needed could not be destroyed", "error", err)
	}
}

// Submit passes events to the mind and returns when what came of them is durable
// and performed. ErrBusy: nothing was taken, try again. Where ctx ends first, the
// events are taken all the same.
func (a *Agent) Submit(ctx context.Context, events []event.Event) (Answer, error) {
	answer := make(chan Answer, 1)
	if err := a.inbox.request(request{events: events, answer: answer}); err != nil {
		return Answer{}, fmt.Errorf("submit events: %w", err)
	}
	select {
	case got := <-answer:
		return got, nil
	case <-a.done:
		select {
		case got := <-answer:
			return got, nil
		default:
			return Answer{}, fmt.Errorf("submit events: %w", ErrClosed)
		}
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("submit events: %w", ctx.Err())
	}
}

// look runs a function with the mind, between two steps.
func (a *Agent) look(ctx context.Context, see func()) error {
	done := make(chan struct{})
	err := a.inbox.request(request{ask: func(Mind) { see(); close(done) }})
	if err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-a.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Known returns what is known of who is before a session.
func (a *Agent) Known(ctx context.Context, session string) (known engine.Known, ok bool, err error) {
	err = a.look(ctx, func() { known, ok = a.mind.Known(session) })
	return known, ok, err
}

// Ping returns when the loop has come round and the disk answers: for a watchdog.
func (a *Agent) Ping(ctx context.Context) error {
	if a.full.Load() {
		return nil // it waits for room, which a restart does not make
	}
	return a.look(ctx, func() {})
}
