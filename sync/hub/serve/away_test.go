package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
)

func TestAwayTriesAgainAfterATimeThatDoubles(t *testing.T) {
	var a away
	now, cause := time.Unix(1000, 0), errors.New("gone")
	if a.present(now) != nil || a.status() != nil {
		t.Fatal("away before anything was lost")
	}
	var waits []time.Duration
	for k := range 9 {
		if news := a.lost(now, cause); news != (k == 0) {
			t.Errorf("loss %d is news: %v", k, news)
		}
		if err := a.present(now); !errors.Is(err, cause) || !strings.Contains(err.Error(), "1970-01-01T00:16:40Z") {
			t.Fatalf("just lost: %v", err)
		}
		began := now
		for a.present(now) != nil {
			now = now.Add(time.Millisecond)
		}
		waits = append(waits, now.Sub(began))
		if a.status() == nil {
			t.Error("there is a try, and already it counts as found")
		}
	}
	want := []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000}
	for k := range want {
		if waits[k] != want[k]*time.Millisecond {
			t.Errorf("wait %d is %v, want %v ms", k, waits[k], int(want[k]))
		}
	}
	if was, news := a.found(now); !news || was != now.Sub(time.Unix(1000, 0)) {
		t.Errorf("found after %v, %v", was, news)
	}
	if _, news := a.found(now); news || a.present(now) != nil || a.status() != nil {
		t.Error("found twice")
	}
	a.lost(now, cause)
	if a.present(now.Add(99*time.Millisecond)) == nil || a.present(now.Add(100*time.Millisecond)) != nil {
		t.Error("the first wait of the next time is not the shortest again")
	}
}

// failing is a ledger whose transactions end as a test wants.
type failing struct {
	*ledger.Memory
	begin, commit atomic.Pointer[error]
	poison        string // customer whose entries it cannot take
	begun         atomic.Int64
}

func (f *failing) Begin(ctx context.Context) (ledger.Tx, error) {
	f.begun.Add(1)
	if err := f.begin.Load(); err != nil {
		return nil, *err
	}
	tx, err := f.Memory.Begin(ctx)
	return &failingTx{tx, f}, err
}

type failingTx struct {
	ledger.Tx
	f *failing
}

func (t *failingTx) Apply(writes []hub.Write) error {
	for _, w := range writes {
		if e, ok := w.(hub.AddEntry); ok && e.ID == t.f.poison {
			return errors.New("this cannot be taken")
		}
	}
	return t.Tx.Apply(writes)
}

func (t *failingTx) Commit() error {
	if err := t.f.commit.Load(); err != nil {
		return errors.Join(*err, t.Rollback())
	}
	return t.Tx.Commit()
}

func startOn(t testing.TB, l ledger.Ledger) *Hub {
	t.Helper()
	h, err := Start(context.Background(), Config{Dir: t.TempDir(), Tenant: "shop", HTTP: "127.0.0.1:0", Sources: map[string]string{"crm": token}, Ledger: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func line(customer string) string { return `{"interaction":"visit","customer":"` + customer + `"}` }

func TestDatabaseThatIsAwayTakesNothing(t *testing.T) {
	gone := error(ledger.ErrUnavailable)
	for name, where := range map[string]func(*failing) *atomic.Pointer[error]{
		"at begin":  func(f *failing) *atomic.Pointer[error] { return &f.begin },
		"at commit": func(f *failing) *atomic.Pointer[error] { return &f.commit },
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{Memory: ledger.NewMemory()}
			h := startOn(t, f)
			where(f).Store(&gone)
			// The first line of each request finds out, or hears at once.
			body := strings.Repeat(line("crm:1")+"\n", 50)
			before := f.begun.Load()
			for range 5 {
				if code, text := call(t, "POST", h.URL()+"/v1/events", token, "", body); code != http.StatusServiceUnavailable || !strings.Contains(text, ErrUnavailable.Error()) {
					t.Fatalf("%d %s", code, text)
				}
			}
			if tries := f.begun.Load() - before; tries > 20 {
				t.Errorf("%d tries for 250 lines: it is asked again and again", tries)
			}
			if code, text := call(t, "GET", h.URL()+"/healthz", "", "", ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "the ledger is not available since") {
				t.Errorf("health: %d %s", code, text)
			}
			where(f).Store(nil)
			until(t, "the ledger to be back", func() bool {
				code, _ := call(t, "POST", h.URL()+"/v1/events", token, "", line("crm:2"))
				return code == http.StatusOK
			})
			if code, text := call(t, "GET", h.URL()+"/healthz", "", "", ""); code != http.StatusOK {
				t.Errorf("health: %d %s", code, text)
			}
			if n, err := f.Count(context.Background()); err != nil || n.Entries != 1 {
				t.Errorf("%+v, %v: something was taken that nobody was answered for", n, err)
			}
		})
	}
}

// An input that the ledger cannot take is refused alone: those in the same round are taken.
func TestInputThatCannotBeTakenSpoilsNoOther(t *testing.T) {
	f := &failing{Memory: ledger.NewMemory(), poison: "crm:bad"}
	h := startOn(t, f)
	var all sync.WaitGroup
	var taken, refused atomic.Int64
	for k := range 40 {
		all.Go(func() {
			who := "crm:good"
			if k%8 == 0 {
				who = "crm:bad"
			}
			switch code, text := call(t, "POST", h.URL()+"/v1/events", token, "", line(who)); {
			case code == http.StatusOK && who == "crm:good":
				taken.Add(1)
			case code == http.StatusServiceUnavailable && who == "crm:bad":
				refused.Add(1)
			default:
				t.Errorf("%s: %d %s", who, code, text)
			}
		})
	}
	all.Wait()
	if taken.Load() != 35 || refused.Load() != 5 || h.away.status() != nil {
		t.Errorf("%d taken, %d refused, %v", taken.Load(), refused.Load(), h.away.status())
	}
}
