package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Options of a run.
type Options struct {
	Out      io.Writer
	Colour   bool                     // ECMA-48 colours
	Terminal bool                     // a progress line that is drawn over
	Fast     bool                     // without pauses for reading
	Keep     bool                     // leave everything running until the context ends
	Meaning  func(code string) string // what a reason code means, in plain words; empty where unknown
}

// How many times as fast as recorded the drive is played.
const (
	calmDrive = 2
	fastDrive = 4
)

// ErrBalance says that devices and hub do not agree on what was decided.
var ErrBalance = errors.New("the balance does not hold")

// Run tells the story. An error is the step that did not happen, ErrBalance, or
// that of the context.
func Run(ctx context.Context, o Options) (err error) {
	trouble := &tail{}
	w := &world{caller: newCaller(), tell: slog.New(slog.NewTextHandler(trouble, &slog.HandlerOptions{Level: slog.LevelWarn})), drive: calmDrive}
	if o.Fast {
		w.drive = fastDrive
	}
	s := &story{world: w, fast: o.Fast, t: &teller{colour: o.Colour, live: o.Terminal, meaning: o.Meaning, out: o.Out}}
	defer func() {
		if ended := w.close(); ended != nil && err == nil {
			err = fmt.Errorf("stop the demo: %w", ended)
		}
	}()
	s.t.start(len(chapters))
	err = s.tell(ctx)
	s.t.end()
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // whatever else failed, failed because of it
	case err != nil && s.t.failed() == nil:
		return trouble.explain(err)
	case err != nil:
		return err
	case !o.Keep:
		return s.t.failed()
	}
	s.addresses()
	<-ctx.Done()
	s.t.say("")
	s.t.say("Stopped; the folder is removed.")
	return s.t.failed()
}

// addresses tells where everything can be reached.
func (s *story) addresses() {
	t, w := s.t, s.world
	t.say("")
	t.say("%s", t.paint(bold, "All of it goes on running until Ctrl-C"))
	t.say("    folder      %s", w.dir)
	t.say("    hub         %s   operator's token in %s/hub/operator.token", w.office.url, w.dir)
	t.say("    broker      %s", w.broker.Address())
	for _, d := range w.devices() {
		t.say("    %s %s", pad(d.name, 11), d.url)
	}
	t.say("")
	t.say("    curl -N %s/v1/stream", w.kiosk.url)
	t.say("    curl -d '{\"ask\":\"kiosk.till\"}' '%s/v1/events?wait=1'", w.kiosk.url)
	t.say("    curl -H \"Authorization: Bearer $(cat %s/hub/operator.token)\" %s/v1/decisions", w.dir, w.office.url)
}

// story is the run as it is told.
type story struct {
	*world
	t    *teller
	fast bool
}

// read gives the reader time.
func (s *story) read(ctx context.Context, d time.Duration) {
	if !s.fast {
		s.t.wait("")
		pause(ctx, d)
	}
}

// chapters in the order in which they are told.
var chapters = []func(*story, context.Context) error{
	(*story).setUp, (*story).justBought, (*story).noise, (*story).booked, (*story).complaint, (*story).freezing, (*story).border, (*story).balance,
}

func (s *story) tell(ctx context.Context) error {
	for _, chapter := range chapters {
		if err := chapter(s, ctx); err != nil {
			return err
		}
		if err := errors.Join(ctx.Err(), s.t.failed()); err != nil {
			return err
		}
	}
	return nil
}

// tail keeps the last lines of what broker, hub and agents had to complain of.
type tail struct {
	mu    sync.Mutex
	lines [8]string
	next  int
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[l.next%len(l.lines)] = string(bytes.TrimSpace(p))
	l.next++
	return len(p), nil
}

// explain adds the lines to an error.
func (l *tail) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for k := max(0, l.next-len(l.lines)); k < l.next; k++ {
		b.WriteString("\n" + l.lines[k%len(l.lines)])
	}
	if b.Len() == 0 {
		return err
	}
	return fmt.Errorf("%w\nhub and agents last said:%s", err, b.String())
}
