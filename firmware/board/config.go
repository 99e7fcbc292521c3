package board

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
	"go.yaml.in/yaml/v3"
)

// Config describes one source in the device's configuration file. Which fields
// there are depends on the kind; Validate names one that does not belong.
//
//   - {kind: nmea, serial: /dev/ttyUSB0, baud: 9600}
//   - {kind: nmea, tcp: "192.0.2.7:2947", session: driver, signals: {position: position, speed: speed}}
//   - {kind: bme280, bus: "1", address: 0x76, every: 30s}
//   - {kind: gpio, pin: GPIO17, signal: presence, pull: up, active: low, debounce: 50ms}
//   - {kind: jsonl, socket: /run/kiosk/events.sock}
//   - {kind: csv, path: /var/log/drive.csv, time: at, columns: {speed_kmh: {signal: speed, type: double}}}
type Config struct {
	Kind    string `yaml:"kind"`
	Name    string `yaml:"name"`    // how the source is called in states and events; kind and number where left out
	Session string `yaml:"session"` // main where left out

	Path      string   `yaml:"path"`         // nmea, jsonl, csv: a file, - for stdin
	TCP       string   `yaml:"tcp"`          // nmea, jsonl: host:port to connect to
	Socket    string   `yaml:"socket"`       // jsonl: unix socket to connect to
	Serial    string   `yaml:"serial"`       // nmea: port
	Baud      int      `yaml:"baud"`         // nmea: 9600 where left out
	SilentFor Duration `yaml:"silent_after"` // nmea, jsonl over tcp, socket, serial: taken for dead after; nmea 30s

	Signals map[string]string `yaml:"signals"` // nmea, bme280: the source's name of a signal to the policy's; jsonl: those it may give

	Bus     string   `yaml:"bus"`     // bme280: I2C bus, the first where left out
	Address uint16   `yaml:"address"` // bme280: 0x76 where left out
	Every   Duration `yaml:"every"`   // bme280: between readings, 10s; gpio: until the level is told again, 2s

	Pin      string   `yaml:"pin"`      // gpio: name of the line, as GPIO17
	Signal   string   `yaml:"signal"`   // gpio
	Pull     string   `yaml:"pull"`     // gpio: up, down, none; as it is where left out
	Active   string   `yaml:"active"`   // gpio: high (default), low
	Debounce Duration `yaml:"debounce"` // gpio: 30ms

	Time       string               `yaml:"time"`        // csv: column of the time; at or time where left out
	TimeLayout string               `yaml:"time_layout"` // csv: rfc3339 (default), unix, unix_ms, or as Go writes 2006-01-02 15:04:05
	Columns    map[string]CSVColumn `yaml:"columns"`     // csv: all, by their header, where left out
}

// Duration is a length of time as written in configuration files: 50ms, 30s, 5m.
type Duration sense.Duration

// UnmarshalYAML reads 50ms, 30s, 5m.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	x, err := sense.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = Duration(x)
	return nil
}

const (
	kindNMEA   = "nmea"
	kindJSONL  = "jsonl"
	kindCSV    = "csv"
	kindBME280 = "bme280"
	kindGPIO   = "gpio"
)

// allowed lists the fields of each kind besides kind, name and session.
var allowed = map[string][]string{
	kindNMEA:   {"path", "tcp", "serial", "baud", "silent_after", "signals"},
	kindJSONL:  {"path", "tcp", "socket", "silent_after", "signals"},
	kindCSV:    {"path", "time", "time_layout", "columns"},
	kindBME280: {"bus", "address", "every", "signals"},
	kindGPIO:   {"pin", "signal", "pull", "active", "debounce", "every"},
}

// Validate says what is wrong with the configuration, naming the field; nil if nothing is.
func (c Config) Validate() error {
	fields, ok := allowed[c.Kind]
	if !ok {
		return fmt.Errorf("kind: %q is none of %s", c.Kind, strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
	}
	for _, f := range c.given() {
		if !slices.Contains(fields, f) {
			return fmt.Errorf("%s: a source of kind %s has no such field; it has %s", f, c.Kind, strings.Join(fields, ", "))
		}
	}
	if err := c.validateInput(); err != nil {
		return err
	}
	for _, f := range [...]struct {
		name string
		d    Duration
	}{{"every", c.Every}, {"debounce", c.Debounce}, {"silent_after", c.SilentFor}} {
		if f.d < 0 || sense.Duration(f.d) > sense.Day {
			return fmt.Errorf("%s: %s is not between 1ms and 1d", f.name, sense.Duration(f.d))
		}
	}
	return c.validateSignals()
}

// given lists the fields that are set, besides kind, name and session.
func (c Config) given() (out []string) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"path", c.Path != ""}, {"tcp", c.TCP != ""}, {"socket", c.Socket != ""}, {"serial", c.Serial != ""},
		{"baud", c.Baud != 0}, {"silent_after", c.SilentFor != 0}, {"signals", c.Signals != nil},
		{"bus", c.Bus != ""}, {"address", c.Address != 0}, {"every", c.Every != 0},
		{"pin", c.Pin != ""}, {"signal", c.Signal != ""}, {"pull", c.Pull != ""}, {"active", c.Active != ""},
		{"debounce", c.Debounce != 0}, {"time", c.Time != ""}, {"time_layout", c.TimeLayout != ""}, {"columns", c.Columns != nil},
	} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}

func (c Config) validateInput() error {
	inputs := 0
	for _, s := range []string{c.Path, c.TCP, c.Socket, c.Serial} {
		if s != "" {
			inputs++
		}
	}
	switch {
	case c.Kind == kindNMEA && inputs != 1:
		return fmt.Errorf("path: a source of kind nmea needs exactly one of path, tcp, serial")
	case c.Kind == kindJSONL && inputs != 1:
		return fmt.Errorf("path: a source of kind jsonl needs exactly one of path, tcp, socket")
	case c.Kind == kindCSV && inputs != 1:
		return fmt.Errorf("path: a source of kind csv needs one")
	case c.TCP != "" && !strings.Contains(c.TCP, ":"):
		return fmt.Errorf("tcp: %q is not host:port", c.TCP)
	case c.Baud != 0 && c.Serial == "":
		return fmt.Errorf("baud: only a serial port has one")
	case c.Baud < 0 || c.Baud > 4_000_000:
		return fmt.Errorf("baud: %d is not a speed of serial ports, as 9600", c.Baud)
	case c.Address != 0 && c.Address != 0x76 && c.Address != 0x77:
		return fmt.Errorf("address: a bme280 has 0x76 or 0x77, not %#x", c.Address)
	case c.Kind == kindGPIO && c.Pin == "":
		return fmt.Errorf("pin: a source of kind gpio needs one, as GPIO17")
	case c.Kind == kindGPIO && c.Signal == "":
		return fmt.Errorf("signal: a source of kind gpio needs one")
	case !slices.Contains([]string{"", "up", "down", "none"}, c.Pull):
		return fmt.Errorf("pull: %q is none of up, down, none", c.Pull)
	case !slices.Contains([]string{"", "high", "low"}, c.Active):
		return fmt.Errorf("active: %q is none of high, low", c.Active)
	}
	return nil
}

func (c Config) validateSignals() error {
	own := map[string][]string{kindNMEA: nmeaSignals, kindBME280: bme280Signals}[c.Kind]
	names := []string{}
	if c.Signal != "" {
		names = append(names, c.Signal)
	}
	for _, from := range slices.Sorted(maps.Keys(c.Signals)) {
		if own != nil && !slices.Contains(own, from) {
			return fmt.Errorf("signals: a source of kind %s has no %q; it has %s", c.Kind, from, strings.Join(own, ", "))
		}
		names = append(names, c.Signals[from])
	}
	for _, header := range slices.Sorted(maps.Keys(c.Columns)) {
		col := c.Columns[header]
		if _, ok := sense.ParseKind(col.Type); col.Type != "" && (!ok || col.Type == "position") {
			return fmt.Errorf("columns: %s: type %q is none of bool, int, double, string, duration, timestamp, date, money", header, col.Type)
		}
		if col.Signal != "" {
			names = append(names, col.Signal)
		}
	}
	if c.Session != "" && !validSession(c.Session) {
		return fmt.Errorf("session: %q has blanks or control characters, or more than 64 of them", c.Session)
	}
	slices.Sort(names)
	for k, n := range names {
		if !validName(n) {
			return fmt.Errorf("signals: %q is not the name of a signal, as presence or tyre.pressure", n)
		}
		if k > 0 && n == names[k-1] {
			return fmt.Errorf("signals: two of them are called %q", n)
		}
	}
	return nil
}

func validSession(s string) bool {
	return len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// validName says whether s is of the form [a-z][a-z0-9_]*(.[a-z][a-z0-9_]*)*.
func validName(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		for k, c := range []byte(part) {
			if !('a' <= c && c <= 'z' || k > 0 && ('0' <= c && c <= '9' || c == '_')) {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}

func (c Config) session() string {
	if c.Session == "" {
		return event.MainSession
	}
	return c.Session
}

func (c Config) baud() int {
	if c.Baud == 0 {
		return 9600
	}
	return c.Baud
}

// quiet is how long a connection may say nothing. A receiver speaks every
// second; an app may have nothing to say.
func (c Config) quiet() time.Duration {
	if c.SilentFor == 0 && c.Kind == kindNMEA {
		return 30 * time.Second
	}
	return time.Duration(c.SilentFor) * time.Millisecond
}

func (c Config) every(otherwise time.Duration) time.Duration {
	if c.Every == 0 {
		return otherwise
	}
	return time.Duration(c.Every) * time.Millisecond
}

// source makes the source; the configuration must be valid.
func (c Config) source(p Ports) Source {
	switch c.Kind {
	case kindNMEA:
		return newNMEASource(c, p)
	case kindJSONL:
		return newJSONLSource(c, p)
	case kindCSV:
		return newCSVSource(c, p)
	case kindBME280:
		return newBME280(c, p)
	}
	return newGPIO(c, p)
}
