package agent

import (
	"slices"
	"sync"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
)

// Bounds of what is kept of hand-overs for staff who come to the device.
const (
	handOverKept = sense.Hour
	mostHandOver = 32
)

// handOvers are the last ones, in memory only: what is durable of one is that it took place.
type handOvers struct {
	mu   sync.Mutex
	list []handed // oldest first
}

type handed struct {
	engine.HandOver
	told sense.Duration // by the clock's Elapsed
}

func (l *handOvers) add(h engine.HandOver, now sense.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == mostHandOver {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, handed{h, now})
}

// forget drops what was said of somebody who is forgotten.
func (l *handOvers) forget(handles []engine.Handle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(h handed) bool { return slices.Contains(handles, h.Handle) })
}

// of returns the hand-overs of a session, of all where it is empty, the newest first; those that are
// too long ago go.
func (l *handOvers) of(session string, now sense.Duration) (list []engine.HandOver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(h handed) bool { return now-h.told >= handOverKept })
	for k := len(l.list) - 1; k >= 0; k-- {
		if session == "" || l.list[k].Session == session {
			list = append(list, l.list[k].HandOver)
		}
	}
	return list
}

// HandOvers returns what a person is told who takes over in a session (in any where it is empty), the
// newest first, for an hour.
func (a *Agent) HandOvers(session string) []engine.HandOver {
	return a.handed.of(session, a.cfg.Clock.Elapsed())
}

// handOver tells who follows the stream, and keeps it for who comes to the device.
func (a *Agent) handOver(h *engine.HandOver) {
	a.handed.add(*h, a.cfg.Clock.Elapsed())
	a.feed.HandOver(h)
}
