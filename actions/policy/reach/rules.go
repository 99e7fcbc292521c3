package reach

import (
	"slices"

	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// up narrows what node k can be from what its arguments can be.
func (p *problem) up(st *state, k int) (changed, ok bool) {
	op := &p.p.Nodes[p.nodes[k]]
	if op.Kind == sense.Bool {
		can := st.can[k] & p.truthsOf(st, op)
		changed, st.can[k] = can != st.can[k], can
		return changed, can != 0
	}
	if !st.known[k] && p.surely(st, op) {
		st.known[k], changed = true, true
	}
	value := p.valueOf(st, op)
	old := st.values[k]
	st.values[k].meet(&value)
	// A value of which nothing is left is never known; that is no contradiction by itself.
	return changed || !st.values[k].equal(&old), !st.known[k] || !st.values[k].empty()
}

func (p *problem) can(st *state, n rule.Node) truths { return st.can[p.local[n]] }
func (p *problem) value(st *state, n rule.Node) *set { return &st.values[p.local[n]] }

// truthsOf says what a condition can be, given its arguments.
func (p *problem) truthsOf(st *state, op *rule.Op) truths {
	switch op.Code {
	case rule.Const:
		if op.Value.Bool() {
			return canTrue
		}
		return canFalse
	case rule.Not:
		return negated(p.can(st, op.Args[0]))
	case rule.And:
		return p.all(st, op.Args, canTrue, canFalse)
	case rule.Or:
		return p.all(st, op.Args, canFalse, canTrue)
	case rule.Cond:
		return p.chosen(st, op)
	case rule.Eq, rule.Ne, rule.Lt, rule.Le, rule.Gt, rule.Ge:
		return p.compared(st, op)
	case rule.In:
		return p.element(st, op)
	case rule.StartsWith, rule.EndsWith, rule.Contains:
		return matches(op.Code, p.value(st, op.Args[0]), p.value(st, op.Args[1]))
	case rule.Became:
		return p.became(st, op)
	case rule.Armed:
		if p.can(st, op.Args[0]) == canFalse {
			return canFalse
		}
	case rule.Load:
		return p.held(st, op)
	case rule.Latch:
		switch when, until := p.can(st, op.Args[0]), p.can(st, op.Args[1]); {
		case when == canTrue:
			return canTrue
		case when == canFalse && until == canTrue:
			return canFalse
		case when&canFalse == 0:
			return canTrue | canUnknown
		}
	}
	return anyTruth
}

// held is a condition that is read: has(x) is true wherever x itself is known.
func (p *problem) held(st *state, op *rule.Op) truths {
	in := &p.p.Inputs[op.Input]
	if in.From != rule.FromHas {
		return anyTruth
	}
	for _, k := range p.loads[in.Name] {
		if st.known[k] || p.p.Nodes[p.nodes[k]].Kind == sense.Bool && st.can[k]&canUnknown == 0 {
			return canTrue
		}
	}
	return anyTruth
}

func negated(t truths) truths {
	n := t & canUnknown
	if t&canTrue != 0 {
		n |= canFalse
	}
	if t&canFalse != 0 {
		n |= canTrue
	}
	return n
}

// all is And with neutral true, Or with neutral false: one argument that absorbs decides,
// all neutral ones give the neutral truth, else it is unknown.
func (p *problem) all(st *state, args []rule.Node, neutral, absorbs truths) truths {
	t := neutral | canUnknown
	unknown := false
	for _, a := range args {
		can := p.can(st, a)
		if can&neutral == 0 {
			t &^= neutral
		}
		if can&absorbs != 0 {
			t |= absorbs
		}
		if can == absorbs {
			return absorbs
		}
		unknown = unknown || can&canUnknown != 0
	}
	if !unknown {
		t &^= canUnknown
	}
	return t
}

func (p *problem) chosen(st *state, op *rule.Op) (t truths) {
	c := p.can(st, op.Args[0])
	t = c & canUnknown
	if c&canTrue != 0 {
		t |= p.can(st, op.Args[1])
	}
	if c&canFalse != 0 {
		t |= p.can(st, op.Args[2])
	}
	return t
}

// holding is the orders in which a comparison is true.
func holding(c rule.Code) orders {
	switch c {
	case rule.Eq:
		return same
	case rule.Ne:
		return less | more | unordered
	case rule.Lt:
		return less
	case rule.Le:
		return less | same
	case rule.Gt:
		return more
	}
	return more | same
}

// ofPair returns the orders that are left to the arguments of a comparison, seen from the first.
func (p *problem) ofPair(st *state, op *rule.Op) (o orders, k int) {
	one := pairOf(op)
	k = slices.Index(p.pairs, one)
	if o = st.pairs[k]; one.a != op.Args[0] {
		o = o.mirrored()
	}
	return o, k
}

func (p *problem) compared(st *state, op *rule.Op) truths {
	o, _ := p.ofPair(st, op)
	a, b := op.Args[0], op.Args[1]
	t := canUnknown
	if p.p.Nodes[a].Kind == sense.Bool {
		o &= less | same
		ca, cb := p.can(st, a), p.can(st, b)
		if ca&cb&(canTrue|canFalse) == 0 {
			o &^= same
		}
		if ca&canTrue == 0 && cb&canTrue == 0 || ca&canFalse == 0 && cb&canFalse == 0 {
			o &^= less // unequal
		}
		if (ca|cb)&canUnknown == 0 {
			t = 0
		}
	} else {
		va, vb := p.value(st, a), p.value(st, b)
		o &= order(va, vb)
		if a == b {
			o &= same | unordered
		}
		if st.known[p.local[a]] && st.known[p.local[b]] {
			t = 0
		}
	}
	if o&holding(op.Code) != 0 {
		t |= canTrue
	}
	if o&^holding(op.Code) != 0 {
		t |= canFalse
	}
	return t
}

// element is `in` over a list of constants.
func (p *problem) element(st *state, op *rule.Op) truths {
	list := p.p.Nodes[op.Args[1]]
	if list.Code != rule.Const || p.p.Nodes[op.Args[0]].Kind == sense.Bool {
		return anyTruth
	}
	v, t := p.value(st, op.Args[0]), canUnknown|canFalse
	if st.known[p.local[op.Args[0]]] {
		t = canFalse
	}
	rest := *v
	for _, x := range list.Value.List() {
		one := exactly(x)
		if x.Kind() != v.kind || !scalar(v.kind) {
			if x.Kind() == v.kind {
				return anyTruth
			}
			continue
		}
		if order(v, &one)&same != 0 {
			t |= canTrue
		}
		rest.leave(x)
	}
	if scalar(v.kind) && rest.empty() {
		t &^= canFalse
	}
	return t
}

func scalar(k sense.Kind) bool { return numeric(k) || k == sense.String }

// leave takes one value out.
func (s *set) leave(v sense.Value) {
	switch {
	case numeric(s.kind):
		if v.Kind() == sense.Double && v.Double() != v.Double() {
			return
		}
		s.without(number(v))
	case s.kind == sense.String:
		s.drop(v.Str())
	}
}

// became is true only where its argument is, and known exactly while that is.
func (p *problem) became(st *state, op *rule.Op) truths {
	t := p.can(st, op.Args[0])
	if t&canTrue != 0 {
		t |= canFalse
	}
	return t
}

// surely says whether a value that is no condition is certainly known.
func (p *problem) surely(st *state, op *rule.Op) bool {
	switch op.Code {
	case rule.Const:
		return true
	case rule.Held:
		return p.can(st, op.Args[0])&canUnknown == 0
	case rule.ToDouble:
		return p.p.Nodes[op.Args[0]].Kind == sense.Int && st.known[p.local[op.Args[0]]]
	case rule.Size:
		return st.known[p.local[op.Args[0]]]
	}
	return false
}

// down narrows what the arguments of node k can be from what it can be itself.
func (p *problem) down(st *state, k int) (changed, ok bool) {
	op := &p.p.Nodes[p.nodes[k]]
	n := &narrowing{problem: p, st: st, ok: true}
	if op.Kind == sense.Bool {
		n.condition(op, st.can[k])
	} else {
		n.value(op, k)
	}
	return n.changed, n.ok
}

// narrowing notes whether anything changed, and whether something is left.
type narrowing struct {
	*problem
	st          *state
	changed, ok bool
}

// be narrows the truths of a condition.
func (n *narrowing) be(node rule.Node, t truths) {
	k := n.local[node]
	if can := n.st.can[k] & t; can != n.st.can[k] {
		n.st.can[k], n.changed = can, true
		n.ok = n.ok && can != 0
	}
}

// know notes that a value is known: then what it is computed from is, too.
func (n *narrowing) know(node rule.Node) {
	op := &n.p.Nodes[node]
	if op.Kind == sense.Bool {
		n.be(node, canTrue|canFalse)
		return
	}
	k := n.local[node]
	if n.st.known[k] {
		return
	}
	n.st.known[k], n.changed = true, true
	n.ok = n.ok && !n.st.values[k].empty()
}

func (n *narrowing) condition(op *rule.Op, can truths) {
	switch op.Code {
	case rule.Not:
		n.be(op.Args[0], negated(can))
	case rule.And:
		n.join(op.Args, can, canTrue, canFalse)
	case rule.Or:
		n.join(op.Args, can, canFalse, canTrue)
	case rule.Cond:
		n.choose(op, can)
	case rule.Eq, rule.Ne, rule.Lt, rule.Le, rule.Gt, rule.Ge:
		n.compare(op, can)
	case rule.In:
		n.in(op, can)
	case rule.Became:
		switch {
		case can == canTrue:
			n.be(op.Args[0], canTrue)
		case can&canUnknown == 0:
			n.be(op.Args[0], canTrue|canFalse)
		case can == canUnknown:
			n.be(op.Args[0], canUnknown)
		}
	case rule.Armed:
		if can&canFalse == 0 {
			n.be(op.Args[0], canTrue|canUnknown)
		}
	case rule.Latch:
		n.latch(op, can)
	case rule.Load, rule.Changed:
	}
}

// join is And with neutral true, Or with neutral false.
func (n *narrowing) join(args []rule.Node, can, neutral, absorbs truths) {
	switch {
	case can == neutral:
		for _, a := range args {
			n.be(a, neutral)
		}
		return
	case can&absorbs == 0:
		for _, a := range args {
			n.be(a, neutral|canUnknown)
		}
	}
	// What must not be neutral rests on the last argument that is not.
	if can&neutral != 0 && can != absorbs {
		return
	}
	last, open := rule.None, 0
	for _, a := range args {
		decides := n.can(n.st, a) != neutral
		if can == absorbs {
			decides = n.can(n.st, a)&absorbs != 0
		}
		if decides {
			last = a
			open++
		}
	}
	switch {
	case open == 0:
		n.ok = false
	case open == 1 && can == absorbs:
		n.be(last, absorbs)
	case open == 1:
		n.be(last, absorbs|canUnknown)
	}
}

func (n *narrowing) choose(op *rule.Op, can truths) {
	c := op.Args[0]
	if can&canUnknown == 0 {
		n.be(c, canTrue|canFalse)
	}
	for k, way := range [...]truths{canTrue, canFalse} {
		arg := op.Args[1+k]
		switch now := n.can(n.st, c); {
		case now == way:
			n.be(arg, can)
		case now&way != 0 && n.can(n.st, arg)&can == 0:
			n.be(c, anyTruth&^way)
		}
	}
}

// compare narrows two values by how they stand to each other.
func (n *narrowing) compare(op *rule.Op, can truths) {
	if can&canUnknown != 0 {
		return
	}
	a, b := op.Args[0], op.Args[1]
	allowed := orders(0)
	if can&canTrue != 0 {
		allowed |= holding(op.Code)
	}
	if can&canFalse != 0 {
		allowed |= anyOrder &^ holding(op.Code)
	}
	o, k := n.ofPair(n.st, op)
	if o&allowed != o {
		o &= allowed
		n.st.pairs[k], n.changed = o, true
		if pairOf(op).a != a {
			n.st.pairs[k] = o.mirrored()
		}
	}
	if n.p.Nodes[a].Kind == sense.Bool {
		n.compareTruths(op, can)
		return
	}
	// A count that is not complete can decide a comparison: then it is at least so many, and stands for a number that would.
	for _, x := range op.Args {
		if !counts(n.p.Nodes[x].Code) {
			n.know(x)
		}
	}
	va, vb := *n.value2(a), *n.value2(b)
	o &= order(&va, &vb)
	if o == 0 {
		n.ok = false
		return
	}
	if a == b {
		return
	}
	stand(&va, &vb, o)
	n.take(a, &va)
	n.take(b, &vb)
}

func counts(c rule.Code) bool { return c == rule.CountTrue || c == rule.CountReadings }

func (n *narrowing) value2(node rule.Node) *set { return &n.st.values[n.local[node]] }

// take keeps what was found of a value that is known, or stands for one.
func (n *narrowing) take(node rule.Node, v *set) {
	old := n.value2(node)
	if old.equal(v) {
		return
	}
	*old, n.changed = *v, true
	n.ok = n.ok && !v.empty()
}

func (n *narrowing) compareTruths(op *rule.Op, can truths) {
	a, b := op.Args[0], op.Args[1]
	n.know(a)
	n.know(b)
	if can == canTrue|canFalse || a == b {
		return
	}
	equal := (can == canTrue) == (op.Code == rule.Eq)
	for _, x := range [...][2]rule.Node{{a, b}, {b, a}} {
		switch t := n.can(n.st, x[0]); {
		case t != canTrue && t != canFalse:
		case equal:
			n.be(x[1], t)
		default:
			n.be(x[1], negated(t))
		}
	}
}

// in narrows the value that is looked for in a list of constants.
func (n *narrowing) in(op *rule.Op, can truths) {
	if can&canUnknown != 0 {
		return
	}
	a, list := op.Args[0], &n.p.Nodes[op.Args[1]]
	n.know(a)
	if list.Code != rule.Const || n.p.Nodes[a].Kind == sense.Bool || !scalar(n.p.Nodes[a].Kind) {
		return
	}
	v := *n.value2(a)
	switch can {
	case canTrue:
		var union set
		for _, x := range list.Value.List() {
			if x.Kind() != v.kind {
				continue
			}
			if one := exactly(x); union.kind == sense.Null {
				union = one
			} else {
				union.join(&one)
			}
		}
		if union.kind == sense.Null {
			n.ok = false
			return
		}
		union.nan = false
		v.meet(&union)
	case canFalse:
		for _, x := range list.Value.List() {
			if x.Kind() == v.kind {
				v.leave(x)
			}
		}
	}
	n.take(a, &v)
}

func (n *narrowing) latch(op *rule.Op, can truths) {
	when, until := op.Args[0], op.Args[1]
	if can&canTrue == 0 {
		n.be(when, canFalse|canUnknown)
	}
	switch {
	case can == canFalse: // it goes on being known to be off only while `when` is false
		n.be(when, canFalse)
	case can&canFalse == 0 && n.can(n.st, when) == canFalse:
		n.be(until, canFalse|canUnknown)
	case can&canFalse == 0 && n.can(n.st, until) == canTrue:
		n.be(when, canTrue|canUnknown)
	}
}

// value narrows what a value that is no condition is computed from.
func (n *narrowing) value(op *rule.Op, k int) {
	v := &n.st.values[k]
	switch op.Code {
	case rule.Held:
		// Above zero it holds now; it is known while its argument is.
		switch {
		case n.st.known[k] && v.lo > 0:
			n.be(op.Args[0], canTrue)
		case n.st.known[k]:
			n.be(op.Args[0], canTrue|canFalse)
		}
	case rule.Since:
		if n.st.known[k] {
			n.be(op.Args[0], canTrue|canFalse)
		}
	case rule.Add, rule.Sub, rule.Mul, rule.Div, rule.Mod, rule.Neg, rule.StartsWith, rule.EndsWith, rule.Contains, rule.Size, rule.ToDouble, rule.ToInt:
		if n.st.known[k] {
			for _, a := range op.Args {
				n.know(a)
			}
		}
	case rule.Cond:
		if n.st.known[k] {
			n.be(op.Args[0], canTrue|canFalse)
		}
		for way, t := range [...]truths{canTrue, canFalse} {
			arg := op.Args[1+way]
			if n.can(n.st, op.Args[0]) == t && n.st.known[k] {
				n.know(arg)
				va := *n.value2(arg)
				va.meet(v)
				n.take(arg, &va)
			}
		}
	}
}
