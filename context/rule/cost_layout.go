package rule

// What Cost reads of how plans are laid out stands here and in cost_memory.go.

// readersOf lists the sources that an input feeds: of its own scope, and if it is the device's of sessions. A source
// that reads it twice stands there twice.
func (plan *Plan) readersOf(input int32) (own, across []int32) {
	in := &plan.known[input]
	l := &plan.layers[in.scope]
	own = append(l.pairs.sourcesOf(in.place), l.feeds.of(in.place)...)
	if in.scope == ScopeDevice {
		across = append(plan.layers[ScopeSession].mixed.sourcesOf(in.place), plan.feeds.of(in.place)...)
	}
	return own, across
}

func (p *pairsOf) sourcesOf(input int32) (all []int32) {
	for _, x := range p.doubles.of(input) {
		all = append(all, x.source)
	}
	for _, x := range p.gaps.of(input) {
		all = append(all, x.source)
	}
	return all
}

// working is what it takes to know the value of a source: pairs of inputs are looked at in one loop, one step each.
func (l *layer) working(k int32) (w Work) {
	s, sp := &l.sources[k], &l.spots[k]
	switch {
	case sp.isPair() || sp.isGap():
		w.Terms = 1
	case s.direct == ofWork:
		w.Sources, w.Terms = 1, float64(len(s.terms))
	default:
		w.Sources = 1
	}
	return w
}

// keysOf returns the atoms of a source that are keys.
func (l *layer) keysOf(k int32) (first, last int32) {
	sp := &l.spots[k]
	return sp.base, sp.base + sp.n
}

// ways counts the edges of a range of atoms or counters, in the scope to which they lead.
type ways func(first, last int32) int

func (l *layer) inside(first, last int32) int {
	return len(l.ownOf(first, last)) + len(l.partsOf(first, last))
}

func (l *layer) outside(first, last int32) int { return len(l.across.of(first, last)) }
