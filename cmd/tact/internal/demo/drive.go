package demo

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

//go:embed drive.nmea
var recorded []byte

// readingsPerSecond is how often the receiver spoke in the log.
const readingsPerSecond = 2

// reading is what the receiver said at one instant of the log: its sentences,
// without checksum.
type reading []string

// readings cuts the log at its RMC sentences.
func readings(log []byte) []reading {
	var list []reading
	for line := range bytes.Lines(log) {
		body, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(line)), "$"), "*")
		if !ok {
			continue
		}
		if strings.HasPrefix(body, "GPRMC,") {
			list = append(list, nil)
		}
		if n := len(list); n > 0 {
			list[n-1] = append(list[n-1], body)
		}
	}
	return list
}

// sentence ends a sentence as NMEA 0183 does: $body*checksum CR LF.
func sentence(body string) string {
	var sum byte
	for _, c := range []byte(body) {
		sum ^= c
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}

// said prints a reading as the receiver says it at an instant.
func (r reading) said(at time.Time) string {
	at = at.UTC()
	text := ""
	for _, body := range r {
		f := strings.Split(body, ",")
		f[1] = at.Format("150405.00")
		if f[0] == "GPRMC" {
			f[9] = at.Format("020106")
		}
		text += sentence(strings.Join(f, ","))
	}
	return text
}

// receiver is the car's satellite receiver: it plays the drive to whoever is
// connected. It stands at the first reading until told to go, and at the last
// one after it; at the gate it says nothing until the gate is open.
type receiver struct {
	listener net.Listener
	drive    []reading
	speed    int // times as fast as recorded
	border   int // index of the reading before which the gate stands

	mu      sync.Mutex
	conns   map[net.Conn]bool
	next    int
	going   bool
	open    bool
	arrived chan struct{} // closed when the last reading was said
	done    sync.WaitGroup
}

// gateBefore is how many readings before the border the gate stands.
const gateBefore = 3

// startReceiver listens on a free loopback port and speaks until ctx ends.
func startReceiver(ctx context.Context, speed int) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the car's receiver: %w", err)
	}
	r := &receiver{listener: l, drive: readings(recorded), speed: speed, conns: map[net.Conn]bool{}, arrived: make(chan struct{})}
	for r.border < len(r.drive) && latitude(r.drive[r.border]) > borderLatitude {
		r.border++
	}
	r.done.Go(r.accept)
	r.done.Go(func() { r.play(ctx) })
	return r, nil
}

// latitude is the text of a reading's latitude, ddmm.mmmm: all are north, and as wide.
func latitude(r reading) string { return strings.Split(r[0], ",")[3] }

// borderLatitude is 51.45 degrees north, where policy/borders.geojson has the border.
const borderLatitude = "5127.00000"

func (r *receiver) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.conns[c] = true
		r.mu.Unlock()
	}
}

func (r *receiver) play(ctx context.Context) {
	tick := time.NewTicker(time.Second / time.Duration(readingsPerSecond*r.speed))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-tick.C:
			r.say(at)
		}
	}
}

func (r *receiver) say(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.going && !r.open && r.next >= r.border-gateBefore {
		return
	}
	text := r.drive[r.next].said(at)
	for c := range r.conns {
		if err := c.SetWriteDeadline(at.Add(time.Second)); err != nil {
			delete(r.conns, c)
			continue
		}
		if _, err := c.Write([]byte(text)); err != nil {
			c.Close()
			delete(r.conns, c)
		}
	}
	if r.going && r.next < len(r.drive)-1 {
		if r.next++; r.next == len(r.drive)-1 {
			close(r.arrived)
		}
	}
}

// Go lets the car drive off.
func (r *receiver) Go() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.going = true
}

// Open opens the gate before the border.
func (r *receiver) Open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = true
}

// passed says whether the car is so many readings beyond the border.
func (r *receiver) passed(readings int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next >= min(r.border+readings, len(r.drive)-1)
}

// Close ends the receiver, whose context must have ended.
func (r *receiver) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.done.Wait()
	return err
}
