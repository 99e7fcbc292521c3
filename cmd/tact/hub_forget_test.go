package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/wire"
)

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	limit, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A device holds somebody and is away: forget waits for it, says so and gives up in time; when the
// device is there again the receipt comes.
func TestForgetWaitsForADevice(t *testing.T) {
	dir, store := filepath.Join(t.TempDir(), "hub"), t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	hub := &talk{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"hub", "run", "--dir", dir, "--http", "127.0.0.1:0", "--embedded-broker", "127.0.0.1:0"}, strings.NewReader(""), new(bytes.Buffer), hub)
	}()
	var url, operator string
	eventually(t, "the hub", func() (ok bool) { url, operator, _ = serve.ReadAddress(dir); return url != "" })
	_, broker, _ := strings.Cut(hub.String(), "broker listens on ")
	broker, _, _ = strings.Cut(broker, ",")
	text, err := os.ReadFile(filepath.Join(dir, serve.SignPubFile))
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	start := func() *agent.Agent {
		t.Helper()
		a, err := agent.Start(ctx, agent.Config{Tenant: "main", Device: "car-1", Dir: store, DeviceKey: [32]byte{7},
			Broker: &mqtt.Broker{Address: broker}, HubKeys: wire.KeysOf(ed25519.PublicKey(key))})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	car := start()
	if _, err := car.Submit(ctx, []event.Event{{Session: event.MainSession, Body: &event.Identify{Customer: "card:1", By: event.ByCard}}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hub to know whom the device holds", func() bool {
		r, err := http.NewRequest("GET", url+"/v1/customers/card:1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+operator)
		a, err := http.DefaultClient.Do(r)
		if err == nil {
			a.Body.Close()
		}
		return err == nil && a.StatusCode == 200
	})
	if err := car.Close(); err != nil {
		t.Fatal(err)
	}
	verb := func(args ...string) (int, string, string) {
		t.Helper()
		var out bytes.Buffer
		said := &talk{}
		code := run(ctx, append(append([]string{"hub", "customer"}, args...), "--dir", dir), strings.NewReader(""), &out, said)
		return code, out.String(), said.String()
	}
	receipt := filepath.Join(t.TempDir(), "receipt.json")
	code, out, said := verb("forget", "card:1", "--wait", "--timeout", "2s", "-o", receipt)
	if code != exitBusy || !strings.Contains(out, "car-1                    waiting; ends by itself at ") || !strings.Contains(said, "0 of 1 devices have nothing any more; waiting for car-1 (ends by itself at ") ||
		!strings.Contains(said, "receipt ") {
		t.Fatalf("%d\n%s\n%s", code, out, said)
	}
	if _, err := os.Stat(receipt); err == nil {
		t.Error("a receipt is written that is not complete")
	}
	_, id, _ := strings.Cut(said, "erasure ")
	id, _, _ = strings.Cut(id, "\n")
	if code, out, _ := verb("receipt", id); code != 0 || !strings.Contains(out, "not complete") {
		t.Errorf("without waiting: %d %s", code, out)
	}
	car = start()
	defer car.Close()
	if code, out, said = verb("receipt", id, "--wait", "--timeout", "1m", "-o", receipt); code != 0 || !strings.Contains(out, "complete at ") || !strings.Contains(out, "confirmed at ") {
		t.Errorf("%d\n%s\n%s", code, out, said)
	}
	checked := new(bytes.Buffer)
	if code := run(ctx, []string{"hub", "verify", "--receipt", receipt, "--key", filepath.Join(dir, serve.SignPubFile)}, strings.NewReader(""), checked, os.Stderr); code != 0 {
		t.Errorf("%d %s", code, checked)
	}
	stop()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		t.Fatal("the hub does not stop")
	}
}
