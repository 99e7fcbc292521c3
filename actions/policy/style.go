package policy

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Format gives the YAML of a policy its one style: two spaces a level, one space
// after a colon and a comma, two before a comment, never two empty lines.
// Comments, order and meaning stay. Text that cannot be read, or that holds one
// of YAML's traps, comes back as findings, unchanged.
func Format(name string, text []byte) ([]byte, []Finding) {
	var findings []Finding
	f := parseFile(name, text, func(x Finding) { findings = append(findings, x) })
	if len(findings) > 0 {
		SortFindings(findings)
		return text, findings
	}
	s := &styler{}
	source := string(f.src)
	for line := range strings.SplitSeq(source, "\n") {
		s.line(line)
	}
	styled := []byte(strings.TrimLeft(strings.TrimRight(s.out.String(), "\n"), "\n") + "\n")
	if !sameMeaning(source, string(styled)) {
		return text, []Finding{{File: name, Line: 1, Column: 1, Severity: Warning, Code: "not_formatted", Message: "the file is left as it is: its layout cannot be changed safely", Hint: "use plain block style"}}
	}
	return styled, nil
}

// sameMeaning says whether two texts hold the same values, each read as a policy is.
func sameMeaning(a, b string) bool {
	var x, y yaml.Node
	if yaml.Unmarshal([]byte(mend(a).text), &x) != nil || yaml.Unmarshal([]byte(mend(b).text), &y) != nil {
		return false
	}
	return reflect.DeepEqual(bare(&x), bare(&y))
}

func bare(n *yaml.Node) []any {
	list := []any{n.Kind, n.Tag, n.Value}
	for _, c := range n.Content {
		list = append(list, bare(c))
	}
	return list
}

type styler struct {
	out    strings.Builder
	levels []int // indents of the levels that are open, in the author's columns
	quote  rune  // of a text that goes on over lines
	depth  int   // of open brackets
	shift  int   // of the line that a continued value began in
	block  int   // indent of the key of a block of text; -1 outside
	inside bool  // in a block of text
	empty  bool  // the line before is empty
}

func (s *styler) write(indent int, text string) {
	text = strings.TrimRight(text, " \t")
	if text == "" {
		if !s.empty {
			s.out.WriteByte('\n')
		}
		s.empty = true
		return
	}
	s.empty = false
	s.out.WriteString(strings.Repeat(" ", max(indent, 0)) + text + "\n")
}

func (s *styler) line(line string) {
	content := strings.TrimLeft(line, " ")
	indent := len(line) - len(content)
	if s.inside {
		if strings.TrimSpace(content) == "" {
			s.out.WriteByte('\n')
			return
		}
		if indent > s.block {
			s.out.WriteString(strings.Repeat(" ", max(indent+s.shift, 0)) + content + "\n")
			return
		}
		s.inside = false
	}
	if s.quote != 0 {
		s.write(indent+s.shift, s.inline(content, false))
		return
	}
	if s.depth > 0 {
		s.write(indent+s.shift, s.inline(content, false))
		return
	}
	if strings.TrimSpace(content) == "" {
		s.write(0, "")
		return
	}
	for len(s.levels) > 0 && s.levels[len(s.levels)-1] > indent {
		s.levels = s.levels[:len(s.levels)-1]
	}
	if len(s.levels) == 0 || s.levels[len(s.levels)-1] < indent {
		s.levels = append(s.levels, indent)
	}
	to := 2 * (len(s.levels) - 1)
	s.shift = to - indent
	styled := s.inline(content, true)
	s.write(to, styled)
	if k := strings.TrimRight(styled, "+-0123456789"); strings.HasSuffix(k, ": |") || strings.HasSuffix(k, ": >") {
		s.inside, s.block = true, indent
	}
}

// inline styles what stands in a line; start says that it begins in block style.
func (s *styler) inline(text string, start bool) string {
	r := []rune(text)
	var out []rune
	atValue := start // a bracket here opens flow style
	keySeen := !start
	for k := 0; k < len(r); k++ {
		c := r[k]
		next := rune(0)
		if k+1 < len(r) {
			next = r[k+1]
		}
		switch {
		case s.quote != 0:
			out = append(out, c)
			if c == '\\' && s.quote == '"' && next != 0 {
				out = append(out, next)
				k++
			} else if c == s.quote {
				s.quote = 0
			}
		case c == '#' && (k == 0 || r[k-1] == ' ' || r[k-1] == '\t'):
			head := strings.TrimRight(string(out), " \t")
			if head != "" {
				head += "  "
			}
			return head + strings.TrimRight(string(r[k:]), " \t")
		case (c == '"' || c == '\'') && (atValue || s.depth > 0 && startsValue(out)):
			s.quote = c
			out = append(out, c)
			atValue = false
		case (c == '{' || c == '[') && (atValue || s.depth > 0):
			s.depth++
			out = append(out, c)
			k = skipSpaces(r, k)
		case (c == '}' || c == ']') && s.depth > 0:
			s.depth--
			out = append([]rune(strings.TrimRight(string(out), " ")), c)
			atValue = false
		case c == ',' && s.depth > 0:
			out = append([]rune(strings.TrimRight(string(out), " ")), ',', ' ')
			k = skipSpaces(r, k)
		case c == ':' && (next == ' ' || next == 0) && (s.depth > 0 || !keySeen):
			out = append(out, ':', ' ')
			k = skipSpaces(r, k)
			atValue, keySeen = true, true
		case c == '-' && next == ' ' && len(strings.TrimLeft(string(out), "- ")) == 0 && s.depth == 0 && start:
			out = append(out, '-', ' ')
			k = skipSpaces(r, k)
		case c == ' ' && atValue && len(out) > 0 && out[len(out)-1] == ' ':
		default:
			out = append(out, c)
			if c != ' ' {
				atValue = false
			}
		}
	}
	return string(out)
}

// startsValue says whether what comes next begins a value or key of flow style.
func startsValue(out []rune) bool {
	text := strings.TrimRight(string(out), " ")
	return text == "" || strings.ContainsRune("{[,:", rune(text[len(text)-1]))
}

func skipSpaces(r []rune, k int) int {
	for k+1 < len(r) && r[k+1] == ' ' {
		k++
	}
	return k
}

// Changes shows where two texts differ, line by line, in the form of diff.
func Changes(name string, before, after []byte) string {
	a, b := strings.SplitAfter(string(before), "\n"), strings.SplitAfter(string(after), "\n")
	lead := 0
	for lead < len(a) && lead < len(b) && a[lead] == b[lead] {
		lead++
	}
	tail := 0
	for tail < len(a)-lead && tail < len(b)-lead && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	a, b = a[lead:len(a)-tail], b[lead:len(b)-tail]
	if len(a) == 0 && len(b) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n@@ -%d,%d +%d,%d @@\n", name, name, lead+1, len(a), lead+1, len(b))
	for _, side := range []struct {
		sign  string
		lines []string
	}{{"-", a}, {"+", b}} {
		for _, line := range side.lines {
			if line != "" {
				out.WriteString(side.sign + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	return out.String()
}
