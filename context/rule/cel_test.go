package rule_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// author writes a random condition twice: as CEL, and as nodes.
type author struct {
	r *rand.Rand
	p Program
}

var vocabulary = []struct {
	name string
	kind sense.Kind
	cel  *cel.Type
}{
	{"b1", sense.Bool, cel.BoolType}, {"b2", sense.Bool, cel.BoolType}, {"i1", sense.Int, cel.IntType}, {"i2", sense.Int, cel.IntType},
	{"d1", sense.Double, cel.DoubleType}, {"d2", sense.Double, cel.DoubleType}, {"s1", sense.String, cel.StringType}, {"t1", sense.Length, cel.DurationType},
	{"l1", sense.List, cel.ListType(cel.StringType)},
}

func (a *author) add(op Op) Node {
	a.p.Nodes = append(a.p.Nodes, op)
	return Node(len(a.p.Nodes) - 1)
}

func (a *author) op(code Code, kind sense.Kind, args ...Node) Node {
	return a.add(Op{Code: code, Kind: kind, Args: args, Input: -1})
}

// leaf is a variable or a constant of a kind.
func (a *author) leaf(kind sense.Kind) (string, Node) {
	if a.r.IntN(3) > 0 || kind == sense.List {
		var fit []int
		for k, v := range vocabulary {
			if v.kind == kind {
				fit = append(fit, k)
			}
		}
		k := fit[a.r.IntN(len(fit))]
		return vocabulary[k].name, a.add(Op{Code: Load, Kind: kind, Input: int32(k)})
	}
	v := constant(a.r, kind)
	text := v.String()
	switch kind {
	case sense.Double:
		text = strconv.FormatFloat(v.Double(), 'f', 1, 64)
	case sense.Length:
		text = fmt.Sprintf(`duration("%dms")`, v.Int())
	case sense.Int:
		if a.r.IntN(8) == 0 {
			v, text = sense.IntValue(1<<62), strconv.FormatInt(1<<62, 10)
		}
	}
	return text, a.add(Op{Code: Const, Kind: kind, Value: v, Input: -1})
}

var comparisons = []struct {
	text string
	code Code
}{{"==", Eq}, {"!=", Ne}, {"<", Lt}, {"<=", Le}, {">", Gt}, {">=", Ge}}

func (a *author) expression(kind sense.Kind, depth int) (string, Node) {
	if depth == 0 || a.r.IntN(6) == 0 {
		return a.leaf(kind)
	}
	binary := func(text string, code Code, of sense.Kind) (string, Node) {
		x, nx := a.expression(of, depth-1)
		y, ny := a.expression(of, depth-1)
		return "(" + x + " " + text + " " + y + ")", a.op(code, kind, nx, ny)
	}
	if a.r.IntN(8) == 0 && kind != sense.List {
		c, nc := a.expression(sense.Bool, depth-1)
		x, nx := a.expression(kind, depth-1)
		y, ny := a.expression(kind, depth-1)
		return "(" + c + " ? " + x + " : " + y + ")", a.op(Cond, kind, nc, nx, ny)
	}
	switch kind {
	case sense.Bool:
		return a.condition(binary, depth)
	case sense.Int:
		if a.r.IntN(5) == 0 {
			x, nx := a.expression(sense.String, depth-1)
			return "size(" + x + ")", a.op(Size, kind, nx)
		}
		k := a.r.IntN(5)
		return binary([]string{"+", "-", "*", "/", "%"}[k], Add+Code(k), kind)
	case sense.Double:
		if a.r.IntN(5) == 0 {
			x, nx := a.expression(sense.Int, depth-1)
			return "double(" + x + ")", a.op(ToDouble, kind, nx)
		}
		k := a.r.IntN(4)
		return binary([]string{"+", "-", "*", "/"}[k], Add+Code(k), kind)
	case sense.Length:
		k := a.r.IntN(2)
		return binary([]string{"+", "-"}[k], Add+Code(k), kind)
	}
	return a.leaf(kind)
}

func (a *author) condition(binary func(string, Code, sense.Kind) (string, Node), depth int) (string, Node) {
	switch a.r.IntN(7) {
	case 0:
		x, nx := a.expression(sense.Bool, depth-1)
		return "!" + x, a.op(Not, sense.Bool, nx)
	case 1, 2: // several terms, which cel-go and the compiler join
		text, code := " && ", And
		if a.r.IntN(2) == 0 {
			text, code = " || ", Or
		}
		joined, args := "", []Node(nil)
		for k := range 2 + a.r.IntN(3) {
			x, nx := a.expression(sense.Bool, depth-1)
			if k > 0 {
				joined += text
			}
			joined += x
			args = append(args, nx)
		}
		return "(" + joined + ")", a.op(code, sense.Bool, args...)
	case 3:
		x, nx := a.expression(sense.String, depth-1)
		l, nl := a.leaf(sense.List)
		return "(" + x + " in " + l + ")", a.op(In, sense.Bool, nx, nl)
	case 4:
		k := a.r.IntN(3)
		x, nx := a.expression(sense.String, depth-1)
		y, ny := a.expression(sense.String, depth-1)
		return x + "." + []string{"startsWith", "endsWith", "contains"}[k] + "(" + y + ")", a.op(StartsWith+Code(k), sense.Bool, nx, ny)
	}
	c := comparisons[a.r.IntN(len(comparisons))]
	of := []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.String, sense.Length}[a.r.IntN(5)]
	return binary(c.text, c.code, of)
}

// Every condition has the truth that cel-go gives it, with any of its variables unknown; an
// error and an unknown are told apart.
func TestEvalAgainstCEL(t *testing.T) {
	var options []cel.EnvOption
	for _, v := range vocabulary {
		options = append(options, cel.Variable(v.name, v.cel))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		t.Fatal(err)
	}
	conditions := 2000
	if testing.Short() {
		conditions = 300
	}
	seen := map[string]int{}
	for seed := range uint64(conditions) {
		a := &author{r: rand.New(rand.NewPCG(seed, 3))}
		for _, v := range vocabulary {
			a.p.Inputs = append(a.p.Inputs, Input{From: FromSignal, Name: v.name, Kind: v.kind})
		}
		text, node := a.expression(sense.Bool, 4)
		ast, issues := env.Compile(text)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", text, issues.Err())
		}
		program, err := env.Program(ast, cel.EvalOptions(cel.OptPartialEval))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := NewPlan(&a.p, Interest{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		eval := NewEval(plan)
		for round := range 8 {
			now := t0.Add(sense.Duration(round))
			eval.Begin(now)
			vars, patterns := map[string]any{}, []*cel.AttributePatternType(nil)
			for k, v := range vocabulary {
				if a.r.IntN(4) == 0 {
					patterns = append(patterns, cel.AttributePattern(v.name))
					eval.Set(int32(k), Result{Cause: InputUnknown}, now)
					continue
				}
				value := constant(a.r, v.kind)
				if v.kind == sense.List {
					value = sense.ListValue([]sense.Value{constant(a.r, sense.String), constant(a.r, sense.String)})
				}
				vars[v.name] = native(value)
				eval.Set(int32(k), Result{Value: value}, now)
			}
			eval.Settle(now)
			partial, err := cel.PartialVars(vars, patterns...)
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := program.Eval(partial)
			want := "error"
			switch {
			case err != nil:
			case types.IsUnknown(out):
				want = "unknown"
			default:
				want = fmt.Sprint(out.Value())
			}
			got := eval.Truth(node).String()
			if r := eval.Result(node); r.Cause == Failed {
				got = "error"
			}
			if got != want {
				t.Fatalf("seed %d round %d: %s over %v is %s, and %s in cel-go (%v)", seed, round, text, vars, got, want, err)
			}
			seen[want]++
		}
	}
	for _, outcome := range []string{"true", "false", "unknown", "error"} {
		if seen[outcome] < conditions/40 {
			t.Errorf("only %d conditions were %s: %v", seen[outcome], outcome, seen)
		}
	}
}

func native(v sense.Value) any {
	switch v.Kind() {
	case sense.Bool:
		return v.Bool()
	case sense.Int:
		return v.Int()
	case sense.Double:
		return v.Double()
	case sense.Length:
		return time.Duration(v.Int()) * time.Millisecond
	case sense.List:
		l := []string{}
		for _, x := range v.List() {
			l = append(l, x.Str())
		}
		return l
	}
	return v.Str()
}
