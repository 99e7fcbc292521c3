package agent

import (
	"context"
	"errors"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

var (
	// ErrBusy says that the inbox has no room now: try again soon.
	ErrBusy = errors.New("agent is busy: try again")
	// ErrClosed says that the agent has stopped.
	ErrClosed = errors.New("agent has stopped")
)

// Log is the durable log of record, sync/outbox.
type Log interface {
	Append(bundle wire.BundleID, records [][]byte) (outbox.Appended, error)
	Applied(seq uint64)
	Drop() (int, error)
	Status() outbox.Status
}

// Keys are the keys of the leases, agent/store.
type Keys interface {
	Make(handles ...engine.Handle) error
	Destroy(handles ...engine.Handle) error
	Has(engine.Handle) bool
	Seal(h engine.Handle, about string, plain []byte) ([]byte, error)
	Open(h engine.Handle, about string, sealed []byte) ([]byte, error)
}

// Saver keeps snapshots, agent/store.
type Saver interface {
	Save(epoch uint64, floor sense.Instant, snap engine.Snapshot) error
}

// Screen shows what was decided. Its methods return at once; they are called in
// the order of effects, from one goroutine.
type Screen interface {
	Clear(engine.Clear)
	Show(*engine.Decision)
}

// Sources are the sensors and inputs of the board. Want names the signals that
// may be read now: what is not among them is stopped. It returns at once.
type Sources interface {
	Want(signals []string)
}

// Clock is the device's clock.
type Clock interface {
	Wall() sense.Instant     // may be wrong, and may jump
	Elapsed() sense.Duration // since some instant, never decreasing
	Synced() bool            // whether Wall is kept right by somebody
}

// Uplink is the link to the hub, sync/mqtt. Run keeps it until the context ends;
// the others return at once.
type Uplink interface {
	Appended()
	Tell(uplink.Input) error
	Run(context.Context) error
}

// Mind is what the body drives; *engine.Mind is one. Its outputs are lent until its next step.
type Mind interface {
	Step(engine.Input) engine.Output
	Advance(at sense.Instant, yield func(engine.Output))
	Wake() sense.Instant
	Snapshot() engine.Snapshot
}
