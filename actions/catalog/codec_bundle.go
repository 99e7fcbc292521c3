package catalog

import (
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
)

// bundle codes a whole bundle. Fields are only ever appended, with a new Format.
func (c *coder) bundle(b *Bundle) {
	c.name(&b.Name)
	c.integer(&b.Version)
	c.name(&b.Currency)
	c.names(&b.Languages)
	c.zone(&b.Zone)
	whole(c, &b.VisitEnds)
	optional(c, &b.SessionEnd, (*coder).sessionEnd)
	whole(c, &b.Sleeping)
	optional(c, &b.Strikes, func(c *coder, s *Strikes) {
		whole(c, &s.In)
		list(c, &s.At, mostFew, func(c *coder, x *Strike) {
			whole(c, &x.Count)
			whole(c, &x.Then)
		})
	})
	list(c, &b.Purposes, 64, (*coder).purpose)
	list(c, &b.Partners, mostNames, (*coder).partner)
	list(c, &b.Signals, mostNames, (*coder).signal)
	list(c, &b.Derived, mostNames, (*coder).derived)
	list(c, &b.Facts, mostNames, (*coder).fact)
	list(c, &b.Kinds, mostNames, (*coder).kind)
	list(c, &b.Subjects, mostNames, (*coder).subject)
	list(c, &b.Places, mostNames, (*coder).place)
	list(c, &b.States, mostNames, (*coder).state)
	list(c, &b.Measures, mostNames, (*coder).measure)
	list(c, &b.Slots, mostNames, (*coder).slot)
	list(c, &b.Groups, mostNames, (*coder).group)
	list(c, &b.Actions, mostActions, (*coder).action)
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
	c.name(&p.Name)
	whole(c, &p.Basis)
	c.boolean(&p.Explicit)
	whole(c, &p.Unasked)
	c.words((*[]string)(&p.For))
	whole(c, &p.LeastAge)
	whole(c, &p.Born)
}

func (c *coder) partner(p *Partner) {
	c.name(&p.Name)
	whole(c, &p.Purpose)
	whole(c, &p.Consent)
	c.words((*[]string)(&p.For))
}

func (c *coder) signal(s *Signal) {
	c.name(&s.Name)
	whole(c, &s.Kind)
	c.name(&s.Unit)
	whole(c, &s.MaxAge)
	whole(c, &s.Scope)
	c.purposeSet(&s.Purposes)
	whole(c, &s.Consent)
	c.words((*[]string)(&s.Why))
	c.name(&s.Special)
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
	c.name(&d.Name)
	whole(c, &d.Node)
	whole(c, &d.Kind)
	c.purposeSet(&d.Purposes)
	c.boolean(&d.Personal)
	c.name(&d.Special)
	c.boolean(&d.Leaves)
	whole(c, &d.Keep)
	c.words((*[]string)(&d.Why))
	c.text(&d.Formula)
}

func (c *coder) fact(f *Fact) {
	c.name(&f.Name)
	whole(c, &f.Kind)
	whole(c, &f.Elem)
	c.name(&f.Owner)
	c.names(&f.OneOf)
	c.purposeSet(&f.Purposes)
	list(c, &f.From, mostFew, whole[event.Provenance])
	whole(c, &f.Keep)
	whole(c, &f.Fresh)
	c.name(&f.Special)
	c.boolean(&f.Preference)
	c.boolean(&f.Leaves)
	c.words((*[]string)(&f.Why))
	whole(c, &f.Least)
	whole(c, &f.Most)
	c.boolean(&f.InPast)
	c.name(&f.Format)
}

func (c *coder) kind(k *Kind) {
	c.name(&k.Name)
	whole(c, &k.Keep)
	c.purposeSet(&k.Purposes)
	whole(c, &k.Means)
	c.boolean(&k.Negative)
	c.boolean(&k.BlocksOffers)
	c.boolean(&k.SameKind)
	list(c, &k.Again, mostFew, func(c *coder, a *AgainAfter) {
		c.name(&a.Type)
		whole(c, &a.After)
	})
	list(c, &k.Undo, mostFew, func(c *coder, u *UndoneBy) {
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
	c.name(&s.Name)
	c.name(&s.Kind)
	c.name(&s.Sensitive)
}

func (c *coder) place(p *Place) {
	c.name(&p.Name)
	a := &p.Area
	c.boolean(&a.Circle)
	whole(c, &a.Centre.Lat)
	whole(c, &a.Centre.Lon)
	whole(c, &a.Radius)
	list(c, &a.Parts, mostNames, func(c *coder, p *place.Polygon) {
		c.ring(&p.Outer)
		list(c, &p.Holes, mostNames, (*coder).ring)
	})
	c.boolean(&a.Outside)
	whole(c, &a.Margin)
}

func (c *coder) state(s *State) {
	c.name(&s.Name)
	c.names(&s.Channels)
	whole(c, &s.Node)
	indexes(c, &c.room.indexes, &s.Inputs, mostNames)
	c.boolean(&s.AbsentAllow)
}

func (c *coder) measure(m *Measure) {
	c.name(&m.Name)
	whole(c, &m.From)
	whole(c, &m.Control)
}

func (c *coder) slot(s *Slot) {
	c.name(&s.Name)
	c.name(&s.Channel)
	c.boolean(&s.SharedScreen)
	c.boolean(&s.Unasked)
	whole(c, &s.ShowFor)
	whole(c, &s.Fallback)
	whole(c, &s.Minimum)
	whole(c, &s.LeastIdentity)
	whole(c, &s.MaxText)
}

func (c *coder) group(g *Group) {
	c.name(&g.Name)
	c.name(&g.Issue)
	whole(c, &g.Lever)
	listIn(c, &c.room.weights, &g.Weights, mostFew, (*coder).weight)
	whole(c, &g.Eligible)
	whole(c, &g.Applicable)
	whole(c, &g.Suitable)
}

func (c *coder) action(a *Action) {
	c.symbol(&a.Name)
	whole(c, &a.Intent)
	whole(c, &a.Purpose)
	whole(c, &a.Group)
	indexes(c, &c.room.indexes, &a.Slots, mostNames)
	c.name((*string)(&a.About))
	c.name((*string)(&a.Goal))
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
	indexes(c, &c.room.indexes, &a.NeedGrants, 64)
	optional(c, &a.Say, (*coder).treatment)
	optional(c, &a.SayPersonal, (*coder).treatment)
	c.names(&a.Uses)
	c.boolean(&a.ConditionsPersonal)
	indexes(c, &c.room.indexes, &a.Reads, mostNames)
	list(c, &a.Seen, mostFew, func(c *coder, s *Seen) {
		c.name((*string)(&s.Subject))
		whole(c, &s.Window)
	})
	c.name(&a.Special)
	c.actionTime(a)
	whole(c, &a.Partner)
	listIn(c, &c.room.weights, &a.Weights, mostFew, (*coder).weight)
	optional(c, &a.Price, func(c *coder, p *Price) {
		whole(c, &p.Node)
		whole(c, &p.Normal)
		list(c, &p.Disclose, 64, (*coder).rendered)
	})
	whole(c, &a.Elsewhere)
	whole(c, &a.Quality)
	c.boolean(&a.Significant)
	c.boolean(&a.Household)
	optional(c, &a.Follows, func(c *coder, f *Follow) {
		whole(c, &f.Action)
		whole(c, &f.ElseAfter)
	})
	list(c, &a.Exemptions, mostFew, func(c *coder, x *Exemption) {
		c.name(&x.Of)
		whole(c, &x.Since)
		c.name(&x.By)
	})
	c.question(a)
}

// actionTime codes when an action may be shown.
func (c *coder) actionTime(a *Action) {
	whole(c, &a.From)
	whole(c, &a.Until)
	list(c, &a.Hours, mostFew, func(c *coder, h *WeekHours) {
		whole(c, &h.Days)
		whole(c, &h.From)
		whole(c, &h.To)
	})
	list(c, &a.At, mostFew, func(c *coder, s *Schedule) {
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
	list(c, &a.Because, 64, (*coder).rendered)
	list(c, &a.InReturn, 64, (*coder).rendered)
	list(c, &a.Retry, 64, (*coder).rendered)
	list(c, &a.Needs, mostFew, func(c *coder, n *Need) {
		c.name(&n.Delivery)
		indexes(c, &c.room.indexes, &n.Facts, mostNames)
	})
	optional(c, &a.HandsOver, func(c *coder, h *HandOver) { c.names(&h.Tells) })
}

func (c *coder) weight(w *Weight) {
	whole(c, &w.When)
	whole(c, &w.Factor)
}

func (c *coder) treatment(t *Treatment) {
	c.boolean(&t.Structured)
	listIn(c, &c.room.words, &t.Title, 64, (*coder).rendered)
	listIn(c, &c.room.words, &t.Text, 64, (*coder).rendered)
	c.text(&t.Image)
	listIn(c, &c.room.words, &t.Button, 64, (*coder).rendered)
	c.text(&t.Link)
	c.names(&t.Uses)
	c.boolean(&t.Ambient)
}

func (c *coder) rendered(r *Rendered) {
	listIn(c, &c.room.parts, (*[]Part)(r), mostFew, func(c *coder, p *Part) {
		c.text(&p.Literal)
		c.name(&p.Name)
		whole(c, &p.Fact)
		whole(c, &p.Input)
		whole(c, &p.Derived)
		whole(c, &p.Of)
	})
}

func (c *coder) contact(t *Contact) {
	list(c, &t.Limits, mostFew, (*coder).limit)
	list(c, &t.Pauses, mostFew, func(c *coder, p *Pause) {
		c.name(&p.Same)
		whole(c, &p.Intent)
		c.name(&p.After)
		whole(c, &p.For)
	})
	optional(c, &t.Pressure, func(c *coder, p *Pressure) {
		whole(c, &p.HalfLife)
		list(c, &p.Amounts, mostFew, func(c *coder, o *OutcomeCost) {
			c.name(&o.Outcome)
			whole(c, &o.Amount)
		})
		whole(c, &p.Floor)
	})
	list(c, &t.MaxStale, mostFew, func(c *coder, s *StaleAfter) {
		whole(c, &s.Intent)
		whole(c, &s.After)
	})
	list(c, &t.Waits, mostFew, func(c *coder, w *Wait) {
		whole(c, &w.Intent)
		whole(c, &w.Action)
		whole(c, &w.Group)
		c.name(&w.Same)
		whole(c, &w.For)
	})
	list(c, &t.Volume, mostFew, func(c *coder, v *Volume) {
		c.name(&v.Name)
		whole(c, &v.Action)
		whole(c, &v.Group)
		whole(c, &v.Intent)
		whole(c, &v.AtMost)
		whole(c, &v.Per)
		whole(c, &v.Window)
	})
}

func (c *coder) limit(l *Limit) {
	c.name(&l.Name)
	whole(c, &l.Intent)
	whole(c, &l.Action)
	whole(c, &l.Group)
	c.name(&l.Channel)
	c.boolean(&l.About)
	whole(c, &l.AtMost)
	c.name(&l.Counting)
	whole(c, &l.Per)
	whole(c, &l.Window)
	c.boolean(&l.Customer)
}

func (c *coder) quiet(q *Quiet) {
	list(c, &q.Hours, mostFew, func(c *coder, r *HourRange) {
		whole(c, &r.From)
		whole(c, &r.To)
	})
	list(c, &q.Pass, mostFew, whole[Intent])
}
