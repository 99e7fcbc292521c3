package sim_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// limitsKept: counted anew from the decision and outcome lines, no limit, minimum wait or
// repeat_after is ever exceeded. Calendars are those of Go's own library.
func limitsKept(p *pair) error {
	return watch(p.bundle, p.base, func(o *oracle, _ *step, shown []*contact) error {
		for _, c := range shown {
			if c.who == nil {
				continue
			}
			for k := range p.bundle.Contact.Limits {
				if err := o.within(&p.bundle.Contact.Limits[k], c); err != nil {
					return fmt.Errorf("%s: %w", c, err)
				}
			}
			if err := o.waited(c, shown); err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
		}
		return nil
	})
}

// within counts the contacts before c that fall under a limit.
func (o *oracle) within(l *catalog.Limit, c *contact) error {
	if c.a.ExemptCaps || !o.under(l, c, c) {
		return nil
	}
	if l.Per != catalog.Rolling && o.clock == sense.ClockUnknown {
		return fmt.Errorf("nobody knows what day it is, and %q has a calendar", l.Name)
	}
	zone := o.b.Zone.Name
	if l.Customer {
		z, sure := c.who.zone()
		if !sure {
			return nil
		}
		if z != "" {
			zone = z
		}
	}
	n := int64(0)
	for _, x := range c.who.contacts {
		if o.under(l, c, x) && slices.ContainsFunc(x.counted(l.Counting), func(at sense.Instant) bool { return inWindow(l, zone, at, o.now) }) {
			n++
		}
	}
	if n >= l.AtMost {
		return fmt.Errorf("%d before it count under %q", n, l.Name)
	}
	return nil
}

// under says whether contact x falls under a limit on c.
func (o *oracle) under(l *catalog.Limit, c, x *contact) bool {
	return (l.Intent == 0 || l.Intent == x.a.Intent) && (l.Action < 0 || o.b.Actions[l.Action].Name == x.a.Name) && (l.Group < 0 || l.Group == x.a.Group) &&
		(l.Channel == "" || l.Channel == x.channel) && (!l.About || c == x || c.a.About.Touches(x.a.About))
}

// counted returns when an outcome of the contact took place.
func (c *contact) counted(outcome string) []sense.Instant {
	if outcome == "shown" {
		switch {
		case len(c.outcomes) > 0 && c.outcomes[0].outcome == "failed":
			return nil
		case len(c.outcomes) > 0 && c.outcomes[0].outcome == "shown":
			return []sense.Instant{c.outcomes[0].at}
		}
		return []sense.Instant{c.d.At}
	}
	var all []sense.Instant
	for _, x := range c.outcomes {
		if x.outcome == outcome {
			all = append(all, x.at)
		}
	}
	return all
}

// zone returns the time zone that the person declared, empty where none that exists; not sure
// where the log alone does not say which of several holds.
func (p *person) zone() (name string, sure bool) {
	if len(p.zones) == 0 {
		return "", true
	}
	last := p.zones[0]
	for _, z := range p.zones[1:] {
		if z.happened >= last.happened {
			last = z
		}
	}
	_, err := time.LoadLocation(last.value)
	return last.value, len(p.zones) == 1 && err == nil && last.value != ""
}

func inWindow(l *catalog.Limit, zone string, at, now sense.Instant) bool {
	if l.Per == catalog.Rolling {
		return now < at.Add(l.Window)
	}
	in := location(zone)
	a, b := time.UnixMilli(int64(at)).In(in), time.UnixMilli(int64(now)).In(in)
	switch l.Per {
	case catalog.CalendarDay:
		return a.Format(time.DateOnly) == b.Format(time.DateOnly)
	case catalog.CalendarMonth:
		return a.Format("2006-01") == b.Format("2006-01")
	}
	ay, aw := a.ISOWeek()
	by, bw := b.ISOWeek()
	return ay == by && aw == bw
}

// waited looks at the time between unasked showings to one person.
func (o *oracle) waited(c *contact, shown []*contact) error {
	if c.d.Asked {
		return nil
	}
	for _, x := range c.who.contacts {
		since := o.now.Sub(x.d.At)
		failed := len(x.outcomes) > 0 && x.outcomes[0].outcome == "failed"
		if x.a == c.a && c.a.Repeat != sense.Forever && since < c.a.Repeat && !failed {
			return fmt.Errorf("it was shown as %s %s ago", x.d.ID, since)
		}
	}
	return nil
}

// neverHolds: once somebody said never, nothing about that subject is shown to that person again,
// on any screen, also after restarts and merges.
func neverHolds(p *pair) error {
	return watch(p.bundle, p.base, func(o *oracle, _ *step, shown []*contact) error {
		for _, c := range shown {
			if c.who == nil {
				continue
			}
			for _, x := range c.who.contacts {
				same := x.a.About.Touches(c.a.About)
				if x.a.About == "" || c.a.About == "" {
					same = x.a == c.a
				}
				if same && slices.ContainsFunc(x.outcomes, func(a answer) bool { return a.outcome == "never" }) {
					return fmt.Errorf("%s: she said never to %s", c, x)
				}
			}
		}
		return nil
	})
}
