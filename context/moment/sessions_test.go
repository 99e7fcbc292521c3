package moment_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// wearing is a policy with one of everything that conditions can look at, of the device, of a wearer, and of both.
const wearing = `policy: wearing
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  care: {basis: contract, for: {en: "to care"}}
  track: {basis: consent, for: {en: "to track"}}
signals:
  heat: {type: double, max_age: 20s}
  rain: {type: bool, max_age: 8s}
  noise: {type: int, max_age: 5s, consent: track}
  pulse: {type: double, max_age: 6s, scope: person, purposes: [care], why: {en: "w"}, leaves_device: never}
  fall: {type: bool, max_age: 4s, scope: person, purposes: [care], consent: track, why: {en: "w"}, leaves_device: never}
  position: {type: position, max_age: 10s, scope: person, purposes: [care], why: {en: "w"}, leaves_device: never}
places:
  home: {circle: {at: [52.0, 5.0], radius: 100 m}}
facts:
  limit: {type: int, purposes: [care], from: [declared], keep: 2y, fresh: 30s}
  born: {type: date, purposes: [care], from: [declared], keep: 2y}
slots: {wrist: {channel: wearable}}
actions:
`

// conditions are what the policy's actions ask.
var conditions = []string{
	"heat > 20.0", "rain && heat < 30.0", "became(rain)", "held(rain) >= 3s", "changed(heat)", "count(heat, 10s) >= 3",
	"pulse > 100.0", "fall", "became(fall)", "changed(pulse)", "held(pulse > 90.0) >= 4s", "mean(pulse, 12s) > 95.0", "since(fall) < 5s", "has(limit)",
	"inside(home)", "entered(home, 6s)", "entered(home)", "left(home)", "distance(home) < 300.0",
	"rain && pulse > 100.0", "became(rain && pulse > 80.0)", "pulse > heat * 4.0", "pulse > heat", "pulse - heat > 60.0", "held(rain) >= 2s && held(fall) >= 1s", "rain || fall",
	"double(limit) > pulse", "noise > 3 && fall", "held(rain && fall) > 2s", "became(!became(rain))", "local.hour < 12 && pulse > 50.0", "age(born) >= 18 && rain",
	"has(noise)", "noise > 5", "rain ? pulse > 100.0 : heat > 20.0", "became(!became(rain) && pulse > 90.0)",
	"became(!became(fall))", "became(!became(rain && pulse > 80.0))", "became(rain) ? fall : pulse > 100.0", "pulse > (became(!became(rain)) ? 90.0 : 70.0)", "became(!became(rain)) ? fall : pulse > 100.0",
}

// wornPolicy compiles the policy, each condition for an action of its own.
func wornPolicy(t testing.TB) *catalog.Bundle {
	t.Helper()
	var all strings.Builder
	all.WriteString(wearing)
	for k, c := range conditions {
		fmt.Fprintf(&all, "  a%02d: {intent: information, purpose: care, slots: [wrist], applicable: %q, value: 1.00, say_personal: {en: \"A\"}}\n", k, c)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %+v", err, findings)
	}
	return b
}

// TestManySessions: sessions that come and go, of which a step looks only at those in which something happens, know
// the same, flip the same and wait for the same as if each step looked at all of them.
func TestManySessions(t *testing.T) {
	b := wornPolicy(t)
	rounds, flips := 7, 0
	watched := moment.Interest(b).Watched
	if testing.Short() {
		rounds = 5
	}
	if n, err := strconv.Atoi(os.Getenv("TACT_RUNS")); err == nil {
		rounds = n
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 11))
		lazy, eager := moment.New(b, nil), moment.New(b, nil)
		both := func(do func(*moment.State)) {
			do(lazy)
			do(eager)
		}
		begin := func(now sense.Instant) {
			lazy.Begin(now)
			eager.Begin(now)
			eager.RouseAll()
		}
		before := map[string]map[rule.Node]rule.Truth{}
		agree := func(when string) {
			open := eager.Sessions()
			maps.DeleteFunc(before, func(s string, _ map[rule.Node]rule.Truth) bool { return !slices.Contains(open, s) })
			if lazy.Next() != eager.Next() {
				t.Fatalf("seed %d, %s: next is %d, looking at all %d", seed, when, lazy.Next(), eager.Next())
			}
			concerned, all := map[string]bool{}, map[string]bool{}
			lazy.Concerned(func(s string) { concerned[s] = true })
			eager.Concerned(func(s string) { all[s] = true })
			if !maps.Equal(concerned, all) {
				t.Fatalf("seed %d, %s: %v are concerned, looking at all %v", seed, when, concerned, all)
			}
			for _, s := range append(eager.Sessions(), "nowhere") {
				device, own := lazy.Flipped(s)
				allDevice, allOwn := eager.Flipped(s)
				flips += len(allOwn)
				if !slices.Equal(device, allDevice) || !slices.Equal(own, allOwn) {
					t.Fatalf("seed %d, %s: %s flipped %v and %v, looking at all %v and %v", seed, when, s, device, own, allDevice, allOwn)
				}
				for _, n := range watched {
					is := eager.Truth(s, n)
					if was, known := before[s][n]; known && was != is && !concerned[s] && b.Program.Nodes[n].Scope == rule.ScopeSession {
						t.Fatalf("seed %d, %s: in %s %q was %s and is %s, which concerns it", seed, when, s, b.Program.Nodes[n].Text, was, is)
					}
					if before[s] == nil {
						before[s] = map[rule.Node]rule.Truth{}
					}
					before[s][n] = is
				}
				for n := range b.Program.Nodes {
					if x, y := lazy.Truth(s, rule.Node(n)), eager.Truth(s, rule.Node(n)); x != y {
						t.Fatalf("seed %d, %s: in %s %q is %s, looking at all %s", seed, when, s, b.Program.Nodes[n].Text, x, y)
					}
				}
				if r.IntN(4) > 0 { // a look at a value begins the session in this step
					continue
				}
				for n := range b.Program.Nodes {
					if x, y := lazy.Result(s, rule.Node(n)), eager.Result(s, rule.Node(n)); x.Cause != y.Cause || x.Input != y.Input || !x.Value.Equal(y.Value) {
						t.Fatalf("seed %d, %s: in %s %q is %+v, looking at all %+v", seed, when, s, b.Program.Nodes[n].Text, x, y)
					}
				}
			}
		}
		now := t0
		begin(now)
		both(func(s *moment.State) { s.Settle(now) })
		for step := range 300 {
			to := now.Add(sense.Duration(r.IntN(2500)))
			for eager.Next() <= to {
				now = max(now, eager.Next())
				begin(now)
				both(func(s *moment.State) { s.Settle(now) })
				agree(fmt.Sprintf("step %d, by time", step))
			}
			now = to
			begin(now)
			for range 1 + r.IntN(2) {
				session := fmt.Sprintf("w%d", r.IntN(8))
				if happen(r, b, session, now, both) {
					delete(before, session) // who comes after it is another
				}
			}
			both(func(s *moment.State) { s.Settle(now) })
			agree(fmt.Sprintf("step %d", step))
			if r.IntN(8) == 0 { // one request says otherwise
				session := fmt.Sprintf("w%d", r.IntN(8))
				with := []event.Signal{{Name: "rain", Value: sense.BoolValue(r.IntN(2) == 0)}, {Name: "pulse", Value: sense.DoubleValue(float64(60 + r.IntN(60)))}}
				both(func(s *moment.State) {
					if err := s.With(session, with, now); err != nil {
						t.Fatal(err)
					}
					s.Settle(now)
				})
				agree(fmt.Sprintf("step %d, with", step))
				both(func(s *moment.State) {
					s.Without(now)
					s.Settle(now)
				})
				agree(fmt.Sprintf("step %d, without", step))
			}
			if r.IntN(150) == 0 { // another life, of which the sides of places are known
				snap := lazy.Snapshot()
				lazy, eager = moment.New(b, nil), moment.New(b, nil)
				both(func(s *moment.State) { s.Restore(snap, now) })
				both(func(s *moment.State) { s.Settle(now) })
				agree(fmt.Sprintf("step %d, restored", step))
			}
		}
	}
	if flips < rounds*500 {
		t.Errorf("no more than %d conditions flipped in %d rounds", flips, rounds)
	}
}

// happen lets something happen in a session of both states, and says whether that closed it.
func happen(r *rand.Rand, b *catalog.Bundle, session string, now sense.Instant, both func(func(*moment.State))) (closed bool) {
	signal := func(name string, v sense.Value) {
		x := &event.Signal{Name: name, Value: v, Age: sense.Duration(r.IntN(3) * r.IntN(1500))}
		both(func(s *moment.State) { _ = s.Signal(session, x, now, now) })
	}
	yes := sense.BoolValue(r.IntN(2) == 0)
	switch r.IntN(13) {
	case 0, 1:
		signal("heat", sense.DoubleValue(float64(15+r.IntN(20))))
	case 2:
		signal("rain", yes)
	case 3:
		signal("noise", sense.IntValue(int64(r.IntN(9))))
	case 4, 5, 6:
		signal("pulse", sense.DoubleValue(float64(60+r.IntN(60))))
	case 7:
		signal("fall", yes)
	case 8:
		signal("position", sense.PositionValue(sense.PointOf(52+float64(r.IntN(5))/1000, 5), 5_000))
	case 9:
		set := catalog.PurposeSet(1)
		if r.IntN(3) > 0 {
			set |= 2
		}
		both(func(s *moment.State) { s.Grant(session, set, now) })
	case 10:
		p := sliceOf("2008-03-20", "winter", now)
		p.Customer = session + string(rune('a'+r.IntN(2)))
		p.Facts = []profile.Fact{{Name: "limit", Value: sense.IntValue(int64(60 + r.IntN(60))), Happened: now.Add(-sense.Duration(r.IntN(40_000))), Provenance: event.Declared}}
		presence := moment.Presence(r.IntN(3))
		if presence != moment.Here {
			p = nil
		}
		both(func(s *moment.State) { s.Profile(session, p, nil, presence, now) })
	case 11:
		if r.IntN(3) == 0 {
			both(func(s *moment.State) { s.Close(session) })
			return true
		}
		both(func(s *moment.State) { s.Open(session, now) })
	case 12:
		if r.IntN(15) == 0 {
			both(func(s *moment.State) { s.Boot(now) })
		}
	}
	return false
}

// TestADeviceSignalAmongManySessions: what concerns no session costs none of them anything, and what concerns all allocates nothing.
func TestADeviceSignalAmongManySessions(t *testing.T) {
	b := wornPolicy(t)
	s := moment.New(b, nil)
	s.Begin(t0)
	for k := range 200 {
		s.Open(fmt.Sprintf("w%03d", k), t0)
	}
	s.Settle(t0)
	now := t0
	heat := &event.Signal{Name: "heat"}
	step := func() {
		now++
		heat.Value = sense.DoubleValue(float64(15 + now%20))
		s.Begin(now)
		if err := s.Signal("w000", heat, now, now); err != nil {
			t.Fatal(err)
		}
		s.Settle(now)
	}
	for range 50 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestClosedSessionsLeaveNothing: what a device keeps for its sessions goes with them.
func TestClosedSessionsLeaveNothing(t *testing.T) {
	s := moment.New(wornPolicy(t), nil)
	now := sense.Instant(1_700_000_000_000)
	visit := func(n int) {
		for k := range n {
			now++
			s.Begin(now)
			s.Open(strconv.Itoa(k), now)
			s.Settle(now)
			s.Close(strconv.Itoa(k))
		}
	}
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	visit(10)
	before := held()
	visit(3000)
	if grown := int64(held()) - int64(before); grown > 256<<10 {
		t.Errorf("3000 visits left %d bytes", grown)
	}
	runtime.KeepAlive(s)
}
