package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// A derived value with debounce, hold or hysteresis changes at the second that its words say.
func TestDerivedOverTime(t *testing.T) {
	text := `policy: time
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
signals:
  rain: {type: bool, max_age: 1h}
  heat: {type: double, max_age: 1h}
derived:
  steady: {is: "rain", debounce: 3s}
  long: {is: "rain", hold: 4s}
  both: {is: "rain", debounce: 3s, hold: 4s}
  cold: {when: "heat < 0", until: "heat > 2"}
slots:
  wall: {channel: wall}
actions:
  hello: {intent: information, value: 2.00, applicable: "steady && long && both && cold", say: {en: "Hello."}}
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	plan, err := rule.NewPlan(&b.Program, rule.Interest{})
	if err != nil {
		t.Fatal(err)
	}
	eval := rule.NewEval(plan)
	// A letter is a second: ? unknown, f false, t true.
	rain := "?fffftffttttttffffffffff?fffftttttttt?tttt"
	heat := "?3333-----11111333331111-----??111---?11?-" // 3: above until, 1: between, -: below when
	want := map[string]string{
		// False for 3 s at 4, true for 3 s at 11, false again at 17; the one second of rain at 5 is nothing.
		// After the unknown at 24 it is false again only once it was so for 3 s, after that at 37 true likewise.
		"steady": "????fffffffttttttfffffff????ffffttttt????t",
		// True at once, for 4 s after 13; before it was false for 4 s it may still be held from before.
		"long": "?????tttttttttttttffffff?????tttttttt?tttt",
		// 4 s longer than steady.
		"both": "????????fffttttttttttfff????????ttttt????t",
		// Between 0 and 2 it stays what it was; while the heat is unknown it is not known to.
		"cold": "?ffffttttttttttfffffffffttttt?????ttt????t",
	}
	got := map[string]*strings.Builder{}
	for _, d := range b.Derived {
		got[d.Name] = &strings.Builder{}
	}
	state := func(c byte, v sense.Value) rule.Result {
		if c == '?' {
			return rule.Result{Cause: rule.InputUnknown, Input: -1}
		}
		return rule.Result{Input: -1, Value: v}
	}
	for k := range rain {
		now := sense.Instant(k+1) * 1000
		eval.Begin(now)
		eval.Set(b.Signals[1].Input, state(rain[k], sense.BoolValue(rain[k] == 't')), now)
		degrees := map[byte]float64{'3': 3, '1': 1, '-': -1}[heat[k]]
		eval.Set(b.Signals[0].Input, state(heat[k], sense.DoubleValue(degrees)), now)
		eval.Settle(now)
		for _, d := range b.Derived {
			got[d.Name].WriteString(map[rule.Truth]string{rule.Unknown: "?", rule.False: "f", rule.True: "t"}[eval.Truth(d.Node)])
		}
	}
	for name, w := range want {
		if got[name].String() != w {
			t.Errorf("%s\n    rain %s\n    heat %s\n    is   %s\n    want %s", name, rain, heat, got[name], w)
		}
	}
}

// Definitions over definitions double what they say with each level; what they cost does not.
func TestDefinitionsStaySmall(t *testing.T) {
	var text strings.Builder
	text.WriteString("policy: deep\nversion: 1\ncurrency: EUR\nlanguages: [en]\nzone: Europe/Amsterdam\nsignals:\n  x: {type: double, max_age: 30m}\nderived:\n  d0: {is: x}\n")
	const levels = 60
	for k := 1; k <= levels; k++ {
		fmt.Fprintf(&text, "  d%d: {is: \"d%d + d%d\"}\n", k, k-1, k-1)
	}
	fmt.Fprintf(&text, "  last: {is: \"d%d > 1.0\", leaves_device: value}\nslots:\n  wall: {channel: wall}\nactions:\n  hello: {intent: information, value: 2.00, applicable: last, say: {en: \"{d%d}\"}}\n", levels, levels)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("Compile: %v %v", findings, err)
	}
	if raw := catalog.Encode(b); len(raw) > 1<<20 {
		t.Errorf("the bundle has %d bytes", len(raw))
	}
	if want := []string{"d60"}; !slices.Equal(b.Actions[0].Say.Uses, want) || !b.Actions[0].Say.Ambient {
		t.Errorf("the text uses %q, want %q, of nobody", b.Actions[0].Say.Uses, want)
	}
}
