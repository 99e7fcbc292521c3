// Package mosquittotest runs a real Mosquitto with the shipped configuration, for tests.
package mosquittotest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/mqtt/mosquitto"
)

// Options say whom the broker serves.
type Options struct {
	Tenant string
	Groups []string
	Server certs.Files // the broker's own, and the authority of its clients

	Passwords map[string]string // by name; nil: client certificates
	Witness   string            // a client of that name reads everything, which the shipped list lets nobody
}

// Start starts a broker with nothing but port, tenant, user and the paths of its files
// filled in, and returns its host and port. It ends with the test.
func Start(t testing.TB, o Options) string {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		t.Fatal("mosquitto is not installed: run make tools")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, from := range map[string]string{"ca.crt": o.Server.CA, "broker.crt": o.Server.Cert, "broker.key": o.Server.Key} {
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(raw))
	}
	acl := mosquitto.ACL(o.Tenant, o.Groups)
	if o.Witness != "" {
		acl += "\nuser " + o.Witness + "\ntopic read #\n"
	}
	write("acl", acl)
	if o.Passwords != nil {
		passwords := write("passwords", "")
		for name, word := range o.Passwords {
			if out, err := exec.Command("mosquitto_passwd", "-b", passwords, name, word).CombinedOutput(); err != nil {
				t.Fatalf("mosquitto_passwd: %v: %s", err, out)
			}
		}
	}
	port := freePort(t)
	text := mosquitto.Config(dir, o.Passwords != nil)
	if strings.Count(text, "listener 8883\n") != 1 || strings.Contains(text, mosquitto.Dir+"/") {
		t.Fatal("the shipped configuration has another form")
	}
	// user root: started by root it would give up the right to read the test's folder.
	text = "user root\n" + strings.Replace(text, "listener 8883\n", fmt.Sprintf("listener %d 127.0.0.1\n", port), 1)
	cmd := exec.Command(program, "-c", write("mosquitto.conf", text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	listens(t, address)
	return address
}

func listens(t testing.TB, address string) {
	t.Helper()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-late:
			t.Fatalf("mosquitto does not listen: %v", err)
		case <-tick.C:
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
