package policy

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// message is a textproto message: its fields in order. It knows as much of the format as the
// official cases of CEL need.
type message []field

type field struct {
	name  string
	text  string // of a scalar
	inner message
}

// get returns the first field of a name.
func (m message) get(name string) (field, bool) {
	for _, f := range m {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func (m message) text(name string) string {
	f, _ := m.get(name)
	return f.text
}

// at walks down a path of fields; nil where there is none.
func (m message) at(path ...string) message {
	for _, name := range path {
		f, ok := m.get(name)
		if !ok {
			return nil
		}
		m = f.inner
	}
	return m
}

type protoReader struct {
	src string
	pos int
}

func readTextproto(src string) (m message, err error) {
	r := &protoReader{src: src}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("offset %d: %v", r.pos, p)
		}
	}()
	return r.message(""), nil
}

func (r *protoReader) blank() {
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case strings.IndexByte(" \t\r\n,;", c) >= 0:
			r.pos++
		case c == '#':
			for r.pos < len(r.src) && r.src[r.pos] != '\n' {
				r.pos++
			}
		default:
			return
		}
	}
}

func (r *protoReader) peek() byte {
	if r.blank(); r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *protoReader) message(end string) message {
	m := message{}
	for {
		c := r.peek()
		if c == 0 && end == "" {
			return m
		} else if end != "" && c == end[0] {
			r.pos++
			return m
		}
		name := r.name()
		if r.peek() == ':' {
			r.pos++
		}
		if r.peek() == '[' {
			r.pos++
			for r.peek() != ']' {
				m = append(m, r.value(name))
			}
			r.pos++
			continue
		}
		m = append(m, r.value(name))
	}
}

func (r *protoReader) name() string {
	start := r.pos
	if r.src[r.pos] == '[' {
		r.pos += strings.IndexByte(r.src[r.pos:], ']') + 1
		return r.src[start:r.pos]
	}
	for r.pos < len(r.src) && (isWord(rune(r.src[r.pos])) || r.src[r.pos] == '.') {
		r.pos++
	}
	if start == r.pos {
		panic(fmt.Sprintf("%q is no name", r.src[r.pos]))
	}
	return r.src[start:r.pos]
}

func (r *protoReader) value(name string) field {
	switch c := r.peek(); c {
	case '{':
		r.pos++
		return field{name: name, inner: r.message("}")}
	case '<':
		r.pos++
		return field{name: name, inner: r.message(">")}
	case '"', '\'':
		text := ""
		for c := r.peek(); c == '"' || c == '\''; c = r.peek() {
			text += r.quoted(c)
		}
		return field{name: name, text: text}
	}
	start := r.pos
	for r.pos < len(r.src) && strings.IndexByte(" \t\r\n,;}>]#", r.src[r.pos]) < 0 {
		r.pos++
	}
	return field{name: name, text: r.src[start:r.pos]}
}

func (r *protoReader) quoted(quote byte) string {
	var b strings.Builder
	for rest := r.src[r.pos+1:]; ; {
		if rest[0] == quote {
			r.pos = len(r.src) - len(rest) + 1
			return b.String()
		}
		if rest[0] == '\\' && rest[1] == '?' {
			b.WriteByte('?')
			rest = rest[2:]
			continue
		}
		c, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
		if rest[0] == '\\' && (rest[1] == '\'' || rest[1] == '"') {
			c, tail, err = rune(rest[1]), rest[2:], nil
		}
		if err != nil {
			panic(err)
		}
		if multibyte || c < 0x80 {
			b.WriteRune(c)
		} else {
			b.WriteByte(byte(c))
		}
		rest = tail
	}
}

func TestReadTextproto(t *testing.T) {
	m, err := readTextproto("# c\nname: \"a\\n\" 'b\\'c'\nlist { v: 1, v: -2.5; w <x: true> } [ext.a/b] { y: [1, 2] }")
	if err != nil {
		t.Fatal(err)
	}
	const want = "[{name a\nb'c []} {list  [{v 1 []} {v -2.5 []} {w  [{x true []}]}]} {[ext.a/b]  [{y 1 []} {y 2 []}]}]"
	if got := fmt.Sprint(m); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := readTextproto("name: 'a"); err == nil {
		t.Error("an open quote is read")
	}
}
