package rule

// Memory is what an evaluation takes, in bytes of a 64-bit machine. Texts and lists that inputs hold are the caller's.
type Memory struct {
	Bytes   int // as it is made
	Windows int // nodes that keep readings or turns of some time
	Most    int // with every window full, and everything watched turned at once
}

// Sizes of what evaluations and plans are made of, in bytes of a 64-bit machine; a test holds them to the types.
const (
	sizeEval    = 856
	sizeQueue   = 8264
	sizeInput   = 24
	sizeMark    = 16
	sizeValue   = 64
	sizeHold    = 32
	sizeWindow  = 88
	sizeEntry   = 16
	sizePlacing = 6
	sizeOp      = 152
	sizeStep    = 40
	sizeSource  = 104
	sizeEquals  = 72
	sizeSpot    = 32
	sizePair    = 32
	sizeGap     = 48
	sizeFound   = 6152
	sizeMixed   = 56
	sizePassing = 16
	sizeLane    = 28
	sizeGather  = 432
	sizeOnePair = 32
	sizeOneGap  = 24
	sizeHeld    = 20
	sizeTerm    = 24
	sizeTruthy  = 8
	sizeJoint   = 12
)

// taken is what the runtime takes for a list of n items of a size: it rounds up.
func taken(n, size int) int {
	bytes := n * size
	step := 16
	for step*16 <= bytes {
		step *= 2
	}
	return (bytes + step - 1) / step * step
}

// words is what n bits take.
func words(n int) int { return taken((n+63)/64, 8) }

// memory works out what an evaluation of a scope takes.
func (plan *Plan) memory(scope Scope) (m Memory) {
	l := &plan.layers[scope]
	n, counters := len(l.steps), len(l.unknown)
	m.Windows = int(l.windows)
	m.Bytes = taken(1, sizeEval) + taken(len(l.inputs), sizeInput) + taken(n, sizeMark) + taken(n, 8) + taken(int(l.riches), sizeValue) +
		taken(int(l.holds), sizeHold) + taken(m.Windows, sizeWindow) + words(n) + words(len(l.sources)) +
		taken(int(l.timers), 8) + 2*taken(int(l.timers), 4) +
		2*taken(counters, 1) + taken(len(l.vague), 1) + words(len(l.vague)) + taken(len(l.sources), sizePlacing) + taken(len(l.inputs), 4)
	m.Most = m.Bytes + m.Windows*MaxEntries*sizeEntry + taken(2*len(l.watch.to)+2*len(l.joints.to)+len(l.inputs), 4)
	if scope == ScopeSession {
		lane := l.mixed.lane()
		m.Bytes, m.Most = m.Bytes+lane, m.Most+lane+min(len(l.mixed.pairs), mostFound+1)*sizePassing
		return m
	}
	// What all evaluations of a device work with, one after another.
	shared := 0
	for of := range plan.layers {
		q := (len(plan.layers[of].unknown) + 63) / 64
		shared += taken(q, 8) + words(q) + sizeQueue
	}
	if g := plan.layers[ScopeSession].gathered; g != nil {
		shared += taken(sizeNoted(len(plan.layers[ScopeSession].from)-1), 1)
	}
	shared += sizeFound + taken(plan.most, sizeMark+sizeValue)
	m.Bytes += shared + words(len(l.vague))
	m.Most += shared + len(plan.Program.Nodes)*(4+sizeMark)
	return m
}

// bytes is about what the plan and its program take.
func (plan *Plan) bytes() int {
	p := plan.Program
	all := taken(len(p.Nodes), sizeOp) + opBytes(p.Nodes) + taken(len(p.Nodes), sizeTruthy) + 2*taken(len(p.Nodes), 4)
	for _, e := range [...]*edges{&plan.above, &plan.loads, &plan.feeds, &plan.rises, &plan.windows} {
		all += e.bytes()
	}
	for scope := range plan.layers {
		l := &plan.layers[scope]
		all += taken(len(l.steps), sizeStep) + taken(len(l.sources), sizeSource) + taken(len(l.spots), sizeSpot) +
			taken(len(l.keys), 8) + taken(len(l.home), 4) + taken(len(l.unknown), 2) + taken(len(l.both), sizeJoint) + taken(len(l.vague), 1) +
			taken(len(l.timed), 4) + taken(len(l.inputs), 8) + taken(len(l.from), 8) + taken(len(l.own), 4) + taken(len(l.parts), 4) +
			taken(len(l.across.from), 4) + taken(len(l.across.to), 4) + l.pairs.bytes() + l.mixed.bytes()
		if l.gathered != nil {
			all += l.gathered.bytes()
		}
		for _, e := range [...]*edges{&l.feeds, &l.watch, &l.joints} {
			all += e.bytes()
		}
		for k := range l.sources {
			s := &l.sources[k]
			all += taken(len(s.terms), sizeTerm) + taken(len(s.told.from), 4) + taken(len(s.told.to), 4)
			if e := s.equals; e != nil { // entries of hash tables stand half as often as there is room for
				all += sizeEquals + e.buckets.bytes() + 2*len(e.nums)*16 + 2*len(e.strs)*24
			}
		}
	}
	return all
}

func (p *pairsOf) bytes() int {
	return taken(len(p.fences), 8) + taken(len(p.doubles.list), sizePair) + taken(len(p.gaps.list), sizeGap) +
		taken(len(p.doubles.from), 4) + taken(len(p.gaps.from), 4)
}

func (of *mixed) bytes() int {
	return taken(len(of.pairs), sizeMixed) + taken(len(of.keys), 8) + taken(len(of.from), 4) + taken(len(of.values), 4) + taken(len(of.places), 4)
}

// lane is what the device keeps for a session: rows have room for up to a quarter more.
func (of *mixed) lane() int {
	if len(of.pairs) == 0 {
		return 0
	}
	return (of.height*8 + len(of.pairs)*2 + sizeLane) * 9 / 8
}

func (g *gathered) bytes() int {
	all := sizeGather + taken(len(g.inner), 2) + taken(len(g.mixed), 2) + taken(len(g.others), 4) + taken(len(g.held), sizeHeld)
	for n := range g.parts {
		all += taken(len(g.counters[n]), 2) + taken(len(g.parts[n]), 2)
	}
	for scope := range g.doubles {
		all += taken(len(g.doubles[scope]), sizeOnePair) + taken(len(g.gaps[scope]), sizeOneGap)
	}
	return all
}

func (e *edges) bytes() int { return taken(len(e.from), 4) + taken(len(e.to), 4) }

// opBytes is what the nodes hold beside themselves.
func opBytes(ops []Op) (all int) {
	for k := range ops {
		op := &ops[k]
		all += taken(len(op.Args), 4) + taken(len(op.Text), 1) + taken(len(op.Value.Str()), 1) + taken(len(op.Value.List()), sizeValue) +
			taken(len(op.Body), sizeOp) + opBytes(op.Body)
	}
	return all
}
