package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// translations reads the plain texts of a key, one per language; owed says that
// people are to be told it.
func (c *compiler) translations(f *fields, e entry, key string, owed bool) catalog.Text {
	v, ok := f.get(key)
	if !ok {
		if owed {
			c.warn(e.key, "not_told", fmt.Sprintf("people are told it, in each language: %s: {%s: ...}", key, strings.Join(c.b.Languages, ": ..., ")), "%s does not say %s", e.name, key)
		}
		return nil
	}
	text := make(catalog.Text, len(c.b.Languages))
	for k, x := range c.byLanguage(f.key(key), v, key) {
		if x.node != nil {
			text[k], _ = c.text(x, key)
			c.cut(x, key)
		}
	}
	return text
}

// byLanguage returns the value of each language; without node where there is none.
// A text that is no map is the text of a policy with one language.
func (c *compiler) byLanguage(key, v value, of string) []value {
	list := make([]value, len(c.b.Languages))
	if len(list) == 0 {
		return nil // reported
	}
	if !v.isNull() && v.isScalar() {
		if len(list) > 1 {
			c.fail(v, "language_missing", fmt.Sprintf("write it per language, as in {%s: ...}", strings.Join(c.b.Languages, ": ..., ")), "%s is one text, but the policy has %d languages", of, len(list))
		}
		list[0] = v
		return list
	}
	for _, e := range c.entries(v, of) {
		k := slices.Index(c.b.Languages, e.name)
		if k < 0 && c.split(e) {
			continue
		}
		if k < 0 {
			c.fail(e.key, "unknown_language", "the policy's languages are "+strings.Join(c.b.Languages, " "), "%s: %s is not a language of this policy", of, e.name)
			continue
		}
		list[k] = e.val
	}
	if v.isMap() {
		for k, x := range list {
			if x.node == nil && !slices.ContainsFunc(c.files, func(f *file) bool { return f.lost != "" }) {
				c.warn(key, "language_missing", "add it, or take the language out of languages", "%s has no text for %s", of, c.b.Languages[k])
			}
		}
	}
	return list
}

// treatment reads a text per language, or {title, text, image, button, link}.
// It returns what its placeholders read as well.
func (c *compiler) treatment(key, v value, of string, priced bool) (*catalog.Treatment, []placed) {
	t := &catalog.Treatment{}
	r := &textReader{compiler: c, priced: priced}
	structured := v.node != nil && v.isMap() && slices.ContainsFunc(c.entries(v, of), func(e entry) bool {
		return slices.Contains(treatmentKeys, e.name) && !slices.Contains(c.b.Languages, e.name)
	})
	if !structured {
		t.Text = r.texts(key, v, of)
	} else {
		t.Structured = true
		f := c.fields(key, v, of, treatmentKeys...)
		for _, part := range []struct {
			name string
			into *[]catalog.Rendered
		}{{"title", &t.Title}, {"text", &t.Text}, {"button", &t.Button}} {
			if x, ok := f.get(part.name); ok {
				*part.into = r.texts(f.key(part.name), x, part.name)
			}
		}
		if x, ok := f.get("image"); ok {
			c.fail(f.key("image"), "not_supported", "leave it out for now", "images are not supported yet: they come with the assets of a bundle")
			_ = x
		}
		if x, ok := f.get("link"); ok {
			t.Link, _ = c.text(x, "link")
		}
	}
	return t, r.reads
}

// placed is a mention with its place.
type placed struct {
	mention
	pos pos
}

type textReader struct {
	*compiler
	priced bool // the text belongs to an action with a price
	reads  []placed
}

func (r *textReader) texts(key, v value, of string) []catalog.Rendered {
	list := make([]catalog.Rendered, len(r.b.Languages))
	for k, x := range r.byLanguage(key, v, of) {
		if x.node == nil {
			continue
		}
		if x.isMap() && len(x.node.Content) > 0 && x.node.Content[1].Tag == "!!null" {
			r.fail(x, "unquoted_placeholder", `put the text between quotes: "{name.first}, ..."`, "a text that starts with { is a map in YAML, not a text")
			continue
		}
		s, ok := r.text(x, of)
		if !ok {
			continue
		}
		r.cut(x, of)
		if strings.TrimSpace(s) == "" {
			r.fail(x, "empty_value", "write the text, or leave the language out", "%s is empty", of)
			continue
		}
		if !clean(s) {
			r.fail(x, "bad_text", "take them out", "%s holds characters that cannot be shown", of)
		}
		list[k] = r.parts(x, s)
	}
	return list
}

// partsOfPrice are the placeholders that stand for the price of the action.
var partsOfPrice = map[string]catalog.PartOf{"price": catalog.PartPrice, "price.percent": catalog.PartPricePercent, "price.normal": catalog.PartPriceNormal}

var placeholderName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// parts cuts a text at its placeholders; {{ and }} stand for the brackets themselves.
func (r *textReader) parts(v value, text string) catalog.Rendered {
	var parts catalog.Rendered
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, catalog.Part{Literal: literal.String(), Fact: -1, Input: -1, Derived: -1})
			literal.Reset()
		}
	}
	runes := []rune(text)
	for k := 0; k < len(runes); k++ {
		double := k+1 < len(runes) && runes[k+1] == runes[k]
		switch {
		case (runes[k] == '{' || runes[k] == '}') && double:
			literal.WriteRune(runes[k])
			k++
		case runes[k] == '}':
			r.report(v.file.inside(v.node, k), Error, "bad_placeholder", "a } without {", "write }} for a bracket that is shown")
			return nil
		case runes[k] == '{':
			end := slices.Index(runes[k:], '}')
			if end < 0 {
				r.report(v.file.inside(v.node, k), Error, "bad_placeholder", "a { without }", "write {{ for a bracket that is shown")
				return nil
			}
			flush()
			if p, ok := r.placeholder(v, k, string(runes[k+1:k+end])); ok {
				parts = append(parts, p)
			}
			k += end
		default:
			literal.WriteRune(runes[k])
		}
	}
	flush()
	return parts
}

func (r *textReader) placeholder(v value, at int, name string) (catalog.Part, bool) {
	p := catalog.Part{Name: name, Fact: -1, Input: -1, Derived: -1}
	where := v.file.inside(v.node, at)
	if !placeholderName.MatchString(name) {
		r.report(where, Error, "bad_placeholder", fmt.Sprintf("{%s} is no placeholder", name), "a placeholder is the name of a fact or signal, as in {name.first}")
		return p, false
	}
	if of := partsOfPrice[name]; of != catalog.PartOfNothing && (r.priced || r.byName[name] == nil) {
		if p.Of = of; !r.priced {
			r.report(where, Error, "no_price", fmt.Sprintf("{%s} is the price of the action, which has none", name), `give the action a price, as in price: "8.00 * demand"`)
		}
		return p, r.priced
	}
	s := r.byName[name]
	if s == nil {
		r.unknown(where, name, fmt.Sprintf("{%s} is not declared", name), didYouMean(name, r.language.names(aFact, aSignal, aDerived)))
		return p, false
	}
	switch {
	case s.broken:
		return p, false // reported where it is defined
	case s.what == aFact:
		p.Fact = s.index
	case s.what == aSignal:
		p.Input = r.language.graph.input(loadOf(s))
	case s.what == aDerived:
		p.Derived = s.index
	default:
		r.report(where, Error, "not_said", fmt.Sprintf("a %s cannot be said in a text", s.what), "use a fact, a signal or a derived value")
		return p, false
	}
	if s.kind == sense.Position || s.kind == sense.List {
		r.report(where, Error, "not_said", fmt.Sprintf("a value of type %s cannot be said in a text", s.kind), "say one value: declare a fact or derived value of its own for it")
		return p, false
	}
	for _, m := range s.reads {
		m.at, m.through = at, s
		r.reads = append(r.reads, placed{m, where})
	}
	r.reads = append(r.reads, placed{mention{symbol: s, at: at}, where})
	return p, true
}
