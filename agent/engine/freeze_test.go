package engine

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// examples compiles every example policy and the shop of these tests.
func examples(t testing.TB) []*BundleUpdate {
	t.Helper()
	dirs, err := filepath.Glob("../../testdata/policies/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no example policies: %v", err)
	}
	var all []*BundleUpdate
	for _, dir := range append(dirs, "testdata/shop") {
		b, findings, err := policy.Compile(dir)
		if err != nil || b == nil {
			t.Fatalf("compile %s: %v %+v", dir, err, findings)
		}
		all = append(all, &BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))})
	}
	return all
}

// crowd says random things that a policy declares, of a few customers in a few sessions.
type crowd struct {
	*rand.Rand
	b *catalog.Bundle
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (c crowd) value(k sense.Kind, oneOf []string) sense.Value {
	switch k {
	case sense.Bool:
		return sense.BoolValue(c.IntN(2) == 0)
	case sense.Int:
		return sense.IntValue(int64(c.IntN(6)))
	case sense.Double:
		return sense.DoubleValue(float64(c.IntN(600))/4 - 20)
	case sense.Position:
		return sense.PositionValue(sense.PointOf(51+float64(c.IntN(200))/100, 4+float64(c.IntN(200))/100), int64(c.IntN(40_000)))
	case sense.String:
		if len(oneOf) > 0 {
			return sense.StringValue(pick(c.Rand, oneOf))
		}
		return sense.StringValue(pick(c.Rand, []string{"anna", "winter", "summer", "product:x", "M"}))
	case sense.Date:
		return sense.DateValue(int64(c.IntN(20_000)))
	case sense.Length:
		return sense.LengthValue(sense.Duration(c.IntN(100_000)))
	case sense.Money:
		return sense.MoneyValue(int64(c.IntN(1000)) * 1_000_000)
	case sense.List:
		return sense.ListValue([]sense.Value{sense.StringValue("garden")})
	}
	return sense.NullValue()
}

// subject is what some action is about, or nothing that anybody knows.
func (c crowd) subject() event.Subject {
	if a := pick(c.Rand, c.b.Actions); a.About != "" && c.IntN(4) > 0 {
		return a.About
	}
	return "product:other"
}

func (c crowd) body(last string) event.Body {
	who := pick(c.Rand, []string{"anna", "bert"})
	switch n := c.IntN(20); {
	case n < 8 && len(c.b.Signals) > 0:
		s := pick(c.Rand, c.b.Signals)
		v := c.value(s.Kind, nil)
		if c.IntN(10) == 0 {
			v = sense.NullValue()
		}
		return &event.Signal{Name: s.Name, Value: v, Age: sense.Duration(c.IntN(2000))}
	case n == 8:
		return &event.Identify{Customer: who, By: event.By(1 + c.IntN(5)), Shared: c.IntN(5) == 0}
	case n == 9 && c.IntN(4) == 0:
		return &event.Identify{}
	case n < 11 && len(c.b.Facts) > 0:
		f := pick(c.Rand, c.b.Facts)
		e := &event.Fact{Name: f.Name, Customer: who, Value: c.value(f.Kind, f.OneOf), Provenance: event.Provenance(1 + c.IntN(4))}
		if f.Owner != "" {
			e.Customer, e.Owner = "", "v1"
		}
		return e
	case n < 13 && len(c.b.Purposes) > 0:
		return &event.Consent{Purpose: pick(c.Rand, c.b.Purposes).Name, Customer: who, Granted: c.IntN(5) > 0, Text: "v1", Expires: sense.Never}
	case n == 13 && len(c.b.Kinds) > 0:
		return &event.Interaction{Kind: pick(c.Rand, c.b.Kinds).Name, Customer: who, About: c.subject(), Channel: "web", Ref: pick(c.Rand, []string{"r1", "r2", last}), Due: sense.Never}
	case n == 14 && last != "":
		return &event.Outcome{Outcome: pick(c.Rand, []string{"accepted", "dismissed", "later", "ignored", "never"}), Decision: last}
	case n == 15 && c.IntN(6) == 0:
		return &event.Clock{State: sense.ClockState(c.IntN(3))}
	case n == 16 && c.IntN(4) == 0:
		return &event.Link{Up: c.IntN(2) == 0}
	}
	a := &event.Ask{Slot: pick(c.Rand, c.b.Slots).Name, Count: c.IntN(4), Language: pick(c.Rand, []string{"", "en", "nl"})}
	a.Intent = pick(c.Rand, []string{"", "", "", "sales", "service", "information"})
	if c.IntN(3) == 0 {
		a.About = c.subject()
	}
	if c.IntN(3) == 0 && len(c.b.Signals) > 0 {
		s := pick(c.Rand, c.b.Signals)
		a.With = []event.Signal{{Name: s.Name, Value: c.value(s.Kind, nil)}}
	}
	return a
}

// lives lets random things happen to a mind, and hands over every output.
func lives(t testing.TB, u *BundleUpdate, seed uint64, steps int, see func(*Mind, Output)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	m := New(Config{Device: "d", Epoch: 1, Leased: true, Moments: true, Zone: policy.Zone})
	now := sense.Instant(1_772_442_000_000)
	see(m, m.Step(Input{At: now, Bundle: u}))
	last := ""
	each := func(o Output) {
		for _, d := range o.Show {
			last = d.ID
		}
		see(m, o)
	}
	c := crowd{r, u.Bundle}
	for range steps {
		now = now.Add(pick(r, []sense.Duration{0, 100, 900, 5 * sense.Second, 40 * sense.Second, sense.Hour, 30 * sense.Hour}))
		m.Advance(now, each)
		e := event.Event{At: now, HasAt: true, Happened: now.Add(-sense.Duration(r.IntN(3)) * sense.Minute), Session: pick(r, []string{"main", "s2"}), Body: c.body(last)}
		each(m.Step(Input{At: now, Events: []event.Event{e}}))
	}
}

// Every decision can be made again from its moment, to the byte: 10,000 of random lives.
func TestFrozenDecisionsComeBack(t *testing.T) {
	most := 10_000
	if testing.Short() {
		most = 1_000
	}
	made, bytesOf, largest := 0, 0, 0
	actions := map[string]bool{}
	all := examples(t)
	for seed := uint64(0); made < most; seed++ {
		u := all[seed%uint64(len(all))]
		lives(t, u, seed, 400, func(m *Mind, o Output) {
			if len(o.Moments) != len(o.Show) {
				t.Fatalf("%d moments of %d decisions", len(o.Moments), len(o.Show))
			}
			for _, one := range o.Moments {
				p, err := Thaw(u, one.Bytes)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				again := p.Decision()
				again.ID = one.Decision.ID
				if got, want := again.AppendJSON(nil, -1), one.Decision.AppendJSON(nil, -1); !bytes.Equal(got, want) {
					t.Fatalf("seed %d, %s: made again\n%s\nwas\n%s", seed, u.Bundle.Name, got, want)
				}
				for _, name := range one.Decision.Uses {
					if _, ok := p.Look(name); !ok {
						t.Fatalf("seed %d: %s cannot be looked at", seed, name)
					}
				}
				made++
				bytesOf += len(one.Bytes)
				largest = max(largest, len(one.Bytes))
				actions[one.Decision.Action] = true
			}
		})
	}
	t.Logf("%d decisions of %d kinds, %d bytes a moment, at most %d", made, len(actions), bytesOf/made, largest)
	if len(actions) < 8 {
		t.Errorf("only %d kinds of decisions: %v", len(actions), actions)
	}
}

// fill sets every field below v to something of its own, so that one that is not coded shows.
func fill(v reflect.Value, n *int64, skip map[string]bool) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[sense.Value]() {
			v.Set(reflect.ValueOf(sense.IntValue(*n)))
			return
		}
		for k := range v.NumField() {
			if name := v.Type().Name() + "." + v.Type().Field(k).Name; !skip[name] {
				fill(v.Field(k), n, skip)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n, skip)
		fill(v.Index(1), n, skip)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, skip)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("s" + string(rune('a'+*n%26)))
	case reflect.Uint8:
		v.SetUint(uint64(1 + *n%100))
	case reflect.Int8:
		v.SetInt(1 + *n%50)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(*n)
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	}
}

// Whatever is added to what a decision looks at is in its moment: a field that is not coded comes back empty.
func TestMomentHoldsEveryField(t *testing.T) {
	now := sense.Instant(1_772_442_000_000)
	trip := func(name string, in, out any, code func(c *coder, x any)) {
		n := int64(now)
		fill(reflect.ValueOf(in).Elem(), &n, map[string]bool{"View.Bundle": true, "View.Now": false, "View.Slot": true, "View.State": true, "View.Waived": true, "View.Room": true, "Slice.Owned": true})
		w := coder{writing: true, base: now}
		code(&w, in)
		r := coder{b: w.b, base: now}
		code(&r, out)
		if r.err != nil || len(r.b) > 0 {
			t.Errorf("%s: %v, %d bytes left", name, r.err, len(r.b))
		}
		if !reflect.DeepEqual(in, out) {
			t.Errorf("%s came back as\n%+v\nwas\n%+v", name, out, in)
		}
	}
	trip("view", &guard.View{}, &guard.View{}, func(c *coder, x any) { c.view(x.(*guard.View)) })
	trip("slice", &profile.Slice{}, &profile.Slice{}, func(c *coder, x any) { c.slice(x.(*profile.Slice)) })
	trip("ask", &event.Ask{}, &event.Ask{}, func(c *coder, x any) { c.ask(x.(*event.Ask)) })
	trip("conditions", &moment.Frozen{}, &moment.Frozen{}, func(c *coder, x any) {
		f := x.(*moment.Frozen)
		for _, list := range [][]rule.FrozenNode{f.Device, f.Own} {
			for k := range list { // of a length that moves, the value is one; no node is both that and known to have an input
				list[k].Result.Value, list[k].Node = sense.LengthValue(-sense.Duration(now)), rule.Node(k)
			}
		}
		c.conditions(f)
	})
}

func TestInstantsAndValuesComeBack(t *testing.T) {
	base := sense.Instant(1_772_442_000_000)
	for _, i := range []sense.Instant{0, 1, -1, base, base + 1, base - 1, sense.Never, sense.Never - 1, -1 << 63, -1<<63 + 1, 1 << 62} {
		w := coder{writing: true, base: base}
		in := i
		w.instant(&in)
		r := coder{b: w.b, base: base}
		var out sense.Instant
		if r.instant(&out); out != i || r.err != nil || in != i {
			t.Errorf("instant %d came back as %d, %v", i, out, r.err)
		}
	}
	for _, v := range []sense.Value{sense.NullValue(), sense.BoolValue(true), sense.IntValue(-7), sense.DoubleValue(-0.25), sense.StringValue("ä"), sense.LengthValue(9),
		sense.TimestampValue(base), sense.DateValue(-3), sense.MoneyValue(1 << 60), sense.PositionValue(sense.PointOf(-52.1, 5.2), -1),
		sense.ListValue([]sense.Value{sense.IntValue(1), sense.StringValue("x")})} {
		w := coder{writing: true, base: base}
		in := v
		w.value(&in, 0)
		r := coder{b: w.b, base: base}
		var out sense.Value
		if r.value(&out, 0); !out.Equal(v) || r.err != nil {
			t.Errorf("%s came back as %s, %v", v, out, r.err)
		}
	}
}

// A moment of another bundle is named, one that was cut off or changed is no moment or gives some
// decision; nothing panics, nothing grows.
func FuzzThaw(f *testing.F) {
	all := examples(f)
	for k, u := range all {
		n := 0
		lives(f, u, uint64(k), 60, func(_ *Mind, o Output) {
			for _, one := range o.Moments {
				if n++; n < 8 {
					f.Add(one.Bytes)
				}
			}
		})
	}
	f.Add([]byte{momentVersion})
	f.Fuzz(func(t *testing.T, raw []byte) {
		hash, err := FrozenBundle(raw)
		if err != nil && !errors.Is(err, ErrMoment) {
			t.Fatalf("an error of another kind: %v", err)
		}
		for _, u := range all {
			p, err := Thaw(u, raw)
			if err != nil {
				if !errors.Is(err, ErrMoment) {
					t.Fatalf("an error of another kind: %v", err)
				}
				continue
			}
			if hash != u.Hash {
				t.Fatal("a moment of another bundle was taken")
			}
			p.Decision()
		}
	})
}

func BenchmarkFreeze(b *testing.B) {
	u := examples(b)[0]
	var m *Mind
	var d *Decision
	lives(b, u, 1, 200, func(x *Mind, o Output) {
		m = x
		if len(o.Show) > 0 {
			d = o.Show[0]
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		m.out.Moments = m.out.Moments[:0]
		m.freeze(m.sessions[0], 0, nil, d)
	}
	b.ReportMetric(float64(len(m.out.Moments[0].Bytes)), "bytes")
}
