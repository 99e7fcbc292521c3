package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tact-edge/tact/context/event"
	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
)

// collect runs a configuration on the host's ports, and returns what comes on
// a channel as lines.
func collect(t *testing.T, c Config, p Ports) (lines chan string, b *Board) {
	t.Helper()
	lines = make(chan string, 100)
	b, err := Start([]Config{c}, []string{"position", "speed", "course", "altitude"}, p, func(e event.Event) error {
		if e.HasAt {
			t.Errorf("live event has a time: %+v", e)
		}
		lines <- strings.TrimSuffix(string(event.AppendLine(nil, e)), "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return lines, b
}

// next waits for a line that holds all the words.
func next(t *testing.T, lines chan string, words ...string) {
	t.Helper()
	limit := time.After(10 * time.Second)
	var seen []string
	for {
		select {
		case l := <-lines:
			seen = append(seen, l)
			found := 0
			for _, w := range words {
				if strings.Contains(l, w) {
					found++
				}
			}
			if found == len(words) {
				return
			}
		case <-limit:
			t.Fatalf("no line with %q among %q", words, seen)
		}
	}
}

// pty opens a pseudo terminal: what is written to master comes out of the port.
func pty(t *testing.T) (master *os.File, port string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", n)
}

func TestSerialPort(t *testing.T) {
	master, port := pty(t)
	lines, b := collect(t, Config{Kind: "nmea", Name: "gnss", Serial: port, Baud: 4800, Session: "driver"}, Host())
	write := func(s string) {
		if _, err := io.WriteString(master, s); err != nil {
			t.Error(err)
		}
	}
	// The port may still be flushing when the first sentences come: a receiver repeats itself.
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				write("\xb5noise$GPGGA,12" + log(rmc1))
			case <-stop:
				return
			}
		}
	}()
	next(t, lines, `"signal":"position"`, `"lat":52.0916667`, `"source":"gnss"`, `"session":"driver"`)
	close(stop)
	<-stopped
	begin := time.Now()
	b.Close()
	if d := time.Since(begin); d > closeWithin {
		t.Errorf("closed after %s", d)
	}
	if s := b.States()[0]; s.Phase != Stopped || s.Err != "" {
		t.Errorf("state %+v", s)
	}
}

func TestSerialPortUnplugged(t *testing.T) {
	master, port := pty(t)
	lines, b := collect(t, Config{Kind: "nmea", Serial: port}, Host())
	go func() {
		for range 50 {
			if _, err := io.WriteString(master, log(rmc1)); err != nil {
				return
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-t.Context().Done():
				return
			}
		}
	}()
	next(t, lines, "position", "52.09")
	master.Close()
	next(t, lines, "position", "null")
	if s := b.States()[0]; s.Phase != Failed || !strings.Contains(s.Err, port) {
		t.Errorf("state %+v", s)
	}
}

// TestTCPReconnects: the other side closes, and is there again a second later.
func TestTCPReconnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for k := 0; ; k++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, log([]string{rmc1, rmc2}[k%2]))
			if k%2 == 0 {
				c.Close()
			}
		}
	}()
	lines, b := collect(t, Config{Kind: "nmea", TCP: l.Addr().String()}, Host())
	next(t, lines, "position", "52.0916667")
	next(t, lines, "position", "null")
	if s := b.States()[0]; s.Err != "read tcp "+l.Addr().String()+": the other side closed it" {
		t.Errorf("state %+v", s)
	}
	next(t, lines, "position", "52.0916833")
}

// TestTCPHalfOpen: a connection whose other side says nothing is given up.
func TestTCPHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled atomic.Int32
		p := Ports{Dial: func(context.Context, string, string) (net.Conn, error) {
			dialled.Add(1)
			near, _ := net.Pipe() // the other end stays silent
			return near, nil
		}}
		_, b := collect(t, Config{Kind: "nmea", TCP: "receiver:2947", SilentFor: 5000}, p)
		time.Sleep(4900 * time.Millisecond)
		if s := b.States()[0]; s.Phase != Running {
			t.Errorf("after 4.9 s: %+v", s)
		}
		time.Sleep(200 * time.Millisecond)
		if s := b.States()[0]; s.Phase != Failed || s.Err != "read tcp receiver:2947: nothing came for 5s, so it is taken for dead" {
			t.Errorf("after 5.1 s: %+v", s)
		}
		time.Sleep(time.Second)
		if s := b.States()[0]; s.Phase != Running || dialled.Load() != 2 {
			t.Errorf("after 6.1 s: %+v, dialled %d times", s, dialled.Load())
		}
		b.Close()
	})
}

func TestTCPRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Ports{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }}
		_, b := collect(t, Config{Kind: "jsonl", TCP: "app:1"}, p)
		synctest.Wait()
		if s := b.States()[0]; s.Phase != Failed || s.Err != "open tcp app:1: connection refused" {
			t.Errorf("state %+v", s)
		}
		b.Close()
	})
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lines, b := collect(t, Config{Kind: "nmea", Path: write("drive.nmea", strings.TrimSpace(log(rmc1, rmc2)))}, Host())
	next(t, lines, "position", "52.0916667")
	next(t, lines, "course", "90") // of rmc1
	next(t, lines, "course", "90") // of rmc2, without a line end
	ended(t, b)

	lines, b = collect(t, Config{Kind: "jsonl", Path: write("app.jsonl", "{\"signal\":\"speed\",\"value\":3}\nnonsense\n{\"ask\":\"main\"}\n{\"signal\":\"speed\",\"value\":4,\"session\":\"b\",\"source\":\"x\"}\n"), Name: "app", Session: "kiosk"}, Host())
	next(t, lines, `"value":3`, `"source":"app"`, `"session":"kiosk"`)
	next(t, lines, `"ask":"main"`)
	next(t, lines, `"value":4`, `"source":"x"`, `"session":"b"`)
	ended(t, b)
	if s := b.States()[0]; s.Refused != 1 || !strings.Contains(s.Last, "app.jsonl:2: ") {
		t.Errorf("state %+v", s)
	}

	lines, b = collect(t, Config{Kind: "jsonl", Path: "-", Signals: map[string]string{"speed": "speed"}}, Ports{Stdin: strings.NewReader("{\"signal\":\"heart\",\"value\":3}\n{\"signal\":\"speed\",\"value\":5}\n")})
	next(t, lines, `"value":5`)
	ended(t, b)
	if s := b.States()[0]; s.Refused != 1 || !strings.Contains(s.Last, `stdin:1: signal "heart" is not among`) {
		t.Errorf("state %+v", s)
	}

	lines, b = collect(t, Config{Kind: "csv", Path: write("drive.csv", "at,speed\n2026-03-02T09:00:00Z,7\n")}, Host())
	next(t, lines, `"speed"`, `"value":7`)
	ended(t, b)

	_, b = collect(t, Config{Kind: "nmea", Path: filepath.Join(dir, "none")}, Host())
	failed(t, b, "open file "+filepath.Join(dir, "none"))
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = io.WriteString(c, "{\"signal\":\"speed\",\"value\":3}\n")
		}
	}()
	lines, b := collect(t, Config{Kind: "jsonl", Socket: path}, Host())
	next(t, lines, `"value":3`)
	b.Close() // while its read waits
}

func ended(t *testing.T, b *Board) { t.Helper(); phase(t, b, Ended, "") }

func failed(t *testing.T, b *Board, why string) { t.Helper(); phase(t, b, Failed, why) }

func phase(t *testing.T, b *Board, p Phase, why string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for {
		if s := b.States()[0]; s.Phase == p && strings.Contains(s.Err, why) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("state %+v, want %s %q", b.States()[0], p, why)
		}
	}
}

// TestLoadDrivers: loading that hangs is given up, and what it found is told.
func TestLoadDrivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		begin := time.Now()
		_, err := loadDrivers(func() (*driverreg.State, error) { <-hang; return nil, nil }, initLimit)
		if err == nil || err.Error() != "load hardware drivers: not done after 5s" || time.Since(begin) != initLimit {
			t.Errorf("error %v after %s", err, time.Since(begin))
		}
		close(hang)
	})
	d, err := loadDrivers(func() (*driverreg.State, error) {
		return &driverreg.State{Skipped: []driverreg.DriverFailure{{D: fakeDriver("sysfs-gpio"), Err: errors.New("no gpio here")}},
			Failed: []driverreg.DriverFailure{{D: fakeDriver("bcm283x"), Err: errors.New("no permission")}}}, nil
	}, initLimit)
	if err != nil || len(d.Skipped) != 1 || d.Skipped[0] != "sysfs-gpio: no gpio here" || len(d.Failed) != 1 || d.Failed[0] != "bcm283x: no permission" {
		t.Errorf("drivers %+v, error %v", d, err)
	}
	if _, err := loadDrivers(func() (*driverreg.State, error) { return nil, errors.New("cycle") }, initLimit); err == nil || err.Error() != "load hardware drivers: cycle" {
		t.Errorf("error %v", err)
	}
	if _, err := HostDrivers(); err != nil {
		t.Errorf("on this machine: %v", err)
	}
	if _, err := Host().GPIO("NO_SUCH_PIN"); err == nil {
		t.Error("a pin that is not there was opened")
	}
	if _, err := Host().I2C("no-such-bus"); err == nil {
		t.Error("a bus that is not there was opened")
	}
}

type fakeDriver string

func (f fakeDriver) String() string        { return string(f) }
func (fakeDriver) Prerequisites() []string { return nil }
func (fakeDriver) After() []string         { return nil }
func (fakeDriver) Init() (bool, error)     { return true, nil }
