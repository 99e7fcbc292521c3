package main_test

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// Labelled points: those that any work comes to, and those of a store that was put back.
var (
	agentLabels = []string{agent.CrashBeforeAppend, agent.CrashAfterAppend, agent.CrashAfterShow, agent.CrashAfterAcknowledge, agent.CrashAfterSnapshot}
	epochLabels = []string{store.CrashEpochWritten, store.CrashEpochBegun}
	hubLabels   = []string{serve.CrashBeforeCommit, serve.CrashAfterCommit, serve.CrashAfterPublish, serve.CrashAfterScrub}
)

// victim is a process that may be killed.
type victim struct {
	*process
	ready  func()
	device *witness // nil for hub and broker
}

// blow is one thing that is done to a world.
type blow struct {
	victim
	label string // where it kills itself; empty: it is killed from outside
	back  bool   // its store is put back from a copy
}

// blows are all kinds of them once, in a random order.
func (c *campaign) blows() (all []blow) {
	hub := victim{c.w.hub, c.w.awaitHub, nil}
	all = append(all, blow{victim: hub})
	if c.w.broker != nil {
		all = append(all, blow{victim: victim{c.w.broker, c.w.awaitBroker, nil}})
	}
	if hub.crashing != nil {
		for _, l := range hubLabels {
			all = append(all, blow{victim: hub, label: l})
		}
	}
	for _, d := range c.devices {
		all = append(all, blow{victim: victim{d.process, d.answers, d}})
	}
	at := c.random.IntN(len(c.devices))
	for k, l := range agentLabels {
		d := c.devices[(at+k)%len(c.devices)]
		all = append(all, blow{victim: victim{d.process, d.answers, d}, label: l})
	}
	d := c.devices[at]
	all = append(all, blow{victim: victim{d.process, d.answers, d}, label: epochLabels[c.random.IntN(len(epochLabels))], back: true})
	c.random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

// kill deals blows until so many processes were killed, and starts each again a moment later.
func (c *campaign) kill(kills int) {
	c.t.Helper()
	for _, d := range c.devices {
		c.copyStore(d)
	}
	var bag []blow
	for c.tally["kills"] < kills || len(bag) > 0 { // the last bag is emptied: each has its turn
		if len(bag) == 0 {
			bag = c.blows()
		}
		b := bag[0]
		bag = bag[1:]
		c.pass(time.Duration(100+c.random.IntN(500)) * time.Millisecond)
		switch {
		case b.back:
			c.putBack(b.device, b.label)
		case b.label != "":
			c.count(b.process, b.process.kill)
			times := c.random.IntN(4)
			if b.label == agent.CrashAfterSnapshot || b.label == serve.CrashAfterScrub { // one does not come to it often
				times = 0
			}
			b.startArmed(c.t, b.label, times)
			c.awaitDeath(b)
			b.start(c.t)
			b.ready()
		default:
			c.plain(b, &bag)
		}
		if c.published < len(c.bundles) && c.tally["kills"] > (c.published+1)*kills/(len(c.bundles)+1) {
			if code, text := c.w.publish(c.bundles[c.published]); code != 200 {
				c.t.Errorf("the hub answered bundle %d with %d %s", c.published+2, code, text)
			}
			c.published++
		}
	}
	c.pass(time.Second)
}

// plain kills one, and every third time the next of the bag together with it.
func (c *campaign) plain(b blow, bag *[]blow) {
	c.t.Helper()
	victims := []blow{b}
	if rest := *bag; len(rest) > 0 && rest[0].label == "" && rest[0].process != b.process && c.random.IntN(3) == 0 {
		victims, *bag = append(victims, rest[0]), rest[1:]
	}
	for _, v := range victims {
		c.count(v.process, v.process.kill)
	}
	c.pass(time.Duration(c.random.IntN(600)) * time.Millisecond)
	for _, v := range victims {
		v.start(c.t)
	}
	for _, v := range victims {
		v.ready()
	}
}

func (c *campaign) count(p *process, kill func()) {
	kill()
	c.tally["kills"]++
	c.tally[p.name]++
}

// awaitDeath waits until a process has killed itself. One that does not come to its label
// in time is killed from outside.
func (c *campaign) awaitDeath(b blow) {
	c.t.Helper()
	late := time.After(6 * time.Second)
	nudge := time.NewTicker(20 * time.Millisecond)
	defer nudge.Stop()
	nudged := false
	for {
		select {
		case <-b.ended:
			how, _ := b.command.ProcessState.Sys().(syscall.WaitStatus)
			if !how.Signaled() || how.Signal() != syscall.SIGKILL {
				c.t.Errorf("%s was to kill itself %q, and ended with %s:\n%s", b.name, b.label, b.command.ProcessState, b.logged())
			}
			c.count(b.process, func() {})
			c.tally[b.label]++
			return
		case <-late:
			c.count(b.process, b.process.kill)
			c.tally["not reached: "+b.label]++
			return
		case <-nudge.C: // a clean stop writes a snapshot
			if b.label == agent.CrashAfterSnapshot && !nudged && b.device.state().Boot > 0 {
				nudged = true
				_ = b.command.Process.Signal(syscall.SIGTERM) // one that has just ended takes no signal
			}
		}
	}
}

// copyStore copies the store of a device, as a careful owner does: while it is off.
func (c *campaign) copyStore(d *witness) {
	c.t.Helper()
	d.gate.Lock()
	defer d.gate.Unlock()
	c.count(d.process, d.kill)
	from, to := filepath.Join(d.dir, "store"), filepath.Join(d.dir, "copy")
	c.replace(to, from)
	d.up()
	d.copied = max(1, d.state().Outbox.Next)
}

// putBack puts the store of a device back from the copy, which the device does not know. What it made
// since then is at the hub: nobody could find it otherwise. It kills itself while it leaves its epoch
// where there is a label.
func (c *campaign) putBack(d *witness, label string) {
	c.t.Helper()
	d.gate.Lock()
	defer d.gate.Unlock()
	before := d.state()
	if !becomes(60*time.Second, func() bool {
		before = d.state()
		if before.Outbox.Next <= d.copied {
			d.tell(`{"ask":"counter"}`)
		}
		return before.Outbox.Next > d.copied && before.Outbox.Acknowledged+1 == before.Outbox.Next
	}) {
		d.stuck("has not made something since the copy and handed everything over", 60*time.Second)
	}
	c.count(d.process, d.kill)
	c.replace(filepath.Join(d.dir, "store"), filepath.Join(d.dir, "copy"))
	d.startArmed(c.t, label, 0)
	c.awaitDeath(blow{victim: victim{d.process, d.answers, d}, label: label})
	d.up()
	await(c.t, d.id+" has left the epoch of the copy", 60*time.Second, func() bool { s := d.state(); return s.Epoch != "" && s.Epoch != before.Epoch })
	d.epochs++
	c.tally["stores put back"]++
	// The next one is put back from a copy of what there is now.
	c.count(d.process, d.kill)
	c.replace(filepath.Join(d.dir, "copy"), filepath.Join(d.dir, "store"))
	d.up()
	d.copied = max(1, d.state().Outbox.Next)
}

// replace makes a folder a copy of another, as it is on the disk.
func (c *campaign) replace(to, from string) {
	c.t.Helper()
	if err := os.RemoveAll(to); err != nil {
		c.t.Fatal(err)
	}
	must(c.t, c.w.dir, "cp", "-a", from, to)
}
