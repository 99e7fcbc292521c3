package rule

import (
	"errors"
	"fmt"

	"github.com/tact-edge/tact/context/sense"
)

// Bounds of a program; a bundle of 10,000 actions stays far below.
const (
	MaxNodes  = 1 << 20
	MaxInputs = 1 << 16
	MaxArgs   = 1 << 22 // of all nodes together, and the nodes of their bodies
	MaxZones  = 256
	MaxDepth  = 2 // of bodies within each other
	// MaxMembers bounds what an index of lists may hold: the elements of constant lists, each as often as a
	// condition looks into its list.
	MaxMembers = 1 << 18
	// MaxWindows bounds the nodes that keep readings or turns of some time: each may come to hold MaxEntries.
	MaxWindows = 1 << 12
)

const maxTurns = 4096

// ErrProgram marks a program that breaks an invariant.
var ErrProgram = errors.New("program is not sound")

// Check verifies every invariant of a decoded program, so that no evaluation can
// index out of range, loop, recurse or meet a value of another kind.
func Check(p *Program) error {
	if len(p.Nodes) > MaxNodes || len(p.Inputs) > MaxInputs {
		return fmt.Errorf("check program: %d nodes and %d inputs are more than %d and %d: %w",
			len(p.Nodes), len(p.Inputs), MaxNodes, MaxInputs, ErrProgram)
	}
	for k := range p.Inputs {
		if err := checkInput(&p.Inputs[k]); err != nil {
			return fmt.Errorf("check input %d (%s): %w: %w", k, p.Inputs[k].Name, err, ErrProgram)
		}
	}
	if err := checkZones(p.Zones); err != nil {
		return fmt.Errorf("check program: %w: %w", err, ErrProgram)
	}
	args, members, windows, moves := 0, 0, 0, make([]bool, len(p.Nodes))
	for k := range p.Nodes {
		if args += sizeOf(&p.Nodes[k]); args > MaxArgs {
			return fmt.Errorf("check program: more than %d arguments: %w", MaxArgs, ErrProgram)
		}
		if err := checkNode(p, k, moves); err != nil {
			return fmt.Errorf("check node %d: %w: %w", k, err, ErrProgram)
		}
		if p.Nodes[k].Code.window() {
			windows++
		}
		if windows > MaxWindows {
			return fmt.Errorf("check program: more than %d windows: %w", MaxWindows, ErrProgram)
		}
		if op := &p.Nodes[k]; op.Code == In {
			members += len(p.Nodes[op.Args[1]].Value.List())
		}
		if members > MaxMembers {
			return fmt.Errorf("check node %d: the lists that are looked into hold more than %d elements together: %w", k, MaxMembers, ErrProgram)
		}
	}
	return nil
}

// sizeOf counts the arguments of a node, and the nodes and arguments of its body.
func sizeOf(op *Op) int {
	n := len(op.Args)
	for k := range op.Body {
		if n += 1 + sizeOf(&op.Body[k]); n > MaxArgs {
			break
		}
	}
	return n
}

func checkZones(zones []sense.Zone) error {
	if len(zones) > MaxZones {
		return fmt.Errorf("%d zones are more than %d", len(zones), MaxZones)
	}
	for _, z := range zones {
		if len(z.Turns) > maxTurns {
			return fmt.Errorf("zone %s has more than %d turns", z.Name, maxTurns)
		}
		for k, t := range z.Turns {
			if k > 0 && t.From <= z.Turns[k-1].From || t.Offset < -sense.Day || t.Offset > sense.Day {
				return fmt.Errorf("zone %s: turn %d is not in order, or off by more than a day", z.Name, k)
			}
		}
	}
	return nil
}

func checkInput(in *Input) error {
	switch {
	case in.From > FromNow:
		return fmt.Errorf("source %d is not known", in.From)
	case in.Kind == sense.Null || in.Kind > sense.List:
		return fmt.Errorf("kind %d is not known", in.Kind)
	case in.Scope > ScopeSession:
		return fmt.Errorf("scope %d is not known", in.Scope)
	case in.Index < -1:
		return fmt.Errorf("index %d is negative", in.Index)
	}
	want := sense.Null
	switch in.From {
	case FromHas, FromInside, FromBought, FromBooked, FromAsked, FromAnswered, FromComplained, FromContacted, FromViewed, FromOpen, FromOverdue:
		want = sense.Bool
	case FromAge, FromHour, FromWeekday:
		want = sense.Int
	case FromDistance:
		want = sense.Double
	case FromUntil:
		want = sense.Length
	case FromNow:
		want = sense.Timestamp
	}
	if want != sense.Null && in.Kind != want {
		return fmt.Errorf("kind is %s, not %s", in.Kind, want)
	}
	return nil
}

func checkNode(p *Program, k int, moves []bool) error {
	op := &p.Nodes[k]
	if op.Code == Elem || op.Code == Outer {
		return fmt.Errorf("operation %d stands outside of a body", op.Code)
	}
	if op.Scope > ScopeSession {
		return fmt.Errorf("scope %d is not known", op.Scope)
	}
	if k > 0 && op.Scope < p.Nodes[k-1].Scope {
		return errors.New("a node of the device stands after one of a session")
	}
	for _, a := range op.Args {
		switch {
		case a < 0 || int(a) >= k:
			return fmt.Errorf("argument %d does not stand before it", a)
		case p.Nodes[a].Scope > op.Scope:
			return fmt.Errorf("a node of the device reads node %d of a session", a)
		}
	}
	if err := checkInputOf(p, op); err != nil {
		return err
	}
	if err := checkKind(p, p.Nodes, op, 1); err != nil {
		return err
	}
	from := FromSignal
	if op.Code == Load {
		from = p.Inputs[op.Input].From
	}
	var err error
	moves[k], err = Moves(op, from, func(k int) bool { return moves[op.Args[k]] })
	return err
}

// checkKind checks the kinds and the body of a node that stands among others, its arguments before it.
func checkKind(p *Program, nodes []Op, op *Op, depth int) error {
	if op.Code > lastCode {
		return fmt.Errorf("operation %d is not known", op.Code)
	}
	kind, err := kindOf(p, nodes, op)
	switch {
	case err != nil:
		return err
	case kind != op.Kind:
		return fmt.Errorf("kind is %s, not %s", op.Kind, kind)
	case op.Zone != 0 && !isPart(op.Code):
		return errors.New("a zone where there is no part of a timestamp")
	case op.Code.overList():
		return checkBody(p, nodes, op, depth)
	case len(op.Body) > 0:
		return errors.New("a body where there is no list")
	}
	return nil
}

// checkBody checks the nodes of a body, which read the nodes before them, the element and outer arguments.
func checkBody(p *Program, nodes []Op, op *Op, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("bodies stand more than %d deep", MaxDepth)
	}
	for k := range op.Body {
		in := &op.Body[k]
		for _, a := range in.Args {
			if a < 0 || int(a) >= k {
				return fmt.Errorf("body node %d: argument %d does not stand before it", k, a)
			}
		}
		switch {
		case in.Code == Elem && (in.Kind == sense.Null || in.Kind >= sense.List), in.Code == Elem && len(in.Args) > 0:
			return fmt.Errorf("body node %d: no element is like that", k)
		case in.Code == Elem:
		case in.Code == Outer && (in.Input < 0 || int(in.Input) >= len(op.Args)-1 || len(in.Args) > 0):
			return fmt.Errorf("body node %d: outer argument %d does not exist", k, in.Input)
		case in.Code == Outer && in.Kind != nodes[op.Args[1+in.Input]].Kind:
			return fmt.Errorf("body node %d: outer argument %d is of another kind", k, in.Input)
		case in.Code == Outer:
		case !in.Code.Pure():
			return fmt.Errorf("body node %d: operation %d looks at more than an element", k, in.Code)
		}
		if err := checkKind(p, op.Body[:k], in, depth+1); err != nil {
			return fmt.Errorf("body node %d: %w", k, err)
		}
	}
	return nil
}

// checkInputOf checks the input of those operations that have one.
func checkInputOf(p *Program, op *Op) error {
	if !readsInput(op.Code) {
		return nil
	}
	if op.Input < 0 || int(op.Input) >= len(p.Inputs) {
		return fmt.Errorf("input %d does not exist", op.Input)
	}
	in := &p.Inputs[op.Input]
	switch {
	case in.Scope != op.Scope:
		return fmt.Errorf("a node has another scope than input %s, which it reads", in.Name)
	case op.Code != Load && op.Code != Changed && in.From != FromSignal:
		return fmt.Errorf("a window over input %s, which is no signal", in.Name)
	}
	return nil
}

// Moves says whether the result of a node moves by itself with time, as a length that grows (held, since,
// until) or as the instant of now, from whether its arguments do. The error says that it may not: only sums,
// comparisons and slow parts of what moves have an exact next instant at which they change.
func Moves(op *Op, from From, argument func(k int) bool) (bool, error) {
	any := false
	for k := range op.Args {
		any = any || argument(k)
	}
	switch op.Code {
	case Held, Since:
		return true, nil
	case Load:
		return from == FromUntil || from == FromNow, nil
	case Add, Sub, Neg, Cond:
		if any && op.Kind != sense.Length && op.Kind != sense.Timestamp {
			return false, errors.New("what moves by itself can only be added to a length or a timestamp")
		}
		return any, nil
	case Eq, Ne, Lt, Le, Gt, Ge, PartYear, PartMonth, PartDate, PartDayOfMonth, PartWeekday, PartYearDay, PartHours, PartMinutes:
		return false, nil
	case Exists, All, ExistsOne, Filter, Map:
		return false, bodyMoves(op, argument)
	}
	if any {
		return false, errors.New("what moves by itself can only be added, subtracted and compared")
	}
	return false, nil
}

// bodyMoves checks what moves within a body. Lists hold nothing that does.
func bodyMoves(op *Op, argument func(k int) bool) error {
	moves := make([]bool, len(op.Body))
	for k := range op.Body {
		in := &op.Body[k]
		if in.Code == Outer {
			moves[k] = argument(1 + int(in.Input))
			continue
		}
		var err error
		if moves[k], err = Moves(in, FromSignal, func(a int) bool { return moves[in.Args[a]] }); err != nil {
			return err
		}
	}
	if len(moves) > 0 && moves[len(moves)-1] {
		return errors.New("what moves by itself cannot stand in a list")
	}
	return nil
}

func readsInput(c Code) bool {
	switch c {
	case Load, CountReadings, Mean, Min, Max, Rate, Changed:
		return true
	}
	return false
}

// argumentsOf are the numbers of arguments, -1 for one or more.
var argumentsOf = [...]int{Const: 0, Load: 0, Not: 1, And: -1, Or: -1, Cond: 3, Eq: 2, Ne: 2, Lt: 2, Le: 2, Gt: 2, Ge: 2, In: 2,
	Add: 2, Sub: 2, Mul: 2, Div: 2, Mod: 2, Neg: 1, StartsWith: 2, EndsWith: 2, Contains: 2, Size: 1, ToDouble: 1, ToInt: 1,
	Held: 1, Since: 1, CountTrue: 1, CountReadings: 0, Mean: 0, Min: 0, Max: 0, Rate: 0, Became: 1, Changed: 0, Armed: 1, Latch: 2,
	Index: 2, ToText: 1, ToBool: 1, ToTimestamp: 1, ToMoney: 1, PartYear: 1, PartMonth: 1, PartDate: 1, PartDayOfMonth: 1, PartWeekday: 1,
	PartYearDay: 1, PartHours: 1, PartMinutes: 1, PartSeconds: 1, PartMilliseconds: 1, Elem: 0, Outer: 0,
	Exists: -1, All: -1, ExistsOne: -1, Filter: -1, Map: -1, ListOf: -1}

// kindOf returns the kind of a node's result, or what is wrong with its arguments, which stand in nodes.
func kindOf(p *Program, nodes []Op, op *Op) (sense.Kind, error) {
	kinds := [3]sense.Kind{}
	for k, a := range op.Args {
		if k < len(kinds) {
			kinds[k] = nodes[a].Kind
		}
	}
	count := argumentsOf[op.Code]
	if count >= 0 && len(op.Args) != count || count < 0 && len(op.Args) == 0 {
		return 0, misfit(op, kinds)
	}
	a, b := kinds[0], kinds[1]
	if isPart(op.Code) {
		return partKind(p, op, a)
	} else if op.Code.overList() {
		return listKind(op, a)
	}
	switch op.Code {
	case Const:
		return constKind(op.Value)
	case Load:
		return p.Inputs[op.Input].Kind, nil
	case Not, And, Or, Held, Since, CountTrue, Became, Armed, Latch:
		for _, x := range op.Args {
			if nodes[x].Kind != sense.Bool {
				return 0, misfit(op, kinds)
			}
		}
	case Cond:
		if a != sense.Bool || b != kinds[2] {
			return 0, misfit(op, kinds)
		}
		return b, nil
	case Eq, Ne:
		if a != b {
			return 0, misfit(op, kinds)
		}
	case Lt, Le, Gt, Ge:
		if a != b || a == sense.Position || a == sense.List {
			return 0, misfit(op, kinds)
		}
	case In:
		if b != sense.List || a == sense.List {
			return 0, misfit(op, kinds)
		}
	case StartsWith, EndsWith, Contains:
		if a != sense.String || b != sense.String {
			return 0, misfit(op, kinds)
		}
	case Mean, Min, Max, Rate:
		if k := p.Inputs[op.Input].Kind; k != sense.Int && k != sense.Double {
			return 0, fmt.Errorf("a window over %s, which is a %s and no number", p.Inputs[op.Input].Name, k)
		}
	}
	switch op.Code {
	case CountTrue, CountReadings, Mean, Min, Max, Rate, Armed:
		if op.For <= 0 {
			return 0, errors.New("a window has no length")
		}
	}
	switch op.Code {
	case Add, Sub, Mul, Div, Mod, Neg, Size, ToDouble, ToInt, ToText, ToBool, ToTimestamp, ToMoney:
		if k, ok := arithmeticKind(op.Code, a, b); ok {
			return k, nil
		}
		return 0, misfit(op, kinds)
	case Held, Since:
		return sense.Length, nil
	case CountTrue, CountReadings:
		return sense.Int, nil
	case Mean, Min, Max, Rate:
		return sense.Double, nil
	case Elem, Outer:
		return op.Kind, nil
	case ListOf:
		for _, x := range op.Args {
			if nodes[x].Kind != a || a == sense.List {
				return 0, misfit(op, kinds)
			}
		}
		return sense.List, nil
	case Index:
		if !(a == sense.List && b == sense.Int || a == sense.Int && b == sense.List) || op.Kind == sense.Null || op.Kind >= sense.List {
			return 0, misfit(op, kinds)
		}
		return op.Kind, nil
	}
	return sense.Bool, nil
}

func misfit(op *Op, kinds [3]sense.Kind) error {
	return fmt.Errorf("operation %d does not take %d arguments of %s, %s, %s", op.Code, len(op.Args), kinds[0], kinds[1], kinds[2])
}

// partKind checks a part: days and more are of timestamps alone.
func partKind(p *Program, op *Op, of sense.Kind) (sense.Kind, error) {
	switch {
	case op.Zone < 0 || int(op.Zone) > len(p.Zones):
		return 0, fmt.Errorf("zone %d does not exist", op.Zone)
	case of == sense.Timestamp, of == sense.Length && op.Zone == 0 && op.Code >= PartHours && op.Code <= PartSeconds:
		return sense.Int, nil
	}
	return 0, fmt.Errorf("operation %d is no part of a %s", op.Code, of)
}

// listKind checks the list and the result of the body; the body itself is checked apart.
func listKind(op *Op, list sense.Kind) (sense.Kind, error) {
	if list != sense.List || len(op.Body) == 0 {
		return 0, fmt.Errorf("operation %d wants a list and a body", op.Code)
	}
	root := op.Body[len(op.Body)-1].Kind
	switch op.Code {
	case Map:
		if root == sense.Null || root >= sense.List {
			return 0, fmt.Errorf("a list holds a %s", root)
		}
		return sense.List, nil
	case Filter:
		if root == sense.Bool {
			return sense.List, nil
		}
	default:
		if root == sense.Bool {
			return sense.Bool, nil
		}
	}
	return 0, fmt.Errorf("the body of operation %d is a %s", op.Code, root)
}

// constKind refuses constants that no author can write: null, and lists of lists.
func constKind(v sense.Value) (sense.Kind, error) {
	if v.IsNull() {
		return 0, errors.New("a constant is null")
	}
	for _, x := range v.List() {
		if x.IsNull() || x.Kind() == sense.List {
			return 0, fmt.Errorf("a list holds a %s", x.Kind())
		}
	}
	return v.Kind(), nil
}
