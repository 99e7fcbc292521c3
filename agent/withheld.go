package agent

import (
	"sync"

	"github.com/tact-edge/tact/agent/engine"
)

// withheld is what may not be sent any more: records by number, because their purposes were
// refused, and those of customers of whose forget the link has heard and the mind has not yet.
// The mind's goroutine adds to the numbers, the link's to the customers and reads both.
type withheld struct {
	mu     sync.Mutex
	seqs   map[uint64]bool
	doomed map[engine.Handle]bool
}

// doom holds back what waits to be sent of a customer until the mind has destroyed the key: a forget that
// has come may not be overtaken by what it is about.
func (w *withheld) doom(h engine.Handle, keys Keys) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.doomed == nil {
		w.doomed = map[engine.Handle]bool{}
	}
	for old := range w.doomed {
		if !keys.Has(old) {
			delete(w.doomed, old)
		}
	}
	if keys.Has(h) {
		w.doomed[h] = true
	}
}

// waits says whether a customer is about to be forgotten.
func (w *withheld) waits(h engine.Handle, keys Keys) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doomed[h] && keys.Has(h)
}

func (w *withheld) add(seqs []uint64) {
	if len(seqs) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seqs == nil {
		w.seqs = map[uint64]bool{}
	}
	for _, seq := range seqs {
		w.seqs[seq] = true
	}
}

func (w *withheld) has(seq uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seqs[seq]
}

// clear forgets all of them: the numbers of another line begin.
func (w *withheld) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seqs = nil
}
