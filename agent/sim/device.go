package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/agent/zones"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// device is one device. What stands first survives a crash.
type device struct {
	w        *World
	cfg      Device
	number   uint64
	disk     outbox.Memory
	keys     keys
	saved    engine.Snapshot
	boots    uint64
	counter  uint64 // of connections
	shown    map[string]bool
	hubKey   []byte // nil until the hub told it
	wanted   uint64 // revision of the want
	cut      bool
	dialling uint64  // counter of a try to connect that waits for the network; 0 for none
	bundle   shipped // in charge here
	// CrashAt is the chance that the power goes at one of the body's labelled points.
	crashAt float64

	queue   *outbox.Outbox
	parts   *agent.Parts
	body    *agent.Body
	mind    *engine.Mind
	link    *uplink.Session
	linkDue sense.Instant
	open    bool
	life    int // of the connection
	lent    agent.Leases
	fromHub []uplink.Event
	busy    bool
	records int // since the last snapshot
}

func newDevice(w *World, cfg Device, number uint64) *device {
	return &device{w: w, cfg: cfg, number: number, keys: keys{}, shown: map[string]bool{}, bundle: w.bundle}
}

func (d *device) epoch() uint64 { return d.number<<32 + 1 }

// boot opens the disk: outbox, mind and session are made anew.
func (d *device) boot() error {
	w := d.w
	d.boots++
	sum := sha256.Sum256(fmt.Appendf(nil, "device %s of world %d", d.cfg.Name, w.cfg.Seed))
	secret := [16]byte(sum[:16])
	d.parts = agent.NewParts(d.cfg.Name, d.epoch(), secret, d.keys)
	var err error
	if d.queue, err = outbox.Open(&d.disk, outbox.Options{Epoch: d.epoch(), Open: d.parts.Opener(func() []byte { return d.hubKey })}); err != nil {
		return err
	}
	d.queue.Clock(sense.ClockSynced)
	d.body = d.parts.Body(d.queue, wire.BundleID(d.bundle.Hash[:8]), d.bundle.Bundle)
	d.body.Want = d.want
	d.body.Stored = d.stored
	d.body.Crash = func(string) {
		if d.crashAt > 0 && w.rand.Float64() < d.crashAt {
			panic(powerCut{})
		}
	}
	if err := d.restore(secret); err != nil {
		return err
	}
	s := w.cfg.Session
	s.Tenant, s.Device, s.Boot, s.Seed = Tenant, d.cfg.Name, d.boots, w.cfg.Seed^d.number<<8^d.boots
	s.Keys = wire.KeysOf(w.hub.key.Public().(ed25519.PublicKey))
	if d.link, err = uplink.New(s); err != nil {
		return err
	}
	d.open, d.dialling, d.fromHub = false, 0, nil
	d.life++
	d.lend()
	if err := d.tell(d.logState()); err != nil {
		return err
	}
	if err := d.tell(d.self()); err != nil {
		return err
	}
	boot := event.Event{At: w.now, HasAt: true, Happened: w.now, Session: event.MainSession, Body: &event.Boot{Clock: sense.ClockSynced, Absent: d.cfg.Absent}}
	_, err = d.step(engine.Input{At: w.now, Bundle: &d.bundle.BundleUpdate, Events: []event.Event{boot}})
	return err
}

// restore makes the mind from the snapshot and the records above it.
func (d *device) restore(secret [16]byte) error {
	snap := clone(d.saved)
	customers := map[engine.Handle]string{}
	for k := range snap.Customers {
		customers[snap.Customers[k].Handle] = snap.Customers[k].Customer
	}
	var above []engine.Record
	var bad error
	err := d.queue.Read(snap.Applied+1, func(seq uint64, of wire.BundleID, raw []byte) bool {
		r, err := d.parts.Decode(seq, of, raw, customers)
		bad = errors.Join(bad, err)
		above = append(above, r)
		return err == nil
	})
	if err = errors.Join(err, bad); err != nil {
		return err
	}
	d.mind, err = engine.Restore(engine.Config{Device: d.cfg.Name, Epoch: d.epoch(), Secret: secret, Slots: d.cfg.Slots, Owners: d.cfg.Owners, Absent: d.cfg.Absent, Zone: zones.Zone, Moments: true, Budgets: true}, snap, above)
	if err == nil {
		d.queue.Applied(snap.Applied)
	}
	return err
}

type powerCut struct{}

// crash takes the power: all but the disk is gone.
func (d *device) crash() error {
	d.w.note("crash", d.cfg.Name)
	return d.boot()
}

// guarded runs something that the power may go in.
func (d *device) guarded(do func() error) (err error) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case powerCut:
			d.busy = false
			err = d.crash()
		default:
			panic(r)
		}
	}()
	return do()
}

// wake is when the device does something by itself.
func (d *device) wake() sense.Instant {
	return min(d.mind.Wake(), d.linkDue, max(d.lent.Due(), d.w.now))
}

func (d *device) wakeUp() error {
	return d.guarded(func() error {
		if d.mind.Wake() <= d.w.now {
			if _, err := d.step(engine.Input{At: d.w.now}); err != nil {
				return err
			}
		}
		if d.lent.Due() <= d.w.now {
			d.lent.Look(d.w.now)
			if err := d.listen(); err != nil {
				return err
			}
		}
		if d.linkDue <= d.w.now {
			return d.tell(uplink.Tick{})
		}
		return nil
	})
}

// take stamps events as the body of a real device does, and gives them to the mind step by step.
func (d *device) take(events []event.Event) (refused []engine.Refusal, err error) {
	events = slices.Clone(events)
	for k := range events {
		e := &events[k]
		if e.Happened == 0 || e.Happened > d.w.now {
			e.Happened = d.w.now
		}
		e.At, e.HasAt = d.w.now, true
	}
	err = d.guarded(func() error {
		done := 0
		for _, step := range event.Steps(events) {
			out, err := d.step(engine.Input{At: d.w.now, Events: step})
			if err != nil {
				return err
			}
			for _, r := range out.Refused {
				refused = append(refused, engine.Refusal{Index: done + r.Index, Err: r.Err})
			}
			done += len(step)
		}
		return nil
	})
	return refused, err
}

// step passes one input through the mind and performs what comes of it.
func (d *device) step(in engine.Input) (engine.Output, error) {
	var err error
	d.mind.Advance(in.At, func(o engine.Output) {
		if err == nil {
			o = o.Keep()
			err = d.perform(&o)
		}
	})
	if err != nil {
		return engine.Output{}, err
	}
	out := d.mind.Step(in)
	out = out.Keep()
	return out, d.perform(&out)
}

func (d *device) perform(o *engine.Output) error {
	if d.w.cfg.Heard != nil {
		d.w.cfg.Heard(d.cfg.Name, o)
	}
	if err := d.body.Handle(context.Background(), o); err != nil {
		return err
	}
	for k := range o.Clear {
		d.w.note(d.cfg.Name, string(o.Clear[k].AppendJSON(nil)))
	}
	for _, x := range o.Show {
		d.w.note(d.cfg.Name, string(x.AppendJSON(nil, -1)))
		d.shown[x.ID] = true
	}
	return d.listen()
}

// stored follows the commit point.
func (d *device) stored(o *engine.Output) {
	d.records += len(o.Persist)
	d.fromHub = append(d.fromHub, appended{})
}

// appended tells the session of new records, when the step is through.
type appended struct{ uplink.Link }

// lend makes the leases ready, as the body of a real device has them.
func (d *device) lend() {
	d.lent = agent.Leases{
		Tell: func(in uplink.Input) bool {
			d.fromHub = append(d.fromHub, asking{in: in})
			return true
		},
		Seal: func(h engine.Handle, customer string) ([]byte, error) {
			if d.hubKey == nil {
				return nil, nil
			}
			return d.parts.SealCustomer(d.hubKey, h, customer)
		},
		Limited: func() bool { return agent.Limited(d.mind.Bundle()) },
		Log:     func() (epoch, last uint64) { return d.epoch(), d.queue.Status().Next - 1 },
		Timely:  func() bool { return true },
		Warn:    func(what string, err error) { d.w.note(d.cfg.Name, what, err.Error()) },
	}
}

// asking is a request, made when the step is through.
type asking struct {
	uplink.Link
	in uplink.Input
}

// want takes what the mind wants now that it did not want before.
func (d *device) want(w *engine.Want) {
	d.lent.Want(w, d.w.now)
	d.fromHub = append(d.fromHub, wanting{})
}

type wanting struct{ uplink.Link }

// listen takes in what the link handed up, when no step is being made.
func (d *device) listen() error {
	if d.busy {
		return nil
	}
	d.busy = true
	defer func() { d.busy = false }()
	for len(d.fromHub) > 0 {
		e := d.fromHub[0]
		d.fromHub = d.fromHub[1:]
		if err := d.hear(e); err != nil {
			return err
		}
	}
	return nil
}

func (d *device) hear(e uplink.Event) error {
	switch e := e.(type) {
	case appended:
		return d.tell(d.logState())
	case wanting:
		return d.tell(d.self())
	case asking:
		return d.tell(e.in)
	case uplink.Link:
		up := event.Event{At: d.w.now, HasAt: true, Happened: d.w.now, Session: event.MainSession, Body: &event.Link{Up: e.Up}}
		_, err := d.step(engine.Input{At: d.w.now, Events: []event.Event{up}})
		if e.Up {
			d.lent.LinkUp(d.w.now)
		}
		return err
	case uplink.Want:
		d.hubKey, d.wanted = e.Want.HubKey, e.Want.Revision
		d.lent.Keyed(d.w.now)
		return d.tell(d.self())
	case uplink.Message:
		if u, re, ok := d.parts.Slice(e.Message, d.mind.Bundle()); ok {
			answer := d.lent.Answered(&u, re, d.w.now)
			_, err := d.step(engine.Input{At: d.w.now, Slices: []engine.SliceUpdate{u}})
			d.lent.Heard(&u, d.w.now, answer)
			return err
		}
	case uplink.Command:
		return fmt.Errorf("the hub commands %T, for which a simulated device has no answer", e.Command)
	case uplink.Problem:
		d.w.note(d.cfg.Name, e.Code, e.Detail)
	}
	return nil
}

// fetch brings the bundle that the hub wants, where another is in charge. What comes with
// it on a real device, chunks and signature, is not of this world.
func (d *device) fetch() {
	if !d.open || d.bundle.sha == d.w.bundle.sha {
		return
	}
	life, bundle := d.life, d.w.bundle
	d.w.carry(func() error {
		if d.life != life || !d.open || d.bundle.sha == bundle.sha {
			return nil
		}
		return d.guarded(func() error { return d.install(bundle) })
	})
}

// install puts a bundle in charge. The snapshot before it means that no record above it
// needs the symbols of the old bundle.
func (d *device) install(b shipped) error {
	if err := d.w.Save(d.cfg.Name); err != nil {
		return err
	}
	d.bundle = b
	d.parts.Load(d.body, wire.BundleID(b.Hash[:8]), b.Bundle)
	if _, err := d.step(engine.Input{At: d.w.now, Bundle: &d.bundle.BundleUpdate}); err != nil {
		return err
	}
	return d.tell(d.self())
}

func (d *device) self() uplink.Self {
	self := uplink.Self{Want: d.wanted, Birth: wire.Birth{
		Version: "sim", Arch: "sim", Schema: [2]int{1, wire.SchemaVersion}, Clock: sense.ClockSynced.String(), Boot: d.boots,
		Bundle: wire.BundleRef{Name: d.bundle.Bundle.Name, Version: strconv.FormatInt(d.bundle.Bundle.Version, 10), SHA256: d.bundle.sha},
	}}
	for _, s := range d.lent.Held() {
		if s.Revision > 0 {
			self.Handles = append(self.Handles, wire.Held{Handle: wire.Handle(s.Handle), Revision: s.Revision})
		}
	}
	return self
}

func (d *device) logState() uplink.Log {
	s := d.queue.Status()
	return uplink.Log{Epoch: s.Epoch, Head: s.Head, Next: s.Next, Records: s.Records, Bytes: s.Bytes}
}

// tell steps the session and performs what comes of it.
func (d *device) tell(in uplink.Input) error {
	o := d.link.Step(d.w.now, in)
	d.linkDue = o.Wake
	if a := o.Acknowledge; a != nil {
		if err := d.queue.Acknowledge(a.Epoch, a.Through, a.Ranges); err != nil {
			return err
		}
		if err := d.tell(d.logState()); err != nil {
			return err
		}
	}
	d.fromHub = append(d.fromHub, o.Up...)
	if o.Connect {
		d.connect()
	}
	if len(o.Subscribe) > 0 {
		d.later(func() error {
			if err := d.tell(uplink.Subscribed{}); err != nil {
				return err
			}
			d.w.hub.retainedFor(d)
			d.fetch()
			return nil
		})
	}
	for _, p := range o.Publish {
		d.publish(p)
	}
	if o.Read != nil {
		run, err := d.queue.Peek(d.w.now, o.Read.From, o.Read.Records, o.Read.Bytes)
		if err != nil {
			return err
		}
		if err := d.tell(uplink.Records{First: run.First, Bundle: run.Bundle, Clock: run.Clock, Records: run.Records}); err != nil {
			return err
		}
	}
	if o.Disconnect {
		d.open = false
		d.life++
	}
	if d.mind == nil {
		return nil
	}
	return d.listen()
}

// later does something after the link's delay, unless the connection has broken by then.
func (d *device) later(do func() error) {
	life := d.life
	d.w.after(d.w.delay(), func() error {
		if d.life != life {
			return nil
		}
		return d.guarded(do)
	})
}

func (d *device) connect() {
	d.counter++
	counter := d.counter
	d.life++
	d.later(func() error {
		if d.cut {
			d.dial(counter)
			return nil
		}
		return d.connected(counter)
	})
}

func (d *device) connected(counter uint64) error {
	d.open, d.dialling = true, 0
	return d.tell(uplink.Connected{Counter: counter})
}

// dialTime is how long a device waits for an answer that nobody gives.
const dialTime = 10 * sense.Second

// dial is a try to connect of which nobody hears while the device is cut off.
func (d *device) dial(counter uint64) {
	d.dialling = counter
	life := d.life
	d.w.after(dialTime, func() error {
		if d.life != life || d.dialling == 0 {
			return nil
		}
		d.dialling = 0
		return d.guarded(func() error { return d.tell(uplink.Disconnected{Cause: "no network"}) })
	})
}

func (d *device) disconnect(cause string) error {
	if !d.open {
		return nil
	}
	d.open = false
	d.life++
	return d.guarded(func() error { return d.tell(uplink.Disconnected{Cause: cause}) })
}

// publish hands a message to the broker, which has it at once and carries it to the hub.
func (d *device) publish(p uplink.Publish) {
	d.w.note(d.cfg.Name, p.Topic, string(p.Payload))
	if !d.open {
		return
	}
	if d.w.cfg.Sent != nil {
		d.w.cfg.Sent(d.cfg.Name, p)
	}
	d.later(func() error { return d.tell(uplink.Published{ID: p.ID, OK: true}) })
	d.w.carry(func() error {
		answer, err := d.w.hub.round(hub.FromDevice{Topic: p.Topic, Payload: p.Payload})
		if answer.Err != nil {
			d.w.note("hub", answer.Err.Error())
		}
		return err
	})
}

// receive lets a message of the hub travel to the device.
func (d *device) receive(topic string, payload []byte) {
	if !d.open {
		return
	}
	life := d.life
	d.w.carry(func() error {
		if d.life != life || !d.open {
			return nil
		}
		return d.guarded(func() error { return d.tell(uplink.Arrived{Topic: topic, Payload: payload}) })
	})
}

// Save writes a device's snapshot, as devices do every minute or so.
func (w *World) Save(name string) error {
	d, err := w.find(name)
	if err != nil {
		return err
	}
	d.saved = clone(d.mind.Snapshot())
	d.records = 0
	d.queue.Applied(d.saved.Applied)
	d.lent.Saved(w.now)
	_, err = d.queue.Drop()
	return errors.Join(err, d.listen())
}

// SetCrashing gives the chance that a device's power goes at each labelled point of its body.
func (w *World) SetCrashing(name string, chance float64) error {
	d, err := w.find(name)
	if err != nil {
		return err
	}
	d.crashAt = chance
	return nil
}

func (d *device) balance(report ledger.Report) error {
	s := d.queue.Status()
	if s.Head != s.Next {
		return fmt.Errorf("%d records wait, from %d on", s.Next-s.Head, s.Head)
	}
	k := slices.IndexFunc(report.Epochs, func(e ledger.EpochCount) bool { return e.Device == d.cfg.Name && e.Epoch == d.epoch() })
	if k < 0 {
		if s.Next == 1 {
			return nil
		}
		return fmt.Errorf("the hub knows none of %d records", s.Next-1)
	}
	if got := uint64(report.Epochs[k].Records); got != s.Next-1 {
		return fmt.Errorf("%d records were made, %d are at the hub", s.Next-1, got)
	}
	if got := report.Epochs[k].Decisions; got < int64(len(d.shown)) {
		return fmt.Errorf("%d decisions were shown, %d are at the hub", len(d.shown), got)
	}
	return nil
}
