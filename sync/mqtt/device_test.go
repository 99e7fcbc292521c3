package mqtt

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

func (a *access) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (a *access) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	return a.deny == nil || !a.deny(c.ID, topic, write)
}

// kiosk is a device under test.
type kiosk struct {
	t      testing.TB
	link   *Device
	q      *outbox.Outbox
	cancel context.CancelFunc
	done   chan struct{}
	made   []string

	mu      sync.Mutex
	up      []uplink.Event
	counter uint64
}

func newKiosk(t testing.TB, address string, disk *outbox.Memory) *kiosk {
	t.Helper()
	return newKioskOn(t, Broker{Address: address}, disk)
}

func newKioskOn(t testing.TB, b Broker, disk *outbox.Memory) *kiosk {
	t.Helper()
	k := &kiosk{t: t, done: make(chan struct{})}
	var err error
	if k.q, err = outbox.Open(disk, outbox.Options{Epoch: 4711}); err != nil {
		t.Fatal(err)
	}
	k.link, err = NewDevice(DeviceConfig{
		Broker: b,
		Session: uplink.Config{Tenant: tenant, Device: "kiosk-1", Groups: []string{"shops"}, Boot: 9, Seed: 1,
			Keys:   trusted,
			Linger: 10 * sense.Millisecond, RTO: 300 * sense.Millisecond, Retry: 50 * sense.Millisecond,
			MaxRetry: 300 * sense.Millisecond, Takeovers: 1000},
		Queue: k.q,
		Counter: func() (uint64, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.counter++
			return k.counter, nil
		},
		Up: func(e uplink.Event) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.up = append(k.up, e)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kiosk) run() *kiosk {
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	go func() {
		defer close(k.done)
		if err := k.link.Run(ctx); err != nil {
			k.t.Error(err)
		}
	}()
	k.t.Cleanup(k.stop)
	return k
}

func (k *kiosk) stop() {
	k.cancel()
	<-k.done
}

func (k *kiosk) append(n int) {
	k.t.Helper()
	var batch [][]byte
	for range n {
		b, err := wire.AppendRecord(nil, &wire.Decision{N: uint64(len(k.made)) + 1, At: time.Now().UnixMilli()})
		if err != nil {
			k.t.Fatal(err)
		}
		batch = append(batch, b)
		k.made = append(k.made, string(b))
	}
	if _, err := k.q.Append(wire.BundleID{7}, batch); err != nil {
		k.t.Fatal(err)
	}
	k.link.Appended()
}

// heard says whether an event came that is wanted.
func (k *kiosk) heard(wanted func(uplink.Event) bool) func() bool {
	return func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, e := range k.up {
			if wanted(e) {
				return true
			}
		}
		return false
	}
}

func linkUp(e uplink.Event) bool { return e == uplink.Link{Up: true} }

func problem(code string) func(uplink.Event) bool {
	return func(e uplink.Event) bool {
		p, ok := e.(uplink.Problem)
		return ok && p.Code == code
	}
}

// balance waits until all is delivered, and compares.
func (k *kiosk) balance(h *fakeHub) {
	k.t.Helper()
	within(k.t, "the last acknowledgement", func() bool {
		s := k.q.Status()
		return s.Head == s.Next
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clash != nil {
		k.t.Error(h.clash)
	}
	if got := len(h.stored["kiosk-1"]); got != len(k.made) {
		k.t.Errorf("%d records at the hub, %d were made", got, len(k.made))
	}
	for n, r := range k.made {
		if h.stored["kiosk-1"][uint64(n)+1] != r {
			k.t.Errorf("number %d differs", n+1)
		}
	}
}

func onEach(t *testing.T, do func(t *testing.T, b testBroker)) {
	for name, start := range brokers {
		t.Run(name, func(t *testing.T) { do(t, start(t)) })
	}
}

func TestNothingLostNothingTwice(t *testing.T) {
	onEach(t, func(t *testing.T, b testBroker) {
		h := startHub(t, b.address())
		k := newKiosk(t, b.address(), &outbox.Memory{}).run()
		for round := range 4 {
			k.append(400)
			within(t, "a part to arrive", func() bool { return h.count("kiosk-1") > round*800 })
			b.kill(t)
			k.append(300)
			b.start(t)
			k.append(100)
		}
		k.balance(h)
		h.mu.Lock()
		t.Logf("%d received for %d made, %d births", h.received, len(k.made), h.births)
		h.mu.Unlock()
	})
}

func TestBrokerAndHubDownAtStart(t *testing.T) {
	onEach(t, func(t *testing.T, b testBroker) {
		b.kill(t)
		k := newKiosk(t, b.address(), &outbox.Memory{}).run()
		k.append(300)
		within(t, "a second try", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.counter > 1 })
		b.start(t)
		k.balance(startHub(t, b.address()))
	})
}

func TestPresence(t *testing.T) {
	onEach(t, func(t *testing.T, b testBroker) {
		h := startHub(t, b.address())
		k := newKiosk(t, b.address(), &outbox.Memory{}).run()
		within(t, "online", func() bool { return h.lastConn().State == wire.Online })
		online := h.lastConn()
		if online.Boot != 9 || online.Counter == 0 || online.Since == 0 {
			t.Errorf("presence is %+v", online)
		}
		k.stop()
		within(t, "offline, said by the device itself", func() bool { return h.lastConn().State == wire.Offline })
		if h.lastConn().Counter != online.Counter {
			t.Errorf("offline is of connection %d, online was of %d", h.lastConn().Counter, online.Counter)
		}
	})
}

// The last will speaks for a device that vanishes.
func TestWill(t *testing.T) {
	onEach(t, func(t *testing.T, b testBroker) {
		h := startHub(t, b.address())
		wall := newCuttable(t, b.address())
		newKiosk(t, wall.address(), &outbox.Memory{}).run()
		within(t, "online", func() bool { return h.lastConn().State == wire.Online })
		wall.cut()
		within(t, "the will", func() bool { return h.lastConn().State == wire.Offline })
	})
}

func TestSignedWantArrivesAndForgedDoesNot(t *testing.T) {
	onEach(t, func(t *testing.T, b testBroker) {
		h := startHub(t, b.address())
		k := newKiosk(t, b.address(), &outbox.Memory{}).run()
		within(t, "the link", k.heard(linkUp))
		ctx := t.Context()
		path := wire.Path{Tenant: tenant, Device: "kiosk-1"}
		topic := path.Of(wire.Down, wire.ClassWant)
		other := wire.Path{Tenant: tenant, Device: "kiosk-2"}.Of(wire.Down, wire.ClassWant)
		want, err := wire.EncodeJSON(wire.Want{Revision: 5})
		if err != nil {
			t.Fatal(err)
		}
		forged, err := wire.Sign(other, want, hubKey) // another device's want, played to this one
		if err != nil {
			t.Fatal(err)
		}
		big := bytes.Repeat([]byte("x"), wire.MaxMessage+1)
		for _, payload := range [][]byte{forged, []byte("{}"), {0xdf, 0xff, 0xff, 0xff, 0xff}, big} {
			if err := h.client.Publish(ctx, uplink.Publish{Topic: topic, Payload: payload, QoS: 1}); err != nil {
				t.Fatal(err)
			}
		}
		group, err := wire.EncodeJSON(wire.Want{Revision: 3})
		if err != nil {
			t.Fatal(err)
		}
		h.send(ctx, topic, want, true)
		h.send(ctx, wire.GroupWant(tenant, "shops"), group, true)
		within(t, "the group's want", k.heard(func(e uplink.Event) bool {
			w, ok := e.(uplink.Want)
			return ok && w.Group == "shops" && w.Want.Revision == 3
		}))
		k.mu.Lock()
		defer k.mu.Unlock()
		wants, bad := 0, 0
		for _, e := range k.up {
			switch e := e.(type) {
			case uplink.Want:
				if e.Group == "" {
					wants++
				}
			case uplink.Problem:
				bad++
			}
		}
		// The first that is refused is told at once, the others together later.
		if wants != 1 || bad != 1 || k.link.Dropped() != 1 {
			t.Errorf("%d wants, %d told as refused, %d dropped; want 1 of each", wants, bad, k.link.Dropped())
		}
	})
}

// A broker that refuses the subscription, or swallows what the device writes,
// is told, and nothing is sent into the void.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, code string
		deny       func(client, topic string, write bool) bool
	}{
		{"subscription", uplink.ProblemRefused, func(client, topic string, write bool) bool {
			return client == "kiosk-1" && !write && strings.HasSuffix(topic, "/dn/#")
		}},
		{"writing", uplink.ProblemNoEcho, func(client, topic string, write bool) bool {
			return client == "kiosk-1" && write && strings.Contains(topic, "/up/")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newMochi(t, &access{deny: c.deny})
			h := startHub(t, b.address())
			k := newKiosk(t, b.address(), &outbox.Memory{}).run()
			k.append(10)
			within(t, c.code, k.heard(problem(c.code)))
			if n := h.count("kiosk-1"); n != 0 || k.q.Status().Head != 1 {
				t.Errorf("%d records got through", n)
			}
		})
	}
}

func TestFloodBeginsAnew(t *testing.T) {
	b := newMochi(t)
	h := startHub(t, b.address())
	disk := &outbox.Memory{}
	k := newKiosk(t, b.address(), disk)
	block, blocked := make(chan struct{}), false
	up := k.link.up
	k.link.up = func(e uplink.Event) {
		if _, ok := e.(uplink.Problem); ok && !blocked {
			blocked = true
			<-block // the device is slow
		}
		up(e)
	}
	k.run()
	within(t, "the link", k.heard(linkUp))
	topic := wire.Path{Tenant: tenant, Device: "kiosk-1"}.Of(wire.Down, wire.ClassSig)
	for range inboxSize + 50 {
		if err := h.client.Publish(t.Context(), uplink.Publish{Topic: topic, Payload: []byte("flood"), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "drops", func() bool { return k.link.Dropped() > 0 })
	close(block)
	k.append(100)
	k.balance(h)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counter < 2 {
		t.Error("the connection was not begun anew")
	}
}

func TestBadConfiguration(t *testing.T) {
	for address, want := range map[string]string{
		"":                 "tcp://host:port",
		"localhost:1883":   "tcp://host:port",
		"http://localhost": "none of tcp, ssl",
		"ssl://localhost":  "no TLS is configured",
	} {
		_, err := NewDevice(DeviceConfig{Broker: Broker{Address: address}, Session: uplink.Config{Tenant: "a", Device: "b"}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := NewDevice(DeviceConfig{Broker: Broker{Address: "tcp://h:1"}, Session: uplink.Config{Tenant: "a/b", Device: "b"}}); err == nil {
		t.Error("a tenant with a slash was taken")
	}
	k := newKiosk(t, "tcp://127.0.0.1:1", &outbox.Memory{})
	if err := k.link.Tell(uplink.Connected{}); err == nil {
		t.Error("the device said that it is connected")
	}
	for _, in := range []uplink.Input{uplink.Self{}, uplink.Ask{}, uplink.Cancel{}, uplink.Send{}, uplink.Greet{}} {
		if err := k.link.Tell(in); err != nil {
			t.Error(err)
		}
	}
}

// cuttable is a TCP proxy that can vanish.
type cuttable struct {
	l     net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func newCuttable(t testing.TB, address string) *cuttable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cuttable{l: l}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp://"))
			if err != nil {
				in.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, in, out)
			c.mu.Unlock()
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
	t.Cleanup(c.cut)
	return c
}

func (c *cuttable) address() string { return "tcp://" + c.l.Addr().String() }

func (c *cuttable) cut() {
	c.l.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.conns {
		x.Close()
	}
}

func pipe(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
