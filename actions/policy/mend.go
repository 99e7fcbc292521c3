package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// mended is a YAML text in which the mistakes that authors make with YAML itself
// are put right, so that the rest of the file can be checked, with the place of
// each of its characters in the author's text.
type mended struct {
	text string
	back []int // back[k] is the author's offset (in code points) of character k; one more for the end
	bad  []mistake
}

// mend reads YAML just well enough to find values that mean something else than
// they say: tags, texts and conditions that flow style or a comment cuts, tabs.
// It quotes them in its copy.
func mend(text string) mended {
	m := &mender{src: []rune(text)}
	for m.pos < len(m.src) {
		m.line()
	}
	return m.result()
}

type edit struct {
	at     int // offset in the author's text
	insert string
}

type mender struct {
	src   []rune
	pos   int
	edits []edit // in order of at
	bad   []mistake
	rows  []row

	indent int // that the next line probably has
}

// row is a line of block style that holds a key or an element of a list.
type row struct {
	at     int  // offset of its first character
	indent int  // blanks before it
	dashes int  // of elements that it begins
	inner  int  // blanks before what stands behind the dashes
	opens  bool // its value stands in the lines below
}

func (m *mender) result() mended {
	out := mended{bad: m.bad}
	var b strings.Builder
	next := 0
	for k := 0; k <= len(m.src); k++ {
		for ; next < len(m.edits) && m.edits[next].at == k; next++ {
			for _, r := range m.edits[next].insert {
				b.WriteRune(r)
				out.back = append(out.back, k)
			}
		}
		if k < len(m.src) {
			b.WriteRune(m.src[k])
		}
		out.back = append(out.back, k)
	}
	out.text = b.String()
	return out
}

func (m *mender) peek(n int) rune {
	if m.pos+n < 0 || m.pos+n >= len(m.src) {
		return 0
	}
	return m.src[m.pos+n]
}

func (m *mender) mistake(at int, code, message, hint string) {
	m.bad = append(m.bad, mistake{at, code, message, hint})
}

// restOfLine returns what stands from pos to the end of the line.
func (m *mender) restOfLine() string {
	end := m.pos
	for end < len(m.src) && m.src[end] != '\n' {
		end++
	}
	return string(m.src[m.pos:end])
}

func (m *mender) skipLine() {
	for m.pos < len(m.src) && m.src[m.pos] != '\n' {
		m.pos++
	}
	m.pos++
}

var blockKey = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#:{}\[\],&*!|>'"%@` + "`" + `-][^#:\n]*?|-[^\s#:][^#:\n]*?)[ \t]*:(?:[ \t]+|$)`)

// line reads one line of block style, and whatever belongs to its value.
func (m *mender) line() {
	indent := m.indentation()
	at := row{at: m.pos, indent: indent}
	for m.peek(0) == '-' && (m.peek(1) == ' ' || m.peek(1) == '\n') {
		at.dashes++
		m.pos++
		indent++
		for m.peek(0) == ' ' {
			m.pos++
			indent++
		}
	}
	rest := m.restOfLine()
	key := blockKey.FindString(rest)
	if at.dashes > 0 || key != "" {
		behind := rest[len(key):]
		at.inner, at.opens = indent, strings.HasPrefix(behind, "#") || plainEnd(behind) == ""
		m.rows = append(m.rows, at)
	}
	if rest == "" || rest[0] == '#' {
		m.skipLine()
		return
	}
	m.pos += len([]rune(key))
	m.value(indent)
	m.skipLine()
}

// indentation skips the blanks before a line, and returns how many they are. With
// a tab among them the line is put where the one before suggests.
func (m *mender) indentation() int {
	start, tab := m.pos, -1
	for ; m.peek(0) == ' ' || m.peek(0) == '\t'; m.pos++ {
		if m.peek(0) == '\t' {
			if tab < 0 {
				tab = m.pos
			}
			m.src[m.pos] = ' '
		}
	}
	indent := m.pos - start
	if strings.TrimSpace(m.restOfLine()) == "" {
		return indent
	}
	if tab >= 0 {
		m.mistake(tab, "yaml_tab", "a tab is no indentation in YAML", "indent with two spaces")
		if more := m.indent - indent; more > 0 {
			m.edits = append(m.edits, edit{m.pos, strings.Repeat(" ", more)})
			indent += more
		}
	}
	m.indent = indent
	if strings.HasSuffix(plainEnd(m.restOfLine()), ":") {
		m.indent += 2
	}
	return indent
}

// value reads a value of block style that starts at pos.
func (m *mender) value(indent int) {
	rest := m.restOfLine()
	switch r := m.peek(0); {
	case rest == "" || r == '#':
	case r == '|' || r == '>':
		m.block(indent)
	case r == '"' || r == '\'':
		m.quoted(r)
	case bareplaceholder.MatchString(rest):
		m.placeholder(len([]rune(plainEnd(rest))))
	case r == '{' || r == '[':
		m.flow()
	case r == '!':
		m.tag(len([]rune(plainEnd(rest))))
	default:
		end := plainEnd(rest)
		if k := strings.Index(end+" ", ": "); k >= 0 && k < len(end) {
			m.colon(len([]rune(end)), len([]rune(end[:k])))
		}
	}
}

var bareplaceholder = regexp.MustCompile(`^\{[a-z][a-z0-9_.]*\}`)

var comment = regexp.MustCompile(`[ \t]+#`)

// plainEnd cuts a comment and blanks off a plain value of block style.
func plainEnd(rest string) string {
	if k := comment.FindStringIndex(rest); k != nil {
		rest = rest[:k[0]]
	}
	return strings.TrimRight(rest, " \t\r")
}

// quote puts the n characters from pos between quotes, in the copy.
func (m *mender) quote(n int) {
	m.edits = append(m.edits, edit{m.pos, `"`})
	for k := range n {
		if r := m.src[m.pos+k]; r == '"' || r == '\\' {
			m.edits = append(m.edits, edit{m.pos + k, `\`})
		}
	}
	m.pos += n
	m.edits = append(m.edits, edit{m.pos, `"`})
}

func (m *mender) placeholder(n int) {
	m.mistake(m.pos, "unquoted_placeholder", "a text that starts with { is a map in YAML, not a text", `put the text between quotes: "{name.first}, ..."`)
	m.quote(n)
}

func (m *mender) tag(n int) {
	m.mistake(m.pos, "yaml_tag", "a value that starts with ! is a tag in YAML: the condition silently becomes empty", `put the condition between quotes: "!inside(store)"`)
	m.quote(n)
}

func (m *mender) colon(n, at int) {
	m.mistake(m.pos+at, "unquoted_colon", "a colon with a space splits a text that has no quotes", `put the text between quotes: "Let op: glad"`)
	m.quote(n)
}

var afterQuote = regexp.MustCompile(`^[ \t\r]*($|#|,|\}|\]|:)`)

// quoted skips a quoted value, over lines. One that is never closed, or closed by
// the next quote that opens, is closed at the end of its line.
func (m *mender) quoted(quote rune) {
	start := m.pos
	lineEnd := start + len([]rune(m.restOfLine()))
	for m.pos++; m.pos < len(m.src); m.pos++ {
		r := m.peek(0)
		if r == '\\' && quote == '"' || r == quote && quote == '\'' && m.peek(1) == quote {
			m.pos++
			continue
		}
		if r == quote {
			m.pos++
			if m.pos <= lineEnd || afterQuote.MatchString(m.restOfLine()) {
				return
			}
			break
		}
	}
	m.mistake(start, "unclosed_quote", "this quote is not closed", fmt.Sprintf("end the text with %c", quote))
	m.pos = lineEnd
	m.edits = append(m.edits, edit{m.pos, string(quote)})
}

// block skips a block of text after | or >.
func (m *mender) block(indent int) {
	m.skipLine()
	for m.pos < len(m.src) {
		rest := m.restOfLine()
		lead := len(rest) - len(strings.TrimLeft(rest, " "))
		if strings.TrimSpace(rest) != "" && lead <= indent {
			break
		}
		m.skipLine()
	}
	m.pos-- // the caller skips to the end of the line before
}

// flow reads a value in flow style, from its bracket to the closing one.
func (m *mender) flow() {
	var open []rune
	wantsValue := true
	for m.pos < len(m.src) {
		switch r := m.peek(0); {
		case r == '{' || r == '[':
			if wantsValue && bareplaceholder.MatchString(m.restOfLine()) {
				m.placeholder(m.textLength())
				wantsValue = false
				continue
			}
			open = append(open, r)
			wantsValue = r == '['
			m.pos++
		case r == '}' || r == ']':
			open = open[:max(len(open)-1, 0)]
			m.pos++
			if len(open) == 0 {
				return
			}
			wantsValue = false
		case r == ',':
			wantsValue = len(open) > 0 && open[len(open)-1] == '['
			m.pos++
		case r == '"' || r == '\'':
			m.quoted(r)
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			m.pos++
		case r == '#':
			m.skipLine()
		case r == ':' && strings.ContainsRune(" \n\t{[\"'", m.peek(1)):
			wantsValue = true
			m.pos++
		case wantsValue && r == '!':
			m.tag(m.balanced())
			wantsValue = false
		case wantsValue:
			m.flowPlain()
			wantsValue = false
		default:
			m.flowKey()
		}
	}
}

// flowKey skips a key of flow style.
func (m *mender) flowKey() {
	for m.pos < len(m.src) && !strings.ContainsRune(",{}[]\n", m.peek(0)) {
		if m.peek(0) == ':' && strings.ContainsRune(" \n\t{[\"'", m.peek(1)) {
			return
		}
		m.pos++
	}
}

// flowPlain reads a value without quotes in flow style, and finds what splits it.
func (m *mender) flowPlain() {
	n := 0
	for r := m.peek(n); r != 0 && !strings.ContainsRune(",{}[]\n", r); r = m.peek(n) {
		if r == ':' && m.peek(n+1) == ' ' {
			m.colon(m.textLength(), n)
			return
		}
		if r == '#' && n > 0 && m.peek(n-1) == ' ' {
			m.flowComment(n)
			return
		}
		n++
	}
	stop := m.peek(n)
	plain := string(m.src[m.pos : m.pos+n])
	unbalanced := strings.Count(plain, "(") > strings.Count(plain, ")")
	switch {
	case stop == ',' && unbalanced:
		m.mistake(m.pos+n, "flow_comma", "a comma splits a condition that has no quotes here", "put the condition between quotes")
		m.quote(m.balanced())
	case stop == '[' || stop == '{':
		m.mistake(m.pos+n, "flow_comma", fmt.Sprintf("%c splits a value that has no quotes here", stop), "put the text or condition between quotes")
		m.quote(max(m.textLength(), n))
	case strings.Contains(plain, "?"): // YAML allows it; its parser takes it for a key
		m.quote(trimmed([]rune(plain)))
	default:
		m.pos += n
	}
}

// flowComment judges a # in flow style at n: one that swallows closing brackets
// or starts a word is part of the text for its author.
func (m *mender) flowComment(n int) {
	rest := []rune(m.restOfLine())
	after := string(rest[min(n+1, len(rest)):])
	if strings.HasPrefix(after, " ") && !strings.ContainsAny(after, "}]") {
		m.pos += n
		return
	}
	m.mistake(m.pos+n, "comment_cuts_text", "a # after a space starts a comment: the rest of the line is lost", "put the text between quotes")
	m.quote(m.textLength())
}

var nextKey = regexp.MustCompile(`^,\s*[A-Za-z_][A-Za-z0-9_.-]*\s*:(?:\s|$)`)

// textLength is the length of a text as its author meant it: up to the next key
// or the closing bracket of the flow map that it stands in, within the line.
func (m *mender) textLength() int {
	rest := []rune(m.restOfLine())
	depth := 0
	for k, r := range rest {
		switch {
		case r == '{' || r == '[':
			depth++
		case (r == '}' || r == ']') && depth == 0:
			return trimmed(rest[:k])
		case r == '}' || r == ']':
			depth--
		case r == ',' && depth == 0 && nextKey.MatchString(string(rest[k:])):
			return trimmed(rest[:k])
		}
	}
	return trimmed(rest)
}

// balanced is the length of a condition in flow style: up to the first comma or
// closing bracket outside of its own brackets and quotes, within the line.
func (m *mender) balanced() int {
	rest := []rune(m.restOfLine())
	depth, quote := 0, rune(0)
	for k, r := range rest {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case depth == 0 && strings.ContainsRune(",}]", r):
			return trimmed(rest[:k])
		case strings.ContainsRune(")]}", r):
			depth--
		}
	}
	return trimmed(rest)
}

func trimmed(r []rune) int { return len([]rune(strings.TrimRight(string(r), " \t\r"))) }
