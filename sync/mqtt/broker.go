package mqtt

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/sync/uplink"
)

// Broker says where the broker is and who we are there.
type Broker struct {
	Address            string // tcp://host:1883, or ssl://host:8883 with TLS
	ClientID           string // of a device, its device id
	Username, Password string // the username of a device is its device id as well
	TLS                *tls.Config

	ConnectTimeout time.Duration // 20 s
	KeepAlive      time.Duration // 45 s, whole seconds
}

// check says what is wrong with b before anything is tried.
func (b Broker) check() error {
	u, err := url.Parse(b.Address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("read broker address %q: want tcp://host:port or ssl://host:port", b.Address)
	}
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		if b.TLS == nil {
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

// options are those of one connection.
func (b Broker) options(will uplink.Publish) *paho.ClientOptions {
	connect, keep := b.ConnectTimeout, b.KeepAlive
	if connect <= 0 {
		connect = 20 * time.Second
	}
	if keep <= 0 {
		keep = 45 * time.Second
	}
	o := paho.NewClientOptions().AddBroker(b.Address).SetClientID(b.ClientID).
		SetUsername(b.Username).SetPassword(b.Password).
		SetProtocolVersion(4).SetCleanSession(true).
		SetStore(paho.NewOrderedMemoryStore()).
		SetAutoReconnect(false).SetConnectRetry(false). // the session decides when
		SetConnectTimeout(connect).SetWriteTimeout(10*time.Second).
		SetKeepAlive(keep).SetPingTimeout(15*time.Second).
		SetOrderMatters(true). // handlers never wait on the network, and order keeps revisions plain
		SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retain)
	if b.TLS != nil {
		o.SetTLSConfig(b.TLS)
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
