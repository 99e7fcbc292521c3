package moment_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// 0.01 degrees of latitude are 1,113 m; the edge of the circle around 52, 5 lies at 52.008987.
func north(degrees float64) sense.Value {
	return sense.PositionValue(sense.PointOf(52+degrees, 5), 10_000)
}

const edge = 0.008987

// fix takes in a position a second after the one before and evaluates.
func fix(t *testing.T, s *moment.State, now *sense.Instant, v sense.Value) {
	t.Helper()
	*now = now.Add(sense.Second)
	run(s, *now)
	say(t, s, "position", v, *now)
	s.Settle(*now)
}

func flips(s *moment.State, n rule.Node) int {
	_, own := s.Flipped("main")
	count := 0
	for _, x := range own {
		if x == n {
			count++
		}
	}
	return count
}

// Scatter of 30 m on the border, twenty times, is one entered.
func TestScatterOnTheBorderEntersOnce(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	now := t0
	fix(t, s, &now, north(0))
	if s.Truth("main", c.entered) != rule.False || s.Truth("main", c.inside) != rule.False {
		t.Fatalf("at home: entered %s, inside %s", s.Truth("main", c.entered), s.Truth("main", c.inside))
	}
	entered := 0
	r := rand.New(rand.NewPCG(3, 3))
	for range 20 {
		fix(t, s, &now, north(edge+(r.Float64()*2-1)*30/111_267))
		entered += flips(s, c.entered)
	}
	if entered != 0 {
		t.Fatalf("on the border it entered %d times", entered)
	}
	fix(t, s, &now, north(edge+0.001)) // 111 m beyond it
	if flips(s, c.entered) != 1 || s.Truth("main", c.entered) != rule.True {
		t.Fatal("beyond the border it has not entered")
	}
	at := now
	for range 20 {
		fix(t, s, &now, north(edge+(r.Float64()*2-1)*30/111_267))
		entered += flips(s, c.entered)
	}
	if entered != 0 || s.Truth("main", c.entered) != rule.True {
		t.Fatalf("back on the border it flipped %d times", entered)
	}
	// Without a word of where it is, it stays entered for two hours to the millisecond.
	run(s, at.Add(2*sense.Hour)-1)
	s.Settle(at.Add(2*sense.Hour) - 1)
	if s.Truth("main", c.entered) != rule.True {
		t.Fatal("before its time entered is over")
	}
	run(s, at.Add(2*sense.Hour))
	s.Settle(at.Add(2 * sense.Hour))
	if reason, because := s.Why("main", c.entered); s.Truth("main", c.entered) != rule.Unknown || reason != catalog.SignalStale || because[0].Name != "position" {
		t.Fatalf("after two hours: %s, %s %+v", s.Truth("main", c.entered), reason, because)
	}
}

// Certainly left: the reason says so, until the two hours would have been over anyway.
func TestLeftPlace(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	now := t0
	fix(t, s, &now, north(0))
	if reason, because := s.Why("main", c.entered); reason != catalog.NoReason || len(because) != 1 || because[0].Name != "abroad" || because[0].Needed != "entered(abroad, 2h)" {
		t.Fatalf("never abroad: %s %+v", reason, because)
	}
	fix(t, s, &now, north(0.02))
	if s.Truth("main", c.entered) != rule.True {
		t.Fatal("not entered")
	}
	fix(t, s, &now, north(0))
	reason, because := s.Why("main", c.entered)
	if s.Truth("main", c.entered) != rule.False || reason != catalog.LeftPlace || because[0].Name != "abroad" || because[0].Value.Bool() {
		t.Fatalf("back home: %s, %s %+v", s.Truth("main", c.entered), reason, because)
	}
	now = now.Add(2 * sense.Hour)
	fix(t, s, &now, north(0))
	if reason, _ := s.Why("main", c.entered); reason != catalog.NoReason {
		t.Fatalf("two hours later: %s", reason)
	}
}

// A certain outside before it is kept over a restart; the two hours are not.
func TestEnteredOverRestart(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	for _, x := range []struct {
		name   string
		before float64
		want   rule.Truth
	}{{"from home", 0, rule.True}, {"from abroad", 0.02, rule.Unknown}} {
		s := moment.New(c.b, nil)
		s.Begin(t0)
		now := t0
		fix(t, s, &now, north(x.before))
		snap := s.Snapshot()
		side := place.Outside
		if x.before > 0 {
			side = place.Inside
		}
		if len(snap.Fences) != 1 || snap.Fences[0] != (moment.FenceSide{Session: "main", Place: "abroad", Side: side}) {
			t.Fatalf("%s: snapshot %+v", x.name, snap)
		}
		s = moment.New(c.b, nil)
		now += 60_000
		s.Restore(snap, now)
		s.Settle(now)
		if s.Truth("main", c.inside) != rule.Unknown || s.Truth("main", c.entered) == rule.True {
			t.Fatalf("%s: after the restart inside is %s, entered %s", x.name, s.Truth("main", c.inside), s.Truth("main", c.entered))
		}
		booted := now
		fix(t, s, &now, north(0.02))
		if got := s.Truth("main", c.entered); got != x.want {
			t.Fatalf("%s: abroad after the restart: entered is %s, want %s", x.name, got, x.want)
		}
		// Whoever was abroad already cannot have entered within the last two hours once they have passed.
		for now < booted.Add(2*sense.Hour)+5000 {
			fix(t, s, &now, north(0.02))
		}
		if got := s.Truth("main", c.entered); got != rule.False {
			t.Fatalf("%s: two hours later entered is %s", x.name, got)
		}
	}
}

// Without the grant that its signal asks for, the position is not read, and what was read is dropped.
func TestConsentOfASignal(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	c.b.Purposes = []catalog.Purpose{{Name: "location", Basis: catalog.BasisConsent, Unasked: -1}}
	c.b.Signals[0].Consent = 0
	s := moment.New(c.b, nil)
	s.Begin(t0)
	now := t0
	fix(t, s, &now, north(0.02))
	if v, age, cause := s.Reading("main", 0); !v.IsNull() || age != catalog.NoAge || cause != rule.NotRead {
		t.Fatalf("read without consent: %s %s %d", v, age, cause)
	}
	if reason, because := s.Why("main", c.inside); reason != catalog.InputIsUnknown || because[0].Name != "position" {
		t.Fatalf("why: %s %+v", reason, because)
	}
	s.Grant("main", 1, now)
	fix(t, s, &now, north(0.02))
	if s.Truth("main", c.inside) != rule.True {
		t.Fatal("with consent it is not read")
	}
	s.Grant("main", 0, now)
	s.Settle(now)
	if s.Truth("main", c.inside) != rule.Unknown || len(s.Snapshot().Fences) != 0 {
		t.Fatal("after the withdrawal something is left")
	}
}

// A reading older than the present one never replaces it, by its own time.
func TestOlderReadingIsLeft(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	say(t, s, "temperature", sense.DoubleValue(5), t0)
	s.Begin(t0 + 1000)
	say(t, s, "temperature", sense.DoubleValue(-3), t0-1)
	s.Settle(t0 + 1000)
	if v, age, cause := s.Reading("main", 2); v.Double() != 5 || age != 1000 || cause != rule.Known || s.Outdated() != 1 {
		t.Fatalf("%s, age %s, cause %d, outdated %d", v, age, cause, s.Outdated())
	}
	if got := s.Truth("another", c.cold); got != rule.False {
		t.Fatalf("a condition of the device in a session that is not open: %s", got)
	}
	// A device reading goes stale at age max_age + 1 ms.
	if next := s.Next(); next != t0.Add(30*sense.Minute)+1 {
		t.Fatalf("stale in %d ms", next-t0)
	}
}

func TestSignalThatFlipsNothingDoesNotAllocate(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	now := t0
	fix(t, s, &now, north(0))
	speed, position := speedSignal, positionSignal
	if n := testing.AllocsPerRun(200, func() {
		now += 100
		s.Begin(now)
		_ = s.Signal("main", &speed, now, now)
		_ = s.Signal("main", &position, now, now)
		s.Settle(now)
		_ = s.Next()
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
