package sim

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
)

// crowded runs a day at a shop with several devices, a customer under two names, cuts, losses and crashes, and
// returns when she was offered something on any of them, and how often the reason was that no unit was leased.
func crowded(t *testing.T, seed uint64) (at []sense.Instant, withheld int) {
	t.Helper()
	names := []string{"app", "kiosk", "tablet", "watch"}
	failed := map[string]bool{}
	shown := map[string]sense.Instant{}
	cfg := Config{Seed: seed, Start: start, Bundle: compiled(t, "loyalty"), Link: Link{Least: 2, Most: 400, Loss: float64(seed%4) * 0.1, Double: float64(seed%3) * 0.1},
		Session: uplink.Config{Takeovers: 1 << 20},
		Heard: func(device string, o *engine.Output) {
			for _, d := range o.Show {
				delete(shown, d.ID) // the power went before it was durable: it was never on a screen, and its number is given again
				if d.Action != "silence" {
					shown[d.ID] = d.At
				}
				for _, r := range d.Rejected {
					if r.Reason.String() == "budget_not_leased" {
						withheld++
					}
				}
			}
			for _, r := range o.Persist {
				if r.Event == nil {
					continue
				}
				if b, ok := r.Event.Body.(*event.Outcome); ok && b.Outcome == "failed" {
					failed[b.Decision] = true
				}
			}
		}}
	for _, n := range names {
		cfg.Devices = append(cfg.Devices, Device{Name: n})
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("seed %d at %s: %v", seed, w.Now(), err)
		}
	}
	tell := func(line string) { _, err := w.Tell("crm", parse(t, line)); must(err) }
	tell(`{"consent":"offers","customer":"anna","granted":true}`)
	for _, n := range names {
		must(w.SetCrashing(n, 0.001))
	}
	for range 400 {
		n := names[w.rand.IntN(len(names))]
		var line string
		switch w.rand.IntN(16) {
		case 0:
			must(w.Cut(n))
		case 1, 2:
			must(w.Join(n))
		case 3:
			must(w.Crash(n))
		case 4:
			must(w.Save(n))
		case 5, 6, 7:
			line = `{"identify":"anna","by":"login"}`
		case 8:
			line = `{"identify":null}`
		case 9:
			line = fmt.Sprintf(`{"outcome":%q,"decision":"last"}`, []string{"failed", "ignored", "shown"}[w.rand.IntN(3)])
		default:
			line = fmt.Sprintf(`{"ask":%q}`, []string{"app.ideas", "app.ideas", "app.list"}[w.rand.IntN(3)])
		}
		if line != "" {
			_, err := w.Take(n, []event.Event{parse(t, line)})
			must(err)
		}
		must(w.Run(w.Now().Add(sense.Duration(w.rand.IntN(100_000)))))
	}
	for id, when := range shown {
		if !failed[id] {
			at = append(at, when)
		}
	}
	slices.Sort(at)
	return at, withheld
}

// TestCapsHoldOverTheFleet: three offers a day to a customer are three on all devices together, whoever is cut
// off, loses power or messages; and units are not lost for good either.
func TestCapsHoldOverTheFleet(t *testing.T) {
	t.Parallel()
	const most = 3
	const runs = uint64(5)
	total, withheld := uint64(0), 0
	for seed := range runs {
		at, held := crowded(t, seed)
		if len(at) > most {
			t.Errorf("seed %d: %d offers in a day, at most %d may be: %v", seed, len(at), most, at)
		}
		total += uint64(len(at))
		withheld += held
	}
	if total < 2*runs || withheld == 0 {
		t.Errorf("%d offers in %d days, %d times no unit: the test tests nothing", total, runs, withheld)
	}
}
