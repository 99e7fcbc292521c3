package register

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// Where an action uses something.
const (
	condition = "condition"
	text      = "text"
	question  = "question"
	guards    = "guard"
	delivery  = "delivery"
	handOver  = "hand-over"
	price     = "price"
	value     = "weight"
)

// usage is who uses one datum: actions by index with where, and what else, by name.
type usage struct {
	actions map[int][]string
	other   []string
}

func (u *usage) by(action int, where string) {
	if u.actions == nil {
		u.actions = map[int][]string{}
	}
	if !slices.Contains(u.actions[action], where) {
		u.actions[action] = append(u.actions[action], where)
	}
}

// in returns where an action uses the datum, in order.
func (u *usage) in(action int) []string { return slices.Sorted(slices.Values(u.actions[action])) }

func (u *usage) forOther(what string) {
	if !slices.Contains(u.other, what) {
		u.other = append(u.other, what)
	}
}

func (u *usage) others() []string {
	return append([]string{}, slices.Sorted(slices.Values(u.other))...)
}

// uses is who uses what a bundle declares, by index into its lists.
type uses struct {
	b       *catalog.Bundle
	signals []*usage
	derived []*usage
	facts   []*usage
	kinds   []*usage
	window  []sense.Duration // of signals: the longest time that readings are looked back over
	below   map[rule.Node]*reads
}

// reads is what a condition reads, through derived values and states too.
type reads struct{ signals, derived, facts, kinds []int }

func newUses(b *catalog.Bundle) *uses {
	u := &uses{b: b, signals: many(len(b.Signals)), derived: many(len(b.Derived)), facts: many(len(b.Facts)), kinds: many(len(b.Kinds)),
		window: make([]sense.Duration, len(b.Signals)), below: map[rule.Node]*reads{}}
	for n := range b.Program.Nodes {
		if op := &b.Program.Nodes[n]; op.For > 0 {
			for _, k := range u.readsOf(rule.Node(n)).signals {
				u.window[k] = max(u.window[k], op.For)
			}
		}
	}
	for k := range b.Actions {
		u.action(k)
		u.guards(k)
	}
	for k := range b.States {
		u.node(b.States[k].Node, func(x *usage) { x.forOther("state " + b.States[k].Name) })
	}
	if b.SessionEnd != nil {
		u.node(b.SessionEnd.Ends, func(x *usage) { x.forOther("end of a session") })
	}
	for k := range b.Derived {
		d := &b.Derived[k]
		u.node(d.Node, func(x *usage) {
			if x != u.derived[k] {
				x.forOther("derived value " + d.Name)
			}
		})
	}
	u.elsewhere()
	return u
}

func many(n int) []*usage {
	list := make([]*usage, n)
	for k := range list {
		list[k] = &usage{}
	}
	return list
}

// node notes the use of all that a condition reads.
func (u *uses) node(n rule.Node, note func(*usage)) {
	if n == rule.None {
		return
	}
	r := u.readsOf(n)
	for _, k := range r.signals {
		note(u.signals[k])
	}
	for _, k := range r.derived {
		note(u.derived[k])
	}
	for _, k := range r.facts {
		note(u.facts[k])
	}
	for _, k := range r.kinds {
		note(u.kinds[k])
	}
}

// readsOf walks the nodes below a condition.
func (u *uses) readsOf(root rule.Node) *reads {
	if r := u.below[root]; r != nil {
		return r
	}
	r := &reads{}
	seen := map[rule.Node]bool{}
	stack := []rule.Node{root}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		op := &u.b.Program.Nodes[n]
		stack = append(stack, op.Args...)
		for k := range u.b.Derived {
			// A derived value that is just another name is found by that name.
			if u.b.Derived[k].Node == n && op.Code != rule.Load && op.Code != rule.Const {
				add(&r.derived, k)
			}
		}
		if op.Input >= 0 && int(op.Input) < len(u.b.Program.Inputs) && op.Code != rule.Outer {
			u.input(r, &u.b.Program.Inputs[op.Input])
		}
	}
	u.below[root] = r
	return r
}

func add(list *[]int, k int) {
	if !slices.Contains(*list, k) {
		*list = append(*list, k)
	}
}

// input notes what one input of the program reads.
func (u *uses) input(r *reads, in *rule.Input) {
	b := u.b
	switch from := in.From; {
	case from == rule.FromSignal:
		add(&r.signals, int(in.Index))
	case from == rule.FromFact || from == rule.FromAge:
		add(&r.facts, int(in.Index))
	case from == rule.FromHas:
		if k := b.SignalIndex(in.Name); k >= 0 {
			add(&r.signals, int(k))
		}
		if k := b.FactIndex(in.Name); k >= 0 {
			add(&r.facts, int(k))
		}
	case from == rule.FromInside || from == rule.FromDistance:
		for k := range b.Signals {
			if b.Signals[k].Kind == sense.Position {
				add(&r.signals, k)
			}
		}
	case from >= rule.FromBought && from <= rule.FromViewed:
		for k := range b.Kinds {
			if b.Kinds[k].Means == catalog.MeansBought+catalog.Means(from-rule.FromBought) {
				u.kind(r, k)
			}
		}
	case from == rule.FromOpen || from == rule.FromOverdue || from == rule.FromUntil:
		u.kind(r, int(in.Index))
	}
}

// kind notes a kind, and those that close it or take it back.
func (u *uses) kind(r *reads, k int) {
	add(&r.kinds, k)
	for _, other := range u.closers(k) {
		add(&r.kinds, other)
	}
}

func (u *uses) closers(k int) (list []int) {
	if k < 0 || k >= len(u.b.Kinds) {
		return nil
	}
	kind := &u.b.Kinds[k]
	for _, x := range kind.Undo {
		list = append(list, int(x.Kind))
	}
	for _, x := range []int32{kind.OpenUntil, kind.ClosedBy} {
		if x >= 0 {
			list = append(list, int(x))
		}
	}
	return list
}

// sources names what a derived value is computed from.
func (u *uses) sources(n rule.Node) []string {
	list := []string{}
	if n == rule.None {
		return list
	}
	r := u.readsOf(n)
	for _, k := range r.signals {
		list = append(list, u.b.Signals[k].Name)
	}
	for _, k := range r.facts {
		list = append(list, u.b.Facts[k].Name)
	}
	for _, k := range r.kinds {
		list = append(list, u.b.Kinds[k].Name)
	}
	slices.Sort(list)
	return list
}

// action notes what an action reads and says itself.
func (u *uses) action(k int) {
	a := &u.b.Actions[k]
	nodes := []rule.Node{a.Eligible, a.Applicable, a.Suitable}
	weights := slices.Clone(a.Weights)
	if a.Group >= 0 {
		g := &u.b.Groups[a.Group]
		nodes = append(nodes, g.Eligible, g.Applicable, g.Suitable)
		weights = append(weights, g.Weights...)
	}
	for _, n := range nodes {
		u.node(n, func(x *usage) { x.by(k, condition) })
	}
	for _, w := range weights {
		u.node(w.When, func(x *usage) { x.by(k, value) })
	}
	if a.Price != nil {
		u.node(a.Price.Node, func(x *usage) { x.by(k, price) })
		u.says(k, price, a.Price.Disclose)
	}
	for _, t := range []*catalog.Treatment{a.Say, a.SayPersonal} {
		if t != nil {
			u.says(k, text, t.Title, t.Text, t.Button)
		}
	}
	u.says(k, text, a.Because, a.InReturn, a.Retry)
	for _, f := range []int32{a.Asks, a.Confirms} {
		if f >= 0 {
			u.facts[f].by(k, question)
		}
	}
	for _, n := range a.Needs {
		for _, f := range n.Facts {
			u.facts[f].by(k, delivery)
		}
	}
	if a.HandsOver != nil {
		for _, name := range a.HandsOver.Tells {
			u.named(name, func(x *usage) { x.by(k, handOver) })
		}
		u.named("hand_over", func(x *usage) { x.by(k, handOver) }) // what is remembered of it
	}
	if a.Before >= 0 {
		u.kinds[a.Before].by(k, condition)
	}
}

// says notes the placeholders of texts.
func (u *uses) says(k int, where string, texts ...[]catalog.Rendered) {
	for _, of := range texts {
		for _, one := range of {
			for _, part := range one {
				if part.Name == "" {
					continue
				}
				switch {
				case part.Fact >= 0:
					u.facts[part.Fact].by(k, where)
				case part.Derived >= 0:
					u.derived[part.Derived].by(k, where)
					u.node(u.b.Derived[part.Derived].Node, func(x *usage) { x.by(k, where) })
				case part.Input >= 0 && part.Of == catalog.PartOfNothing:
					r := &reads{}
					u.input(r, &u.b.Program.Inputs[part.Input])
					for _, s := range r.signals {
						u.signals[s].by(k, where)
					}
				}
			}
		}
	}
}

// named finds a fact or a kind by its name.
func (u *uses) named(name string, note func(*usage)) {
	if k := u.b.FactIndex(name); k >= 0 {
		note(u.facts[k])
	}
	if k := u.b.KindIndex(name); k >= 0 {
		note(u.kinds[k])
	}
}

// guards notes what guards read to hold an action back.
func (u *uses) guards(n int) {
	b, a := u.b, &u.b.Actions[n]
	sells := a.Intent == catalog.Sales
	for k := range b.Kinds {
		kind := &b.Kinds[k]
		held := kind.BlocksOffers && sells && a.About != "" ||
			kind.Negative && kind.OpenUntil >= 0 && sells ||
			kind.Negative && b.Strikes != nil && sells ||
			kind.ReachesGoal && (a.Goal != "" || sells && a.About != "")
		if !held {
			continue
		}
		u.kinds[k].by(n, guards)
		for _, other := range u.closers(k) {
			u.kinds[other].by(n, guards)
		}
	}
	for k := range b.Facts {
		if b.Facts[k].Preference && (sells || a.Intent == catalog.Entertainment) {
			u.facts[k].by(n, guards)
		}
	}
	if a.Purpose >= 0 && b.Purposes[a.Purpose].Born >= 0 {
		u.facts[b.Purposes[a.Purpose].Born].by(n, guards)
	}
	for _, s := range a.Seen {
		for k := range b.Kinds {
			if b.Kinds[k].Means == catalog.MeansViewed && s.Subject != "" {
				u.kinds[k].by(n, guards)
			}
		}
	}
}

// elsewhere notes what is read beside the actions.
func (u *uses) elsewhere() {
	b := u.b
	for _, x := range []struct{ fact, what string }{{"language", "the language she is spoken to in"}, {"zone", "her calendar"}, {"quiet_hours", "her own quiet hours"}} {
		if k := b.FactIndex(x.fact); k >= 0 {
			u.facts[k].forOther(x.what)
		}
	}
	if k := b.SignalIndex("delivery"); k >= 0 {
		for n := range b.Actions {
			if slices.ContainsFunc(b.Actions[n].Needs, func(x catalog.Need) bool { return x.Delivery != "" }) {
				u.signals[k].by(n, delivery)
			}
		}
	}
	for k := range b.Kinds {
		kind := &b.Kinds[k]
		switch kind.Means {
		case catalog.MeansContacted:
			u.kinds[k].forOther("contact policy")
		case catalog.MeansAnswered:
			u.kinds[k].forOther("his goal first")
		}
		if kind.Negative && b.Strikes != nil {
			u.kinds[k].forOther("strikes")
		}
		if kind.Name == "visit" && b.Contact.Pressure != nil && slices.ContainsFunc(b.Contact.Pressure.Amounts, func(c catalog.OutcomeCost) bool { return c.Outcome == "visit" }) {
			u.kinds[k].forOther("pressure")
		}
		for _, n := range u.closers(k) {
			u.kinds[n].forOther("ends " + kind.Name)
		}
	}
	for _, m := range b.Measures {
		if m.From >= 0 {
			u.kinds[m.From].forOther("measure " + m.Name)
		}
	}
}
