package sim

import (
	"fmt"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
)

func compiled(t *testing.T, name string) *catalog.Bundle {
	t.Helper()
	b, findings, err := policy.Compile("../../testdata/policies/" + name)
	if err != nil || b == nil {
		t.Fatalf("compile %s: %v %v", name, findings, err)
	}
	return b
}

func parse(t *testing.T, line string) event.Event {
	t.Helper()
	e, err := event.ParseLine([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return e
}

const start sense.Instant = 1772442000000 // 2026-03-02T09:00:00Z

// play runs twenty customers' worth of trouble through a world and returns it.
func play(t *testing.T, seed uint64) *World {
	t.Helper()
	names := []string{"kiosk", "car", "watch"}
	cfg := Config{Seed: seed, Start: start, Bundle: compiled(t, "aftercare"), Link: Link{Least: 2, Most: 300, Loss: float64(seed%4) * 0.1, Double: float64(seed%3) * 0.1},
		Session: uplink.Config{Takeovers: 1 << 20}}
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
	for _, n := range names {
		must(w.SetCrashing(n, 0.002))
	}
	for k := range 250 {
		n := names[w.rand.IntN(len(names))]
		who := fmt.Sprintf("c%d", w.rand.IntN(6))
		switch w.rand.IntN(12) {
		case 0:
			must(w.Cut(n))
		case 1, 2:
			must(w.Join(n))
		case 3:
			must(w.Crash(n))
		case 4:
			must(w.Save(n))
		case 5:
			_, err := w.Tell("crm", parse(t, fmt.Sprintf(`{"interaction":"complaint","customer":%q,"ref":"r%d"}`, who, k)))
			must(err)
		case 6, 7:
			_, err := w.Take(n, []event.Event{parse(t, fmt.Sprintf(`{"identify":%q,"by":"card"}`, who))})
			must(err)
		case 8:
			_, err := w.Take(n, []event.Event{parse(t, fmt.Sprintf(`{"consent":"offers","customer":%q,"granted":%v}`, who, k%2 == 0))})
			must(err)
		default:
			_, err := w.Take(n, []event.Event{parse(t, `{"signal":"presence","value":true}`), parse(t, `{"signal":"people","value":1}`), parse(t, `{"ask":"kiosk.home"}`)})
			must(err)
		}
		must(w.Run(w.Now().Add(sense.Duration(w.rand.IntN(4000)))))
	}
	w.SetLink(Link{Least: 2, Most: 30})
	for _, n := range names {
		must(w.SetCrashing(n, 0))
		must(w.Join(n))
	}
	must(w.Run(w.Now().Add(10 * sense.Minute)))
	return w
}

func TestBalanceHoldsThroughCutsLossesAndCrashes(t *testing.T) {
	t.Parallel()
	decisions := 0
	for seed := range uint64(20) {
		w := play(t, seed)
		if err := w.Balance(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		for _, d := range w.devices {
			decisions += len(d.shown)
		}
	}
	if decisions < 500 {
		t.Errorf("only %d decisions in all seeds: the test tests nothing", decisions)
	}
}

func TestSameSeedSameLog(t *testing.T) {
	a, b, c := play(t, 3), play(t, 3), play(t, 4)
	if a.Log() != b.Log() {
		t.Error("the same seed gave another log")
	}
	if a.Log() == c.Log() {
		t.Error("another seed gave the same log")
	}
}

// A complaint at the hub holds sales on each device that is online within a second.
func TestComplaintReachesEveryDevice(t *testing.T) {
	last := map[string]*engine.Decision{}
	cfg := Config{Seed: 1, Start: start, Bundle: compiled(t, "aftercare"), Link: Link{Least: 20, Most: 120},
		Devices: []Device{{Name: "kiosk"}, {Name: "car"}, {Name: "app"}},
		Heard: func(device string, o *engine.Output) {
			for _, d := range o.Show {
				last[device] = d
			}
		}}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(device string) string {
		t.Helper()
		refused, err := w.Take(device, []event.Event{parse(t, `{"signal":"presence","value":true}`), parse(t, `{"signal":"people","value":1}`), parse(t, `{"ask":"kiosk.home"}`)})
		if err != nil || len(refused) > 0 {
			t.Fatal(err, refused)
		}
		return last[device].Action
	}
	for _, d := range cfg.Devices {
		if _, err := w.Take(d.Name, []event.Event{parse(t, `{"identify":"anna","by":"card"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(start.Add(2 * sense.Second)); err != nil {
		t.Fatal(err)
	}
	for _, d := range cfg.Devices {
		if got := ask(d.Name); got != "model-x-1000-off" {
			t.Errorf("%s: before: %s", d.Name, got)
		}
	}
	if refused, err := w.Tell("crm", parse(t, `{"interaction":"complaint","customer":"anna","ref":"c1"}`)); refused != nil || err != nil {
		t.Fatal(refused, err)
	}
	if err := w.Run(w.Now().Add(sense.Second)); err != nil {
		t.Fatal(err)
	}
	for _, d := range cfg.Devices {
		if got := ask(d.Name); got != "recovery-call" {
			t.Errorf("%s: a second after: %s", d.Name, last[d.Name].AppendJSON(nil, -1))
		}
	}
}

// A device that was away longer than a lease comes back with nothing of what was lent, and gets it
// whole again: what the hub knows must not look as if it had never been.
func TestSliceComesBackWholeAfterItsLease(t *testing.T) {
	w, err := New(Config{Seed: 1, Start: start, Lease: sense.Hour, Bundle: compiled(t, "aftercare"), Link: Link{Least: 20, Most: 120}, Devices: []Device{{Name: "kiosk"}}})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tap := []event.Event{parse(t, `{"identify":"anna","by":"card"}`)}
	known := func(here bool, interactions int) {
		t.Helper()
		_, err := w.Take("kiosk", tap)
		must(err)
		must(w.Run(w.Now().Add(10 * sense.Second)))
		k, _ := w.Mind("kiosk").Known("main")
		if k.Customer != "anna" || k.Here != here || len(k.Slice.Interactions) != interactions {
			t.Errorf("%s: known is %+v, want her slice here %v with %d interactions", w.Now(), k, here, interactions)
		}
	}
	if _, err := w.Tell("crm", parse(t, `{"interaction":"complaint","customer":"anna","ref":"c1"}`)); err != nil {
		t.Fatal(err)
	}
	known(true, 1)
	must(w.Cut("kiosk"))
	must(w.Run(w.Now().Add(2 * sense.Hour)))
	known(false, 0)
	must(w.Join("kiosk"))
	must(w.Run(w.Now().Add(5 * sense.Minute)))
	known(true, 1)
}
