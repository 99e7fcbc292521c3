package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// graph collects the nodes of all conditions. Equal nodes are one: a node is
// found again by its operation, its arguments and its constants. The body of an
// exists or all is a graph of its own, which captures nodes of the one around it.
type graph struct {
	inputs    []rule.Input
	inputKeys map[string]int32
	nodes     []rule.Op
	texts     []phrase // of every node, to build the text of its parents
	about     []about  // of every node
	keys      map[string]rule.Node
	zones     *[]sense.Zone

	around   *graph      // of a body; nil for the graph of conditions
	captured []rule.Node // of a body: nodes of the graph around it
	refused  string      // why the last node could not be added; the caller reports and clears it
}

// about is what the compiler knows of a node beside its operation.
type about struct {
	elem  sense.Kind  // of a list: what it holds, Null where nobody can tell since it is empty
	fixed bool        // constant: outcome is what it always is
	value rule.Result // where fixed
	moves bool        // by itself with time
	fails bool        // it may be an error
	nan   bool        // it, or an element of it, may be no number
}

// phrase is the canonical text of a node with the binding strength of its outermost operator.
type phrase struct {
	text string
	bind int
}

// Binding strengths, weakest first, as in CEL.
const (
	bindCond = iota
	bindOr
	bindAnd
	bindCompare
	bindAdd
	bindMul
	bindUnary
	bindAtom
)

func newGraph() *graph {
	return &graph{inputKeys: map[string]int32{}, keys: map[string]rule.Node{}, zones: &[]sense.Zone{}}
}

// inner makes the graph of a body.
func (g *graph) inner() *graph {
	return &graph{keys: map[string]rule.Node{}, zones: g.zones, around: g}
}

// input returns the index of an input, adding it where it is new.
func (g *graph) input(in rule.Input) int32 {
	key := strings.Join([]string{strconv.Itoa(int(in.From)), in.Name, strconv.Itoa(int(in.Index)), string(in.Subject), strconv.FormatInt(int64(in.Window), 10)}, "\x00")
	if k, ok := g.inputKeys[key]; ok {
		return k
	}
	k := int32(len(g.inputs))
	g.inputs = append(g.inputs, in)
	g.inputKeys[key] = k
	return k
}

// mostPhrase bounds the text of a node: derived values over derived values would double it each time.
const mostPhrase = 2000

// shortened cuts a text that is too long, between characters.
func shortened(text string) string {
	if len(text) <= mostPhrase {
		return text
	}
	cut := mostPhrase
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// add returns the node of an operation, adding it where it is new. The scope
// follows from the arguments and the input. One that cannot be is refused.
func (g *graph) add(op rule.Op, p phrase) rule.Node {
	p.text = shortened(p.text)
	from := rule.FromSignal
	for _, a := range op.Args {
		op.Scope = max(op.Scope, g.nodes[a].Scope)
	}
	if op.Input >= 0 && g.around == nil {
		op.Scope = max(op.Scope, g.inputs[op.Input].Scope)
		if op.Code == rule.Load {
			from = g.inputs[op.Input].From
		}
	}
	var key strings.Builder
	writeKey(&key, &op)
	if n, ok := g.keys[key.String()]; ok {
		return n
	}
	moves, err := rule.Moves(&op, from, func(k int) bool { return g.about[op.Args[k]].moves })
	switch {
	case g.around != nil && !op.Code.Pure() && op.Code != rule.Elem && op.Code != rule.Outer:
		g.refused = "a function over time cannot look at the elements of a list"
		return g.constNode(sense.BoolValue(false))
	case err != nil:
		g.refused = err.Error()
		return g.constNode(sense.BoolValue(false))
	}
	if op.Kind == sense.Bool && g.around == nil {
		op.Text = p.text
	}
	n := rule.Node(len(g.nodes))
	g.nodes = append(g.nodes, op)
	g.texts = append(g.texts, p)
	g.about = append(g.about, about{moves: moves})
	g.learn(n)
	g.keys[key.String()] = n
	return n
}

// writeKey writes what makes a node the same as another.
func writeKey(key *strings.Builder, op *rule.Op) {
	key.WriteString(strconv.Itoa(int(op.Code)) + ":" + strconv.Itoa(int(op.Kind)))
	for _, a := range op.Args {
		key.WriteString("," + strconv.Itoa(int(a)))
	}
	key.WriteString("|" + strconv.Itoa(int(op.Input)) + "|" + strconv.Itoa(int(op.Zone)) + "|" + op.Value.Kind().String() + literal(op.Value) + "|" + strconv.FormatInt(int64(op.For), 10))
	for k := range op.Body {
		key.WriteString("{")
		writeKey(key, &op.Body[k])
		key.WriteString("}")
	}
}

// learn finds out what is known of a new node from its arguments.
func (g *graph) learn(n rule.Node) {
	op, of := &g.nodes[n], &g.about[n]
	of.fails, of.nan = mayFail(op), op.Kind == sense.Double && (op.Code >= rule.Add && op.Code <= rule.Div || op.Code == rule.ToDouble)
	fixed := op.Code.Pure()
	args := make([]rule.Result, len(op.Args))
	for k, a := range op.Args {
		of.fails = of.fails || g.about[a].fails
		fixed = fixed && g.about[a].fixed
		args[k] = g.about[a].value
		if (op.Kind == sense.Double || op.Kind == sense.List) && g.about[a].nan {
			of.nan = true
		}
		if kind := g.nodes[a].Kind; kind == sense.List && of.elem == sense.Null {
			of.elem = g.about[a].elem
		}
	}
	for k := range op.Body {
		of.fails = of.fails || mayFail(&op.Body[k])
	}
	switch {
	case op.Code == rule.Map:
		root := op.Body[len(op.Body)-1]
		of.elem, of.nan = root.Kind, root.Kind == sense.Double
	case op.Code == rule.Const && len(op.Value.List()) > 0:
		of.elem = op.Value.List()[0].Kind()
	case op.Code == rule.ToDouble && g.nodes[op.Args[0]].Kind == sense.Int:
		of.nan = false
	}
	if fixed {
		of.fixed, of.value = true, rule.Fold(op, args, *g.zones)
		of.fails = of.value.Cause != rule.Known
		of.nan = of.nan && !of.fails && of.value.Value.Kind() == sense.Double && math.IsNaN(of.value.Value.Double())
	}
}

// mayFail says whether an operation can be an error where its arguments are none.
func mayFail(op *rule.Op) bool {
	switch op.Code {
	case rule.Load, rule.Index, rule.ToMoney, rule.ToTimestamp, rule.ToBool, rule.ToInt, rule.ToDouble, rule.Mean, rule.Rate, rule.Elem, rule.Filter, rule.Map, rule.Exists, rule.All, rule.ExistsOne:
		return op.Code != rule.Load
	case rule.Add, rule.Sub, rule.Mul, rule.Div, rule.Mod, rule.Neg:
		return op.Kind != sense.Double
	}
	return op.Zone > 0
}

func (g *graph) kind(n rule.Node) sense.Kind { return g.nodes[n].Kind }

// constant returns what a node always is, where it is constant and no error.
func (g *graph) constant(n rule.Node) (sense.Value, bool) {
	of := &g.about[n]
	return of.value.Value, of.fixed && of.value.Cause == rule.Known
}

// zone returns the number of a zone for Op.Zone, 0 for UTC.
func (g *graph) zone(z sense.Zone) int32 {
	if len(z.Turns) == 0 || len(z.Turns) == 1 && z.Turns[0].Offset == 0 {
		return 0
	}
	for k := range *g.zones {
		if (*g.zones)[k].Name == z.Name {
			return int32(k + 1)
		}
	}
	*g.zones = append(*g.zones, z)
	return int32(len(*g.zones))
}

// capture gives a node of the graph around a body in the body: its value where it is constant.
func (g *graph) capture(n rule.Node) rule.Node {
	of := g.around.about[n]
	if v, ok := g.around.constant(n); ok {
		c := g.constNode(v)
		g.about[c].elem = of.elem
		return c
	}
	k := slices.Index(g.captured, n)
	if k < 0 {
		k = len(g.captured)
		g.captured = append(g.captured, n)
	}
	op := rule.Op{Code: rule.Outer, Kind: g.around.kind(n), Input: int32(k)}
	c := g.add(op, g.around.texts[n])
	of.fixed = false
	g.about[c] = of
	return c
}

// element gives the element of a list in its body.
func (g *graph) element(kind sense.Kind, name string, nan bool) rule.Node {
	n := g.add(rule.Op{Code: rule.Elem, Kind: kind, Input: -1}, phrase{name, bindAtom})
	g.about[n].nan = nan && kind == sense.Double
	return n
}

// body returns the nodes of a body that its root needs, the root last, and what of captured they read.
func (g *graph) body(root rule.Node) (ops []rule.Op, captured []rule.Node) {
	needed := make([]bool, len(g.nodes))
	needed[root] = true
	for k := int(root); k >= 0; k-- {
		for _, a := range g.nodes[k].Args {
			needed[a] = needed[a] || needed[k]
		}
	}
	index := make([]rule.Node, len(g.nodes))
	for k, op := range g.nodes[:root+1] {
		if !needed[k] {
			continue
		}
		args := make([]rule.Node, len(op.Args))
		for i, a := range op.Args {
			args[i] = index[a]
		}
		if op.Args = args; len(args) == 0 {
			op.Args = nil
		}
		if op.Code == rule.Outer {
			captured = append(captured, g.captured[op.Input])
			op.Input = int32(len(captured) - 1)
		}
		index[k] = rule.Node(len(ops))
		ops = append(ops, op)
	}
	return ops, captured
}

func (g *graph) constNode(v sense.Value) rule.Node {
	return g.add(rule.Op{Code: rule.Const, Kind: v.Kind(), Input: -1, Value: v}, phrase{literal(v), bindAtom})
}

func (g *graph) load(in rule.Input, text string) rule.Node {
	return g.add(rule.Op{Code: rule.Load, Kind: in.Kind, Input: g.input(in)}, phrase{text, bindAtom})
}

// named lets what is compared with a value say its name instead of how it is worked out.
func (g *graph) named(n rule.Node, name string) {
	if op := &g.nodes[n]; op.Kind != sense.Bool && op.Code != rule.Load && op.Code != rule.Const {
		g.texts[n] = phrase{name, bindAtom}
	}
}

// wrap puts the text of n in parentheses where it binds weaker than asked.
func (g *graph) wrap(n rule.Node, bind int) string {
	p := g.texts[n]
	if p.bind < bind {
		return "(" + p.text + ")"
	}
	return p.text
}

// not negates: a comparison turns into its opposite, which is the same for
// every truth of three; two negations are none.
func (g *graph) not(n rule.Node) rule.Node {
	op := g.nodes[n]
	switch op.Code {
	case rule.Not:
		return op.Args[0]
	case rule.Const:
		return g.constNode(sense.BoolValue(!op.Value.Bool()))
	case rule.Lt, rule.Le, rule.Gt, rule.Ge:
		// Of what is no number nothing holds: !(a < b) is true there, a >= b is not.
		if !g.about[op.Args[0]].nan && !g.about[op.Args[1]].nan {
			return g.compare(opposite[op.Code], op.Args[0], op.Args[1])
		}
	case rule.Eq, rule.Ne:
		return g.compare(opposite[op.Code], op.Args[0], op.Args[1])
	}
	return g.add(rule.Op{Code: rule.Not, Kind: sense.Bool, Args: []rule.Node{n}, Input: -1}, phrase{"!" + g.wrap(n, bindUnary), bindUnary})
}

var opposite = map[rule.Code]rule.Code{rule.Eq: rule.Ne, rule.Ne: rule.Eq, rule.Lt: rule.Ge, rule.Ge: rule.Lt, rule.Gt: rule.Le, rule.Le: rule.Gt}

var mirrored = map[rule.Code]rule.Code{rule.Eq: rule.Eq, rule.Ne: rule.Ne, rule.Lt: rule.Gt, rule.Gt: rule.Lt, rule.Le: rule.Ge, rule.Ge: rule.Le}

// compare makes a comparison in its canonical form: a constant stands on the
// right, else the argument with the smaller text on the left, unless one may be
// an error: then the leftmost that has no value stands, as in CEL.
func (g *graph) compare(code rule.Code, a, b rule.Node) rule.Node {
	_, ca := g.constant(a)
	_, cb := g.constant(b)
	may := code == rule.Eq || code == rule.Ne || !g.about[a].fails && !g.about[b].fails
	if ca && !cb || ca == cb && may && g.texts[b].text < g.texts[a].text {
		a, b, code = b, a, mirrored[code]
	}
	text := g.wrap(a, bindAdd) + " " + signs[code] + " " + g.wrap(b, bindAdd)
	return g.add(rule.Op{Code: code, Kind: sense.Bool, Args: []rule.Node{a, b}, Input: -1}, phrase{text, bindCompare})
}

var signs = map[rule.Code]string{
	rule.Eq: "==", rule.Ne: "!=", rule.Lt: "<", rule.Le: "<=", rule.Gt: ">", rule.Ge: ">=", rule.In: "in",
	rule.And: "&&", rule.Or: "||", rule.Add: "+", rule.Sub: "-", rule.Mul: "*", rule.Div: "/", rule.Mod: "%",
}

// join makes an And or Or of all arguments: nested ones become one, an argument
// stands once, neutral constants fall away. The order stays the author's, since
// the leftmost unknown is the one that is named.
func (g *graph) join(code rule.Code, args ...rule.Node) rule.Node {
	neutral := code == rule.And
	var flat []rule.Node
	seen := map[rule.Node]bool{}
	for _, a := range args {
		inner := []rule.Node{a}
		if g.nodes[a].Code == code {
			inner = g.nodes[a].Args
		}
		for _, n := range inner {
			if v, ok := g.constant(n); ok {
				if v.Bool() != neutral {
					return n // false decides an And, true an Or
				}
				continue
			}
			if !seen[n] {
				seen[n] = true
				flat = append(flat, n)
			}
		}
	}
	switch len(flat) {
	case 0:
		return g.constNode(sense.BoolValue(neutral))
	case 1:
		return flat[0]
	}
	bind := bindOr
	if code == rule.And {
		bind = bindAnd
	}
	parts := make([]string, len(flat))
	for k, n := range flat {
		parts[k] = g.wrap(n, bind+1)
	}
	return g.add(rule.Op{Code: code, Kind: sense.Bool, Args: flat, Input: -1}, phrase{strings.Join(parts, " "+signs[code]+" "), bind})
}

func (g *graph) cond(c, a, b rule.Node) rule.Node {
	text := g.wrap(c, bindOr) + " ? " + g.wrap(a, bindOr) + " : " + g.wrap(b, bindCond)
	return g.add(rule.Op{Code: rule.Cond, Kind: g.kind(a), Args: []rule.Node{c, a, b}, Input: -1}, phrase{text, bindCond})
}

func (g *graph) arithmetic(code rule.Code, kind sense.Kind, a, b rule.Node) rule.Node {
	bind := bindMul
	if code == rule.Add || code == rule.Sub {
		bind = bindAdd
	}
	text := g.wrap(a, bind) + " " + signs[code] + " " + g.wrap(b, bind+1)
	return g.add(rule.Op{Code: code, Kind: kind, Args: []rule.Node{a, b}, Input: -1}, phrase{text, bind})
}

// call makes a node that is written as a function of its arguments.
func (g *graph) call(op rule.Op, name string, args ...string) rule.Node {
	return g.add(op, phrase{name + "(" + strings.Join(args, ", ") + ")", bindAtom})
}

// program returns the finished program: nodes of the device first, arguments before their readers, and the
// new index of every node. What none of the roots rests on is left out: halves of what became one chain,
// constants that were folded.
func (g *graph) program(roots []rule.Node) (rule.Program, []rule.Node) {
	read := make([]bool, len(g.nodes))
	for _, n := range roots {
		read[n] = true
	}
	for k := len(g.nodes) - 1; k >= 0; k-- { // arguments stand before their readers
		for _, a := range g.nodes[k].Args {
			read[a] = read[a] || read[k]
		}
	}
	index := slices.Repeat([]rule.Node{rule.None}, len(g.nodes))
	var order []int
	for _, scope := range []rule.Scope{rule.ScopeDevice, rule.ScopeSession} {
		for k := range g.nodes {
			if g.nodes[k].Scope == scope && read[k] {
				index[k] = rule.Node(len(order))
				order = append(order, k)
			}
		}
	}
	p := rule.Program{Inputs: g.inputs, Nodes: make([]rule.Op, len(order)), Zones: *g.zones}
	for to, from := range order {
		op := g.nodes[from]
		if op.Args != nil {
			args := make([]rule.Node, len(op.Args))
			for k, a := range op.Args {
				args[k] = index[a]
			}
			op.Args = args
		}
		p.Nodes[to] = op
	}
	return p, index
}

// literal prints a constant as authors write it.
func literal(v sense.Value) string {
	switch v.Kind() {
	case sense.String:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(v.Str()) + "'"
	case sense.Length:
		return v.Length().String()
	case sense.List:
		parts := make([]string, len(v.List()))
		for k, x := range v.List() {
			parts[k] = literal(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case sense.Timestamp:
		return "timestamp('" + v.Timestamp().String() + "')"
	case sense.Date:
		return "date('" + sense.FormatDate(v.Int()) + "')"
	case sense.Double:
		if f := v.Double(); math.IsNaN(f) || math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	return v.String()
}
