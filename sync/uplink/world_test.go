package uplink

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

var hubKey = ed25519.NewKeyFromSeed([]byte("a seed of the hub, of 32 bytes.."))

const tenant, device = "acme", "kiosk-1"

var path = wire.Path{Tenant: tenant, Device: device}

// world is a device, a broker that loses, doubles and delays, and a hub that
// commits and acknowledges, in virtual time.
type world struct {
	t      testing.TB
	r      *rand.Rand
	now    sense.Instant
	s      *Session
	disk   *outbox.Memory
	q      *outbox.Outbox
	wake   sense.Instant
	events []due
	order  int

	open, brokerUp bool
	shelf          *shelf
	blind          bool   // the device may not read its own presence
	will           []byte // of the present connection
	counter        uint64
	epoch          uint64

	hubUp    bool
	refuse   uint64 // epoch
	hubConn  wire.Conn
	batches  *wire.Unpacker
	stored   map[uint64]string // by number
	received int               // records, with doubles
	up       []Event
	sent     []string // records as appended, [k] has number k+1
	stopped  bool
	log      []Publish

	loss   float64
	delay  int  // ms at the most, each way
	half   bool // the connection is dead, and nobody was told
	commit int  // ms at the most until the hub has committed what it heard
	answer bool // budget requests
	deaf   bool // to hellos
	crash  int  // how often the hub lost what it had not committed
	most   struct{ asks, sends int }
}

// shelf is what the broker retains.
type shelf struct{ conn []byte }

type due struct {
	at    sense.Instant
	order int
	do    func()
}

func newWorld(t testing.TB, seed uint64, c Config) *world {
	t.Helper()
	p, err := wire.NewUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 2)), disk: &outbox.Memory{}, batches: p, stored: map[uint64]string{}, now: 1000, brokerUp: true, shelf: &shelf{}, epoch: seed + 1, delay: 80}
	w.boot(c, seed)
	w.setHub(true)
	return w
}

// boot makes outbox and session anew from the disk: a power cut.
func (w *world) boot(c Config, seed uint64) {
	c.Tenant, c.Device, c.Seed, c.Boot = tenant, device, seed, seed
	c.Keys = wire.KeysOf(hubKey.Public().(ed25519.PublicKey))
	var err error
	if w.q, err = outbox.Open(w.disk, outbox.Options{Epoch: w.epoch}); err != nil {
		w.t.Fatal(err)
	}
	if w.s, err = New(c); err != nil {
		w.t.Fatal(err)
	}
	w.open = false
	w.tellLog()
	w.step(Self{Birth: wire.Birth{Version: "1"}})
}

func (w *world) after(d sense.Duration, do func()) {
	w.order++
	w.events = append(w.events, due{w.now.Add(d), w.order, do})
}

// run lets time pass until an instant.
func (w *world) run(until sense.Instant) {
	for {
		next := -1
		for k, e := range w.events {
			if next < 0 || e.at < w.events[next].at || e.at == w.events[next].at && e.order < w.events[next].order {
				next = k
			}
		}
		at := w.wake
		if next >= 0 && w.events[next].at <= at {
			at = w.events[next].at
		} else {
			next = -1
		}
		if at > until {
			w.now = until
			return
		}
		w.now = max(w.now, at)
		if next < 0 {
			before := w.wake
			w.step(Tick{})
			if w.wake <= w.now && w.wake == before && w.now == at && len(w.events) == 0 {
				w.t.Fatalf("the session wants to be woken at %d for ever", w.wake)
			}
			continue
		}
		e := w.events[next]
		w.events = slices.Delete(w.events, next, next+1)
		e.do()
	}
}

func (w *world) tellLog() {
	s := w.q.Status()
	w.step(Log{Epoch: s.Epoch, Head: s.Head, Next: s.Next, Records: s.Records, Bytes: s.Bytes})
}

func (w *world) step(in Input) { w.perform(w.s.Step(w.now, in)) }

func (w *world) perform(o Output) {
	w.wake = o.Wake
	w.bounded()
	w.up = append(w.up, o.Up...)
	if a := o.Acknowledge; a != nil {
		if err := w.q.Acknowledge(a.Epoch, a.Through, a.Ranges); err != nil {
			w.t.Fatal(err)
		}
		w.q.Applied(w.q.Status().Next - 1)
		w.tellLog()
	}
	if o.Connect {
		w.connect()
	}
	if len(o.Subscribe) > 0 {
		w.after(5, func() {
			if w.open {
				w.showConn(w.shelf.conn)
				w.step(Subscribed{})
				w.retained()
			}
		})
	}
	for _, p := range o.Publish {
		w.log = append(w.log, p)
		if w.open {
			w.carry(p)
		}
	}
	if o.Read != nil {
		run, err := w.q.Peek(w.now, o.Read.From, o.Read.Records, o.Read.Bytes)
		if err != nil {
			w.t.Fatal(err)
		}
		w.step(Records{First: run.First, Bundle: run.Bundle, Clock: run.Clock, Records: run.Records})
	}
	if o.Disconnect {
		w.open = false
	}
	w.stopped = w.stopped || o.Stopped
}

// bounded checks after each step that nothing has grown over its bound.
func (w *world) bounded() {
	s, window := w.s, w.s.cfg.Window
	bytes := 0
	for _, f := range s.flights {
		bytes += len(f.payload)
	}
	if len(s.flights) > window || bytes > window*wire.MaxMessage || len(s.asks) > maxAsks || len(s.sends) > maxSends || len(s.acked) > wire.MaxRanges || len(s.tallies) > 7 {
		w.t.Fatalf("%d batches of %d bytes in flight, %d requests and %d documents wait, %d ranges, %d tallies", len(s.flights), bytes, len(s.asks), len(s.sends), len(s.acked), len(s.tallies))
	}
	w.most.asks, w.most.sends = max(w.most.asks, len(s.asks)), max(w.most.sends, len(s.sends))
}

func (w *world) connect() {
	w.counter++
	counter := w.counter
	will := w.s.Will(w.now, counter).Payload
	w.after(20, func() {
		if w.brokerUp {
			w.open, w.half, w.will = true, false, will
			w.step(Connected{Counter: counter})
		} else {
			w.step(Disconnected{Cause: "refused"})
		}
	})
}

// cut breaks the connection.
func (w *world) cut() {
	if w.open {
		w.open, w.shelf.conn = false, w.will
		w.step(Disconnected{Cause: "cut"})
	}
}

// showConn gives the device its own presence, where it may read that.
func (w *world) showConn(conn []byte) {
	if len(conn) > 0 && !w.blind {
		w.deliver(path.Of(wire.State, wire.ClassConn), conn)
	}
}

// carry takes a message of the device to the hub: late, perhaps twice, perhaps never.
func (w *world) carry(p Publish) {
	if w.half {
		return
	}
	if p.Topic == path.Of(wire.State, wire.ClassConn) {
		w.shelf.conn = p.Payload
		w.showConn(p.Payload)
	}
	w.after(sense.Duration(1+w.r.IntN(4)), func() {
		if w.open && !w.half {
			w.step(Published{ID: p.ID, OK: true})
		}
	})
	for range w.copies() {
		w.after(sense.Duration(1+w.r.IntN(w.delay)), func() {
			if w.hubUp && w.brokerUp {
				w.hear(p)
			}
		})
	}
}

func (w *world) copies() int {
	switch x := w.r.Float64(); {
	case x < w.loss:
		return 0
	case x < 1.5*w.loss:
		return 2
	}
	return 1
}

// hear is the hub.
func (w *world) hear(p Publish) {
	t, err := wire.ParseTopic(p.Topic)
	if err != nil {
		w.t.Fatal(err)
	}
	switch t.Class {
	case wire.ClassReq:
		r, err := wire.DecodeRequest(p.Payload)
		if err != nil {
			w.t.Fatal(err)
		}
		switch r := r.(type) {
		case *wire.Echo:
			w.command(&wire.EchoAnswer{Re: r.ID, Time: int64(w.now)})
		case *wire.Hello:
			if w.deaf {
				return
			}
			if w.refuse != 0 && r.Epoch == w.refuse {
				w.command(&wire.NewEpoch{ID: r.ID, Epoch: r.Epoch})
				return
			}
			w.ack(r.Epoch, r.ID)
		case *wire.BudgetRequest:
			if w.answer {
				w.down(path.Named(wire.Down, wire.ClassSlice, r.Handle.String()), &wire.Delta{Handle: r.Handle, Base: r.Revision, Revision: r.Revision + 1, Re: r.ID})
			}
		case *wire.SliceRequest:
			w.down(path.Named(wire.Down, wire.ClassSlice, r.Handle.String()), &wire.Slice{Handle: r.Handle, Revision: 1, Re: r.ID})
		}
	case wire.ClassLog:
		b, err := w.batches.Decode(p.Payload)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.commit == 0 {
			w.take(b)
			return
		}
		crash := w.crash
		w.after(sense.Duration(w.r.IntN(w.commit)), func() {
			if crash == w.crash { // else it was in memory only
				w.take(b)
			}
		})
	}
}

// take is the hub's commit.
func (w *world) take(b *wire.Batch) {
	for k, r := range b.Records {
		w.received++
		seq := b.First + uint64(k)
		if was, ok := w.stored[seq]; ok && was != string(r) {
			w.t.Fatalf("number %d came with two contents", seq)
		}
		w.stored[seq] = string(r)
	}
	if w.hubUp {
		w.ack(b.Epoch, "")
	}
}

func (w *world) ack(epoch uint64, re string) {
	a := &wire.Ack{Epoch: epoch, Time: int64(w.now), Re: re}
	for w.stored[a.Through+1] != "" {
		a.Through++
	}
	high := uint64(0)
	for s := range w.stored {
		high = max(high, s)
	}
	for s := a.Through + 1; s <= high && len(a.Ranges) < wire.MaxRanges; s++ {
		if w.stored[s] == "" {
			continue
		}
		r := wire.Range{First: s, Last: s}
		for w.stored[r.Last+1] != "" {
			r.Last++
		}
		a.Ranges = append(a.Ranges, r)
		s = r.Last
	}
	w.down(path.Of(wire.Down, wire.ClassAck), a)
}

func (w *world) down(topic string, m wire.DownMessage) {
	b, err := wire.EncodeDown(m)
	if err != nil {
		w.t.Fatal(err)
	}
	w.deliver(topic, w.sign(topic, b))
}

func (w *world) command(c wire.Command) {
	b, err := wire.EncodeCommand(c)
	if err != nil {
		w.t.Fatal(err)
	}
	topic := path.Named(wire.Down, wire.ClassCmd, c.Name())
	w.deliver(topic, w.sign(topic, b))
}

func (w *world) sign(topic string, payload []byte) []byte {
	b, err := wire.Sign(topic, payload, hubKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) deliver(topic string, payload []byte) {
	for range w.copies() {
		w.after(sense.Duration(1+w.r.IntN(w.delay)), func() {
			if w.open && !w.half {
				w.step(Arrived{Topic: topic, Payload: payload})
			}
		})
	}
}

func (w *world) setHub(up bool) {
	w.hubUp = up
	w.hubConn.State = wire.Offline
	if up {
		w.hubConn.State = wire.Online
		w.hubConn.Counter++
	}
	w.retained()
}

// retained gives the hub's presence.
func (w *world) retained() {
	b, err := wire.EncodeJSON(w.hubConn)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.open {
		w.step(Arrived{Topic: wire.HubConn(tenant), Payload: b})
	}
}

// append writes n records and tells the session.
func (w *world) append(n int) {
	w.write(n, func() wire.Record {
		return &wire.Decision{N: uint64(len(w.sent)) + 1, At: int64(w.now), Slot: wire.Sym{ID: uint32(1 + w.r.IntN(500))}}
	})
}

// appendSized writes n records of about size random bytes each.
func (w *world) appendSized(n, size int) {
	w.write(n, func() wire.Record {
		body := make([]byte, size)
		for k := range body {
			body[k] = byte(w.r.Uint32())
		}
		return &wire.Moved{Epoch: 1, Seq: uint64(len(w.sent)) + 1, Body: body}
	})
}

func (w *world) write(n int, next func() wire.Record) {
	var batch [][]byte
	for range n {
		b, err := wire.AppendRecord(nil, next())
		if err != nil {
			w.t.Fatal(err)
		}
		batch = append(batch, b)
		w.sent = append(w.sent, string(b))
	}
	if _, err := w.q.Append(wire.BundleID{byte(len(w.sent) / 500)}, batch); err != nil {
		w.t.Fatal(err)
	}
	w.tellLog()
}

// next is when something happens by itself.
func (w *world) next() sense.Instant {
	at := w.wake
	for _, e := range w.events {
		at = min(at, e.at)
	}
	return at
}

// balance says what is wrong with what the hub has.
func (w *world) balance() error {
	if len(w.stored) != len(w.sent) {
		return fmt.Errorf("%d records at the hub, %d were made", len(w.stored), len(w.sent))
	}
	for k, r := range w.sent {
		if w.stored[uint64(k)+1] != r {
			return fmt.Errorf("number %d differs", k+1)
		}
	}
	if s := w.q.Status(); s.Head != s.Next {
		return fmt.Errorf("the device waits for %d of %d", s.Head, s.Next)
	}
	return nil
}

// problems are the codes handed up.
func (w *world) problems() string {
	var codes []string
	for _, e := range w.up {
		if p, ok := e.(Problem); ok {
			codes = append(codes, p.Code)
		}
	}
	return strings.Join(codes, " ")
}

func TestNothingIsLostOrTwice(t *testing.T) {
	for seed := range uint64(30) {
		w := newWorld(t, seed, Config{Takeovers: 1 << 20})
		w.loss = float64(seed%4) * 0.1
		for range 40 {
			switch w.r.IntN(8) {
			case 0:
				w.cut()
			case 1:
				w.brokerUp = !w.brokerUp
				w.cut()
			case 2:
				w.setHub(!w.hubUp)
			case 3:
				w.boot(Config{Takeovers: 1 << 20}, seed)
			default:
				w.append(1 + w.r.IntN(300))
			}
			w.run(w.now.Add(sense.Duration(w.r.IntN(8000))))
		}
		w.brokerUp, w.loss = true, 0
		if !w.hubUp {
			w.setHub(true)
		}
		w.run(w.now.Add(10 * sense.Minute))
		if err := w.balance(); err != nil {
			t.Fatalf("seed %d: %v (phase %d)", seed, err, w.s.phase)
		}
		if p := w.problems(); strings.Contains(p, ProblemMessage) || strings.Contains(p, ProblemAck) {
			t.Fatalf("seed %d: %s", seed, p)
		}
	}
}

func TestSameSeedSameRun(t *testing.T) {
	play := func() []Publish {
		w := newWorld(t, 5, Config{})
		w.loss = 0.2
		for range 20 {
			w.append(50)
			w.run(w.now.Add(2 * sense.Second))
		}
		return w.log
	}
	a, b := play(), play()
	if !slices.EqualFunc(a, b, func(x, y Publish) bool {
		return x.ID == y.ID && x.Topic == y.Topic && string(x.Payload) == string(y.Payload)
	}) {
		t.Error("the same inputs gave other outputs")
	}
}
