package hub

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// batch takes a run of a device's log: all of it, or nothing, in which case the
// device hears no acknowledgement and sends it again.
func (s *step) batch(device string, in FromDevice) error {
	opened := in.Opened
	if opened == nil {
		opened = s.Open(s.batches, in.Payload)
	}
	b, err := opened.batch, opened.err
	if err != nil {
		return err
	}
	if b.Device != device {
		return refuse("batch of device %s came from device %s: %w", b.Device, device, ErrNotTaken)
	}
	last := b.First + uint64(len(b.Records)) - 1
	mark, err := s.view.Mark(device, b.Epoch)
	if err != nil {
		return err
	}
	mark.Device, mark.Epoch = device, b.Epoch
	here, err := s.view.Digests(device, b.Epoch, b.First, last)
	if err != nil {
		return err
	}
	r := &run{step: s, batch: b, device: device, gap: b.First > mark.Through+1, bound: map[wire.Handle]string{}}
	if err := r.findHolders(opened); err != nil {
		return err
	}
	for k, raw := range b.Records {
		seq := b.First + uint64(k)
		x := &opened.records[k]
		if old, ok := here[seq]; ok {
			// A tombstone that stands for what is here already says nothing against it: its key went meanwhile.
			if old != x.digest && old != (Digest{}) && wire.Kind(raw[0]) != wire.KindTombstone {
				if err := s.command(device, &wire.NewEpoch{ID: fmt.Sprintf("%d", seq), Epoch: b.Epoch}); err != nil {
					return err
				}
				return refuse("device %s, epoch %d: record %d has another content here: %w", device, b.Epoch, seq, ErrConflict)
			}
			continue
		}
		if covers(mark.Moved, seq) {
			came, err := s.cameMoved(device, b.Epoch, seq, x.digest)
			if err != nil {
				return err
			}
			if came {
				r.records = append(r.records, Record{Device: device, Epoch: b.Epoch, Seq: seq, Kind: wire.KindMoved, At: s.now,
					Handle: handleOf(x.record), Bundle: b.Bundle, Digest: x.digest})
				continue
			}
		}
		if err := r.record(seq, raw, x); err != nil {
			return err
		}
	}
	if err := r.noteMoved(); err != nil {
		return err
	}
	if !mark.add(b.First, last) {
		return refuse("device %s, epoch %d: too many gaps below record %d: %w", device, b.Epoch, b.First, ErrLater)
	}
	s.write(AddRecords{r.records}, PutMark{mark})
	s.out.touched.log(epoch{device, b.Epoch}, "")
	return nil
}

// digest tells records apart. It is keyed: without the hub's secret nobody can
// find out what a personal record said by trying.
func (m *Mind) digest(raw []byte) Digest {
	sum := sha256.Sum256(append(m.cfg.Secret[:], raw...))
	return Digest(sum[:16])
}

// run is a batch while it is taken.
type run struct {
	*step
	batch   *wire.Batch
	device  string
	gap     bool                   // records before it are not here yet
	bound   map[wire.Handle]string // handles told in this batch; empty for those that are forgotten
	names   []string               // the symbol table, once it is needed
	records []Record
	holders map[wire.Handle]string // customers of handles that were told before
	made    *catalog.Bundle        // that the records were made under, once it was looked for
	looked  bool
	moves   moves // out of epochs that were left
}

// record takes one record that is not here yet.
func (r *run) record(seq uint64, raw []byte, x *openedRecord) error {
	row := Record{Device: r.device, Epoch: r.batch.Epoch, Seq: seq, Kind: wire.Kind(raw[0]), At: r.now,
		Bundle: r.batch.Bundle, Digest: x.digest, Body: raw}
	if x.err != nil {
		// It would come for ever: it is kept as it is, for somebody who can read it.
		r.records = append(r.records, row)
		return nil
	}
	if err := r.take(&row, x.record); err != nil {
		return err
	}
	r.records = append(r.records, row)
	return nil
}

// take takes what a record says.
func (r *run) take(row *Record, rec wire.Record) error {
	id := func(h wire.Handle, at, happened int64) (e event.Event) {
		row.Handle, row.At = h, sense.Instant(at)
		e.Session = event.MainSession
		e.Happened = min(sense.Instant(happened), r.now)
		return e
	}
	switch x := rec.(type) {
	case *wire.Decision:
		row.Handle, row.At = x.Handle, sense.Instant(x.At)
		return r.decided(x, row.Epoch, row.Seq)
	case *wire.Outcome:
		row.Handle, row.At = x.Handle, sense.Instant(x.At)
		name, err := r.name(x.Outcome)
		if err != nil {
			return err
		}
		of := x.Epoch
		if of == 0 {
			of = row.Epoch
		}
		by, err := r.answers(x, of)
		if err != nil || by == "" {
			return err
		}
		r.write(AddOutcome{Outcome{Device: by, Epoch: of, N: x.N, Outcome: name, Happened: r.when(x.Happened),
			By: DecisionID(r.device, row.Epoch, row.Seq)}})
		return r.touchContact(x.Handle)
	case *wire.Identified:
		row.Handle, row.At, row.Body = x.Handle, sense.Instant(x.At), nil
		return r.identified(x)
	case *wire.Forgotten:
		row.Handle, row.At = x.Handle, sense.Instant(x.At)
		return r.forgotten(x)
	case *wire.Moved:
		return r.moved(row, x, 0)
	case *wire.Fact:
		e := id(x.Handle, x.At, x.Happened)
		return r.personal(row, e, x.ID, x.Source, x.Name, func(id, name string) event.Body {
			f := &event.Fact{Name: name, Customer: id, Value: x.Value.Value, Provenance: event.Provenance(x.Provenance)}
			if x.Provenance > uint8(event.ThirdParty) {
				f.Provenance = event.Inferred // a kind that is not known here acts on nothing
			}
			if x.Owner != "" {
				f.Customer, f.Owner = "", x.Owner
			}
			return f
		}, x.Owner)
	case *wire.Consent:
		e := id(x.Handle, x.At, x.Happened)
		return r.personal(row, e, x.ID, x.Source, x.Purpose, func(id, name string) event.Body {
			return &event.Consent{Purpose: name, Customer: id, Granted: x.Granted, Text: x.Text, Expires: instant(x.Expires)}
		}, "")
	case *wire.Objection:
		e := id(x.Handle, x.At, x.Happened)
		return r.personal(row, e, x.ID, x.Source, x.Purpose, func(id, name string) event.Body {
			return &event.Objection{Purpose: name, Customer: id, Raised: x.Raised}
		}, "")
	case *wire.Restrict:
		e := id(x.Handle, x.At, x.Happened)
		return r.personal(row, e, x.ID, x.Source, wire.Sym{}, func(id, _ string) event.Body {
			return &event.Restrict{Customer: id, On: x.On}
		}, "")
	case *wire.Interaction:
		e := id(x.Handle, x.At, x.Happened)
		channel, err := r.name(x.Channel)
		if err != nil {
			return err
		}
		return r.personal(row, e, x.ID, x.Source, x.What, func(id, name string) event.Body {
			about := event.Subject(x.About)
			if !about.Valid() {
				about = ""
			}
			return &event.Interaction{Kind: name, Customer: id, About: about, Channel: channel, Ref: x.Ref,
				Value: x.Value.Value, Due: instant(x.Due)}
		}, "")
	}
	return nil // tombstones, reports and kinds of a newer version are kept as they are
}

// answers returns the device that made the decision which an outcome answers: the one that tells of it, or
// another that spoke to the same customer; empty where it did not.
func (r *run) answers(x *wire.Outcome, epoch uint64) (device string, err error) {
	if x.Device == "" || x.Device == r.device {
		return r.device, nil
	}
	id, err := r.whose(x.Handle)
	if err != nil || id == "" {
		return "", err
	}
	ids, err := r.ids(id)
	if err != nil {
		return "", err
	}
	contacts, err := r.view.Contacts(ids)
	if err != nil {
		return "", err
	}
	for k := range contacts {
		if c := &contacts[k]; c.Device == x.Device && c.Epoch == epoch && c.N == x.N {
			return x.Device, nil
		}
	}
	return "", nil
}

// instant reads an instant of the wire: 0 is none.
func instant(ms int64) sense.Instant {
	if ms == 0 {
		return sense.Never
	}
	return sense.Instant(ms)
}

// identified takes whose handle it is.
func (r *run) identified(x *wire.Identified) error {
	id, err := wire.OpenAtHub(r.cfg.Open, x.Handle, x.Sealed)
	if err != nil || validID("customer", id) != nil || x.Handle.IsNone() {
		return nil // sealed to another key, or to nobody: the record counts, and leads to no one
	}
	back, err := r.returned(id, event.By(x.By), sense.Instant(x.At))
	if err != nil {
		return err
	}
	since, erased, err := r.erasedAt(id)
	if err != nil {
		return err
	}
	h, ok, err := r.bind(r.device, x.Handle, id, !back && erased && x.At <= int64(since))
	var no refusal
	if errors.As(err, &no) {
		return nil
	}
	if err != nil {
		return err
	}
	r.bound[x.Handle] = ""
	if ok {
		r.bound[x.Handle] = h.ID
	}
	return nil
}

// forgotten takes the receipt of a forget, or that the device itself was told to forget.
func (r *run) forgotten(x *wire.Forgotten) error {
	h, ok, err := r.view.Holding(r.device, x.Handle)
	if err != nil {
		return err
	}
	id := h.ID
	if told, here := r.bound[x.Handle]; here {
		id, ok = told, told != ""
	}
	if x.ID == "" && ok {
		from := origin{device: r.device, entry: Entry{Handle: x.Handle}}
		at := r.now // of a device that may not know the time: nothing that is on its way ends the erasure
		if r.batch.Clock == sense.ClockSynced {
			at = min(at, sense.Instant(x.At))
		}
		e, err := r.forget(id, from, r.device, at)
		if err != nil {
			return err
		}
		if r.bound[x.Handle] != "" { // told in this batch: the view does not have it yet
			r.write(DropHolding{Device: r.device, Handle: x.Handle}, DropID{ID: id}, PutTaken{Key: r.forgottenKey(r.device, x.Handle)})
			e.waitFor(Erased{Device: r.device, Handle: x.Handle, Lease: r.now, At: r.now, How: Confirmed})
			r.putErasure(e)
		}
	}
	r.bound[x.Handle] = ""
	return r.receipt(r.device, x.Handle)
}

// personal takes a fact, consent, objection, restriction or interaction made on
// the device. What it says goes where it can be erased; the record itself keeps
// its number only.
func (r *run) personal(row *Record, e event.Event, id, source string, sym wire.Sym, body func(id, name string) event.Body, owner string) error {
	raw := row.Body
	row.Body = nil
	name, err := r.name(sym)
	if err != nil {
		return err
	}
	who := ""
	if owner == "" {
		if who, err = r.whose(row.Handle); err != nil || who == "" {
			return err
		}
	}
	e.ID, e.Source = id, r.device
	if source != "" {
		e.Source += "/" + source
	}
	e.Body = body(who, name)
	if c, said := e.Body.(*event.Consent); r.batch.Clock == sense.ClockUnknown && (!said || !c.Granted) {
		// The device did not know the time: it happened before it came, and its year says nothing. A
		// grant alone stays where it is said to be: it must not win against a word that is dated.
		e.Happened = r.now
	}
	if id != "" {
		key := r.hash("event", e.Source, id)
		taken, err := r.view.Taken(key)
		if err != nil || taken {
			return err
		}
		r.write(PutTaken{Key: key})
	}
	err = r.step.take(&e, origin{device: r.device, entry: Entry{Handle: row.Handle, Record: raw}})
	var no refusal
	if errors.As(err, &no) {
		return nil // what is said cannot be, or of somebody forgotten: the record counts, the value goes
	}
	return err
}

// whose returns the customer of a handle; empty where it leads to nobody.
func (r *run) whose(h wire.Handle) (string, error) {
	if id, ok := r.bound[h]; ok {
		return id, nil
	}
	held, ok, err := r.view.Holding(r.device, h)
	if err != nil || ok {
		return held.ID, err
	}
	forgets, err := r.view.Forgets(r.device)
	if err != nil {
		return "", err
	}
	for _, f := range forgets {
		if f.Handle == h {
			return "", nil
		}
	}
	if r.gap {
		return "", refuse("device %s: records before %d, which say whose handle %s is, are not here: %w", r.device, r.batch.First, h, ErrLater)
	}
	return "", nil // forgotten, with its receipt: nobody
}

// name returns the name of a symbol; a table that is not here is asked for.
func (r *run) name(y wire.Sym) (string, error) {
	if y.ID != 0 && r.names == nil {
		for _, device := range []string{"", r.device} {
			names, ok, err := r.view.Symbols(r.batch.Bundle, device)
			if err != nil {
				return "", err
			}
			if ok {
				r.names = names
				break
			}
		}
	}
	if name, ok := y.Resolve(r.names); ok {
		return name, nil
	}
	if r.names != nil {
		return "", nil // the table is whole, and this is not in it: nothing is named
	}
	c := &wire.SymbolsWanted{ID: "symbols-" + r.batch.Bundle.String(), Bundle: r.batch.Bundle}
	if err := r.command(r.device, c); err != nil {
		return "", err
	}
	return "", refuse("device %s: the symbol table of bundle %s is not here: %w", r.device, r.batch.Bundle, ErrLater)
}
