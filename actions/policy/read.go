package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// value is a YAML node with the file that it stands in.
type value struct {
	file *file
	node *yaml.Node
}

// entry is one key of a map with its value.
type entry struct {
	name string
	key  value
	val  value
}

// fields are the entries of one map, in the author's order.
type fields struct {
	at      value // the map itself, or the key that it belongs to
	entries []entry
}

func (f *fields) get(name string) (value, bool) {
	for _, e := range f.entries {
		if e.name == name {
			return e.val, true
		}
	}
	return value{}, false
}

func (f *fields) key(name string) value {
	for _, e := range f.entries {
		if e.name == name {
			return e.key
		}
	}
	return f.at
}

// report adds a finding at a place.
func (c *compiler) report(p pos, severity string, code, message, hint string) {
	if p.file == nil {
		p = pos{c.files[0], 1, 1}
	}
	c.findings = append(c.findings, Finding{File: p.file.name, Line: p.line, Column: p.column, Severity: severity, Code: code, Message: message, Hint: cure(code, hint)})
}

func (c *compiler) fail(v value, code, hint, format string, args ...any) {
	c.report(v.pos(), Error, code, fmt.Sprintf(format, args...), hint)
}

func (c *compiler) warn(v value, code, hint, format string, args ...any) {
	c.report(v.pos(), Warning, code, fmt.Sprintf(format, args...), hint)
}

func (v value) pos() pos {
	if v.node == nil {
		return pos{}
	}
	return v.file.at(v.node)
}

func (v value) isNull() bool {
	return v.node == nil || v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!null" && v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

func (v value) isScalar() bool { return v.node.Kind == yaml.ScalarNode }

func (v value) isMap() bool { return v.node.Kind == yaml.MappingNode }

func (v value) plain() bool {
	return v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// survey reports, once for a whole file, what no part of a policy may hold: tags,
// anchors, merged maps, keys that are no text, keys that stand twice.
func (c *compiler) survey(v value) {
	n := v.node
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		c.fail(v, "yaml_tag", "put the text or condition between quotes", "%s is a YAML tag; policies use none", n.Tag)
	}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		c.fail(v, "yaml_anchor", "write the value out", "anchors and aliases are not used in policies")
	}
	if n.Kind == yaml.AliasNode {
		return
	}
	if n.Kind == yaml.MappingNode {
		c.surveyKeys(v)
	}
	for _, child := range n.Content {
		c.survey(value{v.file, child})
	}
}

func (c *compiler) surveyKeys(v value) {
	first := map[string]*yaml.Node{}
	for k := 0; k+1 < len(v.node.Content); k += 2 {
		key := v.node.Content[k]
		at := value{v.file, key}
		if key.Kind != yaml.ScalarNode {
			c.fail(at, "yaml_key", "a text that starts with { or [ wants quotes", "a key is a word, not a list or map")
			continue
		}
		if before, twice := first[key.Value]; twice {
			c.fail(at, "duplicate_key", "remove one of the two, or join them", "%s stands here twice; the first is in line %d", key.Value, v.file.at(before).line)
			continue
		}
		first[key.Value] = key
	}
}

// entries reads a map; at is what a finding points at where it is none.
func (c *compiler) entries(v value, of string) []entry {
	if v.isNull() {
		c.fail(v, "empty_value", "", "%s is empty", of)
		return nil
	}
	if !v.isMap() {
		c.fail(v, "wrong_type", "write key: value pairs", "%s is a map, not %s", of, shape(v))
		return nil
	}
	var list []entry
	seen := map[string]bool{}
	for k := 0; k+1 < len(v.node.Content); k += 2 {
		key := v.node.Content[k]
		if key.Kind != yaml.ScalarNode || seen[key.Value] {
			continue // reported by survey
		}
		seen[key.Value] = true
		list = append(list, entry{key.Value, value{v.file, key}, value{v.file, v.node.Content[k+1]}})
	}
	return list
}

func shape(v value) string {
	switch v.node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a map"
	}
	return fmt.Sprintf("%q", v.node.Value)
}

// fields reads a map whose keys are fixed; key is what names the map. A key that
// is not known is reported with the closest one that is.
func (c *compiler) fields(key, v value, of string, known ...string) *fields {
	f := &fields{at: key}
	for _, e := range c.entries(v, of) {
		if slices.Contains(known, e.name) {
			f.entries = append(f.entries, e)
			continue
		}
		if why, later := notYet[e.name]; later {
			c.fail(e.key, "not_supported", "leave it out for now", "%s: %s is not supported yet", e.name, why)
			continue
		}
		if c.split(e) {
			continue
		}
		c.fail(e.key, "unknown_key", keyHint(e.name, known), "%s has no key %s", of, e.name)
	}
	return f
}

// split reports what is no key at all, but the rest of a text or condition that a comma of flow style splits.
func (c *compiler) split(e entry) bool {
	if e.val.node == nil || e.val.node.Value != "" || !e.val.isNull() || !e.key.plain() {
		return false
	}
	f := e.key.file
	end := f.offset(e.key.node.Line, e.key.node.Column) + len([]rune(e.key.node.Value))
	if rest := strings.TrimLeft(string(f.text[min(end, len(f.text)):min(end+80, len(f.text))]), " "); strings.HasPrefix(rest, ":") {
		return false
	}
	c.fail(e.key, "flow_comma", "put the text or condition between quotes", "a comma splits what stands before it, which has no quotes")
	return true
}

// What authors confuse is explained where it is mistaken.
const (
	threeStages = "eligible asks whether we may, applicable whether it makes sense now, suitable whether it is good for this customer"
	threeAges   = "max_age is how old a reading of a signal may be, fresh how long a fact is still trusted, keep how long it is still held"
)

// conditionWords are what authors call a condition before they know the three.
var conditionWords = []string{"when", "if", "condition", "conditions", "rule", "suited", "unless", "only_if", "relevant", "allowed"}

// keyHint helps with a key that is not known.
func keyHint(name string, known []string) string {
	hint := didYouMean(name, known)
	switch {
	case slices.Contains(known, "suitable") && (slices.Contains(conditionWords, name) || slices.ContainsFunc([]string{"eligible", "applicable", "suitable"}, func(s string) bool { return strings.Contains(hint, s+"?") })):
		return strings.TrimSpace(hint + " " + threeStages)
	case slices.Contains([]string{"max_age", "fresh", "keep"}, name):
		return threeAges
	case slices.Contains([]string{"priority", "weight", "rank", "score"}, name):
		return "there is no priority to type in: value x propensity x lever x weights - bother decides, in money"
	}
	return hint
}

// idle warns of a key that is taken and does nothing yet: what it may do later harms
// nobody, so that the policy need not be changed twice.
func (c *compiler) idle(key value, name, so string) {
	c.warn(key, "not_supported", "it may stay, for a later version", "%s has no effect yet: %s", name, so)
}

// text reads any scalar as text.
func (c *compiler) text(v value, of string) (string, bool) {
	if v.isNull() {
		c.fail(v, "empty_value", "", "%s is empty", of)
		return "", false
	}
	if !v.isScalar() {
		c.fail(v, "wrong_type", "a text that starts with { or [ wants quotes", "%s is a text, not %s", of, shape(v))
		return "", false
	}
	return v.node.Value, true
}

// word reads a text that must be one of a list.
func (c *compiler) word(v value, of string, known ...string) (string, bool) {
	s, ok := c.text(v, of)
	if ok && !slices.Contains(known, s) {
		c.fail(v, "unknown_word", didYouMean(s, known), "%s cannot be %s", of, s)
		return "", false
	}
	return s, ok
}

func (c *compiler) boolean(v value, of string) bool {
	s, ok := c.text(v, of)
	if !ok {
		return false
	}
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	hint := "write true or false"
	if slices.Contains([]string{"yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		c.fail(v, "yaml_bool", hint, "%s: %s is a text in YAML, not true or false", of, s)
	} else {
		c.fail(v, "wrong_type", hint, "%s is true or false, not %s", of, s)
	}
	return false
}

func (c *compiler) integer(v value, of string, least int64) int64 {
	s, ok := c.text(v, of)
	if !ok {
		return least
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least {
		c.fail(v, "wrong_number", "", "%s is a whole number of at least %d, not %s", of, least, s)
		return least
	}
	return n
}

// micro reads a plain decimal as millionths, between two bounds.
func (c *compiler) micro(v value, of string, least, most catalog.Micro) catalog.Micro {
	s, ok := c.text(v, of)
	if !ok {
		return 0
	}
	n, err := sense.ParseMicro(s)
	switch {
	case err != nil && strings.Contains(s, ","):
		c.fail(v, "wrong_number", "a point stands before the decimals, and nothing between thousands: 1000.50", "%s is a number with at most 6 places, not %s", of, s)
	case err != nil:
		c.fail(v, "wrong_number", "as in 0.05 or 400.00", "%s is a number with at most 6 places, not %s", of, s)
	case n < least || n > most:
		c.fail(v, "wrong_number", "", "%s lies between %s and %s, not at %s", of, sense.AppendMicro(nil, least, 6), sense.AppendMicro(nil, most, 6), s)
	default:
		return n
	}
	return 0
}

// mostMoney bounds amounts so that products of them never overflow.
const mostMoney = 1_000_000_000 * catalog.One

var percent = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?) ?%$`)

// lever reads `10 %` as the factor 1.1 in millionths.
func (c *compiler) lever(v value, of string) catalog.Micro {
	s, ok := c.text(v, of)
	if !ok {
		return catalog.One
	}
	if m := percent.FindStringSubmatch(s); m != nil {
		if n, err := sense.ParseMicro(m[1]); err == nil && n > -100*catalog.One && n <= 1000*catalog.One {
			return catalog.One + n/100
		}
	}
	c.fail(v, "wrong_number", "as in 10 %", "%s is a percentage above -100 %% and up to 1000 %%, not %s", of, s)
	return catalog.One
}

func (c *compiler) duration(v value, of string) sense.Duration {
	s, ok := c.text(v, of)
	if !ok {
		return 0
	}
	d, err := sense.ParseDuration(s)
	if err != nil {
		c.fail(v, "bad_duration", "units are ms s m h d w y, as in 8s, 5m, 2h, 90d or 2y", "%s: %s is not a duration", of, s)
		return 0
	}
	return d
}

var distanceText = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(m|km)$`)

// metres reads `40 m` or `1.5 km` as millimetres.
func (c *compiler) metres(v value, of string) int64 {
	s, ok := c.text(v, of)
	if !ok {
		return 0
	}
	m := distanceText.FindStringSubmatch(s)
	if m == nil {
		c.fail(v, "bad_distance", "as in 40 m or 1.5 km", "%s: %s is not a distance", of, s)
		return 0
	}
	n, err := sense.ParseMicro(m[1])
	if m[2] == "km" {
		n *= 1000
	}
	if err != nil || n > 20_000_000*catalog.One || n < 0 {
		c.fail(v, "bad_distance", "as in 40 m or 1.5 km", "%s: %s is longer than half the earth", of, s)
		return 0
	}
	return n / 1000
}

// list reads a list, or one value as a list of one.
func (c *compiler) list(v value, of string) []value {
	if v.isNull() {
		c.fail(v, "empty_value", "", "%s is empty", of)
		return nil
	}
	if v.node.Kind != yaml.SequenceNode {
		c.fail(v, "wrong_type", "write it between [ and ]", "%s is a list, not %s", of, shape(v))
		return nil
	}
	list := make([]value, len(v.node.Content))
	for k, n := range v.node.Content {
		list[k] = value{v.file, n}
	}
	return list
}

// words reads a list of texts.
func (c *compiler) words(v value, of string) (words []string, at []value) {
	for _, x := range c.list(v, of) {
		s, ok := c.text(x, of)
		if ok && slices.Contains(words, s) {
			c.fail(x, "duplicate_key", "name it once", "%s names %s twice", of, s)
		} else if ok {
			words, at = append(words, s), append(at, x)
		}
	}
	return words, at
}

// reference finds a name in an ordered list.
func (c *compiler) reference(v value, of, section string, names []string) int32 {
	s, ok := c.text(v, of)
	if !ok {
		return -1
	}
	k, found := slices.BinarySearch(names, s)
	if !found {
		c.unknown(v.pos(), s, fmt.Sprintf("%s: there is no %s %s", of, section, s), didYouMean(s, names))
		return -1
	}
	return int32(k)
}

// unknown reports a name that is not declared, unless it may stand in lines that could not be read.
func (c *compiler) unknown(p pos, name, message, hint string) {
	for _, f := range c.files {
		if f.lost != "" && strings.Contains(f.lost, name) {
			return
		}
	}
	c.report(p, Error, "unknown_name", message, hint)
}
