package embedded

import (
	"errors"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// TakeOver returns a hook that ends the connection of a client of the same id before
// another begins. The library does both at once (v2.7.9): what the old connection
// cleans up at its end is then the entry of the new one, which stays connected, hears
// nothing, and is taken over by nobody.
func TakeOver(s *mochi.Server) mochi.Hook {
	return &takeOver{server: s, coming: map[string]*mochi.Client{}}
}

type takeOver struct {
	mochi.HookBase
	server *mochi.Server

	mu     sync.Mutex
	coming map[string]*mochi.Client // by id, from establishing on until it has been
}

var errTakenOver = errors.New("another connection has the same client id")

// takeOverTime bounds the wait for a connection that is at its end, or at its beginning.
const takeOverTime = 5 * time.Second

func (*takeOver) ID() string { return "take-over" }

func (*takeOver) Provides(b byte) bool {
	return b == mochi.OnSessionEstablish || b == mochi.OnSessionEstablished
}

// OnSessionEstablish comes before a client is entered, on a goroutine of its own.
func (o *takeOver) OnSessionEstablish(c *mochi.Client, _ packets.Packet) {
	o.await(func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		if other := o.coming[c.ID]; other != nil && !other.Closed() {
			return false
		}
		o.coming[c.ID] = c
		return true
	})
	old, ok := o.server.Clients.Get(c.ID)
	if !ok {
		return
	}
	old.Stop(errTakenOver)
	if !old.Properties.Clean {
		return // its entry stays: there is nothing that it cleans up
	}
	o.await(func() bool {
		now, ok := o.server.Clients.Get(c.ID)
		return !ok || now != old
	})
}

// OnSessionEstablished comes when a client is entered, and has heard that it is.
func (o *takeOver) OnSessionEstablished(c *mochi.Client, _ packets.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.coming[c.ID] == c {
		delete(o.coming, c.ID)
	}
}

func (o *takeOver) await(done func() bool) {
	late := time.After(takeOverTime)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-late:
			return
		case <-tick.C:
		}
	}
}
