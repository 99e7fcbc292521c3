package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/local"
	"github.com/tact-edge/tact/agent/store"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/board"
)

// credential is the name of the systemd credential with the device key.
const credential = "tact.device-key"

// memoryLimit is the heap above which the collector works harder, where GOMEMLIMIT says
// nothing else: a burst of requests is then no reason to keep their memory.
const memoryLimit = 48 << 20

// collectAt is by how many percent the heap may grow before it is collected, where GOGC says
// nothing else. Memory is dearer on a device than time: at 50 the agent with 1,000 actions and 100
// slices takes 23.6 MB instead of 27.2 at 100, and an answer about a quarter longer.
const collectAt = 50

func run(ctx context.Context, c *call) error {
	cfg, err := readConfig(c.config, c.given, c.environ)
	if err != nil {
		return err
	}
	env := func(name string) string { return lookup(c.environ, name) }
	var handler slog.Handler = slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: cfg.level()})
	if cfg.text("log.format") == "json" {
		handler = slog.NewJSONHandler(c.stderr, &slog.HandlerOptions{Level: cfg.level()})
	}
	tell := slog.New(handler)
	ac, err := agentConfig(cfg, env("CREDENTIALS_DIRECTORY"))
	if err != nil {
		return err
	}
	ac.Tell, ac.Crash = tell, c.crash
	if env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if env("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	a, err := agent.Start(ctx, ac)
	if err != nil {
		return err
	}
	token, err := cfg.secretOf("local.token")
	var face *local.Server
	if err == nil {
		face, err = local.Listen(local.Config{Listen: unless(cfg.text("local.listen")), Socket: unless(cfg.text("local.socket")), Token: token, Origins: cfg.list("local.origins")}, a)
	}
	if err != nil {
		return errors.Join(err, a.Close())
	}
	tell.Info("ready", "device", ac.Device, "listen", face.Addr(), "bundle", a.Status().Bundle)
	if err := notify(env("NOTIFY_SOCKET"), "READY=1\nSTATUS=running"); err != nil {
		tell.Warn("systemd cannot be told", "error", err)
	}
	feed(ctx, a, env("NOTIFY_SOCKET"), watchdog(env("WATCHDOG_USEC")), tell)
	if err := notify(env("NOTIFY_SOCKET"), "STOPPING=1"); err != nil {
		tell.Warn("systemd cannot be told", "error", err)
	}
	err = errors.Join(face.Close(), a.Close())
	tell.Info("stopped")
	return err
}

// feed waits for the end, and tells systemd meanwhile that the mind goes round:
// a broker that is away, or a disk that is full, is no reason to start again.
func feed(ctx context.Context, a *agent.Agent, socket string, every time.Duration, tell *slog.Logger) {
	status := time.Minute
	if every > 0 {
		status = every
	}
	t := time.NewTicker(status)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.Done():
			return
		case <-t.C:
		}
		if socket == "" {
			continue
		}
		ping, cancel := context.WithTimeout(ctx, status)
		err := a.Ping(ping)
		cancel()
		if err != nil {
			tell.Warn("the mind does not answer", "error", err)
			continue
		}
		s := a.Status()
		if err := notify(socket, fmt.Sprintf("WATCHDOG=1\nSTATUS=%d records wait, hub reached: %v", s.Outbox.Records, s.Online)); err != nil {
			tell.Warn("systemd cannot be told", "error", err)
		}
	}
}

func unless(s string) string {
	if s == none {
		return ""
	}
	return s
}

func lookup(environ []string, name string) string {
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// agentConfig makes the agent's configuration.
func agentConfig(c *config, credentials string) (a agent.Config, err error) {
	a = agent.Config{
		Tenant: c.text("device.tenant"), Device: c.text("device.id"), Groups: c.list("device.groups"), Slots: c.list("device.slots"),
		Owners: ownersOf(c.list("device.owners")), Absent: c.list("device.absent"), Dir: c.text("store.dir"),
		MaxOutbox: c.number("store.max_outbox"), MaxState: c.number("store.max_state"), MaxMoments: c.number("store.max_moments"),
		MaxSlices: c.number("store.max_slices"), FlashBudget: c.number("store.flash_budget"),
		BundleFile: unless(c.text("bundle.file")), Sources: c.sources, Ports: board.Host(),
	}
	if c.text("store.max_moments") == none {
		a.MaxMoments = -1
	}
	if a.SliceWait = -1; c.text("hub.slice_wait") != none {
		a.SliceWait, _ = sense.ParseDuration(c.text("hub.slice_wait")) // was checked
	}
	a.KeepMoments, _ = sense.ParseDuration(c.text("store.keep_moments")) // was checked
	if a.DeviceKey, err = deviceKey(c, credentials).Key(); err != nil {
		return a, err
	}
	if a.Trusted, err = bundleKeysOf(c.list("bundle.keys")); err != nil {
		return a, err
	}
	if a.HubKeys, err = hubKeysOf(c.list("hub.keys")); err != nil {
		return a, err
	}
	for _, s := range c.sources {
		a.SourceNames = append(a.SourceNames, s.Kind)
	}
	a.Broker, err = c.broker()
	return a, err
}

// deviceKey is where the device key is: as configured, a systemd credential, or a
// file in the store's folder.
func deviceKey(c *config, credentials string) store.KeyPort {
	if c.has("store.device_key") {
		return store.KeyFile(c.text("store.device_key"))
	}
	if credentials != "" {
		path := filepath.Join(credentials, credential)
		if _, err := os.Stat(path); err == nil {
			return store.Credential(path)
		}
	}
	return store.KeyFile(filepath.Join(c.text("store.dir"), store.DeviceFile))
}
