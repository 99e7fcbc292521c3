package scenario

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/sim"
	"github.com/tact-edge/tact/agent/sim/funnel"
	"github.com/tact-edge/tact/agent/sim/replay"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// stage is where a scenario plays: one mind alone, or a connected world.
type stage struct {
	bundle  *catalog.Bundle
	alone   *engine.Mind // nil in a connected world
	world   *sim.World
	now     sense.Instant
	told    []event.Event // alone: what the mind learned of customers
	views   []*view       // of the devices, in order of declaration
	batches *wire.Unpacker
	known   map[string]bool            // slots of the policies that were in charge
	names   map[wire.BundleID][]string // symbols of the bundles that were in charge
}

// view is what was seen of one device.
type view struct {
	name     string
	slots    []string // nil for all
	mind     func() *engine.Mind
	shown    []seen // decisions within the episode
	clears   []engine.Clear
	standing map[place]seen
	silent   map[place]seen // why an unasked slot is empty
	sent     []string
	reads    []string // signals that are read now
	told     []string // what a person who takes over was told within the episode
}

type place struct{ session, slot string }

// seen is a decision with its funnel as it was then.
type seen struct {
	*engine.Decision
	funnel funnel.Funnel
	moment []byte // what it looked at; nil for a silence that nobody asked for
}

// whole is the funnel with all that the moment of the decision tells.
func (d *seen) whole(b *catalog.Bundle) *funnel.Funnel {
	hash, err := engine.FrozenBundle(d.moment)
	if err != nil {
		return &d.funnel
	}
	past, err := engine.Thaw(&engine.BundleUpdate{Bundle: b, Hash: hash}, d.moment)
	if err != nil {
		return &d.funnel // another policy has come since
	}
	f := funnel.From(past, d.Decision)
	return &f
}

func newView(name string, slots []string, mind func() *engine.Mind) *view {
	return &view{name: name, slots: slots, mind: mind, standing: map[place]seen{}, silent: map[place]seen{}}
}

func newStage(s *Scenario, b *catalog.Bundle, t0 sense.Instant) (*stage, error) {
	g := &stage{now: t0, known: map[string]bool{}}
	g.inCharge(b)
	if !s.connected {
		g.alone = engine.New(engine.Config{Device: "scenario", From: 1, Leased: true, Moments: true, Zone: policy.Zone})
		g.views = []*view{newView("", nil, func() *engine.Mind { return g.alone })}
		if b != nil {
			g.hear("", g.alone.Step(engine.Input{At: t0, Bundle: &engine.BundleUpdate{Bundle: b}}))
		}
		return g, nil
	}
	batches, err := wire.NewUnpacker()
	if err != nil {
		return nil, err
	}
	g.batches, g.names = batches, map[wire.BundleID][]string{}
	g.note(b)
	devices := s.devices
	if len(devices) == 0 {
		devices = []device{{name: "device"}}
	}
	cfg := sim.Config{Seed: 1, Start: t0, Bundle: b,
		// A scenario's link is as quick as it says itself.
		Session: uplink.Config{Linger: -1, Retry: 100, MaxRetry: 100, Takeovers: 1 << 20},
		Heard:   func(device string, o *engine.Output) { g.hear(device, *o) },
		Sent:    g.sent,
	}
	for _, d := range devices {
		c := sim.Device{Name: d.name, Slots: d.slots, Absent: slices.Sorted(slices.Values(d.absent))}
		for _, o := range d.owners {
			kind, id, _ := strings.Cut(o, "=")
			c.Owners = append(c.Owners, event.Owner{Kind: kind, ID: id})
		}
		slices.SortFunc(c.Owners, func(a, b event.Owner) int { return strings.Compare(a.Kind, b.Kind) })
		for _, slot := range d.slots {
			if b.Slot(slot) == nil {
				return nil, fmt.Errorf("device %s: slot %q is not declared in the policy", d.name, slot)
			}
		}
		cfg.Devices = append(cfg.Devices, c)
		g.views = append(g.views, newView(d.name, d.slots, func() *engine.Mind {
			if g.world == nil {
				return nil
			}
			return g.world.Mind(d.name)
		}))
	}
	g.world, err = sim.New(cfg)
	return g, err
}

func (g *stage) view(name string) *view {
	for _, v := range g.views {
		if v.name == name {
			return v
		}
	}
	return nil
}

// hear notes what a mind put out.
func (g *stage) hear(device string, o engine.Output) {
	if g.world == nil {
		o = o.Keep()
	}
	replay.InOrder(&o)
	v := g.view(device)
	if o.Want != nil {
		v.reads = o.Want.Signals
	}
	see := func(d *engine.Decision) seen {
		var looked []byte
		for k := range o.Moments {
			if o.Moments[k].Decision == d {
				looked = o.Moments[k].Bytes
			}
		}
		return seen{d, funnel.Of(g.bundle, d, func(name string) (engine.Look, bool) {
			if m := v.mind(); m != nil {
				return m.Look(d.Session, name)
			}
			return engine.Look{}, false
		}), looked}
	}
	for k := range o.HandOver {
		v.told = append(v.told, o.HandOver[k].Names()...)
	}
	for _, c := range o.Clear {
		v.clears = append(v.clears, c)
		delete(v.standing, place{c.Session, c.Slot})
	}
	for _, d := range o.Show {
		x := see(d)
		v.shown = append(v.shown, x)
		if d.Action != "silence" {
			v.standing[place{d.Session, d.Slot}] = x
			delete(v.silent, place{d.Session, d.Slot})
		}
	}
	for k := range o.Silent {
		d := &o.Silent[k].Decision
		v.silent[place{d.Session, d.Slot}] = see(d)
	}
	if g.alone == nil {
		return
	}
	for k := range o.Persist {
		if e := o.Persist[k].Event; e != nil {
			switch e.Body.(type) {
			case *event.Fact, *event.Consent, *event.Objection, *event.Restrict, *event.Interaction:
				g.told = append(g.told, *e)
			}
		}
	}
}

// sent keeps what a device's message says, as it travels and opened.
func (g *stage) sent(device string, p uplink.Publish) {
	v := g.view(device)
	v.sent = append(v.sent, string(p.Payload))
	if t, err := wire.ParseTopic(p.Topic); err != nil || t.Class != wire.ClassLog {
		return
	}
	batch, err := g.batches.Decode(p.Payload)
	if err != nil {
		return
	}
	for _, raw := range batch.Records {
		r, err := wire.DecodeRecord(raw)
		if err != nil {
			continue
		}
		v.sent = append(v.sent, string(raw), spell(r, g.names[batch.Bundle]))
	}
}

// spell writes a record out with its symbols' names.
func spell(r wire.Record, names []string) string {
	name := func(s wire.Sym) string {
		n, _ := s.Resolve(names)
		return n
	}
	switch r := r.(type) {
	case *wire.Decision:
		return fmt.Sprintf("decision %s %s %s", name(r.Slot), name(r.Action), name(r.Cause))
	case *wire.Outcome:
		return fmt.Sprintf("outcome %s %s", name(r.Outcome), name(r.Action))
	case *wire.Fact:
		return fmt.Sprintf("fact %s %s %s", name(r.Name), r.Value.Value, r.Owner)
	case *wire.Consent:
		return fmt.Sprintf("consent %s granted=%v", name(r.Purpose), r.Granted)
	case *wire.Objection:
		return fmt.Sprintf("objection %s raised=%v", name(r.Purpose), r.Raised)
	case *wire.Interaction:
		return fmt.Sprintf("interaction %s %s %s %s", name(r.What), r.About, name(r.Channel), r.Ref)
	}
	return r.Kind().String()
}

// note keeps the symbols of a bundle, so that records that use them can be spelt.
func (g *stage) note(b *catalog.Bundle) {
	sum := sha256.Sum256(catalog.Encode(b))
	g.names[wire.BundleID(sum[:8])] = catalog.Symbols(b)
}

// inCharge notes the policy that scenarios speak of from now on.
func (g *stage) inCharge(b *catalog.Bundle) {
	g.bundle = b
	if b == nil {
		return
	}
	for k := range b.Slots {
		g.known[b.Slots[k].Name] = true
	}
}

// load puts another policy in charge: here, or by the hub on every device that can be reached.
func (g *stage) load(b *catalog.Bundle) error {
	g.inCharge(b)
	if g.world != nil {
		g.note(b)
		return g.world.Ship(b)
	}
	g.alone.Advance(g.now, func(o engine.Output) { g.hear("", o) })
	g.hear("", g.alone.Step(engine.Input{At: g.now, Bundle: &engine.BundleUpdate{Bundle: b}}))
	return nil
}

// run lets time pass.
func (g *stage) run(until sense.Instant) error {
	g.now = max(g.now, until)
	if g.world != nil {
		return g.world.Run(until)
	}
	g.alone.Advance(until, func(o engine.Output) { g.hear("", o) })
	return nil
}

// give hands events of now to a device; the refusals are by index.
func (g *stage) give(v *view, events []event.Event) ([]engine.Refusal, error) {
	if g.world != nil {
		return g.world.Take(v.name, events)
	}
	var refused []engine.Refusal
	done := 0
	for k := range events {
		e := &events[k]
		if e.Happened == 0 || e.Happened > g.now {
			e.Happened = g.now
		}
		e.At, e.HasAt = g.now, true
	}
	for _, step := range event.Steps(events) {
		g.alone.Advance(g.now, func(o engine.Output) { g.hear("", o) })
		out := g.alone.Step(engine.Input{At: g.now, Events: step})
		g.hear("", out)
		for _, r := range out.Refused {
			refused = append(refused, engine.Refusal{Index: done + r.Index, Err: r.Err})
		}
		done += len(step)
	}
	return refused, nil
}

// ofHub says whether an event is what the hub knows of customers.
func ofHub(b event.Body) bool {
	switch b.(type) {
	case *event.Fact, *event.Consent, *event.Objection, *event.Restrict, *event.Interaction, *event.Forget, *event.Merge, *event.Split:
		return true
	}
	return false
}

// tellHub lets another system tell the hub something.
func (g *stage) tellHub(e event.Event) (refused, err error) {
	source := e.Source
	if source == "" {
		source = "backoffice"
	}
	if e.Happened == 0 {
		e.Happened = g.now
	}
	e.At, e.HasAt = g.now, true
	return g.world.Tell(source, e)
}

// may asks the hub whether somebody may be approached.
func (g *stage) may(q question) (*hub.Verdict, error) {
	w, err := g.withHub()
	if err != nil {
		return nil, err
	}
	return w.May(hub.Question{Customer: q.customer, About: q.about, Intent: q.intent, Channel: q.channel})
}

// customer asks the hub what is known of somebody.
func (g *stage) customer(id string) (*hub.Customer, error) {
	w, err := g.withHub()
	if err != nil {
		return nil, err
	}
	return w.Customer(id)
}

// withHub returns a world with a hub. Where a mind plays alone, the hub knows what the mind was told.
func (g *stage) withHub() (*sim.World, error) {
	if g.world != nil {
		return g.world, nil
	}
	if g.bundle == nil {
		return nil, errors.New("without a policy there is no hub to ask")
	}
	w, err := sim.New(sim.Config{Seed: 1, Start: g.now, Bundle: g.bundle})
	if err != nil {
		return nil, err
	}
	for _, e := range g.told {
		source := e.Source
		if source == "" {
			source = "scenario"
		}
		if refused, err := w.Tell(source, e); refused != nil || err != nil {
			return nil, fmt.Errorf("tell the hub: %w", cmpErr(refused, err))
		}
	}
	return w, nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// has says whether a device has a slot, or had it under a policy before.
func (g *stage) has(v *view, slot string) bool {
	if v.slots != nil {
		return slices.Contains(v.slots, slot)
	}
	return g.bundle == nil || g.known[slot]
}
