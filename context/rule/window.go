package rule

import (
	"math"
	"math/bits"

	"github.com/tact-edge/tact/context/sense"
)

// MaxEntries is how many entries a window keeps. What it had to drop makes it
// unknown until that entry would have left the window by itself.
const MaxEntries = 4096

// longAgo lies before every instant.
const longAgo = sense.Instant(math.MinInt64)

// entry is one thing in a window: a reading, or a time that something became true.
type entry struct {
	at sense.Instant
	v  float64
}

// window holds what happened within (now-For, now], oldest first, in a ring. Of a
// minimum and a maximum it keeps only the entries that can still become it.
type window struct {
	from  sense.Instant // everything after it is in the window or has left it; before it, something may be missing
	moved sense.Instant // of the last change
	last  Truth         // CountTrue: the last certain truth of the argument
	ring  []entry
	head  int
	n     int
	hi    int64 // sum of all entries in millionths, 128 bits
	lo    uint64
	large int // entries that no millionths hold
}

func (w *window) at(k int) *entry { return &w.ring[(w.head+k)&(len(w.ring)-1)] }

// restart empties the window; what was before now is not known any more.
func (w *window) restart(now sense.Instant) {
	*w = window{from: now, moved: now, ring: w.ring}
}

func (w *window) push(e entry) {
	if w.n == MaxEntries {
		w.from = max(w.from, w.at(0).at)
		w.popFront()
	}
	if w.n == len(w.ring) {
		ring := make([]entry, max(8, 2*len(w.ring)))
		for k := range w.n {
			ring[k] = *w.at(k)
		}
		w.ring, w.head = ring, 0
	}
	w.n++
	*w.at(w.n - 1) = e
	w.moved = e.at
	w.sum(e.v, false)
}

func (w *window) popFront() {
	w.sum(w.at(0).v, true)
	w.head = (w.head + 1) & (len(w.ring) - 1)
	w.n--
}

func (w *window) popBack() {
	w.sum(w.at(w.n-1).v, true)
	w.n--
}

// sum keeps the sum in fixed point: exact, and the same whatever came and left before.
func (w *window) sum(v float64, leaves bool) {
	m, ok := micro(v)
	if !ok {
		if leaves {
			w.large--
		} else {
			w.large++
		}
		return
	}
	lo, hi := uint64(m), m>>63
	var carry uint64
	if leaves {
		w.lo, carry = bits.Sub64(w.lo, lo, 0)
		w.hi = w.hi - hi - int64(carry)
	} else {
		w.lo, carry = bits.Add64(w.lo, lo, 0)
		w.hi = w.hi + hi + int64(carry)
	}
}

// micro rounds v to millionths; ok is false beyond 9e12 and for what is no number.
func micro(v float64) (int64, bool) {
	if !(math.Abs(v) < 9e12) {
		return 0, false
	}
	return int64(sense.Round(float64(v * 1e6))), true
}

// expire lets go what has left (now-length, now].
func (w *window) expire(length sense.Duration, now sense.Instant) {
	for w.n > 0 && w.at(0).at.Add(length) <= now {
		w.moved = max(w.moved, w.at(0).at.Add(length))
		w.popFront()
	}
}

// next is when time changes the window: its oldest entry leaves, or it is filled.
func (w *window) next(length sense.Duration, now sense.Instant) sense.Instant {
	due := sense.Never
	if w.n > 0 {
		due = w.at(0).at.Add(length)
	}
	if !w.filled(length, now) {
		due = min(due, w.from.Add(length))
	}
	return due
}

// filled says whether nothing of (now-length, now] is missing.
func (w *window) filled(length sense.Duration, now sense.Instant) bool {
	return w.from == longAgo || w.from.Add(length) <= now
}

// read takes in a reading for a window of that code.
func (w *window) read(c Code, e entry) {
	if w.n > 0 {
		e.at = max(e.at, w.at(w.n-1).at)
	}
	for w.n > 0 && (c == Min && w.at(w.n-1).v >= e.v || c == Max && w.at(w.n-1).v <= e.v) {
		w.popBack()
	}
	w.push(e)
}

// count takes in the truth of the argument of a CountTrue and counts it when it became true. The
// first truth after a restart may be old: the window is known only from there on.
func (w *window) count(t Truth, at sense.Instant) {
	if t == True && w.last != True {
		if w.last == Unknown && w.from != longAgo {
			w.from = max(w.from, at)
		} else {
			w.read(CountTrue, entry{at: at})
		}
	}
	if t != Unknown {
		w.last = t
	}
}

// mean is the sum over the number of entries, cut to millionths.
func (w *window) mean() float64 {
	hi, lo, negative := uint64(w.hi), w.lo, w.hi < 0
	if negative {
		var carry uint64
		lo, carry = bits.Add64(^lo, 1, 0)
		hi = ^hi + carry
	}
	q, _ := bits.Div64(hi, lo, uint64(w.n)) // |sum| < 2^63 * n, so hi < n
	m := float64(q) / 1e6
	if negative {
		return -m
	}
	return m
}

// rate is the change per second from the oldest reading to the newest, in
// millionths; ok is false where it is too large.
func (w *window) rate() (r float64, ok bool) {
	oldest, newest := w.at(0), w.at(w.n-1)
	a, ok1 := micro(oldest.v)
	b, ok2 := micro(newest.v)
	change, ok3 := mulInts(b-a, 1000)
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	return float64(change/int64(newest.at.Sub(oldest.at))) / 1e6, true
}
