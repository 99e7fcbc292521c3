package event

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/sense"
)

// ErrTooLong says that a line has more than MaxLine bytes.
var ErrTooLong = errors.New("line is longer than 65536 bytes")

// kind is one sort of line: the key that names it, the keys that it may have
// beside the common ones, and how its body is read.
type kind struct {
	name string
	keys []string
	read func(*fields) Body
}

var commonKeys = []string{"at", "happened", "id", "source", "session"}

var kinds = []kind{
	{"signal", []string{"value", "age"}, readSignal},
	{"identify", []string{"by", "strength", "shared", "language", "owners"}, readIdentify},
	{"fact", []string{"customer", "owner", "value", "provenance"}, readFact},
	{"consent", []string{"customer", "granted", "text", "expires"}, readConsent},
	{"objection", []string{"customer", "raised"}, readObjection},
	{"restrict", []string{"on"}, readRestrict},
	{"interaction", []string{"customer", "about", "channel", "ref", "value", "due"}, readInteraction},
	{"ask", []string{"intent", "about", "with", "count", "language"}, readAsk},
	{"outcome", []string{"decision", "slot"}, readOutcome},
	{"forget", nil, readForget},
	{"merge", nil, readMerge},
	{"split", nil, readSplit},
	{"tick", nil, readTick},
	{"boot", nil, readBoot},
	{"clock", nil, readClock},
	{"lease", []string{"until"}, readLease},
	{"policy", nil, readPolicy},
	{"link", nil, readLink},
}

// ParseLine reads one event line, with or without its line end.
//
// It is strict: unknown and duplicate keys, none or two bodies, a wrong type or
// word, a `happened` after `at`, invalid UTF-8, more than MaxLine bytes and
// anything after the object are errors that name the place. A key that may be
// left out may also be null, which says the same; null is a value of its own
// only in `value` (unavailable, retracted), `identify` (nobody) and `until` (ended).
// The event shares no memory with line.
func ParseLine(line []byte) (Event, error) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) > MaxLine {
		return Event{}, ErrTooLong
	}
	if !utf8.Valid(line) {
		return Event{}, fmt.Errorf("byte %d: not UTF-8", validPrefix(line)+1)
	}
	s := scanner{b: line}
	list, err := s.whole()
	if err != nil {
		return Event{}, err
	}
	f := fields{list: list}
	k, err := f.kind()
	if err != nil {
		return Event{}, err
	}
	if err := f.unknown(k); err != nil {
		return Event{}, err
	}
	e := f.common()
	e.Body = k.read(&f)
	if f.err != nil {
		return Event{}, fmt.Errorf("%s line: %w", k.name, f.err)
	}
	return e, nil
}

func validPrefix(b []byte) int {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// fields are the keys of one object while they are read; the first error stays.
type fields struct {
	list []field
	err  error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// kind finds the one key that says what the line is.
func (f *fields) kind() (*kind, error) {
	var found *kind
	for j := range kinds {
		if f.raw(kinds[j].name) == nil {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%q and %q in one line: a line says exactly one thing", found.name, kinds[j].name)
		}
		found = &kinds[j]
	}
	if found != nil {
		return found, nil
	}
	var names []string
	for j := range kinds {
		names = append(names, kinds[j].name)
	}
	known := slices.Concat(commonKeys, names)
	if others := f.others(known); others != "" {
		return nil, fmt.Errorf("unknown %s, and no event: a line has exactly one of %s", others, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("no event: a line has exactly one of %s", strings.Join(names, ", "))
}

// unknown names every key that a line of this kind does not have.
func (f *fields) unknown(k *kind) error {
	strange := false
	for j := range f.list {
		key := string(f.list[j].key)
		if key != k.name && !slices.Contains(commonKeys, key) && !slices.Contains(k.keys, key) {
			strange = true
		}
	}
	if !strange {
		return nil
	}
	known := slices.Concat([]string{k.name}, k.keys, commonKeys)
	return fmt.Errorf("%s line: unknown %s: it may have %s", k.name, f.others(known), strings.Join(known, ", "))
}

// only fails for keys of a nested object that are not among known.
func (f *fields) only(known ...string) {
	if others := f.others(known); others != "" {
		f.fail("unknown %s: it may have %s", others, strings.Join(known, ", "))
	}
}

// others lists the keys that are not known, at most five, as `key "x"` or `keys "x", "y"`.
func (f *fields) others(known []string) string {
	const most = 5
	var names []string
	for j := range f.list {
		if slices.Contains(known, string(f.list[j].key)) {
			continue
		}
		if len(names) == most {
			names = append(names, "...")
			break
		}
		names = append(names, quote(f.list[j].key))
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "key " + names[0]
	}
	return "keys " + strings.Join(names, ", ")
}

// raw returns the text of a key's value, nil where the key is not there.
func (f *fields) raw(key string) []byte {
	for j := range f.list {
		if string(f.list[j].key) == key {
			return f.list[j].raw
		}
	}
	return nil
}

// given returns the text of a key's value, nil where the key is not there or null.
func (f *fields) given(key string) []byte {
	raw := f.raw(key)
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// common reads the keys that every line may have.
func (f *fields) common() Event {
	e := Event{
		ID:      f.text("id"),
		Source:  f.text("source"),
		Session: f.text("session"),
	}
	if e.Session == "" {
		e.Session = MainSession
	}
	if n := utf8.RuneCountInString(e.ID); n > MaxID {
		f.fail("id has %d characters, at most %d are allowed", n, MaxID)
	}
	e.At, e.HasAt = f.instant("at")
	happened, has := f.instant("happened")
	switch {
	case !has:
		e.Happened = e.At
	case e.HasAt && happened > e.At:
		f.fail("happened %s is after at %s", happened, e.At)
	default:
		e.Happened = happened
	}
	return e
}

// text reads an optional string that is not empty.
func (f *fields) text(key string) string {
	raw := f.given(key)
	if raw == nil {
		return ""
	}
	if raw[0] != '"' {
		f.fail("%s is %s, expected text in double quotes", key, quote(raw))
		return ""
	}
	s, _ := unquote(raw)
	if len(s) == 0 {
		f.fail("%s is empty: leave it out, or give a name", key)
	}
	return string(s)
}

// name reads a string that must be there.
func (f *fields) name(key string) string {
	if f.given(key) == nil {
		f.missing(key)
		return ""
	}
	return f.text(key)
}

func (f *fields) missing(key string) {
	if f.raw(key) != nil {
		f.fail("%s is null, expected a value", key)
		return
	}
	f.fail("key %q is missing", key)
}

// truth reads true or false.
func (f *fields) truth(key string, required bool) bool {
	raw := f.given(key)
	switch {
	case raw == nil && required:
		f.missing(key)
	case raw == nil, string(raw) == "false":
	case string(raw) == "true":
		return true
	default:
		f.fail("%s is %s, expected true or false", key, quote(raw))
	}
	return false
}

// The instants that RFC 3339 can write: years 1 to 9999.
const (
	firstInstant sense.Instant = -62135596800000
	lastInstant  sense.Instant = 253402300799999
)

// instant reads an optional RFC 3339 time.
func (f *fields) instant(key string) (i sense.Instant, has bool) {
	s := f.text(key)
	if s == "" {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !strictTime(s) {
		f.fail("%s %s is not a time as RFC 3339 writes it, as in 2026-03-02T10:00:00.000+01:00", key, quote([]byte(s)))
		return 0, false
	}
	i = sense.InstantOf(t)
	if i < firstInstant || i > lastInstant {
		f.fail("%s %s is not between the years 1 and 9999 in UTC", key, quote([]byte(s)))
		return 0, false
	}
	return i, true
}

// strictTime refuses what time.Parse lets pass beyond RFC 3339 (go.dev/issue/54580):
// an hour of one digit, a comma before the fraction, a zone of 24 hours or 60 minutes.
func strictTime(s string) bool {
	if s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") {
		return false
	}
	zone := s[len(s)-len("00:00"):]
	return strings.HasSuffix(s, "Z") || zone[:2] < "24" && zone[3:] < "60"
}

// instantOr reads an optional time that is otherwise d.
func (f *fields) instantOr(key string, d sense.Instant) sense.Instant {
	if i, has := f.instant(key); has {
		return i
	}
	return d
}

// subject reads an optional type:id(/sub).
func (f *fields) subject(key string) Subject {
	s := Subject(f.text(key))
	if s != "" && !s.Valid() {
		f.fail("%s %s is not type:id or type:id/sub, as in product:model-x", key, quote([]byte(s)))
	}
	return s
}

// object reads a nested object.
func (f *fields) object(key string) (fields, bool) {
	raw := f.given(key)
	if raw == nil {
		return fields{}, false
	}
	if raw[0] != '{' {
		f.fail("%s is %s, expected an object", key, quote(raw))
		return fields{}, false
	}
	s := scanner{b: raw}
	list, err := s.whole()
	if err != nil {
		f.fail("%s: %w", key, err)
		return fields{}, false
	}
	return fields{list: list}, true
}

// names reads a list of strings, none empty.
func (f *fields) names(key string) []string {
	raw := f.given(key)
	if raw == nil {
		return nil
	}
	if raw[0] != '[' {
		f.fail("%s is %s, expected a list of names", key, quote(raw))
		return nil
	}
	var names []string
	s := scanner{b: raw}
	err := s.list(1, func(raw []byte) error {
		if raw[0] != '"' || len(raw) == 2 {
			return fmt.Errorf("%s is no name", quote(raw))
		}
		name, err := unquote(raw)
		names = append(names, string(name))
		return err
	})
	if err != nil {
		f.fail("%s: %w", key, err)
	}
	return names
}

// from takes over the first error of a nested object.
func (f *fields) from(key string, nested *fields) {
	if nested.err != nil {
		f.fail("%s: %w", key, nested.err)
	}
}
