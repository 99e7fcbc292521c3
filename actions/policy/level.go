package policy

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/sense"
)

// leveler turns whole numbers that stand beside doubles into doubles, so that
// `speed > 80` means what its author means.
type leveler struct {
	*language
	info  *ast.SourceInfo
	bound map[string]sense.Kind // of the variables of exists, all and their like
	added int64
}

// level returns the kind of the expression as far as that is known before types are
// checked; of a list, that of its elements.
func (l *leveler) level(e ast.Expr) sense.Kind {
	if name, ok := dotted(e); ok {
		if kind, ok := l.bound[name]; ok {
			return kind
		}
		if s := l.symbols[name]; s != nil {
			if s.kind == sense.List {
				return s.elem
			}
			return s.kind
		}
		return sense.Null
	}
	switch e.Kind() {
	case ast.LiteralKind:
		switch e.AsLiteral().(type) {
		case types.Int:
			return sense.Int
		case types.Double:
			return sense.Double
		}
	case ast.ListKind:
		return l.levelList(e)
	case ast.CallKind:
		return l.levelCall(e)
	case ast.ComprehensionKind:
		return l.levelBody(e)
	}
	return sense.Null
}

// levelList returns the kind of the elements, doubles where one of them is.
func (l *leveler) levelList(e ast.Expr) sense.Kind {
	kind := sense.Null
	for _, x := range e.AsList().Elements() {
		if k := l.level(x); kind == sense.Null || isDouble(k) {
			kind = k
		}
	}
	if isDouble(kind) {
		toDoubles(e)
	}
	return kind
}

// levelBody looks at exists, all and their like.
func (l *leveler) levelBody(e ast.Expr) sense.Kind {
	c := e.AsComprehension()
	elem := l.level(c.IterRange())
	body := bodyOf(l.info, e)
	if body == nil {
		return sense.Null
	}
	l.bound[c.IterVar()] = elem
	kind := l.level(body)
	delete(l.bound, c.IterVar())
	switch macroOf(l.info, e) {
	case "filter":
		return elem
	case "map":
		return kind
	}
	return sense.Bool
}

// isDouble says whether CEL takes a kind for a double.
func isDouble(k sense.Kind) bool { return k == sense.Double || k == sense.Money }

func (l *leveler) levelCall(e ast.Expr) sense.Kind {
	call := e.AsCall()
	args := call.Args()
	kinds := make([]sense.Kind, len(args))
	for k, a := range args {
		kinds[k] = l.level(a)
	}
	if call.IsMemberFunction() {
		l.level(call.Target())
		return sense.Int // of the members that give numbers
	}
	switch name := call.FunctionName(); name {
	case "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in":
		meet(args, kinds)
		return sense.Bool
	case "_*_", "_/_":
		l.times(args, kinds)
		return meet(args, kinds)
	case "_+_", "_-_", "_%_", "-_":
		return meet(args, kinds)
	case "_?_:_":
		return meet(args[1:], kinds[1:])
	case "_[_]":
		return kinds[0]
	case "mean", "min", "max", "rate", "distance", "double":
		return sense.Double
	case "count", "size", "age", "int":
		return sense.Int
	}
	return sense.Null
}

// times makes a whole number that money is multiplied with or divided by a double, as CEL takes money for one.
func (l *leveler) times(args []ast.Expr, kinds []sense.Kind) {
	for k, a := range args {
		if kinds[k] != sense.Int || kinds[1-k] != sense.Money || a.Kind() == ast.LiteralKind {
			continue
		}
		l.added++
		id := l.added + 1<<40
		if r, ok := l.info.GetOffsetRange(a.ID()); ok {
			l.info.SetOffsetRange(id, r)
		}
		f := ast.NewExprFactory()
		var inner ast.Expr
		switch a.Kind() {
		case ast.IdentKind:
			inner = f.NewIdent(id, a.AsIdent())
		case ast.SelectKind:
			inner = f.NewSelect(id, a.AsSelect().Operand(), a.AsSelect().FieldName())
		case ast.CallKind:
			if inner = f.NewCall(id, a.AsCall().FunctionName(), a.AsCall().Args()...); a.AsCall().IsMemberFunction() {
				inner = f.NewMemberCall(id, a.AsCall().FunctionName(), a.AsCall().Target(), a.AsCall().Args()...)
			}
		default:
			continue
		}
		a.SetKindCase(f.NewCall(a.ID(), "double", inner))
		kinds[k] = sense.Double
	}
}

// meet makes constants double where a neighbour is.
func meet(args []ast.Expr, kinds []sense.Kind) sense.Kind {
	kind := kinds[0]
	for _, k := range kinds {
		if isDouble(k) && kind != sense.Money {
			kind = k
		}
	}
	if isDouble(kind) {
		for _, a := range args {
			toDoubles(a)
		}
	}
	return kind
}

// maxExact is the largest whole number up to which every one is a double too.
const maxExact = 1 << 53

// toDoubles makes the whole-number constants of an expression doubles: the
// constant itself, the elements of a list, the terms of constant arithmetic.
func toDoubles(e ast.Expr) {
	switch e.Kind() {
	case ast.LiteralKind:
		if n, ok := e.AsLiteral().(types.Int); ok && n >= -maxExact && n <= maxExact {
			e.SetKindCase(ast.NewExprFactory().NewLiteral(e.ID(), types.Double(n)))
		}
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			toDoubles(x)
		}
	case ast.CallKind:
		switch call := e.AsCall(); call.FunctionName() {
		case "_+_", "_-_", "_*_", "_/_", "-_":
			for _, a := range call.Args() {
				toDoubles(a)
			}
		case "_?_:_":
			toDoubles(call.Args()[1])
			toDoubles(call.Args()[2])
		}
	}
}
