package board

import (
	"fmt"
	"io"

	"github.com/tact-edge/tact/context/event"
)

// ReplayNMEA decodes a log of NMEA sentences to its end and hands each reading
// to emit as an event with its time, in the session "main". It reads pieces of
// chunk bytes (64 KiB where chunk is 0); the size changes nothing. It returns
// what the decoder met, also with an error, which is the reader's or emit's.
func ReplayNMEA(r io.Reader, chunk int, emit func(event.Event) error) (NMEACounters, error) {
	if chunk <= 0 {
		chunk = 64 << 10
	}
	d := NewNMEA(false, 0)
	say := func(r Reading) error {
		return emit(event.Event{At: r.At, HasAt: true, Happened: r.At, Session: event.MainSession,
			Body: &event.Signal{Name: r.Signal, Value: r.Value, Age: r.Age}})
	}
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		if fail := d.Push(buf[:n], say); fail != nil {
			return d.Counters(), fail
		}
		if err == io.EOF {
			err = d.End(say)
			return d.Counters(), err
		}
		if err != nil {
			return d.Counters(), fmt.Errorf("read NMEA log: %w", err)
		}
	}
}
