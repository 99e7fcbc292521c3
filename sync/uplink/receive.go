package uplink

import (
	"bytes"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/sync/wire"
)

// resumeWithin spreads a fleet when the hub comes back.
const resumeWithin = sense.Second

// arrived takes in a message: whose topic, then the signature, then the content.
func (s *Session) arrived(in Arrived) {
	if err := s.receive(in); err != nil {
		s.problem(ProblemMessage, err.Error())
	}
}

func (s *Session) receive(in Arrived) error {
	t, err := wire.ParseTopic(in.Topic)
	if err != nil {
		return err
	}
	if t.Tenant != s.cfg.Tenant {
		return fmt.Errorf("take %s: another tenant's", in.Topic)
	}
	if t.Hub {
		c, err := wire.DecodeConn(in.Payload)
		if err != nil {
			return fmt.Errorf("take %s: %w", in.Topic, err)
		}
		s.hubPresence(c)
		return nil
	}
	if t.Device == s.cfg.Device && t.Plane == wire.State && t.Class == wire.ClassConn {
		return s.presenceCame(in)
	}
	mine := t.Device == s.cfg.Device && t.Plane == wire.Down
	for _, g := range s.cfg.Groups {
		mine = mine || t.Group == g
	}
	if !mine {
		return fmt.Errorf("take %s: not for this device", in.Topic)
	}
	if len(in.Payload) == 0 {
		return nil // a retained document was cleared
	}
	payload, err := wire.Open(in.Topic, in.Payload, s.cfg.Keys)
	if err != nil {
		return err
	}
	switch t.Class {
	case wire.ClassWant:
		return s.wanted(t.Group, payload)
	case wire.ClassCmd:
		return s.commanded(t.Name, payload)
	case wire.ClassJob:
		s.out.Up = append(s.out.Up, Job{Name: t.Name, Payload: bytes.Clone(payload)})
		return nil
	}
	m, err := wire.DecodeDown(t.Class, payload)
	if err != nil {
		return err
	}
	return s.message(t, m)
}

// presenceCame takes the device's own presence, as the broker has it.
func (s *Session) presenceCame(in Arrived) error {
	if len(in.Payload) == 0 {
		return nil // it was cleared
	}
	c, err := wire.DecodeConn(in.Payload)
	if err != nil {
		return fmt.Errorf("take %s: %w", in.Topic, err)
	}
	s.ownPresence(c)
	return nil
}

// hubPresence follows the hub. A death of an older connection than the newest
// seen counts for nothing.
func (s *Session) hubPresence(c wire.Conn) {
	if s.phase < proving || s.phase > delivering {
		s.hub, s.held = c, c.State == wire.Offline
		return
	}
	if c.State == wire.Offline {
		if s.hub.Boot == c.Boot && c.Counter < s.hub.Counter {
			return
		}
		s.hub = c
		if !s.held {
			s.held = true
			s.restart(sense.Never)
		}
		return
	}
	known := s.hub != (wire.Conn{})
	again := s.held || known && (s.hub.Boot != c.Boot || s.hub.Counter != c.Counter)
	s.hub, s.held = c, false
	switch {
	case again:
		s.restart(s.now.Add(s.jitter(resumeWithin)))
	case s.phase == proving: // it may not have been there when the echo went out
		s.due = min(s.due, s.now.Add(s.jitter(resumeWithin)))
	}
}

func (s *Session) wanted(group string, payload []byte) error {
	var w wire.Want
	if err := wire.DecodeJSON(payload, &w); err != nil {
		return err
	}
	if w.Revision <= s.wants[group] {
		return nil
	}
	s.wants[group] = w.Revision
	s.out.Up = append(s.out.Up, Want{Group: group, Want: w})
	return nil
}

func (s *Session) commanded(name string, payload []byte) error {
	c, err := wire.DecodeCommand(name, payload)
	if err != nil {
		return err
	}
	switch c := c.(type) {
	case *wire.EchoAnswer:
		if s.phase == proving && s.echo != "" && c.Re == s.echo {
			s.out.Up = append(s.out.Up, HubTime{Time: sense.Instant(c.Time), Fresh: true})
			s.proved()
		}
	case *wire.Rebirth:
		if s.phase == greeting || s.phase == delivering {
			s.birth()
			s.sayHello()
		}
	case *wire.NewEpoch:
		s.refused(c)
	default:
		s.out.Up = append(s.out.Up, Command{Command: c})
	}
	return nil
}

// refused stops the epoch that the hub refuses: what is in flight would only be refused again. The
// command goes up each time that the hub says it, since the device may have failed to follow.
func (s *Session) refused(c *wire.NewEpoch) {
	if c.Epoch != s.log.Epoch || c.Epoch == 0 {
		return // of an epoch that was left already
	}
	s.left, s.flights = c.Epoch, nil
	s.out.Up = append(s.out.Up, Command{Command: c})
}

// message takes in what is msgp: what is said must fit the topic it came on.
func (s *Session) message(t wire.Topic, m wire.DownMessage) error {
	name, re := t.Name, ""
	switch m := m.(type) {
	case *wire.Ack:
		s.acknowledged(m)
		if s.out.Acknowledge == m {
			s.out.Up = append(s.out.Up, HubTime{Time: sense.Instant(m.Time)})
		}
		return nil
	case *wire.Slice:
		name, re = m.Handle.String(), m.Re
	case *wire.Delta:
		name, re = m.Handle.String(), m.Re
	case *wire.Unchanged:
		name, re = m.Handle.String(), m.Re
	case *wire.Forget:
		name, re = m.Handle.String(), m.Re
	case *wire.Blob:
		name, re = m.ID, m.Re
	}
	if name != t.Name {
		return fmt.Errorf("take %s: holds %.70q: %w", t, name, wire.ErrMalformed)
	}
	s.cancel(re)
	s.out.Up = append(s.out.Up, Message{Message: m})
	return nil
}
