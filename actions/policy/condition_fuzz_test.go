package policy

import (
	"testing"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// FuzzConditionText compiles whatever an author writes: it is a program that is sound and can be evaluated, or
// findings that point into the text, and never both.
func FuzzConditionText(f *testing.F) {
	for _, text := range []string{
		"a && held(b) >= 3s", "ss.exists(e, e == s && ts.all(t2, now - t2 < 2h))", "ns[0] + size(ss) > n", "now.getHours('Europe/Amsterdam') >= 9", "string(1 / 0) in ['a']",
		"held(a) * 2 > 3s", "-held(a) < 3s || mean(x, 1h) / 2 > y", "now + held(a) - now > d", "[held(a)] == []", "xs.map(e, e * 2).filter(e, e > x)[n] < 3", "t - visit.last > 90d ? a : !(x < y)",
		"timestamp(n).getDayOfYear('-02:30') == k", "ss.exists(e, held(e == 'a') > 3s)", "count(a, d) > 1", "r'\\' + '''it's''' // 8s", "1u", "0x7fffffffffffffffff", "a ? now : t", "x in xs + [1, 2.5]",
		"has(s)", "until(n)", "inside(a)", "{'a': 1}.a", "[[1]]", "dyn(a)", "duration('1d')", "duration('1h') < d", "date('2026-02-30') == date('2026-01-01')", "\u201ca\u201d", "a and not b", "a = b", "'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		program, node, findings, err := CompileExpression(oracleNames, text)
		if err != nil {
			t.Fatal(err)
		}
		if node == rule.None {
			if len(findings) == 0 {
				t.Fatalf("%q is neither a program nor a finding", text)
			}
			for _, found := range findings {
				if found.Column < 1 || found.Column > len([]rune(text))+1 || found.Message == "" {
					t.Fatalf("%q: %+v", text, found)
				}
			}
			return
		}
		if len(findings) > 0 {
			t.Fatalf("%q is a program with findings %v", text, findings)
		}
		plan, err := rule.NewPlan(&program, rule.Interest{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		m := newWriter(uint64(len(text)))
		device := rule.NewEval(plan)
		session := device.NewSession()
		for k, in := range program.Inputs {
			kind := in.Kind
			elem := sense.String
			for _, n := range oracleNames {
				if n.Name == in.Name && n.Elem != sense.Null {
					elem = n.Elem
				}
			}
			v := rule.Result{Value: m.value(kind, elem)}
			device.Set(int32(k), v, oracleNow)
			session.Set(int32(k), v, oracleNow)
		}
		for _, now := range []sense.Instant{oracleNow, oracleNow + 1, oracleNow + sense.Instant(sense.Day)} {
			device.Begin(now)
			session.Begin(now)
			device.Settle(now)
			session.Settle(now)
			if r := session.Result(node); r.Cause == rule.Known && r.Value.Kind() != program.Nodes[node].Kind {
				t.Fatalf("%q is a %s, not a %s", text, r.Value.Kind(), program.Nodes[node].Kind)
			}
		}
	})
}
