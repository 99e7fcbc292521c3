package serve

import (
	"fmt"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Embedded is a broker inside the hub's process, for laptops, tests and the
// demo: without persistence and without accounts, so it listens on loopback only.
type Embedded struct {
	server *mochi.Server
	addr   net.Addr
}

// StartBroker starts a broker on a loopback address; port 0 takes a free one.
func StartBroker(address string) (*Embedded, error) {
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
	if err := s.AddHook(&open{}, nil); err != nil {
		l.Close()
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.AddListener(listeners.NewNet("loopback", l)); err != nil {
		l.Close()
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return &Embedded{server: s, addr: l.Addr()}, nil
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
func (b *Embedded) Address() string { return "tcp://" + b.addr.String() }

// Close ends the broker and its connections.
func (b *Embedded) Close() error {
	if err := b.server.Close(); err != nil {
		return fmt.Errorf("close broker: %w", err)
	}
	return nil
}
