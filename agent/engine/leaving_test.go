package engine

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

const health = `
purposes:
	discount: {basis: consent, explicit: true, for: {en: "for a discount", nl: "voor korting"}}
signals:
	steps: {type: int, scope: person, purposes: [discount], special: health, max_age: 5m, why: {en: "steps", nl: "stappen"}, leaves_device: never}
	goal_days: {type: int, scope: person, purposes: [discount], special: health, max_age: 30d, why: {en: "days", nl: "dagen"}, leaves_device: never}
derived:
	claim.week_goal: {is: "goal_days >= 5", purposes: [discount], special: health, leaves_device: value, keep: 1y, why: {en: "proof", nl: "bewijs"}}
	score: {is: "100.0 - mean(steps, 5m) / 100.0", purposes: [discount], special: health, leaves_device: value, keep: 1y, why: {en: "score", nl: "score"}}
slots: {wrist: {channel: wearable}}
actions:
	discount: {intent: information, purpose: discount, slots: [wrist], applicable: "claim.week_goal && score > 0", value: 3.00, propensity: 0.5, bother: 0.05, say_personal: {en: "Discount", nl: "Korting"}}
`

const agreesToDiscount = `{"consent":"discount","customer":"anna","granted":true,"text":"v1"}`

// left lists the values that left the device, in order.
func (d *desk) left() string {
	var all []string
	for _, o := range d.outs {
		for _, r := range o.Persist {
			if r.Event == nil {
				continue
			}
			if f, ok := r.Event.Body.(*event.Fact); ok && f.Provenance == event.Observed {
				value := f.Value.String()
				if f.Value.Kind() != sense.Bool {
					value, _, _ = strings.Cut(value, ".")
				}
				all = append(all, f.Name+"="+value)
			}
		}
	}
	return strings.Join(all, " ")
}

func worn(t *testing.T) *desk {
	d := deskOf(t, health)
	d.mind, d.outs = New(Config{Device: "w1", Epoch: 5, Secret: [16]byte{1}}), nil
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, health)}})))
	d.tell(`{"link":"up"}`, annaTaps)
	return d
}

// hold lends the slice, so that what is held of her is certain.
func (d *desk) hold() {
	c := d.mind.byID["anna"]
	slice := c.Slice
	slice.Exposures = nil
	d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Slices: []SliceUpdate{{Handle: c.Handle, Revision: c.Revision + 1, Until: d.now.Add(30 * sense.Day), Slice: &slice}}})))
}

// TestLeaving: a derived value leaves by consent, one at a time: yes and no at their turn, numbers once a
// day and at the end of the session.
func TestLeaving(t *testing.T) {
	d := worn(t)
	d.tell(`{"signal":"goal_days","value":5}`)
	d.hold()
	if got := d.left(); got != "" {
		t.Fatalf("without consent %s left", got)
	}
	d.tell(agreesToDiscount)
	if got := d.left(); got != "claim.week_goal=true" {
		t.Fatalf("with consent %q left", got)
	}
	d.at(sense.Minute)
	d.tell(`{"signal":"goal_days","value":6}`, `{"signal":"steps","value":8123}`)
	d.at(sense.Minute)
	d.tell(`{"signal":"goal_days","value":4}`, `{"signal":"steps","value":8200}`)
	d.tell(`{"signal":"steps","value":8300}`)
	if got := d.left(); got != "claim.week_goal=true score=18 claim.week_goal=false" {
		t.Errorf("%q left: want the number once a day", got)
	}
	d.tell(`{"identify":null}`)
	if got := d.left(); !strings.HasSuffix(got, "claim.week_goal=false score=17") {
		t.Errorf("%q left: want the last number of the session", got)
	}
	d.when("2026-03-03T08:00:00+01:00")
	d.tell(annaTaps, `{"signal":"steps","value":8400}`)
	if got := d.left(); !strings.HasSuffix(got, "score=17 score=16") {
		t.Errorf("%q left: want the number of the next day", got)
	}
	// Withdrawn: nothing more, and what waits is withheld.
	n := len(d.outs)
	d.tell(`{"consent":"discount","customer":"anna","granted":false}`, `{"signal":"goal_days","value":7}`)
	if got := d.left(); !strings.HasSuffix(got, "score=16") {
		t.Errorf("after she withdrew, %q left", got)
	}
	withheld := 0
	for _, o := range d.outs[n:] {
		withheld = max(withheld, len(o.Withhold))
	}
	if withheld != 5 {
		t.Errorf("%d records are withheld, want all 5 that wait", withheld)
	}
}

// TestNothingLeavesBeforeTheSliceIsHere: an objection may stand in it.
func TestNothingLeavesBeforeTheSliceIsHere(t *testing.T) {
	d := worn(t)
	d.tell(agreesToDiscount, `{"signal":"goal_days","value":5}`)
	if got := d.left(); got != "" {
		t.Errorf("%s left", got)
	}
	d.hold()
	if got := d.left(); got != "claim.week_goal=true" {
		t.Errorf("%q left", got)
	}
	// A consent without the words that were agreed to is none for what is special.
	d = worn(t)
	d.tell(strings.Replace(agreesToDiscount, `,"text":"v1"`, "", 1), `{"signal":"goal_days","value":5}`)
	d.hold()
	if got := d.left(); got != "" {
		t.Errorf("without a text %s left", got)
	}
}

// TestLeftIsNotToldAgain: after a restart what left is known, whether the snapshot or the log has it.
func TestLeftIsNotToldAgain(t *testing.T) {
	d := worn(t)
	d.hold()
	d.tell(agreesToDiscount, `{"signal":"goal_days","value":5}`)
	var all []Record
	for _, o := range d.outs {
		all = append(all, o.Persist...)
	}
	for name, from := range map[string]Snapshot{"the log": {}, "the snapshot": clone(d.mind.Snapshot())} {
		again, err := Restore(Config{Device: "w1", Epoch: 5, Secret: [16]byte{1}}, from, all)
		if err != nil {
			t.Fatal(err)
		}
		r := &desk{t: t, mind: again, now: d.now}
		r.outs = append(r.outs, kept(again.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: written(t, health)}})))
		r.tell(`{"link":"up"}`, annaTaps)
		r.hold()
		r.tell(`{"signal":"goal_days","value":5}`)
		if got := r.left(); got != "" {
			t.Errorf("restored from %s, %s left again", name, got)
		}
		if c := r.mind.byID["anna"]; len(c.Slice.Facts) != 0 {
			t.Errorf("restored from %s, what left became a fact of hers: %+v", name, c.Slice.Facts)
		}
	}
}
