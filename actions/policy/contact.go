package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// contact reads the contact policy.
func (c *compiler) contact() {
	f := c.settings("contact", contactKeys...)
	if v, ok := f.get("limits"); ok {
		for _, x := range c.list(v, "limits") {
			c.limit(x)
		}
	}
	if v, ok := f.get("pauses"); ok {
		for _, x := range c.list(v, "pauses") {
			c.pause(x)
		}
	}
	if v, ok := f.get("pressure"); ok {
		c.pressure(f.key("pressure"), v)
	}
	if v, ok := f.get("minimum_wait"); ok {
		c.waits(v)
	}
	if v, ok := f.get("volume"); ok {
		for _, x := range c.list(v, "volume") {
			c.volume(x)
		}
	}
	v, ok := f.get("profile")
	if !ok {
		return
	}
	stale, ok := c.fields(f.key("profile"), v, "profile", profileKeys...).get("max_stale")
	if !ok {
		return
	}
	for _, e := range c.entries(stale, "max_stale") {
		if i, ok := c.intent(e.key); ok {
			c.b.Contact.MaxStale = append(c.b.Contact.MaxStale, catalog.StaleAfter{Intent: i, After: c.duration(e.val, "max_stale "+e.name)})
		}
	}
	slices.SortFunc(c.b.Contact.MaxStale, func(a, b catalog.StaleAfter) int { return int(a.Intent) - int(b.Intent) })
}

// scope reads the actions that a limit, a wait or a volume is about, and says them.
func (c *compiler) scope(f *fields, intent *catalog.Intent, action, group *int32) string {
	of := "everything"
	if x, ok := f.get("intent"); ok {
		*intent, _ = c.intent(x)
		of = intent.String()
	}
	if x, ok := f.get("action"); ok {
		if *action = c.reference(x, "action", "action", c.names["actions"]); *action >= 0 {
			of = "action " + c.names["actions"][*action]
		}
	}
	if x, ok := f.get("group"); ok {
		if *group = c.reference(x, "group", "group", c.names["groups"]); *group >= 0 {
			of = "group " + c.names["groups"][*group]
		}
	}
	return of
}

// atMost reads a number of times.
func (c *compiler) atMost(f *fields, v value, of string) int64 {
	x, ok := f.get("at_most")
	if !ok {
		c.fail(v, "missing_key", "as in at_most: 1", "the %s has no at_most", of)
		return 0
	}
	n := c.integer(x, "at_most", 0)
	if n == 0 {
		c.warn(x, "cap_always_fires", "0 is zero, never \"no limit\"", "this %s allows nothing at all", of)
	}
	return n
}

// waits reads one duration, or [{intent: sales, for: 2h, same: about}].
func (c *compiler) waits(v value) {
	if v.isNull() || v.isScalar() {
		c.b.Contact.Waits = append(c.b.Contact.Waits, catalog.Wait{Action: -1, Group: -1, For: c.duration(v, "minimum_wait")})
		return
	}
	for _, x := range c.list(v, "minimum_wait") {
		f := c.fields(x, x, "minimum_wait", waitKeys...)
		w := catalog.Wait{Action: -1, Group: -1}
		c.scope(f, &w.Intent, &w.Action, &w.Group)
		if same, ok := f.get("same"); ok {
			w.Same, _ = c.word(same, "same", "action", "group", "intent", "about", "channel")
		}
		if length, ok := f.get("for"); ok {
			w.For = c.duration(length, "for")
		} else {
			c.fail(x, "missing_key", "as in for: 2h", "minimum_wait does not say for how long")
		}
		c.b.Contact.Waits = append(c.b.Contact.Waits, w)
	}
}

// volume reads {action: X, at_most: 100, per: calendar day}: over all customers, in the policy's zone.
func (c *compiler) volume(v value) {
	f := c.fields(v, v, "volume", volumeKeys...)
	l := catalog.Volume{Action: -1, Group: -1}
	of := c.scope(f, &l.Intent, &l.Action, &l.Group)
	l.AtMost = c.atMost(f, v, "volume")
	per, ok := f.get("per")
	if !ok {
		c.fail(v, "missing_key", "per: rolling 7d, or per: calendar day", "the volume does not say over which window")
		return
	}
	text, ok := c.text(per, "per")
	if !ok {
		return
	}
	l.Per, l.Window = c.windowText(per, text)
	if l.Per == catalog.Rolling && l.Window <= 0 {
		return // reported
	}
	l.Name = fmt.Sprintf("%s: %d shown to all per %s", of, l.AtMost, text)
	c.b.Contact.Volume = append(c.b.Contact.Volume, l)
}

// windowText reads `rolling 7d` or `calendar day`.
func (c *compiler) windowText(per value, text string) (catalog.Calendar, sense.Duration) {
	if length, rolling := strings.CutPrefix(text, "rolling "); rolling {
		d, err := sense.ParseDuration(length)
		if err != nil || d <= 0 {
			c.fail(per, "bad_duration", "as in rolling 7d", "%s is no window", text)
		}
		return catalog.Rolling, d
	}
	calendar, ok := calendars[text]
	if !ok {
		c.fail(per, "unknown_word", "rolling 7d, calendar day, calendar week or calendar month", "per cannot be %s", text)
	}
	return calendar, 0
}

// limit reads {intent: sales, at_most: 1, counting: shown, per: calendar day, zone: customer}.
func (c *compiler) limit(v value) {
	f := c.fields(v, v, "limit", limitKeys...)
	l := catalog.Limit{Action: -1, Group: -1}
	of := c.scope(f, &l.Intent, &l.Action, &l.Group)
	if x, ok := f.get("channel"); ok {
		l.Channel, _ = c.text(x, "channel")
		of += " on " + l.Channel
	}
	if x, ok := f.get("about"); ok {
		if word, _ := c.word(x, "about", "same"); word == "same" {
			l.About = true
			of += " about the same"
		}
	}
	l.AtMost = c.atMost(f, v, "limit")
	if x, ok := f.get("counting"); ok {
		l.Counting, _ = c.word(x, "counting", event.Outcomes...)
	} else {
		c.fail(v, "missing_key", "name the outcome it counts, as in counting: shown", "the limit does not say what it counts")
	}
	c.window(&l, f, v)
	l.Name = fmt.Sprintf("%s: %d %s per %s", of, l.AtMost, l.Counting, perText(&l))
	c.b.Contact.Limits = append(c.b.Contact.Limits, l)
}

var calendars = map[string]catalog.Calendar{"calendar day": catalog.CalendarDay, "calendar week": catalog.CalendarWeek, "calendar month": catalog.CalendarMonth}

func perText(l *catalog.Limit) string {
	if l.Per == catalog.Rolling {
		return "rolling " + l.Window.String()
	}
	for text, per := range calendars {
		if per == l.Per {
			if l.Customer {
				return text + " of the customer"
			}
			return text
		}
	}
	return ""
}

// window reads `per: rolling 7d`, or `per: calendar day` with its zone.
func (c *compiler) window(l *catalog.Limit, f *fields, v value) {
	per, ok := f.get("per")
	if !ok {
		c.fail(v, "missing_key", "per: rolling 7d, or per: calendar day with zone: customer or policy", "the limit does not say over which window")
		return
	}
	text, ok := c.text(per, "per")
	if !ok {
		return
	}
	zone, hasZone := f.get("zone")
	l.Per, l.Window = c.windowText(per, text)
	if l.Per == catalog.Rolling {
		if hasZone {
			c.fail(f.key("zone"), "zone_without_calendar", "leave it out", "a rolling window has no zone")
		}
		return
	}
	if !hasZone {
		c.fail(per, "zone_missing", "add zone: customer, or zone: policy", "a calendar window is one of a zone")
		return
	}
	own := c.b.Zone.Name // a policy may also say the name of its zone
	word, _ := c.word(zone, "zone", "customer", "policy", own)
	l.Customer = word == "customer"
}

// pause reads {about: same, after: dismissed, for: 90d}.
func (c *compiler) pause(v value) {
	f := c.fields(v, v, "pause", pauseKeys...)
	var p catalog.Pause
	for _, same := range []string{"about", "action", "group", "intent", "channel", "customer"} {
		x, ok := f.get(same)
		if !ok {
			continue
		}
		if same == "intent" && !(x.node != nil && x.isScalar() && x.node.Value == "same") {
			p.Intent, _ = c.intent(x) // narrows what is held back
			continue
		}
		if p.Same != "" {
			c.fail(f.key(same), "bad_pause", "make two pauses", "a pause covers the same %s or the same %s", p.Same, same)
		}
		if _, ok := c.word(x, same, "same"); ok {
			p.Same = same
		}
	}
	if p.Same == "" && len(f.entries) > 0 {
		c.fail(v, "missing_key", "about: same, action: same, group: same, intent: same, channel: same or customer: same", "the pause does not say what it covers")
	}
	if x, ok := f.get("after"); ok {
		p.After, _ = c.word(x, "after", event.Outcomes...)
	} else {
		c.fail(v, "missing_key", "as in after: dismissed", "the pause does not say after which outcome")
	}
	if x, ok := f.get("for"); ok {
		p.For = c.duration(x, "for")
	} else {
		c.fail(v, "missing_key", "as in for: 90d, or for: ever", "the pause does not say for how long")
	}
	c.b.Contact.Pauses = append(c.b.Contact.Pauses, p)
}

// pressure reads the growing cost of bothering.
func (c *compiler) pressure(key, v value) {
	costs := append(slices.Clone(event.Outcomes), "visit")
	f := c.fields(key, v, "pressure", pressureKeys...)
	p := &catalog.Pressure{}
	if x, ok := f.get("unit"); ok {
		if s, ok := c.text(x, "unit"); ok && s != c.b.Currency && c.b.Currency != "" {
			c.fail(x, "wrong_currency", "write unit: "+c.b.Currency, "pressure is in %s, the policy in %s", s, c.b.Currency)
		}
	}
	if x, ok := f.get("half_life"); !ok {
		c.fail(key, "missing_key", "as in half_life: 7d", "pressure has no half_life")
	} else if p.HalfLife = c.duration(x, "half_life"); p.HalfLife <= 0 {
		c.fail(x, "bad_duration", "as in half_life: 7d", "pressure halves in more than no time")
	}
	if x, ok := f.get("floor"); ok {
		p.Floor = c.micro(x, "floor", 0, mostMoney)
	}
	for _, e := range f.entries {
		if slices.Contains(costs, e.name) {
			p.Amounts = append(p.Amounts, catalog.OutcomeCost{Outcome: e.name, Amount: c.micro(e.val, e.name, -mostMoney, mostMoney)})
		}
	}
	slices.SortFunc(p.Amounts, func(a, b catalog.OutcomeCost) int { return strings.Compare(a.Outcome, b.Outcome) })
	c.b.Contact.Pressure = p
}
