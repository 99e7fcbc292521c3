package peers

import (
	"math"
	"strconv"
	"strings"

	"github.com/tact-edge/tact/context/sense"
)

// wrapper gives an engine that knows neither unknown nor held the same three values, in the form that costs it
// least. A condition is written as what makes it certainly true, negations at the leaves alone. A number that is
// unknown is NaN, of which neither x < 5 nor x >= 5 holds, so that nothing has to ask. A bool is two, known to be
// true and known to be false; an unknown string is empty. What held looks back at is the instant since when it is
// certainly true, which the wrapper keeps; it never comes while that is certainly false.
type wrapper struct {
	w      *Workload
	values []Value
	watch  [][]int32 // attribute -> predicates that held looks back at
	truths []Truth   // of those, by predicate
	since  []int64   // since when they are so
	looked [][2]bool // by predicate: whether held looks at it, and at its opposite
	// number, word and flag take what changed to the engine's variables.
	number func(name variable, v float64)
	word   func(name variable, s string)
	flag   func(name variable, yes, no bool)
}

// variable names an attribute, or a predicate (or its opposite) that held looks back at.
type variable struct {
	held bool
	not  bool
	of   int32
}

func (v variable) String() string {
	switch {
	case !v.held:
		return "X" + strconv.Itoa(100+int(v.of))
	case v.not:
		return "N" + strconv.Itoa(100000+int(v.of))
	}
	return "H" + strconv.Itoa(100000+int(v.of))
}

// wrap makes the wrapper of a workload; reset takes every variable to the engine, all unknown.
func wrap(w *Workload) *wrapper {
	x := &wrapper{w: w, values: make([]Value, len(w.Attributes)), watch: make([][]int32, len(w.Attributes)),
		truths: make([]Truth, len(w.Predicates)), since: make([]int64, len(w.Predicates)), looked: make([][2]bool, len(w.Predicates))}
	for k := range w.Predicates {
		p := &w.Predicates[k]
		if p.Form != HeldFor {
			continue
		}
		if looked := &x.looked[p.Of]; *looked == [2]bool{} {
			a := w.Predicates[p.Of].A
			x.watch[a] = append(x.watch[a], p.Of)
		}
		if p.Not {
			x.looked[p.Of][1] = true
		} else {
			x.looked[p.Of][0] = true
		}
	}
	return x
}

// reset takes every variable to the engine, all unknown.
func (x *wrapper) reset() {
	for k := range x.values {
		x.take(int32(k))
		for _, p := range x.watch[k] {
			x.takeHeld(p)
		}
	}
}

// update takes an attribute, and what held looks back at over it.
func (x *wrapper) update(attribute int32, v Value, now int64) {
	x.values[attribute] = v
	x.take(attribute)
	for _, p := range x.watch[attribute] {
		t := x.w.Now(&x.w.Predicates[p], x.values, now)
		if t != x.truths[p] {
			x.truths[p], x.since[p] = t, now
			x.takeHeld(p)
		}
	}
}

// turns returns the instant at which time alone turns a predicate next.
func (x *wrapper) turns(k int32, now int64) sense.Instant {
	p, at := &x.w.Predicates[k], int64(0)
	switch {
	case p.Form == Recent && x.values[p.A].Known:
		at = x.values[p.A].N + int64(p.Limit)
	case p.Form == HeldFor && x.truths[p.Of] == truth(!p.Not):
		at = x.since[p.Of] + int64(p.Limit)
	}
	if at <= now {
		return sense.Never
	}
	return sense.Instant(at)
}

func (x *wrapper) take(attribute int32) {
	name, v := variable{of: attribute}, x.values[attribute]
	switch a := &x.w.Attributes[attribute]; {
	case a.Kind == Bool:
		x.flag(name, v.Known && v.N == 1, v.Known && v.N == 0)
	case a.Kind == String && v.Known:
		x.word(name, a.Words[v.N])
	case a.Kind == String:
		x.word(name, "")
	case v.Known:
		x.number(name, v.Number(a.Kind))
	default:
		x.number(name, math.NaN())
	}
}

// takeHeld takes since when a predicate is true, and since when its opposite is.
func (x *wrapper) takeHeld(p int32) {
	for side, when := range [...]Truth{True, False} {
		if !x.looked[p][side] {
			continue
		}
		since := math.Inf(1)
		switch x.truths[p] {
		case when:
			since = float64(x.since[p])
		case Unknown:
			since = math.NaN()
		}
		x.number(variable{held: true, not: side == 1, of: p}, since)
	}
}

// text writes a condition in the words that expr, CEL and grule share. side names a variable, or its part yes or no.
// Of a number it is told lo or hi, from which side it counts: an engine that takes no NaN can have two, which are -Inf and
// +Inf where it is unknown.
type text struct {
	w    *Workload
	side func(v variable, side string) string
	now  string
	out  strings.Builder
}

// write returns what makes the condition certainly true.
func (t *text) write(n *Node) string {
	t.out.Reset()
	t.node(n, false)
	return t.out.String()
}

func (t *text) node(n *Node, opposite bool) {
	switch n.Op {
	case Leaf:
		t.atom(&t.w.Predicates[n.Pred], n.Pred, n.Opposite != opposite)
		return
	case Not:
		t.node(&n.Args[0], !opposite)
		return
	}
	between := " && "
	if (n.Op == Or) != opposite {
		between = " || "
	}
	t.out.WriteByte('(')
	for k := range n.Args {
		if k > 0 {
			t.out.WriteString(between)
		}
		t.node(&n.Args[k], opposite)
	}
	t.out.WriteByte(')')
}

// atom writes each comparison on the sides by which it fails where something is unknown.
func (t *text) atom(p *Predicate, k int32, opposite bool) {
	a, b := variable{of: p.A}, variable{of: p.B}
	small, large, less, more := "lo", "hi", " < ", " > "
	if opposite {
		small, large, less, more = "hi", "lo", " >= ", " <= "
	}
	limit := literal(p.Limit)
	var words []string
	switch p.Form {
	case Less:
		words = []string{t.side(a, large), less, limit}
	case Equal:
		is, word := t.side(a, ""), strconv.Quote(t.w.Attributes[p.A].Words[p.N])
		if opposite {
			words = []string{"(", is, " != ", word, ` && `, is, ` != "")`}
		} else {
			words = []string{is, " == ", word}
		}
	case IsTrue:
		if opposite {
			words = []string{t.side(a, "no")}
		} else {
			words = []string{t.side(a, "yes")}
		}
	case Below:
		words = []string{t.side(a, large), less, t.side(b, small)}
	case Excess:
		words = []string{t.side(a, small), " - ", t.side(b, large), more, limit}
	case Sum:
		words = []string{t.side(a, small), " + ", t.side(b, small), " * 2.0", more, limit}
	case Recent:
		words = []string{t.now, " - ", t.side(a, small), less, limit}
	case HeldFor:
		since := variable{held: true, not: p.Not, of: p.Of}
		if opposite {
			words = []string{t.now, " - ", t.side(since, "lo"), " < ", limit}
		} else {
			words = []string{t.now, " - ", t.side(since, "hi"), " >= ", limit}
		}
	}
	for _, w := range words {
		t.out.WriteString(w)
	}
}

// literal writes a number so that every language takes it for a double.
func literal(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
