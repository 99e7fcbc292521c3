package agent

import (
	"errors"
	"path/filepath"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/moments"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
)

// MomentsFolder is where the moments of decisions are, below Config.Dir.
const MomentsFolder = "moments"

// ErrNoMoments says that this device keeps no moments.
var ErrNoMoments = errors.New("this device keeps no moments of its decisions")

// openMoments opens the ring. A device goes on without one: what decisions looked at explains them, and
// nothing rests on it.
func (a *Agent) openMoments() {
	if a.cfg.MaxMoments < 0 {
		return
	}
	ring, err := moments.Open(moments.Options{Dir: filepath.Join(a.cfg.Dir, MomentsFolder), MaxBytes: a.cfg.MaxMoments, Keep: a.cfg.KeepMoments,
		Keys: a.store.Keys, Gone: func(err error) bool { return errors.Is(err, store.ErrNoKey) }})
	if err != nil {
		a.tell.Error("moments of decisions are not kept, going on without them", "error", err)
		return
	}
	a.moments = ring
}

func (a *Agent) closeMoments() {
	if a.moments == nil {
		return
	}
	if err := a.moments.Close(); err != nil {
		a.tell.Warn("moments could not be closed", "error", err)
	}
}

// keepMoments takes what shown decisions looked at.
func (a *Agent) keepMoments(list []engine.Moment) {
	switch {
	case a.moments == nil:
	case a.flash.over:
		a.flash.skipped += uint64(len(list))
	default:
		a.moments.Append(list)
	}
}

// holdMoments lets the moments go of everybody whose slice is not here under lease any more, and tells
// once what was lost.
func (a *Agent) holdMoments() {
	if a.moments == nil {
		return
	}
	var held []engine.Handle
	now := a.stamp.now()
	a.mind.Holds(func(h engine.Handle, until sense.Instant, here bool) bool {
		if here || until == 0 { // who is new has no lease yet, and may be waited for
			held = append(held, h)
		}
		return true
	})
	a.moments.Hold(held, now)
	if s := a.moments.Status(); s.Lost > a.momentsLost {
		a.tell.Error("moments of decisions could not be written", "lost", s.Lost-a.momentsLost, "error", s.Err)
		a.momentsLost = s.Lost
	}
}

// dropMoments lets the moments of every customer go.
func (a *Agent) dropMoments() {
	if a.moments != nil {
		a.moments.Hold(nil, a.stamp.now())
	}
}

// Moments hands over what decisions looked at, oldest first, until yield wants no more: all that the ring
// still has and whose keys are here. The error is ErrNoMoments where the device keeps none.
func (a *Agent) Moments(yield func(moments.Record) bool) error {
	if a.moments == nil {
		return ErrNoMoments
	}
	return a.moments.Read(yield)
}
