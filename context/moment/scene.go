package moment

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/profile"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// scene is the device, or one session: its readings, its slice and its conditions.
type scene struct {
	name     string
	session  bool
	eval     *rule.Eval
	readings []reading     // by signal; those of the other scope stay unused
	fences   []place.Fence // by place
	timers   rule.Timers   // signals, then inputs, by when time alone changes them
	granted  catalog.PurposeSet

	customer string // the last whose slice was here
	slice    *profile.Slice
	owners   []event.Owner
	presence Presence
}

// reading is the latest word of one source.
type reading struct {
	value sense.Value // null where the source has nothing to say
	at    sense.Instant
	spoke bool
}

func (c *scene) prepare(m *model) {
	c.readings = make([]reading, len(m.bundle.Signals))
	c.fences = make([]place.Fence, len(m.bundle.Places))
	c.timers = rule.NewTimers(int32(len(m.bundle.Signals) + len(m.bundle.Program.Inputs)))
}

func (c *scene) scope() rule.Scope {
	if c.session {
		return rule.ScopeSession
	}
	return rule.ScopeDevice
}

func (c *scene) next() sense.Instant { return min(c.timers.Next(), c.eval.Next()) }

func (c *scene) begin(s *State) {
	c.eval.Begin(s.now)
	for {
		slot, ok := c.timers.Pop(s.now)
		if !ok {
			return
		}
		if n := int32(len(c.readings)); slot < n {
			c.refreshSignal(s, slot)
		} else {
			c.refreshInput(s, slot-n)
		}
	}
}

// restart forgets all readings, windows and latches.
func (c *scene) restart(s *State) {
	clear(c.readings)
	c.eval.Restart(s.now)
	c.refreshAll(s)
}

func (c *scene) refreshAll(s *State) {
	c.refreshSignals(s)
	for _, k := range s.model.profile {
		c.refreshInput(s, k)
	}
	for _, k := range s.model.calendar {
		c.refreshInput(s, k)
	}
}

func (c *scene) refreshSignals(s *State) {
	for k := range c.readings {
		if s.model.bundle.Signals[k].Scope == c.scope() {
			c.refreshSignal(s, int32(k))
		}
	}
}

// off says whether a signal about a person is held for nothing that she has not switched off: it is
// kept, since she may switch it on again, and used for nothing meanwhile.
func (c *scene) off(d *catalog.Signal) bool {
	return d.Scope == rule.ScopeSession && d.Purposes != 0 && d.Purposes&c.granted == 0
}

// cause says why signal k has no value now, Known where it has one.
func (c *scene) cause(s *State, k int32) rule.Cause {
	d, r := &s.model.bundle.Signals[k], &c.readings[k]
	switch {
	case d.Consent >= 0 && !c.granted.Has(d.Consent):
		return rule.NotRead
	case c.off(d):
		return rule.InputUnknown
	case !r.spoke || r.value.IsNull():
		return rule.InputUnknown
	case s.now.Sub(r.at) > d.MaxAge:
		return rule.SignalStale
	}
	return rule.Known
}

// refreshSignal hands the state of signal k to the inputs that hang on it.
func (c *scene) refreshSignal(s *State, k int32) {
	d, r := &s.model.bundle.Signals[k], &c.readings[k]
	state := rule.Result{Cause: c.cause(s, k), Value: r.value}
	at, due := r.at, sense.Never
	switch state.Cause {
	case rule.Known:
		due = r.at.Add(d.MaxAge).Add(sense.Millisecond)
	case rule.SignalStale:
		at = r.at.Add(d.MaxAge).Add(sense.Millisecond)
	case rule.NotRead:
		if r.spoke {
			c.drop(s, k)
		}
		at = s.now
	}
	c.timers.Set(k, due)
	for _, input := range s.model.signals[k] {
		if s.model.bundle.Program.Inputs[input].From == rule.FromHas {
			c.eval.Set(input, rule.Result{Value: sense.BoolValue(state.Cause == rule.Known)}, at)
		} else {
			c.eval.Set(input, state, at)
		}
	}
	if k == s.model.position {
		c.refreshPlaces(s, state, at)
	}
}

// drop forgets what was read of signal k: the consent that it asks for is not there any more.
func (c *scene) drop(s *State, k int32) {
	c.readings[k] = reading{}
	for _, input := range s.model.signals[k] {
		c.eval.Forget(input, s.now)
	}
	if k == s.model.position {
		clear(c.fences)
	}
}

// refreshPlaces hands the place of the session to the inputs that ask for it.
func (c *scene) refreshPlaces(s *State, position rule.Result, at sense.Instant) {
	var last int32 = -1
	for _, input := range s.model.places {
		in := &s.model.bundle.Program.Inputs[input]
		state := rule.Result{Cause: position.Cause}
		if position.Cause == rule.Known {
			shape := s.model.shapes[in.Index]
			if in.From == rule.FromDistance {
				state.Value = sense.DoubleValue(shape.Metres(position.Value.Point()))
			} else {
				if in.Index != last {
					c.fences[in.Index].Fix(shape, position.Value)
					last = in.Index
				}
				state = sideOf(c.fences[in.Index].Last)
			}
		}
		c.eval.Set(input, state, at)
	}
}

func sideOf(side place.Side) rule.Result {
	if side == place.Unknown {
		return rule.Result{Cause: rule.InputUnknown}
	}
	return rule.Result{Value: sense.BoolValue(side == place.Inside)}
}

// refreshInput computes one input of the slice or of the calendar, and when it changes by itself.
func (c *scene) refreshInput(s *State, k int32) {
	in := &s.model.bundle.Program.Inputs[k]
	if in.Scope != c.scope() {
		return
	}
	state, at, next := c.lookUp(s, k, in)
	c.timers.Set(int32(len(c.readings))+k, next)
	c.eval.Set(k, state, at)
}

// lookUp answers an input of the slice or of the calendar.
func (c *scene) lookUp(s *State, k int32, in *rule.Input) (state rule.Result, at, next sense.Instant) {
	b := s.model.bundle
	switch in.From {
	case rule.FromHour:
		return rule.Result{Value: sense.IntValue(int64(b.Zone.DayMinute(s.now) / 60))}, s.now, nextHour(b.Zone, s.now)
	case rule.FromWeekday:
		return rule.Result{Value: sense.IntValue(int64(b.Zone.Weekday(s.now)))}, s.now, nextDay(b.Zone, s.now)
	case rule.FromNow: // moves from here on by itself
		return rule.Result{Value: sense.TimestampValue(s.now)}, s.now, sense.Never
	}
	if c.presence != Here {
		if in.From == rule.FromHas && c.presence == Nobody {
			return rule.Result{Value: sense.BoolValue(false)}, s.now, sense.Never
		}
		return rule.Result{Cause: rule.InputUnknown}, s.now, sense.Never
	}
	var yes bool
	switch in.From {
	case rule.FromFact, rule.FromAge, rule.FromHas:
		fact := in.Index
		if in.From == rule.FromHas {
			fact = s.model.facts[k]
		}
		return c.lookUpFact(s, in.From, fact)
	case rule.FromOpen:
		yes, next = c.slice.Open(b, in.Index, s.now)
	case rule.FromOverdue:
		yes, next = c.slice.Overdue(b, in.Index, s.now)
	case rule.FromUntil:
		due, ok, next := c.slice.DueOf(b, in.Index, in.Subject, s.now)
		if !ok {
			return rule.Result{Cause: rule.InputUnknown}, s.now, next
		}
		return rule.Result{Value: sense.TimestampValue(due)}, s.now, next
	default:
		means := catalog.MeansBought + catalog.Means(in.From-rule.FromBought)
		yes, next = c.slice.Did(b, means, in.Subject, in.Window, s.now)
	}
	return rule.Result{Value: sense.BoolValue(yes)}, s.now, next
}

// lookUpFact answers has(fact), age(fact) or the fact itself.
func (c *scene) lookUpFact(s *State, from rule.From, fact int32) (state rule.Result, at, next sense.Instant) {
	h := c.held(s, fact)
	at = s.now
	if h.Present {
		at = s.now.Add(-h.Age)
	}
	switch {
	case from == rule.FromHas:
		return rule.Result{Value: sense.BoolValue(h.Present && h.Fresh)}, s.now, h.Next
	case !h.Present:
		return rule.Result{Cause: rule.FactMissing}, s.now, h.Next
	case !h.Fresh:
		return rule.Result{Cause: rule.FactStale}, s.now, h.Next
	case from == rule.FromFact:
		return rule.Result{Value: h.Value}, at, h.Next
	}
	if h.Value.Kind() != sense.Date {
		return rule.Result{Cause: rule.Failed}, at, h.Next
	}
	years, birthday := age(s.model.bundle.Zone, h.Value.Int(), s.now)
	if years < 0 { // not born yet: the fact is wrong
		return rule.Result{Cause: rule.Failed}, at, min(h.Next, birthday)
	}
	return rule.Result{Value: sense.IntValue(years)}, at, min(h.Next, birthday)
}

// held returns what the slice knows of fact k, nothing unless it is there.
func (c *scene) held(s *State, k int32) profile.Held {
	if c.presence != Here {
		return profile.Held{Next: sense.Never}
	}
	return c.slice.Held(s.model.bundle, k, c.owners, s.now)
}
