package reach

import (
	"fmt"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// mostParts bounds how many parts of a condition are held against each other.
const mostParts = 32

func (f *finder) stages(section string, k int, eligible, applicable, suitable rule.Node) {
	f.condition(Found{Section: section, Index: k, Key: "eligible"}, eligible)
	f.condition(Found{Section: section, Index: k, Key: "applicable"}, applicable)
	f.condition(Found{Section: section, Index: k, Key: "suitable"}, suitable)
}

func (f *finder) weights(section string, k int, all []catalog.Weight) {
	for _, w := range all {
		f.condition(Found{Section: section, Index: k, Key: Weights}, w.When)
	}
}

// derived judges what a derived value is, below what makes it last.
func (f *finder) derived(k int) {
	d := &f.b.Derived[k]
	if d.Kind != sense.Bool || d.Node == rule.None {
		return
	}
	begins, ends := f.halves(d.Node)
	f.condition(Found{Section: Derived, Index: k, Key: "is"}, begins)
	if ends == rule.None || f.dead[begins] {
		return
	}
	f.s.learn(ends)
	opposite := !f.s.possible(assumption{begins, canTrue}, assumption{ends, canTrue}) && !f.s.possible(assumption{begins, canFalse}, assumption{ends, canFalse})
	if !opposite { // an until of its own, not what debounce and hold make of it
		f.condition(Found{Section: Derived, Index: k, Key: "until"}, ends)
	}
}

// halves takes what begins and what ends a value out of the latches of until, debounce and hold.
func (f *finder) halves(n rule.Node) (begins, ends rule.Node) {
	begins, ends = n, rule.None
	for f.b.Program.Nodes[begins].Code == rule.Latch {
		args := f.b.Program.Nodes[begins].Args
		begins, ends = f.lasting(args[0]), f.lasting(args[1])
	}
	return begins, ends
}

// lasting returns x of held(x) >= d, else the condition itself.
func (f *finder) lasting(n rule.Node) rule.Node {
	g := line{f: f}
	if op := &f.b.Program.Nodes[n]; compares(op.Code) {
		if arg, ok := g.lasting(op); ok {
			return arg
		}
	}
	return n
}

// name is how a finding speaks of the condition that it is about.
func (f *finder) name(at Found) string {
	if at.Section == Derived {
		return f.b.Derived[at.Index].Name
	}
	return at.Key
}

// condition judges one condition where its author wrote it.
func (f *finder) condition(at Found, n rule.Node) {
	if n == rule.None || f.b.Program.Nodes[n].Kind != sense.Bool {
		return
	}
	op := &f.b.Program.Nodes[n]
	if op.Code == rule.Const {
		if !op.Value.Bool() {
			f.dead[n] = true
			f.add(at, Unreachable, "remove the action, or write when it holds", "%s is never true", f.name(at))
		}
		return
	}
	f.s.learn(n)
	elsewhere := f.defined[n] && at.Section != States && at.Section != Derived // and judged there
	switch {
	case !f.s.possible(assumption{n, canTrue}):
		if f.dead[n] = true; !elsewhere {
			f.never(at, n)
		}
	case elsewhere:
	case !f.s.possible(assumption{n, canFalse}):
		f.always(at, n, f.name(at))
	default:
		f.parts(at, n, true)
	}
}

// text is how a condition reads.
func (f *finder) text(n rule.Node) string { return f.b.Program.Nodes[n].Text }

// conjuncts are the parts that must all be true for a condition to be true.
func (f *finder) conjuncts(n rule.Node) (all []rule.Node) {
	if op := &f.b.Program.Nodes[n]; op.Code == rule.And {
		for _, a := range op.Args {
			all = append(all, f.conjuncts(a)...)
		}
		return all
	}
	return []rule.Node{n}
}

// never says why a condition can never be true.
func (f *finder) never(at Found, n rule.Node) {
	parts := f.conjuncts(n)
	for _, x := range parts {
		if !f.s.possible(assumption{x, canTrue}) {
			if x != n && f.dead[x] && f.defined[x] {
				return // which is reported where it is defined
			}
			f.add(at, Unreachable, "look at the values that it can have", "%s can never be true: `%s` never is", f.name(at), f.text(x))
			return
		}
	}
	at.Error = true
	hint := "one of the two is not what you mean; || joins what need not hold together"
	if a, b, ok := f.clash(parts); ok {
		f.add(at, Contradiction, hint, "%s can never be true: `%s` and `%s` contradict each other", f.name(at), f.text(a), f.text(b))
		return
	}
	f.add(at, Contradiction, hint, "%s can never be true: its parts contradict each other", f.name(at))
}

// clash finds two parts that can't be true together.
func (f *finder) clash(parts []rule.Node) (a, b rule.Node, ok bool) {
	parts = parts[:min(len(parts), mostParts)]
	for k := range parts {
		for l := range parts[:k] {
			if !f.s.possible(assumption{parts[l], canTrue}, assumption{parts[k], canTrue}) {
				return parts[l], parts[k], true
			}
		}
	}
	return 0, 0, false
}

func (f *finder) always(at Found, n rule.Node, what string) {
	hint := "leave it out, or look at the values that it is compared with"
	for _, a := range f.b.Program.Nodes[n].Args {
		if op := &f.b.Program.Nodes[a]; op.Code == rule.Load && f.b.Program.Inputs[op.Input].From < rule.FromHas {
			hint = fmt.Sprintf("it only asks whether %s is known: has(%[1]s) says so", f.b.Program.Inputs[op.Input].Name)
			break
		}
	}
	f.add(at, AlwaysTrue, hint, "%s is true whatever the values are, wherever they are known", what)
}

// parts judges the alternatives and parts of a condition that can be true and false.
func (f *finder) parts(at Found, n rule.Node, whole bool) {
	op := &f.b.Program.Nodes[n]
	if !whole && f.defined[n] || op.Code != rule.And && op.Code != rule.Or || len(op.Args) > mostParts {
		return
	}
	for _, a := range op.Args {
		if f.defined[a] || f.b.Program.Nodes[a].Code == rule.Const {
			continue
		}
		switch {
		case !f.s.possible(assumption{a, canTrue}):
			f.deadPart(at, a)
		case !f.s.possible(assumption{a, canFalse}):
			f.always(at, a, fmt.Sprintf("`%s` in %s", f.text(a), f.name(at)))
		default:
			f.parts(at, a, false)
		}
	}
}

// deadPart is an alternative that can never be true.
func (f *finder) deadPart(at Found, n rule.Node) {
	if a, b, ok := f.clash(f.conjuncts(n)); ok && a != b {
		f.add(at, Contradiction, "one of the two is not what you mean", "`%s` and `%s` in %s contradict each other: this alternative can never be true", f.text(a), f.text(b), f.name(at))
		return
	}
	f.add(at, Unreachable, "look at the values that it can have", "`%s` in %s can never be true", f.text(n), f.name(at))
}
