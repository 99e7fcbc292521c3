package embedded

import (
	"slices"
	"strings"
	"testing"
)

// TestAccessList holds the list to the same words as the one that is shipped for Mosquitto.
func TestAccessList(t *testing.T) {
	a := &accounts{tenant: "acme", hub: "tact-hub-acme"}
	for _, c := range []struct{ name, reads, writes, neither string }{
		{"kiosk-1",
			"acme/kiosk-1/dn/# acme/kiosk-1/dn/want acme/kiosk-1/dn/+/x acme/kiosk-1/st/conn acme/_hub/st/conn acme/_g-shops/dn/want",
			"acme/kiosk-1/st/conn acme/kiosk-1/up/log acme/kiosk-1/up/diag/1",
			"other/kiosk-1/up/log other/kiosk-1/dn/# +/kiosk-1/dn/# acme/kiosk-2/dn/want acme/+/dn/want acme/+/dn/# acme/# acme/kiosk-1/# acme/_g-+/dn/want " +
				"acme/_g-/dn/want acme/_g-shops/dn/# acme/_hub/# acme/_hub/up/probe acme/kiosk-1 acme/kiosk-2/up/log acme/kiosk-11/up/log acme//dn/want acme/kiosk-2/st/conn acme/+/st/conn"},
		{"tact-hub-acme",
			"acme/+/st/# acme/+/up/# acme/kiosk-1/up/log acme/_hub/st/conn acme/_hub/up/probe",
			"acme/kiosk-1/dn/want acme/_g-shops/dn/want acme/_hub/st/conn acme/_hub/up/probe",
			"other/+/st/# acme/# other/kiosk-1/dn/want"},
		{"tact-hub-other", "acme/_hub/st/conn", "acme/tact-hub-other/up/log", "acme/+/up/# acme/kiosk-1/dn/want acme/_hub/up/probe"},
	} {
		reads, writes := strings.Fields(c.reads), strings.Fields(c.writes)
		for _, topic := range slices.Concat(reads, writes, strings.Fields(c.neither)) {
			if read := a.may(c.name, "tact/v1/"+topic, false); read != slices.Contains(reads, topic) {
				t.Errorf("%s reads %s: %v", c.name, topic, read)
			}
			if write := a.may(c.name, "tact/v1/"+topic, true); write != slices.Contains(writes, topic) {
				t.Errorf("%s writes %s: %v", c.name, topic, write)
			}
		}
	}
	for _, c := range []struct {
		name, filter string
		may          bool
	}{
		{"tact-hub-acme", "$share/g/tact/v1/acme/+/up/#", true}, {"tact-hub-acme", "$share/g/tact/v1/other/+/up/#", false},
		{"tact-hub-acme", "$share/g", false}, {"kiosk-1", "$share/g/tact/v1/acme/+/up/#", false}, {"kiosk-1", "$share/g/tact/v1/acme/kiosk-1/dn/#", false},
		{"kiosk-1", "#", false}, {"kiosk-1", "tact/v1/acme/kiosk-1/st/#", false}, {"kiosk-1", "$SYS/#", false}, {"kiosk-1", "tact/v1/acme/kiosk-1/dn", false}, {"kiosk-1", "", false},
	} {
		if a.may(c.name, c.filter, false) != c.may {
			t.Errorf("%s reads %s: %v", c.name, c.filter, !c.may)
		}
	}
}
