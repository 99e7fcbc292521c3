package engine

import (
	"testing"

	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

const careAndSale = `
slots: {screen: {channel: kiosk}, side: {channel: kiosk}, door: {channel: kiosk}}
actions:
	mats: {intent: sales, purpose: offers, about: product:mats, slots: [screen], value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Mats?", nl: "Matten?"}}
	warn: {intent: service, purpose: care, slots: [side], value: 10.00, propensity: 0.1, bother: 0.05, say_personal: {en: "Look!", nl: "Kijk!"}}
	hats: {intent: sales, purpose: offers, about: product:hats, slots: [door], value: 10.00, propensity: 0.1, bother: 0.05, say: {en: "Hats!", nl: "Hoeden!"}}
contact:
	pauses: [{about: same, after: dismissed, for: 2h}]
`

// asks has three slots asked, and wants what each came to: an action, or the cause of its silence.
func (d *desk) asks(screen, side, door string) {
	d.t.Helper()
	for slot, want := range map[string]string{"screen": screen, "side": side, "door": door} {
		d.tell(`{"ask":"` + slot + `"}`)
		got := d.last().Action
		if got == silence {
			got = d.last().Cause
		}
		if got != want {
			d.t.Errorf("%s shows %s, want %s", slot, got, want)
		}
	}
}

// TestHerNoOutlivesTheLease: what she refused here holds while the hub does not know of it, whatever becomes of
// the slice: its lease ends, she comes again, one comes that was made before she spoke.
func TestHerNoOutlivesTheLease(t *testing.T) {
	for _, c := range []struct {
		name, says           string
		leased, ended, again [3]string
	}{
		{name: "consent", says: `{"consent":"offers","customer":"anna","granted":false}`,
			leased: [3]string{"consent_withdrawn", "warn", "hats"}, ended: [3]string{"consent_denied", "lease_ended", "hats"}, again: [3]string{"consent_withdrawn", "warn", "hats"}},
		{name: "objection", says: `{"objection":"care","customer":"anna","raised":true}`,
			leased: [3]string{"mats", "objected", "hats"}, ended: [3]string{"consent_unknown", "objected", "hats"}, again: [3]string{"mats", "objected", "hats"}},
		{name: "restriction", says: `{"restrict":"anna","on":true}`,
			leased: [3]string{"restricted", "restricted", "hats"}, ended: [3]string{"consent_unknown", "restricted", "hats"}, again: [3]string{"restricted", "restricted", "hats"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := fleetDesk(t, careAndSale, false)
			d.tell(annaTaps)
			granted := func(revision uint64, until sense.Instant) {
				d.sends(SliceUpdate{Revision: revision, Until: until, Through: 1, Slice: agreed()})
			}
			granted(1, d.now.Add(sense.Day))
			d.tell(`{"link":"down"}`)
			d.asks("mats", "warn", "hats")
			d.tell(c.says)
			d.asks(c.leased[0], c.leased[1], c.leased[2])
			d.tell(`{"identify":null}`)
			d.at(2 * sense.Day)
			d.tell(annaTaps)
			d.asks(c.ended[0], c.ended[1], c.ended[2])
			// After a restart too.
			again, err := Restore(d.mind.cfg, d.mind.Snapshot(), nil)
			if err != nil {
				t.Fatal(err)
			}
			b := d.mind.bundle
			d.mind = again
			d.outs = append(d.outs, kept(d.mind.Step(Input{At: d.now, Bundle: &BundleUpdate{Bundle: b}})))
			d.tell(`{"clock":{"now":"2026-03-04T10:00:00+01:00","state":"synced","zone":"Europe/Amsterdam"}}`, annaTaps)
			d.asks(c.ended[0], c.ended[1], c.ended[2])
			d.tell(`{"link":"up"}`)
			granted(2, d.now.Add(sense.Day)) // made before her word came
			d.asks(c.again[0], c.again[1], c.again[2])
			if c := d.mind.byID["anna"]; len(c.Pending) != 1 {
				t.Errorf("%d words wait to be sent, want hers", len(c.Pending))
			}
		})
	}
}

// TestHerNoBeforeTheSlice: a customer of whom nothing is here yet says no, and is heard.
func TestHerNoBeforeTheSlice(t *testing.T) {
	d := fleetDesk(t, careAndSale, false)
	d.tell(`{"link":"down"}`, annaTaps)
	d.asks("consent_unknown", "warn", "hats")
	d.tell(`{"outcome":"never","decision":"last","slot":"door"}`, `{"objection":"care","customer":"anna","raised":true}`, `{"consent":"offers","customer":"anna","granted":false}`)
	d.asks("consent_denied", "objected", "asked_never")
	d.at(sense.Second)
	d.tell(`{"objection":"care","customer":"anna","raised":false}`, `{"consent":"offers","customer":"anna","granted":true}`)
	d.asks("consent_unknown", "warn", "asked_never") // a yes is nothing by which the rest were known
	// Each decision can be made again from its moment: what was heard is in it.
	if n := d.madeAgain(); n != 9 {
		t.Errorf("%d moments, want 9", n)
	}
}

// TestNothingIsToldForWhatSheRefused: what is told of her after her lease has ended waits with what she said before.
func TestNothingIsToldForWhatSheRefused(t *testing.T) {
	d := fleetDesk(t, `
facts: {size: {type: string, purposes: [offers], keep: 2y}}
`+careAndSale, false)
	d.tell(annaTaps)
	d.sends(SliceUpdate{Revision: 1, Until: d.now.Add(sense.Day), Slice: agreed()})
	d.tell(`{"link":"down"}`, `{"consent":"offers","customer":"anna","granted":false}`)
	d.at(2 * sense.Day)
	d.tell(`{"fact":"size","customer":"anna","value":"M","provenance":"declared"}`)
	o := d.outs[len(d.outs)-1]
	if n := len(o.Persist); n != 1 || len(o.Withhold) != 1 || o.Withhold[0] != o.Persist[0].Seq {
		t.Errorf("withheld is %v of %+v: she withdrew her consent for it", o.Withhold, o.Persist)
	}
	if state, _ := d.mind.byID["anna"].Slice.Consent("offers", d.now); state == profile.ConsentGranted {
		t.Error("consent is granted")
	}
}
