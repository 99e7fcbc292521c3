package reach

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// valueOf says what a value that is no condition can be, given its arguments. What
// overflows is an error, and so no value.
func (p *problem) valueOf(st *state, op *rule.Op) set {
	switch op.Code {
	case rule.Held:
		if p.can(st, op.Args[0])&canTrue == 0 {
			return between(sense.Length, 0, 0)
		}
	case rule.Cond:
		c := p.can(st, op.Args[0])
		a, b := *p.value(st, op.Args[1]), p.value(st, op.Args[2])
		switch {
		case c&canTrue == 0:
			return *b
		case c&canFalse != 0:
			a.join(b)
		}
		return a
	case rule.Neg:
		return negative(p.value(st, op.Args[0]))
	case rule.ToDouble:
		if a := p.value(st, op.Args[0]); a.kind == sense.Int {
			return between(sense.Double, place(float64(a.lo)), place(float64(a.hi)))
		}
	case rule.ToInt:
		if a := p.value(st, op.Args[0]); a.kind == sense.Double {
			return truncated(a)
		}
	case rule.Size:
		return sizes(p.value(st, op.Args[0]))
	case rule.Add, rule.Sub, rule.Mul, rule.Div, rule.Mod:
		return arithmetic(op.Code, op.Kind, p.value(st, op.Args[0]), p.value(st, op.Args[1]))
	}
	return anything(op.Kind)
}

func negative(a *set) set {
	if a.kind == sense.Double {
		s := between(sense.Double, -a.hi, -a.lo) // places mirror at zero
		s.nan = a.nan
		return s
	}
	if a.lo == math.MinInt64 {
		return between(a.kind, -a.hi, math.MaxInt64)
	}
	return between(a.kind, -a.hi, -a.lo)
}

func truncated(a *set) set {
	bound := func(f float64) int64 {
		switch f = math.Trunc(f); {
		case f >= 1<<63:
			return math.MaxInt64
		case f <= -(1 << 63):
			return math.MinInt64
		}
		return int64(f)
	}
	return between(sense.Int, bound(at(a.lo)), bound(at(a.hi)))
}

// sizes counts the characters of words, where they are known.
func sizes(a *set) set {
	if a.kind != sense.String || !a.only || len(a.words) == 0 {
		return between(sense.Int, 0, math.MaxInt64)
	}
	s := between(sense.Int, math.MaxInt64, 0)
	for _, w := range a.words {
		n := int64(utf8.RuneCountInString(w))
		s.lo, s.hi = min(s.lo, n), max(s.hi, n)
	}
	return s
}

// arithmetic returns the values that a op b can have.
func arithmetic(c rule.Code, kind sense.Kind, a, b *set) set {
	switch {
	case kind == sense.String || !numeric(a.kind) || !numeric(b.kind):
		return anything(kind)
	case a.lo > a.hi || b.lo > b.hi:
		return anything(kind)
	case a.kind == sense.Double && b.kind == sense.Double:
		return doubles(c, a, b)
	case a.kind == sense.Double || b.kind == sense.Double:
		return anything(kind) // money times a number
	}
	switch c {
	case rule.Add:
		return between(kind, plus(a.lo, b.lo), plus(a.hi, b.hi))
	case rule.Sub:
		return between(kind, minus(a.lo, b.hi), minus(a.hi, b.lo))
	case rule.Mul:
		return hull(kind, times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi))
	case rule.Div:
		if b.lo <= 0 && b.hi >= 0 {
			return anything(kind)
		}
		return hull(kind, over(a.lo, b.lo), over(a.lo, b.hi), over(a.hi, b.lo), over(a.hi, b.hi))
	}
	return remainder(kind, a, b)
}

func hull(kind sense.Kind, corners ...int64) set {
	return between(kind, slices.Min(corners), slices.Max(corners))
}

// remainder has the sign of what is divided, and is smaller than the divisor.
func remainder(kind sense.Kind, a, b *set) set {
	most := int64(math.MaxInt64)
	if b.lo > math.MinInt64 {
		most = max(b.hi, -b.hi, b.lo, -b.lo, 1) - 1
	}
	s := between(kind, -most, most)
	if a.lo >= 0 {
		s.lo, s.hi = 0, min(most, a.hi)
	}
	if a.hi <= 0 {
		s.hi = 0
	}
	return s
}

// Sums, products and quotients that stop at the ends: what lies beyond is an error.
func plus(a, b int64) int64 {
	n := a + b
	switch {
	case a > 0 && b > 0 && n <= 0:
		return math.MaxInt64
	case a < 0 && b < 0 && n >= 0:
		return math.MinInt64
	}
	return n
}

func minus(a, b int64) int64 {
	n := a - b
	switch {
	case a >= 0 && b < 0 && n < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && n >= 0:
		return math.MinInt64
	}
	return n
}

func times(a, b int64) int64 {
	size := func(n int64) uint64 {
		if n < 0 {
			return -uint64(n)
		}
		return uint64(n)
	}
	hi, lo := bits.Mul64(size(a), size(b))
	negative := (a < 0) != (b < 0)
	switch {
	case hi == 0 && negative && lo <= 1<<63:
		return int64(-lo)
	case hi == 0 && !negative && lo < 1<<63:
		return int64(lo)
	case negative:
		return math.MinInt64
	}
	return math.MaxInt64
}

func over(a, b int64) int64 {
	if a == math.MinInt64 && b == -1 {
		return math.MaxInt64
	}
	return a / b
}

// doubles bounds IEEE arithmetic, which rounds to the nearest and so keeps the order. Where
// an end is no number, the result can be anything.
func doubles(c rule.Code, a, b *set) set {
	x, y := [2]float64{at(a.lo), at(a.hi)}, [2]float64{at(b.lo), at(b.hi)}
	if c == rule.Div && y[0] <= 0 && y[1] >= 0 {
		return anything(sense.Double)
	}
	lo, hi := at(infinity), at(-infinity)
	for _, f := range x {
		for _, g := range y {
			var r float64
			switch c {
			case rule.Add:
				r = f + g
			case rule.Sub:
				r = f - g
			case rule.Mul:
				r = float64(f * g)
			default:
				r = f / g
			}
			if math.IsNaN(r) {
				return anything(sense.Double)
			}
			lo, hi = min(lo, r), max(hi, r)
		}
	}
	s := between(sense.Double, place(lo), place(hi))
	// An infinite factor makes no number of a zero that lies within.
	s.nan = a.nan || b.nan || c == rule.Mul && (unbounded(x) || unbounded(y))
	return s
}

func unbounded(x [2]float64) bool { return math.IsInf(x[0], 0) || math.IsInf(x[1], 0) }

// matches says what startsWith, endsWith and contains can be over known words.
func matches(c rule.Code, a, b *set) truths {
	if !a.only || !b.only {
		return anyTruth
	}
	t := canUnknown
	for _, x := range a.words {
		for _, y := range b.words {
			var yes bool
			switch c {
			case rule.StartsWith:
				yes = strings.HasPrefix(x, y)
			case rule.EndsWith:
				yes = strings.HasSuffix(x, y)
			default:
				yes = strings.Contains(x, y)
			}
			if yes {
				t |= canTrue
			} else {
				t |= canFalse
			}
		}
	}
	return t
}
