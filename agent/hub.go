package agent

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// arrived takes what the link hands up, in the link's goroutine, before the link sends anything more.
func (a *Agent) arrived(e uplink.Event) {
	if m, ok := e.(uplink.Message); ok {
		if f, ok := m.Message.(*wire.Forget); ok {
			a.codec.withheld.doom(engine.Handle(f.Handle), a.codec.keys)
		}
	}
	a.inbox.fromHub(e)
}

// fromHub takes in what the link hands up.
func (a *Agent) fromHub(ctx context.Context, e uplink.Event) error {
	switch e := e.(type) {
	case uplink.Link:
		a.online.Store(e.Up)
		if err := a.say(ctx, &event.Link{Up: e.Up}); err != nil {
			return err
		}
		if e.Up {
			a.lent.LinkUp(a.stamp.now())
			return nil
		}
		a.describeNow() // for the hello of the next connection
	case uplink.HubTime:
		return a.hubTime(ctx, e)
	case uplink.Want:
		a.takeWant(e)
	case uplink.Message:
		return a.message(ctx, e.Message)
	case uplink.Command:
		return a.command(ctx, e.Command)
	case uplink.Job:
		a.tell.Warn("a job was sent that this version does not know", "job", e.Name)
	case uplink.Problem:
		if e.Code == uplink.ProblemMessage {
			a.refused.Add(uint64(max(1, e.Count)))
		}
		a.tell.Warn("link", "code", e.Code, "count", e.Count, "detail", e.Detail)
		return a.reportProblem(ctx, e)
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
	u, re, ok := sliceUpdate(m, a.epoch, a.mind.Bundle())
	if !ok {
		return nil
	}
	answer := a.lent.Answered(&u, re, now)
	a.touched()
	if _, err := a.step(ctx, engine.Input{At: now, Slices: []engine.SliceUpdate{u}}, nil); err != nil {
		return err
	}
	a.lent.Heard(&u, now, answer)
	a.tellSessions(now, nil)
	a.body.crash(CrashAfterAcknowledge)
	return nil
}

// describe tells the link what the device is and which slices it holds.
func (a *Agent) describe(slices []engine.WantSlice) {
	if a.link == nil {
		return
	}
	self := uplink.Self{Want: a.wants.Device.Revision, Birth: wire.Birth{
		Version: a.cfg.Version, Arch: runtime.GOOS + "/" + runtime.GOARCH, Schema: [2]int{1, wire.SchemaVersion},
		Bundle: a.present, Clock: a.stamp.state.String(), Boot: a.boot, Sources: a.cfg.SourceNames, Groups: a.cfg.Groups,
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

func (a *Agent) command(ctx context.Context, c wire.Command) error {
	switch c := c.(type) {
	case *wire.SymbolsWanted:
		a.sendSymbols(c)
	case *wire.NewEpoch:
		if c.Epoch != a.epoch {
			return nil
		}
		return a.leaveEpoch(ctx, whyLeave{wire.ReportStoreRestored, fmt.Errorf("epoch %d is in conflict at the hub: the store was put back from a copy, or another machine has one", c.Epoch)})
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
	s, w := a.queue.Status(), a.store.Written(now)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	payload, err := wire.EncodeJSON(wire.Health{At: int64(now), Figures: map[string]int64{
		"outbox_records": int64(s.Records), "outbox_bytes": s.Bytes, "outbox_refused": int64(s.Refused), "outbox_tombstones": int64(s.Tombs),
		"flash_written_bytes": w.Total, "flash_written_today_bytes": w.Today, "flash_budget_bytes": a.flashBudget(), "moments_skipped": int64(a.flash.skipped),
		"customers": int64(a.mind.Customers()), "asks_waited": int64(a.wait.count), "asks_waited_in_vain": int64(a.wait.vain), "steps": int64(a.steps.Load()), "heap_bytes": int64(m.HeapAlloc), "store_recoveries": int64(a.recovered), "messages_refused": int64(a.refused.Load()),
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
