package hub

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// part is one thing that a slice says, by the keyed hashes of what it is (a fact of one source, the word on a
// purpose, a contact, an answer to it) and of all that it says. Holding.Items has both of each part, so that it
// is seen of what was told before whether it still holds, was replaced, or is gone.
type part struct {
	name, all uint64
	of        partOf
	at        int    // index into the slice's list
	from      holder // the device that told it; zero: somebody else, or several
	now       bool   // it was told in this round
}

type partOf uint8

const (
	ofFact partOf = iota
	ofConsent
	ofObjection
	ofInteraction
	ofContact // and its answers
)

// word names what was told: enough to find it among the parts.
type word struct {
	what, name, source, id string
	happened               sense.Instant
}

// wordOf names what an event told.
func wordOf(e *event.Event) word {
	switch b := e.Body.(type) {
	case *event.Fact:
		return word{"fact", b.Name, e.Source, "", e.Happened}
	case *event.Consent:
		return consentWord(b.Purpose, b.Granted, b.Text, b.Expires, e.Happened)
	case *event.Objection:
		return objectionWord(b.Purpose, b.Raised, e.Happened)
	case *event.Interaction:
		return word{"interaction", b.Kind, e.Source, e.ID + "/" + b.Ref, e.Happened}
	}
	return word{}
}

// consentWord has all that was said: of two ids that became one customer, the stricter word is given the later time.
func consentWord(purpose string, granted bool, text string, expires, happened sense.Instant) word {
	return word{"consent", purpose, text, strconv.FormatBool(granted) + strconv.FormatInt(int64(expires), 10), happened}
}

func objectionWord(purpose string, raised bool, happened sense.Instant) word {
	return word{"objection", purpose, "", strconv.FormatBool(raised), happened}
}

// itemize finds the parts of a view, and its digest.
func (s *step) itemize(f *folded, v *view, met []encounter) {
	w := v.slice
	v.digest = s.restOf(w)
	add := func(of partOf, at int, w word, name, all []byte) {
		v.parts = append(v.parts, part{of: of, at: at, from: f.told[w], now: s.words[w], name: s.key(of, name) &^ 1, all: s.key(of, all) | 1})
	}
	tell := func(at int, from holder, name, all []byte) {
		v.parts = append(v.parts, part{of: ofContact, at: at, from: from, name: s.key(ofContact, name) &^ 1, all: s.key(ofContact, all) | 1})
	}
	var name, all []byte
	for k := range w.Facts {
		x := &w.Facts[k]
		all, _ = x.MarshalMsg(all[:0]) // a slice was encoded before: it can be
		said := wire.SliceFact{Name: x.Name, Owner: x.Owner, Source: x.Source}
		if x.Provenance > 2 { // what a source inferred and what it was told stand side by side
			said.Provenance = 3
		}
		if x.Value.IsNull() { // that it was taken back stands beside what was said after
			said.Happened = 1
		}
		name, _ = said.MarshalMsg(name[:0])
		w := word{}
		if x.Owner == "" {
			w = word{"fact", x.Name, x.Source, "", sense.Instant(x.Happened)}
		}
		add(ofFact, k, w, name, all)
	}
	for k := range w.Consents {
		x := &w.Consents[k]
		all, _ = x.MarshalMsg(all[:0])
		add(ofConsent, k, consentWord(x.Purpose, x.Granted, x.Text, instant(x.Expires), sense.Instant(x.Happened)), []byte(x.Purpose), all)
	}
	for k := range w.Objections {
		x := &w.Objections[k]
		all, _ = x.MarshalMsg(all[:0])
		add(ofObjection, k, objectionWord(x.Purpose, x.Raised, sense.Instant(x.Happened)), []byte(x.Purpose), all)
	}
	twins := map[string]byte{} // the same told twice, without an id, is two
	for k := range w.Interactions {
		x := &w.Interactions[k]
		all, _ = x.MarshalMsg(all[:0])
		if x.ID == "" {
			n := twins[string(all)]
			twins[string(all)]++
			all = append(all, n)
		}
		add(ofInteraction, k, word{"interaction", x.Kind, x.Source, x.ID + "/" + x.Ref, sense.Instant(x.Happened)}, all, all)
	}
	contacts := make(map[string]*encounter, len(met))
	for k := range met {
		contacts[met[k].x.Decision] = &met[k]
	}
	for k := range w.Exposures {
		x := &w.Exposures[k]
		m := contacts[x.Decision]
		own := holder{m.of.Device, m.of.Handle}
		base := *x
		base.Shown, base.Failed, base.Outcomes = 0, false, nil // follow from the answers
		all, _ = base.MarshalMsg(all[:0])
		tell(k, own, []byte(x.Decision), all)
		for n := range x.Outcomes {
			o := &x.Outcomes[n]
			all, _ = o.MarshalMsg(append(append(all[:0], x.Decision...), 0))
			tell(k, m.answeredOn(o, own), all, all)
		}
	}
	v.items = make([]uint64, 0, 2*len(v.parts))
	for _, p := range v.parts {
		v.items = append(v.items, p.name, p.all)
	}
	slices.Sort(v.items)
	v.items = slices.Compact(v.items)
}

// answeredOn returns own where all who told an answer are the device that made the contact.
func (m *encounter) answeredOn(o *wire.SliceOutcome, own holder) holder {
	for _, x := range m.of.Outcomes {
		if x.Outcome != o.Outcome || int64(x.Happened) != o.At {
			continue
		}
		if device, _, _, ok := ParseDecisionID(x.By); !ok || device != own.device {
			return holder{}
		}
	}
	return own
}

// restOf is the digest of what of a slice is in no part.
func (s *step) restOf(w *wire.Slice) Digest {
	rest := wire.Slice{Customer: w.Customer, Owners: w.Owners, Restricted: w.Restricted}
	b, _ := rest.MarshalMsg(append([]byte("slice"), s.cfg.Secret[:]...)) // three fields that were encoded before
	sum := sha256.Sum256(b)
	return Digest(sum[:16])
}

// key is a keyed hash of bytes in their place.
func (s *step) key(of partOf, b []byte) uint64 {
	s.scratch = append(append(append(s.scratch[:0], s.cfg.Secret[:]...), 'p', byte(of)), b...)
	sum := sha256.Sum256(s.scratch)
	return binary.BigEndian.Uint64(sum[:])
}

// newTo returns the parts that a holder was not told, but those that it knows since it told them itself under this
// handle: its contacts, and what it told in this round (own says whether there is any). What it told before and
// is not among what it was told was not allowed there for a time, and taken away.
func (v *view) newTo(h *Holding) (fresh []part, own bool) {
	for _, p := range v.parts {
		if _, had := slices.BinarySearch(h.Items, p.all); had {
			continue
		}
		switch {
		case p.from != holder{h.Device, h.Handle} || p.of != ofContact && !p.now:
			fresh = append(fresh, p)
		case p.of != ofContact:
			own = true
		}
	}
	return fresh, own
}

// lost says whether the holder was told something that holds no more: that was neither replaced nor has only
// grown too old.
func (s *step) lost(f *folded, v *view, h *Holding) (bool, error) {
	var gone []uint64
	for _, name := range h.Items {
		if name&1 == 1 {
			continue
		}
		if _, here := slices.BinarySearch(v.items, name); !here {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 {
		return false, nil
	}
	// As if nothing were ever too old, and a slice as long as it likes.
	met := s.encounters(f, v.bundle, true)
	w, err := s.content(f, v.bundle, v.owners, met, -sense.Never)
	if err != nil {
		return false, err
	}
	old := &view{bundle: v.bundle, owners: v.owners, slice: w}
	s.itemize(f, old, met)
	for _, name := range gone {
		if _, here := slices.BinarySearch(old.items, name); !here {
			return true, nil
		}
	}
	return false, nil
}

// delta is a message with these parts of the view.
func (v *view) delta(parts []part) *wire.Delta {
	w := v.slice
	d := &wire.Delta{Customer: w.Customer, Restricted: w.Restricted}
	last := -1
	for _, p := range parts { // in order of the lists
		switch p.of {
		case ofFact:
			d.Facts = append(d.Facts, w.Facts[p.at])
		case ofConsent:
			d.Consents = append(d.Consents, w.Consents[p.at])
		case ofObjection:
			d.Objections = append(d.Objections, w.Objections[p.at])
		case ofInteraction:
			d.Interactions = append(d.Interactions, w.Interactions[p.at])
		case ofContact:
			if p.at != last {
				d.Exposures = append(d.Exposures, w.Exposures[p.at])
			}
			last = p.at
		}
	}
	return d
}
