package rule_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// hostile makes programs that no author writes, of about n nodes.
var hostile = map[string]func(n int) *Program{
	"one conjunction within the other": func(n int) *Program {
		return grown(n, func(_ *Program, last Node) Op { return Op{Code: And, Args: []Node{last}} })
	},
	"one disjunction within the other, with a constant": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op { return Op{Code: Or, Args: []Node{last, 3}} })
	},
	"one conjunction within the other, of the same": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op { return Op{Code: And, Args: []Node{last, 0}} })
	},
	"and, or in turns": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op {
			return Op{Code: And + Code(len(p.Nodes)&1), Args: []Node{last, Node(len(p.Nodes) % 2)}}
		})
	},
	"not": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op { return Op{Code: Not, Args: []Node{last}} })
	},
	"diamonds": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op {
			return Op{Code: And + Code(len(p.Nodes)&1), Args: []Node{last, last, last - 1}}
		})
	},
	"diamonds of not": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op {
			if len(p.Nodes)&1 == 0 {
				return Op{Code: Not, Args: []Node{last}}
			}
			return Op{Code: Or, Args: []Node{last, last - 1, last}}
		})
	},
	"cond": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op { return Op{Code: Cond, Args: []Node{last, last - 1, last}} })
	},
	"became": func(n int) *Program {
		return grown(n, func(p *Program, last Node) Op { return Op{Code: Became, Args: []Node{last}} })
	},
	"sums": func(n int) *Program {
		p := grown(0, nil)
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: sense.Int, Index: -1})
		p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Int, Input: int32(len(p.Inputs) - 1)})
		for range n {
			last := Node(len(p.Nodes) - 1)
			p.Nodes = append(p.Nodes, Op{Code: Add, Kind: sense.Int, Input: -1, Args: []Node{last, last}})
		}
		return p
	},
	"limits over sums": func(n int) *Program {
		p := grown(0, nil)
		for range 8 {
			p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: sense.Int, Index: -1})
			p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Int, Input: int32(len(p.Inputs) - 1)})
		}
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(3)})
		first, zero := Node(len(p.Nodes)-9), Node(len(p.Nodes)-1)
		at := len(p.Nodes)
		for k := range Node(n / 3) {
			p.Nodes = append(p.Nodes, Op{Code: Add, Kind: sense.Int, Input: -1, Args: []Node{max(first, Node(len(p.Nodes)-3)), first + k%8}})
			p.Nodes = append(p.Nodes, Op{Code: Sub, Kind: sense.Int, Input: -1, Args: []Node{Node(len(p.Nodes) - 1), first + k%8}})
			p.Nodes = append(p.Nodes, Op{Code: Lt, Kind: sense.Bool, Input: -1, Args: []Node{Node(len(p.Nodes) - 1), zero}})
			if len(p.Nodes) == at+3 {
				p.Nodes[at].Args[0] = first
			} else {
				p.Nodes[len(p.Nodes)-3].Args[0] = Node(len(p.Nodes) - 5)
			}
		}
		return p
	},
	"many limits": func(n int) *Program {
		p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Double, Index: -1}}, Nodes: []Op{{Code: Load, Kind: sense.Double}}}
		for k := range n / 2 {
			p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.Double, Input: -1, Value: sense.DoubleValue(float64(n - k))})
			p.Nodes = append(p.Nodes, Op{Code: Lt + Code(k%4), Kind: sense.Bool, Input: -1, Args: []Node{0, Node(len(p.Nodes) - 1)}})
		}
		return p
	},
	"wide": func(n int) *Program {
		p := &Program{}
		var all []Node
		for k := range min(n/4, 1<<16) {
			p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: sense.Bool, Index: -1})
			p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Bool, Input: int32(k)})
			all = append(all, Node(k))
		}
		for k := range 4 {
			p.Nodes = append(p.Nodes, Op{Code: And + Code(k&1), Kind: sense.Bool, Input: -1, Args: all[k:]})
		}
		return p
	},
	"windows": func(n int) *Program {
		p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Double, Index: -1}}}
		for k := range min(n, MaxWindows) {
			p.Nodes = append(p.Nodes, Op{Code: Mean, Kind: sense.Double, Input: 0, For: sense.Hour + sense.Duration(k)})
		}
		return p
	},
	"texts": func(n int) *Program {
		p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Bool, Index: -1}}, Nodes: []Op{{Code: Const, Kind: sense.String, Input: -1, Value: sense.StringValue("abcd")}, {Code: Const, Kind: sense.List, Input: -1,
			Value: sense.ListValue([]sense.Value{sense.IntValue(1)})}}}
		for k := range n / 2 {
			p.Nodes = append(p.Nodes, Op{Code: Add, Kind: sense.String, Input: -1, Args: []Node{Node(2 * k), Node(2 * k)}})
			p.Nodes = append(p.Nodes, Op{Code: Add, Kind: sense.List, Input: -1, Args: []Node{Node(2*k + 1), Node(2*k + 1)}})
		}
		return p
	},
}

// grown is n nodes of which each reads the last, over two signals and two constants.
func grown(n int, next func(p *Program, last Node) Op) *Program {
	p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Bool, Index: -1}, {From: FromSignal, Kind: sense.Bool, Index: -1}}, Nodes: []Op{
		{Code: Load, Kind: sense.Bool, Input: 0}, {Code: Load, Kind: sense.Bool, Input: 1},
		{Code: Const, Kind: sense.Bool, Input: -1, Value: sense.BoolValue(true)}, {Code: Const, Kind: sense.Bool, Input: -1, Value: sense.BoolValue(false)},
		{Code: Or, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}}, {Code: And, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}}}}
	for range n {
		op := next(p, Node(len(p.Nodes)-1))
		op.Kind, op.Input = sense.Bool, -1
		p.Nodes = append(p.Nodes, op)
	}
	return p
}

// lookups are hostile too: a list stands in a program once, and an index of it with each value that is looked up in it.
var lookups = map[string]func(n int) *Program{
	"one list for many inputs": func(n int) *Program {
		p := &Program{}
		list := make([]sense.Value, min(n/4, 1<<14))
		for k := range list {
			list[k] = sense.IntValue(int64(k))
		}
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.List, Input: -1, Value: sense.ListValue(list)})
		for k := range n / 4 {
			p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: sense.Int, Index: -1})
			p.Nodes = append(p.Nodes, Op{Code: Load, Kind: sense.Int, Input: int32(k)})
			p.Nodes = append(p.Nodes, Op{Code: In, Kind: sense.Bool, Input: -1, Args: []Node{Node(len(p.Nodes) - 1), 0}})
		}
		return p
	},
	"one list for one input, often": func(n int) *Program {
		p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Int, Index: -1}}}
		list := make([]sense.Value, min(n/2, 1<<14))
		for k := range list {
			list[k] = sense.IntValue(int64(k))
		}
		p.Nodes = append(p.Nodes, Op{Code: Const, Kind: sense.List, Input: -1, Value: sense.ListValue(list)}, Op{Code: Load, Kind: sense.Int, Input: 0})
		for range n / 2 {
			p.Nodes = append(p.Nodes, Op{Code: In, Kind: sense.Bool, Input: -1, Args: []Node{1, 0}})
		}
		return p
	},
}

// Lists that many conditions look into are refused before they take the product of both.
func TestListsThatManyLookInto(t *testing.T) {
	for name, of := range lookups {
		p := of(2000)
		if got := allocated(func() {
			if _, err := NewPlan(p, Interest{}); name == "one list for many inputs" && err != nil {
				t.Error(err)
			}
		}); got > 48<<20 {
			t.Errorf("%s: %d bytes allocated for %d nodes", name, got, len(p.Nodes))
		}
		if _, err := NewPlan(of(30_000), Interest{}); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), "hold more than 262144 elements together") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What no author writes costs what its length says: to compile, to hold, to evaluate and to ask.
func TestHostileProgramsCostTheirLength(t *testing.T) {
	for name, of := range hostile {
		t.Run(name, func(t *testing.T) {
			began, per := time.Now(), [2]uint64{}
			for k, n := range []int{2_000, 30_000} {
				p := of(n)
				last := Node(len(p.Nodes) - 1)
				var keep Interest
				if p.Nodes[last].Kind == sense.Bool {
					keep = Interest{Watched: []Node{last}, Candidates: []Candidate{{Needs: []Node{last, last - 1}}}}
					if p.Nodes[last-1].Kind != sense.Bool {
						keep.Candidates = nil
					}
				}
				var plan *Plan
				var device *Eval
				var err error
				made := allocated(func() { plan, err = NewPlan(p, keep) })
				if err != nil {
					t.Fatal(err)
				}
				held := allocated(func() { device = NewEval(plan); device.NewSession() })
				per[k] = (made + held) / uint64(len(p.Nodes))
				ran := allocated(func() { ask(device, p) })
				if most := uint64(len(p.Nodes)) * 4096; made > most || held > most || ran > most {
					t.Errorf("%d nodes allocate %d bytes as a plan, %d to be evaluated, and %d while they are", len(p.Nodes), made, held, ran)
				}
			}
			if per[1] > 2*per[0]+100 {
				t.Errorf("of 2,000 nodes each takes %d bytes, of 30,000 each %d", per[0], per[1])
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// ask gives inputs values and takes them away, and asks for the truth of every node and the reasons of the last.
func ask(device *Eval, p *Program) {
	r := rand.New(rand.NewPCG(1, 1))
	for step := range sense.Instant(4) {
		now := t0 + step
		device.Begin(now)
		for k := range p.Inputs {
			state := Result{Value: constant(r, p.Inputs[k].Kind)}
			if step&1 == 1 {
				state = Result{Cause: SignalStale}
			}
			device.Set(int32(k), state, now)
		}
		device.Settle(now)
		for n := range p.Nodes {
			device.Truth(Node(n))
		}
		device.Result(Node(len(p.Nodes) - 1))
	}
}

// And it is what full evaluation says.
func TestHostileProgramsAgainstFullEvaluation(t *testing.T) {
	for _, shapes := range []map[string]func(n int) *Program{hostile, lookups} {
		for name, of := range shapes {
			r := rand.New(rand.NewPCG(3, 3))
			p := of(300)
			c, err := newCrowd(r, p, sharpInterest(r, p), constant)
			if err != nil {
				t.Fatal(err)
			}
			c.open()
			if err := c.live(12, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Sums are formulas up to 16 terms, and stored where they are longer.
func TestFormulasOfAnyLength(t *testing.T) {
	for loads := 1; loads <= 20; loads++ {
		for _, kind := range []sense.Kind{sense.Double, sense.Int, sense.Length} {
			p := &Program{}
			for scope := ScopeDevice; scope <= ScopeSession; scope++ {
				add := func(op Op) Node {
					op.Scope = scope
					if op.Code != Load {
						op.Input = -1
					}
					p.Nodes = append(p.Nodes, op)
					return Node(len(p.Nodes) - 1)
				}
				limit := add(Op{Code: Const, Kind: kind, Value: constant(rand.New(rand.NewPCG(uint64(loads), 1)), kind)})
				sum := None
				for range loads {
					p.Inputs = append(p.Inputs, Input{From: FromSignal, Kind: kind, Scope: scope, Index: -1})
					n := add(Op{Code: Load, Kind: kind, Input: int32(len(p.Inputs) - 1)})
					if sum != None {
						n = add(Op{Code: Add + Code(len(p.Nodes)&1), Kind: kind, Args: []Node{sum, n}})
					}
					sum = n
				}
				turned := add(Op{Code: Neg, Kind: kind, Args: []Node{sum}})
				for code := Eq; code <= Ge; code++ {
					add(Op{Code: code, Kind: sense.Bool, Args: []Node{sum, limit}})
					add(Op{Code: code, Kind: sense.Bool, Args: []Node{limit, turned}})
					add(Op{Code: code, Kind: sense.Bool, Args: []Node{turned, sum}})
				}
			}
			r := rand.New(rand.NewPCG(uint64(loads), 5))
			c, err := newCrowd(r, p, sharpInterest(r, p), constant)
			if err != nil {
				t.Fatal(err)
			}
			c.open()
			if err := c.live(60, nil); err != nil {
				t.Errorf("%d of %s: %v", loads, kind, err)
			}
		}
	}
}

// A chain of a hundred thousand conditions over one another is unknown for the reason of its first, on a small stack.
func TestWhyOfADeepChain(t *testing.T) {
	p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Bool}, {From: FromSignal, Kind: sense.Bool}},
		Nodes: []Op{{Code: Load, Kind: sense.Bool, Input: 0}, {Code: Load, Kind: sense.Bool, Input: 1}}}
	for last := Node(0); len(p.Nodes) < 100_000; {
		p.Nodes = append(p.Nodes, Op{Code: Not, Kind: sense.Bool, Input: -1, Args: []Node{last}})
		last = Node(len(p.Nodes))
		p.Nodes = append(p.Nodes, Op{Code: And, Kind: sense.Bool, Input: -1, Args: []Node{last - 1, 1}})
	}
	plan, err := NewPlan(p, Interest{})
	if err != nil {
		t.Fatal(err)
	}
	e := NewEval(plan)
	e.Set(0, Result{Cause: SignalStale}, t0)
	e.Set(1, Result{Value: sense.BoolValue(true)}, t0)
	e.Settle(t0)
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	if r := e.Result(Node(len(p.Nodes) - 1)); r.Cause != SignalStale || r.Input != 0 {
		t.Errorf("the last of the chain is %+v", r)
	}
}

// More windows than any device has room for are refused.
func TestTooManyWindows(t *testing.T) {
	p := &Program{Inputs: []Input{{From: FromSignal, Kind: sense.Double}}}
	for range MaxWindows {
		p.Nodes = append(p.Nodes, Op{Code: Mean, Kind: sense.Double, For: sense.Minute})
	}
	if err := Check(p); err != nil {
		t.Fatal(err)
	}
	p.Nodes = append(p.Nodes, Op{Code: Max, Kind: sense.Double, For: sense.Minute})
	if err := Check(p); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), "windows") {
		t.Errorf("one window more: %v", err)
	}
}
