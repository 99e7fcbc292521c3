package rule

import (
	"math"
	"slices"

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

// comparison is a node that asks whether a source lies below a key, or equals a constant.
type comparison struct {
	value    Node // what is compared
	code     Code // Lt for "below key", Eq for "equals", In for "is among"; None of them: no comparison
	key      int64
	negated  bool
	mirrored bool // of doubles that may be no number: the source is the value with its sign turned
	constant *sense.Value
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
	limit := &b.p.Nodes[right]
	if limit.Code != Const || b.p.Nodes[left].Code == Const {
		return c, false
	}
	c = comparison{value: left, code: code, constant: &limit.Value}
	of := &b.p.Nodes[left]
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
	key := keyOf(limit.Value)
	switch c.mirrored = of.Kind == sense.Double && !load && code >= Gt; {
	case code <= Ne: // of truths: true lies above false
		c.code, c.negated = Lt, (code == Eq) == limit.Value.Bool()
		key = 1
	case c.mirrored: // x > c is -x < -c
		key = keyOf(sense.RawDouble(-limit.Value.Double()))
		c.code = Lt
		if code == Ge {
			key++
		}
	default:
		c.negated = code >= Gt
		c.code = Lt
		if code == Le || code == Gt {
			if key == math.MaxInt64 {
				return c, false
			}
			key++
		}
	}
	c.key = key
	return c, true
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

// isEqual says whether the kinds' equality constants are looked up by number.
func hashesNum(k sense.Kind) bool { return k != sense.String }

// conjunction is And over literals, or its negation, of a node whose counter is not made yet.
type conjunction struct {
	literals []literal
	negated  bool
}

// most is how many arguments a counter counts: four bits for those that are false, four for the unknown ones.
const most = 15

// union adds literals to a list that is in order, each once.
func union(list, more []literal) []literal {
	list = append(list, more...)
	slices.Sort(list)
	return slices.Compact(list)
}
