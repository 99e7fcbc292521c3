package peers

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// engines makes all engines over a workload.
func engines(tb testing.TB, w *Workload) []Engine {
	tb.Helper()
	var all []Engine
	add := func(e Engine, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, e)
	}
	tact, err := NewTact(w, 1, false)
	add(tact, err)
	apart, err := NewTact(w, 1, true)
	add(apart, err)
	plain, err := NewExpr(w)
	add(plain, err)
	indexed, err := NewIndexed(w)
	add(indexed, err)
	c, err := NewCEL(w)
	add(c, err)
	g, err := NewGrule(w)
	if len(w.Actions) == 10000 { // one is enough to load
		add(alternating{g}, err)
		return all
	}
	add(g, err)
	due, err := NewGrule(w)
	add(due, err)
	due.Due(true)
	return all
}

// alternating is grule, driven by turns in its two ways.
type alternating struct{ *Grule }

func (e alternating) Update(attribute int32, v Value, now int64) {
	e.Due(!e.byDue)
	e.Grule.Update(attribute, v, now)
}

// Every engine has the eligible set and the best of the reference, after every update.
func TestAgree(t *testing.T) {
	for _, c := range []struct {
		n, updates int
		seeds      []uint64
		variant    Variant
	}{
		{100, 3000, []uint64{seed(t), 1, 2, 3}, Variant{}},
		{100, 1000, []uint64{4}, Variant{Flicker: true}},
		{100, 1000, []uint64{5}, Variant{Hot: true}},
		{1000, 300, []uint64{seed(t), 6}, Variant{}},
		{10000, 5, []uint64{seed(t)}, Variant{}},
	} {
		for _, s := range c.seeds {
			t.Run(fmt.Sprintf("%d/%d%+v", c.n, s, c.variant), func(t *testing.T) {
				if c.n == 10000 && testing.Short() {
					t.Skip("grule takes a quarter of a minute to load 10,000 rules")
				}
				w := Generate(c.n, s)
				agree(t, w, w.Stream(c.variant, 0), c.updates, engines(t, w))
			})
		}
	}
}

func agree(t *testing.T, w *Workload, stream *Stream, updates int, all []Engine) {
	reference, eligible := NewReference(w), 0
	var want, got []int32
	for k := range attributes + updates {
		u := stream.Next()
		reference.Update(u.Attribute, u.Value, u.Now)
		for _, e := range all {
			e.Update(u.Attribute, u.Value, u.Now)
		}
		if k < attributes-5 {
			continue // 10,000 conditions of a reference take their time
		}
		want = reference.Eligible(want[:0])
		eligible += len(want)
		for _, e := range all {
			got = e.Eligible(got[:0])
			if !slices.Equal(got, want) {
				t.Fatalf("%s differs at update %d, of %s to %+v:\n%s", e.Name(), k, w.Attributes[u.Attribute].Name, u.Value, differ(w, reference, got, want))
			}
			if e.Best() != reference.Best() {
				t.Fatalf("%s has action %d for the best at update %d, not %d", e.Name(), e.Best(), k, reference.Best())
			}
		}
	}
	if eligible == 0 {
		t.Error("no action was ever eligible, so that nothing was shown")
	}
}

// differ names up to five actions that are on one side only, with their conditions and attributes.
func differ(w *Workload, r *Reference, got, want []int32) string {
	text, shown := text{w: w, now: "now", side: func(v variable, side string) string { return v.String() + side }}, 0
	var out string
	for k := range w.Actions {
		has, should := slices.Contains(got, int32(k)), slices.Contains(want, int32(k))
		if has == should {
			continue
		}
		out += fmt.Sprintf("action %d: eligible %v, not %v: %s\n", k, has, should, text.write(&w.Actions[k].Condition))
		w.Actions[k].Condition.leaves(func(p int32) {
			a, b := w.ReadsOf(&w.Predicates[p])
			out += fmt.Sprintf("    %v: %s = %+v", r.predicate(p), w.Attributes[a].Name, r.values[a])
			if b >= 0 {
				out += fmt.Sprintf(", %s = %+v", w.Attributes[b].Name, r.values[b])
			}
			out += "\n"
		})
		if shown++; shown == 5 {
			break
		}
	}
	return out
}

// Each of several sessions has the set and the best of a reference of its own, while persons come and go.
func TestSessionsAgree(t *testing.T) {
	for n, updates := range map[int]int{100: 2000, 1000: 200} {
		w := Generate(n, seed(t))
		const sessions = 4
		e, err := NewTact(w, sessions, true)
		if err != nil {
			t.Fatal(err)
		}
		var references [sessions]*Reference
		for s := range references {
			references[s] = NewReference(w)
		}
		// The device's updates are everybody's, a personal one is of one session.
		stream, r := w.Stream(Variant{}, 3), rand.New(rand.NewPCG(seed(t), 3))
		var want, got []int32
		for k := range attributes*sessions + updates {
			u := stream.Next()
			s := k % sessions
			if k%97 == 96 {
				e.Replace(s)
				references[s] = references[s].Another()
				if values := person(r, w); k%2 == 0 { // some are known at once
					e.Identify(int32(s), values, u.Now)
					for a, v := range values {
						if w.Attributes[a].Personal {
							references[s].Update(int32(a), v, u.Now)
						}
					}
				}
			}
			if w.Attributes[u.Attribute].Personal {
				references[s].Update(u.Attribute, u.Value, u.Now)
			} else {
				for _, r := range references {
					r.Update(u.Attribute, u.Value, u.Now)
				}
			}
			e.UpdateOf(int32(s), u.Attribute, u.Value, u.Now)
			for s, r := range references {
				r.now = u.Now
				want, got = r.Eligible(want[:0]), e.EligibleOf(int32(s), got[:0])
				if !slices.Equal(got, want) {
					t.Fatalf("session %d differs at update %d of %d actions:\n%s", s, k, n, differ(w, r, got, want))
				}
				if e.BestOf(int32(s)) != r.Best() {
					t.Fatalf("session %d has action %d for the best at update %d, not %d", s, e.BestOf(int32(s)), k, r.Best())
				}
			}
		}
	}
}
