package rule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

const t0 = sense.Instant(1772442000000)

// world runs the incremental evaluation, the full one and the reference side by side.
type world struct {
	p                 *Program
	device, session   *Eval
	deviceF, sessionF *Eval
	ref               *reference
}

func newWorld(p *Program) (*world, error) {
	plan, err := NewPlan(p, interest(p))
	if err != nil {
		return nil, err
	}
	w := &world{p: p, device: NewEval(plan), deviceF: NewEval(plan.Reference()), ref: newReference(p)}
	w.session, w.sessionF = w.device.NewSession(), w.deviceF.NewSession()
	return w, nil
}

// interest watches some conditions and makes candidates of others, by the program alone.
func interest(p *Program) Interest {
	r := rand.New(rand.NewPCG(uint64(len(p.Nodes)), 9))
	var conditions []Node
	for n := range p.Nodes {
		if p.Nodes[n].Kind == sense.Bool {
			conditions = append(conditions, Node(n))
		}
	}
	var keep Interest
	if len(conditions) == 0 {
		return keep
	}
	some := func(n int) (list []Node) {
		for range r.IntN(n) {
			list = append(list, conditions[r.IntN(len(conditions))])
		}
		return append(list, None)
	}
	keep.Watched = some(8)
	for range 1 + r.IntN(70) {
		keep.Candidates = append(keep.Candidates, Candidate{Needs: some(5), Score: int64(r.IntN(20))})
	}
	return keep
}

func (w *world) evals() []*Eval { return []*Eval{w.device, w.session, w.deviceF, w.sessionF} }

func (w *world) begin(now sense.Instant) {
	for _, e := range w.evals() {
		e.Begin(now)
	}
}

func (w *world) set(k int32, r Result, now sense.Instant) {
	for _, e := range w.evals() {
		e.Set(k, r, now)
	}
	r.Input = k
	w.ref.in[k] = r
}

func (w *world) read(k int32, v sense.Value, now sense.Instant) {
	for _, e := range w.evals() {
		e.Read(k, v, now)
	}
	f := float64(v.Int())
	if v.Kind() == sense.Double {
		f = v.Double()
	}
	w.ref.reads[k] = append(w.ref.reads[k], timed{now, f})
}

func (w *world) restart(now sense.Instant) {
	for _, e := range w.evals() {
		e.Restart(now)
	}
	w.ref.restart(now)
	for k := range w.ref.in {
		w.ref.in[k] = Result{Cause: InputUnknown, Input: int32(k)}
	}
}

// settle evaluates all three and says where they differ.
func (w *world) settle(now sense.Instant) error {
	w.device.Settle(now)
	w.session.Settle(now)
	w.deviceF.SettleFully(now)
	w.sessionF.SettleFully(now)
	w.ref.step(now)
	for n := range w.p.Nodes {
		got, full, want := w.session.Result(Node(n)), w.sessionF.Result(Node(n)), w.ref.out[n]
		if !equal(got, full) {
			return fmt.Errorf("node %d %+v at %d: incremental %+v, full %+v", n, w.p.Nodes[n], now-t0, got, full)
		}
		if !equal(got, want) {
			return fmt.Errorf("node %d %+v at %d: %+v, want %+v", n, w.p.Nodes[n], now-t0, got, want)
		}
	}
	return nil
}

func equal(a, b Result) bool {
	if a.Cause != b.Cause || a.Input != b.Input {
		return false
	}
	if a.Value.Kind() == sense.Double && math.IsNaN(a.Value.Double()) {
		return math.IsNaN(b.Value.Double())
	}
	if a.Value.Kind() == sense.List { // what holds no number equals nothing
		return a.Cause != Known || b.Value.Kind() == sense.List && a.Value.String() == b.Value.String()
	}
	return a.Cause != Known || a.Value.Equal(b.Value)
}

// stir changes some inputs at random.
func (w *world) stir(r *rand.Rand, now sense.Instant) {
	for range r.IntN(3) {
		k := int32(r.IntN(len(w.p.Inputs)))
		in := &w.p.Inputs[k]
		if r.IntN(4) == 0 {
			w.set(k, Result{Cause: []Cause{InputUnknown, SignalStale, FactStale, FactMissing, Failed, NotRead}[r.IntN(6)]}, now)
			continue
		}
		v := constant(r, in.Kind)
		if in.From == FromUntil {
			v = sense.TimestampValue(now.Add(sense.Duration(r.IntN(20000) - 8000)))
		}
		if in.From == FromNow {
			v = sense.TimestampValue(now)
		}
		w.set(k, Result{Value: v}, now)
		if in.From == FromSignal && (in.Kind == sense.Int || in.Kind == sense.Double) {
			w.read(k, v, now)
		}
	}
}

// drive runs random steps: changes at random instants, and a step at every instant that
// Next names; extra steps in between would show a flip that Next forgot.
func drive(w *world, r *rand.Rand, steps int) error {
	now := t0
	for range steps {
		to := now.Add(sense.Duration(1 + r.IntN(4000)))
		for {
			next := min(w.device.Next(), w.session.Next())
			if next <= now {
				return fmt.Errorf("next is %d at %d", next-t0, now-t0)
			}
			if next > to {
				break
			}
			now = next
			w.begin(now)
			if err := w.settle(now); err != nil {
				return fmt.Errorf("by time: %w", err)
			}
		}
		now = to
		w.begin(now)
		if r.IntN(40) == 0 {
			w.restart(now)
		}
		w.stir(r, now)
		if err := w.settle(now); err != nil {
			return err
		}
	}
	return nil
}

func TestEvalAgainstReference(t *testing.T) {
	programs := 200
	if testing.Short() {
		programs = 150
	}
	ran, known := 0, map[Code]int{}
	for seed := range uint64(programs) {
		w, err := newWorld(newMaker(seed).program(5 + int(seed%40)))
		if err != nil { // a growing length where it may not stand
			continue
		}
		if err := drive(w, rand.New(rand.NewPCG(seed, 2)), 60); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		ran++
		for n, op := range w.p.Nodes {
			if w.session.Result(Node(n)).Cause == Known {
				known[op.Code]++
			}
		}
	}
	if ran < programs/2 {
		t.Fatalf("only %d of %d programs were sound", ran, programs)
	}
	for c := Const; c <= ListOf; c++ {
		if c != Elem && c != Outer && known[c] < 3 && !testing.Short() {
			t.Errorf("operation %d gave a value %d times at the end of a run", c, known[c])
		}
	}
}
