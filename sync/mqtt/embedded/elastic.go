package embedded

import (
	"errors"
	"net"
	"sync"
	"time"
)

// elastic is the end of a pipe whose writes wait for nobody. On a plain pipe the client and the broker
// would wait for each other for ever: the client stops reading while an acknowledgement of its own is not
// written, and the broker's reader stops reading while its acknowledgement is not. Kernel buffers
// hide that on a socket.
//
// What waits is bounded by what the client says without hearing anything: what it has in flight, and an
// acknowledgement of each message that it has read. Over mostWaiting the connection ends.
type elastic struct {
	net.Conn
	mu      sync.Mutex
	waiting []byte
	err     error
	more    chan struct{} // holds one
	closed  chan struct{}
	carried chan struct{} // closed when nothing is written any more
	once    sync.Once
}

const mostWaiting = 32 << 20

var errWaiting = errors.New("write to the broker within: it does not read")

func newElastic(c net.Conn) *elastic {
	e := &elastic{Conn: c, more: make(chan struct{}, 1), closed: make(chan struct{}), carried: make(chan struct{})}
	go e.carry()
	return e
}

func (e *elastic) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.err != nil:
		return 0, e.err
	case len(e.waiting)+len(p) > mostWaiting:
		return 0, errWaiting
	}
	e.waiting = append(e.waiting, p...)
	select {
	case e.more <- struct{}{}:
	default: // it is told already
	}
	return len(p), nil
}

// carry writes what waits until the connection ends.
func (e *elastic) carry() {
	defer close(e.carried)
	for open := true; open; {
		select {
		case <-e.more:
		case <-e.closed:
			open = false
		}
		e.mu.Lock()
		p := e.waiting
		e.waiting = nil
		e.mu.Unlock()
		if len(p) == 0 {
			continue // a pipe waits for a reader of nothing, too
		}
		if _, err := e.Conn.Write(p); err != nil {
			e.mu.Lock()
			e.err = err
			e.mu.Unlock()
			return
		}
	}
}

// closeTime is how long the broker may take to read the last words.
const closeTime = 500 * time.Millisecond

// Close ends the connection when what waits was read, or after closeTime.
func (e *elastic) Close() error {
	e.once.Do(func() {
		e.mu.Lock()
		e.err = net.ErrClosed
		e.mu.Unlock()
		_ = e.Conn.SetWriteDeadline(time.Now().Add(closeTime)) // of a pipe that is closed already nothing is left to wait for
		close(e.closed)
	})
	<-e.carried
	return e.Conn.Close()
}

// SetDeadline is for reads alone: no write waits.
func (e *elastic) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

// SetWriteDeadline does nothing: no write waits.
func (e *elastic) SetWriteDeadline(time.Time) error { return nil }
