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
	readings []word        // by place of the signal among those of the scope; nil before the first word of any
	fences   []place.Fence // by place; nil before the first position
	timers   *rule.Timers  // by place of the signal or input among those of the scope; nil where time alone changes nothing yet
	granted  catalog.PurposeSet

	began  uint64        // the last step that began here
	lively bool          // something happened here in that step: what lasts for one step ends with the next
	due    sense.Instant // when time alone changes something, as it is queued
	place  int           // in the queue; -1 where not in it

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

// word is a reading as it is kept: a session keeps one for each of its signals.
type word struct {
	at    sense.Instant
	num   int64
	rich  *sense.Value // of a kind for which no number stands; kept to be written over
	kind  sense.Kind   // zero where the source has nothing to say
	spoke bool
}

// value returns what was said, null where that was nothing.
func (w *word) value() sense.Value {
	switch {
	case w.kind.IsNum():
		return sense.NumValue(w.kind, w.num)
	case w.kind != sense.Null:
		return *w.rich
	}
	return sense.Value{}
}

// newScene begins the device, or a session, of which nothing is known yet.
func newScene(name string, session bool, eval *rule.Eval, granted catalog.PurposeSet) *scene {
	return &scene{name: name, session: session, eval: eval, granted: granted, due: sense.Never, place: -1}
}

// latest returns the latest word of signal k, nil where it has not spoken.
func (c *scene) latest(m *model, k int32) *word {
	if c.readings == nil || !c.readings[m.places[k]].spoke {
		return nil
	}
	return &c.readings[m.places[k]]
}

// keep puts down what a signal says.
func (c *scene) keep(m *model, k int32, r reading) {
	if c.readings == nil {
		c.readings = make([]word, m.own[c.scope()].signals)
	}
	w := &c.readings[m.places[k]]
	w.at, w.kind, w.num, w.spoke = r.at, r.value.Kind(), 0, r.spoke
	switch {
	case w.kind.IsNum():
		w.num = r.value.Int()
	case r.value.IsNull():
		w.rich = nil
	case w.rich == nil:
		w.rich = new(sense.Value)
		fallthrough
	default:
		*w.rich = r.value
	}
}

// fence returns where the last certain side of a place is kept.
func (c *scene) fence(m *model, k int32) *place.Fence {
	if c.fences == nil {
		c.fences = make([]place.Fence, len(m.bundle.Places))
	}
	return &c.fences[k]
}

// wait lets the turn of a signal or input come at an instant; Never is no turn.
func (c *scene) wait(m *model, turn int32, due sense.Instant) {
	if c.timers == nil {
		if due == sense.Never {
			return
		}
		t := rule.NewTimers(int32(len(m.own[c.scope()].turns)))
		c.timers = &t
	}
	c.timers.Set(turn, due)
}

func (c *scene) scope() rule.Scope {
	if c.session {
		return rule.ScopeSession
	}
	return rule.ScopeDevice
}

// next returns when time alone changes something here.
func (c *scene) next() sense.Instant {
	if c.timers == nil {
		return c.eval.Next()
	}
	return min(c.timers.Next(), c.eval.Next())
}

// turn takes in what time changed by now.
func (c *scene) turn(s *State) {
	for c.timers != nil {
		turn, ok := c.timers.Pop(s.now)
		if !ok {
			return
		}
		if own := &s.model.own[c.scope()]; turn < own.signals {
			c.refreshSignal(s, own.turns[turn])
		} else {
			c.refreshInput(s, own.turns[turn])
		}
	}
}

// restart forgets all readings, windows and latches.
func (c *scene) restart(s *State) {
	c.readings = nil
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
	own := &s.model.own[c.scope()]
	for _, k := range own.turns[:own.signals] {
		c.refreshSignal(s, k)
	}
}

// off says whether a signal about a person is held for nothing that she has not switched off: it is
// kept, since she may switch it on again, and used for nothing meanwhile.
func (c *scene) off(d *catalog.Signal) bool {
	return d.Scope == rule.ScopeSession && d.Purposes != 0 && d.Purposes&c.granted == 0
}

// cause says why signal k has no value now, Known where it has one.
func (c *scene) cause(s *State, k int32) rule.Cause {
	d, r := &s.model.bundle.Signals[k], c.latest(s.model, k)
	switch {
	case d.Consent >= 0 && !c.granted.Has(d.Consent):
		return rule.NotRead
	case c.off(d):
		return rule.InputUnknown
	case r == nil || r.kind == sense.Null:
		return rule.InputUnknown
	case s.now.Sub(r.at) > d.MaxAge:
		return rule.SignalStale
	}
	return rule.Known
}

// refreshSignal hands the state of signal k to the inputs that hang on it.
func (c *scene) refreshSignal(s *State, k int32) {
	d, r := &s.model.bundle.Signals[k], c.latest(s.model, k)
	state := rule.Result{Cause: c.cause(s, k)}
	at, due := sense.Instant(0), sense.Never
	if r != nil {
		state.Value, at = r.value(), r.at
	}
	switch state.Cause {
	case rule.Known:
		due = r.at.Add(d.MaxAge).Add(sense.Millisecond)
	case rule.SignalStale:
		at = r.at.Add(d.MaxAge).Add(sense.Millisecond)
	case rule.NotRead:
		if r != nil {
			c.drop(s, k)
		}
		at = s.now
	}
	c.wait(s.model, s.model.places[k], due)
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
	c.keep(s.model, k, reading{})
	for _, input := range s.model.signals[k] {
		c.eval.Forget(input, s.now)
	}
	if k == s.model.position {
		c.fences = nil
	}
}

// refreshPlaces hands the place of the session to the inputs that ask for it.
func (c *scene) refreshPlaces(s *State, position rule.Result, at sense.Instant) {
	var last int32 = -1
	for _, input := range s.model.located {
		in := &s.model.bundle.Program.Inputs[input]
		state := rule.Result{Cause: position.Cause}
		if position.Cause == rule.Known {
			shape := s.model.shapes[in.Index]
			if in.From == rule.FromDistance {
				state.Value = sense.DoubleValue(shape.Metres(position.Value.Point()))
			} else {
				fence := c.fence(s.model, in.Index)
				if in.Index != last {
					fence.Fix(shape, position.Value)
					last = in.Index
				}
				state = sideOf(fence.Last)
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
	c.wait(s.model, s.model.turns[k], next)
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
