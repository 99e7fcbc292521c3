package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
)

// onceWindow is the window of the limit: one coupon, over all devices. Its units are leased for a quarter of it.
const onceWindow = 20 * sense.Minute

const oncePolicy = `policy: once
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  offers: {basis: consent, for: {en: "for personal offers"}}
slots:
  counter: {channel: kiosk, show_for: 30s}
actions:
  coupon: {intent: sales, purpose: offers, about: product:coupon, slots: [counter], value: 5.00, propensity: 0.10, bother: 0.05, say_personal: {en: "A coupon."}}
contact:
  limits:
    - {action: coupon, at_most: 1, counting: shown, per: rolling 20m}
`

// once is a world of three devices and one customer, who may be shown one coupon in a window.
type once struct {
	*World
	t        *testing.T
	seed     uint64
	random   *rand.Rand
	shown    map[string]sense.Instant // by decision
	failed   map[string]bool
	withheld int
	last     string // of what was decided, for who has to see why
}

var onceDevices = []string{"a", "b", "c"}

func newOnce(t *testing.T, b *catalog.Bundle, seed uint64) *once {
	t.Helper()
	o := &once{t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 8)), shown: map[string]sense.Instant{}, failed: map[string]bool{}}
	cfg := Config{Seed: seed, Start: start, Bundle: b, Link: Link{Least: 2, Most: 50},
		Session: uplink.Config{Takeovers: 1 << 20}, Heard: func(_ string, out *engine.Output) {
			for _, d := range out.Show {
				if d.Action == "coupon" {
					o.shown[d.ID] = d.At
				}
				o.last = fmt.Sprintf("%s %v", d.Action, d.Rejected)
				for _, r := range d.Rejected {
					if r.Reason.String() == "budget_not_leased" {
						o.withheld++
					}
				}
			}
			for _, r := range out.Persist {
				if r.Event == nil {
					continue
				}
				if x, ok := r.Event.Body.(*event.Outcome); ok && x.Outcome == "failed" {
					o.failed[x.Decision] = true
				}
			}
		}}
	for _, n := range onceDevices {
		cfg.Devices = append(cfg.Devices, Device{Name: n})
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.World = w
	w.SetLink(Link{Least: 2, Most: 300, Loss: float64(seed%3) * 0.1, Double: float64(seed%2) * 0.2})
	_, err = w.Tell("crm", parse(t, `{"consent":"offers","customer":"anna","granted":true}`))
	o.must(err)
	return o
}

func (o *once) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatalf("TACT_SEED=%d TACT_RUNS=1: at %s: %v", o.seed, o.Now(), err)
	}
}

func (o *once) on(device, line string) {
	o.t.Helper()
	_, err := o.Take(device, []event.Event{parse(o.t, line)})
	o.must(err)
}

func (o *once) pass(d sense.Duration) {
	o.t.Helper()
	o.must(o.Run(o.Now().Add(d)))
}

// Lines of a day.
const (
	comes = `{"identify":"anna","by":"card"}`
	goes  = `{"identify":null}`
	asks  = `{"ask":"counter"}`
	fails = `{"outcome":"failed","decision":"last"}`
)

// round lets somebody be cut off around one lease: before it is asked for, while the answer is on its way, while it
// runs, after it has ended; all ask all the time.
func (o *once) round() {
	away := onceDevices[o.random.IntN(3)]
	moment := o.random.IntN(4)
	for _, n := range onceDevices {
		if n == away && moment == 0 {
			o.must(o.Cut(n))
		}
		if o.random.IntN(4) > 0 {
			o.on(n, comes)
			if n == away && moment == 1 {
				o.pass(sense.Duration(o.random.IntN(600)))
				o.must(o.Cut(n))
			}
		}
	}
	wait := []sense.Duration{sense.Second, sense.Second, sense.Duration(o.random.IntN(int(onceWindow / 4))), onceWindow/4 + sense.Duration(o.random.IntN(60_000))}[moment]
	o.askAround(wait)
	if moment >= 2 {
		o.must(o.Cut(away))
	}
	o.askAround(sense.Duration(o.random.IntN(int(onceWindow))))
	switch o.random.IntN(5) {
	case 0:
		o.must(o.Crash(away))
	case 1:
		o.on(away, goes)
	}
	o.must(o.Join(away))
	o.askAround(sense.Duration(o.random.IntN(int(onceWindow / 2))))
	if o.random.IntN(2) == 0 {
		for _, n := range onceDevices {
			o.on(n, goes)
		}
		o.pass(sense.Duration(o.random.IntN(120_000)))
	}
}

// askAround lets a while pass in which everybody asks.
func (o *once) askAround(d sense.Duration) {
	end := o.Now().Add(d)
	for o.Now() < end {
		n := onceDevices[o.random.IntN(3)]
		before := len(o.shown)
		o.on(n, asks)
		if len(o.shown) > before && o.random.IntN(6) == 0 {
			o.on(n, fails)
		}
		o.pass(sense.Duration(1 + o.random.IntN(45_000)))
	}
}

// TestOneOverThreeDevices: with one device cut off before, during or after its lease, nobody is shown more than one
// coupon in any window; and none is withheld for good. TACT_RUNS is how many worlds (16), TACT_SEED the first.
func TestOneOverThreeDevices(t *testing.T) {
	t.Parallel()
	runs, first := 16, 0
	for name, into := range map[string]*int{"TACT_RUNS": &runs, "TACT_SEED": &first} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				t.Fatalf("%s=%q is no number", name, text)
			}
			*into = n
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(oncePolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %v", findings, err)
	}
	shown, withheld, windows := 0, 0, 0
	for seed := first; seed < first+runs; seed++ {
		o := newOnce(t, b, uint64(seed))
		for range 6 {
			o.round()
		}
		windows += int(o.Now().Sub(start) / onceWindow)
		o.apart()
		shown, withheld = shown+len(o.shown), withheld+o.withheld
		o.alive()
	}
	t.Logf("%d coupons in %d windows, %d times no unit", shown, windows, withheld)
	if shown < windows/4 || withheld == 0 {
		t.Errorf("%d coupons in %d windows, %d times no unit: this says nothing", shown, windows, withheld)
	}
}

// apart wants a window between any two coupons.
func (o *once) apart() {
	o.t.Helper()
	for a, x := range o.shown {
		for b, y := range o.shown {
			if a != b && !o.failed[a] && !o.failed[b] && x <= y && y.Sub(x) < onceWindow {
				o.t.Fatalf("TACT_SEED=%d TACT_RUNS=1: %s at %s and %s at %s are less than %s apart", o.seed, a, x, b, y, fmt.Sprint(onceWindow))
			}
		}
	}
}

// alive: with everybody there and the window over, whoever asks first gets one.
func (o *once) alive() {
	o.t.Helper()
	o.SetLink(Link{Least: 2, Most: 50})
	for _, n := range onceDevices {
		o.must(o.Join(n))
		o.on(n, goes)
	}
	o.pass(2*onceWindow + 5*sense.Minute)
	before := len(o.shown)
	n := onceDevices[o.random.IntN(3)]
	o.on(n, comes)
	o.pass(sense.Minute)
	o.last = ""
	o.on(n, asks)
	if len(o.shown) != before+1 {
		o.t.Fatalf("TACT_SEED=%d TACT_RUNS=1: two windows later %s shows nothing: %s", o.seed, n, o.last)
	}
	o.apart()
}
