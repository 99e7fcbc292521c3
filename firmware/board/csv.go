package board

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/sense"
)

// maxCSVLine is the longest row in bytes.
const maxCSVLine = event.MaxLine

// CSVLayout says what the columns of a log are. The zero layout is the common
// one: the time in column `at` or `time`, every other column the signal of that
// name, each cell of the type that it looks like. A column `session` names the
// session; columns `lat` and `lon` (and `accuracy`, metres) make the signal
// position. An empty cell means that the source said nothing then.
type CSVLayout struct {
	Time       string               // column of the time
	TimeLayout string               // rfc3339 (or empty), unix, unix_ms, or as Go writes 2006-01-02 15:04:05 (UTC)
	Columns    map[string]CSVColumn // by header; other columns are then left out
}

// CSVColumn says what a column gives.
type CSVColumn struct {
	Signal string `yaml:"signal"` // the header where left out
	Type   string `yaml:"type"`   // bool, int, double, string, duration, timestamp, date, money; by its looks where left out
}

// ReplayCSV reads a log with a header row to its end and hands each reading to
// the sink as an event with its row's time. What is wrong with a cell or row is
// refused as file:line:column and the rest goes on; so is a row earlier than the
// one before it. The separator is a comma, semicolon or tab, as the header has
// it; cells may be quoted, within their line. The error is the header's, the
// reader's or the sink's.
func ReplayCSV(r io.Reader, file string, layout CSVLayout, to Sink) error {
	return readCSV(r, file, layout, true, to)
}

// csvSource reads a log as if its rows came now.
type csvSource struct {
	stream  stream
	path    string
	layout  CSVLayout
	source  string
	session string
}

func newCSVSource(c Config, p Ports) csvSource {
	return csvSource{stream: c.stream(p), path: c.Path, layout: CSVLayout{c.Time, c.TimeLayout, c.Columns}, source: c.Name, session: c.session()}
}

func (c csvSource) Feeds() []string {
	if c.layout.Columns == nil {
		return nil
	}
	var out []string
	for header, col := range c.layout.Columns {
		out = append(out, col.signal(header))
	}
	slices.Sort(out)
	return out
}

func (c csvSource) Run(ctx context.Context, to Sink) error {
	mine := Sink{Refuse: to.Refuse, Emit: func(e event.Event) error {
		e.Source = c.source
		if e.Session == event.MainSession {
			e.Session = c.session
		}
		return to.Emit(e)
	}}
	return c.stream.use(ctx, func(r io.Reader) error {
		if err := readCSV(r, c.path, c.layout, false, mine); err != nil {
			return err
		}
		return io.EOF
	})
}

func (c CSVColumn) signal(header string) string {
	if c.Signal != "" {
		return c.Signal
	}
	return header
}

// csvLog is a log being read.
type csvLog struct {
	file   string
	layout CSVLayout
	to     Sink
	dated  bool // events carry the row's time

	comma   byte
	header  []csvCell
	columns []csvRole
	line    int
	last    sense.Instant
	any     bool
}

type csvRole struct {
	role   role
	signal string
	kind   sense.Kind // Null: by its looks
}

type role uint8

const (
	nothing role = iota
	isTime
	isSession
	isLat
	isLon
	isAccuracy
	isSignal
)

// csvCell is one cell with the column where it begins, from 1, in code points.
type csvCell struct {
	text   string
	column int
}

func readCSV(r io.Reader, file string, layout CSVLayout, dated bool, to Sink) error {
	l := csvLog{file: file, layout: layout, to: to, dated: dated}
	in := bufio.NewReaderSize(r, maxCSVLine+2)
	for {
		line, long, err := csvLine(in)
		if err != nil && err != io.EOF {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if len(line) > 0 || long || err == nil {
			l.line++
			if fail := l.row(strings.TrimRight(string(line), "\r\n"), long); fail != nil {
				return fail
			}
		}
		if err == io.EOF {
			if l.header == nil {
				return fmt.Errorf("read %s: there is no header row", file)
			}
			return nil
		}
	}
}

// csvLine reads one line; long says that it was longer than a row may be, and
// is passed over.
func csvLine(in *bufio.Reader) (line []byte, long bool, err error) {
	line, err = in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		line, err = in.ReadSlice('\n')
	}
	return line, long || len(line) > maxCSVLine+2, err
}

func (l *csvLog) row(text string, long bool) error {
	switch {
	case long && l.header == nil:
		return fmt.Errorf("%s:1:1: the header is longer than %d bytes", l.file, maxCSVLine)
	case long:
		l.refuse(1, fmt.Errorf("row is longer than %d bytes", maxCSVLine))
		return nil
	case l.header == nil:
		return l.begin(strings.TrimPrefix(text, "\ufeff"))
	case strings.TrimSpace(text) == "":
		return nil
	}
	cells, err := splitCSV(text, l.comma)
	if err != nil {
		l.refuse(err.column, err)
		return nil
	}
	if len(cells) != len(l.columns) {
		l.refuse(1, fmt.Errorf("row has %d cells, the header %d", len(cells), len(l.columns)))
		return nil
	}
	return l.emit(cells)
}

func (l *csvLog) refuse(column int, err error) {
	if l.to.Refuse != nil {
		l.to.Refuse(fmt.Errorf("%s:%d:%d: %w", l.file, l.line, column, err))
	}
}

// begin reads the header row.
func (l *csvLog) begin(text string) error {
	l.comma = ','
	if !strings.Contains(text, ",") {
		switch {
		case strings.Contains(text, ";"):
			l.comma = ';'
		case strings.Contains(text, "\t"):
			l.comma = '\t'
		}
	}
	cells, bad := splitCSV(text, l.comma)
	if bad != nil {
		return fmt.Errorf("%s:%d:%d: %w", l.file, l.line, bad.column, bad)
	}
	l.header = cells
	l.columns = make([]csvRole, len(cells))
	seen := map[string]bool{}
	for _, c := range cells {
		if seen[c.text] {
			return fmt.Errorf("%s:%d:%d: there are two columns %q", l.file, l.line, c.column, c.text)
		}
		seen[c.text] = true
	}
	when := l.layout.Time
	for _, name := range []string{"at", "time"} {
		if when == "" && seen[name] {
			when = name
		}
	}
	if when == "" || !seen[when] {
		return fmt.Errorf("%s:%d:1: no column gives the time: name it `at` or `time`, or say which it is", l.file, l.line)
	}
	for header := range l.layout.Columns {
		if !seen[header] {
			return fmt.Errorf("%s:%d:1: there is no column %q", l.file, l.line, header)
		}
	}
	place := seen["lat"] && seen["lon"] && l.layout.Columns == nil
	for k, c := range cells {
		role, err := l.role(c.text, when, place)
		if err != nil {
			return fmt.Errorf("%s:%d:%d: %w", l.file, l.line, c.column, err)
		}
		l.columns[k] = role
	}
	return nil
}

func (l *csvLog) role(header, when string, place bool) (csvRole, error) {
	switch {
	case header == when:
		return csvRole{role: isTime}, nil
	case l.layout.Columns != nil:
		col, ok := l.layout.Columns[header]
		if !ok {
			return csvRole{}, nil
		}
		kind, _ := sense.ParseKind(col.Type)
		return csvRole{role: isSignal, signal: col.signal(header), kind: kind}, nil
	case header == "session":
		return csvRole{role: isSession}, nil
	case place && header == "lat":
		return csvRole{role: isLat}, nil
	case place && header == "lon":
		return csvRole{role: isLon}, nil
	case place && header == "accuracy":
		return csvRole{role: isAccuracy}, nil
	case !validName(header):
		return csvRole{}, fmt.Errorf("column %q is not the name of a signal, as speed or tyre.pressure: say which columns to read", header)
	}
	return csvRole{role: isSignal, signal: header}, nil
}

// emit hands out the readings of one row, in order of the columns.
func (l *csvLog) emit(cells []csvCell) error {
	e := event.Event{Session: event.MainSession}
	lat, lon, accuracy := -1, -1, -1
	for k, c := range cells {
		switch l.columns[k].role {
		case isTime:
			at, err := parseTime(c.text, l.layout.TimeLayout)
			if err == nil && (at < firstTime || at > lastTime) {
				err = fmt.Errorf("time %q is not between the years 1 and 9999 in UTC", c.text)
			}
			if err != nil {
				l.refuse(c.column, err)
				return nil
			}
			if l.any && at < l.last {
				l.refuse(c.column, fmt.Errorf("time %s is before that of the row before, %s", at, l.last))
				return nil
			}
			l.any, l.last = true, at
			if l.dated {
				e.At, e.Happened, e.HasAt = at, at, true
			}
		case isSession:
			if c.text != "" && validSession(c.text) {
				e.Session = c.text
			} else if c.text != "" {
				l.refuse(c.column, fmt.Errorf("session %q has blanks or control characters, or more than 64 of them", c.text))
				return nil
			}
		case isLat:
			lat = k
		case isLon:
			lon = k
		case isAccuracy:
			accuracy = k
		}
	}
	for k, c := range cells {
		col, text := l.columns[k], c.text
		var v sense.Value
		var err error
		switch {
		case k == lat && (text != "" || cells[lon].text != ""):
			raw := `{"lat":` + text + `,"lon":` + cells[lon].text
			if accuracy >= 0 && cells[accuracy].text != "" {
				raw += `,"accuracy":` + cells[accuracy].text
			}
			if v, err = sense.ParseJSON([]byte(raw + "}")); err != nil {
				err = fmt.Errorf("lat %q and lon %q are no place", text, cells[lon].text)
			}
			col.signal = SignalPosition
		case col.role == isSignal && text != "":
			v, err = csvValue(text, col.kind)
		default:
			continue
		}
		if err != nil {
			l.refuse(c.column, err)
			continue
		}
		e.Body = &event.Signal{Name: col.signal, Value: v}
		if err := l.to.Emit(e); err != nil {
			return err
		}
	}
	return nil
}

// csvValue reads a cell as a value of a kind, or by its looks: null,
// true and false, a whole number, a number, else text.
func csvValue(text string, kind sense.Kind) (sense.Value, error) {
	if !utf8.ValidString(text) {
		return sense.Value{}, errors.New("cell is not UTF-8")
	}
	if kind == sense.String {
		return sense.StringValue(text), nil
	}
	v := sense.StringValue(text)
	switch {
	case text == "null":
		return sense.NullValue(), nil
	case text == "true" || text == "false":
		v = sense.BoolValue(text == "true")
	case strings.Trim(text, "+-.0123456789eE") == "":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			v = sense.IntValue(n)
		} else if f, err := strconv.ParseFloat(text, 64); err == nil {
			v = sense.DoubleValue(f)
		}
	}
	if kind == sense.Null {
		return v, nil
	}
	return v.As(kind)
}

// An event line holds the years 1 to 9999.
const (
	firstTime sense.Instant = -62135596800_000
	lastTime  sense.Instant = 253402300799_999
)

func parseTime(text, layout string) (sense.Instant, error) {
	switch layout {
	case "", "rfc3339":
		return sense.ParseInstant(text)
	case "unix", "unix_ms":
		f, err := strconv.ParseFloat(text, 64)
		if layout == "unix" {
			f *= 1000
		}
		if err != nil || !(f > -1e14 && f < 1e14) {
			return 0, fmt.Errorf("time %q is not a number of seconds or milliseconds since 1970", text)
		}
		return sense.Instant(sense.Round(f)), nil
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return 0, fmt.Errorf("time %q is not of the form %s", text, layout)
	}
	return sense.InstantOf(t), nil
}

// csvError is what is wrong with the form of a row.
type csvError struct {
	column int
	text   string
}

func (e *csvError) Error() string { return e.text }

// splitCSV splits a row into its cells, without the blanks around them. A
// quoted cell may hold the separator, and quotes written twice.
func splitCSV(text string, comma byte) ([]csvCell, *csvError) {
	var cells []csvCell
	column := 1 // of text[0]
	for {
		blank := len(text) - len(strings.TrimLeft(text, " "))
		column += blank
		text = text[blank:]
		cell := csvCell{column: column}
		rest := ""
		if strings.HasPrefix(text, `"`) {
			var b strings.Builder
			k := 1
			for ; ; k++ {
				if k == len(text) {
					return nil, &csvError{column, "a quoted cell does not end in its line"}
				}
				if text[k] == '"' {
					if k+1 == len(text) || text[k+1] != '"' {
						break
					}
					k++
				}
				b.WriteByte(text[k])
			}
			cell.text = b.String()
			rest = text[k+1:]
			trimmed := strings.TrimLeft(rest, " ")
			if trimmed != "" && trimmed[0] != comma {
				return nil, &csvError{column + utf8.RuneCountInString(text[:k+1]), "a quoted cell goes on after its quotes"}
			}
		} else {
			k := strings.IndexByte(text, comma)
			if k < 0 {
				k = len(text)
			}
			cell.text = strings.TrimRight(text[:k], " ")
			rest = text[k:]
		}
		cells = append(cells, cell)
		k := strings.IndexByte(rest, comma)
		if k < 0 {
			return cells, nil
		}
		column += utf8.RuneCountInString(text[:len(text)-len(rest)+k+1])
		text = rest[k+1:]
	}
}
