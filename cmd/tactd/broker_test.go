package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/certs/certstest"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto/mosquittotest"
)

// What doctor says of a broker over TLS: whether both sides take each other, though with
// TLS 1.3 the device's side of the handshake is over before the broker has looked.
func TestDoctorLooksAtCertificates(t *testing.T) {
	a, stranger := certstest.New(t), certstest.New(t)
	address := mosquittotest.Start(t, mosquittotest.Options{Tenant: "main", Server: a.Server("broker.test")})
	right, foreign := a.Client("kiosk-1"), stranger.Client("kiosk-1")
	for _, c := range []struct {
		name  string
		files certs.Files
		more  []string
		code  int
		says  string
	}{
		{"right, ends within the hour", right, nil, 0, "this device's certificate ends on"},
		{"another authority's", certs.Files{CA: a.CA, Cert: foreign.Cert, Key: foreign.Key}, nil, 69, "the broker refuses this device's certificate"},
		{"none", certs.Files{CA: a.CA}, nil, 69, "the broker refuses this device's certificate"},
		{"expired", a.Expired("kiosk-1"), nil, 69, "the broker refuses this device's certificate"},
		{"unknown broker", foreign, nil, 69, "certificate signed by unknown authority"},
		{"another name", right, []string{"TACT_BROKER__SERVER_NAME=other.test"}, 69, "not other.test"},
		{"the key of another", certs.Files{CA: a.CA, Cert: right.Cert, Key: foreign.Key}, nil, 78, "private key does not match"},
		{"a file that is not there", certs.Files{CA: "/nowhere"}, nil, 78, "/nowhere"},
	} {
		env := append(environ(t.TempDir(), "TACT_HUB__KEYS="+hubKey, "TACT_BROKER__ADDRESS=ssl://"+address, "TACT_BROKER__SERVER_NAME=broker.test",
			"TACT_BROKER__CA_FILE="+c.files.CA, "TACT_BROKER__CERT_FILE="+c.files.Cert, "TACT_BROKER__KEY_FILE="+c.files.Key), c.more...)
		if code, out, errs := do(t, context.Background(), env, "doctor"); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%s: %d, want %d saying %q\n%s%s", c.name, code, c.code, c.says, out, errs)
		}
	}
}

// The agent itself starts with its certificates, and does not with those that cannot be used.
func TestRunWithCertificates(t *testing.T) {
	a := certstest.New(t)
	address := mosquittotest.Start(t, mosquittotest.Options{Tenant: "main", Server: a.Server("broker.test")})
	right := a.Client("kiosk-1")
	dir := t.TempDir()
	socket, told := systemd(t)
	env := environ(dir, "NOTIFY_SOCKET="+socket, "TACT_HUB__KEYS="+hubKey, "TACT_BROKER__ADDRESS=ssl://"+address, "TACT_BROKER__SERVER_NAME=broker.test",
		"TACT_BROKER__CA_FILE="+right.CA, "TACT_BROKER__CERT_FILE="+right.Cert, "TACT_BROKER__KEY_FILE="+right.Key)
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	ended := make(chan int, 1)
	go func() { code, _, _ := do(t, ctx, env, "run"); ended <- code }()
	await(t, told, "READY=1")
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("it ends with %d", code)
	}
	broken := filepath.Join(dir, "broken.crt")
	if err := os.WriteFile(broken, []byte("-----BEGIN CERTIFICATE-----\nAAAA"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := do(t, context.Background(), append(env, "TACT_BROKER__CERT_FILE="+broken), "run"); code != exitConfiguration || !strings.Contains(errs, broken) {
		t.Errorf("with half a certificate: %d %s", code, errs)
	}
}
