package hub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// fromDevice takes a message of a device.
func (s *step) fromDevice(in FromDevice) error {
	t, err := wire.ParseTopic(in.Topic)
	if err != nil {
		return refusal{err}
	}
	if t.Tenant != s.cfg.Tenant || t.Device == "" {
		return refuse("message on %q: this hub serves devices of tenant %s: %w", in.Topic, s.cfg.Tenant, ErrNotTaken)
	}
	if len(in.Payload) == 0 && t.Plane == wire.State {
		return nil // a retained document that was taken away
	}
	switch {
	case t.Plane == wire.State:
		err = s.state(t, in.Payload)
	case t.Plane == wire.Up && t.Class == wire.ClassReq:
		err = s.request(t.Device, in.Payload)
	case t.Plane == wire.Up && t.Class == wire.ClassLog:
		err = s.batch(t.Device, in)
	default:
		return refuse("message on %q: no such thing is taken from a device: %w", in.Topic, ErrNotTaken)
	}
	if errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrTooLarge) || errors.Is(err, wire.ErrSeal) {
		var no refusal
		if !errors.As(err, &no) {
			return refusal{fmt.Errorf("message on %q: %w", in.Topic, err)}
		}
	}
	return err
}

// state takes what a device says of itself.
func (s *step) state(t wire.Topic, payload []byte) error {
	d, err := s.device(t.Device)
	if err != nil {
		return err
	}
	switch t.Class {
	case wire.ClassConn:
		c, err := wire.DecodeConn(payload)
		if err != nil {
			return err
		}
		if c.State == wire.Offline && (c.Counter < d.Counter || c.Counter > d.Counter && c.Counter <= d.Ahead) {
			return nil // a late death
		}
		switch {
		case c.Counter < d.Counter: // the store was put back from a copy, and counts anew
			d.Ahead = max(d.Ahead, d.Counter)
		case c.Counter > d.Ahead:
			d.Ahead = 0
		}
		d.Online, d.Counter, d.Since = c.State == wire.Online, c.Counter, s.now
		d.Boot = c.Boot
	case wire.ClassBirth:
		var b wire.Birth
		if err := wire.DecodeJSON(payload, &b); err != nil {
			return err
		}
		other := b.Bundle.SHA256 != d.Birth.Bundle.SHA256
		d.Birth, d.Boot = b, b.Boot
		if d.Leave == 0 || b.Epoch != d.Leave {
			if err := s.newLife(&d, b.Epoch); err != nil {
				return err
			}
			d.Epoch = b.Epoch
		}
		if err := s.lives(&d, Life{Epoch: b.Epoch, Boot: b.Boot}); err != nil {
			return err
		}
		if other {
			if err := s.touchHeld(d.ID); err != nil {
				return err
			}
		}
	case wire.ClassReport:
		var r wire.Reported
		if err := wire.DecodeJSON(payload, &r); err != nil {
			return err
		}
		d.Reported = r
		if r.Bundle.SHA256 != "" && r.Bundle.SHA256 != d.Birth.Bundle.SHA256 {
			d.Birth.Bundle = r.Bundle
			if err := s.touchHeld(d.ID); err != nil {
				return err
			}
		}
	case wire.ClassHealth:
		var h wire.Health
		return wire.DecodeJSON(payload, &h) // figures are for the console; nothing is kept of them
	}
	s.putDevice(d)
	return nil
}

// touchHeld has the slices of a device made anew: it runs another bundle.
func (s *step) touchHeld(device string) error {
	holdings, err := s.view.HoldingsAt(device, s.now)
	if err != nil {
		return err
	}
	for _, h := range holdings {
		s.out.touched.id(h.ID)
	}
	return nil
}

// request answers what a device asks.
func (s *step) request(device string, payload []byte) error {
	r, err := wire.DecodeRequest(payload)
	if err != nil {
		return err
	}
	switch r := r.(type) {
	case *wire.Echo:
		return s.command(device, &wire.EchoAnswer{Re: r.ID, Time: int64(s.now)})
	case *wire.Hello:
		return s.hello(device, r)
	case *wire.SliceRequest:
		return s.sliceRequest(device, r)
	case *wire.BudgetRequest:
		return s.budgetRequest(device, r)
	case *wire.BundleRequest:
		return s.chunks(device, r)
	case *wire.SymbolTable:
		return s.symbols(device, r)
	}
	return refuse("request %T: %w", r, ErrNotTaken)
}

// maxHeld is how many handles one hello may name.
const maxHeld = 1024

// hello answers a device that has connected: per handle, its forgets, its want, its log.
func (s *step) hello(device string, r *wire.Hello) error {
	if len(r.Handles) > maxHeld {
		return refuse("hello with %d handles, at most %d: %w", len(r.Handles), maxHeld, ErrNotTaken)
	}
	if r.Next != 0 && r.First > r.Next {
		return refuse("hello with records from %d to %d: %w", r.First, r.Next, ErrNotTaken)
	}
	d, err := s.device(device)
	if err != nil {
		return err
	}
	behind, err := s.behind(device, r)
	if err != nil {
		return err
	}
	if err := s.newLife(&d, r.Epoch); err != nil {
		return err
	}
	s.whole = s.whole || behind
	d.Epoch, d.Leave = r.Epoch, 0
	if behind {
		d.Epoch, d.Leave = 0, r.Epoch // what is here of it says nothing of this life of the device
	}
	s.putDevice(d)
	for _, held := range r.Handles {
		if err := s.holds(device, held, r.ID); err != nil {
			return err
		}
	}
	if err := s.sendForgets(device, r.ID); err != nil {
		return err
	}
	if d.Want == 0 || r.Want != d.Want {
		d.Want = max(d.Want, r.Want)
		if err := s.pushWant(d, true); err != nil {
			return err
		}
	}
	if behind {
		return nil
	}
	if err := s.passOver(device, r.Epoch, r.First); err != nil {
		return err
	}
	s.out.touched.log(epoch{device, r.Epoch}, r.ID)
	return nil
}

// behind says whether a device is behind its own past: the next number that it gives is
// one of a record that is here. Its store was restored from a copy; it is told to
// leave the epoch, and hears no acknowledgement of it.
func (s *step) behind(device string, r *wire.Hello) (bool, error) {
	m, err := s.view.Mark(device, r.Epoch)
	if err != nil || r.Next == 0 {
		return false, err
	}
	last := m.Through
	if n := len(m.Ranges); n > 0 {
		last = max(last, m.Ranges[n-1].Last)
	}
	if r.Next > last {
		return false, nil
	}
	return true, s.command(device, &wire.NewEpoch{ID: r.ID, Epoch: r.Epoch})
}

// holds answers a handle that a device says it holds.
func (s *step) holds(device string, held wire.Held, re string) error {
	h, ok, err := s.view.Holding(device, held.Handle)
	if err != nil {
		return err
	}
	if ok {
		return s.confirm(h, held.Revision, re)
	}
	return s.unknown(device, held.Handle, re)
}

// unknown answers a handle of which the hub knows nothing (its ledger is older than the handle, or new): by a
// revision that no device holds, so that the slice is asked for whole. One that was forgotten is forgotten again:
// the device's store was restored from before.
func (s *step) unknown(device string, h wire.Handle, re string) error {
	forgotten, err := s.wasForgotten(device, h)
	if err != nil {
		return err
	}
	if forgotten {
		return s.forgetHandle(device, h, "", s.now)
	}
	t, err := s.lease(device)
	if err != nil {
		return err
	}
	return s.sendDown(device, wire.ClassSlice, h.String(), &wire.Unchanged{Handle: h, Until: int64(sense.Never), ThroughEpoch: t.epoch, Through: t.through, Re: re})
}

// lives notes which life of a device speaks. Where two take turns, two machines have
// one identity: a device that was started again or restored does not go back and forth.
func (s *step) lives(d *Device, now Life) error {
	if n := len(d.Lives); n > 0 && d.Lives[n-1] == now {
		return nil
	}
	const turns = 4
	d.Lives = append(slices.Clip(d.Lives), now)
	d.Lives = d.Lives[max(0, len(d.Lives)-turns):]
	if l := d.Lives; len(l) < turns || l[0] != l[2] || l[1] != l[3] {
		return nil
	}
	m, err := s.view.Mark(d.ID, now.Epoch)
	if err != nil {
		return err
	}
	m.Device, m.Epoch, m.Twins = d.ID, now.Epoch, []Life{d.Lives[2], d.Lives[3]}
	s.write(PutMark{m})
	return nil
}

// confirm answers a handle that a device holds in a revision: every change of it has raised the revision.
func (s *step) confirm(h Holding, revision uint64, re string) error {
	if revision != 0 && revision == h.Revision && !s.whole {
		return s.unchanged(h, reply{re: re})
	}
	return s.tell(&folded{id: h.ID}, h, reply{re: re})
}

// sliceRequest tells the hub whose handle it is, and asks for the slice.
func (s *step) sliceRequest(device string, r *wire.SliceRequest) error {
	if r.Handle.IsNone() {
		return refuse("slice request without a handle: %w", ErrNotTaken)
	}
	id, err := wire.OpenAtHub(s.cfg.Open, r.Handle, r.Customer)
	if err != nil {
		return err
	}
	h, ok, err := s.bind(device, r.Handle, id, false)
	if err != nil || !ok {
		return err
	}
	if h.Owners, err = ownersOf(r.Owners); err != nil {
		return err
	}
	f := &folded{id: h.ID}
	grants, err := s.view.GrantsOf(device, r.Handle)
	if err != nil {
		return err
	}
	var answer reply
	if asked := s.askedAt(r.At); !late(grants, asked) {
		if answer, err = s.lend(f, h, asked, nil); err != nil {
			return err
		}
	}
	answer.re = r.ID
	return s.tell(f, h, answer)
}

// bind ties a handle to a customer. ok is false where the customer was forgotten
// on this device since: the forget is said again instead.
func (s *step) bind(device string, handle wire.Handle, id string, forgotten bool) (h Holding, ok bool, err error) {
	if err := validID("customer", id); err != nil {
		return h, false, err
	}
	forgets, err := s.view.Forgets(device)
	if err != nil {
		return h, false, err
	}
	for _, f := range forgets {
		if f.Handle == handle {
			return h, false, s.sendForgets(device, "")
		}
	}
	h, ok, err = s.view.Holding(device, handle)
	if err != nil {
		return h, false, err
	}
	if ok && h.ID != id {
		return h, false, refuse("handle %s of device %s is another customer's: a device draws a new one for each lease: %w", handle, device, ErrConflict)
	}
	if !ok && !forgotten {
		if forgotten, err = s.wasForgotten(device, handle); err != nil {
			return h, false, err
		}
	}
	if forgotten { // by a device that was away, or whose store was restored from before the forget
		if ok {
			s.write(DropHolding{Device: device, Handle: handle})
		}
		return h, false, s.forgetLate(device, handle, id, h.Until)
	}
	if !ok {
		h = Holding{Device: device, Handle: handle, ID: id}
		s.write(PutHolding{h})
	}
	if _, erased, err := s.erasedAt(id); err != nil || erased {
		return h, true, err // nobody is created: the slice will be empty
	}
	return h, true, s.meet(id)
}

// maxOwners is how many owners a customer may be with on one device.
const maxOwners = 8

func ownersOf(list []wire.Owner) ([]event.Owner, error) {
	if len(list) > maxOwners {
		return nil, refuse("slice request with %d owners, at most %d: %w", len(list), maxOwners, ErrNotTaken)
	}
	var owners []event.Owner
	for _, o := range list {
		if err := validID("owner", o.ID); err != nil {
			return nil, err
		}
		owners = append(owners, event.Owner{Kind: o.Kind, ID: o.ID})
	}
	return owners, nil
}

// maxChunks is how many chunks one request gets.
const maxChunks = 16

// chunks answers with parts of a bundle file.
func (s *step) chunks(device string, r *wire.BundleRequest) error {
	b, ok, err := s.view.Bundle(r.SHA256)
	if err != nil {
		return err
	}
	if !ok {
		return refuse("blob %.70q is not here: %w", r.SHA256, ErrNotTaken)
	}
	of := (len(b.File) + wire.ChunkSize - 1) / wire.ChunkSize
	for n := range min(max(int(r.Count), 1), maxChunks) {
		k := int(r.Index) + n
		if k >= of {
			break
		}
		part := b.File[k*wire.ChunkSize : min((k+1)*wire.ChunkSize, len(b.File))]
		if err := s.sendDown(device, wire.ClassBlob, b.SHA256, &wire.Blob{ID: b.SHA256, Index: uint32(k), Of: uint32(of), Bytes: part, Re: r.ID}); err != nil {
			return err
		}
	}
	return nil
}

// maxSymbols is the largest symbol table.
const maxSymbols = 1 << 16

// symbols takes a part of a symbol table that the hub asked for.
func (s *step) symbols(device string, r *wire.SymbolTable) error {
	if r.Of > maxSymbols || uint64(r.From)+uint64(len(r.Names)) > uint64(r.Of) || len(r.Names) == 0 {
		return refuse("symbol table %d+%d of %d: %w", r.From, len(r.Names), r.Of, ErrNotTaken)
	}
	for _, n := range r.Names {
		if len(n) > wire.MaxName {
			return refuse("symbol of %d bytes: %w", len(n), ErrNotTaken)
		}
	}
	if _, ok, err := s.view.Symbols(r.Bundle, device); err != nil || ok {
		return err
	}
	s.write(PutSymbols{SymbolPart{Bundle: r.Bundle, Device: device, From: r.From, Of: r.Of, Names: r.Names}})
	return nil
}

// connected follows a connect of the hub: what was published while the link was
// away did not arrive, so every device that may be there says hello again.
func (s *step) connected() error {
	for after := ""; ; {
		devices, err := s.view.Devices(after, 256)
		if err != nil || len(devices) == 0 {
			return err
		}
		for _, d := range devices {
			after = d.ID
			if d.Online {
				if err := s.command(d.ID, &wire.Rebirth{ID: fmt.Sprintf("connected-%d", s.now)}); err != nil {
					return err
				}
			}
		}
	}
}

// tick lets what time does happen: facts past their retention go, forgets
// without a receipt are said again, erasures end with the last lease, and what is over of contact budgets and of handles goes.
func (s *step) tick() error {
	if err := s.sayForgets(); err != nil {
		return err
	}
	if err := s.endLeases(); err != nil {
		return err
	}
	if err := s.sweepGrants(); err != nil {
		return err
	}
	if err := s.sweepHoldings(); err != nil {
		return err
	}
	gone, err := s.view.Expired(s.now, 4096)
	if err != nil || len(gone) == 0 {
		return err
	}
	rows := make([]int64, len(gone))
	for k, e := range gone {
		rows[k] = e.Row // devices drop it by the same retention: nobody needs to hear of it
	}
	s.write(DropEntries{Rows: rows})
	return nil
}
