package board

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/boardtest"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2ctest"
)

// The calibration and raw values are those of the worked example in Bosch's
// BMP280 data sheet, 3.12: 25.08 degrees Celsius and 100653 Pa. For humidity
// H2=100 and the other terms 0 reduce the data sheet's formula (BME280, 4.2.3)
// to raw x H2 / 65536 per cent, which is 50 for the raw value 0x8000.
const bme280Traffic = `# BME280, one reading
0 i2c 0x76 write d0 read 60
1 i2c 0x76 write 88 read 706b4367 18fc 7d8e 43d6 d00b 270b 8c00 f9ff 8c3c f8c6 7017 0000
2 i2c 0x76 write e1 read 64000000000000
3 i2c 0x76 write f46cf203f5a0f46c
4 i2c 0x76 write f46d
20 i2c 0x76 write f3 read 00
21 i2c 0x76 write f7 read 655ac07eed008000
`

func played(t *testing.T, traffic string) *i2ctest.Playback {
	// Blanks group the calibration words above.
	var lines []string
	for line := range strings.Lines(traffic) {
		if head, data, ok := strings.Cut(strings.TrimSpace(line), " read "); ok {
			line = head + " read " + strings.ReplaceAll(data, " ", "")
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	r, err := boardtest.Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return &i2ctest.Playback{Ops: r.I2C(), DontPanic: true}
}

func onBus(bus i2c.BusCloser) Ports {
	return Ports{I2C: func(string) (i2c.BusCloser, error) { return bus, nil }}
}

func TestBME280(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := played(t, bme280Traffic)
		s := Config{Kind: "bme280", Name: "air", Signals: map[string]string{"temperature": "outside.temperature", "pressure": "pressure", "humidity": "humidity"}}.source(onBus(bus))
		if got := strings.Join(s.Feeds(), " "); got != "humidity outside.temperature pressure" {
			t.Errorf("feeds %s", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		done := make(chan error, 1)
		go func() {
			done <- s.Run(ctx, Sink{Emit: func(e event.Event) error {
				if e.HasAt || e.Source != "air" || e.Session != event.MainSession {
					t.Errorf("event %+v", e)
				}
				x := e.Body.(*event.Signal)
				got = append(got, x.Name+" "+x.Value.String())
				return nil
			}})
		}()
		time.Sleep(time.Second) // virtual
		begin := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if d := time.Since(begin); d > closeWithin {
			t.Errorf("closed after %s", d)
		}
		if want := "humidity 50,pressure 1006.532,outside.temperature 25.08"; strings.Join(got, ",") != want {
			t.Errorf("read %s, want %s", strings.Join(got, ","), want)
		}
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestBME280Fails: an empty bus and a sensor that is pulled out are errors that
// name the place, and leave no goroutine behind.
func TestBME280Fails(t *testing.T) {
	lines := strings.SplitAfter(bme280Traffic, "\n")
	for traffic, want := range map[string]string{
		"":                            "open bme280 at address 0x76",
		strings.Join(lines[:5], ""):   "read bme280 at address 0x76",
		"0 i2c 0x76 write d0 read 61": "unexpected chip id 61",
	} {
		synctest.Test(t, func(t *testing.T) {
			err := Config{Kind: "bme280"}.source(onBus(played(t, traffic))).Run(t.Context(), Sink{Emit: func(event.Event) error { return nil }})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}
