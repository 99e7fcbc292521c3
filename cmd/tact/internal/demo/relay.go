package demo

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// relay is the network between the devices and the broker: it passes bytes on, until it is cut.
type relay struct {
	listener net.Listener
	to       string // host:port of the broker

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

func startRelay(to string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the network between devices and broker: %w", err)
	}
	r := &relay{listener: l, to: to, conns: map[net.Conn]bool{}}
	r.done.Go(r.accept)
	return r, nil
}

// Address is what devices connect to.
func (r *relay) Address() string { return "tcp://" + r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.done.Go(func() { r.pass(c) })
	}
}

// pass connects a device with the broker until one of them hangs up, or the network is cut.
func (r *relay) pass(device net.Conn) {
	defer device.Close()
	if !r.hold(device) {
		return
	}
	defer r.let(device)
	broker, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer broker.Close()
	if !r.hold(broker) {
		return
	}
	defer r.let(broker)
	var both sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // how it ended says nothing: either side may hang up
		to.Close()
		from.Close()
	}
	both.Go(func() { copyTo(broker, device) })
	both.Go(func() { copyTo(device, broker) })
	both.Wait()
}

// hold notes a connection; false while the network is cut.
func (r *relay) hold(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return false
	}
	r.conns[c] = true
	return true
}

func (r *relay) let(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// Cut ends all connections and lets no new one through until Mend.
func (r *relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	for c := range r.conns {
		c.Close()
	}
}

// Mend lets connections through again.
func (r *relay) Mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
}

// Close ends the relay.
func (r *relay) Close() error {
	err := r.listener.Close()
	r.Cut()
	r.done.Wait()
	return err
}
