// Package embedded is an MQTT broker inside a process: mochi without persistence. For
// laptops, tests and the demo it listens on the loopback interface without accounts;
// for a small fleet with TLS 1.3, client certificates and an access list (StartTLS).
//
// It guarantees that retained messages are set and looked through one at a time: the
// library reads an entry of its index while it writes it (v2.7.9). Larger fleets run a
// broker of their own; callers owe a Close.
package embedded

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/wire"
)

// Broker is a running broker.
type Broker struct {
	server *mochi.Server
	in     net.Listener
	scheme string
}

// Start starts a broker on a loopback address; port 0 takes a free one.
func Start(address string) (*Broker, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("start broker on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("start broker on %q: it has no accounts, so it listens on 127.0.0.1 only; for other machines use --listen-tls, or run Mosquitto and name it with --broker", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return serve(hasty{l}, "tcp", &open{})
}

// TLS is what a broker for a fleet is started with.
type TLS struct {
	Address string // to listen on, any interface
	Tenant  string // whose devices
	Hub     string // name of the hub's account
	Certs   *certs.Kept
	Tell    func(error) // hears what is wrong with changed files of certificates; must not block
}

// StartTLS starts a broker for those who have a certificate of the authority in
// o.Certs: the name in it is the account, the client id and the device. The hub in
// this process connects with Dial.
func StartTLS(o TLS) (*Broker, error) {
	if !wire.ValidID(o.Tenant) || !wire.ValidID(o.Hub) {
		return nil, errors.New("start broker: tenant and hub must be ids")
	}
	config, err := o.Certs.Server(o.Tell)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return serve(tls.NewListener(hasty{l}, config), "ssl", &accounts{tenant: o.Tenant, hub: o.Hub})
}

// hasty gives who connects so long for the handshake and to say who it is. It goes on
// after an error that is not its end, too many open files say, where the library would
// stop listening.
type hasty struct{ net.Listener }

const (
	helloTime  = 10 * time.Second
	acceptWait = 50 * time.Millisecond
)

func (h hasty) Accept() (net.Conn, error) {
	for {
		c, err := h.Listener.Accept()
		switch {
		case err == nil:
			_ = c.SetDeadline(time.Now().Add(helloTime)) // one that has gone says so at the first read
			return c, nil
		case errors.Is(err, net.ErrClosed):
			return nil, err
		}
		time.Sleep(acceptWait)
	}
}

func serve(l net.Listener, scheme string, who mochi.Hook) (*Broker, error) {
	caps := mochi.NewDefaultServerCapabilities()
	caps.MaximumClients = 10_000
	caps.MaximumSessionExpiryInterval = 60 // endless otherwise
	caps.MaximumClientWritesPending = 1024
	caps.MaximumInflight = 1024
	caps.MaximumPacketSize = wire.MaxMessage + 1024 // the topic
	s := mochi.New(&mochi.Options{Capabilities: caps, Logger: slog.New(slog.DiscardHandler),
		ClientNetReadBufferSize: 4 << 10, ClientNetWriteBufferSize: 4 << 10})
	for _, h := range []mochi.Hook{who, TakeOver(s), OneAtATime()} {
		if err := s.AddHook(h, nil); err != nil {
			l.Close()
			return nil, fmt.Errorf("start broker: %w", err)
		}
	}
	if err := s.AddListener(listeners.NewNet("net", l)); err != nil {
		l.Close()
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return &Broker{server: s, in: l, scheme: scheme}, nil
}

// Dial connects from inside the process, without TLS.
func (b *Broker) Dial() (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		_ = b.server.EstablishConnection(inside, there) // whoever dialled sees the end
		_ = there.Close()
	}()
	return newElastic(here), nil
}

// open lets everybody in who can reach the loopback address.
type open struct{ mochi.HookBase }

func (*open) ID() string { return "open" }
func (*open) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*open) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// Address is what clients connect to: tcp://host:port or ssl://host:port.
func (b *Broker) Address() string { return b.scheme + "://" + b.in.Addr().String() }

// Close ends the broker and its connections.
func (b *Broker) Close() error { return Shut(b.server, b.in) }
