package event

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting: the line, an object in it, and lists of lists in that.
const maxDepth = 8

// manyKeys is where looking for a duplicate key goes from a loop to a map.
const manyKeys = 16

// field is one key of a JSON object with the text of its value, which has been
// found to be well formed.
type field struct {
	key []byte
	raw []byte
}

// scanner reads JSON strictly: encoding/json lets duplicate keys, lone
// surrogates and any depth pass, and this format does not.
type scanner struct {
	b   []byte
	pos int
}

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("column %d: %s", utf8.RuneCount(s.b[:s.pos])+1, fmt.Sprintf(format, args...))
}

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

// found says what stands at the position, for errors.
func (s *scanner) found() string {
	if s.pos >= len(s.b) {
		return "the line ends"
	}
	r, _ := utf8.DecodeRune(s.b[s.pos:])
	return fmt.Sprintf("found %q", r)
}

// whole reads one object that is all there is.
func (s *scanner) whole() ([]field, error) {
	if s.peek() != '{' {
		return nil, s.fail("expected an object, %s", s.found())
	}
	fields, err := s.object(1)
	if err != nil {
		return nil, err
	}
	if s.peek(); s.pos < len(s.b) {
		return nil, s.fail("expected nothing after the object, %s", s.found())
	}
	return fields, nil
}

// object reads an object at the position; its keys are in the order written and all different.
func (s *scanner) object(depth int) ([]field, error) {
	fields := make([]field, 0, 8)
	var seen map[string]bool
	s.pos++ // {
	for first := true; s.peek() != '}'; first = false {
		if !first {
			if s.peek() != ',' {
				return nil, s.fail("expected a comma or }, %s", s.found())
			}
			s.pos++
		}
		if s.peek() != '"' {
			return nil, s.fail("expected a key in double quotes, %s", s.found())
		}
		at := s.pos
		raw, err := s.text()
		if err != nil {
			return nil, err
		}
		key, err := unquote(raw)
		if err != nil {
			return nil, err
		}
		if has(fields, seen, key) {
			s.pos = at
			return nil, s.fail("key %s is there twice", quote(key))
		}
		if s.peek() != ':' {
			return nil, s.fail("expected a colon after key %s, %s", quote(key), s.found())
		}
		s.pos++
		s.space()
		start := s.pos
		if err := s.value(depth); err != nil {
			return nil, err
		}
		fields = append(fields, field{key: key, raw: s.b[start:s.pos]})
		seen = remember(fields, seen)
	}
	s.pos++ // }
	return fields, nil
}

func has(fields []field, seen map[string]bool, key []byte) bool {
	if seen != nil {
		return seen[string(key)]
	}
	for k := range fields {
		if string(fields[k].key) == string(key) {
			return true
		}
	}
	return false
}

func remember(fields []field, seen map[string]bool) map[string]bool {
	if len(fields) < manyKeys {
		return nil
	}
	if seen == nil {
		seen = make(map[string]bool, 2*manyKeys)
		for k := range fields {
			seen[string(fields[k].key)] = true
		}
	}
	seen[string(fields[len(fields)-1].key)] = true
	return seen
}

// value passes over one value of any kind.
func (s *scanner) value(depth int) error {
	switch c := s.peek(); {
	case c == '{' || c == '[':
		if depth == maxDepth {
			return s.fail("nested deeper than %d", maxDepth)
		}
		if c == '{' {
			_, err := s.object(depth + 1)
			return err
		}
		return s.list(depth+1, func([]byte) error { return nil })
	case c == '"':
		_, err := s.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if end := s.pos + len(word); end <= len(s.b) && string(s.b[s.pos:end]) == word {
			s.pos = end
			return nil
		}
	}
	return s.fail("expected a value, %s", s.found())
}

// list passes over a list and gives the text of each element to visit.
func (s *scanner) list(depth int, visit func(raw []byte) error) error {
	s.pos++ // [
	for first := true; s.peek() != ']'; first = false {
		if !first {
			if s.peek() != ',' {
				return s.fail("expected a comma or ], %s", s.found())
			}
			s.pos++
		}
		s.space()
		start := s.pos
		if err := s.value(depth); err != nil {
			return err
		}
		if err := visit(s.b[start:s.pos]); err != nil {
			return err
		}
	}
	s.pos++ // ]
	return nil
}

// text passes over a string and returns it with its quotes.
func (s *scanner) text() ([]byte, error) {
	start := s.pos
	s.pos++
	for s.pos < len(s.b) {
		switch c := s.b[s.pos]; {
		case c == '"':
			s.pos++
			return s.b[start:s.pos], nil
		case c < 0x20:
			return nil, s.fail("control character %#x in a string must be written as an escape", c)
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		default:
			s.pos++
		}
	}
	return nil, s.fail("the line ends inside a string")
}

// escape passes over one escape; the two halves of a surrogate pair are one.
func (s *scanner) escape() error {
	if s.pos+1 == len(s.b) {
		return s.fail("the line ends inside a string")
	}
	switch s.b[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return nil
	case 'u':
		_, n := hexRune(s.b[s.pos:])
		if n == 0 {
			return s.fail(`a \u escape needs four hexadecimal digits and no lone surrogate`)
		}
		s.pos += n
		return nil
	}
	return s.fail(`\%c is no escape`, s.b[s.pos+1])
}

// hexRune reads \uXXXX, or a pair of them that is a surrogate pair, at the
// start of b: the character and the bytes read, 0 when it is neither.
func hexRune(b []byte) (rune, int) {
	hex := func(b []byte) rune {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return -1
		}
		n := rune(0)
		for _, c := range b[2:6] {
			switch {
			case c >= '0' && c <= '9':
				n = n<<4 | rune(c-'0')
			case c >= 'a' && c <= 'f':
				n = n<<4 | rune(c-'a'+10)
			case c >= 'A' && c <= 'F':
				n = n<<4 | rune(c-'A'+10)
			default:
				return -1
			}
		}
		return n
	}
	r := hex(b)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hex(b[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return 0, 0
}

// number passes over a number as JSON writes it: no plus, no leading zero, no bare point.
func (s *scanner) number() error {
	start := s.pos
	digits := func() int {
		from := s.pos
		for s.pos < len(s.b) && s.b[s.pos] >= '0' && s.b[s.pos] <= '9' {
			s.pos++
		}
		return s.pos - from
	}
	at := func(c byte) bool { return s.pos < len(s.b) && s.b[s.pos] == c }
	if at('-') {
		s.pos++
	}
	first := s.pos
	if n := digits(); n == 0 || n > 1 && s.b[first] == '0' {
		s.pos = start
		return s.fail("a number starts with a digit, and with 0 only before a point")
	}
	if at('.') {
		s.pos++
		if digits() == 0 {
			return s.fail("expected a digit after the point, %s", s.found())
		}
	}
	if at('e') || at('E') {
		s.pos++
		if at('+') || at('-') {
			s.pos++
		}
		if digits() == 0 {
			return s.fail("expected a digit in the exponent, %s", s.found())
		}
	}
	return nil
}

// unquote returns what a well-formed string says.
func unquote(raw []byte) ([]byte, error) {
	in := raw[1 : len(raw)-1]
	plain := true
	for _, c := range in {
		if c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return in, nil
	}
	out := make([]byte, 0, len(in))
	for k := 0; k < len(in); {
		if in[k] != '\\' {
			out = append(out, in[k])
			k++
			continue
		}
		switch c := in[k+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, n := hexRune(in[k:])
			out = utf8.AppendRune(out, r)
			k += n
			continue
		default: // " \ /
			out = append(out, c)
		}
		k += 2
	}
	return out, nil
}

// quote prints a name for an error, cut where it is long.
func quote(b []byte) string {
	const most = 40
	if utf8.RuneCount(b) <= most {
		return strconv.Quote(string(b))
	}
	return strconv.Quote(string([]rune(string(b))[:most])) + "..."
}
