package agent

import (
	"errors"
	"syscall"
	"time"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/board"
	"github.com/tact-edge/tact/sync/outbox"
)

// finishTime is how long a stop waits for room on the disk.
const finishTime = 2 * time.Second

// Status is a look at the device. It is taken without waiting for the mind.
type Status struct {
	Device   string
	Bundle   string // name@version; empty for none
	Epoch    uint64
	Boot     uint64
	Online   bool // the hub is reached
	DiskFull bool
	Steps    uint64
	Refused  uint64   // messages of the broker that were malformed, forged or not for this device
	Dropped  uint64   // messages of the broker that were too large or too many
	Reading  []string // signals that may be read now
	Sources  []board.State
	Outbox   outbox.Status
	Moments  moments.Status // zero where none are kept
	Written  store.Written  // to the disk
	Clock    string         // how far the time is right: synced, floor, unknown
	// FlashBudget is how many bytes may be written in a day before what can wait is written less often.
	FlashBudget int64
	Recovered   []store.Recovery
}

// Status returns how the device is.
func (a *Agent) Status() Status {
	s := Status{Device: a.cfg.Device, Epoch: a.queue.Status().Epoch, Boot: a.boot, Online: a.online.Load(), DiskFull: a.full.Load(), Steps: a.steps.Load(),
		Refused: a.refused.Load(), Outbox: a.queue.Status(), Recovered: *a.recoveries.Load()}
	if l, ok := a.link.(interface{ Dropped() uint64 }); ok {
		s.Dropped = l.Dropped()
	}
	if b := a.inCharge.Load(); b != nil {
		s.Bundle = *b
	}
	if r := a.reading.Load(); r != nil {
		s.Reading = *r
	}
	if a.moments != nil {
		s.Moments = a.moments.Status()
	}
	s.Clock, s.FlashBudget = sense.ClockState(a.clockState.Load()).String(), a.flashBudget()
	s.Written = a.store.Written(sense.Instant(a.seen.Load()))
	if a.board != nil {
		s.Sources = a.board.States()
	}
	return s
}

// isFull says whether there was no room: for the log, in the store, or on the disk for another file.
func isFull(err error) bool {
	for _, full := range []error{outbox.ErrFull, store.ErrFull, syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return true
		}
	}
	return false
}

// forgets remembers which of the hub's orders a receipt answers; bounded, as an
// order is repeated until its receipt has come.
type forgets struct {
	ids   map[engine.Handle]string
	order []engine.Handle
}

const mostForgets = 1024

func (f *forgets) put(h engine.Handle, id string) {
	if f.ids == nil {
		f.ids = map[engine.Handle]string{}
	}
	if _, known := f.ids[h]; !known {
		if len(f.order) == mostForgets {
			delete(f.ids, f.order[0])
			f.order = f.order[1:]
		}
		f.order = append(f.order, h)
	}
	f.ids[h] = id
}
