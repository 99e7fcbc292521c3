package rule

import (
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/tact-edge/tact/context/sense"
)

// The sizes that Cost reckons with are those of the types.
func TestSizes(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("memory is told for 64-bit machines")
	}
	for _, c := range []struct {
		name      string
		said, was uintptr
	}{
		{"sizeEval", sizeEval, unsafe.Sizeof(Eval{})},
		{"sizeQueue", sizeQueue, unsafe.Sizeof(queue{})},
		{"sizeInput", sizeInput, unsafe.Sizeof(inputState{})},
		{"sizeMark", sizeMark, unsafe.Sizeof(mark{})},
		{"sizeValue", sizeValue, unsafe.Sizeof(sense.Value{})},
		{"sizeHold", sizeHold, unsafe.Sizeof(hold{})},
		{"sizeWindow", sizeWindow, unsafe.Sizeof(window{})},
		{"sizeEntry", sizeEntry, unsafe.Sizeof(entry{})},
		{"sizePlacing", sizePlacing, unsafe.Sizeof(placing{})},
		{"sizeOp", sizeOp, unsafe.Sizeof(Op{})},
		{"sizeStep", sizeStep, unsafe.Sizeof(step{})},
		{"sizeSource", sizeSource, unsafe.Sizeof(source{})},
		{"sizeEquals", sizeEquals, unsafe.Sizeof(equals{})},
		{"sizeSpot", sizeSpot, unsafe.Sizeof(spot{})},
		{"sizePair", sizePair, unsafe.Sizeof(pair{})},
		{"sizeGap", sizeGap, unsafe.Sizeof(gap{})},
		{"sizeFound", sizeFound, unsafe.Sizeof(found{})},
		{"sizeMixed", sizeMixed, unsafe.Sizeof(mixedPair{})},
		{"sizePassing", sizePassing, unsafe.Sizeof(passing{})},
		{"sizeLane", sizeLane, unsafe.Sizeof(newsAt{}) + unsafe.Sizeof(int32(0)) + unsafe.Sizeof(&Eval{})},
		{"sizeGather", sizeGather, unsafe.Sizeof(gathered{})},
		{"sizeOnePair", sizeOnePair, unsafe.Sizeof(onePair[float64]{})},
		{"sizeOneGap", sizeOneGap, unsafe.Sizeof(onePair[int32]{})},
		{"sizeHeld", sizeHeld, unsafe.Sizeof(heldSource{})},
		{"sizeTerm", sizeTerm, unsafe.Sizeof(term{})},
		{"sizeTruthy", sizeTruthy, unsafe.Sizeof(truthy{})},
		{"sizeJoint", sizeJoint, unsafe.Sizeof(joint{})},
	} {
		if c.said != c.was {
			t.Errorf("%s = %d, and it is %d", c.name, c.said, c.was)
		}
	}
}

// before is what an evaluation was before a Settle.
type before struct {
	places []placing
	marks  []mark
	nums   []int64
	made   []Truth
	waits  []bool
	dirty  []uint64
}

func look(e *Eval) before {
	waits := make([]bool, len(e.layer.sources))
	for k := range waits {
		waits[k] = has(e.pending, k)
	}
	for k := range e.plan.known {
		if in := &e.plan.known[k]; in.scope == e.scope && slices.Contains(e.given, in.place) {
			own, _ := e.plan.readersOf(int32(k))
			for _, source := range own {
				waits[source] = true
			}
		}
	}
	return before{slices.Clone(e.counters.places), slices.Clone(e.marks), slices.Clone(e.nums), slices.Clone(e.counters.made),
		waits, slices.Clone(e.dirty)}
}

func has(set []uint64, k int) bool { return set[k>>6]>>(k&63)&1 != 0 }

// SettleCounted settles both evaluations and returns the work that shows in what became of them: the sources that
// waited, the keys and edges between where these stood and stand, the counters that turned, the nodes that waited and
// those above what changed.
func SettleCounted(device, session *Eval, now sense.Instant) (ofDevice, ofSession Work) {
	was := look(device)
	device.Settle(now)
	ofDevice = done(device, &was)
	if session.settles != device.settles {
		for _, p := range device.passed {
			ofSession.Edges += float64(p.to - p.from)
		}
	}
	session.now = max(session.now, now)
	session.follow()
	was = look(session)
	session.Settle(now)
	ofSession.add(done(session, &was))
	return ofDevice, ofSession
}

// done compares an evaluation with what it was.
func done(e *Eval, was *before) (w Work) {
	l := e.layer
	for k := range l.sources {
		s := &l.sources[k]
		if was.waits[k] {
			w.add(l.working(int32(k)))
		}
		old, p := &was.places[k], &e.counters.places[k]
		first, last := l.keysOf(int32(k))
		for key := range last - first {
			if old.at(key) != p.at(key) {
				w.Keys++
				w.Edges += float64(l.inside(first+key, first+key+1))
			}
		}
		if s.equals == nil || old.bucket == p.bucket {
			continue
		}
		for _, b := range [...]int32{int32(old.bucket), int32(p.bucket)} {
			if b < 0 {
				w.Keys += float64(s.equals.atoms)
				w.Edges += float64(l.inside(s.equals.base, s.equals.base+s.equals.atoms))
				continue
			}
			atoms, edges := s.bucket(b, l.inside)
			w.Keys, w.Edges = w.Keys+float64(atoms), w.Edges+float64(edges)
		}
	}
	for k, made := range e.counters.made {
		if was.made[k] != made {
			id := l.atoms + int32(k)
			w.Edges += float64(l.inside(id, id+1))
		}
	}
	touched := make([]bool, len(l.steps))
	base := 0
	if e.device != nil {
		base = len(e.device.layer.steps)
	}
	for k := range l.steps {
		old, m := &was.marks[k], &e.marks[k]
		changed := old.cause != m.cause || old.input != m.input || old.yes != m.yes || old.slope != m.slope || was.nums[k] != e.nums[k]
		if changed {
			for _, n := range e.plan.above.of(int32(base + k)) {
				if e.plan.Program.Nodes[n].Scope == e.scope {
					touched[e.plan.slot[n]] = true
				}
			}
		}
		if touched[k] || changed || has(was.dirty, k) {
			w.Nodes += stepsOf(l.steps[k].op, e.plan.Program.Nodes)
		}
	}
	return w
}
