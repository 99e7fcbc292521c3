package rule

// Truth returns the truth of a condition; None is Unknown.
func (e *Eval) Truth(n Node) Truth {
	if n < 0 || int(n) >= len(e.plan.Program.Nodes) || e.plan.Program.Nodes[n].Scope > e.scope {
		return Unknown
	}
	op := &e.plan.Program.Nodes[n]
	if e.plan.slot[n] >= 0 || op.Code == Load || op.Code == Const {
		return e.mark(n).truth()
	}
	t := e.plan.truths[n]
	switch {
	case t.own == noLiteral:
		return e.ofArguments(op)
	case t.device == noLiteral:
		return e.ofLiteral(t.own)
	}
	return both(e.ofLiteral(t.device), e.ofLiteral(t.own))
}

// both is And of two.
func both(a, b Truth) Truth {
	switch {
	case a == False || b == False:
		return False
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return True
}

// ofArguments is the truth of And or Or that has no counter of its own.
func (e *Eval) ofArguments(op *Op) Truth {
	absorbs, out := False, True
	if op.Code == Or {
		absorbs, out = True, False
	}
	for _, a := range op.Args {
		switch e.Truth(a) {
		case absorbs:
			return absorbs
		case Unknown:
			out = Unknown
		}
	}
	return out
}

// ofLiteral is the truth of a literal as of the last Settle.
func (e *Eval) ofLiteral(l literal) Truth {
	switch l {
	case alwaysTrue:
		return True
	case alwaysFalse:
		return False
	}
	if l.scope() != e.scope {
		e = e.device
	}
	t := Unknown
	if id := l.id(); id >= e.layer.atoms {
		t = e.counters.made[id-e.layer.atoms]
	} else {
		t = e.ofAtom(id)
	}
	if l.negated() {
		return opposite[t]
	}
	return t
}

func (e *Eval) ofAtom(id int32) Truth {
	k := e.layer.home[id]
	s, sp, p := &e.layer.sources[k], &e.layer.spots[k], &e.counters.places[k]
	if id < int32(len(e.layer.keys)) {
		return p.at(id - sp.base)
	}
	if p.bucket < 0 {
		return Unknown
	}
	for _, a := range s.equals.buckets.of(int32(p.bucket)) {
		if a == id {
			return True
		}
	}
	return False
}

// Flipped returns the watched conditions whose truth changed in this step. Of a conjunction over both scopes the
// device's evaluation tells that its part turned, and a session's only what turned of its own.
func (e *Eval) Flipped() []Node { return e.counters.flipped }

// Concerned says whether a watched condition may have another truth in this session since this step began.
func (e *Eval) Concerned() bool {
	if len(e.counters.flipped) > 0 {
		return true
	}
	if e.device == nil {
		return false
	}
	d := &e.device.counters
	for _, t := range d.turned {
		j := &e.layer.both[t.joint]
		if own := e.counters.made[j.own]; both(t.was, own) != both(d.made[j.device], own) {
			return true
		}
	}
	return false
}
