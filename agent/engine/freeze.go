package engine

import (
	"fmt"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/contact"
	"github.com/tact-edge/tact/actions/guard"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Moment is what one decision looked at, from which Thaw recomputes it in full.
//
// It is the moment as it was, not the inputs that led to it: a running log of inputs would be written
// at every reading of every sensor, and flash pays for each; this is written when something is decided.
type Moment struct {
	Decision *Decision
	Handle   Handle // whose; zero for nobody
	Bytes    []byte // of Freeze's form, in the clear
}

// frozen is the content of a moment.
type frozen struct {
	now    sense.Instant
	bundle [32]byte // hash of the policy in charge
	slot   int32    // of the bundle
	asked  bool
	ask    event.Ask // where asked

	session  string
	by       event.By
	shared   bool
	language string
	owners   []event.Owner
	hisGoal  bool
	last     sense.Instant
	recent   []contact.Showing
	memory   []remembered // in order of action

	view   guard.View // all but Bundle, Slot, State and Zone.Name's rules beyond two years
	owned  []profile.Fact
	moment moment.Frozen
}

// remembered is what a session remembers of one action.
type remembered struct {
	action int32
	unasked
}

// freeze keeps the moment of a decision that was made just now, before anything follows from it.
func (m *Mind) freeze(s *session, slot int32, ask *event.Ask, d *Decision) {
	if !m.cfg.Moments {
		return
	}
	f := frozen{
		now: m.now, bundle: m.hash, slot: slot, asked: ask != nil,
		session: s.name, by: s.by, shared: s.shared, language: s.language, owners: s.owners, hisGoal: s.hisGoal, last: s.last, recent: s.recent,
		view: *m.view(s, slot, ask != nil), moment: m.moment.Freeze(s.name),
	}
	if ask != nil {
		f.ask = *ask
	}
	for _, a := range m.plan.candidates[slot] {
		if u, ok := s.memory[a]; ok {
			f.memory = append(f.memory, remembered{a, u})
		}
	}
	if f.view.Slice != nil {
		f.owned = m.ownedBy(s.owners)
	}
	one := Moment{Decision: d}
	if s.customer != nil {
		one.Handle = s.customer.Handle
	}
	c := coder{writing: true, b: make([]byte, 0, 512)}
	c.moment(&f)
	one.Bytes = c.b
	m.out.Moments = append(m.out.Moments, one)
}

// ownedBy returns the facts of owners that the session's conditions can read: of those that it is
// with, and where it names none of a kind, of the only one there is.
func (m *Mind) ownedBy(owners []event.Owner) (facts []profile.Fact) {
	for k := range m.owned.Facts {
		f := &m.owned.Facts[k]
		named, alone := false, true
		for _, o := range owners {
			named = named || o.ID == f.Owner
		}
		for j := range m.owned.Facts {
			alone = alone && (j == k || m.owned.Facts[j].Name != f.Name)
		}
		if named || alone {
			facts = append(facts, *f)
		}
	}
	return facts
}

// moment codes a frozen moment whole.
func (c *coder) moment(f *frozen) {
	version := uint64(momentVersion)
	c.unsigned(&version)
	if version != momentVersion {
		c.fail("form %d, this build reads %d", version, momentVersion)
		return
	}
	num(c, &f.now)
	c.base = f.now
	c.bytes(f.bundle[:])
	num(c, &f.slot)
	c.yes(&f.asked)
	if f.asked {
		c.ask(&f.ask)
	}
	c.text(&f.session)
	num(c, &f.by)
	c.yes(&f.shared)
	c.text(&f.language)
	listOf(c, &f.owners, c.owner)
	c.yes(&f.hisGoal)
	c.instant(&f.last)
	listOf(c, &f.recent, func(x *contact.Showing) {
		num(c, &x.Action)
		c.text(&x.Channel)
		c.instant(&x.At)
	})
	listOf(c, &f.memory, func(r *remembered) {
		num(c, &r.action)
		c.instant(&r.last)
		c.yes(&r.serve)
		c.yes(&r.right)
		c.instant(&r.armed)
	})
	c.view(&f.view)
	listOf(c, &f.owned, c.fact)
	c.conditions(&f.moment)
}

func (c *coder) bytes(dst []byte) {
	switch {
	case c.writing:
		c.b = append(c.b, dst...)
	case len(c.b) < len(dst):
		c.fail("it is cut off")
	default:
		c.b = c.b[copy(dst, c.b):]
	}
}

func (c *coder) ask(a *event.Ask) {
	c.text(&a.Slot)
	c.text(&a.Intent)
	word(c, &a.About)
	listOf(c, &a.With, func(s *event.Signal) {
		c.text(&s.Name)
		c.value(&s.Value, 0)
		num(c, &s.Age)
	})
	num(c, &a.Count)
	c.text(&a.Language)
}

// view codes what guards see.
func (c *coder) view(v *guard.View) {
	c.instant(&v.Now)
	num(c, &v.Presence)
	c.slices(v)
	c.text(&v.Customer)
	c.text(&v.Person)
	listOf(c, &v.Owners, c.owner)
	c.zone(v)
	num(c, &v.ProfileAge)
	c.yes(&v.LeaseEnded)
	c.yes(&v.Erased)
	num(c, &v.By)
	c.yes(&v.Shared)
	c.text(&v.Channel)
	c.yes(&v.Asked)
	num(c, &v.AskIntent)
	word(c, &v.AskAbout)
	c.yes(&v.HisGoal)
	c.text(&v.Delivery)
	c.instant(&v.VisitSince)
	listOf(c, &v.Requests, func(s *event.Subject) { word(c, s) })
	c.instant(&v.Questioned)
	c.yes(&v.Retry)
	c.text(&v.Standing)
	listOf(c, &v.Spent, func(l *[]sense.Instant) { listOf(c, l, c.instant) })
	num(c, &v.Clock)
	c.budgets(v)
}

// slices codes the slice (1), or what was heard while it is awaited (2).
func (c *coder) slices(v *guard.View) {
	var there uint64
	for k, s := range [...]*profile.Slice{v.Slice, v.Heard} {
		if s != nil {
			there |= 1 << k
		}
	}
	if c.unsigned(&there); there > 3 {
		c.fail("slices %d", there)
	}
	for k, s := range [...]**profile.Slice{&v.Slice, &v.Heard} {
		if there>>k&1 == 0 || c.err != nil {
			continue
		}
		if !c.writing {
			*s = &profile.Slice{}
		}
		c.slice(*s)
	}
}

// budgets codes the units that the hub has leased.
func (c *coder) budgets(v *guard.View) {
	const none, named, each = 0, 1, 2
	form := uint64(none)
	switch {
	case v.Budgets == nil:
	case len(v.Budgets.Each) == 0:
		form = named
	default:
		form = each
	}
	if c.unsigned(&form); form > each {
		c.fail("budgets of form %d", form)
	}
	if form == none || c.err != nil {
		return
	}
	if !c.writing {
		v.Budgets = &profile.Budgets{}
	}
	listOf(c, &v.Budgets.List, func(b *profile.Budget) {
		c.text(&b.Limit)
		c.text(&b.About)
		num(c, &b.Units)
	})
	c.unsigned(&v.Budgets.Above)
	c.instant(&v.Budgets.Until)
	if form == each {
		listOf(c, &v.Budgets.Each, func(e *profile.Each) {
			c.text(&e.Limit)
			num(c, &e.Units)
			listOf(c, &e.But, c.text)
		})
		c.bytes(v.Budgets.Of[:])
	}
}

// zoneReach is how far around its instant a moment keeps the rules of a customer's zone.
const zoneReach = 2 * sense.Year

// zone codes the customer's zone, as far as a decision can look.
func (c *coder) zone(v *guard.View) {
	there := v.Zone != nil
	if c.yes(&there); !there || c.err != nil {
		return
	}
	z := sense.Zone{}
	if c.writing {
		z.Name = v.Zone.Name
		for k, t := range v.Zone.Turns {
			ended := k+1 < len(v.Zone.Turns) && v.Zone.Turns[k+1].From <= c.base.Add(-zoneReach)
			if !ended && t.From <= c.base.Add(zoneReach) {
				z.Turns = append(z.Turns, t)
			}
		}
	}
	c.text(&z.Name)
	listOf(c, &z.Turns, func(t *sense.Turn) {
		c.instant(&t.From)
		num(c, &t.Offset)
	})
	if !c.writing {
		v.Zone = &z
	}
}

// slice codes what is known of a customer.
func (c *coder) slice(s *profile.Slice) {
	c.text(&s.Customer)
	listOf(c, &s.Facts, c.fact)
	listOf(c, &s.Consents, func(x *profile.Consent) {
		c.text(&x.Purpose)
		c.yes(&x.Granted)
		c.yes(&x.Ever)
		c.text(&x.Text)
		c.instant(&x.Expires)
		c.instant(&x.Happened)
	})
	listOf(c, &s.Objections, func(x *profile.Objection) {
		c.text(&x.Purpose)
		c.yes(&x.Raised)
		c.instant(&x.Happened)
	})
	c.yes(&s.Restricted)
	c.instant(&s.RestrictedAt)
	listOf(c, &s.Interactions, c.interaction)
	listOf(c, &s.Exposures, c.exposure)
	listOf(c, &s.Folded, func(x *profile.Folded) {
		c.text(&x.Action)
		num(c, &x.Times)
	})
}

func (c *coder) fact(f *profile.Fact) {
	c.text(&f.Name)
	c.text(&f.Owner)
	c.value(&f.Value, 0)
	num(c, &f.Provenance)
	c.text(&f.Source)
	c.instant(&f.Happened)
	listOf(c, &f.Claims, func(x *profile.Claim) {
		c.value(&x.Value, 0)
		num(c, &x.Provenance)
		c.text(&x.Source)
		c.instant(&x.Happened)
	})
}

func (c *coder) interaction(i *profile.Interaction) {
	c.text(&i.Kind)
	word(c, &i.About)
	c.text(&i.Channel)
	c.text(&i.Ref)
	c.value(&i.Value, 0)
	c.instant(&i.Due)
	c.instant(&i.Happened)
	c.text(&i.Source)
	c.text(&i.ID)
}

func (c *coder) exposure(x *profile.Exposure) {
	c.text(&x.Decision)
	c.text(&x.Action)
	c.text(&x.Intent)
	c.text(&x.Group)
	word(c, &x.About)
	c.text(&x.Channel)
	c.text(&x.Slot)
	c.instant(&x.At)
	c.instant(&x.Shown)
	c.yes(&x.Failed)
	listOf(c, &x.Outcomes, func(o *profile.Outcome) {
		c.text(&o.Outcome)
		c.instant(&o.At)
	})
	c.unsigned(&x.Seq)
}

// conditions codes what the conditions rest on.
func (c *coder) conditions(f *moment.Frozen) {
	c.text(&f.Session)
	num(c, &f.Presence)
	num(c, &f.Granted)
	num(c, &f.DeviceGranted)
	listOf(c, &f.Absent, func(k *int32) { num(c, k) })
	listOf(c, &f.Readings, func(r *moment.FrozenReading) {
		num(c, &r.Signal)
		c.value(&r.Value, 0)
		c.instant(&r.At)
	})
	listOf(c, &f.Sides, func(s *moment.FrozenSide) {
		num(c, &s.Place)
		num(c, &s.Side)
	})
	c.nodes(&f.Device)
	c.nodes(&f.Own)
}

// nodes codes outcomes; a node is told by its distance from the one before.
func (c *coder) nodes(list *[]rule.FrozenNode) {
	last := rule.Node(0)
	listOf(c, list, func(n *rule.FrozenNode) {
		step := n.Node - last
		num(c, &step)
		n.Node = last + step
		last = n.Node
		num(c, &n.Result.Cause)
		if n.Result.Cause != rule.Known {
			num(c, &n.Result.Input)
		} else if !c.writing {
			n.Result.Input = -1
		}
		num(c, &n.Slope)
		c.yes(&n.Left)
		if n.Slope != 0 { // a length that grows is as long as it is since then
			since := -sense.Instant(n.Result.Value.Length())
			c.instant(&since)
			n.Result.Value = sense.LengthValue(sense.Duration(-since))
			return
		}
		c.value(&n.Result.Value, 0)
	})
}

// Past is the moment of one decision, thawed: the decision can be made again, and what it looked at
// be looked at. It does not go on.
type Past struct {
	mind    *Mind
	session *session
	frozen  frozen
	state   *moment.Past
	what    *whatIf   // laid over it; nil for the moment as it was
	owned   bool      // the actions of the mind's bundle are its own, to be changed
	made    *Decision // as it was; nil until it is asked for
}

// FrozenBundle returns the hash of the policy with which a moment was frozen.
func FrozenBundle(raw []byte) (hash [32]byte, err error) {
	f := frozen{}
	c := coder{b: raw}
	version := uint64(0)
	if c.unsigned(&version); version != momentVersion {
		c.fail("form %d, this build reads %d", version, momentVersion)
	}
	num(&c, &f.now)
	c.bytes(hash[:])
	return hash, c.err
}

// Thaw reads a moment and makes the mind that stood there, with the bundle that was in charge. The error
// is ErrMoment where the bytes are not sound or of another bundle; hostile ones never do more.
func Thaw(u *BundleUpdate, raw []byte) (*Past, error) {
	p := &Past{}
	c := coder{b: raw}
	if c.moment(&p.frozen); c.err == nil && len(c.b) > 0 {
		c.fail("%d bytes too many", len(c.b))
	}
	if c.err != nil {
		return nil, fmt.Errorf("thaw moment: %w", c.err)
	}
	f := &p.frozen
	if f.bundle != u.Hash {
		return nil, fmt.Errorf("thaw moment: it is of the bundle %x, not of %x: %w", f.bundle[:8], u.Hash[:8], ErrMoment)
	}
	if f.slot < 0 || int(f.slot) >= len(u.Bundle.Slots) || f.view.Presence > guard.Here || (f.view.Presence == guard.Here) != (f.view.Slice != nil) {
		return nil, fmt.Errorf("thaw moment: slot %d or presence %d: %w", f.slot, f.view.Presence, ErrMoment)
	}
	for _, x := range f.recent {
		if x.Action < 0 || int(x.Action) >= len(u.Bundle.Actions) {
			return nil, fmt.Errorf("thaw moment: action %d does not exist: %w", x.Action, ErrMoment)
		}
	}
	return p, p.stand(u)
}

// stand makes the mind.
func (p *Past) stand(u *BundleUpdate) (err error) {
	f := &p.frozen
	m := New(Config{Leased: true})
	m.now, m.clock, m.past, m.plainly = f.now, f.view.Clock, p, true
	m.bundle, m.hash, m.policy, m.plan = u.Bundle, u.Hash, u.Bundle.Name+"@"+strconv.FormatInt(u.Bundle.Version, 10), planOf(u.Bundle, nil)
	m.owned.Facts = f.owned
	s := newSession(f.session)
	s.by, s.shared, s.language, s.owners, s.hisGoal = f.by, f.shared, f.language, f.owners, f.hisGoal
	s.reset(len(u.Bundle.Slots))
	s.last, s.recent = f.last, f.recent
	for _, r := range f.memory {
		s.memory[r.action] = r.unasked
	}
	if f.view.Customer != "" {
		c := &customer{CustomerState: CustomerState{Customer: f.view.Customer, Person: f.view.Person, Here: f.view.Presence == guard.Here, Until: sense.Never}}
		if f.view.Slice != nil {
			f.view.Slice.Owned = &m.owned
			c.Slice = *f.view.Slice
		}
		s.customer = c
		m.customers = append(m.customers, c)
	}
	m.sessions = []*session{s}
	p.mind, p.session = m, s
	if p.state, err = moment.Thaw(u.Bundle, &f.moment, f.view.Slice, f.owners, f.now); err != nil {
		return fmt.Errorf("thaw moment: %w: %w", err, ErrMoment)
	}
	m.moment = p.state.State
	return nil
}

// view is what the guards saw.
func (p *Past) view() guard.View {
	m, v := p.mind, p.frozen.view
	v.Bundle, v.Slot = m.bundle, &m.bundle.Slots[p.frozen.slot]
	v.State = func(k int) (rule.Truth, []catalog.Because) {
		return m.moment.StateTruth(p.session.name, k), m.stateBecause(p.session, k, nil)
	}
	if p.frozen.asked {
		v.AskIntent, _ = catalog.ParseIntent(p.frozen.ask.Intent)
		v.AskAbout, v.Delivery = p.frozen.ask.About, deliveryOf(&p.frozen.ask)
	}
	if p.what != nil {
		p.what.over(&v)
	}
	return v
}

// Decision makes the decision again: all of it but its number, which the moment does not know.
func (p *Past) Decision() *Decision {
	var ask *event.Ask
	if p.frozen.asked {
		ask = &p.frozen.ask
	}
	d, _ := p.mind.decide(p.session, p.frozen.slot, ask)
	d.Explain() // the moment may be given other inputs
	return d
}

// At returns the instant of the decision.
func (p *Past) At() sense.Instant { return p.frozen.now }

// Look returns what a declared name stood for at the decision, see Mind.Look.
func (p *Past) Look(name string) (Look, bool) { return p.mind.Look(p.session.name, name) }
