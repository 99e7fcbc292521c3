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
	f := c.settings("contact", "limits", "pauses", "pressure", "profile", "minimum_wait")
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
		c.b.Contact.Waits = append(c.b.Contact.Waits, catalog.Wait{Action: -1, Group: -1, For: c.duration(v, "minimum_wait")})
	}
	v, ok := f.get("profile")
	if !ok {
		return
	}
	stale, ok := c.fields(f.key("profile"), v, "profile", "max_stale").get("max_stale")
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

// limit reads {intent: sales, at_most: 1, counting: shown, per: calendar day, zone: customer}.
func (c *compiler) limit(v value) {
	f := c.fields(v, v, "limit", "intent", "action", "group", "channel", "about", "at_most", "counting", "per", "zone")
	l := catalog.Limit{Action: -1, Group: -1}
	of := "everything"
	if x, ok := f.get("intent"); ok {
		l.Intent, _ = c.intent(x)
		of = l.Intent.String()
	}
	if x, ok := f.get("action"); ok {
		if l.Action = c.reference(x, "action", "action", c.names["actions"]); l.Action >= 0 {
			of = "action " + c.names["actions"][l.Action]
		}
	}
	if x, ok := f.get("group"); ok {
		if l.Group = c.reference(x, "group", "group", c.names["groups"]); l.Group >= 0 {
			of = "group " + c.names["groups"][l.Group]
		}
	}
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
	if x, ok := f.get("at_most"); ok {
		l.AtMost = c.integer(x, "at_most", 0)
		if l.AtMost == 0 {
			c.warn(x, "cap_always_fires", "0 is zero, never \"no limit\"", "this limit allows nothing at all")
		}
	} else {
		c.fail(v, "missing_key", "as in at_most: 1", "the limit has no at_most")
	}
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
	if length, rolling := strings.CutPrefix(text, "rolling "); rolling {
		d, err := sense.ParseDuration(length)
		if err != nil || d <= 0 {
			c.fail(per, "bad_duration", "as in rolling 7d", "%s is no window", text)
		}
		l.Window = d
		if hasZone {
			c.fail(f.key("zone"), "zone_without_calendar", "leave it out", "a rolling window has no zone")
		}
		return
	}
	calendar, ok := calendars[text]
	if !ok {
		c.fail(per, "unknown_word", "rolling 7d, calendar day, calendar week or calendar month", "per cannot be %s", text)
		return
	}
	l.Per = calendar
	if !hasZone {
		c.fail(per, "zone_missing", "add zone: customer, or zone: policy", "a calendar window is one of a zone")
		return
	}
	word, _ := c.word(zone, "zone", "customer", "policy")
	l.Customer = word == "customer"
}

// pause reads {about: same, after: dismissed, for: 90d}.
func (c *compiler) pause(v value) {
	f := c.fields(v, v, "pause", "about", "action", "group", "intent", "after", "for")
	var p catalog.Pause
	for _, same := range []string{"about", "action", "group", "intent"} {
		x, ok := f.get(same)
		if !ok {
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
		c.fail(v, "missing_key", "about: same, action: same, group: same or intent: same", "the pause does not say what it covers")
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
	f := c.fields(key, v, "pressure", append([]string{"unit", "half_life", "floor"}, costs...)...)
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
		if e.name == "visit" {
			c.idle(e.key, "visit", "a visit changes no pressure")
		}
		if slices.Contains(costs, e.name) {
			p.Amounts = append(p.Amounts, catalog.OutcomeCost{Outcome: e.name, Amount: c.micro(e.val, e.name, -mostMoney, mostMoney)})
		}
	}
	slices.SortFunc(p.Amounts, func(a, b catalog.OutcomeCost) int { return strings.Compare(a.Outcome, b.Outcome) })
	c.b.Contact.Pressure = p
}
