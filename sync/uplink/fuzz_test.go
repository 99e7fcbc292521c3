package uplink

import (
	"testing"

	"github.com/tact-edge/tact/sync/wire"
)

// FuzzArrived gives a delivering session any message, as it is and signed: it
// must neither panic, nor move the outbox, nor stop delivering.
func FuzzArrived(f *testing.F) {
	for _, topic := range []string{path.Of(wire.Down, wire.ClassAck), path.Of(wire.Down, wire.ClassWant), wire.HubConn(tenant),
		path.Named(wire.Down, wire.ClassSlice, wire.Handle{1}.String()), path.Named(wire.Down, wire.ClassCmd, "epoch")} {
		f.Add(topic, []byte(`{"revision":7}`))
		f.Add(topic, []byte{4, 0x93, 2, 1, 0x90})
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		w := newWorld(t, 1, Config{})
		w.until(delivering)
		w.append(5)
		w.step(Arrived{Topic: topic, Payload: payload})
		if signed, err := wire.Sign(topic, payload, hubKey); err == nil {
			w.step(Arrived{Topic: topic, Payload: signed})
		}
		if s := w.q.Status(); s.Head > s.Next {
			t.Fatalf("head %d is above next %d", s.Head, s.Next)
		}
	})
}
