package uplink

import (
	"fmt"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// ask is a request that waits for its answer.
type ask struct {
	id      string
	payload []byte
	tries   int
	due     sense.Instant
}

const maxAsks, maxSends = 256, 64

func (s *Session) ask(in Ask) {
	payload, err := wire.EncodeRequest(in.Request)
	if err != nil {
		s.problem(ProblemUnsent, err.Error())
		return
	}
	s.cancel(in.ID)
	if len(s.asks) == maxAsks {
		s.problem(ProblemUnsent, fmt.Sprintf("request %s: %d others wait", s.asks[0].id, maxAsks))
		s.asks = s.asks[1:]
	}
	s.asks = append(s.asks, ask{id: in.ID, payload: payload, due: s.now})
}

func (s *Session) cancel(id string) {
	if id == "" {
		return
	}
	for k := range s.asks {
		if s.asks[k].id == id {
			s.asks = append(s.asks[:k:k], s.asks[k+1:]...)
			return
		}
	}
}

func (s *Session) resendAsks() {
	if s.held {
		return
	}
	for k := range s.asks {
		a := &s.asks[k]
		if s.now >= a.due {
			s.publish(Publish{Topic: s.path.Of(wire.Up, wire.ClassReq), Payload: a.payload, QoS: 1})
			a.due = s.now.Add(s.jitter(2 * grown(s.cfg.RTO, s.cfg.MaxRTO, a.tries)))
			a.tries++
		}
	}
}

// request publishes a request of the session's own.
func (s *Session) request(r wire.Request) {
	payload, err := wire.EncodeRequest(r)
	if err != nil {
		s.problem(ProblemUnsent, err.Error())
		return
	}
	s.publish(Publish{Topic: s.path.Of(wire.Up, wire.ClassReq), Payload: payload, QoS: 1})
}

// send publishes a document, or keeps it until the hub is reached: of a state
// the newest, of what happened all.
func (s *Session) send(in Send) {
	t := wire.Topic{Tenant: s.cfg.Tenant, Device: s.cfg.Device, Plane: in.Plane, Class: in.Class, Name: in.Name}
	p := Publish{Topic: t.String(), Payload: in.Payload, QoS: 1, Retain: in.Plane == wire.State && in.Class != wire.ClassHealth}
	if in.Class == wire.ClassHealth {
		p.QoS = 0
	}
	if _, err := wire.ParseTopic(p.Topic); err != nil || in.Plane == wire.Down || len(in.Payload) > wire.MaxMessage {
		s.problem(ProblemUnsent, fmt.Sprintf("%s with %d bytes is not for a device to send", p.Topic, len(in.Payload)))
		return
	}
	if s.phase == greeting || s.phase == delivering {
		s.publish(p)
		return
	}
	for k := range s.sends {
		if in.Plane == wire.State && s.sends[k].Topic == p.Topic {
			s.sends[k] = p
			return
		}
	}
	if len(s.sends) == maxSends {
		s.problem(ProblemUnsent, fmt.Sprintf("%s: %d others wait", s.sends[0].Topic, maxSends))
		s.sends = s.sends[1:]
	}
	s.sends = append(s.sends, p)
}
