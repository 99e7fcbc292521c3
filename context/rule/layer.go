package rule

import "github.com/tact-edge/tact/context/sense"

// layer is what evaluations of one scope share: the stored nodes, and over them the counters.
//
// A source is an input or a stored node that conditions compare with constants. Its keys stand in order, so that a
// new value is found from where the last one was, and the comparisons that turned are a range of keys. The edges from
// them to the counters above stand in the same order: to turn a range is to walk one range of edges. A counter is And
// over literals (Or is an And of the opposites): how many of them are false, and how many unknown.
type layer struct {
	inputs []int32 // of the scope
	back   []Node  // those that look back over time
	steps  []step  // stored nodes, in order

	riches, timers, holds, windows int32 // how many slots of each

	rich    []int32 // place of an input -> slot of a value that is no number, -1
	sources []source
	spots   []spot   // by source
	keys    []int64  // by atom that is a key
	feeds   edges    // place of an input -> sources that read it, but pairs
	pairs   pairsOf  // place of an input -> pairs that read it
	mixed   mixed    // of sessions: pairs of an input of the device and one of theirs
	eager   []int32  // sources that may be known from the first: of constants, or of the device
	atoms   int32    // below it ids are of atoms, above of counters
	home    []int32  // atom -> its source
	from    []starts // id -> where its edges begin in the two
	own     []uint32 // edges to counters of the same scope
	parts   []uint32 // edges to parts of candidates: rank<<1, and 1 where the literal is negated
	across  fan      // id of the device -> counters of sessions
	about   []about  // by counter
	watch   edges    // counter -> watched nodes
	joints  edges    // counter -> joints of which it is the part of its scope
	both    []joint
	timed   []int32 // timer slot -> place of a stored node, or the complement of a source
	unknown []uint8 // counters while nothing is known
	vague   []uint8 // by rank: the part of a candidate while nothing is known

	gathered *gathered // of sessions: how much at once is settled; nil where not
}

// starts is where the edges of an id begin.
type starts struct{ own, parts uint32 }

// ownOf and partsOf return the edges of a range of ids.
func (l *layer) ownOf(first, last int32) []uint32 { return l.own[l.from[first].own:l.from[last].own] }
func (l *layer) partsOf(first, last int32) []uint32 {
	return l.parts[l.from[first].parts:l.from[last].parts]
}

// fan is edges by id: counter<<1, and 1 where the literal is negated.
type fan struct{ from, to []uint32 }

func (f *fan) of(first, last int32) []uint32 { return f.to[f.from[first]:f.from[last]] }

// source is a value with the constants that it is compared with: of an input, of a stored node, or of a formula.
type source struct {
	terms    []term
	direct   origin // of what alone it is the value: ofInput or ofStored, else ofWork
	index    int32  // its place
	kind     sense.Kind
	mirrored bool
	counts   bool // CountTrue, CountReadings: known from below before the window is complete
	equals   *equals
	told     fanNodes // key -> stored comparisons, told when the key is crossed
	timer    int32    // of one that moves by itself, else -1
}

// fanNodes is places of stored nodes by key, in order of key: place<<1, and 1 where its truth is the opposite.
type fanNodes struct {
	from []int32
	to   []int32
}

// equals finds the conditions that are true at a value: bucket 0 is of values that no condition names.
type equals struct {
	base    int32 // first atom
	atoms   int32
	nums    map[int64]int32
	strs    map[string]int32
	buckets edges // bucket -> atoms
}

// about says what hangs on a counter beside its edges.
type about uint8

const (
	aboutWatch about = 1 << iota
	aboutJoint
	aboutInner // it stands on counters of its scope
)

// joint is a watched conjunction over both scopes: its truth in a session is that of both parts, which are counters.
type joint struct {
	device, own int32
	node        Node
}

// fanOf lays down where the literals of a scope lead, each of n ids: to which of the lists.
func fanOf(of *lists, scope Scope, n int) fan {
	from := make([]uint32, n+2)
	count := 0
	for _, x := range of.to {
		if x.scope() == scope {
			from[x.id()+2]++
			count++
		}
	}
	for k := range n {
		from[k+2] += from[k+1]
	}
	to := make([]uint32, count)
	for k := range of.ends {
		for _, x := range of.of(k) {
			if x.scope() == scope { // what begins at id+1 goes on to where that ends
				at := &from[x.id()+1]
				to[*at] = uint32(k)<<1 | uint32(x&1)
				*at++
			}
		}
	}
	return fan{from: from[: n+1 : n+1], to: to}
}

// prepare says which timer wakes what.
func (l *layer) prepare() {
	l.timed = make([]int32, l.timers)
	for k := range l.steps {
		if t := l.steps[k].timer; t >= 0 {
			l.timed[t] = int32(k)
		}
	}
	for k := range l.sources {
		if s := &l.sources[k]; s.timer >= 0 {
			l.timed[s.timer] = ^int32(k)
		}
	}
}
