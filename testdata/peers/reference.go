package peers

// Reference is the judge: every condition anew, straight over the tree, whenever somebody asks.
type Reference struct {
	w      *Workload
	values []Value
	now    int64
	since  [][2]int64 // by predicate: since when it is certainly true, and certainly false; 0 while it is not
	set    set
}

// NewReference makes the judge of a workload, nothing known.
func NewReference(w *Workload) *Reference {
	return &Reference{w: w, values: make([]Value, len(w.Attributes)), since: make([][2]int64, len(w.Predicates)), set: newSet(w)}
}

// Another makes the judge of another person on the same device, of whom nothing is known.
func (e *Reference) Another() *Reference {
	other := NewReference(e.w)
	other.now = e.now
	for k := range e.values {
		if !e.w.Attributes[k].Personal {
			other.values[k] = e.values[k]
		}
	}
	for k := range e.since {
		if p := &e.w.Predicates[k]; p.Form != HeldFor && p.Form < Below && !e.w.Attributes[p.A].Personal {
			other.since[k] = e.since[k]
		}
	}
	return other
}

func (e *Reference) Name() string { return "reference" }

func (e *Reference) Update(attribute int32, v Value, now int64) {
	e.values[attribute], e.now = v, now
	for k := range e.w.Predicates {
		p := &e.w.Predicates[k]
		if p.Form >= Recent || p.A != attribute && p.B != attribute {
			continue // held is over none that moves with time
		}
		t := e.w.Now(p, e.values, now)
		for side, when := range [...]Truth{True, False} {
			switch s := &e.since[k][side]; {
			case t != when:
				*s = 0
			case *s == 0:
				*s = now
			}
		}
	}
}

func (e *Reference) judge() *set {
	for rank, k := range e.w.ByRank {
		e.set.put(rank, e.eval(&e.w.Actions[k].Condition) == True)
	}
	return &e.set
}

func (e *Reference) eval(n *Node) Truth {
	switch n.Op {
	case Leaf:
		t := e.predicate(n.Pred)
		if n.Opposite {
			return t.opposite()
		}
		return t
	case Not:
		return e.eval(&n.Args[0]).opposite()
	}
	decides, unknown := False, false
	if n.Op == Or {
		decides = True
	}
	for k := range n.Args {
		switch e.eval(&n.Args[k]) {
		case decides:
			return decides
		case Unknown:
			unknown = true
		}
	}
	if unknown {
		return Unknown
	}
	return decides.opposite()
}

func (e *Reference) predicate(k int32) Truth {
	p := &e.w.Predicates[k]
	if p.Form != HeldFor {
		return e.w.Now(p, e.values, e.now)
	}
	t, since := e.w.Now(&e.w.Predicates[p.Of], e.values, e.now), e.since[p.Of][0]
	if p.Not {
		t, since = t.opposite(), e.since[p.Of][1]
	}
	switch t {
	case True:
		return truth(float64(e.now-since) >= p.Limit)
	case False:
		return truth(0 >= p.Limit)
	}
	return Unknown
}

func (e *Reference) Eligible(dst []int32) []int32 { return e.judge().list(dst) }
func (e *Reference) Best() int32                  { return e.judge().best() }
