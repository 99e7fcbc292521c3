package agent

import "sync"

// withheld are the numbers of records that may not be sent any more. The mind's
// goroutine adds to it, the link's reads.
type withheld struct {
	mu   sync.Mutex
	seqs map[uint64]bool
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
