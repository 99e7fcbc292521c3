package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// ErrNotConnected says that nothing can be published now.
var ErrNotConnected = errors.New("not connected to the broker")

// Message is one message that the hub's client received.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
}

// HubConfig is what a hub's client is made of.
type HubConfig struct {
	Broker  Broker
	Tenant  string
	Boot    uint64   // which life of the hub this is
	Filters []string // plain, or $share/<group>/<filter>
	Buffer  int      // messages held before the broker is held back; 1,024 by default
	// Link is told of each connection and its loss; nil where nobody listens. It must not block.
	Link func(up bool, cause string)
	// TooLarge is told of each message over wire.MaxMessage, which is dropped; nil
	// where nobody listens. It must not block.
	TooLarge func(topic string, bytes int)
	Seed     uint64 // of the back-off's jitter
}

// Hub is the hub's client: it keeps a connection, says that the hub is there,
// subscribes, and publishes.
type Hub struct {
	cfg      HubConfig
	messages chan Message
	mu       sync.Mutex
	client   paho.Client // nil where not connected
	counter  uint64
}

// NewHub checks c and makes a client that Run will connect.
func NewHub(c HubConfig) (*Hub, error) {
	if err := c.Broker.check(); err != nil {
		return nil, err
	}
	if !wire.ValidID(c.Tenant) {
		return nil, fmt.Errorf("make hub client: tenant %.70q is not an id", c.Tenant)
	}
	if c.Buffer <= 0 {
		c.Buffer = 1024
	}
	if c.Link == nil {
		c.Link = func(bool, string) {}
	}
	if c.TooLarge == nil {
		c.TooLarge = func(string, int) {}
	}
	return &Hub{cfg: c, messages: make(chan Message, c.Buffer)}, nil
}

// Messages are those received, in order; the broker is held back while nobody takes them.
func (h *Hub) Messages() <-chan Message { return h.messages }

// Run keeps the connection until ctx ends, says goodbye and returns.
func (h *Hub) Run(ctx context.Context) error {
	r := rand.New(rand.NewPCG(h.cfg.Seed, 3))
	pause := 250 * time.Millisecond
	for {
		joined, err := h.serve(ctx)
		if ctx.Err() != nil {
			return nil
		}
		h.cfg.Link(false, err.Error())
		if joined {
			pause = 250 * time.Millisecond
		}
		wait := pause/2 + time.Duration(r.Int64N(int64(pause/2)))
		pause = min(2*pause, 30*time.Second)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// serve is one connection, from opening to its end.
func (h *Hub) serve(ctx context.Context) (joined bool, err error) {
	h.counter++
	lost := make(chan error, 1)
	over := make(chan struct{})
	defer close(over)
	o := h.cfg.Broker.options(h.presence(wire.Offline))
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	receive := func(_ paho.Client, m paho.Message) {
		if len(m.Payload()) > wire.MaxMessage {
			h.cfg.TooLarge(m.Topic(), len(m.Payload()))
			return
		}
		select {
		case h.messages <- Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()}:
		case <-over:
		}
	}
	o.SetDefaultPublishHandler(receive)
	c := paho.NewClient(o)
	for _, f := range h.cfg.Filters {
		c.AddRoute(f, receive)
	}
	if err := finish(ctx, c.Connect()); err != nil {
		c.Disconnect(0)
		return false, fmt.Errorf("connect to %s: %w", h.cfg.Broker.Address, err)
	}
	defer c.Disconnect(100)
	if err := h.join(ctx, c); err != nil {
		return false, err
	}
	h.set(c)
	defer h.set(nil)
	h.cfg.Link(true, "")
	select {
	case err := <-lost:
		return true, fmt.Errorf("connection to %s: %w", h.cfg.Broker.Address, err)
	case <-ctx.Done():
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = h.Publish(bye, h.presence(wire.Offline)) // the will speaks where this does not get through
		return true, ctx.Err()
	}
}

// join subscribes, and says that the hub is there.
func (h *Hub) join(ctx context.Context, c paho.Client) error {
	if len(h.cfg.Filters) > 0 {
		token := c.SubscribeMultiple(atLeastOnce(h.cfg.Filters), nil)
		if err := finish(ctx, token); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		if no := refused(h.cfg.Filters, token.(*paho.SubscribeToken).Result()); len(no) > 0 {
			return fmt.Errorf("subscribe: the broker refuses %s", strings.Join(no, ", "))
		}
	}
	p := h.presence(wire.Online)
	if err := finish(ctx, c.Publish(p.Topic, p.QoS, p.Retain, p.Payload)); err != nil {
		return fmt.Errorf("publish presence: %w", err)
	}
	return nil
}

func (h *Hub) presence(state string) uplink.Publish {
	payload, _ := wire.EncodeJSON(wire.Conn{State: state, Boot: h.cfg.Boot, Counter: h.counter, Since: time.Now().UnixMilli()}) // plain fields always encode
	return uplink.Publish{Topic: wire.HubConn(h.cfg.Tenant), Payload: payload, Retain: true, QoS: 1}
}

func (h *Hub) set(c paho.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.client = c
}

// Publish sends p and waits until the broker has it, or ctx ends. An error does
// not say that it was not delivered: whoever needs to know asks the device.
func (h *Hub) Publish(ctx context.Context, p uplink.Publish) error {
	h.mu.Lock()
	c := h.client
	h.mu.Unlock()
	if c == nil || !c.IsConnectionOpen() {
		return fmt.Errorf("publish %s: %w", p.Topic, ErrNotConnected)
	}
	if err := finish(ctx, c.Publish(p.Topic, p.QoS, p.Retain, p.Payload)); err != nil {
		return fmt.Errorf("publish %s: %w", p.Topic, err)
	}
	return nil
}

// finish waits for a token or the end of ctx.
func finish(ctx context.Context, t paho.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}
