package mqtt

import (
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/wire"
)

// sharingHub takes what devices send through a group.
func sharingHub(t testing.TB, address string) *fakeHub {
	return startHubWith(t, HubConfig{Broker: Broker{Address: address, ClientID: "hub", Username: "hub"}, Group: "g",
		Filters: []string{wire.AllState(tenant)}, Shared: []string{wire.AllUp(tenant)}})
}

func TestSharedSubscription(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b testBroker) {
		h := sharingHub(t, b.address())
		k := newKiosk(t, b.address(), &outbox.Memory{}).run()
		k.append(600)
		k.balance(h)
		if code := <-h.told; code != NoteShared {
			t.Errorf("the hub tells %s", code)
		}
	})
}

// mute grants shared subscriptions and delivers nothing to them, as NATS and RabbitMQ do.
type mute struct{ access }

func (*mute) ID() string           { return "mute" }
func (*mute) Provides(b byte) bool { return b == mochi.OnSelectSubscribers || (&access{}).Provides(b) }
func (*mute) OnSelectSubscribers(s *mochi.Subscribers, _ packets.Packet) *mochi.Subscribers {
	clear(s.Shared)
	clear(s.SharedSelected)
	return s
}

// Where shared subscriptions are granted, refused, or the probe ends the connection:
// without them the hub takes everything by itself.
func TestWithoutSharedSubscriptions(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]mochi.Hook{
		"granted and silent": &mute{},
		"refused":            &access{deny: func(_, topic string, write bool) bool { return !write && topic[0] == '$' }},
		"probe not writable": &access{deny: func(_, topic string, write bool) bool { return write && topic == probeTopic(tenant) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newMochi(t, hook)
			h := sharingHub(t, b.address())
			k := newKiosk(t, b.address(), &outbox.Memory{}).run()
			k.append(300)
			k.balance(h)
			if code := <-h.told; code != NoteNotShared {
				t.Errorf("the hub tells %s", code)
			}
		})
	}
}
