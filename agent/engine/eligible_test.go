package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

// TestLooksAgainForWhomNothingIsEligible: an unasked slot that shows something is looked at again when the hours or the
// law let through what no decision looks at meanwhile, since its condition does not hold.
func TestLooksAgainForWhomNothingIsEligible(t *testing.T) {
	for _, c := range []struct {
		name, own, until string
		lines            []string
	}{
		{"quiet hours", `signals: {rain: {type: bool, max_age: 1d}, fire: {type: bool, max_age: 1d}}
quiet: {hours: ["09:00-11:00"]}
slots: {screen: {channel: kiosk, unasked: true, show_for: 1d}}
actions:
	out: {intent: safety, purpose: care, slots: [screen], applicable: fire, value: 1.00, propensity: 0.5, say: {en: "Out.", nl: "Eruit."}}
	umbrella: {intent: information, purpose: care, slots: [screen], applicable: rain, value: 1.00, propensity: 0.5, say: {en: "Umbrella?", nl: "Paraplu?"}}
`, "2026-03-02T11:00:00+01:00", []string{`{"signal":"rain","value":false}`, `{"signal":"fire","value":true}`}},
		{"birthday", `signals: {rain: {type: bool, max_age: 1d}}
purposes: {grown: {basis: contract, least_age: 18, for: {en: "for grown-ups", nl: "voor volwassenen"}}}
facts: {birth_date: {type: date, purposes: [service, grown], keep: 30y}}
slots: {screen: {channel: kiosk, unasked: true, show_for: 10d}}
actions:
	hello: {intent: information, purpose: service, slots: [screen], value: 1.00, propensity: 0.5, say_personal: {en: "Hello.", nl: "Hallo."}}
	wine: {intent: information, purpose: grown, slots: [screen], applicable: rain, value: 1.00, propensity: 0.5, say_personal: {en: "Wine?", nl: "Wijn?"}}
`, "2026-03-05T00:00:00+01:00", []string{`{"fact":"birth_date","customer":"anna","value":"2008-03-05","provenance":"declared"}`, `{"signal":"rain","value":false}`, annaTaps}},
	} {
		d := deskOf(t, c.own)
		d.tell(c.lines...)
		until, err := sense.ParseInstant(c.until)
		if err != nil {
			t.Fatal(err)
		}
		s := d.mind.sessions[0]
		if s.shown[0] == nil || s.lapse != until {
			t.Errorf("%s: %v is shown, and looked at again at %d, not at %d", c.name, s.shown[0], s.lapse, until)
		}
	}
}

// TestSilenceIsToldByTheFurthest: the cause of an unasked silence is that of who came furthest, or of who fell by the
// clock, whether or not it was looked at for the decision.
func TestSilenceIsToldByTheFurthest(t *testing.T) {
	const common = `signals: {rain: {type: bool, max_age: 1d}, cost: {type: double, max_age: 1d}}
purposes: {grown: {basis: contract, least_age: 18, for: {en: "for grown-ups", nl: "voor volwassenen"}}}
facts: {birth_date: {type: date, purposes: [service, grown], keep: 30y}}
slots: {screen: {channel: kiosk, unasked: true}}
actions:
	worthless: {intent: information, purpose: service, slots: [screen], WORTHLESS value: 0.00, propensity: 0.5, say_personal: {en: "Hm.", nl: "Hm."}}
	armed: {intent: information, purpose: service, slots: [screen], applicable: rain, keep_armed: 1h, value: 1.00, propensity: 0.5, say_personal: {en: "Rain?", nl: "Regen?"}}
	dry: {intent: information, purpose: service, slots: [screen], suitable: rain, value: 1.00, propensity: 0.5, say_personal: {en: "Dry?", nl: "Droog?"}}
	wine: {intent: information, purpose: grown, slots: [screen], applicable: rain, value: 1.00, propensity: 0.5, say_personal: {en: "Wine?", nl: "Wijn?"}}
`
	for _, c := range []struct {
		name, worthless, cause string
		clock                  sense.ClockState
	}{
		{"who was looked at", "", "not_worth_bother", sense.ClockSynced},
		{"who was not", "eligible: rain,", "not_suitable", sense.ClockSynced},
		{"by the clock", "", "clock_untrusted", sense.ClockUnknown},
	} {
		d := deskOf(t, strings.ReplaceAll(common, "WORTHLESS", c.worthless))
		d.mind.clock = c.clock
		d.tell(`{"fact":"birth_date","customer":"anna","value":"1980-03-05","provenance":"declared"}`, `{"signal":"rain","value":false}`, annaTaps)
		if cause := d.mind.sessions[0].silence[0]; cause != c.cause {
			t.Errorf("%s: %s, want %s", c.name, cause, c.cause)
		}
	}
}

// TestEligibilityGrowsWithCandidates: what is kept of slots and actions grows with how many actions name a slot, not with
// one times the other.
func TestEligibilityGrowsWithCandidates(t *testing.T) {
	const actions, slots = 1 << 16, 1 << 10
	candidates := make([][]int32, slots)
	for k := range candidates {
		candidates[k] = []int32{0, 63, 64, actions - 1}
	}
	quick := make([]quick, actions)
	quick[63].plain, quick[64].plain, quick[64].ambient = true, true, true
	for _, l := range eligibilityOf(candidates, quick) {
		want := []slotWord{{0, 1, 1 << 63}, {1, 0, 1}, {actions/64 - 1, 1 << 63, 0}}
		if !slices.Equal(l.words, want) || !slices.Equal(l.purposes, []int32{63}) {
			t.Fatalf("%v of purposes of %v, want %v", l.words, l.purposes, want)
		}
	}
}

// TestSilenceIsToldByTheWorthiestOfAStage: of those that fell at the stage suitable the one worth most tells, also where
// it was not looked at for the decision and another was.
func TestSilenceIsToldByTheWorthiestOfAStage(t *testing.T) {
	d := deskOf(t, `signals: {rain: {type: bool, max_age: 1d}, cost: {type: double, max_age: 1d}}
slots: {screen: {channel: kiosk, unasked: true}}
actions:
	armed: {intent: information, purpose: service, slots: [screen], suitable: rain, keep_armed: 1h, value: 1.00, propensity: 0.5, say_personal: {en: "Rain?", nl: "Regen?"}}
	worth: {intent: information, purpose: service, slots: [screen], suitable: cost > 1.0, value: 9.00, propensity: 0.5, say_personal: {en: "Worth?", nl: "Waard?"}}
`)
	d.tell(`{"signal":"rain","value":false}`, annaTaps)
	if cause := d.mind.sessions[0].silence[0]; cause != "input_unknown" {
		t.Errorf("%s, want input_unknown", cause)
	}
}

// TestLooksAtEligibleAlone: a decision that shows something has looked at no candidate whose condition does not hold.
func TestLooksAtEligibleAlone(t *testing.T) {
	d := deskOf(t, `signals: {rain: {type: bool, max_age: 1d}, cost: {type: double, max_age: 1d}}
slots: {screen: {channel: kiosk}}
actions:
	dry: {intent: information, purpose: service, slots: [screen], suitable: "!rain", value: 1.00, propensity: 0.5, say: {en: "Dry.", nl: "Droog."}}
	rainy: {intent: information, purpose: service, slots: [screen], applicable: rain, value: 9.00, propensity: 0.5, say: {en: "Wet.", nl: "Nat."}}
	unknown: {intent: information, purpose: service, slots: [screen], eligible: "!rain && cost > 1.0", value: 9.00, propensity: 0.5, say: {en: "Wet?", nl: "Nat?"}}
`)
	d.tell(annaTaps, `{"signal":"rain","value":false}`, `{"ask":"screen"}`)
	d.wants("dry", "")
	of := d.mind.makings[0]
	if len(of.candidates) != 1 || len(d.last().Rejected) != 2 {
		t.Errorf("it looked at %d candidates, and says why %d fell", len(of.candidates), len(d.last().Rejected))
	}
}
