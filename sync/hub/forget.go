package hub

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// announceEvery is how often what waits for a receipt is said again.
const announceEvery = 10 * sense.Second

// forget erases a customer: all that is known under all ids, the mapping of
// every handle. Every device that has a handle hears it until its receipt is in
// its log; the one where it was asked for has done it already. at is since when: who acts
// later by card or login begins anew.
func (s *step) forget(id string, from origin, at sense.Instant) error {
	ids, err := s.ids(id)
	if err != nil {
		return err
	}
	merges, err := s.view.MergesOf(ids)
	if err != nil {
		return err
	}
	for _, m := range merges {
		s.write(DropMerge{Into: m.Into, From: m.From})
	}
	holdings, err := s.view.HoldingsOf(ids)
	if err != nil {
		return err
	}
	for _, h := range holdings {
		s.write(DropHolding{Device: h.Device, Handle: h.Handle})
		if h.Device == from.device && h.Handle == from.entry.Handle {
			continue
		}
		if err := s.forgetHandle(h.Device, h.Handle); err != nil {
			return err
		}
	}
	if s.gone == nil {
		s.gone = map[string]sense.Instant{}
	}
	for _, x := range ids {
		s.gone[x] = at
		delete(s.back, x)
		s.write(DropID{ID: x}, DropPerson{ID: x}, PutErased{ID: s.hash("customer", x), At: at})
	}
	return nil
}

// forgetHandle begins the forget of one handle.
func (s *step) forgetHandle(device string, h wire.Handle) error {
	sum := sha256.Sum256(append([]byte(device+"/"), h[:]...))
	return s.sendForget(Forget{ID: hex.EncodeToString(sum[:8]), Device: device, Handle: h, At: s.now}, "")
}

// sendForget says a forget, once more.
func (s *step) sendForget(f Forget, re string) error {
	f.Sent = s.now
	s.write(PutForget{f})
	return s.sendDown(f.Device, wire.ClassSlice, f.Handle.String(), &wire.Forget{Handle: f.Handle, ID: f.ID, Re: re})
}

// sendForgets says all forgets that a device owes a receipt for.
func (s *step) sendForgets(device, re string) error {
	forgets, err := s.view.Forgets(device)
	if err != nil {
		return err
	}
	for _, f := range forgets {
		if err := s.sendForget(f, re); err != nil {
			return err
		}
	}
	return nil
}
