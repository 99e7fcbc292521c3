package agent

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// flash is what the body knows of what is written to the disk, which wears it. Beyond the budget of a
// day what can wait waits: snapshots come four times as rarely, and moments are not kept. What is
// decided is durable before it is shown all the same.
type flash struct {
	over    bool          // the budget of this day is spent
	told    int64         // the day for which the hub was told, since 1970
	moments int64         // bytes of the ring that are counted
	skipped uint64        // moments that were not kept for it
	swept   sense.Instant // when the moments of ended leases went last
}

const (
	sparingBy  = 4
	sweepEvery = sense.Hour        // moments of ended leases: files are written anew for it
	dropAfter  = 15 * sense.Minute // of idleness: drops ride in the next append
	dropFrom   = 1024              // so many records are worth a commit of their own
)

func (a *Agent) flashBudget() int64 { return cmp.Or(a.cfg.FlashBudget, DefaultFlashBudget) }

// sparing is by how much what can wait is written more rarely.
func (a *Agent) sparing() int {
	if a.flash.over {
		return sparingBy
	}
	return 1
}

// nextSave is when a snapshot is due of what changes now.
func (a *Agent) nextSave() sense.Instant {
	return a.stamp.now().Add(snapshotAfter * sense.Duration(a.sparing()))
}

// countFlash takes the ring's bytes into the account, and holds the day's sum against the budget.
func (a *Agent) countFlash(ctx context.Context, now sense.Instant) error {
	if a.moments != nil {
		if n := a.moments.Status().Written; n > a.flash.moments {
			a.store.Wrote(MomentsFolder, n-a.flash.moments)
			a.flash.moments = n
		}
	}
	today, budget := a.store.Written(now).Today, a.flashBudget()
	over := budget > 0 && today > budget
	if over != a.flash.over {
		a.flash.over = over
		a.tell.Warn("bytes written today", "bytes", today, "budget", budget, "sparing", over)
	}
	if day := int64(now) / int64(sense.Day); over && a.flash.told != day {
		a.flash.told = day
		return a.reportToHub(ctx, wire.ReportFlashBudget, fmt.Sprintf("%d bytes were written today, %d are allowed: snapshots come more rarely, moments are not kept", today, budget), uint64(today))
	}
	return nil
}

// drop lets go of what the hub has acknowledged, where enough has come together or nothing else is
// written for a while; else it goes with the next append.
func (a *Agent) drop(now sense.Instant) {
	s := a.queue.Status()
	if s.Broken { // by the link, perhaps, of which nobody else would hear until something happens
		a.failed = fmt.Errorf("look after the log: %w", outbox.ErrBroken)
		return
	}
	n := int64(min(s.Head, a.saved+1)) - int64(s.First)
	if n <= 0 || n < dropFrom && now >= a.appended && now < a.appended.Add(dropAfter) {
		return
	}
	if _, err := a.queue.Drop(); err != nil {
		a.tell.Warn("acknowledged records could not be dropped", "error", err)
	}
}

// tidyMoments lets the moments of ended leases go.
func (a *Agent) tidyMoments(now sense.Instant) {
	if now < a.flash.swept.Add(sweepEvery) && now >= a.flash.swept {
		return
	}
	a.flash.swept = now
	a.holdMoments()
}
