package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	main "github.com/tact-edge/tact/cmd/tactd"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/certs"
)

// crashAt makes the test binary an agent or a hub that kills itself when it comes to
// a labelled point for the n-th time, n from 0: "n label". Its arguments are those of
// process.crashing.
const crashAt = "TACT_CRASH_AT"

// crashing is a life as a program that kills itself.
func crashing(at string, args []string) int {
	count, label, _ := strings.Cut(at, " ")
	left, err := strconv.Atoi(count)
	if err != nil || len(args) != 2 {
		fmt.Fprintf(os.Stderr, "%s=%q %q: %v\n", crashAt, at, args, err)
		return 2
	}
	points := make(chan string) // one goroutine counts: an agent's points come from several
	go func() {
		for p := range points {
			if p != label {
				continue
			}
			if left--; left < 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // the signal comes
			}
		}
	}()
	die := func(p string) {
		points <- p
		points <- "" // the one before was looked at
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if args[0] == "tactd" {
		return main.RunCrashing(ctx, die, "--config", args[1])
	}
	if err := runHub(ctx, args[1], die); err != nil {
		fmt.Fprintln(os.Stderr, "hub:", err)
		return 1
	}
	return 0
}

// hubSetting is what a hub that kills itself is started with.
type hubSetting struct {
	Dir, HTTP, Broker, Ledger string
	Certs                     certs.Files
	Trust                     string
}

// runHub is `tact hub run` as far as the worlds of these tests use it.
func runHub(ctx context.Context, setting string, crash func(string)) error {
	var s hubSetting
	if err := json.Unmarshal([]byte(setting), &s); err != nil {
		return err
	}
	cfg := serve.Config{Dir: s.Dir, Tenant: "main", HTTP: s.HTTP, Broker: mqtt.Broker{Address: s.Broker}, Sources: map[string]string{"crm": crmToken, "mail": mailToken},
		Tell: slog.New(slog.NewTextHandler(os.Stderr, nil)), Crash: crash}
	text, err := os.ReadFile(s.Trust)
	if err != nil {
		return err
	}
	key, err := update.ParsePublicKey(text)
	if err != nil {
		return err
	}
	cfg.Trusted = []update.PublicKey{key}
	if s.Certs.Cert != "" {
		if cfg.Broker.Certs, err = certs.Load(s.Certs); err != nil {
			return err
		}
	}
	if s.Ledger != "" {
		if cfg.Ledger, err = ledger.Open(ctx, s.Ledger); err != nil {
			return err
		}
	}
	h, err := serve.Start(ctx, cfg)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return h.Close()
}

// startArmed starts a program that will kill itself when it comes to a label for the n-th time.
func (p *process) startArmed(t testing.TB, label string, n int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.crashing) == 0 {
		t.Fatalf("%s has no labelled points", p.name)
	}
	p.launch(t, self, p.crashing, fmt.Sprintf("%s=%d %s", crashAt, n, label))
}
