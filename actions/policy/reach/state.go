package reach

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// state judges the conditions of a state of attention, and what they leave open.
func (f *finder) state(k int) {
	s := &f.b.States[k]
	if s.Node == rule.None {
		return
	}
	op := &f.b.Program.Nodes[s.Node]
	if op.Code != rule.Latch {
		f.condition(Found{Section: States, Index: k, Key: "when"}, s.Node)
		return
	}
	when, until := op.Args[0], op.Args[1]
	f.condition(Found{Section: States, Index: k, Key: "when"}, when)
	f.condition(Found{Section: States, Index: k, Key: "until"}, until)
	if f.dead[when] || f.dead[until] {
		return
	}
	at := Found{Section: States, Index: k, Key: "until"}
	if !f.s.possible(assumption{until, canTrue}, assumption{when, canFalse}) {
		f.add(at, Unreachable, "until must be true somewhere where when is false", "state %s never ends: wherever until is true, when is not false", s.Name)
		return
	}
	if gap, of, ok := f.gap(when, until); ok {
		f.add(Found{Section: States, Index: k}, Uncovered, "let when and until meet or overlap, as in when: \"speed > 5\", until: \"speed < 7\"",
			"state %s is open where %s is %s: neither when nor until is true there, and after a start it stays unknown, which counts as %s", s.Name, of, gap, careful(s.Name))
	}
}

func careful(state string) string {
	if state == catalog.StateAlone {
		return "not alone"
	}
	return state
}

// gap names the values of the one input that when and until read, for which neither can become
// true. Conditions over anything else are left alone.
func (f *finder) gap(when, until rule.Node) (text, of string, ok bool) {
	g := &line{f: f, input: -1}
	if !g.read(when) || !g.read(until) || g.input < 0 {
		return "", "", false
	}
	in := &f.b.Program.Inputs[g.input]
	var open []string
	switch domain := f.s.inputs[g.input]; {
	case in.Kind == sense.Bool:
		for _, v := range []bool{false, true} {
			if x := sense.BoolValue(v); !g.holds(when, x) && !g.holds(until, x) {
				open = append(open, x.String())
			}
		}
	case in.Kind == sense.String && domain.only:
		for _, w := range domain.words {
			if x := sense.StringValue(w); !g.holds(when, x) && !g.holds(until, x) {
				open = append(open, "'"+w+"'")
			}
		}
	case numeric(in.Kind):
		open = g.ranges(&domain, when, until)
	}
	return strings.Join(open, ", or "), in.Name, len(open) > 0
}

// line evaluates conditions over one input alone: comparisons with constants, joined.
type line struct {
	f     *finder
	input int32
	ends  []sense.Value // what the input is compared with
}

// read says whether a condition is over one input alone; held(x) >= d becomes true where x stays so.
func (g *line) read(n rule.Node) bool {
	op := &g.f.b.Program.Nodes[n]
	switch {
	case op.Code == rule.And || op.Code == rule.Or || op.Code == rule.Not:
		return !slices.ContainsFunc(op.Args, func(a rule.Node) bool { return !g.read(a) })
	case op.Code == rule.Load:
		return g.one(op.Input)
	case op.Code == rule.Const:
		return true
	case !compares(op.Code):
		return false
	}
	if arg, ok := g.lasting(op); ok {
		return g.read(arg)
	}
	a, b := &g.f.b.Program.Nodes[op.Args[0]], &g.f.b.Program.Nodes[op.Args[1]]
	if a.Code != rule.Load || b.Code != rule.Const {
		return false
	}
	g.ends = append(g.ends, b.Value)
	return g.one(a.Input)
}

func (g *line) one(input int32) bool {
	if from := g.f.b.Program.Inputs[input].From; from != rule.FromSignal && from != rule.FromFact || g.input >= 0 && g.input != input {
		return false
	}
	g.input = input
	return true
}

// lasting is held(x) >= d and held(x) > d: true at last where x stays true.
func (g *line) lasting(op *rule.Op) (arg rule.Node, ok bool) {
	a, b := &g.f.b.Program.Nodes[op.Args[0]], &g.f.b.Program.Nodes[op.Args[1]]
	if a.Code != rule.Held || b.Code != rule.Const || op.Code != rule.Ge && op.Code != rule.Gt || b.Value.Length() < 0 {
		return 0, false
	}
	return a.Args[0], true
}

// holds evaluates a condition that read has accepted, for a value that stays.
func (g *line) holds(n rule.Node, v sense.Value) bool {
	op := &g.f.b.Program.Nodes[n]
	switch op.Code {
	case rule.And:
		return !slices.ContainsFunc(op.Args, func(a rule.Node) bool { return !g.holds(a, v) })
	case rule.Or:
		return slices.ContainsFunc(op.Args, func(a rule.Node) bool { return g.holds(a, v) })
	case rule.Not:
		return !g.holds(op.Args[0], v)
	case rule.Load:
		return v.Bool()
	case rule.Const:
		return op.Value.Bool()
	}
	if arg, ok := g.lasting(op); ok {
		return g.holds(arg, v)
	}
	end := g.f.b.Program.Nodes[op.Args[1]].Value
	if op.Code == rule.Eq || op.Code == rule.Ne {
		return v.Equal(end) == (op.Code == rule.Eq)
	}
	a, b := exactly(v), exactly(end)
	return order(&a, &b)&holding(op.Code) != 0
}

// ranges cuts the input's values at the constants and names the parts in which neither holds.
// Between two neighbouring constants a condition is the same everywhere.
func (g *line) ranges(domain *set, when, until rule.Node) (open []string) {
	if domain.kind != sense.Date && !slices.ContainsFunc(g.ends, func(v sense.Value) bool { return number(v) < 0 }) {
		domain.within(0, math.MaxInt64) // what is compared with nothing below zero counts or measures something
	}
	cuts := []int64{domain.lo, domain.hi}
	for _, v := range g.ends {
		for _, d := range []int64{-1, 0, 1} {
			if n := number(v) + d; n >= domain.lo && n <= domain.hi {
				cuts = append(cuts, n)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	from := -1
	for k := 0; k <= len(cuts); k++ {
		free := k < len(cuts) && !g.covered(domain.kind, cuts[k], when, until)
		switch {
		case free && from < 0:
			from = k
		case !free && from >= 0:
			open = append(open, g.span(domain, cuts[from], cuts[k-1]))
			from = -1
		}
	}
	return open
}

func (g *line) covered(kind sense.Kind, n int64, when, until rule.Node) bool {
	v := value(kind, n)
	return g.holds(when, v) || g.holds(until, v)
}

// value is the inverse of number.
func value(kind sense.Kind, n int64) sense.Value {
	switch kind {
	case sense.Double:
		return sense.DoubleValue(at(n))
	case sense.Length:
		return sense.LengthValue(sense.Duration(n))
	case sense.Timestamp:
		return sense.TimestampValue(sense.Instant(n))
	case sense.Date:
		return sense.DateValue(n)
	case sense.Money:
		return sense.MoneyValue(n)
	}
	return sense.IntValue(n)
}

// span names the numbers from lo to hi. A double just beside a constant is said as above or below it.
func (g *line) span(domain *set, lo, hi int64) string {
	end := func(n int64) (text string, beside int) {
		if domain.kind == sense.Double {
			for _, v := range g.ends {
				if d := cmp.Compare(n, number(v)); d != 0 && number(v)+int64(d) == n {
					return plain(v), d
				}
			}
		}
		return plain(value(domain.kind, n)), 0
	}
	from, above := end(lo)
	to, below := end(hi)
	var parts []string
	switch {
	case lo == domain.lo:
	case above > 0:
		parts = append(parts, "above "+from)
	default:
		parts = append(parts, "at least "+from)
	}
	switch {
	case hi == domain.hi:
	case below < 0:
		parts = append(parts, "below "+to)
	default:
		parts = append(parts, "at most "+to)
	}
	switch {
	case len(parts) == 0:
		return "anything"
	case lo == hi, above == 0 && below == 0 && from == to:
		return from
	}
	return strings.Join(parts, " and ")
}

func plain(v sense.Value) string { return strings.Trim(fmt.Sprint(v), `"`) }
