package serve

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// counts are what GET /healthz shows.
type counts struct {
	lines, linesRefused       atomic.Int64
	messages, messagesRefused atomic.Int64
	garbage, tooLarge         atomic.Int64 // of messagesRefused
	dropped                   atomic.Int64 // of messagesRefused: no room in the queue
	foreign, conflicts, later atomic.Int64
	published, unpublished    atomic.Int64
	ledgerErrors              atomic.Int64
	connected, heard          atomic.Bool // heard: the hub's own presence came back
	scrub                     atomic.Bool // a forget waits for the files to be scrubbed
}

// count notes what became of an input.
func (h *Hub) count(in hub.Input, err error) {
	c := &h.counts
	switch in := in.(type) {
	case hub.FromSource:
		if err == nil {
			c.lines.Add(1)
		} else {
			c.linesRefused.Add(1)
		}
	case hub.FromDevice:
		c.messages.Add(1)
		if err == nil {
			return
		}
		switch {
		case errors.Is(err, hub.ErrLater):
			c.later.Add(1)
		case errors.Is(err, hub.ErrConflict):
			c.conflicts.Add(1)
		case errors.Is(err, hub.ErrNotTaken):
			c.foreign.Add(1)
		case errors.Is(err, wire.ErrTooLarge):
			c.tooLarge.Add(1)
		default:
			c.garbage.Add(1)
		}
		h.refused(in.Topic, err)
	}
}

// tooLarge notes a message that the client dropped; it must not block.
func (h *Hub) tooLarge(topic string, bytes int) {
	h.counts.messages.Add(1)
	h.counts.tooLarge.Add(1)
	h.refused(topic, fmt.Errorf("message of %d bytes is %w of %d", bytes, wire.ErrTooLarge, wire.MaxMessage))
}

func (h *Hub) refused(topic string, err error) {
	if n := h.counts.messagesRefused.Add(1); n <= 100 || n%1000 == 0 { // a hostile device does not fill the disk
		h.cfg.Tell.Warn("message refused", "topic", topic, "error", err, "refused", n)
	}
}

// link hears of the connection to the broker; it must not block.
func (h *Hub) link(up bool, cause string) {
	h.counts.connected.Store(up)
	if !up {
		h.counts.heard.Store(false)
		h.cfg.Tell.Warn("broker is away", "cause", cause)
		return
	}
	h.cfg.Tell.Info("broker is there", "address", h.cfg.Broker.Address)
	// What was published while the link was away is lost.
	if !h.queue.offer(job{input: hub.Connected{}}) {
		h.publisher.lost.Store(true) // the next tick does it
	}
}

// note hears of what the client found out about its broker; it must not block.
func (h *Hub) note(code, detail string) {
	if code == mqtt.NoteShared || code == mqtt.NoteNotShared {
		h.cfg.Tell.Info(detail, "code", code)
		return
	}
	h.cfg.Tell.Warn(detail, "code", code)
}

// receive passes the devices' messages on.
func (h *Hub) receive(ctx context.Context) {
	own := wire.HubConn(h.cfg.Tenant)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-h.client.Messages():
			if m.Topic == own {
				h.counts.heard.Store(true) // the broker lets this hub both write and read
				continue
			}
			var device string // of a topic that says none, all the same lane
			if t, err := wire.ParseTopic(m.Topic); err == nil {
				device = t.Device
			}
			if !h.queue.put(device, job{input: hub.FromDevice{Topic: m.Topic, Payload: m.Payload}}) {
				h.counts.messages.Add(1)
				h.counts.dropped.Add(1)
				h.refused(m.Topic, errDropped)
			}
		}
	}
}

// publisher sends messages in order per device, and never holds the mind back: what a device is to
// forget comes before the acknowledgement upon which it sends what it has.
type publisher struct {
	client *mqtt.Hub
	key    ed25519.PrivateKey // signs what goes down
	counts *counts
	queues []chan outgoing
	lost   atomic.Bool // something was not published: devices must say hello again
}

type outgoing struct {
	topic   string
	payload []byte
	retain  bool
}

const (
	publishers     = 8
	publishQueue   = 8192
	publishTimeout = 10 * time.Second
)

func newPublisher(c *mqtt.Hub, key ed25519.PrivateKey, n *counts) *publisher {
	p := &publisher{client: c, key: key, counts: n}
	for range publishers {
		p.queues = append(p.queues, make(chan outgoing, publishQueue))
	}
	return p
}

func (p *publisher) put(topic string, payload []byte, retain bool) {
	f := fnv.New32a()
	f.Write([]byte(deviceOf(topic)))
	select {
	case p.queues[f.Sum32()%publishers] <- outgoing{topic, payload, retain}:
	default:
		p.counts.unpublished.Add(1)
		p.lost.Store(true)
	}
}

// deviceOf is the beginning of a topic as far as it names the device.
func deviceOf(topic string) string {
	const parts = 4 // tact/v1/TENANT/DEVICE
	for k, n := 0, 0; k < len(topic); k++ {
		if topic[k] == '/' {
			if n++; n == parts {
				return topic[:k]
			}
		}
	}
	return topic
}

func (p *publisher) start(ctx context.Context, done *sync.WaitGroup) {
	for _, q := range p.queues {
		done.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-q:
					p.send(ctx, m)
				}
			}
		})
	}
}

func (p *publisher) send(ctx context.Context, m outgoing) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	signed, err := wire.Sign(m.topic, m.payload, p.key)
	if err == nil {
		err = p.client.Publish(ctx, uplink.Publish{Topic: m.topic, Payload: signed, Retain: m.retain, QoS: 1})
	}
	switch {
	case err == nil:
		p.counts.published.Add(1)
	case errors.Is(err, mqtt.ErrNotConnected):
		p.counts.unpublished.Add(1) // the next connect makes it good
	default:
		p.counts.unpublished.Add(1)
		p.lost.Store(true)
	}
}
