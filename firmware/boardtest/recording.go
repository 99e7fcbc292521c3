package boardtest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
	"periph.io/x/conn/v3/i2c/i2ctest"
)

// Recording is hardware traffic in order of time.
type Recording []Entry

// Entry is one piece of traffic: bytes that a stream gave, or a transaction.
type Entry struct {
	At    sense.Duration // since the recording began
	Bytes []byte         // of a stream; nil for a transaction
	Op    *i2ctest.IO    // of an I2C bus; nil for bytes
}

// AddBytes records what a stream gave at a time.
func (r *Recording) AddBytes(at sense.Duration, p []byte) {
	*r = append(*r, Entry{At: at, Bytes: append([]byte{}, p...)})
}

// AddI2C records transactions of a bus, as i2ctest.Record holds them in Ops.
func (r *Recording) AddI2C(at sense.Duration, ops ...i2ctest.IO) {
	for _, op := range ops {
		*r = append(*r, Entry{At: at, Op: &op})
	}
}

// Bytes returns what the stream gave, in the pieces in which it came.
func (r Recording) Bytes() (out []Entry) {
	for _, e := range r {
		if e.Op == nil {
			out = append(out, e)
		}
	}
	return out
}

// I2C returns the transactions, for i2ctest.Playback.
func (r Recording) I2C() (out []i2ctest.IO) {
	for _, e := range r {
		if e.Op != nil {
			out = append(out, *e.Op)
		}
	}
	return out
}

// Append prints a recording.
func (r Recording) Append(b []byte) []byte {
	for _, e := range r {
		b = strconv.AppendInt(b, int64(e.At), 10)
		if e.Op == nil {
			b = append(b, " bytes "...)
			b = strconv.AppendQuoteToASCII(b, string(e.Bytes))
		} else {
			b = fmt.Appendf(b, " i2c %#02x", e.Op.Addr)
			if len(e.Op.W) > 0 {
				b = fmt.Appendf(b, " write %x", e.Op.W)
			}
			if len(e.Op.R) > 0 {
				b = fmt.Appendf(b, " read %x", e.Op.R)
			}
		}
		b = append(b, '\n')
	}
	return b
}

// Parse reads a recording.
func Parse(text []byte) (Recording, error) {
	var out Recording
	number := 0
	last := sense.Duration(0)
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseEntry(line)
		if err == nil && e.At < last {
			err = fmt.Errorf("time %d ms is before that of the entry before, %d ms", e.At, last)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		last = e.At
		out = append(out, e)
	}
	return out, nil
}

func parseEntry(line string) (Entry, error) {
	at, rest, _ := strings.Cut(line, " ")
	ms, err := strconv.ParseUint(at, 10, 62)
	if err != nil {
		return Entry{}, fmt.Errorf("time %q is not a number of milliseconds", at)
	}
	e := Entry{At: sense.Duration(ms)}
	what, rest, _ := strings.Cut(rest, " ")
	switch what {
	case "bytes":
		s, err := strconv.Unquote(rest)
		if err != nil {
			return Entry{}, fmt.Errorf(`bytes %s are not quoted, as "$GPRMC\r\n"`, rest)
		}
		e.Bytes = []byte(s)
		return e, nil
	case "i2c":
		op, err := parseOp(strings.Fields(rest))
		e.Op = op
		return e, err
	}
	return Entry{}, fmt.Errorf("%q is neither bytes nor i2c", what)
}

func parseOp(words []string) (*i2ctest.IO, error) {
	if len(words) == 0 || len(words)%2 == 0 || len(words) > 5 {
		return nil, fmt.Errorf("a transaction is an address and what was written and read, as 0x76 write d0 read 60")
	}
	address, err := strconv.ParseUint(words[0], 0, 16)
	if err != nil {
		return nil, fmt.Errorf("address %q is not a number as 0x76", words[0])
	}
	op := &i2ctest.IO{Addr: uint16(address)}
	for k := 1; k < len(words); k += 2 {
		data, err := hex.DecodeString(words[k+1])
		if err != nil {
			return nil, fmt.Errorf("%s %q is not hexadecimal", words[k], words[k+1])
		}
		switch {
		case words[k] == "write" && k == 1:
			op.W = data
		case words[k] == "read":
			op.R = data
		default:
			return nil, fmt.Errorf("%q does not belong here: a transaction writes, then reads", words[k])
		}
	}
	return op, nil
}
