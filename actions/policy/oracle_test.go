package policy

import (
	"math/rand/v2"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// maker writes random conditions whose text both CEL and the language read alike.
type maker struct{ *rand.Rand }

func (m maker) pick(list ...string) string { return list[m.IntN(len(list))] }

func (m maker) bool(depth int) string {
	if depth == 0 {
		return m.pick("a", "b", "c", "true", "false")
	}
	d := depth - 1
	switch m.IntN(9) {
	case 0:
		return "(" + m.bool(d) + " && " + m.bool(d) + ")"
	case 1:
		return "(" + m.bool(d) + " || " + m.bool(d) + ")"
	case 2:
		return "!" + m.bool(d)
	case 3:
		return "(" + m.bool(d) + " ? " + m.bool(d) + " : " + m.bool(d) + ")"
	case 4:
		return "(" + m.int(d) + m.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + m.int(d) + ")"
	case 5:
		return "(" + m.double(d) + m.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + m.double(d) + ")"
	case 6:
		return m.pick("s", "'ab'") + "." + m.pick("startsWith", "endsWith", "contains") + "(" + m.pick("s", "'a'", "'b'") + ")"
	case 7:
		return "(s in ['ab', 'c'])"
	}
	return m.bool(0)
}

func (m maker) int(depth int) string {
	if depth == 0 {
		return m.pick("n", "k", "0", "1", "3", "-2", "9223372036854775807")
	}
	d := depth - 1
	return m.pick(m.int(0), "("+m.int(d)+m.pick(" + ", " - ", " * ", " / ", " % ")+m.int(d)+")", "size(s)")
}

func (m maker) double(depth int) string {
	if depth == 0 {
		return m.pick("x", "y", "0.5", "2.0", "-1.25")
	}
	d := depth - 1
	return m.pick(m.double(0), "("+m.double(d)+m.pick(" + ", " - ", " * ")+m.double(d)+")", "double("+m.pick("n", "k")+")")
}

var oracleNames = []Name{
	{Name: "a", Kind: sense.Bool}, {Name: "b", Kind: sense.Bool}, {Name: "c", Kind: sense.Bool}, {Name: "n", Kind: sense.Int}, {Name: "k", Kind: sense.Int},
	{Name: "x", Kind: sense.Double}, {Name: "y", Kind: sense.Double}, {Name: "s", Kind: sense.String},
}

// Merged and rewritten predicates have the truth that cel-go gives them, unknowns
// included; an error there is unknown here, and never true.
func TestConditionsAgreeWithCEL(t *testing.T) {
	var options []cel.EnvOption
	for _, n := range oracleNames {
		options = append(options, cel.Variable(n.Name, celTypeOf(n.Kind, n.Elem)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		t.Fatal(err)
	}
	m := maker{rand.New(rand.NewPCG(7, 11))}
	seen := map[rule.Truth]int{}
	for round := range 1500 {
		text := m.bool(3)
		program, node, findings, err := CompileCondition(oracleNames, text)
		if err != nil || len(findings) > 0 {
			t.Fatalf("%s: %v %v", text, findings, err)
		}
		plan, err := rule.NewPlan(&program)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		tree, issues := env.Compile(text)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", text, issues.Err())
		}
		oracle, err := env.Program(tree, cel.EvalOptions(cel.OptPartialEval))
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			values := m.moment()
			want := truthOfCEL(t, oracle, values)
			eval := rule.NewEval(plan)
			eval.Begin(1000)
			for k, in := range program.Inputs {
				result := rule.Result{Cause: rule.InputUnknown, Input: int32(k)}
				if v, ok := values[in.Name]; ok {
					result = rule.Result{Input: -1, Value: v}
				}
				eval.Set(int32(k), result, 1000)
			}
			eval.Settle(1000)
			if got := eval.Truth(node); got != want {
				t.Fatalf("round %d: %s over %v is %s, cel-go says %s", round, text, values, got, want)
			}
			seen[want]++
		}
	}
	for _, truth := range []rule.Truth{rule.Unknown, rule.False, rule.True} {
		if seen[truth] < 500 {
			t.Errorf("only %d conditions were %s: the test proves little", seen[truth], truth)
		}
	}
}

// moment gives each name a value, or none.
func (m maker) moment() map[string]sense.Value {
	values := map[string]sense.Value{}
	for _, n := range oracleNames {
		if m.IntN(4) == 0 {
			continue
		}
		switch n.Kind {
		case sense.Bool:
			values[n.Name] = sense.BoolValue(m.IntN(2) == 0)
		case sense.Int:
			values[n.Name] = sense.IntValue(int64(m.IntN(7) - 3))
		case sense.Double:
			values[n.Name] = sense.DoubleValue(float64(m.IntN(9)-4) / 4)
		case sense.String:
			values[n.Name] = sense.StringValue(m.pick("", "ab", "c", "ba"))
		}
	}
	return values
}

func truthOfCEL(t *testing.T, p cel.Program, values map[string]sense.Value) rule.Truth {
	t.Helper()
	known := map[string]any{}
	var unknown []*cel.AttributePatternType
	for _, n := range oracleNames {
		v, ok := values[n.Name]
		switch {
		case !ok:
			unknown = append(unknown, cel.AttributePattern(n.Name))
		case n.Kind == sense.Bool:
			known[n.Name] = v.Bool()
		case n.Kind == sense.Int:
			known[n.Name] = v.Int()
		case n.Kind == sense.Double:
			known[n.Name] = v.Double()
		default:
			known[n.Name] = v.Str()
		}
	}
	vars, err := cel.PartialVars(known, unknown...)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := p.Eval(vars)
	switch {
	case err != nil || types.IsUnknown(out):
		return rule.Unknown
	case out == types.True:
		return rule.True
	case out == types.False:
		return rule.False
	}
	t.Fatalf("cel-go gives %v", out)
	return rule.Unknown
}
