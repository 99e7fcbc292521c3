package policy

import (
	"testing"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// A price is exact to the micro-unit, cut toward zero, whatever binary doubles make of decimal numbers.
func TestAmounts(t *testing.T) {
	symbols := func() []*symbol {
		return []*symbol{{name: "demand", what: aSignal, kind: sense.Double}, {name: "people", what: aSignal, index: 1, kind: sense.Int}, {name: "basket", what: aSignal, index: 2, kind: sense.Money}}
	}
	cases := []struct {
		text   string
		demand float64
		people int64
		basket int64
		want   string // micro-units, or the code of the finding, or error
	}{
		{"8.00 * demand", 1.25, 0, 0, "10000000"},
		{"8.00 * demand", 1.1, 0, 0, "8800000"},
		{"100.00 * demand", 2.3, 0, 0, "230000000"},
		{"8.00 * demand", 1.0 / 3, 0, 0, "2666666"},
		{"-8.00 * demand", 1.0 / 3, 0, 0, "-2666666"},
		{"basket * demand", 2.3, 0, 100_000_000, "230000000"},
		{"basket * people", 0, 3, 12_345_678, "37037034"},
		{"people * basket", 0, 3, 12_345_678, "37037034"},
		{"basket / people", 0, 3, 10_000_000, "3333333"},
		{"basket / people", 0, 0, 10_000_000, "error"},
		{"basket * 2 + 1", 0, 0, 10_000_000, "21000000"},
		{"basket * demand", 1e300, 0, 10_000_000, "error"},
		{"basket * people", 0, 1 << 60, 10_000_000, "error"},
		{"people > 3 ? basket : basket * 0.9", 0, 1, 10_000_000, "9000000"},
		{"12.50", 0, 0, 0, "12500000"},
		{"people", 0, 7, 0, "7000000"},
		{"demand > 1.0", 0, 0, 0, "type_mismatch"},
		{"basket * basket", 0, 0, 0, "not_supported"},
		{"9e18", 0, 0, 0, "condition_error"},
	}
	for _, c := range cases {
		l, err := newLanguage(symbols())
		if err != nil {
			t.Fatal(err)
		}
		got := l.money(c.text)
		if got.node == rule.None {
			if len(got.bad) != 1 || got.bad[0].code != c.want {
				t.Errorf("%s: %v, want %s", c.text, got.bad, c.want)
			}
			continue
		}
		program, index := l.graph.program([]rule.Node{got.node})
		plan, err := rule.NewPlan(&program, rule.Interest{})
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		eval := rule.NewEval(plan)
		for k, in := range program.Inputs {
			v := map[string]sense.Value{"demand": sense.DoubleValue(c.demand), "people": sense.IntValue(c.people), "basket": sense.MoneyValue(c.basket)}[in.Name]
			eval.Set(int32(k), rule.Result{Value: v}, 1000)
		}
		eval.Settle(1000)
		r := eval.Result(index[got.node])
		word := "error"
		if r.Cause == rule.Known {
			if r.Value.Kind() != sense.Money {
				t.Errorf("%s is a %s", c.text, r.Value.Kind())
			}
			word = sense.IntValue(r.Value.Int()).String()
		}
		if word != c.want {
			t.Errorf("%s of %v, %d, %d is %s, want %s", c.text, c.demand, c.people, c.basket, word, c.want)
		}
	}
}
