package sim

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/tact-edge/tact/agent/zones"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/wire"
)

// headquarters is the hub: its mind, a ledger in memory, and what the broker retains of it.
type headquarters struct {
	w        *World
	mind     *hub.Mind
	ledger   *ledger.Memory
	key      ed25519.PrivateKey
	retained map[string][]byte // by topic, signed
	order    []string          // topics, by first publication
}

// hubTick is how often time passes for the hub by itself.
const hubTick = 5 * sense.Second

func newHub(w *World, file []byte) (*headquarters, error) {
	seed := sha256.Sum256(fmt.Appendf(nil, "hub of world %d", w.cfg.Seed))
	open, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		return nil, err
	}
	mind, err := hub.New(hub.Config{Tenant: Tenant, Open: open, Secret: seed, Lease: w.cfg.Lease, Zone: zones.Zone})
	if err != nil {
		return nil, err
	}
	h := &headquarters{w: w, mind: mind, ledger: ledger.NewMemory(), key: ed25519.NewKeyFromSeed(seed[:]), retained: map[string][]byte{}}
	presence, err := wire.EncodeJSON(wire.Conn{State: wire.Online, Boot: 1, Counter: 1, Since: int64(w.now)})
	if err != nil {
		return nil, err
	}
	h.retain(wire.HubConn(Tenant), presence)
	answer, err := h.round(hub.Publish{File: file})
	if err != nil {
		return nil, err
	}
	if answer.Err != nil {
		return nil, answer.Err
	}
	h.tick()
	return h, nil
}

func (h *headquarters) tick() {
	h.w.after(hubTick, func() error {
		h.tick()
		_, err := h.round(hub.Tick{})
		return err
	})
}

// round passes one input through the mind, commits, and sends what comes of it.
func (h *headquarters) round(in hub.Input) (hub.Answer, error) {
	tx, err := h.ledger.Begin(context.Background())
	if err != nil {
		return hub.Answer{}, err
	}
	outputs, err := h.mind.Round(tx, h.w.now, []hub.Input{in})
	if err != nil {
		_ = tx.Rollback()
		return hub.Answer{}, err
	}
	if err := tx.Commit(); err != nil {
		return hub.Answer{}, err
	}
	for _, o := range outputs {
		for _, m := range o.Messages {
			if err := h.send(m); err != nil {
				return hub.Answer{}, err
			}
		}
	}
	return outputs[0].Answer, nil
}

func (h *headquarters) retain(topic string, payload []byte) {
	if h.retained[topic] == nil {
		h.order = append(h.order, topic)
	}
	h.retained[topic] = payload
}

// send signs a message and lets the broker carry it.
func (h *headquarters) send(m hub.Message) error {
	var readers []*device
	for _, d := range h.w.devices {
		if d.open && d.reads(m.Topic) {
			readers = append(readers, d)
		}
	}
	if len(readers) == 0 && !m.Retain {
		return nil // the broker has nobody to give it to
	}
	payload, err := wire.Sign(m.Topic, m.Payload, h.key)
	if err != nil {
		return err
	}
	if m.Retain {
		h.retain(m.Topic, payload)
	}
	for _, d := range readers {
		d.receive(m.Topic, payload)
	}
	return nil
}

// retainedFor gives a device that has subscribed what the broker retains.
func (h *headquarters) retainedFor(d *device) {
	for _, topic := range h.order {
		if d.reads(topic) {
			d.receive(topic, h.retained[topic])
		}
	}
}

func (d *device) reads(topic string) bool {
	return topic == wire.HubConn(Tenant) || strings.HasPrefix(topic, strings.TrimSuffix(wire.Path{Tenant: Tenant, Device: d.cfg.Name}.Below(), "#"))
}
