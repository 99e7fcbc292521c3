package policy

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tact-edge/tact/context/sense"
)

// level turns whole numbers that stand beside doubles into doubles, so that
// `speed > 80` means what its author means; it returns the kind of the expression
// as far as that is known before types are checked.
func (l *language) level(e ast.Expr) sense.Kind {
	if name, ok := dotted(e); ok {
		if s := l.symbols[name]; s != nil {
			kind := s.kind
			if kind == sense.List {
				kind = s.elem // lists are only looked into
			}
			if kind == sense.Money {
				kind = sense.Double
			}
			return kind
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
	}
	return sense.Null
}

// levelList returns the kind of the elements, doubles where one of them is.
func (l *language) levelList(e ast.Expr) sense.Kind {
	kind := sense.Null
	for _, x := range e.AsList().Elements() {
		if k := l.level(x); kind == sense.Null || k == sense.Double {
			kind = k
		}
	}
	if kind == sense.Double {
		toDoubles(e)
	}
	return kind
}

func (l *language) levelCall(e ast.Expr) sense.Kind {
	call := e.AsCall()
	args := call.Args()
	kinds := make([]sense.Kind, len(args))
	for k, a := range args {
		kinds[k] = l.level(a)
	}
	if call.IsMemberFunction() {
		l.level(call.Target())
	}
	switch name := call.FunctionName(); name {
	case "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in":
		meet(args, kinds)
		return sense.Bool
	case "_+_", "_-_", "_*_", "_/_", "_%_", "-_":
		return meet(args, kinds)
	case "_?_:_":
		return meet(args[1:], kinds[1:])
	case "mean", "min", "max", "rate", "distance", "double":
		return sense.Double
	case "count", "size", "age", "int":
		return sense.Int
	}
	return sense.Null
}

// meet makes constants double where a neighbour is.
func meet(args []ast.Expr, kinds []sense.Kind) sense.Kind {
	kind := kinds[0]
	for _, k := range kinds {
		if k == sense.Double {
			kind = k
		}
	}
	if kind == sense.Double {
		for _, a := range args {
			toDoubles(a)
		}
	}
	return kind
}

// toDoubles makes the whole-number constants of an expression doubles: the
// constant itself, the elements of a list, the terms of constant arithmetic.
func toDoubles(e ast.Expr) {
	switch e.Kind() {
	case ast.LiteralKind:
		if n, ok := e.AsLiteral().(types.Int); ok {
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
