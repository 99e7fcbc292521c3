package embedded

import (
	"crypto/tls"
	"strings"
	"sync/atomic"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/tact-edge/tact/sync/wire"
)

// accounts lets in who has a certificate, and the hub of this process. The name in
// the certificate is the account: it must be the client id, and says which topics are
// whose. It is the access list of the shipped configuration of Mosquitto.
type accounts struct {
	mochi.HookBase
	tenant, hub string
	refused     atomic.Int64
}

// inside is the listener of those who connect from this process.
const inside = "inside"

// maxKeepAlive is how many seconds a client may be silent, and half as many again.
const maxKeepAlive = 300

func (*accounts) ID() string { return "accounts" }
func (*accounts) Provides(b byte) bool {
	return b == mochi.OnConnect || b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

// OnConnect bounds how long a client that has gone is taken for there.
func (*accounts) OnConnect(c *mochi.Client, _ packets.Packet) error {
	if c.State.Keepalive == 0 || c.State.Keepalive > maxKeepAlive {
		c.State.Keepalive = maxKeepAlive
	}
	return nil
}

func (a *accounts) OnConnectAuthenticate(c *mochi.Client, p packets.Packet) bool {
	name := a.hub
	if c.Net.Listener != inside {
		conn, ok := c.Net.Conn.(*tls.Conn)
		if !ok {
			return a.refuse()
		}
		peer := conn.ConnectionState().PeerCertificates // verified by the handshake
		if len(peer) == 0 {
			return a.refuse()
		}
		name = peer[0].Subject.CommonName
	}
	if !wire.ValidID(name) || c.ID != name {
		return a.refuse()
	}
	c.Properties.Username = []byte(name)
	// The library sends a last will without asking who may.
	if p.Connect.WillFlag && !a.may(name, p.Connect.WillTopic, true) {
		return a.refuse()
	}
	return true
}

func (a *accounts) refuse() bool {
	a.refused.Add(1)
	return false
}

func (a *accounts) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	return a.may(c.ID, topic, write)
}

// may says whether an account may write a topic, or read a topic or filter.
func (a *accounts) may(name, topic string, write bool) bool {
	if name == a.hub && !write {
		if rest, shared := strings.CutPrefix(topic, "$share/"); shared {
			_, topic, _ = strings.Cut(rest, "/")
		}
	}
	rest, ok := strings.CutPrefix(topic, "tact/v1/"+a.tenant+"/")
	if !ok {
		return false
	}
	whose, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	plane, _, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	state, up, down := plane == string(wire.State), plane == string(wire.Up), plane == string(wire.Down)
	const hub = "_hub"
	switch {
	case name == a.hub && write:
		return down || whose == hub && (rest == "st/conn" || rest == "up/probe")
	case name == a.hub:
		return state || up
	case write:
		return whose == name && (state || up)
	}
	group, grouped := strings.CutPrefix(whose, "_g-")
	return whose == name && (down || rest == "st/conn") || whose == hub && rest == "st/conn" || grouped && wire.ValidID(group) && rest == "dn/want"
}
