package moment

import (
	"errors"
	"fmt"
	"math"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

var (
	// ErrUndeclared marks a signal that the policy does not declare.
	ErrUndeclared = errors.New("signal is not declared by the policy")
	// ErrInvalid marks a value that is not of the declared type.
	ErrInvalid = errors.New("value is not of the declared type")
)

// maxAge is the oldest that a reading may be when it comes.
const maxAge = 100 * sense.Year

// Signal takes in one reading, which is as old as the signal says at the instant it happened. One
// that is older than the present reading of its source is counted and left; one without the
// consent that its signal asks for is not read.
func (s *State) Signal(session string, signal *event.Signal, happened, now sense.Instant) error {
	k, v, err := s.model.accept(signal)
	if err != nil {
		return err
	}
	s.now = max(s.now, now)
	c := s.sceneOf(session, k)
	if c == nil {
		s.Open(session, now)
		c = s.scene(session)
	}
	s.rouse(c)
	if d := &s.model.bundle.Signals[k]; d.Consent >= 0 && !c.granted.Has(d.Consent) {
		return nil
	}
	at := min(happened, s.now).Add(-signal.Age)
	if r := c.latest(s.model, k); r != nil && at < r.at {
		s.outdated++
		return nil
	}
	c.keep(s.model, k, reading{value: v, at: at, spoke: true})
	c.refreshSignal(s, k)
	if !v.IsNull() && !c.off(&s.model.bundle.Signals[k]) {
		for _, input := range s.model.signals[k] {
			c.eval.Read(input, v, at)
		}
	}
	return nil
}

// accept finds the declared signal and converts the value to its type.
func (m *model) accept(signal *event.Signal) (int32, sense.Value, error) {
	k := m.bundle.SignalIndex(signal.Name)
	if k < 0 {
		return 0, sense.Value{}, fmt.Errorf("take signal %s: %w", signal.Name, ErrUndeclared)
	}
	if signal.Age < 0 || signal.Age > maxAge {
		return 0, sense.Value{}, fmt.Errorf("take signal %s: age %s is not 0s to %s: %w", signal.Name, signal.Age, maxAge, ErrInvalid)
	}
	v, err := signal.Value.As(m.bundle.Signals[k].Kind)
	if err != nil {
		return 0, v, fmt.Errorf("take signal %s: %w: %w", signal.Name, err, ErrInvalid)
	}
	if v.Kind() == sense.Double && (math.IsNaN(v.Double()) || math.IsInf(v.Double(), 0)) {
		return 0, v, fmt.Errorf("take signal %s: it is not a number: %w", signal.Name, ErrInvalid)
	}
	return k, v, nil
}

// sceneOf returns where a signal is kept: on the device, or in the session, nil where that is not open.
func (s *State) sceneOf(session string, signal int32) *scene {
	if s.model.bundle.Signals[signal].Scope == rule.ScopeDevice {
		return s.device
	}
	return s.scene(session)
}

// Reading returns the latest value of a signal, its age (catalog.NoAge where there is none), and why it
// may not be used; a stale value is returned with its cause.
func (s *State) Reading(session string, signal int32) (v sense.Value, age sense.Duration, cause rule.Cause) {
	return s.readingOf(s.sceneOf(session, signal), signal)
}

// readingOf is Reading of where the signal is kept; nil where that is not open.
func (s *State) readingOf(c *scene, signal int32) (v sense.Value, age sense.Duration, cause rule.Cause) {
	if c == nil {
		return sense.Value{}, catalog.NoAge, rule.InputUnknown
	}
	cause = c.cause(s, signal)
	if r := c.latest(s.model, signal); r != nil && cause != rule.NotRead && !c.off(&s.model.bundle.Signals[signal]) {
		return r.value(), s.now.Sub(r.at), cause
	}
	return sense.Value{}, catalog.NoAge, cause
}

// aside is a reading that gave way to a signal of one request.
type aside struct {
	scene   *scene
	signal  int32
	reading reading
}

// Accepts says whether With would take the signals of a request.
func (s *State) Accepts(signals []event.Signal) error {
	for k := range signals {
		if _, _, err := s.model.accept(&signals[k]); err != nil {
			return err
		}
	}
	return nil
}

// With lets the signals of one request hold until Without: they stand in for the present
// readings without replacing them, and enter no window. A bad one is an error, and none holds.
func (s *State) With(session string, signals []event.Signal, now sense.Instant) error {
	if err := s.Accepts(signals); err != nil {
		return err
	}
	s.Open(session, now)
	for i := range signals {
		k, v, _ := s.model.accept(&signals[i])
		c := s.sceneOf(session, k)
		s.rouse(c)
		if d := &s.model.bundle.Signals[k]; d.Consent >= 0 && !c.granted.Has(d.Consent) {
			continue
		}
		before := aside{scene: c, signal: k}
		if r := c.latest(s.model, k); r != nil {
			before.reading = reading{value: r.value(), at: r.at, spoke: true}
		}
		s.asides = append(s.asides, before)
		c.keep(s.model, k, reading{value: v, at: s.now.Add(-signals[i].Age), spoke: true})
		c.refreshSignal(s, k)
	}
	return nil
}

// Without ends what With began; the readings before it hold again.
func (s *State) Without(now sense.Instant) {
	s.now = max(s.now, now)
	for k := len(s.asides) - 1; k >= 0; k-- {
		a := s.asides[k]
		s.rouse(a.scene)
		a.scene.keep(s.model, a.signal, a.reading)
		a.scene.refreshSignal(s, a.signal)
	}
	s.asides = s.asides[:0]
}
