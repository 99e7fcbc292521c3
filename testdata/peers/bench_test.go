package peers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

const rounds = 9

// Engines are timed in turns, again and again, by the processor time of the thread that runs them, and medians of the
// rounds are reported: on a machine that others use too, the one that is timed first would else have another machine
// than the last. A ratio is the median of the ratios of each round. The iterations that go test prints mean nothing here.

// variant is the published stream, or that of TACT_VARIANT.
func variant(tb testing.TB) Variant {
	switch name := os.Getenv("TACT_VARIANT"); name {
	case "":
		return Variant{}
	case "hot":
		return Variant{Hot: true}
	case "flicker":
		return Variant{Flicker: true}
	default:
		tb.Fatalf("TACT_VARIANT is %q: expected hot, flicker or nothing", name)
		return Variant{}
	}
}

// runner drives one engine through its own copy of the stream, so that each meets every update at its time.
type runner struct {
	engine         Engine
	stream         *Stream
	buffer         []Update
	load           time.Duration
	ns             []float64 // an update, by round
	updates        int
	mallocs, bytes uint64
	name           string
	before         func() // a round
}

func newRunner(tb testing.TB, w *Workload, build func() (Engine, error)) *runner {
	tb.Helper()
	began := time.Now()
	e, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	r := &runner{engine: e, name: e.Name(), before: func() {}, load: time.Since(began), stream: w.Stream(variant(tb), 0), buffer: make([]Update, 0, 4096)}
	for range attributes {
		u := r.stream.Next()
		r.engine.Update(u.Attribute, u.Value, u.Now)
	}
	return r
}

// round times updates until so many are done, or so long has passed.
func (r *runner) round(most int, budget time.Duration) {
	r.before()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var took time.Duration
	done := 0
	for chunk := 1; done < most && took < budget; chunk = min(2*chunk, cap(r.buffer)) {
		r.buffer = r.buffer[:0]
		for range min(chunk, most-done) {
			r.buffer = append(r.buffer, r.stream.Next())
		}
		began, best := cpu(), int32(0)
		for k := range r.buffer {
			u := &r.buffer[k]
			r.engine.Update(u.Attribute, u.Value, u.Now)
			best += r.engine.Best()
		}
		took += cpu() - began
		done += len(r.buffer)
		runtime.KeepAlive(best)
	}
	runtime.ReadMemStats(&after)
	r.ns = append(r.ns, float64(took)/float64(done))
	r.updates += done
	r.mallocs += after.Mallocs - before.Mallocs
	r.bytes += after.TotalAlloc - before.TotalAlloc
}

// tail times updates one by one and returns the median and the 99th of a hundred; each has the time of reading
// the clock on it.
func (r *runner) tail(most int, budget time.Duration) (median, p99 float64) {
	all := make([]float64, 0, most)
	for began := time.Now(); len(all) < most && time.Since(began) < budget; {
		u := r.stream.Next()
		t := time.Now()
		r.engine.Update(u.Attribute, u.Value, u.Now)
		best := r.engine.Best()
		all = append(all, float64(time.Since(t)))
		runtime.KeepAlive(best)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// ratio is the median of a/b, round by round.
func ratio(a, b []float64) float64 {
	each := make([]float64, len(a))
	for k := range a {
		each[k] = a[k] / b[k]
	}
	return median(each)
}

// least takes the faster of two, by their medians.
func least(a, b []float64) []float64 {
	if median(a) <= median(b) {
		return a
	}
	return b
}

// report prints the figure of an engine, and what it cost.
func (r *runner) report(b *testing.B, n int) {
	b.Run(fmt.Sprintf("%d/%s", n, r.name), func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(median(r.ns), "ns/op")
		b.ReportMetric(float64(r.mallocs/uint64(r.updates)), "allocs/op")
		b.ReportMetric(float64(r.bytes/uint64(r.updates)), "B/op")
		b.ReportMetric(float64(r.load)/1e6, "ms-load")
		b.ReportMetric(float64(r.updates), "updates")
	})
}

// figures are what is kept in .bench/latest.json.
func figures(b *testing.B, name string, report func(b *testing.B)) {
	b.Run(name+"/figures", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		report(b)
	})
}

// Identification: the slice of a cold session comes in, against one full evaluation by the faster of expr and grule.
func BenchmarkIdentify(b *testing.B) {
	pin(b)
	w := Generate(1000, seed(b))
	tact, err := NewTact(w, 1, true)
	if err != nil {
		b.Fatal(err)
	}
	plain := newRunner(b, w, func() (Engine, error) { return NewExpr(w) })
	grule := newRunner(b, w, func() (Engine, error) { return NewGrule(w) })
	values, stream := make([]Value, attributes), w.Stream(variant(b), 1)
	next := func() (now int64) {
		for range attributes {
			u := stream.Next()
			values[u.Attribute], now = u.Value, u.Now
			tact.Update(u.Attribute, u.Value, u.Now)
		}
		return now
	}
	next()
	var ours, full []float64
	const persons = 50
	for range rounds {
		var took time.Duration
		for range persons {
			now := next()
			tact.Replace(0)
			began := cpu()
			tact.Identify(0, values, now+second)
			took += cpu() - began
		}
		ours = append(ours, float64(took)/persons)
		plain.round(1<<20, 50*time.Millisecond)
		full = append(full, anew(grule, 20))
	}
	figures(b, "1000", func(b *testing.B) {
		b.ReportMetric(median(ours), "rule.identify.1000:ns")
		b.ReportMetric(median(plain.ns), "expr-ns")
		b.ReportMetric(median(full), "grule-ns")
		b.ReportMetric(ratio(least(plain.ns, full), ours), "rule.identify:x")
		b.ReportMetric(10, "rule.identify:x:at-least")
	})
}

// anew returns what grule takes for an update that finds nothing in its working memory; emptying that is not counted.
func anew(r *runner, times int) float64 {
	var took time.Duration
	for range times {
		u := r.stream.Next()
		r.engine.(*Grule).Anew()
		began := cpu()
		r.engine.Update(u.Attribute, u.Value, u.Now)
		took += cpu() - began
	}
	return float64(took) / float64(times)
}

// Two hundred on one device: what a session holds, and what a signal of the device costs.
func BenchmarkSessions(b *testing.B) {
	pin(b)
	const many = 200
	w := Generate(1000, seed(b))
	r := rand.New(rand.NewPCG(seed(b), 7))
	// Every person differs from the others.
	crowd := func(n int) *Tact {
		e, err := NewTact(w, 1, true)
		if err != nil {
			b.Fatal(err)
		}
		for k := range attributes {
			e.Update(int32(k), fresh(r, &w.Attributes[k], start), start)
		}
		before := heap()
		for range n - 1 {
			e.AddSession()
		}
		for s := range n {
			e.Identify(int32(s), person(r, w), start)
		}
		if n > 1 {
			perSession := float64(heap()-before) / float64(n-1)
			figures(b, "1000/heap", func(b *testing.B) {
				b.ReportMetric(perSession, "rule.session:bytes")
				b.ReportMetric(16<<10, "rule.session:bytes:at-most")
			})
		}
		return e
	}
	one, all := crowd(1), crowd(many)
	var alone, together []float64
	stream := w.Stream(variant(b), 2)
	var updates []Update
	for range rounds {
		updates = updates[:0]
		for len(updates) < 500 {
			if u := stream.Next(); !w.Attributes[u.Attribute].Personal {
				updates = append(updates, u)
			}
		}
		alone = append(alone, timed(one, updates))
		together = append(together, timed(all, updates))
	}
	figures(b, "1000/signal", func(b *testing.B) {
		b.ReportMetric(median(alone), "rule.sessions.1:ns")
		b.ReportMetric(median(together), "rule.sessions.200:ns")
		b.ReportMetric(ratio(together, alone), "rule.sessions.200.growth:x")
		b.ReportMetric(30, "rule.sessions.200.growth:x:at-most")
	})
	runtime.KeepAlive(one)
}

// person makes the attributes of somebody, some of them unknown.
func person(r *rand.Rand, w *Workload) []Value {
	values := make([]Value, attributes)
	for k := range values {
		if r.Float64() >= unknownShare {
			values[k] = fresh(r, &w.Attributes[k], start)
		}
	}
	return values
}

func timed(e *Tact, updates []Update) float64 {
	began, best := cpu(), int32(0)
	for k := range updates {
		u := &updates[k]
		e.Update(u.Attribute, u.Value, u.Now)
		for s := range e.sessions {
			best += e.BestOf(int32(s))
		}
	}
	runtime.KeepAlive(best)
	return float64(cpu()-began) / float64(len(updates))
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// One attribute changes: the eligible set and the best after it, all engines.
func BenchmarkUpdate(b *testing.B) {
	pin(b)
	sizes := []int{100, 1000, 10000}
	all := map[int]*field{}
	for _, n := range sizes {
		all[n] = newField(b, n)
	}
	for range rounds {
		for _, n := range sizes {
			for _, r := range all[n].runners() {
				r.round(100_000, all[n].budget)
			}
		}
	}
	for _, n := range sizes {
		f := all[n]
		for _, r := range f.runners() {
			r.report(b, n)
		}
		name := fmt.Sprintf("rule.update.%d", n)
		figures(b, fmt.Sprint(n), func(b *testing.B) {
			b.ReportMetric(median(f.tact.ns), name+":ns")
			b.ReportMetric(ratio(least(f.plain.ns, f.grule.ns), f.tact.ns), name+".peers:x")
			b.ReportMetric(ratio(f.indexed.ns, f.tact.ns), name+".indexed:x")
			b.ReportMetric(ratio(f.cel.ns, f.tact.ns), name+".cel:x")
			b.ReportMetric(ratio(f.due.ns, f.tact.ns), name+".due:x")
			if must, ok := map[int][2]float64{1000: {250, 25}, 10000: {800, 150}}[n]; ok {
				b.ReportMetric(must[0], name+".peers:x:at-least")
				b.ReportMetric(must[1], name+".indexed:x:at-least")
			}
			b.ReportMetric(float64(f.tact.mallocs/uint64(f.tact.updates)), name+".allocs:allocs")
			b.ReportMetric(0, name+".allocs:allocs:at-most")
		})
	}
	middle, slow := all[10000].tact.tail(100_000, 10*time.Second)
	figures(b, "all", func(b *testing.B) {
		b.ReportMetric(ratio(all[10000].tact.ns, all[1000].tact.ns), "rule.growth:x")
		b.ReportMetric(8, "rule.growth:x:at-most")
		b.ReportMetric(middle, "p50-ns")
		b.ReportMetric(slow, "p99-ns")
		b.ReportMetric(slow/middle, "rule.update.10000.p99:x")
		b.ReportMetric(20, "rule.update.10000.p99:x:at-most")
	})
}

// field is all engines over one workload.
type field struct {
	tact, plain, indexed, cel, grule, due *runner
	budget                                time.Duration // of an engine's round
}

func newField(b *testing.B, n int) *field {
	w := Generate(n, seed(b))
	f := &field{budget: 100 * time.Millisecond}
	if n > 1000 {
		f.budget *= 3
	}
	f.tact = newRunner(b, w, func() (Engine, error) { return NewTact(w, 1, false) })
	f.plain = newRunner(b, w, func() (Engine, error) { return NewExpr(w) })
	f.indexed = newRunner(b, w, func() (Engine, error) { return NewIndexed(w) })
	f.cel = newRunner(b, w, func() (Engine, error) { return NewCEL(w) })
	f.grule = newRunner(b, w, func() (Engine, error) { return NewGrule(w) })
	// The same grule and stream, driven by turns in two ways: 10,000 rules load but once.
	g, by := f.grule.engine.(*Grule), *f.grule
	f.due = &by
	f.due.name = "grule+due"
	f.grule.before, f.due.before = func() { g.Due(false) }, func() { g.Due(true) }
	return f
}

func (f *field) runners() []*runner {
	return []*runner{f.tact, f.plain, f.indexed, f.cel, f.grule, f.due}
}
