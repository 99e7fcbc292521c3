package agent

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/zones"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// A life of the mind ends where it must be told something that a mind cannot take back: that its time
// was wrong, or that its numbers are another line's. What stands in slots is cleared, sessions end,
// windows and holds begin anew, as at a start of the device; what is durable goes on.

// relive ends the life of the mind and begins another with what it remembers, which change may change
// (nil leaves it).
func (a *Agent) relive(ctx context.Context, change func(*engine.Snapshot) error) error {
	if err := errors.Join(a.goOn(ctx, true), a.flush(ctx)); err != nil {
		return err
	}
	now := a.stamp.now()
	if _, err := a.step(ctx, engine.Input{At: now, Events: a.boots(now)}, nil); err != nil {
		return err
	}
	if err := a.flush(ctx); err != nil { // what fell due just now has a number of the old line as well
		return err
	}
	a.tellSessions(now, nil)
	snap, first := a.mind.Snapshot(), a.inForce()
	if change != nil {
		if err := change(&snap); err != nil {
			return err
		}
	}
	mind, err := a.remember(snap, nil)
	if err != nil {
		return err
	}
	a.mind = mind
	a.stamp.reach(mind.Now())
	a.queue.Clock(a.stamp.state)
	now = a.stamp.now()
	a.health = now
	a.lent.Clear() // their times and numbers were the old ones; the new life wants all again
	a.lent.describe, a.lent.up = now, min(a.lent.up, now)
	a.fetch.restart(now)
	a.touched()
	a.save()
	if _, err := a.step(ctx, engine.Input{At: now, Bundle: first, Events: a.boots(now)}, nil); err != nil {
		return err
	}
	a.describeNow()
	a.tellLink(uplink.Greet{}) // the new life does not know yet that what it holds is current
	return nil
}

// remember makes a mind of a snapshot and the records above it.
func (a *Agent) remember(snap engine.Snapshot, above []engine.Record) (*engine.Mind, error) {
	a.unsure = false
	for k := range snap.Customers {
		if c := &snap.Customers[k]; c.Revision > 0 && c.Until != sense.Never {
			// What has an end is not used while nobody knows the time, and kept: it may not have come.
			c.Here = a.stamp.state != sense.ClockUnknown
			a.unsure = a.unsure || !c.Here
		}
	}
	return engine.Restore(a.mindConfig(), snap, above)
}

func (a *Agent) mindConfig() engine.Config {
	return engine.Config{Device: a.cfg.Device, Epoch: a.epoch, Former: a.former, Secret: a.store.State.Secret(), Life: a.life, Slots: a.cfg.Slots, Owners: a.cfg.Owners,
		Absent: a.cfg.Absent, Sessions: a.cfg.Sessions, Customers: a.cfg.Customers, Zone: zones.Zone, Moments: a.moments != nil,
		Hub: a.cfg.Broker != nil, Budgets: a.cfg.Broker != nil, MaxSlices: cmp.Or(a.cfg.MaxSlices, DefaultMaxSlices)}
}

// boots are the lines with which a life of the mind begins.
func (a *Agent) boots(now sense.Instant) []event.Event {
	list := []event.Event{{At: now, HasAt: true, Happened: now, Session: event.MainSession, Body: &event.Boot{Clock: a.stamp.state, Absent: a.cfg.Absent}}}
	if a.online.Load() {
		list = append(list, event.Event{At: now, HasAt: true, Happened: now, Session: event.MainSession, Body: &event.Link{Up: true}})
	}
	return list
}

// inForce is the bundle that is in charge, nil for none.
func (a *Agent) inForce() *engine.BundleUpdate {
	b := a.mind.Bundle()
	hash, err := hex.DecodeString(a.present.SHA256)
	if b == nil || err != nil || len(hash) != 32 {
		return nil
	}
	return &engine.BundleUpdate{Bundle: b, Hash: [32]byte(hash)}
}

// reset puts the time right by off, which is more than goes by itself.
func (a *Agent) reset(ctx context.Context, off sense.Duration) error {
	before, after := a.stamp.state, a.stamp.unsureAfter()
	a.tell.Warn("the clock is put right", "by_ms", int64(off), "it_was", before.String(), "witness", a.stamp.witness())
	return a.relive(ctx, func(snap *engine.Snapshot) error {
		t, state, ok := a.stamp.truth()
		if !ok { // it was there a moment ago
			return nil
		}
		off := t.Sub(a.stamp.now())
		a.stamp.set(t, state)
		right := notAfter(t)
		if before != sense.ClockSynced {
			right = shifted(after, off, t)
		}
		right.snapshot(snap)
		return nil
	})
}

// reportToHub puts a report into the log between two steps. It is context: where there is no room, it
// is left out.
func (a *Agent) reportToHub(ctx context.Context, code, detail string, count uint64) error {
	if err := a.flush(ctx); err != nil { // its number comes after theirs
		return err
	}
	raw, err := wire.AppendRecord(nil, &wire.Report{At: int64(a.stamp.now()), Code: code, Detail: cut(detail, 1024), Count: count})
	if err != nil {
		a.tell.Error("a report for the hub cannot be written", "code", code, "error", err)
		return nil
	}
	got, err := a.queue.Append(wire.BundleID{}, [][]byte{raw})
	switch {
	case err != nil || got.Refused > 0:
		a.tell.Warn("a report for the hub found no room", "code", code, "error", err)
		return nil
	case a.mind != nil:
		a.mind.Pass()
	}
	a.touched()
	if a.link != nil {
		a.link.Appended()
	}
	return nil
}

// reportProblem tells the hub of what the link found and people must see to.
func (a *Agent) reportProblem(ctx context.Context, p uplink.Problem) error {
	if p.Code != uplink.ProblemDuplicate {
		return nil
	}
	return a.reportToHub(ctx, wire.ReportDuplicateIdentity, p.Detail, uint64(max(1, p.Count)))
}

func cut(s string, n int) string { return s[:min(n, len(s))] }
