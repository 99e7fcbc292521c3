package policy

import (
	"fmt"
	"slices"
	"strconv"
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

// expression compiles a text of any type.
func (l *language) expression(text string) compiled {
	p := l.parse(text)
	t := &translator{language: l, parsed: p}
	c := compiled{node: rule.None}
	if p.expr != nil {
		c.node = t.node(p.expr)
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
	reads reads
}

// fail reports a mistake and gives a constant, so that the rest is looked at too.
func (t *translator) fail(e ast.Expr, code, hint, format string, args ...any) rule.Node {
	t.mistake(t.start(e), code, fmt.Sprintf(format, args...), hint)
	return t.graph.constNode(sense.BoolValue(false))
}

func (t *translator) node(e ast.Expr) rule.Node {
	if name, ok := dotted(e); ok {
		return t.name(e, name)
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return t.graph.constNode(constantOf(e.AsLiteral()))
	case ast.ListKind:
		return t.list(e)
	case ast.CallKind:
		return t.callNode(e)
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
		return sense.DoubleValue(float64(v))
	case types.String:
		return sense.StringValue(string(v))
	}
	return sense.Value{}
}

func (t *translator) list(e ast.Expr) rule.Node {
	var values []sense.Value
	for _, x := range e.AsList().Elements() {
		n := t.node(x)
		v, ok := t.graph.constant(n)
		if !ok {
			return t.fail(x, "not_supported", "write each comparison and join them with ||", "a list in a condition holds constants only")
		}
		values = append(values, v)
	}
	return t.graph.constNode(sense.ListValue(values))
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
	return t.graph.load(loadOf(s), name)
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
	}
	return t.function(e)
}

// money makes a number that stands beside money an amount of it.
func (t *translator) money(a, b rule.Node) (rule.Node, rule.Node) {
	g := t.graph
	convert := func(n rule.Node, other sense.Kind) rule.Node {
		v, ok := g.constant(n)
		if !ok || other != sense.Money || v.Kind() != sense.Double {
			return n
		}
		m, err := v.As(sense.Money)
		if err != nil {
			return n
		}
		return g.constNode(m)
	}
	ka, kb := g.kind(a), g.kind(b)
	return convert(a, kb), convert(b, ka)
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
	case ka == sense.Position || ka == sense.List:
		return t.fail(e, "not_supported", "use inside(place), distance(place) or in", "values of type %s cannot be compared", ka)
	case ka == sense.Bool && code != rule.Eq && code != rule.Ne:
		return t.fail(e, "type_mismatch", "", "true and false have no order")
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
	if v, ok := t.graph.constant(list); ok && t.graph.kind(a) == sense.Money {
		amounts := make([]sense.Value, len(v.List()))
		for k, x := range v.List() {
			m, err := x.As(sense.Money)
			if err != nil {
				return t.fail(e, "type_mismatch", "", "%s is not an amount of money", x)
			}
			amounts[k] = m
		}
		list = t.graph.constNode(sense.ListValue(amounts))
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
	ka, kb := t.graph.kind(a), t.graph.kind(b)
	switch {
	case len(t.bad) > 0:
		return a
	case (ka == sense.Money || kb == sense.Money) && code != rule.Add && code != rule.Sub:
		return t.fail(e, "not_supported", "compare with the amount itself", "%s over money is not supported in conditions", signs[code])
	case ka != kb:
		return t.fail(e, "type_mismatch", "", "%s does not take a %s and a %s", signs[code], ka, kb)
	case ka == sense.Timestamp, ka == sense.String, ka == sense.List:
		return t.fail(e, "not_supported", "", "%s over values of type %s is not supported in conditions", signs[code], ka)
	}
	return t.graph.arithmetic(code, ka, a, b)
}

func (t *translator) negative(e ast.Expr) rule.Node {
	n := t.node(e.AsCall().Args()[0])
	g := t.graph
	if v, ok := g.constant(n); ok {
		switch v.Kind() {
		case sense.Int:
			return g.constNode(sense.IntValue(-v.Int()))
		case sense.Double:
			return g.constNode(sense.DoubleValue(-v.Double()))
		}
	}
	return g.add(rule.Op{Code: rule.Neg, Kind: g.kind(n), Args: []rule.Node{n}, Input: -1}, phrase{"-" + g.wrap(n, bindUnary), bindUnary})
}

func (t *translator) member(e ast.Expr) rule.Node {
	call := e.AsCall()
	codes := map[string]rule.Code{"startsWith": rule.StartsWith, "endsWith": rule.EndsWith, "contains": rule.Contains, "size": rule.Size}
	code, kind := codes[call.FunctionName()], sense.Bool
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
	return t.graph.call(rule.Op{Code: code, Kind: kind, Args: nodes, Input: -1}, t.graph.wrap(nodes[0], bindAtom)+"."+call.FunctionName(), texts...)
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
	case "double", "int", "size":
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
		return t.fail(e, "not_supported", "give the action `before: KIND` to stop it at the due instant", "until(...) is not supported yet")
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

func (t *translator) length(e ast.Expr, args []ast.Expr) rule.Node {
	text, ok := args[0].AsLiteral().(types.String)
	if args[0].Kind() != ast.LiteralKind || !ok {
		return t.fail(e, "duration_literal", "write the duration as it is, as in 8s", "duration(...) is not used in conditions")
	}
	ms, err := strconv.ParseInt(strings.TrimSuffix(string(text), "ms"), 10, 64)
	if err != nil {
		return t.fail(e, "duration_literal", "write the duration as it is, as in 8s", "duration(...) is not used in conditions")
	}
	return t.graph.constNode(sense.LengthValue(sense.Duration(ms)))
}

func (t *translator) timestamp(e ast.Expr, args []ast.Expr) rule.Node {
	if text, ok := args[0].AsLiteral().(types.String); ok && args[0].Kind() == ast.LiteralKind {
		if at, err := sense.ParseInstant(string(text)); err == nil {
			return t.graph.constNode(sense.TimestampValue(at))
		}
	}
	return t.fail(e, "type_mismatch", "", "timestamp(...) takes a constant, as in timestamp('2026-03-02T10:00:00+01:00')")
}

func (t *translator) convert(e ast.Expr, name string, args []ast.Expr) rule.Node {
	n := t.node(args[0])
	from := t.graph.kind(n)
	op := rule.Op{Kind: sense.Int, Args: []rule.Node{n}, Input: -1}
	switch {
	case name == "size":
		op.Code = rule.Size
	case name == "double" && from == sense.Int:
		op.Code, op.Kind = rule.ToDouble, sense.Double
	case name == "int" && from == sense.Double:
		op.Code = rule.ToInt
	case name == from.String():
		return n
	default:
		return t.fail(e, "not_supported", "", "%s(...) of a %s is not supported in conditions", name, from)
	}
	return t.graph.call(op, name, t.graph.wrap(n, bindCond))
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
	if s := t.symbols[of]; name == "count" && (!isName || s.kind == sense.Bool) {
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
