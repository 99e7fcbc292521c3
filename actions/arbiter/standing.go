package arbiter

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
)

// Standing is how the candidates of a ranking stand in one session. It belongs to one goroutine.
type Standing struct {
	r        *Ranking
	holds    []uint64 // per feature
	levels   []level  // per position: of what it is worth, as far as its word is up to date; the ranking's own where no weight is
	sums     []int32  // per position, of learned propensities; nil where there are none
	pending  []uint64 // per link: its feature changed, and the positions of the word were not told yet
	bounds   []bound  // per word
	pressure catalog.Micro

	leader int           // the position that was the best last; -1 where none was
	worth  catalog.Micro // of the leader, without bother
	sure   bool          // worth is up to date
}

// bound is what is known of the worth of some positions of a word.
type bound struct {
	of     uint64 // positions of the word
	top    level  // none of them had more when the word was looked at last
	raised int64  // nor more than this above it since
}

// NewStanding returns how the candidates stand where no feature holds and nothing presses.
func (r *Ranking) NewStanding() *Standing {
	s := &Standing{r: r, holds: make([]uint64, (r.features+63)/64), levels: r.base,
		pending: make([]uint64, r.pending), bounds: make([]bound, len(r.words)), leader: -1}
	if r.weighted {
		s.levels = slices.Clone(r.base)
	}
	if r.curve != nil {
		s.sums = make([]int32, len(r.base))
		for k := range r.all {
			s.sums[k] = r.all[k].Prior
		}
	}
	for w := range s.bounds {
		s.bounds[w].top = math.MinInt32
	}
	return s
}

// Press says how much earlier contacts press now, before any floor; what is beyond 2^60 counts as that.
func (s *Standing) Press(pressure catalog.Micro) {
	s.pressure = min(max(pressure, -mostBother), mostBother)
}

// Holds says whether a feature is known to hold.
func (s *Standing) Holds(feature int32) bool {
	return s.holds[feature>>6]>>(feature&63)&1 != 0
}

// Follow says which features hold from now on: those in any of the sets, which have a bit per feature.
// So what a whole device knows is kept in one set, whatever its sessions are, and each session has a set of its own.
func (s *Standing) Follow(sets ...[]uint64) {
	for n := range s.holds {
		now := uint64(0)
		for _, set := range sets {
			now |= set[n]
		}
		for rest := now ^ s.holds[n]; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros64(rest)
			s.Change(int32(n*64+k), now>>k&1 != 0)
		}
	}
}

// Change says whether a feature holds from now on. It marks the words that the feature bears on, at
// most one in 64 candidates; those are told of it when they are next looked at.
func (s *Standing) Change(feature int32, holds bool) {
	if s.Holds(feature) == holds {
		return
	}
	s.holds[feature>>6] ^= 1 << (feature & 63)
	r := s.r
	touches := r.touches[r.begin[feature]:r.begin[feature+1]]
	for k := range touches {
		t := &touches[k]
		p, bit := &s.pending[t.pending>>6], uint64(1)<<(t.pending&63)
		*p ^= bit
		// What had not been told yet changes back: it no longer raises anything.
		on, off, b := int64(t.on), int64(t.off), &s.bounds[t.word]
		switch told := *p&bit == 0; {
		case holds && !told:
			b.raised += on
		case holds:
			b.raised -= off
		case !told:
			b.raised += off
		default:
			b.raised -= on
		}
	}
}

// level returns the level of what a candidate is worth, or a little more.
func (s *Standing) level(k int) level {
	if s.sums == nil {
		return s.levels[k]
	}
	return s.levels[k] + s.r.steps[s.r.curve.step(s.sums[k])]
}

// tell brings a word up to date: its positions learn which features changed, and its bound holds for
// those of a set as well.
func (s *Standing) tell(w int, set uint64) {
	r := s.r
	b := &s.bounds[w]
	b.raised = 0
	end := len(s.pending)
	if w+1 < len(r.words) {
		end = int(r.words[w+1].pending)
	}
	from := int(r.words[w].pending)
	var changed, risen uint64
	for p := from; p < end; p++ {
		for rest := s.pending[p]; rest != 0; rest &= rest - 1 {
			c, up := s.change(w, &r.links[int(r.words[w].link)+(p-from)*64+bits.TrailingZeros64(rest)])
			changed, risen = changed|c, risen|up
		}
		s.pending[p] = 0
	}
	if s.leader>>6 == w && changed>>(s.leader&63)&1 != 0 {
		s.sure = false
	}
	if look := (risen | ^b.of) & (set | b.of); look != 0 {
		top, _ := s.top(w, look)
		b.top = max(b.top, top)
	}
	b.of |= set
}

// change tells the positions that one feature bears on, and returns them and those that rose.
func (s *Standing) change(w int, l *link) (changed, risen uint64) {
	into := s.levels
	if l.sum {
		into = s.sums
	}
	of := (*[64]int32)(into[w*64:])
	members, adds := s.r.member[l.from:l.to], s.r.add[l.from:l.to]
	adds = adds[:len(members)]
	flip := int32(-1) // x^flip-flip is x where flip is 0, and -x where it is -1
	if s.Holds(l.feature) {
		flip = 0
	}
	for k, m := range members {
		add := adds[k] ^ flip - flip
		of[m&63] += add
		changed |= 1 << (m & 63)
		risen |= uint64(uint32(-add)>>31) << (m & 63)
	}
	return changed, risen
}

// top returns the highest level of some positions of a word, and the first that has it.
func (s *Standing) top(w int, set uint64) (top level, position int) {
	top, m := math.MinInt32, 0
	levels := s.levels[w*64 : w*64+64]
	if s.sums == nil {
		for rest := set; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros64(rest)
			if l := levels[k]; l > top {
				top, m = l, k
			}
		}
		return top, w*64 + m
	}
	sums, steps := s.sums[w*64:w*64+64], s.r.steps
	from, shift, last := int64(s.r.curve.From), s.r.curve.Shift&31, int64(len(steps)-1)
	for rest := set; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		step := min(max((int64(sums[k])-from)>>shift, 0), last)
		if l := levels[k] + steps[step]; l > top {
			top, m = l, k
		}
	}
	return top, w*64 + m
}

// Bytes returns how much memory a session takes for this, on a chip of 64 bits.
func (s *Standing) Bytes() int {
	const own, perWord = 176, 24
	n := own + 8*len(s.holds) + 4*len(s.sums) + 8*len(s.pending) + perWord*len(s.bounds)
	if s.r.weighted {
		n += 4 * len(s.levels)
	}
	return n
}
