package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits on what a folder may hold.
const (
	maxFile  = 4 << 20 // bytes of one file
	maxFiles = 256
	maxLine  = 16 << 10 // code points of one line
)

// file is one YAML file of a policy.
type file struct {
	name   string // as in findings
	src    []rune // as the author wrote it
	starts []int  // offset of each line in src
	text   []rune // as parsed: mended
	lines  []int  // offset of each line in text
	back   []int  // place of each character of text in src
	root   *yaml.Node
	tabbed []int  // lines that are indented with tabs
	lost   string // lines that could not be read at all
	broken int    // the first of them; 0 where there is none
}

// pos is a place in a file; line and column from 1, in code points.
type pos struct {
	file         *file
	line, column int
}

// place turns an offset in the author's text into line and column.
func (f *file) place(offset int) pos {
	offset = min(max(offset, 0), len(f.src))
	line, _ := slices.BinarySearch(f.starts, offset+1)
	return pos{f, line, offset - f.starts[line-1] + 1}
}

// offset turns a place of the parser into an offset in the parsed text.
func (f *file) offset(line, column int) int {
	if line < 1 || line > len(f.lines) {
		return 0
	}
	return min(f.lines[line-1]+max(column-1, 0), len(f.text))
}

func lineStarts(text []rune) []int {
	starts := []int{0}
	for k, r := range text {
		if r == '\n' {
			starts = append(starts, k+1)
		}
	}
	return starts
}

// readFolder reads every *.yaml file of a folder. The error is one of reading;
// what is wrong inside a file is a finding.
func readFolder(dir string, report func(Finding)) ([]*file, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("read policy: a policy is a folder of *.yaml files; give %s: %w", filepath.Dir(dir), err)
	}
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	var files []*file
	var misnamed []string // an author takes them for a part of the policy
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if other := filepath.Ext(name); !e.IsDir() && (strings.EqualFold(other, ".yml") || strings.EqualFold(other, ".yaml") && other != ".yaml") {
			misnamed = append(misnamed, name)
		}
		if e.IsDir() || filepath.Ext(name) != ".yaml" {
			continue
		}
		raw, err := readLimited(name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if len(files) == maxFiles {
			return nil, fmt.Errorf("read policy %s: more than %d files", dir, maxFiles)
		}
		files = append(files, parseFile(name, raw, report))
	}
	if len(files) == 0 && len(misnamed) > 0 {
		return nil, fmt.Errorf("read policy %s: no file ends in .yaml: rename %s", dir, filepath.Base(misnamed[0]))
	}
	for _, name := range misnamed {
		report(Finding{File: name, Line: 1, Column: 1, Severity: Error, Code: "file_name", Message: "the file is not read: its name does not end in .yaml",
			Hint: "rename it to " + strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) + ".yaml"})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("read policy %s: no file ends in .yaml: %w", dir, fs.ErrNotExist)
	}
	return files, nil
}

func readLimited(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return raw, nil
}

// lineEnds makes the line ends of every system one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// plainText is a file's text without the byte order mark and the line ends that
// some editors write: lines and columns are those that an editor shows.
func plainText(raw []byte) string {
	return lineEnds.Replace(strings.TrimPrefix(string(raw), "\ufeff"))
}

// parseFile parses one file, mending what can be mended. Its root is nil where
// nothing could be read.
func parseFile(name string, raw []byte, report func(Finding)) *file {
	f := &file{name: name}
	if !utf8.Valid(raw) {
		line := 1 + bytes.Count(raw[:invalidAt(raw)], []byte("\n"))
		report(Finding{File: name, Line: line, Column: 1, Severity: Error, Code: "not_utf8", Message: "the file is not UTF-8 text", Hint: "save it as UTF-8"})
		f.lost, f.broken = string(raw), 1
		return f
	}
	f.src = []rune(plainText(raw))
	f.starts = lineStarts(f.src)
	if line := f.longLine(); line > 0 {
		f.report(report, mistake{f.starts[line-1], "line_too_long", fmt.Sprintf("a line has at most %d characters", maxLine), "break it"})
		f.lost, f.broken = string(f.src), 1
		return f
	}
	m := mend(f.withoutControls(report))
	for _, bad := range m.bad {
		f.report(report, bad)
		if bad.code == "yaml_tab" {
			f.tabbed = append(f.tabbed, f.place(bad.at).line)
		}
	}
	f.text, f.back = []rune(m.text), m.back
	f.lines = lineStarts(f.text)
	f.parse(report)
	return f
}

// withoutControls reports the first character that YAML does not allow, and returns the text with
// blanks in the place of all of them.
func (f *file) withoutControls(report func(Finding)) string {
	found := false
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= 0x20 && r < 0x7f || r == 0x85 || r >= 0xa0 && r != 0xfeff && r != 0xfffe && r != 0xffff {
			return r
		}
		if !found {
			found = true
			f.report(report, mistake{slices.Index(f.src, r), "control_character", fmt.Sprintf("the character %U is not allowed in YAML, and cannot be seen", r), "remove it, or retype the line"})
		}
		return ' '
	}, string(f.src))
}

// longLine returns the first line that is too long, 0 where there is none.
func (f *file) longLine() int {
	for k, start := range f.starts {
		end := len(f.src)
		if k+1 < len(f.starts) {
			end = f.starts[k+1]
		}
		if end-start > maxLine {
			return k + 1
		}
	}
	return 0
}

func invalidAt(raw []byte) int {
	for k := 0; k < len(raw); {
		r, n := utf8.DecodeRune(raw[k:])
		if r == utf8.RuneError && n == 1 {
			return k
		}
		k += n
	}
	return len(raw)
}

func (f *file) report(report func(Finding), m mistake) {
	p := f.place(m.at)
	report(Finding{File: f.name, Line: p.line, Column: p.column, Severity: Error, Code: m.code, Message: m.message, Hint: m.hint})
}

// attempts is how many unreadable lines of a file are set aside before giving up on it.
const attempts = 20

var lineNumber = regexp.MustCompile(`line (\d+): `)

// parse reads the YAML. A line that cannot be read is reported and set aside, so
// that the others are still checked.
func (f *file) parse(report func(Finding)) {
	aside := map[int]bool{}
	for range attempts {
		decoder := yaml.NewDecoder(strings.NewReader(string(f.text)))
		var root, more yaml.Node
		err := decoder.Decode(&root)
		if err == nil || errors.Is(err, io.EOF) {
			if len(root.Content) > 0 {
				f.root = root.Content[0]
			}
			if err == nil && decoder.Decode(&more) == nil && len(more.Content) > 0 {
				f.report(report, mistake{f.back[f.offset(more.Content[0].Line, 1)], "yaml_documents", "a policy file holds one document", "remove the line with ---"})
			}
			return
		}
		if f.straighten(report) {
			continue
		}
		line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := lineNumber.FindStringSubmatch(message); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = strings.Replace(message, m[0], "", 1)
		}
		line = min(max(line, 1), len(f.lines))
		for line < len(f.lines) && (aside[line] || strings.TrimSpace(f.lineText(line)) == "") {
			line++
		}
		if aside[line] {
			break
		}
		text := f.lineText(line)
		indent := len([]rune(text)) - len([]rune(strings.TrimLeft(text, " \t")))
		if len(aside) == 0 {
			f.broken = f.place(f.back[f.lines[line-1]]).line
			hint := "check quotes, brackets and indentation here and in the line above"
			if strings.Contains(message, "could not find expected ':'") {
				hint = "write key: value, with a colon and a space between them"
			}
			f.report(report, mistake{f.back[f.lines[line-1]+indent], "yaml_syntax", "the YAML cannot be read from here: " + message, hint})
		}
		aside[line] = true
		f.lost += text + "\n"
		for k := f.lines[line-1]; k < len(f.text) && f.text[k] != '\n'; k++ {
			f.text[k] = ' '
		}
	}
	f.lost, f.broken = string(f.src), 1
}

// lineText returns a line of the parsed text, without its end.
func (f *file) lineText(line int) string {
	end := len(f.text)
	if line < len(f.lines) {
		end = f.lines[line] - 1
	}
	return string(f.text[f.lines[line-1]:max(end, f.lines[line-1])])
}

// at is the place of a node.
func (f *file) at(n *yaml.Node) pos { return f.place(f.back[f.offset(n.Line, n.Column)]) }

// inside is the place of character k (in code points) of a scalar's value.
func (f *file) inside(n *yaml.Node, k int) pos {
	start := f.offset(n.Line, n.Column)
	offsets := f.characters(n, start)
	if k >= len(offsets) {
		if len(offsets) == 0 {
			return f.place(f.back[start])
		}
		return f.place(f.back[min(offsets[len(offsets)-1]+1, len(f.back)-1)])
	}
	return f.place(f.back[offsets[k]])
}

// characters returns the offset of each character of a scalar's value in the
// parsed text; none where the scalar is folded over lines in a way that this
// does not follow, and findings then point at its start.
func (f *file) characters(n *yaml.Node, start int) []int {
	want := []rune(n.Value)
	at := start
	quote := rune(0)
	switch n.Style &^ yaml.FlowStyle {
	case yaml.DoubleQuotedStyle:
		quote = '"'
		at++
	case yaml.SingleQuotedStyle:
		quote = '\''
		at++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return f.block(want, start)
	}
	offsets := make([]int, 0, len(want))
	for k := 0; k < len(want); k++ {
		if at >= len(f.text) {
			return nil
		}
		switch r := f.text[at]; {
		case want[k] == ' ' && r == '\n', want[k] == ' ' && r == '\r': // folded
			offsets = append(offsets, at)
			for at < len(f.text) && strings.ContainsRune(" \t\r\n", f.text[at]) {
				at++
			}
			continue
		case quote == '\'' && r == '\'' && want[k] == '\'':
			offsets = append(offsets, at)
			at += 2
			continue
		case quote == '"' && r == '\\':
			if at+1 >= len(f.text) || !strings.ContainsRune(`"\/nt`, f.text[at+1]) {
				return nil
			}
			offsets = append(offsets, at)
			at += 2
			continue
		case r != want[k]:
			return nil
		}
		offsets = append(offsets, at)
		at++
	}
	return offsets
}

// block follows a block scalar: each character is looked for in order, skipping indentation.
func (f *file) block(want []rune, start int) []int {
	at := start
	for at < len(f.text) && f.text[at] != '\n' {
		at++
	}
	at++
	offsets := make([]int, 0, len(want))
	for _, r := range want {
		for at < len(f.text) && f.text[at] != r && strings.ContainsRune(" \r\n", f.text[at]) && !(r == ' ' && f.text[at] == '\n') {
			at++
		}
		if at >= len(f.text) || f.text[at] != r && !(r == ' ' && f.text[at] == '\n') {
			if r == '\n' {
				offsets = append(offsets, min(at, len(f.text)-1))
				continue
			}
			return nil
		}
		offsets = append(offsets, at)
		at++
	}
	return offsets
}
