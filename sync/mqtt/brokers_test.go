package mqtt

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
)

// testBroker is a broker that can be killed and started again on its port.
type testBroker interface {
	address() string
	start(t testing.TB)
	kill(t testing.TB)
}

// brokers are those that the tests run against.
var brokers = map[string]func(testing.TB, ...mochi.Hook) testBroker{
	"mochi":     newMochi,
	"mosquitto": newMosquitto,
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

// mochiBroker is the embedded one, without any persistence.
type mochiBroker struct {
	port   int
	hooks  []mochi.Hook
	server *mochi.Server
	in     net.Listener
}

func newMochi(t testing.TB, hooks ...mochi.Hook) testBroker {
	if len(hooks) == 0 {
		hooks = []mochi.Hook{&access{}}
	}
	b := &mochiBroker{port: freePort(t), hooks: hooks}
	b.start(t)
	t.Cleanup(func() { b.kill(t) })
	return b
}

func (b *mochiBroker) address() string { return fmt.Sprintf("tcp://127.0.0.1:%d", b.port) }

func (b *mochiBroker) start(t testing.TB) {
	t.Helper()
	var l net.Listener
	within(t, "the port to be free", func() bool {
		var err error
		l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
		return err == nil
	})
	b.in = l
	b.server = mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	for _, h := range append(slices.Clone(b.hooks), embedded.TakeOver(b.server), embedded.OneAtATime()) {
		if err := b.server.AddHook(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.server.AddListener(listeners.NewNet("test", l)); err != nil {
		t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		t.Fatal(err)
	}
}

func (b *mochiBroker) kill(testing.TB) {
	if b.server != nil {
		_ = embedded.Shut(b.server, b.in)
		b.server = nil
	}
}

// access lets everybody in, and refuses what a test wants refused.
type access struct {
	mochi.HookBase
	deny func(client, topic string, write bool) bool
}

func (*access) ID() string { return "access" }
func (*access) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

// mosquittoBroker is a real Mosquitto process.
type mosquittoBroker struct {
	port int
	conf string
	cmd  *exec.Cmd
}

func newMosquitto(t testing.TB, _ ...mochi.Hook) testBroker { return newMosquittoWith(t, "") }

// newMosquittoWith starts one with further lines of configuration.
func newMosquittoWith(t testing.TB, more string) testBroker {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Fatal("mosquitto is not installed: run make tools")
	}
	b := &mosquittoBroker{port: freePort(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	// user root: started by root it would give up the right to read the test's folder.
	conf := fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmessage_size_limit 131072\n%s", b.port, more)
	if err := os.WriteFile(b.conf, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	t.Cleanup(func() { b.kill(t) })
	return b
}

func (b *mosquittoBroker) address() string { return fmt.Sprintf("tcp://127.0.0.1:%d", b.port) }

func (b *mosquittoBroker) start(t testing.TB) {
	t.Helper()
	b.cmd = exec.Command("mosquitto", "-c", b.conf)
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, "mosquitto to listen", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (b *mosquittoBroker) kill(testing.TB) {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// within waits for something that others bring about.
func within(t testing.TB, what string, true_ func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !true_() {
		select {
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
