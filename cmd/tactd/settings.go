package main

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/wire"
)

// setting is one key.
type setting struct {
	key       string
	otherwise string // the default
	check     func([]string) error
	mapping   bool // KIND: ID pairs
	secret    bool
}

// settings are all keys, in order of printing.
var settings = []setting{
	{key: "device.id", check: ids},
	{key: "device.tenant", otherwise: "main", check: ids},
	{key: "device.groups", check: ids},
	{key: "device.slots"},
	{key: "device.owners", mapping: true, check: owners},
	{key: "device.absent"},
	{key: "store.dir", otherwise: "/var/lib/tact", check: absolute},
	{key: "store.device_key", check: absolute}, // the file device.key in store.dir, or the systemd credential
	{key: "store.max_outbox", otherwise: "32MiB", check: size},
	{key: "store.max_state", otherwise: "64MiB", check: size},
	{key: "store.max_slices", otherwise: "16MiB", check: size},
	{key: "store.flash_budget", otherwise: "60MiB", check: size},      // bytes written a day before what can wait is written less often
	{key: "store.max_moments", otherwise: "16MiB", check: sizeOrNone}, // what decisions looked at; none keeps nothing
	{key: "store.keep_moments", otherwise: "30d", check: length},
	{key: "bundle.file", check: absolute},
	{key: "bundle.keys", check: bundleKeys},
	{key: "broker.address", check: address},
	{key: "broker.username"},
	{key: "broker.password", secret: true},
	{key: "broker.password_file", check: absolute},
	{key: "broker.server_name", check: hostName}, // of the broker's certificate; the host of the address
	{key: "broker.ca_file", check: absolute},
	{key: "broker.cert_file", check: absolute},
	{key: "broker.key_file", check: absolute},
	{key: "hub.keys", check: hubKeys},
	{key: "hub.slice_wait", otherwise: "300ms", check: wait}, // an ask waits so long for the slice of who was just identified
	{key: "local.listen", otherwise: "127.0.0.1:7433", check: listen},
	{key: "local.socket", otherwise: "/run/tact/agent.sock", check: absolute},
	{key: "local.token", secret: true},
	{key: "local.token_file", check: absolute},
	{key: "local.origins", check: origins},
	{key: "log.level", otherwise: "info", check: oneOf("debug", "info", "warn", "error")},
	{key: "log.format", otherwise: "text", check: oneOf("text", "json")},
}

func settingOf(key string) *setting {
	for k := range settings {
		if settings[k].key == key {
			return &settings[k]
		}
	}
	return nil
}

func keys() (l []string) {
	for _, s := range settings {
		l = append(l, s.key)
	}
	return l
}

func sections() []string {
	l := []string{"sources"}
	for _, s := range settings {
		section, _, _ := strings.Cut(s.key, ".")
		if !slices.Contains(l, section) {
			l = append(l, section)
		}
	}
	return l
}

// none is how a default is switched off: no TCP listener, no socket.
const none = "none"

func ids(l []string) error {
	for _, s := range l {
		if !wire.ValidID(s) {
			return fmt.Errorf("%q is no id: letters, digits, - and _, at most 64, the first a letter or digit", s)
		}
	}
	return nil
}

func absolute(l []string) error {
	if len(l) == 1 && l[0] == none {
		return nil
	}
	if len(l) != 1 || !filepath.IsAbs(l[0]) {
		return fmt.Errorf("%q is not one path from the root, as /var/lib/tact", strings.Join(l, ","))
	}
	return nil
}

func oneOf(words ...string) func([]string) error {
	return func(l []string) error {
		if len(l) != 1 || !slices.Contains(words, l[0]) {
			return fmt.Errorf("%q is none of %s", strings.Join(l, ","), strings.Join(words, ", "))
		}
		return nil
	}
}

func size(l []string) error {
	n, err := bytesOf(strings.Join(l, ","))
	if err == nil && (n < 1<<20 || n > 256<<20) {
		err = errors.New("wants 1MiB to 256MiB")
	}
	return err
}

// sizeOrNone is a size, or none.
func sizeOrNone(l []string) error {
	if len(l) == 1 && l[0] == none {
		return nil
	}
	return size(l)
}

// length is a time that something is kept.
func length(l []string) error {
	d, err := sense.ParseDuration(strings.Join(l, ","))
	if err == nil && (d < sense.Hour || d > sense.Year) {
		err = errors.New("wants 1h to 1y")
	}
	return err
}

// wait is a short time, or none.
func wait(l []string) error {
	if len(l) == 1 && l[0] == none {
		return nil
	}
	d, err := sense.ParseDuration(strings.Join(l, ","))
	if err == nil && (d < 0 || d > 5*sense.Second) {
		err = errors.New("wants 0s to 5s, or none")
	}
	return err
}

// bytesOf reads 4MiB, 512KiB, or a number of bytes.
func bytesOf(s string) (int64, error) {
	unit := int64(1)
	for _, u := range []struct {
		name string
		n    int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = rest, u.n
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a size, as 32MiB", s)
	}
	return n * unit, nil
}

func owners(l []string) error {
	for _, s := range l {
		if kind, id, ok := strings.Cut(s, "="); !ok || kind == "" || id == "" {
			return fmt.Errorf("%q is not a kind with an id, as `vehicle: car-7`, or vehicle=car-7 in the environment", s)
		}
	}
	return nil
}

func ownersOf(l []string) (all []event.Owner) {
	for _, s := range l {
		kind, id, _ := strings.Cut(s, "=")
		all = append(all, event.Owner{Kind: kind, ID: id})
	}
	sort.Slice(all, func(a, b int) bool { return all[a].Kind < all[b].Kind })
	return all
}

func address(l []string) error {
	u, err := url.Parse(strings.Join(l, ","))
	if err != nil || u.Host == "" || !slices.Contains([]string{"tcp", "mqtt", "ssl", "tls", "mqtts"}, u.Scheme) {
		return fmt.Errorf("%q is no address of a broker, as tcp://broker:1883 or ssl://broker:8883", strings.Join(l, ","))
	}
	return nil
}

// hostName is the name in a certificate.
func hostName(l []string) error {
	if len(l) != 1 || strings.ContainsAny(l[0], " /:@") && net.ParseIP(l[0]) == nil {
		return fmt.Errorf("%q is not the name of a host, as broker.example", strings.Join(l, ","))
	}
	return nil
}

func listen(l []string) error {
	if len(l) == 1 && l[0] == none {
		return nil
	}
	host, port, err := net.SplitHostPort(strings.Join(l, ","))
	ip := net.ParseIP(host)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q is not a loopback address with a port, as 127.0.0.1:7433, or none", strings.Join(l, ","))
	}
	return nil
}

func origins(l []string) error {
	for _, o := range l {
		if u, err := url.Parse(o); err != nil || u.Host == "" || u.Path != "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%q is no web origin, as https://kiosk.example", o)
		}
	}
	return nil
}

func bundleKeys(l []string) error { _, err := bundleKeysOf(l); return err }

// bundleKeysOf reads each as a .pub file, or as the second line of one.
func bundleKeysOf(l []string) (all []update.PublicKey, err error) {
	for _, s := range l {
		text := []byte(s)
		if filepath.IsAbs(s) {
			if text, err = os.ReadFile(s); err != nil {
				return nil, err
			}
		}
		k, err := update.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("%.80q: %w", s, err)
		}
		all = append(all, k)
	}
	return all, nil
}

func hubKeys(l []string) error { _, err := hubKeysOf(l); return err }

// hubKeysOf reads Ed25519 public keys, each in base64 or hex, or a file with one.
func hubKeysOf(l []string) (wire.Keys, error) {
	var all []ed25519.PublicKey
	for _, s := range l {
		text := s
		if filepath.IsAbs(s) {
			raw, err := os.ReadFile(s)
			if err != nil {
				return nil, err
			}
			text = strings.TrimSpace(string(raw))
		}
		raw, err := hex.DecodeString(text)
		if err != nil {
			raw, err = base64.StdEncoding.DecodeString(text)
		}
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%.80q is no Ed25519 public key: 32 bytes in base64 or hex, or the path of a file with that", s)
		}
		all = append(all, raw)
	}
	return wire.KeysOf(all...), nil
}

// checkTogether looks at what only makes sense together.
func (c *config) checkTogether(f *findings) {
	need := func(key, why string) {
		if !c.has(key) {
			f.add(c.origin(key), "%s is missing: %s; hint: set it in the file, or as %s", key, why, envName(key))
		}
	}
	need("device.id", "the hub and the broker know the device by it")
	if id := c.text("device.id"); strings.HasPrefix(id, hubPrefix) {
		f.add(c.origin("device.id"), "device.id: %q begins with %s, as the names of hubs do: a broker would let it read and write everything", id, hubPrefix)
	}
	if c.has("broker.address") {
		need("hub.keys", "without the hub's key nothing that it sends can be trusted")
	}
	if c.has("bundle.file") {
		need("bundle.keys", "without a trusted key no bundle is taken")
	}
	for _, pair := range [][2]string{{"broker.cert_file", "broker.key_file"}, {"broker.key_file", "broker.cert_file"}} {
		if c.has(pair[0]) {
			need(pair[1], "certificate and key go together")
		}
	}
	if u, err := url.Parse(c.text("broker.address")); err == nil && (u.Scheme == "tcp" || u.Scheme == "mqtt") {
		for _, key := range []string{"broker.server_name", "broker.ca_file", "broker.cert_file"} {
			if c.has(key) {
				f.add(c.origin(key), "%s has no use with %s, which is not TLS; hint: name the broker as ssl://HOST:8883", key, c.text("broker.address"))
			}
		}
	}
	for _, pair := range [][2]string{{"broker.password", "broker.password_file"}, {"local.token", "local.token_file"}} {
		if c.has(pair[0]) && c.has(pair[1]) {
			f.add(c.origin(pair[0]), "%s and %s are both set: which one holds?", pair[0], pair[1])
		}
	}
}

// hubPrefix is how the names of hubs begin at a broker.
const hubPrefix = "tact-hub-"

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.Replace(key, ".", "__", 1))
}

// secretOf returns a secret, or the first line of the file that has it.
func (c *config) secretOf(key string) (string, error) {
	path := c.text(key + "_file")
	if path == "" {
		return c.text(key), nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", c.bad(key+"_file", err.Error())
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(line), nil
}

// broker returns where the broker is; nil where the device stands alone.
func (c *config) broker() (*mqtt.Broker, error) {
	if !c.has("broker.address") {
		return nil, nil
	}
	b := &mqtt.Broker{Address: c.text("broker.address"), Username: c.text("broker.username"), ServerName: c.text("broker.server_name")}
	var err error
	if b.Password, err = c.secretOf("broker.password"); err != nil {
		return nil, err
	}
	u, err := url.Parse(b.Address)
	if err != nil || u.Scheme == "tcp" || u.Scheme == "mqtt" {
		return b, err
	}
	b.Certs, err = certs.Load(certs.Files{CA: unless(c.text("broker.ca_file")), Cert: unless(c.text("broker.cert_file")), Key: unless(c.text("broker.key_file"))})
	if err != nil {
		return nil, &exitError{cmp.Or(permissionCode(err), exitConfiguration), fmt.Errorf("%s: broker: %w", c.origin("broker.address"), err)}
	}
	return b, nil
}

func (c *config) level() slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(c.text("log.level"))) // was checked
	return l
}
