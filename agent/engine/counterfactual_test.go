package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/context/sense"
)

const whyNotPolicy = `policy: counter
version: 1
currency: EUR
languages: [en]
session: {ends: "people == 0", after: 20s, at_most: 1d}
zone: Europe/Amsterdam
purposes:
  service: {basis: contract, for: {en: "to help you"}}
  offers:  {basis: consent, for: {en: "for personal offers"}}
signals:
  speed: {type: double, unit: km/h, max_age: 5s}
  temperature: {type: double, max_age: 30m}
  people: {type: int, max_age: 5s}
  rain: {type: bool, max_age: 5s}
states:
  alone: {when: "people == 1", unknown: not_alone}
facts:
  name.first: {type: string, purposes: [service, offers], from: [declared], keep: 2y}
  tyres: {type: string, purposes: [service], from: [declared], one_of: [winter, summer], keep: 2y}
interactions:
  complaint: {keep: 2y, purposes: [service], negative: true, open_until: resolved, cool_off: 14d}
  booking: {keep: 1y, purposes: [offers]}
  purchase: {keep: 7y, purposes: [service, offers], blocks: {offer_of: same_or_kind}}
slots:
  main: {channel: web}
  shared: {channel: kiosk, shared_screen: true}
actions:
  cheap: {intent: service, purpose: service, slots: [main, shared], value: 20, propensity: 0.10, bother: 0.05, say: {en: "Cheap."}}
  dear: {intent: service, purpose: service, slots: [main], value: 10, propensity: 0.10, bother: 0.05, say: {en: "Dear."}}
  slow: {intent: service, purpose: service, slots: [main], value: 100, propensity: 0.10, bother: 0.05, applicable: "speed <= 5.0", say: {en: "Slow."}}
  cold: {intent: service, purpose: service, slots: [main], value: 100, propensity: 0.10, bother: 0.05, applicable: "temperature < 3.0 && (rain || speed < 10.0)", say: {en: "Cold."}}
  sold: {intent: sales, purpose: offers, about: product:x, slots: [main], value: 100, propensity: 0.10, bother: 0.05, eligible: "!booked('product:x')", say: {en: "Sold."}}
  named: {intent: service, purpose: service, slots: [main], value: 100, propensity: 0.10, bother: 0.05, say_personal: {en: "{name.first}!"}}
  grip: {intent: service, purpose: service, slots: [main], value: 30, propensity: 0.10, bother: 0.05, suitable: "tyres == 'winter'", say: {en: "Grip."}}
  eyes: {intent: service, purpose: service, slots: [shared], value: 100, propensity: 0.10, bother: 0.05, say_personal: {en: "{name.first}, look."}, suitable: "has(name.first)"}
contact:
  limits: [{action: slow, at_most: 1, counting: shown, per: rolling 2d}]
`

// whyDesk is a desk on the policy of these tests whose moments are kept.
func whyDesk(t testing.TB, text string) (*desk, *BundleUpdate) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, findings, err := policy.Compile(dir)
	if err != nil || b == nil {
		t.Fatalf("compile: %v %+v", err, findings)
	}
	u := &BundleUpdate{Bundle: b, Hash: catalog.Hash(catalog.Encode(b))}
	d := &desk{t: t, mind: New(Config{Device: "replay", Leased: true, Moments: true})}
	d.now, _ = sense.ParseInstant("2026-03-02T10:00:00+01:00")
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: u})))
	return d, u
}

// past thaws the last decision.
func (d *desk) past(u *BundleUpdate) *Past {
	d.t.Helper()
	for k := len(d.outs) - 1; k >= 0; k-- {
		if n := len(d.outs[k].Moments); n > 0 {
			p, err := Thaw(u, d.outs[k].Moments[n-1].Bytes)
			if err != nil {
				d.t.Fatal(err)
			}
			return p
		}
	}
	d.t.Fatal("no moment")
	return nil
}

func texts(a Answer) string {
	if a.Never != catalog.NoReason {
		return "never: " + a.Never.String()
	}
	var all []string
	for k := range a.Changes {
		all = append(all, a.Changes[k].Text())
	}
	return strings.Join(all, "; ")
}

func TestWhyNot(t *testing.T) {
	const who = `{"identify":"anna","by":"card"}`
	const ask = `{"ask":"main"}`
	for _, one := range []struct {
		name   string
		lines  []string
		action string
		want   string
	}{
		{"a value", []string{who, `{"signal":"speed","value":50.0}`, ask}, "dear", "worth more than 1.95 (cheap): value at least 20.01"},
		{"one atom", []string{who, `{"signal":"speed","value":50.0}`, ask}, "slow", "speed <= 5 instead of 50"},
		{"an unknown one", []string{who, `{"signal":"speed","value":8.0}`, ask}, "cold", "temperature known, and temperature < 3"},
		{"the cheaper side of an or", []string{who, `{"signal":"temperature","value":9.0}`, `{"signal":"rain","value":false}`, ask}, "cold",
			"temperature < 3 instead of 9; rain"},
		{"consent", []string{who, ask}, "sold", "offers granted"},
		{"consent and a complaint", []string{who, `{"interaction":"complaint","customer":"anna","ref":"c1"}`, ask}, "sold", "offers granted; no complaint (complaint 2026-03-02)"},
		{"time", []string{who, `{"consent":"offers","customer":"anna","granted":true}`, `{"interaction":"complaint","customer":"anna","ref":"c1"}`,
			`{"interaction":"resolved","customer":"anna","ref":"c1"}`, ask}, "sold", "after 2026-03-16 10:00 (complaint 2026-03-02)"},
		{"a name for the text", []string{who, ask}, "named", "name.first known"},
		{"a fact", []string{who, `{"fact":"tyres","customer":"anna","value":"summer","provenance":"declared"}`, ask}, "grip", "tyres == 'winter' instead of summer"},
		{"alone", []string{who, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, `{"signal":"people","value":2}`, `{"ask":"shared"}`}, "eyes", "people == 1 instead of 2"},
	} {
		t.Run(one.name, func(t *testing.T) {
			d, u := whyDesk(t, whyNotPolicy)
			d.tell(one.lines...)
			p := d.past(u)
			before := string(p.Decision().AppendJSON(nil, -1))
			a, err := p.WhyNot(one.action)
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(a); got != one.want {
				t.Errorf("why not %s: %q, want %q\n%s", one.action, got, one.want, before)
			}
			if after := string(p.Decision().AppendJSON(nil, -1)); after != before {
				t.Errorf("the moment is another one afterwards:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

func TestWhyNotOfWhatWon(t *testing.T) {
	d, u := whyDesk(t, whyNotPolicy)
	d.tell(`{"identify":"anna","by":"card"}`, `{"ask":"main"}`)
	for _, action := range []string{"cheap", "nobody", "eyes"} {
		if _, err := d.past(u).WhyNot(action); !errors.Is(err, ErrNotRejected) {
			t.Errorf("why not %s: %v", action, err)
		}
	}
}

// A limit is lifted by time, told in the policy's zone.
func TestWhyNotLimit(t *testing.T) {
	d, u := whyDesk(t, whyNotPolicy)
	d.tell(`{"identify":"anna","by":"card"}`, `{"signal":"speed","value":0.0}`, `{"ask":"main"}`)
	d.at(sense.Hour)
	d.tell(`{"identify":"anna","by":"card"}`, `{"signal":"speed","value":0.0}`, `{"ask":"main"}`)
	a, err := d.past(u).WhyNot("slow")
	if err != nil || texts(a) != "after 2026-03-04 10:00" {
		t.Errorf("%q, %v", texts(a), err)
	}
}

func TestSmallest(t *testing.T) {
	d, u := whyDesk(t, whyNotPolicy)
	d.tell(`{"identify":"anna","by":"card"}`, `{"signal":"speed","value":50.0}`, `{"ask":"main"}`)
	p := d.past(u)
	// named lacks one fact and slow one atom, grip one fact, sold one consent, all without money: the smallest name wins.
	a := p.Smallest()
	if a.Action != "grip" || len(a.Changes) != 1 || a.Money() != 0 {
		t.Errorf("%s: %s", a.Action, texts(a))
	}
}

// A cheaper action may come to win with one change, where that change takes the winner down.
func TestSmallestTopplesTheWinner(t *testing.T) {
	text := strings.Replace(whyNotPolicy, `  dear: {intent: service, purpose: service, slots: [main], value: 10, propensity: 0.10,`,
		`  dear: {intent: service, purpose: service, slots: [main], value: 10, applicable: "rain", propensity: 0.10,`, 1)
	text = text[:strings.Index(text, "  slow: {")] + `  fair: {intent: service, purpose: service, slots: [main], value: 300, applicable: "!rain", propensity: 0.10, bother: 0.05, say: {en: "Fair."}}
`
	text = strings.Replace(text, "cheap: {intent: service, purpose: service, slots: [main, shared], value: 20,", "cheap: {intent: service, purpose: service, slots: [shared], value: 20,", 1)
	d, u := whyDesk(t, text)
	d.tell(`{"identify":"anna","by":"card"}`, `{"signal":"rain","value":false}`, `{"ask":"main"}`)
	d.wants("fair", "")
	if a := d.past(u).Smallest(); a.Action != "dear" || texts(a) != "rain" || a.Money() != 0 {
		t.Errorf("%s: %s", a.Action, texts(a))
	}
}

// Whatever is answered is true: laid over the moment it makes the action win, which try has seen; and
// no other single trial needs less than what Smallest tells.
func TestSmallestIsSmallest(t *testing.T) {
	for seed, u := range examples(t) {
		n := 0
		lives(t, u, uint64(seed), 200, func(_ *Mind, o Output) {
			for _, one := range o.Moments {
				if n++; n > 60 {
					return
				}
				p, err := Thaw(u, one.Bytes)
				if err != nil {
					t.Fatal(err)
				}
				before := string(p.Decision().AppendJSON(nil, -1))
				smallest := p.Smallest()
				for _, r := range one.Decision.Rejected {
					a, err := p.WhyNot(r.Action)
					if err != nil {
						t.Fatal(err)
					}
					if a.Never == catalog.NoReason && len(a.Changes) == 0 {
						t.Errorf("%s of %s: wins without a change", r.Action, one.Decision.ID)
					}
					if a.Never == catalog.NoReason && (smallest.Action == "" || a.less(&smallest)) {
						t.Errorf("%s %s: %s (%d) is smaller than %s (%d)", u.Bundle.Name, one.Decision.ID, texts(a), a.Money(), texts(smallest), smallest.Money())
					}
				}
				if after := string(p.Decision().AppendJSON(nil, -1)); after != before {
					t.Fatalf("the moment is another one afterwards:\n%s\nwas\n%s", after, before)
				}
			}
		})
	}
}

// thousand is a policy of 1,000 actions in one slot, of all sorts.
func thousand() string {
	var b strings.Builder
	b.WriteString(strings.Replace(whyNotPolicy[:strings.Index(whyNotPolicy, "\nactions:\n")+1], "counter", "thousand", 1))
	b.WriteString("actions:\n")
	for k := range 1000 {
		fmt.Fprintf(&b, "  a%03d: {intent: %s, purpose: %s, about: \"product:p%d\", slots: [main], value: %d, propensity: 0.10, bother: 0.05, applicable: \"speed < %d.0 && temperature > %d.0 || people == %d\", say: {en: \"A.\"}}\n",
			k, [...]string{"service", "sales"}[k%2], [...]string{"service", "offers"}[k%2], k, 5+k*7%300, 1+k%97, k%53-10, k%11)
	}
	return b.String()
}

// BenchmarkSmallestMandatory is the same where what won had to come first, and has to fall for the others.
func BenchmarkSmallestMandatory(b *testing.B) {
	d, u := whyDesk(b, thousand()+"  first: {intent: recovery, purpose: service, slots: [main], mandatory: true, value: 1, propensity: 0.05, bother: 0.05, eligible: \"open(complaint)\", say_personal: {en: \"First.\"}}\n")
	d.tell(`{"identify":"anna","by":"card"}`, `{"interaction":"complaint","customer":"anna","ref":"c1"}`, `{"signal":"speed","value":40.0}`, `{"signal":"temperature","value":5.0}`, `{"ask":"main"}`)
	raw := d.outs[len(d.outs)-1].Moments[0].Bytes
	b.ReportAllocs()
	for b.Loop() {
		p, err := Thaw(u, raw)
		if err != nil {
			b.Fatal(err)
		}
		if a := p.Smallest(); texts(a) != "complaint resolved" {
			b.Fatalf("%s: %s", a.Action, texts(a))
		}
	}
	b.ReportMetric(perOp(b)/1e6, "explain.smallest.1000.mandatory:ms")
	b.ReportMetric(10, "explain.smallest.1000.mandatory:ms:at-most")
}

// BenchmarkSmallest is the smallest change that would have made another of 1,000 actions win, and that of one of them.
func BenchmarkSmallest(b *testing.B) {
	d, u := whyDesk(b, thousand())
	d.tell(`{"identify":"anna","by":"card"}`, `{"signal":"speed","value":40.0}`, `{"signal":"temperature","value":5.0}`, `{"ask":"main"}`)
	raw := d.outs[len(d.outs)-1].Moments[0].Bytes
	run := func(name string, f func(p *Past) Answer) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := Thaw(u, raw)
				if err != nil {
					b.Fatal(err)
				}
				if a := f(p); a.Action == "" {
					b.Fatal("nothing")
				}
			}
			b.ReportMetric(float64(len(raw)), "moment-bytes")
			if name == "overall" {
				b.ReportMetric(perOp(b)/1e6, "explain.smallest.1000:ms")
				b.ReportMetric(10, "explain.smallest.1000:ms:at-most")
			}
		})
	}
	run("thaw", func(*Past) Answer { return Answer{Action: "-"} })
	run("overall", (*Past).Smallest)
	run("loser", func(p *Past) Answer { a, _ := p.WhyNot(BestLoser(p.decision())); return a })
	run("condition", func(p *Past) Answer { a, _ := p.WhyNot("a002"); return a })
}
