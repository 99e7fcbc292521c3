package engine

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

const topplePolicy = `policy: counter
version: 1
currency: EUR
languages: [en]
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to help you"}}
  offers:  {basis: consent, for: {en: "for personal offers"}}
  club:    {basis: consent, least_age: 16, for: {en: "for the club"}}
signals:
  rain: {type: bool, max_age: 1h}
facts:
  birth_date: {type: date, in_past: true, purposes: [service, club], from: [declared], keep: 5y}
  model: {type: string, one_of: [x, y], purposes: [service], from: [declared], keep: 2y}
interactions:
  complaint: {keep: 2y, purposes: [service], negative: true, open_until: resolved, cool_off: 14d}
  purchase: {keep: 7y, purposes: [service, offers, club], blocks: {offer_of: same_or_kind}}
  booking: {keep: 1y, purposes: [service]}
measures:
  takings: {from: purchase, control: 1.00}
slots:
  main: {channel: web}
actions:
  plain: {intent: service, purpose: service, slots: [main], value: 20, propensity: 0.10, bother: 0.05, say: {en: "Plain."}}
`

// A winner that must come first is taken down by its own conditions, and what takes it down is so for
// everything else that rests on it.
func TestWhyNotMandatory(t *testing.T) {
	const who = `{"identify":"anna","by":"card"}`
	const ask = `{"ask":"main"}`
	const granted = `{"consent":"offers","customer":"anna","granted":true}`
	const complaint = `{"interaction":"complaint","customer":"anna","ref":"c1"}`
	const first = "  first: {intent: recovery, purpose: service, slots: [main], mandatory: true, value: 1, propensity: 0.05, bother: 0.05, "
	const said = `say: {en: "First."}}`
	const sale = "  sale: {intent: sales, purpose: offers, about: product:x, slots: [main], value: 100, propensity: 0.10, bother: 0.05, say: {en: \"Sale.\"}}\n"
	for _, one := range []struct {
		name     string
		actions  string
		lines    []string
		action   string
		want     string
		smallest string
	}{
		{"its condition", first + `applicable: "rain", ` + said, []string{`{"signal":"rain","value":true}`, who, ask}, "plain", "!rain", "plain: !rain"},
		{"a complaint put right", first + `eligible: "open(complaint)", ` + said, []string{who, complaint, ask}, "plain", "complaint resolved", "plain: complaint resolved"},
		// Put right just now, sales still cool off, so there must have been none; that takes both down at once.
		{"no complaint", sale + first + `eligible: "open(complaint)", ` + said, []string{granted, who, complaint, ask}, "sale",
			"no complaint (complaint 2026-03-02)", "plain: complaint resolved"},
		// What was not bought holds no offer of it back either: one change does both.
		{"not bought", sale + first + `eligible: "bought('product:x')", ` + said, []string{granted, who, `{"interaction":"purchase","customer":"anna","about":"product:x"}`, ask}, "plain",
			"!bought('product:x'); worth more than 9.95 (sale): value at least 100.01", "sale: !bought('product:x')"},
		{"two conditions, the smaller", first + `applicable: "rain || model == 'x'", eligible: "!open(complaint)", ` + said,
			[]string{`{"signal":"rain","value":true}`, `{"fact":"model","customer":"anna","value":"x","provenance":"declared"}`, who, ask}, "plain", "open(complaint)", "plain: open(complaint)"},
		{"by strikes", strings.Replace(first, "mandatory: true, ", "", 1) + said, []string{who, complaint, ask}, "plain",
			"bad experiences <= 0 instead of 1", "plain: bad experiences <= 0 instead of 1"},
		{"by consent", strings.Replace(first, "purpose: service", "purpose: offers", 1) + `say_personal: {en: "First."}}`, []string{granted, who, ask}, "plain", "offers not granted", "plain: offers not granted"},
		{"without a condition", first + said, []string{who, ask}, "plain", "never: lost_to_mandatory", ": "},
	} {
		t.Run(one.name, func(t *testing.T) {
			text := topplePolicy + one.actions + "\n"
			if one.name == "by strikes" {
				text += "strikes: {count: negative, in: 90d, at: {1: recovery}}\n"
			}
			d, u := whyDesk(t, text)
			d.tell(one.lines...)
			d.wants("first", "")
			p := d.past(u)
			before := string(p.Decision().AppendJSON(nil, -1))
			a, err := p.WhyNot(one.action)
			if got := texts(a); err != nil || got != one.want {
				t.Errorf("why not %s: %q, %v, want %q\n%s", one.action, got, err, one.want, before)
			}
			if a := p.Smallest(); a.Action+": "+texts(a) != one.smallest {
				t.Errorf("smallest is %s: %s, want %s", a.Action, texts(a), one.smallest)
			}
			if after := string(p.Decision().AppendJSON(nil, -1)); after != before {
				t.Errorf("the moment is another one afterwards:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// What age and lateness hold back is told by the date, and what a person or a draw decides by why nothing does.
func TestWhyNotLasting(t *testing.T) {
	const who = `{"identify":"anna","by":"card"}`
	const ask = `{"ask":"main"}`
	const club = `{"consent":"club","customer":"anna","granted":true}`
	for _, one := range []struct {
		name, action string
		lines        []string
		want, why    string
	}{
		{"too young", `{intent: information, purpose: club, value: 300, propensity: 0.10, bother: 0.05, slots: [main], say_personal: {en: "Join."}}`,
			[]string{club, `{"fact":"birth_date","customer":"anna","value":"2012-05-01","provenance":"declared"}`, who, ask}, "birth_date such that she is at least 16", ""},
		{"of no known age", `{intent: information, purpose: club, value: 300, propensity: 0.10, bother: 0.05, slots: [main], say_personal: {en: "Join."}}`,
			[]string{club, who, ask}, "birth_date such that she is at least 16", ""},
		{"too young, twice asked", `{intent: information, purpose: club, value: 300, propensity: 0.10, bother: 0.05, slots: [main], suitable: "age(birth_date) >= 15", say_personal: {en: "Join."}}`,
			[]string{club, `{"fact":"birth_date","customer":"anna","value":"2012-05-01","provenance":"declared"}`, who, ask}, "birth_date such that she is at least 16", ""},
		{"too late", `{intent: service, purpose: service, before: booking, value: 300, propensity: 0.10, bother: 0.05, slots: [main], say_personal: {en: "In time."}}`,
			[]string{`{"interaction":"booking","customer":"anna","about":"trip:1","due":"2026-03-02T09:30:00+01:00"}`, who, ask}, "before 2026-03-02 09:30", ""},
		{"held out", `{intent: information, purpose: service, measure: takings, value: 300, propensity: 0.10, bother: 0.05, slots: [main], say_personal: {en: "Try."}}`,
			[]string{who, ask}, "never: control_group", "she is held out of it, in the control group"},
		{"a person's", `{intent: service, purpose: service, significant: true, value: 300, propensity: 0.10, bother: 0.05, slots: [main], say_personal: {en: "No."}}`,
			[]string{who, ask}, "never: significant_needs_person", "a person decides it"},
	} {
		t.Run(one.name, func(t *testing.T) {
			d, u := whyDesk(t, topplePolicy+"  that: "+one.action+"\n")
			d.tell(one.lines...)
			d.wants("plain", "")
			p := d.past(u)
			a, err := p.WhyNot("that")
			if err != nil || texts(a) != one.want || a.Why() != one.why {
				t.Errorf("%q (%s), %v, want %q (%s)\n%s", texts(a), a.Why(), err, one.want, one.why, p.Decision().AppendJSON(nil, -1))
			}
			if strings.HasPrefix(one.want, "never") != (a.Never != catalog.NoReason) {
				t.Errorf("never is %s", a.Never)
			}
		})
	}
}

// What of her history a decision rests on is told with its day: what makes a condition hold, not what is beside it.
func TestHappened(t *testing.T) {
	d, u := whyDesk(t, topplePolicy+`  call: {intent: recovery, purpose: service, slots: [main], mandatory: true, value: 1, propensity: 0.05, bother: 0.05, eligible: "open(complaint) && !bought('product:z')", say_personal: {en: "Call."}}`+"\n")
	begun := d.now
	d.tell(`{"interaction":"complaint","customer":"anna","ref":"c0"}`, `{"interaction":"resolved","customer":"anna","ref":"c0"}`)
	d.at(sense.Day)
	d.tell(`{"interaction":"complaint","customer":"anna","ref":"c1"}`)
	d.at(2 * sense.Day)
	d.tell(`{"interaction":"purchase","customer":"anna","about":"product:x"}`, `{"identify":"anna","by":"card"}`, `{"ask":"main"}`)
	d.wants("call", "")
	p := d.past(u)
	if at, ok := p.Happened("call", "complaint"); !ok || at != begun.Add(sense.Day) {
		t.Errorf("it rests on a complaint of %s, %v; want of %s", at, ok, begun.Add(sense.Day))
	}
	for _, kind := range []string{"purchase", "booking", "resolved", "none"} {
		if at, ok := p.Happened("call", kind); ok {
			t.Errorf("it rests on a %s of %s", kind, at)
		}
	}
}
