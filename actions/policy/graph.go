package policy

import (
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// graph collects the nodes of all conditions. Equal nodes are one: a node is
// found again by its operation, its arguments and its constants.
type graph struct {
	inputs    []rule.Input
	inputKeys map[string]int32
	nodes     []rule.Op
	texts     []phrase // of every node, to build the text of its parents
	keys      map[string]rule.Node
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
	return &graph{inputKeys: map[string]int32{}, keys: map[string]rule.Node{}}
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

// add returns the node of an operation, adding it where it is new. The scope
// follows from the arguments and the input.
func (g *graph) add(op rule.Op, p phrase) rule.Node {
	var key strings.Builder
	key.WriteString(strconv.Itoa(int(op.Code)))
	for _, a := range op.Args {
		key.WriteString("," + strconv.Itoa(int(a)))
		op.Scope = max(op.Scope, g.nodes[a].Scope)
	}
	if op.Input >= 0 {
		op.Scope = max(op.Scope, g.inputs[op.Input].Scope)
	}
	key.WriteString("|" + strconv.Itoa(int(op.Input)) + "|" + op.Value.Kind().String() + op.Value.String() + "|" + strconv.FormatInt(int64(op.For), 10))
	if n, ok := g.keys[key.String()]; ok {
		return n
	}
	if op.Kind == sense.Bool {
		op.Text = p.text
	}
	n := rule.Node(len(g.nodes))
	g.nodes = append(g.nodes, op)
	g.texts = append(g.texts, p)
	g.keys[key.String()] = n
	return n
}

func (g *graph) kind(n rule.Node) sense.Kind { return g.nodes[n].Kind }

// constant returns the value of a Const node.
func (g *graph) constant(n rule.Node) (sense.Value, bool) {
	if op := &g.nodes[n]; op.Code == rule.Const {
		return op.Value, true
	}
	return sense.Value{}, false
}

func (g *graph) constNode(v sense.Value) rule.Node {
	return g.add(rule.Op{Code: rule.Const, Kind: v.Kind(), Input: -1, Value: v}, phrase{literal(v), bindAtom})
}

func (g *graph) load(in rule.Input, text string) rule.Node {
	return g.add(rule.Op{Code: rule.Load, Kind: in.Kind, Input: g.input(in)}, phrase{text, bindAtom})
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
	case rule.Eq, rule.Ne, rule.Lt, rule.Le, rule.Gt, rule.Ge:
		return g.compare(opposite[op.Code], op.Args[0], op.Args[1])
	}
	return g.add(rule.Op{Code: rule.Not, Kind: sense.Bool, Args: []rule.Node{n}, Input: -1}, phrase{"!" + g.wrap(n, bindUnary), bindUnary})
}

var opposite = map[rule.Code]rule.Code{rule.Eq: rule.Ne, rule.Ne: rule.Eq, rule.Lt: rule.Ge, rule.Ge: rule.Lt, rule.Gt: rule.Le, rule.Le: rule.Gt}

var mirrored = map[rule.Code]rule.Code{rule.Eq: rule.Eq, rule.Ne: rule.Ne, rule.Lt: rule.Gt, rule.Gt: rule.Lt, rule.Le: rule.Ge, rule.Ge: rule.Le}

// compare makes a comparison in its canonical form: a constant stands on the
// right, else the argument with the smaller text on the left.
func (g *graph) compare(code rule.Code, a, b rule.Node) rule.Node {
	_, ca := g.constant(a)
	_, cb := g.constant(b)
	if ca && !cb || ca == cb && g.texts[b].text < g.texts[a].text {
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

// program returns the finished program: nodes of the device first, arguments
// before their readers, and the new index of every node.
func (g *graph) program() (rule.Program, []rule.Node) {
	index := make([]rule.Node, len(g.nodes))
	var order []int
	for _, scope := range []rule.Scope{rule.ScopeDevice, rule.ScopeSession} {
		for k := range g.nodes {
			if g.nodes[k].Scope == scope {
				index[k] = rule.Node(len(order))
				order = append(order, k)
			}
		}
	}
	p := rule.Program{Inputs: g.inputs, Nodes: make([]rule.Op, len(order))}
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
	}
	return v.String()
}
