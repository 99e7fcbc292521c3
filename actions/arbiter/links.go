package arbiter

import (
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
)

// builder works out what bears on the words of a ranking, one word after the other.
type builder struct {
	r       *Ranking
	bear    []bearing // of the word at hand
	open    []int32   // per feature, for levels and for sums: its link in the word at hand, plus one
	last    []int32   // in the same way, its last bearing, plus one
	touches []featured
}

// bearing is what one feature does to one candidate.
type bearing struct {
	feature int32
	member  uint8
	sum     bool
	add     int32
}

// featured is a touch with its feature.
type featured struct {
	feature int32
	touch   touch
}

// word adds the levels and the links of the positions of one word.
func (b *builder) word(w int) {
	r := b.r
	b.bear = b.bear[:0]
	for k := w * 64; k < min(w*64+64, len(r.all)); k++ {
		b.candidate(k)
	}
	r.words[w].link, r.words[w].pending = int32(len(r.links)), int32(r.pending)
	begin, touches := len(r.links), len(b.touches)
	for _, x := range b.bear { // a link per feature, with the number of its entries
		at := &b.open[x.slot()]
		if *at == 0 {
			r.links = append(r.links, link{feature: x.feature, sum: x.sum})
			*at = int32(len(r.links))
			r.weighted = r.weighted || !x.sum
			bit := int32(r.pending*64 + len(r.links) - 1 - begin)
			b.touches = append(b.touches, featured{x.feature, touch{word: int32(w), pending: bit}})
		}
		r.links[*at-1].to++
	}
	at := int32(len(r.add))
	for k := begin; k < len(r.links); k++ {
		l := &r.links[k]
		l.from, l.to, at = at, at, at+l.to
	}
	r.member = append(r.member, make([]uint8, len(b.bear))...)
	r.add = append(r.add, make([]int32, len(b.bear))...)
	for _, x := range b.bear {
		k := int(b.open[x.slot()] - 1)
		l, t := &r.links[k], &b.touches[touches+k-begin].touch
		r.member[l.to], r.add[l.to] = x.member, x.add
		l.to++
		on, off := x.add, -x.add
		if x.sum {
			on, off = r.rise(on), r.rise(off)
		}
		t.on, t.off = max(t.on, on), max(t.off, off)
	}
	for _, x := range b.bear {
		b.open[x.slot()] = 0
	}
	r.pending += (len(r.links) - begin + 63) / 64
}

// slot is the place of a bearing in open.
func (x *bearing) slot() int {
	if x.sum {
		return 2*int(x.feature) + 1
	}
	return 2 * int(x.feature)
}

// rise returns the most that the level of a propensity rises by when its sum does.
func (r *Ranking) rise(by int32) level {
	if by <= 0 {
		return 0
	}
	steps := int64(by)>>r.curve.Shift + 1
	return level(min(steps*int64(r.steepest), int64(r.steps[len(r.steps)-1]-r.steps[0])))
}

// turn puts the touches in order of feature.
func (b *builder) turn() {
	r := b.r
	r.begin = make([]int32, r.features+1)
	for _, t := range b.touches {
		r.begin[t.feature+1]++
	}
	for f := range r.features {
		r.begin[f+1] += r.begin[f]
	}
	r.touches = make([]touch, len(b.touches))
	at := slices.Clone(r.begin)
	for _, t := range b.touches {
		r.touches[at[t.feature]] = t.touch
		at[t.feature]++
	}
}

// add adds what bears on a candidate, whose bearings begin at begin: what rests on one feature together.
func (b *builder) add(begin int, x bearing) {
	last := &b.last[x.slot()]
	if k := int(*last) - 1; k >= begin && k < len(b.bear) && b.bear[k].slot() == x.slot() {
		b.bear[k].add += x.add
		return
	}
	b.bear = append(b.bear, x)
	*last = int32(len(b.bear))
}

// candidate works out the level of what counts always, and what bears on it. Where the sign may change,
// nothing can be gained, or the levels go too far, one level stands for all that the candidate can be worth.
func (b *builder) candidate(k int) {
	r := b.r
	c := &r.all[k]
	begin := len(b.bear)
	base, wide, plain := int64(0), int64(0), c.Value > 0
	add := func(l level) {
		base += int64(l)
		wide += int64(magnitude(int64(l)))
	}
	if plain {
		add(above(c.Value))
	}
	for _, f := range c.Factors {
		if plain = plain && f > 0; plain {
			add(factorLevel(f))
		}
	}
	for _, w := range c.Weights {
		plain = plain && w.Factor >= 0
	}
	for _, w := range c.Weights {
		if w.Factor == catalog.One {
			continue
		}
		x := bearing{w.Feature, uint8(k % 64), false, 0}
		if plain {
			x.add = factorLevel(w.Factor)
			wide += int64(magnitude(int64(x.add)))
		}
		b.add(begin, x)
	}
	if !plain || wide >= widest {
		for n := begin; n < len(b.bear); n++ {
			b.bear[n].add = 0
		}
		base = int64(nothing)
		if most := r.mostWorth(c); most > 0 {
			base = int64(above(most))
		}
		if r.curve != nil {
			base -= int64(r.steps[0]) // which is the least that the curve adds
		}
	}
	r.base = append(r.base, level(base))
	if r.curve != nil {
		for _, x := range c.Terms {
			b.add(begin, bearing{x.Feature, uint8(k % 64), true, x.Add})
		}
	}
}
