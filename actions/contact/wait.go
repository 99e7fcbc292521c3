package contact

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/sense"
)

// minimumWait: unasked, an action is shown once each time that it becomes right, and not
// again before its repeat_after; between two unasked showings lie the policy's waits.
func minimumWait(v *guard.View, a *catalog.Action, u Unasked) guard.Verdict {
	last := max(u.LastShown, lastShown(v, a.Name))
	switch {
	case last != 0 && a.Repeat != sense.Forever && v.Now < last.Add(a.Repeat):
		return waits(v, last, a.Repeat)
	case u.Served && a.Repeat == sense.Forever:
		return waits(v, last, sense.Forever)
	}
	for k := range v.Bundle.Contact.Waits {
		w := &v.Bundle.Contact.Waits[k]
		if !awaits(v.Bundle, w, a) {
			continue
		}
		if since := lastSame(v, a, w, &u); since != 0 && v.Now < since.Add(w.For) {
			return waits(v, since, w.For)
		}
	}
	return guard.Verdict{}
}

func waits(v *guard.View, since sense.Instant, d sense.Duration) guard.Verdict {
	return guard.Verdict{
		Reason:  catalog.MinimumWait,
		Because: v.Room.Because(catalog.Because{Name: "shown", Value: sense.TimestampValue(since), Age: v.Now.Sub(since), Needed: v.Room.Age("age >= ", d)}),
		Until:   since.Add(d),
	}
}

// awaits says whether an action keeps a wait. A warning waits only where the policy names it.
func awaits(b *catalog.Bundle, w *catalog.Wait, a *catalog.Action) bool {
	named := w.Intent == a.Intent || w.Action >= 0 && b.Actions[w.Action].Name == a.Name
	return (w.Intent == 0 || w.Intent == a.Intent) &&
		(w.Action < 0 || b.Actions[w.Action].Name == a.Name) &&
		(w.Group < 0 || w.Group == a.Group) &&
		(a.Intent != catalog.Safety || named)
}

// lastShown returns when an action was last shown to the customer, asked or not; 0 where never.
func lastShown(v *guard.View, action string) sense.Instant {
	last := sense.Instant(0)
	if v.Slice == nil {
		return 0
	}
	for k := range v.Slice.Exposures {
		if x := &v.Slice.Exposures[k]; x.Action == action && !x.Failed {
			last = max(last, x.Shown, x.At)
		}
	}
	return last
}

// lastSame returns when something that is the same in the wait's sense was last shown unasked, to the
// customer on any device or in this session; 0 where never. What stood in an unasked slot counts as unasked.
func lastSame(v *guard.View, a *catalog.Action, w *catalog.Wait, u *Unasked) (last sense.Instant) {
	if w.Same == "" {
		last = u.LastOfAny
	}
	if w.Same == "action" && v.Slice == nil {
		last = u.LastShown
	}
	for _, s := range u.Recent {
		x := profile.Exposure{Channel: s.Channel}
		if s.Action >= 0 && int(s.Action) < len(v.Bundle.Actions) {
			o := &v.Bundle.Actions[s.Action]
			x.Action, x.Intent, x.About = o.Name, o.Intent.String(), o.About
			if o.Group >= 0 {
				x.Group = v.Bundle.Groups[o.Group].Name
			}
		}
		if w.Same == "" || same(w.Same, v, a, &x) {
			last = max(last, s.At)
		}
	}
	if v.Slice == nil {
		return last
	}
	for k := range v.Slice.Exposures {
		x := &v.Slice.Exposures[k]
		at := shownAt(x)
		if x.Failed || at <= last || v.Now >= at.Add(w.For) || w.Same != "" && !same(w.Same, v, a, x) || !inUnaskedSlot(v.Bundle, x.Slot) {
			continue
		}
		last = at
	}
	return last
}

func inUnaskedSlot(b *catalog.Bundle, slot string) bool {
	s := b.Slot(slot)
	return s != nil && s.Unasked
}
