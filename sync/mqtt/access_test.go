package mqtt

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto/mosquittotest"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// fleet is a broker with accounts, and the authority that its clients' certificates are of.
type fleet struct {
	t       testing.TB
	a       *certstest.Authority
	address string
	witness bool // a client of that name reads everything, of other tenants too
}

const hubName = "tact-hub-" + tenant

// fleets are the brokers with accounts: Mosquitto as it is shipped, and the embedded one.
var fleets = map[string]func(t testing.TB, f *fleet){
	"mosquitto": func(t testing.TB, f *fleet) {
		f.witness = true
		f.address = "ssl://" + mosquittotest.Start(t, mosquittotest.Options{Tenant: tenant, Groups: []string{"shops"}, Server: f.a.Server("localhost"), Witness: "witness"})
	},
	"embedded": func(t testing.TB, f *fleet) {
		b, err := embedded.StartTLS(embedded.TLS{Address: "127.0.0.1:0", Tenant: tenant, Hub: hubName,
			Certs: load(t, f.a.Server("localhost")), Tell: func(err error) { t.Error(err) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		f.address = b.Address()
	},
}

func onFleets(t *testing.T, do func(t *testing.T, f *fleet)) {
	t.Parallel()
	for name, start := range fleets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fleet{t: t, a: certstest.New(t)}
			start(t, f)
			do(t, f)
		})
	}
}

func load(t testing.TB, f certs.Files) *certs.Kept {
	t.Helper()
	k, err := certs.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// as is how a client with a certificate of that name connects.
func (f *fleet) as(name string) Broker { return f.with(f.a.Client(name), name) }

func (f *fleet) with(files certs.Files, name string) Broker {
	return Broker{Address: f.address, ServerName: "localhost", Certs: load(f.t, files), ClientID: name, Username: name, ConnectTimeout: 5 * time.Second}
}

// plain is a client that speaks MQTT as it likes, and keeps what it hears.
type plain struct {
	t    testing.TB
	c    paho.Client
	tcp  net.Conn
	mu   sync.Mutex
	got  []string // topic and payload
	lost bool
}

func newPlain(t testing.TB, b Broker, change func(*paho.ClientOptions)) *plain {
	p := &plain{t: t}
	o := b.options(uplink.Publish{})
	o.UnsetWill()
	secure := b.TLS()
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) {
		tcp, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
		p.tcp = tcp
		if err != nil || secure == nil {
			return tcp, err
		}
		return tls.Client(tcp, secure), nil
	})
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got = append(p.got, m.Topic()+" "+string(m.Payload()))
	})
	o.SetConnectionLostHandler(func(paho.Client, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lost = true
	})
	if change != nil {
		change(o)
	}
	p.c = paho.NewClient(o)
	t.Cleanup(func() { p.c.Disconnect(0) })
	return p
}

// join connects a client that has to be let in, and subscribes.
func join(t testing.TB, b Broker, filters ...string) *plain {
	t.Helper()
	p := newPlain(t, b, nil)
	if err := p.connect(); err != nil {
		t.Fatal(err)
	}
	p.subscribe(filters...)
	return p
}

func (p *plain) connect() error {
	token := p.c.Connect()
	if !token.WaitTimeout(10 * time.Second) {
		return fmt.Errorf("not connected after 10s")
	}
	return token.Error()
}

func (p *plain) subscribe(filters ...string) {
	for _, f := range filters { // one at a time: a refused one takes no other with it
		p.c.SubscribeMultiple(atLeastOnce([]string{f}), nil).WaitTimeout(10 * time.Second)
	}
}

// publish returns when the broker has acknowledged, or has closed the connection.
func (p *plain) publish(topic, payload string, qos byte, retain bool) {
	p.c.Publish(topic, qos, retain, payload).WaitTimeout(10 * time.Second)
}

func (p *plain) heard(part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.got, func(m string) bool { return strings.Contains(m, part) })
}

func (p *plain) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// of names a topic of a device.
func of(device, rest string) string { return "tact/v1/" + tenant + "/" + device + "/" + rest }

var (
	hubFilters  = []string{wire.AllUp(tenant), wire.AllState(tenant)}
	below       = func(device string) string { return of(device, "dn/#") }
	groupOf     = wire.GroupWant(tenant, "shops")
	hubPresence = wire.HubConn(tenant)
)

// A device and the hub do their work with their certificates, over shared subscriptions.
func TestCertifiedDelivery(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		h := startHubWith(t, HubConfig{Broker: f.as(hubName), Group: "secret", Filters: []string{wire.AllState(tenant)}, Shared: []string{wire.AllUp(tenant)}})
		k := newKioskOn(t, f.as("kiosk-1"), &outbox.Memory{}).run()
		k.append(300)
		// Another device guesses that the hub shares a group, and would take a part of what is sent.
		eater := join(t, f.as("kiosk-2"), "$share/ingest/"+wire.AllUp(tenant), "$share/hub/"+wire.AllUp(tenant))
		k.append(300)
		k.balance(h)
		if code := <-h.told; code != NoteShared {
			t.Errorf("the hub tells %s", code)
		}
		want, err := wire.EncodeJSON(wire.Want{Revision: 3})
		if err != nil {
			t.Fatal(err)
		}
		h.send(t.Context(), groupOf, want, true)
		within(t, "the group's want", k.heard(func(e uplink.Event) bool { w, ok := e.(uplink.Want); return ok && w.Group == "shops" }))
		if eater.heard("/up/") {
			t.Error("a device reads what another sends")
		}
		if h.lastConn().State != wire.Online {
			t.Error("the hub does not see the device's presence")
		}
	})
}

// What one device subscribes to brings it nothing of another, retained or not.
func TestNobodyReadsAnother(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hub, b := join(t, f.as(hubName), hubFilters...), join(t, f.as("kiosk-2"), below("kiosk-2"))
		speak := func(round string) {
			for _, topic := range []string{"dn/want", "dn/slice/abc", "dn/ack", "dn/cmd/echo"} {
				hub.publish(of("kiosk-2", topic), "private "+round, 1, topic == "dn/want")
			}
			for _, topic := range []string{"up/log", "up/req", "st/conn", "st/birth"} {
				b.publish(of("kiosk-2", topic), "private "+round, 1, topic[:2] == "st")
			}
			within(t, "what was said of round "+round, func() bool {
				return b.heard("dn/cmd/echo private "+round) && hub.heard("st/birth private "+round)
			})
		}
		speak("one")
		a := join(t, f.as("kiosk-1"), below("kiosk-1"), of("kiosk-1", "st/conn"), hubPresence, groupOf,
			"#", "+/#", "tact/#", "tact/v1/#", "tact/v1/+/#", "tact/v1/"+tenant+"/#", of("+", "#"), of("+", "dn/#"), of("+", "dn/want"), of("+", "up/#"), of("+", "st/conn"),
			of("kiosk-2", "#"), of("kiosk-2", "dn/#"), of("kiosk-2", "dn/want"), of("kiosk-2", "up/log"), of("kiosk-2", "st/birth"), "$SYS/#",
			"$share/x/#", "$share/x/tact/v1/#", "$share/x/"+of("+", "dn/#"), "$share/x/"+of("kiosk-2", "#"), "$share/x/"+of("kiosk-2", "dn/want"))
		speak("two")
		a.publish(of("kiosk-1", "st/conn"), "allowed", 1, true)
		within(t, "its own presence", func() bool { return a.heard(of("kiosk-1", "st/conn") + " allowed") })
		for _, topic := range []string{of("kiosk-1", "dn/want"), of("kiosk-1", "dn/cmd/echo"), groupOf, hubPresence} {
			hub.publish(topic, "allowed", 1, false)
			within(t, "what the device may read on "+topic, func() bool { return a.heard(topic + " allowed") })
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, m := range a.got {
			if !strings.HasSuffix(m, " allowed") {
				t.Errorf("the device has read %s", m)
			}
		}
	})
}

// What one device publishes where it may not arrives nowhere, and is not retained.
func TestNobodyWritesAnother(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hub := join(t, f.as(hubName), append(hubFilters, of("_hub", "#"))...)
		b := join(t, f.as("kiosk-2"), below("kiosk-2"), hubPresence, groupOf)
		own := join(t, f.as("kiosk-3"), below("kiosk-3"))
		witness := join(t, f.as("witness")) // of the embedded broker an ordinary device: its other tenants are judged in its own test
		if f.witness {
			witness.subscribe("#")
		}
		for n, topic := range []string{
			of("kiosk-2", "up/log"), of("kiosk-2", "up/req"), of("kiosk-2", "st/conn"), of("kiosk-2", "st/birth"),
			of("kiosk-2", "dn/want"), of("kiosk-2", "dn/cmd/echo"), of("kiosk-2", "dn/slice/abc"), groupOf, hubPresence, of("_hub", "up/probe"),
			"tact/v1/other/kiosk-1/up/log", "tact/v1/other/kiosk-2/st/conn", "tact/v1/other/_hub/st/conn",
		} {
			for _, how := range []struct {
				qos    byte
				retain bool
			}{{0, false}, {1, false}, {1, true}} {
				a := join(t, f.as("kiosk-1"))
				a.publish(topic, "evil", how.qos, how.retain)
				a.publish(of("kiosk-1", "up/req"), fmt.Sprintf("after %d", n), 1, false) // what came before is done with
				a.c.Disconnect(100)
			}
		}
		self := join(t, f.as("kiosk-3")) // takes the place of own, and writes to itself
		self.publish(of("kiosk-3", "dn/want"), "evil", 1, true)
		own = join(t, f.as("kiosk-3"), below("kiosk-3"))

		honest := join(t, f.as("kiosk-1"))
		for _, topic := range []string{of("kiosk-1", "up/log"), of("kiosk-1", "st/conn")} {
			honest.publish(topic, "fence", 1, false)
			within(t, "what a device may write on "+topic, func() bool { return hub.heard(topic + " fence") })
		}
		again := join(t, f.as(hubName+"-not"), "#") // nobody's name
		late := join(t, f.as(hubName), append(hubFilters, of("_hub", "#"))...)
		lateB := join(t, f.as("kiosk-2"), below("kiosk-2"), hubPresence, groupOf)
		for _, d := range []string{"kiosk-2", "kiosk-3"} {
			late.publish(of(d, "dn/cmd/fence"), "fence", 1, false)
		}
		honest.publish(of("kiosk-1", "up/log"), "last", 1, false)
		within(t, "the fences", func() bool {
			return lateB.heard("fence") && own.heard("fence") && late.heard("last") && (!f.witness || witness.heard("last"))
		})
		for name, p := range map[string]*plain{"hub": hub, "hub, later": late, "kiosk-2": b, "kiosk-2, later": lateB, "kiosk-3": own, "nobody": again, "witness": witness} {
			if p.heard("evil") {
				t.Errorf("%s has heard it: %v", name, p.got)
			}
		}
		if again.heard("tact/") {
			t.Errorf("a name that nobody has reads %v", again.got)
		}
	})
}

// A last will is no way around: it is held back where its sender may not write.
func TestWillsAreHeldBack(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hub := join(t, f.as(hubName), append(hubFilters, of("_hub", "#"))...)
		b := join(t, f.as("kiosk-2"), below("kiosk-2"), hubPresence, groupOf)
		cut := func(topic, payload string) {
			p := newPlain(t, f.as("kiosk-1"), func(o *paho.ClientOptions) { o.SetWill(topic, payload, 1, true) })
			if err := p.connect(); err != nil {
				return // the broker does not even let it in
			}
			p.tcp.Close()
			join(t, f.as("kiosk-1")) // whatever is left of the connection before ends here
		}
		for _, topic := range []string{of("kiosk-2", "st/conn"), of("kiosk-2", "up/log"), of("kiosk-2", "dn/want"), of("kiosk-1", "dn/want"), hubPresence, groupOf} {
			cut(topic, "evil")
		}
		cut(of("kiosk-1", "st/conn"), "gone")
		within(t, "the will that is its own", func() bool { return hub.heard(of("kiosk-1", "st/conn") + " gone") })
		hub.publish(of("kiosk-2", "dn/cmd/echo"), "fence", 1, false)
		within(t, "the fence", func() bool { return b.heard("fence") })
		late := join(t, f.as("kiosk-1"), below("kiosk-1"))
		hub.publish(of("kiosk-1", "dn/cmd/echo"), "fence", 1, false)
		within(t, "the fence", func() bool { return late.heard("fence") })
		if hub.heard("evil") || b.heard("evil") || late.heard("evil") {
			t.Errorf("a will has got through: hub %v, kiosk-2 %v, kiosk-1 %v", hub.got, b.got, late.got)
		}
	})
}

// Who says that it is another is itself all the same, or is not let in; and the other
// one's connection stays.
func TestNobodyIsAnother(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hub, b := join(t, f.as(hubName), hubFilters...), join(t, f.as("kiosk-2"), below("kiosk-2"))
		for _, name := range []string{"kiosk-2", hubName, ""} {
			for _, session := range []bool{true, false} {
				p := newPlain(t, f.as("kiosk-1"), func(o *paho.ClientOptions) {
					o.SetClientID(name).SetUsername(name).SetPassword("x").SetCleanSession(session)
				})
				if err := p.connect(); err != nil {
					continue
				}
				p.subscribe(below("kiosk-2"), wire.AllUp(tenant))
				hub.publish(of("kiosk-2", "dn/cmd/echo"), "private", 1, false)
				b.publish(of("kiosk-2", "up/log"), "private", 1, false)
				p.publish(of("kiosk-2", "up/log"), "evil", 1, false)
				hub.publish(of("kiosk-1", "dn/cmd/echo"), "fence", 1, false)
				join(t, f.as("kiosk-1"))
				if p.heard("private") {
					t.Errorf("who calls itself %q has heard what is another's", name)
				}
			}
		}
		b.publish(of("kiosk-2", "up/log"), "still here", 1, false)
		hub.publish(of("kiosk-2", "dn/cmd/echo"), "still here", 1, false)
		within(t, "both to be there", func() bool { return b.heard("still here") && hub.heard("still here") })
		if b.gone() || hub.gone() || hub.heard("evil") {
			t.Error("the other one's connection was taken, or written for")
		}
	})
}

// Who has no certificate, one of somebody else, an old one or old TLS is not let in.
func TestStrangersStayOut(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		other := certstest.New(t)
		foreign := other.Client("kiosk-1")
		foreign.CA = f.a.CA
		old := func(o *paho.ClientOptions, b Broker) {
			c := b.TLS()
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			o.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (net.Conn, error) { return tls.Dial("tcp", u.Host, c) })
		}
		for name, c := range map[string]struct {
			files  certs.Files
			change func(*paho.ClientOptions, Broker)
		}{
			"no certificate":       {certs.Files{CA: f.a.CA}, nil},
			"another authority":    {foreign, nil},
			"expired":              {f.a.Expired("kiosk-1"), nil},
			"for a server":         {f.a.Server("kiosk-1"), nil},
			"TLS 1.2":              {f.a.Client("kiosk-1"), old},
			"an unknown authority": {other.Client("kiosk-1"), nil},
		} {
			b := f.with(c.files, "kiosk-1")
			p := newPlain(t, b, func(o *paho.ClientOptions) {
				if c.change != nil {
					c.change(o, b)
				}
			})
			if err := p.connect(); err == nil {
				t.Errorf("%s: was let in", name)
			}
			p.c.Disconnect(0)
		}
		plainly := newPlain(t, Broker{Address: strings.Replace(f.address, "ssl", "tcp", 1), ClientID: "kiosk-1", Username: "kiosk-1", ConnectTimeout: 5 * time.Second}, nil)
		if err := plainly.connect(); err == nil {
			t.Error("without TLS: was let in")
		}
		if err := newPlain(t, f.as("kiosk-1"), nil).connect(); err != nil {
			t.Errorf("the right one was not let in: %v", err)
		}
	})
}

// A device does not talk to a broker whose certificate has another name.
func TestServerName(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		startHubWith(t, HubConfig{Broker: f.as(hubName), Filters: hubFilters})
		b := f.as("kiosk-1")
		b.ServerName = "" // the address's host, which the certificate does not name
		k := newKioskOn(t, b, &outbox.Memory{}).run()
		within(t, "a second try", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.counter > 1 })
		k.stop()
		if k.heard(linkUp)() {
			t.Error("the device took a broker of another name")
		}
	})
}

// Passwords in place of certificates: the same access list, TLS all the same.
func TestShippedPasswords(t *testing.T) {
	a := certstest.New(t)
	words := map[string]string{}
	for _, name := range []string{hubName, "kiosk-1", "kiosk-2"} {
		words[name] = "secret of " + name
	}
	address := "ssl://" + mosquittotest.Start(t, mosquittotest.Options{Tenant: tenant, Server: a.Server("localhost"), Passwords: words})
	as := func(name, password string) Broker {
		return Broker{Address: address, ServerName: "localhost", Certs: load(t, certs.Files{CA: a.CA}), ClientID: name, Username: name, Password: password, ConnectTimeout: 5 * time.Second}
	}
	h := startHubWith(t, HubConfig{Broker: as(hubName, "secret of "+hubName), Filters: hubFilters})
	k := newKioskOn(t, as("kiosk-1", "secret of kiosk-1"), &outbox.Memory{}).run()
	k.append(100)
	k.balance(h)
	for _, b := range []Broker{as("kiosk-2", "wrong"), as("kiosk-2", ""), as("kiosk-9", "secret of kiosk-2"), as("", "")} {
		if b.ClientID == "" {
			b.ClientID = "kiosk-2"
		}
		if err := newPlain(t, b, nil).connect(); err == nil {
			t.Errorf("user %q was let in with %q", b.Username, b.Password)
		}
	}
	// Another's client id counts for nothing: kiosk-1 stays connected, and is not written for.
	b := as("kiosk-2", "secret of kiosk-2")
	b.ClientID = "kiosk-1"
	p := join(t, b, below("kiosk-1"))
	before := h.count("kiosk-1")
	p.publish(of("kiosk-1", "up/log"), "evil", 1, false)
	k.append(50)
	k.balance(h)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counter != 1 || h.count("kiosk-1") != before+50 || p.heard(of("kiosk-1", "")) {
		t.Errorf("%d connections of kiosk-1, %d records more; the other one heard %v", k.counter, h.count("kiosk-1")-before, p.got)
	}
}

// Both shipped configurations are the same but for who is let in.
func TestShippedConfigurationsAgree(t *testing.T) {
	after := func(text string) string {
		_, rest, _ := strings.Cut(text, "\nallow_anonymous")
		return rest
	}
	if a, b := after(mosquitto.Config(mosquitto.Dir, false)), after(mosquitto.Config(mosquitto.Dir, true)); a == "" || a != b {
		t.Error("mosquitto.conf and mosquitto-password.conf differ after allow_anonymous")
	}
}

// A message over the limit does not pass the broker, whichever it is; one at the limit does.
func TestBrokersLimitMessages(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hub := join(t, f.as(hubName), hubFilters...)
		a := join(t, f.as("kiosk-1"))
		a.publish(of("kiosk-1", "up/log"), "right"+strings.Repeat("x", wire.MaxMessage-5), 1, false)
		within(t, "the largest message", func() bool { return hub.heard("up/log right") })
		a.publish(of("kiosk-1", "up/log"), "large"+strings.Repeat("x", wire.MaxMessage+2000), 1, false)
		join(t, f.as("kiosk-1")).publish(of("kiosk-1", "up/log"), "fence", 1, false)
		within(t, "the fence", func() bool { return hub.heard("fence") })
		if hub.heard("large") {
			t.Error("a message over the limit has passed")
		}
	})
}
