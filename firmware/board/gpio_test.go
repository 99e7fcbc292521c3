package board

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tact-edge/tact/context/event"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
)

// watched runs a pin in virtual time while a script moves it, and returns what
// was told with the virtual milliseconds.
func watched(t *testing.T, c Config, pin gpio.PinIn, script func()) (got []string) {
	t.Helper()
	c.Kind, c.Pin, c.Signal = "gpio", "GPIO17", "presence"
	s := c.source(Ports{GPIO: func(string) (gpio.PinIn, error) { return pin, nil }})
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, Sink{Emit: func(e event.Event) error {
			got = append(got, fmt.Sprintf("%d %s", time.Since(begin).Milliseconds(), e.Body.(*event.Signal).Value))
			return nil
		}})
	}()
	script()
	stopped := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if d := time.Since(stopped); d > closeWithin {
		t.Errorf("closed after %s", d)
	}
	return got
}

func ms(n int) { time.Sleep(time.Duration(n) * time.Millisecond) } // virtual

func TestGPIODebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level, 16)}
		got := watched(t, Config{Debounce: 50}, pin, func() {
			ms(100)
			for k := range 10 { // a contact that bounces for 90 ms, high at last
				pin.EdgesChan <- k%2 == 1
				ms(10)
			}
			ms(200)
			pin.EdgesChan <- gpio.Low // a spike of 20 ms says nothing
			ms(20)
			pin.EdgesChan <- gpio.High
			ms(300)
			pin.EdgesChan <- gpio.Low
			ms(100)
		})
		// The last bounce comes at 190 ms, the release at 720 ms; each holds 50 ms.
		if want := "50 false,240 true,770 false"; strings.Join(got, ",") != want {
			t.Errorf("told %v, want %s", got, want)
		}
	})
}

func TestGPIOActiveLowIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level, 1)}
		got := watched(t, Config{Active: "low", Debounce: 10, Every: 1000}, pin, func() { ms(2300) })
		if len(got) != 3 || got[0] != "10 true" {
			t.Errorf("told %v, want true three times in 2.3 s", got)
		}
	})
}

// TestGPIOLostEdge: a level that changed without an edge is seen.
func TestGPIOLostEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pin := &gpiotest.Pin{N: "GPIO17", EdgesChan: make(chan gpio.Level, 1)}
		got := watched(t, Config{}, pin, func() {
			ms(100)
			_ = pin.Out(gpio.High)
			ms(500)
		})
		if len(got) != 2 || !strings.HasSuffix(got[1], " true") {
			t.Errorf("told %v, want true within half a second", got)
		}
	})
}

// noEdges is a pin whose waits for edges end at once, or that cannot watch for edges at all.
type noEdges struct {
	*gpiotest.Pin
	refuses bool
	waits   int
}

func (p *noEdges) In(_ gpio.Pull, e gpio.Edge) error {
	if p.refuses && e != gpio.NoEdge {
		return errors.New("no edges here")
	}
	return nil
}

func (p *noEdges) WaitForEdge(time.Duration) bool {
	p.waits++
	return false
}

func TestGPIOPolls(t *testing.T) {
	for _, refuses := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			pin := &noEdges{Pin: &gpiotest.Pin{N: "GPIO17"}, refuses: refuses}
			got := watched(t, Config{}, pin, func() {
				ms(200)
				_ = pin.Out(gpio.High)
				ms(200)
			})
			if len(got) != 2 || got[0] != "30 false" || !strings.HasSuffix(got[1], " true") {
				t.Errorf("told %v, want false, then true", got)
			}
			if pin.waits > falseAlarms {
				t.Errorf("waited %d times for edges that do not come", pin.waits)
			}
		})
	}
}

func TestGPIOFails(t *testing.T) {
	s := Config{Kind: "gpio", Pin: "GPIO99", Signal: "a"}.source(Ports{GPIO: func(string) (gpio.PinIn, error) { return nil, errors.New("no such pin") }})
	if err := s.Run(t.Context(), Sink{}); err == nil || err.Error() != "open gpio pin GPIO99: no such pin" {
		t.Errorf("error %v", err)
	}
	s = Config{Kind: "gpio", Pin: "GPIO1", Signal: "a"}.source(Ports{GPIO: func(string) (gpio.PinIn, error) { return mute{&gpiotest.Pin{}}, nil }})
	if err := s.Run(t.Context(), Sink{}); err == nil || err.Error() != "set gpio pin GPIO1 as input: busy" {
		t.Errorf("error %v", err)
	}
}

type mute struct{ *gpiotest.Pin }

func (mute) In(gpio.Pull, gpio.Edge) error { return errors.New("busy") }
