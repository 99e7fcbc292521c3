package rule_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// sharp makes programs that aim at what an index of comparisons, counters and bits can get wrong: equal and adjacent
// limits, the ends of each kind, conjunctions of many arguments, of the same ones, and of both scopes.
type sharp struct {
	maker
	extreme bool // values at the ends of their kinds, too
}

func newSharp(seed uint64) *sharp {
	s := &sharp{maker: maker{r: rand.New(rand.NewPCG(seed, 21)), by: map[sense.Kind][]Node{}}, extreme: seed%3 != 0}
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for k, kind := range []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.Double, sense.String, sense.Length, sense.Timestamp, sense.Money, sense.Date} {
			s.p.Inputs = append(s.p.Inputs, Input{From: FromSignal, Name: fmt.Sprintf("s%d_%d", scope, k), Kind: kind, Scope: scope, Index: -1})
		}
	}
	s.p.Inputs = append(s.p.Inputs,
		Input{From: FromNow, Name: "now", Kind: sense.Timestamp, Index: -1},
		Input{From: FromUntil, Name: "flight", Kind: sense.Length, Scope: ScopeSession, Index: -1},
		Input{From: FromInside, Name: "store", Kind: sense.Bool, Scope: ScopeSession, Index: -1},
		Input{From: FromFact, Name: "rank", Kind: sense.Int, Scope: ScopeSession, Index: -1},
		Input{From: FromFact, Name: "likes", Kind: sense.List, Scope: ScopeSession, Index: -1},
		Input{From: FromFact, Name: "home", Kind: sense.Position, Scope: ScopeSession, Index: -1})
	return s
}

var (
	edgeInts    = []int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64, 1 << 53, 1<<53 + 1}
	edgeDoubles = []float64{math.Copysign(0, -1), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.Nextafter(1, 2), math.Nextafter(1, 0),
		math.Nextafter(-1, 0), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.NaN()}
	edgeLengths = []int64{math.MinInt64, math.MaxInt64, math.MaxInt64 / 1_000_000, -math.MaxInt64 / 1_000_000, math.MaxInt64 / 2, math.MinInt64 / 2, -1, -3000}
	edgeTimes   = []int64{math.MinInt64, math.MaxInt64, -62135596800_000, 253402300799_999, 253402300799_999 - int64(t0), 0, -int64(t0), math.MinInt64 + int64(t0), math.MaxInt64 - int64(t0)}
)

// value returns a value of a kind that often equals, or lies beside, others of it.
func (s *sharp) value(r *rand.Rand, k sense.Kind) sense.Value {
	edge := s.extreme && r.IntN(3) == 0
	switch k {
	case sense.Double:
		if edge {
			return sense.RawDouble(edgeDoubles[r.IntN(len(edgeDoubles))])
		}
		return sense.RawDouble(float64(r.IntN(7)-3) / 2)
	case sense.Int, sense.Money, sense.Date:
		n := int64(r.IntN(7) - 2)
		if edge {
			n = edgeInts[r.IntN(len(edgeInts))]
		}
		switch k {
		case sense.Money:
			return sense.MoneyValue(n)
		case sense.Date:
			return sense.DateValue(n)
		}
		return sense.IntValue(n)
	case sense.Length:
		if edge {
			return sense.LengthValue(sense.Duration(edgeLengths[r.IntN(len(edgeLengths))]))
		}
	case sense.Timestamp:
		if edge {
			return sense.TimestampValue(sense.Instant(edgeTimes[r.IntN(len(edgeTimes))]))
		}
		return sense.TimestampValue(t0.Add(sense.Duration(r.IntN(40)-5) * 1000))
	case sense.Position:
		return sense.PositionValue(sense.Point{Lat: int32(r.IntN(2)), Lon: int32(r.IntN(2))}, sense.NoAccuracy)
	case sense.List:
		list := make([]sense.Value, r.IntN(6))
		for k := range list {
			list[k] = s.value(r, []sense.Kind{sense.Int, sense.String, sense.Bool, sense.Double, sense.Timestamp, sense.Length, sense.Money}[r.IntN(7)])
		}
		return sense.ListValue(list)
	}
	return constant(r, k)
}

var scalars = []sense.Kind{sense.Bool, sense.Int, sense.Double, sense.String, sense.Length, sense.Timestamp, sense.Money, sense.Date}

// literal adds a constant and returns it.
func (s *sharp) literal(scope Scope, v sense.Value) Node {
	s.add(Op{Code: Const, Kind: v.Kind(), Scope: scope, Input: -1, Value: v})
	return Node(len(s.p.Nodes) - 1)
}

// program makes about n nodes a scope beside the loads.
func (s *sharp) program(n int) *Program {
	for scope := ScopeDevice; scope <= ScopeSession; scope++ {
		for _, k := range append([]sense.Kind{sense.List, sense.Position}, scalars...) {
			s.literal(scope, s.value(s.r, k))
		}
		for k := range s.p.Inputs {
			if s.p.Inputs[k].Scope == scope {
				s.add(Op{Code: Load, Kind: s.p.Inputs[k].Kind, Scope: scope, Input: int32(k)})
				if s.r.IntN(4) == 0 { // an input may be loaded twice
					s.add(Op{Code: Load, Kind: s.p.Inputs[k].Kind, Scope: scope, Input: int32(k)})
				}
			}
		}
		for range n {
			s.node(scope)
		}
	}
	return &s.p
}

func (s *sharp) node(scope Scope) {
	r := s.r
	op := Op{Kind: sense.Bool, Scope: scope, Input: -1}
	switch x := r.IntN(100); {
	case x < 40: // a comparison with a constant, on either side
		kind := scalars[r.IntN(len(scalars))]
		op.Code = Eq + Code(r.IntN(6))
		op.Args = []Node{s.pick(kind), s.literal(scope, s.value(r, kind))}
		if r.IntN(3) == 0 {
			op.Args[0], op.Args[1] = op.Args[1], op.Args[0]
		}
	case x < 46:
		op.Code = In
		list := s.value(r, sense.List)
		op.Args = []Node{s.pick(append([]sense.Kind{sense.Position}, scalars...)[r.IntN(9)]), s.literal(scope, list)}
		if r.IntN(4) == 0 {
			op.Args[1] = s.pick(sense.List)
		}
	case x < 52: // two values
		kind := scalars[r.IntN(len(scalars))]
		op.Code, op.Args = Eq+Code(r.IntN(6)), []Node{s.pick(kind), s.pick(kind)}
	case x < 72:
		op.Code = And + Code(r.IntN(2))
		many := 1 + r.IntN(4)
		switch r.IntN(20) {
		case 0:
			many = 14 + r.IntN(20)
		case 1:
			many = 220 + r.IntN(60)
		}
		recent := s.by[sense.Bool]
		for range many {
			if k := len(recent); r.IntN(2) == 0 && k > 6 {
				op.Args = append(op.Args, recent[k-1-r.IntN(6)])
			} else {
				op.Args = append(op.Args, s.pick(sense.Bool))
			}
		}
	case x < 78:
		op.Code, op.Args = Not, []Node{s.pick(sense.Bool)}
		if r.IntN(2) == 0 { // with its opposite
			s.add(op)
			op = Op{Code: And + Code(r.IntN(2)), Kind: sense.Bool, Scope: scope, Input: -1, Args: []Node{op.Args[0], Node(len(s.p.Nodes) - 1), s.pick(sense.Bool)}}
		}
	case x < 86:
		s.sums(&op)
	case x < 92: // how long something holds, beside limits
		op.Code, op.Kind, op.Args = Held, sense.Length, []Node{s.pick(sense.Bool)}
		if r.IntN(6) == 0 {
			op.Code = Since
		}
		s.add(op)
		op = Op{Code: Lt + Code(r.IntN(4)), Kind: sense.Bool, Scope: scope, Input: -1, Args: []Node{Node(len(s.p.Nodes) - 1), s.literal(scope, s.value(r, sense.Length))}}
	case x < 95:
		op.Code, op.Kind = Cond, scalars[r.IntN(len(scalars))]
		op.Args = []Node{s.pick(sense.Bool), s.pick(op.Kind), s.pick(op.Kind)}
	default:
		s.remembers(&op)
	}
	s.add(op)
}

// sums is arithmetic that formulas hold, until they are too long.
func (s *sharp) sums(op *Op) {
	r := s.r
	op.Code = Add + Code(r.IntN(2))
	switch op.Kind = []sense.Kind{sense.Int, sense.Double, sense.Double, sense.Length, sense.Timestamp, sense.Money}[r.IntN(6)]; op.Kind {
	case sense.Int, sense.Double:
		op.Code = Add + Code(r.IntN(4))
		op.Args = []Node{s.pick(op.Kind), s.pick(op.Kind)}
	case sense.Timestamp:
		op.Args = []Node{s.pick(sense.Timestamp), s.pick(sense.Length)}
	case sense.Money:
		if r.IntN(2) == 0 {
			op.Code = Mul + Code(r.IntN(2))
			op.Args = []Node{s.pick(sense.Money), s.pick([]sense.Kind{sense.Int, sense.Double}[r.IntN(2)])}
			return
		}
		op.Args = []Node{s.pick(op.Kind), s.pick(op.Kind)}
	default:
		op.Args = []Node{s.pick(op.Kind), s.pick(op.Kind)}
		if r.IntN(3) == 0 {
			op.Code, op.Args = Sub, []Node{s.pick(sense.Timestamp), s.pick(sense.Timestamp)}
		}
	}
	if r.IntN(8) == 0 && op.Kind != sense.Timestamp {
		op.Code, op.Args = Neg, []Node{s.pick(op.Kind)}
	}
}

// remembers is what looks back.
func (s *sharp) remembers(op *Op) {
	r := s.r
	op.For = lengths[1+r.IntN(len(lengths)-1)]
	switch op.Code = []Code{Became, Armed, Latch, CountTrue, CountReadings, Changed, Mean, Since}[r.IntN(8)]; op.Code {
	case Latch:
		op.Args = []Node{s.pick(sense.Bool), s.pick(sense.Bool)}
		return
	case CountTrue, Since, Became, Armed:
		op.Args = []Node{s.pick(sense.Bool)}
		if op.Code == CountTrue {
			op.Kind = sense.Int
		} else if op.Code == Since {
			op.Kind = sense.Length
		}
	case CountReadings, Mean:
		op.Kind, op.Input = sense.Int, 1
		if op.Code == Mean {
			op.Kind = sense.Double
		}
	case Changed:
		op.Input = int32(r.IntN(9))
	}
	if op.Scope == ScopeSession && len(op.Args) == 0 {
		op.Input += 9
	}
	if op.Kind == sense.Int {
		scope := op.Scope
		s.add(*op)
		n := Node(len(s.p.Nodes) - 1)
		*op = Op{Code: Eq + Code(r.IntN(6)), Kind: sense.Bool, Scope: scope, Input: -1, Args: []Node{n, s.literal(scope, sense.IntValue(int64(r.IntN(4))))}}
	}
}

// sharpInterest watches conditions, some twice, and makes a round number of candidates: of nothing, of constants, of
// the same conditions, of many.
func sharpInterest(r *rand.Rand, p *Program) Interest {
	var conditions []Node
	for n := range p.Nodes {
		if p.Nodes[n].Kind == sense.Bool {
			conditions = append(conditions, Node(n))
		}
	}
	var keep Interest
	some := func(n int) (list []Node) {
		for range n {
			if r.IntN(12) == 0 {
				list = append(list, None)
			}
			list = append(list, conditions[r.IntN(len(conditions))])
		}
		return list
	}
	if len(conditions) == 0 {
		return keep
	}
	keep.Watched = some(r.IntN(30))
	keep.Watched = append(keep.Watched, keep.Watched[:len(keep.Watched)/3]...)
	for range []int{0, 1, 63, 64, 65, 200}[r.IntN(6)] {
		c := Candidate{Score: int64(r.IntN(20) - 10)}
		switch x := r.IntN(10); {
		case x == 0:
		case x == 1:
			c.Needs = some(20)
		case x < 4 && len(keep.Candidates) > 0:
			c.Needs = keep.Candidates[r.IntN(len(keep.Candidates))].Needs
		case x == 4 && len(keep.Watched) > 0:
			c.Needs = append(some(1), keep.Watched[r.IntN(len(keep.Watched))])
		default:
			c.Needs = some(1 + r.IntN(3))
		}
		keep.Candidates = append(keep.Candidates, c)
	}
	return keep
}
