package serve

import (
	"net"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/mqtt/embedded"
)

// A hub with a broker ends at once, even while somebody holds a connection on which
// nothing was asked, or has one that was used and stands by.
func TestCloseIsQuick(t *testing.T) {
	b, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := start(t, t.TempDir(), b.Address())
	if code, body := call(t, "GET", h.URL()+"/healthz", "", "", ""); code != 200 {
		t.Fatal(code, body)
	}
	for range 3 {
		c, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	begin := time.Now()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("closing took %v", took)
	}
}
