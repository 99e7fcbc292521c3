package serve

import (
	"context"
	"strings"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/wire"
)

// opening is a batch that is being unpacked, beside the goroutine that commits.
type opening struct {
	payload []byte
	opened  *hub.Opened
	ready   chan struct{} // closed when opened is there
}

// openers is how many goroutines unpack.
const openers = 2

// openAll begins to unpack the batches among jobs, and returns what all of them weigh.
func (h *Hub) openAll(ctx context.Context, jobs []job) (bytes int) {
	for k := range jobs {
		in, ok := jobs[k].input.(hub.FromDevice)
		if !ok {
			continue
		}
		bytes += len(in.Payload) + jobBytes
		if !strings.HasSuffix(in.Topic, "/"+string(wire.Up)+"/"+wire.ClassLog) {
			continue
		}
		o := &opening{payload: in.Payload, ready: make(chan struct{})}
		select {
		case h.openings <- o:
			jobs[k].opening = o
		case <-ctx.Done():
			return bytes
		}
	}
	return bytes
}

// unpack is one of the goroutines that unpack.
func (h *Hub) unpack(ctx context.Context, p *wire.Unpacker) {
	for {
		select {
		case o := <-h.openings:
			o.opened = h.mind.Open(p, o.payload)
			close(o.ready)
		case <-ctx.Done():
			return
		}
	}
}

// opened waits until the batches among jobs are unpacked; false where the hub ends before.
func (h *Hub) opened(ctx context.Context, jobs []job) bool {
	for k := range jobs {
		o := jobs[k].opening
		if o == nil {
			continue
		}
		select {
		case <-o.ready:
		case <-ctx.Done():
			return false
		}
		in := jobs[k].input.(hub.FromDevice)
		in.Opened = o.opened
		jobs[k].input, jobs[k].opening = in, nil
	}
	return true
}
