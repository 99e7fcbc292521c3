package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

const (
	askActions  = 1_000
	askEligible = 120
	askSeed     = 5
)

// asked are conditions over one signal or fact, by whether they hold in the moment of askDesk.
type asked struct {
	hold, fail []string
}

// askInputs declares 20 signals and 10 facts, of which 15 % are never known, and returns what there is to ask of each.
func askInputs(own *strings.Builder, lines *[]string) (all []asked) {
	own.WriteString("signals:\n")
	for k := range 20 {
		name, known, scope := fmt.Sprintf("s%02d", k), k%7 != 3, ""
		if k%3 == 0 {
			scope = `, scope: person, purposes: [service, offers], why: {en: "to help", nl: "om te helpen"}, leaves_device: never`
		}
		if k%4 != 0 {
			fmt.Fprintf(own, "\t%s: {type: double, max_age: 1d%s}\n", name, scope)
			all = append(all, askNumber(name, known))
			if known {
				*lines = append(*lines, fmt.Sprintf(`{"signal":%q,"value":50.5}`, name))
			}
			continue
		}
		fmt.Fprintf(own, "\t%s: {type: bool, max_age: 1d%s}\n", name, scope)
		one := asked{fail: []string{"!" + name}}
		if known {
			one.hold = []string{name}
			*lines = append(*lines, fmt.Sprintf(`{"signal":%q,"value":true}`, name))
		}
		all = append(all, one)
	}
	own.WriteString("facts:\n")
	for k := range 10 {
		name, known := fmt.Sprintf("f%02d", k), k%7 != 3
		fmt.Fprintf(own, "\t%s: {type: double, purposes: [service, offers], keep: 2y}\n", name)
		all = append(all, askNumber(name, known))
		if known {
			*lines = append(*lines, fmt.Sprintf(`{"fact":%q,"customer":"anna","value":50.5,"provenance":"declared"}`, name))
		}
	}
	return all
}

// askNumber returns comparisons of a number that is 50.5 where it is known.
func askNumber(name string, known bool) (a asked) {
	for x := 1; x < 20; x++ {
		low, high := fmt.Sprintf("%s > %d.0", name, 5*x), fmt.Sprintf("%s < %d.0", name, 5*x)
		switch {
		case !known:
			a.fail = append(a.fail, low, high)
		case 5*x <= 50:
			a.hold, a.fail = append(a.hold, low), append(a.fail, high)
		default:
			a.hold, a.fail = append(a.hold, high), append(a.fail, low)
		}
	}
	return a
}

// askDesk is a customer with a modest history before a slot that 1,000 actions name, of which 120 are
// eligible: of each 3 to 8 conditions over 30 signals and facts.
func askDesk(t testing.TB) *desk {
	var own strings.Builder
	lines := []string{annaTaps, agrees}
	inputs := askInputs(&own, &lines)
	own.WriteString("interactions:\n\tpurchase: {keep: 7y, purposes: [service, offers], blocks: {offer_of: same_or_kind}}\n")
	own.WriteString("\tcomplaint: {keep: 2y, purposes: [service], negative: true, open_until: resolved, cool_off: 14d}\n")
	own.WriteString("slots: {screen: {channel: kiosk}}\nactions:\n")
	rng := rand.New(rand.NewPCG(askSeed, askSeed))
	from := func(list []string) string { return list[rng.IntN(len(list))] }
	stages := [...]string{"eligible", "applicable", "suitable"}
	order := rng.Perm(askActions)
	for k := range askActions {
		parts := map[string][]string{}
		n, fails := 3+rng.IntN(6), order[k] >= askEligible
		for _, i := range rng.Perm(len(inputs)) {
			if n == 0 {
				break
			}
			list := inputs[i].hold
			if fails && (n == 1 || rng.IntN(4) == 0) {
				list = inputs[i].fail
			}
			if len(list) == 0 {
				continue // it is not known
			}
			n--
			stage := stages[rng.IntN(len(stages))]
			parts[stage] = append(parts[stage], from(list))
		}
		intent, purpose := "information", "service"
		if k%3 == 0 {
			intent, purpose = "sales", "offers"
		}
		fmt.Fprintf(&own, "\ta%04d: {intent: %s, purpose: %s, about: product:p%d, slots: [screen]", k, intent, purpose, k)
		for _, stage := range stages {
			if len(parts[stage]) > 0 {
				fmt.Fprintf(&own, ", %s: %q", stage, strings.Join(parts[stage], " && "))
			}
		}
		fmt.Fprintf(&own, `, value: %d.50, propensity: 0.1, bother: 0.05, say_personal: {en: "{name.first}, see %d.", nl: "{name.first}, zie %d."}, say: {en: "See %d.", nl: "Zie %d."}}`+"\n", 1+rng.IntN(300), k, k, k, k)
	}
	own.WriteString("contact:\n\tlimits: [{intent: sales, at_most: 100, counting: shown, per: calendar day, zone: policy}]\n")
	own.WriteString("\tpauses: [{about: same, after: dismissed, for: 90d}]\n")
	own.WriteString("\tpressure: {unit: EUR, half_life: 7d, ignored: 0.01, dismissed: 0.04, accepted: -0.02, visit: -0.01, floor: 0.05}\n")
	d := deskOf(t, own.String())
	lines = append(lines, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`,
		`{"interaction":"purchase","customer":"anna","about":"product:p3","channel":"shop"}`)
	for _, l := range lines {
		d.tell(l)
	}
	for k := range 12 {
		d.at(sense.Hour)
		d.tell(`{"ask":"screen"}`)
		d.tell(fmt.Sprintf(`{"outcome":%q,"decision":"last"}`, [...]string{"ignored", "dismissed", "accepted"}[k%3]))
	}
	d.tell(annaTaps)
	return d
}

// asking is a step that asks, over and over at one instant.
type asking struct {
	d        *desk
	in       Input
	contacts int
}

func newAsking(t testing.TB) *asking {
	d := askDesk(t)
	e := parsed(t, `{"ask":"screen"}`, d.now)
	return &asking{d: d, in: Input{At: d.now, Events: e}, contacts: len(d.mind.byID["anna"].Slice.Exposures)}
}

// step asks once, and takes back the contact that it made: the history stays as modest as it was.
func (a *asking) step() *Decision {
	o := a.d.mind.Step(a.in)
	s := &a.d.mind.byID["anna"].Slice
	s.Exposures = s.Exposures[:a.contacts]
	return o.Show[0]
}

// BenchmarkAsk is a step for an ask with 1,000 actions, of which 120 are eligible; list is the same with the
// complete list of those that fell, and how much more that takes than each of its steps alone.
func BenchmarkAsk(b *testing.B) {
	a := newAsking(b)
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			a.step()
		}
		b.ReportMetric(perOp(b), "step.ask:ns")
	})
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		plain, whole := time.Duration(0), time.Duration(0)
		for b.Loop() {
			began := time.Now()
			d := a.step()
			plain += time.Since(began)
			d.Explain()
			whole += time.Since(began)
			if len(d.Rejected) != askActions-1 {
				b.Fatalf("%d fell", len(d.Rejected))
			}
		}
		b.ReportMetric(float64(whole)/float64(plain), "step.ask.list:x")
		b.ReportMetric(3, "step.ask.list:x:at-most")
	})
}
