package mqtt

import (
	"context"
	"fmt"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/sync/wire"
)

// Codes of what a Hub tells.
const (
	NoteShared    = "shared_subscriptions"
	NoteNotShared = "no_shared_subscriptions"
)

// probeTimeout is how long a message may take to the broker and back.
const probeTimeout = 2 * time.Second

// probing is a message that a hub sends to itself through a group of its own. Some
// brokers (NATS, RabbitMQ) grant a shared subscription and deliver nothing.
type probing struct {
	topic, mark string
	came        chan struct{}
}

// arrived takes in what came on the probe's topic; it never blocks.
func (p *probing) arrived(payload []byte) {
	if string(payload) != p.mark {
		return // of an earlier connection, or another hub's
	}
	select {
	case p.came <- struct{}{}:
	default:
	}
}

// probeTopic is the hub's own; no device may write or read it.
func probeTopic(tenant string) string {
	return strings.TrimSuffix(wire.HubConn(tenant), string(wire.State)+"/"+wire.ClassConn) + string(wire.Up) + "/probe"
}

// shares says whether shared subscriptions deliver here. Brokers that cut off whoever
// writes what it may not are not asked twice in a row.
func (h *Hub) shares(ctx context.Context, c paho.Client, p *probing) (bool, error) {
	if h.probing {
		h.probing = false
		return false, nil
	}
	h.probing = true
	shares, err := h.probe(ctx, c, p)
	h.probing = err != nil && ctx.Err() == nil
	return shares, err
}

// probe sends a message to itself. Nothing else is subscribed to yet.
func (h *Hub) probe(ctx context.Context, c paho.Client, p *probing) (bool, error) {
	filter := "$share/probe-" + p.mark + "/" + p.topic
	token := c.SubscribeMultiple(atLeastOnce([]string{filter}), nil)
	if err := finish(ctx, token); err != nil {
		return false, fmt.Errorf("probe shared subscriptions: %w", err)
	}
	if len(refused([]string{filter}, token.(*paho.SubscribeToken).Result())) > 0 {
		return false, nil
	}
	if err := finish(ctx, c.Publish(p.topic, 1, false, p.mark)); err != nil {
		return false, fmt.Errorf("probe shared subscriptions: %w", err)
	}
	late := time.NewTimer(probeTimeout)
	defer late.Stop()
	shares := false
	select {
	case <-p.came:
		shares = true
	case <-late.C:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if err := finish(ctx, c.Unsubscribe(filter)); err != nil {
		return false, fmt.Errorf("probe shared subscriptions: %w", err)
	}
	return shares, nil
}
