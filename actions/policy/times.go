package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// textOf returns the text of a literal.
func textOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

const durationHint = "write the duration as it is, as in 8s, 5m, 2h, 90d or 2y"

// length reads duration('...'), which durations like 8s were rewritten to, or an author wrote.
func (t *translator) length(e ast.Expr, args []ast.Expr) rule.Node {
	text, ok := textOf(args[0])
	if !ok {
		if t.node(args[0]); len(t.bad) > 0 {
			return t.graph.constNode(sense.LengthValue(0))
		}
		return t.fail(e, "not_supported", durationHint, "duration(...) of what is no constant text is not supported in conditions")
	}
	if ms, err := strconv.ParseInt(strings.TrimSuffix(text, "ms"), 10, 64); err == nil && strings.HasSuffix(text, "ms") {
		return t.graph.constNode(sense.LengthValue(sense.Duration(ms)))
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return t.fail(e, "duration_literal", durationHint, "duration(...) is not used in conditions: it fails only when it runs")
	case d%time.Millisecond != 0:
		return t.fail(e, "not_supported", durationHint, "durations finer than a millisecond are not supported in conditions")
	}
	return t.graph.constNode(sense.LengthValue(sense.Duration(d / time.Millisecond)))
}

// strictTime is what CEL takes for a timestamp: RFC 3339 to the letter.
var strictTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

const timestampHint = "as in timestamp('2026-03-02T10:00:00+01:00')"

func (t *translator) timestamp(e ast.Expr, args []ast.Expr) rule.Node {
	if text, ok := textOf(args[0]); ok {
		at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		switch {
		case err != nil || !strictTime.MatchString(text) || at.Before(leastTime) || at.After(mostTime):
			return t.fail(e, "condition_error", timestampHint, "timestamp('%s') can only be an error: it is no time of the years 1 to 9999", text)
		case at.Nanosecond()%int(time.Millisecond) != 0:
			return t.fail(e, "not_supported", timestampHint, "times finer than a millisecond are not supported in conditions")
		}
		return t.graph.constNode(sense.TimestampValue(sense.InstantOf(at)))
	}
	n := t.node(args[0])
	switch t.graph.kind(n) {
	case sense.Timestamp:
		return n
	case sense.Int:
		return t.graph.call(rule.Op{Code: rule.ToTimestamp, Kind: sense.Timestamp, Args: []rule.Node{n}, Input: -1}, "timestamp", t.graph.wrap(n, bindCond))
	}
	return t.fail(e, "not_supported", timestampHint, "timestamp(...) takes a constant, or seconds since 1970")
}

var leastTime, mostTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)

// date reads date('2026-03-02').
func (t *translator) date(e ast.Expr, args []ast.Expr) rule.Node {
	text, ok := textOf(args[0])
	if !ok {
		return t.fail(e, "not_supported", "as in birth_date < date('2010-01-01')", "date(...) takes a constant")
	}
	day, err := sense.ParseDate(text)
	if err != nil {
		return t.fail(e, "condition_error", "as in birth_date < date('2010-01-01')", "date('%s') can only be an error: it is no date", text)
	}
	return t.graph.constNode(sense.DateValue(day))
}

// convert translates conversions between kinds, and size.
func (t *translator) convert(e ast.Expr, name string, args []ast.Expr) rule.Node {
	n := t.node(args[0])
	if len(t.bad) > 0 {
		return n
	}
	from := t.graph.kind(n)
	op := rule.Op{Kind: sense.Int, Args: []rule.Node{n}, Input: -1}
	switch {
	case name == "size" && (from == sense.String || from == sense.List):
		op.Code = rule.Size
	case name == from.String():
		return n
	case name == "double" && (from == sense.Int || from == sense.String):
		op.Code, op.Kind = rule.ToDouble, sense.Double
	case name == "int" && (from == sense.Double || from == sense.String || from == sense.Timestamp):
		op.Code = rule.ToInt
	case name == "bool" && from == sense.String:
		op.Code, op.Kind = rule.ToBool, sense.Bool
	case name == "string" && (from == sense.Bool || from == sense.Int || from == sense.Double || from == sense.Length || from == sense.Timestamp):
		op.Code, op.Kind = rule.ToText, sense.String
	default:
		return t.fail(e, "not_supported", "", "%s(...) of a %s is not supported in conditions", name, from)
	}
	return t.graph.call(op, name, t.graph.wrap(n, bindCond))
}

// parts are the members that read a timestamp or a duration.
var parts = map[string]rule.Code{
	"getFullYear": rule.PartYear, "getMonth": rule.PartMonth, "getDate": rule.PartDate, "getDayOfMonth": rule.PartDayOfMonth,
	"getDayOfWeek": rule.PartWeekday, "getDayOfYear": rule.PartYearDay, "getHours": rule.PartHours, "getMinutes": rule.PartMinutes,
	"getSeconds": rule.PartSeconds, "getMilliseconds": rule.PartMilliseconds,
}

// part translates when.getHours() and its like, with a constant zone or in UTC.
func (t *translator) part(e ast.Expr, code rule.Code) rule.Node {
	call := e.AsCall()
	n := t.node(call.Target())
	g := t.graph
	switch kind := g.kind(n); {
	case len(t.bad) > 0:
		return n
	case kind == sense.Timestamp:
	case kind != sense.Length, code < rule.PartHours, code == rule.PartMilliseconds, len(call.Args()) > 0:
		return t.fail(e, "not_supported", "durations have getHours(), getMinutes() and getSeconds()", "%s of a %s is not supported in conditions", call.FunctionName(), kind)
	}
	op := rule.Op{Code: code, Kind: sense.Int, Args: []rule.Node{n}, Input: -1}
	texts := []string{}
	for _, a := range call.Args() {
		zone := t.node(a)
		name, ok := t.quoted(zone)
		if !ok {
			return t.fail(a, "not_supported", "as in now.getHours('Europe/Amsterdam') or '+01:00'", "the zone of %s is a constant text", call.FunctionName())
		}
		z, err := zoneOrOffset(name)
		if err != nil {
			return t.fail(a, "condition_error", "as in 'Europe/Amsterdam' or '+01:00'", "'%s' can only be an error: it is no time zone", name)
		}
		op.Zone = g.zone(z)
		texts = append(texts, g.wrap(zone, bindCond))
	}
	return g.call(op, g.wrap(n, bindAtom)+"."+call.FunctionName(), texts...)
}

var offset = regexp.MustCompile(`^([+-]?)(\d{1,2}):(\d{1,2})$`)

// zoneOrOffset reads a zone by its name, or an offset from UTC like -02:30, as CEL does.
func zoneOrOffset(name string) (sense.Zone, error) {
	m := offset.FindStringSubmatch(name)
	if m == nil {
		return Zone(name)
	}
	hours, _ := strconv.Atoi(m[2])
	minutes, _ := strconv.Atoi(m[3])
	if hours > 23 || minutes > 59 {
		return sense.UTC, strconv.ErrRange
	}
	d := sense.Duration(hours)*sense.Hour + sense.Duration(minutes)*sense.Minute
	if m[1] == "-" {
		d = -d
	}
	return sense.Zone{Name: name, Turns: []sense.Turn{{Offset: d}}}, nil
}

// until translates the time to the due instant of a kind of interaction.
func (t *translator) until(e ast.Expr, args []ast.Expr) rule.Node {
	s := t.symbolOf(args[0])
	in := rule.Input{From: rule.FromUntil, Name: s.name, Kind: sense.Length, Scope: rule.ScopeSession, Index: s.index}
	text := []string{s.name}
	if len(args) == 2 {
		subject, ok := t.graph.constant(t.node(args[1]))
		if !ok || !event.Subject(subject.Str()).Valid() {
			return t.fail(args[1], "bad_subject", "as in until("+s.name+", 'flight:kl1234')", "until wants a subject of the form 'type:id'")
		}
		in.Subject = event.Subject(subject.Str())
		text = append(text, literal(subject))
	}
	return t.graph.load(in, "until("+strings.Join(text, ", ")+")")
}
