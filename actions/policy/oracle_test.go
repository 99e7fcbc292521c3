package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// oracleNames are the names that random expressions read.
var oracleNames = []Name{
	{Name: "a", Kind: sense.Bool}, {Name: "b", Kind: sense.Bool, Person: true}, {Name: "n", Kind: sense.Int}, {Name: "k", Kind: sense.Int, Fact: true},
	{Name: "x", Kind: sense.Double}, {Name: "y", Kind: sense.Double, Person: true}, {Name: "s", Kind: sense.String}, {Name: "w", Kind: sense.String, Fact: true},
	{Name: "t", Kind: sense.Timestamp}, {Name: "visit.last", Kind: sense.Timestamp, Fact: true}, {Name: "d", Kind: sense.Length},
	{Name: "ss", Kind: sense.List, Elem: sense.String, Fact: true}, {Name: "ns", Kind: sense.List, Elem: sense.Int, Fact: true},
	{Name: "xs", Kind: sense.List, Elem: sense.Double}, {Name: "ts", Kind: sense.List, Elem: sense.Timestamp, Fact: true},
}

// writer writes random expressions whose text both CEL and the language read alike.
type writer struct {
	*rand.Rand
	bound map[sense.Kind][]string // variables of the bodies around
	depth int                     // of bodies
	fresh int
}

func newWriter(seed uint64) *writer {
	return &writer{Rand: rand.New(rand.NewPCG(seed, 11)), bound: map[sense.Kind][]string{}}
}

func (m *writer) pick(list ...string) string { return list[m.IntN(len(list))] }

var leaves = map[sense.Kind][]string{
	sense.Bool:      {"a", "b", "a", "b", "true", "false"},
	sense.Int:       {"n", "k", "n", "k", "0", "1", "3", "-2", "9223372036854775807", "-9223372036854775808"},
	sense.Double:    {"x", "y", "x", "y", "0.5", "2.0", "-1.25", "0.0", "-0.0", "1e300"},
	sense.String:    {"s", "w", "s", "'ab'", "'c'", "''", "'7'", "'1.5'", "'true'", "'b\\u00e9'"},
	sense.Timestamp: {"t", "visit.last", "now", "now", "timestamp('2026-03-02T10:00:00+01:00')", "timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999Z')"},
	sense.Length:    {"d", "d", "8s", "2h", "90d", "250ms", "100000d", "duration('-90m')"},
}

var listLeaves = map[sense.Kind][]string{
	sense.String: {"ss", "ss", "['ab', 'c', 'ab']", "['']"}, sense.Int: {"ns", "ns", "[1, 2, 3]", "[0]"},
	sense.Double: {"xs", "xs", "[0.5, 2.0]"}, sense.Timestamp: {"ts", "ts", "[timestamp('2026-03-02T10:00:00+01:00')]"},
}

func (m *writer) leaf(k sense.Kind) string {
	if v := m.bound[k]; len(v) > 0 && m.IntN(2) == 0 {
		return v[m.IntN(len(v))]
	}
	return m.pick(leaves[k]...)
}

// expr writes an expression of a kind.
func (m *writer) expr(k sense.Kind, depth int) string {
	if depth <= 0 || m.IntN(7) == 0 {
		return m.leaf(k)
	}
	d := depth - 1
	switch m.IntN(12) {
	case 0:
		return "(" + m.expr(sense.Bool, d) + " ? " + m.expr(k, d) + " : " + m.expr(k, d) + ")"
	case 1:
		if listLeaves[k] != nil {
			return m.list(k, d) + "[" + m.pick("0", "1", m.expr(sense.Int, d)) + "]"
		}
	}
	two := func(of sense.Kind, signs ...string) string {
		return "(" + m.expr(of, d) + " " + m.pick(signs...) + " " + m.expr(of, d) + ")"
	}
	switch k {
	case sense.Bool:
		return m.condition(d)
	case sense.Int:
		switch m.IntN(9) {
		case 0:
			return "size(" + m.expr(sense.String, d) + ")"
		case 1:
			return m.list(m.elem(), d) + ".size()"
		case 2:
			return "int(" + m.expr([]sense.Kind{sense.Double, sense.String, sense.Int}[m.IntN(3)], d) + ")"
		case 3:
			return m.still(d) + "." + m.pick("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds") +
				"(" + m.pick("", "'-02:30'", "'14:00'", "'Europe/Amsterdam'", "'Australia/Lord_Howe'") + ")"
		case 4:
			return m.expr(sense.Timestamp, d) + "." + m.pick("getFullYear", "getMonth", "getDate", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes") + "(" + m.pick("", "'+05:45'", "'America/St_Johns'") + ")"
		case 5:
			return m.expr(sense.Length, d) + "." + m.pick("getHours", "getMinutes") + "()"
		case 6:
			return "-(" + m.expr(k, d) + ")"
		}
		return two(k, "+", "-", "*", "/", "%")
	case sense.Double:
		switch m.IntN(6) {
		case 0:
			return "double(" + m.expr([]sense.Kind{sense.Int, sense.String}[m.IntN(2)], d) + ")"
		case 1:
			return "-(" + m.expr(k, d) + ")"
		}
		return two(k, "+", "-", "*", "/")
	case sense.String:
		if m.IntN(3) > 0 {
			return "string(" + m.pick(m.expr(sense.Int, d), m.expr(sense.Bool, d), m.expr(sense.Double, d), m.still(d), "d", m.expr(sense.String, d)) + ")"
		}
		return two(k, "+")
	case sense.Timestamp:
		return m.pick("("+m.expr(k, d)+m.pick(" + ", " - ")+m.expr(sense.Length, d)+")", "("+m.expr(sense.Length, d)+" + "+m.expr(k, d)+")", "timestamp("+m.expr(sense.Int, d)+")")
	case sense.Length:
		return m.pick("("+m.expr(sense.Timestamp, d)+" - "+m.expr(sense.Timestamp, d)+")", two(k, "+", "-"))
	}
	return m.leaf(k)
}

// still writes a timestamp that does not move with time.
func (m *writer) still(depth int) string {
	base := m.pick("t", "visit.last", "timestamp('1969-12-31T23:59:59.001Z')", "timestamp('2026-10-25T00:59:59Z')")
	if depth > 0 && m.IntN(2) == 0 {
		return "(" + base + m.pick(" + ", " - ") + m.pick("d", "8s", "90d") + ")"
	}
	return base
}

func (m *writer) elem() sense.Kind {
	return []sense.Kind{sense.String, sense.Int, sense.Double, sense.Timestamp}[m.IntN(4)]
}

// list writes a list of a kind.
func (m *writer) list(of sense.Kind, depth int) string {
	if depth > 0 {
		switch m.IntN(7) {
		case 6:
			return "[" + m.expr(of, depth-1) + ", " + m.expr(of, depth-2) + "]"
		case 0:
			return "(" + m.list(of, depth-1) + " + " + m.list(of, depth-1) + ")"
		case 1:
			if m.depth < rule.MaxDepth && of != sense.Timestamp {
				return m.over("filter", of, depth, func(d int) string { return m.expr(sense.Bool, d) })
			}
		case 2:
			if m.depth < rule.MaxDepth && of != sense.Timestamp {
				return m.over("map", m.elem(), depth, func(d int) string { return m.expr(of, d) })
			}
		}
	}
	return m.pick(listLeaves[of]...)
}

// over writes exists, all and their like.
func (m *writer) over(name string, of sense.Kind, depth int, body func(depth int) string) string {
	list := m.list(of, depth-1)
	m.fresh++
	v := fmt.Sprintf("e%d", m.fresh)
	m.bound[of] = append(m.bound[of], v)
	m.depth++
	text := list + "." + name + "(" + v + ", " + body(min(depth-1, 2)) + ")"
	m.depth--
	m.bound[of] = m.bound[of][:len(m.bound[of])-1]
	return text
}

func (m *writer) condition(d int) string {
	switch m.IntN(12) {
	case 0, 1:
		parts := []string{m.expr(sense.Bool, d), m.expr(sense.Bool, d), m.expr(sense.Bool, d)}
		return "(" + strings.Join(parts[:2+m.IntN(2)], m.pick(" && ", " || ")) + ")"
	case 2:
		return "!" + m.expr(sense.Bool, d)
	case 3:
		return m.expr(sense.String, d) + "." + m.pick("startsWith", "endsWith", "contains") + "(" + m.expr(sense.String, d) + ")"
	case 4:
		of := m.elem()
		return "(" + m.expr(of, d) + " in " + m.list(of, d) + ")"
	case 5:
		of := m.elem()
		return "(" + m.list(of, d) + m.pick(" == ", " != ") + m.list(of, d) + ")"
	case 6, 7, 8:
		if m.depth < rule.MaxDepth {
			return m.over(m.pick("exists", "all", "exists", "all", "exists_one"), m.elem(), d+1, func(d int) string { return m.expr(sense.Bool, d) })
		}
	}
	of := []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.String, sense.Timestamp, sense.Length, sense.Length}[m.IntN(7)]
	return "(" + m.expr(of, d) + m.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + m.expr(of, d) + ")"
}

const oracleNow = sense.Instant(1772442000000)

// value gives a name a value that comparisons often meet.
func (m *writer) value(k, elem sense.Kind) sense.Value {
	switch k {
	case sense.Bool:
		return sense.BoolValue(m.IntN(2) == 0)
	case sense.Int:
		return sense.IntValue([]int64{0, 1, 2, 3, -3, -1, 7, math.MaxInt64, math.MinInt64}[m.IntN(9)])
	case sense.Double:
		return sense.DoubleValue([]float64{0, 0.5, -0.5, 1, 2, -1.25, 1e300, -1e300, 12345678.9}[m.IntN(9)])
	case sense.String:
		return sense.StringValue(m.pick("", "ab", "c", "ba", "bé", "7", "-3", "2.5", "true"))
	case sense.Timestamp:
		return sense.TimestampValue(oracleNow + sense.Instant([]int64{0, 1, -8000, -7200000, 90000, -5184000000, 25000000000, 1 << 40}[m.IntN(8)]))
	case sense.Length:
		return sense.LengthValue([]sense.Duration{0, 1, 8000, 2 * sense.Hour, -90 * sense.Second, 90 * sense.Day, 1500}[m.IntN(7)])
	}
	list := make([]sense.Value, m.IntN(4))
	for k := range list {
		list[k] = m.value(elem, sense.Null)
	}
	return sense.ListValue(list)
}

func nativeOf(v sense.Value) any {
	switch v.Kind() {
	case sense.Bool:
		return v.Bool()
	case sense.Int:
		return v.Int()
	case sense.Double:
		return v.Double()
	case sense.Timestamp:
		return v.Timestamp().Time()
	case sense.Length:
		return time.Duration(v.Int()) * time.Millisecond
	case sense.List:
		list := make([]any, len(v.List()))
		for k, x := range v.List() {
			list[k] = nativeOf(x)
		}
		return list
	}
	return v.Str()
}

// wordOf prints an outcome of cel-go, wordOfResult one of ours, in the same words.
func wordOf(v ref.Val, err error) string {
	switch {
	case err != nil:
		return "error"
	case types.IsUnknown(v):
		return "unknown"
	}
	return wordOfValue(v)
}

func wordOfValue(v ref.Val) string {
	switch v := v.(type) {
	case types.Timestamp:
		return fmt.Sprint(v.Time.UnixMilli())
	case types.Duration:
		return fmt.Sprint(v.Duration.Milliseconds(), "ms")
	case types.Double:
		return fmt.Sprintf("%x", float64(v))
	case traits.Lister:
		words := []string{}
		for k := range int(v.Size().(types.Int)) {
			words = append(words, wordOfValue(v.Get(types.Int(k))))
		}
		return fmt.Sprint(words)
	}
	return fmt.Sprintf("%T %v", v.Value(), v.Value())
}

func wordOfResult(r rule.Result) string {
	switch r.Cause {
	case rule.Known:
		return wordOfSense(r.Value)
	case rule.Failed:
		return "error"
	}
	return "unknown"
}

func wordOfSense(v sense.Value) string {
	switch v.Kind() {
	case sense.Timestamp:
		return fmt.Sprint(v.Int())
	case sense.Length:
		return fmt.Sprint(v.Int(), "ms")
	case sense.Double:
		return fmt.Sprintf("%x", v.Double())
	case sense.List:
		words := []string{}
		for _, x := range v.List() {
			words = append(words, wordOfSense(x))
		}
		return fmt.Sprint(words)
	}
	return fmt.Sprintf("%T %v", nativeOf(v), nativeOf(v))
}

// oracle is the cel-go evaluator over the names.
type oracle struct{ env *cel.Env }

func newOracle(tb testing.TB, names []Name) oracle {
	options := []cel.EnvOption{cel.Variable("now", cel.TimestampType)}
	for _, n := range names {
		options = append(options, cel.Variable(n.Name, celTypeOf(n.Kind, n.Elem)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		tb.Fatal(err)
	}
	return oracle{env}
}

func (o oracle) program(tb testing.TB, text string) cel.Program {
	tree, issues := o.env.Compile(CEL(text))
	if issues.Err() != nil {
		tb.Fatalf("%s: %v", text, issues.Err())
	}
	p, err := o.env.Program(tree, cel.EvalOptions(cel.OptPartialEval))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// outcome evaluates over values, of which those that are missing are unknown.
func (o oracle) outcome(tb testing.TB, p cel.Program, names []Name, values map[string]sense.Value, now sense.Instant) string {
	known := map[string]any{"now": now.Time()}
	var unknown []*cel.AttributePatternType
	for _, n := range names {
		if v, ok := values[n.Name]; ok {
			known[n.Name] = nativeOf(v)
			continue
		}
		pattern := cel.AttributePattern(strings.Split(n.Name, ".")[0])
		for _, field := range strings.Split(n.Name, ".")[1:] {
			pattern = pattern.QualString(field)
		}
		unknown = append(unknown, pattern)
		if strings.Contains(n.Name, ".") {
			unknown = append(unknown, cel.AttributePattern(n.Name))
		}
	}
	vars, err := cel.PartialVars(known, unknown...)
	if err != nil {
		tb.Fatal(err)
	}
	v, _, err := p.Eval(vars)
	return wordOf(v, err)
}

// agree writes one random expression and evaluates it both ways, over random values and on to the
// instants at which time alone changes it. It counts the outcomes in seen.
func agree(tb testing.TB, o oracle, seed uint64, depth, rounds int, seen map[string]int) {
	m := newWriter(seed)
	kinds := []sense.Kind{sense.Bool, sense.Bool, sense.Bool, sense.Int, sense.Double, sense.String, sense.Timestamp, sense.Length}
	text := m.expr(kinds[m.IntN(len(kinds))], depth)
	program, node, findings, err := CompileExpression(oracleNames, text)
	if err != nil {
		tb.Fatalf("seed %d: %s: %v", seed, text, err)
	}
	if len(findings) > 0 {
		if code := findings[0].Code; code != "condition_error" && code != "not_supported" {
			tb.Fatalf("seed %d: %s: %v", seed, text, findings)
		}
		seen[findings[0].Code]++
		return
	}
	plan, err := rule.NewPlan(&program, rule.Interest{})
	if err != nil {
		tb.Fatalf("seed %d: %s: %v", seed, text, err)
	}
	p := o.program(tb, text)
	device := rule.NewEval(plan)
	session := device.NewSession()
	now := oracleNow
	for round := range rounds {
		values := map[string]sense.Value{}
		device.Begin(now)
		session.Begin(now)
		for _, n := range oracleNames {
			if m.IntN(5) > 0 {
				values[n.Name] = m.value(n.Kind, n.Elem)
			}
		}
		for k, in := range program.Inputs {
			result := rule.Result{Cause: rule.InputUnknown, Input: int32(k)}
			if v, ok := values[in.Name]; ok {
				result = rule.Result{Input: -1, Value: v}
			} else if in.From == rule.FromNow {
				result = rule.Result{Input: -1, Value: sense.TimestampValue(now)}
			}
			device.Set(int32(k), result, now)
			session.Set(int32(k), result, now)
		}
		check := func(at sense.Instant) (want string) {
			got := wordOfResult(session.Result(node))
			want = o.outcome(tb, p, oracleNames, values, at)
			switch {
			case got == want:
			case got == "error" && namedZone.MatchString(text):
				seen["beyond the zone"]++ // before 1970 and after 2099 a named zone gives no parts
			case at > oracleNow+sense.Instant(200*sense.Year) && (o.outcome(tb, p, oracleNames, values, at-1000) == got || o.outcome(tb, p, oracleNames, values, at+1000) == got),
				(got == "error") != (want == "error") && (o.outcome(tb, p, oracleNames, values, at-1000) == "error") != (o.outcome(tb, p, oracleNames, values, at+1000) == "error"):
				seen["beyond the range"]++ // cel-go draws the line of 292 years at whole seconds
			default:
				tb.Fatalf("seed %d round %d: %s\nover %v at %s is %s, cel-go says %s", seed, round, text, values, at, got, want)
			}
			return want
		}
		compare := func() {
			want := check(now)
			if program.Nodes[node].Kind == sense.Bool || want == "error" || want == "unknown" {
				seen[want]++
			}
		}
		device.Settle(now)
		session.Settle(now)
		compare()
		for range 3 { // until something changes by itself nothing does
			next := min(device.Next(), session.Next())
			if next == sense.Never || next > now+1<<44 {
				break
			}
			seen["turn"]++
			if before := next - 1; before > now && program.Nodes[node].Kind == sense.Bool {
				check(before)
			}
			now = next
			device.Begin(now)
			session.Begin(now)
			device.Settle(now)
			session.Settle(now)
			compare()
		}
		now = now.Add(1)
	}
}

var namedZone = regexp.MustCompile(`'[A-Z][a-z]+/`)

// Every expression of the language has the outcome that cel-go gives it, unknowns and errors included,
// at every instant: so neither is ever true.
func TestConditionsAgreeWithCEL(t *testing.T) {
	o := newOracle(t, oracleNames)
	expressions := uint64(1800)
	if testing.Short() {
		expressions = 400
	}
	seen := map[string]int{}
	for seed := range expressions {
		agree(t, o, seed, 1+int(seed%4), 4, seen)
	}
	for _, outcome := range []string{"bool true", "bool false", "unknown", "error", "turn"} {
		if seen[outcome] < int(expressions)/20 {
			t.Errorf("only %d outcomes were %s: the test proves little: %v", seen[outcome], outcome, seen)
		}
	}
	t.Log(seen)
}

// FuzzConditions looks for an expression on which the two differ.
func FuzzConditions(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed*7919, uint8(seed%6))
	}
	f.Add(uint64(39629), uint8(166))
	o := newOracle(f, oracleNames)
	f.Fuzz(func(t *testing.T, seed uint64, depth uint8) {
		agree(t, o, seed, int(depth%6), 6, map[string]int{})
	})
}
