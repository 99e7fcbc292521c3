package serve

import (
	"context"
	"time"

	"github.com/tact-edge/tact/sync/hub"
)

// scrubEvery is how often it is tried to take what a forget deleted out of the files,
// while somebody reads who still sees it.
const scrubEvery = time.Second

// owesScrub notes that a round forgets, before anybody hears of it.
func (h *Hub) owesScrub(outputs []hub.Output) {
	for _, out := range outputs {
		for _, w := range out.Writes {
			if _, erased := w.(hub.PutErased); erased {
				h.counts.scrub.Store(true)
				h.scrubNext = time.Time{}
			}
		}
	}
}

// scrub has what a forget deleted taken out of the files: with the round that forgets,
// and where a reader is in the way with later ones until it is done; ticks bring rounds.
func (h *Hub) scrub(ctx context.Context) {
	s, can := h.ledger.(interface {
		Scrub(context.Context) (bool, error)
	})
	if !can || !h.counts.scrub.Load() || time.Now().Before(h.scrubNext) {
		return
	}
	done, err := s.Scrub(ctx)
	if err != nil {
		h.cfg.Tell.Error("ledger cannot be scrubbed yet", "error", err)
	}
	h.cfg.Crash(CrashAfterScrub)
	h.counts.scrub.Store(!done)
	h.scrubNext = time.Now().Add(scrubEvery)
}
