package moment_test

import (
	"errors"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// t0 is Monday 2026-03-02T09:00:00Z.
const t0 = sense.Instant(1772442000000)

// builder puts a bundle together by hand.
type builder struct{ b catalog.Bundle }

func (m *builder) signal(name string, kind sense.Kind, scope rule.Scope, maxAge sense.Duration) int32 {
	m.b.Signals = append(m.b.Signals, catalog.Signal{Name: name, Kind: kind, Scope: scope, MaxAge: maxAge, Consent: -1})
	return int32(len(m.b.Signals) - 1)
}

func (m *builder) input(in rule.Input) int32 {
	m.b.Program.Inputs = append(m.b.Program.Inputs, in)
	return int32(len(m.b.Program.Inputs) - 1)
}

func (m *builder) node(op rule.Op) rule.Node {
	m.b.Program.Nodes = append(m.b.Program.Nodes, op)
	return rule.Node(len(m.b.Program.Nodes) - 1)
}

func (m *builder) load(k int32) rule.Node {
	in := &m.b.Program.Inputs[k]
	return m.node(rule.Op{Code: rule.Load, Kind: in.Kind, Scope: in.Scope, Input: k, Text: in.Name})
}

func (m *builder) value(v sense.Value) rule.Node {
	return m.node(rule.Op{Code: rule.Const, Kind: v.Kind(), Value: v, Input: -1})
}

// car is a bundle with the driving state of the sample policy and a place:
// held(speed > 5) >= 3s until held(speed < 7) >= 30s.
type car struct {
	b                              *catalog.Bundle
	driving, inside, entered, cold rule.Node
	speedInput                     int32
}

func newCar(t *testing.T, speedScope rule.Scope) car {
	t.Helper()
	var m builder
	position := m.signal("position", sense.Position, rule.ScopeSession, 10*sense.Second)
	speed := m.signal("speed", sense.Double, rule.ScopeSession, 3*sense.Second)
	temperature := m.signal("temperature", sense.Double, rule.ScopeDevice, 30*sense.Minute)
	_ = position
	m.b.Places = []catalog.Place{{Name: "abroad", Area: place.Area{Circle: true, Centre: sense.PointOf(52, 5), Radius: 1_000_000, Outside: true, Margin: 50_000}}}
	var c car
	inTemp := m.input(rule.Input{From: rule.FromSignal, Name: "temperature", Kind: sense.Double, Scope: rule.ScopeDevice, Index: temperature})
	c.speedInput = m.input(rule.Input{From: rule.FromSignal, Name: "speed", Kind: sense.Double, Scope: rule.ScopeSession, Index: speed})
	inAbroad := m.input(rule.Input{From: rule.FromInside, Name: "abroad", Kind: sense.Bool, Scope: rule.ScopeSession, Index: 0})
	five, seven, three, thirty, one := m.value(sense.DoubleValue(5)), m.value(sense.DoubleValue(7)), m.value(sense.LengthValue(3000)), m.value(sense.LengthValue(30000)), m.value(sense.DoubleValue(1))
	temp := m.load(inTemp)
	c.cold = m.node(rule.Op{Code: rule.Lt, Kind: sense.Bool, Args: []rule.Node{temp, one}, Input: -1, Text: "temperature < 1"})
	load := m.load(c.speedInput)
	node := func(code rule.Code, kind sense.Kind, text string, d sense.Duration, args ...rule.Node) rule.Node {
		return m.node(rule.Op{Code: code, Kind: kind, Scope: rule.ScopeSession, Args: args, Input: -1, For: d, Text: text})
	}
	fast := node(rule.Gt, sense.Bool, "speed > 5", 0, load, five)
	slow := node(rule.Lt, sense.Bool, "speed < 7", 0, load, seven)
	heldFast := node(rule.Held, sense.Length, "", 0, fast)
	heldSlow := node(rule.Held, sense.Length, "", 0, slow)
	when := node(rule.Ge, sense.Bool, "held(speed > 5) >= 3s", 0, heldFast, three)
	until := node(rule.Ge, sense.Bool, "held(speed < 7) >= 30s", 0, heldSlow, thirty)
	c.driving = node(rule.Latch, sense.Bool, "driving", 0, when, until)
	c.inside = m.load(inAbroad)
	c.entered = node(rule.Armed, sense.Bool, "entered(abroad, 2h)", 2*sense.Hour, c.inside)
	m.b.States = []catalog.State{{Name: "driving", Node: c.driving, Inputs: []int32{speed}, AbsentAllow: true}}
	m.b.Actions = []catalog.Action{{Name: "ring", Eligible: c.entered, Applicable: c.cold, Suitable: c.inside}}
	c.b = &m.b
	if err := moment.Check(c.b); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(t *testing.T, s *moment.State, name string, v sense.Value, at sense.Instant) {
	t.Helper()
	if err := s.Signal("main", &event.Signal{Name: name, Value: v}, at, at); err != nil {
		t.Fatal(err)
	}
}

// run lets time pass as an engine does: a step at every instant that Next names.
func run(s *moment.State, now sense.Instant) {
	for next := s.Next(); next <= now; next = s.Next() {
		s.Begin(next)
		s.Settle(next)
	}
	s.Begin(now)
}

// Speed unknown or stale counts as driving; 30 s of standing lift it at their exact instant.
func TestDriving(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	s.Open("main", t0)
	s.Settle(t0)
	if got := s.StateTruth("main", 0); got != rule.Unknown {
		t.Fatalf("before any speed: driving is %s, want unknown", got)
	}
	step := func(after sense.Duration, speed float64, want rule.Truth) {
		t.Helper()
		now := t0.Add(after)
		run(s, now)
		if speed >= 0 {
			say(t, s, "speed", sense.DoubleValue(speed), now)
		}
		s.Settle(now)
		if got := s.StateTruth("main", 0); got != want {
			t.Fatalf("after %s: driving is %s, want %s", after, got, want)
		}
	}
	for k := range 30 {
		step(sense.Duration(1000+1000*k), 0, rule.Unknown)
	}
	step(31*sense.Second, 0, rule.False)
	step(32*sense.Second, 50, rule.False)
	step(33*sense.Second, 50, rule.False)
	step(34*sense.Second, 50, rule.False)
	step(35*sense.Second, 50, rule.True)
	for k := 36; k < 46; k++ { // a red light
		step(sense.Duration(k)*sense.Second, 0, rule.True)
	}
	step(46*sense.Second, 50, rule.True)
	for k := 47; k < 77; k++ {
		step(sense.Duration(k)*sense.Second, 0, rule.True)
	}
	step(77*sense.Second, 0, rule.False)
	step(80*sense.Second, -1, rule.False)
	step(80*sense.Second+1, -1, rule.Unknown) // 3.001 s after the last word
	reason, because := s.Why("main", c.driving)
	if reason != catalog.SignalStale || len(because) != 1 || because[0].Name != "speed" || because[0].Age != 3001 || because[0].Needed != "held(speed > 5) >= 3s" {
		t.Fatalf("why: %s %+v", reason, because)
	}
}

func TestAbsentSourceAllows(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, []string{"speed"})
	s.Begin(t0)
	s.Open("main", t0)
	s.Settle(t0)
	if got := s.StateTruth("main", 0); got != rule.False {
		t.Fatalf("driving without a speed is %s", got)
	}
	say(t, s, "speed", sense.DoubleValue(100), t0)
	s.Settle(t0)
	if got := s.StateTruth("main", 0); got != rule.Unknown {
		t.Fatalf("a source that speaks is not absent, but driving is %s", got)
	}
}

func TestSignalRefused(t *testing.T) {
	c := newCar(t, rule.ScopeSession)
	s := moment.New(c.b, nil)
	s.Begin(t0)
	for _, x := range []struct {
		name string
		v    sense.Value
		want error
	}{
		{"nothing", sense.IntValue(1), moment.ErrUndeclared},
		{"speed", sense.StringValue("fast"), moment.ErrInvalid},
		{"speed", sense.BoolValue(true), moment.ErrInvalid},
		{"position", sense.DoubleValue(1), moment.ErrInvalid},
		{"speed", sense.IntValue(3), nil},
		{"speed", sense.NullValue(), nil},
	} {
		if err := s.Signal("main", &event.Signal{Name: x.name, Value: x.v}, t0, t0); !errors.Is(err, x.want) {
			t.Errorf("%s = %s: %v, want %v", x.name, x.v, err, x.want)
		}
	}
}

var (
	speedSignal    = event.Signal{Name: "speed", Value: sense.DoubleValue(0)}
	positionSignal = event.Signal{Name: "position", Value: sense.PositionValue(sense.PointOf(52, 5), 10_000)}
)
