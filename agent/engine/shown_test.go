package engine

import (
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

// Two slots, one of them a screen that others see.
const screens = `
signals: {people: {type: int, max_age: 5s}, noise: {type: int, max_age: 1h}}
interactions: {purchase: {keep: 1y, purposes: [service], blocks: {offer_of: same}}}
states: {alone: {when: "people == 1", unknown: not_alone}}
session: {ends: "people == 0", after: 20s, at_most: 10m}
slots: {app: {channel: app}, kiosk: {channel: kiosk, shared_screen: true}}
actions:
	bought: {intent: sales, about: product:x, slots: [app, kiosk], value: 9.00, say: {en: "X.", nl: "X."}}
	loud: {intent: information, slots: [app, kiosk], eligible: "noise > 9", value: 9.00, say: {en: "Loud.", nl: "Hard."}}
	bea: {intent: information, purpose: service, slots: [app, kiosk], eligible: "name.first == 'Bea'", value: 9.00, say: {en: "Bea.", nl: "Bea."}}
`

// TestUnsaid: what is personal is told as a reason only where the session may show it.
func TestUnsaid(t *testing.T) {
	for _, c := range []struct {
		name, identify, people, slot string
		told                         bool
	}{
		{"her own card, her own screen", `"by":"card"`, "2", "app", true},
		{"alone before the kiosk", `"by":"card"`, "1", "kiosk", true},
		{"not alone", `"by":"card"`, "2", "kiosk", false},
		{"nobody knows who else stands there", `"by":"card"`, "null", "kiosk", false},
		{"only seen", `"by":"passive"`, "1", "app", false},
		{"a shared card", `"by":"card","shared":true`, "1", "app", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := deskOf(t, screens)
			d.tell(`{"signal":"people","value":`+c.people+`}`, `{"signal":"noise","value":3}`, `{"identify":"anna",`+c.identify+`}`,
				`{"fact":"name.first","customer":"anna","value":"Anna","provenance":"declared"}`, `{"interaction":"purchase","customer":"anna","about":"product:x"}`,
				`{"ask":"`+c.slot+`"}`)
			for _, r := range d.last().Rejected {
				if len(r.Because) != 1 {
					t.Fatalf("%s %s because of %+v", r.Action, r.Reason, r.Because)
				}
				b := r.Because[0]
				told := b.Value.Kind() != sense.Null && b.Age >= 0
				if want := c.told || b.Name == "noise"; told != want {
					t.Errorf("%s %s because of %+v, told %t, want %t", r.Action, r.Reason, b, told, want)
				}
			}
			if n := len(d.last().Rejected); n != 3 {
				t.Errorf("%d rejected, want 3", n)
			}
		})
	}
}
