package event

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Line is one line of a stream of events: an event, or the error that it is not one.
type Line struct {
	Number int // from 1
	Event  Event
	Err    error
}

// Reader reads event lines from a stream with bounded memory and goes on after
// a bad line. Empty lines are passed over but counted.
type Reader struct {
	in     *bufio.Reader
	number int
}

// NewReader returns a Reader over r. It reads ahead.
func NewReader(r io.Reader) *Reader {
	// The longest line with its CR LF, and one byte to see that a line is longer.
	return &Reader{in: bufio.NewReaderSize(r, MaxLine+3)}
}

// Next returns the next line. Its error is io.EOF at the end, or the stream's
// own; what is wrong with one line is in Line.Err and does not end the stream.
func (r *Reader) Next() (Line, error) {
	for {
		text, err := r.in.ReadSlice('\n')
		if len(text) == 0 && err != nil {
			return Line{}, err
		}
		r.number++
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := r.skip(); err != nil && err != io.EOF {
				return Line{}, err
			}
			return Line{Number: r.number, Err: ErrTooLong}, nil
		}
		if err != nil && err != io.EOF {
			return Line{}, err // a line cut off by a failing stream is no line
		}
		if r.number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put a byte order mark first
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		e, err := ParseLine(text)
		return Line{Number: r.number, Event: e, Err: err}, nil
	}
}

// skip passes over the rest of a line that is too long.
func (r *Reader) skip() error {
	for {
		_, err := r.in.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}
