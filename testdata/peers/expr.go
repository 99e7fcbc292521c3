package peers

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// exprs are the compiled conditions of a workload over one environment. A map is expr's faster environment:
// fields of a struct are read by reflection.
type exprs struct {
	*wrapper
	env      map[string]any
	programs []*vm.Program // by rank
	machine  vm.VM
	set      set
}

func newExprs(w *Workload) (*exprs, error) {
	e := &exprs{wrapper: wrap(w), env: map[string]any{"now": 0.0}, set: newSet(w)}
	e.number = func(v variable, number float64) { e.env[v.String()] = number }
	e.word = func(v variable, s string) { e.env[v.String()] = s }
	e.flag = func(v variable, yes, no bool) { e.env[v.String()+"yes"], e.env[v.String()+"no"] = yes, no }
	e.reset()
	t := text{w: w, now: "now", side: func(v variable, side string) string {
		if side == "lo" || side == "hi" {
			return v.String()
		}
		return v.String() + side
	}}
	for _, k := range w.ByRank {
		program, err := expr.Compile(t.write(&w.Actions[k].Condition), expr.Env(e.env), expr.AsBool())
		if err != nil {
			return nil, fmt.Errorf("compile action %d for expr: %w", k, err)
		}
		e.programs = append(e.programs, program)
	}
	return e, nil
}

// judge evaluates the condition of a rank.
func (e *exprs) judge(rank int) {
	yes, err := e.machine.Run(e.programs[rank], e.env)
	e.set.put(rank, err == nil && yes.(bool))
}

func (e *exprs) Eligible(dst []int32) []int32 { return e.set.list(dst) }
func (e *exprs) Best() int32                  { return e.set.best() }

// Expr evaluates every condition at every update.
type Expr struct{ *exprs }

// NewExpr compiles a workload for expr.
func NewExpr(w *Workload) (*Expr, error) {
	e, err := newExprs(w)
	return &Expr{e}, err
}

func (e *Expr) Name() string { return "expr" }

func (e *Expr) Update(attribute int32, v Value, now int64) {
	e.env["now"] = float64(now)
	e.update(attribute, v, now)
	for rank := range e.programs {
		e.judge(rank)
	}
}

// Indexed is expr as a careful user would drive it: per attribute the conditions that read it, and for what time
// turns a heap of the instants at which a condition is due. Only these are evaluated.
type Indexed struct {
	*exprs
	reads [][]int32 // attribute -> ranks
	timed [][]int32 // rank -> its predicates over time
	due   rule.Timers
}

// NewIndexed compiles a workload for expr, with its index.
func NewIndexed(w *Workload) (*Indexed, error) {
	of, err := newExprs(w)
	if err != nil {
		return nil, err
	}
	e := &Indexed{exprs: of, reads: make([][]int32, len(w.Attributes)), timed: make([][]int32, len(w.Actions)), due: rule.NewTimers(int32(len(w.Actions)))}
	for rank, k := range w.ByRank {
		w.Actions[k].Condition.leaves(func(p int32) {
			a, b := w.ReadsOf(&w.Predicates[p])
			for _, x := range []int32{a, b} {
				if x >= 0 && (len(e.reads[x]) == 0 || e.reads[x][len(e.reads[x])-1] != int32(rank)) {
					e.reads[x] = append(e.reads[x], int32(rank))
				}
			}
			if w.Predicates[p].Form >= Recent {
				e.timed[rank] = append(e.timed[rank], p)
			}
		})
	}
	return e, nil
}

func (e *Indexed) Name() string { return "expr+index" }

func (e *Indexed) Update(attribute int32, v Value, now int64) {
	e.env["now"] = float64(now)
	e.update(attribute, v, now)
	for _, rank := range e.reads[attribute] {
		e.again(rank, now)
	}
	for {
		rank, ok := e.due.Pop(sense.Instant(now))
		if !ok {
			return
		}
		e.again(rank, now)
	}
}

// again evaluates a condition, and finds when time turns one of its predicates next.
func (e *Indexed) again(rank int32, now int64) {
	e.judge(int(rank))
	if len(e.timed[rank]) == 0 {
		return
	}
	due := sense.Never
	for _, p := range e.timed[rank] {
		due = min(due, e.turns(p, now))
	}
	e.due.Set(rank, due)
}
