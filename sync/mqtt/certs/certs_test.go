package certs_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
)

// copied puts a file's content, or a part of it, into another.
func copied(t *testing.T, to, from string, part float64) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, raw[:int(part*float64(len(raw)))], 0o600); err != nil {
		t.Fatal(err)
	}
}

// A pair is replaced one file after the other, each in two writes: what was there
// before is used until all belongs together, and each state is told once.
func TestReplacedInSteps(t *testing.T) {
	a := certstest.New(t)
	old, anew := a.Client("kiosk-1"), a.Client("kiosk-1")
	dir := t.TempDir()
	f := certs.Files{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	copied(t, f.CA, a.CA, 1)
	copied(t, f.Cert, old.Cert, 1)
	copied(t, f.Key, old.Key, 1)
	k, err := certs.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	before := k.Client("b").Certificates[0].Leaf
	for _, step := range []struct {
		to, from string
		part     float64
		says     string
	}{
		{f.Cert, anew.Cert, 0.5, "middle of a certificate"},
		{f.Cert, anew.Cert, 1, "private key does not match"},
		{f.Key, anew.Key, 0.5, "failed to find any PEM data in key"},
		{f.CA, a.CA, 0, "no certificate"},
		{f.CA, a.CA, 0.9, "middle of a certificate"},
		{f.CA, anew.Key, 1, "PRIVATE KEY where certificates are wanted"},
	} {
		copied(t, step.to, step.from, step.part)
		if changed, err := k.Refresh(); changed || err == nil || !strings.Contains(err.Error(), step.says) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s of %v: %v, %v; want %q", step.to, step.part, changed, err, step.says)
		}
		if changed, err := k.Refresh(); changed || err != nil {
			t.Errorf("%s of %v: told again: %v, %v", step.to, step.part, changed, err)
		}
		if k.Client("b").Certificates[0].Leaf != before {
			t.Error("the old certificate is no longer used")
		}
	}
	copied(t, f.CA, a.CA, 1)
	copied(t, f.Key, anew.Key, 1)
	if changed, err := k.Refresh(); !changed || err != nil {
		t.Fatalf("all is there: %v, %v", changed, err)
	}
	if c := k.Client("broker"); c.Certificates[0].Leaf == before || c.ServerName != "broker" || c.MinVersion != tls.VersionTLS13 {
		t.Error("the new certificate is not used, or not as it should be")
	}
	if err := os.Remove(f.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Refresh(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a key that is gone: %v", err)
	}
	copied(t, f.Key, anew.Key, 1)
	if changed, err := k.Refresh(); !changed || err != nil {
		t.Errorf("it is back: %v, %v", changed, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	a := certstest.New(t)
	good, other := a.Client("a"), a.Client("b")
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, f := range map[string]certs.Files{
		"go together":  {Cert: good.Cert},
		"does not mat": {Cert: good.Cert, Key: other.Key},
		"no such file": {CA: "/nowhere"},
		"more than":    {CA: big},
	} {
		if _, err := certs.Load(f); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", f, err, says)
		}
	}
	k, err := certs.Load(certs.Files{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := k.Ends(); ok || k.Client("x").RootCAs != nil {
		t.Error("without files there is something")
	}
	if _, err := k.Server(nil); err == nil {
		t.Error("a server without a certificate")
	}
}

// greet connects and returns what the client, or else the server, finds wrong.
func greet(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer c.Close()
		served <- tls.Server(c, server).Handshake()
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err == nil {
		defer c.Close()
	} else {
		l.Close()
	}
	if there := <-served; err == nil {
		err = there
	}
	return err
}

// The server's own configuration reads its files with each connection.
func TestServer(t *testing.T) {
	a, stranger := certstest.New(t), certstest.New(t)
	dir := t.TempDir()
	first, second := a.Server("broker.test"), a.Server("other.test")
	f := certs.Files{CA: a.CA, Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	copied(t, f.Cert, first.Cert, 1)
	copied(t, f.Key, first.Key, 1)
	load := func(f certs.Files) *certs.Kept {
		k, err := certs.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	var told []error
	server, err := load(f).Server(func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	right, foreign := load(a.Client("kiosk-1")), stranger.Client("kiosk-1")
	if err := greet(t, server, right.Client("broker.test")); err != nil {
		t.Error(err)
	}
	old := right.Client("broker.test")
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for name, client := range map[string]*tls.Config{
		"another name":      right.Client("other.test"),
		"no certificate":    load(certs.Files{CA: a.CA}).Client("broker.test"),
		"another authority": load(certs.Files{CA: a.CA, Cert: foreign.Cert, Key: foreign.Key}).Client("broker.test"),
		"expired":           load(a.Expired("kiosk-1")).Client("broker.test"),
		"unknown server":    load(stranger.Client("kiosk-1")).Client("broker.test"),
		"TLS 1.2":           old,
	} {
		if err := greet(t, server, client); err == nil {
			t.Errorf("%s: was let in", name)
		}
	}
	copied(t, f.Cert, second.Cert, 1)
	if err := greet(t, server, right.Client("broker.test")); err != nil || len(told) != 1 {
		t.Errorf("with half of a new pair: %v, told %v", err, told)
	}
	copied(t, f.Key, second.Key, 1)
	if err := greet(t, server, right.Client("other.test")); err != nil || len(told) != 1 {
		t.Errorf("with a new pair: %v, told %v", err, told)
	}
}
