package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent/sim"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// defaultT0 is where the time of a scenario begins that does not say: a Monday.
const defaultT0 = "2026-03-02T10:00:00+01:00"

// Result is what became of one scenario.
type Result struct {
	File     string    `json:"file"`
	Scenario string    `json:"scenario"`
	Line     int       `json:"line"`
	Passed   bool      `json:"passed"`
	Checks   int       `json:"checks"` // expectations that were looked at
	Failures []Failure `json:"failures"`
}

// Failure is one line that does not hold.
type Failure struct {
	Line     int    `json:"line"`
	Text     string `json:"text"` // of the line
	Expected string `json:"expected"`
	Happened string `json:"happened"`
	Why      string `json:"why"`    // the funnel, or empty
	Update   string `json:"update"` // the line as it would hold, or empty
}

// Policies compiles policy folders, each once.
type Policies struct{ done map[string]compiled }

type compiled struct {
	bundle   *catalog.Bundle
	findings []policy.Finding
	err      error
}

// Get returns a folder's bundle. Without one, findings say why.
func (p *Policies) Get(dir string) (*catalog.Bundle, []policy.Finding, error) {
	if p.done == nil {
		p.done = map[string]compiled{}
	}
	c, ok := p.done[dir]
	if !ok {
		c.bundle, c.findings, c.err = policy.Compile(dir)
		p.done[dir] = c
	}
	return c.bundle, c.findings, c.err
}

// noPolicy stands for a device to which none has come yet.
const noPolicy = "none"

// Run plays one scenario of a file in a fresh world.
func Run(f *File, s *Scenario, p *Policies) Result {
	r := runner{result: Result{File: f.Name, Scenario: s.Name, Line: s.Line, Failures: []Failure{}}, file: f, scenario: s, policies: p, checked: true}
	if s.Policy == "" {
		for k := range s.steps {
			r.check(&s.steps[k])
		}
		r.result.Passed = len(r.result.Failures) == 0
		return r.result
	}
	bundle, findings, err := r.compile(s.Policy)
	switch {
	case s.Policy == noPolicy && s.connected:
		r.stop(s.Line, errors.New("a world has a hub, and a hub has a policy: leave the devices out, or name one"))
	case s.Policy == noPolicy:
		r.play(nil)
	case err != nil:
		r.stop(s.Line, err)
	case bundle == nil:
		r.stop(s.Line, fmt.Errorf("policy %s has %d findings, the first: %s", s.Policy, len(findings), findings[0]))
	default:
		r.play(bundle)
	}
	r.result.Passed = len(r.result.Failures) == 0
	return r.result
}

type runner struct {
	result   Result
	file     *File
	scenario *Scenario
	policies *Policies
	stage    *stage
	t0       sense.Instant
	pending  []pending
	repeats  []*repeat
	checked  bool           // the last line was a `then`: the next event begins an episode
	last     map[*view]seen // decision that `and` speaks of
	over     bool
}

// pending is an event that waits for others of its step.
type pending struct {
	line   int
	on     string
	refuse string
	e      event.Event
}

// repeat is a background.
type repeat struct {
	on    string
	line  int
	pairs [][2]string
	every sense.Duration
	next  sense.Instant
}

func (r *runner) clock() clock { return clock{t0: r.t0, now: r.stage.now} }

// stop ends the scenario with an error at a line.
func (r *runner) stop(line int, err error) {
	r.over = true
	r.result.Failures = append(r.result.Failures, Failure{Line: line, Text: strings.TrimSpace(r.file.Lines[line-1]), Expected: "the line to be taken", Happened: err.Error()})
}

func (r *runner) play(b *catalog.Bundle) {
	t0 := defaultT0
	steps := r.scenario.steps
	if len(steps) > 0 && steps[0].verb == verbAt && steps[0].time[0] != '+' {
		t0 = steps[0].time
		steps = steps[1:]
	}
	start, err := clock{}.read(t0)
	if err != nil {
		r.stop(r.scenario.steps[0].line, err)
		return
	}
	r.t0 = start
	if r.stage, err = newStage(r.scenario, b, start); err != nil {
		r.stop(r.scenario.Line, err)
		return
	}
	for k := range steps {
		if r.over {
			return
		}
		r.step(&steps[k])
	}
	r.flush()
}

func (r *runner) step(s *step) {
	if s.verb == verbThen {
		r.flush()
		if !r.over {
			r.checked = true
			r.check(s)
		}
		return
	}
	if r.checked {
		r.checked = false
		for _, v := range r.stage.views {
			v.shown, v.clears, v.told = nil, nil, nil
		}
	}
	if s.verb != verbEvent {
		r.flush()
	}
	if err := r.act(s); err != nil && !r.over {
		r.stop(s.line, err)
	}
}

func (r *runner) act(s *step) error {
	switch s.verb {
	case verbAt:
		at, err := r.clock().read(s.time)
		if err != nil {
			return err
		}
		return r.advance(at)
	case verbEvent:
		return r.event(s)
	case verbHub:
		e, err := readEvent(s.text, r.clock())
		if err != nil {
			return err
		}
		refused, err := r.stage.tellHub(e)
		if err == nil {
			r.refused(s.line, s.refuse, refused)
		}
		return err
	case verbPolicy:
		return r.become(s.text)
	case verbBackground:
		b := &repeat{on: s.on, line: s.line, pairs: s.pairs, every: s.length, next: r.stage.now}
		r.repeats = append(r.repeats, b)
		return r.renew()
	case verbBackgroundOff:
		r.backgroundOff(s)
	case verbOffline:
		return r.stage.world.Cut(s.on)
	case verbOnline:
		return r.stage.world.Join(s.on)
	case verbPower:
		return r.stage.world.Crash(s.on)
	case verbDelay:
		r.stage.world.SetLink(sim.Link{Least: s.length, Most: s.length})
	}
	return nil
}

func (r *runner) backgroundOff(s *step) {
	if len(s.pairs) == 0 {
		r.repeats = slices.DeleteFunc(r.repeats, func(b *repeat) bool { return s.on == "" || s.on == b.on })
	}
	for _, off := range s.pairs {
		for _, b := range r.repeats {
			if s.on == "" || s.on == b.on {
				b.pairs = slices.DeleteFunc(slices.Clone(b.pairs), func(p [2]string) bool { return p[0] == off[0] })
			}
		}
	}
}

// event takes an event in; events of one instant wait for each other until one that closes.
func (r *runner) event(s *step) error {
	e, err := readEvent(s.text, r.clock())
	if err != nil {
		return err
	}
	if e.HasAt && e.At != r.stage.now {
		r.flush()
		if r.over {
			return nil
		}
		if err := r.advance(e.At); err != nil {
			return err
		}
	}
	if e.Happened > r.stage.now {
		return fmt.Errorf("happened %s lies ahead of %s", e.Happened, r.stage.now)
	}
	if _, link := e.Body.(*event.Link); link && r.stage.world != nil {
		return errors.New("in a connected world a device's link is cut by `D is offline`")
	}
	if r.stage.world != nil && s.on == "" && ofHub(e.Body) {
		r.flush()
		refused, err := r.stage.tellHub(e)
		if err == nil {
			r.refused(s.line, s.refuse, refused)
		}
		return err
	}
	if s.refuse != "" {
		r.flush() // what is refused is looked at by itself
	}
	r.pending = append(r.pending, pending{line: s.line, on: s.on, refuse: s.refuse, e: e})
	if event.Closes(e.Body) || s.refuse != "" {
		r.flush()
	}
	return nil
}

// flush gives the events that wait to whom they concern.
func (r *runner) flush() {
	if r.over || len(r.pending) == 0 {
		return
	}
	list := r.pending
	r.pending = nil
	taken := make([]bool, len(list))
	for _, v := range r.stage.views {
		var events []event.Event
		var index []int
		for k, p := range list {
			if ask, ok := p.e.Body.(*event.Ask); ok && p.on == "" && len(r.stage.views) > 1 && !r.stage.has(v, ask.Slot) {
				continue
			}
			if p.on == "" || p.on == v.name {
				events, index = append(events, p.e), append(index, k)
				taken[k] = true
			}
		}
		if len(events) == 0 {
			continue
		}
		refused, err := r.stage.give(v, events)
		if err != nil {
			r.stop(list[index[0]].line, err)
			return
		}
		if p := list[index[0]]; p.refuse != "" {
			var why error
			if len(refused) > 0 {
				why = refused[0].Err
			}
			r.refused(p.line, p.refuse, why)
		} else if len(refused) > 0 {
			r.refused(list[index[refused[0].Index]].line, "", refused[0].Err)
			return
		}
	}
	if k := slices.Index(taken, false); k >= 0 {
		r.stop(list[k].line, errors.New("no device has the slot"))
	}
}

// advance moves the clock, with the backgrounds renewed on the way.
func (r *runner) advance(to sense.Instant) error {
	if to < r.stage.now {
		return fmt.Errorf("time goes back from %s to %s", r.stage.now, to)
	}
	for {
		next := to
		for _, b := range r.repeats {
			if len(b.pairs) > 0 {
				next = min(next, b.next)
			}
		}
		if next > r.stage.now {
			if err := r.stage.run(next); err != nil {
				return err
			}
		}
		if err := r.renew(); err != nil || r.over {
			return err
		}
		if next == to {
			return r.stage.run(to)
		}
	}
}

// renew gives the background signals that are due now.
func (r *runner) renew() error {
	for _, b := range r.repeats {
		if b.next > r.stage.now {
			continue
		}
		for b.next <= r.stage.now {
			b.next = b.next.Add(b.every)
		}
		for _, p := range b.pairs {
			v, err := value(p[1])
			if err != nil {
				return err
			}
			r.pending = append(r.pending, pending{line: b.line, on: b.on, e: event.Event{Happened: r.stage.now, Session: event.MainSession, Body: &event.Signal{Name: p[0], Value: v}}})
		}
	}
	r.flush()
	return nil
}
