package board

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func readConfig(text string) ([]Config, error) {
	var c []Config
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	err := d.Decode(&c)
	return c, err
}

func TestConfig(t *testing.T) {
	c, err := readConfig(`
- {kind: nmea, serial: /dev/ttyUSB0, baud: 9600}
- {kind: nmea, tcp: "192.0.2.7:2947", session: driver, signals: {position: position, speed: car.speed}, silent_after: 5s}
- {kind: nmea, path: drive.nmea}
- {kind: bme280, bus: "1", address: 0x76, every: 30s}
- {kind: gpio, pin: GPIO17, signal: presence, pull: up, active: low, debounce: 50ms}
- {kind: jsonl, socket: /run/kiosk/events.sock}
- {kind: csv, path: /var/log/drive.csv, time: t, time_layout: unix, columns: {speed_kmh: {signal: speed, type: double}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for k, x := range c {
		if err := x.Validate(); err != nil {
			t.Errorf("source %d: %v", k, err)
		}
	}
	if c[3].Address != 0x76 || c[4].Debounce != 50 || c[1].SilentFor != 5000 || c[6].Columns["speed_kmh"].Type != "double" {
		t.Errorf("read %+v", c)
	}
	if got := strings.Join(c[1].source(Ports{}).Feeds(), " "); got != "car.speed position" {
		t.Errorf("receiver feeds %s", got)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{kind: lidar}":                                         `kind: "lidar" is none of bme280, csv, gpio, jsonl, nmea`,
		"{kind: nmea}":                                          "path: a source of kind nmea needs exactly one of path, tcp, serial",
		"{kind: nmea, path: a, tcp: 'b:1'}":                     "path: a source of kind nmea needs exactly one",
		"{kind: nmea, path: a, pin: GPIO1}":                     "pin: a source of kind nmea has no such field",
		"{kind: nmea, path: a, baud: 9600}":                     "baud: only a serial port has one",
		"{kind: nmea, serial: a, baud: -1}":                     "baud: -1 is not a speed",
		"{kind: nmea, tcp: localhost}":                          `tcp: "localhost" is not host:port`,
		"{kind: nmea, path: a, signals: {heading: x}}":          `signals: a source of kind nmea has no "heading"; it has altitude, course, position, speed`,
		"{kind: nmea, path: a, signals: {speed: Speed}}":        `signals: "Speed" is not the name of a signal`,
		"{kind: nmea, path: a, signals: {speed: x, course: x}}": `signals: two of them are called "x"`,
		"{kind: nmea, path: a, session: 'a b'}":                 `session: "a b" has blanks`,
		"{kind: nmea, tcp: 'a:1', silent_after: 2d}":            "silent_after: 2d is not between",
		"{kind: jsonl}":                                         "path: a source of kind jsonl needs exactly one of path, tcp, socket",
		"{kind: csv}":                                           "path: a source of kind csv needs one",
		"{kind: csv, path: a, columns: {x: {type: position}}}":  `columns: x: type "position" is none of`,
		"{kind: bme280, address: 0x40}":                         "address: a bme280 has 0x76 or 0x77, not 0x40",
		"{kind: gpio, signal: presence}":                        "pin: a source of kind gpio needs one",
		"{kind: gpio, pin: GPIO1}":                              "signal: a source of kind gpio needs one",
		"{kind: gpio, pin: GPIO1, signal: a, pull: sideways}":   `pull: "sideways" is none of up, down, none`,
		"{kind: gpio, pin: GPIO1, signal: a, active: maybe}":    `active: "maybe" is none of high, low`,
		"{kind: gpio, pin: GPIO1, signal: a..b}":                `signals: "a..b" is not the name`,
		"{kind: gpio, pin: GPIO1, signal: a, debounce: 50}":     `duration "50" is not a number with a unit`,
		"{kind: gpio, pin: GPIO1, signal: a, colour: red}":      "field colour not found",
	} {
		c, err := readConfig("- " + text)
		if err == nil {
			err = c[0].Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	if _, err := Start([]Config{{Kind: "gpio", Pin: "A", Signal: "a"}, {Kind: "gpio"}}, nil, Ports{}, nil); err == nil || err.Error() != "sources[1].pin: a source of kind gpio needs one, as GPIO17" {
		t.Errorf("error %v", err)
	}
	if _, err := Start([]Config{{Kind: "gpio", Name: "x", Pin: "A", Signal: "a"}, {Kind: "gpio", Name: "x", Pin: "B", Signal: "b"}}, nil, Ports{}, nil); err == nil || !strings.Contains(err.Error(), `sources[1].name: two sources are called "x"`) {
		t.Errorf("error %v", err)
	}
}
