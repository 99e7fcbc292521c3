package agent

import (
	"context"
	"errors"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// commit gathers the outputs of steps that wait together, so that they share one transaction: a
// commit costs the flash some pages, however little is in it. Each step's effects come after it, in
// their order, and who waits for an answer gets it after them.
//
// What the mind books by itself, that nobody has answered what was shown within its time, waits a
// while for a commit that is made anyway: nobody was told of it, and a device that fails meanwhile has
// only failed before that time. What is taken down then is taken down at once.
type commit struct {
	open bool // outputs are gathered
	wait []waits
	rows int           // records among them
	due  sense.Instant // when those that wait for company go without
}

// waits is one output that is not performed yet.
type waits struct {
	out   *engine.Output
	lazy  bool     // it waits for company
	after []func() // what is told when it is performed
}

// Bounds of what is gathered: who came first shall not wait for everybody.
const (
	mostTogether = 64
	mostRows     = 256
	lazyFor      = 30 * sense.Second
)

// together gathers what is done within do, and performs it then.
func (a *Agent) together(ctx context.Context, do func() error) error {
	a.commit.open = true
	err := do()
	a.commit.open = false
	return errors.Join(err, a.settle(ctx))
}

// take performs an output, or lets it wait for company.
func (c *commit) take(ctx context.Context, b *Body, out *engine.Output) error {
	lazy := booked(out)
	switch {
	case lazy:
		for _, x := range out.Clear {
			b.clear(x)
		}
		out.Clear = nil
		if len(c.wait) == 0 {
			c.due = out.At.Add(lazyFor)
		}
	case !c.eager() && (len(c.wait) == 0 && !c.open || !durable(out)):
		return b.Handle(ctx, out)
	}
	c.wait = append(c.wait, waits{out: out, lazy: lazy})
	c.rows += len(out.Persist)
	if !lazy && !c.open || len(c.wait) >= mostTogether || c.rows >= mostRows {
		return c.flush(ctx, b)
	}
	return nil
}

// durable says whether an output has something to write.
func durable(out *engine.Output) bool {
	return len(out.Persist) > 0 || len(out.Destroy) > 0 || out.LetGo
}

// booked says whether an output holds nothing but that something shown was ignored, by the mind's own word.
func booked(out *engine.Output) bool {
	if len(out.Persist) == 0 || len(out.Destroy)+len(out.Show)+len(out.HandOver)+len(out.Withhold)+len(out.Moments) > 0 || out.LetGo || out.Want != nil {
		return false
	}
	for k := range out.Clear {
		if out.Clear[k].Protects || out.Clear[k].Cause != "expired" {
			return false
		}
	}
	for k := range out.Persist {
		e := out.Persist[k].Event
		if e == nil || e.ID != "" || e.Source != "" {
			return false
		}
		if o, ok := e.Body.(*event.Outcome); !ok || o.Outcome != "ignored" {
			return false
		}
	}
	return len(out.Clear) == len(out.Persist) // each of them took something down: an app's word would not
}

// eager says whether something waits that does not wait for company.
func (c *commit) eager() bool { return c.last() >= 0 }

// last is the last output that does not wait for company, -1 for none.
func (c *commit) last() int {
	for k := len(c.wait) - 1; k >= 0; k-- {
		if !c.wait[k].lazy {
			return k
		}
	}
	return -1
}

// after does something once all that was taken so far is performed.
func (c *commit) after(do func()) {
	k := c.last()
	if k < 0 {
		do()
		return
	}
	c.wait[k].after = append(c.wait[k].after, do)
}

// dueAt is when something that waits goes by itself.
func (c *commit) dueAt() sense.Instant {
	if len(c.wait) == 0 {
		return sense.Never
	}
	return c.due
}

// settle performs what waits, but for what may wait for company.
func (a *Agent) settle(ctx context.Context) error {
	if a.commit.eager() || a.stamp.now() >= a.commit.dueAt() {
		return a.flush(ctx)
	}
	return nil
}

// flush performs all that waits.
func (a *Agent) flush(ctx context.Context) error { return a.commit.flush(ctx, a.body) }

func (c *commit) flush(ctx context.Context, b *Body) error {
	if len(c.wait) == 0 {
		return nil
	}
	wait := c.wait
	c.wait, c.rows = nil, 0
	outs := make([]*engine.Output, len(wait))
	for k := range wait {
		outs[k] = wait[k].out
	}
	return b.handle(ctx, outs, func(k int) {
		for _, do := range wait[k].after {
			do()
		}
	})
}
