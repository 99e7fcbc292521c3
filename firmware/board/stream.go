package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// stream opens an input of bytes: a file, a serial port, a connection.
type stream struct {
	name  string // as in errors: file /var/log/drive.nmea
	open  func(ctx context.Context) (io.ReadCloser, error)
	quiet time.Duration // a connection that says nothing for so long is dead; 0 waits for ever
	ends  bool          // its end is the end of the input, and no failure
}

// dialTimeout is how long a connection may take.
const dialTimeout = 10 * time.Second

// stream returns the input of bytes that a configuration names.
func (c Config) stream(p Ports) stream {
	switch {
	case c.Serial != "":
		return stream{name: "serial port " + c.Serial, quiet: c.quiet(), open: func(context.Context) (io.ReadCloser, error) {
			return p.Serial(c.Serial, c.baud())
		}}
	case c.TCP != "":
		return stream{name: "tcp " + c.TCP, quiet: c.quiet(), open: dial(p, "tcp", c.TCP)}
	case c.Socket != "":
		return stream{name: "socket " + c.Socket, quiet: c.quiet(), open: dial(p, "unix", c.Socket)}
	case c.Path == "-":
		return stream{name: "stdin", ends: true, open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(p.Stdin), nil }}
	}
	return stream{name: "file " + c.Path, ends: true, open: func(context.Context) (io.ReadCloser, error) { return os.Open(c.Path) }}
}

func dial(p Ports, network, address string) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return p.Dial(ctx, network, address)
	}
}

// read opens the stream and hands each piece to take until it ends, with the
// errors that Source.Run promises.
func (s stream) read(ctx context.Context, take func([]byte) error) error {
	return s.use(ctx, func(r io.Reader) error {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			if fail := take(buf[:n]); fail != nil {
				return fail
			}
			if err != nil {
				return err
			}
		}
	})
}

// use opens the stream for a reader of it; the reader returns the stream's
// error, io.EOF at its end.
func (s stream) use(ctx context.Context, read func(io.Reader) error) error {
	in, err := s.open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("open %s: %w", s.name, err)
	}
	// Closing is what ends a blocked read, of a port as of a connection. Stdin
	// cannot be closed: its reader is left behind when it blocks.
	stop := context.AfterFunc(ctx, func() { in.Close() })
	defer in.Close()
	defer stop()
	done := make(chan error, 1)
	go func() { done <- read(s.watched(in)) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(closeWithin):
		}
		return nil
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, io.EOF) && s.ends:
		return ErrEnded
	case errors.Is(err, io.EOF):
		return fmt.Errorf("read %s: the other side closed it", s.name)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("read %s: nothing came for %s, so it is taken for dead", s.name, s.quiet)
	}
	return fmt.Errorf("read %s: %w", s.name, err)
}

// closeWithin is how long a source may take to close.
const closeWithin = time.Second

// watched puts a deadline on each read of a connection, so that one whose other
// side is gone without a word (half open) is found out.
func (s stream) watched(r io.Reader) io.Reader {
	if c, ok := r.(interface{ SetReadDeadline(time.Time) error }); ok && s.quiet > 0 {
		return deadlineReader{r, func() error { return c.SetReadDeadline(time.Now().Add(s.quiet)) }}
	}
	if p, ok := r.(interface{ SetReadTimeout(time.Duration) error }); ok && s.quiet > 0 {
		return deadlineReader{timeoutReader{r}, func() error { return p.SetReadTimeout(s.quiet) }}
	}
	return r
}

type deadlineReader struct {
	io.Reader
	arm func() error
}

func (d deadlineReader) Read(p []byte) (int, error) {
	if err := d.arm(); err != nil {
		return 0, err
	}
	return d.Reader.Read(p)
}

// timeoutReader turns the empty read, by which a serial port says that its time
// is over, into an error.
type timeoutReader struct{ io.Reader }

func (t timeoutReader) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

// keepAlive finds out within about half a minute that the other side of a quiet
// connection is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}
