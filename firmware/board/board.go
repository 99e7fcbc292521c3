package board

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Board runs the sources that feed a wanted signal, and no other.
type Board struct {
	emit func(event.Event) error

	mu      sync.Mutex
	sources []*runner // as configured
	closed  bool
}

// Phase of a source.
type Phase string

const (
	Stopped Phase = "stopped" // no wanted signal comes from it
	Running Phase = "running"
	Failed  Phase = "failed" // waits to be run again
	Ended   Phase = "ended"  // its input is at its end
)

// State is how a source is.
type State struct {
	Name    string // as configured, else kind and number: nmea-1
	Kind    string
	Phase   Phase
	Since   time.Time // of the phase
	Why     []string  // the wanted signals that it feeds, in order; for a source of any event that is wanted whatever the rules read, ["*"]
	Err     string    // what failed last, also after it runs again; empty if nothing did
	Refused uint64    // lines and cells left out
	Last    string    // what was refused last
}

// Start returns a board with the sources of a device's configuration, of which
// those run that feed one of the wanted signals. A configuration that is not
// valid is an error that names source and field; nothing is started then.
//
// emit is the owner's inbox, called from a goroutine for each source, so from
// several at once. It may block: then sources wait. An inbox that is full should
// make room by letting the newest waiting reading of the same session and
// signal replace the one before, and never drop or replace any other event: a
// tap or a card is not repeated. Its error means that the owner is closing.
//
// The owner closes the board.
func Start(configs []Config, wanted []string, ports Ports, emit func(event.Event) error) (*Board, error) {
	b := &Board{emit: emit}
	names := map[string]bool{}
	for k, c := range configs {
		if err := c.Validate(); err != nil {
			return nil, fmt.Errorf("sources[%d].%w", k, err)
		}
		if c.Name == "" {
			c.Name = fmt.Sprintf("%s-%d", c.Kind, k+1)
		}
		if names[c.Name] {
			return nil, fmt.Errorf("sources[%d].name: two sources are called %q", k, c.Name)
		}
		names[c.Name] = true
		b.add(c.Name, c.Kind, c.session(), c.source(ports))
	}
	b.Want(wanted)
	return b, nil
}

func (b *Board) add(name, kind, session string, s Source) {
	b.sources = append(b.sources, &runner{
		source: s, session: session, emit: b.emit,
		state: State{Name: name, Kind: kind, Phase: Stopped, Since: time.Now()},
	})
}

// Want says which signals are wanted from now on. Sources that feed none of
// them are closed within a second, those that feed one are started; it does not
// wait for either. Of a source only the wanted signals are delivered. A source
// that does not say what it feeds (a local app that may give any event, a CSV
// log whose columns are not listed) always runs.
func (b *Board) Want(signals []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for _, r := range b.sources {
		r.want(signals)
	}
}

// States returns how each source is, as configured.
func (b *Board) States() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]State, len(b.sources))
	for k, r := range b.sources {
		out[k] = r.report()
	}
	return out
}

// Close stops all sources and returns when they are closed.
func (b *Board) Close() {
	b.mu.Lock()
	b.closed = true
	for _, r := range b.sources {
		r.want(nil)
		r.stop()
	}
	b.mu.Unlock()
	for _, r := range b.sources {
		r.wait()
	}
}

const (
	// firstPause and longestPause bound the wait before a source that failed is
	// run again; it doubles with each failure in a row.
	firstPause   = time.Second
	longestPause = time.Minute
	// soundAfter is how long a run must have lasted for the next failure to count as the first.
	soundAfter = time.Minute
)

// runner runs one source while it is wanted.
type runner struct {
	source  Source
	session string
	emit    func(event.Event) error

	mu     sync.Mutex
	state  State
	why    []string           // wanted signals, nil while stopped
	cancel context.CancelFunc // of the present run; nil while stopped
	done   chan struct{}      // of the newest run
}

// want starts, stops or leaves the source as it is.
func (r *runner) want(signals []string) {
	why := []string{"*"}
	if feeds := r.source.Feeds(); feeds != nil {
		why = nil
		for _, f := range feeds {
			if slices.Contains(signals, f) {
				why = append(why, f)
			}
		}
	}
	r.mu.Lock()
	r.why = why
	running := r.cancel != nil
	r.mu.Unlock()
	switch {
	case len(why) == 0 && running:
		r.stop()
	case len(why) > 0 && !running:
		r.start()
	}
}

func (r *runner) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	r.mu.Lock()
	before := r.done
	r.cancel, r.done = cancel, done
	r.mu.Unlock()
	go func() {
		defer close(done)
		if before != nil {
			<-before // the same hardware is not opened twice
		}
		r.run(ctx)
	}()
}

func (r *runner) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
		r.phase(Stopped)
	}
}

func (r *runner) wait() {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	if done != nil {
		<-done
	}
}

func (r *runner) report() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	s.Why = slices.Clone(r.why)
	return s
}

// phase is called with the lock held.
func (r *runner) phase(p Phase) {
	if r.state.Phase != p {
		r.state.Phase, r.state.Since = p, time.Now()
	}
}

// run runs the source until the context ends or its input does, again and again.
func (r *runner) run(ctx context.Context) {
	wait := firstPause
	for ctx.Err() == nil {
		begin := time.Now()
		r.enter(ctx, Running, "")
		spoken := map[string]bool{}
		err := r.source.Run(ctx, Sink{Emit: r.deliver(ctx, spoken), Refuse: r.refuse})
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrEnded):
			r.enter(ctx, Ended, "")
			return
		case errors.Is(err, errClosing):
			r.enter(ctx, Failed, err.Error())
			return
		case err == nil:
			err = errors.New("it stopped by itself")
		}
		r.enter(ctx, Failed, err.Error())
		if !r.unavailable(ctx, spoken) {
			return
		}
		if time.Since(begin) >= soundAfter {
			wait = firstPause
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, longestPause)
	}
}

// enter notes a phase, unless the run was stopped.
func (r *runner) enter(ctx context.Context, p Phase, fail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	r.phase(p)
	if fail != "" {
		r.state.Err = fail
	}
}

var errClosing = errors.New("the owner takes no more events")

// deliver lets through what is wanted while the run lasts, and notes in spoken
// which signals have a value.
func (r *runner) deliver(ctx context.Context, spoken map[string]bool) func(event.Event) error {
	any := r.source.Feeds() == nil
	return func(e event.Event) error {
		if ctx.Err() != nil {
			return errClosing
		}
		if s, ok := e.Body.(*event.Signal); ok && !any {
			r.mu.Lock()
			wanted := slices.Contains(r.why, s.Name)
			r.mu.Unlock()
			if !wanted {
				return nil
			}
			spoken[s.Name] = !s.Value.IsNull()
		}
		if err := r.emit(e); err != nil {
			return errors.Join(errClosing, err)
		}
		return nil
	}
}

func (r *runner) refuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Refused++
	r.state.Last = err.Error()
}

// unavailable says of each signal that a failed source gave that it has no value now.
func (r *runner) unavailable(ctx context.Context, spoken map[string]bool) bool {
	say := r.deliver(ctx, spoken)
	for _, name := range r.source.Feeds() {
		if spoken[name] {
			if err := say(live(r.state.Name, r.session, name, sense.NullValue(), 0)); err != nil {
				return false
			}
		}
	}
	return true
}
