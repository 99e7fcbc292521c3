package rule

import (
	"encoding/binary"
	"math"

	"github.com/tact-edge/tact/context/sense"
)

// gathers says whether so much of a session turns that it is worked out from the other end: where half of its inputs
// become known or unknown, as where somebody is identified or forgotten. Then what turns is noted, and each counter and
// each part of a candidate gathers what it is over, once, at the end: what that costs does not depend on what turned, and
// hardly a branch of it on any value. What turned edges nevertheless is counted already.
func (e *Eval) gathers() bool {
	shifts := e.shifts
	e.shifts = 0
	return shifts > 0 && 2*shifts >= len(e.in) && e.layer.gathered != nil
}

// noted is by literal what its turn adds, with room behind the last one for four ids.
type noted []uint8

func sizeNoted(ids int) int { return 2*ids + 8 }

// firstOf is the first of four ids, by how many.
var firstOf = [...]uint64{0, 1<<16 - 1, 1<<32 - 1, 1<<48 - 1, math.MaxUint64}

// word is a turn as it stands in two bytes, and row four of it.
func (t turn) word() uint16 { return uint16(t[0]) | uint16(t[1])<<8 }
func (t turn) row() uint64  { return uint64(t.word()) * 0x0001_0001_0001_0001 }

// turn notes one turn of an id and the next ones, up to cut of n, and another of the rest.
func (to noted) turn(id, cut, n int32, before, after turn) {
	to = to[2*id:]
	first, second := before.row(), after.row()
	for ; n > 0; n, cut = n-4, cut-4 {
		mask := firstOf[max(min(cut, 4), 0)]
		step := (first&mask | second&^mask) & firstOf[min(n, 4)]
		was := binary.LittleEndian.Uint64(to)
		const low = 0x7f7f_7f7f_7f7f_7f7f // bytes are added without a carry into the next
		binary.LittleEndian.PutUint64(to, (was&low+step&low)^(was^step)&^low)
		to = to[8:]
	}
}

// ariseNoted is arise where turns are noted.
func (e *Eval) ariseNoted(s *source, sp *spot, at int32, below, above turn, nowBelow, nowAbove Truth) {
	e.shared.noted.turn(sp.base, at, sp.n, below, above)
	if sp.traits&told != 0 {
		cut := int(s.told.from[at])
		for k, x := range s.told.to {
			now := nowBelow
			if k >= cut {
				now = nowAbove
			}
			e.tellStored(s, x, now)
		}
	}
}

// stands is what a key is by whether the source was, or is, above it: 1 where it certainly is, and 2 where it may be.
var stands = [...]Truth{0: True, 2: Unknown, 3: False}

// between is the turn of a key by how it stood, times 4, and how it stands.
var between = func() (of [16]uint16) {
	for was, x := range stands {
		for now, y := range stands {
			of[was<<2|now] = turnOf(x, y).word()
		}
	}
	return of
}()

// placeFew places a source of few keys: each of them is looked at.
func (p *placing) placeFew(keys []int64, to noted, v int64, unknown int) (at int) {
	lo, hi := int(p.lo), int(p.hi)
	for k, key := range keys {
		reached := bit(v >= key) &^ unknown
		at += reached
		step := between[((bit(k < lo)|bit(k < hi)<<1)<<2|reached|(reached|unknown)<<1)&15]
		to[2*k] += uint8(step)
		to[2*k+1] += uint8(step >> 8)
	}
	p.put(int32(at), int32(at|len(keys)&-unknown))
	return at
}

// placePairs places all pairs, each once. Nothing is noted before.
func (e *Eval) placePairs() {
	g, places, to := e.layer.gathered, e.counters.places, e.shared.noted
	for scope, in := range e.inputs {
		for list := g.doubles[scope]; len(list) > 0; {
			list = placeOdd(e, list[placeDoubles(list, e.in, in, places, to):])
		}
		for list := g.gaps[scope]; len(list) > 0; {
			list = placeOdd(e, list[placeGaps(list, e.in, in, places, to):])
		}
	}
	for _, k := range g.others {
		sp := &e.layer.spots[k]
		a, b := e.input(sp.a), e.input(sp.b)
		v, ok := sp.of(a.num, b.num)
		places[k].placeFew(e.layer.keys[sp.base:sp.base+sp.n], to[2*sp.base:], v, bit(!ok || a.cause|b.cause != Known))
	}
	if e.lane >= 0 {
		e.lanes.noteAll(e, g.mixed)
	}
}

// noteAll takes over where all mixed pairs of a session stand.
func (ln *lanes) noteAll(e *Eval, sources []uint16) {
	at := ln.places[e.lane:]
	for row, source := range sources {
		p := &e.counters.places[source]
		at[row*ln.room] = (p.lo + 1) & -uint16(bit(p.lo == p.hi)) // else nowhere, which is 0
	}
}

// placeDoubles places pairs of doubles, up to one that is no number, and says how many.
func placeDoubles(list []onePair[float64], own, in []inputState, places []placing, to noted) int {
	for k := range list {
		x := &list[k]
		a, b, p := &own[x.own], &in[x.other], &places[x.source]
		v := float64(x.x*math.Float64frombits(uint64(a.num))) + float64(x.y*math.Float64frombits(uint64(b.num))) + 0 // no minus zero
		bits := int64(math.Float64bits(v))
		key := bits ^ bits>>63&math.MaxInt64 // as doubleKey
		if v != v {
			return k
		}
		p.placeOne(key >= x.key, a.cause|b.cause != Known, to[2*int(x.atom):])
	}
	return len(list)
}

// placeGaps places pairs of whole numbers, up to one that may be beyond what loops count with, or what its kind
// holds, and says how many.
func placeGaps(list []onePair[int32], own, in []inputState, places []placing, to noted) int {
	for k := range list {
		x := &list[k]
		a, b, p := &own[x.own], &in[x.other], &places[x.source]
		v := int64(x.x)*a.num + int64(x.y)*b.num
		if !plain(a.num) || !plain(b.num) || !near(v) {
			return k
		}
		p.placeOne(v >= x.key, a.cause|b.cause != Known, to[2*int(x.atom):])
	}
	return len(list)
}

// placeOne places a source with one key.
func (p *placing) placeOne(reached, unknown bool, to noted) {
	some := uint16(bit(unknown))
	lo := uint16(bit(reached)) &^ some
	hi := lo | some
	step := between[((p.lo|p.hi<<1)<<2|lo|hi<<1)&15]
	p.lo, p.hi = lo, hi
	binary.LittleEndian.PutUint16(to, step)
}

// placeOdd places the first of the pairs that are left as any source is placed.
func placeOdd[T float64 | int32](e *Eval, left []onePair[T]) []onePair[T] {
	if len(left) == 0 {
		return nil
	}
	e.place(int32(left[0].source))
	return left[1:]
}

// placeHeld places the times for which something is true.
func (e *Eval) placeHeld() {
	held, marks, places, keys, to, now := e.layer.gathered.held, e.marks, e.counters.places, e.layer.keys, e.shared.noted, int64(e.now)
	for k := range held {
		x := &held[k]
		m, p, own := &marks[x.stored], &places[x.source], keys[x.base:x.base+x.n]
		unknown := bit(m.cause != Known)
		grows := -int64(bit(m.yes) &^ unknown)
		num := -int64(e.sinceWhen(m)) & grows
		at := p.placeFew(own, to[2*x.base:], num+now&grows, unknown)
		if grows != 0 && at < len(own) {
			e.timers.Set(x.timer, sense.Instant(saturatingSub(own[at], num)))
		} else if e.timers.Waits(x.timer) {
			e.timers.Set(x.timer, sense.Never)
		}
	}
}

// gather works out what became of all counters and of the set.
func (e *Eval) gather() {
	c, g, all := &e.counters, e.layer.gathered, e.shared.noted
	e.placeHeld()
	g.counters.addTo(c.count, all)
	to := all[2*e.layer.atoms:]
	made, about := c.made[:len(c.count)], e.layer.about[:len(c.count)]
	for k, count := range c.count {
		if about[k] == 0 {
			was, now := made[k], truthOf[count]
			made[k] = now
			binary.LittleEndian.PutUint16(to[2*k:], changes[was<<2&12|now&3])
		} else if about[k]&aboutInner == 0 {
			c.makeNoted(k, to)
		}
	}
	for list := g.inner; len(list) > 0; {
		k, n := list[0], 2+int(list[1])
		for _, x := range list[2:n] {
			c.count[k] += all[x]
		}
		c.makeNoted(int(k), to)
		list = list[n:]
	}
	g.parts.addTo(c.parts, all)
	clear(all)
	e.noting = false
	c.reset()
	c.publish(e) // what waits in the queue is made already
}

// changes is the turn of a counter by its truth before, times 4, and now.
var changes = func() (of [16]uint16) {
	for was := range share {
		for now := range share {
			of[was<<2|now] = turnOf(Truth(was), Truth(now)).word()
		}
	}
	return of
}()

// makeNoted gives a counter that somebody watches, or that stands on others, what its count makes of it.
func (c *counters) makeNoted(k int, to noted) {
	was, now := c.made[k], truthOf[c.count[k]]
	if was == now {
		return
	}
	c.made[k] = now
	binary.LittleEndian.PutUint16(to[2*k:], turnOf(was, now).word())
	c.report(int32(k), was, now)
}

// addTo adds what turned.
func (s *sums) addTo(to []uint8, all noted) {
	for i, list := 1, s[1]; i < len(list); i += 2 {
		to[list[i-1]] += all[list[i]]
	}
	for i, list := 2, s[2]; i < len(list); i += 3 {
		to[list[i-2]] += all[list[i-1]] + all[list[i]]
	}
	for i, list := 3, s[3]; i < len(list); i += 4 {
		to[list[i-3]] += all[list[i-2]] + all[list[i-1]] + all[list[i]]
	}
	for i, list := 4, s[4]; i < len(list); i += 5 {
		to[list[i-4]] += all[list[i-3]] + all[list[i-2]] + all[list[i-1]] + all[list[i]]
	}
}

// reset makes the set of a session anew from the parts of candidates.
func (c *counters) reset() {
	moved := uint64(0)
	for w := range c.set {
		parts, word := c.parts[w<<6:min(w<<6+64, len(c.parts))], uint64(0)
		at := 0
		for ; len(parts) >= 8; parts, at = parts[8:], at+8 {
			const low = 0x7f7f_7f7f_7f7f_7f7f
			x := binary.LittleEndian.Uint64(parts)
			zero := ^(x&low + low | x | low) >> 7 // the lowest bit of each byte that is none
			word |= zero * 0x0102_0408_1020_4080 >> 56 << at
		}
		for k, n := range parts {
			word |= uint64(bit(n == 0)) << (at + k)
		}
		moved |= (word ^ c.set[w]) & c.device.either[w]
		c.set[w] = word
	}
	c.moved = c.moved || moved != 0
}
