package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// gateway writes a policy for many wearers of one device: actions with 3 to 8 predicates each over signals of
// the device, signals of the wearer and facts of hers, of which a few are used by most. Slot desk is asked for
// all of them; where toned, wrist is filled unasked with every tenth. The signal idle stands in no condition that
// it could turn.
func gateway(actions int, toned bool) string {
	random := rand.New(rand.NewPCG(5, 1000))
	var own strings.Builder
	own.WriteString("signals:\n\tidle: {type: double, max_age: 30d}\n")
	for k := range 30 {
		fmt.Fprintf(&own, "\td%02d: {type: double, max_age: 30d}\n", k)
	}
	for k := range 20 {
		fmt.Fprintf(&own, "\tp%02d: {type: double, max_age: 30d, scope: person, purposes: [offers], why: {en: \"w\", nl: \"w\"}, leaves_device: never}\n", k)
	}
	own.WriteString("facts:\n")
	for k := range 10 {
		fmt.Fprintf(&own, "\tf%02d: {type: int, purposes: [offers], from: [declared], keep: 2y}\n", k)
	}
	own.WriteString("slots: {desk: {channel: kiosk}")
	if toned {
		own.WriteString(", wrist: {channel: kiosk, unasked: true}")
	}
	own.WriteString("}\nactions:\n")
	popular := rand.NewZipf(random, 1.1, 1, 59)
	for k := range actions {
		seen := map[uint64]bool{}
		var predicates []string
		for n := 3 + random.IntN(6); len(predicates) < n; {
			a := popular.Uint64()
			if seen[a] {
				continue
			}
			seen[a] = true
			limit, sign := 10+10*random.IntN(9), [...]string{"<", ">="}[random.IntN(2)]
			switch attribute := a * 7 % 60; { // spread over the three kinds
			case attribute < 30:
				predicates = append(predicates, fmt.Sprintf("d%02d %s %d.0", attribute, sign, limit))
			case attribute < 50:
				predicates = append(predicates, fmt.Sprintf("p%02d %s %d.0", attribute-30, sign, limit))
			default:
				predicates = append(predicates, fmt.Sprintf("f%02d %s %d", attribute-50, sign, limit))
			}
		}
		slots := "desk"
		if toned && k%10 == 0 {
			slots = "desk, wrist"
		}
		fmt.Fprintf(&own, "\ta%04d: {intent: information, purpose: offers, slots: [%s], applicable: \"%s\", value: %d.00, propensity: 0.5, bother: 0.05, say_personal: {en: \"A\", nl: \"A\"}}\n",
			k, slots, strings.Join(predicates, " && "), 1+k%50)
	}
	own.WriteString("\tlast: {intent: information, purpose: offers, slots: [desk], applicable: \"idle >= 0.0\", value: 0.10, propensity: 0.5, bother: 0.05, say_personal: {en: \"A\", nl: \"A\"}}\n")
	return own.String()
}

// wearers opens n sessions on a device, each with a customer of whom six facts are known, and lets the signals speak.
func wearers(t testing.TB, b *catalog.Bundle, n int) *desk {
	d := &desk{t: t, mind: New(replayed)}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: b}})
	random := rand.New(rand.NewPCG(7, uint64(n)))
	for k := range n {
		session, id := wearer(k), fmt.Sprintf("c%03d", k)
		lines := []string{fmt.Sprintf(`{"consent":"offers","customer":%q,"granted":true}`, id), fmt.Sprintf(`{"identify":%q,"by":"card","session":%q}`, id, session)}
		for f := range 10 {
			if random.IntN(100) < 60 {
				lines = append(lines, fmt.Sprintf(`{"fact":"f%02d","customer":%q,"value":%d,"provenance":"declared"}`, f, id, random.IntN(100)))
			}
		}
		for p := range 20 {
			if random.IntN(100) < 85 {
				lines = append(lines, fmt.Sprintf(`{"signal":"p%02d","session":%q,"value":%d.5}`, p, session, random.IntN(100)))
			}
		}
		d.tell(lines...)
	}
	for k := range 30 {
		d.tell(fmt.Sprintf(`{"signal":"d%02d","session":%q,"value":%d.5}`, k, wearer(0), random.IntN(100)))
	}
	d.tell(fmt.Sprintf(`{"signal":"idle","session":%q,"value":1.0}`, wearer(0)))
	d.outs = nil
	return d
}

func wearer(k int) string { return fmt.Sprintf("w%03d", k) }

// course steps a mind through one signal that goes to and fro, or one ask, without allocating itself.
type course struct {
	mind   *Mind
	in     Input
	signal *event.Signal
	values [2]float64
	n      int
}

func (d *desk) course(signal, session string, low, high float64) *course {
	c := &course{mind: d.mind, values: [2]float64{low, high}}
	e := event.Event{Session: session, HasAt: true}
	if e.Body = (&event.Ask{Slot: "desk"}); signal != "" {
		c.signal = &event.Signal{Name: signal}
		e.Body = c.signal
	}
	c.in = Input{At: d.now, Events: []event.Event{e}}
	return c
}

func (c *course) step() Output {
	c.n++
	c.in.At++
	c.in.Events[0].At, c.in.Events[0].Happened = c.in.At, c.in.At
	if c.signal != nil {
		c.signal.Value = sense.DoubleValue(c.values[c.n&1])
	}
	return c.mind.Step(c.in)
}

// BenchmarkSessions is what a step costs while many are served: a signal of the device that turns nothing, one that
// turns conditions, a signal of one wearer, and an ask of one; each beside the same with one session open.
func BenchmarkSessions(b *testing.B) {
	for _, toned := range []bool{false, true} {
		bundle := written(b, gateway(1000, toned))
		name, slots := "sessions", "asked"
		if toned {
			name, slots = "sessions.unasked", "unasked"
		}
		for _, n := range []int{200, 900} {
			one, many := wearers(b, bundle, 1), wearers(b, bundle, n)
			for _, x := range []struct {
				figure, signal string
				low, high      float64
			}{{"idle", "idle", 1, 2}, {"signal", "d07", 15, 16}, {"turn", "d07", 15, 85}, {"own", "p05", 15, 85}, {"ask", "", 0, 0}} {
				b.Run(fmt.Sprintf("%s/%s/%d", slots, x.figure, n), func(b *testing.B) {
					alone, among := one.course(x.signal, wearer(0), x.low, x.high), many.course(x.signal, wearer(0), x.low, x.high)
					for range 10 { // what is shown at first is shown
						alone.step()
						among.step()
					}
					b.ReportAllocs()
					for b.Loop() {
						among.step()
					}
					took := perOp(b)
					b.StopTimer()
					start := time.Now()
					for range b.N {
						alone.step()
					}
					lone := float64(time.Since(start).Nanoseconds()) / float64(b.N)
					b.ReportMetric(lone, "alone-ns/op")
					one.now, many.now = alone.in.At, among.in.At
					for _, d := range []*desk{one, many} {
						for _, c := range d.mind.customers {
							c.Slice.Exposures, c.Decided = nil, nil
						}
					}
					if n == 200 {
						b.ReportMetric(took/lone, name+"."+x.figure+":x")
						if x.figure == "signal" {
							b.ReportMetric(30, name+".signal:x:at-most")
						}
					}
				})
			}
		}
	}
}

// BenchmarkSessionBytes is what one more session holds in which twenty signals have spoken: all of it but
// what is held of customers, and the share of the evaluation.
func BenchmarkSessionBytes(b *testing.B) {
	bundle := written(b, gateway(1000, false))
	live := func() float64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&s)
		return float64(s.HeapAlloc)
	}
	const more = 200
	for b.Loop() {
		d := wearers(b, bundle, 1)
		before := live()
		for k := range more {
			for p := range 20 {
				d.tell(fmt.Sprintf(`{"signal":"p%02d","session":"x%03d","value":%d.5}`, p, k, 10*p))
			}
		}
		d.outs = nil
		sessions := live() - before

		plan, err := rule.NewPlan(&bundle.Program, moment.Interest(bundle))
		if err != nil {
			b.Fatal(err)
		}
		device := rule.NewEval(plan)
		evals := make([]*rule.Eval, more)
		before = live()
		for k := range evals {
			evals[k] = device.NewSession()
			evals[k].Begin(d.now)
			evals[k].Settle(d.now)
		}
		ofRule := live() - before
		b.ReportMetric(sessions/more, "sessions.bytes:bytes")
		b.ReportMetric(16<<10, "sessions.bytes:bytes:at-most")
		b.ReportMetric(ofRule/more, "sessions.rule-bytes:bytes")
		runtime.KeepAlive(d)
		runtime.KeepAlive(evals)
	}
}
