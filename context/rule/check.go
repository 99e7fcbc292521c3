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
	MaxArgs   = 1 << 22 // of all nodes together
)

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
	args, moves := 0, make([]bool, len(p.Nodes))
	for k := range p.Nodes {
		if args += len(p.Nodes[k].Args); args > MaxArgs {
			return fmt.Errorf("check program: more than %d arguments: %w", MaxArgs, ErrProgram)
		}
		if err := checkNode(p, k, moves); err != nil {
			return fmt.Errorf("check node %d: %w: %w", k, err, ErrProgram)
		}
	}
	return nil
}

func checkInput(in *Input) error {
	switch {
	case in.From > FromWeekday:
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
	}
	if want != sense.Null && in.Kind != want {
		return fmt.Errorf("kind is %s, not %s", in.Kind, want)
	}
	return nil
}

func checkNode(p *Program, k int, moves []bool) error {
	op := &p.Nodes[k]
	if op.Code > Latch {
		return fmt.Errorf("operation %d is not known", op.Code)
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
	kind, err := kindOf(p, op)
	if err != nil {
		return err
	}
	if kind != op.Kind {
		return fmt.Errorf("kind is %s, not %s", op.Kind, kind)
	}
	return checkMoving(p, k, moves)
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

// checkMoving refuses operations over a length that moves by itself (held, since, until)
// but those that stay linear in time or compare: only these have an exact next flip.
func checkMoving(p *Program, k int, moves []bool) error {
	op := &p.Nodes[k]
	any := false
	for _, a := range op.Args {
		any = any || moves[a]
	}
	switch op.Code {
	case Held, Since:
		moves[k] = true
	case Load:
		moves[k] = p.Inputs[op.Input].From == FromUntil
	case Add, Sub, Neg, Cond:
		if any && op.Kind != sense.Length {
			return errors.New("a length that grows by itself can only be added to a length")
		}
		moves[k] = any && op.Kind == sense.Length
	case Eq, Ne, Lt, Le, Gt, Ge:
	default:
		if any {
			return errors.New("a length that grows by itself can only be added, subtracted and compared")
		}
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

// kindOf returns the kind of a node's result, or what is wrong with its arguments.
func kindOf(p *Program, op *Op) (sense.Kind, error) {
	kinds := [3]sense.Kind{}
	for k, a := range op.Args {
		if k < len(kinds) {
			kinds[k] = p.Nodes[a].Kind
		}
	}
	bad := fmt.Errorf("operation %d does not take %d arguments of %s, %s, %s", op.Code, len(op.Args), kinds[0], kinds[1], kinds[2])
	count := [...]int{Const: 0, Load: 0, Not: 1, And: -1, Or: -1, Cond: 3, Eq: 2, Ne: 2, Lt: 2, Le: 2, Gt: 2, Ge: 2, In: 2,
		Add: 2, Sub: 2, Mul: 2, Div: 2, Mod: 2, Neg: 1, StartsWith: 2, EndsWith: 2, Contains: 2, Size: 1, ToDouble: 1, ToInt: 1,
		Held: 1, Since: 1, CountTrue: 1, CountReadings: 0, Mean: 0, Min: 0, Max: 0, Rate: 0, Became: 1, Changed: 0, Armed: 1, Latch: 2}[op.Code]
	if count >= 0 && len(op.Args) != count || count < 0 && len(op.Args) == 0 {
		return 0, bad
	}
	a, b := kinds[0], kinds[1]
	switch op.Code {
	case Const:
		return constKind(op.Value)
	case Load:
		return p.Inputs[op.Input].Kind, nil
	case Not, And, Or, Held, Since, CountTrue, Became, Armed, Latch:
		for _, x := range op.Args {
			if p.Nodes[x].Kind != sense.Bool {
				return 0, bad
			}
		}
	case Cond:
		if a != sense.Bool || b != kinds[2] {
			return 0, bad
		}
		return b, nil
	case Eq, Ne:
		if a != b {
			return 0, bad
		}
	case Lt, Le, Gt, Ge:
		if a != b || a == sense.Position || a == sense.List {
			return 0, bad
		}
	case In:
		if b != sense.List || a == sense.List {
			return 0, bad
		}
	case StartsWith, EndsWith, Contains:
		if a != sense.String || b != sense.String {
			return 0, bad
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
	case Add, Sub, Mul, Div, Mod, Neg, Size, ToDouble, ToInt:
		if k, ok := arithmeticKind(op.Code, a, b); ok {
			return k, nil
		}
		return 0, bad
	case Held, Since:
		return sense.Length, nil
	case CountTrue, CountReadings:
		return sense.Int, nil
	case Mean, Min, Max, Rate:
		return sense.Double, nil
	}
	return sense.Bool, nil
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
