package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/outbox"
)

// Labelled points at which a test may end the process.
const (
	CrashBeforeAppend     = "before append"
	CrashAfterAppend      = "after append"
	CrashAfterShow        = "after show"
	CrashAfterAcknowledge = "after acknowledgement"
	CrashAfterSnapshot    = "after snapshot"
)

// Body performs the outputs of a mind through ports.
type Body struct {
	Log     Log
	Keys    Keys
	Screens []Screen
	Want    func(*engine.Want) // takes a new full set
	Tell    *slog.Logger
	Crash   func(point string)                         // nil but in tests
	Pause   func(context.Context, time.Duration) error // between tries on a full disk; nil waits
	Full    func(full bool)                            // told when the disk is full, and when it is no longer
	Stored  func(*engine.Output)                       // after the commit point; nil for nobody
	Tells   func(*engine.HandOver)                     // what people are told who take over; nil for nobody
	Moments func([]engine.Moment)                      // takes what the decisions looked at once they are shown, and returns at once; nil for nobody

	codec *codec
	names *symbols // of the bundle in charge
}

// Handle performs the outputs of steps that follow each other, of each in the stated order:
// persist, withhold, destroy, clear, show, hand over, want. What they persist is one transaction,
// and the commit point of all. Nothing but clears that protect somebody is done before, or
// where, persisting fails. A full disk is waited out until ctx ends; any other error is
// final: the mind knows more than the log, and must be restored from it.
func (b *Body) Handle(ctx context.Context, outs ...*engine.Output) error {
	return b.handle(ctx, outs, func(int) {})
}

// handle is Handle that says when an output is performed.
func (b *Body) handle(ctx context.Context, outs []*engine.Output, done func(k int)) error {
	g := group{outs: outs}
	if err := b.persist(ctx, &g); err != nil {
		b.clearProtecting(&g)
		return err
	}
	for k, out := range outs {
		if err := b.perform(ctx, out, &g); err != nil {
			g.outs = outs[k:]
			b.clearProtecting(&g)
			return err
		}
		done(k)
	}
	return nil
}

// group is what is performed together.
type group struct {
	outs    []*engine.Output
	cleared bool // what protects somebody was taken down before the others' turn
}

// perform does what an output wants whose records are durable.
func (b *Body) perform(ctx context.Context, out *engine.Output, g *group) error {
	b.codec.withheld.add(out.Withhold)
	if err := b.destroy(ctx, out.Destroy, g); err != nil {
		return err
	}
	if b.Stored != nil && (len(out.Persist) > 0 || len(out.Destroy) > 0 || out.LetGo) {
		b.Stored(out)
	}
	for _, c := range out.Clear {
		if !g.cleared || !c.Protects {
			b.clear(c)
		}
	}
	for _, d := range out.Show {
		for _, s := range b.Screens {
			s.Show(d)
		}
	}
	if len(out.Show) > 0 {
		b.crash(CrashAfterShow)
	}
	if b.Tells != nil {
		for k := range out.HandOver {
			b.Tells(&out.HandOver[k])
		}
	}
	if out.Want != nil && b.Want != nil {
		b.Want(out.Want)
	}
	if len(out.Moments) > 0 && b.Moments != nil {
		b.Moments(out.Moments)
	}
	return nil
}

func (b *Body) crash(point string) {
	if b.Crash != nil {
		b.Crash(point)
	}
}

func (b *Body) clear(c engine.Clear) {
	for _, s := range b.Screens {
		s.Clear(c)
	}
}

// clearProtecting takes down what would expose somebody, once.
func (b *Body) clearProtecting(g *group) {
	if g.cleared {
		return
	}
	g.cleared = true
	for _, out := range g.outs {
		for _, c := range out.Clear {
			if c.Protects {
				b.clear(c)
			}
		}
	}
}

// persist appends the records of all steps in one transaction.
func (b *Body) persist(ctx context.Context, g *group) error {
	var list []engine.Record
	for _, out := range g.outs {
		if len(list) == 0 {
			list = out.Persist[:len(out.Persist):len(out.Persist)]
			continue
		}
		list = append(list, out.Persist...)
	}
	if len(list) == 0 {
		return nil
	}
	return b.whileFull(ctx, g, func() error {
		records, err := b.encode(list)
		if err != nil {
			return err
		}
		b.crash(CrashBeforeAppend)
		a, err := b.Log.Append(b.names.bundle, records)
		if err != nil {
			return fmt.Errorf("persist step: %w", err)
		}
		if a.First != list[0].Seq || a.Refused > 0 {
			return fmt.Errorf("persist step: the log gave number %d to record %d of the mind (%d refused)", a.First, list[0].Seq, a.Refused)
		}
		b.crash(CrashAfterAppend)
		return nil
	})
}

// encode seals and encodes. Keys of customers who are new are made first.
func (b *Body) encode(list []engine.Record) ([][]byte, error) {
	var handles []engine.Handle
	for k := range list {
		if r := &list[k]; b.codec.wantsKey(r) {
			handles = append(handles, r.Handle)
		}
	}
	if len(handles) > 0 {
		if err := b.Keys.Make(handles...); err != nil {
			return nil, fmt.Errorf("persist step: %w", err)
		}
	}
	records := make([][]byte, len(list))
	for k := range list {
		raw, err := b.codec.encode(&list[k], b.names)
		if err != nil {
			return nil, fmt.Errorf("persist step: %w", err)
		}
		records[k] = raw
	}
	return records, nil
}

func (b *Body) destroy(ctx context.Context, handles []engine.Handle, g *group) error {
	if len(handles) == 0 {
		return nil
	}
	return b.whileFull(ctx, g, func() error { return b.Keys.Destroy(handles...) })
}

// whileFull tries again, with growing pauses, while there is no room on the disk.
func (b *Body) whileFull(ctx context.Context, g *group, do func() error) error {
	told := false
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		err := do()
		if err == nil || !isFull(err) {
			if told && b.Full != nil {
				b.Full(false)
			}
			return err
		}
		b.clearProtecting(g)
		if !told {
			told = true
			b.Tell.Error("the disk is full: nothing new is shown until there is room", "error", err)
			if b.Full != nil {
				b.Full(true)
			}
		}
		if err := b.pause(ctx, pause); err != nil {
			return errors.Join(err, fmt.Errorf("persist step: %w", outbox.ErrFull))
		}
	}
}

func (b *Body) pause(ctx context.Context, d time.Duration) error {
	if b.Pause != nil {
		return b.Pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
