package catalog

import (
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
)

// bundle codes a whole bundle. Fields are only ever appended, with a new Format.
func (c *coder) bundle(b *Bundle) {
	c.text(&b.Name)
	c.integer(&b.Version)
	c.text(&b.Currency)
	c.texts(&b.Languages)
	c.zone(&b.Zone)
	whole(c, &b.VisitEnds)
	optional(c, &b.SessionEnd, c.sessionEnd)
	whole(c, &b.Sleeping)
	optional(c, &b.Strikes, func(s *Strikes) {
		whole(c, &s.In)
		list(c, &s.At, mostFew, func(x *Strike) {
			whole(c, &x.Count)
			whole(c, &x.Then)
		})
	})
	list(c, &b.Purposes, 64, c.purpose)
	list(c, &b.Partners, mostNames, c.partner)
	list(c, &b.Signals, mostNames, c.signal)
	list(c, &b.Derived, mostNames, c.derived)
	list(c, &b.Facts, mostNames, c.fact)
	list(c, &b.Kinds, mostNames, c.kind)
	list(c, &b.Subjects, mostNames, c.subject)
	list(c, &b.Places, mostNames, c.place)
	list(c, &b.States, mostNames, c.state)
	list(c, &b.Measures, mostNames, c.measure)
	list(c, &b.Slots, mostNames, c.slot)
	list(c, &b.Groups, mostNames, c.group)
	list(c, &b.Actions, mostActions, c.action)
	c.program(&b.Program)
	c.contact(&b.Contact)
	c.quiet(&b.Quiet)
}

func (c *coder) sessionEnd(s *SessionEnd) {
	whole(c, &s.Ends)
	whole(c, &s.After)
	whole(c, &s.AtMost)
}

func (c *coder) purpose(p *Purpose) {
	c.text(&p.Name)
	whole(c, &p.Basis)
	c.boolean(&p.Explicit)
	whole(c, &p.Unasked)
	c.texts((*[]string)(&p.For))
	whole(c, &p.LeastAge)
	whole(c, &p.Born)
}

func (c *coder) partner(p *Partner) {
	c.text(&p.Name)
	whole(c, &p.Purpose)
	whole(c, &p.Consent)
	c.texts((*[]string)(&p.For))
}

func (c *coder) signal(s *Signal) {
	c.text(&s.Name)
	whole(c, &s.Kind)
	c.text(&s.Unit)
	whole(c, &s.MaxAge)
	whole(c, &s.Scope)
	c.purposeSet(&s.Purposes)
	whole(c, &s.Consent)
	c.texts((*[]string)(&s.Why))
	c.text(&s.Special)
	c.boolean(&s.Leaves)
	c.boolean(&s.FromHub)
	whole(c, &s.Input)
}

// purposeSet codes 64 bits, of which the highest may be set.
func (c *coder) purposeSet(s *PurposeSet) {
	n := int64(*s)
	c.integer(&n)
	*s = PurposeSet(n)
}

func (c *coder) derived(d *Derived) {
	c.text(&d.Name)
	whole(c, &d.Node)
	whole(c, &d.Kind)
	c.purposeSet(&d.Purposes)
	c.boolean(&d.Personal)
	c.text(&d.Special)
	c.boolean(&d.Leaves)
	whole(c, &d.Keep)
	c.texts((*[]string)(&d.Why))
	c.text(&d.Formula)
}

func (c *coder) fact(f *Fact) {
	c.text(&f.Name)
	whole(c, &f.Kind)
	whole(c, &f.Elem)
	c.text(&f.Owner)
	c.texts(&f.OneOf)
	c.purposeSet(&f.Purposes)
	list(c, &f.From, mostFew, func(p *event.Provenance) { whole(c, p) })
	whole(c, &f.Keep)
	whole(c, &f.Fresh)
	c.text(&f.Special)
	c.boolean(&f.Preference)
	c.boolean(&f.Leaves)
	c.texts((*[]string)(&f.Why))
	whole(c, &f.Least)
	whole(c, &f.Most)
	c.boolean(&f.InPast)
	c.text(&f.Format)
}

func (c *coder) kind(k *Kind) {
	c.text(&k.Name)
	whole(c, &k.Keep)
	c.purposeSet(&k.Purposes)
	whole(c, &k.Means)
	c.boolean(&k.Negative)
	c.boolean(&k.BlocksOffers)
	c.boolean(&k.SameKind)
	list(c, &k.Again, mostFew, func(a *AgainAfter) {
		c.text(&a.Type)
		whole(c, &a.After)
	})
	list(c, &k.Undo, mostFew, func(u *UndoneBy) {
		whole(c, &u.Kind)
		whole(c, &u.After)
	})
	c.boolean(&k.ReachesGoal)
	whole(c, &k.OpenUntil)
	whole(c, &k.CoolOff)
	whole(c, &k.ClosedBy)
	whole(c, &k.Overdue)
	whole(c, &k.Worth)
}

func (c *coder) subject(s *SubjectInfo) {
	c.text(&s.Name)
	c.text(&s.Kind)
	c.text(&s.Sensitive)
}

func (c *coder) place(p *Place) {
	c.text(&p.Name)
	a := &p.Area
	c.boolean(&a.Circle)
	whole(c, &a.Centre.Lat)
	whole(c, &a.Centre.Lon)
	whole(c, &a.Radius)
	list(c, &a.Parts, mostNames, func(p *place.Polygon) {
		c.ring(&p.Outer)
		list(c, &p.Holes, mostNames, c.ring)
	})
	c.boolean(&a.Outside)
	whole(c, &a.Margin)
}

func (c *coder) state(s *State) {
	c.text(&s.Name)
	c.texts(&s.Channels)
	whole(c, &s.Node)
	indexes(c, &s.Inputs, mostNames)
	c.boolean(&s.AbsentAllow)
}

func (c *coder) measure(m *Measure) {
	c.text(&m.Name)
	whole(c, &m.From)
	whole(c, &m.Control)
}

func (c *coder) slot(s *Slot) {
	c.text(&s.Name)
	c.text(&s.Channel)
	c.boolean(&s.SharedScreen)
	c.boolean(&s.Unasked)
	whole(c, &s.ShowFor)
	whole(c, &s.Fallback)
	whole(c, &s.Minimum)
	whole(c, &s.LeastIdentity)
	whole(c, &s.MaxText)
}

func (c *coder) group(g *Group) {
	c.text(&g.Name)
	c.text(&g.Issue)
	whole(c, &g.Lever)
	list(c, &g.Weights, mostFew, c.weight)
	whole(c, &g.Eligible)
	whole(c, &g.Applicable)
	whole(c, &g.Suitable)
}

func (c *coder) action(a *Action) {
	c.text(&a.Name)
	whole(c, &a.Intent)
	whole(c, &a.Purpose)
	whole(c, &a.Group)
	indexes(c, &a.Slots, mostNames)
	c.text((*string)(&a.About))
	c.text((*string)(&a.Goal))
	whole(c, &a.Before)
	whole(c, &a.Eligible)
	whole(c, &a.Applicable)
	whole(c, &a.Suitable)
	whole(c, &a.Value)
	whole(c, &a.Propensity)
	whole(c, &a.Bother)
	whole(c, &a.Lever)
	c.boolean(&a.Mandatory)
	c.boolean(&a.ExemptCaps)
	c.boolean(&a.ExemptPressure)
	whole(c, &a.Repeat)
	whole(c, &a.KeepArmed)
	whole(c, &a.Measure)
	whole(c, &a.LeastID)
	indexes(c, &a.NeedGrants, 64)
	optional(c, &a.Say, c.treatment)
	optional(c, &a.SayPersonal, c.treatment)
	c.texts(&a.Uses)
	c.boolean(&a.ConditionsPersonal)
	indexes(c, &a.Reads, mostNames)
	list(c, &a.Seen, mostFew, func(s *Seen) {
		c.text((*string)(&s.Subject))
		whole(c, &s.Window)
	})
	c.text(&a.Special)
	c.actionTime(a)
	whole(c, &a.Partner)
	list(c, &a.Weights, mostFew, c.weight)
	optional(c, &a.Price, func(p *Price) {
		whole(c, &p.Node)
		whole(c, &p.Normal)
		list(c, &p.Disclose, 64, c.rendered)
	})
	whole(c, &a.Elsewhere)
	whole(c, &a.Quality)
	c.boolean(&a.Significant)
	c.boolean(&a.Household)
	optional(c, &a.Follows, func(f *Follow) {
		whole(c, &f.Action)
		whole(c, &f.ElseAfter)
	})
	list(c, &a.Exemptions, mostFew, func(x *Exemption) {
		c.text(&x.Of)
		whole(c, &x.Since)
		c.text(&x.By)
	})
	c.question(a)
}

// actionTime codes when an action may be shown.
func (c *coder) actionTime(a *Action) {
	whole(c, &a.From)
	whole(c, &a.Until)
	list(c, &a.Hours, mostFew, func(h *WeekHours) {
		whole(c, &h.Days)
		whole(c, &h.From)
		whole(c, &h.To)
	})
	list(c, &a.At, mostFew, func(s *Schedule) {
		whole(c, &s.Days)
		whole(c, &s.MonthDay)
		whole(c, &s.Date)
		whole(c, &s.Minute)
	})
}

// question codes what an action asks, needs and hands over.
func (c *coder) question(a *Action) {
	whole(c, &a.Asks)
	whole(c, &a.Confirms)
	whole(c, &a.Serves)
	list(c, &a.Because, 64, c.rendered)
	list(c, &a.InReturn, 64, c.rendered)
	list(c, &a.Retry, 64, c.rendered)
	list(c, &a.Needs, mostFew, func(n *Need) {
		c.text(&n.Delivery)
		indexes(c, &n.Facts, mostNames)
	})
	optional(c, &a.HandsOver, func(h *HandOver) { c.texts(&h.Tells) })
}

func (c *coder) weight(w *Weight) {
	whole(c, &w.When)
	whole(c, &w.Factor)
}

func (c *coder) treatment(t *Treatment) {
	c.boolean(&t.Structured)
	list(c, &t.Title, 64, c.rendered)
	list(c, &t.Text, 64, c.rendered)
	c.text(&t.Image)
	list(c, &t.Button, 64, c.rendered)
	c.text(&t.Link)
	c.texts(&t.Uses)
	c.boolean(&t.Ambient)
}

func (c *coder) rendered(r *Rendered) {
	list(c, (*[]Part)(r), mostFew, func(p *Part) {
		c.text(&p.Literal)
		c.text(&p.Name)
		whole(c, &p.Fact)
		whole(c, &p.Input)
		whole(c, &p.Derived)
		whole(c, &p.Of)
	})
}

func (c *coder) contact(t *Contact) {
	list(c, &t.Limits, mostFew, c.limit)
	list(c, &t.Pauses, mostFew, func(p *Pause) {
		c.text(&p.Same)
		whole(c, &p.Intent)
		c.text(&p.After)
		whole(c, &p.For)
	})
	optional(c, &t.Pressure, func(p *Pressure) {
		whole(c, &p.HalfLife)
		list(c, &p.Amounts, mostFew, func(o *OutcomeCost) {
			c.text(&o.Outcome)
			whole(c, &o.Amount)
		})
		whole(c, &p.Floor)
	})
	list(c, &t.MaxStale, mostFew, func(s *StaleAfter) {
		whole(c, &s.Intent)
		whole(c, &s.After)
	})
	list(c, &t.Waits, mostFew, func(w *Wait) {
		whole(c, &w.Intent)
		whole(c, &w.Action)
		whole(c, &w.Group)
		c.text(&w.Same)
		whole(c, &w.For)
	})
	list(c, &t.Volume, mostFew, func(v *Volume) {
		c.text(&v.Name)
		whole(c, &v.Action)
		whole(c, &v.Group)
		whole(c, &v.Intent)
		whole(c, &v.AtMost)
		whole(c, &v.Per)
		whole(c, &v.Window)
	})
}

func (c *coder) limit(l *Limit) {
	c.text(&l.Name)
	whole(c, &l.Intent)
	whole(c, &l.Action)
	whole(c, &l.Group)
	c.text(&l.Channel)
	c.boolean(&l.About)
	whole(c, &l.AtMost)
	c.text(&l.Counting)
	whole(c, &l.Per)
	whole(c, &l.Window)
	c.boolean(&l.Customer)
}

func (c *coder) quiet(q *Quiet) {
	list(c, &q.Hours, mostFew, func(r *HourRange) {
		whole(c, &r.From)
		whole(c, &r.To)
	})
	list(c, &q.Pass, mostFew, func(i *Intent) { whole(c, i) })
}
