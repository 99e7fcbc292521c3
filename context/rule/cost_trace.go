package rule

// trace follows what a change of an input brings about.
type trace struct {
	plan    *Plan
	at      int32      // the input that is followed, from 1
	seen    [2][]int32 // by stored node: the input for which it was evaluated
	awaited [2][]int32 // by source: the input for which it was placed
	reached [2][]int32 // by counter: the input for which it turned
	most    [2]Work
	timers  int
}

func newTrace(plan *Plan) *trace {
	t := &trace{plan: plan}
	for scope := range plan.layers {
		l := &plan.layers[scope]
		t.seen[scope], t.awaited[scope], t.reached[scope] = make([]int32, len(l.steps)), make([]int32, len(l.sources)), make([]int32, len(l.unknown))
	}
	return t
}

// input works out what one input costs.
func (t *trace) input(k int32, c *InputCost) {
	plan, scope := t.plan, t.plan.Program.Inputs[k].Scope
	t.at, t.most, t.timers = k+1, [2]Work{}, 0
	var usual [2]Work
	read := func(of Scope, source int32) {
		if t.awaited[of][source] == t.at {
			return // a - a reads it twice
		}
		l := &plan.layers[of]
		if s := &l.sources[source]; s.direct == ofWork {
			c.Formulas++
		} else {
			first, last := l.keysOf(source)
			c.Keys += int(last - first)
			if s.equals != nil {
				c.Equalities += int(s.equals.atoms)
			}
		}
		usual[of].add(l.usual(source, l.inside))
		if of == ScopeDevice {
			usual[ScopeSession].Edges += l.usual(source, l.outside).Edges
		}
		t.await(of, source)
	}
	own, across := plan.readersOf(k)
	for _, source := range own {
		read(scope, source)
	}
	for _, source := range across {
		read(ScopeSession, source)
	}
	for _, of := range [...]struct {
		readers *edges
		count   *int
	}{{&plan.loads, &c.Stored}, {&plan.windows, &c.Windows}} {
		for _, n := range of.readers.of(k) {
			op := &plan.Program.Nodes[n]
			*of.count++
			usual[op.Scope].Nodes += stepsOf(op, plan.Program.Nodes)
			t.touch(Node(n))
		}
	}
	c.Timers = t.timers
	c.Usual, c.Most = usual[scope], t.most[scope]
	if scope == ScopeDevice {
		c.Across, c.AcrossMost = usual[ScopeSession], t.most[ScopeSession]
	}
}

func (w *Work) add(x Work) {
	w.Sources += x.Sources
	w.Keys += x.Keys
	w.Edges += x.Edges
	w.Terms += x.Terms
	w.Nodes += x.Nodes
}

// usual is the mean work of a source over all pairs of different places: key k of n lies between two of the n+1
// intervals for 2(k+1)(n-k) of the (n+1)n pairs; a bucket of m is left or entered by 2/m of the pairs.
func (l *layer) usual(source int32, to ways) Work {
	s, w := &l.sources[source], l.working(source)
	first, last := l.keysOf(source)
	n := int(last - first)
	for k := range n {
		share := float64(2*(k+1)*(n-k)) / float64((n+1)*n)
		w.Keys += share
		w.Edges += float64(share * float64(to(first+int32(k), first+int32(k)+1)))
		if len(s.told.to) > 0 {
			w.Nodes += float64(share * float64(s.told.from[k+1]-s.told.from[k]))
		}
	}
	if s.equals != nil {
		m := len(s.equals.buckets.from) - 1
		atoms, walked := 0, 0
		for b := range m {
			a, e := s.bucket(int32(b), to)
			atoms, walked = atoms+a, walked+e
		}
		w.Keys += float64(2*atoms) / float64(m)
		w.Edges += float64(2*walked) / float64(m)
	}
	return w
}

// bucket counts the equalities that are true in a bucket, and their edges.
func (s *source) bucket(b int32, to ways) (atoms, walked int) {
	for _, a := range s.equals.buckets.of(b) {
		if a >= 0 {
			atoms++
			walked += to(a, a+1)
		}
	}
	return atoms, walked
}

// most is how many comparisons of a source can turn at once, and the edges walked then: every key; of equalities all
// become false, and then those of one bucket true.
func (l *layer) most(source int32, to ways) (keys, walked int) {
	first, last := l.keysOf(source)
	keys, walked = int(last-first), to(first, last)
	if e := l.sources[source].equals; e != nil {
		keys += int(e.atoms)
		walked += to(e.base, e.base+e.atoms)
		most, mostWalked := 0, 0
		for b := range e.buckets.from[1:] {
			atoms, edges := l.sources[source].bucket(int32(b), to)
			most, mostWalked = max(most, atoms), max(mostWalked, edges)
		}
		keys, walked = keys+most, walked+mostWalked
	}
	return keys, walked
}

// await places a source that was marked, once.
func (t *trace) await(scope Scope, k int32) {
	if t.awaited[scope][k] != t.at {
		t.awaited[scope][k] = t.at
		if t.plan.layers[scope].sources[k].timer >= 0 {
			t.timers++
		}
		t.place(scope, k)
	}
}

// place turns all comparisons of a source.
func (t *trace) place(scope Scope, k int32) {
	l := &t.plan.layers[scope]
	s, w := &l.sources[k], &t.most[scope]
	keys, walked := l.most(k, l.inside)
	w.add(l.working(k))
	w.Keys += float64(keys)
	w.Edges += float64(walked)
	_, walked = l.most(k, l.outside)
	t.most[ScopeSession].Edges += float64(walked)
	first, last := l.keysOf(k)
	t.reachFrom(scope, first, last)
	if s.equals != nil {
		t.reachFrom(scope, s.equals.base, s.equals.base+s.equals.atoms)
	}
	for _, x := range s.told.to { // when its key is crossed, and where it is unknown as to why
		w.Nodes += 2
		t.spread(scope, x>>1)
	}
}

// reachFrom turns the counters above a range of atoms or counters.
func (t *trace) reachFrom(scope Scope, first, last int32) {
	l := &t.plan.layers[scope]
	for _, x := range l.ownOf(first, last) {
		t.reach(scope, int32(x>>1))
	}
	for _, x := range l.across.of(first, last) {
		t.reach(ScopeSession, int32(x>>1))
	}
}

// reach turns a counter, which passes on once.
func (t *trace) reach(scope Scope, c int32) {
	if t.reached[scope][c] == t.at {
		return
	}
	t.reached[scope][c] = t.at
	l := &t.plan.layers[scope]
	id := l.atoms + c
	t.most[scope].Edges += float64(l.inside(id, id+1))
	t.most[ScopeSession].Edges += float64(l.outside(id, id+1))
	t.reachFrom(scope, id, id+1)
}

// touch evaluates a stored node, once.
func (t *trace) touch(n Node) {
	op := &t.plan.Program.Nodes[n]
	slot := t.plan.slot[n]
	if t.seen[op.Scope][slot] == t.at {
		return
	}
	t.seen[op.Scope][slot] = t.at
	if t.plan.layers[op.Scope].steps[slot].timer >= 0 {
		t.timers++
	}
	t.most[op.Scope].Nodes += stepsOf(op, t.plan.Program.Nodes)
	t.spread(op.Scope, slot)
}

// spread goes on to what reads a stored node: sources of the same scope are placed anew for each that turned, those of
// sessions once.
func (t *trace) spread(scope Scope, slot int32) {
	at := slot
	if scope == ScopeSession {
		at += int32(len(t.plan.layers[ScopeDevice].steps))
	}
	for _, x := range t.plan.rises.of(at) {
		of, k := Scope(x&1), x>>1
		if of == scope && t.awaited[of][k] == t.at {
			t.place(of, k)
		} else {
			t.await(of, k)
		}
	}
	for _, n := range t.plan.above.of(at) {
		t.touch(Node(n))
	}
}
