package policy

import (
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// derivedFields reads all of a derived value but its conditions.
func (c *compiler) derivedFields(k int, e entry) *fields {
	f := c.fields(e.key, e.val, "derived value "+e.name, derivedKeys...)
	d := &c.b.Derived[k]
	d.Name, d.Node, d.Keep, d.Leaves = e.name, rule.None, sense.Forever, c.leaves(f)
	if v, ok := f.get("purposes"); ok {
		d.Purposes = c.purposeSet(v)
	}
	if v, ok := f.get("keep"); ok {
		d.Keep = c.duration(v, "keep")
	}
	if v, ok := f.get("special"); ok {
		d.Special, _ = c.text(v, "special")
	}
	d.Why = c.translations(f, e, "why", false)
	_, is := f.get("is")
	_, when := f.get("when")
	_, until := f.get("until")
	switch {
	case is && (when || until):
		c.fail(f.key("is"), "is_and_when", "leave one of them out", "derived value %s is something, or begins when and lasts until, not both", e.name)
	case !is && !when && !until:
		c.fail(e.key, "missing_key", `as in is: "held(shelf_presence)", or when: "temperature < 0" with until: "temperature > 2"`, "derived value %s has no is", e.name)
	case !is && !when:
		c.fail(e.key, "missing_key", `as in when: "temperature < 0"`, "derived value %s has until, and no when", e.name)
	case !is && !until:
		c.fail(e.key, "missing_key", `as in until: "temperature > 2"; without it write is:`, "derived value %s has when, and no until", e.name)
	}
	return f
}

// defineDerived compiles what a derived value is.
func (c *compiler) defineDerived(s *symbol, f *fields) {
	s.broken = true
	node, reads, formula := c.derivedNode(s, f)
	if node == rule.None {
		return
	}
	g := c.language.graph
	for _, key := range []string{"debounce", "hold"} {
		v, ok := f.get(key)
		if !ok {
			continue
		}
		length := c.duration(v, key)
		if g.kind(node) != sense.Bool {
			c.fail(f.key(key), "wrong_type", "leave it out, or compare the value with something", "%s belongs to what is true or false, and %s is %s", key, s.name, article(g.kind(node).String()))
			return
		}
		if length <= 0 || length == sense.Forever {
			c.fail(v, "bad_duration", "as in "+key+": 5s", "%s lasts for a time above 0", key)
			return
		}
		over := c.lasts(g.not(node), length)
		if begins := node; key == "debounce" {
			node = c.latch(s.name, c.lasts(begins, length), over)
		} else {
			node = c.latch(s.name, begins, over)
		}
		formula += ", " + key + " " + length.String()
	}
	s.broken = false
	s.node, s.reads, s.kind, s.scope = node, reads.distinct(), g.kind(node), g.nodes[node].Scope
	d := &c.b.Derived[s.index]
	d.Node, d.Kind, d.Formula = node, s.kind, formula
	g.named(node, s.name)
	c.derivedPurposes(s, d, f)
}

// distinct leaves out what is read again: where a definition is read, only what it reads counts. Without
// that, definitions over definitions would double it each time.
func (r reads) distinct() reads {
	seen := map[mention]bool{}
	var list reads
	for _, m := range r {
		key := m
		key.at, key.through = 0, nil
		if !seen[key] {
			seen[key] = true
			list = append(list, m)
		}
	}
	return list
}

// derivedNode compiles `is`, or `when` and `until`.
func (c *compiler) derivedNode(s *symbol, f *fields) (node rule.Node, reads reads, formula string) {
	g := c.language.graph
	if v, ok := f.get("is"); ok {
		got := c.expression(v, s.name)
		if got.node == rule.None {
			return rule.None, nil, ""
		}
		return got.node, got.reads, g.texts[got.node].text
	}
	when, hasWhen := f.get("when")
	until, hasUntil := f.get("until")
	if !hasWhen || !hasUntil {
		return rule.None, nil, ""
	}
	from, to := c.condition(when, "when"), c.condition(until, "until")
	if from.node == rule.None || to.node == rule.None {
		return rule.None, nil, ""
	}
	return c.latch(s.name, from.node, to.node), append(slices.Clone(from.reads), to.reads...), g.texts[from.node].text + " until " + g.texts[to.node].text
}

// expression compiles the expression of a key, of any type.
func (c *compiler) expression(v value, of string) compiled {
	return c.scalar(v, of, c.language.expression)
}

// scalar compiles the text of a key.
func (c *compiler) scalar(v value, of string, compile func(string) compiled) compiled {
	if v.isNull() || v.isScalar() && strings.TrimSpace(v.node.Value) == "" {
		if v.node == nil || !strings.HasPrefix(v.node.Tag, "!") || strings.HasPrefix(v.node.Tag, "!!") { // else reported as a tag
			c.fail(v, "empty_condition", "write what it is", "%s is empty", of)
		}
		return compiled{node: rule.None}
	}
	if !v.isScalar() {
		c.fail(v, "wrong_type", "put the expression between quotes", "%s is an expression, not %s", of, shape(v))
		return compiled{node: rule.None}
	}
	got := compile(v.node.Value)
	c.mistakes(v, got.bad, of)
	c.cut(v, of)
	return got
}

// latch is true from when on, until `until`.
func (c *compiler) latch(name string, when, until rule.Node) rule.Node {
	return c.language.graph.add(rule.Op{Code: rule.Latch, Kind: sense.Bool, Args: []rule.Node{when, until}, Input: -1}, phrase{name, bindAtom})
}

// lasts is true once a condition has certainly been true for so long.
func (c *compiler) lasts(n rule.Node, length sense.Duration) rule.Node {
	g := c.language.graph
	held := g.call(rule.Op{Code: rule.Held, Kind: sense.Length, Args: []rule.Node{n}, Input: -1}, "held", g.wrap(n, bindCond))
	return g.compare(rule.Ge, held, g.constNode(sense.LengthValue(length)))
}

// derivedPurposes says for what a derived value is held: for no more than all that it reads is. What is
// made of something special is special.
func (c *compiler) derivedPurposes(s *symbol, d *catalog.Derived, f *fields) {
	held := ^catalog.PurposeSet(0)
	d.Personal = d.Special != ""
	for _, m := range s.reads {
		if p, personal := c.purposesOf(m); personal {
			d.Personal = true
			held &= p
		}
		if special := c.specialOf(m); d.Special == "" {
			d.Special = special
		}
	}
	if !d.Personal {
		return
	}
	if d.Purposes == 0 {
		d.Purposes = held & (1<<uint(len(c.b.Purposes)) - 1)
	}
	at := f.key("purposes")
	for _, key := range []string{"is", "when"} {
		if v, ok := f.get(key); ok {
			at = v
		}
	}
	for p := range c.b.Purposes {
		if d.Purposes.Has(int32(p)) && !held.Has(int32(p)) {
			c.fail(at, "purpose_not_held", "add the purpose to what it reads, or take it from the derived value", "%s reads something that is not held for %s", d.Name, c.b.Purposes[p].Name)
		}
	}
}

// purposesOf returns for what something that a condition mentions is held, and
// whether it is about a person at all.
func (c *compiler) purposesOf(m mention) (set catalog.PurposeSet, personal bool) {
	if m.means != "" {
		set = ^catalog.PurposeSet(0)
		for _, s := range c.language.means[m.means] {
			set &= c.b.Kinds[s.index].Purposes
		}
		return set, true
	}
	switch m.symbol.what {
	case aSignal:
		s := &c.b.Signals[m.symbol.index]
		return s.Purposes, personalSignal(s)
	case aFact:
		return c.b.Facts[m.symbol.index].Purposes, true
	case aKind:
		return c.b.Kinds[m.symbol.index].Purposes, true
	case aDerived:
		d := &c.b.Derived[m.symbol.index]
		return d.Purposes, d.Personal
	}
	return 0, false
}

// specialOf returns the category of what a condition mentions; empty where it is not special.
func (c *compiler) specialOf(m mention) string {
	if m.symbol == nil {
		return ""
	}
	switch m.symbol.what {
	case aSignal:
		return c.b.Signals[m.symbol.index].Special
	case aFact:
		return c.b.Facts[m.symbol.index].Special
	case aDerived:
		return c.b.Derived[m.symbol.index].Special
	}
	return ""
}
