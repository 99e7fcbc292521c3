package agent

import (
	"errors"
	"log/slog"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// Parts are what a simulated device shares with a real one, so that both speak to
// log and hub with the same words: the body, and the conversions of records and
// slices. One goroutine uses them.
type Parts struct {
	codec    *codec
	tables   map[wire.BundleID]*symbols
	catalogs map[wire.BundleID]*catalog.Bundle
}

// NewParts returns the parts of a device whose log is of that epoch.
func NewParts(device string, epoch uint64, secret [16]byte, keys Keys) *Parts {
	return &Parts{codec: &codec{device: device, epoch: epoch, secret: secret, keys: keys},
		tables: map[wire.BundleID]*symbols{}, catalogs: map[wire.BundleID]*catalog.Bundle{}}
}

// Body returns a body that writes records with the symbols of a bundle. Its ports
// but log and keys are for the caller to fill in.
func (p *Parts) Body(log Log, of wire.BundleID, b *catalog.Bundle) *Body {
	body := &Body{Log: log, Keys: p.codec.keys, Tell: slog.New(slog.DiscardHandler), codec: p.codec}
	p.Load(body, of, b)
	return body
}

// Load makes the body write records with the symbols of another bundle.
func (p *Parts) Load(body *Body, of wire.BundleID, b *catalog.Bundle) {
	body.names = symbolsOf(of, catalog.Symbols(b))
	p.tables[of], p.catalogs[of] = body.names, b
}

// Opener opens stored records for sending; hubKey is nil while it is not known.
func (p *Parts) Opener(hubKey func() []byte) outbox.Opener { return p.codec.opener(hubKey) }

// SealCustomer seals a customer's id for asking the hub for the slice.
func (p *Parts) SealCustomer(hubKey []byte, h engine.Handle, customer string) ([]byte, error) {
	return p.codec.sealToHub(hubKey, wire.Handle(h), customer, "slice")
}

// Slice turns what the hub says of a slice into what the mind takes, with the id of the request that it
// answers; ok is false for what is about no slice.
func (p *Parts) Slice(m wire.DownMessage, b *catalog.Bundle) (u engine.SliceUpdate, re string, ok bool) {
	if f, forget := m.(*wire.Forget); forget {
		p.codec.forgets.put(engine.Handle(f.Handle), f.ID)
	}
	return sliceUpdate(m, p.codec.epoch, b)
}

// Limited says whether a policy has limits of which units are leased.
func Limited(b *catalog.Bundle) bool { return limited(b) }

// Decode reads a stored record back for restoring; one that is none of the mind's
// keeps its place, empty. customers knows who is behind a handle, and is told.
func (p *Parts) Decode(seq uint64, of wire.BundleID, raw []byte, customers map[engine.Handle]string) (engine.Record, error) {
	s := p.tables[of]
	if s == nil {
		s = symbolsOf(of, nil)
	}
	r, err := p.codec.decode(seq, raw, s, func(h engine.Handle) string { return customers[h] })
	switch {
	case errors.Is(err, errNotMind):
		return engine.Record{Seq: seq}, nil
	case err != nil:
		return r, err
	case r.Identified != nil:
		customers[r.Identified.Handle] = r.Identified.Customer
	case r.Decision != nil:
		r.Exposure = exposureOf(p.catalogs[of], r.Decision)
	}
	return r, nil
}
