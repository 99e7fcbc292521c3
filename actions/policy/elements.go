package policy

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// scope is the variable that exists, all and their like bind around their body.
type scope struct {
	name  string
	kind  sense.Kind // of the elements
	nan   bool       // an element may be no number
	of    *symbol    // whose value the list is, nil where it is of no single name
	outer *scope
}

// readsName says whether an expression reads a bound variable.
func readsName(e ast.Expr, name string) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent() == name
	case ast.SelectKind:
		return readsName(e.AsSelect().Operand(), name)
	case ast.CallKind:
		if call := e.AsCall(); call.IsMemberFunction() && readsName(call.Target(), name) {
			return true
		}
		return slices.ContainsFunc(e.AsCall().Args(), func(a ast.Expr) bool { return readsName(a, name) })
	case ast.ListKind:
		return slices.ContainsFunc(e.AsList().Elements(), func(x ast.Expr) bool { return readsName(x, name) })
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return readsName(c.IterRange(), name) || readsName(c.LoopStep(), name)
	}
	return false
}

// hoist translates an expression outside of the body at hand.
func (t *translator) hoist(e ast.Expr) rule.Node {
	body, sc := t.graph, t.scope
	t.graph, t.scope = body.around, sc.outer
	n := t.node(e)
	t.graph, t.scope = body, sc
	return body.capture(n)
}

var overLists = map[string]rule.Code{
	"exists": rule.Exists, "all": rule.All, "exists_one": rule.ExistsOne, "filter": rule.Filter, "map": rule.Map,
}

// overList translates exists, all and their like.
func (t *translator) overList(e ast.Expr) rule.Node {
	c := e.AsComprehension()
	name := macroOf(t.info, e)
	depth := 1
	for sc := t.scope; sc != nil; sc = sc.outer {
		depth++
	}
	list := t.node(c.IterRange())
	g := t.graph
	switch {
	case len(t.bad) > 0:
		return list
	case depth > rule.MaxDepth:
		return t.fail(e, "not_supported", "declare the inner one as a derived value", "%s stands more than %d deep", name, rule.MaxDepth)
	case g.kind(list) != sense.List:
		return t.fail(e, "not_supported", "as in interests.exists(i, i == 'garden')", "%s looks at lists, not at a %s", name, g.kind(list))
	case g.about[list].elem == sense.Null: // of an empty list there is nothing to judge
		return g.constNode(ofNothing(name))
	}
	sc := &scope{name: c.IterVar(), kind: g.about[list].elem, nan: g.about[list].nan, outer: t.scope}
	if of, ok := dotted(c.IterRange()); ok {
		sc.of = t.symbols[of]
	}
	t.graph, t.scope = g.inner(), sc
	root := t.node(bodyOf(t.info, e))
	inner := t.graph
	t.graph, t.scope = g, sc.outer
	if len(t.bad) > 0 {
		return list
	}
	op := rule.Op{Code: overLists[name], Kind: sense.Bool, Args: []rule.Node{list}, Input: -1}
	switch kind := inner.kind(root); {
	case op.Code == rule.Map && kind == sense.List:
		return t.fail(e, "not_supported", "", "a list of lists is not supported in conditions")
	case op.Code == rule.Map || op.Code == rule.Filter:
		op.Kind = sense.List
	}
	body, captured := inner.body(root)
	op.Body, op.Args = body, append(op.Args, captured...)
	return g.call(op, g.wrap(list, bindAtom)+"."+name, sc.name, inner.texts[root].text)
}

// ofNothing is what exists, all and their like are of an empty list.
func ofNothing(name string) sense.Value {
	switch name {
	case "filter", "map":
		return sense.ListValue(nil)
	}
	return sense.BoolValue(name == "all")
}

// index translates list[0].
func (t *translator) index(e ast.Expr) rule.Node {
	args := e.AsCall().Args()
	list, at := t.node(args[0]), t.node(args[1])
	g := t.graph
	switch {
	case len(t.bad) > 0:
		return list
	case g.kind(list) != sense.List || g.kind(at) != sense.Int:
		return t.fail(e, "not_supported", "as in interests[0]", "[...] reads an element of a list by its number")
	case g.about[list].elem == sense.Null:
		return t.fail(e, "condition_error", "an empty list has no elements", "this element is never there")
	}
	op := rule.Op{Code: rule.Index, Kind: g.about[list].elem, Args: []rule.Node{list, at}, Input: -1}
	if _, named := dotted(args[0]); named { // as in CEL, which of two errors or unknowns is the outcome
		op.Args = []rule.Node{at, list}
	}
	return g.add(op, phrase{g.wrap(list, bindAtom) + "[" + g.wrap(at, bindCond) + "]", bindAtom})
}

// errorWords say why a constant expression can only be an error.
var errorWords = map[rule.Code]string{
	rule.Div: "it divides by zero, or overflows", rule.Mod: "it divides by zero, or overflows", rule.Index: "the list has no such element",
	rule.Exists: "what it asks of an element is", rule.All: "what it asks of an element is", rule.ExistsOne: "what it asks of an element is",
	rule.Filter: "what it asks of an element is", rule.Map: "what it makes of an element is",
	rule.ToInt: "no whole number says this", rule.ToDouble: "this text is no number", rule.ToBool: "this text is neither true nor false",
}

// findErrors reports constant parts that can only be errors, unless something else decides whatever they are.
func (t *translator) findErrors(n rule.Node) {
	seen := map[rule.Node]bool{}
	var walk func(n rule.Node)
	walk = func(n rule.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		op, of := &t.graph.nodes[n], &t.graph.about[n]
		switch {
		case of.fixed && of.value.Cause == rule.Known:
			return
		case of.fixed:
			t.reportError(n)
			return
		}
		args := op.Args
		if op.Code == rule.Cond {
			if c, ok := t.graph.constant(args[0]); ok && c.Bool() {
				args = args[:2]
			} else if ok {
				args = []rule.Node{args[0], args[2]}
			}
		}
		for _, a := range args {
			walk(a)
		}
	}
	walk(n)
}

// reportError names the innermost part of a constant error.
func (t *translator) reportError(n rule.Node) {
	for {
		inner := slices.IndexFunc(t.graph.nodes[n].Args, func(a rule.Node) bool {
			of := &t.graph.about[a]
			return of.fixed && of.value.Cause != rule.Known
		})
		if inner < 0 {
			break
		}
		n = t.graph.nodes[n].Args[inner]
	}
	at, ok := t.placed[n]
	if !ok {
		return // it stands in a derived value, where it was reported
	}
	why, ok := errorWords[t.graph.nodes[n].Code]
	if !ok {
		why = "it overflows"
	}
	t.mistake(at, "condition_error", t.graph.texts[n].text+" can only be an error: "+why, "a condition with an error is never true")
}

// quoted returns the text of a constant, where an expression is one.
func (t *translator) quoted(n rule.Node) (string, bool) {
	v, ok := t.graph.constant(n)
	return strings.TrimSpace(v.Str()), ok && v.Kind() == sense.String && strings.TrimSpace(v.Str()) == v.Str()
}
