package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/sync/hub/ledger/postgrestest"
	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
)

// setting is what a world is made of.
type setting struct {
	broker   string // plain: Mosquitto open to all; shipped: as `tact hub broker-config` says; embedded: in the hub
	postgres bool   // the ledger is in PostgreSQL, else in SQLite
	shaped   bool   // devices and hub reach the broker over links that can be made bad
}

func (s setting) String() string {
	if s.postgres {
		return s.broker + " broker PostgreSQL"
	}
	return s.broker + " broker SQLite"
}

// newWorldOf starts broker and hub as a setting says, with the bundle of the given policy.
func newWorldOf(t testing.TB, s setting, policy string) *world {
	t.Helper()
	w := newFolder(t)
	w.setting = s
	if s.broker != "plain" {
		w.authority = certstest.New(t)
	}
	if s.postgres {
		w.ledger = postgrestest.New(t).Address("tact")
	}
	switch s.broker {
	case "plain":
		w.startBroker()
	case "shipped":
		w.startShippedBroker()
	}
	if s.shaped {
		w.links = []*shapedLink{newLink(t, "devices", w.brokerPort), newLink(t, "hub", w.brokerPort)}
		w.devicePort, w.hubPort = w.links[0].port, w.links[1].port
	}
	w.buildBundle("shop", "shop", policy)
	w.startHub("--bundle", w.path("shop.bundle"))
	return w
}

// startShippedBroker starts Mosquitto with the configuration that the product writes,
// client certificates and all. The witness, whom the shipped list does not know, may read everything.
func (w *world) startShippedBroker() {
	w.t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		w.t.Fatal("mosquitto is not installed: run `make tools`")
	}
	dir := w.path("mosquitto")
	must(w.t, w.dir, w.bin.tact, "hub", "broker-config", "--dir", dir, "--files", dir)
	own := w.authority.Server("localhost", "127.0.0.1")
	for name, from := range map[string]string{"ca.crt": own.CA, "broker.crt": own.Cert, "broker.key": own.Key} {
		raw, err := os.ReadFile(from)
		if err != nil {
			w.t.Fatal(err)
		}
		writeFile(w.t, filepath.Join(dir, name), string(raw))
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	raw, err := os.ReadFile(conf)
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.Count(string(raw), "listener 8883\n") != 1 {
		w.t.Fatal("the shipped configuration has another form")
	}
	// user root: started by root it would give up the right to read the test's folder.
	writeFile(w.t, conf, "user root\n"+strings.Replace(string(raw), "listener 8883\n", fmt.Sprintf("listener %d 127.0.0.1\n", w.brokerPort), 1))
	acl, err := os.OpenFile(filepath.Join(dir, "acl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = acl.WriteString("\nuser witness\ntopic read #\n")
	if closed := acl.Close(); err != nil || closed != nil {
		w.t.Fatal(err, closed)
	}
	w.broker = newProcess(w.t, "mosquitto", w.dir, program, "-c", conf)
	w.broker.start(w.t)
	w.awaitBroker()
}

// brokerArgs tell a hub its broker.
func (w *world) brokerArgs() []string {
	port := w.brokerPort
	if w.hubPort != 0 {
		port = w.hubPort
	}
	switch w.setting.broker {
	case "shipped":
		c := w.client(serve.BrokerName("main"))
		return []string{"--broker", fmt.Sprintf("ssl://127.0.0.1:%d", port), "--broker-ca", c.CA, "--broker-cert", c.Cert, "--broker-key", c.Key}
	case "embedded":
		c := w.authority.Server("localhost", "127.0.0.1")
		return []string{"--listen-tls", fmt.Sprintf("127.0.0.1:%d", port), "--broker-ca", c.CA, "--broker-cert", c.Cert, "--broker-key", c.Key}
	}
	return []string{"--broker", fmt.Sprintf("tcp://127.0.0.1:%d", port)}
}

// client returns the certificate of a client of the broker, made once.
func (w *world) client(name string) certs.Files {
	if w.clients == nil {
		w.clients = map[string]certs.Files{}
	}
	if _, made := w.clients[name]; !made {
		w.clients[name] = w.authority.Client(name)
	}
	return w.clients[name]
}

// crashingHub are the arguments of the same hub as one that kills itself; none where the broker is in it.
func (w *world) crashingHub(http string) []string {
	if w.setting.broker == "embedded" {
		return nil
	}
	s := hubSetting{Dir: w.hubDir, HTTP: http, Ledger: w.ledger, Broker: w.brokerArgs()[1], Trust: w.path("shop.pub")}
	if w.setting.broker == "shipped" {
		s.Certs = w.client(serve.BrokerName("main"))
	}
	text, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return []string{"hub", string(text)}
}

// brokerOf is the broker section of a device's configuration.
func (w *world) brokerOf(id string) string {
	port := w.brokerPort
	if w.devicePort != 0 {
		port = w.devicePort
	}
	if w.authority == nil {
		return fmt.Sprintf("broker: {address: 'tcp://127.0.0.1:%d'}", port)
	}
	c := w.client(id)
	return fmt.Sprintf("broker: {address: 'ssl://127.0.0.1:%d', ca_file: %s, cert_file: %s, key_file: %s}", port, c.CA, c.Cert, c.Key)
}

// verify runs the hub's own verifier over its ledger.
func (w *world) verify(more ...string) ran {
	w.t.Helper()
	args := []string{"hub", "verify", "--dir", w.hubDir}
	if w.ledger != "" {
		args = append(args, "--ledger", w.ledger)
	}
	return command(w.t, w.dir, "", w.bin.tact, append(args, more...)...)
}
