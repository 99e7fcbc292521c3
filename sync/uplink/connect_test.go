package uplink

import (
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

func (w *world) hellos() (ids []string) {
	for _, p := range w.log {
		if strings.HasSuffix(p.Topic, "/req") {
			r, err := wire.DecodeRequest(p.Payload)
			if err != nil {
				w.t.Fatal(err)
			}
			if h, ok := r.(*wire.Hello); ok {
				ids = append(ids, h.ID)
			}
		}
	}
	return ids
}

func (w *world) answerHello(re string, through uint64) {
	b, err := wire.EncodeDown(&wire.Ack{Epoch: w.epoch, Time: int64(w.now), Re: re, Through: through})
	if err != nil {
		w.t.Fatal(err)
	}
	topic := path.Of(wire.Down, wire.ClassAck)
	w.step(Arrived{Topic: topic, Payload: w.sign(topic, b)})
}

// A store put back from a copy: the hub has other records 1..50 of this epoch. Two hellos, two answers.
func TestTwoAnswersToHellos(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.deaf = true
	w.append(100)
	w.until(greeting)
	w.run(w.now.Add(30 * sense.Second))
	w.hubUp = false // what is sent from here on is on its way
	ids := w.hellos()
	if len(ids) < 2 {
		t.Fatal(ids)
	}
	w.answerHello(ids[0], 50)
	if h := w.q.Status().Head; h != 1 {
		t.Fatalf("after the first answer head is %d", h)
	}
	w.answerHello(ids[1], 50)
	if h := w.q.Status().Head; h != 1 {
		t.Errorf("records below %d were let go, which this connection never sent", h)
	}
}

func TestAnswersToAHelloInParts(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.deaf = true
	held := make([]wire.Held, 600)
	for k := range held {
		held[k].Handle = wire.Handle{byte(k), byte(k >> 8), 1}
	}
	w.step(Self{Birth: wire.Birth{Version: "1"}, Handles: held})
	w.append(100)
	w.until(greeting)
	w.hubUp = false
	ids := w.hellos()
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	w.answerHello(ids[0], 50)
	w.answerHello(ids[1], 50)
	if h := w.q.Status().Head; h != 1 {
		t.Errorf("records below %d were let go, which this connection never sent", h)
	}
}

// A broker that refuses the device its own presence, as those of the version before do, is used all the same.
func TestPresenceThatMayNotBeRead(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(3)
	w.untilJust(joining)
	for range 20 {
		w.events = nil
		w.step(Subscribed{Refused: []string{path.Of(wire.State, wire.ClassConn)}})
		if w.s.phase != waiting {
			return
		}
		w.untilJust(joining)
	}
	t.Errorf("20 connections, nothing sent: %s; published %d", w.problems(), len(w.log))
}

// Stop, and then the retained presence of a twin.
func TestStopAndATwin(t *testing.T) {
	w := newWorld(t, 1, Config{})
	other, _ := wire.EncodeJSON(wire.Conn{State: wire.Online, Counter: 1, Life: "other"})
	w.until(delivering)
	w.cut()
	for range 3 {
		w.shelf.conn = other
		w.untilJust(joining)
		w.until(delivering)
		w.run(w.now.Add(200))
		w.cut()
	}
	w.blind = true // the retained presence comes late
	w.until(delivering)
	w.step(Stop{})
	w.step(Arrived{Topic: path.Of(wire.State, wire.ClassConn), Payload: other})
	w.run(w.now.Add(sense.Hour))
	if !w.stopped {
		t.Errorf("never stopped: phase %d, %d takeovers, openings %d, %s", w.s.phase, len(w.s.takeovers), w.s.openings, w.problems())
	}
}

// A broker that breaks each connection as soon as it is used.
func TestConnectionsInVain(t *testing.T) {
	w := newWorld(t, 1, Config{})
	w.append(3)
	end := w.now.Add(sense.Hour)
	for w.now < end {
		w.until(delivering)
		w.cut()
	}
	t.Logf("%d connections in an hour", w.counter)
	if w.counter > 600 {
		t.Errorf("no back-off")
	}
}

func (w *world) untilJust(p phase) {
	w.t.Helper()
	limit := w.now.Add(10 * sense.Minute)
	for w.s.phase != p {
		if w.now >= limit {
			w.t.Fatalf("phase is %d, never %d; %s", w.s.phase, p, w.problems())
		}
		w.run(w.now.Add(1))
	}
}
