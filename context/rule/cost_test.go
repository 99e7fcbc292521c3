package rule_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// small is a program whose cost is worked out by hand. Inputs: t (int) and word (text) of the device, list and x, y
// (double) of a session.
func small() (*Program, Interest) {
	p := &Program{Inputs: []Input{
		{From: FromSignal, Name: "t", Kind: sense.Int}, {From: FromSignal, Name: "word", Kind: sense.String},
		{From: FromFact, Name: "list", Kind: sense.List, Scope: ScopeSession},
		{From: FromSignal, Name: "x", Kind: sense.Double, Scope: ScopeSession}, {From: FromSignal, Name: "y", Kind: sense.Double, Scope: ScopeSession},
	}}
	add := func(op Op) Node {
		if op.Code != Load {
			op.Input = -1
		}
		p.Nodes = append(p.Nodes, op)
		return Node(len(p.Nodes) - 1)
	}
	number := func(n int64) Node { return add(Op{Code: Const, Kind: sense.Int, Value: sense.IntValue(n)}) }
	is := func(code Code, scope Scope, args ...Node) Node {
		return add(Op{Code: code, Kind: sense.Bool, Scope: scope, Args: args, Text: fmt.Sprintf("n%d", len(p.Nodes))})
	}
	t := add(Op{Code: Load, Kind: sense.Int, Input: 0})
	word := add(Op{Code: Load, Kind: sense.String, Input: 1})
	cold, warm, hot := is(Lt, ScopeDevice, t, number(5)), is(Ge, ScopeDevice, t, number(20)), is(Gt, ScopeDevice, t, number(30))
	tea := is(Eq, ScopeDevice, word, add(Op{Code: Const, Kind: sense.String, Value: sense.StringValue("tea")}))
	coffee := is(Eq, ScopeDevice, word, add(Op{Code: Const, Kind: sense.String, Value: sense.StringValue("coffee")}))
	inside := is(And, ScopeDevice, cold, tea)
	outside := is(And, ScopeDevice, warm, coffee)
	list := add(Op{Code: Load, Kind: sense.List, Input: 2, Scope: ScopeSession})
	x, y := add(Op{Code: Load, Kind: sense.Double, Input: 3, Scope: ScopeSession}), add(Op{Code: Load, Kind: sense.Double, Input: 4, Scope: ScopeSession})
	order := is(Lt, ScopeSession, x, y)
	some := add(Op{Code: Exists, Kind: sense.Bool, Scope: ScopeSession, Input: -1, Args: []Node{list}, Text: "some", Body: []Op{
		{Code: Elem, Kind: sense.Int, Input: -1}, {Code: Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(3)},
		{Code: Eq, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}}}})
	mixed := is(And, ScopeSession, hot, order, some)
	return p, Interest{Watched: []Node{inside, outside, mixed}}
}

// What is said of a small program is what one counts by hand.
func TestCostByHand(t *testing.T) {
	p, keep := small()
	plan, err := NewPlan(p, keep)
	if err != nil {
		t.Fatal(err)
	}
	c := plan.Cost()
	// t has the keys 5, 20 and 31: a change over them crosses (3+2)/3; keys 5 and 31 (the ends) are crossed by half
	// of the changes, 20 by two thirds. 5 and 20 lead to a counter each. 31 leads to the device's part of mixed, whose
	// turn goes to sessions over no edge: joints are asked by the session.
	near(t, "t usual", c.Inputs[0].Usual, Work{Sources: 1, Keys: 5.0 / 3, Edges: 0.5 + 2.0/3 + 0.5})
	near(t, "t most", c.Inputs[0].Most, Work{Sources: 1, Keys: 3, Edges: 3})
	near(t, "t across", c.Inputs[0].AcrossMost, Work{})
	// word has two equalities in three buckets: tea, coffee, and all other. Two of three changes leave or enter each.
	near(t, "word usual", c.Inputs[1].Usual, Work{Sources: 1, Keys: 4.0 / 3, Edges: 4.0 / 3})
	near(t, "word most", c.Inputs[1].Most, Work{Sources: 1, Keys: 3, Edges: 3}) // both become false, one true
	// The list is looked through by three nodes an element, ten elements; when its truth turns that is one source, one
	// key, one edge.
	near(t, "list usual", c.Inputs[2].Usual, Work{Nodes: 31})
	near(t, "list most", c.Inputs[2].Most, Work{Nodes: 31, Sources: 1, Keys: 1, Edges: 1})
	// x < y is a pair, looked at in one step, and turns one key with one edge.
	near(t, "x usual", c.Inputs[3].Usual, Work{Terms: 1, Keys: 1, Edges: 1})
	near(t, "x most", c.Inputs[3].Most, Work{Terms: 1, Keys: 1, Edges: 1})
	for k, want := range []InputCost{{Keys: 3}, {Equalities: 2}, {Stored: 1}, {Formulas: 1}, {Formulas: 1}} {
		got := c.Inputs[k]
		if got.Keys != want.Keys || got.Equalities != want.Equalities || got.Formulas != want.Formulas || got.Stored != want.Stored || got.Timers != 0 {
			t.Errorf("input %s: %+v", p.Inputs[k].Name, got)
		}
	}
	// mixed: hot is one step for t; x < y two (to look, to turn) for x and for y; the list 31.
	cond := plan.Condition(keep.Watched[2])
	var said []string
	for _, part := range cond.Parts {
		said = append(said, fmt.Sprint(part.Form, " ", part.Once, "x", len(part.Inputs)))
	}
	if want := []string{"list 31x1", "formula 2x2", "key 1x1"}; !slices.Equal(said, want) || cond.Steps != 36 || !slices.Equal(cond.Inputs, []int32{0, 2, 3, 4}) || cond.Timed {
		t.Errorf("mixed costs %d by %v: %v", cond.Steps, cond.Inputs, said)
	}
	if cond.Parts[0].Text != "some" {
		t.Errorf("the list is said to stand in %q", cond.Parts[0].Text)
	}
}

// Three candidates that need one comparison, and one that needs its opposite too, are four ways from it.
func TestCandidatesCost(t *testing.T) {
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: sense.Int}, {From: FromSignal, Name: "on", Kind: sense.Bool, Scope: ScopeSession}}, Nodes: []Op{
		{Code: Load, Kind: sense.Int, Input: 0},
		{Code: Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(5)},
		{Code: Lt, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}},
		{Code: Ge, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}},
		{Code: Load, Kind: sense.Bool, Input: 1, Scope: ScopeSession}}}
	plan, err := NewPlan(p, Interest{Candidates: []Candidate{{Needs: []Node{2}}, {Needs: []Node{2, 4}}, {Needs: []Node{2, None}}, {Needs: []Node{3}}}})
	if err != nil {
		t.Fatal(err)
	}
	c := plan.Cost()
	near(t, "x", c.Inputs[0].Usual, Work{Sources: 1, Keys: 1, Edges: 4})
	near(t, "x at most", c.Inputs[0].Most, Work{Sources: 1, Keys: 1, Edges: 4})
	near(t, "x across", c.Inputs[0].AcrossMost, Work{}) // a session looks up the device's part of a candidate
	near(t, "on", c.Inputs[1].Usual, Work{Sources: 1, Keys: 1, Edges: 1})
	if c.Plan.Edges != 5 || c.Plan.Comparisons != 2 {
		t.Errorf("%+v", c.Plan)
	}
}

// What a condition costs is told of every node of any program, also where every node is stored, and adds up.
func TestConditionsAddUp(t *testing.T) {
	forms := map[Form]int{}
	for seed := range uint64(60) {
		p := newMaker(seed).program(40)
		plan, err := NewPlan(p, Interest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []*Plan{plan, plan.Reference()} {
			of.Cost()
			for n := range p.Nodes {
				c, steps, timed := of.Condition(Node(n)), 0, false
				for _, part := range c.Parts {
					forms[part.Form]++
					steps, timed = steps+part.Steps, timed || part.Timed
					if part.Once < 1 || part.Steps != part.Once*len(part.Inputs) || part.Scope > p.Nodes[n].Scope {
						t.Fatalf("seed %d node %d: %+v", seed, n, part)
					}
					for _, k := range part.Inputs {
						if !slices.Contains(c.Inputs, k) {
							t.Fatalf("seed %d node %d: a part reads input %d, and the condition does not", seed, n, k)
						}
					}
				}
				if steps != c.Steps || timed != c.Timed {
					t.Fatalf("seed %d node %d: %+v", seed, n, c)
				}
			}
		}
	}
	for f := FormKey; f <= FormNode; f++ {
		if forms[f] == 0 {
			t.Errorf("no part was a %s", f)
		}
	}
	if c := (&Plan{Program: &Program{}}).Condition(None); c.Steps != 0 || len(c.Parts) != 0 {
		t.Errorf("no condition costs %+v", c)
	}
}

// held(x > 5) >= 1s: a formula of one term, which time may turn; x > 5 is kept for it, and told by the index when x
// crosses 5 rather than evaluated.
func TestHeldCosts(t *testing.T) {
	p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: sense.Int}}, Nodes: []Op{
		{Code: Load, Kind: sense.Int, Input: 0},
		{Code: Const, Kind: sense.Int, Input: -1, Value: sense.IntValue(5)},
		{Code: Gt, Kind: sense.Bool, Input: -1, Args: []Node{0, 1}, Text: "x > 5"},
		{Code: Held, Kind: sense.Length, Input: -1, Args: []Node{2}},
		{Code: Const, Kind: sense.Length, Input: -1, Value: sense.LengthValue(1000)},
		{Code: Ge, Kind: sense.Bool, Input: -1, Args: []Node{3, 4}, Text: "held(x > 5) >= 1s"}}}
	plan, err := NewPlan(p, Interest{Watched: []Node{5}})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	c := plan.Condition(5)
	for _, part := range c.Parts {
		said = append(said, fmt.Sprint(part.Text, ": ", part.Form, " ", part.Once, "x", len(part.Inputs), " ", part.Timed))
	}
	if want := []string{"held(x > 5) >= 1s: formula 2x1 true", "x > 5: key 1x1 false"}; !slices.Equal(said, want) || !c.Timed {
		t.Errorf("it costs %q", said)
	}
	in := plan.Cost().Inputs[0]
	// x is looked for and crosses 5, which tells the node. Then held is looked for after its term, and turns the watched
	// condition over one edge.
	near(t, "usual", in.Usual, Work{Sources: 1, Keys: 1, Nodes: 1})
	near(t, "most", in.Most, Work{Sources: 2, Keys: 2, Terms: 1, Edges: 1, Nodes: 2})
	if in.Timers != 1 || in.Stored != 0 {
		t.Errorf("%+v", in)
	}
}

func near(t *testing.T, what string, got, want Work) {
	t.Helper()
	for _, d := range []float64{got.Sources - want.Sources, got.Keys - want.Keys, got.Edges - want.Edges, got.Terms - want.Terms, got.Nodes - want.Nodes} {
		if d > 1e-9 || d < -1e-9 {
			t.Errorf("%s: %+v, want %+v", what, got, want)
			return
		}
	}
}

// counted gives an input a state and returns the work that showed.
func counted(device, session *Eval, input int32, r Result, now sense.Instant) (ofDevice, ofSession Work) {
	for range 2 { // what is true for one step ends
		device.Begin(now)
		session.Begin(now)
		device.Settle(now)
		session.Settle(now)
	}
	device.Begin(now)
	session.Begin(now)
	device.Set(input, r, now)
	session.Set(input, r, now)
	return SettleCounted(device, session, now)
}

// The usual work is the mean over all changes that turn something, counted one by one.
func TestUsualWorkIsTheMean(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, kind := range []sense.Kind{sense.Int, sense.String} {
		p := &Program{Inputs: []Input{{From: FromSignal, Name: "x", Kind: kind}, {From: FromSignal, Name: "go", Kind: sense.Bool}, {From: FromSignal, Name: "own", Kind: sense.Bool, Scope: ScopeSession}}}
		add := func(op Op) Node { p.Nodes = append(p.Nodes, op); return Node(len(p.Nodes) - 1) }
		x, on := add(Op{Code: Load, Kind: kind, Input: 0}), add(Op{Code: Load, Kind: sense.Bool, Input: 1})
		values := make([]sense.Value, 13) // one more than there are constants: a value for each interval, or bucket
		for k := range values {
			values[k] = sense.IntValue(int64(10 * k))
			if kind == sense.String {
				values[k] = sense.StringValue(fmt.Sprint("w", k))
			}
		}
		var keep Interest
		var tests []Node
		for k := range 12 {
			limit := add(Op{Code: Const, Kind: kind, Input: -1, Value: values[k+1]})
			code := Lt
			if kind == sense.String {
				code = Eq
			}
			tests = append(tests, add(Op{Code: code, Kind: sense.Bool, Input: -1, Args: []Node{x, limit}}))
		}
		for range 40 { // conditions of the device, and of sessions, by chance popular
			n := add(Op{Code: And, Kind: sense.Bool, Input: -1, Args: []Node{tests[r.IntN(1+r.IntN(12))], on, tests[r.IntN(12)]}})
			keep.Watched = append(keep.Watched, n)
		}
		own := add(Op{Code: Load, Kind: sense.Bool, Input: 2, Scope: ScopeSession})
		for range 20 {
			n := add(Op{Code: Or, Kind: sense.Bool, Scope: ScopeSession, Input: -1, Args: []Node{tests[r.IntN(12)], own}})
			keep.Watched = append(keep.Watched, n)
		}
		plan, err := NewPlan(p, keep)
		if err != nil {
			t.Fatal(err)
		}
		device := NewEval(plan)
		session := device.NewSession()
		var all [2]Work
		for from := range values {
			for to := range values {
				if from == to {
					continue
				}
				counted(device, session, 0, Result{Value: values[from]}, t0)
				d, s := counted(device, session, 0, Result{Value: values[to]}, t0)
				sum(&all[0], d)
				sum(&all[1], s)
			}
		}
		c, n := plan.Cost().Inputs[0], float64(len(values)*(len(values)-1))
		for k, w := range []Work{c.Usual, c.Across} {
			near(t, fmt.Sprint(kind, " in scope ", k), w, Work{all[k].Sources / n, all[k].Keys / n, all[k].Edges / n, all[k].Terms / n, all[k].Nodes / n})
		}
		if c.Across.Edges == 0 {
			t.Errorf("%s: sessions pay nothing: nothing was shown", kind)
		}
	}
}

func sum(to *Work, w Work) {
	*to = Work{to.Sources + w.Sources, to.Keys + w.Keys, to.Edges + w.Edges, to.Terms + w.Terms, to.Nodes + w.Nodes}
}

// No change costs more than is said to be the most: over random programs, from unknown to values, between them and back.
func TestMostWorkHolds(t *testing.T) {
	changes, dear := 0, 0
	for seed := range uint64(150) {
		m := newMaker(seed)
		p := m.program(40)
		var keep Interest
		for k := range p.Nodes {
			if p.Nodes[k].Kind == sense.Bool && m.r.IntN(3) > 0 {
				keep.Watched = append(keep.Watched, Node(k))
			}
			if p.Nodes[k].Kind == sense.Bool && m.r.IntN(8) == 0 {
				keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{Node(k), m.pick(sense.Bool)}, Score: int64(m.r.IntN(5))})
			}
		}
		plan, err := NewPlan(p, keep)
		if err != nil {
			t.Fatal(err)
		}
		c := plan.Cost()
		device := NewEval(plan)
		session := device.NewSession()
		for range 150 {
			input := int32(m.r.IntN(len(p.Inputs)))
			r := Result{Value: constant(m.r, p.Inputs[input].Kind)}
			if m.r.IntN(5) == 0 {
				r = Result{Cause: SignalStale}
			}
			d, s := counted(device, session, input, r, t0)
			of := &c.Inputs[input]
			if p.Inputs[input].Scope == ScopeSession {
				within(t, seed, p.Inputs[input].Name, s, of.Most)
				within(t, seed, p.Inputs[input].Name, d, Work{})
			} else {
				within(t, seed, p.Inputs[input].Name, d, of.Most)
				within(t, seed, p.Inputs[input].Name+" across", s, of.AcrossMost)
			}
			sum(&d, s)
			changes++
			if most := of.Most.Steps() + of.AcrossMost.Steps(); d.Steps() > 0 && d.Steps() >= most/2 {
				dear++
			}
		}
	}
	if dear < changes/100 {
		t.Errorf("%d of %d changes cost half of the most: the bound says little", dear, changes)
	}
	t.Logf("%d of %d changes cost half of the most, or more", dear, changes)
}

func within(t *testing.T, seed uint64, what string, got, most Work) {
	t.Helper()
	if got.Sources > most.Sources || got.Keys > most.Keys || got.Edges > most.Edges || got.Terms > most.Terms || got.Nodes > most.Nodes {
		t.Errorf("seed %d: %s cost %+v, and at most %+v", seed, what, got, most)
	}
}

// popular is a program of n conditions over 30 signals of which the first are read by most: comparisons with constants
// and with each other, a list looked through here and there.
func popular(n int, seed uint64) (*Program, Interest) {
	r := rand.New(rand.NewPCG(seed, 8))
	p, keep := &Program{}, Interest{}
	add := func(op Op) Node { p.Nodes = append(p.Nodes, op); return Node(len(p.Nodes) - 1) }
	for k := range 30 {
		p.Inputs = append(p.Inputs, Input{From: FromSignal, Name: fmt.Sprintf("s%d", k), Kind: sense.Double, Scope: Scope(k / 20)})
	}
	by := r.Perm(30) // popularity is not the order of inputs
	loads := make([]Node, 30)
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for k := range p.Inputs {
			if p.Inputs[k].Scope == scope {
				loads[k] = add(Op{Code: Load, Kind: sense.Double, Scope: scope, Input: int32(k)})
			}
		}
		for range n / 2 {
			var terms []Node
			for range 3 + r.IntN(6) {
				of := func() Node { // the k-th by 1/k, of what this scope may read
					for {
						k := by[int(30/float64(1+r.IntN(30)))-1]
						if p.Inputs[k].Scope <= scope {
							return loads[k]
						}
					}
				}
				x := of()
				limit := add(Op{Code: Const, Kind: sense.Double, Scope: scope, Input: -1, Value: sense.DoubleValue(float64(r.IntN(1000)))})
				switch r.IntN(10) {
				case 0:
					limit = of()
				case 1:
					limit = add(Op{Code: Add, Kind: sense.Double, Scope: scope, Input: -1, Args: []Node{of(), limit}})
				}
				terms = append(terms, add(Op{Code: Lt, Kind: sense.Bool, Scope: scope, Input: -1, Args: []Node{x, limit}}))
			}
			keep.Watched = append(keep.Watched, add(Op{Code: And, Kind: sense.Bool, Scope: scope, Input: -1, Args: terms}))
		}
	}
	return p, keep
}

// The order in which inputs are said to be expensive is that of the work that they make: of one session and the device
// together, over changes by chance.
func TestExpensiveIsWhatMakesWork(t *testing.T) {
	for seed := range uint64(12) {
		p, keep := popular(400, seed)
		plan, err := NewPlan(p, keep)
		if err != nil {
			t.Fatal(err)
		}
		c := plan.Cost()
		device := NewEval(plan)
		session := device.NewSession()
		r := rand.New(rand.NewPCG(seed, 9))
		said, was := make([]float64, len(p.Inputs)), make([]float64, len(p.Inputs))
		change := func(k int32) float64 {
			d, s := counted(device, session, k, Result{Value: sense.DoubleValue(float64(r.IntN(1000)) + 0.5)}, t0)
			return d.Steps() + s.Steps()
		}
		for k := range p.Inputs {
			change(int32(k))
			said[k] = c.Inputs[k].Usual.Steps() + c.Inputs[k].Across.Steps()
		}
		for range 40 {
			for k := range p.Inputs {
				was[k] += change(int32(k)) / 40
			}
		}
		top := slices.Index(said, slices.Max(said))
		agree := rankAgreement(said, was)
		t.Logf("seed %d: %s is said to be the most expensive (%.0f steps) and made %.0f; the most made was %.0f; agreement of ranks %.2f",
			seed, p.Inputs[top].Name, said[top], was[top], slices.Max(was), agree)
		if was[top] < 0.8*slices.Max(was) {
			t.Errorf("seed %d: %s is said to be the most expensive, and made %.0f steps of %.0f", seed, p.Inputs[top].Name, was[top], slices.Max(was))
		}
		if agree < 0.9 {
			t.Errorf("seed %d: ranks agree by %.2f", seed, agree)
		}
	}
}

// rankAgreement is Spearman's coefficient: 1 where both lists are in the same order, about 0 where they have nothing to do
// with each other.
func rankAgreement(a, b []float64) float64 {
	ranks := func(of []float64) []float64 {
		r := make([]float64, len(of))
		for k, x := range of {
			for _, y := range of {
				if y < x {
					r[k]++
				} else if y == x {
					r[k] += 0.5
				}
			}
		}
		return r
	}
	x, y, d := ranks(a), ranks(b), 0.0
	for k := range x {
		d += (x[k] - y[k]) * (x[k] - y[k])
	}
	n := float64(len(a))
	return 1 - 6*d/(n*(n*n-1))
}

// heap is what is held now.
func heap(t *testing.T) uint64 {
	t.Helper()
	if strconv.IntSize == 32 {
		t.Skip("memory is told for 64-bit machines")
	}
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The bytes of a session are those that many sessions take.
func TestSessionMemoryIsWhatIsSaid(t *testing.T) {
	for _, n := range []int{10, 100, 1000} {
		p := thousand(n, 3)
		var keep Interest
		for k := range p.Nodes {
			if p.Nodes[k].Code == And {
				keep.Watched = append(keep.Watched, Node(k))
				keep.Candidates = append(keep.Candidates, Candidate{Needs: []Node{Node(k)}, Score: int64(k % 7)})
			}
		}
		plan, err := NewPlan(p, keep)
		if err != nil {
			t.Fatal(err)
		}
		device := NewEval(plan)
		sessions := make([]*Eval, 500)
		was := heap(t)
		for k := range sessions {
			sessions[k] = device.NewSession()
		}
		each := float64(heap(t)-was) / float64(len(sessions))
		if said := float64(plan.Cost().Session.Bytes); each < 0.85*said || each > 1.15*said {
			t.Errorf("%d conditions: a session is said to take %.0f bytes, and took %.0f", n, said, each)
		} else {
			t.Logf("%d conditions: a session is said to take %.0f bytes, and took %.0f", n, said, each)
		}
		runtime.KeepAlive(sessions)
	}
}

// The same of programs of all kinds of nodes: those that remember, keep windows, texts and lists.
func TestSessionMemoryOfAnyProgram(t *testing.T) {
	for seed := range uint64(10) {
		plan, err := NewPlan(newMaker(seed).program(60), Interest{})
		if err != nil {
			t.Fatal(err)
		}
		device := NewEval(plan)
		sessions := make([]*Eval, 500)
		was := heap(t)
		for k := range sessions {
			sessions[k] = device.NewSession()
		}
		each, said := float64(heap(t)-was)/float64(len(sessions)), float64(plan.Cost().Session.Bytes)
		if each < 0.85*said || each > 1.15*said {
			t.Errorf("seed %d: a session is said to take %.0f bytes, and took %.0f", seed, said, each)
		}
		runtime.KeepAlive(sessions)
	}
}

// The bytes of a plan are about those that plans take.
func TestPlanMemoryIsAboutWhatIsSaid(t *testing.T) {
	p, keep := thousand(1000, 3), Interest{}
	for k := range p.Nodes {
		if p.Nodes[k].Code == And {
			keep.Watched = append(keep.Watched, Node(k))
		}
	}
	plans := make([]*Plan, 10)
	was := heap(t)
	for k := range plans {
		plan, err := NewPlan(thousand(1000, 3), keep)
		if err != nil {
			t.Fatal(err)
		}
		plans[k] = plan
	}
	each := float64(heap(t)-was) / float64(len(plans))
	if said := float64(plans[0].Cost().Plan.Bytes); each < 0.75*said || each > 1.25*said {
		t.Errorf("a plan is said to take %.0f bytes, and took %.0f", said, each)
	} else {
		t.Logf("a plan is said to take %.0f bytes, and took %.0f", said, each)
	}
	runtime.KeepAlive(plans)
}
