package rule

import (
	"fmt"
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

// A change of the device's compares each session's pairs with all their keys: of a pair that has many, each session
// looks at those beside its place instead.
func TestPairsOfManyKeysAreLeftToSessions(t *testing.T) {
	for _, kind := range []sense.Kind{sense.Double, sense.Int} {
		for _, keys := range []int64{1, mostLooped, mostLooped + 1, 5000} {
			p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: kind, Index: -1}, {From: FromSignal, Name: "y", Kind: kind, Scope: ScopeSession, Index: -1}}}
			number := func(n int64) sense.Value {
				if kind == sense.Int {
					return sense.IntValue(n)
				}
				return sense.DoubleValue(float64(n))
			}
			for k := range keys {
				p.Nodes = append(p.Nodes, Op{Code: Const, Kind: kind, Value: number(k), Input: -1})
			}
			x := Node(len(p.Nodes))
			p.Nodes = append(p.Nodes, Op{Code: Load, Kind: kind}, Op{Code: Load, Kind: kind, Scope: ScopeSession, Input: 1},
				Op{Code: Sub, Kind: kind, Scope: ScopeSession, Args: []Node{x, x + 1}, Input: -1})
			var keep Interest
			for k := range keys {
				p.Nodes = append(p.Nodes, Op{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{x + 2, Node(k)}, Input: -1})
				keep.Watched = append(keep.Watched, Node(len(p.Nodes)-1))
			}
			plan, err := NewPlan(p, keep)
			if err != nil {
				t.Fatal(err)
			}
			mixed := len(plan.layers[ScopeSession].mixed.pairs)
			if want := bit(keys <= mostLooped); mixed != want {
				t.Errorf("of %d keys of %s %d pairs are looked at in all sessions at once, want %d", keys, kind, mixed, want)
			}
			device, now := NewEval(plan), sense.Instant(1)
			session := device.NewSession()
			session.Set(1, Result{Value: number(0)}, now)
			for _, v := range []int64{0, keys / 2, keys, -1, keys - 1} {
				now++
				device.Begin(now)
				device.Set(0, Result{Value: number(v)}, now)
				device.Settle(now)
				if session.Awaits() {
					session.Begin(now)
					session.Settle(now)
				}
				for k, n := range keep.Watched {
					if got := session.Truth(n) == True; got != (v < int64(k)) {
						t.Fatalf("%d keys of %s: %d < %d is %v", keys, kind, v, k, got)
					}
				}
			}
		}
	}
}

// However many pairs a change of the device's crosses, a bounded number of crossings is listed for each session.
func TestCrossingsListedAreBounded(t *testing.T) {
	const pairs, sessions = 8 * mostFound, 3
	plan, _ := ranksOf(t, pairs)
	device, now := NewEval(plan), sense.Instant(1)
	for range sessions {
		session := device.NewSession()
		for k := range int32(pairs) {
			session.Set(k+1, Result{Value: sense.IntValue(0)}, now)
		}
	}
	for _, v := range []int64{-1, 1, -1} {
		now++
		device.Begin(now)
		device.Set(0, Result{Value: sense.IntValue(v)}, now)
		device.Settle(now)
		if n := len(device.lanes.found); n == 0 || n > (mostFound+1)*sessions {
			t.Errorf("%d crossings are listed for %d sessions", n, sessions)
		}
	}
}

// Where one session takes up all that is listed, another counts anew what was not looked at.
func TestCrossingBehindThoseListed(t *testing.T) {
	const pairs = 8 * mostFound
	plan, conditions := ranksOf(t, pairs)
	device, now := NewEval(plan), sense.Instant(1)
	many, one := device.NewSession(), device.NewSession()
	for k := range int32(pairs) {
		many.Set(k+1, Result{Value: sense.IntValue(0)}, now)
		one.Set(k+1, Result{Value: sense.IntValue(100)}, now)
	}
	one.Set(pairs, Result{Value: sense.IntValue(0)}, now)
	for _, v := range []int64{-1, 1, -1} {
		now++
		device.Begin(now)
		device.Set(0, Result{Value: sense.IntValue(v)}, now)
		device.Settle(now)
		for s, e := range []*Eval{many, one} {
			if e.Awaits() {
				e.Begin(now)
				e.Settle(now)
			}
			for k, n := range conditions {
				if got, want := e.Truth(n) == True, v < 0 || s == 1 && k < pairs-1; got != want {
					t.Fatalf("session %d, pair %d: above %d is %v", s, k, v, got)
				}
			}
		}
	}
}

// Where one change crosses more than is listed, sessions count anew.
func TestMoreMixedPairsThanAreListed(t *testing.T) {
	const pairs = 700
	plan, conditions := ranksOf(t, pairs)
	device := NewEval(plan)
	sessions := []*Eval{device.NewSession(), device.NewSession(), device.NewSession()}
	number := func(n int64) Result { return Result{Value: sense.IntValue(n)} }
	now := sense.Instant(1_700_000_000_000)
	for s, e := range sessions {
		for k := range int32(pairs) {
			e.Set(k+1, number(int64(s)*10), now)
		}
	}
	for _, x := range []int64{-1, 30, 5, 15, -1, 15, 25, 15} { // each crosses all pairs of some sessions
		now++
		device.Begin(now)
		device.Set(0, number(x), now)
		device.Settle(now)
		for s, e := range sessions {
			if e.Awaits() {
				e.Begin(now)
				e.Settle(now)
			}
			for _, n := range conditions {
				if got := e.Truth(n) == True; got != (x < int64(s)*10) {
					t.Fatalf("%d < %d is %v", x, s*10, got)
				}
			}
		}
	}
}

// ranksOf is a plan of pairs x < y of one input of the device's and many of a session's, with their conditions.
func ranksOf(t *testing.T, pairs int32) (*Plan, []Node) {
	t.Helper()
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: sense.Int, Index: -1}}, Nodes: []Op{{Code: Load, Kind: sense.Int}}}
	for k := range pairs {
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Name: fmt.Sprint("y", k), Kind: sense.Int, Scope: ScopeSession, Index: -1})
		p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Int, Scope: ScopeSession, Input: k + 1})
	}
	var keep Interest
	for k := range Node(pairs) {
		p.Nodes = append(p.Nodes, Op{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Args: []Node{0, k + 1}, Input: -1})
		keep.Watched = append(keep.Watched, Node(len(p.Nodes)-1))
	}
	plan, err := NewPlan(p, keep)
	if err != nil {
		t.Fatal(err)
	}
	return plan, keep.Watched
}

// Of sessions that are closed, first, last or between others, the device holds none, nor where they were.
func TestClosedSessionsAreLetGo(t *testing.T) {
	plan, _ := ranksOf(t, 3)
	device := NewEval(plan)
	var all []*Eval
	for range 9 {
		all = append(all, device.NewSession())
	}
	for _, k := range [...]int{0, 8, 4, 1, 2, 7, 3, 6, 5} {
		all[k].Close()
		all[k].Close()
		ln := device.lanes
		for lane, e := range ln.sessions[:cap(ln.sessions)] {
			if lane < len(ln.sessions) != (e != nil) || e == all[k] || e != nil && e.lane != int32(lane) {
				t.Fatalf("after session %d lane %d of %d is of %p", k, lane, len(ln.sessions), e)
			}
		}
	}
}
