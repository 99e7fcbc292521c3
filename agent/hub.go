package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// ErrBegin says that the hub wants another epoch of this device, whose log was
// set aside: start again.
var ErrBegin = errors.New("the log was begun anew for the hub: start again")

// leased is what is known of a slice that the mind wants.
type leased struct {
	want  engine.WantSlice
	since sense.Instant // of the lease, 0 before there is one
	until sense.Instant
	asked bool
}

// fromHub takes in what the link hands up.
func (a *Agent) fromHub(ctx context.Context, e uplink.Event) error {
	switch e := e.(type) {
	case uplink.Link:
		a.online.Store(e.Up)
		return a.say(ctx, &event.Link{Up: e.Up})
	case uplink.HubTime:
		if a.stamp.hubTime(e.Time) {
			return a.say(ctx, a.clockEvent())
		}
	case uplink.Want:
		a.takeWant(e)
	case uplink.Message:
		return a.message(ctx, e.Message)
	case uplink.Command:
		return a.command(e.Command)
	case uplink.Job:
		a.tell.Warn("a job was sent that this version does not know", "job", e.Name)
	case uplink.Problem:
		if e.Code == uplink.ProblemMessage {
			a.refused.Add(1)
		}
		a.tell.Warn("link", "code", e.Code, "detail", e.Detail)
	}
	return nil
}

// say tells the mind something that only the agent may say.
func (a *Agent) say(ctx context.Context, b event.Body) error {
	_, err := a.take(ctx, []event.Event{{Session: event.MainSession, Body: b}}, true)
	return err
}

func (a *Agent) message(ctx context.Context, m wire.DownMessage) error {
	now := a.stamp.now()
	switch m := m.(type) {
	case *wire.Blob:
		return a.blob(ctx, m)
	case *wire.SiteSignal:
		happened := min(sense.Instant(m.Happened), now)
		_, err := a.take(ctx, []event.Event{{Happened: happened, Source: "hub", Session: event.MainSession, Body: &event.Signal{Name: m.Name, Value: m.Value.Value}}}, false)
		return err
	case *wire.Forget:
		a.codec.forgets.put(engine.Handle(m.Handle), m.ID)
	}
	u, ok := sliceUpdate(m, a.epoch, a.mind.Bundle())
	if !ok {
		return nil
	}
	if l := a.leases[u.Handle]; l != nil && !u.Forget {
		l.since, l.until, l.asked = now, u.Until, false
	}
	a.touched()
	_, err := a.step(ctx, engine.Input{At: now, Slices: []engine.SliceUpdate{u}}, nil)
	if err == nil {
		a.tellSessions(now, nil)
		a.body.crash(CrashAfterAcknowledge)
	}
	return err
}

// want takes the mind's new full set: sources are started and stopped, slices asked for.
func (a *Agent) want(w *engine.Want) {
	if a.sources != nil {
		a.sources.Want(w.Signals)
	}
	a.reading.Store(&w.Signals)
	before := a.leases
	a.leases = make(map[engine.Handle]*leased, len(w.Slices))
	for _, s := range w.Slices {
		l := before[s.Handle]
		if l == nil {
			l = &leased{}
		}
		l.want = s
		a.leases[s.Handle] = l
	}
	for h, l := range before {
		if a.leases[h] == nil && l.asked {
			a.tellLink(uplink.Cancel{ID: sliceID(h)})
		}
	}
	a.describe(w.Slices)
	for _, s := range w.Slices {
		if l := a.leases[s.Handle]; s.Revision == 0 && !l.asked {
			a.askSlice(l)
		}
	}
}

func sliceID(h engine.Handle) string { return "slice-" + wire.Handle(h).String() }

// askSlice asks for a slice as soon as the hub's key is known.
func (a *Agent) askSlice(l *leased) {
	key := a.hubKey()
	if a.link == nil || key == nil {
		return
	}
	h := wire.Handle(l.want.Handle)
	sealed, err := a.codec.sealToHub(key, h, l.want.Customer, "slice")
	if err != nil {
		a.tell.Error("slice cannot be asked for", "error", err)
		return
	}
	var owners []wire.Owner
	for _, o := range l.want.Owners {
		owners = append(owners, wire.Owner{Kind: o.Kind, ID: o.ID})
	}
	id := sliceID(l.want.Handle)
	l.asked = a.tellLink(uplink.Ask{ID: id, Request: &wire.SliceRequest{ID: id, Handle: h, Customer: sealed, Owners: owners}})
}

// askAgain asks for every slice: after messages of the hub found no room.
func (a *Agent) askAgain() {
	a.tell.Warn("messages of the hub found no room: asking again for what is wanted")
	for _, l := range a.leases {
		a.askSlice(l)
	}
	a.fetch.restart(a.stamp.now())
}

// renew asks for what was not asked for yet, and for leases that have run
// three quarters of their time.
func (a *Agent) renew(now sense.Instant) {
	for _, l := range a.leases {
		never := l.want.Revision == 0 && l.until == 0
		late := l.until != 0 && l.until != sense.Never && now > l.until.Add(-(l.until.Sub(l.since)/4))
		if !l.asked && (never || late) {
			a.askSlice(l)
		}
	}
}

// describe tells the link what the device is and which slices it holds.
func (a *Agent) describe(slices []engine.WantSlice) {
	if a.link == nil {
		return
	}
	self := uplink.Self{Want: a.wants.Device.Revision, Birth: wire.Birth{
		Version: a.cfg.Version, Arch: runtime.GOOS + "/" + runtime.GOARCH, Schema: [2]int{1, wire.SchemaVersion},
		Bundle: a.present, Clock: a.stamp.state.String(), Boot: a.boot, Sources: a.cfg.SourceNames,
	}}
	self.Handles = heldOf(slices)
	a.tellLink(self)
}

// mostHeld is how many slices one hello names, so that it fits a message. The leases of
// further ones are renewed each by itself.
const mostHeld = 512

// heldOf lists the slices that are held, as a hello names them.
func heldOf(slices []engine.WantSlice) (held []wire.Held) {
	for _, s := range slices {
		if s.Revision > 0 && len(held) < mostHeld {
			held = append(held, wire.Held{Handle: wire.Handle(s.Handle), Revision: s.Revision})
		}
	}
	return held
}

func (a *Agent) describeNow() {
	var held []engine.WantSlice
	for _, c := range a.mind.Snapshot().Customers {
		held = append(held, engine.WantSlice{Handle: c.Handle, Customer: c.Customer, Revision: c.Revision})
	}
	a.describe(held)
}

func (a *Agent) tellLink(in uplink.Input) bool {
	if a.link == nil {
		return false
	}
	if err := a.link.Tell(in); err != nil {
		a.tell.Warn("the link takes no more", "error", err)
		return false
	}
	return true
}

func (a *Agent) command(c wire.Command) error {
	switch c := c.(type) {
	case *wire.SymbolsWanted:
		a.sendSymbols(c)
	case *wire.NewEpoch:
		if c.Epoch != a.epoch {
			return nil
		}
		why := fmt.Errorf("epoch %d is in conflict at the hub", c.Epoch)
		if err := a.begin(why); err != nil {
			return err
		}
		return ErrBegin
	}
	return nil
}

// symbolsPart is how many names one message carries: each is MaxName bytes at the most.
const symbolsPart = 128

func (a *Agent) sendSymbols(c *wire.SymbolsWanted) {
	s := a.tables[c.Bundle]
	if s == nil {
		a.tell.Warn("the hub asks for the symbols of a bundle that is no longer here", "bundle", c.Bundle)
		return
	}
	for from := 0; from < len(s.names); from += symbolsPart {
		part := s.names[from:min(from+symbolsPart, len(s.names))]
		payload, err := wire.EncodeRequest(&wire.SymbolTable{Re: c.ID, Bundle: c.Bundle, From: uint32(from), Of: uint32(len(s.names)), Names: part})
		if err != nil {
			a.tell.Error("symbols cannot be sent", "error", err)
			return
		}
		// One topic carries all parts, so each is a request of its own.
		a.tellLink(uplink.Send{Plane: wire.Up, Class: wire.ClassReq, Payload: payload})
	}
}

func (a *Agent) sendHealth(now sense.Instant) {
	s := a.queue.Status()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	payload, err := wire.EncodeJSON(wire.Health{At: int64(now), Figures: map[string]int64{
		"outbox_records": int64(s.Records), "outbox_bytes": s.Bytes, "outbox_refused": int64(s.Refused), "outbox_tombstones": int64(s.Tombs),
		"customers": int64(len(a.leases)), "steps": int64(a.steps.Load()), "heap_bytes": int64(m.HeapAlloc), "store_recoveries": int64(a.recovered), "messages_refused": int64(a.refused.Load()),
	}})
	if err != nil {
		a.tell.Error("health cannot be sent", "error", err)
		return
	}
	a.tellLink(uplink.Send{Plane: wire.State, Class: wire.ClassHealth, Payload: payload})
}

// version of the module, where the build knows it.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
