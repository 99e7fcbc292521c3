package moment

import (
	"fmt"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Frozen is what one session's conditions rested on at an instant, but for the slice and the
// calendar: the readings, the sides of places, and the outcomes of what looks back over time. Of
// other sessions there is nothing in it.
type Frozen struct {
	Session       string
	Presence      Presence
	Granted       catalog.PurposeSet // in the session
	DeviceGranted catalog.PurposeSet // by anybody on the device
	Absent        []int32            // signals whose source the device lacks, in order
	Readings      []FrozenReading    // in order of signal
	Sides         []FrozenSide       // in order of place
	Device, Own   []rule.FrozenNode  // in order of node
}

// FrozenReading is the latest word of one signal.
type FrozenReading struct {
	Signal int32
	Value  sense.Value // null where the source had nothing to say
	At     sense.Instant
}

// FrozenSide is the last certain side of one place.
type FrozenSide struct {
	Place int32
	Side  place.Side
}

// Freeze returns what the conditions of a session rest on now.
func (s *State) Freeze(session string) Frozen {
	f := Frozen{Session: session, DeviceGranted: s.device.granted, Device: s.device.eval.Freeze()}
	for k, absent := range s.absent {
		if absent {
			f.Absent = append(f.Absent, int32(k))
		}
	}
	c := s.scene(session)
	if c != nil {
		s.wake(c)
		f.Presence, f.Granted, f.Own = c.presence, c.granted, c.eval.Freeze()
	}
	for k := range s.model.bundle.Signals {
		at := s.sceneOf(session, int32(k))
		if at == nil {
			continue
		}
		if r := at.latest(s.model, int32(k)); r != nil {
			f.Readings = append(f.Readings, FrozenReading{Signal: int32(k), Value: r.value(), At: r.at})
		}
	}
	if at := s.positioned(session); at != nil {
		for k, fence := range at.fences {
			if fence.Last != place.Unknown {
				f.Sides = append(f.Sides, FrozenSide{Place: int32(k), Side: fence.Last})
			}
		}
	}
	return f
}

// positioned returns where the sides of places are kept for a session, nil where nowhere.
func (s *State) positioned(session string) *scene {
	if s.model.position < 0 {
		return nil
	}
	return s.sceneOf(session, s.model.position)
}

// Past is the moment of one session at a frozen instant. It is read like any other, may be given
// other inputs and other truths, and does not go on.
type Past struct {
	*State
	session     string
	device, own *rule.Thawed
}

// stillModel prepares a bundle for assumptions, which every node on its own can take.
func stillModel(b *catalog.Bundle) (*model, error) {
	plan, err := rule.NewReference(&b.Program)
	if err != nil {
		return nil, err
	}
	return modelOf(b, plan)
}

// Thaw makes the moment that was frozen, of the one session, with the slice that was there. The error is
// rule.ErrProgram: what was frozen is not of this bundle.
func Thaw(b *catalog.Bundle, f *Frozen, slice *profile.Slice, owners []event.Owner, now sense.Instant) (*Past, error) {
	m, err := stillModel(b)
	if err != nil {
		m = without(b)
		m.plan = m.plan.Reference()
	}
	s := &State{model: m, now: now, started: true, absent: make([]bool, len(b.Signals))}
	s.device = newScene("", false, rule.NewEval(m.plan), f.DeviceGranted)
	c := newScene(f.Session, true, s.device.eval.NewSession(), f.Granted)
	c.presence, c.slice, c.owners = f.Presence, slice, owners
	s.sessions = []*scene{c}
	if f.Presence > Here || (f.Presence == Here) != (slice != nil) {
		return nil, fmt.Errorf("thaw session: presence %d with a slice %v: %w", f.Presence, slice != nil, rule.ErrProgram)
	}
	if slice != nil {
		c.customer = slice.Customer
	}
	if err := s.put(f); err != nil {
		return nil, err
	}
	s.device.refreshAll(s)
	c.refreshAll(s)
	p := &Past{State: s, session: f.Session}
	if p.device, err = s.device.eval.Thaw(f.Device, now); err != nil {
		return nil, err
	}
	if p.own, err = c.eval.Thaw(f.Own, now); err != nil {
		return nil, err
	}
	p.device.Done()
	p.own.Done()
	return p, nil
}

// put lays down the readings and the sides of places.
func (s *State) put(f *Frozen) error {
	signals := int32(len(s.model.bundle.Signals))
	for _, k := range f.Absent {
		if k < 0 || k >= signals {
			return fmt.Errorf("thaw signal %d: it is not declared: %w", k, rule.ErrProgram)
		}
		s.absent[k] = true
	}
	for _, r := range f.Readings {
		if r.Signal < 0 || r.Signal >= signals || !r.Value.IsNull() && r.Value.Kind() != s.model.bundle.Signals[r.Signal].Kind {
			return fmt.Errorf("thaw signal %d: it is not declared so: %w", r.Signal, rule.ErrProgram)
		}
		s.sceneOf(f.Session, r.Signal).keep(s.model, r.Signal, reading{value: r.Value, at: r.At, spoke: true})
	}
	for _, side := range f.Sides {
		at := s.positioned(f.Session)
		if at == nil || side.Place < 0 || int(side.Place) >= len(s.model.bundle.Places) || side.Side > place.Inside {
			return fmt.Errorf("thaw place %d: it is not declared: %w", side.Place, rule.ErrProgram)
		}
		at.fence(s.model, side.Place).Last = side.Side
	}
	return nil
}

// Assume gives an input of the program another value until Undo.
func (p *Past) Assume(input int32, v sense.Value) {
	p.thawed(p.model.bundle.Program.Inputs[input].Scope).Assume(input, rule.Result{Value: v})
}

// AssumeTrue gives a condition another truth until Undo, whatever it reads.
func (p *Past) AssumeTrue(n rule.Node, yes bool) {
	p.thawed(p.model.bundle.Program.Nodes[n].Scope).AssumeTrue(n, yes)
}

func (p *Past) thawed(scope rule.Scope) *rule.Thawed {
	if scope == rule.ScopeDevice {
		return p.device
	}
	return p.own
}

// Work works out what follows from the assumptions.
func (p *Past) Work() {
	p.device.Settle()
	p.own.Settle()
	p.device.Done()
	p.own.Done()
}

// Undo takes back all assumptions.
func (p *Past) Undo() {
	p.device.Undo()
	p.own.Undo()
	p.Work()
}
