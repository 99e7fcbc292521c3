package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/sim/chance"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// told is all that an output says, as text.
func told(o Output) string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %d wake %d withhold %v letgo %v destroy %x\n", o.At, o.Wake, o.Withhold, o.LetGo, o.Destroy)
	for _, r := range o.Persist {
		fmt.Fprintf(&b, "record %d %d %x %x", r.Seq, r.At, r.Handle, r.Erased)
		if r.Decision != nil {
			fmt.Fprintf(&b, " decision %s", r.Decision.ID)
		}
		if r.Exposure != nil {
			fmt.Fprintf(&b, " %+v", *r.Exposure)
		}
		if r.Event != nil {
			fmt.Fprintf(&b, " %s %d %+v", r.Event.Session, r.Event.Happened, reflect.ValueOf(r.Event.Body).Elem().Interface())
		}
		if r.Identified != nil {
			fmt.Fprintf(&b, " %+v", *r.Identified)
		}
		b.WriteByte('\n')
	}
	for _, c := range o.Clear {
		fmt.Fprintf(&b, "%+v\n", c)
	}
	for _, d := range o.Show {
		fmt.Fprintf(&b, "%s %x", d.AppendJSON(nil, -1), d.Moment)
		for k := range d.Rejected { // by which a record chooses whom to name
			fmt.Fprintf(&b, " %d", d.Rejected[k].Value)
		}
		b.WriteByte('\n')
	}
	for k := range o.HandOver {
		fmt.Fprintf(&b, "%s %d\n", o.HandOver[k].AppendJSON(nil), o.HandOver[k].Strikes)
	}
	for _, s := range o.Silent {
		fmt.Fprintf(&b, "silent %s\n", s.AppendJSON(nil, -1))
	}
	if o.Want != nil {
		fmt.Fprintf(&b, "%+v\n", *o.Want)
	}
	for _, r := range o.Refused {
		fmt.Fprintf(&b, "refused %d %v\n", r.Index, r.Err)
	}
	for _, r := range o.Readings {
		fmt.Fprintf(&b, "%d %s %s\n", r.At, r.Signal, r.Value)
	}
	for _, m := range o.Moments {
		fmt.Fprintf(&b, "%x\n", m.Bytes)
	}
	return b.String()
}

// throng lets many come and go on several minds alike: customers in one session or in several, restarts, other
// policies, slices that come and end, and asks.
func throng(t testing.TB, seed uint64, bundles []*BundleUpdate, steps int, minds []*Mind, step func(Input)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 17))
	now := sense.Instant(1_772_442_000_000)
	u := bundles[0]
	step(Input{At: now, Bundle: u})
	m := minds[0]
	for range steps {
		now = now.Add(pick(r, []sense.Duration{0, 0, 50, 100, 900, 2 * sense.Second, 5 * sense.Second, 40 * sense.Second, 7 * sense.Minute, sense.Hour, 30 * sense.Hour}))
		for m.Wake() <= now && m.Wake() != sense.Never {
			step(Input{At: m.Wake()})
		}
		c := crowd{r, u.Bundle}
		in := Input{At: now}
		for range 1 + r.IntN(3) {
			last := ""
			if all := m.Shown(); len(all) > 0 && r.IntN(4) > 0 {
				last = pick(r, all).Decision
			}
			e := event.Event{At: now, HasAt: true, Happened: now.Add(-sense.Duration(r.IntN(3)) * sense.Minute), Session: fmt.Sprintf("s%d", r.IntN(9)), Body: c.body(last)}
			if r.IntN(3) == 0 {
				e.Happened = now
			}
			switch b := e.Body.(type) {
			case *event.Identify:
				if b.Customer != "" {
					b.Customer = fmt.Sprintf("c%d", r.IntN(6))
				}
			case *event.Fact:
				if b.Customer != "" {
					b.Customer = fmt.Sprintf("c%d", r.IntN(6))
				}
			case *event.Consent:
				b.Customer = fmt.Sprintf("c%d", r.IntN(6))
			case *event.Interaction:
				b.Customer = fmt.Sprintf("c%d", r.IntN(6))
			case *event.Outcome:
				if r.IntN(3) == 0 {
					b.Outcome = "shown"
				}
			}
			switch r.IntN(400) {
			case 0:
				e.Body = &event.Boot{Clock: sense.ClockState(r.IntN(3))}
			case 1:
				e.Body = &event.Forget{Customer: fmt.Sprintf("c%d", r.IntN(6))}
			case 2:
				e.Body = &event.Merge{Into: fmt.Sprintf("c%d", r.IntN(6)), From: fmt.Sprintf("c%d", r.IntN(6))}
			case 3, 4:
				e.Body = &event.Lease{Customer: fmt.Sprintf("c%d", r.IntN(6)), Until: now.Add(sense.Duration(r.IntN(100_000)))}
			case 5, 6:
				e.Body = &event.Objection{Customer: fmt.Sprintf("c%d", r.IntN(6)), Purpose: pick(r, u.Bundle.Purposes).Name, Raised: r.IntN(2) == 0}
			case 7:
				e.Body = &event.Restrict{Customer: fmt.Sprintf("c%d", r.IntN(6)), On: r.IntN(2) == 0}
			}
			in.Events = append(in.Events, e)
		}
		if r.IntN(6) == 0 && len(m.customers) > 0 && !m.cfg.Leased {
			c := pick(r, m.customers)
			s := copyOf(&c.Slice)
			in.Slices = append(in.Slices, SliceUpdate{Handle: c.Handle, Revision: c.Revision + 1, Until: now.Add(sense.Duration(r.IntN(300_000))), Through: m.seq - 1, Slice: &s, Forget: r.IntN(30) == 0})
		}
		if r.IntN(120) == 0 {
			u = pick(r, bundles)
			in.Bundle = u
		}
		step(in)
	}
}

// TestStepsLookAtFewSessions: minds whose steps look only at the sessions in which something happens, and whose
// decisions look only at the candidates on which they rest, say the same, to the byte, as minds whose steps look at
// every session and pass every candidate through stage by stage; and look again at the same instants.
func TestStepsLookAtFewSessions(t *testing.T) {
	seeds, steps := uint64(15), 300
	if testing.Short() {
		seeds, steps = 10, 200
	}
	if n, err := strconv.ParseUint(os.Getenv("TACT_RUNS"), 10, 32); err == nil {
		seeds = n
	}
	all := examples(t)
	for seed := range uint64(20) {
		dir := t.TempDir()
		if err := chance.Policy(seed).Write(dir); err != nil {
			t.Fatal(err)
		}
		if b, _, err := policy.Compile(dir); err == nil && b != nil {
			all = append(all, &BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))})
		}
	}
	shown, handed, silent, looked, open := 0, 0, 0, 0, 0
	for seed := range seeds {
		cfg := Config{Device: "d", Epoch: 1, Secret: [16]byte{1}, Leased: seed%3 > 0, Moments: true, Readings: seed%4 == 0, Zone: policy.Zone}
		if seed%5 == 0 {
			cfg.Sessions = 6
		}
		few, every := New(cfg), New(cfg)
		every.plainly = true
		k := int(seed) % len(all)
		bundles := []*BundleUpdate{all[k], all[(k+7)%len(all)], all[(k+13)%len(all)]}
		throng(t, seed, bundles, steps, []*Mind{few, every}, func(in Input) {
			other := in
			other.Slices = nil
			for _, u := range in.Slices {
				s := copyOf(u.Slice)
				u.Slice = &s
				other.Slices = append(other.Slices, u)
			}
			every.attendAll()
			looked, open = looked+len(few.attended), open+len(few.sessions)
			a := few.Step(in)
			text := told(a)
			b := told(every.Step(other))
			if text != b {
				t.Fatalf("seed %d, policy %s, at %d: it says\n%s\nlooking at every session\n%s", seed, bundles[0].Bundle.Name, in.At, text, b)
			}
			for k, s := range few.sessions {
				if o := every.sessions[k]; s.lapse != o.lapse || s.restless != o.restless {
					t.Fatalf("seed %d, policy %s, at %d: session %s looks again at %d, restless %v; judging plainly at %d, %v", seed, bundles[0].Bundle.Name, in.At, s.name, s.lapse, s.restless, o.lapse, o.restless)
				}
			}
			shown, handed, silent = shown+len(a.Show), handed+len(a.HandOver), silent+len(a.Silent)
		})
	}
	t.Logf("%d shown, %d handed over, %d silent; looked at %d of %d", shown, handed, silent, looked, open)
	if shown < int(seeds)*20 || handed == 0 && !testing.Short() || silent == 0 || looked*5 > open*4 {
		t.Errorf("too little was tried: %d shown, %d handed over, %d silent, looked at %d of %d sessions", shown, handed, silent, looked, open)
	}
}

// TestManySessionsAllocateNothing: neither a signal of the device nor one of a wearer allocates among 200 sessions, if
// it turns nothing or if it does.
func TestManySessionsAllocateNothing(t *testing.T) {
	d := wearers(t, written(t, gateway(60, false)), 200)
	for _, x := range []struct {
		signal    string
		low, high float64
	}{{"idle", 1, 2}, {"d07", 15, 16}, {"d07", 15, 85}, {"p05", 15, 85}} {
		c := d.course(x.signal, wearer(7), x.low, x.high)
		for range 10 {
			c.step()
		}
		if n := testing.AllocsPerRun(100, func() { c.step() }); n != 0 {
			t.Errorf("%s from %g to %g: %v allocations", x.signal, x.low, x.high, n)
		}
		d.now = c.in.At
	}
}
