package board

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tact-edge/tact/context/sense"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/bmxx80"
)

// bme280 is Bosch's sensor of temperature (degrees Celsius), relative humidity
// (per cent) and pressure (hectopascal) on an I2C bus; a BMP280 does too, whose
// humidity is unavailable.
type bme280 struct {
	bus     func() (i2c.BusCloser, error)
	address uint16
	every   time.Duration
	names   map[string]string
	source  string
	session string
}

var bme280Signals = []string{"humidity", "pressure", "temperature"}

func newBME280(c Config, p Ports) bme280 {
	b := bme280{
		bus:     func() (i2c.BusCloser, error) { return p.I2C(c.Bus) },
		address: c.Address, every: c.every(10 * time.Second),
		names: c.Signals, source: c.Name, session: c.session(),
	}
	if b.address == 0 {
		b.address = 0x76
	}
	if len(b.names) == 0 {
		b.names = map[string]string{}
		for _, s := range bme280Signals {
			b.names[s] = s
		}
	}
	return b
}

func (b bme280) Feeds() []string { return sortedValues(b.names) }

func (b bme280) Run(ctx context.Context, to Sink) error {
	bus, err := b.bus()
	if err != nil {
		return fmt.Errorf("open i2c bus: %w", err)
	}
	defer bus.Close()
	dev, err := bmxx80.NewI2C(bus, b.address, &bmxx80.DefaultOpts)
	if err != nil {
		return fmt.Errorf("open bme280 at address %#x: %w", b.address, err)
	}
	defer dev.Halt()
	humid := strings.HasPrefix(dev.String(), "BME280")
	for {
		var env physic.Env
		if err := dev.Sense(&env); err != nil {
			return fmt.Errorf("read bme280 at address %#x: %w", b.address, err)
		}
		humidity := sense.NullValue()
		if humid {
			humidity = thousandths(int64(env.Humidity / (physic.MilliRH / 100))) // a hundred thousandth: 0.001 %
		}
		for _, r := range [...]struct {
			name  string
			value sense.Value
		}{
			{"humidity", humidity},
			{"pressure", thousandths(int64(env.Pressure / (100 * physic.MilliPascal)))}, // 0.001 hPa
			{"temperature", thousandths(int64((env.Temperature - physic.ZeroCelsius) / physic.MilliKelvin))},
		} {
			if name, ok := b.names[r.name]; ok {
				if err := to.Emit(live(b.source, b.session, name, r.value, 0)); err != nil {
					return err
				}
			}
		}
		if !pause(ctx, b.every) {
			return nil
		}
	}
}
