package policy

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severities of a finding: an error allows no bundle, a warning does.
const (
	Error   = "error"
	Warning = "warning"
)

// Finding is one mistake or doubt at one place of a policy or scenario file.
type Finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`   // from 1; 0 where the whole file is meant
	Column   int    `json:"column"` // from 1, in code points
	Severity string `json:"severity"`
	Code     string `json:"code"` // what scripts look for: snake_case, never changed
	Message  string `json:"message"`
	Hint     string `json:"hint"` // what to do; may be empty
}

// String prints the finding's first line: file:line:col: severity: message [code].
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s [%s]", plain(f.File), f.Line, f.Column, f.Severity, plain(f.Message), f.Code)
}

// SortFindings puts findings in order of file, line, column, severity, code and message.
func SortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Severity, b.Severity),
			strings.Compare(a.Code, b.Code),
			strings.Compare(a.Message, b.Message),
		)
	})
}

// CountFindings returns how many errors and how many warnings there are.
func CountFindings(findings []Finding) (errors, warnings int) {
	for _, f := range findings {
		if f.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// Source returns the content of a file that findings are about; an error where
// it can't be had leaves the source line and the caret out.
type Source func(file string) ([]byte, error)

// PrintFindings writes findings for people, in the order given: the finding, its
// source line, a caret below the column, and `hint:`. Control characters of the
// file never reach the terminal.
func PrintFindings(w io.Writer, findings []Finding, source Source) error {
	out := bufio.NewWriter(w)
	lines := map[string][]string{}
	for _, f := range findings {
		fmt.Fprintln(out, f)
		text, read := lines[f.File]
		if !read && source != nil {
			if content, err := source(f.File); err == nil {
				text = strings.Split(plainText(content), "\n")
			}
			lines[f.File] = text
		}
		if f.Line >= 1 && f.Line <= len(text) {
			line, caret := point(text[f.Line-1], f.Column)
			fmt.Fprintf(out, "    %s\n    %s\n", line, caret)
		}
		if f.Hint != "" {
			fmt.Fprintf(out, "    hint: %s\n", plain(f.Hint))
		}
	}
	return out.Flush()
}

// PrintFindingsJSON writes one JSON object a line, without HTML escaping.
func PrintFindingsJSON(w io.Writer, findings []Finding) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, f := range findings {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// shown is how many code points of a long source line are printed, and before
// how many of them the caret stands at most.
const (
	shown  = 120
	before = 80
)

// point returns a source line as it may be printed and the line with the caret
// under its column: a tab stays a tab, a wide character takes two cells, a
// combining one none. A column beyond the line points just behind it.
func point(line string, column int) (text, caret string) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	from, to := 0, len(runes)
	if len(runes) > shown {
		from = max(0, at-before)
		to = min(len(runes), from+shown)
	}
	var t, c strings.Builder
	if from > 0 {
		t.WriteString("...")
		c.WriteString("   ")
	}
	for k := from; k < to; k++ {
		r := printable(runes[k])
		t.WriteRune(r)
		if k >= at {
			continue
		}
		if r == '\t' {
			c.WriteRune(r)
			continue
		}
		c.WriteString(strings.Repeat(" ", cells(r)))
	}
	if to < len(runes) {
		t.WriteString("...")
	}
	c.WriteByte('^')
	return t.String(), c.String()
}

// plain makes a name or message safe to print on one line.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		return printable(r)
	}, s)
}

// printable replaces what could steer a terminal; a tab stays.
func printable(r rune) rune {
	if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
		return utf8.RuneError
	}
	return r
}

// wide are the East Asian wide and fullwidth blocks and the emoji, which take
// two cells of a terminal (Unicode Standard Annex 11, by block).
var wide = []struct{ from, to rune }{
	{0x1100, 0x115F}, {0x231A, 0x231B}, {0x23E9, 0x23EC}, {0x2E80, 0x303E}, {0x3041, 0x33FF},
	{0x3400, 0x4DBF}, {0x4E00, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
	{0xFE30, 0xFE6F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x16FE0, 0x18DFF}, {0x1B000, 0x1B2FF},
	{0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
}

// cells is the width of a printed character on a terminal.
func cells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	for _, block := range wide {
		if r >= block.from && r <= block.to {
			return 2
		}
	}
	return 1
}
