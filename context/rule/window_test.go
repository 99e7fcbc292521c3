package rule_test

import (
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// one makes a program of a single bool or int signal and the given nodes after its Load.
func one(t *testing.T, kind sense.Kind, ops ...Op) (*Eval, func(n Node) Result) {
	t.Helper()
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "s", Kind: kind}}, Nodes: []Op{{Code: Load, Kind: kind}}}
	p.Nodes = append(p.Nodes, ops...)
	plan, err := NewPlan(p, Interest{})
	if err != nil {
		t.Fatal(err)
	}
	e := NewEval(plan)
	return e, e.Result
}

// A rolling window of d at T is (T-d, T]: a reading leaves it d after it was taken, to the millisecond.
func TestWindowBounds(t *testing.T) {
	e, result := one(t, sense.Int, Op{Code: CountReadings, Kind: sense.Int, For: sense.Hour}, Op{Code: Max, Kind: sense.Double, For: sense.Hour})
	e.Begin(t0)
	e.Read(0, sense.IntValue(7), t0)
	e.Settle(t0)
	for _, x := range []struct {
		at   sense.Instant
		want int64
	}{{t0, 1}, {t0.Add(sense.Hour) - 1, 1}, {t0.Add(sense.Hour), 0}} {
		e.Begin(x.at)
		e.Settle(x.at)
		if got := result(1).Value.Int(); got != x.want {
			t.Errorf("%d ms after the reading: %d in the window, want %d", x.at-t0, got, x.want)
		}
	}
	if r := result(2); r.Cause != InputUnknown {
		t.Errorf("the maximum of nothing is %+v", r)
	}
}

// Windows count from when a reading was taken, not from when it came.
func TestWindowCountsFromTheReading(t *testing.T) {
	e, result := one(t, sense.Bool, Op{Code: Held, Kind: sense.Length, Args: []Node{0}}, Op{Code: CountTrue, Kind: sense.Int, For: sense.Minute, Args: []Node{0}})
	e.Begin(t0)
	e.Set(0, Result{Value: sense.BoolValue(true)}, t0-40_000)
	e.Settle(t0)
	if got := result(1).Value.Length(); got != 40*sense.Second {
		t.Errorf("held for %s, want 40s", got)
	}
	if next := e.Next(); next != t0+20_000 {
		t.Errorf("it leaves the window in %d ms, want 20000", next-t0)
	}
}

// What a full window had to drop makes it unknown until that would have left by itself, but
// what was counted is enough for "at least".
func TestWindowIsBounded(t *testing.T) {
	few, limit := sense.IntValue(10), sense.IntValue(MaxEntries+1)
	e, result := one(t, sense.Int,
		Op{Code: CountReadings, Kind: sense.Int, For: sense.Hour},
		Op{Code: Const, Kind: sense.Int, Value: few}, Op{Code: Const, Kind: sense.Int, Value: limit},
		Op{Code: Ge, Kind: sense.Bool, Args: []Node{1, 2}}, Op{Code: Ge, Kind: sense.Bool, Args: []Node{1, 3}}, Op{Code: Lt, Kind: sense.Bool, Args: []Node{2, 1}})
	now := t0
	for range MaxEntries + 5 {
		now++
		e.Begin(now)
		e.Read(0, few, now)
		e.Settle(now)
	}
	if r := result(1); r.Cause != Settling || r.Value.Int() != MaxEntries {
		t.Errorf("a full window is %+v", r)
	}
	if result(4).Truth() != True || result(6).Truth() != True {
		t.Error("at least 10 are in the window, and it is not true")
	}
	if result(5).Truth() != Unknown {
		t.Error("whether one more is in the window cannot be known")
	}
	// The fifth reading was the last that was dropped, at t0+5.
	for e.Next() < t0.Add(sense.Hour)+5 {
		now = e.Next()
		e.Begin(now)
		e.Settle(now)
		if result(1).Cause != Settling {
			t.Fatalf("at %d the window knows too much", now-t0)
		}
	}
	now = t0.Add(sense.Hour) + 5
	e.Begin(now)
	e.Settle(now)
	if r := result(1); r.Cause != Known || r.Value.Int() != MaxEntries {
		t.Errorf("when the dropped have left: %+v", r)
	}
}

// The sum is exact whatever came and left, and what no millionths hold is an error while it is there.
func TestMeanIsExact(t *testing.T) {
	e, result := one(t, sense.Double, Op{Code: Mean, Kind: sense.Double, For: sense.Minute})
	step := func(now sense.Instant, v float64) Result {
		e.Begin(now)
		e.Read(0, sense.DoubleValue(v), now)
		e.Settle(now)
		return result(1)
	}
	if r := step(t0, 1e300); r.Cause != Failed {
		t.Errorf("1e300: %+v", r)
	}
	step(t0+60_000, 0.1)
	step(t0+60_001, 8e12)
	step(t0+60_002, -8e12)
	if r := step(t0+60_003, 0.3); r.Value.Double() != 0.1 {
		t.Errorf("(0.1 + 8e12 - 8e12 + 0.3) / 4 = %v", r.Value)
	}
}

func TestCheckRefuses(t *testing.T) {
	in := []Input{{From: FromSignal, Name: "s", Kind: sense.Bool}, {From: FromSignal, Name: "p", Kind: sense.Bool, Scope: ScopeSession}}
	load := Op{Code: Load, Kind: sense.Bool}
	for name, p := range map[string]*Program{
		"an argument after it":          {Inputs: in, Nodes: []Op{{Code: Not, Kind: sense.Bool, Args: []Node{0}}}},
		"a negative argument":           {Inputs: in, Nodes: []Op{load, {Code: Not, Kind: sense.Bool, Args: []Node{-1}}}},
		"an input that is not there":    {Inputs: in, Nodes: []Op{{Code: Load, Kind: sense.Bool, Input: 2}}},
		"an operation that is not":      {Inputs: in, Nodes: []Op{{Code: 200, Kind: sense.Bool}}},
		"too few arguments":             {Inputs: in, Nodes: []Op{load, {Code: Cond, Kind: sense.Bool, Args: []Node{0}}}},
		"an And of nothing":             {Inputs: in, Nodes: []Op{{Code: And, Kind: sense.Bool}}},
		"another kind":                  {Inputs: in, Nodes: []Op{{Code: Load, Kind: sense.Int}}},
		"the device reading a session":  {Inputs: in, Nodes: []Op{{Code: Load, Kind: sense.Bool, Input: 1}}},
		"the device after a session":    {Inputs: in, Nodes: []Op{{Code: Load, Kind: sense.Bool, Scope: ScopeSession, Input: 1}, load}},
		"a window without a length":     {Inputs: in, Nodes: []Op{load, {Code: CountTrue, Kind: sense.Int, Args: []Node{0}}}},
		"a mean of truths":              {Inputs: in, Nodes: []Op{{Code: Mean, Kind: sense.Double, For: 1}}},
		"a null constant":               {Nodes: []Op{{Code: Const}}},
		"a growing length in a product": {Inputs: in, Nodes: []Op{load, {Code: Held, Kind: sense.Length, Args: []Node{0}}, {Code: Mul, Kind: sense.Length, Args: []Node{1, 1}}}},
	} {
		if err := Check(p); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A latch stays what it was only while what would turn it is known: what lets somebody in is not certain
// for ever because a source fell silent.
func TestLatchOfWhatIsUnknown(t *testing.T) {
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "from", Kind: sense.Bool}, {From: FromSignal, Name: "to", Kind: sense.Bool}},
		Nodes: []Op{{Code: Load, Kind: sense.Bool}, {Code: Load, Kind: sense.Bool, Input: 1}, {Code: Latch, Kind: sense.Bool, Args: []Node{0, 1}}}}
	plan, err := NewPlan(p, Interest{})
	if err != nil {
		t.Fatal(err)
	}
	// A letter is a second: ? unknown, f false, t true.
	const (
		when  = "ftffff?ftffft??f?t?f"
		until = "ffft?fff??fttftt?f?f"
		want  = "?ttfff??t??ftt?f?t??"
	)
	e := NewEval(plan)
	set := func(input int32, c byte, now sense.Instant) {
		r := Result{Value: sense.BoolValue(c == 't')}
		if c == '?' {
			r = Result{Cause: InputUnknown, Input: input}
		}
		e.Set(input, r, now)
	}
	var got []byte
	for k := range when {
		now := t0 + sense.Instant(k)*1000
		e.Begin(now)
		set(0, when[k], now)
		set(1, until[k], now)
		e.Settle(now)
		got = append(got, map[Truth]byte{Unknown: '?', False: 'f', True: 't'}[e.Truth(2)])
	}
	if string(got) != want {
		t.Errorf("when  %s\nuntil %s\nis    %s\nwant  %s", when, until, got, want)
	}
}
