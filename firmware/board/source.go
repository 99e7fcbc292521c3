package board

import (
	"context"
	"errors"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Source is one input of the device: a receiver, a sensor, a log, a local app.
type Source interface {
	// Run opens the input, hands what it gives to the sink until the context ends
	// or the input does, and closes it within a second. It returns nil when the
	// context ended, ErrEnded when the input is at its end and will not go on,
	// and else what failed, after which it may be run again.
	Run(ctx context.Context, to Sink) error
	// Feeds lists the signals that the source can give, in order of name; nil
	// where it can give any event, as a local app.
	Feeds() []string
}

// Sink takes what a source gives.
type Sink struct {
	// Emit hands over one event. It may block: the source waits, and a receiver's
	// own buffer overflows at last. Its error ends the source.
	Emit func(event.Event) error
	// Refuse tells of input that was left out: a line, a cell. The rest goes on.
	Refuse func(error)
}

// ErrEnded says that an input is at its end.
var ErrEnded = errors.New("end of input")

// live makes the event of a reading taken now: the agent stamps its time.
func live(source, session, signal string, v sense.Value, age sense.Duration) event.Event {
	return event.Event{Source: source, Session: session, Body: &event.Signal{Name: signal, Value: v, Age: age}}
}

// pause waits, and says false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
