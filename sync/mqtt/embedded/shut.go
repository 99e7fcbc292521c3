package embedded

import (
	"errors"
	"fmt"
	"net"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
)

// Shut ends a server. Its listeners are closed and its clients sent off before mochi's own Close,
// which takes the lock of its list of clients twice and hangs where one leaves in between (v2.7.9).
// The error says that it hangs all the same.
func Shut(s *mochi.Server, in ...net.Listener) error {
	for _, l := range in {
		_ = l.Close() // it may have ended by itself
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Second)
	for gone := false; !gone; {
		gone = true
		for _, c := range s.Clients.GetAll() {
			if !c.Net.Inline {
				gone = false
				c.Stop(errClosing)
			}
		}
		select {
		case <-tick.C:
		case <-late:
			gone = true // a session that outlives its connection stays in the list
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			return fmt.Errorf("close broker: %w", err)
		}
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("close broker: not done after 5s")
	}
}

var errClosing = errors.New("the broker is closing")
