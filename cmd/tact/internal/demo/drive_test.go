package demo

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/board"
)

// made is the drive as it is computed: due south along 4.73 degrees east, from a
// place north of the border at 51.45 degrees; 8 s of speeding up evenly to 118 km/h,
// 14 s at it, 6 s of braking evenly, and a stop. Two readings a second, of RMC and GGA.
func made() string {
	const (
		top         = 118 / 3.6 // m/s
		border      = 51.45
		metresADeg  = 111_195.0 // of latitude, on a sphere of 6,371 km
		beforeFirst = 459.0     // metres from the start to the border
	)
	speedAt := func(t float64) float64 {
		switch {
		case t < 8:
			return top * t / 8
		case t < 22:
			return top
		case t < 28:
			return top * (28 - t) / 6
		}
		return 0
	}
	start := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	var b strings.Builder
	gone := 0.0
	for k := 0; k <= 2*28; k++ {
		t := float64(k) / 2
		at := start.Add(time.Duration(k) * 500 * time.Millisecond)
		lat := border + (beforeFirst-gone)/metresADeg
		minutes := (lat - 51) * 60
		b.WriteString(sentence(fmt.Sprintf("GPRMC,%s,A,51%08.5f,N,00443.80000,E,%.2f,180.00,020326,,,A", at.Format("150405.00"), minutes, speedAt(t)*3600/1852)))
		b.WriteString(sentence(fmt.Sprintf("GPGGA,%s,51%08.5f,N,00443.80000,E,1,10,0.80,8.0,M,45.0,M,,", at.Format("150405.00"), minutes)))
		gone += float64((speedAt(t) + speedAt(t+0.5)) / 2 / 2) // rounded here, on every machine
	}
	return b.String()
}

// The committed log is what made computes; TACT_UPDATE=1 writes it.
func TestDriveIsMade(t *testing.T) {
	if os.Getenv("TACT_UPDATE") != "" {
		if err := os.WriteFile("drive.nmea", []byte(made()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(recorded) != made() {
		t.Error("drive.nmea is not what this test computes: TACT_UPDATE=1 go test -run TestDriveIsMade writes it")
	}
}

// The drive reads without a fault, crosses the border once, and is fast long
// enough on this side of it for the slow-down rule at the fastest speed of playing.
func TestDriveTellsTheStory(t *testing.T) {
	south, crossings, fast, top := false, 0, 0, 0.0
	counters, err := board.ReplayNMEA(strings.NewReader(made()), 4096, func(e event.Event) error {
		s := e.Body.(*event.Signal)
		switch s.Name {
		case board.SignalPosition:
			if now := s.Value.Point().Lat < 514_500_000; now != south {
				south, crossings = now, crossings+1
			}
		case board.SignalSpeed:
			v := s.Value.Double()
			top = max(top, v)
			if v > 100 && !south {
				fast++
			}
		}
		return nil
	})
	if err != nil || counters.BadChecksums+counters.Malformed+counters.Skipped+counters.Older > 0 {
		t.Fatalf("%v, counters %+v", err, counters)
	}
	if crossings != 1 || top < 117.9 || top > 118.1 {
		t.Errorf("%d crossings, at most %.1f km/h; want 1 and 118", crossings, top)
	}
	if seconds := fast / readingsPerSecond / fastDrive; seconds < 2 {
		t.Errorf("over 100 km/h before the border for %d s at the fastest playing, the rule wants 2", seconds)
	}
}

func TestReadingSaysThePresent(t *testing.T) {
	list := readings([]byte(made()))
	if len(list) != 57 || len(list[0]) != 2 {
		t.Fatalf("%d readings, the first of %d sentences", len(list), len(list[0]))
	}
	got := list[0].said(time.Date(2027, 1, 31, 23, 59, 59, 250e6, time.UTC))
	// Checksums by hand: the exclusive or of the bytes between $ and *.
	if !strings.HasPrefix(got, "$GPRMC,235959.25,A,") || !strings.Contains(got, ",310127,,,A*") || !strings.Contains(got, "\r\n$GPGGA,235959.25,") {
		t.Errorf("said %q", got)
	}
	if s := sentence("GPGLL,5057.970,N,00146.110,E,142451,A"); !strings.HasSuffix(s, "*27\r\n") { // an example in print
		t.Errorf("checksum of %q", s)
	}
}
