package rule

import (
	"math"
	"slices"

	"github.com/tact-edge/tact/context/sense"
)

// mixed is the pairs of one input of the device's and one of a session's. When the device's changes, such a pair has
// another value in every session; so they are looked at pair by pair, in all sessions by one loop over rows that stand
// close together, and only sessions in which one crossed a key are told.
type mixed struct {
	from   []int32 // place of an input of the device -> its pairs
	pairs  []mixedPair
	keys   []int64 // of each pair; of doubles their bits
	values []int32 // place of an input of sessions -> its row of values, -1 where no such pair reads it
	places []int32 // source of sessions -> its row of places, which is its pair; -1 where it is none
	height int     // how many rows of values
}

// mixedPair is one of them, as the device's input sees it.
type mixedPair struct {
	source   int32
	atom     int32 // of its only key; -1 where it has more
	row      int32 // of the values of the sessions' input
	whole    bool  // of whole numbers
	from, to int32 // its keys
	x, y     int64 // the value is x times the device's input + y times the session's; of doubles their bits
	least    int64
	most     int64
}

// mostLooped is how many keys a pair has at most that is looked at in all sessions at once: each change compares with all
// of them. Of one that has more, each session looks only at the keys beside its place.
const mostLooped = 32

// makeMixed takes the sources that are pairs out of those of sessions that n inputs of the device feed.
func (of *mixed) makeMixed(l *layer, feeds *pairs, n int) (rest pairs) {
	of.values, of.places = make([]int32, len(l.inputs)), make([]int32, len(l.sources))
	for _, rows := range [...][]int32{of.values, of.places} {
		for k := range rows {
			rows[k] = -1
		}
	}
	of.from = make([]int32, n+1)
	byInput := feeds.edges(n)
	for k := range n {
		for _, source := range byInput.of(int32(k)) {
			sp := &l.spots[source]
			if sp.a&1 == sp.b&1 || sp.n > mostLooped || !sp.isGap() && !(sp.isPair() && sp.scales()) {
				rest.add(int32(k), source)
				continue
			}
			of.places[source] = int32(len(of.pairs))
			of.pairs = append(of.pairs, of.pair(l, source, int32(k)<<1|int32(ScopeDevice)))
		}
		of.from[k+1] = int32(len(of.pairs))
	}
	return rest
}

// scales says whether what a double is multiplied with makes no number of none, nor none of one.
func (sp *spot) scales() bool {
	y := math.Float64frombits(uint64(sp.scale))
	return y != 0 && !math.IsInf(y, 0) && y == y
}

func (of *mixed) pair(l *layer, source, input int32) mixedPair {
	sp, other := &l.spots[source], int32(0)
	m := mixedPair{source: source, atom: sp.only(), from: int32(len(of.keys))}
	for _, key := range l.keysAmong(sp) {
		if sp.isPair() {
			key = doubleKey(key) // back to its bits
		}
		of.keys = append(of.keys, key)
	}
	m.to = int32(len(of.keys))
	if sp.isPair() {
		p := sp.pair(source, 0, input)
		other, m.x, m.y = p.other, int64(math.Float64bits(p.x)), int64(math.Float64bits(p.y))
	} else {
		g := sp.gap(source, 0, input)
		other, m.whole, m.x, m.y, m.least, m.most = g.other, true, g.x, g.y, g.least, g.most
	}
	row := &of.values[other>>1]
	if *row < 0 {
		*row = int32(of.height)
		of.height++
	}
	m.row = *row
	return m
}

func (of *mixed) sourcesOf(input int32) (all []int32) {
	for _, p := range of.pairs[of.from[input]:of.from[input+1]] {
		all = append(all, p.source)
	}
	return all
}

// mostFound is how many crossings are listed for each session: where there are more, all sessions count anew.
const mostFound = 256

// Values in rows: of a session of which it is unknown, and of whole numbers that no loop may count with.
const (
	unknownDouble = 0x7ff8000000000001
	unknownWhole  = math.MinInt64
	hugeWhole     = math.MaxInt64
)

// Places in rows: 0 where the value is unknown, else how many keys it has reached, and one more.
const (
	nowhere   = 0
	elsewhere = math.MaxUint16 // the loop does not know
)

// lanes is what a device keeps of its sessions to look at mixed pairs: a lane each.
type lanes struct {
	of       *mixed
	sessions []*Eval
	values   []int64  // rows of room lanes
	places   []uint16 // rows of room lanes: what sessions were told, or told the device
	told     []newsAt
	first    []int32 // by lane: the last of its crossings, -1
	room     int
	found    []passing
}

// passing is a pair that stands at another place in one session; next is another in the same, -1.
type passing struct {
	pair, lane, next int32
	was, now         uint16
}

// join gives a session a lane, where there are mixed pairs at all.
func (ln *lanes) join(e *Eval) {
	e.lane = -1
	if len(ln.of.pairs) == 0 {
		return
	}
	lane := len(ln.sessions)
	e.lane = int32(lane)
	if lane == ln.room {
		ln.grow(lane + lane/4 + 2)
	}
	ln.sessions, ln.told, ln.first = append(ln.sessions, e), append(ln.told, newsAt{}), append(ln.first, -1)
	for k, row := range ln.of.values {
		if row >= 0 {
			ln.values[int(row)*ln.room+lane] = inRow(&e.in[k], e.plan.ofDoubles(e.layer.inputs[k]))
		}
	}
	for row := range ln.of.pairs {
		ln.places[row*ln.room+lane] = nowhere
	}
}

// grow makes room for more lanes.
func (ln *lanes) grow(room int) {
	n := len(ln.sessions)
	values, places := make([]int64, ln.of.height*room), make([]uint16, len(ln.of.pairs)*room)
	for row := range ln.of.height {
		copy(values[row*room:], ln.values[row*ln.room:][:n])
	}
	for row := range ln.of.pairs {
		copy(places[row*room:], ln.places[row*ln.room:][:n])
	}
	ln.values, ln.places, ln.room = values, places, room
	ln.sessions, ln.told, ln.first = slices.Grow(ln.sessions, room-n), slices.Grow(ln.told, room-n), slices.Grow(ln.first, room-n)
}

// leave gives the lane of a session to the last one.
func (ln *lanes) leave(e *Eval) {
	lane, last := int(e.lane), len(ln.sessions)-1
	if lane < 0 {
		return
	}
	for row := range ln.of.height {
		ln.values[row*ln.room+lane] = ln.values[row*ln.room+last]
	}
	for row := range ln.of.pairs {
		ln.places[row*ln.room+lane] = ln.places[row*ln.room+last]
	}
	ln.sessions[lane], ln.told[lane], ln.first[lane] = ln.sessions[last], ln.told[last], ln.first[last]
	ln.sessions[lane].lane = int32(lane)
	ln.sessions[last] = nil
	ln.sessions, ln.told, ln.first = ln.sessions[:last], ln.told[:last], ln.first[:last]
	e.lane = -1
}

// ofDoubles says whether an input is a double.
func (plan *Plan) ofDoubles(input int32) bool { return plan.known[input].kind == sense.Double }

// inRow is the state of an input as rows have it.
func inRow(in *inputState, double bool) int64 {
	switch {
	case in.cause != Known && double:
		return unknownDouble
	case in.cause != Known:
		return unknownWhole
	case !double && !plain(in.num):
		return hugeWhole
	}
	return in.num
}

// give takes over the state of a session's input.
func (ln *lanes) give(e *Eval, k int32) {
	if row := ln.of.values[k]; row >= 0 {
		ln.values[int(row)*ln.room+int(e.lane)] = inRow(&e.in[k], e.plan.ofDoubles(e.layer.inputs[k]))
	}
}

// note takes over where a source of a session stands.
func (ln *lanes) note(e *Eval, source int32) {
	row := ln.of.places[source]
	if row < 0 {
		return
	}
	at := &ln.places[int(row)*ln.room+int(e.lane)]
	if p := &e.counters.places[source]; p.lo == p.hi {
		*at = p.lo + 1
	} else {
		*at = nowhere
	}
}

// look finds the sessions in which a change of an input of the device's crossed a key, and lists that for them.
func (ln *lanes) look(e *Eval, input int32) {
	n, in := len(ln.sessions), &e.in[input]
	for k := ln.of.from[input]; k < ln.of.from[input+1]; k++ {
		p, before := &ln.of.pairs[k], len(ln.found)
		if e.fresh && before > mostFound*n {
			e.anew = e.settles // and what is behind here they see then
			return
		}
		ln.found = slices.Grow(ln.found, n+1)
		l := rows{pair: k, keys: ln.of.keys[p.from:p.to], others: ln.values[int(p.row)*ln.room:][:n],
			places: ln.places[int(k)*ln.room:][:n], found: ln.found[before : before+n+1]}
		crossed := 0
		switch {
		case in.cause != Known:
			crossed = l.all(nowhere, 0)
		case p.whole:
			crossed = l.wholes(p, in.num)
		default:
			crossed = l.doubles(p, in.num)
		}
		if crossed > 0 {
			ln.tell(e, before, crossed)
		}
	}
}

// tell tells the sessions of what crossed in them.
func (ln *lanes) tell(e *Eval, before, crossed int) {
	if !e.fresh {
		copy(ln.found[:crossed], ln.found[before:before+crossed])
		before = 0
		e.begins()
	}
	ln.found = ln.found[:before+crossed]
	for k := before; k < len(ln.found); k++ {
		f := &ln.found[k]
		ln.told[f.lane].add(e.settles)
		f.next, ln.first[f.lane] = ln.first[f.lane], int32(k)
	}
}

// rows is one pair, and what is known of it by lane.
type rows struct {
	pair   int32
	keys   []int64
	others []int64
	places []uint16
	found  []passing // room for one more than there are lanes
}

// doubles finds where a pair of doubles crossed, when the device's is worth something else.
func (l *rows) doubles(p *mixedPair, value int64) (n int) {
	others, places, found, pair := l.others, l.places[:len(l.others)], l.found, l.pair
	first := float64(math.Float64frombits(uint64(p.x)) * math.Float64frombits(uint64(value)))
	y := math.Float64frombits(uint64(p.y))
	if math.IsInf(first, 0) { // with what is no less it may be no number
		return l.all(elsewhere, unknownDouble)
	}
	least, more := math.Float64frombits(uint64(l.keys[0])), l.keys[1:]
	for lane, o := range others {
		v := first + float64(y*math.Float64frombits(uint64(o)))
		now := uint16(bit(o != unknownDouble) + bit(v >= least))
		for _, k := range more {
			now += uint16(bit(v >= math.Float64frombits(uint64(k))))
		}
		was := places[lane]
		places[lane] = now
		found[n] = passing{pair: pair, lane: int32(lane), was: was, now: now}
		n += bit(now != was)
	}
	return n
}

// wholes is doubles of whole numbers.
func (l *rows) wholes(p *mixedPair, value int64) (n int) {
	others, places, found, pair := l.others, l.places[:len(l.others)], l.found, l.pair
	first, y, lowest, most := p.x*value, p.y, p.least, p.most
	if !plain(value) {
		return l.all(elsewhere, unknownWhole)
	}
	least, more := l.keys[0], l.keys[1:]
	for lane, o := range others {
		v := first + y*o
		now := uint16(1 + bit(v >= least))
		for _, k := range more {
			now += uint16(bit(v >= k))
		}
		if v < lowest {
			now = elsewhere
		}
		if v > most {
			now = elsewhere
		}
		if o == hugeWhole {
			now = elsewhere
		}
		if o == unknownWhole {
			now = nowhere
		}
		was := places[lane]
		places[lane] = now
		found[n] = passing{pair: pair, lane: int32(lane), was: was, now: now}
		n += bit(now != was)
	}
	return n
}

// all gives a pair one place in all lanes, but where the session's value is unknown.
func (l *rows) all(place uint16, unknown int64) (n int) {
	for lane, o := range l.others {
		now := place
		if o == unknown {
			now = nowhere
		}
		if was := l.places[lane]; was != now {
			l.places[lane] = now
			l.found[n] = passing{pair: l.pair, lane: int32(lane), was: was, now: now}
			n++
		}
	}
	return n
}

// forget drops the crossings of the news before.
func (ln *lanes) forget() {
	for k := range ln.first {
		ln.first[k] = -1
	}
	ln.found = ln.found[:0]
}

// ofOnly is what the turn of one key is, by the place before and now, and whereOnly where the source stands then.
var (
	ofOnly = func() (of [16]turn) {
		below := [4]Truth{nowhere: Unknown, 1: True, 2: False}
		for was := range below {
			for now := range below {
				of[was<<2|now] = turnOf(below[was], below[now])
			}
		}
		return of
	}()
	whereOnly = [4]placing{nowhere: {0, 1, -1}, 1: {0, 0, -1}, 2: {1, 1, -1}}
)

// follow places the pairs that crossed in a session.
func (ln *lanes) follow(e *Eval) {
	for at := ln.first[e.lane]; at >= 0; at = ln.found[at].next {
		f := &ln.found[at]
		switch p := &ln.of.pairs[f.pair]; {
		case f.now == elsewhere:
			e.place(p.source)
			ln.note(e, p.source)
		case p.atom >= 0:
			e.counters.places[p.source] = whereOnly[f.now&3]
			e.span(p.atom, p.atom+1, ofOnly[f.was<<2&12|f.now&3])
		case f.now == nowhere:
			e.appear(p.source, 0, false)
		default:
			e.placeAt(p.source, int32(f.now)-1)
		}
	}
}
