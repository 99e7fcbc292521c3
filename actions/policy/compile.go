package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Compile reads the policy in a folder. With an error among the findings the
// bundle is nil. The findings are in order of file, line and column; error is
// one of reading the folder.
func Compile(dir string) (*catalog.Bundle, []Finding, error) {
	c, findings, err := compileFolder(dir)
	if c == nil || err != nil {
		return nil, findings, err
	}
	return &c.b, findings, nil
}

// compileFolder compiles a folder; there is no compilation where there is an error among the findings.
func compileFolder(dir string) (*compiler, []Finding, error) {
	c := &compiler{b: catalog.Bundle{Sleeping: sense.Forever}, dir: dir, sections: map[string][]entry{}, names: map[string][]string{}, byName: map[string]*symbol{}, maps: map[string]*borders{}}
	files, err := readFolder(dir, func(f Finding) { c.findings = append(c.findings, f) })
	if err != nil {
		return nil, nil, err
	}
	c.files = files
	if err := c.compile(); err != nil {
		return nil, nil, fmt.Errorf("compile policy %s: %w", dir, err)
	}
	findings := inOrder(c.credible())
	for _, f := range findings {
		if f.Severity == Error {
			return nil, findings, nil
		}
	}
	return c, findings, nil
}

// missing are findings that lines which could not be read may explain.
var missing = []string{"missing_key", "no_text", "about_missing", "purposes_missing", "keep_missing", "purpose_missing", "language_missing", "not_told", "no_actions"}

// credible leaves out what follows only from lines that could not be read: what
// is said to be missing in such a file, and keys that lost the map they belong to.
func (c *compiler) credible() []Finding {
	broken := map[string]int{}
	for _, f := range c.files {
		if f.broken > 0 {
			broken[f.name] = f.broken
		}
	}
	return slices.DeleteFunc(c.findings, func(x Finding) bool {
		from, ok := broken[x.File]
		return ok && (slices.Contains(missing, x.Code) || x.Code == "unknown_key" && x.Line >= from)
	})
}

// inOrder sorts findings, and drops one that says the same again.
func inOrder(list []Finding) []Finding {
	SortFindings(list)
	return slices.Compact(list)
}

// compiler holds one compilation.
type compiler struct {
	dir      string
	files    []*file
	findings []Finding

	sections map[string][]entry  // of all files, in order of name
	keys     map[string]value    // the key of each section, where it stands first
	names    map[string][]string // of each section, in order
	symbols  []*symbol
	byName   map[string]*symbol
	language *language
	maps     map[string]*borders

	groupReads   [][]placed // of each group's conditions and weights
	actionReads  []actionReads
	sessionReads reads // of the session's end

	b catalog.Bundle
}

// Sections that hold named things, single settings, and plain values.
var (
	namedSections = []string{"purposes", "partners", "signals", "derived", "states", "places", "facts", "interactions", "subjects", "measures", "slots", "groups", "actions"}
	settings      = []string{"visit", "session", "contact", "quiet", "strikes"}
	plainKeys     = []string{"policy", "version", "currency", "languages", "zone", "sleeping_after"}
)

func (c *compiler) compile() error {
	c.merge()
	c.header()
	c.declareKinds()
	for _, section := range namedSections {
		for _, e := range c.sections[section] {
			c.names[section] = append(c.names[section], e.name)
		}
	}
	c.purposes()
	c.declare()
	c.signals()
	c.facts()
	c.checkBirthDate()
	c.kinds()
	c.subjects()
	c.measures()
	c.places()
	var err error
	if c.language, err = newLanguage(c.symbols); err != nil {
		return err
	}
	c.language.means = c.kindsByMeaning()
	if err := c.definitions(); err != nil {
		return err
	}
	c.visitAndSession()
	c.slots()
	c.groups()
	c.contact()
	c.quiet()
	c.strikes()
	c.actions()
	c.checkSlots()
	c.checks()
	c.finish()
	c.fits()
	c.reach()
	return nil
}

// fits makes sure that the bundle can be read where it is used: a list or text may be longer than a
// device takes.
func (c *compiler) fits() {
	if errors, _ := CountFindings(c.findings); errors > 0 {
		return
	}
	if _, err := catalog.Decode(catalog.Encode(&c.b)); err != nil {
		c.report(pos{}, Error, "too_large", "the policy does not fit into a bundle: "+err.Error(), "shorten the list or text that is too long, or make two policies")
	}
}

// merge reads the files together: sections that stand in several are joined,
// what stands twice is a finding.
func (c *compiler) merge() {
	c.keys = map[string]value{}
	known := slices.Concat(plainKeys, settings, namedSections)
	for _, f := range c.files {
		if f.root == nil {
			if f.lost == "" {
				c.report(pos{f, 1, 1}, Warning, "empty_file", "the file holds nothing", "remove it")
			}
			continue
		}
		root := value{f, f.root}
		if f.root.Kind != yaml.MappingNode { // which is said below, and nothing is missing then
			f.lost, f.broken = string(f.src), 1
		}
		c.survey(root)
		for _, e := range c.entries(root, "a policy file") {
			if why, later := notYet[e.name]; later {
				c.fail(e.key, "not_supported", "leave it out for now", "%s: %s is not supported yet", e.name, why)
				continue
			}
			if !slices.Contains(known, e.name) {
				c.fail(e.key, "unknown_key", didYouMean(e.name, known), "a policy has no section %s", e.name)
				continue
			}
			c.take(e)
		}
	}
	for name := range c.sections {
		slices.SortStableFunc(c.sections[name], func(a, b entry) int { return strings.Compare(a.name, b.name) })
	}
}

// take adds one top-level key of one file.
func (c *compiler) take(e entry) {
	first, twice := c.keys[e.name]
	if !twice {
		c.keys[e.name] = e.key
	}
	if slices.Contains(plainKeys, e.name) {
		if twice {
			c.fail(e.key, "duplicate_key", "say it in one file", "%s stands in %s already", e.name, first.file.name)
			return
		}
		c.sections[e.name] = []entry{e}
		return
	}
	for _, inner := range c.entries(e.val, e.name) {
		k := slices.IndexFunc(c.sections[e.name], func(o entry) bool { return o.name == inner.name })
		if k >= 0 {
			other := c.sections[e.name][k]
			c.fail(inner.key, "duplicate_key", "remove one of the two, or join them", "%s of %s stands in %s already", inner.name, e.name, other.key.file.name)
			continue
		}
		c.sections[e.name] = append(c.sections[e.name], inner)
	}
}

func (c *compiler) plain(key string) (value, bool) {
	list := c.sections[key]
	if len(list) == 0 {
		return value{}, false
	}
	return list[0].val, true
}

var (
	policyName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	currencies = regexp.MustCompile(`^[A-Z]{3}$`)
	languages  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	dottedName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	dashedName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$`)
)

// header reads what a policy says of itself.
func (c *compiler) header() {
	missing := func(key, hint string) {
		if slices.ContainsFunc(c.files, func(f *file) bool { return strings.Contains(f.lost, key) }) {
			return
		}
		c.report(pos{}, Error, "missing_key", fmt.Sprintf("the policy has no %s", key), hint)
	}
	if v, ok := c.plain("policy"); !ok {
		missing("policy", "write `policy: NAME` at the top")
	} else if s, ok := c.text(v, "policy"); ok {
		if !policyName.MatchString(s) {
			c.fail(v, "bad_name", "small letters, digits, - and _, as in dealer", "%q is no name for a policy", s)
		}
		c.b.Name = s
	}
	if v, ok := c.plain("version"); !ok {
		missing("version", "write `version: 1`, and raise it with every change")
	} else {
		c.b.Version = c.integer(v, "version", 1)
	}
	if v, ok := c.plain("currency"); !ok {
		missing("currency", "write `currency: EUR`")
	} else if s, ok := c.text(v, "currency"); ok {
		if !currencies.MatchString(s) {
			c.fail(v, "bad_currency", "three capitals, as in EUR", "%q is no currency", s)
		}
		c.b.Currency = s
	}
	if v, ok := c.plain("languages"); !ok {
		missing("languages", "write `languages: [en]`; the first is used when nothing else is known")
	} else {
		c.readLanguages(v)
	}
	c.b.Zone = sense.UTC
	if v, ok := c.plain("zone"); !ok {
		missing("zone", "write `zone: Europe/Amsterdam`")
	} else if s, ok := c.text(v, "zone"); ok {
		zone, err := Zone(s)
		if err != nil {
			c.fail(v, "unknown_zone", "as in Europe/Amsterdam", "there is no time zone %s", s)
		}
		c.b.Zone = zone
	}
}

func (c *compiler) readLanguages(v value) {
	words, at := c.words(v, "languages")
	for k, w := range words {
		if !languages.MatchString(w) {
			c.fail(at[k], "bad_language", "two small letters, as in nl or en", "%q is no language", w)
		}
	}
	if len(words) == 0 && v.node != nil && len(v.node.Content) == 0 && !v.isNull() {
		c.fail(v, "empty_value", "as in [nl, en]", "languages is empty")
	}
	if len(words) > 64 {
		c.fail(v, "too_many", "", "a policy has at most 64 languages")
		words = words[:64]
	}
	c.b.Languages = words
}

// definitions compiles derived values and states, each after those it reads.
func (c *compiler) definitions() error {
	derived := map[string]*fields{}
	states := map[string]*fields{}
	c.b.Derived = make([]catalog.Derived, len(c.sections["derived"]))
	c.b.States = make([]catalog.State, len(c.sections["states"]))
	texts := map[string]string{}
	for k, e := range c.sections["derived"] {
		derived[e.name] = c.derivedFields(k, e)
		for _, key := range []string{"is", "when", "until"} {
			if v, ok := derived[e.name].get(key); ok && v.node != nil && v.isScalar() {
				texts[e.name] += " " + v.node.Value
			}
		}
	}
	for k, e := range c.sections["states"] {
		states[e.name] = c.stateFields(k, e)
		for _, key := range []string{"when", "until"} {
			if v, ok := states[e.name].get(key); ok && v.isScalar() {
				texts[e.name] += " " + v.node.Value
			}
		}
	}
	done := map[string]int{} // 1 while its definition is being compiled, 2 afterwards
	var visit func(s *symbol) error
	visit = func(s *symbol) error {
		if done[s.name] != 0 {
			if done[s.name] == 1 && !s.broken {
				s.broken = true
				c.fail(c.keyOf(s), "circular", "a definition cannot read itself", "%s is defined by itself", s.name)
			}
			return nil
		}
		done[s.name] = 1
		for _, other := range c.symbols {
			if (other.what == aDerived || other.what == aState) && mentions(texts[s.name], other.name) {
				if err := visit(other); err != nil {
					return err
				}
			}
		}
		if s.what == aDerived {
			c.defineDerived(s, derived[s.name])
			if err := c.language.declare(s); err != nil {
				return err
			}
		} else {
			c.defineState(s, states[s.name])
		}
		done[s.name] = 2
		return nil
	}
	for _, s := range c.symbols {
		if s.what == aDerived || s.what == aState {
			if err := visit(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compiler) keyOf(s *symbol) value {
	section := "derived"
	if s.what == aState {
		section = "states"
	}
	return c.sections[section][s.index].key
}

// mentions says whether a condition holds a name as a word of its own.
func mentions(text, name string) bool {
	for at := 0; ; {
		k := strings.Index(text[at:], name)
		if k < 0 {
			return false
		}
		k += at
		end := k + len(name)
		before := k > 0 && (isWord(rune(text[k-1])) || text[k-1] == '.')
		after := end < len(text) && (isWord(rune(text[end])) || text[end] == '.')
		if !before && !after {
			return true
		}
		at = k + 1
	}
}

// condition compiles the condition of a key. Without mistakes and with ok it has a node.
func (c *compiler) condition(v value, of string) compiled {
	none := compiled{node: rule.None}
	if v.isNull() || v.isScalar() && strings.TrimSpace(v.node.Value) == "" {
		hint := "write a condition, or leave the key out"
		if v.node.Style != 0 && strings.HasPrefix(v.node.Tag, "!") && !strings.HasPrefix(v.node.Tag, "!!") {
			return none // reported as a tag
		}
		c.fail(v, "empty_condition", hint, "%s is empty", of)
		return none
	}
	if !v.isScalar() {
		c.fail(v, "wrong_type", "put the condition between quotes", "%s is a condition, not %s", of, shape(v))
		return none
	}
	got := c.language.condition(v.node.Value)
	c.mistakes(v, got.bad, of)
	c.cut(v, of)
	return got
}

// mistakes reports what is wrong inside a scalar.
func (c *compiler) mistakes(v value, bad []mistake, of string) {
	for _, m := range bad {
		p := v.file.inside(v.node, m.at)
		if m.code == "unknown_name" {
			name, _, _ := strings.Cut(m.message, " ")
			c.unknown(p, name, m.message, m.hint)
			continue
		}
		c.report(p, Error, m.code, m.message, m.hint)
	}
}

// cut reports a comment that cuts off a text or condition without quotes.
func (c *compiler) cut(v value, of string) {
	comment := v.node.LineComment
	if !v.plain() || !strings.HasPrefix(comment, "#") || len(comment) < 2 {
		return
	}
	line := v.file.src[v.file.starts[v.pos().line-1]:]
	at := value{v.file, v.node}.pos()
	if k := strings.Index(string(line), " #"); k >= 0 {
		at = v.file.place(v.file.starts[at.line-1] + len([]rune(string(line)[:k])) + 1)
	}
	if comment[1] != ' ' {
		c.report(at, Error, "comment_cuts_text", "a # after a space starts a comment: the rest of the line is lost", "put the text between quotes")
	}
}
