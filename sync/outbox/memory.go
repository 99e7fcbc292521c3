package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
)

// Fault is what happens to a commit of a Memory.
type Fault uint8

const (
	FaultNone   Fault = iota
	FaultBefore       // an error, and nothing was written
	FaultAfter        // an error, and all of it was written
	FaultFull         // ErrFull, and nothing was written
)

// errPower is the error of a commit that a power cut interrupted.
var errPower = errors.New("power lost")

// Memory is a Disk for tests and the simulator. It can fail any commit, and it
// can have lied: Lose takes back commits that were reported as durable.
type Memory struct {
	// Fault decides about each commit, where it is not nil.
	Fault func(Write) Fault

	mu      sync.Mutex
	meta    Meta
	entries map[uint64][]byte
	aside   []Entry
	undo    []func() // newest last
	commits int
	bytes   int64
}

const maxUndo, maxAside = 64, 256

// Load implements Disk.
func (m *Memory) Load(visit func(seq uint64, value []byte)) (Meta, error) {
	for s := m.meta.First; s < m.meta.Next; s++ {
		if v, ok := m.entries[s]; ok {
			v = bytes.Clone(v)
			visit(s, v)
			clear(v)
		}
	}
	return m.meta, nil
}

// Read implements Disk.
func (m *Memory) Read(from uint64, visit func(seq uint64, value []byte) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := max(from, m.meta.First); s < m.meta.Next; s++ {
		v, ok := m.entries[s]
		if !ok {
			continue
		}
		v = bytes.Clone(v)
		more := visit(s, v)
		clear(v) // a value is valid during the visit only: who keeps it shall notice
		if !more {
			return nil
		}
	}
	return nil
}

// Commit implements Disk.
func (m *Memory) Commit(w Write) error {
	fault := FaultNone
	if m.Fault != nil {
		fault = m.Fault(w)
	}
	switch fault {
	case FaultBefore:
		return fmt.Errorf("commit: %w", errPower)
	case FaultFull:
		return fmt.Errorf("commit: %w", ErrFull)
	}
	m.apply(w)
	if fault == FaultAfter {
		return fmt.Errorf("commit: %w", errPower)
	}
	return nil
}

func (m *Memory) apply(w Write) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries = map[uint64][]byte{}
	}
	before, aside := m.meta, len(m.aside)
	old := map[uint64][]byte{}
	for _, e := range w.Put {
		old[e.Seq] = m.entries[e.Seq]
		m.entries[e.Seq] = bytes.Clone(e.Value)
		m.bytes += int64(len(e.Value))
	}
	for s := before.First; s < w.Meta.First; s++ {
		if _, ok := old[s]; !ok {
			old[s] = m.entries[s]
		}
		delete(m.entries, s)
	}
	for _, e := range w.Aside {
		m.aside = append(m.aside, Entry{e.Seq, bytes.Clone(e.Value)})
	}
	m.meta = w.Meta
	m.commits++
	m.undo = append(m.undo, func() {
		for s, v := range old {
			if v == nil {
				delete(m.entries, s)
			} else {
				m.entries[s] = v
			}
		}
		m.meta, m.aside = before, m.aside[:min(aside, len(m.aside))]
	})
	if len(m.undo) > maxUndo {
		m.undo = m.undo[1:]
	}
	if len(m.aside) > maxAside {
		m.aside = m.aside[len(m.aside)-maxAside:]
	}
}

// Lose takes back the last n commits: a disk that lied about them and lost power.
func (m *Memory) Lose(n int) {
	for ; n > 0 && len(m.undo) > 0; n-- {
		m.undo[len(m.undo)-1]()
		m.undo = m.undo[:len(m.undo)-1]
	}
}

// Aside returns what is in quarantine.
func (m *Memory) Aside() []Entry { return m.aside }

// Commits returns how many commits were performed, and Written their bytes of records.
func (m *Memory) Commits() int   { return m.commits }
func (m *Memory) Written() int64 { return m.bytes }
