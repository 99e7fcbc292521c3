package agent

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// goClock goes with Go's own time, which tests bend.
type goClock struct{ began time.Time }

func (goClock) Wall() sense.Instant       { return sense.InstantOf(time.Now()) }
func (c goClock) Elapsed() sense.Duration { return sense.Duration(time.Since(c.began).Milliseconds()) }
func (goClock) Synced() bool              { return true }

// heldLink is a link on which what is asked for stays.
type heldLink struct {
	mu    sync.Mutex
	asked []wire.Request
}

func (l *heldLink) Appended() {}
func (l *heldLink) Tell(in uplink.Input) error {
	if a, ok := in.(uplink.Ask); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asked = append(l.asked, a.Request)
	}
	return nil
}
func (l *heldLink) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// slices returns the requests for slices so far.
func (l *heldLink) slices() (list []*wire.SliceRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.asked {
		if s, ok := r.(*wire.SliceRequest); ok {
			list = append(list, s)
		}
	}
	return list
}

// connected runs an agent whose hub is reached, and answers only when the test says so.
func connected(t *testing.T, change func(*Config), test func(a *Agent, link *heldLink)) {
	t.Helper()
	b, findings, err := policy.Compile("../testdata/policies/loyalty")
	if err != nil || b == nil {
		t.Fatal(err, findings)
	}
	_, provision := provisioned(t, b)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour) // of the bubble, which begins at midnight: nobody is offered anything then
		a := start(t, dir, func(c *Config) {
			provision(c)
			c.Clock, c.MaxMoments = goClock{time.Now()}, -1
			if change != nil {
				change(c)
			}
		})
		defer stop(t, a)
		link := &heldLink{}
		key := make([]byte, 32)
		key[0] = 9
		if err := a.look(context.Background(), func() { a.link = link; a.seal.Store(&key) }); err != nil {
			t.Fatal(err)
		}
		a.inbox.fromHub(uplink.Link{Up: true})
		synctest.Wait()
		test(a, link)
	})
}

// asks submits lines in a goroutine, and returns where the answer comes.
func asks(t *testing.T, a *Agent, text ...string) <-chan Answer {
	done := make(chan Answer, 1)
	events := lines(t, text...)
	go func() {
		answer, err := a.Submit(context.Background(), events)
		if err != nil {
			t.Error(err)
		}
		done <- answer
	}()
	synctest.Wait()
	return done
}

func answered(c <-chan Answer) bool { return len(c) > 0 }

func sliceFor(r *wire.SliceRequest, budgets time.Duration) *wire.Slice {
	now := time.Now()
	return &wire.Slice{Handle: r.Handle, Revision: 1, Until: now.Add(time.Hour).UnixMilli(), Customer: "p1", Re: r.ID,
		Consents: []wire.SliceConsent{{Purpose: "offers", Granted: true, Ever: true, Happened: now.Add(-time.Hour).UnixMilli()}},
		Budgets:  []wire.Budget{{Limit: "sales: 3 shown per calendar day of the customer", Units: 2}}, BudgetUntil: now.Add(budgets).UnixMilli()}
}

// TestAnAskWaitsForTheSlice: of her session alone, not longer than it may, and for one decision.
func TestAnAskWaitsForTheSlice(t *testing.T) {
	connected(t, nil, func(a *Agent, link *heldLink) {
		hers := asks(t, a, `{"identify":"card:1","by":"card"}`, `{"ask":"app.ideas"}`)
		behind := asks(t, a, `{"ask":"app.card"}`)
		other := asks(t, a, `{"ask":"app.ideas","session":"b"}`)
		if answered(hers) || answered(behind) || !answered(other) {
			t.Fatalf("answered are hers %v, behind her %v, another session %v", answered(hers), answered(behind), answered(other))
		}
		if n := len(link.slices()); n != 1 {
			t.Fatalf("%d slices were asked for", n)
		}
		time.Sleep(200 * time.Millisecond) // of the bubble
		a.inbox.fromHub(uplink.Message{Message: sliceFor(link.slices()[0], 10*time.Minute)})
		synctest.Wait()
		got := <-hers
		if len(got.Decisions) != 1 || got.Decisions[0].Action != "pan-offer" || got.Accepted != 2 {
			t.Errorf("decided %s, accepted %d", got.Decisions[0].AppendJSON(nil, -1), got.Accepted)
		}
		after := <-behind
		if len(after.Decisions) != 1 || after.Decisions[0].N <= got.Decisions[0].N {
			t.Errorf("what was asked after it was decided as number %d, it as %d", after.Decisions[0].N, got.Decisions[0].N)
		}
		if a.wait.count != 1 || a.wait.vain != 0 {
			t.Errorf("%d have waited, %d in vain", a.wait.count, a.wait.vain)
		}
		// Now all is here, and nothing waits.
		if again := asks(t, a, `{"ask":"app.ideas"}`); !answered(again) {
			t.Error("an ask of whom the slice is here waits")
		}
	})
}

// TestAnAskGoesOnWithout: after the time, when the link goes, and where nobody is to wait.
func TestAnAskGoesOnWithout(t *testing.T) {
	unanswered := func(t *testing.T, c <-chan Answer) {
		t.Helper()
		if !answered(c) {
			t.Fatal("it waits still")
		}
		if got := <-c; len(got.Decisions) != 1 || got.Decisions[0].Action != silence {
			t.Errorf("%d decisions, the first %s", len(got.Decisions), got.Decisions[0].Action)
		}
	}
	tap := []string{`{"identify":"card:1","by":"card"}`, `{"ask":"app.ideas"}`}
	t.Run("in time", func(t *testing.T) {
		connected(t, nil, func(a *Agent, _ *heldLink) {
			c := asks(t, a, tap...)
			time.Sleep(299 * time.Millisecond)
			synctest.Wait()
			if answered(c) {
				t.Fatal("it did not wait")
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			unanswered(t, c)
			if a.wait.vain != 1 {
				t.Errorf("%d waited in vain", a.wait.vain)
			}
			if again := asks(t, a, `{"ask":"app.ideas"}`); !answered(again) {
				t.Error("the next ask waits again, though the time is over")
			}
		})
	})
	t.Run("without a link", func(t *testing.T) {
		connected(t, nil, func(a *Agent, _ *heldLink) {
			c := asks(t, a, tap...)
			a.inbox.fromHub(uplink.Link{})
			synctest.Wait()
			unanswered(t, c)
		})
	})
	t.Run("not at all", func(t *testing.T) {
		connected(t, func(c *Config) { c.SliceWait = -1 }, func(a *Agent, _ *heldLink) { unanswered(t, asks(t, a, tap...)) })
	})
	t.Run("at the end", func(t *testing.T) {
		connected(t, nil, func(a *Agent, _ *heldLink) {
			c := asks(t, a, tap...)
			stop(t, a)
			synctest.Wait()
			unanswered(t, c)
		})
	})
}

// TestWhatWaitsHoldsUpNothing: as many as may wait do, one more lets all go on.
func TestWhatWaitsHoldsUpNothing(t *testing.T) {
	connected(t, func(c *Config) { c.Sessions, c.Customers = 2*mostWaiting, 2*mostWaiting }, func(a *Agent, _ *heldLink) {
		var all []<-chan Answer
		for k := range mostWaiting {
			s := string(rune('a'+k%26)) + string(rune('a'+k/26))
			all = append(all, asks(t, a, `{"identify":"card:`+s+`","by":"card","session":"`+s+`"}`, `{"ask":"app.ideas","session":"`+s+`"}`))
		}
		for k, c := range all {
			if answered(c) {
				t.Fatalf("number %d of %d did not wait", k, len(all))
			}
		}
		last := asks(t, a, `{"ask":"app.ideas","session":"z9"}`)
		for k, c := range append(all, last) {
			if !answered(c) {
				t.Fatalf("number %d waits still", k)
			}
		}
		var none []engine.WantSlice
		if got := heldOf(none); got != nil {
			t.Errorf("held %v", got)
		}
	})
}
