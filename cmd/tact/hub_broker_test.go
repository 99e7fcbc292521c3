package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto/mosquittotest"
)

// talk is what a command says while it runs.
type talk struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *talk) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// hubWith runs a hub until the test ends, waits until it has its broker, and returns what it says.
func hubWith(t *testing.T, args ...string) *talk {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hub")
	ctx, stop := context.WithCancel(context.Background())
	said, ended := &talk{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"hub", "run", "--dir", dir, "--http", "127.0.0.1:0"}, args...), strings.NewReader(""), new(bytes.Buffer), said)
	}()
	t.Cleanup(func() {
		stop()
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("ended with %d: %s", code, said)
			}
		case <-time.After(20 * time.Second):
			t.Error("the hub does not end")
		}
	})
	limit, tick := time.After(15*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("the hub does not reach its broker: %s", said)
		}
		url, _, err := serve.ReadAddress(dir)
		if err != nil {
			continue
		}
		a, err := http.Get(url + "/healthz")
		if err != nil {
			continue
		}
		var health struct {
			Broker struct{ Connected, Heard bool }
		}
		err = json.NewDecoder(a.Body).Decode(&health)
		a.Body.Close()
		if err == nil && health.Broker.Connected && health.Broker.Heard {
			return said
		}
	}
}

// The hub serves a small fleet by itself, and reaches a broker with certificates.
func TestHubWithCertificates(t *testing.T) {
	a := certstest.New(t)
	server, hub := a.Server("localhost", "127.0.0.1"), a.Client(serve.BrokerName("main"))
	address := mosquittotest.Start(t, mosquittotest.Options{Tenant: "main", Server: a.Server("broker.test")})
	said := hubWith(t, "--broker", "ssl://"+address, "--broker-server-name", "broker.test", "--broker-ca", hub.CA, "--broker-cert", hub.Cert, "--broker-key", hub.Key)
	if !strings.Contains(said.String(), "shared subscriptions work here") {
		t.Errorf("it says %s", said)
	}

	said = hubWith(t, "--listen-tls", "127.0.0.1:0", "--broker-ca", server.CA, "--broker-cert", server.Cert, "--broker-key", server.Key)
	found := regexp.MustCompile(`ssl://[0-9.:]+[0-9]`).FindString(said.String())
	kept, err := certs.Load(a.Client("kiosk-1"))
	if err != nil {
		t.Fatal(err)
	}
	online := make(chan string, 10)
	c := paho.NewClient(paho.NewClientOptions().AddBroker(found).SetClientID("kiosk-1").SetTLSConfig(kept.Client("127.0.0.1")).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { online <- m.Topic() + " " + string(m.Payload()) }))
	defer c.Disconnect(0)
	for _, do := range []func() paho.Token{c.Connect, func() paho.Token { return c.Subscribe("tact/v1/main/_hub/st/conn", 1, nil) }} {
		if token := do(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("%s: %v", found, token.Error())
		}
	}
	select {
	case m := <-online:
		if !strings.Contains(m, `"state":"online"`) {
			t.Errorf("the device hears %s", m)
		}
	case <-time.After(10 * time.Second):
		t.Error("the device does not hear that the hub is there")
	}
}

func TestHubBrokerFlags(t *testing.T) {
	a := certstest.New(t)
	one, other := a.Client("a"), a.Client("b")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--broker tcp://b:1 --embedded-broker 127.0.0.1:0", 2, "only one of them"},
		{"--broker tcp://b:1 --broker-ca " + a.CA, 2, "want TLS"},
		{"--listen-tls 127.0.0.1:0", 2, "wants --broker-ca"},
		{"--listen-tls 127.0.0.1:0 --tenant a/b --broker-ca " + a.CA + " --broker-cert " + one.Cert + " --broker-key " + one.Key, 2, "--tenant"},
		{"--broker ssl://b:1 --broker-cert " + one.Cert, 78, "go together"},
		{"--broker ssl://b:1 --broker-cert " + one.Cert + " --broker-key " + other.Key, 78, "does not match"},
		{"--broker ssl://b:1 --broker-ca /nowhere", 78, "/nowhere"},
		{"--broker nonsense", 2, "--broker is not an address"},
	} {
		said := &talk{}
		args := append([]string{"hub", "run", "--dir", filepath.Join(t.TempDir(), "hub"), "--http", "127.0.0.1:0"}, strings.Fields(c.args)...)
		if code := run(t.Context(), args, strings.NewReader(""), new(bytes.Buffer), said); code != c.code || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: %d %s; want %d saying %q", c.args, code, said, c.code, c.says)
		}
	}
}

func TestBrokerConfigIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	do := func(args ...string) (int, string, string) {
		out, said := &talk{}, &talk{}
		code := run(t.Context(), append([]string{"hub", "broker-config"}, args...), strings.NewReader(""), out, said)
		return code, out.String(), said.String()
	}
	if code, _, said := do("--dir", dir, "--tenant", "acme", "--group", "kiosks", "--files", "/srv/tact", "--passwords"); code != 0 {
		t.Fatal(code, said)
	}
	for name, want := range map[string]string{"mosquitto.conf": mosquitto.Config("/srv/tact", true), "acl": mosquitto.ACL("acme", []string{"kiosks"})} {
		if raw, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(raw) != want {
			t.Errorf("%s: %v\n%s", name, err, raw)
		}
	}
	if code, _, said := do("--dir", dir); code != 1 || !strings.Contains(said, "--force") {
		t.Errorf("over what is there: %d %s", code, said)
	}
	if code, _, said := do("--dir", dir, "--force"); code != 0 {
		t.Errorf("by force: %d %s", code, said)
	}
	if code, out, _ := do(); code != 0 || !strings.Contains(out, "require_certificate true") || !strings.Contains(out, "user tact-hub-main") {
		t.Errorf("printed: %d %s", code, out)
	}
	for _, bad := range [][]string{{"--tenant", "a/b"}, {"--group", "a b"}, {"--files", "x"}, {"extra"}} {
		if code, _, said := do(bad...); code != 2 {
			t.Errorf("%v: %d %s", bad, code, said)
		}
	}
}
