package agent

import (
	"slices"
	"sync"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/sync/uplink"
)

// Bounds of what may wait.
const (
	mostRequests = 256  // of local apps
	mostReadings = 1024 // of sources
	mostUplink   = 1024 // of the hub
)

// request is what a local app said in one go, with who waits for the answer.
type request struct {
	events []event.Event
	answer chan<- Answer // nil where nobody waits
	ask    func(Mind)    // looks at the mind instead of telling it something
}

// inbox holds what waits for the mind. It never blocks who puts something in,
// but for sources, whose readings wait their turn.
type inbox struct {
	mu       sync.Mutex
	requests []request
	readings []event.Event
	uplink   []uplink.Event
	lost     bool // of the hub's messages, for want of room
	closed   bool
	stirred  chan struct{} // one for any number of things that came
	room     *sync.Cond    // readings were taken
}

func newInbox() *inbox {
	b := &inbox{stirred: make(chan struct{}, 1)}
	b.room = sync.NewCond(&b.mu)
	return b
}

func (b *inbox) stir() {
	select {
	case b.stirred <- struct{}{}:
	default: // it will look anyway
	}
}

// request puts in what an app said: all of it, or ErrBusy.
func (b *inbox) request(r request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrClosed
	case len(b.requests) >= mostRequests:
		return ErrBusy
	}
	b.requests = append(b.requests, r)
	b.stir()
	return nil
}

// source puts in what a source gave. A reading takes the place of one of the
// same session and signal that waits; anything else waits for room, and so does its
// source. The error is ErrClosed.
func (b *inbox) source(e event.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if b.closed {
			return ErrClosed
		}
		if s, ok := e.Body.(*event.Signal); ok && len(b.readings) >= mostReadings/2 {
			if k := b.waiting(e.Session, s.Name); k >= 0 {
				b.readings = append(slices.Delete(b.readings, k, k+1), e)
				return nil
			}
		}
		if len(b.readings) < mostReadings {
			b.readings = append(b.readings, e)
			b.stir()
			return nil
		}
		b.room.Wait()
	}
}

// waiting finds the newest reading of a signal that nothing but readings follow.
func (b *inbox) waiting(session, name string) int {
	for k := len(b.readings) - 1; k >= 0; k-- {
		s, ok := b.readings[k].Body.(*event.Signal)
		if !ok {
			return -1 // order around what people do is kept
		}
		if s.Name == name && b.readings[k].Session == session {
			return k
		}
	}
	return -1
}

// fromHub puts in what the link hands up. What finds no room is lost, and the
// mind asks again for all that it wants.
func (b *inbox) fromHub(e uplink.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if len(b.uplink) >= mostUplink {
		b.lost = true
	} else {
		b.uplink = append(b.uplink, e)
	}
	b.stir()
}

// taken is all that waited.
type taken struct {
	requests []request
	readings []event.Event
	uplink   []uplink.Event
	lost     bool
}

func (b *inbox) take() taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := taken{b.requests, b.readings, b.uplink, b.lost}
	b.requests, b.readings, b.uplink, b.lost = nil, nil, nil, false
	b.room.Broadcast()
	return t
}

// close refuses everything from now on, and returns what still waited.
func (b *inbox) close() taken {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.take()
}
