package guard

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// openComplaint (open_complaint) holds sales while something is wrong between the customer and the
// company: first it is put right.
func openComplaint(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales {
		return Verdict{}
	}
	var d Verdict
	latest := sense.Instant(0)
	v.each(complains, func(k *catalog.Kind, i *profile.Interaction) {
		if _, closed := v.Slice.Closed(v.Bundle, k, i); !closed && (d.OK() || i.Happened > latest) {
			d, latest = v.refuse(catalog.OpenComplaint, v.dated(i)), i.Happened
		}
	})
	return d
}

// complaintCoolOff (complaint_cool_off) holds sales for a while after it was put right.
func complaintCoolOff(v *View, c Candidate) Verdict {
	if c.Action.Intent != catalog.Sales {
		return Verdict{}
	}
	var d Verdict
	v.each(complains, func(k *catalog.Kind, i *profile.Interaction) {
		at, closed := v.Slice.Closed(v.Bundle, k, i)
		if end := at.Add(k.CoolOff); closed && v.Now < end && end > d.Until {
			d = v.refuse(catalog.ComplaintCoolOff, v.dated(i))
			d.Until = end
		}
	})
	if d.Until == sense.Never {
		d.Until = 0
	}
	return d
}

// complains says whether a kind opens something that has to be closed.
func complains(k *catalog.Kind) bool { return k.Negative && k.OpenUntil >= 0 }
