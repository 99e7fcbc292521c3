package hub

import (
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// How a handle of an erased customer ended.
const (
	Confirmed  = "confirmed"   // the device destroyed the key, and said so
	LeaseEnded = "lease_ended" // it stayed away, and has dropped what it had
)

// erasing is what a step does with erasures.
type erasing struct {
	erasures map[string]*Erasure // written by this step, by id
	forgets  map[held]Forget     // said by this step
	hashes   map[Hash]string     // erasure of an id, once somebody wanted to know
}

type held struct {
	device string
	handle wire.Handle
}

// LookErasures asks for the erasure of that id, or where it is empty for a page of all.
type LookErasures struct {
	ID    string
	After string // id of the last one of the page before
	Open  bool   // only those that are not done
	Limit int
}

func (LookErasures) input() {}

// ErrNoErasure says that no erasure has this id.
var ErrNoErasure = errors.New("no erasure has this id")

func (s *step) lookErasures(in LookErasures) ([]Erasure, error) {
	if in.ID == "" {
		return s.view.Erasures(in.After, in.Open, min(max(in.Limit, 1), 1000))
	}
	e, ok, err := s.view.Erasure(in.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refusal{ErrNoErasure}
	}
	return []Erasure{e}, nil
}

// erasureID names an erasure by what it is: asked for again in another life of the hub it has the same.
func (m *Mind) erasureID(at sense.Instant, ids []Hash) string {
	parts := []string{"erasure", strconv.FormatInt(int64(at), 10)}
	for _, id := range ids {
		parts = append(parts, string(id[:]))
	}
	sum := m.hash(parts...)
	return hex.EncodeToString(sum[:8])
}

// beginErasure returns a new erasure, or the one of those ids that is in force.
func (s *step) beginErasure(ids []string, by string, at sense.Instant) (*Erasure, error) {
	hashes := make([]Hash, len(ids))
	for k, id := range ids {
		hashes[k] = s.hash("customer", id)
	}
	for _, id := range ids {
		e, err := s.erasureOf(id)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		for _, h := range hashes {
			if !slices.Contains(e.IDs, h) {
				e.IDs = append(slices.Clip(e.IDs), h)
			}
		}
		return e, nil
	}
	return &Erasure{ID: s.erasureID(at, hashes), IDs: hashes, At: at, By: by}, nil
}

// erasureOf returns the erasure under which an id is erased now; nil where it is not.
func (s *step) erasureOf(id string) (*Erasure, error) {
	since, erased, err := s.erasedAt(id)
	if err != nil || !erased {
		return nil, err
	}
	hash := s.hash("customer", id)
	if e, err := s.erasure(s.erasureID(since, []Hash{hash})); err != nil || e != nil {
		return e, err
	}
	for _, k := range sortedKeys(s.erasures, strings.Compare) {
		if e := s.erasures[k]; slices.Contains(e.IDs, hash) {
			return e, nil
		}
	}
	// It was erased together with others, or again: its erasure does not follow from it alone.
	if s.hashes == nil {
		if err := s.indexErasures(); err != nil {
			return nil, err
		}
	}
	if which := s.hashes[hash]; which != "" {
		return s.erasure(which)
	}
	return nil, nil
}

// indexErasures finds the newest erasure of each id.
func (s *step) indexErasures() error {
	s.hashes = map[Hash]string{}
	newest := map[Hash]sense.Instant{}
	for after := ""; ; {
		page, err := s.view.Erasures(after, false, 256)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			after = e.ID
			for _, id := range e.IDs {
				if s.hashes[id] == "" || e.At > newest[id] {
					s.hashes[id], newest[id] = e.ID, e.At
				}
			}
		}
	}
}

func (s *step) erasure(id string) (*Erasure, error) {
	if e := s.erasures[id]; e != nil {
		return e, nil
	}
	e, ok, err := s.view.Erasure(id)
	if err != nil || !ok {
		return nil, err
	}
	e.Devices = slices.Clone(e.Devices) // the ledger's own stays as it is
	return &e, nil
}

// putErasure writes an erasure; one for which no device is waited for any more is done.
func (s *step) putErasure(e *Erasure) {
	waiting := slices.ContainsFunc(e.Devices, func(x Erased) bool { return x.How == "" })
	switch {
	case waiting:
		e.Done = 0
	case e.Done == 0:
		e.Done = s.now
	}
	if s.erasures == nil {
		s.erasures = map[string]*Erasure{}
	}
	s.erasures[e.ID] = e
	kept := *e
	kept.Devices = slices.Clone(e.Devices)
	s.write(PutErasure{kept})
}

// waitFor adds a handle, in order.
func (e *Erasure) waitFor(x Erased) {
	at, found := slices.BinarySearchFunc(e.Devices, x, func(a, b Erased) int {
		if c := strings.Compare(a.Device, b.Device); c != 0 {
			return c
		}
		return slices.Compare(a.Handle[:], b.Handle[:])
	})
	if found {
		e.Devices[at] = x
		return
	}
	e.Devices = slices.Insert(slices.Clip(e.Devices), at, x)
}

// leaseEnd is when nothing is usable any more on a device that stays away. One that
// has asked for no slice yet may have a lease on its way.
func (s *step) leaseEnd(until sense.Instant) sense.Instant {
	if until == 0 {
		return s.now.Add(s.cfg.Lease)
	}
	return until
}

// forgetLate has a device forget somebody who was erased before it told whose the handle is.
func (s *step) forgetLate(device string, h wire.Handle, id string, until sense.Instant) error {
	e, err := s.erasureOf(id)
	if err != nil {
		return err
	}
	lease := s.leaseEnd(until)
	if e == nil {
		return s.forgetHandle(device, h, "", lease)
	}
	e.waitFor(Erased{Device: device, Handle: h, Lease: lease})
	s.putErasure(e)
	return s.forgetHandle(device, h, e.ID, lease)
}

func (s *step) putForget(f Forget) {
	if s.forgets == nil {
		s.forgets = map[held]Forget{}
	}
	s.forgets[held{f.Device, f.Handle}] = f
	s.write(PutForget{f})
}

// receipt takes that a device has destroyed the key of a handle.
func (s *step) receipt(device string, h wire.Handle) error {
	_, waits := s.forgets[held{device, h}]
	if !waits {
		all, err := s.view.Forgets(device)
		if err != nil {
			return err
		}
		waits = slices.ContainsFunc(all, func(f Forget) bool { return f.Handle == h })
	}
	if !waits {
		return nil
	}
	delete(s.forgets, held{device, h})
	s.write(DropForget{Device: device, Handle: h})
	return s.confirmed(device, h)
}

// confirmed notes a receipt in every erasure that waits for it: a customer who came back may
// have been forgotten again before her first handle was.
func (s *step) confirmed(device string, h wire.Handle) error {
	waits := func(x Erased) bool { return x.Device == device && x.Handle == h && x.How == "" }
	note := func(e *Erasure) {
		if !slices.ContainsFunc(e.Devices, waits) {
			return
		}
		for k := range e.Devices {
			if x := &e.Devices[k]; waits(*x) {
				x.At, x.How = s.now, Confirmed
			}
		}
		s.putErasure(e)
	}
	for _, id := range sortedKeys(s.erasures, strings.Compare) {
		note(s.erasures[id])
	}
	for after := ""; ; {
		page, err := s.view.Erasures(after, true, 256)
		if err != nil || len(page) == 0 {
			return err
		}
		for k := range page {
			e := &page[k]
			after = e.ID
			if s.erasures[e.ID] == nil { // those that this step has written are done above
				e.Devices = slices.Clone(e.Devices)
				note(e)
			}
		}
	}
}

// endLeases ends what devices that stay away have dropped by themselves.
func (s *step) endLeases() error {
	for after := ""; ; {
		page, err := s.view.Erasures(after, true, 256)
		if err != nil || len(page) == 0 {
			return err
		}
		for k := range page {
			e := &page[k]
			after = e.ID
			over := func(x Erased) bool { return x.How == "" && x.Lease <= s.now }
			if !slices.ContainsFunc(e.Devices, over) {
				continue
			}
			e.Devices = slices.Clone(e.Devices)
			for n := range e.Devices {
				if x := &e.Devices[n]; over(*x) {
					x.At, x.How = x.Lease, LeaseEnded
				}
			}
			s.putErasure(e)
		}
	}
}
