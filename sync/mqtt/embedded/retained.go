package embedded

import (
	"sync"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// OneAtATime returns a hook that keeps a server from looking through its retained
// messages for a new subscription while it sets one. It goes last: a hook behind it
// must not refuse a publish.
func OneAtATime() mochi.Hook { return &oneAtATime{looking: map[*mochi.Client]bool{}} }

type oneAtATime struct {
	mochi.HookBase
	retained sync.RWMutex

	mu      sync.Mutex
	looking map[*mochi.Client]bool // holds the read lock
}

func (*oneAtATime) ID() string { return "one-at-a-time" }

func (*oneAtATime) Provides(b byte) bool {
	switch b {
	case mochi.OnPublish, mochi.OnWill, mochi.OnRetainMessage, mochi.OnSubscribed, mochi.OnPacketProcessed:
		return true
	}
	return false
}

// OnPublish comes just before a message is retained, OnRetainMessage just after.
func (o *oneAtATime) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Retain {
		o.retained.Lock()
	}
	return pk, nil
}

// OnWill comes just before a will is retained, unless it is delayed.
func (o *oneAtATime) OnWill(cl *mochi.Client, will mochi.Will) (mochi.Will, error) {
	if will.Retain && cl.Properties.Will.WillDelayInterval == 0 {
		o.retained.Lock()
	}
	return will, nil
}

func (o *oneAtATime) OnRetainMessage(*mochi.Client, packets.Packet, int64) { o.retained.Unlock() }

// OnSubscribed comes before the retained messages are looked through for a client; then its packet
// is processed.
func (o *oneAtATime) OnSubscribed(cl *mochi.Client, _ packets.Packet, _ []byte) {
	if cl.Net.Inline {
		return // nothing tells the end
	}
	o.retained.RLock()
	o.mu.Lock()
	o.looking[cl] = true
	o.mu.Unlock()
}

func (o *oneAtATime) OnPacketProcessed(cl *mochi.Client, _ packets.Packet, _ error) {
	o.mu.Lock()
	looked := o.looking[cl]
	delete(o.looking, cl)
	o.mu.Unlock()
	if looked {
		o.retained.RUnlock()
	}
}
