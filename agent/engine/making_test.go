package engine

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// TestListOnDemand: what is said of those that fell, asked for at the end of a step in which several were decided, some
// with signals of one request, is what it was at the moment of each decision; and a kept output stays what it was.
func TestListOnDemand(t *testing.T) {
	type line struct {
		d    *Decision
		text []byte
	}
	var all []line
	steps, several, with, silent := 0, 0, 0, 0
	seeds := uint64(25)
	if testing.Short() {
		seeds = 10
	}
	policies := examples(t)
	for seed := range seeds {
		for _, u := range policies {
			r := rand.New(rand.NewPCG(seed, 17))
			m := New(Config{Device: "d", Epoch: 1, Leased: true, Moments: true, Zone: policy.Zone})
			now, last := sense.Instant(1_772_442_000_000), ""
			see := func(o Output) {
				steps++
				if len(o.Show) > 1 {
					several++
				}
				lines := map[*Decision][]byte{}
				for _, d := range o.Show {
					last = d.ID
					lines[d] = d.AppendJSON(nil, -1)
				}
				for _, one := range o.Moments {
					p, err := Thaw(u, one.Bytes)
					if err != nil {
						t.Fatal(err)
					}
					again := p.Decision()
					again.ID = one.Decision.ID
					if got := again.AppendJSON(nil, -1); !bytes.Equal(got, lines[one.Decision]) {
						t.Fatalf("seed %d, %s: at once\n%s\non demand\n%s", seed, u.Bundle.Name, got, lines[one.Decision])
					}
				}
				kept := o.Keep()
				for k, d := range kept.Show {
					all = append(all, line{d, lines[o.Show[k]]})
				}
				for k := range kept.Silent {
					silent++
					all = append(all, line{&kept.Silent[k].Decision, o.Silent[k].AppendJSON(nil, -1)})
				}
				for k := range kept.Persist {
					if d := kept.Persist[k].Decision; d != nil && kept.Show[0] != d && len(kept.Show) == 1 {
						t.Fatal("a record has a decision of its own")
					}
				}
			}
			see(m.Step(Input{At: now, Bundle: u}))
			c := crowd{r, u.Bundle}
			for range 40 {
				now = now.Add(pick(r, []sense.Duration{0, 100, 900, 5 * sense.Second, 40 * sense.Second, sense.Hour, 30 * sense.Hour}))
				m.Advance(now, see)
				var events []event.Event
				session := pick(r, []string{"main", "s2"})
				for range 1 + r.IntN(4) {
					body := c.body(last)
					if a, ok := body.(*event.Ask); ok && len(a.With) > 0 {
						with++
					}
					events = append(events, event.Event{At: now, HasAt: true, Happened: now, Session: session, Body: body})
				}
				see(m.Step(Input{At: now, Events: events}))
			}
		}
	}
	for _, one := range all {
		if got := one.d.AppendJSON(nil, -1); !bytes.Equal(got, one.text) {
			t.Fatalf("kept as\n%s\nwas\n%s", got, one.text)
		}
	}
	t.Logf("%d decisions of %d steps, of which %d made several, %d with signals of their own, %d unasked silences", len(all), steps, several, with, silent)
	if several < 100 || with < 100 || silent < 100 {
		t.Error("too little was tried")
	}
}

// TestAnAskAllocatesNothing: neither of a customer nor of nobody, with the list of those that fell or without. Of
// chunks that names and texts are cut from one is allocated for some dozens of asks, which is less than one each.
func TestAnAskAllocatesNothing(t *testing.T) {
	a := newAsking(t)
	ask := func(list bool) float64 {
		return testing.AllocsPerRun(300, func() {
			if d := a.step(); list {
				d.Explain()
			}
		})
	}
	for _, who := range [...]string{"a customer", "nobody"} {
		for _, list := range [...]bool{false, true} {
			a.step().Explain() // memory grows once
			if n := ask(list); n != 0 {
				t.Errorf("%s, list %v: %v allocations", who, list, n)
			}
		}
		a.d.tell(`{"identify":null}`)
	}
}

// TestAnAskOfAnyPolicyAllocatesNothing: the same under each example policy and slot, of a customer who agreed to all,
// while somebody else is to stay unknown; with what the policy does besides, as to fill a board.
func TestAnAskOfAnyPolicyAllocatesNothing(t *testing.T) {
	const now = sense.Instant(1_772_442_000_000)
	for _, u := range examples(t) {
		for k := range u.Bundle.Slots {
			m := New(Config{Device: "d", Epoch: 1, Leased: true})
			m.Step(Input{At: now, Bundle: u})
			in := func(b event.Body) Input {
				return Input{At: now, Events: []event.Event{{At: now, HasAt: true, Happened: now, Session: event.MainSession, Body: b}}}
			}
			m.Step(in(&event.Identify{Customer: "anna", By: event.ByCard}))
			for _, p := range u.Bundle.Purposes {
				m.Step(in(&event.Consent{Customer: "anna", Purpose: p.Name, Granted: true, Expires: sense.Never}))
			}
			m.Step(in(&event.Forget{Customer: "bob"}))
			ask, s := in(&event.Ask{Slot: u.Bundle.Slots[k].Name, Count: 2}), &m.byID["anna"].Slice
			contacts := len(s.Exposures)
			step := func() {
				o := m.Step(ask)
				for _, d := range o.Show {
					d.Explain()
				}
				s.Exposures = s.Exposures[:contacts]
			}
			for range 20 { // memory grows
				step()
			}
			if n := testing.AllocsPerRun(100, step); n != 0 {
				t.Errorf("%s, %s: %v allocations", u.Bundle.Name, u.Bundle.Slots[k].Name, n)
			}
		}
	}
}

// TestMakingsLetGo: what several decisions of a step were made of keeps nothing of their sessions, whom they served, and
// the conditions of a policy that is in charge no more, once the step after has begun.
func TestMakingsLetGo(t *testing.T) {
	d := deskOf(t, `slots: {screen: {channel: kiosk}, side: {channel: kiosk}}
actions: {hello: {intent: information, purpose: service, slots: [screen, side], value: 1.00, propensity: 0.5, say: {en: "Hello.", nl: "Hallo."}}}
`)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"ask":"side"}`)
	held := func() (n int) {
		for _, of := range d.mind.makings {
			if of.at.s != nil || of.at.on != nil || of.at.of != nil || of.view.Slice != nil || of.view.State != nil || of.decision.making != nil {
				n++
			}
		}
		return n
	}
	d.mind.Step(Input{At: d.now, Events: []event.Event{
		{At: d.now, HasAt: true, Happened: d.now, Session: event.MainSession, Body: &event.Ask{Slot: "screen"}},
		{At: d.now, HasAt: true, Happened: d.now, Session: event.MainSession, Body: &event.Ask{Slot: "side"}}}})
	if n := held(); n < 2 {
		t.Fatalf("%d decisions are made of something in a step with two asks", n)
	}
	d.mind.Step(Input{At: d.now + 1})
	if n := held(); n != 0 {
		t.Errorf("%d decisions of the step before are kept", n)
	}
}
