package local

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tact-edge/tact/agent"
)

// writeTime is how long one message may take to a reader.
const writeTime = 10 * time.Second

// stream tells what to show and take down, as server-sent events. It begins with
// what stands in the slots now, or after Last-Event-ID with what came since.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, fmt.Sprintf("%d readers follow the stream already", maxReaders))
		return
	}
	slot, session := r.URL.Query().Get("slot"), r.URL.Query().Get("session")
	after, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64) // what is no id begins anew
	reader, fresh := s.device.Feed().Read(after, func(m *agent.Message) bool {
		return (session == "" || m.Session == session) && (slot == "" || m.Slot == slot || m.Kind == agent.KindSession)
	})
	defer reader.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	out := follower{w: w, control: http.NewResponseController(w)}
	head := ": resumed\n\n"
	if fresh {
		head = ": begins with what is shown now\n\n"
	}
	if out.write([]byte("retry: 1000\n"+head)) != nil {
		return
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		select {
		case m, more := <-reader.C:
			if !more {
				_ = out.write([]byte(": clear everything and come back: too much was waiting, or the device stops\n\n")) // it is over either way
				return
			}
			if out.message(&m) != nil {
				return
			}
		case <-alive.C:
			if out.write([]byte(": alive\n\n")) != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.ended:
			return
		}
	}
}

// follower is one open answer.
type follower struct {
	w       http.ResponseWriter
	control *http.ResponseController
	b       []byte
}

func (f *follower) message(m *agent.Message) error {
	f.b = append(f.b[:0], "id: "...)
	f.b = strconv.AppendUint(f.b, m.ID, 10)
	f.b = append(f.b, "\nevent: "...)
	f.b = append(f.b, m.Kind...)
	f.b = append(f.b, "\ndata: "...)
	f.b = append(f.b, m.Line...) // one line of JSON: no newline in it
	f.b = append(f.b, "\n\n"...)
	return f.write(f.b)
}

func (f *follower) write(b []byte) error {
	// Not every writer knows deadlines (tests' recorders): then there is none.
	_ = f.control.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := f.w.Write(b); err != nil {
		return err
	}
	return f.control.Flush()
}
