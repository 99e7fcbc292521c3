package reach

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// contact judges the limits, pauses, waits and volumes of the contact policy.
func (f *finder) contact() {
	c := &f.b.Contact
	for k := range c.Limits {
		f.limit(k)
	}
	for k := range c.Volume {
		v := &c.Volume[k]
		at := Found{Section: Volume, Index: k}
		if !f.concerns(v.Intent, v.Action, v.Group, "", false) {
			f.add(at, CapNeverFires, "name an action, a group or an intent that the policy has", "this volume never holds anything back: no action falls under it")
		}
	}
	for k := range c.Pauses {
		f.pause(k)
	}
	for k := range c.Waits {
		f.wait(k)
	}
}

// concerns says whether an action can fall under a rule of the contact policy.
func (f *finder) concerns(intent catalog.Intent, action, group int32, channel string, spared bool) bool {
	for k := range f.b.Actions {
		a := &f.b.Actions[k]
		if (intent == 0 || intent == a.Intent) && (action < 0 || action == int32(k)) && (group < 0 || group == a.Group) &&
			(!spared || !a.ExemptCaps) && (channel == "" || slices.ContainsFunc(a.Slots, func(s int32) bool { return f.b.Slots[s].Channel == channel })) {
			return true
		}
	}
	return false
}

func (f *finder) limit(k int) {
	l := &f.b.Contact.Limits[k]
	at := Found{Section: Limits, Index: k}
	if !f.concerns(l.Intent, l.Action, l.Group, l.Channel, true) {
		f.add(at, CapNeverFires, "name an action, a group, an intent or a channel that the policy has, or remove the limit", "this limit never holds anything back: no action falls under it")
		return
	}
	for n := range f.b.Contact.Limits {
		if n != k && f.tighter(n, k) {
			f.add(at, CapNeverFires, "remove it, or make it the stricter one", "this limit never holds anything back that another does not: \"%s\" always comes first", f.b.Contact.Limits[n].Name)
			return
		}
	}
}

// tighter says whether limit n stops all that limit k stops, whatever happened: it counts all
// that k counts, in a window that holds k's, and allows no more. Of equal limits the first stays.
func (f *finder) tighter(n, k int) bool {
	a, b := &f.b.Contact.Limits[n], &f.b.Contact.Limits[k]
	wider := (a.Intent == 0 || a.Intent == b.Intent) && (a.Action < 0 || a.Action == b.Action) && (a.Group < 0 || a.Group == b.Group) &&
		(a.Channel == "" || a.Channel == b.Channel) && (!a.About || b.About) && a.Counting == b.Counting
	if !wider || a.AtMost > b.AtMost || !longer(a, b) {
		return false
	}
	return n < k || a.AtMost != b.AtMost || a.Per != b.Per || a.Window != b.Window || !longer(b, a) || a.Intent != b.Intent || a.Action != b.Action || a.Group != b.Group || a.Channel != b.Channel || a.About != b.About
}

// longer says whether the window of a always holds that of b.
func longer(a, b *catalog.Limit) bool {
	if a.Per == catalog.Rolling {
		return b.Per == catalog.Rolling && a.Window >= b.Window
	}
	inside := map[catalog.Calendar][]catalog.Calendar{
		catalog.CalendarDay:   {catalog.CalendarDay},
		catalog.CalendarWeek:  {catalog.CalendarDay, catalog.CalendarWeek},
		catalog.CalendarMonth: {catalog.CalendarDay, catalog.CalendarMonth},
	}
	return a.Customer == b.Customer && slices.Contains(inside[a.Per], b.Per)
}

func (f *finder) pause(k int) {
	p := &f.b.Contact.Pauses[k]
	at := Found{Section: Pauses, Index: k}
	switch {
	case p.For <= 0:
		f.add(at, CapNeverFires, "say how long it lasts, as in for: 90d, or for: ever", "this pause never holds anything back: it lasts for nothing")
	case p.Same == "group" && !slices.ContainsFunc(f.b.Actions, func(a catalog.Action) bool {
		return a.Group >= 0 && (p.Intent == 0 || p.Intent == a.Intent)
	}):
		f.add(at, CapNeverFires, "put actions into groups, or write about: same", "this pause never holds anything back: no action that it covers is in a group")
	case !f.concerns(p.Intent, -1, -1, "", false):
		f.add(at, CapNeverFires, "name an intent that the policy has", "this pause never holds anything back: the policy has no action for %s", p.Intent)
	}
}

func (f *finder) wait(k int) {
	w := &f.b.Contact.Waits[k]
	at := Found{Section: Waits, Index: k}
	unasked := slices.ContainsFunc(f.b.Slots, func(s catalog.Slot) bool { return s.Unasked })
	switch {
	case !unasked:
		f.add(at, CapNeverFires, "declare a slot with unasked: true, or remove the wait", "this wait never holds anything back: it lies between unasked showings, and no slot is shown unasked")
	case w.For <= 0:
		f.add(at, CapNeverFires, "say how long, as in minimum_wait: 2h", "this wait never holds anything back: it lasts for nothing")
	case !f.concerns(w.Intent, w.Action, w.Group, "", false):
		f.add(at, CapNeverFires, "name an action, a group or an intent that the policy has", "this wait never holds anything back: no action falls under it")
	}
}

// micro prints an amount of money.
func micro(m catalog.Micro) string { return string(sense.AppendMicro(nil, m, 6)) }
