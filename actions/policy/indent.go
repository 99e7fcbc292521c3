package policy

import (
	"fmt"
	"slices"
	"strings"
)

// level is one depth of indentation that is open.
type level struct {
	indent int
	list   bool // its lines begin elements
	opens  bool // deeper lines may follow the last of them
}

// misfit is a line whose indentation fits no line above it.
type misfit struct {
	row
	want int // the blanks that its author most probably meant
}

// misindented finds the first line of a YAML text that stands between two levels, or below a key
// that has its value already.
func misindented(text []rune) (misfit, bool) {
	m := &mender{src: slices.Clone(text)}
	for m.pos < len(m.src) {
		m.line()
	}
	var open, closed []level // closed: by the line before
	for k, r := range m.rows {
		list, above := r.dashes > 0, closed
		for closed = nil; len(open) > 0 && ends(open, r); open = open[:len(open)-1] {
			closed = append(closed, open[len(open)-1])
		}
		var top *level
		if len(open) > 0 {
			top = &open[len(open)-1]
		}
		switch {
		case top == nil:
			open = append(open, level{indent: r.indent, list: list})
		case top.indent == r.indent && top.list == list:
		case len(closed) == 0 && top.opens && (top.indent < r.indent || list && top.indent == r.indent):
			open = append(open, level{indent: r.indent, list: list})
		case len(closed) == 0 && slices.ContainsFunc(above, func(l level) bool { return l.indent == r.indent && l.list == list }):
			return misfit{m.rows[k-1], r.indent}, true // it is the line above that left the level
		case len(closed) == 0:
			return misfit{r, top.indent}, true
		default:
			return misfit{r, nearest(m.rows[k:], append(closed, *top))}, true
		}
		if list {
			open[len(open)-1].opens = true
			open = append(open, level{indent: r.inner})
		}
		open[len(open)-1].opens = r.opens
	}
	return misfit{}, false
}

// ends says whether a line ends the innermost level: it stands before it, or beside a list that
// has the indentation of its key.
func ends(open []level, r row) bool {
	top := open[len(open)-1]
	return top.indent > r.indent ||
		top.indent == r.indent && top.list && r.dashes == 0 && len(open) > 1 && open[len(open)-2].indent == r.indent
}

// nearest chooses the level that the first of the rows was meant to stand in: one of the same sort,
// above the lines that belong to it; the nearest, of equally near ones the deeper.
func nearest(rows []row, levels []level) int {
	r := rows[0]
	best, found := levels[len(levels)-1].indent, false
	for _, l := range levels {
		holds := !r.opens || len(rows) == 1 || rows[1].indent <= r.indent || l.indent < rows[1].indent
		if l.list != (r.dashes > 0) || !holds {
			continue
		}
		if !found || away(l.indent, r.indent) < away(best, r.indent) {
			best, found = l.indent, true
		}
	}
	return best
}

func away(a, b int) int { return max(a-b, b-a) }

// straighten reports a line whose indentation fits no other and puts it right in the text that
// is parsed; false where there is none.
func (f *file) straighten(report func(Finding)) bool {
	line, ok := misindented(f.text)
	if !ok {
		return false
	}
	at := f.back[line.at]
	if p := f.place(at); !slices.Contains(f.tabbed, p.line) { // a tab is reported as such
		f.report(report, mistake{at, "yaml_indent", fmt.Sprintf("the indentation of this line fits no line above it: %s before it", blanks(line.indent)), "indent it with " + blanks(line.want) + ", if it belongs beside the lines that have as many"})
	}
	blank := []rune(strings.Repeat(" ", line.want))
	places := slices.Repeat([]int{at}, line.want)
	f.text = slices.Concat(f.text[:line.at-line.indent], blank, f.text[line.at:])
	f.back = slices.Concat(f.back[:line.at-line.indent], places, f.back[line.at:])
	f.lines = lineStarts(f.text)
	return true
}

func blanks(n int) string {
	switch n {
	case 0:
		return "no space"
	case 1:
		return "one space"
	}
	return fmt.Sprintf("%d spaces", n)
}
