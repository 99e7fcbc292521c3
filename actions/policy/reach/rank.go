package reach

import (
	"math/bits"
	"slices"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

// rival is what two actions must share so that whatever takes one away takes the other away too.
type rival struct {
	about  string
	intent catalog.Intent
}

// outranked reports actions before which another always comes. The two are about the same and
// for the same: an answer, a purchase, a complaint or a pause that takes the better one away
// takes the other away as well.
func (f *finder) outranked(hidden []bool) {
	rivals := map[rival][]int{}
	for k := range f.b.Actions {
		if a := &f.b.Actions[k]; a.About != "" && !hidden[k] {
			r := rival{string(a.About), a.Intent}
			rivals[r] = append(rivals[r], k)
		}
	}
	for k := range f.b.Actions {
		a := &f.b.Actions[k]
		if a.About == "" || hidden[k] {
			continue
		}
		for _, better := range rivals[rival{string(a.About), a.Intent}] {
			if better != k && f.precedes(better, k) {
				f.add(Found{Section: Actions, Index: k}, Unreachable, "give it a slot, a condition or a worth that the other has not",
					"action %s is always outranked by %s: wherever the one could be shown the other can, and comes first", a.Name, f.b.Actions[better].Name)
				break
			}
		}
	}
}

// precedes says whether action x is there whenever action a is, and ranks before it.
func (f *finder) precedes(x, a int) bool {
	better, worse := &f.b.Actions[x], &f.b.Actions[a]
	return f.steady(better) && f.plain(worse, a) && asOpen(better, worse) && sameSlots(f.b, better, worse) &&
		f.sameLimits(better, worse) && ahead(f.b, better, worse) && f.fits(better, worse) && f.implied(better, worse)
}

// steady says that nothing of its own can take an action away: no dates, no wait, no quality, no learning of its price.
func (f *finder) steady(x *catalog.Action) bool {
	return x.From == 0 && x.Until == sense.Never && len(x.Hours) == 0 && len(x.At) == 0 && x.Follows == nil && len(x.Needs) == 0 &&
		x.Quality == 0 && !x.Significant && x.Price == nil && x.Before < 0 && x.Intent != catalog.Question && len(x.Weights) == 0 &&
		(x.Group < 0 || len(f.b.Groups[x.Group].Weights) == 0) && len(x.Exemptions) == 0
}

// plain says that an action is shown by its rank alone.
func (f *finder) plain(a *catalog.Action, k int) bool {
	return !f.spared(k) && a.KeepArmed == 0 && len(a.Weights) == 0 && (a.Group < 0 || len(f.b.Groups[a.Group].Weights) == 0) &&
		!a.ExemptCaps && !a.ExemptPressure && len(a.Exemptions) == 0
}

// asOpen says that x asks for nothing of the customer that a does not ask for.
func asOpen(x, a *catalog.Action) bool {
	return x.Purpose == a.Purpose && x.Goal == a.Goal && x.LeastID <= a.LeastID && (x.Measure < 0 || x.Measure == a.Measure) &&
		within(x.NeedGrants, a.NeedGrants) && within(x.Reads, a.Reads) && within(x.Seen, a.Seen) && (x.Special == "" || x.Special == a.Special) &&
		(x.Partner < 0 || x.Partner == a.Partner) && (x.Household || !a.Household) && (!x.ConditionsPersonal || a.ConditionsPersonal)
}

// within says whether all of some stand in all.
func within[T comparable](some, all []T) bool {
	return !slices.ContainsFunc(some, func(x T) bool { return !slices.Contains(all, x) })
}

// sameSlots: wherever a can appear x can, and only when it is asked for; unasked, what was shown
// once steps back.
func sameSlots(b *catalog.Bundle, x, a *catalog.Action) bool {
	return within(a.Slots, x.Slots) && !slices.ContainsFunc(a.Slots, func(s int32) bool { return b.Slots[s].Unasked })
}

// sameLimits: no limit, pause or volume tells the two apart.
func (f *finder) sameLimits(x, a *catalog.Action) bool {
	one := func(action, group int32) bool { return action < 0 && (group < 0 || x.Group == a.Group) }
	c := &f.b.Contact
	return !slices.ContainsFunc(c.Limits, func(l catalog.Limit) bool { return !one(l.Action, l.Group) }) &&
		!slices.ContainsFunc(c.Volume, func(v catalog.Volume) bool { return !one(v.Action, v.Group) }) &&
		!slices.ContainsFunc(c.Pauses, func(p catalog.Pause) bool {
			return p.Same == "action" || p.Same == "group" && x.Group != a.Group
		}) && (x.Group == a.Group || !slices.ContainsFunc(f.b.Facts, func(d catalog.Fact) bool { return d.Preference }))
}

// ahead says whether x ranks before a whatever happened before: it is mandatory, or worth more
// at no more bother.
func ahead(b *catalog.Bundle, x, a *catalog.Action) bool {
	switch {
	case a.Mandatory:
		return false
	case x.Mandatory:
		return true
	case x.Bother > a.Bother || x.Elsewhere > a.Elsewhere || x.Value <= 0:
		return false
	}
	vx, ok1 := worth(b, x)
	va, ok2 := worth(b, a)
	return ok1 && ok2 && vx > va
}

// worth is propensity x value x levers, cut to millionths as the arbiter does; ok is false
// beyond what it multiplies exactly here.
func worth(b *catalog.Bundle, a *catalog.Action) (v int64, ok bool) {
	group := catalog.One
	if a.Group >= 0 {
		group = b.Groups[a.Group].Lever
	}
	const most = 1_000_000_000
	if a.Value < 0 || a.Value > most*1000 || a.Propensity < 0 || a.Propensity > catalog.One || a.Lever < 0 || a.Lever > most || group < 0 || group > most {
		return 0, false
	}
	// Each product is at most 1e18, and both together over 1e18 are too.
	hi, lo := bits.Mul64(uint64(a.Value)*uint64(a.Propensity), uint64(a.Lever)*uint64(group))
	q, _ := bits.Div64(hi, lo, uint64(catalog.One*catalog.One*catalog.One))
	return int64(q), true
}

// fits says whether x can be said wherever a can: in words that are all there, for as many people.
func (f *finder) fits(x, a *catalog.Action) bool {
	whole := func(t *catalog.Treatment) bool {
		if t == nil || t.Structured || len(t.Text) < len(f.b.Languages) {
			return false
		}
		for _, text := range t.Text {
			length := int64(0)
			for _, part := range text {
				if part.Name != "" || part.Of != catalog.PartOfNothing {
					return false
				}
				length += int64(len(part.Literal)) // bytes are no fewer than characters
			}
			if length == 0 || slices.ContainsFunc(a.Slots, func(s int32) bool { m := f.b.Slots[s].MaxText; return m > 0 && length > m }) {
				return false
			}
		}
		return true
	}
	switch {
	case whole(x.Say) && x.Say.Ambient:
		return true
	case a.Say == nil:
		return whole(x.SayPersonal) || x.SayPersonal == nil && whole(x.Say)
	case a.SayPersonal == nil && !a.Say.Ambient:
		return x.SayPersonal == nil && whole(x.Say)
	}
	return false
}

// implied says whether x's conditions are true whenever a's are.
func (f *finder) implied(x, a *catalog.Action) bool {
	given := trueTogether(f.ofAction(a))
	g := catalog.Group{Eligible: rule.None, Applicable: rule.None, Suitable: rule.None}
	if x.Group >= 0 {
		g = f.b.Groups[x.Group]
	}
	for _, n := range []rule.Node{g.Eligible, x.Eligible, g.Applicable, x.Applicable, g.Suitable, x.Suitable} {
		if n == rule.None {
			continue
		}
		f.s.learn(n)
		if f.s.possible(append(slices.Clone(given), assumption{n, canFalse | canUnknown})...) {
			return false
		}
	}
	return true
}
