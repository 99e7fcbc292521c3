package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/firmware/board"
	"github.com/tact-edge/tact/firmware/update"
)

// check is one thing that doctor looked at.
type check struct {
	Name   string `json:"check"`
	State  string `json:"state"` // good, warning, bad
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
	code   int
}

const (
	good    = "good"
	warning = "warning"
	bad     = "bad"
)

const dialTime = 5 * time.Second

// doctor looks at the device without changing it, prints what it saw, and ends
// with the exit code of the first thing that is bad.
func doctor(ctx context.Context, c *call) error {
	cfg, err := readConfig(c.config, c.given, c.environ)
	if err != nil {
		return err
	}
	read := check{Name: "configuration", State: good, Detail: c.config}
	if _, err := os.Stat(c.config); err != nil {
		read.Detail = c.config + " is not there: environment and defaults hold"
	}
	checks := []check{read}
	checks = append(checks, folders(cfg, lookup(c.environ, "CREDENTIALS_DIRECTORY"))...)
	checks = append(checks, sourcesOf(cfg)...)
	checks = append(checks, bundleOf(cfg), clock(), reach(ctx, cfg))
	if c.json {
		e := json.NewEncoder(c.stdout)
		e.SetEscapeHTML(false)
		for _, k := range checks {
			if err := e.Encode(k); err != nil {
				return err
			}
		}
	} else {
		for _, k := range checks {
			line := fmt.Sprintf("%-8s %-14s %s", k.State, k.Name, k.Detail)
			if k.Hint != "" {
				line += "\n" + strings.Repeat(" ", 24) + "hint: " + k.Hint
			}
			if _, err := fmt.Fprintln(c.stdout, line); err != nil {
				return err
			}
		}
	}
	for _, k := range checks {
		if k.State == bad {
			return &exitError{k.code, errTold}
		}
	}
	return nil
}

// folders looks at what the agent must be able to write.
func folders(c *config, credentials string) []check {
	dir := c.text("store.dir")
	list := []check{writable("store", dir, "chown it to the agent's user, or run the agent as a systemd service with StateDirectory=tact")}
	if socket := unless(c.text("local.socket")); socket != "" {
		k := writable("socket", filepath.Dir(socket), "run the agent as a systemd service with RuntimeDirectory=tact, or set local.socket to another path, or to none")
		list = append(list, k)
	}
	path := fmt.Sprint(deviceKey(c, credentials)) // each of them is a path
	info, err := os.Stat(path)
	key := check{Name: "device key", State: good, Detail: path}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key.Detail = path + " will be drawn at the first start"
	case err != nil:
		key.State, key.Detail, key.code = bad, err.Error(), exitPermission
	case info.Mode().Perm()&0o077 != 0:
		key.State, key.Detail, key.Hint = warning, fmt.Sprintf("%s can be read by others (%v)", path, info.Mode().Perm()), "chmod 600 "+path
	}
	return append(list, key)
}

// writable looks whether a folder, or the nearest one above that is there, can be written.
func writable(name, dir, hint string) check {
	there := dir
	for {
		if _, err := os.Stat(there); err == nil || there == filepath.Dir(there) {
			break
		}
		there = filepath.Dir(there)
	}
	if err := unix.Access(there, unix.W_OK|unix.X_OK); err != nil {
		return check{Name: name, State: bad, Detail: fmt.Sprintf("%s cannot be written: %v", there, err), Hint: hint, code: exitPermission}
	}
	if there != dir {
		return check{Name: name, State: good, Detail: dir + " will be made at the first start"}
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		if free := disk.Bavail * uint64(disk.Bsize); free < 64<<20 {
			return check{Name: name, State: warning, Detail: fmt.Sprintf("%s has %d MiB left", dir, free>>20), Hint: "make room: records wait here while the hub is away"}
		}
	}
	return check{Name: name, State: good, Detail: dir}
}

// sourcesOf looks whether the devices of the configured sources are there and ours to open.
func sourcesOf(c *config) []check {
	var list []check
	for k, s := range c.sources {
		name := fmt.Sprintf("source %d", k+1)
		path, group := s.Serial, "dialout"
		switch s.Kind {
		case "bme280":
			path, group = firstOf("/dev/i2c-*"), "i2c"
		case "gpio":
			path, group = firstOf("/dev/gpiochip*"), "gpio"
		}
		if path == "" && s.Path != "" && s.Path != "-" {
			path, group = s.Path, "the file's group"
		}
		if path == "" && (s.Kind == "bme280" || s.Kind == "gpio") {
			list = append(list, check{Name: name, State: bad, Detail: s.Kind + ": this board has no such bus", Hint: "enable it in the board's configuration (device tree)", code: exitIO})
			continue
		}
		list = append(list, openable(name, s, path, group))
	}
	return list
}

func firstOf(pattern string) string {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

func openable(name string, s board.Config, path, group string) check {
	if path == "" {
		return check{Name: name, State: good, Detail: s.Kind + ": opened when a rule uses it"}
	}
	switch err := unix.Access(path, unix.R_OK); {
	case errors.Is(err, unix.ENOENT):
		return check{Name: name, State: bad, Detail: s.Kind + ": " + path + " is not there", Hint: "is it plugged in, and is the name right?", code: exitIO}
	case err != nil:
		return check{Name: name, State: bad, Detail: fmt.Sprintf("%s: %s: %v", s.Kind, path, err), Hint: "put the agent's user into the group " + group, code: exitPermission}
	}
	return check{Name: name, State: good, Detail: s.Kind + ": " + path}
}

// bundleOf verifies the active bundle.
func bundleOf(c *config) check {
	keys, err := bundleKeysOf(c.list("bundle.keys"))
	if err != nil {
		return check{Name: "bundle", State: bad, Detail: err.Error(), code: exitConfiguration}
	}
	decode := func(data []byte) (string, int64, any, error) {
		b, err := catalog.Decode(data)
		if err != nil {
			return "", 0, nil, err
		}
		return b.Name, b.Version, b, nil
	}
	b, err := update.NewStore(update.Folder(filepath.Join(c.text("store.dir"), agent.BundleFolder)), keys, decode).Active()
	switch {
	case errors.Is(err, update.ErrNone) && c.has("bundle.file"):
		return check{Name: "bundle", State: good, Detail: c.text("bundle.file") + " will be taken at the first start"}
	case errors.Is(err, update.ErrNone):
		return check{Name: "bundle", State: warning, Detail: "none yet: every answer is silence (no_policy) until the hub sends one"}
	case err != nil:
		return check{Name: "bundle", State: bad, Detail: err.Error(), code: exitIO}
	case b.Damage != nil:
		return check{Name: "bundle", State: warning, Detail: fmt.Sprintf("%s@%d; the newer one is damaged: %v", b.Name, b.Version, b.Damage), Hint: "let the hub send it again"}
	}
	return check{Name: "bundle", State: good, Detail: fmt.Sprintf("%s@%d", b.Name, b.Version)}
}

func clock() check {
	if !agent.SystemClock().Synced() {
		return check{Name: "clock", State: warning, Detail: "the kernel does not know that the time is right", Hint: "run systemd-timesyncd or chrony; limits that count calendar days are not judged before"}
	}
	return check{Name: "clock", State: good, Detail: "synced, " + time.Now().UTC().Format(time.RFC3339)}
}

// reach looks whether the broker answers.
func reach(ctx context.Context, c *config) check {
	b, err := c.broker()
	if err != nil {
		return check{Name: "broker", State: bad, Detail: err.Error(), code: exitConfiguration}
	}
	if b == nil {
		return check{Name: "broker", State: warning, Detail: "none is configured: the device stands alone", Hint: "set broker.address and hub.keys"}
	}
	u, err := url.Parse(b.Address)
	if err != nil {
		return check{Name: "broker", State: bad, Detail: err.Error(), code: exitConfiguration}
	}
	secure := b.TLS()
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[bool]string{false: "1883", true: "8883"}[secure != nil])
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err == nil && secure != nil {
		conn, err = shake(ctx, conn, secure)
	}
	if conn != nil {
		defer func() { _ = conn.Close() }()
	}
	if err != nil {
		return check{Name: "broker", State: bad, Detail: err.Error(), Hint: "the agent goes on deciding meanwhile, and delivers later", code: exitUnreachable}
	}
	if secure != nil {
		if ends, ok := b.Certs.Ends(); ok && time.Until(ends) < renewWithin {
			return check{Name: "broker", State: warning, Detail: fmt.Sprintf("%s is reached; this device's certificate ends on %s", b.Address, ends.UTC().Format(time.RFC3339)),
				Hint: "put a new one into broker.cert_file and broker.key_file: the running agent takes it within a minute"}
		}
	}
	return check{Name: "broker", State: good, Detail: b.Address + " is reached; the agent's log says whether it lets this device in"}
}

// renewWithin is how long before its end a certificate should be replaced.
const renewWithin = 14 * 24 * time.Hour

// refusalTime is how long a broker may take to refuse a certificate: with TLS 1.3 the
// client's handshake is over before the broker has looked at it.
const refusalTime = 300 * time.Millisecond

// shake makes conn secure.
func shake(ctx context.Context, conn net.Conn, c *tls.Config) (net.Conn, error) {
	s := tls.Client(conn, c)
	if err := s.HandshakeContext(ctx); err != nil {
		return s, err
	}
	if err := s.SetReadDeadline(time.Now().Add(refusalTime)); err != nil {
		return s, err
	}
	var first [1]byte
	if _, err := s.Read(first[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return s, fmt.Errorf("the broker refuses this device's certificate: %w", err)
	}
	return s, nil
}
