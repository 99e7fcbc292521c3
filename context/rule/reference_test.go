package rule_test

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	. "github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// reference evaluates a program the slow way: every node at every step, windows from
// the whole history, growing lengths as plain lengths. It shares nothing with Eval.
type reference struct {
	p     *Program
	in    []Result
	reads [][]timed // by input
	now   sense.Instant
	boot  sense.Instant
	out   []Result
	mem   []memory
}

type timed struct {
	at sense.Instant
	v  float64
}

type memory struct {
	was       Truth // of the argument in the step before
	last      Truth // the last certain one
	since     sense.Instant
	ever      bool
	times     []sense.Instant
	from      sense.Instant
	armed     sense.Instant
	isArmed   bool
	settled   bool // Armed: certain since the restart
	lastValue sense.Value
}

const never = sense.Instant(math.MinInt64)

func newReference(p *Program) *reference {
	r := &reference{p: p, boot: never, in: make([]Result, len(p.Inputs)), reads: make([][]timed, len(p.Inputs)), out: make([]Result, len(p.Nodes)), mem: make([]memory, len(p.Nodes))}
	for k := range r.in {
		r.in[k] = Result{Cause: InputUnknown, Input: int32(k)}
	}
	for k := range r.mem {
		r.mem[k].from, r.mem[k].settled = never, true
	}
	return r
}

// restart forgets everything but the last side of places under Became and Armed.
func (r *reference) restart(now sense.Instant) {
	r.boot = now
	for k := range r.mem {
		last := Unknown
		if c := r.p.Nodes[k].Code; (c == Became || c == Armed) && r.placesAlone(r.p.Nodes[k].Args[0]) {
			last = r.mem[k].last
		}
		r.mem[k] = memory{last: last, from: now}
	}
	for k := range r.reads {
		r.reads[k] = nil
	}
}

func (r *reference) placesAlone(n Node) bool {
	op := &r.p.Nodes[n]
	switch op.Code {
	case Load:
		return r.p.Inputs[op.Input].From == FromInside
	case Const, Not, And, Or, Cond:
		for _, a := range op.Args {
			if !r.placesAlone(a) {
				return false
			}
		}
		return true
	}
	return false
}

func (r *reference) step(now sense.Instant) {
	r.now = now
	for k := range r.p.Nodes {
		r.out[k] = r.node(Node(k))
		if r.out[k].Cause == Known {
			r.out[k].Input = -1
		}
	}
}

func (r *reference) first(n Node) int32 {
	op := &r.p.Nodes[n]
	switch op.Code {
	case Load, CountReadings, Mean, Min, Max, Rate, Changed:
		return op.Input
	}
	first := int32(-1)
	for _, a := range op.Args {
		k := r.first(a)
		if k >= 0 && r.p.Inputs[k].From != FromNow {
			return k
		}
		first = max(first, k)
	}
	return first
}

func yes(b bool) Result { return Result{Value: sense.BoolValue(b)} }

func (r *reference) node(n Node) Result {
	op, mem := &r.p.Nodes[n], &r.mem[n]
	arg := func(k int) Result { return r.out[op.Args[k]] }
	fail := func(c Cause) Result { return Result{Cause: c, Input: r.first(n)} }
	switch op.Code {
	case Const:
		return Result{Value: op.Value}
	case Load:
		s := r.in[op.Input]
		if s.Cause == Known && r.p.Inputs[op.Input].From == FromUntil {
			s.Value = sense.LengthValue(s.Value.Timestamp().Sub(r.now))
		} else if s.Cause == Known && r.p.Inputs[op.Input].From == FromNow {
			s.Value = sense.TimestampValue(r.now)
		}
		return s
	case And, Or:
		var unsure, failed *Result
		for k := range op.Args {
			a := arg(k)
			if a.Truth() == True && op.Code == Or || a.Truth() == False && op.Code == And {
				return yes(op.Code == Or)
			}
			if a.Cause == Failed && failed == nil {
				failed = &a
			} else if a.Cause != Known && a.Cause != Failed && unsure == nil {
				unsure = &a
			}
		}
		if unsure != nil {
			return *unsure
		} else if failed != nil {
			return *failed
		}
		return yes(op.Code == And)
	case Cond:
		switch arg(0).Truth() {
		case True:
			return arg(1)
		case False:
			return arg(2)
		}
		return arg(0)
	case Exists, All, ExistsOne, Filter, Map:
		args := make([]Result, len(op.Args))
		for k := range args {
			args[k] = arg(k)
		}
		out := r.overList(op, args)
		if out.Cause == Failed && out.Input < 0 {
			out.Input = r.first(n)
		}
		return out
	case ListOf:
		args := make([]Result, len(op.Args))
		for k := range args {
			args[k] = arg(k)
		}
		return listOf(args)
	case Held, Since, CountTrue, Became, Armed:
		return r.over(n, op, mem, arg(0))
	case Latch:
		w, u := arg(0), arg(1)
		if w.Truth() == True {
			mem.last = True
		} else if w.Truth() == False && u.Truth() == True {
			mem.last = False
		} else if w.Truth() == Unknown && mem.last == False {
			mem.last = Unknown // it may have begun
		} else if u.Truth() != False && mem.last == True {
			mem.last = Unknown // it may have ended
		}
		if mem.last != Unknown {
			return yes(mem.last == True)
		} else if w.Cause != Known {
			return w
		} else if u.Cause != Known {
			return u
		}
		return fail(Settling)
	case Changed:
		s := r.in[op.Input]
		if s.Cause != Known {
			return s
		}
		changed := mem.ever && !mem.lastValue.Equal(s.Value)
		mem.ever, mem.lastValue = true, s.Value
		return yes(changed)
	case CountReadings, Mean, Min, Max, Rate:
		return r.window(n, op, mem)
	}
	// strict
	if op.Code <= Ge && op.Code >= Eq {
		if c, ok := r.partial(op); ok {
			return c
		}
		if op.Code <= Ne {
			for k := range op.Args {
				if arg(k).Cause == Failed {
					return arg(k)
				}
			}
		}
	}
	for k := range op.Args {
		if arg(k).Cause != Known {
			return arg(k)
		}
	}
	v, ok := r.value(op, arg)
	if !ok {
		return fail(Failed)
	}
	return Result{Value: v}
}

// over is what looks at how one condition went.
func (r *reference) over(n Node, op *Op, mem *memory, a Result) Result {
	t := a.Truth()
	turned := t == True && mem.was != True
	fell := mem.last == False
	if turned {
		mem.since = r.now
	}
	mem.was = t
	if turned && mem.last != True {
		if mem.last == Unknown && r.boot != never {
			mem.from = r.now
		} else if op.Code == CountTrue {
			mem.times = append(mem.times, r.now)
		}
	}
	if t != Unknown {
		mem.last = t
	}
	switch op.Code {
	case Held:
		if t == True {
			return Result{Value: sense.LengthValue(r.now.Sub(mem.since))}
		} else if t == False {
			return Result{Value: sense.LengthValue(0)}
		}
		return a
	case Since:
		mem.ever = mem.ever || t == True
		if t == Unknown {
			return a
		} else if !mem.ever {
			return Result{Cause: InputUnknown, Input: r.first(n)}
		}
		return Result{Value: sense.LengthValue(r.now.Sub(mem.since))}
	case CountTrue:
		count := int64(0)
		for _, at := range mem.times {
			if at.Add(op.For) > r.now {
				count++
			}
		}
		c := Result{Value: sense.IntValue(count)}
		if mem.from != never && mem.from.Add(op.For) > r.now {
			c.Cause, c.Input = Settling, r.first(n)
		}
		return c
	case Became:
		if t == Unknown {
			return a
		}
		return yes(turned && fell)
	}
	// Armed
	if turned && fell {
		mem.isArmed, mem.armed, mem.settled = true, r.now, true
	}
	if mem.isArmed && mem.armed.Add(op.For) <= r.now {
		mem.isArmed = false
	}
	if t == False {
		mem.isArmed, mem.settled = false, true
	}
	switch {
	case mem.isArmed:
		return yes(true)
	case t == False:
		return yes(false)
	case !mem.settled && r.boot.Add(op.For) > r.now:
		return Result{Cause: Settling, Input: r.first(n)}
	case t == Unknown:
		return a
	}
	return yes(false)
}

func (r *reference) window(n Node, op *Op, mem *memory) Result {
	var in []timed
	for _, x := range r.reads[op.Input] {
		if x.at.Add(op.For) > r.now {
			in = append(in, x)
		}
	}
	missing := mem.from != never && mem.from.Add(op.For) > r.now
	fail := func(c Cause) Result { return Result{Cause: c, Input: op.Input} }
	if op.Code == CountReadings {
		c := Result{Value: sense.IntValue(int64(len(in)))}
		if missing {
			c.Cause, c.Input = Settling, op.Input
		}
		return c
	}
	if missing {
		return fail(Settling)
	}
	if len(in) == 0 {
		return fail(InputUnknown)
	}
	least, most, sum := in[0].v, in[0].v, new(big.Rat)
	for _, x := range in {
		least, most = min(least, x.v), max(most, x.v)
		sum.Add(sum, new(big.Rat).SetFloat64(x.v))
	}
	f := 0.0
	switch op.Code {
	case Min:
		f = least
	case Max:
		f = most
	case Mean: // cut to millionths
		sum.Mul(sum, big.NewRat(1_000_000, int64(len(in))))
		f = float64(new(big.Int).Quo(sum.Num(), sum.Denom()).Int64()) / 1e6
	case Rate:
		a, b := in[0], in[len(in)-1]
		if a.at == b.at {
			return fail(InputUnknown)
		}
		change := int64(math.Round(b.v*1e6)) - int64(math.Round(a.v*1e6))
		f = float64(change*1000/int64(b.at.Sub(a.at))) / 1e6
	}
	return Result{Value: sense.DoubleValue(f)}
}

// partial decides a comparison of an incomplete count by trying what it could still become.
func (r *reference) partial(op *Op) (Result, bool) {
	for k := range 2 {
		c, o := r.out[op.Args[k]], r.out[op.Args[1-k]]
		code := r.p.Nodes[op.Args[k]].Code
		if c.Cause != Settling || o.Cause != Known || code != CountTrue && code != CountReadings {
			continue
		}
		first, same := false, true
		for more := range int64(300) { // beyond all numbers that are not far
			pair := [2]sense.Value{}
			pair[k], pair[1-k] = sense.IntValue(c.Value.Int()+more), o.Value
			order, _ := pair[0].Compare(pair[1])
			t := map[Code]bool{Eq: order == 0, Ne: order != 0, Lt: order < 0, Le: order <= 0, Gt: order > 0, Ge: order >= 0}[op.Code]
			if more == 0 {
				first = t
			}
			same = same && t == first
		}
		far := o.Value.Int() < -100 || o.Value.Int() > 100
		if same && !far {
			return yes(first), true
		}
		if far && o.Value.Int() < 0 {
			return yes(op.Code == Ne || k == 0 && (op.Code == Gt || op.Code == Ge) || k == 1 && (op.Code == Lt || op.Code == Le)), true
		}
	}
	return Result{}, false
}

func (r *reference) value(op *Op, arg func(int) Result) (sense.Value, bool) {
	a := arg(0).Value
	var b sense.Value
	if len(op.Args) > 1 {
		b = arg(1).Value
	}
	fits := func(n *big.Int) (sense.Value, bool) {
		if op.Kind == sense.Length {
			return sense.LengthValue(sense.Duration(n.Int64())), n.CmpAbs(big.NewInt(9223372036854)) <= 0
		} else if op.Kind == sense.Timestamp {
			return sense.TimestampValue(sense.Instant(n.Int64())), n.Cmp(big.NewInt(-62135596800000)) >= 0 && n.Cmp(big.NewInt(253402300799999)) <= 0
		}
		return sense.IntValue(n.Int64()), n.IsInt64()
	}
	x, y := big.NewInt(a.Int()), big.NewInt(b.Int())
	double := a.Kind() == sense.Double
	switch op.Code {
	case Not:
		return sense.BoolValue(!a.Bool()), true
	case Eq:
		return sense.BoolValue(a.Equal(b)), true
	case Ne:
		return sense.BoolValue(!a.Equal(b)), true
	case Lt, Le, Gt, Ge:
		order, ok := a.Compare(b)
		t := map[Code]bool{Lt: order < 0, Le: order <= 0, Gt: order > 0, Ge: order >= 0}[op.Code]
		return sense.BoolValue(t && ok), true
	case StartsWith:
		return sense.BoolValue(strings.HasPrefix(a.Str(), b.Str())), true
	case EndsWith:
		return sense.BoolValue(strings.HasSuffix(a.Str(), b.Str())), true
	case Contains:
		return sense.BoolValue(strings.Contains(a.Str(), b.Str())), true
	case Add:
		if a.Kind() == sense.String {
			return sense.StringValue(a.Str() + b.Str()), len(a.Str()+b.Str()) <= 64<<10
		} else if a.Kind() == sense.List {
			return sense.ListValue(slices.Concat(a.List(), b.List())), len(a.List())+len(b.List()) <= 1024
		}
	case In:
		return sense.BoolValue(slices.ContainsFunc(b.List(), a.Equal)), true
	case Index:
		if a.Kind() == sense.Int {
			a, b = b, a
		}
		if b.Int() < 0 || b.Int() >= int64(len(a.List())) {
			return sense.Value{}, false
		}
		v := a.List()[b.Int()]
		return v, v.Kind() == op.Kind
	case ToText, ToBool, ToTimestamp, ToMoney:
		return converted(op.Code, a)
	case PartYear, PartMonth, PartDate, PartDayOfMonth, PartWeekday, PartYearDay, PartHours, PartMinutes, PartSeconds, PartMilliseconds:
		return r.part(op, a)
	}
	switch op.Code {
	case Size:
		if a.Kind() == sense.List {
			return sense.IntValue(int64(len(a.List()))), true
		}
		return sense.IntValue(int64(utf8.RuneCountInString(a.Str()))), true
	case ToDouble:
		return sense.DoubleValue(float64(a.Int())), true
	case ToInt:
		f := a.Double()
		if math.IsNaN(f) || f <= -(1<<63) || f >= 1<<63 {
			return sense.Value{}, false
		}
		return sense.IntValue(int64(f)), true
	case Neg:
		if double {
			return sense.RawDouble(-a.Double()), true
		}
		return fits(x.Neg(x))
	case Add:
		if double {
			return sense.RawDouble(a.Double() + b.Double()), true
		}
		return fits(x.Add(x, y))
	case Sub:
		if double {
			return sense.RawDouble(a.Double() - b.Double()), true
		}
		return fits(x.Sub(x, y))
	case Mul:
		if double {
			return sense.RawDouble(a.Double() * b.Double()), true
		}
		return fits(x.Mul(x, y))
	case Div:
		if double {
			return sense.RawDouble(a.Double() / b.Double()), true
		}
		if y.Sign() == 0 {
			return sense.Value{}, false
		}
		return fits(x.Quo(x, y))
	case Mod:
		if y.Sign() == 0 || a.Int() == math.MinInt64 && b.Int() == -1 {
			return sense.Value{}, false
		}
		return fits(x.Rem(x, y))
	}
	panic("operation not known to the reference")
}

func converted(c Code, a sense.Value) (sense.Value, bool) {
	switch c {
	case ToTimestamp:
		return sense.TimestampValue(sense.Instant(a.Int() * 1000)), true // small numbers alone come here
	case ToBool:
		yes, err := strconv.ParseBool(a.Str())
		return sense.BoolValue(yes), err == nil
	case ToMoney:
		if a.Kind() == sense.Int {
			return sense.MoneyValue(a.Int() * 1_000_000), a.Int() > -9e12 && a.Int() < 9e12
		}
		// Exactly, but that what lies within a double's own rounding of a whole number is that number.
		exact := new(big.Rat).SetFloat64(a.Double())
		if exact == nil {
			return sense.Value{}, false // infinite, or no number
		}
		exact.Mul(exact, big.NewRat(1_000_000, 1))
		whole := func(r *big.Rat) *big.Int { return new(big.Int).Quo(r.Num(), r.Denom()) }
		half := big.NewRat(int64(exact.Sign()), 2)
		near := whole(new(big.Rat).Add(exact, half))
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt(near))
		n := whole(exact)
		if off.Abs(off).Cmp(new(big.Rat).Mul(new(big.Rat).Abs(exact), big.NewRat(1, 1<<50))) <= 0 {
			n = near
		}
		return sense.MoneyValue(n.Int64()), n.IsInt64()
	}
	switch a.Kind() {
	case sense.Bool:
		return sense.StringValue(strconv.FormatBool(a.Bool())), true
	case sense.Double:
		return sense.StringValue(strconv.FormatFloat(a.Double(), 'g', -1, 64)), true
	case sense.Length:
		return sense.StringValue(strconv.FormatFloat((time.Duration(a.Int())*time.Millisecond).Seconds(), 'f', -1, 64) + "s"), true
	case sense.Timestamp:
		return sense.StringValue(time.UnixMilli(a.Int()).UTC().Format(time.RFC3339Nano)), true
	}
	return sense.StringValue(strconv.FormatInt(a.Int(), 10)), true
}

func (r *reference) part(op *Op, a sense.Value) (sense.Value, bool) {
	if a.Kind() == sense.Length {
		d := time.Duration(a.Int()) * time.Millisecond
		return sense.IntValue(map[Code]int64{PartHours: int64(d / time.Hour), PartMinutes: int64(d / time.Minute), PartSeconds: int64(d / time.Second)}[op.Code]), true
	}
	offset := sense.Duration(0)
	if op.Zone > 0 {
		z := r.p.Zones[op.Zone-1]
		offset = z.Turns[0].Offset
		for _, turn := range z.Turns {
			if turn.From <= a.Timestamp() {
				offset = turn.Offset
			}
		}
		if len(z.Turns) > 1 && (a.Int() < 0 || a.Timestamp().Time().Year() >= 2100) {
			return sense.Value{}, false
		}
	}
	t := time.UnixMilli(a.Int() + int64(offset)).UTC()
	n := map[Code]int{PartYear: t.Year(), PartMonth: int(t.Month()) - 1, PartDate: t.Day(), PartDayOfMonth: t.Day() - 1, PartWeekday: int(t.Weekday()),
		PartYearDay: t.YearDay() - 1, PartHours: t.Hour(), PartMinutes: t.Minute(), PartSeconds: t.Second(), PartMilliseconds: t.Nanosecond() / 1e6}[op.Code]
	return sense.IntValue(int64(n)), true
}

// overList judges a body over each element, all of them.
func (r *reference) overList(op *Op, args []Result) Result {
	if args[0].Cause != Known {
		return args[0]
	}
	var all []Result
	for _, x := range args[0].Value.List() {
		var frame []Result
		for k := range op.Body {
			frame = append(frame, r.bodyNode(&op.Body[k], x, args, frame))
		}
		all = append(all, frame[len(frame)-1])
	}
	var list []sense.Value
	count, bad := 0, Result{}
	for k, v := range all {
		if v.Cause != Known {
			if op.Code != Map || bad.Cause == Known {
				bad = v
			}
			continue
		}
		if v.Value.Bool() && op.Code != Map {
			count++
			list = append(list, args[0].Value.List()[k])
		} else if op.Code == Map {
			list = append(list, v.Value)
		}
	}
	switch {
	case op.Code == Exists:
		return chain(Or, all)
	case op.Code == All:
		return chain(And, all)
	case bad.Cause != Known:
		return bad
	case op.Code == ExistsOne:
		return yes(count == 1)
	}
	return Result{Value: sense.ListValue(list)}
}

func listOf(args []Result) Result {
	var list []sense.Value
	for _, a := range args {
		if a.Cause == Failed {
			return a
		}
	}
	for _, a := range args {
		if a.Cause != Known {
			return a
		}
		list = append(list, a.Value)
	}
	return Result{Value: sense.ListValue(list)}
}

// chain is And or Or of many.
func chain(c Code, all []Result) Result {
	for _, a := range all {
		if a.Truth() == True && c == Or || a.Truth() == False && c == And {
			return yes(c == Or)
		}
	}
	for _, failed := range []bool{false, true} {
		for _, a := range all {
			if a.Cause != Known && (a.Cause == Failed) == failed {
				return a
			}
		}
	}
	return yes(c == And)
}

func (r *reference) bodyNode(op *Op, x sense.Value, outer, frame []Result) Result {
	var args []Result
	for _, a := range op.Args {
		args = append(args, frame[a])
	}
	failed := Result{Cause: Failed, Input: -1}
	switch op.Code {
	case Const:
		return Result{Value: op.Value}
	case Elem:
		if x.Kind() != op.Kind {
			return failed
		}
		return Result{Value: x}
	case Outer:
		return outer[1+op.Input]
	case And, Or:
		return chain(op.Code, args)
	case Cond:
		switch args[0].Truth() {
		case True:
			return args[1]
		case False:
			return args[2]
		}
		return args[0]
	case Exists, All, ExistsOne, Filter, Map:
		return r.overList(op, args)
	case ListOf:
		return listOf(args)
	}
	if op.Code == Eq || op.Code == Ne {
		for _, a := range args {
			if a.Cause == Failed {
				return a
			}
		}
	}
	for _, a := range args {
		if a.Cause != Known {
			return a
		}
	}
	v, ok := r.value(op, func(k int) Result { return args[k] })
	if !ok {
		return failed
	}
	return Result{Value: v}
}
