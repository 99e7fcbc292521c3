package rule

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// literal is a truth that counters count: that of an atom or of a counter, as it is or negated, or a constant.
// Atoms and counters of one scope have ids in one row, atoms first.
type literal int32

const (
	alwaysTrue  literal = -2
	alwaysFalse literal = -1
	noLiteral   literal = math.MinInt32
)

func literalOf(scope Scope, id int32) literal { return literal(id<<2 | int32(scope)<<1) }

func (l literal) not() literal  { return l ^ 1 }
func (l literal) negated() bool { return l&1 != 0 }
func (l literal) id() int32     { return int32(l >> 2) }

// scope returns whose state the literal reads; constants read nobody's.
func (l literal) scope() Scope {
	if l < 0 {
		return ScopeDevice
	}
	return Scope(l >> 1 & 1)
}

func constant(yes bool) literal {
	if yes {
		return alwaysTrue
	}
	return alwaysFalse
}

// comparison is a node that asks whether a source lies below a key, equals a constant, or is among some.
type comparison struct {
	of       sourceKey
	code     Code // Lt for "below key", Eq for "equals", In for "is among"
	key      int64
	negated  bool
	constant *sense.Value
}

// sourceKey names a source: a value, or two of which is asked whether they are in an order.
type sourceKey struct {
	value    Node // for a Load the first of its input
	other    Node // None but for two
	order    Code // Eq, Lt, Le, Gt or Ge of two
	mirrored bool // of doubles that may be no number: the value with its sign turned
}

// compared returns the comparison of a node, in its one form: x < 5, x >= 5, 5 > x and !(x < 5) are one; of whole
// numbers x <= 4 too. ok is false for what no index can hold.
func (b *builder) compared(n Node) (c comparison, ok bool) {
	op := &b.p.Nodes[n]
	if op.Code < Eq || op.Code > In {
		return c, false
	}
	left, right, code := op.Args[0], op.Args[1], op.Code
	if b.p.Nodes[left].Code == Const && code != In {
		left, right = right, left
		code = mirrorOf[code]
	}
	limit, of := &b.p.Nodes[right], &b.p.Nodes[left]
	if limit.Code != Const {
		return b.ordered(code, left, right)
	}
	if of.Code == Const {
		return c, false
	}
	c = comparison{of: sourceKey{value: b.alias(left), other: None}, code: code, constant: &limit.Value}
	load := of.Code == Load
	switch {
	case of.Kind == sense.Position || of.Kind == sense.List, of.Kind == sense.Bool && !load:
		return c, false
	case code == In:
		return c, !b.moves[left] && !isCount(of.Code)
	case code <= Ne && of.Kind != sense.Bool:
		c.negated, c.code = code == Ne, Eq
		return c, !b.moves[left] && !isCount(of.Code) && !isNaN(limit.Value)
	case of.Kind == sense.String || isNaN(limit.Value):
		return c, false
	}
	c.code, c.key = Lt, keyOf(limit.Value)
	switch {
	case code <= Ne: // of truths: true lies above false
		c.key, c.negated = 1, (code == Eq) == limit.Value.Bool()
	case of.Kind == sense.Double && !load && code >= Gt: // x > c is -x < -c
		c.of.mirrored = true
		c.key = keyOf(sense.RawDouble(-limit.Value.Double()))
		if code == Ge {
			c.key++
		}
	default:
		c.negated = code >= Gt
		if code == Le || code == Gt {
			if c.key == math.MaxInt64 {
				return c, false
			}
			c.key++
		}
	}
	// What moves by itself may lie below all numbers.
	return c, c.key != math.MinInt64 || !b.moves[left]
}

// ordered returns the comparison of two values of which none is a constant: whether they are in an order is a source
// that is false or true.
func (b *builder) ordered(code Code, x, y Node) (c comparison, ok bool) {
	left, right := &b.p.Nodes[x], &b.p.Nodes[y]
	if code == In || !left.Kind.IsNum() || left.Kind == sense.Bool || b.moves[x] || b.moves[y] || isCount(left.Code) || isCount(right.Code) ||
		b.sizes[x]+b.sizes[y] > mostTerms {
		return c, false
	}
	c = comparison{code: Lt, key: 1, negated: true} // "below true" is false where they are
	certain := left.Kind != sense.Double || left.Code == Load && right.Code == Load
	switch {
	case code == Ne:
		code, c.negated = Eq, false
	case certain && code == Ge:
		code, c.negated = Lt, false
	case certain && code == Gt:
		code, x, y = Lt, y, x
	case certain && code == Le:
		code, x, y, c.negated = Lt, y, x, false
	}
	c.of = sourceKey{value: b.alias(x), other: b.alias(y), order: code}
	return c, true
}

// alias returns the first Load of the same input; other nodes stand for themselves.
func (b *builder) alias(n Node) Node {
	if op := &b.p.Nodes[n]; op.Code == Load {
		return b.firstLoad[op.Input]
	}
	return n
}

// mirrorOf is the comparison with its sides exchanged.
var mirrorOf = [...]Code{Eq: Eq, Ne: Ne, Lt: Gt, Le: Ge, Gt: Lt, Ge: Le}

func isCount(c Code) bool { return c == CountTrue || c == CountReadings }

func isNaN(v sense.Value) bool { return v.Kind() == sense.Double && math.IsNaN(v.Double()) }

// keyOf maps a value of an ordered kind to an int64 in the same order: numbers to themselves, doubles to their bits, with
// those of negative ones turned round. The next key is the next double.
func keyOf(v sense.Value) int64 {
	if v.Kind() != sense.Double {
		return v.Int()
	}
	return doubleKey(v.Int())
}

func doubleKey(bits int64) int64 {
	if bits >= 0 {
		return bits
	}
	if bits == math.MinInt64 { // minus zero
		return 0
	}
	return bits ^ math.MaxInt64
}

// conjunction is And over literals, or its negation, of a node whose counter is not made yet.
type conjunction struct {
	negated bool
	nodes   int32 // of which it is made: their truths are worked out each from the next
}

// most is how many arguments a counter counts: four bits for those that are false, four for the unknown ones.
const most = 15
