package main_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBalanceUnderBadLinks lets everything between devices, broker and hub go over links that are
// slow, narrow, torn in the middle of a packet, or dead without a word, and counts afterwards.
// TACT_FAULTS is how many faults (12), TACT_SEED repeats them. A world begins anew after
// faultsAWorld, see TestBalanceUnderKills.
func TestBalanceUnderBadLinks(t *testing.T) {
	t.Parallel()
	faults, seed := number(t, "TACT_FAULTS", 12), seed(t)
	t.Logf("TACT_SEED=%d TACT_FAULTS=%d", seed, faults)
	for n := uint64(0); faults > 0; n, faults = n+1, faults-faultsAWorld {
		most := min(faults, faultsAWorld)
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			badLinks(t, most, rand.New(rand.NewPCG(seed, 77+n)))
		})
	}
}

const faultsAWorld = 60

func badLinks(t *testing.T, faults int, random *rand.Rand) {
	w := newWorldOf(t, setting{broker: "shipped", shaped: true}, fleetShop(1))
	c := newCampaign(t, w, random, 2)
	c.run(func() { c.trouble(faults) })
	for _, l := range w.links {
		up, down := l.carried()
		t.Logf("%s: %d connections, %d bytes up, %d down", l.name, l.made, up, down)
		if l.made < 3 {
			t.Errorf("%s: only %d connections: nothing was cut", l.name, l.made)
		}
	}
	for _, d := range c.devices {
		if strings.Contains(d.logged(), "duplicate_identity") {
			t.Errorf("%s takes a bad link for somebody who has its name:\n%s", d.id, d.logged())
		}
	}
}

// trouble makes faults, one after the other; every other time the hub has one as well. Each link has
// each kind of them, and what is to be torn is torn before the next.
func (c *campaign) trouble(faults int) {
	devices, hub := c.w.links[0], c.w.links[1]
	for k := range faults {
		kind := linkFaults[k%len(linkFaults)]
		devices.set(kind, c.random)
		c.tally["devices "+kind]++
		if k%2 == 0 {
			other := linkFaults[(k/2+1)%len(linkFaults)]
			hub.set(other, c.random)
			c.tally["hub "+other]++
		}
		c.pass(time.Duration(200+c.random.IntN(600)) * time.Millisecond)
		devices.set("good", c.random)
		await(c.t, "what is to be torn is torn", 20*time.Second, func() bool { return devices.torn() && hub.torn() })
		hub.set("good", c.random)
		c.pass(time.Duration(100+c.random.IntN(500)) * time.Millisecond)
	}
	c.pass(time.Second)
}

var linkFaults = []string{"slow", "torn", "narrow", "silent", "crumbs", "away"}

// shapedLink is a TCP proxy that carries bytes badly.
type shapedLink struct {
	name   string
	target string
	port   int
	made   int

	mu       sync.Mutex
	conns    map[*carrier]bool
	delay    time.Duration // of every piece
	rate     int           // bytes a second; 0 without end
	piece    int           // bytes at once
	silent   bool          // bytes vanish, and sockets stay open
	away     bool          // nobody can connect
	up, down int64
}

// carrier is one connection over the link.
type carrier struct {
	a, b *net.TCPConn
	left int // bytes until it is torn; below 0 it is not
	dead bool
}

const wholePiece = 16 << 10

// newLink starts a link to a port of this machine.
func newLink(t testing.TB, name string, target int) *shapedLink {
	t.Helper()
	l := &shapedLink{name: name, target: fmt.Sprintf("127.0.0.1:%d", target), port: freePort(t), conns: map[*carrier]bool{}, piece: wholePiece}
	in, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", l.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for c := range l.conns {
			c.a.Close()
			c.b.Close()
		}
	})
	go func() {
		for {
			a, err := in.Accept()
			if err != nil {
				return // the test is over
			}
			l.connect(a.(*net.TCPConn))
		}
	}()
	return l
}

func (l *shapedLink) connect(a *net.TCPConn) {
	l.mu.Lock()
	away := l.away
	l.mu.Unlock()
	b, err := net.DialTimeout("tcp", l.target, time.Second)
	if err != nil || away {
		a.Close()
		if err == nil {
			b.Close()
		}
		return
	}
	c := &carrier{a: a, b: b.(*net.TCPConn), left: -1}
	l.mu.Lock()
	l.conns[c] = true
	l.made++
	l.mu.Unlock()
	go l.pump(c, c.b, c.a, &l.up)
	go l.pump(c, c.a, c.b, &l.down)
}

// pump carries bytes one way until the connection ends.
func (l *shapedLink) pump(c *carrier, to, from *net.TCPConn, count *int64) {
	buffer := make([]byte, wholePiece)
	for {
		l.mu.Lock()
		piece := l.piece
		l.mu.Unlock()
		n, err := from.Read(buffer[:piece])
		if n > 0 && !l.carry(c, to, buffer[:n], count) || err != nil {
			l.end(c, err != nil && err != io.EOF)
			return
		}
	}
}

// carry brings a piece over. False says that the connection is to end.
func (l *shapedLink) carry(c *carrier, to *net.TCPConn, piece []byte, count *int64) bool {
	l.mu.Lock()
	wait := l.delay
	if l.rate > 0 {
		wait += time.Duration(len(piece)) * time.Second / time.Duration(l.rate)
	}
	l.mu.Unlock()
	if wait > 0 {
		<-time.After(wait)
	}
	l.mu.Lock()
	if l.silent || c.dead { // what has lost bytes can never go on
		c.dead = true
		silent := l.silent
		l.mu.Unlock()
		return silent
	}
	torn := c.left >= 0 && len(piece) >= c.left
	if torn {
		piece = piece[:c.left]
	} else if c.left >= 0 {
		c.left -= len(piece)
	}
	*count += int64(len(piece))
	l.mu.Unlock()
	_, err := to.Write(piece)
	return err == nil && !torn
}

// end closes both sides; hard says with a reset.
func (l *shapedLink) end(c *carrier, hard bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	if hard {
		_ = c.a.SetLinger(0) // where it is closed already there is nothing to reset
		_ = c.b.SetLinger(0)
	}
	c.a.Close()
	c.b.Close()
}

// torn says whether all that was to be torn is.
func (l *shapedLink) torn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.left >= 0 {
			return false
		}
	}
	return true
}

// set makes the link good again, or bad in one way. Connections that have lost bytes meanwhile are reset.
func (l *shapedLink) set(kind string, random *rand.Rand) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay, l.rate, l.piece, l.silent, l.away = 0, 0, wholePiece, false, false
	for c := range l.conns {
		if c.dead {
			_ = c.a.SetLinger(0)
			_ = c.b.SetLinger(0)
			c.a.Close()
			c.b.Close()
		}
	}
	switch kind {
	case "slow":
		l.delay = time.Duration(5+random.IntN(150)) * time.Millisecond
	case "narrow":
		l.rate = 2000 + random.IntN(20000)
	case "crumbs":
		l.piece = 1 + random.IntN(9)
	case "silent":
		l.silent = true
	case "away":
		l.away = true
		fallthrough
	case "torn":
		for c := range l.conns { // order: all of them, each at its own place
			if random == nil {
				break // they are cut by cut
			}
			c.left = random.IntN(60)
		}
	}
}

func (l *shapedLink) carried() (up, down int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up, l.down
}

// cut resets all connections at once.
func (l *shapedLink) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.a.SetLinger(0)
		_ = c.b.SetLinger(0)
		c.a.Close()
		c.b.Close()
	}
}
