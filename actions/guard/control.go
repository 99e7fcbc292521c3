package guard

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// controlGroup (control_group) leaves some customers out, so that what an action is worth can be measured.
// Service and safety are never held out, and what the customer asks for herself is given.
func controlGroup(v *View, c Candidate) Verdict {
	a := c.Action
	if a.Measure < 0 || v.Person == "" || a.Intent == catalog.Service || a.Intent == catalog.Safety {
		return Verdict{}
	}
	if v.Asked && (v.AskIntent == a.Intent || v.AskAbout != "" && v.AskAbout.Touches(a.About)) {
		return Verdict{}
	}
	m := &v.Bundle.Measures[a.Measure]
	if HeldOut(v.Bundle.Name, m, v.Person) {
		return v.refuse(catalog.ControlGroup, catalog.Because{Name: m.Name, Value: sense.MoneyValue(m.Control), Age: catalog.NoAge})
	}
	return Verdict{}
}

// HeldOut says whether a customer is in the control group of a measure: a hash of policy,
// measure and customer, so that every device and the hub agree without a word.
func HeldOut(policy string, m *catalog.Measure, customer string) bool {
	var room [128]byte // most names fit
	b := append(append(room[:0], policy...), 0)
	b = append(append(append(b, m.Name...), 0), customer...)
	h := sha256.Sum256(b)
	return binary.BigEndian.Uint64(h[:8])%uint64(catalog.One) < uint64(m.Control)
}
