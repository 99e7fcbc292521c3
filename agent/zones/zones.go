package zones

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

// Since is the year from the beginning of which calendars are right.
const Since = 2026

// table holds a line a zone, in order of name: the name and its rule, or the name, = and its turns as
// pairs of seconds since 1970 and offset in seconds. It is made from the zone database of the IANA
// (public domain) by `go test ./agent/zones -update`.
//
//go:embed zones.txt
var table string

// Zone returns the calendar of a zone by its name, as in Europe/Amsterdam, from Since to 2100.
func Zone(name string) (sense.Zone, error) {
	rule, ok := lookUp(name)
	if !ok {
		return sense.UTC, fmt.Errorf("time zone %q: there is no such zone", name)
	}
	z, err := calendar(name, rule)
	if err != nil {
		return sense.UTC, fmt.Errorf("time zone %q: %w", name, err)
	}
	return z, nil
}

// lookUp finds what the table says of a zone.
func lookUp(name string) (rule string, ok bool) {
	if name == "" || strings.ContainsAny(name, " \n") {
		return "", false
	}
	rest := table
	if !strings.HasPrefix(rest, name+" ") {
		k := strings.Index(rest, "\n"+name+" ")
		if k < 0 {
			return "", false
		}
		rest = rest[k+1:]
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line[len(name)+1:], true
}

func calendar(name, rule string) (sense.Zone, error) {
	if turns, listed := strings.CutPrefix(rule, "= "); listed {
		return fromTurns(name, turns)
	}
	l, err := time.LoadLocationFromTZData(name, zoneFile(rule))
	if err != nil {
		return sense.UTC, err
	}
	return sense.ZoneOf(l, name, Since), nil
}

func fromTurns(name, list string) (sense.Zone, error) {
	z := sense.Zone{Name: name}
	numbers := strings.Fields(list)
	for k := 0; k+1 < len(numbers); k += 2 {
		at, err := strconv.ParseInt(numbers[k], 10, 64)
		if err != nil {
			return z, fmt.Errorf("read turn: %w", err)
		}
		offset, err := strconv.ParseInt(numbers[k+1], 10, 64)
		if err != nil {
			return z, fmt.Errorf("read turn: %w", err)
		}
		z.Turns = append(z.Turns, sense.Turn{From: sense.Instant(at * 1000), Offset: sense.Duration(offset) * sense.Second})
	}
	return z, nil
}

// zoneFile is the smallest zone file (RFC 8536) that says nothing but a rule for all times.
func zoneFile(rule string) []byte {
	block := []byte("TZif2")
	block = append(block, make([]byte, 15)...)
	for _, n := range [...]uint32{0, 0, 0, 0, 1, 4} { // of isut, isstd, leap, times, types, characters
		block = binary.BigEndian.AppendUint32(block, n)
	}
	block = append(block, 0, 0, 0, 0, 0, 0) // one type: offset 0, no summer time, name at 0
	block = append(block, "UTC\x00"...)
	return append(append(block, block...), "\n"+rule+"\n"...)
}
