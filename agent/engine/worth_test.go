package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// TestWeights: a weight counts while its condition is certain to hold, of the action and of its group.
func TestWeights(t *testing.T) {
	d := deskOf(t, `
signals: {rain: {type: bool, max_age: 30m}, queue: {type: int, max_age: 1m}}
slots: {screen: {channel: kiosk}}
groups: {wet: {issue: weather, lever: 10 %, weights: [{when: "queue > 3", lever: -50 %}]}}
actions:
	umbrella: {intent: information, group: wet, slots: [screen], weights: [{when: "rain", lever: 20 %}], value: 10.00, propensity: 0.5, bother: 0.05, say: {en: "Umbrella", nl: "Paraplu"}}
	far: {intent: information, slots: [screen], completes: {elsewhere: 0.30}, value: 10.00, propensity: 0.5, bother: 0.05, say: {en: "Far", nl: "Ver"}}
`)
	for _, c := range []struct {
		lines []string
		value catalog.Micro
	}{
		{nil, 5_450_000}, // unknown rain raises nothing
		{[]string{`{"signal":"rain","value":false}`}, 5_450_000},
		{[]string{`{"signal":"rain","value":true}`}, 6_550_000},
		{[]string{`{"signal":"queue","value":4}`}, 3_250_000},
		{[]string{`{"signal":"queue","value":null}`}, 6_550_000},
	} {
		d.tell(c.lines...)
		d.tell(`{"ask":"screen","count":2}`)
		values := map[string]catalog.Micro{d.last().Action: d.last().Value}
		for _, r := range d.last().List {
			values[r.Action] = r.Value
		}
		if values["umbrella"] != c.value || values["far"] != 4_650_000 {
			t.Errorf("after %v: worth %v, want umbrella %d, far 4650000", c.lines, values, c.value)
		}
	}
}

const ride = `
signals: {demand: {type: double, max_age: 1m}}
slots: {screen: {channel: app, max_text: 40}, board: {channel: board, unasked: true}}
actions:
	ride: {intent: service, slots: [screen, board], price: "8.00 * demand", normal: 8.00, disclose: {en: "{price.percent} more now.", nl: "Nu {price.percent} meer."}, value: 5.00, propensity: 0.5, bother: 0.05, say: {en: "A ride for EUR {price}.", nl: "Rit voor EUR {price}."}}
`

// TestPrice: what depends on the moment says so where it is not the normal price, and the record has both.
func TestPrice(t *testing.T) {
	d := deskOf(t, ride)
	d.tell(`{"ask":"screen"}`)
	d.wants("silence", "input_unknown", "ride applicable input_unknown")
	if b := d.last().Rejected[0].Because; len(b) != 1 || b[0].Name != "demand" {
		t.Errorf("because of %+v", b)
	}
	for demand, want := range map[string]string{
		"1":     "A ride for EUR 8.00.",
		"1.25":  "25 % more now. A ride for EUR 10.00.",
		"1.3":   "30 % more now. A ride for EUR 10.40.",
		"1.125": "12.5 % more now. A ride for EUR 9.00.",
	} {
		d.tell(`{"signal":"demand","value":`+demand+`}`, `{"ask":"screen"}`)
		d.wants("ride", "")
		if x := d.last(); x.Text.Text != want || !x.Priced || x.Normal != 8_000_000 {
			t.Errorf("demand %s: %q, price %d of %d", demand, x.Text.Text, x.Price, x.Normal)
		}
	}
	// What would cost less than nothing has no price.
	d.tell(`{"signal":"demand","value":-1}`, `{"ask":"screen"}`)
	d.wants("silence", "condition_error", "ride applicable condition_error")
	// A text that grew by its disclosure may not fit any more.
	d.tell(`{"signal":"demand","value":12345.25}`, `{"ask":"screen"}`)
	d.wants("silence", "text_too_long", "ride treatment text_too_long")
	if b := d.last().Rejected[0].Because[0]; b.Name != "max_text" || b.Value.Int() <= 40 || b.Needed != "<= 40" {
		t.Errorf("because of %+v", b)
	}
}

// TestPriceComesToBeKnown: a free slot is filled when the price that was missing is there.
func TestPriceComesToBeKnown(t *testing.T) {
	d := deskOf(t, ride)
	d.tell(annaTaps)
	d.tell(`{"signal":"demand","value":1.5}`)
	d.wantsShows("board:ride")
}

func TestAmountAndPercent(t *testing.T) {
	for n, want := range map[catalog.Micro]string{0: "0.00", 8_000_000: "8.00", 10_404_999: "10.40", 10_405_000: "10.41", -1_500_000: "-1.50", 5_000: "0.01", 4_999: "0.00", 1_234_567_890_000: "1234567.89"} {
		if got := string(appendAmount(nil, n)); got != want {
			t.Errorf("amount(%d) = %s, want %s", n, got, want)
		}
	}
	for _, c := range []struct {
		price, normal catalog.Micro
		want          string
	}{{10_000_000, 8_000_000, "25 %"}, {6_000_000, 8_000_000, "25 %"}, {8_004_000, 8_000_000, "0.1 %"}, {8_000_001, 8_000_000, "0.1 %"}, {9_000_000, 8_000_000, "12.5 %"}, {1, 0, ""}, {1 << 62, 1, ""}} {
		if got, _ := appendPercent(nil, c.price, c.normal); string(got) != c.want {
			t.Errorf("percent(%d, %d) = %q, want %q", c.price, c.normal, got, c.want)
		}
	}
}

const budgeted = `
slots: {screen: {channel: kiosk}, side: {channel: kiosk}}
actions:
	cake: {intent: information, slots: [screen, side], value: 10.00, propensity: 0.5, bother: 0.05, say: {en: "Cake", nl: "Taart"}}
	tea: {intent: information, slots: [screen, side], value: 1.00, propensity: 0.5, bother: 0.05, say: {en: "Tea", nl: "Thee"}}
contact:
	volume: [{action: cake, at_most: 2, per: calendar day}]
`

// TestVolume: a budget over all customers counts whoever was shown it, nobody in particular too, until its window turns.
func TestVolume(t *testing.T) {
	d := deskOf(t, budgeted)
	d.tell(annaTaps, `{"ask":"screen"}`, `{"identify":null}`, `{"ask":"screen"}`, `{"identify":"bert","by":"card"}`, `{"ask":"screen"}`)
	d.wants("tea", "", "cake contact volume_spent")
	d.when("2026-03-03T00:00:00+01:00") // the policy's midnight
	d.tell(`{"ask":"screen"}`)
	d.wants("cake", "")
	// What failed is given back, what a screen has shown is not; restarts count on.
	if got := len(d.mind.Snapshot().Volume[0].Shown); got != 2 {
		t.Errorf("%d showings are kept, no more than two can count", got)
	}
}

func TestVolumeFailedAndRestarted(t *testing.T) {
	cfg := Config{Device: "k1", Epoch: 5, Secret: [16]byte{1}}
	bundle := &BundleUpdate{Bundle: written(t, budgeted)}
	d := deskOf(t, budgeted)
	d.mind, d.outs = New(cfg), nil
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: bundle})))
	d.tell(`{"ask":"screen"}`, `{"outcome":"failed","decision":"last"}`, `{"ask":"screen"}`, `{"outcome":"shown","decision":"last"}`, `{"outcome":"failed","decision":"last"}`)
	snap := clone(d.mind.Snapshot())
	at := len(d.outs)
	d.tell(`{"ask":"screen"}`)
	d.wants("cake", "")
	d.tell(`{"ask":"screen"}`)
	d.wants("tea", "", "cake contact volume_spent")
	var above []Record
	for _, o := range d.outs[at:] {
		above = append(above, o.Persist...)
	}
	again, err := Restore(cfg, snap, above)
	if err != nil {
		t.Fatal(err)
	}
	again.Step(Input{At: d.now, Bundle: bundle})
	if a, b := fmt.Sprintf("%+v", again.volume), fmt.Sprintf("%+v", d.mind.volume); a != b {
		t.Errorf("after a restart %s, want %s", a, b)
	}
	d.mind = again
	d.tell(`{"ask":"screen"}`)
	d.wants("tea", "", "cake contact volume_spent")
}

const struck = `
interactions:
	complaint: {keep: 2y, purposes: [service], negative: true}
slots: {screen: {channel: kiosk}}
actions:
	sorry: {intent: recovery, purpose: service, slots: [screen], value: 0.10, propensity: 0.5, bother: 0.01, say_personal: {en: "Sorry", nl: "Sorry"}}
	person: {intent: handoff, purpose: service, slots: [screen], value: 0.20, propensity: 0.5, bother: 0.01, hands_over: {tells: [question, answers, complaint, name.first, last_decisions]}, say_personal: {en: "A person comes", nl: "Er komt iemand"}}
	mats: {intent: sales, purpose: service, about: product:mats, slots: [screen], value: 100.00, propensity: 0.5, bother: 0.05, say_personal: {en: "Mats", nl: "Matten"}}
strikes: {count: negative, in: 90d, at: {1: recovery, 2: no_sales_and_offer_person, 3: hand_over}}
`

// TestStrikes: after the first bad experience recovery comes first, after the second nothing is sold
// and staff are told, at the third a person comes first.
func TestStrikes(t *testing.T) {
	d := deskOf(t, struck)
	complain := func(ref string) string {
		return `{"interaction":"complaint","customer":"anna","ref":"` + ref + `"}`
	}
	handed := func() (n int) {
		for _, o := range d.outs {
			n += len(o.HandOver)
		}
		return n
	}
	d.tell(annaTaps, `{"ask":"screen"}`)
	d.wants("mats", "")
	d.tell(complain("c1"), complain("c1"), `{"ask":"screen"}`)
	d.wants("sorry", "", "mats ranked lost_to_mandatory")
	if handed() != 0 {
		t.Error("staff are told after one")
	}
	d.tell(complain("c2"), `{"ask":"screen"}`)
	d.wants("sorry", "", "mats guard three_strikes")
	if handed() != 1 {
		t.Errorf("staff are told %d times, want once", handed())
	}
	d.tell(`{"ask":"screen"}`, `{"tick":true}`)
	if handed() != 1 {
		t.Errorf("staff are told again: %d times", handed())
	}
	d.tell(complain("c3"), `{"ask":"screen"}`)
	d.wants("person", "", "sorry ranked lost_to_mandatory", "mats guard three_strikes")
	if handed() != 2 {
		t.Errorf("staff are told %d times, want once for each count", handed())
	}
	// Mandatory is never ahead of consent: nobody in particular is offered nothing.
	d.tell(`{"restrict":"anna","on":true}`, `{"ask":"screen"}`)
	d.wants("silence", "restricted", "person legal restricted", "sorry legal restricted")
	d.at(1) // of one instant the no would win
	d.tell(`{"restrict":"anna","on":false}`)
	d.at(91 * sense.Day) // all are too long ago
	d.tell(`{"ask":"screen"}`)
	d.wants("mats", "")
	d.tell(complain("c4"), complain("c5"))
	if handed() != 3 {
		t.Errorf("staff are told %d times, want again where it happens again", handed())
	}
}

// TestHandOver: a person is told what the policy lets her know, for the purpose of what was accepted.
func TestHandOver(t *testing.T) {
	d := deskOf(t, struck)
	d.tell(annaTaps, `{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, `{"fact":"language","customer":"anna","value":"en","provenance":"declared"}`,
		`{"interaction":"complaint","customer":"anna","ref":"c1"}`, `{"ask":"screen","intent":"service","about":"product:mats"}`)
	d.wants("sorry", "")
	d.tell(`{"outcome":"dismissed","decision":"last"}`, `{"ask":"screen","count":2}`)
	d.tell(`{"interaction":"complaint","customer":"anna","ref":"c2"}`, `{"interaction":"complaint","customer":"anna","ref":"c3"}`, `{"ask":"screen"}`)
	d.wants("person", "")
	accepted := d.last().ID
	n := len(d.outs)
	d.tell(`{"outcome":"accepted","decision":"last"}`, `{"outcome":"accepted","decision":"`+accepted+`"}`)
	var all []HandOver
	notes := 0
	for _, o := range d.outs[n:] {
		all = append(all, o.HandOver...)
		for _, r := range o.Persist {
			if r.Event != nil && strings.Contains(fmt.Sprintf("%+v", r.Event.Body), KindHandOver) {
				notes++
			}
		}
	}
	if i := d.mind.byID["anna"].Slice.Interactions; i[len(i)-1].Channel != "kiosk" || i[len(i)-1].Ref != accepted {
		t.Errorf("noted as %+v", i[len(i)-1])
	}
	if len(all) != 1 || notes != 1 {
		t.Fatalf("%d hand-overs, %d on record; want one of each", len(all), notes)
	}
	h := all[0]
	if got := strings.Join(h.Names(), " "); got != "question answers name.first complaint last_decisions" {
		t.Errorf("a person is told %s", got)
	}
	if h.Decision != accepted || h.Action != "person" || h.Customer != "anna" || h.Question == nil || h.Question.Slot != "screen" || len(h.Answers) != 2 || len(h.Decisions) != 3 {
		t.Errorf("told %s", h.AppendJSON(nil))
	}
	if last := h.Decisions[2]; last.Decision != accepted || last.Outcome != "accepted" {
		t.Errorf("the last decision is told as %+v", last)
	}
	// Nothing of a purpose that she refuses.
	d = deskOf(t, struck)
	d.tell(annaTaps, `{"interaction":"complaint","customer":"anna","ref":"c1"}`, `{"interaction":"complaint","customer":"anna","ref":"c2"}`, `{"interaction":"complaint","customer":"anna","ref":"c3"}`, `{"ask":"screen"}`)
	d.wants("person", "")
	d.tell(`{"restrict":"anna","on":true}`, `{"outcome":"accepted","decision":"last"}`)
	if h := d.outs[len(d.outs)-1].HandOver; len(h) != 1 || len(h[0].Facts)+len(h[0].Complaints)+len(h[0].Interactions)+len(h[0].Answers) != 0 {
		t.Errorf("told of a restricted customer: %+v", h)
	}
}
