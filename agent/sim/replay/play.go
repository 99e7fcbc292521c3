package replay

import (
	"context"
	"fmt"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// StepLines is how many lines of one step are held at a time; a longer step is
// taken in parts.
const StepLines = 1 << 16

// Refused is a line that was not taken, and why.
type Refused struct {
	File string // empty where Err names the place
	Line int    // 0 where the input has no lines
	Err  error
}

func (r Refused) String() string {
	switch {
	case r.File == "":
		return r.Err.Error()
	case r.Line == 0:
		return fmt.Sprintf("%s: %v", r.File, r.Err)
	}
	return fmt.Sprintf("%s:%d: %v", r.File, r.Line, r.Err)
}

// Player plays lines through a mind.
type Player struct {
	Mind   *engine.Mind
	Bundle *engine.BundleUpdate // put in charge with the first line; nil where the mind has one
	// Took is called with each step's input lines before it is taken, nil at a timer's own
	// step. It may be nil.
	Took func(at sense.Instant, step []event.Event)
	Out  func(engine.Output) // lent until it returns
	// Refuse hears of lines that are not taken.
	Refuse func(Refused)
	// Leases: the input says itself who is leased (HasLeases). A customer is then awaited
	// until a lease line names her; otherwise everybody is leased for ever. It turns true
	// with the first lease line.
	Leases bool

	step   []Line
	ready  bool
	leased map[string]bool // customers whom a lease line named, or who are awaited by now
}

// Play takes all lines, and lets timers fire until an instant where hasUntil says so.
// The error is that of a source, or the context's.
func (p *Player) Play(ctx context.Context, lines Source, until sense.Instant, hasUntil bool) error {
	for l, err := range lines {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case l.Err != nil:
			p.Refuse(Refused{l.File, l.Number, l.Err})
			continue
		}
		closes := event.Closes(l.Event.Body)
		if n := len(p.step); n > 0 && (p.step[0].Event.At != l.Event.At || closes || n == StepLines) {
			p.flush()
		}
		p.step = append(p.step, l)
		if closes {
			p.flush()
		}
	}
	p.flush()
	if hasUntil {
		p.advance(until)
	}
	return nil
}

// flush takes the step that is being gathered.
func (p *Player) flush() {
	if len(p.step) == 0 {
		return
	}
	at := p.step[0].Event.At
	if !p.ready {
		p.ready = true
		if p.Bundle != nil {
			p.took(at, nil)
			p.Out(p.Mind.Step(engine.Input{At: at, Bundle: p.Bundle}))
		}
	}
	p.advance(at)
	p.await(at)
	events := make([]event.Event, len(p.step))
	for k := range p.step {
		events[k] = p.step[k].Event
	}
	p.took(at, events)
	out := p.Mind.Step(engine.Input{At: at, Events: events})
	p.Out(out)
	for _, r := range out.Refused {
		l := p.step[r.Index]
		p.Refuse(Refused{l.File, l.Number, r.Err})
	}
	clear(p.step)
	p.step = p.step[:0]
}

// await says of a customer who is identified and whom no lease line has named that the slice is
// not here yet.
func (p *Player) await(at sense.Instant) {
	if p.leased == nil {
		p.leased = map[string]bool{}
	}
	for k := range p.step {
		switch b := p.step[k].Event.Body.(type) {
		case *event.Lease:
			p.Leases = true
			p.leased[b.Customer] = true
		case *event.Identify:
			if !p.Leases || b.Customer == "" || p.leased[b.Customer] {
				continue
			}
			p.leased[b.Customer] = true
			e := event.Event{At: at, HasAt: true, Happened: at, Session: event.MainSession, Body: &event.Lease{Customer: b.Customer}}
			p.Out(p.Mind.Step(engine.Input{At: at, Events: []event.Event{e}}))
		}
	}
}

func (p *Player) took(at sense.Instant, events []event.Event) {
	if p.Took != nil {
		p.Took(at, events)
	}
}

func (p *Player) advance(to sense.Instant) {
	p.Mind.Advance(to, func(o engine.Output) {
		p.took(o.At, nil)
		p.Out(o)
	})
}
