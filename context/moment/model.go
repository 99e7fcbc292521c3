package moment

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// PositionSignal is the signal that says where a session is; without one of this name, the
// first signal of the type position in order of name.
const PositionSignal = "position"

// model is a bundle, prepared: which inputs hang on which source. It is read-only.
type model struct {
	bundle   *catalog.Bundle
	plan     *rule.Plan
	shapes   []*place.Shape // by place; nil where no condition reads it
	position int32          // the signal, -1 where there is none
	signals  [][]int32      // signal -> its FromSignal and FromHas inputs
	located  []int32        // FromInside and FromDistance inputs
	profile  []int32        // inputs of the slice
	calendar []int32        // FromHour, FromWeekday and FromNow inputs
	facts    []int32        // by input: the fact of a FromHas, else -1
	places   []int32        // signal -> its place among those of its scope
	turns    []int32        // input of the slice or the calendar -> its turn in its scope
	own      [2]ownOf       // by scope
}

// ownOf is what one scope keeps.
type ownOf struct {
	signals int32
	turns   []int32 // its signals, then its inputs of the slice or the calendar
}

// Check says whether a bundle's conditions can be evaluated: the program is sound and can be compiled, and every
// input points at something of the right kind and scope.
func Check(b *catalog.Bundle) error {
	if err := rule.Compiles(&b.Program, Interest(b)); err != nil {
		return err
	}
	_, err := modelOf(b, nil)
	return err
}

func newModel(b *catalog.Bundle) (*model, error) {
	plan, err := rule.NewPlan(&b.Program, Interest(b))
	if err != nil {
		return nil, err
	}
	return modelOf(b, plan)
}

// modelOf hangs the inputs of a bundle on their sources.
func modelOf(b *catalog.Bundle, plan *rule.Plan) (*model, error) {
	m := &model{bundle: b, plan: plan, position: -1, shapes: make([]*place.Shape, len(b.Places)),
		signals: make([][]int32, len(b.Signals)), facts: make([]int32, len(b.Program.Inputs))}
	for k := range b.Signals {
		if b.Signals[k].Kind == sense.Position && (m.position < 0 || b.Signals[k].Name == PositionSignal) {
			m.position = int32(k)
		}
	}
	for k := range b.Program.Inputs {
		m.facts[k] = -1
		if err := m.sort(int32(k)); err != nil {
			return nil, fmt.Errorf("check input %d (%s): %w: %w", k, b.Program.Inputs[k].Name, err, rule.ErrProgram)
		}
	}
	m.number()
	for k := range b.States {
		for _, signal := range b.States[k].Inputs {
			if signal < 0 || int(signal) >= len(b.Signals) {
				return nil, fmt.Errorf("check state %s: signal %d does not exist: %w", b.States[k].Name, signal, rule.ErrProgram)
			}
		}
	}
	return m, nil
}

// number gives what one scope keeps its places in that scope alone: a session keeps nothing of the device.
func (m *model) number() {
	b := m.bundle
	m.places, m.turns = make([]int32, len(b.Signals)), make([]int32, len(b.Program.Inputs))
	for k := range b.Signals {
		scope := rule.ScopeSession
		if b.Signals[k].Scope == rule.ScopeDevice {
			scope = rule.ScopeDevice
		}
		own := &m.own[scope]
		m.places[k] = own.signals
		own.signals++
		own.turns = append(own.turns, int32(k))
	}
	for _, inputs := range [...][]int32{m.profile, m.calendar} {
		for _, k := range inputs {
			own := &m.own[b.Program.Inputs[k].Scope]
			m.turns[k] = int32(len(own.turns))
			own.turns = append(own.turns, k)
		}
	}
}

// without prepares a bundle as if it had no conditions: none of them is ever known.
func without(b *catalog.Bundle) *model {
	bare := *b
	bare.Program = rule.Program{}
	bare.States = slices.Clone(b.States)
	for k := range bare.States {
		bare.States[k].Inputs = nil
	}
	m, _ := newModel(&bare) // nothing is left that could be refused
	return m
}

// sort hangs an input on its source.
func (m *model) sort(k int32) error {
	b, in := m.bundle, &m.bundle.Program.Inputs[k]
	within := func(n int) bool { return in.Index >= 0 && int(in.Index) < n }
	scope := rule.ScopeSession
	switch {
	case in.From == rule.FromSignal:
		if !within(len(b.Signals)) || b.Signals[in.Index].Kind != in.Kind {
			return fmt.Errorf("signal %d of kind %s does not exist", in.Index, in.Kind)
		}
		scope = b.Signals[in.Index].Scope
		m.signals[in.Index] = append(m.signals[in.Index], k)
	case in.From == rule.FromHas:
		if signal := b.SignalIndex(in.Name); signal >= 0 {
			scope = b.Signals[signal].Scope
			m.signals[signal] = append(m.signals[signal], k)
			break
		}
		fact := b.FactIndex(in.Name)
		if fact < 0 {
			return fmt.Errorf("no signal and no fact has that name")
		}
		m.facts[k] = fact
		m.profile = append(m.profile, k)
	case in.From == rule.FromInside || in.From == rule.FromDistance:
		if !within(len(b.Places)) || m.position < 0 {
			return fmt.Errorf("place %d, or a signal of type position, does not exist", in.Index)
		}
		shape, err := place.NewShape(&b.Places[in.Index].Area)
		if err != nil {
			return err
		}
		m.shapes[in.Index] = shape
		scope = b.Signals[m.position].Scope
		m.located = append(m.located, k)
	case in.From == rule.FromHour || in.From == rule.FromWeekday || in.From == rule.FromNow:
		scope = rule.ScopeDevice
		m.calendar = append(m.calendar, k)
	case in.From == rule.FromFact || in.From == rule.FromAge:
		if !within(len(b.Facts)) || in.From == rule.FromAge && b.Facts[in.Index].Kind != sense.Date {
			return fmt.Errorf("fact %d of the right kind does not exist", in.Index)
		}
		m.profile = append(m.profile, k)
	case in.From == rule.FromOpen || in.From == rule.FromOverdue || in.From == rule.FromUntil:
		if !within(len(b.Kinds)) {
			return fmt.Errorf("kind of interaction %d does not exist", in.Index)
		}
		m.profile = append(m.profile, k)
	default:
		m.profile = append(m.profile, k)
	}
	if in.Scope != scope {
		return fmt.Errorf("it has another scope than its source")
	}
	return nil
}
