package policy

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/tact-edge/tact/context/sense"
)

// rewritten is a condition in plain CEL, with the place of each of its
// characters in the author's text.
type rewritten struct {
	text string
	back []int // back[k] is the author's column (in code points from 0) of character k; one more for the end
	bad  []mistake
}

// mistake is a finding inside a condition or a text, by its offset in code points.
type mistake struct {
	at                  int
	code, message, hint string
}

// rewrite turns durations like 8s into calls, and the words and signs that
// authors bring from other languages into CEL, naming each as a mistake. It
// leaves strings alone.
func rewrite(text string) rewritten {
	w := &rewriter{src: []rune(text)}
	for w.pos < len(w.src) {
		w.step()
	}
	w.out.back = append(w.out.back, len(w.src))
	w.out.text = w.buf.String()
	return w.out
}

type rewriter struct {
	src []rune
	pos int
	buf strings.Builder
	out rewritten
}

// emit writes text that stands for what the author wrote from offset at on.
func (w *rewriter) emit(text string, at int) {
	for range text {
		w.out.back = append(w.out.back, at)
	}
	w.buf.WriteString(text)
}

// copy writes n of the author's characters as they are.
func (w *rewriter) copy(n int) {
	for range n {
		w.emit(string(w.src[w.pos]), w.pos)
		w.pos++
	}
}

func (w *rewriter) mistake(at int, code, message, hint string) {
	w.out.bad = append(w.out.bad, mistake{at, code, message, hint})
}

func (w *rewriter) peek(n int) rune {
	if w.pos+n < 0 || w.pos+n >= len(w.src) {
		return 0
	}
	return w.src[w.pos+n]
}

func isWord(r rune) bool {
	return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func (w *rewriter) step() {
	r := w.peek(0)
	switch {
	case r == '\'' || r == '"':
		w.text(r, false)
	case r == '/' && w.peek(1) == '/':
		w.comment()
	case strings.ContainsRune("‘’“”„‚", r):
		w.mistake(w.pos, "typographic_quote", fmt.Sprintf("%c is a typographic quote", r), "write a plain ' around texts in conditions")
		w.emit("'", w.pos)
		w.pos++
	case isDigit(r):
		w.number()
	case isWord(r):
		w.word()
	case r == '=' && w.peek(1) != '=' && !strings.ContainsRune("=!<>", w.peek(-1)):
		w.mistake(w.pos, "single_equals", "a single = does not compare", "write ==")
		w.emit("==", w.pos)
		w.pos++
	case (r == '&' || r == '|') && w.peek(1) == r:
		w.copy(2)
	case r == '&' || r == '|':
		w.mistake(w.pos, "word_operator", fmt.Sprintf("a single %c joins nothing", r), fmt.Sprintf("write %c%c", r, r))
		w.emit(string([]rune{r, r}), w.pos)
		w.pos++
	case r == '<' && w.peek(1) == '>':
		w.mistake(w.pos, "word_operator", "<> does not compare", "write !=")
		w.emit("!=", w.pos)
		w.pos += 2
	case mathematical[r] != "":
		w.mistake(w.pos, "word_operator", fmt.Sprintf("%c is not an operator", r), "write "+mathematical[r])
		w.emit(mathematical[r], w.pos)
		w.pos++
	default:
		w.copy(1)
	}
}

// mathematical are signs of print, and what conditions write.
var mathematical = map[rune]string{'≥': ">=", '≤': "<=", '≠': "!=", '×': "*", '÷': "/", '−': "-", '∧': "&&", '∨': "||", '¬': "!"}

// text copies a text in quotes, single or triple, with or without escapes.
func (w *rewriter) text(quote rune, raw bool) {
	quotes := 1
	if w.peek(1) == quote && w.peek(2) == quote {
		quotes = 3
	}
	w.copy(quotes)
	for w.pos < len(w.src) {
		r := w.peek(0)
		if r == '\\' && !raw && w.pos+1 < len(w.src) {
			w.copy(2)
			continue
		}
		if r == quote && (quotes == 1 || w.peek(1) == quote && w.peek(2) == quote) {
			w.copy(quotes)
			return
		}
		w.copy(1)
	}
}

// comment copies what CEL leaves out, to the end of the line.
func (w *rewriter) comment() {
	for w.pos < len(w.src) && w.peek(0) != '\n' {
		w.copy(1)
	}
}

var textPrefix = map[string]bool{"r": true, "b": false, "rb": true, "br": true} // raw or not

var wordOperators = map[string]string{"and": "&&", "or": "||", "not": "!", "is": "=="}

func (w *rewriter) word() {
	n := 0
	for isWord(w.peek(n)) {
		n++
	}
	word := string(w.src[w.pos : w.pos+n])
	before := w.peek(-1)
	sign, isOperator := wordOperators[strings.ToLower(word)]
	if strings.EqualFold(word, "is") {
		isOperator = w.between(n) // else it is a name
	}
	next := w.pos + n
	for next < len(w.src) && w.src[next] == ' ' {
		next++
	}
	raw, isText := textPrefix[strings.ToLower(word)]
	switch {
	case isText && (w.peek(n) == '\'' || w.peek(n) == '"'):
		w.copy(n)
		w.text(w.peek(0), raw)
	case before == '.' || w.peek(n) == '.':
		w.copy(n)
	case isOperator:
		w.mistake(w.pos, "word_operator", fmt.Sprintf("%q is not an operator", word), "write && for and, || for or, ! for not, == for is")
		w.emit(sign, w.pos)
		w.pos += n
	case word == "has" && next < len(w.src) && w.src[next] == '(':
		w.emit(hasValue, w.pos) // CEL has a macro of the name
		w.pos += n
	default:
		w.copy(n)
	}
}

// between says whether the word of n characters here stands between two values, as no name can.
func (w *rewriter) between(n int) bool {
	value := func(r rune) bool { return isWord(r) || strings.ContainsRune("'\")]", r) }
	left, right := -1, n
	for w.peek(left) == ' ' {
		left--
	}
	for w.peek(right) == ' ' {
		right++
	}
	return left < -1 && right > n && value(w.peek(left)) && (isWord(w.peek(right)) || strings.ContainsRune("'\"(-!", w.peek(right)))
}

// hasValue stands for `has` in the text that CEL reads.
const hasValue = "has_value"

var hexadecimal = regexp.MustCompile(`^0[xX][0-9a-fA-F]+[uU]?$`)

// number copies a number, or turns a number with a unit into a duration.
func (w *rewriter) number() {
	start, n := w.pos, 0
	for isDigit(w.peek(n)) {
		n++
	}
	fraction := false
	if w.peek(n) == '.' && isDigit(w.peek(n+1)) {
		fraction = true
		for n++; isDigit(w.peek(n)); n++ {
		}
	}
	if e := w.peek(n); (e == 'e' || e == 'E') && (isDigit(w.peek(n+1)) || strings.ContainsRune("+-", w.peek(n+1)) && isDigit(w.peek(n+2))) {
		for n += 2; isDigit(w.peek(n)); n++ {
		}
		w.copy(n)
		return
	}
	unit := n
	for isWord(w.peek(unit)) {
		unit++
	}
	if suffix := strings.ToLower(string(w.src[start+n : start+unit])); suffix == "" || suffix == "u" || !fraction && hexadecimal.MatchString(string(w.src[start:start+unit])) {
		w.copy(unit)
		return
	}
	word := string(w.src[start : start+unit])
	d, err := sense.ParseDuration(word)
	switch {
	case fraction:
		w.mistake(start, "bad_duration", fmt.Sprintf("%q is not a duration", word), "use whole numbers, as in 90s for one and a half minutes")
		d = sense.Second
	case err != nil:
		w.mistake(start, "bad_duration", fmt.Sprintf("%q is neither a number nor a duration", word), "units are ms s m h d w y, as in 8s, 5m, 2h, 90d or 2y")
		d = sense.Second
	}
	w.emit(fmt.Sprintf("duration('%dms')", int64(d)), start)
	w.pos = start + unit
}

// clean says whether a text holds only what can be printed.
func clean(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}
