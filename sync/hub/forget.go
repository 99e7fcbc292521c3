package hub

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// announceEvery is how often what waits for a receipt is said again.
const announceEvery = 10 * sense.Second

// awayEvery is how often it is to a device that is away, or whose lease is over: once it comes back its hello asks.
const awayEvery = sense.Hour

// forget erases a customer: all that is known under all ids, the mapping of
// every handle. Every device that has a handle hears it until its receipt is in
// its log; the one where it was asked for has done it already. at is since when: who acts
// later by card or login begins anew. by is who asked.
func (s *step) forget(id string, from origin, by string, at sense.Instant) (*Erasure, error) {
	ids, err := s.ids(id)
	if err != nil {
		return nil, err
	}
	e, err := s.beginErasure(ids, by, at)
	if err != nil {
		return nil, err
	}
	merges, err := s.view.MergesOf(ids)
	if err != nil {
		return nil, err
	}
	for _, m := range merges {
		s.write(DropMerge{Into: m.Into, From: m.From})
	}
	holdings, err := s.view.HoldingsOf(ids)
	if err != nil {
		return nil, err
	}
	for _, h := range holdings {
		s.write(DropHolding{Device: h.Device, Handle: h.Handle}, PutTaken{Key: s.forgottenKey(h.Device, h.Handle)})
		x := Erased{Device: h.Device, Handle: h.Handle, Lease: s.leaseEnd(h.Until)}
		if h.Device == from.device && h.Handle == from.entry.Handle {
			x.At, x.How = s.now, Confirmed
		} else if err := s.forgetHandle(h.Device, h.Handle, e.ID, x.Lease); err != nil {
			return nil, err
		}
		e.waitFor(x)
	}
	if s.gone == nil {
		s.gone = map[string]sense.Instant{}
	}
	for _, x := range ids {
		s.gone[x] = at
		delete(s.back, x)
		s.write(DropID{ID: x}, DropPerson{ID: x}, PutErased{ID: s.hash("customer", x), At: at})
	}
	s.putErasure(e)
	return e, nil
}

// forgottenKey stands for a handle whose customer was forgotten: a store that is restored
// from before that may come with it again.
func (m *Mind) forgottenKey(device string, h wire.Handle) Hash {
	return m.hash("forgotten", device, string(h[:]))
}

func (s *step) wasForgotten(device string, h wire.Handle) (bool, error) {
	return s.view.Taken(s.forgottenKey(device, h))
}

// forgetHandle begins the forget of one handle, as part of an erasure or of none.
func (s *step) forgetHandle(device string, h wire.Handle, erasure string, lease sense.Instant) error {
	sum := sha256.Sum256(append([]byte(device+"/"), h[:]...))
	return s.sendForget(Forget{ID: hex.EncodeToString(sum[:8]), Device: device, Handle: h, At: s.now, Erasure: erasure, Lease: lease}, "")
}

// sendForget says a forget, once more.
func (s *step) sendForget(f Forget, re string) error {
	f.Sent = s.now
	s.putForget(f)
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

// sayForgets says again what waits for a receipt.
func (s *step) sayForgets() error {
	due, err := s.view.ForgetsDue(s.now-sense.Instant(announceEvery), 1024)
	if err != nil {
		return err
	}
	for _, f := range due {
		d, err := s.device(f.Device)
		if err != nil {
			return err
		}
		away := d.Counter > 0 && !d.Online
		if !away {
			if err := s.sendForget(f, ""); err != nil {
				return err
			}
		}
		if away || f.Lease != 0 && f.Lease <= s.now {
			f.Sent = s.now.Add(awayEvery - announceEvery)
			s.putForget(f)
		}
	}
	return nil
}
