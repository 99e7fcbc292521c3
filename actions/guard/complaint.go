package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// openComplaint holds sales while something is wrong between the customer and the company.
func openComplaint(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales {
		return Verdict{}
	}
	var d Verdict
	v.each(func(k *catalog.Kind, i *profile.Interaction) {
		if !k.Negative || k.OpenUntil < 0 {
			return
		}
		if _, closed := v.Slice.Closed(v.Bundle, k, i); !closed {
			d = refuse(catalog.OpenComplaint, v.dated(i))
		}
	})
	return d
}

// complaintCoolOff holds sales for a while after it was put right.
func complaintCoolOff(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales {
		return Verdict{}
	}
	var d Verdict
	v.each(func(k *catalog.Kind, i *profile.Interaction) {
		if !k.Negative || k.OpenUntil < 0 {
			return
		}
		at, closed := v.Slice.Closed(v.Bundle, k, i)
		if end := at.Add(k.CoolOff); closed && v.Now < end && end > d.Until {
			d = refuse(catalog.ComplaintCoolOff, v.dated(i))
			d.Until = end
		}
	})
	if d.Until == sense.Never {
		d.Until = 0
	}
	return d
}
