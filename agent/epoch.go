package agent

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// An epoch is one line of numbers. A device leaves it where its store turns out to be a copy, put back
// or taken to another machine: the same numbers may then stand for other records elsewhere. What the
// hub has not acknowledged is taken over as wire.Moved, sealed parts under their old numbers; the hub
// counts none twice. Decisions are numbered from 1 again, as in every epoch; those made before keep
// their ids, and are answered under them.

// reasons to leave an epoch.
type whyLeave struct {
	report string // code for the hub; empty for none
	err    error
}

// formerFile lists the epochs that were left, below Config.Dir, each with how many decisions it had, one
// a line, the last last: decisions made in them are answered still.
const (
	formerFile = "epochs"
	mostFormer = 16
)

// newEpoch draws one: 63 random bits.
func newEpoch() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return max(1, binary.BigEndian.Uint64(b[:])>>1)
}

// leaveEpoch leaves the epoch between two steps of a life. Where the disk has no room for it the
// device goes on as it is, and the hub asks again.
func (a *Agent) leaveEpoch(ctx context.Context, why whyLeave) error {
	a.tell.Error("the epoch is left: what the hub does not have is taken over into another", "epoch", a.epoch, "error", why.err)
	a.save() // so that nothing of the old line must be folded in again
	left := false
	err := a.relive(ctx, func(snap *engine.Snapshot) error {
		err := a.moveOn(snap, a.body.names, why.err)
		if isFull(err) {
			a.tell.Error("there is no room to leave the epoch", "error", err)
			return nil
		}
		left = err == nil
		return err
	})
	if err != nil || !left {
		return err
	}
	if a.link != nil {
		a.link.Appended() // it sees that the line is another, and begins with a hello
	}
	return a.reportLeft(ctx, why)
}

// reportLeft tells the hub why an epoch was left.
func (a *Agent) reportLeft(ctx context.Context, why whyLeave) error {
	if why.report != "" && len(a.former) > 0 {
		return a.reportToHub(ctx, why.report, fmt.Sprintf("epoch %d was left: %v", a.former[len(a.former)-1].Epoch, why.err), 1)
	}
	return nil
}

// moveOn moves what the hub does not have into a new epoch, in one step, and brings a snapshot from the
// numbers of the old one to those of the new. Nothing else uses the queue meanwhile.
func (a *Agent) moveOn(snap *engine.Snapshot, names *symbols, why error) error {
	old, end := a.epoch, a.queue.Status().Next
	if err := a.addFormer(engine.Former{Epoch: old, Decisions: snap.Decisions}); err != nil {
		return err
	}
	moved := map[uint64]uint64{}
	err := a.queue.Renew(func(acknowledged func(seq uint64) bool) error {
		m := outbox.Move{Epoch: newEpoch(), At: a.stamp.now(), Write: func(seq uint64, _ wire.BundleID, record []byte) ([]byte, error) {
			if acknowledged(seq) {
				return nil, nil
			}
			raw, err := a.codec.moved(old, seq, record, a.stamp.now())
			if err == nil {
				moved[seq] = uint64(len(moved)) + 1
			}
			return raw, err
		}}
		if err := a.store.NewEpoch(a.storeOptions(), why, m); err != nil {
			return err
		}
		a.codec.withheld.clear()
		return nil
	})
	if err != nil {
		return fmt.Errorf("leave epoch %d: %w", old, err)
	}
	a.setEpoch()
	a.recoveries.Store(new(slices.Clone(a.store.Recovered)))
	if err := a.moveLost(snap, names, old, end, moved); isFull(err) {
		a.tell.Error("there is no room for all that the log of the epoch left had lost", "error", err)
	} else if err != nil {
		return err
	}
	last := a.queue.Status().Next - 1
	renumber(snap, moved, last)
	for _, h := range a.store.Keys.Handles() {
		a.lastUse[h] = last
	}
	return nil
}

// moveLost takes over what the snapshot still has of records that the log of the old line had lost:
// the hub may never have heard of them.
func (a *Agent) moveLost(snap *engine.Snapshot, names *symbols, old, end uint64, moved map[uint64]uint64) error {
	for k := range snap.Customers {
		for _, r := range snap.Customers[k].Pending {
			if r.Seq == 0 || r.Seq < end || moved[r.Seq] != 0 {
				continue
			}
			raw, err := a.codec.encode(&r, names)
			if err == nil {
				raw, err = a.codec.moved(old, r.Seq, raw, a.stamp.now())
			}
			if err != nil {
				continue // its key is gone: there is nothing left to tell
			}
			got, err := a.queue.Append(names.bundle, [][]byte{raw})
			if err != nil {
				return fmt.Errorf("leave epoch %d: %w", old, err)
			}
			moved[r.Seq] = got.First
		}
	}
	return nil
}

// renumber brings a snapshot to the numbers of another line, of which everything up to applied is in it,
// and no decision yet. What was not moved is at the hub: it has no number here. What was shown and is not
// answered counts as shown.
func renumber(snap *engine.Snapshot, moved map[uint64]uint64, applied uint64) {
	snap.Applied, snap.Decisions = applied, 0
	for k := range snap.Volume {
		for n := range snap.Volume[k].Shown {
			snap.Volume[k].Shown[n].N = 0
		}
	}
	for k := range snap.Customers {
		c := &snap.Customers[k]
		for n := range c.Pending {
			c.Pending[n].Seq = moved[c.Pending[n].Seq]
		}
		sort.SliceStable(c.Pending, func(a, b int) bool { return c.Pending[a].Seq < c.Pending[b].Seq })
		for n := range c.Slice.Exposures {
			c.Slice.Exposures[n].Seq = moved[c.Slice.Exposures[n].Seq]
		}
		c.Budgets = profile.Budgets{}
		c.Changed++
	}
}

// movedFrom returns the numbers that records of an epoch have in the present log.
func (a *Agent) movedFrom(epoch uint64) (map[uint64]uint64, error) {
	moved := map[uint64]uint64{}
	err := a.queue.Read(0, func(seq uint64, _ wire.BundleID, raw []byte) bool {
		if n := numberIn(epoch, raw); n != 0 {
			moved[n] = seq
		}
		return true
	})
	return moved, err
}

// numberIn returns the number that a record had in an epoch which it was moved from; 0 where it was not.
func numberIn(epoch uint64, raw []byte) uint64 {
	for len(raw) > 0 && wire.Kind(raw[0]) == wire.KindMoved {
		var m wire.Moved
		if wire.DecodeInto(raw, &m) != nil {
			return 0
		}
		if m.Epoch == epoch {
			return m.Seq
		}
		raw = m.Body
	}
	return 0
}

// setEpoch takes over the epoch of the queue.
func (a *Agent) setEpoch() {
	a.epoch = a.queue.Status().Epoch
	a.codec.epoch = a.epoch
}

// loadFormer reads which epochs were left. Without the list they are only not answered any more.
func (a *Agent) loadFormer() {
	raw, err := update.Folder(a.cfg.Dir).Read(formerFile, 1<<10)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			a.tell.Warn("the epochs that were left cannot be read", "error", err)
		}
		return
	}
	for line := range strings.Lines(string(raw)) {
		var f engine.Former
		if n, _ := fmt.Sscan(line, &f.Epoch, &f.Decisions); n == 2 {
			a.former = append(a.former, f)
		}
	}
}

// addFormer notes durably that an epoch is left, before it is.
func (a *Agent) addFormer(left engine.Former) error {
	former := append(slices.DeleteFunc(slices.Clone(a.former), func(f engine.Former) bool { return f.Epoch == left.Epoch }), left)
	former = former[max(0, len(former)-mostFormer):]
	var raw []byte
	for _, f := range former {
		raw = fmt.Appendf(raw, "%d %d\n", f.Epoch, f.Decisions)
	}
	if err := update.Folder(a.cfg.Dir).Replace(formerFile, raw); err != nil {
		return fmt.Errorf("leave epoch %d: %w", left.Epoch, err)
	}
	a.former = former
	return nil
}
