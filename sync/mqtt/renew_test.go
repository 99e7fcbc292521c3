package mqtt

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/mqtt/certs"
	"github.com/tact-edge/tact/sync/outbox"
	"github.com/tact-edge/tact/sync/uplink"
)

// folder holds a client's files, which a test replaces.
type folder struct {
	t     testing.TB
	files certs.Files
}

func newFolder(t testing.TB, from certs.Files) *folder {
	dir := t.TempDir()
	f := &folder{t, certs.Files{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}}
	f.put(f.files.CA, from.CA)
	f.put(f.files.Cert, from.Cert)
	f.put(f.files.Key, from.Key)
	return f
}

// put replaces a file in one step.
func (f *folder) put(to, from string) {
	f.t.Helper()
	raw, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to+".new", raw, 0o600)
	}
	if err == nil {
		err = os.Rename(to+".new", to)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// A new certificate is taken while the device and the hub are connected. With half of
// it there the old one stays in use, and the device tells so once.
func TestRenewedWhileConnected(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		hubs, kiosks := newFolder(t, f.a.Client(hubName)), newFolder(t, f.a.Client("kiosk-1"))
		hub := f.with(hubs.files, hubName)
		hub.Recheck = 20 * time.Millisecond
		links := make(chan bool, 100)
		h := startHubWith(t, HubConfig{Broker: hub, Filters: hubFilters, Link: func(up bool, _ string) { links <- up }})
		b := f.with(kiosks.files, "kiosk-1")
		b.Recheck = 20 * time.Millisecond
		k := newKioskOn(t, b, &outbox.Memory{}).run()
		k.append(50)
		k.balance(h)
		connects := func() uint64 { k.mu.Lock(); defer k.mu.Unlock(); return k.counter }
		before := connects()

		fresh := f.a.Client("kiosk-1")
		kiosks.put(kiosks.files.Cert, fresh.Cert)
		within(t, "word of half a pair", k.heard(problem(problemCerts)))
		k.append(50)
		k.balance(h)
		if connects() != before {
			t.Errorf("with half a pair there were %d connections more", connects()-before)
		}
		kiosks.put(kiosks.files.Key, fresh.Key)
		within(t, "a connection with the new pair", func() bool { return connects() > before })
		k.append(50)
		k.balance(h)

		if up := <-links; !up {
			t.Fatal("the hub was not connected at first")
		}
		fresh = f.a.Client(hubName)
		hubs.put(hubs.files.Cert, fresh.Cert)
		hubs.put(hubs.files.Key, fresh.Key)
		for _, want := range []bool{false, true} {
			select {
			case up := <-links:
				if up != want {
					t.Errorf("the hub's link is up: %v, want %v", up, want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("the hub does not take the new pair")
			}
		}
		k.append(50)
		k.balance(h)
		k.mu.Lock()
		defer k.mu.Unlock()
		told := 0
		for _, e := range k.up {
			if problem(problemCerts)(e) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("half a pair was told %d times", told)
		}
	})
}

// silent accepts connections and never says a word.
func silent(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return l.Addr().String()
}

// Somebody who accepts connections and says nothing is given up after the time limit,
// with and without TLS, by the device and the hub; and stopping does not wait for it.
func TestSilentBroker(t *testing.T) {
	address := silent(t)
	for scheme, kept := range map[string]*certs.Kept{"tcp": nil, "ssl": load(t, certs.Files{})} {
		b := Broker{Address: scheme + "://" + address, Certs: kept, ConnectTimeout: 100 * time.Millisecond}
		k := newKioskOn(t, b, &outbox.Memory{}).run()
		within(t, "the next try over "+scheme, func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.counter > 1 })
		k.stop()
		b.ClientID = "hub"
		downs := make(chan string, 100)
		h := startHubWith(t, HubConfig{Broker: b, Filters: hubFilters, Link: func(up bool, cause string) { downs <- cause }})
		select {
		case <-downs:
		case <-time.After(20 * time.Second):
			t.Errorf("the hub waits for ever over %s", scheme)
		}
		h.stop()
	}
}

// Two processes with one identity take the connection from each other. Who sees it
// tells, and keeps away for a while; then nothing moves any more.
func TestTwoWithOneIdentity(t *testing.T) {
	onFleets(t, func(t *testing.T, f *fleet) {
		h := startHubWith(t, HubConfig{Broker: f.as(hubName), Filters: hubFilters})
		var both [2]*kiosk
		for n := range both {
			k := newKioskOn(t, f.as("kiosk-1"), &outbox.Memory{})
			session, err := uplink.New(uplink.Config{Tenant: tenant, Device: "kiosk-1", Boot: uint64(n) + 1, Seed: uint64(n) + 1, Keys: trusted,
				Retry: 500 * sense.Millisecond, MaxRetry: 500 * sense.Millisecond, TakeoverPause: sense.Hour})
			if err != nil {
				t.Fatal(err)
			}
			k.link.session = session
			both[n] = k.run()
		}
		tells := func(k *kiosk) bool { return k.heard(problem(uplink.ProblemDuplicate))() }
		within(t, "the duplicate to be told", func() bool { return tells(both[0]) || tells(both[1]) })
		within(t, "the other one to have seen it too, or to be connected", func() bool {
			return (tells(both[0]) || linked(both[0])) && (tells(both[1]) || linked(both[1]))
		})
		for _, k := range both {
			if !tells(k) {
				k.append(20)
				k.balance(h)
			}
		}
		connects := func() (n [2]uint64) {
			for i, k := range both {
				k.mu.Lock()
				n[i] = k.counter
				k.mu.Unlock()
			}
			return n
		}
		before := connects()
		quiet, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // three times the pause between tries
		defer cancel()
		<-quiet.Done()
		if after := connects(); after != before {
			t.Errorf("connections were %v and are %v: they go on taking it from each other", before, after)
		}
		if before[0] > 8 || before[1] > 8 {
			t.Errorf("%v connections before it was seen", before)
		}
	})
}

// linked says whether the link is up, as the device heard it last.
func linked(k *kiosk) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	up := false
	for _, e := range k.up {
		if l, ok := e.(uplink.Link); ok {
			up = l.Up
		}
	}
	return up
}
