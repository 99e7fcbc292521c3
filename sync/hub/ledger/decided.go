package ledger

import (
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// Decision returns what the record says, and the epoch in which it was decided: that
// of the record, or of a moved one the epoch that its device left.
func (d *Decided) Decision() (x *wire.Decision, epoch uint64, err error) {
	rec, epoch, err := readRecord(&d.Record)
	if err != nil {
		return nil, epoch, err
	}
	x, ok := rec.(*wire.Decision)
	if !ok {
		return nil, epoch, wire.ErrMalformed
	}
	return x, epoch, nil
}

// readRecord reads what a record says; of a moved one what it said in the epoch that is returned.
func readRecord(r *hub.Record) (wire.Record, uint64, error) {
	body, epoch := r.Body, r.Epoch
	for {
		rec, err := wire.DecodeRecord(body)
		if err != nil {
			return nil, epoch, err
		}
		m, ok := rec.(*wire.Moved)
		if !ok {
			return rec, epoch, nil
		}
		body, epoch = m.Body, m.Epoch
	}
}
