package serve

import (
	"fmt"
	"sync"
	"time"
)

// away says whether the ledger's database is there, and when to try it again where
// it is not: until then nothing waits for it.
type away struct {
	mu    sync.Mutex
	since time.Time // zero while it is there
	cause error
	next  time.Time // of the next try
	delay time.Duration
}

// The first try comes soon: most often the database was started anew.
const (
	firstTry = 100 * time.Millisecond
	lastTry  = 5 * time.Second
)

// present is nil where the database is there, or is to be tried.
func (a *away) present(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() || !now.Before(a.next) {
		return nil
	}
	return a.err()
}

// err says since when the database is away; nil where it is there.
func (a *away) err() error {
	if a.since.IsZero() {
		return nil
	}
	return fmt.Errorf("the ledger is not available since %s: %w", a.since.UTC().Format(time.RFC3339), a.cause)
}

// status is err for those who ask.
func (a *away) status() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err()
}

// lost notes that a try has failed; it says whether that is news.
func (a *away) lost(now time.Time, cause error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	news := a.since.IsZero()
	if news {
		a.since, a.delay = now, firstTry
	}
	a.cause, a.next = cause, now.Add(a.delay)
	a.delay = min(2*a.delay, lastTry)
	return news
}

// found notes that the database is there; it says whether that is news, and how long it was away.
func (a *away) found(now time.Time) (time.Duration, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		return 0, false
	}
	was := now.Sub(a.since)
	a.since, a.cause = time.Time{}, nil
	return was, true
}

// lose and found tell the operator, once for each time that it is away.
func (h *Hub) lose(err error) {
	h.counts.ledgerErrors.Add(1)
	if h.away.lost(time.Now(), err) {
		h.cfg.Tell.Error("ledger is away: nothing is taken until it is back", "error", err)
	}
}

func (h *Hub) found() {
	if was, news := h.away.found(time.Now()); news {
		h.cfg.Tell.Info("ledger is there again", "after", was.Round(time.Millisecond))
	}
}
