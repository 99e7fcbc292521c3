package board

import (
	"context"
	"fmt"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"periph.io/x/conn/v3/gpio"
)

// gpioInput is one pin as a bool: true while it is at its active level.
//
// A level counts once it has held for the debounce time, by the monotonic
// clock. The level is told at the start, at each change, and read again and
// told every few seconds: edges are lost between two waits, and a reading
// that is not renewed grows stale.
type gpioInput struct {
	pin      func() (gpio.PinIn, error)
	name     string
	signal   string
	pull     gpio.Pull
	low      bool // active low
	debounce time.Duration
	every    time.Duration
	source   string
	session  string
}

const (
	// edgeWait bounds one wait for an edge, so that the driver closes in time.
	edgeWait = 250 * time.Millisecond
	// falseAlarms is how many waits in a row may end at once without an edge until
	// the pin is polled: kernels without GPIO edges do so.
	falseAlarms = 3
	// pollEvery is how often a pin without edges is read.
	pollEvery = 10 * time.Millisecond
)

func newGPIO(c Config, p Ports) gpioInput {
	g := gpioInput{
		pin:  func() (gpio.PinIn, error) { return p.GPIO(c.Pin) },
		name: c.Pin, signal: c.Signal, pull: gpio.PullNoChange, low: c.Active == "low",
		debounce: time.Duration(c.Debounce) * time.Millisecond, every: c.every(2 * time.Second),
		source: c.Name, session: c.session(),
	}
	if c.Debounce == 0 {
		g.debounce = 30 * time.Millisecond
	}
	switch c.Pull {
	case "up":
		g.pull = gpio.PullUp
	case "down":
		g.pull = gpio.PullDown
	case "none":
		g.pull = gpio.Float
	}
	return g
}

func (g gpioInput) Feeds() []string { return []string{g.signal} }

func (g gpioInput) Run(ctx context.Context, to Sink) error {
	pin, err := g.pin()
	if err != nil {
		return fmt.Errorf("open gpio pin %s: %w", g.name, err)
	}
	defer pin.Halt()
	edges := true
	if err := pin.In(g.pull, gpio.BothEdges); err != nil {
		// A pin without edge detection can still be read.
		if err := pin.In(g.pull, gpio.NoEdge); err != nil {
			return fmt.Errorf("set gpio pin %s as input: %w", g.name, err)
		}
		edges = false
	}
	w := edgeWatch{pin: pin, edges: edges}
	steady, since := pin.Read(), time.Now() // the level last read, and from when on it held
	var told gpio.Level
	var toldAt time.Time
	for ctx.Err() == nil {
		now := time.Now()
		held := now.Sub(since)
		if held >= g.debounce && (toldAt.IsZero() || steady != told || now.Sub(toldAt) >= g.every) {
			if err := to.Emit(live(g.source, g.session, g.signal, sense.BoolValue(bool(steady) != g.low), 0)); err != nil {
				return err
			}
			told, toldAt = steady, now
		}
		wait := min(edgeWait, g.every)
		if held < g.debounce {
			wait = g.debounce - held
		}
		moved := w.wait(ctx, wait)
		if level := pin.Read(); moved || level != steady {
			steady, since = level, time.Now()
		}
	}
	return nil
}

// edgeWatch waits for edges, or for the next look at a pin that has none.
type edgeWatch struct {
	pin    gpio.PinIn
	edges  bool
	alarms int
}

// wait returns at an edge (true) or when the time is over, for a polled pin earlier.
func (w *edgeWatch) wait(ctx context.Context, d time.Duration) bool {
	if !w.edges {
		pause(ctx, min(d, pollEvery))
		return false
	}
	begin := time.Now()
	if w.pin.WaitForEdge(d) {
		w.alarms = 0
		return true
	}
	if time.Since(begin) >= d/2 {
		w.alarms = 0
		return false
	}
	if w.alarms++; w.alarms >= falseAlarms {
		w.edges = false
	}
	return false
}
