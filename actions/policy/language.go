package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/sense"
)

// language compiles conditions over a set of declared names into one graph.
type language struct {
	env     *cel.Env
	symbols map[string]*symbol
	graph   *graph
	point   *symbol // the signal of positions, which places are judged by; nil where none
	means   map[string][]*symbol
}

func newLanguage(symbols []*symbol) (*language, error) {
	l := &language{symbols: map[string]*symbol{}, graph: newGraph(), means: map[string][]*symbol{}}
	symbols = append([]*symbol{
		{name: "local.hour", what: aCalendar, index: -1, kind: sense.Int},
		{name: "local.weekday", what: aCalendar, index: -1, kind: sense.Int},
		{name: "now", what: aCalendar, index: -1, kind: sense.Timestamp},
	}, symbols...)
	options := append([]cel.EnvOption{
		cel.ClearMacros(), cel.Macros(cel.ExistsMacro, cel.AllMacro, cel.ExistsOneMacro, cel.FilterMacro, cel.MapMacro), cel.EnableMacroCallTracking(),
		cel.ParserExpressionSizeLimit(8 << 10), cel.ParserRecursionLimit(64),
	}, functions()...)
	for _, s := range symbols {
		if _, twice := l.symbols[s.name]; twice {
			continue // reported where names are collected
		}
		l.symbols[s.name] = s
		if s.what != aDerived {
			options = append(options, cel.Variable(s.name, s.celType()))
		}
		if s.what == aSignal && s.kind == sense.Position && l.point == nil {
			l.point = s
		}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the language of conditions: %w", err)
	}
	l.env = env
	return l, nil
}

// declare adds a derived value, whose type is known only now.
func (l *language) declare(s *symbol) error {
	env, err := l.env.Extend(cel.Variable(s.name, s.celType()))
	if err != nil {
		return fmt.Errorf("declare %s: %w", s.name, err)
	}
	l.env = env
	return nil
}

// names returns the names of some sections, for suggestions; of all without any.
func (l *language) names(of ...what) []string {
	var list []string
	for _, s := range l.symbols {
		if len(of) == 0 || slices.Contains(of, s.what) {
			list = append(list, s.name)
		}
	}
	return list
}

// parsed is a condition that is syntactically right and type-checked.
type parsed struct {
	rewritten
	expr  ast.Expr
	info  *ast.SourceInfo
	bad   []mistake
	bound []string // the variables of exists, all and their like around the expression at hand
	skip  bool     // it reads a name whose own definition is broken
}

// parse reads and checks a condition. With mistakes, expr is nil.
func (l *language) parse(text string) *parsed {
	p := &parsed{rewritten: rewrite(text)}
	p.bad = p.rewritten.bad
	tree, issues := l.env.Parse(p.text)
	if err := issues.Err(); err != nil {
		if len(p.bad) == 0 {
			p.syntax(issues)
		}
		return p
	}
	p.info = tree.NativeRep().SourceInfo()
	expr := tree.NativeRep().Expr()
	l.inspect(p, expr)
	if len(p.bad) > 0 || p.skip {
		return p
	}
	(&leveler{language: l, info: p.info, bound: map[string]sense.Kind{}}).level(expr)
	checked, issues := l.env.Check(tree)
	if err := issues.Err(); err != nil {
		for _, e := range issues.Errors() {
			message, hint := explainType(e.Message)
			p.mistake(p.offset(e.Location.Line(), e.Location.Column()), "type_mismatch", message, hint)
		}
		return p
	}
	p.expr = checked.NativeRep().Expr()
	return p
}

func (p *parsed) mistake(at int, code, message, hint string) {
	p.bad = append(p.bad, mistake{at, code, message, hint})
}

var (
	misplaced = regexp.MustCompile(`^(?:mismatched|extraneous) input '(.*)'$`)
	strange   = regexp.MustCompile(`^token recognition error at: '(.*)'$`)
)

// plainSyntax puts the words of CEL's parser into the author's.
func plainSyntax(message string) string {
	if strings.Contains(message, "code point size exceeds limit") {
		return "it has more characters than the limit of 8192"
	}
	if m := misplaced.FindStringSubmatch(message); m != nil {
		if m[1] == "<EOF>" {
			return "it ends before it is complete"
		}
		return m[1] + " does not fit here"
	}
	if m := strange.FindStringSubmatch(message); m != nil {
		return m[1] + " cannot be understood"
	}
	switch word, reserved := strings.CutPrefix(message, "reserved identifier: "); {
	case reserved:
		return word + " is a word that CEL keeps for itself"
	case message == "invalid int literal", message == "invalid double literal":
		return "the number is too large, or none"
	}
	return strings.ReplaceAll(message, "at '<EOF>'", "at its end")
}

// syntax reports the first thing that CEL could not read: the others follow from it.
func (p *parsed) syntax(issues *cel.Issues) {
	e := issues.Errors()[0]
	message := strings.TrimPrefix(e.Message, "Syntax error: ")
	if k := strings.Index(message, " expecting "); k > 0 {
		message = message[:k]
	}
	message = plainSyntax(message)
	if strings.Contains(message, "unsupported syntax") || strings.Contains(message, "limit") || strings.Contains(message, "depth") {
		p.mistake(p.offset(e.Location.Line(), e.Location.Column()), "not_supported", "this is not supported in conditions: "+message, "declare a part of it as a derived value")
		return
	}
	hint := "conditions are CEL: names, numbers, 'texts', == != < <= > >= && || ! in and the functions of the language"
	if m := bareSubject.FindString(p.text); m != "" {
		hint = "a subject stands in quotes, as in '" + m + "'"
	}
	p.mistake(p.offset(e.Location.Line(), e.Location.Column()), "condition_syntax", "the condition cannot be read: "+message, hint)
}

// bareSubject is a subject without its quotes, as in bought(product:model-x).
var bareSubject = regexp.MustCompile(`[a-z][a-z0-9_]*:[a-z0-9][a-z0-9_/-]*`)

// offset turns a place in the rewritten text into the author's.
func (p *parsed) offset(line, column int) int {
	at := column
	for _, text := range strings.SplitAfter(p.text, "\n")[:max(line-1, 0)] {
		at += len([]rune(text))
	}
	return p.back[min(max(at, 0), len(p.back)-1)]
}

// start is the author's offset of an expression: where its text begins for a
// name, a constant or a call, at the sign for an operator.
func (p *parsed) start(e ast.Expr) int {
	if e.Kind() == ast.SelectKind {
		return p.start(e.AsSelect().Operand())
	}
	r, ok := p.info.GetOffsetRange(e.ID())
	if !ok {
		return 0
	}
	at := int(r.Start)
	if e.Kind() == ast.CallKind && isName(e.AsCall().FunctionName()) {
		text := []rune(p.text)
		for at = min(at, len(text)-1); at > 0 && !isWord(text[at]); at-- {
		}
		for at > 0 && isWord(text[at-1]) {
			at--
		}
	}
	return p.back[min(max(at, 0), len(p.back)-1)]
}

// headOf returns the first name of a chain of selections, empty where there is none.
func headOf(e ast.Expr) string {
	name, _ := dotted(e)
	head, _, _ := strings.Cut(name, ".")
	return head
}

func isName(s string) bool { return s != "" && isWord(rune(s[0])) && !strings.HasSuffix(s, "_") }

// dotted returns the name that a chain of selections spells.
func dotted(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return strings.TrimPrefix(e.AsIdent(), "."), true // .name is name, seen from outside
	case ast.SelectKind:
		name, ok := dotted(e.AsSelect().Operand())
		return name + "." + e.AsSelect().FieldName(), ok && !e.AsSelect().IsTestOnly()
	}
	return "", false
}

// operators are CEL's own signs that conditions may use.
var operators = map[string]string{
	"_&&_": "&&", "_||_": "||", "!_": "!", "_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=",
	"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "-_": "-", "_?_:_": "?:", "@in": "in",
}

var ownMembers = []string{
	"startsWith", "endsWith", "contains", "size", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
	"getHours", "getMinutes", "getSeconds", "getMilliseconds",
}

// refused are functions of CEL and of its extensions that conditions leave out, with the reason.
var refused = map[string]string{
	"matches": "regular expressions", "map": "filters within map(...)", "exists": "two variables in exists(...)", "all": "two variables in all(...)",
	"exists_one": "two variables in exists_one(...)", "filter": "two variables in filter(...)", "dyn": "dynamic types", "type": "dynamic types",
	"bytes": "bytes", "uint": "unsigned numbers",
}

// extensions are the functions and namespaces of CEL's extension libraries.
var extensions = []string{
	"base64", "cel", "charAt", "distinct", "existsOne", "first", "flatten", "format", "ip", "indexOf", "isIP", "join", "last", "lastIndexOf", "lists", "lowerAscii",
	"math", "net", "optional", "orValue", "proto", "quote", "range", "regex", "replace", "reverse", "sets", "slice", "sort", "sortBy", "split",
	"strings", "substring", "transformList", "transformMap", "trim", "upperAscii", "value", "hasValue", "optMap", "optFlatMap", "cidr",
}

// typeNames are CEL's names of its types.
var typeNames = []string{"bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "optional_type", "string", "type", "uint"}

// inspect reports names and functions that are not there, or not part of
// conditions, before types are checked: CEL's own messages cannot suggest.
func (l *language) inspect(p *parsed, e ast.Expr) {
	if name, ok := dotted(e); ok {
		head, _, field := strings.Cut(name, ".")
		switch {
		case !slices.Contains(p.bound, head):
			l.inspectName(p, name, p.start(e), nil)
		case field:
			p.mistake(p.start(e), "not_supported", "reading a field of a value is not supported in conditions", "elements of lists are plain values")
		}
		return
	}
	switch e.Kind() {
	case ast.ComprehensionKind:
		l.inspectList(p, e)
	case ast.CallKind:
		l.inspectCall(p, e)
	case ast.SelectKind:
		p.mistake(p.start(e), "not_supported", "reading a field of a value is not supported in conditions", "declare what you need as a fact or signal of its own")
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			l.inspect(p, x)
		}
	case ast.LiteralKind:
		switch e.AsLiteral().(type) {
		case types.Bool, types.Int, types.Double, types.String:
		case types.Null:
			p.mistake(p.start(e), "not_supported", "nothing is null in conditions", "has(name) says whether a fact or signal is known, as in has(name.first)")
		default:
			p.mistake(p.start(e), "not_supported", "constants in conditions are true, false, numbers, 'texts' and durations", "")
		}
	default:
		p.mistake(p.start(e), "not_supported", "maps and structures are not supported in conditions", "")
	}
}

// inspectList looks at exists, all and their like: at the list, and at the body with the variable that it binds.
func (l *language) inspectList(p *parsed, e ast.Expr) {
	c := e.AsComprehension()
	l.inspect(p, c.IterRange())
	name := c.IterVar()
	switch _, declared := l.symbols[name]; {
	case declared:
		p.mistake(p.start(c.IterRange()), "not_supported", fmt.Sprintf("%s is declared, and cannot stand for an element too", name), "choose another name, as in interests.exists(i, i == 'garden')")
	case slices.Contains(p.bound, name):
		p.mistake(p.start(c.IterRange()), "not_supported", fmt.Sprintf("%s stands for an element of the list around this one already", name), "choose another name")
	}
	p.bound = append(p.bound, name)
	if body := bodyOf(p.info, e); body != nil {
		l.inspect(p, body)
	} else {
		p.mistake(p.start(e), "not_supported", "this form is not supported in conditions", "as in interests.exists(i, i == 'garden')")
	}
	p.bound = p.bound[:len(p.bound)-1]
}

// macroOf returns the name of the macro that an expression over a list was written with.
func macroOf(info *ast.SourceInfo, e ast.Expr) string {
	call, ok := info.GetMacroCall(e.ID())
	if !ok || call.Kind() != ast.CallKind {
		return ""
	}
	return call.AsCall().FunctionName()
}

// bodyOf returns what exists, all and their like judge for each element; nil for another form.
func bodyOf(info *ast.SourceInfo, e ast.Expr) ast.Expr {
	step := e.AsComprehension().LoopStep()
	if step.Kind() != ast.CallKind || e.AsComprehension().HasIterVar2() {
		return nil
	}
	args := step.AsCall().Args()
	switch macroOf(info, e) {
	case "exists", "all":
		return args[1]
	case "exists_one", "filter":
		return args[0]
	case "map":
		if step.AsCall().FunctionName() == "_+_" && args[1].Kind() == ast.ListKind {
			return args[1].AsList().Elements()[0]
		}
	}
	return nil
}

func (l *language) inspectName(p *parsed, name string, at int, of []what) {
	s, ok := l.symbols[name]
	if !ok && (slices.Contains(typeNames, name) || strings.HasPrefix(name, "google.protobuf.")) {
		p.mistake(at, "not_supported", "types as values are not supported in conditions", "every name has the type that it was declared with")
		return
	}
	if !ok {
		hint := didYouMean(name, l.names(of...))
		if l.isWord(name) {
			hint = fmt.Sprintf("a text stands in quotes: '%s'", name)
		}
		p.mistake(at, "unknown_name", fmt.Sprintf("%s is not declared", name), hint)
		return
	}
	p.skip = p.skip || s.broken
}

// isWord says whether some fact is one_of words, and this is one of them.
func (l *language) isWord(name string) bool {
	for _, s := range l.symbols {
		if slices.Contains(s.oneOf, name) {
			return true
		}
	}
	return false
}

// wants says which sections a function's first argument may come from, where it must be a name.
var wants = map[string][]what{
	"inside": {aPlace}, "entered": {aPlace}, "left": {aPlace}, "distance": {aPlace},
	"open": {aKind}, "overdue": {aKind}, "until": {aKind},
	"has": {aSignal, aFact}, "changed": {aSignal, aFact}, "age": {aFact},
	"mean": {aSignal}, "min": {aSignal}, "max": {aSignal}, "rate": {aSignal},
}

func (l *language) inspectCall(p *parsed, e ast.Expr) {
	call := e.AsCall()
	name := call.FunctionName()
	if name == hasValue {
		name = "has"
	}
	_, isOperator := operators[name]
	member := call.IsMemberFunction()
	ofExtension := slices.Contains(extensions, name)
	if member && !ofExtension {
		head := headOf(call.Target())
		_, declared := l.symbols[head]
		ofExtension = slices.Contains(extensions, head) && !declared && !slices.Contains(p.bound, head)
	}
	switch {
	case ofExtension:
		p.mistake(p.start(e), "not_supported", fmt.Sprintf("%s is of an extension of CEL, which is not supported in conditions", name), "see the functions of the language, or declare what you need as a signal or fact")
		return
	case isOperator, !member && slices.Contains(functionNames, name), member && slices.Contains(ownMembers, name), name == "duration", name == "_[_]":
	case member && slices.Contains([]string{"exists", "all", "exists_one", "filter", "map"}, name) && len(call.Args()) < 2:
		p.mistake(p.start(e), "wrong_argument", fmt.Sprintf("%s wants a name for the element, and a condition", name), fmt.Sprintf("as in interests.%s(i, i == 'garden')", name))
		return
	case refused[name] != "":
		p.mistake(p.start(e), "not_supported", refused[name]+" are not supported in conditions", "see the functions of the language, or declare a derived value")
		return
	default:
		p.mistake(p.start(e), "unknown_function", fmt.Sprintf("there is no function %s", name), didYouMean(name, append(slices.Clone(functionNames), ownMembers...)))
		return
	}
	args := call.Args()
	if member {
		l.inspect(p, call.Target())
	}
	if of := wants[name]; of != nil && len(args) > 0 {
		l.inspectWanted(p, name, args[0], of)
		args = args[1:]
	}
	for _, a := range args {
		l.inspect(p, a)
	}
}

// inspectWanted checks an argument that must be a name of some sections.
func (l *language) inspectWanted(p *parsed, function string, arg ast.Expr, of []what) {
	list := make([]string, len(of))
	for k, w := range of {
		list[k] = w.String()
	}
	sections := strings.Join(list, " or a ")
	name, ok := dotted(arg)
	if !ok {
		before := len(p.bad)
		if l.inspect(p, arg); len(p.bad) > before {
			return
		}
		p.mistake(p.start(arg), "wrong_argument", fmt.Sprintf("%s wants the name of a %s here", function, sections), didYouMean("", l.names(of...)))
		return
	}
	s, known := l.symbols[name]
	if known && !slices.Contains(of, s.what) {
		p.mistake(p.start(arg), "wrong_argument", fmt.Sprintf("%s is a %s; %s wants a %s", name, s.what, function, sections), didYouMean(name, l.names(of...)))
		return
	}
	l.inspectName(p, name, p.start(arg), of)
}

var overload = regexp.MustCompile(`found no matching overload for '(.*?)' applied to '(?:\((.*)\)|(.*)\.\((.*)\))'`)

// expected is what CEL says of a part of && || ! and ?: that is no condition.
var expected = regexp.MustCompile(`^expected type '(bool)' but found '([a-z]+)'$`)

// explainType puts CEL's words on types into the author's.
func explainType(message string) (text, hint string) {
	if m := expected.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%s is wanted here, this is %s", article(m[1]), article(m[2])), "compare it with something, as in speed > 5"
	}
	m := overload.FindStringSubmatch(message)
	if m == nil {
		return "types do not fit: " + message, ""
	}
	name, applied := m[1], m[2]
	if sign, ok := operators[name]; ok {
		a, b, two := strings.Cut(applied, ", ")
		switch {
		case !two && sign == "-":
			return fmt.Sprintf("%s does not take a %s", sign, a), "only numbers have a sign"
		case !two:
			return fmt.Sprintf("%s does not take a %s", sign, a), "! takes a bool, as in !rain"
		case a == "bool" && b != "bool" || b == "bool" && a != "bool":
			hint = "compare first: && and || join comparisons, as in people == 1 && rain"
		case a == "int" && b == "double" || a == "double" && b == "int":
			hint = "convert the whole number with double(...)"
		case a == "duration" || b == "duration":
			hint = "write durations with their unit, as in dwell > 8s"
		case a == "timestamp" || b == "timestamp":
			hint = "an instant is written timestamp('2026-03-02T10:00:00+01:00')"
		case a == "date" || b == "date":
			hint = "a date is written date('2010-01-31')"
		case strings.HasPrefix(a, "list") || strings.HasPrefix(b, "list"):
			hint = "whether a list holds something is asked with in, as in 'garden' in interests"
		case a == "string" || b == "string":
			hint = "texts stand in quotes, numbers do not"
		}
		return fmt.Sprintf("%s does not take %s and %s", sign, article(a), article(b)), hint
	}
	if m[3] != "" {
		applied = m[3] // of a member
	}
	if name == "contains" && strings.HasPrefix(applied, "list") {
		return "contains looks into a text, not into a list", "as in 'garden' in interests"
	}
	return fmt.Sprintf("%s does not take (%s)", name, applied), signatures[name]
}

func article(t string) string {
	if strings.ContainsRune("aeiou", rune(t[0])) {
		return "an " + t
	}
	return "a " + t
}

// signatures help where a function is given the wrong arguments.
var signatures = map[string]string{
	"held": "held(condition) gives a duration, as in held(speed > 5) >= 3s", "since": "since(condition) gives a duration",
	"count": "count(condition or signal, duration) gives a number, as in count(hard_brake, 30d)", "became": "became(condition)",
	"entered": "entered(place) or entered(place, duration)", "age": "age(date) gives whole years, as in age(birth_date) >= 18",
	"mean": "mean(signal, duration)", "min": "min(signal, duration)", "max": "max(signal, duration)", "rate": "rate(signal, duration)",
	"bought": "bought('type:id') or bought('type:id', 30d)", "booked": "booked('type:id') or booked('type:id', 30d)",
	"asked": "asked('type:id') or asked('type:id', 30d)", "viewed": "viewed('type:id') or viewed('type:id', 30d)",
	"answered": "answered('type:id') or answered('type:id', 30d)", "complained": "complained('type:id') or complained('type:id', 30d)",
	"contacted": "contacted('type:id') or contacted('type:id', 30d)", "until": "until(kind) or until(kind, 'type:id')",
	"string": "string(...) takes a bool, number, duration or timestamp", "int": "int(...) takes a number, a text or a timestamp",
	"date": "date('2026-03-02')", "timestamp": "timestamp('2026-03-02T10:00:00+01:00')", "size": "size(...) takes a text or a list",
	"getHours": "getHours() or getHours('Europe/Amsterdam') of a timestamp", "getDayOfWeek": "getDayOfWeek() or getDayOfWeek('Europe/Amsterdam') of a timestamp",
}
