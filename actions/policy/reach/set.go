package reach

import (
	"math"
	"slices"
	"strings"

	"github.com/tact-edge/tact/context/sense"
)

// set is what a value can be while it is known. Numbers of every kind are held as whole
// numbers in their own order: doubles by their place among all doubles.
type set struct {
	kind   sense.Kind
	lo, hi int64   // of ordered kinds but strings; none where lo > hi
	holes  []int64 // numbers that it is not, in order
	nan    bool    // a double that may be no number
	only   bool    // of a string: one of words, else none of words
	words  []string
}

// infinity is the place of the infinite double; its mirror is that of the other one.
const infinity = 0x7FF << 52

// mostHoles bounds how many single values are remembered as left out.
const mostHoles = 64

// numeric says whether values of a kind are held as whole numbers.
func numeric(k sense.Kind) bool {
	switch k {
	case sense.Int, sense.Double, sense.Length, sense.Timestamp, sense.Date, sense.Money:
		return true
	}
	return false
}

// anything is every value of a kind.
func anything(k sense.Kind) set {
	s := set{kind: k, lo: math.MinInt64, hi: math.MaxInt64}
	if k == sense.Double {
		s.lo, s.hi, s.nan = -infinity, infinity, true
	}
	return s
}

// finite is every double that is a finite number.
func finite() set {
	return set{kind: sense.Double, lo: place(-math.MaxFloat64), hi: place(math.MaxFloat64)}
}

func between(k sense.Kind, lo, hi int64) set { return set{kind: k, lo: lo, hi: hi} }

// exactly is one value.
func exactly(v sense.Value) set {
	s := set{kind: v.Kind()}
	switch {
	case v.Kind() == sense.Double && math.IsNaN(v.Double()):
		s.lo, s.hi, s.nan = 1, 0, true
	case numeric(v.Kind()):
		s.lo = number(v)
		s.hi = s.lo
	case v.Kind() == sense.String:
		s.only, s.words = true, []string{v.Str()}
	default:
		return anything(v.Kind())
	}
	return s
}

// number returns the place of a numeric value in its order.
func number(v sense.Value) int64 {
	if v.Kind() == sense.Double {
		return place(v.Double())
	}
	return v.Int()
}

// place maps doubles that are numbers to whole numbers in the same order, next to next; at is its inverse.
func place(f float64) int64 {
	b := int64(math.Float64bits(f))
	if b < 0 {
		return math.MinInt64 - b
	}
	return b
}

func at(n int64) float64 {
	if n < 0 {
		n = math.MinInt64 - n
	}
	return math.Float64frombits(uint64(n))
}

// empty says that no known value is left.
func (s *set) empty() bool {
	if s.kind == sense.String {
		return s.only && len(s.words) == 0
	}
	return numeric(s.kind) && s.lo > s.hi && !s.nan
}

// single returns the only number left.
func (s *set) single() (int64, bool) { return s.lo, numeric(s.kind) && s.lo == s.hi && !s.nan }

func (s *set) equal(o *set) bool {
	return s.kind == o.kind && s.lo == o.lo && s.hi == o.hi && s.nan == o.nan && s.only == o.only &&
		slices.Equal(s.holes, o.holes) && slices.Equal(s.words, o.words)
}

// within narrows an interval.
func (s *set) within(lo, hi int64) {
	s.lo, s.hi = max(s.lo, lo), min(s.hi, hi)
	s.trim()
}

// trim moves the ends past the numbers that are left out.
func (s *set) trim() {
	for s.lo <= s.hi {
		_, low := slices.BinarySearch(s.holes, s.lo)
		_, high := slices.BinarySearch(s.holes, s.hi)
		switch {
		case low && s.lo == math.MaxInt64, high && s.hi == math.MinInt64:
			s.lo, s.hi = 1, 0
		case low:
			s.lo++
		case high:
			s.hi--
		default:
			return
		}
	}
	s.lo, s.hi = 1, 0
}

// without leaves out one number.
func (s *set) without(n int64) {
	if n < s.lo || n > s.hi || len(s.holes) >= mostHoles {
		return
	}
	k, known := slices.BinarySearch(s.holes, n)
	if known {
		return
	}
	s.holes = slices.Insert(slices.Clone(s.holes), k, n)
	s.trim()
}

func (s *set) holds(n int64) bool {
	_, hole := slices.BinarySearch(s.holes, n)
	return n >= s.lo && n <= s.hi && !hole
}

func (s *set) word(w string) bool { return slices.Contains(s.words, w) == s.only }

// meet narrows s to what is in o too.
func (s *set) meet(o *set) {
	switch {
	case numeric(s.kind):
		s.nan = s.nan && o.nan
		s.within(o.lo, o.hi)
		for _, n := range o.holes {
			s.without(n)
		}
	case s.kind == sense.String && o.only:
		var words []string
		for _, w := range o.words {
			if s.word(w) {
				words = append(words, w)
			}
		}
		s.only, s.words = true, words
	case s.kind == sense.String:
		for _, w := range o.words {
			s.drop(w)
		}
	}
}

// drop leaves out one word.
func (s *set) drop(w string) {
	if !s.word(w) || !s.only && len(s.words) >= mostHoles {
		return
	}
	if s.only {
		s.words = slices.DeleteFunc(slices.Clone(s.words), func(x string) bool { return x == w })
		return
	}
	s.words = append(slices.Clone(s.words), w)
	slices.Sort(s.words)
}

// join widens s to what is in o too.
func (s *set) join(o *set) {
	switch {
	case numeric(s.kind):
		s.nan = s.nan || o.nan
		switch {
		case o.lo > o.hi:
			return
		case s.lo > s.hi:
			s.lo, s.hi, s.holes = o.lo, o.hi, o.holes
			return
		}
		s.holes = slices.DeleteFunc(slices.Clone(s.holes), func(n int64) bool { return o.holds(n) })
		for _, n := range o.holes {
			if _, known := slices.BinarySearch(s.holes, n); !known && (n < s.lo || n > s.hi) && len(s.holes) < mostHoles {
				s.holes = append(s.holes, n)
				slices.Sort(s.holes)
			}
		}
		s.lo, s.hi = min(s.lo, o.lo), max(s.hi, o.hi)
	case s.kind == sense.String && s.only && o.only:
		s.words = slices.Compact(slices.Sorted(slices.Values(slices.Concat(s.words, o.words))))
	case s.kind == sense.String:
		s.only, s.words = false, nil
	}
}

// orders is which ways two known values can stand to each other.
type orders uint8

const (
	less orders = 1 << iota
	same
	more
	unordered // one of them is no number
	anyOrder  = less | same | more | unordered
)

// mirrored is the same seen from the other value.
func (o orders) mirrored() orders {
	m := o & (same | unordered)
	if o&less != 0 {
		m |= more
	}
	if o&more != 0 {
		m |= less
	}
	return m
}

// order says how values of a and b can stand to each other.
func order(a, b *set) (o orders) {
	switch {
	case numeric(a.kind):
		if a.nan || b.nan {
			o |= unordered
		}
		if a.lo > a.hi || b.lo > b.hi {
			return o
		}
		if a.lo < b.hi {
			o |= less
		}
		if a.hi > b.lo {
			o |= more
		}
		if overlap(a, b) {
			o |= same
		}
		return o
	case a.kind == sense.String && a.only && b.only:
		for _, x := range a.words {
			for _, y := range b.words {
				switch c := strings.Compare(x, y); {
				case c < 0:
					o |= less
				case c > 0:
					o |= more
				default:
					o |= same
				}
			}
		}
		return o
	case a.kind == sense.String && (a.only && !slices.ContainsFunc(a.words, b.word) || b.only && !slices.ContainsFunc(b.words, a.word)):
		return less | more
	case a.kind == sense.String:
		return less | same | more
	}
	return anyOrder // unequal, in kinds without an order
}

// overlap says whether two sets of numbers may share one.
func overlap(a, b *set) bool {
	lo, hi := max(a.lo, b.lo), min(a.hi, b.hi)
	return lo < hi || lo == hi && a.holds(lo) && b.holds(lo)
}

// stand narrows a and b to values that stand to each other in one of the ways.
func stand(a, b *set, o orders) {
	if !numeric(a.kind) {
		standWords(a, b, o)
		return
	}
	if o&unordered != 0 && (a.nan || b.nan) {
		return
	}
	a.nan, b.nan = false, false
	switch o &^ unordered {
	case 0:
		a.lo, a.hi = 1, 0
	case same:
		a.meet(b)
		b.meet(a)
	case less, less | same:
		below(a, b, o&same != 0)
	case more, more | same:
		below(b, a, o&same != 0)
	case less | more:
		if n, one := b.single(); one {
			a.without(n)
		}
		if n, one := a.single(); one {
			b.without(n)
		}
	}
}

// below narrows a and b to a < b, or a <= b.
func below(a, b *set, orSame bool) {
	if a.lo > a.hi || b.lo > b.hi {
		return
	}
	top, bottom := b.hi, a.lo
	if !orSame {
		if top == math.MinInt64 || bottom == math.MaxInt64 {
			a.lo, a.hi = 1, 0
			return
		}
		top, bottom = top-1, bottom+1
	}
	a.within(math.MinInt64, top)
	b.within(bottom, math.MaxInt64)
}

func standWords(a, b *set, o orders) {
	if a.kind != sense.String {
		return
	}
	switch {
	case o == same:
		a.meet(b)
		b.meet(a)
	case o&same == 0:
		if b.only && len(b.words) == 1 {
			a.drop(b.words[0])
		}
		if a.only && len(a.words) == 1 {
			b.drop(a.words[0])
		}
	}
}
