package rule

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// quick is a source over two inputs of its own scope: a < b, a - b, a + b*2. Such are many, and most changes of an input
// cross none of their keys: quick says so without the rest of the source.
type quick struct {
	a, b   int32
	code   Code // of the last step; Const where the source is not like that
	scaled bool // b is multiplied first
	floats bool
	kind   sense.Kind
	scale  int64 // by that, a double by its bits
}

// quick returns that form of a source, where it has it.
func (m *making) quick() (q quick) {
	t := m.terms
	if m.direct != ofWork || m.told.from != nil || m.timer >= 0 || m.equals != nil || len(t) != 3 && len(t) != 5 {
		return q
	}
	for k := range t[:2] {
		if t[k].from != ofInput || t[k].scope != m.scope {
			return q
		}
	}
	last := &t[len(t)-1]
	if last.from != ofWork || last.code == Neg || last.left != last.right {
		return q
	}
	q = quick{a: t[0].index, b: t[1].index, code: last.code, floats: last.left == sense.Double, kind: last.kind}
	if len(t) == 5 {
		if t[2].from != ofConst || t[3].from != ofWork || t[3].code != Mul || t[3].left != t[3].right || t[3].kind != last.left {
			return quick{}
		}
		q.scaled, q.scale = true, t[2].num
	}
	if !q.floats && (q.scaled || q.code != Add && q.code != Sub && q.code > Ge) {
		return quick{}
	}
	return q
}

// still says that a source has crossed no key; false where place must see.
func (e *Eval) still(k int32, q *quick) bool {
	a, b, p := &e.in[q.a], &e.in[q.b], &e.counters.places[k]
	keys := e.layer.sources[k].keys
	if a.cause|b.cause != Known {
		return p.lo == 0 && int(p.hi) == len(keys) && p.hi > 0
	}
	if p.lo != p.hi || a.slope|b.slope != 0 {
		return false
	}
	var v int64
	switch {
	case q.floats:
		x, y := math.Float64frombits(uint64(a.num)), math.Float64frombits(uint64(b.num))
		if q.scaled {
			y = float64(y * math.Float64frombits(uint64(q.scale)))
		}
		if q.code <= Ge {
			v = boolNum(floatsInOrder(q.code, x, y))
			break
		}
		v = e.layer.sources[k].keyOfDouble(int64(math.Float64bits(ofDoubles(q.code, x, y))))
	case q.code <= Ge:
		v = boolNum(inOrder(q.code, sense.Int, a.num, b.num))
	default:
		n, ok := ofInts(q.code, a.num, b.num)
		if least, most := bounds(q.kind); !ok || n < least || n > most {
			return false
		}
		v = n
	}
	return (int(p.lo) == len(keys) || v < keys[p.lo]) && (p.lo == 0 || keys[p.lo-1] <= v)
}
