package rule

import (
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// compute evaluates one stored node from the results of its arguments, and says when time
// alone changes it. c.at is at least the instant since when the result holds, where
// the arguments do not tell.
func (e *Eval) compute(s *step) (c cell, due sense.Instant) {
	due = sense.Never
	switch s.code {
	case Const:
		c = known(s.op.Value)
	case Load:
		c = e.loadedCell(e.plan.known[s.op.Input].place)
	case Not, And, Or:
		c = e.logic(s)
	case Cond:
		c = e.choose(s)
	case Eq, Ne, Lt, Le, Gt, Ge:
		c, due = e.compare(s)
	case CountTrue, CountReadings, Mean, Min, Max, Rate:
		c, due = e.overWindow(s)
	case Held, Since, Became, Changed, Armed, Latch:
		c, due = e.lookBack(s)
	default:
		c, due = e.strict(s)
	}
	return c, due
}

func known(v sense.Value) cell {
	return cell{mark: mark{at: longAgo, input: -1, yes: v.Kind() == sense.Bool && v.Bool()}, value: v}
}

func truth(yes bool) cell { return cell{mark: mark{at: longAgo, input: -1, yes: yes}} }

func unknown(cause Cause, input int32) cell {
	return cell{mark: mark{at: longAgo, input: input, cause: cause}}
}

// because passes on why an argument has no value.
func because(m *mark) cell { return unknown(m.cause, m.input) }

// logic is Not, And and Or: one certain argument absorbs unknowns and errors, and an
// unknown beats an error; of several the leftmost stands.
func (e *Eval) logic(s *step) cell {
	if s.code == Not {
		m := e.mark(s.op.Args[0])
		if m.cause != Known {
			return because(m)
		}
		return truth(!m.yes)
	}
	absorbs := s.code == Or
	var unsure, failed *mark
	for _, a := range s.op.Args {
		switch m := e.mark(a); {
		case m.cause == Known:
			if m.yes == absorbs {
				return truth(absorbs)
			}
		case m.cause == Failed:
			if failed == nil {
				failed = m
			}
		case unsure == nil:
			unsure = m
		}
	}
	switch {
	case unsure != nil:
		return because(unsure)
	case failed != nil:
		return because(failed)
	}
	return truth(!absorbs)
}

func (e *Eval) choose(s *step) cell {
	m := e.mark(s.op.Args[0])
	if m.cause != Known {
		return because(m)
	}
	taken := s.op.Args[2]
	if m.yes {
		taken = s.op.Args[1]
	}
	c := e.cell(taken)
	c.at = longAgo
	return c
}

// strict is every operation that needs the values of all its arguments, and those over lists.
func (e *Eval) strict(s *step) (c cell, due sense.Instant) {
	op := s.op
	e.shared.machine.now = e.now
	if op.Code.overList() {
		c, due = e.overList(op)
	} else if op.Code == ListOf {
		return e.listOf(op), sense.Never
	} else {
		var v [2]cell
		for k, a := range op.Args {
			v[k] = e.cell(a)
		}
		if m := missing(op.Code, &v[0].mark, &v[1].mark); m != nil {
			return because(m), sense.Never
		}
		c, due = e.shared.machine.apply(op, &v[0], &v[1])
	}
	if c.cause == Failed && c.input < 0 {
		c.input = e.plan.first[s.node]
	}
	return c, due
}

// missing returns which of two arguments keeps an operation from its value, nil where both have one. As in CEL an
// error stands before an unknown in an equality, else the leftmost.
func missing(code Code, a, b *mark) *mark {
	switch {
	case a.cause == Known && b.cause == Known:
		return nil
	case a.cause == Known, b.cause == Failed && a.cause != Failed && (code == Eq || code == Ne):
		return b
	}
	return a
}

// overList lays the arguments down and judges the body over each element.
func (e *Eval) overList(op *Op) (cell, sense.Instant) {
	m := &e.shared.machine
	args := m.stack[:len(op.Args)]
	for k, a := range op.Args {
		args[k] = e.cell(a)
		args[k].at = longAgo
	}
	m.work = maxWork
	return m.overList(op, args, m.stack[len(args):])
}

// listOf makes a list of the arguments; of those without a value, an error stands before an unknown.
func (e *Eval) listOf(op *Op) cell {
	var l listed
	for _, a := range op.Args {
		c := e.cell(a)
		l.take(&c, len(op.Args))
	}
	return l.outcome()
}

// listed is a list in the making.
type listed struct {
	list []sense.Value
	bad  mark
}

func (l *listed) take(c *cell, room int) {
	if l.list == nil {
		l.list = make([]sense.Value, 0, room)
	}
	l.list = append(l.list, c.value)
	if c.cause != Known && (l.bad.cause == Known || l.bad.cause != Failed && c.cause == Failed) {
		l.bad = c.mark
	}
}

func (l *listed) outcome() cell {
	if l.bad.cause != Known {
		return because(&l.bad)
	}
	return known(sense.ListValue(l.list))
}

// maxSlope bounds how many growing lengths a sum may hold.
const maxSlope = 64

// linear adds and subtracts lengths and timestamps of which one at least moves by itself. The result is an
// error while it is beyond what its kind holds.
func linear(op *Op, a, b *cell, now sense.Instant) (cell, sense.Instant) {
	x, y, slope, ok := a.value.Int(), b.value.Int(), int64(a.slope), true
	switch op.Code {
	case Neg:
		x, ok, slope = -x, x != math.MinInt64, -slope
	case Add:
		slope += int64(b.slope)
		x, ok = addInts(x, y)
	case Sub:
		slope -= int64(b.slope)
		x, ok = ofInts(Sub, x, y)
	}
	if !ok || slope > maxSlope || slope < -maxSlope {
		return unknown(Failed, -1), sense.Never
	}
	least, most := bounds(op.Kind)
	enters, leaves := within(x, slope, least, most)
	switch {
	case now < enters:
		return unknown(Failed, -1), enters
	case now >= leaves:
		c := unknown(Failed, -1)
		c.at = leaves
		return c, sense.Never
	}
	v := sense.LengthValue(sense.Duration(x))
	if op.Kind == sense.Timestamp {
		v = sense.TimestampValue(sense.Instant(x))
	}
	c := known(v)
	c.slope, c.at = int8(slope), enters
	return c, leaves
}

// within returns from when and until when (not then any more) a value that is x at instant 0 and grows
// by slope lies between least and most.
func within(x, slope, least, most int64) (enters, leaves sense.Instant) {
	switch {
	case slope > 0:
		enters, _ = crossing(saturatingSub(least, x), slope)
		_, leaves = crossing(saturatingSub(most, x), slope)
	case slope < 0:
		enters, _ = crossing(saturatingSub(x, most), -slope)
		_, leaves = crossing(saturatingSub(x, least), -slope)
	case x < least || x > most:
		enters, leaves = sense.Never, sense.Never
	default:
		enters, leaves = longAgo, sense.Never
	}
	return enters, leaves
}

// valueAt returns a length or timestamp that moves, at an instant.
func valueAt(c *cell, t sense.Instant) (sense.Value, bool) {
	grown, ok1 := mulInts(int64(c.slope), int64(t))
	n, ok2 := addInts(c.value.Int(), grown)
	if c.value.Kind() == sense.Timestamp {
		return sense.TimestampValue(sense.Instant(n)), ok1 && ok2
	}
	return sense.LengthValue(sense.Duration(n)), ok1 && ok2
}

// compare is Eq to Ge over nodes: a count that is not complete may be enough already.
func (e *Eval) compare(s *step) (cell, sense.Instant) {
	a, b := e.cell(s.op.Args[0]), e.cell(s.op.Args[1])
	if a.cause == Known && b.cause == Known && a.slope == b.slope {
		return truth(still(s.code, &a.value, &b.value)), sense.Never
	}
	if a.cause == Settling || b.cause == Settling {
		if yes, certain := e.atLeast(s, &a, &b); certain {
			return truth(yes), sense.Never
		}
	}
	return compare(s.code, &a, &b, e.now)
}

// compare is Eq to Ge. Lengths and timestamps that move give the exact instant of the next flip.
func compare(code Code, a, b *cell, now sense.Instant) (cell, sense.Instant) {
	if a.cause != Known || b.cause != Known {
		return because(missing(code, &a.mark, &b.mark)), sense.Never
	}
	if a.slope != b.slope {
		return compareMoving(code, a, b, now)
	}
	return truth(still(code, &a.value, &b.value)), sense.Never
}

// still compares two values of which neither moves from the other.
func still(code Code, a, b *sense.Value) bool {
	if code <= Ne {
		return a.Equal(*b) == (code == Eq)
	}
	order, ok := a.Compare(*b) // not ok: of what is no number nothing holds
	return ok && holds(code, order)
}

func holds(c Code, order int) bool {
	switch c {
	case Eq:
		return order == 0
	case Ne:
		return order != 0
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	case Gt:
		return order > 0
	}
	return order >= 0
}

// atLeast decides a comparison of a count that is not complete yet with a known
// number, where what was counted already is enough.
func (e *Eval) atLeast(s *step, a, b *cell) (yes, certain bool) {
	code := s.code
	counted, limit := a, b
	node := s.op.Args[0]
	if b.cause == Settling && a.cause == Known {
		counted, limit, node = b, a, s.op.Args[1]
		code = [...]Code{Eq: Eq, Ne: Ne, Lt: Gt, Le: Ge, Gt: Lt, Ge: Le}[code]
	}
	if c := e.plan.Program.Nodes[node].Code; c != CountTrue && c != CountReadings {
		return false, false
	}
	if counted.cause != Settling || limit.cause != Known {
		return false, false
	}
	least, most := counted.value.Int(), limit.value.Int()
	switch code {
	case Ge:
		return true, least >= most
	case Gt:
		return true, least > most
	case Lt:
		return false, least >= most
	case Le:
		return false, least > most
	case Eq:
		return false, least > most
	}
	return true, least > most
}

// compareMoving compares two lengths whose difference moves by itself: it is below
// zero on one side of an instant and above on the other.
func compareMoving(code Code, a, b *cell, now sense.Instant) (cell, sense.Instant) {
	base := saturatingSub(a.value.Int(), b.value.Int())
	slope := int64(a.slope) - int64(b.slope)
	// reached: the first instant at which the difference is zero or beyond; passed: beyond.
	var reached, passed sense.Instant
	if slope > 0 {
		reached, passed = crossing(-base, slope)
	} else {
		reached, passed = crossing(base, -slope)
	}
	order := 0
	switch {
	case now < reached:
		order = -1
	case now >= passed:
		order = 1
	}
	if slope < 0 {
		order = -order
	}
	c := truth(holds(code, order))
	// An order with zero on its one side turns at one of the two, an equality at both.
	first, second := reached, passed
	switch zeroAbove := code == Lt || code == Ge; {
	case code <= Ne:
	case zeroAbove == (slope > 0):
		second = reached
	default:
		first = passed
	}
	due := sense.Never
	for _, turn := range [...]sense.Instant{first, second} {
		if turn > now {
			due = min(due, turn)
		} else {
			c.at = max(c.at, turn)
		}
	}
	return c, due
}

// crossing returns the first instant t with slope*t >= x, and with slope*t > x; slope > 0.
func crossing(x, slope int64) (reached, passed sense.Instant) {
	if x == math.MaxInt64 || x <= -math.MaxInt64 {
		if x > 0 {
			return sense.Never, sense.Never
		}
		return longAgo, longAgo
	}
	q := x
	if slope != 1 {
		if q = x / slope; x%slope != 0 && x < 0 {
			q--
		}
	}
	passed = sense.Instant(q + 1)
	if q*slope == x {
		return sense.Instant(q), passed
	}
	return passed, passed
}

// saturatingSub returns a-b within what can be negated.
func saturatingSub(a, b int64) int64 {
	if n, ok := ofInts(Sub, a, b); ok && n > -math.MaxInt64 {
		return n
	}
	if a < b {
		return -math.MaxInt64
	}
	return math.MaxInt64
}

// overWindow is every function of a window. While something may be missing the result is
// unknown; a count keeps what it has as its least value.
func (e *Eval) overWindow(s *step) (cell, sense.Instant) {
	op, w := s.op, &e.windows[s.window]
	w.expire(op.For, e.now)
	if op.Code == CountTrue {
		m := e.mark(op.Args[0])
		w.count(m.truth(), e.sinceWhen(m))
		w.expire(op.For, e.now)
	}
	c, due := e.ofWindow(s, w), w.next(op.For, e.now)
	c.at = w.moved
	if full := w.from.Add(op.For); w.from != longAgo && full <= e.now {
		c.at = max(c.at, full)
	}
	return c, due
}

func (e *Eval) ofWindow(s *step, w *window) cell {
	op, first := s.op, e.plan.first[s.node]
	filled := w.filled(op.For, e.now)
	if op.Code == CountTrue || op.Code == CountReadings {
		c := known(sense.IntValue(int64(w.n)))
		if !filled {
			c.cause, c.input = Settling, first
		}
		return c
	}
	switch {
	case !filled:
		return unknown(Settling, first)
	case w.n == 0:
		return unknown(InputUnknown, first)
	}
	switch op.Code {
	case Mean:
		if w.large > 0 {
			return unknown(Failed, first)
		}
		return known(sense.DoubleValue(w.mean()))
	case Rate:
		if w.at(0).at == w.at(w.n-1).at {
			return unknown(InputUnknown, first)
		}
		r, ok := w.rate()
		if !ok {
			return unknown(Failed, first)
		}
		return known(sense.DoubleValue(r))
	}
	return known(sense.DoubleValue(w.at(0).v)) // Min, Max: the oldest of those kept
}

// lookBack is every function that remembers what its argument was.
func (e *Eval) lookBack(s *step) (cell, sense.Instant) {
	op, first := s.op, e.plan.first[s.node]
	if op.Code == Held {
		return e.held(e.mark(op.Args[0])), sense.Never
	}
	h := &e.holds[s.hold]
	switch op.Code {
	case Since:
		return e.since(h, e.mark(op.Args[0]), first), sense.Never
	case Became:
		return e.became(s, h, e.mark(op.Args[0])), sense.Never
	case Changed:
		return e.took(s, h), sense.Never
	case Armed:
		return e.armed(op, h, e.mark(op.Args[0]), first)
	}
	return e.latch(h, e.mark(op.Args[0]), e.mark(op.Args[1]), first), sense.Never
}

// sinceWhen returns since when a result holds; what never changed, since the first step.
func (e *Eval) sinceWhen(m *mark) sense.Instant {
	if m.at == longAgo {
		return e.began
	}
	return m.at
}

// growing is a length that is 0 at an instant and grows with time.
func growing(since sense.Instant) cell {
	c := known(sense.LengthValue(sense.Duration(-since)))
	c.slope, c.at = 1, since
	return c
}

func (e *Eval) held(m *mark) cell {
	switch m.truth() {
	case True:
		return growing(e.sinceWhen(m))
	case False:
		return known(sense.LengthValue(0))
	}
	return because(m)
}

func (e *Eval) since(h *hold, m *mark, first int32) cell {
	switch t := m.truth(); {
	case t == Unknown:
		return because(m)
	case t == True:
		h.last, h.since = True, e.sinceWhen(m)
	case h.last != True:
		return unknown(InputUnknown, first)
	}
	return growing(h.since)
}

// became is true in the step in which the argument went from certainly false to true.
func (e *Eval) became(s *step, h *hold, m *mark) cell {
	t := m.truth()
	if t == True && h.last == False {
		h.step = e.step
	}
	if t == Unknown {
		return because(m)
	}
	h.last = t
	return e.pulse(s, t == True && h.step == e.step, m)
}

// pulse is true for this step, since its cause was; the node is evaluated again in the next.
func (e *Eval) pulse(s *step, yes bool, cause *mark) cell {
	c := truth(yes)
	if c.at = e.now; yes {
		e.pulses = append(e.pulses, e.plan.slot[s.node])
		c.at = cause.at
	}
	return c
}

// took is true in the step in which an input took another value than its last known one.
func (e *Eval) took(s *step, h *hold) cell {
	in := e.loadedCell(e.plan.known[s.op.Input].place)
	if in.cause != Known {
		return because(&in.mark)
	}
	if h.last == True && !sameValue(e.rich[s.rich], in.value) {
		h.step = e.step
	}
	h.last, e.rich[s.rich] = True, in.value
	return e.pulse(s, h.step == e.step, &in.mark)
}

// armed is true for op.For from when the argument became true, until that is certainly false.
func (e *Eval) armed(op *Op, h *hold, m *mark, first int32) (cell, sense.Instant) {
	t := m.truth()
	if t == True && h.last == False {
		h.armed, h.left, h.unsure = true, false, longAgo
		h.since, h.until = m.at, m.at.Add(op.For)
	}
	if t != Unknown {
		h.last = t
	}
	if h.armed && e.now >= h.until {
		h.armed = false
	}
	if t == False {
		h.left = h.left || h.armed
		h.armed, h.unsure = false, longAgo
	}
	var c cell
	due := sense.Never
	switch {
	case h.armed:
		c, due = truth(true), h.until
	case t == False:
		c = truth(false)
	case e.now < h.unsure:
		c, due = unknown(Settling, first), h.unsure
	case t == Unknown:
		c = because(m)
	default:
		c = truth(false)
	}
	// What time ended holds since then.
	for _, end := range [...]sense.Instant{h.until, h.unsure} {
		if end <= e.now {
			c.at = max(c.at, end)
		}
	}
	return c, due
}

// latch is on from when `when` is certainly true until `until` is. It cannot be known to stay off while
// `when` is unknown, nor to stay on while `until` is.
func (e *Eval) latch(h *hold, when, until *mark, first int32) cell {
	switch w, u := when.truth(), until.truth(); {
	case w == True:
		h.last = True
	case w == False && u == True:
		h.last = False
	case h.last == True && u != False, h.last == False && w == Unknown:
		h.last = Unknown
	}
	switch {
	case h.last == True:
		return truth(true)
	case h.last == False:
		return truth(false)
	case when.cause != Known:
		return because(when)
	case until.cause != Known:
		return because(until)
	}
	return unknown(Settling, first)
}
