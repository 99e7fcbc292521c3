package peers

import (
	"fmt"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// CEL evaluates every condition at every update. Its variables are kept as CEL's own values, so that no
// evaluation converts them.
type CEL struct {
	*wrapper
	vars     activation
	programs []cel.Program // by rank
	set      set
}

// activation gives cel-go a variable by name.
type activation map[string]ref.Val

func (a activation) ResolveName(name string) (any, bool) { v, ok := a[name]; return v, ok }
func (a activation) Parent() cel.Activation              { return nil }

// NewCEL compiles a workload for cel-go.
func NewCEL(w *Workload) (*CEL, error) {
	e := &CEL{wrapper: wrap(w), vars: activation{"now": types.Double(0)}, set: newSet(w)}
	e.number = func(v variable, number float64) {
		lo, hi := number, number
		if math.IsNaN(number) { // comparing it would be an error, which is slow
			lo, hi = math.Inf(-1), math.Inf(1)
		}
		e.vars[v.String()+"lo"], e.vars[v.String()+"hi"] = types.Double(lo), types.Double(hi)
	}
	e.word = func(v variable, s string) { e.vars[v.String()] = types.String(s) }
	e.flag = func(v variable, yes, no bool) {
		e.vars[v.String()+"yes"], e.vars[v.String()+"no"] = types.Bool(yes), types.Bool(no)
	}
	e.reset()
	var options []cel.EnvOption
	for name, v := range e.vars {
		kind := cel.DoubleType
		switch v.(type) {
		case types.String:
			kind = cel.StringType
		case types.Bool:
			kind = cel.BoolType
		}
		options = append(options, cel.Variable(name, kind))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("make environment of cel-go: %w", err)
	}
	t := text{w: w, now: "now", side: func(v variable, side string) string { return v.String() + side }}
	for _, k := range w.ByRank {
		ast, issues := env.Compile(t.write(&w.Actions[k].Condition))
		if issues.Err() != nil {
			return nil, fmt.Errorf("compile action %d for cel-go: %w", k, issues.Err())
		}
		program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return nil, fmt.Errorf("make program of action %d for cel-go: %w", k, err)
		}
		e.programs = append(e.programs, program)
	}
	return e, nil
}

func (e *CEL) Name() string { return "cel-go" }

func (e *CEL) Update(attribute int32, v Value, now int64) {
	e.vars["now"] = types.Double(now)
	e.update(attribute, v, now)
	for rank, program := range e.programs {
		yes, _, err := program.Eval(e.vars)
		e.set.put(rank, err == nil && yes == types.True)
	}
}

func (e *CEL) Eligible(dst []int32) []int32 { return e.set.list(dst) }
func (e *CEL) Best() int32                  { return e.set.best() }
