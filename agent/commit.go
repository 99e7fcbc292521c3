package agent

import (
	"context"
	"errors"

	"github.com/tact-edge/tact/agent/engine"
)

// commit gathers the outputs of steps that wait together, so that they share one transaction: a
// commit costs the flash some pages, however little is in it. Each step's effects come after it, in
// their order, and who waits for an answer gets it after them.
type commit struct {
	open bool // outputs are gathered
	wait []waits
	rows int // records among them
}

// waits is one output that is not performed yet.
type waits struct {
	out   *engine.Output
	after []func() // what is told when it is performed
}

// Bounds of what is gathered: who came first shall not wait for everybody.
const (
	mostTogether = 64
	mostRows     = 256
)

// together gathers what is done within do, and performs it then.
func (a *Agent) together(ctx context.Context, do func() error) error {
	a.commit.open = true
	err := do()
	a.commit.open = false
	return errors.Join(err, a.flush(ctx))
}

// take performs an output, or lets it wait for company.
func (c *commit) take(ctx context.Context, b *Body, out *engine.Output) error {
	if len(c.wait) == 0 && (!c.open || !durable(out)) {
		return b.Handle(ctx, out)
	}
	c.wait = append(c.wait, waits{out: out})
	c.rows += len(out.Persist)
	if !c.open || len(c.wait) >= mostTogether || c.rows >= mostRows {
		return c.flush(ctx, b)
	}
	return nil
}

// durable says whether an output has something to write.
func durable(out *engine.Output) bool {
	return len(out.Persist) > 0 || len(out.Destroy) > 0 || out.LetGo
}

// after does something once all that was taken so far is performed.
func (c *commit) after(do func()) {
	if len(c.wait) == 0 {
		do()
		return
	}
	last := &c.wait[len(c.wait)-1]
	last.after = append(last.after, do)
}

// flush performs what waits.
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
