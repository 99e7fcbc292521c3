package replay

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// Line is one line of an input: an event, or why there is none.
type Line struct {
	File   string
	Number int // from 1; 0 where the input has no lines
	Event  event.Event
	Err    error
}

// Source gives the lines of one input in order. An error beside a line is the
// input's own, and the last thing that comes.
type Source iter.Seq2[Line, error]

// Events reads event lines.
func Events(file string, r io.Reader) Source {
	return func(yield func(Line, error) bool) {
		lines := event.NewReader(r)
		for {
			l, err := lines.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Line{}, fmt.Errorf("read %s: %w", file, err))
				return
			}
			if !yield(Line{File: file, Number: l.Number, Event: l.Event, Err: l.Err}, nil) {
				return
			}
		}
	}
}

// HasLeases says whether event lines hold a lease line. It reads up to the first one.
func HasLeases(r io.Reader) (bool, error) {
	lines := event.NewReader(r)
	for {
		l, err := lines.Next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		if _, ok := l.Event.Body.(*event.Lease); ok {
			return true, nil
		}
	}
}

var (
	errUndated = errors.New("at is missing: in a replay every line says when it came")
	errStopped = errors.New("no more lines are wanted")
)

// Pushed makes a source of a reader that hands out its events by calling back;
// run returns the input's error.
func Pushed(file string, run func(emit func(event.Event) error, refuse func(error)) error) Source {
	return func(yield func(Line, error) bool) {
		stopped := false
		give := func(l Line) error {
			if stopped || !yield(l, nil) {
				stopped = true
				return errStopped
			}
			return nil
		}
		err := run(
			func(e event.Event) error { return give(Line{File: file, Event: e}) },
			func(err error) { _ = give(Line{Err: err}) }, // it names its place itself
		)
		if err != nil && !stopped {
			yield(Line{}, err)
		}
	}
}

// head is a source with its next line in hand.
type head struct {
	next func() (Line, error, bool)
	line Line
	last sense.Instant
	any  bool
}

// Merge gives the lines of all sources in order of At, the earlier source first
// where they are equal. A line without an instant, or before the one before it in
// its source, comes with an error in its place. It ends at the first error of a source.
func Merge(sources ...Source) Source {
	return func(yield func(Line, error) bool) {
		var heads []*head
		for _, s := range sources {
			next, stop := iter.Pull2(iter.Seq2[Line, error](s))
			defer stop()
			heads = append(heads, &head{next: next})
		}
		waiting := make([]*head, 0, len(heads))
		for _, h := range heads {
			ok, goOn := h.pull(yield)
			if !goOn {
				return
			}
			if ok {
				waiting = append(waiting, h)
			}
		}
		for len(waiting) > 0 {
			first := 0
			for k := range waiting {
				if waiting[k].line.Event.At < waiting[first].line.Event.At {
					first = k
				}
			}
			if !yield(waiting[first].line, nil) {
				return
			}
			ok, goOn := waiting[first].pull(yield)
			if !goOn {
				return
			}
			if !ok {
				waiting = append(waiting[:first], waiting[first+1:]...)
			}
		}
	}
}

// pull takes the next good line in hand; what is refused on the way is given out
// at once. ok is false at the end of the source, goOn at an error or when no more is wanted.
func (h *head) pull(yield func(Line, error) bool) (ok, goOn bool) {
	for {
		l, err, more := h.next()
		if !more {
			return false, true
		}
		if err != nil {
			yield(Line{}, err)
			return false, false
		}
		switch {
		case l.Err != nil:
		case !l.Event.HasAt:
			l.Err = errUndated
		case h.any && l.Event.At < h.last:
			l.Err = fmt.Errorf("at %s is before %s of a line above: lines are in order of time", l.Event.At, h.last)
		default:
			h.any, h.last, h.line = true, l.Event.At, l
			return true, true
		}
		if !yield(l, nil) {
			return false, false
		}
	}
}
