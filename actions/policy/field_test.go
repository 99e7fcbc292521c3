package policy

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// fieldData returns the folder of field data, or skips the test.
func fieldData(t *testing.T) string {
	root := os.Getenv("TACT_FIELD_DATA")
	if root == "" {
		t.Skip("TACT_FIELD_DATA names no folder with field data")
	}
	return root
}

// kindOfProto turns the declared type of a variable into a kind; ok is false for what facts and signals cannot be.
func kindOfProto(m message) (kind, elem sense.Kind, ok bool) {
	switch m.text("primitive") {
	case "BOOL":
		return sense.Bool, sense.Null, true
	case "INT64":
		return sense.Int, sense.Null, true
	case "DOUBLE":
		return sense.Double, sense.Null, true
	case "STRING":
		return sense.String, sense.Null, true
	}
	switch m.text("well_known") {
	case "TIMESTAMP":
		return sense.Timestamp, sense.Null, true
	case "DURATION":
		return sense.Length, sense.Null, true
	}
	switch m.text("message_type") {
	case "google.protobuf.Timestamp":
		return sense.Timestamp, sense.Null, true
	case "google.protobuf.Duration":
		return sense.Length, sense.Null, true
	}
	if inner := m.at("list_type", "elem_type"); inner != nil {
		elem, _, ok := kindOfProto(inner)
		return sense.List, elem, ok && elem != sense.List
	}
	return sense.Null, sense.Null, false
}

// valueOfProto reads an expected value or a binding; ok is false for what we have no values of.
func valueOfProto(m message) (v sense.Value, ok bool) {
	if len(m) == 0 {
		return v, false
	}
	f := m[0]
	switch f.name {
	case "bool_value":
		return sense.BoolValue(f.text == "true"), true
	case "int64_value":
		n, err := strconv.ParseInt(f.text, 0, 64)
		return sense.IntValue(n), err == nil
	case "double_value":
		n, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(f.text), "+"), 64)
		return sense.RawDouble(n), err == nil
	case "string_value":
		return sense.StringValue(f.text), true
	case "list_value":
		var list []sense.Value
		for _, x := range f.inner {
			v, ok := valueOfProto(x.inner)
			if !ok {
				return v, false
			}
			list = append(list, v)
		}
		return sense.ListValue(list), true
	case "object_value":
		if len(f.inner) != 1 {
			return v, false
		}
		any := f.inner[0]
		seconds, _ := strconv.ParseInt(any.inner.text("seconds"), 10, 64)
		nanos, _ := strconv.ParseInt(any.inner.text("nanos"), 10, 64)
		switch {
		case nanos%1_000_000 != 0:
			return v, false
		case strings.HasSuffix(any.name, "google.protobuf.Timestamp]"):
			return sense.TimestampValue(sense.Instant(seconds*1000 + nanos/1_000_000)), true
		case strings.HasSuffix(any.name, "google.protobuf.Duration]"):
			return sense.LengthValue(sense.Duration(seconds*1000 + nanos/1_000_000)), true
		}
	}
	return v, false
}

// judge runs one official case through our path. It returns "passed", "refused: ..." or what went wrong.
func judge(test message) string {
	var names []Name
	values := map[string]sense.Value{}
	unreadable := ""
	for _, f := range test {
		switch f.name {
		case "type_env":
			kind, elem, ok := kindOfProto(f.inner.at("ident", "type"))
			if !ok {
				unreadable = "a name of a type that no fact has"
				continue
			}
			names = append(names, Name{Name: f.inner.text("name"), Kind: kind, Elem: elem})
		case "bindings":
			if v, ok := valueOfProto(f.inner.at("value", "value")); ok {
				values[f.inner.text("key")] = v
			}
		}
	}
	if test.text("container") != "" {
		return "refused: a container of names"
	}
	wantError := test.at("eval_error") != nil || test.at("any_eval_errors") != nil
	program, node, findings, err := CompileExpression(names, test.text("expr"))
	switch {
	case err != nil:
		return "refused: a name that cannot be declared"
	case len(findings) > 0:
		code := findings[0].Code
		switch {
		case wantError && code == "condition_error":
			return "passed"
		case code == "not_supported":
			return "refused: " + reasonOf(findings[0].Message)
		case code == "unknown_function":
			return "refused: a function that is not of the language"
		case code == "condition_syntax" && strings.Contains(test.text("expr"), "cel.iterVar"):
			return "refused: macros written out by an optimizer"
		case unreadable != "" && code == "unknown_name":
			return "refused: " + unreadable
		case wantError && code == "type_mismatch":
			return "passed" // an error, told when it is compiled
		case wantError || test.text("disable_check") == "true":
			return "refused: types or names that do not fit"
		}
		return "WRONG: " + findings[0].Code + ": " + findings[0].Message
	case unreadable != "" || test.text("check_only") == "true":
		return "refused: " + cmp.Or(unreadable, "no value to check")
	}
	plan, err := rule.NewPlan(&program, rule.Interest{})
	if err != nil {
		return "WRONG: " + err.Error()
	}
	eval := rule.NewEval(plan)
	unbound := false
	for k, in := range program.Inputs {
		v, ok := values[in.Name]
		if unbound = unbound || !ok; ok {
			eval.Set(int32(k), rule.Result{Value: v}, oracleNow)
		}
	}
	eval.Settle(oracleNow)
	got := eval.Result(node)
	if wantError {
		if got.Cause == rule.Failed || unbound && got.Cause == rule.InputUnknown {
			return "passed"
		}
		return "WRONG: " + wordOfResult(got) + ", not an error"
	}
	want := sense.BoolValue(true) // where a case says nothing
	if m := test.at("value"); m != nil {
		want, err = mustValue(m)
	} else if m := test.at("typed_result", "result"); m != nil {
		want, err = mustValue(m)
	}
	switch {
	case err != nil:
		return "WRONG: " + wordOfResult(got) + " where " + err.Error()
	case got.Cause == rule.Known && wordOfSense(got.Value) == wordOfSense(want) && got.Value.Kind() == want.Kind():
		return "passed"
	}
	return "WRONG: " + wordOfResult(got) + ", not " + wordOfSense(want)
}

func mustValue(m message) (sense.Value, error) {
	v, ok := valueOfProto(m)
	if !ok {
		return v, fmt.Errorf("a value of another type is expected: %v", m)
	}
	return v, nil
}

// reasonOf shortens a message to what is not supported.
func reasonOf(message string) string {
	message = strings.TrimSuffix(strings.TrimSuffix(message, " in conditions"), " is not supported")
	return strings.TrimSuffix(message, " are not supported")
}

// The official cases of CEL give exactly what they should through our path, or are refused when they are
// compiled, as not supported: never a wrong outcome.
func TestFieldCEL(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fieldData(t), "cel", "simple", "*.textproto"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := readTextproto(string(src))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		passed, refusedCount, refusedFor := 0, 0, map[string]int{}
		for _, section := range cases {
			if section.name != "section" {
				continue
			}
			for _, test := range section.inner {
				if test.name != "test" {
					continue
				}
				switch outcome := judge(test.inner); {
				case outcome == "passed":
					passed++
				case strings.HasPrefix(outcome, "refused: "):
					refusedCount++
					refusedFor[strings.TrimPrefix(outcome, "refused: ")]++
				default:
					t.Errorf("%s: %s/%s: %s: %s", filepath.Base(file), section.inner.text("name"), test.inner.text("name"), test.inner.text("expr"), outcome)
				}
			}
		}
		reasons := make([]string, 0, len(refusedFor))
		for reason, n := range refusedFor {
			reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
		}
		slices.SortFunc(reasons, func(a, b string) int { return -cmp.Compare(len(a), len(b)) })
		slices.Sort(reasons)
		t.Logf("%-28s %3d passed, %3d refused: %s", filepath.Base(file), passed, refusedCount, strings.Join(reasons, "; "))
	}
}

// fieldPolicy is what we read of a CEL policy: conditions in order, over variables that are texts.
type fieldPolicy struct {
	Rule struct {
		Variables []struct{ Name, Expression string }
		Match     []struct{ Condition, Output string }
	}
}

// The conditions of CEL's policies that we support decide their tests as they should.
func TestFieldCELPolicies(t *testing.T) {
	root := filepath.Join(fieldData(t), "cel", "policy", "unnest")
	var p fieldPolicy
	var tests struct {
		Section []struct {
			Tests []struct {
				Name   string
				Input  struct{ Values struct{ Expr string } }
				Output struct{ Value string }
			}
		}
	}
	for name, into := range map[string]any{"policy.yaml": &p, "tests.yaml": &tests} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = yaml.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	names := []Name{{Name: "values", Kind: sense.List, Elem: sense.Int}}
	ran := 0
	for _, section := range tests.Section {
		for _, test := range section.Tests {
			input := constantText(t, test.Input.Values.Expr)
			got := ""
			for _, m := range p.Rule.Match {
				condition := m.Condition
				for _, v := range p.Rule.Variables {
					condition = strings.ReplaceAll(condition, "variables."+v.Name, "("+strings.TrimSpace(v.Expression)+")")
				}
				program, node, findings, err := CompileCondition(names, condition)
				if err != nil || len(findings) > 0 {
					t.Fatalf("%s: %v %v", condition, findings, err)
				}
				plan, err := rule.NewPlan(&program, rule.Interest{})
				if err != nil {
					t.Fatal(err)
				}
				eval := rule.NewEval(plan)
				eval.Set(0, rule.Result{Value: input}, oracleNow)
				eval.Settle(oracleNow)
				if eval.Truth(node) == rule.True {
					got = strings.Trim(strings.TrimSpace(m.Output), `"`)
					break
				}
			}
			if ran++; got != test.Output.Value {
				t.Errorf("%s: %q, want %q", test.Name, got, test.Output.Value)
			}
		}
	}
	if ran < 4 {
		t.Errorf("only %d tests ran", ran)
	}
}

// The hours of CEL's policy on limits, by our own `now`.
func TestFieldCELHours(t *testing.T) {
	for hour := range int64(24) {
		for _, limit := range []int64{20, 21, 22, 24} {
			text := fmt.Sprintf("now.getHours() < %d", limit)
			program, node, findings, err := CompileCondition(nil, text)
			if err != nil || len(findings) > 0 {
				t.Fatal(findings, err)
			}
			plan, err := rule.NewPlan(&program, rule.Interest{})
			if err != nil {
				t.Fatal(err)
			}
			eval := rule.NewEval(plan)
			now := sense.Instant(1722297600000 + hour*3600000 + 1800000) // 2024-07-30, half past
			eval.Begin(now)
			eval.Set(0, rule.Result{Value: sense.TimestampValue(now)}, now)
			eval.Settle(now)
			if got := eval.Truth(node) == rule.True; got != (hour < limit) {
				t.Errorf("%s at %s is %v", text, now, got)
			}
			if next := eval.Next(); next != now+1800000 {
				t.Errorf("%s at %s is looked at again at %s", text, now, next)
			}
		}
	}
}

func constantText(t *testing.T, text string) sense.Value {
	t.Helper()
	program, node, findings, err := CompileExpression(nil, text)
	if err != nil || len(findings) > 0 {
		t.Fatalf("%s: %v %v", text, findings, err)
	}
	return program.Nodes[node].Value
}

// The cases that the field data has no file for: constants that tell CEL's arithmetic from others'.
func TestArithmeticOfConstants(t *testing.T) {
	for text, want := range map[string]sense.Value{
		"1.0 / -0.0": sense.RawDouble(math.Inf(-1)), "0.0 / 0.0": sense.RawDouble(math.NaN()), "-(-0.0)": sense.RawDouble(0),
		"7 % -3": sense.IntValue(1), "-7 / 2": sense.IntValue(-3), "string(1e21)": sense.StringValue("1e+21"), "string(-0.0)": sense.StringValue("-0"),
		"'\\u00e9'.size()": sense.IntValue(1), "timestamp('2009-02-13T23:31:30Z').getHours('-02:30')": sense.IntValue(21),
		"duration('1h30m').getMinutes()": sense.IntValue(90), "string(90m)": sense.StringValue("5400s"), "int('-7')": sense.IntValue(-7),
		"timestamp('2009-02-13T23:31:30Z') - timestamp('2009-02-12T23:31:30Z')": sense.LengthValue(sense.Day), "[1, 2] + [3] == [1, 2, 3]": sense.BoolValue(true),
		"int(timestamp('2009-02-13T23:31:30Z'))": sense.IntValue(1234567890), "r'\\8s' == '\\\\8s'": sense.BoolValue(true), "'''it's 8s''' == 'it\\'s 8s' // 8s": sense.BoolValue(true),
	} {
		program, node, findings, err := CompileExpression(nil, text)
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %v %v", text, findings, err)
			continue
		}
		plan, err := rule.NewPlan(&program, rule.Interest{})
		if err != nil {
			t.Fatal(err)
		}
		eval := rule.NewEval(plan)
		eval.Settle(oracleNow)
		if got := wordOfResult(eval.Result(node)); got != wordOfSense(want) {
			t.Errorf("%s is %s, want %s", text, got, wordOfSense(want))
		}
	}
}
