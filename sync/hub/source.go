package hub

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/event"
)

// fromSource takes an event line of a source: the CRM, the web shop, a mailing tool.
func (s *step) fromSource(in FromSource) error {
	e := in.Event
	if e.Source != "" && e.Source != in.Source {
		return refuse("source %q may not speak as %q: leave `source` out: %w", in.Source, e.Source, ErrInvalid)
	}
	e.Source = in.Source
	if !e.HasAt && e.Happened == 0 {
		e.Happened = s.now
	}
	e.Happened = min(e.Happened, s.now)
	if e.ID != "" {
		key := s.hash("event", e.Source, e.ID)
		taken, err := s.view.Taken(key)
		if err != nil || taken {
			return err // taken once; the source hears that it is here
		}
		s.write(PutTaken{Key: key})
	}
	return s.take(&e, origin{})
}

// origin says on which device an event was made; the zero origin is none.
type origin struct {
	device string
	entry  Entry // handle and record
}

// take takes one event into the ledger.
func (s *step) take(e *event.Event, from origin) error {
	switch b := e.Body.(type) {
	case *event.Fact:
		if b.Owner != "" {
			return s.keep(e, from, "fact", b.Name, "", b.Owner)
		}
		return s.keep(e, from, "fact", b.Name, b.Customer, "")
	case *event.Consent:
		if err := s.keep(e, from, "consent", b.Purpose, b.Customer, ""); err != nil || b.Granted {
			return err
		}
		return s.withdrawn(b.Customer, b.Purpose, e.Happened)
	case *event.Objection:
		return s.keep(e, from, "objection", b.Purpose, b.Customer, "")
	case *event.Restrict:
		return s.keep(e, from, "restrict", "", b.Customer, "")
	case *event.Interaction:
		if err := s.keep(e, from, "interaction", b.Kind, b.Customer, ""); err != nil {
			return err
		}
		return s.answersDecision(e, b)
	case *event.Forget:
		if err := validID("customer", b.Customer); err != nil {
			return err
		}
		e, err := s.forget(b.Customer, from, e.Source, s.now)
		s.out.Answer.Erasure = e
		return err
	case *event.Merge:
		for _, id := range []string{b.Into, b.From} {
			if err := validID("customer", id); err != nil {
				return err
			}
		}
		return s.merge(b.Into, b.From, e.Happened)
	case *event.Split:
		return s.split(b.Into, b.From)
	case *event.Identify:
		return s.seen(e, b)
	}
	return refuse("%s: it takes fact, consent, objection, restrict, interaction, forget, merge, split and identify; "+
		"the others are a device's own: %w", lineName(e.Body), ErrNotForHub)
}

// lineName is the word that names a line's body.
func lineName(b event.Body) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", b), "*event.")
	return strings.ToLower(name) + " line"
}

// seen takes that a customer was recognised in a channel: by card or login it ends an erasure.
func (s *step) seen(e *event.Event, b *event.Identify) error {
	if b.Customer == "" {
		return nil
	}
	if err := validID("customer", b.Customer); err != nil {
		return err
	}
	back, err := s.returned(b.Customer, b.By, e.Happened)
	if err != nil {
		return err
	}
	if !back {
		return refuse("customer %q was forgotten; only by card or login does the customer begin anew: %w", b.Customer, ErrErased)
	}
	return s.meet(b.Customer)
}

// keep adds what is known of a customer or an owner.
func (s *step) keep(e *event.Event, from origin, what, name, id, owner string) error {
	who := id
	if owner != "" {
		who = owner
	}
	if err := validID(map[bool]string{true: "customer", false: "owner"}[owner == ""], who); err != nil {
		return err
	}
	if owner == "" {
		if err := s.notErased(id); err != nil {
			return err
		}
	}
	keep, err := s.declared(e, what, name)
	if err != nil {
		return err
	}
	entry := from.entry
	entry.ID, entry.Owner, entry.What, entry.Name = id, owner, what, name
	entry.Happened, entry.Expires = e.Happened, e.Happened.Add(keep)
	entry.Device, entry.Source = from.device, e.Source
	if entry.Expires <= s.now {
		return nil // past its retention when it came: it is not held at all
	}
	if what == "fact" {
		if newest, err := s.replaces(&entry, e.Body.(*event.Fact)); err != nil || !newest {
			return err
		}
	}
	line := *e
	line.HasAt, line.At, line.Session = false, 0, event.MainSession
	entry.Line = event.AppendLine(nil, line)
	s.write(AddEntry{entry})
	if owner != "" {
		s.out.touched.owner(owner)
		return nil
	}
	if from.device != "" {
		s.out.touched.word(wordOf(&line))
		if b, ok := e.Body.(*event.Restrict); ok {
			s.out.touched.restricted(limitWord{holder{from.device, from.entry.Handle}, b.On})
		}
	}
	s.out.touched.id(id)
	return s.meet(id)
}

// replaces drops what the same source said of the same fact before: of one source only the newest word is held, of
// what it was told and what it inferred apart, as on devices; and its last retraction, which takes back
// what others said before it as well. It says whether this one is to be held.
func (s *step) replaces(n *Entry, said *event.Fact) (newest bool, err error) {
	var old []Entry
	if n.Owner != "" {
		old, err = s.view.OwnerEntries([]string{n.Owner})
	} else {
		old, err = s.view.Entries([]string{n.ID})
	}
	if err != nil {
		return false, err
	}
	var rows []int64
	for _, o := range old {
		if o.What != "fact" || o.Name != n.Name || o.Source != n.Source || o.Device != n.Device {
			continue
		}
		e, err := o.event()
		if err != nil {
			return false, err
		}
		was, ok := e.Body.(*event.Fact)
		switch {
		case !ok || strong(was) != strong(said):
		case o.Happened > n.Happened:
			if !retracts(said) || retracts(was) {
				return false, nil
			}
		case retracts(said) || !retracts(was):
			rows = append(rows, o.Row)
		}
	}
	if rows != nil {
		s.write(DropEntries{Rows: rows})
	}
	return true, nil
}

// strong says whether a fact was told or observed, not inferred or said by others.
func strong(f *event.Fact) bool {
	return f.Provenance == event.Declared || f.Provenance == event.Observed
}

// retracts says whether it takes the whole fact back.
func retracts(f *event.Fact) bool { return f.Value.IsNull() && strong(f) }

// answersDecision notes that an interaction in any channel refers to a decision:
// the contact was answered, whatever became of it on the device.
func (s *step) answersDecision(e *event.Event, b *event.Interaction) error {
	device, epoch, n, ok := ParseDecisionID(b.Ref)
	if !ok {
		return nil
	}
	by := s.hash("answer", e.Source, e.ID, b.Ref, strconv.FormatInt(int64(e.Happened), 10))
	s.write(AddOutcome{Outcome{Device: device, Epoch: epoch, N: n, Outcome: Answered, Happened: e.Happened, By: fmt.Sprintf("%x", by[:])}})
	return nil
}

// ParseDecisionID reads DEVICE-EPOCH-N.
func ParseDecisionID(id string) (device string, epoch, n uint64, ok bool) {
	last := strings.LastIndexByte(id, '-')
	if last <= 0 {
		return "", 0, 0, false
	}
	mid := strings.LastIndexByte(id[:last], '-')
	if mid <= 0 {
		return "", 0, 0, false
	}
	epoch, err1 := strconv.ParseUint(id[mid+1:last], 10, 64)
	n, err2 := strconv.ParseUint(id[last+1:], 10, 64)
	return id[:mid], epoch, n, err1 == nil && err2 == nil && n > 0
}

// DecisionID prints DEVICE-EPOCH-N.
func DecisionID(device string, epoch, n uint64) string {
	return device + "-" + strconv.FormatUint(epoch, 10) + "-" + strconv.FormatUint(n, 10)
}
