package engine

import (
	"fmt"
	"strings"
	"testing"
)

const codesPolicy = `policy: codes
version: 1
currency: EUR
languages: [en, nl]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to help you", nl: "om te helpen"}}
interactions:
  booking: {keep: 1y, purposes: [service]}
signals:
  cold: {type: int, max_age: 5s}
  never: {type: int, max_age: 5s}
facts:
  tyres: {type: string, purposes: [service], from: [declared], one_of: [winter, summer], keep: 2y, fresh: 1y}
  colour: {type: string, purposes: [service], from: [declared], keep: 2y}
slots:
  main: {channel: web}
  list: {channel: web}
  dear: {channel: web, minimum: 5.00}
  must: {channel: web}
  ties: {channel: web}
  two: {channel: web}
groups:
  g1: {eligible: "cold == 1"}
  g2: {applicable: "cold == 2"}
  g3: {suitable: "cold == 3"}
actions:
  base: {intent: service, purpose: service, slots: [main], value: 1, propensity: 0.50, bother: 0.05, say: {en: "Base.", nl: "Basis."}}
  a1: {intent: service, purpose: service, group: g1, slots: [main], value: 20, propensity: 0.10, bother: 0.05, say: {en: "One.", nl: "Een."}}
  a2: {intent: service, purpose: service, group: g2, slots: [main], value: 20, propensity: 0.10, bother: 0.05, say: {en: "Two.", nl: "Twee."}}
  a3: {intent: service, purpose: service, group: g3, slots: [main], value: 20, propensity: 0.10, bother: 0.05, say: {en: "Three.", nl: "Drie."}}
  a4: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, suitable: "cold > 8", say: {en: "Four.", nl: "Vier."}}
  a5: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, applicable: "10 / cold > 3", say: {en: "Five.", nl: "Vijf."}}
  a6: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, applicable: "tyres == 'winter'", say: {en: "Six.", nl: "Zes."}}
  a7: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, applicable: "colour == 'red'", say: {en: "Seven.", nl: "Zeven."}}
  a8: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, applicable: "never > 1", say: {en: "Eight.", nl: "Acht."}}
  a9: {intent: service, purpose: service, slots: [main], about: flight:IT, before: booking, value: 20, propensity: 0.10, bother: 0.05, say: {en: "Nine.", nl: "Negen."}}
  english: {intent: service, purpose: service, slots: [two], value: 90, propensity: 0.10, bother: 0.05, say_personal: {nl: "Nu {never}."}, say: {en: "English."}}
  both: {intent: service, purpose: service, slots: [two], value: 20, propensity: 0.10, bother: 0.05, say: {en: "Both.", nl: "Beide."}}
  l1: {intent: service, purpose: service, slots: [list], value: 30, propensity: 0.10, bother: 0.05, say: {en: "L1.", nl: "L1."}}
  l2: {intent: service, purpose: service, slots: [list], value: 20, propensity: 0.10, bother: 0.05, say: {en: "L2.", nl: "L2."}}
  l3: {intent: service, purpose: service, slots: [list], value: 10, propensity: 0.10, bother: 0.05, say: {en: "L3.", nl: "L3."}}
  poor: {intent: service, purpose: service, slots: [dear], value: 10, propensity: 0.10, bother: 0.05, say: {en: "Poor.", nl: "Arm."}}
  m1: {intent: service, purpose: service, slots: [must], mandatory: true, value: 1, propensity: 0.10, bother: 0.05, say: {en: "M1.", nl: "M1."}}
  m2: {intent: service, purpose: service, slots: [must], value: 90, propensity: 0.10, bother: 0.05, say: {en: "M2.", nl: "M2."}}
  t1: {intent: service, purpose: service, slots: [ties], value: 10, propensity: 0.10, bother: 0.05, say: {en: "T1.", nl: "T1."}}
  t2: {intent: service, purpose: service, slots: [ties], value: 10, propensity: 0.10, bother: 0.05, say: {en: "T2.", nl: "T2."}}
`

// The reasons that the mind itself gives, one after the other: no room below it knows them.
func TestCodesOfTheMind(t *testing.T) {
	const who = `{"identify":"anna","by":"card"}`
	const old = `{"happened":"2024-09-02T10:00:00+02:00","fact":"tyres","customer":"anna","value":"winter","provenance":"declared"}`
	for _, one := range []struct {
		lines        []string
		action, want string
	}{
		{[]string{`{"signal":"cold","value":9}`, `{"ask":"main"}`}, "a1", "eligible group_not_eligible"},
		{[]string{`{"signal":"cold","value":9}`, `{"ask":"main"}`}, "a2", "applicable group_not_applicable"},
		{[]string{`{"signal":"cold","value":9}`, `{"ask":"main"}`}, "a3", "suitable group_not_suitable"},
		{[]string{`{"signal":"cold","value":8}`, `{"ask":"main"}`}, "a4", "suitable not_suitable"},
		{[]string{`{"signal":"cold","value":0}`, `{"ask":"main"}`}, "a5", "applicable condition_error"},
		{[]string{who, old, `{"ask":"main"}`}, "a6", "applicable fact_stale"},
		{[]string{who, `{"ask":"main"}`}, "a7", "applicable fact_missing"},
		{[]string{`{"ask":"main"}`}, "a8", "applicable input_unknown"},
		{[]string{who, `{"interaction":"booking","customer":"anna","about":"flight:IT","due":"2026-03-02T09:30:00+01:00"}`, `{"ask":"main"}`}, "a9", "applicable too_late"},
		{[]string{`{"ask":"two","language":"nl"}`}, "english", "treatment no_treatment_for_language"},
		{[]string{`{"ask":"list","count":2}`}, "l3", "ranked list_full"},
		{[]string{`{"ask":"dear"}`}, "poor", "value below_minimum"},
		{[]string{`{"ask":"must"}`}, "m2", "ranked lost_to_mandatory"},
		{[]string{`{"ask":"ties"}`}, "t2", "ranked lost_tie_break"},
	} {
		t.Run(one.want, func(t *testing.T) {
			d, _ := whyDesk(t, codesPolicy)
			d.tell(one.lines...)
			x := d.last()
			var all []string
			for _, r := range x.Rejected {
				got := fmt.Sprintf("%s %s", r.Stage, r.Reason)
				if r.Action == one.action && got == one.want {
					return
				}
				all = append(all, r.Action+" "+got)
			}
			t.Errorf("%s was not rejected as %s, but: %s chosen, %s", one.action, one.want, x.Action, strings.Join(all, ", "))
		})
	}
}

// What an action without any text for whom is there falls by, and an unasked slot in which nothing applies.
func TestCodesOfSilence(t *testing.T) {
	// no_treatment_for_slot: a bundle may hold an action without a text, though tact check lets none through.
	d, u := whyDesk(t, codesPolicy)
	for k := range u.Bundle.Actions {
		if u.Bundle.Actions[k].Name == "english" {
			u.Bundle.Actions[k].Say, u.Bundle.Actions[k].SayPersonal = nil, nil
		}
	}
	d.mind.Step(Input{At: d.now, Bundle: u})
	d.tell(`{"ask":"two"}`)
	d.wants("both", "", "english treatment no_treatment_for_slot")

	// nothing_asked: nobody asked, and the only action does not apply.
	text := strings.NewReplacer("ties: {channel: web}", "ties: {channel: web, unasked: true}",
		"slots: [ties], value: 10, propensity: 0.10", `slots: [ties], value: 10, applicable: "cold > 4", propensity: 0.10`).Replace(codesPolicy)
	d, _ = whyDesk(t, text)
	d.tell(`{"signal":"cold","value":3}`)
	o := d.outs[len(d.outs)-1]
	if len(o.Silent) != 1 || o.Silent[0].Cause != "nothing_asked" {
		t.Errorf("silent: %+v", o.Silent)
	}
}
