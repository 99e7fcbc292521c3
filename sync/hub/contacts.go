package hub

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// decided takes a decision, made in that epoch and indexed under that number. Where something was
// said to somebody it is a contact, which limits and pauses of every device count.
func (r *run) decided(x *wire.Decision, epoch, seq uint64) error {
	action, err := r.name(x.Action) // so that the table is asked for while the device is there
	if err != nil {
		return err
	}
	slot, err := r.name(x.Slot)
	if err != nil {
		return err
	}
	d := Decision{Device: r.device, Epoch: epoch, N: x.N, Seq: seq, At: r.when(x.At), Handle: x.Handle, Action: action, Slot: slot}
	if action == "" {
		d.Slot = ""
		r.write(AddDecision{d})
		return nil
	}
	b, err := r.catalog()
	if err != nil {
		return err
	}
	d.describe(b)
	r.write(AddDecision{d})
	return r.touchContact(x.Handle)
}

// describe says what a contact is by a bundle, which may be nil. One that says nothing of the
// action leaves the contact as it is.
func (d *Decision) describe(b *catalog.Bundle) {
	if b == nil {
		return
	}
	a := b.Action(d.Action)
	if a == nil {
		return
	}
	d.Intent, d.About = a.Intent.String(), string(a.About)
	if a.Group >= 0 {
		d.Group = b.Groups[a.Group].Name
	}
	if s := b.Slot(d.Slot); s != nil {
		d.Channel = s.Channel
	}
}

// when is an instant of the device's clock: nothing is ahead of now, and what was dated by a
// clock that knew no time counts from now on, which is the careful reading of limits and pauses.
func (r *run) when(ms int64) sense.Instant {
	if r.batch.Clock == sense.ClockUnknown {
		return r.now
	}
	return min(sense.Instant(ms), r.now)
}

// catalog returns the bundle that the batch was made under; nil where it is not here.
func (r *run) catalog() (*catalog.Bundle, error) {
	if r.looked {
		return r.made, nil
	}
	prefix := r.batch.Bundle.String()
	for name, b := range r.bundles { // order: at most one bundle has these eight bytes
		if strings.HasPrefix(name, prefix) {
			r.looked, r.made = true, b
			return b, nil
		}
	}
	d, err := r.step.device(r.device)
	if err != nil {
		return nil, err
	}
	wants, err := r.view.Wants()
	if err != nil {
		return nil, err
	}
	r.looked = true
	names := []string{d.Birth.Bundle.SHA256, d.Reported.Bundle.SHA256}
	for _, w := range wants {
		names = append(names, w.SHA256)
	}
	for _, name := range names {
		if r.made == nil && strings.HasPrefix(name, prefix) {
			if r.made, err = r.bundle(name); err != nil {
				return nil, err
			}
		}
	}
	return r.made, nil
}

// touchContact notes that the customer of a handle was met, or answered, on this device. Whoever the hub
// does not know the handle of is nobody's business.
func (r *run) touchContact(h wire.Handle) error {
	if h.IsNone() {
		return nil
	}
	id, told := r.bound[h]
	if !told {
		if id, told = r.holders[h]; !told {
			held, _, err := r.view.Holding(r.device, h)
			if err != nil {
				return err
			}
			id = held.ID
			r.holders[h] = id
		}
	}
	if id != "" {
		r.out.touched.contact(id, holder{r.device, h})
	}
	return nil
}

// maxOutcomes is how many answers to one contact a slice carries.
const maxOutcomes = 64

// encounter is a contact as every device shall know it.
type encounter struct {
	of *Contacted
	x  profile.Exposure
}

// encounters returns contacts as the devices keep them, in order of time, each decision once. What the
// hub could not name is named by the bundle b.
func encounters(list []Contacted, b *catalog.Bundle) []encounter {
	all := make([]encounter, 0, len(list))
	for k := range list {
		c := &list[k]
		if n := len(all); n > 0 && all[n-1].of.Device == c.Device && all[n-1].of.Epoch == c.Epoch && all[n-1].of.N == c.N {
			continue // another record with the same number: the first one counts
		}
		all = append(all, encounter{of: c, x: c.exposure(b)})
	}
	slices.SortStableFunc(all, func(a, b encounter) int {
		return cmp.Or(compare(a.x.At, b.x.At), strings.Compare(a.x.Decision, b.x.Decision))
	})
	return all
}

// exposure is a contact with its answers, folded as a device folds them: the first word says whether it
// failed; it was shown when that was told, else when anything but a failure was; shown, ignored and failed
// are told once. What was dated before the decision counts from that on.
func (c *Contacted) exposure(b *catalog.Bundle) profile.Exposure {
	d := c.Decision
	if d.Intent == "" {
		d.describe(b)
	}
	x := profile.Exposure{Decision: DecisionID(d.Device, d.Epoch, d.N), Action: d.Action, Intent: d.Intent, Group: d.Group,
		About: event.Subject(d.About), Channel: d.Channel, Slot: d.Slot, At: d.At}
	told := slices.DeleteFunc(slices.Clone(c.Outcomes), func(o Outcome) bool { return o.Outcome == Answered || o.Outcome == "" })
	slices.SortStableFunc(told, inOrder)
	for _, o := range told {
		one := profile.Outcome{Outcome: o.Outcome, At: max(o.Happened, d.At)}
		once := o.Outcome == "shown" || o.Outcome == "ignored" || o.Outcome == "failed"
		if slices.ContainsFunc(x.Outcomes, func(y profile.Outcome) bool { return y == one || once && y.Outcome == one.Outcome }) {
			continue
		}
		x.Failed = x.Failed || len(x.Outcomes) == 0 && o.Outcome == "failed"
		if x.Shown == 0 && o.Outcome != "failed" || o.Outcome == "shown" {
			x.Shown = one.At
		}
		x.Outcomes = append(x.Outcomes, one)
	}
	if n := len(x.Outcomes); n > maxOutcomes {
		x.Outcomes = x.Outcomes[n-maxOutcomes:]
	}
	return x
}

// inOrder is the order in which answers were given: of one instant that in which a device wrote them down.
func inOrder(a, b Outcome) int {
	if n := compare(a.Happened, b.Happened); n != 0 {
		return n
	}
	device, epoch, seq, _ := ParseDecisionID(a.By)
	other, otherEpoch, otherSeq, _ := ParseDecisionID(b.By)
	return cmp.Or(strings.Compare(device, other), compare(epoch, otherEpoch), compare(seq, otherSeq), strings.Compare(a.By, b.By))
}

// wireExposure is a contact for a slice.
func wireExposure(x *profile.Exposure) wire.SliceExposure {
	w := wire.SliceExposure{Decision: x.Decision, Action: x.Action, Intent: x.Intent, Group: x.Group, About: string(x.About),
		Channel: x.Channel, Slot: x.Slot, At: int64(x.At), Shown: int64(x.Shown), Failed: x.Failed}
	for _, o := range x.Outcomes {
		w.Outcomes = append(w.Outcomes, wire.SliceOutcome{Outcome: o.Outcome, At: int64(o.At)})
	}
	return w
}

// findHolders looks at once for the customers of all contacts that a batch tells of.
func (r *run) findHolders(o *Opened) error {
	r.holders = map[wire.Handle]string{}
	var handles []wire.Handle
	for k := range o.records {
		var h wire.Handle
		switch x := o.records[k].record.(type) {
		case *wire.Decision:
			h = x.Handle
		case *wire.Outcome:
			h = x.Handle
		}
		if _, have := r.holders[h]; !have && !h.IsNone() {
			r.holders[h] = ""
			handles = append(handles, h)
		}
	}
	if handles == nil {
		return nil
	}
	ids, err := r.view.Customers(r.device, handles)
	for h, id := range ids { // order: each key apart
		r.holders[h] = id
	}
	return err
}
