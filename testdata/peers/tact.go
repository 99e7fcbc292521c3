package peers

import (
	"fmt"
	"slices"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Tact is the product's rule engine: one device and the sessions on it, driven as the product drives them. A session
// takes part in a step where something of its own happens, where time turns something in it, and where the device's
// change reaches sessions.
type Tact struct {
	w        *Workload
	apart    bool
	device   *rule.Eval
	sessions []*rule.Eval
	step     uint64
	began    []uint64 // by session: the last step that it took part in
	begun    []int32  // the sessions of this step
	due      rule.Timers
	words    [][]sense.Value
	personal []int32 // the attributes that are the persons' own
	now      int32   // the input of now, which moves by itself from the first step on
}

// NewTact makes the engine of a workload, nothing known, with up to MaxSessions sessions. Where apart is set, half of the
// attributes are the persons' own; else all are the device's, and every session sees the same.
func NewTact(w *Workload, sessions int, apart bool) (*Tact, error) {
	b := &programmer{w: w, apart: apart, nodes: map[string]int{}}
	p, roots := b.program()
	var keep rule.Interest
	for k, root := range roots {
		keep.Candidates = append(keep.Candidates, rule.Candidate{Needs: []rule.Node{root}, Score: w.Actions[k].Score})
	}
	plan, err := rule.NewPlan(p, keep)
	if err != nil {
		return nil, fmt.Errorf("plan workload: %w", err)
	}
	e := &Tact{w: w, apart: apart, device: rule.NewEval(plan), due: rule.NewTimers(MaxSessions), now: int32(len(w.Attributes))}
	for k := range w.Attributes {
		var values []sense.Value
		for _, word := range w.Attributes[k].Words {
			values = append(values, sense.StringValue(word))
		}
		e.words = append(e.words, values)
		if apart && w.Attributes[k].Personal {
			e.personal = append(e.personal, int32(k))
		}
	}
	for range sessions {
		e.AddSession()
	}
	return e, nil
}

// MaxSessions is how many sessions a Tact may have.
const MaxSessions = 256

// AddSession adds a session of somebody of whom nothing is known; its set is right after the next step.
func (e *Tact) AddSession() {
	e.sessions, e.began = append(e.sessions, e.device.NewSession()), append(e.began, 0)
	e.due.Set(int32(len(e.sessions)-1), 0)
}

// Replace ends a session and begins another in its place, of somebody of whom nothing is known.
func (e *Tact) Replace(session int) {
	e.sessions[session].Close()
	e.sessions[session] = e.device.NewSession()
	e.due.Set(int32(session), 0)
}

func (e *Tact) Name() string { return "tact" }

// Update is that of the device and of its first session.
func (e *Tact) Update(attribute int32, v Value, now int64) { e.UpdateOf(0, attribute, v, now) }

// UpdateOf gives an attribute of the device, or of one session, its value; afterwards the sets of all are right.
func (e *Tact) UpdateOf(session int32, attribute int32, v Value, now int64) {
	at := sense.Instant(now)
	e.begin(at)
	r := e.result(attribute, v)
	if !e.apart || !e.w.Attributes[attribute].Personal {
		e.device.Set(attribute, r, at)
	} else {
		e.wake(session, at)
		e.sessions[session].Set(attribute, r, at)
	}
	e.settle(at)
}

// Identify gives all attributes of a session's person their values at once; those of the device are passed over.
func (e *Tact) Identify(session int32, values []Value, now int64) {
	at := sense.Instant(now)
	e.begin(at)
	e.wake(session, at)
	for _, k := range e.personal {
		e.sessions[session].Set(k, e.result(k, values[k]), at)
	}
	e.settle(at)
}

func (e *Tact) begin(at sense.Instant) {
	e.step++
	e.begun = e.begun[:0]
	e.device.Begin(at)
	if e.step == 1 {
		e.device.Set(e.now, rule.Result{Value: sense.TimestampValue(at)}, at)
	}
	for {
		session, ok := e.due.Pop(at)
		if !ok {
			return
		}
		e.wake(session, at)
	}
}

// wake begins a session in this step, unless it has begun.
func (e *Tact) wake(session int32, at sense.Instant) {
	if e.began[session] != e.step {
		e.began[session] = e.step
		e.begun = append(e.begun, session)
		e.sessions[session].Begin(at)
	}
}

func (e *Tact) settle(at sense.Instant) {
	e.device.Settle(at)
	if e.device.Reaches() {
		for k, s := range e.sessions {
			if s.Awaits() {
				e.wake(int32(k), at)
			}
		}
	}
	for _, k := range e.begun {
		e.sessions[k].Settle(at)
		e.due.Set(k, e.sessions[k].Next())
	}
}

func (e *Tact) result(attribute int32, v Value) rule.Result {
	if !v.Known {
		return rule.Result{Cause: rule.InputUnknown}
	}
	switch e.w.Attributes[attribute].Kind {
	case Double:
		return rule.Result{Value: sense.DoubleValue(v.F)}
	case Int:
		return rule.Result{Value: sense.IntValue(v.N)}
	case String:
		return rule.Result{Value: e.words[attribute][v.N]}
	case Bool:
		return rule.Result{Value: sense.BoolValue(v.N == 1)}
	case Timestamp:
		return rule.Result{Value: sense.TimestampValue(sense.Instant(v.N))}
	}
	return rule.Result{Value: sense.LengthValue(sense.Duration(v.N))}
}

func (e *Tact) Eligible(dst []int32) []int32 { return e.EligibleOf(0, dst) }
func (e *Tact) Best() int32                  { return e.BestOf(0) }

func (e *Tact) EligibleOf(session int32, dst []int32) []int32 {
	return e.sessions[session].Eligible(dst)
}

func (e *Tact) BestOf(session int32) int32 {
	best, _ := e.sessions[session].Best()
	return best
}

// programmer writes a workload as the product's compiler would: equal nodes once, arguments before
// what reads them, the device's before the sessions'.
type programmer struct {
	w     *Workload
	apart bool
	ops   []rule.Op
	nodes map[string]int // what a node is -> its place
}

var kinds = [...]sense.Kind{Double: sense.Double, Int: sense.Int, String: sense.String, Bool: sense.Bool, Timestamp: sense.Timestamp, Length: sense.Length}

// program returns the program and the condition of every action.
func (b *programmer) program() (*rule.Program, []rule.Node) {
	p := &rule.Program{}
	for k := range b.w.Attributes {
		a := &b.w.Attributes[k]
		in := rule.Input{From: rule.FromSignal, Name: a.Name, Kind: kinds[a.Kind], Index: int32(k)}
		if b.apart && a.Personal {
			in.From, in.Scope = rule.FromFact, rule.ScopeSession
		}
		p.Inputs = append(p.Inputs, in)
	}
	p.Inputs = append(p.Inputs, rule.Input{From: rule.FromNow, Name: "now", Kind: sense.Timestamp, Index: -1})
	var conditions []int
	for k := range b.w.Actions {
		conditions = append(conditions, b.condition(p, &b.w.Actions[k].Condition))
	}
	// The device's nodes first; among those of one scope the order stays.
	place := make([]rule.Node, len(b.ops))
	for scope := rule.ScopeDevice; scope <= rule.ScopeSession; scope++ {
		for k, op := range b.ops {
			if op.Scope == scope {
				place[k] = rule.Node(len(p.Nodes))
				p.Nodes = append(p.Nodes, op)
			}
		}
	}
	for k := range p.Nodes {
		args := slices.Clone(p.Nodes[k].Args)
		for i := range args {
			args[i] = place[args[i]]
		}
		p.Nodes[k].Args = args
	}
	roots := make([]rule.Node, len(conditions))
	for k, c := range conditions {
		roots[k] = place[c]
	}
	return p, roots
}

// add returns the place of a node, that of an equal one where there is one.
func (b *programmer) add(p *rule.Program, op rule.Op, args ...int) int {
	op.Input = -1
	return b.put(p, op, args...)
}

func (b *programmer) put(p *rule.Program, op rule.Op, args ...int) int {
	if op.Input >= 0 {
		op.Scope = p.Inputs[op.Input].Scope
	}
	for _, a := range args {
		op.Scope = max(op.Scope, b.ops[a].Scope)
		op.Args = append(op.Args, rule.Node(a))
	}
	name := fmt.Sprint(op.Code, op.Input, op.Args, op.Value.Kind(), op.Value)
	k, ok := b.nodes[name]
	if !ok {
		k = len(b.ops)
		b.ops, b.nodes[name] = append(b.ops, op), k
	}
	return k
}

func (b *programmer) condition(p *rule.Program, n *Node) int {
	switch n.Op {
	case Leaf:
		return b.atom(p, &b.w.Predicates[n.Pred], n.Opposite)
	case Not:
		return b.add(p, rule.Op{Code: rule.Not, Kind: sense.Bool}, b.condition(p, &n.Args[0]))
	}
	op := rule.Op{Code: rule.And, Kind: sense.Bool}
	if n.Op == Or {
		op.Code = rule.Or
	}
	var args []int
	for k := range n.Args {
		args = append(args, b.condition(p, &n.Args[k]))
	}
	return b.add(p, op, args...)
}

// atom writes a predicate, or its opposite, as an author does.
func (b *programmer) atom(p *rule.Program, of *Predicate, opposite bool) int {
	either := func(code, other rule.Code, args ...int) int {
		if opposite {
			code = other
		}
		return b.add(p, rule.Op{Code: code, Kind: sense.Bool}, args...)
	}
	constant := func(v sense.Value) int { return b.add(p, rule.Op{Code: rule.Const, Kind: v.Kind(), Value: v}) }
	sum := func(code rule.Code, kind sense.Kind, x, y int) int {
		return b.add(p, rule.Op{Code: code, Kind: kind}, x, y)
	}
	if of.Form == HeldFor {
		held := b.add(p, rule.Op{Code: rule.Held, Kind: sense.Length}, b.atom(p, &b.w.Predicates[of.Of], of.Not))
		return either(rule.Ge, rule.Lt, held, constant(sense.LengthValue(sense.Duration(of.Limit))))
	}
	kind := b.w.Attributes[of.A].Kind
	x, y := b.load(p, of.A), 0
	if of.B >= 0 {
		y = b.load(p, of.B)
	}
	switch of.Form {
	case Less:
		return either(rule.Lt, rule.Ge, x, constant(number(kind, of.Limit)))
	case Equal:
		return either(rule.Eq, rule.Ne, x, constant(sense.StringValue(b.w.Attributes[of.A].Words[of.N])))
	case IsTrue:
		if opposite {
			return b.add(p, rule.Op{Code: rule.Not, Kind: sense.Bool}, x)
		}
		return x
	case Below:
		return either(rule.Lt, rule.Ge, x, y)
	case Excess:
		return either(rule.Gt, rule.Le, sum(rule.Sub, kinds[kind], x, y), constant(number(kind, of.Limit)))
	case Sum:
		twice := sum(rule.Mul, kinds[kind], y, constant(number(kind, 2)))
		return either(rule.Gt, rule.Le, sum(rule.Add, kinds[kind], x, twice), constant(number(kind, of.Limit)))
	}
	age := sum(rule.Sub, sense.Length, b.load(p, int32(len(b.w.Attributes))), x)
	return either(rule.Lt, rule.Ge, age, constant(sense.LengthValue(sense.Duration(of.Limit))))
}

func (b *programmer) load(p *rule.Program, input int32) int {
	return b.put(p, rule.Op{Code: rule.Load, Kind: p.Inputs[input].Kind, Input: input})
}

func number(k Kind, limit float64) sense.Value {
	switch k {
	case Double:
		return sense.DoubleValue(limit)
	case Int:
		return sense.IntValue(int64(limit))
	}
	return sense.LengthValue(sense.Duration(limit))
}
