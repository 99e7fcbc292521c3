package hub_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// said prints what a slice says, in an order of its own.
func saying(s *wire.Slice) string {
	c := *s
	c.Handle, c.Revision, c.Until, c.ThroughEpoch, c.Through, c.Re, c.Budgets, c.BudgetUntil = wire.Handle{}, 0, 0, 0, 0, "", nil, 0
	c.Facts, c.Interactions = slices.Clone(c.Facts), slices.Clone(c.Interactions)
	slices.SortFunc(c.Facts, func(a, b wire.SliceFact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Provenance, b.Provenance), cmp.Compare(a.Happened, b.Happened))
	})
	slices.SortFunc(c.Interactions, func(a, b wire.SliceInteraction) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return fmt.Sprintf("%+v", c)
}

// Whatever happens, a device that takes what it is told knows after each round what a device that asks for the
// whole slice is told.
func TestDeltasBringWhatTheWholeSliceSays(t *testing.T) {
	deltas, wholes, runs := 0, 0, uint64(3)
	if n, err := strconv.ParseUint(os.Getenv("TACT_RUNS"), 10, 64); err == nil {
		runs = n
	}
	for seed := range runs {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		w.clock = sense.ClockSynced
		ids := []string{"a", "b", "c"}
		car := wire.Owner{Kind: "vehicle", ID: "v1"}
		w.given(`{"interaction":"visit","customer":"a"}`, `{"interaction":"visit","customer":"b"}`, `{"interaction":"visit","customer":"c"}`)
		for k, id := range ids {
			w.hold("own", wire.Handle{9, byte(k)}, id) // whoever makes contacts
			w.hold("k1", wire.Handle{1, byte(k)}, id)
			w.hold("k2", wire.Handle{2, byte(k)}, id, car)
		}
		merged := map[string]bool{}
		n, made := uint64(0), []wire.Handle{}
		for step := range 80 {
			w.now = w.now.Add(sense.Duration(r.Int64N(int64(sense.Minute))))
			id, at := ids[r.IntN(3)], `"at":"`+w.now.Add(-sense.Duration(r.Int64N(int64(sense.Hour)))).String()+`"`
			source := fmt.Sprint("crm", r.IntN(12))
			line := func(text string) {
				e, err := event.ParseLine([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				w.sent = nil
				w.do(hub.FromSource{Source: source, Event: e})
			}
			switch r.IntN(12) {
			case 0, 1:
				line(fmt.Sprintf(`{"fact":"name","customer":"%s","value":"n%d","provenance":"declared",%s}`, id, r.IntN(4), at))
			case 2:
				line(fmt.Sprintf(`{"fact":"interests","customer":"%s","value":["x%d"],"provenance":"%s",%s}`, id, r.IntN(4), []string{"observed", "inferred", "third_party"}[r.IntN(3)], at))
			case 3:
				line(fmt.Sprintf(`{"fact":"name","customer":"%s","value":null,"provenance":"declared",%s}`, id, at))
			case 4:
				line(fmt.Sprintf(`{"consent":"offers","customer":"%s","granted":%v,%s}`, id, r.IntN(2) == 0, at))
			case 5, 6:
				line(fmt.Sprintf(`{"interaction":"%s","customer":"%s","ref":"r%d",%s}`, []string{"complaint", "purchase", "resolved"}[r.IntN(3)], id, r.IntN(5), at))
			case 7:
				line(fmt.Sprintf(`{"fact":"tyres","owner":"v1","value":"%s","provenance":"observed",%s}`, []string{"winter", "summer"}[r.IntN(2)], at))
			case 8:
				other := ids[r.IntN(3)]
				if id != other && !merged[id+other] {
					merged[id+other], merged[other+id] = true, true
					line(`{"merge":["` + id + `","` + other + `"]}`)
				} else if id != other {
					merged[id+other], merged[other+id] = false, false
					line(`{"split":["` + id + `","` + other + `"]}`)
				}
			case 9:
				line(fmt.Sprintf(`{"restrict":"%s","on":%v,%s}`, id, r.IntN(2) == 0, at))
			default:
				n++
				h := wire.Handle{9, byte(r.IntN(3))}
				made = append(made, h)
				old := r.Uint64N(n)
				w.sent = nil
				if err := w.log("own", contactAt(n, h, "stay", w.now), answerTo(7, old+1, made[old], []string{"shown", "accepted", "never", "failed"}[r.IntN(4)], w.now)); err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range w.sent {
				if topic, _ := wire.ParseTopic(m.Topic); topic.Class == wire.ClassSlice {
					if down, _ := wire.DecodeDown(wire.ClassSlice, m.Payload); fmt.Sprintf("%T", down) == "*wire.Delta" {
						deltas++
					} else {
						wholes++
					}
				}
			}
			for k, id := range ids {
				for d, owners := range map[string][]wire.Owner{"k1": nil, "k2": {car}} {
					got := saying(w.holds(d, wire.Handle{d[1] - '0', byte(k)}))
					probe := wire.Handle{7, d[1], byte(k)}
					if want := saying(w.hold("probe", probe, id, owners...)); got != want {
						t.Fatalf("seed %d, step %d: %s knows of %s\n%s\nand not\n%s", seed, step, d, id, got, want)
					}
				}
			}
		}
	}
	if deltas < 100 || wholes < 20 {
		t.Errorf("%d deltas and %d whole slices: nothing was put to the test", deltas, wholes)
	}
}

// What is told as a delta, what as a whole, and what not at all.
func TestWhatIsTold(t *testing.T) {
	base := []string{`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T08:00:00Z"}`, `{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`,
		`{"fact":"interests","customer":"a","value":["garden"],"provenance":"declared"}`,
		`{"interaction":"visit","customer":"a"}`, `{"interaction":"purchase","customer":"a","about":"product:model-x","ref":"p1"}`, `{"interaction":"visit","customer":"b"}`}
	for _, c := range []struct {
		name string
		do   func(w *world)
		want string // type of what k2 hears
	}{
		{"a complaint", func(w *world) { w.given(`{"interaction":"complaint","customer":"a","ref":"c"}`) }, "*wire.Delta"},
		{"a new word of the same source", func(w *world) {
			w.given(`{"fact":"name","customer":"a","value":"Ann","provenance":"declared"}`)
		}, "*wire.Delta"},
		{"a fact retracted", func(w *world) {
			w.given(`{"fact":"name","customer":"a","value":null,"provenance":"declared"}`)
		}, "*wire.Slice"},
		{"the same once more", func(w *world) {
			w.given(`{"fact":"name","customer":"b","value":"Bea","provenance":"declared"}`)
		}, "<nil>"},
		{"a consent withdrawn, with what it permitted", func(w *world) {
			w.given(`{"consent":"offers","customer":"a","granted":false}`)
		}, "*wire.Slice"},
		{"a restriction", func(w *world) { w.given(`{"restrict":"a","on":true}`) }, "*wire.Slice"},
		{"a merge", func(w *world) { w.given(`{"merge":["b","a"]}`) }, "*wire.Slice"},
		{"a split", func(w *world) { w.given(`{"merge":["a","b"]}`); w.sent = nil; w.given(`{"split":["a","b"]}`) }, "*wire.Slice"},
		{"something that expired", func(w *world) { w.now = t0.Add(2 * sense.Day); w.do(hub.Tick{}) }, "<nil>"},
		{"a complaint after something expired that the hub still has", func(w *world) {
			w.now = t0.Add(2 * sense.Day)
			w.given(`{"interaction":"complaint","customer":"a","ref":"c"}`)
		}, "*wire.Delta"},
		{"after the lease", func(w *world) {
			w.now = t0.Add(8 * sense.Day)
			w.given(`{"interaction":"complaint","customer":"a","ref":"c"}`)
		}, "<nil>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.given(base...)
			w.hold("k2", wire.Handle{2}, "a")
			w.now, w.sent = t0.Add(sense.Second), nil
			c.do(w)
			if got := fmt.Sprintf("%T", w.last("k2", wire.ClassSlice)); got != c.want {
				t.Errorf("k2 hears %s, want %s", got, c.want)
			}
		})
	}
}

// Journeys 02, 16, 37, 39 and 40 from the hub's side: what changes for a customer reaches every device that holds
// her in the same round, and one that is away when it says hello again.
func TestEveryHolderHearsInTheSameRound(t *testing.T) {
	one, two, three := wire.Handle{1}, wire.Handle{2}, wire.Handle{3}
	for _, c := range []struct {
		name string
		do   func(w *world)
		has  func(s *wire.Slice) bool
	}{
		{"complaint", func(w *world) { w.given(`{"interaction":"complaint","customer":"a","ref":"c"}`) }, func(s *wire.Slice) bool {
			return slices.ContainsFunc(s.Interactions, func(i wire.SliceInteraction) bool { return i.Kind == "complaint" })
		}},
		{"booking", func(w *world) { w.given(`{"interaction":"booking","customer":"card:1","about":"hotel:rome"}`) }, func(s *wire.Slice) bool {
			return slices.ContainsFunc(s.Interactions, func(i wire.SliceInteraction) bool { return i.About == "hotel:rome" })
		}},
		{"preference", func(w *world) {
			w.given(`{"fact":"interests","customer":"a","value":["garden"],"provenance":"declared"}`)
		}, func(s *wire.Slice) bool {
			return slices.ContainsFunc(s.Facts, func(f wire.SliceFact) bool { return f.Name == "interests" })
		}},
		{"consent withdrawn in the shop", func(w *world) { w.given(`{"consent":"offers","customer":"a","granted":false}`) }, func(s *wire.Slice) bool {
			return len(s.Consents) == 1 && !s.Consents[0].Granted && s.Consents[0].Ever
		}},
		{"consent withdrawn on a device", func(w *world) {
			now := int64(w.now)
			if err := w.log("own", &wire.Consent{At: now, Happened: now, Handle: wire.Handle{9}, Purpose: wire.Named("offers")}); err != nil {
				w.t.Fatal(err)
			}
		}, func(s *wire.Slice) bool { return len(s.Consents) == 1 && !s.Consents[0].Granted }},
		{"never", func(w *world) {
			if err := w.log("own", contactAt(1, wire.Handle{9}, "stay", w.now), answerTo(7, 1, wire.Handle{9}, "never", w.now)); err != nil {
				w.t.Fatal(err)
			}
		}, func(s *wire.Slice) bool {
			return len(s.Exposures) == 1 && s.Exposures[0].Outcomes[0].Outcome == "never"
		}},
		{"merged", func(w *world) {
			w.given(`{"interaction":"complaint","customer":"c","ref":"c"}`, `{"merge":["a","c"]}`)
		}, func(s *wire.Slice) bool { return len(s.Interactions) > 0 }},
		{"objection", func(w *world) { w.given(`{"objection":"service","customer":"a","raised":true}`) }, func(s *wire.Slice) bool { return len(s.Objections) == 1 && s.Objections[0].Raised }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.clock = sense.ClockSynced
			w.given(`{"merge":["a","card:1"]}`, `{"consent":"offers","customer":"a","granted":true}`)
			for d, h := range map[string]wire.Handle{"k1": one, "k2": two, "k3": three, "own": {9}} {
				w.hold(d, h, []string{"a", "card:1"}[h[0]%2])
			}
			w.away["k3"] = true
			w.now = t0.Add(sense.Minute)
			c.do(w)
			if !c.has(w.holds("k1", one)) || !c.has(w.holds("k2", two)) {
				t.Errorf("k1 knows %+v, k2 %+v", w.holds("k1", one), w.holds("k2", two))
			}
			if c.has(w.holds("k3", three)) {
				t.Fatal("k3 knows of it, and is away")
			}
			w.away["k3"] = false
			held := wire.Held{Handle: three, Revision: w.holds("k3", three).Revision}
			if err := w.request("k3", &wire.Hello{ID: "h", Epoch: 5, First: 1, Next: 1, Handles: []wire.Held{held}}); err != nil {
				t.Fatal(err)
			}
			if !c.has(w.holds("k3", three)) {
				t.Errorf("after hello k3 knows %+v", w.holds("k3", three))
			}
			w.sent = nil
			held.Revision = w.holds("k3", three).Revision
			if err := w.request("k3", &wire.Hello{ID: "h", Epoch: 5, First: 1, Next: 1, Handles: []wire.Held{held}}); err != nil {
				t.Fatal(err)
			}
			if m, ok := w.last("k3", wire.ClassSlice).(*wire.Unchanged); !ok || m.Re != "h" {
				t.Errorf("and then hears %+v", w.last("k3", wire.ClassSlice))
			}
		})
	}
}

// A device that lost what it had told itself (its store was put back) hears everything anew, though the hub has
// nothing that it was not told.
func TestAnotherLifeHearsEverythingAnew(t *testing.T) {
	w := newWorld(t)
	w.clock = sense.ClockSynced
	w.given(`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T08:00:00Z"}`)
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 7, First: 1, Next: 1}); err != nil {
		t.Fatal(err)
	}
	h, now := wire.Handle{1}, int64(w.now)
	revision := w.hold("k1", h, "a").Revision
	if err := w.log("k1", &wire.Consent{At: now, Happened: now, Handle: h, Purpose: wire.Named("offers")}); err != nil {
		t.Fatal(err)
	}
	if w.holds("k1", h).Revision != revision || !w.holds("k1", h).Consents[0].Granted {
		t.Fatal("k1 heard of its own word")
	}
	birth, err := wire.EncodeJSON(wire.Birth{Epoch: 8, Boot: 2})
	if err != nil {
		t.Fatal(err)
	}
	w.must(hub.FromDevice{Topic: "tact/v1/shop/k1/st/birth", Payload: birth})
	if err := w.request("k1", &wire.Hello{ID: "h", Epoch: 8, First: 1, Next: 1, Handles: []wire.Held{{Handle: h, Revision: revision}}}); err != nil {
		t.Fatal(err)
	}
	if s := w.holds("k1", h); s.Consents[0].Granted {
		t.Errorf("k1 was put back, and holds %+v", s)
	}
}

// Before a device runs a bundle, its slices are made for the one that it shall run: its own, else its groups'
// newest, else the tenant's.
func TestSliceForTheBundleThatIsWanted(t *testing.T) {
	with := func(version int64, fact string) []byte {
		b := dealer()
		b.Version = version
		b.Facts = slices.DeleteFunc(b.Facts, func(f catalog.Fact) bool { return f.Name != fact })
		return catalog.Encode(b)
	}
	for _, c := range []struct {
		groups []string
		device string
		want   string
	}{
		{nil, "k1", "name"}, {[]string{"kiosks"}, "k1", "pregnant"}, {[]string{"cars"}, "k1", "name"},
		{[]string{"kiosks", "north"}, "k1", "interests"}, {[]string{"kiosks"}, "own", "interests"},
	} {
		w := newWorld(t)
		w.given(`{"consent":"offers","customer":"a","granted":true}`, `{"fact":"name","customer":"a","value":"Anna","provenance":"declared"}`,
			`{"fact":"interests","customer":"a","value":["garden"],"provenance":"declared"}`, `{"fact":"pregnant","customer":"a","value":true,"provenance":"declared"}`)
		w.must(hub.Publish{File: with(2, "name")})
		w.must(hub.Publish{Scope: "g/kiosks", File: with(3, "pregnant")})
		w.must(hub.Publish{Scope: "d/own", File: with(5, "interests")})
		w.now++
		w.must(hub.Publish{Scope: "g/north", File: with(4, "interests")})
		birth, err := wire.EncodeJSON(wire.Birth{Groups: c.groups})
		if err != nil {
			t.Fatal(err)
		}
		w.must(hub.FromDevice{Topic: "tact/v1/shop/" + c.device + "/st/birth", Payload: birth})
		if s := w.hold(c.device, wire.Handle{1}, "a"); len(s.Facts) != 1 || s.Facts[0].Name != c.want {
			t.Errorf("%s of %v is told %+v, want %s", c.device, c.groups, s.Facts, c.want)
		}
	}
}

// What a customer took back stays taken back, whatever the source that took it back infers later: the older word of
// another source does not come to life again.
func TestARetractionOutlivesWhatItsSourceSaysLater(t *testing.T) {
	w := newWorld(t)
	w.given(`{"consent":"offers","customer":"a","granted":true,"at":"2026-03-01T08:00:00Z"}`)
	say := func(source, line string) {
		t.Helper()
		e, err := event.ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if a := w.do(hub.FromSource{Source: source, Event: e}); a[0].Err != nil {
			t.Fatal(a[0].Err)
		}
	}
	say("web", `{"fact":"interests","customer":"a","value":["garden"],"provenance":"declared","at":"2026-03-01T08:00:00Z"}`)
	say("app", `{"fact":"interests","customer":"a","value":null,"provenance":"declared","at":"2026-03-01T09:00:00Z"}`)
	for _, later := range []string{
		`{"fact":"interests","customer":"a","value":["kitchen"],"provenance":"inferred","at":"2026-03-01T10:00:00Z"}`,
		`{"fact":"interests","customer":"a","value":["kitchen"],"provenance":"declared","at":"2026-03-01T11:00:00Z"}`,
		`{"fact":"interests","customer":"a","value":null,"provenance":"declared","at":"2026-03-01T09:30:00Z"}`,
	} {
		say("app", later)
		for _, f := range w.hold("k1", wire.Handle{1}, "a").Facts {
			if f.Source == "web" {
				t.Errorf("after %s: %+v is back", later, f)
			}
		}
	}
	// Held are its last retraction, what it told and what it inferred: no more.
	w.view(func(v hub.View) error {
		e, err := v.Entries([]string{"a"})
		if len(e) != 5 {
			t.Errorf("%d entries: %+v", len(e), e)
		}
		return err
	})
}

// A word on a restriction that is older than the one at the hub does not stand at the device that heard it either.
func TestAnOlderWordOnARestrictionDoesNotStand(t *testing.T) {
	w := newWorld(t)
	w.clock = sense.ClockSynced
	h := wire.Handle{1}
	w.hold("k1", h, "a")
	w.now = w.now.Add(sense.Minute)
	w.given(`{"restrict":"a","on":true}`)
	w.sent = nil
	w.now = w.now.Add(sense.Minute)
	if err := w.log("k1", &wire.Restrict{At: int64(w.now), Happened: int64(t0.Add(sense.Second)), Handle: h}); err != nil {
		t.Fatal(err)
	}
	if s, ok := w.last("k1", wire.ClassSlice).(*wire.Slice); !ok || !s.Restricted {
		t.Errorf("the device that lifted it hears %+v", s)
	}
	w.sent = nil
	w.now = w.now.Add(sense.Minute)
	if err := w.log("k1", &wire.Restrict{At: int64(w.now), Happened: int64(w.now), Handle: h}); err != nil {
		t.Fatal(err)
	}
	if s, ok := w.last("k1", wire.ClassSlice).(*wire.Slice); !ok || s.Restricted {
		t.Errorf("a newer word is heard as %+v", s)
	}
}
