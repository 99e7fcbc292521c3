package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto"
	"github.com/tact-edge/tact/sync/wire"
)

// hubBroker is what hub run was told of its broker.
type hubBroker struct {
	address, embedded, listen string
	ca, cert, key, name       string
}

func (o *hubBroker) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.address, "broker", "", "MQTT broker, as in ssl://broker.local:8883, or tcp://user:password@broker.local:1883")
	f.StringVar(&o.embedded, "embedded-broker", "", "run a broker inside, on this loopback address, without accounts: for laptops")
	f.StringVar(&o.listen, "listen-tls", "", "run a broker inside, on this address, for devices with certificates: for small fleets")
	f.StringVar(&o.ca, "broker-ca", "", "PEM file of the authority whose certificates are trusted (default: the system's)")
	f.StringVar(&o.cert, "broker-cert", "", "PEM file of the own certificate; read again when it changes, as the others are")
	f.StringVar(&o.key, "broker-key", "", "PEM file of its key")
	f.StringVar(&o.name, "broker-server-name", "", "name that the broker's certificate must have (default: the host of --broker)")
}

// open starts or names the broker; the function that it returns ends what was started.
func (o *hubBroker) open(a *app, tenant string) (b mqtt.Broker, end func(), err error) {
	end = func() {}
	given := 0
	for _, way := range []string{o.address, o.embedded, o.listen} {
		if way != "" {
			given++
		}
	}
	if given > 1 {
		return b, end, usage(errors.New("--broker, --embedded-broker and --listen-tls: only one of them"))
	}
	secure := o.listen != "" || o.address != "" && !strings.HasPrefix(o.address, "tcp:") && !strings.HasPrefix(o.address, "mqtt:")
	if !secure && o.ca+o.cert+o.key+o.name != "" {
		return b, end, usage(errors.New("--broker-ca, --broker-cert, --broker-key and --broker-server-name want TLS: --broker ssl://HOST:8883, or --listen-tls"))
	}
	var kept *certs.Kept
	if secure {
		if kept, err = certs.Load(certs.Files{CA: o.ca, Cert: o.cert, Key: o.key}); err != nil {
			return b, end, configuration(fmt.Errorf("--broker-ca, --broker-cert, --broker-key: %w", err))
		}
	}
	switch {
	case o.embedded != "":
		e, err := embedded.Start(o.embedded)
		if err != nil {
			return b, end, startError(err)
		}
		a.say("broker listens on %s, without accounts: for this machine alone", e.Address())
		return mqtt.Broker{Address: e.Address()}, func() { _ = e.Close() }, nil
	case o.listen != "":
		if !wire.ValidID(tenant) {
			return b, end, usage(fmt.Errorf("--tenant %q: 1 to 64 letters, digits, - and _ are allowed", tenant))
		}
		if o.ca == "" || o.cert == "" {
			return b, end, usage(errors.New("--listen-tls wants --broker-ca, the authority of the devices' certificates, and --broker-cert with --broker-key, its own"))
		}
		hub := serve.BrokerName(tenant)
		e, err := embedded.StartTLS(embedded.TLS{Address: o.listen, Tenant: tenant, Hub: hub, Certs: kept, Tell: func(err error) { a.say("broker: %v", err) }})
		if err != nil {
			return b, end, startError(err)
		}
		a.say("broker listens on %s: a device's certificate has its id as name (CN)", e.Address())
		return mqtt.Broker{Address: "tcp://this-process", ClientID: hub, Username: hub, Dial: e.Dial}, func() { _ = e.Close() }, nil
	case o.address != "":
		if b, err = brokerOf(o.address); err != nil {
			return b, end, err
		}
		b.Certs, b.ServerName = kept, o.name
	}
	return b, end, nil
}

// brokerOf reads the address of a broker, with user and password where it wants them.
func brokerOf(text string) (mqtt.Broker, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return mqtt.Broker{}, usage(errors.New("--broker is not an address, as in ssl://broker.local:8883 or tcp://user:password@broker.local:1883"))
	}
	b := mqtt.Broker{}
	if u.User != nil {
		b.Username = u.User.Username()
		b.Password, _ = u.User.Password()
		b.ClientID = b.Username // as brokers with accounts want it
		u.User = nil
	}
	b.Address = u.String()
	return b, nil
}

func newHubBrokerConfigCommand(a *app) *cobra.Command {
	var tenant, files, out string
	var groups []string
	var passwords, force bool
	cmd := &cobra.Command{
		Use:   "broker-config",
		Short: "write the configuration of a Mosquitto broker for a fleet",
		Long: `Write the configuration of a Mosquitto broker (2.0 or newer) for a fleet:
mosquitto.conf, and acl with who may read and write what. Each device connects with
a certificate whose name (CN) is its id, or, with --passwords, with its id as user
name; the hub is ` + serve.BrokerName("TENANT") + `. No device can read or write anything of another.

Without --dir they are printed, one after the other.`,
		Example: `  tact hub broker-config --dir ./mosquitto --group kiosks
  tact hub broker-config --tenant acme --passwords`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringVar(&tenant, "tenant", mosquitto.Tenant, "tenant whose devices the broker serves")
	f.StringSliceVar(&groups, "group", nil, "group of devices; may be given several times")
	f.StringVar(&files, "files", mosquitto.Dir, "where the broker will find acl and certificates")
	f.StringVar(&out, "dir", "", "folder to write to; made where it is not there")
	f.BoolVar(&passwords, "passwords", false, "passwords in place of client certificates")
	f.BoolVar(&force, "force", false, "write over files that are there")
	cmd.RunE = func(*cobra.Command, []string) error {
		for _, id := range append([]string{tenant}, groups...) {
			if !wire.ValidID(id) {
				return usage(fmt.Errorf("%q is no id of a tenant or group: 1 to 64 letters, digits, - and _ are allowed", id))
			}
		}
		if !filepath.IsAbs(files) || strings.ContainsAny(files, "\n\r") {
			return usage(fmt.Errorf("--files %q is not a path from the root, as in %s", files, mosquitto.Dir))
		}
		return a.brokerConfig(out, force, [][2]string{{"mosquitto.conf", mosquitto.Config(files, passwords)}, {"acl", mosquitto.ACL(tenant, groups)}})
	}
	return cmd
}

// brokerConfig writes files into a folder, or prints them.
func (a *app) brokerConfig(dir string, force bool, files [][2]string) error {
	for _, f := range files {
		if dir == "" {
			if _, err := fmt.Fprintf(a.stdout, "#--- %s\n%s\n", f[0], f[1]); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("write broker configuration: %w", err)
		}
		path := filepath.Join(dir, f[0])
		if _, err := os.Stat(path); err == nil && !force {
			return fmt.Errorf("write broker configuration: %s is there: name another folder, or add --force", path)
		}
		if err := os.WriteFile(path, []byte(f[1]), 0o644); err != nil {
			return fmt.Errorf("write broker configuration: %w", err)
		}
		a.say("%s is written", path)
	}
	return nil
}
