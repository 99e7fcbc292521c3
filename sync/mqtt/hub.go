package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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
	Filters []string // plain
	// Shared are filters that several hubs share as the members of Group, where the
	// broker has shared subscriptions; where it has none they are subscribed to plainly.
	// The name of the group is a secret of the hubs: who knows it can join, and a broker
	// that grants what it then holds back would lose a share of the messages.
	Shared []string
	Group  string
	Buffer int // messages held before the broker is held back; 1,024 by default
	// Link is told of each connection and its loss; nil where nobody listens. It must not block.
	Link func(up bool, cause string)
	// Tell is told of what an operator should know; nil where nobody listens. It must not block.
	Tell func(code, detail string)
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
	probing  bool // the last connection ended while it probed
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
	if c.Tell == nil {
		c.Tell = func(string, string) {}
	}
	if len(c.Shared) > 0 && (c.Group == "" || strings.ContainsAny(c.Group, "/+#")) {
		return nil, fmt.Errorf("make hub client: group %.70q is no name of a group of shared subscriptions", c.Group)
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
	if _, err := h.cfg.Broker.refresh(); err != nil {
		h.cfg.Tell(problemCerts, err.Error())
	}
	o := h.cfg.Broker.options(h.presence(wire.Offline))
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	probe := probing{topic: probeTopic(h.cfg.Tenant), mark: fmt.Sprintf("%d-%d", h.cfg.Boot, h.counter), came: make(chan struct{}, 1)}
	receive := func(_ paho.Client, m paho.Message) {
		if m.Topic() == probe.topic {
			probe.arrived(m.Payload())
			return
		}
		if len(m.Payload()) > wire.MaxMessage {
			h.cfg.TooLarge(m.Topic(), len(m.Payload()))
			return
		}
		select {
		case h.messages <- Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()}:
		case <-over:
		}
	}
	o.SetDefaultPublishHandler(receive) // for shared ones too: brokers deliver them under their plain topic
	c := paho.NewClient(o)
	for _, f := range append(h.cfg.Filters, h.cfg.Shared...) {
		c.AddRoute(f, receive)
	}
	if err := finish(ctx, c.Connect()); err != nil {
		c.Disconnect(0)
		return false, fmt.Errorf("connect to %s: %w", h.cfg.Broker.Address, err)
	}
	defer c.Disconnect(100)
	if err := h.join(ctx, c, &probe); err != nil {
		return false, err
	}
	h.set(c)
	defer h.set(nil)
	h.cfg.Link(true, "")
	return true, h.stay(ctx, lost)
}

// stay waits for the end of a connection.
func (h *Hub) stay(ctx context.Context, lost <-chan error) error {
	look, stop := h.cfg.Broker.recheck()
	defer stop()
	for {
		select {
		case err := <-lost:
			return fmt.Errorf("connection to %s: %w", h.cfg.Broker.Address, err)
		case <-look:
			changed, err := h.cfg.Broker.refresh()
			if err != nil {
				h.cfg.Tell(problemCerts, err.Error())
			}
			if changed {
				return fmt.Errorf("connection to %s: %w", h.cfg.Broker.Address, errChanged)
			}
		case <-ctx.Done():
			bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTimeout)
			defer cancel()
			_ = h.Publish(bye, h.presence(wire.Offline)) // the will speaks where this does not get through
			return ctx.Err()
		}
	}
}

// byeTimeout is how long the broker may take to hear that the hub goes.
const byeTimeout = 500 * time.Millisecond

// joinTimeout is how long the broker may take to answer what a hub does first.
const joinTimeout = 20 * time.Second

// join subscribes, and says that the hub is there.
func (h *Hub) join(ctx context.Context, c paho.Client, probe *probing) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	filters := slices.Clone(h.cfg.Filters)
	if len(h.cfg.Shared) > 0 {
		group := "$share/" + h.cfg.Group + "/"
		shares, err := h.shares(ctx, c, probe)
		if err != nil {
			return err
		}
		for _, f := range h.cfg.Shared {
			if shares {
				f = group + f
			}
			filters = append(filters, f)
		}
		if shares {
			h.cfg.Tell(NoteShared, "shared subscriptions work here: hubs of this tenant share what devices send")
		} else {
			h.cfg.Tell(NoteNotShared, "shared subscriptions do not work here, or the broker does not let this hub write and read "+probe.topic+": this hub takes all messages by itself")
		}
	}
	if len(filters) > 0 {
		token := c.SubscribeMultiple(atLeastOnce(filters), nil)
		if err := finish(ctx, token); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		if no := refused(filters, token.(*paho.SubscribeToken).Result()); len(no) > 0 {
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
