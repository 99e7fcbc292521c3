// Package embedded is an MQTT broker inside a process, for laptops, tests and the
// demo: mochi without persistence and without accounts, on the loopback interface.
//
// It guarantees that retained messages are set and looked through one at a time:
// the library reads an entry of its index while it writes it (v2.7.9). Fleets run a
// broker of their own; callers owe a Close.
package embedded

import (
	"fmt"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is a running broker.
type Broker struct {
	server *mochi.Server
	in     net.Listener
}

// Start starts a broker on a loopback address; port 0 takes a free one.
func Start(address string) (*Broker, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("start broker on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("start broker on %q: it has no accounts, so it listens on 127.0.0.1 only; for other machines run Mosquitto and name it with --broker", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	caps := mochi.NewDefaultServerCapabilities()
	caps.MaximumClients = 10_000
	caps.MaximumSessionExpiryInterval = 60 // endless otherwise
	caps.MaximumClientWritesPending = 256
	caps.MaximumInflight = 1024
	caps.MaximumPacketSize = 128 << 10
	s := mochi.New(&mochi.Options{Capabilities: caps, Logger: slog.New(slog.DiscardHandler),
		ClientNetReadBufferSize: 4 << 10, ClientNetWriteBufferSize: 4 << 10})
	for _, h := range []mochi.Hook{&open{}, OneAtATime()} {
		if err := s.AddHook(h, nil); err != nil {
			l.Close()
			return nil, fmt.Errorf("start broker: %w", err)
		}
	}
	if err := s.AddListener(listeners.NewNet("loopback", l)); err != nil {
		l.Close()
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return &Broker{server: s, in: l}, nil
}

// open lets everybody in who can reach the loopback address.
type open struct{ mochi.HookBase }

func (*open) ID() string { return "open" }
func (*open) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*open) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// Address is what clients connect to: tcp://host:port.
func (b *Broker) Address() string { return "tcp://" + b.in.Addr().String() }

// Close ends the broker and its connections.
func (b *Broker) Close() error { return Shut(b.server, b.in) }
