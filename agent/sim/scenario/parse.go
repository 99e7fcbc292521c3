package scenario

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/sense"
)

// File is a parsed scenario file.
type File struct {
	Name      string
	Lines     []string // as they stand in the file
	Scenarios []*Scenario
}

// Scenario is one story.
type Scenario struct {
	Name   string
	Line   int
	Policy string // as written
	steps  []step
	// devices are named ones; connected says that the world is more than a mind.
	devices   []device
	connected bool
}

// device is a device that a scenario names.
type device struct {
	name   string
	slots  []string
	owners []string // kind=id
	absent []string // sources that it does not have
}

// step is one line of a scenario.
type step struct {
	line   int // from 1
	on     string
	verb   verb
	text   string // the rest, for events
	when   bool
	refuse string // the code for which the event is refused; empty where it is taken
	length sense.Duration
	time   string
	pairs  [][2]string // of background
	expect *expectation
	indent string
}

type verb uint8

const (
	verbAt verb = iota
	verbEvent
	verbHub
	verbBackground
	verbBackgroundOff
	verbOffline
	verbOnline
	verbPower
	verbDelay
	verbPolicy
	verbThen
)

// Error is a line that is not understood.
type Error struct {
	File string
	Line int
	Text string
	Hint string
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	if e.Hint != "" {
		s += "\n    hint: " + e.Hint
	}
	return s
}

// maxLine bounds a line of a scenario file in bytes.
const maxLine = 64 << 10

// Parse reads a scenario file. All lines that are not understood are returned, as *Error.
func Parse(name string, content []byte) (*File, []error) {
	p := parser{file: &File{Name: name, Lines: strings.Split(string(content), "\n")}}
	for k, line := range p.file.Lines {
		p.number = k + 1
		if len(line) > maxLine {
			p.fail("split it", "the line has more than %d bytes", maxLine)
			continue
		}
		if k == 0 {
			line = strings.TrimPrefix(line, "\ufeff") // which some editors write
		}
		if !utf8.ValidString(line) {
			p.fail("save the file as UTF-8", "the line is not UTF-8 text")
			continue
		}
		p.line(strings.TrimSuffix(line, "\r"))
	}
	for _, s := range p.file.Scenarios {
		if s.Policy == "" && !s.onlyCompiles() {
			p.number = s.Line
			p.fail("write `policy DIR` below it, or above the first scenario", "scenario %q has no policy", s.Name)
		}
	}
	return p.file, p.errs
}

type parser struct {
	file    *File
	number  int
	policy  string
	current *Scenario
	last    *expectation // `then slot` that `and` speaks of
	errs    []error
}

func (p *parser) fail(hint, format string, args ...any) {
	p.errs = append(p.errs, &Error{File: p.file.Name, Line: p.number, Text: fmt.Sprintf(format, args...), Hint: hint})
}

const verbs = "scenario, policy, at, given, when, then, and, background, device, on, hub given, link delay, or D is offline|online"

func (p *parser) line(line string) {
	text := strings.TrimSpace(withoutComment(line))
	if text == "" {
		return
	}
	word, rest := cut(text)
	switch word {
	case "scenario":
		if rest == "" {
			p.fail("say what it shows: scenario a complaint holds sales", "the scenario has no text")
		}
		p.current = &Scenario{Name: rest, Line: p.number, Policy: p.policy}
		p.file.Scenarios = append(p.file.Scenarios, p.current)
		p.last = nil
		return
	case "policy":
		switch {
		case rest == "":
			p.fail("policy ../policies/dealer", "policy names no folder")
		case p.current == nil:
			p.policy = rest
		default:
			p.current.Policy = rest
		}
		return
	}
	if p.current == nil {
		p.fail("begin with `scenario TEXT`", "%q stands before the first scenario", word)
		return
	}
	p.step(word, rest, text, step{line: p.number, indent: line[:len(line)-len(strings.TrimLeft(line, " \t"))]})
}

// step reads a line of a scenario.
func (p *parser) step(word, rest, text string, s step) {
	switch word {
	case "at":
		s.verb, s.time = verbAt, rest
		if rest == "" {
			p.fail("at 2026-03-02T10:00:00+01:00, or at +3d", "at says no time")
			return
		}
		p.add(s)
	case "given", "when":
		if dir, ok := strings.CutPrefix(rest, "the policy becomes"); ok {
			p.becomes(strings.TrimSpace(dir), s)
			return
		}
		s.verb, s.text, s.when = verbEvent, rest, word == "when"
		p.event(s)
	case "background":
		p.background(rest, s)
	case "device":
		p.device(rest)
	case "on":
		p.on(rest, s)
	case "hub":
		again, event := cut(rest)
		if again != "given" && again != "when" {
			p.fail("hub given EVENT", "after hub comes given")
			return
		}
		p.current.connected = true
		s.verb, s.text = verbHub, event
		p.event(s)
	case "link":
		what, d := cut(rest)
		length, err := sense.ParseDuration(d)
		if what != "delay" || err != nil {
			p.fail("link delay 40ms; the event that the link is down is `given link down`", "%q is not a delay", rest)
			return
		}
		p.current.connected = true
		s.verb, s.length = verbDelay, length
		p.add(s)
	case "then", "and":
		p.then(word, rest, s)
	default:
		p.state(word, rest, text, s)
	}
}

// state reads `D is offline` and its like.
func (p *parser) state(word, rest, text string, s step) {
	s.on = word
	switch rest {
	case "is offline":
		s.verb = verbOffline
	case "is online":
		s.verb = verbOnline
	case "loses power":
		s.verb = verbPower
	default:
		p.fail("a line begins with "+verbs, "%q is not understood", text)
		return
	}
	p.known(word)
	p.add(s)
}

func (p *parser) known(name string) bool {
	for _, d := range p.current.devices {
		if d.name == name {
			return true
		}
	}
	p.fail("declare it above: device "+name, "there is no device %q", name)
	return false
}

func (p *parser) add(s step) { p.current.steps = append(p.current.steps, s) }

// event reads the event once, so that what is wrong with it is found before anything runs.
func (p *parser) event(s step) {
	if text, code, ok := cutLast(s.text, " is refused because "); ok {
		s.text, s.refuse = strings.TrimSpace(text), strings.TrimSpace(code)
		if !refusals[s.refuse] {
			p.fail("given EVENT is refused because invalid_value, special_inferred or erased", "%q is no code for which an event is refused", s.refuse)
			return
		}
	}
	if s.text == "" {
		p.fail("as JSON, or short: ask kiosk.home", "the event is missing")
		return
	}
	if _, err := readEvent(s.text, clock{}); err != nil {
		p.fail("as JSON, or short, as in: ask SLOT; anna identified by card; signal speed 118; purchase of product:x by anna at t0-21d", "%s", err)
		return
	}
	p.add(s)
}

// becomes reads `the policy becomes DIR`.
func (p *parser) becomes(dir string, s step) {
	s.verb, s.text = verbPolicy, dir
	if dir == "" {
		p.fail("when the policy becomes ../policies/dealer-next", "the policy becomes which? The folder is missing")
		return
	}
	p.add(s)
}

func (p *parser) on(rest string, s step) {
	name, rest := cut(rest)
	word, rest := cut(rest)
	if !p.known(name) {
		return
	}
	s.on = name
	switch word {
	case "given", "when":
		s.verb, s.text, s.when = verbEvent, rest, word == "when"
		p.event(s)
	case "then", "and":
		p.then(word, rest, s)
	case "background":
		p.background(rest, s)
	default:
		p.fail("on D given EVENT, on D when EVENT, on D then ..., on D background ...", "after on %s comes given, when, then or background", name)
	}
}

func (p *parser) device(rest string) {
	name, rest := cut(rest)
	d := device{name: name}
	if name == "" || strings.ContainsAny(name, "/+#\"' \t") {
		p.fail("device kiosk, or device kiosk with slots kiosk.home", "the device has no good name")
		return
	}
	for rest != "" {
		word, more := cut(rest)
		switch word {
		case "with":
			_, more = cut(more) // slots
			var slots []string
			slots, more = names(more)
			d.slots = append(d.slots, slots...)
		case "without":
			var absent []string
			absent, more = names(more)
			d.absent = append(d.absent, absent...)
		case "in":
			var owner string
			owner, more = cut(more)
			if !strings.Contains(owner, "=") {
				p.fail("device car in vehicle=v1", "%q names no owner", owner)
				return
			}
			d.owners = append(d.owners, owner)
		default:
			p.fail("device D with slots A, B without speed in vehicle=v1", "%q is not understood", rest)
			return
		}
		rest = more
	}
	for _, o := range p.current.devices {
		if o.name == name {
			p.fail("", "device %s is declared already", name)
			return
		}
	}
	p.current.connected = true
	p.current.devices = append(p.current.devices, d)
}

// names reads a list of names until `with`, `without` or `in`.
func names(text string) (list []string, rest string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	k := slices.IndexFunc(words, func(w string) bool { return w == "with" || w == "without" || w == "in" })
	if k < 0 {
		return words, ""
	}
	return words[:k], strings.Join(words[k:], " ")
}

func (p *parser) background(rest string, s step) {
	words := strings.Fields(rest)
	if len(words) > 0 && words[0] == "off" {
		s.verb = verbBackgroundOff
		for _, w := range words[1:] {
			s.pairs = append(s.pairs, [2]string{w})
		}
		p.add(s)
		return
	}
	s.verb = verbBackground
	for k, w := range words {
		if w == "every" && k == len(words)-2 {
			d, err := sense.ParseDuration(words[k+1])
			if err == nil && d > 0 {
				s.length = d
			}
			break
		}
		name, value, ok := strings.Cut(w, "=")
		if !ok || name == "" {
			p.fail("background presence=true people=1 every 1s", "%q is not NAME=VALUE", w)
			return
		}
		s.pairs = append(s.pairs, [2]string{name, value})
	}
	if s.length == 0 || len(s.pairs) == 0 {
		p.fail("background presence=true people=1 every 1s", "a background needs signals and how often they are renewed")
		return
	}
	p.add(s)
}

// cut returns the first word and the rest.
func cut(text string) (word, rest string) {
	word, rest, _ = strings.Cut(strings.TrimSpace(text), " ")
	return word, strings.TrimSpace(rest)
}

// cutLast cuts at the last place where sep stands.
func cutLast(text, sep string) (before, after string, found bool) {
	if k := strings.LastIndex(text, sep); k >= 0 {
		return text[:k], text[k+len(sep):], true
	}
	return text, "", false
}

// withoutComment takes off what follows a # that starts a word, outside quotes.
func withoutComment(line string) string {
	quoted := false
	for k := 0; k < len(line); k++ {
		switch {
		case line[k] == '\\' && quoted:
			k++
		case line[k] == '"':
			quoted = !quoted
		case line[k] == '#' && !quoted && (k == 0 || line[k-1] == ' ' || line[k-1] == '\t'):
			return line[:k]
		}
	}
	return line
}
