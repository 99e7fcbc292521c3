package peers

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
)

// Seed makes the published figures; TACT_SEED gives another workload of the same shape.
const Seed = 20266

// The shape of a workload. The exponents and grids are chosen so that 1,000 actions have
// between 1,400 and 1,500 distinct predicates (100: about 300; 10,000: about 4,750).
const (
	attributes     = 60
	attributeZipf  = 1.05 // popularity of attributes
	thresholdZipf  = 1.3  // popularity of the points of an attribute's grid
	grid           = 64   // thresholds of a number
	coarse         = 8    // thresholds of a relation, and limits of held
	looked         = 3    // limits of an attribute that held looks back at
	relations      = 0.10 // of all atoms: over two attributes
	overTime       = 0.10 // of all atoms: recency and held, half each
	alternatives   = 0.25 // of all actions: with an inner "or"
	exceptions     = 0.10 // of all actions: with a negated inner "and"
	notted         = 0.20 // of the opposites: written !(x < 5), the others x >= 5
	lean           = 0.83 // how often an atom is written the way in which it is true more often
	second         = 1000
	doubles        = 100  // doubles and ints lie in [0, 100)
	spanOfTimes    = 1200 // s; timestamps lie up to this long ago
	spanOfLengths  = 3600 // s
	becomesUnknown = 0.03 // an update of a known attribute takes its value
	becomesKnown   = 0.17 // an update of an unknown attribute brings one
	unknownShare   = 0.15 // what these two come to
	likelyTrue     = 0.8  // of bools
	start          = 1_767_225_600 * second
)

// Kind is the type of an attribute.
type Kind uint8

const (
	Double Kind = iota
	Int
	String
	Bool
	Timestamp
	Length
)

// Attribute is one typed variable of the context.
type Attribute struct {
	Name     string
	Kind     Kind
	Words    []string // the values of a string
	Personal bool     // where device and persons are apart: known of the person
}

// Value is what an attribute is at some time; the zero Value is unknown.
type Value struct {
	Known bool
	F     float64 // of a double
	N     int64   // an int, the number of a word, 0 or 1, milliseconds since 1970, milliseconds
}

// Number returns a number, instant or length as a double; all of them fit.
func (v Value) Number(k Kind) float64 {
	if k == Double {
		return v.F
	}
	return float64(v.N)
}

// Form is the form of a predicate.
type Form uint8

const (
	Less    Form = iota // A < Limit
	Equal               // A == word N
	IsTrue              // A
	Below               // A < B
	Excess              // A - B > Limit
	Sum                 // A + B*2 > Limit
	Recent              // now - A < Limit
	HeldFor             // held(Of) >= Limit, or held(!Of)
)

// Predicate is canonical: x >= 5 is the opposite of x < 5, and no predicate of its own.
// Two predicates are the same if they are equal.
type Predicate struct {
	Form  Form
	A, B  int32 // attributes; -1 where none
	N     int64
	Limit float64 // in the unit of A; milliseconds where it is a length
	Of    int32   // HeldFor: a predicate before it; else -1
	Not   bool    // HeldFor: of the opposite of Of
}

// Op is an operation of a condition.
type Op uint8

const (
	Leaf Op = iota
	Not
	And
	Or
)

// Node is a condition: a predicate, its opposite (x >= 5), or an operation over others.
type Node struct {
	Op       Op
	Pred     int32
	Opposite bool
	Args     []Node
}

// Action is what a rule decides on: eligible where its condition is certainly true.
type Action struct {
	Condition Node
	Score     int64 // no two are equal
}

// Workload is what every engine is made from.
type Workload struct {
	Attributes []Attribute
	Predicates []Predicate
	Actions    []Action
	ByRank     []int32 // actions from the highest score to the lowest
	Atoms      int     // of all conditions
	seed       uint64
}

// Truth is a truth value of three.
type Truth uint8

const (
	Unknown Truth = iota
	False
	True
)

func truth(yes bool) Truth {
	if yes {
		return True
	}
	return False
}

func (t Truth) opposite() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// Now returns what a predicate is but for HeldFor, which remembers.
func (w *Workload) Now(p *Predicate, values []Value, now int64) Truth {
	a := values[p.A]
	if !a.Known || p.B >= 0 && !values[p.B].Known {
		return Unknown
	}
	kind := w.Attributes[p.A].Kind
	x, y := a.Number(kind), 0.0
	if p.B >= 0 {
		y = values[p.B].Number(w.Attributes[p.B].Kind)
	}
	switch p.Form {
	case Less:
		return truth(x < p.Limit)
	case Equal:
		return truth(a.N == p.N)
	case IsTrue:
		return truth(a.N == 1)
	case Below:
		return truth(x < y)
	case Excess:
		return truth(x-y > p.Limit)
	case Sum:
		return truth(x+float64(y*2) > p.Limit)
	}
	return truth(float64(now)-x < p.Limit)
}

// ReadsOf returns the attributes that a predicate is over, B -1 where there is one alone.
func (w *Workload) ReadsOf(p *Predicate) (a, b int32) {
	if p.Form == HeldFor {
		p = &w.Predicates[p.Of]
	}
	return p.A, p.B
}

// Generate makes the workload of n actions; equal arguments make equal workloads.
func Generate(n int, seed uint64) *Workload {
	g := &generator{w: &Workload{seed: seed}, r: rand.New(rand.NewPCG(seed, uint64(n))), known: map[Predicate]int32{}}
	g.attributes()
	scores := g.r.Perm(n)
	for k := range n {
		g.w.Actions = append(g.w.Actions, Action{Condition: g.condition(), Score: int64(scores[k])*10 + 7})
		g.w.ByRank = append(g.w.ByRank, int32(k))
	}
	slices.SortFunc(g.w.ByRank, func(a, b int32) int { return int(g.w.Actions[b].Score - g.w.Actions[a].Score) })
	return g.w
}

type generator struct {
	w       *Workload
	r       *rand.Rand
	known   map[Predicate]int32
	chance  []float64 // by predicate: how often it is true while it is known
	points  [][]float64
	single  chooser // attributes of atoms over one
	numbers chooser // of relations
	times   chooser // of recency
	onGrid  chooser
	coarsed chooser
	lasting chooser // limits of what held looks back at
}

// attributes makes 60 of them, the kinds mixed, and who is how popular.
func (g *generator) attributes() {
	kinds := []Kind{Double, Int, String, Double, Bool, Double, Int, Timestamp, String, Length}
	var single, numbers, times []int32
	for k := range int32(attributes) {
		// Every kind is half the device's, half the person's.
		a := Attribute{Name: "x" + strconv.Itoa(int(100+k)), Kind: kinds[int(k)%len(kinds)], Personal: int(k)/len(kinds)%2 == 1}
		span := 0.0
		switch a.Kind {
		case Double, Int:
			span = doubles
			numbers = append(numbers, k)
		case String:
			for v := range 8 + g.r.IntN(9) {
				a.Words = append(a.Words, "w"+strconv.Itoa(v))
			}
		case Timestamp:
			span = spanOfTimes * second
			times = append(times, k)
		case Length:
			span = spanOfLengths * second
		}
		if a.Kind != Timestamp {
			single = append(single, k)
		}
		g.w.Attributes = append(g.w.Attributes, a)
		// The grid in an order of its own, so that the popular points lie anywhere.
		points := make([]float64, grid)
		for i, at := range g.r.Perm(grid) {
			if points[i] = span * float64(at+1) / (grid + 1); a.Kind != Double {
				points[i] = math.Floor(points[i])
			}
		}
		g.points = append(g.points, points)
	}
	shuffled := func(of []int32) chooser {
		g.r.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		return newChooser(of, attributeZipf)
	}
	g.single, g.numbers, g.times = shuffled(single), shuffled(numbers), shuffled(times)
	g.onGrid, g.coarsed = newChooser(count(grid), thresholdZipf), newChooser(count(coarse), thresholdZipf)
	g.lasting = newChooser(count(looked), thresholdZipf)
}

// condition is a conjunction of 3 to 8 atoms, some of them within an "or" or a negated "and".
func (g *generator) condition() Node {
	left := 3 + g.r.IntN(6)
	g.w.Atoms += left
	all := Node{Op: And}
	if g.r.Float64() < alternatives {
		n := 2 + g.r.IntN(2)
		all.Args = append(all.Args, Node{Op: Or, Args: g.atoms(n, 0.5)})
		left -= n
	} else if g.r.Float64() < exceptions/(1-alternatives) {
		all.Args = append(all.Args, Node{Op: Not, Args: []Node{{Op: And, Args: g.atoms(2, 0.5)}}})
		left -= 2
	}
	if left == 0 {
		return all.Args[0]
	}
	all.Args = append(all.Args, g.atoms(left, lean)...)
	g.r.Shuffle(len(all.Args), func(i, j int) { all.Args[i], all.Args[j] = all.Args[j], all.Args[i] })
	return all
}

// atoms returns n different ones; lean is how often one is written the way in which it is true more often.
func (g *generator) atoms(n int, lean float64) []Node {
	var out []Node
	for len(out) < n {
		p := g.add(g.predicate())
		if slices.ContainsFunc(out, func(x Node) bool { return leafOf(x).Pred == p }) {
			continue
		}
		opposite := (g.chance[p] < 0.5) == (g.r.Float64() < lean)
		atom := Node{Op: Leaf, Pred: p, Opposite: opposite}
		if opposite && g.r.Float64() < notted {
			atom = Node{Op: Not, Args: []Node{{Op: Leaf, Pred: p}}}
		}
		out = append(out, atom)
	}
	return out
}

func leafOf(n Node) Node {
	for n.Op != Leaf {
		n = n.Args[0]
	}
	return n
}

func (g *generator) predicate() Predicate {
	switch u := g.r.Float64(); {
	case u < relations:
		return g.relation()
	case u < relations+overTime/2:
		a := g.times.draw(g.r)
		return Predicate{Form: Recent, A: a, B: -1, Of: -1, Limit: g.points[a][g.onGrid.draw(g.r)]}
	case u < relations+overTime:
		of := g.add(g.one(&g.lasting))
		limit := []float64{5, 10, 20, 30, 45, 60, 90, 120}[g.coarsed.draw(g.r)] * second
		// What holds long is what is true more often.
		return Predicate{Form: HeldFor, A: -1, B: -1, Of: of, Not: (g.chance[of] < 0.5) == (g.r.Float64() < lean), Limit: limit}
	}
	return g.one(&g.onGrid)
}

// one is a predicate over one attribute, with one of its limits.
func (g *generator) one(limits *chooser) Predicate {
	a := g.single.draw(g.r)
	p := Predicate{A: a, B: -1, Of: -1}
	switch attribute := &g.w.Attributes[a]; attribute.Kind {
	case Bool:
		p.Form = IsTrue
	case String:
		p.Form, p.N = Equal, int64(limits.draw(g.r))%int64(len(attribute.Words))
	default:
		p.Form, p.Limit = Less, g.points[a][limits.draw(g.r)]
	}
	return p
}

// relation is a predicate over two numbers of one kind.
func (g *generator) relation() Predicate {
	p := Predicate{Form: Below + Form(g.r.IntN(3)), A: g.numbers.draw(g.r), Of: -1}
	for p.B = p.A; p.B == p.A || g.w.Attributes[p.B].Kind != g.w.Attributes[p.A].Kind; {
		p.B = g.numbers.draw(g.r)
	}
	switch at := float64(g.coarsed.draw(g.r)); p.Form {
	case Excess:
		p.Limit = 5 * at
	case Sum:
		p.Limit = 60 + 25*at
	}
	return p
}

// add returns the number of a predicate, a new one where it is not known.
func (g *generator) add(p Predicate) int32 {
	k, ok := g.known[p]
	if !ok {
		k = int32(len(g.w.Predicates))
		g.known[p] = k
		g.w.Predicates = append(g.w.Predicates, p)
		g.chance = append(g.chance, g.estimate(&p))
	}
	return k
}

// estimate returns how often a predicate is true while it is known, from 200 draws.
func (g *generator) estimate(p *Predicate) float64 {
	if p.Form == HeldFor {
		c := g.chance[p.Of]
		if p.Not {
			c = 1 - c
		}
		// It holds until an update of the attribute, every 60 s or so, makes it false.
		return c * math.Exp(-p.Limit/second*(1-c)/attributes)
	}
	values, yes := make([]Value, attributes), 0
	for range 200 {
		values[p.A] = fresh(g.r, &g.w.Attributes[p.A], start)
		if p.B >= 0 {
			values[p.B] = fresh(g.r, &g.w.Attributes[p.B], start)
		}
		if g.w.Now(p, values, start) == True {
			yes++
		}
	}
	return float64(yes) / 200
}

// fresh draws a value over the whole range of an attribute.
func fresh(r *rand.Rand, a *Attribute, now int64) Value {
	v := Value{Known: true}
	switch a.Kind {
	case Double:
		v.F = float64(r.IntN(doubles*100)) / 100
	case Int:
		v.N = int64(r.IntN(doubles))
	case String:
		v.N = int64(r.IntN(len(a.Words)))
	case Bool:
		if r.Float64() < likelyTrue {
			v.N = 1
		}
	case Timestamp:
		v.N = now - int64(r.IntN(spanOfTimes*second))
	case Length:
		v.N = int64(r.IntN(spanOfLengths * second))
	}
	return v
}

// chooser draws from a list by Zipf: the k-th in proportion to 1/k^s.
type chooser struct {
	of  []int32
	sum []float64
}

func newChooser(of []int32, s float64) chooser {
	c, total := chooser{of: of}, 0.0
	for k := range of {
		total += math.Pow(float64(k+1), -s)
		c.sum = append(c.sum, total)
	}
	return c
}

func (c *chooser) draw(r *rand.Rand) int32 {
	return c.of[sort.SearchFloat64s(c.sum, r.Float64()*c.sum[len(c.sum)-1])]
}

func count(n int) []int32 {
	all := make([]int32, n)
	for k := range all {
		all[k] = int32(k)
	}
	return all
}
