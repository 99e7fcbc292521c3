package hub

import "github.com/tact-edge/tact/sync/wire"

// Opened is a batch that was unpacked ahead of its turn, so that the one goroutine
// that has the mind need not: the most part of the work is no business of the ledger.
type Opened struct {
	batch   *wire.Batch
	records []openedRecord // of batch.Records
	err     error          // it is no batch
}

type openedRecord struct {
	record wire.Record
	err    error // it cannot be read
	digest Digest
}

// Open unpacks a batch, for FromDevice. It is a function of the payload and of the
// configuration, and may run in any goroutine beside the mind's own, with an
// unpacker of that goroutine.
func (m *Mind) Open(p *wire.Unpacker, payload []byte) *Opened {
	b, err := p.Decode(payload)
	if err != nil {
		return &Opened{err: err}
	}
	o := &Opened{batch: b, records: make([]openedRecord, len(b.Records))}
	for k, raw := range b.Records {
		r := &o.records[k]
		r.record, r.err = wire.DecodeRecord(raw)
		r.digest = m.digest(raw)
	}
	return o
}
