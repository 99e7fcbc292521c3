package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// compiled is a condition in the graph. Node is rule.None where it has mistakes,
// or where a name that it reads is itself broken.
type compiled struct {
	node  rule.Node
	reads reads
	bad   []mistake
}

// condition compiles a text that must be true or false.
func (l *language) condition(text string) compiled {
	c := l.expression(text)
	if c.node != rule.None && l.graph.kind(c.node) != sense.Bool {
		kind := l.graph.kind(c.node)
		c.bad = append(c.bad, mistake{0, "type_mismatch", fmt.Sprintf("a condition is true or false, this is %s", article(kind.String())), "compare it with something, as in dwell > 8s"})
		c.node = rule.None
	}
	return c
}

// money compiles an expression that gives an amount of money: a number is one of whole units, as in
// "8.00 * demand". The node is of kind Money, or there is a mistake.
func (l *language) money(text string) compiled {
	c := l.expression(text)
	if c.node == rule.None {
		return c
	}
	switch g, kind := l.graph, l.graph.kind(c.node); kind {
	case sense.Money:
	case sense.Int, sense.Double:
		if v, ok := g.constant(c.node); ok {
			m, err := v.As(sense.Money)
			if err == nil {
				c.node = g.constNode(m)
				return c
			}
		}
		c.node = g.add(rule.Op{Code: rule.ToMoney, Kind: sense.Money, Args: []rule.Node{c.node}, Input: -1}, g.texts[c.node])
		if of := g.about[c.node]; of.fixed && of.value.Cause != rule.Known {
			c.bad = append(c.bad, mistake{0, "condition_error", "this is more money than can be counted", "amounts go up to 9 million million"})
			c.node = rule.None
		}
	default:
		c.bad = append(c.bad, mistake{0, "type_mismatch", fmt.Sprintf("a price is an amount of money, this is %s", article(kind.String())), `as in "8.00 * demand"`})
		c.node = rule.None
	}
	return c
}

// expression compiles a text of any type.
func (l *language) expression(text string) compiled {
	p := l.parse(text)
	t := &translator{language: l, parsed: p, graph: l.graph, placed: map[rule.Node]int{}}
	c := compiled{node: rule.None}
	if p.expr != nil {
		c.node = t.node(p.expr)
		if len(p.bad) == 0 {
			t.findErrors(c.node)
		}
	}
	if len(p.bad) > 0 {
		c.node = rule.None
	}
	c.reads, c.bad = t.reads, p.bad
	return c
}

type translator struct {
	*language
	*parsed
	graph  *graph // of the language, or of the body at hand
	scope  *scope // of the body at hand, nil outside
	placed map[rule.Node]int
	reads  reads
}

// fail reports a mistake and gives a constant, so that the rest is looked at too.
func (t *translator) fail(e ast.Expr, code, hint, format string, args ...any) rule.Node {
	t.mistake(t.start(e), code, fmt.Sprintf(format, args...), hint)
	return t.graph.constNode(sense.BoolValue(false))
}

// node translates an expression. Within a body, what does not read the element is translated
// outside, once for all elements.
func (t *translator) node(e ast.Expr) rule.Node {
	if t.scope != nil && !readsName(e, t.scope.name) {
		return t.hoist(e)
	}
	n := t.build(e)
	if t.graph.refused != "" {
		t.mistake(t.start(e), "not_supported", "this is not supported in conditions: "+t.graph.refused, "what grows with time can be added, subtracted and compared, as in now - last_visit > 30d")
		t.graph.refused = ""
	}
	if _, ok := t.placed[n]; !ok && t.scope == nil {
		t.placed[n] = t.start(e)
	}
	return n
}

func (t *translator) build(e ast.Expr) rule.Node {
	if name, ok := dotted(e); ok {
		if t.scope != nil && name == t.scope.name {
			return t.graph.element(t.scope.kind, name, t.scope.nan)
		}
		return t.name(e, name)
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return t.graph.constNode(constantOf(e.AsLiteral()))
	case ast.ListKind:
		return t.list(e)
	case ast.CallKind:
		return t.callNode(e)
	case ast.ComprehensionKind:
		return t.overList(e)
	}
	return t.fail(e, "not_supported", "", "this is not supported in conditions")
}

func constantOf(v any) sense.Value {
	switch v := v.(type) {
	case types.Bool:
		return sense.BoolValue(bool(v))
	case types.Int:
		return sense.IntValue(int64(v))
	case types.Double:
		return sense.RawDouble(float64(v))
	case types.String:
		return sense.StringValue(string(v))
	}
	return sense.Value{}
}

func (t *translator) list(e ast.Expr) rule.Node {
	var nodes []rule.Node
	values, texts := []sense.Value{}, []string{}
	g := t.graph
	for _, x := range e.AsList().Elements() {
		n := t.node(x)
		if len(t.bad) > 0 {
			return n
		}
		if len(nodes) > 0 {
			nodes[0], n = t.money(nodes[0], n)
		}
		if g.kind(n) == sense.List || len(nodes) > 0 && g.kind(nodes[0]) != g.kind(n) {
			return t.fail(x, "not_supported", "as in ['summer', 'winter'] or [1, 2, 3]", "a list in a condition holds plain values of one type")
		}
		if v, ok := g.constant(n); ok {
			values = append(values, v)
		}
		nodes, texts = append(nodes, n), append(texts, g.wrap(n, bindCond))
	}
	if len(values) == len(nodes) {
		return g.constNode(sense.ListValue(values))
	}
	n := g.add(rule.Op{Code: rule.ListOf, Kind: sense.List, Args: nodes, Input: -1}, phrase{"[" + strings.Join(texts, ", ") + "]", bindAtom})
	g.about[n].elem = g.kind(nodes[0])
	return n
}

// name gives the node of a declared name: a load, or the definition of a derived value or state.
func (t *translator) name(e ast.Expr, name string) rule.Node {
	s := t.symbols[name]
	t.mention(s, t.start(e))
	switch s.what {
	case aDerived, aState:
		for _, m := range s.reads {
			m.at, m.through = t.start(e), s
			t.reads = append(t.reads, m)
		}
		return s.node
	case aPlace, aKind:
		return t.fail(e, "wrong_argument", "places stand in inside entered left distance, kinds in open overdue", "%s is a %s, not a value", name, s.what)
	}
	n := t.graph.load(loadOf(s), name)
	t.graph.about[n].elem = s.elem
	return n
}

func (t *translator) mention(s *symbol, at int) {
	t.reads = append(t.reads, mention{symbol: s, at: at})
}

// loadOf is the input that gives the value of a signal, a fact or the calendar.
func loadOf(s *symbol) rule.Input {
	in := rule.Input{Name: s.name, Kind: s.kind, Scope: s.scope, Index: s.index}
	switch {
	case s.what == aFact:
		in.From = rule.FromFact
	case s.name == "local.hour":
		in.From = rule.FromHour
	case s.name == "local.weekday":
		in.From = rule.FromWeekday
	case s.what == aCalendar:
		in.From = rule.FromNow
	}
	return in
}

var comparisons = map[string]rule.Code{"_==_": rule.Eq, "_!=_": rule.Ne, "_<_": rule.Lt, "_<=_": rule.Le, "_>_": rule.Gt, "_>=_": rule.Ge}

var sums = map[string]rule.Code{"_+_": rule.Add, "_-_": rule.Sub, "_*_": rule.Mul, "_/_": rule.Div, "_%_": rule.Mod}

func (t *translator) callNode(e ast.Expr) rule.Node {
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	if call.IsMemberFunction() {
		return t.member(e)
	}
	if code, ok := comparisons[name]; ok {
		return t.comparison(e, code)
	}
	if code, ok := sums[name]; ok {
		return t.sum(e, code)
	}
	switch name {
	case "_&&_":
		return t.graph.join(rule.And, t.node(args[0]), t.node(args[1]))
	case "_||_":
		return t.graph.join(rule.Or, t.node(args[0]), t.node(args[1]))
	case "!_":
		return t.graph.not(t.node(args[0]))
	case "-_":
		return t.negative(e)
	case "_?_:_":
		c, a, b := t.node(args[0]), t.node(args[1]), t.node(args[2])
		a, b = t.money(a, b)
		return t.graph.cond(c, a, b)
	case "@in":
		return t.in(e)
	case "_[_]":
		return t.index(e)
	}
	return t.function(e)
}

// money makes a number that stands beside money an amount of it.
func (t *translator) money(a, b rule.Node) (rule.Node, rule.Node) {
	g := t.graph
	of := func(n rule.Node) sense.Kind {
		if g.kind(n) == sense.List {
			return g.about[n].elem
		}
		return g.kind(n)
	}
	convert := func(n rule.Node, other sense.Kind) rule.Node {
		v, ok := g.constant(n)
		if !ok || other != sense.Money || of(n) != sense.Double {
			return n
		}
		amounts := make([]sense.Value, len(v.List()))
		for k, x := range v.List() {
			m, err := x.As(sense.Money)
			if err != nil {
				return n
			}
			amounts[k] = m
		}
		if v.Kind() == sense.List {
			return g.constNode(sense.ListValue(amounts))
		}
		m, err := v.As(sense.Money)
		if err != nil {
			return n
		}
		return g.constNode(m)
	}
	ka, kb := of(a), of(b)
	return convert(a, kb), convert(b, ka)
}

// elemsDiffer says whether two lists hold values of different kinds; an empty one fits all.
func (g *graph) elemsDiffer(a, b rule.Node) bool {
	ea, eb := g.about[a].elem, g.about[b].elem
	return g.kind(a) == sense.List && ea != sense.Null && eb != sense.Null && ea != eb
}

func (t *translator) comparison(e ast.Expr, code rule.Code) rule.Node {
	args := e.AsCall().Args()
	a, b := t.money(t.node(args[0]), t.node(args[1]))
	ka, kb := t.graph.kind(a), t.graph.kind(b)
	switch {
	case len(t.bad) > 0:
		return a
	case ka != kb:
		return t.fail(e, "type_mismatch", "compare money with money or with a plain amount", "a %s cannot be compared with a %s", ka, kb)
	case t.graph.elemsDiffer(a, b):
		return t.fail(e, "type_mismatch", "", "a list of %s is never one of %s", t.graph.about[a].elem, t.graph.about[b].elem)
	case ka == sense.Position || ka == sense.List && code != rule.Eq && code != rule.Ne:
		return t.fail(e, "not_supported", "use inside(place), distance(place) or in", "values of type %s cannot be compared", ka)
	}
	if code == rule.Eq || code == rule.Ne {
		t.oneOf(args[0], b)
		t.oneOf(args[1], a)
	}
	return t.graph.compare(code, a, b)
}

// oneOf checks that a constant that a fact is compared with is one that it can have.
func (t *translator) oneOf(of ast.Expr, constant rule.Node) {
	name, ok := dotted(of)
	v, isConst := t.graph.constant(constant)
	if !ok || !isConst {
		return
	}
	s := t.symbols[name]
	for sc := t.scope; sc != nil; sc = sc.outer {
		if sc.name == name {
			s = sc.of
		}
	}
	if s == nil || len(s.oneOf) == 0 {
		return
	}
	values := []sense.Value{v}
	if v.Kind() == sense.List {
		values = v.List()
	}
	for _, x := range values {
		if x.Kind() == sense.String && !slices.Contains(s.oneOf, x.Str()) {
			t.mistake(t.findText(x.Str(), t.start(of)), "never_equal", fmt.Sprintf("%s is never '%s'; it is one of %s", name, x.Str(), strings.Join(s.oneOf, " ")), didYouMean(x.Str(), s.oneOf))
		}
	}
}

// findText returns the offset of a quoted text in the condition, or another one where it is not found.
func (t *translator) findText(text string, other int) int {
	for _, quote := range []string{"'", `"`} {
		if k := strings.Index(t.text, quote+text+quote); k >= 0 {
			return t.back[len([]rune(t.text[:k]))]
		}
	}
	return other
}

func (t *translator) in(e ast.Expr) rule.Node {
	args := e.AsCall().Args()
	a, list := t.node(args[0]), t.node(args[1])
	if len(t.bad) > 0 {
		return a
	}
	a, list = t.money(a, list)
	switch ka, elem := t.graph.kind(a), t.graph.about[list].elem; {
	case t.graph.kind(list) != sense.List || ka == sense.List:
		return t.fail(e, "not_supported", "as in tyres in ['summer', 'winter']", "in looks for a plain value in a list")
	case elem != sense.Null && elem != ka:
		return t.fail(e, "type_mismatch", "", "a list of %s never holds a %s", elem, ka)
	}
	t.oneOf(args[0], list)
	t.oneOf(args[1], a)
	g := t.graph
	text := g.wrap(a, bindAdd) + " in " + g.wrap(list, bindAdd)
	return g.add(rule.Op{Code: rule.In, Kind: sense.Bool, Args: []rule.Node{a, list}, Input: -1}, phrase{text, bindCompare})
}

func (t *translator) sum(e ast.Expr, code rule.Code) rule.Node {
	args := e.AsCall().Args()
	a, b := t.node(args[0]), t.node(args[1])
	if code == rule.Add || code == rule.Sub {
		a, b = t.money(a, b)
	}
	if len(t.bad) > 0 {
		return a
	}
	ka, kb := t.graph.kind(a), t.graph.kind(b)
	kind, ok := kindOfSum(code, ka, kb)
	switch {
	case ok && !t.graph.elemsDiffer(a, b):
		return t.graph.arithmetic(code, kind, a, b)
	case ka == sense.Money && kb == sense.Money, ka == sense.List, ka == sense.Position, ka == sense.Date:
		return t.fail(e, "not_supported", "compare with the value itself", "%s over %s and %s is not supported in conditions", signs[code], ka, kb)
	}
	return t.fail(e, "type_mismatch", "", "%s does not take %s and %s", signs[code], article(ka.String()), article(kb.String()))
}

// kindOfSum returns the kind of a sum or product, and whether there is one of these kinds.
func kindOfSum(code rule.Code, a, b sense.Kind) (sense.Kind, bool) {
	number := func(k sense.Kind) bool { return k == sense.Int || k == sense.Double }
	switch {
	case a == sense.Timestamp && b == sense.Timestamp:
		return sense.Length, code == rule.Sub
	case a == sense.Timestamp && b == sense.Length:
		return sense.Timestamp, code == rule.Add || code == rule.Sub
	case a == sense.Length && b == sense.Timestamp:
		return sense.Timestamp, code == rule.Add
	case a == sense.Money && number(b):
		return sense.Money, code == rule.Mul || code == rule.Div
	case number(a) && b == sense.Money:
		return sense.Money, code == rule.Mul
	case a != b:
		return a, false
	case a == sense.Length || a == sense.Money:
		return a, code == rule.Add || code == rule.Sub
	case a == sense.String || a == sense.List:
		return a, code == rule.Add
	}
	return a, a == sense.Int || a == sense.Double && code != rule.Mod
}

func (t *translator) negative(e ast.Expr) rule.Node {
	n := t.node(e.AsCall().Args()[0])
	g := t.graph
	if v, ok := g.constant(n); ok && v.Kind() == sense.Double {
		return g.constNode(sense.RawDouble(-v.Double()))
	} else if ok && v.Kind() == sense.Int && v.Int() > math.MinInt64 {
		return g.constNode(sense.IntValue(-v.Int()))
	}
	switch g.kind(n) {
	case sense.Int, sense.Double, sense.Length, sense.Money:
		return g.add(rule.Op{Code: rule.Neg, Kind: g.kind(n), Args: []rule.Node{n}, Input: -1}, phrase{"-" + g.wrap(n, bindUnary), bindUnary})
	}
	return t.fail(e, "not_supported", "only numbers, money and durations have a sign", "- over a %s is not supported in conditions", g.kind(n))
}

func (t *translator) member(e ast.Expr) rule.Node {
	call := e.AsCall()
	name := call.FunctionName()
	if part, ok := parts[name]; ok {
		return t.part(e, part)
	}
	codes := map[string]rule.Code{"startsWith": rule.StartsWith, "endsWith": rule.EndsWith, "contains": rule.Contains, "size": rule.Size}
	code, kind := codes[name], sense.Bool
	if code == rule.Size {
		kind = sense.Int
	}
	nodes := []rule.Node{t.node(call.Target())}
	var texts []string
	for _, a := range call.Args() {
		n := t.node(a)
		nodes = append(nodes, n)
		texts = append(texts, t.graph.wrap(n, bindCond))
	}
	return t.graph.call(rule.Op{Code: code, Kind: kind, Args: nodes, Input: -1}, t.graph.wrap(nodes[0], bindAtom)+"."+name, texts...)
}

// function translates the functions of the language.
func (t *translator) function(e ast.Expr) rule.Node {
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	switch name {
	case "duration":
		return t.length(e, args)
	case "timestamp":
		return t.timestamp(e, args)
	case "date":
		return t.date(e, args)
	case "double", "int", "string", "bool", "size":
		return t.convert(e, name, args)
	case "held", "since", "became":
		codes := map[string]rule.Code{"held": rule.Held, "since": rule.Since, "became": rule.Became}
		kind := sense.Length
		if name == "became" {
			kind = sense.Bool
		}
		n := t.node(args[0])
		return t.graph.call(rule.Op{Code: codes[name], Kind: kind, Args: []rule.Node{n}, Input: -1}, name, t.graph.wrap(n, bindCond))
	case "count", "mean", "min", "max", "rate":
		return t.window(e, name, args)
	case "changed":
		s := t.symbolOf(args[0])
		return t.graph.call(rule.Op{Code: rule.Changed, Kind: sense.Bool, Input: t.graph.input(loadOf(s))}, name, s.name)
	case hasValue:
		s := t.symbolOf(args[0])
		in := rule.Input{From: rule.FromHas, Name: s.name, Kind: sense.Bool, Scope: s.scope, Index: s.index}
		return t.graph.load(in, "has("+s.name+")")
	case "age":
		s := t.symbolOf(args[0])
		in := rule.Input{From: rule.FromAge, Name: s.name, Kind: sense.Int, Scope: s.scope, Index: s.index}
		return t.graph.load(in, "age("+s.name+")")
	case "inside", "entered", "left", "distance":
		return t.place(e, name, args)
	case "open", "overdue":
		s := t.symbolOf(args[0])
		from := map[string]rule.From{"open": rule.FromOpen, "overdue": rule.FromOverdue}[name]
		return t.graph.load(rule.Input{From: from, Name: s.name, Kind: sense.Bool, Scope: rule.ScopeSession, Index: s.index}, name+"("+s.name+")")
	case "until":
		return t.until(e, args)
	}
	return t.history(e, name, args)
}

// symbolOf returns the name that an argument is; inspect has made sure that it is one.
func (t *translator) symbolOf(e ast.Expr) *symbol {
	name, _ := dotted(e)
	s := t.symbols[name]
	t.mention(s, t.start(e))
	return s
}

// window translates functions over the readings or truths within a length of time.
func (t *translator) window(e ast.Expr, name string, args []ast.Expr) rule.Node {
	length, ok := t.graph.constant(t.node(args[1]))
	if !ok || length.Kind() != sense.Length || length.Length() <= 0 {
		return t.fail(args[1], "wrong_argument", "as in "+name+"(..., 30d)", "the window of %s is a constant duration above 0", name)
	}
	g := t.graph
	op := rule.Op{Code: rule.CountTrue, Kind: sense.Int, Input: -1, For: length.Length()}
	of, isName := dotted(args[0])
	if s := t.symbols[of]; name == "count" && (!isName || s == nil || s.kind == sense.Bool) {
		n := t.node(args[0])
		op.Args = []rule.Node{n}
		return g.call(op, name, g.wrap(n, bindCond), literal(length))
	} else if s == nil || s.what != aSignal {
		return t.fail(args[0], "wrong_argument", didYouMean("", t.names(aSignal)), "%s wants the name of a signal", name)
	}
	s := t.symbolOf(args[0])
	codes := map[string]rule.Code{"count": rule.CountReadings, "mean": rule.Mean, "min": rule.Min, "max": rule.Max, "rate": rule.Rate}
	op.Code, op.Input = codes[name], g.input(loadOf(s))
	if name != "count" {
		op.Kind = sense.Double
	}
	return g.call(op, name, s.name, literal(length))
}

func (t *translator) place(e ast.Expr, name string, args []ast.Expr) rule.Node {
	s := t.symbolOf(args[0])
	if t.point == nil {
		return t.fail(e, "no_position", "declare it: position: {type: position, max_age: 10s, scope: person, ...}", "%s needs a signal of type position", name)
	}
	m := mention{symbol: t.point, at: t.start(args[0]), through: s}
	t.reads = append(t.reads, m)
	in := rule.Input{From: rule.FromInside, Name: s.name, Kind: sense.Bool, Scope: t.point.scope, Index: s.index}
	g := t.graph
	if name == "distance" {
		in.From, in.Kind = rule.FromDistance, sense.Double
		return g.load(in, "distance("+s.name+")")
	}
	inside := g.load(in, "inside("+s.name+")")
	switch {
	case name == "inside":
		return inside
	case name == "left":
		return g.call(rule.Op{Code: rule.Became, Kind: sense.Bool, Args: []rule.Node{g.not(inside)}, Input: -1}, name, s.name)
	case len(args) == 1:
		return g.call(rule.Op{Code: rule.Became, Kind: sense.Bool, Args: []rule.Node{inside}, Input: -1}, name, s.name)
	}
	stays, ok := g.constant(t.node(args[1]))
	if !ok || stays.Kind() != sense.Length || stays.Length() <= 0 {
		return t.fail(args[1], "wrong_argument", "as in entered(abroad, 2h)", "the time that entered stays true is a constant duration above 0")
	}
	return g.call(rule.Op{Code: rule.Armed, Kind: sense.Bool, Args: []rule.Node{inside}, Input: -1, For: stays.Length()}, name, s.name, literal(stays))
}

// history translates bought('type:id', 30d) and its like.
func (t *translator) history(e ast.Expr, name string, args []ast.Expr) rule.Node {
	from, ok := historyOf[name]
	if !ok {
		return t.fail(e, "not_supported", "", "%s is not supported in conditions", name)
	}
	subject, ok := t.graph.constant(t.node(args[0]))
	if !ok || !event.Subject(subject.Str()).Valid() {
		return t.fail(args[0], "bad_subject", "as in "+name+"('product:model-x', 30d)", "%s wants a subject of the form 'type:id'", name)
	}
	window := sense.Forever
	text := []string{literal(subject)}
	if len(args) == 2 {
		v, ok := t.graph.constant(t.node(args[1]))
		if !ok || v.Kind() != sense.Length || v.Length() <= 0 {
			return t.fail(args[1], "wrong_argument", "as in "+name+"('product:model-x', 30d)", "the window of %s is a constant duration above 0", name)
		}
		window = v.Length()
		text = append(text, literal(v))
	}
	t.reads = append(t.reads, mention{means: name, at: t.start(e), subject: subject.Str(), window: window})
	if len(t.language.means[name]) == 0 {
		return t.fail(e, "no_such_kind", "declare an interaction that means it, as in purchase: {keep: 2y, purposes: [service], means: bought}", "no interaction of this policy means %s", name)
	}
	in := rule.Input{From: from, Name: name, Kind: sense.Bool, Scope: rule.ScopeSession, Index: -1, Subject: event.Subject(subject.Str()), Window: window}
	return t.graph.load(in, name+"("+strings.Join(text, ", ")+")")
}
