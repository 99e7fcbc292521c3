package agent

import (
	"context"
	"slices"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// told is what an app said in one go, on its way through the mind.
type told struct {
	request
	events []event.Event // that were admitted, which are left
	index  []int         // of each, into what was submitted
	result Answer
	until  sense.Instant // it waits until then for a slice; 0 where it waits behind another
}

// waiting are requests in which somebody asks whose slice is on its way. They wait a moment for it;
// so does what comes after them in the same sessions, and nothing else.
type waiting struct {
	list  []*told
	count uint64 // asks that have waited so far
	vain  uint64 // of those, how many were answered without
}

// mostWaiting bounds the requests that wait: one more lets all go on at once.
const mostWaiting = mostRequests

// hear takes in what an app said, or lets it wait.
func (a *Agent) hear(ctx context.Context, r request) error {
	if r.ask != nil {
		if err := a.settle(ctx); err != nil {
			return err
		}
		r.ask(a.mind)
		return nil
	}
	t := &told{request: r}
	t.events, t.index = admit(r.events, a.stamp.now(), false, &t.result)
	if len(a.wait.list) >= mostWaiting {
		if err := a.goOn(ctx, true); err != nil {
			return err
		}
	}
	if a.behind(len(a.wait.list), t) {
		a.wait.list = append(a.wait.list, t)
		return nil
	}
	return a.carry(ctx, t, false)
}

// behind says whether something among the first n that wait is in one of the sessions of t.
func (a *Agent) behind(n int, t *told) bool {
	for _, o := range a.wait.list[:n] {
		for k := range t.events {
			if slices.ContainsFunc(o.events, func(e event.Event) bool { return e.Session == t.events[k].Session }) {
				return true
			}
		}
	}
	return false
}

// carry passes what is left of a request to the mind, step by step, up to an ask that waits. at once: none waits.
func (a *Agent) carry(ctx context.Context, t *told, atOnce bool) error {
	for len(t.events) > 0 {
		step := event.Steps(t.events)[0]
		now := a.stamp.now()
		until, err := a.awaited(ctx, step)
		if err != nil {
			return err
		}
		if !atOnce && now < until {
			t.until = until
			a.wait.count++
			a.wait.list = append(a.wait.list, t)
			return nil
		}
		if err := a.takeStep(ctx, now, step, t.index, &t.result); err != nil {
			return err
		}
		t.events, t.index = t.events[len(step):], t.index[len(step):]
	}
	if t.answer != nil {
		a.commit.after(func() { t.answer <- t.result }) // has room for one
	}
	return nil
}

// awaited returns until when a step waits for the slice, or the budgets, of whom it asks for something to be
// said to; 0 where nothing is on its way.
func (a *Agent) awaited(ctx context.Context, step []event.Event) (until sense.Instant, err error) {
	if a.sliceWait() <= 0 || !a.online.Load() || len(step) == 0 || a.mind.Bundle() == nil {
		return 0, nil
	}
	last := &step[len(step)-1]
	if _, asks := last.Body.(*event.Ask); !asks {
		return 0, nil
	}
	h, here, ok := a.mind.Serves(last.Session)
	now := a.stamp.now()
	if !ok || a.lent.Ready(h, here, now) {
		return 0, nil
	}
	if err := a.settle(ctx); err != nil { // who has just come is asked for when that is durable
		return 0, err
	}
	if asked := a.lent.Awaits(h); asked != 0 {
		until = asked.Add(a.sliceWait())
	}
	return until, nil
}

func (a *Agent) sliceWait() sense.Duration {
	if a.cfg.SliceWait == 0 {
		return DefaultSliceWait
	}
	return a.cfg.SliceWait
}

// goOn lets those go on that wait for nothing any more, in their order. atOnce: all of them.
func (a *Agent) goOn(ctx context.Context, atOnce bool) error {
	if len(a.wait.list) == 0 {
		return nil
	}
	before := a.wait.list
	a.wait.list = nil
	for k, t := range before {
		if a.behind(len(a.wait.list), t) {
			a.wait.list = append(a.wait.list, t)
			continue
		}
		late := false
		if t.until != 0 {
			now := a.stamp.now()
			until, err := a.awaited(ctx, event.Steps(t.events)[0])
			if err != nil {
				a.wait.list = append(a.wait.list, before[k:]...)
				return err
			}
			if !atOnce && now < t.until && until > now {
				a.wait.list = append(a.wait.list, t)
				continue
			}
			if late = now >= t.until; late {
				a.wait.vain++
			}
			t.until = 0
		}
		if err := a.carry(ctx, t, atOnce || late); err != nil {
			a.wait.list = append(a.wait.list, before[k:]...)
			return err
		}
	}
	return nil
}

// waitsUntil is when the first of those that wait goes on without.
func (w *waiting) waitsUntil() sense.Instant {
	until := sense.Never
	for _, t := range w.list {
		if t.until != 0 {
			until = min(until, t.until)
		}
	}
	return until
}

// takeStep passes one step to the mind, at an instant; index is where each of its events was submitted.
func (a *Agent) takeStep(ctx context.Context, now sense.Instant, step []event.Event, index []int, answer *Answer) error {
	for k := range step {
		step[k].At = now
	}
	out, err := a.step(ctx, engine.Input{At: now, Events: step}, answer)
	if err != nil {
		return err
	}
	for _, r := range out.Refused {
		answer.Rejected = append(answer.Rejected, Rejection{Index: index[r.Index], Err: r.Err})
	}
	answer.Accepted += len(step) - len(out.Refused)
	a.tellSessions(now, step)
	return nil
}
