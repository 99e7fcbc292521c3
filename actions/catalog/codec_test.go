package catalog_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/rule"
)

// examples compiles every example policy.
func examples(t testing.TB) map[string]*catalog.Bundle {
	files, err := filepath.Glob("../../testdata/policies/*/policy.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find example policies: %v, %d found", err, len(files))
	}
	all := map[string]*catalog.Bundle{}
	for _, f := range files {
		b, findings, err := policy.Compile(filepath.Dir(f))
		if err != nil || b == nil {
			t.Fatalf("compile %s: %v %v", f, err, findings)
		}
		all[filepath.Base(filepath.Dir(f))] = b
	}
	return all
}

func TestDecodeGivesBackWhatWasEncoded(t *testing.T) {
	for name, b := range examples(t) {
		raw := catalog.Encode(b)
		got, err := catalog.Decode(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(catalog.Encode(got), raw) {
			t.Errorf("%s: encoding what was decoded gives other bytes", name)
		}
		if !reflect.DeepEqual(emptied(got), emptied(b)) {
			t.Errorf("%s: the decoded bundle differs:\n%+v\n%+v", name, got, b)
		}
	}
}

// emptied makes empty and nil slices the same, which a bundle does not tell apart.
func emptied(b *catalog.Bundle) *catalog.Bundle {
	c := *b
	c.Program.Nodes = slices.Clone(b.Program.Nodes)
	clear := func(v reflect.Value) {}
	clear = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				clear(v.Elem())
			}
		case reflect.Struct:
			for k := range v.NumField() {
				if v.Field(k).CanSet() {
					clear(v.Field(k))
				}
			}
		case reflect.Slice:
			if v.Len() == 0 && v.CanSet() {
				v.SetZero()
			}
			for k := range v.Len() {
				clear(v.Index(k))
			}
		}
	}
	clear(reflect.ValueOf(&c))
	return &c
}

func TestDecodeRefuses(t *testing.T) {
	raw := catalog.Encode(examples(t)["dealer"])
	cases := map[string][]byte{
		"nothing":     nil,
		"garbage":     []byte("not a bundle"),
		"other form":  append([]byte{0x7f}, raw[1:]...),
		"too long":    append(slices.Clone(raw), 0),
		"over 4 MiB":  make([]byte, catalog.MaxBundle+1),
		"huge length": append(slices.Clone(raw[:1]), 0xdb, 0xff, 0xff, 0xff, 0xff),
	}
	for n := 1; n < len(raw); n += 7 {
		cases["cut at "+string(rune('a'+n%26))] = raw[:n]
	}
	for name, b := range cases {
		if got, err := catalog.Decode(b); !errors.Is(err, catalog.ErrBundle) || got != nil {
			t.Errorf("%s: Decode = %v, %v; want an error that is ErrBundle", name, got, err)
		}
	}
}

// Every index that leads outside is refused: none of these may come to a reader.
func TestCheckRefusesIndexes(t *testing.T) {
	offer := func(b *catalog.Bundle) *catalog.Action {
		return &b.Actions[slices.IndexFunc(b.Actions, func(a catalog.Action) bool { return a.Say != nil && a.SayPersonal != nil })]
	}
	spoil := map[string]func(b *catalog.Bundle){
		"slot of an action":     func(b *catalog.Bundle) { b.Actions[0].Slots = []int32{99} },
		"purpose of an action":  func(b *catalog.Bundle) { b.Actions[0].Purpose = 99 },
		"group of an action":    func(b *catalog.Bundle) { b.Actions[0].Group = -2 },
		"node of an action":     func(b *catalog.Bundle) { b.Actions[0].Eligible = 9999 },
		"node of a state":       func(b *catalog.Bundle) { b.States[0].Node = 9999 },
		"signal of a state":     func(b *catalog.Bundle) { b.States[0].Inputs = []int32{77} },
		"argument of a node":    func(b *catalog.Bundle) { b.Program.Nodes[2].Args = []rule.Node{50, 51} },
		"fallback of a slot":    func(b *catalog.Bundle) { b.Slots[0].Fallback = 99 },
		"undoing kind":          func(b *catalog.Bundle) { b.Kinds[0].Undo = []catalog.UndoneBy{{Kind: 99}} },
		"names out of order":    func(b *catalog.Bundle) { slices.Reverse(b.Actions) },
		"purpose of a signal":   func(b *catalog.Bundle) { b.Signals[0].Consent = 99 },
		"placeholder of a text": func(b *catalog.Bundle) { offer(b).SayPersonal.Text[0][0].Fact = 99 },
		"texts per language":    func(b *catalog.Bundle) { offer(b).Say.Text = offer(b).Say.Text[:1] },
	}
	for name, f := range spoil {
		b := examples(t)["dealer"]
		if err := catalog.Check(b); err != nil {
			t.Fatalf("the good bundle: %v", err)
		}
		f(b)
		if err := catalog.Check(b); err == nil {
			t.Errorf("%s: the bundle passes", name)
		}
		if _, err := catalog.Decode(catalog.Encode(b)); !errors.Is(err, catalog.ErrBundle) {
			t.Errorf("%s: Decode = %v, want ErrBundle", name, err)
		}
	}
}

func TestSymbolsAreOrderedAndComplete(t *testing.T) {
	b := examples(t)["dealer"]
	names := catalog.Symbols(b)
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("symbols are not in order, each once: %q", names)
	}
	for _, want := range []string{"model-x-1000-off", "kiosk.home", "kiosk", "offers", "people", "purchase", "name.first", "alone"} {
		if !slices.Contains(names, want) {
			t.Errorf("symbols lack %s: %q", want, names)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range examples(f) {
		f.Add(catalog.Encode(b))
	}
	f.Add([]byte{1, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := catalog.Decode(raw)
		if (b == nil) == (err == nil) {
			t.Fatalf("Decode = %v, %v", b, err)
		}
		if err != nil {
			return
		}
		again, err := catalog.Decode(catalog.Encode(b))
		if err != nil {
			t.Fatalf("what was decoded and encoded again is refused: %v", err)
		}
		if !bytes.Equal(catalog.Encode(again), catalog.Encode(b)) {
			t.Fatal("what was decoded and encoded again differs")
		}
		catalog.Symbols(b)
		judge(t, &b.Program)
	})
}

// judge evaluates a decoded program while nothing is known: each condition is what full evaluation says.
func judge(t *testing.T, p *rule.Program) {
	plan, err := rule.NewPlan(p, rule.Interest{})
	if err != nil {
		t.Fatalf("the program of a bundle that was decoded is refused: %v", err)
	}
	var all [2]*rule.Eval
	for k, plan := range []*rule.Plan{plan, plan.Reference()} {
		device := rule.NewEval(plan)
		all[k] = device.NewSession()
		for _, e := range []*rule.Eval{device, all[k]} {
			e.Begin(1772442000000)
			e.Settle(1772442000000)
		}
	}
	for n := range p.Nodes {
		x, y := all[0].Result(rule.Node(n)), all[1].Result(rule.Node(n))
		if x.Cause != y.Cause || x.Input != y.Input || x.Truth() != y.Truth() {
			t.Fatalf("node %d %+v: %+v, by full evaluation %+v", n, p.Nodes[n], x, y)
		}
	}
}

// BenchmarkDecode1000 loads a bundle of 1,000 actions; the mark is 20 ms.
func BenchmarkDecode1000(b *testing.B) {
	bundle := examples(b)["dealer"]
	one := bundle.Actions[1]
	bundle.Actions = nil
	for k := range 1000 {
		a := one
		a.Name = "action-" + string([]byte{'0' + byte(k/1000%10), '0' + byte(k/100%10), '0' + byte(k/10%10), '0' + byte(k%10)})
		bundle.Actions = append(bundle.Actions, a)
	}
	raw := catalog.Encode(bundle)
	b.ReportMetric(float64(len(raw)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := catalog.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
