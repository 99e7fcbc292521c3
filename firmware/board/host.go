package board

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"

	// The kernel's own interfaces serve every board alike: I2C by its device files, pins by the
	// character device, addressed by the names of their lines. The drivers that write to a chip's
	// registers by way of /dev/mem would add 0.4 MB on arm and want root.
	_ "periph.io/x/host/v3/gpioioctl"
	_ "periph.io/x/host/v3/sysfs"
)

// Ports open the machine's hardware; tests put their own in place.
type Ports struct {
	I2C    func(bus string) (i2c.BusCloser, error)
	GPIO   func(pin string) (gpio.PinIn, error)
	Serial func(path string, baud int) (io.ReadCloser, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Stdin  io.Reader
}

// Host returns the ports of the machine this runs on. periph.io's drivers are
// loaded when the first bus or pin is opened.
func Host() Ports {
	return Ports{
		I2C: func(bus string) (i2c.BusCloser, error) {
			if _, err := HostDrivers(); err != nil {
				return nil, err
			}
			return i2creg.Open(bus)
		},
		GPIO: func(pin string) (gpio.PinIn, error) {
			if _, err := HostDrivers(); err != nil {
				return nil, err
			}
			if p := gpioreg.ByName(pin); p != nil {
				return p, nil
			}
			return nil, fmt.Errorf("there is no pin of that name; `tactd doctor` lists the drivers that loaded")
		},
		Serial: openSerial,
		Dial:   (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext,
		Stdin:  os.Stdin,
	}
}

func openSerial(path string, baud int) (io.ReadCloser, error) {
	port, err := serial.Open(path, &serial.Mode{BaudRate: baud})
	var fail *serial.PortError
	if errors.As(err, &fail) && fail.Code() == serial.PermissionDenied {
		return nil, fmt.Errorf("%w (put the agent's user into the group dialout)", err)
	}
	if err != nil {
		return nil, err
	}
	return port, nil
}

// Drivers is what periph.io found on the machine.
type Drivers struct {
	Loaded  []string
	Skipped []string // with the reason: hardware that is not there
	Failed  []string // with the reason
}

// initLimit is how long loading the drivers may take: without its daemon the
// 1-wire driver hangs.
const initLimit = 5 * time.Second

// HostDrivers loads periph.io's drivers once and says which loaded. Drivers
// that failed or were skipped are no error (on most machines some are); what
// needs them fails when it is opened. The error says that loading hangs.
func HostDrivers() (Drivers, error) { return loadOnce() }

var loadOnce = sync.OnceValues(func() (Drivers, error) { return loadDrivers(driverreg.Init, initLimit) })

func loadDrivers(load func() (*driverreg.State, error), limit time.Duration) (Drivers, error) {
	type loaded struct {
		state *driverreg.State
		err   error
	}
	done := make(chan loaded, 1)
	go func() {
		s, err := load()
		done <- loaded{s, err}
	}()
	select {
	case l := <-done:
		if l.err != nil {
			return Drivers{}, fmt.Errorf("load hardware drivers: %w", l.err)
		}
		var d Drivers
		for _, x := range l.state.Loaded {
			d.Loaded = append(d.Loaded, x.String())
		}
		for _, x := range l.state.Skipped {
			d.Skipped = append(d.Skipped, x.String())
		}
		for _, x := range l.state.Failed {
			d.Failed = append(d.Failed, x.String())
		}
		return d, nil
	case <-time.After(limit):
		return Drivers{}, fmt.Errorf("load hardware drivers: not done after %s", limit)
	}
}
