package peers

import "math/rand/v2"

// Variant says how a stream differs from the published one.
type Variant struct {
	Hot     bool // attributes change as often as conditions read them, not all alike
	Flicker bool // every update is unknown with one chance, whatever was before
}

// Update is one change of one attribute, at an instant in milliseconds since 1970.
type Update struct {
	Attribute int32
	Value     Value
	Now       int64
}

// Stream is an endless row of updates, one a second. The first 60 bring every attribute once.
type Stream struct {
	w       *Workload
	variant Variant
	r       *rand.Rand
	known   []bool
	step    int
	hot     chooser
}

// Stream begins the stream of a workload anew; equal arguments make equal streams.
func (w *Workload) Stream(v Variant, number uint64) *Stream {
	s := &Stream{w: w, variant: v, r: rand.New(rand.NewPCG(w.seed+1, number)), known: make([]bool, attributes)}
	for k := range s.known {
		s.known[k] = s.r.Float64() >= unknownShare
	}
	if v.Hot {
		s.hot = w.popular()
	}
	return s
}

// Next returns the next update.
func (s *Stream) Next() Update {
	a := int32(s.step)
	switch {
	case s.step < attributes:
	case s.variant.Hot:
		a = s.hot.draw(s.r)
	default:
		a = s.r.Int32N(attributes)
	}
	u := s.r.Float64()
	switch {
	case s.step < attributes && !s.variant.Flicker: // as the chain began
	case s.variant.Flicker:
		s.known[a] = u >= unknownShare
	case s.known[a]:
		s.known[a] = u >= becomesUnknown
	default:
		s.known[a] = u < becomesKnown
	}
	x := Update{Attribute: a, Now: start + int64(s.step)*second}
	if s.known[a] {
		x.Value = fresh(s.r, &s.w.Attributes[a], x.Now)
	}
	s.step++
	return x
}

// popular draws attributes by how many atoms read them.
func (w *Workload) popular() chooser {
	reads := make([]float64, attributes)
	for k := range w.Actions {
		w.Actions[k].Condition.leaves(func(p int32) {
			a, b := w.ReadsOf(&w.Predicates[p])
			reads[a]++
			if b >= 0 {
				reads[b]++
			}
		})
	}
	c, total := chooser{of: count(attributes)}, 0.0
	for _, n := range reads {
		total += n
		c.sum = append(c.sum, total)
	}
	return c
}

// leaves visits the predicates of a condition.
func (n *Node) leaves(visit func(p int32)) {
	if n.Op == Leaf {
		visit(n.Pred)
	}
	for k := range n.Args {
		n.Args[k].leaves(visit)
	}
}
