package policy

import (
	"cel.dev/cel-go/cel"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// what says which section of a policy declares a name.
type what uint8

const (
	aSignal what = iota + 1
	aDerived
	aState
	aPlace
	aFact
	aKind
	aCalendar // local.hour, local.weekday, now
)

var whatNames = [...]string{"", "signal", "derived value", "state", "place", "fact", "kind of interaction", "calendar value"}

func (w what) String() string { return whatNames[w] }

// symbol is one name that conditions may read.
type symbol struct {
	name  string
	what  what
	index int32 // into the bundle's list of that section; -1 where none
	kind  sense.Kind
	elem  sense.Kind // of a list
	scope rule.Scope
	oneOf []string

	// Of a derived value or a state, once its condition is compiled:
	node   rule.Node
	reads  reads
	broken bool // its condition has mistakes, which are reported once
}

var (
	placeType = cel.OpaqueType("place")
	kindType  = cel.OpaqueType("kind")
	dateType  = cel.OpaqueType("date")
	pointType = cel.OpaqueType("position")
)

// celType is the type of the symbol in CEL. Money is a double there; that it is
// only compared and added to money is checked in translation.
func (s *symbol) celType() *cel.Type {
	switch s.what {
	case aPlace:
		return placeType
	case aKind:
		return kindType
	}
	if s.broken {
		return cel.DynType
	}
	return celTypeOf(s.kind, s.elem)
}

func celTypeOf(k, elem sense.Kind) *cel.Type {
	switch k {
	case sense.Bool:
		return cel.BoolType
	case sense.Int:
		return cel.IntType
	case sense.Double, sense.Money:
		return cel.DoubleType
	case sense.String:
		return cel.StringType
	case sense.Length:
		return cel.DurationType
	case sense.Timestamp:
		return cel.TimestampType
	case sense.Date:
		return dateType
	case sense.Position:
		return pointType
	case sense.List:
		return cel.ListType(celTypeOf(elem, sense.Null))
	}
	return cel.DynType
}

// mention is a name that a condition or text reads, at an offset in it.
type mention struct {
	symbol  *symbol
	means   string  // a history function over kinds of that meaning, as bought
	at      int     // in code points
	through *symbol // the derived value or state in which the name stands; nil where it stands itself
	subject string  // of a history function
	window  sense.Duration
}

// reads is everything that a condition reads, in the author's order.
type reads []mention

// functions are the functions of conditions, beside CEL's own operators.
func functions() []cel.EnvOption {
	t := cel.TypeParamType("T")
	length, text := cel.DurationType, cel.StringType
	fn := func(name string, result *cel.Type, args ...*cel.Type) cel.EnvOption {
		id := name
		for _, a := range args {
			id += "_" + a.String()
		}
		return cel.Function(name, cel.Overload(id, args, result))
	}
	list := []cel.EnvOption{
		fn("held", length, cel.BoolType),
		fn("since", length, cel.BoolType),
		fn("became", cel.BoolType, cel.BoolType),
		fn("changed", cel.BoolType, t),
		fn(hasValue, cel.BoolType, t),
		fn("inside", cel.BoolType, placeType),
		fn("entered", cel.BoolType, placeType),
		fn("entered", cel.BoolType, placeType, length),
		fn("left", cel.BoolType, placeType),
		fn("distance", cel.DoubleType, placeType),
		fn("open", cel.BoolType, kindType),
		fn("overdue", cel.BoolType, kindType),
		fn("until", length, kindType),
		fn("until", length, kindType, text),
		fn("age", cel.IntType, dateType),
		fn("date", dateType, text),
	}
	for _, sign := range []string{"_<_", "_<=_", "_>_", "_>=_"} {
		list = append(list, cel.Function(sign, cel.Overload(sign+"date", []*cel.Type{dateType, dateType}, cel.BoolType)))
	}
	for _, of := range []*cel.Type{cel.BoolType, cel.IntType, cel.DoubleType, text, length, cel.TimestampType, dateType, pointType} {
		list = append(list, fn("count", cel.IntType, of, length))
	}
	for _, name := range []string{"mean", "min", "max", "rate"} {
		list = append(list, fn(name, cel.DoubleType, cel.IntType, length), fn(name, cel.DoubleType, cel.DoubleType, length))
	}
	for name := range historyOf {
		list = append(list, fn(name, cel.BoolType, text), fn(name, cel.BoolType, text, length))
	}
	return list
}

// historyOf are the functions over interactions, by the input that answers them.
var historyOf = map[string]rule.From{
	"bought": rule.FromBought, "booked": rule.FromBooked, "asked": rule.FromAsked, "answered": rule.FromAnswered,
	"complained": rule.FromComplained, "contacted": rule.FromContacted, "viewed": rule.FromViewed,
}

// functionNames are all functions that an author may write.
var functionNames = []string{
	"age", "answered", "asked", "became", "bool", "booked", "bought", "changed", "complained", "contacted", "count", "date", "distance", "double", "entered",
	"has", "held", "inside", "int", "left", "max", "mean", "min", "open", "overdue", "rate", "since", "size", "string", "timestamp", "until", "viewed",
}
