package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/uplink"
)

// Broker says where the broker is and who we are there.
type Broker struct {
	Address            string // tcp://host:1883, or ssl://host:8883 with TLS
	ClientID           string // of a device, its device id
	Username, Password string // the username of a device is its device id as well

	// Certs are whom to trust and who we are; an ssl:// address needs them. They are
	// read again before each connection, and each Recheck while there is one, which
	// is begun anew when they have changed.
	Certs      *certs.Kept
	ServerName string        // that the broker's certificate must have; the address's host where empty
	Recheck    time.Duration // 1 min

	// Dial opens the connection in place of the address: to a broker in this process.
	Dial func() (net.Conn, error)

	ConnectTimeout time.Duration // 20 s, for the whole of TCP, TLS and CONNECT
	KeepAlive      time.Duration // 45 s, whole seconds
}

// errChanged ends a connection whose certificates have changed.
var errChanged = errors.New("the certificates have changed")

// problemCerts is the code of a uplink.Problem: files of certificates cannot be used.
const problemCerts = "certificates_unusable"

// check says what is wrong with b before anything is tried.
func (b Broker) check() error {
	u, err := url.Parse(b.Address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("read broker address %q: want tcp://host:port or ssl://host:port", b.Address)
	}
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		if b.Certs == nil {
			return fmt.Errorf("read broker address %q: it wants TLS, and no TLS is configured", b.Address)
		}
	default:
		return fmt.Errorf("read broker address %q: scheme %q is none of tcp, ssl", b.Address, u.Scheme)
	}
	if b.ClientID == "" {
		return fmt.Errorf("read broker %s: no client id", b.Address)
	}
	return nil
}

// address is Address with a port.
func (b Broker) address() string {
	u, err := url.Parse(b.Address)
	if err != nil || u.Host == "" || u.Port() != "" {
		return b.Address
	}
	port := "8883"
	if u.Scheme == "tcp" || u.Scheme == "mqtt" {
		port = "1883"
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String()
}

// TLS is what a connection opened now uses; nil where the address wants none.
func (b Broker) TLS() *tls.Config {
	u, err := url.Parse(b.Address)
	if err != nil || b.Certs == nil || u.Scheme == "tcp" || u.Scheme == "mqtt" {
		return nil
	}
	name := b.ServerName
	if name == "" {
		name = u.Hostname()
	}
	return b.Certs.Client(name)
}

// recheck is when to look at the certificates; nil where there are none.
func (b Broker) recheck() (<-chan time.Time, func()) {
	if b.Certs == nil {
		return nil, func() {}
	}
	every := b.Recheck
	if every <= 0 {
		every = time.Minute
	}
	t := time.NewTicker(every)
	return t.C, t.Stop
}

// refresh reads the certificates again.
func (b Broker) refresh() (changed bool, err error) {
	if b.Certs == nil {
		return false, nil
	}
	return b.Certs.Refresh()
}

// options are those of one connection.
func (b Broker) options(will uplink.Publish) *paho.ClientOptions {
	connect, keep := b.ConnectTimeout, b.KeepAlive
	if connect <= 0 {
		connect = 20 * time.Second
	}
	if keep <= 0 {
		keep = 45 * time.Second
	}
	o := paho.NewClientOptions().AddBroker(b.address()).SetClientID(b.ClientID).
		SetUsername(b.Username).SetPassword(b.Password).
		SetProtocolVersion(4).SetCleanSession(true).
		SetStore(paho.NewOrderedMemoryStore()).
		SetAutoReconnect(false).SetConnectRetry(false). // the session decides when
		SetConnectTimeout(connect).SetWriteTimeout(10*time.Second).
		SetKeepAlive(keep).SetPingTimeout(15*time.Second).
		SetOrderMatters(true). // handlers never wait on the network, and order keeps revisions plain
		SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retain)
	if c := b.TLS(); c != nil {
		o.SetTLSConfig(c)
	}
	if b.Dial != nil {
		o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return b.Dial() })
	}
	return o
}

// refused lists the filters that a SUBACK did not grant.
func refused(filters []string, granted map[string]byte) []string {
	var no []string
	for _, f := range filters {
		if code, ok := granted[f]; !ok || code == 0x80 {
			no = append(no, f)
		}
	}
	return no
}

// atLeastOnce maps each filter to QoS 1.
func atLeastOnce(filters []string) map[string]byte {
	m := make(map[string]byte, len(filters))
	for _, f := range filters {
		m[f] = 1
	}
	return m
}
