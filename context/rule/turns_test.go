package rule_test

import (
	"math"
	"slices"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

func yesNo(b bool) Result { return Result{Value: sense.BoolValue(b)} }

// pair is a device and one session over it.
type pair struct {
	t               *testing.T
	device, session *Eval
	now             sense.Instant
}

func newPair(t *testing.T, p *Program, keep Interest) *pair {
	plan, err := NewPlan(p, keep)
	if err != nil {
		t.Fatal(err)
	}
	d := NewEval(plan)
	return &pair{t: t, device: d, session: d.NewSession(), now: t0}
}

// step sets inputs by number; the session is left out where it is to be.
func (p *pair) step(inputs map[int32]Result, out bool) {
	p.now++
	p.device.Begin(p.now)
	if !out {
		p.session.Begin(p.now)
	}
	for k, r := range inputs {
		p.device.Set(k, r, p.now)
		if !out {
			p.session.Set(k, r, p.now)
		}
	}
	p.device.Settle(p.now)
	if !out {
		p.session.Settle(p.now)
	}
}

var oneOfEach = []Input{{From: FromSignal, Kind: sense.Bool, Index: -1}, {From: FromSignal, Kind: sense.Bool, Scope: ScopeSession, Index: -1}}

// What both parts of a conjunction make false in one step was true when it began, and the session tells so.
func TestBothPartsTurnInOneStep(t *testing.T) {
	p := newPair(t, &Program{Inputs: oneOfEach, Nodes: []Op{
		{Code: Load, Kind: sense.Bool, Input: 0},
		{Code: Load, Kind: sense.Bool, Scope: ScopeSession, Input: 1},
		{Code: And, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0, 1}, Input: -1}}},
		Interest{Watched: []Node{2}, Candidates: []Candidate{{Needs: []Node{2}}, {Needs: []Node{0, 1}}}})
	for k, yes := range []bool{true, false, true, false} {
		p.step(map[int32]Result{0: yesNo(yes), 1: yesNo(yes)}, false)
		if _, ok := p.session.Best(); ok != yes || !p.session.Moved() || !p.session.Concerned() {
			t.Errorf("step %d: eligible %t, moved %t, concerned %t", k, ok, p.session.Moved(), p.session.Concerned())
		}
	}
	p.step(nil, false)
	if p.session.Moved() || p.session.Concerned() {
		t.Errorf("in a step without a turn: moved %t, concerned %t", p.session.Moved(), p.session.Concerned())
	}
}

// A condition of sessions that rests on the device alone concerns the sessions when it turns.
func TestConditionOfSessionsOverTheDevice(t *testing.T) {
	p := newPair(t, &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Int, Index: -1}}, Nodes: []Op{
		{Code: Load, Kind: sense.Int, Input: 0},
		{Code: Const, Kind: sense.Int, Scope: ScopeSession, Input: -1, Value: sense.IntValue(5)},
		{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0, 1}, Input: -1}}},
		Interest{Watched: []Node{2}})
	for k, n := range []int64{4, 5, 4} {
		p.step(map[int32]Result{0: {Value: sense.IntValue(n)}}, false)
		if want := []Node{2}; !p.session.Concerned() || !slices.Equal(p.session.Flipped(), want) || len(p.device.Flipped()) > 0 {
			t.Errorf("step %d: concerned %t, flipped %v, of the device %v", k, p.session.Concerned(), p.session.Flipped(), p.device.Flipped())
		}
	}
}

// A session that missed turns of the device counts anew, also what it counts over other counters.
func TestSessionThatMissedTurns(t *testing.T) {
	p := newPair(t, &Program{Inputs: append([]Input{{From: FromSignal, Kind: sense.Bool, Scope: ScopeSession, Index: -1}}, oneOfEach...), Nodes: []Op{
		{Code: Load, Kind: sense.Bool, Input: 1},
		{Code: Load, Kind: sense.Bool, Scope: ScopeSession, Input: 0},
		{Code: Load, Kind: sense.Bool, Scope: ScopeSession, Input: 2},
		{Code: Or, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0, 1}, Input: -1},
		{Code: And, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{2, 3}, Input: -1}}},
		Interest{Candidates: []Candidate{{Needs: []Node{4}}, {Needs: []Node{3}}}})
	p.step(map[int32]Result{0: yesNo(true), 1: yesNo(false), 2: yesNo(true)}, false)
	for _, yes := range []bool{true, false, true} {
		p.step(map[int32]Result{1: yesNo(yes)}, true)
	}
	p.step(nil, false)
	if got := p.session.Eligible(nil); !slices.Equal(got, []int32{0, 1}) || p.session.Truth(4) != True {
		t.Errorf("%v are eligible, and it is %s", got, p.session.Truth(4))
	}
}

// What always was true is so for as long as the evaluation runs to whose scope the question belongs: with a session that
// came later, too.
func TestHeldOfTheDeviceInALateSession(t *testing.T) {
	p := &Program{Inputs: oneOfEach, Nodes: []Op{
		{Code: Const, Kind: sense.String, Input: -1, Value: sense.StringValue("ab")},
		{Code: Const, Kind: sense.Length, Input: -1, Value: sense.LengthValue(0)},
		{Code: Const, Kind: sense.Length, Input: -1, Value: sense.LengthValue(100)},
		{Code: StartsWith, Kind: sense.Bool, Args: []Node{0, 0}, Input: -1},
		{Code: Held, Kind: sense.Length, Args: []Node{3}, Input: -1},
		{Code: Add, Kind: sense.Length, Scope: ScopeSession, Args: []Node{4, 1}, Input: -1},
		{Code: Ge, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{5, 2}, Input: -1}}}
	plan, err := NewPlan(p, Interest{Candidates: []Candidate{{Needs: []Node{6}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []*Plan{plan, plan.Reference()} {
		d := NewEval(plan)
		d.Begin(t0)
		d.Settle(t0)
		d.Begin(t0 + 200)
		d.Settle(t0 + 200)
		s := d.NewSession()
		s.Begin(t0 + 200)
		s.Settle(t0 + 200)
		if s.Truth(6) != True {
			t.Errorf("held for 200 ms, of 100: %s", s.Truth(6))
		}
	}
}

// An entered(place, d) that ended early is told as such for d, also by a session that nothing happens in meanwhile.
func TestLeftIsOverByItself(t *testing.T) {
	p := newPair(t, &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Bool, Index: -1}, {From: FromInside, Kind: sense.Bool, Scope: ScopeSession, Index: -1}}, Nodes: []Op{
		{Code: Load, Kind: sense.Bool, Scope: ScopeSession, Input: 1},
		{Code: Armed, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0}, Input: -1, For: sense.Second}}}, Interest{})
	for _, yes := range []bool{false, true, false} {
		p.step(map[int32]Result{1: yesNo(yes)}, false)
	}
	if !p.session.Left(1) {
		t.Error("it was not left")
	}
	p.now = p.now.Add(2 * sense.Second)
	p.step(nil, p.session.Next() > p.now+1 && !p.session.Awaits() && !p.session.Fleeting())
	if p.session.Left(1) {
		t.Error("it is still said to be left, after its time")
	}
}

// The time to an instant before all others lies below all lengths, once some of it has passed.
func TestMovesBelowAllNumbers(t *testing.T) {
	p := newPair(t, &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Bool, Index: -1}, {From: FromUntil, Kind: sense.Length, Scope: ScopeSession, Index: -1}}, Nodes: []Op{
		{Code: Load, Kind: sense.Length, Scope: ScopeSession, Input: 1},
		{Code: Const, Kind: sense.Length, Scope: ScopeSession, Input: -1, Value: sense.LengthValue(math.MinInt64)},
		{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0, 1}, Input: -1}}}, Interest{})
	p.step(map[int32]Result{1: {Value: sense.TimestampValue(math.MinInt64)}}, false)
	if got := p.session.Truth(2); got != True {
		t.Errorf("it is %s", got)
	}
}

// The time since the year 1 is longer than a length may be: an error, and no order holds of it.
func TestTimeSinceTheYearOne(t *testing.T) {
	for _, at := range []sense.Instant{-62135596800_000, 253402300799_999} {
		p := newPair(t, &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Timestamp, Index: -1}, {From: FromNow, Kind: sense.Timestamp, Index: -1}}, Nodes: []Op{
			{Code: Load, Kind: sense.Timestamp, Input: 0},
			{Code: Load, Kind: sense.Timestamp, Input: 1},
			{Code: Sub, Kind: sense.Length, Args: []Node{0, 1}, Input: -1},
			{Code: Const, Kind: sense.Length, Input: -1, Value: sense.LengthValue(5000)},
			{Code: Lt, Kind: sense.Bool, Args: []Node{2, 3}, Input: -1}}}, Interest{Candidates: []Candidate{{Needs: []Node{4}}}})
		p.step(map[int32]Result{0: {Value: sense.TimestampValue(at)}, 1: {Value: sense.TimestampValue(t0)}}, false)
		if got := p.device.Result(4); got.Cause != Failed {
			t.Errorf("%s: %+v", at, got)
		}
	}
}
