package serve

import (
	"net"
	"net/http"
	"sync"
)

// fresh are connections on which nothing was asked yet: browsers and HTTP clients open
// some ahead of their need. A server that ends would wait 5 s for each of them to speak.
type fresh struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

// note follows a connection; it is the server's ConnState.
func (f *fresh) note(c net.Conn, s http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case s != http.StateNew:
		delete(f.conns, c)
	case f.ended:
		_ = c.Close()
	default:
		if f.conns == nil {
			f.conns = map[net.Conn]bool{}
		}
		f.conns[c] = true
	}
}

// end closes them, and those that come after.
func (f *fresh) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for c := range f.conns { // order: each is closed
		_ = c.Close()
	}
}
