package store

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/sense"
)

// Version 2 added the showings that volumes count. Version 3 keeps the lists
// apart, so that each is written only when it has changed.
const (
	headVersion = 3
	partVersion = 1
)

// head is the part of a snapshot that belongs to nobody, with the epoch whose
// numbers it speaks of.
type head struct {
	epoch  uint64
	secret [16]byte
	floor  sense.Instant
	snap   engine.Snapshot // without customers
}

// part is one of the lists of a head, stored under its name.
type part struct {
	name   string
	append func([]byte, *engine.Snapshot) []byte
	read   func(*cursor, *engine.Snapshot)
}

var parts = []part{
	{"owned", func(b []byte, s *engine.Snapshot) []byte { return appendList(b, s.Owned, appendFact) },
		func(c *cursor, s *engine.Snapshot) { s.Owned = list(c, readFact) }},
	{"erased", func(b []byte, s *engine.Snapshot) []byte { return appendList(b, s.Erased, appendTombstone) },
		func(c *cursor, s *engine.Snapshot) { s.Erased = list(c, readTombstone) }},
	{"fences", func(b []byte, s *engine.Snapshot) []byte { return appendList(b, s.Fences.Fences, appendFence) },
		func(c *cursor, s *engine.Snapshot) { s.Fences.Fences = list(c, readFence) }},
	{"seen", func(b []byte, s *engine.Snapshot) []byte { return appendList(b, s.Seen, appendSeen) },
		func(c *cursor, s *engine.Snapshot) { s.Seen = list(c, readSeen) }},
	{"volume", func(b []byte, s *engine.Snapshot) []byte { return appendList(b, s.Volume, appendVolume) },
		func(c *cursor, s *engine.Snapshot) { s.Volume = list(c, readVolume) }},
}

func (p *part) encode(s *engine.Snapshot) []byte { return p.append([]byte{partVersion}, s) }

func (p *part) decode(raw []byte, s *engine.Snapshot) error {
	c, _, err := begin(raw, partVersion)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.name, err)
	}
	p.read(c, s)
	return end(c, p.name)
}

func appendHead(b []byte, h *head) []byte {
	b = append(b, headVersion)
	b = msgp.AppendUint64(b, h.epoch)
	b = msgp.AppendBytes(b, h.secret[:])
	b = appendInstant(b, h.floor)
	b = msgp.AppendUint64(b, h.snap.Applied)
	b = msgp.AppendUint64(b, h.snap.Decisions)
	b = msgp.AppendUint64(b, h.snap.Handles)
	return appendInstant(b, h.snap.At)
}

// readHead reads a head; one of an older version has its lists in it, and apart
// is false.
func readHead(raw []byte) (h head, apart bool, err error) {
	c, version, err := begin(raw, headVersion)
	if err != nil {
		return h, false, fmt.Errorf("read state: %w", err)
	}
	c.first = version < 2
	h.epoch = c.uint()
	c.exact(h.secret[:])
	h.floor = c.instant()
	h.snap.Applied = c.uint()
	h.snap.Decisions = c.uint()
	h.snap.Handles = c.uint()
	h.snap.At = c.instant()
	if apart = version >= 3; apart {
		return h, apart, end(c, "state")
	}
	for k := range parts {
		if parts[k].name != "volume" || version >= 2 {
			parts[k].read(c, &h.snap)
		}
	}
	return h, apart, end(c, "state")
}

func appendFence(b []byte, f *moment.FenceSide) []byte {
	return msgp.AppendUint8(msgp.AppendString(msgp.AppendString(b, f.Session), f.Place), uint8(f.Side))
}

func readFence(c *cursor) moment.FenceSide {
	return moment.FenceSide{Session: c.text(), Place: c.text(), Side: c.side()}
}

func appendSeen(b []byte, s *engine.SeenID) []byte {
	return msgp.AppendString(msgp.AppendString(b, s.Source), s.ID)
}

func readSeen(c *cursor) engine.SeenID { return engine.SeenID{Source: c.text(), ID: c.text()} }

func appendVolume(b []byte, v *engine.Volume) []byte {
	return appendList(msgp.AppendString(b, v.Action), v.Shown, func(b []byte, s *engine.Showing) []byte {
		return msgp.AppendBool(appendInstant(msgp.AppendUint64(b, s.N), s.At), s.Settled)
	})
}

func readVolume(c *cursor) engine.Volume {
	return engine.Volume{Action: c.text(), Shown: list(c, func(c *cursor) engine.Showing {
		return engine.Showing{N: c.uint(), At: c.instant(), Settled: c.truth()}
	})}
}
