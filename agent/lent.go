package agent

import (
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// lending is what the agent keeps of all leases.
type lending struct {
	Leases
	stale    bool          // the link does not know yet which slices are held
	describe sense.Instant // not before then it is told again
}

// describeEvery is how often the link is told which slices are held, at the most.
const describeEvery = 5 * sense.Second

// lend makes the leases of an agent ready.
func (a *Agent) lend() {
	a.lent.Leases = Leases{
		Tell: a.tellLink,
		Seal: func(h engine.Handle, customer string) ([]byte, error) {
			key := a.hubKey()
			if a.link == nil || key == nil {
				return nil, nil
			}
			return a.codec.sealToHub(key, wire.Handle(h), customer, "slice")
		},
		Limited: func() bool { return a.link != nil && limited(a.mind.Bundle()) },
		Log:     func() (epoch, last uint64) { return a.epoch, a.queue.Status().Next - 1 },
		Timely:  func() bool { return a.stamp.state != sense.ClockUnknown },
		Warn:    func(what string, err error) { a.tell.Error(what, "error", err) },
	}
}

// want takes what the mind wants now that it did not want before: sources are started and stopped, slices and
// budgets asked for and given back.
func (a *Agent) want(w *engine.Want) {
	if a.sources != nil {
		a.sources.Want(w.Signals)
	}
	a.reading.Store(&w.Signals)
	a.lent.Want(w, a.stamp.now())
	a.lent.stale = a.lent.stale || len(w.Slices)+len(w.Gone) > 0
}

// askAgain asks for every slice: after messages of the hub found no room.
func (a *Agent) askAgain() {
	a.tell.Warn("messages of the hub found no room: asking again for what is wanted")
	a.lent.Again(a.stamp.now())
	a.fetch.restart(a.stamp.now())
}

// describeHeld tells the link what is held, not at each change.
func (a *Agent) describeHeld(now sense.Instant) {
	if a.lent.stale && now >= a.lent.describe {
		a.describeNow()
		a.lent.describe = now.Add(describeEvery)
	}
}

// describeNow tells the link what the device is and which slices it holds.
func (a *Agent) describeNow() {
	a.lent.stale = false
	a.describe(a.lent.Held())
}
