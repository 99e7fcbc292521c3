package moment_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// A state that steps only when it says that something changes knows at every event what one
// knows that steps four times a second as well.
func TestNextForgetsNothing(t *testing.T) {
	for seed := range uint64(40) {
		c := newCar(t, rule.ScopeSession)
		r := rand.New(rand.NewPCG(seed, 6))
		lazy, eager := moment.New(c.b, nil), moment.New(c.b, nil)
		now := t0
		for range 150 {
			to := now.Add(sense.Duration(1 + r.IntN(8000)))
			for k := now + 250; k < to; k += 250 {
				run(eager, k)
				eager.Settle(k)
			}
			now = to
			name, v := "speed", sense.DoubleValue(float64(r.IntN(4)*3))
			switch r.IntN(6) {
			case 0:
				name, v = "position", north(edge+(r.Float64()*2-1)/100)
			case 1:
				v = sense.NullValue()
			case 2:
				name = "temperature"
			}
			signal := &event.Signal{Name: name, Value: v, Age: sense.Duration(r.IntN(2000))}
			for _, s := range []*moment.State{lazy, eager} {
				run(s, now)
				if err := s.Signal("main", signal, now, now); err != nil {
					t.Fatal(err)
				}
				s.Settle(now)
			}
			for n := range c.b.Program.Nodes {
				a, b := lazy.Result("main", rule.Node(n)), eager.Result("main", rule.Node(n))
				if a.Cause != b.Cause || !a.Value.Equal(b.Value) || a.Input != b.Input {
					t.Fatalf("seed %d, node %d %s at %d: lazy %+v, eager %+v", seed, n, c.b.Program.Nodes[n].Text, now-t0, a, b)
				}
			}
		}
	}
}

// The same for a slice whose facts and interactions grow old.
func TestNextForgetsNothingOfTheSlice(t *testing.T) {
	c := newShop(t)
	p := sliceOf("2008-03-20", "winter", t0.Add(-sense.Year+9*sense.Day))
	p.Interactions = []profile.Interaction{{Kind: "invoice", Happened: t0.Add(-10 * sense.Day), Due: sense.Never}}
	lazy, eager := moment.New(c.b, nil), moment.New(c.b, nil)
	for _, s := range []*moment.State{lazy, eager} {
		s.Begin(t0)
		s.Profile("main", p, nil, moment.Here, t0)
		s.Settle(t0)
	}
	steps, flips := 0, 0
	was := make([]rule.Truth, len(c.b.Program.Nodes))
	for now := t0; now < t0.Add(40*sense.Day); now += sense.Instant(7 * sense.Minute) {
		eager.Begin(now)
		eager.Settle(now)
		for next := lazy.Next(); next <= now; next = lazy.Next() {
			lazy.Begin(next)
			lazy.Settle(next)
			steps++
		}
		for n := range c.b.Program.Nodes {
			if a, b := lazy.Truth("main", rule.Node(n)), eager.Truth("main", rule.Node(n)); a != b {
				t.Fatalf("node %d at %s: lazy %s, eager %s", n, now, a, b)
			} else if a != was[n] {
				was[n] = a
				flips++
			}
		}
	}
	if flips < 8 || steps > 40*30 {
		t.Fatalf("%d flips in %d steps", flips, steps)
	}
}

// The signals of a request hold for it alone, enter no window, and leave the readings as they were.
func TestWith(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	say(t, s, "temperature", sense.DoubleValue(5), t0-500)
	s.Open("main", t0)
	s.Settle(t0)
	if err := s.With("main", []event.Signal{{Name: "temperature", Value: sense.IntValue(-5)}, {Name: "nothing"}}, t0); err == nil {
		t.Fatal("an undeclared signal is taken")
	}
	s.Settle(t0)
	if s.Truth("main", c.cold) != rule.False {
		t.Fatal("a refused request changed something")
	}
	if err := s.With("main", []event.Signal{{Name: "temperature", Value: sense.IntValue(-5)}}, t0); err != nil {
		t.Fatal(err)
	}
	s.Settle(t0)
	if s.Truth("main", c.cold) != rule.True {
		t.Fatal("the signal of the request does not hold")
	}
	s.Without(t0)
	s.Settle(t0)
	if v, age, _ := s.Reading("main", 2); v.Double() != 5 || age != 500 || s.Truth("main", c.cold) != rule.False {
		t.Fatalf("after the request: %s, age %s", v, age)
	}
}
