package engine

import (
	"testing"

	"github.com/tact-edge/tact/context/sense"
)

// TestASessionThatStaysOpenDoesNotGrow: what is shown to one customer again and again for days is forgotten
// but for how often, as far as nothing counts it.
func TestASessionThatStaysOpenDoesNotGrow(t *testing.T) {
	d := deskOf(t, `
slots: {side: {channel: app, unasked: true, show_for: 5s}}
actions:
	tip: {intent: information, slots: [side], repeat_after: 1m, value: 5.00, propensity: 0.1, bother: 0.05, say: {en: "Tip", nl: "Tip"}}
`)
	d.tell(annaTaps)
	d.at(4 * sense.Day)
	s := &d.mind.customers[0].Slice
	if n := s.Showings("tip"); n != 4*24*60+1 || len(s.Exposures) > 25*60+1 {
		t.Errorf("%d contacts are held of %d", len(s.Exposures), n)
	}
}
