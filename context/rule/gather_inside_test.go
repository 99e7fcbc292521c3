package rule

import (
	"math"
	"slices"
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

// identified gives a session all its inputs at once.
func identified(device, session *Eval, now sense.Instant, all ...Result) {
	device.Begin(now)
	session.Begin(now)
	for k, r := range all {
		session.Set(int32(k), r, now)
	}
	device.Settle(now)
	session.Settle(now)
}

// A difference of infinities, which is no number, is placed as where one input changes; what was held for a while and is
// unknown now waits for nothing.
func TestGatherOdd(t *testing.T) {
	var p Program
	for _, kind := range []sense.Kind{sense.Double, sense.Double, sense.Int, sense.Int, sense.Bool, sense.Length, sense.Length} {
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: kind, Scope: ScopeSession, Index: -1})
		p.Nodes = append(p.Nodes, Op{Code: Load, Kind: kind, Scope: ScopeSession, Input: int32(len(p.Inputs) - 1)})
	}
	add := func(code Code, kind sense.Kind, args ...Node) Node {
		p.Nodes = append(p.Nodes, Op{Code: code, Kind: kind, Scope: ScopeSession, Input: -1, Args: args})
		return Node(len(p.Nodes) - 1)
	}
	constant := func(v sense.Value) Node {
		n := add(Const, v.Kind())
		p.Nodes[n].Value = v
		return n
	}
	one, limit := constant(sense.DoubleValue(1)), constant(sense.LengthValue(100))
	minus, less := add(Sub, sense.Double, 0, 1), add(Sub, sense.Int, 2, 3)
	both := add(Add, sense.Length, 5, 6)
	back := add(Sub, sense.Int, 3, 2)
	conditions := []Node{add(Lt, sense.Bool, back, constant(sense.IntValue(5))), add(Ge, sense.Bool, back, constant(sense.IntValue(9))), add(Lt, sense.Bool, both, limit),
		add(Lt, sense.Bool, minus, one), add(Ge, sense.Bool, minus, one), add(Lt, sense.Bool, 0, 1),
		add(Lt, sense.Bool, less, constant(sense.IntValue(5))), add(Lt, sense.Bool, 2, 3), add(Ge, sense.Bool, add(Held, sense.Length, 4), limit)}
	var keep Interest
	for _, n := range conditions {
		keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{n}})
	}
	plan, err := NewPlan(&p, keep)
	if err != nil {
		t.Fatal(err)
	}
	d, full := NewEval(plan), NewEval(plan.Reference())
	s, fullSession := d.NewSession(), full.NewSession()
	double := func(f float64) Result { return Result{Value: sense.DoubleValue(f)} }
	whole := func(n int64) Result { return Result{Value: sense.IntValue(n)} }
	nothing := Result{Cause: InputUnknown}
	long := func(n int64) Result { return Result{Value: sense.LengthValue(sense.Duration(n))} }
	const many = 5_000_000_000_000 // twice as long is no length
	yes := Result{Value: sense.BoolValue(true)}
	for step, of := range [][]Result{
		{double(math.Inf(1)), double(math.Inf(1)), whole(math.MaxInt64), whole(-1), yes, long(many), long(many)},
		{nothing, nothing, nothing, nothing, nothing, nothing, long(1)},
		{double(math.Inf(-1)), double(math.Inf(-1)), whole(math.MinInt64), whole(math.MaxInt64), yes, long(-many), long(-many)},
		{nothing, double(1), nothing, whole(math.MinInt64), nothing, long(many), long(-many)},
		{double(2), double(1), whole(7), whole(1), yes, long(1), long(many)},
	} {
		now := sense.Instant(1_800_000_000_000).Add(sense.Duration(step))
		identified(d, s, now, of...)
		identified(full, fullSession, now, of...)
		var eligible []int32
		for k, n := range conditions {
			want := fullSession.Truth(n)
			if got := s.Truth(n); got != want {
				t.Errorf("step %d, condition %d: %s, by full evaluation %s", step, k, got, want)
			}
			if want == True {
				eligible = append(eligible, int32(k))
			}
		}
		if got := s.Eligible(nil); len(got) != len(eligible) {
			t.Errorf("step %d: %v are eligible, by full evaluation %v", step, got, eligible)
		}
		if waits := s.Next() != sense.Never; waits != (of[4].Cause == Known) {
			t.Errorf("step %d: it waits until %d", step, s.Next())
		}
	}
}

// Turns of one id add up byte by byte, and touch no other.
func TestNotedTurns(t *testing.T) {
	const ids = 13
	to, want := make(noted, sizeNoted(ids)), make(noted, sizeNoted(ids))
	all := []turn{falls, rises, falsened, truened, unfalse, untrue, {0xff, 0x80}}
	for k := range int32(200) {
		id := k % ids
		n := min(k%7+k%3, ids-id)
		cut, before, after := k%(n+1), all[k%7], all[k%5]
		to.turn(id, cut, n, before, after)
		for i := range n {
			step := after
			if i < cut {
				step = before
			}
			want[2*(id+i)] += step[0]
			want[2*(id+i)+1] += step[1]
		}
		if !slices.Equal(to, want) {
			t.Fatalf("turn %d: %x, and not %x", k, to, want)
		}
	}
}

// Where the only input becomes known, and unknown, each of its keys turns, wherever it lies among them.
func TestGatherManyKeys(t *testing.T) {
	const keys = 23
	p := Program{Inputs: []Input{{From: FromSignal, Kind: sense.Int, Scope: ScopeSession, Index: -1}},
		Nodes: []Op{{Code: Load, Kind: sense.Int, Scope: ScopeSession, Input: 0}}}
	var keep Interest
	for n := range keys {
		k := Node(len(p.Nodes))
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.Int, Scope: ScopeSession, Input: -1, Value: sense.IntValue(int64(n))},
			Op{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Input: -1, Args: []Node{0, k}})
		keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{k + 1}})
	}
	plan, err := NewPlan(&p, keep)
	if err != nil {
		t.Fatal(err)
	}
	d := NewEval(plan)
	s, now := d.NewSession(), sense.Instant(1_800_000_000_000)
	for v := int64(-1); v <= keys; v++ {
		for _, r := range []Result{{Value: sense.IntValue(v)}, {Cause: InputUnknown}} {
			now++
			identified(d, s, now, r)
			set := s.Eligible(nil)
			for n := range int32(keys) {
				want := False
				switch {
				case r.Cause != Known:
					want = Unknown
				case v < int64(n):
					want = True
				}
				if got := s.Truth(keep.Candidates[n].Needs[0]); got != want || slices.Contains(set, n) != (want == True) {
					t.Errorf("%d < %d is %s, and not %s; eligible are %v", v, n, got, want, set)
				}
			}
		}
	}
}

// Of more conditions than 16 bits can name nothing is gathered, and all are as true as ever.
func TestTooManyToGather(t *testing.T) {
	const keys = 17_000
	var p Program
	var keep Interest
	for k := range 2 {
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: sense.Int, Scope: ScopeSession, Index: -1})
		p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Int, Scope: ScopeSession, Input: int32(k)})
	}
	for n := range keys {
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.Int, Scope: ScopeSession, Input: -1, Value: sense.IntValue(int64(n))})
	}
	for k := range 2 * keys {
		p.Nodes = append(p.Nodes, Op{Code: Lt, Kind: sense.Bool, Scope: ScopeSession, Input: -1, Args: []Node{Node(k / keys), Node(2 + k%keys)}})
		keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{Node(len(p.Nodes) - 1)}})
	}
	plan, err := NewPlan(&p, keep)
	if err != nil {
		t.Fatal(err)
	}
	if plan.layers[ScopeSession].gathered != nil {
		t.Error("it is laid down in 16 bits")
	}
	d := NewEval(plan)
	s := d.NewSession()
	for step, values := range [][2]int64{{3, 16_000}, {-1, 17_001}} {
		identified(d, s, sense.Instant(1_800_000_000_000).Add(sense.Duration(step)), Result{Value: sense.IntValue(values[0])}, Result{Value: sense.IntValue(values[1])})
		eligible := 0
		for _, v := range values {
			eligible += keys - int(min(max(v+1, 0), keys))
		}
		if got := s.Eligible(nil); len(got) != eligible {
			t.Errorf("step %d: %d are eligible, and not %d", step, len(got), eligible)
		}
	}
}
