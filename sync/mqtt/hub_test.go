package mqtt

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

const tenant = "acme"

var hubKey = ed25519.NewKeyFromSeed([]byte("a seed of the hub, of 32 bytes.."))

var trusted = wire.KeysOf(hubKey.Public().(ed25519.PublicKey))

// fakeHub commits to memory and acknowledges.
type fakeHub struct {
	t      testing.TB
	client *Hub
	cancel context.CancelFunc
	done   chan struct{}
	told   chan string

	mu       sync.Mutex
	stored   map[string]map[uint64]string // by device, then number
	received int
	conns    []wire.Conn // presences of devices, as they came
	births   int
	batches  int
	clash    error
}

func startHub(t testing.TB, address string) *fakeHub {
	t.Helper()
	return startHubWith(t, HubConfig{Broker: Broker{Address: address, ClientID: "hub", Username: "hub"}, Filters: []string{wire.AllUp(tenant), wire.AllState(tenant)}})
}

// startHubWith starts one with a configuration of the test's own.
func startHubWith(t testing.TB, c HubConfig) *fakeHub {
	t.Helper()
	c.Tenant, c.Boot = tenant, 1
	h := &fakeHub{t: t, stored: map[string]map[uint64]string{}, done: make(chan struct{}), told: make(chan string, 100)}
	c.Tell = func(code, _ string) { h.told <- code }
	var err error
	if h.client, err = NewHub(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go func() { _ = h.client.Run(ctx) }()
	go h.work(ctx)
	t.Cleanup(h.stop)
	return h
}

func (h *fakeHub) stop() {
	h.cancel()
	<-h.done
}

func (h *fakeHub) work(ctx context.Context) {
	defer close(h.done)
	p, err := wire.NewUnpacker()
	if err != nil {
		h.t.Error(err)
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-h.client.Messages():
			if err := h.take(ctx, p, m); err != nil {
				h.mu.Lock()
				h.clash = err
				h.mu.Unlock()
			}
		}
	}
}

func (h *fakeHub) take(ctx context.Context, p *wire.Unpacker, m Message) error {
	t, err := wire.ParseTopic(m.Topic)
	if err != nil {
		return err
	}
	path := wire.Path{Tenant: t.Tenant, Device: t.Device}
	switch t.Class {
	case wire.ClassConn:
		c, err := wire.DecodeConn(m.Payload)
		if err != nil || t.Hub {
			return err
		}
		h.mu.Lock()
		h.conns = append(h.conns, c)
		h.mu.Unlock()
	case wire.ClassBirth:
		h.mu.Lock()
		h.births++
		h.mu.Unlock()
	case wire.ClassReq:
		r, err := wire.DecodeRequest(m.Payload)
		if err != nil {
			return err
		}
		switch r := r.(type) {
		case *wire.Echo:
			b, err := wire.EncodeCommand(&wire.EchoAnswer{Re: r.ID, Time: 1_800_000_000_000})
			if err != nil {
				return err
			}
			h.send(ctx, path.Named(wire.Down, wire.ClassCmd, "echo"), b, false)
		case *wire.Hello:
			h.ack(ctx, path, r.Epoch, r.ID)
		}
	case wire.ClassLog:
		h.mu.Lock()
		h.batches++
		failed := h.batches%4 == 3 // a commit that fails is not acknowledged
		h.mu.Unlock()
		if failed {
			return nil
		}
		b, err := p.Decode(m.Payload)
		if err != nil {
			return err
		}
		if err := h.commit(t.Device, b); err != nil {
			return err
		}
		h.ack(ctx, path, b.Epoch, "")
	}
	return nil
}

func (h *fakeHub) commit(device string, b *wire.Batch) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stored[device]
	if s == nil {
		s = map[uint64]string{}
		h.stored[device] = s
	}
	for k, r := range b.Records {
		h.received++
		seq := b.First + uint64(k)
		if was, ok := s[seq]; ok && was != string(r) {
			return fmt.Errorf("number %d of %s came with two contents", seq, device)
		}
		s[seq] = string(r)
	}
	return nil
}

func (h *fakeHub) ack(ctx context.Context, path wire.Path, epoch uint64, re string) {
	h.mu.Lock()
	a := &wire.Ack{Epoch: epoch, Time: 1_800_000_000_000, Re: re}
	s := h.stored[path.Device]
	for s[a.Through+1] != "" {
		a.Through++
	}
	h.mu.Unlock()
	b, err := wire.EncodeDown(a)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.send(ctx, path.Of(wire.Down, wire.ClassAck), b, false)
}

// send signs and publishes; what does not get through is the device's to ask for again.
func (h *fakeHub) send(ctx context.Context, topic string, payload []byte, retain bool) {
	b, err := wire.Sign(topic, payload, hubKey)
	if err != nil {
		h.t.Error(err)
		return
	}
	limit, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_ = h.client.Publish(limit, uplink.Publish{Topic: topic, Payload: b, QoS: 1, Retain: retain})
}

func (h *fakeHub) count(device string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.stored[device])
}

// lastConn is the newest presence of the only device.
func (h *fakeHub) lastConn() wire.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) == 0 {
		return wire.Conn{}
	}
	return h.conns[len(h.conns)-1]
}
