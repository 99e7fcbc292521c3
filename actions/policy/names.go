package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// reservedWords can be no first part of a name: they are words of CEL, or of its types.
var reservedWords = []string{
	"as", "and", "bool", "break", "bytes", "const", "continue", "double", "duration", "dyn", "else", "false", "for", "function", "if", "import", "in", "int", "let",
	"list", "local", "loop", "map", "namespace", "not", "now", "null", "null_type", "or", "package", "return", "string", "timestamp", "true", "type", "uint", "var", "void", "while",
}

// declare collects the names that conditions may read, and checks them.
func (c *compiler) declare() {
	sections := map[string]what{"signals": aSignal, "derived": aDerived, "states": aState, "places": aPlace, "facts": aFact, "interactions": aKind}
	first := map[string]entry{}
	for _, section := range []string{"signals", "facts", "derived", "states", "places", "interactions"} {
		for k, e := range c.sections[section] {
			if !c.goodName(e) {
				continue
			}
			if other, twice := first[e.name]; twice {
				c.fail(e.key, "duplicate_name", "a name is unique over signals, derived, states, places, facts and interactions", "%s is declared in line %d of %s already", e.name, other.key.pos().line, other.key.file.name)
				continue
			}
			first[e.name] = e
			s := &symbol{name: e.name, what: sections[section], index: int32(k), node: rule.None}
			switch s.what {
			case aState:
				s.kind = sense.Bool
			case aFact, aKind:
				s.scope = rule.ScopeSession
			}
			c.symbols = append(c.symbols, s)
			c.byName[e.name] = s
		}
	}
	for name, e := range first {
		for k, r := range name {
			if r != '.' {
				continue
			}
			if other, ok := first[name[:k]]; ok {
				c.fail(e.key, "name_prefix", fmt.Sprintf("rename one of them, as in %s.value", name[:k]), "%s lies below %s, which is a name itself (line %d of %s)", name, name[:k], other.key.pos().line, other.key.file.name)
			}
		}
	}
	for _, section := range []string{"purposes", "partners", "subjects", "measures", "slots", "groups", "actions"} {
		for _, e := range c.sections[section] {
			if !dashedName.MatchString(e.name) || len(e.name) > 64 {
				c.fail(e.key, "bad_name", "small letters, digits, - and _, parts joined by dots", "%q is no name", e.name)
			}
		}
	}
}

func (c *compiler) goodName(e entry) bool {
	if !dottedName.MatchString(e.name) || len(e.name) > 64 {
		c.fail(e.key, "bad_name", "small letters, digits and _, parts joined by dots, as in vehicle.tyres", "%q is no name", e.name)
		return false
	}
	head, _, _ := strings.Cut(e.name, ".")
	if slices.Contains(reservedWords, head) {
		c.fail(e.key, "reserved_name", "choose another", "%s is a word of the language of conditions", head)
		return false
	}
	for _, part := range strings.Split(e.name, ".")[1:] {
		if part == "in" || part == "true" || part == "false" || part == "null" {
			c.fail(e.key, "reserved_name", "choose another", "%s is a word of the language of conditions", part)
			return false
		}
	}
	return true
}
